/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Everything is formatted into the caller's struct; nothing is allocated. */

#include "model/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
dcp_one_line(char *text)
{
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f) {
            *text = '?';
        }
    }
}

static bool
fail_va(struct dcp_error *err, enum dcp_code code, struct dcp_pos pos,
        const char *format, va_list args)
{
    if (err) {
        err->code = code;
        err->pos = pos;
        (void)vsnprintf(err->message, sizeof err->message, format, args);
        dcp_one_line(err->message);
    }
    return false;
}

bool
dcp_fail(struct dcp_error *err, enum dcp_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fail_va(err, code, (struct dcp_pos){ 0 }, format, args);
    va_end(args);
    return false;
}

bool
dcp_fail_at(struct dcp_error *err, enum dcp_code code, struct dcp_pos pos,
            const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fail_va(err, code, pos, format, args);
    va_end(args);
    return false;
}

bool
dcp_fail_in(struct dcp_error *err, const char *format, ...)
{
    if (!err) {
        return false;
    }
    char old[sizeof err->message];
    va_list args;

    memcpy(old, err->message, sizeof old);
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (n < 0) {
        n = 0;
    }
    if ((size_t)n + 2 < sizeof err->message) {
        size_t left = sizeof err->message - (size_t)n;

        (void)snprintf(err->message + n, left, ": %.*s", (int)left - 3, old);
    }
    dcp_one_line(err->message);
    return false;
}

const char *
dcp_code_name(enum dcp_code code)
{
    switch (code) {
    case DCP_OK:
        return "ok";
    case DCP_E_NOMEM:
        return "no-memory";
    case DCP_E_ARGUMENT:
        return "argument";
    case DCP_E_PARSE:
        return "parse";
    case DCP_E_IO:
        return "io";
    case DCP_E_NOT_FOUND:
        return "not-found";
    case DCP_E_STALE:
        return "stale";
    case DCP_E_LIMIT:
        return "limit";
    case DCP_E_REMOTE:
        return "remote";
    case DCP_E_UNSUPPORTED:
        return "unsupported";
    case DCP_E_CANCELLED:
        return "cancelled";
    case DCP_E_BUG:
        return "bug";
    case DCP_E_USAGE:
        return "usage";
    case DCP_E_LOCKED:
        return "locked";
    case DCP_E_REFUSED:
        return "refused";
    }
    return "unknown";
}

int
dcp_code_exit_status(enum dcp_code code)
{
    switch (code) {
    case DCP_OK:
        return 0;
    case DCP_E_ARGUMENT:
    case DCP_E_PARSE:
    case DCP_E_USAGE:
    case DCP_E_NOT_FOUND:
    case DCP_E_UNSUPPORTED:
        return 2;
    case DCP_E_REFUSED:
        return 3;
    case DCP_E_STALE:
        return 4;
    case DCP_E_LOCKED:
        return 5;
    case DCP_E_CANCELLED:
        return 6;
    case DCP_E_NOMEM:
    case DCP_E_IO:
    case DCP_E_LIMIT:
    case DCP_E_REMOTE:
    case DCP_E_BUG:
        return 1;
    }
    return 1;
}
