/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/script/judge_model.h"

#include <stdio.h>
#include <string.h>

static const struct dcp_pairs *
judge(const struct dcp_inventory *inv, enum dcp_script_kind kind,
      const char *name, const struct dcp_script_text *text,
      const uint32_t vms[], uint32_t n_vms, struct dcp_arena *arena,
      struct dcp_error *err)
{
    char whole[160];

    (void)snprintf(whole, sizeof whole, "%s '%.100s'",
                   kind == DCP_SCRIPT_FILTER ? "filter" : "score", name);
    DCP_AUTO(dcp_script)
    struct dcp_script *script = dcp_script_create(text, whole, err);

    return script ? dcp_judge_pairs(script, kind, inv, vms, n_vms, arena, err)
                  : NULL;
}

bool
dcp_judge_score(const struct dcp_inventory *inv, struct dcp_score *score,
                struct dcp_arena *arena, struct dcp_error *err)
{
    score->pairs = judge(inv, DCP_SCRIPT_SCORE, score->name, &score->script,
                         score->vms.ix, score->vms.n, arena, err);
    return score->pairs != NULL;
}

bool
dcp_judge_model(struct dcp_inventory *inv, struct dcp_arena *arena,
                struct dcp_error *err)
{
    struct dcp_score *scores =
        dcp_arena_array(arena, struct dcp_score, inv->n_scores + 1u);

    if (!scores) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u scores",
                        inv->n_scores);
    }
    for (uint32_t i = 0; i < inv->n_scores; i++) {
        scores[i] = inv->scores[i];
        if (!dcp_judge_score(inv, &scores[i], arena, err)) {
            return false;
        }
    }
    inv->scores = scores;
    return true;
}
