/* SPDX-License-Identifier: GPL-3.0-or-later */
"use strict";

/* What the other scripts stand on: the data object, numbers and times as
 * people read them, and making elements.  Text from the data reaches the page
 * by textContent alone. */

const R = {};
R.D = JSON.parse(document.getElementById("report-data").textContent);
R.parts = []; /* {id, draw}: filled by the other scripts, run by the last. */
R.redraw = []; /* Called when the theme or the width changes. */
R.beforePrint = []; /* Called before that, when the page is to be printed. */

/* --- Elements ----------------------------------------------------------- */

R.byId = (id) => document.getElementById(id);

R.fill = (node, attrs, children) => {
  for (const [key, value] of Object.entries(attrs || {})) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (key.startsWith("on")) {
      node.addEventListener(key.slice(2), value);
    } else {
      node.setAttribute(key, value === true ? "" : String(value));
    }
  }
  for (const child of children) {
    if (child !== null && child !== undefined) {
      node.append(child);
    }
  }
  return node;
};
R.el = (tag, attrs, ...children) =>
  R.fill(document.createElement(tag), attrs, children);
R.svg = (tag, attrs, ...children) =>
  R.fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attrs,
         children);
R.color = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/* --- Numbers ------------------------------------------------------------ */

const plain = (digits) => new Intl.NumberFormat("en-GB", {
  minimumFractionDigits: digits, maximumFractionDigits: digits });
const formats = [0, 1, 2, 3].map(plain);
R.num = (value, digits = 0) => {
  const text = formats[digits].format(Math.abs(value));
  return value < 0 && /[1-9]/.test(text) ? "\u2212" + text : text;
};
/* Three significant digits, as words say it. */
R.amount = (value) => {
  if (value === 0) {
    return "0";
  }
  const size = Math.abs(value);
  return R.num(value, size < 10 ? 2 : size < 100 ? 1 : 0);
};
R.percent = (frac, digits = 0) => R.num(frac * 100, digits) + "\u00a0%";
R.money = (value) => R.D.meta.currency + "\u00a0" + R.num(value, 2);
R.count = (n, one, many) => R.num(n) + "\u00a0" + (n === 1 ? one : many);
R.kib = (mib) => mib >= 1024 ? R.num(mib / 1024, mib % 1024 ? 1 : 0) +
  "\u00a0GiB" : R.num(mib) + "\u00a0MiB";
R.span = (seconds) => {
  const s = Math.round(seconds);
  if (s < 60) {
    return s + "\u00a0s";
  }
  if (s < 3600) {
    return Math.floor(s / 60) + "\u00a0min" +
      (s % 60 ? " " + (s % 60) + "\u00a0s" : "");
  }
  const min = Math.round(s / 60);
  return Math.floor(min / 60) + "\u00a0h" +
    (min % 60 ? " " + (min % 60) + "\u00a0min" : "");
};

/* --- Local time: of the model's zone, never of the reader's browser ------- */

R.offsetMs = (ms) => {
  let seconds = 0;
  for (const [from, offset] of R.D.meta.zone.offsets) {
    if (ms >= from) {
      seconds = offset;
    }
  }
  return seconds * 1000;
};
R.local = (ms) => new Date(ms + R.offsetMs(ms));
const two = (n) => String(n).padStart(2, "0");
R.clock = (ms) => {
  const d = R.local(ms);
  return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
};
R.clockS = (ms) => R.clock(ms) + ":" + two(R.local(ms).getUTCSeconds());
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
                "Oct", "Nov", "Dec"];
R.day = (ms) => {
  const d = R.local(ms);
  return DAYS[d.getUTCDay()] + " " + d.getUTCDate() + " " +
    MONTHS[d.getUTCMonth()];
};
/* Ticks of an axis of time, in seconds: days where they are that far apart. */
R.ticks = (splits) => splits.map((s, i) => {
  const d = R.local(s * 1000), days = splits[1] - splits[0] > 23 * 3600 - 1;
  const month = i === 0 || d.getUTCDate() < R.local(splits[i - 1] * 1000)
    .getUTCDate();
  return !days ? R.clock(s * 1000)
    : d.getUTCDate() + (month ? " " + MONTHS[d.getUTCMonth()] : "");
});
R.date = (ms) => R.day(ms) + " " + R.local(ms).getUTCFullYear();
R.stamp = (ms) => R.date(ms) + ", " + R.clock(ms);

/* --- Names -------------------------------------------------------------- */

R.host = (ix) => typeof ix === "number" ? R.D.hosts[ix][0] : ix;
R.rack = (host) => {
  const rack = R.D.hosts[host][1];
  return rack < 0 ? "no rack" : R.D.racks[rack];
};

/* --- Pieces that several sections use ------------------------------------ */

/* columns: [{name, num, why}]; rows: arrays of text or nodes. */
R.table = (caption, columns, rows, foot) => {
  const cell = (tag, value, column) =>
    R.el(tag, { class: column.num ? "num" : column.why ? "why" : "tight",
                scope: tag === "th" ? "row" : null }, value);
  const line = (row) => R.el("tr", {}, ...row.map((value, i) =>
    cell(i ? "td" : "th", value, columns[i])));
  return R.el("div", { class: "table-wrap" }, R.el("table", { class: "grid" },
    caption ? R.el("caption", {}, caption) : null,
    R.el("thead", {}, R.el("tr", {}, ...columns.map((c) =>
      R.el("th", { scope: "col", class: c.num ? "num" : null }, c.name)))),
    R.el("tbody", {}, ...rows.map(line)),
    foot ? R.el("tfoot", {}, ...foot.map(line)) : null));
};
R.note = (text) => R.el("p", { class: "note" }, text);
R.fine = (text) => R.el("p", { class: "fine" }, text);
R.facts = (pairs) => R.el("dl", { class: "facts" },
  ...pairs.filter((p) => p).flatMap(([name, value]) =>
    [R.el("dt", {}, name), R.el("dd", {}, value)]));
R.key = (items) => R.el("ul", { class: "key" }, ...items.map(([mark, text]) =>
  R.el("li", {}, mark, text)));
R.swatch = (color, height = 10) => {
  const svg = R.svg("svg", { width: 16, height: 12, "aria-hidden": "true" });
  svg.append(R.svg("rect", { x: 0, y: (12 - height) / 2, width: 16, height,
                             rx: 2, fill: color }));
  return svg;
};

R.tip = (event, text) => {
  const tip = R.byId("tip");
  if (!text) {
    tip.hidden = true;
    return;
  }
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const x = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  const below = event.clientY + 18;
  tip.style.left = Math.max(8, x) + "px";
  tip.style.top = (below + box.height > innerHeight
    ? event.clientY - box.height - 12 : below) + "px";
};
/* Shows node.tipText of what the pointer is over. */
R.tips = (root) => {
  root.addEventListener("pointermove", (event) =>
    R.tip(event, event.target.tipText));
  root.addEventListener("pointerleave", (event) => R.tip(event, ""));
};
