/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_ID_H
#define DCP_MODEL_BASE_ID_H 1

/* Typed indices.  An id is a position in one inventory's table, dense from 0,
 * so every per-host fact is `array[host.ix]`.  The struct costs nothing and
 * makes passing a VM where a host is meant a compile error. */

#include <stdbool.h>
#include <stdint.h>

#define DCP_IX_NONE UINT32_MAX

#define DCP_DEFINE_ID(NAME)                                                    \
    typedef struct {                                                           \
        uint32_t ix;                                                           \
    } dcp_##NAME##_id;                                                         \
    static inline bool dcp_##NAME##_eq(dcp_##NAME##_id a, dcp_##NAME##_id b)   \
    {                                                                          \
        return a.ix == b.ix;                                                   \
    }                                                                          \
    static inline bool dcp_##NAME##_is_none(dcp_##NAME##_id id)                \
    {                                                                          \
        return id.ix == DCP_IX_NONE;                                           \
    }                                                                          \
    static inline dcp_##NAME##_id dcp_##NAME##_none(void)                      \
    {                                                                          \
        return (dcp_##NAME##_id){ DCP_IX_NONE };                               \
    }

DCP_DEFINE_ID(site)
DCP_DEFINE_ID(room)
DCP_DEFINE_ID(rack)
DCP_DEFINE_ID(feed)
DCP_DEFINE_ID(tariff)
DCP_DEFINE_ID(hardware)
DCP_DEFINE_ID(hypervisor)
DCP_DEFINE_ID(host)
DCP_DEFINE_ID(server) /* A physical server that holds no VMs. */
DCP_DEFINE_ID(switch)
DCP_DEFINE_ID(link)
DCP_DEFINE_ID(vlan)
DCP_DEFINE_ID(array) /* A storage array. */
DCP_DEFINE_ID(pool)
DCP_DEFINE_ID(volume)
DCP_DEFINE_ID(tenant)
DCP_DEFINE_ID(application)
DCP_DEFINE_ID(tier)
DCP_DEFINE_ID(profile)
DCP_DEFINE_ID(licence)
DCP_DEFINE_ID(vm)

/* A run of ids of one table. */
struct dcp_ids {
    const uint32_t *ix; /* Ascending unless said otherwise. */
    uint32_t n;
};

#endif /* model/base/id.h */
