/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"
#include "model/io/import_ganeti.h"
#include "model/io/model_dir.h"

struct options {
    bool force;
};

static const struct dcp_opt rows[] = {
    { "force", 0, DCP_OPT_FLAG, offsetof(struct options, force), NULL, NULL,
      NULL, "replace an earlier import" },
};
static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 }
};

static int
print_result(const struct dcp_globals *g, const struct dcp_ganeti_result *r,
             struct dcp_error *err)
{
    struct dcp_json w;

    if (!g->json) {
        dcp_ui_say(g,
                   "%u nodes of %u models in %u groups, %u instances, %u "
                   "rules\nclocks (2 GHz) and network rates (1 Gbit) are "
                   "assumed\nnext: dcplan model check",
                   r->nodes, r->hardware, r->groups, r->instances, r->rules);
        return 0;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/import-ganeti/1");
    dcp_json_ku64(&w, "groups", r->groups);
    dcp_json_ku64(&w, "nodes", r->nodes);
    dcp_json_ku64(&w, "instances", r->instances);
    dcp_json_ku64(&w, "rules", r->rules);
    dcp_json_ku64(&w, "hardware", r->hardware);
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_ganeti_result result;
    int lock = dcp_model_lock(g->dir, err);

    (void)n_args;
    if (lock < 0) {
        return -1;
    }
    bool ok = dcp_import_ganeti(g->dir, args[0], o->force, &result, err);

    dcp_model_unlock(lock);
    return ok ? print_result(g, &result, err) : -1;
}

const struct dcp_command dcp_cmd_import_ganeti = {
    .name = "import ganeti",
    .summary = "bring a Ganeti cluster into the model",
    .synopsis = "FILE [--force]",
    .details = "FILE is the text form of htools (`hscan`, `hbal -t FILE`).  "
               "Writes import/ and adds\nit to the include list of "
               "dc.yaml.\n\nExamples:\n  dcplan import ganeti cluster.data\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
