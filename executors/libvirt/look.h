/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_LIBVIRT_LOOK_H
#define DCP_EXECUTORS_LIBVIRT_LOOK_H 1

/* What all hosts show of one VM, and what follows from it: whether a move has
 * begun, is under way or has arrived, and what has to be tidied up after one
 * that was cut off.  docs/live-libvirt.md has the table of all cases.
 *
 * Only what is seen counts.  A host that does not answer shows nothing, neither
 * that the VM is there nor that it is not; only proof that the host is off says
 * that nothing runs on it.  A copy is never resumed before every host that may
 * have another one has said that it has not, and nothing is destroyed or
 * undefined that may be the only one.
 *
 * Pure; thread-safe.  Numbers of states and reasons are libvirt's. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dcp_look_reach {
    DCP_LOOK_SILENT, /* Does not answer. */
    DCP_LOOK_ANSWERED,
    DCP_LOOK_OFF, /* Proven to be off: nothing runs there. */
};

enum dcp_look_state {
    DCP_LOOK_NOT_HERE,
    DCP_LOOK_DEFINED, /* Known to the host; does not run. */
    DCP_LOOK_RUNNING, /* Also while it shuts down. */
    DCP_LOOK_PAUSED,
};

/* Of PAUSED, as far as they decide. */
enum { /* virDomainPausedReason. */
       DCP_LOOK_PAUSED_MIGRATION = 2,
       DCP_LOOK_PAUSED_STARTING_UP = 11,
       DCP_LOOK_PAUSED_POST_COPY = 12,
       DCP_LOOK_PAUSED_POST_COPY_FAILED = 13,
       /* virDomainRunningReason. */
       DCP_LOOK_RUNNING_POST_COPY = 10,
       DCP_LOOK_RUNNING_POST_COPY_FAILED = 11,
};

struct dcp_look_at { /* One host. */
    const char *host; /* Its name; borrowed. */
    enum dcp_look_reach reach;
    enum dcp_look_state state; /* Where it answered, as all that follows. */
    int reason;
    bool persistent; /* Has a definition that outlives the run. */
    bool job;        /* Is being migrated, saved or dumped. */
    bool saved;      /* Managed save: its memory is on the host's disk. */
    bool autostart;
    bool foreign; /* A domain with the VM's name and another UUID is here. */
};

enum dcp_look_verdict {
    DCP_LOOK_NOT_BEGUN, /* Runs at the source and nowhere else. */
    DCP_LOOK_UNDER_WAY,
    DCP_LOOK_ARRIVED, /* Runs at the target, defined there and only there. */
    DCP_LOOK_UNTIDY,  /* 'act' has to be done; then look again. */
    DCP_LOOK_ELSEWHERE,
    DCP_LOOK_UNKNOWN, /* Wait: a host does not answer, or it is seen nowhere. */
    DCP_LOOK_STUCK,   /* Nobody but a person may decide. */
};

enum dcp_look_act {
    DCP_LOOK_DO_NOTHING,
    DCP_LOOK_DESTROY,  /* A paused copy that never ran, or has ended. */
    DCP_LOOK_RESUME,   /* The only copy. */
    DCP_LOOK_DEFINE,   /* What runs there, so that it outlives the run. */
    DCP_LOOK_UNDEFINE, /* A definition of what runs elsewhere. */
};

struct dcp_look_result {
    enum dcp_look_verdict verdict;
    bool arrived; /* Of UNTIDY: it runs at the target. */
    enum dcp_look_act act;
    uint32_t act_at; /* Index of the host. */
    char text[160];  /* What was seen, and what to do where a person must. */
};

/* Of a VM that is to move from hosts[from] to hosts[to]. */
void dcp_look_judge_move(const struct dcp_look_at hosts[], uint32_t n,
                         uint32_t from, uint32_t to,
                         struct dcp_look_result *out);

/* Where a VM is, for steps that are no moves. */
struct dcp_look_place {
    uint32_t n_active;  /* Hosts where it runs or is paused. */
    uint32_t active_at; /* One of them; UINT32_MAX: none. */
    uint32_t n_defined; /* Hosts that know it. */
    uint32_t defined_at, saved_at; /* UINT32_MAX: none. */
    uint32_t silent_at; /* The first that does not answer; UINT32_MAX: none. */
};
void dcp_look_find(const struct dcp_look_at hosts[], uint32_t n,
                   struct dcp_look_place *out);

#endif /* executors/libvirt/look.h */
