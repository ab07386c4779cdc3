# SPDX-License-Identifier: GPL-3.0-or-later
"""Contradictory and huge rule sets: how long an answer takes, and whether the
conflict is named.  Random rules over 500 hosts and 8,000 VMs; with that many
VMs in so many rules some contradict each other by themselves, and `planted`
has one contradiction more.  LIMIT_S=10: the limit of each."""
import csv
import json
import os
import random
import resource
import time

from common import dcplan, work_dir

WORK = work_dir("rules")
MODEL = os.path.join(WORK, "model")
LIMIT_S = os.environ.get("LIMIT_S", "10")
SEED = 7
CASES = ((2000, "safe"), (2000, "planted"), (20000, "safe"),
         (20000, "planted"))


def names(table):
    with open(os.path.join(MODEL, table), encoding="utf-8") as file:
        return [row["name"] for row in csv.DictReader(file)]


def one_rule(rng, kinds, vms, hosts):
    def some(pool, least, most):
        return ", ".join(rng.sample(pool, rng.randint(least, most)))
    kind = rng.choice(kinds)
    if kind == "spread":
        return (f"rule: spread, vms: [{some(vms, 2, 6)}], "
                f"over: {rng.choice(['host', 'rack'])}")
    if kind == "ban":
        return (f"rule: ban, vms: [{some(vms, 1, 5)}], "
                f"hosts: [{some(hosts, 1, 20)}]")
    if kind == "fence":
        return (f"rule: fence, vms: [{some(vms, 1, 3)}], "
                f"hosts: [{some(hosts, 50, 200)}]")
    if kind == "gather":
        return f"rule: gather, vms: [{some(vms, 2, 2)}]"
    both = rng.sample(vms, 6)
    return (f"rule: separate, vms: [{', '.join(both[:3])}], "
            f"others: [{', '.join(both[3:])}], over: host")


def write_rules(path, n, case):
    rng = random.Random(SEED)
    vms, hosts = names("vms.csv"), names("hosts.csv")
    kinds = ["spread", "ban", "spread", "ban", "fence"]
    if case == "planted":
        kinds = ["spread", "ban", "fence", "gather", "separate"]
    rules = [one_rule(rng, kinds, vms, hosts) for _ in range(n)]
    if case == "planted":
        three = ", ".join(rng.sample(vms, 3))
        rules += [f"rule: spread, vms: [{three}]",
                  f"rule: fence, vms: [{three}], "
                  f"hosts: [{', '.join(rng.sample(hosts, 2))}]"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("rules:\n" + "".join(f"  - {{name: r{i}, {r}}}\n"
                                        for i, r in enumerate(rules)))


def main():
    dcplan("model", "synth", "--hosts", "500", "--vms", "8000", MODEL, seed=1)
    print("| rules | answer | clash named | irreducible | given up | all of "
          "it | CPU, s | wall, s |\n|---|---|---|---|---:|---|---:|---:|")
    for n, case in CASES:
        path = os.path.join(WORK, f"{n}-{case}.yaml")
        write_rules(path, n, case)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        start = time.monotonic()
        answer = json.loads(dcplan(
            "--json", "-C", MODEL, "--policy-file", path, "--time-limit",
            LIMIT_S, "--now", "2026-09-23T12:00:00Z", "consolidate",
            "--window", "22:00-06:00", ok=(0, 1, 3), seed=1))
        wall = time.monotonic() - start
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        c = answer.get("conflict") or {}
        clash = ", ".join(p["name"].replace("rule ", "")
                          for p in c.get("clash", [])) or "none"
        whole = c.get("give_up") and not c["give_up_partial"]
        print(f"| {n}, {case} | {answer['status']} | {clash} | "
              f"{'yes' if c.get('clash_irreducible') else 'no'} | "
              f"{c.get('give_up_total', 0)} | {'yes' if whole else 'no'} | "
              f"{cpu:.1f} | {wall:.1f} |")


main()
