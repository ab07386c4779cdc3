/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The smallest purchases with which a question has an answer as it stands, no
 * part given up: twins of a host, or memory for one or for all of a model,
 * asked about on copies of the inventory that have them.
 *
 * One host of each model of hardware stands for all of them, the first that
 * VMs may use: how many twins, by doubling and then halving; then how many GiB
 * of memory, up to three times what it has, and only where that does not help,
 * how many for each host of the model.  A twin is in every list of hosts
 * that names the host, of rules and of pools, so it is what one would get who
 * puts a like machine beside it and writes its selectors over racks and tags.
 * It is off where the question may wake hosts, else on. */

#include "solver/explain/conflict_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWINS_TOP    32u
#define MODELS_MAX   8u
#define MEMORY_TIMES 3u
#define GIB_MIB      1024u

enum goods { TWINS, MEMORY_OF_ONE, MEMORY_OF_ALL, N_GOODS };

struct shop {
    struct dcp_finder *f;
    uint32_t host;
    struct dcp_arena *arena; /* Of one question. */
    struct dcp_inventory inv;
    struct dcp_placement start, home;
};

/* --- Copies with more in them ------------------------------------------- */

/* The list with the twins that the host has, if it names the host. */
static bool
extend(struct shop *s, uint32_t n_twins, const uint32_t **ix, uint32_t *n)
{
    struct dcp_ids ids = { *ix, *n };

    if (!dcp_ids_contain(&ids, s->host)) {
        return true;
    }
    uint32_t *more = dcp_arena_array(s->arena, uint32_t, *n + n_twins);

    if (!more) {
        return false;
    }
    memcpy(more, *ix, *n * sizeof *more);
    for (uint32_t k = 0; k < n_twins; k++) {
        more[(*n)++] = s->f->inv.n_hosts + k;
    }
    *ix = more;
    return true;
}

static bool
extend_sets(struct shop *s, uint32_t n_twins, struct dcp_rule *rule)
{
    struct dcp_rule_set *sets =
        dcp_arena_array(s->arena, struct dcp_rule_set, rule->n_sets);

    for (uint32_t k = 0; sets && k < rule->n_sets; k++) {
        sets[k] = rule->sets[k];
        if (!extend(s, n_twins, &sets[k].ids.ix, &sets[k].ids.n)) {
            return false;
        }
    }
    rule->sets = sets;
    return sets != NULL;
}

static bool
extend_lists(struct shop *s, uint32_t n_twins)
{
    struct dcp_rule *rules =
        dcp_arena_array(s->arena, struct dcp_rule, s->inv.n_rules);
    struct dcp_pool *pools =
        dcp_arena_array(s->arena, struct dcp_pool, s->inv.n_pools);
    bool ok = rules && pools;

    for (uint32_t r = 0; ok && r < s->inv.n_rules; r++) {
        rules[r] = s->inv.rules[r];
        ok = extend(s, n_twins, &rules[r].hosts, &rules[r].n_hosts) &&
             (rules[r].kind != DCP_RULE_AMONG ||
              extend_sets(s, n_twins, &rules[r]));
    }
    for (uint32_t p = 0; ok && p < s->inv.n_pools; p++) {
        pools[p] = s->inv.pools[p];
        ok = extend(s, n_twins, &pools[p].reach.ix, &pools[p].reach.n);
    }
    s->inv.rules = rules;
    s->inv.pools = pools;
    return ok;
}

static bool
extend_placement(struct shop *s, uint32_t n_twins, bool on,
                 const struct dcp_placement *from, struct dcp_placement *to)
{
    uint8_t *all = dcp_arena_array(s->arena, uint8_t, s->inv.n_hosts);

    if (!all) {
        return false;
    }
    *to = *from;
    to->n_hosts = s->inv.n_hosts;
    to->on = all;
    memcpy(to->on, from->on, from->n_hosts);
    memset(to->on + from->n_hosts, on, n_twins);
    return true;
}

static bool
add_twins(struct shop *s, uint32_t n_twins, struct dcp_question *q)
{
    uint32_t n = s->inv.n_hosts;
    struct dcp_host *hosts =
        dcp_arena_array(s->arena, struct dcp_host, n + n_twins);
    uint8_t *use = dcp_arena_array(s->arena, uint8_t, n + n_twins);

    if (!hosts || !use || !extend_lists(s, n_twins)) {
        return false;
    }
    memcpy(hosts, s->inv.hosts, n * sizeof *hosts);
    memcpy(use, q->host_use, n);
    for (uint32_t k = n; k < n + n_twins; k++) {
        hosts[k] = hosts[s->host];
        hosts[k].name = "(new)";
        use[k] = DCP_HOST_FREE;
    }
    s->inv.hosts = hosts;
    s->inv.n_hosts = n + n_twins;
    q->host_use = use;
    if (!extend_placement(s, n_twins, !q->may_wake, q->start, &s->start) ||
        !extend_placement(s, n_twins, !q->may_wake,
                          q->home ? q->home : q->start, &s->home)) {
        return false;
    }
    q->home = q->home ? &s->home : NULL;
    q->start = &s->start;
    return true;
}

static bool
add_memory(struct shop *s, bool all, uint32_t n_gib)
{
    uint32_t n = s->inv.n_hardware;
    uint32_t model = s->inv.hosts[s->host].hardware.ix;
    struct dcp_hardware *models =
        dcp_arena_array(s->arena, struct dcp_hardware, n + 1u);
    struct dcp_host *hosts =
        dcp_arena_array(s->arena, struct dcp_host, s->inv.n_hosts);

    if (!models || !hosts) {
        return false;
    }
    memcpy(models, s->inv.hardware, n * sizeof *models);
    memcpy(hosts, s->inv.hosts, s->inv.n_hosts * sizeof *hosts);
    models[n] = models[model];
    models[n].mem_mib += (uint64_t)n_gib * GIB_MIB;
    for (uint32_t h = 0; h < s->inv.n_hosts; h++) {
        if (h == s->host || (all && hosts[h].hardware.ix == model)) {
            hosts[h].hardware.ix = n;
        }
    }
    s->inv.hardware = models;
    s->inv.n_hardware = n + 1;
    s->inv.hosts = hosts;
    return true;
}

/* --- How much ----------------------------------------------------------- */

static bool
ask(struct shop *s, enum goods goods, uint32_t n, enum dcp_oracle *out,
    struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);

    for (uint32_t i = 0; i < s->f->n; i++) {
        s->f->trial[i] = 1;
    }
    struct dcp_question q = dcp_finder_question(s->f, s->f->trial);

    s->arena = arena;
    s->inv = s->f->inv;
    q.inventory = &s->inv;
    if (!arena ||
        !(goods == TWINS ? add_twins(s, n, &q)
                         : add_memory(s, goods == MEMORY_OF_ALL, n))) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for a purchase");
    }
    return dcp_finder_ask_question(s->f, &q, out, err);
}

/* The least of 1..top that will do; 0: none. */
static bool
least(struct shop *s, enum goods goods, uint32_t top, uint32_t *out,
      bool *out_proved, struct dcp_error *err)
{
    uint32_t no = 0, yes = top, length = 1;
    enum dcp_oracle says;

    *out = 0;
    *out_proved = true; /* Of none at all. */
    if (!top || !ask(s, goods, top, &says, err)) {
        return !top;
    }
    if (says != DCP_ORACLE_YES) {
        return true;
    }
    while (yes - no > 1) {
        uint32_t n = yes - no > length ? no + length : no + (yes - no) / 2;

        if (!ask(s, goods, n, &says, err)) {
            return false;
        }
        if (says == DCP_ORACLE_YES) {
            yes = n;
            length = UINT32_MAX;
        } else {
            no = n;
            *out_proved = says == DCP_ORACLE_NO;
            length = length < UINT32_MAX / 2 ? 2 * length : UINT32_MAX;
        }
    }
    *out = yes;
    return true;
}

static void
keep(const struct shop *s, enum goods goods, uint32_t n, bool proved,
     struct dcp_conflict *c)
{
    const struct dcp_inventory *inv = s->f->q->inventory;
    const struct dcp_host *host = &inv->hosts[s->host];
    struct dcp_conflict_purchase *p = &c->purchase[c->n_purchases++];

    *p = (struct dcp_conflict_purchase){ .host = s->host, .proved = proved };
    p->mem_mib = goods == TWINS ? 0 : (uint64_t)n * GIB_MIB;
    p->all = goods == MEMORY_OF_ALL;
    if (goods == MEMORY_OF_ONE) {
        (void)snprintf(p->text, sizeof p->text,
                       "%u GiB more memory in host '%.60s'", n, host->name);
    } else if (goods == MEMORY_OF_ALL) {
        (void)snprintf(p->text, sizeof p->text,
                       "%u GiB more memory in each host of model '%.60s'", n,
                       inv->hardware[host->hardware.ix].name);
    } else {
        p->n_hosts = n;
        (void)snprintf(p->text, sizeof p->text, "%u host%s like '%.60s'", n,
                       n == 1 ? "" : "s", host->name);
    }
}

static bool
is_usable(const struct dcp_finder *f, uint32_t h)
{
    return f->q->inventory->hosts[h].state == DCP_HOST_UP &&
           !(f->q->host_use && f->q->host_use[h] == DCP_HOST_AVOID);
}

/* All goods for the model of one host. */
static bool
look_around(struct shop *s, struct dcp_conflict *c, struct dcp_error *err)
{
    const struct dcp_inventory *inv = s->f->q->inventory;
    uint64_t gib =
        inv->hardware[inv->hosts[s->host].hardware.ix].mem_mib / GIB_MIB;
    uint32_t n = 0;

    for (enum goods goods = TWINS;
         goods < N_GOODS && c->n_purchases < DCP_CONFLICT_PURCHASES &&
         !dcp_finder_time_is_up(s->f);
         goods++) {
        uint32_t top =
            goods == TWINS ? TWINS_TOP : (uint32_t)(MEMORY_TIMES * gib);
        bool proved;

        if (goods == MEMORY_OF_ALL && n) {
            break;
        }
        if (!least(s, goods, top, &n, &proved, err)) {
            return false;
        }
        if (n) {
            keep(s, goods, n, proved, c);
        }
    }
    return true;
}

bool
dcp_conflict_find_purchases(struct dcp_finder *f, struct dcp_conflict *c,
                            struct dcp_error *err)
{
    const struct dcp_inventory *inv = f->q->inventory;
    uint32_t asked[MODELS_MAX], n_asked = 0;

    if (c->relax_partial || !(c->n_relax || c->hopeless)) {
        return true;
    }
    for (uint32_t h = 0; h < inv->n_hosts && n_asked < MODELS_MAX; h++) {
        struct shop s = { .f = f, .host = h };
        uint32_t model = inv->hosts[h].hardware.ix;
        bool again = !is_usable(f, h);

        for (uint32_t k = 0; k < n_asked; k++) {
            again |= asked[k] == model;
        }
        if (again) {
            continue;
        }
        asked[n_asked++] = model;
        if (!look_around(&s, c, err)) {
            return false;
        }
    }
    return true;
}
