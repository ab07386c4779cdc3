/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/ground.h"

#include "model/base/arena.h"
#include "model/check/judge.h"

#include <stdlib.h>
#include <string.h>

struct named {
    const char *name;
    uint32_t ix;
};

static int
compare_names(const void *pa, const void *pb)
{
    const struct named *a = pa, *b = pb;
    int order = strcmp(a->name, b->name);

    return order ? order : a->ix < b->ix ? -1 : a->ix > b->ix;
}

static bool
set_order(struct dcp_ground *g)
{
    uint32_t n = g->inventory->n_hosts;
    DCP_FREE struct named *hosts = malloc(((size_t)n + 1) * sizeof *hosts);

    g->order = malloc(((size_t)n + 1) * sizeof *g->order);
    if (!hosts || !g->order) {
        return false;
    }
    for (uint32_t h = 0; h < n; h++) {
        hosts[h] = (struct named){ g->inventory->hosts[h].name, h };
    }
    qsort(hosts, n, sizeof *hosts, compare_names);
    for (uint32_t i = 0; i < n; i++) {
        g->order[i] = hosts[i].ix;
    }
    return true;
}

/* Numbers of the checker's, made dense: those of hosts without the fact stand
 * behind all others. */
static bool
number_domains(struct dcp_ground *g, enum dcp_domain over)
{
    uint32_t n_hosts = g->inventory->n_hosts, most = 0, alone = UINT32_MAX / 2;
    uint32_t *domain = malloc(((size_t)n_hosts + 1) * sizeof *domain);

    for (uint32_t i = 0; domain && i < n_hosts; i++) {
        domain[i] = dcp_check_rules_domain(g->inventory, over, i);
        most = domain[i] < alone && domain[i] > most ? domain[i] : most;
    }
    for (uint32_t i = 0; domain && i < n_hosts; i++) {
        domain[i] = domain[i] < alone ? domain[i] : most + 1 + i;
    }
    g->domain[over] = domain;
    g->n_domains[over] = most + 1 + n_hosts;
    return domain != NULL;
}

static bool
set_domains(struct dcp_ground *g)
{
    for (uint32_t r = 0; r < g->inventory->n_rules; r++) {
        const struct dcp_rule *rule = &g->inventory->rules[r];
        bool over =
            dcp_ground_parts_vms(rule) || rule->kind == DCP_RULE_GATHER;

        if (over && !g->domain[rule->over] && !number_domains(g, rule->over)) {
            return false;
        }
    }
    return true;
}

bool
dcp_ground_parts_vms(const struct dcp_rule *rule)
{
    return rule->kind == DCP_RULE_SPREAD || rule->kind == DCP_RULE_SEPARATE ||
           rule->kind == DCP_RULE_SPLIT;
}

bool
dcp_ground_init(struct dcp_ground *g, const struct dcp_inventory *inv,
                struct dcp_error *err)
{
    *g = (struct dcp_ground){ .inventory = inv };
    if (!dcp_loop_rules_init(&g->rules, inv, err)) {
        return false;
    }
    if (!set_order(g) || !set_domains(g)) {
        dcp_ground_finish(g);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a closed loop");
    }
    return true;
}

void
dcp_ground_finish(struct dcp_ground *g)
{
    free(g->order);
    dcp_loop_rules_finish(&g->rules);
    for (uint32_t d = 0; d < DCP_DOMAINS; d++) {
        free(g->domain[d]);
    }
    *g = (struct dcp_ground){ 0 };
}
