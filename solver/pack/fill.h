/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PACK_FILL_H
#define DCP_SOLVER_PACK_FILL_H 1

/* Constructions: packings in microseconds to milliseconds.
 *
 * Item by item (first fit, best fit; decreasing by a measure of size) or bin by
 * bin (the item that matches best what room is left), each under weights per
 * dimension.  Panigrahy, Talwar, Uyeda & Wieder, *Heuristics for vector bin
 * packing*, Microsoft Research 2011 (FFDSum, FFDProd, dot product, norm-based);
 * bin-centric and pairing after Gabay & Zaourar, Ann. Oper. Res. 242, 2016,
 * and Mommessin, Erlebach & Shakhlevich, Comput. Oper. Res. 2025. */

#include "solver/pack/instance.h"

/* How many rules there are; each is one construction. */
uint32_t dcp_pack_n_fills(const struct dcp_pack_instance *);

/* Rule 'rule' (of the above; higher ones draw their weights at random from
 * 'rule').  False: no memory.  'out' is settled; where the bins do not suffice
 * it is incomplete and its cost UINT64_MAX. */
bool dcp_pack_fill(const struct dcp_pack_instance *, uint32_t rule,
                   struct dcp_pack_draft *out) DCP_CHECKED;

/* The best of the rules, until 'deadline_ms' (at least one runs). */
bool
dcp_pack_fill_best(const struct dcp_pack_instance *, uint64_t bound,
                   double deadline_s, struct dcp_pack_draft *best) DCP_CHECKED;

#endif /* solver/pack/fill.h */
