/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Counting, for overload.h; overload_check.c has the states of a leg. */

#include "model/check/overload.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_overload_asked(const struct dcp_judge *j)
{
    return j->inv->policy.overload && j->demand->scenarios;
}

/* Each bucket once: two slots of one bucket have the same scenarios. */
static void
list_ranges(struct dcp_overload *o, uint32_t first_slot, uint32_t last_slot)
{
    const struct dcp_scenarios *s = o->j->demand->scenarios;

    for (uint32_t t = first_slot; t < last_slot; t++) {
        uint32_t r = 0;

        while (r < o->n_ranges && o->source[r] != s->first[t]) {
            r++;
        }
        if (r < o->n_ranges) {
            continue;
        }
        o->source[r] = s->first[t];
        o->slot[r] = t;
        o->allowed[r] = dcp_scenarios_allowed(&o->j->inv->policy, s->count[t]);
        o->first[r + 1] = o->first[r] + s->count[t];
        o->n_ranges++;
    }
    o->n = o->first[o->n_ranges];
}

bool
dcp_overload_init(struct dcp_overload *o, const struct dcp_judge *j,
                  uint32_t first_slot, uint32_t last_slot)
{
    size_t n = last_slot - first_slot;

    *o = (struct dcp_overload){ .j = j };
    o->first = calloc(n + 1, sizeof *o->first);
    o->source = calloc(n + 1, sizeof *o->source);
    o->slot = calloc(n + 1, sizeof *o->slot);
    o->allowed = calloc(n + 1, sizeof *o->allowed);
    if (o->first && o->source && o->slot && o->allowed) {
        list_ranges(o, first_slot, last_slot);
        o->row[0] = calloc(4 * (size_t)o->n + 1, sizeof *o->row[0]);
    }
    if (!o->row[0]) {
        dcp_overload_finish(o);
        return dcp_judge_no_memory(j);
    }
    for (uint32_t i = 1; i < 4; i++) {
        o->row[i] = o->row[0] + (size_t)i * o->n;
    }
    return true;
}

void
dcp_overload_finish(struct dcp_overload *o)
{
    free(o->first);
    free(o->source);
    free(o->slot);
    free(o->allowed);
    free(o->row[0]);
    free(o->all);
    *o = (struct dcp_overload){ 0 };
}

void
dcp_overload_add(const struct dcp_overload *o, uint32_t vm, uint64_t row[])
{
    const struct dcp_scenarios *s = o->j->demand->scenarios;
    const uint32_t *from = s->cpu_mhz + (size_t)vm * s->stride;

    for (uint32_t r = 0; r < o->n_ranges; r++) {
        for (uint32_t k = o->first[r]; k < o->first[r + 1]; k++) {
            row[k] += from[o->source[r] + k - o->first[r]];
        }
    }
}

uint32_t
dcp_overload_above(const struct dcp_overload *o, const uint64_t row[],
                   uint32_t range, uint64_t limit)
{
    uint32_t n = 0;

    for (uint32_t k = o->first[range]; k < o->first[range + 1]; k++) {
        n += row[k] > limit;
    }
    return n;
}

void
dcp_overload_judge_row(const struct dcp_overload *o, uint32_t host,
                       const uint64_t row[], const uint64_t before[],
                       const char *when)
{
    const struct dcp_inventory *inv = o->j->inv;
    uint32_t limit = dcp_scenarios_limit_mhz(inv, (dcp_host_id){ host }, false);
    uint32_t worst = UINT32_MAX, need = 0, have = 0;
    char label[64];

    for (uint32_t r = 0; r < o->n_ranges; r++) {
        uint32_t n = dcp_overload_above(o, row, r, limit);
        uint32_t most = o->allowed[r];
        uint32_t was = before ? dcp_overload_above(o, before, r, limit) : 0;

        most = was > most ? was : most;
        if (n > most && (worst == UINT32_MAX || n - most > need - have)) {
            worst = r;
            need = n;
            have = most;
        }
    }
    if (worst == UINT32_MAX) {
        return;
    }
    const struct dcp_slot *slot = &o->j->demand->slots[o->slot[worst]];

    dcp_judge_report(o->j, 0, "overload", dcp_judge_host(host), need, have,
                     "%s: above %u MHz in %u of %u samples, %u allowed%s",
                     dcp_bucket_label(inv->policy.buckets, &inv->calendar,
                                      slot->bucket, label, sizeof label),
                     limit, need, o->first[worst + 1] - o->first[worst], have,
                     when);
}

/* All sums of a placement. */
bool
dcp_overload_sum(struct dcp_overload *o, const struct dcp_placement *p)
{
    if (!o->all) {
        o->all = malloc((size_t)p->n_hosts * o->n * sizeof *o->all + 1);
    }
    if (!o->all) {
        return dcp_judge_no_memory(o->j);
    }
    memset(o->all, 0, (size_t)p->n_hosts * o->n * sizeof *o->all);
    for (uint32_t v = 0; v < p->n_vms; v++) {
        if (!dcp_host_is_none(p->host[v])) {
            dcp_overload_add(o, v, o->all + (size_t)p->host[v].ix * o->n);
        }
    }
    return true;
}

bool
dcp_overload_placement(const struct dcp_judge *j, const struct dcp_placement *p,
                       uint32_t first_slot, uint32_t last_slot)
{
    struct dcp_overload o;

    if (!dcp_overload_asked(j)) {
        return true;
    }
    bool ok = dcp_overload_init(&o, j, first_slot, last_slot) &&
              dcp_overload_sum(&o, p);

    for (uint32_t h = 0; ok && h < p->n_hosts; h++) {
        dcp_overload_judge_row(&o, h, o.all + (size_t)h * o.n, NULL, "");
    }
    dcp_overload_finish(&o);
    return ok;
}

bool
dcp_overload_after(struct dcp_overload *o, uint32_t host, const uint32_t vms[],
                   uint32_t n, uint32_t *out_need, uint32_t *out_have)
{
    const uint64_t *now = o->all + (size_t)host * o->n;
    uint32_t limit =
        dcp_scenarios_limit_mhz(o->j->inv, (dcp_host_id){ host }, true);

    memcpy(o->row[0], now, o->n * sizeof *now);
    for (uint32_t i = 0; i < n; i++) {
        dcp_overload_add(o, vms[i], o->row[0]);
    }
    for (uint32_t r = 0; r < o->n_ranges; r++) {
        uint32_t was = dcp_overload_above(o, now, r, limit);

        *out_have = was > o->allowed[r] ? was : o->allowed[r];
        *out_need = dcp_overload_above(o, o->row[0], r, limit);
        if (*out_need > *out_have) {
            return false;
        }
    }
    return true;
}
