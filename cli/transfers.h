/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_TRANSFERS_H
#define DCP_CLI_TRANSFERS_H 1

/* What migrations of a leg took of the network and of their VMs, as
 * `simulate` shows it. */

#include "model/io/json_writer.h"
#include "model/transfers.h"

/* The member `transfers`. */
void dcp_transfers_json(struct dcp_json *, const struct dcp_transfer_totals *);
/* A line where something was out of the ordinary. */
void dcp_transfers_print(const struct dcp_transfer_totals *);

#endif /* cli/transfers.h */
