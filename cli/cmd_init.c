/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"
#include "cli/ui.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
make_uuid(char out[40], struct dcp_error *err)
{
    unsigned char b[16];

    if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b) {
        return dcp_fail(err, DCP_E_IO, "no random bytes for a lineage: %s",
                        strerror(errno));
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* Version 4, RFC 9562. */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    size_t n = 0;

    for (int i = 0; i < 16; i++) {
        n += (size_t)snprintf(out + n, 40 - n, "%s%02x",
                              i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                              b[i]);
    }
    return true;
}

static const char template_text[] =
    "# The model of one datacenter; docs/model.md explains every key.\n"
    "dcplan: model/1\n"
    "lineage: %s      # written once by `dcplan init`, never edited\n"
    "timezone: UTC\n";

static int
run(const struct dcp_globals *g, const void *options, uint32_t n_args,
    char *const args[], struct dcp_error *err)
{
    char uuid[40], path[4096];

    (void)options;
    (void)n_args;
    if (!make_uuid(uuid, err)) {
        return -1;
    }
    if (mkdir(args[0], 0777) != 0 && errno != EEXIST) {
        (void)dcp_fail(err, DCP_E_IO, "cannot make directory '%s': %s",
                       args[0], strerror(errno));
        return -1;
    }
    (void)snprintf(path, sizeof path, "%s/dc.yaml", args[0]);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0) {
        (void)dcp_fail(err, errno == EEXIST ? DCP_E_USAGE : DCP_E_IO,
                       errno == EEXIST
                           ? "'%s' is there already; nothing was changed"
                           : "cannot create '%s'",
                       path);
        return -1;
    }
    bool ok = dprintf(fd, template_text, uuid) > 0;

    ok = fsync(fd) == 0 && ok;
    ok = close(fd) == 0 && ok;
    if (!ok) {
        (void)unlink(path);
        (void)dcp_fail(err, DCP_E_IO, "cannot write '%s': %s", path,
                       strerror(errno));
        return -1;
    }
    if (g->json) {
        struct dcp_json w;

        dcp_json_init(&w, true);
        dcp_json_begin(&w, '{');
        dcp_json_kstring(&w, "schema", "dcplan/init/1");
        dcp_json_kstring(&w, "lineage", uuid);
        dcp_json_kstring(&w, "path", path);
        dcp_json_end(&w, '}');
        return dcp_ui_json(&w, 0, err);
    }
    dcp_ui_say(g,
               "made %s\nnext: edit it, or 'dcplan -C %s import csv --hosts "
               "HOSTS.csv --vms VMS.csv'",
               path, args[0]);
    return 0;
}

const struct dcp_command dcp_cmd_init = {
    .name = "init",
    .summary = "start a model directory",
    .synopsis = "DIR",
    .details = "Makes DIR with a dc.yaml that holds a new lineage (a UUID that "
               "ties plans to\nthis model).  Refuses where there is a dc.yaml "
               "already.\n\nExamples:\n  dcplan init night && cd night\n",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
