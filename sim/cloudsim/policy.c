/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/base/units.h"
#include "sim/cloudsim/cloudsim.h"

#include <string.h>

static const struct {
    const char *name;
    enum dcp_cloudsim_detect kind;
    double parameter;
} detectors[] = {
    { "thr", DCP_CLOUDSIM_THR, 0.8 }, { "iqr", DCP_CLOUDSIM_IQR, 1.5 },
    { "mad", DCP_CLOUDSIM_MAD, 2.5 }, { "lr", DCP_CLOUDSIM_LR, 1.2 },
    { "lrr", DCP_CLOUDSIM_LR, 1.2 },
};
static const struct {
    const char *name;
    enum dcp_cloudsim_select select;
} selections[] = {
    { "mmt", DCP_CLOUDSIM_MMT },
    { "mu", DCP_CLOUDSIM_MU },
    { "mc", DCP_CLOUDSIM_MC },
    { "rs", DCP_CLOUDSIM_RS },
};
#define N(A) (sizeof(A) / sizeof(A)[0])

static bool
is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(text, name, length) == 0;
}

static bool
refuse(const char *text, struct dcp_error *err)
{
    return dcp_fail(err, DCP_E_USAGE,
                    "policy '%.60s': npa, dvfs or {thr,iqr,mad,lr,lrr}-"
                    "{mmt,mu,mc,rs}[:NUMBER]",
                    text);
}

static bool
parse_number(const char *text, const char *number, double *out,
             struct dcp_error *err)
{
    const char *end = dcp_scan_double(number, out);

    if (!end || *end || !(*out >= 0 && *out <= 1000)) {
        return dcp_fail(err, DCP_E_USAGE,
                        "policy '%.60s': '%.20s' is not a number from 0 to "
                        "1000",
                        text, number);
    }
    return true;
}

bool
dcp_cloudsim_policy_parse(const char *text, struct dcp_cloudsim_policy *out,
                          struct dcp_error *err)
{
    size_t length = strcspn(text, ":"), dash = strcspn(text, "-:");
    bool found = false, chosen = false;

    *out = (struct dcp_cloudsim_policy){ .mode = DCP_CLOUDSIM_MOVE };
    if (is(text, strlen(text), "npa") || is(text, strlen(text), "dvfs")) {
        out->mode = *text == 'n' ? DCP_CLOUDSIM_NPA : DCP_CLOUDSIM_DVFS;
        return true;
    }
    for (size_t i = 0; i < N(detectors); i++) {
        if (is(text, dash, detectors[i].name)) {
            out->detector.kind = detectors[i].kind;
            out->detector.parameter = detectors[i].parameter;
            found = true;
        }
    }
    for (size_t i = 0; i < N(selections) && dash < length; i++) {
        if (is(text + dash + 1, length - dash - 1, selections[i].name)) {
            out->select = selections[i].select;
            chosen = true;
        }
    }
    if (!found || !chosen) {
        return refuse(text, err);
    }
    return !text[length] ||
           parse_number(text, text + length + 1, &out->detector.parameter, err);
}
