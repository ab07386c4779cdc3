/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/read_roadef.h"

#include "model/io/file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)1 << 31)

/* Where reading stands.  The first failure sticks; later reads give 0. */
struct reader {
    const char *path, *at, *end;
    uint32_t line;
    struct dcp_arena *arena;
    struct dcp_error *err;
    bool failed;
};

static void
fail(struct reader *r, enum dcp_code code, const char *what)
{
    struct dcp_pos pos = { .path = r->path, .line = r->line };

    if (!r->failed) {
        r->failed = true;
        (void)dcp_fail_at(r->err, code, pos, "%s", what);
    }
}

static void
skip_white(struct reader *r)
{
    for (; r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at; r->at++) {
        r->line += *r->at == '\n';
    }
}

/* A whole number from 0 to 'most'. */
static int64_t
number(struct reader *r, int64_t most)
{
    int64_t value = 0;

    skip_white(r);
    if (r->failed || r->at == r->end) {
        fail(r, DCP_E_PARSE, "the file ends where a number should be");
        return 0;
    }
    if (*r->at < '0' || *r->at > '9') {
        fail(r, DCP_E_PARSE,
             *r->at == '-' ? "a number below 0" : "not a whole number");
        return 0;
    }
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        int64_t digit = *r->at - '0';

        if (value > (most - digit) / 10) {
            fail(r, DCP_E_PARSE, "a number that is too large here");
            return 0;
        }
        value = 10 * value + digit;
    }
    return value;
}

/* How many of something follow, each of at least 'numbers' numbers. */
static uint32_t
count(struct reader *r, uint32_t numbers)
{
    int64_t n = number(r, UINT32_MAX - 8);

    if ((uint64_t)n * numbers > (uint64_t)(r->end - r->at)) {
        fail(r, DCP_E_PARSE, "more are announced than the file can hold");
        return 0;
    }
    return (uint32_t)n;
}

static void *
array(struct reader *r, size_t n, size_t size)
{
    void *data = r->failed ? NULL : dcp_arena_calloc(r->arena, n, size);

    if (!data) {
        fail(r, DCP_E_NOMEM, "no memory for this file");
    }
    return data;
}

static void
numbers(struct reader *r, int64_t out[], size_t n)
{
    for (size_t k = 0; k < n && !r->failed; k++) {
        out[k] = number(r, INT64_MAX);
    }
}

static void
read_resources(struct reader *r, struct dcp_assign_problem *p)
{
    p->n_resources = count(r, 2);

    bool *transient = array(r, p->n_resources, sizeof *transient);
    int64_t *weight = array(r, p->n_resources, sizeof *weight);

    for (uint32_t k = 0; k < p->n_resources && !r->failed; k++) {
        transient[k] = number(r, 1);
        weight[k] = number(r, INT64_MAX);
    }
    p->transient = transient;
    p->load_weight = weight;
}

static void
read_hosts(struct reader *r, struct dcp_assign_problem *p, int64_t *zone,
           int64_t *place)
{
    size_t m = p->n_resources, n = p->n_hosts;
    int64_t *capacity = array(r, n * m, sizeof *capacity);
    int64_t *safe = array(r, n * m, sizeof *safe);
    uint32_t *cost = array(r, n * n, sizeof *cost);

    for (size_t h = 0; h < n && !r->failed; h++) {
        zone[h] = number(r, INT64_MAX);
        place[h] = number(r, INT64_MAX);
        numbers(r, &capacity[h * m], m);
        numbers(r, &safe[h * m], m);
        for (size_t k = 0; k < n && !r->failed; k++) {
            cost[h * n + k] = (uint32_t)number(r, UINT32_MAX);
        }
    }
    p->capacity = capacity;
    p->safe = safe;
    p->host_move_cost = cost;
}

static int
by_value(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The same partition, numbered from 0 without holes; how many. */
static uint32_t
renumber(struct reader *r, const int64_t value[], uint32_t n,
         const uint32_t **out)
{
    int64_t *sorted = array(r, n, sizeof *sorted);
    uint32_t *rank = array(r, n, sizeof *rank);
    uint32_t n_values = 0;

    if (r->failed) {
        return 0;
    }
    memcpy(sorted, value, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    for (uint32_t k = 0; k < n; k++) {
        if (!k || sorted[k] != sorted[n_values - 1]) {
            sorted[n_values++] = sorted[k];
        }
    }
    for (uint32_t k = 0; k < n; k++) {
        const int64_t *found =
            bsearch(&value[k], sorted, n_values, sizeof *sorted, by_value);

        rank[k] = found ? (uint32_t)(found - sorted) : 0;
    }
    *out = rank;
    return n_values;
}

static void
read_all_hosts(struct reader *r, struct dcp_assign_problem *p)
{
    p->n_hosts = count(r, 2);
    if ((uint64_t)p->n_hosts * p->n_hosts > (uint64_t)(r->end - r->at)) {
        fail(r, DCP_E_PARSE, "more machines than the file can hold");
        return;
    }
    int64_t *zone = array(r, p->n_hosts, sizeof *zone);
    int64_t *place = array(r, p->n_hosts, sizeof *place);

    read_hosts(r, p, zone, place);
    if (!r->failed) {
        p->n_zones = renumber(r, zone, p->n_hosts, &p->zone);
        p->n_places = renumber(r, place, p->n_hosts, &p->place);
    }
}

/* Dependencies are in a list that grows, for their number comes last. */
struct list {
    uint32_t *item;
    uint32_t n, capacity;
};

static bool
list_add(struct reader *r, struct list *list, uint32_t value)
{
    if (list->n == list->capacity) {
        uint32_t capacity = 2 * list->capacity + 64;
        uint32_t *more = array(r, capacity, sizeof *more);

        if (!more) {
            return false;
        }
        if (list->n) {
            memcpy(more, list->item, list->n * sizeof *more);
        }
        list->item = more;
        list->capacity = capacity;
    }
    list->item[list->n++] = value;
    return true;
}

static void
read_groups(struct reader *r, struct dcp_assign_problem *p)
{
    struct list dep = { 0 };

    p->n_groups = count(r, 2);
    uint32_t *spread = array(r, p->n_groups, sizeof *spread);
    uint32_t *start = array(r, p->n_groups + 1u, sizeof *start);

    for (uint32_t g = 0; g < p->n_groups && !r->failed; g++) {
        spread[g] = (uint32_t)number(r, UINT32_MAX);
        uint32_t n = count(r, 1);

        for (uint32_t k = 0; k < n && !r->failed; k++) {
            (void)list_add(r, &dep, (uint32_t)number(r, UINT32_MAX));
        }
        if (!r->failed) {
            start[g + 1] = dep.n;
        }
    }
    p->spread_min = spread;
    p->dep_start = start;
    p->dep = dep.item;
}

static void
read_items(struct reader *r, struct dcp_assign_problem *p)
{
    size_t m = p->n_resources;

    p->n_items = count(r, p->n_resources + 2);
    uint32_t *group = array(r, p->n_items, sizeof *group);
    int64_t *demand = array(r, p->n_items * m, sizeof *demand);
    int64_t *cost = array(r, p->n_items, sizeof *cost);

    for (uint32_t i = 0; i < p->n_items && !r->failed; i++) {
        group[i] = (uint32_t)number(r, UINT32_MAX);
        numbers(r, &demand[i * m], m);
        cost[i] = number(r, INT64_MAX);
    }
    p->group = group;
    p->demand = demand;
    p->move_cost = cost;
}

static void
read_rest(struct reader *r, struct dcp_assign_problem *p)
{
    p->n_balances = count(r, 4);
    struct dcp_assign_balance *balance =
        array(r, p->n_balances, sizeof *balance);

    for (uint32_t b = 0; b < p->n_balances && !r->failed; b++) {
        balance[b].first = (uint32_t)number(r, UINT32_MAX);
        balance[b].second = (uint32_t)number(r, UINT32_MAX);
        balance[b].target = number(r, INT64_MAX);
        balance[b].weight = number(r, INT64_MAX);
    }
    p->balance = balance;
    p->item_move_weight = number(r, INT64_MAX);
    p->group_move_weight = number(r, INT64_MAX);
    p->host_move_weight = number(r, INT64_MAX);
}

static void
at_end(struct reader *r)
{
    skip_white(r);
    if (r->at < r->end) {
        fail(r, DCP_E_PARSE, "something follows the last number");
    }
}

bool
dcp_roadef_parse(struct dcp_arena *arena, const struct dcp_roadef_text *model,
                 const struct dcp_roadef_text *initial,
                 struct dcp_assign_problem *out, struct dcp_error *err)
{
    struct reader r = { .path = model->path,
                        .at = model->text,
                        .end = model->text + model->length,
                        .line = 1,
                        .arena = arena,
                        .err = err };
    struct dcp_assign_problem p = { 0 };

    read_resources(&r, &p);
    read_all_hosts(&r, &p);
    read_groups(&r, &p);
    read_items(&r, &p);
    read_rest(&r, &p);
    at_end(&r);

    uint32_t *start = array(&r, p.n_items, sizeof *start);

    r.path = initial->path;
    r.at = initial->text;
    r.end = initial->text + initial->length;
    r.line = 1;
    for (uint32_t i = 0; i < p.n_items && !r.failed; i++) {
        start[i] = (uint32_t)number(&r, UINT32_MAX);
    }
    at_end(&r);
    if (r.failed) {
        return false;
    }
    p.start = start;
    if (!dcp_assign_check(&p, err)) {
        return dcp_fail_in(err, "%s", model->path);
    }
    *out = p;
    return true;
}

bool
dcp_roadef_read(struct dcp_arena *arena, const char *model, const char *initial,
                struct dcp_assign_problem *out, struct dcp_error *err)
{
    struct dcp_roadef_text text[2] = { { .path = model }, { .path = initial } };
    DCP_FREE char *first = NULL;
    DCP_FREE char *second = NULL;

    first = dcp_file_read(model, MAX_BYTES, &text[0].length, err);
    if (!first) {
        return false;
    }
    second = dcp_file_read(initial, MAX_BYTES, &text[1].length, err);
    if (!second) {
        return false;
    }
    text[0].text = first;
    text[1].text = second;
    return dcp_roadef_parse(arena, &text[0], &text[1], out, err);
}
