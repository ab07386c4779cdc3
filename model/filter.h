/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_MODEL_FILTER_H
#define DCP_MODEL_FILTER_H 1

/* A condition of the operator on which hosts take which VMs, by a script of
 * theirs (model/script/sandbox.h).
 *
 * Nobody asks a filter while planning: when it is read it becomes rules of
 * kind ban, one for each class of VMs that it tells apart, which solver and
 * checker read as they read any other (docs/decisions/0022).  Pure data. */

#include "model/pairs.h"
#include "model/rule.h"

struct dcp_filter {
    const char *name;
    struct dcp_pos pos;
    struct dcp_ids vms; /* That it is about. */
    struct dcp_script_text script;
    enum dcp_hold hold;
    bool soft;
    double soft_price;
};
#define DCP_FILTER_CLASSES_MAX 4096u

#endif /* model/filter.h */
