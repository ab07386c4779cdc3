/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/plan_open.h"
#include "cli/ui.h"
#include "model/check/check.h"

#include <stdio.h>
#include <string.h>

struct options {
    const char *traces;
};

static const char *
proof_name(enum dcp_check_proof proof)
{
    return proof == DCP_PROOF_ALL_ORDERS ? "all_orders" : "listed_order";
}

static void
print_list(struct dcp_json *w, const char *key,
           const struct dcp_violation *list, uint32_t n)
{
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < n; i++) {
        dcp_json_begin_line(w, '{');
        dcp_json_key(w, "step");
        if (list[i].step) {
            dcp_json_u64(w, list[i].step);
        } else {
            dcp_json_null(w);
        }
        dcp_json_kstring(w, "rule", list[i].rule);
        dcp_json_kstring(w, "object",
                         list[i].object[0] ? list[i].object : NULL);
        dcp_json_kdouble(w, "need", list[i].need);
        dcp_json_kdouble(w, "have", list[i].have);
        dcp_json_kstring(w, "text", list[i].text);
        dcp_json_end(w, '}');
    }
    dcp_json_end(w, ']');
}

static int
print_json(const struct dcp_globals *g, const struct dcp_plan *plan,
           uint32_t legs_done, const struct dcp_check_result *r, int status,
           struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/plan-check/1");
    dcp_json_kstring(&w, "status", r->pass ? "pass" : "fail");
    dcp_json_kstring(&w, "plan", plan->uuid);
    dcp_json_kstring(&w, "digest", plan->digest);
    dcp_json_ku64(&w, "steps", plan->n_steps);
    dcp_json_ku64(&w, "legs_done", legs_done);
    dcp_json_kdouble(&w, "perturb", dcp_context_plan_perturb(plan));
    dcp_json_ku64(&w, "states_checked", r->states_checked);
    dcp_json_kstring(&w, "proof", proof_name(r->proof));
    dcp_json_ku64(&w, "violations_total", r->n_violations_all);
    print_list(&w, "violations", r->violations, r->n_violations);
    dcp_json_ku64(&w, "soft_total", r->n_soft_all);
    dcp_json_kdouble(&w, "soft_price", r->soft_price);
    print_list(&w, "soft", r->soft, r->n_soft);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status, err);
}

static void
print_lines(const struct dcp_violation *list, uint32_t n, uint32_t all)
{
    for (uint32_t i = 0; i < n; i++) {
        if (list[i].step) {
            printf("  step %u: ", list[i].step);
        } else {
            printf("  ");
        }
        printf("%s%s%s: %s\n", list[i].rule, list[i].object[0] ? " " : "",
               list[i].object, list[i].text);
    }
    if (all > n) {
        printf("  ... and %u more\n", all - n);
    }
}

static void
print_human(const struct dcp_globals *g, const struct dcp_plan *plan,
            uint32_t legs_done, const struct dcp_check_result *r)
{
    const char *green = g->color_out ? "\033[32m" : "";
    const char *red = g->color_out ? "\033[31m" : "";
    const char *plain = g->color_out ? "\033[0m" : "";

    printf("%s%s%s: %u steps in %u leg%s, %llu states checked, proved for %s\n",
           r->pass ? green : red, r->pass ? "pass" : "fail", plain,
           plan->n_steps, plan->n_legs, plan->n_legs == 1 ? "" : "s",
           (unsigned long long)r->states_checked,
           r->proof == DCP_PROOF_ALL_ORDERS ? "all orders of its steps"
                                            : "the listed order only");
    double perturb = dcp_context_plan_perturb(plan);

    if (perturb > 0) {
        printf("against demand perturbed by up to %g %%, as the plan says: a "
               "test of stability, not for use\n",
               100 * perturb);
    }
    if (legs_done) {
        printf("legs carried out already: %u of %u\n", legs_done, plan->n_legs);
    }
    if (r->n_violations_all) {
        printf("%u violation%s:\n", r->n_violations_all,
               r->n_violations_all == 1 ? "" : "s");
        print_lines(r->violations, r->n_violations, r->n_violations_all);
    }
    if (r->n_soft_all) {
        printf("soft rules that do not hold at a leg's end: %u, price %g\n",
               r->n_soft_all, r->soft_price);
        print_lines(r->soft, r->n_soft, r->n_soft_all);
    }
}

/* Judges with the demand the plan was made for, which must still be there. */
static bool
judge(struct dcp_plan_open *o, struct dcp_check_result *out,
      struct dcp_error *err)
{
    const struct dcp_plan *plan = o->plan;
    struct dcp_demand *demand = dcp_context_plan_demand(&o->context, plan, err);
    bool ok = demand != NULL;

    if (ok && strcmp(plan->traces_digest, demand->traces_digest) != 0) {
        ok = dcp_fail(err, DCP_E_STALE,
                      "the plan was made from other usage data: plan again");
    }
    ok = ok &&
         dcp_check_plan(o->context.model.inventory, demand, plan, out, err);
    dcp_demand_destroy(demand);
    return ok;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_plan_open open;
    struct dcp_check_result result = { 0 };
    uint32_t legs_done;
    int status = -1;

    (void)n_args;
    if (!dcp_plan_open(g, o->traces, args[0], &open, err)) {
        return -1;
    }
    if (dcp_plan_open_is_current(&open, &legs_done, err) &&
        judge(&open, &result, err)) {
        status = result.pass ? 0 : dcp_code_exit_status(DCP_E_REFUSED);
        if (g->json) {
            status = print_json(g, open.plan, legs_done, &result, status, err);
        } else {
            print_human(g, open.plan, legs_done, &result);
        }
        dcp_check_result_finish(&result);
    }
    dcp_plan_open_close(&open);
    return status;
}

static const struct dcp_opt opts[] = {
    { "traces", 0, DCP_OPT_FILE, offsetof(struct options, traces), "U.h5", NULL,
      NULL, "Usage store; default: usage.h5 of the model directory." },
};
static const struct dcp_opt_group groups[] = {
    { opts, sizeof opts / sizeof opts[0], 0 },
};

const struct dcp_command dcp_cmd_plan_check = {
    .name = "plan check",
    .summary = "judge a plan independently of who made it",
    .synopsis = "PLAN [--traces U.h5]",
    .details =
        "Recounts every state that the plan allows, in any order of its steps,"
        " against\ncapacities, reach, rules, power and headroom; "
        "docs/checker.md says how.\nExit status 0: legal; 3: not legal; 4: "
        "stale (edited, or the model or the usage\ndata changed since).\n\n"
        "Examples:\n"
        "  dcplan plan check plan.json\n"
        "  dcplan --json plan check plan.json | jq .violations\n",
    .groups = groups,
    .n_groups = sizeof groups / sizeof groups[0],
    .options_size = sizeof(struct options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
