/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Multiple correlation by least squares with an intercept, through Householder
 * reflections (Golub and Van Loan, "Matrix Computations", 5.2).  The sign of a
 * reflection, the order of the columns and of every sum matter: where there
 * are as many columns as rows all R^2 are 1 but for rounding, and rounding
 * then chooses. */

#include "sim/cloudsim/world.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { MOST = DCP_CLOUDSIM_HISTORY };

struct fit {
    uint32_t rows, columns;
    double at[MOST][MOST]; /* Columns; reflected in place. */
    double diagonal[MOST];
    double y[MOST], coefficient[MOST];
};

/* Makes column 'k' zero below its diagonal; false: it is zero already. */
static bool
reflect(struct fit *f, uint32_t k)
{
    double *v = f->at[k], squares = 0;

    for (uint32_t i = k; i < f->rows; i++) {
        squares += v[i] * v[i];
    }
    double a = v[k] > 0 ? -sqrt(squares) : sqrt(squares);

    f->diagonal[k] = a;
    if (a == 0) {
        return false;
    }
    v[k] -= a;
    for (uint32_t c = k + 1; c < f->columns; c++) {
        double *x = f->at[c], alpha = 0;

        for (uint32_t i = k; i < f->rows; i++) {
            alpha -= x[i] * v[i];
        }
        alpha /= a * v[k];
        for (uint32_t i = k; i < f->rows; i++) {
            x[i] -= alpha * v[i];
        }
    }
    return true;
}

static void
solve(struct fit *f)
{
    for (uint32_t k = 0; k < f->columns; k++) {
        const double *v = f->at[k];
        double dot = 0;

        for (uint32_t i = k; i < f->rows; i++) {
            dot += f->y[i] * v[i];
        }
        dot /= f->diagonal[k] * v[k];
        for (uint32_t i = k; i < f->rows; i++) {
            f->y[i] += dot * v[i];
        }
    }
    for (uint32_t k = f->columns; k-- > 0;) {
        f->y[k] /= f->diagonal[k];
        f->coefficient[k] = f->y[k];
        for (uint32_t i = 0; i < k; i++) {
            f->y[i] -= f->y[k] * f->at[k][i];
        }
    }
}

static double
total_squares(const double y[], uint32_t n)
{
    double mean = 0, squares = 0;

    for (uint32_t i = 0; i < n; i++) {
        double away = y[i] - mean, share = away / (i + 1);

        mean += share;
        squares += i * away * share;
    }
    return squares;
}

/* Of series 'which' on all others. */
static bool
r_squared(const double *const series[], uint32_t n, uint32_t length,
          uint32_t which, struct fit *f, double *out)
{
    uint32_t columns = 1;
    double residuals = 0;

    f->rows = length;
    f->columns = n;
    for (uint32_t i = 0; i < length; i++) {
        f->at[0][i] = 1;
    }
    for (uint32_t s = 0; s < n; s++) {
        if (s != which) {
            memcpy(f->at[columns++], series[s], length * sizeof(double));
        }
    }
    memcpy(f->y, series[which], length * sizeof(double));
    for (uint32_t k = 0; k < n; k++) {
        if (!reflect(f, k)) {
            return false;
        }
    }
    solve(f);
    for (uint32_t i = 0; i < length; i++) {
        double fitted = f->coefficient[0];

        columns = 1;
        for (uint32_t s = 0; s < n; s++) {
            if (s != which) {
                fitted += series[s][i] * f->coefficient[columns++];
            }
        }
        double left = series[which][i] - fitted;

        residuals += left * left;
    }
    *out = 1 - residuals / total_squares(series[which], length);
    return true;
}

bool
dcp_cs_most_correlated(const double *const series[], uint32_t n,
                       uint32_t length, uint32_t *out)
{
    struct fit f;
    double highest = DBL_TRUE_MIN;

    *out = 0;
    if (n < 2 || n > length || length > MOST) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        double value;

        if (!r_squared(series, n, length, i, &f, &value)) {
            return false;
        }
        if (value > highest) {
            highest = value;
            *out = i;
        }
    }
    return true;
}
