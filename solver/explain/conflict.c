/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A set of parts is a byte per part.  Relaxing is done on shallow copies of
 * inventory and question, which borrow all else. */

#include "solver/explain/conflict_parts.h"

#include "model/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const kind_names[] = {
    [DCP_PART_RULE] = "rule",
    [DCP_PART_HEADROOM] = "headroom",
    [DCP_PART_TARGET_CPU] = "target-cpu",
    [DCP_PART_TARGET_MEM] = "target-memory",
    [DCP_PART_TARGET_NET] = "target-net",
    [DCP_PART_RACK_LIMIT] = "rack-limit",
    [DCP_PART_FEED_LIMIT] = "feed-limit",
    [DCP_PART_LICENCE] = "licence",
    [DCP_PART_EMPTYING] = "emptying",
    [DCP_PART_MOVES] = "moves",
};

const char *
dcp_part_kind_name(enum dcp_part_kind kind)
{
    return kind_names[kind];
}

static int64_t
now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- Parts -------------------------------------------------------------- */

static bool
is_emptied(const struct dcp_question *q, uint32_t h)
{
    return q->inventory->hosts[h].state == DCP_HOST_MAINTENANCE ||
           (q->host_use && q->host_use[h] == DCP_HOST_AVOID);
}

static void
add(struct dcp_finder *f, enum dcp_part_kind kind, uint32_t ix)
{
    f->parts[f->n++] = (struct dcp_finder_part){ kind, ix };
}

static bool
list_parts(struct dcp_finder *f)
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_policy *policy = &inv->policy;

    f->parts = calloc((size_t)inv->n_rules + inv->n_racks + inv->n_feeds +
                          inv->n_hosts + inv->n_licences + 5u,
                      sizeof *f->parts);
    if (!f->parts) {
        return false;
    }
    /* In the order in which they are held on to: what keeps people and
     * machines safe first. */
    for (uint32_t i = 0; i < inv->n_feeds; i++) {
        if (inv->feeds[i].limit_w) {
            add(f, DCP_PART_FEED_LIMIT, i);
        }
    }
    for (uint32_t i = 0; i < inv->n_racks; i++) {
        if (inv->racks[i].limit_w) {
            add(f, DCP_PART_RACK_LIMIT, i);
        }
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        if (is_emptied(f->q, h)) {
            add(f, DCP_PART_EMPTYING, h);
        }
    }
    for (uint32_t i = 0;
         policy->licences == DCP_LICENCES_OWNED && i < inv->n_licences; i++) {
        if (inv->licences[i].owned > 0) {
            add(f, DCP_PART_LICENCE, i);
        }
    }
    if (f->q->limits_moves) {
        add(f, DCP_PART_MOVES, 0);
    }
    if (f->q->headroom) {
        add(f, DCP_PART_HEADROOM, 0);
    }
    if (policy->target_mem_frac < 1) {
        add(f, DCP_PART_TARGET_MEM, 0);
    }
    if (policy->target_cpu_frac < 1) {
        add(f, DCP_PART_TARGET_CPU, 0);
    }
    if (policy->target_net_frac < 1) {
        add(f, DCP_PART_TARGET_NET, 0);
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        if (!inv->rules[i].soft) {
            add(f, DCP_PART_RULE, i);
        }
    }
    return true;
}

void
dcp_finder_describe(const struct dcp_finder *f, uint32_t ix, struct dcp_conflict_part *out)
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_finder_part *part = &f->parts[ix];
    const struct dcp_rule *rule;
    char *name = out->name, *remedy = out->remedy;
    size_t name_size = sizeof out->name, size = sizeof out->remedy;

    out->kind = part->kind;
    out->ix = part->ix;
    switch (part->kind) {
    case DCP_PART_RULE:
        rule = &inv->rules[part->ix];
        (void)snprintf(name, name_size, "rule '%.60s' (%s)", rule->name,
                       dcp_rule_kind_name(rule->kind));
        (void)snprintf(
            remedy, size,
            dcp_rule_is_about_change(rule->kind)
                ? "plan for when it is open, or drop it (%.100s:%u)"
                : "drop it, or give it a price: soft (%.100s:%u)",
            rule->pos.path ? rule->pos.path : "the model", rule->pos.line);
        return;
    case DCP_PART_HEADROOM:
        (void)snprintf(name, name_size, "policy.headroom");
        (void)snprintf(remedy, size,
                       "add a host, or survive fewer losses, protect fewer "
                       "tiers, or let hosts fill to capacity after a loss");
        return;
    case DCP_PART_TARGET_CPU:
    case DCP_PART_TARGET_MEM:
    case DCP_PART_TARGET_NET:
        (void)snprintf(name, name_size, "policy.target.%s",
                       part->kind == DCP_PART_TARGET_CPU   ? "cpu"
                       : part->kind == DCP_PART_TARGET_MEM ? "memory"
                                                           : "net");
        (void)snprintf(remedy, size, "raise it from %.0f %%",
                       100 * (part->kind == DCP_PART_TARGET_CPU
                                  ? inv->policy.target_cpu_frac
                              : part->kind == DCP_PART_TARGET_MEM
                                  ? inv->policy.target_mem_frac
                                  : inv->policy.target_net_frac));
        return;
    case DCP_PART_RACK_LIMIT:
        (void)snprintf(name, name_size, "limit of rack '%.60s'",
                       inv->racks[part->ix].name);
        (void)snprintf(remedy, size, "move hosts out of it: %u W",
                       inv->racks[part->ix].limit_w);
        return;
    case DCP_PART_FEED_LIMIT:
        (void)snprintf(name, name_size, "limit of feed '%.60s'",
                       inv->feeds[part->ix].name);
        (void)snprintf(remedy, size, "move racks off it: %u W",
                       inv->feeds[part->ix].limit_w);
        return;
    case DCP_PART_LICENCE:
        (void)snprintf(name, name_size, "licence '%.60s'",
                       inv->licences[part->ix].name);
        (void)snprintf(remedy, size,
                       "own more than %g units, or policy.licences: priced",
                       inv->licences[part->ix].owned);
        return;
    case DCP_PART_EMPTYING:
        (void)snprintf(name, name_size, "emptying of host '%.60s'",
                       inv->hosts[part->ix].name);
        (void)snprintf(remedy, size, "let it keep VMs");
        return;
    case DCP_PART_MOVES:
        (void)snprintf(name, name_size, "limit of moves");
        (void)snprintf(remedy, size,
                       "raise --max-moves, or policy.migration.moves_per_week");
        return;
    }
}

/* --- The oracle --------------------------------------------------------- */

static bool
make_copies(struct dcp_finder *f)
{
    const struct dcp_inventory *inv = f->q->inventory;

    f->inv = *inv;
    f->rules_room = inv->n_rules + 1u;
    f->rules = calloc(f->rules_room, sizeof *f->rules);
    f->closed = calloc(inv->n_rules + 1u, 1);
    f->racks = calloc(inv->n_racks + 1u, sizeof *f->racks);
    f->feeds = calloc(inv->n_feeds + 1u, sizeof *f->feeds);
    f->licences = calloc(inv->n_licences + 1u, sizeof *f->licences);
    f->hosts = calloc(inv->n_hosts + 1u, sizeof *f->hosts);
    f->use = calloc(inv->n_hosts + 1u, 1);
    f->held = calloc(f->n + 1u, 1);
    f->trial = calloc(f->n + 1u, 1);
    f->given_up = calloc(f->n + 1u, 1);
    return f->rules && f->closed && f->racks && f->feeds && f->licences &&
           f->hosts && f->use && f->held && f->trial && f->given_up;
}

/* Only then may an answer take emptying hosts. */
static bool
limits_hosts_on(const struct dcp_inventory *inv)
{
    bool any = false;

    for (uint32_t r = 0; r < inv->n_rules; r++) {
        any |= inv->rules[r].kind == DCP_RULE_MAX_ON;
    }
    return any;
}

/* The question with only the parts of 'set'. */
struct dcp_question
dcp_finder_question(struct dcp_finder *f, const uint8_t set[])
{
    const struct dcp_inventory *inv = f->q->inventory;
    struct dcp_question q = *f->q;
    struct dcp_policy *policy = &f->inv.policy;

    f->n_rules = 0;
    *policy = inv->policy;
    memcpy(f->racks, inv->racks, inv->n_racks * sizeof *f->racks);
    memcpy(f->feeds, inv->feeds, inv->n_feeds * sizeof *f->feeds);
    for (uint32_t i = 0; i < inv->n_licences; i++) {
        f->licences[i] = inv->licences[i];
    }
    memcpy(f->hosts, inv->hosts, inv->n_hosts * sizeof *f->hosts);
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        f->use[h] = q.host_use ? q.host_use[h] : DCP_HOST_FREE;
    }
    for (uint32_t i = 0; i < inv->n_rules; i++) {
        if (inv->rules[i].soft) {
            f->closed[f->n_rules] = q.closed && q.closed[i];
            f->rules[f->n_rules++] = inv->rules[i];
        }
    }
    for (uint32_t i = 0; i < f->n; i++) {
        uint32_t ix = f->parts[i].ix;

        if (set[i]) {
            if (f->parts[i].kind == DCP_PART_RULE) {
                f->closed[f->n_rules] = q.closed && q.closed[ix];
                f->rules[f->n_rules++] = inv->rules[ix];
            }
            continue;
        }
        if (dcp_dials_apply(f, i, &q)) {
            continue;
        }
        switch (f->parts[i].kind) {
        case DCP_PART_RULE:
            break;
        case DCP_PART_HEADROOM:
            q.headroom = false;
            break;
        case DCP_PART_TARGET_CPU:
            policy->target_cpu_frac = 1;
            break;
        case DCP_PART_TARGET_MEM:
            policy->target_mem_frac = 1;
            break;
        case DCP_PART_TARGET_NET:
            policy->target_net_frac = 1;
            break;
        case DCP_PART_RACK_LIMIT:
            f->racks[ix].limit_w = 0;
            break;
        case DCP_PART_FEED_LIMIT:
            f->feeds[ix].limit_w = 0;
            break;
        case DCP_PART_LICENCE:
            f->licences[ix].owned = 0;
            break;
        case DCP_PART_EMPTYING:
            f->use[ix] = DCP_HOST_FREE;
            f->hosts[ix].state = DCP_HOST_UP;
            break;
        case DCP_PART_MOVES:
            q.limits_moves = false;
            break;
        }
    }
    f->inv.rules = f->rules;
    f->inv.n_rules = f->n_rules;
    q.closed = f->q->closed ? f->closed : NULL;
    f->inv.racks = f->racks;
    f->inv.feeds = f->feeds;
    f->inv.licences = f->licences;
    f->inv.hosts = f->hosts;
    q.inventory = &f->inv;
    q.host_use = f->use;
    q.may_empty = f->q->may_empty && limits_hosts_on(&f->inv);
    q.gentle = true;
    q.fewest_moves = q.fewest_moves || q.limits_moves; /* It proves more. */
    q.host_on_value = NULL;
    q.mhz_slope = NULL;
    q.slot_weight = NULL;
    q.terms = NULL;
    q.absent = f->absent ? f->absent : q.absent;
    return q;
}

bool
dcp_finder_time_is_up(const struct dcp_finder *f)
{
    return now_ms() >= f->deadline_ms;
}

bool
dcp_finder_ask_question(struct dcp_finder *f, const struct dcp_question *q,
                        enum dcp_oracle *out, struct dcp_error *err)
{
    double left_s = (double)(f->deadline_ms - now_ms()) / 1000;

    if (left_s <= 0) {
        *out = DCP_ORACLE_UNKNOWN;
        return true;
    }
    struct dcp_solve_options o = f->o->solve;
    struct dcp_solution s;

    o.gap_frac = 1;
    if (o.time_limit_s <= 0 || o.time_limit_s > left_s) {
        o.time_limit_s = left_s;
    }
    f->n_questions++;
    if (!dcp_solve(q, &o, &s, err)) {
        return false;
    }
    f->because = s.because;
    *out = s.placement ? DCP_ORACLE_YES : s.status == DCP_STATUS_INFEASIBLE ? DCP_ORACLE_NO : DCP_ORACLE_UNKNOWN;
    dcp_solution_finish(&s);
    return true;
}

bool
dcp_finder_ask(struct dcp_finder *f, const uint8_t set[], enum dcp_oracle *out,
               struct dcp_error *err)
{
    if (dcp_finder_time_is_up(f)) {
        *out = DCP_ORACLE_UNKNOWN;
        return true;
    }
    struct dcp_question q = dcp_finder_question(f, set);

    return dcp_finder_ask_question(f, &q, out, err);
}

/* --- Relaxation --------------------------------------------------------- */

struct correction {
    uint8_t *given_up;
    uint32_t n;
    bool proved;
};

static uint32_t
in_order(const struct dcp_finder *f, uint32_t i, bool backwards)
{
    return backwards ? f->n - 1 - i : i;
}

/* Adds the parts [first, last) to those that are held, all that can be. */
static bool
hold_on(struct dcp_finder *f, uint32_t first, uint32_t last, bool backwards,
        struct correction *c, struct dcp_error *err)
{
    enum dcp_oracle says;

    memcpy(f->trial, f->held, f->n);
    for (uint32_t i = first; i < last; i++) {
        f->trial[in_order(f, i, backwards)] = 1;
    }
    if (!dcp_finder_ask(f, f->trial, &says, err)) {
        return false;
    }
    if (says == DCP_ORACLE_YES) {
        memcpy(f->held, f->trial, f->n);
        return true;
    }
    if (last - first == 1) {
        c->given_up[in_order(f, first, backwards)] = 1;
        c->n++;
        c->proved = c->proved && says == DCP_ORACLE_NO;
        return true;
    }
    uint32_t half = first + (last - first) / 2;

    return hold_on(f, first, half, backwards, c, err) &&
           hold_on(f, half, last, backwards, c, err);
}

static bool
correct(struct dcp_finder *f, bool backwards, struct correction *c,
        struct dcp_error *err)
{
    memset(f->held, 0, f->n + 1u);
    memset(c->given_up, 0, f->n + 1u);
    c->n = 0;
    c->proved = true;
    return hold_on(f, 0, f->n, backwards, c, err);
}

/* --- Clash -------------------------------------------------------------- */

/* From parts that are proved to clash to some of them of which none can be
 * left out; 'core' is reduced in place. */
bool
dcp_finder_reduce(struct dcp_finder *f, uint8_t core[], bool *out_proved,
                  struct dcp_error *err)
{
    uint32_t chunk = f->n;

    *out_proved = true;
    while (chunk) {
        for (uint32_t first = 0; first < f->n; first += chunk) {
            uint32_t last = first + chunk < f->n ? first + chunk : f->n;
            bool any = false;
            enum dcp_oracle says;

            for (uint32_t i = first; i < last; i++) {
                any |= core[i];
            }
            if (!any) {
                continue;
            }
            memcpy(f->trial, core, f->n);
            memset(f->trial + first, 0, last - first);
            if (!dcp_finder_ask(f, f->trial, &says, err)) {
                return false;
            }
            if (says == DCP_ORACLE_NO) {
                memcpy(core, f->trial, f->n);
            } else if (chunk == 1 && says == DCP_ORACLE_UNKNOWN) {
                *out_proved = false;
            }
        }
        chunk = chunk > 1 ? (chunk + 1) / 2 : 0;
    }
    return true;
}

/* What is held and the first part that was given up for it clash. */
static bool
find_clash(struct dcp_finder *f, const struct correction *c,
           struct dcp_conflict *out, struct dcp_error *err)
{
    DCP_FREE uint8_t *core = malloc(f->n + 1u);
    enum dcp_oracle says = DCP_ORACLE_UNKNOWN;

    if (!core) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
    }
    memset(core, 1, f->n);
    /* Most clashes are of what has to be given up and little else. */
    memcpy(f->trial, c->given_up, f->n);
    if (!dcp_finder_ask(f, f->trial, &says, err)) {
        return false;
    }
    if (says == DCP_ORACLE_NO) {
        memcpy(core, c->given_up, f->n);
    } else if (!dcp_finder_ask(f, core, &says, err)) {
        return false;
    }
    if (says != DCP_ORACLE_NO) {
        return true; /* Nothing is proved. */
    }
    if (!dcp_finder_reduce(f, core, &out->clash_proved, err)) {
        return false;
    }
    for (uint32_t i = 0; i < f->n; i++) {
        if (core[i]) {
            if (out->n_clash < DCP_CONFLICT_PARTS) {
                dcp_finder_describe(f, i, &out->clash[out->n_clash]);
            }
            out->n_clash++;
        }
    }
    return true;
}

/* --- All of it ---------------------------------------------------------- */

#define MANY_PARTS 64u

static void
keep_correction(struct dcp_finder *f, const struct correction *c,
                struct dcp_conflict *out)
{
    out->relax_proved = c->proved;
    memcpy(f->given_up, c->given_up, f->n);
    for (uint32_t i = 0; i < f->n; i++) {
        if (c->given_up[i]) {
            if (out->n_relax < DCP_CONFLICT_PARTS) {
                dcp_finder_describe(f, i, &out->relax[out->n_relax]);
            }
            out->n_relax++;
        }
    }
}

static bool
find(struct dcp_finder *f, struct dcp_conflict *out, struct dcp_error *err)
{
    struct correction a = { .given_up = calloc(f->n + 1u, 1) };
    struct correction b = { .given_up = calloc(f->n + 1u, 1) };
    enum dcp_oracle says = DCP_ORACLE_UNKNOWN;
    bool ok = a.given_up && b.given_up;

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
    }
    memset(f->held, 0, f->n + 1u);
    bool done = false;

    if (ok && f->n >= MANY_PARTS) {
        ok = dcp_conflict_find_local(f, out, &done, err);
        memset(f->held, 0, f->n + 1u);
    }
    struct dcp_conflict local = *out;

    if (!ok || (done && !local.relax_partial)) {
        free(a.given_up);
        free(b.given_up);
        return ok;
    }
    *out = (struct dcp_conflict){ 0 };
    ok = dcp_finder_ask(f, f->held, &says, err);
    out->hopeless = ok && says == DCP_ORACLE_NO;
    if (ok && says == DCP_ORACLE_YES && f->n) {
        ok = correct(f, false, &a, err);
        if (ok && a.n > 1) {
            ok = correct(f, true, &b, err);
        }
        const struct correction *best =
            a.n > 1 && (b.n < a.n || (b.n == a.n && b.proved && !a.proved))
                ? &b
                : &a;

        /* When the time is up all that was not asked about is given up. */
        if (ok && best->n && !dcp_finder_time_is_up(f)) {
            keep_correction(f, best, out);
            ok = find_clash(f, best, out, err);
        }
    }
    if (done && !out->hopeless && !out->n_relax) {
        *out = local;
    }
    free(a.given_up);
    free(b.given_up);
    return ok;
}

bool
dcp_conflict_find(const struct dcp_question *q,
                  const struct dcp_conflict_options *o,
                  struct dcp_conflict *out, struct dcp_error *err)
{
    struct dcp_finder f = { .q = q, .o = o };
    double limit_s = o->time_limit_s > 0 ? o->time_limit_s : 10;

    *out = (struct dcp_conflict){ 0 };
    f.deadline_ms = now_ms() + (int64_t)(limit_s * 1000);

    bool ok = list_parts(&f) && make_copies(&f);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
    } else {
        ok = find(&f, out, err) && dcp_conflict_find_amounts(&f, out, err) &&
             dcp_conflict_find_instead(&f, out, err) &&
             (!o->purchases || dcp_conflict_find_purchases(&f, out, err));
    }
    out->n_questions = f.n_questions;
    free(f.parts);
    free(f.rules);
    free(f.closed);
    free(f.racks);
    free(f.feeds);
    free(f.licences);
    free(f.hosts);
    free(f.use);
    free(f.held);
    free(f.trial);
    free(f.given_up);
    return ok;
}
