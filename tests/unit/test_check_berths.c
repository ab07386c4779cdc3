/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Berths by hand: what the checker passes, and that each thing that berths must
 * be is asked for by itself. */

#include "tests/support/verdict.h"
#include "tests/unit/run_suite.h"

enum { N_HOSTS = 4, N_VMS = 3, ROOM = 8 };

/* A pool for the loss of any two hosts, to be changed before it is judged. */
struct berthed {
    struct world w;
    uint32_t host[ROOM], n_at[ROOM], n_hosts;
    uint32_t vms[ROOM], first[ROOM], n_parts;
};

/* v0 on h0 and v1 on h1 are parts of their own; h2 and h3 are empty and have a
 * berth each.  v2 has no promise and no host. */
static struct berthed
two_berths(void)
{
    struct berthed b = { .w = world_make(N_HOSTS, N_VMS),
                         .host = { 2, 3 },
                         .n_at = { 1, 1 },
                         .n_hosts = 2,
                         .vms = { 0, 1 },
                         .first = { 0, 1, 2 },
                         .n_parts = 2 };
    struct dcp_policy *policy = &b.w.inv->policy;

    for (uint32_t v = 0; v < 2; v++) {
        b.w.vms[v].host.ix = v;
        b.w.vms[v].mem_mib = 60000;
        world_need(&b.w, v, 1000);
    }
    b.w.vms[2].tier.ix = 1;
    policy->survive[0].kind = DCP_LOSS_HOST;
    policy->survive[0].count = 2;
    policy->n_survive = 1;
    policy->protect_tiers = 1; /* Of the first tier. */
    return b;
}

/* Each host's loss alone: v0 to h2, v1 to h3, with the others nothing. */
static void
list_singles(struct world *w)
{
    struct dcp_survive *all = WORLD_NEW(w, struct dcp_survive, N_HOSTS);

    for (uint32_t h = 0; h < N_HOSTS; h++) {
        uint32_t *vms = WORLD_NEW(w, uint32_t, 1);
        uint32_t *rest = WORLD_NEW(w, uint32_t, 1);
        dcp_host_id *to = WORLD_NEW(w, dcp_host_id, 1);
        bool lost = w->vms[2].host.ix == h;

        vms[0] = h;
        to[0].ix = h + 2;
        rest[0] = 2;
        all[h] = (struct dcp_survive){ .lose = { DCP_OBJECT_HOST, h },
                                       .vms = vms,
                                       .to = to,
                                       .n = h < 2,
                                       .not_protected = rest,
                                       .n_not_protected = lost };
    }
    w->plan->survive = all;
    w->plan->n_survive = N_HOSTS;
}

/* What the checker says of it: some violation with that text; "": none. */
static void
expect_text(struct berthed *b, const char *want)
{
    struct dcp_berths *pool = WORLD_NEW(&b->w, struct dcp_berths, 1);
    dcp_host_id *hosts = WORLD_NEW(&b->w, dcp_host_id, ROOM);
    struct dcp_check_result r;
    struct dcp_error err = { 0 };
    bool found = false;

    world_plan(&b->w, 1, 1);
    list_singles(&b->w);
    for (uint32_t k = 0; k < b->n_hosts; k++) {
        hosts[k].ix = b->host[k];
    }
    *pool = (struct dcp_berths){ .lose = DCP_OBJECT_HOST,
                                 .hosts = hosts,
                                 .n_at = b->n_at,
                                 .n_hosts = b->n_hosts,
                                 .vms = b->vms,
                                 .first = b->first,
                                 .n_parts = b->n_parts };
    b->w.plan->berths = pool;
    b->w.plan->n_berths = 1;
    ck_assert_msg(dcp_check_plan(b->w.inv, &b->w.demand, b->w.plan, &r, &err),
                  "%s", err.message);
    ck_assert_int_eq(r.pass, !want[0]);
    for (uint32_t i = 0; i < r.n_violations; i++) {
        ck_assert_str_eq(r.violations[i].rule, "n+k");
        found |= strstr(r.violations[i].text, want) != NULL;
    }
    ck_assert_msg(found || !want[0], "no \"%s\"", want);
    dcp_check_result_finish(&r);
    world_free(&b->w);
}

START_TEST(two_on_empty_hosts_pass)
{
    struct berthed b = two_berths();

    expect_text(&b, "");
}
END_TEST

START_TEST(a_berth_too_few_is_refused)
{
    struct berthed b = two_berths();

    b.n_hosts = 1;
    expect_text(&b, "too few berths");
}
END_TEST

/* With h1 its own part and a berth go: of three, two are asked of h1. */
START_TEST(berths_that_are_lost_too_are_counted)
{
    struct berthed b = two_berths();

    b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 30000;
    b.host[0] = 1;
    b.host[1] = 2;
    expect_text(&b, "too few berths");
    b = two_berths();
    b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 30000;
    b.host[2] = 1;
    b.n_at[2] = 1;
    b.n_hosts = 3;
    expect_text(&b, "");
}
END_TEST

START_TEST(what_is_kept_has_room)
{
    struct berthed b = two_berths();

    b.n_at[0] = 2; /* 120,000 of 100,000 MiB. */
    expect_text(&b, "its berths");
    b = two_berths();
    b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 50000;
    b.n_at[0] = 2;
    expect_text(&b, "");
    b = two_berths(); /* Beside what is there. */
    b.w.vms[2].host.ix = 3;
    b.w.vms[2].mem_mib = 40000;
    expect_text(&b, "");
    b = two_berths();
    b.w.vms[0].mem_mib = 70000; /* It may come to h3, where v1 goes alone. */
    b.w.vms[2].host.ix = 3;
    b.w.vms[2].mem_mib = 40000;
    expect_text(&b, "its berths");
}
END_TEST

START_TEST(a_part_is_lost_as_one)
{
    struct berthed b = two_berths();

    b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 30000;
    b.first[1] = 2;
    b.n_parts = 1;
    expect_text(&b, "is not lost as one");
}
END_TEST

START_TEST(a_vm_is_in_one_part)
{
    struct berthed b = two_berths();

    b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 30000;
    b.n_at[0] = b.n_at[1] = 2;
    b.vms[2] = 0;
    b.first[3] = 3;
    b.n_parts = 3;
    expect_text(&b, "in two parts");
    b = two_berths();
    b.n_parts = 1;
    expect_text(&b, "in no part");
}
END_TEST

/* Alone on an empty host both sides of a rule may use the pool; where two parts
 * could come to one host they may not. */
START_TEST(two_sides_do_not_meet)
{
    static const uint32_t a[] = { 0 }, other[] = { 1 };

    for (uint32_t n = 1; n <= 2; n++) {
        struct berthed b = two_berths();

        b.w.vms[0].mem_mib = b.w.vms[1].mem_mib = 30000;
        b.w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SEPARATE,
                                          .name = "apart",
                                          .over = DCP_DOMAIN_HOST,
                                          .vms = a,
                                          .n_vms = 1,
                                          .others = other,
                                          .n_others = 1 };
        b.w.inv->n_rules = 1;
        b.n_at[1] = n;
        expect_text(&b, n > 1 ? "both sides could come" : "");
    }
}
END_TEST

START_TEST(a_host_with_berths_is_on_and_reached)
{
    struct berthed b = two_berths();
    static const uint32_t vms[] = { 0 }, hosts[] = { 3 };

    b.w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_BAN,
                                      .name = "not there",
                                      .vms = vms,
                                      .n_vms = 1,
                                      .hosts = hosts,
                                      .n_hosts = 1 };
    b.w.inv->n_rules = 1;
    expect_text(&b, "rule on h3");
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &two_on_empty_hosts_pass,
        &a_berth_too_few_is_refused,
        &berths_that_are_lost_too_are_counted,
        &what_is_kept_has_room,
        &a_part_is_lost_as_one,
        &a_vm_is_in_one_part,
        &two_sides_do_not_meet,
        &a_host_with_berths_is_on_and_reached,
    };

    return RUN_TESTS("check_berths", tests);
}
