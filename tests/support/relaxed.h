/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_RELAXED_H
#define DCP_TESTS_SUPPORT_RELAXED_H 1

/* An inventory without the parts that a conflict names
 * (solver/explain/conflict.h), or with them alone: read a second time, for
 * tests to judge by the checker. */

#include "solver/explain/conflict.h"

#include <check.h>
#include <string.h>

enum { RELAXED_RULES_MAX = 128 };

struct relaxed {
    struct dcp_inventory inv; /* Borrows all but rules. */
    struct dcp_rule rules[RELAXED_RULES_MAX];
};

static inline bool
is_part(const struct dcp_conflict_part parts[], uint32_t n,
        enum dcp_part_kind kind, uint32_t ix)
{
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i].kind == kind && parts[i].ix == ix) {
            return true;
        }
    }
    return false;
}

/* 'keep': only the parts are kept, else only they are given up. */
static inline void
relax(struct relaxed *r, const struct dcp_inventory *inv,
      const struct dcp_conflict_part parts[], uint32_t n, bool keep)
{
    struct dcp_policy *policy = &r->inv.policy;

    ck_assert_uint_le(inv->n_rules, RELAXED_RULES_MAX);
    r->inv = *inv;
    r->inv.n_rules = 0;
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        if (is_part(parts, n, DCP_PART_RULE, i) == keep) {
            r->rules[r->inv.n_rules++] = inv->rules[i];
        }
    }
    r->inv.rules = r->rules;
    if (is_part(parts, n, DCP_PART_TARGET_MEM, 0) != keep) {
        policy->target_mem_frac = 1;
    }
    if (is_part(parts, n, DCP_PART_TARGET_CPU, 0) != keep) {
        policy->target_cpu_frac = 1;
    }
    if (is_part(parts, n, DCP_PART_TARGET_NET, 0) != keep) {
        policy->target_net_frac = 1;
    }
}

#endif /* tests/support/relaxed.h */
