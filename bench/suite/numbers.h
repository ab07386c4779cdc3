/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_NUMBERS_H
#define DCP_BENCH_NUMBERS_H 1

/* Whole numbers of a text, one by one. */

#include "model/base/error.h"

#include <stddef.h>

struct dcp_numbers {
    const char *at, *end;
    struct dcp_pos pos; /* Of 'at'. */
};

/* The next number, from 'low' to 'high'; 'what' names it in messages. */
static inline bool
dcp_numbers_next(struct dcp_numbers *n, const char *what, int64_t low,
                 int64_t high, int64_t *out, struct dcp_error *err)
{
    bool negative = false;
    int64_t value = 0;

    while (n->at < n->end && (*n->at == ' ' || *n->at == '\t' ||
                              *n->at == '\r' || *n->at == '\n')) {
        n->pos.line += *n->at++ == '\n';
    }
    if (n->at < n->end && *n->at == '-') {
        negative = true;
        n->at++;
    }
    if (n->at >= n->end || *n->at < '0' || *n->at > '9') {
        return dcp_fail_at(err, DCP_E_PARSE, n->pos, "%s is missing", what);
    }
    for (; n->at < n->end && *n->at >= '0' && *n->at <= '9'; n->at++) {
        if (value < INT64_C(1) << 50) {
            value = 10 * value + (*n->at - '0');
        }
    }
    if (n->at < n->end && *n->at != ' ' && *n->at != '\t' && *n->at != '\r' &&
        *n->at != '\n') {
        return dcp_fail_at(err, DCP_E_PARSE, n->pos, "%s is not a whole number",
                           what);
    }
    value = negative ? -value : value;
    if (value < low || value > high) {
        return dcp_fail_at(err, DCP_E_PARSE, n->pos,
                           "%s: %lld is not from %lld to %lld", what,
                           (long long)value, (long long)low, (long long)high);
    }
    *out = value;
    return true;
}

/* Only white space is left. */
static inline bool
dcp_numbers_end(struct dcp_numbers *n, struct dcp_error *err)
{
    for (; n->at < n->end; n->at++) {
        if (*n->at != ' ' && *n->at != '\t' && *n->at != '\r' &&
            *n->at != '\n') {
            return dcp_fail_at(err, DCP_E_PARSE, n->pos,
                               "more than the file announces");
        }
        n->pos.line += *n->at == '\n';
    }
    return true;
}

#endif /* bench/suite/numbers.h */
