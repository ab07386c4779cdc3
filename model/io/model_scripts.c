/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Filters, scores, and what the scripts of a model say of its VMs and hosts:
 * read last, when all that they may look at is there. */

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

/* The VMs that 'vms' selects, all where it is absent. */
static struct dcp_ids
vms_of(struct dcp_reader *r, const struct dcp_yaml *vms)
{
    uint32_t n = r->inv->n_vms;
    uint32_t *all = vms ? NULL : dcp_reader_array(r, n, sizeof *all);

    for (uint32_t v = 0; all && v < n; v++) {
        all[v] = v;
    }
    return vms ? dcp_select_vms(r, "vms", vms)
               : (struct dcp_ids){ all, all ? n : 0 };
}

static void
begin(struct dcp_reader *r, const char *one, const struct dcp_yaml *node,
      uint32_t ix)
{
    const struct dcp_yaml *name = dcp_yaml_get(node, "name");
    char number[40];

    (void)snprintf(number, sizeof number, "#%u", ix + 1);
    dcp_reader_object(
        r, one, name && name->kind == DCP_YAML_SCALAR ? name->text : number);
}

static void
append_rules(struct dcp_reader *r, const struct dcp_rule more[], uint32_t n)
{
    struct dcp_inventory *inv = r->inv;
    struct dcp_rule *all =
        dcp_reader_array(r, (size_t)inv->n_rules + n, sizeof *all);

    if (all) {
        memcpy(all, inv->rules, inv->n_rules * sizeof *all);
        memcpy(all + inv->n_rules, more, n * sizeof *all);
        inv->rules = all;
        inv->n_rules += n;
    }
}

static void
read_filter(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t ix,
            struct dcp_filter *filter)
{
    const struct dcp_yaml *lua = dcp_yaml_get(node, "lua");
    const struct dcp_yaml *soft = dcp_yaml_get(node, "soft");
    struct dcp_error err = { 0 };
    struct dcp_rule *rules;
    uint32_t n;

    begin(r, "filter", node, ix);
    dcp_reader_defaults(r, &dcp_schema_filter, filter);
    filter->pos = node->pos;
    if (!dcp_reader_section(r, &dcp_schema_filter, node, filter)) {
        return;
    }
    filter->vms = vms_of(r, dcp_yaml_get(node, "vms"));
    if (soft) {
        filter->soft =
            dcp_reader_number(r, dcp_schema_row(&dcp_schema_filter, "soft"),
                              soft, &filter->soft_price);
    }
    if (!lua || r->no_memory || !dcp_read_script(r, lua, &filter->script)) {
        return;
    }
    if (!dcp_judge_filter(r->inv, filter, filter->vms.ix, filter->vms.n,
                          r->inv->arena, &rules, &n, &err)) {
        dcp_reader_script_error(r, &err);
    } else if (n) {
        append_rules(r, rules, n);
    }
}

void
dcp_read_filters(struct dcp_reader *r)
{
    struct dcp_filter *filters =
        dcp_reader_array(r, r->filters.n, sizeof *filters);

    for (uint32_t i = 0; filters && i < r->filters.n && !r->no_memory; i++) {
        read_filter(r, r->filters.items[i], i, &filters[i]);
    }
    r->inv->filters = filters;
    r->inv->n_filters = filters ? r->filters.n : 0;
    dcp_reader_object(r, NULL, NULL);
}

static void
read_score(struct dcp_reader *r, const struct dcp_yaml *node, uint32_t ix,
           struct dcp_score *score)
{
    const struct dcp_yaml *lua = dcp_yaml_get(node, "lua");
    char number[40];

    begin(r, "score", node, ix);
    dcp_reader_defaults(r, &dcp_schema_score, score);
    score->pos = node->pos;
    if (!dcp_reader_section(r, &dcp_schema_score, node, score)) {
        return;
    }
    if (!*score->name) {
        (void)snprintf(number, sizeof number, "score-%u", ix + 1);
        score->name = dcp_reader_text(r, number);
    }
    score->vms = vms_of(r, dcp_yaml_get(node, "vms"));
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
