/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A night whose moves do not all fit its window: some of the hosts that were
 * to be emptied stay as they are.
 *
 * A *cut* keeps a set of those hosts: their VMs stay at home, and so do VMs
 * that had only made room, where that breaks nothing; the rest of the night
 * and of the day is as it was.  What that breaks is repaired by the search,
 * with every host's power as it is, and both legs are scheduled anew.
 *
 * Hosts are kept from the least saving per MiB moved on.  How many is found by
 * bisection, O(log n) schedules; then single hosts are let go again where both
 * legs still fit.  Where few would be emptied, all sets of them are tried, but
 * those with a part that takes too long already. */

#include "solver/headroom/proof.h"
#include "solver/plan/homecoming.h"
#include "solver/plan/work.h"
#include "solver/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_HOSTS    10u
#define EXACT_VM_TRIES 200000u /* VMs times sets: seconds. */
#define RELEASES_MAX   16u
#define SHARE          0.02 /* Of the time that is left, for one repair. */
#define LATE_FRAC      0.05 /* Of the time limit, for trying more sets. */

struct emptied {
    uint32_t host;
    double saving, mib;
};

struct attempt { /* A cut that fits, or the night that does not. */
    struct dcp_solution night, day;
    struct dcp_plan_outcome outcome;
    struct dcp_plan *plan;
    const struct dcp_placement *second_end;
    struct dcp_placement *home; /* Owned: second_end where VMs return. */
};

enum verdict {
    FITS,
    TOO_LONG,
    NO_PLAN, /* Not legal, no safe order, or nothing that changes. */
};

struct cut {
    struct dcp_work *w;
    const struct attempt *whole;
    struct attempt best;   /* best.plan NULL: none yet. */
    struct emptied *hosts; /* That the whole night empties, in order. */
    uint32_t n;
    /* By host: emptied by the whole night; kept by this cut; use, all powers as
     * they are. */
    uint8_t *emptied, *kept, *use;
};

static void
attempt_finish(struct attempt *a, const struct attempt *whole)
{
    dcp_plan_destroy(a->plan);
    dcp_solution_finish(&a->night);
    if (a->day.placement != whole->day.placement) {
        dcp_solution_finish(&a->day);
    }
    if (a->home != whole->home) {
        dcp_placement_destroy(a->home);
    }
    *a = (struct attempt){ 0 };
}

/* --- Which hosts -------------------------------------------------------- */

static int
by_saving_per_mib(const void *a, const void *b)
{
    const struct emptied *x = a, *y = b;
    double left = x->saving * y->mib, right = y->saving * x->mib;

    if (left != right) {
        return left < right ? -1 : 1;
    }
    return x->host < y->host ? -1 : 1;
}

/* What hosts that are off save in a phase's slots. */
static void
add_savings(struct cut *c, const struct dcp_placement *end)
{
    bool by_watts = dcp_work_guide(c->w) != DCP_GOAL_HOSTS;

    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t h = c->hosts[i].host;

        c->hosts[i].saving += end->on[h] ? 0 : by_watts ? c->w->on_value[h] : 1;
    }
}

/* What the evening moves from each host, and of that what the morning moves
 * on; and which hosts are left with nothing. */
static void
add_moves(struct cut *c, double *mib)
{
    const struct dcp_inventory *inv = c->w->r->inventory;
    const struct dcp_placement *start = c->w->r->start;
    const struct dcp_placement *night = c->whole->night.placement;
    const struct dcp_placement *day = c->whole->second_end;

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        dcp_host_id from = start->host[v], to = night->host[v];
        bool moves = !dcp_host_is_none(from) && !dcp_host_is_none(to) &&
                     from.ix != to.ix;
        bool moves_on = moves && day->host[v].ix != to.ix;

        if (moves) {
            c->emptied[from.ix] = 1;
            mib[from.ix] += (1 + moves_on) * (double)inv->vms[v].mem_mib;
        }
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_host_is_none(night->host[v])) {
            c->emptied[night->host[v].ix] = 0;
        }
    }
}

static bool
find_emptied(struct cut *c, struct dcp_error *err)
{
    struct dcp_work *w = c->w;
    DCP_FREE double *mib = calloc(w->n_hosts + 1u, sizeof *mib);

    c->hosts = calloc(w->n_hosts + 1u, sizeof *c->hosts);
    if (!mib || !c->hosts) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to cut a night");
    }
    add_moves(c, mib);
    for (uint32_t h = 0; h < w->n_hosts; h++) {
        c->emptied[h] &= w->use[h] != DCP_HOST_AVOID;
        if (c->emptied[h]) {
            c->hosts[c->n++] = (struct emptied){ .host = h, .mib = mib[h] };
        }
    }
    dcp_work_set_values(w, 0, w->night_slots);
    add_savings(c, c->whole->night.placement);
    if (dcp_work_guide(w) != DCP_GOAL_HOSTS && w->night_slots < w->n_slots) {
        dcp_work_set_values(w, w->night_slots, w->n_slots);
        add_savings(c, c->whole->second_end);
    }
    if (c->n) {
        qsort(c->hosts, c->n, sizeof *c->hosts, by_saving_per_mib);
    }
    return true;
}

/* --- One cut ------------------------------------------------------------ */

/* Whether nothing is broken in 's', which is 'where'; losses go to 'out'. */
static bool
stands(struct dcp_state *s, const struct dcp_placement *where, bool *out_stands,
       struct dcp_solution *out, struct dcp_error *err)
{
    const struct dcp_problem *p = s->p;
    struct dcp_headroom headroom = { .ok = true };
    bool whole = !dcp_state_broken_power_rule(s);

    for (uint32_t v = 0; whole && v < where->n_vms; v++) {
        uint32_t item = p->item_of_vm[v], h = where->host[v].ix;

        whole = item == DCP_IX_NONE ||
                (h != DCP_IX_NONE && s->host[item] == h && s->on[h] &&
                 p->use[h] != DCP_HOST_AVOID && dcp_state_allowed(s, item, h));
    }
    for (uint32_t h = 0; whole && h < p->n_hosts; h++) {
        whole = !s->on[h] || !dcp_state_overloaded(s, h);
    }
    if (whole && p->q->headroom) {
        if (!dcp_solution_prove(out, s, &headroom, err)) {
            return false;
        }
    }
    *out_stands = whole && headroom.ok;
    return true;
}

/* 'where' as a solution, where nothing in it is broken; else no placement. */
static bool
as_it_is(const struct cut *c, const struct dcp_placement *where,
         struct dcp_question *q, struct dcp_solution *out,
         struct dcp_error *err)
{
    bool whole;

    *out = (struct dcp_solution){ .bound_method = "" };
    q->price_soft = dcp_work_has_soft_rules(c->w);
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;

    if (!s || !stands(s, where, &whole, out, err)) {
        dcp_solution_finish(out);
        return false;
    }
    if (!whole || p->contradiction) {
        dcp_solution_finish(out);
        return true;
    }
    out->placement = dcp_placement_copy(where, err);
    return out->placement != NULL;
}

/* Repairs 'where' with the power of all hosts as it is; no placement in 'out'
 * where that cannot be. */
static bool
repair(const struct cut *c, const struct dcp_placement *where,
       uint32_t last_slot, struct dcp_solution *out, struct dcp_error *err)
{
    struct dcp_question q = dcp_work_question(c->w, where, last_slot);

    q.host_use = c->use;
    q.may_empty = false;
    q.may_wake = false;
    q.gentle = true;
    q.limits_moves = false;
    if (!as_it_is(c, where, &q, out, err)) {
        return false;
    }
    return out->placement || dcp_work_solve(c->w, &q, SHARE, out, err);
}

/* VMs that made room for others go home where that breaks nothing; 'out' is
 * the caller's. */
static bool
send_home(const struct cut *c, const struct dcp_placement *night,
          struct dcp_placement **out, struct dcp_error *err)
{
    const struct dcp_placement *start = c->w->r->start;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *home = dcp_placement_copy(night, err);

    if (!home) {
        return false;
    }
    for (uint32_t v = 0; v < home->n_vms; v++) {
        dcp_host_id from = start->host[v];

        if (!dcp_host_is_none(home->host[v]) && !dcp_host_is_none(from) &&
            night->on[from.ix] && c->use[from.ix] != DCP_HOST_AVOID &&
            (!c->emptied[from.ix] || c->kept[from.ix])) {
            home->host[v] = from;
        }
    }
    struct dcp_question q = dcp_work_question(c->w, night, c->w->night_slots);

    q.host_use = c->use;
    q.home = home;
    return dcp_homecoming(&q, out, err);
}

static bool
cut_night(const struct cut *c, struct dcp_solution *out, struct dcp_error *err)
{
    const struct dcp_placement *start = c->w->r->start;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *night =
        dcp_placement_copy(c->whole->night.placement, err);
    DCP_AUTO(dcp_placement) struct dcp_placement *homeward = NULL;

    if (!night) {
        return false;
    }
    for (uint32_t v = 0; v < night->n_vms; v++) {
        dcp_host_id from = start->host[v];

        if (!dcp_host_is_none(night->host[v]) && !dcp_host_is_none(from) &&
            c->kept[from.ix]) {
            night->host[v] = from;
        }
    }
    for (uint32_t h = 0; h < night->n_hosts; h++) {
        night->on[h] |= c->kept[h];
    }
    dcp_work_set_values(c->w, 0, c->w->night_slots);
    if (!send_home(c, night, &homeward, err) ||
        !repair(c, homeward, c->w->night_slots, out, err)) {
        return false;
    }
    if (!out->placement) {
        dcp_solution_finish(out);
        return repair(c, night, c->w->night_slots, out, err);
    }
    return true;
}

/* The day as it was, but who stayed at home in the evening stays there. */
static bool
cut_day(const struct cut *c, const struct dcp_placement *night,
        struct dcp_solution *out, struct dcp_error *err)
{
    const struct dcp_placement *was = c->whole->night.placement;
    const struct dcp_placement *start = c->w->r->start;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *day =
        dcp_placement_copy(c->whole->day.placement, err);

    if (!day) {
        return false;
    }
    for (uint32_t v = 0; v < day->n_vms; v++) {
        uint32_t to = night->host[v].ix, from = start->host[v].ix;

        if (to != DCP_IX_NONE && to != was->host[v].ix &&
            (day->host[v].ix == was->host[v].ix ||
             (from != DCP_IX_NONE && c->kept[from]))) {
            day->host[v].ix = to;
            day->on[to] = true;
        }
    }
    dcp_work_set_values(c->w, c->w->night_slots, c->w->n_slots);
    return repair(c, day, c->w->n_slots, out, err);
}

static bool
same(const struct dcp_placement *a, const struct dcp_placement *b)
{
    return !dcp_placement_n_moved(a, b) && !memcmp(a->on, b->on, a->n_hosts);
}

/* Makes the work that of 'a'. */
static void
put(struct dcp_work *w, const struct attempt *a)
{
    w->night = a->night;
    w->day = a->day;
    w->first_end = a->night.placement;
    w->second_end = a->second_end;
    w->home = a->home;
    *w->outcome = a->outcome;
}

/* Who stays on for failed boots in the whole night does so in this one, but
 * for hosts that the window keeps on. */
static bool
keep_for_boots(const struct cut *c, struct dcp_solution *night,
               struct dcp_error *err)
{
    const uint8_t *was = c->whole->night.kept_for_boots;
    uint8_t *kept =
        was ? dcp_work_kept_for_boots(night, c->w->n_hosts) : NULL;

    if (was && !kept) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to cut a night");
    }
    for (uint32_t h = 0; was && h < c->w->n_hosts; h++) {
        kept[h] |= was[h] && !c->kept[h];
    }
    return true;
}

/* What the outcome says of hosts that are on, beside what was weighed. */
static void
count_kept(const struct cut *c, struct dcp_plan_outcome *o)
{
    const uint8_t *for_boots = c->w->night.kept_for_boots;
    const struct dcp_placement *was = c->whole->night.placement;

    o->window.hosts_kept_on = o->hosts_kept_on = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        uint32_t h = c->hosts[i].host;

        o->window.hosts_kept_on += c->kept[h] && !was->on[h];
    }
    for (uint32_t h = 0; for_boots && h < c->w->n_hosts; h++) {
        o->hosts_kept_on += for_boots[h];
    }
    o->window.value_left = fmax(o->after - c->whole->outcome.after, 0);
}

/* A VM that the whole night moves away from the host. */
static bool
would_leave(const struct dcp_work *w, uint32_t vm, uint32_t host,
            const void *whole_night)
{
    const struct dcp_placement *night = whole_night;

    return w->r->start->host[vm].ix == host && night->host[vm].ix != host &&
           !dcp_host_is_none(night->host[vm]);
}

static bool
say_what_is_left_out(const struct cut *c, struct dcp_plan *plan,
                     struct dcp_error *err)
{
    const struct dcp_placement *night = c->whole->night.placement;
    bool ok = true;

    for (uint32_t i = 0; ok && i < c->n; i++) {
        uint32_t h = c->hosts[i].host;

        if (c->kept[h] && !night->on[h]) {
            ok = dcp_work_add_left_out(c->w, plan, DCP_LEFT_OUT_WINDOW, h,
                                       c->hosts[i].saving, would_leave, night,
                                       err);
        }
    }
    return ok;
}

/* The plan of 'a' (whose night is there), into w->outcome and 'a'; a->plan
 * stays NULL where it does not fit. */
static bool
make_legs(const struct cut *c, struct attempt *a, struct dcp_error *err)
{
    struct dcp_work *w = c->w;
    const struct dcp_plan_request *r = w->r;
    bool has_day = c->whole->second_end == c->whole->day.placement;

    dcp_work_keep_bounds(&a->night, &c->whole->night);
    a->second_end = c->whole->second_end;
    w->night = a->night;
    if (has_day) {
        if (!cut_day(c, a->night.placement, &a->day, err)) {
            return false;
        }
        if (!a->day.placement) {
            return true;
        }
        dcp_work_keep_bounds(&a->day, &c->whole->day);
        a->second_end = a->day.placement;
    } else if (r->two_legs) { /* Failed boots may wake spares in it. */
        a->home = dcp_placement_copy(c->whole->second_end, err);
        a->second_end = a->home;
        if (!a->home) {
            return false;
        }
    }
    put(w, a);
    bool ok = dcp_work_allow_failed_boots(w, &w->night, err) &&
              keep_for_boots(c, &w->night, err);

    a->night = w->night; /* Its losses may be others. */
    if (!ok || !dcp_work_weigh(w, w->first_end, w->second_end, err)) {
        return false;
    }
    count_kept(c, w->outcome);
    if (!r->advice && same(r->start, w->first_end) &&
        same(r->start, w->second_end)) {
        return true;
    }
    DCP_AUTO(dcp_plan) struct dcp_plan *plan = dcp_plan_create(err);

    if (!plan || !dcp_work_make_plan(w, plan, err) ||
        !say_what_is_left_out(c, plan, err)) {
        return false;
    }
    a->outcome = *w->outcome;
    if (plan->n_legs && (!r->max_moves || a->outcome.moves <= r->max_moves)) {
        a->plan = DCP_STEAL(plan);
    }
    return true;
}

static bool
is_better(const struct attempt *a, const struct attempt *best)
{
    const struct dcp_plan_outcome *x = &a->outcome, *y = &best->outcome;

    for (uint32_t k = 0; best->plan && k < x->n_objectives; k++) {
        double new = x->objectives[k].after, old = y->objectives[k].after;

        if (fabs(new - old) > 1e-9 * fmax(fabs(old), 1)) {
            return new < old;
        }
    }
    return !best->plan || x->moves < y->moves;
}

/* Tries the cut of c->kept. */
static bool
try_cut(struct cut *c, enum verdict *out, struct dcp_error *err)
{
    struct dcp_work *w = c->w;
    struct attempt a = { .outcome = c->whole->outcome };

    for (uint32_t h = 0; h < w->n_hosts; h++) {
        c->use[h] =
            w->use[h] == DCP_HOST_AVOID ? DCP_HOST_AVOID : DCP_HOST_KEEP;
    }
    bool ok = cut_night(c, &a.night, err);

    if (ok && a.night.placement) {
        ok = make_legs(c, &a, err);
    }
    *out = a.plan                                      ? FITS
           : !strcmp(a.outcome.because.rule, "window") ? TOO_LONG
                                                       : NO_PLAN;
    if (ok && a.plan && is_better(&a, &c->best)) {
        struct attempt other = c->best;

        c->best = a;
        a = other;
    }
    attempt_finish(&a, c->whole);
    put(w, c->whole);
    return ok;
}

/* --- Which cut ---------------------------------------------------------- */

/* As many hosts kept as needed, from the least saving per MiB on. */
static bool
bisect(struct cut *c, uint32_t *out_n_kept, struct dcp_error *err)
{
    uint32_t none = 0, fits_at = c->n + 1, last = c->n;
    enum verdict verdict;
    bool ok;

    /* With all of them kept there is nothing left but a repair. */
    last -= !c->whole->night.n_misplaced && last > 0;
    ok = try_cut(c, &verdict, err);
    fits_at = verdict == FITS ? 0 : last + 1;
    while (ok && fits_at - none > 1) {
        uint32_t middle = none + (fits_at - none) / 2;

        for (uint32_t i = 0; i < c->n; i++) {
            c->kept[c->hosts[i].host] = i < middle;
        }
        ok = try_cut(c, &verdict, err);
        fits_at = verdict == FITS ? middle : fits_at;
        none = verdict == FITS ? none : middle;
    }
    *out_n_kept = fits_at;
    return ok;
}

/* Lets single hosts go again. */
static bool
release(struct cut *c, uint32_t n_kept, struct dcp_error *err)
{
    uint32_t tries = 0;

    for (uint32_t i = 0; i < c->n; i++) {
        c->kept[c->hosts[i].host] = i < n_kept;
    }
    for (uint32_t i = n_kept; i-- > 0 && tries < RELEASES_MAX; tries++) {
        uint8_t *kept = &c->kept[c->hosts[i].host];
        enum verdict verdict;

        if (dcp_work_is_late(c->w, LATE_FRAC)) {
            break;
        }
        *kept = 0;
        if (!try_cut(c, &verdict, err)) {
            return false;
        }
        *kept = verdict != FITS;
    }
    return true;
}

/* Whether no plan that empties the hosts of 'set' alone can be better than the
 * best so far: of hosts alone this is known beforehand. */
static bool
cannot_win(const struct cut *c, uint32_t set)
{
    enum dcp_goal goal;
    const struct dcp_placement *night = c->whole->night.placement;
    double on = dcp_placement_n_on(night);

    if (!c->best.plan || c->w->r->goals.n_levels != 1 ||
        !dcp_goal_level_single(&c->w->r->goals.level[0], &goal) ||
        goal != DCP_GOAL_HOSTS || dcp_work_has_soft_rules(c->w)) {
        return false;
    }
    for (uint32_t i = 0; i < c->n; i++) {
        on += !(set >> i & 1) && !night->on[c->hosts[i].host];
    }
    return on > c->best.outcome.after - 0.5;
}

/* Whether all sets with one host less may fit. */
static bool
may_fit(const struct cut *c, const uint8_t *may_of, uint32_t set)
{
    bool may = true;

    for (uint32_t i = 0; i < c->n; i++) {
        may = may && (!(set >> i & 1) || may_of[set & ~(1u << i)]);
    }
    return may;
}

/* All sets to empty, but those with a part that takes too long already;
 * '*out_all' where time did not run out. */
static bool
try_all(struct cut *c, bool *out_all, struct dcp_error *err)
{
    uint8_t may[1u << EXACT_HOSTS] = { 1 };

    *out_all = true;
    for (uint32_t set = 1; *out_all && set < 1u << c->n; set++) {
        enum verdict verdict = FITS;

        if (!may_fit(c, may, set)) {
            continue; /* Subsets come first: their numbers are smaller. */
        }
        if (!cannot_win(c, set)) {
            for (uint32_t i = 0; i < c->n; i++) {
                c->kept[c->hosts[i].host] = !(set >> i & 1);
            }
            if (!try_cut(c, &verdict, err)) {
                return false;
            }
            *out_all = !dcp_work_is_late(c->w, LATE_FRAC);
        }
        may[set] = verdict != TOO_LONG;
    }
    return true;
}

static bool
search(struct cut *c, struct dcp_error *err)
{
    uint32_t n_kept;
    bool all = false;

    if (!bisect(c, &n_kept, err)) {
        return false;
    }
    if (n_kept && n_kept <= c->n && !release(c, n_kept, err)) {
        return false;
    }
    if (c->n <= EXACT_HOSTS &&
        (uint64_t)c->w->r->inventory->n_vms << c->n <= EXACT_VM_TRIES &&
        !try_all(c, &all, err)) {
        return false;
    }
    c->best.outcome.window.exact = all;
    return true;
}

static bool
is_worth_it(const struct dcp_work *w, const struct attempt *a)
{
    const struct dcp_plan_outcome *o = &a->outcome;
    double gain = (o->before - o->after) / fmax(fabs(o->before), 1e-9);

    return a->plan &&
           (a->night.n_misplaced ||
            (gain > 0 && gain >= w->r->inventory->policy.min_gain_frac));
}

bool
dcp_work_cut_to_window(struct dcp_work *w,
                       const struct dcp_plan_outcome *whole_outcome,
                       struct dcp_plan **out_plan, struct dcp_error *err)
{
    struct attempt whole = { .night = w->night,
                             .day = w->day,
                             .outcome = *whole_outcome,
                             .second_end = w->second_end,
                             .home = w->home };
    struct dcp_plan_outcome said = *w->outcome;
    DCP_FREE uint8_t *emptied = calloc(w->n_hosts + 1u, 1);
    DCP_FREE uint8_t *kept = calloc(w->n_hosts + 1u, 1);
    DCP_FREE uint8_t *use = calloc(w->n_hosts + 1u, 1);
    struct cut c = {
        .w = w, .whole = &whole, .emptied = emptied, .kept = kept, .use = use
    };

    if (!emptied || !kept || !use) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to cut a night");
    }
    whole.outcome.window.fits = false;
    bool ok = find_emptied(&c, err) && (!c.n || search(&c, err));

    free(c.hosts);
    put(w, &whole);
    *w->outcome = said;
    if (ok && is_worth_it(w, &c.best)) {
        *out_plan = c.best.plan;
        c.best.plan = NULL;
        put(w, &c.best);
        dcp_solution_finish(&whole.night);
        if (whole.day.placement != c.best.day.placement) {
            dcp_solution_finish(&whole.day);
        }
        if (whole.home != c.best.home) {
            dcp_placement_destroy(whole.home);
        }
        return true;
    }
    attempt_finish(&c.best, &whole);
    return ok;
}
