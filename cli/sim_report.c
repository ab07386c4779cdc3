/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sim_report.h"

#include "cli/help.h"
#include "model/io/file.h"

#include <stdio.h>
#include <string.h>

bool
dcp_sim_report_write(const char *path, const struct dcp_sim_page *page,
                     struct dcp_onlooker *onlooker, struct dcp_error *err)
{
    struct dcp_sim_page whole = *page;
    struct dcp_text html = { 0 };

    whole.picture = dcp_onlooker_picture(onlooker);
    whole.tool_version = DCP_VERSION;
    bool ok = dcp_sim_page_html(&whole, &html, err);

    if (ok && strcmp(path, "-") != 0) {
        ok = dcp_file_write(path, html.data, html.length, err);
    } else if (ok) {
        /* Its errors are told at the end of the command. */
        (void)fwrite(html.data, 1, html.length, stdout);
    }
    dcp_text_finish(&html);
    return ok;
}
