/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_ORDER_H
#define DCP_MODEL_CHECK_ORDER_H 1

/* What must come before what in a plan, and how high an amount can get over
 * all orders that the plan allows.  Internal to model/check/.
 *
 * Needs a plan in which every step waits only for steps with a lower id (which
 * the checker judges first), so the listed order is one allowed order.  Not
 * thread-safe on one struct. */

#include "model/check/judge.h"

struct dcp_check_order {
    const struct dcp_plan *plan;
    uint32_t *stamp; /* By id. */
    uint32_t now;
    uint32_t *stack;
};

bool dcp_check_order_init(struct dcp_check_order *,
                          const struct dcp_judge *) DCP_CHECKED;
void dcp_check_order_finish(struct dcp_check_order *);

/* Step 'a' is always done when step 'b' starts.  Ids; a == b: false. */
bool dcp_check_order_before(struct dcp_check_order *, uint32_t a, uint32_t b);

/* The steps that touch one thing: 'in' adds to it from its start on, 'out'
 * takes away from it from its end on. */
struct dcp_check_touch;

/* Ids ascending; both arrays must outlive the touch. NULL: no memory. */
struct dcp_check_touch *
dcp_check_touch_create(struct dcp_check_order *, const uint32_t in[],
                       uint32_t n_in, const uint32_t out[], uint32_t n_out);
void dcp_check_touch_destroy(struct dcp_check_touch *);
DCP_DEFINE_AUTO(dcp_check_touch)

/* The most that can be added to the start in any state of any order: the
 * largest closure with weight[i] >= 0 of in[i] and weight[n_in + k] >= 0, what
 * out[k] takes away.  '*out_step' is the last 'in' of a worst state, 0 when
 * that is the start. */
int64_t dcp_check_touch_worst(struct dcp_check_touch *, const int64_t weight[],
                              uint32_t *out_step);

#endif /* model/check/order.h */
