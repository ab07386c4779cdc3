/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Every entrant plays the same hours of each night from the same placement, and
 * knows the day before it; nights are cut into two halves in time, and whoever
 * saves more energy in one is asked whether that holds in the other. */

#include "cli/backtest_nights.h"
#include "cli/policy_run.h"
#include "sim/loop.h"
#include "sim/stats/rank.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY, NIGHT_PLAN, FIRST_POLICY };

_Static_assert(DCP_BACKTEST_ENTRANTS_MAX <= DCP_RANK_MAX, "ranks of entrants");

/* --- Playing ------------------------------------------------------------- */

static bool
try_policy(const struct backtest *b, const char *name, struct dcp_error *err)
{
    DCP_AUTO(dcp_sim_policy)
    struct dcp_sim_policy *tried =
        dcp_policy_make(b->globals, b->context, name, NULL, err);

    return tried != NULL;
}

bool
backtest_policies_open(struct backtest *b, const char *policies,
                       struct dcp_error *err)
{
    if (!policies || !strcmp(policies, "none")) {
        return true;
    }
    b->names = strdup(policies);
    b->entrants = calloc(DCP_BACKTEST_ENTRANTS_MAX, sizeof *b->entrants);
    if (!b->names || !b->entrants) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for policies");
    }
    b->entrants[NOBODY].name = "none";
    b->entrants[NIGHT_PLAN].name = "night plan";
    b->n_entrants = FIRST_POLICY;
    for (char *rest = b->names, *name; (name = strsep(&rest, ","));) {
        if (!strcmp(name, "none")) {
            continue;
        }
        if (b->n_entrants == DCP_BACKTEST_ENTRANTS_MAX) {
            return dcp_fail(err, DCP_E_USAGE, "--policy: at most %d policies",
                            DCP_BACKTEST_ENTRANTS_MAX - FIRST_POLICY);
        }
        b->entrants[b->n_entrants++].name = name;
        if (!try_policy(b, name, err)) {
            return false;
        }
    }
    return true;
}

static void
keep(struct backtest_entrant *e, uint32_t night,
     const struct dcp_sim_result *nobody, const struct dcp_sim_result *s,
     const struct dcp_io_result *io)
{
    struct backtest_short lacks = backtest_short_of(s, io);

    e->saved_kwh[night] = nobody->meter_kwh - s->meter_kwh;
    e->saved_cost[night] = nobody->energy_cost - s->energy_cost;
    e->overload_min[night] = s->overload_host_s / 60;
    e->swap_mib[night] = lacks.swap_mib;
    e->stalled_frac[night] = lacks.stalled_frac;
    e->unserved_frac[night] = lacks.unserved_frac;
    e->migrations += s->migrations;
}

/* What a night was like for who plays it.  Owned. */
struct usage {
    struct dcp_samples cpu, net, mem;
    bool mem_is_active;
    struct dcp_storage_use storage;
};

static void
finish(struct usage *u)
{
    dcp_samples_finish(&u->cpu);
    dcp_samples_finish(&u->net);
    dcp_samples_finish(&u->mem);
    dcp_storage_use_finish(&u->storage);
}

/* Usage of the night, and of the day before it as far as there is any. */
static bool
load(struct dcp_context *c, const struct dcp_sim_result *night, struct usage *u,
     struct dcp_error *err)
{
    const struct dcp_inventory *inv = c->model.inventory;
    int64_t from_ms = night->from_ms - DCP_DAY_MS;
    struct dcp_sim_fill unused;

    if (from_ms < dcp_store_start_ms(c->store)) {
        from_ms = dcp_store_start_ms(c->store);
    }
    return dcp_samples_load(c->store, DCP_METRIC_CPU_MHZ, inv, c->measured,
                            from_ms, night->to_ms, &u->cpu, err) &&
           dcp_samples_look_back(c->store, inv, c->measured, &u->cpu, err) &&
           dcp_sim_fill(inv, &u->cpu, &unused, err) &&
           dcp_replay_net(c, night->from_ms, night->to_ms, &u->net, err) &&
           dcp_replay_memory(c, from_ms, night->to_ms, &u->mem,
                             &u->mem_is_active, err) &&
           dcp_storage_use_load(c, from_ms, night->to_ms, &u->storage, err);
}

static bool
play(struct backtest *b, uint32_t night, struct backtest_entrant *e,
     const struct dcp_sim_input *in, const struct usage *usage,
     struct dcp_error *err)
{
    const struct dcp_policy_run_input input = { .globals = b->globals,
                                                .context = b->context,
                                                .policy = e->name,
                                                .in = *in,
                                                .net = &usage->net,
                                                .storage = &usage->storage,
                                                .every_ms = b->every_ms };
    struct dcp_policy_run run;

    if (!dcp_policy_run(&input, true, &run, err)) {
        return false;
    }
    keep(e, night, in->reference, &run.result, &run.storage);
    dcp_policy_run_finish(&run);
    return true;
}

bool
backtest_policies_play(struct backtest *b, uint32_t night,
                       const struct dcp_replay *r, struct dcp_error *err)
{
    struct usage usage = { 0 };

    if (!b->n_entrants) {
        return true;
    }
    keep(&b->entrants[NOBODY], night, &r->without, &r->without,
         &r->storage.without);
    keep(&b->entrants[NIGHT_PLAN], night, &r->without,
         r->has_plan ? &r->with : &r->without,
         r->has_plan ? &r->storage.with : &r->storage.without);
    bool ok = load(b->context, &r->without, &usage, err);
    const struct dcp_sim_input in = {
        .inventory = b->context->model.inventory,
        .cpu = &usage.cpu,
        .mem = usage.mem.n_times ? &usage.mem : NULL,
        .mem_is_active = usage.mem_is_active,
        .disk = &usage.storage.disk,
        .start = b->context->model.placement,
        .from_ms = r->without.from_ms,
        .to_ms = r->without.to_ms,
        .reference = &r->without,
    };

    for (uint32_t i = FIRST_POLICY; ok && i < b->n_entrants; i++) {
        ok = play(b, night, &b->entrants[i], &in, &usage, err);
    }
    finish(&usage);
    return ok;
}

/* --- Who wins ------------------------------------------------------------ */

enum half { FIRST, SECOND, HALVES };

struct outcome {
    double saved_kwh[HALVES][DCP_BACKTEST_ENTRANTS_MAX]; /* Mean of nights. */
    double overload_min[HALVES][DCP_BACKTEST_ENTRANTS_MAX];
    uint32_t winner[HALVES], runner_up[HALVES]; /* By energy. */
    struct dcp_rank_agreement energy, overload;
    /* What the first half's winner saved more than its runner-up in the second
     * half, by night. */
    struct dcp_interval lead_kwh;
};

static uint32_t
first_night(const struct backtest *b, enum half h)
{
    return h == FIRST ? 0 : b->n / 2;
}

static uint32_t
end_night(const struct backtest *b, enum half h)
{
    return h == FIRST ? b->n / 2 : b->n;
}

static double
mean_of(const struct backtest *b, const double values[], enum half h)
{
    double sum = 0;
    uint32_t first = first_night(b, h), end = end_night(b, h);

    for (uint32_t i = first; i < end; i++) {
        sum += values[i];
    }
    return end > first ? sum / (end - first) : NAN;
}

/* Of equals the one named first. */
static uint32_t
best_but(const double values[], uint32_t n, uint32_t but)
{
    uint32_t best = but == 0 ? 1 : 0;

    for (uint32_t i = best + 1; i < n; i++) {
        if (i != but && values[i] > values[best]) {
            best = i;
        }
    }
    return best;
}

static void
judge(const struct backtest *b, struct outcome *out)
{
    double lead[DCP_BACKTEST_MAX];
    uint32_t n = 0;

    for (int h = FIRST; h < HALVES; h++) {
        for (uint32_t i = 0; i < b->n_entrants; i++) {
            out->saved_kwh[h][i] =
                mean_of(b, b->entrants[i].saved_kwh, (enum half)h);
            out->overload_min[h][i] =
                mean_of(b, b->entrants[i].overload_min, (enum half)h);
        }
        out->winner[h] = best_but(out->saved_kwh[h], b->n_entrants, UINT32_MAX);
        out->runner_up[h] =
            best_but(out->saved_kwh[h], b->n_entrants, out->winner[h]);
    }
    out->energy = dcp_kendall(out->saved_kwh[FIRST], out->saved_kwh[SECOND],
                              b->n_entrants);
    out->overload = dcp_kendall(out->overload_min[FIRST],
                                out->overload_min[SECOND], b->n_entrants);
    for (uint32_t i = first_night(b, SECOND); i < b->n; i++) {
        lead[n++] = b->entrants[out->winner[FIRST]].saved_kwh[i] -
                    b->entrants[out->runner_up[FIRST]].saved_kwh[i];
    }
    out->lead_kwh = dcp_interval_of_mean(lead, n, DCP_BACKTEST_CONFIDENCE_FRAC);
}

/* --- Output -------------------------------------------------------------- */

static void
json_agreement(struct dcp_json *w, const char *key,
               const struct dcp_rank_agreement *a)
{
    dcp_json_kobject(w, key);
    dcp_json_kdouble(w, "tau", a->tau);
    dcp_json_kdouble(w, "p_value", a->p_value);
    dcp_json_ku64(w, "concordant", a->concordant);
    dcp_json_ku64(w, "discordant", a->discordant);
    dcp_json_end(w, '}');
}

static void
json_nights(struct dcp_json *w, const char *key, const double values[],
            uint32_t n)
{
    dcp_json_karray(w, key);
    for (uint32_t i = 0; i < n; i++) {
        dcp_json_double(w, values[i]);
    }
    dcp_json_end(w, ']');
}

static void
json_entrant(struct dcp_json *w, const struct backtest *b,
             const struct outcome *o, uint32_t i)
{
    static const char *const halves[HALVES] = { "first_half", "second_half" };
    const struct backtest_entrant *e = &b->entrants[i];

    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, "policy", e->name);
    dcp_json_ku64(w, "migrations", e->migrations);
    for (int h = FIRST; h < HALVES; h++) {
        dcp_json_kobject(w, halves[h]);
        dcp_json_kdouble(w, "kwh_saved", o->saved_kwh[h][i]);
        dcp_json_kdouble(w, "cost_saved",
                         mean_of(b, e->saved_cost, (enum half)h));
        dcp_json_kdouble(w, "overload_host_minutes", o->overload_min[h][i]);
        dcp_json_end(w, '}');
    }
    json_nights(w, "kwh_saved", e->saved_kwh, b->n);
    json_nights(w, "overload_host_minutes", e->overload_min, b->n);
    json_nights(w, "swap_mib_mean", e->swap_mib, b->n);
    json_nights(w, "stalled_cpu_frac", e->stalled_frac, b->n);
    json_nights(w, "unmet_storage_frac", e->unserved_frac, b->n);
    dcp_json_end(w, '}');
}

void
backtest_policies_json(struct dcp_json *w, const struct backtest *b)
{
    struct outcome o;

    judge(b, &o);
    dcp_json_karray(w, "policies");
    for (uint32_t i = 0; i < b->n_entrants; i++) {
        json_entrant(w, b, &o, i);
    }
    dcp_json_end(w, ']');
    dcp_json_kobject(w, "ranking");
    dcp_json_ku64(w, "first_half_nights", b->n / 2);
    dcp_json_kstring(w, "first_half_winner", b->entrants[o.winner[FIRST]].name);
    dcp_json_kstring(w, "first_half_second",
                     b->entrants[o.runner_up[FIRST]].name);
    dcp_json_kstring(w, "second_half_winner",
                     b->entrants[o.winner[SECOND]].name);
    json_agreement(w, "kendall_kwh_saved", &o.energy);
    json_agreement(w, "kendall_overload", &o.overload);
    dcp_json_kobject(w, "lead_kwh_in_second_half");
    dcp_json_kdouble(w, "mean", o.lead_kwh.mean);
    dcp_json_kdouble(w, "low", o.lead_kwh.low);
    dcp_json_kdouble(w, "high", o.lead_kwh.high);
    dcp_json_end(w, '}');
    dcp_json_end(w, '}');
}

static void
print_agreement(const char *what, const struct dcp_rank_agreement *a)
{
    if (isnan(a->tau)) {
        printf("%s: one half tells nobody apart.\n", what);
    } else {
        printf("%s: Kendall's tau %.2f (p = %.3f), %u pairs in the same order, "
               "%u in the other.\n",
               what, a->tau, a->p_value, a->concordant, a->discordant);
    }
}

static double
mean_of_nights(const struct backtest *b, const double values[])
{
    double sum = 0;

    for (uint32_t i = 0; i < b->n; i++) {
        sum += values[i];
    }
    return b->n ? sum / b->n : 0;
}

/* Who had too little memory or storage, where anybody had. */
static void
print_short(const struct backtest *b)
{
    for (uint32_t i = 0; i < b->n_entrants; i++) {
        const struct backtest_entrant *e = &b->entrants[i];
        double stalled = mean_of_nights(b, e->stalled_frac);
        double unserved = mean_of_nights(b, e->unserved_frac);

        if (stalled > 0 || unserved > 0) {
            printf("%-18s %.3f %% of CPU waited for swap, %.3f %% of reads and "
                   "writes were not served, mean of all nights\n",
                   e->name, 100 * stalled, 100 * unserved);
        }
    }
}

void
backtest_policies_print(const struct backtest *b)
{
    struct outcome o;

    judge(b, &o);
    printf("\nThe same nights by policies, asked every %.0f min; means of the "
           "first %u nights and of the last %u:\n",
           (double)b->every_ms / 60000, b->n / 2, b->n - b->n / 2);
    printf("%-18s %12s %12s %14s %14s %10s\n", "", "saved kWh", "then",
           "over, h-min", "then", "moves");
    for (uint32_t i = 0; i < b->n_entrants; i++) {
        printf("%-18s %12.1f %12.1f %14.1f %14.1f %10" PRIu64 "\n",
               b->entrants[i].name, o.saved_kwh[FIRST][i],
               o.saved_kwh[SECOND][i], o.overload_min[FIRST][i],
               o.overload_min[SECOND][i], b->entrants[i].migrations);
    }
    print_short(b);
    printf("Saves most at first: %s; then: %s.  What the first winner saves "
           "more than %s, then: %.1f kWh a night (80 %% interval %.1f to "
           "%.1f).\n",
           b->entrants[o.winner[FIRST]].name,
           b->entrants[o.winner[SECOND]].name,
           b->entrants[o.runner_up[FIRST]].name, o.lead_kwh.mean,
           o.lead_kwh.low, o.lead_kwh.high);
    print_agreement("Order by energy saved", &o.energy);
    print_agreement("Order by overload", &o.overload);
}
