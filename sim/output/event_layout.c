/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "sim/output/event_layout.h"

#include <stddef.h>

const enum dcp_object_kind dcp_event_tables[DCP_EVENT_TABLES] = {
    DCP_OBJECT_VM,   DCP_OBJECT_HOST, DCP_OBJECT_VLAN, DCP_OBJECT_VOLUME,
    DCP_OBJECT_POOL, DCP_OBJECT_RACK, DCP_OBJECT_FEED,
};

void
dcp_event_put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> 8 * i);
    }
}

uint32_t
dcp_event_get_u32(const uint8_t *at)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        value |= (uint32_t)at[i] << 8 * i;
    }
    return value;
}

void
dcp_event_put_i64(uint8_t *at, int64_t value)
{
    dcp_event_put_u32(at, (uint32_t)(uint64_t)value);
    dcp_event_put_u32(at + 4, (uint32_t)((uint64_t)value >> 32));
}

int64_t
dcp_event_get_i64(const uint8_t *at)
{
    return (int64_t)(dcp_event_get_u32(at) | (uint64_t)dcp_event_get_u32(at + 4)
                                                 << 32);
}

static uint8_t
crc8(const uint8_t *at, size_t size)
{
    uint8_t crc = 0x5a; /* Not 0: a run of zeros must not look whole. */

    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1);
        }
    }
    return crc;
}

static uint32_t
pack(struct dcp_object object)
{
    return object.kind == DCP_OBJECT_NONE
               ? 0
               : (uint32_t)object.kind << 28 | object.ix;
}

static bool
unpack(uint32_t word, struct dcp_object *out)
{
    *out = (struct dcp_object){ (enum dcp_object_kind)(word >> 28),
                                word & DCP_EVENT_IX_MAX };
    return word >> 28 <= DCP_OBJECT_FEED;
}

void
dcp_event_encode(const struct dcp_logged_event *e,
                 uint8_t out[DCP_EVENT_RECORD_SIZE])
{
    dcp_event_put_i64(out, e->at_ms);
    dcp_event_put_u32(out + 8, pack(e->object));
    dcp_event_put_u32(out + 12, pack(e->from));
    dcp_event_put_u32(out + 16, pack(e->to));
    out[20] = (uint8_t)e->kind;
    out[21] = (uint8_t)e->phase;
    out[22] = (uint8_t)e->leg;
    out[23] = crc8(out, 23);
}

bool
dcp_event_decode(const uint8_t at[DCP_EVENT_RECORD_SIZE],
                 struct dcp_logged_event *out)
{
    *out = (struct dcp_logged_event){ .at_ms = dcp_event_get_i64(at),
                                      .kind = (enum dcp_step_kind)at[20],
                                      .phase = (enum dcp_action_phase)at[21],
                                      .leg = at[22] };
    return at[23] == crc8(at, 23) && at[20] < DCP_STEP_KINDS &&
           at[21] <= DCP_ACTION_FAILED &&
           unpack(dcp_event_get_u32(at + 8), &out->object) &&
           unpack(dcp_event_get_u32(at + 12), &out->from) &&
           unpack(dcp_event_get_u32(at + 16), &out->to);
}

const char *
dcp_action_phase_name(enum dcp_action_phase phase)
{
    static const char *const names[] = { [DCP_ACTION_STARTED] = "started",
                                         [DCP_ACTION_DONE] = "done",
                                         [DCP_ACTION_FAILED] = "failed" };

    return names[phase];
}
