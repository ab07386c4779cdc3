/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Host x hour heat maps on canvas: one byte per cell, drawn once per theme and
 * width.  The pointer or the arrow keys pick a cell. */

R.bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

/* --- Colours ------------------------------------------------------------ */

const heatRgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2),
                                                       16));
R.heatColors = () => {
  const stops = ["--h0", "--h1", "--h2", "--h3", "--h4"].map((n) =>
    heatRgb(R.color(n)));
  const target = R.D.util.target_cpu_frac;
  const table = [];
  for (let v = 0; v < 254; v++) {
    const load = v / R.D.heat.per_unit;
    if (load > 1) {
      table.push(R.color("--h-over"));
    } else if (load > target + 1e-9) {
      table.push(R.color("--h-warm"));
    } else {
      const at = Math.min(load / target, 1) * (stops.length - 1);
      const i = Math.min(Math.floor(at), stops.length - 2);
      const mix = stops[i].map((c, k) =>
        Math.round(c + (stops[i + 1][k] - c) * (at - i)));
      table.push("rgb(" + mix.join(",") + ")");
    }
  }
  return table;
};

const hatch = (ctx) => {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const t = tile.getContext("2d");
  t.fillStyle = R.color("--h-offbg");
  t.fillRect(0, 0, 6, 6);
  t.strokeStyle = R.color("--h-hatch");
  t.lineWidth = 1;
  t.beginPath();
  for (const x of [-6, 0, 6]) {
    t.moveTo(x - 1, 7);
    t.lineTo(x + 7, -1);
  }
  t.stroke();
  return ctx.createPattern(tile, "repeat");
};

/* --- One map ------------------------------------------------------------ */

const GUTTER = 46, FOOT = 20, GAP = 5;

/* y of each row, with a gap before each new rack where racks are few. */
const heatLayout = (rows) => {
  const size = Math.max(2, Math.min(11, Math.floor(560 / rows.length)));
  const racks = new Set(rows.map((row) => row[1])).size;
  const gap = racks * 4 <= rows.length ? GAP : 0;
  const top = [];
  let y = 2;
  rows.forEach((row, i) => {
    y += i && row[1] !== rows[i - 1][1] ? gap : 0;
    top.push(y);
    y += size;
  });
  return { size, top, height: y + FOOT };
};

class HeatMap {
  constructor(map, cells) {
    this.map = map;   /* {hours: [ms], tickHours} */
    this.cells = cells;
    this.rows = R.D.heat.rows;
    this.layout = heatLayout(this.rows);
    this.at = null;
    this.canvas = R.el("canvas", { tabindex: 0, role: "img" });
    this.live = R.el("div", { class: "live", "aria-live": "polite" });
    this.canvas.addEventListener("pointermove", (e) => this.point(e));
    this.canvas.addEventListener("pointerleave", (e) => R.tip(e, ""));
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    this.canvas.addEventListener("blur", () => this.pick(null));
  }

  words(row, col) {
    const r = this.rows[row];
    const v = this.cells[row * this.map.hours.length + col];
    const what = v === R.D.heat.off ? "switched off"
      : "CPU " + R.percent(v / R.D.heat.per_unit) +
        (v >= 253 ? " or more" : "");
    return r[0] + " (" + R.rack(r[3]) + "), " + R.day(this.map.hours[col]) +
      " " + R.clock(this.map.hours[col]) + "\n" + what;
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left - GUTTER;
    const y = event.clientY - box.top;
    const col = Math.floor(x / this.cellWidth);
    const row = this.layout.top.findIndex((t) =>
      y >= t && y < t + this.layout.size);
    const inside = row >= 0 && col >= 0 && col < this.map.hours.length;
    R.tip(event, inside ? this.words(row, col) : "");
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0],
                   ArrowDown: [1, 0] }[event.key];
    if (!step) {
      return;
    }
    event.preventDefault();
    const [row, col] = this.at || [0, -step[1]];
    this.pick([Math.max(0, Math.min(this.rows.length - 1, row + step[0])),
               Math.max(0, Math.min(this.map.hours.length - 1,
                                    col + step[1]))]);
  }

  pick(at) {
    this.at = at;
    this.draw();
    this.live.textContent = at ? this.words(at[0], at[1]) : "";
  }

  draw() {
    const dpr = window.devicePixelRatio || 1;
    const width = Math.max(280, this.canvas.parentNode.clientWidth);
    const n = this.map.hours.length;
    this.canvas.width = Math.round(width * dpr);
    this.canvas.height = Math.round(this.layout.height * dpr);
    this.canvas.style.width = width + "px";
    this.canvas.style.height = this.layout.height + "px";
    this.cellWidth = (width - GUTTER - 2) / n;
    const ctx = this.canvas.getContext("2d");
    ctx.scale(dpr, dpr);
    this.drawCells(ctx, n);
    this.drawLabels(ctx, n);
    if (this.at) {
      ctx.strokeStyle = R.color("--ink");
      ctx.lineWidth = 2;
      ctx.strokeRect(GUTTER + this.at[1] * this.cellWidth,
                     this.layout.top[this.at[0]], this.cellWidth,
                     this.layout.size);
    }
  }

  drawCells(ctx, n) {
    const colors = R.heatColors(), off = hatch(ctx);
    const size = this.layout.size, gap = this.cellWidth > 6 ? 1 : 0;
    const tall = size > 4 ? 1 : 0;
    for (let r = 0; r < this.rows.length; r++) {
      const y = this.layout.top[r];
      for (let c = 0; c < n; c++) {
        const v = this.cells[r * n + c];
        const x = GUTTER + c * this.cellWidth;
        /* Cells without gaps reach to the next whole pixel: no seams. */
        const w = gap ? this.cellWidth - gap
          : Math.ceil(x + this.cellWidth) - x;
        ctx.fillStyle = v === R.D.heat.off ? off : colors[Math.min(v, 253)];
        ctx.fillRect(x, y, w, size - tall);
        if (v > R.D.heat.per_unit && v < 254 && gap) {
          ctx.fillStyle = R.color("--c-bg");
          ctx.fillRect(x + w / 2 - 1.5, y + (size - tall) / 2 - 1.5, 3, 3);
        }
      }
    }
  }

  drawLabels(ctx, n) {
    ctx.fillStyle = R.color("--c-ink");
    ctx.font = "11px " + getComputedStyle(document.body).fontFamily;
    ctx.textBaseline = "top";
    let free = 0;
    this.rows.forEach((row, i) => {
      const first = !i || row[1] !== this.rows[i - 1][1];
      if (first && this.layout.top[i] >= free) {
        ctx.fillText(R.rack(row[3]), 0, this.layout.top[i], GUTTER - 6);
        free = this.layout.top[i] + 12;
      }
    });
    const y = this.layout.height - FOOT + 6;
    let after = 0;
    for (let c = 0; c < n; c++) {
        /* A column may be longer than a tick, and begin between two. */
        const d = R.local(this.map.hours[c]);
        const tick = Math.floor(d / (this.map.tickHours * 3600e3));
        const last = c ? Math.floor(R.local(this.map.hours[c - 1]) /
                                    (this.map.tickHours * 3600e3))
                     : d % (this.map.tickHours * 3600e3) ? tick
                                                         : tick - 1;
        if (tick === last) {
            continue;
        }
      const text = this.map.tickHours === 24
        ? String(d.getUTCDate()) : R.clock(this.map.hours[c]).slice(0, 2);
      const x = GUTTER + c * this.cellWidth;
      if (x >= after) {
        ctx.fillText(text, x, y);
        after = x + ctx.measureText(text).width + 8;
      }
    }
  }
}

/* --- What the colours mean ---------------------------------------------- */

const heatKey = () => {
  const bar = R.svg("svg", { width: 120, height: 12, "aria-hidden": "true" });
  const colors = R.heatColors();
  const last = Math.floor(R.D.util.target_cpu_frac * R.D.heat.per_unit);
  for (let i = 0; i < 40; i++) {
    bar.append(R.svg("rect", { x: i * 3, y: 1, width: 3.2, height: 10,
      fill: colors[Math.round(i / 39 * last)] }));
  }
  const off = R.el("canvas", { width: 16, height: 10, "aria-hidden": "true" });
  const ctx = off.getContext("2d");
  ctx.fillStyle = hatch(ctx);
  ctx.fillRect(0, 0, 16, 10);
  const target = R.percent(R.D.util.target_cpu_frac);
  return R.key([[bar, "0 to " + target + " (target)"],
    [R.swatch(R.color("--h-warm")), "above target"],
    [R.swatch(R.color("--h-over")), "above capacity"],
    [off, "switched off"]]);
};
