/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tests/fuzz/packing_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_packing(dcp_read_vbp, data, size);
    return 0;
}
