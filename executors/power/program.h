/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_PROGRAM_H
#define DCP_EXECUTORS_POWER_PROGRAM_H 1

/* Runs a program to its end, or to a deadline: no shell, words as they are,
 * nothing on its standard input, no descriptor of ours but its two outputs, of
 * which so much is kept and the rest is thrown away.  At the deadline, and when
 * the process that runs it dies, it is killed.
 *
 * Blocks; for processes that may (executors/power/call.h).  Not thread-safe
 * with whoever else waits for children. */

#include "model/base/error.h"

#include <stddef.h>

#define DCP_PROGRAM_OUT_SIZE 4096
#define DCP_PROGRAM_ERR_SIZE 1024

struct dcp_program_result {
    bool late;      /* Killed at the deadline. */
    int signal;     /* That ended it; 0: it ended by itself. */
    int status;     /* Its exit status; -1: it did not end by itself. */
    bool truncated; /* It said more than is kept. */
    char out[DCP_PROGRAM_OUT_SIZE]; /* NUL-terminated; a byte 0 is kept as '?'.
                                     */
    char err[DCP_PROGRAM_ERR_SIZE];
};

/* 'argv' ends with NULL; argv[0] is looked for in PATH where it has no slash.
 * 'deadline_ms' by dcp_boot_ms().  False only when it could not be started;
 * everything else is in 'out'. */
bool dcp_program_run(const char *const argv[], int64_t deadline_ms,
                     struct dcp_program_result *out,
                     struct dcp_error *err) DCP_CHECKED;

/* The last line of a text that has anything on it, in 'out', shortened: what a
 * program most likely says its trouble is. */
void dcp_program_last_line(const char *text, char *out, size_t size);

#endif /* executors/power/program.h */
