/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_IO_ZONE_H
#define DCP_MODEL_IO_ZONE_H 1

/* IANA time zones from the system's compiled files (TZif, RFC 8536), into the
 * plain table of model/calendar.h.  Beyond the last transition of the file its
 * footer rule is written out until the end of 2099. */

#include "model/base/arena.h"
#include "model/calendar.h"

/* The zone lives in the arena.  'name' must look like "Europe/Brussels": no
 * leading slash, no "..".  "UTC" needs no file.  NULL: DCP_E_NOT_FOUND for an
 * unknown name, DCP_E_PARSE for a damaged file. */
const struct dcp_zone *dcp_zone_load(struct dcp_arena *, const char *name,
                                     struct dcp_error *err) DCP_CHECKED;
/* The same from the bytes of a file (for tests). */
const struct dcp_zone *
dcp_zone_parse(struct dcp_arena *, const char *name, const unsigned char *bytes,
               size_t length, struct dcp_error *err) DCP_CHECKED;

#endif /* model/io/zone.h */
