/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_AGENDA_H
#define DCP_MODEL_BASE_AGENDA_H 1

/* When things will happen, where times may move: a queue of items 0..n-1, each
 * in it once or not at all; equal times by item, so the order never depends on
 * history.  Memory is taken once: only init can fail.  O(log n) a change. */

#include <stdbool.h>
#include <stdint.h>

struct dcp_agenda {
    int64_t *at_ms;  /* By item. Owned, as are the others. */
    uint32_t *item;  /* A heap, earliest first. */
    uint32_t *place; /* By item: in the heap; UINT32_MAX: not there. */
    uint32_t n;
};

/* False: out of memory. */
bool dcp_agenda_init(struct dcp_agenda *, uint32_t n_items);
void dcp_agenda_finish(struct dcp_agenda *); /* Zeroed is fine. */

/* In, or moved to another time. */
void dcp_agenda_set(struct dcp_agenda *, uint32_t item, int64_t at_ms);
void dcp_agenda_drop(struct dcp_agenda *, uint32_t item); /* If it is in. */
/* False: empty. */
bool dcp_agenda_first(const struct dcp_agenda *, uint32_t *out_item,
                      int64_t *out_at_ms);

#endif /* model/base/agenda.h */
