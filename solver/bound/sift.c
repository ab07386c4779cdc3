/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/bound/sift.h"

#include "solver/bound/parts.h"
#include "solver/run/progress.h"

#include <math.h>
#include <stdlib.h>

#define SOLVE_S 10.0 /* For one program at most; they are small. */
#define LACK    10.0 /* Price of a whole host's load or room. */

double
dcp_bound_watts_at(const struct dcp_bound_curve *c, double mhz)
{
    for (uint32_t j = 1; j < c->n; j++) {
        if (mhz <= c->mhz[j]) {
            double share = (mhz - c->mhz[j - 1]) / (c->mhz[j] - c->mhz[j - 1]);

            return c->watts[j - 1] + share * (c->watts[j] - c->watts[j - 1]);
        }
    }
    return c->watts[c->n - 1];
}

struct dcp_bound_curve
dcp_bound_curve_within(const struct dcp_bound_curve *c, double low, double high)
{
    struct dcp_bound_curve e = { .n = 1,
                                 .mhz = { low },
                                 .watts = { dcp_bound_watts_at(c, low) } };

    for (uint32_t j = 0; j < c->n; j++) {
        if (c->mhz[j] > low && c->mhz[j] < high) {
            e.mhz[e.n] = c->mhz[j];
            e.watts[e.n++] = c->watts[j];
        }
    }
    if (high > low) {
        e.mhz[e.n] = high;
        e.watts[e.n++] = dcp_bound_watts_at(c, high);
    }
    return e;
}

/* --- The program ---------------------------------------------------------- */

/* Rows: for each group what items carry is what the curve's points do, and the
 * points are shares of one host; then rooms.  In shares of the host, and of
 * what it costs when idle. */
struct program {
    const struct dcp_bound_pattern *q;
    struct dcp_lp *lp;
    double full, money;
    uint32_t n_cols;
    bool ok;
};

static void
set(struct program *m, uint32_t row, uint32_t col, double value)
{
    m->ok = m->ok && row != UINT32_MAX && col != UINT32_MAX &&
            (value == 0 || dcp_lp_set(m->lp, row, col, value));
}

static double
room_unit(const struct dcp_bound_pattern *q, uint32_t r)
{
    return q->room[r] > 0 ? q->room[r] : 1;
}

static void
add_rows(struct program *m, const struct dcp_bound_box *box)
{
    const struct dcp_bound_pattern *q = m->q;

    for (uint32_t g = 0; g < 2 * q->n_groups; g++) {
        double is = g % 2;

        m->ok = m->ok && dcp_lp_add_row(m->lp, is, is) != UINT32_MAX;
    }
    for (uint32_t r = 0; r < q->n_rooms; r++) {
        m->ok = m->ok &&
                dcp_lp_add_row(m->lp, box->room_low[r] / room_unit(q, r),
                               box->room[r] / room_unit(q, r)) != UINT32_MAX;
    }
}

static void
add_points(struct program *m, const struct dcp_bound_box *box)
{
    const struct dcp_bound_pattern *q = m->q;

    for (uint32_t g = 0; m->ok && g < q->n_groups; g++) {
        struct dcp_bound_curve c =
            dcp_bound_curve_within(q->curve, box->low[g], box->high[g]);

        c = dcp_bound_curve_under(&c, 0, c.n - 1);
        for (uint32_t j = 0; j < c.n; j++) {
            uint32_t col =
                dcp_lp_add_col(m->lp, 0, DCP_LP_INF,
                               q->price[g] * c.watts[j] / m->money, false);

            set(m, 2 * g, col, -c.mhz[j] / m->full);
            set(m, 2 * g + 1, col, 1);
        }
    }
}

/* What is lacking of load or of a room that has to be filled: dear, so that
 * the prices say which items would do. */
static void
add_lacks(struct program *m, const struct dcp_bound_box *box)
{
    const struct dcp_bound_pattern *q = m->q;

    for (uint32_t g = 0; m->ok && g < q->n_groups; g++) {
        if (box->low[g] > 0) {
            set(m, 2 * g, dcp_lp_add_col(m->lp, 0, DCP_LP_INF, LACK, false), 1);
        }
    }
    for (uint32_t r = 0; m->ok && r < q->n_rooms; r++) {
        if (box->room_low[r] > 0) {
            set(m, 2 * q->n_groups + r,
                dcp_lp_add_col(m->lp, 0, DCP_LP_INF, LACK, false), 1);
        }
    }
}

static void
add_item(struct program *m, uint32_t i)
{
    const struct dcp_bound_pattern *q = m->q;
    uint32_t col = dcp_lp_add_col(m->lp, 0, 1, -q->u[i] / m->money, false);

    for (uint32_t g = 0; g < q->n_groups; g++) {
        set(m, 2 * g, col, q->load[(size_t)g * q->n_items + i] / m->full);
    }
    for (uint32_t r = 0; r < q->n_rooms; r++) {
        set(m, 2 * q->n_groups + r, col,
            q->need[(size_t)r * q->n_items + i] / room_unit(q, r));
    }
}

/* What the points carry: they are the first columns. */
static void
read_loads(const struct program *m, const struct dcp_bound_box *box,
           const double *x, double *load)
{
    const struct dcp_bound_pattern *q = m->q;
    uint32_t at = 0;

    for (uint32_t g = 0; g < q->n_groups; g++) {
        struct dcp_bound_curve c =
            dcp_bound_curve_within(q->curve, box->low[g], box->high[g]);

        c = dcp_bound_curve_under(&c, 0, c.n - 1);
        load[g] = 0;
        for (uint32_t j = 0; j < c.n; j++) {
            load[g] += x[at++] * c.mhz[j];
        }
    }
}

bool
dcp_bound_sift_solve(const struct dcp_bound_pattern *q,
                     const struct dcp_bound_box *box, const uint32_t *items,
                     uint32_t n, double *prices, double *load, double *value)
{
    struct program m = { .q = q,
                         .lp = dcp_lp_create(NULL),
                         .full = fmax(q->curve->mhz[q->curve->n - 1], 1) };
    DCP_AUTO(dcp_lp) struct dcp_lp *lp = m.lp;
    struct dcp_lp_answer answer;

    for (uint32_t g = 0; g < q->n_groups; g++) {
        m.money += q->price[g] * q->curve->watts[0];
    }
    m.money = m.money > 0 ? m.money : 1;
    m.ok = m.lp != NULL;
    if (m.ok) {
        add_rows(&m, box);
        add_points(&m, box);
        add_lacks(&m, box);
    }
    for (uint32_t k = 0; m.ok && k < n; k++) {
        add_item(&m, items[k]);
    }
    DCP_FREE double *x =
        m.ok ? calloc(dcp_lp_n_cols(lp) + 1u, sizeof *x) : NULL;
    DCP_FREE double *duals =
        m.ok ? calloc(dcp_lp_n_rows(lp) + 1u, sizeof *duals) : NULL;
    bool no_clock = q->deadline_ms == INT64_MAX;
    struct dcp_lp_options options = {
        .time_limit_s =
            no_clock ? 0 : fmin(SOLVE_S, dcp_bound_left_s(q->deadline_ms)),
        .max_iterations = DCP_BOUND_ITERATIONS,
        .duals = duals,
    };

    if (!x || !duals || !dcp_lp_solve(lp, &options, &answer, x, NULL) ||
        answer.status != DCP_LP_OPTIMAL) {
        return false;
    }
    for (uint32_t g = 0; g < q->n_groups; g++) {
        prices[g] = -duals[2 * g] * m.money / m.full;
    }
    for (uint32_t r = 0; r < q->n_rooms; r++) {
        prices[q->n_groups + r] =
            -duals[2 * q->n_groups + r] * m.money / room_unit(q, r);
    }
    read_loads(&m, box, x, load);
    *value = answer.value * m.money;
    return true;
}
