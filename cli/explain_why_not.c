/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The VM is taken off its host in the state at the leg's end and the host is
 * asked as a search would ask it.  Where the host is off the question is put
 * again as if it were on, since that alone says little. */

#include "cli/explain.h"
#include "cli/place.h"
#include "cli/ui.h"
#include "solver/explain/refusal.h"

#include <stdio.h>

struct why_not {
    bool is_there, refused, refused_if_on;
    bool headroom_before; /* Without the VM; else no host is blamed for it. */
    struct dcp_refusal why, if_on; /* if_on: where 'why' is that it is off. */
    char soft_rule[64];
};

static bool
find(struct dcp_state *s, uint32_t item, uint32_t host, bool headroom,
     struct dcp_refusal *out, bool *out_refused, struct dcp_error *err)
{
    *out_refused = dcp_refusal_find(s, item, host, false, out);
    return *out_refused || !headroom ||
           dcp_refusal_headroom(s, item, host, out_refused, out, err);
}

static bool
answer(struct dcp_state *s, uint32_t item, uint32_t host, struct why_not *out,
       struct dcp_error *err)
{
    *out = (struct why_not){ .is_there = s->host[item] == host,
                             .headroom_before = true };
    if (out->is_there) {
        return true;
    }
    if (s->host[item] != DCP_IX_NONE) {
        dcp_state_remove(s, item);
    }
    struct dcp_headroom before = { .ok = true };
    bool headroom = s->p->q->headroom;

    if (headroom && !dcp_headroom_check(s, NULL, NULL, &before, err)) {
        return false;
    }
    out->headroom_before = before.ok;
    headroom = headroom && before.ok;
    if (!find(s, item, host, headroom, &out->why, &out->refused, err)) {
        return false;
    }
    if (out->refused && out->why.kind == DCP_REFUSAL_OFF) {
        dcp_state_power(s, host, true);
        if (!find(s, item, host, headroom, &out->if_on, &out->refused_if_on,
                  err)) {
            return false;
        }
    }
    dcp_refusal_soft(s, item, host, out->soft_rule);
    return true;
}

static int
print_json(const struct dcp_explain *x, const struct why_not *a, const char *vm,
           const char *host, const char *leg, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_explain_json_head(&w, "why_not", vm);
    dcp_json_kstring(&w, "host", host);
    dcp_json_kstring(&w, "leg", leg);
    dcp_json_kbool(&w, "is_there", a->is_there);
    dcp_json_kbool(&w, "allowed", !a->refused);
    dcp_json_kbool(&w, "headroom_before", a->headroom_before);
    if (a->refused) {
        dcp_json_kobject(&w, "why");
        dcp_place_json_refusal(&w, &a->why);
        dcp_json_end(&w, '}');
    } else {
        dcp_json_knull(&w, "why");
    }
    if (a->refused_if_on) {
        dcp_json_kobject(&w, "if_on");
        dcp_place_json_refusal(&w, &a->if_on);
        dcp_json_end(&w, '}');
    } else {
        dcp_json_knull(&w, "if_on");
    }
    dcp_json_kstring(&w, "breaks_soft", a->soft_rule[0] ? a->soft_rule : NULL);
    return dcp_explain_json_end(x, &w, err);
}

static void
print_refusal(const char *word, const struct dcp_refusal *r)
{
    printf("  %-8s %s\n", word, r->text);
    if (r->remedy[0]) {
        printf("  %-8s %s\n", "remedy", r->remedy);
    }
}

static void
print_text(const struct why_not *a, const char *vm, const char *host,
           const char *leg)
{
    if (a->is_there) {
        printf("%s is on %s after leg %s\n", vm, host, leg);
        return;
    }
    printf("why %s is not on %s after leg %s\n", vm, host, leg);
    if (a->refused) {
        print_refusal("because", &a->why);
    } else {
        printf("  nothing stands against it; the plan saw no gain in it\n");
    }
    if (a->refused_if_on) {
        print_refusal("if on", &a->if_on);
    } else if (a->refused && a->why.kind == DCP_REFUSAL_OFF) {
        printf("  %-8s it would take the VM; the plan saw no gain in it\n",
               "if on");
    }
    if (!a->headroom_before) {
        printf("  %-8s headroom is broken already, with the VM or without\n",
               "besides");
    }
    if (a->soft_rule[0]) {
        printf("  %-8s it would break soft rule '%s'\n", "besides",
               a->soft_rule);
    }
}

int
dcp_explain_why_not(struct dcp_explain *x, dcp_vm_id vm, dcp_host_id host,
                    uint32_t leg, struct dcp_error *err)
{
    const struct dcp_inventory *inv = dcp_explain_inventory(x);
    const char *vm_name = inv->vms[vm.ix].name;
    const char *host_name = inv->hosts[host.ix].name;
    const char *leg_name = x->open.plan->legs[leg].name;
    struct why_not a;

    if (!dcp_explain_state(x, leg, err) ||
        !answer(x->state, x->problem->item_of_vm[vm.ix], host.ix, &a, err)) {
        return -1;
    }
    if (x->g->json) {
        return print_json(x, &a, vm_name, host_name, leg_name, err);
    }
    print_text(&a, vm_name, host_name, leg_name);
    return 0;
}
