/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Selectors of VMs and hosts, and the licences made of them. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Ids being gathered. */
struct picked {
    uint32_t *ix;
    uint32_t n, capacity;
    bool failed;
};

static void
pick(struct picked *p, uint32_t ix)
{
    if (p->n == p->capacity) {
        uint32_t capacity = p->capacity ? 2 * p->capacity : 64;
        uint32_t *bigger = realloc(p->ix, capacity * sizeof *bigger);

        if (!bigger) {
            p->failed = true;
            return;
        }
        p->ix = bigger;
        p->capacity = capacity;
    }
    p->ix[p->n++] = ix;
}

void
dcp_reader_index_tags(struct dcp_reader *r)
{
    const struct dcp_inventory *inv = r->inv;
    uint32_t n = r->tags.n;
    size_t total = 0;
    uint32_t *first = dcp_arena_array(r->scratch, uint32_t, (size_t)n + 2);

    for (uint32_t v = 0; first && v < inv->n_vms; v++) {
        for (uint32_t i = 0; i < inv->vms[v].tags.n; i++) {
            first[inv->vms[v].tags.ix[i] + 2]++;
            total++;
        }
    }
    uint32_t *vms = total < UINT32_MAX
                        ? dcp_arena_array(r->scratch, uint32_t, total)
                        : NULL;

    if (!first || !vms) {
        r->no_memory = true;
        return;
    }
    for (uint32_t t = 0; t < n; t++) {
        first[t + 2] += first[t + 1];
    }
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        for (uint32_t i = 0; i < inv->vms[v].tags.n; i++) {
            vms[first[inv->vms[v].tags.ix[i] + 1]++] = v;
        }
    }
    r->tag_first = first;
    r->tag_vms = vms;
}

/* The rest of 'text' after "word:", or NULL. */
static const char *
after(const char *text, const char *word)
{
    size_t n = strlen(word);

    return !strncmp(text, word, n) && text[n] == ':' ? text + n + 1 : NULL;
}

static bool
has_glob(const char *text)
{
    return strpbrk(text, "*?") != NULL;
}

static uint32_t
entry_named(const struct dcp_reader *r, enum dcp_kind kind, const char *name)
{
    return dcp_strmap_find(&r->tables[kind].by_name, name);
}

static void
pick_vms(struct dcp_reader *r, const char *text, struct picked *out)
{
    static const struct {
        const char *word;
        enum dcp_kind kind;
        size_t offset;
    } by[] = {
        { "tier", DCP_KIND_TIER, offsetof(struct dcp_vm, tier) },
        { "tenant", DCP_KIND_TENANT, offsetof(struct dcp_vm, tenant) },
        { "application", DCP_KIND_APPLICATION,
          offsetof(struct dcp_vm, application) },
    };
    const struct dcp_inventory *inv = r->inv;
    uint32_t one = dcp_strmap_find(&inv->vm_by_name, text);
    const char *rest;

    if (one != DCP_STRMAP_NONE) {
        pick(out, one);
        return;
    }
    if ((rest = after(text, "tag"))) {
        uint32_t tag = dcp_strmap_find(&r->tags, rest);

        for (uint32_t i = tag == DCP_STRMAP_NONE ? 0 : r->tag_first[tag];
             tag != DCP_STRMAP_NONE && i < r->tag_first[tag + 1]; i++) {
            pick(out, r->tag_vms[i]);
        }
        return;
    }
    for (uint32_t b = 0; b < sizeof by / sizeof by[0]; b++) {
        if (!(rest = after(text, by[b].word))) {
            continue;
        }
        uint32_t ix = entry_named(r, by[b].kind, rest);

        for (uint32_t v = 0; ix != DCP_STRMAP_NONE && v < inv->n_vms; v++) {
            uint32_t of;

            memcpy(&of, (const char *)&inv->vms[v] + by[b].offset, sizeof of);
            if (of == ix) {
                pick(out, v);
            }
        }
        return;
    }
    rest = after(text, "os");
    for (uint32_t v = 0; (rest || has_glob(text)) && v < inv->n_vms; v++) {
        if (rest ? !strcasecmp(inv->vms[v].os, rest)
                 : dcp_text_glob(text, inv->vms[v].name)) {
            pick(out, v);
        }
    }
}

/* A selector of hosts, read once for all of them. */
enum host_by {
    BY_NAME,
    BY_TAG,
    BY_HARDWARE,
    BY_HYPERVISOR,
    BY_RACK,
    BY_ROOM,
    BY_SITE,
    BY_FEED,
    BY_SWITCH
};
struct host_selector {
    enum host_by by;
    uint32_t want;       /* Id; DCP_IX_NONE selects nothing. */
    const char *pattern; /* BY_NAME. */
};

static struct host_selector
read_host_selector(struct dcp_reader *r, const char *text)
{
    static const struct {
        const char *word;
        enum host_by by;
        enum dcp_kind kind;
    } words[] = {
        { "hardware", BY_HARDWARE, DCP_KIND_HARDWARE },
        { "hypervisor", BY_HYPERVISOR, DCP_KIND_HYPERVISOR },
        { "rack", BY_RACK, DCP_KIND_RACK },
        { "room", BY_ROOM, DCP_KIND_ROOM },
        { "site", BY_SITE, DCP_KIND_SITE },
        { "feed", BY_FEED, DCP_KIND_FEED },
        { "switch", BY_SWITCH, DCP_KIND_SWITCH },
    };
    const char *rest;

    if ((rest = after(text, "tag"))) {
        return (struct host_selector){ BY_TAG, dcp_strmap_find(&r->tags, rest),
                                       NULL };
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if ((rest = after(text, words[i].word))) {
            return (struct host_selector){ words[i].by,
                                           entry_named(r, words[i].kind, rest),
                                           NULL };
        }
    }
    return (struct host_selector){ BY_NAME, has_glob(text) ? 0 : DCP_IX_NONE,
                                   text };
}

static bool
has_port_to(const struct dcp_host *h, uint32_t to)
{
    for (uint32_t i = 0; i < h->n_ports; i++) {
        if (h->ports[i].to.ix == to) {
            return true;
        }
    }
    return false;
}

static bool
host_matches(const struct dcp_inventory *inv, const struct dcp_host *h,
             const struct host_selector *s)
{
    dcp_room_id room = dcp_rack_is_none(h->rack) ? dcp_room_none()
                                                 : inv->racks[h->rack.ix].room;

    switch (s->by) {
    case BY_NAME:
        return dcp_text_glob(s->pattern, h->name);
    case BY_TAG:
        return dcp_ids_contain(&h->tags, s->want);
    case BY_HARDWARE:
        return h->hardware.ix == s->want;
    case BY_HYPERVISOR:
        return h->hypervisor.ix == s->want;
    case BY_RACK:
        return h->rack.ix == s->want;
    case BY_ROOM:
        return room.ix == s->want;
    case BY_SITE:
        return !dcp_room_is_none(room) &&
               inv->rooms[room.ix].site.ix == s->want;
    case BY_FEED:
        return !dcp_rack_is_none(h->rack) &&
               dcp_ids_contain(&inv->racks[h->rack.ix].feeds, s->want);
    case BY_SWITCH:
        return has_port_to(h, s->want);
    }
    return false;
}

static void
pick_hosts(struct dcp_reader *r, const char *text, struct picked *out)
{
    const struct dcp_inventory *inv = r->inv;
    uint32_t one = dcp_strmap_find(&inv->host_by_name, text);
    uint32_t rack = entry_named(r, DCP_KIND_RACK, text);
    struct host_selector selector = read_host_selector(r, text);

    if (one != DCP_STRMAP_NONE) {
        pick(out, one);
        return;
    }
    if (rack != DCP_STRMAP_NONE) { /* A pool's reach names racks plainly. */
        selector = (struct host_selector){ BY_RACK, rack, NULL };
    }
    for (uint32_t h = 0; selector.want != DCP_IX_NONE && h < inv->n_hosts;
         h++) {
        if (host_matches(inv, &inv->hosts[h], &selector)) {
            pick(out, h);
        }
    }
}

static struct dcp_ids
select_by(struct dcp_reader *r, const char *key, const struct dcp_yaml *node,
          enum dcp_kind kind,
          void (*pick_by)(struct dcp_reader *, const char *, struct picked *))
{
    struct picked picked = { 0 };
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    char hint[120];

    for (uint32_t i = 0; i < n; i++) {
        uint32_t before = picked.n;

        if (!dcp_reader_scalar(r, key, &items[i])) {
            continue;
        }
        pick_by(r, items[i].text, &picked);
        if (picked.n == before && !picked.failed) {
            bool plain =
                !strchr(items[i].text, ':') && !has_glob(items[i].text);

            dcp_reader_error(
                r, items[i].pos, "%s: '%.80s' selects nothing%s", key,
                items[i].text,
                plain ? dcp_reader_suggest(r, kind, items[i].text, hint)
                      : "; correct or remove it");
        }
    }
    struct dcp_ids ids = dcp_reader_ids(r, picked.ix, picked.n);

    r->no_memory |= picked.failed;
    free(picked.ix);
    return ids;
}

struct dcp_ids
dcp_select_vms(struct dcp_reader *r, const char *key,
               const struct dcp_yaml *node)
{
    return select_by(r, key, node, DCP_KIND_VM, pick_vms);
}

struct dcp_ids
dcp_select_hosts(struct dcp_reader *r, const char *key,
                 const struct dcp_yaml *node)
{
    return select_by(r, key, node, DCP_KIND_HOST, pick_hosts);
}

/* --- Licences ----------------------------------------------------------- */

/* Of a hypervisor: for all VMs, where nothing else is said.  What is counted
 * by VM follows the VM, so it counts where that is. */
static void
finish_hypervisor_licence(struct dcp_reader *r, struct dcp_licence *licence,
                          const struct dcp_yaml *node)
{
    bool by_vm = licence->metric == DCP_LICENCE_VM ||
                 licence->metric == DCP_LICENCE_VCPU;
    struct picked all = { 0 };

    licence->of_hypervisor = !dcp_hypervisor_is_none(licence->hypervisor);
    if (licence->of_hypervisor && by_vm && !licence->guests_free_on_host) {
        licence->scope = DCP_LICENCE_PLACED;
    }
    if (dcp_yaml_get(node, "covers")) {
        return;
    }
    if (!licence->of_hypervisor) {
        dcp_reader_error(r, node->pos,
                         "no covers; name the VMs that it is for, or with "
                         "`hypervisor` whose licence it is");
        return;
    }
    for (uint32_t v = 0; v < r->inv->n_vms; v++) {
        pick(&all, v);
    }
    licence->vms = dcp_reader_ids(r, all.ix, all.n);
    r->no_memory |= all.failed;
    free(all.ix);
}

static void
finish_licence(struct dcp_reader *r, uint32_t ix, void *base,
               const struct dcp_yaml *node)
{
    struct dcp_licence *licence = base;
    const struct dcp_yaml *covers = dcp_yaml_get(node, "covers");
    struct picked picked = { 0 };
    uint32_t n;

    (void)ix;
    finish_hypervisor_licence(r, licence, node);
    if (!covers) {
        return;
    }
    const struct dcp_yaml *os =
        dcp_reader_items(r, dcp_yaml_get(covers, "os"), &n);

    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_reader_scalar(r, "covers: os", &os[i])) {
            continue;
        }
        for (uint32_t v = 0; v < r->inv->n_vms; v++) {
            if (!strcasecmp(r->inv->vms[v].os, os[i].text)) {
                pick(&picked, v);
            }
        }
    }
    struct dcp_ids by_name =
        dcp_select_vms(r, "covers: vms", dcp_yaml_get(covers, "vms"));

    for (uint32_t i = 0; i < by_name.n; i++) {
        pick(&picked, by_name.ix[i]);
    }
    if (!picked.n) {
        dcp_reader_warn(r, covers->pos, "covers no VM of this model");
    }
    licence->vms = dcp_reader_ids(r, picked.ix, picked.n);
    r->no_memory |= picked.failed;
    free(picked.ix);
}

void
dcp_read_licences(struct dcp_reader *r)
{
    dcp_reader_table(r, DCP_KIND_LICENCE, &r->inv->licences,
                     &r->inv->n_licences, finish_licence);
}
