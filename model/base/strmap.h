/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_STRMAP_H
#define DCP_MODEL_BASE_STRMAP_H 1

/* Name -> index, by open addressing.  Borrows the names, which must outlive
 * the map.  Iteration is not offered: nothing may depend on hash order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dcp_strmap {
    struct dcp_strmap_slot {
        const char *name; /* NULL: free. */
        uint32_t hash, value;
    } *slots;
    uint32_t n, mask; /* mask + 1 slots; 0 slots when slots is NULL. */
};

#define DCP_STRMAP_NONE UINT32_MAX

void dcp_strmap_finish(struct dcp_strmap *);
/* False: out of memory, or 'name' is there already (then *out_old is set to
 * its value, else to DCP_STRMAP_NONE).  'out_old' may be NULL. */
bool dcp_strmap_add(struct dcp_strmap *, const char *name, uint32_t value,
                    uint32_t *out_old);
uint32_t dcp_strmap_find(const struct dcp_strmap *, const char *name);
uint32_t dcp_strmap_find_n(const struct dcp_strmap *, const char *name,
                           size_t length);

#endif /* model/base/strmap.h */
