/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Legs that no order is found for because VMs wait for each other: what is told
 * that need not wait makes an order, and with any one of these waits kept none
 * is found.  Brute force walks through every order of single moves, with every
 * host to step aside to: where the schedule says that it is for a sequence,
 * there mostly is no order with it at all (orders are a heuristic), and there
 * always is one without. */

#include "model/base/rng.h"
#include "model/check/check.h"
#include "solver/schedule/schedule.h"
#include "tests/support/world.h"
#include "tests/unit/run_suite.h"

enum { TRIALS = 4000, HOSTS = 3, VMS = 5, HOST_MIB = 100000 };

struct trial {
    struct world w;
    uint32_t order[VMS]; /* Of the rule. */
    struct dcp_placement *to;
};

static uint32_t
below(struct dcp_rng *rng, uint32_t n)
{
    return (uint32_t)dcp_rng_below(rng, n);
}

/* Hosts nearly full at both ends. */
static void
random_trial(struct trial *t, struct dcp_rng *rng)
{
    static const uint32_t all[VMS] = { 0, 1, 2, 3, 4 };
    uint64_t left[2][HOSTS];

    *t = (struct trial){ .w = world_make(HOSTS, VMS) };
    t->w.inv->policy.migration_cpu_overhead_frac = 0;
    for (uint32_t h = 0; h < HOSTS; h++) {
        left[0][h] = left[1][h] = HOST_MIB;
    }
    for (uint32_t v = 0; v < VMS; v++) {
        uint32_t h = below(rng, HOSTS);

        t->w.vms[v].mem_mib = 20000 + 1000 * below(rng, 20);
        while (left[0][h] < t->w.vms[v].mem_mib) {
            t->w.vms[v].mem_mib -= 1000;
        }
        left[0][h] -= t->w.vms[v].mem_mib;
        t->w.vms[v].host.ix = h;
        t->order[v] = v;
    }
    t->to = dcp_placement_start(t->w.inv, NULL);
    for (uint32_t v = 0; v < VMS; v++) {
        uint32_t h = below(rng, HOSTS), other = below(rng, VMS);
        uint32_t swap = t->order[v];

        for (uint32_t k = 0; k < HOSTS; k++) {
            h = left[1][h] < t->w.vms[v].mem_mib ? (h + 1) % HOSTS : h;
        }
        if (left[1][h] < t->w.vms[v].mem_mib) { /* As it was. */
            dcp_placement_destroy(t->to);
            t->to = dcp_placement_start(t->w.inv, NULL);
            break;
        }
        left[1][h] -= t->w.vms[v].mem_mib;
        t->to->host[v].ix = h;
        t->order[v] = t->order[other];
        t->order[other] = swap;
    }
    t->w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SEQUENCE,
                                       .name = "in-turn",
                                       .vms = all,
                                       .n_vms = VMS,
                                       .order = t->order,
                                       .n_order = VMS,
                                       .hold = DCP_HOLD_ALWAYS };
    t->w.inv->n_rules = 1;
}

static void
schedule(struct trial *t, struct dcp_step_list *steps,
         struct dcp_leg_answer *answer)
{
    struct dcp_error err = { 0 };
    struct dcp_leg_request request = {
        .inventory = t->w.inv,
        .demand = &t->w.demand,
        .last_slot = t->w.demand.n_slots,
        .from = t->w.plan->before,
        .to = t->to,
        .move_reason = DCP_REASON_EMPTY_HOST,
        .off_reason = DCP_REASON_NIGHT_OFF,
    };

    *steps = (struct dcp_step_list){ .arena = t->w.plan->arena };
    ck_assert_msg(dcp_schedule_leg(&request, steps, answer, &err), "%s",
                  err.message);
}

/* --- Brute force --------------------------------------------------------- */

/* A state: where each VM is, and whether it has not moved yet, is on its way or
 * has moved for the last time. */
enum { STATES = 243 * 243 }; /* (HOSTS x 3) ^ VMS */
enum phase { BEFORE, UNDER_WAY, THERE };

struct search {
    const struct trial *t;
    const uint8_t *dropped; /* By place in the order. */
    uint32_t before[VMS];   /* That it waits for; DCP_IX_NONE: none. */
    uint8_t seen[STATES];
    uint32_t queue[STATES], n;
};

static void
find_waits(struct search *s)
{
    uint32_t last = DCP_IX_NONE;

    for (uint32_t i = 0; i < VMS; i++) {
        uint32_t v = s->t->order[i];
        bool goes = s->t->to->host[v].ix != s->t->w.vms[v].host.ix;

        s->before[v] =
            goes && !(s->dropped && s->dropped[i]) ? last : DCP_IX_NONE;
        last = goes ? v : last;
    }
}

static void
visit(struct search *s, const uint32_t host[], const enum phase phase[])
{
    uint32_t code = 0;

    for (uint32_t v = 0; v < VMS; v++) {
        code = code * 9 + host[v] * 3 + phase[v];
    }
    if (!s->seen[code]) {
        s->seen[code] = 1;
        s->queue[s->n++] = code;
    }
}

static bool
has_room(const struct search *s, const uint32_t host[], uint32_t vm,
         uint32_t to)
{
    uint64_t mib = s->t->w.vms[vm].mem_mib;

    for (uint32_t v = 0; v < VMS; v++) {
        mib += v != vm && host[v] == to ? s->t->w.vms[v].mem_mib : 0;
    }
    return mib <= HOST_MIB;
}

static bool
brute_force(const struct trial *t, const uint8_t dropped[])
{
    static struct search s; /* Large. */
    uint32_t host[VMS];
    enum phase phase[VMS];

    memset(&s, 0, sizeof s);
    s.t = t;
    s.dropped = dropped;
    find_waits(&s);
    for (uint32_t v = 0; v < VMS; v++) {
        host[v] = t->w.vms[v].host.ix;
        phase[v] = host[v] == t->to->host[v].ix ? THERE : BEFORE;
    }
    visit(&s, host, phase);
    for (uint32_t i = 0; i < s.n; i++) {
        uint32_t code = s.queue[i], n_there = 0;

        for (uint32_t v = VMS; v-- > 0; code /= 9) {
            host[v] = code % 9 / 3;
            phase[v] = (enum phase)(code % 3);
            n_there += phase[v] == THERE;
        }
        if (n_there == VMS) {
            return true;
        }
        for (uint32_t v = 0; v < VMS; v++) {
            uint32_t from = host[v], wait = s.before[v];
            enum phase was = phase[v];

            if (was == THERE || (was == BEFORE && wait != DCP_IX_NONE &&
                                 phase[wait] != THERE)) {
                continue;
            }
            for (uint32_t h = 0; h < HOSTS; h++) {
                if (h == from || !has_room(&s, host, v, h)) {
                    continue;
                }
                host[v] = h;
                phase[v] = UNDER_WAY;
                visit(&s, host, phase);
                phase[v] = THERE;
                if (h == t->to->host[v].ix) {
                    visit(&s, host, phase);
                }
                host[v] = from;
                phase[v] = was;
            }
        }
    }
    return false;
}

/* --- What is told -------------------------------------------------------- */

struct tally {
    uint32_t n_stuck, n_told, n_waits, n_no_order, n_kept, n_kept_no_order;
};

/* The rule split where its VMs need not wait. */
static void
split(struct trial *t, const uint8_t dropped[])
{
    struct dcp_rule whole = t->w.rules[0];
    uint32_t first = 0;

    t->w.inv->n_rules = 0;
    for (uint32_t i = 1; i <= VMS; i++) {
        if (i == VMS || dropped[i]) {
            struct dcp_rule *part = &t->w.rules[t->w.inv->n_rules++];

            *part = whole;
            part->order = t->order + first;
            part->n_order = i - first;
            first = i;
        }
    }
}

static void
join(struct trial *t)
{
    t->w.rules[0].order = t->order;
    t->w.rules[0].n_order = VMS;
    t->w.inv->n_rules = 1;
}

static bool
finds_order(struct trial *t, const uint8_t dropped[])
{
    struct dcp_step_list steps;
    struct dcp_leg_answer answer;

    split(t, dropped);
    schedule(t, &steps, &answer);
    dcp_step_list_finish(&steps);
    join(t);
    return answer.ok;
}

/* Whether no sentence of it is cut. */
static bool
is_whole(const char *text)
{
    const char *end = text + strlen(text);

    return strlen(text) > 5 &&
           (!strcmp(end - 2, "')") || !strcmp(end - 5, " more"));
}

static void
try_told(struct trial *t, const struct dcp_sequence_clash *c, uint32_t seed,
         struct tally *n)
{
    uint8_t dropped[VMS] = { 0 };
    char text[200];

    n->n_told++;
    n->n_waits += c->n;
    ck_assert_uint_le(c->n, DCP_SEQUENCE_WAITS);
    dcp_sequence_clash_print(c, t->w.inv, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "need not wait for"));
    ck_assert_msg(is_whole(text), "%s", text);
    for (size_t size = 60; size < sizeof text; size++) {
        char less[200];

        dcp_sequence_clash_print(c, t->w.inv, less, size);
        ck_assert_msg(strlen(less) < size && (c->n == 1 || is_whole(less)),
                      "%s", less);
    }
    for (uint32_t k = 0; k < c->n; k++) {
        for (uint32_t i = 0; i < VMS; i++) {
            dropped[i] |= t->order[i] == c->wait[k].vm;
        }
    }
    n->n_no_order += !brute_force(t, NULL);
    ck_assert_msg(brute_force(t, dropped), "seed %u: no order if %s", seed,
                  text);
    ck_assert_msg(finds_order(t, dropped), "seed %u: none is found if %s", seed,
                  text);
    for (uint32_t i = 0; i < VMS; i++) {
        if (dropped[i]) {
            dropped[i] = 0;
            n->n_kept++;
            n->n_kept_no_order += !brute_force(t, dropped);
            ck_assert_msg(!finds_order(t, dropped), "seed %u: not all of %s",
                          seed, text);
            dropped[i] = 1;
        }
    }
}

START_TEST(waits_that_are_told_are_those_in_the_way)
{
    struct tally n = { 0 };

    for (uint32_t seed = 0; seed < TRIALS; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "sequences", 0);
        struct trial t;
        struct dcp_step_list steps;
        struct dcp_leg_answer answer;

        random_trial(&t, &rng);
        world_plan(&t.w, 1, 0);
        schedule(&t, &steps, &answer);
        dcp_step_list_finish(&steps);
        n.n_stuck += !answer.ok;
        if (!answer.ok && answer.sequences.n) {
            try_told(&t, &answer.sequences, seed, &n);
        }
        dcp_placement_destroy(t.to);
        world_free(&t.w);
    }
    printf("%u of %d legs stuck, %u for sequences (%u with no order by brute "
           "force), %u waits told (%u needed by brute force)\n",
           n.n_stuck, TRIALS, n.n_told, n.n_no_order, n.n_waits,
           n.n_kept_no_order);
    ck_assert_uint_gt(n.n_told, 50);
    ck_assert_uint_ge(n.n_no_order, n.n_told * 9 / 10);
    ck_assert_uint_ge(n.n_kept_no_order, n.n_kept * 9 / 10);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &waits_that_are_told_are_those_in_the_way,
    };

    return RUN_TESTS("sequences", tests);
}
