/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Every record is one transaction of two statements: the step's row, which
 * says where it stands, and a line of the history, which says how it got
 * there.  Statements are prepared once. */

#include "executors/journal.h"

#include "model/base/text.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define BUSY_MS        2000

struct dcp_journal {
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *step, *history;
    int64_t plan; /* Row of the leg that was begun; 0: none. */
    uint32_t leg;
};

static const char schema_text[] =
    "CREATE TABLE plans(plan INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE,"
    " uuid TEXT NOT NULL, lineage TEXT NOT NULL, serial INTEGER NOT NULL,"
    " model_digest TEXT NOT NULL);"
    "CREATE TABLE legs(plan INTEGER NOT NULL REFERENCES plans, leg INTEGER"
    " NOT NULL, name TEXT NOT NULL, executor TEXT NOT NULL, state INTEGER NOT"
    " NULL, serial_before INTEGER NOT NULL, serial_after INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL,"
    " PRIMARY KEY(plan, leg)) WITHOUT ROWID;"
    "CREATE TABLE steps(plan INTEGER NOT NULL, leg INTEGER NOT NULL, step"
    " INTEGER NOT NULL, phase TEXT NOT NULL, intent_ms INTEGER, sent_ms"
    " INTEGER, ended_ms INTEGER, reason TEXT, PRIMARY KEY(plan, leg, step))"
    " WITHOUT ROWID;"
    "CREATE TABLE history(seq INTEGER PRIMARY KEY, plan INTEGER NOT NULL, leg"
    " INTEGER NOT NULL, step INTEGER NOT NULL, event TEXT NOT NULL, at_ms"
    " INTEGER NOT NULL, detail TEXT);"
    "PRAGMA user_version=1;";

static const char *const phase_names[] = {
    [DCP_PHASE_NONE] = "none",       [DCP_PHASE_INTENT] = "intent",
    [DCP_PHASE_SENT] = "sent",       [DCP_PHASE_FAILED] = "failed",
    [DCP_PHASE_UNKNOWN] = "unknown", [DCP_PHASE_VERIFIED] = "verified",
};

const char *
dcp_step_phase_name(enum dcp_step_phase phase)
{
    return phase_names[phase];
}

static bool
fail_db(struct dcp_journal *j, const char *what, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_IO, "journal: cannot %s: %s", what,
                    sqlite3_errmsg(j->db));
}

static bool
run_sql(struct dcp_journal *j, const char *sql, const char *what,
        struct dcp_error *err)
{
    return sqlite3_exec(j->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           fail_db(j, what, err);
}

static sqlite3_stmt *
prepare(struct dcp_journal *j, const char *sql, struct dcp_error *err)
{
    sqlite3_stmt *s = NULL;

    if (sqlite3_prepare_v2(j->db, sql, -1, &s, NULL) != SQLITE_OK) {
        (void)fail_db(j, "prepare a statement", err);
        return NULL;
    }
    return s;
}

/* Runs a statement that gives no rows, and makes it ready again. */
static bool
step_statement(struct dcp_journal *j, sqlite3_stmt *s, struct dcp_error *err)
{
    bool ok = sqlite3_step(s) == SQLITE_DONE || fail_db(j, "write", err);

    (void)sqlite3_reset(s);
    return ok;
}

static bool
user_version(struct dcp_journal *j, int *out, struct dcp_error *err)
{
    sqlite3_stmt *s = prepare(j, "PRAGMA user_version", err);
    bool ok = s && (sqlite3_step(s) == SQLITE_ROW || fail_db(j, "read", err));

    *out = ok ? sqlite3_column_int(s, 0) : 0;
    (void)sqlite3_finalize(s);
    return ok;
}

static bool
check_schema(struct dcp_journal *j, const char *path, int *out_version,
             struct dcp_error *err)
{
    return user_version(j, out_version, err) &&
           (*out_version <= SCHEMA_VERSION ||
            dcp_fail(err, DCP_E_UNSUPPORTED,
                     "journal '%s' has schema %d, this dcplan knows up to "
                     "%d: use the newer dcplan",
                     path, *out_version, SCHEMA_VERSION));
}

static bool
make_schema(struct dcp_journal *j, const char *path, struct dcp_error *err)
{
    int version = 0;

    if (!check_schema(j, path, &version, err)) {
        return false;
    }
    if (version == SCHEMA_VERSION) {
        return true;
    }
    return run_sql(j, "BEGIN IMMEDIATE", "begin", err) &&
           run_sql(j, schema_text, "make its tables", err) &&
           run_sql(j, "COMMIT", "commit", err);
}

static bool
prepare_all(struct dcp_journal *j, struct dcp_error *err)
{
    static const char step_sql[] =
        "INSERT INTO steps(plan, leg, step, phase, intent_ms, sent_ms,"
        " ended_ms, reason) VALUES(?1, ?2, ?3, ?4,"
        " iif(?4='intent', ?5, NULL), iif(?4='sent', ?5, NULL),"
        " iif(?4 IN ('failed','unknown','verified'), ?5, NULL), ?6)"
        " ON CONFLICT DO UPDATE SET phase=?4,"
        " intent_ms=coalesce(excluded.intent_ms, intent_ms),"
        " sent_ms=coalesce(excluded.sent_ms, sent_ms),"
        " ended_ms=coalesce(excluded.ended_ms, ended_ms), reason=?6";

    return (j->begin = prepare(j, "BEGIN IMMEDIATE", err)) &&
           (j->commit = prepare(j, "COMMIT", err)) &&
           (j->step = prepare(j, step_sql, err)) &&
           (j->history = prepare(j,
                                 "INSERT INTO history(plan, leg, step, event,"
                                 " at_ms, detail) VALUES(?,?,?,?,?,?)",
                                 err));
}

struct dcp_journal *
dcp_journal_open(const char *path, enum dcp_durability durability,
                 struct dcp_error *err)
{
    DCP_AUTO(dcp_journal) struct dcp_journal *j = calloc(1, sizeof *j);

    if (!j) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the journal");
        return NULL;
    }
    if (sqlite3_open_v2(path, &j->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK) {
        (void)dcp_fail(err, DCP_E_IO, "journal '%s': %s", path,
                       j->db ? sqlite3_errmsg(j->db) : "no memory");
        return NULL;
    }
    (void)sqlite3_busy_timeout(j->db, BUSY_MS);
    if (!run_sql(j, "PRAGMA journal_mode=WAL", "use a write-ahead log", err) ||
        !run_sql(j,
                 durability == DCP_DURABILITY_FULL
                     ? "PRAGMA synchronous=FULL"
                     : "PRAGMA synchronous=NORMAL",
                 "set durability", err) ||
        !make_schema(j, path, err) || !prepare_all(j, err)) {
        return NULL;
    }
    return DCP_STEAL(j);
}

/* As an address, with what has a meaning there as %xx. */
static bool
open_address(struct dcp_journal *j, const char *path, const char *query)
{
    struct dcp_text address = { 0 };

    dcp_text_puts(&address, "file:");
    for (const char *c = path; *c; c++) {
        dcp_text_printf(&address, strchr("%?#", *c) ? "%%%02x" : "%c", *c);
    }
    dcp_text_puts(&address, query);
    bool ok = !address.failed &&
              sqlite3_open_v2(dcp_text_get(&address), &j->db,
                              SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                              NULL) == SQLITE_OK;

    dcp_text_finish(&address);
    return ok;
}

/* Even a reader makes files beside a write-ahead log.  Without a log there is
 * no writer: the file stands still and is read as it is, with no lock. */
static bool
open_to_read(struct dcp_journal *j, const char *path, int *out_version,
             struct dcp_error *err)
{
    struct dcp_text log = { 0 };

    dcp_text_printf(&log, "%s-wal", path);
    bool has_log = access(dcp_text_get(&log), F_OK) == 0;

    dcp_text_finish(&log);
    if (!open_address(j, path, has_log ? "" : "?immutable=1")) {
        return dcp_fail(err, DCP_E_IO, "journal '%s': %s", path,
                        j->db ? sqlite3_errmsg(j->db) : "no memory");
    }
    (void)sqlite3_busy_timeout(j->db, BUSY_MS);
    return check_schema(j, path, out_version, err);
}

struct dcp_journal *
dcp_journal_open_to_read(const char *path, struct dcp_error *err)
{
    DCP_AUTO(dcp_journal) struct dcp_journal *j = calloc(1, sizeof *j);
    int version = 0;

    if (!j) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for the journal");
        return NULL;
    }
    if (!open_to_read(j, path, &version, err)) {
        return NULL;
    }
    if (version == 0) { /* Its maker died first: it says nothing. */
        (void)sqlite3_close(j->db);
        j->db = NULL;
        if (sqlite3_open(":memory:", &j->db) != SQLITE_OK ||
            !make_schema(j, path, err)) {
            return NULL;
        }
    }
    return DCP_STEAL(j);
}

void
dcp_journal_destroy(struct dcp_journal *j)
{
    if (j) {
        (void)sqlite3_finalize(j->begin);
        (void)sqlite3_finalize(j->commit);
        (void)sqlite3_finalize(j->step);
        (void)sqlite3_finalize(j->history);
        (void)sqlite3_close(j->db);
        free(j);
    }
}

/* --- Legs --------------------------------------------------------------- */

static bool
find_plan(struct dcp_journal *j, const struct dcp_plan *plan, int64_t *out,
          struct dcp_error *err)
{
    sqlite3_stmt *s = prepare(j, "SELECT plan FROM plans WHERE digest=?", err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_text(s, 1, plan->digest, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);

    *out = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || fail_db(j, "read", err);

    (void)sqlite3_finalize(s);
    return ok;
}

static bool
find_leg(struct dcp_journal *j, int64_t plan, uint32_t leg,
         struct dcp_leg_record *out, struct dcp_error *err)
{
    sqlite3_stmt *s =
        prepare(j,
                "SELECT state, executor, serial_before, serial_after,"
                " started_ms, ended_ms FROM legs WHERE plan=? AND leg=?",
                err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_int64(s, 1, plan);
    (void)sqlite3_bind_int64(s, 2, leg);
    int rc = sqlite3_step(s);

    *out = (struct dcp_leg_record){ 0 };
    if (rc == SQLITE_ROW) {
        int state = sqlite3_column_int(s, 0);
        const char *executor = (const char *)sqlite3_column_text(s, 1);

        out->state = state >= DCP_LEG_UNUSED && state <= DCP_LEG_CONSUMED
                         ? (enum dcp_leg_state)state
                         : DCP_LEG_CONSUMED;
        (void)snprintf(out->executor, sizeof out->executor, "%s",
                       executor ? executor : "");
        out->serial_before = (uint64_t)sqlite3_column_int64(s, 2);
        out->serial_after = (uint64_t)sqlite3_column_int64(s, 3);
        out->started_ms = sqlite3_column_int64(s, 4);
        out->ended_ms = sqlite3_column_int64(s, 5);
    }
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || fail_db(j, "read", err);

    (void)sqlite3_finalize(s);
    return ok;
}

bool
dcp_journal_find_leg(struct dcp_journal *j, const struct dcp_plan *plan,
                     uint32_t leg, struct dcp_leg_record *out,
                     struct dcp_error *err)
{
    int64_t row;

    return find_plan(j, plan, &row, err) && find_leg(j, row, leg, out, err);
}

bool
dcp_journal_evening_done(struct dcp_journal *j, const char *lineage,
                         int64_t from_ms, int64_t to_ms, bool *out,
                         struct dcp_error *err)
{
    sqlite3_stmt *s =
        prepare(j,
                "SELECT count(*) FROM legs JOIN plans ON plans.plan = legs.plan"
                " WHERE lineage = ? AND name = 'evening' AND state = ? AND"
                " started_ms >= ? AND started_ms < ?",
                err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_text(s, 1, lineage, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 2, DCP_LEG_CONSUMED);
    (void)sqlite3_bind_int64(s, 3, from_ms);
    (void)sqlite3_bind_int64(s, 4, to_ms);
    bool ok = sqlite3_step(s) == SQLITE_ROW;

    *out = ok && sqlite3_column_int64(s, 0) > 0;
    (void)sqlite3_finalize(s);
    return ok || fail_db(j, "look up evenings", err);
}

static bool
insert_plan(struct dcp_journal *j, const struct dcp_plan *plan, int64_t *out,
            struct dcp_error *err)
{
    sqlite3_stmt *s =
        prepare(j,
                "INSERT INTO plans(digest, uuid, lineage, serial, model_digest)"
                " VALUES(?,?,?,?,?)",
                err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_text(s, 1, plan->digest, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 2, plan->uuid, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 3, plan->lineage, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 4, (sqlite3_int64)plan->serial);
    (void)sqlite3_bind_text(s, 5, plan->model_digest, -1, SQLITE_STATIC);
    bool ok = step_statement(j, s, err);

    (void)sqlite3_finalize(s);
    *out = sqlite3_last_insert_rowid(j->db);
    return ok;
}

static bool
add_history(struct dcp_journal *j, uint32_t step, const char *event,
            int64_t now_ms, const char *detail, struct dcp_error *err)
{
    sqlite3_stmt *s = j->history;

    (void)sqlite3_bind_int64(s, 1, j->plan);
    (void)sqlite3_bind_int64(s, 2, j->leg);
    (void)sqlite3_bind_int64(s, 3, step);
    (void)sqlite3_bind_text(s, 4, event, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int64(s, 5, now_ms);
    (void)sqlite3_bind_text(s, 6, detail, -1, SQLITE_TRANSIENT);
    return step_statement(j, s, err);
}

static bool
insert_leg(struct dcp_journal *j, const struct dcp_leg *leg,
           const char *executor, uint64_t serial, int64_t now_ms,
           struct dcp_error *err)
{
    sqlite3_stmt *s = prepare(
        j, "INSERT OR REPLACE INTO legs VALUES(?,?,?,?,?,?,0,?,0)", err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_int64(s, 1, j->plan);
    (void)sqlite3_bind_int64(s, 2, j->leg);
    (void)sqlite3_bind_text(s, 3, leg->name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(s, 4, executor, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(s, 5, DCP_LEG_RUNNING);
    (void)sqlite3_bind_int64(s, 6, (sqlite3_int64)serial);
    (void)sqlite3_bind_int64(s, 7, now_ms);
    bool ok = step_statement(j, s, err);

    (void)sqlite3_finalize(s);
    return ok;
}

static bool
begin_unused(struct dcp_journal *j, const struct dcp_plan *plan, uint32_t leg,
             const char *executor, uint64_t serial, int64_t now_ms,
             struct dcp_error *err)
{
    if (!step_statement(j, j->begin, err)) {
        return false;
    }
    if ((j->plan || insert_plan(j, plan, &j->plan, err)) &&
        insert_leg(j, &plan->legs[leg], executor, serial, now_ms, err) &&
        add_history(j, 0, "leg_running", now_ms, executor, err) &&
        step_statement(j, j->commit, err)) {
        return true;
    }
    (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    j->plan = 0;
    return false;
}

bool
dcp_journal_begin_leg(struct dcp_journal *j, const struct dcp_plan *plan,
                      uint32_t leg, const char *executor, uint64_t serial,
                      int64_t now_ms, bool resume, struct dcp_error *err)
{
    struct dcp_leg_record old;
    const char *name = plan->legs[leg].name;

    if (strlen(executor) >= DCP_JOURNAL_EXECUTOR_SIZE) {
        return dcp_fail(err, DCP_E_ARGUMENT,
                        "the executor's name is longer than %d characters",
                        DCP_JOURNAL_EXECUTOR_SIZE - 1);
    }
    j->leg = leg;
    if (!find_plan(j, plan, &j->plan, err) ||
        !find_leg(j, j->plan, leg, &old, err)) {
        return false;
    }
    if (old.state == DCP_LEG_UNUSED) {
        return begin_unused(j, plan, leg, executor, serial, now_ms, err);
    }
    if (old.state == DCP_LEG_CONSUMED) {
        return dcp_fail(err, DCP_E_STALE,
                        "leg '%s' of this plan was carried out already (the "
                        "model went from serial %" PRIu64 " to %" PRIu64
                        "); make a new plan",
                        name, old.serial_before, old.serial_after);
    }
    if (strcmp(old.executor, executor) != 0) {
        return dcp_fail(err, DCP_E_STALE,
                        "leg '%s' was begun by executor '%s'; resume it with "
                        "that one",
                        name, old.executor);
    }
    if (!resume) {
        return dcp_fail(err, DCP_E_CANCELLED,
                        "leg '%s' was begun and not finished; go on with "
                        "--resume",
                        name);
    }
    return add_history(j, 0, "leg_resumed", now_ms, NULL, err);
}

bool
dcp_journal_mark_leg(struct dcp_journal *j, enum dcp_leg_state state,
                     uint64_t serial_after, int64_t now_ms,
                     struct dcp_error *err)
{
    static const char *const events[] = {
        [DCP_LEG_UNUSED] = "leg_unused",
        [DCP_LEG_RUNNING] = "leg_running",
        [DCP_LEG_APPLIED] = "leg_applied",
        [DCP_LEG_CONSUMED] = "leg_consumed",
    };
    sqlite3_stmt *s =
        prepare(j,
                "UPDATE legs SET state=?, serial_after=?, ended_ms=? WHERE"
                " plan=? AND leg=?",
                err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_int(s, 1, (int)state);
    (void)sqlite3_bind_int64(s, 2, (sqlite3_int64)serial_after);
    (void)sqlite3_bind_int64(s, 3, now_ms);
    (void)sqlite3_bind_int64(s, 4, j->plan);
    (void)sqlite3_bind_int64(s, 5, j->leg);
    bool ok = step_statement(j, j->begin, err);

    ok = ok && step_statement(j, s, err) &&
         add_history(j, 0, events[state], now_ms, NULL, err) &&
         step_statement(j, j->commit, err);
    (void)sqlite3_finalize(s);
    if (!ok) {
        (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return ok;
}

/* --- Steps -------------------------------------------------------------- */

bool
dcp_journal_record(struct dcp_journal *j, uint32_t step,
                   enum dcp_step_phase phase, int64_t now_ms, const char *text,
                   struct dcp_error *err)
{
    sqlite3_stmt *s = j->step;
    const char *reason = text && text[0] ? text : NULL;

    if (!step_statement(j, j->begin, err)) {
        return false;
    }
    (void)sqlite3_bind_int64(s, 1, j->plan);
    (void)sqlite3_bind_int64(s, 2, j->leg);
    (void)sqlite3_bind_int64(s, 3, step);
    (void)sqlite3_bind_text(s, 4, phase_names[phase], -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(s, 5, now_ms);
    (void)sqlite3_bind_text(s, 6, reason, -1, SQLITE_TRANSIENT);
    if (step_statement(j, s, err) &&
        add_history(j, step, phase_names[phase], now_ms, reason, err) &&
        step_statement(j, j->commit, err)) {
        return true;
    }
    (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

static enum dcp_step_phase
parse_phase(const char *name)
{
    for (int i = 0; name && i <= DCP_PHASE_VERIFIED; i++) {
        if (!strcmp(phase_names[i], name)) {
            return (enum dcp_step_phase)i;
        }
    }
    return DCP_PHASE_NONE;
}

bool
dcp_journal_load_steps(struct dcp_journal *j, const struct dcp_plan *plan,
                       uint32_t leg, struct dcp_step_record out[],
                       struct dcp_error *err)
{
    int64_t row;

    memset(out, 0, plan->n_steps * sizeof *out);
    if (!find_plan(j, plan, &row, err)) {
        return false;
    }
    sqlite3_stmt *s = prepare(
        j,
        "SELECT step, phase, sent_ms, ended_ms FROM steps WHERE plan=? AND"
        " leg=?",
        err);

    if (!s) {
        return false;
    }
    (void)sqlite3_bind_int64(s, 1, row);
    (void)sqlite3_bind_int64(s, 2, leg);
    int rc = sqlite3_step(s);

    for (; rc == SQLITE_ROW; rc = sqlite3_step(s)) {
        int64_t id = sqlite3_column_int64(s, 0);

        if (id >= 1 && id <= plan->n_steps) {
            out[id - 1] = (struct dcp_step_record){
                .phase = parse_phase((const char *)sqlite3_column_text(s, 1)),
                .sent_ms = sqlite3_column_int64(s, 2),
                .ended_ms = sqlite3_column_int64(s, 3),
            };
        }
    }
    bool ok = rc == SQLITE_DONE || fail_db(j, "read", err);

    (void)sqlite3_finalize(s);
    return ok;
}

/* --- Moves and resizes ---------------------------------------------------- */

/* The statement about the table of a deed; NULL: failed. */
static sqlite3_stmt *
prepare_for(struct dcp_journal *j, enum dcp_journal_deed deed,
            const char *before, const char *after, struct dcp_error *err)
{
    char sql[160];

    (void)snprintf(sql, sizeof sql, "%s%s%s", before,
                   deed == DCP_DEED_MOVE ? "moves" : "resizes", after);
    return prepare(j, sql, err);
}

bool
dcp_journal_note_moves(struct dcp_journal *j, enum dcp_journal_deed deed,
                       const char *const vms[], uint32_t n, int64_t at_ms,
                       struct dcp_error *err)
{
    if (!run_sql(j, "BEGIN IMMEDIATE", "begin", err)) {
        return false;
    }
    sqlite3_stmt *s = /* Journals of before have no such table. */
        prepare_for(j, deed, "CREATE TABLE IF NOT EXISTS ",
                    "(vm TEXT NOT NULL, at_ms INTEGER)", err);
    bool ok = s && step_statement(j, s, err);

    (void)sqlite3_finalize(s);
    s = ok ? prepare_for(j, deed, "INSERT INTO ", "(vm, at_ms) VALUES(?, ?)",
                         err)
           : NULL;
    for (uint32_t i = 0; s && ok && i < n; i++) {
        (void)sqlite3_bind_text(s, 1, vms[i], -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(s, 2, at_ms);
        ok = step_statement(j, s, err);
    }
    (void)sqlite3_finalize(s);
    if (!s || !ok) {
        (void)sqlite3_exec(j->db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return run_sql(j, "COMMIT", "commit", err);
}

void
dcp_journal_moves_finish(struct dcp_journal_moves *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        free(m->items[i].vm);
    }
    free(m->items);
    *m = (struct dcp_journal_moves){ 0 };
}

bool
dcp_journal_read_moves(struct dcp_journal *j, enum dcp_journal_deed deed,
                       int64_t since_ms, struct dcp_journal_moves *out,
                       struct dcp_error *err)
{
    sqlite3_stmt *s = prepare_for(j, deed, "SELECT vm, at_ms FROM ",
                                  " WHERE at_ms >= ? ORDER BY at_ms, vm", NULL);
    uint32_t capacity = 0;
    bool ok = true;

    *out = (struct dcp_journal_moves){ 0 };
    if (!s) { /* Journals of before have no such table. */
        return strstr(sqlite3_errmsg(j->db), "no such table") ||
               fail_db(j, "read moves", err);
    }
    (void)sqlite3_bind_int64(s, 1, since_ms);
    while (ok && sqlite3_step(s) == SQLITE_ROW) {
        if (out->n == capacity) {
            uint32_t more = capacity ? 2 * capacity : 256;
            struct dcp_journal_move *items =
                realloc(out->items, more * sizeof *items);

            ok = items != NULL;
            out->items = items ? items : out->items;
            capacity = items ? more : capacity;
        }
        const char *vm = (const char *)sqlite3_column_text(s, 0);
        char *copy = ok && vm ? strdup(vm) : NULL;

        ok = copy != NULL;
        if (ok) {
            out->items[out->n++] =
                (struct dcp_journal_move){ copy, sqlite3_column_int64(s, 1) };
        }
    }
    (void)sqlite3_finalize(s);
    if (!ok) {
        dcp_journal_moves_finish(out);
        return dcp_fail(err, DCP_E_NOMEM, "no memory for past moves");
    }
    return true;
}
