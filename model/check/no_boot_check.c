/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.failed_boots: a leg that wakes hosts says for each where its VMs are
 * if it never boots, and any f of these lists hold together.
 *
 * No subset is enumerated.  On a target, a list brings what it brings; of the
 * others at most f - 1 apply at the same time, so no sum is above its own row
 * plus the f - 1 largest of the others, cell by cell.  That every such sum
 * keeps the limit is enough for all subsets, and for f = 1 also needed.  With
 * policy.overload the same sums are counted per scenario.  Rules are judged
 * for each list and each pair of lists: enough for rules about two VMs.
 *
 * With f > 1, a list to woken hosts without VMs says: those of a parcel (the
 * VMs with the same target) to this spare, or where that has failed or is
 * taken, to another.  So many spares must be able to take a parcel as f hosts
 * that fail take away of them at most (model/check/stand_in.c). */

#include "model/check/stand_in.h"
#include "model/check/survive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arrival { /* A VM of one list at its place. */
    uint32_t target, list, vm;
};

struct parcel { /* VMs of one list that go to one spare. */
    const struct dcp_survive *list;
    uint64_t *able; /* Spares that can take them, as bits. */
    uint32_t n_able;
};

struct boots {
    struct dcp_survive_work w;
    const struct dcp_survive **list; /* By woken host with VMs. */
    uint32_t n_lists, n_woken, f;
    uint8_t *woken;   /* By host. */
    uint32_t *spares; /* Woken hosts without VMs. */
    uint32_t n_spares;
    struct parcel *parcels; /* Those of one list lie together. */
    uint32_t n_parcels, words;
    uint64_t *able; /* Of all parcels. */
    uint32_t *part; /* VMs of the one at hand. */
    struct arrival *arrivals;
    uint32_t n_arrivals;
};

static uint32_t
may_fail(const struct dcp_policy *policy, uint32_t n_woken)
{
    if (policy->failed_boots_frac <= 0 || !n_woken) {
        return 0;
    }
    double share = floor(policy->failed_boots_frac * n_woken + 1e-9);

    return share > 1 ? (uint32_t)share : 1;
}

/* --- The lists ---------------------------------------------------------- */

static void
report(const struct boots *b, const struct dcp_survive *s,
       struct dcp_object object, const char *text)
{
    dcp_survive_report(&b->w, s, object, DCP_NO_NUMBER, DCP_NO_NUMBER, text);
}

/* The VMs of the list are those that its host should get. */
static void
judge_members(const struct boots *b, const struct dcp_survive *s)
{
    const struct dcp_placement *end = b->w.leg->end;
    uint32_t host = s->lose.ix,
             n_should = b->w.first[host + 1] - b->w.first[host];

    for (uint32_t i = 0; i < s->n; i++) {
        if (end->host[s->vms[i]].ix != host ||
            (i && s->vms[i] == s->vms[i - 1])) {
            report(b, s, dcp_judge_vm(s->vms[i]),
                   "is listed, but is not one of its VMs, or twice");
        }
    }
    if (s->n != n_should) {
        dcp_survive_report(&b->w, s, s->lose, n_should, s->n,
                           "lists other VMs than it should get");
    }
}

static void
judge_target(const struct boots *b, const struct dcp_survive *s, uint32_t vm,
             uint32_t host)
{
    const struct dcp_inventory *inv = b->w.inv;
    const struct dcp_leg_view *leg = b->w.leg;
    dcp_host_id from = leg->start->host[vm];
    const struct dcp_ids *vlans = &inv->vms[vm].vlans;
    char why[120], text[100];
    const char *rule = dcp_check_reach_refusal(inv, leg->end, vm, host, why);

    if (!rule && !dcp_host_is_none(from) && from.ix != host) {
        rule = dcp_check_reach_move_refusal(inv, vm, from.ix, host, false, why);
    }
    if (rule) {
        (void)snprintf(text, sizeof text, "on %.30s: %.60s",
                       inv->hosts[host].name, why);
        report(b, s, dcp_judge_vm(vm), text);
    }
    if (!leg->end->on[host] || host == s->lose.ix ||
        (b->f > 1 && b->woken[host])) {
        (void)snprintf(text, sizeof text, "%.60s may be off itself",
                       inv->hosts[host].name);
        report(b, s, dcp_judge_vm(vm), text);
    }
    for (uint32_t i = 0; i < vlans->n; i++) {
        if (!dcp_check_reach_vlan_now(inv, host, vlans->ix[i]) &&
            !dcp_check_reach_vlan_driver(inv, host)) {
            (void)snprintf(text, sizeof text, "VLAN %.40s is not on %.40s",
                           inv->vlans[vlans->ix[i]].name,
                           inv->hosts[host].name);
            report(b, s, dcp_judge_vm(vm), text);
        }
    }
}

/* --- Room --------------------------------------------------------------- */

/* Of n rows of a column, the sum of the f - 1 largest but that of 'skip'. */
static uint64_t
others_most(const uint64_t *rows, size_t stride, uint32_t n, uint32_t skip,
            uint32_t f)
{
    uint64_t sum = 0, below = UINT64_MAX;

    for (uint32_t left = f - 1; left;) {
        uint64_t most = 0;
        uint32_t n_most = 0;

        for (uint32_t i = 0; i < n; i++) {
            uint64_t x = rows[i * stride];

            if (i == skip || x >= below) {
                continue;
            }
            n_most = x > most ? 1 : n_most + (x == most);
            most = x > most ? x : most;
        }
        if (!most) {
            break;
        }
        n_most = n_most < left ? n_most : left;
        sum += most * n_most;
        left -= n_most;
        below = most;
    }
    return sum;
}

static void
judge_cells(struct boots *b, uint32_t target, const uint64_t *rows,
            const uint32_t *list, uint32_t n)
{
    const struct dcp_cells *c = &b->w.leg->cells;
    size_t at = (size_t)target * c->n;
    const uint64_t *limit = c->usable + at;

    if (b->w.inv->policy.survive_to_capacity) {
        dcp_cells_capacity(c, target, b->w.capacity);
        limit = b->w.capacity;
    }
    for (uint32_t k = 0; k < c->n; k++) {
        uint64_t now = b->w.load[at + k];
        uint64_t most = now > limit[k] ? now : limit[k];

        for (uint32_t i = 0; i < n; i++) {
            uint64_t need = now + rows[i * c->n + k] +
                            others_most(rows + k, c->n, n, i, b->f);

            if (need > most) {
                char what[60], text[100];

                (void)snprintf(text, sizeof text, "%s: %llu of %llu %s",
                               dcp_cells_describe(c, k, what, sizeof what),
                               (unsigned long long)need,
                               (unsigned long long)most, dcp_cells_unit(c, k));
                dcp_survive_report(&b->w, b->list[list[i]],
                                   dcp_judge_host(target), (double)need,
                                   (double)most, text);
                return;
            }
        }
    }
}

static void
judge_scenarios(struct boots *b, uint32_t target, const uint64_t *rows,
                const uint32_t *list, uint32_t n)
{
    struct dcp_overload *o = b->w.overload;
    const uint64_t *now = o->all + (size_t)target * o->n;
    uint64_t limit =
        dcp_scenarios_limit_mhz(b->w.inv, (dcp_host_id){ target }, true);

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < o->n; k++) {
            o->row[0][k] = now[k] + rows[(size_t)i * o->n + k] +
                           others_most(rows + k, o->n, n, i, b->f);
        }
        for (uint32_t r = 0; r < o->n_ranges; r++) {
            uint32_t was = dcp_overload_above(o, now, r, limit);
            uint32_t have = was > o->allowed[r] ? was : o->allowed[r];
            uint32_t need = dcp_overload_above(o, o->row[0], r, limit);

            if (need > have) {
                char text[100];

                (void)snprintf(text, sizeof text,
                               "overloaded in %u samples, %u allowed", need,
                               have);
                dcp_survive_report(&b->w, b->list[list[i]],
                                   dcp_judge_host(target), need, have, text);
                return;
            }
        }
    }
}

/* All that may come to one target. */
static bool
judge_room(struct boots *b, const struct arrival *a, uint32_t n)
{
    const struct dcp_cells *c = &b->w.leg->cells;
    const struct dcp_overload *o = b->w.overload;
    uint32_t n_rows = 0;
    DCP_FREE uint32_t *list = calloc(n + 1u, sizeof *list);
    DCP_FREE uint64_t *rows = calloc((size_t)n * c->n + 1, sizeof *rows);
    DCP_FREE uint64_t *joint =
        o ? calloc((size_t)n * o->n + 1, sizeof *joint) : NULL;

    if (!list || !rows || (o && !joint)) {
        return dcp_judge_no_memory(b->w.j);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!n_rows || list[n_rows - 1] != a[i].list) {
            list[n_rows++] = a[i].list;
        }
        uint64_t *row = rows + (size_t)(n_rows - 1) * c->n;

        dcp_cells_need(c, a[i].vm, a[i].target, UINT32_MAX, b->w.need);
        for (uint32_t k = 0; k < c->n; k++) {
            row[k] += b->w.need[k];
        }
        if (o) {
            dcp_overload_add(o, a[i].vm, joint + (size_t)(n_rows - 1) * o->n);
        }
    }
    judge_cells(b, a->target, rows, list, n_rows);
    if (o) {
        judge_scenarios(b, a->target, joint, list, n_rows);
    }
    return true;
}

static int
compare_arrivals(const void *pa, const void *pb)
{
    const struct arrival *a = pa, *b = pb;

    return a->target != b->target ? (a->target < b->target ? -1 : 1)
           : a->list != b->list   ? (a->list < b->list ? -1 : 1)
                                  : (a->vm > b->vm) - (a->vm < b->vm);
}

/* VMs of two lists at one target that a lonely rule keeps apart. */
static void
judge_company(const struct boots *b, const struct arrival *a, uint32_t n)
{
    for (uint32_t i = 0; b->f > 1 && b->w.n_everywhere && i < n; i++) {
        for (uint32_t k = 0; k < i; k++) {
            const struct dcp_rule *rule =
                a[i].list == a[k].list
                    ? NULL
                    : dcp_survive_parted(&b->w, a[i].vm, a[k].vm);

            if (rule) {
                char text[100];

                (void)snprintf(text, sizeof text, "rule %.30s: with %.40s",
                               rule->name, b->w.inv->vms[a[k].vm].name);
                report(b, b->list[a[i].list], dcp_judge_vm(a[i].vm), text);
            }
        }
    }
}

static bool
judge_rooms(struct boots *b)
{
    uint32_t n = b->n_arrivals;

    if (n > 1) {
        qsort(b->arrivals, n, sizeof *b->arrivals, compare_arrivals);
    }
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i;
             end < n && b->arrivals[end].target == b->arrivals[i].target;
             end++) {
        }
        judge_company(b, b->arrivals + i, end - i);
        if (!judge_room(b, b->arrivals + i, end - i)) {
            return false;
        }
    }
    return true;
}

/* --- Rules -------------------------------------------------------------- */

static void
set_list(struct boots *b, const struct dcp_survive *s, bool set)
{
    for (uint32_t i = 0; i < s->n; i++) {
        b->w.after[s->vms[i]] = set ? s->to[i] : b->w.leg->end->host[s->vms[i]];
    }
}

static void
judge_rules(struct boots *b, const struct dcp_survive *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        dcp_survive_judge_rules(&b->w, s, s->vms[i], s->to[i].ix);
    }
    b->w.j->result->states_checked++;
}

static void
judge_all_rules(struct boots *b)
{
    for (uint32_t i = 0; i < b->n_lists; i++) {
        set_list(b, b->list[i], true);
        judge_rules(b, b->list[i]);
        for (uint32_t k = 0; b->f > 1 && k < b->n_lists; k++) {
            if (k != i) {
                set_list(b, b->list[k], true);
                judge_rules(b, b->list[i]);
                set_list(b, b->list[k], false);
            }
        }
        set_list(b, b->list[i], false);
    }
}

/* --- A leg -------------------------------------------------------------- */

/* The lists of the leg, one for each woken host that gets VMs. */
static void
find_lists(struct boots *b)
{
    const struct dcp_plan *plan = b->w.j->plan;

    for (uint32_t h = 0; h < b->w.inv->n_hosts; h++) {
        const struct dcp_survive *found = NULL;
        uint32_t n = 0;

        for (uint32_t i = 0; b->woken[h] && i < plan->n_no_boot; i++) {
            const struct dcp_survive *s = &plan->no_boot[i];

            if (s->leg == b->w.leg->index && s->lose.kind == DCP_OBJECT_HOST &&
                s->lose.ix == h) {
                found = s;
                n++;
            }
        }
        if (n > 1 || (!n && b->woken[h] && b->w.first[h + 1] > b->w.first[h])) {
            dcp_judge_report(b->w.j, 0, "no_boot", dcp_judge_host(h), 1, n,
                             "leg %s: %s list for its not booting",
                             plan->legs[b->w.leg->index].name,
                             n ? "more than one" : "no");
        }
        if (found) {
            b->list[b->n_lists++] = found;
        }
    }
}

static bool
is_spare(const struct boots *b, uint32_t host)
{
    return b->woken[host] && b->w.first[host] == b->w.first[host + 1];
}

/* The list of a host that spares stand in for. */
static bool
names_spare(const struct boots *b, const struct dcp_survive *s)
{
    return b->f > 1 && s->n && is_spare(b, s->to[0].ix);
}

/* The VMs of the list that go to the same spare as its i-th. */
static struct dcp_survive
part_of(const struct dcp_survive *s, uint32_t i, uint32_t *vms)
{
    struct dcp_survive part = *s;

    part.n = 0;
    part.vms = vms;
    for (uint32_t k = 0; k < s->n; k++) {
        if (s->to[k].ix == s->to[i].ix) {
            vms[part.n++] = s->vms[k];
        }
    }
    return part;
}

static bool
is_first_of_part(const struct dcp_survive *s, uint32_t i)
{
    bool first = true;

    for (uint32_t k = 0; first && k < i; k++) {
        first = s->to[k].ix != s->to[i].ix;
    }
    return first;
}

/* Parcels of the list, with the spares that can take each. */
static void
add_parcels(struct boots *b, const struct dcp_survive *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t spare = s->to[i].ix;

        if (!is_spare(b, spare)) {
            report(b, s, dcp_judge_vm(s->vms[i]),
                   "goes to no spare, as others of it do");
            continue;
        }
        if (dcp_stand_in_parted(&b->w, s, s->vms[i], spare) != DCP_IX_NONE) {
            report(b, s, dcp_judge_vm(s->vms[i]),
                   "goes to another spare than a rule allows");
        }
        if (!is_first_of_part(s, i)) {
            continue;
        }
        struct dcp_survive part = part_of(s, i, b->part);
        struct parcel *parcel = &b->parcels[b->n_parcels];

        *parcel =
            (struct parcel){ s, b->able + (size_t)b->n_parcels++ * b->words,
                             0 };
        for (uint32_t k = 0; k < b->n_spares; k++) {
            if (dcp_stands_in_for(&b->w, &part, b->spares[k], false)) {
                parcel->able[k / 64] |= UINT64_C(1) << (k % 64);
                parcel->n_able++;
            } else if (b->spares[k] == spare) {
                report(b, s, dcp_judge_host(spare),
                       "cannot take what it should");
            }
        }
    }
}

static bool
share_spares(const struct boots *b, const struct parcel *x,
             const struct parcel *y)
{
    uint64_t both = 0;

    for (uint32_t w = 0; w < b->words; w++) {
        both |= x->able[w] & y->able[w];
    }
    return both != 0;
}

/* Any f hosts fail.  Of the spares that can take this parcel, one that fails
 * takes itself away, another host one for each parcel that some of them can
 * take.  The f largest of these numbers; all but one of these spares may be
 * gone when this parcel is to be placed. */
static uint32_t
most_taken(const struct boots *b, const struct parcel *parcel, uint32_t *n_with)
{
    uint32_t sum = 0, left = b->f, most = 0;

    memset(n_with, 0, (b->n_parcels + 2u) * sizeof *n_with);
    n_with[1] = parcel->n_able;
    for (uint32_t k = 0; k < b->n_parcels;) {
        const struct dcp_survive *list = b->parcels[k].list;
        uint32_t n = 0;

        for (; k < b->n_parcels && b->parcels[k].list == list; k++) {
            n += share_spares(b, parcel, &b->parcels[k]);
        }
        n_with[n]++;
        most = n > most ? n : most;
    }
    for (uint32_t n = most; left && n > 0; n--) {
        uint32_t hosts = n_with[n] < left ? n_with[n] : left;

        sum += hosts * n;
        left -= hosts;
    }
    return sum;
}

static bool
judge_spares(struct boots *b)
{
    DCP_FREE uint32_t *n_with = calloc(b->n_parcels + 2u, sizeof *n_with);

    for (uint32_t k = 0; n_with && k < b->n_parcels; k++) {
        const struct parcel *parcel = &b->parcels[k];
        uint32_t most = most_taken(b, parcel, n_with);

        if (parcel->n_able < most) {
            dcp_survive_report(&b->w, parcel->list, parcel->list->lose, most,
                               parcel->n_able,
                               "has fewer spares than may be gone");
        }
    }
    return n_with || dcp_judge_no_memory(b->w.j);
}

/* Of all lists that name spares: at most one parcel for each VM. */
static bool
make_room_for_parcels(struct boots *b)
{
    uint32_t n = 0;

    for (uint32_t h = 0; h < b->w.inv->n_hosts; h++) {
        b->n_spares += is_spare(b, h);
    }
    b->words = b->n_spares / 64 + 1;
    for (uint32_t i = 0; i < b->n_lists; i++) {
        const struct dcp_survive *s = b->list[i];

        for (uint32_t k = 0; names_spare(b, s) && k < s->n; k++) {
            n += is_first_of_part(s, k);
        }
    }
    struct dcp_arena *arena = b->w.leg->arena;

    b->spares = dcp_arena_array(arena, uint32_t, b->n_spares + 1u);
    b->parcels = dcp_arena_array(arena, struct parcel, n + 1u);
    b->able = dcp_arena_array(arena, uint64_t, (size_t)n * b->words + 1);
    b->part = dcp_arena_array(arena, uint32_t, b->w.inv->n_vms + 1u);
    if (!b->spares || !b->parcels || !b->able || !b->part) {
        return dcp_judge_no_memory(b->w.j);
    }
    for (uint32_t h = 0, k = 0; h < b->w.inv->n_hosts; h++) {
        if (is_spare(b, h)) {
            b->spares[k++] = h;
        }
    }
    return true;
}

/* Spares are judged; the lists that are left are those that name targets. */
static bool
take_out_spares(struct boots *b)
{
    uint32_t n = 0;

    if (!make_room_for_parcels(b)) {
        return false;
    }
    for (uint32_t i = 0; i < b->n_lists; i++) {
        const struct dcp_survive *s = b->list[i];

        judge_members(b, s);
        if (names_spare(b, s)) {
            add_parcels(b, s);
        } else {
            b->list[n++] = s;
        }
    }
    b->n_lists = n;
    return judge_spares(b);
}

static bool
judge_lists(struct boots *b)
{
    if (!take_out_spares(b)) {
        return false;
    }
    for (uint32_t i = 0; i < b->n_lists; i++) {
        const struct dcp_survive *s = b->list[i];

        for (uint32_t k = 0; k < s->n; k++) {
            judge_target(b, s, s->vms[k], s->to[k].ix);
            b->arrivals[b->n_arrivals++] =
                (struct arrival){ s->to[k].ix, i, s->vms[k] };
        }
    }
    judge_all_rules(b);
    return dcp_survive_judge_lists(&b->w, b->list, b->n_lists, b->f) &&
           judge_rooms(b);
}

static bool
prepare(struct boots *b)
{
    struct dcp_leg_view *leg = b->w.leg;
    struct dcp_arena *arena = leg->arena;
    const struct dcp_inventory *inv = b->w.inv;
    uint32_t n_vms = 0;

    for (uint32_t i = 0; i < leg->j->plan->n_no_boot; i++) {
        n_vms += leg->j->plan->no_boot[i].n;
    }
    b->w.first = dcp_arena_array(arena, uint32_t, inv->n_hosts + 1u);
    b->w.vms = dcp_arena_array(arena, uint32_t, inv->n_vms + 1u);
    b->w.need = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u);
    b->w.capacity = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u);
    b->w.sum = dcp_arena_array(arena, uint64_t, leg->cells.n + 1u);
    b->w.after = dcp_arena_array(arena, dcp_host_id, inv->n_vms + 1u);
    b->list =
        dcp_arena_array(arena, const struct dcp_survive *, inv->n_hosts + 1u);
    b->arrivals = dcp_arena_array(arena, struct arrival, n_vms + 1u);
    if (!b->w.first || !b->w.vms || !b->w.need || !b->w.capacity || !b->w.sum ||
        !b->w.after || !b->list || !b->arrivals) {
        return dcp_judge_no_memory(leg->j);
    }
    dcp_placement_by_host(leg->end, b->w.first, b->w.vms);
    memcpy(b->w.after, leg->end->host, inv->n_vms * sizeof *b->w.after);
    return dcp_survive_index_rules(&b->w);
}

bool
dcp_no_boot_check(struct dcp_leg_view *leg)
{
    const struct dcp_inventory *inv = leg->j->inv;
    struct boots b = { .w = { .leg = leg,
                              .j = leg->j,
                              .inv = inv,
                              .promise = "no_boot",
                              .event = "without" } };
    struct dcp_overload overload = { 0 };

    b.woken = dcp_arena_array(leg->arena, uint8_t, inv->n_hosts + 1u);
    if (!b.woken) {
        return dcp_judge_no_memory(leg->j);
    }
    for (uint32_t h = 0; leg->index && h < inv->n_hosts; h++) {
        b.woken[h] = leg->end->on[h] && !leg->start->on[h];
        b.n_woken += b.woken[h];
    }
    b.f = may_fail(&inv->policy, b.n_woken);
    if (!b.f) {
        return true;
    }
    DCP_FREE uint64_t *load = 
        dcp_cells_load(&leg->cells, leg->end, UINT32_MAX);
    bool ok = load ? prepare(&b) : dcp_judge_no_memory(leg->j);

    b.w.load = load;
    if (ok && dcp_overload_asked(leg->j)) {
        uint32_t first = leg->cells.first_slot;

        b.w.overload = &overload;
        ok = dcp_overload_init(&overload, leg->j, first,
                               first + leg->cells.n_slots) &&
             dcp_overload_sum(&overload, leg->end);
    }
    if (ok) {
        find_lists(&b);
        ok = judge_lists(&b);
    }
    dcp_overload_finish(&overload);
    return ok;
}
