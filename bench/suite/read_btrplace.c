/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "bench/suite/btrplace_reader.h"
#include "model/io/file.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 30, MOST_DIMS = 32, MOST_ID = 100000000 };

bool
dcp_btr_no_memory(struct dcp_btr_reader *r)
{
    return dcp_fail(r->err, DCP_E_NOMEM, "no memory for '%s'", r->path);
}

static uint32_t
find_id(const char *base, size_t stride, uint32_t n, int64_t id)
{
    uint32_t low = 0, high = n;

    if (id >= 0 && id < n) { /* Ids are 0, 1, 2 ... in most files. */
        int64_t there;

        memcpy(&there, base + (size_t)id * stride, sizeof there);
        if (there == id) {
            return (uint32_t)id;
        }
    }
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int64_t there;

        memcpy(&there, base + mid * stride, sizeof there);
        if (there == id) {
            return mid;
        }
        if (there < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return DCP_RC_NONE;
}

uint32_t
dcp_btr_node(const struct dcp_btr_reader *r, int64_t id)
{
    return r->w->n_nodes ? find_id((const char *)&r->w->nodes[0].id,
                                   sizeof r->w->nodes[0], r->w->n_nodes, id)
                         : DCP_RC_NONE;
}

uint32_t
dcp_btr_vm(const struct dcp_btr_reader *r, int64_t id)
{
    return r->w->n_vms ? find_id((const char *)&r->w->vms[0].id,
                                 sizeof r->w->vms[0], r->w->n_vms, id)
                       : DCP_RC_NONE;
}

int64_t
dcp_btr_key_id(struct dcp_pull *p, const char *key)
{
    int64_t id = 0;

    for (const char *c = key; *c; c++) {
        if (*c < '0' || *c > '9' || id > MOST_ID) {
            dcp_pull_wrong(p, "the name is not a number");
            return -1;
        }
        id = 10 * id + (*c - '0');
    }
    if (!*key) {
        dcp_pull_wrong(p, "the name is not a number");
    }
    return id;
}

/* -- mapping ------------------------------------------------------------- */

/* Nodes and VMs as they are found; hosts by id until all are sorted. */
struct found {
    int64_t id, host; /* host -1: none. */
    uint8_t state;    /* Node: on.  VM: phase. */
};

struct mapping {
    struct found *nodes, *vms; /* Owned. */
    size_t n_nodes, n_vms, nodes_room, vms_room;
    bool no_memory;
};

static void
add_found(struct mapping *m, bool vm, struct found x)
{
    struct found **list = vm ? &m->vms : &m->nodes;
    size_t *n = vm ? &m->n_vms : &m->n_nodes;
    size_t *room = vm ? &m->vms_room : &m->nodes_room;

    if (*n == *room) {
        size_t more = *room ? 2 * *room : 256;
        struct found *grown = reallocarray(*list, more, sizeof *grown);

        if (!grown) {
            m->no_memory = true;
            return;
        }
        *list = grown;
        *room = more;
    }
    (*list)[(*n)++] = x;
}

static void
read_vms(struct dcp_pull *p, struct mapping *m, int64_t host, uint8_t state)
{
    dcp_pull_array(p);
    while (dcp_pull_more(p) && !m->no_memory) {
        add_found(m, true, (struct found){ dcp_pull_i64(p), host, state });
    }
}

static void
read_online(struct dcp_pull *p, struct mapping *m)
{
    char key[32];

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        int64_t node = dcp_btr_key_id(p, key);

        add_found(m, false, (struct found){ node, -1, 1 });
        dcp_pull_object(p);
        while (dcp_pull_key(p, key, sizeof key)) {
            if (!strcmp(key, "runningVMs")) {
                read_vms(p, m, node, DCP_RC_RUNNING);
            } else if (!strcmp(key, "sleepingVMs")) {
                read_vms(p, m, node, DCP_RC_SLEEPING);
            } else {
                dcp_pull_skip(p);
            }
        }
    }
}

static int
by_id(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return (x->id > y->id) - (x->id < y->id);
}

static bool
make_elements(struct dcp_btr_reader *r, struct mapping *m)
{
    struct dcp_rc_world *w = r->w;

    if (m->n_nodes) {
        qsort(m->nodes, m->n_nodes, sizeof *m->nodes, by_id);
    }
    if (m->n_vms) {
        qsort(m->vms, m->n_vms, sizeof *m->vms, by_id);
    }
    w->nodes = dcp_arena_array(r->arena, struct dcp_rc_node, m->n_nodes);
    w->vms = dcp_arena_array(r->arena, struct dcp_rc_vm, m->n_vms);
    r->seen = dcp_arena_array(r->arena, uint32_t, m->n_nodes + m->n_vms);
    if (!w->nodes || !w->vms || !r->seen) {
        return dcp_btr_no_memory(r);
    }
    w->n_nodes = (uint32_t)m->n_nodes;
    w->n_vms = (uint32_t)m->n_vms;
    for (uint32_t n = 0; n < w->n_nodes; n++) {
        w->nodes[n] = (struct dcp_rc_node){ .id = m->nodes[n].id,
                                            .on = m->nodes[n].state,
                                            .boot_s = 1,
                                            .shutdown_s = 1 };
        if (n && w->nodes[n].id == w->nodes[n - 1].id) {
            return dcp_fail(r->err, DCP_E_PARSE, "node %lld is there twice",
                            (long long)w->nodes[n].id);
        }
    }
    for (uint32_t v = 0; v < w->n_vms; v++) {
        const struct found *x = &m->vms[v];

        w->vms[v] = (struct dcp_rc_vm){
            .id = x->id,
            .host = x->host < 0 ? DCP_RC_NONE : dcp_btr_node(r, x->host),
            .target = DCP_RC_NONE,
            .now = x->state,
            .goal = x->state,
            .due_s = INT64_MAX,
            .migrate_s = 1,
            .boot_s = 1,
            .shutdown_s = 1,
            .suspend_s = 1,
            .resume_s = 1,
            .kill_s = 1,
        };
        if (v && w->vms[v].id == w->vms[v - 1].id) {
            return dcp_fail(r->err, DCP_E_PARSE, "VM %lld is there twice",
                            (long long)w->vms[v].id);
        }
    }
    return true;
}

static bool
read_mapping(struct dcp_btr_reader *r)
{
    struct dcp_pull *p = &r->mapping;
    struct mapping m = { 0 };
    char key[32];
    bool done;

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "readyVMs")) {
            read_vms(p, &m, -1, DCP_RC_READY);
        } else if (!strcmp(key, "onlineNodes")) {
            read_online(p, &m);
        } else if (!strcmp(key, "offlineNodes")) {
            dcp_pull_array(p);
            while (dcp_pull_more(p) && !m.no_memory) {
                add_found(&m, false, (struct found){ dcp_pull_i64(p), -1, 0 });
            }
        } else {
            dcp_pull_skip(p);
        }
    }
    done = m.no_memory ? dcp_btr_no_memory(r)
                       : dcp_pull_ok(p, r->err) && make_elements(r, &m);
    free(m.nodes);
    free(m.vms);
    return done;
}

/* -- views and attributes -------------------------------------------------- */

/* {"4970": 1600, ...} into column 'd' of 'cells'. */
static void
read_amounts(struct dcp_btr_reader *r, struct dcp_pull *p, bool vms, uint32_t d)
{
    struct dcp_rc_world *w = r->w;
    char key[32];

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        int64_t id = dcp_btr_key_id(p, key), amount = dcp_pull_i64(p);
        uint32_t i = vms ? dcp_btr_vm(r, id) : dcp_btr_node(r, id);

        if (amount < 0 || amount > INT32_MAX) {
            dcp_pull_wrong(p, "the amount is out of range");
        } else if (i != DCP_RC_NONE) {
            (vms ? w->use_now : w->cap)[(size_t)i * w->n_dims + d] = amount;
        }
    }
}

static void
fill_default(struct dcp_rc_world *w, bool vms, uint32_t d, int64_t amount)
{
    for (uint32_t i = 0; i < (vms ? w->n_vms : w->n_nodes); i++) {
        (vms ? w->use_now : w->cap)[(size_t)i * w->n_dims + d] = amount;
    }
}

/* One view; the first pass ('fill' false) only names resources. */
static bool
read_view(struct dcp_btr_reader *r, struct dcp_pull *p, bool fill, uint32_t *d,
          const char *names[])
{
    struct dcp_pull start = *p, nodes = { 0 }, vms = { 0 };
    char key[32], id[32] = "", name[64] = "";
    int64_t def_cap = 0, def_use = 0;

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "id")) {
            dcp_pull_string(p, id, sizeof id);
        } else if (!strcmp(key, "rcId")) {
            dcp_pull_string(p, name, sizeof name);
        } else if (!strcmp(key, "defCapacity")) {
            def_cap = dcp_pull_i64(p);
        } else if (!strcmp(key, "defConsumption")) {
            def_use = dcp_pull_i64(p);
        } else {
            if (!strcmp(key, "nodes")) {
                nodes = *p;
            } else if (!strcmp(key, "vms")) {
                vms = *p;
            }
            dcp_pull_skip(p);
        }
    }
    if (!strcmp(id, "net")) {
        r->network = start;
    }
    if (strcmp(id, "shareableResource") != 0 || p->problem) {
        return true;
    }
    if (*d == MOST_DIMS) {
        dcp_pull_wrong(p, "too many resources");
        return true;
    }
    if (!fill) {
        names[(*d)++] = dcp_arena_strdup(r->arena, name);
        return names[*d - 1] || dcp_btr_no_memory(r);
    }
    fill_default(r->w, false, *d, def_cap);
    fill_default(r->w, true, *d, def_use);
    if (nodes.text) {
        read_amounts(r, &nodes, false, *d);
    }
    if (vms.text) {
        read_amounts(r, &vms, true, *d);
    }
    (*d)++;
    return (!nodes.text || dcp_pull_ok(&nodes, r->err)) &&
           (!vms.text || dcp_pull_ok(&vms, r->err));
}

static bool
pass_views(struct dcp_btr_reader *r, bool fill, uint32_t *d,
           const char *names[])
{
    struct dcp_pull p = r->views;

    *d = 0;
    if (!p.text) {
        return true;
    }
    dcp_pull_array(&p);
    while (dcp_pull_more(&p)) {
        if (!read_view(r, &p, fill, d, names)) {
            return false;
        }
    }
    return dcp_pull_ok(&p, r->err);
}

static bool
read_views(struct dcp_btr_reader *r)
{
    struct dcp_rc_world *w = r->w;
    const char **names = dcp_arena_array(r->arena, const char *, MOST_DIMS);
    size_t n_cells, v_cells;

    if (!names) {
        return dcp_btr_no_memory(r);
    }
    if (!pass_views(r, false, &w->n_dims, names)) {
        return false;
    }
    w->dim_names = names;
    n_cells = (size_t)w->n_nodes * w->n_dims;
    v_cells = (size_t)w->n_vms * w->n_dims;
    w->cap = dcp_arena_array(r->arena, int64_t, n_cells);
    w->use_now = dcp_arena_array(r->arena, int64_t, v_cells);
    w->use_goal = dcp_arena_array(r->arena, int64_t, v_cells);
    if (!w->cap || !w->use_now || !w->use_goal) {
        return dcp_btr_no_memory(r);
    }
    uint32_t d;

    if (!pass_views(r, true, &d, names)) {
        return false;
    }
    if (v_cells) {
        memcpy(w->use_goal, w->use_now, v_cells * sizeof *w->use_goal);
    }
    return true;
}

/* Where a duration of that name is kept. */
static int64_t *
duration_of(struct dcp_rc_world *w, bool vm, uint32_t i, const char *name)
{
    struct dcp_rc_vm *v = vm ? &w->vms[i] : NULL;

    if (!vm) {
        return !strcmp(name, "boot")       ? &w->nodes[i].boot_s
               : !strcmp(name, "shutdown") ? &w->nodes[i].shutdown_s
                                           : NULL;
    }
    return !strcmp(name, "migrate")    ? &v->migrate_s
           : !strcmp(name, "boot")     ? &v->boot_s
           : !strcmp(name, "shutdown") ? &v->shutdown_s
           : !strcmp(name, "suspend")  ? &v->suspend_s
           : !strcmp(name, "resume")   ? &v->resume_s
           : !strcmp(name, "kill")     ? &v->kill_s
                                       : NULL;
}

static void
read_durations(struct dcp_btr_reader *r, struct dcp_pull *p, bool vm)
{
    char key[64];

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        int64_t id = dcp_btr_key_id(p, key);
        uint32_t i = vm ? dcp_btr_vm(r, id) : dcp_btr_node(r, id);

        dcp_pull_object(p);
        while (dcp_pull_key(p, key, sizeof key)) {
            int64_t *to =
                i == DCP_RC_NONE ? NULL : duration_of(r->w, vm, i, key);

            if (!to || dcp_pull_next(p) != DCP_PULL_NUMBER) {
                dcp_pull_skip(p);
                continue;
            }
            double seconds = dcp_pull_double(p);

            if (seconds < 1 || seconds > 1e8) {
                dcp_pull_wrong(p, "the duration is not from 1 to 1e8 s");
            } else {
                *to = (int64_t)seconds;
            }
        }
    }
}

static bool
read_attributes(struct dcp_btr_reader *r)
{
    struct dcp_pull *p = &r->attributes;
    char key[32];

    if (!p->text) {
        return true;
    }
    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "vms") || !strcmp(key, "nodes")) {
            read_durations(r, p, key[0] == 'v');
        } else {
            dcp_pull_skip(p);
        }
    }
    return dcp_pull_ok(p, r->err);
}

/* -- the whole ----------------------------------------------------------- */

static void
mark_model(struct dcp_btr_reader *r)
{
    struct dcp_pull *p = &r->pull;
    char key[32];

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "mapping")) {
            r->mapping = *p;
        } else if (!strcmp(key, "views")) {
            r->views = *p;
        } else if (!strcmp(key, "attributes")) {
            r->attributes = *p;
        }
        dcp_pull_skip(p);
    }
}

/* Where everything is: members may come in any order. */
static bool
mark_all(struct dcp_btr_reader *r)
{
    struct dcp_pull *p = &r->pull;
    char key[32];

    dcp_pull_object(p);
    while (dcp_pull_key(p, key, sizeof key)) {
        if (!strcmp(key, "model") || !strcmp(key, "origin")) {
            mark_model(r);
            continue;
        }
        if (!strcmp(key, "constraints")) {
            r->constraints = *p;
        } else if (!strcmp(key, "actions")) {
            r->actions = *p;
        }
        dcp_pull_skip(p);
    }
    return dcp_pull_ok(p, r->err) &&
           (r->mapping.text ||
            dcp_fail(r->err, DCP_E_PARSE, "%s: there is no mapping", r->path));
}

bool
dcp_btrplace_parse(const char *path, const char *text, size_t length,
                   struct dcp_btrplace *out, struct dcp_error *err)
{
    struct dcp_btr_reader r = {
        .out = out, .w = &out->world, .path = path, .err = err
    };
    bool done;

    *out = (struct dcp_btrplace){ .published_end_s = -1 };
    out->world.arena = r.arena = dcp_arena_create(0);
    if (!r.arena) {
        return dcp_btr_no_memory(&r);
    }
    dcp_pull_init(&r.pull, path, text, length);
    done = mark_all(&r) && read_mapping(&r) && read_views(&r) &&
           read_attributes(&r) && dcp_btr_read_rules(&r) &&
           dcp_btr_read_actions(&r);
    free(r.buffer);
    free(r.rules);
    if (!done) {
        dcp_btrplace_finish(out);
    }
    return done;
}

bool
dcp_btrplace_read(const char *path, struct dcp_btrplace *out,
                  struct dcp_error *err)
{
    size_t length;
    DCP_FREE char *text = dcp_file_read(path, MOST_BYTES, &length, err);

    return text && dcp_btrplace_parse(path, text, length, out, err);
}

void
dcp_btrplace_finish(struct dcp_btrplace *b)
{
    dcp_arena_destroy(b->world.arena);
    *b = (struct dcp_btrplace){ 0 };
}
