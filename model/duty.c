/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/duty.h"

#include <stdio.h>

const char *
dcp_serves_name(uint32_t bit)
{
    static const char *const names[DCP_SERVES] = { "storage", "mirror",
                                                   "gateway", "quorum" };

    return bit < DCP_SERVES ? names[bit] : "?";
}

static enum dcp_duty
duty_of(const struct dcp_inventory *inv, const struct dcp_host *h,
        int64_t at_ms)
{
    if (!h->power_off_allowed) {
        return DCP_DUTY_NOT_ALLOWED;
    }
    if (h->serves) {
        return DCP_DUTY_SERVES;
    }
    if (h->failed_ms && at_ms - h->failed_ms < inv->policy.rest_ms) {
        return DCP_DUTY_FAILED;
    }
    if (inv->wakes_recorded && inv->policy.wake_proof_ms &&
        (!h->woke_ms || at_ms - h->woke_ms > inv->policy.wake_proof_ms)) {
        return DCP_DUTY_WAKE_NOT_PROVED;
    }
    return DCP_DUTY_NONE;
}

enum dcp_duty
dcp_host_duty(const struct dcp_inventory *inv, dcp_host_id host, int64_t at_ms,
              char *out, size_t size)
{
    const struct dcp_host *h = &inv->hosts[host.ix];
    enum dcp_duty duty = duty_of(inv, h, at_ms);
    uint32_t bit = 0;

    if (!size) {
        return duty;
    }
    switch (duty) {
    case DCP_DUTY_NONE:
        out[0] = '\0';
        break;
    case DCP_DUTY_NOT_ALLOWED:
        (void)snprintf(out, size, "the model says power_off: false");
        break;
    case DCP_DUTY_SERVES:
        while (!(h->serves >> bit & 1)) {
            bit++;
        }
        (void)snprintf(out, size, "it serves others: %s", dcp_serves_name(bit));
        break;
    case DCP_DUTY_FAILED:
        (void)snprintf(out, size,
                       "it failed %.1f h before, within "
                       "policy.rest_after_failure",
                       (double)(at_ms - h->failed_ms) / 3600000);
        break;
    case DCP_DUTY_WAKE_NOT_PROVED:
        (void)snprintf(out, size,
                       "no wake of it was seen within policy.wake_proof "
                       "(woke_at)");
        break;
    }
    return duty;
}

dcp_vm_id
dcp_duty_bound_vm(const struct dcp_inventory *inv,
                  const struct dcp_placement *p, dcp_host_id host)
{
    for (uint32_t v = 0; v < p->n_vms; v++) {
        const struct dcp_vm *vm = &inv->vms[v];
        bool bound = !vm->movable;

        if (p->host[v].ix != host.ix) {
            continue;
        }
        for (uint32_t i = 0; i < vm->n_volumes; i++) {
            bound |= dcp_pool_is_none(inv->volumes[vm->first_volume + i].pool);
        }
        if (bound) {
            return (dcp_vm_id){ v };
        }
    }
    return dcp_vm_none();
}
