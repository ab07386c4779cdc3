/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/vlan/device.h"

#include "model/inventory.h"
#include "model/io/connect.h"

#include <jansson.h>
#include <stdlib.h>

#define NAP_MS 2000 /* Before a device that failed is tried again. */

static void
add(struct dcp_vlan_devices *d, const char *address, const char *name,
    const struct dcp_connect_tls *tls, bool is_host, uint32_t *out_ix)
{
    *out_ix = UINT32_MAX;
    if (address && *address) {
        *out_ix = d->n;
        d->items[d->n++] = (struct dcp_vlan_device){
            .peer = { .address = address, .name = name, .tls = tls },
            .is_host = is_host,
        };
    }
}

bool
dcp_vlan_devices_init(struct dcp_vlan_devices *d,
                      const struct dcp_inventory *inv,
                      const struct dcp_connect *connect, struct dcp_error *err)
{
    size_t most = (size_t)inv->n_switches + inv->n_hosts + 1;

    *d = (struct dcp_vlan_devices){
        .items = calloc(most, sizeof *d->items),
        .of_switch = calloc((size_t)inv->n_switches + 1, sizeof *d->of_switch),
        .of_host = calloc((size_t)inv->n_hosts + 1, sizeof *d->of_host),
    };
    if (!d->items || !d->of_switch || !d->of_host) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for switches");
    }
    for (uint32_t i = 0; i < inv->n_switches; i++) {
        const struct dcp_connect_switch *s = &connect->switches[i];

        add(d, s->ovsdb, inv->switches[i].name, &s->tls, false,
            &d->of_switch[i]);
    }
    for (uint32_t i = 0; i < inv->n_hosts; i++) {
        const struct dcp_connect_host *h = &connect->hosts[i];

        add(d, h->ovsdb, inv->hosts[i].name, &h->tls, true, &d->of_host[i]);
    }
    return true;
}

void
dcp_vlan_devices_finish(struct dcp_vlan_devices *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        dcp_ovsdb_destroy(d->items[i].db);
    }
    free(d->items);
    free(d->of_switch);
    free(d->of_host);
    *d = (struct dcp_vlan_devices){ 0 };
}

void
dcp_vlan_device_close(struct dcp_vlan_device *d, const struct dcp_error *why)
{
    dcp_ovsdb_destroy(d->db); /* An epoll set forgets what is closed. */
    d->db = NULL;
    d->registered = d->writing = false;
    d->why = *why;
}

struct dcp_ovsdb *
dcp_vlan_device_open(struct dcp_vlan_device *d, int64_t timeout_ms,
                     struct dcp_error *err)
{
    if (d->db) {
        return d->db;
    }
    if (dcp_wire_clock_ms() >= d->not_before_ms) {
        d->why = (struct dcp_error){ 0 };
        d->db = dcp_ovsdb_open(&d->peer, timeout_ms, &d->why);
    }
    if (!d->db) {
        if (dcp_wire_clock_ms() >= d->not_before_ms) {
            d->not_before_ms = dcp_wire_clock_ms() + NAP_MS;
        }
        (void)dcp_fail(err, d->why.code, "%s '%s' cannot be reached: %s",
                       d->is_host ? "the switch of host" : "switch",
                       d->peer.name, d->why.message);
    }
    return d->db;
}

json_t *
dcp_vlan_device_ask(struct dcp_vlan_device *d, json_t *operations,
                    int64_t timeout_ms, struct dcp_error *err)
{
    /* A session that was left alone may have been closed at the other end, and
     * that shows only now: then once more with a new one. */
    for (int attempt = 0; attempt < 2; attempt++) {
        bool old = d->db != NULL;
        struct dcp_error why = { 0 };
        struct dcp_ovsdb *db = dcp_vlan_device_open(d, timeout_ms, &why);
        json_t *result = db ? dcp_ovsdb_transact(db, json_incref(operations),
                                                 timeout_ms, &why)
                            : NULL;

        if (result) {
            json_decref(operations);
            return result;
        }
        if (db && dcp_ovsdb_is_broken(db)) {
            dcp_vlan_device_close(d, &why);
        }
        if (err) {
            *err = why;
        }
        if (!old || d->db) {
            break;
        }
    }
    json_decref(operations);
    return NULL;
}
