/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_BASE_SHA256_H
#define DCP_MODEL_BASE_SHA256_H 1

/* SHA-256 (FIPS 180-4), for digests of models, traces and plans. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dcp_sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    uint8_t block[64];
    bool use_sha_instructions; /* Where the CPU has them; same result. */
};

#define DCP_DIGEST_TEXT_SIZE 72 /* "sha256:" + 64 hex digits + NUL. */

void dcp_sha256_init(struct dcp_sha256 *);
void dcp_sha256_add(struct dcp_sha256 *, const void *data, size_t size);
void dcp_sha256_end(struct dcp_sha256 *, uint8_t out_hash[32]);
/* As dcp_sha256_end(), written as "sha256:0123...". */
void dcp_sha256_end_text(struct dcp_sha256 *, char out[DCP_DIGEST_TEXT_SIZE]);

#endif /* model/base/sha256.h */
