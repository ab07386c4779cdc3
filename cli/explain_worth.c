/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What decisions are worth, told from the request that the plan was made for.
 * Only consolidations have a goal that each decision serves: an evacuation or
 * a repair does what it must. */

#include "cli/explain.h"
#include "cli/options.h"
#include "cli/place.h"
#include "cli/planning.h"
#include "cli/ui.h"
#include "model/io/plan_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_LIMIT_S 20.0

/* --- The request -------------------------------------------------------- */

static const char *
not_told(const struct dcp_plan *plan, const struct dcp_inventory *inv,
         const struct dcp_plan_options *o)
{
    if (strcmp(o->command, "consolidate") != 0) {
        return "told of plans by 'dcplan consolidate' only";
    }
    if (strcmp(plan->model_digest, inv->digest) != 0) {
        return "the model was changed since the plan was made: plan again";
    }
    return strcmp(plan->policy_digest, inv->policy_digest)
               ? "the plan was made under another --policy-file"
               : NULL;
}

bool
dcp_explain_request(struct dcp_explain *x, const char **out_why_not,
                    struct dcp_error *err)
{
    const struct dcp_plan *plan = x->open.plan;
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    struct dcp_plan_options o;

    *out_why_not = NULL;
    if (x->has_request) {
        return true;
    }
    if (!dcp_plan_options_read(plan, &o, err)) {
        return false;
    }
    *out_why_not = not_told(plan, inv, &o);
    if (*out_why_not) {
        return true;
    }
    if (!dcp_explain_sizes(x, err)) {
        return false;
    }
    struct dcp_plan_request *r = &x->request;

    *r = (struct dcp_plan_request){
        .inventory = x->resized ? x->resized : inv,
        .demand = x->grown ? x->grown : x->demand,
        .start = plan->before,
        .job = DCP_JOB_CONSOLIDATE,
        .two_legs = plan->n_legs > 1,
        .start_ms = plan->legs[0].start_ms,
        .window_end_ms = plan->legs[0].buckets_until_ms,
        .solve = { .seed = plan->seed,
                   .iterations =
                       x->g->iterations ? x->g->iterations : o.iterations,
                   .time_limit_s = dcp_globals_limit_s(x->g, DEFAULT_LIMIT_S),
                   .gap_frac = o.gap_frac },
        .max_moves = o.max_moves,
        .no_park = o.no_park,
        .no_convert = o.no_convert,
    };
    if (!dcp_planning_goals(inv, o.goal[0] ? o.goal : NULL, &r->goals, err) ||
        !dcp_planning_rest(x->g, inv, plan->before, r->start_ms, &x->resting,
                           &r->max_moves, err)) {
        return false;
    }
    r->goals.slack_frac = o.slack_frac;
    r->resting = x->resting;
    x->has_request = true;
    return true;
}

/* --- Figures ------------------------------------------------------------ */

bool
dcp_worth_is_exact(const struct dcp_worth *w)
{
    return w->at_most - w->at_least <= 1e-9 * fmax(1, fabs(w->at_most));
}

void
dcp_explain_amount(const struct dcp_worth *w, double value, char *out,
                   size_t size)
{
    double whole = nearbyint(value);
    bool is_whole = fabs(value - whole) < 1e-9;

    if (is_whole && whole == 1 && !strcmp(w->unit, "hosts")) {
        (void)snprintf(out, size, "1 host");
        return;
    }
    (void)snprintf(out, size, "%.*f%s%s",
                   is_whole             ? 0
                   : fabs(value) < 0.01 ? 4
                   : fabs(value) < 1    ? 3
                                        : 2,
                   is_whole ? whole : value, w->unit[0] ? " " : "", w->unit);
}

/* --- Text --------------------------------------------------------------- */

static void
print_resize(const struct dcp_worth *w, const char *saved, const char *all)
{
    if (w->refused) {
        printf("  resize     with all else as planned it could not keep its "
               "size: %s\n",
               w->why.text);
    } else if (fabs(w->alone - w->planned) < 1e-9) {
        printf("  resize     worth nothing by itself: at its old size and all "
               "else as planned the plan comes to the same\n");
    } else {
        printf("  resize     %s %s (the plan comes to %s), compared with its old "
               "size and all else as planned\n",
               w->alone < w->planned ? "costs" : "saves", saved, all);
    }
}

static void
print_alone(const struct dcp_explain *x, const struct dcp_worth_change *c,
            const struct dcp_worth *w)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    bool vm = c->kind == DCP_WORTH_VM_STAYS;
    const char *home =
        vm ? dcp_explain_host_name(inv, x->request.start->host[c->ix]) : "";
    char saved[64], all[64];

    dcp_explain_amount(w, fabs(w->alone - w->planned), saved, sizeof saved);
    dcp_explain_amount(w, w->planned, all, sizeof all);
    if (c->kind == DCP_WORTH_VM_KEEPS_SIZE) {
        print_resize(w, saved, all);
    } else if (w->refused) {
        printf("  worth      with all else as planned it could not stay %s%s: "
               "%s\n",
               vm ? "on " : "on", home, w->why.text);
    } else if (vm && fabs(w->alone - w->planned) < 1e-9) {
        printf("  worth      nothing by itself: with it still on %s and all "
               "else as planned the plan comes to the same\n",
               home);
    } else if (vm) {
        printf("  worth      its move %s %s (the plan comes to %s), compared "
               "with leaving it on %s and all else as planned%s\n",
               w->alone < w->planned ? "costs" : "saves", saved, all, home,
               w->switches_on ? ": that host would have to stay on for it"
                              : "");
    } else {
        printf("  worth      switching it off saves %s (the plan comes to "
               "%s), compared with leaving it on, idle, and all else as "
               "planned\n",
               saved, all);
    }
}

static void
print_replanned(const struct dcp_worth *w)
{
    char found[64], least[64], most[64];

    if (isnan(w->found)) {
        printf("             planned anew with it left as it was: no plan was "
               "found%s%s\n",
               w->because.text[0] ? "; " : "", w->because.text);
        return;
    }
    dcp_explain_amount(w, w->difference, found, sizeof found);
    dcp_explain_amount(w, w->at_least, least, sizeof least);
    dcp_explain_amount(w, w->at_most, most, sizeof most);
    if (dcp_worth_is_exact(w)) {
        printf("             planned anew either way: worth %s, proved\n",
               found);
    } else if (isinf(w->at_most)) {
        printf("             planned anew either way: worth %s by what was "
               "found; nothing is proved\n",
               found);
    } else {
        printf("             planned anew either way: worth %s by what was "
               "found; proved is that it is %s to %s\n",
               found, least, most);
    }
}

static bool
count(struct dcp_explain *x, const struct dcp_worth_change *c,
      struct dcp_worth *w, struct dcp_error *err)
{
    struct dcp_worth_base base = { 0 };
    DCP_AUTO(dcp_plan) struct dcp_plan *with = NULL;

    if (!dcp_worth_alone(&x->request, x->open.plan, c, w, err)) {
        return false;
    }
    bool grows = c->kind == DCP_WORTH_VM_KEEPS_SIZE &&
                 !dcp_vm_size_eq(
                     dcp_vm_size(c->was, c->ix),
                     dcp_vm_size_most(dcp_vm_size(c->was, c->ix),
                                      dcp_vm_size(x->request.inventory,
                                                  c->ix)));

    /* A larger VM is there for itself: without that a plan obeys less, not
     * more, and the two cannot be told apart by what was found. */
    if (!w->applies || !x->replan || grows) {
        return true;
    }
    bool ok = dcp_worth_base_make(&x->request, &base, err) &&
              dcp_worth_replan(&x->request, c, &base, w, &with, err);

    dcp_worth_base_finish(&base);
    return ok;
}

bool
dcp_explain_print_worth(struct dcp_explain *x, const struct dcp_worth_change *c,
                        struct dcp_error *err)
{
    const char *why_not;
    struct dcp_worth w;

    if (!dcp_explain_request(x, &why_not, err)) {
        return false;
    }
    if (why_not) {
        if (x->replan) {
            printf("  worth      %s\n", why_not);
        }
        return true;
    }
    if (!count(x, c, &w, err)) {
        return false;
    }
    if (w.applies) {
        print_alone(x, c, &w);
    }
    if (w.applies && w.replanned) {
        print_replanned(&w);
    }
    return true;
}

/* --- JSON --------------------------------------------------------------- */

void
dcp_explain_json_replanned(struct dcp_json *w, const struct dcp_worth *v,
                           const char *key)
{
    bool known = !isnan(v->found) && !isnan(v->best);
    char name[64];

    dcp_json_kstring(w, "status", dcp_status_name(v->status));
    dcp_json_kdouble(w, "best", v->best);
    dcp_json_kdouble(w, "least", v->least);
    dcp_json_kdouble(w, "found", v->found);
    dcp_json_kdouble(w, "found_least", v->found_least);
    dcp_json_kdouble(w, key, known ? v->difference : NAN);
    (void)snprintf(name, sizeof name, "%s_at_least", key);
    dcp_json_kdouble(w, name, known ? v->at_least : NAN);
    (void)snprintf(name, sizeof name, "%s_at_most", key);
    dcp_json_kdouble(w, name, known ? v->at_most : NAN);
    dcp_json_kbool(w, "exact", known && dcp_worth_is_exact(v));
}

bool
dcp_explain_json_worth(struct dcp_explain *x, struct dcp_json *w,
                       const struct dcp_worth_change *c, struct dcp_error *err)
{
    const char *key =
        c->kind == DCP_WORTH_VM_KEEPS_SIZE ? "resize_worth" : "worth";
    const char *why_not;
    struct dcp_worth v;

    if (!dcp_explain_request(x, &why_not, err)) {
        return false;
    }
    if (why_not) {
        dcp_json_knull(w, key);
        return true;
    }
    if (!count(x, c, &v, err)) {
        return false;
    }
    if (!v.applies) {
        dcp_json_knull(w, key);
        return true;
    }
    dcp_json_kobject(w, key);
    dcp_json_kstring(w, "unit", v.unit);
    dcp_json_kdouble(w, "planned", v.planned);
    dcp_json_kdouble(w, "alone", v.alone);
    dcp_json_kdouble(w, "cost_alone", v.alone - v.planned);
    dcp_json_kbool(w, "keeps_a_host_on", v.switches_on);
    if (v.refused) {
        dcp_json_kobject(w, "refused");
        dcp_place_json_refusal(w, &v.why);
        dcp_json_end(w, '}');
    } else {
        dcp_json_knull(w, "refused");
    }
    if (v.replanned) {
        dcp_json_kobject(w, "planned_again");
        dcp_explain_json_replanned(w, &v, "cost");
        dcp_json_end(w, '}');
    } else {
        dcp_json_knull(w, "planned_again");
    }
    dcp_json_end(w, '}');
    return true;
}
