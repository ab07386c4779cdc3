/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_PERCENT_DAY_H
#define DCP_TRACES_PERCENT_DAY_H 1

/* One day of PlanetLab (CoMoN) as it is on disk, without a store in between:
 * a directory with a file per VM, in it 288 whole percentages, one per line,
 * every 300 s from midnight.  Files may be gzipped; hidden files and *.md are
 * left out.
 *
 * VM i is the i-th file by the bytes of its name, whatever order the file
 * system lists them in. */

#include "model/base/error.h"

#define DCP_PERCENT_DAY_SAMPLES 288

struct dcp_percent_day {
    uint32_t n_vms;
    uint8_t *percent; /* [vm][DCP_PERCENT_DAY_SAMPLES], 0 to 100; owned. */
};

/* Refuses a file with fewer or more values, or with anything else in it; an
 * empty directory too. */
bool dcp_percent_day_read(const char *directory, struct dcp_percent_day *out,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_percent_day_finish(struct dcp_percent_day *);

/* Puts the VMs into a random order: the same for the same seed.  For what
 * depends on the order of files and should not. */
bool dcp_percent_day_shuffle(struct dcp_percent_day *, uint64_t seed,
                             struct dcp_error *err) DCP_CHECKED;

#endif /* traces/percent_day.h */
