/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_HEAP_H
#define DCP_EXECUTORS_HEAP_H 1

/* A queue of steps by key (a time, a rank), lowest first; equal keys by step
 * id, so the order never depends on history.  Zero-initialise. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dcp_heap_item {
    int64_t key;
    uint32_t step;
};
struct dcp_heap {
    struct dcp_heap_item *items; /* Owned; items[0] is the lowest. */
    size_t n, capacity;
};

void dcp_heap_finish(struct dcp_heap *);
/* False: out of memory. */
bool dcp_heap_push(struct dcp_heap *, int64_t key, uint32_t step);
/* Takes the lowest; n must not be 0. */
struct dcp_heap_item dcp_heap_pop(struct dcp_heap *);

#endif /* executors/heap.h */
