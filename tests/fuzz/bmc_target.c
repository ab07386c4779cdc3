/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What BMCs say, as text. */

#include "executors/power/bmc.h"
#include "executors/power/program.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum dcp_power power;
    struct dcp_guid guid, again;
    char said[DCP_GUID_TEXT], line[64];
    uint8_t mac[6];
    char *text = malloc(n + 1);

    if (!text) {
        return 0;
    }
    memcpy(text, bytes, n);
    text[n] = '\0';
    (void)dcp_ipmi_parse_power(text, &power);
    (void)dcp_wake_parse_mac(text, mac);
    dcp_program_last_line(text, line, sizeof line);
    if (dcp_ipmi_parse_guid(text, said) &&
        (!dcp_guid_parse(said, &guid) || strlen(said) != DCP_GUID_TEXT - 1)) {
        abort();
    }
    if (dcp_guid_parse(text, &guid)) {
        dcp_guid_print(&guid, said);
        if (!dcp_guid_parse(said, &again) || !dcp_guid_same(&guid, &again)) {
            abort();
        }
    }
    free(text);
    return 0;
}
