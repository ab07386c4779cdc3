/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_BENCH_GANETI_H
#define DCP_BENCH_GANETI_H 1

/* A cluster in Ganeti's text format as solver/balance/ sees it, and back. */

#include "cli/command.h"
#include "model/io/ganeti_text.h"
#include "solver/balance/cluster.h"

extern const struct dcp_command dcp_suite_cmd_hbal;
extern const struct dcp_command dcp_suite_cmd_hspace;

/* The cluster as hbal would load it; NULL: failed, or the text has what hbal
 * scores and we do not (several groups, exclusive storage, location and
 * migration tags). */
struct dcp_balance_cluster *
dcp_suite_cluster(const struct dcp_ganeti_text *, struct dcp_error *err);

/* Puts the instances of the text where the cluster has them and takes their
 * memory and disk along. */
void dcp_suite_move_instances(struct dcp_ganeti_text *,
                              const struct dcp_balance_cluster *);
/* Takes memory and disk from the nodes of an instance (sign 1), or gives them
 * back (-1). */
void dcp_suite_charge(struct dcp_ganeti_text *,
                      const struct dcp_ganeti_instance *, double sign);

/* Writes the text ('path' NULL: nowhere) and reads it again: what was written,
 * to be finished. */
bool dcp_suite_write_ganeti(const struct dcp_ganeti_text *, const char *path,
                            struct dcp_ganeti_text *out_written,
                            struct dcp_error *err) DCP_CHECKED;

#endif /* bench/suite/ganeti.h */
