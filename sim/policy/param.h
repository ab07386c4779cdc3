/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SIM_POLICY_PARAM_H
#define DCP_SIM_POLICY_PARAM_H 1

/* Numbers in the parameters of policies: "0.8", "45".  Pure; thread-safe. */

#include <stdbool.h>

/* All of [text, end) ("end" NULL: to its end) is a plain number in [min, max].
 */
bool dcp_policy_number(const char *text, const char *end, double min,
                       double max, double *out);

#endif /* sim/policy/param.h */
