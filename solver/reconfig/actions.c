/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/reconfig/actions.h"

#include <stdlib.h>
#include <string.h>

#define NONE DCP_RC_NONE

struct build {
    const struct dcp_rc_places *p;
    const struct dcp_rc_world *w;
    const uint32_t *bypass;
    struct dcp_rc_actions *out;
    struct dcp_timetable *t;
    uint32_t *room;       /* [node * n_dims + d]: stock; NONE: none yet. */
    int64_t *level;       /* Same cells: what runs there now. */
    uint32_t *vm_task;    /* [vm]: its first, or NONE. */
    uint32_t *vm_arrival; /* [vm]: that brings it to its end. */
    uint32_t *boot, *off; /* [node] tasks, or NONE. */
    uint32_t *sync;       /* [vm]: lead of those it ends with; itself. */
    int64_t *sync_s, *sync_due; /* [lead] */
};

void
dcp_rc_actions_finish(struct dcp_rc_actions *a)
{
    free(a->list);
    free(a->task);
    dcp_timetable_destroy(a->timetable);
    *a = (struct dcp_rc_actions){ 0 };
}

static bool
migrates(const struct build *b, uint32_t v)
{
    const struct dcp_rc_vm *x = &b->w->vms[v];

    return x->now == DCP_RC_RUNNING && x->goal == DCP_RC_RUNNING &&
           b->p->host[v] != x->host;
}

static bool
arrives(const struct build *b, uint32_t v)
{
    return b->w->vms[v].goal == DCP_RC_RUNNING &&
           (b->w->vms[v].now != DCP_RC_RUNNING || migrates(b, v));
}

static bool
leaves(const struct build *b, uint32_t v)
{
    return b->w->vms[v].now == DCP_RC_RUNNING &&
           (b->w->vms[v].goal != DCP_RC_RUNNING || migrates(b, v));
}

static void
add_action(struct build *b, struct dcp_rc_action a, uint32_t task)
{
    b->out->list[b->out->n] = a;
    b->out->task[b->out->n++] = task;
}

/* The stock of a resource of a node. */
static uint32_t
room_of(struct build *b, uint32_t node, uint32_t d)
{
    size_t cell = (size_t)node * b->w->n_dims + d;

    if (b->room[cell] == NONE) {
        b->room[cell] =
            dcp_timetable_add_stock(b->t, b->level[cell], b->w->cap[cell]);
    }
    return b->room[cell];
}

/* 'sign' 1: the amounts come with the start; -1: they go with the end. */
static void
add_room(struct build *b, uint32_t task, uint32_t node, const int64_t use[],
         int sign)
{
    for (uint32_t d = 0; d < b->w->n_dims; d++) {
        if (use[d] > 0) {
            dcp_timetable_add_effect(b->t, task, room_of(b, node, d),
                                     sign > 0 ? use[d] : 0,
                                     sign > 0 ? 0 : -use[d]);
        }
    }
}

static void
nodes_switch(struct build *b)
{
    for (uint32_t n = 0; n < b->w->n_nodes; n++) {
        const struct dcp_rc_node *x = &b->w->nodes[n];
        struct dcp_rc_action a = {
            .vm = NONE, .node = n, .from = NONE, .to = NONE
        };

        if (!x->on && (b->p->power[n] == DCP_RC_ON || b->p->n_on[n])) {
            a.kind = DCP_RC_BOOT_NODE;
            b->boot[n] = dcp_timetable_add_task(b->t, x->boot_s, 0, INT64_MAX);
            add_action(b, a, b->boot[n]);
        } else if (x->on && b->p->power[n] == DCP_RC_OFF) {
            a.kind = DCP_RC_SHUTDOWN_NODE;
            b->off[n] =
                dcp_timetable_add_task(b->t, x->shutdown_s, 0, INT64_MAX);
            add_action(b, a, b->off[n]);
        }
    }
}

static void
wait_for_boot(struct build *b, uint32_t task, uint32_t node)
{
    if (b->boot[node] != NONE) {
        dcp_timetable_add_wait(b->t, task, b->boot[node]);
    }
}

static void
off_waits(struct build *b, uint32_t task, uint32_t node)
{
    if (node != NONE && b->off[node] != NONE) {
        dcp_timetable_add_wait(b->t, b->off[node], task);
    }
}

static int64_t
due_of(const struct dcp_rc_vm *x, int64_t duration, bool migration)
{
    int64_t due = migration ? x->due_s : INT64_MAX;

    return x->at_once && duration < due ? duration : due;
}

static void
add_links(struct build *b, uint32_t task, uint32_t v)
{
    const struct dcp_rc_world *w = b->w;
    int64_t bw = w->vms[v].bandwidth;

    /* Links are the first stocks. */
    for (uint32_t k = w->link_first ? w->link_first[v] : 0;
         w->link_first && bw > 0 && k < w->link_first[v + 1]; k++) {
        dcp_timetable_add_effect(b->t, task, w->link[k], bw, -bw);
    }
}

static void
migration(struct build *b, uint32_t v)
{
    const struct dcp_rc_vm *x = &b->w->vms[v];
    uint32_t lead = b->sync[v], over = b->bypass[v], task = b->vm_task[lead];
    uint32_t to = over != NONE ? over : b->p->host[v];

    if (task == NONE) {
        task =
            dcp_timetable_add_task(b->t, b->sync_s[lead], 0, b->sync_due[lead]);
        b->vm_task[lead] = task;
    }
    b->vm_task[v] = b->vm_arrival[v] = task;
    add_action(b,
               (struct dcp_rc_action){ DCP_RC_MIGRATE, v, NONE, x->host, to, 0,
                                       0, 0, x->migrate_s },
               task);
    wait_for_boot(b, task, to);
    off_waits(b, task, x->host);
    add_room(b, task, to, dcp_rc_goal_use(b->w, v), 1);
    add_room(b, task, x->host, dcp_rc_now_use(b->w, v), -1);
    add_links(b, task, v);
    if (over == NONE) {
        return;
    }
    uint32_t second = dcp_timetable_add_task(b->t, x->migrate_s, 0, INT64_MAX);

    b->vm_arrival[v] = second;
    add_action(b,
               (struct dcp_rc_action){ DCP_RC_MIGRATE, v, NONE, over,
                                       b->p->host[v], 0, 0, 0, x->migrate_s },
               second);
    dcp_timetable_add_wait(b->t, second, task);
    wait_for_boot(b, second, b->p->host[v]);
    add_room(b, second, b->p->host[v], dcp_rc_goal_use(b->w, v), 1);
    add_room(b, second, over, dcp_rc_goal_use(b->w, v), -1);
    add_links(b, second, v);
}

/* Amounts of a VM that stays change at once, when there is room. */
static void
allocation(struct build *b, uint32_t v)
{
    const int64_t *now = dcp_rc_now_use(b->w, v);
    const int64_t *goal = dcp_rc_goal_use(b->w, v);
    uint32_t host = b->w->vms[v].host, task = NONE;

    for (uint32_t d = 0; d < b->w->n_dims; d++) {
        if (goal[d] == now[d]) {
            continue;
        }
        if (task == NONE) {
            task = dcp_timetable_add_task(b->t, 0, 0, INT64_MAX);
            b->vm_arrival[v] = task;
        }
        dcp_timetable_add_effect(b->t, task, room_of(b, host, d),
                                 goal[d] - now[d], 0);
        add_action(b,
                   (struct dcp_rc_action){ DCP_RC_ALLOCATE, v, NONE, NONE, host,
                                           d, goal[d], 0, 0 },
                   task);
    }
}

/* Boots, resumes, stops, suspensions and kills. */
static void
transition(struct build *b, uint32_t v)
{
    const struct dcp_rc_vm *x = &b->w->vms[v];
    struct dcp_rc_action a = {
        .vm = v, .node = NONE, .from = x->host, .to = NONE
    };
    int64_t duration = x->kill_s;

    a.kind = DCP_RC_KILL_VM;
    if (x->goal == DCP_RC_RUNNING) {
        a.kind = x->now == DCP_RC_READY ? DCP_RC_BOOT_VM : DCP_RC_RESUME_VM;
        duration = x->now == DCP_RC_READY ? x->boot_s : x->resume_s;
        a.to = b->p->host[v];
    } else if (x->goal == DCP_RC_READY) {
        a.kind = DCP_RC_SHUTDOWN_VM;
        duration = x->shutdown_s;
    } else if (x->goal == DCP_RC_SLEEPING) {
        a.kind = DCP_RC_SUSPEND_VM;
        duration = x->suspend_s;
        a.to = x->host;
    }
    uint32_t task =
        dcp_timetable_add_task(b->t, duration, 0, due_of(x, duration, false));

    a.end_s = duration;
    b->vm_task[v] = b->vm_arrival[v] = task;
    add_action(b, a, task);
    if (x->goal == DCP_RC_RUNNING) {
        wait_for_boot(b, task, a.to);
        add_room(b, task, a.to, dcp_rc_goal_use(b->w, v), 1);
    }
    if (x->now == DCP_RC_RUNNING) {
        add_room(b, task, x->host, dcp_rc_now_use(b->w, v), -1);
    }
    off_waits(b, task, x->host);
}

static void
vm_actions(struct build *b)
{
    for (uint32_t v = 0; v < b->w->n_vms; v++) {
        const struct dcp_rc_vm *x = &b->w->vms[v];

        if (migrates(b, v)) {
            migration(b, v);
        } else if (x->now == DCP_RC_RUNNING && x->goal == DCP_RC_RUNNING) {
            allocation(b, v);
        } else if (x->now != x->goal) {
            transition(b, v);
        }
    }
}

/* -- rules that hold at every instant, and rules on time ------------------ */

/* One stock for each node that a member comes to: of one member at a time. */
static void
keep_apart(struct build *b, const struct dcp_rc_rule *rule)
{
    for (uint32_t i = 0; i < rule->vms.n; i++) {
        uint32_t v = rule->vms.ids[i], node, stock;
        int64_t level = 0;
        bool first = true;

        if (!arrives(b, v)) {
            continue;
        }
        node = b->p->host[v];
        for (uint32_t j = 0; j < rule->vms.n; j++) {
            uint32_t m = rule->vms.ids[j];

            level +=
                b->w->vms[m].now == DCP_RC_RUNNING && b->w->vms[m].host == node;
            first =
                first && (j >= i || !arrives(b, m) || b->p->host[m] != node);
        }
        if (!level || !first) {
            continue; /* Nobody to meet there. */
        }
        stock = dcp_timetable_add_stock(b->t, level, 1);
        for (uint32_t j = 0; j < rule->vms.n; j++) {
            uint32_t m = rule->vms.ids[j];

            if (arrives(b, m) && b->p->host[m] == node) {
                dcp_timetable_add_effect(b->t, b->vm_arrival[m], stock, 1, 0);
            }
            if (leaves(b, m) && b->w->vms[m].host == node) {
                dcp_timetable_add_effect(b->t, b->vm_task[m], stock, 0, -1);
            }
        }
    }
}

/* Who comes to a node waits for those to have left it whom the rule keeps off
 * him: VMs outside of a lonely set, or of other parts. */
static void
come_after_others(struct build *b, const struct dcp_rc_rule *rule)
{
    uint32_t n_sides = rule->kind == DCP_RC_LONELY ? 1 : rule->n_vm_parts;

    for (uint32_t x = 0; x < b->w->n_vms; x++) {
        if (!leaves(b, x)) {
            continue;
        }
        for (uint32_t k = 0; k < n_sides; k++) {
            const struct dcp_rc_set *side =
                rule->kind == DCP_RC_LONELY ? &rule->vms : &rule->vm_parts[k];
            bool inside = dcp_rc_has(side, x);

            /* Members wait for strangers; strangers for members are seen from
             * the stranger's side below. */
            for (uint32_t i = 0; !inside && i < side->n; i++) {
                uint32_t v = side->ids[i];

                if (arrives(b, v) && b->p->host[v] == b->w->vms[x].host) {
                    bool apart = rule->kind == DCP_RC_LONELY;

                    for (uint32_t q = 0; !apart && q < n_sides; q++) {
                        apart = q != k && dcp_rc_has(&rule->vm_parts[q], x);
                    }
                    if (apart) {
                        dcp_timetable_add_wait(b->t, b->vm_arrival[v],
                                               b->vm_task[x]);
                    }
                }
            }
        }
    }
    if (rule->kind != DCP_RC_LONELY) {
        return;
    }
    for (uint32_t i = 0; i < rule->vms.n; i++) {
        uint32_t m = rule->vms.ids[i];

        for (uint32_t v = 0; leaves(b, m) && v < b->w->n_vms; v++) {
            if (arrives(b, v) && b->p->host[v] == b->w->vms[m].host &&
                !dcp_rc_has(&rule->vms, v)) {
                dcp_timetable_add_wait(b->t, b->vm_arrival[v], b->vm_task[m]);
            }
        }
    }
}

/* Use of a set of nodes; moves within it change nothing. */
static void
limit_set(struct build *b, const struct dcp_rc_rule *rule)
{
    const struct dcp_rc_world *w = b->w;
    bool counts_vms = rule->kind == DCP_RC_RUNNING_MAX;
    int64_t level = 0;

    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (w->vms[v].now == DCP_RC_RUNNING &&
            dcp_rc_has(&rule->nodes, w->vms[v].host)) {
            level += counts_vms ? 1 : dcp_rc_now_use(w, v)[rule->dim];
        }
    }
    uint32_t stock = dcp_timetable_add_stock(b->t, level, rule->amount);

    for (uint32_t v = 0; v < w->n_vms; v++) {
        if (!counts_vms && b->vm_task[v] == NONE && b->vm_arrival[v] != NONE &&
            dcp_rc_has(&rule->nodes, b->p->host[v])) {
            dcp_timetable_add_effect(b->t, b->vm_arrival[v], stock,
                                     dcp_rc_goal_use(w, v)[rule->dim] -
                                         dcp_rc_now_use(w, v)[rule->dim],
                                     0);
            continue; /* Stays and gets more. */
        }
        bool from = leaves(b, v) && dcp_rc_has(&rule->nodes, w->vms[v].host);
        bool to = arrives(b, v) && dcp_rc_has(&rule->nodes, b->p->host[v]);
        int64_t comes = counts_vms ? 1 : dcp_rc_goal_use(w, v)[rule->dim];
        int64_t goes = counts_vms ? 1 : dcp_rc_now_use(w, v)[rule->dim];

        if (to && !(from && comes <= goes)) {
            dcp_timetable_add_effect(b->t, b->vm_arrival[v], stock,
                                     from ? comes - goes : comes, 0);
        } else if (from && !to) {
            dcp_timetable_add_effect(b->t, b->vm_task[v], stock, 0, -goes);
        }
    }
}

static void
limit_online(struct build *b, const struct dcp_rc_rule *rule)
{
    int64_t level = 0;

    for (uint32_t i = 0; i < rule->nodes.n; i++) {
        level += b->w->nodes[rule->nodes.ids[i]].on;
    }
    uint32_t stock = dcp_timetable_add_stock(b->t, level, rule->amount);

    for (uint32_t i = 0; i < rule->nodes.n; i++) {
        uint32_t n = rule->nodes.ids[i];

        if (b->boot[n] != NONE) {
            dcp_timetable_add_effect(b->t, b->boot[n], stock, 1, 0);
        }
        if (b->off[n] != NONE) {
            dcp_timetable_add_effect(b->t, b->off[n], stock, 0, -1);
        }
    }
}

/* State changes of the VMs one after another. */
static void
in_sequence(struct build *b, const struct dcp_rc_rule *rule)
{
    uint32_t last = NONE;

    for (uint32_t i = 0; i < rule->vms.n; i++) {
        uint32_t v = rule->vms.ids[i];

        if (b->vm_task[v] == NONE || migrates(b, v)) {
            continue;
        }
        if (last != NONE) {
            dcp_timetable_add_wait(b->t, b->vm_task[v], last);
        }
        last = b->vm_task[v];
    }
}

static void
one_at_a_time(struct build *b, const struct dcp_rc_rule *rule)
{
    uint32_t stock = dcp_timetable_add_stock(b->t, 0, 1);

    for (uint32_t i = 0; i < rule->vms.n; i++) {
        uint32_t v = rule->vms.ids[i];

        if (migrates(b, v)) {
            dcp_timetable_add_effect(b->t, b->vm_task[v], stock, 1, -1);
        }
        if (migrates(b, v) && b->vm_arrival[v] != b->vm_task[v]) {
            dcp_timetable_add_effect(b->t, b->vm_arrival[v], stock, 1, -1);
        }
    }
}

static void
add_rule(struct build *b, const struct dcp_rc_rule *rule)
{
    switch (rule->kind) {
    case DCP_RC_SPREAD:
        if (rule->continuous) {
            keep_apart(b, rule);
        }
        break;
    case DCP_RC_LONELY:
    case DCP_RC_SPLIT:
        if (rule->continuous) {
            come_after_others(b, rule);
        }
        break;
    case DCP_RC_RESOURCE:
    case DCP_RC_RUNNING_MAX:
        if (rule->continuous) {
            limit_set(b, rule);
        }
        break;
    case DCP_RC_ONLINE_MAX:
        if (rule->continuous) {
            limit_online(b, rule);
        }
        break;
    case DCP_RC_SEQ:
        in_sequence(b, rule);
        break;
    case DCP_RC_PRECEDENCE:
        if (rule->vms.n > 1 && migrates(b, rule->vms.ids[0]) &&
            migrates(b, rule->vms.ids[1])) {
            dcp_timetable_add_wait(b->t, b->vm_task[rule->vms.ids[1]],
                                   b->vm_arrival[rule->vms.ids[0]]);
        }
        break;
    case DCP_RC_SERIALIZE:
        one_at_a_time(b, rule);
        break;
    default:
        break; /* Places keep it, and so does the whole way there. */
    }
}

/* Migrations that end together are one task as long as the longest. */
static void
lead_syncs(struct build *b)
{
    for (uint32_t v = 0; v < b->w->n_vms; v++) {
        b->sync[v] = v;
    }
    for (uint32_t r = 0; r < b->w->n_rules; r++) {
        const struct dcp_rc_rule *rule = &b->w->rules[r];
        uint32_t lead = NONE;

        for (uint32_t i = 0; rule->kind == DCP_RC_SYNC && i < rule->vms.n;
             i++) {
            uint32_t v = rule->vms.ids[i];

            if (migrates(b, v)) {
                lead = lead == NONE ? b->sync[v] : lead;
                b->sync[v] = lead;
            }
        }
    }
    for (uint32_t v = 0; v < b->w->n_vms; v++) {
        const struct dcp_rc_vm *x = &b->w->vms[v];
        uint32_t lead = b->sync[v];
        int64_t due = due_of(x, x->migrate_s, true);

        b->sync_s[lead] =
            x->migrate_s > b->sync_s[lead] ? x->migrate_s : b->sync_s[lead];
        b->sync_due[lead] = b->sync_due[lead] == 0 || due < b->sync_due[lead]
                                ? due
                                : b->sync_due[lead];
    }
}

static bool
start(struct build *b)
{
    const struct dcp_rc_world *w = b->w;
    size_t cells = (size_t)w->n_nodes * w->n_dims + 1;
    size_t vms = (size_t)w->n_vms + 1, nodes = (size_t)w->n_nodes + 1;
    size_t most = vms * (2 + w->n_dims) + nodes;

    b->t = b->out->timetable = dcp_timetable_create();
    b->out->list = calloc(most, sizeof *b->out->list);
    b->out->task = calloc(most, sizeof *b->out->task);
    b->room = malloc(cells * sizeof *b->room);
    b->level = calloc(cells, sizeof *b->level);
    b->vm_task = malloc(vms * sizeof *b->vm_task);
    b->vm_arrival = malloc(vms * sizeof *b->vm_arrival);
    b->boot = malloc(nodes * sizeof *b->boot);
    b->off = malloc(nodes * sizeof *b->off);
    b->sync = calloc(vms, sizeof *b->sync);
    b->sync_s = calloc(vms, sizeof *b->sync_s);
    b->sync_due = calloc(vms, sizeof *b->sync_due);
    if (!b->t || !b->out->list || !b->out->task || !b->room || !b->level ||
        !b->vm_task || !b->vm_arrival || !b->boot || !b->off || !b->sync ||
        !b->sync_s || !b->sync_due) {
        return false;
    }
    memset(b->room, 0xff, cells * sizeof *b->room);
    memset(b->vm_task, 0xff, vms * sizeof *b->vm_task);
    memset(b->vm_arrival, 0xff, vms * sizeof *b->vm_arrival);
    memset(b->boot, 0xff, nodes * sizeof *b->boot);
    memset(b->off, 0xff, nodes * sizeof *b->off);
    for (uint32_t v = 0; v < w->n_vms; v++) {
        for (uint32_t d = 0; w->vms[v].now == DCP_RC_RUNNING && d < w->n_dims;
             d++) {
            b->level[(size_t)w->vms[v].host * w->n_dims + d] +=
                dcp_rc_now_use(w, v)[d];
        }
    }
    for (uint32_t l = 0; l < w->n_links; l++) {
        (void)dcp_timetable_add_stock(b->t, 0, w->link_cap[l]);
    }
    lead_syncs(b);
    return true;
}

bool
dcp_rc_actions_make(const struct dcp_rc_places *p, const uint32_t bypass[],
                    struct dcp_rc_actions *out, struct dcp_error *err)
{
    struct build b = { .p = p, .w = p->w, .bypass = bypass, .out = out };
    bool done;

    *out = (struct dcp_rc_actions){ 0 };
    done = start(&b);
    if (done) {
        nodes_switch(&b);
        vm_actions(&b);
        for (uint32_t r = 0; r < b.w->n_rules; r++) {
            add_rule(&b, &b.w->rules[r]);
        }
    }
    free(b.room);
    free(b.level);
    free(b.vm_task);
    free(b.vm_arrival);
    free(b.boot);
    free(b.off);
    free(b.sync);
    free(b.sync_s);
    free(b.sync_due);
    done = done ? dcp_timetable_seal(b.t, err)
                : dcp_fail(err, DCP_E_NOMEM, "out of memory");
    if (!done) {
        dcp_rc_actions_finish(out);
    }
    return done;
}
