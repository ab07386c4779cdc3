/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/plan_file.h"
#include "model/plan_facts.h"
#include "tests/support/world.h"

#include <check.h>
#include <time.h>
#include <unistd.h>

/* Two legs with every kind of step that the planner makes. */
static struct world
small_world(void)
{
    static const uint32_t front[] = { 0 }, restart[] = { 0, 1 };
    static const dcp_host_id to[] = { { 1 }, { 1 } };
    static const dcp_host_id berths_on[] = { { 0 }, { 1 } };
    static const uint32_t n_at[] = { 1, 7 }, parts[] = { 0, 1, 2 };
    static const struct dcp_object also[] = { { DCP_OBJECT_HOST, 1 } };
    struct world w = world_make(3, 3);
    struct dcp_port *port = WORLD_NEW(&w, struct dcp_port, 1);

    *port = (struct dcp_port){ .nic = "eth1",
                               .to = { 0 },
                               .port = "p1",
                               .vlans = { world_ids(&w, 1, front), 1 } };
    w.hosts[0].ports = port;
    w.hosts[0].n_ports = 1;
    w.vms[0].host.ix = 0;
    w.vms[1].host.ix = 2; /* v2 is not placed. */
    world_plan(&w, 2, 20);
    uint32_t trunk = world_vlan(&w, 0, 0, 1, true);
    uint32_t move = world_move(&w, 0, 1, 2, 0);

    world_wait(&w, move, trunk);
    w.steps[move - 1].mem_mib = 1000;
    w.steps[move - 1].frees = (struct dcp_object){ DCP_OBJECT_HOST, 2 };
    uint32_t off = world_power(&w, 0, 2, false);

    world_wait(&w, off, move);
    uint32_t on = world_power(&w, 1, 2, true);

    world_wait(&w, on, off);
    uint32_t back = world_move(&w, 1, 1, 0, 2);

    world_wait(&w, back, on);
    uint32_t untrunk = world_vlan(&w, 1, 0, 1, false);

    world_wait(&w, untrunk, back);
    (void)world_step(&w, 1, DCP_STEP_SYNC, (struct dcp_object){ 0 });
    struct dcp_survive *s =
        (struct dcp_survive *)dcp_arena_calloc(w.plan->arena, 3, sizeof *s);

    s[0] = (struct dcp_survive){ .leg = 0,
                                 .lose = { DCP_OBJECT_HOST, 0 },
                                 .vms = restart,
                                 .to = to,
                                 .n = 2 };
    s[1] = (struct dcp_survive){ .leg = 1,
                                 .lose = { DCP_OBJECT_HOST, 2 },
                                 .not_protected = restart + 1,
                                 .n_not_protected = 1 };
    s[2] = (struct dcp_survive){ .leg = 1,
                                 .lose = { DCP_OBJECT_HOST, 0 },
                                 .also = also,
                                 .n_also = 1,
                                 .stand_ins = to,
                                 .n_stand_ins = 1 };
    w.plan->survive = s;
    w.plan->n_survive = 3;
    struct dcp_berths *b =
        (struct dcp_berths *)dcp_arena_calloc(w.plan->arena, 2, sizeof *b);

    b[0] = (struct dcp_berths){ .lose = DCP_OBJECT_RACK,
                                .hosts = berths_on,
                                .n_at = n_at,
                                .n_hosts = 2,
                                .vms = restart,
                                .first = parts,
                                .n_parts = 2 };
    b[1] = (struct dcp_berths){ .leg = 1,
                                .lose = DCP_OBJECT_HOST,
                                .first = parts };
    w.plan->berths = b;
    w.plan->n_berths = 2;
    w.plan->options_json = "{\"gap\": 0.01, \"goal\": [\"cost\"]}";
    return w;
}

static struct dcp_text
print(struct world *w)
{
    struct dcp_text text = { 0 };
    struct dcp_error err = { 0 };

    ck_assert_msg(dcp_plan_print(w->inv, w->plan, &text, &err), "%s",
                  err.message);
    return text;
}

static struct dcp_plan *
parse(struct world *w, const char *text, struct dcp_error *err)
{
    return dcp_plan_parse(w->inv, text, strlen(text), "plan.json", err);
}

START_TEST(reads_back_what_it_prints)
{
    struct world w = small_world();
    struct dcp_text first = print(&w);
    struct dcp_error err = { 0 };
    struct dcp_plan *plan = parse(&w, first.data, &err);

    ck_assert_msg(plan != NULL, "%s", err.message);
    ck_assert_uint_eq(plan->n_steps, w.plan->n_steps);
    ck_assert_uint_eq(plan->n_survive, 3);
    ck_assert_uint_eq(plan->survive[2].also[0].ix, 1);
    ck_assert_uint_eq(plan->survive[2].stand_ins[0].ix, 1);
    ck_assert_uint_eq(plan->n_berths, 2);
    ck_assert_int_eq(plan->berths[0].lose, DCP_OBJECT_RACK);
    ck_assert_uint_eq(plan->berths[0].n_at[1], 7);
    ck_assert_uint_eq(plan->berths[0].first[2], 2);
    ck_assert_uint_eq(plan->berths[1].n_parts, 0);
    ck_assert_str_eq(plan->digest, w.plan->digest);
    ck_assert_uint_eq(plan->legs[0].after->on[2], 0);
    ck_assert_uint_eq(plan->before->host[2].ix, DCP_IX_NONE);
    ck_assert_uint_eq(plan->steps[1].frees.ix, 2);
    struct dcp_plan *mine = w.plan;

    w.plan = plan;
    struct dcp_text second = print(&w);

    ck_assert_str_eq(first.data, second.data);
    w.plan = mine;
    dcp_plan_destroy(plan);
    dcp_text_finish(&first);
    dcp_text_finish(&second);
    world_free(&w);
}
END_TEST

START_TEST(times_of_steps_are_read_back)
{
    struct world w = small_world();
    struct dcp_error err = { 0 };
    char text[200];

    w.steps[0].not_before_ms = WORLD_T0 + 60000;
    w.steps[1].start_by_ms = WORLD_T0 + 120000;
    w.steps[1].when_text = "rule 'db'";
    struct dcp_text first = print(&w);
    struct dcp_plan *plan = parse(&w, first.data, &err);

    ck_assert_msg(plan != NULL, "%s", err.message);
    ck_assert_int_eq(plan->steps[0].not_before_ms, WORLD_T0 + 60000);
    ck_assert_int_eq(plan->steps[0].start_by_ms, 0);
    ck_assert_int_eq(plan->steps[1].not_before_ms, 0);
    ck_assert_int_eq(plan->steps[1].start_by_ms, WORLD_T0 + 120000);
    ck_assert_str_eq(plan->steps[1].when_text, "rule 'db'");
    ck_assert_msg(strstr(dcp_step_print_when(&plan->steps[1], text,
                                             sizeof text),
                         "Z: rule 'db'") != NULL,
                  "%s", text);
    ck_assert_str_eq(dcp_step_print_when(&plan->steps[2], text, sizeof text),
                     "");
    dcp_plan_destroy(plan);
    dcp_text_finish(&first);
    world_free(&w);
}
END_TEST

START_TEST(resizes_are_read_back)
{
    struct world w = small_world();
    uint32_t id = world_resize(&w, 1, 0, 0, (struct dcp_vm_size){ 4, 512 });
    struct dcp_text text = print(&w);
    struct dcp_error err = { 0 };
    static const char *const parts[] = {
        "\"kind\": \"vm_resize\", \"object\": \"vm:v0\", \"from\": "
        "\"host:h0\", \"to\": \"host:h0\"",
        "\"code\": \"rightsize\"",
        "{\"fact\": \"vm_size\", \"object\": \"vm:v0\", \"is\": {\"vcpus\": 1, "
        "\"mem_mib\": 1000}}",
        "\"undo\": {\"kind\": \"vm_resize\", \"object\": \"vm:v0\", \"from\": "
        "\"host:h0\", \"to\": \"host:h0\", \"size\": {\"vcpus\": 1, "
        "\"mem_mib\": 1000}}",
        "\"cold\": true, \"size\": {\"from\": {\"vcpus\": 1, \"mem_mib\": "
        "1000}, \"to\": {\"vcpus\": 4, \"mem_mib\": 512}}",
        "\"sizes\": {\"v0\": {\"vcpus\": 4, \"mem_mib\": 512}}",
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_assert_msg(strstr(text.data, parts[i]) != NULL, "no %s in\n%s",
                      parts[i], text.data);
    }
    struct dcp_plan *plan = parse(&w, text.data, &err);

    ck_assert_msg(plan != NULL, "%s", err.message);
    ck_assert(plan->steps[id - 1].cold);
    ck_assert_uint_eq(plan->steps[id - 1].size_to.vcpus, 4);
    ck_assert_uint_eq(plan->legs[1].after->size[0].mem_mib, 512);
    ck_assert_ptr_null(plan->legs[0].after->size);
    dcp_plan_destroy(plan);
    /* Forged: its digest no longer holds. */
    char *at = strstr(text.data, "\"to\": {\"vcpus\": 4");

    at[strlen("\"to\": {\"vcpus\": ")] = '3';
    ck_assert_ptr_null(parse(&w, text.data, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

START_TEST(layout_and_derived_members_are_the_contract)
{
    struct world w = small_world();
    struct dcp_text text = print(&w);
    static const char *const lines[] = {
        "\n  {\"id\": 1, \"leg\": \"evening\", \"kind\": \"vlan_trunk\", "
        "\"object\": \"host:h0\", \"from\": null, \"to\": \"vlan:net1\", "
        "\"after\": [], \"estimate_ms\": 1000, \"reason\": {\"code\": "
        "\"empty_host\", \"text\": \"a test\"}, \"preconditions\": "
        "[{\"fact\": \"port_vlans\", \"object\": \"host:h0/eth1\", \"is\": "
        "[\"net0\"]}], \"undo\": {\"kind\": \"vlan_untrunk\", \"object\": "
        "\"host:h0\", \"to\": \"vlan:net1\"}},\n",
        "\"preconditions\": [{\"fact\": \"vm_host\", \"object\": \"vm:v1\", "
        "\"is\": \"host:h2\"}, {\"fact\": \"vm_state\", \"object\": "
        "\"vm:v1\", \"is\": \"running\"}], \"undo\": {\"kind\": \"migrate\", "
        "\"object\": \"vm:v1\", \"from\": \"host:h0\", \"to\": "
        "\"host:h2\"}",
        "\"is\": []}], \"undo\": {\"kind\": \"host_on\", \"object\": "
        "\"host:h2\"}}",
        "{\"fact\": \"host_power\", \"object\": \"host:h2\", \"is\": "
        "\"off\"}",
        "\"is\": [\"net0\", \"net1\"]}], \"undo\": {\"kind\": "
        "\"vlan_trunk\"",
        "{\"lose\": \"host:h2\", \"restart\": {}, \"not_protected\": "
        "[\"v1\"]}",
        "{\"lose\": [\"host:h0\", \"host:h1\"], \"restart\": {}, "
        "\"stand_ins\": [\"h1\"]}",
        "{\"lose\": \"rack\", \"hosts\": {\"h0\": 1, \"h1\": 7}, "
        "\"parts\": [[\"v0\"], [\"v1\"]]}",
        "\n \"before\": {\"vms\": {\"v0\": \"h0\", \"v1\": \"h2\"}, "
        "\"hosts_off\": []},\n",
        "\"preconditions\": [], \"undo\": null}",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(strstr(text.data, lines[i]) != NULL,
                      "not found: %s\nin:\n%s", lines[i], text.data);
    }
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

/* A copy of 'text' with the first 'old' replaced. */
static char *
edited(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);

    ck_assert_msg(at != NULL, "'%s' is not in the plan", old);
    size_t size = strlen(text) + strlen(new) + 1;
    char *copy = malloc(size);

    (void)snprintf(copy, size, "%.*s%s%s", (int)(at - text), text, new,
                   at + strlen(old));
    return copy;
}

START_TEST(digest_ignores_space_and_the_run_only)
{
    struct world w = small_world();
    struct dcp_text text = print(&w);
    static const struct {
        const char *old, *new;
        bool same;
    } edits[] = {
        { "\"serial\": 0", "\n\t\"serial\"  :0", true },
        { "\"plan_seconds\": 0", "\"plan_seconds\": 7.5", true },
        { "\"serial\": 0", "\"serial\": 1", false },
        { "\"a test\"", "\"a  test\"", false },
        { "\"schema\"", "\"x\": 1, \"schema\"", false },
        { "\"to\": \"host:h0\"", "\"to\": \"host:h1\"", false },
        { "\"run\"", "\"r\\u0075n\"", false },
    };

    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char *copy = edited(text.data, edits[i].old, edits[i].new);
        struct dcp_error err = { 0 };
        char digest[72];

        ck_assert(dcp_plan_digest(copy, strlen(copy), digest));
        ck_assert_msg(!strcmp(digest, w.plan->digest) == edits[i].same,
                      "edit %zu", i);
        struct dcp_plan *plan = parse(&w, copy, &err);

        ck_assert_msg((plan != NULL) == edits[i].same, "edit %zu: %s", i,
                      err.message);
        dcp_plan_destroy(plan);
        free(copy);
    }
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

START_TEST(refuses_with_place_and_code)
{
    struct world w = small_world();
    struct dcp_text text = print(&w);
    static const struct {
        const char *old, *new;
        enum dcp_code code;
        const char *message;
    } cases[] = {
        { "\"after\": [1]", "\"after\": \"x\"", DCP_E_PARSE,
          "steps[1].after: expected an array, found a string" },
        { "\"vm:v1\"", "\"vm:gone\"", DCP_E_STALE,
          "steps[1].object: 'vm:gone' is not in the model" },
        { "\"v0\": \"h0\"", "\"v0\": \"h9\"", DCP_E_STALE,
          "before: host 'h9' is not in the model" },
        { "\"migrate\"", "\"teleport\"", DCP_E_PARSE,
          "steps[1].kind: 'teleport' is not a kind of step" },
        { "\"estimate_ms\": 1000", "\"estimate_ms\": -1", DCP_E_PARSE,
          "steps[0].estimate_ms: is below 0" },
        { "\"parts\": [[", "\"parts\": [\"v0\", [", DCP_E_PARSE,
          "parts: expected an array of names" },
        { "dcplan/plan/1", "dcplan/plan/2", DCP_E_PARSE, "schema: " },
        { "\"a test\"", "\"another\"", DCP_E_STALE, "digest: does not" },
        { "\"id\": 2", "\"id\": 3", DCP_E_PARSE, "steps[1].id: is 3" },
        { "\"seed\": 0", "\"seed\": 0, \"seed\": 0", DCP_E_PARSE, "duplicate" },
        { "\"seed\": 0", "\"seed\": 99999999999999999999", DCP_E_PARSE, "" },
        { "{\"gap\": 0.01", "{{\"gap\": 0.01", DCP_E_PARSE, "" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *copy = edited(text.data, cases[i].old, cases[i].new);
        struct dcp_error err = { 0 };

        ck_assert_ptr_null(parse(&w, copy, &err));
        ck_assert_msg(err.code == cases[i].code &&
                          strstr(err.message, cases[i].message),
                      "case %zu: %d %s", i, err.code, err.message);
        ck_assert_str_eq(err.pos.path, "plan.json");
        free(copy);
    }
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

START_TEST(derived_members_are_verified)
{
    struct world w = small_world();
    struct dcp_text text = print(&w);
    struct dcp_error err = { 0 };
    char *bad = edited(text.data, "\"is\": \"running\"", "\"is\": \"off\"");
    char digest[72], uuid_line[100], new_line[100];

    /* With a digest that fits, so that only the derived member is wrong. */
    ck_assert(dcp_plan_digest(bad, strlen(bad), digest));
    char *bad2 = edited(bad, w.plan->digest, digest);
    struct dcp_plan *plan = parse(&w, bad2, &err);

    ck_assert_ptr_null(plan);
    ck_assert_msg(strstr(err.message, "UUID") != NULL, "%s", err.message);
    const char *want = strchr(err.message, '(') + 1;

    (void)snprintf(uuid_line, sizeof uuid_line, "\"plan\": \"%s\"",
                   w.plan->uuid);
    (void)snprintf(new_line, sizeof new_line, "\"plan\": \"%.36s\"", want);
    char *bad3 = edited(bad2, uuid_line, new_line);

    ck_assert_ptr_null(parse(&w, bad3, &err));
    ck_assert_int_eq(err.code, DCP_E_STALE);
    ck_assert_msg(strstr(err.message, "steps[1].preconditions") != NULL, "%s",
                  err.message);
    free(bad);
    free(bad2);
    free(bad3);
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

START_TEST(refuses_every_prefix)
{
    struct world w = small_world();
    struct dcp_text text = print(&w);

    for (size_t n = 0; n + 1 < text.length; n += 7) {
        struct dcp_error err = { 0 };

        ck_assert_ptr_null(
            dcp_plan_parse(w.inv, text.data, n, "plan.json", &err));
        ck_assert_int_eq(err.code, DCP_E_PARSE);
    }
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

START_TEST(refuses_deep_nesting)
{
    struct world w = small_world();
    struct dcp_error err = { 0 };
    size_t n = 100000;
    char *deep = malloc(n + 1);

    memset(deep, '[', n);
    deep[0] = '{';
    deep[n] = '\0';
    ck_assert_ptr_null(parse(&w, deep, &err));
    ck_assert_int_eq(err.code, DCP_E_PARSE);
    free(deep);
    world_free(&w);
}
END_TEST

START_TEST(options_must_be_json)
{
    struct world w = small_world();
    struct dcp_text text = { 0 };
    struct dcp_error err = { 0 };

    w.plan->options_json = "{\"open";
    ck_assert(!dcp_plan_print(w.inv, w.plan, &text, &err));
    ck_assert_int_eq(err.code, DCP_E_ARGUMENT);
    ck_assert_uint_eq(text.length, 0);
    world_free(&w);
}
END_TEST

START_TEST(saves_and_loads_and_leaves_no_part)
{
    struct world w = small_world();
    struct dcp_error err = { 0 };
    char dir[] = "/tmp/dcplan-test-XXXXXX", path[64], wrong[64];

    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/plan.json", dir);
    (void)snprintf(wrong, sizeof wrong, "%s/no/plan.json", dir);
    ck_assert_msg(dcp_plan_save(w.inv, w.plan, path, &err), "%s", err.message);
    struct dcp_plan *plan = dcp_plan_load(w.inv, path, &err);

    ck_assert_msg(plan != NULL, "%s", err.message);
    dcp_plan_destroy(plan);
    ck_assert(!dcp_plan_save(w.inv, w.plan, wrong, &err));
    ck_assert_int_eq(err.code, DCP_E_IO);
    ck_assert_ptr_null(dcp_plan_load(w.inv, wrong, &err));
    ck_assert_int_eq(err.code, DCP_E_NOT_FOUND);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    world_free(&w);
}
END_TEST

static double
cpu_seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The bounds are the contract's, with room for a slow machine. */
START_TEST(sixty_thousand_steps_are_quick)
{
    enum { HOSTS = 10000, VMS = 100000, STEPS = 60000 };
    struct world w = world_make(HOSTS, VMS);
    struct dcp_error err = { 0 };

    for (uint32_t v = 0; v < VMS; v++) {
        w.vms[v].host.ix = v % HOSTS;
    }
    world_plan(&w, 2, STEPS);
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t id =
            world_move(&w, i >= STEPS / 2, i, i % HOSTS, (i + 1) % HOSTS);

        if (i > 10) {
            world_wait(&w, id, id - 10);
        }
    }
    double t0 = cpu_seconds();
    struct dcp_text text = print(&w);
    double t1 = cpu_seconds();
    struct dcp_plan *plan = parse(&w, text.data, &err);
    double t2 = cpu_seconds();

    ck_assert_msg(plan != NULL, "%s", err.message);
    printf("60,000 steps, %zu MiB: print %.2f s, parse %.2f s\n",
           text.length >> 20, t1 - t0, t2 - t1);
    ck_assert_double_lt(t1 - t0, 6.0 * DCP_TEST_SLOWNESS);
    ck_assert_double_lt(t2 - t1, 16.0 * DCP_TEST_SLOWNESS);
    dcp_plan_destroy(plan);
    dcp_text_finish(&text);
    world_free(&w);
}
END_TEST

/* What undoes a step carries the other sign; waiting carries none. */
START_TEST(symbols_pair_up)
{
    static const enum dcp_step_kind up_down[][2] = {
        { DCP_STEP_VM_CREATE, DCP_STEP_VM_DESTROY },
        { DCP_STEP_VM_START, DCP_STEP_VM_STOP },
        { DCP_STEP_VM_RESTORE, DCP_STEP_VM_PARK },
        { DCP_STEP_VOLUME_CREATE, DCP_STEP_VOLUME_DELETE },
        { DCP_STEP_VLAN_TRUNK, DCP_STEP_VLAN_UNTRUNK },
        { DCP_STEP_IP_ALLOCATE, DCP_STEP_IP_RELEASE },
        { DCP_STEP_HOST_ON, DCP_STEP_HOST_OFF },
    };

    for (size_t i = 0; i < sizeof up_down / sizeof up_down[0]; i++) {
        ck_assert_int_eq(dcp_step_symbol(up_down[i][0]), '+');
        ck_assert_int_eq(dcp_step_symbol(up_down[i][1]), '-');
    }
    ck_assert_int_eq(dcp_step_symbol(DCP_STEP_MIGRATE), '~');
    ck_assert_int_eq(dcp_step_symbol(DCP_STEP_VM_RESIZE), '~');
    ck_assert_int_eq(dcp_step_symbol(DCP_STEP_VOLUME_MOVE), '~');
    ck_assert_int_eq(dcp_step_symbol(DCP_STEP_VOLUME_GROW), '~');
    ck_assert_int_eq(dcp_step_symbol(DCP_STEP_SYNC), ' ');
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("plan_file");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, reads_back_what_it_prints);
    tcase_add_test(tc, times_of_steps_are_read_back);
    tcase_add_test(tc, resizes_are_read_back);
    tcase_add_test(tc, layout_and_derived_members_are_the_contract);
    tcase_add_test(tc, digest_ignores_space_and_the_run_only);
    tcase_add_test(tc, refuses_with_place_and_code);
    tcase_add_test(tc, derived_members_are_verified);
    tcase_add_test(tc, refuses_every_prefix);
    tcase_add_test(tc, refuses_deep_nesting);
    tcase_add_test(tc, options_must_be_json);
    tcase_add_test(tc, saves_and_loads_and_leaves_no_part);
    tcase_add_test(tc, sixty_thousand_steps_are_quick);
    tcase_add_test(tc, symbols_pair_up);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
