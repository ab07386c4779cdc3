/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLAN_OPTIONS_H
#define DCP_MODEL_IO_PLAN_OPTIONS_H 1

/* What a plan says it was made with: its member "options", as written by the
 * planning commands, for those who ask the same question again.  Members that
 * a plan does not have keep their defaults; unknown ones are passed over. */

#include "model/plan.h"

struct dcp_plan_options {
    char command[32];  /* "consolidate"; "": not said. */
    char goal[256];    /* "cost,moves"; "": not said. */
    char window[32];   /* "22:00-06:00"; "": none. */
    char strategy[16]; /* "": full. */
    double gap_frac, slack_frac;
    uint64_t iterations, max_moves; /* 0: no limit. */
    bool no_park, no_convert;
};

/* DCP_E_PARSE where the text is no JSON object or a member is of another
 * type. */
bool
dcp_plan_options_read(const struct dcp_plan *, struct dcp_plan_options *out,
                      struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/plan_options.h */
