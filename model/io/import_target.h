/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_IMPORT_TARGET_H
#define DCP_MODEL_IO_IMPORT_TARGET_H 1

/* For importers: the files that an import leaves in a model directory, under
 * import/, written together at the end, and the include list of dc.yaml. */

#include "model/base/error.h"
#include "model/base/text.h"

struct dcp_import_target {
    const char *dir;
    bool force;
    /* Contents, what the tables need and the tables; "" is not written. */
    struct dcp_text hosts_base, hosts, vms_base, vms;
};

/* Refuses (DCP_E_USAGE) where an earlier import's file would be replaced
 * without 'force', then writes and includes. */
bool dcp_import_target_write(const struct dcp_import_target *,
                             struct dcp_error *err) DCP_CHECKED;
void dcp_import_target_finish(struct dcp_import_target *);

/* Whether a YAML file of the directory (import/vms.yaml) defines the name in a
 * section; false where there is no such file. */
bool dcp_import_defined(const char *dir, const char *file, const char *section,
                        const char *name);

/* 'text' of a dc.yaml with the item added to its include list (a flow list,
 * a block list, or none yet), unless it is in it already. */
bool dcp_include_add(const char *text, const char *item, struct dcp_text *out,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/import_target.h */
