/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_CLI_EXPLAIN_H
#define DCP_CLI_EXPLAIN_H 1

/* What `plan explain` says: of one VM, of one host, and why a VM is not on a
 * host. */

#include "cli/plan_open.h"
#include "model/io/json_writer.h"
#include "solver/explain/worth.h"
#include "solver/state.h"

struct dcp_explain {
    const struct dcp_globals *g;
    struct dcp_plan_open open;
    /* The state at one leg's end; see dcp_explain_state(). */
    struct dcp_demand *demand; /* Owned. */
    /* Where the plan resizes VMs, as legs end: NULL where nothing differs.
     * Owned. */
    struct dcp_inventory *resized;
    struct dcp_demand *grown;
    struct dcp_question question;
    struct dcp_problem *problem; /* Owned. */
    struct dcp_state *state;     /* Owned. */
    uint8_t *closed; /* By rule, for the leg of 'state'; owned. */
    bool replan;                 /* --replan. */
    /* The question that the plan answers; see dcp_explain_request(). */
    bool has_request;
    struct dcp_plan_request request;
    uint8_t *resting; /* Owned. */
    uint8_t *may_convert; /* Owned; by VM, where the plan might have. */
};

static inline const struct dcp_inventory *
dcp_explain_inventory(const struct dcp_explain *x)
{
    return x->open.context.model.inventory;
}

/* Fills 'demand', and 'resized' and 'grown' where the plan resizes VMs. */
bool dcp_explain_sizes(struct dcp_explain *, struct dcp_error *err) DCP_CHECKED;
/* Makes 'state' that at the end of leg 'leg', judged in that leg's slots, as
 * the solver sees it; soft rules are ignored.  Replaces what was there. */
bool dcp_explain_state(struct dcp_explain *, uint32_t leg,
                       struct dcp_error *err) DCP_CHECKED;
void dcp_explain_finish(struct dcp_explain *);

/* Each prints its answer, as text or JSON; the exit status or -1. */
int dcp_explain_vm(struct dcp_explain *, dcp_vm_id, struct dcp_error *err);
int dcp_explain_host(struct dcp_explain *, dcp_host_id, struct dcp_error *err);
int dcp_explain_why_not(struct dcp_explain *, dcp_vm_id, dcp_host_id,
                        uint32_t leg, struct dcp_error *err);

/* cli/explain_volume.c: volumes by name ("db-1/0") and pools. */
bool dcp_explain_find_volume(const struct dcp_explain *, const char *name,
                             uint32_t *out, struct dcp_error *err) DCP_CHECKED;
bool dcp_explain_find_pool(const struct dcp_explain *, const char *name,
                           uint32_t *out, struct dcp_error *err) DCP_CHECKED;
int dcp_explain_volume(struct dcp_explain *, uint32_t volume,
                       struct dcp_error *err);
int dcp_explain_pool(struct dcp_explain *, uint32_t pool,
                     struct dcp_error *err);
int dcp_explain_volume_why_not(struct dcp_explain *, uint32_t volume,
                               uint32_t pool, uint32_t leg,
                               struct dcp_error *err);

/* The one rule of that name. */
int dcp_explain_rule(struct dcp_explain *, const char *name,
                     struct dcp_error *err);
/* All rules by what they cost. */
int dcp_explain_rules(struct dcp_explain *, struct dcp_error *err);
/* Why no fewer hosts will do. */
int dcp_explain_bound(struct dcp_explain *, struct dcp_error *err);

/* cli/explain_resize.c: what the VM's resize is worth, where the plan has one;
 * 'json' NULL: as text. */
bool dcp_explain_resize(struct dcp_explain *, dcp_vm_id, struct dcp_json *json,
                        struct dcp_error *err);
/* cli/explain_worth.c: asks again what the plan was made for; '*out_why_not'
 * says why that cannot be done (a text), or is NULL. */
bool dcp_explain_request(struct dcp_explain *, const char **out_why_not,
                         struct dcp_error *err) DCP_CHECKED;
/* What the VM's move, or switching the host off, is worth: "" where the plan
 * does neither; or why that is not told. */
bool dcp_explain_print_worth(struct dcp_explain *,
                             const struct dcp_worth_change *,
                             struct dcp_error *err) DCP_CHECKED;
/* Member "worth". */
bool dcp_explain_json_worth(struct dcp_explain *, struct dcp_json *,
                            const struct dcp_worth_change *,
                            struct dcp_error *err) DCP_CHECKED;
/* Members of what was planned again: best, least, found, found_least, and
 * KEY, KEY_at_least, KEY_at_most, exact. */
void dcp_explain_json_replanned(struct dcp_json *, const struct dcp_worth *,
                                const char *key);
/* Equal, as far as sums of rounded numbers can be. */
bool dcp_worth_is_exact(const struct dcp_worth *);
/* "0.42 EUR", "3 hosts". */
void dcp_explain_amount(const struct dcp_worth *, double value, char *out,
                        size_t size);

/* cli/explain_licences.c, where policy.licences is `owned`: units that the end
 * of the leg needs, and those that are owned; false: this one limits nothing,
 * or, where a host is named, no VM there needs it (DCP_IX_NONE: all hosts). */
bool dcp_explain_licence(const struct dcp_explain *, uint32_t leg,
                         uint32_t licence, uint32_t host, double *out_needed,
                         double *out_owned);
void dcp_explain_print_licences(const struct dcp_explain *, uint32_t leg,
                                uint32_t host);
/* Member "licences". */
void dcp_explain_json_licences(const struct dcp_explain *, struct dcp_json *,
                               uint32_t leg, uint32_t host);

/* cli/explain_empty.c: why the host, on at the end of the first leg, is not
 * off; nothing (null) for other legs and hosts that may not go off.  The state
 * is that of the leg. */
bool dcp_explain_print_empty(struct dcp_explain *, uint32_t leg, uint32_t host,
                             struct dcp_error *err) DCP_CHECKED;
/* Member "emptying". */
bool dcp_explain_json_empty(struct dcp_explain *, struct dcp_json *,
                            uint32_t leg, uint32_t host,
                            struct dcp_error *err) DCP_CHECKED;

/* An open JSON object: schema and what is asked about. */
void
dcp_explain_json_head(struct dcp_json *, const char *kind, const char *name);
/* Closes it with `run` and prints. */
int dcp_explain_json_end(const struct dcp_explain *, struct dcp_json *,
                         struct dcp_error *err);
/* "2 migrate vm:db-1" and its JSON. */
void
dcp_explain_print_step(const struct dcp_inventory *, const struct dcp_step *);
void dcp_explain_json_step(const struct dcp_inventory *, struct dcp_json *,
                           const struct dcp_step *);
const char *dcp_explain_host_name(const struct dcp_inventory *, dcp_host_id);

#endif /* cli/explain.h */
