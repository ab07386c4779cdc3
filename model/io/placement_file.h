/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_PLACEMENT_FILE_H
#define DCP_MODEL_IO_PLACEMENT_FILE_H 1

/* placement.csv as text (its rows: model/io/model_dir.h): read into a model,
 * and printed.  The files themselves are model/io/model_dir.c's. */

#include "model/base/text.h"
#include "model/io/model_dir.h"

/* Reads the rows over what dc.yaml says, into the model's placement, serial,
 * sizes and pools; what is not in the model any more is a warning.  'bytes' are
 * changed; 'path' is for messages and for err->pos. */
bool dcp_placement_file_read(struct dcp_model *, const char *path, char *bytes,
                             size_t length, struct dcp_diag *,
                             struct dcp_error *err) DCP_CHECKED;
/* out->failed: no memory. */
void dcp_placement_file_print(const struct dcp_model *,
                              const struct dcp_placement *now, uint64_t serial,
                              struct dcp_text *out);

/* A whole number that a double holds; false: it is none. */
bool dcp_serial_parse(const char *text, uint64_t *out);

#endif /* model/io/placement_file.h */
