/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/json_writer.h"

#include "model/base/units.h"

#include <math.h>
#include <string.h>

void
dcp_json_init(struct dcp_json *w, bool pretty)
{
    *w = (struct dcp_json){ .pretty = pretty };
}

void
dcp_json_finish(struct dcp_json *w)
{
    dcp_text_finish(&w->text);
}

static void
new_line(struct dcp_json *w)
{
    if (w->pretty && !w->line_depth) {
        dcp_text_add(&w->text, "\n", 1);
        for (uint32_t i = 0; i < w->depth; i++) {
            dcp_text_add(&w->text, " ", 1);
        }
    } else if (w->pretty && w->need_comma) {
        dcp_text_add(&w->text, " ", 1);
    }
}

/* What stands before any value: a comma and a new line, or nothing after a
 * key. */
static void
before_value(struct dcp_json *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->need_comma) {
        dcp_text_add(&w->text, ",", 1);
    }
    if (w->depth) {
        new_line(w);
    }
}

void
dcp_json_begin(struct dcp_json *w, char open)
{
    before_value(w);
    dcp_text_add(&w->text, &open, 1);
    w->depth++;
    w->line_depth += w->line_depth > 0;
    w->need_comma = false;
}

void
dcp_json_begin_line(struct dcp_json *w, char open)
{
    dcp_json_begin(w, open);
    if (!w->line_depth) {
        w->line_depth = 1;
    }
}

void
dcp_json_end(struct dcp_json *w, char close)
{
    bool empty = !w->need_comma;

    w->depth--;
    if (w->line_depth) {
        w->line_depth--;
    } else if (!empty) {
        new_line(w);
    }
    dcp_text_add(&w->text, &close, 1);
    w->need_comma = true;
    if (!w->depth && w->pretty) {
        dcp_text_add(&w->text, "\n", 1);
    }
}

/* JSON is UTF-8; the name of a file need not be. */
static void
add_utf8(struct dcp_text *out, const char *bytes, size_t length)
{
    while (length) {
        size_t good = dcp_text_utf8(bytes, length);

        dcp_text_add(out, bytes, good);
        if (good < length) {
            dcp_text_puts(out, "\xef\xbf\xbd"); /* U+FFFD. */
            good++;
        }
        bytes += good;
        length -= good;
    }
}

static void
quote(struct dcp_json *w, const char *s)
{
    static const char hex[] = "0123456789abcdef";

    dcp_text_add(&w->text, "\"", 1);
    for (const char *run = s;;) {
        const char *p = run;

        while ((unsigned char)*p >= 0x20 && *p != '"' && *p != '\\') {
            p++;
        }
        add_utf8(&w->text, run, (size_t)(p - run));
        if (!*p) {
            break;
        }
        if (*p == '"' || *p == '\\') {
            char two[2] = { '\\', *p };

            dcp_text_add(&w->text, two, 2);
        } else if (*p == '\n') {
            dcp_text_add(&w->text, "\\n", 2);
        } else {
            char six[6] = { '\\', 'u', '0', '0', hex[*p >> 4], hex[*p & 15] };

            dcp_text_add(&w->text, six, 6);
        }
        run = p + 1;
    }
    dcp_text_add(&w->text, "\"", 1);
}

void
dcp_json_key(struct dcp_json *w, const char *key)
{
    before_value(w);
    quote(w, key);
    dcp_text_puts(&w->text, w->pretty ? ": " : ":");
    w->after_key = true;
    w->need_comma = false;
}

static void
atom(struct dcp_json *w, const char *text)
{
    before_value(w);
    dcp_text_puts(&w->text, text);
    w->need_comma = true;
}

void
dcp_json_string(struct dcp_json *w, const char *s)
{
    if (!s) {
        dcp_json_null(w);
        return;
    }
    before_value(w);
    quote(w, s);
    w->need_comma = true;
}

void
dcp_json_double(struct dcp_json *w, double value)
{
    char number[32];

    if (!isfinite(value)) {
        dcp_json_null(w);
        return;
    }
    dcp_text_double(number, value);
    atom(w, number);
}

void
dcp_json_i64(struct dcp_json *w, int64_t value)
{
    before_value(w);
    dcp_text_printf(&w->text, "%lld", (long long)value);
    w->need_comma = true;
}

void
dcp_json_u64(struct dcp_json *w, uint64_t value)
{
    before_value(w);
    dcp_text_printf(&w->text, "%llu", (unsigned long long)value);
    w->need_comma = true;
}

void
dcp_json_bool(struct dcp_json *w, bool value)
{
    atom(w, value ? "true" : "false");
}

void
dcp_json_null(struct dcp_json *w)
{
    atom(w, "null");
}

void
dcp_json_instant(struct dcp_json *w, int64_t ms)
{
    char text[32];

    dcp_print_instant(ms, text);
    dcp_json_string(w, text);
}

void
dcp_json_raw(struct dcp_json *w, const char *json)
{
    atom(w, json);
}

void
dcp_json_kstring(struct dcp_json *w, const char *key, const char *value)
{
    dcp_json_key(w, key);
    dcp_json_string(w, value);
}

void
dcp_json_kdouble(struct dcp_json *w, const char *key, double value)
{
    dcp_json_key(w, key);
    dcp_json_double(w, value);
}

void
dcp_json_ki64(struct dcp_json *w, const char *key, int64_t value)
{
    dcp_json_key(w, key);
    dcp_json_i64(w, value);
}

void
dcp_json_ku64(struct dcp_json *w, const char *key, uint64_t value)
{
    dcp_json_key(w, key);
    dcp_json_u64(w, value);
}

void
dcp_json_kbool(struct dcp_json *w, const char *key, bool value)
{
    dcp_json_key(w, key);
    dcp_json_bool(w, value);
}

void
dcp_json_knull(struct dcp_json *w, const char *key)
{
    dcp_json_key(w, key);
    dcp_json_null(w);
}

void
dcp_json_kinstant(struct dcp_json *w, const char *key, int64_t ms)
{
    dcp_json_key(w, key);
    dcp_json_instant(w, ms);
}

void
dcp_json_kobject(struct dcp_json *w, const char *key)
{
    dcp_json_key(w, key);
    dcp_json_begin(w, '{');
}

void
dcp_json_karray(struct dcp_json *w, const char *key)
{
    dcp_json_key(w, key);
    dcp_json_begin(w, '[');
}

const char *
dcp_json_text(const struct dcp_json *w)
{
    return w->text.failed ? NULL : dcp_text_get(&w->text);
}
