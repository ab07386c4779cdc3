/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/sweep_kernel.h"

#define INLINE static inline __attribute__((always_inline))

/* --- Loops -------------------------------------------------------------- */

/* Sum by halves, in an order that vectors keep: 288 = 9 x 2^5. */
INLINE double
fold(double a[restrict SWEEP_TIMES])
{
    double sum = 0;

    for (int n = SWEEP_TIMES / 2; n >= 9; n /= 2) {
        for (int t = 0; t < n; t++) {
            a[t] += a[t + n];
        }
    }
    for (int t = 0; t < 9; t++) {
        sum += a[t];
    }
    return sum;
}
_Static_assert(SWEEP_TIMES == 9 * 32, "what fold() halves");

INLINE void
add_bytes(const uint8_t *restrict cell, double scale, float factor,
          double *restrict mhz)
{
    for (int t = 0; t < SWEEP_TIMES; t++) {
        mhz[t] += (float)((int)cell[t] * scale) * factor;
    }
}

INLINE void
add_words(const uint16_t *restrict cell, double scale, float factor,
          double *restrict mhz)
{
    for (int t = 0; t < SWEEP_TIMES; t++) {
        mhz[t] += (float)((int)cell[t] * scale) * factor;
    }
}

INLINE void
add_floats(const float *restrict value, double *restrict mhz)
{
    for (int t = 0; t < SWEEP_TIMES; t++) {
        mhz[t] += value[t];
    }
}

INLINE double
dot(const double *restrict a, const double *restrict b)
{
    double product[SWEEP_TIMES];

    for (int t = 0; t < SWEEP_TIMES; t++) {
        product[t] = a[t] * b[t];
    }
    return fold(product);
}

/* As dcp_power_at(): straight between points, at most full load. */
INLINE struct sweep_host_sums
host(const double *restrict mhz, const double *restrict seconds,
     double capacity_mhz, double target_mhz, const struct sweep_power *power,
     double *restrict it_j, double *restrict demand_mhz_s,
     double *restrict over_s)
{
    const double last = DCP_POWER_POINTS - 1;
    struct sweep_host_sums sums = { 0 };
    double joules[SWEEP_TIMES], used[SWEEP_TIMES], demand[SWEEP_TIMES];
    int32_t above = 0, over = 0;

    for (int t = 0; t < SWEEP_TIMES; t++) {
        double load_frac = capacity_mhz > 0 ? mhz[t] / capacity_mhz : 0;
        double at = load_frac >= 1 ? last : load_frac * last;

        at = at > 0 ? at : 0;
        int i = (int)at;

        joules[t] = (power->w[i] + (at - i) * power->rise_w[i]) * seconds[t];
    }
    for (int t = 0; t < SWEEP_TIMES; t++) {
        double load = mhz[t], s = seconds[t];

        it_j[t] += joules[t];
        demand[t] = load * s;
        demand_mhz_s[t] += demand[t];
        used[t] = (load < capacity_mhz ? load : capacity_mhz) * s;
        over_s[t] += (load > capacity_mhz ? 1.0 : 0.0) * s;
        above += load > target_mhz;
        over += load > capacity_mhz;
    }
    sums.it_j = fold(joules);
    sums.used_mhz_s = fold(used);
    sums.demand_mhz_s = fold(demand);
    sums.n_above = (uint32_t)above;
    sums.n_overloaded = (uint32_t)over;
    return sums;
}

INLINE void
overload(const double *restrict mhz, const double *restrict seconds,
         double capacity_mhz, struct sweep_overload *restrict out)
{
    for (int t = 0; t < SWEEP_TIMES; t++) {
        double over = mhz[t] > capacity_mhz ? 1.0 : 0.0;
        double load = mhz[t] > capacity_mhz ? mhz[t] : 1.0;
        double share = over * (1 - capacity_mhz / load);

        out->over_s[t] = over * seconds[t];
        out->missed[t] = share;
        out->missed_s[t] = share * seconds[t];
    }
}

INLINE struct sweep_missed
missed(const double *restrict mhz, const struct sweep_overload *restrict o)
{
    double over_s[SWEEP_TIMES], unmet[SWEEP_TIMES], n[SWEEP_TIMES],
        share[SWEEP_TIMES];

    for (int t = 0; t < SWEEP_TIMES; t++) {
        double asks = mhz[t] > 0 ? 1.0 : 0.0;
        double over = o->over_s[t] > 0 ? 1.0 : 0.0;

        over_s[t] = asks * o->over_s[t];
        unmet[t] = mhz[t] * o->missed_s[t];
        n[t] = asks * over;
        share[t] = asks * o->missed[t];
    }
    return (struct sweep_missed){ fold(over_s), fold(unmet), fold(n),
                                  fold(share) };
}

/* --- The two compilations ----------------------------------------------- */

#define KERNEL(NAME, TARGET)                                                   \
    TARGET static void NAME##_add_bytes(const uint8_t cell[], double scale,    \
                                        float factor, double mhz[])            \
    {                                                                          \
        add_bytes(cell, scale, factor, mhz);                                   \
    }                                                                          \
    TARGET static void NAME##_add_words(const uint16_t cell[], double scale,   \
                                        float factor, double mhz[])            \
    {                                                                          \
        add_words(cell, scale, factor, mhz);                                   \
    }                                                                          \
    TARGET static void NAME##_add_floats(const float value[], double mhz[])    \
    {                                                                          \
        add_floats(value, mhz);                                                \
    }                                                                          \
    TARGET static double NAME##_dot(const double a[], const double b[])        \
    {                                                                          \
        return dot(a, b);                                                      \
    }                                                                          \
    TARGET static struct sweep_host_sums NAME##_host(                          \
        const double mhz[], const double seconds[], double capacity_mhz,       \
        double target_mhz, const struct sweep_power *power, double it_j[],     \
        double demand_mhz_s[], double over_s[])                                \
    {                                                                          \
        return host(mhz, seconds, capacity_mhz, target_mhz, power, it_j,       \
                    demand_mhz_s, over_s);                                     \
    }                                                                          \
    TARGET static void NAME##_overload(                                        \
        const double mhz[], const double seconds[], double capacity_mhz,       \
        struct sweep_overload *out)                                            \
    {                                                                          \
        overload(mhz, seconds, capacity_mhz, out);                             \
    }                                                                          \
    TARGET static struct sweep_missed NAME##_missed(                           \
        const double mhz[], const struct sweep_overload *o)                    \
    {                                                                          \
        return missed(mhz, o);                                                 \
    }                                                                          \
    static const struct sweep_kernel NAME##_kernel = {                         \
        NAME##_add_bytes, NAME##_add_words, NAME##_add_floats, NAME##_host,    \
        NAME##_overload,  NAME##_missed,    NAME##_dot,                        \
    };

KERNEL(any, )
#if defined(__x86_64__)
KERNEL(avx2, __attribute__((target("avx2"))))
#endif

const struct sweep_kernel *
dcp_sweep_kernel(bool portable)
{
#if defined(__x86_64__)
    if (!portable && __builtin_cpu_supports("avx2")) {
        return &avx2_kernel;
    }
#endif
    (void)portable;
    return &any_kernel;
}
