/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One pass over the lines; each is cut at its bars in place, in a copy that the
 * arena owns, and its fields stay for printing. */

#include "model/io/ganeti_text.h"

#include "model/base/id.h"
#include "model/base/units.h"
#include "model/io/file.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES ((size_t)256 << 20)

enum { GROUPS, NODES, INSTANCES, CLUSTER_TAGS, POLICIES };

struct reader {
    struct dcp_ganeti_text *out;
    const char *path;
    uint32_t line;
    struct dcp_error *err;
    struct dcp_strmap group_by_id, node_by_name, instance_names;
};

static bool
bad(const struct reader *r, const char *what)
{
    return dcp_fail_at(r->err, DCP_E_PARSE,
                       (struct dcp_pos){ r->path, r->line, 0 }, "%s", what);
}

static bool
number(const struct reader *r, const char *text, double *out)
{
    const char *end = dcp_scan_double(text, out);

    return end && !*end && *out >= 0 && *out < 4e9
               ? true
               : dcp_fail_at(r->err, DCP_E_PARSE,
                             (struct dcp_pos){ r->path, r->line, 0 },
                             "'%.40s' is not a number that can be", text);
}

static bool
add_name(struct reader *r, struct dcp_strmap *map, const char *name,
         uint32_t ix)
{
    uint32_t old;

    if (!*name) {
        return bad(r, "a line without a name");
    }
    if (dcp_strmap_add(map, name, ix, &old)) {
        return true;
    }
    return old == DCP_STRMAP_NONE
               ? dcp_fail(r->err, DCP_E_NOMEM, "no memory for the cluster")
               : bad(r, "the name on this line came before");
}

static bool
read_group(struct reader *r, const struct dcp_ganeti_fields *f)
{
    struct dcp_ganeti_group *group = &r->out->groups[r->out->n_groups];

    if (f->n < 3) {
        return bad(r, "a group has at least 3 fields: name|uuid|policy");
    }
    *group = (struct dcp_ganeti_group){ *f, f->text[0], f->text[1] };
    return add_name(r, &r->group_by_id, group->uuid, r->out->n_groups++);
}

/* A field that may be missing or empty. */
static bool
late_number(struct reader *r, const struct dcp_ganeti_fields *f, uint32_t at,
            double otherwise, double *out)
{
    *out = otherwise;
    return f->n <= at || !*f->text[at] || number(r, f->text[at], out);
}

static bool
node_numbers(struct reader *r, const struct dcp_ganeti_fields *f,
             struct dcp_ganeti_node *node)
{
    return number(r, f->text[1], &node->total_mem_mib) &&
           number(r, f->text[2], &node->own_mem_mib) &&
           number(r, f->text[3], &node->free_mem_mib) &&
           number(r, f->text[4], &node->total_disk_mib) &&
           number(r, f->text[5], &node->free_disk_mib) &&
           number(r, f->text[6], &node->cpus) &&
           late_number(r, f, 9, 1, &node->spindles) &&
           late_number(r, f, 13, 1, &node->own_vcpus) &&
           late_number(r, f, 14, 1, &node->cpu_speed);
}

static bool
read_node(struct reader *r, const struct dcp_ganeti_fields *f)
{
    struct dcp_ganeti_node *node = &r->out->nodes[r->out->n_nodes];
    bool unknown = false;

    if (f->n < 9) {
        return bad(r, "a node has at least 9 fields: name|t_mem|n_mem|f_mem|"
                      "t_dsk|f_dsk|cpus|status|group");
    }
    *node = (struct dcp_ganeti_node){ .fields = *f, .name = f->text[0] };
    for (uint32_t i = 1; i < 7; i++) {
        unknown = unknown || !strcmp(f->text[i], "?");
    }
    if (!unknown && !node_numbers(r, f, node)) {
        return false;
    }
    node->offline = unknown || !strcmp(f->text[7], "Y");
    node->group = dcp_strmap_find(&r->group_by_id, f->text[8]);
    node->has_tags = f->n > 10 && *f->text[10];
    node->exclusive_storage = f->n > 11 && !strcmp(f->text[11], "Y");
    if (node->group == DCP_STRMAP_NONE) {
        return bad(r, "the node's group is not in the first section");
    }
    if (!node->offline &&
        (node->total_mem_mib - node->own_mem_mib < 1 || node->cpus < 1)) {
        return bad(r, "a node that is online has memory and CPUs");
    }
    return add_name(r, &r->node_by_name, node->name, r->out->n_nodes++);
}

enum dcp_ganeti_template
dcp_ganeti_template_of(const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum dcp_ganeti_template is;
    } known[] = {
        { "plain", DCP_GANETI_PLAIN },       { "drbd", DCP_GANETI_DRBD },
        { "ext", DCP_GANETI_SHARED },        { "rbd", DCP_GANETI_SHARED },
        { "blockdev", DCP_GANETI_SHARED },   { "gluster", DCP_GANETI_SHARED },
        { "sharedfile", DCP_GANETI_SHARED },
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == length &&
            !memcmp(known[i].name, name, length)) {
            return known[i].is;
        }
    }
    return DCP_GANETI_FIXED;
}

static bool
read_instance(struct reader *r, const struct dcp_ganeti_fields *f)
{
    struct dcp_ganeti_instance *i = &r->out->instances[r->out->n_instances];

    if (f->n < 10) {
        return bad(r, "an instance has at least 10 fields: name|mem|disk|"
                      "vcpus|status|auto|pnode|snode|template|tags");
    }
    *i = (struct dcp_ganeti_instance){
        .fields = *f, .name = f->text[0], .tags = f->text[9], .spindles = 1
    };
    if (!number(r, f->text[1], &i->mem_mib) ||
        !number(r, f->text[2], &i->disk_mib) ||
        !number(r, f->text[3], &i->vcpus) ||
        !late_number(r, f, 10, 1, &i->spindles)) {
        return false;
    }
    i->offline = !strcmp(f->text[4], "ADMIN_offline");
    i->is_up =
        !strcmp(f->text[4], "running") || !strcmp(f->text[4], "ERROR_up");
    i->runs = !i->offline && strcmp(f->text[4], "ADMIN_down") != 0;
    i->automatic = strcmp(f->text[5], "N") != 0;
    i->primary = dcp_strmap_find(&r->node_by_name, f->text[6]);
    i->secondary = *f->text[7] ? dcp_strmap_find(&r->node_by_name, f->text[7])
                               : DCP_IX_NONE;
    i->template = dcp_ganeti_template_of(f->text[8], strlen(f->text[8]));
    if (i->primary == DCP_STRMAP_NONE ||
        (*f->text[7] && i->secondary == DCP_STRMAP_NONE)) {
        return bad(r, "the instance's node is not in the second section");
    }
    if (i->primary == i->secondary) {
        return bad(r, "the instance has one node twice");
    }
    if (i->vcpus < 1 || i->mem_mib < 1) {
        return bad(r, "an instance has memory and vCPUs");
    }
    return add_name(r, &r->instance_names, i->name, r->out->n_instances++);
}

/* mem,cpu,disk,disks,nics,spindles */
static bool
read_spec(struct reader *r, const char *text, struct dcp_ganeti_policy *p)
{
    double value[6] = { 0 };
    uint32_t n = 0;

    for (const char *at = text; at && n < 6; n++) {
        at = dcp_scan_double(at, &value[n]);
        if (!at || (*at && *at != ',')) {
            return bad(r, "a specification is mem,cpu,disk,disks,nics,"
                          "spindles");
        }
        at = *at ? at + 1 : NULL;
    }
    p->std_mem_mib = value[0];
    p->std_vcpus = value[1];
    p->std_disk_mib = value[2];
    p->std_spindles = n > 5 ? value[5] : 1;
    return true;
}

static bool
read_policy(struct reader *r, const struct dcp_ganeti_fields *f)
{
    struct dcp_ganeti_policy *p = &r->out->policies[r->out->n_policies];

    *p = (struct dcp_ganeti_policy){ .fields = *f,
                                     .owner = f->text[0],
                                     .templates = f->n > 3 ? f->text[3] : "",
                                     .vcpu_ratio = 4,
                                     .spindle_ratio = 32 };
    r->out->n_policies++;
    return (f->n < 2 || read_spec(r, f->text[1], p)) &&
           (f->n < 5 || number(r, f->text[4], &p->vcpu_ratio)) &&
           (f->n < 6 || number(r, f->text[5], &p->spindle_ratio));
}

static bool
read_line(struct reader *r, uint32_t section, char *text)
{
    struct dcp_ganeti_fields f = { 0 };

    if (section == CLUSTER_TAGS) {
        r->out->tags[r->out->n_tags++] = text;
        return true;
    }
    for (char *p = text; p; f.n++) {
        if (f.n == DCP_GANETI_MAX_FIELDS) {
            return bad(r, "has too many fields");
        }
        f.text[f.n] = p;
        p = strchr(p, '|');
        if (p) {
            *p++ = '\0';
        }
    }
    switch (section) {
    case GROUPS:
        return read_group(r, &f);
    case NODES:
        return read_node(r, &f);
    case INSTANCES:
        return read_instance(r, &f);
    case POLICIES:
        return read_policy(r, &f);
    default:
        return bad(r, "a section too many: groups, nodes, instances, cluster "
                      "tags, policies");
    }
}

/* Room for as many lines as each section has. */
static bool
make_room(struct reader *r, const char *text)
{
    struct dcp_ganeti_text *out = r->out;
    uint32_t n_lines[POLICIES + 1] = { 0 };
    uint32_t section = GROUPS;

    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");

        if (n == 0) {
            section++;
        } else if (section <= POLICIES) {
            n_lines[section]++;
        }
        line += n + (line[n] == '\n');
    }
    out->groups =
        dcp_arena_array(out->arena, struct dcp_ganeti_group, n_lines[GROUPS]);
    out->nodes =
        dcp_arena_array(out->arena, struct dcp_ganeti_node, n_lines[NODES]);
    out->instances = dcp_arena_array(out->arena, struct dcp_ganeti_instance,
                                     n_lines[INSTANCES]);
    out->tags =
        dcp_arena_array(out->arena, const char *, n_lines[CLUSTER_TAGS]);
    out->policies = dcp_arena_array(out->arena, struct dcp_ganeti_policy,
                                    n_lines[POLICIES]);
    return out->groups && out->nodes && out->instances && out->tags &&
                   out->policies
               ? true
               : dcp_fail(r->err, DCP_E_NOMEM, "no memory for the cluster");
}

static bool
read_all(struct reader *r, char *text, size_t length)
{
    uint32_t section = GROUPS;

    if (memchr(text, '\0', length)) {
        return bad(r, "holds NUL bytes: not a text file");
    }
    if (!make_room(r, text)) {
        return false;
    }
    for (char *line = text; line && *line;) {
        char *end = strchr(line, '\n');

        r->line++;
        if (end) {
            *end++ = '\0';
        }
        if (!*line) {
            section++;
        } else if (!read_line(r, section, line)) {
            return false;
        }
        line = end;
    }
    r->out->n_sections = section + 1;
    r->line = 0;
    return r->out->n_nodes ? true : bad(r, "holds no nodes");
}

bool
dcp_ganeti_parse(const char *text, size_t length, const char *path,
                 struct dcp_ganeti_text *out, struct dcp_error *err)
{
    struct reader r = { .out = out, .path = path, .err = err };

    *out = (struct dcp_ganeti_text){ .arena = dcp_arena_create(0) };

    char *copy =
        out->arena ? dcp_arena_calloc(out->arena, length + 1, 1) : NULL;

    if (!copy) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the cluster");
    }
    memcpy(copy, text, length);

    bool ok = read_all(&r, copy, length);

    dcp_strmap_finish(&r.group_by_id);
    dcp_strmap_finish(&r.node_by_name);
    dcp_strmap_finish(&r.instance_names);
    return ok;
}

bool
dcp_ganeti_read(const char *path, struct dcp_ganeti_text *out,
                struct dcp_error *err)
{
    size_t length;
    DCP_FREE char *text = dcp_file_read(path, MAX_BYTES, &length, err);

    *out = (struct dcp_ganeti_text){ 0 };
    return text && dcp_ganeti_parse(text, length, path, out, err);
}

void
dcp_ganeti_finish(struct dcp_ganeti_text *g)
{
    dcp_arena_destroy(g->arena);
    *g = (struct dcp_ganeti_text){ 0 };
}

const struct dcp_ganeti_policy *
dcp_ganeti_cluster_policy(const struct dcp_ganeti_text *g)
{
    for (uint32_t i = 0; i < g->n_policies; i++) {
        if (!*g->policies[i].owner) {
            return &g->policies[i];
        }
    }
    return NULL;
}

const struct dcp_ganeti_policy *
dcp_ganeti_group_policy(const struct dcp_ganeti_text *g, uint32_t group)
{
    for (uint32_t i = 0; i < g->n_policies; i++) {
        if (!strcmp(g->policies[i].owner, g->groups[group].name)) {
            return &g->policies[i];
        }
    }
    return dcp_ganeti_cluster_policy(g);
}

/* --- Printing ----------------------------------------------------------- */

static void
print_fields(struct dcp_text *out, const struct dcp_ganeti_fields *f,
             const char *const changed[DCP_GANETI_MAX_FIELDS])
{
    for (uint32_t i = 0; i < f->n; i++) {
        dcp_text_puts(out, i ? "|" : "");
        dcp_text_puts(out, changed && changed[i] ? changed[i] : f->text[i]);
    }
    dcp_text_puts(out, "\n");
}

/* The text of a field that still says 'value', else a new one in 'room'. */
static const char *
number_text(const char *text, double value, char room[32])
{
    double old;

    if (dcp_scan_double(text, &old) && old == value) {
        return NULL;
    }
    dcp_text_double(room, value);
    return room;
}

static void
print_node(const struct dcp_ganeti_node *node, struct dcp_text *out)
{
    const char *changed[DCP_GANETI_MAX_FIELDS] = { 0 };
    char mem[32], disk[32];

    if (!node->offline) {
        changed[3] = number_text(node->fields.text[3], node->free_mem_mib, mem);
        changed[5] =
            number_text(node->fields.text[5], node->free_disk_mib, disk);
    }
    print_fields(out, &node->fields, changed);
}

void
dcp_ganeti_print(const struct dcp_ganeti_text *g, struct dcp_text *out)
{
    for (uint32_t i = 0; i < g->n_groups; i++) {
        print_fields(out, &g->groups[i].fields, NULL);
    }
    dcp_text_puts(out, "\n");
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        print_node(&g->nodes[i], out);
    }
    dcp_text_puts(out, "\n");
    for (uint32_t i = 0; i < g->n_instances; i++) {
        const struct dcp_ganeti_instance *v = &g->instances[i];
        const char *changed[DCP_GANETI_MAX_FIELDS] = { 0 };

        changed[6] = g->nodes[v->primary].name;
        changed[7] =
            v->secondary == DCP_IX_NONE ? "" : g->nodes[v->secondary].name;
        print_fields(out, &v->fields, changed);
    }
    if (g->n_sections > CLUSTER_TAGS) {
        dcp_text_puts(out, "\n");
    }
    for (uint32_t i = 0; i < g->n_tags; i++) {
        dcp_text_printf(out, "%s\n", g->tags[i]);
    }
    if (g->n_sections > POLICIES) {
        dcp_text_puts(out, "\n");
    }
    for (uint32_t i = 0; i < g->n_policies; i++) {
        print_fields(out, &g->policies[i].fields, NULL);
    }
}
