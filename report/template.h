/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_TEMPLATE_H
#define DCP_REPORT_TEMPLATE_H 1

/* A page with {{marks}}, each replaced by what it names, and what every page
 * of ours needs: escaped text, data that cannot end its element, and a content
 * security policy whose hashes are taken from the very bytes that stand between
 * the tags, so that a page never disagrees with its own policy.  Pure. */

#include "model/base/text.h"
#include "report/assets.h"

#include <stdint.h>

/* Puts what 'mark' (not NUL-terminated) names; false: no such mark. */
typedef bool (*dcp_template_mark)(const void *user, const char *mark,
                                  size_t length, struct dcp_text *out);

bool dcp_template_fill(const struct dcp_asset *page, dcp_template_mark,
                       const void *user, struct dcp_text *out,
                       struct dcp_error *err) DCP_CHECKED;
bool dcp_template_is(const char *mark, size_t length, const char *name);

/* For HTML text and attributes. */
void dcp_template_escape(struct dcp_text *out, const char *text);
/* JSON for a script element; NULL counts as out of memory. */
void dcp_template_json(struct dcp_text *out, const char *json);
/* The marks that all pages have but for their content: policy (with uPlot, our
 * style and the page's own script), style, uplot, script; false: another. */
bool dcp_template_frame(const char *mark, size_t length,
                        const struct dcp_asset *script, struct dcp_text *out);

#endif /* report/template.h */
