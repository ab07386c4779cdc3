/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A step that takes time has a worker of its own; its end is the worker's
 * answer, or its death.  Then all hosts are looked at, what was left is tidied
 * up, and the event tells what is true. */

#include "executors/libvirt/libvirt.h"

#include "executors/libvirt/see.h"
#include "executors/live_clock.h"
#include "model/identity.h"
#include "model/migration.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TIDY_MOST   6     /* Acts for one step. */
#define ADOPT_MS    1000  /* Between looks at what others began. */
#define ACT_MS      20000 /* What a host may take that is told something. */
#define COUNT_MS    3000
#define STOP_MS     300000 /* Given to a guest that is asked to shut down. */
#define HURRY_MS    300000 /* For a move to end that was told to. */
#define RETRY_MS    5000   /* Until an adopted one is told again. */
#define KIND(K)     (1u << DCP_STEP_##K)
#define ANSWER_LATE "the hypervisor does not say that it has ended"

struct job {
    const struct dcp_step *step; /* NULL: free. */
    struct dcp_worker *worker;   /* NULL: adopted, looked at now and then. */
    int64_t until_ms;            /* By the boot clock; then it is given up. */
    int64_t look_ms;             /* Adopted: when it is looked at next. */
    bool hurried;                /* Aborted, or stopped for what is left. */
    bool over;                   /* Its event waits. */
    bool ok;
    char text[160];
};

struct executor {
    struct dcp_executor base;
    struct dcp_libvirt_options o;
    struct dcp_see see; /* Its members are owned here. */
    struct job *jobs;
    uint32_t n_jobs, capacity;
    int epoll;
    struct dcp_live_clock clock;
};

static struct executor *
of(struct dcp_executor *executor)
{
    return (struct executor *)executor;
}

static const char *
name_of(const struct executor *e, uint32_t host)
{
    return e->o.inventory->hosts[host].name;
}

/* --- Tidying up --------------------------------------------------------- */

static const char *
verb_of(enum dcp_look_act act)
{
    switch (act) {
    case DCP_LOOK_DESTROY:
        return "destroy";
    case DCP_LOOK_RESUME:
        return "resume";
    case DCP_LOOK_DEFINE:
        return "define";
    case DCP_LOOK_UNDEFINE:
        return "undefine";
    case DCP_LOOK_DO_NOTHING:
        break;
    }
    return "";
}

static json_t *
question_of(const struct executor *e, const struct dcp_step *s, const char *op)
{
    char uuid[DCP_UUID_SIZE];

    dcp_vm_uuid(e->o.inventory, (dcp_vm_id){ s->object.ix }, uuid);
    return json_pack("{s:s, s:s}", "op", op, "uuid", uuid);
}

/* Looks, does what has to be done, and looks again, until there is nothing
 * more to do.  'text' says what is true then, or what went wrong. */
static enum dcp_effect
tidy(struct executor *e, const struct dcp_step *s, struct dcp_look_result *r,
     char text[160])
{
    enum dcp_effect effect = DCP_EFFECT_UNKNOWN;

    for (uint32_t k = 0; k < TIDY_MOST; k++) {
        struct dcp_error err = { 0 };

        dcp_see_look(&e->see, s);
        effect = dcp_see_judge(&e->see, s, r, text);
        if (!dcp_see_is_move(s) || r->verdict != DCP_LOOK_UNTIDY) {
            return effect;
        }
        json_t *answer =
            dcp_watch_ask(e->see.watch, r->act_at,
                          question_of(e, s, verb_of(r->act)), ACT_MS, &err);

        if (!answer || !dcp_worker_is_ok(answer, &err)) {
            (void)snprintf(text, 160, "%.70s: %.80s", r->text, err.message);
            json_decref(answer);
            return DCP_EFFECT_UNKNOWN;
        }
        json_decref(answer);
    }
    return effect;
}

/* --- Jobs --------------------------------------------------------------- */

static struct job *
new_job(struct executor *e, const struct dcp_step *s)
{
    for (uint32_t k = 0; k < e->n_jobs; k++) {
        if (!e->jobs[k].step) {
            e->jobs[k] = (struct job){ .step = s };
            return &e->jobs[k];
        }
    }
    if (e->n_jobs == e->capacity) {
        uint32_t capacity = e->capacity ? 2 * e->capacity : 16;
        struct job *more = realloc(e->jobs, capacity * sizeof *more);

        if (!more) {
            return NULL;
        }
        e->jobs = more;
        e->capacity = capacity;
    }
    e->jobs[e->n_jobs] = (struct job){ .step = s };
    return &e->jobs[e->n_jobs++];
}

static void
end_job(struct executor *e, struct job *j, bool ok, const char *text)
{
    if (j->worker) {
        (void)epoll_ctl(e->epoll, EPOLL_CTL_DEL, dcp_worker_fd(j->worker),
                        NULL);
        dcp_worker_destroy(j->worker);
        j->worker = NULL;
    }
    j->over = true;
    j->ok = ok;
    (void)snprintf(j->text, sizeof j->text, "%.150s", text);
}

/* How long a live move may take, as policy has it. */
static int64_t
allowed_ms(const struct executor *e, const struct dcp_step *s)
{
    struct dcp_precopy in = dcp_precopy_of(e->o.inventory, s->object.ix);
    struct dcp_precopy_run run;

    dcp_precopy_begin(&run, &in);
    return dcp_see_is_move(s) ? (int64_t)(1000 * run.timeout_s) : STOP_MS;
}

static json_t *
migrate_question(const struct executor *e, const struct dcp_step *s)
{
    const struct dcp_connect *c = e->o.connect;
    const struct dcp_connect_host *to = &c->hosts[s->to.ix];
    json_t *question = question_of(e, s, "migrate"), *shared = json_array();

    for (uint32_t p = 0; p < e->o.inventory->n_pools; p++) {
        if (c->pools[p].shared_path && *c->pools[p].path) {
            (void)json_array_append_new(shared, json_string(c->pools[p].path));
        }
    }
    if (!question ||
        json_object_set_new(question, "to",
                            json_string(*to->peer ? to->peer : to->libvirt)) ||
        json_object_set_new(question, "bandwidth_mib_s",
                            json_integer(s->bandwidth_mib_s)) ||
        json_object_set_new(
            question, "auto_converge",
            json_boolean(dcp_precopy_of(e->o.inventory, s->object.ix)
                             .rules.auto_converge)) ||
        json_object_set(question, "shared", shared)) {
        json_decref(question);
        question = NULL;
    }
    json_decref(shared);
    return question;
}

static json_t *
act_question(const struct executor *e, const struct dcp_step *s)
{
    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        return migrate_question(e, s);
    case DCP_STEP_VM_STOP:
        return question_of(e, s, "stop");
    case DCP_STEP_VM_PARK:
        return question_of(e, s, "park");
    default:
        return question_of(e, s, "start");
    }
}

static bool
launch(struct executor *e, const struct dcp_step *s, struct dcp_error *err)
{
    const struct dcp_connect_host *at = &e->o.connect->hosts[dcp_see_host(s)];
    json_t *question = act_question(e, s);
    struct dcp_worker *worker =
        question ? dcp_worker_create(at->libvirt, at->uuid, err) : NULL;
    struct job *j = worker ? new_job(e, s) : NULL;
    struct epoll_event event = { .events = EPOLLIN };

    if (!j) {
        json_decref(question);
        dcp_worker_destroy(worker);
        return worker || !question
                   ? dcp_fail(err, DCP_E_NOMEM, "no memory for a step")
                   : false;
    }
    j->worker = worker;
    j->until_ms = dcp_worker_clock_ms() + allowed_ms(e, s);
    if (!dcp_worker_send(worker, question, err) ||
        epoll_ctl(e->epoll, EPOLL_CTL_ADD, dcp_worker_fd(worker), &event) !=
            0) {
        dcp_worker_destroy(worker);
        *j = (struct job){ 0 };
        return dcp_fail(err, DCP_E_IO, "a worker could not be told");
    }
    return true;
}

/* Begun by an earlier run, or by somebody: its end is looked for. */
static bool
adopt(struct executor *e, const struct dcp_step *s, struct dcp_error *err)
{
    struct job *j = new_job(e, s);

    if (!j) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a step");
    }
    j->until_ms = dcp_worker_clock_ms() + allowed_ms(e, s);
    j->look_ms = dcp_worker_clock_ms() + ADOPT_MS;
    return true;
}

static bool
is_open(enum dcp_effect effect)
{
    return effect == DCP_EFFECT_RUNNING || effect == DCP_EFFECT_UNKNOWN;
}

static struct job *
job_of(struct executor *e, const struct dcp_step *s)
{
    for (uint32_t k = 0; s->id && k < e->n_jobs; k++) {
        if (e->jobs[k].step && e->jobs[k].step->id == s->id &&
            !e->jobs[k].over) {
            return &e->jobs[k];
        }
    }
    return NULL;
}

static bool
libvirt_observe(struct dcp_executor *executor, const struct dcp_step *s,
                struct dcp_observation *out, struct dcp_error *err)
{
    struct executor *e = of(executor);
    struct dcp_look_result r;

    *out = (struct dcp_observation){ 0 };
    dcp_see_look(&e->see, s);
    out->effect = dcp_see_judge(&e->see, s, &r, out->text);
    if (out->effect == DCP_EFFECT_ABSENT && job_of(e, s)) {
        out->effect = DCP_EFFECT_RUNNING; /* It has hardly begun. */
    }
    /* An event follows once it can be told, or has ended. */
    return !is_open(out->effect) || !s->id || job_of(e, s) || adopt(e, s, err);
}

static bool
can_do(const struct dcp_step *s, struct dcp_error *err)
{
    return (!dcp_see_is_move(s) || !s->cold) ||
           dcp_fail(err, DCP_E_UNSUPPORTED,
                    "cold moves are not made by libvirt here yet: move it by "
                    "hand, then --resume");
}

static bool
libvirt_test(struct dcp_executor *executor, const struct dcp_step *s,
             struct dcp_error *err)
{
    struct executor *e = of(executor);
    uint32_t to = dcp_see_is_move(s) ? s->to.ix : dcp_see_host(s);

    if (!can_do(s, err)) {
        return false;
    }
    dcp_see_look(&e->see,
                 s); /* As it is now; what it says of the target counts. */
    if (e->see.seen[to].reach != DCP_LOOK_ANSWERED) {
        const char *trouble = dcp_watch_trouble(e->see.watch, to);

        return dcp_fail(err, DCP_E_REMOTE, "%.60s does not answer: %.120s",
                        name_of(e, to), *trouble ? trouble : "no reason known");
    }
    return true;
}

static bool
libvirt_start(struct dcp_executor *executor, const struct dcp_step *s,
              struct dcp_error *err)
{
    struct executor *e = of(executor);
    struct dcp_look_result r;
    char text[160];

    if (!can_do(s, err)) {
        return false;
    }
    switch (tidy(e, s, &r, text)) {
    case DCP_EFFECT_ABSENT:
        return launch(e, s, err);
    case DCP_EFFECT_RUNNING:
        return adopt(e, s, err);
    case DCP_EFFECT_PRESENT: {
        struct job *j = new_job(e, s);

        if (!j) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a step");
        }
        end_job(e, j, true, "");
        return true;
    }
    case DCP_EFFECT_ELSEWHERE:
    case DCP_EFFECT_UNKNOWN:
        break;
    }
    return dcp_fail(err, DCP_E_REMOTE, "%s", text);
}

/* --- Ends --------------------------------------------------------------- */

/* What is true now that the step's worker has ended, or said that it has. */
static void
conclude(struct executor *e, struct job *j, bool claimed, const char *why)
{
    struct dcp_look_result r;
    char text[160];
    enum dcp_effect effect = tidy(e, j->step, &r, text);

    end_job(e, j, effect == DCP_EFFECT_PRESENT, !claimed && *why ? why : text);
}

static void
read_worker(struct executor *e, struct job *j)
{
    struct dcp_error why = { 0 };
    bool dead;
    json_t *answer = dcp_worker_receive(j->worker, &dead);

    if (answer) {
        bool ok = dcp_worker_is_ok(answer, &why);

        json_decref(answer);
        conclude(e, j, ok, why.message);
    } else if (dead) {
        conclude(e, j, false, "its worker died");
    }
}

/* Something that ends a move before its time, said to its source; the worker's
 * answer still comes. */
static bool
hurry(struct executor *e, struct job *j, const char *op, struct dcp_error *err)
{
    if (!dcp_see_is_move(j->step)) {
        return dcp_fail(err, DCP_E_UNSUPPORTED, "only moves can be given up");
    }
    json_t *answer = dcp_watch_ask(e->see.watch, j->step->from.ix,
                                   question_of(e, j->step, op), ACT_MS, err);
    bool ok = answer && dcp_worker_is_ok(answer, err);

    json_decref(answer);
    j->hurried |= ok;
    return ok;
}

/* One that was adopted has no worker to end: it is told to its source when that
 * answers; what cannot be told is the runner's to give up. */
static void
check_adopted(struct executor *e, struct job *j, const char *op)
{
    int64_t now_ms = dcp_worker_clock_ms();
    struct dcp_error err = { 0 };

    if (!dcp_see_is_move(j->step) || j->hurried) {
        j->until_ms = INT64_MAX;
    } else if (!dcp_watch_is_silent(e->see.watch, j->step->from.ix) &&
               hurry(e, j, op, &err)) {
        j->until_ms = now_ms + HURRY_MS;
    } else {
        j->until_ms = now_ms + RETRY_MS;
    }
}

static void
check_time(struct executor *e, struct job *j)
{
    int64_t now_ms = dcp_worker_clock_ms();
    struct dcp_error err = { 0 };

    if (now_ms < j->until_ms) {
        return;
    }
    struct dcp_precopy in = dcp_precopy_of(e->o.inventory, j->step->object.ix);
    const char *op =
        in.rules.at_timeout == DCP_PRECOPY_PAUSE ? "suspend" : "abort";

    if (!j->worker) {
        check_adopted(e, j, op);
    } else if (dcp_see_is_move(j->step) && !j->hurried &&
               hurry(e, j, op, &err)) {
        j->until_ms = now_ms + HURRY_MS;
    } else {
        conclude(e, j, false, ANSWER_LATE);
    }
}

static void
look_after(struct executor *e, struct job *j)
{
    struct dcp_look_result r;
    char text[160];

    if (j->worker) {
        read_worker(e, j);
    } else if (dcp_worker_clock_ms() >= j->look_ms) {
        dcp_see_look(&e->see, j->step);
        if (is_open(dcp_see_judge(&e->see, j->step, &r, text))) {
            j->look_ms = dcp_worker_clock_ms() + ADOPT_MS;
        } else {
            conclude(e, j, true, "");
        }
    }
    if (!j->over) {
        check_time(e, j);
    }
}

static bool
take_event(struct executor *e, struct dcp_event *out)
{
    for (uint32_t k = 0; k < e->n_jobs; k++) {
        struct job *j = &e->jobs[k];

        if (j->step && j->over) {
            *out = (struct dcp_event){ .step = j->step->id,
                                       .ok = j->ok,
                                       .at_ms = e->base.ops->now_ms(&e->base) };
            memcpy(out->text, j->text, sizeof out->text);
            *j = (struct job){ 0 };
            return true;
        }
    }
    return false;
}

/* When there is something to do though no worker speaks, by the boot clock. */
static int64_t
due_ms(const struct executor *e)
{
    int64_t due = INT64_MAX;

    for (uint32_t k = 0; k < e->n_jobs; k++) {
        const struct job *j = &e->jobs[k];
        int64_t at = !j->step                                ? INT64_MAX
                     : j->worker || j->until_ms < j->look_ms ? j->until_ms
                                                             : j->look_ms;

        due = at < due ? at : due;
    }
    return due;
}

static bool
libvirt_wait(struct dcp_executor *executor, int64_t deadline_ms,
             struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct executor *e = of(executor);

    (void)err;
    for (;;) {
        for (uint32_t k = 0; k < e->n_jobs; k++) {
            if (e->jobs[k].step && !e->jobs[k].over) {
                look_after(e, &e->jobs[k]);
            }
        }
        *out_got = take_event(e, out);

        int64_t left_ms = deadline_ms - e->base.ops->now_ms(executor);

        if (*out_got || left_ms <= 0) {
            return true;
        }
        int64_t due = due_ms(e) - dcp_worker_clock_ms();
        struct epoll_event events[1];

        left_ms = due < left_ms ? due : left_ms;
        left_ms = left_ms < 0 ? 0 : left_ms > 1000 ? 1000 : left_ms;
        if (epoll_wait(e->epoll, events, 1, (int)left_ms) < 0) {
            return true; /* A signal: whoever asked looks at it. */
        }
    }
}

static bool
libvirt_cancel(struct dcp_executor *executor, uint32_t step,
               struct dcp_error *err)
{
    struct executor *e = of(executor);

    for (uint32_t k = 0; k < e->n_jobs; k++) {
        if (e->jobs[k].step && e->jobs[k].step->id == step &&
            !e->jobs[k].over) {
            return hurry(e, &e->jobs[k], "abort", err);
        }
    }
    return dcp_fail(err, DCP_E_NOT_FOUND, "step %u is not under way here",
                    step);
}

static int
libvirt_poll_fd(struct dcp_executor *executor)
{
    return of(executor)->epoll;
}

static int64_t
libvirt_now(struct dcp_executor *executor)
{
    return dcp_live_clock_ms(&of(executor)->clock);
}

static void
libvirt_destroy(struct dcp_executor *executor)
{
    struct executor *e = of(executor);

    for (uint32_t k = 0; k < e->n_jobs; k++) {
        dcp_worker_destroy(e->jobs[k].worker);
    }
    dcp_watch_destroy(e->see.watch);
    if (e->epoll >= 0) {
        (void)close(e->epoll);
    }
    free(e->jobs);
    free(e->see.seen);
    free(e);
}

static const struct dcp_executor_ops libvirt_ops = {
    .abi = DCP_EXECUTOR_ABI,
    .name = "libvirt",
    .summary = "VMs, by their hypervisors",
    .kinds = KIND(MIGRATE) | KIND(VM_START) | KIND(VM_STOP) | KIND(VM_PARK) |
             KIND(VM_RESTORE),
    .test = libvirt_test,
    .start = libvirt_start,
    .wait = libvirt_wait,
    .observe = libvirt_observe,
    .cancel = libvirt_cancel,
    .poll_fd = libvirt_poll_fd,
    .now_ms = libvirt_now,
    .destroy = libvirt_destroy,
};

struct dcp_executor *
dcp_libvirt_create(const struct dcp_libvirt_options *options,
                   struct dcp_error *err)
{
    struct executor *e = calloc(1, sizeof *e);

    if (!e) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for hypervisors");
        return NULL;
    }
    e->base.ops = &libvirt_ops;
    e->o = *options;
    e->clock.shift_ms = options->clock_shift_ms;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    e->see.inventory = options->inventory;
    e->see.seen =
        calloc((size_t)options->inventory->n_hosts + 1, sizeof *e->see.seen);
    e->see.watch = dcp_watch_create(options->inventory, options->connect,
                                    options->is_off, options->user, err);
    if (e->epoll < 0 || !e->see.seen || !e->see.watch) {
        if (e->see.watch) {
            (void)dcp_fail(err, DCP_E_NOMEM, "no memory for hypervisors");
        }
        libvirt_destroy(&e->base);
        return NULL;
    }
    return &e->base;
}

/* --- For who switches hosts off ------------------------------------------ */

static bool
count_guests(void *user, dcp_host_id host, uint32_t *out_n,
             struct dcp_error *err)
{
    struct executor *e = user;
    *out_n = UINT32_MAX;
    if (dcp_watch_is_silent(e->see.watch, host.ix)) {
        return dcp_fail(err, DCP_E_REMOTE, "%.80s: %.160s", name_of(e, host.ix),
                        dcp_watch_trouble(e->see.watch, host.ix));
    }
    json_t *answer =
        dcp_watch_ask(e->see.watch, host.ix, json_pack("{s:s}", "op", "count"),
                      COUNT_MS, err);
    const json_t *n = answer ? json_object_get(answer, "n") : NULL;
    bool ok = answer && dcp_worker_is_ok(answer, err) &&
              ((json_is_integer(n) && json_integer_value(n) >= 0) ||
               dcp_fail(err, DCP_E_REMOTE, "it did not say how many"));

    *out_n = ok ? (uint32_t)json_integer_value(n) : UINT32_MAX;
    json_decref(answer);
    return ok;
}

struct dcp_guests
dcp_libvirt_guests(struct dcp_executor *executor)
{
    return (struct dcp_guests){ count_guests, of(executor) };
}
