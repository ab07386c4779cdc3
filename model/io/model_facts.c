/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Rows with a store are read back by their offset; the others, which code took
 * from the tree, are given back by code here. */

#include "model/io/model_facts.h"

#include "model/goals.h"
#include <stdio.h>
#include <string.h>

struct table {
    const char *section;
    size_t entries, n; /* Offsets in the inventory. */
};
#define TABLE(NAME)                                                            \
    {                                                                          \
#NAME, offsetof(struct dcp_inventory, NAME),                           \
            offsetof(struct dcp_inventory, n_##NAME)                           \
    }
static const struct table tables[] = {
    TABLE(tariffs), TABLE(sites),    TABLE(rooms),       TABLE(feeds),
    TABLE(racks),   TABLE(hardware), TABLE(hypervisors), TABLE(switches),
    TABLE(links),   TABLE(vlans),    TABLE(hosts),       TABLE(servers),
    TABLE(arrays),  TABLE(pools),    TABLE(tenants),     TABLE(applications),
    TABLE(tiers),   TABLE(profiles), TABLE(licences),    TABLE(vms),
    TABLE(rules),
};

static const struct table *
find_table(const char *section)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        if (!strcmp(tables[i].section, section)) {
            return &tables[i];
        }
    }
    return NULL;
}

bool
dcp_facts_has(const char *section)
{
    return find_table(section) != NULL;
}

uint32_t
dcp_facts_count(const struct dcp_inventory *inv, const char *section)
{
    const struct table *t = find_table(section);
    uint32_t n = 0;

    if (t) {
        memcpy(&n, (const char *)inv + t->n, sizeof n);
    }
    return n;
}

static const char *
entry_of(const struct dcp_inventory *inv, const char *section, uint32_t ix)
{
    const struct table *t = find_table(section);
    const char *entries;

    memcpy(&entries, (const char *)inv + t->entries, sizeof entries);
    return entries + (size_t)ix * dcp_schema_find(section)->size;
}

const char *
dcp_facts_name(const struct dcp_inventory *inv, const char *section,
               uint32_t ix)
{
    const char *name;

    if (!strcmp(section, "rules")) {
        return inv->rules[ix].name;
    }
    memcpy(&name, entry_of(inv, section, ix), sizeof name);
    return name;
}

/* --- Stored rows -------------------------------------------------------- */

struct facts {
    const struct dcp_inventory *inv;
    struct dcp_arena *arena;
    struct dcp_fact *out;
    uint32_t n;
};

static void
add(struct facts *f, const char *key, const char *text)
{
    if (text && *text && f->n < DCP_FACTS_MAX) {
        f->out[f->n++] = (struct dcp_fact){ key, text };
    }
}

static const char *
name_of(const struct facts *f, enum dcp_kind kind, uint32_t ix)
{
    const struct dcp_schema_section *s = dcp_schema_of_kind(kind);

    return ix == DCP_IX_NONE || !s || !dcp_facts_has(s->name) ||
                   ix >= dcp_facts_count(f->inv, s->name)
               ? ""
               : dcp_facts_name(f->inv, s->name, ix);
}

static const char *
names_of(struct facts *f, enum dcp_kind kind, const uint32_t ix[], uint32_t n)
{
    struct dcp_text text = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        dcp_text_printf(&text, "%s%s", i ? ", " : "[", name_of(f, kind, ix[i]));
    }
    dcp_text_puts(&text, n ? "]" : "");
    const char *copy = dcp_arena_strdup(f->arena, dcp_text_get(&text));

    dcp_text_finish(&text);
    return copy;
}

static double
number_at(const struct dcp_schema_row *row, const char *at)
{
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    double number = 0;

    switch (row->store) {
    case DCP_STORE_U32:
        memcpy(&u32, at, sizeof u32);
        return u32;
    case DCP_STORE_U64:
        memcpy(&u64, at, sizeof u64);
        return (double)u64;
    case DCP_STORE_I64:
        memcpy(&i64, at, sizeof i64);
        return (double)i64;
    case DCP_STORE_DOUBLE:
        memcpy(&number, at, sizeof number);
        return number;
    case DCP_STORE_NONE:
    case DCP_STORE_TEXT:
    case DCP_STORE_BOOL:
    case DCP_STORE_ID:
    case DCP_STORE_IDS:
        break;
    }
    return 0;
}

static const char *
number_text(struct facts *f, const struct dcp_schema_row *row, double value)
{
    char text[64];

    if (row->value == DCP_VALUE_CHOICE) {
        dcp_schema_choice_name(row->of, (uint32_t)value, text);
    } else if (row->value == DCP_VALUE_PRICE) {
        dcp_text_double(text, value);
        return value > 0 ? dcp_arena_printf(f->arena, "%s%s", text, row->of)
                         : "";
    } else if (row->value == DCP_VALUE_PERCENTILE) {
        (void)snprintf(text, sizeof text, "p%.4g", 100 * value);
    } else if (value == 0 && !row->fallback) {
        return ""; /* Not given. */
    } else {
        dcp_print_quantity(row->dimension, value, text, sizeof text);
    }
    return dcp_arena_strdup(f->arena, text);
}

static const char *
row_text(struct facts *f, const struct dcp_schema_row *row, const char *at)
{
    const char *text;
    struct dcp_ids ids;
    uint32_t ix;
    bool flag;

    switch (row->store) {
    case DCP_STORE_NONE:
        return "";
    case DCP_STORE_TEXT:
        memcpy(&text, at, sizeof text);
        return text;
    case DCP_STORE_BOOL:
        memcpy(&flag, at, sizeof flag);
        return flag ? "true" : "false";
    case DCP_STORE_ID:
        memcpy(&ix, at, sizeof ix);
        return name_of(f, row->target, ix);
    case DCP_STORE_IDS:
        memcpy(&ids, at, sizeof ids);
        return names_of(f, row->target, ids.ix, ids.n);
    case DCP_STORE_U32:
    case DCP_STORE_U64:
    case DCP_STORE_I64:
    case DCP_STORE_DOUBLE:
        break;
    }
    return number_text(f, row, number_at(row, at));
}

static void
add_section(struct facts *f, const struct dcp_schema_section *section,
            const char *prefix, const char *base)
{
    for (uint32_t i = 0; i < section->n_rows; i++) {
        const struct dcp_schema_row *row = &section->rows[i];
        const char *key =
            *prefix ? dcp_arena_printf(f->arena, "%s.%s", prefix, row->key)
                    : row->key;
        const struct dcp_schema_section *nested =
            row->value == DCP_VALUE_SECTION && row->shape == DCP_SHAPE_ONE
                ? dcp_schema_find(row->of)
                : NULL;

        if (!strcmp(row->key, "name")) {
            continue; /* Of rules; all have it besides. */
        }
        if (nested && nested->size == 0) {
            add_section(f, nested, key ? key : row->key, base);
        } else {
            add(f, key, row_text(f, row, base + row->offset));
        }
    }
}

/* --- Rows that code reads ----------------------------------------------- */

static void
add_numbers(struct facts *f, const char *key, enum dcp_dimension dimension,
            const double values[], uint32_t n)
{
    struct dcp_text text = { 0 };

    for (uint32_t i = 0; i < n; i++) {
        char one[40];

        dcp_print_quantity(dimension, values[i], one, sizeof one);
        dcp_text_printf(&text, "%s%s", i ? ", " : "[", one);
    }
    dcp_text_puts(&text, n ? "]" : "");
    add(f, key, dcp_arena_strdup(f->arena, dcp_text_get(&text)));
    dcp_text_finish(&text);
}

static void
add_extras(struct facts *f, const uint32_t extras[])
{
    for (uint32_t i = 0; i < f->inv->n_extras; i++) {
        if (extras[i]) {
            add(f,
                dcp_arena_printf(f->arena, "extras.%s", f->inv->extra_name[i]),
                dcp_arena_printf(f->arena, "%u", extras[i]));
        }
    }
}

static void
add_tags(struct facts *f, const struct dcp_ids *tags)
{
    struct dcp_text text = { 0 };

    for (uint32_t i = 0; i < tags->n; i++) {
        dcp_text_printf(&text, "%s%s", i ? ", " : "[",
                        f->inv->tag_name[tags->ix[i]]);
    }
    dcp_text_puts(&text, tags->n ? "]" : "");
    add(f, "tags", dcp_arena_strdup(f->arena, dcp_text_get(&text)));
    dcp_text_finish(&text);
}

static void
add_hardware(struct facts *f, const struct dcp_hardware *hw)
{
    double nics[64];
    uint32_t n = hw->n_nics < 64 ? hw->n_nics : 64;

    for (uint32_t i = 0; i < n; i++) {
        nics[i] = (double)hw->nic_kib_s[i];
    }
    add_numbers(f, "nics", DCP_DIM_RATE, nics, n);
    add_extras(f, hw->extras);
    add_numbers(f, hw->power_known ? "power" : "power (generic)", DCP_DIM_POWER,
                hw->power_w, DCP_POWER_POINTS);
}

static void
add_ports(struct facts *f, const struct dcp_host *host)
{
    for (uint32_t i = 0; i < host->n_ports; i++) {
        const struct dcp_port *port = &host->ports[i];
        const char *vlans =
            names_of(f, DCP_KIND_VLAN, port->vlans.ix, port->vlans.n);

        add(f, dcp_arena_printf(f->arena, "ports.%s", port->nic),
            dcp_arena_printf(f->arena, "%s/%s %s",
                             name_of(f, DCP_KIND_SWITCH, port->to.ix),
                             port->port, vlans ? vlans : ""));
    }
    add_tags(f, &host->tags);
}

static void
add_vm(struct facts *f, const struct dcp_vm *vm)
{
    struct dcp_text text = { 0 };

    for (uint32_t i = 0; i < vm->n_volumes; i++) {
        const struct dcp_volume *v = &f->inv->volumes[vm->first_volume + i];
        char size[40];

        dcp_print_quantity(DCP_DIM_SIZE, (double)v->size_mib, size,
                           sizeof size);
        dcp_text_printf(&text, "%s%s:%s", i ? ", " : "[",
                        name_of(f, DCP_KIND_POOL, v->pool.ix), size);
    }
    dcp_text_puts(&text, vm->n_volumes ? "]" : "");
    add(f, "volumes", dcp_arena_strdup(f->arena, dcp_text_get(&text)));
    dcp_text_finish(&text);
    add(f, "windows", vm->windows ? "true" : "");
    add_extras(f, vm->extras);
    add_tags(f, &vm->tags);
}

static const char *
window_text(struct facts *f, const struct dcp_window *w)
{
    return dcp_arena_printf(f->arena, "%02d:%02d-%02d:%02d", w->from_min / 60,
                            w->from_min % 60, w->to_min / 60, w->to_min % 60);
}

static void
add_rule(struct facts *f, const struct dcp_rule *rule)
{
    add(f, "vms", names_of(f, DCP_KIND_VM, rule->vms, rule->n_vms));
    add(f, "others", names_of(f, DCP_KIND_VM, rule->others, rule->n_others));
    add(f, "hosts", names_of(f, DCP_KIND_HOST, rule->hosts, rule->n_hosts));
    if (rule->has_hours) {
        add(f, "hours", window_text(f, &rule->hours));
    }
    if (rule->soft) {
        char number[32];

        dcp_text_double(number, rule->soft_price);
        add(f, "soft", dcp_arena_strdup(f->arena, number));
    }
}

static void
add_tariff(struct facts *f, const struct dcp_tariff *tariff)
{
    for (uint32_t i = 0; i < tariff->n_rows; i++) {
        const struct dcp_tariff_row *row = &tariff->rows[i];
        char price[32];
        const char *hours =
            row->has_hours ? window_text(f, &row->hours) : "all hours";

        dcp_text_double(price, row->price_per_kwh);
        struct dcp_text days = { 0 };

        for (uint32_t c = 0; c < f->inv->calendar.n_classes; c++) {
            if (row->day_classes >> c & 1) {
                dcp_text_printf(&days, "%s ", f->inv->calendar.class_name[c]);
            }
        }
        add(f, dcp_arena_printf(f->arena, "row %u", i + 1),
            dcp_arena_printf(f->arena, "%s%s %s/kWh%s%s%s%s",
                             dcp_text_get(&days), hours ? hours : "", price,
                             row->prices ? ", prices " : "",
                             row->prices ? row->prices->path : "",
                             row->carbon ? ", carbon " : "",
                             row->carbon ? row->carbon->path : ""));
        dcp_text_finish(&days);
    }
}

static void
add_plant(struct facts *f, const struct dcp_plant *plant)
{
    for (uint32_t i = 0; i < plant->chain.n_stages; i++) {
        const struct dcp_stage *s = &plant->chain.stages[i];
        char kind[32], rated[32];

        dcp_schema_choice_name(DCP_STAGE_KIND_NAMES, s->kind, kind);
        dcp_print_human(DCP_DIM_POWER, s->rated_w, rated, sizeof rated);
        add(f, dcp_arena_printf(f->arena, "stage %u", i + 1),
            dcp_arena_printf(f->arena, "%s, %u x %s, loses %.2f %% at half "
                                       "load",
                             kind, s->units, rated,
                             200 * dcp_stage_loss_w(s, s->rated_w * s->units /
                                                           2) /
                                 (s->rated_w * s->units)));
    }
    if (plant->has_cooling) {
        add(f, "cooling",
            dcp_arena_printf(f->arena, "supply %.1f C, COP %.2f%s%s",
                             plant->cooling.supply_c,
                             dcp_cooling_cop(&plant->cooling),
                             plant->weather ? ", weather " : "",
                             plant->weather ? plant->weather->path : ""));
    }
}

static void
add_more(struct facts *f, const char *section, uint32_t ix)
{
    const struct dcp_inventory *inv = f->inv;

    if (!strcmp(section, "hardware")) {
        add_hardware(f, &inv->hardware[ix]);
    } else if (!strcmp(section, "hosts")) {
        add_ports(f, &inv->hosts[ix]);
    } else if (!strcmp(section, "vms")) {
        add_vm(f, &inv->vms[ix]);
    } else if (!strcmp(section, "rules")) {
        add_rule(f, &inv->rules[ix]);
    } else if (!strcmp(section, "applications")) {
        add(f, "vms",
            names_of(f, DCP_KIND_VM, inv->applications[ix].vms.ix,
                     inv->applications[ix].vms.n));
    } else if (!strcmp(section, "licences")) {
        add(f, "covers",
            names_of(f, DCP_KIND_VM, inv->licences[ix].vms.ix,
                     inv->licences[ix].vms.n));
    } else if (!strcmp(section, "pools") && !inv->pools[ix].reach_all) {
        add(f, "reach",
            names_of(f, DCP_KIND_HOST, inv->pools[ix].reach.ix,
                     inv->pools[ix].reach.n));
    } else if (!strcmp(section, "sites")) {
        add(f, "timezone", inv->sites[ix].zone->name);
        if (inv->sites[ix].plant) {
            add_plant(f, inv->sites[ix].plant);
        }
    } else if (!strcmp(section, "profiles")) {
        double shares[24];

        for (uint32_t h = 0; h < 24; h++) {
            shares[h] = (double)inv->profiles[ix].cpu_frac[h];
        }
        add_numbers(f, "weekday", DCP_DIM_NUMBER, shares, 24);
    }
}

uint32_t
dcp_facts_of(const struct dcp_inventory *inv, const struct dcp_placement *now,
             const char *section, uint32_t ix, struct dcp_arena *arena,
             struct dcp_fact out[DCP_FACTS_MAX])
{
    struct facts f = { inv, arena, out, 0 };

    if (!strcmp(section, "tariffs")) {
        add_tariff(&f, &inv->tariffs[ix]);
        return f.n;
    }
    add_section(&f, dcp_schema_find(section), "", entry_of(inv, section, ix));
    add_more(&f, section, ix);
    for (uint32_t i = 0; now && i < f.n && !strcmp(section, "vms"); i++) {
        if (!strcmp(out[i].key, "host")) {
            out[i].text = name_of(&f, DCP_KIND_HOST, now->host[ix].ix);
        }
    }
    return f.n;
}

static void
add_headroom(struct facts *f)
{
    static const char *const losses[] = { "host", "rack", "feed" };
    const struct dcp_policy *p = &f->inv->policy;
    struct dcp_text protect = { 0 }, relax = { 0 };

    if (!p->n_survive) {
        return;
    }
    for (uint32_t i = 0; i < p->n_survive; i++) {
        add(f,
            dcp_arena_printf(f->arena, "headroom.survive.%s",
                             losses[p->survive[i].kind]),
            dcp_arena_printf(f->arena, "%u", p->survive[i].count));
    }
    for (uint32_t t = 0; t < f->inv->n_tiers && t < 64; t++) {
        if (p->protect_tiers >> t & 1) {
            dcp_text_printf(&protect, "%s%s", protect.length ? ", " : "",
                            f->inv->tiers[t].name);
        }
    }
    for (uint32_t k = 0; k < DCP_RULE_KINDS; k++) {
        if (p->relax_rules >> k & 1) {
            dcp_text_printf(&relax, "%s%s", relax.length ? ", " : "",
                            dcp_rule_kind_name((enum dcp_rule_kind)k));
        }
    }
    add(f, "headroom.protect",
        dcp_arena_strdup(f->arena, dcp_text_get(&protect)));
    add(f, "headroom.relax", dcp_arena_strdup(f->arena, dcp_text_get(&relax)));
    add(f, "headroom.to", p->survive_to_capacity ? "capacity" : "target");
    dcp_text_finish(&protect);
    dcp_text_finish(&relax);
}

uint32_t
dcp_facts_of_policy(const struct dcp_inventory *inv, struct dcp_arena *arena,
                    struct dcp_fact out[DCP_FACTS_MAX])
{
    struct facts f = { inv, arena, out, 0 };

    add_section(&f, dcp_schema_find("policy"), "", (const char *)&inv->policy);
    for (uint32_t i = 0; i < inv->policy.n_goals; i++) {
        char text[160];

        dcp_goal_level_print(&inv->policy.goals[i], text, sizeof text);
        add(&f, i ? "then goal" : "goal", dcp_arena_strdup(arena, text));
    }
    add_headroom(&f);
    return f.n;
}
