/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_CALL_H
#define DCP_EXECUTORS_POWER_CALL_H 1

/* One thing asked of one BMC, or one run of a host's guard, in a child process
 * of its own: so many hosts are talked to at once from one thread, what hangs
 * is killed at a deadline, and passwords are only ever in the memory of a
 * process that lives for one call, has no terminal, leaves no core file, and
 * dies with the process that began it.
 *
 * Life: dcp_call_start(), then dcp_call_poll() whenever the descriptor can be
 * read or the deadline has come, until it says so; or dcp_call_wait(), which
 * blocks.  Not thread-safe: begin calls only where no other thread runs. */

#include "executors/power/bmc.h"

#include <sys/types.h>

enum dcp_call_verb {
    DCP_CALL_LOOK,
    DCP_CALL_ON,
    DCP_CALL_GRACEFUL,
    DCP_CALL_HARD,
    DCP_CALL_GUARD, /* Runs a program. */
};

struct dcp_call_request { /* All borrowed until dcp_call_start() returns. */
    enum dcp_call_verb verb;
    const struct dcp_bmc *bmc;
    const char *uuid; /* LOOK: to pick one of several systems by; "": any. */
    bool identify;    /* LOOK: say who the BMC says it is. */
    const char *ipmitool;
    const char *const *guard; /* GUARD: its words. */
    uint32_t n_guard;
    int64_t timeout_ms;
};

/* What a guard's exit statuses mean (scripts/dcplan-guard keeps them). */
enum dcp_guard_answer {
    DCP_GUARD_GOING,   /* 0: the host is shutting down. */
    DCP_GUARD_REFUSED, /* 3: something runs on it, it stays up. */
    DCP_GUARD_UNCLEAR, /* Anything else, or none in time. */
};

struct dcp_call_reply {
    bool ok;
    enum dcp_code code;          /* Where it is not. */
    enum dcp_power power;        /* LOOK. */
    enum dcp_guard_answer guard; /* GUARD. */
    char said[DCP_GUID_TEXT];    /* LOOK with 'identify'; "": nothing. */
    char text[300];              /* Why not; one line. */
};

struct dcp_call {
    pid_t pid;           /* 0: none is under way. */
    int fd;              /* Can be read when there is something to poll for. */
    int64_t deadline_ms; /* By dcp_boot_ms(). */
    size_t n_read;
    struct dcp_call_reply reply;
};

bool dcp_call_start(struct dcp_call *, const struct dcp_call_request *,
                    struct dcp_error *err) DCP_CHECKED;
/* True: it has ended, '*out' says how, and 'fd' is closed. */
bool dcp_call_poll(struct dcp_call *, struct dcp_call_reply *out);
/* Blocks until the end, by its deadline at the latest. */
void dcp_call_wait(struct dcp_call *, struct dcp_call_reply *out);
/* Kills it; nothing where none is under way. */
void dcp_call_abandon(struct dcp_call *);

#endif /* executors/power/call.h */
