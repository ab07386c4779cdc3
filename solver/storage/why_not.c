/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/storage/why_not.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef uint64_t amounts[DCP_POOL_RESOURCES];

struct question {
    const struct dcp_inventory *inv;
    const struct dcp_demand *demand;
    const struct dcp_placement *at;
    uint32_t volume, pool;
    dcp_vm_id vm;
    struct dcp_volume_refusal *out;
};

static void
refuse(struct question *q, const char *rule, double need, double have)
{
    q->out->refused = true;
    q->out->need = need;
    q->out->have = have;
    (void)snprintf(q->out->rule, sizeof q->out->rule, "%s", rule);
}

static const struct dcp_pool *
pool_of(const struct question *q)
{
    return &q->inv->pools[q->pool];
}

/* Whether volume 'i' moves along with the one that is asked about. */
static bool
goes_along(const struct question *q, uint32_t i)
{
    const struct dcp_volume *a = &q->inv->volumes[q->volume];
    const struct dcp_volume *b = &q->inv->volumes[i];

    return i == q->volume ||
           (!dcp_vm_is_none(q->vm) && b->vm.ix == q->vm.ix &&
            q->inv->vms[q->vm.ix].disks == DCP_DISKS_TOGETHER &&
            a->tier == b->tier &&
            dcp_placement_pool(q->at, q->inv, i).ix ==
                dcp_placement_pool(q->at, q->inv, q->volume).ix);
}

/* What moves, and what the pool holds already. */
static void
count(struct question *q, amounts moves, amounts held)
{
    for (uint32_t i = 0; i < q->inv->n_volumes; i++) {
        const struct dcp_volume *v = &q->inv->volumes[i];
        bool along = goes_along(q, i);
        bool there =
            dcp_placement_pool(q->at, q->inv, i).ix == q->pool &&
            (dcp_vm_is_none(v->vm) || !dcp_host_is_none(q->at->host[v->vm.ix]));
        amounts asks;

        if (!along && !there) {
            continue;
        }
        dcp_volume_request(q->inv, q->demand, i, asks);
        for (uint32_t r = 0; r < DCP_POOL_RESOURCES; r++) {
            moves[r] += along ? asks[r] : 0;
            held[r] += there ? asks[r] : 0;
        }
        q->out->n_along += along;
    }
}

static void
ask_tier(struct question *q, uint32_t home)
{
    static const char *const names[] = { "archive", "normal", "ultrafast" };
    const struct dcp_volume *v = &q->inv->volumes[q->volume];
    enum dcp_pool_tier need = dcp_volume_tier_in(q->inv, v, home);

    if (need == pool_of(q)->tier) {
        return;
    }
    refuse(q, "pool_tier", NAN, NAN);
    (void)snprintf(q->out->text, sizeof q->out->text,
                   "it needs tier %s, and %.60s is %s", names[need],
                   pool_of(q)->name, names[pool_of(q)->tier]);
    (void)snprintf(q->out->remedy, sizeof q->out->remedy,
                   "give the volume tier: %s", names[pool_of(q)->tier]);
}

static void
ask_hosts(struct question *q, uint32_t home)
{
    dcp_host_id host =
        dcp_vm_is_none(q->vm) ? dcp_host_none() : q->at->host[q->vm.ix];
    uint32_t closed = DCP_IX_NONE;

    if (!dcp_host_is_none(host) &&
        !dcp_pool_opens_on(q->inv, q->pool, host.ix)) {
        closed = host.ix;
    }
    for (uint32_t h = 0; closed == DCP_IX_NONE && q->inv->policy.n_survive &&
                         h < q->inv->n_hosts;
         h++) {
        if (dcp_pool_opens_on(q->inv, home, h) &&
            !dcp_pool_opens_on(q->inv, q->pool, h)) {
            closed = h;
        }
    }
    if (closed == DCP_IX_NONE) {
        return;
    }
    refuse(q, "storage", NAN, NAN);
    (void)snprintf(q->out->text, sizeof q->out->text,
                   closed == host.ix
                       ? "host %.60s of its VM does not open %.60s"
                       : "host %.60s, where its VM could restart, does not "
                         "open %.60s",
                   q->inv->hosts[closed].name, pool_of(q)->name);
    (void)snprintf(q->out->remedy, sizeof q->out->remedy,
                   "open the pool on '%.60s', or move the VM",
                   q->inv->hosts[closed].name);
}

static void
ask_disks(struct question *q)
{
    if (dcp_vm_is_none(q->vm) ||
        q->inv->vms[q->vm.ix].disks != DCP_DISKS_APART) {
        return;
    }
    const struct dcp_vm *vm = &q->inv->vms[q->vm.ix];

    for (uint32_t k = 0; k < vm->n_volumes; k++) {
        uint32_t i = vm->first_volume + k;

        if (i != q->volume &&
            dcp_placement_pool(q->at, q->inv, i).ix == q->pool) {
            refuse(q, "disks", NAN, NAN);
            (void)snprintf(q->out->text, sizeof q->out->text,
                           "disk %u of its VM is there, and the VM's disks "
                           "are to be apart",
                           k);
            (void)snprintf(q->out->remedy, sizeof q->out->remedy,
                           "give the VM disks: any, or move that one");
            return;
        }
    }
}

static void
ask_room(struct question *q)
{
    amounts moves = { 0 }, held = { 0 }, limit, usable;

    count(q, moves, held);
    dcp_pool_limit(pool_of(q), limit);
    dcp_pool_usable(q->inv, pool_of(q), usable);
    for (uint32_t pass = 0; pass < 2; pass++) {
        const uint64_t *most = pass ? usable : limit;

        for (uint32_t r = 0; !q->out->refused && r < DCP_POOL_RESOURCES; r++) {
            enum dcp_pool_resource of = (enum dcp_pool_resource)r;
            double all = (double)held[r] + (double)moves[r];

            if (!moves[r] || held[r] + moves[r] <= most[r]) {
                continue;
            }
            refuse(q,
                   !pass                 ? "capacity"
                   : r == DCP_POOL_SPACE ? "space"
                                         : "io",
                   all, (double)most[r]);
            q->out->by_policy = pass;
            (void)snprintf(q->out->text, sizeof q->out->text,
                           "%.60s would have %.0f %s of %s in use%s, %s %.0f",
                           pool_of(q)->name, all, dcp_pool_resource_unit(of),
                           dcp_pool_resource_name(of),
                           dcp_pool_resource_hours(q->demand, of),
                           pass ? "and policy.storage lets it have"
                                : "and it has",
                           (double)most[r]);
            if (pass) {
                (void)snprintf(q->out->remedy, sizeof q->out->remedy,
                               "raise policy.storage.%s to %.0f%%",
                               q->out->rule,
                               ceil(100 * all / (double)limit[r]));
            } else {
                (void)snprintf(q->out->remedy, sizeof q->out->remedy,
                               "%.0f %s more in '%.60s', or as much less there",
                               all - (double)most[r],
                               dcp_pool_resource_unit(of), pool_of(q)->name);
            }
        }
    }
}

void
dcp_volume_why_not(const struct dcp_inventory *inv,
                   const struct dcp_demand *demand,
                   const struct dcp_placement *at, uint32_t volume,
                   uint32_t pool, struct dcp_volume_refusal *out)
{
    struct question q = { .inv = inv,
                          .demand = demand,
                          .at = at,
                          .volume = volume,
                          .pool = pool,
                          .vm = inv->volumes[volume].vm,
                          .out = out };
    dcp_pool_id home = dcp_placement_pool(at, inv, volume);

    *out = (struct dcp_volume_refusal){ .need = NAN, .have = NAN };
    if (dcp_pool_is_none(home)) {
        refuse(&q, "storage", NAN, NAN);
        (void)snprintf(out->text, sizeof out->text,
                       "it is on its host's own disks, and stays there");
        (void)snprintf(out->remedy, sizeof out->remedy,
                       "give the volume a pool in dc.yaml");
        return;
    }
    if (home.ix == pool) {
        return;
    }
    ask_tier(&q, home.ix);
    if (!out->refused) {
        ask_hosts(&q, home.ix);
    }
    if (!out->refused) {
        ask_disks(&q);
    }
    if (!out->refused) {
        ask_room(&q);
    }
}
