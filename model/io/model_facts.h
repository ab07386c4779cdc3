/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_MODEL_FACTS_H
#define DCP_MODEL_IO_MODEL_FACTS_H 1

/* An inventory read back as keys and values, as they are written in dc.yaml:
 * for people (`model show`), programs (`--json`) and comparison (`model
 * diff`).  Keys come from the schema rows, so a key that can be written can be
 * shown.  Pure: thread-safe on distinct arenas. */

#include "model/inventory.h"
#include "model/io/schema.h"
#include "model/placement.h"

struct dcp_fact {
    const char *key;  /* "memory", "boot.time". */
    const char *text; /* "64GiB", "h1", "[front, data]". */
};
#define DCP_FACTS_MAX 64

/* What can be shown: a section of the schema with a table, or "rules". */
bool dcp_facts_has(const char *section);
uint32_t dcp_facts_count(const struct dcp_inventory *, const char *section);
/* The name of entry 'ix'. */
const char *
dcp_facts_name(const struct dcp_inventory *, const char *section, uint32_t ix);
/* The facts of entry 'ix' into out[DCP_FACTS_MAX]; texts are in 'arena'. With
 * a placement, `host` of a VM is where it is now.  Empty values are left out.
 * Returns how many; 0 also when memory ran out. */
uint32_t
dcp_facts_of(const struct dcp_inventory *, const struct dcp_placement *,
             const char *section, uint32_t ix, struct dcp_arena *,
             struct dcp_fact out[DCP_FACTS_MAX]);
/* The same of the policy. */
uint32_t dcp_facts_of_policy(const struct dcp_inventory *, struct dcp_arena *,
                             struct dcp_fact out[DCP_FACTS_MAX]);

#endif /* model/io/model_facts.h */
