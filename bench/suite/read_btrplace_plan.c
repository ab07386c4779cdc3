/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A published plan: what it does is the task, when it does it the score to
 * beat. */

#include "bench/suite/btrplace_reader.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINKS = 1000000, MOST_SECONDS = 100000000 };

struct step {
    char id[32];
    int64_t vm, node, from, to, on, start, end, bw; /* -1: not given. */
};

/* A migration of the plan, for the links. */
struct flow {
    uint32_t vm, from, to;
    int64_t start, end, bw;
};

/* The network view: links from an element (node or switch) up to a switch. */
struct net {
    struct up {
        bool from_switch;
        uint32_t element, to; /* Switches by index. */
        int64_t capacity;
    } * links;
    uint32_t n_links, n_switches;
    int64_t *switch_id, *switch_cap;
    uint32_t *node_link; /* [node]; DCP_RC_NONE. */
};

static void
read_step(struct dcp_pull *p, struct step *s)
{
    char key[32];
    static const struct {
        const char *name;
        size_t offset;
    } numbers[] = {
        { "vm", offsetof(struct step, vm) },
        { "node", offsetof(struct step, node) },
        { "from", offsetof(struct step, from) },
        { "to", offsetof(struct step, to) },
        { "on", offsetof(struct step, on) },
        { "start", offsetof(struct step, start) },
        { "end", offsetof(struct step, end) },
        { "bw", offsetof(struct step, bw) },
    };

    *s = (struct step){ .vm = -1, .node = -1, .from = -1, .to = -1, .on = -1 };
    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        size_t i = 0, n = sizeof numbers / sizeof numbers[0];

        while (i < n && strcmp(key, numbers[i].name) != 0) {
            i++;
        }
        if (i < n) {
            int64_t value = dcp_pull_i64(p);

            memcpy((char *)s + numbers[i].offset, &value, sizeof value);
        } else if (!strcmp(key, "id")) {
            dcp_pull_string(p, s->id, sizeof s->id);
        } else {
            dcp_pull_skip(p);
        }
    }
    if (s->start < 0 || s->end < s->start || s->end > MOST_SECONDS ||
        s->bw < 0 || s->bw > INT32_MAX) {
        dcp_pull_wrong(p, "the action's times or bandwidth are wrong");
    }
}

static void
take_migration(struct dcp_btr_reader *r, struct dcp_pull *p,
               const struct step *s, uint32_t v, struct flow *flow)
{
    struct dcp_rc_vm *x = &r->w->vms[v];
    uint32_t to = dcp_btr_node(r, s->to);

    if (x->now != DCP_RC_RUNNING || to == DCP_RC_NONE ||
        dcp_btr_node(r, s->from) != x->host || s->end == s->start) {
        dcp_pull_wrong(p, "the migration does not fit the mapping");
        return;
    }
    x->target = to;
    x->migrate_s = s->end - s->start;
    x->bandwidth = s->bw;
    *flow = (struct flow){ v, x->host, to, s->start, s->end, s->bw };
}

static void
take_vm_step(struct dcp_btr_reader *r, struct dcp_pull *p, const struct step *s,
             uint32_t v)
{
    struct dcp_rc_vm *x = &r->w->vms[v];
    int64_t duration = s->end - s->start;
    uint32_t to = dcp_btr_node(r, s->to);

    if (!strcmp(s->id, "bootVM") || !strcmp(s->id, "resumeVM")) {
        x->goal = DCP_RC_RUNNING;
        x->target = to;
        *(s->id[0] == 'b' ? &x->boot_s : &x->resume_s) = duration;
        if (to == DCP_RC_NONE) {
            dcp_pull_wrong(p, "the action's node is not in the mapping");
        }
    } else if (!strcmp(s->id, "shutdownVM")) {
        x->goal = DCP_RC_READY;
        x->shutdown_s = duration;
    } else if (!strcmp(s->id, "suspendVM")) {
        x->goal = DCP_RC_SLEEPING;
        x->suspend_s = duration;
    } else if (!strcmp(s->id, "killVM")) {
        x->goal = DCP_RC_GONE;
        x->kill_s = duration;
    } else if (strcmp(s->id, "allocate") != 0 &&
               strcmp(s->id, "forgeVM") != 0) {
        dcp_pull_wrong(p, "the action is not supported");
    }
}

static void
take_step(struct dcp_btr_reader *r, struct dcp_pull *p, const struct step *s,
          struct flow *flow)
{
    uint32_t v = dcp_btr_vm(r, s->vm), n = dcp_btr_node(r, s->node);
    int64_t duration = s->end - s->start;

    if (p->problem) {
        return;
    }
    if (s->end > r->out->published_end_s) {
        r->out->published_end_s = s->end;
    }
    if (!strcmp(s->id, "bootNode") && n != DCP_RC_NONE) {
        r->w->nodes[n].goal = DCP_RC_ON;
        r->w->nodes[n].boot_s = duration;
    } else if (!strcmp(s->id, "shutdownNode") && n != DCP_RC_NONE) {
        r->w->nodes[n].goal = DCP_RC_OFF;
        r->w->nodes[n].shutdown_s = duration;
    } else if (v == DCP_RC_NONE) {
        dcp_pull_wrong(p, "the action's object is not in the mapping");
    } else if (!strcmp(s->id, "migrateVM")) {
        take_migration(r, p, s, v, flow);
    } else {
        take_vm_step(r, p, s, v);
    }
}

/* -- links --------------------------------------------------------------- */

static uint32_t
switch_of(const struct net *net, int64_t id)
{
    for (uint32_t s = 0; s < net->n_switches; s++) {
        if (net->switch_id[s] == id) {
            return s;
        }
    }
    return DCP_RC_NONE;
}

static bool
read_switches(struct dcp_btr_reader *r, struct dcp_pull *p, struct net *net)
{
    struct dcp_pull ahead = *p;
    uint32_t n = 0;
    char key[32];

    dcp_pull_array(&ahead);
    while (dcp_pull_more(&ahead)) {
        dcp_pull_skip(&ahead);
        n++;
    }
    net->switch_id = dcp_arena_array(r->arena, int64_t, n);
    net->switch_cap = dcp_arena_array(r->arena, int64_t, n);
    if (!net->switch_id || !net->switch_cap) {
        return dcp_btr_no_memory(r);
    }
    dcp_pull_array(p);
    while (dcp_pull_more(p) && net->n_switches < n) {
        uint32_t s = net->n_switches++;

        dcp_pull_object(p);
        while (dcp_pull_key(p, key, sizeof key)) {
            if (!strcmp(key, "id")) {
                net->switch_id[s] = dcp_pull_i64(p);
            } else if (!strcmp(key, "capacity")) {
                net->switch_cap[s] = dcp_pull_i64(p);
            } else {
                dcp_pull_skip(p);
            }
        }
    }
    return true;
}

static void
read_link(struct dcp_btr_reader *r, struct dcp_pull *p, struct net *net,
          struct up *up)
{
    char key[32], type[16] = "";
    int64_t id = -1;

    *up = (struct up){ .to = DCP_RC_NONE };
    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "capacity")) {
            up->capacity = dcp_pull_i64(p);
        } else if (!strcmp(key, "switch")) {
            up->to = switch_of(net, dcp_pull_i64(p));
        } else if (!strcmp(key, "physicalElement")) {
            dcp_pull_object(p);
            while (dcp_pull_key(p, key, sizeof key)) {
                if (!strcmp(key, "id")) {
                    id = dcp_pull_i64(p);
                } else if (!strcmp(key, "type")) {
                    dcp_pull_string(p, type, sizeof type);
                } else {
                    dcp_pull_skip(p);
                }
            }
        } else {
            dcp_pull_skip(p);
        }
    }
    up->from_switch = !strcmp(type, "switch");
    up->element = up->from_switch ? switch_of(net, id) : dcp_btr_node(r, id);
    if (up->element == DCP_RC_NONE || up->to == DCP_RC_NONE ||
        up->capacity < 0 || up->capacity > INT32_MAX) {
        dcp_pull_wrong(p, "a link leads nowhere, or its capacity is wrong");
    }
}

static bool
read_links(struct dcp_btr_reader *r, struct dcp_pull *p, struct net *net)
{
    struct dcp_pull ahead = *p;
    uint32_t n = 0;

    dcp_pull_array(&ahead);
    while (dcp_pull_more(&ahead)) {
        dcp_pull_skip(&ahead);
        n++;
    }
    net->links = dcp_arena_array(r->arena, struct up, n);
    net->node_link = dcp_arena_array(r->arena, uint32_t, r->w->n_nodes);
    if (!net->links || !net->node_link || n > MOST_LINKS) {
        return dcp_btr_no_memory(r);
    }
    memset(net->node_link, 0xff, r->w->n_nodes * sizeof *net->node_link);
    dcp_pull_array(p);
    while (dcp_pull_more(p) && net->n_links < n) {
        struct up *up = &net->links[net->n_links];

        read_link(r, p, net, up);
        if (!p->problem && !up->from_switch) {
            net->node_link[up->element] = net->n_links;
        }
        net->n_links++;
    }
    return true;
}

static bool
read_net(struct dcp_btr_reader *r, struct net *net)
{
    struct dcp_pull p = r->network, switches = { 0 }, links = { 0 };
    char key[32];

    dcp_pull_object(&p);
    while (dcp_pull_key(&p, key, sizeof key)) {
        if (!strcmp(key, "switches")) {
            switches = p;
        } else if (!strcmp(key, "links")) {
            links = p;
        }
        dcp_pull_skip(&p);
    }
    if (!dcp_pull_ok(&p, r->err)) {
        return false;
    }
    if (!switches.text || !links.text) {
        return dcp_fail(r->err, DCP_E_PARSE,
                        "%s: the network has no switches or no links", r->path);
    }
    return read_switches(r, &switches, net) && dcp_pull_ok(&switches, r->err) &&
           read_links(r, &links, net) && dcp_pull_ok(&links, r->err);
}

/* Directed link 2 l goes up, 2 l + 1 down; 2 n_links + s is switch s. */
static bool
add_hop(struct dcp_btr_reader *r, uint32_t *n, uint32_t hop)
{
    if (*n == r->room) {
        size_t more = r->room ? 2 * r->room : 1024;
        uint32_t *grown = reallocarray(r->buffer, more, sizeof *grown);

        if (!grown) {
            return dcp_btr_no_memory(r);
        }
        r->buffer = grown;
        r->room = more;
    }
    r->buffer[(*n)++] = hop;
    return true;
}

/* How each switch is reached from 'from', breadth first: via[s] is the hop
 * that enters it. */
static void
reach_switches(const struct net *net, uint32_t from, uint32_t via[],
               uint32_t back[], uint32_t queue[])
{
    uint32_t done = 0, n = 0;

    memset(via, 0xff, net->n_switches * sizeof *via);
    queue[n++] = from;
    back[from] = from;
    via[from] = DCP_RC_NONE - 1;
    for (; done < n; done++) {
        uint32_t s = queue[done];

        for (uint32_t l = 0; l < net->n_links; l++) {
            const struct up *up = &net->links[l];
            bool goes_up = up->from_switch && up->element == s;
            bool goes_down = up->from_switch && up->to == s;
            uint32_t next = goes_up ? up->to : up->element;

            if ((goes_up || goes_down) && via[next] == DCP_RC_NONE) {
                via[next] = 2 * l + !goes_up;
                back[next] = s;
                queue[n++] = next;
            }
        }
    }
}

static bool
route(struct dcp_btr_reader *r, const struct net *net, const struct flow *f,
      uint32_t *n, uint32_t scratch[])
{
    uint32_t a = net->node_link[f->from], b = net->node_link[f->to];
    uint32_t *via = scratch, *back = scratch + net->n_switches;

    if (a == DCP_RC_NONE || b == DCP_RC_NONE) {
        return dcp_fail(r->err, DCP_E_PARSE,
                        "%s: a migration's node has no link", r->path);
    }
    reach_switches(net, net->links[a].to, via, back, back + net->n_switches);
    uint32_t s = net->links[b].to;

    if (via[s] == DCP_RC_NONE) {
        return dcp_fail(r->err, DCP_E_PARSE,
                        "%s: a migration's nodes are not connected", r->path);
    }
    if (!add_hop(r, n, 2 * a) || !add_hop(r, n, 2 * b + 1)) {
        return false;
    }
    for (;; s = back[s]) {
        if (net->switch_cap[s] > 0 && !add_hop(r, n, 2 * net->n_links + s)) {
            return false;
        }
        if (s == net->links[a].to) {
            return true;
        }
        if (!add_hop(r, n, via[s])) {
            return false;
        }
    }
}

/* A node's link is as wide as the plan uses it in one direction. */
static void
infer_links(struct dcp_btr_reader *r, const struct flow flows[], uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t out = 0, in = 0;

        for (uint32_t j = 0; j < n; j++) {
            bool now = flows[j].start <= flows[i].start &&
                       flows[i].start < flows[j].end;

            out += now && flows[j].from == flows[i].from ? flows[j].bw : 0;
            in += now && flows[j].to == flows[i].to ? flows[j].bw : 0;
        }
        for (int side = 0; side < 2; side++) {
            int64_t *from = &r->w->link_cap[2 * flows[i].from + side];
            int64_t *to = &r->w->link_cap[2 * flows[i].to + side];

            *from = out > *from ? out : *from;
            *to = in > *to ? in : *to;
        }
    }
}

static bool
make_links(struct dcp_btr_reader *r, const struct flow flows[], uint32_t n,
           const uint32_t flow_of[])
{
    struct dcp_rc_world *w = r->w;
    struct net net = { 0 };
    bool seen = r->network.text != NULL;
    uint32_t n_hops = 0, *scratch;

    if (seen && !read_net(r, &net)) {
        return false;
    }
    w->n_links = seen ? 2 * net.n_links + net.n_switches : 2 * w->n_nodes;
    w->link_cap = dcp_arena_array(r->arena, int64_t, w->n_links);
    w->link_first = dcp_arena_array(r->arena, uint32_t, (size_t)w->n_vms + 1);
    scratch = dcp_arena_array(r->arena, uint32_t, 3 * (size_t)net.n_switches);
    if (!w->link_cap || !w->link_first || !scratch) {
        return dcp_btr_no_memory(r);
    }
    for (uint32_t l = 0; l < net.n_links; l++) {
        w->link_cap[2 * l] = w->link_cap[2 * l + 1] = net.links[l].capacity;
    }
    for (uint32_t s = 0; s < net.n_switches; s++) {
        w->link_cap[2 * net.n_links + s] = net.switch_cap[s];
    }
    if (!seen) {
        infer_links(r, flows, n);
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        const struct flow *f =
            flow_of[v] == DCP_RC_NONE ? NULL : &flows[flow_of[v]];

        w->link_first[v] = n_hops;
        if (!f || !f->bw) {
            continue;
        }
        if (seen ? !route(r, &net, f, &n_hops, scratch)
                 : !add_hop(r, &n_hops, 2 * f->from) ||
                       !add_hop(r, &n_hops, 2 * f->to + 1)) {
            return false;
        }
    }
    w->link_first[w->n_vms] = n_hops;
    w->link = dcp_arena_array(r->arena, uint32_t, n_hops);
    if (!w->link) {
        return dcp_btr_no_memory(r);
    }
    if (n_hops) {
        memcpy(w->link, r->buffer, n_hops * sizeof *w->link);
    }
    return true;
}

bool
dcp_btr_read_actions(struct dcp_btr_reader *r)
{
    struct dcp_rc_world *w = r->w;
    struct dcp_pull *p = &r->actions;
    struct flow *flows;
    uint32_t *flow_of, n = 0;

    if (!p->text) {
        return true;
    }
    r->out->is_plan = true;
    r->out->published_end_s = 0;
    flows = dcp_arena_array(r->arena, struct flow, (size_t)w->n_vms + 1);
    flow_of = dcp_arena_array(r->arena, uint32_t, w->n_vms);
    if (!flows || !flow_of) {
        return dcp_btr_no_memory(r);
    }
    if (w->n_vms) {
        memset(flow_of, 0xff, w->n_vms * sizeof *flow_of);
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        w->vms[v].target =
            w->vms[v].now == DCP_RC_RUNNING ? w->vms[v].host : DCP_RC_NONE;
    }
    dcp_pull_array(p);
    while (dcp_pull_more(p)) {
        struct step s;
        struct flow flow = { .vm = DCP_RC_NONE };

        read_step(p, &s);
        take_step(r, p, &s, &flow);
        if (flow.vm == DCP_RC_NONE) {
            continue;
        }
        if (flow_of[flow.vm] != DCP_RC_NONE) {
            dcp_pull_wrong(p, "a VM migrates twice");
            break;
        }
        flow_of[flow.vm] = n;
        flows[n++] = flow;
    }
    return dcp_pull_ok(p, r->err) && make_links(r, flows, n, flow_of);
}
