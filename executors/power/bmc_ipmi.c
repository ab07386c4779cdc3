/* SPDX-License-Identifier: GPL-3.0-or-later */

/* IPMI over LAN (RMCP+) through ipmitool, whose own retransmissions make one
 * request arrive twice at a slow BMC; what is asked here can be repeated.
 *
 * The session is an operator's: that suffices for chassis control.  ipmitool
 * reads the password from its file by itself; here the file is only checked.
 * -v makes it say why a session was refused, and nothing that is secret. */

#include "executors/power/bmc.h"

#include "executors/power/boot_clock.h"
#include "executors/power/program.h"

#include <stdio.h>
#include <string.h>

#define PASSWORD_MAX 20 /* IPMI 2.0, 13.33: bytes of a user's key. */

bool
dcp_ipmi_parse_power(const char *text, enum dcp_power *out)
{
    if (!strcmp(text, "Chassis Power is on\n")) {
        *out = DCP_POWER_ON;
    } else if (!strcmp(text, "Chassis Power is off\n")) {
        *out = DCP_POWER_OFF;
    } else {
        return false;
    }
    return true;
}

/* Its first line, after a colon; a decoded form has more of them. */
bool
dcp_ipmi_parse_guid(const char *text, char out_said[DCP_GUID_TEXT])
{
    static const char label[] = "System GUID";
    char value[48];
    struct dcp_guid guid;
    const char *colon = strchr(text, ':');

    if (strncmp(text, label, sizeof label - 1) != 0 || !colon ||
        strspn(text + sizeof label - 1, " ") !=
            (size_t)(colon - text) - (sizeof label - 1)) {
        return false;
    }
    colon += 1 + strspn(colon + 1, " ");
    size_t length = strcspn(colon, " \n");

    if (length >= sizeof value) {
        return false;
    }
    memcpy(value, colon, length);
    value[length] = '\0';
    if (!dcp_guid_parse(value, &guid)) {
        return false;
    }
    dcp_guid_print(&guid, out_said);
    return true;
}

static bool
check_password(const struct dcp_bmc *bmc, struct dcp_error *err)
{
    char secret[DCP_SECRET_SIZE];

    if (!dcp_connect_secret(bmc->password_file, secret, err)) {
        return false;
    }
    bool fits = strlen(secret) <= PASSWORD_MAX;

    explicit_bzero(secret, sizeof secret);
    return fits || dcp_fail(err, DCP_E_REFUSED,
                            "%s: IPMI knows passwords of up to %d bytes",
                            bmc->password_file, PASSWORD_MAX);
}

static bool
no_session(const struct dcp_program_result *r)
{
    return strstr(r->err, "Unable to establish") != NULL;
}

/* What ipmitool says when a session is refused, and what to do then. */
static bool
explain(const struct dcp_bmc *bmc, const struct dcp_program_result *r,
        struct dcp_error *err)
{
    static const struct {
        const char *said, *means;
    } known[] = {
        { "HMAC is invalid", "the password in the file is not this user's" },
        { "invalid integrity check", "the password in the file is not this "
                                     "user's" },
        { "unauthorized name", "it knows no such user" },
        { "role or privilege", "the user may not be an operator" },
        { "privilege level", "the user may not be an operator" },
        { "authentication algorithm", "it does not take this cipher suite" },
        { "integrity algorithm", "it does not take this cipher suite" },
        { "confidentiality algorithm", "it does not take this cipher suite" },
        { "cipher suite", "it does not take this cipher suite" },
    };
    bool refused = no_session(r);
    char line[208];

    for (size_t i = 0; refused && i < sizeof known / sizeof known[0]; i++) {
        if (strstr(r->err, known[i].said)) {
            return dcp_fail(err, DCP_E_REFUSED,
                            "BMC %s:%u refuses user '%s' (cipher %u, password "
                            "in %s): %s; correct connect.yaml or the file",
                            bmc->address, bmc->port, bmc->user, bmc->cipher,
                            bmc->password_file, known[i].means);
        }
    }
    if (r->late || refused) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "BMC %s:%u does not answer; is its network up, is "
                        "IPMI over LAN enabled?",
                        bmc->address, bmc->port);
    }
    dcp_program_last_line(r->err, line, sizeof line);
    return dcp_fail(err, DCP_E_REMOTE, "BMC %s:%u: %s", bmc->address, bmc->port,
                    line[0] ? line : "ipmitool failed silently");
}

/* Runs ipmitool with up to three words of a command.  'in_place': that it
 * cannot be done in the present state means that it is so already. */
static bool
run(const struct dcp_bmc_target *t, const char *const words[3], bool in_place,
    struct dcp_program_result *r, struct dcp_error *err)
{
    const struct dcp_bmc *bmc = t->bmc;
    char port[12], cipher[12];
    const char *argv[] = {
        t->ipmitool, "-v",   "-I",     "lanplus",  "-H",     bmc->address,
        "-p",        port,   "-U",     bmc->user,  "-f",     bmc->password_file,
        "-C",        cipher, "-L",     "OPERATOR", "-N",     "1",
        "-R",        "2",    words[0], words[1],   words[2], NULL
    };

    (void)snprintf(port, sizeof port, "%u", bmc->port);
    (void)snprintf(cipher, sizeof cipher, "%u", bmc->cipher);
    if (!check_password(bmc, err)) {
        return false;
    }
    if (!dcp_program_run(argv, t->deadline_ms, r, err)) {
        return err && err->code == DCP_E_NOT_FOUND
                   ? dcp_fail(err, DCP_E_NOT_FOUND,
                              "the program '%s' is not here; install ipmitool",
                              t->ipmitool)
                   : false;
    }
    if (r->status == 0 && !r->truncated) {
        return true;
    }
    if (in_place && strstr(r->err, "not supported in present state")) {
        return true;
    }
    return explain(bmc, r, err);
}

static bool
look(const struct dcp_bmc_target *t, enum dcp_power *out,
     char out_said[DCP_GUID_TEXT], struct dcp_error *err)
{
    static const char *const guid[3] = { "mc", "guid", "dump" };
    static const char *const status[3] = { "chassis", "power", "status" };
    struct dcp_program_result r;

    if (!run(t, status, false, &r, err)) {
        return false;
    }
    if (!dcp_ipmi_parse_power(r.out, out)) {
        return dcp_fail(err, DCP_E_REMOTE,
                        "BMC %s:%u: ipmitool says neither on nor off: '%.80s'",
                        t->bmc->address, t->bmc->port, r.out);
    }
    if (!out_said) {
        return true;
    }
    out_said[0] = '\0';
    if (run(t, guid, false, &r, err)) {
        (void)dcp_ipmi_parse_guid(r.out, out_said);
        return true;
    }
    /* In a session the BMC's no only means that it has nothing to say. */
    return !r.late && !no_session(&r);
}

static bool
control(const struct dcp_bmc_target *t, const char *verb, struct dcp_error *err)
{
    const char *const words[3] = { "chassis", "power", verb };
    struct dcp_program_result r;

    return run(t, words, true, &r, err);
}

static bool
on(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return control(t, "on", err);
}

static bool
graceful(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return control(t, "soft", err);
}

static bool
hard(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return control(t, "off", err);
}

const struct dcp_bmc_ops dcp_bmc_ipmi = {
    .name = "ipmi",
    .can_be_asked = true,
    .look = look,
    .on = on,
    .graceful = graceful,
    .hard = hard,
};
