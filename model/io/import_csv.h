/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_IMPORT_CSV_H
#define DCP_MODEL_IO_IMPORT_CSV_H 1

/* Somebody's tables of hosts and VMs into a model directory.
 *
 * Writes import/hosts.csv and import/hosts.yaml (models of machines made by
 * grouping identical hosts, and the racks that the model does not have), the
 * same for VMs (tenants, tiers and applications), and adds them to the include
 * list of dc.yaml, last.  Each file is replaced as a whole.
 *
 * A host or VM that cannot be used is skipped, and counted by reason. */

#include "model/base/diag.h"

#include <stdint.h>

struct dcp_import_options {
    const char *hosts, *vms; /* Either may be NULL, not both. */
    const char *map;         /* Mapping file; NULL: by the headers. */
    const char *curves;      /* SPECpower table; NULL: none. */
    bool force;              /* Replace an earlier import. */
};

#define DCP_IMPORT_REASONS_MAX 32
struct dcp_import_result {
    uint32_t hosts_read, hosts_taken, vms_read, vms_taken, hardware;
    /* Machines (and hosts) whose power curve is of the very CPU, of one of its
     * family, or not found. */
    uint32_t curves[3], curve_hosts[3]; /* By enum dcp_spec_match. */
    uint32_t n_cores_assumed; /* Hosts with cores taken as threads / 2. */
    struct {
        char text[120];
        uint32_t n;
    } reasons[DCP_IMPORT_REASONS_MAX]; /* Why rows were skipped. */
    uint32_t n_reasons;
};

bool dcp_import_csv(const char *dir, const struct dcp_import_options *,
                    struct dcp_import_result *out, struct dcp_diag *diag,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/import_csv.h */
