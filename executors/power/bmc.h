/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_EXECUTORS_POWER_BMC_H
#define DCP_EXECUTORS_POWER_BMC_H 1

/* A board management controller (BMC): a small computer beside the host's that
 * sees and switches its power.  One interface over IPMI, Redfish and
 * Wake-on-LAN.
 *
 * A BMC acknowledges what it then does not do, says off before it is, and
 * repeats what is asked of it once when answers get lost; so no call here is
 * believed to have had an effect: who acts looks again, later, and more than
 * once.  To ask for what is so already is no error.
 *
 * All calls block until the target's deadline at most: they are for child
 * processes (executors/power/call.h).  Passwords are read from their files in
 * there, never passed on in arguments, environment or messages. */

#include "executors/power/guid.h"
#include "model/base/error.h"
#include "model/io/connect.h"

enum dcp_power {
    DCP_POWER_UNKNOWN, /* It cannot be asked. */
    DCP_POWER_OFF,
    DCP_POWER_ON,
    DCP_POWER_TURNING, /* On its way, by its own words; not off. */
};
const char *dcp_power_name(enum dcp_power); /* "off" ... */

/* Of whom something is asked, all borrowed. */
struct dcp_bmc_target {
    const struct dcp_bmc *bmc;
    const char *uuid;     /* That the BMC is to say; "": any. */
    const char *ipmitool; /* The program; looked for in PATH. */
    int64_t deadline_ms;  /* By dcp_boot_ms(). */
};

/* Why it went wrong, in the error's code: DCP_E_REFUSED: the BMC's answer was
 * no (password, user, cipher, certificate), and it will be no again;
 * DCP_E_UNSUPPORTED: it cannot do this; DCP_E_NOT_FOUND: a file or program of
 * ours is missing; else it may be better next time. */
struct dcp_bmc_ops {
    const char *name;
    bool can_be_asked; /* Has 'look', and can be switched off. */
    /* The power now; and, into '*out_said', what it calls itself ("" where it
     * says nothing) if 'out_said' is not NULL. */
    bool (*look)(const struct dcp_bmc_target *, enum dcp_power *out,
                 char out_said[DCP_GUID_TEXT], struct dcp_error *err);
    bool (*on)(const struct dcp_bmc_target *, struct dcp_error *err);
    /* Asks the host's own system to shut down, which it may not do. */
    bool (*graceful)(const struct dcp_bmc_target *, struct dcp_error *err);
    /* Takes the power away.  For fencing (executors/power/fence.h) only. */
    bool (*hard)(const struct dcp_bmc_target *, struct dcp_error *err);
};

extern const struct dcp_bmc_ops dcp_bmc_ipmi, dcp_bmc_redfish, dcp_bmc_wake;

/* NULL: the host has none. */
const struct dcp_bmc_ops *dcp_bmc_ops_of(const struct dcp_bmc *);

/* --- What the implementations share -------------------------------------- */

/* What ipmitool printed for "chassis power status": exactly one of its two
 * lines.  Public for tests and fuzzing, as are the next two. */
bool dcp_ipmi_parse_power(const char *text, enum dcp_power *out);
/* For "mc guid dump". */
bool dcp_ipmi_parse_guid(const char *text, char out_said[DCP_GUID_TEXT]);

/* "52:54:00:12:34:56", hyphens as well. */
bool dcp_wake_parse_mac(const char *text, uint8_t out[6]);

#endif /* executors/power/bmc.h */
