/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
dcp_text_finish(struct dcp_text *t)
{
    free(t->data);
    *t = (struct dcp_text){ 0 };
}

static bool
reserve(struct dcp_text *t, size_t more)
{
    if (t->failed) {
        return false;
    }
    if (more < t->capacity - t->length) {
        return true;
    }
    size_t capacity = t->capacity ? t->capacity : 64;

    while (capacity <= t->length + more) {
        capacity *= 2;
    }
    char *data = realloc(t->data, capacity);

    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

void
dcp_text_add(struct dcp_text *t, const char *bytes, size_t length)
{
    if (reserve(t, length)) {
        memcpy(t->data + t->length, bytes, length);
        t->length += length;
        t->data[t->length] = '\0';
    }
}

void
dcp_text_puts(struct dcp_text *t, const char *text)
{
    dcp_text_add(t, text, strlen(text));
}

void
dcp_text_printf(struct dcp_text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        t->failed = true;
        return;
    }
    if (reserve(t, (size_t)n)) {
        va_start(args, format);
        (void)vsnprintf(t->data + t->length, (size_t)n + 1, format, args);
        va_end(args);
        t->length += (size_t)n;
    }
}

const char *
dcp_text_get(const struct dcp_text *t)
{
    return t->data ? t->data : "";
}

void
dcp_text_double(char out[32], double value)
{
    if (value == 0) {
        memcpy(out, "0", 2);
        return;
    }
    if (fabs(value) < 1e15 && value == floor(value)) {
        (void)snprintf(out, 32, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value) {
            return;
        }
    }
}

uint32_t
dcp_text_distance(const char *a, const char *b, uint32_t cap)
{
    enum { MAX = 48 };
    size_t na = strlen(a), nb = strlen(b);

    if (na > MAX || nb > MAX) {
        return strcmp(a, b) ? cap : 0;
    }
    uint32_t rows[3][MAX + 1]; /* Optimal string alignment. */

    for (size_t j = 0; j <= nb; j++) {
        rows[0][j] = (uint32_t)j;
    }
    for (size_t i = 1; i <= na; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3];
        const uint32_t *above2 = rows[(i + 1) % 3];

        row[0] = (uint32_t)i;
        for (size_t j = 1; j <= nb; j++) {
            uint32_t best = above[j - 1] + (a[i - 1] != b[j - 1]);

            if (above[j] + 1 < best) {
                best = above[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && above2[j - 2] + 1 < best) {
                best = above2[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    uint32_t d = rows[na % 3][nb];

    return d < cap ? d : cap;
}

uint32_t
dcp_text_nearest(const char *word, const char *const candidates[], uint32_t n)
{
    uint32_t limit = (uint32_t)strlen(word) / 3;
    uint32_t best = UINT32_MAX, best_distance = (limit ? limit : 1) + 1;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t d = dcp_text_distance(word, candidates[i], best_distance);

        if (d < best_distance) {
            best_distance = d;
            best = i;
        }
    }
    return best;
}

bool
dcp_text_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

/* Length of the well-formed character at 'p', of 'left' bytes, and its code
 * point; 0: none. */
static size_t
read_character(const unsigned char *p, size_t left, uint32_t *out)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t n = p[0] < 0x80             ? 1
               : (p[0] & 0xe0) == 0xc0 ? 2
               : (p[0] & 0xf0) == 0xe0 ? 3
               : (p[0] & 0xf8) == 0xf0 ? 4
                                       : 0;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

    if (!n || n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    *out = c;
    return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int
dcp_text_compare(const char *a, const char *b)
{
    const char *p = a, *q = b;

    while (*p && *q) {
        if (!is_digit(*p) || !is_digit(*q)) {
            if (*p != *q) {
                return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
            }
            p++;
            q++;
            continue;
        }
        p += strspn(p, "0");
        q += strspn(q, "0");
        size_t n = strspn(p, "0123456789"), m = strspn(q, "0123456789");
        int by_value = n != m ? (n < m ? -1 : 1) : memcmp(p, q, n);

        if (by_value) {
            return by_value;
        }
        p += n;
        q += n;
    }
    return *p ? 1 : *q ? -1 : strcmp(a, b); /* Only zeros in front differ. */
}

size_t
dcp_text_utf8(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        uint32_t c;
        size_t n =
            read_character((const unsigned char *)bytes + at, length - at, &c);

        if (!n) {
            break;
        }
        at += n;
    }
    return at;
}

bool
dcp_text_is_plain(const char *text)
{
    size_t left = strlen(text);

    while (left) {
        uint32_t c = 0;
        size_t n = read_character((const unsigned char *)text, left, &c);
        bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
        bool steers = c == 0x200e || c == 0x200f ||
                      (c >= 0x2028 && c <= 0x202e) ||
                      (c >= 0x2066 && c <= 0x2069);

        if (!n || control || steers) {
            return false;
        }
        text += n;
        left -= n;
    }
    return true;
}
