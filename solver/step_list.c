/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The growing list of steps, what it has trunked, and how long it takes under
 * the limits. */

#include "solver/schedule.h"

#include <stdlib.h>

void
dcp_step_list_finish(struct dcp_step_list *l)
{
    free(l->steps);
    l->steps = NULL;
}

struct dcp_step *
dcp_step_list_add(struct dcp_step_list *l)
{
    if (l->n == l->capacity) {
        uint32_t capacity = l->capacity ? 2 * l->capacity : 256;
        struct dcp_step *more = realloc(l->steps, capacity * sizeof *more);

        if (!more) {
            return NULL;
        }
        l->steps = more;
        l->capacity = capacity;
    }
    struct dcp_step *step = &l->steps[l->n++];

    *step = (struct dcp_step){ .id = l->n, .reason_text = "" };
    return step;
}

/* --- VLANs of a plan so far ------------------------------------------------ */

void
dcp_trunks_finish(struct dcp_trunks *t)
{
    free(t->items);
    *t = (struct dcp_trunks){ 0 };
}

void
dcp_trunks_rewind(struct dcp_trunks *t, uint32_t first_step)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->n; i++) {
        struct dcp_trunk *trunk = &t->items[i];

        if (trunk->step < first_step) {
            trunk->gone = trunk->gone < first_step ? trunk->gone : 0;
            t->items[n++] = *trunk;
        }
    }
    t->n = n;
}

/* --- Makespan ----------------------------------------------------------- */

/* The lane of a host that is free first; each host has as many as may run at
 * once. */
static int64_t *
free_lane(int64_t *lanes, uint32_t h, uint32_t n_lanes)
{
    int64_t *best = lanes + (size_t)h * n_lanes;

    for (uint32_t i = 1; i < n_lanes; i++) {
        int64_t *lane = lanes + (size_t)h * n_lanes + i;

        best = *lane < *best ? lane : best;
    }
    return best;
}

int64_t
dcp_schedule_makespan(const struct dcp_inventory *inv,
                      const struct dcp_step *steps, uint32_t first, uint32_t n,
                      struct dcp_error *err)
{
    const struct dcp_policy *policy = &inv->policy;
    uint32_t n_out = policy->out_per_host ? policy->out_per_host : 1;
    uint32_t n_in = policy->in_per_host ? policy->in_per_host : 1;
    uint32_t n_off = dcp_policy_host_off_at_once(policy, inv->n_hosts);
    DCP_FREE int64_t *out_lane =
        calloc((size_t)inv->n_hosts * n_out + 1, sizeof *out_lane);
    DCP_FREE int64_t *in_lane =
        calloc((size_t)inv->n_hosts * n_in + 1, sizeof *in_lane);
    DCP_FREE int64_t *off_lane = calloc(n_off, sizeof *off_lane);
    DCP_FREE int64_t *end = calloc((size_t)n + 1, sizeof *end);
    int64_t last = 0;

    if (!out_lane || !in_lane || !off_lane || !end) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a schedule");
        return -1;
    }
    for (uint32_t i = first; i < n; i++) {
        const struct dcp_step *step = &steps[i];
        int64_t *lane[2] = { NULL, NULL }, at = 0;

        for (uint32_t k = 0; k < step->n_after; k++) {
            at = end[step->after[k]] > at ? end[step->after[k]] : at;
        }
        if (step->kind == DCP_STEP_MIGRATE) {
            lane[0] = free_lane(out_lane, step->from.ix, n_out);
            lane[1] = free_lane(in_lane, step->to.ix, n_in);
        } else if (step->kind == DCP_STEP_HOST_OFF) {
            lane[0] = free_lane(off_lane, 0, n_off);
        }
        for (int k = 0; k < 2; k++) {
            at = lane[k] && *lane[k] > at ? *lane[k] : at;
        }
        end[step->id] = at + step->estimate_ms;
        for (int k = 0; k < 2; k++) {
            if (lane[k]) {
                *lane[k] = end[step->id];
            }
        }
        last = end[step->id] > last ? end[step->id] : last;
    }
    return last;
}
