/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_OUTPUT_EVENT_LAYOUT_H
#define DCP_SIM_OUTPUT_EVENT_LAYOUT_H 1

/* Between the writer and the reader of event logs: the layout that
 * sim/output/event_log.h describes.  Pure. */

#include "sim/output/event_log.h"

#define DCP_EVENT_MAGIC       "dcpevt\n\1"
#define DCP_EVENT_MAGIC_SIZE  8
#define DCP_EVENT_FIXED_SIZE  28 /* Up to the names. */
#define DCP_EVENT_HASH_SIZE   32
#define DCP_EVENT_RECORD_SIZE 24
#define DCP_EVENT_IX_MAX      ((UINT32_C(1) << 28) - 1)

/* The kinds whose names the header has, in its order. */
#define DCP_EVENT_TABLES 7
extern const enum dcp_object_kind dcp_event_tables[DCP_EVENT_TABLES];

void dcp_event_put_u32(uint8_t *at, uint32_t value);
uint32_t dcp_event_get_u32(const uint8_t *at);
void dcp_event_put_i64(uint8_t *at, int64_t value);
int64_t dcp_event_get_i64(const uint8_t *at);

void dcp_event_encode(const struct dcp_logged_event *,
                      uint8_t out[DCP_EVENT_RECORD_SIZE]);
/* False: damaged. */
bool dcp_event_decode(const uint8_t at[DCP_EVENT_RECORD_SIZE],
                      struct dcp_logged_event *out);

#endif /* sim/output/event_layout.h */
