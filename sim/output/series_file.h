/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_SERIES_FILE_H
#define DCP_SIM_OUTPUT_SERIES_FILE_H 1

/* Series of a replay (sim/output/series.h) in files, written as it goes.
 *
 * HDF5, schema "dcplan/series/1": /host, /vm and /tenant, and /pool where
 * storage is limited, each with "name" and its figures as matrices
 * [sample][name]; /interval has a column for each figure of the whole,
 * "start_ms" and "end_ms", and with a baseline these as "baseline_...".
 * Attribute "partial" 1: the replay was stopped.
 *
 * CSV: a line per sample and host, VM, tenant or pool: time, its name, its
 * figures; a VM's host by name, empty where it has none.
 *
 * One thread. */

#include "sim/output/series.h"
#include "sim/watch.h"

struct dcp_series_file;

/* Of a replay of the input, as dcp_sim_series_create() takes it.  The file
 * appears with dcp_series_file_end(). */
struct dcp_series_file *
dcp_series_file_create(const char *path, const struct dcp_sim_input *,
                       struct dcp_error *err) DCP_CHECKED;
/* '-' as 'path': standard output. */
struct dcp_series_file *
dcp_series_file_create_csv(const char *path, enum dcp_series_of,
                           const struct dcp_sim_input *,
                           struct dcp_error *err) DCP_CHECKED;
void dcp_series_file_destroy(struct dcp_series_file *); /* NULL is fine. */
DCP_DEFINE_AUTO(dcp_series_file)

/* Borrows the file. */
struct dcp_sim_watch dcp_series_file_watch(struct dcp_series_file *);
/* After the replay; 'baseline' NULL: there is none. */
bool
dcp_series_file_end(struct dcp_series_file *, const struct dcp_sim_result *,
                    const struct dcp_sim_result *baseline,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* sim/output/series_file.h */
