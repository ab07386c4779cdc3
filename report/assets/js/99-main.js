/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Runs the parts; one that fails says so in its place and leaves the others
 * be.  Then what the whole page needs: contents, theme, width, print. */

(() => {
  const failed = [];
  for (const part of R.parts) {
    try {
      part.draw();
    } catch (error) {
      failed.push(error);
      R.byId(part.id).append(R.el("p", { class: "verdict bad" },
        "This part could not be drawn: " + error.message));
    }
  }

  const links = [...document.querySelectorAll("section[data-toc]")].map((s) => {
    const a = R.el("a", { href: "#" + s.id }, s.dataset.toc);
    R.byId("toc").append(R.el("li", {}, a));
    return [s, a];
  });
  const mark = () => {
    let here = null;
    for (const [section, a] of links) {
      if (section.getBoundingClientRect().top < 120) {
        here = a;
      }
    }
    links.forEach(([, a]) => a === here ? a.setAttribute("aria-current", "true")
      : a.removeAttribute("aria-current"));
  };
  addEventListener("scroll", mark, { passive: true });

  const again = () => R.redraw.forEach((draw) => draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = innerWidth, timer = 0;
  addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (innerWidth !== width) {
        width = innerWidth;
        again();
      }
    }, 120);
  });
  addEventListener("beforeprint", () => {
    document.documentElement.dataset.print = "";
    R.beforePrint.forEach((f) => f());
    again();
  });
  addEventListener("afterprint", () => {
    delete document.documentElement.dataset.print;
    again();
  });

  R.byId("foot").textContent = "Written by dcplan " + R.D.meta.version +
    ". One file, no connection to anywhere. Charts: uPlot, MIT licence, " +
    "\u00a9 Leon Sorokin.";
  document.documentElement.dataset.ready = failed.length ? "failed" : "yes";
  failed.forEach((error) => { console.error(error); });
})();
