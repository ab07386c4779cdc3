/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/rules/clash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void
name_rule(const struct dcp_rule *rule, double need, double have,
          struct dcp_because *out)
{
    *out = (struct dcp_because){ .need = need, .have = have };
    (void)snprintf(out->rule, sizeof out->rule, "%.60s", rule->name);
}

/* --- Hosts that are on --------------------------------------------------- */

static bool
may_be_on(const struct dcp_problem *p, uint32_t h)
{
    return p->q->start->on[h] || (p->q->may_wake && p->use[h] == DCP_HOST_FREE);
}

static bool
must_be_on(const struct dcp_problem *p, uint32_t h)
{
    return p->q->start->on[h] && p->use[h] != DCP_HOST_FREE;
}

static bool
is_hard(const struct dcp_problem *p, const struct dcp_power_rule *r,
        enum dcp_rule_kind kind)
{
    return r->rule->kind == kind && dcp_rule_is_hard(p->q, r->rule);
}

/* One rule by itself. */
static bool
too_many_or_few(const struct dcp_problem *p, const struct dcp_rule *rule,
                struct dcp_because *out)
{
    bool most = rule->kind == DCP_RULE_MAX_ON;
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        n +=
            most ? must_be_on(p, rule->hosts[i]) : may_be_on(p, rule->hosts[i]);
    }
    if (most ? n <= rule->limit : n >= rule->limit) {
        return false;
    }
    name_rule(rule, (double)rule->limit, n, out);
    (void)snprintf(out->text, sizeof out->text,
                   most ? "%u of its hosts stay on, whatever the plan is"
                        : "only %u of its hosts may be on",
                   n);
    return true;
}

/* So many of 'least' must be on that too many of 'most' are. */
static bool
two_clash(const struct dcp_problem *p, const struct dcp_rule *least,
          const struct dcp_rule *most, struct dcp_because *out)
{
    struct dcp_ids hosts = { most->hosts, most->n_hosts };
    uint64_t elsewhere = 0;

    for (uint32_t i = 0; i < least->n_hosts; i++) {
        elsewhere += may_be_on(p, least->hosts[i]) &&
                     !dcp_ids_contain(&hosts, least->hosts[i]);
    }
    if (least->limit <= elsewhere + most->limit) {
        return false;
    }
    name_rule(most, (double)most->limit, (double)(least->limit - elsewhere),
              out);
    (void)snprintf(out->text, sizeof out->text,
                   "rule '%.60s' has %llu of its hosts on, at least",
                   least->name, (unsigned long long)(least->limit - elsewhere));
    return true;
}

static bool
power_clash(const struct dcp_problem *p, struct dcp_because *out)
{
    for (uint32_t a = 0; a < p->n_power_rules; a++) {
        const struct dcp_power_rule *r = &p->power_rules[a];

        if (dcp_rule_is_hard(p->q, r->rule) &&
            too_many_or_few(p, r->rule, out)) {
            return true;
        }
        for (uint32_t b = 0;
             is_hard(p, r, DCP_RULE_MIN_ON) && b < p->n_power_rules; b++) {
            if (is_hard(p, &p->power_rules[b], DCP_RULE_MAX_ON) &&
                two_clash(p, r->rule, p->power_rules[b].rule, out)) {
                return true;
            }
        }
    }
    return false;
}

/* --- VMs that reach nothing else ----------------------------------------- */

static bool
limit_clash(const struct dcp_problem *p, const struct dcp_group *g,
            uint64_t *hosts, uint8_t *inside, struct dcp_because *out)
{
    uint64_t sum = 0;

    for (uint32_t w = 0; w < p->reach_words; w++) {
        hosts[w] = 0;
    }
    for (uint32_t i = 0; i < g->rule->n_hosts; i++) {
        hosts[g->rule->hosts[i] / 64] |= UINT64_C(1)
                                         << (g->rule->hosts[i] % 64);
    }
    for (uint32_t c = 0; c < p->n_classes; c++) {
        const uint64_t *row = p->reach + (size_t)c * p->reach_words;
        uint64_t beyond = 0;

        for (uint32_t w = 0; w < p->reach_words; w++) {
            beyond |= row[w] & ~hosts[w];
        }
        inside[c] = !beyond;
    }
    for (uint32_t i = 0; i < g->n_items; i++) {
        sum += inside[p->reach_class[g->items[i]]] ? g->weight[i] : 0;
    }
    if (sum <= g->rule->limit) {
        return false;
    }
    name_rule(g->rule, (double)sum, (double)g->rule->limit, out);
    (void)snprintf(out->text, sizeof out->text,
                   "VMs that reach none but its hosts need more together");
    return true;
}

bool
dcp_rule_clash_find(const struct dcp_problem *p, struct dcp_because *out,
                    bool *out_found, struct dcp_error *err)
{
    DCP_FREE uint64_t *hosts = malloc((p->reach_words + 1u) * sizeof *hosts);
    DCP_FREE uint8_t *inside = malloc(p->n_classes + 1u);

    *out_found = false;
    if (!hosts || !inside) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to compare rules");
    }
    *out_found = power_clash(p, out);
    for (uint32_t g = 0; g < p->n_groups && !*out_found; g++) {
        enum dcp_rule_kind kind = p->groups[g].rule->kind;

        if ((kind == DCP_RULE_CAPACITY || kind == DCP_RULE_RUNNING_CAPACITY) &&
            dcp_rule_is_hard(p->q, p->groups[g].rule)) {
            *out_found = limit_clash(p, &p->groups[g], hosts, inside, out);
        }
    }
    return true;
}
