/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_JSON_SIZE_H
#define DCP_MODEL_IO_JSON_SIZE_H 1

/* The size of a VM in plans, reports and what executors are sent, always as
 * {"vcpus": 4, "mem_mib": 8192}. */

#include "model/io/json_writer.h"
#include "model/size.h"

static inline void
dcp_json_size(struct dcp_json *w, struct dcp_vm_size size)
{
    dcp_json_begin(w, '{');
    dcp_json_ku64(w, "vcpus", size.vcpus);
    dcp_json_ku64(w, "mem_mib", size.mem_mib);
    dcp_json_end(w, '}');
}

/* The same as a member. */
static inline void
dcp_json_ksize(struct dcp_json *w, const char *key, struct dcp_vm_size size)
{
    dcp_json_key(w, key);
    dcp_json_size(w, size);
}

#endif /* model/io/json_size.h */
