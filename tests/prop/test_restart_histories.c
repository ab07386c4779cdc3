/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Random steps of a plan in a world where hosts fail, are emptied and mended.
 * A second bookkeeper follows what is said to have happened: VMs are where
 * steps begin and end, do one thing at a time and are on hosts that are on;
 * memory is promised once, at both ends of a migration, and as the larger of
 * two sizes while one becomes the other.  What the world counts on each host is
 * what is there. */

#include "model/base/rng.h"
#include "sim/failure/world.h"
#include "tests/unit/restart_fixture.h"

enum { RUNS = 1500, STEPS = 60, VMS = 8, HOSTS = 4 };
#define LAST (40 * HOUR)

static struct dcp_step steps[STEPS];
static uint32_t n_steps, n_begun[64], n_failed;

struct book {
    uint32_t at[VMS], to[VMS]; /* to: on its way; DCP_IX_NONE: not. */
    uint64_t mem_mib[VMS];
    const struct dcp_step *resizes[VMS];
    bool on[HOSTS];
    uint32_t n_events;
};

static uint64_t
below(struct dcp_rng *rng, uint64_t n)
{
    return dcp_rng_below(rng, n);
}

static void
note_vm(struct book *b, const struct dcp_sim_event *e)
{
    const struct dcp_step *s = e->step;
    uint32_t v = s->object.ix;
    bool starts = e->phase == DCP_ACTION_STARTED;

    if (s->kind == DCP_STEP_MIGRATE) {
        ck_assert_uint_eq(b->at[v], s->from.ix);
        ck_assert_uint_eq(b->to[v], starts ? DCP_IX_NONE : s->to.ix);
        ck_assert(!b->resizes[v]);
        b->to[v] = starts ? s->to.ix : DCP_IX_NONE;
        b->at[v] = e->phase == DCP_ACTION_DONE ? s->to.ix : b->at[v];
        return;
    }
    if (s->kind == DCP_STEP_VM_START) {
        ck_assert_uint_eq(b->at[v], DCP_IX_NONE);
        b->at[v] = e->phase == DCP_ACTION_DONE ? s->to.ix : DCP_IX_NONE;
        return;
    }
    ck_assert_uint_eq(b->at[v], s->from.ix);
    ck_assert_uint_eq(b->to[v], DCP_IX_NONE);
    if (s->kind == DCP_STEP_VM_RESIZE) {
        b->resizes[v] = starts ? s : NULL;
        b->mem_mib[v] =
            e->phase == DCP_ACTION_DONE ? s->size_to.mem_mib : b->mem_mib[v];
    } else if (e->phase == DCP_ACTION_DONE) {
        b->at[v] = DCP_IX_NONE;
        b->resizes[v] = NULL; /* Cut, if there was one. */
    }
}

static void
check_memory(const struct book *b)
{
    for (uint32_t h = 0; h < HOSTS; h++) {
        uint64_t sum = 0;

        for (uint32_t v = 0; v < VMS; v++) {
            bool here = b->at[v] == h || b->to[v] == h;
            uint64_t more = b->resizes[v] ? b->resizes[v]->size_to.mem_mib : 0;

            sum += !here ? 0 : more > b->mem_mib[v] ? more : b->mem_mib[v];
            ck_assert(!here || b->on[h]);
        }
        ck_assert_uint_le(sum, 8192);
    }
}

/* What happened since the last time; at one instant only its end counts. */
static void
follow(struct book *b)
{
    uint32_t n;
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    for (; b->n_events < n; b->n_events++) {
        const struct dcp_sim_event *now = &e[b->n_events];

        if (now->step->object.kind == DCP_OBJECT_VM) {
            note_vm(b, now);
        } else {
            bool on = now->step->kind == DCP_STEP_HOST_ON;

            b->on[now->step->object.ix] = now->phase != DCP_ACTION_STARTED &&
                                          on == (now->phase == DCP_ACTION_DONE);
        }
        if (b->n_events + 1 == n || now[1].at_ms > now->at_ms) {
            check_memory(b);
        }
    }
}

static void
check_counts(void)
{
    for (uint32_t h = 0; h < HOSTS; h++) {
        uint64_t mem_mib = 0;
        uint32_t n = 0, out = 0, in = 0;

        for (uint32_t v = 0; v < VMS; v++) {
            const struct dcp_step *move = ha->vms[v].move;
            bool here = ha->now->host[v].ix == h;
            bool comes = move && move->to.ix == h;

            out += move && here;
            in += comes;
            n += here || comes;
            mem_mib +=
                here || comes ? dcp_placement_size(inv, ha->now, v).mem_mib : 0;
        }
        ck_assert_uint_eq(ha->hosts[h].n_vms, n);
        ck_assert_uint_eq(ha->hosts[h].leaving, out);
        ck_assert_uint_eq(ha->hosts[h].coming, in);
        ck_assert_uint_eq(ha->hosts[h].load[DCP_SCALAR_MEM], mem_mib);
        ck_assert_uint_le(mem_mib, 8192);
    }
}

/* Of a VM or host that the plan has no step of under way, from where it is. */
static bool
random_step(const struct book *b, struct dcp_rng *rng, struct dcp_step *out)
{
    uint32_t v = (uint32_t)below(rng, VMS), h = (uint32_t)below(rng, HOSTS);
    uint32_t at = b->at[v];

    if (below(rng, 5) == 0) {
        *out =
            step_of(b->on[h] ? DCP_STEP_HOST_OFF : DCP_STEP_HOST_ON, h, 0, 0);
    } else if (at == DCP_IX_NONE) {
        *out = step_of(DCP_STEP_VM_START, v, 0, h);
        out->from.kind = DCP_OBJECT_NONE;
    } else if (below(rng, 3) == 0) {
        *out = step_of(DCP_STEP_VM_RESIZE, v, at, at);
        out->size_to = (struct dcp_vm_size){ 1, 1024 * (1 + below(rng, 6)) };
    } else if (below(rng, 3) == 0) {
        *out = step_of(DCP_STEP_VM_STOP, v, at, 0);
        out->to.kind = DCP_OBJECT_NONE;
    } else {
        *out = step_of(DCP_STEP_MIGRATE, v, at, h);
    }
    return out->kind != DCP_STEP_MIGRATE || at != h;
}

struct plan {
    int64_t end_ms[STEPS];
    bool open[STEPS];
};

static bool
is_busy(const struct plan *p, const struct dcp_step *s)
{
    for (uint32_t i = 0; i < n_steps; i++) {
        if (p->open[i] && steps[i].object.kind == s->object.kind &&
            steps[i].object.ix == s->object.ix) {
            return true;
        }
    }
    return false;
}

/* The plan's next end up to 'until_ms'; STEPS: none. */
static uint32_t
next_end(const struct plan *p, int64_t until_ms)
{
    uint32_t next = STEPS;

    for (uint32_t i = 0; i < n_steps; i++) {
        if (p->open[i] && p->end_ms[i] <= until_ms) {
            next = i;
            until_ms = p->end_ms[i] - 1;
        }
    }
    return next;
}

static void
advance(struct plan *p, struct book *b, int64_t until_ms)
{
    for (uint32_t i; (i = next_end(p, until_ms)) < STEPS;) {
        take(p->end_ms[i], &steps[i],
             p->end_ms[i] % 7 ? DCP_ACTION_DONE : DCP_ACTION_FAILED);
        p->open[i] = false;
        follow(b);
        check_counts();
    }
    run_to(until_ms);
    follow(b);
    check_counts();
}

static void
begin(struct plan *p, struct book *b, struct dcp_rng *rng, int64_t at_ms)
{
    struct dcp_step s;
    uint32_t n;

    if (!random_step(b, rng, &s) || is_busy(p, &s)) {
        return;
    }
    s.id = n_steps + 1;
    steps[n_steps] = s;
    p->end_ms[n_steps] = at_ms + 1 + (int64_t)below(rng, HOUR);
    p->open[n_steps] = true;
    take(at_ms, &steps[n_steps], DCP_ACTION_STARTED);
    const struct dcp_sim_event *e = dcp_ha_events(ha, &n);

    n_begun[s.kind] += n && e[n - 1].step == &steps[n_steps];
    n_steps++;
    follow(b);
    check_counts();
}

static void
break_and_maintain(struct dcp_rng *rng)
{
    for (uint32_t h = 0; h < HOSTS; h++) {
        for (int64_t at_ms = HOUR; at_ms < 24 * HOUR; at_ms += 8 * HOUR) {
            int64_t from_ms = at_ms + (int64_t)below(rng, 3 * HOUR);
            int64_t until_ms = from_ms + 1 + (int64_t)below(rng, 4 * HOUR);

            if (below(rng, 3) == 0) {
                break_host(h, from_ms, until_ms);
            }
            from_ms = at_ms + (int64_t)below(rng, 3 * HOUR);
            if (below(rng, 3) == 0) {
                maintain(h, from_ms, from_ms + (int64_t)below(rng, 4 * HOUR));
            }
        }
    }
}

static void
one_history(uint64_t seed)
{
    struct dcp_rng rng = dcp_rng_stream(seed, "histories", 0);
    struct plan p = { { 0 }, { 0 } };
    struct book b = { .n_events = 0 };
    int64_t at_ms = HOUR;

    setup();
    inv->policy.out_per_host = 1 + (uint32_t)below(&rng, 3);
    inv->policy.in_per_host = 1 + (uint32_t)below(&rng, 3);
    inv->policy.migration_kib_s = 4096 << below(&rng, 5);
    options.failed_migration_frac = options.failed_boot_frac = 0.1;
    options.seed = seed;
    start->on[3] = (uint8_t)below(&rng, 2);
    for (uint32_t v = 0; v < VMS; v++) {
        b.at[v] = start->host[v].ix;
        b.to[v] = DCP_IX_NONE;
        b.mem_mib[v] = 2048;
    }
    for (uint32_t h = 0; h < HOSTS; h++) {
        b.on[h] = start->on[h];
    }
    break_and_maintain(&rng);
    open_world();
    n_steps = 0;
    for (uint32_t i = 0; i < STEPS; i++) {
        at_ms += 1 + (int64_t)below(&rng, HOUR);
        advance(&p, &b, at_ms);
        begin(&p, &b, &rng, at_ms);
    }
    advance(&p, &b, LAST + 40 * HOUR);
    n_failed += dcp_ha_counts(ha).host_failures;
    teardown();
}

START_TEST(histories_hold_together)
{
    for (uint64_t seed = 1; seed <= RUNS / DCP_TEST_SLOWNESS; seed++) {
        one_history(seed);
    }
    ck_assert_uint_gt(n_begun[DCP_STEP_MIGRATE], 1000 / DCP_TEST_SLOWNESS);
    ck_assert_uint_gt(n_begun[DCP_STEP_VM_RESIZE], 1000 / DCP_TEST_SLOWNESS);
    ck_assert_uint_gt(n_begun[DCP_STEP_VM_STOP], 1000 / DCP_TEST_SLOWNESS);
    ck_assert_uint_gt(n_begun[DCP_STEP_VM_START], 500 / DCP_TEST_SLOWNESS);
    ck_assert_uint_gt(n_failed, 1000 / DCP_TEST_SLOWNESS);
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = { &histories_hold_together };

    return RUN_TESTS("restart_histories", tests);
}
