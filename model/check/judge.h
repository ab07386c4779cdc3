/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_CHECK_JUDGE_H
#define DCP_MODEL_CHECK_JUDGE_H 1

/* What all parts of the checker share: the question, room to work in, and the
 * result that they add to.  Internal to model/check/. */

#include "model/check/check.h"

struct dcp_judge {
    /* Sizes of VMs as the plan leaves them: what stands at each leg's end. */
    const struct dcp_inventory *inv;
    /* And as it finds them.  The same where no step resizes. */
    const struct dcp_inventory *was;
    const uint32_t *resize; /* By VM: the step that resizes it, 0: none; NULL:
                             * no step does. */
    const struct dcp_demand *demand;
    const struct dcp_plan *plan; /* NULL: a placement alone is judged. */
    /* What the start broke is not held against a plan: pairs of VMs, VMs on
     * hosts, and amounts are compared with this.  NULL: nothing is excused. */
    const struct dcp_placement *base;
    const uint8_t *asked; /* By rule: look at it; NULL: at all. */
    struct dcp_check_result *result;
    struct dcp_error *err; /* For running out of memory. */
};

#define DCP_NO_NUMBER __builtin_nan("")

/* Adds a violation; 'step' 0: none. Failing to keep one for lack of memory
 * still counts it. */
void dcp_judge_report(const struct dcp_judge *, uint32_t step, const char *rule,
                      struct dcp_object object, double need, double have,
                      const char *format, ...) DCP_PRINTF(7, 8);
/* As above for a soft rule that is broken 'n' times: 'need' is what that
 * costs, 'have' is n. */
void dcp_judge_report_soft(const struct dcp_judge *, const struct dcp_rule *,
                           struct dcp_object object, double n,
                           const char *format, ...) DCP_PRINTF(5, 6);
/* Fills the error; false. */
bool dcp_judge_no_memory(const struct dcp_judge *);

/* Whose sizes hold for the VM once all steps before 'id' are done: j->inv or
 * j->was. */
static inline const struct dcp_inventory *
dcp_judge_at(const struct dcp_judge *j, uint32_t vm, uint32_t id)
{
    return j->resize && j->resize[vm] >= id ? j->was : j->inv;
}

static inline struct dcp_object
dcp_judge_vm(uint32_t vm)
{
    return (struct dcp_object){ DCP_OBJECT_VM, vm };
}

static inline struct dcp_object
dcp_judge_host(uint32_t host)
{
    return (struct dcp_object){ DCP_OBJECT_HOST, host };
}

/* --- Reach: may this VM run there at all? ------------------------------- */

/* The rule that 'vm' on 'host' would break ("hypervisor", "cpu_generation",
 * "numa", "storage", "windows"), with the reason in 'text'; NULL: none.  VLANs
 * are not looked at.  Its volumes are where 'volumes' has them; NULL: where the
 * inventory has. */
const char *dcp_check_reach_refusal(const struct dcp_inventory *,
                                    const struct dcp_placement *volumes,
                                    uint32_t vm, uint32_t host,
                                    char text[120]);
/* Whether the host opens the pools that the placement has the VM's volumes in;
 * the reason in 'text' where not. */
bool dcp_check_volumes_open(const struct dcp_placement *,
                            const struct dcp_inventory *, uint32_t vm,
                            uint32_t host, char text[120]);
/* The same for the way of a migration between two hosts. */
const char *
dcp_check_reach_move_refusal(const struct dcp_inventory *, uint32_t vm,
                             uint32_t from, uint32_t to, bool cold,
                             char text[120]);
/* A port of the host carries the VLAN as the model says, or the host's ports
 * are not modelled. */
bool dcp_check_reach_vlan_now(const struct dcp_inventory *, uint32_t host,
                              uint32_t vlan);
/* A port goes to a switch whose VLANs we can change. */
bool dcp_check_reach_vlan_driver(const struct dcp_inventory *, uint32_t host);

/* --- Rules in one state ------------------------------------------------- */

/* What counts as one place for a rule; hosts without that fact are a place of
 * their own. */
uint32_t dcp_check_rules_domain(const struct dcp_inventory *, enum dcp_domain,
                                uint32_t host);
/* Judges every rule in one placement (an end state): hard ones with what the
 * base broke excused, soft ones apart. 'when' is for the message. */
bool
dcp_check_rules_check(const struct dcp_judge *, const struct dcp_placement *,
                      const char *when) DCP_CHECKED;

#endif /* model/check/judge.h */
