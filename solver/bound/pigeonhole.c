/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/pigeonhole.h"

#include <stdlib.h>
#include <string.h>

struct matching {
    const struct dcp_problem *p;
    const struct dcp_group *g;
    uint64_t *reach; /* [member][words]: its domains. */
    uint32_t words;
    uint32_t *held_by;      /* By domain: the member, or DCP_IX_NONE. */
    uint8_t *seen;          /* By domain, in this search. */
    uint32_t *queue, *from; /* Members to look at; by domain, who found it. */
};

static bool
make(struct matching *m)
{
    const struct dcp_group *g = m->g;

    m->words = (g->n_domains + 63) / 64;
    m->reach = calloc((size_t)g->n_items * m->words + 1, sizeof *m->reach);
    m->held_by = malloc((g->n_domains + 1u) * sizeof *m->held_by);
    m->seen = calloc(g->n_domains + 1u, 1);
    m->queue = malloc((g->n_items + 1u) * sizeof *m->queue);
    m->from = malloc((g->n_domains + 1u) * sizeof *m->from);
    return m->reach && m->held_by && m->seen && m->queue && m->from;
}

static void
finish(struct matching *m)
{
    free(m->reach);
    free(m->held_by);
    free(m->seen);
    free(m->queue);
    free(m->from);
}

static void
fill_reach(struct matching *m)
{
    for (uint32_t i = 0; i < m->g->n_items; i++) {
        uint64_t *row = m->reach + (size_t)i * m->words;

        for (uint32_t h = 0; h < m->p->n_hosts; h++) {
            uint32_t d = m->g->domain_of_host[h];

            if (d != UINT32_MAX && m->p->use[h] != DCP_HOST_AVOID &&
                dcp_problem_reaches(m->p, m->g->items[i], h)) {
                row[d / 64] |= UINT64_C(1) << (d % 64);
            }
        }
    }
}

/* Finds member 'i' a domain, moving others along a shortest path where needed.
 * False: none; then the members in queue[0..*out_n-1] reach the *out_domains
 * that were seen and no other. */
static bool
place(struct matching *m, uint32_t i, uint32_t *out_n, uint32_t *out_domains)
{
    uint32_t n = 0, n_seen = 0;

    memset(m->seen, 0, m->g->n_domains);
    m->queue[n++] = i;
    for (uint32_t k = 0; k < n; k++) {
        const uint64_t *row = m->reach + (size_t)m->queue[k] * m->words;

        for (uint32_t d = 0; d < m->g->n_domains; d++) {
            if (m->seen[d] || !(row[d / 64] >> (d % 64) & 1)) {
                continue;
            }
            m->seen[d] = 1;
            m->from[d] = m->queue[k];
            n_seen++;
            if (m->held_by[d] != DCP_IX_NONE) {
                m->queue[n++] = m->held_by[d];
                continue;
            }
            /* Free: hand domains on, back to 'i'. */
            for (uint32_t at = d;;) {
                uint32_t who = m->from[at], old = DCP_IX_NONE;

                for (uint32_t x = 0; who != i && x < m->g->n_domains; x++) {
                    if (m->held_by[x] == who) {
                        old = x;
                        break;
                    }
                }
                m->held_by[at] = who;
                if (who == i) {
                    return true;
                }
                at = old;
            }
        }
    }
    *out_n = n;
    *out_domains = n_seen;
    return false;
}

/* Two members share a domain at the start. */
static bool
start_breaks(struct matching *m)
{
    memset(m->seen, 0, m->g->n_domains);
    for (uint32_t i = 0; i < m->g->n_items; i++) {
        uint32_t h = m->p->start_host[m->g->items[i]];
        uint32_t d = h == DCP_IX_NONE ? UINT32_MAX : m->g->domain_of_host[h];

        if (d != UINT32_MAX && m->seen[d]) {
            return true;
        }
        if (d != UINT32_MAX) {
            m->seen[d] = 1;
        }
    }
    return false;
}

static void
match(struct matching *m, struct dcp_pigeonhole *out)
{
    uint32_t n, n_domains;

    if (start_breaks(m)) {
        return;
    }
    fill_reach(m);
    memset(m->held_by, 0xff, (m->g->n_domains + 1u) * sizeof *m->held_by);
    for (uint32_t i = 0; i < m->g->n_items; i++) {
        if (!place(m, i, &n, &n_domains)) {
            *out = (struct dcp_pigeonhole){ m->g->rule, m->g->items[i], n,
                                            n_domains };
            return;
        }
    }
}

bool
dcp_pigeonhole_find(const struct dcp_problem *p, struct dcp_pigeonhole *out,
                    struct dcp_error *err)
{
    *out = (struct dcp_pigeonhole){ 0 };
    for (uint32_t g = 0; !out->rule && g < p->n_groups; g++) {
        struct matching m = { .p = p, .g = &p->groups[g] };

        if (m.g->rule->kind != DCP_RULE_SPREAD || m.g->rule->soft ||
            m.g->n_items < 2) {
            continue;
        }
        if (!make(&m)) {
            finish(&m);
            return dcp_fail(err, DCP_E_NOMEM, "no memory to match rule '%.60s'",
                            m.g->rule->name);
        }
        match(&m, out);
        finish(&m);
    }
    return true;
}
