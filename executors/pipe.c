/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One question is open at a time, so lines cannot get mixed up.  The clock is
 * the one in the program's last answer: every answer carries "now_ms". */

#define _GNU_SOURCE /* For pipe2(). */

#include "executors/pipe.h"

#include "model/io/json_size.h"
#include "model/io/json_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536
#define ANSWER_MS      60000 /* A program that says nothing for so long is dead. */
#define WAIT_SLICE_MS  1000 /* So that Ctrl-C is noticed. */
#define GOODBYE_MS     2000

extern char **environ;

struct dcp_pipe {
    struct dcp_executor base;
    struct dcp_executor_ops ops; /* Named as the program names itself. */
    const struct dcp_inventory *inventory;
    char name[32];
    pid_t pid;    /* 0: not started. */
    int to, from; /* -1: closed. */
    int64_t now_ms;
    size_t n_read;
    char line[LINE_MAX_BYTES];
};

static struct dcp_pipe *
of(struct dcp_executor *executor)
{
    return (struct dcp_pipe *)executor;
}

/* --- Lines -------------------------------------------------------------- */

static bool
write_line(struct dcp_pipe *p, const char *text, struct dcp_error *err)
{
    size_t length = strlen(text), done = 0;

    while (done < length) {
        ssize_t n = write(p->to, text + done, length - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return dcp_fail(err, DCP_E_REMOTE, "%s does not listen: %s",
                            p->name, strerror(errno));
        }
        done += (size_t)n;
    }
    return true;
}

static bool
read_more(struct dcp_pipe *p, struct dcp_error *err)
{
    struct pollfd fd = { .fd = p->from, .events = POLLIN };

    for (;;) {
        int ready = poll(&fd, 1, ANSWER_MS);

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready <= 0) {
            return dcp_fail(err, DCP_E_REMOTE, "%s does not answer", p->name);
        }
        ssize_t n =
            read(p->from, p->line + p->n_read, sizeof p->line - 1 - p->n_read);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return dcp_fail(err, DCP_E_REMOTE,
                            p->n_read + 1 < sizeof p->line
                                ? "%s ended in the middle"
                                : "%s: a line is longer than 64 KiB",
                            p->name);
        }
        p->n_read += (size_t)n;
        return true;
    }
}

/* The next line as an object, which the caller releases. */
static json_t *
read_answer(struct dcp_pipe *p, struct dcp_error *err)
{
    char *end;

    while (!(end = memchr(p->line, '\n', p->n_read))) {
        if (!read_more(p, err)) {
            return NULL;
        }
    }
    size_t length = (size_t)(end - p->line);
    json_t *answer = json_loadb(p->line, length, JSON_REJECT_DUPLICATES, NULL);

    p->n_read -= length + 1;
    memmove(p->line, end + 1, p->n_read);
    json_t *now = json_object_get(answer, "now_ms");

    if (!json_is_object(answer) || !json_is_integer(now)) {
        json_decref(answer);
        (void)dcp_fail(err, DCP_E_REMOTE,
                       "%s: an answer is not a JSON object with a whole "
                       "\"now_ms\"",
                       p->name);
        return NULL;
    }
    if (json_integer_value(now) > p->now_ms) {
        p->now_ms = json_integer_value(now);
    }
    return answer;
}

/* Sends the question and finishes it. */
static json_t *
ask(struct dcp_pipe *p, struct dcp_json *question, struct dcp_error *err)
{
    dcp_json_end(question, '}');
    const char *text = dcp_json_text(question);
    bool ok = text || dcp_fail(err, DCP_E_NOMEM, "no memory for a question");

    /* The writer may or may not end its text with a newline of its own. */
    ok = ok && write_line(p, text, err) &&
         (text[strlen(text) - 1] == '\n' || write_line(p, "\n", err));
    dcp_json_finish(question);
    return ok ? read_answer(p, err) : NULL;
}

static void
begin_question(struct dcp_json *w, const char *op)
{
    dcp_json_init(w, false);
    dcp_json_begin(w, '{');
    dcp_json_kstring(w, "op", op);
}

static void
add_object(struct dcp_pipe *p, struct dcp_json *w, const char *key,
           struct dcp_object o)
{
    char text[256];

    (void)snprintf(text, sizeof text, "%s:%s", dcp_object_kind_name(o.kind),
                   dcp_object_name(p->inventory, o));
    dcp_json_kstring(w, key, o.kind == DCP_OBJECT_NONE ? NULL : text);
}

static void
add_step(struct dcp_pipe *p, struct dcp_json *w, const struct dcp_step *s)
{
    dcp_json_kobject(w, "step");
    dcp_json_ku64(w, "id", s->id);
    dcp_json_kstring(w, "kind", dcp_step_kind_name(s->kind));
    add_object(p, w, "object", s->object);
    add_object(p, w, "from", s->from);
    add_object(p, w, "to", s->to);
    dcp_json_kbool(w, "cold", s->cold);
    if (s->converts) {
        dcp_json_kobject(w, "convert");
        dcp_json_kstring(
            w, "from", p->inventory->hypervisors[s->convert_from.ix].name);
        dcp_json_kstring(w, "to",
                         p->inventory->hypervisors[s->convert_to.ix].name);
        dcp_json_end(w, '}');
    }
    dcp_json_ki64(w, "estimate_ms", s->estimate_ms);
    if (s->kind == DCP_STEP_VM_RESIZE) {
        dcp_json_ksize(w, "size_from", s->size_from);
        dcp_json_ksize(w, "size_to", s->size_to);
    }
    dcp_json_end(w, '}');
}

static void
copy_text(const json_t *answer, char out[160])
{
    const char *text = json_string_value(json_object_get(answer, "text"));

    (void)snprintf(out, 160, "%s", text ? text : "");
}

/* An answer whose "ok" says whether. */
static bool
ask_whether(struct dcp_pipe *p, struct dcp_json *question,
            struct dcp_error *err)
{
    json_t *answer = ask(p, question, err);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    char text[160];

    if (answer && !ok) {
        copy_text(answer, text);
        (void)dcp_fail(err, DCP_E_REMOTE, "%s",
                       text[0] ? text : "the program said no");
    }
    json_decref(answer);
    return ok;
}

/* --- Slots -------------------------------------------------------------- */

static bool
pipe_test(struct dcp_executor *executor, const struct dcp_step *s,
          struct dcp_error *err)
{
    struct dcp_json w;

    begin_question(&w, "test");
    add_step(of(executor), &w, s);
    return ask_whether(of(executor), &w, err);
}

static bool
pipe_start(struct dcp_executor *executor, const struct dcp_step *s,
           struct dcp_error *err)
{
    struct dcp_json w;

    begin_question(&w, "start");
    add_step(of(executor), &w, s);
    return ask_whether(of(executor), &w, err);
}

static bool
pipe_cancel(struct dcp_executor *executor, uint32_t step, struct dcp_error *err)
{
    struct dcp_json w;

    begin_question(&w, "cancel");
    dcp_json_ku64(&w, "step", step);
    return ask_whether(of(executor), &w, err);
}

static bool
take_event(struct dcp_pipe *p, const json_t *event, struct dcp_event *out,
           struct dcp_error *err)
{
    json_int_t step = json_integer_value(json_object_get(event, "step"));
    json_t *ok = json_object_get(event, "ok");

    if (step < 1 || step > UINT32_MAX || !json_is_boolean(ok)) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "%s: an event names no step, or not whether it is ok",
                        p->name);
    }
    *out = (struct dcp_event){ .step = (uint32_t)step,
                               .ok = json_is_true(ok),
                               .at_ms = p->now_ms };
    copy_text(event, out->text);
    return true;
}

static bool
pipe_wait(struct dcp_executor *executor, int64_t deadline_ms,
          struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct dcp_pipe *p = of(executor);
    struct dcp_json w;
    int64_t slice_ms = p->now_ms + WAIT_SLICE_MS;

    begin_question(&w, "wait");
    dcp_json_ki64(&w, "deadline_ms",
                  deadline_ms < slice_ms ? deadline_ms : slice_ms);
    json_t *answer = ask(p, &w, err);
    json_t *event = json_object_get(answer, "event");
    bool ok = answer != NULL;

    *out_got = ok && json_is_object(event);
    if (*out_got) {
        ok = take_event(p, event, out, err);
    } else if (ok && !json_is_null(event)) {
        ok = dcp_fail(err, DCP_E_REMOTE,
                      "%s: the answer to 'wait' has no \"event\"", p->name);
    }
    json_decref(answer);
    return ok;
}

static bool
pipe_observe(struct dcp_executor *executor, const struct dcp_step *s,
             struct dcp_observation *out, struct dcp_error *err)
{
    static const char *const names[] = {
        [DCP_EFFECT_ABSENT] = "absent",   [DCP_EFFECT_RUNNING] = "running",
        [DCP_EFFECT_PRESENT] = "present", [DCP_EFFECT_ELSEWHERE] = "elsewhere",
        [DCP_EFFECT_UNKNOWN] = "unknown",
    };
    struct dcp_pipe *p = of(executor);
    struct dcp_json w;

    begin_question(&w, "observe");
    add_step(p, &w, s);
    json_t *answer = ask(p, &w, err);

    if (!answer) {
        return false;
    }
    const char *effect = json_string_value(json_object_get(answer, "effect"));

    *out = (struct dcp_observation){ .effect = DCP_EFFECT_UNKNOWN };
    for (int i = 0; effect && i <= DCP_EFFECT_UNKNOWN; i++) {
        if (!strcmp(effect, names[i])) {
            out->effect = (enum dcp_effect)i;
        }
    }
    out->age_ms = json_integer_value(json_object_get(answer, "age_ms"));
    copy_text(answer, out->text);
    json_decref(answer);
    return true;
}

static int64_t
pipe_now(struct dcp_executor *executor)
{
    return of(executor)->now_ms;
}

/* Its input ends; then it has a moment to go. */
static void
end_program(struct dcp_pipe *p)
{
    const struct timespec nap = { .tv_nsec = 10000000 };

    for (int waited_ms = 0; waited_ms < GOODBYE_MS; waited_ms += 10) {
        if (waitpid(p->pid, NULL, WNOHANG) != 0) {
            return;
        }
        (void)nanosleep(&nap, NULL);
    }
    (void)kill(p->pid, SIGKILL);
    (void)waitpid(p->pid, NULL, 0);
}

static void
pipe_destroy(struct dcp_executor *executor)
{
    struct dcp_pipe *p = of(executor);

    if (p->to >= 0) {
        (void)close(p->to);
    }
    if (p->from >= 0) {
        (void)close(p->from);
    }
    if (p->pid > 0) {
        end_program(p);
    }
    free(p);
}

/* --- Life --------------------------------------------------------------- */

static bool
spawn(struct dcp_pipe *p, const char *program, struct dcp_error *err)
{
    int in[2], out[2];
    char *copy = strdup(program);
    char *argv[] = { copy, NULL };
    posix_spawn_file_actions_t actions;

    if (!copy || pipe2(in, O_CLOEXEC) != 0) {
        free(copy);
        return dcp_fail(err, DCP_E_IO, "no pipe to '%s'", program);
    }
    p->to = in[1];
    if (pipe2(out, O_CLOEXEC) != 0) {
        (void)close(in[0]);
        free(copy);
        return dcp_fail(err, DCP_E_IO, "no pipe to '%s'", program);
    }
    p->from = out[0];
    int failed = posix_spawn_file_actions_init(&actions);

    if (!failed) {
        failed = posix_spawn_file_actions_adddup2(&actions, in[0], 0);
        failed = failed ? failed
                        : posix_spawn_file_actions_adddup2(&actions, out[1], 1);
        failed = failed ? failed
                        : posix_spawnp(&p->pid, program, &actions, NULL, argv,
                                       environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    free(copy);
    if (failed) {
        p->pid = 0;
        return dcp_fail(err, DCP_E_IO, "cannot start '%s': %s", program,
                        strerror(failed));
    }
    return true;
}

static bool
greet(struct dcp_pipe *p, const struct dcp_plan *plan, uint32_t leg,
      struct dcp_error *err)
{
    struct dcp_json w;

    begin_question(&w, "hello");
    dcp_json_ku64(&w, "abi", DCP_EXECUTOR_ABI);
    dcp_json_kstring(&w, "plan", plan->uuid);
    dcp_json_kstring(&w, "leg", plan->legs[leg].name);
    dcp_json_kinstant(&w, "start", plan->legs[leg].start_ms);
    dcp_json_kinstant(&w, "deadline", plan->legs[leg].deadline_ms);
    json_t *answer = ask(p, &w, err), *kind;
    size_t i;

    if (!answer) {
        return false;
    }
    if (json_integer_value(json_object_get(answer, "abi")) !=
        DCP_EXECUTOR_ABI) {
        json_decref(answer);
        return dcp_fail(err, DCP_E_UNSUPPORTED,
                        "%s does not speak version %d of the executor's "
                        "interface",
                        p->name, DCP_EXECUTOR_ABI);
    }
    json_array_foreach(json_object_get(answer, "kinds"), i, kind)
    {
        enum dcp_step_kind known;
        const char *text = json_string_value(kind);

        if (text && dcp_step_kind_parse(text, &known)) {
            p->ops.kinds |= 1u << known;
        }
    }
    json_decref(answer);
    return true;
}

struct dcp_executor *
dcp_pipe_create(const struct dcp_inventory *inv, const struct dcp_plan *plan,
                uint32_t leg, const char *program, struct dcp_error *err)
{
    struct dcp_pipe *p = calloc(1, sizeof *p);
    const char *slash = strrchr(program, '/');

    if (!p) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for an executor");
        return NULL;
    }
    (void)snprintf(p->name, sizeof p->name, "%s", slash ? slash + 1 : program);
    p->inventory = inv;
    p->to = p->from = -1;
    p->ops = (struct dcp_executor_ops){
        .abi = DCP_EXECUTOR_ABI,
        .name = p->name,
        .summary = "a program of somebody else's",
        .kinds = 1u << DCP_STEP_SYNC,
        .test = pipe_test,
        .start = pipe_start,
        .wait = pipe_wait,
        .observe = pipe_observe,
        .cancel = pipe_cancel,
        .now_ms = pipe_now,
        .destroy = pipe_destroy,
    };
    p->base.ops = &p->ops;
    if (!spawn(p, program, err) || !greet(p, plan, leg, err)) {
        pipe_destroy(&p->base);
        return NULL;
    }
    return &p->base;
}
