/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Hosts on, power and cost over the plan's hours: uPlot charts with one
 * cursor, and the same figures as a table. */

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

const nightTable = () => {
  const n = R.D.night, per = 3600000 / n.step;
  const rows = [];
  for (let i = 0; i < n.on_after.length; i += per) {
    const cut = (list) => list.slice(i, i + per);
    rows.push([R.day(n.start + i * n.step) + " " +
               R.clock(n.start + i * n.step),
               R.num(Math.max(...cut(n.on_before))),
               R.num(Math.max(...cut(n.on_after))),
               R.num(mean(cut(n.kw_before)), 2),
               R.num(mean(cut(n.kw_after)), 2),
               R.num(mean(cut(n.cost_before)), 2),
               R.num(mean(cut(n.cost_after)), 2)]);
  }
  const unit = R.D.meta.currency + "/h";
  return R.el("details", {}, R.el("summary", {}, "The same as a table"),
    R.table("Per hour: the most hosts on, mean power and cost.",
      [{ name: "Hour" }, { name: "Hosts, without", num: true },
       { name: "with plan", num: true }, { name: "kW, without", num: true },
       { name: "with plan", num: true },
       { name: unit + ", without", num: true },
       { name: "with plan", num: true }], rows));
};

/* The charts end two hours after with and without the plan are the same. */
const nightPoints = () => {
  const n = R.D.night;
  let last = n.on_after.length - 1;
  while (last > 0 && n.on_before[last] === n.on_after[last] &&
         Math.abs(n.kw_before[last] - n.kw_after[last]) <
           0.005 * n.kw_before[last]) {
    last--;
  }
  return Math.min(n.on_after.length, last + 1 + 2 * 3600000 / n.step);
};

R.parts.push({ id: "night", draw: () => {
  const D = R.D, n = D.night, root = R.byId("night-charts");
  const points = nightPoints();
  const end = Math.min(n.start + points * n.step, n.end);
  /* The last cell reaches to the end of the hours shown. */
  const close = (list) => list.slice(0, points).concat(list[points - 1]);
  const x = close(n.on_after).map((v, i) =>
    Math.min(n.start + i * n.step, end) / 1000);
  const hours = n.step / 3600000;
  let sum = 0;
  const saved = [0].concat(n.cost_before.map((v, i) =>
    sum += (v - n.cost_after[i]) * hours)).slice(0, points + 1);
  const least = Math.min(...n.on_after);
  const total = (list) => list.reduce((a, v) => a + v * hours, 0);

  const on = R.figure("Hosts on", "At the least " + R.count(least, "host is",
    "hosts are") + " on, of " + R.num(Math.max(...n.on_before)) +
    " without the plan." + (D.result.hosts_lower_bound
      ? " Dotted: the lower bound; no valid plan has fewer on." : ""));
  const power = R.figure("Power at the meter", "Hosts by their power curves, " +
    "switches, storage and servers, times PUE. Over the plan’s hours, with " +
    "the legs’ own time and boots, " +
    R.amount(n.kwh_before - n.kwh_after) + "\u00a0kWh less.");
  const cost = R.figure("Energy cost, saved so far", D.meta.priced
    ? "At each hour’s tariff; the plan’s hours cost " +
      R.money(total(n.cost_before)) + " without and " +
      R.money(total(n.cost_after)) + " with it."
    : "The model has no tariffs.");
  root.append(on.figure, R.el("div", { class: "pair" }, power.figure,
    cost.figure), nightTable());

  const draw = () => {
    const before = { stroke: R.color("--c-before"), dash: [5, 4],
                     label: "Without the plan" };
    const after = { stroke: R.color("--c-after"), width: 2.25,
                    label: "With the plan" };
    const step = { paths: uPlot.paths.stepped({ align: 1 }) };
    const save = [{ series: [1, 2], fill: R.color("--c-fill"), dir: -1 }];
    for (const f of [on, power, cost]) {
      f.box.replaceChildren();
    }
    const bound = x.map(() => D.result.hosts_lower_bound || null);
    R.chart(on.box, { height: 230, whole: true, data: [x, close(n.on_before),
      close(n.on_after), bound], bands: save, series: [{ ...before, ...step },
      { ...after, ...step },
      { label: "Lower bound", stroke: R.color("--c-bound"), width: 1.5,
        dash: [2, 3] }] });
    R.chart(power.box, { data: [x, close(n.kw_before), close(n.kw_after)],
      bands: save, digits: 2, unit: " kW",
      series: [{ ...before, ...step }, { ...after, ...step }] });
    if (D.meta.priced) {
      R.chart(cost.box, { data: [x, saved], digits: 2,
        unit: " " + D.meta.currency, series: [{
          stroke: R.color("--c-after"), width: 2.25, label: "Saved so far",
          fill: R.color("--c-fill") }] });
    }
  };
  R.redraw.push(draw);
  draw();
} });

/* What the simulator measured on raw samples, where the report was given a
 * replay. */
const replayWords = (p) => {
  const saved = p.kwh[0] - p.kwh[1];
  /* A replay tells no packing from night: compare where there is none. */
  const planned = Math.abs(R.D.savings.packing_kwh) < 0.005
    ? " where " + R.amount(R.D.savings.night_kwh) + " was " +
      (R.D.savings.expected ? "expected" : "planned") : "";
  return "The plan’s steps replayed against raw samples of every VM" +
    (p.in_sample ? ", of a night that the plan was made from (in-sample)"
      : ", of a night that the plan had not seen") + ": " +
    R.amount(p.kwh[1]) + "\u00a0kWh against " + R.amount(p.kwh[0]) +
    " without, a difference of " + R.amount(saved) +
    "\u00a0kWh" + planned + "; overload " +
    R.amount(p.over_s[1] / 60) + " host-minutes against " +
    R.amount(p.over_s[0] / 60) + "; " +
    R.count(p.migrations, "migration", "migrations") +
    (p.migrations_failed ? ", " + R.num(p.migrations_failed) + " failed" : "") +
    "." + (p.partial ? " The samples cover a part of the hours only." : "");
};

R.parts.push({ id: "night", draw: () => {
  const p = R.D.replay;
  if (!p) {
    return;
  }
  const f = R.figure("Rehearsed by the simulator, " + R.day(p.start),
                     replayWords(p));
  R.byId("night-charts").append(f.figure);
  const draw = () => {
    const x = p.kw[0].map((v, i) => (p.start + i * p.step) / 1000);
    f.box.replaceChildren();
    R.chart(f.box, { sync: "replay", data: [x, p.kw[0], p.kw[1]], digits: 2,
      unit: " kW", bands: [{ series: [1, 2], fill: R.color("--c-fill"),
                             dir: -1 }],
      series: [{ stroke: R.color("--c-before"), dash: [5, 4],
                 label: "Without the plan" },
               { stroke: R.color("--c-after"), width: 2.25,
                 label: "With the plan" }] });
  };
  R.redraw.push(draw);
  draw();
} });
