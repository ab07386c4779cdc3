/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLAN_READER_H
#define DCP_MODEL_IO_PLAN_READER_H 1

/* Typed access to the members of a JSON tree, with messages that say where:
 * "steps[12].after: expected an array, found a string".  Each getter returns
 * false (or NULL) after filling the reader's error.  Not for others than the
 * plan parser. */

#include "model/plan.h"

#include <jansson.h>

struct dcp_plan_reader {
    const struct dcp_inventory *inv;
    struct dcp_plan *plan;
    const char *path;
    const char *section; /* "steps", "" at the top. */
    const char *name;    /* Key within the section, or NULL. */
    size_t index;        /* Element within the section, or SIZE_MAX. */
    struct dcp_error *err;
};

bool
dcp_plan_reader_fail(struct dcp_plan_reader *, enum dcp_code, const char *key,
                     const char *format, ...) DCP_PRINTF(4, 5);

/* From here on messages are about this section, as a whole. */
void dcp_plan_reader_enter(struct dcp_plan_reader *, const char *section);
bool dcp_plan_reader_no_memory(struct dcp_plan_reader *); /* false */

json_t *dcp_plan_reader_get(struct dcp_plan_reader *, json_t *object,
                            const char *key, json_type type);
bool dcp_plan_reader_u32(struct dcp_plan_reader *, json_t *object,
                         const char *key, uint32_t *out);
bool dcp_plan_reader_u64(struct dcp_plan_reader *, json_t *object,
                         const char *key, uint64_t *out);
/* {"vcpus", "mem_mib"}, neither 0. */
bool dcp_plan_reader_size(struct dcp_plan_reader *, json_t *object,
                          struct dcp_vm_size *out);
/* Whole, not negative. */
bool dcp_plan_reader_ms(struct dcp_plan_reader *, json_t *object,
                        const char *key, int64_t *out);
bool dcp_plan_reader_double(struct dcp_plan_reader *, json_t *object,
                            const char *key, double *out);
bool dcp_plan_reader_instant(struct dcp_plan_reader *, json_t *object,
                             const char *key, int64_t *out_ms);
/* Copied into the plan's arena. */
bool dcp_plan_reader_text(struct dcp_plan_reader *, json_t *object,
                          const char *key, const char **out);
/* "sha256:..." or null, which gives "". */
bool dcp_plan_reader_digest(struct dcp_plan_reader *, json_t *object,
                            const char *key, char out[72]);
/* "vm:db-1" or null.  A name that the model does not have is DCP_E_STALE. */
bool dcp_plan_reader_object(struct dcp_plan_reader *, json_t *object,
                            const char *key, struct dcp_object *out);
/* The place of a name in the table; DCP_E_STALE when it is not there. */
bool
dcp_plan_reader_vm(struct dcp_plan_reader *, const char *name, uint32_t *out);
bool
dcp_plan_reader_host(struct dcp_plan_reader *, const char *name, uint32_t *out);
/* An array of such names, in its order, in the plan's arena. */
bool dcp_plan_reader_vms(struct dcp_plan_reader *, json_t *object,
                         const char *key, uint32_t **out, uint32_t *out_n);
bool dcp_plan_reader_hosts(struct dcp_plan_reader *, json_t *object,
                           const char *key, dcp_host_id **out, uint32_t *out_n);

/* Reads one element, which is of that leg. */
typedef bool dcp_plan_element_fn(struct dcp_plan_reader *, json_t *,
                                 uint32_t leg, void *out);
/* The elements of root[key] = {leg: [...]}, leg by leg, 'size' bytes each, in
 * the plan's arena; every leg has an array.  NULL: it fails. */
void *dcp_plan_reader_by_leg(struct dcp_plan_reader *, json_t *root,
                             const char *key, size_t size,
                             dcp_plan_element_fn *parse, uint32_t *out_n);

/* model/io/plan_left_out.c: "left_out", which may be absent. */
bool dcp_plan_parse_left_out(struct dcp_plan_reader *, json_t *root);
/* model/io/plan_berths.c: "berths", which may be absent. */
bool dcp_plan_parse_berths(struct dcp_plan_reader *, json_t *root);

#endif /* model/io/plan_reader.h */
