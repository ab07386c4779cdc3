/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Columns, rows and entries are collected here and handed to GLPK in one go
 * when solved.  GLPK's error handler aborts the process by default; the hook
 * below jumps out of it instead, after which GLPK's environment of this thread
 * is freed, because its state is not to be trusted any more. */

#include "solver/lp/lp.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

struct column {
    double low, high, cost;
    bool integer;
};
struct row {
    double low, high;
};

struct dcp_lp {
    struct column *cols;
    struct row *rows;
    int *at_row, *at_col; /* From 1, as GLPK counts; index 0 unused. */
    double *value;
    uint32_t n_cols, n_rows, n_set;
    uint32_t cap_cols, cap_rows, cap_set;
};

struct dcp_lp *
dcp_lp_create(struct dcp_error *err)
{
    struct dcp_lp *lp = calloc(1, sizeof *lp);

    if (!lp) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a linear program");
    }
    return lp;
}

void
dcp_lp_destroy(struct dcp_lp *lp)
{
    if (lp) {
        free(lp->cols);
        free(lp->rows);
        free(lp->at_row);
        free(lp->at_col);
        free(lp->value);
        free(lp);
    }
}

static bool
grow(void **data, uint32_t *capacity, uint32_t needed, size_t size)
{
    if (needed <= *capacity) {
        return true;
    }
    uint32_t bigger = *capacity ? 2 * *capacity : 64;

    while (bigger < needed) {
        bigger *= 2;
    }
    void *more = realloc(*data, bigger * size);

    if (!more) {
        return false;
    }
    *data = more;
    *capacity = bigger;
    return true;
}

uint32_t
dcp_lp_add_col(struct dcp_lp *lp, double low, double high, double cost,
               bool integer)
{
    void *data = lp->cols;
    bool ok = grow(&data, &lp->cap_cols, lp->n_cols + 1, sizeof *lp->cols);

    lp->cols = data;
    if (!ok) {
        return UINT32_MAX;
    }
    lp->cols[lp->n_cols] = (struct column){ low, high, cost, integer };
    return lp->n_cols++;
}

uint32_t
dcp_lp_add_row(struct dcp_lp *lp, double low, double high)
{
    void *data = lp->rows;
    bool ok = grow(&data, &lp->cap_rows, lp->n_rows + 1, sizeof *lp->rows);

    lp->rows = data;
    if (!ok) {
        return UINT32_MAX;
    }
    lp->rows[lp->n_rows] = (struct row){ low, high };
    return lp->n_rows++;
}

bool
dcp_lp_set(struct dcp_lp *lp, uint32_t row, uint32_t col, double value)
{
    uint32_t needed = lp->n_set + 2;
    uint32_t cap[3] = { lp->cap_set, lp->cap_set, lp->cap_set };
    void *data[3] = { lp->at_row, lp->at_col, lp->value };
    bool ok = grow(&data[0], &cap[0], needed, sizeof *lp->at_row) &&
              grow(&data[1], &cap[1], needed, sizeof *lp->at_col) &&
              grow(&data[2], &cap[2], needed, sizeof *lp->value);

    lp->at_row = data[0];
    lp->at_col = data[1];
    lp->value = data[2];
    if (!ok || row >= lp->n_rows || col >= lp->n_cols) {
        return false;
    }
    lp->cap_set = cap[2];
    if (value != 0) {
        lp->n_set++;
        lp->at_row[lp->n_set] = (int)row + 1;
        lp->at_col[lp->n_set] = (int)col + 1;
        lp->value[lp->n_set] = value;
    }
    return true;
}

uint32_t
dcp_lp_n_cols(const struct dcp_lp *lp)
{
    return lp->n_cols;
}

uint32_t
dcp_lp_n_rows(const struct dcp_lp *lp)
{
    return lp->n_rows;
}

/* --- GLPK --------------------------------------------------------------- */

/* GLPK turns its output on to explain an error. */
static int
say_nothing(void *info, const char *text)
{
    (void)info;
    (void)text;
    return 1;
}

static void
escape(void *info)
{
    jmp_buf *out = info;

    longjmp(*out, 1);
}

static int
bound_type(double low, double high)
{
    bool has_low = low > -DCP_LP_INF, has_high = high < DCP_LP_INF;

    if (has_low && has_high) {
        return low == high ? GLP_FX : GLP_DB;
    }
    return has_low ? GLP_LO : has_high ? GLP_UP : GLP_FR;
}

static glp_prob *
load(const struct dcp_lp *lp)
{
    glp_prob *prob = glp_create_prob();

    glp_set_obj_dir(prob, GLP_MIN);
    if (lp->n_rows) {
        glp_add_rows(prob, (int)lp->n_rows);
    }
    if (lp->n_cols) {
        glp_add_cols(prob, (int)lp->n_cols);
    }
    for (uint32_t i = 0; i < lp->n_rows; i++) {
        const struct row *r = &lp->rows[i];

        glp_set_row_bnds(prob, (int)i + 1, bound_type(r->low, r->high), r->low,
                         r->high);
    }
    for (uint32_t j = 0; j < lp->n_cols; j++) {
        const struct column *c = &lp->cols[j];

        glp_set_col_bnds(prob, (int)j + 1, bound_type(c->low, c->high), c->low,
                         c->high);
        glp_set_obj_coef(prob, (int)j + 1, c->cost);
        glp_set_col_kind(prob, (int)j + 1, c->integer ? GLP_IV : GLP_CV);
    }
    if (lp->n_set) {
        glp_load_matrix(prob, (int)lp->n_set, lp->at_row, lp->at_col,
                        lp->value);
    }
    return prob;
}

static int
limit_ms(double seconds)
{
    return seconds <= 0 || seconds > 2e6 ? INT32_MAX
                                         : (int)ceil(seconds * 1000);
}

static void
solve_relaxation(glp_prob *prob, const struct dcp_lp *lp,
                 const struct dcp_lp_options *limits, struct dcp_lp_answer *out,
                 double *x, double *duals)
{
    glp_smcp options;

    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.presolve = GLP_ON;
    options.tm_lim = limit_ms(limits->time_limit_s);
    if (limits->max_iterations) {
        options.it_lim = (int)limits->max_iterations;
    }
    glp_scale_prob(prob, GLP_SF_AUTO);
    int code = glp_simplex(prob, &options);
    int status = glp_get_status(prob);

    if (code == GLP_ENOPFS || status == GLP_NOFEAS) {
        out->status = DCP_LP_INFEASIBLE;
    } else if (!code && status == GLP_OPT) {
        out->status = DCP_LP_OPTIMAL;
        out->value = glp_get_obj_val(prob);
        out->bound = out->value;
        for (uint32_t j = 0; x && j < lp->n_cols; j++) {
            x[j] = glp_get_col_prim(prob, (int)j + 1);
        }
        for (uint32_t i = 0; duals && i < lp->n_rows; i++) {
            duals[i] = glp_get_row_dual(prob, (int)i + 1);
        }
    }
}

/* What the branch-and-bound callback needs. */
struct search {
    const struct dcp_lp *lp;
    const double *start; /* Offered once. */
    double *heuristic;   /* Room for it, from 1. */
    uint32_t nodes_left; /* 0: no limit. */
    double best_bound;
};

static void
callback(glp_tree *tree, void *info)
{
    struct search *s = info;
    int reason = glp_ios_reason(tree);

    if (reason == GLP_IHEUR && s->start) {
        for (uint32_t j = 0; j < s->lp->n_cols; j++) {
            s->heuristic[j + 1] = s->start[j];
        }
        s->start = NULL;
        (void)glp_ios_heur_sol(tree, s->heuristic);
    }
    if (reason == GLP_ISELECT && s->nodes_left && !--s->nodes_left) {
        glp_ios_terminate(tree);
    }
    int best = glp_ios_best_node(tree);

    if (best) {
        double bound = glp_ios_node_bound(tree, best);

        if (bound > s->best_bound) {
            s->best_bound = bound;
        }
    }
}

static void
solve_integer(glp_prob *prob, const struct dcp_lp *lp,
              const struct dcp_lp_options *options, struct search *search,
              struct dcp_lp_answer *out, double *x)
{
    glp_iocp io;

    glp_init_iocp(&io);
    io.msg_lev = GLP_MSG_OFF;
    io.presolve = GLP_OFF; /* Else bounds of nodes would be of another
                            * problem than ours. */
    io.tm_lim = limit_ms(options->time_limit_s);
    io.mip_gap = options->gap_frac;
    io.gmi_cuts = GLP_ON;
    io.mir_cuts = GLP_ON;
    io.cov_cuts = GLP_ON;
    io.br_tech = GLP_BR_DTH;
    io.bt_tech = GLP_BT_BLB;
    io.cb_func = callback;
    io.cb_info = search;
    struct dcp_lp_answer relaxed = { .status = DCP_LP_UNKNOWN };

    /* GLPK wants an optimal relaxation first. */
    solve_relaxation(prob, lp, options, &relaxed, NULL, NULL);
    if (relaxed.status != DCP_LP_OPTIMAL) {
        out->status = relaxed.status;
        return;
    }
    search->best_bound = relaxed.value;
    int code = glp_intopt(prob, &io);
    int status = glp_mip_status(prob);

    if (status == GLP_OPT || status == GLP_FEAS) {
        out->status = status == GLP_OPT && !code && options->gap_frac <= 0
                          ? DCP_LP_OPTIMAL
                          : DCP_LP_FEASIBLE;
        out->value = glp_mip_obj_val(prob);
        for (uint32_t j = 0; x && j < lp->n_cols; j++) {
            x[j] = glp_mip_col_val(prob, (int)j + 1);
        }
        out->bound =
            out->status == DCP_LP_OPTIMAL ? out->value : search->best_bound;
    } else if (status == GLP_NOFEAS || code == GLP_ENOPFS) {
        out->status = DCP_LP_INFEASIBLE;
    } else {
        out->bound = search->best_bound;
    }
}

bool
dcp_lp_solve(struct dcp_lp *lp, const struct dcp_lp_options *options,
             struct dcp_lp_answer *out, double *x, struct dcp_error *err)
{
    DCP_FREE double *heuristic = calloc(lp->n_cols + 1u, sizeof *heuristic);
    jmp_buf out_of_glpk;

    if (!heuristic) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a linear program");
    }
    struct search search = { lp, options->start, heuristic, options->node_limit,
                             -DCP_LP_INF };

    *out = (struct dcp_lp_answer){ .status = DCP_LP_UNKNOWN,
                                   .bound = -DCP_LP_INF };
    if (setjmp(out_of_glpk)) {
        (void)glp_free_env();
        return dcp_fail(err, DCP_E_BUG, "GLPK gave up on a linear program");
    }
    (void)glp_term_out(GLP_OFF);
    glp_term_hook(say_nothing, NULL);
    glp_error_hook(escape, &out_of_glpk);
    glp_prob *prob = load(lp);

    if (options->integer) {
        solve_integer(prob, lp, options, &search, out, x);
    } else {
        solve_relaxation(prob, lp, options, out, x, options->duals);
    }
    glp_delete_prob(prob);
    glp_error_hook(NULL, NULL);
    (void)glp_free_env();
    return true;
}

/* --- A program that stays loaded ------------------------------------------ */

struct dcp_lp_live {
    glp_prob *prob; /* NULL: GLPK gave up, and took it along. */
    uint32_t n_cols, n_rows, capacity;
    int *rows;      /* From 1; room for one column. */
    double *values;
    jmp_buf out_of_glpk;
};

/* After an error GLPK's memory is gone. */
static bool
live_broke(struct dcp_lp_live *live, struct dcp_error *err)
{
    live->prob = NULL;
    (void)glp_free_env();
    return dcp_fail(err, DCP_E_BUG, "GLPK gave up on a linear program");
}

static bool
live_alive(const struct dcp_lp_live *live, struct dcp_error *err)
{
    return live->prob ||
           dcp_fail(err, DCP_E_BUG, "GLPK gave up on it before");
}

static bool
live_load(struct dcp_lp_live *live, const struct dcp_lp *start,
          struct dcp_error *err)
{
    if (setjmp(live->out_of_glpk)) {
        return live_broke(live, err);
    }
    (void)glp_term_out(GLP_OFF);
    glp_term_hook(say_nothing, NULL);
    glp_error_hook(escape, &live->out_of_glpk);
    live->prob = load(start);
    glp_std_basis(live->prob);
    return true;
}

struct dcp_lp_live *
dcp_lp_live_create(const struct dcp_lp *start, struct dcp_error *err)
{
    struct dcp_lp_live *live = calloc(1, sizeof *live);

    if (live) {
        live->n_cols = start->n_cols;
        live->n_rows = start->n_rows;
        live->rows = calloc(start->n_rows + 1u, sizeof *live->rows);
        live->values = calloc(start->n_rows + 1u, sizeof *live->values);
    }
    if (!live || !live->rows || !live->values) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a linear program");
        dcp_lp_live_destroy(live);
        return NULL;
    }
    if (!live_load(live, start, err)) {
        dcp_lp_live_destroy(live);
        return NULL;
    }
    return live;
}

void
dcp_lp_live_destroy(struct dcp_lp_live *live)
{
    if (!live) {
        return;
    }
    if (live->prob) {
        glp_delete_prob(live->prob);
        glp_error_hook(NULL, NULL);
        (void)glp_free_env();
    }
    free(live->rows);
    free(live->values);
    free(live);
}

uint32_t
dcp_lp_live_n_cols(const struct dcp_lp_live *live)
{
    return live->n_cols;
}

bool
dcp_lp_live_add_col(struct dcp_lp_live *live, double low, double high,
                    double cost, uint32_t n, const uint32_t *rows,
                    const double *values, struct dcp_error *err)
{
    if (!live_alive(live, err)) {
        return false;
    }
    if (n > live->n_rows) {
        return dcp_fail(err, DCP_E_ARGUMENT, "a column of %u entries", n);
    }
    if (setjmp(live->out_of_glpk)) {
        return live_broke(live, err);
    }
    int col = glp_add_cols(live->prob, 1);

    for (uint32_t i = 0; i < n; i++) {
        live->rows[i + 1] = (int)rows[i] + 1;
        live->values[i + 1] = values[i];
    }
    glp_set_col_bnds(live->prob, col, bound_type(low, high), low, high);
    glp_set_obj_coef(live->prob, col, cost);
    glp_set_mat_col(live->prob, col, (int)n, live->rows, live->values);
    live->n_cols++;
    return true;
}

bool
dcp_lp_live_set_row(struct dcp_lp_live *live, uint32_t row, double low,
                    double high, struct dcp_error *err)
{
    if (!live_alive(live, err)) {
        return false;
    }
    if (setjmp(live->out_of_glpk)) {
        return live_broke(live, err);
    }
    glp_set_row_bnds(live->prob, (int)row + 1, bound_type(low, high), low,
                     high);
    return true;
}

bool
dcp_lp_live_set_col(struct dcp_lp_live *live, uint32_t col, double low,
                    double high, struct dcp_error *err)
{
    if (!live_alive(live, err)) {
        return false;
    }
    if (setjmp(live->out_of_glpk)) {
        return live_broke(live, err);
    }
    glp_set_col_bnds(live->prob, (int)col + 1, bound_type(low, high), low,
                     high);
    return true;
}

static void
live_read(const struct dcp_lp_live *live, struct dcp_lp_answer *out, double *x,
          double *duals)
{
    out->status = DCP_LP_OPTIMAL;
    out->value = glp_get_obj_val(live->prob);
    out->bound = out->value;
    for (uint32_t j = 0; x && j < live->n_cols; j++) {
        x[j] = glp_get_col_prim(live->prob, (int)j + 1);
    }
    for (uint32_t i = 0; duals && i < live->n_rows; i++) {
        duals[i] = glp_get_row_dual(live->prob, (int)i + 1);
    }
}

bool
dcp_lp_live_solve(struct dcp_lp_live *live,
                  const struct dcp_lp_live_options *options,
                  struct dcp_lp_answer *out, double *x, double *duals,
                  struct dcp_error *err)
{
    glp_smcp o;

    *out = (struct dcp_lp_answer){ .status = DCP_LP_UNKNOWN,
                                   .bound = -DCP_LP_INF };
    if (!live_alive(live, err)) {
        return false;
    }
    if (setjmp(live->out_of_glpk)) {
        return live_broke(live, err);
    }
    glp_init_smcp(&o);
    o.msg_lev = GLP_MSG_OFF;
    o.presolve = GLP_OFF;
    o.meth = options->dual ? GLP_DUALP : GLP_PRIMAL;
    o.tm_lim = limit_ms(options->time_limit_s);
    o.it_lim = options->max_iterations && options->max_iterations < INT32_MAX
                   ? (int)options->max_iterations
                   : INT32_MAX;
    int code = glp_simplex(live->prob, &o);

    if (code == GLP_EBADB || code == GLP_ESING || code == GLP_ECOND ||
        code == GLP_EFAIL) { /* The basis is worn out: once more, afresh. */
        glp_adv_basis(live->prob, 0);
        o.meth = GLP_PRIMAL;
        code = glp_simplex(live->prob, &o);
    }
    int status = glp_get_status(live->prob);

    if (!code && status == GLP_OPT) {
        live_read(live, out, x, duals);
    } else if (!code && status == GLP_NOFEAS) {
        out->status = DCP_LP_INFEASIBLE;
    }
    return true;
}
