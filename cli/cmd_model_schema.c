/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/schema.h"

#include <stdio.h>

struct options {
    bool markdown;
};

static const struct dcp_opt rows[] = {
    { "markdown", 0, DCP_OPT_FLAG, offsetof(struct options, markdown), NULL,
      NULL, NULL, "print the key reference for people" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 }
};

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_text text = { 0 };

    (void)g;
    (void)n_args;
    (void)args;
    if (o->markdown) {
        dcp_schema_print_markdown(&text);
    } else {
        dcp_schema_print_json(&text);
    }
    if (text.failed) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the schema");
    } else {
        fputs(dcp_text_get(&text), stdout);
    }
    int status = text.failed ? -1 : 0;

    dcp_text_finish(&text);
    return status;
}

const struct dcp_command dcp_cmd_model_schema = {
    .name = "model schema",
    .summary = "print the JSON Schema of dc.yaml",
    .synopsis = "[--markdown]",
    .details = "For editors that complete and check YAML by a JSON Schema "
               "(draft 2020-12), and,\nwith --markdown, the key reference of "
               "docs/model.md.\n\nExamples:\n"
               "  dcplan model schema > dcplan.schema.json\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .run = run,
};
