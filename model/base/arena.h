/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_ARENA_H
#define DCP_MODEL_BASE_ARENA_H 1

/* Bump allocation for data that dies together: one inventory, one solve.
 *
 * Not thread-safe; one arena belongs to one thread at a time. */

#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"

struct dcp_arena;

/* 'limit_bytes' 0: no limit.  NULL: out of memory. */
struct dcp_arena *dcp_arena_create(size_t limit_bytes);
void dcp_arena_destroy(struct dcp_arena *); /* NULL is fine. */

/* Zeroed room for 'n' items of 'size' bytes, 16-byte aligned (64 from 4 KiB
 * on); NULL on overflow, limit or no memory.  n = 0 gives a valid pointer. */
void *dcp_arena_calloc(struct dcp_arena *, size_t n, size_t size);
/* A copy of 'length' characters, NUL-terminated; NULL: no memory. */
const char *dcp_arena_strndup(struct dcp_arena *, const char *, size_t length);
const char *dcp_arena_strdup(struct dcp_arena *, const char *);
const char *dcp_arena_printf(struct dcp_arena *, const char *format, ...)
    DCP_PRINTF(2, 3);
/* Bytes taken from the system so far. */
size_t dcp_arena_size(const struct dcp_arena *);

#define dcp_arena_new(ARENA, TYPE)                                             \
    ((TYPE *)dcp_arena_calloc(ARENA, 1, sizeof(TYPE)))
#define dcp_arena_array(ARENA, TYPE, N)                                        \
    ((TYPE *)dcp_arena_calloc(ARENA, (N), sizeof(TYPE)))

/* `DCP_AUTO(dcp_plan) struct dcp_plan *plan = NULL;` destroys on scope exit.
 * `return DCP_STEAL(plan);` hands it to the caller. */
#define DCP_DEFINE_AUTO(NAME)                                                  \
    static inline void NAME##_auto__(struct NAME **p)                          \
    {                                                                          \
        NAME##_destroy(*p);                                                    \
    }
#define DCP_AUTO(NAME) __attribute__((cleanup(NAME##_auto__)))
#define DCP_STEAL(P)                                                           \
    __extension__({                                                            \
        __typeof__(P) p__ = (P);                                               \
        (P) = NULL;                                                            \
        p__;                                                                   \
    })

DCP_DEFINE_AUTO(dcp_arena)

/* `DCP_FREE char *text = NULL;` calls free() on scope exit. */
void dcp_free_auto__(void *pointer_to_pointer);
#define DCP_FREE __attribute__((cleanup(dcp_free_auto__)))

#endif /* model/base/arena.h */
