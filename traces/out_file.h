/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_OUT_FILE_H
#define DCP_TRACES_OUT_FILE_H 1

/* A file that appears whole or not at all.  It has no name until it is
 * committed (O_TMPFILE), so that a process that is killed leaves nothing; on
 * file systems without unnamed files it is "NAME.tmp-PID" until then.
 *
 * Not thread-safe on one file. */

#include "model/base/error.h"

#include <sys/types.h>

struct dcp_out_file {
    char *path;      /* The name to be; owned. */
    char *temporary; /* The name meanwhile; NULL: none; owned. */
    int fd;
};

/* Behind a symbolic link the file it leads to is replaced; a device or a pipe
 * is refused.  'out' may be given to dcp_out_file_finish() even after a
 * failure. */
bool dcp_out_file_open(const char *path, struct dcp_out_file *out,
                       struct dcp_error *err) DCP_CHECKED;
/* A name by which other libraries can open it. */
void dcp_out_file_name(const struct dcp_out_file *, char *out, size_t size);
/* Sets disk space aside, so that a full disk is told now; does nothing where
 * the file system cannot. */
bool dcp_out_file_reserve(struct dcp_out_file *, off_t bytes,
                          struct dcp_error *err) DCP_CHECKED;
/* Gives back unused space, syncs, and puts the file in place of 'path'. */
bool
dcp_out_file_commit(struct dcp_out_file *, struct dcp_error *err) DCP_CHECKED;
/* Without a commit before: drops the file. */
void dcp_out_file_finish(struct dcp_out_file *);

#endif /* traces/out_file.h */
