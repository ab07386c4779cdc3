/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_SELECT_H
#define DCP_SIM_POLICY_SELECT_H 1

/* Which VM leaves an overloaded host?  Selections of Beloglazov and Buyya (CCPE
 * 24(13), 2012):
 *
 * MMT  least memory: the shortest migration;
 * MU   least CPU by the latest sample;
 * MC   the one whose history the others' explain best: highest R^2 of a least
 *      squares fit on all others' histories with a constant; where there are
 *      not more samples than VMs, MMT;
 * RS   any, from a stream of the seed.
 *
 * The first of equals.  Thread-safe. */

#include "model/base/rng.h"

#include <stdbool.h>
#include <stdint.h>

enum dcp_selection {
    DCP_SELECT_MMT,
    DCP_SELECT_MU,
    DCP_SELECT_MC,
    DCP_SELECT_RS,
};
#define DCP_SELECTIONS (DCP_SELECT_RS + 1)
const char *dcp_selection_name(enum dcp_selection); /* "mmt" ... */

struct dcp_candidates {
    uint32_t n; /* VMs, at least 1. */
    const uint64_t *mem_mib;
    const double *mhz;
    uint32_t n_past;    /* Samples of each. */
    const double *past; /* [past][candidate]. */
};

/* The position of the one that goes; n: no memory. */
uint32_t
dcp_select(enum dcp_selection, const struct dcp_candidates *, struct dcp_rng *);

#endif /* sim/policy/select.h */
