/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_SCHEMA_ROWS_H
#define DCP_MODEL_IO_SCHEMA_ROWS_H 1

/* Shorthands with which model/io/schema_*.c write their rows.  The C type that
 * a row stores into is taken from the member itself, so a row cannot disagree
 * with its struct. */

#include "model/filter.h"
#include "model/inventory.h"
#include "model/io/schema.h"
#include "model/policy_test.h"
#include "model/score.h"

#define STORE_OF(TYPE, MEMBER)                                                 \
    _Generic(((TYPE *)0)->MEMBER,                                              \
        const char *: DCP_STORE_TEXT,                                          \
        bool: DCP_STORE_BOOL,                                                  \
        uint32_t: DCP_STORE_U32,                                               \
        uint64_t: DCP_STORE_U64,                                               \
        int64_t: DCP_STORE_I64,                                                \
        double: DCP_STORE_DOUBLE,                                              \
        struct dcp_ids: DCP_STORE_IDS,                                         \
        default: DCP_STORE_ID)
#define AT(TYPE, MEMBER)                                                       \
    .store = STORE_OF(TYPE, MEMBER), .offset = offsetof(TYPE, MEMBER)

#define TEXT            .value = DCP_VALUE_TEXT
#define FLAG            .value = DCP_VALUE_BOOL
#define QUANTITY(DIM)   .value = DCP_VALUE_QUANTITY, .dimension = DCP_DIM_##DIM
#define CHOICE(CHOICES) .value = DCP_VALUE_CHOICE, .of = CHOICES
#define REFERENCE(KIND) .value = DCP_VALUE_REFERENCE, .target = DCP_KIND_##KIND
#define SECTION(NAME)   .value = DCP_VALUE_SECTION, .of = NAME
#define SELECTOR        .value = DCP_VALUE_SELECTOR
#define LIST            .shape = DCP_SHAPE_LIST
#define MAP             .shape = DCP_SHAPE_MAP

#define DEFINE_SECTION(VARIABLE, NAME, ONE, KIND, SIZE, HELP)                  \
    const struct dcp_schema_section dcp_schema_##VARIABLE = {                  \
        .name = NAME,                                                          \
        .one = ONE,                                                            \
        .kind = DCP_KIND_##KIND,                                               \
        .size = SIZE,                                                          \
        .rows = VARIABLE##_rows,                                               \
        .n_rows = sizeof VARIABLE##_rows / sizeof VARIABLE##_rows[0],          \
        .help = HELP,                                                          \
    }

/* enum dcp_capability, in order. */
#define CAPABILITIES                                                           \
    "uefi|secure_boot|vtpm|passthrough|sriov|vgpu|nested|cpu_hotplug|"         \
    "memory_hotplug|fault_tolerance|snapshots|live_migration"

#define SECTIONS(X)                                                            \
    X(top)                                                                     \
    X(include)                                                                 \
    X(tariff)                                                                  \
    X(site) X(cooling) X(plant) X(stage) X(room) X(feed) X(rack) X(hardware)   \
        X(boot) X(shutdown) X(hypervisor) X(host) X(port) X(server) X(switch)  \
            X(link) X(vlan) X(array) X(pool) X(tenant) X(quota) X(application) \
                X(tier) X(profile) X(flavour) X(vm) X(nic) X(volume)           \
                    X(licence) X(covers) X(calendar) X(policy) X(target)       \
                        X(parking) X(rightsize) X(conversion) X(overload)      \
                            X(headroom) X(loss) X(migration) X(storage)        \
                                X(warmup) X(swap) X(rule) X(filter) X(score)   \
                                    X(policy_test) X(policy_file)

#define DECLARE(VARIABLE)                                                      \
    extern const struct dcp_schema_section dcp_schema_##VARIABLE;
SECTIONS(DECLARE)
#undef DECLARE

#endif /* model/io/schema_rows.h */
