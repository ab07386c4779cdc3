/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_FAILURE_LOSS_H
#define DCP_SIM_FAILURE_LOSS_H 1

/* Why steps of plans do not come true where things fail
 * (sim/failure/restart.h), and how many of a run. */

#include <stdint.h>

enum dcp_step_loss {
    DCP_STEP_LOSS_NONE,
    DCP_STEP_LOSS_HOST_DOWN,   /* A host of it is down, or boots after a repair.
                                */
    DCP_STEP_LOSS_HOST_OFF,    /* Its target is off: it was not woken. */
    DCP_STEP_LOSS_MAINTENANCE, /* A host of it is under maintenance. */
    DCP_STEP_LOSS_VM_DOWN,     /* Its VM is down, or being restarted. */
    DCP_STEP_LOSS_VM_ELSEWHERE, /* Its VM is elsewhere, or on its way. */
    DCP_STEP_LOSS_ROOM,         /* Its target is too full by now. */
    DCP_STEP_LOSS_NOT_EMPTY,    /* The host to be switched off has VMs. */
    DCP_STEP_LOSS_CUT,       /* A host of it failed while it was under way. */
    DCP_STEP_LOSS_BOOT,      /* By chance: the host did not boot ... */
    DCP_STEP_LOSS_MIGRATION, /* ... the migration failed. */
    DCP_STEP_LOSS_OTHER,   /* Nothing that failed: it was late, or given up. */
    DCP_STEP_LOSS_SKIPPED, /* It waits for one that was lost. */
};
#define DCP_STEP_LOSSES (DCP_STEP_LOSS_SKIPPED + 1)

const char *dcp_step_loss_name(enum dcp_step_loss); /* "host_down" ... */
const char *dcp_step_loss_text(enum dcp_step_loss); /* For people. */

struct dcp_lost_steps {
    uint32_t n[DCP_STEP_LOSSES];
};
/* Of them, by failures and what followed, without those that failed by chance
 * themselves. */
uint32_t dcp_lost_steps_prevented(const struct dcp_lost_steps *);

#endif /* sim/failure/loss.h */
