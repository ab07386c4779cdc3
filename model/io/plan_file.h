/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLAN_FILE_H
#define DCP_MODEL_IO_PLAN_FILE_H 1

/* The plan file, schema "dcplan/plan/1" (JSON).
 *
 * The digest is SHA-256 over the file's bytes without white space between
 * tokens and without the top members "plan", "digest" and "run"; the UUID is
 * made from the digest (version 8, RFC 9562).  So re-indenting a plan leaves
 * it valid and any edit of a value does not. */

#include "model/base/text.h"
#include "model/plan.h"

/* Sets plan->uuid and plan->digest, and appends the file's text. */
bool dcp_plan_print(const struct dcp_inventory *, struct dcp_plan *,
                    struct dcp_text *out, struct dcp_error *err) DCP_CHECKED;
/* Prints and writes aside, then renames; "-" is standard output. */
bool dcp_plan_save(const struct dcp_inventory *, struct dcp_plan *,
                   const char *path, struct dcp_error *err) DCP_CHECKED;

/* Parses; every name must be in the inventory, else DCP_E_STALE with the
 * name.  A digest that does not match the content is DCP_E_STALE too, after
 * everything was read ('path' is for messages and must outlive 'err'). */
struct dcp_plan *
dcp_plan_parse(const struct dcp_inventory *, const char *text, size_t length,
               const char *path, struct dcp_error *err) DCP_CHECKED;
struct dcp_plan *dcp_plan_load(const struct dcp_inventory *, const char *path,
                               struct dcp_error *err) DCP_CHECKED;

/* The digest of a plan's text as defined above; false: not one JSON object. */
bool dcp_plan_digest(const char *text, size_t length, char out[72]);

#endif /* model/io/plan_file.h */
