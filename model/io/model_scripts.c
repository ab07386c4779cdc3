/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Scores, and what the scripts of a model say of its VMs and hosts: read last,
 * when all that they may look at is there. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"
#include "model/script/judge_model.h"

#include <stdio.h>
#include <string.h>

bool
dcp_read_script(struct dcp_reader *r, const struct dcp_yaml *node,
                struct dcp_script_text *out)
{
    if (!dcp_reader_scalar(r, "lua", node)) {
        return false;
    }
    *out = (struct dcp_script_text){
        .lua = dcp_reader_text(r, node->text),
        .pos = node->pos,
        .below = strchr(node->text, '\n') != NULL, /* A block. */
    };
    return out->lua != NULL;
}

void
dcp_reader_script_error(struct dcp_reader *r, const struct dcp_error *err)
{
    r->no_memory |= err->code == DCP_E_NOMEM;
    dcp_reader_object(r, NULL, NULL);
    dcp_reader_error(r, err->pos, "%s", err->message);
}

static void
read_score(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t ix,
           struct dcp_score *score)
{
    const struct dcp_yaml *name = dcp_yaml_get(node, "name");
    const struct dcp_yaml *vms = dcp_yaml_get(node, "vms");
    const struct dcp_yaml *lua = dcp_yaml_get(node, "lua");
    char number[40];

    (void)snprintf(number, sizeof number, "#%u", ix + 1);
    dcp_reader_object(r, "score",
                      name && name->kind == DCP_YAML_SCALAR ? name->text
                                                            : number);
    dcp_reader_defaults(r, &dcp_schema_score, score);
    score->pos = node->pos;
    if (!dcp_reader_section(r, &dcp_schema_score, node, score)) {
        return;
    }
    if (!*score->name) {
        (void)snprintf(number, sizeof number, "score-%u", ix + 1);
        score->name = dcp_reader_text(r, number);
    }
    if (vms) {
        score->vms = dcp_select_vms(r, "vms", vms);
    } else {
        uint32_t *all = dcp_reader_array(r, r->inv->n_vms, sizeof *all);

        for (uint32_t v = 0; all && v < r->inv->n_vms; v++) {
            all[v] = v;
        }
        score->vms = (struct dcp_ids){ all, all ? r->inv->n_vms : 0 };
    }
    struct dcp_error err = { 0 };

    if (lua && !r->no_memory && dcp_read_script(r, lua, &score->script) &&
        !dcp_judge_score(r->inv, score, r->inv->arena, &err)) {
        dcp_reader_script_error(r, &err);
    }
}

void
dcp_read_scores(struct dcp_reader *r)
{
    struct dcp_score *scores = dcp_reader_array(r, r->scores.n, sizeof *scores);

    for (uint32_t i = 0; scores && i < r->scores.n && !r->no_memory; i++) {
        read_score(r, r->scores.items[i], i, &scores[i]);
    }
    r->inv->scores = scores;
    r->inv->n_scores = scores ? r->scores.n : 0;
    dcp_reader_object(r, NULL, NULL);
}
