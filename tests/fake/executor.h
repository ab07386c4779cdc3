/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_FAKE_EXECUTOR_H
#define DCP_TESTS_FAKE_EXECUTOR_H 1

/* A fake world as an executor in this process.  (tests/fake/main.c is the same
 * as a program, for exec:.) */

#include "executors/executor.h"
#include "tests/fake/world.h"

/* Faults of the interface itself, to see that the conformance suite finds
 * them. */
enum fake_vice {
    FAKE_VICE_NONE,
    FAKE_VICE_TWO_EVENTS,  /* Each end is told twice. */
    FAKE_VICE_NO_EVENT,    /* No end is told. */
    FAKE_VICE_MUTE_CANCEL, /* The end of a cancelled step is not told. */
    FAKE_VICE_STRANGE,     /* Ends are told of steps never started. */
    FAKE_VICE_OVERSLEEPS,  /* Waits a minute too long. */
    FAKE_VICE_HURRIES,     /* Never waits at all. */
    FAKE_VICE_CLOCK,       /* The clock goes back now and then. */
    FAKE_VICE_TOUCHES,     /* Looking at a step carries it out. */
    FAKE_VICE_WAVERS,      /* Sees something else at each look. */
    FAKE_VICE_BLOCKS,      /* start() returns at the step's end. */
    FAKE_VICE_ANY_KIND,    /* Accepts steps that it cannot do. */
    FAKE_VICE_TWO_ENDS,    /* Takes a VM that is elsewhere for absent. */
    FAKE_VICE_EAGER,       /* Carries out more than it was told. */
    FAKE_VICE_LEAKS,       /* Loses a descriptor with each life. */
    FAKE_VICE_DEAF,        /* poll_fd never says that there is news. */
    FAKE_VICE_IDLE,        /* Says that all is done and does nothing. */
};
#define FAKE_VICES (FAKE_VICE_IDLE + 1)
const char *fake_vice_name(enum fake_vice);

/* All are borrowed and outlive the executor. */
struct dcp_executor *
fake_executor_create(const struct dcp_inventory *, const struct dcp_plan *,
                     struct fake_world *, enum fake_vice,
                     struct dcp_error *err);

/* Fills the world with a placement: where VMs and volumes are, hosts off. */
void fake_world_place(struct fake_world *, const struct dcp_inventory *,
                      const struct dcp_placement *);

#endif /* tests/fake/executor.h */
