/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each failed boot is played on the state of the day and taken back, as a loss
 * is in headroom.c.  For f > 1 the sums of every target are raised meanwhile
 * by what other lists may bring there at most. */

#include "solver/headroom/failed_boots_parts.h"

#include "model/base/sort.h"
#include "solver/search/item_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint32_t
dcp_failed_boots_count(const struct dcp_policy *policy, uint32_t n_woken)
{
    if (policy->failed_boots_frac <= 0 || !n_woken) {
        return 0;
    }
    double share = floor(policy->failed_boots_frac * n_woken + 1e-9);

    return share < 1 ? 1 : (uint32_t)share;
}

/* --- Rows of what lists bring ------------------------------------------- */

static void
add_item(const struct dcp_boots *b, uint32_t item, uint32_t *cells)
{
    const struct dcp_problem *p = b->p;

    for (uint32_t t = 0; t < p->stride; t++) {
        *cells++ += p->cpu_mhz[(size_t)item * p->stride + t];
    }
    for (uint32_t t = 0; p->net_kib_s && t < p->stride; t++) {
        *cells++ += p->net_kib_s[(size_t)item * p->stride + t];
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        *cells++ += p->request[(size_t)item * p->n_scalars + r];
    }
    for (uint32_t k = 0; p->chance && k < p->chance->stride; k++) {
        *cells++ += p->chance->mhz[(size_t)item * p->chance->stride + k];
    }
}

static struct dcp_boot_row *
row_of(struct dcp_boots *b, uint32_t target, uint32_t woken)
{
    for (uint32_t i = b->n_rows; i-- > 0 && b->rows[i].woken == woken;) {
        if (b->rows[i].target == target) {
            return &b->rows[i];
        }
    }
    if (b->n_rows == b->rows_capacity) {
        uint32_t n = b->rows_capacity ? 2 * b->rows_capacity : 64;
        struct dcp_boot_row *more = realloc(b->rows, n * sizeof *more);

        if (!more) {
            return NULL;
        }
        b->rows = more;
        b->rows_capacity = n;
    }
    struct dcp_boot_row *row = &b->rows[b->n_rows];

    *row = (struct dcp_boot_row){ target, woken, b->first_row[target],
                                  calloc(b->n_cells + 1u, sizeof *row->cells) };
    if (!row->cells) {
        return NULL;
    }
    if (row->next == DCP_IX_NONE) {
        b->targets[b->n_targets++] = target;
    }
    b->first_row[target] = b->n_rows++;
    return row;
}

void
dcp_boots_forget_rows(struct dcp_boots *b)
{
    for (uint32_t i = 0; i < b->n_rows; i++) {
        free(b->rows[i].cells);
    }
    for (uint32_t i = 0; i < b->n_targets; i++) {
        b->first_row[b->targets[i]] = DCP_IX_NONE;
        memset(b->reserve + (size_t)b->targets[i] * b->n_cells, 0,
               b->n_cells * sizeof *b->reserve);
    }
    b->n_rows = b->n_targets = 0;
}

/* The f - 1 largest amounts that lists other than that of 'without' bring to
 * 'target', cell by cell. */
static void
others_most(const struct dcp_boots *b, uint32_t target, uint32_t without,
            uint32_t *out)
{
    for (uint32_t c = 0; c < b->n_cells; c++) {
        uint64_t sum = 0;
        uint32_t below = UINT32_MAX, n_left = b->f - 1, n_same = 0;

        while (n_left) { /* The next largest value, with its repeats. */
            uint32_t most = 0;

            n_same = 0;
            for (uint32_t i = b->first_row[target]; i != DCP_IX_NONE;
                 i = b->rows[i].next) {
                uint32_t x = b->rows[i].cells[c];

                if (b->rows[i].woken == without || x >= below) {
                    continue;
                }
                n_same = x > most ? 1 : n_same + (x == most);
                most = x > most ? x : most;
            }
            if (!most) {
                break;
            }
            n_same = n_same < n_left ? n_same : n_left;
            sum += (uint64_t)most * n_same;
            n_left -= n_same;
            below = most;
        }
        out[c] = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
    }
}

/* Adds (or takes off again) amounts that no item of the state stands for. */
static void
raise(struct dcp_boots *b, uint32_t host, const uint32_t *cells, bool on)
{
    const struct dcp_problem *p = b->p;
    struct dcp_state *s = b->s;
    uint32_t sign = on ? 1 : UINT32_MAX, peak = 0;
    uint32_t *cpu = s->cpu_mhz + (size_t)host * p->stride;

    for (uint32_t t = 0; t < p->stride; t++) {
        cpu[t] += sign * *cells++;
        peak = cpu[t] > peak ? cpu[t] : peak;
    }
    s->cpu_peak_mhz[host] = peak;
    for (uint32_t t = 0; p->net_kib_s && t < p->stride; t++) {
        s->net_kib_s[(size_t)host * p->stride + t] += sign * *cells++;
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        s->used[(size_t)r * p->n_hosts + host] += sign * *cells++;
    }
    peak = 0;
    for (uint32_t k = 0; p->chance && k < p->chance->stride; k++) {
        uint32_t *sum = &s->chance->mhz[(size_t)host * p->chance->stride + k];

        *sum += sign * *cells++;
        peak = *sum > peak ? *sum : peak;
    }
    if (p->chance) {
        s->chance->peak_mhz[host] = peak;
    }
}

static void
raise_all(struct dcp_boots *b, bool on)
{
    for (uint32_t i = 0; i < b->n_targets; i++) {
        uint32_t h = b->targets[i];

        raise(b, h, b->reserve + (size_t)h * b->n_cells, on);
    }
}

/* --- One boot that fails ------------------------------------------------ */

/* Whether 'item' may be on 'host' when 'other' is where its list says. */
static bool
beside(struct dcp_boots *b, uint32_t item, uint32_t host, uint32_t other)
{
    uint32_t at = b->s->host[other];

    if (other == item || b->fallback[other] == DCP_IX_NONE ||
        at == DCP_IX_NONE || at == b->fallback[other]) {
        return true;
    }
    dcp_state_remove(b->s, other);
    dcp_state_place(b->s, other, b->fallback[other]);
    bool ok = !dcp_state_blocking_group(b->s, item, host, true);

    dcp_state_remove(b->s, other);
    dcp_state_place(b->s, other, at);
    return ok;
}

/* A lonely rule is about everybody: those that other lists bring there. */
static bool
company_allows(struct dcp_boots *b, uint32_t item, uint32_t host)
{
    bool ok = true;

    for (uint32_t r = b->first_row[host]; ok && r != DCP_IX_NONE;
         r = b->rows[r].next) {
        uint32_t i = b->s->first[b->rows[r].woken], next;

        for (; ok && i != DCP_IX_NONE; i = next) {
            next = b->s->next[i];
            ok = b->fallback[i] != host || beside(b, item, host, i);
        }
    }
    return ok;
}

/* With f > 1 another of the hosts may be missing too: its VMs are then where
 * their list says. */
static bool
pairs_allow(struct dcp_boots *b, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = b->p;
    bool ok = true;

    for (uint32_t k = p->group_first[item];
         b->f > 1 && ok && k < p->group_first[item + 1]; k++) {
        const struct dcp_group *g =
            &p->groups[p->group_of[k] & ~DCP_GROUP_OTHER];

        for (uint32_t i = 0; ok && i < g->n_items + g->n_others; i++) {
            ok = beside(b, item, host,
                        i < g->n_items ? g->items[i]
                                       : g->others[i - g->n_items]);
        }
    }
    return ok && (b->f < 2 || !p->n_lonely || company_allows(b, item, host));
}

/* Rack, feeds and room bear what the lists may bring. */
static bool
is_borne(const struct dcp_boots *b, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = b->p;
    const uint32_t *mhz = b->s->cpu_mhz + (size_t)host * p->stride;

    return !b->full ||
           (b->f > 1 ? dcp_watts_bear(b->full, host, mhz, NULL)
                     : dcp_watts_bear(b->s->watts, host, mhz,
                                      p->cpu_mhz + (size_t)item * p->stride));
}

static bool
takes(struct dcp_boots *b, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = b->p;

    return b->s->on[host] && !b->misread[host] &&
           p->use[host] != DCP_HOST_AVOID &&
           (!b->is_woken[host] || b->f == 1) &&
           dcp_state_fits_full(b->s, item, host) &&
           dcp_problem_reaches(p, item, host) &&
           dcp_state_restarts(b->s, item, host) &&
           pairs_allow(b, item, host) && is_borne(b, item, host);
}

/* Where it is at night if it can stay there, else best fit. */
static uint32_t
find_place(struct dcp_boots *b, uint32_t item)
{
    const struct dcp_problem *p = b->p;
    uint32_t stay = b->night->host[p->vm[p->vm_first[item]]].ix;
    uint32_t best = DCP_IX_NONE;
    double least = 0;

    if (stay != DCP_IX_NONE && takes(b, item, stay)) {
        return stay;
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (!takes(b, item, h)) {
            continue;
        }
        double room = dcp_state_room_left(b->s, &b->weights, item, h);

        if (best == DCP_IX_NONE || room < least) {
            best = h;
            least = room;
        }
    }
    return best;
}

static bool
remember_rows(struct dcp_boots *b, uint32_t woken)
{
    uint32_t first = b->n_rows;

    for (uint32_t i = 0; i < b->n_items; i++) {
        struct dcp_boot_row *row = row_of(b, b->fallback[b->items[i]], woken);

        if (!row) {
            return false;
        }
        add_item(b, b->items[i], row->cells);
    }
    for (uint32_t i = first; i < b->n_rows; i++) {
        uint32_t target = b->rows[i].target;

        others_most(b, target, DCP_IX_NONE,
                    b->reserve + (size_t)target * b->n_cells);
    }
    return true;
}

/* '*out_ok' false: a VM of the host finds no other place. */
static bool
play(struct dcp_boots *b, uint32_t woken, bool *out_ok)
{
    struct dcp_state *s = b->s;
    bool ok = true;

    b->n_items = 0;
    while (s->first[woken] != DCP_IX_NONE) {
        b->items[b->n_items++] = s->first[woken];
        dcp_state_remove(s, s->first[woken]);
    }
    dcp_items_by_size(b->p, b->items, b->n_items);
    dcp_state_power(s, woken, false);
    raise_all(b, true);
    for (uint32_t i = 0; ok && i < b->n_items; i++) {
        uint32_t item = b->items[i], h = find_place(b, item);

        ok = h != DCP_IX_NONE;
        b->fallback[item] = h;
        if (ok) {
            dcp_state_place(s, item, h);
        }
        if (ok && b->full && b->f > 1) {
            dcp_watts_set_full(b->full, h);
        }
    }
    for (uint32_t i = 0; i < b->n_items; i++) {
        if (s->host[b->items[i]] != DCP_IX_NONE) {
            dcp_state_remove(s, b->items[i]);
        }
    }
    raise_all(b, false);
    dcp_state_power(s, woken, true);
    for (uint32_t i = b->n_items; i-- > 0;) {
        dcp_state_place(s, b->items[i], woken);
    }
    for (uint32_t i = 0; !ok && i < b->n_items; i++) {
        b->fallback[b->items[i]] = DCP_IX_NONE;
    }
    *out_ok = ok;
    return !ok || b->f == 1 || remember_rows(b, woken);
}

/* Joint samples count how many are too high, which is no sum: once all lists
 * are known each is tested beside the most of all others. */
static bool
stands(struct dcp_boots *b, const struct dcp_boot_row *row, uint32_t *others)
{
    const struct dcp_chance_load *l = b->s->chance;
    bool ok = true;

    others_most(b, row->target, row->woken, others);
    raise(b, row->target, others, true);
    raise(b, row->target, row->cells, true);
    for (uint32_t r = 0; r < l->c->n_ranges; r++) {
        uint32_t above = 0;

        for (uint32_t k = l->c->first[r]; k < l->c->first[r + 1]; k++) {
            above += l->mhz[(size_t)row->target * l->c->stride + k] >
                     l->c->full_mhz[row->target];
        }
        ok = ok && above <= l->c->allowed[r];
    }
    raise(b, row->target, row->cells, false);
    raise(b, row->target, others, false);
    return ok;
}

/* --- Lists -------------------------------------------------------------- */

static bool
write_list(const struct dcp_boots *b, uint32_t woken, struct dcp_arena *arena,
           struct dcp_loss_answer *out)
{
    const struct dcp_problem *p = b->p;
    uint32_t n = 0, n_vms = p->q->inventory->n_vms;
    DCP_FREE uint32_t(*pairs)[2] = calloc(n_vms + 1u, sizeof *pairs);

    for (uint32_t i = b->s->first[woken]; pairs && i != DCP_IX_NONE;
         i = b->s->next[i]) {
        for (uint32_t k = p->vm_first[i]; k < p->vm_first[i + 1]; k++) {
            pairs[n][0] = p->vm[k];
            pairs[n++][1] =
                b->spare[i] != DCP_IX_NONE ? b->spare[i] : b->fallback[i];
        }
    }
    uint32_t *vms = dcp_arena_array(arena, uint32_t, n);
    uint32_t *to = dcp_arena_array(arena, uint32_t, n);

    if (!pairs || !vms || !to) {
        return false;
    }
    dcp_sort_u32_pairs(pairs, n);
    for (uint32_t i = 0; i < n; i++) {
        vms[i] = pairs[i][0];
        to[i] = pairs[i][1];
    }
    *out = (struct dcp_loss_answer){
        .lose = { DCP_LOSS_HOST, woken }, .vms = vms, .to = to, .n = n
    };
    return true;
}

bool
dcp_boots_write_lists(const struct dcp_boots *b, struct dcp_arena *arena,
                      struct dcp_failed_boots *out)
{
    bool memory = true;

    out->lists = dcp_arena_array(arena, struct dcp_loss_answer, b->n_woken);
    memory = out->lists != NULL;
    for (uint32_t i = 0; memory && i < b->n_woken; i++) {
        memory = write_list(b, b->woken[i], arena, &out->lists[out->n_lists++]);
    }
    return memory;
}

/* --- All of them -------------------------------------------------------- */

void
dcp_boots_count_woken(struct dcp_boots *b)
{
    b->n_woken = 0;
    for (uint32_t h = 0; h < b->p->n_hosts; h++) {
        if (b->is_woken[h]) {
            b->woken[b->n_woken++] = h;
        }
    }
    b->f = dcp_failed_boots_count(&b->p->q->inventory->policy, b->n_woken);
}

/* A host of which the joint samples do not hold has no list either. */
static bool
judge_samples(struct dcp_boots *b)
{
    DCP_FREE uint32_t *others = calloc(b->n_cells + 1u, sizeof *others);
    DCP_FREE uint8_t *fails = calloc(b->p->n_hosts + 1u, 1);

    for (uint32_t i = 0; others && fails && i < b->n_rows; i++) {
        uint32_t h = b->rows[i].woken;

        if (!fails[h] && !stands(b, &b->rows[i], others)) {
            fails[h] = 1;
            b->pool[b->n_pool++] = h;
        }
    }
    return others && fails;
}

/* Lists for as many as have them; the others are the pool. */
bool
dcp_boots_list_all(struct dcp_boots *b)
{
    bool ok = true, memory = true;

    dcp_boots_forget_rows(b);
    if (b->full) {
        dcp_watts_assign(b->full, b->s->watts);
    }
    b->n_pool = 0;
    for (uint32_t i = 0; i < b->p->n_items; i++) {
        b->fallback[i] = b->spare[i] = DCP_IX_NONE;
    }
    for (uint32_t i = 0; memory && i < b->n_woken; i++) {
        memory = play(b, b->woken[i], &ok);
        if (!ok) {
            b->pool[b->n_pool++] = b->woken[i];
        }
    }
    return memory && (b->f < 2 || !b->p->chance || judge_samples(b));
}
