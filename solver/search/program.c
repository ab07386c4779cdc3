/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Large neighbourhood search with programs (Shaw, *Using constraint programming
 * and local search methods to solve vehicle routing problems*, CP 1998; here
 * with whole-number programs): a few hosts are chosen, all else stays, and what
 * may be on these hosts is stated as solver/exact/parts.h says and solved by
 * GLPK in a worker of its own, up to so many nodes.  The program knows a few
 * slots, watts as a line and headroom by sums; its answer is placed, what finds
 * no room there goes where it fits best, and the whole stays only if it is
 * legal, survives the losses and is cheaper.
 *
 * Hosts come together by what may be saved: a licence, a nearly empty host,
 * another kind of host, or items that rules tie.  The number of nodes is the
 * measure of work, so the same seed and iterations give the same bytes; the
 * clock only guards. */

#define _GNU_SOURCE 1 /* qsort_r */

#include "solver/search/program.h"
#include "solver/run/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX           60u
#define ITERATIONS_PER_ROUND 50u /* Of ruin and recreate, about as long. */
#define STALE_ROUNDS         6u
#define NODES                60u
#define SOLVE_S              10.0 /* A guard: nodes end it before. */
#define COUNTED_SOLVE_S      60.0
#define HOSTS_MIN            3u
#define MEND_TRIES           8u
#define OVERLOAD_MIN         1e-4
#define SOLVES_MAX           3u /* Of one program, with more slots each time. */

/* --- Kinds of items ----------------------------------------------------- */

static int
compare_sizes(const uint32_t *a, const uint32_t *b, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        if (a[k] != b[k]) {
            return a[k] < b[k] ? -1 : 1;
        }
    }
    return 0;
}

/* 0: they differ in nothing that the question looks at. */
static int
compare_items(const struct dcp_problem *p, uint32_t a, uint32_t b)
{
    const struct dcp_pricing *g = p->pricing;
    uint32_t n_a = g->first_of_item[a + 1] - g->first_of_item[a];
    uint32_t n_b = g->first_of_item[b + 1] - g->first_of_item[b];
    uint32_t key_a[] = { p->reach_class[a], p->protected_item[a], n_a };
    uint32_t key_b[] = { p->reach_class[b], p->protected_item[b], n_b };
    int order = compare_sizes(key_a, key_b, 3);

    order = order ? order
                  : compare_sizes(p->request + (size_t)a * p->n_scalars,
                                  p->request + (size_t)b * p->n_scalars,
                                  p->n_scalars);
    order = order
                ? order
                : compare_sizes(p->cpu_mhz + (size_t)a * p->stride,
                                p->cpu_mhz + (size_t)b * p->stride, p->n_slots);
    if (!order && p->net_kib_s) {
        order = compare_sizes(p->net_kib_s + (size_t)a * p->stride,
                              p->net_kib_s + (size_t)b * p->stride, p->n_slots);
    }
    for (uint32_t k = 0; !order && k < n_a; k++) {
        const struct dcp_item_licence *of_a =
            &g->of_item[g->first_of_item[a] + k];
        const struct dcp_item_licence *of_b =
            &g->of_item[g->first_of_item[b] + k];
        uint32_t l_a[] = { of_a->slot, of_a->n_vms, of_a->n_vcpus };
        uint32_t l_b[] = { of_b->slot, of_b->n_vms, of_b->n_vcpus };

        order = compare_sizes(l_a, l_b, 3);
    }
    return order;
}

/* What rules, joint histories, soft prices, conversions or moves that count
 * tell apart. */
static bool
is_unique(const struct dcp_problem *p, uint32_t item)
{
    return p->group_first[item] != p->group_first[item + 1] || p->chance ||
           p->any_priced || p->n_lonely || p->conversions ||
           p->q->limits_moves || p->pricing->level[0].per_move > 0;
}

static int
by_kind(const void *pa, const void *pb, void *arg)
{
    const struct dcp_problem *p = arg;
    uint32_t a, b;

    memcpy(&a, pa, sizeof a);
    memcpy(&b, pb, sizeof b);
    int order = compare_items(p, a, b);

    return order ? order : a < b ? -1 : a > b;
}

/* Copies the state, takes the items of the chosen hosts off it and lists them
 * by kind. */
static void
take_off(struct place_anew *g, const struct dcp_state *from)
{
    const struct dcp_problem *p = from->p;
    uint32_t n = 0;

    dcp_state_assign(g->s, from);
    for (uint32_t k = 0; k < g->n_hosts; k++) {
        while (g->s->first[g->host[k]] != DCP_IX_NONE) {
            uint32_t item = g->s->first[g->host[k]];

            g->known_at[item] = g->host[k];
            g->member[n++] = item;
            dcp_state_remove(g->s, item);
        }
    }
    (void)dcp_search_value(g->s); /* Units of licences as they are now. */
    qsort_r(g->member, n, sizeof *g->member, by_kind, (void *)(size_t)p);
    g->n_kinds = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (!k || is_unique(p, g->member[k]) ||
            is_unique(p, g->member[k - 1]) ||
            compare_items(p, g->member[k - 1], g->member[k])) {
            g->first[g->n_kinds++] = k;
        }
    }
    g->first[g->n_kinds] = n;
}

/* --- Placing the answer ------------------------------------------------- */

static bool
try_at(struct search *x, uint32_t item, uint32_t h)
{
    bool ok = x->s->on[h] && dcp_state_fits(x->s, item, h) &&
              dcp_state_allowed(x->s, item, h);

    if (ok) {
        dcp_insert_at(&x->in, item, h);
    }
    return ok;
}

/* The items of a kind go where the answer has so many, those that are known
 * there first; what does not fit is listed. */
static void
place_kind(struct programs *all, const struct place_anew *g, uint32_t k,
           uint32_t *n_homeless)
{
    struct search *search = all->x;
    const struct dcp_exact *m = &g->m;
    const double *x = g->answer;

    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t j = g->first[k]; j < g->first[k + 1]; j++) {
            uint32_t item = g->member[j];

            for (uint32_t at = 0;
                 search->s->host[item] == DCP_IX_NONE && at < g->n_hosts;
                 at++) {
                uint32_t col = m->col[(size_t)k * g->n_hosts + at], n = 0;

                for (uint32_t i = g->first[k];
                     col != UINT32_MAX && i < g->first[k + 1]; i++) {
                    n += search->s->host[g->member[i]] == g->host[at];
                }
                if (col != UINT32_MAX && n + 0.5 < x[col] &&
                    (pass || g->known_at[item] == g->host[at])) {
                    (void)try_at(search, item, g->host[at]);
                }
            }
        }
    }
    for (uint32_t j = g->first[k]; j < g->first[k + 1]; j++) {
        if (search->s->host[g->member[j]] == DCP_IX_NONE) {
            all->homeless[(*n_homeless)++] = g->member[j];
        }
    }
}

/* On the trail; false: some found no place. */
static bool
place_answer(struct programs *all, const struct place_anew *g)
{
    struct search *search = all->x;
    uint32_t n_homeless = 0;

    for (uint32_t k = 0; k < g->first[g->n_kinds]; k++) {
        dcp_insert_remove(&search->in, g->member[k]);
    }
    for (uint32_t on = 2; on-- > 0;) { /* First on, then off. */
        for (uint32_t at = 0; at < g->n_hosts; at++) {
            uint32_t h = g->host[at];
            bool wish = g->answer[g->m.on_col[at]] > 0.5;

            if (wish == (on > 0) && wish != search->s->on[h] &&
                (on ? dcp_state_may_switch(search->s, h, true)
                    : dcp_search_may_switch_off(search, h))) {
                dcp_insert_power(&search->in, h, on > 0);
            }
        }
    }
    for (uint32_t k = 0; k < g->n_kinds; k++) {
        place_kind(all, g, k, &n_homeless);
    }
    return dcp_insert_all(&search->in, all->homeless, n_homeless);
}

/* Keeps what the trail holds if it is cheaper and legal, else takes it back. */
static bool
settle(struct programs *g, double before, bool *out_kept, struct dcp_error *err)
{
    struct search *x = g->x;
    double least = before - 1e-7 * fmax(fabs(before), 1);
    const struct dcp_question *q = x->p->q;
    struct dcp_headroom headroom = {
        .ok = dcp_search_value(x->s) < least &&
              !dcp_state_broken_power_rule(x->s) &&
              !(q->limits_moves && dcp_search_moves(x) > q->max_moves)
    };

    if (headroom.ok && g->check &&
        !dcp_search_mend_headroom(x, false, false, MEND_TRIES, &headroom,
                                  err)) {
        return false;
    }
    *out_kept = headroom.ok && dcp_search_value(x->s) < least &&
                !(q->limits_moves && dcp_search_moves(x) > q->max_moves);
    if (*out_kept) {
        x->in.trail.n = 0;
        if (g->check) {
            dcp_headroom_accept(x->s, &headroom);
        }
        dcp_search_tell(x, g->check);
    } else {
        dcp_trail_undo(&x->in.trail, x->s);
    }
    return true;
}

/* --- Rounds ------------------------------------------------------------- */

static double
seconds_left(const struct search *x)
{
    double left =
        x->options->deadline_ms == INT64_MAX
            ? INFINITY
            : (double)(x->options->deadline_ms - dcp_monotonic_ms()) / 1000;

    return fmax(fmin(left, x->options->iterations ? COUNTED_SOLVE_S : SOLVE_S),
                0.01);
}

/* How far the answer is above the capacity of a host in some slot, as a share
 * of it; the slot where that is most. */
static double
overload(const struct dcp_exact *m, const double *x, uint32_t at,
         uint32_t *out_slot)
{
    const struct dcp_problem *p = m->p;
    uint32_t h = m->host[at];
    double most = 0;

    for (uint32_t t = 0; t < p->n_slots; t++) {
        double mhz = m->s->cpu_mhz[(size_t)h * p->stride + t];

        for (uint32_t k = 0; k < m->n_kinds; k++) {
            uint32_t col = m->col[(size_t)k * m->n_hosts + at];
            uint32_t item = m->member[m->first[k]];

            mhz += col == UINT32_MAX
                       ? 0
                       : x[col] * p->cpu_mhz[(size_t)item * p->stride + t];
        }
        double over = mhz / (p->cap_cpu_mhz[h] + 1.0) - 1;

        if (over > most) {
            most = over;
            *out_slot = t;
        }
    }
    return most;
}

/* Adds the slots that the answer overloads hosts in; false: none, or no room
 * for more. */
static bool
add_slots(struct dcp_exact *m, const double *x)
{
    uint32_t before = m->n_slots;

    for (uint32_t at = 0; at < m->n_hosts; at++) {
        uint32_t slot = 0;
        bool is_new = overload(m, x, at, &slot) > OVERLOAD_MIN &&
                      m->n_slots < DCP_EXACT_SLOTS_MAX;

        for (uint32_t k = 0; k < m->n_slots; k++) {
            is_new = is_new && m->slot[k] != slot;
        }
        if (is_new) {
            m->slot[m->n_slots++] = slot;
        }
    }
    return m->n_slots > before;
}

/* Solves the program, with more slots while its answer overloads others;
 * *out_x: the answer, to be freed; NULL: none. */
static bool
solve(const struct search *x, struct dcp_exact *m, double **out_x,
      struct dcp_error *err)
{
    struct dcp_lp_answer answer = { .status = DCP_LP_UNKNOWN };
    bool again = true;

    *out_x = NULL;
    for (uint32_t k = 0; again && k < SOLVES_MAX; k++) {
        dcp_exact_finish(m);
        free(*out_x);
        *out_x = NULL;
        if (dcp_exact_build(m)) {
            *out_x = calloc(dcp_lp_n_cols(m->lp) + 1u, sizeof **out_x);
        }
        if (!*out_x) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
        }
        if (!dcp_exact_solve(m, seconds_left(x), NODES, &answer, *out_x, err)) {
            return false;
        }
        again = (answer.status == DCP_LP_OPTIMAL ||
                 answer.status == DCP_LP_FEASIBLE) &&
                add_slots(m, *out_x);
    }
    if (answer.status != DCP_LP_OPTIMAL && answer.status != DCP_LP_FEASIBLE) {
        free(*out_x);
        *out_x = NULL;
    }
    return true;
}

/* What may be done on any thread. */
static void
solve_pick(void *task)
{
    struct place_anew *g = task;

    g->m = (struct dcp_exact){ .p = g->x->p,
                               .s = g->s,
                               .known_at = g->known_at,
                               .starts = true,
                               .part = true,
                               .member = g->member,
                               .first = g->first,
                               .host = g->host,
                               .n_kinds = g->n_kinds,
                               .n_hosts = g->n_hosts };
    g->ok = solve(g->x, &g->m, &g->answer, &g->err);
}

/* Whether what an earlier answer changed leaves the hosts as they were. */
static bool
is_as_chosen(const struct programs *all, const struct place_anew *g)
{
    const struct dcp_state *s = all->x->s;
    uint32_t n = 0;
    bool same = true;

    for (uint32_t k = 0; k < g->first[g->n_kinds]; k++) {
        same = same && s->host[g->member[k]] == g->known_at[g->member[k]];
    }
    for (uint32_t k = 0; k < g->n_hosts; k++) {
        n += s->n_on_host[g->host[k]];
        same = same && s->on[g->host[k]] == g->s->on[g->host[k]];
    }
    return same && n == g->first[g->n_kinds];
}

static bool
adopt(struct programs *all, struct place_anew *g, bool *out_kept,
      struct dcp_error *err)
{
    double before = dcp_search_value(all->x->s);

    *out_kept = false;
    if (!g->ok) {
        return dcp_fail(err, g->err.code, "%s", g->err.message);
    }
    if (!g->answer || !is_as_chosen(all, g)) {
        return true;
    }
    if (!place_answer(all, g)) {
        dcp_trail_undo(&all->x->in.trail, all->x->s);
        return true;
    }
    return settle(all, before, out_kept, err);
}

/* Two neighbourhoods that share no host, solved at once, taken one after the
 * other; *out_kept: some answer stays. */
static bool
one_round(struct programs *g, uint32_t *out_solved, bool *out_kept,
          struct dcp_error *err)
{
    bool ok = true;

    *out_kept = false;
    for (g->n_picks = 0; g->n_picks < DCP_PICKS;) {
        g->now = &g->pick[g->n_picks++];
        g->now->n_hosts = 0;
        g->now->answer = NULL;
        dcp_search_pick_hosts(g);
        if (g->now->n_hosts < HOSTS_MIN) {
            g->n_picks--;
            break;
        }
        take_off(g->now, g->x->s);
    }
    *out_solved = g->n_picks;
    if (g->n_picks == DCP_PICKS) {
        dcp_run_pair(solve_pick, &g->pick[0], &g->pick[1],
                     g->x->options->threads > 1);
    } else if (g->n_picks) {
        solve_pick(&g->pick[0]);
    }
    for (uint32_t k = 0; k < g->n_picks; k++) {
        bool kept = false;

        ok = ok && adopt(g, &g->pick[k], &kept, err);
        *out_kept |= kept;
        dcp_exact_finish(&g->pick[k].m);
        free(g->pick[k].answer);
    }
    return ok;
}

/* Whether the program's costs say anything of the goal. */
static bool
has_program(const struct search *x)
{
    const struct dcp_priced_level *level = &x->p->pricing->level[0];

    return !(level->balance > 0) && !(level->per_room > 0) &&
           !x->options->need &&
           (x->options->strategy == DCP_STRATEGY_FULL ||
            x->options->strategy == DCP_STRATEGY_LNS);
}

static bool
run(struct programs *g, struct dcp_search_result *out, struct dcp_error *err)
{
    struct search *x = g->x;
    uint64_t limit = x->options->iterations
                         ? x->options->iterations / ITERATIONS_PER_ROUND + 1
                         : ROUNDS_MAX;

    limit = limit < ROUNDS_MAX ? limit : ROUNDS_MAX;
    x->in.may_wake = false;
    x->in.swap_tries = 8;
    for (uint32_t round = 0, stale = 0; round < limit && stale < STALE_ROUNDS;
         round += DCP_PICKS, stale += DCP_PICKS) {
        bool kept;
        uint32_t n_solved;

        if (dcp_search_is_over(x, g->check) ||
            dcp_search_value_is_bound(x, dcp_search_value(x->s))) {
            break;
        }
        if (!one_round(g, &n_solved, &kept, err)) {
            return false;
        }
        out->programs += n_solved;
        stale = kept ? 0 : stale;
    }
    return true;
}

static bool
begin_pick(struct place_anew *g, const struct search *x, struct dcp_error *err)
{
    size_t n = x->p->n_items + 1u;

    g->x = x;
    g->s = dcp_state_create(x->p, err);
    g->known_at = malloc(n * sizeof *g->known_at);
    g->member = malloc(n * sizeof *g->member);
    g->first = malloc((n + 1) * sizeof *g->first);
    return (g->s && g->known_at && g->member && g->first) ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
}

static void
end_pick(struct place_anew *g)
{
    dcp_state_destroy(g->s);
    free(g->known_at);
    free(g->member);
    free(g->first);
}

bool
dcp_search_by_programs(struct search *x, bool check,
                       struct dcp_search_result *out, struct dcp_error *err)
{
    DCP_FREE uint32_t *homeless =
        malloc((x->p->n_items + 1u) * sizeof *homeless);
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    struct programs g = { .x = x,
                          .check = check,
                          .rng = dcp_rng_stream(x->options->seed, "program", 0),
                          .homeless = homeless,
                          .ranks = ranks };

    if (!has_program(x) || !x->p->n_hosts) {
        return true;
    }
    bool ok = homeless && ranks
                  ? begin_pick(&g.pick[0], x, err) &&
                        begin_pick(&g.pick[1], x, err) && run(&g, out, err)
                  : dcp_fail(err, DCP_E_NOMEM, "no memory for a search");

    end_pick(&g.pick[0]);
    end_pick(&g.pick[1]);
    return ok;
}
