/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/explain/shortage.h"

#include "model/base/arena.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Classes compared pair by pair, at most: words looked at. */
#define WORK_MAX 1e9

static const uint64_t *
reach_of(const struct dcp_problem *p, uint32_t class)
{
    return p->reach + (size_t) class * p->reach_words;
}

static bool
is_within(const struct dcp_problem *p, uint32_t inner, uint32_t outer)
{
    const uint64_t *a = reach_of(p, inner), *b = reach_of(p, outer);

    for (uint32_t w = 0; w < p->reach_words; w++) {
        if (a[w] & ~b[w]) {
            return false;
        }
    }
    return true;
}

static bool
may_be_on(const struct dcp_problem *p, uint32_t host)
{
    return p->use[host] != DCP_HOST_AVOID &&
           (p->q->start->on[host] || p->q->may_wake);
}

/* What the items of each class ask for, and one of them. */
struct class_sums {
    double *need; /* [class * n_scalars + scalar] */
    uint32_t *item;
};

static void
add_up(const struct dcp_problem *p, struct class_sums *s)
{
    for (uint32_t i = p->n_items; i-- > 0;) {
        uint32_t class = p->reach_class[i];

        s->item[class] = i;
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            s->need[(size_t) class * p->n_scalars + r] +=
                p->request[(size_t)i * p->n_scalars + r];
        }
    }
}

/* What the items that are bound to a class's hosts need, and those have. */
static void
sum_class(const struct dcp_problem *p, const struct class_sums *s,
          uint32_t class, uint32_t scalar, double *need, double *have)
{
    const uint64_t *reach = reach_of(p, class);

    *need = *have = 0;
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (reach[h / 64] >> (h % 64) & 1 && may_be_on(p, h)) {
            *have += p->cap[(size_t)scalar * p->n_hosts + h];
        }
    }
    for (uint32_t k = 0; k < p->n_classes; k++) {
        if (is_within(p, k, class)) {
            *need += s->need[(size_t)k * p->n_scalars + scalar];
        }
    }
}

/* The class whose hosts are scarcest.  CPU is left out: peaks of different
 * hours do not add up. */
static bool
explain_class(const struct dcp_problem *p, const struct dcp_bound *b,
              const struct class_sums *s, struct dcp_because *out)
{
    struct dcp_bound named = *b;
    double worst = 1;

    for (uint32_t class = 0; class < p->n_classes; class ++) {
        for (uint32_t r = 0; r < p->n_scalars; r++) {
            double need, have;

            sum_class(p, s, class, r, &need, &have);
            if (need <= worst * have) {
                continue;
            }
            worst = have > 0 ? need / have : INFINITY;
            named.binding = r;
            out->need = need;
            out->have = have;
            (void)snprintf(out->object, sizeof out->object, "%s",
                           dcp_bound_binding_name(p, &named));
            (void)snprintf(
                out->text, sizeof out->text,
                "the hosts that VM '%.80s' and its like are bound to have too "
                "little together",
                p->q->inventory->vms[p->vm[p->vm_first[s->item[class]]]].name);
        }
    }
    return worst > 1;
}

/* Without the memory for it, or where it would take long, the more general
 * reason is given. */
static bool
explain_bound_vms(const struct dcp_problem *p, const struct dcp_bound *b,
                  struct dcp_because *out)
{
    double work =
        (double)p->n_classes * p->n_classes * p->reach_words * p->n_scalars;
    DCP_FREE double *need =
        calloc((size_t)p->n_classes * p->n_scalars + 1, sizeof *need);
    DCP_FREE uint32_t *item = calloc(p->n_classes + 1u, sizeof *item);
    struct class_sums s = { need, item };

    if (!need || !item || work > WORK_MAX) {
        return false;
    }
    add_up(p, &s);
    return explain_class(p, b, &s, out);
}

/* All demand of a resource against all capacity. */
static void
sum_all(const struct dcp_problem *p, const struct dcp_bound *b, double *need,
        double *have)
{
    bool cpu = b->binding >= p->n_scalars;

    *need = *have = 0;
    for (uint32_t i = 0; i < p->n_items; i++) {
        *need += cpu ? p->cpu_peak_mhz[i]
                     : p->request[(size_t)i * p->n_scalars + b->binding];
    }
    for (uint32_t h = 0; h < p->n_hosts; h++) {
        if (may_be_on(p, h)) {
            *have += cpu ? p->cap_cpu_mhz[h]
                         : p->cap[(size_t)b->binding * p->n_hosts + h];
        }
    }
}

void
dcp_shortage_explain(const struct dcp_problem *p, const struct dcp_bound *b,
                     struct dcp_because *out)
{
    const char *text = "all hosts together have too little";

    sum_all(p, b, &out->need, &out->have);
    (void)snprintf(out->rule, sizeof out->rule, "capacity");
    (void)snprintf(out->object, sizeof out->object, "%s",
                   dcp_bound_binding_name(p, b));
    if (out->need <= out->have) {
        if (explain_bound_vms(p, b, out)) {
            return;
        }
        if (p->q->headroom && p->q->inventory->policy.n_survive) {
            (void)snprintf(out->rule, sizeof out->rule, "n+1");
            text = "all hosts together have too little to lose one";
        } else {
            text = "all hosts together have enough, but no way to share out "
                   "whole VMs";
        }
    }
    (void)snprintf(out->text, sizeof out->text, "%s", text);
}
