/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_CAPACITY_H
#define DCP_CLI_CAPACITY_H 1

/* What `dcplan capacity` prints, shared by its two forms. */

#include "cli/command.h"
#include "model/purchase.h"

/* One ledger per site, after that of all where there are several. */
struct dcp_ledgers {
    const struct dcp_inventory *inv;
    struct dcp_demand *demand;
    struct dcp_ledger **item;
    uint32_t n;
    struct dcp_purchases purchases; /* Of all. */
};

/* "all", or the site's name. */
const char *dcp_ledger_scope(const struct dcp_inventory *,
                             const struct dcp_ledger *);
/* Resources worth a line: some host has it, or some VM asks for it.  Every
 * host could reserve CPU, so that counts where a VM does. */
bool dcp_ledger_shown(const struct dcp_ledger *, uint32_t resource);
/* NaN where nothing may be used. */
double dcp_ledger_used_frac(const struct dcp_ledger *, uint32_t resource);

/* Prints "dcplan/capacity/1"; the exit status. */
int dcp_capacity_json(const struct dcp_globals *, const struct dcp_ledgers *,
                      struct dcp_error *err);

#endif /* cli/capacity.h */
