/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Plan files: as they are, and again with digest and UUID made to fit, so that
 * damage reaches what the digest shields.  A plan that is accepted is judged,
 * and prints as one that is accepted again with the same digest. */

#include "model/check/check.h"
#include "model/io/plan_file.h"
#include "model/io/plan_text.h"
#include "tests/support/world.h"

#include <stdint.h>

static struct world
small_world(void)
{
    static const uint32_t net0[] = { 0 }, net1[] = { 1 }, pair[] = { 0, 2 };
    struct world w = world_make(4, 6);
    struct dcp_port *port = WORLD_NEW(&w, struct dcp_port, 1);

    *port = (struct dcp_port){
        .nic = "eth1", .to = { 0 }, .port = "p1", .vlans = { net0, 1 }
    };
    w.hosts[0].ports = port;
    w.hosts[0].n_ports = 1;
    for (uint32_t v = 0; v < 6; v++) {
        w.vms[v].host.ix = v % 4;
        world_need(&w, v, 3000);
    }
    w.vms[1].vlans = (struct dcp_ids){ net1, 1 };
    w.racks[0].limit_w = 250;
    w.rules[0] = (struct dcp_rule){ .kind = DCP_RULE_SPREAD,
                                    .name = "apart",
                                    .vms = pair,
                                    .n_vms = 2,
                                    .hold = DCP_HOLD_ALWAYS };
    w.inv->n_rules = 1;
    w.inv->policy.survive[0].count = 1;
    w.inv->policy.n_survive = 1;
    w.inv->policy.protect_tiers = 1;
    return w;
}

static void
try(struct world *w, const char *text, size_t length)
{
    struct dcp_error err;
    struct dcp_check_result result;
    struct dcp_text again = { 0 };
    DCP_AUTO(dcp_plan)
    struct dcp_plan *plan = dcp_plan_parse(w->inv, text, length, "fuzz", &err);

    if (!plan) {
        return;
    }
    if (dcp_check_plan(w->inv, &w->demand, plan, &result, &err)) {
        dcp_check_result_finish(&result);
    }
    if (!dcp_plan_print(w->inv, plan, &again, &err)) {
        abort();
    }
    DCP_AUTO(dcp_plan)
    struct dcp_plan *second =
        dcp_plan_parse(w->inv, again.data, again.length, "fuzz", &err);

    if (!second || strcmp(second->digest, plan->digest) != 0) {
        abort();
    }
    dcp_text_finish(&again);
}

/* Writes 'value' over the first characters after 'key', where they fit. */
static void
overwrite(char *text, const char *key, const char *value)
{
    char *at = strstr(text, key);

    if (at && strlen(at + strlen(key)) > strlen(value)) {
        memcpy(at + strlen(key), value, strlen(value));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = small_world();
    char *text = malloc(size + 1), digest[72], uuid[40];

    if (!text) {
        abort();
    }
    memcpy(text, data, size);
    text[size] = '\0';
    try(&w, text, size);
    if (dcp_plan_digest(text, size, digest)) {
        dcp_plan_uuid(digest, uuid);
        overwrite(text, "\"plan\": \"", uuid);
        char *last = NULL;

        for (char *p = strstr(text, "\n \"digest\": \""); p;
             p = strstr(p + 1, "\n \"digest\": \"")) {
            last = p;
        }
        if (last) {
            overwrite(last, "\n \"digest\": \"", digest);
        }
        try(&w, text, size);
    }
    free(text);
    world_free(&w);
    return 0;
}
