/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_ERROR_H
#define DCP_MODEL_BASE_ERROR_H 1

/* What went wrong, where, in words a person can act on.
 *
 * A function that can fail returns bool (true: done), or a pointer (NULL:
 * failed), and takes, last, a `struct dcp_error *err`, which it fills only on
 * failure.  `err` may be NULL.  No call here allocates, so reporting "out of
 * memory" cannot itself fail.
 *
 * An answer is not an error: "no feasible placement" is a status of the
 * solution; a DCP_E_ code means that the question could not be answered.
 *
 * Thread-safety: distinct errors may be used by distinct threads. */

#include <stdbool.h>
#include <stdint.h>

/* Coarse on purpose: one code for each thing a caller does differently.
 * Values are stable; add at the end, never renumber. */
enum dcp_code {
    DCP_OK = 0,
    DCP_E_NOMEM = 1,    /* Allocation failed. */
    DCP_E_ARGUMENT = 2, /* The caller broke the contract. */
    DCP_E_PARSE = 3,    /* Input text or file is malformed. */
    DCP_E_IO = 4,       /* The operating system refused. */
    DCP_E_NOT_FOUND = 5,
    DCP_E_STALE = 6,  /* The world differs from what a plan assumed. */
    DCP_E_LIMIT = 7,  /* Time, size or iteration limit reached. */
    DCP_E_REMOTE = 8, /* A hypervisor, switch or array said no. */
    DCP_E_UNSUPPORTED = 9,
    DCP_E_CANCELLED = 10,
    DCP_E_BUG = 11,     /* An internal check failed: please report. */
    DCP_E_USAGE = 12,   /* Wrong command line. */
    DCP_E_LOCKED = 13,  /* Another writer holds the lock. */
    DCP_E_REFUSED = 14, /* A check or gate said no. */
};

/* A position in the user's input; path is NULL when there is none. */
struct dcp_pos {
    const char *path;      /* Borrowed; outlives the error (arena or argv). */
    uint32_t line, column; /* 1-based; 0: unknown. */
};

struct dcp_error {
    enum dcp_code code;
    struct dcp_pos pos; /* Where in the input. */
    char message[400];  /* One line, no newline, no position, no code name. */
};

#define DCP_PRINTF(FMT, ARGS) __attribute__((format(printf, FMT, ARGS)))
#define DCP_CHECKED           __attribute__((warn_unused_result))

/* Fills '*err' and returns false, so that `return dcp_fail(...)` reads well. */
bool dcp_fail(struct dcp_error *err, enum dcp_code code, const char *format,
              ...) DCP_PRINTF(3, 4);
bool dcp_fail_at(struct dcp_error *err, enum dcp_code code, struct dcp_pos pos,
                 const char *format, ...) DCP_PRINTF(4, 5);

/* Prefixes context ("host 'db-07': ...") on the way up; returns false. */
bool
dcp_fail_in(struct dcp_error *err, const char *format, ...) DCP_PRINTF(2, 3);

/* Control characters but tabs in 'text' become '?': what a message quotes of its input
 * cannot break its line or steer a terminal.  All of the above do this. */
void dcp_one_line(char *text);

const char *dcp_code_name(enum dcp_code code); /* "parse", "remote", ... */

/* The exit status of a program that ends because of 'code' (see design:
 * 0 done, 1 failed, 2 usage or invalid input, 3 refused, 4 stale, 5 locked,
 * 6 interrupted). */
int dcp_code_exit_status(enum dcp_code code);

#endif /* model/base/error.h */
