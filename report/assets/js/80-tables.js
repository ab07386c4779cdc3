/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Licences, hosts switched off, failures, assumptions, and how to get the
 * same plan again. */

R.parts.push({ id: "licences", draw: () => {
  const root = R.byId("licences-body"), rows = R.D.licences;
  if (!rows.length) {
    root.append(R.note("The model declares no licences."));
    return;
  }
  root.append(R.note("Units by each product’s own counting rule, at the most " +
    "that is needed over the plan’s hours. " + (R.D.legs.length > 1
      ? "A VM that returns in the morning saves no licence: what it needs by " +
        "day must be owned by day, and a product that counts wherever it ever " +
        "ran counts the night’s hosts as well."
      : "The plan brings nothing back, so its placement is what counts.")));
  const units = (v) => R.num(v, Number.isInteger(v) ? 0 : 1);
  root.append(R.table(null, [{ name: "Licence" }, { name: "Counted per" },
    { name: "VMs", num: true }, { name: "Units, without", num: true },
    { name: "with plan", num: true }, { name: "night alone", num: true },
    { name: "Owned", num: true }, { name: "Short", num: true },
    { name: R.D.meta.currency + " a year", num: true }],
    rows.map((l) => [l[0], l[1], R.num(l[9]), units(l[2]), units(l[3]),
      units(l[8]), units(l[4]), units(Math.max(0, l[3] - l[4])),
      R.num(l[3] * l[7])])));
  const fewer = rows.filter((l) => l[3] < l[2]).map((l) => l[0] + " (" +
    units(l[2] - l[3]) + ")");
  const more = rows.filter((l) => l[3] > l[2]).map((l) => l[0] + " (" +
    units(l[3] - l[2]) + ")");
  root.append(R.note(
    (fewer.length ? "Fewer units needed: " + fewer.join(", ") + ". "
      : "No licence needs fewer units because of this plan. ") +
    (more.length ? "More units needed: " + more.join(", ") + "." : "")));
} });

const ROWS_MAX = 500;

R.parts.push({ id: "off", draw: () => {
  const root = R.byId("off-body"), D = R.D;
  if (!D.off.length) {
    root.append(R.note("No host is switched off."));
    return;
  }
  root.append(R.note("What each host does not draw while it is off, " +
    "against leaving it on with its VMs: at the meter, after standby, " +
    "shutdown and boot. The hosts that take its VMs draw more; that is the " +
    "line below."));
  const money = (v) => D.meta.priced ? R.num(v, 2) : "\u2013";
  const sum = (k) => D.off.reduce((a, o) => a + o[k], 0);
  const line = (name, kwh, cost) => [name, "", "", "", "", R.num(kwh, 2),
                                     money(cost)];
  root.append(R.table(null, [{ name: "Host" }, { name: "Rack" },
    { name: "Model" }, { name: "Off" }, { name: "For", num: true },
    { name: "kWh", num: true },
    { name: D.meta.currency || "Cost", num: true }],
    D.off.slice(0, ROWS_MAX).map((o) => [R.host(o[0]), R.rack(o[0]),
      D.hardware[D.hosts[o[0]][2]], R.clock(o[1]) + "\u2013" + R.clock(o[2]),
      R.span((o[2] - o[1]) / 1000), R.num(o[3], 2), money(o[4])]),
    [line("Switched-off hosts, while off", sum(3), sum(4)),
     line("All hosts, with the VMs they take", D.off_rest_kwh,
          D.off_rest_cost),
     line("Net", sum(3) + D.off_rest_kwh, sum(4) + D.off_rest_cost)]));
  if (D.off.length > ROWS_MAX) {
    root.append(R.fine("The first " + ROWS_MAX + " of " + R.num(D.off.length) +
                       " hosts are listed; the sums are over all."));
  }
} });

R.parts.push({ id: "survive", draw: () => {
  const root = R.byId("survive-body"), D = R.D, q = D.quality;
  const asked = q.headroom.map(([kind, n]) => R.count(n, kind, kind + "s"));
  if (!D.survive.length) {
    root.append(R.note(asked.length
      ? "The policy asks to survive the loss of " + asked.join(" or ") +
        ", but the plan lists no losses."
      : "The policy asks for no headroom: nothing is promised if a host fails."));
    return;
  }
  root.append(R.note((asked.length ? "Any " + asked.join(" or ") +
    " may be lost: " : "") + "every protected VM that would be lost has a " +
    "place named for it on hosts that are on at that moment, at planned " +
    "demand and allocated memory. " + (D.check && D.check.pass
      ? "The checker verified each of " + R.count(D.n_survive, "list",
        "lists") + "." : "This was not verified.")));
  D.legs.forEach((leg, i) => {
    const rows = D.survive.filter((s) => s[0] === i);
    if (!rows.length) {
      return;
    }
    const hard = rows.slice().sort((a, b) => b[3] - a[3]);
    const open = rows.reduce((a, s) => a + s[5], 0);
    root.append(R.el("h3", {}, "After the " + leg.leg + " leg"),
      R.note(R.count(rows.length, "loss", "losses") + " covered; the largest, " +
        hard[0][1] + " " + hard[0][2] + ", restarts " +
        R.count(hard[0][3], "VM", "VMs") + " on " +
        R.count(hard[0][4], "host", "hosts") + "." + (open
          ? " VMs of tiers that are not protected have no promise." : "")));
    const table = (list) => R.table(null, [{ name: "Lost" }, { name: "Name" },
      { name: "VMs restarted", num: true }, { name: "on hosts", num: true },
      { name: "not protected", num: true }],
      list.map((s) => [s[1], s[2], R.num(s[3]), R.num(s[4]), R.num(s[5])]));
    root.append(R.el("details", {}, R.el("summary", {}, rows.length > ROWS_MAX
      ? "The " + ROWS_MAX + " largest losses" : "All losses"),
      table(hard.slice(0, ROWS_MAX))));
  });
} });

const sourceNames = ["own history", "short history: highest sample seen",
                     "profile in the model",
                     "nothing known: all that its vCPUs may use"];

R.parts.push({ id: "data", draw: () => {
  const root = R.byId("data-body"), D = R.D, q = D.quality;
  const total = q.by_source.reduce((a, b) => a + b, 0) || 1;
  const colors = ["--c-after", "--h2", "--c-on", "--c-off"];
  const bar = R.el("div", { class: "bar", role: "img", "aria-label":
    sourceNames.map((n, i) => n + ": " + q.by_source[i]).join("; ") });
  q.by_source.forEach((n, i) => {
    if (n) {
      const part = R.el("i", {});
      part.style.width = n / total * 100 + "%";
      part.style.backgroundColor = "var(" + colors[i] + ")";
      bar.append(part);
    }
  });
  const swatches = sourceNames.map((name, i) => {
    const box = R.el("i", { "aria-hidden": "true" });
    box.style.cssText = "display:inline-block;width:14px;height:8px;" +
      "border-radius:2px;background:var(" + colors[i] + ")";
    return [box, R.num(q.by_source[i]) + " VMs: " + name];
  }).filter((v, i) => q.by_source[i]);
  root.append(R.el("h3", {}, "Where planned demand comes from"), bar,
    R.key(swatches));
  root.append(R.facts([
    q.until && ["History used", R.stamp(q.from) + " to " + R.stamp(q.until)],
    ["Rule", "per hour of the day and kind of day: the tier’s percentile, " +
      "plus its margin" + (q.peak_factor > 0 ? ", at least " +
      R.num(q.peak_factor, 2) + " times the peak" : "") + ". Sums over a host " +
      "are sums of percentiles; joint figures are under Overload."],
    ["Samples at the VM’s limit", q.samples_at_limit
      ? R.num(q.samples_at_limit) + " of " + R.count(q.vms_at_limit, "VM",
        "VMs") + ": real demand may be higher; raised by " +
        R.percent(q.at_limit_raise_frac)
      : "none"],
    ["VMs that come or go", R.num(q.vms_partial) + " inside the history"],
    ["Kinds of day without history", R.num(q.class_fallback) +
      " VM and day pairs take the VM’s worst known kind"],
    ["Memory", "packed as " + q.memory_basis],
    ["Share of a host in use, at most", "CPU " +
      R.percent(q.target_cpu_frac) + ", memory " +
      R.percent(q.target_mem_frac) + ", network " +
      R.percent(q.target_net_frac)],
    ["Rules in force", R.num(q.rules)],
    ["Moves at once, per host", q.out_per_host + " out, " + q.in_per_host +
      " in"],
  ]));
  root.append(R.table(null, [{ name: "Tier" }, { name: "VMs", num: true },
    { name: "Percentile", num: true }, { name: "Margin", num: true },
    { name: "vCPUs per core", num: true },
    { name: "Memory overcommit", num: true }, { name: "Protected" }],
    q.tiers.map((t) => [t[0], R.num(t[5]), "p" + R.num(t[1] * 100),
      R.percent(t[2]), R.num(t[3], 1), R.num(t[4], 1),
      t[6] ? "yes" : "no"])));
} });

const shellWord = (text) => /^[\w.,:/=+@%-]+$/.test(text) ? text
  : "'" + text.replaceAll("'", "'\\''") + "'";

R.parts.push({ id: "again", draw: () => {
  const root = R.byId("again-body"), m = R.D.meta;
  const options = { ...m.options };
  const command = options.command || "consolidate";
  delete options.command;
  const words = ["dcplan", "--seed", String(m.seed), command];
  if (m.traces_until && !("until" in options)) {
    options.until = new Date(m.traces_until).toISOString()
      .replace(".000Z", "Z");
  }
  for (const [key, value] of Object.entries(options)) {
    if (!value || typeof value === "object" &&
        !Array.isArray(value)) {
      continue;
    }
    words.push("--" + key.replaceAll("_", "-"));
    if (value !== true) {
      words.push(shellWord(Array.isArray(value) ? value.join(",")
        : String(value)));
    }
  }
  words.push("-o", "plan.json");
  root.append(R.note("With the same model, traces and options the planner " +
    "gives the same plan, byte for byte, unless a time limit stopped it. Run " +
    "in the model’s directory and compare the digest."),
    R.el("pre", {}, words.join(" ") + "\ndcplan plan check plan.json"));
  root.append(R.facts([
    ["Plan", m.plan],
    ["Plan digest", R.el("code", {}, m.digest)],
    ["Model", R.el("span", {}, "lineage ", R.el("code", {}, m.lineage),
      ", serial " + m.serial)],
    ["Model digest", R.el("code", {}, m.model_digest)],
    ["Policy digest", R.el("code", {}, m.policy_digest)],
    ["Traces digest", m.traces_digest ? R.el("code", {}, m.traces_digest)
      : "no traces"],
    ["Valid", R.stamp(m.not_before) + " to " + R.stamp(m.not_after)],
    ["Planned by", "dcplan " + m.planner_version + " in " +
      R.num(m.solve_seconds, 2) + "\u00a0s of solving, seed " + m.seed],
  ]));
} });
