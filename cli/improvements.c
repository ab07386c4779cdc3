/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/improvements.h"

#include "cli/ui.h"

#include <stdio.h>
#include <string.h>

static void
print(const struct dcp_globals *g, const struct dcp_progress *p, char *out,
      size_t size)
{
    const char *colon = p->part[0] ? ": " : "";
    const char *space = p->unit[0] ? " " : "";
    double seconds = dcp_ui_wall_seconds(g);

    if (!strcmp(p->unit, "hosts")) {
        (void)snprintf(out, size,
                       "%.1f s  %s%s%u hosts on, at least %u, gap %.2f %%",
                       seconds, p->part, colon, p->hosts_on, p->hosts_bound,
                       100 * p->gap_frac);
    } else {
        (void)snprintf(out, size,
                       "%.1f s  %s%s%.2f%s%s with %u hosts on, at least %.2f, "
                       "gap %.2f %%",
                       seconds, p->part, colon, p->value, space, p->unit,
                       p->hosts_on, p->bound, 100 * p->gap_frac);
    }
}

static void
show(const struct dcp_progress *p, void *context)
{
    const struct dcp_globals *g = context;
    char line[200];

    print(g, p, line, sizeof line);
    if (g->verbose) {
        dcp_ui_progress_end(g);
        dcp_ui_say(g, "%s", line);
    } else {
        dcp_ui_progress(g, line, -1);
    }
}

struct dcp_observer
dcp_improvements_observer(const struct dcp_globals *g)
{
    bool shown = !g->quiet && (g->verbose || g->progress);

    return (struct dcp_observer){ .improved = shown ? show : NULL,
                                  .context = (void *)(size_t)g };
}
