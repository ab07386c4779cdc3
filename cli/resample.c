/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/resample.h"

#include "cli/replay.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define O(MEMBER) offsetof(struct dcp_resample_options, MEMBER)

const struct dcp_opt dcp_resample_rows[DCP_N_RESAMPLE_ROWS] = {
    { "bootstrap", 0, DCP_OPT_UINT, O(block_days), "DAYS", NULL, NULL,
      "Draw each replication's usage from days of the store, so many in a row: "
      "local times and classes of days stay." },
    { "bootstrap-from", 0, DCP_OPT_INSTANT, O(from_ms), "TIME", NULL, NULL,
      "Draw from days after this only; default: the store's start." },
    { "bootstrap-to", 0, DCP_OPT_INSTANT, O(to_ms), "TIME", NULL, NULL,
      "Draw from days before this only; default: the store's end." },
};

/* Of the days to draw from only. */
static bool
load(struct dcp_context *c, const struct dcp_resample_options *o,
     struct dcp_resample *out, struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    int64_t start_ms = dcp_store_start_ms(c->store);
    int64_t end_ms = start_ms + dcp_store_n_times(c->store) *
                                    dcp_store_interval_ms(c->store);

    if (o->from_ms != DCP_INSTANT_NONE && o->from_ms > start_ms) {
        start_ms = o->from_ms;
    }
    if (o->to_ms != DCP_INSTANT_NONE && o->to_ms < end_ms) {
        end_ms = o->to_ms;
    }
    if (start_ms >= end_ms) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--bootstrap: no usage between --bootstrap-from and "
                        "--bootstrap-to");
    }
    out->mem_is_active = !strcmp(dcp_store_mem_basis(c->store), "active");
    return dcp_samples_load(c->store, DCP_METRIC_CPU_MHZ, inv, c->measured,
                            start_ms, end_ms, &out->usage, err) &&
           dcp_samples_look_back(c->store, inv, c->measured, &out->usage,
                                 err) &&
           dcp_sim_fill(inv, &out->usage, &out->fill, err) &&
           (!dcp_replay_wants_memory(c) ||
            dcp_samples_load(c->store, DCP_METRIC_MEM_MIB, inv, c->measured,
                             start_ms, end_ms, &out->mem, err)) &&
           dcp_storage_use_load(c, start_ms, end_ms, &out->storage, err);
}

static uint32_t
count_known(const struct dcp_bootstrap *b, struct dcp_resample_window w)
{
    uint32_t n, known = 0;
    const int64_t *day_ms = dcp_bootstrap_source(b, &n);

    for (uint32_t i = 0; i < n; i++) {
        known += day_ms[i] < w.known_until_ms &&
                 day_ms[i] + DCP_DAY_MS > w.known_from_ms;
    }
    return known;
}

bool
dcp_resample_open(struct dcp_context *c, const struct dcp_resample_options *o,
                  struct dcp_resample_window window, struct dcp_resample *out,
                  struct dcp_error *err)
{
    *out = (struct dcp_resample){ .block_days = (uint32_t)o->block_days };
    if (!c->store || !dcp_store_has(c->store, DCP_METRIC_CPU_MHZ)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--bootstrap draws from measured usage: give --traces "
                        "FILE");
    }
    if (!load(c, o, out, err)) {
        return false;
    }
    struct dcp_bootstrap_question q = {
        .zone = c->model.inventory->zone,
        .calendar = &c->model.inventory->calendar,
        .samples = &out->usage,
        .from_ms = window.from_ms,
        .to_ms = window.to_ms,
        .source_from_ms = INT64_MIN, /* All that was loaded. */
        .source_to_ms = INT64_MAX,
        .block_days = out->block_days,
    };

    out->bootstrap = dcp_bootstrap_create(&q, err);
    if (!out->bootstrap) {
        return false;
    }
    out->n_known_days = count_known(out->bootstrap, window);
    return true;
}

void
dcp_resample_close(struct dcp_resample *r)
{
    dcp_samples_finish(&r->usage);
    dcp_samples_finish(&r->mem);
    dcp_samples_finish(&r->window);
    dcp_samples_finish(&r->mem_window);
    dcp_storage_use_finish(&r->storage);
    dcp_storage_use_finish(&r->storage_window);
    dcp_bootstrap_destroy(r->bootstrap);
    *r = (struct dcp_resample){ 0 };
}

void
dcp_resample_draw(struct dcp_resample *r, uint64_t seed,
                  struct dcp_sim_input *in)
{
    dcp_bootstrap_draw(r->bootstrap, seed);
    in->cpu = &r->usage;
    in->mem = r->mem.n_times ? &r->mem : NULL;
    in->mem_is_active = r->mem_is_active;
    in->rows = dcp_bootstrap_rows(r->bootstrap, &in->n_rows);
}

bool
dcp_resample_copy(struct dcp_resample *r, uint64_t seed,
                  struct dcp_sim_input *in, struct dcp_error *err)
{
    dcp_bootstrap_draw(r->bootstrap, seed);
    in->cpu = &r->window;
    r->storage_window.limited = r->storage.limited;
    in->mem = r->mem.n_times ? &r->mem_window : NULL;
    in->mem_is_active = r->mem_is_active;
    return dcp_bootstrap_copy(r->bootstrap, &r->usage, &r->window, err) &&
           (!in->mem ||
            dcp_bootstrap_copy(r->bootstrap, &r->mem, &r->mem_window, err)) &&
           (!r->storage.disk.n_times ||
            dcp_bootstrap_copy(r->bootstrap, &r->storage.disk,
                               &r->storage_window.disk, err));
}

void
dcp_resample_json(struct dcp_json *w, const struct dcp_resample *r)
{
    uint32_t n_days, n_source;
    const int64_t *source = dcp_bootstrap_source(r->bootstrap, &n_source);
    double n_windows = dcp_bootstrap_n_windows(r->bootstrap);

    (void)dcp_bootstrap_days(r->bootstrap, &n_days);
    dcp_json_kobject(w, "bootstrap");
    dcp_json_ku64(w, "block_days", r->block_days);
    dcp_json_ku64(w, "window_days", n_days);
    dcp_json_ku64(w, "source_days", n_source);
    dcp_json_kinstant(w, "source_from", source[0]);
    dcp_json_ku64(w, "source_days_in_sample", r->n_known_days);
    dcp_json_kdouble(w, "windows", isfinite(n_windows) ? n_windows : NAN);
    dcp_json_ku64(w, "samples_missing", r->fill.n_missing);
    dcp_json_end(w, '}');
}

void
dcp_resample_print(const struct dcp_resample *r)
{
    uint32_t n_days, n_source;
    double n_windows = dcp_bootstrap_n_windows(r->bootstrap);
    char from[32];
    const int64_t *source = dcp_bootstrap_source(r->bootstrap, &n_source);

    (void)dcp_bootstrap_days(r->bootstrap, &n_days);
    dcp_print_instant(source[0], from);
    printf("Usage drawn for %u day%s in blocks of %u from %u whole days after "
           "%s: %.6g different windows.\n",
           n_days, n_days == 1 ? "" : "s", r->block_days, n_source, from,
           n_windows);
    if (r->n_known_days) {
        printf("The plan or policy knew %u of those days, which flatters it: "
               "see --bootstrap-from.\n",
               r->n_known_days);
    }
}
