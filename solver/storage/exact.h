/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_STORAGE_EXACT_H
#define DCP_SOLVER_STORAGE_EXACT_H 1

/* Small questions, to the end: a mixed-integer program with x per item and
 * pool, solved by GLPK.  The squares of evening out are held from below by
 * tangents; where an answer shows that they are too far below, tangents at its
 * loads are added and it is solved again (outer approximation, Duran &
 * Grossmann, Math. Programming 36, 1986).  So the bound always holds, and when
 * it meets an answer that is the best one.
 *
 * Pools are held to what policy lets be used where the given answer keeps that,
 * else to what they may hold. */

#include "solver/storage/fill.h"

#define DCP_STORAGE_EXACT_BINARIES 1500u

struct dcp_storage_exact {
    bool asked;   /* Small enough. */
    double bound; /* Of move cost and pressure; -INFINITY: none. */
    bool better;  /* 'f' was changed to a cheaper answer. */
};

/* 'f' holds an answer, which is improved where that can be. */
bool dcp_storage_solve_exact(struct dcp_fill *f, double time_limit_s,
                             struct dcp_storage_exact *out,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* solver/storage/exact.h */
