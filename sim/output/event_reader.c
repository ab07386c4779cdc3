/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A log may come from anywhere: sizes are checked before they are believed. */

#include "model/base/sha256.h"
#include "sim/output/event_layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dcp_event_reader {
    FILE *file;
    char *path;
    uint8_t *header; /* Owned; names point into it. */
    int64_t from_ms, to_ms;
    const char **names[DCP_EVENT_TABLES]; /* Owned arrays. */
    uint32_t n_names[DCP_EVENT_TABLES];
    bool damaged;
};

static bool
fail_header(const struct dcp_event_reader *r, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_PARSE, "'%s': the log's header is damaged",
                    r->path);
}

/* Cuts one table's names out of [*at, end). */
static bool
cut_names(struct dcp_event_reader *r, uint32_t table, const uint8_t **at,
          const uint8_t *end, struct dcp_error *err)
{
    if (end - *at < 4) {
        return fail_header(r, err);
    }
    uint32_t n = dcp_event_get_u32(*at);

    *at += 4;
    if (n > (size_t)(end - *at)) { /* Each has at least its NUL. */
        return fail_header(r, err);
    }
    r->names[table] = calloc((size_t)n + 1, sizeof *r->names[table]);
    if (!r->names[table]) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for %u names", n);
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *nul = memchr(*at, 0, (size_t)(end - *at));

        if (!nul) {
            return fail_header(r, err);
        }
        r->names[table][i] = (const char *)*at;
        *at = nul + 1;
    }
    r->n_names[table] = n;
    return true;
}

/* The header's bytes, read by and by, so that a wrong size costs nothing. */
static bool
load_header(struct dcp_event_reader *r, uint32_t size, struct dcp_error *err)
{
    size_t have = DCP_EVENT_FIXED_SIZE, room = 65536;

    while (have < size) {
        room = room < size ? room : size;
        uint8_t *bigger = realloc(r->header, room);

        if (!bigger) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for the log's header");
        }
        r->header = bigger;
        if (fread(r->header + have, 1, room - have, r->file) != room - have) {
            return fail_header(r, err);
        }
        have = room;
        room *= 2;
    }
    return true;
}

static bool
parse_header(struct dcp_event_reader *r, uint32_t size, struct dcp_error *err)
{
    const uint8_t *at = r->header + DCP_EVENT_FIXED_SIZE;
    const uint8_t *end = r->header + size - DCP_EVENT_HASH_SIZE;
    uint8_t hash[DCP_EVENT_HASH_SIZE];
    struct dcp_sha256 sha;

    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, r->header, (size_t)(end - r->header));
    dcp_sha256_end(&sha, hash);
    if (memcmp(hash, end, sizeof hash) != 0) {
        return fail_header(r, err);
    }
    for (uint32_t t = 0; t < DCP_EVENT_TABLES; t++) {
        if (!cut_names(r, t, &at, end, err)) {
            return false;
        }
    }
    return at == end || fail_header(r, err);
}

static bool
read_header(struct dcp_event_reader *r, struct dcp_error *err)
{
    r->header = malloc(DCP_EVENT_FIXED_SIZE);
    if (!r->header) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for the log's header");
    }
    size_t n = fread(r->header, 1, DCP_EVENT_FIXED_SIZE, r->file);

    if (n < DCP_EVENT_FIXED_SIZE ||
        memcmp(r->header, DCP_EVENT_MAGIC, DCP_EVENT_MAGIC_SIZE) != 0) {
        bool other =
            n >= DCP_EVENT_MAGIC_SIZE &&
            !memcmp(r->header, DCP_EVENT_MAGIC, DCP_EVENT_MAGIC_SIZE - 1);

        return dcp_fail(err, DCP_E_PARSE, "'%s' is not a log of events%s",
                        r->path, other ? " of version 1" : "");
    }
    uint32_t size = dcp_event_get_u32(r->header + DCP_EVENT_MAGIC_SIZE);

    if (size <
        DCP_EVENT_FIXED_SIZE + 4 * DCP_EVENT_TABLES + DCP_EVENT_HASH_SIZE) {
        return fail_header(r, err);
    }
    r->from_ms = dcp_event_get_i64(r->header + DCP_EVENT_MAGIC_SIZE + 4);
    r->to_ms = dcp_event_get_i64(r->header + DCP_EVENT_MAGIC_SIZE + 12);
    return load_header(r, size, err) && parse_header(r, size, err);
}

struct dcp_event_reader *
dcp_event_reader_open(const char *path, struct dcp_error *err)
{
    DCP_AUTO(dcp_event_reader)
    struct dcp_event_reader *r = calloc(1, sizeof *r);

    if (!r || !(r->path = strdup(path))) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the log of events");
        return NULL;
    }
    r->file = fopen(path, "rbe");
    if (!r->file) {
        (void)dcp_fail(err, errno == ENOENT ? DCP_E_NOT_FOUND : DCP_E_IO,
                       "cannot read '%s': %s", path, strerror(errno));
        return NULL;
    }
    return read_header(r, err) ? DCP_STEAL(r) : NULL;
}

void
dcp_event_reader_destroy(struct dcp_event_reader *r)
{
    if (!r) {
        return;
    }
    if (r->file) {
        (void)fclose(r->file);
    }
    for (uint32_t t = 0; t < DCP_EVENT_TABLES; t++) {
        free(r->names[t]);
    }
    free(r->header);
    free(r->path);
    free(r);
}

bool
dcp_event_reader_next(struct dcp_event_reader *r, struct dcp_logged_event *out,
                      bool *out_more, struct dcp_error *err)
{
    uint8_t record[DCP_EVENT_RECORD_SIZE];
    size_t n = r->damaged ? 0 : fread(record, 1, sizeof record, r->file);

    if (n < sizeof record && ferror(r->file)) {
        return dcp_fail(err, DCP_E_IO, "cannot read '%s': %s", r->path,
                        strerror(errno));
    }
    *out_more = n == sizeof record && dcp_event_decode(record, out);
    r->damaged |= n > 0 && !*out_more;
    return true;
}

bool
dcp_event_reader_is_damaged(const struct dcp_event_reader *r)
{
    return r->damaged;
}

const char *
dcp_event_reader_name(const struct dcp_event_reader *r,
                      struct dcp_object object)
{
    for (uint32_t t = 0; t < DCP_EVENT_TABLES; t++) {
        if (dcp_event_tables[t] == object.kind && object.ix < r->n_names[t]) {
            return r->names[t][object.ix];
        }
    }
    return "";
}

void
dcp_event_reader_window(const struct dcp_event_reader *r, int64_t *out_from_ms,
                        int64_t *out_to_ms)
{
    *out_from_ms = r->from_ms;
    *out_to_ms = r->to_ms;
}
