/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traces/csv_line.h"

#include <stdlib.h>
#include <string.h>

/* Ends a field that began at 'p' and takes its quotes off; where it ended
 * (separator or NUL), or NULL: a quote without its end. */
static char *
end_field(char *p, char separator)
{
    char *to = p;

    if (*p != '"') {
        return p + strcspn(p, (char[]){ separator, '\0' });
    }
    for (p++; *p; p++) {
        if (*p == '"' && p[1] != '"') {
            *to = '\0';
            return p[1] == separator || !p[1] ? p + 1 : NULL;
        }
        p += *p == '"';
        *to++ = *p;
    }
    return NULL;
}

static bool
add_field(struct dcp_csv_line *line, char *p, struct dcp_error *err)
{
    if (line->n == line->capacity) {
        uint32_t capacity = line->capacity ? 2 * line->capacity : 64;
        char **grown = realloc(line->field, (size_t)capacity * sizeof *grown);

        if (!grown) {
            return dcp_fail(err, DCP_E_NOMEM, "no memory for a line");
        }
        line->field = grown;
        line->capacity = capacity;
    }
    line->field[line->n++] = p;
    return true;
}

static void
trim(char *p)
{
    size_t n = strlen(p), skip = strspn(p, " ");

    while (n > skip && p[n - 1] == ' ') {
        n--;
    }
    memmove(p, p + skip, n - skip);
    p[n - skip] = '\0';
}

bool
dcp_csv_line_cut(struct dcp_csv_line *line, char *text, char separator,
                 struct dcp_pos pos, struct dcp_error *err)
{
    line->n = 0;
    for (char *p = text;;) {
        char *end = end_field(p, separator);

        if (!end) {
            pos.column = (uint32_t)(p - text) + 1;
            return dcp_fail_at(err, DCP_E_PARSE, pos,
                               "a quoted field does not end before the next "
                               "separator on this line");
        }
        bool last = !*end;

        *end = '\0';
        trim(p);
        if (!add_field(line, p, err)) {
            return false;
        }
        if (last) {
            return true;
        }
        p = end + 1;
    }
}

void
dcp_csv_line_finish(struct dcp_csv_line *line)
{
    free(line->field);
    *line = (struct dcp_csv_line){ 0 };
}
