/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/compile/loss_domains.h"

#include "model/base/union_find.h"
#include "solver/headroom/loss_set.h"

#include <stdlib.h>
#include <string.h>

/* Hosts that some class of items reaches, now or after a loss, are of one
 * set. */
static void
join_by_reach(const struct dcp_problem *p, uint32_t *parent, uint32_t *first)
{
    dcp_sets_init(parent, p->n_hosts);
    for (uint32_t c = 0; c < p->n_classes; c++) {
        size_t row = (size_t)c * p->reach_words;

        first[c] = DCP_IX_NONE;
        for (uint32_t h = 0; h < p->n_hosts; h++) {
            uint64_t both =
                p->reach[row + h / 64] | p->reach_restart[row + h / 64];

            if (both >> (h % 64) & 1) {
                first[c] = first[c] == DCP_IX_NONE ? h : first[c];
                dcp_sets_join(parent, first[c], h);
            }
        }
    }
}

static bool
find_zones(const struct dcp_problem *p, struct dcp_loss_domains *out)
{
    uint8_t *of_host = dcp_arena_array(p->arena, uint8_t, p->n_hosts);
    uint8_t *of_item = dcp_arena_array(p->arena, uint8_t, p->n_items);
    DCP_FREE uint32_t *parent = calloc(p->n_hosts + 1u, sizeof *parent);
    DCP_FREE uint32_t *first = calloc(p->n_classes + 1u, sizeof *first);
    DCP_FREE uint32_t *number = malloc((p->n_hosts + 1u) * sizeof *number);

    if (!of_host || !of_item || !parent || !first || !number) {
        return false;
    }
    join_by_reach(p, parent, first);
    memset(number, 0xff, (p->n_hosts + 1u) * sizeof *number);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t *zone = &number[dcp_sets_root(parent, h)];

        *zone = *zone == UINT32_MAX ? out->n_zones++ : *zone;
        of_host[h] = (uint8_t)*zone;
    }
    if (out->n_zones > DCP_LOSS_ZONES_MAX) {
        out->n_zones = 1;
        memset(of_host, 0, p->n_hosts);
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t h = first[p->reach_class[i]];

        of_item[i] = h == DCP_IX_NONE ? 0 : of_host[h];
    }
    out->zone_of_host = of_host;
    out->zone_of_item = of_item;
    return true;
}

/* Numbers the domains of one kind in the order of hosts. */
static bool
find_domains(const struct dcp_problem *p, const uint8_t *zone_of_host,
             uint32_t n_zones, struct dcp_loss_kind_domains *out)
{
    const struct dcp_inventory *inv = p->q->inventory;
    size_t n_cells = (size_t)dcp_loss_objects(inv, out->kind) * n_zones;
    uint32_t *of_host = dcp_arena_array(p->arena, uint32_t, p->n_hosts);
    uint8_t *zone = dcp_arena_array(p->arena, uint8_t, p->n_hosts);
    DCP_FREE uint32_t *number = malloc((n_cells + 1) * sizeof *number);

    if (!of_host || !zone || !number) {
        return false;
    }
    memset(number, 0xff, (n_cells + 1) * sizeof *number);
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        uint32_t object = dcp_loss_object_of(inv, out->kind, h);

        of_host[h] = DCP_IX_NONE;
        if (object == DCP_IX_NONE || p->use[h] == DCP_HOST_AVOID) {
            continue;
        }
        uint32_t *domain = &number[(size_t)object * n_zones + zone_of_host[h]];

        if (*domain == UINT32_MAX) {
            zone[out->n] = zone_of_host[h];
            *domain = out->n++;
        }
        of_host[h] = *domain;
    }
    out->of_host = of_host;
    out->zone = zone;
    return true;
}

bool
dcp_loss_domains_compile(const struct dcp_problem *p,
                         const struct dcp_loss_domains **out,
                         struct dcp_error *err)
{
    const struct dcp_policy *policy = &p->q->inventory->policy;
    struct dcp_loss_domains all = { .n_kinds = 0 }, *kept;
    bool ok = true;

    *out = NULL;
    for (uint32_t k = 0; p->q->headroom && k < policy->n_survive; k++) {
        uint32_t at_once = dcp_loss_most_at_once(policy, k);

        if (at_once && policy->survive[k].kind != DCP_LOSS_HOST) {
            all.kinds[all.n_kinds++] =
                (struct dcp_loss_kind_domains){ .kind = policy->survive[k].kind,
                                                .at_once = at_once };
        }
    }
    if (!all.n_kinds) {
        return true;
    }
    kept = dcp_arena_new(p->arena, struct dcp_loss_domains);
    ok = kept && find_zones(p, &all);
    for (uint32_t k = 0; ok && k < all.n_kinds; k++) {
        ok = find_domains(p, all.zone_of_host, all.n_zones, &all.kinds[k]);
    }
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for what may be lost");
    }
    *kept = all;
    *out = kept;
    return true;
}
