/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/heap.h"

#include <stdlib.h>

void
dcp_heap_finish(struct dcp_heap *heap)
{
    free(heap->items);
    *heap = (struct dcp_heap){ 0 };
}

static bool
before(const struct dcp_heap_item *a, const struct dcp_heap_item *b)
{
    return a->key != b->key ? a->key < b->key : a->step < b->step;
}

bool
dcp_heap_push(struct dcp_heap *heap, int64_t key, uint32_t step)
{
    if (heap->n == heap->capacity) {
        size_t capacity = heap->capacity ? 2 * heap->capacity : 64;

        if (capacity > SIZE_MAX / sizeof *heap->items) {
            return false;
        }
        struct dcp_heap_item *items =
            realloc(heap->items, capacity * sizeof *items);

        if (!items) {
            return false;
        }
        heap->items = items;
        heap->capacity = capacity;
    }
    struct dcp_heap_item item = { key, step };
    size_t i = heap->n++;

    while (i > 0 && before(&item, &heap->items[(i - 1) / 2])) {
        heap->items[i] = heap->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->items[i] = item;
    return true;
}

struct dcp_heap_item
dcp_heap_pop(struct dcp_heap *heap)
{
    struct dcp_heap_item top = heap->items[0];
    struct dcp_heap_item last = heap->items[--heap->n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= heap->n) {
            break;
        }
        if (child + 1 < heap->n &&
            before(&heap->items[child + 1], &heap->items[child])) {
            child++;
        }
        if (!before(&heap->items[child], &last)) {
            break;
        }
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return top;
}
