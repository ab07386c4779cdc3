/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/named.h"
#include "cli/ui.h"
#include "solver/rules/delta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *traces, *leg;
    bool why_not, replan;
};

static const struct dcp_opt rows[] = {
    { "why-not", 0, DCP_OPT_FLAG, offsetof(struct options, why_not), NULL, NULL,
      NULL, "say what stands against VM being on HOST" },
    { "replan", 0, DCP_OPT_FLAG, offsetof(struct options, replan), NULL, NULL,
      NULL,
      "vm, host: plan again with the VM or host left as it was, for what its "
      "move or switching it off is worth (20 s, or --time-limit)" },
    { "leg", 0, DCP_OPT_TEXT, offsetof(struct options, leg), "LEG", NULL, NULL,
      "with --why-not: after this leg (the first)" },
    { "traces", 0, DCP_OPT_FILE, offsetof(struct options, traces), "STORE",
      NULL, NULL, "usage store, instead of usage.h5 of the model" },
};

/* --- Shared ------------------------------------------------------------- */

static void
drop_state(struct dcp_explain *x)
{
    dcp_state_destroy(x->state);
    dcp_problem_destroy(x->problem);
    free(x->closed);
    x->state = NULL;
    x->problem = NULL;
    x->closed = NULL;
}

/* Plans after which VMs stay convert, and those that count money weigh it. */
static bool
might_convert(const struct dcp_explain *x)
{
    const struct dcp_plan *plan = x->open.plan;
    bool converts = strstr(plan->goal, "cost");

    for (uint32_t i = 0; i < plan->n_steps && !converts; i++) {
        converts = plan->steps[i].converts;
    }
    return converts && plan->n_legs == 1 &&
           dcp_explain_inventory(x)->n_conversions;
}

/* The leg's end as reached from its start, so that a VM that was converted is
 * not said to be of its new hypervisor from the first. */
static bool
state_after_conversions(struct dcp_explain *x, uint32_t leg,
                        struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    if (!x->may_convert) {
        x->may_convert = malloc(inv->n_vms + 1u);
        if (!x->may_convert) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory to explain a plan");
        }
        memset(x->may_convert, 1, inv->n_vms);
    }
    x->question.may_convert = x->may_convert;
    x->question.start = dcp_plan_leg_start(x->open.plan, leg);
    x->problem = dcp_problem_create(&x->question, err);
    x->state = x->problem ? dcp_state_create(x->problem, err) : NULL;
    if (x->state) {
        dcp_state_become(x->state, x->open.plan->legs[leg].after);
    }
    return x->state != NULL;
}

bool
dcp_explain_sizes(struct dcp_explain *x, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);

    if (!x->demand) {
        x->demand = dcp_context_plan_demand(&x->open.context, x->open.plan, err);
    }
    if (!x->demand || x->resized) {
        return x->demand != NULL;
    }
    return dcp_plan_inventory_after(x->open.plan, inv, &x->resized, err) &&
           (!x->resized || dcp_demand_with_sizes(x->demand, inv, x->resized,
                                                 &x->grown, err));
}

bool
dcp_explain_state(struct dcp_explain *x, uint32_t leg, struct dcp_error *err)
{
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    uint32_t first, last;

    drop_state(x);
    if (!dcp_explain_sizes(x, err)) {
        return false;
    }
    dcp_slot_range(x->demand, plan->legs[leg].start_ms,
                   plan->legs[leg].buckets_until_ms, &first, &last);
    x->question = (struct dcp_question){
        .inventory = x->resized ? x->resized : inv,
        .demand = x->grown ? x->grown : x->demand,
        .first_slot = first,
        .last_slot = last,
        .start = plan->legs[leg].after,
        .home = plan->before,
        .may_wake = true,
        .headroom = inv->policy.n_survive > 0,
        .ignore_soft = true,
    };
    x->closed = calloc(inv->n_rules + 1u, 1);
    if (!x->closed) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to explain");
    }
    (void)dcp_change_close(inv, plan->legs[leg].start_ms,
                           plan->legs[leg].deadline_ms, x->closed);
    x->question.closed = x->closed;
    if (might_convert(x)) {
        return state_after_conversions(x, leg, err);
    }
    x->problem = dcp_problem_create(&x->question, err);
    x->state = x->problem ? dcp_state_create(x->problem, err) : NULL;
    return x->state != NULL;
}

void
dcp_explain_finish(struct dcp_explain *x)
{
    drop_state(x);
    free(x->resting);
    free(x->may_convert);
    dcp_demand_destroy(x->grown);
    dcp_demand_destroy(x->demand);
    free(x->resized);
    dcp_plan_open_close(&x->open);
}

void
dcp_explain_json_head(struct dcp_json *w, const char *kind, const char *name)
{
    dcp_json_init(w, true);
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "schema", "dcplan/plan-explain/1");
    dcp_json_kstring(w, "kind", kind);
    dcp_json_kstring(w, "name", name);
}

int
dcp_explain_json_end(const struct dcp_explain *x, struct dcp_json *w,
                     struct dcp_error *err)
{
    dcp_json_kobject(w, "run");
    dcp_ui_run_members(x->g, w);
    dcp_json_end(w, '}');
    dcp_json_end(w, '}');
    return dcp_ui_json(w, 0, err);
}

const char *
dcp_explain_host_name(const struct dcp_inventory *inv, dcp_host_id host)
{
    return dcp_host_is_none(host) ? "no host" : inv->hosts[host.ix].name;
}

void
dcp_explain_print_step(const struct dcp_inventory *inv,
                       const struct dcp_step *s)
{
    printf("%u %s %s", s->id, dcp_step_kind_name(s->kind),
           dcp_object_name(inv, s->object));
    if (s->from.kind != DCP_OBJECT_NONE) {
        printf(" %s", dcp_object_name(inv, s->from));
    }
    if (s->to.kind != DCP_OBJECT_NONE && s->kind != DCP_STEP_VM_RESIZE) {
        printf(" -> %s", dcp_object_name(inv, s->to));
    }
}

void
dcp_explain_json_step(const struct dcp_inventory *inv, struct dcp_json *w,
                      const struct dcp_step *s)
{
    char object[300];

    (void)snprintf(object, sizeof object, "%s:%s",
                   dcp_object_kind_name(s->object.kind),
                   dcp_object_name(inv, s->object));
    dcp_json_begin_line(w, '{');
    dcp_json_ku64(w, "id", s->id);
    dcp_json_kstring(w, "kind", dcp_step_kind_name(s->kind));
    dcp_json_kstring(w, "object", object);
    dcp_json_end(w, '}');
}

/* --- The command -------------------------------------------------------- */

static bool
find_leg(const struct dcp_plan *plan, const char *name, uint32_t *out,
         struct dcp_error *err)
{
    char known[120] = "";

    *out = 0;
    for (uint32_t l = 0; name && l < plan->n_legs; l++) {
        size_t n = strlen(known);

        if (!strcmp(plan->legs[l].name, name)) {
            *out = l;
            return true;
        }
        (void)snprintf(known + n, sizeof known - n, "%s%s", l ? ", " : "",
                       plan->legs[l].name);
    }
    return !name || dcp_fail(err, DCP_E_USAGE,
                             "--leg: the plan has no leg '%.40s'; it has %s",
                             name, known);
}

/* How many words follow PLAN. */
static bool
count_words(const struct options *o, uint32_t n_args, char *const args[],
            struct dcp_error *err)
{
    bool nameless = !strcmp(args[1], "rules") || !strcmp(args[1], "bound");
    uint32_t want = !o->why_not && nameless ? 2 : 3;

    return n_args == want ||
           dcp_fail(err, DCP_E_USAGE, "%s",
                    want == 2 ? "'rules' and 'bound' take no name"
                              : "a name is missing: PLAN vm NAME, PLAN host "
                                "NAME, PLAN rule NAME, PLAN rules, or PLAN "
                                "--why-not VM HOST");
}

/* "db-1/0", where no VM has that name itself. */
static bool
is_volume(const struct dcp_inventory *inv, const char *name)
{
    return strchr(name, '/') && dcp_vm_is_none(dcp_inventory_find_vm(inv, name));
}

static int
explain(struct dcp_explain *x, const struct options *o, char *const args[],
        struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    dcp_vm_id vm;
    dcp_host_id host;
    uint32_t leg, volume, pool;

    if (!find_leg(x->open.plan, o->leg, &leg, err)) {
        return -1;
    }
    if (o->why_not && is_volume(inv, args[1])) {
        return dcp_explain_find_volume(x, args[1], &volume, err) &&
                       dcp_explain_find_pool(x, args[2], &pool, err)
                   ? dcp_explain_volume_why_not(x, volume, pool, leg, err)
                   : -1;
    }
    if (o->why_not) {
        return dcp_named_vm(inv, args[1], &vm, err) &&
                       dcp_named_host(inv, args[2], &host, err)
                   ? dcp_explain_why_not(x, vm, host, leg, err)
                   : -1;
    }
    if (!strcmp(args[1], "vm")) {
        return dcp_named_vm(inv, args[2], &vm, err) ? dcp_explain_vm(x, vm, err)
                                                    : -1;
    }
    if (!strcmp(args[1], "host")) {
        return dcp_named_host(inv, args[2], &host, err)
                   ? dcp_explain_host(x, host, err)
                   : -1;
    }
    if (!strcmp(args[1], "volume")) {
        return dcp_explain_find_volume(x, args[2], &volume, err)
                   ? dcp_explain_volume(x, volume, err)
                   : -1;
    }
    if (!strcmp(args[1], "pool")) {
        return dcp_explain_find_pool(x, args[2], &pool, err)
                   ? dcp_explain_pool(x, pool, err)
                   : -1;
    }
    if (!strcmp(args[1], "rule")) {
        return dcp_explain_rule(x, args[2], err);
    }
    if (!strcmp(args[1], "rules")) {
        return dcp_explain_rules(x, err);
    }
    if (!strcmp(args[1], "bound")) {
        return dcp_explain_bound(x, err);
    }
    (void)dcp_fail(err, DCP_E_USAGE,
                   "'%.40s' is neither 'vm' nor 'host', 'volume', 'pool', "
                   "'rule', 'rules' or 'bound'; or ask PLAN --why-not VM HOST",
                   args[1]);
    return -1;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    const struct options *o = options;
    struct dcp_explain x = { .g = g, .replan = o->replan };

    if (!count_words(o, n_args, args, err) ||
        !dcp_plan_open(g, o->traces, args[0], &x.open, err)) {
        return -1;
    }
    int status = explain(&x, o, args, err);

    dcp_explain_finish(&x);
    return status;
}

static const struct dcp_opt_group groups[] = {
    { rows, sizeof rows / sizeof rows[0], 0 },
};

const struct dcp_command dcp_cmd_plan_explain = {
    .name = "plan explain",
    .summary = "why a VM or a host is where the plan has it, and why not",
    .synopsis = "PLAN vm|host|volume|pool|rule NAME | PLAN rules | PLAN bound | "
                "PLAN --why-not VM HOST | PLAN --why-not VM/K POOL",
    .details =
        "vm: where it is before and after each leg, its steps with their "
        "reasons, what they\nwait for, and what moving it is worth.  host: "
        "what comes and goes, why it is on or\noff, what binds it, what "
        "happens when it is lost, what switching it off is worth\nor would "
        "take.  rule: what it costs, in the plan's goal; rules: all of them, "
        "the\ndearest first.  bound: why fewer hosts are impossible.\n"
        "--why-not: the first thing that stands against the VM being on the "
        "host after a leg,\nwith numbers, and the least that would allow "
        "it.\nvolume and pool likewise: the first disk of VM db-1 is db-1/0."
        "\n\nExamples:\n"
        "  dcplan plan explain plan.json vm db-1 --replan\n"
        "  dcplan plan explain plan.json host h2\n"
        "  dcplan plan explain plan.json rule web-apart --time-limit 60\n"
        "  dcplan plan explain plan.json --why-not db-1 h3\n"
        "  dcplan plan explain plan.json --why-not db-1/0 nas2\n",
    .groups = groups,
    .n_groups = 1,
    .options_size = sizeof(struct options),
    .min_args = 2,
    .max_args = 3,
    .run = run,
};
