/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Spares on random states: what a class takes is what each of its hosts takes
 * by itself, and whichever hosts fail, and whatever spares the others of them
 * took, every parcel finds one. */

#include "solver/headroom/spares.h"
#include "tests/support/question.h"
#include "tests/support/random_joint.h"
#include "tests/unit/run_suite.h"

struct asked {
    struct world w;
    struct dcp_placement *start, *night;
    struct dcp_question q;
    struct dcp_problem *p;
    struct dcp_state *s;
    uint8_t woken[64];
    uint32_t pool[64], n_pool;
};

/* Some hosts with VMs are woken, and those without are off. */
static void
ask(struct asked *a, const struct sample *sample)
{
    struct dcp_rng rng = dcp_rng_stream(sample->seed, "woken", 0);
    struct dcp_error err = { 0 };

    *a = (struct asked){ .w = random_model(sample) };
    if (chance(&rng, 30)) {
        random_joint(&a->w, sample->seed);
    }
    a->w.inv->policy.failed_boots_frac = 0.05 * (1 + draw(&rng, 7));
    a->start = dcp_placement_start(a->w.inv, NULL);
    a->night = dcp_placement_copy(a->start, &err);
    a->q = question_of(&a->w, a->start);
    for (uint32_t v = 0; v < sample->n_vms; v++) { /* A third has all VMs. */
        a->start->host[v].ix = draw(&rng, 1 + sample->n_hosts / 3);
    }
    for (uint32_t h = 0; h < sample->n_hosts; h++) {
        a->start->on[h] = h < 1 + sample->n_hosts / 3;
        a->night->on[h] = a->start->on[h] && chance(&rng, 30);
        a->woken[h] = a->start->on[h] && !a->night->on[h];
    }
    a->p = problem_of(&a->q);
    a->s = state_of(a->p);
    for (uint32_t h = 0; h < sample->n_hosts; h++) {
        if (a->woken[h] && a->s->first[h] != DCP_IX_NONE) {
            a->pool[a->n_pool++] = h;
        }
    }
}

static void
finish(struct asked *a)
{
    dcp_state_destroy(a->s);
    dcp_problem_destroy(a->p);
    dcp_placement_destroy(a->start);
    dcp_placement_destroy(a->night);
    world_free(&a->w);
}

static uint32_t
list_items(const struct dcp_state *s, uint32_t host, uint32_t *items)
{
    uint32_t n = 0;

    for (uint32_t i = s->first[host]; i != DCP_IX_NONE; i = s->next[i]) {
        items[n++] = i;
    }
    return n;
}

/* By placing it there. */
static bool
takes_really(struct dcp_state *s, const struct dcp_spares *sp,
             const struct dcp_parcel *parcel, uint32_t spare)
{
    const uint32_t *items = sp->items + parcel->first;
    uint32_t back[256], n = list_items(s, parcel->host, back), n_put = 0;
    bool ok = true;

    for (uint32_t i = 0; i < n; i++) {
        dcp_state_remove(s, back[i]);
    }
    for (; ok && n_put < parcel->n_items; n_put += ok) {
        uint32_t item = items[n_put];

        ok = dcp_problem_reaches(s->p, item, spare) &&
             dcp_problem_restarts_on(s->p, item, spare) &&
             dcp_state_fits_full(s, item, spare);
        if (ok) {
            dcp_state_place(s, item, spare);
        }
    }
    for (uint32_t i = 0; i < n_put; i++) {
        dcp_state_remove(s, items[i]);
    }
    for (uint32_t i = n; i-- > 0;) {
        dcp_state_place(s, back[i], parcel->host);
    }
    return ok;
}

static bool
in_class(const struct dcp_spares *sp, uint32_t parcel, uint32_t i)
{
    const uint64_t *set = sp->classes + (size_t)parcel * sp->words;
    uint32_t c = sp->class_of[i];

    return set[c / 64] >> (c % 64) & 1;
}

/* Each item of the pool is in one parcel, of its host. */
static void
parcels_are_the_hosts(const struct asked *a, const struct dcp_spares *sp)
{
    uint32_t n[64] = { 0 };

    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        const struct dcp_parcel *parcel = &sp->parcels[k];

        n[parcel->host] += parcel->n_items;
        for (uint32_t i = 0; i < parcel->n_items; i++) {
            uint32_t item = sp->items[parcel->first + i];

            ck_assert_uint_eq(a->s->host[item], parcel->host);
        }
    }
    for (uint32_t i = 0; i < a->n_pool; i++) {
        ck_assert_uint_eq(n[a->pool[i]], a->s->n_on_host[a->pool[i]]);
    }
}

/* One way in which f hosts fail, and others take spares at random. */
static void
fail_some(const struct asked *a, const struct dcp_spares *sp, uint32_t f,
          struct dcp_rng *rng)
{
    uint8_t failed[64] = { 0 }, gone[64] = { 0 };

    for (uint32_t n = 0; n < f;) { /* Hosts with VMs more often. */
        uint32_t h = chance(rng, 60) ? a->pool[draw(rng, a->n_pool)]
                     : sp->n         ? sp->host[draw(rng, sp->n)]
                                     : a->pool[0];
        n += !failed[h] || chance(rng, 10);
        failed[h] = 1;
    }
    for (uint32_t i = 0; i < sp->n; i++) {
        gone[i] = !sp->awake[i] || failed[sp->host[i]];
    }
    for (uint32_t at = draw(rng, sp->n_parcels), k = 0; k < sp->n_parcels;
         k++) {
        uint32_t parcel = (at + k) % sp->n_parcels, found = DCP_IX_NONE;

        if (!failed[sp->parcels[parcel].host]) {
            continue;
        }
        for (uint32_t j = 0, from = draw(rng, sp->n); j < sp->n; j++) {
            uint32_t i = (from + j) % sp->n;

            found = !gone[i] && in_class(sp, parcel, i) ? i : found;
        }
        ck_assert_uint_ne(found, DCP_IX_NONE);
        gone[found] = 1;
    }
}

static uint32_t n_covered, n_parted, n_several;

static void
holds(struct asked *a, uint64_t seed)
{
    struct dcp_error err = { 0 };
    struct dcp_rng rng = dcp_rng_stream(seed, "failing", 0);
    DCP_AUTO(dcp_spares)
    struct dcp_spares *sp = dcp_spares_create(a->s, a->woken, a->night,
                                              a->s->watts, &err);

    ck_assert_ptr_nonnull(sp);
    ck_assert(dcp_spares_cover(sp, a->pool, a->n_pool, a->n_pool, true, &err));
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        for (uint32_t i = 0; i < sp->n; i++) {
            ck_assert_int_eq(
                in_class(sp, k, i),
                takes_really(a->s, sp, &sp->parcels[k], sp->host[i]));
        }
    }
    if (sp->n_lacking || !sp->n_parcels) {
        return;
    }
    uint32_t named[256], f = sp->f;
    bool bound = false;

    parcels_are_the_hosts(a, sp);
    dcp_spares_name(sp, named);
    n_covered++;
    n_parted += sp->n_parcels > a->n_pool;
    n_several += f > 1;
    for (uint32_t k = 0; k < sp->n_parcels; k++) {
        uint32_t spare = named[sp->items[sp->parcels[k].first]];

        bound |= sp->parcels[k].bound;
        ck_assert_uint_ne(spare, DCP_IX_NONE);
        ck_assert(a->s->on[spare]);
        ck_assert_uint_ge(sp->parcels[k].n_able, sp->parcels[k].enough);
        for (uint32_t o = 0; o < k; o++) {
            ck_assert(sp->parcels[o].host != sp->parcels[k].host ||
                      named[sp->items[sp->parcels[o].first]] != spare);
        }
    }
    for (uint32_t i = 0; i < 200 && !bound; i++) {
        fail_some(a, sp, f, &rng);
    }
}

START_TEST(every_parcel_finds_a_spare)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        struct dcp_rng rng = dcp_rng_stream(seed, "sizes", 0);
        struct sample sample = { seed, 9 + draw(&rng, 24), 5 + draw(&rng, 40),
                                 draw(&rng, 3) };
        struct asked a;

        ask(&a, &sample);
        if (a.n_pool) {
            holds(&a, seed);
        }
        finish(&a);
    }
    printf("%u covered, %u with hosts in parts, %u with f > 1\n", n_covered,
           n_parted, n_several);
    (void)fflush(stdout);
    ck_assert_uint_ge(n_covered, 50);
    ck_assert_uint_ge(n_parted, 10);
    ck_assert_uint_ge(n_several, 10);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &every_parcel_finds_a_spare };

    return RUN_TESTS("spares", tests);
}
