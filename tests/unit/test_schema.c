/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The schema table against itself and against the units that are read. */

#include "model/io/schema.h"
#include "tests/unit/run_suite.h"

#include <stdio.h>
#include <string.h>

START_TEST(rows_name_what_exists)
{
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        const struct dcp_schema_section *s = dcp_schema_sections[i];

        ck_assert_ptr_eq(dcp_schema_find(s->name), s);
        for (uint32_t k = 0; k < s->n_rows; k++) {
            const struct dcp_schema_row *row = &s->rows[k];

            ck_assert_ptr_nonnull(row->help);
            ck_assert_ptr_eq(dcp_schema_row(s, row->key), row);
            if (row->value == DCP_VALUE_SECTION) {
                ck_assert_ptr_nonnull(dcp_schema_find(row->of));
            } else if (row->value == DCP_VALUE_REFERENCE) {
                ck_assert_ptr_nonnull(dcp_schema_of_kind(row->target));
            } else if (row->value == DCP_VALUE_CHOICE) {
                ck_assert_ptr_nonnull(row->of);
            }
        }
    }
}
END_TEST

START_TEST(defaults_are_values)
{
    for (uint32_t i = 0; i < dcp_schema_n_sections; i++) {
        const struct dcp_schema_section *s = dcp_schema_sections[i];

        for (uint32_t k = 0; k < s->n_rows; k++) {
            const struct dcp_schema_row *row = &s->rows[k];
            double value;

            if (!row->fallback) {
                continue;
            }
            ck_assert(!row->required);
            if (row->value == DCP_VALUE_CHOICE) {
                ck_assert_uint_ne(dcp_schema_choice(row->of, row->fallback),
                                  UINT32_MAX);
            } else if (row->value == DCP_VALUE_QUANTITY) {
                ck_assert_msg(dcp_parse_quantity(row->dimension, row->fallback,
                                                 &value, NULL),
                              "%s.%s", s->name, row->key);
                ck_assert(value >= row->min);
                ck_assert(row->max == 0 || value <= row->max);
            }
        }
    }
}
END_TEST

START_TEST(choices_are_found_by_whole_words)
{
    char name[32];

    ck_assert_uint_eq(dcp_schema_choice("a|bc|d", "bc"), 1);
    ck_assert_uint_eq(dcp_schema_choice("a|bc|d", "b"), UINT32_MAX);
    ck_assert_uint_eq(dcp_schema_choice("a|bc|d", ""), UINT32_MAX);
    ck_assert_uint_eq(dcp_schema_choice("a|bc|d", "bc|d"), UINT32_MAX);
    dcp_schema_choice_name("a|bc|d", 2, name);
    ck_assert_str_eq(name, "d");
    dcp_schema_choice_name("a|bc|d", 3, name);
    ck_assert_str_eq(name, "");
}
END_TEST

/* The JSON Schema has its own list of units: each must be read, and each that
 * is read must be in it. */
START_TEST(json_schema_knows_the_units)
{
    static const char *const written[][2] = {
        { "12MHz", "(MHz|GHz)" },
        { "12kbit", "(KiB/s|MiB/s|GiB/s|kbit|Mbit|Gbit|Gbit/s|Mbit/s)" },
        { "12PiB", "(MiB|GiB|TiB|PiB|KiB|MB|GB|TB)" },
        { "2w", "(ms|s|min|h|d|w)" },
        { "2MW", "(W|kW|MW)" },
    };
    static const enum dcp_dimension dimensions[] = { DCP_DIM_CPU, DCP_DIM_RATE,
                                                     DCP_DIM_SIZE, DCP_DIM_TIME,
                                                     DCP_DIM_POWER };
    struct dcp_text text = { 0 };

    dcp_schema_print_json(&text);
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        double value;

        ck_assert_ptr_nonnull(strstr(dcp_text_get(&text), written[i][1]));
        ck_assert(
            dcp_parse_quantity(dimensions[i], written[i][0], &value, NULL));
        for (const char *p = written[i][1] + 1; *p && *p != ')';) {
            size_t n = strcspn(p, "|)");
            char quantity[24];

            (void)snprintf(quantity, sizeof quantity, "1%.*s", (int)n, p);
            ck_assert_msg(
                dcp_parse_quantity(dimensions[i], quantity, &value, NULL), "%s",
                quantity);
            p += n + (p[n] == '|');
        }
    }
    dcp_text_finish(&text);
}
END_TEST

START_TEST(mistyped_keys_find_their_row)
{
    const struct dcp_schema_section *vms = dcp_schema_find("vms");

    ck_assert_str_eq(dcp_schema_nearest(vms, "memry")->key, "memory");
    ck_assert_str_eq(dcp_schema_nearest(vms, "vcpu")->key, "vcpus");
    ck_assert_ptr_null(dcp_schema_nearest(vms, "zzz"));
}
END_TEST

int
main(void)
{
    static const TTest *const *const tests[] = {
        &rows_name_what_exists,
        &defaults_are_values,
        &choices_are_found_by_whole_words,
        &json_schema_knows_the_units,
        &mistyped_keys_find_their_row,
    };

    return RUN_TESTS("schema", tests);
}
