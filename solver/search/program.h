/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_PROGRAM_H
#define DCP_SOLVER_SEARCH_PROGRAM_H 1

/* Neighbourhoods that programs solve; private to solver/search/program.c and
 * solver/search/pick.c. */

#include "solver/exact/parts.h"
#include "solver/search/parts.h"

#define DCP_PICK_HOSTS_MAX 8u
#define DCP_PICKS          2u /* Solved at once, on two threads or one. */

/* A few hosts, what they hold, and what a program says of them. */
struct place_anew {
    const struct search *x; /* What does not change is read. */
    struct dcp_state *s;    /* A copy, without the items of the program. */
    uint32_t host[DCP_PICK_HOSTS_MAX], n_hosts;
    uint32_t *known_at;                /* By item. */
    uint32_t *member, *first, n_kinds; /* As struct dcp_exact has them. */
    struct dcp_exact m;
    double *answer; /* NULL: none. */
    bool ok;
    struct dcp_error err;
};

struct programs {
    struct search *x;
    bool check;
    struct dcp_rng rng;
    struct place_anew pick[DCP_PICKS], *now; /* The one that is chosen for. */
    uint32_t n_picks;
    uint32_t *homeless;            /* Scratch: items. */
    struct dcp_ranked_host *ranks; /* Scratch: hosts. */
};

/* Chooses hosts for g->now, by what may be saved there: a licence, a nearly
 * empty host, another kind of host, items that rules tie; none that another
 * pick has. */
void dcp_search_pick_hosts(struct programs *);

#endif /* solver/search/program.h */
