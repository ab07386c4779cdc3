/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The numbers of parts that may be given up: one row of switches per question
 * (how far can it go, what does the question look like then, how is it said).
 *
 * A step is one VM, host, move, watt, unit of a licence or percent.  Of memory
 * it is the greatest common divisor of what the rule's VMs are allocated, so
 * that nothing lies between two steps.  A spread rule becomes "at most so many
 * per domain": a running_capacity rule for each.  A gather rule goes from a
 * domain to the next one around it, rules that keep VMs apart to the next one
 * within. */

#include "solver/explain/conflict_parts.h"

#include "solver/problem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define WATTS_TOP   (UINT32_C(1) << 24)
#define LICENCE_TOP (UINT32_C(1) << 20)
/* Rules that a spread rule may turn into, times hosts: their columns. */
#define SPREAD_CELLS 4000000u

static const enum dcp_domain wider[] = { DCP_DOMAIN_HOST, DCP_DOMAIN_RACK,
                                         DCP_DOMAIN_ROOM, DCP_DOMAIN_SITE };
#define N_WIDER (sizeof wider / sizeof *wider)

static uint32_t
place_in_chain(enum dcp_domain over)
{
    for (uint32_t i = 0; i < N_WIDER; i++) {
        if (wider[i] == over) {
            return i;
        }
    }
    return UINT32_MAX;
}

static uint64_t
common_memory(const struct dcp_inventory *inv, const struct dcp_rule *rule)
{
    uint64_t a = 0;

    for (uint32_t i = 0; i < rule->n_vms; i++) {
        for (uint64_t b = inv->vms[rule->vms[i]].mem_mib; b;) {
            uint64_t rest = a % b;

            a = b;
            b = rest;
        }
    }
    return a ? a : 1;
}

/* --- How far a number can go -------------------------------------------- */

static bool
group_hosts(const struct dcp_finder *f, struct dcp_arena *arena,
            const struct dcp_rule *rule, struct dcp_dial *dial)
{
    const struct dcp_inventory *inv = f->q->inventory;
    uint32_t n = 0;
    const uint32_t *domain = dcp_domain_column(inv, arena, rule->over, &n);

    if (!domain || (uint64_t)n * inv->n_hosts > SPREAD_CELLS) {
        return false;
    }
    uint32_t *first = dcp_arena_array(arena, uint32_t, n + 2u);
    uint32_t *hosts = dcp_arena_array(arena, uint32_t, inv->n_hosts);

    if (!first || !hosts) {
        return false;
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        first[domain[h] + 2]++;
    }
    for (uint32_t d = 0; d < n; d++) {
        first[d + 2] += first[d + 1];
    }
    for (uint32_t h = 0; h < inv->n_hosts; h++) {
        hosts[first[domain[h] + 1]++] = h;
    }
    dial->hosts = hosts;
    dial->first = first;
    dial->n_domains = n;
    return true;
}

static uint32_t
at_most(uint64_t most, uint64_t now)
{
    return most <= now               ? 0
           : most - now < UINT32_MAX ? (uint32_t)(most - now)
                                     : UINT32_MAX - 1;
}

static uint32_t
top_of_rule(const struct dcp_finder *f, struct dcp_arena *arena,
            const struct dcp_rule *rule, struct dcp_dial *dial)
{
    const struct dcp_inventory *inv = f->q->inventory;
    uint32_t at = place_in_chain(rule->over);
    uint64_t sum = 0;

    switch (rule->kind) {
    case DCP_RULE_SPREAD:
        return rule->n_vms > 2 && group_hosts(f, arena, rule, dial)
                   ? rule->n_vms - 2u
                   : 0;
    case DCP_RULE_GATHER:
        return at < N_WIDER ? (uint32_t)N_WIDER - 1 - at : 0;
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        return at < N_WIDER ? at : 0;
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_RUNNING_CAPACITY:
        return at_most(rule->n_vms, rule->limit);
    case DCP_RULE_CAPACITY:
        if (rule->resource == DCP_RULE_MEMORY) {
            dial->unit = common_memory(inv, rule);
        }
        for (uint32_t i = 0; i < rule->n_vms; i++) {
            const struct dcp_vm *vm = &inv->vms[rule->vms[i]];

            sum += rule->resource == DCP_RULE_MEMORY ? vm->mem_mib : vm->vcpus;
        }
        return at_most(sum / dial->unit, rule->limit / dial->unit);
    case DCP_RULE_MAX_ON:
        return at_most(rule->n_hosts, rule->limit);
    case DCP_RULE_MIN_ON:
        return at_most(rule->limit, 0);
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
        return dcp_dial_list_hosts(f, arena, dial) ? dial->n_candidates : 0;
    case DCP_RULE_AMONG:
        return rule->n_sets && dcp_dial_list_hosts(f, arena, dial)
                   ? dial->n_candidates
                   : 0;
    case DCP_RULE_ROOT:
    case DCP_RULE_LONELY:
    case DCP_RULE_QUARANTINE:
    case DCP_RULE_SEQUENCE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_FREEZE:
        break;
    }
    return 0;
}

/* VMs on the host, and all others; how many are there. */
static uint32_t
list_vms_of_host(const struct dcp_finder *f, struct dcp_arena *arena,
                 uint32_t host, struct dcp_dial *dial)
{
    const struct dcp_placement *start = f->q->start;
    uint32_t *vms = dcp_arena_array(arena, uint32_t, start->n_vms);

    for (int rest = 0; vms && rest < 2; rest++) {
        uint32_t *n = rest ? &dial->n_rest : &dial->n_stay;

        for (uint32_t v = 0; v < start->n_vms; v++) {
            if ((start->host[v].ix == host) == !rest) {
                vms[(rest ? dial->n_stay : 0) + (*n)++] = v;
            }
        }
    }
    dial->vms = vms;
    return vms ? dial->n_stay : 0;
}

static double
target_of(const struct dcp_finder *f, enum dcp_part_kind kind)
{
    const struct dcp_policy *policy = &f->q->inventory->policy;

    return kind == DCP_PART_TARGET_CPU   ? policy->target_cpu_frac
           : kind == DCP_PART_TARGET_MEM ? policy->target_mem_frac
                                         : policy->target_net_frac;
}

/* Percent below which all steps are: "85.5 %" is followed by 86. */
static double
target_base(double frac)
{
    return floor(100 * frac + 1e-9);
}

uint32_t
dcp_dials_of_part(const struct dcp_finder *f, struct dcp_arena *arena,
                  uint32_t part, struct dcp_dial out[])
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_finder_part *p = &f->parts[part];
    uint32_t n = 0;

    out[0] =
        (struct dcp_dial){ .part = part, .step = DCP_DIAL_WHOLE, .unit = 1 };
    switch (p->kind) {
    case DCP_PART_RULE:
        out[0].top = top_of_rule(f, arena, &inv->rules[p->ix], &out[0]);
        break;
    case DCP_PART_HEADROOM:
        for (; n < inv->policy.n_survive; n++) {
            out[n] = out[0];
            out[n].line = n;
            out[n].top = inv->policy.survive[n].count;
        }
        return n;
    case DCP_PART_TARGET_CPU:
    case DCP_PART_TARGET_MEM:
    case DCP_PART_TARGET_NET:
        out[0].top = (uint32_t)(100 - target_base(target_of(f, p->kind)));
        break;
    case DCP_PART_RACK_LIMIT:
    case DCP_PART_FEED_LIMIT:
        out[0].top = WATTS_TOP;
        break;
    case DCP_PART_LICENCE:
        out[0].top = LICENCE_TOP;
        break;
    case DCP_PART_MOVES:
        out[0].top = at_most(inv->n_vms, f->q->max_moves);
        break;
    case DCP_PART_EMPTYING:
        out[0].top = list_vms_of_host(f, arena, p->ix, &out[0]);
        break;
    }
    return out[0].top > 0;
}

uint32_t
dcp_dials_rules(const struct dcp_dial *dial)
{
    return dial->n_domains ? dial->n_domains : dial->n_stay ? 2 : 1;
}

/* --- What the question looks like then ---------------------------------- */

static void
apply_rule(struct dcp_finder *f, const struct dcp_dial *dial, uint32_t ix)
{
    const struct dcp_rule *rule = &f->q->inventory->rules[ix];
    uint32_t n = dcp_dials_rules(dial), at = place_in_chain(rule->over);

    for (uint32_t k = 0; k < n && f->n_rules < f->rules_room; k++) {
        struct dcp_rule *to = &f->rules[f->n_rules];

        f->closed[f->n_rules++] = f->q->closed && f->q->closed[ix];
        *to = *rule;
        switch (rule->kind) {
        case DCP_RULE_SPREAD:
            to->kind = DCP_RULE_RUNNING_CAPACITY;
            to->over = DCP_DOMAIN_HOST;
            to->limit = 1u + dial->step;
            to->hosts = dial->hosts + dial->first[k];
            to->n_hosts = dial->first[k + 1] - dial->first[k];
            break;
        case DCP_RULE_GATHER:
            to->over = wider[at + dial->step];
            break;
        case DCP_RULE_SEPARATE:
        case DCP_RULE_SPLIT:
            to->over = wider[at - dial->step];
            break;
        case DCP_RULE_MIN_ON:
            to->limit = rule->limit - dial->step;
            break;
        case DCP_RULE_CAPACITY:
            to->limit = (rule->limit / dial->unit + dial->step) * dial->unit;
            break;
        case DCP_RULE_FENCE:
        case DCP_RULE_BAN:
        case DCP_RULE_AMONG:
            dcp_dial_apply_hosts(dial, to);
            break;
        case DCP_RULE_MAX_SKEW:
        case DCP_RULE_RUNNING_CAPACITY:
        case DCP_RULE_MAX_ON:
        case DCP_RULE_ROOT:
        case DCP_RULE_LONELY:
        case DCP_RULE_QUARANTINE:
        case DCP_RULE_SEQUENCE:
        case DCP_RULE_CHANGE_WINDOW:
        case DCP_RULE_FREEZE:
            to->limit = rule->limit + dial->step;
            break;
        }
    }
}

/* The host keeps so many of the VMs that it has, and takes no other. */
static void
apply_emptying(struct dcp_finder *f, const struct dcp_dial *dial)
{
    const uint32_t *host = &f->parts[dial->part].ix;
    struct dcp_rule *to = &f->rules[f->n_rules];

    f->use[*host] = DCP_HOST_FREE;
    f->hosts[*host].state = DCP_HOST_UP;
    if (f->n_rules + 2 > f->rules_room) {
        return;
    }
    to[0] = (struct dcp_rule){ .kind = DCP_RULE_RUNNING_CAPACITY,
                               .name = "emptying",
                               .vms = dial->vms,
                               .n_vms = dial->n_stay,
                               .hosts = host,
                               .n_hosts = 1,
                               .limit = dial->step };
    to[1] = (struct dcp_rule){ .kind = DCP_RULE_BAN,
                               .name = "emptying",
                               .vms = dial->vms + dial->n_stay,
                               .n_vms = dial->n_rest,
                               .hosts = host,
                               .n_hosts = 1 };
    for (uint32_t k = 0; k < 1u + (dial->n_rest > 0); k++) {
        f->closed[f->n_rules++] = 0;
    }
}

/* What is left of each line of policy.survive. */
static void
apply_headroom(struct dcp_finder *f, uint32_t part, struct dcp_question *q)
{
    struct dcp_policy *policy = &f->inv.policy;
    uint32_t n = 0;

    for (uint32_t k = 0; k < f->n_dials; k++) {
        const struct dcp_dial *dial = &f->dials[k];

        if (dial->part == part && dial->step < dial->top) {
            policy->survive[n] = f->q->inventory->policy.survive[dial->line];
            policy->survive[n++].count -= dial->step;
        }
    }
    policy->n_survive = n;
    q->headroom = n > 0;
}

bool
dcp_dials_apply(struct dcp_finder *f, uint32_t part, struct dcp_question *q)
{
    const struct dcp_dial *dial = NULL;
    struct dcp_policy *policy = &f->inv.policy;
    uint32_t ix = f->parts[part].ix;

    for (uint32_t k = 0; !dial && k < f->n_dials; k++) {
        dial = f->dials[k].part == part ? &f->dials[k] : NULL;
    }
    if (!dial) {
        return false;
    }
    if (f->parts[part].kind == DCP_PART_HEADROOM) {
        apply_headroom(f, part, q);
        return true;
    }
    if (dial->step == DCP_DIAL_WHOLE) {
        return false;
    }
    double frac = fmin(
        1, (target_base(target_of(f, f->parts[part].kind)) + dial->step) / 100);

    switch (f->parts[part].kind) {
    case DCP_PART_RULE:
        apply_rule(f, dial, ix);
        return true;
    case DCP_PART_TARGET_CPU:
        policy->target_cpu_frac = frac;
        return true;
    case DCP_PART_TARGET_MEM:
        policy->target_mem_frac = frac;
        return true;
    case DCP_PART_TARGET_NET:
        policy->target_net_frac = frac;
        return true;
    case DCP_PART_RACK_LIMIT:
        f->racks[ix].limit_w += dial->step;
        return true;
    case DCP_PART_FEED_LIMIT:
        f->feeds[ix].limit_w += dial->step;
        return true;
    case DCP_PART_LICENCE:
        f->licences[ix].owned = floor(f->licences[ix].owned) + dial->step;
        return true;
    case DCP_PART_MOVES:
        q->max_moves += dial->step;
        return true;
    case DCP_PART_EMPTYING:
        apply_emptying(f, dial);
        return true;
    case DCP_PART_HEADROOM:
        break;
    }
    return false;
}

/* --- In words ----------------------------------------------------------- */

static void
say(struct dcp_part_amount *a, const char *what, const char *unit, double was,
    double least)
{
    a->unit = unit;
    a->was = was;
    a->least = least;
    (void)snprintf(a->text, sizeof a->text, "%s%s%.10g%s%s instead of %.10g",
                   what, *what ? " " : "", least, *unit ? " " : "", unit, was);
}

static void
describe_rule(const struct dcp_dial *dial, const struct dcp_rule *rule,
              struct dcp_part_amount *a)
{
    double was = (double)rule->limit, more = dial->step;
    uint32_t at = place_in_chain(rule->over);

    switch (rule->kind) {
    case DCP_RULE_SPREAD:
        a->unit = "VMs";
        a->was = 1;
        a->least = 1 + more;
        (void)snprintf(a->text, sizeof a->text,
                       "at most %.0f of them per %s instead of 1", a->least,
                       dcp_domain_name(rule->over));
        return;
    case DCP_RULE_GATHER:
    case DCP_RULE_SEPARATE:
    case DCP_RULE_SPLIT:
        a->unit = "domain";
        a->was = a->least = NAN;
        (void)snprintf(a->text, sizeof a->text, "over %s instead of %s",
                       dcp_domain_name(rule->kind == DCP_RULE_GATHER
                                           ? wider[at + dial->step]
                                           : wider[at - dial->step]),
                       dcp_domain_name(rule->over));
        return;
    case DCP_RULE_CAPACITY:
        if (rule->resource == DCP_RULE_VCPUS) {
            say(a, "max_vcpus", "", was, was + more);
            a->unit = "vCPUs";
            return;
        }
        say(a, "max_memory", "MiB", was,
            (double)((rule->limit / dial->unit + dial->step) * dial->unit));
        return;
    case DCP_RULE_MIN_ON:
        say(a, "min", "", was, was - more);
        a->unit = "hosts";
        return;
    case DCP_RULE_MAX_ON:
        say(a, "max", "", was, was + more);
        a->unit = "hosts";
        return;
    case DCP_RULE_FENCE:
    case DCP_RULE_BAN:
    case DCP_RULE_AMONG: /* solver/explain/conflict_hosts.c */
    case DCP_RULE_MAX_SKEW:
    case DCP_RULE_RUNNING_CAPACITY:
    case DCP_RULE_ROOT:
    case DCP_RULE_LONELY:
    case DCP_RULE_QUARANTINE:
    case DCP_RULE_SEQUENCE:
    case DCP_RULE_CHANGE_WINDOW:
    case DCP_RULE_FREEZE:
        say(a, "max", "", was, was + more);
        a->unit = "VMs";
        return;
    }
}

static void
describe_loss(const struct dcp_loss *loss, uint32_t step,
              struct dcp_part_amount *a)
{
    static const char *const names[] = { [DCP_LOSS_HOST] = "host",
                                         [DCP_LOSS_RACK] = "rack",
                                         [DCP_LOSS_FEED] = "feed" };
    const char *name = names[loss->kind];
    uint32_t left = loss->count - step;

    a->unit = "lost at once";
    a->was = loss->count;
    a->least = left;
    if (!left) {
        (void)snprintf(a->text, sizeof a->text, "survive no loss of a %s",
                       name);
    } else {
        (void)snprintf(a->text, sizeof a->text,
                       "survive the loss of %u %s%s instead of %u", left, name,
                       left == 1 ? "" : "s", loss->count);
    }
}

void
dcp_dial_describe(const struct dcp_finder *f, const struct dcp_dial *dial,
                  struct dcp_part_amount *a)
{
    const struct dcp_inventory *inv = f->q->inventory;
    const struct dcp_finder_part *part = &f->parts[dial->part];
    double more = dial->step, was;

    a->line = dial->line;
    a->steps = dial->step;
    if (dcp_dial_takes_hosts(f, dial)) {
        dcp_dial_describe_hosts(f, dial, a);
        return;
    }
    switch (part->kind) {
    case DCP_PART_RULE:
        describe_rule(dial, &inv->rules[part->ix], a);
        return;
    case DCP_PART_HEADROOM:
        describe_loss(&inv->policy.survive[dial->line], dial->step, a);
        return;
    case DCP_PART_TARGET_CPU:
    case DCP_PART_TARGET_MEM:
    case DCP_PART_TARGET_NET:
        was = target_of(f, part->kind);
        say(a, "", "%", 100 * was, target_base(was) + more);
        return;
    case DCP_PART_RACK_LIMIT:
    case DCP_PART_FEED_LIMIT:
        was = part->kind == DCP_PART_RACK_LIMIT ? inv->racks[part->ix].limit_w
                                                : inv->feeds[part->ix].limit_w;
        say(a, "", "W", was, was + more);
        return;
    case DCP_PART_LICENCE:
        was = inv->licences[part->ix].owned;
        say(a, "", "units", was, floor(was) + more);
        return;
    case DCP_PART_MOVES:
        was = f->q->max_moves;
        say(a, "", "moves", was, was + more);
        return;
    case DCP_PART_EMPTYING:
        a->unit = "VMs";
        a->was = 0;
        a->least = dial->step;
        (void)snprintf(a->text, sizeof a->text,
                       "%u of its %u VMs %s instead of none", dial->step,
                       dial->n_stay, dial->step == 1 ? "stays" : "stay");
        return;
    }
}
