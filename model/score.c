/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "model/score.h"

double
dcp_score_points(const struct dcp_inventory *inv, uint32_t vm, uint32_t host)
{
    double points = 0;

    for (uint32_t i = 0; i < inv->n_scores; i++) {
        const struct dcp_score *score = &inv->scores[i];
        const struct dcp_pair_verdict *said =
            dcp_pairs_verdict(score->pairs, vm, host);

        points += said ? score->weight * said->score : 0;
    }
    return points;
}
