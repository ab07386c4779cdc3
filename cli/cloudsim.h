/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_CLOUDSIM_H
#define DCP_CLI_CLOUDSIM_H 1

/* `simulate --compat cloudsim-3`: reads a day of PlanetLab, runs it as CloudSim
 * would (sim/cloudsim/cloudsim.h) and prints the figures of `simulate`. */

#include "cli/command.h"

struct dcp_cloudsim_options {
    const char *compat; /* NULL: not asked for. */
    const char *migrations;
    bool keep_idle, enforce_memory, shuffle;
};
#define DCP_CLOUDSIM_OPTS 5
extern const struct dcp_opt dcp_cloudsim_opts[DCP_CLOUDSIM_OPTS];

/* 'traces': "planetlab:DIR".  The exit status, or -1 with 'err'. */
int
dcp_cloudsim_command(const struct dcp_globals *,
                     const struct dcp_cloudsim_options *, const char *traces,
                     const char *policy, struct dcp_error *err);
/* Without --compat: refuses the options that only it takes. */
bool dcp_cloudsim_unused(const struct dcp_cloudsim_options *,
                         struct dcp_error *err) DCP_CHECKED;

#endif /* cli/cloudsim.h */
