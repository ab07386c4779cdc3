/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/apply_world.h"

#include "cli/apply_live.h"
#include "cli/replay.h"
#include "executors/pipe.h"

#include <stdlib.h>
#include <string.h>

#define EXEC_PREFIX "exec:"

bool
dcp_apply_kind_parse(const char *name, enum dcp_apply_kind *out)
{
    static const char *const names[] = { [DCP_APPLY_DRY] = "dry",
                                         [DCP_APPLY_SIM] = "sim",
                                         [DCP_APPLY_PROGRAM] = NULL,
                                         [DCP_APPLY_LIVE] = "live" };

    for (int i = 0; i <= DCP_APPLY_LIVE; i++) {
        if (names[i] && !strcmp(name, names[i])) {
            *out = (enum dcp_apply_kind)i;
            return true;
        }
    }
    *out = DCP_APPLY_PROGRAM;
    return !strncmp(name, EXEC_PREFIX, strlen(EXEC_PREFIX)) &&
           name[strlen(EXEC_PREFIX)];
}

static bool
open_live(const struct dcp_globals *g, const struct dcp_inventory *inv,
          const struct dcp_plan *plan, uint32_t leg,
          struct dcp_apply_world *out, struct dcp_error *err)
{
    out->connected = dcp_live_connect(g, inv, &out->connect, err);
    if (!out->connected ||
        !dcp_live_check_reach(g, inv, &out->connect, plan, leg, err)) {
        return false;
    }
    out->owned = dcp_live_create(g, inv, &out->connect, plan, err);
    return out->owned != NULL;
}

static bool
open_sim(struct dcp_context *context, const struct dcp_plan *plan,
         uint32_t leg_ix, struct dcp_apply_world *out, struct dcp_error *err)
{
    const struct dcp_leg *leg = &plan->legs[leg_ix];

    if (!dcp_replay_net(context, leg->start_ms, leg->deadline_ms, &out->net,
                        err)) {
        return false;
    }
    out->sim = dcp_sim_executor_create(
        context->model.inventory, plan, leg_ix, context->model.placement,
        leg->start_ms, out->net.n_times ? &out->net : NULL, err);
    out->virtual = out->sim ? dcp_sim_executor_world(out->sim) : NULL;
    return out->sim != NULL;
}

bool
dcp_apply_world_open(const struct dcp_globals *g, struct dcp_context *context,
                     const struct dcp_plan *plan, uint32_t leg,
                     const char *name, struct dcp_apply_world *out,
                     struct dcp_error *err)
{
    const struct dcp_inventory *inv = context->model.inventory;
    bool ok = false;

    *out = (struct dcp_apply_world){ 0 };
    if (!dcp_apply_kind_parse(name, &out->kind)) {
        return dcp_fail(err, DCP_E_ARGUMENT, "no executor '%s'", name);
    }
    switch (out->kind) {
    case DCP_APPLY_DRY:
        out->dry =
            dcp_dry_create(inv, plan, leg, dcp_plan_leg_start(plan, leg), err);
        out->virtual = out->dry;
        ok = out->dry != NULL;
        break;
    case DCP_APPLY_SIM:
        ok = open_sim(context, plan, leg, out, err);
        break;
    case DCP_APPLY_PROGRAM:
        out->owned =
            dcp_pipe_create(inv, plan, leg, name + strlen(EXEC_PREFIX), err);
        ok = out->owned != NULL;
        break;
    case DCP_APPLY_LIVE:
        ok = open_live(g, inv, plan, leg, out, err);
        break;
    }
    out->executor = !ok            ? NULL
                    : out->virtual ? dcp_virtual_executor(out->virtual)
                                   : out->owned;
    return ok;
}

bool
dcp_apply_world_restore(struct dcp_apply_world *w, struct dcp_journal *journal,
                        const struct dcp_plan *plan, uint32_t leg,
                        struct dcp_error *err)
{
    if (w->kind != DCP_APPLY_SIM) {
        return true;
    }
    DCP_FREE struct dcp_step_record *records =
        calloc((size_t)plan->n_steps + 1, sizeof *records);

    if (!records) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to resume");
    }
    return dcp_journal_load_steps(journal, plan, leg, records, err) &&
           dcp_virtual_restore(w->virtual, records, err);
}

void
dcp_apply_world_close(struct dcp_apply_world *w)
{
    dcp_executor_destroy(w->owned);
    dcp_sim_executor_destroy(w->sim);
    dcp_virtual_destroy(w->dry);
    dcp_samples_finish(&w->net);
    if (w->connected) {
        dcp_connect_finish(&w->connect);
    }
    *w = (struct dcp_apply_world){ 0 };
}
