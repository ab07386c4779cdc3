/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.overload in all states of a leg and at its end; overload.h says what
 * is judged. */

#include "model/check/overload.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_START, ROW_END, ROW_BASE, ROW_PEAK };

struct judged {
    struct dcp_leg_view *leg;
    struct dcp_overload o;
    const struct dcp_placement *where[3]; /* By ROW_START ... */
    uint32_t *first[3], *vms[3];          /* Its VMs by host. */
};

static uint64_t
ceiling_of(const struct judged *w, uint32_t host, uint32_t column)
{
    uint64_t limit =
        dcp_scenarios_limit_mhz(w->leg->j->inv, (dcp_host_id){ host }, false);
    uint64_t start = w->o.row[ROW_START][column];
    uint64_t end = w->o.row[ROW_END][column];

    limit = start > limit ? start : limit;
    return end > limit ? end : limit;
}

struct touch_step {
    uint32_t id, vm;
};

static int
compare_steps(const void *pa, const void *pb)
{
    const struct touch_step *a = pa, *b = pb;

    return a->id < b->id ? -1 : a->id > b->id;
}

/* The steps that bring VMs to the host, or take them away, by id. */
static uint32_t
list_steps(const struct judged *w, uint32_t host, bool in,
           struct touch_step steps[], uint32_t ids[])
{
    const struct dcp_leg_view *leg = w->leg;
    uint32_t n = 0;

    for (uint32_t i = leg->host_first[host]; i < leg->host_first[host + 1];
         i++) {
        const struct dcp_stay *stay = &leg->stays[leg->host_stays[i]];
        uint32_t id = in ? stay->in : stay->out;

        if (id) {
            steps[n++] = (struct touch_step){ id, stay->vm };
        }
    }
    if (n > 1) {
        qsort(steps, n, sizeof *steps, compare_steps);
    }
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = steps[i].id;
    }
    return n;
}

/* The column's values of the VMs that come and go, and the closure of them. */
static void
prove_column(const struct judged *w, uint32_t host, uint32_t range,
             uint32_t column, struct dcp_check_touch *touch,
             const struct touch_step steps[], uint32_t n, int64_t weight[],
             bool *told)
{
    const struct dcp_judge *j = w->leg->j;
    const struct dcp_scenarios *s = j->demand->scenarios;
    uint32_t at = w->o.source[range] + column - w->o.first[range], step;
    char label[64];

    for (uint32_t i = 0; i < n; i++) {
        weight[i] = s->cpu_mhz[(size_t)steps[i].vm * s->stride + at];
    }
    j->result->states_checked++;
    uint64_t peak = w->o.row[ROW_START][column] +
                    (uint64_t)dcp_check_touch_worst(touch, weight, &step);
    uint64_t most = ceiling_of(w, host, column);

    if (peak > most && !*told) {
        const struct dcp_slot *slot = &j->demand->slots[w->o.slot[range]];

        *told = true;
        dcp_judge_report(
            j, step, "overload", dcp_judge_host(host), (double)peak,
            (double)most,
            "%s: %llu of %llu MHz in a sample, in an order that is allowed",
            dcp_bucket_label(j->inv->policy.buckets, &j->inv->calendar,
                             slot->bucket, label, sizeof label),
            (unsigned long long)peak, (unsigned long long)most);
    }
}

static bool
prove_states(struct judged *w, uint32_t host)
{
    const struct dcp_leg_view *leg = w->leg;
    size_t n = leg->host_first[host + 1] - leg->host_first[host];
    DCP_FREE struct touch_step *steps = calloc(2 * n + 1, sizeof *steps);
    DCP_FREE uint32_t *ids = calloc(2 * n + 1, sizeof *ids);
    DCP_FREE int64_t *weight = calloc(2 * n + 1, sizeof *weight);
    bool told = false;

    if (!steps || !ids || !weight) {
        return dcp_judge_no_memory(leg->j);
    }
    uint32_t n_in = list_steps(w, host, true, steps, ids);
    uint32_t n_out = list_steps(w, host, false, steps + n_in, ids + n_in);

    memcpy(w->o.row[ROW_PEAK], w->o.row[ROW_START],
           w->o.n * sizeof *w->o.row[0]);
    for (uint32_t i = 0; i < n_in; i++) {
        dcp_overload_add(&w->o, steps[i].vm, w->o.row[ROW_PEAK]);
    }
    DCP_AUTO(dcp_check_touch) struct dcp_check_touch *touch = NULL;

    for (uint32_t r = 0; r < w->o.n_ranges; r++) {
        for (uint32_t k = w->o.first[r]; k < w->o.first[r + 1]; k++) {
            if (w->o.row[ROW_PEAK][k] <= ceiling_of(w, host, k)) {
                continue;
            }
            if (!touch) {
                touch = dcp_check_touch_create(leg->order, ids, n_in,
                                               ids + n_in, n_out);
            }
            if (!touch) {
                return dcp_judge_no_memory(leg->j);
            }
            prove_column(w, host, r, k, touch, steps, n_in + n_out, weight,
                         &told);
        }
    }
    return true;
}

static bool
judge_hosts(struct judged *w)
{
    const struct dcp_leg_view *leg = w->leg;

    for (uint32_t h = 0; h < leg->j->inv->n_hosts; h++) {
        memset(w->o.row[0], 0, 3 * (size_t)w->o.n * sizeof *w->o.row[0]);
        for (uint32_t i = 0; i < 3; i++) {
            for (uint32_t k = w->first[i][h]; k < w->first[i][h + 1]; k++) {
                dcp_overload_add(&w->o, w->vms[i][k], w->o.row[i]);
            }
        }
        dcp_overload_judge_row(&w->o, h, w->o.row[ROW_END], w->o.row[ROW_BASE],
                               " at the end of the leg");
        if (leg->host_first[h + 1] > leg->host_first[h] &&
            !prove_states(w, h)) {
            return false;
        }
    }
    leg->j->result->states_checked++;
    return true;
}

bool
dcp_overload_check(struct dcp_leg_view *leg, const struct dcp_placement *base)
{
    const struct dcp_inventory *inv = leg->j->inv;
    struct judged w = { .leg = leg, .where = { leg->start, leg->end, base } };
    bool ok = true;

    if (!dcp_overload_asked(leg->j)) {
        return true;
    }
    for (uint32_t i = 0; i < 3; i++) {
        w.first[i] = dcp_arena_array(leg->arena, uint32_t, inv->n_hosts + 1u);
        w.vms[i] = dcp_arena_array(leg->arena, uint32_t, inv->n_vms + 1u);
        if (!w.first[i] || !w.vms[i]) {
            return dcp_judge_no_memory(leg->j);
        }
        dcp_placement_by_host(w.where[i], w.first[i], w.vms[i]);
    }
    ok = dcp_overload_init(&w.o, leg->j, leg->cells.first_slot,
                           leg->cells.first_slot + leg->cells.n_slots) &&
         judge_hosts(&w);
    dcp_overload_finish(&w.o);
    return ok;
}
