/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_FAKE_FAULTS_H
#define DCP_TESTS_FAKE_FAULTS_H 1

/* What goes wrong in a fake world (tests/fake/world.h, whose fake_world_fault()
 * says what the words mean). */

#include <stdbool.h>
#include <stdint.h>

enum fake_fate { /* Of one start of a step. */
                 FAKE_DONE,
                 FAKE_FAILS,
                 FAKE_REFUSES,
                 FAKE_ANSWERS_NO,
                 FAKE_SILENT,
                 FAKE_LIES,
                 FAKE_DENIES,
                 FAKE_HANGS,
                 FAKE_VANISHES,
};
#define FAKE_FATES (FAKE_VANISHES + 1)
const char *fake_fate_name(enum fake_fate);
/* FAKE_DONE for a name that is none. */
enum fake_fate fake_fate_parse(const char *name);

enum fake_fault_kind {
    FAKE_FAULT_FATE,    /* step, fate, times. */
    FAKE_FAULT_SLOW,    /* step, factor, times. */
    FAKE_FAULT_MEDDLED, /* step, key, value; due half-way. */
    FAKE_FAULT_SET,     /* key, value, due_ms. */
    FAKE_FAULT_SILENT,  /* key (a host), from_ms, until_ms. */
    FAKE_FAULT_AWAY,    /* from_ms: how long. */
    FAKE_FAULT_DIE,     /* times: at which start. */
};

struct fake_fault {
    enum fake_fault_kind kind;
    enum fake_fate fate;
    uint32_t step;
    uint32_t times; /* 0: always. */
    double factor;
    char *key, *value;         /* Owned. */
    int64_t from_ms, until_ms; /* Since the world's start. */
    int64_t due_ms;            /* On its clock; INT64_MAX: not now. */
};

/* Parses one line; an empty one and one that starts with '#' are no fault
 * (*out_none).  False: not understood. */
bool fake_fault_parse(const char *line, struct fake_fault *out, bool *out_none);
void fake_fault_finish(struct fake_fault *);

#endif /* tests/fake/faults.h */
