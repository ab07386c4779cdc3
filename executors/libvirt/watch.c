/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/libvirt/watch.h"

#include "model/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_MS  3000 /* What all hosts together may take. */
#define AGAIN_MS 4000 /* A silent host is left alone for so long. */

struct host {
    struct dcp_worker *worker; /* NULL: none now. */
    int64_t silent_until_ms;
    bool asked; /* Of the look that goes on. */
    char trouble[160];
};

struct dcp_watch {
    const struct dcp_inventory *inventory;
    const struct dcp_connect *connect;
    bool (*is_off)(void *user, dcp_host_id);
    void *user;
    struct host *hosts;
};

struct dcp_watch *
dcp_watch_create(const struct dcp_inventory *inv,
                 const struct dcp_connect *connect,
                 bool (*is_off)(void *user, dcp_host_id), void *user,
                 struct dcp_error *err)
{
    struct dcp_watch *w = calloc(1, sizeof *w);

    if (w) {
        *w = (struct dcp_watch){ inv, connect, is_off, user, NULL };
        w->hosts = calloc((size_t)inv->n_hosts + 1, sizeof *w->hosts);
    }
    if (!w || !w->hosts) {
        dcp_watch_destroy(w);
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory to watch hosts");
        return NULL;
    }
    return w;
}

void
dcp_watch_destroy(struct dcp_watch *w)
{
    if (!w) {
        return;
    }
    for (uint32_t h = 0; w->hosts && h < w->inventory->n_hosts; h++) {
        dcp_worker_destroy(w->hosts[h].worker);
    }
    free(w->hosts);
    free(w);
}

const char *
dcp_watch_trouble(const struct dcp_watch *w, uint32_t host)
{
    return w->hosts[host].trouble;
}

/* The host's worker is of no use any more. */
static void
lose(struct host *h, const char *why)
{
    dcp_worker_destroy(h->worker);
    h->worker = NULL;
    h->silent_until_ms = dcp_worker_clock_ms() + AGAIN_MS;
    (void)snprintf(h->trouble, sizeof h->trouble, "%.150s", why);
}

static bool
send(struct dcp_watch *w, uint32_t ix, json_t *question, struct dcp_error *err)
{
    const struct dcp_connect_host *c = &w->connect->hosts[ix];
    struct host *h = &w->hosts[ix];

    if (!*c->libvirt) {
        json_decref(question);
        return dcp_fail(err, DCP_E_NOT_FOUND,
                        "connect.yaml does not say how to reach it");
    }
    if (!h->worker) {
        h->worker = dcp_worker_create(c->libvirt, c->uuid, err);
        if (!h->worker) {
            json_decref(question);
            return false;
        }
    }
    return dcp_worker_send(h->worker, question, err);
}

bool
dcp_watch_is_silent(const struct dcp_watch *w, uint32_t host)
{
    return w->hosts[host].silent_until_ms >= dcp_worker_clock_ms();
}

json_t *
dcp_watch_ask(struct dcp_watch *w, uint32_t ix, json_t *question,
              int64_t timeout_ms, struct dcp_error *err)
{
    struct dcp_error why = { 0 };
    json_t *answer = NULL;

    if (!question) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a question");
        return NULL;
    }
    if (send(w, ix, question, &why)) {
        answer = dcp_worker_await(w->hosts[ix].worker,
                                  dcp_worker_clock_ms() + timeout_ms, &why);
    }
    if (!answer) {
        lose(&w->hosts[ix], why.message);
        (void)dcp_fail(err, DCP_E_REMOTE, "%.80s: %.160s",
                       w->inventory->hosts[ix].name, why.message);
    } else if (dcp_worker_is_ok(answer, NULL)) {
        w->hosts[ix].silent_until_ms = 0; /* It has come back. */
        w->hosts[ix].trouble[0] = '\0';
    }
    return answer;
}

/* --- Looking ------------------------------------------------------------ */

static int
number_of(const json_t *answer, const char *key)
{
    return (int)json_integer_value(json_object_get(answer, key));
}

static bool
flag_of(const json_t *answer, const char *key)
{
    return json_is_true(json_object_get(answer, key));
}

static void
take(const json_t *answer, struct dcp_look_at *out)
{
    int state = number_of(answer, "state");

    out->reach = DCP_LOOK_ANSWERED;
    out->state = state >= DCP_LOOK_NOT_HERE && state <= DCP_LOOK_PAUSED
                     ? (enum dcp_look_state)state
                     : DCP_LOOK_RUNNING;
    out->reason = number_of(answer, "reason");
    out->persistent = flag_of(answer, "persistent");
    out->job = flag_of(answer, "job");
    out->saved = flag_of(answer, "saved");
    out->autostart = flag_of(answer, "autostart");
    out->foreign = flag_of(answer, "foreign");
}

static void
ask_all(struct dcp_watch *w, const char *uuid, const char *name)
{
    int64_t now_ms = dcp_worker_clock_ms();

    for (uint32_t i = 0; i < w->inventory->n_hosts; i++) {
        struct host *h = &w->hosts[i];
        struct dcp_error err = { 0 };

        h->asked = *w->connect->hosts[i].libvirt && h->silent_until_ms < now_ms;
        if (!h->asked) {
            continue;
        }
        json_t *question = json_pack("{s:s, s:s, s:s}", "op", "look", "uuid",
                                     uuid, "name", name);

        if (!question || !send(w, i, question, &err)) {
            h->asked = false;
            lose(h, question ? err.message : "no memory");
        }
    }
}

void
dcp_watch_look(struct dcp_watch *w, dcp_vm_id vm, struct dcp_look_at out[])
{
    const struct dcp_inventory *inv = w->inventory;
    int64_t until_ms = dcp_worker_clock_ms() + LOOK_MS;
    char uuid[DCP_UUID_SIZE];

    dcp_vm_uuid(inv, vm, uuid);
    ask_all(w, uuid, inv->vms[vm.ix].name);
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        struct host *h = &w->hosts[i];
        struct dcp_error err = { 0 };

        out[i] = (struct dcp_look_at){ .host = inv->hosts[i].name };
        json_t *answer =
            h->asked ? dcp_worker_await(h->worker, until_ms, &err) : NULL;

        if (answer && dcp_worker_is_ok(answer, &err)) {
            take(answer, &out[i]);
            h->trouble[0] = '\0';
        } else if (h->asked) {
            lose(h, err.message);
        }
        json_decref(answer);
        if (out[i].reach == DCP_LOOK_SILENT && w->is_off &&
            w->is_off(w->user, (dcp_host_id){ i })) {
            out[i].reach = DCP_LOOK_OFF;
        }
    }
}
