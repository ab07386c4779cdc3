/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The dry run carries the plan out in a virtual world with the plan's own
 * estimates, so that what it lists is in the order, and under the limits, that
 * a real run would keep. */

#include "executors/virtual.h"

#include "model/base/text.h"

#include <ctype.h>
#include <string.h>

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

static bool
is_plain(const char *word)
{
    for (const char *c = word; *c; c++) {
        if (!isalnum((unsigned char)*c) && !strchr("@%+=:,./-_", *c)) {
            return false;
        }
    }
    return *word != '\0';
}

/* A space, and the name between 'before' and 'after' as one word of a shell:
 * a name may hold blanks, and whatever else a shell would act on. */
static void
add_word(struct dcp_text *out, const char *before, const char *name,
         const char *after)
{
    bool plain = is_plain(name);

    dcp_text_puts(out, plain ? " " : " '");
    dcp_text_puts(out, before);
    for (const char *c = name; *c; c++) {
        if (*c == '\'') {
            dcp_text_puts(out, "'\\''");
        } else {
            dcp_text_add(out, c, 1);
        }
    }
    dcp_text_puts(out, after);
    dcp_text_puts(out, plain ? "" : "'");
}

static void
add_virsh(struct dcp_text *out, const char *host, const char *verb,
          const char *domain)
{
    dcp_text_puts(out, "virsh -c");
    add_word(out, "qemu+ssh://", host, "/system");
    dcp_text_printf(out, " %s", verb);
    add_word(out, "", domain, "");
}

/* Set for the next start, and now where the VM does not restart for it. */
static void
resize_commands(const struct dcp_inventory *inv, const struct dcp_step *s,
                struct dcp_text *out)
{
    const char *host = dcp_object_name(inv, s->from);
    const char *vm = dcp_object_name(inv, s->object);
    const char *how = s->cold ? "--config" : "--live --config";

    if (s->size_to.vcpus != s->size_from.vcpus) {
        add_virsh(out, host, "setvcpus", vm);
        dcp_text_printf(out, " %u %s\n", s->size_to.vcpus, how);
    }
    if (s->size_to.mem_mib != s->size_from.mem_mib) {
        add_virsh(out, host, "setmem", vm);
        dcp_text_printf(out, " %lluM %s\n",
                        (unsigned long long)s->size_to.mem_mib, how);
    }
    if (s->cold) {
        add_virsh(out, host, "shutdown", vm);
        dcp_text_puts(out, "\n");
        add_virsh(out, host, "start", vm);
        dcp_text_puts(out, "\n");
    }
}

/* virt-v2v makes guests of ESX and Xen over for KVM; other ways have tools of
 * their makers. */
static void
convert_commands(const struct dcp_inventory *inv, const struct dcp_step *s,
                 struct dcp_text *out)
{
    const char *vm = dcp_object_name(inv, s->object);
    const char *from = inv->hypervisors[s->convert_from.ix].name;
    const char *to = inv->hypervisors[s->convert_to.ix].name;
    const char *uri = !strcmp(from, "esx")   ? "esx://"
                      : !strcmp(from, "xen") ? "xen+ssh://"
                                             : NULL;

    if (!uri || strcmp(to, "qemu") != 0) {
        dcp_text_printf(out, "# stop, convert from %s to %s, and start on %s:",
                        from, to, dcp_object_name(inv, s->to));
        add_word(out, "", vm, "");
        dcp_text_puts(out, "\n");
        return;
    }
    dcp_text_puts(out, "virsh -c");
    add_word(out, uri, dcp_object_name(inv, s->from), "/");
    dcp_text_puts(out, " shutdown");
    add_word(out, "", vm, "");
    dcp_text_puts(out, "\nvirt-v2v -i libvirt -ic");
    add_word(out, uri, dcp_object_name(inv, s->from), "/");
    dcp_text_puts(out, " -o libvirt -oc");
    add_word(out, "qemu+ssh://", dcp_object_name(inv, s->to), "/system");
    add_word(out, "", vm, "");
    dcp_text_puts(out, "\n");
    add_virsh(out, dcp_object_name(inv, s->to), "start", vm);
    dcp_text_puts(out, "\n");
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
            dcp_text_printf(out, "ovs-vsctl %s port", verb);
            add_word(out, "", port->port, "");
            dcp_text_printf(out, " trunks %u  # on %s\n",
                            inv->vlans[s->to.ix].id,
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
        if (s->converts) {
            convert_commands(inv, s, out);
            break;
        }
        add_virsh(out, from,
                  s->cold ? "migrate --offline --p2p --persistent "
                            "--undefinesource --abort-on-error"
                          : "migrate --live --p2p --persistent "
                            "--undefinesource --abort-on-error",
                  object);
        add_word(out, "qemu+ssh://", to, "/system");
        dcp_text_puts(out, "\n");
        break;
    case DCP_STEP_VM_START:
        add_virsh(out, to, "start", object);
        dcp_text_puts(out, "\n");
        break;
    case DCP_STEP_VM_STOP:
        add_virsh(out, from, "shutdown", object);
        dcp_text_puts(out, "\n");
        break;
    case DCP_STEP_VM_PARK:
        add_virsh(out, from, "managedsave", object);
        dcp_text_puts(out, "\n");
        break;
    case DCP_STEP_VLAN_TRUNK:
    case DCP_STEP_VLAN_UNTRUNK:
        trunk_command(inv, s, out);
        break;
    case DCP_STEP_HOST_ON:
        dcp_text_puts(out, "ipmitool -H");
        add_word(out, "", object, "-bmc");
        dcp_text_puts(out, " chassis power on\n");
        break;
    case DCP_STEP_HOST_OFF:
        dcp_text_puts(out, "ssh");
        add_word(out, "", object, "");
        dcp_text_puts(out, " systemctl poweroff\n");
        break;
    case DCP_STEP_VM_CREATE:
    case DCP_STEP_VM_RESTORE:
    case DCP_STEP_VM_DESTROY:
    case DCP_STEP_VM_RESIZE:
        resize_commands(inv, s, out);
        break;
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
