/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_CLOUDSIM_CLOUDSIM_H
#define DCP_SIM_CLOUDSIM_CLOUDSIM_H 1

/* The PlanetLab power experiments of CloudSim 3.0.3 (4.0 and 5.0 give the same
 * figures), bit for bit: 800 fixed hosts, one fixed day, double clock, and all
 * of its shortcuts.  For comparison with published figures, not for planning:
 * docs/sim-cloudsim.md says what the shortcuts do, and the two `fix` options
 * here undo the two worst of them.
 *
 * The default engine has no branch for any of this.  Doubles are summed in
 * CloudSim's order: build without contraction or fast-math.
 *
 * Pure; distinct calls may run in distinct threads. */

#include "model/base/error.h"
#include "sim/cloudsim/detect.h"

enum dcp_cloudsim_mode {
    DCP_CLOUDSIM_NPA,  /* First fit, all hosts at full power. */
    DCP_CLOUDSIM_DVFS, /* First fit, power follows utilisation. */
    DCP_CLOUDSIM_MOVE, /* A detector and a selection. */
};
enum dcp_cloudsim_select {
    DCP_CLOUDSIM_MMT, /* Least time to migrate: least memory. */
    DCP_CLOUDSIM_MU,  /* Least utilisation. */
    DCP_CLOUDSIM_MC,  /* Highest multiple correlation with the others. */
    DCP_CLOUDSIM_RS,  /* At random, by seed (CloudSim's has none). */
};

struct dcp_cloudsim_policy {
    enum dcp_cloudsim_mode mode;
    struct dcp_cloudsim_detector detector;
    enum dcp_cloudsim_select select;
};
/* "npa", "dvfs", "lr-mmt:1.2"; without a number the papers' own: thr 0.8, iqr
 * 1.5, mad 2.5, lr and lrr 1.2. */
bool
dcp_cloudsim_policy_parse(const char *text, struct dcp_cloudsim_policy *out,
                          struct dcp_error *err) DCP_CHECKED;

#define DCP_CLOUDSIM_HOSTS     800
#define DCP_CLOUDSIM_HORIZON_S 86400

struct dcp_cloudsim_input {
    uint32_t n_vms;
    const uint8_t *percent; /* [vm][288], 300 s apart; borrowed. */
    struct dcp_cloudsim_policy policy;
    bool keep_idle;      /* Fix: VMs that ask for nothing are not destroyed. */
    bool enforce_memory; /* Fix: no placement beyond a host's memory. */
    uint64_t seed;       /* Of DCP_CLOUDSIM_RS. */
};

struct dcp_cloudsim_migration { /* In the order they were started. */
    double at_s;
    uint32_t vm, from, to;
};

struct dcp_cloudsim_result {
    double energy_kwh;
    struct dcp_cloudsim_migration *migrations; /* Owned. */
    uint32_t n_migrations;
    uint32_t vms_destroyed; /* For asking nothing at two samples in a row. */

    double slatah_frac, pdm_frac, slav, overall_slav, average_slav;
    double violation_s, active_s; /* Over hosts; slatah = their ratio. */
    double requested_mips_s, unmet_mips_s;
    uint32_t host_shutdowns; /* A host that never served counts once. */
    double mean_s_before_shutdown, sd_s_before_shutdown;   /* NaN: none. */
    double mean_s_before_migration, sd_s_before_migration; /* Durations. */
    double memory_used_max_frac; /* Of one host's memory, at any tick. */
    uint64_t n_samples;
};

bool dcp_cloudsim_run(const struct dcp_cloudsim_input *,
                      struct dcp_cloudsim_result *out,
                      struct dcp_error *err) DCP_CHECKED;
void dcp_cloudsim_result_finish(struct dcp_cloudsim_result *);

#endif /* sim/cloudsim/cloudsim.h */
