/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What counts as one place for rules.  A host without the fact (no rack, no
 * port) is a place of its own: numbers from the table's size on. */

#include "solver/problem.h"

#include "model/base/sort.h"
#include "model/base/text.h"

#include <stdlib.h>
#include <string.h>

static bool
same_ids(const struct dcp_ids *a, const struct dcp_ids *b)
{
    return a->n == b->n &&
           (!a->n || !memcmp(a->ix, b->ix, a->n * sizeof *a->ix));
}

static bool
leads_to(const struct dcp_host *h, uint32_t to)
{
    for (uint32_t i = 0; i < h->n_ports; i++) {
        if (h->ports[i].to.ix == to) {
            return true;
        }
    }
    return false;
}

static bool
same_switches(const struct dcp_host *a, const struct dcp_host *b)
{
    for (uint32_t i = 0; i < a->n_ports; i++) {
        if (!leads_to(b, a->ports[i].to.ix)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < b->n_ports; i++) {
        if (!leads_to(a, b->ports[i].to.ix)) {
            return false;
        }
    }
    return a->n_ports && b->n_ports;
}

uint32_t
dcp_domain_of_host(const struct dcp_inventory *inv, enum dcp_domain over,
                   uint32_t host)
{
    uint32_t rack = inv->hosts[host].rack.ix, ix = DCP_IX_NONE, n = 0;

    switch (over) {
    case DCP_DOMAIN_HOST:
        return host;
    case DCP_DOMAIN_RACK:
        ix = rack;
        n = inv->n_racks;
        break;
    case DCP_DOMAIN_FEED: /* Named by the first rack on the same feeds. */
        n = inv->n_racks;
        for (uint32_t r = 0; rack != DCP_IX_NONE && ix == DCP_IX_NONE; r++) {
            ix = same_ids(&inv->racks[r].feeds, &inv->racks[rack].feeds)
                     ? r
                     : DCP_IX_NONE;
        }
        break;
    case DCP_DOMAIN_ROOM:
        ix = dcp_host_room(inv, (dcp_host_id){ host }).ix;
        n = inv->n_rooms;
        break;
    case DCP_DOMAIN_SITE:
        ix = dcp_host_site(inv, (dcp_host_id){ host }).ix;
        n = inv->n_sites;
        break;
    case DCP_DOMAIN_SWITCH: /* Named by the first host on the same switches. */
        for (uint32_t h = 0; h < host; h++) {
            if (same_switches(&inv->hosts[h], &inv->hosts[host])) {
                return h;
            }
        }
        return host;
    }
    return ix == DCP_IX_NONE ? n + host : ix;
}

/* --- All hosts at once -------------------------------------------------- */

/* The switches of a host as a text that is equal for equal sets. */
static bool
switch_key(const struct dcp_host *host, uint32_t h, struct dcp_text *key)
{
    DCP_FREE uint32_t *to = malloc((host->n_ports + 1u) * sizeof *to);

    key->length = 0;
    for (uint32_t i = 0; to && i < host->n_ports; i++) {
        to[i] = host->ports[i].to.ix;
    }
    if (!to) {
        return false;
    }
    if (!host->n_ports) {
        dcp_text_printf(key, "h%u", h);
    } else {
        dcp_sort_u32(to, host->n_ports);
    }
    for (uint32_t i = 0; i < host->n_ports; i++) {
        if (!i || to[i] != to[i - 1]) {
            dcp_text_printf(key, "%u;", to[i]);
        }
    }
    return !key->failed;
}

static bool
switch_column(const struct dcp_inventory *inv, struct dcp_arena *arena,
              uint32_t column[], uint32_t *out_n)
{
    struct dcp_strmap seen = { 0 };
    struct dcp_text key = { 0 };
    uint32_t n = 0;
    bool ok = true;

    for (uint32_t h = 0; ok && h < inv->n_hosts; h++) {
        ok = switch_key(&inv->hosts[h], h, &key);
        uint32_t d = ok ? dcp_strmap_find(&seen, dcp_text_get(&key)) : 0;

        if (ok && d == DCP_STRMAP_NONE) {
            const char *kept = dcp_arena_strdup(arena, dcp_text_get(&key));

            d = n++;
            ok = kept && dcp_strmap_add(&seen, kept, d, NULL);
        }
        column[h] = d;
    }
    dcp_strmap_finish(&seen);
    dcp_text_finish(&key);
    *out_n = n;
    return ok;
}

const uint32_t *
dcp_domain_column(const struct dcp_inventory *inv, struct dcp_arena *arena,
                  enum dcp_domain over, uint32_t *out_n)
{
    uint32_t *column = dcp_arena_array(arena, uint32_t, inv->n_hosts);
    uint32_t n_raw = inv->n_hosts + inv->n_racks + inv->n_rooms + inv->n_sites;
    DCP_FREE uint32_t *number = malloc((n_raw + 1u) * sizeof *number);

    *out_n = 0;
    if (!column || !number) {
        return NULL;
    }
    if (over == DCP_DOMAIN_SWITCH) {
        return switch_column(inv, arena, column, out_n) ? column : NULL;
    }
    memset(number, 0xff, n_raw * sizeof *number);
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        uint32_t raw = dcp_domain_of_host(inv, over, h);

        if (number[raw] == UINT32_MAX) {
            number[raw] = (*out_n)++;
        }
        column[h] = number[raw];
    }
    return column;
}
