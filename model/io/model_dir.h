/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_MODEL_DIR_H
#define DCP_MODEL_IO_MODEL_DIR_H 1

/* A model directory: dc.yaml (or files of dc.d), usage.h5, and .dcplan/ with
 * what is ours: placement.csv, serial, journal.db, lock.
 *
 * placement.csv, where it exists, says where VMs are and which hosts are off;
 * else dc.yaml does.  It has the columns kind,name,host,state: a row
 * `serial,7,,`, then `vm,web-1,h3,running` per VM (`vm,web-2,,absent` where it
 * is not placed) and `host,h2,,off` per host that was switched off (`on`:
 * dc.yaml has it in standby), and `volume,web-1/0,p2,` per volume that is in
 * another pool than dc.yaml says; the inventory then has it there.  Once a plan
 * has resized VMs there are two columns more, vcpus,mem_mib, empty where
 * dc.yaml's size holds.  A VM without a row came into dc.yaml since, and
 * is where dc.yaml says.  It is written aside and put in place, with its
 * serial, by one rename under the lock; the file `serial` is a copy for people.
 */

#include "model/base/diag.h"
#include "model/placement.h"

struct dcp_model {
    struct dcp_inventory *inventory; /* Owned; sizes of VMs as they are now. */
    const struct dcp_vm *stated_vms; /* As dc.yaml has them; the inventory's. */
    struct dcp_placement *placement; /* Owned; as things are now. */
    uint64_t serial;                 /* 0 before the first change. */
};

/* Reads and validates; 'policy_path' as in model/io/model_file.h.  All problems go to 'diag', with file, line and
 * column; false when there is an error among them ('err' then has the first,
 * or says what made reading impossible). */
bool dcp_model_open(const char *dir, const char *policy_path,
                    struct dcp_diag *diag, struct dcp_model *out,
                    struct dcp_error *err) DCP_CHECKED;
void dcp_model_finish(struct dcp_model *);

/* Writes the placement as the new state with 'serial' + 1 (also into
 * model->serial); refuses with DCP_E_STALE when the stored serial is not
 * model->serial any more.  The caller holds the lock. */
bool dcp_model_commit(const char *dir, struct dcp_model *,
                      const struct dcp_placement *now,
                      struct dcp_error *err) DCP_CHECKED;

/* The one-writer lock (flock on .dcplan/lock).  -1 with DCP_E_LOCKED and the
 * holder's pid in the message when another process has it. */
int dcp_model_lock(const char *dir, struct dcp_error *err);
void dcp_model_unlock(int lock);

#endif /* model/io/model_dir.h */
