/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_ONLOOKER_H
#define DCP_CLI_ONLOOKER_H 1

/* What the command line has look on at replays: progress with the time that is
 * left, on a terminal; Ctrl-C, which ends the replay at the end of its sample;
 * and the files that `simulate` writes on the way (--series, --events).
 *
 * A second Ctrl-C gives up: the replay fails with DCP_E_CANCELLED. */

#include "cli/command.h"
#include "cli/context.h"
#include "sim/output/picture.h"

struct dcp_onlooker_options {
    const char *events; /* NULL: not wanted, as is the next. */
    const char *series; /* HDF5 where it ends in .h5, else CSV. */
    /* CSV: of what; DCP_SERIES_INTERVAL is the caller's to write. */
    enum dcp_series_of series_of;
    bool picture; /* For a page; see dcp_onlooker_picture(). */
};

struct dcp_onlooker;

struct dcp_onlooker *dcp_onlooker_create(const struct dcp_globals *,
                                         const struct dcp_onlooker_options *,
                                         struct dcp_error *err) DCP_CHECKED;
void dcp_onlooker_destroy(struct dcp_onlooker *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_onlooker)

/* Sets the watches of a replay that is about to begin; 'last': it is the one
 * that files are about.  As in dcp_replay_options; 'user' is the onlooker. */
bool dcp_onlooker_prepare(void *user, bool last, struct dcp_sim_input *,
                          struct dcp_error *err);
/* After the last replay: completes the files.  'baseline' NULL: none. */
bool dcp_onlooker_end(struct dcp_onlooker *, const struct dcp_sim_result *,
                      const struct dcp_sim_result *baseline,
                      struct dcp_error *err) DCP_CHECKED;
/* After the end, where it was wanted; belongs to the onlooker. */
const struct dcp_picture_data *dcp_onlooker_picture(struct dcp_onlooker *);

#endif /* cli/onlooker.h */
