/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_COVERS_H
#define DCP_SOLVER_SEARCH_COVERS_H 1

/* Which hosts are to be licensed for what, by a program; private to
 * solver/search/covers*.c.
 *
 * Where licences are paid by host, what matters is how few and how cheap hosts
 * hold all that needs one, and that is decided before a single VM is placed.  A
 * *cover* is a set of licences, as bits; VMs that need c may be on hosts whose
 * cover L holds all of c.  Region by region,
 *   y_tL  hosts of type t that are on with cover L, whole,
 *   z_ktL the share of kind k (a cover and the types in reach) on these,
 *   min   sum (idle_t + licences_tL) y_tL + load_kt z_ktL + what is above
 * floors sum_tL z_ktL = 1,   sum_k demand_k z_ktL <= fill cap_t y_tL for each
 * scalar and the busiest slots; a licence is on as many hosts as a spread or
 * separate rule asks for.  Watts are chords over the curves.  A guess, not a
 * bound: sums are not places. */

#include "solver/search/parts.h"
#include "solver/search/scarce.h"

#define DCP_COVERS_MAX          24u
#define DCP_COVER_KINDS_MAX     64u
#define DCP_COVER_TYPES_MAX     32u
#define DCP_COVER_LICENCES_MAX  16u
#define DCP_COVER_SLOTS         4u
#define DCP_COVER_SETS_MAX      4u
#define DCP_COVER_RESOURCES_MAX (DCP_SCALARS_MAX + DCP_COVER_SLOTS)

struct cover_kind { /* Items with one cover and the same types in reach. */
    uint32_t region, cover, types;
    double size[DCP_COVER_RESOURCES_MAX];
    double *mhz;  /* By slot. */
    double price; /* Of its licences on the cheapest host, by memory. */
};

/* What needs a scarce licence, packed by itself. */
struct cover_set {
    uint32_t licence, region; /* 'licence': of the pricing. */
    uint32_t *item, n_items;
    struct dcp_scarce_packing packing;
};

struct covers {
    struct search *x;
    uint32_t n_licences; /* Of the pricing that count here, */
    uint32_t licence[DCP_COVER_LICENCES_MAX];
    uint32_t slot[DCP_COVER_SLOTS], n_slots;
    uint32_t n_types, n_covers, n_kinds, n_resources;
    uint32_t cover[DCP_COVERS_MAX];
    struct cover_kind kind[DCP_COVER_KINDS_MAX];
    uint32_t example[DCP_COVER_TYPES_MAX]; /* A host of each type. */
    uint32_t *needs;                       /* By item: its cover. */
    uint32_t *kind_of;                     /* By item. */
    uint32_t *covered;                     /* By host: what it is covered by. */
    uint8_t *chosen;                       /* By host. */
    double *mhz;                           /* [kind * n_slots + slot] */
    double fill_frac;              /* How full hosts are planned to be. */
    uint32_t *items;               /* Scratch: those that were taken off. */
    struct dcp_ranked_host *ranks; /* Scratch. */
    struct cover_set set[DCP_COVER_SETS_MAX]; /* No item is in two. */
    uint32_t n_sets;
    double *n_hosts; /* [(region * n_types + type) * n_covers + L]:
                      * the program's answer. */
};

/* Finds covers, kinds and the rest of what the program is about; *out_ready
 * false: licences do not count, or there are too many of something. */
bool dcp_covers_prepare(struct covers *, bool *out_ready,
                        struct dcp_error *err) DCP_CHECKED;
/* Solves it in a worker; *out_solved: 'n_hosts' is what it wants. */
bool dcp_covers_solve(struct covers *, bool *out_solved,
                      struct dcp_error *err) DCP_CHECKED;
/* What a host pays for a cover. */
double dcp_covers_price(const struct covers *, uint32_t host, uint32_t cover);
/* Place in 'n_hosts'. */
size_t dcp_covers_quota(const struct covers *, uint32_t region, uint32_t type,
                        uint32_t cover);

/* solver/search/covers_scarce.c.  Packs the items of scarce licences on hosts
 * of their own, licence by licence and region by region, the dearest first;
 * sets are those where that was done. */
bool dcp_covers_pack_sets(struct covers *, struct dcp_error *err) DCP_CHECKED;
void dcp_covers_drop_sets(struct covers *);
/* Whose hosts have the cover, in the region; NULL: of none, so any may. */
const struct cover_set *
dcp_covers_set_of(const struct covers *, uint32_t region, uint32_t cover);
uint32_t dcp_covers_set_hosts(const struct covers *, const struct cover_set *,
                              uint32_t type);
/* Gives the hosts of the sets their covers, out of 'n_hosts'. */
void dcp_covers_cover_sets(struct covers *);
bool dcp_covers_is_set_host(const struct covers *, uint32_t host);
/* Places the items of the sets on their hosts, where the state allows that. */
void dcp_covers_place_sets(struct covers *);

#endif /* solver/search/covers.h */
