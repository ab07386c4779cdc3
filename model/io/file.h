/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_FILE_H
#define DCP_MODEL_IO_FILE_H 1

/* Whole files, in and out.  Reading takes a cap, because a model names files
 * and a file may be a device or a mistake; writing is all or nothing: aside,
 * flushed to disk, then one rename, so that a kill at any moment leaves the
 * old content or the new one.
 *
 * Thread-safe on distinct paths. */

#include "model/base/error.h"

#include <stddef.h>

/* The bytes of the regular file at 'path', NUL-terminated beyond 'length', to
 * be freed.  A path that ends in .gz is unpacked.  More than 'max_bytes'
 * (unpacked) is DCP_E_LIMIT, absence DCP_E_NOT_FOUND.  NULL: failed. */
char *dcp_file_read(const char *path, size_t max_bytes, size_t *out_length,
                    struct dcp_error *err) DCP_CHECKED;

/* Which file 'path' leads to, as text of under 48 bytes: the same for two paths
 * when they lead to one file, as "a.yaml" and "b/../a.yaml" do.  False: it
 * cannot be looked at. */
bool dcp_file_identity(const char *path, char out[48]) DCP_CHECKED;

/* Puts the bytes at 'path' by write-aside, fsync, rename, fsync of the
 * directory.  On failure the old file stays and nothing is left behind.  A
 * symbolic link stays one: the file behind it is replaced.  A pipe or a device
 * is written where it is. */
bool dcp_file_write(const char *path, const char *bytes, size_t length,
                    struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/file.h */
