/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Each fixture is asked of the script alone, or of the model with everything
 * that counts in it. */

#include "cli/commands.h"
#include "cli/context.h"
#include "cli/named.h"
#include "cli/place.h"
#include "cli/ui.h"
#include "model/base/units.h"
#include "model/policy_test.h"
#include "model/script/judge_model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAITS_MAX 32

struct tester {
    const struct dcp_globals *g;
    const struct dcp_inventory *inv;
    const struct dcp_placement *placement;
    const struct dcp_demand *demand;
};

struct verdict {
    bool passed;
    char got[256]; /* "true", "12.5", "h2", or why there is no answer. */
};

/* --- Subjects ----------------------------------------------------------- */

static const char *
name_in(const struct dcp_policy_subject *s)
{
    for (uint32_t i = 0; i < s->n_traits; i++) {
        if (!strcmp(s->traits[i].field, "name")) {
            return s->traits[i].text;
        }
    }
    return NULL;
}

static struct dcp_trait
read_trait(const struct dcp_policy_trait *t)
{
    double number;

    if (!t->quoted && (!strcmp(t->text, "true") || !strcmp(t->text, "false"))) {
        return (struct dcp_trait){ DCP_TRAIT_BOOL, t->text[0] == 't', NULL };
    }
    if (!t->quoted && dcp_scan_double(t->text, &number) && isfinite(number)) {
        return (struct dcp_trait){ DCP_TRAIT_NUMBER, number, NULL };
    }
    return (struct dcp_trait){ DCP_TRAIT_TEXT, 0, t->text };
}

/* The model's where only a name is given that it has, else as given. */
static bool
subject(const struct tester *t, enum dcp_trait_side side,
        const struct dcp_policy_subject *s, struct dcp_given_trait *given,
        struct dcp_trait_subject *out, struct dcp_error *err)
{
    const char *name = name_in(s);
    const struct dcp_strmap *map =
        side == DCP_TRAIT_VM ? &t->inv->vm_by_name : &t->inv->host_by_name;
    uint32_t ix =
        name && s->n_traits == 1 ? dcp_strmap_find(map, name) : DCP_STRMAP_NONE;

    *out = (struct dcp_trait_subject){ .side = side };
    if (ix != DCP_STRMAP_NONE) {
        out->inventory = t->inv;
        out->ix = ix;
        return true;
    }
    if (s->n_traits > TRAITS_MAX) {
        return dcp_fail(err, DCP_E_PARSE, "more than %d fields", TRAITS_MAX);
    }
    for (uint32_t i = 0; i < s->n_traits; i++) {
        struct dcp_trait any;
        char near[48];

        given[i] = (struct dcp_given_trait){ s->traits[i].field,
                                             read_trait(&s->traits[i]) };
        out->n_given = i + 1;
        out->given = given;
        if (!dcp_trait_read(out, s->traits[i].field, &any, near)) {
            return dcp_fail(err, DCP_E_PARSE, "a %s has no field '%.40s'%s%s%s",
                            side == DCP_TRAIT_VM ? "vm" : "host",
                            s->traits[i].field, *near ? "; did you mean '" : "",
                            near, *near ? "'?" : "");
        }
    }
    return true;
}

/* --- Asking ------------------------------------------------------------- */

/* The script of that name, and its kind. */
static const struct dcp_script_text *
find_script(const struct dcp_inventory *inv, const char *name,
            enum dcp_script_kind *out)
{
    for (uint32_t i = 0; i < inv->n_scores; i++) {
        if (!strcmp(inv->scores[i].name, name)) {
            *out = DCP_SCRIPT_SCORE;
            return &inv->scores[i].script;
        }
    }
    for (uint32_t i = 0; i < inv->n_filters; i++) {
        if (!strcmp(inv->filters[i].name, name)) {
            *out = DCP_SCRIPT_FILTER;
            return &inv->filters[i].script;
        }
    }
    return NULL;
}

static bool
judge_answer(const struct dcp_policy_test *test, enum dcp_script_kind kind,
             const struct dcp_script_answer *answer, struct verdict *out,
             struct dcp_error *err)
{
    double want;

    if (kind == DCP_SCRIPT_FILTER) {
        (void)snprintf(out->got, sizeof out->got, "%s%s%s",
                       answer->allowed ? "true" : "false",
                       *answer->reason ? ": " : "", answer->reason);
        out->passed = !strcmp(test->expect, answer->allowed ? "true" : "false");
        return true;
    }
    if (!dcp_scan_double(test->expect, &want)) {
        return dcp_fail(err, DCP_E_PARSE,
                        "expect: '%.40s' is no number, and a score says one",
                        test->expect);
    }
    (void)snprintf(out->got, sizeof out->got, "%.10g", answer->score);
    out->passed = fabs(answer->score - want) <= 1e-9 * fmax(1, fabs(want));
    return true;
}

static bool
ask_script(const struct tester *t, const struct dcp_policy_test *test,
           struct verdict *out, struct dcp_error *err)
{
    enum dcp_script_kind kind;
    const struct dcp_script_text *text =
        find_script(t->inv, test->script, &kind);
    struct dcp_given_trait of_vm[TRAITS_MAX], of_host[TRAITS_MAX];
    struct dcp_trait_subject vm, host;
    struct dcp_script_answer answer;

    if (!text) {
        return dcp_fail(err, DCP_E_PARSE,
                        "there is no score or filter '%.60s' in the model or "
                        "the policy file",
                        test->script);
    }
    DCP_AUTO(dcp_script)
    struct dcp_script *script = dcp_script_create(text, test->script, err);

    return script && subject(t, DCP_TRAIT_VM, &test->vm, of_vm, &vm, err) &&
           subject(t, DCP_TRAIT_HOST, &test->host, of_host, &host, err) &&
           dcp_script_call(script, kind, &vm, &host, &answer, err) &&
           judge_answer(test, kind, &answer, out, err);
}

/* May the VM be on the host, and which host is best for it? */
static bool
ask_model(const struct tester *t, const struct dcp_policy_test *test,
          struct verdict *out, struct dcp_error *err)
{
    struct dcp_question q =
        dcp_place_question(t->inv, t->demand, t->placement, true);
    const char *vm_name = name_in(&test->vm);
    const char *host_name = name_in(&test->host);
    dcp_vm_id vm;
    dcp_host_id host = dcp_host_none();

    if (!vm_name || (*test->expect && !host_name)) {
        return dcp_fail(err, DCP_E_PARSE,
                        "without 'script' the vm%s named as in the model: "
                        "{name: N}",
                        *test->expect ? " and the host are" : " is");
    }
    if (!dcp_named_vm(t->inv, vm_name, &vm, err) ||
        (host_name && !dcp_named_host(t->inv, host_name, &host, err))) {
        return false;
    }
    DCP_AUTO(dcp_problem) struct dcp_problem *p = dcp_problem_create(&q, err);
    DCP_AUTO(dcp_state)
    struct dcp_state *s = p ? dcp_state_create(p, err) : NULL;
    struct dcp_place_options o = { .limit = 1, .wake = true };
    struct dcp_place_ranking ranking;

    if (!s || !dcp_place_rank(s, p->item_of_vm[vm.ix], &o, &ranking, err)) {
        return false;
    }
    if (*test->best) {
        const char *best = ranking.n_candidates
                               ? t->inv->hosts[ranking.candidates[0].host].name
                               : "no host";

        (void)snprintf(out->got, sizeof out->got, "%.200s", best);
        out->passed = !strcmp(best, test->best);
    } else {
        bool may = true;

        (void)snprintf(out->got, sizeof out->got, "true");
        for (uint32_t i = 0; i < ranking.n_refused; i++) {
            if (ranking.refused[i].host == host.ix) {
                may = false;
                (void)snprintf(out->got, sizeof out->got, "false: %.200s",
                               ranking.refused[i].why.text);
            }
        }
        out->passed = !strcmp(test->expect, may ? "true" : "false");
    }
    dcp_place_ranking_finish(&ranking);
    return true;
}

/* A fixture that cannot be asked has failed, with the reason. */
static struct verdict
ask(const struct tester *t, const struct dcp_policy_test *test)
{
    struct verdict v = { 0 };
    struct dcp_error err = { 0 };
    bool ok = *test->script ? ask_script(t, test, &v, &err)
                            : ask_model(t, test, &v, &err);

    if (!ok) {
        (void)snprintf(v.got, sizeof v.got, "%.250s", err.message);
    }
    return v;
}

/* --- Output ------------------------------------------------------------- */

static const char *
expected(const struct dcp_policy_test *test)
{
    return *test->best ? test->best : test->expect;
}

static void
print_text(const struct tester *t, const struct dcp_policy_test *test,
           const struct verdict *v)
{
    const char *red = t->g->color_out ? "\033[31m" : "";
    const char *plain = t->g->color_out ? "\033[0m" : "";

    if (v->passed) {
        printf("ok      %s\n", test->name);
        return;
    }
    printf("%sFAILED%s  %s\n        %s:%u: expected %s, got %s\n", red, plain,
           test->name, test->pos.path ? test->pos.path : "?", test->pos.line,
           expected(test), v->got);
}

static int
run_tests(const struct tester *t, struct dcp_error *err)
{
    struct dcp_json w;
    uint32_t n = t->inv->n_policy_tests, n_passed = 0;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/policy-test/1");
    dcp_json_karray(&w, "tests");
    for (uint32_t i = 0; i < n; i++) {
        const struct dcp_policy_test *test = &t->inv->policy_tests[i];
        struct verdict v = ask(t, test);

        n_passed += v.passed;
        dcp_json_begin_line(&w, '{');
        dcp_json_kstring(&w, "name", test->name);
        dcp_json_kbool(&w, "passed", v.passed);
        dcp_json_kstring(&w, "expected", expected(test));
        dcp_json_kstring(&w, "got", v.got);
        dcp_json_ku64(&w, "line", test->pos.line);
        dcp_json_end(&w, '}');
        if (!t->g->json) {
            print_text(t, test, &v);
        }
    }
    dcp_json_end(&w, ']');
    dcp_json_ku64(&w, "passed", n_passed);
    dcp_json_ku64(&w, "failed", n - n_passed);
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(t->g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');

    int status = n_passed == n ? 0 : 3;

    if (t->g->json) {
        return dcp_ui_json(&w, status, err);
    }
    dcp_json_finish(&w);
    printf("%u passed, %u failed\n", n_passed, n - n_passed);
    return status;
}

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    struct dcp_globals mine = *g;
    struct dcp_context context;
    struct dcp_slot slots[DCP_WEEK_SLOTS_MAX];
    int status = -1;

    (void)options;
    if (n_args) {
        if (g->policy_file) {
            (void)dcp_fail(err, DCP_E_USAGE,
                           "FILE and --policy-file are the same: give one");
            return -1;
        }
        mine.policy_file = args[0];
    }
    if (!mine.policy_file) {
        (void)dcp_fail(err, DCP_E_USAGE,
                       "which policy file? `dcplan policy test FILE`");
        return -1;
    }
    if (!dcp_context_open(&mine, NULL, &context, err)) {
        return -1;
    }
    const struct dcp_inventory *inv = context.model.inventory;
    uint32_t n = dcp_week_slots(inv, g->now_ms, slots);
    DCP_AUTO(dcp_demand)
    struct dcp_demand *demand =
        dcp_context_demand(&context, slots, n, INT64_MIN, INT64_MAX, err);

    if (demand && !inv->n_policy_tests) {
        (void)dcp_fail(err, DCP_E_USAGE, "'%.200s' has no tests",
                       mine.policy_file);
    } else if (demand) {
        struct tester t = { &mine, inv, context.model.placement, demand };

        status = run_tests(&t, err);
    }
    dcp_context_close(&context);
    return status;
}

const struct dcp_command dcp_cmd_policy_test = {
    .name = "policy test",
    .summary = "run the tests of a policy file",
    .synopsis = "FILE",
    .details =
        "Each test asks one script, or the whole model, and compares.  "
        "docs/business-logic.md\nshows how they are written.  Exit status 3 "
        "when one fails.\n\n"
        "Examples:\n"
        "  dcplan policy test night.yaml\n"
        "  dcplan policy test night.yaml --json | jq .failed\n",
    .max_args = 1,
    .run = run,
};
