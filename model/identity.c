/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/identity.h"

#include "model/base/sha256.h"

#include <stdio.h>
#include <string.h>

bool
dcp_uuid_parse(const char *text, char out[DCP_UUID_SIZE])
{
    char kept[DCP_UUID_SIZE];

    for (int i = 0; i < DCP_UUID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text[i];

        if (c >= 'A' && c <= 'F') {
            c = (char)(c - 'A' + 'a');
        }
        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
        kept[i] = c;
    }
    if (text[DCP_UUID_SIZE - 1]) {
        return false;
    }
    kept[DCP_UUID_SIZE - 1] = '\0';
    if (out) {
        memcpy(out, kept, sizeof kept);
    }
    return true;
}

void
dcp_vm_uuid(const struct dcp_inventory *inv, dcp_vm_id vm,
            char out[DCP_UUID_SIZE])
{
    static const char purpose[] = "dcplan/vm/1";
    const struct dcp_vm *v = &inv->vms[vm.ix];
    const char *lineage = inv->lineage ? inv->lineage : "";
    struct dcp_sha256 sha;
    uint8_t h[32];

    if (v->uuid && dcp_uuid_parse(v->uuid, out)) {
        return;
    }
    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, purpose, sizeof purpose);
    dcp_sha256_add(&sha, lineage, strlen(lineage) + 1);
    dcp_sha256_add(&sha, v->name, strlen(v->name) + 1);
    dcp_sha256_end(&sha, h);
    h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
    h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
    (void)snprintf(out, DCP_UUID_SIZE,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                   "%02x%02x%02x%02x%02x%02x",
                   h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9],
                   h[10], h[11], h[12], h[13], h[14], h[15]);
}
