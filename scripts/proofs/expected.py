# SPDX-License-Identifier: GPL-3.0-or-later
"""What plans promise and what comes of it: kWh saved by night plans at planned
demand, as expected (docs/expected.md), and replayed from raw samples of nights
that the plans had not seen.

  NIGHTS=N  the last N nights of each case (9)"""
import os
import subprocess
import sys

import models
from common import (DATA, Failed, copy_model, dcplan, dcplan_json, provenance,
                    replace_in, table, work_dir)

WORK = work_dir("expected")
NIGHTS = int(os.environ.get("NIGHTS", "9"))
HEAD = ["case", "nights", "planned kWh", "expected kWh", "replayed kWh",
        "planned misses by", "expected misses by"]


def row(name, nights):
    """Means, and by how much one night misses, on average."""
    planned, foreseen, saved = (
        [night[key] for night in nights]
        for key in ("planned_kwh_saved", "foreseen_kwh_saved", "kwh_saved"))

    def mean(values):
        values = list(values)
        return f"{sum(values) / len(values):.1f}"

    def miss(said):
        return mean(abs(a - b) for a, b in zip(said, saved))

    return [name, len(nights), mean(planned), mean(foreseen), mean(saved),
            miss(planned), miss(foreseen)]


def backtest(name, model, window="22:00-06:00"):
    back = dcplan_json("-C", model, "--iterations", "300", "simulate",
                       "--backtest", str(NIGHTS), "--window", window)
    return row(name, [n for n in back["nights"]
                      if n["status"] in ("optimal", "feasible")])


def demo(seed):
    work = os.path.join(WORK, f"seed-{seed}")
    os.makedirs(work)
    model = os.path.join(work, "demo")
    copy_model("examples/demo", model)
    dcplan("-C", model, "traces", "synth", "--days", "31",
           "--start", "2026-08-24T22:00:00Z", seed=seed)
    return backtest(f"demo, usage of seed {seed}", model)


def bitbrains():
    subprocess.run(["tar", "--zstd", "-xf",
                    f"{DATA}/bitbrains/rnd-2013-8-even-250vms.tar.zst",
                    "-C", WORK], check=True)
    model = models.nantes(WORK, "bitbrains", ["bitbrains", f"{WORK}/2013-8"])
    return backtest("Bitbrains, August 2013", model)


def planetlab():
    """Of one day, so planned from the day that is replayed."""
    subprocess.run(["tar", "-xzf", f"{DATA}/planetlab/20110303.tar.gz",
                    "-C", WORK], check=True)
    sizes = os.path.join(WORK, "sizes.csv")
    with open(sizes, "w", encoding="utf-8") as f:
        f.write("vm,vcpus,core_mhz,mem_mib\n*,1,2400,2048\n")
    model = models.nantes(WORK, "planetlab",
                          ["planetlab", f"{WORK}/20110303",
                           "--vm-size", sizes])
    replace_in(os.path.join(model, "dc.yaml"), "min_history: 7d",
               "min_history: 1h")
    plan = f"{model}.json"
    made = dcplan_json("-C", model, "--iterations", "300", "consolidate",
                       "--window", "00:00-06:00",
                       "--until", "2011-03-04T00:00:00Z", "-o", plan)["cost"]
    saved = dcplan_json("-C", model, "simulate", plan,
                        "--from", "2011-03-03T00:00:00Z",
                        "--to", "2011-03-04T00:00:00Z")["saved"]
    expected = made["expected"]
    return row("PlanetLab, 3 March 2011 (in-sample)", [{
        "planned_kwh_saved": made["energy_kwh_before"] -
                             made["energy_kwh_after"],
        "foreseen_kwh_saved": expected["energy_kwh_before"] -
                              expected["energy_kwh_after"],
        "kwh_saved": saved["energy_kwh"]}])


def main():
    provenance("expected")
    rows = [demo(seed) for seed in (7, 8, 9)]
    if os.path.isdir(DATA):
        rows += [bitbrains(), planetlab()]
    else:
        print(f"{DATA} is not here: the demo only.\n")
    table(rows, HEAD)


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
