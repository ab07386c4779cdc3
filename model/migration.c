/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/migration.h"

#include <math.h>

#define MAX_ROUNDS 30
#define MAX_SENT_FACTOR 3.0

struct dcp_precopy_result
dcp_precopy_estimate(const struct dcp_precopy *p)
{
    struct dcp_precopy_result out = { .converged = true };
    double rate = p->bandwidth_mib_s > 0.001 ? p->bandwidth_mib_s : 0.001;
    double working_set =
        p->working_set_mib > 0 ? p->working_set_mib : p->mem_mib / 10;
    double limit_mib = rate * DCP_PRECOPY_DOWNTIME_MS / 1000;
    double left = p->mem_mib, seconds = 0;

    while (left > limit_mib || out.rounds == 0) {
        if (out.rounds == MAX_ROUNDS ||
            out.sent_mib > MAX_SENT_FACTOR * p->mem_mib) {
            out.converged = false;
            break;
        }
        double t = left / rate;

        seconds += t;
        out.sent_mib += left;
        out.rounds++;
        left = fmin(p->dirty_mib_s * t, working_set);
    }
    double stop_s = left / rate;

    out.sent_mib += left;
    out.downtime_ms = llround(stop_s * 1000) + DCP_PRECOPY_RESUME_MS;
    out.total_ms = llround(seconds * 1000) + out.downtime_ms;
    return out;
}
