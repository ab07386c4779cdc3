/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_FAILURE_FAILURE_H
#define DCP_SIM_FAILURE_FAILURE_H 1

/* When things break and are mended: hosts by themselves, and common causes that
 * take down all hosts of a rack, feed, switch, room or site at once.  Pure: it
 * knows times only, not VMs (sim/failure/restart.h).
 *
 * Each object is an alternating renewal process: up for a time drawn from one
 * law, down for a time drawn from another, and so on.  Its random stream is
 * named by the seed, the kind of object and the object's name, so host h17
 * fails at the same times whatever else is added, removed or planned: variants
 * with one seed are compared under common random numbers.  Draw k of a stream
 * is used for one thing only.
 *
 * Warm-up: a process starts fresh 20 mean cycles before the window, so that a
 * window sees it nearly stationary; with laws of heavy tails only nearly.
 *
 * A host is down while it is down itself, or its rack, room or site is, or all
 * feeds of its rack, or all switches that its ports lead to (A and B feeds are
 * redundant).  Links between switches are not followed.
 *
 * Text form, comma-separated:
 *   PRESET                     hosts by a published fit, see below
 *   PRESET:exp                 its exponential fit instead of the Weibull one
 *   KIND=BETWEEN/REPAIR        host, rack, feed, switch, room, site
 *   crews=N                    at most N hosts are mended at one time, first
 *                              come, first served; default: no limit
 * A law is TIME (exponential with that mean), weibull:SHAPE:SCALE,
 * lognormal:SIGMA:MEDIAN or fixed:TIME.
 *   lanl05,rack=365d/4h,crews=2
 *   host=weibull:0.7:800h/lognormal:1.2:3h
 *
 * Presets are fits of traces of the Failure Trace Archive as OpenDC ships them
 * (time between failures and length of a failure, in hours); what they were
 * measured on differs widely from one hardened datacenter: lanl05 is nearest.
 */

#include "model/base/rng.h"
#include "model/inventory.h"

/* --- Laws --------------------------------------------------------------- */

enum dcp_law_kind {
    DCP_LAW_EXPONENTIAL, /* 'scale_h' is the mean. */
    DCP_LAW_WEIBULL,
    DCP_LAW_LOGNORMAL, /* 'scale_h' is the median, 'shape' is sigma. */
    DCP_LAW_FIXED,
};
struct dcp_law {
    enum dcp_law_kind kind;
    double shape, scale_h;
};

double dcp_law_mean_h(const struct dcp_law *);
/* By inversion: one uniform each; lognormal by the polar method. */
double dcp_law_draw_h(const struct dcp_law *, struct dcp_rng *);

/* --- What fails how ----------------------------------------------------- */

struct dcp_failure_process {
    bool on;
    struct dcp_law between, repair;
};
struct dcp_failure_spec {
    /* FEED and SWITCH mean one feed, one switch here. */
    struct dcp_failure_process of[DCP_DOMAINS];
    uint32_t crews; /* Of hosts; 0: no limit. */
    /* What is down at the window's start counts as up until it fails next: the
     * placement at the start says that its hosts run. */
    bool all_up_at_start;
};

struct dcp_failure_preset {
    const char *name;
    double exponential_h[2]; /* Means: between, length. */
    double between[2];       /* Weibull shape, scale. */
    double length[2];
    const char *about;
};
const struct dcp_failure_preset *dcp_failure_presets(uint32_t *out_n);

bool dcp_failure_spec_parse(const char *text, struct dcp_failure_spec *out,
                            struct dcp_error *err) DCP_CHECKED;

/* --- Outages ------------------------------------------------------------ */

struct dcp_outage {
    int64_t from_ms, until_ms; /* INT64_MAX: not mended within sight. */
    enum dcp_domain of;
    uint32_t ix; /* In the inventory's table of that kind. */
};
struct dcp_outages {         /* Ascending by start, then kind, then index. */
    struct dcp_outage *list; /* Owned. */
    uint32_t n, capacity;
};

/* How many objects of a kind there are, the name of one, and the one of that
 * name (UINT32_MAX: none). */
uint32_t dcp_failure_n_objects(const struct dcp_inventory *, enum dcp_domain);
const char *dcp_failure_object_name(const struct dcp_inventory *,
                                    enum dcp_domain, uint32_t ix);
uint32_t dcp_failure_find(const struct dcp_inventory *, enum dcp_domain,
                          const char *name);
/* "rack:R3"; DCP_E_NOT_FOUND with what there is instead. */
bool dcp_failure_parse_object(const struct dcp_inventory *, const char *text,
                              enum dcp_domain *out_of, uint32_t *out_ix,
                              struct dcp_error *err) DCP_CHECKED;

/* All outages that touch [from_ms, to_ms), cut at from_ms; 'out' starts empty
 * or has what was added by hand.  Ends are not cut. */
bool
dcp_failure_generate(const struct dcp_inventory *,
                     const struct dcp_failure_spec *, uint64_t seed,
                     int64_t from_ms, int64_t to_ms, struct dcp_outages *out,
                     struct dcp_error *err) DCP_CHECKED;
/* Keeps the order. */
bool dcp_outages_add(struct dcp_outages *, struct dcp_outage,
                     struct dcp_error *err) DCP_CHECKED;
void dcp_outages_finish(struct dcp_outages *);

/* What outages of all kinds mean for hosts: outages of hosts only, which do not
 * overlap for one host.  'cause', if given, becomes an array (owned by the
 * caller, free()) with the position in 'all' of the outage that began each. */
bool
dcp_outages_of_hosts(const struct dcp_inventory *,
                     const struct dcp_outages *all, struct dcp_outages *out,
                     uint32_t **cause, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/failure/failure.h */
