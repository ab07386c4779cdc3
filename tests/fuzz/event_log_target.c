/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Logs of events: the bytes as they are, and with magic, size, hash and
 * checksums put right, so that what is behind them is met too.  Whatever is
 * read has a kind, a phase and names. */

#define _GNU_SOURCE 1 /* memfd_create() */

#include "model/base/sha256.h"
#include "sim/output/event_layout.h"
#include "tests/fuzz/memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_log(const void *data, size_t size)
{
    char path[64];
    int fd = fuzz_file(data, size, path);
    struct dcp_error err = { 0 };
    struct dcp_event_reader *r = dcp_event_reader_open(path, &err);
    struct dcp_logged_event e;
    bool more = r != NULL;

    if (!r && (!err.message[0] || err.code == DCP_E_BUG)) {
        abort();
    }
    while (more) {
        if (!dcp_event_reader_next(r, &e, &more, &err)) {
            abort();
        }
        if (more &&
            (!dcp_step_kind_name(e.kind) || !dcp_action_phase_name(e.phase) ||
             !dcp_event_reader_name(r, e.object) ||
             !dcp_event_reader_name(r, e.from) ||
             !dcp_event_reader_name(r, e.to))) {
            abort();
        }
    }
    dcp_event_reader_destroy(r);
    (void)close(fd);
}

/* Makes the header one that is believed; where records begin. */
static size_t
mend_header(uint8_t *log, size_t size)
{
    size_t least =
        DCP_EVENT_FIXED_SIZE + 4 * DCP_EVENT_TABLES + DCP_EVENT_HASH_SIZE;
    size_t header = dcp_event_get_u32(log + DCP_EVENT_MAGIC_SIZE);
    struct dcp_sha256 sha;

    header = header < least ? least : header > size ? size : header;
    memcpy(log, DCP_EVENT_MAGIC, DCP_EVENT_MAGIC_SIZE);
    dcp_event_put_u32(log + DCP_EVENT_MAGIC_SIZE, (uint32_t)header);
    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, log, header - DCP_EVENT_HASH_SIZE);
    dcp_sha256_end(&sha, log + header - DCP_EVENT_HASH_SIZE);
    return header;
}

static void
mend_record(uint8_t record[DCP_EVENT_RECORD_SIZE])
{
    struct dcp_logged_event e;

    for (unsigned crc = 0; crc < 256 && !dcp_event_decode(record, &e); crc++) {
        record[DCP_EVENT_RECORD_SIZE - 1] = (uint8_t)crc;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *log;

    read_log(data, size);
    if (size <
            DCP_EVENT_FIXED_SIZE + 4 * DCP_EVENT_TABLES + DCP_EVENT_HASH_SIZE ||
        !(log = malloc(size))) {
        return 0;
    }
    memcpy(log, data, size);
    for (size_t at = mend_header(log, size); at + DCP_EVENT_RECORD_SIZE <= size;
         at += DCP_EVENT_RECORD_SIZE) {
        mend_record(log + at);
    }
    read_log(log, size);
    free(log);
    return 0;
}
