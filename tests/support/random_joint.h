/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_RANDOM_JOINT_H
#define DCP_TESTS_SUPPORT_RANDOM_JOINT_H 1

/* A joint history for a random model: VMs in two camps that are busy at
 * different moments, so that what they want together is often much less than
 * the sum of what each may want. */

#include "tests/support/random_model.h"

enum { JOINT_SAMPLES = 20 };

static inline void
random_joint(struct world *w, uint64_t seed)
{
    struct dcp_rng all = dcp_rng_stream(seed, "joint", 0);
    struct dcp_demand *d = &w->demand;
    uint32_t first[RANDOM_SLOTS], count[RANDOM_SLOTS], n = 0, *rows;
    struct dcp_error err = { 0 };

    w->inv->policy.overload = true;
    w->inv->policy.overload_eps_frac = 0.1 * draw(&all, 4);
    w->inv->policy.overload_to_target = chance(&all, 30);
    for (uint32_t t = 0; t < d->n_slots; t++) {
        first[t] = n;
        count[t] = 1 + draw(&all, JOINT_SAMPLES);
        n += count[t];
    }
    d->arena = w->inv->arena;
    ck_assert(dcp_scenarios_attach(d, first, count, n, &rows, &err));
    d->arena = NULL;
    for (uint32_t v = 0; v < d->n_vms; v++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "joint-vm", v);
        uint32_t *row = rows + (size_t)v * d->scenarios->stride;

        for (uint32_t t = 0; t < d->n_slots; t++) {
            uint32_t *mhz = &w->cpu_mhz[(size_t)v * d->stride + t];

            for (uint32_t k = 0; k < count[t]; k++) {
                uint32_t most = k % 2 == v % 2 ? 2 * *mhz : *mhz / 2;

                row[first[t] + k] = draw(&rng, most + 1);
            }
        }
        dcp_scenarios_means(d->scenarios, d->n_slots, row,
                            w->cpu_mhz + (size_t)v * d->stride);
    }
}

/* Two VMs change places in the table. */
static inline void
random_joint_swap(const struct world *w, uint32_t a, uint32_t b)
{
    const struct dcp_scenarios *s = w->demand.scenarios;
    uint32_t *rows = s ? (uint32_t *)(size_t)s->cpu_mhz : NULL;

    for (uint32_t k = 0; s && k < s->n; k++) {
        uint32_t mhz = rows[(size_t)a * s->stride + k];

        rows[(size_t)a * s->stride + k] = rows[(size_t)b * s->stride + k];
        rows[(size_t)b * s->stride + k] = mhz;
    }
}

/* How many of a slot's samples are above the host's limit, counted anew. */
static inline uint32_t
joint_above(const struct world *w, const dcp_host_id *host, uint32_t h,
            uint32_t slot, bool after_loss)
{
    const struct dcp_scenarios *s = w->demand.scenarios;
    uint32_t n = 0, limit = dcp_scenarios_limit_mhz(w->inv, (dcp_host_id){ h },
                                                    after_loss);

    for (uint32_t k = 0; k < s->count[slot]; k++) {
        uint64_t sum = 0;

        for (uint32_t v = 0; v < w->demand.n_vms; v++) {
            if (host[v].ix == h) {
                sum += s->cpu_mhz[(size_t)v * s->stride + s->first[slot] + k];
            }
        }
        n += sum > limit;
    }
    return n;
}

/* Whether one host keeps policy.overload. */
static inline bool
joint_holds(const struct world *w, const dcp_host_id *host, uint32_t h,
            bool after_loss)
{
    const struct dcp_scenarios *s = w->demand.scenarios;
    bool ok = true;

    for (uint32_t t = 0; s && t < w->demand.n_slots; t++) {
        ok = ok && joint_above(w, host, h, t, after_loss) <=
                       dcp_scenarios_allowed(&w->inv->policy, s->count[t]);
    }
    return ok;
}

#endif /* tests/support/random_joint.h */
