/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Calendar, tariffs, tiers, profiles and the policy. */

#include "model/goals.h"
#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <stdlib.h>
#include <string.h>

static int
compare_days(const void *pa, const void *pb)
{
    int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;

    return (a > b) - (a < b);
}

static void
read_days(struct dcp_reader *r, const char *key, const struct dcp_yaml *node,
          uint32_t day_class)
{
    uint32_t n, kept = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);
    int64_t *days = dcp_reader_array(r, n, sizeof *days);

    for (uint32_t i = 0; days && i < n; i++) {
        kept += dcp_reader_date(r, key, &items[i], &days[kept]);
    }
    if (kept > 1) {
        qsort(days, kept, sizeof *days, compare_days);
    }
    r->inv->calendar.days[day_class] = days;
    r->inv->calendar.n_days[day_class] = days ? kept : 0;
}

static uint32_t
find_class(const struct dcp_reader *r, const char *name)
{
    const struct dcp_calendar *c = &r->inv->calendar;

    for (uint32_t i = 0; i < c->n_classes; i++) {
        if (!strcmp(c->class_name[i], name)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static void
read_classes(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_calendar *c = &r->inv->calendar;

    for (uint32_t i = 0; node->kind == DCP_YAML_MAPPING && i < node->n; i++) {
        const struct dcp_yaml_entry *entry = &node->entries[i];

        if (find_class(r, entry->key) != UINT32_MAX) {
            dcp_reader_error(r, entry->pos,
                             "classes: '%.40s' is the name of another class; "
                             "choose a new one",
                             entry->key);
        } else if (c->n_classes == DCP_DAY_CLASSES_MAX) {
            dcp_reader_error(r, entry->pos,
                             "classes: '%.40s' is one class too many; at most "
                             "%d can be named",
                             entry->key, DCP_DAY_CLASSES_MAX - DCP_DAY_USER);
        } else {
            c->class_name[c->n_classes] = dcp_reader_text(r, entry->key);
            read_days(r, "classes", &entry->value, c->n_classes++);
        }
    }
}

void
dcp_read_calendar(struct dcp_reader *r)
{
    const struct dcp_yaml *node = r->calendar, *value;
    double number;

    dcp_reader_object(r, "calendar", NULL);
    if (!node || !dcp_reader_section(r, &dcp_schema_calendar, node, NULL)) {
        return;
    }
    if ((value = dcp_yaml_get(node, "holidays"))) {
        read_days(r, "holidays", value, DCP_DAY_HOLIDAY);
    }
    if ((value = dcp_yaml_get(node, "month_end")) &&
        dcp_reader_number(r, dcp_schema_row(&dcp_schema_calendar, "month_end"),
                          value, &number)) {
        r->inv->calendar.month_end_days = (uint32_t)number;
    }
    if ((value = dcp_yaml_get(node, "classes"))) {
        read_classes(r, value);
    }
}

void
dcp_reader_day_classes(struct dcp_reader *r, const struct dcp_yaml *node,
                       uint32_t *out)
{
    uint32_t n;
    const struct dcp_yaml *days = dcp_reader_items(r, node, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (!dcp_reader_scalar(r, "days", &days[i])) {
            continue;
        }
        uint32_t day_class = find_class(r, days[i].text);

        if (day_class == UINT32_MAX) {
            dcp_reader_error(
                r, days[i].pos,
                "days: there is no day class '%.40s'; use weekday, "
                "weekend, holiday, month-end or one of "
                "calendar.classes",
                days[i].text);
        } else {
            *out |= UINT32_C(1) << day_class;
        }
    }
}

static void
read_hourly(struct dcp_reader *r, const struct dcp_yaml *node,
            struct dcp_tariff_row *row)
{
    const struct dcp_yaml *prices = dcp_yaml_get(node, "price_file");
    const struct dcp_yaml *carbon = dcp_yaml_get(node, "carbon_file");
    const struct dcp_yaml *years = dcp_yaml_get(node, "every_year");
    bool every_year = false;

    if (years) {
        (void)dcp_reader_bool(r, "every_year", years, &every_year);
    }
    if (prices) {
        row->prices = dcp_reader_hourly(r, "price_file", prices,
                                        DCP_HOURLY_PRICE, every_year);
    }
    if (carbon) {
        row->carbon = dcp_reader_hourly(r, "carbon_file", carbon,
                                        DCP_HOURLY_CARBON, every_year);
    }
}

static void
read_tariff_row(struct dcp_reader *r, const struct dcp_yaml *node,
                struct dcp_tariff_row *row)
{
    dcp_reader_defaults(r, &dcp_schema_tariff, row);
    if (!dcp_reader_section(r, &dcp_schema_tariff, node, row)) {
        return;
    }
    const struct dcp_yaml *hours = dcp_yaml_get(node, "hours");

    dcp_reader_day_classes(r, dcp_yaml_get(node, "days"), &row->day_classes);
    read_hourly(r, node, row);
    if (hours && dcp_reader_scalar(r, "hours", hours)) {
        row->has_hours = dcp_window_parse(hours->text, &row->hours);
        if (!row->has_hours) {
            dcp_reader_error(r, hours->pos,
                             "hours: '%.40s' is not a window such as "
                             "07:00-22:00",
                             hours->text);
        }
    }
}

void
dcp_read_tariffs(struct dcp_reader *r)
{
    const struct dcp_entries *t = &r->tables[DCP_KIND_TARIFF];
    struct dcp_tariff *tariffs = dcp_reader_array(r, t->n, sizeof *tariffs);

    for (uint32_t i = 0; tariffs && i < t->n; i++) {
        const struct dcp_entry *entry = &t->items[i];
        uint32_t n;
        const struct dcp_yaml *items = dcp_reader_items(r, entry->node, &n);
        struct dcp_tariff_row *rows = dcp_reader_array(r, n, sizeof *rows);

        dcp_reader_object(r, "tariff", entry->name);
        for (uint32_t k = 0; rows && k < n; k++) {
            read_tariff_row(r, &items[k], &rows[k]);
        }
        if (rows && n && (rows[n - 1].day_classes || rows[n - 1].has_hours)) {
            dcp_reader_warn(r, items[n - 1].pos,
                            "the last row has a condition, so some hours may "
                            "have no price; end with a row without one");
        }
        tariffs[i] = (struct dcp_tariff){ entry->name, rows, rows ? n : 0 };
    }
    r->inv->tariffs = tariffs;
    r->inv->n_tariffs = tariffs ? t->n : 0;
}

static bool
read_shape(struct dcp_reader *r, const struct dcp_schema_row *row,
           const struct dcp_yaml *node, float out[24])
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    if (n != 24) {
        dcp_reader_error(r, node->pos,
                         "%s: %u values where 24 are needed, one "
                         "for each hour from midnight",
                         row->key, n);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        double value = 0;

        if (dcp_reader_number(r, row, &items[i], &value)) {
            out[i] = (float)value;
        }
    }
    return true;
}

static void
finish_profile(struct dcp_reader *r, uint32_t ix, void *base,
               const struct dcp_yaml *node)
{
    struct dcp_profile *profile = base;
    float(*shape)[24] = dcp_reader_array(r, DCP_DAY_CLASSES_MAX, sizeof *shape);
    const struct dcp_yaml *classes = dcp_yaml_get(node, "classes");
    bool given[DCP_DAY_CLASSES_MAX] = { false };

    (void)ix;
    if (!shape) {
        return;
    }
    profile->cpu_frac = shape[0];
    for (uint32_t i = 0; i < node->n; i++) {
        const struct dcp_schema_row *row =
            dcp_schema_row(&dcp_schema_profile, node->entries[i].key);
        uint32_t day_class = find_class(r, node->entries[i].key);

        if (row && row->shape == DCP_SHAPE_LIST) {
            given[day_class] =
                read_shape(r, row, &node->entries[i].value, shape[day_class]);
        }
    }
    for (uint32_t i = 0;
         classes && classes->kind == DCP_YAML_MAPPING && i < classes->n; i++) {
        const struct dcp_yaml_entry *entry = &classes->entries[i];
        uint32_t day_class = find_class(r, entry->key);

        if (day_class == UINT32_MAX) {
            dcp_reader_error(r, entry->pos,
                             "classes: '%.40s' is not in calendar.classes; add "
                             "it there",
                             entry->key);
        } else {
            given[day_class] =
                read_shape(r, dcp_schema_row(&dcp_schema_profile, "classes"),
                           &entry->value, shape[day_class]);
        }
    }
    for (uint32_t c = 0; c < DCP_DAY_CLASSES_MAX; c++) {
        if (!given[c] && c != DCP_DAY_WEEKDAY) {
            memcpy(shape[c], shape[DCP_DAY_WEEKDAY], sizeof shape[c]);
        }
    }
}

void
dcp_read_tiers(struct dcp_reader *r)
{
    dcp_reader_table(r, DCP_KIND_TIER, &r->inv->tiers, &r->inv->n_tiers, NULL);
    if (r->inv->n_tiers > 64) {
        dcp_reader_error(r, r->tables[DCP_KIND_TIER].items[64].pos,
                         "more than 64 tiers; merge some");
    }
    dcp_reader_table(r, DCP_KIND_PROFILE, &r->inv->profiles,
                     &r->inv->n_profiles, finish_profile);
}

static void
read_survive(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_policy *policy = &r->inv->policy;
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    for (uint32_t i = 0; i < n; i++) {
        uint32_t kind;
        double count = 1;
        const struct dcp_yaml *lose = dcp_yaml_get(&items[i], "lose");
        const struct dcp_yaml *many = dcp_yaml_get(&items[i], "count");

        if (!dcp_reader_section(r, &dcp_schema_loss, &items[i], NULL) ||
            !lose ||
            !dcp_reader_choice(r, dcp_schema_row(&dcp_schema_loss, "lose"),
                               lose, &kind) ||
            (many &&
             !dcp_reader_number(r, dcp_schema_row(&dcp_schema_loss, "count"),
                                many, &count))) {
            continue;
        }
        if (policy->n_survive == DCP_LOSSES_MAX) {
            dcp_reader_error(r, items[i].pos,
                             "survive: at most %d losses can be named",
                             DCP_LOSSES_MAX);
            return;
        }
        policy->survive[policy->n_survive++] =
            (struct dcp_loss){ (enum dcp_loss_kind)kind, (uint32_t)count };
    }
}

static void
read_headroom(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_policy *policy = &r->inv->policy;
    const struct dcp_yaml *to = dcp_yaml_get(node, "to");
    const struct dcp_yaml *protect = dcp_yaml_get(node, "protect");
    uint32_t n, value;

    read_survive(r, dcp_yaml_get(node, "survive"));
    const struct dcp_yaml *items = dcp_reader_items(r, protect, &n);

    policy->protect_tiers = protect ? 0 : UINT64_MAX;
    for (uint32_t i = 0; i < n; i++) {
        value = dcp_reader_refer(r, DCP_KIND_TIER, "protect", &items[i]);
        if (value < 64) {
            policy->protect_tiers |= UINT64_C(1) << value;
        }
    }
    items = dcp_reader_items(r, dcp_yaml_get(node, "relax"), &n);
    for (uint32_t i = 0; i < n; i++) {
        if (dcp_reader_choice(r, dcp_schema_row(&dcp_schema_headroom, "relax"),
                              &items[i], &value)) {
            policy->relax_rules |= UINT32_C(1) << value;
        }
    }
    if (to && dcp_reader_choice(r, dcp_schema_row(&dcp_schema_headroom, "to"),
                                to, &value)) {
        policy->survive_to_capacity = value == 1;
    }
}

static void
read_overload(struct dcp_reader *r, const struct dcp_yaml *node)
{
    const struct dcp_yaml *of = dcp_yaml_get(node, "of");
    uint32_t value;

    r->inv->policy.overload = true;
    if (of && dcp_reader_choice(r, dcp_schema_row(&dcp_schema_overload, "of"),
                                of, &value)) {
        r->inv->policy.overload_to_target = value == 1;
    }
}

static void
read_conversions_for(struct dcp_reader *r, const struct dcp_yaml *node)
{
    uint32_t n, value;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    for (uint32_t i = 0; i < n; i++) {
        if (dcp_reader_choice(
                r, dcp_schema_row(&dcp_schema_policy, "conversions_for"),
                &items[i], &value)) {
            r->inv->policy.conversions_for |= UINT32_C(1) << value;
        }
    }
    if (!n) {
        dcp_reader_error(r, node->pos,
                         "conversions_for: name a plan that may convert; "
                         "without conversions none does");
    }
}

static void
read_goals(struct dcp_reader *r, const struct dcp_yaml *node)
{
    struct dcp_policy *policy = &r->inv->policy;
    uint32_t n, kept = 0;
    const struct dcp_yaml *items = dcp_reader_items(r, node, &n);

    for (uint32_t i = 0; i < n; i++) {
        struct dcp_goals goals;
        struct dcp_error err = { 0 };

        if (!dcp_reader_scalar(r, "goal", &items[i])) {
            continue;
        }
        if (!dcp_goals_parse(items[i].text, &goals, &err)) {
            dcp_reader_error(r, items[i].pos, "%s", err.message);
            continue;
        }
        for (uint32_t k = 0; k < goals.n_levels; k++) {
            if (kept == DCP_GOALS_MAX) {
                dcp_reader_error(r, items[i].pos, "goal: at most %d",
                                 DCP_GOALS_MAX);
                return;
            }
            policy->goals[kept++] = goals.level[k];
        }
    }
    if (kept) {
        policy->n_goals = kept;
        policy->goal_given = true;
    }
}

void
dcp_read_policy(struct dcp_reader *r)
{
    const struct dcp_yaml *node = r->policy, *value;

    dcp_reader_object(r, "policy", NULL);
    dcp_reader_defaults(r, &dcp_schema_policy, &r->inv->policy);
    if (!node ||
        !dcp_reader_section(r, &dcp_schema_policy, node, &r->inv->policy)) {
        return;
    }
    if ((value = dcp_yaml_get(node, "headroom"))) {
        read_headroom(r, value);
    }
    if ((value = dcp_yaml_get(node, "overload"))) {
        read_overload(r, value);
    }
    if ((value = dcp_yaml_get(node, "conversions_for"))) {
        read_conversions_for(r, value);
    }
    if ((value = dcp_yaml_get(node, "goal"))) {
        read_goals(r, value);
    }
}
