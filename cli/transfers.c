/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/transfers.h"

#include <stdio.h>

void
dcp_transfers_json(struct dcp_json *w, const struct dcp_transfer_totals *t)
{
    dcp_json_kobject(w, "transfers");
    dcp_json_ku64(w, "ended", t->n);
    dcp_json_kdouble(w, "sent_mib", t->sent_mib);
    dcp_json_ki64(w, "downtime_ms", t->downtime_ms);
    dcp_json_ki64(w, "downtime_most_ms", t->downtime_most_ms);
    dcp_json_ku64(w, "throttled", t->throttled);
    dcp_json_kdouble(w, "throttled_s", t->throttled_s);
    dcp_json_ku64(w, "forced", t->forced);
    dcp_json_ku64(w, "given_up", t->given_up);
    dcp_json_end(w, '}');
}

void
dcp_transfers_print(const struct dcp_transfer_totals *t)
{
    if (t->throttled || t->forced || t->given_up) {
        printf("    of %u migrations %u slowed their VM down, %u stopped it "
               "for more than the downtime limit, %u were given up\n",
               t->n, t->throttled, t->forced, t->given_up);
    }
}
