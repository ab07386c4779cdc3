# SPDX-License-Identifier: GPL-3.0-or-later
"""What parking test VMs overnight saves, and what it costs.

The demo, one working night and one before a weekend day: the same plan with
nobody parked (`--no-park`), and with the VMs of tier `test` saved or shut down
between 20:00 and 07:00, back by 06:30, so many at a time in each pool.  Each is
replayed on raw samples that it was not fitted on, over 24 hours.  Disk is the
memory of saved VMs; restoring is from the first vm_restore to the end of the
last, by the plan's estimates and waits."""
import datetime
import json
import os
import sys

from common import (copy_model, dcplan, dcplan_json, instant, provenance,
                    replace_in, table, text_of, work_dir)
import models

WORK = work_dir("parking")
NIGHTS = ["2026-09-22", "2026-09-18"]
CASES = [("nobody", None, 0), ("saved", "save", 4), ("saved", "save", 16),
         ("shut down", "shutdown", 4), ("shut down", "shutdown", 16)]


def variant(model, night, how, at_once):
    path = f"{model}-{night}-{how}-{at_once}"
    copy_model(model, path)
    if how:
        replace_in(os.path.join(path, "dc.yaml"), "\npolicy:\n",
                   "\npolicy:\n  parking:\n    - {vms: [tier:test], window: "
                   f"20:00-07:00, by: {how}, wake: \"06:30\"}}\n"
                   f"  parks_at_once: {at_once}\n")
    return path


def spans(plan, kind):
    """(begin, end) of each step of the kind, each as soon as what it waits for
    has ended: a lower estimate, for limits of hosts are not looked at."""
    starts = {leg["leg"]: instant(leg["start"]).timestamp()
              for leg in plan["legs"]}
    end, out = {}, []
    for step in plan["steps"]:
        begin = max([end[i] for i in step["after"]]
                    + [starts[step["leg"]]])
        end[step["id"]] = begin + step["estimate_ms"] / 1000
        if step["kind"] == kind:
            out.append((begin, end[step["id"]]))
    return out


def saved_gib(model, plan):
    vms = {step["object"] for step in plan["steps"]
           if step["kind"] == "vm_park"}
    shown = dcplan_json("-C", model, "model", "show", "vms")["vms"]
    gib = {"GiB": 1, "MiB": 1 / 1024}
    return sum(float(row["memory"][:-3]) * gib[row["memory"][-3:]]
               for row in shown if f"vm:{row['name']}" in vms)


def measure(model, usage, night, name, at_once):
    start = f"{night}T20:00:00Z"
    until = f"{night}T00:00:00Z"
    file = f"{model}.json"
    facts = dcplan_json("-C", model, "--iterations", "200", "consolidate",
                        "--traces", usage, "--window", "22:00-06:00",
                        "--until", until, *([] if at_once else ["--no-park"]),
                        "-o", file)
    dcplan("-C", model, "plan", "check", file, "--traces", usage)
    end = text_of(instant(start) + datetime.timedelta(days=1))
    day = dcplan_json("-C", model, "simulate", file, "--traces", usage,
                      "--from", start, "--to", end)
    with open(file, encoding="utf-8") as f:
        plan = json.load(f)
    back = spans(plan, "vm_restore")
    took = (max(e for _, e in back) - min(b for b, _ in back)) / 60 \
        if back else 0
    return [night, name, at_once or "", len(back),
            facts["hosts_on_after"], f"{day['hosts_on_mean']:.1f}",
            f"{day['energy_kwh']:.1f}", facts["moves"],
            f"{saved_gib(model, plan):.0f}" if name == "saved" else "0",
            f"{took:.0f}",
            *(f"{leg['makespan_ms'] / 60000:.0f}" if "makespan_ms" in leg
              else f"{plan['predicted']['makespan_ms'][leg['leg']] / 60000:.0f}"
              for leg in plan["legs"]),
            f"{day['overload_host_seconds'] / 60:.0f}"]


def main():
    provenance("parking")
    model = models.demo(WORK)
    usage = os.path.join(model, "usage.h5")
    rows = [measure(variant(model, night, how, at_once), usage, night, name,
                    at_once)
            for night in sys.argv[1:] or NIGHTS
            for name, how, at_once in CASES]
    table(rows, ["night of", "test VMs", "at once", "parked",
                 "hosts on at night", "hosts on, mean", "kWh a day", "moves",
                 "disk, GiB", "restoring, min", "evening, min", "morning, min", "overload, host-min"])


main()
