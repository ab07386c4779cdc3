/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Large neighbourhood search with programs (Shaw, *Using constraint programming
 * and local search methods to solve vehicle routing problems*, CP 1998; here
 * with whole-number programs): a few hosts are chosen, all else stays, and what
 * may be on these hosts is stated as solver/exact_parts.h says and solved by
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

#include "solver/exact_parts.h"
#include "solver/search_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MAX           60u
#define ITERATIONS_PER_ROUND 50u /* Of ruin and recreate, about as long. */
#define STALE_ROUNDS         14u
#define NODES                80u
#define SOLVE_S              10.0 /* A guard: nodes end it before. */
#define COUNTED_SOLVE_S      60.0
#define HOSTS_MAX            8u
#define HOSTS_MIN            3u
#define COLUMNS_MAX          500u
#define KINDS_MAX            250u
#define MEND_TRIES           8u
#define OVERLOAD_MIN         1e-4
#define SOLVES_MAX           3u /* Of one program, with more slots each time. */
#define TRIES                48u /* Random hosts looked at for one more. */

struct programs {
    struct search *x;
    bool check;
    struct dcp_rng rng;
    uint32_t host[HOSTS_MAX], n_hosts;
    uint32_t *known_at;                /* By item. */
    uint32_t *member, *first, n_kinds; /* As struct dcp_exact has them. */
    uint32_t *homeless;                /* Scratch: items. */
    struct dcp_ranked_host *ranks;     /* Scratch: hosts. */
};

/* --- Choosing hosts ----------------------------------------------------- */

static bool
chosen(const struct programs *g, uint32_t h)
{
    for (uint32_t k = 0; k < g->n_hosts; k++) {
        if (g->host[k] == h) {
            return true;
        }
    }
    return false;
}

static uint32_t
items_chosen(const struct programs *g)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->n_hosts; k++) {
        n += g->x->s->n_on_host[g->host[k]];
    }
    return n;
}

/* Whether the host may be one more: all that it holds may then move. */
static bool
may_choose(const struct programs *g, uint32_t h)
{
    if (h == DCP_IX_NONE) {
        return false;
    }
    uint32_t n = items_chosen(g) + g->x->s->n_on_host[h];

    return !chosen(g, h) && g->n_hosts < HOSTS_MAX &&
           dcp_problem_may_hold(g->x->p, h) && n <= KINDS_MAX &&
           (g->n_hosts < 2 || n * (g->n_hosts + 1) <= COLUMNS_MAX) &&
           (!g->n_hosts ||
            g->x->bound->region[h] == g->x->bound->region[g->host[0]]);
}

static void
choose(struct programs *g, uint32_t h)
{
    if (may_choose(g, h)) {
        g->host[g->n_hosts++] = h;
    }
}

static double
licence_money(const struct dcp_state *s, uint32_t h)
{
    const struct dcp_pricing *g = s->p->pricing;
    double money = 0;

    for (uint32_t k = 0;
         dcp_pricing_counts_licences(s->p, 0) && k < g->n_licences; k++) {
        money += g->licence[k].unit_price *
                 s->objective->units[(size_t)k * s->p->n_hosts + h];
    }
    return money;
}

enum wish { ANY_HOST, LICENSED_HOST, PLAIN_HOST, OFF_HOST };

static bool
is_wished(const struct programs *g, uint32_t h, enum wish wish)
{
    const struct dcp_state *s = g->x->s;
    bool off = wish == OFF_HOST;

    return s->on[h] != off &&
           (off ? g->x->p->type_of_host[h] != g->x->p->type_of_host[g->host[0]]
                : s->n_on_host[h] > 0) &&
           (wish == ANY_HOST || off ||
            (licence_money(s, h) > 0) == (wish == LICENSED_HOST));
}

/* One more host at random: of two the one with more room. */
static void
choose_more(struct programs *g, enum wish wish)
{
    uint32_t best = DCP_IX_NONE, n = 0;

    for (uint32_t k = 0; k < TRIES && n < 2; k++) {
        uint32_t h = (uint32_t)dcp_rng_below(&g->rng, g->x->p->n_hosts);

        if (!is_wished(g, h, wish) || !may_choose(g, h)) {
            continue;
        }
        n++;
        if (best == DCP_IX_NONE ||
            dcp_search_fill(g->x, h) < dcp_search_fill(g->x, best)) {
            best = h;
        }
    }
    choose(g, best);
}

/* Hosts of items that rules tie to those of the first. */
static void
choose_tied(struct programs *g)
{
    const struct dcp_problem *p = g->x->p;
    const struct dcp_state *s = g->x->s;

    for (uint32_t i = s->first[g->host[0]]; i != DCP_IX_NONE; i = s->next[i]) {
        for (uint32_t j = p->group_first[i]; j < p->group_first[i + 1]; j++) {
            const struct dcp_group *group =
                &p->groups[p->group_of[j] & ~DCP_GROUP_OTHER];
            uint32_t other =
                group->items[dcp_rng_below(&g->rng, group->n_items)];

            choose(g, s->host[other]);
        }
    }
}

/* The one to empty or to free of licences: among the first third, those that
 * save most for what they hold. */
static uint32_t
worst_host(struct programs *g, bool licensed)
{
    struct search *x = g->x;
    uint32_t n = 0;

    for (uint32_t h = 0; h < x->p->n_hosts; h++) {
        double money = licensed ? licence_money(x->s, h) : 0, size = 0;

        if (!x->s->on[h] || !x->s->n_on_host[h] || (licensed && money <= 0) ||
            !dcp_problem_may_hold(x->p, h)) {
            continue;
        }
        for (uint32_t i = x->s->first[h]; i != DCP_IX_NONE; i = x->s->next[i]) {
            size += !licensed || dcp_pricing_item_is_covered(x->p, i)
                        ? x->p->size[i]
                        : 0;
        }
        g->ranks[n++] = (struct dcp_ranked_host){
            h, size / (licensed ? money : x->p->on_value[h] + 1e-12)
        };
    }
    dcp_search_sort_hosts(g->ranks, n);
    return n ? g->ranks[dcp_rng_below(&g->rng, n / 3 + 1)].host : DCP_IX_NONE;
}

static void
choose_hosts(struct programs *g)
{
    bool licences = dcp_pricing_counts_licences(g->x->p, 0);
    bool licensed = licences && dcp_rng_below(&g->rng, 2);
    uint32_t like = (uint32_t)dcp_rng_below(&g->rng, 4);

    (void)dcp_search_value(g->x->s);
    g->n_hosts = 0;
    choose(g, worst_host(g, licensed));
    if (!g->n_hosts) {
        return;
    }
    if (licensed) {
        choose_more(g, LICENSED_HOST);
        choose_more(g, LICENSED_HOST);
        choose_more(g, PLAIN_HOST);
    } else if (like == 0) {
        choose_tied(g);
    } else if (like == 1) {
        choose_more(g, ANY_HOST);
        choose_more(g, OFF_HOST);
    }
    for (uint32_t k = 0; k < HOSTS_MAX; k++) {
        choose_more(g, ANY_HOST);
    }
}

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

/* Takes the items of the chosen hosts off and lists them by kind. */
static void
take_off(struct programs *g)
{
    struct search *x = g->x;
    const struct dcp_problem *p = x->p;
    uint32_t n = 0;

    for (uint32_t k = 0; k < g->n_hosts; k++) {
        while (x->s->first[g->host[k]] != DCP_IX_NONE) {
            uint32_t item = x->s->first[g->host[k]];

            g->known_at[item] = g->host[k];
            g->member[n++] = item;
            dcp_insert_remove(&x->in, item);
        }
    }
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
place_kind(struct programs *g, const struct dcp_exact *m, uint32_t k,
           const double *x, uint32_t *n_homeless)
{
    struct search *search = g->x;

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
            g->homeless[(*n_homeless)++] = g->member[j];
        }
    }
}

/* On the trail; false: some found no place. */
static bool
place_answer(struct programs *g, const struct dcp_exact *m, const double *x)
{
    struct search *search = g->x;
    uint32_t n_homeless = 0;

    for (uint32_t on = 2; on-- > 0;) { /* First on, then off. */
        for (uint32_t at = 0; at < g->n_hosts; at++) {
            uint32_t h = g->host[at];
            bool wish = x[m->on_col[at]] > 0.5;

            if (wish == (on > 0) && wish != search->s->on[h] &&
                (on ? dcp_state_may_switch(search->s, h, true)
                    : dcp_search_may_switch_off(search, h))) {
                dcp_insert_power(&search->in, h, on > 0);
            }
        }
    }
    for (uint32_t k = 0; k < g->n_kinds; k++) {
        place_kind(g, m, k, x, &n_homeless);
    }
    return dcp_insert_all(&search->in, g->homeless, n_homeless);
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
        !dcp_search_mend_headroom(x, false, MEND_TRIES, &headroom, err)) {
        return false;
    }
    *out_kept = headroom.ok && dcp_search_value(x->s) < least &&
                !(q->limits_moves && dcp_search_moves(x) > q->max_moves);
    if (*out_kept) {
        x->in.trail.n = 0;
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
solve(const struct programs *g, struct dcp_exact *m, double **out_x,
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
        if (!dcp_exact_solve(m, seconds_left(g->x), NODES, &answer, *out_x,
                             err)) {
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

/* One neighbourhood; *out_kept: its answer stays. */
static bool
one_round(struct programs *g, bool *out_kept, struct dcp_error *err)
{
    struct search *x = g->x;
    double before = dcp_search_value(x->s);
    DCP_FREE double *answer = NULL;

    *out_kept = false;
    choose_hosts(g);
    if (g->n_hosts < HOSTS_MIN) {
        return true;
    }
    take_off(g);
    (void)dcp_search_value(x->s); /* Units of licences as they are now. */

    struct dcp_exact m = { .p = x->p,
                           .s = x->s,
                           .known_at = g->known_at,
                           .starts = true,
                           .part = true,
                           .member = g->member,
                           .first = g->first,
                           .host = g->host,
                           .n_kinds = g->n_kinds,
                           .n_hosts = g->n_hosts };
    bool ok = solve(g, &m, &answer, err);
    bool placed = ok && answer && place_answer(g, &m, answer);

    dcp_exact_finish(&m);
    if (!placed) {
        dcp_trail_undo(&x->in.trail, x->s);
        return ok;
    }
    return settle(g, before, out_kept, err);
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
         round++, stale++) {
        bool kept;

        if (dcp_search_is_over(x, g->check) ||
            dcp_search_value_is_bound(x, dcp_search_value(x->s))) {
            break;
        }
        if (!one_round(g, &kept, err)) {
            return false;
        }
        out->programs++;
        stale = kept ? 0 : stale;
    }
    return true;
}

bool
dcp_search_by_programs(struct search *x, bool check,
                       struct dcp_search_result *out, struct dcp_error *err)
{
    size_t n = x->p->n_items + 1u;
    DCP_FREE uint32_t *known_at = malloc(n * sizeof *known_at);
    DCP_FREE uint32_t *member = malloc(n * sizeof *member);
    DCP_FREE uint32_t *first = malloc((n + 1) * sizeof *first);
    DCP_FREE uint32_t *homeless = malloc(n * sizeof *homeless);
    DCP_FREE struct dcp_ranked_host *ranks =
        malloc((x->p->n_hosts + 1u) * sizeof *ranks);
    struct programs g = { .x = x,
                          .check = check,
                          .rng = dcp_rng_stream(x->options->seed, "program", 0),
                          .known_at = known_at,
                          .member = member,
                          .first = first,
                          .homeless = homeless,
                          .ranks = ranks };

    if (!has_program(x) || !x->p->n_hosts) {
        return true;
    }
    return known_at && member && first && homeless && ranks
               ? run(&g, out, err)
               : dcp_fail(err, DCP_E_NOMEM, "no memory for a search");
}
