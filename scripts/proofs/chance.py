# SPDX-License-Identifier: GPL-3.0-or-later
"""How often hosts are overloaded on days that a plan was not fitted on.

VMs are packed once, for a weekday's 24 hours, from the history before a
Tuesday; where that ends is replayed from raw samples over the weekdays before
it (in-sample) and over the next eight (held out).  The way of planning CPU is
all that differs: the joint history at several eps, and the predictors of
"Take it to the Limit" (EuroSys 2021).  No headroom, CPU up to capacity, and no
margin, so that the prediction alone decides; on Bitbrains the margin stays, for
VMs there used up to 6 % more than they were given, which no plan allows them.
Two rows are as a user has it (margin, target 80 %, N+1).  The interval is a bootstrap over whole days, for
samples minutes apart are alike.

A second table takes the search apart (`--strategy`), for both ways to plan CPU,
and states each saving as a share of what a plan saves that knows the days."""
import datetime
import os
import random
import subprocess
import sys

from common import (DATA, Failed, copy_model, dcplan, dcplan_json, instant,
                    provenance, replace_in, table, text_of, work_dir)
import models

WORK = work_dir("chance")
HELD_OUT, BEFORE = 8, 10
DRAWS = 2000
# Name, policy lines, percentile; None: as it is.
PURE = [
    ("sum of percentiles, p95 (RC-like)", "", "p95"),
    ("sum of percentiles, p99 (RC-like)", "", "p99"),
    ("sum of peaks", "demand: peak", "p95"),
    ("N-sigma per VM, 3", "demand: nsigma", "p95"),
    ("max of p99 and 3-sigma", "demand: max", "p99"),
    ("Borg-default, 0.9 of what was given", "demand: ratio", "p95"),
    ("joint, eps 10 %", "overload: {eps: 10%}", "p95"),
    ("joint, eps 5 %", "overload: {eps: 5%}", "p95"),
    ("joint, eps 2 %", "overload: {eps: 2%}", "p95"),
    ("joint, eps 1 %", "overload: {eps: 1%}", "p95"),
    ("joint, eps 0 %", "overload: {eps: 0%}", "p95"),
]
EPS = {"10": 0.10, "5": 0.05, "2": 0.02, "1": 0.01, "0": 0.0}


HEAD = ["CPU planned as", "hosts on", "binds", "kWh a day", "planned, at most",
        "in-sample", "held out", "95 % interval", "worst host",
        "CPU not given"]


def planned_eps(policy):
    return EPS[policy.split("eps: ")[1].split("%")[0]] if "eps" in policy \
        else None


def weekdays(start, n, step):
    """n weekdays from 'start' on (step 1), or before it (step -1)."""
    day, out = instant(start), []
    if step < 0:
        day -= datetime.timedelta(days=1)
    while len(out) < n:
        if day.weekday() < 5:
            out.append(text_of(day))
        day += datetime.timedelta(days=step)
    return sorted(out)


def replay(model, usage, days):
    """One result per day, from where the model's VMs are."""
    return [dcplan_json("-C", model, "simulate", "--traces", usage,
                        "--policy", "none", "--from", day, "--to",
                        text_of(instant(day) + datetime.timedelta(days=1)))
            for day in days]


def share(days):
    return (sum(d["host_slots_overloaded"] for d in days)
            / sum(d["host_slots"] for d in days))


def bootstrap(days):
    rng = random.Random(7)
    draws = sorted(share(rng.choices(days, k=len(days)))
                   for _ in range(DRAWS))
    return draws[int(0.025 * DRAWS)], draws[int(0.975 * DRAWS) - 1]


def worst_host(days):
    seconds = {}
    for day in days:
        for host in day["overloaded_hosts"]:
            seconds[host["host"]] = (seconds.get(host["host"], 0)
                                     + host["seconds"])
    return max(seconds.values(), default=0) / (86400 * len(days))


def percent(x):
    return f"{100 * x:.2f} %"


def measure(model, usage, name, eps, until, *fit):
    """Packs, replays; the row of the table."""
    plan = f"{model}.json"
    facts = dcplan_json("-C", model, "--iterations", "3000", "--time-limit",
                        "60", "consolidate", "--traces", usage, "--until",
                        until, *fit, "-o", plan, ok=(0, 3))
    if facts["status"] == "infeasible":
        return [name, "more than there are"] + [""] * (len(HEAD) - 2)
    if facts["plan"]:
        dcplan("-C", model, "plan", "check", plan, "--traces", usage)
        dcplan("-C", model, "apply", plan, "--executor", "sim")
    start = until if not fit else fit[1]
    before = replay(model, usage, weekdays(start, BEFORE, -1))
    days = replay(model, usage, weekdays(start, HELD_OUT, 1))
    low, high = bootstrap(days)
    asked = sum(d["requested_cpu_mhz_s"] for d in days)
    return [name, facts["hosts_on_after"], facts["binding"],
            f"{sum(d['energy_kwh'] for d in days) / len(days):.1f}",
            "" if eps is None else percent(eps), percent(share(before)),
            percent(share(days)), f"{100 * low:.2f} to {percent(high)}",
            percent(worst_host(days)),
            f"{100 * sum(d['unmet_cpu_mhz_s'] for d in days) / asked:.3f} %"]


def variant(model, number, policy, changes):
    path = f"{model}-{number}"
    copy_model(model, path)
    dc = os.path.join(path, "dc.yaml")
    for old, new in changes:
        replace_in(dc, old, new)
    if policy:
        replace_in(dc, "\npolicy:\n", f"\npolicy:\n  {policy}\n")
    return path


def compare(model, until, pure, percentile, history):
    """'pure' takes target, headroom and margin away; 'history' lets so few
    days be enough."""
    usage = os.path.join(model, "usage.h5")
    rows = []
    for i, (name, policy, p) in enumerate(PURE):
        path = variant(model, i, policy,
                       pure + [(a, b.replace("@", p)) for a, b in percentile])
        rows.append(measure(path, usage, name, planned_eps(policy), until))
    end = text_of(instant(weekdays(until, HELD_OUT, 1)[-1])
                  + datetime.timedelta(days=1))
    path = variant(model, "oracle", "overload: {eps: 0%, samples: 4032}",
                   pure + [history])
    rows.append(measure(path, usage, "peak oracle (fitted on the held-out "
                        "days)", 0.0, end, "--fit-from", until))
    for i, policy in enumerate(("", "overload: {eps: 1%}")):
        path = variant(model, f"user-{i}", policy, [])
        rows.append(measure(path, usage, "as a user: " + (
            "joint, eps 1 %" if policy else "sum of percentiles"),
            planned_eps(policy), until))
    table(rows, HEAD)


def ablation(model, until, history):
    """As a user has it: parts of the search, beside perfect foresight."""
    usage = os.path.join(model, "usage.h5")
    days = weekdays(until, HELD_OUT, 1)
    end = text_of(instant(days[-1]) + datetime.timedelta(days=1))
    rows = []

    def packed(number, policy, changes, *more):
        path = variant(model, f"part-{number}", policy, changes)
        facts = dcplan_json("-C", path, "--iterations", "3000",
                            "--time-limit", "60", "consolidate", "--traces",
                            usage, *more, "-o", f"{path}.json")
        if facts["plan"]:
            dcplan("-C", path, "apply", f"{path}.json", "--executor", "sim")
        return facts, replay(path, usage, days)

    def kwh(replayed):
        return sum(d["energy_kwh"] for d in replayed) / len(replayed)

    at_first = kwh(replay(variant(model, "start", "", []), usage, days))
    _, wise = packed("wise", "overload: {eps: 0%, samples: 4032}", [history],
                     "--until", end, "--fit-from", until)
    for i, policy in enumerate(("", "overload: {eps: 1%}")):
        for how in ("ffd", "local", "lns", "full"):
            facts, then = packed(f"{i}-{how}", policy, [], "--until", until,
                                 "--strategy", how)
            low, high = bootstrap(then)
            saved = (at_first - kwh(then)) / (at_first - kwh(wise))
            rows.append([
                how, "joint, eps 1 %" if policy else "sum of percentiles",
                facts["hosts_on_after"], f"{facts['objective']['after']:.1f}",
                f"{facts['objective']['lower_bound']:.1f}", facts["moves"],
                f"{facts['run']['cpu_seconds']:.1f}", f"{kwh(then):.1f}",
                percent(share(then)), f"{100 * low:.2f} to {percent(high)}",
                f"{100 * saved:.0f} %"])
    table(rows, ["search", "CPU planned as", "hosts on", "goal", "bound",
                 "moves", "CPU s", "kWh a day", "held out, overload",
                 "95 % interval", "of the saving with foresight"])
    print(f"At first {at_first:.1f} kWh a day; with perfect foresight "
          f"{kwh(wise):.1f}.\n")


NO_RESERVE = [("goal: energy", "goal: energy\n  target: {cpu: 100%}"),
              ("  headroom: {survive: [{lose: host, count: 1}], protect: "
               "[live]}\n", "")]
SHORT = [("min_history: 7d", "min_history: 1h"),
         ("goal: energy", "goal: energy\n  buckets: one")]
# Trace, first held-out day, days, what else changes.
WINDOWS = [("bitbrains", "2013-08-08", 8, []),
           ("bitbrains", "2013-08-13", 8, []),
           ("bitbrains", "2013-08-20", 8, []),
           ("bitbrains-july", "2013-07-12", 8, []),
           ("bitbrains-july", "2013-07-19", 8, []),
           ("planetlab-1", "2011-03-22", 1, SHORT),
           ("planetlab-2", "2011-04-11", 1, SHORT)]
PLANETLAB = {"planetlab-1": ["20110303", "20110309", "20110322"],
             "planetlab-2": ["20110309", "20110322", "20110411"]}


def planetlab(name):
    """VMs that have a trace on each of three working days."""
    vms = None
    for day in PLANETLAB[name]:
        subprocess.run(["tar", "-xzf", f"{DATA}/planetlab/{day}.tar.gz", "-C",
                        WORK], check=True)
        here = set(os.listdir(f"{WORK}/{day}"))
        vms = here if vms is None else vms & here
    for day in PLANETLAB[name]:
        for vm in os.listdir(f"{WORK}/{day}"):
            if vm not in vms:
                os.remove(f"{WORK}/{day}/{vm}")
    size = f"{WORK}/size.csv"
    with open(size, "w", encoding="ascii") as f:
        f.write("vm,vcpus,core_mhz,mem_mib\n*,1,2400,2048\n")
    return models.nantes(WORK, name, [
        "planetlab", *[f"{WORK}/{day}" for day in PLANETLAB[name]],
        "--vm-size", size])


def windows():
    """Several held-out times, so that nothing is fitted to one of them."""
    made, rows = {}, []
    for tar in ("rnd-2013-8-even-250vms", "rnd-2013-7-subset-66vms"):
        subprocess.run(["tar", "--zstd", "-xf",
                        f"{DATA}/bitbrains/{tar}.tar.zst", "-C", WORK],
                       check=True)
    made["bitbrains"] = models.nantes(WORK, "bitbrains",
                                      ["bitbrains", f"{WORK}/2013-8"])
    made["bitbrains-july"] = models.nantes(WORK, "bitbrains-july",
                                           ["bitbrains", f"{WORK}/2013-7"])
    for name in PLANETLAB:
        made[name] = planetlab(name)
    for trace, first, n, changes in WINDOWS:
        for policy, p in (("", "p95"), ("demand: peak", "p95"),
                          ("demand: nsigma", "p95"),
                          ("overload: {eps: 5%}", "p95"),
                          ("overload: {eps: 1%}", "p95")):
            path = variant(made[trace], f"{first}-{len(rows)}", policy,
                           NO_RESERVE + changes)
            usage = os.path.join(made[trace], "usage.h5")
            facts = dcplan_json("-C", path, "--iterations", "60",
                                "consolidate", "--traces", usage, "--until",
                                f"{first}T00:00:00Z", "-o", f"{path}.json")
            if facts["plan"]:
                dcplan("-C", path, "apply", f"{path}.json", "--executor",
                       "sim")
            days = replay(path, usage, weekdays(f"{first}T00:00:00Z", n, 1))
            low, high = bootstrap(days)
            eps = planned_eps(policy)
            rows.append([trace, first, policy or "sum of percentiles, p95",
                         facts["hosts_on_after"],
                         "" if eps is None else percent(eps),
                         percent(share(days)),
                         f"{100 * low:.2f} to {percent(high)}",
                         percent(worst_host(days))])
    table(rows, ["trace", "from", "CPU planned as", "hosts on",
                 "planned, at most", "held out", "95 % interval",
                 "worst host"])


def main():
    provenance("chance")
    only = sys.argv[1:]
    if only == ["windows"]:
        windows()
        return
    if os.path.isdir(DATA) and "demo" not in only:
        subprocess.run(["tar", "--zstd", "-xf",
                        f"{DATA}/bitbrains/rnd-2013-8-even-250vms.tar.zst",
                        "-C", WORK], check=True)
        print("### Bitbrains, August 2013\n")
        model = models.nantes(WORK, "bitbrains",
                              ["bitbrains", f"{WORK}/2013-8"])
        compare(model, "2013-08-20T00:00:00Z",
                [("goal: energy", "goal: energy\n  target: {cpu: 100%}"),
                 ("  headroom: {survive: [{lose: host, count: 1}], protect: "
                  "[live]}\n", "")],
                [("percentile: p95", "percentile: @")],
                ("min_history: 7d", "min_history: 1h"))
        ablation(model, "2013-08-20T00:00:00Z",
                 ("min_history: 7d", "min_history: 1h"))
    elif not os.path.isdir(DATA):
        print(f"{DATA} is not here: the demo only.\n")
    if "bitbrains" not in only:
        print("### The demo\n")
        model = models.demo(WORK)
        compare(model, "2026-09-15T00:00:00Z",
                [("margin: 10%", "margin: 0%"),
                 ("cpu: 80%", "cpu: 100%"),
                 ("  headroom: {survive: [{lose: host, count: 1}], protect: "
                  "[live], relax: [spread, gather]}\n", "")],
                [("percentile: p95", "percentile: @")],
                ("policy:\n", "policy:\n  min_history: 1h\n"))
        ablation(model, "2026-09-15T00:00:00Z",
                 ("policy:\n", "policy:\n  min_history: 1h\n"))


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
