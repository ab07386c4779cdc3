/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_PIPE_H
#define DCP_EXECUTORS_PIPE_H 1

/* An executor that is somebody else's program: `exec:PROG`.  It speaks the
 * interface of executors/executor.h as JSON, one object a line, a question on
 * its standard input and an answer on its standard output; docs/executors.md
 * has every line.
 *
 * The program's words are not trusted: what is not an answer to the question
 * breaks the executor (DCP_E_REMOTE), and the runner observes whatever the
 * program claims. */

#include "executors/executor.h"

/* Starts 'program' (found as execvp() does, without a shell) and greets it.
 * The inventory and the plan are borrowed.  Needs SIGPIPE ignored. */
struct dcp_executor *
dcp_pipe_create(const struct dcp_inventory *, const struct dcp_plan *,
                uint32_t leg, const char *program,
                struct dcp_error *err) DCP_CHECKED;

#endif /* executors/pipe.h */
