# SPDX-License-Identifier: GPL-3.0-or-later
"""What rightsizing saves, and what the days after it make of the sizes.

Each case is packed for good from what was measured before a day, and replayed
on the days after.  Beside what hosts can give, each VM is compared with the
size that it got: the share of its samples in which it wanted more than that."""
import csv
import os
import subprocess
import sys

import models
from common import DATA, dcplan, dcplan_json, replace_in, work_dir

WORK = work_dir("rightsizing")
STRICT = "restart: any, history: 10d"
CASES = [
    ("as it is", None),
    ("defaults: p99.5 + 20 %, memory peak + 20 %, half at once", STRICT),
    ("defaults, smaller only", STRICT + ", way: down"),
    ("smaller only, no bound at once", STRICT + ", way: down, most_down: 100%"),
    ("smaller only, no bound at once, both p95 + 20 %",
     STRICT + ", way: down, most_down: 100%, cpu_percentile: 95%, "
     "memory_percentile: 95%"),
    ("smaller only, no bound at once, both p95 + 0 %",
     STRICT + ", way: down, most_down: 100%, cpu_percentile: 95%, "
     "memory_percentile: 95%, cpu_margin: 0%, memory_margin: 0%"),
]


def columns(model, metric, start, end):
    """Samples of each VM in [start, end)."""
    path = os.path.join(WORK, "wide.csv")
    dcplan("traces", "export", os.path.join(model, "usage.h5"), "--wide",
           "--metric", metric, "--from", start, "--to", end, "-o", path)
    with open(path, encoding="utf-8") as f:
        rows = list(csv.reader(f))
    return {vm: [float(row[i]) for row in rows[1:] if row[i]]
            for i, vm in enumerate(rows[0]) if i}


def short(sizing, used, key, unit):
    """Of VMs that got less of a resource: the share of samples above what they
    got, and how many VMs had one.  'unit' is what one of it can do."""
    n = above = vms = n_vms = 0
    for vm in sizing["vms"]:
        if vm["verdict"] != "oversized" or vm["to"][key] == vm["from"][key]:
            continue
        most = vm["to"][key] * unit(vm)
        over = sum(x > most for x in used[vm["vm"]])
        n += len(used[vm["vm"]])
        above += over
        n_vms += 1
        vms += over > 0
    return (above / n if n else 0, vms, n_vms)


def case(model, text, until, start, end, used):
    name, policy = text
    path = os.path.join(model, "dc.yaml")
    with open(path, encoding="utf-8") as f:
        was = f.read()
    if policy:
        replace_in(path, "policy:\n", f"policy:\n  rightsize: {{{policy}}}\n")
    plan = os.path.join(WORK, "plan.json")
    facts = dcplan_json("-C", model, "--iterations", "400", "--time-limit",
                        "120", "consolidate", "--until", until, "--goal",
                        "energy", "-o", plan,
                        *(["--rightsize"] if policy else []))
    dcplan("-C", model, "plan", "check", plan)
    seen = dcplan_json("-C", model, "simulate", plan, "--from", start, "--to",
                       end)
    with open(path, "w", encoding="utf-8") as f:
        f.write(was)
    z = facts["rightsizing"]
    shares = ["-"] * 4
    if z:
        cores = {}
        for vm in z["vms"]:  # MHz of one vCPU as the samples count them.
            raw = max(used["all_cpu"][vm["vm"]])
            factor = vm["cpu_peak_mhz"] / raw if raw else 1
            cores[vm["vm"]] = used["vcpu_mhz"][vm["vm"]] / factor
        cpu = short(z, used["cpu"], "vcpus", lambda v: cores[v["vm"]])
        mem = short(z, used["mem"], "mem_mib", lambda v: 1)
        shares = [f"{100 * cpu[0]:.2f} %", f"{cpu[1]} of {cpu[2]}",
                  f"{100 * mem[0]:.2f} %", f"{mem[1]} of {mem[2]}"]
    print("| " + " | ".join([
        name,
        f"{z['verdicts']['oversized']}, {z['verdicts']['undersized']}"
        if z else "-",
        f"{z['vcpus_freed']:.0f}, {z['vcpus_added']:.0f}" if z else "-",
        f"{z['mem_mib_freed'] / 1024:.0f}, {z['mem_mib_added'] / 1024:.0f}"
        if z else "-",
        f"{facts['hosts_needed_allocated']}",
        f"{facts['hosts_on_after']} ({facts['binding']})",
        f"{seen['energy_kwh']:.0f}",
        f"{100 * seen['overload_host_seconds'] / seen['horizon_seconds'] / seen['hosts_on_mean']:.2f} %",
        *shares]) + " |", flush=True)


def compare(model, vcpu_mhz, history, until, start, end, variant):
    """All cases, and some of them with another line of policy."""
    print("| case | VMs smaller, larger | vCPUs freed, added | GiB freed, added | hosts at least | "
          "hosts on (binds) | kWh | overloaded host time | CPU samples above the "
          "new size | VMs with one | memory samples above it | VMs with one |")
    print("|---|" + "---:|" * 11)
    used = {"cpu": columns(model, "cpu_mhz", start, end),
            "mem": columns(model, "mem_mib", start, end),
            "all_cpu": columns(model, "cpu_mhz", history, until),
            "vcpu_mhz": vcpu_mhz}
    for text in CASES:
        case(model, text, until, start, end, used)
    print(f"\nThe same with {variant[0]}:\n\n"
          "| case" + " |" * 12 + "\n|---|" + "---:|" * 11)
    replace_in(os.path.join(model, "dc.yaml"), *variant[1:])
    for text in CASES[:4]:
        case(model, text, until, start, end, used)
    print()


def clocks(model):
    """Reference MHz of one vCPU of each VM, as it was placed."""
    shown = {}
    for kind in ("vms", "hosts", "hardware"):
        for row in dcplan_json("-C", model, "model", "show", kind)[kind]:
            shown[kind, row["name"]] = row
    out = {}
    for (kind, name), vm in shown.items():
        if kind != "vms":
            continue
        hw = shown["hardware", shown["hosts", vm["host"]]["hardware"]]
        clock = vm.get("vcpu_clock") or hw["clock"]
        number = float(clock.rstrip("GMHz"))
        mhz = number * (1000 if clock.endswith("GHz") else 1)
        out[name] = mhz * float(hw.get("speed_factor", 1))
    return out


def main():
    only = sys.argv[1:] or ["bitbrains", "demo"]
    if "bitbrains" in only:
        if not os.path.isdir(DATA):
            print(f"skip: {DATA} is absent")
            sys.exit(77)
        subprocess.run(["tar", "--zstd", "-xf",
                        f"{DATA}/bitbrains/rnd-2013-8-even-250vms.tar.zst",
                        "-C", WORK], check=True)
        model = models.nantes(WORK, "bitbrains",
                              ["bitbrains", f"{WORK}/2013-8"])
        print("### Bitbrains, August 2013: 250 VMs, sizes by 19 days, the next "
              "eleven replayed\n")
        compare(model, clocks(model), "2013-08-01T00:00:00Z",
                "2013-08-20T00:00:00Z", "2013-08-20T00:00:00Z",
                "2013-08-31T00:00:00Z",
                ("`overload: {eps: 1%}`, where CPU binds less", "policy:\n",
                 "policy:\n  overload: {eps: 1%}\n"))
    if "demo" in only:
        model = models.demo(WORK)
        print("### Demo: 900 VMs, sizes by 22 days, the next eight replayed\n")
        compare(model, clocks(model), "2026-08-24T22:00:00Z",
                "2026-09-15T22:00:00Z", "2026-09-15T22:00:00Z",
                "2026-09-24T00:00:00Z",
                ("a third of the memory to be used (`target: {memory: 30%}`), "
                 "so that memory binds", "memory: 90%", "memory: 30%"))


main()
