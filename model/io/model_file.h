/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_MODEL_FILE_H
#define DCP_MODEL_IO_MODEL_FILE_H 1

/* dc.yaml and its includes -> inventory.  Every key is a row of one schema
 * table (model/io/schema.h), which validates, documents and prints the JSON
 * Schema.  Nothing is guessed from a scalar's look: the row says its type. */

#include "model/base/diag.h"
#include "model/inventory.h"

/* 'paths': the YAML files that together are the model, in order.  NULL when
 * there is any error; every one found is in 'diag'.
 *
 * 'policy_path' (NULL: none) is a policy file: sections `policy` and `rules`
 * alone.  A key of its policy stands in place of the model's, and so does a
 * rule that has the name of one of the model's; other rules are added.  It
 * counts in inventory->policy_digest, not in inventory->digest. */
struct dcp_inventory *dcp_model_read(const char *const paths[],
                                     uint32_t n_paths, const char *policy_path,
                                     struct dcp_diag *diag,
                                     struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/model_file.h */
