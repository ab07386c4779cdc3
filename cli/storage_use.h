/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_STORAGE_USE_H
#define DCP_CLI_STORAGE_USE_H 1

/* Reads and writes of a replay (sim/storage/io.h) for the command line: their
 * samples, the replay with who counts them looking on, and what came of it.
 * Where the model states no limit, nothing is loaded and nobody looks on. */

#include "cli/context.h"
#include "model/io/json_writer.h"
#include "sim/storage/io.h"

struct dcp_storage_use {
    bool limited;
    struct dcp_samples disk; /* KiB/s; n_times 0: not measured. */
    struct dcp_io_result without, with;
};

/* Loads what was measured in [from_ms, to_ms). */
bool dcp_storage_use_load(struct dcp_context *, int64_t from_ms, int64_t to_ms,
                          struct dcp_storage_use *,
                          struct dcp_error *err) DCP_CHECKED;
void dcp_storage_use_finish(struct dcp_storage_use *);

/* Who counts, from before a replay to after it. */
enum { DCP_STORAGE_WATCHES_MAX = 8 };
struct dcp_storage_count {
    struct dcp_io *io; /* NULL: nobody. */
    struct dcp_sim_watch own;
    const struct dcp_sim_watch *watches[DCP_STORAGE_WATCHES_MAX];
};
/* Looks on at 'in' beside its own watches; stays where it is until the end.
 * '*out' is zero-initialised or finished. */
bool
dcp_storage_count_begin(const struct dcp_storage_use *, struct dcp_sim_input *,
                        struct dcp_storage_count *out,
                        struct dcp_error *err) DCP_CHECKED;
/* What came of it; 'out_io' anew. */
bool
dcp_storage_count_end(struct dcp_storage_count *, struct dcp_io_result *out_io,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_storage_count_finish(struct dcp_storage_count *);

/* dcp_simulate() of 'in', which keeps its own watches; 'out_io' is one of the
 * two results, anew. */
bool dcp_storage_use_simulate(const struct dcp_storage_use *,
                              const struct dcp_sim_input *in,
                              struct dcp_sim_result *out,
                              struct dcp_io_result *out_io,
                              struct dcp_error *err) DCP_CHECKED;
/* Of a placement that nothing changed, over the slices of 's': reads the store
 * a day at a time. */
bool
dcp_storage_use_static(struct dcp_context *, const struct dcp_placement *,
                       const struct dcp_sim_result *s, struct dcp_storage_use *,
                       struct dcp_error *err) DCP_CHECKED;

/* Pools and hosts that are named; those that were short longest. */
#define DCP_STORAGE_USE_LINKS 20

/* Member "storage". */
bool dcp_storage_use_json(struct dcp_json *, const struct dcp_inventory *,
                          const struct dcp_storage_use *,
                          const struct dcp_io_result *, struct dcp_error *err);
/* Lines of text; 'has_plan': of both results. */
void dcp_storage_use_print(const struct dcp_storage_use *, bool has_plan);

#endif /* cli/storage_use.h */
