/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One pass over the text, token by token, without a tree: white space between
 * tokens is dropped and so are the top members "plan", "digest" and "run" with
 * the comma that belongs to them.  What is hashed is thus the compact text of
 * the same object without those members.  Only nesting and strings are
 * understood; whether the rest is JSON is the parser's business. */

#include "model/io/plan_file.h"
#include "model/io/plan_text.h"

#include "model/base/sha256.h"

#include <string.h>

enum { CHUNK = 4096 };

struct scan {
    const char *p, *end;
    uint32_t depth;
    bool skipping;   /* Inside a member that is left out. */
    bool any_member; /* A top member was hashed: the next takes a comma. */
    struct dcp_sha256 sha;
    char chunk[CHUNK];
    size_t n;
};

static void
hash(struct scan *s, const char *bytes, size_t n)
{
    if (s->skipping) {
        return;
    }
    if (s->n + n > CHUNK) {
        dcp_sha256_add(&s->sha, s->chunk, s->n);
        s->n = 0;
    }
    if (n > CHUNK) {
        dcp_sha256_add(&s->sha, bytes, n);
        return;
    }
    memcpy(s->chunk + s->n, bytes, n);
    s->n += n;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* At an opening quote: the first character after the string, or NULL. */
static const char *
string_end(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '"') {
            return p + 1;
        }
    }
    return NULL;
}

static bool
is_left_out(const char *key, size_t length)
{
    static const char *const names[] = { "\"plan\"", "\"digest\"", "\"run\"" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == length && !memcmp(names[i], key, length)) {
            return true;
        }
    }
    return false;
}

/* A key of the top object decides whether its member is hashed. */
static void
top_key(struct scan *s, const char *key, size_t length)
{
    s->skipping = is_left_out(key, length);
    if (!s->skipping && s->any_member) {
        hash(s, ",", 1);
    }
    s->any_member = s->any_member || !s->skipping;
}

/* One token; 'expect_key' is about the top object. */
static bool
token(struct scan *s, bool *expect_key)
{
    char c = *s->p;

    if (c == '"') {
        const char *end = string_end(s->p, s->end);

        if (!end) {
            return false;
        }
        size_t length = (size_t)(end - s->p);

        if (s->depth == 1 && *expect_key) {
            top_key(s, s->p, length);
            *expect_key = false;
        }
        hash(s, s->p, length);
        s->p = end;
        return true;
    }
    s->p++;
    if (c == '{' || c == '[') {
        hash(s, &c, 1);
        return ++s->depth <= DCP_PLAN_DEPTH_MAX;
    }
    if (c == '}' || c == ']') {
        s->skipping = s->skipping && s->depth > 1;
        hash(s, &c, 1);
        return s->depth-- > 0;
    }
    if (c == ',' && s->depth == 1) {
        *expect_key = true; /* Its comma is written by the next member. */
        s->skipping = false;
        return true;
    }
    hash(s, &c, 1);
    return true;
}

bool
dcp_plan_digest(const char *text, size_t length, char out[72])
{
    struct scan s = { .p = text, .end = text + length };
    bool expect_key = true;

    dcp_sha256_init(&s.sha);
    while (s.p < s.end && is_space(*s.p)) {
        s.p++;
    }
    if (s.p == s.end || *s.p != '{') {
        return false;
    }
    do {
        if (is_space(*s.p)) {
            s.p++;
        } else if (!token(&s, &expect_key)) {
            return false;
        }
    } while (s.p < s.end && s.depth);
    while (s.p < s.end && is_space(*s.p)) {
        s.p++;
    }
    if (s.depth || s.p != s.end) {
        return false;
    }
    dcp_sha256_add(&s.sha, s.chunk, s.n);
    dcp_sha256_end_text(&s.sha, out);
    return true;
}

void
dcp_plan_uuid(const char digest[72], char out[40])
{
    const char *hex = digest + strlen("sha256:");
    char h[33];
    static const char variant[] = "89ab";

    memcpy(h, hex, 32);
    h[32] = '\0';
    h[12] = '8'; /* Version 8, RFC 9562: made by us, from the digest. */
    h[16] = variant[(h[16] >= 'a' ? h[16] - 'a' + 10 : h[16] - '0') & 3];
    size_t n = 0;

    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            out[n++] = '-';
        }
        out[n++] = h[i];
    }
    out[n] = '\0';
}
