/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Charts over time: uPlot with local clock times and one cursor. */

/* Local full hours that leave room for their labels. */
R.hourSplits = (min, max, width) => {
  const steps = [1, 2, 3, 4, 6, 12, 24, 48, 96, 168, 336];
  const hours = (max - min) / 3600;
  const step = steps.find((h) => hours / h <= width / 52) || 336;
  const splits = [];
  const offset = R.offsetMs(min * 1000) / 1000;
  let at = Math.ceil((min + offset) / 3600 / step) * step * 3600 - offset;
  for (; at <= max; at += step * 3600) {
    splits.push(at);
  }
  return splits;
};

/* As many as the distance of the grid lines needs. */
const decimals = (step) => [0, 1, 2].find((n) =>
  Math.abs(step * 10 ** n - Math.round(step * 10 ** n)) < 1e-6) ?? 3;
const WHOLE_STEPS = [1, 2, 5].flatMap((n) => [0, 1, 2, 3, 4].map((e) =>
  n * 10 ** e)).sort((a, b) => a - b);

R.chart = (box, options) => {
  const font = "11px " + getComputedStyle(document.body).fontFamily;
  const axis = { stroke: R.color("--c-ink"), font, labelFont: font,
                 grid: { stroke: R.color("--c-grid"), width: 1 },
                 ticks: { show: false } };
  const times = options.data[0];
  const u = new uPlot({
    width: Math.max(280, box.clientWidth),
    height: options.height || 220,
    padding: [8, 20, 0, 0],
    cursor: { sync: { key: options.sync || "night" }, y: false,
              drag: { x: false, y: false }, points: { size: 7 } },
    legend: { live: true },
    bands: options.bands,
    scales: {
      x: { time: false, range: [times[0], times[times.length - 1]] },
      y: { range: (self, min, max) => [Math.min(0, min),
                                       (max || 1) * 1.06] },
    },
    axes: [
      { ...axis, splits: (self, i, min, max) =>
          R.hourSplits(min, max, self.width), size: 26,
        values: (self, splits) => R.ticks(splits) },
      { ...axis, size: 52, incrs: options.whole ? WHOLE_STEPS : undefined,
        values: (self, splits, i, space, step) => splits.map((v) =>
          R.num(v, decimals(step))) },
    ],
    series: [
      { label: "Time", value: (self, t) => t === null ? "\u2013"
          : R.day(t * 1000) + " " + R.clock(t * 1000) },
      ...options.series.map((s) => ({
        width: 1.75, points: { show: false }, ...s,
        value: (self, v) => v === null || v === undefined ? "\u2013"
          : R.num(v, options.digits || 0) + (options.unit || ""),
      })),
    ],
  }, options.data, box);
  return u;
};

R.figure = (title, caption, label) => {
  const box = R.el("div", { class: "plot" });
  const figure = R.el("figure", { "aria-label": label || title },
    R.el("p", { class: "title" }, title),
    caption ? R.el("figcaption", {}, caption) : null, box);
  return { figure, box };
};
