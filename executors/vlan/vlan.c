/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/vlan/vlan.h"

#include "executors/live_clock.h"
#include "executors/vlan/device.h"
#include "executors/vlan/port.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define ASK_MS   5000  /* One transaction. */
#define APPLY_MS 15000 /* For a switch to work by what it was told. */

struct told { /* A device that was told something. */
    uint32_t device;
    int64_t cfg; /* Works by it once cur_cfg is there. */
};

struct job {
    uint32_t step; /* Id; 0: free. */
    struct told *told;
    uint32_t n_told;
    int64_t until_ms; /* By dcp_wire_clock_ms(). */
    bool over, ok;
    char text[160];
};

struct executor {
    struct dcp_executor base;
    struct dcp_vlan_options o;
    struct dcp_vlan_devices devices;
    struct dcp_live_clock clock;
    struct job *jobs;
    uint32_t n_jobs, capacity;
    int epoll;
};

static struct executor *
of(struct dcp_executor *executor)
{
    return (struct executor *)executor;
}

/* --- The ports of a host ------------------------------------------------ */

struct place { /* One port that the host's frames pass. */
    uint32_t device;
    const char *port;
};

/* Borrowed names; at most n_ports + 1. */
static uint32_t
list_places(const struct executor *e, uint32_t host, struct place out[])
{
    const struct dcp_host *h = &e->o.inventory->hosts[host];
    const struct dcp_connect_host *c = &e->o.connect->hosts[host];
    uint32_t n = 0;

    for (uint32_t p = 0; p < h->n_ports; p++) {
        dcp_switch_id to = h->ports[p].to;
        uint32_t device =
            dcp_switch_is_none(to) ? UINT32_MAX : e->devices.of_switch[to.ix];

        if (device != UINT32_MAX) {
            out[n++] = (struct place){ device, h->ports[p].port };
        }
    }
    if (*c->uplink && e->devices.of_host[host] != UINT32_MAX) {
        out[n++] = (struct place){ e->devices.of_host[host], c->uplink };
    }
    return n;
}

static const char *
name_of(const struct executor *e, uint32_t device)
{
    return e->devices.items[device].peer.name;
}

/* Its answers wake whoever waits. */
static void
watch_device(struct executor *e, uint32_t ix)
{
    struct dcp_vlan_device *d = &e->devices.items[ix];
    struct epoll_event event = { .events = EPOLLIN };

    if (d->db && !d->registered) {
        d->registered = epoll_ctl(e->epoll, EPOLL_CTL_ADD, dcp_ovsdb_fd(d->db),
                                  &event) == 0;
    }
}

static json_t *
ask(struct executor *e, uint32_t device, json_t *operations,
    struct dcp_error *err)
{
    json_t *result =
        dcp_vlan_device_ask(&e->devices.items[device], operations, ASK_MS, err);

    watch_device(e, device);
    return result;
}

static json_t *
array_of(json_t *operation)
{
    json_t *operations = json_array();

    if (!operation || json_array_append_new(operations, operation) != 0) {
        json_decref(operations);
        return NULL;
    }
    return operations;
}

static bool
read_port(struct executor *e, const struct place *at, struct dcp_vlan_port *out,
          struct dcp_error *err)
{
    json_t *result =
        ask(e, at->device, array_of(dcp_port_select(at->port)), err);
    const json_t *rows = json_object_get(json_array_get(result, 0), "rows");
    bool ok = result != NULL;

    if (ok && json_array_size(rows) != 1) {
        ok = dcp_fail(err, DCP_E_NOT_FOUND, "%.60s has no port '%.60s'",
                      name_of(e, at->device), at->port);
    }
    ok = ok && dcp_port_read(json_array_get(rows, 0), out, err);
    json_decref(result);
    return ok;
}

/* --- Looking ------------------------------------------------------------ */

static uint32_t
vlan_of(const struct executor *e, const struct dcp_step *s)
{
    return e->o.inventory->vlans[s->to.ix].id;
}

static bool
is_trunk(const struct dcp_step *s)
{
    return s->kind == DCP_STEP_VLAN_TRUNK;
}

/* The port is as the step wants it. */
static bool
is_done(const struct dcp_step *s, const struct dcp_vlan_port *p, uint32_t vlan)
{
    return is_trunk(s) ? dcp_port_carries(p, vlan)
                       : !dcp_port_carries(p, vlan) && !dcp_port_names(p, vlan);
}

/* The device works by what it was told last. */
static bool
is_applied(const struct executor *e, uint32_t device)
{
    const struct dcp_ovsdb *db = e->devices.items[device].db;

    return db && dcp_ovsdb_cur_cfg(db) >= dcp_ovsdb_next_cfg(db);
}

static bool
vlan_observe(struct dcp_executor *executor, const struct dcp_step *s,
             struct dcp_observation *out, struct dcp_error *err)
{
    struct executor *e = of(executor);
    const struct dcp_host *host = &e->o.inventory->hosts[s->object.ix];
    DCP_FREE struct place *places =
        calloc((size_t)host->n_ports + 1, sizeof *places);
    uint32_t vlan = vlan_of(e, s), n_done = 0;
    bool applied = true;

    *out = (struct dcp_observation){ .effect = DCP_EFFECT_UNKNOWN };
    if (!places) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for ports");
    }
    uint32_t n = list_places(e, s->object.ix, places);

    for (uint32_t k = 0; k < n; k++) {
        struct dcp_error why = { 0 };
        struct dcp_vlan_port port;

        if (!read_port(e, &places[k], &port, &why)) {
            out->effect = why.code == DCP_E_NOT_FOUND ? DCP_EFFECT_ELSEWHERE
                                                      : DCP_EFFECT_UNKNOWN;
            (void)snprintf(out->text, sizeof out->text, "%.150s", why.message);
            return true;
        }
        if (is_done(s, &port, vlan)) {
            n_done++;
        } else if (dcp_port_prevents(&port, vlan, is_trunk(s),
                                     name_of(e, places[k].device), out->text,
                                     sizeof out->text)) {
            out->effect = DCP_EFFECT_ELSEWHERE;
            return true;
        }
        applied &= is_applied(e, places[k].device);
    }
    if (!n) {
        (void)snprintf(out->text, sizeof out->text,
                       "no switch port of %.60s is known to connect.yaml",
                       host->name);
        out->effect = DCP_EFFECT_ELSEWHERE;
    } else {
        out->effect = n_done < n ? DCP_EFFECT_ABSENT
                      : applied  ? DCP_EFFECT_PRESENT
                                 : DCP_EFFECT_RUNNING;
    }
    return true;
}

/* --- Acting ------------------------------------------------------------- */

static struct job *
new_job(struct executor *e, uint32_t step, uint32_t n_places)
{
    struct told *told = calloc((size_t)n_places + 1, sizeof *told);
    uint32_t k = 0;

    while (k < e->n_jobs && e->jobs[k].step) {
        k++;
    }
    if (told && k == e->capacity) {
        uint32_t capacity = e->capacity ? 2 * e->capacity : 8;
        struct job *more = realloc(e->jobs, capacity * sizeof *more);

        if (!more) {
            free(told);
            return NULL;
        }
        e->jobs = more;
        e->capacity = capacity;
    }
    if (!told) {
        return NULL;
    }
    e->n_jobs = k == e->n_jobs ? k + 1 : e->n_jobs;
    e->jobs[k] = (struct job){
        .step = step,
        .told = told,
        .until_ms = dcp_wire_clock_ms() + APPLY_MS,
    };
    return &e->jobs[k];
}

static void
end_job(struct job *j, bool ok, const char *text)
{
    j->over = true;
    j->ok = ok;
    (void)snprintf(j->text, sizeof j->text, "%.150s", text);
}

static json_t *
change_of(const struct executor *e, const struct dcp_step *s,
          const struct dcp_vlan_port *port)
{
    json_t *operations = json_array();
    char comment[200];

    (void)snprintf(comment, sizeof comment,
                   "dcplan: plan %.36s, leg %.30s, step %u: %s VLAN %u, host "
                   "%.60s",
                   e->o.plan->uuid, e->o.plan->legs[s->leg].name, s->id,
                   is_trunk(s) ? "add" : "remove", vlan_of(e, s),
                   e->o.inventory->hosts[s->object.ix].name);
    if (operations) {
        dcp_port_change(operations, port, vlan_of(e, s), is_trunk(s));
        dcp_port_end_change(operations, comment);
    }
    return operations;
}

/* One port, looked at and changed where it has to be. */
static bool
change_port(struct executor *e, const struct dcp_step *s,
            const struct place *at, struct job *j, struct dcp_error *err)
{
    struct dcp_vlan_port port;
    char why[160];

    if (!read_port(e, at, &port, err)) {
        return false;
    }
    if (is_done(s, &port, vlan_of(e, s))) {
        return true;
    }
    if (dcp_port_prevents(&port, vlan_of(e, s), is_trunk(s),
                          name_of(e, at->device), why, sizeof why)) {
        return dcp_fail(err, DCP_E_REFUSED, "%s", why);
    }
    json_t *result = ask(e, at->device, change_of(e, s, &port), err);
    struct told *told = &j->told[j->n_told];
    bool ok = result && dcp_port_changed(result, &told->cfg, err);

    told->device = at->device;
    j->n_told += ok;
    json_decref(result);
    return ok;
}

/* Guests' ports on the host's own switch that have the VLAN; none where that
 * switch is not known. */
static bool
check_unused(struct executor *e, const struct dcp_step *s,
             struct dcp_error *err)
{
    uint32_t device = e->devices.of_host[s->object.ix];
    const char *uplink = e->o.connect->hosts[s->object.ix].uplink;

    if (is_trunk(s) || device == UINT32_MAX) {
        return true;
    }
    json_t *result = ask(e, device, array_of(dcp_port_select_all()), err);
    const json_t *rows = json_object_get(json_array_get(result, 0), "rows");
    bool ok = result != NULL;

    for (size_t i = 0; ok && i < json_array_size(rows); i++) {
        struct dcp_vlan_port port;

        ok = dcp_port_read(json_array_get(rows, i), &port, err);
        if (ok && strcmp(port.name, uplink) != 0 &&
            dcp_port_names(&port, vlan_of(e, s))) {
            ok = dcp_fail(err, DCP_E_REFUSED,
                          "port %.60s of %.60s still has VLAN %u: a guest uses "
                          "it",
                          port.name, name_of(e, device), vlan_of(e, s));
        }
    }
    json_decref(result);
    return ok;
}

static bool
vlan_test(struct dcp_executor *executor, const struct dcp_step *s,
          struct dcp_error *err)
{
    return check_unused(of(executor), s, err);
}

static bool
vlan_start(struct dcp_executor *executor, const struct dcp_step *s,
           struct dcp_error *err)
{
    struct executor *e = of(executor);
    const struct dcp_host *host = &e->o.inventory->hosts[s->object.ix];
    DCP_FREE struct place *places =
        calloc((size_t)host->n_ports + 1, sizeof *places);
    uint32_t n = places ? list_places(e, s->object.ix, places) : 0;
    struct dcp_error why = { 0 };

    if (!check_unused(e, s, err)) {
        return false;
    }
    struct job *j = places ? new_job(e, s->id, n) : NULL;

    if (!j) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a step");
    }
    for (uint32_t k = 0; k < n; k++) {
        if (!change_port(e, s, &places[k], j, &why)) {
            end_job(j, false, why.message); /* What was told stays so. */
            break;
        }
    }
    return true;
}

/* --- Ends --------------------------------------------------------------- */

static void
look_after(struct executor *e, struct job *j)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < j->n_told; k++) {
        const struct dcp_ovsdb *db = e->devices.items[j->told[k].device].db;

        /* Without its session nobody knows; the runner looks in any case. */
        n += !db || dcp_ovsdb_cur_cfg(db) >= j->told[k].cfg;
    }
    if (n == j->n_told) {
        end_job(j, true, "");
    } else if (dcp_wire_clock_ms() >= j->until_ms) {
        end_job(j, false,
                "the switch took the change and does not work by it: "
                "is ovs-vswitchd running?");
    }
}

static void
pump(struct executor *e)
{
    for (uint32_t d = 0; d < e->devices.n; d++) {
        struct dcp_error why = { 0 };

        if (e->devices.items[d].db &&
            !dcp_ovsdb_pump(e->devices.items[d].db, &why)) {
            dcp_vlan_device_close(&e->devices.items[d], &why);
        }
    }
    for (uint32_t k = 0; k < e->n_jobs; k++) {
        if (e->jobs[k].step && !e->jobs[k].over) {
            look_after(e, &e->jobs[k]);
        }
    }
}

static bool
take_event(struct executor *e, struct dcp_event *out)
{
    for (uint32_t k = 0; k < e->n_jobs; k++) {
        struct job *j = &e->jobs[k];

        if (j->step && j->over) {
            *out = (struct dcp_event){ .step = j->step,
                                       .ok = j->ok,
                                       .at_ms = dcp_live_clock_ms(&e->clock) };
            memcpy(out->text, j->text, sizeof out->text);
            free(j->told);
            *j = (struct job){ 0 };
            return true;
        }
    }
    return false;
}

static bool
vlan_wait(struct dcp_executor *executor, int64_t deadline_ms,
          struct dcp_event *out, bool *out_got, struct dcp_error *err)
{
    struct executor *e = of(executor);
    struct epoll_event events[1];

    (void)err;
    for (;;) {
        pump(e);
        *out_got = take_event(e, out);

        int64_t left_ms = deadline_ms - dcp_live_clock_ms(&e->clock);

        if (*out_got || left_ms <= 0) {
            return true;
        }
        if (epoll_wait(e->epoll, events, 1,
                       (int)(left_ms < 1000 ? left_ms : 1000)) < 0) {
            return true; /* A signal: whoever asked looks at it. */
        }
    }
}

static int
vlan_poll_fd(struct dcp_executor *executor)
{
    return of(executor)->epoll;
}

static int64_t
vlan_now(struct dcp_executor *executor)
{
    return dcp_live_clock_ms(&of(executor)->clock);
}

static void
vlan_destroy(struct dcp_executor *executor)
{
    struct executor *e = of(executor);

    for (uint32_t k = 0; k < e->n_jobs; k++) {
        free(e->jobs[k].told);
    }
    free(e->jobs);
    dcp_vlan_devices_finish(&e->devices);
    if (e->epoll >= 0) {
        (void)close(e->epoll);
    }
    free(e);
}

static const struct dcp_executor_ops vlan_ops = {
    .abi = DCP_EXECUTOR_ABI,
    .name = "vlan",
    .summary = "VLANs, by the databases of switches",
    .kinds = 1u << DCP_STEP_VLAN_TRUNK | 1u << DCP_STEP_VLAN_UNTRUNK,
    .test = vlan_test,
    .start = vlan_start,
    .wait = vlan_wait,
    .observe = vlan_observe,
    .poll_fd = vlan_poll_fd,
    .now_ms = vlan_now,
    .destroy = vlan_destroy,
};

struct dcp_executor *
dcp_vlan_create(const struct dcp_vlan_options *options, struct dcp_error *err)
{
    struct executor *e = calloc(1, sizeof *e);

    if (!e) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for switches");
        return NULL;
    }
    e->base.ops = &vlan_ops;
    e->o = *options;
    e->clock.shift_ms = options->clock_shift_ms;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!dcp_vlan_devices_init(&e->devices, options->inventory,
                               options->connect, err) ||
        e->epoll < 0) {
        vlan_destroy(&e->base);
        return NULL;
    }
    return &e->base;
}
