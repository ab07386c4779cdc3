/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Linear probing, at most half full; FNV-1a hash. */

#include "model/base/strmap.h"

#include <stdlib.h>
#include <string.h>

static uint32_t
hash_of(const char *name, size_t length)
{
    uint32_t h = UINT32_C(2166136261);

    for (size_t i = 0; i < length; i++) {
        h = (h ^ (unsigned char)name[i]) * UINT32_C(16777619);
    }
    return h;
}

void
dcp_strmap_finish(struct dcp_strmap *map)
{
    free(map->slots);
    *map = (struct dcp_strmap){ 0 };
}

static struct dcp_strmap_slot *
probe(const struct dcp_strmap *map, const char *name, size_t length,
      uint32_t hash)
{
    for (uint32_t i = hash & map->mask;; i = (i + 1) & map->mask) {
        struct dcp_strmap_slot *s = &map->slots[i];

        if (!s->name || (s->hash == hash && !strncmp(s->name, name, length) &&
                         !s->name[length])) {
            return s;
        }
    }
}

static bool
grow(struct dcp_strmap *map)
{
    uint32_t size = map->slots ? 2 * (map->mask + 1) : 16;
    struct dcp_strmap bigger = { .slots = calloc(size, sizeof *map->slots),
                                 .n = map->n,
                                 .mask = size - 1 };

    if (!bigger.slots) {
        return false;
    }
    for (uint32_t i = 0; map->slots && i <= map->mask; i++) {
        const struct dcp_strmap_slot *s = &map->slots[i];

        if (s->name) {
            *probe(&bigger, s->name, strlen(s->name), s->hash) = *s;
        }
    }
    free(map->slots);
    *map = bigger;
    return true;
}

bool
dcp_strmap_add(struct dcp_strmap *map, const char *name, uint32_t value,
               uint32_t *out_old)
{
    if (out_old) {
        *out_old = DCP_STRMAP_NONE;
    }
    if ((!map->slots || 2 * (map->n + 1) > map->mask + 1) && !grow(map)) {
        return false;
    }
    size_t length = strlen(name);
    uint32_t hash = hash_of(name, length);
    struct dcp_strmap_slot *s = probe(map, name, length, hash);

    if (s->name) {
        if (out_old) {
            *out_old = s->value;
        }
        return false;
    }
    *s = (struct dcp_strmap_slot){ .name = name, .hash = hash, .value = value };
    map->n++;
    return true;
}

uint32_t
dcp_strmap_find_n(const struct dcp_strmap *map, const char *name,
                  size_t length)
{
    if (!map->slots) {
        return DCP_STRMAP_NONE;
    }
    const struct dcp_strmap_slot *s =
        probe(map, name, length, hash_of(name, length));

    return s->name ? s->value : DCP_STRMAP_NONE;
}

uint32_t
dcp_strmap_find(const struct dcp_strmap *map, const char *name)
{
    return dcp_strmap_find_n(map, name, strlen(name));
}
