/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/print_events.h"

#include "cli/ui.h"
#include "model/base/text.h"
#include "model/base/units.h"
#include "model/io/csv.h"
#include "sim/output/event_log.h"

#include <stdio.h>

static void
put_object(struct dcp_text *line, const struct dcp_event_reader *r,
           struct dcp_object object)
{
    dcp_text_puts(line, ",");
    if (object.kind != DCP_OBJECT_NONE) {
        struct dcp_text name = { 0 };

        dcp_text_printf(&name, "%s:%s", dcp_object_kind_name(object.kind),
                        dcp_event_reader_name(r, object));
        dcp_csv_put(line, dcp_text_get(&name));
        line->failed |= name.failed;
        dcp_text_finish(&name);
    }
}

static bool
print_event(const struct dcp_event_reader *r, const struct dcp_logged_event *e,
            struct dcp_text *line, struct dcp_error *err)
{
    char at[32];

    line->length = 0;
    dcp_print_instant(e->at_ms, at);
    dcp_text_printf(line, "%s,%s,%s", at, dcp_step_kind_name(e->kind),
                    dcp_action_phase_name(e->phase));
    put_object(line, r, e->object);
    put_object(line, r, e->from);
    put_object(line, r, e->to);
    dcp_text_printf(line, ",%u\n", e->leg);
    if (line->failed) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory to print events");
    }
    fputs(dcp_text_get(line), stdout);
    return true;
}

int
dcp_print_events(const struct dcp_globals *g, const char *path,
                 struct dcp_error *err)
{
    DCP_AUTO(dcp_event_reader)
    struct dcp_event_reader *r = dcp_event_reader_open(path, err);
    struct dcp_logged_event e;
    struct dcp_text line = { 0 };
    bool more = r != NULL, ok = more;

    if (ok) {
        puts("time,kind,phase,object,from,to,leg");
    }
    while (more) {
        ok = dcp_event_reader_next(r, &e, &more, err) &&
             (!more || print_event(r, &e, &line, err));
        more = more && ok;
    }
    dcp_text_finish(&line);
    if (!ok) {
        return -1;
    }
    if (dcp_event_reader_is_damaged(r)) {
        dcp_ui_warn(g, "'%s' is cut off or damaged after what was printed",
                    path);
        return 1;
    }
    return 0;
}
