/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_RIGHTSIZING_H
#define DCP_CLI_RIGHTSIZING_H 1

/* --rightsize: what each VM should be given by what it used
 * (model/rightsize.h), the plan in which that is done, and the report.
 *
 * VMs that policy.rightsize lets be made larger are; of those that may be made
 * smaller, the ones that bring the plan's goal something
 * (cli/rightsizing_choose.c), or all (policy.rightsize.choose).  Of those whose restarts
 * come one after another (one application, or a hard spread rule) only as many
 * as fit an eighth of the plan's
 * window.  Where no plan is found so, none grows
 * ("no_room"); where there still is none, none is resized at all. */

#include "cli/context.h"
#include "model/io/json_writer.h"
#include "solver/plan/planner.h"

struct dcp_rightsizing {
    struct dcp_vm_usage *usage;     /* By VM; NULL: not asked for. */
    struct dcp_size_advice *advice; /* By VM. */
    /* The model as it will be; NULL: no VM is resized.  Owned, as its demand,
     * which is NULL where it is as it was. */
    struct dcp_inventory *inv;
    struct dcp_demand *demand;
    uint32_t n[DCP_SIZE_VERDICTS];
    /* Lower bounds; if_all: with what is left for later as well. */
    uint32_t hosts_needed_before, hosts_needed_after, hosts_needed_if_all;
    bool chose;   /* What a resize brings the goal was weighed. */
    bool gave_up; /* There was no plan with all that was to be resized. */
    bool measured_memory;
    bool settled; /* The window's evening was carried out: none is resized. */
};

struct dcp_rightsizing_request {
    const char *dir; /* Of the model: its journal. */
    const struct dcp_demand *demand;
    const struct dcp_placement *start;
    int64_t start_ms, end_ms; /* Of the plan's window. */
    bool in_window;
    bool parks; /* VMs that policy.parking names are away. */
    bool settled;
};

/* Measures over the history that 'demand' was fitted on. */
bool dcp_rightsizing_make(struct dcp_context *,
                          const struct dcp_rightsizing_request *,
                          struct dcp_rightsizing *out,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_rightsizing_finish(struct dcp_rightsizing *);
/* The model as it would be with all advice taken, to be freed. */
struct dcp_inventory *dcp_rightsizing_all(const struct dcp_rightsizing *,
                                          const struct dcp_inventory *,
                                          struct dcp_error *err) DCP_CHECKED;

/* dcp_plan_make() with what is to be resized; sets the request's 'inventory',
 * 'demand', 'was' and 'advice' as the plan that was made has them. */
bool dcp_rightsizing_plan(struct dcp_rightsizing *, struct dcp_plan_request *,
                          struct dcp_plan **out, struct dcp_plan_outcome *,
                          struct dcp_error *err) DCP_CHECKED;

/* Its parts.  The model with what 'advice' changes; the request about it; whether
 * an answer has no plan; what a resize frees (a vCPU counts as 4 GiB). */
bool dcp_rightsizing_model(struct dcp_rightsizing *,
                           const struct dcp_inventory *,
                           const struct dcp_demand *,
                           struct dcp_error *err) DCP_CHECKED;
void dcp_rightsizing_ask(const struct dcp_rightsizing *,
                         struct dcp_plan_request *,
                         const struct dcp_inventory *,
                         const struct dcp_demand *);
bool dcp_rightsizing_no_plan(const struct dcp_plan_outcome *);
double dcp_rightsizing_saves(const struct dcp_size_advice *);

/* cli/rightsizing_choose.c: after the plan with all advice (in '*plan', made
 * within the first limit), the one in which only those VMs are made smaller of
 * which the goal has something; 'limit_s', from 'began_ms' on, is for all. */
struct dcp_rightsizing_limits {
    double all_s, first_s; /* 0: iterations limit instead. */
};
struct dcp_rightsizing_limits
dcp_rightsizing_limits(const struct dcp_solve_options *);
bool dcp_rightsizing_choose(struct dcp_rightsizing *, struct dcp_plan_request *,
                            const struct dcp_inventory *,
                            const struct dcp_demand *, double limit_s,
                            int64_t began_ms, struct dcp_plan **plan,
                            struct dcp_plan_outcome *,
                            struct dcp_error *err) DCP_CHECKED;

/* cli/rightsizing_print.c: member "rightsizing" (null: not asked for), and
 * lines for people. */
void dcp_rightsizing_json(struct dcp_json *, const struct dcp_inventory *,
                          const struct dcp_rightsizing *);
/* 'each': with a line for each VM that has another size to get. */
void dcp_rightsizing_print(const struct dcp_inventory *,
                           const struct dcp_rightsizing *, bool each);

#endif /* cli/rightsizing.h */
