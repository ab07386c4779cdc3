/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_RESAMPLE_H
#define DCP_CLI_RESAMPLE_H 1

/* `simulate --bootstrap DAYS`: the store's usage in memory, and draws of days
 * from it for a window (sim/stats/bootstrap.h). */

#include "cli/context.h"
#include "cli/storage_use.h"
#include "model/io/json_writer.h"
#include "sim/sim.h"
#include "sim/stats/bootstrap.h"

struct dcp_resample_options {
    uint64_t block_days;    /* 0: usage is not drawn. */
    int64_t from_ms, to_ms; /* Days to draw from; DCP_INSTANT_NONE: all. */
};
/* Rows with offsets in the struct above. */
#define DCP_N_RESAMPLE_ROWS 3
extern const struct dcp_opt dcp_resample_rows[DCP_N_RESAMPLE_ROWS];

struct dcp_resample {
    uint32_t block_days;
    struct dcp_samples usage; /* Of those days. Owned; none missing. */
    struct dcp_samples mem;   /* n_times 0: not drawn. Owned. */
    bool mem_is_active;
    struct dcp_storage_use storage; /* Reads and writes of those days. Owned. */
    struct dcp_sim_fill fill;
    struct dcp_bootstrap *bootstrap; /* Owned. */
    /* Of the draw, where it is copied.  Owned. */
    struct dcp_samples window, mem_window;
    struct dcp_storage_use storage_window;
    uint32_t n_known_days; /* Of those drawn from: known beforehand. */
};

/* For the window [from_ms, to_ms); days in [known_from_ms, known_until_ms) are
 * known to the plan or the policy that is judged. */
struct dcp_resample_window {
    int64_t from_ms, to_ms, known_from_ms, known_until_ms;
};
bool
dcp_resample_open(struct dcp_context *, const struct dcp_resample_options *,
                  struct dcp_resample_window, struct dcp_resample *out,
                  struct dcp_error *err) DCP_CHECKED;
void dcp_resample_close(struct dcp_resample *);

/* Puts the draw of 'seed' into a replay's input: by rows, or as a copy, with
 * what is read and written, for who looks on or back. */
void
dcp_resample_draw(struct dcp_resample *, uint64_t seed, struct dcp_sim_input *);
bool
dcp_resample_copy(struct dcp_resample *, uint64_t seed, struct dcp_sim_input *,
                  struct dcp_error *err) DCP_CHECKED;

/* The member "bootstrap"; and a line for people. */
void dcp_resample_json(struct dcp_json *, const struct dcp_resample *);
void dcp_resample_print(const struct dcp_resample *);

#endif /* cli/resample.h */
