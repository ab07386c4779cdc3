/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A filter or a score in Lua: whatever the text, it is compiled or refused with
 * a message, and what it says it says again. */

#include "model/script/sandbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct dcp_given_trait vm_traits[] = {
    { "name", { DCP_TRAIT_TEXT, 0, "web-1" } },
    { "tier", { DCP_TRAIT_TEXT, 0, "gold" } },
    { "vcpus", { DCP_TRAIT_NUMBER, 4, NULL } },
    { "tag.pci", { DCP_TRAIT_BOOL, 1, NULL } },
};
static const struct dcp_given_trait host_traits[] = {
    { "name", { DCP_TRAIT_TEXT, 0, "h1" } },
    { "cores", { DCP_TRAIT_NUMBER, 32, NULL } },
};

static bool
call(struct dcp_script *s, enum dcp_script_kind kind,
     struct dcp_script_answer *out)
{
    struct dcp_trait_subject vm = { DCP_TRAIT_VM, NULL, 0, vm_traits, 4 };
    struct dcp_trait_subject host = { DCP_TRAIT_HOST, NULL, 0, host_traits, 2 };
    struct dcp_error err = { 0 };
    bool ok = dcp_script_call(s, kind, &vm, &host, out, &err);

    if (!ok && (!err.message[0] || err.code == DCP_E_BUG)) {
        abort();
    }
    return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *lua = malloc(size + 1);
    struct dcp_error err = { 0 };

    if (!lua) {
        return 0;
    }
    memcpy(lua, data, size);
    lua[size] = '\0';
    struct dcp_script_text text = { lua, { "policy.yaml", 1, 1 }, false };
    struct dcp_script *s = dcp_script_create(&text, "filter 'f'", &err);

    if (!s && !err.message[0]) {
        abort();
    }
    for (int kind = 0; s && kind < 2; kind++) {
        struct dcp_script_answer a, b;
        bool one = call(s, (enum dcp_script_kind)kind, &a);
        bool two = call(s, (enum dcp_script_kind)kind, &b);

        if (one != two) {
            abort();
        }
        if (one && kind == DCP_SCRIPT_SCORE &&
            (!isfinite(a.score) ||
             memcmp(&a.score, &b.score, sizeof a.score))) {
            abort();
        }
        if (one && kind == DCP_SCRIPT_FILTER &&
            (a.allowed != b.allowed || strcmp(a.reason, b.reason) != 0)) {
            abort();
        }
    }
    dcp_script_destroy(s);
    free(lua);
    return 0;
}
