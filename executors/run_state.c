/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/run_state.h"

#include "model/migration.h"

#include <stdlib.h>

/* --- Limits ------------------------------------------------------------- */

static uint32_t
units_limit(const struct dcp_run *r, uint32_t host)
{
    const struct dcp_hardware *hw =
        &r->inventory->hardware[r->inventory->hosts[host].hardware.ix];

    return dcp_migration_units(hw, r->plan->limits.units_per_10gbit);
}

uint32_t
dcp_run_full_place(const struct dcp_run *r, const struct dcp_step *s)
{
    uint32_t from = dcp_run_place(r, s->from), to = dcp_run_place(r, s->to);

    if (s->kind == DCP_STEP_VOLUME_MOVE) {
        uint32_t most = r->plan->limits.moves_per_pool;

        return !dcp_run_under(r->n_out[from] + r->n_in[from], most) ? from
               : !dcp_run_under(r->n_out[to] + r->n_in[to], most)
                   ? to
                   : UINT32_MAX;
    }

    if (!dcp_run_under(r->n_out[from], r->plan->limits.out_per_host) ||
        !dcp_run_under(r->n_out[from] + r->n_in[from], units_limit(r, from))) {
        return from;
    }
    if (!dcp_run_under(r->n_in[to], r->plan->limits.in_per_host) ||
        !dcp_run_under(r->n_out[to] + r->n_in[to], units_limit(r, to))) {
        return to;
    }
    return UINT32_MAX;
}

/* --- Steps and what waits for them -------------------------------------- */

static bool
check_steps(struct dcp_run *r)
{
    for (uint32_t id = 1; id <= r->plan->n_steps; id++) {
        const struct dcp_step *s = &r->plan->steps[id - 1];
        uint32_t n_hosts = r->inventory->n_hosts;

        if (!dcp_run_in_leg(r, id)) {
            continue;
        }
        if (!(r->executor->ops->kinds >> s->kind & 1)) {
            return dcp_fail(r->err, DCP_E_UNSUPPORTED,
                            "executor '%s' cannot do '%s' (step %u)",
                            r->executor->ops->name, dcp_step_kind_name(s->kind),
                            id);
        }
        if (s->kind == DCP_STEP_VOLUME_MOVE &&
            (s->object.kind != DCP_OBJECT_VOLUME ||
             s->object.ix >= r->inventory->n_volumes ||
             s->from.kind != DCP_OBJECT_POOL ||
             s->from.ix >= r->inventory->n_pools ||
             s->to.kind != DCP_OBJECT_POOL ||
             s->to.ix >= r->inventory->n_pools)) {
            return dcp_fail(r->err, DCP_E_ARGUMENT,
                            "step %u moves a volume but names no two pools",
                            id);
        }
        if (s->kind == DCP_STEP_MIGRATE &&
            (s->from.kind != DCP_OBJECT_HOST || s->from.ix >= n_hosts ||
             s->to.kind != DCP_OBJECT_HOST || s->to.ix >= n_hosts)) {
            return dcp_fail(r->err, DCP_E_ARGUMENT,
                            "step %u moves a VM but names no two hosts", id);
        }
        for (uint32_t a = 0; a < s->n_after; a++) {
            if (s->after[a] == 0 || s->after[a] >= id) {
                return dcp_fail(r->err, DCP_E_ARGUMENT,
                                "step %u waits for step %u, which is not "
                                "before it",
                                id, s->after[a]);
            }
        }
        r->report->n_steps++;
    }
    return true;
}

/* Steps that wait for each step, as one array; counts what each waits for. */
static bool
link_steps(struct dcp_run *r)
{
    uint32_t n = r->plan->n_steps;
    uint64_t total = 0;

    for (uint32_t id = 1; id <= n; id++) {
        const struct dcp_step *s = &r->plan->steps[id - 1];

        r->report->steps[id - 1].outcome =
            dcp_run_in_leg(r, id) ? DCP_OUTCOME_PENDING : DCP_OUTCOME_OTHER_LEG;
        for (uint32_t a = 0; dcp_run_in_leg(r, id) && a < s->n_after; a++) {
            if (dcp_run_in_leg(r, s->after[a])) {
                r->first_child[s->after[a] - 1]++;
                r->steps[id - 1].n_waiting++;
                total++;
            }
        }
    }
    r->children = calloc(total + 1, sizeof *r->children);
    if (!r->children || total > UINT32_MAX) {
        return dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
    }
    uint32_t end = 0;

    for (uint32_t i = 0; i <= n; i++) {
        end += i < n ? r->first_child[i] : 0;
        r->first_child[i] = end;
    }
    for (uint32_t id = n; id >= 1; id--) {
        const struct dcp_step *s = &r->plan->steps[id - 1];

        for (uint32_t a = 0; dcp_run_in_leg(r, id) && a < s->n_after; a++) {
            if (dcp_run_in_leg(r, s->after[a])) {
                r->children[--r->first_child[s->after[a] - 1]] = id;
            }
        }
    }
    return true;
}

bool
dcp_run_state_init(struct dcp_run *r)
{
    size_t n = r->plan->n_steps;
    size_t n_places = (size_t)r->inventory->n_hosts + r->inventory->n_pools;

    r->report->steps = calloc(n + 1, sizeof *r->report->steps);
    r->steps = calloc(n + 1, sizeof *r->steps);
    r->first_child = calloc(n + 1, sizeof *r->first_child);
    r->n_out = calloc(n_places + 1, sizeof *r->n_out);
    r->n_in = calloc(n_places + 1, sizeof *r->n_in);
    r->parked_at = calloc(n_places + 1, sizeof *r->parked_at);
    if (!r->report->steps || !r->steps || !r->first_child || !r->n_out ||
        !r->n_in || !r->parked_at) {
        return dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
    }
    if (!check_steps(r) || !link_steps(r)) {
        return false;
    }
    if (r->options->journal) {
        r->records = calloc(n + 1, sizeof *r->records);
        if (!r->records) {
            return dcp_fail(r->err, DCP_E_NOMEM, "no memory for the run");
        }
        return dcp_journal_load_steps(r->options->journal, r->plan,
                                      r->options->leg, r->records, r->err);
    }
    return true;
}

void
dcp_run_state_finish(struct dcp_run *r)
{
    free(r->records);
    free(r->steps);
    free(r->first_child);
    free(r->children);
    free(r->n_out);
    free(r->n_in);
    free(r->parked_at);
    dcp_heap_finish(&r->ready);
    dcp_heap_finish(&r->late);
    dcp_heap_finish(&r->early);
}
