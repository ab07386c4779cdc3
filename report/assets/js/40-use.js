/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Strips of dots: one per host that is on, CPU and memory, without and with
 * the plan. */

/* Stacks dots that would hide each other; the same dots, the same places. */
const stackDots = (xs, radius, half) => {
  const placed = [];
  return xs.map((x, i) => [x, i]).sort((a, b) => a[0] - b[0] || a[1] - b[1])
    .map(([x]) => {
      let y = 0;
      for (let k = 0; k < 60; k++) {
        y = (k % 2 ? 1 : -1) * Math.ceil(k / 2) * radius * 1.9;
        if (Math.abs(y) > half) {
          y = (k % 7 - 3) / 3 * half; /* No room left: overlap. */
          break;
        }
        if (!placed.some(([px, py]) =>
          (px - x) ** 2 + (py - y) ** 2 < (2 * radius) ** 2 * 0.8)) {
          break;
        }
      }
      placed.push([x, y]);
      return [x, y];
    });
};

/* Of more hosts than dots can show, every so many-th in order of load. */
const DOTS_MAX = 300;
const thinned = (rows, column) => {
  if (rows.length <= DOTS_MAX) {
    return rows;
  }
  const sorted = rows.slice().sort((a, b) => a[column] - b[column] ||
                                             a[0] - b[0]);
  return Array.from({ length: DOTS_MAX }, (v, i) =>
    sorted[Math.floor((i + 0.5) / DOTS_MAX * sorted.length)]);
};

const useStrip = (svg, top, label, values, hosts, scale, color, avg) => {
  const half = 15, radius = values.length > 150 ? 2 : 3.2;
  svg.append(R.svg("text", { x: 0, y: top + half + 4 }, label));
  const order = values.map((v, i) => [v, i])
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  stackDots(values.map(scale), radius, half).forEach(([x, y], i) => {
    const dot = R.svg("circle", { cx: x.toFixed(1),
      cy: (top + half + y).toFixed(1), r: radius, fill: color,
      "fill-opacity": 0.62 });
    dot.tipText = R.host(hosts[order[i][1]]) + "\n" +
      R.num(order[i][0], 1) + "\u00a0%";
    svg.append(dot);
  });
  if (!values.length) {
    return;
  }
  const x = scale(avg);
  svg.append(R.svg("line", { x1: x, x2: x, y1: top - 1, y2: top + 2 * half + 1,
    stroke: R.color("--ink"), "stroke-width": 2 }),
    R.svg("text", { x: x + 5, y: top + 4, "font-weight": 600, class: "over" },
      R.num(avg) + "\u00a0%"));
};

const useChart = (box, what, column, target) => {
  const width = Math.max(280, box.clientWidth), left = 84;
  const sets = [["without plan", R.D.util.before, "--c-before"],
                ["with plan", R.D.util.after, "--c-after"]];
  const most = sets.flatMap(([, rows]) => rows)
    .reduce((top, r) => Math.max(top, r[column]), 100);
  const top = Math.ceil(most / 20) * 20;
  const scale = (v) => left + v / top * (width - left - 22);
  const svg = R.svg("svg", { width, height: 128, role: "img",
    "aria-label": what + " of hosts that are on: " + sets.map(([name, rows]) =>
      name + " mean " + (rows.length ? R.num(mean(rows.map((r) => r[column])))
        : "0") + " %, " + rows.length + " hosts").join("; ") });
  for (let v = 0; v <= top; v += 20) {
    svg.append(R.svg("line", { x1: scale(v), x2: scale(v), y1: 6, y2: 104,
      stroke: R.color("--c-grid") }),
      R.svg("text", { x: scale(v), y: 120, "text-anchor": "middle" },
            v + "\u00a0%"));
  }
  const t = scale(target * 100);
  svg.append(R.svg("line", { x1: t, x2: t, y1: 6, y2: 104,
    stroke: R.color("--c-bound"), "stroke-dasharray": "2 3",
    "stroke-width": 1.5 }));
  sets.forEach(([name, rows, color], i) => {
    const dots = thinned(rows, column);
    useStrip(svg, 12 + i * 48, name, dots.map((r) => r[column]),
             dots.map((r) => r[0]), scale, R.color(color),
             rows.length ? mean(rows.map((r) => r[column])) : 0);
  });
  R.tips(svg);
  box.replaceChildren(svg);
};

R.parts.push({ id: "use", draw: () => {
  const u = R.D.util, root = R.byId("use-charts");
  const cpu = R.figure("CPU", "Planned load, mean over the night; dotted: " +
    "the target of " + R.percent(u.target_cpu_frac) + ".");
  const mem = R.figure("Memory", "As " + R.D.quality.memory_basis +
    ", with the hypervisor’s share; dotted: the target of " +
    R.percent(u.target_mem_frac) + ".");
  root.append(R.el("div", { class: "pair" }, cpu.figure, mem.figure));
  if (Math.max(u.before.length, u.after.length) > DOTS_MAX) {
    root.append(R.fine("Of more than " + DOTS_MAX + " hosts, " + DOTS_MAX +
      " are drawn, evenly by load; means are over all."));
  }
  const draw = () => {
    useChart(cpu.box, "CPU", 1, u.target_cpu_frac);
    useChart(mem.box, "Memory", 2, u.target_mem_frac);
  };
  R.redraw.push(draw);
  draw();
} });
