/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The parts of a replay's page.  R.D is "dcplan/sim-page-data/1", written by
 * report/sim_page.c, where its members are named. */

const S = R.D.sim;
const LAST = S.runs.length - 1; /* The run that the page is about. */
const STROKES = ["--c-before", "--c-after", "--c-bound", "--c-other"];

const runStyle = (i) => ({
  label: S.runs[i].name,
  stroke: R.color(i === LAST ? "--c-after" : STROKES[i ? 2 + i % 2 : 0]),
  width: i === LAST ? 2.25 : 1.5, dash: i === LAST ? undefined : [5, 4],
  paths: uPlot.paths.stepped({ align: 1 }),
});

/* What replications say: "12.3 (11.9 to 12.7)". */
const drawSure = (body, sure) => {
  const text = (scale) => ([mean, low, high]) => R.num(scale * mean, 2) +
    (low === null || low === high ? ""
      : " (" + R.num(scale * low, 2) + " to " + R.num(scale * high, 2) + ")");
  const last = sure.names.length - 1, about = sure.names[last];
  const heads = [...sure.names, ...sure.names.slice(0, last).map((name) =>
    about + " less " + name)];
  const table = (title, rows, names, scale) => R.table(title,
    [{ name: "" }, ...names.map((name) => ({ name, num: true }))],
    rows.map(([what, , ...of]) => [what, ...of.map(text(scale))]));
  body.append(table("Mean of " + R.count(sure.n, "replication",
    "replications") + ", and where the true mean is with 95 % confidence",
    sure.rows.filter(([, share]) => !share), heads, 1),
    table("Share of replications, %, in which",
    sure.rows.filter(([, share]) => share), sure.names, 100));
};

R.parts.push({ id: "summary", draw: () => {
  R.byId("kicker").textContent = R.D.meta.version + ", simulation";
  R.byId("sub").textContent = R.stamp(S.from) + " to " + R.stamp(S.to) + ", " +
    R.count(S.vms, "VM", "VMs") + " on " + R.count(S.hosts, "host", "hosts");
  const notes = [];
  if (S.stopped) {
    notes.push("The replay was interrupted: this is the part that was done.");
  } else if (S.partial) {
    notes.push("The samples cover a part of the hours only.");
  }
  if (S.in_sample) {
    notes.push("In-sample: the plan was made with knowledge of this time; " +
      "another night will be worse.");
  }
  if (notes.length) {
    R.byId("verdict").append(R.el("p", { class: "verdict warn" },
      notes.join(" ")));
  }
  const rows = [
    ["Hosts on, mean", (r) => R.num(r.hosts_on_mean, 1)],
    ["Energy at the meter, kWh", (r) => R.num(r.kwh, 1)],
    ["Energy cost, " + R.D.meta.currency, (r) => R.num(r.cost, 2)],
    ["Carbon, kg", (r) => R.num(r.carbon_kg, 1)],
    ["Overload, host-minutes", (r) => R.num(r.overload_host_s / 60, 1)],
    ["CPU asked for and not given", (r) => R.percent(r.unmet_frac, 3)],
    ["Migrations", (r) => R.num(r.migrations)],
    ["Migrations failed", (r) => R.num(r.migrations_failed)],
    ["Hosts switched off", (r) => R.num(r.host_shutdowns)],
  ];
  R.byId("runs").append(R.table(null,
    [{ name: "" }, ...S.runs.map((r) => ({ name: r.name, num: true }))],
    rows.map(([name, value]) => [name, ...S.runs.map(value)])));
  if (S.sure) {
    drawSure(R.byId("runs"), S.sure);
  }
} });

R.parts.push({ id: "time", draw: () => {
  const x = S.columns.map((ms) => ms / 1000);
  const figures = [["Hosts on", "hosts_on", 1, "", true],
                   ["Power at the meter, kW", "kw", 2, " kW", false]];
  const shown = figures.map(([title, key, digits, unit, whole]) => {
    const f = R.figure(title, null);
    R.byId("time-charts").append(f.figure);
    return () => {
      f.box.replaceChildren();
      R.chart(f.box, { sync: "sim", whole, digits, unit,
        data: [x, ...S.runs.map((r) => r[key])],
        series: S.runs.map((r, i) => runStyle(i)) });
    };
  });
  const draw = () => shown.forEach((one) => one());
  R.redraw.push(draw);
  draw();
} });

R.parts.push({ id: "heat", draw: () => {
  const root = R.byId("heat-maps"), keyBox = R.el("div", {});
  const map = new HeatMap({ hours: S.columns, tickHours:
    S.to - S.from > 4 * 86400000 ? 24 : 3 }, R.bytes(R.D.heat.cells));
  const f = R.figure(S.runs[LAST].name, "Demand over capacity, mean over " +
    R.span(S.column_s) + " a column.");
  map.canvas.setAttribute("aria-label", "CPU by host and time. Arrow keys " +
    "read out cells.");
  f.box.append(map.canvas, map.live);
  root.append(keyBox, f.figure);
  const draw = () => {
    keyBox.replaceChildren(heatKey());
    map.draw();
  };
  R.redraw.push(draw);
  draw();
} });

/* Bars across: [label, share, text, color]. */
const bars = (rows) => {
  const most = Math.max(...rows.map((r) => r[1]), 1e-12);
  const svg = R.svg("svg", { viewBox: "0 0 640 " + (rows.length * 18 + 4),
                             role: "img" });
  rows.forEach(([label, share, text, color], i) => {
    const y = i * 18 + 3, width = 380 * share / most;
    svg.append(
      R.svg("text", { x: 118, y: y + 11, "text-anchor": "end",
                      "font-size": 11, fill: "currentColor" }, label),
      R.svg("rect", { x: 126, y, width: share > 0 ? Math.max(width, 1) : 0,
                      height: 14, rx: 2, fill: "var(" + color + ")" }),
      R.svg("text", { x: 132 + width, y: y + 11, "font-size": 11,
                      fill: "currentColor" }, text));
  });
  return svg;
};

R.parts.push({ id: "load", draw: () => {
  const total = S.load_host_s.reduce((a, b) => a + b, 0) || 1;
  const target = R.D.util.target_cpu_frac;
  const loads = R.figure("Load of hosts that serve", "Share of their time, by " +
    "demand over capacity. Above 100 % there is too little for all.");
  loads.box.append(bars(S.load_host_s.map((s, i) => {
    const low = i * 0.05, last = i === S.load_host_s.length - 1;
    return [last ? "105 % and more" : Math.round(low * 100) + " to " +
              Math.round(low * 100 + 5) + " %", s / total,
            s > 0 ? R.percent(s / total, 2) : "",
            low >= 1 - 1e-9 ? "--h-over" : low >= target - 1e-9 ? "--h-warm"
              : "--h3"];
  })));
  const limits = S.wait_limits;
  const waitBars = (counts, text) => {
    const all = counts.reduce((a, b) => a + b, 0) || 1;
    return bars(counts.map((n, i) => [
      i === 0 ? "none" : i < limits.length ? "to " + R.percent(limits[i], 1)
        : "above " + R.percent(limits[limits.length - 1], 0),
      n / all, n ? text(n, all) : "",
      i > 2 ? "--h-over" : i ? "--h-warm" : "--h3"]));
  };
  const waits = R.figure("How long VMs waited for CPU", "VMs by the part of " +
    "all the time for which their vCPUs were ready to run and did not, then " +
    "each VM's samples by the part of theirs. Above 5 % is worth watching, " +
    "above 10 % is bad.");
  waits.box.append(waitBars(S.waits, n => R.count(n, "VM", "VMs")),
    waitBars(S.sample_waits, (n, all) => R.percent(n / all, 2) +
      " of samples"));
  const body = R.byId("load-body");
  body.append(R.el("div", { class: "pair" }, loads.figure, waits.figure));
  if (S.waiting.length) {
    body.append(R.table("VMs that waited longest",
      [{ name: "VM" }, { name: "Of all time", num: true },
       { name: "p99 of samples", num: true }],
      S.waiting.map(([name, frac, p99]) => [name, R.percent(frac, 2),
                                            R.percent(p99, 1)])));
  }
} });

R.parts.push({ id: "moves", draw: () => {
  const body = R.byId("moves-body"), run = S.runs[LAST];
  if (!run.migrations && !run.migrations_failed) {
    body.append(R.note("No VM was moved."));
    return;
  }
  const under = R.figure("Migrations under way", null);
  const moved = R.figure("Memory moved", "Of the VMs that arrived, GiB per " +
    R.span(S.column_s) + ".");
  body.append(R.el("div", { class: "pair" }, under.figure, moved.figure));
  const draw = () => {
    under.box.replaceChildren();
    moved.box.replaceChildren();
    R.chart(under.box, { sync: "sim", digits: 1,
      data: [S.columns.map((ms) => ms / 1000), run.migrating],
      series: [runStyle(LAST)] });
    R.chart(moved.box, { sync: "sim", digits: 1, unit: " GiB",
      data: [S.columns.map((ms) => ms / 1000),
             S.column_mib.map((mib) => mib / 1024)],
      series: [runStyle(LAST)] });
  };
  R.redraw.push(draw);
  draw();
} });

/* Availability of what was promised something, or is counted as one. */
const promises = (title, rows) => R.table(title,
  [{ name: "" }, { name: "VMs", num: true }, { name: "Promised", num: true },
   ...S.runs.map((r) => ({ name: r.name, num: true }))],
  rows.map(([name, promised, vms, ...runs]) => [name, R.num(vms),
    promised === null ? "" : R.percent(promised, 3),
    ...runs.map((frac) => R.percent(frac, 3) +
      (promised !== null && frac < promised ? ", less than promised" : ""))]));

/* "to 5 min", "above 1 h". */
const recoveryBin = (i) => i < S.recovery_limits_s.length
  ? "to " + R.span(S.recovery_limits_s[i])
  : "above " + R.span(S.recovery_limits_s[i - 1]);

const drawFailures = (body) => {
  const known = (s) => s === null ? "not over" : R.num(s / 60, 1);
  const rows = [
    ["Availability of VMs, mean", (r) => R.percent(r.availability_frac, 3)],
    ["Downtime, VM-minutes", (r) => R.num(r.down_vm_s / 60, 1)],
    ["Of which without a home", (r) => R.num(r.homeless_vm_s / 60, 1)],
    ["Interruptions of VMs", (r) => R.num(r.interruptions)],
    ["Not over at the end", (r) => R.num(r.interruptions_open)],
    ["Recovery, median, minutes", (r) => known(r.recovery_p50_s)],
    ["Recovery, 99 %, minutes", (r) => known(r.recovery_p99_s)],
  ];
  body.append(R.table("What failed, and what it cost",
    [{ name: "" }, ...S.runs.map((r) => ({ name: r.name, num: true }))],
    rows.map(([name, value]) => [name, ...S.runs.map((r) =>
      r.interruptions || !name.startsWith("Recovery") ? value(r) : "")])));
  if (S.runs.some((r) => r.interruptions)) {
    body.append(R.el("div", { class: "pair" }, ...S.runs.map((r) => {
      const f = R.figure("Recovery times, " + r.name.toLowerCase(),
        "Interruptions of VMs, from the failure to being up again.");
      f.box.append(bars([...r.recoveries.map((n, i) =>
        [recoveryBin(i), n, n ? R.num(n) : "", i > 4 ? "--h-over" : "--h3"]),
        ["not over", r.interruptions_open,
         r.interruptions_open ? R.num(r.interruptions_open) : "",
         "--h-over"]]));
      return f.figure;
    })));
  }
  body.append(promises("Tiers: the mean of their VMs", S.tiers));
  if (S.applications.length) {
    body.append(promises("Applications: the time in which enough of their VMs " +
      "were up", S.applications));
  }
};

R.parts.push({ id: "served", draw: () => {
  const body = R.byId("served-body");
  if (S.tiers) {
    drawFailures(body);
  }
  body.append(R.note("Part of the time in which a VM had a place on a host " +
    "that was serving. Mean over VMs: " + R.percent(S.served_mean_frac, 3) +
    "; " + R.count(S.not_always_served, "VM", "VMs") + " of " +
    R.num(S.vms) + " less than all of it."));
  if (S.served.length) {
    body.append(R.table("VMs with the least of it",
      [{ name: "VM" }, { name: "Of the time", num: true }],
      S.served.map(([name, frac]) => [name, R.percent(frac, 3)])));
  }
} });
