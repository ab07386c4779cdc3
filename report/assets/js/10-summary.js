/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The verdict and the figures below the headline. */

R.parts.push({ id: "summary", draw: () => {
  const D = R.D, r = D.result, s = D.savings;

  R.byId("kicker").textContent = D.meta.version;
  R.byId("sub").textContent = R.count(r.hosts_total, "host", "hosts") + ", " +
    R.count(r.vms, "VM", "VMs") + ". Times are local, " + D.meta.zone.name +
    ". Made " + R.stamp(D.meta.created) + ".";

  const verdict = R.byId("verdict");
  const say = (kind, mark, text) => verdict.append(R.el("p",
    { class: "verdict " + kind, role: kind === "bad" ? "alert" : null },
    R.el("span", { class: "mark" }, mark), R.el("span", {}, text)));
  if (D.meta.model_changed) {
    say("warn", "Model changed", "The model is not the one that the plan was " +
      "made for: figures of this page that are not the plan’s own are of the " +
      "model as it is now.");
  }
  const c = D.check;
  if (!c) {
    say("warn", "Not checked", "Run dcplan plan check before you use it.");
  } else if (c.pass) {
    say("", "\u2713 Checked", R.count(c.states_checked, "state", "states") +
      " judged by the independent checker; " +
      (c.proof === "all_orders"
        ? "no order of the steps can break a limit or a rule."
        : "in the listed order no step breaks a limit or a rule."));
  } else {
    say("bad", "\u2717 Refused", R.count(c.n_violations, "violation",
      "violations") + " found by the independent checker. Do not run it.");
    verdict.append(R.table(null, [{ name: "Step", num: true },
      { name: "Rule" }, { name: "Object" }, { name: "What", why: true }],
      c.violations.map((v) => [v[0] ? String(v[0]) : "\u2013", v[1], v[2],
                               v[3]])));
  }

  const tiles = R.byId("tiles");
  const tile = (name, big, unit, more) => tiles.append(R.el("div", {},
    R.el("dt", {}, name),
    R.el("dd", {}, R.el("div", { class: "big" }, big,
      unit ? R.el("small", {}, "\u00a0" + unit) : null),
      R.el("div", { class: "more" }, more))));
  tile(D.legs.length > 1 ? "Hosts on at night" : "Hosts on",
       r.hosts_on_before === r.hosts_on_after ? R.num(r.hosts_on_after)
         : R.num(r.hosts_on_before) + "\u2009\u2192\u2009" +
           R.num(r.hosts_on_after), null,
       r.hosts_lower_bound ? "no valid plan has fewer than " +
         r.hosts_lower_bound : "no lower bound known");
  const hours = Math.round((D.night.end - D.night.start) / 3600000);
  const perUnit = "kWh/" + (hours >= 23 && hours <= 25 ? "day"
    : hours + "\u00a0h");
  const worth = (kwh, cost, planned) =>
    (D.meta.priced ? R.money(cost) + " in energy" : "the model has no prices") +
    (s.before_kwh > 0
      ? "; " + R.percent(kwh / s.before_kwh, 1) + " of all energy" : "") +
    (s.expected ? "; " + R.amount(planned) + " kWh at planned demand" : "");
  const returns = D.legs.length > 1;
  if (returns) {
    tile("Night saving", R.amount(s.night_kwh), perUnit,
         worth(s.night_kwh, s.night_cost, s.planned_night_kwh));
  }
  if (!returns || Math.abs(s.packing_kwh) >= 0.005) {
    tile(returns ? "Packing saving, apart" : "Packing saving",
         R.amount(s.packing_kwh), perUnit,
         worth(s.packing_kwh, s.packing_cost, s.planned_packing_kwh) +
         (returns ? "; not to be added" : ""));
  }
  tile("Moves", R.num(D.legs.reduce((n, leg) => n + leg.moves, 0)), null,
       R.count(r.vms_moved, "VM", "VMs") + ", " + D.legs.map((leg) =>
         R.num(leg.moves) + " " + leg.leg).join(", "));
  const unseen = D.replay && !D.replay.in_sample ? D.replay : null;
  if (unseen) {
    tile("Overload, night not seen before", R.amount(unseen.over_s[1] / 60),
         "host-min", R.amount(unseen.over_s[0] / 60) + " without the plan; " +
         "replayed on raw samples");
  } else if (D.risk) {
    tile("Overload, measured nights", R.amount(D.risk.over_s_after / 60),
         "host-min", "in " + R.count(D.risk.nights, "night", "nights") +
         (D.risk.in_sample ? ", in-sample" : ", not seen by the plan") +
         "; " + R.amount(D.risk.over_s_before / 60) + " without the plan");
  }
  tile("Certainty", r.status === "optimal" ? "Optimal" :
       r.status === "feasible" ? "\u2264\u202f" + R.percent(r.gap_frac, 1)
         : r.status.replaceAll("_", " "),
       r.status === "feasible" ? "gap" : null,
       r.status === "optimal" ? "proved for the goal \u2018" + r.goal + "\u2019"
         : "to the bound of the goal \u2018" + r.goal + "\u2019" +
           (r.bound_method ? ", by " + r.bound_method : ""));
} });
