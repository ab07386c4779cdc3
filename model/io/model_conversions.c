/* SPDX-License-Identifier: GPL-3.0-or-later */

/* policy.conversions: read after the VMs that its selectors name. */

#include "model/io/model_reader.h"
#include "model/io/schema_rows.h"

static void
read_window(struct dcp_reader *r, const struct dcp_yaml *node,
            struct dcp_conversion *c)
{
    if (dcp_reader_scalar(r, "window", node)) {
        c->has_window = dcp_window_parse(node->text, &c->window);
        if (!c->has_window) {
            dcp_reader_error(r, node->pos,
                             "window: '%.40s' is not a window such as "
                             "22:00-06:00",
                             node->text);
        }
    }
}

static struct dcp_ids
all_vms(struct dcp_reader *r)
{
    uint32_t n = r->inv->n_vms;
    uint32_t *ix = dcp_reader_array(r, n, sizeof *ix);

    for (uint32_t v = 0; ix && v < n; v++) {
        ix[v] = v;
    }
    return (struct dcp_ids){ ix, ix ? n : 0 };
}

static void
read_conversion(struct dcp_reader *r, const struct dcp_yaml *node,
                struct dcp_conversion *c)
{
    const struct dcp_yaml *window = dcp_yaml_get(node, "window");
    const struct dcp_yaml *vms = dcp_yaml_get(node, "vms");

    dcp_reader_defaults(r, &dcp_schema_conversion, c);
    c->pos = node->pos;
    if (!dcp_reader_section(r, &dcp_schema_conversion, node, c)) {
        return;
    }
    c->vms = vms ? dcp_select_vms(r, "vms", vms) : all_vms(r);
    if (window) {
        read_window(r, window, c);
    }
    if (!dcp_hypervisor_is_none(c->from) && c->from.ix == c->to.ix) {
        dcp_reader_error(r, node->pos,
                         "conversions: from and to are the same hypervisor; "
                         "name two");
    }
}

void
dcp_read_conversions(struct dcp_reader *r)
{
    uint32_t n;
    const struct dcp_yaml *items = dcp_reader_items(
        r, r->policy ? dcp_yaml_get(r->policy, "conversions") : NULL, &n);
    struct dcp_conversion *all = dcp_reader_array(r, n, sizeof *all);

    dcp_reader_object(r, "policy", NULL);
    for (uint32_t i = 0; all && i < n; i++) {
        read_conversion(r, &items[i], &all[i]);
    }
    r->inv->conversions = all;
    r->inv->n_conversions = all ? n : 0;
}
