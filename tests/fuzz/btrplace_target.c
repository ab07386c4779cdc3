/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The reader of BtrPlace's JSON, and the planner on what it takes. */

#include "bench/suite/read_btrplace.h"
#include "solver/reconfig/reconfig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
plan(const struct dcp_rc_world *w)
{
    const struct dcp_rc_options o = { .seed = 1, .iterations = 20 };
    struct dcp_rc_plan p;
    struct dcp_error err = { 0 };

    if (!dcp_rc_solve(w, &o, &p, &err)) {
        if (!err.message[0]) {
            abort();
        }
        return;
    }
    if (p.status == DCP_RC_FOUND && p.last_end_s < p.bound_s) {
        abort();
    }
    if (p.status != DCP_RC_FOUND && !p.because[0]) {
        abort();
    }
    dcp_rc_plan_finish(&p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct dcp_btrplace b;
    struct dcp_error err = { 0 };

    if (!text) {
        return 0;
    }
    if (size) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    if (dcp_btrplace_parse("input", text, size, &b, &err)) {
        if (b.world.n_vms < 1000 && b.world.n_nodes < 1000) {
            plan(&b.world);
        }
        dcp_btrplace_finish(&b);
    } else if (err.code == DCP_OK || !err.message[0]) {
        abort();
    }
    free(text);
    return 0;
}
