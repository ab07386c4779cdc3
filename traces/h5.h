/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TRACES_H5_H
#define DCP_TRACES_H5_H 1

/* Small helpers over HDF5 for the reader and the writer of the store.  Only
 * they include this.  HDF5 keeps global state: one thread at a time. */

#include "traces/store.h"

#include <hdf5.h>

#define DCP_STORE_SCHEMA "dcplan/usage/1"

enum { DCP_CHUNK_TIMES = 288, DCP_CHUNK_VMS = 256 };

/* HDF5 prints nothing, loads no plugins and does nothing at exit (where it
 * would loop or crash on a file whose disk was full). */
void dcp_h5_quiet(void);

/* As dcp_fail(), with the innermost message of HDF5 appended; clears its
 * error stack. */
bool dcp_h5_fail(struct dcp_error *err, enum dcp_code code, const char *format,
                 ...) DCP_PRINTF(3, 4);

bool dcp_h5_write_i64(hid_t object, const char *name, int64_t value);
bool dcp_h5_write_text(hid_t object, const char *name, const char *value);

/* A new group; a new dataset of 'n' values.  Neither has a time of its making,
 * so that equal stores have equal bytes. */
hid_t dcp_h5_create_group(hid_t where, const char *name);
bool dcp_h5_write_column(hid_t where, const char *name, hid_t file_type,
                         hid_t mem_type, uint64_t n, const void *data);

/* One whole number; one fixed-length string, into 'out'.  False: absent or of
 * another type or size. */
bool dcp_h5_read_i64(hid_t object, const char *name, int64_t *out);
bool dcp_h5_read_text(hid_t object, const char *name, char *out, size_t size);

/* The compound type of one struct dcp_vm_stats; the caller closes it. */
hid_t dcp_h5_stats_type(void);

/* Closes whatever kind of id it is; a negative one is fine. */
void dcp_h5_close(hid_t *id);
#define DCP_HID __attribute__((cleanup(dcp_h5_close))) hid_t

const char *dcp_metric_unit(enum dcp_metric);

#endif /* traces/h5.h */
