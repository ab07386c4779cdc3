# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies beside each other on Bitbrains, PlanetLab and the demo: doing nothing,
the reactive band, greedy consolidation, CloudSim's LR-MMT, balance, and the
solver, on the day of `honest-saving`; then a backtest over weeks, who wins first
and who later, and how sure the night plans' savings are.
ONLY=demo takes one of them; NIGHTS=0 leaves the backtests out."""
import itertools
import math
import os
import subprocess
import sys

from common import (DATA, Failed, after_hours, dcplan_json, provenance,
                    replace_in, table, work_dir)
import models

WORK = work_dir("policies")
ONLY = os.environ.get("ONLY")
POLICIES = (("dpm", "1h"), ("consolidate", "1h"), ("lr-mmt:1.2", "1h"),
            ("balance", "1h"), ("solver", "6h"))
ITERATIONS = "1000"


def row(name, every, result, nothing):
    asked = result["requested_cpu_mhz_s"]
    saved = nothing["energy_kwh"] - result["energy_kwh"]
    return [name, every, f"{result['energy_kwh']:.1f}", f"{saved:.1f}",
            f"{result['hosts_on_mean']:.1f}", result["migrations"],
            result["host_shutdowns"] + result["host_boots"],
            f"{result['overload_host_seconds'] / 60:.0f}",
            f"{100 * result['unmet_cpu_mhz_s'] / asked:.3f} %"]


def one_day(model, start):
    """A table of what each policy does from 'start' on for 24 hours."""
    rows, nothing = [], None
    for policy, every in POLICIES:
        result = dcplan_json(
            "-C", model, "simulate", "--policy", policy, "--every", every,
            "--iterations", ITERATIONS, "--time-limit", "120", "--from", start,
            "--to", after_hours(start, 24))
        if not nothing:
            nothing = result["baseline"]
            rows.append(row("none", "", nothing, nothing))
        rows.append(row(policy, every, result, nothing))
    print(f"24 hours from {start}, from the model's present placement:\n")
    table(rows, ["policy", "asked every", "kWh", "saved", "hosts on, mean",
                 "moves", "switches", "overload, host-min", "CPU not given"])


def figure(row, scale, digits, between):
    """A mean, and what lies on both sides of it."""
    low, high = (scale * row[key] for key in between)
    mean = f"{scale * row['mean']:.{digits}f}"
    return f"{mean} ({low:.{digits}f} to {high:.{digits}f})"


def other_nights(model, until):
    """One night's plan on drawn nights that it was not fitted on, with hosts
    that fail."""
    plan = f"{model}-one.json"
    dcplan_json("-C", model, "consolidate", "--window", "22:00-06:00",
                "--until", until, "--iterations", ITERATIONS, "--time-limit",
                "120", "-o", plan)
    result = dcplan_json(
        "-C", model, "simulate", plan, "--bootstrap", "1", "--bootstrap-from",
        until, "--failures", "host=365d/4h", "--replications", "1000")
    x = result["replications"]
    means = {r["of"]: r for r in x["means"]}
    rows = []
    spread, sure = ("p10", "p90"), ("low", "high")
    for key, what, scale, digits, between in (
            ("energy_kwh", "energy, kWh", 1, 1, spread),
            ("overload_host_seconds", "overload, host-min", 1 / 60, 0, spread),
            ("unmet_cpu_frac", "CPU not given, %", 100, 3, spread),
            ("down_vm_s", "downtime, VM-min", 1 / 60, 2, sure)):
        r = means[key]
        rows.append([what, *(figure(x, scale, digits, between) for x in
                             (r["baseline"], r, r["difference"]))])
    drawn = x["bootstrap"]
    print(f"A plan made from what came before {until}, on {x['done']} nights "
          f"drawn from the {drawn['source_days']} after it (of its class of "
          f"day: {drawn['windows']}), `--failures host=365d/4h`; mean, and what "
          "80 % are between (downtime: the 95 % interval of its mean):\n")
    table(rows, ["", "without plan", "with plan", "difference"])


def weeks(model, window, nights):
    """Nights planned and replayed, and policies on the same nights."""
    nights = os.environ.get("NIGHTS", nights)
    if nights == "0":
        return
    back = dcplan_json(
        "-C", model, "simulate", "--backtest", nights, "--window", window,
        "--iterations", "200", "--time-limit", "120", "--every", "1h",
        "--policy", ",".join(p for p, _ in POLICIES if p != "solver"))
    print(f"`simulate --backtest {nights} --window {window}`, each night planned "
          "from what came before it:\n")
    nights_table(back)
    ranking(back)


def nights_table(back):
    rows = []
    for night in back["nights"]:
        low = night["expected_kwh_saved_low"]
        rows.append([
            night["start"][:10], f"{night['planned_kwh_saved']:.1f}",
            f"{night['kwh_saved']:.1f}",
            "" if low is None else
            f"{low:.1f} to {night['expected_kwh_saved_high']:.1f}",
            {None: "", True: "in", False: "OUT"}[night["covered"]],
            f"{night['hosts_on_mean_before']:.1f}",
            f"{night['hosts_on_mean']:.1f}", night["migrations"],
            f"{night['overload_host_minutes_before']:.0f}",
            f"{night['overload_host_minutes']:.0f}",
            f"{night['overload_minutes']:.0f}",
            f"{night['overload_longest_minutes']:.0f}"])
    table(rows, ["night of", "planned kWh", "saved kWh", "80 % interval", "",
                 "hosts was", "hosts is", "moves", "overload was, host-min",
                 "is", "minutes with any", "longest"])
    for what, cover in (("Saved was in its", back["coverage"]),
                        ("Minutes with overload were in their",
                         back["coverage_overload"])):
        print(f"- {what} 80 % interval on {cover['covered']} of "
              f"{cover['nights']} nights, {100 * cover['covered_frac']:.0f} % "
              f"(95 % interval {100 * cover['low']:.0f} to "
              f"{100 * cover['high']:.0f} %): "
              f"{cover['verdict'].replace('_', ' ')}.")
    for key, unit in (("planned_kwh_saved", "kWh"), ("kwh_saved", "kWh"),
                      ("overload_host_minutes", "host-minutes"),
                      ("overload_longest_minutes", "minutes")):
        m = back["mean"][key]
        print(f"- `{key}`: {m['mean']:.1f} {unit}, 80 % interval "
              f"{m['low']:.1f} to {m['high']:.1f}.")
    print()


def ranking(back):
    first = back["ranking"]["first_half_nights"]
    rows = [[p["policy"], f"{p['first_half']['kwh_saved']:.1f}",
             f"{p['second_half']['kwh_saved']:.1f}",
             f"{p['first_half']['overload_host_minutes']:.0f}",
             f"{p['second_half']['overload_host_minutes']:.0f}",
             p["migrations"]] for p in back["policies"]]
    table(rows, [f"of the first {first} nights, and the other "
                 f"{back['backtest'] - first}", "saved kWh", "then",
                 "overload, host-min", "then", "moves"])
    r = back["ranking"]
    lead = r["lead_kwh_in_second_half"]
    print(f"- First {r['first_half_winner']} saves most, then "
          f"{r['second_half_winner']}; then the first winner saves "
          f"{lead['mean']:.1f} kWh a night more than {r['first_half_second']} "
          f"(80 % interval {lead['low']:.1f} to {lead['high']:.1f}).")
    for key, what in (("kendall_kwh_saved", "energy saved"),
                      ("kendall_overload", "overload")):
        k = r[key]
        if k["tau"] is None:
            print(f"- By {what}: one half tells nobody apart.")
        else:
            print(f"- Order by {what}: Kendall's tau {k['tau']:.2f}, "
                  f"p = {k['p_value']:.3f}.")
    print()


def tau(a, b):
    """Kendall's tau-b; nan where one side tells nobody apart."""
    def sign(x):
        return (x > 0) - (x < 0)
    pairs = list(itertools.combinations(range(len(a)), 2))
    s = sum(sign(a[i] - a[k]) * sign(b[i] - b[k]) for i, k in pairs)
    apart = [sum(x[i] != x[k] for i, k in pairs) for x in (a, b)]
    return s / (apart[0] * apart[1]) ** 0.5 if all(apart) else math.nan


def without_a_break(model, start, days):
    """Each policy over two halves, from the model's placement at the start of
    each and on from there; the solver asked once a day."""
    middle = after_hours(start, 24 * days)
    halves = ((start, middle), (middle, after_hours(middle, 24 * days)))
    rows, saved, over = [], ([], []), ([], [])
    for policy, every in (("none", "1h"), *POLICIES[:-1], ("solver", "24h")):
        cells = []
        for h, (begin, end) in enumerate(halves):
            result = dcplan_json(
                "-C", model, "simulate", "--policy", policy, "--every", every,
                "--iterations", "200", "--time-limit", "120", "--from", begin,
                "--to", end)
            nothing = result.get("baseline", result)
            saved[h].append((nothing["energy_kwh"] - result["energy_kwh"])
                            / days)
            over[h].append(result["overload_host_seconds"] / 60 / days)
            cells.append(result["migrations"])
        rows.append([policy, "" if policy == "none" else every,
                     f"{saved[0][-1]:.1f}", f"{saved[1][-1]:.1f}",
                     f"{over[0][-1]:.0f}", f"{over[1][-1]:.0f}",
                     sum(cells)])
    print(f"Without a break, {days} days from {start} and the {days} after them, "
          "each half from the model's placement; a day:\n")
    table(rows, ["policy", "asked every", "saved kWh", "then",
                 "overload, host-min", "then", "moves"])
    print(f"- Kendall's tau by energy saved {tau(*saved):.2f}, by overload "
          f"{tau(*over):.2f}.\n")


def bitbrains():
    print("### Bitbrains, August 2013\n")
    subprocess.run(["tar", "--zstd", "-xf",
                    f"{DATA}/bitbrains/rnd-2013-8-even-250vms.tar.zst",
                    "-C", WORK], check=True)
    model = models.nantes(WORK, "bitbrains", ["bitbrains", f"{WORK}/2013-8"])
    one_day(model, "2013-08-20T22:00:00Z")
    other_nights(model, "2013-08-20T00:00:00Z")
    weeks(model, "22:00-06:00", "26")
    without_a_break(model, "2013-08-04T22:00:00Z", 13)


def planetlab():
    print("### PlanetLab, 3 March 2011\n")
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
    one_day(model, "2011-03-03T00:00:00Z")


def demo():
    print("### The demo\n")
    model = models.demo(WORK)
    one_day(model, "2026-09-22T20:00:00Z")
    other_nights(model, "2026-09-15T00:00:00Z")
    weeks(model, "22:00-06:00", "26")
    without_a_break(model, "2026-08-29T20:00:00Z", 13)


def main():
    provenance("policies")
    if not os.path.isdir(DATA):
        print(f"{DATA} is not here: the demo only.\n")
    for part in (bitbrains, planetlab, demo):
        if (part is demo or os.path.isdir(DATA)) and \
                ONLY in (None, part.__name__):
            part()
            sys.stdout.flush()


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
