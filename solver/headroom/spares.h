/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_HEADROOM_SPARES_H
#define DCP_SOLVER_HEADROOM_SPARES_H 1

/* Woken hosts without VMs, in the place of hosts that never boot.
 *
 * The items of a host are cut into *parcels*: one where a spare can take all
 * of them, several where none is large enough or reached by all.  A spare
 * takes one parcel and nothing else.  What rules over hosts say of the whole
 * then stays what it was, whoever else stands in for whatever else: company on
 * a host is only ever parted.  (VMs that a gather rule ties are one item.)  Of
 * rules over larger places the spare must be in the same one as the host.
 *
 * *How many.*  Let any f woken hosts fail, spares among them, and look at the
 * spares A that can take one parcel of theirs.  A spare that fails takes itself
 * from A; another host takes one for each of its parcels that some spare of A
 * can take.  The f largest of these numbers add up to K, so K spares in A are
 * enough whatever happens to the others, in whatever order: K - 1 are gone at
 * most.  f and K grow with the spares that are woken; both are brought to a
 * fixed point.
 *
 * A heuristic: parcels by first fit, largest item first; spares by how many
 * parcels that lack some each serves.  What it finds holds.
 *
 * Spares that are alike in limits and reach are one *class*, so counting is by
 * class: O(parcels * classes), not hosts.  Not thread-safe; uses the state, and
 * leaves it as it was but for the power of hosts that it wakes. */

#include "solver/state.h"

struct dcp_parcel {
    uint32_t host;
    uint32_t first, n_items; /* In dcp_spares.items. */
    uint32_t n_able;         /* Spares awake that can take it. */
    uint32_t enough;         /* K. */
    bool bound; /* Some rule asks where the spare is: not by class alone. */
};

struct dcp_spares {
    struct dcp_state *s;
    uint32_t n_cells;

    /* Spares that are awake, then those that may be woken, cheapest for their
     * room first. */
    uint32_t n;
    uint32_t *host, *class_of;
    uint8_t *awake;
    uint32_t n_classes, words; /* Of a set of classes, as bits. */
    uint32_t *kind;            /* By class: limits alike. */
    uint32_t *first_of_class;  /* Position of its first host. */
    uint32_t *n_awake, *n_all; /* By class. */
    uint32_t n_kinds;
    uint32_t *kind_host; /* A host of each kind. */
    uint64_t *reach;     /* By reach class: classes of spares. */
    uint32_t n_awake_sum;
    uint32_t n_others; /* Woken hosts that are no spares. */
    uint32_t f;        /* That 'enough' is for. */

    struct dcp_parcel *parcels;
    uint32_t n_parcels;
    uint64_t *classes; /* [parcel * words]: which can take it. */
    uint32_t *cells;   /* [parcel * n_cells]: what it brings. */
    uint32_t *items;   /* Of all parcels. */
    uint32_t n_items;
    uint32_t parcels_capacity;
    uint8_t *lacks; /* By host: has too few spares. */
    uint32_t n_lacking;
};

/* 'is_woken' by host: what the morning wakes now; 'night' says what is on
 * before it; 'watts' what racks, feeds and rooms draw besides at most (NULL:
 * watts do not count). */
struct dcp_spares *
dcp_spares_create(struct dcp_state *, const uint8_t *is_woken,
                  const struct dcp_placement *night,
                  const struct dcp_watts *watts, struct dcp_error *err) DCP_CHECKED;
void dcp_spares_destroy(struct dcp_spares *);
DCP_DEFINE_AUTO(dcp_spares)

/* Cuts the hosts of 'pool' into parcels with spares enough, and wakes what that
 * takes (may_wake).  n_others: woken hosts that are no spares.  With n_lacking
 * the hosts with 'lacks' have too few, and spares are awake as before. */
bool dcp_spares_cover(struct dcp_spares *, const uint32_t *pool,
                      uint32_t n_pool, uint32_t n_others, bool may_wake,
                      struct dcp_error *err) DCP_CHECKED;
/* Which hosts of the pool to wake so that few spares serve many of them: sets of
 * hosts that the same classes can stand in for, of which there are as many as
 * may fail (solver/headroom/spares_group.c).  A spare serves all of a set, but
 * each set needs as many as may fail of all woken hosts, so a set counts only
 * where it is several times as large.  Greedy: classes by how many hosts they
 * serve, hosts that one does not serve drop out.  'n_others' as for covering;
 * marks hosts in 'in_group', cleared by the caller. */
bool
dcp_spares_group(struct dcp_spares *, const uint32_t *pool, uint32_t n_pool,
                 uint32_t n_others, uint8_t *in_group,
                 struct dcp_error *err) DCP_CHECKED;
/* Spares are awake as in 'was_awake', by position, again. */
void dcp_spares_sleep(struct dcp_spares *, const uint8_t *was_awake);

/* Hosts that could take the parcel, awake or not. */
uint32_t dcp_spares_supply(const struct dcp_spares *, uint32_t parcel);
/* By item of a parcel: a spare that can take it, no two parcels of one host
 * the same; other items are left alone. */
void dcp_spares_name(const struct dcp_spares *, uint32_t *spare_of_item);

#endif /* solver/headroom/spares.h */
