/* SPDX-License-Identifier: GPL-3.0-or-later */

/* All steps: searchable, sortable, shown in portions so that a thousand rows
 * cost nothing until they are asked for. */

const PORTION = 25, MORE = 500;

/* The reason of a step, from its template and its own numbers. */
const stepReason = (s) => {
  const [template, ...numbers] = s[8];
  return R.D.templates[template].map((text, i) =>
    i ? numbers[i - 1] + text : text).join("");
};

const stepColumns = [
  { name: "Leg", key: (s) => s[0], show: (s) => R.D.legs[s[0]].leg },
  { name: "Starts", key: (s) => R.D.legs[s[0]].start + s[5] * 1000,
    show: (s) => R.clockS(R.D.legs[s[0]].start + s[5] * 1000), num: true },
  { name: "Step", key: (s) => R.kind(s), text: true,
    show: (s) => R.kind(s).replace("_", " ") },
  { name: "What", key: (s) => R.host(s[2]), text: true, label: true,
    show: (s) => R.host(s[2]) },
  { name: "From", key: (s) => s[3] === null ? "" : R.host(s[3]), text: true,
    label: true, show: (s) => s[3] === null ? "\u2013" : R.host(s[3]) },
  { name: "To", key: (s) => s[4] === null ? "" : R.host(s[4]), text: true,
    label: true, show: (s) => s[4] === null ? "\u2013" : R.host(s[4]) },
  { name: "Memory", key: (s) => s[9], num: true,
    show: (s) => s[9] ? R.kib(s[9]) : "\u2013" },
  { name: "Takes", key: (s) => s[6], num: true, show: (s) => R.span(s[6]) },
  { name: "Pause", key: (s) => s[10], num: true,
    show: (s) => s[10] ? R.num(s[10]) + "\u00a0ms" : "\u2013" },
  { name: "Why", key: (s) => R.D.reasons[s[7]] + stepReason(s), text: true, why: true,
    show: (s) => stepReason(s) || R.D.reasons[s[7]].replace("_", " ") },
];

/* Names sort as people count: h2 before h10. */
const natural = new Intl.Collator("en", { numeric: true }).compare;

class StepTable {
  constructor(root) {
    this.all = R.D.steps.map((s, i) => ({ s, i, text: stepColumns.map((c) =>
      c.show(s)).join(" ").toLowerCase() }));
    this.column = 1;
    this.down = false;
    this.limit = PORTION;
    this.build(root);
    this.show();
  }

  build(root) {
    const again = () => { this.limit = PORTION; this.show(); };
    this.search = R.el("input", { type: "search", id: "step-search",
      placeholder: "VM, host, reason \u2026", "aria-label":
      "Search the steps", autocomplete: "off", oninput: again });
    this.leg = R.el("select", { "aria-label": "Leg", onchange: again },
      R.el("option", { value: "" }, "all legs"),
      ...R.D.legs.map((leg, i) => R.el("option", { value: i }, leg.leg)));
    const kinds = [...new Set(R.D.steps.map((s) => s[1]))].sort((a, b) =>
      a - b);
    this.kind = R.el("select", { "aria-label": "Kind of step",
                                 onchange: again },
      R.el("option", { value: "" }, "all steps"),
      ...kinds.map((k) => R.el("option", { value: k },
                               R.D.kinds[k].replace("_", " "))));
    this.count = R.el("span", { class: "count", role: "status" });
    this.head = stepColumns.map((c, i) => R.el("th", { scope: "col",
      class: c.num ? "num" : null }, R.el("button", { type: "button",
        onclick: () => this.sort(i) }, c.name)));
    this.body = R.el("tbody", {});
    this.more = R.el("button", { class: "more", type: "button", onclick: () => {
      this.limit += MORE;
      this.show();
    } }, "Show " + MORE + " more");
    root.append(R.el("div", { class: "controls" }, this.search, this.leg,
      this.kind, this.count), R.el("div", { class: "table-wrap" },
      R.el("table", { class: "grid" }, R.el("thead", {}, R.el("tr", {},
        ...this.head)), this.body)), this.more);
  }

  sort(column) {
    this.down = this.column === column && !this.down;
    this.column = column;
    this.show();
  }

  matching() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const c = stepColumns[this.column], sign = this.down ? -1 : 1;
    return this.all.filter((row) =>
      (this.leg.value === "" || row.s[0] === Number(this.leg.value)) &&
      (this.kind.value === "" || row.s[1] === Number(this.kind.value)) &&
      words.every((w) => row.text.includes(w)))
      .sort((a, b) => sign * (c.text ? natural(c.key(a.s), c.key(b.s))
        : c.key(a.s) - c.key(b.s)) || a.i - b.i);
  }

  show() {
    const rows = this.matching();
    const shown = rows.slice(0, this.limit);
    this.body.replaceChildren(...shown.map(({ s }) => R.el("tr", {},
      ...stepColumns.map((c) => {
        const text = c.show(s);
        return R.el("td", { class: c.num ? "num" : c.why ? "why"
          : c.label && text.length > 18 ? "name" : "tight" }, text);
      }))));
    this.head.forEach((th, i) => i === this.column
      ? th.setAttribute("aria-sort", this.down ? "descending" : "ascending")
      : th.removeAttribute("aria-sort"));
    this.count.textContent = shown.length < rows.length
      ? R.num(shown.length) + " of " + R.num(rows.length) + " steps"
      : R.count(rows.length, "step", "steps");
    this.more.hidden = shown.length === rows.length;
  }
}

R.parts.push({ id: "moves", draw: () => {
  const root = R.byId("moves-body");
  if (!R.D.n_steps) {
    root.append(R.note("The plan has no steps."));
    return;
  }
  const table = new StepTable(root);
  if (R.D.steps.length < R.D.n_steps) {
    root.append(R.fine("The first " + R.num(R.D.steps.length) + " of " +
      R.num(R.D.n_steps) + " steps are in this page; the plan file has all."));
  }
  const cut = R.fine("");
  root.append(cut);
  R.beforePrint.push(() => {
    table.limit = Math.max(table.limit, 4 * PORTION);
    table.show();
    cut.textContent = table.more.hidden ? ""
      : "On paper: the first " + R.num(table.limit) + " steps.";
  });
} });
