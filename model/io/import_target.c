/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/import_target.h"

#include "model/io/file.h"
#include "model/io/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The byte at a position of the text; NULL: beyond it. */
static const char *
at_pos(const char *text, struct dcp_pos pos)
{
    for (uint32_t line = 1; line < pos.line; line++) {
        text = strchr(text, '\n');
        if (!text) {
            return NULL;
        }
        text++;
    }
    return pos.column - 1 <= strlen(text) ? text + pos.column - 1 : NULL;
}

static bool
holds_item(const struct dcp_yaml *list, const char *item)
{
    for (uint32_t i = 0; list->kind == DCP_YAML_SEQUENCE && i < list->n; i++) {
        const struct dcp_yaml *have = &list->items[i];
        char text[300] = "";

        if (have->kind == DCP_YAML_SCALAR) {
            (void)snprintf(text, sizeof text, "%s", have->text);
        } else if (have->kind == DCP_YAML_MAPPING && have->n == 1 &&
                   have->entries[0].value.kind == DCP_YAML_SCALAR) {
            (void)snprintf(text, sizeof text, "{%s: %s}", have->entries[0].key,
                           have->entries[0].value.text);
        }
        if (!strcmp(text, item)) {
            return true;
        }
    }
    return false;
}

/* Where a new item goes, and what stands around it. */
static bool
splice(const char *text, const char *at, const char *before, const char *item,
       const char *after, struct dcp_text *out, struct dcp_error *err)
{
    dcp_text_add(out, text, (size_t)(at - text));
    dcp_text_puts(out, before);
    dcp_text_puts(out, item);
    dcp_text_puts(out, after);
    dcp_text_puts(out, at);
    return out->failed ? dcp_fail(err, DCP_E_NOMEM, "no memory for dc.yaml")
                       : true;
}

static bool
add_to_list(const char *text, const struct dcp_yaml *list, const char *item,
            struct dcp_text *out, struct dcp_error *err)
{
    const char *at = at_pos(text, list->pos);
    char indent[128];

    if (!at || list->kind != DCP_YAML_SEQUENCE) {
        return dcp_fail(err, DCP_E_PARSE,
                        "cannot add to 'include' of dc.yaml; make it a list");
    }
    if (*at == '[') {
        return splice(text, at + 1, "", item, list->n ? ", " : "", out, err);
    }
    /* Block form: a line of its own before the first item. */
    uint32_t column = list->pos.column - 1;

    if (column > 100) {
        return dcp_fail(err, DCP_E_PARSE, "'include' is indented too far");
    }
    (void)snprintf(indent, sizeof indent, "\n%*s", (int)column, "");
    return splice(text, at, "- ", item, indent, out, err);
}

bool
dcp_include_add(const char *text, const char *item, struct dcp_text *out,
                struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_diag diag = { 0 };
    struct dcp_yaml top;
    bool ok = arena ? dcp_yaml_parse(arena, NULL, text, strlen(text), &diag,
                                     &top, err)
                    : dcp_fail(err, DCP_E_NOMEM, "no memory for dc.yaml");

    dcp_diag_finish(&diag);
    if (!ok) {
        return false;
    }
    const struct dcp_yaml *list = dcp_yaml_get(&top, "include");

    if (list && holds_item(list, item)) {
        dcp_text_puts(out, text);
        return !out->failed ||
               dcp_fail(err, DCP_E_NOMEM, "no memory for dc.yaml");
    }
    if (list) {
        return add_to_list(text, list, item, out, err);
    }
    size_t n = strlen(text);

    return splice(text, text + n,
                  n && text[n - 1] != '\n' ? "\ninclude: [" : "include: [",
                  item, "]\n", out, err);
}

/* --- Writing ------------------------------------------------------------ */

static char *
path_in(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);

    if (path) {
        (void)snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

bool
dcp_import_defined(const char *dir, const char *file, const char *section,
                   const char *name)
{
    DCP_FREE char *path = path_in(dir, file);
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    struct dcp_diag diag = { 0 };
    struct dcp_yaml top;
    size_t length = 0;
    DCP_FREE char *text =
        path && arena ? dcp_file_read(path, DCP_YAML_MAX_BYTES, &length, NULL)
                      : NULL;
    bool ok =
        text && dcp_yaml_parse(arena, NULL, text, length, &diag, &top, NULL);
    const struct dcp_yaml *entries = ok ? dcp_yaml_get(&top, section) : NULL;

    dcp_diag_finish(&diag);
    return entries && dcp_yaml_get(entries, name);
}

struct part {
    const char *name, *item;
    const struct dcp_text *text;
};

static bool
may_write(const struct dcp_import_target *t, const struct part *part,
          struct dcp_error *err)
{
    DCP_FREE char *path = path_in(t->dir, part->name);

    if (!path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory");
    }
    if (part->text->length && !t->force && access(path, F_OK) == 0) {
        return dcp_fail(err, DCP_E_USAGE,
                        "'%.300s' is there from an earlier import; --force "
                        "replaces it",
                        path);
    }
    return true;
}

static bool
write_part(const struct dcp_import_target *t, const struct part *part,
           struct dcp_error *err)
{
    DCP_FREE char *path = path_in(t->dir, part->name);

    if (!part->text->length) {
        return true;
    }
    if (part->text->failed || !path) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to write %s", part->name);
    }
    return dcp_file_write(path, dcp_text_get(part->text), part->text->length,
                          err);
}

/* dc.yaml with the parts in its include list. */
static bool
include_parts(const struct dcp_import_target *t, const struct part parts[],
              size_t n, struct dcp_error *err)
{
    DCP_FREE char *path = path_in(t->dir, "dc.yaml");
    size_t length;
    DCP_FREE char *old =
        path ? dcp_file_read(path, (size_t)64 << 20, &length, err) : NULL;
    struct dcp_text text = { 0 };
    bool ok = old != NULL;

    if (ok) {
        dcp_text_puts(&text, old);
    }
    /* Each goes in front, so the last comes first. */
    for (size_t i = n; ok && i-- > 0;) {
        struct dcp_text next = { 0 };

        if (!parts[i].text->length) {
            continue;
        }
        ok = dcp_include_add(dcp_text_get(&text), parts[i].item, &next, err);
        dcp_text_finish(&text);
        text = next;
    }
    ok = ok && (!strcmp(old, dcp_text_get(&text)) ||
                dcp_file_write(path, dcp_text_get(&text), text.length, err));
    dcp_text_finish(&text);
    return ok;
}

bool
dcp_import_target_write(const struct dcp_import_target *t,
                        struct dcp_error *err)
{
    const struct part parts[] = {
        { "import/hosts.yaml", "import/hosts.yaml", &t->hosts_base },
        { "import/hosts.csv", "{hosts: import/hosts.csv}", &t->hosts },
        { "import/vms.yaml", "import/vms.yaml", &t->vms_base },
        { "import/vms.csv", "{vms: import/vms.csv}", &t->vms },
    };
    size_t n = sizeof parts / sizeof parts[0];
    DCP_FREE char *own = path_in(t->dir, "import");

    for (size_t i = 0; i < n; i++) {
        if (!may_write(t, &parts[i], err)) {
            return false;
        }
    }
    if (!own || (mkdir(own, 0777) != 0 && errno != EEXIST)) {
        return dcp_fail(err, DCP_E_IO, "cannot make '%.200s/import': %s",
                        t->dir, strerror(errno));
    }
    for (size_t i = 0; i < n; i++) {
        if (!write_part(t, &parts[i], err)) {
            return false;
        }
    }
    return include_parts(t, parts, n, err);
}

void
dcp_import_target_finish(struct dcp_import_target *t)
{
    dcp_text_finish(&t->hosts_base);
    dcp_text_finish(&t->hosts);
    dcp_text_finish(&t->vms_base);
    dcp_text_finish(&t->vms);
}
