/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/terms.h"

#include "solver/bound/loss.h"
#include "solver/bound/parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counter {
    const struct dcp_problem *p;
    struct dcp_bound_terms *out;
    uint32_t *caps; /* Of hosts that may hold VMs, the largest first. */
    uint8_t *one;   /* Everything is in region 0. */
};

static bool
may_hold(const struct dcp_problem *p, uint32_t h)
{
    return p->use[h] != DCP_HOST_AVOID &&
           (p->q->start->on[h] ||
            (p->q->may_wake && p->use[h] == DCP_HOST_FREE));
}

static int
falling(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x > y ? -1 : x < y;
}

static void
add(struct counter *c, const struct dcp_bound_term *term)
{
    struct dcp_bound_terms *all = c->out;

    if (all->n < DCP_BOUND_TERMS_MAX && term->hosts) {
        all->term[all->n++] = *term;
    }
}

/* --- Resources ---------------------------------------------------------- */

/* Fills hosts, need and have. */
static void
count_one(struct counter *c, const struct dcp_bound_resource *r,
          struct dcp_bound_term *out)
{
    const struct dcp_problem *p = c->p;
    uint32_t n_hosts = 0;
    double sum = 0;

    out->need = 0;
    for (uint32_t i = 0; i < p->n_items; i++) {
        out->need += r->size[i * r->step];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (may_hold(p, h)) {
            c->caps[n_hosts++] = r->cap[h];
        }
    }
    qsort(c->caps, n_hosts, sizeof *c->caps, falling);
    out->hosts = 0;
    out->have = 0;
    while (sum < out->need && out->hosts < n_hosts) {
        out->have = sum;
        sum += c->caps[out->hosts++];
    }
    if (sum < out->need) {
        out->have = sum;
        out->hosts = p->n_hosts + 1;
    }
}

/* The slot that needs the most hosts; of those, the highest demand. */
static void
count_timed(struct counter *c, const char *name, const char *unit,
            struct dcp_bound_resource (*of)(const struct dcp_problem *,
                                            uint32_t slot))
{
    struct dcp_bound_term best = { .unit = unit };

    for (uint32_t t = 0; t < c->p->n_slots; t++) {
        struct dcp_bound_resource r = of(c->p, t);
        struct dcp_bound_term term = { .unit = unit, .slot = t };

        count_one(c, &r, &term);
        if (term.hosts > best.hosts ||
            (term.hosts == best.hosts && term.need > best.need)) {
            best = term;
        }
    }
    (void)snprintf(best.name, sizeof best.name, "%s", name);
    add(c, &best);
}

static void
count_resources(struct counter *c)
{
    const struct dcp_problem *p = c->p;

    for (uint32_t k = 0; k < p->n_scalars; k++) {
        struct dcp_bound_resource r = dcp_bound_scalar(p, k);
        struct dcp_bound_term term = { .unit = dcp_scalar_unit(p->scalar_id[k]),
                                       .slot = UINT32_MAX };

        (void)snprintf(term.name, sizeof term.name, "%s",
                       dcp_scalar_name(p->q->inventory, p->scalar_id[k]));
        count_one(c, &r, &term);
        add(c, &term);
    }
    count_timed(c, "cpu", "MHz", dcp_bound_cpu);
    if (p->net_kib_s) {
        count_timed(c, "network", "KiB/s", dcp_bound_net);
    }
}

/* --- Other reasons ------------------------------------------------------ */

static void
add_plain(struct counter *c, const char *name, uint32_t hosts)
{
    struct dcp_bound_term term = { .unit = "",
                                   .hosts = hosts,
                                   .slot = UINT32_MAX };

    (void)snprintf(term.name, sizeof term.name, "%s", name);
    add(c, &term);
}

static bool
count_others(struct counter *c, struct dcp_error *err)
{
    const struct dcp_problem *p = c->p;
    uint32_t stay = 0;

    if (dcp_bound_survives_a_host(p)) {
        uint32_t n = dcp_bound_hosts_for_loss(p, c->one, c->one, 0);

        if (n == UINT32_MAX) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
        }
        add_plain(c, "n+1", n);
    }
    add_plain(c, "keep_on", p->q->inventory->policy.keep_on);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        stay += p->q->start->on[h] && p->use[h] == DCP_HOST_KEEP;
    }
    add_plain(c, "stay on", stay);
    for (uint32_t i = 0; i < p->n_power_rules; i++) {
        const struct dcp_rule *rule = p->power_rules[i].rule;
        char name[64];

        if (rule->kind == DCP_RULE_MIN_ON && dcp_rule_is_hard(p->q, rule)) {
            (void)snprintf(name, sizeof name, "rule '%.50s'", rule->name);
            add_plain(c, name, (uint32_t)rule->limit);
        }
    }
    return true;
}

static int
most_first(const void *left, const void *right)
{
    const struct dcp_bound_term *a = left, *b = right;

    return a->hosts != b->hosts ? (a->hosts > b->hosts ? -1 : 1)
                                : strcmp(a->name, b->name);
}

bool
dcp_bound_terms_count(const struct dcp_problem *p, struct dcp_bound_terms *out,
                      struct dcp_error *err)
{
    DCP_FREE uint32_t *caps = calloc(p->n_hosts + 1u, sizeof *caps);
    DCP_FREE uint8_t *one = calloc((size_t)p->n_hosts + p->n_items + 1, 1);
    struct counter c = { .p = p, .out = out, .caps = caps, .one = one };

    *out = (struct dcp_bound_terms){ 0 };
    if (!caps || !one) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a bound");
    }
    count_resources(&c);
    if (!count_others(&c, err)) {
        return false;
    }
    qsort(out->term, out->n, sizeof *out->term, most_first);
    return true;
}
