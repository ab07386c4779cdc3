/* SPDX-License-Identifier: GPL-3.0-or-later */

/* By how much a part has to be given up: models with a planted conflict of
 * numbers.  With the numbers that are told there is an answer; with any of
 * those that are said to be proved one unit nearer to what was declared there
 * is none.  The judge is brute force by the independent checker: every
 * placement, with the hosts on that it needs. */

#include "solver/explain/conflict.h"

#include "model/check/check.h"
#include "tests/support/random_model.h"
#include "tests/unit/run_suite.h"

#include <math.h>

enum { HOSTS = 3, VMS = 5, MODELS = 312, KINDS = 13, RULES = 24 };

struct planted {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
};

static struct dcp_rule *
plant(struct planted *m, enum dcp_rule_kind kind, uint32_t n_vms,
      uint32_t first_host, uint32_t n_hosts)
{
    static const uint32_t all[VMS] = { 0, 1, 2, 3, 4 };
    struct dcp_rule *rule = &m->w.rules[m->w.inv->n_rules++];

    *rule = (struct dcp_rule){
        .kind = kind,
        .name = dcp_arena_printf(m->w.inv->arena, "rule-%u", m->w.inv->n_rules),
        .vms = all,
        .n_vms = n_vms,
        .hosts = all + first_host,
        .n_hosts = n_hosts,
    };
    return rule;
}

static void
fence_in(struct planted *m, uint32_t n_hosts)
{
    (void)plant(m, DCP_RULE_FENCE, VMS, 0, n_hosts);
}

static void
plant_conflict(struct planted *m, uint32_t kind, struct dcp_rng *rng)
{
    static const uint32_t one[HOSTS] = { 0, 1, 2 };
    static const struct dcp_rule_set sets[HOSTS] = { { "a", { one, 1 } },
                                                     { "b", { one + 1, 1 } },
                                                     { "c", { one + 2, 1 } } };
    uint32_t memory = 0, n;
    struct dcp_rule *rule;

    for (uint32_t v = 0; v < VMS; v++) {
        memory += (uint32_t)m->w.vms[v].mem_mib;
    }
    /* A fence comes first, so that it is held on to. */
    switch (kind) {
    case 0: /* So many per host or rack. */
        n = 1 + draw(rng, 2);
        fence_in(m, n);
        plant(m, DCP_RULE_SPREAD, n + 1 + draw(rng, VMS - n), 0, 0)->over =
            chance(rng, 50) ? DCP_DOMAIN_RACK : DCP_DOMAIN_HOST;
        break;
    case 1:
        n = 1 + draw(rng, 2);
        fence_in(m, n);
        plant(m, DCP_RULE_RUNNING_CAPACITY, VMS, 0, n)->limit =
            1 + draw(rng, VMS - 1);
        break;
    case 2:
        n = 1 + draw(rng, 2);
        fence_in(m, n);
        plant(m, DCP_RULE_CAPACITY, VMS, 0, n)->limit =
            1 + draw(rng, memory - 1);
        break;
    case 3:
        fence_in(m, 2);
        rule = plant(m, DCP_RULE_CAPACITY, VMS, 0, 2);
        rule->resource = DCP_RULE_VCPUS;
        rule->limit = 1 + draw(rng, VMS - 1);
        break;
    case 4: /* An empty host, and four VMs on two others. */
        fence_in(m, 1 + draw(rng, 2));
        plant(m, DCP_RULE_MAX_SKEW, VMS, 0, HOSTS)->limit = 1;
        break;
    case 5:
        (void)plant(m, DCP_RULE_SPREAD, 2 + draw(rng, 2), 0, 0);
        plant(m, DCP_RULE_MAX_ON, 0, 0, HOSTS)->limit = 1;
        break;
    case 6: /* More memory than hosts may be filled with. */
        m->w.inv->policy.target_mem_frac =
            .01 * (1 + floor(memory / 3000. * (20 + draw(rng, 75)) / 100)) -
            .004 * draw(rng, 2);
        break;
    case 7: /* Three limits that hold less than there is. */
        for (uint32_t h = 0; h < HOSTS; h++) {
            plant(m, DCP_RULE_RUNNING_CAPACITY, VMS, h, 1)->limit = 1;
        }
        break;
    case 8: /* Both on one host, and in different racks. */
        (void)plant(m, DCP_RULE_SPREAD, 2, 0, 0);
        (void)plant(m, DCP_RULE_GATHER, 2, 0, 0);
        break;
    case 9: /* Banned from where all have to be. */
        (void)plant(m, DCP_RULE_GATHER, VMS, 0, 0);
        (void)plant(m, DCP_RULE_BAN, 2, 1, 2);
        (void)plant(m, DCP_RULE_BAN, VMS, 0, 1 + draw(rng, 2));
        break;
    case 10: /* Watts: of both racks less than one host takes. */
        m->w.racks[0].limit_w = 20 + draw(rng, 80);
        m->w.racks[1].limit_w = 20 + draw(rng, 80);
        break;
    case 11: /* Sets of one host, which are to hold few. */
        for (uint32_t h = 0; h < HOSTS; h++) {
            plant(m, DCP_RULE_RUNNING_CAPACITY, VMS, h, 1)->limit =
                2 + draw(rng, 3);
        }
        rule = plant(m, DCP_RULE_AMONG, VMS, 0, 0);
        rule->sets = sets + draw(rng, 2);
        rule->n_sets = 1 + draw(rng, 2);
        break;
    default: /* Where others may have only so many. */
        for (uint32_t h = 1; h < HOSTS; h++) {
            plant(m, DCP_RULE_RUNNING_CAPACITY, VMS, h, 1)->limit =
                draw(rng, 3);
        }
        m->w.hosts[0].state = DCP_HOST_MAINTENANCE;
        n = 2 + draw(rng, VMS - 2); /* Others are on h1. */
        for (uint32_t v = 0; v < VMS; v++) {
            m->w.vms[v].host.ix = v < n ? 0 : 1;
        }
        break;
    }
}

static void
make(struct planted *m, uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "amounts", 0);

    *m = (struct planted){ .w = world_make(HOSTS, VMS) };
    m->w.rules = WORLD_NEW(&m->w, struct dcp_rule, RULES);
    m->w.inv->rules = m->w.rules;
    m->w.inv->policy.n_survive = 0;
    for (uint32_t v = 0; v < VMS; v++) {
        m->w.vms[v].mem_mib =
            (chance(&rng, 50) ? 512 : 500) * (uint64_t)(4 + draw(&rng, 20));
        m->w.vms[v].vcpus = 1 + draw(&rng, 3);
        world_need(&m->w, v, 100 + draw(&rng, 900));
    }
    plant_conflict(m, (uint32_t)(seed % KINDS), &rng);
    m->start = dcp_placement_start(m->w.inv, NULL);
    ck_assert_ptr_nonnull(m->start);
    if (dcp_host_is_none(m->w.vms[0].host)) { /* Nothing is placed. */
        memset(m->start->on, 0, HOSTS);
    }
    m->q = (struct dcp_question){ .inventory = m->w.inv,
                                  .demand = &m->w.demand,
                                  .last_slot = WORLD_SLOTS,
                                  .start = m->start,
                                  .may_wake = true,
                                  .may_empty = true };
}

/* --- The model with other numbers, read a second time ------------------- */

struct changed {
    struct dcp_inventory inv;
    struct dcp_rule rules[RULES + HOSTS];
    struct dcp_rack racks[WORLD_RACKS];
    struct dcp_host host[HOSTS];
    uint32_t hosts[RULES][HOSTS], n_lists;
    uint32_t stay; /* VMs that host 0 may keep; VMS: it takes any. */
};

/* A spread rule as a limit for each host, or each rack (r0: h0, h2). */
static void
limit_domains(struct changed *c, const struct dcp_rule *rule, uint64_t limit)
{
    static const uint32_t hosts[] = { 0, 1, 2 }, r0[] = { 0, 2 };

    for (uint32_t d = 0; d < (rule->over == DCP_DOMAIN_RACK ? 2u : 3u); d++) {
        struct dcp_rule *to = &c->rules[c->inv.n_rules++];

        *to = *rule;
        to->kind = DCP_RULE_RUNNING_CAPACITY;
        to->limit = limit;
        to->hosts = hosts + d;
        to->n_hosts = 1;
        if (rule->over == DCP_DOMAIN_RACK && d == 0) {
            to->hosts = r0;
            to->n_hosts = 2;
        }
    }
}

static void
change_rule(struct changed *c, const struct dcp_rule *rule,
            const struct dcp_part_amount *a, double number)
{
    if (rule->kind == DCP_RULE_SPREAD) {
        limit_domains(c, rule, (uint64_t)number);
        return;
    }
    struct dcp_rule *to = &c->rules[c->inv.n_rules++];

    *to = *rule;
    if (rule->kind == DCP_RULE_AMONG && fabs(number - a->least) < .5) {
        to->kind = DCP_RULE_FENCE; /* Nearer: as declared. */
        to->hosts = rule->sets[a->set].ids.ix;
        to->n_hosts = 1;
        rule = to;
    }
    if (to->kind == DCP_RULE_FENCE || to->kind == DCP_RULE_BAN) {
        /* Nearer: as declared, which is one step where it is proved. */
        bool ban = to->kind == DCP_RULE_BAN;
        bool taken[HOSTS] = { false };
        struct dcp_ids listed = { to->hosts, to->n_hosts };

        ck_assert(a->steps >= 1 && a->steps <= HOSTS);
        for (uint32_t i = 0; i < a->steps && fabs(number - a->least) < .5;
             i++) {
            taken[a->host[i]] = true;
        }
        to->n_hosts = 0;
        for (uint32_t h = 0; h < HOSTS; h++) {
            bool was = dcp_ids_contain(&listed, h);

            if (ban ? was && !taken[h] : was || taken[h]) {
                c->hosts[c->n_lists][to->n_hosts++] = h;
            }
        }
        to->hosts = c->hosts[c->n_lists++];
    } else if (rule->kind == DCP_RULE_GATHER) {
        ck_assert_uint_eq(a->steps, 1);
        to->over = isnan(number) ? DCP_DOMAIN_RACK : DCP_DOMAIN_HOST;
    } else {
        to->limit = (uint64_t)number;
    }
}

/* The relaxation as told, but amount 'nearer' one unit nearer to what was
 * declared (n_relax: none is). */
static void
change(struct changed *c, const struct planted *m, const struct dcp_conflict *k,
       uint32_t nearer)
{
    c->inv = *m->w.inv;
    c->inv.rules = c->rules;
    c->inv.n_rules = 0;
    c->n_lists = 0;
    memcpy(c->racks, m->w.racks, sizeof c->racks);
    c->inv.racks = c->racks;
    memcpy(c->host, m->w.hosts, sizeof c->host);
    c->inv.hosts = c->host;
    c->stay = c->host[0].state == DCP_HOST_MAINTENANCE ? 0 : VMS;
    for (uint32_t r = 0; r < m->w.inv->n_rules; r++) {
        bool told = false;

        for (uint32_t i = 0; i < k->n_relax; i++) {
            told |= k->relax[i].kind == DCP_PART_RULE && k->relax[i].ix == r;
        }
        if (!told) {
            c->rules[c->inv.n_rules++] = m->w.rules[r];
        }
    }
    for (uint32_t i = 0; i < k->n_relax; i++) {
        const struct dcp_conflict_part *part = &k->relax[i];
        const struct dcp_part_amount *a = &part->amount[0];
        bool told = part->n_amounts > 0;
        double number = isnan(a->least) ? a->least : a->least - (i == nearer);

        if (isnan(number) && i == nearer) {
            number = 0;
        }
        ck_assert_uint_le(part->n_amounts, 1);
        if (part->kind == DCP_PART_RULE && told) {
            change_rule(c, &m->w.rules[part->ix], a, number);
        } else if (part->kind == DCP_PART_TARGET_MEM) {
            c->inv.policy.target_mem_frac = told ? number / 100 : 1;
        } else if (part->kind == DCP_PART_RACK_LIMIT) {
            c->racks[part->ix].limit_w = told ? (uint32_t)number : 0;
        } else if (part->kind == DCP_PART_EMPTYING) {
            c->stay = told ? (uint32_t)number : VMS;
            c->host[0].state = DCP_HOST_UP;
        } else {
            ck_assert(part->kind == DCP_PART_RULE);
        }
    }
}

/* --- Brute force -------------------------------------------------------- */

/* 'stay': so many of the VMs that are on host 0 may be there, and no other;
 * VMS: any. */
static bool
feasible(const struct planted *m, const struct dcp_inventory *inv,
         uint32_t stay)
{
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_copy(m->start, NULL);
    uint32_t total = 1;

    for (uint32_t v = 0; v < VMS; v++) {
        total *= HOSTS;
    }
    for (uint32_t code = 0; code < total; code++) {
        struct dcp_check_result result;
        struct dcp_error err = { 0 };
        uint32_t rest = code, n = 0;

        memset(p->on, 0, HOSTS);
        for (uint32_t v = 0; v < VMS; v++, rest /= HOSTS) {
            p->host[v].ix = rest % HOSTS;
            p->on[rest % HOSTS] = 1;
            n += rest % HOSTS == 0 ? m->start->host[v].ix == 0 ? 1 : VMS : 0;
        }
        if (stay < VMS && n > stay) {
            continue;
        }
        ck_assert_msg(dcp_check_placement(inv, &m->w.demand, p, 0, WORLD_SLOTS,
                                          &result, &err),
                      "%s", err.message);
        bool pass = result.pass;

        dcp_check_result_finish(&result);
        if (pass) {
            return true;
        }
    }
    return false;
}

struct tally {
    uint32_t n_parts, n_instead, n_amounts, n_proved, by_kind[KINDS];
};

static void
try_relaxation(const struct planted *m, uint64_t seed,
               const struct dcp_conflict *k, struct tally *t)
{
    struct changed c;

    change(&c, m, k, k->n_relax);
    ck_assert_msg(feasible(m, &c.inv, c.stay), "seed %u: '%s: %s' does not help",
                  (unsigned)seed, k->relax[0].name, k->relax[0].amount[0].text);
    for (uint32_t i = 0; i < k->n_relax; i++) {
        const struct dcp_conflict_part *part = &k->relax[i];

        t->n_parts++;
        if (!part->n_amounts) {
            continue;
        }
        t->n_amounts++;
        t->n_proved += part->amount[0].proved;
        t->by_kind[seed % KINDS]++;
        change(&c, m, k, i);
        ck_assert_msg(!part->amount[0].proved || !feasible(m, &c.inv, c.stay),
                      "seed %u: '%s: %s': less would do", (unsigned)seed,
                      part->name, part->amount[0].text);
    }
}

static void
try_model(uint64_t seed, struct tally *t)
{
    struct planted m;
    struct dcp_conflict k;
    struct dcp_error err = { 0 };
    struct dcp_conflict_options o = { .solve = { .seed = 1, .iterations = 20 },
                                      .time_limit_s = 60 };

    make(&m, seed);
    bool empties = m.w.hosts[0].state == DCP_HOST_MAINTENANCE;

    /* Not every draw is a conflict. */
    if (!feasible(&m, m.w.inv, empties ? 0 : VMS)) {
        ck_assert_msg(dcp_conflict_find(&m.q, &o, &k, &err), "%s", err.message);
        ck_assert_msg(k.n_relax >= 1 && k.n_relax <= DCP_CONFLICT_PARTS,
                      "seed %u: nothing helps", (unsigned)seed);
        try_relaxation(&m, seed, &k, t);
        t->n_instead += k.n_instead;
        for (uint32_t i = 0; i < k.n_instead; i++) {
            struct dcp_conflict other = { .n_relax = 1 };

            ck_assert_uint_eq(k.n_relax, 1);
            other.relax[0] = k.instead[i];
            try_relaxation(&m, seed, &other, t);
        }
    }
    dcp_placement_destroy(m.start);
    world_free(&m.w);
}

START_TEST(told_numbers_do_and_less_does_not)
{
    struct tally t = { 0 };

    for (uint64_t seed = 0; seed < MODELS; seed++) {
        try_model(seed, &t);
    }
    printf("%u parts (%u instead of others), %u numbers, %u of them proved to "
           "be the least; by kind",
           t.n_parts, t.n_instead, t.n_amounts, t.n_proved);
    for (uint32_t i = 0; i < KINDS; i++) {
        printf(" %u", t.by_kind[i]);
    }
    printf("\n");
    ck_assert_uint_ge(t.n_amounts, MODELS / 2);
    ck_assert_uint_ge(t.n_instead, MODELS / 4);
    ck_assert_uint_ge(t.n_proved, t.n_amounts * 8 / 10);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &told_numbers_do_and_less_does_not,
    };

    return RUN_TESTS("conflict_amounts", tests);
}
