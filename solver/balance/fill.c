/* SPDX-License-Identifier: GPL-3.0-or-later */

/* 'runs' is how many new instances run on each node, 'flow' how many of those
 * that run on a peer have their second disk on a node. */

#include "solver/balance/fill.h"

#include "solver/balance/cluster_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000000.0 /* Of new instances on a node. */

struct fill {
    const struct dcp_balance_cluster *c;
    const struct dcp_balance_spec *spec;
    uint32_t n;                    /* Nodes. */
    uint32_t *most, *runs, *taken; /* By node. */
    uint32_t *disks;               /* That a node may take, of both roles. */
    uint32_t *flow;                /* [secondary][primary] */
    uint32_t *from, *queue;        /* Of the search for a path. */
};

/* The largest whole k >= 0 with k * each <= room (strict: below it). */
static uint32_t
times(double room, double each, bool strict)
{
    double k;

    if (each <= 0) {
        return (uint32_t)MOST;
    }
    k = strict ? ceil(room / each - 1e-9) - 1 : floor(room / each + 1e-9);
    return k <= 0 ? 0 : k >= MOST ? (uint32_t)MOST : (uint32_t)k;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void
set_limits(struct fill *f)
{
    const struct dcp_balance_cluster *c = f->c;

    for (uint32_t n = 0; n < f->n; n++) {
        uint32_t runs = 0, disks = 0;

        if (!c->nodes[n].offline) {
            disks = f->spec->local_disk
                        ? least(times(c->free_disk[n], f->spec->disk_mib, true),
                                times(c->free_spindles[n], f->spec->spindles,
                                      false))
                        : (uint32_t)MOST;
            runs = least(
                times(c->free_mem[n] - c->reserved[n], f->spec->mem_mib, true),
                times(c->free_vcpus[n], f->spec->vcpus, false));
        }
        f->disks[n] = disks;
        f->most[n] = f->runs[n] = least(runs, disks);
    }
}

/* Second disks of instances of 'p' that 's' may take beside its own. */
static uint32_t
capacity(const struct fill *f, uint32_t s, uint32_t p)
{
    const struct dcp_balance_cluster *c = f->c;
    double promised = c->reserves ? c->peers[(size_t)s * f->n + p] : 0;

    return s == p || c->nodes[s].offline
               ? 0
               : times(c->free_mem[s] - f->runs[s] * f->spec->mem_mib -
                           promised,
                       f->spec->mem_mib, true);
}

static uint32_t
room_for_disks(const struct fill *f, uint32_t s)
{
    uint32_t used = f->runs[s] + f->taken[s];

    return f->disks[s] > used ? f->disks[s] - used : 0;
}

/* One more instance of 'p' gets a second disk, others' going elsewhere where
 * that helps: a path from 'p' over secondaries that may take more of a primary
 * and primaries that may give one up.  'from' of nodes as secondaries is the
 * primary they were reached from, of primaries (n further on) the
 * secondary. */
static bool
augment(struct fill *f, uint32_t p)
{
    uint32_t head = 0, tail = 0, n = f->n;

    memset(f->from, 0xff, 2 * (size_t)n * sizeof *f->from);
    f->queue[tail++] = p;
    f->from[n + p] = p;
    while (head < tail) {
        uint32_t at = f->queue[head++];

        for (uint32_t s = 0; s < n; s++) {
            if (f->from[s] != DCP_IX_NONE ||
                f->flow[(size_t)s * n + at] >= capacity(f, s, at)) {
                continue;
            }
            f->from[s] = at;
            if (room_for_disks(f, s) > 0) {
                f->taken[s]++;
                for (uint32_t k = s;;) {
                    uint32_t primary = f->from[k];

                    f->flow[(size_t)k * n + primary]++;
                    if (primary == p) {
                        return true;
                    }
                    k = f->from[n + primary];
                    f->flow[(size_t)k * n + primary]--;
                }
            }
            for (uint32_t q = 0; q < n; q++) {
                if (f->flow[(size_t)s * n + q] > 0 &&
                    f->from[n + q] == DCP_IX_NONE) {
                    f->from[n + q] = s;
                    f->queue[tail++] = q;
                }
            }
        }
    }
    return false;
}

/* Gives every new instance a second disk; how many have none. */
static uint32_t
route(struct fill *f)
{
    uint32_t left = 0;

    memset(f->flow, 0, (size_t)f->n * f->n * sizeof *f->flow);
    memset(f->taken, 0, f->n * sizeof *f->taken);
    for (uint32_t p = 0; p < f->n; p++) {
        uint32_t want = f->runs[p];

        for (uint32_t k = 1; k < f->n && want > 0; k++) {
            uint32_t s = (p + k) % f->n;
            uint32_t take =
                least(want, least(capacity(f, s, p), room_for_disks(f, s)));

            f->flow[(size_t)s * f->n + p] += take;
            f->taken[s] += take;
            want -= take;
        }
        while (want > 0 && augment(f, p)) {
            want--;
        }
        left += want;
    }
    return left;
}

/* Whether what runs on a node finds memory elsewhere when the node fails. */
static bool
survives(const struct fill *f, uint32_t lost, double *free_mib, double *items)
{
    const struct dcp_balance_cluster *c = f->c;
    uint32_t n_items = 0;

    for (uint32_t n = 0; n < f->n; n++) {
        free_mib[n] =
            c->nodes[n].offline || n == lost
                ? 0
                : c->free_mem[n] - f->runs[n] * f->spec->mem_mib -
                      (f->spec->mirrored
                           ? f->flow[(size_t)n * f->n + lost] * f->spec->mem_mib
                           : 0);
    }
    for (uint32_t i = 0; i < c->n_instances; i++) {
        const struct dcp_balance_instance *v = &c->instances[i];

        if (v->primary != lost || !v->uses_memory) {
            continue;
        }
        if (v->mirrored) {
            free_mib[v->secondary] -= v->mem_mib;
        } else {
            items[n_items++] = v->mem_mib;
        }
    }
    for (uint32_t k = 0; k < f->runs[lost] && !f->spec->mirrored; k++) {
        items[n_items++] = f->spec->mem_mib;
    }
    for (; n_items > 0; n_items--) { /* The largest, where it fits best. */
        uint32_t largest = 0, best = DCP_IX_NONE;

        for (uint32_t k = 1; k < n_items; k++) {
            largest = items[k] > items[largest] ? k : largest;
        }
        for (uint32_t n = 0; n < f->n; n++) {
            if (free_mib[n] > items[largest] &&
                (best == DCP_IX_NONE || free_mib[n] < free_mib[best])) {
                best = n;
            }
        }
        if (best == DCP_IX_NONE) {
            return false;
        }
        free_mib[best] -= items[largest];
        items[largest] = items[n_items - 1];
    }
    return true;
}

/* The node whose loss would not be survived, or none. */
static uint32_t
weak_node(const struct fill *f, double *free_mib, double *items)
{
    for (uint32_t n = 0; n < f->n; n++) {
        if (!f->c->nodes[n].offline && !survives(f, n, free_mib, items)) {
            return n;
        }
    }
    return DCP_IX_NONE;
}

static uint32_t
total(const uint32_t *of, uint32_t n)
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < n; k++) {
        sum += of[k];
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* Takes instances off the nodes that lack second disks most. */
static void
lower(struct fill *f, uint32_t excess)
{
    for (; excess > 0; excess--) {
        uint32_t worst = 0;
        int64_t most = INT64_MIN;

        for (uint32_t p = 0; p < f->n; p++) {
            int64_t lacks = f->runs[p];

            for (uint32_t s = 0; s < f->n; s++) {
                lacks -= f->flow[(size_t)s * f->n + p];
            }
            if (f->runs[p] > 0 && lacks > most) {
                worst = p;
                most = lacks;
            }
        }
        f->runs[worst] -= f->runs[worst] > 0;
    }
}

static void
fill_mirrored(struct fill *f)
{
    for (uint32_t left; (left = route(f)) > 0;) {
        lower(f, (left + 1) / 2);
    }
    for (uint32_t p = 0; p < f->n; p++) {
        while (f->runs[p] < f->most[p]) {
            f->runs[p]++;
            if (route(f) > 0) {
                f->runs[p]--;
                break;
            }
        }
    }
    (void)route(f);
}

static void
survive_all(struct fill *f, double *free_mib, double *items)
{
    for (uint32_t weak;
         total(f->runs, f->n) > 0 &&
         (weak = weak_node(f, free_mib, items)) != DCP_IX_NONE;) {
        uint32_t fullest = weak;

        for (uint32_t n = 0; n < f->n && f->runs[weak] == 0; n++) {
            fullest = f->runs[n] > f->runs[fullest] ? n : fullest;
        }
        f->runs[fullest]--;
        if (f->spec->mirrored) {
            (void)route(f);
        }
    }
}

static bool
write_out(const struct fill *f, struct dcp_balance_filling *out)
{
    uint32_t n = total(f->runs, f->n);

    out->primary = calloc(n + 1u, sizeof *out->primary);
    out->secondary = calloc(n + 1u, sizeof *out->secondary);
    if (!out->primary || !out->secondary) {
        return false;
    }
    for (uint32_t p = 0; p < f->n; p++) {
        for (uint32_t k = 0; k < f->runs[p] && !f->spec->mirrored; k++) {
            out->primary[out->n] = p;
            out->secondary[out->n++] = DCP_IX_NONE;
        }
        for (uint32_t s = 0; s < f->n && f->spec->mirrored; s++) {
            for (uint32_t k = 0; k < f->flow[(size_t)s * f->n + p]; k++) {
                out->primary[out->n] = p;
                out->secondary[out->n++] = s;
            }
        }
    }
    return true;
}

static bool
fill(struct fill *f, double *free_mib, double **items,
     struct dcp_balance_filling *out)
{
    size_t most;

    set_limits(f);
    out->upper_bound = total(f->most, f->n);
    if (f->spec->mirrored) {
        uint32_t disks = total(f->disks, f->n) / 2;

        out->upper_bound = least(out->upper_bound, disks);
        fill_mirrored(f);
    }
    most = (size_t)f->c->n_instances + total(f->runs, f->n) + 1;
    *items = calloc(most, sizeof **items);
    if (!*items) {
        return false;
    }
    for (uint32_t n = 0; n < f->n; n++) { /* hspace stops at such clusters. */
        if (!f->c->nodes[n].offline && f->c->free_mem[n] < f->c->reserved[n]) {
            memset(f->runs, 0, f->n * sizeof *f->runs);
            memset(f->flow, 0, (size_t)f->n * f->n * sizeof *f->flow);
            out->upper_bound = 0;
        }
    }
    survive_all(f, free_mib, *items);
    return write_out(f, out);
}

bool
dcp_balance_fill(const struct dcp_balance_cluster *c,
                 const struct dcp_balance_spec *spec,
                 struct dcp_balance_filling *out, struct dcp_error *err)
{
    size_t n = c->n_nodes;
    struct fill f = { .c = c,
                      .spec = spec,
                      .n = c->n_nodes,
                      .most = calloc(n, sizeof *f.most),
                      .runs = calloc(n, sizeof *f.runs),
                      .taken = calloc(n, sizeof *f.taken),
                      .disks = calloc(n, sizeof *f.disks),
                      .flow = calloc(n * n, sizeof *f.flow),
                      .from = calloc(2 * n, sizeof *f.from),
                      .queue = calloc(n, sizeof *f.queue) };
    double *free_mib = calloc(n, sizeof *free_mib), *items = NULL;

    *out = (struct dcp_balance_filling){ 0 };
    bool ok = f.most && f.runs && f.taken && f.disks && f.flow && f.from &&
              f.queue && free_mib && fill(&f, free_mib, &items, out);

    free(f.most);
    free(f.runs);
    free(f.taken);
    free(f.disks);
    free(f.flow);
    free(f.from);
    free(f.queue);
    free(free_mib);
    free(items);
    return ok ? true
              : dcp_fail(err, DCP_E_NOMEM, "no memory for %u nodes",
                         c->n_nodes);
}

void
dcp_balance_filling_finish(struct dcp_balance_filling *f)
{
    free(f->primary);
    free(f->secondary);
    *f = (struct dcp_balance_filling){ 0 };
}
