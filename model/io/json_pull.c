/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/io/json_pull.h"

#include "model/base/units.h"

#include <string.h>

enum { DEEPEST = 63 };

void
dcp_pull_init(struct dcp_pull *p, const char *path, const char *text,
              size_t length)
{
    *p = (struct dcp_pull){ .text = text, .at = text, .path = path };
    p->end = text + length;
}

void
dcp_pull_wrong(struct dcp_pull *p, const char *problem)
{
    if (!p->problem) {
        p->problem = problem;
    }
}

static void
skip_space(struct dcp_pull *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' ||
                              *p->at == '\r' || *p->at == '\t')) {
        p->at++;
    }
}

enum dcp_pull_kind
dcp_pull_next(struct dcp_pull *p)
{
    skip_space(p);
    if (p->problem || p->at >= p->end) {
        return DCP_PULL_END;
    }
    switch (*p->at) {
    case '{':
        return DCP_PULL_OBJECT;
    case '[':
        return DCP_PULL_ARRAY;
    case '"':
        return DCP_PULL_STRING;
    case 't':
    case 'f':
    case 'n':
        return DCP_PULL_WORD;
    default:
        return *p->at == '-' || (*p->at >= '0' && *p->at <= '9')
                   ? DCP_PULL_NUMBER
                   : DCP_PULL_END;
    }
}

static void
enter(struct dcp_pull *p, char open, const char *problem)
{
    skip_space(p);
    if (p->problem) {
        return;
    }
    if (p->at >= p->end || *p->at != open) {
        dcp_pull_wrong(p, problem);
    } else if (p->depth == DEEPEST) {
        dcp_pull_wrong(p, "nested too deep");
    } else {
        p->at++;
        p->fresh |= UINT64_C(1) << ++p->depth;
    }
}

void
dcp_pull_object(struct dcp_pull *p)
{
    enter(p, '{', "an object is expected");
}

void
dcp_pull_array(struct dcp_pull *p)
{
    enter(p, '[', "an array is expected");
}

/* Past the comma before the next item; false: the container is closed. */
static bool
next_item(struct dcp_pull *p, char close)
{
    bool first;

    skip_space(p);
    if (p->problem || !p->depth) {
        return false;
    }
    first = p->fresh >> p->depth & 1;
    p->fresh &= ~(UINT64_C(1) << p->depth);
    if (p->at < p->end && *p->at == close) {
        p->at++;
        p->depth--;
        return false;
    }
    if (first) {
        return true;
    }
    if (p->at >= p->end || *p->at != ',') {
        dcp_pull_wrong(p, "a comma or the end of the list is expected");
        return false;
    }
    p->at++;
    return true;
}

bool
dcp_pull_key(struct dcp_pull *p, char *key, size_t size)
{
    key[0] = '\0';
    if (!next_item(p, '}')) {
        return false;
    }
    dcp_pull_string(p, key, size);
    skip_space(p);
    if (!p->problem && (p->at >= p->end || *p->at != ':')) {
        dcp_pull_wrong(p, "a colon is expected");
    }
    if (p->problem) {
        return false;
    }
    p->at++;
    return true;
}

bool
dcp_pull_more(struct dcp_pull *p)
{
    return next_item(p, ']');
}

int64_t
dcp_pull_i64(struct dcp_pull *p)
{
    int64_t value = 0;
    bool negative = false;
    const char *from;

    skip_space(p);
    if (p->problem) {
        return 0;
    }
    if (p->at < p->end && *p->at == '-') {
        negative = true;
        p->at++;
    }
    from = p->at;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        if (value >= INT64_C(1) << 55) {
            dcp_pull_wrong(p, "the number is too large");
            return 0;
        }
        value = 10 * value + (*p->at - '0');
    }
    if (p->at == from ||
        (p->at < p->end && (*p->at == '.' || *p->at == 'e' || *p->at == 'E'))) {
        dcp_pull_wrong(p, "a whole number is expected");
        return 0;
    }
    return negative ? -value : value;
}

double
dcp_pull_double(struct dcp_pull *p)
{
    char token[64];
    size_t n = 0;
    double value = 0;
    const char *rest;

    skip_space(p);
    if (p->problem) {
        return 0;
    }
    while (p->at + n < p->end && n < sizeof token - 1 && p->at[n] &&
           strchr("+-.0123456789eE", p->at[n])) {
        token[n] = p->at[n];
        n++;
    }
    token[n] = '\0';
    rest = dcp_scan_double(token, &value);
    if (!rest || *rest || !n) {
        dcp_pull_wrong(p, "a number is expected");
        return 0;
    }
    p->at += n;
    return value;
}

/* The word, if it is next. */
static bool
take_word(struct dcp_pull *p, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0) {
        return false;
    }
    p->at += n;
    return true;
}

bool
dcp_pull_bool(struct dcp_pull *p)
{
    skip_space(p);
    if (p->problem) {
        return false;
    }
    if (take_word(p, "true")) {
        return true;
    }
    if (!take_word(p, "false") && !take_word(p, "null")) {
        dcp_pull_wrong(p, "true or false is expected");
    }
    return false;
}

/* The character that an escape stands for; 'at' is past the backslash. */
static char
take_escape(struct dcp_pull *p)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char c = *p->at++;
    const char *name = c ? strchr(names, c) : NULL;
    unsigned code = 0;

    if (name) {
        return values[name - names];
    }
    if (c != 'u' || p->end - p->at < 4) {
        dcp_pull_wrong(p, "the escape is unknown");
        return '?';
    }
    for (int i = 0; i < 4; i++, p->at++) {
        const char *digits = "0123456789abcdefABCDEF";
        const char *digit = *p->at ? strchr(digits, *p->at) : NULL;

        if (!digit) {
            dcp_pull_wrong(p, "the escape is unknown");
            return '?';
        }
        code = 16 * code +
               (unsigned)(digit - digits - (digit - digits > 15 ? 6 : 0));
    }
    return code >= ' ' && code < 127 ? (char)code : '?';
}

void
dcp_pull_string(struct dcp_pull *p, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    skip_space(p);
    if (p->problem) {
        return;
    }
    if (p->at >= p->end || *p->at != '"') {
        dcp_pull_wrong(p, "a string is expected");
        return;
    }
    p->at++;
    while (p->at < p->end && *p->at != '"' && !p->problem) {
        char c = *p->at++;

        if ((unsigned char)c < ' ') {
            dcp_pull_wrong(p, "a string has a control character");
        } else if (c == '\\' && p->at < p->end) {
            c = take_escape(p);
        }
        if (n + 1 < size) {
            out[n++] = c;
        }
    }
    out[n] = '\0';
    if (p->at >= p->end) {
        dcp_pull_wrong(p, "a string does not end");
    } else if (!p->problem) {
        p->at++;
    }
}

/* Calls itself for what is inside, DEEPEST deep at most. */
void
dcp_pull_skip(struct dcp_pull *p)
{
    char text[2];

    switch (dcp_pull_next(p)) {
    case DCP_PULL_OBJECT:
        dcp_pull_object(p);
        while (dcp_pull_key(p, text, sizeof text)) {
            dcp_pull_skip(p);
        }
        break;
    case DCP_PULL_ARRAY:
        dcp_pull_array(p);
        while (dcp_pull_more(p)) {
            dcp_pull_skip(p);
        }
        break;
    case DCP_PULL_STRING:
        dcp_pull_string(p, text, sizeof text);
        break;
    case DCP_PULL_NUMBER:
        (void)dcp_pull_double(p);
        break;
    case DCP_PULL_WORD:
        (void)dcp_pull_bool(p);
        break;
    case DCP_PULL_END:
        dcp_pull_wrong(p, "a value is expected");
        break;
    }
}

bool
dcp_pull_ok(const struct dcp_pull *p, struct dcp_error *err)
{
    struct dcp_pos pos = { p->path, 1, 1 };

    if (!p->problem) {
        return true;
    }
    for (const char *c = p->text; c < p->at; c++) {
        pos.column++;
        if (*c == '\n') {
            pos.line++;
            pos.column = 1;
        }
    }
    return dcp_fail_at(err, DCP_E_PARSE, pos, "%s", p->problem);
}
