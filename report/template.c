/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "report/template.h"

#include "model/base/sha256.h"
#include "report/base64.h"

#include <string.h>

void
dcp_template_escape(struct dcp_text *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        switch (*p) {
        case '&':
            dcp_text_puts(out, "&amp;");
            break;
        case '<':
            dcp_text_puts(out, "&lt;");
            break;
        case '>':
            dcp_text_puts(out, "&gt;");
            break;
        case '"':
            dcp_text_puts(out, "&quot;");
            break;
        default:
            dcp_text_add(out, p, 1);
        }
    }
}

static void
add_hash(struct dcp_text *out, const struct dcp_asset *asset)
{
    struct dcp_sha256 sha;
    uint8_t hash[32];

    dcp_sha256_init(&sha);
    dcp_sha256_add(&sha, asset->text, asset->length);
    dcp_sha256_end(&sha, hash);
    dcp_text_puts(out, " 'sha256-");
    dcp_base64_add(out, hash, sizeof hash);
    dcp_text_puts(out, "'");
}

static void
add_policy(struct dcp_text *out, const struct dcp_asset *script)
{
    dcp_text_puts(out, "default-src 'none'; script-src");
    add_hash(out, &dcp_asset_uplot);
    add_hash(out, script);
    dcp_text_puts(out, "; style-src");
    add_hash(out, &dcp_asset_style);
    dcp_text_puts(out, "; base-uri 'none'; form-action 'none'");
}

static void
add_asset(struct dcp_text *out, const struct dcp_asset *asset)
{
    dcp_text_add(out, asset->text, asset->length);
}

/* A '<' can only stand inside a string of the data; as an escape it can end
 * neither the element nor start a comment (HTML, 4.12.1.3). */
void
dcp_template_json(struct dcp_text *out, const char *json)
{
    out->failed |= !json;
    while (json && *json) {
        size_t plain = strcspn(json, "<");

        dcp_text_add(out, json, plain);
        json += plain;
        if (*json) {
            dcp_text_puts(out, "\\u003c");
            json++;
        }
    }
}

bool
dcp_template_is(const char *mark, size_t length, const char *name)
{
    return strlen(name) == length && !memcmp(mark, name, length);
}

bool
dcp_template_frame(const char *mark, size_t length,
                   const struct dcp_asset *script, struct dcp_text *out)
{
    if (dcp_template_is(mark, length, "policy")) {
        add_policy(out, script);
    } else if (dcp_template_is(mark, length, "style")) {
        add_asset(out, &dcp_asset_style);
    } else if (dcp_template_is(mark, length, "uplot")) {
        add_asset(out, &dcp_asset_uplot);
    } else if (dcp_template_is(mark, length, "script")) {
        add_asset(out, script);
    } else {
        return false;
    }
    return true;
}

bool
dcp_template_fill(const struct dcp_asset *page, dcp_template_mark add_mark,
                  const void *user, struct dcp_text *out, struct dcp_error *err)
{
    const char *at = page->text;

    for (;;) {
        const char *mark = strstr(at, "{{");
        const char *end = mark ? strstr(mark, "}}") : NULL;

        if (!end) {
            break;
        }
        dcp_text_add(out, at, (size_t)(mark - at));
        mark += 2;
        if (!add_mark(user, mark, (size_t)(end - mark), out)) {
            return dcp_fail(err, DCP_E_BUG, "a page has an unknown mark '%.*s'",
                            (int)(end - mark), mark);
        }
        at = end + 2;
    }
    dcp_text_puts(out, at);
    return !out->failed ||
           dcp_fail(err, DCP_E_NOMEM, "no memory for the report");
}
