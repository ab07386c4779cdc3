/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_POLICY_TEST_H
#define DCP_MODEL_POLICY_TEST_H 1

/* A fixture of business logic, as a policy file states it: what a script, or
 * the model with all its rules, is expected to say.  Pure data. */

#include "model/base/error.h"

#include <stdint.h>

struct dcp_policy_trait { /* "tier: gold", as written. */
    const char *field, *text;
    bool quoted; /* Then it is text, whatever it looks like. */
};
struct dcp_policy_subject {
    const struct dcp_policy_trait *traits;
    uint32_t n_traits;
};

struct dcp_policy_test {
    const char *name;
    struct dcp_pos pos;
    const char *script; /* Whom to ask: a score or a filter rule; "": the
                         * model, which host may take, or is best for, a VM. */
    struct dcp_policy_subject vm, host;
    const char *expect; /* "true", "false" or a number; ""; see 'best'. */
    const char *best;   /* The host that `place` ranks first; "": not asked. */
};

#endif /* model/policy_test.h */
