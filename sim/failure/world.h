/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_FAILURE_WORLD_H
#define DCP_SIM_FAILURE_WORLD_H 1

/* What the files behind sim/failure/restart.h share; private to them. */

#include "executors/heap.h"
#include "model/base/agenda.h"
#include "model/capacity.h"
#include "model/transfers.h"
#include "sim/failure/restart.h"

enum ha_vm_state {
    HA_AWAY,     /* Not running, and not meant to. */
    HA_RUNNING,  /* On a host. */
    HA_LOST,     /* Its host is down, which nobody has noticed yet. */
    HA_WAITING,  /* For a host, or for its turn. */
    HA_STARTING, /* On a host, which keeps room for it. */
};

struct ha_vm {
    enum ha_vm_state state;
    uint32_t lost_with;  /* The host; while not running. */
    uint32_t outage;     /* Position + 1 in 'vm_outages'; 0: none open. */
    uint32_t generation; /* Timers of an earlier one are void. */
    bool fresh;          /* Waits, and was not tried yet. */
    bool homeless;
    int64_t homeless_since_ms;
    bool local;                  /* A disk on its host's own disks. */
    const struct dcp_step *move; /* Under way; NULL: none. */
    uint32_t held;               /* Steps of plans that need it where it is. */
    int64_t move_began_ms;
    bool gives_up; /* Will not converge; without NICs. */
};

enum ha_host_state { HA_OFF, HA_BOOTING, HA_ON, HA_STOPPING, HA_DOWN };

struct ha_host {
    enum ha_host_state state;
    bool wanted_on; /* While down: boots once mended. */
    bool draining;  /* Under maintenance: takes no VMs. */
    bool drained;   /* Off for it: boots at its end. */
    bool dirty;     /* In the list of those that changed. */
    uint32_t generation;
    uint32_t n_vms;           /* On it, starting, or on their way to it. */
    uint32_t starting;        /* Of those. */
    uint32_t n_boots;         /* By plans; names draws. */
    uint32_t leaving, coming; /* Migrations under way. */
    uint32_t capacity[DCP_SCALARS_MAX];
    uint64_t load[DCP_SCALARS_MAX];
};

enum ha_timer_kind {
    HA_HOST_FAILS,  /* ix: outage. */
    HA_HOST_MENDED, /* ix: outage. */
    HA_DECLARED,    /* ix: outage. */
    HA_HOST_BOOTED, /* ix: host. */
    HA_VM_STARTED,  /* ix: VM. */
    HA_DRAIN,       /* ix: maintenance. */
    HA_DRAIN_ENDS,  /* ix: maintenance. */
    HA_STEP_ENDS,   /* A step of our own, of a host. */
    HA_NETWORK,     /* Production is another. */
};
struct ha_timer {
    enum ha_timer_kind kind;
    uint32_t ix, generation;
    const struct dcp_step *step;
};

struct ha_pending { /* A step of a plan, or our own, begun. */
    const struct dcp_step *step;
    struct dcp_vm_size was; /* Before a resize. */
};

struct dcp_ha {
    const struct dcp_inventory *inv;
    const struct dcp_outages *hosts_down;
    const struct dcp_outages *maintenance; /* NULL: none. */
    uint32_t n_draining;
    struct dcp_ha_options o;
    struct dcp_placement *now;       /* Of VMs that run, start or move. */
    struct dcp_transfers *transfers; /* By VM; NULL: no maintenance. */
    struct dcp_agenda move_ends;     /* Of our own migrations, by VM. */
    int64_t wake_ms;                 /* HA_NETWORK; INT64_MAX: none. */
    struct dcp_arena *arena;         /* Of steps. */
    int64_t now_ms;

    struct ha_vm *vms;
    struct ha_host *hosts;
    struct dcp_heap queue; /* Of positions in 'timers'. */
    struct ha_timer *timers;
    uint32_t n_timers, timers_capacity;
    struct ha_pending *pending;
    uint32_t n_pending, pending_capacity;

    uint32_t *rank, *of_rank; /* By VM, and back: the order of restarts. */
    uint32_t *waiting;        /* Ranks, ascending. */
    uint32_t n_waiting;
    uint32_t *dirty; /* Hosts that changed since VMs that wait were tried. */
    uint32_t n_dirty;
    uint32_t *n_moves; /* By VM, of plans; names draws. */

    /* sim/failure/home.c: hard rules that count after a loss. */
    uint32_t *rule_first, *rules; /* By VM. */
    uint32_t *everywhere, n_everywhere;
    uint32_t *domain[DCP_DOMAINS]; /* By host. */

    struct dcp_sim_event *events;
    uint32_t n_events, events_capacity;
    struct dcp_vm_outage *vm_outages;
    uint32_t n_vm_outages, vm_outages_capacity;
    struct dcp_ha_loss *losses;
    uint32_t n_losses, losses_capacity;
    struct dcp_ha_counts counts;
};

static inline int64_t
dcp_ha_later(int64_t at_ms, int64_t ms)
{
    return at_ms > INT64_MAX - ms ? INT64_MAX : at_ms + ms;
}

/* Steps of plans are numbered from 1. */
static inline bool
dcp_ha_is_own(const struct dcp_step *s)
{
    return s->id == 0;
}

/* --- sim/failure/home.c: where may a VM go? ------------------------------- */

bool dcp_ha_home_init(struct dcp_ha *, struct dcp_error *err) DCP_CHECKED;
void dcp_ha_home_finish(struct dcp_ha *);
/* Room, reach and rules; not whether the host is on. */
bool dcp_ha_allowed(const struct dcp_ha *, uint32_t vm, uint32_t host);
enum dcp_homeless dcp_ha_why(const struct dcp_ha *, uint32_t vm);
bool dcp_ha_fits(const struct dcp_ha *, uint32_t vm, uint32_t host);
/* The same of one that is there, with another size. */
bool dcp_ha_fits_size(const struct dcp_ha *, uint32_t vm, uint32_t host,
                      struct dcp_vm_size);
/* More may be possible on the host now. */
void dcp_ha_mark(struct dcp_ha *, uint32_t host);
/* The VM has left, and with it what rules kept from where it was. */
void dcp_ha_mark_left(struct dcp_ha *, uint32_t vm);
/* Counts the VM on the host, or takes it off. */
void dcp_ha_load(struct dcp_ha *, uint32_t vm, uint32_t host, bool add);

/* --- sim/failure/restart.c ------------------------------------------------ */

bool dcp_ha_emit(struct dcp_ha *, const struct dcp_step *,
                 enum dcp_action_phase, struct dcp_error *err) DCP_CHECKED;
/* The same with a step of our own: of a VM at a host, or of a host. */
bool
dcp_ha_emit_own(struct dcp_ha *, enum dcp_step_kind, uint32_t vm, uint32_t host,
                enum dcp_action_phase, struct dcp_error *err) DCP_CHECKED;

struct dcp_step *
dcp_ha_own_step(struct dcp_ha *, enum dcp_step_kind, uint32_t vm, uint32_t from,
                uint32_t to, struct dcp_error *err) DCP_CHECKED;
bool dcp_ha_set_timer(struct dcp_ha *, int64_t at_ms, struct ha_timer,
                      struct dcp_error *err) DCP_CHECKED;
/* The same of no step. */
bool dcp_ha_set_timer_of(struct dcp_ha *, int64_t at_ms, enum ha_timer_kind,
                         uint32_t ix, uint32_t generation,
                         struct dcp_error *err) DCP_CHECKED;
enum ha_search {
    HA_FOR_START,       /* Hosts that start at most so many VMs at one time. */
    HA_FOR_START_AGAIN, /* Of them, those that changed. */
    HA_FOR_MOVE, /* Hosts to which so many migrations may come at one time. */
};
/* The host for 'vm', UINT32_MAX: none now.  '*out_homeless': not even one that
 * is busy. */
uint32_t dcp_ha_best_host(const struct dcp_ha *, uint32_t vm, enum ha_search,
                          bool *out_homeless);
/* The host may come up, if it is wanted. */
bool dcp_ha_host_boots(struct dcp_ha *, uint32_t host,
                       struct dcp_error *err) DCP_CHECKED;

/* --- sim/failure/drain.c: maintenance ------------------------------------- */

void dcp_ha_drain_begins(struct dcp_ha *, uint32_t host);
bool dcp_ha_drain_ends(struct dcp_ha *, uint32_t maintenance,
                       struct dcp_error *err) DCP_CHECKED;
/* Starts what moves can be started; switches off what is empty. */
bool dcp_ha_drain(struct dcp_ha *, struct dcp_error *err) DCP_CHECKED;

/* --- sim/failure/moves.c: migrations under way ---------------------------- */

/* 'net' as for dcp_transfers_create(). */
bool dcp_ha_moves_init(struct dcp_ha *, const struct dcp_samples *net,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_ha_moves_finish(struct dcp_ha *);
/* One more migration, by what policy allows of and into a host and both
 * together. */
bool dcp_ha_may_leave(const struct dcp_ha *, uint32_t host);
bool dcp_ha_may_come(const struct dcp_ha *, uint32_t host);
bool dcp_ha_move_begins(struct dcp_ha *, const struct dcp_step *,
                        struct dcp_error *err) DCP_CHECKED;
/* After its VM is where it stays. */
bool dcp_ha_move_ends(struct dcp_ha *, const struct dcp_step *,
                      struct dcp_error *err) DCP_CHECKED;
/* One of our own is due; the network's samples go on. */
bool dcp_ha_own_move_ends(struct dcp_ha *, uint32_t vm,
                          struct dcp_error *err) DCP_CHECKED;
bool dcp_ha_network(struct dcp_ha *, struct dcp_error *err) DCP_CHECKED;

/* --- sim/failure/steps.c: what plans want --------------------------------- */

bool dcp_ha_step(struct dcp_ha *, const struct dcp_step *,
                 enum dcp_action_phase, struct dcp_error *err) DCP_CHECKED;
/* All steps under way at the host fail. */
bool dcp_ha_cut_steps(struct dcp_ha *, uint32_t host,
                      struct dcp_error *err) DCP_CHECKED;

bool dcp_ha_may_begin(const struct dcp_ha *, const struct dcp_step *);
/* Nothing of it depends on what is where. */
bool dcp_ha_is_elsewhere(const struct dcp_step *);

/* --- sim/failure/loss.c --------------------------------------------------- */

/* Told of steps of plans; nothing of our own. */
bool dcp_ha_lose(struct dcp_ha *, const struct dcp_step *,
                 enum dcp_step_loss why, struct dcp_error *err) DCP_CHECKED;

#endif /* sim/failure/world.h */
