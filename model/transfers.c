/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Links of the sharing: of each host out and in, then of each link of the
 * network its two ways.  A run is brought up to now only when its rate
 * changes, so a migration that shares nothing costs two visits. */

#include "model/transfers.h"

#include "model/maxmin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_FRAC 0.05

struct slot { /* By flow. */
    uint32_t key;
    uint32_t vm, from, to, step;
    int64_t begin_ms, at_ms; /* The run is as it is at 'at_ms'. */
    double rate_kib_s;
    struct dcp_precopy_run run;
    uint32_t n_ahead; /* Slowdowns after 'at_ms' that are noted already. */
    int64_t end_ms;
    bool given_up;
    bool changed; /* Its key is among those. */
    bool untold;
};

struct dcp_transfers {
    const struct dcp_inventory *inventory;
    const struct dcp_samples *net;
    struct dcp_network *network;
    struct dcp_maxmin *sharing;
    int64_t cell;       /* Of production; -1: none yet. */
    double *host_kib_s; /* Production. */
    double *link_kib_s; /* What it takes of the network's links. */
    uint32_t n_keys;
    uint32_t *flow_of; /* By key; UINT32_MAX: none. */
    struct slot *slots;
    uint32_t n_slots; /* Capacity. */
    uint32_t n_under_way;
    uint32_t *changed; /* Keys. */
    uint32_t n_changed;
    struct dcp_transfer_totals totals;
    struct dcp_slowdown *slowdowns; /* Noted, and not given yet. */
    uint32_t n_slowdowns, slowdowns_capacity;
    bool no_memory; /* For them. */
};

#define NO_FLOW UINT32_MAX

static const struct dcp_hardware *
hardware_of(const struct dcp_inventory *inv, uint32_t host)
{
    return &inv->hardware[inv->hosts[host].hardware.ix];
}

static double
fastest_nic(const struct dcp_hardware *hw)
{
    double fastest = 0;

    for (uint32_t i = 0; i < hw->n_nics; i++) {
        fastest = fmax(fastest, (double)hw->nic_kib_s[i]);
    }
    return fastest;
}

bool
dcp_transfers_reach(const struct dcp_inventory *inv, uint32_t host)
{
    return fastest_nic(hardware_of(inv, host)) > 0;
}

/* --- Capacities --------------------------------------------------------- */

double
dcp_transfers_share(const struct dcp_inventory *inv, uint32_t host,
                    double used_kib_s)
{
    const struct dcp_hardware *hw = hardware_of(inv, host);
    double fastest = fastest_nic(hw), sum = 0;

    for (uint32_t i = 0; i < hw->n_nics; i++) {
        sum += (double)hw->nic_kib_s[i];
    }
    return fmax(fmin(fastest, sum - used_kib_s), FLOOR_FRAC * fastest);
}

static void
set_host(struct dcp_transfers *t, uint32_t host)
{
    double left = dcp_transfers_share(t->inventory, host, t->host_kib_s[host]);

    dcp_maxmin_set_capacity(t->sharing, 2 * host, left);
    dcp_maxmin_set_capacity(t->sharing, 2 * host + 1, left);
}

static void
set_links(struct dcp_transfers *t)
{
    uint32_t first = 2 * t->inventory->n_hosts;

    if (!t->network->any) {
        return;
    }
    dcp_network_use(t->network, t->host_kib_s, t->link_kib_s);
    for (uint32_t l = 0; l < t->network->n_links; l++) {
        double rate = (double)dcp_network_rate(t->network, l);
        double left = fmax(rate - t->link_kib_s[l], FLOOR_FRAC * rate);

        dcp_maxmin_set_capacity(t->sharing, first + 2 * l, left);
        dcp_maxmin_set_capacity(t->sharing, first + 2 * l + 1, left);
    }
}

static int64_t
cell_at(const struct dcp_samples *net, int64_t now_ms)
{
    int64_t cell = dcp_samples_cell(net, now_ms);

    return cell < 0 ? 0 : cell < net->n_times ? cell : net->n_times - 1;
}

static bool
is_measured(const struct dcp_transfers *t)
{
    return t->net && t->net->n_times;
}

static void
load_production(struct dcp_transfers *t, const struct dcp_placement *now,
                int64_t cell)
{
    const struct dcp_samples *net = t->net;
    const float *row = net->value + (size_t)cell * net->n_vms;

    t->cell = cell;
    memset(t->host_kib_s, 0, t->inventory->n_hosts * sizeof *t->host_kib_s);
    for (uint32_t v = 0; v < net->n_vms; v++) {
        if (!dcp_host_is_none(now->host[v]) && row[v] > 0) {
            t->host_kib_s[now->host[v].ix] += row[v];
        }
    }
    for (uint32_t h = 0; h < t->inventory->n_hosts; h++) {
        set_host(t, h);
    }
    set_links(t);
}

/* A VM's production goes with it. */
static void
move_production(struct dcp_transfers *t, const struct slot *s)
{
    if (!is_measured(t) || s->vm >= t->net->n_vms) {
        return;
    }
    float uses = t->net->value[(size_t)t->cell * t->net->n_vms + s->vm];

    if (uses > 0) {
        t->host_kib_s[s->from] = fmax(0, t->host_kib_s[s->from] - uses);
        t->host_kib_s[s->to] += uses;
        set_host(t, s->from);
        set_host(t, s->to);
        set_links(t);
    }
}

/* --- Time --------------------------------------------------------------- */

static void
predict(struct dcp_transfers *t, struct slot *s)
{
    struct dcp_precopy_result r =
        dcp_precopy_ahead(&s->run, s->rate_kib_s / 1024);
    int64_t end_ms = r.total_ms < INT64_MAX - s->begin_ms
                         ? s->begin_ms + r.total_ms
                         : INT64_MAX;

    if (end_ms < s->at_ms) {
        end_ms = s->at_ms;
    }
    s->given_up = r.given_up;
    if (end_ms != s->end_ms && !s->changed) {
        s->changed = true;
        t->changed[t->n_changed++] = s->key;
    }
    s->end_ms = end_ms;
}

static void
note_slowdown(struct dcp_transfers *t, const struct slot *s, double passed_s,
              double stopped_frac)
{
    if (t->n_slowdowns == t->slowdowns_capacity) {
        uint32_t capacity =
            t->slowdowns_capacity ? 2 * t->slowdowns_capacity : 64;
        struct dcp_slowdown *list =
            realloc(t->slowdowns, capacity * sizeof *list);

        if (!list) {
            t->no_memory = true;
            return;
        }
        t->slowdowns = list;
        t->slowdowns_capacity = capacity;
    }
    t->slowdowns[t->n_slowdowns++] =
        (struct dcp_slowdown){ s->at_ms + llround(passed_s * 1000), s->vm,
                               s->step, stopped_frac };
}

/* Lets the run, the slot's own or a copy, go on.  The slowdown at 'n_ahead' and
 * those after it are new. */
static uint32_t
advance(struct dcp_transfers *t, const struct slot *s,
        struct dcp_precopy_run *run, double seconds)
{
    double passed = 0;
    uint32_t n = 0;

    while (!dcp_precopy_ended(run) && passed < seconds) {
        double throttle_frac = run->throttle_frac;

        passed += dcp_precopy_advance_some(run, seconds - passed,
                                           s->rate_kib_s / 1024);
        if (run->throttle_frac != throttle_frac && !s->untold &&
            n++ >= s->n_ahead) {
            note_slowdown(t, s, passed, run->throttle_frac);
        }
    }
    return n;
}

static void
advance_to(struct dcp_transfers *t, struct slot *s, int64_t now_ms)
{
    (void)advance(t, s, &s->run, (double)(now_ms - s->at_ms) / 1000);
    s->n_ahead = 0;
    s->at_ms = now_ms;
}

/* What is under way stays as it was when its rate changed: to stop in between
 * would change a rounding. */
static void
note_ahead(struct dcp_transfers *t, int64_t now_ms)
{
    for (uint32_t k = 0; t->n_under_way && k < t->n_keys; k++) {
        struct slot *s =
            t->flow_of[k] == NO_FLOW ? NULL : &t->slots[t->flow_of[k]];

        if (s && !s->untold && now_ms > s->at_ms) {
            struct dcp_precopy_run copy = s->run;

            s->n_ahead =
                advance(t, s, &copy, (double)(now_ms - s->at_ms) / 1000);
        }
    }
}

/* Rates from 'now_ms' on. */
static void
settle(struct dcp_transfers *t, int64_t now_ms)
{
    const uint32_t *flows;
    uint32_t n = dcp_maxmin_settle(t->sharing, &flows);

    for (uint32_t i = 0; i < n; i++) {
        struct slot *s = &t->slots[flows[i]];

        advance_to(t, s, now_ms);
        s->rate_kib_s = dcp_maxmin_rate(t->sharing, flows[i]);
        predict(t, s);
    }
}

/* Samples that began since the last time. */
static void
catch_up(struct dcp_transfers *t, const struct dcp_placement *now,
         int64_t now_ms)
{
    for (uint32_t i = 0; i < t->n_changed; i++) {
        uint32_t flow = t->flow_of[t->changed[i]];

        if (flow != NO_FLOW) {
            t->slots[flow].changed = false;
        }
    }
    t->n_changed = 0;
    if (!is_measured(t)) {
        return;
    }
    int64_t cell = cell_at(t->net, now_ms);

    while (t->cell < cell) {
        /* With nothing under way only the last one matters. */
        int64_t next = t->n_under_way ? t->cell + 1 : cell;

        load_production(t, now, next);
        settle(t, t->net->start_ms + next * t->net->interval_ms);
    }
}

int64_t
dcp_transfers_next_ms(const struct dcp_transfers *t)
{
    if (!t->n_under_way || !is_measured(t) || t->cell + 1 >= t->net->n_times) {
        return INT64_MAX;
    }
    return t->net->start_ms + (t->cell + 1) * t->net->interval_ms;
}

/* --- What happens ------------------------------------------------------- */

static bool
reserve(struct dcp_transfers *t, uint32_t flow)
{
    if (flow < t->n_slots) {
        return true;
    }
    uint32_t n = t->n_slots ? 2 * t->n_slots : 64;

    while (n <= flow) {
        n *= 2;
    }
    struct slot *slots = realloc(t->slots, n * sizeof *slots);

    t->slots = slots ? slots : t->slots;
    uint32_t *changed = realloc(t->changed, n * sizeof *changed);

    t->changed = changed ? changed : t->changed;
    if (!slots || !changed) {
        return false;
    }
    t->n_slots = n;
    return true;
}

static uint32_t
links_of(const struct dcp_transfers *t, uint32_t from, uint32_t to,
         uint32_t out[DCP_MAXMIN_LINKS_MAX])
{
    struct dcp_hop hop[DCP_ROUTE_MAX];
    uint32_t n = dcp_network_route(t->network, from, to, hop);

    out[0] = 2 * from;
    out[1] = 2 * to + 1;
    for (uint32_t i = 0; i < n; i++) {
        out[2 + i] =
            2 * (t->inventory->n_hosts + hop[i].link) + (hop[i].back ? 1 : 0);
    }
    return 2 + n;
}

double
dcp_transfers_limit(const struct dcp_inventory *inv, uint32_t from, uint32_t to)
{
    double limit = fmin(fastest_nic(hardware_of(inv, from)),
                        fastest_nic(hardware_of(inv, to)));
    double most = (double)inv->policy.migration_kib_s;

    return most > 0 ? fmin(limit, most) : limit;
}

struct dcp_transfer
dcp_transfer_of(const struct dcp_inventory *inv,
                const struct dcp_placement *now, const struct dcp_step *s)
{
    struct dcp_transfer transfer = {
        .vm = s->object.ix,
        .from = s->from.ix,
        .to = s->to.ix,
        .step = s->id,
        .precopy = dcp_precopy_of(inv, s->object.ix),
    };

    transfer.precopy.mem_mib =
        (double)dcp_placement_size(inv, now, s->object.ix).mem_mib;
    if (s->mem_mib) {
        transfer.precopy.mem_mib = s->mem_mib;
        transfer.precopy.dirty_mib_s = s->dirty_mib_s;
    }
    return transfer;
}

bool
dcp_transfers_begin(struct dcp_transfers *t, uint32_t key,
                    const struct dcp_transfer *transfer,
                    const struct dcp_placement *now, int64_t now_ms,
                    struct dcp_error *err)
{
    uint32_t links[DCP_MAXMIN_LINKS_MAX], flow;

    catch_up(t, now, now_ms);
    uint32_t n = links_of(t, transfer->from, transfer->to, links);

    double limit =
        dcp_transfers_limit(t->inventory, transfer->from, transfer->to);

    if (!dcp_maxmin_add(t->sharing, links, n, limit, &flow, err)) {
        return false;
    }
    if (!reserve(t, flow)) {
        dcp_maxmin_remove(t->sharing, flow);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a migration");
    }
    struct slot *s = &t->slots[flow];

    *s = (struct slot){ .key = key,
                        .vm = transfer->vm,
                        .from = transfer->from,
                        .to = transfer->to,
                        .step = transfer->step,
                        .begin_ms = now_ms,
                        .at_ms = now_ms,
                        .end_ms = INT64_MIN,
                        .untold = transfer->untold };
    dcp_precopy_begin(&s->run, &transfer->precopy);
    t->flow_of[key] = flow;
    t->n_under_way++;
    settle(t, now_ms);
    if (s->end_ms == INT64_MIN) { /* There is no bandwidth for it. */
        predict(t, s);
    }
    return true;
}

static void
count(struct dcp_transfers *t, const struct dcp_precopy_result *r)
{
    struct dcp_transfer_totals *sum = &t->totals;

    sum->n++;
    sum->given_up += r->given_up;
    sum->forced += !r->converged && !r->given_up;
    sum->throttled += r->throttle_frac > 0;
    sum->sent_mib += r->sent_mib;
    sum->throttled_s += r->throttled_s;
    sum->downtime_ms += r->downtime_ms;
    if (r->downtime_ms > sum->downtime_most_ms) {
        sum->downtime_most_ms = r->downtime_ms;
    }
}

void
dcp_transfers_end(struct dcp_transfers *t, uint32_t key,
                  const struct dcp_placement *now, int64_t now_ms)
{
    uint32_t flow = t->flow_of[key];
    int64_t cell = t->cell;

    catch_up(t, now, now_ms);
    if (flow == NO_FLOW) {
        return;
    }
    struct slot *s = &t->slots[flow];
    bool due = now_ms >= s->end_ms;

    (void)advance(t, s, &s->run,
                  due ? INFINITY : (double)(now_ms - s->at_ms) / 1000);
    struct dcp_precopy_result r = dcp_precopy_result(&s->run);

    if (!s->untold) {
        count(t, &r);
    }
    /* A sample that began just now was summed by where VMs are already. */
    if (now->host[s->vm].ix == s->to && t->cell == cell) {
        move_production(t, s);
    }
    dcp_maxmin_remove(t->sharing, flow);
    t->flow_of[key] = NO_FLOW;
    t->n_under_way--;
    settle(t, now_ms);
}

void
dcp_transfers_pass(struct dcp_transfers *t, const struct dcp_placement *now,
                   int64_t now_ms)
{
    catch_up(t, now, now_ms);
}

/* --- What is asked ------------------------------------------------------ */

const uint32_t *
dcp_transfers_changed(const struct dcp_transfers *t, uint32_t *out_n)
{
    *out_n = t->n_changed;
    return t->changed;
}

bool
dcp_transfers_under_way(const struct dcp_transfers *t, uint32_t key)
{
    return t->flow_of[key] != NO_FLOW;
}

int64_t
dcp_transfers_end_ms(const struct dcp_transfers *t, uint32_t key)
{
    return dcp_transfers_under_way(t, key) ? t->slots[t->flow_of[key]].end_ms
                                           : INT64_MAX;
}

bool
dcp_transfers_given_up(const struct dcp_transfers *t, uint32_t key)
{
    return dcp_transfers_under_way(t, key) &&
           t->slots[t->flow_of[key]].given_up;
}

struct dcp_precopy_result
dcp_transfers_ahead(const struct dcp_transfers *t, uint32_t key)
{
    const struct slot *s = &t->slots[t->flow_of[key]];

    return dcp_precopy_ahead(&s->run, s->rate_kib_s / 1024);
}

double
dcp_transfers_rate(const struct dcp_transfers *t, uint32_t key)
{
    return dcp_transfers_under_way(t, key)
               ? t->slots[t->flow_of[key]].rate_kib_s
               : 0;
}

struct dcp_transfer_totals
dcp_transfers_totals(const struct dcp_transfers *t)
{
    return t->totals;
}

bool
dcp_transfers_add_slowdowns(struct dcp_transfers *t, int64_t now_ms,
                            struct dcp_slowdown **list, uint32_t *n,
                            struct dcp_error *err)
{
    note_ahead(t, now_ms);
    size_t all = (size_t)*n + t->n_slowdowns;
    struct dcp_slowdown *more =
        t->no_memory ? NULL : realloc(*list, (all + 1) * sizeof *more);

    if (!more) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %zu slowdowns", all);
    }
    *list = more;
    for (uint32_t i = 0; i < t->n_slowdowns; i++) {
        more[(*n)++] = t->slowdowns[i];
    }
    t->n_slowdowns = 0;
    return true;
}

/* --- Life --------------------------------------------------------------- */

struct dcp_transfers *
dcp_transfers_create(const struct dcp_inventory *inv,
                     const struct dcp_samples *net, uint32_t n_keys,
                     struct dcp_error *err)
{
    DCP_AUTO(dcp_transfers) struct dcp_transfers *t = calloc(1, sizeof *t);

    if (t) {
        t->inventory = inv;
        t->net = net;
        t->n_keys = n_keys;
        t->cell = -1;
        t->network = dcp_network_create(inv, err);
        if (!t->network) {
            return NULL;
        }
        uint32_t n_links = t->network->n_links;

        t->sharing = dcp_maxmin_create(2 * (inv->n_hosts + n_links), err);
        if (!t->sharing) {
            return NULL;
        }
        t->host_kib_s = calloc((size_t)inv->n_hosts + 1, sizeof(double));
        t->link_kib_s = calloc((size_t)n_links + 1, sizeof(double));
        t->flow_of = malloc(((size_t)n_keys + 1) * sizeof *t->flow_of);
    }
    if (!t || !t->host_kib_s || !t->link_kib_s || !t->flow_of) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for migrations");
        return NULL;
    }
    for (uint32_t k = 0; k < n_keys; k++) {
        t->flow_of[k] = NO_FLOW;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        set_host(t, h);
    }
    set_links(t);
    return DCP_STEAL(t);
}

void
dcp_transfers_destroy(struct dcp_transfers *t)
{
    if (t) {
        dcp_network_destroy(t->network);
        dcp_maxmin_destroy(t->sharing);
        free(t->host_kib_s);
        free(t->link_kib_s);
        free(t->flow_of);
        free(t->slots);
        free(t->changed);
        free(t->slowdowns);
        free(t);
    }
}
