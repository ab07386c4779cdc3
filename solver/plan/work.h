/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef DCP_SOLVER_PLAN_WORK_H
#define DCP_SOLVER_PLAN_WORK_H 1

/* One plan being made; private to solver/plan/. */

#include "solver/compile/pricing.h"
#include "solver/plan/planner.h"
#include "solver/storage/moves.h"

/* Sizes of VMs that the goal `room` counts. */
#define DCP_WORK_SHAPES 4u
/* VMs that are converted, one at a time, to find an order of moves. */
#define DCP_WORK_FORCED_MAX 8u

struct dcp_work {
    const struct dcp_plan_request *r;
    struct dcp_plan_outcome *outcome;
    uint32_t n_hosts, n_slots, night_slots; /* Slots before the window's end. */
    double *on_value, *slope, *weight;      /* For questions; of one phase. */
    struct dcp_goal_terms terms;            /* Of the question being asked. */
    struct dcp_goals day_goals; /* Without what only the night's end says. */
    uint32_t n_cuts;            /* Of the budget, so far. */
    uint32_t move_budget;       /* Of the night, where moves are limited. */
    struct dcp_room_shape shapes[DCP_WORK_SHAPES];
    uint32_t n_shapes;
    uint8_t *use, *parked;
    int64_t started_ms; /* On the monotonic clock. */
    double searched_s;  /* By questions so far, each up to its limit. */
    double made_s;      /* What compiling the last question took: a measure of
                         * the model's size and the machine's speed. */
    uint32_t attempt;   /* From 0; each draws other random numbers. */
    struct dcp_solution night, day;
    const struct dcp_placement *first_end, *second_end; /* Borrowed. */
    uint8_t *convertible;       /* By VM: 1 = may get another hypervisor. */
    const uint8_t *may_convert; /* The same; NULL: none may. */
    bool briefly;       /* Questions are asked of the search alone, not of exact
                         * programs. */
    bool silent;        /* Improvements are not told. */
    bool side_by_side;  /* Another way is solved on the other thread. */
    uint8_t *converted; /* By VM: scratch of a repair that converts; owned. */
    uint32_t most_conversions; /* Of this attempt; 0: no limit. */
    bool conversions_too_long; /* The last attempt's do not fit a window. */
    struct dcp_object stuck;   /* Of the last attempt without an order. */
    struct dcp_work_forced {   /* solver/plan/convert_order.c */
        bool begun;
        uint32_t vm[DCP_WORK_FORCED_MAX], n, at;
        struct dcp_because because; /* Why there was no order. */
        double bound;               /* NaN: not asked yet. */
    } forced;
    const uint8_t *absent;     /* By VM: parked for the night; NULL: none. */
    struct dcp_storage_answer storage; /* Owned. */
    uint64_t storage_budget; /* Moves of volumes, at most; 0: no limit. */
    uint32_t n_storage_cuts;
    struct dcp_placement *home; /* Owned: where a return leg ends. */
    double even_before, even_after, even_bound; /* BALANCE. */
    uint32_t n_detours; /* Moves of an earlier attempt above the limit. */
    struct dcp_work_change {
        bool any;           /* The model has change windows or freezes. */
        uint8_t *closed[2]; /* By leg and rule. */
        bool in_both;       /* What is closed in one leg is in the other. */
        int64_t first_ms, second_ms; /* Supposed lengths of the legs. */
        /* By VM, owned: 1 = held where it is, for its steps were outside its
         * rules' times or it rests; 1 = they were in this attempt's leg. */
        uint8_t *held, *late;
        uint32_t n_held;
        const struct dcp_rule *late_rule; /* Of this attempt; NULL: none. */
        uint8_t *shut;   /* By rule, owned: closed for good in both legs. */
        bool whole_legs; /* Rules must be open throughout, as a last way. */
        uint32_t n_tries;
        double bound; /* Of the first try, and hosts. */
        uint32_t hosts_bound;
    } change;
};

/* solver/plan/change.c: what is closed by the lengths supposed; hosts that
 * it holds stay as they are. */
void dcp_work_close_changes(struct dcp_work *);
/* By rule, for a leg's question; NULL: the model has none. */
const uint8_t *dcp_work_closed(const struct dcp_work *, bool first_leg);
/* After an attempt: whether another one should be made, with other lengths; a
 * plan that touches what is closed is destroyed, and the outcome says why. */
bool dcp_work_change_again(struct dcp_work *, struct dcp_plan **);
/* The outcome's numbers of what is held. */
void dcp_work_count_held(struct dcp_work *);
/* Whether a leg's steps keep to their rules' times; the outcome says where
 * not. */
struct dcp_leg_answer;
bool dcp_work_in_time(struct dcp_work *, const char *leg,
                      const struct dcp_leg_answer *);
/* Steps get the times that change windows want of them (model/plan.h), once
 * the legs have theirs. */
bool dcp_work_mark_times(const struct dcp_work *, const struct dcp_plan *,
                         struct dcp_step steps[], uint32_t n,
                         struct dcp_error *err) DCP_CHECKED;

/* solver/plan/begin.c: work of a request, to be ended whatever comes of
 * it. */
bool
dcp_work_begin(struct dcp_work *, const struct dcp_plan_request *,
               struct dcp_plan_outcome *, struct dcp_error *err) DCP_CHECKED;
void dcp_work_end(struct dcp_work *);
/* Hosts that are off stay off. */
bool dcp_work_keeps_power(const struct dcp_work *);

/* The first goal is something else than the number of hosts. */
bool dcp_work_by_value(const struct dcp_work *);
/* What hosts are ranked by where only a guess is needed: COST, ENERGY or
 * HOSTS. */
enum dcp_goal dcp_work_guide(const struct dcp_work *);
/* VMs stay where the plan puts them: no second leg. */
bool dcp_work_stays(const struct dcp_work *);
/* What the whole question says of a part of it, or of the same asked another
 * way: its bounds, and what was wrong with the start. */
void dcp_work_keep_bounds(struct dcp_solution *, const struct dcp_solution *of);
/* What the job allows, from 'start', in the slots before 'last_slot'. */
struct dcp_question
dcp_work_question(const struct dcp_work *, const struct dcp_placement *start,
                  uint32_t last_slot);

/* Values of a question about the slots from 0 on: what being on costs in the
 * slots [first, last). */
void dcp_work_set_values(struct dcp_work *, uint32_t first, uint32_t last);
bool dcp_work_has_soft_rules(const struct dcp_work *);
/* solver/plan/clock.c: the limit (a very long time where iterations limit
 * instead), and what of it is gone. */
double dcp_work_limit_s(const struct dcp_work *);
double dcp_work_spent_s(const struct dcp_work *);
/* What is still to come once all questions are answered (spares for the
 * morning, legs, lists), and at least until there is a plan: estimates. */
double dcp_work_after_s(const struct dcp_work *);
double dcp_work_least_s(const struct dcp_work *);
/* The least takes longer than there is time; so much longer that a plan would
 * come far too late.  A question is then not asked, and its answer a timeout
 * because of DCP_WORK_TIME_LIMIT. */
bool dcp_work_is_short(const struct dcp_work *);
bool dcp_work_is_hopeless(const struct dcp_work *);
#define DCP_WORK_TIME_LIMIT "time-limit"
/* When the request's time is up, on the monotonic clock, with some of it left
 * to write the plan down; 0: never, iterations limit instead. */
int64_t dcp_work_deadline_ms(const struct dcp_work *);
/* The same for the first leg's order: earlier by what the rest takes. */
int64_t dcp_work_first_leg_deadline_ms(const struct dcp_work *);
bool dcp_work_time_is_up(const struct dcp_work *);
/* Whether the time limit has been passed by a share of it; never where
 * iterations alone limit the search. */
bool dcp_work_is_late(const struct dcp_work *, double share);
/* Solves with a share of the time that is left; soft rules may be broken for
 * their price. */
bool
dcp_work_solve(struct dcp_work *, struct dcp_question *, double share,
               struct dcp_solution *out, struct dcp_error *err) DCP_CHECKED;
/* The same, once: conversions, where allowed, are not also left out. */
bool dcp_work_solve_as_asked(struct dcp_work *, struct dcp_question *,
                             double share, struct dcp_solution *out,
                             struct dcp_error *err) DCP_CHECKED;
/* Whether as many questions can be asked again before the moves are ordered:
 * what no limit interrupts takes as long again. */
bool dcp_work_has_time_again(const struct dcp_work *);

/* solver/plan/convert.c: whether a goal counts money; conversions are a last
 * resort, for the question is asked without them first; which VMs the plan may
 * convert, by VM (false: none); how many a placement converts; the outcome's
 * figures of them. */
bool dcp_work_counts_money(const struct dcp_work *);
bool dcp_work_converts_last(const struct dcp_work *);
bool dcp_work_choose_convertible(const struct dcp_work *, uint8_t *out);
uint32_t
dcp_work_n_converted(const struct dcp_work *, const struct dcp_placement *end);
void
dcp_work_weigh_conversions(struct dcp_work *, const struct dcp_placement *end);
/* Fewer conversions for the next attempt, where those of the last take longer
 * than a window of theirs; false: that is not why there is no plan. */
bool dcp_work_cut_conversions(struct dcp_work *);
/* Solves the night again, fewer VMs allowed, where its answer to the question
 * converts more than policy.conversions_per_plan. */
bool
dcp_work_keep_conversion_limit(struct dcp_work *, const struct dcp_question *,
                               struct dcp_error *err) DCP_CHECKED;

/* solver/plan/convert_repair.c: after the night was solved without conversions:
 * with them where it has no answer, or where that is cheaper, as few as are
 * found to be enough.  'q' becomes the question that the night's answer is to;
 * where it is partial, what is left counts first. */
bool dcp_work_repair_by_converting(struct dcp_work *, struct dcp_question *q,
                                   struct dcp_error *err) DCP_CHECKED;

/* solver/plan/convert_bound.c: how many VMs every legal answer to the question
 * converts at least, whose 'may_convert' says which it could. */
bool dcp_work_least_conversions(const struct dcp_question *, uint32_t *out,
                                struct dcp_error *err) DCP_CHECKED;

/* solver/plan/convert_order.c: after an attempt whose answer has no safe order:
 * whether another one converts the next of w->forced so that there is one. */
bool dcp_work_convert_for_order(struct dcp_work *);
/* The night's answer with that VM converted, and no other; without one the
 * order is still what is wrong. */
bool dcp_work_solve_forced(struct dcp_work *, struct dcp_question *q,
                           struct dcp_error *err) DCP_CHECKED;

/* The bound of a question that allows more, and what it proves. */
void dcp_work_set_repair_bound(struct dcp_solution *, double bound);

/* solver/plan/measure.c: the outcome's figures when the first leg ends in
 * 'end1' and the second in 'end2' (which may be 'end1'). */
bool dcp_work_weigh(struct dcp_work *, const struct dcp_placement *end1,
                    const struct dcp_placement *end2,
                    struct dcp_error *err) DCP_CHECKED;

/* solver/plan/balance.c: evens out the night's solution; and the outcome's
 * figures by the score that was asked for, where VMs go or stay. */
bool dcp_work_balance(struct dcp_work *, struct dcp_error *err) DCP_CHECKED;
void dcp_work_judge_balance(struct dcp_work *, bool stays);

/* solver/plan/storage.c: the night is where VMs are, if that survives what
 * policy asks; which volumes move once VMs are at the night's end, which is
 * told their pools; and their steps, in the first leg. */
/* The plan for the model as it is; and, where policy lets volumes move so that
 * VMs reach other hosts, one with such moves in its place if that pays
 * (solver/plan/widen.c). */
bool dcp_plan_make_as_is(const struct dcp_plan_request *, struct dcp_plan **out,
                         struct dcp_plan_outcome *,
                         struct dcp_error *err) DCP_CHECKED;
bool
dcp_plan_widen(const struct dcp_plan_request *, struct dcp_plan **plan,
               struct dcp_plan_outcome *, struct dcp_error *err) DCP_CHECKED;
bool dcp_work_stand_still(struct dcp_work *, struct dcp_error *err) DCP_CHECKED;
bool dcp_work_storage(struct dcp_work *, struct dcp_error *err) DCP_CHECKED;
/* After a plan that takes longer than there is time: with fewer moves of
 * volumes.  '*out_again' false: that is not why, or nothing is left to cut. */
bool dcp_work_storage_cut(struct dcp_work *, bool *out_again,
                          struct dcp_error *err) DCP_CHECKED;
bool dcp_work_storage_steps(struct dcp_work *, struct dcp_step_list *,
                            struct dcp_storage_schedule *out,
                            struct dcp_error *err) DCP_CHECKED;

/* solver/plan/room.c: fills w->shapes. */
bool
dcp_work_choose_shapes(struct dcp_work *, struct dcp_error *err) DCP_CHECKED;
/* The unit of a level of goals: "hosts", "kWh", "EUR"; "" for a sum without
 * money. */
const char *dcp_work_unit(const struct dcp_work *, uint32_t level);
/* That of what hosts are ranked by. */
const char *dcp_work_guide_unit(const struct dcp_work *);

/* solver/plan/morning.c: wakes spares at 'second_end', or leaves hosts on
 * at 'night', until the morning can do without any f of the hosts that it
 * wakes (policy.failed_boots).  'second_end' becomes a copy, w->home, where it
 * is not the day's solution; losses get what hosts that are on need. */
bool dcp_work_allow_failed_boots(struct dcp_work *, struct dcp_solution *night,
                                 struct dcp_error *err) DCP_CHECKED;
/* The plan's lists for hosts that do not boot. */
bool dcp_work_add_no_boot(struct dcp_work *, struct dcp_plan *,
                          struct dcp_error *err) DCP_CHECKED;

/* By host, in the solution's arena: 1 = stays on for failed boots; NULL: no
 * memory. */
uint8_t *dcp_work_kept_for_boots(struct dcp_solution *night, uint32_t n_hosts);
/* solver/plan/left_out.c: a host that stays on, and the VMs of 'is_of'. */
bool dcp_work_add_left_out(const struct dcp_work *, struct dcp_plan *,
                           enum dcp_left_out_why, uint32_t host, double saving,
                           bool (*is_of)(const struct dcp_work *, uint32_t vm,
                                         uint32_t host, const void *arg),
                           const void *arg, struct dcp_error *err) DCP_CHECKED;
bool dcp_work_add_kept_for_boots(struct dcp_work *, struct dcp_plan *,
                                 struct dcp_error *err) DCP_CHECKED;

/* solver/plan/window.c: after a night that does not fit its window, whose
 * outcome was 'whole': the best part of it that does.  Work, outcome and
 * '*out_plan' are that part's; all as it was where none is worth it. */
bool
dcp_work_cut_to_window(struct dcp_work *, const struct dcp_plan_outcome *whole,
                       struct dcp_plan **out_plan,
                       struct dcp_error *err) DCP_CHECKED;

/* solver/plan/legs.c: legs, steps, survive lists from first_end and
 * second_end; plan->n_legs is 0 when the outcome says why there is none. */
bool dcp_work_make_plan(struct dcp_work *, struct dcp_plan *,
                        struct dcp_error *err) DCP_CHECKED;
/* Headroom of a placement that was not solved for, such as the start; n_losses
 * 0 where it does not survive. */
bool dcp_work_losses(const struct dcp_work *, const struct dcp_placement *where,
                     struct dcp_solution *out, bool *out_survives,
                     struct dcp_error *err) DCP_CHECKED;

#endif /* solver/plan/work.h */
