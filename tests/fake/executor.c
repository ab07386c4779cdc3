/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/fake/executor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_SIZE 300

struct fake {
    struct dcp_executor base;
    struct dcp_executor_ops ops;
    const struct dcp_inventory *inventory;
    const struct dcp_plan *plan;
    struct fake_world *world;
    enum fake_vice vice;
    uint32_t n_asked;       /* For vices of now and then. */
    uint32_t cancelled;     /* Id of the last; 0: none. */
    struct dcp_event again; /* To be told twice; step 0: none. */
};

/* The step in words, which the struct holds. */
struct words {
    struct fake_step step;
    char object[NAME_SIZE], from[NAME_SIZE], to[NAME_SIZE];
    char size_from[64], size_to[64];
};

const char *
fake_vice_name(enum fake_vice vice)
{
    static const char *const names[FAKE_VICES] = {
        [FAKE_VICE_NONE] = "none",
        [FAKE_VICE_TWO_EVENTS] = "two events",
        [FAKE_VICE_NO_EVENT] = "no event",
        [FAKE_VICE_MUTE_CANCEL] = "mute cancel",
        [FAKE_VICE_STRANGE] = "strange events",
        [FAKE_VICE_OVERSLEEPS] = "oversleeps",
        [FAKE_VICE_HURRIES] = "hurries",
        [FAKE_VICE_CLOCK] = "clock goes back",
        [FAKE_VICE_TOUCHES] = "touches",
        [FAKE_VICE_WAVERS] = "wavers",
        [FAKE_VICE_BLOCKS] = "blocks",
        [FAKE_VICE_ANY_KIND] = "any kind",
        [FAKE_VICE_TWO_ENDS] = "two ends",
        [FAKE_VICE_EAGER] = "eager",
        [FAKE_VICE_LEAKS] = "leaks",
        [FAKE_VICE_DEAF] = "deaf",
        [FAKE_VICE_IDLE] = "idle",
    };

    return names[vice];
}

static struct fake *
of(struct dcp_executor *executor)
{
    return (struct fake *)executor;
}

static void
name_object(const struct fake *f, struct dcp_object o, char out[NAME_SIZE])
{
    (void)snprintf(
        out, NAME_SIZE, "%s%s%s",
        o.kind == DCP_OBJECT_NONE ? "" : dcp_object_kind_name(o.kind),
        o.kind == DCP_OBJECT_NONE ? "" : ":", dcp_object_name(f->inventory, o));
}

static const struct fake_step *
put_in_words(const struct fake *f, const struct dcp_step *s, struct words *w)
{
    name_object(f, s->object, w->object);
    name_object(f, s->from, w->from);
    name_object(f, s->to, w->to);
    (void)dcp_vm_size_print(s->size_from, w->size_from, sizeof w->size_from);
    (void)dcp_vm_size_print(s->size_to, w->size_to, sizeof w->size_to);
    w->step = (struct fake_step){ .id = s->id,
                                  .kind = dcp_step_kind_name(s->kind),
                                  .object = w->object,
                                  .from = w->from,
                                  .to = w->to,
                                  .estimate_ms = s->estimate_ms,
                                  .size_from = w->size_from,
                                  .size_to = w->size_to };
    return &w->step;
}

static void
doze(int64_t ms)
{
    const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

    (void)nanosleep(&t, NULL);
}

static bool
fake_start(struct dcp_executor *executor, const struct dcp_step *s,
           struct dcp_error *err)
{
    struct fake *f = of(executor);
    struct words w;

    if (f->vice == FAKE_VICE_ANY_KIND &&
        !fake_world_can(dcp_step_kind_name(s->kind))) {
        return true;
    }
    if (f->vice == FAKE_VICE_IDLE) {
        f->again = (struct dcp_event){ .step = s->id, .ok = true };
        return true;
    }
    if (f->vice == FAKE_VICE_EAGER && s->id > 1) {
        struct dcp_error unused;

        (void)fake_world_start(
            f->world, put_in_words(f, &f->plan->steps[s->id - 2], &w), &unused);
    }
    bool ok = fake_world_start(f->world, put_in_words(f, s, &w), err);

    if (f->vice == FAKE_VICE_BLOCKS) {
        doze(s->estimate_ms < 2000 ? s->estimate_ms : 2000);
    }
    return ok;
}

static bool
fake_wait(struct dcp_executor *executor, int64_t deadline_ms,
          struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct fake *f = of(executor);
    struct fake_event e;

    (void)err;
    *out_got = f->again.step != 0;
    if (f->again.step) {
        *out = f->again;
        f->again.step = 0;
        return true;
    }
    if (f->vice == FAKE_VICE_HURRIES) {
        deadline_ms = fake_world_now(f->world);
    } else if (f->vice == FAKE_VICE_OVERSLEEPS && deadline_ms < INT64_MAX) {
        deadline_ms += 60000;
    }
    *out_got = fake_world_wait(f->world, deadline_ms, &e);
    if (!*out_got) {
        return true;
    }
    *out = (struct dcp_event){ .step = e.step,
                               .ok = e.ok,
                               .at_ms = fake_world_now(f->world) };
    (void)snprintf(out->text, sizeof out->text, "%s", e.text);
    if (f->vice == FAKE_VICE_TWO_EVENTS) {
        f->again = *out;
    }
    if (f->vice == FAKE_VICE_STRANGE) {
        f->again = *out;
        f->again.step = e.step % f->plan->n_steps + 1;
    }
    if (f->vice == FAKE_VICE_NO_EVENT ||
        (f->vice == FAKE_VICE_MUTE_CANCEL && e.step == f->cancelled)) {
        *out_got = false;
    }
    return true;
}

static bool
fake_observe(struct dcp_executor *executor, const struct dcp_step *s,
             struct dcp_observation *out, struct dcp_error *err)
{
    static const enum dcp_effect effects[] = {
        [FAKE_ABSENT] = DCP_EFFECT_ABSENT,
        [FAKE_RUNNING] = DCP_EFFECT_RUNNING,
        [FAKE_PRESENT] = DCP_EFFECT_PRESENT,
        [FAKE_ELSEWHERE] = DCP_EFFECT_ELSEWHERE,
        [FAKE_UNKNOWN] = DCP_EFFECT_UNKNOWN,
    };
    struct fake *f = of(executor);
    struct words w;

    (void)err;
    *out = (struct dcp_observation){ 0 };
    if (f->vice == FAKE_VICE_TOUCHES) {
        struct dcp_error unused;

        (void)fake_world_start(f->world, put_in_words(f, s, &w), &unused);
    }
    out->effect = effects[fake_world_observe(f->world, put_in_words(f, s, &w),
                                             out->text)];
    if (f->vice == FAKE_VICE_TWO_ENDS && out->effect == DCP_EFFECT_ELSEWHERE) {
        out->effect = DCP_EFFECT_ABSENT;
    }
    if (f->vice == FAKE_VICE_WAVERS && f->n_asked++ % 2) {
        out->effect = DCP_EFFECT_UNKNOWN;
    }
    return true;
}

static bool
fake_cancel(struct dcp_executor *executor, uint32_t step, struct dcp_error *err)
{
    of(executor)->cancelled = step;
    return fake_world_cancel(of(executor)->world, step, err);
}

static int
fake_fd(struct dcp_executor *executor)
{
    struct fake *f = of(executor);

    return f->vice == FAKE_VICE_DEAF ? STDIN_FILENO : fake_world_fd(f->world);
}

static int64_t
fake_now(struct dcp_executor *executor)
{
    struct fake *f = of(executor);
    int64_t now_ms = fake_world_now(f->world);

    return f->vice == FAKE_VICE_CLOCK && f->n_asked++ % 3 == 2 ? now_ms - 5
                                                               : now_ms;
}

static void
fake_destroy(struct dcp_executor *executor)
{
    if (of(executor)->vice == FAKE_VICE_LEAKS) {
        int lost = dup(STDERR_FILENO);

        (void)lost;
    }
    free(executor);
}

struct dcp_executor *
fake_executor_create(const struct dcp_inventory *inv,
                     const struct dcp_plan *plan, struct fake_world *world,
                     enum fake_vice vice, struct dcp_error *err)
{
    struct fake *f = calloc(1, sizeof *f);

    if (!f) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a fake executor");
        return NULL;
    }
    f->ops = (struct dcp_executor_ops){
        .abi = DCP_EXECUTOR_ABI,
        .name = "fake",
        .summary = "a datacenter that is not there",
        .kinds = 1u << DCP_STEP_SYNC,
        .start = fake_start,
        .wait = fake_wait,
        .observe = fake_observe,
        .cancel = fake_cancel,
        .poll_fd = fake_world_fd(world) >= 0 ? fake_fd : NULL,
        .now_ms = fake_now,
        .destroy = fake_destroy,
    };
    for (int kind = 0; kind < DCP_STEP_KINDS; kind++) {
        if (fake_world_can(dcp_step_kind_name((enum dcp_step_kind)kind))) {
            f->ops.kinds |= 1u << kind;
        }
    }
    f->base.ops = &f->ops;
    f->inventory = inv;
    f->plan = plan;
    f->world = world;
    f->vice = vice;
    return &f->base;
}

void
fake_world_place(struct fake_world *w, const struct dcp_inventory *inv,
                 const struct dcp_placement *p)
{
    char key[NAME_SIZE], value[NAME_SIZE];

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        bool placed = !dcp_host_is_none(p->host[v]);

        (void)snprintf(key, sizeof key, "vm:%s", inv->vms[v].name);
        (void)snprintf(value, sizeof value, "%s%s", placed ? "host:" : "",
                       placed ? inv->hosts[p->host[v].ix].name : "");
        (void)fake_world_set(w, key, value);
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        (void)snprintf(key, sizeof key, "host:%s", inv->hosts[h].name);
        (void)fake_world_set(w, key, p->on[h] ? "on" : "off");
    }
    for (uint32_t v = 0; p->pool && v < inv->n_volumes; v++) {
        bool placed = !dcp_pool_is_none(p->pool[v]);

        (void)snprintf(
            key, sizeof key, "volume:%s",
            dcp_object_name(inv, (struct dcp_object){ DCP_OBJECT_VOLUME, v }));
        (void)snprintf(value, sizeof value, "%s%s", placed ? "pool:" : "",
                       placed ? inv->pools[p->pool[v].ix].name : "");
        (void)fake_world_set(w, key, value);
    }
}
