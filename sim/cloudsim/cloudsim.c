/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The clock: ticks every 300 s by repeated addition, each an update of all, a
 * decision and the start of migrations; and between ticks the ends of these
 * migrations, by the three times that the VMs' sizes make. */

#include "sim/cloudsim/cloudsim.h"

#include "sim/cloudsim/world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Updates ------------------------------------------------------------ */

static void
destroy_idle(struct dcp_cs_world *w, struct dcp_cs_host *h)
{
    for (uint32_t i = 0; i < h->n;) {
        struct dcp_cs_vm *vm = &w->vms[CS_VM(h->list[i])];

        if (!vm->migrating && vm->asked_mips == 0) {
            vm->host = CS_NONE;
            w->out->vms_destroyed++;
            dcp_cs_take_out(h, h->list[i]);
        } else {
            i++;
        }
    }
}

static void
refresh_demand(struct dcp_cs_world *w)
{
    for (uint32_t i = 0; i < w->in->n_vms; i++) {
        struct dcp_cs_vm *vm = &w->vms[i];

        if (vm->host != CS_NONE) {
            vm->used_frac = dcp_cs_used_frac(vm->percent, w->now_s);
            vm->asked_mips = vm->used_frac * vm->mips;
            w->out->n_samples++;
        }
    }
}

/* At ticks, and only where the clock's sums still are multiples of 300 s. */
static void
extend_histories(struct dcp_cs_world *w)
{
    if (fmod(w->now_s - CS_FIRST_S, CS_STEP_S) != 0) {
        return;
    }
    w->newest--;
    w->n_history = w->n_history < DCP_CLOUDSIM_HISTORY ? w->n_history + 1
                                                       : DCP_CLOUDSIM_HISTORY;
    if (w->in->policy.mode == DCP_CLOUDSIM_MOVE) {
        uint32_t needs = dcp_cloudsim_needs(&w->in->policy.detector);

        w->n_summed = w->n_history < needs ? w->n_history : needs;
    }
    for (uint32_t i = 0; i < w->in->n_vms; i++) {
        struct dcp_cs_vm *vm = &w->vms[i];

        if (vm->host != CS_NONE) {
            vm->history[w->newest] = vm->used_frac;
            vm->length =
                dcp_cloudsim_length(dcp_cs_history(w, vm), w->n_history);
        }
    }
}

/* Energy of the time since the last update: half of what was and what is; a
 * host that was idle costs nothing, whatever it is now. */
static void
update_all(struct dcp_cs_world *w, bool tick)
{
    double dt = w->now_s - w->last_s, joules = 0;
    bool all_on = w->in->policy.mode == DCP_CLOUDSIM_NPA;

    refresh_demand(w);
    if (tick) {
        extend_histories(w);
    }
    for (uint32_t i = 0; i < CS_HOSTS; i++) {
        struct dcp_cs_host *h = &w->hosts[i];
        double frac = h->used_frac, watts = h->watts;

        if (h->n > 0 || h->used_mips > 0 || !h->record.any) {
            dcp_cs_share(w, h);
        }
        if (all_on) {
            joules += h->kind->watts[10] * dt;
        } else if (frac != 0) {
            joules += (watts + (h->watts - watts) / 2) * dt;
        }
    }
    w->energy_j += joules;
    w->last_s = w->now_s;
    for (uint32_t i = 0; i < CS_HOSTS && !w->in->keep_idle; i++) {
        destroy_idle(w, &w->hosts[i]);
    }
}

static void
update_touched(struct dcp_cs_world *w)
{
    for (uint32_t i = 0; i < CS_HOSTS; i++) {
        struct dcp_cs_host *h = &w->hosts[i];

        if (h->touched) {
            h->touched = false;
            dcp_cs_share(w, h);
        }
    }
}

/* --- Migrations --------------------------------------------------------- */

static bool
note(struct dcp_cs_world *w, const struct dcp_cs_move *m, struct dcp_error *err)
{
    struct dcp_cloudsim_result *out = w->out;

    if (out->n_migrations == w->out_capacity) {
        uint32_t capacity = w->out_capacity ? 2 * w->out_capacity : 1024;
        struct dcp_cloudsim_migration *grown =
            realloc(out->migrations, capacity * sizeof *grown);

        if (!grown) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for %u migrations",
                            capacity);
        }
        out->migrations = grown;
        w->out_capacity = capacity;
    }
    out->migrations[out->n_migrations++] = (struct dcp_cloudsim_migration){
        .at_s = w->now_s, .vm = m->vm, .from = w->vms[m->vm].host, .to = m->to
    };
    return true;
}

static bool
start_migrations(struct dcp_cs_world *w, struct dcp_error *err)
{
    memset(w->n_under_way, 0, sizeof w->n_under_way);
    for (uint32_t i = 0; i < w->n_moves; i++) {
        const struct dcp_cs_move *m = &w->moves[i];
        struct dcp_cs_vm *vm = &w->vms[m->vm];

        if (!note(w, m, err) ||
            !dcp_cs_append(&w->hosts[m->to], m->vm | CS_IN, err)) {
            return false;
        }
        vm->migrating = true;
        w->hosts[m->to].touched = w->hosts[vm->host].touched = true;
        w->under_way[vm->size][w->n_under_way[vm->size]++] = *m;
    }
    update_touched(w);
    return true;
}

static bool
end_migrations(struct dcp_cs_world *w, uint32_t size, struct dcp_error *err)
{
    for (uint32_t i = 0; i < w->n_under_way[size]; i++) {
        const struct dcp_cs_move *m = &w->under_way[size][i];
        struct dcp_cs_vm *vm = &w->vms[m->vm];

        dcp_cs_take_out(&w->hosts[vm->host], m->vm);
        dcp_cs_take_out(&w->hosts[m->to], m->vm | CS_IN);
        w->hosts[vm->host].touched = w->hosts[m->to].touched = true;
        vm->migrating = false;
        vm->host = m->to;
        if (!dcp_cs_append(&w->hosts[m->to], m->vm, err)) {
            return false;
        }
    }
    update_touched(w);
    for (uint32_t i = 0; i < w->n_under_way[size] && !w->in->keep_idle; i++) {
        destroy_idle(w, &w->hosts[w->under_way[size][i].to]);
    }
    return true;
}

/* --- The day ------------------------------------------------------------ */

static void
watch_memory(struct dcp_cs_world *w)
{
    for (uint32_t i = 0; i < CS_HOSTS; i++) {
        const struct dcp_cs_host *h = &w->hosts[i];
        uint32_t mib = 0;

        for (uint32_t k = 0; k < h->n; k++) {
            mib += w->vms[CS_VM(h->list[k])].ram_mib;
        }
        w->out->memory_used_max_frac =
            fmax(w->out->memory_used_max_frac, (double)mib / CS_HOST_RAM_MIB);
    }
}

static bool
tick(struct dcp_cs_world *w, struct dcp_error *err)
{
    static const uint32_t ram_mib[CS_SIZES] = { 613, 870, 1740 };
    double at_s = w->now_s;

    update_all(w, true);
    watch_memory(w);
    if (w->in->policy.mode != DCP_CLOUDSIM_MOVE) {
        return true;
    }
    if (!dcp_cs_optimise(w, err) || !start_migrations(w, err)) {
        return false;
    }
    for (uint32_t size = 0; size < CS_SIZES; size++) {
        if (w->n_under_way[size]) {
            w->now_s = at_s + ram_mib[size] / CS_BANDWIDTH_MIBS;
            update_all(w, false);
            if (!end_migrations(w, size, err)) {
                return false;
            }
        }
    }
    w->now_s = at_s;
    return true;
}

bool
dcp_cloudsim_run(const struct dcp_cloudsim_input *in,
                 struct dcp_cloudsim_result *out, struct dcp_error *err)
{
    struct dcp_cs_world w;

    *out = (struct dcp_cloudsim_result){ 0 };
    if (in->n_vms == 0 || !in->percent ||
        !(in->policy.detector.parameter >= 0)) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "no traces, or a negative parameter");
    }
    bool ok = dcp_cs_world_init(&w, in, out, err) && dcp_cs_create_vms(&w, err);

    w.now_s = CS_FIRST_S;
    for (uint32_t k = 0; ok && k < CS_TICKS; k++) {
        w.now_s += CS_STEP_S;
        ok = tick(&w, err);
    }
    if (ok) {
        dcp_cs_metrics(&w);
    } else {
        dcp_cloudsim_result_finish(out);
    }
    dcp_cs_world_finish(&w);
    return ok;
}

void
dcp_cloudsim_result_finish(struct dcp_cloudsim_result *r)
{
    free(r->migrations);
    *r = (struct dcp_cloudsim_result){ 0 };
}
