/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/rightsizing.h"

#include "model/base/units.h"
#include "model/io/json_size.h"

#include <math.h>
#include <stdio.h>

struct sums { /* Over VMs that are resized, or would be. */
    uint32_t n_down, n_up;
    double vcpus_freed, vcpus_added;
    double mib_freed, mib_added;
    double later_vcpus, later_mib; /* What those that keep their size could
                                    * give. */
    uint32_t n_later, n_cold;
};

static struct sums
sum_up(const struct dcp_inventory *inv, const struct dcp_rightsizing *z)
{
    struct sums s = { 0 };

    for (uint32_t v = 0; v < inv->n_vms; v++) {
        const struct dcp_size_advice *a = &z->advice[v];
        double vcpus = (double)a->from.vcpus - a->to.vcpus;
        double mib = (double)a->from.mem_mib - (double)a->to.mem_mib;

        if (dcp_vm_size_eq(a->from, a->to)) {
            continue;
        }
        if (!dcp_size_changes(a)) {
            s.n_later++;
            s.later_vcpus += fmax(vcpus, 0);
            s.later_mib += fmax(mib, 0);
            continue;
        }
        s.n_cold += a->cold;
        s.n_down += a->verdict == DCP_SIZE_OVERSIZED;
        s.n_up += a->verdict == DCP_SIZE_UNDERSIZED;
        s.vcpus_freed += fmax(vcpus, 0);
        s.vcpus_added += fmax(-vcpus, 0);
        s.mib_freed += fmax(mib, 0);
        s.mib_added += fmax(-mib, 0);
    }
    return s;
}

/* --- JSON --------------------------------------------------------------- */

static void
json_vm(struct dcp_json *w, const struct dcp_inventory *inv,
        const struct dcp_rightsizing *z, uint32_t v)
{
    const struct dcp_size_advice *a = &z->advice[v];
    const struct dcp_vm_usage *u = &z->usage[v];

    dcp_json_begin_line(w, '{');
    dcp_json_kstring(w, "vm", inv->vms[v].name);
    dcp_json_kstring(w, "verdict", dcp_size_verdict_name(a->verdict));
    dcp_json_ksize(w, "from", a->from);
    dcp_json_ksize(w, "to", a->to);
    dcp_json_kbool(w, "restart", a->cold);
    dcp_json_kdouble(w, "cpu_mhz", round(u->cpu_mhz));
    dcp_json_kdouble(w, "cpu_peak_mhz", round(u->cpu_peak_mhz));
    dcp_json_kdouble(w, "cpu_at_limit_frac", u->cpu_at_limit_frac);
    dcp_json_kdouble(w, "mem_mib", u->mem_history_ms ? round(u->mem_mib) : NAN);
    dcp_json_kdouble(w, "mem_at_limit_frac",
                     u->mem_history_ms ? u->mem_at_limit_frac : NAN);
    dcp_json_end(w, '}');
}

void
dcp_rightsizing_json(struct dcp_json *w, const struct dcp_inventory *inv,
                     const struct dcp_rightsizing *z)
{
    if (!z->advice) {
        dcp_json_knull(w, "rightsizing");
        return;
    }
    struct sums s = sum_up(inv, z);

    dcp_json_kobject(w, "rightsizing");
    dcp_json_ku64(w, "resized", s.n_down + s.n_up);
    dcp_json_ku64(w, "restarts", s.n_cold);
    dcp_json_kdouble(w, "vcpus_freed", s.vcpus_freed);
    dcp_json_kdouble(w, "vcpus_added", s.vcpus_added);
    dcp_json_kdouble(w, "mem_mib_freed", s.mib_freed);
    dcp_json_kdouble(w, "mem_mib_added", s.mib_added);
    dcp_json_ku64(w, "later", s.n_later);
    dcp_json_kdouble(w, "vcpus_later", s.later_vcpus);
    dcp_json_kdouble(w, "mem_mib_later", s.later_mib);
    dcp_json_kbool(w, "memory_measured", z->measured_memory);
    dcp_json_ku64(w, "hosts_needed_before", z->hosts_needed_before);
    dcp_json_ku64(w, "hosts_needed_after", z->hosts_needed_after);
    dcp_json_ku64(w, "hosts_needed_if_all", z->hosts_needed_if_all);
    dcp_json_kobject(w, "verdicts");
    for (uint32_t k = 0; k < DCP_SIZE_VERDICTS; k++) {
        dcp_json_ku64(w, dcp_size_verdict_name((enum dcp_size_verdict)k),
                      z->n[k]);
    }
    dcp_json_end(w, '}');
    dcp_json_karray(w, "vms");
    for (uint32_t v = 0; v < inv->n_vms; v++) {
        if (!dcp_vm_size_eq(z->advice[v].from, z->advice[v].to)) {
            json_vm(w, inv, z, v);
        }
    }
    dcp_json_end(w, ']');
    dcp_json_end(w, '}');
}

/* --- People ------------------------------------------------------------- */

static void
print_amounts(double vcpus, double mib)
{
    char mem[32];

    dcp_print_human(DCP_DIM_SIZE, mib, mem, sizeof mem);
    printf("%.0f vCPUs and %s", vcpus, mem);
}

/* Those left alone, by reason. */
static void
print_left(const struct dcp_rightsizing *z)
{
    static const struct {
        enum dcp_size_verdict verdict;
        const char *text;
    } rows[] = {
        { DCP_SIZE_FITS, "fit" },
        { DCP_SIZE_NO_HISTORY, "have too little history" },
        { DCP_SIZE_EXCLUDED, "are excluded" },
        { DCP_SIZE_RULE, "are held by a rule or an owned licence" },
        { DCP_SIZE_PARKED, "are parked" },
        { DCP_SIZE_COOLDOWN, "were resized lately" },
        { DCP_SIZE_RESTART, "would need a restart" },
        { DCP_SIZE_LIMIT, "wait for a later plan" },
        { DCP_SIZE_NO_ROOM, "have no room to grow" },
        { DCP_SIZE_NO_USE, "would bring the goal nothing" },
    };
    const char *between = "";

    printf("%-15s ", "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (z->n[rows[i].verdict]) {
            printf("%s%u %s", between, z->n[rows[i].verdict], rows[i].text);
            between = ", ";
        }
    }
    printf("%s\n", *between ? "" : "no VM is left as it is");
}

static void
print_vm(const struct dcp_inventory *inv, const struct dcp_rightsizing *z,
         uint32_t v)
{
    const struct dcp_size_advice *a = &z->advice[v];
    char from[64], to[64], why[240];

    printf("  %-20s %-11s %s -> %s: %s\n", inv->vms[v].name,
           dcp_size_verdict_name(a->verdict),
           dcp_vm_size_print(a->from, from, sizeof from),
           dcp_vm_size_print(a->to, to, sizeof to),
           dcp_size_reason(inv, a, why, sizeof why));
}

void
dcp_rightsizing_print(const struct dcp_inventory *inv,
                      const struct dcp_rightsizing *z, bool each)
{
    if (!z->advice) {
        return;
    }
    struct sums s = sum_up(inv, z);

    printf("%-15s %u VMs made smaller, which frees ", "rightsizing", s.n_down);
    print_amounts(s.vcpus_freed, s.mib_freed);
    printf("; %u larger", s.n_up);
    if (s.n_up) {
        printf(" by ");
        print_amounts(s.vcpus_added, s.mib_added);
    }
    printf("; %u restarts\n", s.n_cold);
    print_left(z);
    if (s.n_later) {
        printf("%-15s of these %u have another size to get: ", "", s.n_later);
        print_amounts(s.later_vcpus, s.later_mib);
        printf(" could be freed\n");
    }
    if (!z->measured_memory) {
        printf("%-15s memory was not measured: none is taken away\n", "");
    }
    printf("%-15s at least %u hosts are needed at the new sizes, %u at the old "
           "ones, %u if all had theirs\n",
           "", z->hosts_needed_after, z->hosts_needed_before,
           z->hosts_needed_if_all);
    for (uint32_t v = 0; each && v < inv->n_vms; v++) {
        if (!dcp_vm_size_eq(z->advice[v].from, z->advice[v].to)) {
            print_vm(inv, z, v);
        }
    }
}
