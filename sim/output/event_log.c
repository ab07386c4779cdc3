/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/event_log.h"

#include "model/base/sha256.h"
#include "model/base/text.h"
#include "sim/output/event_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct dcp_event_log {
    int fd;
    char *path;
    uint8_t *buffer; /* Owned; DCP_EVENT_LOG_FLUSH records. */
    size_t n_buffered;
};

static bool
write_all(const struct dcp_event_log *log, const void *bytes, size_t size,
          struct dcp_error *err)
{
    const char *at = bytes;

    while (size) {
        ssize_t n = write(log->fd, at, size);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", log->path,
                            strerror(errno));
        }
        at += n;
        size -= (size_t)n;
    }
    return true;
}

/* --- Header ------------------------------------------------------------- */

static uint32_t
table_size(const struct dcp_inventory *inv, enum dcp_object_kind kind)
{
    switch (kind) {
    case DCP_OBJECT_VM:
        return inv->n_vms;
    case DCP_OBJECT_HOST:
        return inv->n_hosts;
    case DCP_OBJECT_VLAN:
        return inv->n_vlans;
    case DCP_OBJECT_VOLUME:
        return inv->n_volumes;
    case DCP_OBJECT_POOL:
        return inv->n_pools;
    case DCP_OBJECT_RACK:
        return inv->n_racks;
    case DCP_OBJECT_FEED:
        return inv->n_feeds;
    case DCP_OBJECT_NONE:
        break;
    }
    return 0;
}

static void
add_u32(struct dcp_text *out, uint32_t value)
{
    uint8_t bytes[4];

    dcp_event_put_u32(bytes, value);
    dcp_text_add(out, (const char *)bytes, sizeof bytes);
}

static void
add_fixed(struct dcp_text *out, int64_t from_ms, int64_t to_ms)
{
    uint8_t times[16];

    dcp_text_add(out, DCP_EVENT_MAGIC, DCP_EVENT_MAGIC_SIZE);
    add_u32(out, 0); /* The size; not known yet. */
    dcp_event_put_i64(times, from_ms);
    dcp_event_put_i64(times + 8, to_ms);
    dcp_text_add(out, (const char *)times, sizeof times);
}

static bool
add_names(const struct dcp_inventory *inv, struct dcp_text *out,
          struct dcp_error *err)
{
    for (uint32_t t = 0; t < DCP_EVENT_TABLES; t++) {
        uint32_t n = table_size(inv, dcp_event_tables[t]);

        if (n > DCP_EVENT_IX_MAX) {
            return dcp_fail(err, DCP_E_LIMIT, "%u objects are too many to log",
                            n);
        }
        add_u32(out, n);
        for (uint32_t i = 0; i < n; i++) {
            const char *name = dcp_object_name(
                inv, (struct dcp_object){ dcp_event_tables[t], i });

            dcp_text_add(out, name, strlen(name) + 1);
        }
    }
    return true;
}

static bool
write_header(struct dcp_event_log *log, const struct dcp_inventory *inv,
             int64_t from_ms, int64_t to_ms, struct dcp_error *err)
{
    struct dcp_text header = { 0 };
    struct dcp_sha256 sha;
    uint8_t hash[DCP_EVENT_HASH_SIZE];

    add_fixed(&header, from_ms, to_ms);
    bool ok = add_names(inv, &header, err);
    size_t size = header.length + sizeof hash;

    if (ok && (header.failed || size > UINT32_MAX)) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory for the log's header");
    }
    if (ok) {
        dcp_event_put_u32((uint8_t *)header.data + DCP_EVENT_MAGIC_SIZE,
                          (uint32_t)size);
        dcp_sha256_init(&sha);
        dcp_sha256_add(&sha, header.data, header.length);
        dcp_sha256_end(&sha, hash);
        ok = write_all(log, header.data, header.length, err) &&
             write_all(log, hash, sizeof hash, err);
    }
    dcp_text_finish(&header);
    return ok;
}

/* --- Records ------------------------------------------------------------ */

struct dcp_event_log *
dcp_event_log_create(const char *path, const struct dcp_inventory *inv,
                     int64_t from_ms, int64_t to_ms, struct dcp_error *err)
{
    DCP_AUTO(dcp_event_log)
    struct dcp_event_log *log = calloc(1, sizeof *log);

    if (log) {
        log->fd = -1;
        log->path = strdup(path);
        log->buffer = malloc(DCP_EVENT_LOG_FLUSH * DCP_EVENT_RECORD_SIZE);
    }
    if (!log || !log->path || !log->buffer) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the log of events");
        return NULL;
    }
    log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log->fd < 0) {
        (void)dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", path,
                       strerror(errno));
        return NULL;
    }
    if (!write_header(log, inv, from_ms, to_ms, err)) {
        return NULL;
    }
    return DCP_STEAL(log);
}

static bool
write_buffered(struct dcp_event_log *log, struct dcp_error *err)
{
    size_t n = log->n_buffered;

    log->n_buffered = 0;
    return write_all(log, log->buffer, n * DCP_EVENT_RECORD_SIZE, err);
}

bool
dcp_event_log_add(struct dcp_event_log *log, const struct dcp_logged_event *e,
                  struct dcp_error *err)
{
    dcp_event_encode(e, log->buffer + log->n_buffered * DCP_EVENT_RECORD_SIZE);
    log->n_buffered++;
    return log->n_buffered < DCP_EVENT_LOG_FLUSH || write_buffered(log, err);
}

bool
dcp_event_log_flush(struct dcp_event_log *log, struct dcp_error *err)
{
    if (!write_buffered(log, err)) {
        return false;
    }
    /* A pipe cannot be synced. */
    if (fsync(log->fd) != 0 && errno != EINVAL && errno != EROFS) {
        return dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", log->path,
                        strerror(errno));
    }
    return true;
}

void
dcp_event_log_destroy(struct dcp_event_log *log)
{
    if (!log) {
        return;
    }
    if (log->fd >= 0) {
        (void)close(log->fd);
    }
    free(log->path);
    free(log->buffer);
    free(log);
}

static bool
log_event(void *user, const struct dcp_sim_event *e, struct dcp_error *err)
{
    struct dcp_logged_event event = { e->at_ms,        e->step->kind,
                                      e->phase,        e->step->leg,
                                      e->step->object, e->step->from,
                                      e->step->to };

    return dcp_event_log_add(user, &event, err);
}

struct dcp_sim_watch
dcp_event_log_watch(struct dcp_event_log *log)
{
    return (struct dcp_sim_watch){ .event = log_event, .user = log };
}
