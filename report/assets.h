/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_ASSETS_H
#define DCP_REPORT_ASSETS_H 1

/* The page's own files, embedded at build time by cmake/embed.cmake from
 * report/assets/.  Each is NUL-terminated text; the length leaves the NUL
 * out. */

#include <stddef.h>

struct dcp_asset {
    const char *text;
    size_t length;
};

/* A page is head.html, its own page.html and foot.html, with {{marks}}. */
extern const struct dcp_asset dcp_asset_page;
extern const struct dcp_asset dcp_asset_style;  /* uPlot's and report.css */
extern const struct dcp_asset dcp_asset_uplot;  /* vendored */
extern const struct dcp_asset dcp_asset_script; /* js/, in order of names */
/* Of a replay's page: sim/page.html, and its scripts. */
extern const struct dcp_asset dcp_asset_sim_page, dcp_asset_sim_script;

#endif /* report/assets.h */
