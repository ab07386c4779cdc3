/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/onlooker.h"

#include "cli/interrupt.h"
#include "cli/ui.h"
#include "model/base/text.h"
#include "sim/output/event_log.h"
#include "sim/output/series_file.h"

#include <stdio.h>
#include <stdlib.h>

/* A terminal needs no more often. */
#define TELL_EVERY_S 0.2

enum { WATCHES_MAX = 4 };

struct dcp_onlooker {
    const struct dcp_globals *g;
    struct dcp_onlooker_options options;
    struct dcp_sim_watch self;
    struct dcp_sim_watch log_watch, series_watch, picture_watch;
    struct dcp_event_log *log;
    struct dcp_series_file *series;
    struct dcp_picture *picture;
    const struct dcp_sim_watch *watches[WATCHES_MAX];
    bool last;
    uint32_t n_runs, n_seen; /* Replays begun; Ctrl-C before this one. */
    double began_s, told_s;
};

struct dcp_onlooker *
dcp_onlooker_create(const struct dcp_globals *g,
                    const struct dcp_onlooker_options *options,
                    struct dcp_error *err)
{
    struct dcp_onlooker *o = calloc(1, sizeof *o);

    if (!o) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to look on");
        return NULL;
    }
    o->g = g;
    o->options = *options;
    return o;
}

void
dcp_onlooker_destroy(struct dcp_onlooker *o)
{
    if (o) {
        dcp_event_log_destroy(o->log);
        dcp_series_file_destroy(o->series);
        dcp_picture_destroy(o->picture);
        free(o);
    }
}

static void
tell(struct dcp_onlooker *o, double done_frac)
{
    double now_s = dcp_ui_wall_seconds(o->g);
    double spent_s = now_s - o->began_s;
    double left_s = spent_s * (1 - done_frac) / done_frac;
    char what[80];

    if (now_s - o->told_s < TELL_EVERY_S) {
        return;
    }
    o->told_s = now_s;
    (void)snprintf(what, sizeof what, "%s, %.0f:%02.0f left,",
                   o->last ? "simulating" : "simulating what is compared",
                   (double)(int64_t)(left_s / 60),
                   left_s - 60 * (double)(int64_t)(left_s / 60));
    dcp_ui_progress(o->g, what, done_frac);
}

static bool
after_slice(void *user, const struct dcp_sim_result *so_far, uint32_t slice,
            bool *more, struct dcp_error *err)
{
    struct dcp_onlooker *o = user;
    uint32_t n = dcp_interrupt_count();

    if (n > 1) {
        return dcp_fail(err, DCP_E_CANCELLED, "interrupted twice: given up");
    }
    *more = *more && n == o->n_seen;
    if (o->g->progress) {
        tell(o, (double)(slice + 1) / so_far->n_slices);
    }
    return true;
}

static bool
open_log(struct dcp_onlooker *o, struct dcp_sim_input *in,
         struct dcp_error *err)
{
    if (!o->options.events) {
        return true;
    }
    o->log = dcp_event_log_create(o->options.events, in->inventory, in->from_ms,
                                  in->to_ms, err);
    if (!o->log) {
        return false;
    }
    o->log_watch = dcp_event_log_watch(o->log);
    o->watches[in->n_watches++] = &o->log_watch;
    return true;
}

static bool
open_series(struct dcp_onlooker *o, struct dcp_sim_input *in,
            struct dcp_error *err)
{
    const char *path = o->options.series;
    bool h5 = path && dcp_text_glob("*.h5", path);

    if (!path || (!h5 && o->options.series_of == DCP_SERIES_INTERVAL)) {
        return true;
    }
    o->series =
        h5 ? dcp_series_file_create(path, in, err)
           : dcp_series_file_create_csv(path, o->options.series_of, in, err);
    if (!o->series) {
        return false;
    }
    o->series_watch = dcp_series_file_watch(o->series);
    o->watches[in->n_watches++] = &o->series_watch;
    return true;
}

static bool
open_picture(struct dcp_onlooker *o, struct dcp_sim_input *in,
             struct dcp_error *err)
{
    if (!o->options.picture) {
        return true;
    }
    o->picture = dcp_picture_create(in, err);
    if (!o->picture) {
        return false;
    }
    o->picture_watch = dcp_picture_watch(o->picture);
    o->watches[in->n_watches++] = &o->picture_watch;
    return true;
}

bool
dcp_onlooker_prepare(void *user, bool last, struct dcp_sim_input *in,
                     struct dcp_error *err)
{
    struct dcp_onlooker *o = user;

    dcp_interrupt_watch();
    o->n_seen = o->n_runs++ ? dcp_interrupt_count() : 0;
    o->last = last;
    in->n_coarse = 1; /* Its own, for progress. */
    o->began_s = o->told_s = dcp_ui_wall_seconds(o->g);
    o->self = (struct dcp_sim_watch){ .slice = after_slice, .user = o };
    o->watches[0] = &o->self;
    in->watches = o->watches;
    in->n_watches = 1;
    return !last || (open_log(o, in, err) && open_series(o, in, err) &&
                     open_picture(o, in, err));
}

bool
dcp_onlooker_end(struct dcp_onlooker *o, const struct dcp_sim_result *result,
                 const struct dcp_sim_result *baseline, struct dcp_error *err)
{
    dcp_ui_progress_end(o->g);
    return (!o->log || dcp_event_log_flush(o->log, err)) &&
           (!o->series ||
            dcp_series_file_end(o->series, result, baseline, err));
}

const struct dcp_picture_data *
dcp_onlooker_picture(struct dcp_onlooker *o)
{
    return dcp_picture_end(o->picture);
}
