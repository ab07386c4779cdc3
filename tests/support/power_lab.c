/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Carries out one step at one host by the executor for power, for tests that
 * have a real BMC at hand.
 *
 * usage: power_lab MODEL_DIR on|off|see HOST GUESTS_FILE
 *   GUESTS_FILE: how many guests run there, a number; not there: the host does
 *   not answer.  Prints what was seen, "event ok" or "event failed: WHY", and
 *   what is seen then. */

#include "executors/power/power.h"
#include "model/base/diag.h"
#include "model/io/model_dir.h"

#include <stdio.h>
#include <string.h>

static bool
count(void *user, dcp_host_id host, uint32_t *out_n, struct dcp_error *err)
{
    const char *const *path = user;
    FILE *file = fopen(*path, "re");
    int c = file ? fgetc(file) : EOF;

    (void)host;
    if (file) {
        (void)fclose(file);
    }
    *out_n = c >= '0' && c <= '9' ? (uint32_t)(c - '0') : 0;
    return (c >= '0' && c <= '9') ||
           dcp_fail(err, DCP_E_REMOTE, "the host does not answer");
}

static const char *
look(struct dcp_executor *e, const struct dcp_step *s)
{
    static const char *const names[] = { "absent", "running", "present",
                                         "elsewhere", "unknown" };
    struct dcp_observation seen;
    struct dcp_error err = { 0 };

    if (!e->ops->observe(e, s, &seen, &err)) {
        (void)printf("broken: %s\n", err.message);
        return "";
    }
    (void)printf("%s%s%s\n", names[seen.effect], seen.text[0] ? ": " : "",
                 seen.text);
    return names[seen.effect];
}

static int
run(struct dcp_executor *e, const struct dcp_step *s, const char *verb)
{
    struct dcp_event event;
    struct dcp_error err = { 0 };
    bool got = false, ok = true;
    const char *seen = look(e, s);

    if (strcmp(verb, "see") != 0 && !strcmp(seen, "absent")) {
        ok = e->ops->start(e, s, &err);
    } else if (strcmp(seen, "running") != 0) {
        return 0;
    }
    while (ok && !got) {
        ok = e->ops->wait(e, INT64_MAX, &event, &got, &err);
    }
    if (!ok) {
        (void)printf("refused: %s\n", err.message);
        return 1;
    }
    (void)printf("event %s%s\n", event.ok ? "ok" : "failed: ", event.text);
    (void)look(e, s);
    return !event.ok;
}

int
main(int argc, char **argv)
{
    struct dcp_model model;
    struct dcp_connect connect;
    struct dcp_diag diag = { 0 };
    struct dcp_error err = { 0 };
    struct dcp_power_options options;
    int status = 2;

    if (argc != 5) {
        return 2;
    }
    if (!dcp_model_open(argv[1], NULL, &diag, &model, &err)) {
        (void)printf("%s\n", err.message);
        return 2;
    }
    if (dcp_connect_read(argv[1], model.inventory, &diag, &connect, &err)) {
        const char *guests = argv[4];

        dcp_power_options_default(&options);
        options.inventory = model.inventory;
        options.connect = &connect;
        options.guests = (struct dcp_guests){ count, &guests };
        options.timing.poll_ms = 200;
        options.timing.guests_gap_ms = 500;
        options.timing.guests_wait_ms = 2000;
        options.timing.off_gap_ms = 1000;
        options.timing.off_ms = 4000;
        options.timing.on_ms = 4000;
        options.timing.resend_ms = 1000;
        struct dcp_executor *e = dcp_power_create(&options, &err);

        if (e) {
            const struct dcp_step step = {
                .id = 1,
                .kind = !strcmp(argv[2], "on") ? DCP_STEP_HOST_ON
                                               : DCP_STEP_HOST_OFF,
                .object = { DCP_OBJECT_HOST,
                            dcp_inventory_find_host(model.inventory, argv[3])
                                .ix },
            };
            status = run(e, &step, argv[2]);
            dcp_executor_destroy(e);
        }
        dcp_connect_finish(&connect);
    }
    if (err.message[0]) {
        (void)printf("%s\n", err.message);
    }
    dcp_model_finish(&model);
    dcp_diag_finish(&diag);
    return status;
}
