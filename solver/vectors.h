/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_VECTORS_H
#define DCP_SOLVER_VECTORS_H 1

/* Hot loops compiled twice, for any machine and for one with wide vectors;
 * which runs is seen at run time.  The result is the same: whole numbers, and
 * doubles in the order that is written (no fused or regrouped operations:
 * -ffp-contract=off, no -ffast-math). */

#define DCP_INLINE static inline __attribute__((always_inline))

/* Defines NAME(ARGS) that calls the always-inline BODY(CALL), compiled for
 * AVX2 where the machine has it; the result is the same. */
#if defined(__x86_64__)
#define DCP_FOR_VECTORS(TYPE, NAME, BODY, ARGS, CALL)                          \
    __attribute__((target("avx2,bmi,bmi2"))) static TYPE NAME##_avx2 ARGS      \
    {                                                                          \
        return BODY CALL;                                                      \
    }                                                                          \
    static TYPE NAME##_plain ARGS                                              \
    {                                                                          \
        return BODY CALL;                                                      \
    }                                                                          \
    static TYPE NAME ARGS                                                      \
    {                                                                          \
        return __builtin_cpu_supports("avx2") &&                               \
                       __builtin_cpu_supports("bmi2")                          \
                   ? NAME##_avx2 CALL                                          \
                   : NAME##_plain CALL;                                        \
    }
#else
#define DCP_FOR_VECTORS(TYPE, NAME, BODY, ARGS, CALL)                          \
    static TYPE NAME ARGS                                                      \
    {                                                                          \
        return BODY CALL;                                                      \
    }
#endif

#endif /* solver/vectors.h */
