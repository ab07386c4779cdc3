/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/group.h"

#include <poll.h>
#include <stdlib.h>

#define SLICE_MS 1000 /* Of one wait, so that interrupts are seen. */
#define ASK_MS   20   /* Between questions to who has no descriptor. */

struct dcp_group {
    struct dcp_executor base;
    struct dcp_executor_ops ops;
    struct dcp_executor *members[DCP_GROUP_MEMBERS_MAX];
    uint32_t n_members;
    uint32_t turn; /* Who is asked first for the next event. */
    int64_t now_ms;
};

static struct dcp_group *
of(struct dcp_executor *executor)
{
    return (struct dcp_group *)executor;
}

static bool
can(const struct dcp_executor *member, enum dcp_step_kind kind)
{
    return member->ops->kinds >> kind & 1;
}

/* NULL: none can do it. */
static struct dcp_executor *
route(const struct dcp_group *g, const struct dcp_step *s,
      struct dcp_error *err)
{
    for (uint32_t i = 0; i < g->n_members; i++) {
        if (can(g->members[i], s->kind)) {
            return g->members[i];
        }
    }
    (void)dcp_fail(err, DCP_E_UNSUPPORTED, "executor '%s' cannot do '%s'",
                   g->ops.name, dcp_step_kind_name(s->kind));
    return NULL;
}

static bool
group_test(struct dcp_executor *executor, const struct dcp_step *s,
           struct dcp_error *err)
{
    struct dcp_executor *member = route(of(executor), s, err);

    return member && (!member->ops->test || member->ops->test(member, s, err));
}

static bool
group_start(struct dcp_executor *executor, const struct dcp_step *s,
            struct dcp_error *err)
{
    struct dcp_executor *member = route(of(executor), s, err);

    return member && member->ops->start(member, s, err);
}

static bool
group_observe(struct dcp_executor *executor, const struct dcp_step *s,
              struct dcp_observation *out, struct dcp_error *err)
{
    struct dcp_executor *member = route(of(executor), s, err);

    return member && member->ops->observe(member, s, out, err);
}

/* Whose it is only the members know. */
static bool
group_cancel(struct dcp_executor *executor, uint32_t step,
             struct dcp_error *err)
{
    const struct dcp_group *g = of(executor);

    for (uint32_t i = 0; i < g->n_members; i++) {
        struct dcp_executor *member = g->members[i];

        if (member->ops->cancel && member->ops->cancel(member, step, err)) {
            return true;
        }
    }
    return dcp_fail(err, DCP_E_UNSUPPORTED, "step %u cannot be cancelled",
                    step);
}

static int64_t
group_now(struct dcp_executor *executor)
{
    struct dcp_group *g = of(executor);

    for (uint32_t i = 0; i < g->n_members; i++) {
        int64_t now_ms = g->members[i]->ops->now_ms(g->members[i]);

        if (now_ms > g->now_ms) {
            g->now_ms = now_ms;
        }
    }
    return g->now_ms;
}

/* --- Waiting ------------------------------------------------------------ */

/* Asks all members once, none waits. */
static bool
ask_members(struct dcp_group *g, struct dcp_event *out, bool *out_got,
            struct dcp_error *err)
{
    for (uint32_t i = 0; i < g->n_members; i++) {
        struct dcp_executor *member = g->members[(g->turn + i) % g->n_members];

        if (!member->ops->wait(member, member->ops->now_ms(member), out,
                               out_got, err)) {
            return dcp_fail_in(err, "%s", member->ops->name);
        }
        if (*out_got) {
            g->turn = (g->turn + i + 1) % g->n_members;
            return true;
        }
    }
    return true;
}

/* Until one of the members may have something; false: it was interrupted. */
static bool
sleep_until(struct dcp_group *g, int64_t left_ms)
{
    struct pollfd fds[DCP_GROUP_MEMBERS_MAX];
    nfds_t n = 0;

    for (uint32_t i = 0; i < g->n_members; i++) {
        struct dcp_executor *member = g->members[i];
        int fd = member->ops->poll_fd ? member->ops->poll_fd(member) : -1;

        if (fd >= 0) {
            fds[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
        }
    }
    if (n < g->n_members && left_ms > ASK_MS) {
        left_ms = ASK_MS;
    }
    return poll(fds, n, (int)left_ms) >= 0;
}

static bool
group_wait(struct dcp_executor *executor, int64_t deadline_ms,
           struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct dcp_group *g = of(executor);
    int64_t now_ms = group_now(executor);
    int64_t slice_ms = now_ms + SLICE_MS;
    int64_t end_ms = deadline_ms < slice_ms ? deadline_ms : slice_ms;

    for (;;) {
        *out_got = false;
        if (!ask_members(g, out, out_got, err)) {
            return false;
        }
        now_ms = group_now(executor);
        if (*out_got || now_ms >= end_ms || !sleep_until(g, end_ms - now_ms)) {
            return true;
        }
    }
}

/* --- Life --------------------------------------------------------------- */

static void
group_destroy(struct dcp_executor *executor)
{
    struct dcp_group *g = of(executor);

    while (g->n_members) {
        dcp_executor_destroy(g->members[--g->n_members]);
    }
    free(g);
}

static struct dcp_executor *
refuse(struct dcp_executor *const members[], uint32_t n_members)
{
    while (n_members) {
        dcp_executor_destroy(members[--n_members]);
    }
    return NULL;
}

struct dcp_executor *
dcp_group_create(const char *name, struct dcp_executor *const members[],
                 uint32_t n_members, struct dcp_error *err)
{
    struct dcp_group *g = calloc(1, sizeof *g);

    if (!g || n_members > DCP_GROUP_MEMBERS_MAX) {
        (void)dcp_fail(err, g ? DCP_E_ARGUMENT : DCP_E_NOMEM,
                       g ? "more than %d executors in a group"
                         : "no memory for an executor (of %d)",
                       DCP_GROUP_MEMBERS_MAX);
        free(g);
        return refuse(members, n_members);
    }
    g->ops = (struct dcp_executor_ops){
        .abi = DCP_EXECUTOR_ABI,
        .name = name,
        .summary = "several executors as one",
        .kinds = 1u << DCP_STEP_SYNC,
        .test = group_test,
        .start = group_start,
        .wait = group_wait,
        .observe = group_observe,
        .cancel = group_cancel,
        .now_ms = group_now,
        .destroy = group_destroy,
    };
    for (uint32_t i = 0; i < n_members; i++) {
        if (members[i]) {
            g->members[g->n_members++] = members[i];
            g->ops.kinds |= members[i]->ops->kinds;
        }
    }
    g->base.ops = &g->ops;
    return &g->base;
}
