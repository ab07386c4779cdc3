/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Constraints: what is about one VM or node becomes its goal, the rest rules.
 */

#include "bench/suite/btrplace_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One constraint as it stands. */
struct raw {
    char id[32], rc[64], timestamp[32];
    bool continuous;
    double ratio;
    int64_t amount;
    struct dcp_rc_set vms, nodes;
    struct dcp_rc_set *parts, *vm_parts, *node_parts; /* parts: see id. */
    uint32_t n_parts, n_vm_parts, n_node_parts;
    struct dcp_pull parts_at; /* Read when the id is known. */
};

/* One id, or an array of them, into the arena; twins are dropped. */
static bool
read_set(struct dcp_btr_reader *r, struct dcp_pull *p, bool vms,
         struct dcp_rc_set *out)
{
    bool list = dcp_pull_next(p) == DCP_PULL_ARRAY;
    uint32_t n = 0, *ids, stamp = ++r->stamp;

    if (list) {
        dcp_pull_array(p);
    }
    while (list ? dcp_pull_more(p) : n == 0 && !p->problem) {
        int64_t id = dcp_pull_i64(p);
        uint32_t i = vms ? dcp_btr_vm(r, id) : dcp_btr_node(r, id);

        if (i == DCP_RC_NONE) {
            dcp_pull_wrong(p, "the mapping has no such id");
            break;
        }
        uint32_t *seen = r->seen + (vms ? r->w->n_nodes : 0) + i;

        if (*seen == stamp) {
            continue;
        }
        *seen = stamp;
        if (n == r->room) {
            size_t more = r->room ? 2 * r->room : 1024;
            uint32_t *grown = reallocarray(r->buffer, more, sizeof *grown);

            if (!grown) {
                return dcp_btr_no_memory(r);
            }
            r->buffer = grown;
            r->room = more;
        }
        r->buffer[n++] = i;
    }
    if (p->problem) {
        return true; /* Told at the end. */
    }
    ids = dcp_arena_array(r->arena, uint32_t, n);
    if (!ids) {
        return dcp_btr_no_memory(r);
    }
    if (n) {
        memcpy(ids, r->buffer, n * sizeof *ids);
    }
    *out = (struct dcp_rc_set){ ids, n };
    return true;
}

/* vm1 and vm2, in that order whatever theirs in the file. */
static bool
read_pair(struct dcp_btr_reader *r, struct dcp_pull *p, bool second,
          struct dcp_rc_set *out)
{
    uint32_t i = dcp_btr_vm(r, dcp_pull_i64(p));
    uint32_t *ids;

    if (i == DCP_RC_NONE) {
        dcp_pull_wrong(p, "the mapping has no such id");
        return true;
    }
    ids = dcp_arena_array(r->arena, uint32_t, 2);
    if (!ids) {
        return dcp_btr_no_memory(r);
    }
    if (out->n) {
        memcpy(ids, out->ids, 2 * sizeof *ids);
    }
    ids[second] = i;
    *out = (struct dcp_rc_set){ ids, 2 };
    return true;
}

static bool
read_parts(struct dcp_btr_reader *r, struct dcp_pull *p, bool vms,
           struct dcp_rc_set **out, uint32_t *n)
{
    struct dcp_pull ahead = *p;
    uint32_t count = 0;

    dcp_pull_array(&ahead);
    while (dcp_pull_more(&ahead)) {
        dcp_pull_skip(&ahead);
        count++;
    }
    *out = dcp_arena_array(r->arena, struct dcp_rc_set, count);
    *n = 0;
    if (!*out) {
        return dcp_btr_no_memory(r);
    }
    dcp_pull_array(p);
    while (dcp_pull_more(p) && *n < count) {
        if (!read_set(r, p, vms, &(*out)[(*n)++])) {
            return false;
        }
    }
    return true;
}

static bool
read_member(struct dcp_btr_reader *r, struct dcp_pull *p, const char *key,
            struct raw *c)
{
    if (!strcmp(key, "id")) {
        dcp_pull_string(p, c->id, sizeof c->id);
    } else if (!strcmp(key, "rc")) {
        dcp_pull_string(p, c->rc, sizeof c->rc);
    } else if (!strcmp(key, "timestamp")) {
        dcp_pull_string(p, c->timestamp, sizeof c->timestamp);
    } else if (!strcmp(key, "continuous")) {
        c->continuous = dcp_pull_bool(p);
    } else if (!strcmp(key, "ratio")) {
        c->ratio = dcp_pull_double(p);
    } else if (!strcmp(key, "amount") || !strcmp(key, "nb")) {
        c->amount = dcp_pull_i64(p);
    } else if (!strcmp(key, "vm") || !strcmp(key, "vms")) {
        return read_set(r, p, true, &c->vms);
    } else if (!strcmp(key, "node") || !strcmp(key, "nodes")) {
        return read_set(r, p, false, &c->nodes);
    } else if (!strcmp(key, "vm1") || !strcmp(key, "vm2")) {
        return read_pair(r, p, key[2] == '2', &c->vms);
    } else if (!strcmp(key, "vParts")) {
        return read_parts(r, p, true, &c->vm_parts, &c->n_vm_parts);
    } else if (!strcmp(key, "pParts")) {
        return read_parts(r, p, false, &c->node_parts, &c->n_node_parts);
    } else {
        if (!strcmp(key, "parts")) {
            c->parts_at = *p;
        }
        dcp_pull_skip(p);
    }
    return true;
}

static bool
add_rule(struct dcp_btr_reader *r, const struct raw *c,
         enum dcp_rc_rule_kind kind, uint32_t dim)
{
    if (r->w->n_rules == r->rules_room) {
        uint32_t more = r->rules_room ? 2 * r->rules_room : 256;
        struct dcp_rc_rule *grown = reallocarray(r->rules, more, sizeof *grown);

        if (!grown) {
            return dcp_btr_no_memory(r);
        }
        r->rules = grown;
        r->rules_room = more;
    }
    r->rules[r->w->n_rules++] = (struct dcp_rc_rule){
        .kind = kind,
        .continuous = c->continuous,
        .vms = c->vms,
        .nodes = c->nodes,
        .vm_parts = c->vm_parts,
        .node_parts = c->node_parts,
        .n_vm_parts = c->n_vm_parts,
        .n_node_parts = c->n_node_parts,
        .dim = dim,
        .amount = c->amount,
    };
    return true;
}

static uint32_t
dim_of(const struct dcp_btr_reader *r, const char *name)
{
    for (uint32_t d = 0; d < r->w->n_dims; d++) {
        if (!strcmp(r->w->dim_names[d], name)) {
            return d;
        }
    }
    return DCP_RC_NONE;
}

/* "+hh:mm:ss" in seconds; -1: another form (a time of day needs a clock). */
static int64_t
seconds_of(const char *timestamp)
{
    int64_t field[3] = { 0 };
    int n = 0;

    if (*timestamp++ != '+') {
        return -1;
    }
    for (; *timestamp; timestamp++) {
        if (*timestamp == ':' && n < 2) {
            n++;
        } else if (*timestamp >= '0' && *timestamp <= '9' &&
                   field[n] < 100000) {
            field[n] = 10 * field[n] + (*timestamp - '0');
        } else {
            return -1;
        }
    }
    return n == 2 ? 3600 * field[0] + 60 * field[1] + field[2] : -1;
}

static void
set_phase(struct dcp_btr_reader *r, const struct raw *c, uint8_t goal)
{
    for (uint32_t i = 0; i < c->vms.n; i++) {
        struct dcp_rc_vm *x = &r->w->vms[c->vms.ids[i]];
        uint8_t *told = &r->told_vm[c->vms.ids[i]];

        x->torn |= *told && x->goal != goal;
        x->goal = goal;
        *told = 1;
    }
}

static void
set_power(struct dcp_btr_reader *r, const struct raw *c, uint8_t goal)
{
    for (uint32_t i = 0; i < c->nodes.n; i++) {
        struct dcp_rc_node *x = &r->w->nodes[c->nodes.ids[i]];

        x->torn |= x->goal != DCP_RC_ANY && x->goal != goal;
        x->goal = goal;
    }
}

/* What only sets goals, amounts and times; false: it is something else. */
static bool
apply_simple(struct dcp_btr_reader *r, struct dcp_pull *p, const struct raw *c)
{
    struct dcp_rc_world *w = r->w;
    uint32_t d = dim_of(r, c->rc);

    if (!strcmp(c->id, "running")) {
        set_phase(r, c, DCP_RC_RUNNING);
    } else if (!strcmp(c->id, "ready")) {
        set_phase(r, c, DCP_RC_READY);
    } else if (!strcmp(c->id, "sleeping")) {
        set_phase(r, c, DCP_RC_SLEEPING);
    } else if (!strcmp(c->id, "killed")) {
        set_phase(r, c, DCP_RC_GONE);
    } else if (!strcmp(c->id, "online")) {
        set_power(r, c, DCP_RC_ON);
    } else if (!strcmp(c->id, "offline")) {
        set_power(r, c, DCP_RC_OFF);
    } else if (!strcmp(c->id, "noDelay")) {
        for (uint32_t i = 0; i < c->vms.n; i++) {
            w->vms[c->vms.ids[i]].at_once = true;
        }
    } else if (!strcmp(c->id, "Deadline") || !strcmp(c->id, "deadline")) {
        int64_t due = seconds_of(c->timestamp);

        if (due < 0) {
            dcp_pull_wrong(p, "a deadline is '+hh:mm:ss' from the start");
        }
        for (uint32_t i = 0; i < c->vms.n; i++) {
            w->vms[c->vms.ids[i]].due_s = due;
        }
    } else if (!strcmp(c->id, "preserve") || !strcmp(c->id, "overbook")) {
        if (d == DCP_RC_NONE || c->amount < 0 || c->amount > INT32_MAX ||
            !(c->ratio >= 0 && c->ratio <= 1e6)) {
            dcp_pull_wrong(p, "no such resource, or its amount is wrong");
            return true;
        }
        for (uint32_t i = 0; c->id[0] == 'p' && i < c->vms.n; i++) {
            int64_t *use = &w->use_goal[(size_t)c->vms.ids[i] * w->n_dims + d];

            *use = c->amount > *use ? c->amount : *use;
        }
        for (uint32_t i = 0; c->id[0] == 'o' && i < c->nodes.n; i++) {
            int64_t *cap = &w->cap[(size_t)c->nodes.ids[i] * w->n_dims + d];

            *cap = (int64_t)floor((double)*cap * c->ratio + 1e-9);
        }
    } else {
        return false;
    }
    return true;
}

static const struct {
    const char *id;
    enum dcp_rc_rule_kind kind;
} rules[] = {
    { "spread", DCP_RC_SPREAD },
    { "gather", DCP_RC_GATHER },
    { "lonely", DCP_RC_LONELY },
    { "among", DCP_RC_AMONG },
    { "split", DCP_RC_SPLIT },
    { "splitAmong", DCP_RC_SPLIT_AMONG },
    { "ban", DCP_RC_BAN },
    { "fence", DCP_RC_FENCE },
    { "root", DCP_RC_ROOT },
    { "quarantine", DCP_RC_QUARANTINE },
    { "resourceCapacity", DCP_RC_RESOURCE },
    { "runningCapacity", DCP_RC_RUNNING_MAX },
    { "maxOnline", DCP_RC_ONLINE_MAX },
    { "seq", DCP_RC_SEQ },
    { "Precedence", DCP_RC_PRECEDENCE },
    { "precedence", DCP_RC_PRECEDENCE },
    { "Serialize", DCP_RC_SERIALIZE },
    { "serialize", DCP_RC_SERIALIZE },
    { "Sync", DCP_RC_SYNC },
    { "sync", DCP_RC_SYNC },
};

static bool
apply(struct dcp_btr_reader *r, struct dcp_pull *p, struct raw *c)
{
    if (p->problem || apply_simple(r, p, c)) {
        return true;
    }
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (strcmp(c->id, rules[i].id) != 0) {
            continue;
        }
        enum dcp_rc_rule_kind kind = rules[i].kind;
        uint32_t d = kind == DCP_RC_RESOURCE ? dim_of(r, c->rc) : 0;

        if (d == DCP_RC_NONE) {
            dcp_pull_wrong(p, "no such resource");
            return true;
        }
        bool vms = kind == DCP_RC_SPLIT;

        if (c->parts_at.text &&
            !read_parts(r, &c->parts_at, vms,
                        vms ? &c->vm_parts : &c->node_parts,
                        vms ? &c->n_vm_parts : &c->n_node_parts)) {
            return false;
        }
        return (!c->parts_at.text || dcp_pull_ok(&c->parts_at, r->err)) &&
               add_rule(r, c, kind, d);
    }
    dcp_pull_wrong(p, "the constraint is not supported");
    return true;
}

bool
dcp_btr_read_rules(struct dcp_btr_reader *r)
{
    struct dcp_pull *p = &r->constraints;
    char key[32];

    r->told_vm = dcp_arena_array(r->arena, uint8_t, r->w->n_vms);
    if (!r->told_vm) {
        return dcp_btr_no_memory(r);
    }
    if (p->text) {
        dcp_pull_array(p);
        while (dcp_pull_more(p)) {
            struct raw c = { .ratio = 1 };

            dcp_pull_object(p);
            while (dcp_pull_key(p, key, sizeof key)) {
                if (!read_member(r, p, key, &c)) {
                    return false;
                }
            }
            if (!apply(r, p, &c)) {
                return false;
            }
        }
        if (!dcp_pull_ok(p, r->err)) {
            return false;
        }
    }
    r->w->rules = dcp_arena_array(r->arena, struct dcp_rc_rule, r->w->n_rules);
    if (!r->w->rules) {
        return dcp_btr_no_memory(r);
    }
    if (r->w->n_rules) {
        memcpy(r->w->rules, r->rules, r->w->n_rules * sizeof *r->rules);
    }
    return true;
}
