/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_GUID_H
#define DCP_EXECUTORS_POWER_GUID_H 1

/* The UUID of a machine in the orders of bytes in which it is told: as text
 * (RFC 9562), as SMBIOS has it (the first three fields little-endian; DSP0134
 * 7.2.1), and back to front, as an IPMI controller should send it (IPMI 2.0,
 * 20.8).  Controllers send any of the three, so a machine is recognised by any:
 * that two machines differ in nothing but the order is not to be feared.
 *
 * Pure and thread-safe. */

#include <stdbool.h>
#include <stdint.h>

struct dcp_guid {
    uint8_t bytes[16]; /* As the text has them. */
};

/* 32 hexadecimal digits, in any case, with hyphens between any of them or
 * none.  False: it is no such text, or all its bytes are 0 or all 255, which is
 * what machines say that were given none. */
bool dcp_guid_parse(const char *text, struct dcp_guid *out);

/* The two name one machine, in any of the three orders. */
bool dcp_guid_same(const struct dcp_guid *, const struct dcp_guid *);

#define DCP_GUID_TEXT 37
/* "a1234567-89ab-cdef-a123-456789abcdef". */
void dcp_guid_print(const struct dcp_guid *, char out[DCP_GUID_TEXT]);

#endif /* executors/power/guid.h */
