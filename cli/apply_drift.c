/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/apply_drift.h"

#include "cli/ui.h"

#include <stdio.h>
#include <stdlib.h>

void
dcp_drifts_finish(struct dcp_drifts *d)
{
    free(d->items);
    *d = (struct dcp_drifts){ 0 };
}

static bool
add(struct dcp_drifts *d, const char *kind, const char *name,
    const char *planned, const char *found, bool unseen, struct dcp_error *err)
{
    if (d->n == d->capacity) {
        uint32_t more = d->capacity ? 2 * d->capacity : 16;
        struct dcp_drift *items = realloc(d->items, more * sizeof *items);

        if (!items) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for differences");
        }
        d->items = items;
        d->capacity = more;
    }
    struct dcp_drift *item = &d->items[d->n++];

    *item = (struct dcp_drift){ kind, name, planned, "", unseen };
    (void)snprintf(item->found, sizeof item->found, "%.*s",
                   (int)sizeof item->found - 1, found);
    dcp_one_line(item->found);
    d->n_unseen += unseen;
    return true;
}

static const char *
host_name(const struct dcp_inventory *inv, dcp_host_id host)
{
    return dcp_host_is_none(host) ? "-" : inv->hosts[host.ix].name;
}

bool
dcp_drift_of_model(const struct dcp_inventory *inv,
                   const struct dcp_placement *planned,
                   const struct dcp_placement *now, struct dcp_drifts *out,
                   struct dcp_error *err)
{
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_host_eq(planned->host[v], now->host[v]) &&
            !add(out, "vm", inv->vms[v].name, host_name(inv, planned->host[v]),
                 host_name(inv, now->host[v]), false, err)) {
            return false;
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (planned->on[h] != now->on[h] &&
            !add(out, "host", inv->hosts[h].name, planned->on[h] ? "on" : "off",
                 now->on[h] ? "on" : "off", false, err)) {
            return false;
        }
    }
    return true;
}

#define SETTLE_MS 15000 /* For a host that is seen by halves. */

/* --- By observation ----------------------------------------------------- */

static void
look(struct dcp_executor *executor, const struct dcp_step *s,
     struct dcp_observation *out)
{
    struct dcp_error err = { 0 };

    if (!executor->ops->observe(executor, s, out, &err)) {
        *out = (struct dcp_observation){ .effect = DCP_EFFECT_UNKNOWN };
        (void)snprintf(out->text, sizeof out->text, "%.150s", err.message);
    }
}

/* The step's effect is what the leg starts from. */
static bool
compare(const struct dcp_observation *seen, const struct dcp_step *s,
        const char *name, const char *planned, const char *otherwise,
        struct dcp_drifts *out, struct dcp_error *err)
{
    bool open = seen->effect == DCP_EFFECT_RUNNING;

    return seen->effect == DCP_EFFECT_PRESENT ||
           add(out, dcp_object_kind_name(s->object.kind), name, planned,
               seen->text[0] ? seen->text
               : open        ? "on its way, or it does not answer"
                             : otherwise,
               open || seen->effect == DCP_EFFECT_UNKNOWN, err);
}

static bool
can(const struct dcp_executor *executor, enum dcp_step_kind kind)
{
    return executor->ops->kinds >> kind & 1;
}

/* Lets time pass on the executor's clock; nothing was begun, so nothing ends.
 */
static bool
let_pass(struct dcp_executor *executor, int64_t ms, struct dcp_error *err)
{
    int64_t until_ms = executor->ops->now_ms(executor) + ms;
    struct dcp_event event;
    bool got;

    while (executor->ops->now_ms(executor) < until_ms) {
        if (!executor->ops->wait(executor, until_ms, &event, &got, err)) {
            return false;
        }
    }
    return true;
}

/* All hosts, and those that are seen by halves (off was read once, say) again a
 * second later, all of them together, for a while. */
static bool
drift_of_hosts(const struct dcp_inventory *inv,
               const struct dcp_placement *planned,
               struct dcp_executor *executor, struct dcp_drifts *out,
               struct dcp_error *err)
{
    DCP_FREE uint8_t *settled = calloc((size_t)inv->n_hosts + 1, 1);
    uint32_t n_left = inv->n_hosts;
    int64_t until_ms = 0; /* Of what is seen by halves. */

    if (!settled) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to look at hosts");
    }
    for (uint32_t round = 0; n_left; round++) {
        bool last = round && executor->ops->now_ms(executor) >= until_ms;

        if (round && !let_pass(executor, 1000, err)) {
            return false;
        }
        for (uint32_t h = 0; h < inv->n_hosts; h++) {
            bool on = planned->on[h];
            struct dcp_step s = {
                .kind = on ? DCP_STEP_HOST_ON : DCP_STEP_HOST_OFF,
                .object = { DCP_OBJECT_HOST, h },
                .reason_text = "",
            };
            struct dcp_observation seen = { .effect = DCP_EFFECT_PRESENT };

            if (settled[h]) {
                continue;
            }
            if (can(executor, s.kind)) {
                look(executor, &s, &seen);
            }
            if (seen.effect == DCP_EFFECT_RUNNING && !last) {
                if (!until_ms) {
                    until_ms = executor->ops->now_ms(executor) + SETTLE_MS;
                }
                continue;
            }
            settled[h] = 1;
            n_left--;
            if (!compare(&seen, &s, inv->hosts[h].name, on ? "on" : "off",
                         on ? "off" : "on", out, err)) {
                return false;
            }
        }
    }
    return true;
}

bool
dcp_drift_of_world(const struct dcp_inventory *inv,
                   const struct dcp_placement *planned,
                   struct dcp_executor *executor, struct dcp_drifts *out,
                   struct dcp_error *err)
{
    bool vms = can(executor, DCP_STEP_VM_START);

    if (!drift_of_hosts(inv, planned, executor, out, err)) {
        return false;
    }
    for (uint32_t v = 0; vms && v < inv->n_vms; v++) {
        struct dcp_step s = {
            .kind = DCP_STEP_VM_START,
            .object = { DCP_OBJECT_VM, v },
            .to = { DCP_OBJECT_HOST, planned->host[v].ix },
            .reason_text = "",
        };

        struct dcp_observation seen;

        if (dcp_host_is_none(planned->host[v])) {
            continue;
        }
        look(executor, &s, &seen);
        if (!compare(&seen, &s, inv->vms[v].name, inv->hosts[s.to.ix].name,
                     "not running there", out, err)) {
            return false;
        }
    }
    return true;
}

static bool
on_from_start(const struct dcp_placement *start, struct dcp_object o)
{
    return o.kind != DCP_OBJECT_HOST || start->on[o.ix];
}

uint32_t
dcp_drift_unseen_steps(const struct dcp_globals *g,
                       const struct dcp_inventory *inv,
                       const struct dcp_plan *plan, uint32_t leg,
                       struct dcp_executor *executor)
{
    const struct dcp_placement *start = dcp_plan_leg_start(plan, leg);
    uint32_t n = 0;

    for (uint32_t i = 0; i < plan->n_steps; i++) {
        const struct dcp_step *s = &plan->steps[i];
        struct dcp_observation seen;

        if (s->leg != leg || s->kind == DCP_STEP_SYNC ||
            !on_from_start(start, s->object) ||
            !on_from_start(start, s->from) || !on_from_start(start, s->to)) {
            continue;
        }
        look(executor, s, &seen);
        if (seen.effect == DCP_EFFECT_UNKNOWN) {
            dcp_ui_warn(g, "step %u, %s %s: cannot be seen now%s%s", s->id,
                        dcp_step_kind_name(s->kind),
                        dcp_object_name(inv, s->object),
                        seen.text[0] ? ": " : "", seen.text);
            n++;
        }
    }
    return n;
}

/* --- Words -------------------------------------------------------------- */

static void
json_item(struct dcp_json *w, const struct dcp_drift *d)
{
    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, "kind", d->kind);
    dcp_json_kstring(w, "object", d->name);
    dcp_json_kstring(w, "planned", d->planned);
    dcp_json_kstring(w, "found", d->found);
    if (d->unseen) {
        dcp_json_kbool(w, "unseen", true);
    }
    dcp_json_end(w, '}');
}

static const char *
verb(const struct dcp_drift *d)
{
    return d->unseen ? "cannot be seen:" : "found";
}

void
dcp_drift_warn(const struct dcp_globals *g, const struct dcp_drifts *d,
               uint32_t most)
{
    for (uint32_t i = 0; i < d->n && i < most; i++) {
        const struct dcp_drift *item = &d->items[i];

        dcp_ui_warn(g, "%s %s: the leg starts from %s, %s %s", item->kind,
                    item->name, item->planned, verb(item), item->found);
    }
    if (d->n > most) {
        dcp_ui_warn(g, "and %u more; see --drift", d->n - most);
    }
}

static int
status_of(const struct dcp_drifts *d)
{
    return d->n ? dcp_code_exit_status(DCP_E_STALE) : 0;
}

int
dcp_drift_tell(const struct dcp_globals *g, const struct dcp_plan *plan,
               uint32_t leg, const struct dcp_drifts *d, struct dcp_error *err)
{
    if (!g->json) {
        for (uint32_t i = 0; i < d->n; i++) {
            const struct dcp_drift *item = &d->items[i];

            printf("%s %s: the leg starts from %s, %s %s\n", item->kind,
                   item->name, item->planned, verb(item), item->found);
        }
        printf("%u differences from what leg %s starts from\n", d->n,
               plan->legs[leg].name);
        return status_of(d);
    }
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/apply/1");
    dcp_json_kstring(&w, "plan", plan->uuid);
    dcp_json_kstring(&w, "leg", plan->legs[leg].name);
    dcp_json_karray(&w, "drift");
    for (uint32_t i = 0; i < d->n; i++) {
        json_item(&w, &d->items[i]);
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(g, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, status_of(d), err);
}
