/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Heat maps of the plan's hours and of the measured history. */

const heatViews = () => {
  const views = [{
    name: "The plan’s hours",
    note: "Planned demand. In the hour of a leg, the mean over that hour.",
    wide: false,
    map: { hours: R.D.heat.plan.hours, tickHours: 3 },
    before: R.bytes(R.D.heat.plan.before),
    after: R.bytes(R.D.heat.plan.after),
  }];
  const past = R.D.heat.past;
  if (past) {
    const hours = Array.from({ length: past.n }, (v, i) =>
      past.start + i * 3600000);
    views.push({
      name: "Measured history",
      note: R.num(Math.round(past.n / 24)) + " days of raw samples, replayed " +
        "on both placements; hourly means, labels are days of the month." +
        (R.D.risk && R.D.risk.in_sample
          ? " In-sample: the plan was made from this history." : ""),
      wide: true,
      map: { hours, tickHours: 24 },
      before: R.bytes(past.before), after: R.bytes(past.after),
    });
  }
  return views;
};

R.parts.push({ id: "heat", draw: () => {
  const root = R.byId("heat-maps");
  const views = heatViews();
  const note = R.el("p", { class: "fine" });
  const maps = R.el("div", {});
  const keyBox = R.el("div", {});
  const tabs = R.el("div", { class: "tabs", role: "group",
                             "aria-label": "What the map shows" });
  let shown = [];

  const show = (view) => {
    maps.className = view.wide ? "" : "pair";
    note.textContent = view.note;
    maps.replaceChildren();
    shown = [["Without the plan", view.before], ["With the plan", view.after]]
      .map(([title, cells]) => {
        const map = new HeatMap(view.map, cells);
        const f = R.figure(title, null);
        map.canvas.setAttribute("aria-label", "CPU by host and hour, " +
          title.toLowerCase() + ". Arrow keys read out cells.");
        f.box.append(map.canvas, map.live);
        maps.append(f.figure);
        return map;
      });
    shown.forEach((map) => map.draw());
    [...tabs.children].forEach((b, i) =>
      b.setAttribute("aria-pressed", String(views[i] === view)));
  };
  views.forEach((view) => tabs.append(R.el("button",
    { type: "button", onclick: () => show(view) }, view.name)));
  root.append(R.el("div", { class: "heat-head" }, keyBox,
    views.length > 1 ? tabs : null), note, maps);
  keyBox.append(heatKey());
  show(views[0]);
  R.redraw.push(() => {
    keyBox.replaceChildren(heatKey());
    shown.forEach((map) => map.draw());
  });
} });
