/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The schedule: a lane per host that takes part, bars for what runs on it.
 * A move has two bars: solid where the VM arrives, light where it leaves. */

const LANES_MAX = 160;

R.kind = (step) => R.D.kinds[step[1]];
const barClass = (kind) => kind === "host_off" ? "off"
  : kind === "host_on" ? "on" : kind === "migrate" ? "in" : "other";

const stepWords = (s) => {
  const leg = R.D.legs[s[0]];
  const at = leg.start + s[5] * 1000;
  return R.kind(s).replace("_", " ") + " " + R.host(s[2]) +
    (s[3] !== null && s[4] !== null
      ? "\n" + R.host(s[3]) + " \u2192 " + R.host(s[4]) : "") + "\n" +
    R.clockS(at) + ", " + R.span(s[6]);
};

/* Map from host to bars; bars get the first free place of their side. */
const ganttLanes = (leg) => {
  const lanes = new Map();
  const put = (host, cls, step) => {
    if (typeof host !== "number") {
      return;
    }
    if (!lanes.has(host)) {
      lanes.set(host, { host, bars: [], free: { in: [], out: [] } });
    }
    const lane = lanes.get(host);
    const free = lane.free[cls === "out" ? "out" : "in"];
    let place = free.findIndex((end) => end <= step[5]);
    place = place < 0 ? free.length : place;
    free[place] = step[5] + step[6];
    lane.bars.push({ cls, place, step });
  };
  R.D.steps.filter((s) => s[0] === leg)
    .sort((a, b) => a[5] - b[5]).forEach((s) => {
      const kind = R.kind(s);
      if (kind === "migrate") {
        put(s[4], "in", s);
        put(s[3], "out", s);
      } else {
        put(s[2], barClass(kind), s);
        put(typeof s[2] === "number" ? null : s[4], barClass(kind), s);
      }
    });
  return [...lanes.values()].sort((a, b) => a.host - b.host);
};

const ganttAxis = (svg, leg, seconds, left, width, height) => {
  const step = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14400]
    .find((s) => seconds / s <= (width - left) / 64) || 28800;
  const at = (s) => left + s / seconds * (width - left - 8);
  for (let s = 0; s <= seconds; s += step) {
    svg.append(R.svg("line", { x1: at(s), x2: at(s), y1: 18, y2: height,
      stroke: R.color("--c-grid") }),
      R.svg("text", { x: at(s), y: 11, "text-anchor":
        !s ? "start" : at(s) > width - 18 ? "end" : "middle" },
            R.clock(leg.start + s * 1000)));
  }
  const due = (leg.deadline - leg.start) / 1000;
  if (due <= seconds) {
    svg.append(R.svg("line", { x1: at(due), x2: at(due), y1: 18, y2: height,
      stroke: R.color("--c-bound"), "stroke-dasharray": "4 3",
      "stroke-width": 1.5 }));
  }
  return at;
};

const ganttLane = (svg, lane, y, size, at) => {
  const fills = { in: "--c-after", out: "--c-leave", off: "--c-off",
                  on: "--c-on", other: "--c-other" };
  const used = lane.free.in.length + lane.free.out.length;
  const tall = (size - 2) / Math.max(2, used);
  const start = used === 1 ? y + 1 + tall / 2 : y + 1;
  const name = R.host(lane.host), room = Math.floor(at(0) / 7);
  const label = R.svg("text", { x: 0, y: y + size - 3 }, name.length <= room
    ? name : [...name].slice(0, room - 1).join("") + "\u2026");
  label.tipText = name;
  svg.append(label);
  for (const b of lane.bars) {
    const place = b.place + (b.cls === "out" ? lane.free.in.length : 0);
    const x = at(b.step[5]);
    const bar = R.svg("rect", { x: x.toFixed(1),
      y: (start + place * tall).toFixed(1),
      width: Math.max(1.2, at(b.step[5] + b.step[6]) - x - 0.5).toFixed(1),
      height: Math.max(1, tall - (tall > 3 ? 0.8 : 0.2)).toFixed(1),
      fill: R.color(fills[b.cls]) });
    bar.tipText = stepWords(b.step);
    svg.append(bar);
  }
};

const gantt = (box, index) => {
  const leg = R.D.legs[index];
  const all = ganttLanes(index);
  if (!all.length) {
    box.replaceChildren(R.note("Nothing to do in this leg."));
    return;
  }
  const lanes = all.length <= LANES_MAX ? all
    : all.slice().sort((a, b) => b.bars.length - a.bars.length ||
        a.host - b.host).slice(0, LANES_MAX).sort((a, b) => a.host - b.host);
  const width = Math.max(300, box.clientWidth);
  const size = lanes.length > 80 ? 11 : 14;
  const left = 8 + Math.min(110, 7 * Math.max(4, ...lanes.map((l) =>
    R.host(l.host).length)));
  const seconds = Math.max(60, (leg.end - leg.start) / 1000);
  const height = 22 + lanes.length * size + 4;
  const svg = R.svg("svg", { width, height, role: "img", "aria-label":
    "Schedule of the leg " + leg.leg + ": " + leg.moves + " moves from " +
    R.clock(leg.start) + " to " + R.clock(leg.end) +
    ". The table of steps has the same in text." });
  const at = ganttAxis(svg, leg, seconds, left, width, height);
  lanes.forEach((lane, i) => {
    const y = 20 + i * size;
    if (i % 2) {
      svg.insertBefore(R.svg("rect", { x: 0, y, width, height: size,
        fill: R.color("--line-soft"), "fill-opacity": 0.55 }),
        svg.firstChild);
    }
    ganttLane(svg, lane, y, size, at);
  });
  R.tips(svg);
  box.replaceChildren(svg);
  if (lanes.length < all.length) {
    box.append(R.fine("The " + LANES_MAX + " busiest of " + all.length +
                      " hosts are shown."));
  }
};

R.parts.push({ id: "steps", draw: () => {
  const root = R.byId("gantt");
  const keyBox = R.el("div", {});
  const row = R.el("div", { class: R.D.legs.length > 1 ? "pair" : "" });
  const boxes = R.D.legs.map((leg, i) => {
    const late = leg.end > leg.deadline;
    const f = R.figure(leg.leg[0].toUpperCase() + leg.leg.slice(1) + " leg, " +
      R.day(leg.start), R.count(leg.moves, "move", "moves") + ", " +
      R.clock(leg.start) + " to " + R.clock(leg.end) + "; " +
      (late ? "LATE for its" : "in time for its") + " deadline at " +
      R.clock(leg.deadline) + ".");
    row.append(f.figure);
    return [f.box, i];
  });
  root.append(keyBox, row);
  if (R.D.steps.length < R.D.n_steps) {
    root.append(R.fine("Only the first " + R.num(R.D.steps.length) + " of " +
      R.num(R.D.n_steps) + " steps are in this page and drawn."));
  }
  const draw = () => {
    keyBox.replaceChildren(R.key([
      [R.swatch(R.color("--c-after"), 6), "VM arrives"],
      [R.swatch(R.color("--c-leave"), 6), "VM leaves"],
      [R.swatch(R.color("--c-off"), 6), "shuts down"],
      [R.swatch(R.color("--c-on"), 6), "boots"],
      [R.swatch(R.color("--c-other"), 6), "other"]]));
    boxes.forEach(([box, i]) => gantt(box, i));
  };
  R.redraw.push(draw);
  draw();
} });
