/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The sandbox: what a script may say, what it may not reach, and that no
 * script runs for long, takes much memory or brings the program down. */

#include "model/script/judge_pairs.h"

#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct dcp_given_trait vm_traits[] = {
    { "name", { DCP_TRAIT_TEXT, 0, "web-1" } },
    { "tier", { DCP_TRAIT_TEXT, 0, "gold" } },
    { "vcpus", { DCP_TRAIT_NUMBER, 4, NULL } },
    { "tag.pci", { DCP_TRAIT_BOOL, 1, NULL } },
};
static const struct dcp_given_trait host_traits[] = {
    { "name", { DCP_TRAIT_TEXT, 0, "h1" } },
    { "cpu_generation", { DCP_TRAIT_TEXT, 0, "naples" } },
    { "cores", { DCP_TRAIT_NUMBER, 32, NULL } },
};
static const struct dcp_trait_subject vm = { DCP_TRAIT_VM, NULL, 0, vm_traits,
                                             4 };
static const struct dcp_trait_subject host = { DCP_TRAIT_HOST, NULL, 0,
                                               host_traits, 3 };

static struct dcp_script *
compile(const char *lua, const char *name, struct dcp_error *err)
{
    static struct dcp_script_text text; /* One script at a time. */

    text = (struct dcp_script_text){ lua, { "policy.yaml", 10, 5 }, true };
    return dcp_script_create(&text, name, err);
}

static bool
ask(const char *text, enum dcp_script_kind kind, struct dcp_script_answer *out,
    struct dcp_error *err)
{
    DCP_AUTO(dcp_script)
    struct dcp_script *s = compile(text, "filter 'f'", err);

    return s && dcp_script_call(s, kind, &vm, &host, out, err);
}

#define FAILS(TEXT, MESSAGE)                                                   \
    do {                                                                       \
        struct dcp_script_answer a_;                                           \
        struct dcp_error e_ = { 0 };                                           \
        ck_assert(!ask(TEXT, DCP_SCRIPT_FILTER, &a_, &e_));                    \
        ck_assert_msg(strstr(e_.message, MESSAGE) != NULL,                     \
                      "'%s' is not in "                                        \
                      "'%s'",                                                  \
                      MESSAGE, e_.message);                                    \
    } while (0)
#define HOLDS(TEXT)                                                            \
    do {                                                                       \
        struct dcp_script_answer a_;                                           \
        struct dcp_error e_ = { 0 };                                           \
        ck_assert_msg(ask("return " TEXT, DCP_SCRIPT_FILTER, &a_, &e_), "%s",  \
                      e_.message);                                             \
        ck_assert_msg(a_.allowed, "not so: %s", TEXT);                         \
    } while (0)

START_TEST(filters_answer)
{
    struct dcp_script_answer a;
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_script)
    struct dcp_script *s = compile(
        "if vm.tier == 'gold' and host.cpu_generation ~= 'skylake' "
        "then\n return false, 'gold runs on skylake'\nend\nreturn true",
        "filter 'f'", &err);

    ck_assert_ptr_nonnull(s);
    ck_assert(dcp_script_call(s, DCP_SCRIPT_FILTER, &vm, &host, &a, &err));
    ck_assert(!a.allowed);
    ck_assert_str_eq(a.reason, "gold runs on skylake");
    ck_assert_uint_eq(a.n_reads, 2);
    ck_assert_str_eq(a.reads[0].field, "tier");
    ck_assert_int_eq(a.reads[1].side, DCP_TRAIT_HOST);
    ck_assert(ask("return host.cores / vm.vcpus", DCP_SCRIPT_SCORE, &a, &err));
    ck_assert_double_eq(a.score, 8);
    HOLDS("vm.tag.pci and not vm.tag.other and vm.extra.gpu == 0");
    HOLDS("vm.name:starts('web-') and vm.name:ends('-1')");
    HOLDS("vm.name:contains('eb') and not vm.name:contains('x')");
    HOLDS("host.site == nil and math.max(1, 2) == 2");
    HOLDS("string.format('%05.1f|%s', 1.25, 'x') == '001.2|x'");
    HOLDS("tostring(vm.vcpus) == '4' and ('x'):rep(3) == 'xxx'");
}
END_TEST

START_TEST(mistakes_have_their_line)
{
    struct dcp_script_answer a;
    struct dcp_error err = { 0 };

    ck_assert(
        !ask("local x = 1\nreturn vm.teir == x", DCP_SCRIPT_FILTER, &a, &err));
    ck_assert_str_eq(err.message, "filter 'f': a vm has no field 'teir'; did "
                                  "you mean 'tier'?");
    ck_assert_uint_eq(err.pos.line, 12);
    ck_assert(!ask("return (", DCP_SCRIPT_FILTER, &a, &err));
    ck_assert_uint_eq(err.pos.line, 11);
    FAILS("return 1", "returns true or false, not number");
    FAILS("", "returns true or false, not nil");
    FAILS("return true .. nil", "concatenate");
    FAILS("x = 1", "it cannot be set");
    FAILS("vm.tier = 'x' return true", "it cannot be set");
    FAILS("return vm[1]", "fields have names");
    FAILS("error({})", "no text");
    ck_assert(!ask("return 0/0", DCP_SCRIPT_SCORE, &a, &err));
    ck_assert(!ask("return 'x'", DCP_SCRIPT_SCORE, &a, &err));
}
END_TEST

START_TEST(the_world_is_out_of_reach)
{
    FAILS("return io.open('/etc/passwd') ~= nil", "there is no 'io' here");
    FAILS("os.exit(1)", "there is no 'os'");
    FAILS("return require('x')", "there is no 'require'");
    FAILS("return load('return true')()", "there is no 'load'");
    FAILS("return dofile('/dev/stdin')", "there is no 'dofile'");
    FAILS("return pcall(error)", "there is no 'pcall'");
    FAILS("return pairs({})", "there is no 'pairs'");
    FAILS("print(1)", "there is no 'print'");
    FAILS("return _G ~= nil", "there is no '_G'");
    FAILS("return getmetatable('') ~= nil", "there is no 'getmetatable'");
    FAILS("return debug ~= nil", "there is no 'debug'");
    FAILS("return coroutine ~= nil", "there is no 'coroutine'");
    FAILS("return math.random() < 1", "nil value");
    FAILS("return ('x'):find('x')", "nil value");
    FAILS("return string.format('%p', 'x') == ''", "no such conversion");
    FAILS("return tostring({}) == ''", "has no text");
    FAILS("return string.format('%s', vm) == ''", "has no text");
    FAILS("\033LuaS", "unexpected symbol");
}
END_TEST

START_TEST(limits_hold)
{
    FAILS("while true do end", "more than 200000 instructions");
    FAILS("local function f() return f() end return f()", "instructions");
    FAILS("local function f() return 1 + f() end return f() > 0", "");
    FAILS("local t = {} for i = 1, 1e9 do t[i] = i end", "");
    FAILS("local s = 'x' while true do s = s .. s end", "not enough memory");
    FAILS("return ('x'):rep(1e9) == ''", "");
    FAILS("local n = 0 while true do n = n + #('x'):rep(1e5) end",
          "not enough memory");
    FAILS("local s = ('x'):rep(1e5) while true do local b = s:contains('y') "
          "end",
          "instructions");
}
END_TEST

START_TEST(one_script_answers_again_after_an_error)
{
    struct dcp_error err = { 0 };
    struct dcp_script_answer a;
    DCP_AUTO(dcp_script)
    struct dcp_script *s =
        compile("if host.name == nil then while true do end end return true",
                "filter 'f'", &err);
    struct dcp_trait_subject nameless = { DCP_TRAIT_HOST, NULL, 0, NULL, 0 };

    ck_assert_ptr_nonnull(s);
    for (int i = 0; i < 100; i++) {
        ck_assert(
            !dcp_script_call(s, DCP_SCRIPT_FILTER, &vm, &nameless, &a, &err));
        ck_assert(dcp_script_call(s, DCP_SCRIPT_FILTER, &vm, &host, &a, &err));
        ck_assert(a.allowed);
    }
}
END_TEST

/* --- Tables of pairs ---------------------------------------------------- */

#define N_VMS   60u
#define N_HOSTS 14u

static struct dcp_inventory *
make_inventory(void)
{
    struct dcp_error err;
    struct dcp_inventory *inv = dcp_inventory_create(&err);
    struct dcp_vm *vms;
    struct dcp_host *hosts;
    struct dcp_hardware *hw;
    struct dcp_tier *tiers;

    ck_assert_ptr_nonnull(inv);
    vms = dcp_arena_array(inv->arena, struct dcp_vm, N_VMS);
    hosts = dcp_arena_array(inv->arena, struct dcp_host, N_HOSTS);
    hw = dcp_arena_array(inv->arena, struct dcp_hardware, 2);
    tiers = dcp_arena_array(inv->arena, struct dcp_tier, 3);
    for (uint32_t t = 0; t < 3; t++) {
        tiers[t].name = dcp_arena_printf(inv->arena, "tier-%u", t);
    }
    for (uint32_t t = 0; t < 2; t++) {
        hw[t].name = t ? "new" : "old";
        hw[t].cpu_generation = t ? "skylake" : "naples";
        hw[t].cpu_arch = "x86_64";
        hw[t].sockets = 2;
        hw[t].cores_per_socket = 8 + 8 * t;
    }
    for (uint32_t v = 0; v < N_VMS; v++) {
        vms[v] =
            (struct dcp_vm){ .name = dcp_arena_printf(inv->arena, "v%u", v),
                             .tier = { v % 3 },
                             .tenant = dcp_tenant_none(),
                             .application = dcp_application_none(),
                             .profile = dcp_profile_none(),
                             .os = v % 2 ? "debian" : "",
                             .cpu_generation_min = "",
                             .vcpus = 1 + v % 5 };
    }
    for (uint32_t h = 0; h < N_HOSTS; h++) {
        hosts[h] =
            (struct dcp_host){ .name = dcp_arena_printf(inv->arena, "h%u", h),
                               .hardware = { h % 2 },
                               .rack = dcp_rack_none(),
                               .hypervisor = dcp_hypervisor_none() };
    }
    inv->vms = vms;
    inv->n_vms = N_VMS;
    inv->hosts = hosts;
    inv->n_hosts = N_HOSTS;
    inv->hardware = hw;
    inv->n_hardware = 2;
    inv->tiers = tiers;
    inv->n_tiers = 3;
    return inv;
}

/* The table says of each pair what the script says of it alone. */
static void
compare(const char *text, enum dcp_script_kind kind, uint32_t most_classes)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = make_inventory();
    DCP_AUTO(dcp_script)
    struct dcp_script *s = compile(text, "s", &err);
    uint32_t list[N_VMS], n = 0;

    ck_assert_ptr_nonnull(s);
    for (uint32_t v = 0; v < N_VMS; v++) {
        if (v % 7 != 3) {
            list[n++] = v;
        }
    }
    const struct dcp_pairs *p =
        dcp_judge_pairs(s, kind, inv, list, n, inv->arena, &err);

    ck_assert_msg(p != NULL, "%s", err.message);
    ck_assert_uint_le(p->n_classes, most_classes);
    for (uint32_t v = 0; v < N_VMS; v++) {
        for (uint32_t h = 0; h < N_HOSTS; h++) {
            struct dcp_trait_subject a = { DCP_TRAIT_VM, inv, v, NULL, 0 };
            struct dcp_trait_subject b = { DCP_TRAIT_HOST, inv, h, NULL, 0 };
            const struct dcp_pair_verdict *said = dcp_pairs_verdict(p, v, h);
            struct dcp_script_answer own;

            if (v % 7 == 3) {
                ck_assert_ptr_null(said);
                continue;
            }
            ck_assert(dcp_script_call(s, kind, &a, &b, &own, &err));
            ck_assert_int_eq(said->allowed, own.allowed);
            ck_assert_double_eq(said->score, own.score);
            ck_assert_str_eq(said->reason, own.reason);
        }
    }
}

START_TEST(tables_agree_with_the_script)
{
    compare("return true", DCP_SCRIPT_FILTER, 1);
    compare("return vm.tier ~= 'tier-1' or host.cpu_generation == 'skylake'",
            DCP_SCRIPT_FILTER, 3);
    compare("if host.hardware == 'new' then return vm.os == 'debian', 'os' "
            "end return vm.vcpus <= 2, 'size'",
            DCP_SCRIPT_FILTER, 10);
    compare("if vm.vcpus == 5 then return host.cores end "
            "if vm.tier == 'tier-2' then return vm.vcpus end return 0.5",
            DCP_SCRIPT_SCORE, 15);
    compare("return #vm.name + #host.name", DCP_SCRIPT_SCORE, N_VMS);
}
END_TEST

START_TEST(a_failing_script_names_the_pair)
{
    struct dcp_error err = { 0 };
    DCP_AUTO(dcp_inventory) struct dcp_inventory *inv = make_inventory();
    DCP_AUTO(dcp_script)
    struct dcp_script *s =
        compile("return vm.vcpus < 5 or host.tier == 1", "s", &err);
    uint32_t list[] = { 2, 4 };

    ck_assert_ptr_null(
        dcp_judge_pairs(s, DCP_SCRIPT_FILTER, inv, list, 2, inv->arena, &err));
    ck_assert_str_eq(err.message, "s: a host has no field 'tier' (asked of vm "
                                  "'v4' on host 'h0')");
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &filters_answer,
        &mistakes_have_their_line,
        &the_world_is_out_of_reach,
        &limits_hold,
        &one_script_answers_again_after_an_error,
        &tables_agree_with_the_script,
        &a_failing_script_names_the_pair,
    };

    return RUN_TESTS("script", tests);
}
