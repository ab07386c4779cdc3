/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_TURN_H
#define DCP_EXECUTORS_POWER_TURN_H 1

/* One host that is looked at, turned off or turned on, without ever blocking
 * for longer than its guests take to count.
 *
 * Off: the BMC is asked (and says who it is, once); then who runs there, twice,
 * some time apart; then the guard, or the BMC, asks the host to shut down; then
 * the BMC is watched.  Off is believed only when it was read twice, some time
 * apart, with no other word between.  What is not off in time is left on.
 *
 * On: the BMC is asked, told to switch on, again if nothing comes of it, and
 * watched until the host's hypervisor answers.
 *
 * To ask for what is so already, or once more, is harmless; so a turn may be
 * begun anew after its process was killed.  Never is power taken away here.
 *
 * One thread; see executors/power/call.h. */

#include "executors/power/call.h"
#include "executors/power/guests.h"

struct dcp_power_timing {
    int64_t look_ms, act_ms, guard_ms; /* What a call of each kind may take. */
    int64_t poll_ms;                   /* Between looks at a host. */
    int64_t fresh_ms;       /* What was seen so long ago is as good as now. */
    int64_t guests_gap_ms;  /* Between the two counts of guests. */
    int64_t guests_wait_ms; /* Given to a host or BMC that cannot tell yet. */
    int64_t off_gap_ms;     /* Between the two times that a host is off. */
    int64_t off_ms;         /* After which a host that is not off is left on. */
    int64_t unclear_ms; /* The same where nobody knows whether it was asked. */
    int64_t on_ms;      /* After which a host that is not on has failed. */
    int64_t resend_ms;  /* After which "on" is asked for again. */
    uint32_t n_sends;   /* Times that "on" is asked for, at most. */
};
void dcp_power_timing_default(struct dcp_power_timing *out);

struct dcp_turn_host { /* All borrowed. */
    dcp_host_id id;
    const char *name;
    const struct dcp_connect_host *connect;
    const struct dcp_guests *guests; /* 'count' may be NULL. */
    const struct dcp_power_timing *timing;
    const char *ipmitool;
};

enum dcp_turn_stage {
    DCP_TURN_IDLE,
    DCP_TURN_LOOK,
    DCP_TURN_COUNT,
    DCP_TURN_COUNT_AGAIN,
    DCP_TURN_ACT,
    DCP_TURN_WATCH,
    DCP_TURN_ENDED, /* 'ok' and 'text' say how. */
};

struct dcp_turn {
    struct dcp_turn_host host;
    /* What is known.  Times by dcp_boot_ms(); 0: never. */
    bool identified;
    bool stranger; /* The BMC is another machine's, 'refusal' says whose. */
    char refusal[160];
    enum dcp_power seen;
    int64_t seen_ms;
    int64_t off_since_ms; /* Of the first "off" with none else since. */
    /* What is done. */
    enum dcp_turn_stage stage;
    bool on; /* What for. */
    bool only_watch;
    bool acted;   /* A request was sent, or may have been. */
    bool was_off; /* OFF was believed since it began. */
    bool failed;  /* To look, the last time. */
    uint32_t n_sent;
    int64_t sent_ms, due_ms, until_ms;
    bool ok;
    char text[160];
    char note[120]; /* The last trouble on the way. */
    /* What is under way. */
    struct dcp_call call;
    enum dcp_call_verb verb;
};

void dcp_turn_init(struct dcp_turn *, const struct dcp_turn_host *);
void dcp_turn_finish(struct dcp_turn *); /* Kills what is under way. */

/* Begins; 'only_watch': nothing is asked for, only waited for.  'estimate_ms'
 * of the step, of which the time allowed is three at least. */
void dcp_turn_begin(struct dcp_turn *, bool on, bool only_watch,
                    int64_t estimate_ms);
/* Does what is due, or can be done as a call has ended; at its end the stage is
 * ENDED, until the caller makes it IDLE. */
void dcp_turn_go(struct dcp_turn *);
/* When there is something to do though no call ends; INT64_MAX: never. */
int64_t dcp_turn_due_ms(const struct dcp_turn *);
/* Ends it, if nothing was sent yet. */
bool dcp_turn_cancel(struct dcp_turn *, struct dcp_error *err);

/* Looks at the BMC now unless that was done just now, and blocks for that.
 * False: it could not be seen; DCP_E_REFUSED: nor will it be. */
bool dcp_turn_look(struct dcp_turn *, struct dcp_error *err);
/* Off was read twice, so far apart, and nothing else between or since. */
bool dcp_turn_is_off(const struct dcp_turn *);

/* The host can be asked who runs on it. */
bool dcp_turn_answers(const struct dcp_turn *, uint32_t *out_n,
                      struct dcp_error *err);

#endif /* executors/power/turn.h */
