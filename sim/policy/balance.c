/* SPDX-License-Identifier: GPL-3.0-or-later */

/* balance: evens out CPU load, by the latest sample, over hosts that are on.
 * Greedy hill climbing on the standard deviation of the hosts' loads, as VMware
 * DRS (Gulati et al., "VMware Distributed Resource Management: design,
 * implementation, and lessons learned", VMware Technical Journal 1(1), 2012)
 * and Ganeti's hbal do: of all moves off the most loaded host the one that
 * lowers it most, and again, until it is low enough, none lowers it, or one
 * host in four has given a VM.  Without DRS's weighing of costs. */

#include "sim/policy/fleet.h"
#include "sim/policy/param.h"

#include <math.h>
#include <stdlib.h>

struct balance {
    struct dcp_sim_policy base;
    double enough_frac;
};

static double
load_of(const struct dcp_fleet_host *h)
{
    return h->capacity_mhz > 0 ? h->mhz / h->capacity_mhz : 0;
}

static double
deviation(const struct dcp_fleet *f, double *out_mean)
{
    double sum = 0, squares = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < f->inventory->n_hosts; i++) {
        uint32_t h = f->order[i];

        if (f->hosts[h].serves) {
            double load = load_of(&f->hosts[h]);

            sum += load;
            squares += load * load;
            n++;
        }
    }
    *out_mean = n ? sum / n : 0;
    return n ? sqrt(fmax(0, squares / n - *out_mean * *out_mean)) : 0;
}

static uint32_t
most_loaded(const struct dcp_fleet *f)
{
    uint32_t most = f->inventory->n_hosts;

    for (uint32_t i = 0; i < f->inventory->n_hosts; i++) {
        uint32_t h = f->order[i];

        if (f->hosts[h].serves &&
            (most == f->inventory->n_hosts ||
             load_of(&f->hosts[h]) > load_of(&f->hosts[most]))) {
            most = h;
        }
    }
    return most;
}

/* By how much the sum of squared distances to the mean falls; the mean itself
 * hardly moves (not at all between equal hosts). */
static double
gain(const struct dcp_fleet *f, uint32_t from, uint32_t to, double mhz,
     double mean)
{
    const struct dcp_fleet_host *a = &f->hosts[from], *b = &f->hosts[to];
    double a0 = load_of(a) - mean, b0 = load_of(b) - mean;
    double a1 = a0 - mhz / a->capacity_mhz, b1 = b0 + mhz / b->capacity_mhz;

    return a0 * a0 + b0 * b0 - a1 * a1 - b1 * b1;
}

/* The best move off the most loaded host; *out_done false: there is none. */
static bool
move_one(struct dcp_fleet *f, double mean, bool *out_done,
         struct dcp_error *err)
{
    uint32_t n_hosts = f->inventory->n_hosts, from = most_loaded(f);
    uint32_t best_vm = 0, best_to = n_hosts;
    double best = 1e-9;

    *out_done = false;
    if (from == n_hosts) {
        return true;
    }
    const struct dcp_fleet_host *host = &f->hosts[from];

    for (uint32_t i = 0; i < host->n_vms_now; i++) {
        uint32_t vm = host->vms_now[i];

        for (uint32_t k = 0; f->at[vm].ix == from && k < n_hosts; k++) {
            uint32_t to = f->order[k];

            if (to == from || !f->hosts[to].serves ||
                f->hosts[to].capacity_mhz <= 0) {
                continue;
            }
            double g = gain(f, from, to, f->vm_mhz[vm], mean);
            bool tied = g >= best && best_to < n_hosts && best_vm != vm &&
                        dcp_fleet_vm_first(f, vm, best_vm);

            if ((g > best || tied) && dcp_fleet_fits(f, vm, to)) {
                best = g;
                best_vm = vm;
                best_to = to;
            }
        }
    }
    *out_done = best_to < n_hosts;
    return !*out_done || dcp_fleet_move(f, best_vm, best_to, err);
}

static bool
decide(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
       struct dcp_wishes *out, struct dcp_error *err)
{
    const struct balance *b = (const struct balance *)policy;
    struct dcp_fleet f;
    double mean;
    bool ok = true, more = true;

    if (!dcp_fleet_init_heeding(&f, policy->ground, sim, DCP_FLEET_LATEST, 0, out, err)) {
        return false;
    }
    while (ok && more && out->n <= f.inventory->n_hosts / 4 &&
           deviation(&f, &mean) > b->enough_frac) {
        ok = move_one(&f, mean, &more, err);
    }
    dcp_fleet_finish(&f);
    return ok;
}

static void
destroy(struct dcp_sim_policy *policy)
{
    free(policy);
}

static const struct dcp_sim_policy_ops ops = { "balance", "even CPU load",
                                               decide, destroy };

struct dcp_sim_policy *
dcp_policy_balance(const char *param, struct dcp_error *err)
{
    double percent = 5;

    if (param && !dcp_policy_number(param, NULL, 0, 100, &percent)) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--policy balance:%s: not a deviation in percent",
                       param);
        return NULL;
    }
    struct balance *b = malloc(sizeof *b);

    if (!b) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *b = (struct balance){ .base.ops = &ops, .enough_frac = percent / 100 };
    return &b->base;
}
