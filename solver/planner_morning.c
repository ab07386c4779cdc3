/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The morning that has to come off: which hosts stay on at night because the
 * day could not do without them if they did not boot.
 *
 * A host that stays on is one that need not be woken, and one that may take
 * what others do not.  One host at a time stays on, the one whose list was not
 * found, so at the end either all lists are found or nothing is woken. */

#include "solver/failed_boots.h"
#include "solver/planner_work.h"

#include <string.h>

static struct dcp_question
day_question(const struct dcp_work *w, const struct dcp_placement *day)
{
    struct dcp_question q = dcp_work_question(w, day, w->n_slots);

    q.headroom = false; /* A host that does not boot is the loss. */
    return q;
}

static bool
has_loss(const struct dcp_solution *s, enum dcp_loss_kind kind, uint32_t ix)
{
    for (uint32_t i = 0; i < s->n_losses; i++) {
        if (s->losses[i].lose.kind == kind && s->losses[i].lose.ix == ix) {
            return true;
        }
    }
    return false;
}

/* The object of that kind that the host goes down with; DCP_IX_NONE: none. */
static uint32_t
goes_down_with(const struct dcp_inventory *inv, enum dcp_loss_kind kind,
               uint32_t host)
{
    dcp_rack_id rack = inv->hosts[host].rack;

    switch (kind) {
    case DCP_LOSS_HOST:
        return host;
    case DCP_LOSS_RACK:
        return rack.ix;
    case DCP_LOSS_FEED:
        return !dcp_rack_is_none(rack) && inv->racks[rack.ix].feeds.n == 1
                   ? inv->racks[rack.ix].feeds.ix[0]
                   : DCP_IX_NONE;
    }
    return DCP_IX_NONE;
}

/* An empty host that is on can be lost, and nothing is lost with it. */
static bool
add_empty_losses(const struct dcp_inventory *inv, struct dcp_solution *night,
                 uint32_t host)
{
    struct dcp_loss_answer *all =
        night->arena ? dcp_arena_array(night->arena, struct dcp_loss_answer,
                                       night->n_losses + DCP_LOSSES_MAX)
                     : NULL;

    if (!all) {
        return false;
    }
    if (night->n_losses) {
        memcpy(all, night->losses, night->n_losses * sizeof *all);
    }
    night->losses = all;
    for (uint32_t k = 0; k < inv->policy.n_survive; k++) {
        enum dcp_loss_kind kind = inv->policy.survive[k].kind;
        uint32_t ix = goes_down_with(inv, kind, host);

        if (ix != DCP_IX_NONE && !has_loss(night, kind, ix)) {
            all[night->n_losses++] =
                (struct dcp_loss_answer){ .lose = { kind, ix } };
        }
    }
    return true;
}

/* A settled night that stays as it is: its morning is planned already. */
static bool
is_standing(const struct dcp_work *w, const struct dcp_placement *night)
{
    return !dcp_placement_n_moved(w->r->start, night) &&
           !memcmp(w->r->start->on, night->on, night->n_hosts);
}

bool
dcp_work_allow_failed_boots(struct dcp_work *w, struct dcp_solution *night,
                            const struct dcp_placement *day,
                            struct dcp_error *err)
{
    struct dcp_question q = day_question(w, day);
    struct dcp_failed_boots boots;

    w->outcome->hosts_kept_on = 0;
    if (!w->r->two_legs || day == night->placement ||
        (w->r->settled && is_standing(w, night->placement))) {
        return true;
    }
    for (;;) {
        if (!dcp_failed_boots_find(&q, night->placement, NULL, &boots, err)) {
            return false;
        }
        if (boots.failed_host == DCP_IX_NONE) {
            return true;
        }
        night->placement->on[boots.failed_host] = true;
        w->outcome->hosts_kept_on++;
        if (w->r->inventory->policy.n_survive &&
            !add_empty_losses(w->r->inventory, night, boots.failed_host)) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a night");
        }
    }
}

bool
dcp_work_add_no_boot(struct dcp_work *w, struct dcp_plan *plan,
                     struct dcp_error *err)
{
    if (!w->r->two_legs || plan->n_legs < 2) {
        return true;
    }
    struct dcp_question q = day_question(w, w->second_end);
    struct dcp_failed_boots boots;

    if (!dcp_failed_boots_find(&q, w->first_end, plan->arena, &boots, err)) {
        return false;
    }
    struct dcp_survive *all =
        dcp_arena_array(plan->arena, struct dcp_survive, boots.n_lists);

    if (!all) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
    }
    for (uint32_t i = 0; i < boots.n_lists; i++) {
        const struct dcp_loss_answer *l = &boots.lists[i];
        dcp_host_id *to = dcp_arena_array(plan->arena, dcp_host_id, l->n);

        if (!to) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for failed boots");
        }
        for (uint32_t k = 0; k < l->n; k++) {
            to[k].ix = l->to[k];
        }
        all[i] = (struct dcp_survive){
            .leg = plan->n_legs - 1,
            .lose = { DCP_OBJECT_HOST, l->lose.ix },
            .vms = l->vms,
            .to = to,
            .n = l->n,
        };
    }
    w->outcome->hosts_woken = boots.n_woken;
    w->outcome->boots_may_fail = boots.f;
    plan->no_boot = all;
    plan->n_no_boot = boots.n_lists;
    return true;
}
