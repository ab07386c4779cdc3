/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "report_fixture.h"

#include <check.h>
#include <stdio.h>

int
main(int argc, char *argv[])
{
    if (argc == 3 && !strcmp(argv[1], "--write")) {
        struct fixture f;
        struct dcp_text page = { 0 };
        struct dcp_error err = { 0 };

        fixture_make(&f, 60, 900, 30);
        struct dcp_report_input in = fixture_input(&f);

        if (!dcp_report_html(&in, &page, &err)) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        FILE *out = fopen(argv[2], "w");
        fwrite(page.data, 1, page.length, out);
        fclose(out);
        dcp_text_finish(&page);
        fixture_finish(&f);
        return 0;
    }
    return 0;
}
