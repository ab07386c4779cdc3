/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The dry run carries the plan out in a virtual world with the plan's own
 * estimates, so that what it lists is in the order, and under the limits, that
 * a real run would keep. */

#include "executors/virtual.h"

#include "model/base/text.h"

struct dcp_virtual *
dcp_dry_create(const struct dcp_inventory *inv, const struct dcp_plan *plan,
               uint32_t leg, const struct dcp_placement *start,
               struct dcp_error *err)
{
    struct dcp_virtual_options options = {
        .inventory = inv,
        .plan = plan,
        .leg = leg,
        .start = start,
        .start_ms = plan->legs[leg].start_ms,
    };

    return dcp_virtual_create(&options, &dcp_virtual_ops, err);
}

char
dcp_dry_symbol(const struct dcp_step *s)
{
    switch (s->kind) {
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_START:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_HOST_ON:
        return '+';
    case DCP_STEP_VM_STOP:
    case DCP_STEP_VM_PARK:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_VLAN_UNTRUNK:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_HOST_OFF:
        return '-';
    case DCP_STEP_MIGRATE:
    case DCP_STEP_VM_RESIZE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_SYNC:
        break;
    }
    return '~';
}

static void
trunk_command(const struct dcp_inventory *inv, const struct dcp_step *s,
              struct dcp_text *out)
{
    const struct dcp_host *host = &inv->hosts[s->object.ix];
    const char *verb = s->kind == DCP_STEP_VLAN_TRUNK ? "add" : "remove";

    for (uint32_t p = 0; p < host->n_ports; p++) {
        const struct dcp_port *port = &host->ports[p];

        if (!dcp_switch_is_none(port->to)) {
            dcp_text_printf(out, "ovs-vsctl %s port %s trunks %u  # on %s\n",
                            verb, port->port, inv->vlans[s->to.ix].id,
                            inv->switches[port->to.ix].name);
        }
    }
}

void
dcp_dry_commands(const struct dcp_inventory *inv, const struct dcp_step *s,
                 struct dcp_text *out)
{
    const char *object = dcp_object_name(inv, s->object);
    const char *from = dcp_object_name(inv, s->from);
    const char *to = dcp_object_name(inv, s->to);

    switch (s->kind) {
    case DCP_STEP_MIGRATE:
        dcp_text_printf(out,
                        "virsh -c qemu+ssh://%s/system migrate%s --p2p "
                        "--persistent --undefinesource --abort-on-error %s "
                        "qemu+ssh://%s/system\n",
                        from, s->cold ? " --offline" : " --live", object, to);
        break;
    case DCP_STEP_VM_START:
        dcp_text_printf(out, "virsh -c qemu+ssh://%s/system start %s\n", to,
                        object);
        break;
    case DCP_STEP_VM_STOP:
        dcp_text_printf(out, "virsh -c qemu+ssh://%s/system shutdown %s\n",
                        from, object);
        break;
    case DCP_STEP_VM_PARK:
        dcp_text_printf(out, "virsh -c qemu+ssh://%s/system managedsave %s\n",
                        from, object);
        break;
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        trunk_command(inv, s, out);
        break;
    case DCP_STEP_HOST_ON:
        dcp_text_printf(out, "ipmitool -H %s-bmc chassis power on\n", object);
        break;
    case DCP_STEP_HOST_OFF:
        dcp_text_printf(out, "ssh %s systemctl poweroff\n", object);
        break;
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VM_RESIZE:
    case DCP_STEP_VOLUME_CREATE:
    case DCP_STEP_VOLUME_MOVE:
    case DCP_STEP_VOLUME_GROW:
    case DCP_STEP_VOLUME_DELETE:
    case DCP_STEP_IP_ALLOCATE:
    case DCP_STEP_IP_RELEASE:
    case DCP_STEP_SYNC:
        break;
    }
}
