/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Several lost at once: whether a leg's lists show that any k of a kind may
 * be.
 *
 * By stand-ins (hosts only): every host that holds protected VMs names k hosts
 * that are on and empty, each of which takes all of them.  Whichever k are
 * lost, let j of them be stand-ins of a lost host h; the other lost hosts that
 * hold VMs are at most k - j - 1, and took one stand-in each, so of h's k
 * stand-ins k - j - (k - j - 1) = 1 is on and free.  One host takes the place
 * of one host, so rules and limits hold for all at once (stand_in.h).
 *
 * By berths: survive_berths.c.
 *
 * By sets: one list for each set of 2 to k objects that take a host down;
 * single ones are judged as ever. */

#include "model/check/stand_in.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_survive_is_a_set(const struct dcp_survive *s)
{
    uint32_t last = s->lose.ix;

    for (uint32_t i = 0; i < s->n_also; i++) {
        if (s->also[i].kind != s->lose.kind || s->also[i].ix <= last) {
            return false;
        }
        last = s->also[i].ix;
    }
    return true;
}

/* --- Stand-ins ---------------------------------------------------------- */

static bool
is_spare(const struct dcp_survive_work *w, uint32_t host)
{
    return w->leg->end->on[host] && w->first[host] == w->first[host + 1];
}

/* How many of those that the list names, each once, can take its VMs. */
static uint32_t
count_able(const struct dcp_survive_work *w, const struct dcp_survive *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n_stand_ins; i++) {
        uint32_t host = s->stand_ins[i].ix;
        bool again = false;

        for (uint32_t k = 0; k < i && !again; k++) {
            again = s->stand_ins[k].ix == host;
        }
        n += !again && is_spare(w, host) && dcp_stands_in_for(w, s, host, true);
    }
    return n;
}

/* Whether some list of the leg names stand-ins, or none has anybody to
 * restart. */
static bool
is_by_stand_ins(const struct dcp_survive_work *w)
{
    const struct dcp_plan *plan = w->j->plan;
    bool named = false, restarts = false;

    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *s = &plan->survive[i];
        bool here = s->leg == w->leg->index && s->lose.kind == DCP_OBJECT_HOST;

        named |= here && s->n_stand_ins;
        restarts |= here && s->n;
    }
    return named || !restarts;
}

/* A list without VMs has nobody to stand in for: that it lists all who are
 * protected is judged with it. */
static void
judge_stand_ins(const struct dcp_survive_work *w, uint32_t count)
{
    const struct dcp_plan *plan = w->j->plan;

    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *s = &plan->survive[i];

        if (s->leg != w->leg->index || s->n_also || !s->n ||
            s->lose.kind != DCP_OBJECT_HOST) {
            continue;
        }
        uint32_t n = count_able(w, s);

        if (n < count) {
            dcp_survive_report(w, s, s->lose, count, n,
                               "too few empty hosts can stand in for it");
        }
    }
}

/* --- Sets --------------------------------------------------------------- */

/* As many as there are sets of 'k' out of n; saturates. */
static double
choose(uint32_t n, uint32_t k)
{
    double sets = 1;

    for (uint32_t i = 0; i < k; i++) {
        sets = sets * (n - i) / (i + 1);
    }
    return n < k ? 0 : sets;
}

static int
compare_sets(const void *pa, const void *pb)
{
    const struct dcp_survive *const *a = pa, *const *b = pb;

    if ((*a)->lose.ix != (*b)->lose.ix) {
        return (*a)->lose.ix < (*b)->lose.ix ? -1 : 1;
    }
    for (uint32_t i = 0; i < (*a)->n_also && i < (*b)->n_also; i++) {
        if ((*a)->also[i].ix != (*b)->also[i].ix) {
            return (*a)->also[i].ix < (*b)->also[i].ix ? -1 : 1;
        }
    }
    return ((*a)->n_also > (*b)->n_also) - ((*a)->n_also < (*b)->n_also);
}

static bool
all_take_down(const struct dcp_survive_work *w, const struct dcp_survive *s)
{
    bool all = dcp_survive_takes_down(w, s->lose);

    for (uint32_t i = 0; all && i < s->n_also; i++) {
        all = dcp_survive_takes_down(w, s->also[i]);
    }
    return all;
}

/* Different sets of 'size' of the kind that the leg has lists for; all of them
 * sorted in 'lists'. */
static uint32_t
count_lists(const struct dcp_survive_work *w, enum dcp_object_kind kind,
            uint32_t size, const struct dcp_survive **lists)
{
    const struct dcp_plan *plan = w->j->plan;
    uint32_t n = 0, n_sets = 0;

    for (uint32_t i = 0; i < plan->n_survive; i++) {
        const struct dcp_survive *s = &plan->survive[i];

        if (s->leg == w->leg->index && s->lose.kind == kind &&
            s->n_also + 1 == size && dcp_survive_is_a_set(s) &&
            all_take_down(w, s)) {
            lists[n++] = s;
        }
    }
    qsort(lists, n, sizeof(*lists), compare_sets);
    for (uint32_t i = 0; i < n; i++) {
        n_sets += !i || compare_sets(&lists[i - 1], &lists[i]) != 0;
    }
    return n_sets;
}

bool
dcp_survive_judge_sets(struct dcp_survive_work *w, enum dcp_object_kind kind,
                       uint32_t count, uint32_t n_objects)
{
    DCP_FREE const struct dcp_survive **lists =
        malloc((w->j->plan->n_survive + 1u) * sizeof(*lists));
    uint32_t n_down = 0;

    if (!lists) {
        return dcp_judge_no_memory(w->j);
    }
    if (dcp_survive_is_by_berths(w, kind)) {
        return dcp_survive_judge_berths(w, kind, count, n_objects);
    }
    if (kind == DCP_OBJECT_HOST && is_by_stand_ins(w)) {
        judge_stand_ins(w, count);
        return true;
    }
    for (uint32_t i = 0; i < n_objects; i++) {
        n_down += dcp_survive_takes_down(w, (struct dcp_object){ kind, i });
    }
    for (uint32_t k = 2; k <= count && k <= n_down; k++) {
        double need = choose(n_down, k);
        uint32_t have = count_lists(w, kind, k, lists);

        if (have < need) {
            dcp_judge_report(w->j, 0, "n+k",
                             (struct dcp_object){ DCP_OBJECT_NONE, 0 }, need,
                             have,
                             "leg %s: policy asks to survive any %u %ss at "
                             "once, and there are lists for %u sets of %u",
                             w->j->plan->legs[w->leg->index].name, count,
                             dcp_object_kind_name(kind), have, k);
        }
    }
    return true;
}
