/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Recursive descent over libyaml's events; recursion is bounded by
 * DCP_YAML_DEPTH.  Children are collected on one growing stack and copied into
 * the arena when their parent closes, so each node is written once. */

#include "model/io/yaml.h"

#include "model/base/strmap.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct parse {
    yaml_parser_t parser;
    struct dcp_arena *arena;
    const char *path;
    struct dcp_diag *diag;
    struct dcp_error *err;
    struct dcp_yaml_entry *stack;
    size_t n_stack, capacity;
};

static struct dcp_pos
pos_of(const struct parse *p, yaml_mark_t mark)
{
    return (struct dcp_pos){ p->path, (uint32_t)mark.line + 1,
                             (uint32_t)mark.column + 1 };
}

static bool
no_memory(struct parse *p)
{
    return dcp_fail(p->err, DCP_E_NOMEM, "no memory for the YAML tree");
}

/* Records an error that ends parsing. */
static bool
give_up(struct parse *p, struct dcp_pos pos, const char *text)
{
    dcp_diag_add(p->diag, DCP_ERROR, pos, "%s", text);
    return dcp_fail_at(p->err, DCP_E_PARSE, pos, "%s", text);
}

static bool
next_event(struct parse *p, yaml_event_t *event)
{
    if (yaml_parser_parse(&p->parser, event)) {
        return true;
    }
    yaml_mark_t mark = p->parser.problem_mark;
    char text[300];

    if (p->parser.error == YAML_MEMORY_ERROR) {
        return no_memory(p);
    }
    if (p->parser.error == YAML_READER_ERROR) {
        mark = p->parser.mark;
    }
    (void)snprintf(text, sizeof text, "this is not YAML: %s%s%s",
                   p->parser.problem ? p->parser.problem : "unreadable",
                   p->parser.context ? " " : "",
                   p->parser.context ? p->parser.context : "");
    return give_up(p, pos_of(p, mark), text);
}

static bool
push(struct parse *p, const struct dcp_yaml_entry *entry)
{
    if (p->n_stack == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 256;
        struct dcp_yaml_entry *stack =
            realloc(p->stack, capacity * sizeof *stack);

        if (!stack) {
            return no_memory(p);
        }
        p->stack = stack;
        p->capacity = capacity;
    }
    p->stack[p->n_stack++] = *entry;
    return true;
}

/* Anchors and tags are refused where they stand; reading goes on. */
static void
refuse_decoration(struct parse *p, const yaml_event_t *event,
                  const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor) {
        dcp_diag_add(p->diag, DCP_ERROR, pos_of(p, event->start_mark),
                     "anchor '&%.40s': anchors and aliases are not allowed; "
                     "write the value out, or use a flavour or an include",
                     (const char *)anchor);
    }
    if (tag) {
        dcp_diag_add(p->diag, DCP_ERROR, pos_of(p, event->start_mark),
                     "tag '%.40s': tags are not allowed; the key says the type",
                     (const char *)tag);
    }
}

static bool
read_scalar(struct parse *p, const yaml_event_t *event, struct dcp_yaml *out)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    refuse_decoration(p, event, event->data.scalar.anchor,
                      event->data.scalar.tag);
    if (memchr(value, '\0', length)) {
        dcp_diag_add(p->diag, DCP_ERROR, pos_of(p, event->start_mark),
                     "this text holds a NUL character; remove it");
        length = strlen(value);
    }
    *out = (struct dcp_yaml){
        .kind = DCP_YAML_SCALAR,
        .quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
        .pos = pos_of(p, event->start_mark),
        .text = dcp_arena_strndup(p->arena, value, length),
    };
    return out->text ? true : no_memory(p);
}

static void
report_duplicate(struct parse *p, const struct dcp_yaml_entry *again,
                 const struct dcp_yaml_entry *first)
{
    dcp_diag_add(p->diag, DCP_ERROR, again->pos,
                 "'%.60s' stands twice, first on line %u; keep one", again->key,
                 first->pos.line);
}

/* Small mappings by comparing all pairs, large ones with a map. */
static bool
check_duplicates(struct parse *p, const struct dcp_yaml_entry *entries,
                 uint32_t n)
{
    if (n <= 16) {
        for (uint32_t i = 1; i < n; i++) {
            for (uint32_t j = 0; j < i; j++) {
                if (!strcmp(entries[i].key, entries[j].key)) {
                    report_duplicate(p, &entries[i], &entries[j]);
                    break;
                }
            }
        }
        return true;
    }
    struct dcp_strmap seen = { 0 };
    bool ok = true;

    for (uint32_t i = 0; ok && i < n; i++) {
        uint32_t old;

        if (!dcp_strmap_add(&seen, entries[i].key, i, &old)) {
            ok = old != DCP_STRMAP_NONE ? true : no_memory(p);
            if (ok) {
                report_duplicate(p, &entries[i], &entries[old]);
            }
        }
    }
    dcp_strmap_finish(&seen);
    return ok;
}

static bool read_node(struct parse *p, yaml_event_t *event, uint32_t depth,
                      struct dcp_yaml *out);

static bool
read_child(struct parse *p, uint32_t depth, yaml_event_type_t end,
           struct dcp_yaml *out, bool *out_ended)
{
    yaml_event_t event;

    if (!next_event(p, &event)) {
        return false;
    }
    *out_ended = event.type == end;
    bool ok = *out_ended || read_node(p, &event, depth, out);

    yaml_event_delete(&event);
    return ok;
}

static bool
read_sequence(struct parse *p, uint32_t depth, struct dcp_yaml *out)
{
    size_t base = p->n_stack;

    for (;;) {
        struct dcp_yaml_entry item = { 0 };
        bool ended;

        if (!read_child(p, depth, YAML_SEQUENCE_END_EVENT, &item.value,
                        &ended)) {
            return false;
        }
        if (ended) {
            break;
        }
        if (!push(p, &item)) {
            return false;
        }
    }
    size_t n = p->n_stack - base;
    struct dcp_yaml *items = dcp_arena_array(p->arena, struct dcp_yaml, n);

    if (!items || n > UINT32_MAX) {
        return no_memory(p);
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = p->stack[base + i].value;
    }
    p->n_stack = base;
    out->items = items;
    out->n = (uint32_t)n;
    return true;
}

static bool
read_mapping(struct parse *p, uint32_t depth, struct dcp_yaml *out)
{
    size_t base = p->n_stack;

    for (;;) {
        struct dcp_yaml_entry entry = { 0 };
        struct dcp_yaml key = { 0 };
        bool ended;

        if (!read_child(p, depth, YAML_MAPPING_END_EVENT, &key, &ended)) {
            return false;
        }
        if (ended) {
            break;
        }
        entry.pos = key.pos;
        entry.key = key.kind == DCP_YAML_SCALAR ? key.text : "";
        if (key.kind != DCP_YAML_SCALAR) {
            dcp_diag_add(p->diag, DCP_ERROR, key.pos,
                         "a key must be text, not %s",
                         dcp_yaml_kind_name(key.kind));
        }
        if (!read_child(p, depth, YAML_NO_EVENT, &entry.value, &ended) ||
            !push(p, &entry)) {
            return false;
        }
    }
    size_t n = p->n_stack - base;
    struct dcp_yaml_entry *entries =
        dcp_arena_array(p->arena, struct dcp_yaml_entry, n);

    if (!entries || n > UINT32_MAX) {
        return no_memory(p);
    }
    if (n) {
        memcpy(entries, p->stack + base, n * sizeof *entries);
    }
    p->n_stack = base;
    out->entries = entries;
    out->n = (uint32_t)n;
    return check_duplicates(p, entries, out->n);
}

static bool
read_node(struct parse *p, yaml_event_t *event, uint32_t depth,
          struct dcp_yaml *out)
{
    if (event->type == YAML_SCALAR_EVENT) {
        return read_scalar(p, event, out);
    }
    *out = (struct dcp_yaml){ .pos = pos_of(p, event->start_mark) };
    if (event->type == YAML_ALIAS_EVENT) {
        dcp_diag_add(p->diag, DCP_ERROR, out->pos,
                     "alias '*%.40s': anchors and aliases are not allowed; "
                     "write the value out, or use a flavour or an include",
                     (const char *)event->data.alias.anchor);
        out->text = "";
        return true;
    }
    if (depth >= DCP_YAML_DEPTH) {
        return give_up(p, out->pos, "nested too deeply (64 levels at most)");
    }
    if (event->type == YAML_SEQUENCE_START_EVENT) {
        out->kind = DCP_YAML_SEQUENCE;
        refuse_decoration(p, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
        return read_sequence(p, depth + 1, out);
    }
    if (event->type == YAML_MAPPING_START_EVENT) {
        out->kind = DCP_YAML_MAPPING;
        refuse_decoration(p, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
        return read_mapping(p, depth + 1, out);
    }
    return give_up(p, out->pos, "a value was expected here");
}

static bool
read_stream(struct parse *p, struct dcp_yaml *out)
{
    bool have = false;

    for (;;) {
        yaml_event_t event;

        if (!next_event(p, &event)) {
            return false;
        }
        bool ok = true;
        yaml_event_type_t type = event.type;

        switch (type) {
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
        case YAML_STREAM_END_EVENT:
            break;
        case YAML_ALIAS_EVENT:
        case YAML_SCALAR_EVENT:
        case YAML_SEQUENCE_START_EVENT:
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_START_EVENT:
        case YAML_MAPPING_END_EVENT:
            if (have) {
                ok = give_up(p, pos_of(p, event.start_mark),
                             "a second document begins here; a file holds one "
                             "(remove the '---')");
            } else {
                ok = read_node(p, &event, 0, out);
                have = true;
            }
            break;
        }
        yaml_event_delete(&event);
        if (!ok || type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT) {
            return ok;
        }
    }
}

bool
dcp_yaml_parse(struct dcp_arena *arena, const char *path, const char *text,
               size_t length, struct dcp_diag *diag, struct dcp_yaml *out,
               struct dcp_error *err)
{
    struct parse p = { .arena = arena, .path = path, .diag = diag, .err = err };

    *out = (struct dcp_yaml){ .kind = DCP_YAML_MAPPING, .pos = { path, 1, 1 } };
    if (length > DCP_YAML_MAX_BYTES) {
        return give_up(&p, (struct dcp_pos){ path, 0, 0 },
                       "larger than 64 MiB; move bulk lists to CSV includes");
    }
    if (!yaml_parser_initialize(&p.parser)) {
        return no_memory(&p);
    }
    yaml_parser_set_encoding(&p.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&p.parser, (const unsigned char *)text,
                                 length);
    bool ok = read_stream(&p, out);

    yaml_parser_delete(&p.parser);
    free(p.stack);
    return ok;
}

const struct dcp_yaml *
dcp_yaml_get(const struct dcp_yaml *map, const char *key)
{
    for (uint32_t i = 0; map->kind == DCP_YAML_MAPPING && i < map->n; i++) {
        if (!strcmp(map->entries[i].key, key)) {
            return &map->entries[i].value;
        }
    }
    return NULL;
}

const char *
dcp_yaml_kind_name(enum dcp_yaml_kind kind)
{
    switch (kind) {
    case DCP_YAML_SCALAR:
        return "text";
    case DCP_YAML_SEQUENCE:
        return "a list";
    case DCP_YAML_MAPPING:
        return "a mapping";
    }
    return "?";
}
