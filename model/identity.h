/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IDENTITY_H
#define DCP_MODEL_IDENTITY_H 1

/* Who a VM is, wherever it runs: a UUID, which hypervisors keep with the VM and
 * take along when it moves, while names are given anew at will.
 *
 * Of a VM that was there before, 'uuid' in dc.yaml has it.  Else it follows
 * from the model's lineage and the VM's name, so that the same model gives the
 * same UUIDs on any machine and two models never share one: the first 128 bits
 * of SHA-256 of "dcplan/vm/1", lineage and name, each ended by a NUL, with
 * version and variant set as in RFC 9562, section 5.8 (version 8).
 *
 * Pure; thread-safe. */

#include "model/inventory.h"

#define DCP_UUID_SIZE 37 /* 36 characters and NUL. */

/* In lower case. */
void
dcp_vm_uuid(const struct dcp_inventory *, dcp_vm_id, char out[DCP_UUID_SIZE]);

/* Whether 'text' is a UUID as it is usually written: 8-4-4-4-12 hexadecimal
 * digits.  'out' gets it in lower case; it may be 'text', or NULL. */
bool dcp_uuid_parse(const char *text, char out[DCP_UUID_SIZE]);

#endif /* model/identity.h */
