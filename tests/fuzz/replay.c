/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs a fuzz target over files, without a fuzzer: each input as it is, cut
 * short at many places, and with seeded damage.  usage: replay FILE|DIR...
 * A target fails by crashing, so under sanitizers this is a real test. */

#include "model/base/rng.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_CUTS = 40, N_DAMAGED = 120 };

static unsigned long n_runs;

/* In a block of exactly that size, so that ASan sees one byte too far. */
static void
run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy = calloc(size ? size : 1, 1);

    if (!copy) {
        abort();
    }
    memcpy(copy, data, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    n_runs++;
}

static void
damage(uint8_t *data, size_t size, struct dcp_rng *rng)
{
    static const char nasty[] = "\0\xff\n\r\t\"'{}[]:;,-.0189eE&*#%/";
    uint64_t n = 1 + dcp_rng_below(rng, 4);

    for (uint64_t i = 0; i < n; i++) {
        size_t at = (size_t)dcp_rng_below(rng, size);
        size_t from = (size_t)dcp_rng_below(rng, size);
        size_t length = 1 + (size_t)dcp_rng_below(rng, 16);

        switch (dcp_rng_below(rng, 3)) {
        case 0:
            data[at] = (uint8_t)nasty[dcp_rng_below(rng, sizeof nasty)];
            break;
        case 1:
            data[at] ^= (uint8_t)(1u << dcp_rng_below(rng, 8));
            break;
        default: /* Copies a piece over another place. */
            length = length > size - at ? size - at : length;
            length = length > size - from ? size - from : length;
            memmove(data + at, data + from, length);
        }
    }
}

static void
run_all(const char *path, const uint8_t *data, size_t size)
{
    struct dcp_rng rng = dcp_rng_stream(1, path, 0);
    uint8_t *copy = malloc(size + 1);

    run_exact(data, size);
    for (size_t i = 0; size && i < N_CUTS; i++) {
        run_exact(data, (size_t)dcp_rng_below(&rng, size));
    }
    for (int i = 0; copy && size && i < N_DAMAGED; i++) {
        memcpy(copy, data, size);
        damage(copy, size, &rng);
        run_exact(copy, size);
    }
    free(copy);
}

static int
run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;

    if (!file || fstat(fileno(file), &st) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size + 1);
    bool ok = data && fread(data, 1, size, file) == size;

    (void)fclose(file);
    if (ok) {
        run_all(path, data, size);
    } else {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return !ok;
}

static int
run_path(const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), failed = 0;

    if (n < 0) {
        return run_file(path);
    }
    for (int i = 0; i < n; i++) {
        char inside[4096];

        (void)snprintf(inside, sizeof inside, "%s/%s", path,
                       entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            failed += run_path(inside);
        }
        free(entries[i]);
    }
    free(entries);
    return failed;
}

int
main(int argc, char *argv[])
{
    int failed = 0;

    run_exact((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        failed += run_path(argv[i]);
    }
    (void)printf("%lu runs\n", n_runs);
    return failed != 0;
}
