/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The order of things is in dcp_search_run(), at the end.  Small clusters
 * (SMALL_HOSTS on) have headroom checked at each accepted change; large ones
 * get spare hosts at the end, because one empty spare of the right kind serves
 * every single loss. */

#include "solver/search/heat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALL_HOSTS 160u
/* On, at most, for rounds that cost as many; where watts count as well they
 * moved many VMs for little. */
#define RUIN_HOSTS 1000u
/* Likewise, for the first goal to be refined. */
#define REFINE_HOSTS 1000u
/* With other random numbers, where the gap is above this. */
#define LUCKY_ATTEMPTS 2u
#define LUCKY_GAP      0.01
#define LUCKY_STREAM   1000u

bool
dcp_search_time_is_up(struct search *x)
{
    if (x->options->deadline_ms == INT64_MAX || x->out_of_time) {
        return x->out_of_time;
    }
    x->out_of_time = dcp_monotonic_ms() >= x->options->deadline_ms;
    return x->out_of_time;
}

const char *
dcp_stopped_by_name(enum dcp_stopped_by by)
{
    static const char *const names[] = { "proof", "gap", "time", "iterations" };

    return names[by];
}

double
dcp_search_value(struct dcp_state *s)
{
    /* What a rack does not bear is no answer, whatever it saves. */
    return s->watts && s->watts->n_over ? INFINITY : dcp_objective_value(s, 0);
}

static bool
is_within(const struct search *x, double value, double gap_frac)
{
    value -= x->saved_elsewhere;
    double gap = (value - x->bound->value) / fmax(fabs(value), 1e-9);

    return gap <= gap_frac + 1e-9;
}

bool
dcp_search_good_enough(const struct search *x, double value)
{
    return is_within(x, value, x->options->gap_frac) &&
           !(x->again && dcp_state_broken_power_rule(x->s));
}

bool
dcp_search_value_is_bound(const struct search *x, double value)
{
    return is_within(x, value, 0);
}

bool
dcp_search_is_over(struct search *x, bool check)
{
    return dcp_search_time_is_up(x) ||
           (x->options->gap_frac > 0 && (check || !x->p->q->headroom) &&
            dcp_search_good_enough(x, dcp_search_value(x->s)));
}

void
dcp_search_tell(struct search *x, bool check)
{
    const struct dcp_question *q = x->p->q;

    if (!x->options->observer.improved || x->s->n_unplaced || !q->may_empty ||
        (q->headroom && !check)) {
        return;
    }
    double value = dcp_search_value(x->s);

    if (isinf(x->told) ? x->told < 0
                       : !(value < x->told - 1e-9 * fmax(fabs(x->told), 1))) {
        return;
    }
    if (dcp_state_broken_power_rule(x->s) ||
        (q->limits_moves && dcp_search_moves(x) > q->max_moves)) {
        return;
    }
    x->told = value;
    dcp_observer_tell(&x->options->observer,
                      (struct dcp_progress){ .value = value,
                                             .bound = x->bound->value,
                                             .hosts_on = x->s->n_on,
                                             .hosts_bound = x->bound->hosts },
                      x->options->started_ms);
}

/* Headroom as asked; true where none is. */
bool
dcp_search_keeps_headroom(struct search *x, struct dcp_error *err, bool *out_ok)
{
    struct dcp_headroom h = { .ok = true };

    if (x->p->q->headroom &&
        !dcp_headroom_check_searching(x->s, NULL, NULL, &h, err)) {
        return false;
    }
    *out_ok = h.ok;
    return true;
}

const uint8_t *
dcp_search_mark_changed(struct search *x)
{
    const struct dcp_islands *all = &x->islands;

    if (all->n < 2) {
        return NULL;
    }
    for (uint32_t k = 0; k < x->in.trail.n; k++) {
        struct dcp_change c = x->in.trail.change[k];
        uint32_t now = c.item == DCP_IX_NONE ? c.host : x->s->host[c.item];

        if (c.host != DCP_IX_NONE) {
            all->marked[all->of_host[c.host]] = 1;
        }
        if (now != DCP_IX_NONE) {
            all->marked[all->of_host[now]] = 1;
        }
    }
    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        x->changed[h] = all->marked[all->of_host[h]];
    }
    memset(all->marked, 0, all->n);
    return x->changed;
}

/* Small clusters are checked and packed as one. */
static bool
find_islands(struct search *x, struct dcp_error *err)
{
    return x->s->n_on <= SMALL_HOSTS || x->bound->n_regions < 2 ||
           dcp_islands_find(x->p, x->bound, &x->islands, err);
}

/* --- All ---------------------------------------------------------------- */

/* To covers by licences, where these count, else to the bound's hosts. */
static bool
pack(struct search *x, struct dcp_error *err)
{
    bool done = false;

    if (dcp_pricing_counts_licences(x->p, 0) &&
        !dcp_search_covered(x, &done, err)) {
        return false;
    }
    return done || dcp_search_in_halves(x, err);
}

static bool
consolidate(struct search *x, struct dcp_search_result *out,
            struct dcp_error *err)
{
    if (x->options->strategy == DCP_STRATEGY_FFD) {
        return x->p->q->gentle || dcp_search_first_fit(x, err);
    }
    if (x->p->q->by_heat) {
        bool done;

        if (!dcp_search_part_by_heat(x, &done, err)) {
            return false;
        }
        if (done) {
            return true;
        }
    }
    if (x->p->q->gentle) {
        bool check = x->p->q->headroom && x->s->n_on <= SMALL_HOSTS;

        return dcp_search_empty_hosts(x, 2, check, 4, err);
    }
    if (x->s->n_on <= SMALL_HOSTS) {
        return dcp_search_ways(x, out, err);
    }
    /* Where headroom is asked for, ruins would fill the hosts that are kept
     * empty for it. */
    return pack(x, err) && dcp_search_gather_covered(x, false, err) &&
           dcp_search_drop_licences(x, 1, false, err) &&
           (x->s->n_on > RUIN_HOSTS || x->p->q->mhz_slope ||
            x->p->q->headroom ||
            dcp_search_ruin_and_recreate(x, false, out, err));
}

static enum dcp_stopped_by
why_stopped(struct search *x)
{
    double value = dcp_search_value(x->s);

    if (value <= x->bound->value * (1 + 1e-9) + 1e-9) {
        return DCP_STOPPED_PROOF;
    }
    if (x->options->gap_frac > 0 && dcp_search_good_enough(x, value)) {
        return DCP_STOPPED_GAP;
    }
    return x->out_of_time ? DCP_STOPPED_TIME : DCP_STOPPED_ITERATIONS;
}

/* What is packed by sums and hosts is not yet cheap to run: moves, swaps and
 * other kinds of hosts, and then programs for a few.  Where all hosts are few,
 * each way to pack (solver/search/ways.c) had the first; of very many hosts
 * that are on it takes too long. */
static bool
finish_packing(struct search *x, bool check, struct dcp_search_result *out,
               struct dcp_error *err)
{
    bool refined = x->p->n_hosts <= SMALL_HOSTS;

    x->in.covered = NULL;
    return (refined || x->s->n_on > REFINE_HOSTS ||
            x->options->strategy == DCP_STRATEGY_FFD ||
            dcp_search_refine_first(x, check, err)) &&
           dcp_search_anneal(x, check, out, err) &&
           (x->p->q->gentle || dcp_search_by_programs(x, check, out, err));
}

/* From a repaired state to the best that is found. */
static bool
improve(struct search *x, struct dcp_search_result *out, struct dcp_error *err)
{
    const struct dcp_question *q = x->p->q;

    if (q->may_empty && !consolidate(x, out, err)) {
        return false;
    }
    if (!q->headroom) {
        dcp_search_tell(x, true);
        return !q->may_empty || (dcp_search_convert(x, false, err) &&
                                 finish_packing(x, false, out, err));
    }
    if (!dcp_search_add_spares(x, &out->headroom, err) ||
        !dcp_search_convert_for_headroom(x, &out->headroom, err)) {
        return false;
    }
    dcp_search_tell(x, out->headroom.ok);
    if (!out->headroom.ok || !q->may_empty) {
        return true;
    }
    if (!dcp_search_convert(x, true, err) ||
        !(q->gentle || x->options->strategy == DCP_STRATEGY_FFD ||
          dcp_search_drop_hosts(x, DCP_SEARCH_ALL, true, DROP_EJECTIONS,
                                DROP_FAILURES, err)) ||
        !(x->s->n_on <= SMALL_HOSTS || dcp_search_trim(x, err))) {
        return false;
    }
    return finish_packing(x, true, out, err);
}

/* As if moves were free, then with as few moves as that takes; where these are
 * too many, hosts are filled again.  Or from the start, as far as moves go. */
static bool
improve_within_moves(struct search *x, struct dcp_search_result *out,
                     struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *start = dcp_state_create(x->p, err);
    DCP_AUTO(dcp_state) struct dcp_state *free = dcp_state_create(x->p, err);
    const struct dcp_question *q = x->p->q;
    bool check;

    if (!start || !free) {
        return false;
    }
    dcp_state_assign(start, x->s);
    if (dcp_search_moves(x) > q->max_moves) {
        return true; /* The repair alone takes more. */
    }
    if (!improve(x, out, err)) {
        return false;
    }
    check = q->headroom && out->headroom.ok;
    if (!q->may_empty || dcp_search_moves(x) <= q->max_moves) {
        return true;
    }
    if (!dcp_search_fewer_moves(x, check, err)) {
        return false;
    }
    if (dcp_search_moves(x) <= q->max_moves) {
        return true;
    }
    if (!dcp_search_refill(x, check, err)) {
        return false;
    }
    bool usable = out->headroom.ok && dcp_search_moves(x) <= q->max_moves;
    double value = usable ? dcp_search_value(x->s) : INFINITY;

    dcp_state_assign(free, x->s);
    dcp_state_assign(x->s, start);
    out->headroom = (struct dcp_headroom){ .ok = true };
    if (!dcp_search_within_moves(x, err) ||
        (q->headroom && !dcp_search_add_spares(x, &out->headroom, err))) {
        return false;
    }
    if (!out->headroom.ok || dcp_search_moves(x) > q->max_moves ||
        value < dcp_search_value(x->s)) {
        if (usable) {
            dcp_state_assign(x->s, free);
            out->headroom = (struct dcp_headroom){ .ok = true };
        }
    }
    return true;
}

bool
dcp_search_begin(struct search *x, struct dcp_state *s,
                 const struct dcp_bound *bound,
                 const struct dcp_search_options *options, uint64_t stream,
                 struct dcp_error *err)
{
    *x = (struct search){
        .s = s, .p = s->p, .bound = bound, .options = options, .told = INFINITY
    };
    x->closed = calloc(s->p->n_hosts + 1u, sizeof *x->closed);
    x->needs = calloc(s->p->n_items + 1u, sizeof *x->needs);
    x->covered = calloc(s->p->n_hosts + 1u, sizeof *x->covered);
    x->changed = calloc(s->p->n_hosts + 1u, sizeof *x->changed);
    if (!x->closed || !x->needs || !x->covered || !x->changed) {
        dcp_search_end(x);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (!dcp_inserter_init(&x->in, s, options->seed, err) ||
        !dcp_homeless_init(&x->homeless, s->p, err)) {
        dcp_search_end(x);
        return false;
    }
    x->in.rng = dcp_rng_stream(options->seed, "insert", stream);
    return true;
}

void
dcp_search_end(struct search *x)
{
    dcp_homeless_finish(&x->homeless);
    dcp_inserter_finish(&x->in);
    free(x->closed);
    free(x->needs);
    free(x->covered);
    free(x->changed);
    dcp_islands_finish(&x->islands);
    *x = (struct search){ .s = NULL };
}

/* Repairs, then improves. */
static bool
attempt(struct search *x, uint32_t *items, struct dcp_search_result *out,
        struct dcp_error *err)
{
    const struct dcp_question *q = x->p->q;
    bool ok = dcp_search_repair(x, items, out, err);

    dcp_search_note_watts(x, out);
    if (!ok || out->n_unplaced || out->over_thing) {
        return ok;
    }
    ok = q->limits_moves ? improve_within_moves(x, out, err)
                         : improve(x, out, err);
    if (ok && x->again && dcp_state_broken_power_rule(x->s)) {
        ok = dcp_search_mend_late(x, items, out, err);
    }
    if (ok && !out->n_unplaced && x->s->broken && !q->limits_moves) {
        ok = dcp_search_mend_soft(x, q->headroom && out->headroom.ok, err);
    }
    return ok;
}

static void
judge(struct search *x, struct dcp_search_result *out)
{
    const struct dcp_question *q = x->p->q;

    dcp_search_note_watts(x, out);
    out->broken_power_rule = dcp_state_broken_power_rule(x->s);
    out->too_many_moves = q->limits_moves && dcp_search_moves(x) > q->max_moves;
    out->n_moves = q->limits_moves ? dcp_search_moves(x) : 0;
    out->complete = !out->n_unplaced && out->headroom.ok && !out->over_thing &&
                    !out->broken_power_rule && !out->too_many_moves;
    out->is_partial = out->is_partial && out->complete;
}

/* Where what the start breaks could not be mended at once: once more, and later
 * or less of it. */
static bool
attempt_again(struct search *x, const struct dcp_state *start, uint32_t *items,
              struct dcp_search_result *out, struct dcp_error *err)
{
    struct dcp_search_result first = *out;
    DCP_AUTO(dcp_state) struct dcp_state *was = dcp_state_create(x->p, err);

    if (!was) {
        return false;
    }
    dcp_state_assign(was, x->s);
    dcp_state_assign(x->s, start);
    x->in.trail.n = 0;
    x->again = true;
    *out = (struct dcp_search_result){ .headroom.ok = true };
    if (!attempt(x, items, out, err)) {
        return false;
    }
    judge(x, out);
    if (!out->complete) { /* Why is said of the first. */
        *out = first;
        dcp_state_assign(x->s, was);
    }
    return true;
}

/* A max_on rule that the start breaks, or watts over a limit, where hosts may
 * be emptied. */
static bool
may_need_again(const struct dcp_state *s)
{
    const struct dcp_power_rule *r = dcp_state_broken_power_rule(s);
    bool over = s->watts && dcp_watts_any_over(s->watts);

    return s->p->q->may_empty &&
           (over || (r && r->rule->kind == DCP_RULE_MAX_ON));
}

/* Where the loss of a rack or feed is to be survived, how well large VMs fit
 * into what is left elsewhere hangs on the order in which equal ones come: once
 * more with other random numbers, as long as the gap is worth it. */
static bool
may_have_luck(const struct search *x)
{
    return x->s->loss_sums && x->p->q->may_empty && !x->p->q->gentle &&
           !x->p->q->limits_moves && x->p->n_hosts > SMALL_HOSTS &&
           x->p->n_hosts <= REFINE_HOSTS &&
           x->options->strategy != DCP_STRATEGY_FFD;
}

static bool
attempt_with_luck(struct search *x, const struct dcp_state *start,
                  uint32_t *items, struct dcp_search_result *out,
                  struct dcp_error *err)
{
    DCP_AUTO(dcp_state) struct dcp_state *best = dcp_state_create(x->p, err);

    if (!best) {
        return false;
    }
    for (uint32_t k = 1; k <= LUCKY_ATTEMPTS; k++) {
        struct dcp_search_result first = *out;
        double value = dcp_search_value(x->s);

        if (value <= x->bound->value * (1 + LUCKY_GAP) ||
            dcp_search_is_over(x, true)) {
            break;
        }
        dcp_state_assign(best, x->s);
        dcp_state_assign(x->s, start);
        x->in.trail.n = 0;
        x->in.rng = dcp_rng_stream(x->options->seed, "insert",
                                   LUCKY_STREAM + k);
        *out = (struct dcp_search_result){ .headroom.ok = true };
        if (!attempt(x, items, out, err)) {
            return false;
        }
        judge(x, out);
        if (!out->complete || dcp_search_value(x->s) >= value) {
            *out = first;
            dcp_state_assign(x->s, best);
        }
    }
    return true;
}

static bool
attempts(struct search *x, uint32_t *items, struct dcp_search_result *out,
         struct dcp_error *err)
{
    bool luck = may_have_luck(x);
    struct dcp_state *start = NULL;

    if (luck || may_need_again(x->s)) {
        start = dcp_state_create(x->p, err);
        if (!start) {
            return false;
        }
        dcp_state_assign(start, x->s);
    }
    bool ok = attempt(x, items, out, err);

    judge(x, out);
    if (ok && start && !out->complete && may_need_again(start)) {
        ok = attempt_again(x, start, items, out, err);
    }
    if (ok && luck && out->complete) {
        ok = attempt_with_luck(x, start, items, out, err);
    }
    dcp_state_destroy(start);
    return ok;
}

bool
dcp_search_run(struct dcp_state *s, const struct dcp_bound *bound,
               const struct dcp_search_options *options,
               struct dcp_search_result *out, struct dcp_error *err)
{
    struct search x;
    DCP_FREE uint32_t *items = malloc((s->p->n_items + 1u) * sizeof *items);
    bool ok = items != NULL;

    *out = (struct dcp_search_result){ .headroom.ok = true };
    if (!ok) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    if (!dcp_search_begin(&x, s, bound, options, 0, err)) {
        return false;
    }
    if (!find_islands(&x, err)) {
        dcp_search_end(&x);
        return false;
    }
    if (options->need) {
        ok = dcp_search_fewest(&x, items, out, err);
    } else {
        ok = attempts(&x, items, out, err);
    }
    judge(&x, out);
    out->stopped_by = why_stopped(&x);
    if (ok && x.in.trail.failed) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
    }
    dcp_search_end(&x);
    return ok;
}
