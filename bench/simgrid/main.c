/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dcplan beside SimGrid, in one run: times of live migrations, and CPU seconds.
 *
 *   bench_simgrid [KEY=VALUE...]
 *
 *   hosts=1000 vms=5000 ticks=24     the fleet
 *
 * Two scenes (scene.h), each in a process of its own because SimGrid runs once
 * in one.  Prints a JSON object for each, on a line; fails where a migration
 * takes a hundredth longer or shorter than in SimGrid. */

#include "bench/simgrid/scene.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_APART 0.01

static double
compare(const struct dcp_scene *s, const struct dcp_scene_move ours[],
        double *out_mean)
{
    double most = 0, sum = 0;

    for (uint32_t i = 0; i < s->n_moves; i++) {
        double apart =
            fabs(ours[i].seconds - s->moves[i].seconds) / s->moves[i].seconds;

        most = isnan(apart) ? INFINITY : fmax(most, apart);
        sum += apart;
    }
    *out_mean = s->n_moves ? sum / s->n_moves : 0;
    return most;
}

static void
print_times(const char *name, const struct dcp_scene_move moves[], uint32_t n)
{
    printf(",\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        printf("%s%.2f", i ? "," : "", moves[i].seconds);
    }
    printf("]");
}

static bool
play(const char *name, struct dcp_scene *s, struct dcp_error *err)
{
    struct dcp_scene_move *ours = calloc((size_t)s->n_moves + 1, sizeof *ours);
    double cpu_s = 0, simgrid_cpu_s = 0, mean, longest = 0;
    bool ok = ours && dcp_scene_by_dcplan(s, &cpu_s, err);

    if (ok) {
        memcpy(ours, s->moves, s->n_moves * sizeof *ours);
        ok = dcp_scene_by_simgrid(s, &simgrid_cpu_s, err);
    }
    if (ok) {
        double most = compare(s, ours, &mean);

        for (uint32_t i = 0; i < s->n_moves; i++) {
            longest = fmax(longest, s->moves[i].seconds);
        }
        printf("{\"scene\":\"%s\",\"hosts\":%u,\"vms\":%u,\"ticks\":%u,"
               "\"migrations\":%u,\"longest_s\":%.2f,\"apart_mean_frac\":%.6f,"
               "\"apart_most_frac\":%.6f,\"cpu_s\":%.4f,\"simgrid_cpu_s\":%.3f",
               name, s->n_hosts, s->n_vms, s->n_ticks, s->n_moves, longest,
               mean, most, cpu_s, simgrid_cpu_s);
        if (s->n_moves <= 8) {
            print_times("seconds", ours, s->n_moves);
            print_times("simgrid_seconds", s->moves, s->n_moves);
        }
        printf("}\n");
        (void)fflush(stdout);
        ok = most <= MOST_APART ||
             dcp_fail(err, DCP_E_ARGUMENT, "%s: %.2f %% apart", name,
                      100 * most);
    }
    free(ours);
    return ok;
}

/* In a child, so that each gets a SimGrid that has not run. */
static bool
play_apart(const char *name, const uint32_t size[3])
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        struct dcp_scene s = { 0 };
        struct dcp_error err = { 0 };
        bool ok = (size ? dcp_scene_fleet(&s, size[0], size[1], size[2], &err)
                        : dcp_scene_pairs(&s, &err)) &&
                  play(name, &s, &err);

        if (!ok) {
            (void)fprintf(stderr, "bench_simgrid: %s\n", err.message);
        }
        dcp_scene_finish(&s);
        _exit(ok ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int
main(int argc, char *argv[])
{
    static const char *const keys[] = { "hosts=", "vms=", "ticks=" };
    uint32_t size[] = { 1000, 5000, 24 };

    for (int i = 1; i < argc; i++) {
        bool known = false;

        for (int k = 0; k < 3; k++) {
            size_t n = strlen(keys[k]);

            uint64_t number;

            if (!strncmp(argv[i], keys[k], n) &&
                dcp_parse_amount(DCP_DIM_NUMBER, argv[i] + n, &number, NULL) &&
                number <= 1000000) {
                size[k] = (uint32_t)number;
                known = true;
            }
        }
        if (!known) {
            (void)fprintf(stderr, "bench_simgrid: what is '%s'?\n", argv[i]);
            return 2;
        }
    }
    bool pairs = play_apart("pairs", NULL);
    bool fleet = play_apart("fleet", size);

    return pairs && fleet ? 0 : 1;
}
