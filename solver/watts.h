/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_WATTS_H
#define DCP_SOLVER_WATTS_H 1

/* Watts of racks, of feeds and of rooms (whose cooling must take away what
 * their racks draw), kept up to date by each change of a host: O(slots x things
 * of its rack).
 *
 * A *thing* is a rack, feed or room with a limit that its hosts would break if
 * all drew the most they can; others are not watched.  A feed is judged as if
 * the other side were lost: it carries all of its racks, shared only with feeds
 * of its own side.  A host that is on draws what its power curve says of its
 * load (model/power.h), one that is off its standby watts.
 *
 * Sums are whole microwatts, so what is added and taken away again leaves
 * nothing behind; shares are rounded up.
 *
 * Two limits: what the model states, and the lax one, which is never below what
 * the thing drew at home (question.home): the end of a leg may be over the
 * stated limit only by what the plan's start was. */

#include "model/demand.h"
#include "model/placement.h"

struct dcp_watt_thing {
    enum dcp_watt_kind { DCP_WATTS_RACK, DCP_WATTS_FEED, DCP_WATTS_ROOM } kind;
    uint32_t ix;                   /* In the inventory. */
    int64_t stated_uw;             /* Its limit. */
    int64_t fixed_uw;              /* What servers, switches and arrays draw. */
    uint32_t first_host, end_host; /* Into dcp_watt_limits.host. */
};

struct dcp_watt_limits { /* Of a problem; immutable. */
    const struct dcp_inventory *inventory;
    struct dcp_watt_thing *thing;
    uint32_t n, n_slots;
    uint32_t *first;    /* [n_hosts + 1]: things of host h are */
    uint32_t *of_host;  /* of_host[first[h]..first[h + 1] - 1], of which it */
    uint32_t *share;    /* carries one in 'share' there. */
    uint32_t *host;     /* Hosts by thing. */
    uint32_t *full_mhz; /* CPU of a host at load 1. */
    int64_t *lax_uw;    /* [thing * n_slots + slot] */
};

/* In the arena; NULL in *out: nothing is so limited.  'home' is weighed at the
 * demand of slots first_slot .. first_slot + n_slots - 1. */
bool
dcp_watt_limits_make(const struct dcp_inventory *, const struct dcp_demand *,
                     uint32_t first_slot, uint32_t n_slots,
                     const struct dcp_placement *home, struct dcp_arena *,
                     const struct dcp_watt_limits **out,
                     struct dcp_error *err) DCP_CHECKED;

struct dcp_watts {                        /* Of a state. */
    const struct dcp_watt_limits *limits; /* Borrowed. */
    int64_t *host_uw;                     /* [host * n_slots + slot] */
    int64_t *sum_uw;                      /* [thing * n_slots + slot] */
    uint32_t n_over;                      /* Sums above the lax limit. */
    bool lax;                             /* Fit tests use the lax limits. */
};

/* All hosts off.  NULL: no memory. */
struct dcp_watts *dcp_watts_create(const struct dcp_watt_limits *);
void dcp_watts_destroy(struct dcp_watts *); /* NULL: nothing. */
void dcp_watts_assign(struct dcp_watts *to, const struct dcp_watts *from);

/* The host is on or off, with 'mhz' of load by slot. */
void
dcp_watts_set(struct dcp_watts *, uint32_t host, bool on, const uint32_t mhz[]);
/* The host is on at full load. */
void dcp_watts_set_full(struct dcp_watts *, uint32_t host);
/* Whether its things bear the host on with 'mhz' and 'more' by slot ('more'
 * NULL: at full load).  Of a thing over its limit only what draws more is
 * refused. */
bool dcp_watts_bear(const struct dcp_watts *, uint32_t host,
                    const uint32_t mhz[], const uint32_t *more);
/* Whether they bear the host, which is off, on without load. */
bool dcp_watts_bear_idle(const struct dcp_watts *, uint32_t host);
/* Whether they bear the host while it boots or shuts down. */
bool dcp_watts_bear_switch(const struct dcp_watts *, uint32_t host, bool on);

/* The slot in which the thing is furthest over its limit; UINT32_MAX: none. */
uint32_t
dcp_watts_worst_slot(const struct dcp_watts *, uint32_t thing, bool lax);
/* Whether any thing is over the stated limit. */
bool dcp_watts_any_over(const struct dcp_watts *);
/* What the host draws while it is on with that load. */
int64_t dcp_watts_of_host_uw(const struct dcp_watt_limits *, uint32_t host,
                             uint64_t mhz);

#endif /* solver/watts.h */
