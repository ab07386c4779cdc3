/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_BALANCE_EVEN_H
#define DCP_SOLVER_BALANCE_EVEN_H 1

/* Evens out a state: moves items between hosts that are on, within capacity,
 * rules, reach and headroom, as far as the moves are worth it.
 *
 * A move is worth it if it gains its part of 'min_gain_frac' of the value at
 * the start: one move on every tenth host together would have to gain that
 * share (on up to ten hosts: each move).  What is made small is the value and
 * that much for each VM that is not where it started, so that a thousand moves
 * for nothing are not proposed.  Where the problem lets VMs be converted to
 * another hypervisor, each that is must gain all of 'min_gain_frac' by itself.
 *
 * Steepest descent over moves and exchanges, first between the hosts that stand
 * out most; then annealing, with a limit over replacements that keep the number
 * of moves; what is not worth its move goes home.  Headroom is checked at each
 * step of the descent on small clusters, else for the longest beginning of its
 * steps that keeps it; the annealed state only counts if it keeps headroom.
 * Heuristic; the bound is proved. */

#include "solver/balance/evenness.h"

struct dcp_even_options {
    enum dcp_even_score score;
    uint64_t seed;
    uint64_t trials;          /* Of annealing; 0: by size. */
    int64_t deadline_ms;      /* On the monotonic clock; INT64_MAX: none. */
    uint32_t max_moves;       /* VMs away from the problem's start; 0: any. */
    uint32_t max_conversions; /* Of them under another hypervisor; 0: any. */
    double min_gain_frac;
};
struct dcp_even_result {
    double before, after; /* Before: of the state as it was given. */
    uint32_t n_moved;     /* VMs away from the start, after. */
    uint64_t trials;
    bool out_of_time;
};

/* Improves the state in place; all items are placed. */
bool
dcp_even_run(struct dcp_state *, const struct dcp_even_options *,
             struct dcp_even_result *out, struct dcp_error *err) DCP_CHECKED;

/* A value that no state undercuts whose VMs are within 'max_moves' (0: any
 * number) of where they are in 's'.  Items are real-valued: each host keeps
 * what cannot leave it, and the largest loads, as many as there are moves, cut
 * the fullest hosts to one level and fill the emptiest to another. */
bool dcp_even_bound(struct dcp_state *, enum dcp_even_score, uint32_t max_moves,
                    double *out, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/balance/even.h */
