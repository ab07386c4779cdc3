/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/schedule/timed_order_parts.h"

#include "model/base/sort.h"
#include "model/convert.h"
#include "model/migration.h"
#include "model/park.h"
#include "model/transfers.h"

#include <stdlib.h>
#include <string.h>

#define NONE    DCP_IX_NONE
#define CHOICES 8 /* Who steps aside: that many are tried. */
#define ENDS_A_LOOK  64 /* At the clock. */
#define HOSTS_A_MOVE 16 /* Hosts that take as long to look at as a move. */
#define PATIENCE                                                               \
    64 /* Parts of the moves that end until a circle is looked at again. */

enum { WAITING, RUNNING, DONE };

static const struct dcp_inventory *
inventory_of(const struct dcp_timed *t)
{
    return t->s->p->q->inventory;
}

/* --- One move ----------------------------------------------------------- */

static int64_t
duration_ms(const struct dcp_timed *t, const struct dcp_pending_move *m,
            uint32_t to)
{
    const struct dcp_inventory *inv = inventory_of(t);
    dcp_host_id from = { m->from }, target = { to };

    if (m->from == NONE) {
        const struct dcp_park *park = dcp_park_of(inv, m->vm);

        return park ? dcp_restore_ms(park, &inv->vms[m->vm]) : 30000;
    }
    if (dcp_conversion_between(inv, from, target)) {
        const struct dcp_conversion *c =
            dcp_conversion_of(inv, m->vm, inv->hosts[m->from].hypervisor,
                              inv->hosts[to].hypervisor);

        return c ? dcp_conversion_ms(inv, c, m->vm) : 0;
    }
    struct dcp_precopy in = dcp_precopy_of(inv, m->vm);

    in.bandwidth_mib_s = dcp_transfers_limit(inv, m->from, to) / 1024;
    return dcp_precopy_estimate(&in).total_ms;
}

static bool
is_free(const struct dcp_timed *t, uint32_t host, const uint32_t count[],
        uint32_t limit)
{
    return (!limit || count[host] < limit) &&
           t->n_out[host] + t->n_in[host] < t->units[host];
}

/* Whether the limits let it begin now. */
static bool
may_begin(const struct dcp_timed *t, uint32_t i, uint32_t to)
{
    const struct dcp_policy *policy = &inventory_of(t)->policy;
    uint32_t from = t->moves[i].from;

    return t->phase[i] == WAITING && t->up_ms[to] <= t->now_ms &&
           (from == NONE || (is_free(t, from, t->n_out, policy->out_per_host) &&
                             is_free(t, to, t->n_in, policy->in_per_host))) &&
           !dcp_move_waits(&t->seq, t->waiting, t->moves[i].vm);
}

static bool
note_cause(struct dcp_timed *t, uint32_t i)
{
    if (t->out->n == t->cause_room) {
        uint32_t room = t->cause_room ? 2 * t->cause_room : 256;
        uint32_t *more = realloc(t->cause, room * sizeof *more);

        if (!more) {
            return false;
        }
        t->cause = more;
        t->cause_room = room;
    }
    t->cause[t->out->n] = t->cause_now;
    t->entry[i] = t->out->n;
    return true;
}

static bool
begin(struct dcp_timed *t, uint32_t i, uint32_t to, bool bypass)
{
    struct dcp_pending_move *m = &t->moves[i];
    int64_t end_ms = t->now_ms + duration_ms(t, m, to);

    if (!note_cause(t, i)) {
        return false;
    }

    if (!dcp_move_order_add(
            t->out, (struct dcp_move){ m->vm, m->from, to, bypass, end_ms })) {
        return false;
    }
    if (m->from != NONE) {
        dcp_state_remove(t->s, m->vm);
        dcp_state_add_load(t->s, m->vm, m->from);
        t->n_out[m->from]++;
        t->n_in[to]++;
    }
    dcp_state_place(t->s, m->vm, to);
    m->n_bypasses += bypass;
    t->at[i] = to;
    t->phase[i] = RUNNING;
    t->n_running++;
    dcp_agenda_set(&t->ends, i, end_ms);
    return true;
}

/* The host with most room of those on which the VM can wait. */
static uint32_t
roomiest(struct dcp_timed *t, uint32_t i)
{
    const struct dcp_problem *p = t->s->p;
    uint32_t best = NONE;
    int64_t most = 0;

    t->work += p->n_hosts / HOSTS_A_MOVE;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        int64_t room = (int64_t)p->cap[h] - t->s->used[h] -
                       (int64_t)dcp_problem_request(p, t->moves[i].vm, h, 0);

        if (room >= 0 && (best == NONE || room > most) && may_begin(t, i, h) &&
            dcp_move_may_wait(t->s, t->to, &t->moves[i], h, false)) {
            best = h;
            most = room;
        }
    }
    return best;
}

static bool
try(struct dcp_timed *t, uint32_t i)
{
    const struct dcp_pending_move *m = &t->moves[i];

    if (t->phase[i] != WAITING) {
        return true;
    }
    if (may_begin(t, i, m->to) &&
        !dcp_parking_comes_later(inventory_of(t), t->s->host, t->to, m->vm) &&
        dcp_move_may_go(t->s, t->to, m->vm, m->to)) {
        return begin(t, i, m->to, false);
    }
    if (t->w.aside[m->vm] && !m->n_bypasses && m->from != NONE) {
        uint32_t h = roomiest(t, i);

        return h == NONE || begin(t, i, h, true);
    }
    return true;
}

/* --- Ends --------------------------------------------------------------- */

/* All that leaves or comes to the host is tried again. */
static void
note_host(struct dcp_timed *t, uint32_t h)
{
    for (uint32_t i = t->source[h]; i != NONE; i = t->next_of_source[i]) {
        if (t->phase[i] == WAITING && t->moves[i].from == h) {
            t->tries[t->n_tries++] = i;
        }
    }
    for (uint32_t k = t->target_first[h]; k < t->target_first[h + 1]; k++) {
        if (t->phase[t->target[k]] == WAITING) {
            t->tries[t->n_tries++] = t->target[k];
        }
    }
}

/* It is on no list of its source any more. */
static void
unlink_move(struct dcp_timed *t, uint32_t i, uint32_t source)
{
    uint32_t *at = &t->source[source];

    while (*at != i) {
        at = &t->next_of_source[*at];
    }
    *at = t->next_of_source[i];
}

static void
end(struct dcp_timed *t, uint32_t i)
{
    struct dcp_pending_move *m = &t->moves[i];
    uint32_t from = m->from, to = t->at[i];

    if (from != NONE) {
        unlink_move(t, i, from);
        dcp_state_sub_load(t->s, m->vm, from);
        t->n_out[from]--;
        t->n_in[to]--;
    }
    t->n_running--;
    t->n_ended++;
    m->from = to;
    if (to == m->to) {
        t->phase[i] = DONE;
        t->waiting[m->vm] = 0;
        t->n_left--;
    } else {
        t->phase[i] = WAITING;
        t->next_of_source[i] = t->source[to];
        t->source[to] = i;
    }
}

/* The next that ends, and all that may begin then. */
static bool
advance(struct dcp_timed *t)
{
    uint32_t i;
    int64_t end_ms;

    t->n_tries = 0;
    if (!dcp_agenda_first(&t->ends, &i, &end_ms)) {
        return true;
    }
    t->now_ms = end_ms;
    t->cause_now = NONE;
    dcp_agenda_drop(&t->ends, i);
    if (i >= t->n) {
        note_host(t, i - t->n);
    } else {
        uint32_t from = t->moves[i].from;

        t->cause_now = t->entry[i];
        end(t, i);
        if (from != NONE) {
            note_host(t, from);
        }
        note_host(t, t->at[i]);
    }
    for (uint32_t k = 0; k < t->n_asides; k++) {
        if (!t->moves[t->asides[k]].n_bypasses) {
            t->tries[t->n_tries++] = t->asides[k];
        }
    }
    dcp_sort_u32(t->tries, t->n_tries);
    t->work += t->n_tries;
    for (uint32_t k = 0; k < t->n_tries; k++) {
        if (!try(t, t->tries[k])) {
            return false;
        }
    }
    return true;
}

static bool
try_all(struct dcp_timed *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        if (t->phase[i] == WAITING && !try(t, i)) {
            return false;
        }
    }
    return true;
}

/* --- Circles ------------------------------------------------------------ */

/* Carries out all that can go on the scratch state, which has the moves under
 * way done; what is left is in 't->left'.  'aside' steps to 'host' before;
 * NONE: nobody does.  Returns how much. */
static double
carry_out(struct dcp_timed *t, uint32_t aside, uint32_t host, uint32_t *out_n)
{
    struct dcp_state *s = t->scratch;
    uint32_t n = 0, left;
    double size = 0;

    dcp_state_assign(s, t->s);
    t->work += t->n;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct dcp_pending_move *m = &t->moves[i];

        if (t->phase[i] == RUNNING && m->from != NONE) {
            dcp_state_sub_load(s, m->vm, m->from);
        }
        if (i == aside) {
            dcp_state_remove(s, m->vm);
            dcp_state_place(s, m->vm, host);
        }
        if (t->phase[i] == WAITING ||
            (t->phase[i] == RUNNING && t->at[i] != m->to)) {
            t->left[n++] = i;
        }
    }
    do {
        left = 0;
        for (uint32_t k = 0; k < n; k++) {
            const struct dcp_pending_move *m = &t->moves[t->left[k]];

            if (!dcp_move_may_go(s, t->to, m->vm, m->to)) {
                t->left[left++] = t->left[k];
                continue;
            }
            if (s->host[m->vm] != NONE) {
                dcp_state_remove(s, m->vm);
            }
            dcp_state_place(s, m->vm, m->to);
        }
    } while (left < n && (n = left) > 0);
    for (uint32_t k = 0; k < n; k++) {
        size += t->moves[t->left[k]].size;
    }
    *out_n = n;
    return size;
}

struct choice {
    uint32_t move, host;
    double worth;
};

/* The largest VM that gets room, had this one left; less what moving it takes,
 * and much less where it has stepped aside before. */
static double
worth_of(const struct dcp_timed *t, uint32_t i)
{
    const struct dcp_pending_move *m = &t->moves[i];
    const struct dcp_problem *p = t->s->p;
    uint32_t h = m->from;
    int64_t room = (int64_t)p->cap[h] - t->s->used[h] +
                   (int64_t)dcp_problem_request(p, m->vm, h, 0);
    double best = 0;

    for (uint32_t k = t->target_first[h]; k < t->target_first[h + 1]; k++) {
        const struct dcp_pending_move *w = &t->moves[t->target[k]];

        if (t->phase[t->target[k]] == WAITING && w->size > best &&
            (int64_t)dcp_problem_request(p, w->vm, h, 0) <= room) {
            best = w->size;
        }
    }
    return best - m->size - 1e6 * m->n_bypasses;
}

/* The best few that may step aside now, of the 'n' that are left. */
static uint32_t
list_choices(struct dcp_timed *t, uint32_t n, struct choice out[CHOICES])
{
    uint32_t n_out = 0;

    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = t->left[k];
        const struct dcp_pending_move *m = &t->moves[i];

        if (t->phase[i] != WAITING || m->from == NONE ||
            m->n_bypasses == DCP_BYPASSES_MAX) {
            continue;
        }
        struct choice c = { i, NONE, worth_of(t, i) };

        if (n_out == CHOICES && c.worth <= out[n_out - 1].worth) {
            continue;
        }
        t->work += t->s->p->n_hosts / HOSTS_A_MOVE;
        c.host = dcp_move_bypass_host(t->s, t->to, m);
        if (c.host == NONE || !may_begin(t, i, c.host)) {
            continue;
        }
        uint32_t x = n_out < CHOICES ? n_out++ : n_out - 1;

        for (; x > 0 && out[x - 1].worth < c.worth; x--) {
            out[x] = out[x - 1];
        }
        out[x] = c;
    }
    return n_out;
}

/* As long as somebody waits for ever, and it helps, somebody steps aside. */
static bool
break_circles(struct dcp_timed *t)
{
    uint32_t n;
    double size = carry_out(t, NONE, NONE, &n);

    while (n) {
        struct choice list[CHOICES], best = { NONE, NONE, 0 };
        uint32_t n_choices = list_choices(t, n, list);
        double least = size;

        for (uint32_t k = 0; k < n_choices; k++) {
            double left = carry_out(t, list[k].move, list[k].host, &n);

            if (left < least || (best.move == NONE && !t->n_running)) {
                least = left;
                best = list[k];
            }
        }
        if (best.move == NONE) {
            t->circles = true;
            return true;
        }
        if (!begin(t, best.move, best.host, true)) {
            return false;
        }
        size = carry_out(t, NONE, NONE, &n);
    }
    t->circles = n > 0;
    return true;
}

static bool
run(struct dcp_timed *t)
{
    uint32_t looked = 0, stuck = 0;

    if (!try_all(t) || !break_circles(t)) {
        return false;
    }
    while (t->n_left && t->work < t->work_most) {
        if (t->n_ended % ENDS_A_LOOK == 0 && dcp_timed_is_late(t)) {
            return true;
        }
        uint32_t i;
        int64_t end_ms;

        if (dcp_agenda_first(&t->ends, &i, &end_ms)) {
            if (!advance(t)) {
                return false;
            }
            stuck = 0;
        } else if (stuck++) {
            return true;
        }
        if (!t->n_running && !try_all(t)) {
            return false;
        }
        if (!t->n_running ||
            (t->circles && t->n_ended - looked > t->n / PATIENCE)) {
            looked = t->n_ended;
            if (!break_circles(t)) {
                return false;
            }
        }
    }
    return true;
}

/* --- One try ------------------------------------------------------------- */

struct ranked {
    double urgency;
    struct dcp_pending_move move;
};

static int
most_urgent(const void *pa, const void *pb)
{
    const struct ranked *a = pa, *b = pb;

    if (a->urgency != b->urgency) {
        return a->urgency > b->urgency ? -1 : 1;
    }
    return a->move.vm < b->move.vm ? -1 : a->move.vm > b->move.vm;
}

static bool
list_moves(struct dcp_timed *t)
{
    const struct dcp_problem *p = t->s->p;
    DCP_FREE struct ranked *list = calloc(p->n_items + 1u, sizeof *list);

    t->n = t->n_asides = 0;
    if (!list) {
        return false;
    }
    for (uint32_t v = 0; v < p->n_items; v++) {
        uint32_t to = t->to->host[v].ix;

        t->waiting[v] = 0;
        if (t->s->host[v] != NONE && to == NONE) { /* Parked: gone at first. */
            dcp_state_remove(t->s, v);
        } else if (t->s->host[v] != to) {
            t->waiting[v] = 1;
            list[t->n++] =
                (struct ranked){ t->w.urgency[v],
                                 { v, t->s->host[v], to, p->size[v], 0 } };
        }
    }
    qsort(list, t->n, sizeof *list, most_urgent);
    for (uint32_t i = 0; i < t->n; i++) {
        t->moves[i] = list[i].move;
        t->phase[i] = WAITING;
        if (t->w.aside[t->moves[i].vm]) {
            t->asides[t->n_asides++] = i;
        }
    }
    t->n_left = t->n;
    return true;
}

static void
list_hosts(struct dcp_timed *t)
{
    uint32_t n_hosts = t->s->p->n_hosts;

    memset(t->target_first, 0, (n_hosts + 1u) * sizeof *t->target_first);
    for (uint32_t h = 0; h < n_hosts; h++) {
        t->source[h] = NONE;
        t->n_out[h] = t->n_in[h] = 0;
    }
    for (uint32_t i = t->n; i-- > 0;) {
        uint32_t h = t->moves[i].from;

        if (h != NONE) {
            t->next_of_source[i] = t->source[h];
            t->source[h] = i;
        }
        t->target_first[t->moves[i].to + 1]++;
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        t->target_first[h + 1] += t->target_first[h];
    }
    /* Filled from behind: each entry's end becomes its first. */
    for (uint32_t i = t->n; i-- > 0;) {
        t->target[--t->target_first[t->moves[i].to + 1]] = i;
    }
    for (uint32_t h = 0; h < n_hosts; h++) {
        t->target_first[h] = t->target_first[h + 1];
    }
    t->target_first[n_hosts] = t->n;
}

static void
list_boots(struct dcp_timed *t, const uint8_t on[])
{
    const struct dcp_inventory *inv = inventory_of(t);

    for (uint32_t h = 0; h < t->s->p->n_hosts; h++) {
        if (!on[h] && t->to->on[h]) {
            t->up_ms[h] = inv->hardware[inv->hosts[h].hardware.ix].boot_ms;
            dcp_agenda_set(&t->ends, t->n + h, t->up_ms[h]);
        }
    }
}

bool
dcp_timed_simulate(struct dcp_timed *t, const uint8_t on[], int64_t *out_ms)
{
    dcp_state_assign(t->s, t->start);
    t->work += 4 * (uint64_t)t->n;
    t->out->n = 0;
    t->now_ms = 0;
    t->cause_now = NONE;
    t->n_running = t->n_ended = 0;
    if (!list_moves(t)) {
        return false;
    }
    dcp_agenda_finish(&t->ends);
    if (!dcp_agenda_init(&t->ends, t->n + t->s->p->n_hosts)) {
        return false;
    }
    list_hosts(t);
    list_boots(t, on);
    if (!run(t)) {
        return false;
    }
    *out_ms = t->n_left ? INT64_MAX : 0;
    for (uint32_t k = 0; !t->n_left && k < t->out->n; k++) {
        if (t->out->moves[k].end_ms > *out_ms) {
            *out_ms = t->out->moves[k].end_ms;
        }
    }
    return true;
}
