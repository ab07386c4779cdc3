/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Whether the network can carry a leg's migrations in the time that the plan
 * gives them.
 *
 * Alone, a migration sends its VM's memory once at least, no faster than
 * policy, both hosts' fastest NICs and the links on its way let it; that holds
 * in every order.  Together: the leg is replayed by its estimates, and on each
 * way (of a host out and in, of a link there and back) what production leaves
 * is given to the migrations under way by earliest end.  Rates may change as
 * they like while a migration runs, so a mean is not asked for; but where any
 * division of a way ends all in time, this one does (Jackson, 1955, for one
 * machine; with preemption, Horn, Nav. Res. Logist. Q. 21, 1974).  What has not
 * been sent at its end cannot have been.
 *
 * Production is that of the slot, its VMs where the replay has them; of a link
 * what model/network.h says.  VMs that come into being in the leg count for
 * nothing.  A twentieth is always left, as in simulate. */

#include "model/check/replay.h"
#include "model/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_FRAC     0.05
#define TOLERANCE_FRAC 0.03 /* More than a way has, to be beyond doubt. */
#define SLACK_MS       2    /* Of times in whole milliseconds. */
#define NONE           UINT32_MAX

struct way {
    double left_kib_s; /* When it was last looked at. */
    int64_t at_ms;
    uint32_t first; /* Load: a pairing heap (Fredman et al., 1986). */
};

/* What one migration has to send over one way. */
struct load {
    uint32_t step, way;
    double kib, left_kib;
    uint32_t child, sibling;
};

struct event {
    int64_t at_ms;
    enum { ENDS, NEW_SLOT, BEGINS } kind;
    uint32_t which; /* Step from first_id on, or slot. */
};

struct net {
    const struct dcp_leg_view *leg;
    const struct dcp_network *network;
    struct dcp_check_replay times;
    uint32_t n_ways, n_loads, n_events, slot;
    struct way *ways;
    struct load *loads;
    uint32_t *first_load; /* By step; one more. */
    struct event *events;
    uint32_t *host_of;  /* By VM: where it is; NONE: not counted. */
    double *host_kib_s; /* Production. */
    double *link_kib_s;
};

static double
fastest_kib_s(const struct dcp_inventory *inv, uint32_t host)
{
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];
    double fastest = 0;

    for (uint32_t i = 0; i < hw->n_nics; i++) {
        fastest = fmax(fastest, (double)hw->nic_kib_s[i]);
    }
    return fastest;
}

static double
all_nics_kib_s(const struct dcp_inventory *inv, uint32_t host)
{
    const struct dcp_hardware *hw =
        &inv->hardware[inv->hosts[host].hardware.ix];
    double sum = 0;

    for (uint32_t i = 0; i < hw->n_nics; i++) {
        sum += (double)hw->nic_kib_s[i];
    }
    return sum;
}

/* --- Ways --------------------------------------------------------------- */

/* Without production. */
static double
rate_kib_s(const struct net *n, uint32_t way)
{
    const struct dcp_inventory *inv = n->leg->j->inv;

    return way < 2 * inv->n_hosts
               ? fastest_kib_s(inv, way / 2)
               : (double)dcp_network_rate(n->network, way / 2 - inv->n_hosts);
}

static double
left_kib_s(const struct net *n, uint32_t way)
{
    const struct dcp_inventory *inv = n->leg->j->inv;
    uint32_t h = way / 2;
    double rate = rate_kib_s(n, way);
    double left = h < inv->n_hosts ? all_nics_kib_s(inv, h) - n->host_kib_s[h]
                                   : rate - n->link_kib_s[h - inv->n_hosts];

    return fmax(fmin(rate, left), FLOOR_FRAC * rate);
}

static bool
is_sooner(const struct net *n, uint32_t a, uint32_t b)
{
    uint32_t x = n->loads[a].step, y = n->loads[b].step;

    return n->times.end_ms[x] != n->times.end_ms[y]
               ? n->times.end_ms[x] < n->times.end_ms[y]
               : x < y;
}

static uint32_t
meld(struct net *n, uint32_t a, uint32_t b)
{
    if (a == NONE || b == NONE) {
        return a == NONE ? b : a;
    }
    if (is_sooner(n, b, a)) {
        uint32_t swap = a;

        a = b;
        b = swap;
    }
    n->loads[b].sibling = n->loads[a].child;
    n->loads[a].child = b;
    return a;
}

static void
drop_first(struct net *n, struct way *w)
{
    uint32_t i = n->loads[w->first].child, pairs = NONE, root = NONE;

    while (i != NONE) {
        uint32_t a = i, b = n->loads[a].sibling;

        i = b == NONE ? NONE : n->loads[b].sibling;
        n->loads[a].sibling = NONE;
        if (b != NONE) {
            n->loads[b].sibling = NONE;
        }
        a = meld(n, a, b);
        n->loads[a].sibling = pairs;
        pairs = a;
    }
    while (pairs != NONE) {
        uint32_t next = n->loads[pairs].sibling;

        n->loads[pairs].sibling = NONE;
        root = meld(n, root, pairs);
        pairs = next;
    }
    w->first = root;
}

/* What the way sent since it was last looked at, earliest end first.  What it
 * has is looked at as migrations over it begin and end, as VMs leave and with
 * each slot; in between, the most that it had. */
static void
serve(struct net *n, uint32_t way, int64_t now_ms)
{
    struct way *w = &n->ways[way];
    double left = left_kib_s(n, way);
    double kib = fmax(left, w->left_kib_s) * (1 + TOLERANCE_FRAC) *
                 (double)(now_ms - w->at_ms) / 1000;

    w->left_kib_s = left;
    w->at_ms = now_ms;
    while (w->first != NONE && kib > 0) {
        struct load *l = &n->loads[w->first];
        double sent = fmin(kib, l->left_kib);

        kib -= sent;
        l->left_kib -= sent;
        if (l->left_kib > 0) {
            break;
        }
        drop_first(n, w);
    }
}

/* --- Production --------------------------------------------------------- */

static double
uses_kib_s(const struct net *n, uint32_t vm)
{
    const struct dcp_demand *d = n->leg->j->demand;

    return d->net_kib_s ? d->net_kib_s[(size_t)vm * d->stride + n->slot] : 0;
}

static void
add_production(struct net *n, uint32_t host, double kib_s)
{
    n->host_kib_s[host] += kib_s;
    dcp_network_add_use(n->network, host, kib_s, n->link_kib_s);
}

static void
load_slot(struct net *n, uint32_t slot, int64_t now_ms)
{
    const struct dcp_inventory *inv = n->leg->j->inv;

    for (uint32_t w = 0; w < n->n_ways; w++) {
        serve(n, w, now_ms);
    }
    n->slot = slot;
    memset(n->host_kib_s, 0, inv->n_hosts * sizeof *n->host_kib_s);
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (n->host_of[v] != NONE) {
            n->host_kib_s[n->host_of[v]] += uses_kib_s(n, v);
        }
    }
    dcp_network_use(n->network, n->host_kib_s, n->link_kib_s);
    for (uint32_t w = 0; w < n->n_ways; w++) {
        n->ways[w].left_kib_s = left_kib_s(n, w);
    }
}

/* A way that has more now than when it was looked at had as much for a part of
 * the time since. */
static void
raise_left(struct net *n, uint32_t way)
{
    n->ways[way].left_kib_s = fmax(n->ways[way].left_kib_s, left_kib_s(n, way));
}

/* Where the step takes its VM; NONE: nowhere. */
static void
take_vm(struct net *n, const struct dcp_step *s, uint32_t to)
{
    uint32_t vm = s->object.ix, from = n->host_of[vm];
    double kib_s = uses_kib_s(n, vm);

    if (from == NONE) {
        return;
    }
    add_production(n, from, -kib_s);
    raise_left(n, 2 * from);
    raise_left(n, 2 * from + 1);
    for (uint32_t w = 2 * n->leg->j->inv->n_hosts; n->network->any && kib_s > 0 && w < n->n_ways;
         w++) {
        raise_left(n, w);
    }
    n->host_of[vm] = to;
    if (to != NONE) {
        add_production(n, to, kib_s);
    }
}

/* --- Migrations --------------------------------------------------------- */

static bool
shares(const struct net *n, const struct dcp_step *s)
{
    const struct dcp_inventory *inv = n->leg->j->inv;

    return s->kind == DCP_STEP_MIGRATE && !s->converts &&
           fastest_kib_s(inv, s->from.ix) > 0 &&
           fastest_kib_s(inv, s->to.ix) > 0;
}

/* Of a VM that the plan resizes the smaller of its sizes. */
static double
memory_kib(const struct dcp_judge *j, uint32_t vm)
{
    return 1024 * fmin((double)j->inv->vms[vm].mem_mib,
                       (double)j->was->vms[vm].mem_mib);
}

static uint32_t
ways_of(const struct net *n, const struct dcp_step *s,
        uint32_t out[DCP_ROUTE_MAX + 2])
{
    struct dcp_hop hop[DCP_ROUTE_MAX];
    uint32_t n_hops = dcp_network_route(n->network, s->from.ix, s->to.ix, hop);

    out[0] = 2 * s->from.ix;
    out[1] = 2 * s->to.ix + 1;
    for (uint32_t i = 0; i < n_hops; i++) {
        out[2 + i] =
            2 * (n->leg->j->inv->n_hosts + hop[i].link) + (hop[i].back ? 1 : 0);
    }
    return 2 + n_hops;
}

/* No faster than alone; false: reported. */
static bool
judge_alone(const struct net *n, const struct dcp_step *s)
{
    const struct dcp_judge *j = n->leg->j;
    uint32_t way[DCP_ROUTE_MAX + 2], n_ways = ways_of(n, s, way);
    double rate = (double)j->inv->policy.migration_kib_s;

    for (uint32_t i = 0; i < n_ways; i++) {
        double most = rate_kib_s(n, way[i]);

        rate = rate <= 0 || most < rate ? most : rate;
    }
    double least_ms = 1000 * memory_kib(j, s->object.ix) / rate;

    if ((double)s->estimate_ms + 1 >= least_ms) {
        return true;
    }
    dcp_judge_report(
        j, s->id, "estimate", s->object, least_ms, (double)s->estimate_ms,
        "its memory takes %.0f ms at least, at %.0f KiB/s", least_ms, rate);
    return false;
}

static void
begin(struct net *n, uint32_t i, int64_t now_ms)
{
    const struct dcp_step *s = dcp_leg_step(n->leg, n->leg->first_id + i);

    if (s->kind == DCP_STEP_VM_PARK || s->kind == DCP_STEP_VM_DESTROY) {
        take_vm(n, s, NONE);
    }
    for (uint32_t k = n->first_load[i]; k < n->first_load[i + 1]; k++) {
        uint32_t way = n->loads[k].way;

        serve(n, way, now_ms);
        n->ways[way].first = meld(n, n->ways[way].first, k);
    }
}

static void
refuse(const struct net *n, const struct load *l)
{
    const struct dcp_judge *j = n->leg->j;
    const struct dcp_inventory *inv = j->inv;
    const struct dcp_step *s = dcp_leg_step(n->leg, n->leg->first_id + l->step);
    uint32_t at = l->way / 2, link = at - inv->n_hosts;
    const char *name = at < inv->n_hosts ? inv->hosts[at].name
                       : link < inv->n_switches
                           ? inv->switches[link].name
                           : inv->links[link - inv->n_switches].name;
    const char *what = at < inv->n_hosts        ? l->way % 2 ? "into" : "out of"
                       : link < inv->n_switches ? "over the uplink of"
                                                : "over link";

    dcp_judge_report(j, s->id, "bandwidth", s->object, l->kib / 1024,
                     (l->kib - l->left_kib) / 1024,
                     "%.0f MiB have to go %s %.50s while it runs; beside "
                     "others and production %.0f MiB fit",
                     l->kib / 1024, what, name, (l->kib - l->left_kib) / 1024);
}

static void
end(struct net *n, uint32_t i, int64_t now_ms)
{
    const struct dcp_step *s = dcp_leg_step(n->leg, n->leg->first_id + i);
    bool refused = false;

    for (uint32_t k = n->first_load[i]; k < n->first_load[i + 1]; k++) {
        const struct load *l = &n->loads[k];
        struct way *w = &n->ways[l->way];

        serve(n, l->way, now_ms);
        if (l->left_kib > w->left_kib_s * SLACK_MS / 1000 && !refused) {
            refuse(n, l);
            refused = true;
        }
        while (w->first != NONE &&
               n->times.end_ms[n->loads[w->first].step] <= now_ms &&
               n->loads[w->first].step <= i) {
            drop_first(n, w);
        }
    }
    if (s->kind == DCP_STEP_MIGRATE) {
        take_vm(n, s, s->to.ix);
    }
}

/* --- The leg ------------------------------------------------------------ */

static int
by_time(const void *a, const void *b)
{
    const struct event *x = a, *y = b;

    if (x->at_ms != y->at_ms) {
        return x->at_ms < y->at_ms ? -1 : 1;
    }
    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind)
                              : (x->which > y->which) - (x->which < y->which);
}

static void
list_events(struct net *n)
{
    const struct dcp_leg_view *leg = n->leg;
    const struct dcp_demand *d = leg->j->demand;
    int64_t start_ms = leg->j->plan->legs[leg->index].start_ms;

    for (uint32_t i = 0; i < leg->end_id - leg->first_id; i++) {
        if (dcp_leg_step(leg, leg->first_id + i)->object.kind ==
            DCP_OBJECT_VM) {
            n->events[n->n_events++] =
                (struct event){ n->times.start_ms[i], BEGINS, i };
            n->events[n->n_events++] =
                (struct event){ n->times.end_ms[i], ENDS, i };
        }
    }
    for (uint32_t t = n->slot + 1; t < d->n_slots; t++) {
        int64_t at_ms = d->slots[t].start_ms - start_ms;

        if (at_ms > 0 && at_ms < n->times.makespan_ms) {
            n->events[n->n_events++] = (struct event){ at_ms, NEW_SLOT, t };
        }
    }
    qsort(n->events, n->n_events, sizeof *n->events, by_time);
}

static void
carry_out(struct net *n)
{
    list_events(n);
    load_slot(n, n->slot, 0);
    for (uint32_t k = 0; k < n->n_events; k++) {
        const struct event *e = &n->events[k];

        if (e->kind == NEW_SLOT) {
            load_slot(n, e->which, e->at_ms);
        } else if (e->kind == BEGINS) {
            begin(n, e->which, e->at_ms);
        } else {
            end(n, e->which, e->at_ms);
        }
    }
}

/* Each migration that may be told from its estimate is judged alone; the loads
 * of the others are listed. */
static bool
list_loads(struct net *n)
{
    const struct dcp_leg_view *leg = n->leg;
    uint32_t n_steps = leg->end_id - leg->first_id, n_all = 0;
    uint32_t way[DCP_ROUTE_MAX + 2];

    for (uint32_t i = 0; i < n_steps; i++) {
        const struct dcp_step *s = dcp_leg_step(leg, leg->first_id + i);

        n->first_load[i] = n_all;
        if (shares(n, s) && judge_alone(n, s)) {
            n_all += ways_of(n, s, way);
        }
    }
    n->first_load[n_steps] = n_all;
    n->loads = calloc((size_t)n_all + 1, sizeof *n->loads);
    if (!n->loads) {
        return false;
    }
    for (uint32_t i = 0; i < n_steps; i++) {
        const struct dcp_step *s = dcp_leg_step(leg, leg->first_id + i);
        uint32_t first = n->first_load[i],
                 n_ways = n->first_load[i + 1] - first;

        if (n_ways) {
            (void)ways_of(n, s, way);
        }
        for (uint32_t k = 0; k < n_ways; k++) {
            double kib = memory_kib(leg->j, s->object.ix);

            n->loads[first + k] =
                (struct load){ i, way[k], kib, kib, NONE, NONE };
        }
    }
    return true;
}

static bool
allocate(struct net *n)
{
    const struct dcp_inventory *inv = n->leg->j->inv;
    size_t n_steps = n->leg->end_id - n->leg->first_id;

    n->n_ways = 2 * (inv->n_hosts + n->network->n_links);
    n->ways = calloc((size_t)n->n_ways + 1, sizeof *n->ways);
    n->first_load = calloc(n_steps + 1, sizeof *n->first_load);
    n->events =
        calloc(2 * n_steps + n->leg->j->demand->n_slots + 1, sizeof *n->events);
    n->host_of = calloc((size_t)inv->n_vms + 1, sizeof *n->host_of);
    n->host_kib_s = calloc((size_t)inv->n_hosts + 1, sizeof *n->host_kib_s);
    n->link_kib_s =
        calloc((size_t)n->network->n_links + 1, sizeof *n->link_kib_s);
    if (!n->ways || !n->first_load || !n->events || !n->host_of ||
        !n->host_kib_s || !n->link_kib_s) {
        return false;
    }
    for (uint32_t w = 0; w < n->n_ways; w++) {
        n->ways[w].first = NONE;
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        n->host_of[v] = n->leg->start->host[v].ix;
    }
    return list_loads(n);
}

bool
dcp_network_check(const struct dcp_leg_view *leg)
{
    const struct dcp_judge *j = leg->j;
    const struct dcp_leg *l = &j->plan->legs[leg->index];
    DCP_AUTO(dcp_network)
    struct dcp_network *network = dcp_network_create(j->inv, j->err);
    struct net n = { .leg = leg, .network = network };
    uint32_t last_slot;

    /* That the slots cover the leg has been asked. */
    (void)dcp_leg_slots(j->demand, l->start_ms, l->deadline_ms, &n.slot,
                        &last_slot);
    if (!network || !dcp_check_replay(leg, &n.times)) {
        return false;
    }
    bool ok = allocate(&n);

    if (ok) {
        carry_out(&n);
    }
    free(n.ways);
    free(n.loads);
    free(n.first_load);
    free(n.events);
    free(n.host_of);
    free(n.host_kib_s);
    free(n.link_kib_s);
    dcp_check_replay_finish(&n.times);
    return ok || dcp_judge_no_memory(j);
}
