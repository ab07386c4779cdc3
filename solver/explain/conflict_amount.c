/* SPDX-License-Identifier: GPL-3.0-or-later */

/* By how much the parts of a relaxation have to be given up.
 *
 * Each number of each part that is given up is a dial that goes from what is
 * declared, in steps that only make the question easier, to nothing left of it.
 * One after another they are turned back as far as there still is an answer, by
 * doubling from the first step and then halving; what comes first in the
 * finder's order of parts is turned back first.  So of the numbers that are
 * told, none can be turned back further with the others as told. */

#include "solver/explain/conflict_parts.h"

#include <stdlib.h>
#include <string.h>

bool
dcp_dial_ask(struct dcp_finder *f, struct dcp_dial *dial, uint32_t step,
             enum dcp_oracle *out, struct dcp_error *err)
{
    dial->step = step;
    for (uint32_t i = 0; i < f->n; i++) {
        f->trial[i] = !f->given_up[i];
    }
    return dcp_finder_ask(f, f->trial, out, err);
}

/* Of parts with several numbers one alone may go back all the way. */
static bool
goes_back(struct dcp_finder *f, struct dcp_dial *dial, bool *out,
          bool *out_proved, struct dcp_error *err)
{
    enum dcp_oracle says = DCP_ORACLE_NO;

    *out = false;
    if (f->parts[dial->part].kind == DCP_PART_HEADROOM) {
        if (!dcp_dial_ask(f, dial, 0, &says, err)) {
            return false;
        }
        *out = says == DCP_ORACLE_YES;
        *out_proved = says == DCP_ORACLE_NO;
    }
    return true;
}

/* Leaves the dial where there is an answer: whole, where no step has one. */
static bool
turn_back(struct dcp_finder *f, struct dcp_dial *dial, bool *out_proved,
          struct dcp_error *err)
{
    uint32_t no = 0, yes, length = 1;
    enum dcp_oracle says;

    if (dcp_dial_takes_hosts(f, dial)) {
        return dcp_dial_settle_hosts(f, dial, out_proved, err);
    }
    if (!dcp_dial_ask(f, dial, dial->top, &says, err)) {
        return false;
    }
    if (says != DCP_ORACLE_YES) {
        dial->step = DCP_DIAL_WHOLE;
        return true;
    }
    yes = dial->top;
    while (yes - no > 1) {
        uint32_t step = yes - no > length ? no + length : no + (yes - no) / 2;

        if (!dcp_dial_ask(f, dial, step, &says, err)) {
            return false;
        }
        if (says == DCP_ORACLE_YES) {
            yes = step;
            length = UINT32_MAX; /* It is between the two: by halves. */
        } else {
            no = step;
            *out_proved = says == DCP_ORACLE_NO;
            length = length < UINT32_MAX / 2 ? 2 * length : UINT32_MAX;
        }
    }
    dial->step = yes;
    return true;
}

/* For the first of the parts that are given up, which are told. */
static bool
make_dials(struct dcp_finder *f, struct dcp_arena *arena, uint32_t n_parts)
{
    struct dcp_dial found[DCP_PART_AMOUNTS];
    uint32_t n_kept = 0, room = f->q->inventory->n_rules + 1u;

    f->dials =
        calloc((size_t)DCP_CONFLICT_PARTS * DCP_PART_AMOUNTS, sizeof *f->dials);
    if (!f->dials) {
        return false;
    }
    for (uint32_t i = 0; i < f->n && n_kept < n_parts; i++) {
        uint32_t n = f->given_up[i] ? dcp_dials_of_part(f, arena, i, found) : 0;

        for (uint32_t k = 0; k < n; k++) {
            room += dcp_dials_rules(&found[k]);
            f->dials[f->n_dials++] = found[k];
        }
        n_kept += f->given_up[i];
    }
    struct dcp_rule *rules = realloc(f->rules, room * sizeof *rules);

    f->rules = rules ? rules : f->rules;
    uint8_t *closed = realloc(f->closed, room);

    f->closed = closed ? closed : f->closed;
    f->rules_room = rules && closed ? room : f->rules_room;
    return rules && closed;
}

static void
drop_dials(struct dcp_finder *f)
{
    free(f->dials);
    f->dials = NULL;
    f->n_dials = 0;
}

static void
keep(const struct dcp_finder *f, uint32_t part, const struct dcp_part_amount *a,
     struct dcp_conflict_part parts[], uint32_t n_parts)
{
    for (uint32_t i = 0; i < n_parts; i++) {
        if (parts[i].kind == f->parts[part].kind &&
            parts[i].ix == f->parts[part].ix) {
            parts[i].amount[parts[i].n_amounts++] = *a;
        }
    }
}

/* Rules about change have no dial: when they open is known. */
static void
find_openings(const struct dcp_finder *f, bool all_needed,
              struct dcp_conflict_part parts[], uint32_t n_parts)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct dcp_part_amount a;

        if (f->given_up[i] && dcp_part_find_opening(f, i, &a)) {
            a.proved = all_needed;
            keep(f, i, &a, parts, n_parts);
        }
    }
}

/* Of the parts that are given up, of which the first 'n_parts' are told;
 * 'all_needed': it is proved that none of
 * them can be kept. */
static bool
find_amounts(struct dcp_finder *f, bool all_needed,
             struct dcp_conflict_part parts[], uint32_t n_parts,
             struct dcp_error *err)
{
    DCP_AUTO(dcp_arena) struct dcp_arena *arena = dcp_arena_create(0);
    bool ok = arena && make_dials(f, arena, n_parts);

    if (!ok) {
        (void)dcp_fail(err, DCP_E_NOMEM, "no memory for a conflict");
    }
    for (uint32_t k = 0; ok && k < f->n_dials; k++) {
        struct dcp_dial *dial = &f->dials[k];
        bool proved = all_needed, back;

        ok = goes_back(f, dial, &back, &proved, err) &&
             (back || turn_back(f, dial, &proved, err));
        if (ok && !back && dial->step != DCP_DIAL_WHOLE) {
            struct dcp_part_amount a = { 0 };

            dcp_dial_describe(f, dial, &a);
            a.proved = proved;
            keep(f, dial->part, &a, parts, n_parts);
        }
    }
    drop_dials(f);
    if (ok) {
        find_openings(f, all_needed, parts, n_parts);
    }
    return ok;
}

bool
dcp_conflict_find_amounts(struct dcp_finder *f, struct dcp_conflict *c,
                          struct dcp_error *err)
{
    uint32_t n =
        c->n_relax < DCP_CONFLICT_PARTS ? c->n_relax : DCP_CONFLICT_PARTS;

    return !n || c->relax_partial ||
           find_amounts(f, c->relax_proved, c->relax, n, err);
}

/* Gives up that part of the clash alone. */
static uint32_t
give_up_alone(struct dcp_finder *f, const struct dcp_conflict_part *part)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < f->n; i++) {
        f->given_up[i] =
            f->parts[i].kind == part->kind && f->parts[i].ix == part->ix;
        at = f->given_up[i] ? i : at;
    }
    return at;
}

bool
dcp_conflict_find_instead(struct dcp_finder *f, struct dcp_conflict *c,
                          struct dcp_error *err)
{
    uint32_t n =
        c->n_clash < DCP_CONFLICT_PARTS ? c->n_clash : DCP_CONFLICT_PARTS;
    enum dcp_oracle says;

    for (uint32_t k = 0; c->n_relax == 1 && !c->relax_partial && k < n &&
                         c->n_instead < DCP_CONFLICT_INSTEAD;
         k++) {
        struct dcp_conflict_part *part = &c->instead[c->n_instead];

        if (c->clash[k].kind == c->relax[0].kind &&
            c->clash[k].ix == c->relax[0].ix) {
            continue;
        }
        uint32_t at = give_up_alone(f, &c->clash[k]);

        for (uint32_t i = 0; i < f->n; i++) {
            f->trial[i] = !f->given_up[i];
        }
        if (!dcp_finder_ask(f, f->trial, &says, err)) {
            return false;
        }
        if (says != DCP_ORACLE_YES) {
            continue;
        }
        dcp_finder_describe(f, at, part);
        c->n_instead++;
        if (!find_amounts(f, c->relax_proved, part, 1, err)) {
            return false;
        }
    }
    return true;
}
