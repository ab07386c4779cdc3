/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/cloudsim.h"

#include "cli/result_json.h"
#include "model/base/arena.h"
#include "model/io/file.h"
#include "sim/cloudsim/cloudsim.h"
#include "traces/percent_day.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(MEMBER) offsetof(struct dcp_cloudsim_options, MEMBER)

static const char *const compats[] = { "cloudsim-3", NULL };

const struct dcp_opt dcp_cloudsim_opts[DCP_CLOUDSIM_OPTS] = {
    { "compat", 0, DCP_OPT_CHOICE, AT(compat), "NAME", compats, NULL,
      "Do what another simulator does, mistakes and all, without a model" },
    { "migrations", 0, DCP_OPT_FILE, AT(migrations), "FILE", NULL, NULL,
      "With --compat: write a line 'SECONDS VM FROM TO' per migration." },
    { "compat-keep-idle", 0, DCP_OPT_FLAG, AT(keep_idle), NULL, NULL, NULL,
      "With --compat: do not destroy VMs that ask for nothing." },
    { "compat-enforce-memory", 0, DCP_OPT_FLAG, AT(enforce_memory), NULL, NULL,
      NULL, "With --compat: place nothing beyond a host's memory." },
    { "compat-shuffle", 0, DCP_OPT_FLAG, AT(shuffle), NULL, NULL, NULL,
      "With --compat: VM i is a random file, by --seed." },
};

bool
dcp_cloudsim_unused(const struct dcp_cloudsim_options *o, struct dcp_error *err)
{
    return !(o->migrations || o->keep_idle || o->enforce_memory ||
             o->shuffle) ||
           dcp_fail(err, DCP_E_USAGE,
                    "--migrations and --compat-... go with --compat");
}

/* --- Files -------------------------------------------------------------- */

static bool
write_migrations(const char *path, const struct dcp_cloudsim_result *r,
                 struct dcp_error *err)
{
    DCP_FREE char *text = NULL;
    size_t length = 0;
    FILE *f = strcmp(path, "-") ? open_memstream(&text, &length) : stdout;

    if (!f) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for --migrations");
    }
    for (uint32_t i = 0; i < r->n_migrations; i++) {
        const struct dcp_cloudsim_migration *m = &r->migrations[i];

        fprintf(f, "%.2f %u %u %u\n", m->at_s, m->vm, m->from, m->to);
    }
    if (f == stdout) {
        return true;
    }
    bool ok = !ferror(f);

    ok = fclose(f) == 0 && ok;
    return ok ? dcp_file_write(path, text, length, err)
              : dcp_fail(err, DCP_E_NOMEM, "no memory for --migrations");
}

static bool
read_day(const struct dcp_globals *g, const struct dcp_cloudsim_options *o,
         const char *traces, struct dcp_percent_day *out, struct dcp_error *err)
{
    static const char prefix[] = "planetlab:";

    if (!traces || strncmp(traces, prefix, sizeof prefix - 1) != 0) {
        return dcp_fail(err, DCP_E_USAGE,
                        "--compat cloudsim-3 needs --traces planetlab:DIR");
    }
    if (!dcp_percent_day_read(traces + sizeof prefix - 1, out, err)) {
        return false;
    }
    if (o->shuffle && !dcp_percent_day_shuffle(out, g->seed, err)) {
        dcp_percent_day_finish(out);
        return false;
    }
    return true;
}

/* --- Output ------------------------------------------------------------- */

struct answer {
    const char *policy;
    uint32_t n_vms;
    const struct dcp_cloudsim_options *options;
    struct dcp_cloudsim_result result;
};

static double
hosts_on_mean(const struct dcp_cloudsim_result *r)
{
    return r->active_s / DCP_CLOUDSIM_HORIZON_S;
}

static void
json_members(struct dcp_json *w, const struct answer *a)
{
    const struct dcp_cloudsim_result *r = &a->result;

    dcp_json_kstring(w, "compat", a->options->compat);
    dcp_json_kstring(w, "policy", a->policy);
    dcp_json_kbool(w, "keep_idle", a->options->keep_idle);
    dcp_json_kbool(w, "enforce_memory", a->options->enforce_memory);
    dcp_json_kbool(w, "shuffled", a->options->shuffle);
    dcp_json_ku64(w, "vms", a->n_vms);
    dcp_json_ku64(w, "hosts", DCP_CLOUDSIM_HOSTS);
    dcp_json_kdouble(w, "horizon_seconds", DCP_CLOUDSIM_HORIZON_S);
    dcp_json_ku64(w, "samples", r->n_samples);
    dcp_json_kdouble(w, "energy_kwh", r->energy_kwh);
    dcp_json_ku64(w, "migrations", r->n_migrations);
    dcp_json_kdouble(w, "overload_host_seconds", r->violation_s);
    dcp_json_kdouble(w, "unmet_cpu_mhz_s", r->unmet_mips_s);
    dcp_json_kdouble(w, "slatah_frac", r->slatah_frac);
    dcp_json_kdouble(w, "pdm_frac", r->pdm_frac);
    dcp_json_kdouble(w, "slav", r->slav);
    dcp_json_kdouble(w, "overall_slav", r->overall_slav);
    dcp_json_kdouble(w, "average_slav", r->average_slav);
    dcp_json_ku64(w, "host_shutdowns", r->host_shutdowns);
    dcp_json_kdouble(w, "mean_s_before_shutdown", r->mean_s_before_shutdown);
    dcp_json_kdouble(w, "sd_s_before_shutdown", r->sd_s_before_shutdown);
    dcp_json_kdouble(w, "mean_s_before_migration", r->mean_s_before_migration);
    dcp_json_kdouble(w, "sd_s_before_migration", r->sd_s_before_migration);
    dcp_json_kdouble(w, "hosts_on_mean", hosts_on_mean(r));
    dcp_json_ku64(w, "vms_destroyed", r->vms_destroyed);
    dcp_json_kdouble(w, "memory_used_max_frac", r->memory_used_max_frac);
    dcp_json_kbool(w, "partial", false);
    dcp_json_kbool(w, "in_sample", false);
}

static int
print_json(const struct dcp_globals *g, const struct answer *a,
           struct dcp_error *err)
{
    char digest[DCP_DIGEST_TEXT_SIZE];
    struct dcp_json compact, w;

    dcp_json_init(&compact, false);
    dcp_json_begin(&compact, '{');
    json_members(&compact, a);
    dcp_json_end(&compact, '}');
    if (!dcp_result_digest(&compact, digest, err)) {
        return -1;
    }
    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/simulate/1");
    json_members(&w, a);
    dcp_json_kstring(&w, "digest", digest);
    return dcp_result_end(g, &w, a->result.n_samples, true, err);
}

static void
print_text(const struct answer *a)
{
    const struct dcp_cloudsim_result *r = &a->result;

    printf("As CloudSim 3 does it, %s: %u VMs on %d hosts, one day\n\n",
           a->policy, a->n_vms, DCP_CLOUDSIM_HOSTS);
    printf("energy, kWh                    %12.2f\n", r->energy_kwh);
    printf("migrations                     %12u\n", r->n_migrations);
    printf("SLA violation (SLAV)           %12.5f %%\n", 100 * r->slav);
    printf("  lost to migrations (PDM)     %12.2f %%\n", 100 * r->pdm_frac);
    printf("  time per active host (SLATAH)%12.2f %%\n", 100 * r->slatah_frac);
    printf("overall SLA violation          %12.2f %%\n", 100 * r->overall_slav);
    printf("average SLA violation          %12.2f %%\n", 100 * r->average_slav);
    printf("host shutdowns                 %12u\n", r->host_shutdowns);
    printf("mean s before a shutdown       %12.2f, sd %.2f\n",
           r->mean_s_before_shutdown, r->sd_s_before_shutdown);
    printf("mean s of a migration          %12.2f, sd %.2f\n",
           r->mean_s_before_migration, r->sd_s_before_migration);
    printf("hosts on, mean                 %12.1f\n\n", hosts_on_mean(r));
    printf("%u VMs were destroyed for asking nothing twice; the fullest host "
           "held %.1f times its memory\n(docs/sim-cloudsim.md).\n",
           r->vms_destroyed, r->memory_used_max_frac);
}

/* --- The command -------------------------------------------------------- */

static int
answer_it(const struct dcp_globals *g, struct answer *a, struct dcp_error *err)
{
    const char *path = a->options->migrations;

    if (path && !write_migrations(path, &a->result, err)) {
        return -1;
    }
    if (g->json) {
        return print_json(g, a, err);
    }
    if (!path || strcmp(path, "-") != 0) {
        print_text(a);
    }
    return 0;
}

int
dcp_cloudsim_command(const struct dcp_globals *g,
                     const struct dcp_cloudsim_options *o, const char *traces,
                     const char *policy, struct dcp_error *err)
{
    struct answer a = { .policy = policy, .options = o };
    struct dcp_cloudsim_input in = { .keep_idle = o->keep_idle,
                                     .enforce_memory = o->enforce_memory,
                                     .seed = g->seed };
    struct dcp_percent_day day;

    if (!policy) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--compat cloudsim-3 needs --policy, such as "
                       "lr-mmt:1.2");
        return -1;
    }
    if (g->json && o->migrations && !strcmp(o->migrations, "-")) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "--json and --migrations - both want standard output");
        return -1;
    }
    if (!dcp_cloudsim_policy_parse(policy, &in.policy, err) ||
        !read_day(g, o, traces, &day, err)) {
        return -1;
    }
    in.n_vms = a.n_vms = day.n_vms;
    in.percent = day.percent;
    int status = -1;

    if (dcp_cloudsim_run(&in, &a.result, err)) {
        status = answer_it(g, &a, err);
        dcp_cloudsim_result_finish(&a.result);
    }
    dcp_percent_day_finish(&day);
    return status;
}
