/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLAN_PARSE_H
#define DCP_MODEL_IO_PLAN_PARSE_H 1

/* The parts of the plan parser that have files of their own.  Not for others.
 */

#include "model/io/plan_reader.h"

/* The index of a leg by its name; legs are parsed first. */
bool
dcp_plan_find_leg(const struct dcp_plan *, const char *name, uint32_t *out);
/* model/io/plan_parse_steps.c: "survive" and "steps". */
bool dcp_plan_parse_survive(struct dcp_plan_reader *, json_t *root);
bool dcp_plan_parse_steps(struct dcp_plan_reader *, json_t *root);

#endif /* model/io/plan_parse.h */
