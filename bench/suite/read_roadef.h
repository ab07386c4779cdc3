/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_READ_ROADEF_H
#define DCP_BENCH_READ_ROADEF_H 1

/* Files of the ROADEF/EURO challenge 2012: whole numbers between white space.
 * The model has, in order, resources, machines, services, processes, balances
 * and weights; an assignment the machine of each process.  Nothing in it is
 * taken on trust: every number is read with a range, every count against what
 * the file can still hold. */

#include "solver/assign/assign.h"

/* Fills 'out' with arrays in 'arena' from the two texts, and checks it
 * (dcp_assign_check()).  Locations and neighbourhoods are renumbered.  The
 * paths are for messages. */
struct dcp_roadef_text {
    const char *path, *text;
    size_t length;
};
bool
dcp_roadef_parse(struct dcp_arena *arena, const struct dcp_roadef_text *model,
                 const struct dcp_roadef_text *initial,
                 struct dcp_assign_problem *out,
                 struct dcp_error *err) DCP_CHECKED;

/* The same of two files, which may be .gz. */
bool dcp_roadef_read(struct dcp_arena *arena, const char *model,
                     const char *initial, struct dcp_assign_problem *out,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* bench/suite/read_roadef.h */
