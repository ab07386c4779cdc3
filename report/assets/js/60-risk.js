/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Planned load against what was measured, per host that is on at night. */

const RISK_ROWS = 80;

const riskMarks = (svg, row, y, at, h) => {
  const [host, planned, p95, peak] = row;
  const line = (a, b, color, width) => R.svg("line", { x1: at(a), x2: at(b),
    y1: y + h / 2, y2: y + h / 2, stroke: color, "stroke-width": width });
  const d = at(planned), c = y + h / 2;
  const group = R.svg("g", {},
    R.svg("rect", { x: 0, y, width: at(at.top), height: h,
                    fill: "transparent" }),
    R.svg("text", { x: 0, y: y + h - 4 }, R.host(host)),
    line(p95, peak, R.color("--c-after"), 1.5),
    R.svg("circle", { cx: at(p95), cy: c, r: 3.4,
                      fill: R.color("--c-after") }),
    R.svg("line", { x1: at(peak), x2: at(peak), y1: c - 4.5, y2: c + 4.5,
                    stroke: peak > 100 ? R.color("--h-over")
                      : R.color("--c-after"), "stroke-width": 2 }),
    R.svg("path", { d: "M" + (d - 4) + " " + c + "L" + d + " " + (c - 4) +
      "L" + (d + 4) + " " + c + "L" + d + " " + (c + 4) + "Z",
      fill: R.color("--c-bg"), stroke: R.color("--c-bound"),
      "stroke-width": 1.5 }));
  const words = R.host(host) + " (" + R.rack(host) + ")\nplanned " +
    R.num(planned, 1) + "\u00a0%, joint p95 " + R.num(p95, 1) +
    "\u00a0%, joint peak " + R.num(peak, 1) + "\u00a0%" +
    (row[4] ? "\nabove capacity " + R.span(row[4]) + " in all" : "");
  group.querySelectorAll("*").forEach((node) => { node.tipText = words; });
  svg.append(group);
};

const riskChart = (box, rows) => {
  const width = Math.max(280, box.clientWidth), h = 16;
  const left = 8 + Math.min(110, 7 * Math.max(4, ...rows.map((r) =>
    R.host(r[0]).length)));
  const top = Math.ceil(Math.max(100, ...rows.flatMap((r) =>
    [r[1], r[3]])) / 20) * 20;
  const at = (v) => left + v / top * (width - left - 22);
  at.top = top;
  const height = 20 + rows.length * h + 4;
  const svg = R.svg("svg", { width, height, role: "img", "aria-label":
    "Planned load, joint 95th percentile and joint peak of " + rows.length +
    " hosts; the table below has the same in text." });
  for (let v = 0; v <= top; v += 20) {
    svg.append(R.svg("line", { x1: at(v), x2: at(v), y1: 16, y2: height,
      stroke: v === 100 ? R.color("--c-ink") : R.color("--c-grid") }),
      R.svg("text", { x: at(v), y: 11, "text-anchor": "middle" },
            v + "\u00a0%"));
  }
  const t = at(R.D.util.target_cpu_frac * 100);
  svg.append(R.svg("line", { x1: t, x2: t, y1: 16, y2: height,
    stroke: R.color("--c-bound"), "stroke-dasharray": "2 3",
    "stroke-width": 1.5 }));
  rows.forEach((row, i) => riskMarks(svg, row, 19 + i * h, at, h));
  R.tips(svg);
  box.replaceChildren(svg);
};

const riskWords = (k) => {
  const part = (over, all) => over > 0 ? R.amount(over / 60) +
    " host-minutes (" + R.percent(over / all, 3) + " of the time on)"
    : "no minute";
  return (k.in_sample
    ? "In-sample: the plan was made from these very nights, so what follows " +
      "shows how well it fits them, not how well it will do. "
    : "The plan had not seen these nights. ") +
    "In " + R.count(k.nights, "night", "nights") + " (" +
    R.num(k.samples) + " samples of " + R.span(k.interval_ms / 1000) +
    "), hosts would have been above capacity for " +
    part(k.over_s_after, k.night_s_after) + " with the plan and for " +
    part(k.over_s_before, k.night_s_before) + " without it. " +
    "A host’s measured load was above its planned load in " + R.percent(k.above_plan_frac, 1) +
    " of the samples.";
};

R.parts.push({ id: "risk", draw: () => {
  const root = R.byId("risk-body"), k = R.D.risk;
  if (!k) {
    root.append(R.note("Not judged: the report had no raw usage samples of " +
      "the night’s hours. Planned demand is below capacity by construction; " +
      "how often real demand goes above it is not known."));
    return;
  }
  root.append(R.note(riskWords(k)));
  const rows = k.hosts.slice().sort((a, b) => b[3] - a[3] || a[0] - b[0]);
  const shown = rows.slice(0, RISK_ROWS);
  const f = R.figure("Planned against measured, fullest first",
    "Share of a host’s CPU capacity in the night’s hours; dotted: target, " +
    "dark line: capacity." + (shown.length < rows.length
      ? " The " + RISK_ROWS + " fullest of " + rows.length + "." : ""));
  const keyBox = R.el("div", {});
  const split = R.el("div", { class: "pair" });
  const half = shown.length > 12 ? Math.ceil(shown.length / 2) : shown.length;
  const boxes = [shown.slice(0, half), shown.slice(half)]
    .filter((part) => part.length)
    .map((part) => [split.appendChild(R.el("div", {})), part]);
  f.box.append(keyBox, split);
  root.append(f.figure);
  const draw = () => {
    const dot = R.svg("svg", { width: 14, height: 12 },
      R.svg("circle", { cx: 7, cy: 6, r: 3.4, fill: R.color("--c-after") }));
    const tick = R.svg("svg", { width: 8, height: 12 },
      R.svg("line", { x1: 4, x2: 4, y1: 1, y2: 11,
                      stroke: R.color("--c-after"), "stroke-width": 2 }));
    const diamond = R.svg("svg", { width: 14, height: 12 },
      R.svg("path", { d: "M3 6L7 2L11 6L7 10Z", fill: "none",
                      stroke: R.color("--c-bound"), "stroke-width": 1.5 }));
    keyBox.replaceChildren(R.key([[diamond, "planned, fullest hour"],
      [dot, "joint p95"], [tick, "joint peak"]]));
    boxes.forEach(([box, part]) => riskChart(box, part));
  };
  R.redraw.push(draw);
  draw();
  root.append(R.el("details", {}, R.el("summary", {},
    rows.length > 500 ? "The 500 fullest as a table" : "The same as a table"),
    R.table(null, [{ name: "Host" }, { name: "Rack" },
      { name: "Planned %", num: true }, { name: "Joint p95 %", num: true },
      { name: "Joint peak %", num: true },
      { name: "Above capacity", num: true }],
      rows.slice(0, 500).map((r) => [R.host(r[0]), R.rack(r[0]), R.num(r[1], 1),
        R.num(r[2], 1), R.num(r[3], 1), r[4] ? R.span(r[4]) : "0"]))));
  if (k.without_samples) {
    root.append(R.fine(R.count(k.without_samples, "VM has", "VMs have") +
      " no samples and count" + (k.without_samples === 1 ? "s" : "") +
      " at planned demand. A missing sample of another VM counts as 0."));
  }
} });
