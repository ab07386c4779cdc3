/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/search.h"

#include "model/base/arena.h"
#include "model/power.h"

#include <stdlib.h>

static double
watts_more(const struct dcp_fleet *f, uint32_t host, double mhz)
{
    const struct dcp_fleet_host *h = &f->hosts[host];
    const struct dcp_hardware *hw =
        &f->inventory->hardware[f->inventory->hosts[host].hardware.ix];

    return dcp_power_at(hw, (h->mhz + mhz) / h->capacity_mhz) -
           dcp_power_at(hw, h->mhz / h->capacity_mhz);
}

uint32_t
dcp_fleet_best(const struct dcp_fleet *f, uint32_t vm, const double limit_mhz[],
               const uint8_t not_mark[])
{
    uint32_t n_hosts = f->inventory->n_hosts, best = n_hosts;
    struct dcp_fleet_ask ask = { .vm = vm };
    double mhz = f->vm_mhz[vm], best_w = 0;

    for (uint32_t i = 0; i < n_hosts; i++) {
        uint32_t h = f->order[i];
        const struct dcp_fleet_host *host = &f->hosts[h];

        if (!host->serves || host->capacity_mhz <= 0 || f->at[vm].ix == h ||
            (not_mark && not_mark[h]) || host->mhz + mhz > limit_mhz[h] ||
            !dcp_fleet_has_room(f, &ask, h)) {
            continue;
        }
        double w = watts_more(f, h, mhz);

        if ((best == n_hosts || w < best_w) && dcp_fleet_may_move(f, vm, h)) {
            best = h;
            best_w = w;
        }
    }
    return best;
}

static double
mhz_per_watt(const struct dcp_fleet *f, uint32_t host)
{
    double w = dcp_power_at(
        &f->inventory->hardware[f->inventory->hosts[host].hardware.ix], 1);

    return w > 0 ? f->hosts[host].capacity_mhz / w
                 : f->hosts[host].capacity_mhz;
}

bool
dcp_fleet_best_or_wake(struct dcp_fleet *f, uint32_t vm,
                       const double limit_mhz[], const uint8_t not_mark[],
                       uint32_t *out_host, struct dcp_error *err)
{
    uint32_t n_hosts = f->inventory->n_hosts, wake = n_hosts;

    *out_host = dcp_fleet_best(f, vm, limit_mhz, not_mark);
    if (*out_host < n_hosts) {
        return true;
    }
    for (uint32_t i = 0; i < n_hosts; i++) {
        uint32_t h = f->order[i];

        if (!dcp_fleet_can_wake(f, h) || (not_mark && not_mark[h]) ||
            f->vm_mhz[vm] > limit_mhz[h] ||
            (wake < n_hosts && mhz_per_watt(f, h) <= mhz_per_watt(f, wake))) {
            continue;
        }
        f->hosts[h].serves = true; /* To ask whether the VM would fit. */
        if (dcp_fleet_fits(f, vm, h)) {
            wake = h;
        }
        f->hosts[h].serves = false;
    }
    *out_host = wake;
    return wake == n_hosts || dcp_fleet_wake(f, wake, err);
}

/* Order of the most demand first.  A heap sort: qsort() takes no context. */
static bool
comes_later(const struct dcp_fleet *f, uint32_t a, uint32_t b)
{
    return f->vm_mhz[a] != f->vm_mhz[b] ? f->vm_mhz[a] < f->vm_mhz[b]
                                        : dcp_fleet_vm_first(f, b, a);
}

static void
sift(const struct dcp_fleet *f, uint32_t vms[], uint32_t root, uint32_t n)
{
    for (uint32_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && comes_later(f, vms[child + 1], vms[child])) {
            child++;
        }
        if (!comes_later(f, vms[child], vms[root])) {
            return;
        }
        uint32_t t = vms[root];

        vms[root] = vms[child];
        vms[child] = t;
    }
}

void
dcp_fleet_sort(const struct dcp_fleet *f, uint32_t vms[], uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;) {
        sift(f, vms, i, n);
    }
    for (uint32_t end = n; end-- > 1;) {
        uint32_t t = vms[0];

        vms[0] = vms[end];
        vms[end] = t;
        sift(f, vms, 0, end);
    }
}

/* The VMs that are on the host and stay so far, sorted; NULL: no memory. */
static uint32_t *
vms_of(const struct dcp_fleet *f, uint32_t host, uint32_t *out_n)
{
    const struct dcp_fleet_host *h = &f->hosts[host];
    uint32_t *vms = malloc(((size_t)h->n_vms_now + 1) * sizeof *vms);
    uint32_t n = 0;

    for (uint32_t i = 0; vms && i < h->n_vms_now; i++) {
        if (f->at[h->vms_now[i]].ix == host) {
            vms[n++] = h->vms_now[i];
        }
    }
    if (vms) {
        dcp_fleet_sort(f, vms, n);
    }
    *out_n = n;
    return vms;
}

bool
dcp_fleet_empty(struct dcp_fleet *f, uint32_t host, const double limit_mhz[],
                const uint8_t not_mark[], bool *out_done, struct dcp_error *err)
{
    uint32_t before = f->wishes->n, n;
    const struct dcp_fleet_host *h = &f->hosts[host];

    *out_done = false;
    if (!h->serves || !h->was_on || h->stays || h->arriving) {
        return true;
    }
    DCP_FREE uint32_t *vms = vms_of(f, host, &n);

    if (!vms) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t to = dcp_fleet_best(f, vms[i], limit_mhz, not_mark);

        if (to == f->inventory->n_hosts) {
            dcp_fleet_undo(f, before);
            return true;
        }
        if (!dcp_fleet_move(f, vms[i], to, err)) {
            return false;
        }
    }
    *out_done = true;
    return dcp_fleet_sleep(f, host, err);
}

bool
dcp_fleet_relieve(struct dcp_fleet *f, const double limit_mhz[],
                  struct dcp_error *err)
{
    for (uint32_t k = 0; k < f->inventory->n_hosts; k++) {
        uint32_t h = f->order[k], n, to;
        struct dcp_fleet_host *host = &f->hosts[h];

        if (!host->serves || host->mhz <= limit_mhz[h]) {
            continue;
        }
        DCP_FREE uint32_t *vms = vms_of(f, h, &n);

        if (!vms) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        }
        for (uint32_t i = 0; i < n && host->mhz > limit_mhz[h]; i++) {
            if (!dcp_fleet_best_or_wake(f, vms[i], limit_mhz, NULL, &to, err) ||
                (to < f->inventory->n_hosts &&
                 !dcp_fleet_move(f, vms[i], to, err))) {
                return false;
            }
        }
    }
    return true;
}

/* The host that serves, is not tried yet and has the least share of its
 * capacity in use; n_hosts: none. */
static uint32_t
least_loaded(const struct dcp_fleet *f, const uint8_t tried[])
{
    uint32_t n_hosts = f->inventory->n_hosts, least = n_hosts;

    for (uint32_t i = 0; i < n_hosts; i++) {
        uint32_t h = f->order[i];
        const struct dcp_fleet_host *host = &f->hosts[h];

        if (host->serves && host->was_on && !host->arriving && !host->stays &&
            !tried[h] &&
            (least == n_hosts ||
             host->mhz * f->hosts[least].capacity_mhz <
                 f->hosts[least].mhz * host->capacity_mhz)) {
            least = h;
        }
    }
    return least;
}

bool
dcp_fleet_drain(struct dcp_fleet *f, const double limit_mhz[],
                const uint8_t not_mark[], double below_frac,
                struct dcp_error *err)
{
    uint32_t n_hosts = f->inventory->n_hosts, n_on = 0, h;
    DCP_FREE uint8_t *tried = calloc((size_t)n_hosts + 1, 1);
    bool done;

    if (!tried) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
    }
    for (h = 0; h < n_hosts; h++) {
        n_on += f->hosts[h].serves;
        tried[h] = not_mark ? not_mark[h] : 0;
    }
    while (n_on > 1 && n_on > f->inventory->policy.keep_on &&
           (h = least_loaded(f, tried)) < n_hosts &&
           f->hosts[h].mhz < below_frac * f->hosts[h].capacity_mhz) {
        tried[h] = 1;
        if (!dcp_fleet_empty(f, h, limit_mhz, not_mark, &done, err)) {
            return false;
        }
        n_on -= done;
    }
    return true;
}
