/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLAN_TEXT_H
#define DCP_MODEL_IO_PLAN_TEXT_H 1

/* Pieces of the plan file that its printer and its parser share: how objects,
 * facts and undos are written, and the UUID.  Not for others. */

#include "model/io/json_writer.h"
#include "model/plan_facts.h"

#define DCP_PLAN_SCHEMA    "dcplan/plan/1"
#define DCP_PLAN_DEPTH_MAX 32 /* Deeper nesting is refused. */

/* "vm:db-1"; a volume is "volume:VM/K", the K-th of its VM from 0; null for
 * none. */
void dcp_plan_write_object(struct dcp_json *, const struct dcp_inventory *,
                           struct dcp_object);
/* The same as the key of a member, without its kind: "db-1", "db-1/0". */
void dcp_plan_key_object(struct dcp_json *, const struct dcp_inventory *,
                         struct dcp_object);
/* False: no such kind or name. */
bool dcp_plan_read_object(const struct dcp_inventory *, const char *text,
                          struct dcp_object *out);

/* The object of that kind and name. */
bool dcp_plan_read_name(const struct dcp_inventory *, enum dcp_object_kind,
                        const char *name, struct dcp_object *out);

/* The values of "preconditions" and "undo" of step 'id'. */
void dcp_plan_write_facts(struct dcp_json *, const struct dcp_inventory *,
                          const struct dcp_plan_facts *, uint32_t id);
void dcp_plan_write_undo(struct dcp_json *, const struct dcp_inventory *,
                         const struct dcp_step *);

/* The member "berths", where there are some. */
void dcp_plan_write_berths(struct dcp_json *, const struct dcp_inventory *,
                           const struct dcp_plan *);
/* The member "left_out", where something is. */
void dcp_plan_write_left_out(struct dcp_json *, const struct dcp_inventory *,
                             const struct dcp_plan *);

/* The UUID that belongs to a digest "sha256:...". */
void dcp_plan_uuid(const char digest[72], char out[40]);

#endif /* model/io/plan_text.h */
