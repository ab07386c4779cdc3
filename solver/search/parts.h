/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_SEARCH_PARTS_H
#define DCP_SOLVER_SEARCH_PARTS_H 1

/* What the parts of the search share; private to solver/search/.
 *
 * Every part leaves the state legal and the trail empty: what it tried and
 * does not keep is taken back. */

#include "solver/search/eject.h"
#include "solver/search/islands.h"
#include "solver/search/search.h"

struct search {
    struct dcp_state *s;
    const struct dcp_problem *p;
    const struct dcp_bound *bound;
    const struct dcp_search_options *options;
    struct dcp_inserter in;
    struct dcp_homeless homeless; /* Empty between parts. */
    uint8_t *closed;              /* By host: for the inserter to point to; */
    uint32_t *needs, *covered;    /* likewise, by item and by host. */
    bool relieved; /* The repair took watts off what was over its limit. */
    bool again;    /* A second attempt: watts over a limit at home stay, and
                    * a max_on rule is mended once hosts are emptied. */
    bool out_of_time;
    double told;               /* The least value that was told so far. */
    uint64_t consistent_steps; /* Made so far, of solver/search/consistent.h. */
    /* What a change has nothing to do with (n 0: not known, one of all).  Of a
     * half of them (solver/search/halves.c) the regions that are its, NULL:
     * all; and the value that the other half is expected to save. */
    struct dcp_islands islands;
    const uint8_t *own_regions;
    double saved_elsewhere;
    uint8_t *changed; /* By host: scratch of dcp_search_mark_changed(). */
    /* By zone, what a loss of racks or feeds is short of (solver/search/racks.h),
     * where any is. */
    bool is_short;
    double short_by[DCP_LOSS_ZONES_MAX];
};

/* A search of its own, with the random numbers of a stream; ended also where
 * that failed or it is all zeros. */
bool
dcp_search_begin(struct search *, struct dcp_state *, const struct dcp_bound *,
                 const struct dcp_search_options *, uint64_t stream,
                 struct dcp_error *err) DCP_CHECKED;
void dcp_search_end(struct search *);

/* Hosts in order of a key, smallest first; equal ones by index. */
struct dcp_ranked_host {
    uint32_t host;
    double key;
};
void dcp_search_sort_hosts(struct dcp_ranked_host *, uint32_t n);
/* Hosts that may go off, by load per what that saves; returns how many. */
uint32_t
dcp_search_rank_to_empty(const struct search *, struct dcp_ranked_host *out);

bool dcp_search_time_is_up(struct search *);
/* Within the gap that is asked for. */
bool dcp_search_good_enough(const struct search *, double value);
/* Nothing can be better. */
bool dcp_search_value_is_bound(const struct search *, double value);
/* Whether a part that keeps improving the first goal should go on no longer:
 * the time is up, or an answer is within a gap that was asked for.  One is
 * where headroom is kept ('check') or not asked for. */
bool dcp_search_is_over(struct search *, bool check);
/* Tells of the state where it is a better answer than those before; 'check': it
 * keeps headroom where that is asked for. */
void dcp_search_tell(struct search *, bool check);
/* The hosts of all islands that changes on the trail are in, until it is asked
 * again; NULL: that may be all. */
const uint8_t *dcp_search_mark_changed(struct search *);
/* Headroom as asked, in *out_ok; true there where none is. */
bool dcp_search_keeps_headroom(struct search *, struct dcp_error *err,
                               bool *out_ok) DCP_CHECKED;
bool dcp_search_may_switch_off(const struct search *, uint32_t host);
/* How full a host is: the largest share over resources. */
double dcp_search_fill(const struct search *, uint32_t host);
/* Accepts what the trail holds if headroom stays (where 'check'), else takes
 * it back. */
bool dcp_search_settle(struct search *, bool check, bool *out_kept,
                       struct dcp_error *err) DCP_CHECKED;
/* And what headroom says; 'ok' where it was not the reason. */
bool dcp_search_settle_why(struct search *, bool check, bool *out_kept,
                           struct dcp_headroom *out_why,
                           struct dcp_error *err) DCP_CHECKED;

/* As above, but nothing stays that makes the first goal worse than 'before':
 * with a host less, licences may cost more. */
bool dcp_search_settle_if_no_worse(struct search *, double before, bool check,
                                   bool *out_kept,
                                   struct dcp_error *err) DCP_CHECKED;

/* Regions are the bound's: no item leaves its own.  A search of one half packs
 * its own alone. */
static inline bool
dcp_search_is_own(const struct search *x, uint32_t region)
{
    return !x->own_regions || x->own_regions[region];
}
#define DCP_SEARCH_ALL UINT32_MAX
bool
dcp_search_in_region(const struct search *, uint32_t host, uint32_t region);
/* Of the resource that binds. */
double dcp_search_capacity(const struct search *, uint32_t host);
/* Takes all off a host into the pool and switches it off. */
void dcp_search_pool_host(struct search *, uint32_t host);
/* Whether, in sums, there is room in the region for what is in the pool. */
bool dcp_search_has_room(const struct search *, uint32_t region);
/* Places the pool with so many ejections at most, none once the time is up. */
bool dcp_search_place(struct search *, uint64_t ejections);
/* Places the pool with so many, and switches hosts on where that does not do;
 * false: some are left, and no host takes them. */
bool dcp_search_place_or_wake(struct search *, uint32_t region,
                              uint64_t ejections);
/* Doing without a host: many tried briefly. */
#define DROP_EJECTIONS        200u
#define DROP_FAILURES         12u
#define DCP_SEARCH_HOSTS_EACH 40u /* Looked at for each ejection. */

/* Places what may not stay where it is, with few moves; out->n_unplaced items
 * found no place.  'items' has room for all. */
bool dcp_search_repair(struct search *, uint32_t *items,
                       struct dcp_search_result *out,
                       struct dcp_error *err) DCP_CHECKED;
/* Of a second attempt, once hosts were emptied: ends what is still broken of
 * rules about how many hosts are on. */
bool dcp_search_mend_late(struct search *, uint32_t *items,
                          struct dcp_search_result *out,
                          struct dcp_error *err) DCP_CHECKED;
/* solver/search/repair.c: the same with as few moves as it finds, headroom
 * included (out->headroom, out->n_unplaced). */
bool dcp_search_fewest(struct search *, uint32_t *items,
                       struct dcp_search_result *out,
                       struct dcp_error *err) DCP_CHECKED;
/* solver/search/ffd.c: all anew by first fit decreasing. */
bool dcp_search_first_fit(struct search *, struct dcp_error *err) DCP_CHECKED;
/* solver/search/covers.c: decides which hosts are licensed for what and packs
 * to that; the inserter keeps to it then, until its 'covered' is NULL.
 * *out_done false: nothing was changed, because licences do not count, hosts
 * have them anyway, or some items found no place. */
bool dcp_search_cover_hosts(struct search *, bool *out_done,
                            struct dcp_error *err) DCP_CHECKED;
/* solver/search/ways.c: small clusters, from several starts, on two threads
 * where options allow; the cheapest stays. */
bool dcp_search_ways(struct search *, struct dcp_search_result *out,
                     struct dcp_error *err) DCP_CHECKED;
/* To the bound's hosts, some kept empty until all others are packed. */
bool
dcp_search_with_reserves(struct search *, struct dcp_error *err) DCP_CHECKED;
/* solver/search/halves.c: the same in two halves that have nothing to do with
 * each other, on two threads where options allow. */
bool dcp_search_in_halves(struct search *, struct dcp_error *err) DCP_CHECKED;
/* dcp_search_cover_hosts() likewise. */
bool dcp_search_covered(struct search *, bool *out_done,
                        struct dcp_error *err) DCP_CHECKED;
/* What racks, feeds and rooms that are over their limit need to be rid of goes
 * into 'items' ('*n' so far); emptied hosts go off (solver/search/watts.c). */
bool dcp_search_unload_power(struct search *, uint32_t *items, uint32_t *n,
                             struct dcp_error *err) DCP_CHECKED;
/* Names one that is over its lax limit in out->over_thing. */
void
dcp_search_note_watts(const struct search *, struct dcp_search_result *out);
/* Places an item that found no place under the stated watts under the lax
 * ones; false: it stays unplaced. */
bool dcp_search_insert_back(struct search *, uint32_t item);
/* Switches hosts until no hard rule about how many are on is broken, as far as
 * that can be; what was on those that go off is added to 'items' ('n' so far).
 * Returns how many there are then. */
uint32_t dcp_search_mend_power(struct search *, uint32_t *items, uint32_t n);
/* Moves items that broken soft rules are about, where that is cheaper. */
bool dcp_search_mend_soft(struct search *, bool check,
                          struct dcp_error *err) DCP_CHECKED;
/* Moves all of the host elsewhere and switches it off, on the trail; false:
 * nothing was changed. */
bool dcp_search_empty_host(struct search *, uint32_t host);
/* VMs that are not where they started. */
uint32_t dcp_search_moves(struct search *);
/* The same value of the first goal with fewer moves. */
bool dcp_search_fewer_moves(struct search *, bool check,
                            struct dcp_error *err) DCP_CHECKED;
/* From a state with too many moves: fills emptied hosts again until they are
 * within question.max_moves. */
bool dcp_search_refill(struct search *, bool check,
                       struct dcp_error *err) DCP_CHECKED;
/* From a repaired state: the best that question.max_moves moves can do. */
bool
dcp_search_within_moves(struct search *, struct dcp_error *err) DCP_CHECKED;
/* Passes over the hosts, least loaded first, while that empties some. */
bool
dcp_search_empty_hosts(struct search *, uint32_t max_passes, bool check,
                       uint32_t swap_tries, struct dcp_error *err) DCP_CHECKED;
/* Keeps the hosts that the bound has on, and fills them with the rest; wakes
 * others where that does not do. */
bool
dcp_search_keep_and_fill(struct search *, struct dcp_error *err) DCP_CHECKED;
/* Moves all that a host holds to another that is off, where that one costs
 * less, or as much and is larger. */
bool dcp_search_exchange_hosts(struct search *, uint32_t region,
                               struct dcp_error *err) DCP_CHECKED;
/* Does without one host after the other, ejecting at most so often for each,
 * until that failed so often in a row. */
bool dcp_search_drop_hosts(struct search *, uint32_t region, bool check,
                           uint64_t ejections, uint32_t failures_max,
                           struct dcp_error *err) DCP_CHECKED;
/* Moves VMs that need a licence on hosts that have it anyway, while that saves
 * something; nothing where licences do not count. */
bool dcp_search_drop_licences(struct search *, uint32_t max_passes, bool check,
                              struct dcp_error *err) DCP_CHECKED;
/* Empties hosts whose hypervisor costs a licence onto hosts of another one,
 * while that is cheaper; nothing where no item may be converted. */
bool dcp_search_convert(struct search *, bool check,
                        struct dcp_error *err) DCP_CHECKED;
/* solver/search/covered.c: packs the VMs of each licence on hosts of their own,
 * where these cost less than those they are on; nothing where licences do not
 * count. */
bool dcp_search_gather_covered(struct search *, bool check,
                               struct dcp_error *err) DCP_CHECKED;
/* Makes one level of goals smaller by moves, swaps and other kinds of hosts,
 * while the earlier levels stay within 'limits'. */
bool dcp_search_polish(struct search *, uint32_t level, const double limits[],
                       uint32_t max_passes, bool check,
                       struct dcp_error *err) DCP_CHECKED;
/* The first goal once more where it is not hosts alone. */
bool dcp_search_refine_first(struct search *, bool check,
                             struct dcp_error *err) DCP_CHECKED;
/* Takes all items off and packs the hosts that the bound has on, those that
 * need a licence first; *out_ok false: it did not work, and what is left is not
 * complete. */
bool dcp_search_pack_anew(struct search *, bool *out_ok,
                          struct dcp_error *err) DCP_CHECKED;
/* Empties a few hosts at random and fills them anew, while that helps. */
bool dcp_search_ruin_and_recreate(struct search *, bool check,
                                  struct dcp_search_result *out,
                                  struct dcp_error *err) DCP_CHECKED;
/* solver/search/program.c: chooses a few hosts and has what they hold placed
 * anew by a whole-number program, while that helps; nothing where the first
 * goal has no such program. */
bool dcp_search_by_programs(struct search *, bool check,
                            struct dcp_search_result *out,
                            struct dcp_error *err) DCP_CHECKED;
/* solver/search/anneal.c: moves and swaps items between hosts that hold some,
 * for watts; nothing where the first goal counts none.  With 'check' the state
 * keeps headroom, before and after. */
bool
dcp_search_anneal(struct search *, bool check, struct dcp_search_result *out,
                  struct dcp_error *err) DCP_CHECKED;
/* Marks in 'closed' hosts that are best kept empty for what restarts after a
 * loss: one in each region, where policy asks to survive a host. */
bool dcp_search_reserve(struct search *, uint8_t *closed,
                        struct dcp_error *err) DCP_CHECKED;
/* Moves items, and with 'may_wake' switches hosts on, until every loss is
 * survived (out->ok) or 'tries' are used up; on the trail.  'kept': every loss
 * was survived before what the trail holds. */
bool dcp_search_mend_headroom(struct search *, bool kept, bool may_wake,
                              uint32_t tries, struct dcp_headroom *out,
                              struct dcp_error *err) DCP_CHECKED;
/* Switches hosts on until every loss is survived; out->ok: it is. */
bool dcp_search_add_spares(struct search *, struct dcp_headroom *out,
                           struct dcp_error *err) DCP_CHECKED;
/* Where that did not do: VMs that find no place after a loss, or others of
 * their host, are converted to another hypervisor one by one, as far as that
 * may be, and spares added again. */
bool dcp_search_convert_for_headroom(struct search *, struct dcp_headroom *out,
                                     struct dcp_error *err) DCP_CHECKED;
/* With the spares on: the emptiest hosts once more, each kept off only if
 * every loss is still survived. */
bool dcp_search_trim(struct search *, struct dcp_error *err) DCP_CHECKED;

#endif /* solver/search/parts.h */
