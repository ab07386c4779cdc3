/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_TESTS_TRACES_FIXTURE_H
#define DCP_TESTS_TRACES_FIXTURE_H 1

/* A directory of its own for a test, small files in it, imports of them. */

#include "traces/import.h"

#include <check.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fixture_dir[256];

static void
fixture_make(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(fixture_dir, sizeof fixture_dir, "%s/dcplan-test-XXXXXX",
                   tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(fixture_dir));
}

static void
fixture_remove(void)
{
    char command[300];

    (void)snprintf(command, sizeof command, "rm -rf '%s'", fixture_dir);
    ck_assert_int_eq(system(command), 0);
}

/* "NAME" in the directory; the last 256 stay valid. */
static inline const char *
fixture_path(const char *name)
{
    static char room[256][600];
    static int next;

    next = (next + 1) % 256;
    (void)snprintf(room[next], sizeof room[next], "%s/%s", fixture_dir, name);
    return room[next];
}

/* Directories in 'name' are made. */
static inline const char *
fixture_write_n(const char *name, const void *data, size_t size)
{
    const char *path = fixture_path(name);
    char dir[600];

    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');

    *slash = '\0';
    (void)mkdir(dir, 0777);
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

static inline const char *
fixture_write(const char *name, const char *text)
{
    return fixture_write_n(name, text, strlen(text));
}

static inline uint32_t
fixture_n_entries(void)
{
    DIR *dir = opendir(fixture_dir);
    uint32_t n = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir)) {
        n++;
    }
    (void)closedir(dir);
    return n - 2; /* "." and "..". */
}

static inline struct dcp_import_options
fixture_options(void)
{
    return (struct dcp_import_options){ .start_ms = INT64_MIN, .threads = 2 };
}

/* Imports into "u.h5" and opens it. */
static inline struct dcp_store *
fixture_import(const char *kind, const struct dcp_import_options *o,
               const char *const sources[], uint32_t n,
               struct dcp_import_summary *out)
{
    struct dcp_error err = { 0 };
    struct dcp_import *imp = dcp_import_create(kind, o, &err);

    ck_assert_msg(imp != NULL, "%s", err.message);
    bool ok = dcp_import_run(imp, sources, n, fixture_path("u.h5"), out, &err);

    ck_assert_msg(ok, "%s:%u: %s", err.pos.path ? err.pos.path : "",
                  err.pos.line, err.message);
    dcp_import_destroy(imp);
    struct dcp_store *s = dcp_store_open(fixture_path("u.h5"), &err);

    ck_assert_msg(s != NULL, "%s", err.message);
    return s;
}

/* The import fails at 'line' (0: none) with 'words' in its message, and
 * leaves no file that was not there. */
static inline void
fixture_refused(const char *kind, const struct dcp_import_options *o,
                const char *const sources[], uint32_t n, uint32_t line,
                const char *words)
{
    struct dcp_import_summary summary;
    struct dcp_error err = { 0 };
    uint32_t before = fixture_n_entries();
    struct dcp_import *imp = dcp_import_create(kind, o, &err);

    ck_assert_msg(imp != NULL, "%s", err.message);
    bool ok =
        dcp_import_run(imp, sources, n, fixture_path("no.h5"), &summary, &err);

    ck_assert_msg(!ok, "accepted, but '%s' was expected", words);
    ck_assert_msg(strstr(err.message, words) != NULL, "'%s' is not in '%s'",
                  words, err.message);
    ck_assert_msg(err.pos.line == line, "line %u, not %u: %s", err.pos.line,
                  line, err.message);
    if (line) {
        ck_assert_ptr_nonnull(err.pos.path);
    }
    dcp_import_destroy(imp);
    ck_assert_uint_eq(fixture_n_entries(), before);
}

/* One VM's samples. */
static inline void
fixture_samples(struct dcp_store *s, enum dcp_metric m, const char *vm,
                float out[], uint32_t n)
{
    struct dcp_error err = { 0 };
    uint32_t i = dcp_store_find(s, vm);

    ck_assert_msg(i != UINT32_MAX, "no VM '%s'", vm);
    ck_assert_uint_le(n, dcp_store_n_times(s));
    ck_assert_msg(dcp_store_read(s, m, &i, 1, 0, n, out, &err), "%s",
                  err.message);
}

#define NEAR(GOT, WANT)                                                        \
    ck_assert_msg(fabs((double)(GOT) - (double)(WANT)) <=                      \
                      2e-5 * fabs((double)(WANT)) + 1e-9,                      \
                  #GOT " is %.9g, not %.9g", (double)(GOT), (double)(WANT))

#endif /* tests/unit/traces_fixture.h */
