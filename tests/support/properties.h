/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_SUPPORT_PROPERTIES_H
#define DCP_TESTS_SUPPORT_PROPERTIES_H 1

/* A property, tried on many random samples.
 *
 * A sample is a seed and three sizes, from which a model follows and nothing
 * else.  When the property fails, the sizes are halved while it still does,
 * and the smallest sample is printed.
 * DCP_PROP_SEED=n tries that seed only; DCP_PROP_FROM=n as many as always, from
 * that one on. */

#include "tests/unit/run_suite.h"

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct sample {
    uint64_t seed;
    uint32_t n_hosts, n_vms, n_rules;
};

enum { WHY = 600 }; /* Room for what was seen. */

/* False: it does not hold, and 'why' says what was seen. */
typedef bool (*sample_property)(const struct sample *, char why[WHY]);
typedef struct sample (*sample_maker)(uint64_t seed);

/* How many of 'n' are tried or expected in this build.  An instrumented one is
 * many times slower and there to see wrong memory, not rare wrong answers: it
 * takes a quarter. */
static inline uint32_t
part_of(uint32_t n)
{
    return DCP_TEST_SLOWNESS > 1 ? n / 4 : n;
}

static inline struct sample
halved(struct sample s, uint32_t what)
{
    if (what == 0) {
        s.n_vms = s.n_vms > 1 ? s.n_vms / 2 : 1;
    } else if (what == 1) {
        s.n_rules /= 2;
    } else {
        s.n_hosts = s.n_hosts > 1 ? s.n_hosts / 2 : 1;
    }
    return s;
}

static inline void
shrink(struct sample *s, sample_property holds, char why[WHY])
{
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (uint32_t what = 0; what < 3; what++) {
            struct sample t = halved(*s, what);
            char text[WHY] = "";

            if (memcmp(&t, s, sizeof t) != 0 && !holds(&t, text)) {
                *s = t;
                memcpy(why, text, sizeof text);
                smaller = true;
            }
        }
    }
}

/* Fails the test at the first seed where the property does not hold. */
static inline void
try_samples(sample_maker make, sample_property holds, uint64_t n_seeds)
{
    const char *only = getenv("DCP_PROP_SEED"), *from = getenv("DCP_PROP_FROM");
    const char *text = only ? only : from;
    uint64_t first = text ? strtoull(text, NULL, 10) : 0;
    uint64_t end = first + (only ? 1 : n_seeds);

    for (uint64_t seed = first; seed < end; seed++) {
        struct sample s = make(seed);
        char why[WHY] = "";

        if (!holds(&s, why)) {
            shrink(&s, holds, why);
            ck_abort_msg("seed %llu, shrunk to %u hosts, %u VMs, %u rules: %s",
                         (unsigned long long)seed, s.n_hosts, s.n_vms,
                         s.n_rules, why);
        }
    }
}

#endif /* tests/support/properties.h */
