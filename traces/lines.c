/* SPDX-License-Identifier: GPL-3.0-or-later */

/* One buffer, refilled from zlib (which passes plain text through).  The tail
 * of an unfinished line is moved to the front before a refill, so a line is
 * always contiguous and can be ended with a NUL in place. */

#include "traces/lines.h"

#include "model/base/sha256.h"
#include "model/base/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { FILL_SIZE = 256 * 1024 };

struct dcp_lines {
    const char *path;
    gzFile file; /* NULL: from memory. */
    const uint8_t *memory;
    size_t memory_left;
    char *buffer; /* 'capacity' + 1 bytes: room for the last NUL. */
    size_t capacity, begin, end;
    uint64_t line;
    bool at_end, cut;
    struct dcp_sha256 hash;
};

static struct dcp_lines *
lines_create(const char *path, struct dcp_error *err)
{
    DCP_AUTO(dcp_lines) struct dcp_lines *l = calloc(1, sizeof *l);

    if (l) {
        l->path = path;
        l->capacity = FILL_SIZE;
        l->buffer = malloc(l->capacity + 1);
        dcp_sha256_init(&l->hash);
    }
    if (!l || !l->buffer) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", path);
        return NULL;
    }
    return DCP_STEAL(l);
}

struct dcp_lines *
dcp_lines_open(const char *path, struct dcp_error *err)
{
    struct stat st;

    DCP_AUTO(dcp_lines) struct dcp_lines *l = lines_create(path, err);
    if (!l) {
        return NULL;
    }
    if (stat(path, &st) != 0) {
        (void)dcp_fail(err, errno == ENOENT ? DCP_E_USAGE : DCP_E_IO,
                       "cannot open '%s': %s", path, strerror(errno));
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        (void)dcp_fail(err, DCP_E_USAGE, "'%s' is a directory, not a file",
                       path);
        return NULL;
    }
    errno = 0;
    l->file = gzopen(path, "rbe");
    if (!l->file) {
        (void)dcp_fail(err, errno ? DCP_E_IO : DCP_E_NOMEM,
                       "cannot open '%s': %s", path,
                       errno ? strerror(errno) : "no memory");
        return NULL;
    }
    (void)gzbuffer(l->file, 128 * 1024);
    return DCP_STEAL(l);
}

struct dcp_lines *
dcp_lines_open_memory(const char *path, const void *data, size_t size,
                      struct dcp_error *err)
{
    struct dcp_lines *l = lines_create(path, err);

    if (l) {
        l->memory = data;
        l->memory_left = size;
    }
    return l;
}

void
dcp_lines_destroy(struct dcp_lines *l)
{
    if (l) {
        if (l->file) {
            (void)gzclose_r(l->file);
        }
        free(l->buffer);
        free(l);
    }
}

static bool
make_room(struct dcp_lines *l, struct dcp_error *err)
{
    if (l->begin) {
        memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
        l->end -= l->begin;
        l->begin = 0;
    }
    if (l->end < l->capacity) {
        return true;
    }
    if (l->capacity > DCP_LINE_MAX) {
        l->line++;
        return dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                           "line of over %u bytes: not a text file of the "
                           "kind that was named",
                           DCP_LINE_MAX);
    }
    char *grown = realloc(l->buffer, 2 * l->capacity + 1);

    if (!grown) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to read '%s'", l->path);
    }
    l->buffer = grown;
    l->capacity *= 2;
    return true;
}

static int
read_some(struct dcp_lines *l, struct dcp_error *err)
{
    size_t room = l->capacity - l->end;

    if (!l->file) {
        size_t n = room < l->memory_left ? room : l->memory_left;

        if (n) {
            memcpy(l->buffer + l->end, l->memory, n);
            l->memory += n;
            l->memory_left -= n;
        }
        return (int)n;
    }
    int n = gzread(l->file, l->buffer + l->end, (unsigned)room);
    int code = Z_OK;
    const char *text = gzerror(l->file, &code);

    if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END)) {
        (void)dcp_fail_at(err, code == Z_ERRNO ? DCP_E_IO : DCP_E_PARSE,
                          dcp_lines_pos(l, 0), "cannot read on: %s",
                          code == Z_ERRNO ? strerror(errno) : text);
        return -1;
    }
    return n;
}

static bool
refill(struct dcp_lines *l, struct dcp_error *err)
{
    if (!make_room(l, err)) {
        return false;
    }
    int n = read_some(l, err);

    if (n < 0) {
        return false;
    }
    dcp_sha256_add(&l->hash, l->buffer + l->end, (size_t)n);
    l->end += (size_t)n;
    l->at_end = n == 0;
    return true;
}

int
dcp_lines_next(struct dcp_lines *l, char **out_line, size_t *out_length,
               struct dcp_error *err)
{
    size_t seen = 0;
    char *lf;

    for (;;) {
        lf =
            memchr(l->buffer + l->begin + seen, '\n', l->end - l->begin - seen);
        if (lf || l->at_end) {
            break;
        }
        seen = l->end - l->begin;
        if (!refill(l, err)) {
            return -1;
        }
    }
    if (!lf && l->begin == l->end) {
        return 0;
    }
    char *line = l->buffer + l->begin;
    char *stop = lf ? lf : l->buffer + l->end;
    size_t length = (size_t)(stop - line);

    l->begin += length + (lf != NULL);
    l->cut = !lf;
    l->line++;
    *stop = '\0';
    if (l->line == 1 && length >= 3 && !memcmp(line, "\xef\xbb\xbf", 3)) {
        line += 3;
        length -= 3;
    }
    if (length && line[length - 1] == '\r') {
        line[--length] = '\0';
    }
    if (memchr(line, '\0', length)) {
        (void)dcp_fail_at(err, DCP_E_PARSE, dcp_lines_pos(l, 0),
                          "a NUL byte: not a text file");
        return -1;
    }
    *out_line = line;
    *out_length = length;
    return 1;
}

struct dcp_pos
dcp_lines_pos(const struct dcp_lines *l, uint32_t column)
{
    return (struct dcp_pos){
        .path = l->path,
        .line = l->line < UINT32_MAX ? (uint32_t)l->line : UINT32_MAX,
        .column = column,
    };
}

bool
dcp_lines_cut(const struct dcp_lines *l)
{
    return l->cut;
}

void
dcp_lines_hash(const struct dcp_lines *l, uint8_t out[32])
{
    struct dcp_sha256 copy = l->hash;

    dcp_sha256_end(&copy, out);
}

static bool
digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *
dcp_scan_number(const char *text, double *out)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                     1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                     1e14, 1e15, 1e16, 1e17, 1e18 };
    const char *p = text;
    uint64_t mantissa = 0;
    uint32_t n_digits = 0, n_fraction = 0;

    for (; digit(*p) && n_digits < 18; p++, n_digits++) {
        mantissa = 10 * mantissa + (uint64_t)(*p - '0');
    }
    if (*p == '.' && n_digits) {
        for (p++; digit(*p) && n_digits + n_fraction < 18; p++, n_fraction++) {
            mantissa = 10 * mantissa + (uint64_t)(*p - '0');
        }
    }
    if (!n_digits || digit(*p) || *p == '.' || *p == 'e' || *p == 'E') {
        return dcp_scan_double(text, out); /* Signs, exponents, long ones. */
    }
    *out = (double)mantissa / powers[n_fraction];
    return p;
}

const char *
dcp_scan_i64(const char *text, int64_t *out)
{
    const char *p = text;
    bool negative = *p == '-';
    int64_t value = 0;

    p += negative;
    if (!digit(*p)) {
        return NULL;
    }
    for (; digit(*p); p++) {
        if (value > (INT64_MAX - 9) / 10) {
            return NULL;
        }
        value = 10 * value + (*p - '0');
    }
    *out = negative ? -value : value;
    return p;
}

uint32_t
dcp_split(char *line, char separator, char *out[], uint32_t max)
{
    uint32_t n = 0;

    for (char *p = line;; n++) {
        char *stop = strchr(p, separator);

        if (n < max) {
            out[n] = p;
        }
        if (!stop) {
            return n + 1;
        }
        *stop = '\0';
        p = stop + 1;
    }
}
