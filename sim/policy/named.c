/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/policy/policy.h"

#include <string.h>

#define NAME_MAX_BYTES 32

struct dcp_sim_policy *
dcp_sim_policy_named(const char *text, uint64_t seed, struct dcp_error *err)
{
    const char *colon = strchr(text, ':');
    const char *param = colon ? colon + 1 : NULL;
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    char name[NAME_MAX_BYTES] = "";

    if (length < sizeof name) {
        memcpy(name, text, length);
    }
    bool plain =
        !strcmp(name, "none") || !strcmp(name, "npa") || !strcmp(name, "dvfs");

    if (plain && !param) {
        return dcp_policy_none(name, err);
    }
    if (plain) {
        (void)dcp_fail(err, DCP_E_USAGE, "--policy %s takes no parameter",
                       name);
        return NULL;
    }
    if (!strcmp(name, "dpm")) {
        return dcp_policy_dpm(param, err);
    }
    if (!strcmp(name, "consolidate")) {
        return dcp_policy_consolidate(param, err);
    }
    if (!strcmp(name, "balance")) {
        return dcp_policy_balance(param, err);
    }
    char *dash = strchr(name, '-');
    struct dcp_error inner = { 0 };
    struct dcp_sim_policy *p = NULL;

    if (dash) {
        *dash = '\0';
        p = dcp_policy_reactive(name, dash + 1, param, seed, &inner);
    }
    if (p) {
        return p;
    }
    (void)dcp_fail(err, DCP_E_USAGE,
                   "--policy %s: %s; there are none, balance, consolidate, "
                   "dpm, solver, solver-anew, npa, dvfs and "
                   "{thr,iqr,mad,lr,lrr}-{mmt,mu,mc,rs}, with :PARAM",
                   text, dash ? inner.message : "no such policy");
    return NULL;
}
