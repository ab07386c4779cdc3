/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_NAMED_H
#define DCP_CLI_NAMED_H 1

/* Hosts and VMs named on the command line.  Words are read as selectors of
 * rules are: a name, a glob, and for hosts tag:, rack:, room:, site: and
 * hardware:, for VMs tag:, tier: and tenant:.  A word that selects nothing is
 * an error (DCP_E_USAGE) that suggests the nearest name. */

#include "model/inventory.h"

/* Sets out_mark[host] to 1 for each host that a word selects. */
bool
dcp_named_hosts(const struct dcp_inventory *, uint32_t n, char *const words[],
                uint8_t out_mark[], struct dcp_error *err) DCP_CHECKED;
/* Pools: 'word' is "pool:NAME" or "pool:GLOB".  '*out_is_pool' false: it is
 * neither, and nothing was done. */
bool dcp_named_pools(const struct dcp_inventory *, const char *word,
                     uint8_t out_mark[], bool *out_is_pool,
                     struct dcp_error *err) DCP_CHECKED;
/* Likewise for VMs. */
bool
dcp_named_vms(const struct dcp_inventory *, uint32_t n, char *const words[],
              uint8_t out_mark[], struct dcp_error *err) DCP_CHECKED;

/* One host or VM by its plain name. */
bool dcp_named_host(const struct dcp_inventory *, const char *name,
                    dcp_host_id *out, struct dcp_error *err) DCP_CHECKED;
bool dcp_named_vm(const struct dcp_inventory *, const char *name,
                  dcp_vm_id *out, struct dcp_error *err) DCP_CHECKED;

/* Fails with "KIND 'word' is not in the model; did you mean 'nearest'?", the
 * names being those of a table: 'first' is its first name, 'stride' the size
 * of a row. */
bool
dcp_named_unknown(const char *kind, const char *word, const char *const *first,
                  size_t stride, uint32_t n, struct dcp_error *err);

#endif /* cli/named.h */
