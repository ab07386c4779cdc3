/* SPDX-License-Identifier: GPL-3.0-or-later */

/* hspace's question: how many more instances of one size there is room for. */

#include "bench/suite/ganeti.h"
#include "bench/suite/suite.h"
#include "model/base/units.h"
#include "solver/balance/fill.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct options {
    struct dcp_suite_options suite;
    const char *size, *template;
};

static const struct dcp_opt rows[] = {
    { "standard-alloc", 0, DCP_OPT_TEXT, offsetof(struct options, size),
      "DISK,MEMORY,VCPUS", NULL, NULL,
      "Size of the instances, in MiB or with m, g, t; else the policy's "
      "standard." },
    { "disk-template", 0, DCP_OPT_TEXT, offsetof(struct options, template),
      "TEMPLATE", NULL, NULL,
      "Such as drbd, plain, ext; else the policy's first." },
};

static bool
read_size(const char *text, struct dcp_balance_spec *out, struct dcp_error *err)
{
    double value[3];
    const char *at = text;

    for (uint32_t k = 0; k < 3; k++) {
        at = dcp_scan_double(at, &value[k]);
        if (at && *at && strchr("mgt", *at)) {
            value[k] *= *at == 'g' ? 1024 : *at == 't' ? 1048576 : 1;
            at++;
        }
        if (!at || *at != (k < 2 ? ',' : '\0') || !(value[k] >= 1)) {
            return dcp_fail(err, DCP_E_USAGE,
                            "--standard-alloc: '%.40s' is not a size such as "
                            "64g,8192,4",
                            text);
        }
        at++;
    }
    out->disk_mib = value[0];
    out->mem_mib = value[1];
    out->vcpus = value[2];
    return true;
}

static bool
choose(const struct options *o, const struct dcp_ganeti_text *text,
       const char **out_template, struct dcp_balance_spec *out,
       struct dcp_error *err)
{
    const struct dcp_ganeti_policy *policy = dcp_ganeti_cluster_policy(text);
    const char *name = o->template;

    if (!policy && (!o->size || !name)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "the file has no policy: give --standard-alloc and "
                        "--disk-template");
    }
    if (!name) {
        name = dcp_arena_strndup(text->arena, policy->templates,
                                 strcspn(policy->templates, ","));
    }
    if (!name) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the template");
    }
    enum dcp_ganeti_template is = dcp_ganeti_template_of(name, strlen(name));

    *out = (struct dcp_balance_spec){
        .mirrored = is == DCP_GANETI_DRBD,
        .local_disk = is == DCP_GANETI_DRBD || is == DCP_GANETI_PLAIN,
        .spindles = policy ? policy->std_spindles : 1,
    };
    if (policy) {
        out->mem_mib = policy->std_mem_mib;
        out->disk_mib = policy->std_disk_mib;
        out->vcpus = policy->std_vcpus;
    }
    *out_template = name;
    return (!o->size || read_size(o->size, out, err)) &&
           (out->mem_mib >= 1 ||
            dcp_fail(err, DCP_E_USAGE, "the standard instance has no memory"));
}

/* The text with the new instances. */
static bool
add_instances(struct dcp_ganeti_text *text, const char *template,
              const struct dcp_balance_spec *spec,
              const struct dcp_balance_filling *filling, struct dcp_error *err)
{
    uint32_t n = text->n_instances;
    struct dcp_ganeti_instance *all = dcp_arena_array(
        text->arena, struct dcp_ganeti_instance, (size_t)n + filling->n);

    if (!all) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the instances");
    }
    for (uint32_t i = 0; i < n; i++) {
        all[i] = text->instances[i];
    }
    text->instances = all;
    for (uint32_t k = 0; k < filling->n; k++) {
        struct dcp_arena *a = text->arena;
        struct dcp_ganeti_instance *v = &all[n + k];

        *v = (struct dcp_ganeti_instance){
            .fields = { { dcp_arena_printf(a, "new-%u", k + 1),
                          dcp_arena_printf(a, "%.0f", spec->mem_mib),
                          dcp_arena_printf(a, "%.0f", spec->disk_mib),
                          dcp_arena_printf(a, "%.0f", spec->vcpus), "running",
                          "Y", "", "", template, "",
                          dcp_arena_printf(a, "%.0f", spec->spindles) },
                        11 },
            .mem_mib = spec->mem_mib,
            .disk_mib = spec->disk_mib,
            .primary = filling->primary[k],
            .secondary = filling->secondary[k],
            .template = dcp_ganeti_template_of(template, strlen(template)),
            .runs = true,
            .is_up = true,
        };
        dcp_suite_charge(text, v, 1);
    }
    text->n_instances += filling->n;
    return true;
}

static bool
solve(const struct dcp_globals *g, const struct options *o,
      struct dcp_ganeti_text *text, const struct dcp_balance_cluster *c,
      struct dcp_suite_result *out, struct dcp_error *err)
{
    const char *template = NULL;
    uint32_t before = text->n_instances;
    struct dcp_balance_spec spec;
    struct dcp_balance_filling filling;
    struct dcp_ganeti_text written = { 0 };

    if (!choose(o, text, &template, &spec, err) ||
        !dcp_balance_fill(c, &spec, &filling, err)) {
        return false;
    }
    bool ok = add_instances(text, template, &spec, &filling, err) &&
              dcp_suite_write_ganeti(text, o->suite.output, &written, err);

    out->value = (double)written.n_instances - before;
    out->lower_bound = filling.upper_bound;
    out->status = out->value >= filling.upper_bound ? "optimal" : "feasible";
    if (!g->quiet) {
        fprintf(stderr,
                "%u instances of %.0f MiB, %.0f MiB disk, %.0f vCPUs, %s; at "
                "most %u\n",
                filling.n, spec.mem_mib, spec.disk_mib, spec.vcpus, template,
                filling.upper_bound);
    }
    dcp_balance_filling_finish(&filling);
    dcp_ganeti_finish(&written);
    return ok;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_suite_result result = { .instance = args[0],
                                       .value = NAN,
                                       .lower_bound = NAN,
                                       .moves = NAN,
                                       .solution = o->suite.output };
    struct dcp_ganeti_text text = { 0 };
    struct dcp_balance_cluster *c = NULL;
    bool ok = dcp_ganeti_read(args[0], &text, err) &&
              (c = dcp_suite_cluster(&text, err)) != NULL &&
              solve(g, o, &text, c, &result, err);

    (void)n_args;
    dcp_balance_destroy(c);
    dcp_ganeti_finish(&text);
    return ok ? dcp_suite_end(g, &result) : -1;
}

static const struct dcp_opt_group groups[] = {
    { rows, 2, 0 },
    { dcp_suite_rows, DCP_SUITE_N_ROWS, offsetof(struct options, suite) },
};

const struct dcp_command dcp_suite_cmd_hspace = {
    .name = "hspace",
    .summary = "how many more instances a Ganeti cluster takes",
    .synopsis = "FILE [--standard-alloc DISK,MEMORY,VCPUS] "
                "[--disk-template T] [-o SOLUTION]",
    .details =
        "FILE is a cluster in the text format of Ganeti's htools.  By default "
        "the size and the\ndisk template are those of the file's policy, as "
        "hspace has it.  The solution is the\nsame format with the new "
        "instances; 'value' is their number and, since more is\nbetter, "
        "'lower_bound' holds the proved upper bound.\n\nExamples:\n"
        "  dcplan-bench hspace cluster.data -o full.data\n"
        "  dcplan-bench hspace cluster.data --standard-alloc 64g,8192,4 "
        "--disk-template drbd\n",
    .groups = groups,
    .n_groups = 2,
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
