/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/rehearsal.h"

#include "model/base/agenda.h"
#include "model/samples.h"
#include "model/transfers.h"

#include <math.h>
#include <stdlib.h>

#define NONE UINT32_MAX

struct world {
    const struct dcp_inventory *inventory;
    struct dcp_step *steps; /* By task. */
    struct dcp_transfers *transfers;
    struct dcp_placement *now;
    struct dcp_samples net; /* Planned production; n_times 0: none known. */
    int64_t from_ms;        /* Of the leg. */
    struct dcp_agenda ends; /* Of the migrations under way. */
    bool no_memory;
};

bool
dcp_rehearsal_shares(const struct dcp_inventory *inv, const struct dcp_step *s)
{
    return s->kind == DCP_STEP_MIGRATE && !s->converts &&
           dcp_transfers_reach(inv, s->from.ix) &&
           dcp_transfers_reach(inv, s->to.ix);
}

/* --- Ends --------------------------------------------------------------- */

static void
note_changes(struct world *w)
{
    uint32_t n;
    const uint32_t *tasks = dcp_transfers_changed(w->transfers, &n);

    for (uint32_t i = 0; i < n; i++) {
        int64_t end_ms = dcp_transfers_end_ms(w->transfers, tasks[i]);

        if (end_ms < INT64_MAX) {
            dcp_agenda_set(&w->ends, tasks[i], end_ms);
        } else {
            dcp_agenda_drop(&w->ends, tasks[i]);
        }
    }
}

/* --- The world ---------------------------------------------------------- */

static bool
begin(void *user, uint32_t task, int64_t now)
{
    struct world *w = user;
    const struct dcp_step *s = &w->steps[task];

    if (!dcp_rehearsal_shares(w->inventory, s)) {
        if (s->object.kind == DCP_OBJECT_VM &&
            (s->to.kind == DCP_OBJECT_HOST ||
             s->from.kind == DCP_OBJECT_HOST)) {
            w->now->host[s->object.ix] = s->to.kind == DCP_OBJECT_HOST
                                             ? (dcp_host_id){ s->to.ix }
                                             : dcp_host_none();
        }
        return false;
    }
    struct dcp_transfer transfer = dcp_transfer_of(w->inventory, w->now, s);

    transfer.untold = true; /* Times are all that is asked. */
    if (!dcp_transfers_begin(w->transfers, task, &transfer, w->now,
                             w->from_ms + now, NULL)) {
        w->no_memory = true;
        return false;
    }
    note_changes(w);
    return true;
}

static int64_t
next(void *user)
{
    struct world *w = user;
    int64_t wake_ms = dcp_transfers_next_ms(w->transfers), end_ms;
    uint32_t task;

    if (dcp_agenda_first(&w->ends, &task, &end_ms) && end_ms < wake_ms) {
        wake_ms = end_ms;
    }
    return wake_ms == INT64_MAX ? INT64_MAX : wake_ms - w->from_ms;
}

static void
tell(struct world *w, uint32_t task)
{
    struct dcp_step *s = &w->steps[task];
    struct dcp_precopy_result r = dcp_transfers_ahead(w->transfers, task);
    double s_copying = (double)(r.total_ms - r.downtime_ms) / 1000;

    s->estimate_ms = r.total_ms;
    s->rounds = r.rounds;
    s->downtime_ms = r.downtime_ms;
    if (s_copying > 0) {
        s->bandwidth_mib_s = (uint32_t)lround(r.sent_mib / s_copying);
    }
}

static uint32_t
take(void *user, int64_t now)
{
    struct world *w = user;
    int64_t now_ms = w->from_ms + now;

    if (dcp_transfers_next_ms(w->transfers) <= now_ms) {
        dcp_transfers_pass(w->transfers, w->now, now_ms);
        note_changes(w);
    }
    uint32_t task;
    int64_t end_ms;

    if (!dcp_agenda_first(&w->ends, &task, &end_ms) || end_ms > now_ms) {
        return NONE;
    }
    const struct dcp_step *s = &w->steps[task];

    dcp_agenda_drop(&w->ends, task);
    tell(w, task);
    w->now->host[s->object.ix] = (dcp_host_id){ s->to.ix };
    dcp_transfers_end(w->transfers, task, w->now, now_ms);
    note_changes(w);
    return task;
}

/* --- Production --------------------------------------------------------- */

static uint32_t
peak_or_slot(const struct dcp_problem *p, uint32_t item, uint32_t n_slots,
             uint32_t slot)
{
    const uint32_t *row = p->net_kib_s + (size_t)item * p->stride;
    uint32_t most = 0;

    if (slot < n_slots) {
        return row[slot];
    }
    for (uint32_t t = 0; t < n_slots; t++) {
        most = row[t] > most ? row[t] : most;
    }
    return most;
}

/* The shortest length of slots that are whole: the first and the last one may
 * be cut short, by when a leg begins and ends. */
static int64_t
whole_slot_ms(const struct dcp_slot *slots, uint32_t n)
{
    int64_t least = INT64_MAX, longest = 0;

    for (uint32_t t = 0; t < n; t++) {
        int64_t ms = slots[t].end_ms - slots[t].start_ms;

        longest = ms > longest ? ms : longest;
        if (t > 0 && t + 1 < n && ms < least) {
            least = ms;
        }
    }
    return least < INT64_MAX ? least : longest;
}

/* Rows that end where slots do; the first may begin before its slot. */
static bool
plan_production(const struct dcp_leg_times_request *r, struct world *w)
{
    const struct dcp_problem *p = r->start->p;
    const struct dcp_slot *slots = p->q->demand->slots + p->q->first_slot;
    bool known = r->spans->from_ms < r->spans->until_ms;

    if (!p->net_kib_s || !r->n_slots) {
        return true;
    }
    int64_t length_ms = whole_slot_ms(slots, r->n_slots);
    int64_t start_ms = slots[0].end_ms - length_ms;
    int64_t all_ms = slots[r->n_slots - 1].end_ms - start_ms;

    w->net = (struct dcp_samples){
        .start_ms = known ? start_ms : 0,
        .interval_ms = known ? length_ms : INT64_MAX / 2,
        .n_times = known ? (uint32_t)((all_ms + length_ms - 1) / length_ms) : 1,
        .n_vms = r->inventory->n_vms,
    };
    w->net.value =
        calloc((size_t)w->net.n_times * w->net.n_vms + 1, sizeof *w->net.value);
    if (!w->net.value) {
        return false;
    }
    for (uint32_t k = 0, t = 0; k < w->net.n_times; k++) {
        int64_t at_ms = w->net.start_ms + k * w->net.interval_ms;

        while (known && t + 1 < r->n_slots && slots[t + 1].start_ms <= at_ms) {
            t++;
        }
        for (uint32_t v = 0; v < w->net.n_vms; v++) {
            uint32_t item = p->item_of_vm[v];

            if (item != DCP_IX_NONE) {
                w->net.value[(size_t)k * w->net.n_vms + v] =
                    (float)peak_or_slot(p, item, r->n_slots,
                                        known ? t : r->n_slots);
            }
        }
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

void
dcp_rehearsal_times_finish(struct dcp_rehearsal_times *t)
{
    free(t->start);
    free(t->end);
    *t = (struct dcp_rehearsal_times){ 0 };
}

static bool
open_world(const struct dcp_leg_times_request *r, struct dcp_step_list *list,
           uint32_t first, struct world *w, struct dcp_error *err)
{
    *w = (struct world){ .inventory = r->inventory,
                         .steps = list->steps + first,
                         .from_ms = r->spans->from_ms < r->spans->until_ms
                                        ? r->spans->from_ms
                                        : 0 };
    if (!dcp_agenda_init(&w->ends, list->n - first) || !plan_production(r, w)) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a rehearsal");
    }
    w->now = dcp_placement_copy(r->start->p->q->start, err);
    w->transfers = w->now
                       ? dcp_transfers_create(r->inventory,
                                              w->net.n_times ? &w->net : NULL,
                                              list->n - first, err)
                       : NULL;
    return w->transfers != NULL;
}

static void
close_world(struct world *w)
{
    dcp_transfers_destroy(w->transfers);
    dcp_placement_destroy(w->now);
    free(w->net.value);
    dcp_agenda_finish(&w->ends);
}

bool
dcp_rehearsal_play(const struct dcp_leg_times_request *r,
                   const struct dcp_timetable *t, struct dcp_step_list *list,
                   uint32_t first, struct dcp_rehearsal_times *out,
                   struct dcp_error *err)
{
    size_t n = list->n - first;
    struct world w;
    struct dcp_timetable_world world = { &w, begin, next, take };

    *out = (struct dcp_rehearsal_times){
        .start = calloc(n + 1, sizeof *out->start),
        .end = calloc(n + 1, sizeof *out->end),
    };
    if (!out->start || !out->end) {
        dcp_rehearsal_times_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a rehearsal");
    }
    bool ok = open_world(r, list, first, &w, err) &&
              dcp_timetable_play(t, &world, out->start, out->end, err);

    if (ok && w.no_memory) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for a rehearsal");
    }
    close_world(&w);
    for (size_t i = 0; ok && i < n; i++) {
        out->makespan_ms =
            out->end[i] > out->makespan_ms ? out->end[i] : out->makespan_ms;
    }
    if (!ok) {
        dcp_rehearsal_times_finish(out);
    }
    return ok;
}
