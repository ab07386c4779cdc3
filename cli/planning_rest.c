/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What past moves forbid: a VM rests after a move, and moves so often in seven
 * days at most; all VMs together have a budget as well. */

#include "cli/planning.h"
#include "executors/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEEK_MS (7 * INT64_C(86400000))

static bool
read_moves(const char *dir, enum dcp_journal_deed deed, int64_t since_ms,
           struct dcp_journal_moves *out, struct dcp_error *err)
{
    char path[4096];

    *out = (struct dcp_journal_moves){ 0 };
    (void)snprintf(path, sizeof path, "%s/.dcplan/journal.db", dir);
    if (access(path, F_OK) != 0) {
        return true;
    }
    DCP_AUTO(dcp_journal)
    struct dcp_journal *j = dcp_journal_open_to_read(path, err);

    return j && dcp_journal_read_moves(j, deed, since_ms, out, err);
}

/* Moves that lie in the future of 'start_ms' (another clock) do not count. */
static void
judge(const struct dcp_inventory *inv, const struct dcp_journal_moves *moves,
      int64_t start_ms, uint32_t *n_week, uint8_t *resting,
      uint64_t *out_in_week)
{
    const struct dcp_policy *p = &inv->policy;

    for (uint32_t i = 0; i < moves->n; i++) {
        uint32_t v = dcp_strmap_find(&inv->vm_by_name, moves->items[i].vm);
        int64_t age_ms = start_ms - moves->items[i].at_ms;

        if (age_ms < 0) {
            continue;
        }
        *out_in_week += age_ms < WEEK_MS;
        if (v == DCP_STRMAP_NONE) {
            continue;
        }
        n_week[v] += age_ms < WEEK_MS;
        resting[v] |= age_ms < p->cooldown_ms;
        resting[v] |= p->moves_per_vm_week && n_week[v] >= p->moves_per_vm_week;
    }
}

bool
dcp_planning_rest(const struct dcp_globals *g, const struct dcp_inventory *inv,
                  const struct dcp_placement *start, int64_t start_ms,
                  uint8_t **out_resting, uint64_t *max_moves,
                  struct dcp_error *err)
{
    const struct dcp_policy *p = &inv->policy;
    int64_t back_ms = p->moves_per_vm_week || p->moves_per_week ? WEEK_MS : 0;
    struct dcp_journal_moves moves;
    uint64_t in_week = 0;

    back_ms = p->cooldown_ms > back_ms ? p->cooldown_ms : back_ms;
    *out_resting = NULL;
    if (!read_moves(g->dir, DCP_DEED_MOVE, start_ms - back_ms, &moves, err)) {
        return false;
    }
    uint8_t *resting = calloc(inv->n_vms + 1u, 1);
    DCP_FREE uint32_t *n_week = calloc(inv->n_vms + 1u, sizeof *n_week);

    if (!resting || !n_week) {
        free(resting);
        dcp_journal_moves_finish(&moves);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for past moves");
    }
    judge(inv, &moves, start_ms, n_week, resting, &in_week);
    dcp_journal_moves_finish(&moves);
    if (p->moves_per_week && in_week >= p->moves_per_week) {
        memset(resting, 1, inv->n_vms); /* Nothing is left this week. */
    } else if (p->moves_per_week) {
        uint64_t left = p->moves_per_week - in_week;

        *max_moves = !*max_moves || *max_moves > left ? left : *max_moves;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_host_id h = start->host[v];

        if (!dcp_host_is_none(h) &&
            inv->hosts[h.ix].state == DCP_HOST_MAINTENANCE) {
            resting[v] = 0;
        }
    }
    *out_resting = resting;
    return true;
}

bool
dcp_planning_resized(const char *dir, const struct dcp_inventory *inv,
                     int64_t start_ms, uint8_t resting[], struct dcp_error *err)
{
    int64_t since_ms = start_ms - inv->rightsize.cooldown_ms;
    struct dcp_journal_moves resizes;

    if (!read_moves(dir, DCP_DEED_RESIZE, since_ms, &resizes, err)) {
        return false;
    }
    for (uint32_t i = 0; i < resizes.n; i++) {
        uint32_t v = dcp_strmap_find(&inv->vm_by_name, resizes.items[i].vm);

        if (v != DCP_STRMAP_NONE && resizes.items[i].at_ms > since_ms &&
            resizes.items[i].at_ms <= start_ms) {
            resting[v] = 1;
        }
    }
    dcp_journal_moves_finish(&resizes);
    return true;
}
