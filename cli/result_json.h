/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_RESULT_JSON_H
#define DCP_CLI_RESULT_JSON_H 1

/* What the JSON of every simulation has: the digest of its deterministic part,
 * and the `run` member at its end. */

#include "cli/ui.h"
#include "model/base/sha256.h"

/* SHA-256 of the text, in compact form, of the members that must repeat.
 * Finishes the writer.  False: out of memory. */
bool dcp_result_digest(struct dcp_json *compact,
                       char out[DCP_DIGEST_TEXT_SIZE],
                       struct dcp_error *err) DCP_CHECKED;

/* Adds `run`, closes the outermost object, prints it and finishes the writer;
 * the status.  'ok' false: something was not written, 'err' says what; nothing
 * is printed. */
int dcp_result_end(const struct dcp_globals *, struct dcp_json *,
                   uint64_t n_samples, bool ok, struct dcp_error *err);

#endif /* cli/result_json.h */
