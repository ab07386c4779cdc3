/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/apply_gates.h"

#include "model/base/units.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#define FREE_MIB 64

bool
dcp_apply_choose_leg(struct dcp_apply_gate *a, const char *name,
                     struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;

    if (name) {
        for (uint32_t i = 0; i < plan->n_legs; i++) {
            if (!strcmp(plan->legs[i].name, name)) {
                a->leg = i;
                return true;
            }
        }
        return dcp_fail(err, DCP_E_USAGE,
                        "the plan has no leg '%s'; its first is '%s'", name,
                        plan->legs[0].name);
    }
    uint64_t done = a->model->serial - plan->serial;

    /* Any other serial is refused right after this. */
    a->leg = a->model->serial > plan->serial && done < plan->n_legs
                 ? (uint32_t)done
                 : 0;
    return true;
}

bool
dcp_apply_check_model(const struct dcp_apply_gate *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;
    const struct dcp_inventory *inv = a->model->inventory;

    if (strcmp(plan->lineage, inv->lineage) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan was made for another model (lineage %s, this "
                        "is %s)",
                        plan->lineage, inv->lineage);
    }
    if (strcmp(plan->model_digest, inv->digest) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the model was changed since the plan was made; make a "
                        "new plan");
    }
    if (strcmp(plan->policy_digest, inv->policy_digest) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "the plan was made under another policy: give the "
                        "--policy-file that it was made with, or none if it "
                        "was made without");
    }
    return true;
}

bool
dcp_apply_check_serial(const struct dcp_apply_gate *a, struct dcp_error *err)
{
    const struct dcp_plan *plan = a->plan;
    uint64_t serial = a->model->serial;
    uint64_t expected = plan->serial + a->leg;
    bool preview = !a->journal && serial >= plan->serial && serial < expected;

    if (serial == expected || preview) {
        return true;
    }
    if (serial > plan->serial && serial <= expected + plan->n_legs) {
        struct dcp_error unused;
        struct dcp_leg_record leg = { 0 };

        if (a->journal &&
            dcp_journal_find_leg(a->journal, plan, a->leg, &leg, &unused) &&
            leg.state == DCP_LEG_CONSUMED) {
            return dcp_fail(err, DCP_E_STALE,
                            "leg '%s' of this plan was carried out already",
                            plan->legs[a->leg].name);
        }
    }
    return dcp_fail(err, DCP_E_STALE,
                    "leg '%s' starts from serial %" PRIu64
                    ", the model is at %" PRIu64 "; %s",
                    plan->legs[a->leg].name, expected, serial,
                    serial < expected ? "carry out the legs before it first"
                                      : "make a new plan");
}

bool
dcp_apply_check_start(const struct dcp_apply_gate *a, struct dcp_error *err)
{
    const struct dcp_placement *now = a->model->placement;
    const struct dcp_placement *planned = dcp_plan_leg_start(a->plan, a->leg);
    uint32_t n = dcp_placement_n_moved(planned, now);

    for (uint32_t h = 0; h < now->n_hosts; h++) {
        n += planned->on[h] != now->on[h];
    }
    return !n || !a->journal ||
           dcp_fail(err, DCP_E_STALE,
                    "%u VMs or hosts are not as leg '%s' starts; see --drift",
                    n, a->plan->legs[a->leg].name);
}

bool
dcp_apply_check_validity(const struct dcp_apply_gate *a, int64_t now_ms,
                         struct dcp_error *err)
{
    char until[32];

    if (now_ms >= a->plan->not_before_ms && now_ms <= a->plan->not_after_ms) {
        return true;
    }
    dcp_print_instant(now_ms > a->plan->not_after_ms ? a->plan->not_after_ms
                                                     : a->plan->not_before_ms,
                      until);
    return dcp_fail(err, DCP_E_STALE, "the plan is valid %s %s",
                    now_ms > a->plan->not_after_ms ? "until" : "from", until);
}

bool
dcp_apply_check_space(const char *dir, struct dcp_error *err)
{
    struct statvfs fs;

    if (statvfs(dir, &fs) != 0) {
        return dcp_fail(err, DCP_E_IO, "%s: cannot ask how much is free: %s",
                        dir, strerror(errno));
    }
    uint64_t free_mib = (uint64_t)fs.f_bavail * fs.f_frsize >> 20;

    return free_mib >= FREE_MIB ||
           dcp_fail(err, DCP_E_IO,
                    "%s: %llu MiB are free, the journal wants %d; make room "
                    "first",
                    dir, (unsigned long long)free_mib, FREE_MIB);
}
