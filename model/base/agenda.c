/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/agenda.h"

#include <stdlib.h>

#define NOT_IN UINT32_MAX

bool
dcp_agenda_init(struct dcp_agenda *a, uint32_t n_items)
{
    size_t n = (size_t)n_items + 1;

    *a = (struct dcp_agenda){
        .at_ms = calloc(n, sizeof *a->at_ms),
        .item = calloc(n, sizeof *a->item),
        .place = calloc(n, sizeof *a->place),
    };
    if (!a->at_ms || !a->item || !a->place) {
        dcp_agenda_finish(a);
        return false;
    }
    for (uint32_t i = 0; i < n_items; i++) {
        a->place[i] = NOT_IN;
    }
    return true;
}

void
dcp_agenda_finish(struct dcp_agenda *a)
{
    free(a->at_ms);
    free(a->item);
    free(a->place);
    *a = (struct dcp_agenda){ 0 };
}

static bool
is_before(const struct dcp_agenda *a, uint32_t x, uint32_t y)
{
    return a->at_ms[x] != a->at_ms[y] ? a->at_ms[x] < a->at_ms[y] : x < y;
}

static void
put(struct dcp_agenda *a, uint32_t place, uint32_t item)
{
    a->item[place] = item;
    a->place[item] = place;
}

/* 'item' goes where it belongs, from a free place. */
static void
settle(struct dcp_agenda *a, uint32_t place, uint32_t item)
{
    for (; place && is_before(a, item, a->item[(place - 1) / 2]);
         place = (place - 1) / 2) {
        put(a, place, a->item[(place - 1) / 2]);
    }
    for (uint32_t c; (c = 2 * place + 1) < a->n; place = c) {
        c += c + 1 < a->n && is_before(a, a->item[c + 1], a->item[c]);
        if (!is_before(a, a->item[c], item)) {
            break;
        }
        put(a, place, a->item[c]);
    }
    put(a, place, item);
}

void
dcp_agenda_set(struct dcp_agenda *a, uint32_t item, int64_t at_ms)
{
    uint32_t place = a->place[item];

    a->at_ms[item] = at_ms;
    settle(a, place == NOT_IN ? a->n++ : place, item);
}

void
dcp_agenda_drop(struct dcp_agenda *a, uint32_t item)
{
    uint32_t place = a->place[item];

    if (place == NOT_IN) {
        return;
    }
    uint32_t last = a->item[--a->n];

    a->place[item] = NOT_IN;
    if (last != item) {
        settle(a, place, last);
    }
}

bool
dcp_agenda_first(const struct dcp_agenda *a, uint32_t *out_item,
                 int64_t *out_at_ms)
{
    if (a->n) {
        *out_item = a->item[0];
        *out_at_ms = a->at_ms[a->item[0]];
    }
    return a->n > 0;
}
