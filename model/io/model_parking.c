/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.parking and policy.rightsize: read after the VMs that their selectors
 * name. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

#include <string.h>

static bool
parse_time_of_day(const char *text, int32_t *out_min)
{
    char window[16];
    struct dcp_window parsed;
    size_t n = strlen(text);

    if (n != 5) {
        return false;
    }
    /* As the start of a window that is not empty. */
    memcpy(window, text, 5);
    memcpy(window + 5, strcmp(text, "00:00") ? "-00:00" : "-00:01", 7);
    if (!dcp_window_parse(window, &parsed) || parsed.from_min >= 1440) {
        return false;
    }
    *out_min = parsed.from_min;
    return true;
}

static void
read_park(struct dcp_reader *r, const struct dcp_yaml *node,
          struct dcp_park *park)
{
    const struct dcp_yaml *window = dcp_yaml_get(node, "window");
    const struct dcp_yaml *wake = dcp_yaml_get(node, "wake");
    const struct dcp_yaml *by = dcp_yaml_get(node, "by");
    uint32_t value;

    if (window && dcp_reader_scalar(r, "window", window) &&
        !dcp_window_parse(window->text, &park->window)) {
        dcp_reader_error(r, window->pos,
                         "window: '%.40s' is not a window such as 22:00-06:00",
                         window->text);
    }
    if (by && dcp_reader_choice(r, dcp_schema_row(&dcp_schema_parking, "by"),
                                by, &value)) {
        park->shutdown = value == 1;
    }
    park->wake_min = park->window.to_min % 1440;
    if (wake && dcp_reader_scalar(r, "wake", wake) &&
        !parse_time_of_day(wake->text, &park->wake_min)) {
        dcp_reader_error(r, wake->pos,
                         "wake: '%.40s' is not a time such as 06:30",
                         wake->text);
    }
}

void
dcp_read_parking(struct dcp_reader *r)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(
        r, r->policy ? dcp_yaml_get(r->policy, "parking") : NULL, &n);
    struct dcp_park *parks = dcp_reader_array(r, n, sizeof *parks);

    dcp_reader_object(r, "policy", NULL);
    for (uint32_t i = 0; parks && i < n; i++) {
        const struct dcp_yaml *vms = dcp_yaml_get(&items[i], "vms");

        dcp_reader_defaults(r, &dcp_schema_parking, &parks[i]);
        parks[i].pos = items[i].pos;
        if (dcp_reader_section(r, &dcp_schema_parking, &items[i], &parks[i])) {
            parks[i].vms = dcp_select_vms(r, "vms", vms);
            read_park(r, &items[i], &parks[i]);
        }
    }
    r->inv->parks = parks;
    r->inv->n_parks = parks ? n : 0;
}

void
dcp_read_rightsize(struct dcp_reader *r)
{
    struct dcp_rightsize *out = &r->inv->rightsize;
    const struct dcp_yaml *node =
        r->policy ? dcp_yaml_get(r->policy, "rightsize") : NULL;
    uint32_t n = 0, value;

    dcp_reader_object(r, "policy", NULL);
    dcp_reader_defaults(r, &dcp_schema_rightsize, out);
    if (node && !dcp_reader_section(r, &dcp_schema_rightsize, node, out)) {
        return;
    }
    const struct dcp_yaml *resources =
        node ? dcp_yaml_get(node, "resources") : NULL;
    const struct dcp_yaml *items = dcp_reader_items(r, resources, &n);

    out->vcpus = out->memory = !resources;
    for (uint32_t i = 0; i < n; i++) {
        if (dcp_reader_choice(
                r, dcp_schema_row(&dcp_schema_rightsize, "resources"),
                &items[i], &value)) {
            *(value ? &out->memory : &out->vcpus) = true;
        }
    }
    if (node && dcp_yaml_get(node, "exclude")) {
        out->exclude =
            dcp_select_vms(r, "exclude", dcp_yaml_get(node, "exclude"));
    }
}
