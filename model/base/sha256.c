/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/sha256.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
    0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
    0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
    0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
    0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
    0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t
rotate(uint32_t x, int n)
{
    return (x >> n) | (x << (32 - n));
}

/* One round; the caller renames the eight words instead of moving them. */
static inline void
step(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
     uint32_t g, uint32_t *h, uint32_t kw)
{
    uint32_t t1 = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                  (g ^ (e & (f ^ g))) + kw;

    *d += t1;
    *h = t1 + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
         ((a & b) | (c & (a | b)));
}

static void
compress_portable(uint32_t state[8], const uint8_t *p, size_t n_blocks)
{
    for (; n_blocks; n_blocks--, p += 64) {
        uint32_t w[64], s[8];

        for (int i = 0; i < 16; i++) {
            w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
                   (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
        }
        for (int i = 16; i < 64; i++) {
            uint32_t x = w[i - 15], y = w[i - 2];

            w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ (x >> 3)) +
                   w[i - 7] + (rotate(y, 17) ^ rotate(y, 19) ^ (y >> 10));
        }
        memcpy(s, state, sizeof s);
        for (int i = 0; i < 64; i += 8) {
            for (int j = 0; j < 8; j++) {
                step(s[-j & 7], s[(1 - j) & 7], s[(2 - j) & 7], &s[(3 - j) & 7],
                     s[(4 - j) & 7], s[(5 - j) & 7], s[(6 - j) & 7],
                     &s[(7 - j) & 7], k[i + j] + w[i + j]);
            }
        }
        for (int i = 0; i < 8; i++) {
            state[i] += s[i];
        }
    }
}

#if defined(__x86_64__)

/* The CPU's SHA instructions (Gulley et al., Intel SHA Extensions, 2013): a
 * usage store of gigabytes is hashed in a second.  They keep the state as
 * ABEF and CDGH, and take four rounds' words at a time. */
__attribute__((target("sha,sse4.1"))) static void
compress_x86(uint32_t state[8], const uint8_t *p, size_t n_blocks)
{
    const __m128i big_endian =
        _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i cdab = _mm_shuffle_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i efgh = _mm_shuffle_epi32(
        _mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
    __m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

    for (; n_blocks; n_blocks--, p += 64) {
        const __m128i abef_before = abef, cdgh_before = cdgh;
        __m128i m[4];

        for (int i = 0; i < 4; i++) {
            m[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)),
                big_endian);
        }
        for (int r = 0; r < 16; r++) {
            __m128i *w = &m[r & 3];
            const __m128i before = m[(r + 3) & 3];
            __m128i kw = _mm_add_epi32(
                *w,
                _mm_loadu_si128((const __m128i *)(const void *)(k + 4 * r)));

            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);
            abef =
                _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(kw, 0x0e));
            *w = _mm_sha256msg2_epu32(
                _mm_add_epi32(_mm_sha256msg1_epu32(*w, m[(r + 1) & 3]),
                              _mm_alignr_epi8(before, m[(r + 2) & 3], 4)),
                before);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    __m128i feba = _mm_shuffle_epi32(abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(cdgh, 0xb1);

    _mm_storeu_si128((__m128i *)(void *)state,
                     _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4),
                     _mm_alignr_epi8(dchg, feba, 8));
}

static bool
has_sha(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSE4_1) ||
        !(c & bit_SSSE3)) {
        return false;
    }
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA);
}

static void
compress(const struct dcp_sha256 *h, uint32_t state[8], const uint8_t *p,
         size_t n_blocks)
{
    if (h->use_sha_instructions) {
        compress_x86(state, p, n_blocks);
    } else {
        compress_portable(state, p, n_blocks);
    }
}

#else

static bool
has_sha(void)
{
    return false;
}

static void
compress(const struct dcp_sha256 *h, uint32_t state[8], const uint8_t *p,
         size_t n_blocks)
{
    (void)h;
    compress_portable(state, p, n_blocks);
}

#endif

void
dcp_sha256_init(struct dcp_sha256 *h)
{
    static const uint32_t start[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                       0xa54ff53a, 0x510e527f, 0x9b05688c,
                                       0x1f83d9ab, 0x5be0cd19 };

    memcpy(h->state, start, sizeof start);
    h->n_bytes = 0;
    h->use_sha_instructions = has_sha();
}

void
dcp_sha256_add(struct dcp_sha256 *h, const void *data, size_t size)
{
    const uint8_t *p = data;
    size_t held = h->n_bytes % 64;

    h->n_bytes += size;
    if (held) {
        size_t take = 64 - held < size ? 64 - held : size;

        memcpy(h->block + held, p, take);
        p += take;
        size -= take;
        if (held + take < 64) {
            return;
        }
        compress(h, h->state, h->block, 1);
    }
    compress(h, h->state, p, size / 64);
    p += size / 64 * 64;
    size %= 64;
    if (size) {
        memcpy(h->block, p, size);
    }
}

void
dcp_sha256_end(struct dcp_sha256 *h, uint8_t out_hash[32])
{
    static const uint8_t padding[64] = { 0x80 };
    uint64_t n_bits = 8 * h->n_bytes;
    uint8_t length[8];

    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(n_bits >> (56 - 8 * i));
    }
    size_t held = h->n_bytes % 64;

    dcp_sha256_add(h, padding, held < 56 ? 56 - held : 120 - held);
    dcp_sha256_add(h, length, sizeof length);
    for (int i = 0; i < 32; i++) {
        out_hash[i] = (uint8_t)(h->state[i / 4] >> (24 - 8 * (i % 4)));
    }
}

void
dcp_sha256_end_text(struct dcp_sha256 *h, char out[DCP_DIGEST_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[32];
    size_t n = 7;

    dcp_sha256_end(h, hash);
    memcpy(out, "sha256:", n);
    for (int i = 0; i < 32; i++) {
        out[n++] = digits[hash[i] >> 4];
        out[n++] = digits[hash[i] & 15];
    }
    out[n] = '\0';
}
