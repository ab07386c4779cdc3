/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/backtest_nights.h"

#include "cli/ui.h"
#include "model/base/units.h"

#include <math.h>
#include <stdio.h>

/* How many of the nights ought to be in their intervals, by the contract. */
#define COVERED_LEAST_FRAC 0.7
#define COVERED_MOST_FRAC  0.9
#define SURE_FRAC          0.95

struct column {
    const char *key, *title;
    size_t offset;
    double factor;
    int decimals;
    bool never_negative;
    bool rare; /* People see it only where it is above 0 on some night. */
};
#define RARE(KEY, TITLE, MEMBER, FACTOR, DECIMALS)                             \
    {                                                                          \
        KEY, TITLE, offsetof(struct backtest_night, MEMBER), FACTOR, DECIMALS, \
            true, true                                                         \
    }
#define COLUMN(KEY, TITLE, MEMBER, FACTOR, DECIMALS, POSITIVE)                 \
    {                                                                          \
        KEY, TITLE, offsetof(struct backtest_night, MEMBER), FACTOR, DECIMALS, \
            POSITIVE, false                                                    \
    }
enum {
    PLANNED,
    FORESEEN,
    SAVED,
    HOSTS_BEFORE,
    HOSTS_AFTER,
    OVER_BEFORE,
    OVER_AFTER,
    SOME_OVER,
    LONGEST_OVER,
    OVERLOADED,
    ABOVE_TARGET,
    BALLOON_BEFORE,
    BALLOON_AFTER,
    SWAP_BEFORE,
    SWAP_AFTER,
    STALLED_BEFORE,
    STALLED_AFTER,
    UNSERVED_BEFORE,
    UNSERVED_AFTER,
    N_COLUMNS
};
static const struct column columns[N_COLUMNS] = {
    [PLANNED] =
        COLUMN("planned_kwh_saved", "planned kWh", planned_kwh, 1, 1, false),
    [FORESEEN] =
        COLUMN("foreseen_kwh_saved", "foreseen", foreseen_kwh, 1, 1, false),
    [SAVED] = COLUMN("kwh_saved", "saved kWh", saved_kwh, 1, 1, false),
    [HOSTS_BEFORE] =
        COLUMN("hosts_on_mean_before", "hosts was", hosts_before, 1, 1, true),
    [HOSTS_AFTER] =
        COLUMN("hosts_on_mean", "hosts is", hosts_after, 1, 1, true),
    [OVER_BEFORE] = COLUMN("overload_host_minutes_before", "over was",
                           overload_before_min, 1, 1, true),
    [OVER_AFTER] = COLUMN("overload_host_minutes", "over is",
                          overload_after_min, 1, 1, true),
    [SOME_OVER] =
        COLUMN("overload_minutes", "min with", overload_some_min, 1, 0, true),
    [LONGEST_OVER] = COLUMN("overload_longest_minutes", "longest",
                            overload_longest_min, 1, 0, true),
    [OVERLOADED] = COLUMN("host_slots_overloaded_frac", "% over",
                          overloaded_frac, 100, 3, true),
    [ABOVE_TARGET] = COLUMN("host_slots_above_target_frac", "% > target",
                            above_target_frac, 100, 3, true),
    [BALLOON_BEFORE] = RARE("balloon_mib_mean_before", "balloon was",
                            short_before.balloon_mib, 1 / 1024.0, 1),
    [BALLOON_AFTER] = RARE("balloon_mib_mean", "balloon GiB",
                           short_after.balloon_mib, 1 / 1024.0, 1),
    [SWAP_BEFORE] = RARE("swap_mib_mean_before", "swap was",
                         short_before.swap_mib, 1 / 1024.0, 1),
    [SWAP_AFTER] =
        RARE("swap_mib_mean", "swap GiB", short_after.swap_mib, 1 / 1024.0, 1),
    [STALLED_BEFORE] = RARE("stalled_cpu_frac_before", "stalled was",
                            short_before.stalled_frac, 100, 3),
    [STALLED_AFTER] =
        RARE("stalled_cpu_frac", "% stalled", short_after.stalled_frac, 100, 3),
    [UNSERVED_BEFORE] = RARE("unmet_storage_frac_before", "disk was",
                             short_before.unserved_frac, 100, 3),
    [UNSERVED_AFTER] =
        RARE("unmet_storage_frac", "% disk", short_after.unserved_frac, 100, 3),
};

static double
value_of(const struct backtest_night *n, const struct column *c)
{
    return *(const double *)((const char *)n + c->offset);
}

static struct dcp_interval
interval_of(const struct backtest *b, const struct column *c)
{
    double values[DCP_BACKTEST_MAX];

    for (uint32_t i = 0; i < b->n; i++) {
        values[i] = value_of(&b->nights[i], c);
    }
    struct dcp_interval out =
        dcp_interval_of_mean(values, b->n, DCP_BACKTEST_CONFIDENCE_FRAC);

    if (c->never_negative && out.low < 0) {
        out.low = 0;
    }
    return out;
}

/* What the plans promise: policy.overload, or the largest 1 - percentile of
 * the model's tiers. */
static double
planned_exceedance_frac(const struct dcp_inventory *inv)
{
    double most = 0;

    if (inv->policy.overload) {
        return inv->policy.overload_eps_frac;
    }
    for (uint32_t t = 0; t < inv->n_tiers; t++) {
        most = fmax(most, 1 - inv->tiers[t].percentile);
    }
    return round(most * 1e9) / 1e9; /* 1 - 0.95 is not quite 0.05. */
}

/* --- Coverage ------------------------------------------------------------ */

/* What was foretold of each night. */
struct promise {
    const char *key, *unit; /* Of JSON. */
    const char *text;
    size_t value, expected; /* Offsets in struct backtest_night. */
};
#define PROMISE(KEY, UNIT, TEXT, VALUE, EXPECTED)                              \
    {                                                                          \
        KEY, UNIT, TEXT, offsetof(struct backtest_night, VALUE),               \
            offsetof(struct backtest_night, EXPECTED)                          \
    }
static const struct promise saving =
    PROMISE("coverage", "kwh_saved", "Saved was", saved_kwh, expected_kwh);
static const struct promise overload =
    PROMISE("coverage_overload", "overload_minutes", "Time with overload was",
            overload_some_min, expected_overload_min);

#define ROUNDING 1e-6 /* Squares of roots. */

static struct dcp_interval
expected_of(const struct backtest_night *n, const struct promise *p)
{
    return *(const struct dcp_interval *)((const char *)n + p->expected);
}

static bool
is_foretold(const struct backtest_night *n, const struct promise *p)
{
    return !isnan(expected_of(n, p).low);
}

static bool
is_covered(const struct backtest_night *n, const struct promise *p)
{
    struct dcp_interval x = expected_of(n, p);
    double value = *(const double *)((const char *)n + p->value);

    return x.low - ROUNDING <= value && value <= x.high + ROUNDING;
}

struct coverage {
    uint32_t n, n_covered;
    struct dcp_interval share; /* NaN: no night was foretold. */
    const char *verdict;
};

static struct coverage
coverage_of(const struct backtest *b, const struct promise *p)
{
    struct coverage c = { 0 };

    for (uint32_t i = 0; i < b->n; i++) {
        bool foretold = is_foretold(&b->nights[i], p);

        c.n += foretold;
        c.n_covered += foretold && is_covered(&b->nights[i], p);
    }
    c.share = dcp_interval_of_share(c.n_covered, c.n, SURE_FRAC);
    c.verdict = !c.n                                ? "unknown"
                : c.share.mean < COVERED_LEAST_FRAC ? "too_narrow"
                : c.share.mean > COVERED_MOST_FRAC  ? "too_wide"
                                                    : "kept";
    return c;
}

/* --- JSON ---------------------------------------------------------------- */

/* "expected_kwh_saved" and its kin, and whether it came true. */
static void
json_expected(struct dcp_json *w, const struct backtest_night *n,
              const struct promise *p, const char *covered)
{
    struct dcp_interval x = expected_of(n, p);
    char key[64];

    (void)snprintf(key, sizeof key, "expected_%s", p->unit);
    dcp_json_kdouble(w, key, x.mean);
    (void)snprintf(key, sizeof key, "expected_%s_low", p->unit);
    dcp_json_kdouble(w, key, x.low);
    (void)snprintf(key, sizeof key, "expected_%s_high", p->unit);
    dcp_json_kdouble(w, key, x.high);
    if (is_foretold(n, p)) {
        dcp_json_kbool(w, covered, is_covered(n, p));
    } else {
        dcp_json_knull(w, covered);
    }
}

static void
json_night(struct dcp_json *w, const struct backtest_night *n)
{
    dcp_json_begin_line(w, '{');
    dcp_json_kinstant(w, "start", n->start_ms);
    dcp_json_kstring(w, "status", n->status);
    dcp_json_kbool(w, "partial", n->partial);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        dcp_json_kdouble(w, columns[c].key, value_of(n, &columns[c]));
    }
    json_expected(w, n, &saving, "covered");
    json_expected(w, n, &overload, "overload_covered");
    dcp_json_ku64(w, "migrations", n->migrations);
    dcp_json_kdouble(w, "makespan_minutes", n->makespan_min);
    dcp_json_end(w, '}');
}

static void
json_coverage(struct dcp_json *w, const struct backtest *b,
              const struct promise *p)
{
    struct coverage c = coverage_of(b, p);

    dcp_json_kobject(w, p->key);
    dcp_json_kdouble(w, "claimed_frac", DCP_BACKTEST_CONFIDENCE_FRAC);
    dcp_json_ku64(w, "nights", c.n);
    dcp_json_ku64(w, "covered", c.n_covered);
    dcp_json_kdouble(w, "covered_frac", c.share.mean);
    dcp_json_kdouble(w, "low", c.share.low);
    dcp_json_kdouble(w, "high", c.share.high);
    dcp_json_kstring(w, "verdict", c.verdict);
    dcp_json_end(w, '}');
}

int
backtest_print_json(const struct backtest *b, struct dcp_error *err)
{
    struct dcp_json w;

    dcp_json_init(&w, true);
    dcp_json_begin(&w, '{');
    dcp_json_kstring(&w, "schema", "dcplan/simulate/1");
    dcp_json_kdouble(&w, "planned_exceedance_frac",
                     planned_exceedance_frac(b->context->model.inventory));
    dcp_json_kdouble(&w, "confidence_frac", DCP_BACKTEST_CONFIDENCE_FRAC);
    dcp_json_ku64(&w, "backtest", b->n);
    dcp_json_karray(&w, "nights");
    for (uint32_t i = 0; i < b->n; i++) {
        json_night(&w, &b->nights[i]);
    }
    dcp_json_end(&w, ']');
    dcp_json_kobject(&w, "mean");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        struct dcp_interval m = interval_of(b, &columns[c]);

        dcp_json_key(&w, columns[c].key);
        dcp_json_begin_line(&w, '{');
        dcp_json_kdouble(&w, "mean", m.mean);
        dcp_json_kdouble(&w, "low", m.low);
        dcp_json_kdouble(&w, "high", m.high);
        dcp_json_end(&w, '}');
    }
    dcp_json_end(&w, '}');
    json_coverage(&w, b, &saving);
    json_coverage(&w, b, &overload);
    if (b->n_entrants) {
        backtest_policies_json(&w, b);
    }
    dcp_json_kobject(&w, "run");
    dcp_ui_run_members(b->globals, &w);
    dcp_json_end(&w, '}');
    dcp_json_end(&w, '}');
    return dcp_ui_json(&w, 0, err);
}

/* --- Text ---------------------------------------------------------------- */

static void
print_expected(const struct backtest_night *n, const struct promise *p)
{
    struct dcp_interval x = expected_of(n, p);

    if (is_foretold(n, p)) {
        printf(" %8.1f..%-8.1f%s", x.low, x.high,
               is_covered(n, p) ? "   " : "out");
    } else {
        printf(" %21s", "");
    }
}

static bool
is_shown(const struct backtest *b, const struct column *c)
{
    bool shown = !c->rare;

    for (uint32_t i = 0; i < b->n && !shown; i++) {
        shown = value_of(&b->nights[i], c) > 0;
    }
    return shown;
}

static void
print_night(const struct backtest *b, const struct backtest_night *n)
{
    char start[32];

    dcp_print_instant(n->start_ms, start);
    printf("%-18.16s", start);
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (is_shown(b, &columns[c])) {
            printf(" %11.*f", columns[c].decimals,
                   columns[c].factor * value_of(n, &columns[c]));
        }
    }
    print_expected(n, &saving);
    print_expected(n, &overload);
    printf("  %s%s\n", n->status ? n->status : "",
           n->partial ? ", partial" : "");
}

static void
print_coverage(const struct backtest *b, const struct promise *p)
{
    struct coverage c = coverage_of(b, p);

    bool chance = c.share.low <= DCP_BACKTEST_CONFIDENCE_FRAC &&
                  DCP_BACKTEST_CONFIDENCE_FRAC <= c.share.high;
    bool few = c.share.mean < COVERED_LEAST_FRAC;

    printf("%s in its 80 %% interval on %u of %u nights, %.0f %% (95 %% "
           "interval %.0f to %.0f %%): ",
           p->text, c.n_covered, c.n, 100 * c.share.mean, 100 * c.share.low,
           100 * c.share.high);
    if (!few && c.share.mean <= COVERED_MOST_FRAC) {
        puts("within 70 to 90 %, as it should be.");
    } else {
        printf("NOT within 70 to 90 %%, too %s%s.\n", few ? "few" : "many",
               chance ? "; so few nights may do that by chance" : "");
    }
}

void
backtest_print_text(const struct backtest *b)
{
    printf("%-18s", "night from");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (is_shown(b, &columns[c])) {
            printf(" %11s", columns[c].title);
        }
    }
    printf(" %-21s %-21s  %s\n", "  saved, 80 %", "  min with, 80 %", "plan");
    for (uint32_t i = 0; i < b->n; i++) {
        print_night(b, &b->nights[i]);
    }
    printf("%-18s", "mean");
    for (size_t c = 0; c < N_COLUMNS; c++) {
        if (is_shown(b, &columns[c])) {
            printf(" %11.*f", columns[c].decimals,
                   columns[c].factor * interval_of(b, &columns[c]).mean);
        }
    }
    struct dcp_interval saved = interval_of(b, &columns[SAVED]);
    struct dcp_interval over = interval_of(b, &columns[OVERLOADED]);
    double planned = planned_exceedance_frac(b->context->model.inventory);

    printf("\n\nSaved per night: %.1f kWh (80 %% interval %.1f to %.1f).\n",
           saved.mean, saved.low, saved.high);
    if (coverage_of(b, &saving).n) {
        print_coverage(b, &saving);
        print_coverage(b, &overload);
    } else {
        puts("Too few nights to say how sure a plan's saving is.");
    }
    printf("Overloaded host samples: %.3f %% (80 %% interval %.3f to %.3f); "
           "plans allow each VM %.0f %%.\n",
           100 * over.mean, 100 * over.low, 100 * over.high, 100 * planned);
    puts("Over: host-minutes of demand above capacity; with: minutes in which "
         "some host had that,\nlongest: without a break, by samples.  Every "
         "night starts from the same placement.");
    if (b->n_entrants) {
        backtest_policies_print(b);
    }
}
