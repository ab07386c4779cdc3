/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rules about numbers: of VMs by domain, of VMs or resources on a set of
 * hosts, of hosts that are on.  Where the start is beyond a limit already,
 * that is the limit.  Over all orders of a leg a number is bounded as host
 * loads are, by the largest closure (model/check/order.h). */

#include "model/check/rule_check.h"

#include <stdio.h>
#include <stdlib.h>

/* --- In one state ------------------------------------------------------- */

static int
compare_domains(const void *pa, const void *pb)
{
    const struct dcp_rule_member *a = pa, *b = pb;

    return a->domain < b->domain ? -1 : a->domain > b->domain;
}

/* One entry for each domain of the rule's hosts; returns how many. */
static uint32_t
list_domains(const struct dcp_rule *rule,
             uint32_t (*of)(const void *view, uint32_t host), const void *view,
             struct dcp_rule_member *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        out[i] = (struct dcp_rule_member){ .domain = of(view, rule->hosts[i]) };
    }
    if (rule->n_hosts > 1) {
        qsort(out, rule->n_hosts, sizeof *out, compare_domains);
    }
    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        if (!n || out[i].domain != out[n - 1].domain) {
            out[n++] = out[i];
        }
    }
    return n;
}

static struct dcp_rule_member *
find_domain(struct dcp_rule_member *list, uint32_t n, uint32_t domain)
{
    struct dcp_rule_member key = { .domain = domain };

    return n ? bsearch(&key, list, n, sizeof *list, compare_domains) : NULL;
}

static uint32_t
domain_in_view(const void *view, uint32_t host)
{
    return dcp_rule_view_domain(view, host);
}

/* The most less the least; 'part' of the entries counts. */
static uint32_t
skew_of(const struct dcp_rule_view *v, const struct dcp_placement *p,
        uint32_t n, uint32_t *out_most)
{
    uint32_t least = UINT32_MAX, most = 0;

    for (uint32_t i = 0; i < n; i++) {
        v->members[i].part = 0;
    }
    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        dcp_host_id h = p->host[v->rule->vms[i]];
        struct dcp_rule_member *d =
            dcp_host_is_none(h) || !dcp_rule_lists_host(v->rule, h.ix)
                ? NULL
                : find_domain(v->members, n, dcp_rule_view_domain(v, h.ix));

        if (d) {
            d->part++;
            d->vm = h.ix; /* A host of the domain, to name it. */
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        least = v->members[i].part < least ? v->members[i].part : least;
        if (v->members[i].part > most) {
            most = v->members[i].part;
            *out_most = v->members[i].vm;
        }
    }
    return n ? most - least : 0;
}

bool
dcp_check_skew(struct dcp_rule_view *v)
{
    uint32_t host = 0, n = list_domains(v->rule, domain_in_view, v, v->members);
    uint64_t limit = v->rule->limit;

    if (v->j->base && !v->rule->soft) {
        uint32_t was = skew_of(v, v->j->base, n, &host);

        limit = was > limit ? was : limit;
    }
    uint32_t is = skew_of(v, v->p, n, &host);

    if (is > limit) {
        char text[100];

        (void)snprintf(text, sizeof text, "its %s has %u VMs more than another",
                       dcp_domain_name(v->rule->over), is);
        dcp_rule_broken(v, dcp_judge_host(host), is, (double)limit,
                        (double)(is - limit), text);
    }
    return true;
}

static uint64_t
sum_of(const struct dcp_rule_view *v, const struct dcp_placement *p)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < v->rule->n_vms; i++) {
        dcp_host_id h = p->host[v->rule->vms[i]];

        if (!dcp_host_is_none(h) && dcp_rule_lists_host(v->rule, h.ix)) {
            sum += dcp_rule_weight(v->j->inv, v->rule, v->rule->vms[i]);
        }
    }
    return sum;
}

static const char *
unit_of(const struct dcp_rule *rule)
{
    return rule->kind != DCP_RULE_CAPACITY     ? "VMs"
           : rule->resource == DCP_RULE_MEMORY ? "MiB"
                                               : "vCPUs";
}

bool
dcp_check_limit(struct dcp_rule_view *v)
{
    uint64_t limit = v->rule->limit, is = sum_of(v, v->p);

    if (v->j->base && !v->rule->soft) {
        uint64_t was = sum_of(v, v->j->base);

        limit = was > limit ? was : limit;
    }
    if (is > limit) {
        bool counts = v->rule->kind == DCP_RULE_RUNNING_CAPACITY;
        char text[100];

        (void)snprintf(text, sizeof text, "its hosts hold %llu %s, limit %llu",
                       (unsigned long long)is, unit_of(v->rule),
                       (unsigned long long)limit);
        dcp_rule_broken(v, (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                        (double)is, (double)limit,
                        counts ? (double)(is - limit) : 1, text);
    }
    return true;
}

static uint32_t
count_on(const struct dcp_rule *rule, const struct dcp_placement *p)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->n_hosts; i++) {
        n += p->on[rule->hosts[i]];
    }
    return n;
}

/* The limit as far as the base kept it. */
static int64_t
power_limit(const struct dcp_rule *rule, const struct dcp_placement *base)
{
    int64_t limit = (int64_t)rule->limit;

    if (base && !rule->soft) {
        int64_t was = count_on(rule, base);

        limit = rule->kind == DCP_RULE_MAX_ON ? was > limit ? was : limit
                : was < limit                 ? was
                                              : limit;
    }
    return limit;
}

static int64_t
beyond(const struct dcp_rule *rule, int64_t n, int64_t limit)
{
    return rule->kind == DCP_RULE_MAX_ON ? n - limit : limit - n;
}

bool
dcp_check_power(struct dcp_rule_view *v)
{
    int64_t limit = power_limit(v->rule, v->j->base);
    int64_t is = count_on(v->rule, v->p);

    if (beyond(v->rule, is, limit) > 0) {
        char text[100];

        (void)snprintf(text, sizeof text,
                       "%lld of its hosts are on, limit %lld", (long long)is,
                       (long long)limit);
        dcp_rule_broken(v, (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                        (double)limit, (double)is,
                        (double)beyond(v->rule, is, limit), text);
    }
    return true;
}

/* --- In every state ----------------------------------------------------- */

struct event { /* A step that changes the number. */
    uint32_t step;
    int64_t weight;
};

struct events {
    struct event *in,
        *out; /* Raises it from its start; lowers it at its end. */
    uint32_t n_in, n_out;
};

static int
compare_events(const void *pa, const void *pb)
{
    const struct event *a = pa, *b = pb;

    return a->step < b->step ? -1 : a->step > b->step;
}

/* The most that the events can add in any state, with the step that does. */
static bool
worst_of(struct dcp_leg_view *leg, struct events *e, int64_t *out_worst,
         uint32_t *out_step)
{
    uint32_t n = e->n_in + e->n_out;
    DCP_FREE uint32_t *ids = calloc(n + 1u, sizeof *ids);
    DCP_FREE int64_t *weight = calloc(n + 1u, sizeof *weight);

    *out_worst = 0;
    *out_step = 0;
    if (!ids || !weight) {
        return dcp_judge_no_memory(leg->j);
    }
    if (e->n_in > 1) {
        qsort(e->in, e->n_in, sizeof *e->in, compare_events);
    }
    if (e->n_out > 1) {
        qsort(e->out, e->n_out, sizeof *e->out, compare_events);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct event *x = i < e->n_in ? &e->in[i] : &e->out[i - e->n_in];

        ids[i] = x->step;
        weight[i] = x->weight;
    }
    if (!e->n_in) {
        return true;
    }
    DCP_AUTO(dcp_check_touch)
    struct dcp_check_touch *touch = dcp_check_touch_create(
        leg->order, ids, e->n_in, ids + e->n_in, e->n_out);

    if (!touch) {
        return dcp_judge_no_memory(leg->j);
    }
    leg->j->result->states_checked++;
    *out_worst = dcp_check_touch_worst(touch, weight, out_step);
    return true;
}

static bool
events_init(struct events *e, const struct dcp_leg_view *leg)
{
    size_t n = leg->end_id - leg->first_id + 1u;

    *e = (struct events){ calloc(n, sizeof *e->in), calloc(n, sizeof *e->out),
                          0, 0 };
    return e->in && e->out;
}

static void
events_finish(struct events *e)
{
    free(e->in);
    free(e->out);
}

static void
add_event(struct events *e, uint32_t step, int64_t weight)
{
    if (weight > 0) {
        e->in[e->n_in++] = (struct event){ step, weight };
    } else if (weight < 0) {
        e->out[e->n_out++] = (struct event){ step, -weight };
    }
}

/* A step of a VM, with the hosts before and after (DCP_IX_NONE: none). */
static bool
change_of(const struct dcp_leg_view *leg, uint32_t id, uint32_t *out_vm,
          uint32_t *out_from, uint32_t *out_to)
{
    const struct dcp_step *s = dcp_leg_step(leg, id);

    *out_vm = s->object.ix;
    *out_from = s->from.kind == DCP_OBJECT_HOST ? s->from.ix : DCP_IX_NONE;
    *out_to = s->to.kind == DCP_OBJECT_HOST ? s->to.ix : DCP_IX_NONE;
    return s->object.kind == DCP_OBJECT_VM && *out_from != *out_to;
}

/* What the sets of hosts hold now and may hold at most. */
bool
dcp_always_limit(struct dcp_always_view *v)
{
    const struct dcp_leg_view *leg = v->leg;
    const struct dcp_judge *j = leg->j;
    struct dcp_rule_view state = { .j = j, .rule = v->rule };
    uint64_t limit = v->rule->limit, was = sum_of(&state, j->base);
    int64_t worst;
    uint32_t step;
    struct events e;
    bool ok = events_init(&e, leg) || dcp_judge_no_memory(j);

    limit = was > limit ? was : limit;
    for (uint32_t id = leg->first_id; ok && id < leg->end_id; id++) {
        uint32_t vm, from, to;

        if (change_of(leg, id, &vm, &from, &to) &&
            dcp_rule_lists_vm(v->rule, vm)) {
            int64_t w = (int64_t)dcp_rule_weight(j->inv, v->rule, vm);
            bool in = to != DCP_IX_NONE && dcp_rule_lists_host(v->rule, to);
            bool out =
                from != DCP_IX_NONE && dcp_rule_lists_host(v->rule, from);

            add_event(&e, id, w * ((int64_t)in - (int64_t)out));
        }
    }
    ok = ok && worst_of(v->leg, &e, &worst, &step);
    if (ok) {
        uint64_t most = sum_of(&state, leg->start) + (uint64_t)worst;
        char text[100];

        (void)snprintf(text, sizeof text,
                       "its hosts may hold %llu %s for a time, limit %llu",
                       (unsigned long long)most, unit_of(v->rule),
                       (unsigned long long)limit);
        if (most > limit) {
            dcp_always_report(v, step,
                              (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                              (double)most, (double)limit, text);
        }
    }
    events_finish(&e);
    return ok;
}

static uint32_t
domain_of_always(const void *view, uint32_t host)
{
    return dcp_always_domain(view, host);
}

struct skew_work {
    struct dcp_always_view *v;
    struct dcp_rule_member *domains; /* part: VMs there as the leg begins. */
    uint32_t n;
    uint64_t limit;
    struct events e;
};

/* The rule's domain of a host, or none: outside its hosts. */
static uint32_t
counted_domain(const struct skew_work *w, uint32_t host)
{
    return host == DCP_IX_NONE || !dcp_rule_lists_host(w->v->rule, host)
               ? DCP_IX_NONE
               : dcp_always_domain(w->v, host);
}

/* How far 'a' can get above 'b'. */
static bool
judge_two(struct skew_work *w, const struct dcp_rule_member *a,
          const struct dcp_rule_member *b, bool *out_told)
{
    struct dcp_leg_view *leg = w->v->leg;
    int64_t start = (int64_t)a->part - (int64_t)b->part, rises = 0, worst;
    uint32_t step;

    w->e.n_in = w->e.n_out = 0;
    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        uint32_t vm, from, to;

        if (!change_of(leg, id, &vm, &from, &to) ||
            !dcp_rule_lists_vm(w->v->rule, vm)) {
            continue;
        }
        uint32_t d = counted_domain(w, from), e = counted_domain(w, to);
        int64_t change = (e == a->domain) - (d == a->domain) -
                         (e == b->domain) + (d == b->domain);

        rises += change > 0 ? change : 0;
        add_event(&w->e, id, change);
    }
    if (start + rises <= (int64_t)w->limit) {
        return true;
    }
    if (!worst_of(leg, &w->e, &worst, &step)) {
        return false;
    }
    if (start + worst > (int64_t)w->limit) {
        char text[100];

        (void)snprintf(text, sizeof text,
                       "one %s may have %lld VMs more than another for a time",
                       dcp_domain_name(w->v->rule->over),
                       (long long)(start + worst));
        dcp_always_report(w->v, step, (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                          (double)(start + worst), (double)w->limit, text);
        *out_told = true;
    }
    return true;
}

/* Domains whose number changes in the leg, against all others. */
static bool
judge_pairs(struct skew_work *w)
{
    const struct dcp_leg_view *leg = w->v->leg;
    bool told = false;

    for (uint32_t id = leg->first_id; id < leg->end_id; id++) {
        uint32_t vm, from, to;

        if (!change_of(leg, id, &vm, &from, &to) ||
            !dcp_rule_lists_vm(w->v->rule, vm)) {
            continue;
        }
        uint32_t changed[] = { counted_domain(w, from), counted_domain(w, to) };

        for (int k = 0; k < 2; k++) {
            struct dcp_rule_member *d =
                find_domain(w->domains, w->n, changed[k]);

            if (changed[0] == changed[1] || !d || d->vm) {
                continue;
            }
            d->vm = 1; /* Looked at. */
            for (uint32_t i = 0; i < w->n && !told; i++) {
                if (&w->domains[i] != d &&
                    (!judge_two(w, d, &w->domains[i], &told) ||
                     (!told && !judge_two(w, &w->domains[i], d, &told)))) {
                    return false;
                }
            }
        }
    }
    return true;
}

bool
dcp_always_skew(struct dcp_always_view *v)
{
    const struct dcp_judge *j = v->leg->j;
    uint32_t n_hosts = v->rule->n_hosts, host;
    DCP_FREE struct dcp_rule_member *domains =
        calloc(n_hosts + 1u, sizeof *domains);
    struct dcp_rule_view state = {
        .j = j, .rule = v->rule, .domains = v->domains, .members = domains
    };
    struct skew_work w = { .v = v, .domains = domains };
    bool ok = events_init(&w.e, v->leg);

    if (!domains || !ok) {
        events_finish(&w.e);
        return dcp_judge_no_memory(j);
    }
    w.n = list_domains(v->rule, domain_of_always, v, domains);
    uint32_t was = skew_of(&state, j->base, w.n, &host);

    w.limit = was > v->rule->limit ? was : v->rule->limit;
    (void)skew_of(&state, v->leg->start, w.n, &host);
    for (uint32_t i = 0; i < w.n; i++) {
        domains[i].vm = 0;
    }
    ok = judge_pairs(&w);
    events_finish(&w.e);
    return ok;
}

/* A host that is being switched counts as on for max_on, and as off for
 * min_on. */
bool
dcp_always_power(struct dcp_always_view *v)
{
    struct dcp_leg_view *leg = v->leg;
    int64_t limit = power_limit(v->rule, leg->j->base), worst;
    int64_t start = count_on(v->rule, leg->start);
    bool most = v->rule->kind == DCP_RULE_MAX_ON;
    uint32_t step;
    struct events e;
    bool ok = events_init(&e, leg) || dcp_judge_no_memory(leg->j);

    for (uint32_t id = leg->first_id; ok && id < leg->end_id; id++) {
        const struct dcp_step *s = dcp_leg_step(leg, id);
        bool on = s->kind == DCP_STEP_HOST_ON;

        if ((on || s->kind == DCP_STEP_HOST_OFF) &&
            dcp_rule_lists_host(v->rule, s->object.ix)) {
            add_event(&e, id, on == most ? 1 : -1);
        }
    }
    ok = ok && worst_of(leg, &e, &worst, &step);
    if (ok) {
        int64_t is = most ? start + worst : start - worst;
        char text[100];

        (void)snprintf(text, sizeof text,
                       "%lld of its hosts may be on for a time, limit %lld",
                       (long long)is, (long long)limit);
        if (beyond(v->rule, is, limit) > 0) {
            dcp_always_report(v, step,
                              (struct dcp_object){ DCP_OBJECT_NONE, 0 },
                              (double)limit, (double)is, text);
        }
    }
    events_finish(&e);
    return ok;
}
