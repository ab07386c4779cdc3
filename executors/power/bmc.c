/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "executors/power/bmc.h"

const char *
dcp_power_name(enum dcp_power power)
{
    static const char *const names[] = {
        [DCP_POWER_UNKNOWN] = "unknown",
        [DCP_POWER_OFF] = "off",
        [DCP_POWER_ON] = "on",
        [DCP_POWER_TURNING] = "turning",
    };

    return names[power];
}

const struct dcp_bmc_ops *
dcp_bmc_ops_of(const struct dcp_bmc *bmc)
{
    switch ((enum dcp_bmc_type)bmc->type) {
    case DCP_BMC_IPMI:
        return &dcp_bmc_ipmi;
    case DCP_BMC_REDFISH:
        return &dcp_bmc_redfish;
    case DCP_BMC_WAKE_ON_LAN:
        return &dcp_bmc_wake;
    case DCP_BMC_NONE:
        break;
    }
    return NULL;
}
