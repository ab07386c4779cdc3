/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/rng.h"

#include <math.h>

static uint64_t
mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct dcp_rng
dcp_rng_stream(uint64_t seed, const char *label, uint64_t index)
{
    uint64_t h = mix(seed + UINT64_C(0x9e3779b97f4a7c15));

    for (const char *p = label; *p; p++) {
        h = mix(h ^ (unsigned char)*p) + UINT64_C(0x9e3779b97f4a7c15);
    }
    return (struct dcp_rng){ .key = mix(h ^ mix(index + 1)), .counter = 0 };
}

uint64_t
dcp_rng_u64(struct dcp_rng *rng)
{
    rng->counter++;
    return mix(rng->key + rng->counter * UINT64_C(0x9e3779b97f4a7c15));
}

uint64_t
dcp_rng_below(struct dcp_rng *rng, uint64_t bound)
{
    if (bound < 2) {
        return 0;
    }
    uint64_t reject_under = -bound % bound;

    for (;;) {
        uint64_t x = dcp_rng_u64(rng);

        if (x >= reject_under) {
            return x % bound;
        }
    }
}

double
dcp_rng_unit(struct dcp_rng *rng)
{
    return (double)(dcp_rng_u64(rng) >> 11) * 0x1.0p-53;
}

double
dcp_rng_normal(struct dcp_rng *rng)
{
    for (;;) {
        double u = 2 * dcp_rng_unit(rng) - 1;
        double v = 2 * dcp_rng_unit(rng) - 1;
        double s = u * u + v * v;

        if (s > 0 && s < 1) {
            return u * sqrt(-2 * log(s) / s);
        }
    }
}
