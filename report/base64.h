/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_REPORT_BASE64_H
#define DCP_REPORT_BASE64_H 1

/* Base64 of RFC 4648, section 4, with padding. */

#include "model/base/text.h"

void dcp_base64_add(struct dcp_text *, const void *data, size_t size);

#endif /* report/base64.h */
