/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_READ_VBP_H
#define DCP_BENCH_READ_VBP_H 1

/* Packing benchmarks as files.
 *
 * .vbp (VPSolver): d; d capacities; n; n lines of d sizes and a demand.
 * bpp (BPPLIB, cutting stock): n; the capacity; n lines of a size and a demand;
 * a demand left out on every line is 1.
 *
 * Numbers are whole and separated by white space.  A reader trusts nothing:
 * what is not a number, out of range, missing or left over is DCP_E_PARSE with
 * the line. */

#include "solver/pack/pack.h"

/* Columns that are owned, and the problem that borrows them. */
struct dcp_bench_packing {
    struct dcp_pack_problem problem;
    int32_t *size, *capacity;
    uint32_t *demand;
    uint64_t n_items; /* All demands. */
};

bool
dcp_read_vbp(const char *path, const char *text, size_t length,
             struct dcp_bench_packing *out, struct dcp_error *err) DCP_CHECKED;
bool
dcp_read_bpp(const char *path, const char *text, size_t length,
             struct dcp_bench_packing *out, struct dcp_error *err) DCP_CHECKED;
void dcp_bench_packing_finish(struct dcp_bench_packing *);

/* A solution, "B" and B lines "k i1 .. ik" (items from 1 in file order, each
 * demand expanded), counted against the problem: how many bins. */
bool dcp_read_bins(const char *path, const char *text, size_t length,
                   const struct dcp_bench_packing *, uint64_t *out_bins,
                   struct dcp_error *err) DCP_CHECKED;

#endif /* bench/suite/read_vbp.h */
