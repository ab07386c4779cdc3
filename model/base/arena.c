/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A list of blocks, each twice the last up to 1 MiB; a request that is larger
 * than a block gets one of its own, behind the current one. */

#include "model/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGN 16u
#define CACHE_LINE 64u
#define FIRST_BLOCK ((size_t)16 * 1024)
#define LAST_BLOCK ((size_t)1024 * 1024)

struct block {
    struct block *next;
    size_t size, used; /* Bytes of data[]. */
    _Alignas(16) unsigned char data[];
};

struct dcp_arena {
    struct block *head;
    size_t next_size, total, limit;
};

struct dcp_arena *
dcp_arena_create(size_t limit_bytes)
{
    struct dcp_arena *a = calloc(1, sizeof *a);

    if (a) {
        a->next_size = FIRST_BLOCK;
        a->limit = limit_bytes;
    }
    return a;
}

void
dcp_arena_destroy(struct dcp_arena *a)
{
    if (!a) {
        return;
    }
    for (struct block *b = a->head; b;) {
        struct block *next = b->next;

        free(b);
        b = next;
    }
    free(a);
}

static struct block *
add_block(struct dcp_arena *a, size_t size, int behind)
{
    if (a->limit && (size > a->limit || a->total > a->limit - size)) {
        return NULL;
    }
    struct block *b = calloc(1, sizeof *b + size);

    if (!b) {
        return NULL;
    }
    b->size = size;
    a->total += size;
    if (behind && a->head) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *
dcp_arena_calloc(struct dcp_arena *a, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes) ||
        bytes > SIZE_MAX / 2) {
        return NULL;
    }
    size_t align = bytes >= 4096 ? CACHE_LINE : ALIGN;
    struct block *b = a->head;

    if (b) {
        size_t at = (size_t)(b->data + b->used);
        size_t pad = (align - at % align) % align;

        if (b->size - b->used >= bytes + pad) {
            void *p = b->data + b->used + pad;

            b->used += pad + bytes;
            return p;
        }
    }
    int own = bytes + CACHE_LINE > a->next_size / 2;

    b = add_block(a, own ? bytes + CACHE_LINE : a->next_size, own);
    if (!b) {
        return NULL;
    }
    if (!own && a->next_size < LAST_BLOCK) {
        a->next_size *= 2;
    }
    size_t at = (size_t)b->data;
    size_t pad = (align - at % align) % align;

    b->used = pad + bytes;
    return b->data + pad;
}

const char *
dcp_arena_strndup(struct dcp_arena *a, const char *text, size_t length)
{
    char *copy = dcp_arena_calloc(a, length + 1, 1);

    if (copy) {
        memcpy(copy, text, length);
    }
    return copy;
}

const char *
dcp_arena_strdup(struct dcp_arena *a, const char *text)
{
    return dcp_arena_strndup(a, text, strlen(text));
}

const char *
dcp_arena_printf(struct dcp_arena *a, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        return NULL;
    }
    char *text = dcp_arena_calloc(a, (size_t)n + 1, 1);

    if (text) {
        va_start(args, format);
        (void)vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    return text;
}

size_t
dcp_arena_size(const struct dcp_arena *a)
{
    return a->total;
}

void
dcp_free_auto__(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof p);
    free(p);
}
