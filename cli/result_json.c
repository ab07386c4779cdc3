/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/result_json.h"

#include <string.h>

bool
dcp_result_digest(struct dcp_json *compact, char out[DCP_DIGEST_TEXT_SIZE],
                  struct dcp_error *err)
{
    const char *text = dcp_json_text(compact);
    bool ok = text != NULL;
    struct dcp_sha256 sha;

    if (ok) {
        dcp_sha256_init(&sha);
        dcp_sha256_add(&sha, text, strlen(text));
        dcp_sha256_end_text(&sha, out);
    }
    dcp_json_finish(compact);
    return ok || dcp_fail(err, DCP_E_NOMEM, "no memory for the result");
}

int
dcp_result_end(const struct dcp_globals *g, struct dcp_json *w,
               uint64_t n_samples, bool ok, struct dcp_error *err)
{
    double wall_s = dcp_ui_wall_seconds(g);

    if (!ok) {
        dcp_json_finish(w);
        return -1;
    }
    dcp_json_kobject(w, "run");
    dcp_ui_run_members(g, w);
    dcp_json_kdouble(w, "samples_per_second",
                     wall_s > 0 ? (double)n_samples / wall_s : 0);
    dcp_json_end(w, '}');
    dcp_json_end(w, '}');
    return dcp_ui_json(w, 0, err);
}
