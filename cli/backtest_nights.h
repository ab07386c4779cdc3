/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_BACKTEST_NIGHTS_H
#define DCP_CLI_BACKTEST_NIGHTS_H 1

/* The nights of a backtest and who played them; for cli/backtest*.c alone. */

#include "cli/backtest.h"
#include "cli/replay.h"
#include "sim/stats/interval.h"

#define DCP_BACKTEST_CONFIDENCE_FRAC 0.8

/* What there was too little of besides CPU, of a replay: docs/sim-host.md. */
struct backtest_short {
    double balloon_mib, swap_mib; /* Means over the window. */
    double stalled_frac;          /* Of demand: waited for swap. */
    double unserved_frac; /* Of reads and writes: paths and pools too slow. */
};
struct backtest_short
backtest_short_of(const struct dcp_sim_result *, const struct dcp_io_result *);

struct backtest_night {
    int64_t start_ms, end_ms; /* The window. */
    const char *status;       /* Of the plan. */
    bool has_plan;            /* Else nothing was done, and nothing foreseen. */
    double planned_kwh;       /* What the plan saves at planned demand, */
    double foreseen_kwh;      /* what it said to expect, */
    double saved_kwh;         /* and what came of it. */
    double hosts_before, hosts_after;
    double overload_before_min, overload_after_min; /* Host-minutes. */
    /* Minutes in which some host was overloaded, with the plan, by samples; and
     * the longest time of them without a break. */
    double overload_some_min, overload_longest_min;
    double overloaded_frac, above_target_frac; /* Of host samples. */
    struct backtest_short short_before, short_after;
    uint32_t migrations;
    double makespan_min;
    bool partial;
    /* What saved_kwh was expected to be, by the plan and by how much the nights
     * before it missed theirs; NaN: too few of them, or no plan. */
    struct dcp_interval expected_kwh;
    /* The same of overload_some_min. */
    struct dcp_interval expected_overload_min;
};

/* One who plays each night: nobody, the night plans, a policy. */
struct backtest_entrant {
    const char *name;
    /* By night; saved against nobody. */
    double saved_kwh[DCP_BACKTEST_MAX], saved_cost[DCP_BACKTEST_MAX];
    double overload_min[DCP_BACKTEST_MAX]; /* Host-minutes. */
    double swap_mib[DCP_BACKTEST_MAX];     /* As in struct backtest_short. */
    double stalled_frac[DCP_BACKTEST_MAX], unserved_frac[DCP_BACKTEST_MAX];
    uint64_t migrations;
};
#define DCP_BACKTEST_ENTRANTS_MAX 16

struct backtest {
    const struct dcp_globals *globals;
    struct dcp_context *context;
    struct dcp_window window;
    struct backtest_night *nights; /* Owned. */
    uint32_t n;
    int64_t every_ms;
    char *names;                       /* Of policies, cut at commas. Owned. */
    struct backtest_entrant *entrants; /* Owned; none where n_entrants is 0. */
    uint32_t n_entrants;
};

/* --- cli/backtest_policies.c ---------------------------------------------- */

/* 'policies': names with commas between them; NULL: nobody is compared. */
bool backtest_policies_open(struct backtest *, const char *policies,
                            struct dcp_error *err) DCP_CHECKED;
/* The entrants' turn on a night, whose replay with the plan is 'r'. */
bool backtest_policies_play(struct backtest *, uint32_t night,
                            const struct dcp_replay *r,
                            struct dcp_error *err) DCP_CHECKED;
/* The member "policies"; and a table for people. */
void backtest_policies_json(struct dcp_json *, const struct backtest *);
void backtest_policies_print(const struct backtest *);

/* --- cli/backtest_print.c ------------------------------------------------- */

int backtest_print_json(const struct backtest *, struct dcp_error *err);
void backtest_print_text(const struct backtest *);

#endif /* cli/backtest_nights.h */
