/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_IMPORT_GANETI_H
#define DCP_MODEL_IO_IMPORT_GANETI_H 1

/* The text form of Ganeti's htools (`hbal -t FILE`, written by `hscan`) into a
 * model directory: sections of lines, fields split by '|', an empty line
 * between sections: groups, nodes, instances, cluster tags, policies (see the
 * manual page htools(1)).
 *
 * Nodes that are alike become one model of machine, with the memory that is
 * left beside the node's own; nodes that are offline are in maintenance.
 * Instances that run start on their primary node; those on DRBD are fenced to
 * their primary and secondary node, because anywhere else their disks would
 * have to be copied; others have their disks in a pool `external`.  A group is
 * a fence where there are several, and a tag that the cluster lists under
 * htools:iextags: spreads the instances that have it.  CPU clocks and network
 * rates are not in the text: 2 GHz and 1 Gbit are assumed. */

#include "model/base/error.h"

#include <stdint.h>

struct dcp_ganeti_result {
    uint32_t groups, nodes, instances, rules, hardware;
};

/* Writes import/ as dcp_import_csv() does.  A malformed line is an error with
 * its number, and nothing is written. */
bool dcp_import_ganeti(const char *dir, const char *path, bool force,
                       struct dcp_ganeti_result *out,
                       struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/import_ganeti.h */
