/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_PACKING_FUZZ_H
#define DCP_TESTS_PACKING_FUZZ_H 1

/* One fuzzed text as a packing benchmark: refused with a message, or, where it
 * is small, packed; what is said of it must be consistent. */

#include "bench/suite/read_vbp.h"

#include <stdlib.h>

static inline void
fuzz_packing(bool (*read)(const char *, const char *, size_t,
                          struct dcp_bench_packing *, struct dcp_error *),
             const uint8_t *data, size_t size)
{
    struct dcp_bench_packing b;
    struct dcp_pack_answer a;
    struct dcp_error err = { 0 };
    struct dcp_pack_options o = { .iterations = 2,
                                  .seed = 1,
                                  .time_limit_s = 0.05 };
    uint64_t cost;

    if (!read("fuzz", (const char *)data, size, &b, &err)) {
        if (!err.message[0] || err.code == DCP_E_BUG) {
            abort();
        }
        return;
    }
    if (b.n_items <= 200 && b.problem.n_items <= 200) {
        if (dcp_pack_solve(&b.problem, &o, &a, &err)) {
            if (a.status <= DCP_PACK_FEASIBLE &&
                (!dcp_pack_verify(&b.problem, &a.packing, &cost, &err) ||
                 cost != a.packing.cost || cost < a.bound)) {
                abort();
            }
            dcp_pack_answer_finish(&a);
        } else if (err.code != DCP_E_ARGUMENT && err.code != DCP_E_NOMEM) {
            abort();
        }
    }
    dcp_bench_packing_finish(&b);
}

#endif /* tests/fuzz/packing_fuzz.h */
