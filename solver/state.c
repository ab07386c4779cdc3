/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Columns by host; a host's items are a doubly linked list through columns of
 * items.  dcp_state_place() and dcp_state_remove() are the only writers of the
 * sums; tests/unit/test_solver.c recounts them. */

#include "solver/headroom/loss_sums.h"
#include "solver/rows.h"
#include "solver/state_rules.h"

#include <stdlib.h>
#include <string.h>

static uint32_t *
copy_u32(uint32_t *to, const uint32_t *from, size_t n)
{
    return n ? memcpy(to, from, n * sizeof *to) : to;
}

static bool
allocate(struct dcp_state *s)
{
    const struct dcp_problem *p = s->p;
    size_t nh = p->n_hosts, ni = p->n_items;
    bool ok = true;

    s->host = malloc((ni + 1) * sizeof *s->host);
    s->on = calloc(nh + 1, 1);
    s->cpu_mhz = calloc(nh * p->stride + 1, sizeof *s->cpu_mhz);
    if (p->net_kib_s) {
        s->net_kib_s = calloc(nh * p->stride + 1, sizeof *s->net_kib_s);
        ok = s->net_kib_s != NULL;
    }
    s->used = calloc(nh * p->n_scalars + 1, sizeof *s->used);
    s->cpu_peak_mhz = calloc(nh + 1, sizeof *s->cpu_peak_mhz);
    s->room = calloc(nh + 1, sizeof *s->room);
    if (p->conversions) {
        s->was = malloc((ni + 1) * sizeof *s->was);
        ok = ok && s->was;
    }
    s->first = malloc((nh + 1) * sizeof *s->first);
    s->next = malloc((ni + 1) * sizeof *s->next);
    s->prev = malloc((ni + 1) * sizeof *s->prev);
    s->n_on_host = calloc(nh + 1, sizeof *s->n_on_host);
    s->count = calloc(p->n_groups + 1u, sizeof *s->count);
    if (p->chance) {
        s->chance = dcp_chance_load_create(p->chance, p->n_hosts);
        ok = ok && s->chance;
    }
    if (p->watts) {
        s->watts = dcp_watts_create(p->watts);
        ok = ok && s->watts;
    }
    if (p->losses) {
        s->loss_sums = dcp_loss_sums_create(p);
        ok = ok && s->loss_sums;
    }
    ok = ok && s->room && s->host && s->on && s->cpu_mhz && s->used && s->cpu_peak_mhz &&
         s->first && s->next && s->prev && s->n_on_host && s->count;
    s->objective = dcp_objective_create(p);
    return ok && s->objective && dcp_state_rules_init(s);
}

struct dcp_state *
dcp_state_create(const struct dcp_problem *p, struct dcp_error *err)
{
    struct dcp_state *s = calloc(1, sizeof *s);

    if (s) {
        s->p = p;
    }
    if (!s || !allocate(s)) {
        dcp_state_destroy(s);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a search state");
        return NULL;
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        s->host[i] = DCP_IX_NONE;
        if (s->was) {
            s->was[i] = DCP_IX_NONE;
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        s->first[h] = DCP_IX_NONE;
        dcp_state_power(s, h, p->q->start->on[h]);
    }
    s->n_unplaced = p->n_items;
    for (uint32_t i = 0; i < p->n_items; i++) {
        if (p->start_host[i] != DCP_IX_NONE) {
            dcp_state_place(s, i, p->start_host[i]);
        }
    }
    return s;
}

void
dcp_state_destroy(struct dcp_state *s)
{
    if (!s) {
        return;
    }
    dcp_objective_destroy(s->objective);
    dcp_state_rules_finish(s);
    free(s->host);
    free(s->on);
    free(s->cpu_mhz);
    free(s->net_kib_s);
    dcp_chance_load_destroy(s->chance);
    dcp_watts_destroy(s->watts);
    dcp_loss_sums_destroy(s->loss_sums);
    free(s->used);
    free(s->cpu_peak_mhz);
    free(s->room);
    free(s->was);
    free(s->first);
    free(s->next);
    free(s->prev);
    free(s->n_on_host);
    free(s);
}

void
dcp_state_assign(struct dcp_state *to, const struct dcp_state *from)
{
    const struct dcp_problem *p = from->p;
    size_t nh = p->n_hosts, ni = p->n_items;

    copy_u32(to->host, from->host, ni);
    memcpy(to->on, from->on, nh);
    copy_u32(to->cpu_mhz, from->cpu_mhz, nh * p->stride);
    if (from->net_kib_s) {
        copy_u32(to->net_kib_s, from->net_kib_s, nh * p->stride);
    }
    if (from->chance) {
        dcp_chance_load_assign(to->chance, from->chance);
    }
    if (from->watts) {
        dcp_watts_assign(to->watts, from->watts);
    }
    if (from->loss_sums) {
        dcp_loss_sums_assign(to->loss_sums, from->loss_sums);
    }
    copy_u32(to->used, from->used, nh * p->n_scalars);
    copy_u32(to->cpu_peak_mhz, from->cpu_peak_mhz, nh);
    copy_u32(to->room, from->room, nh);
    if (from->was) {
        copy_u32(to->was, from->was, ni);
    }
    copy_u32(to->first, from->first, nh);
    copy_u32(to->next, from->next, ni);
    copy_u32(to->prev, from->prev, ni);
    copy_u32(to->n_on_host, from->n_on_host, nh);
    dcp_state_rules_assign(to, from);
    dcp_objective_assign(to->objective, from->objective, p);
    to->n_on = from->n_on;
    to->n_unplaced = from->n_unplaced;
    memcpy(to->loss_form, from->loss_form, sizeof to->loss_form);
    to->n_checks = from->n_checks;
}

void
dcp_state_become(struct dcp_state *s, const struct dcp_placement *where)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t i = 0; i < p->n_items; i++) {
        if (s->host[i] != DCP_IX_NONE) {
            dcp_state_remove(s, i);
        }
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        dcp_state_power(s, h, where->on[h]);
    }
    for (uint32_t i = 0; i < p->n_items; i++) {
        uint32_t to = where->host[p->vm[p->vm_first[i]]].ix;

        if (to != DCP_IX_NONE) {
            dcp_state_place(s, i, to);
        }
    }
}

static void
set_room(struct dcp_state *s, uint32_t host)
{
    uint32_t cap = s->p->cap[host], used = s->used[host];

    s->room[host] = s->on[host] && s->p->use[host] != DCP_HOST_AVOID &&
                            used < cap
                        ? cap - used
                        : 0;
}

static void
set_watts(struct dcp_state *s, uint32_t host)
{
    if (s->watts) {
        dcp_watts_set(s->watts, host, s->on[host],
                      s->cpu_mhz + (size_t)host * s->p->stride);
    }
}

void
dcp_state_add_load(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;
    size_t from = (size_t)item * p->stride, to = (size_t)host * p->stride;

    s->cpu_peak_mhz[host] =
        dcp_row_add(s->cpu_mhz + to, p->cpu_mhz + from, p->stride);
    if (s->net_kib_s) {
        (void)dcp_row_add(s->net_kib_s + to, p->net_kib_s + from, p->stride);
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        s->used[(size_t)r * p->n_hosts + host] +=
            dcp_problem_request(p, item, host, r);
    }
    if (s->chance) {
        dcp_chance_load_add(s->chance, item, host);
    }
    set_room(s, host);
}

static void
link_first(struct dcp_state *s, uint32_t item, uint32_t host)
{
    s->prev[item] = DCP_IX_NONE;
    s->next[item] = s->first[host];
    if (s->first[host] != DCP_IX_NONE) {
        s->prev[s->first[host]] = item;
    }
    s->first[host] = item;
}

static void
unlink_item(struct dcp_state *s, uint32_t item, uint32_t host)
{
    if (s->prev[item] == DCP_IX_NONE) {
        s->first[host] = s->next[item];
    } else {
        s->next[s->prev[item]] = s->next[item];
    }
    if (s->next[item] != DCP_IX_NONE) {
        s->prev[s->next[item]] = s->prev[item];
    }
}

void
dcp_state_place(struct dcp_state *s, uint32_t item, uint32_t host)
{
    dcp_state_add_load(s, item, host);
    set_watts(s, host);
    if (s->loss_sums) {
        dcp_loss_sums_place(s->loss_sums, item, host);
    }
    dcp_state_rules_place(s, item, host);
    link_first(s, item, host);
    dcp_objective_touch(s->objective, host);
    s->n_on_host[host]++;
    s->host[item] = host;
    s->n_unplaced--;
}

void
dcp_state_sub_load(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;
    size_t from = (size_t)item * p->stride, to = (size_t)host * p->stride;

    s->cpu_peak_mhz[host] =
        dcp_row_sub(s->cpu_mhz + to, p->cpu_mhz + from, p->stride);
    if (s->net_kib_s) {
        (void)dcp_row_sub(s->net_kib_s + to, p->net_kib_s + from, p->stride);
    }
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        s->used[(size_t)r * p->n_hosts + host] -=
            dcp_problem_request(p, item, host, r);
    }
    if (s->chance) {
        dcp_chance_load_sub(s->chance, item, host);
    }
    set_room(s, host);
}

void
dcp_state_add_scalars(struct dcp_state *s, const uint32_t amount[],
                      uint32_t host)
{
    for (uint32_t r = 0; r < s->p->n_scalars; r++) {
        s->used[(size_t)r * s->p->n_hosts + host] += amount[r];
    }
    set_room(s, host);
}

void
dcp_state_sub_scalars(struct dcp_state *s, const uint32_t amount[],
                      uint32_t host)
{
    for (uint32_t r = 0; r < s->p->n_scalars; r++) {
        s->used[(size_t)r * s->p->n_hosts + host] -= amount[r];
    }
    set_room(s, host);
}

void
dcp_state_remove(struct dcp_state *s, uint32_t item)
{
    uint32_t host = s->host[item];

    if (s->was) {
        s->was[item] = host;
    }
    dcp_state_sub_load(s, item, host);
    set_watts(s, host);
    unlink_item(s, item, host);
    if (s->loss_sums) {
        dcp_loss_sums_remove(s->loss_sums, item, host);
    }
    dcp_objective_touch(s->objective, host);
    s->n_on_host[host]--;
    s->host[item] = DCP_IX_NONE;
    s->n_unplaced++;
    dcp_state_rules_remove(s, item, host);
}

void
dcp_state_power(struct dcp_state *s, uint32_t host, bool on)
{
    s->n_on += (uint32_t)on - s->on[host];
    dcp_state_rules_power(s, host, on);
    if (s->loss_sums && s->on[host] != on) {
        dcp_loss_sums_power(s->loss_sums, host, on);
    }
    s->on[host] = on;
    set_watts(s, host);
    dcp_objective_touch(s->objective, host);
    set_room(s, host);
}

/* --- Room --------------------------------------------------------------- */

static bool
fits(struct dcp_state *s, uint32_t item, uint32_t host, const uint32_t *cap,
     const uint32_t *cap_cpu, const uint32_t *cap_net)
{
    const struct dcp_problem *p = s->p;

    s->n_checks++;
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;

        if ((uint64_t)s->used[at] +
                dcp_problem_request(p, item, host, r) >
            cap[at]) {
            return false;
        }
    }
    if (s->cpu_peak_mhz[host] + p->cpu_peak_mhz[item] > cap_cpu[host] &&
        !dcp_row_fits(s->cpu_mhz + (size_t)host * p->stride,
                      p->cpu_mhz + (size_t)item * p->stride, cap_cpu[host],
                      p->stride)) {
        return false;
    }
    return !s->net_kib_s ||
           dcp_row_fits(s->net_kib_s + (size_t)host * p->stride,
                        p->net_kib_s + (size_t)item * p->stride, cap_net[host],
                        p->stride);
}

bool
dcp_state_fits(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;

    return fits(s, item, host, p->cap, p->cap_cpu_mhz, p->cap_net_kib_s) &&
           (!s->chance || dcp_chance_fits(s->chance, item, host, false)) &&
           (!s->watts ||
            dcp_watts_bear(s->watts, host,
                           s->cpu_mhz + (size_t)host * p->stride,
                           p->cpu_mhz + (size_t)item * p->stride));
}

bool
dcp_state_bears_full(const struct dcp_state *s, uint32_t host)
{
    return !s->watts ||
           dcp_watts_bear(s->watts, host,
                          s->cpu_mhz + (size_t)host * s->p->stride, NULL);
}

bool
dcp_state_fits_full(struct dcp_state *s, uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;

    return fits(s, item, host, p->full, p->full_cpu_mhz, p->full_net_kib_s) &&
           (!s->chance || dcp_chance_fits(s->chance, item, host, true));
}

/* By scalars, CPU and network alone. */
static bool
swap_fits(struct dcp_state *s, uint32_t item, uint32_t other, bool full)
{
    const struct dcp_problem *p = s->p;
    const uint32_t *cap = full ? p->full : p->cap;
    uint32_t host = s->host[other];
    size_t in = (size_t)item * p->stride, out = (size_t)other * p->stride;
    size_t at = (size_t)host * p->stride;

    s->n_checks++;
    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t cell = (size_t)r * p->n_hosts + host;

        if ((uint64_t)s->used[cell] + dcp_problem_request(p, item, host, r) >
            (uint64_t)cap[cell] + dcp_problem_request(p, other, host, r)) {
            return false;
        }
    }
    return dcp_row_swap_fits(s->cpu_mhz + at, p->cpu_mhz + in, p->cpu_mhz + out,
                             (full ? p->full_cpu_mhz : p->cap_cpu_mhz)[host],
                             p->stride) &&
           (!s->net_kib_s ||
            dcp_row_swap_fits(
                s->net_kib_s + at, p->net_kib_s + in, p->net_kib_s + out,
                (full ? p->full_net_kib_s : p->cap_net_kib_s)[host],
                p->stride));
}

bool
dcp_state_fits_instead(struct dcp_state *s, uint32_t item, uint32_t other,
                       bool full)
{
    uint32_t host = s->host[other];
    bool ok;

    if (!s->chance && !s->watts) {
        unlink_item(s, other, host);
        link_first(s, other, host);
        return swap_fits(s, item, other, full);
    }
    dcp_state_remove(s, other);
    ok = full ? dcp_state_fits_full(s, item, host)
              : dcp_state_fits(s, item, host);
    dcp_state_place(s, other, host);
    return ok;
}

bool
dcp_state_overloaded(const struct dcp_state *s, uint32_t host)
{
    const struct dcp_problem *p = s->p;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;

        if (s->used[at] > p->cap[at]) {
            return true;
        }
    }
    if (s->cpu_peak_mhz[host] > p->cap_cpu_mhz[host]) {
        return true;
    }
    for (uint32_t t = 0; s->net_kib_s && t < p->n_slots; t++) {
        if (s->net_kib_s[(size_t)host * p->stride + t] >
            p->cap_net_kib_s[host]) {
            return true;
        }
    }
    return s->chance && dcp_chance_overloaded(s->chance, host);
}

double
dcp_state_room_left(const struct dcp_state *s, const struct dcp_weights *w,
                    uint32_t item, uint32_t host)
{
    const struct dcp_problem *p = s->p;
    double sum = 0;

    for (uint32_t r = 0; r < p->n_scalars; r++) {
        size_t at = (size_t)r * p->n_hosts + host;

        if (w->scalar[r] > 0 && p->cap[at]) {
            double left =
                ((double)p->cap[at] - s->used[at] -
                 dcp_problem_request(p, item, host, r)) / p->cap[at];

            sum += w->scalar[r] * left * left;
        }
    }
    if (p->cap_cpu_mhz[host]) {
        double left = ((double)p->cap_cpu_mhz[host] - s->cpu_peak_mhz[host] -
                       p->cpu_peak_mhz[item]) / p->cap_cpu_mhz[host];

        sum += w->cpu * left * left;
    }
    return sum;
}
