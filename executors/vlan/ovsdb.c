/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Replies that came are kept until they are taken, at most one for each
 * transaction that is under way; others are dropped.  What a server may say
 * unasked is "echo" and "update"; anything else is answered with an error or
 * passed over. */

#include "executors/vlan/ovsdb.h"

#include "executors/vlan/ovsdb_stream.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX   256
#define PIECE         65536
#define PIECES_A_TIME 64 /* So that a chatterer does not hold us for ever. */
#define MONITOR_ID    "dcplan-cfg"

struct pending {
    uint32_t id;
    size_t n_operations;
    json_t *reply; /* Owned; NULL: has not come. */
};

struct dcp_ovsdb {
    struct dcp_wire *wire;
    struct dcp_ovsdb_stream stream;
    struct pending pending[PENDING_MAX];
    uint32_t n_pending, last_id;
    int64_t cur_cfg, next_cfg;
    bool monitored, broken;
};

void
dcp_ovsdb_destroy(struct dcp_ovsdb *db)
{
    if (db) {
        for (uint32_t i = 0; i < db->n_pending; i++) {
            json_decref(db->pending[i].reply);
        }
        dcp_ovsdb_stream_finish(&db->stream);
        dcp_wire_destroy(db->wire);
        free(db);
    }
}

bool
dcp_ovsdb_is_broken(const struct dcp_ovsdb *db)
{
    return db->broken;
}

int
dcp_ovsdb_fd(const struct dcp_ovsdb *db)
{
    return dcp_wire_fd(db->wire);
}

bool
dcp_ovsdb_wants_to_write(const struct dcp_ovsdb *db)
{
    return dcp_wire_wants_to_write(db->wire);
}

int64_t
dcp_ovsdb_cur_cfg(const struct dcp_ovsdb *db)
{
    return db->cur_cfg;
}

int64_t
dcp_ovsdb_next_cfg(const struct dcp_ovsdb *db)
{
    return db->next_cfg;
}

/* --- Out ---------------------------------------------------------------- */

/* Takes 'message' over; NULL: there was no memory for it. */
static bool
send_message(struct dcp_ovsdb *db, json_t *message, struct dcp_error *err)
{
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    bool ok = text || dcp_fail(err, DCP_E_NOMEM, "no memory for a message");

    ok = ok && dcp_wire_send(db->wire, text, strlen(text), err);
    free(text);
    json_decref(message);
    db->broken |= !ok;
    return ok;
}

bool
dcp_ovsdb_send(struct dcp_ovsdb *db, json_t *operations, uint32_t *out_id,
               struct dcp_error *err)
{
    size_t n = json_array_size(operations);
    json_t *params = json_pack("[s]", DCP_OVSDB_DATABASE);

    *out_id = 0;
    if (!operations || !params || json_array_extend(params, operations) != 0) {
        json_decref(operations);
        json_decref(params);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a transaction");
    }
    json_decref(operations);
    if (db->broken || db->n_pending == PENDING_MAX) {
        json_decref(params);
        return dcp_fail(err, db->broken ? DCP_E_REMOTE : DCP_E_LIMIT,
                        db->broken ? "the connection broke earlier"
                                   : "too many transactions are under way");
    }
    uint32_t id = ++db->last_id;

    if (!send_message(db,
                      json_pack("{s:s, s:o, s:I}", "method", "transact",
                                "params", params, "id", (json_int_t)id),
                      err)) {
        return false;
    }
    db->pending[db->n_pending++] = (struct pending){ id, n, NULL };
    *out_id = id;
    return true;
}

static bool
send_monitor(struct dcp_ovsdb *db, struct dcp_error *err)
{
    return send_message(
        db,
        json_pack("{s:s, s:[s, s, {s:{s:[s, s]}}], s:s}", "method", "monitor",
                  "params", DCP_OVSDB_DATABASE, MONITOR_ID, "Open_vSwitch",
                  "columns", "cur_cfg", "next_cfg", "id", MONITOR_ID),
        err);
}

/* --- In ----------------------------------------------------------------- */

/* {"Open_vSwitch": {uuid: {"new": {"cur_cfg": N, "next_cfg": N}}}} */
static void
take_update(struct dcp_ovsdb *db, const json_t *updates)
{
    json_t *rows = json_object_get(updates, "Open_vSwitch"), *row;
    const char *uuid;

    json_object_foreach(rows, uuid, row)
    {
        const json_t *now = json_object_get(row, "new");
        const json_t *cur = json_object_get(now, "cur_cfg");
        const json_t *next = json_object_get(now, "next_cfg");

        if (json_is_integer(cur)) {
            db->cur_cfg = json_integer_value(cur);
        }
        if (json_is_integer(next)) {
            db->next_cfg = json_integer_value(next);
        }
    }
}

static bool
take_request(struct dcp_ovsdb *db, json_t *message, struct dcp_error *err)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    json_t *params = json_object_get(message, "params");
    json_t *id = json_object_get(message, "id");

    if (method && !strcmp(method, "echo") && params && id) {
        return send_message(
            db,
            json_pack("{s:O, s:n, s:O}", "result", params, "error", "id", id),
            err);
    }
    if (method && !strcmp(method, "update")) {
        take_update(db, json_array_get(params, 1));
        return true;
    }
    if (id && !json_is_null(id)) {
        return send_message(db,
                            json_pack("{s:n, s:s, s:O}", "result", "error",
                                      "unknown method", "id", id),
                            err);
    }
    return true;
}

static bool
take_monitored(struct dcp_ovsdb *db, const json_t *message,
               struct dcp_error *err)
{
    const json_t *result = json_object_get(message, "result");

    if (!json_is_object(json_object_get(result, "Open_vSwitch"))) {
        return dcp_fail(err, DCP_E_UNSUPPORTED,
                        "what listens there has no database %s",
                        DCP_OVSDB_DATABASE);
    }
    take_update(db, result);
    db->monitored = true;
    return true;
}

static bool
take_message(struct dcp_ovsdb *db, json_t *message, struct dcp_error *err)
{
    const json_t *id = json_object_get(message, "id");

    if (json_object_get(message, "method")) {
        return take_request(db, message, err);
    }
    if (json_is_string(id) && !strcmp(json_string_value(id), MONITOR_ID)) {
        return take_monitored(db, message, err);
    }
    for (uint32_t i = 0; i < db->n_pending; i++) {
        struct pending *p = &db->pending[i];

        if (json_is_integer(id) && json_integer_value(id) == p->id &&
            !p->reply) {
            p->reply = json_incref(message);
        }
    }
    return true;
}

static bool
take_messages(struct dcp_ovsdb *db, struct dcp_error *err)
{
    json_t *message;

    for (;;) {
        if (!dcp_ovsdb_stream_next(&db->stream, &message, err)) {
            return false;
        }
        if (!message) {
            return true;
        }
        bool ok = take_message(db, message, err);

        json_decref(message);
        if (!ok) {
            return false;
        }
    }
}

static bool
read_pieces(struct dcp_ovsdb *db, struct dcp_error *err)
{
    char bytes[PIECE];
    size_t n = 1;

    for (uint32_t i = 0; i < PIECES_A_TIME && n; i++) {
        if (!dcp_wire_receive(db->wire, bytes, sizeof bytes, &n, err) ||
            !dcp_ovsdb_stream_add(&db->stream, bytes, n, err) ||
            !take_messages(db, err)) {
            return false;
        }
    }
    return true;
}

bool
dcp_ovsdb_pump(struct dcp_ovsdb *db, struct dcp_error *err)
{
    if (db->broken) {
        return dcp_fail(err, DCP_E_REMOTE, "the connection broke earlier");
    }
    db->broken = !dcp_wire_flush(db->wire, err) || !read_pieces(db, err);
    return !db->broken;
}

/* --- Results ------------------------------------------------------------ */

/* One result: an object, and no error. */
static bool
judge_one(const json_t *result, struct dcp_error *err)
{
    const char *error = json_string_value(json_object_get(result, "error"));
    const char *details = json_string_value(json_object_get(result, "details"));

    if (!json_object_get(result, "error")) {
        return json_is_object(result) ||
               dcp_fail(err, DCP_E_REMOTE,
                        "the switch database left an operation out");
    }
    return dcp_fail(
        err, error && !strcmp(error, "timed out") ? DCP_E_STALE : DCP_E_REMOTE,
        "the switch database refused: %.80s%s%.200s", error ? error : "?",
        details ? ": " : "", details ? details : "");
}

const json_t *
dcp_ovsdb_judge(const json_t *reply, size_t n_operations, struct dcp_error *err)
{
    const json_t *error = json_object_get(reply, "error");
    const json_t *result = json_object_get(reply, "result");

    if (error && !json_is_null(error)) {
        const char *text =
            json_is_object(error)
                ? json_string_value(json_object_get(error, "error"))
                : json_string_value(error);

        (void)dcp_fail(err, DCP_E_REMOTE, "the switch database refused: %.200s",
                       text ? text : "it does not say why");
        return NULL;
    }
    /* More than there are operations: the commit itself failed. */
    for (size_t i = 0; i < json_array_size(result); i++) {
        const json_t *one = json_array_get(result, i);

        if (json_object_get(one, "error") && !judge_one(one, err)) {
            return NULL;
        }
    }
    if (!json_is_array(result) || json_array_size(result) < n_operations) {
        (void)dcp_fail(err, DCP_E_REMOTE,
                       "the switch database did not answer all of the "
                       "transaction");
        return NULL;
    }
    for (size_t i = 0; i < n_operations; i++) {
        if (!judge_one(json_array_get(result, i), err)) {
            return NULL;
        }
    }
    return result;
}

void
dcp_ovsdb_forget(struct dcp_ovsdb *db, uint32_t id)
{
    for (uint32_t i = 0; i < db->n_pending; i++) {
        if (db->pending[i].id == id) {
            json_decref(db->pending[i].reply);
            db->pending[i] = db->pending[--db->n_pending];
            return;
        }
    }
}

json_t *
dcp_ovsdb_take(struct dcp_ovsdb *db, uint32_t id, struct dcp_error *err)
{
    err->code = DCP_OK;
    for (uint32_t i = 0; i < db->n_pending; i++) {
        struct pending *p = &db->pending[i];

        if (p->id != id) {
            continue;
        }
        if (!p->reply) {
            return NULL;
        }
        json_t *result = NULL;

        if (dcp_ovsdb_judge(p->reply, p->n_operations, err)) {
            result = json_incref(json_object_get(p->reply, "result"));
        }
        dcp_ovsdb_forget(db, id);
        return result;
    }
    (void)dcp_fail(err, DCP_E_ARGUMENT, "no such transaction is under way");
    return NULL;
}

/* --- Waiting ------------------------------------------------------------ */

bool
dcp_ovsdb_wait(struct dcp_ovsdb *db, int64_t timeout_ms, struct dcp_error *err)
{
    struct pollfd p = { .fd = dcp_ovsdb_fd(db), .events = POLLIN };

    if (dcp_ovsdb_wants_to_write(db)) {
        p.events |= POLLOUT;
    }
    if (timeout_ms > 0 && poll(&p, 1, (int)timeout_ms) < 0 && errno != EINTR) {
        return dcp_fail(err, DCP_E_IO, "cannot wait: %s", strerror(errno));
    }
    return dcp_ovsdb_pump(db, err);
}

json_t *
dcp_ovsdb_transact(struct dcp_ovsdb *db, json_t *operations, int64_t timeout_ms,
                   struct dcp_error *err)
{
    int64_t deadline_ms = dcp_wire_clock_ms() + timeout_ms, left_ms;
    struct dcp_error why = { 0 };
    uint32_t id;

    if (!dcp_ovsdb_send(db, operations, &id, err)) {
        return NULL;
    }
    while ((left_ms = deadline_ms - dcp_wire_clock_ms()) > 0) {
        if (!dcp_ovsdb_wait(db, left_ms, err)) {
            return NULL;
        }
        json_t *result = dcp_ovsdb_take(db, id, &why);

        if (result || why.code != DCP_OK) {
            if (err) {
                *err = why;
            }
            return result;
        }
    }
    dcp_ovsdb_forget(db, id);
    (void)dcp_fail(err, DCP_E_LIMIT,
                   "the switch database did not answer within %lld ms",
                   (long long)timeout_ms);
    return NULL;
}

struct dcp_ovsdb *
dcp_ovsdb_open(const struct dcp_wire_peer *peer, int64_t timeout_ms,
               struct dcp_error *err)
{
    int64_t deadline_ms = dcp_wire_clock_ms() + timeout_ms, left_ms;
    struct dcp_ovsdb *db = calloc(1, sizeof *db);

    if (!db) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a connection");
        return NULL;
    }
    db->wire = dcp_wire_open(peer, timeout_ms, err);
    if (!db->wire) {
        dcp_ovsdb_destroy(db);
        return NULL;
    }
    bool ok = send_monitor(db, err);

    while (ok && !db->monitored) {
        left_ms = deadline_ms - dcp_wire_clock_ms();
        ok = left_ms > 0 ? dcp_ovsdb_wait(db, left_ms, err)
                         : dcp_fail(err, DCP_E_LIMIT,
                                    "it takes the connection and says nothing "
                                    "for %lld ms",
                                    (long long)timeout_ms);
    }
    if (!ok) {
        (void)dcp_fail_in(err, "%s", peer->address);
        dcp_ovsdb_destroy(db);
        return NULL;
    }
    return db;
}
