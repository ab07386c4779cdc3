/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Redfish (DMTF DSP0266, DSP2046): the host is a resource below /Systems with
 * its power, its UUID and an action to change the power.  The url in
 * connect.yaml names the system, or the service, whose systems are then looked
 * through for the one that has the host's UUID. */

#include "executors/power/bmc.h"

#include "executors/power/boot_clock.h"
#include "executors/power/redfish_http.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SERVICE_ROOT "/redfish/v1/"
#define SYSTEMS_MAX  64
#define NAP_MS       300

/* One system: its resource, and where it is. */
struct system {
    struct dcp_http *http;
    struct dcp_http_reply reply;
    char path[1024];
};

static bool
get(struct dcp_http *http, const char *path, struct dcp_http_reply *out,
    struct dcp_error *err)
{
    char why[160];

    if (!dcp_http_ask(http, path, NULL, NULL, out, err)) {
        return false;
    }
    if (out->status == 200 && json_is_object(out->body)) {
        return true;
    }
    dcp_http_reason(out, why);
    dcp_http_reply_finish(out);
    return dcp_fail(err, DCP_E_REMOTE, "BMC: %.100s: %s", path, why);
}

static const char *
text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void
say_uuid(const json_t *body, char out_said[DCP_GUID_TEXT])
{
    struct dcp_guid guid;

    out_said[0] = '\0';
    if (dcp_guid_parse(text_of(body, "UUID"), &guid)) {
        dcp_guid_print(&guid, out_said);
    }
}

static bool
take(struct system *s, const char *path, struct dcp_error *err)
{
    (void)snprintf(s->path, sizeof s->path, "%s", path);
    return get(s->http, s->path, &s->reply, err);
}

/* The only member, or the one that has the UUID. */
static bool
choose(struct system *s, const struct dcp_bmc_target *t, const json_t *members,
       struct dcp_error *err)
{
    struct dcp_guid wanted, said;
    size_t n = json_array_size(members);
    bool by_uuid = dcp_guid_parse(t->uuid, &wanted);

    if (n == 1) {
        return take(s, text_of(json_array_get(members, 0), "@odata.id"), err);
    }
    for (size_t i = 0; by_uuid && i < n && i < SYSTEMS_MAX; i++) {
        if (!take(s, text_of(json_array_get(members, i), "@odata.id"), err)) {
            return false;
        }
        if (dcp_guid_parse(text_of(s->reply.body, "UUID"), &said) &&
            dcp_guid_same(&wanted, &said)) {
            return true;
        }
        dcp_http_reply_finish(&s->reply);
    }
    return dcp_fail(err, DCP_E_REFUSED,
                    "BMC %s has %zu systems, and none is '%.40s'; give the "
                    "system's own URL, or the host's uuid, in connect.yaml",
                    t->bmc->url, n, t->uuid);
}

static bool
find_in_service(struct system *s, const struct dcp_bmc_target *t,
                const char *root, struct dcp_error *err)
{
    struct dcp_http_reply service, all;

    if (!get(s->http, root, &service, err)) {
        return false;
    }
    const char *systems =
        text_of(json_object_get(service.body, "Systems"), "@odata.id");
    bool ok = systems[0] != '\0' ||
              dcp_fail(err, DCP_E_UNSUPPORTED, "BMC %s tells of no systems",
                       t->bmc->url);

    ok = ok && get(s->http, systems, &all, err);
    if (ok) {
        ok = choose(s, t, json_object_get(all.body, "Members"), err);
        dcp_http_reply_finish(&all);
    }
    dcp_http_reply_finish(&service);
    return ok;
}

static bool
find(struct system *s, const struct dcp_bmc_target *t, struct dcp_error *err)
{
    const char *path = "", *below;

    *s = (struct system){ 0 };
    s->http = dcp_http_open(t->bmc, t->deadline_ms, &path, err);
    if (!s->http) {
        return false;
    }
    below = strstr(path, "/Systems/");
    if (below && below[strlen("/Systems/")]) {
        return take(s, path, err);
    }
    return find_in_service(s, t, strlen(path) > 1 ? path : SERVICE_ROOT, err);
}

static void
system_finish(struct system *s)
{
    dcp_http_reply_finish(&s->reply);
    dcp_http_close(s->http);
}

static bool
power_of(const struct dcp_bmc_target *t, const json_t *body,
         enum dcp_power *out, struct dcp_error *err)
{
    static const struct {
        const char *name;
        enum dcp_power power;
    } states[] = {
        { "On", DCP_POWER_ON },
        { "Off", DCP_POWER_OFF },
        { "PoweringOn", DCP_POWER_TURNING },
        { "PoweringOff", DCP_POWER_TURNING },
        { "Paused", DCP_POWER_ON },
    };
    const char *said = text_of(body, "PowerState");

    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        if (!strcmp(said, states[i].name)) {
            *out = states[i].power;
            return true;
        }
    }
    return dcp_fail(err, DCP_E_REMOTE,
                    "BMC %s says that the power is '%.40s', which is neither "
                    "on nor off",
                    t->bmc->url, said);
}

static bool
look(const struct dcp_bmc_target *t, enum dcp_power *out,
     char out_said[DCP_GUID_TEXT], struct dcp_error *err)
{
    struct system s;
    bool ok = find(&s, t, err) && power_of(t, s.reply.body, out, err);

    if (ok && out_said) {
        say_uuid(s.reply.body, out_said);
    }
    system_finish(&s);
    return ok;
}

/* --- Changing it -------------------------------------------------------- */

static void
nap(void)
{
    const struct timespec t = { .tv_nsec = NAP_MS * 1000000L };

    (void)nanosleep(&t, NULL);
}

/* Follows a task that the BMC made of a request (DSP0266, 12.2) to its end; one
 * that outlives the deadline was accepted, and whoever asked looks anyway. */
static bool
await(struct system *s, const struct dcp_bmc_target *t, const char *monitor,
      struct dcp_error *err)
{
    char path[1024], why[160];
    bool ended = monitor[0] == '\0', ok = true;

    (void)snprintf(path, sizeof path, "%s", monitor);
    while (ok && !ended && dcp_boot_ms() + 2 * NAP_MS < t->deadline_ms) {
        struct dcp_http_reply r;

        nap();
        ok = dcp_http_ask(s->http, path, NULL, NULL, &r, err);
        if (!ok) {
            break;
        }
        const char *state = text_of(r.body, "TaskState");

        if (!strcmp(state, "Exception") || !strcmp(state, "Killed") ||
            !strcmp(state, "Cancelled") ||
            (r.status >= 400 && r.status != 404)) {
            dcp_http_reason(&r, why);
            ok = dcp_fail(err, DCP_E_REMOTE,
                          "BMC %s gave the change of power up: %s %s",
                          t->bmc->url, state, why);
        }
        ended = r.status != 202 && (!state[0] || !strcmp(state, "Completed"));
        dcp_http_reply_finish(&r);
    }
    return ok;
}

static bool
is_allowed(const json_t *action, const char *type)
{
    const json_t *list =
        json_object_get(action, "ResetType@Redfish.AllowableValues");
    size_t i;
    json_t *value;

    if (!json_is_array(list)) {
        return true; /* It does not say. */
    }
    json_array_foreach(list, i, value)
    {
        const char *text = json_string_value(value);

        if (text && !strcmp(text, type)) {
            return true;
        }
    }
    return false;
}

/* The state that was asked for holds already: the no was none. */
static bool
is_so(struct system *s, const struct dcp_bmc_target *t, enum dcp_power wanted)
{
    struct dcp_http_reply r;
    enum dcp_power power = DCP_POWER_UNKNOWN;
    bool ok = get(s->http, s->path, &r, NULL) &&
              power_of(t, r.body, &power, NULL) && power == wanted;

    dcp_http_reply_finish(&r);
    return ok;
}

static bool
judge(struct system *s, const struct dcp_bmc_target *t,
      const struct dcp_http_reply *r, const char *type, enum dcp_power wanted,
      struct dcp_error *err)
{
    char why[160];

    if (r->status == 202) {
        return await(s, t, r->location, err);
    }
    if ((r->status >= 200 && r->status <= 299) || is_so(s, t, wanted)) {
        return true;
    }
    dcp_http_reason(r, why);
    return dcp_fail(err, DCP_E_REMOTE, "BMC %s will not do %s: %s", t->bmc->url,
                    type, why);
}

static bool
reset(const struct dcp_bmc_target *t, const char *type, enum dcp_power wanted,
      struct dcp_error *err)
{
    struct system s;
    struct dcp_http_reply r = { 0 };
    enum dcp_power power = DCP_POWER_UNKNOWN;
    bool ok = find(&s, t, err) && power_of(t, s.reply.body, &power, err);

    if (!ok || power == wanted) {
        system_finish(&s);
        return ok;
    }
    const json_t *action = json_object_get(
        json_object_get(s.reply.body, "Actions"), "#ComputerSystem.Reset");
    const char *target = text_of(action, "target");
    json_t *body = json_pack("{s:s}", "ResetType", type);

    if (!body) {
        ok = dcp_fail(err, DCP_E_NOMEM, "no memory to ask a BMC");
    } else if (!target[0] || !is_allowed(action, type)) {
        ok = dcp_fail(err, DCP_E_UNSUPPORTED,
                      "BMC %s cannot do %s; give the host a 'guard' in "
                      "connect.yaml",
                      t->bmc->url, type);
    }
    ok = ok && dcp_http_ask(s.http, target, body, NULL, &r, err);
    if (ok && (r.status == 412 || r.status == 428) && s.reply.etag[0]) {
        dcp_http_reply_finish(&r); /* It wants to know what we looked at. */
        ok = dcp_http_ask(s.http, target, body, s.reply.etag, &r, err);
    }
    ok = ok && judge(&s, t, &r, type, wanted, err);
    dcp_http_reply_finish(&r);
    json_decref(body);
    system_finish(&s);
    return ok;
}

static bool
on(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return reset(t, "On", DCP_POWER_ON, err);
}

static bool
graceful(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return reset(t, "GracefulShutdown", DCP_POWER_OFF, err);
}

static bool
hard(const struct dcp_bmc_target *t, struct dcp_error *err)
{
    return reset(t, "ForceOff", DCP_POWER_OFF, err);
}

const struct dcp_bmc_ops dcp_bmc_redfish = {
    .name = "redfish",
    .can_be_asked = true,
    .look = look,
    .on = on,
    .graceful = graceful,
    .hard = hard,
};
