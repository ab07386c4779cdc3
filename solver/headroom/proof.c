/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "solver/headroom/proof.h"

void
dcp_solution_take_proof(struct dcp_solution *s, struct dcp_solution *from)
{
    dcp_arena_destroy(s->arena);
    s->arena = from->arena;
    s->losses = from->losses;
    s->n_losses = from->n_losses;
    s->berths = from->berths;
    s->n_berths = from->n_berths;
    s->kept_for_boots = NULL;
    s->left = NULL;
    s->n_left = 0;
    from->arena = NULL;
    from->losses = NULL;
    from->n_losses = 0;
    from->berths = NULL;
    from->n_berths = 0;
}

bool
dcp_solution_prove(struct dcp_solution *s, struct dcp_state *state,
                   struct dcp_headroom *out, struct dcp_error *err)
{
    struct dcp_solution proof = { .arena = dcp_arena_create(0) };

    if (!proof.arena) {
        return dcp_fail(err, DCP_E_NOMEM, "no memory for headroom");
    }
    bool ok = dcp_headroom_check(state, proof.arena, NULL, out, err);

    if (ok && out->ok) {
        proof.losses = out->losses;
        proof.n_losses = out->n_losses;
        proof.berths = out->berths;
        proof.n_berths = out->n_berths;
        dcp_solution_take_proof(s, &proof);
    }
    out->losses = NULL;
    out->berths = NULL;
    out->n_losses = out->n_berths = 0;
    dcp_arena_destroy(proof.arena);
    return ok;
}
