/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_CONTEXT_H
#define DCP_CLI_CONTEXT_H 1

/* What most commands start from: the model directory of -C, read and
 * validated (diagnostics go to standard error), its usage store where there is
 * one, and planned demand for the slots of a question. */

#include "cli/command.h"
#include "model/demand.h"
#include "model/io/model_dir.h"
#include "model/plan.h"
#include "traces/store.h"

struct dcp_context {
    struct dcp_model model;
    struct dcp_store *store;        /* NULL: the model has no usage.h5. */
    struct dcp_placement *measured; /* Owned: where VMs ran while usage was
                                     * measured, as far as the model knows:
                                     * where dc.yaml has them. */
};

/* 'traces' NULL: usage.h5 in the model directory, where there is one. */
bool
dcp_context_open(const struct dcp_globals *, const char *traces,
                 struct dcp_context *out, struct dcp_error *err) DCP_CHECKED;
void dcp_context_close(struct dcp_context *);

/* Demand in 'slots', fitted on [from_ms, until_ms) of the store (INT64_MIN,
 * INT64_MAX: no bound), or from the model where there is no store. */
struct dcp_demand *
dcp_context_demand(struct dcp_context *, const struct dcp_slot slots[],
                   uint32_t n_slots, int64_t from_ms, int64_t until_ms,
                   struct dcp_error *err) DCP_CHECKED;

/* The demand that 'plan' was made with: its slots, from its first leg's start
 * to its last buckets_until, fitted on the history that it names. */
struct dcp_demand *
dcp_context_plan_demand(struct dcp_context *, const struct dcp_plan *plan,
                        struct dcp_error *err) DCP_CHECKED;

/* Multiplies each VM's demand by exp(x), x uniform in [-share, share]: for
 * tests of stability.  A plan made so says it in its options, and the demand
 * that it was made with is perturbed alike.  More than DCP_PERTURB_MAX is
 * refused: a plan that says so would choose its own demand. */
#define DCP_PERTURB_MAX 0.5
bool dcp_context_perturb(const struct dcp_inventory *, struct dcp_demand *,
                         double share, uint64_t seed,
                         struct dcp_error *err) DCP_CHECKED;
/* The share that the plan's options say, 0 where they say none. */
double dcp_context_plan_perturb(const struct dcp_plan *);

/* All slots of policy's buckets in a time; to be freed; NULL: no memory. */
struct dcp_slot *
dcp_context_slots(const struct dcp_inventory *, int64_t start_ms,
                  int64_t end_ms, uint32_t *out_n,
                  struct dcp_error *err) DCP_CHECKED;

/* Slots [first, last) of 'demand' that a leg is judged in: all that overlap
 * [start_ms, until_ms). */
void dcp_slot_range(const struct dcp_demand *, int64_t start_ms,
                    int64_t until_ms, uint32_t *out_first, uint32_t *out_last);

/* One slot per bucket that the week after 'now_ms' has, for questions about
 * all of it: a bucket is the same on every day that has it.  Returns how many
 * of 'out' were set. */
#define DCP_WEEK_SLOTS_MAX (7 * 24 + 1)
uint32_t dcp_week_slots(const struct dcp_inventory *, int64_t now_ms,
                        struct dcp_slot out[DCP_WEEK_SLOTS_MAX]);

#endif /* cli/context.h */
