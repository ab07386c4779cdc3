/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"
#include "solver/balance/balance.h"
#include "solver/balance/fill.h"
#include "tests/unit/run_suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_NODES     8u
#define MOST_INSTANCES 64u
/* The root of a variance that is zero but for rounding. */
#define NEAR 1e-7

struct world {
    struct dcp_balance_node nodes[MOST_NODES];
    struct dcp_balance_instance instances[MOST_INSTANCES];
    uint32_t tags[MOST_INSTANCES];
    uint32_t n_nodes, n_instances;
};

/* A random cluster; 'mirrored' 0: shared disks, 1: DRBD, 2: both. */
static void
make_world(struct world *w, uint64_t seed, uint32_t n_nodes,
           uint32_t n_instances, uint32_t mirrored, bool alike)
{
    struct dcp_rng r = dcp_rng_stream(seed, "world", mirrored);

    memset(w, 0, sizeof *w);
    w->n_nodes = n_nodes;
    w->n_instances = n_instances;
    for (uint32_t n = 0; n < n_nodes; n++) {
        uint64_t size = alike ? 2 : 1 + dcp_rng_below(&r, 3);

        w->nodes[n] = (struct dcp_balance_node){
            .total_mem_mib = 32768.0 * (double)size,
            .free_mem_mib = 32768.0 * (double)size - 1024,
            .total_disk_mib = 1e6,
            .free_disk_mib = 1e6,
            .cpus = 8.0 * (double)size,
            .used_vcpus = 1,
            .max_vcpus = 32.0 * (double)size,
            .max_spindles = 32,
            .offline = !alike && n > 3 && dcp_rng_below(&r, 6) == 0,
        };
    }
    for (uint32_t i = 0; i < n_instances; i++) {
        struct dcp_balance_instance *v = &w->instances[i];
        bool drbd = mirrored == 1 || (mirrored == 2 && dcp_rng_below(&r, 2));

        w->tags[i] = (uint32_t)dcp_rng_below(&r, 3);
        *v = (struct dcp_balance_instance){
            .mem_mib = 1024.0 * (double)(1 + dcp_rng_below(&r, 4)),
            .disk_mib = 10240.0 * (double)(1 + dcp_rng_below(&r, 4)),
            .vcpus = (double)(1 + dcp_rng_below(&r, 3)),
            .spindles = 1,
            .primary = (uint32_t)(dcp_rng_below(&r, n_nodes) *
                                  dcp_rng_below(&r, n_nodes) / n_nodes),
            .secondary = DCP_IX_NONE,
            .mirrored = drbd,
            .local_disk = drbd,
            .movable = alike || dcp_rng_below(&r, 8) > 0,
            .uses_memory = alike || dcp_rng_below(&r, 8) > 0,
            .uses_vcpus = true,
            .reserves = drbd,
            .tags = &w->tags[i],
            .n_tags = dcp_rng_below(&r, 6) == 0,
        };
        if (drbd) {
            v->secondary =
                (v->primary + 1 + (uint32_t)dcp_rng_below(&r, n_nodes - 1)) %
                n_nodes;
        }
        struct dcp_balance_node *p = &w->nodes[v->primary];

        p->free_mem_mib -= v->uses_memory ? v->mem_mib : 0;
        p->reported_mem_mib -= v->uses_memory ? 0 : v->mem_mib;
        p->used_vcpus += v->vcpus;
        p->free_disk_mib -= drbd ? v->disk_mib : 0;
        p->used_spindles += drbd ? 1 : 0;
        if (drbd) {
            w->nodes[v->secondary].free_disk_mib -= v->disk_mib;
            w->nodes[v->secondary].used_spindles++;
        }
    }
    for (uint32_t n = 0; n < n_nodes; n++) {
        w->nodes[n].reported_mem_mib += w->nodes[n].free_mem_mib;
    }
}

static struct dcp_balance_cluster *
cluster_of(const struct world *w)
{
    struct dcp_balance_cluster *c = dcp_balance_create(
        w->nodes, w->n_nodes, w->instances, w->n_instances, 3, NULL);

    ck_assert_ptr_nonnull(c);
    return c;
}

START_TEST(running_sums_equal_a_recount)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world w;

        make_world(&w, seed, 3 + (uint32_t)(seed % 6), 20, (uint32_t)(seed % 3),
                   false);
        struct dcp_balance_cluster *c = cluster_of(&w);
        struct dcp_rng r = dcp_rng_stream(seed, "moves", 0);

        for (uint32_t k = 0; k < 200; k++) {
            struct dcp_balance_move m[2];
            uint32_t n = 1 + (uint32_t)dcp_rng_below(&r, 2);

            for (uint32_t j = 0; j < n; j++) {
                const struct dcp_balance_instance *v;

                m[j].instance = (uint32_t)(dcp_rng_below(&r, 10) + 10 * j);
                v = dcp_balance_instance(c, m[j].instance);
                m[j].primary = (uint32_t)dcp_rng_below(&r, w.n_nodes);
                m[j].secondary = v->secondary;
                if (v->secondary != DCP_IX_NONE) {
                    m[j].secondary =
                        (m[j].primary + 1 +
                         (uint32_t)dcp_rng_below(&r, w.n_nodes - 1)) %
                        w.n_nodes;
                }
            }
            double tried = dcp_balance_try(c, m, n);

            if (isfinite(tried)) {
                dcp_balance_do(c, m, n);
                ck_assert_double_eq_tol(tried, dcp_balance_score(c), NEAR);
            }
            if (k % 20 == 0) {
                ck_assert_double_eq_tol(dcp_balance_score(c),
                                        dcp_balance_recount(c), NEAR);
            }
        }
        dcp_balance_destroy(c);
    }
}
END_TEST

/* The best score of all placements that have room. */
static double
best_of_all(struct dcp_balance_cluster *c, uint32_t i, uint32_t steps)
{
    double best = dcp_balance_score(c);

    if (i == dcp_balance_n_instances(c)) {
        return best;
    }
    const struct dcp_balance_instance was = *dcp_balance_instance(c, i);

    best = best_of_all(c, i + 1, steps);
    for (uint32_t p = 0; p < dcp_balance_n_nodes(c) && was.movable; p++) {
        for (uint32_t s = 0; s < dcp_balance_n_nodes(c); s++) {
            const struct dcp_balance_move m = {
                i, p, was.secondary == DCP_IX_NONE ? DCP_IX_NONE : s
            };
            const struct dcp_balance_move back = { i, was.primary,
                                                   was.secondary };
            uint32_t cost = dcp_balance_steps(c, i, m.primary, m.secondary);

            if (cost == 0 || cost > steps || m.primary == m.secondary ||
                (m.secondary == DCP_IX_NONE && s > 0)) {
                continue;
            }
            dcp_balance_do(c, &m, 1);
            best = fmin(best, best_of_all(c, i + 1, steps - cost));
            dcp_balance_do(c, &back, 1);
        }
    }
    return best;
}

START_TEST(bound_answer_and_brute_force_agree)
{
    uint32_t n_met = 0, n = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        uint32_t mirrored = (uint32_t)(seed % 2);
        uint32_t limit = seed % 4 < 2 ? 2 : 0;
        struct world w;

        make_world(&w, seed, 3, mirrored ? 4 : 6, mirrored, seed % 3 > 0);
        struct dcp_balance_cluster *c = cluster_of(&w);
        double best = best_of_all(c, 0, limit ? limit : 100);
        double bound = dcp_balance_bound(c, limit);
        const struct dcp_balance_options o = { .seed = 1,
                                               .max_steps = limit,
                                               .trials = 20000 };
        struct dcp_balance_result r;

        ck_assert_msg(bound <= best + NEAR, "seed %d: bound %f, best %f",
                      (int)seed, bound, best);
        ck_assert(dcp_balance_run(c, &o, &r, NULL));
        ck_assert_double_le(best, r.after + NEAR);
        ck_assert_double_le(r.after, r.before + NEAR);
        ck_assert_double_eq_tol(r.after, dcp_balance_recount(c), NEAR);
        ck_assert_double_eq(r.lower_bound, bound);
        n_met += r.after <= best + NEAR;
        n++;
        dcp_balance_result_finish(&r);
        dcp_balance_destroy(c);
    }
    /* Heuristic, but these are tiny. */
    ck_assert_msg(n_met * 10 >= n * 9, "%u of %u", n_met, n);
}
END_TEST

START_TEST(steps_lead_to_the_answer)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct world w;

        make_world(&w, seed, 8, 24, (uint32_t)(seed % 3), seed % 2 > 0);
        struct dcp_balance_cluster *c = cluster_of(&w), *d = cluster_of(&w);
        const struct dcp_balance_options o = { .seed = seed,
                                               .max_steps = seed % 4 ? 5 : 0,
                                               .trials = 30000 };
        struct dcp_balance_result r, again;

        ck_assert(dcp_balance_run(c, &o, &r, NULL));
        ck_assert(o.max_steps == 0 || r.n_steps <= o.max_steps);
        for (uint32_t k = 0; k < r.n_steps; k++) {
            const struct dcp_balance_move m = { r.steps[k].instance,
                                                r.steps[k].primary,
                                                r.steps[k].secondary };

            ck_assert(dcp_balance_is_step(d, &m));
            dcp_balance_do(d, &m, 1);
        }
        ck_assert_double_eq_tol(dcp_balance_score(d), r.after, NEAR);
        dcp_balance_destroy(d);
        d = cluster_of(&w);
        ck_assert(dcp_balance_run(d, &o, &again, NULL));
        ck_assert_double_eq(again.after, r.after);
        ck_assert_uint_eq(again.n_steps, r.n_steps);
        ck_assert_mem_eq(again.steps, r.steps, r.n_steps * sizeof *r.steps);
        dcp_balance_result_finish(&r);
        dcp_balance_result_finish(&again);
        dcp_balance_destroy(c);
        dcp_balance_destroy(d);
    }
}
END_TEST

/* Adds one instance; its nodes must keep what hspace asks of them. */
static bool
add_one(struct world *w, const struct dcp_balance_spec *spec, uint32_t p,
        uint32_t s)
{
    struct dcp_balance_node *a = &w->nodes[p];
    struct dcp_balance_node *b = s == DCP_IX_NONE ? NULL : &w->nodes[s];

    a->free_mem_mib -= spec->mem_mib;
    a->reported_mem_mib -= spec->mem_mib;
    a->free_disk_mib -= spec->local_disk ? spec->disk_mib : 0;
    a->used_vcpus += spec->vcpus;
    a->used_spindles += spec->local_disk;
    if (b) {
        b->free_disk_mib -= spec->disk_mib;
        b->used_spindles++;
    }
    w->instances[w->n_instances++] = (struct dcp_balance_instance){
        .mem_mib = spec->mem_mib,
        .disk_mib = spec->disk_mib,
        .vcpus = spec->vcpus,
        .spindles = 1,
        .primary = p,
        .secondary = s,
        .mirrored = spec->mirrored,
        .local_disk = spec->local_disk,
        .uses_memory = true,
        .uses_vcpus = true,
        .reserves = spec->mirrored,
    };
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        for (uint32_t peer = 0; peer < w->n_nodes; peer++) {
            double promised = 0;

            for (uint32_t i = 0; i < w->n_instances; i++) {
                const struct dcp_balance_instance *v = &w->instances[i];

                promised +=
                    v->reserves && v->secondary == n && v->primary == peer
                        ? v->mem_mib
                        : 0;
            }
            if ((n == p || n == s) && w->nodes[n].free_mem_mib <= promised) {
                return false;
            }
        }
    }
    return p != s && !a->offline && !(b && b->offline) &&
           a->used_vcpus <= a->max_vcpus &&
           a->used_spindles <= a->max_spindles &&
           (!spec->local_disk || a->free_disk_mib > 0) &&
           (!b ||
            (b->free_disk_mib > 0 && b->used_spindles <= b->max_spindles));
}

START_TEST(filling_is_legal_and_more_than_greedy)
{
    uint32_t n_optimal = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        const struct dcp_balance_spec spec = {
            .mem_mib = 8192,
            .disk_mib = 20480.0 * (double)(1 + 3 * (seed % 3)),
            .vcpus = 2,
            .spindles = 1,
            .mirrored = seed % 2,
            .local_disk = true
        };
        struct world w, greedy;
        struct dcp_balance_filling f;
        uint32_t n_greedy = 0;

        make_world(&w, seed, 4, 6, 1, seed % 4 > 0);
        greedy = w;
        struct dcp_balance_cluster *c = cluster_of(&w);

        ck_assert(dcp_balance_fill(c, &spec, &f, NULL));
        ck_assert_uint_le(f.n, f.upper_bound);
        n_optimal += f.n == f.upper_bound;
        for (uint32_t k = 0; k < f.n && w.n_instances < MOST_INSTANCES; k++) {
            ck_assert_msg(add_one(&w, &spec, f.primary[k], f.secondary[k]),
                          "seed %d: instance %u of %u", (int)seed, k, f.n);
        }
        for (uint32_t k = 0; k < 16 && greedy.n_instances < MOST_INSTANCES;
             k++) {
            struct world next = greedy;
            uint32_t p = k / 4, s = spec.mirrored ? k % 4 : DCP_IX_NONE;

            if (add_one(&next, &spec, p, s)) {
                greedy = next;
                n_greedy++;
                k--;
            }
        }
        ck_assert_msg(f.n >= n_greedy || !spec.mirrored,
                      "seed %d: %u, greedy %u", (int)seed, f.n, n_greedy);
        dcp_balance_filling_finish(&f);
        dcp_balance_destroy(c);
    }
    ck_assert_uint_gt(n_optimal, 0);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &running_sums_equal_a_recount,
        &bound_answer_and_brute_force_agree,
        &steps_lead_to_the_answer,
        &filling_is_legal_and_more_than_greedy,
    };

    return RUN_TESTS("balance", tests);
}
