/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The headline, for a reader who reads nothing else: what the plan does, what
 * that saves, what it risks, how sure we are. */

#include "report/work.h"

#include "model/base/units.h"
#include "model/power.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void
add_clock(const struct dcp_report_work *r, struct dcp_text *out, int64_t ms)
{
    struct dcp_local l = dcp_zone_local(r->in->inventory->zone, ms);

    dcp_text_printf(out, "%02d:%02d", (int)(l.ms_of_day / 3600000),
                    (int)(l.ms_of_day / 60000 % 60));
}

static void
add_date(const struct dcp_report_work *r, struct dcp_text *out, int64_t ms)
{
    static const char *const days[] = { "Monday",   "Tuesday", "Wednesday",
                                        "Thursday", "Friday",  "Saturday",
                                        "Sunday" };
    static const char *const months[] = { "January", "February", "March",
                                          "April",   "May",      "June",
                                          "July",    "August",   "September",
                                          "October", "November", "December" };
    struct dcp_local l = dcp_zone_local(r->in->inventory->zone, ms);
    int64_t year;
    uint32_t month, day;

    dcp_civil_from_days(l.day, &year, &month, &day);
    dcp_text_printf(out, "%s %u %s %lld", days[l.day_of_week], day,
                    months[month - 1], (long long)year);
}

/* "1,204": digits before the first that is not one, in groups of three. */
static void
add_grouped(struct dcp_text *out, const char *number)
{
    size_t length = strspn(number, "0123456789");

    for (size_t i = 0; i < length; i++) {
        dcp_text_add(out, &number[i], 1);
        if ((length - i) % 3 == 1 && i + 1 < length) {
            dcp_text_add(out, ",", 1);
        }
    }
    dcp_text_puts(out, number + length);
}

/* "1 host", "1,204 hosts". */
static void
add_count(struct dcp_text *out, uint64_t n, const char *one, const char *many)
{
    char digits[24];

    (void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    add_grouped(out, digits);
    dcp_text_printf(out, " %s", n == 1 ? one : many);
}

static void
add_number(struct dcp_text *out, double value, int decimals)
{
    char digits[340];

    (void)snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value));
    dcp_text_puts(out, value < 0 && strpbrk(digits, "123456789") ? "-" : "");
    add_grouped(out, digits);
}

/* Three digits, as people say it. */
static void
add_amount(struct dcp_text *out, double value)
{
    double size = fabs(value);

    add_number(out, value, size == 0 ? 0 : size < 10 ? 2 : size < 100 ? 1 : 0);
}

static void
add_saving(const struct dcp_report_work *r, struct dcp_text *out, double kwh,
           double cost)
{
    const struct dcp_inventory *inv = r->in->inventory;

    add_amount(out, kwh);
    dcp_text_puts(out, " kWh");
    if (dcp_inventory_has_prices(inv)) {
        dcp_text_printf(out, " and %s ", inv->currency);
        add_number(out, cost, 2);
    }
}

/* What figures of the plan's hours are per: " a day", " in 36 hours". */
static void
add_per(const struct dcp_report_work *r, struct dcp_text *out)
{
    int64_t hours =
        (r->tl.end_ms - r->tl.start_ms + DCP_HOUR_MS / 2) / DCP_HOUR_MS;

    if (hours >= 23 && hours <= 25) { /* Days on which clocks change. */
        dcp_text_puts(out, " a day");
    } else {
        dcp_text_puts(out, " in ");
        add_count(out, (uint64_t)hours, "hour", "hours");
    }
}

static bool
is_round_trip(const struct dcp_plan *plan)
{
    return plan->n_legs > 1;
}

void
dcp_report_write_title(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_plan *plan = r->in->plan;
    bool night = plan->n_legs && !strcmp(plan->legs[0].name, "evening");

    dcp_text_puts(out, night ? "Night plan for " : "Plan for ");
    add_date(r, out, r->tl.start_ms);
}

static void
add_hosts(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_plan *plan = r->in->plan;

    add_count(out, r->in->inventory->n_vms, "VM runs", "VMs run");
    dcp_text_puts(out, " on ");
    add_count(out, plan->hosts_on_after, "host", "hosts");
    if (plan->hosts_on_after != plan->hosts_on_before) {
        dcp_text_puts(out, " instead of ");
        add_number(out, plan->hosts_on_before, 0);
    }
}

static void
say_what(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_plan *plan = r->in->plan;

    if (plan->n_steps == 0) {
        dcp_text_puts(out, "Nothing to do: no change is worth making. ");
        add_hosts(r, out);
        dcp_text_puts(out, ", as before.");
        return;
    }
    dcp_text_puts(out, "From ");
    add_clock(r, out, r->tl.leg_end_ms[0]);
    if (is_round_trip(plan)) {
        dcp_text_puts(out, " to ");
        add_clock(r, out, plan->legs[plan->n_legs - 1].start_ms);
    }
    dcp_text_puts(out, ", ");
    add_hosts(r, out);
    dcp_text_puts(out, ". ");
    add_count(out, r->leg_moves[0], "VM moves", "VMs move");
    dcp_text_puts(out, " from ");
    add_clock(r, out, plan->legs[0].start_ms);
    if (r->n_hosts_off) {
        dcp_text_puts(out, ", ");
        add_count(out, r->n_hosts_off, "host is", "hosts are");
        dcp_text_puts(out, " switched off");
    }
    uint32_t last = plan->n_legs - 1;

    if (is_round_trip(plan) &&
        r->tl.leg_end_ms[last] > plan->legs[last].start_ms) {
        dcp_text_puts(out, ", and what the day needs is back by ");
        add_clock(r, out, r->tl.leg_end_ms[last]);
    } else if (is_round_trip(plan)) {
        dcp_text_puts(out, ", and the day needs nothing back");
    }
    dcp_text_puts(out, ".");
}

static void
add_licences(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_plan_prediction *p = &r->in->plan->predicted;
    double more = p->licence_cost_after - p->licence_cost_before;

    if (fabs(more) >= 0.005) {
        dcp_text_printf(out, " Licences need units worth %s ",
                        r->in->inventory->currency);
        add_number(out, fabs(more), 2);
        dcp_text_puts(out, more > 0 ? " more" : " less");
        add_per(r, out);
        dcp_text_puts(out, ".");
    }
}

static void
say_saving(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_report_savings *s = &r->savings;
    bool packs = fabs(s->packing_kwh) >= 0.005;

    if (fabs(s->night_kwh) < 0.005 && !packs) {
        dcp_text_puts(out, "No energy to speak of.");
    } else if (!is_round_trip(r->in->plan)) {
        add_saving(r, out, s->packing_kwh, s->packing_cost);
        add_per(r, out);
        dcp_text_puts(out, " by packing more tightly, for as long as it "
                           "stays so.");
    } else {
        if (fabs(s->night_kwh) < 0.005) {
            dcp_text_puts(out, "Changing placement for the night saves "
                               "nothing.");
        } else {
            add_saving(r, out, s->night_kwh, s->night_cost);
            add_per(r, out);
            dcp_text_puts(out, " by changing placement for the night.");
        }
        if (packs) {
            dcp_text_puts(out, " Apart from that, and not to be added to it: "
                               "the tighter placement by day is worth ");
            add_saving(r, out, s->packing_kwh, s->packing_cost);
            add_per(r, out);
            dcp_text_puts(out, " against today's, with or without nights.");
        }
    }
    if (s->expected && (packs || fabs(s->night_kwh) >= 0.005)) {
        double kwh = is_round_trip(r->in->plan) ? s->planned_night_kwh
                                                : s->planned_packing_kwh;

        dcp_text_puts(out, " That is at what VMs used in such hours; at "
                           "planned demand, by which all has to fit, ");
        add_amount(out, kwh);
        dcp_text_puts(out, " kWh.");
    }
    add_licences(r, out);
}

/* A night that the plan had not seen weighs more than any it was made from. */
static bool
say_rehearsal(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_report_replay *p = r->in->replay;

    if (!p || p->in_sample) {
        return false;
    }
    dcp_text_puts(out, "Replayed on a night that the plan had not seen, hosts "
                       "were overloaded for ");
    add_amount(out, p->overload_host_s[DCP_WITH] / 60);
    dcp_text_puts(out, " host-minutes; without the plan for ");
    add_amount(out, p->overload_host_s[DCP_WITHOUT] / 60);
    dcp_text_puts(out, p->partial ? " (samples cover a part of it)." : ".");
    return true;
}

static void
say_risk(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_history *p = &r->history;
    bool rehearsed = say_rehearsal(r, out);

    if (!p->present || !p->n_samples) {
        dcp_text_puts(out, rehearsed
                               ? ""
                               : "Not measured: no usage history was at hand, "
                                 "so nothing was held against real samples.");
        return;
    }
    double after_s = p->over_host_s[DCP_WITH];

    dcp_text_puts(out, rehearsed ? " On the " : "On the ");
    add_count(out, p->n_nights, "night", "nights");
    dcp_text_puts(out, p->in_sample ? " it was made from (in-sample), demand "
                                      "would "
                                    : " measured, demand would ");
    if (after_s > 0) {
        dcp_text_puts(out, "have been above a host's capacity for ");
        add_amount(out, after_s / 60);
        dcp_text_printf(out,
                        " host-minutes in all (%.2g %% of the time on; "
                        "without the plan ",
                        after_s / p->night_host_s[DCP_WITH] * 100);
    } else {
        dcp_text_puts(out, "never have been above a host's capacity (without "
                           "the plan ");
    }
    add_amount(out, p->over_host_s[DCP_WITHOUT] / 60);
    dcp_text_puts(out, " host-minutes).");
    if (p->in_sample && !rehearsed) {
        dcp_text_puts(out, " The next may be worse.");
    }
}

static void
say_sure(const struct dcp_report_work *r, struct dcp_text *out)
{
    const struct dcp_plan *plan = r->in->plan;
    const struct dcp_check_result *check = r->in->check;

    if (!strcmp(plan->status, "optimal")) {
        dcp_text_puts(out, "Proved the best possible under the stated rules "
                           "and demand. ");
    } else if (!strcmp(plan->status, "feasible")) {
        dcp_text_puts(out, "Valid, not proved the best");
        if (isfinite(plan->gap_frac)) {
            dcp_text_printf(out, ": at most %.2g %% from the best possible %s",
                            plan->gap_frac * 100, plan->goal);
        }
        dcp_text_puts(out, ". ");
        if (plan->hosts_lower_bound > 0) {
            dcp_text_puts(out, "No valid plan has fewer than ");
            add_count(out, plan->hosts_lower_bound, "host", "hosts");
            dcp_text_puts(out, " on. ");
        }
    } else {
        dcp_text_printf(out, "The planner's status is '%s'. ", plan->status);
    }
    if (!check) {
        dcp_text_puts(out, "The independent checker has not judged it.");
    } else if (!check->pass) {
        dcp_text_puts(out, "The independent checker REFUSES it: ");
        add_count(out, check->n_violations_all, "violation", "violations");
        dcp_text_puts(out, ". Do not run it.");
    } else {
        dcp_text_puts(out, "The independent checker passed it in ");
        dcp_text_puts(out, check->proof == DCP_PROOF_ALL_ORDERS
                               ? "every order that the steps may run in."
                               : "the listed order of its steps.");
    }
}

bool
dcp_report_write_words(const struct dcp_report_work *r, uint32_t part,
                       const char **out_lead, struct dcp_text *out)
{
    switch (part) {
    case 0:
        *out_lead = "";
        say_what(r, out);
        return true;
    case 1:
        *out_lead = "What it saves";
        say_saving(r, out);
        return true;
    case 2:
        *out_lead = "What it risks";
        say_risk(r, out);
        return true;
    case 3:
        *out_lead = "How sure we are";
        say_sure(r, out);
        return true;
    }
    return false;
}
