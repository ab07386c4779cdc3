/* SPDX-License-Identifier: GPL-3.0-or-later */

/* {thr,iqr,mad,lr,lrr}-{mmt,mu,mc,rs}: Beloglazov and Buyya, "Optimal online
 * deterministic algorithms and adaptive heuristics for energy and performance
 * efficient dynamic consolidation of virtual machines in Cloud data centers",
 * CCPE 24(13), 2012, by the paper.  Each overloaded host (sim/policy/detect.h)
 * gives VMs (sim/policy/select.h) until it is not; they go, the largest first,
 * to where they raise power least without overload there (PABFD), on hosts
 * woken if need be.  Then hosts are emptied, the least loaded first, if all
 * their VMs find such a place, and switched off.
 *
 * What this world adds: memory and reach are hard, hosts take time to boot and
 * to stop, migrations take time and load.  A host's history is that of the VMs
 * that it has now. */

#include "model/base/arena.h"
#include "sim/policy/detect.h"
#include "sim/policy/param.h"
#include "sim/policy/search.h"
#include "sim/policy/select.h"

#include <stdlib.h>
#include <string.h>

struct reactive {
    struct dcp_sim_policy base;
    enum dcp_detector detector;
    enum dcp_selection selection;
    double param;
    struct dcp_rng rng;
};

struct round { /* One answer in the making. */
    struct reactive *policy;
    struct dcp_fleet fleet;
    const float *vm_mhz; /* [past][VM]. */
    uint32_t n_vms, n_past;
    double *limit_mhz; /* By host; owned, as those below. */
    uint8_t *over;     /* By host. */
    uint32_t *leaving; /* VMs. */
    uint32_t n_leaving;
};

static bool
round_init(struct round *r, struct reactive *policy, const struct dcp_sim *sim,
           struct dcp_wishes *out, struct dcp_error *err)
{
    struct dcp_sim_view view = dcp_sim_view(sim);

    *r = (struct round){ .policy = policy, .n_vms = view.inventory->n_vms };
    r->n_past =
        view.n_past < DCP_DETECT_SAMPLES ? view.n_past : DCP_DETECT_SAMPLES;
    r->vm_mhz = view.vm_mhz + (size_t)(view.n_past - r->n_past) * r->n_vms;
    size_t n_hosts = view.inventory->n_hosts;

    r->limit_mhz = malloc((n_hosts + 1) * sizeof *r->limit_mhz);
    r->over = calloc(n_hosts + 1, 1);
    r->leaving = malloc(((size_t)r->n_vms + 1) * sizeof *r->leaving);
    if (!r->limit_mhz || !r->over || !r->leaving) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
    }
    return dcp_fleet_init_heeding(&r->fleet, policy->base.ground, sim, DCP_FLEET_LATEST, 0, out,
                                  err);
}

static void
round_finish(struct round *r)
{
    free(r->limit_mhz);
    free(r->over);
    free(r->leaving);
    dcp_fleet_finish(&r->fleet);
}

/* Each host's limit: what it carries and what it could still be given. */
static void
detect(struct round *r)
{
    for (uint32_t h = 0; h < r->fleet.inventory->n_hosts; h++) {
        const struct dcp_fleet_host *host = &r->fleet.hosts[h];
        double load[DCP_DETECT_SAMPLES] = { 0 };
        double capacity_mhz = host->capacity_mhz > 0 ? host->capacity_mhz : 1;

        for (uint32_t t = 0; t < r->n_past; t++) {
            const float *row = r->vm_mhz + (size_t)t * r->n_vms;

            for (uint32_t i = 0; i < host->n_vms_now; i++) {
                load[t] += row[host->vms_now[i]];
            }
            load[t] /= capacity_mhz;
        }
        struct dcp_detection d =
            dcp_detect(r->policy->detector, r->policy->param, load, r->n_past);

        r->limit_mhz[h] =
            host->mhz + (d.limit_frac - d.judged_frac) * capacity_mhz;
        r->over[h] =
            host->serves && host->n_vms_now > 0 && d.judged_frac > d.limit_frac;
    }
}

/* Few: by insertion. */
static void
sort_by_name(const struct dcp_fleet *f, uint32_t vms[], uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        uint32_t vm = vms[i], k = i;

        for (; k > 0 && dcp_fleet_vm_first(f, vm, vms[k - 1]); k--) {
            vms[k] = vms[k - 1];
        }
        vms[k] = vm;
    }
}

/* Adds to 'leaving' the VMs that an overloaded host gives. */
static bool
shed(struct round *r, uint32_t host, struct dcp_error *err)
{
    const struct dcp_fleet_host *h = &r->fleet.hosts[host];
    uint32_t n = h->n_vms_now;
    double left_mhz = h->mhz;
    DCP_FREE uint32_t *vms = malloc(((size_t)n + 1) * sizeof *vms);
    DCP_FREE uint64_t *mem = malloc(((size_t)n + 1) * sizeof *mem);
    DCP_FREE double *mhz = malloc(((size_t)n + 1) * sizeof *mhz);
    DCP_FREE double *past = malloc(((size_t)n * r->n_past + 1) * sizeof *past);

    if (!vms || !mem || !mhz || !past) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
    }
    memcpy(vms, h->vms_now, n * sizeof *vms);
    sort_by_name(&r->fleet, vms, n);
    while (n > 0 && left_mhz > r->limit_mhz[host]) {
        for (uint32_t i = 0; i < n; i++) {
            mem[i] = r->fleet.inventory->vms[vms[i]].mem_mib;
            mhz[i] = r->fleet.vm_mhz[vms[i]];
            for (uint32_t t = 0;
                 r->policy->selection == DCP_SELECT_MC && t < r->n_past; t++) {
                past[(size_t)t * n + i] =
                    r->vm_mhz[(size_t)t * r->n_vms + vms[i]];
            }
        }
        struct dcp_candidates c = { n, mem, mhz, r->n_past, past };
        uint32_t ix = dcp_select(r->policy->selection, &c, &r->policy->rng);

        if (ix == n) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        }
        r->leaving[r->n_leaving++] = vms[ix];
        left_mhz -= mhz[ix];
        memmove(&vms[ix], &vms[ix + 1], (n - ix - 1) * sizeof *vms);
        n--;
    }
    return true;
}

static bool
answer(struct round *r, struct dcp_error *err)
{
    uint32_t n_hosts = r->fleet.inventory->n_hosts, to;

    detect(r);
    for (uint32_t i = 0; i < n_hosts; i++) {
        uint32_t h = r->fleet.order[i];

        if (r->over[h] && !shed(r, h, err)) {
            return false;
        }
    }
    dcp_fleet_sort(&r->fleet, r->leaving, r->n_leaving);
    for (uint32_t i = 0; i < r->n_leaving; i++) {
        if (!dcp_fleet_best_or_wake(&r->fleet, r->leaving[i], r->limit_mhz,
                                    r->over, &to, err) ||
            (to < n_hosts &&
             !dcp_fleet_move(&r->fleet, r->leaving[i], to, err))) {
            return false;
        }
    }
    return dcp_fleet_drain(&r->fleet, r->limit_mhz, r->over, 1, err);
}

static bool
decide(struct dcp_sim_policy *policy, const struct dcp_sim *sim,
       struct dcp_wishes *out, struct dcp_error *err)
{
    struct round r;
    bool ok = round_init(&r, (struct reactive *)policy, sim, out, err) &&
              answer(&r, err);

    round_finish(&r);
    return ok;
}

static void
destroy(struct dcp_sim_policy *policy)
{
    free(policy);
}

static const struct dcp_sim_policy_ops ops = {
    "reactive", "detect overload, select VMs, place by power", decide, destroy
};

static bool
parse(const char *detector, const char *selection, const char *param,
      struct reactive *out, struct dcp_error *err)
{
    uint32_t d = 0, s = 0;

    while (d < DCP_DETECTORS && strcmp(detector, dcp_detector_name(d)) != 0) {
        d++;
    }
    while (s < DCP_SELECTIONS &&
           strcmp(selection, dcp_selection_name(s)) != 0) {
        s++;
    }
    if (d == DCP_DETECTORS || s == DCP_SELECTIONS) {
        return dcp_fail(err, DCP_E_USAGE, "no policy '%s-%s'", detector,
                        selection);
    }
    double value = dcp_detector_default(d);

    if (param && !dcp_policy_number(param, NULL, 0.001, 100, &value)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--policy %s-%s:%s: not a number above 0", detector,
                        selection, param);
    }
    *out = (struct reactive){
        .base.ops = &ops, .detector = d, .selection = s, .param = value
    };
    return true;
}

struct dcp_sim_policy *
dcp_policy_reactive(const char *detector, const char *selection,
                    const char *param, uint64_t seed, struct dcp_error *err)
{
    struct reactive value, *p;

    if (!parse(detector, selection, param, &value, err)) {
        return NULL;
    }
    p = malloc(sizeof *p);
    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a policy");
        return NULL;
    }
    *p = value;
    p->rng = dcp_rng_stream(seed, "policy.rs", 0);
    return &p->base;
}
