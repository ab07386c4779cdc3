/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_PACK_H
#define DCP_SOLVER_PACK_PACK_H 1

/* Vector bin packing: item types with demands into bins of one or several
 * types, at least cost; each bin holds at most its capacity in every
 * dimension.  With one bin type and no costs the cost is the number of bins.
 * Asked this way, flavours x host classes is one such problem: item types are
 * VM classes, bin types are host classes with their price and their number.
 *
 * It answers two questions: a packing (dcp_pack_solve, anytime), and a proved
 * lower bound with a certificate in whole numbers (dcp_pack_bound) that
 * dcp_pack_certified() recomputes from the problem alone.
 *
 * Everything is whole numbers.  A size may be negative (an item that lends
 * room); most of the machinery is at its best where none is.
 *
 * Thread-safe: no state but the arguments; a problem is only read. */

#include "model/base/arena.h"

enum {
    DCP_PACK_MAX_DIMS = 64,
    DCP_PACK_MAX_TYPES = 1 << 20, /* Of items. */
    DCP_PACK_MAX_BIN_TYPES = 4096,
    DCP_PACK_MAX_SIZE = 1 << 28,  /* Of a size or a capacity, absolute. */
    DCP_PACK_MAX_ITEMS = 1 << 22, /* Sum of all demands. */
    DCP_PACK_MAX_COST = 1 << 20,  /* Of one bin. */
};

/* Borrowed columns; whoever asks keeps them while the call lasts. */
struct dcp_pack_problem {
    uint32_t n_dims, n_items, n_bins; /* Types of items, types of bins. */
    const int32_t *size;              /* [item * n_dims + dim] */
    const uint32_t *demand;           /* [item]; NULL: 1 each. */
    const int32_t *capacity;          /* [bin * n_dims + dim], at least 0. */
    const uint32_t *cost;             /* [bin], at least 1; NULL: 1 each. */
    const uint32_t *limit;  /* [bin] how many there are; UINT32_MAX: no end.
                             * NULL: no end of any. */
    const uint8_t *allowed; /* [bin * n_items + item] 0: never there; NULL:
                             * all go anywhere. */
};

/* Bins with what is in each; a type is repeated for each of its items. */
struct dcp_pack_packing {
    uint32_t n_bins;
    uint32_t *bin;   /* [n_bins] its type. */
    uint32_t *first; /* [n_bins + 1] where its items begin in 'item'. */
    uint32_t *item;  /* Item types. */
    uint64_t cost;
};
void dcp_pack_packing_finish(struct dcp_pack_packing *); /* Frees; clears. */

/* Recounts 'packing' from the problem: every demand met exactly, no bin over
 * its capacity, no limit exceeded.  Fills *out_cost. */
bool dcp_pack_verify(const struct dcp_pack_problem *,
                     const struct dcp_pack_packing *, uint64_t *out_cost,
                     struct dcp_error *err) DCP_CHECKED;

/* Why no packing costs less than 'bound'.  Item type i is worth price[i];
 * toll[b] >= 0 is paid for each bin of a type with a limit.  As no set of
 * items that fits a bin of type b is worth more than scale * cost[b] +
 * toll[b],
 *     scale * cost >= sum(price * demand) - sum(toll * limit)
 * for every packing (weak duality; the best such prices are the duals of
 * Gilmore & Gomory's linear program, Oper. Res. 9, 1961). */
struct dcp_pack_certificate {
    uint32_t n_items, n_bins;
    int64_t *price; /* [n_items] any sign. */
    int64_t *toll;  /* [n_bins] at least 0. */
    int64_t scale;  /* At least 1. */
    uint64_t bound;
};
void dcp_pack_certificate_finish(struct dcp_pack_certificate *);

/* The bound that the certificate's prices prove, by exact pricing in whole
 * numbers of every bin type, whatever its 'toll', 'scale' and 'bound' say; 0
 * where that needs over 'max_nodes' (0: no limit).  DCP_E_ARGUMENT: a price of
 * 2^31 or more, or another number of types. */
bool dcp_pack_certified(const struct dcp_pack_problem *,
                        const struct dcp_pack_certificate *, uint64_t max_nodes,
                        uint64_t *out_bound, struct dcp_error *err) DCP_CHECKED;

struct dcp_pack_options {
    double time_limit_s; /* 0: none; then give iterations. */
    uint64_t iterations; /* Rounds of column generation, and as many thousand
                          * steps of the search; 0: no limit.  Without a time
                          * limit same input, seed and iterations give the same
                          * answer on one thread or two. */
    uint64_t seed;
    uint32_t threads; /* 1 or 2; 0 is 1. */
    double gap_frac;  /* Stop when (cost - bound) / cost is at most this. */
};

enum dcp_pack_status {
    DCP_PACK_OPTIMAL, /* Proved. */
    DCP_PACK_FEASIBLE,
    DCP_PACK_INFEASIBLE, /* Proved: some item fits no bin, or there are not
                          * bins enough. */
    DCP_PACK_UNKNOWN,    /* No packing was found; that proves nothing. */
};

enum dcp_pack_bound_kind {
    DCP_PACK_BOUND_NONE,
    DCP_PACK_BOUND_SUM,       /* L1: one dimension's sum. */
    DCP_PACK_BOUND_DUAL,      /* A dual-feasible function (L2 is one). */
    DCP_PACK_BOUND_PAIRS,     /* Items that share no bin. */
    DCP_PACK_BOUND_COLUMNS,   /* Column generation. */
    DCP_PACK_BOUND_EXHAUSTED, /* Every pattern that could do better was
                               * tried. */
};

struct dcp_pack_answer {
    enum dcp_pack_status status;
    struct dcp_pack_packing packing; /* n_bins 0 where there is none. */
    uint64_t bound;                  /* No packing costs less. */
    enum dcp_pack_bound_kind bound_kind;
    bool columns_done;      /* Column generation ran to its end. */
    double columns_value;   /* Its last linear program; of information only. */
    uint64_t rounds, steps; /* Of column generation, of the search. */
};
void dcp_pack_answer_finish(struct dcp_pack_answer *);

/* False only for bad arguments and lack of memory. */
bool
dcp_pack_solve(const struct dcp_pack_problem *, const struct dcp_pack_options *,
               struct dcp_pack_answer *out, struct dcp_error *err) DCP_CHECKED;

/* A bound alone: the cheap ones, then column generation until it converges or
 * a limit is reached.  'certificate' may be NULL; it is filled where column
 * generation gave a bound (its own, which may be under the answer's), else
 * its 'bound' is 0.  Fills *out_bound and *out_kind. */
bool
dcp_pack_bound(const struct dcp_pack_problem *, const struct dcp_pack_options *,
               uint64_t *out_bound, enum dcp_pack_bound_kind *out_kind,
               struct dcp_pack_certificate *certificate,
               struct dcp_error *err) DCP_CHECKED;

/* A packing in milliseconds: constructions only.  False also where none was
 * found (DCP_E_LIMIT). */
bool dcp_pack_construct(const struct dcp_pack_problem *,
                        struct dcp_pack_packing *out,
                        struct dcp_error *err) DCP_CHECKED;

#endif /* solver/pack/pack.h */
