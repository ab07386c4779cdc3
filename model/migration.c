/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/migration.h"

#include "model/inventory.h"

#include <math.h>

/* QEMU's defaults of throttle-trigger-threshold, cpu-throttle-initial,
 * cpu-throttle-increment and max-cpu-throttle, as shares. */
#define TRIGGER_FRAC      0.5
#define FIRST_THROTTLE    0.2
#define THROTTLE_STEP     0.1
#define MOST_THROTTLE     0.99
#define HIGH_PERIODS      2
#define LEAST_PERIOD_S    1.0
#define LEAST_TIMEOUT_GIB 2.0

#define TEN_GBIT_KIB_S      1220703.0 /* 10^10 / 8 / 1024. */
#define ASSUMED_DIRTY_MIB_S 10.0      /* Per vCPU. */

struct dcp_precopy
dcp_precopy_of(const struct dcp_inventory *inv, uint32_t vm)
{
    const struct dcp_vm *v = &inv->vms[vm];

    return (struct dcp_precopy){
        .mem_mib = (double)v->mem_mib,
        .dirty_mib_s = v->dirty_kib_s ? (double)v->dirty_kib_s / 1024
                                      : ASSUMED_DIRTY_MIB_S * v->vcpus,
        .working_set_mib = (double)v->working_set_mib,
        .rules = inv->policy.precopy,
    };
}

void
dcp_precopy_begin(struct dcp_precopy_run *run, const struct dcp_precopy *p)
{
    double working_set =
        p->working_set_mib > 0 ? p->working_set_mib : p->mem_mib / 10;
    struct dcp_precopy_rules rules = p->rules;

    if (rules.downtime_ms <= 0) {
        rules.downtime_ms = DCP_PRECOPY_DOWNTIME_MS;
    }
    if (rules.timeout_ms_per_gib <= 0) {
        rules.timeout_ms_per_gib = DCP_PRECOPY_TIMEOUT_MS;
    }
    *run = (struct dcp_precopy_run){
        .rules = rules,
        .mem_mib = p->mem_mib,
        .dirty_mib_s = p->dirty_mib_s,
        .working_set_mib = fmin(working_set, p->mem_mib),
        .timeout_s = fmax(p->mem_mib / 1024, LEAST_TIMEOUT_GIB) *
                     (double)rules.timeout_ms_per_gib / 1000,
        .left_mib = p->mem_mib,
        .resume_s = DCP_PRECOPY_RESUME_MS / 1000.0,
    };
}

bool
dcp_precopy_ended(const struct dcp_precopy_run *run)
{
    return run->phase == DCP_PRECOPY_DONE || run->phase == DCP_PRECOPY_GIVEN_UP;
}

/* What became dirty in the round so far. */
static double
dirtied_mib(const struct dcp_precopy_run *run)
{
    double rate = run->dirty_mib_s * (1 - run->throttle_frac);

    return fmin(rate * run->round_s, run->working_set_mib);
}

/* At the end of a round: too much became dirty again? */
static void
throttle(struct dcp_precopy_run *run)
{
    if (run->period_s <= LEAST_PERIOD_S) {
        return;
    }
    if (run->period_dirty_mib > TRIGGER_FRAC * run->period_sent_mib &&
        ++run->high_periods >= HIGH_PERIODS) {
        run->high_periods = 0;
        if (run->rules.auto_converge) {
            run->throttle_frac =
                run->throttle_frac > 0
                    ? fmin(run->throttle_frac + THROTTLE_STEP, MOST_THROTTLE)
                    : FIRST_THROTTLE;
        }
    }
    run->period_s = run->period_sent_mib = run->period_dirty_mib = 0;
}

static void
end_round(struct dcp_precopy_run *run, double rate)
{
    double dirty = dirtied_mib(run);

    run->rounds++;
    run->period_dirty_mib += dirty;
    throttle(run);
    run->left_mib = dirty;
    run->round_s = 0;
    if (dirty <= rate * (double)run->rules.downtime_ms / 1000) {
        run->phase = DCP_PRECOPY_STOPPED;
    }
}

static void
time_out(struct dcp_precopy_run *run)
{
    if (run->rules.at_timeout == DCP_PRECOPY_PAUSE) {
        run->phase = DCP_PRECOPY_STOPPED;
        run->forced = true;
        run->left_mib = fmin(run->left_mib + dirtied_mib(run), run->mem_mib);
    } else {
        run->phase = DCP_PRECOPY_GIVEN_UP;
    }
}

static void
copy_for(struct dcp_precopy_run *run, double seconds, double mib)
{
    run->copying_s += seconds;
    run->round_s += seconds;
    run->period_s += seconds;
    run->throttled_s += seconds * run->throttle_frac;
    run->sent_mib += mib;
    run->period_sent_mib += mib;
    run->left_mib -= mib;
}

/* Rounds that are all alike, as the working set is dirty after each and no
 * more throttling comes: as many as fit in 'seconds', at once; their time. */
static double
skip_rounds(struct dcp_precopy_run *run, double seconds, double rate)
{
    double round_s = run->left_mib / rate;
    double dirty = run->dirty_mib_s * (1 - run->throttle_frac) * round_s;
    bool throttles =
        run->rules.auto_converge && run->throttle_frac < MOST_THROTTLE;

    if (run->round_s > 0 || throttles || run->left_mib < run->working_set_mib ||
        run->rounds == 0 || dirty < run->working_set_mib || round_s <= 0 ||
        run->left_mib <= rate * (double)run->rules.downtime_ms / 1000) {
        return 0;
    }
    double n = floor(seconds / round_s) - 1;

    if (n < 2) {
        return 0;
    }
    run->rounds += n < UINT32_MAX / 2.0 ? (uint32_t)n : UINT32_MAX / 2;
    run->copying_s += n * round_s;
    run->throttled_s += n * round_s * run->throttle_frac;
    run->sent_mib += n * run->left_mib;
    return n * round_s;
}

/* Up to the next thing that happens, 'seconds' at most; the time it took. */
static double
copy_some(struct dcp_precopy_run *run, double seconds, double rate)
{
    double to_timeout = run->timeout_s - run->copying_s;
    double to_end = rate > 0 ? run->left_mib / rate : INFINITY;
    double skipped =
        rate > 0 ? skip_rounds(run, fmin(seconds, to_timeout), rate) : 0;

    if (skipped > 0) {
        return skipped;
    }
    if (to_timeout <= seconds && to_timeout < to_end) {
        copy_for(run, fmax(to_timeout, 0), rate * fmax(to_timeout, 0));
        time_out(run);
        return fmax(to_timeout, 0);
    }
    if (to_end <= seconds) {
        copy_for(run, to_end, run->left_mib);
        end_round(run, rate);
        return to_end;
    }
    copy_for(run, seconds, rate * seconds);
    return seconds;
}

static double
stop_some(struct dcp_precopy_run *run, double seconds, double rate)
{
    double used = 0;

    if (run->left_mib > 0) {
        used = fmin(rate > 0 ? run->left_mib / rate : INFINITY, seconds);
        double mib = used < seconds ? run->left_mib : rate * used;

        run->sent_mib += fmin(mib, run->left_mib);
        run->left_mib = used < seconds ? 0 : fmax(run->left_mib - mib, 0);
    }
    double resume = fmin(run->resume_s, seconds - used);

    if (run->left_mib <= 0) {
        run->resume_s -= resume;
        used += resume;
        if (run->resume_s <= 0) {
            run->phase = DCP_PRECOPY_DONE;
        }
    }
    run->stopped_s += used;
    return used;
}

double
dcp_precopy_advance_some(struct dcp_precopy_run *run, double seconds,
                         double rate)
{
    return dcp_precopy_ended(run)              ? 0
           : run->phase == DCP_PRECOPY_COPYING ? copy_some(run, seconds, rate)
                                               : stop_some(run, seconds, rate);
}

void
dcp_precopy_advance(struct dcp_precopy_run *run, double seconds, double rate)
{
    double passed = 0;

    while (!dcp_precopy_ended(run) && passed < seconds) {
        passed += dcp_precopy_advance_some(run, seconds - passed, rate);
    }
}

struct dcp_precopy_result
dcp_precopy_result(const struct dcp_precopy_run *run)
{
    struct dcp_precopy_result out = {
        .rounds = run->rounds,
        .sent_mib = run->sent_mib,
        .throttle_frac = run->throttle_frac,
        .throttled_s = run->throttled_s,
        .converged = !run->forced && run->phase != DCP_PRECOPY_GIVEN_UP,
        .given_up = run->phase == DCP_PRECOPY_GIVEN_UP,
    };

    out.downtime_ms = llround(run->stopped_s * 1000);
    out.total_ms = llround(run->copying_s * 1000) + out.downtime_ms;
    return out;
}

struct dcp_precopy_result
dcp_precopy_ahead(const struct dcp_precopy_run *run, double bandwidth_mib_s)
{
    struct dcp_precopy_run ahead = *run;
    bool stops = run->phase == DCP_PRECOPY_STOPPED
                     ? run->left_mib > 0
                     : run->rules.at_timeout == DCP_PRECOPY_PAUSE;

    if (bandwidth_mib_s <= 0 && stops && !dcp_precopy_ended(run)) {
        struct dcp_precopy_result never = dcp_precopy_result(run);

        never.total_ms = INT64_MAX;
        return never;
    }
    dcp_precopy_advance(&ahead, INFINITY, bandwidth_mib_s);
    return dcp_precopy_result(&ahead);
}

struct dcp_precopy_result
dcp_precopy_estimate(const struct dcp_precopy *p)
{
    double rate = p->bandwidth_mib_s > 0.001 ? p->bandwidth_mib_s : 0.001;
    struct dcp_precopy_run run;

    dcp_precopy_begin(&run, p);
    dcp_precopy_advance(&run, INFINITY, rate);
    return dcp_precopy_result(&run);
}

/* --- At once ------------------------------------------------------------ */

uint32_t
dcp_migration_units(const struct dcp_hardware *hw, uint32_t per_10gbit)
{
    uint64_t fastest = 0;

    if (!per_10gbit || !hw->n_nics) {
        return UINT32_MAX;
    }
    for (uint32_t i = 0; i < hw->n_nics; i++) {
        fastest = hw->nic_kib_s[i] > fastest ? hw->nic_kib_s[i] : fastest;
    }
    double units = (double)fastest / TEN_GBIT_KIB_S * per_10gbit;

    /* Half a unit of slack: 10 Gbit is not a whole number of KiB/s. */
    return units < 1 ? 1 : (uint32_t)(units + 0.5);
}
