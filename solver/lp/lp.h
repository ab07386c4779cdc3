/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_LP_LP_H
#define DCP_SOLVER_LP_LP_H 1

/* Linear and mixed-integer programs, minimised; rows and columns count from 0.
 * The only door to GLPK: its errors come back as DCP_E_BUG (it would abort by
 * default), it prints nothing, and time limits hold between its iterations.
 *
 * GLPK keeps its memory by thread: an lp is made, used and destroyed on one
 * thread. */

#include "model/base/arena.h"
#include "model/base/error.h"

struct dcp_lp;

#define DCP_LP_INF 1e30

struct dcp_lp *dcp_lp_create(struct dcp_error *err) DCP_CHECKED;
void dcp_lp_destroy(struct dcp_lp *);
DCP_DEFINE_AUTO(dcp_lp)

/* Each returns the index of the new column or row; UINT32_MAX: no memory. */
uint32_t dcp_lp_add_col(struct dcp_lp *, double low, double high, double cost,
                        bool integer);
uint32_t dcp_lp_add_row(struct dcp_lp *, double low, double high);
/* Each (row, col) at most once. */
bool dcp_lp_set(struct dcp_lp *, uint32_t row, uint32_t col, double value);
uint32_t dcp_lp_n_cols(const struct dcp_lp *);
uint32_t dcp_lp_n_rows(const struct dcp_lp *);

enum dcp_lp_status {
    DCP_LP_OPTIMAL,
    DCP_LP_FEASIBLE,   /* MIP: stopped with an answer. */
    DCP_LP_INFEASIBLE, /* Proved. */
    DCP_LP_UNKNOWN,    /* Stopped without an answer. */
};

struct dcp_lp_options {
    bool integer;        /* Solve the MIP, else its relaxation. */
    double time_limit_s; /* 0: none. */
    uint32_t node_limit; /* MIP: stop after so many nodes, which is the same on
                          * every machine, as a time is not; 0: none. */
    uint32_t max_iterations; /* Likewise, of the simplex method in a relaxation,
                              * also the first one of a MIP. */
    double gap_frac;     /* MIP: stop at this gap. */
    const double *start; /* MIP: a known answer (one value per column) that
                          * others must beat; NULL: none. */
    double *duals; /* Relaxation: filled, by row, where there is an optimum;
                    * NULL: not asked for. */
};
struct dcp_lp_answer {
    enum dcp_lp_status status;
    double value; /* Of the answer, where there is one. */
    double bound; /* No answer is better; -DCP_LP_INF: not known. */
};

/* Fills 'x' (one per column) where there is an answer. */
bool dcp_lp_solve(struct dcp_lp *, const struct dcp_lp_options *,
                  struct dcp_lp_answer *out, double *x,
                  struct dcp_error *err) DCP_CHECKED;

/* --- A program that stays loaded ------------------------------------------ */

/* Between solves columns are added and limits moved, and each solve starts from
 * the basis of the last one: what column generation and diving ask for.  Duals
 * come with the answer.  No integers here.
 *
 * As long as one lives, its thread calls neither dcp_lp_solve() nor has a
 * second one: GLPK's memory is by thread and goes as a whole. */
struct dcp_lp_live;

/* Copies 'start', which may have no columns yet. */
struct dcp_lp_live *dcp_lp_live_create(const struct dcp_lp *start,
                                       struct dcp_error *err) DCP_CHECKED;
void dcp_lp_live_destroy(struct dcp_lp_live *);
DCP_DEFINE_AUTO(dcp_lp_live)

uint32_t dcp_lp_live_n_cols(const struct dcp_lp_live *);
/* A column from 'low' to 'high' with 'n' entries, each row at most once; it is
 * the last one. */
bool dcp_lp_live_add_col(struct dcp_lp_live *, double low, double high,
                         double cost, uint32_t n, const uint32_t *rows,
                         const double *values,
                         struct dcp_error *err) DCP_CHECKED;
bool dcp_lp_live_set_row(struct dcp_lp_live *, uint32_t row, double low,
                         double high, struct dcp_error *err) DCP_CHECKED;
bool dcp_lp_live_set_col(struct dcp_lp_live *, uint32_t col, double low,
                         double high, struct dcp_error *err) DCP_CHECKED;

struct dcp_lp_live_options {
    double time_limit_s;     /* 0: none. */
    uint32_t max_iterations; /* Of the simplex method; 0: no limit. */
    bool dual; /* Limits moved since the last solve: the dual method, which
                * falls back to the primal one. */
};
/* Fills 'x' (by column) and 'duals' (by row) where there is an optimum; either
 * may be NULL. */
bool dcp_lp_live_solve(struct dcp_lp_live *,
                       const struct dcp_lp_live_options *,
                       struct dcp_lp_answer *out, double *x, double *duals,
                       struct dcp_error *err) DCP_CHECKED;

#endif /* solver/lp/lp.h */
