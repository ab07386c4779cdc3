/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Models with a planted conflict: the answer names it; what it says to give up
 * makes the model feasible, and none of it can be kept.  The judge is brute
 * force by the independent checker: every placement, none legal or some. */

#include "solver/explain/conflict.h"

#include "model/check/check.h"
#include "tests/support/random_model.h"
#include "tests/support/relaxed.h"
#include "tests/unit/run_suite.h"

enum { HOSTS = 3, VMS = 5, MODELS = 150, BACKGROUND = 3, MANY = 90 };

struct planted {
    struct world w;
    struct dcp_placement *start;
    struct dcp_question q;
    uint32_t first, n; /* The planted rules. */
    bool memory;       /* The conflict is with memory, perhaps its target. */
};

static struct dcp_rule *
plant(struct planted *m, enum dcp_rule_kind kind, uint32_t n_vms,
      const uint32_t vms[], uint32_t n_hosts, const uint32_t hosts[])
{
    struct dcp_rule *rule = &m->w.rules[m->w.inv->n_rules];

    *rule = (struct dcp_rule){
        .kind = kind,
        .name = dcp_arena_printf(m->w.inv->arena, "planted-%u", m->n),
        .vms = world_ids(&m->w, n_vms, vms),
        .n_vms = n_vms,
        .hosts = n_hosts ? world_ids(&m->w, n_hosts, hosts) : NULL,
        .n_hosts = n_hosts,
    };
    m->w.inv->n_rules++;
    m->n++;
    return rule;
}

static void
plant_conflict(struct planted *m, struct dcp_rng *rng)
{
    static const uint32_t abc[] = { 0, 1, 2 }, ab[] = { 0, 1 }, a[] = { 0 };
    static const uint32_t h01[] = { 0, 1 }, h0[] = { 0 };
    static const uint32_t all[] = { 0, 1, 2, 3, 4 };

    switch (draw(rng, 5)) {
    case 0: /* Three apart on two hosts. */
        (void)plant(m, DCP_RULE_SPREAD, 3, abc, 0, NULL);
        (void)plant(m, DCP_RULE_FENCE, 3, abc, 2, h01);
        break;
    case 1:
        (void)plant(m, DCP_RULE_SPREAD, 2, ab, 0, NULL);
        (void)plant(m, DCP_RULE_GATHER, 2, ab, 0, NULL);
        break;
    case 2:
        (void)plant(m, DCP_RULE_FENCE, 1, a, 1, h0);
        (void)plant(m, DCP_RULE_BAN, 1, a, 1, h0);
        break;
    case 3: { /* Memory of all on one host: 5 x 30,000 of 100,000. */
        for (uint32_t v = 0; v < VMS; v++) {
            m->w.vms[v].mem_mib = 30000;
        }
        m->memory = true;
        (void)plant(m, DCP_RULE_FENCE, 5, all, 1, h0);
        break;
    }
    default: /* Apart from one with which it must be. */
        (void)plant(m, DCP_RULE_GATHER, 2, ab, 0, NULL);
        plant(m, DCP_RULE_SEPARATE, 1, a, 0, NULL)->others =
            world_ids(&m->w, 1, (const uint32_t[]){ 1 });
        m->w.rules[m->w.inv->n_rules - 1].n_others = 1;
        break;
    }
}

/* So many harmless rules that clashes are looked for among few VMs first, and
 * sometimes a second conflict. */
static void
plant_many(struct planted *m, struct dcp_rng *rng)
{
    static const uint32_t d[] = { 3 }, h1[] = { 1 };
    uint32_t e[] = { 4 }, h = 1 + draw(rng, HOSTS - 1);

    for (uint32_t i = 0; i < MANY; i++) {
        (void)plant(m, DCP_RULE_BAN, 1, e, 1, &h);
    }
    m->first = m->w.inv->n_rules;
    if (draw(rng, 3) == 0) {
        (void)plant(m, DCP_RULE_FENCE, 1, d, 1, h1);
        (void)plant(m, DCP_RULE_BAN, 1, d, 1, h1);
    }
}

static void
make(struct planted *m, uint64_t seed, bool many)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "conflict", 0);

    *m = (struct planted){ .w = world_make(HOSTS, VMS) };
    m->w.rules = WORLD_NEW(&m->w, struct dcp_rule, RELAXED_RULES_MAX);
    m->w.inv->rules = m->w.rules;
    m->w.inv->n_rules = 0;
    for (uint32_t v = 0; v < VMS; v++) {
        m->w.vms[v].mem_mib = 5000 + draw(&rng, 15000);
        m->w.vms[v].host.ix = v < HOSTS ? v : draw(&rng, HOSTS);
        for (uint32_t t = 0; t < WORLD_SLOTS; t++) {
            m->w.cpu_mhz[v * m->w.demand.stride + t] = 100 + draw(&rng, 900);
        }
    }
    m->w.inv->policy.target_mem_frac = 0.9;
    m->w.inv->policy.target_cpu_frac = 0.8;
    m->w.inv->policy.n_survive = 0;
    for (uint32_t i = 0; i < BACKGROUND; i++) { /* Harmless rules. */
        uint32_t v[2] = { 3, 4 }, h = draw(&rng, HOSTS);

        (void)plant(m, i ? DCP_RULE_BAN : DCP_RULE_SPREAD, i ? 1 : 2,
                    v + (i == 2), i ? 1 : 0, &h);
    }
    m->n = 0;
    m->first = m->w.inv->n_rules;
    if (many) {
        plant_many(m, &rng);
    }
    plant_conflict(m, &rng);
    m->start = dcp_placement_start(m->w.inv, NULL);
    ck_assert_ptr_nonnull(m->start);
    m->q = (struct dcp_question){ .inventory = m->w.inv,
                                  .demand = &m->w.demand,
                                  .last_slot = WORLD_SLOTS,
                                  .start = m->start,
                                  .may_wake = true,
                                  .may_empty = true };
}

/* --- Brute force -------------------------------------------------------- */

/* Whether some placement is legal when 'parts' are given up (keep: when only
 * they are kept). */
static bool
feasible(const struct planted *m, const struct dcp_conflict_part parts[],
         uint32_t n, bool keep)
{
    struct relaxed r;
    DCP_AUTO(dcp_placement)
    struct dcp_placement *p = dcp_placement_copy(m->start, NULL);
    uint32_t total = 1;

    relax(&r, m->w.inv, parts, n, keep);
    for (uint32_t v = 0; v < VMS; v++) {
        total *= HOSTS;
    }
    for (uint32_t code = 0; code < total; code++) {
        struct dcp_check_result result;
        struct dcp_error err = { 0 };
        uint32_t rest = code;

        for (uint32_t v = 0; v < VMS; v++, rest /= HOSTS) {
            p->host[v].ix = rest % HOSTS;
        }
        ck_assert_msg(dcp_check_placement(&r.inv, &m->w.demand, p, 0,
                                          WORLD_SLOTS, &result, &err),
                      "%s", err.message);
        bool pass = result.pass;

        dcp_check_result_finish(&result);
        if (pass) {
            return true;
        }
    }
    return false;
}

static bool
names_planted(const struct planted *m, const struct dcp_conflict_part parts[],
              uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (parts[i].kind == DCP_PART_RULE && parts[i].ix >= m->first) {
            return true;
        }
    }
    return false;
}

static void
try_models(bool many, uint32_t n_models)
{
    uint32_t n_proved = 0, n_clash = 0, n_irreducible = 0, n_local = 0;

    for (uint64_t seed = 1; seed <= n_models; seed++) {
        struct planted m;
        struct dcp_conflict c;
        struct dcp_error err = { 0 };
        struct dcp_conflict_options o = {
            .solve = { .seed = 1, .iterations = 20 }, .time_limit_s = 60
        };

        make(&m, seed, many);
        ck_assert(!feasible(&m, NULL, 0, false));
        ck_assert_msg(dcp_conflict_find(&m.q, &o, &c, &err), "%s", err.message);
        ck_assert_msg(!c.hopeless && c.n_relax >= 1, "seed %u: nothing helps",
                      (unsigned)seed);
        ck_assert_msg(names_planted(&m, c.relax, c.n_relax),
                      "seed %u: '%s' is not what was planted", (unsigned)seed,
                      c.relax[0].name);
        /* What it says to give up helps, all of it is needed ... */
        ck_assert(feasible(&m, c.relax, c.n_relax, false));
        for (uint32_t i = 0; i < c.n_relax; i++) {
            struct dcp_conflict_part rest[DCP_CONFLICT_PARTS];
            uint32_t n = 0;

            for (uint32_t k = 0; k < c.n_relax; k++) {
                if (k != i) {
                    rest[n++] = c.relax[k];
                }
            }
            ck_assert_msg(!c.relax_proved || !feasible(&m, rest, n, false),
                          "seed %u: '%s' could be kept", (unsigned)seed,
                          c.relax[i].name);
        }
        /* ... and what clashes does so by itself, all of it. */
        if (c.n_clash) {
            ck_assert(!feasible(&m, c.clash, c.n_clash, true));
            ck_assert(names_planted(&m, c.clash, c.n_clash));
        }
        /* Among few VMs memory may not be short. */
        for (uint32_t i = 0;
             c.clash_proved && !(many && m.memory) && i < c.n_clash; i++) {
            struct dcp_conflict_part rest[DCP_CONFLICT_PARTS];
            uint32_t n = 0;

            for (uint32_t k = 0; k < c.n_clash; k++) {
                if (k != i) {
                    rest[n++] = c.clash[k];
                }
            }
            ck_assert_msg(feasible(&m, rest, n, true),
                          "seed %u: '%s' is no part of the clash",
                          (unsigned)seed, c.clash[i].name);
        }
        n_proved += c.relax_proved;
        n_clash += c.n_clash > 0;
        n_irreducible += c.clash_proved;
        ck_assert(!c.relax_partial);
        n_local += c.n_clashes > 0;
        dcp_placement_destroy(m.start);
        world_free(&m.w);
    }
    printf("%u of %u relaxations proved to be needed, %u clashes proved, %u "
           "irreducible\n",
           n_proved, n_models, n_clash, n_irreducible);
    uint32_t least = many ? n_models * 8 / 10 : n_models;

    ck_assert_uint_ge(n_proved, least);
    ck_assert_uint_ge(n_clash, least);
    ck_assert_uint_ge(n_irreducible, least);
    ck_assert_uint_ge(n_local, many ? n_models / 2 : 0);
}

START_TEST(planted_conflicts_are_named)
{
    try_models(false, MODELS);
}
END_TEST

START_TEST(planted_conflicts_are_named_among_many_rules)
{
    try_models(true, DCP_TEST_SLOWNESS > 1 ? 20 : 50);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &planted_conflicts_are_named,
        &planted_conflicts_are_named_among_many_rules,
    };

    return RUN_TESTS("conflict", tests);
}
