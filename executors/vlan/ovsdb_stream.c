/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Braces and brackets are counted outside of strings, each byte once; jansson
 * then reads what lies between the first and its counterpart. */

#include "executors/vlan/ovsdb_stream.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool
fail(struct dcp_ovsdb_stream *s, struct dcp_error *err, const char *problem)
{
    s->broken = true;
    return dcp_fail(err, DCP_E_REMOTE, "what the switch database says %s",
                    problem);
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
drop_front(struct dcp_ovsdb_stream *s, size_t n)
{
    s->n -= n;
    memmove(s->bytes, s->bytes + n, s->n);
    s->scanned = 0;
}

bool
dcp_ovsdb_stream_add(struct dcp_ovsdb_stream *s, const char *bytes, size_t n,
                     struct dcp_error *err)
{
    if (s->broken) {
        return fail(s, err, "made no sense earlier");
    }
    /* Whole messages are taken before more is read, so that what is kept is at
     * most one that is not whole, and one read. */
    if (n > 2 * DCP_OVSDB_MESSAGE_MAX - s->n) {
        return fail(s, err, "is longer than 2 MiB");
    }
    if (s->n + n > s->capacity) {
        size_t capacity = s->capacity ? s->capacity : 4096;

        while (capacity < s->n + n) {
            capacity *= 2;
        }
        char *more = realloc(s->bytes, capacity);

        if (!more) {
            s->broken = true;
            return dcp_fail(err, DCP_E_NOMEM, "no memory for an answer");
        }
        s->bytes = more;
        s->capacity = capacity;
    }
    if (n) {
        memcpy(s->bytes + s->n, bytes, n);
        s->n += n;
    }
    return true;
}

/* Goes on over the bytes of the first message; *out_end is where it ends, or
 * 0.  Which bracket closes which is jansson's to judge. */
static bool
scan(struct dcp_ovsdb_stream *s, size_t *out_end, struct dcp_error *err)
{
    *out_end = 0;
    while (s->scanned < s->n && !*out_end) {
        char c = s->bytes[s->scanned++];

        if (s->escaped) {
            s->escaped = false;
        } else if (s->in_string) {
            s->escaped = c == '\\';
            s->in_string = c != '"';
        } else if (c == '"') {
            s->in_string = true;
        } else if (c == '{' || c == '[') {
            if (++s->depth > DCP_OVSDB_DEPTH_MAX) {
                return fail(s, err, "is nested too deeply");
            }
        } else if ((c == '}' || c == ']') && --s->depth == 0) {
            *out_end = s->scanned;
        }
    }
    return s->scanned <= DCP_OVSDB_MESSAGE_MAX ||
           fail(s, err, "is longer than 2 MiB");
}

bool
dcp_ovsdb_stream_next(struct dcp_ovsdb_stream *s, json_t **out,
                      struct dcp_error *err)
{
    size_t blank = 0, end;

    *out = NULL;
    if (s->broken) {
        return fail(s, err, "made no sense earlier");
    }
    if (!s->scanned) {
        while (blank < s->n && is_space(s->bytes[blank])) {
            blank++;
        }
        if (blank) {
            drop_front(s, blank);
        }
        if (s->n && s->bytes[0] != '{') {
            return fail(s, err, "is not a JSON object");
        }
    }
    if (!scan(s, &end, err)) {
        return false;
    }
    if (!end) {
        return true;
    }
    *out = json_loadb(s->bytes, end, JSON_REJECT_DUPLICATES, NULL);
    drop_front(s, end);
    return *out || fail(s, err, "is not JSON");
}

void
dcp_ovsdb_stream_finish(struct dcp_ovsdb_stream *s)
{
    free(s->bytes);
    *s = (struct dcp_ovsdb_stream){ 0 };
}
