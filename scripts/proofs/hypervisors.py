# SPDX-License-Identifier: GPL-3.0-or-later
"""What other hypervisors save: examples/hypervisors, and larger clusters made
alike, each with its conversions and without."""
import json
import random
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

DCPLAN = Path("build/dcplan")
EXAMPLE = Path("examples/hypervisors/dc.yaml")
OUT = Path("out/proof/hypervisors")
NOW = ["--now", "2026-11-22T21:00:00Z"]
SIZES = {"s": (2, 4), "m": (4, 12), "l": (8, 24)}


def grown(n_hosts, seed):
    """The example's rules and prices, with half of so many hosts under each
    hypervisor, 9 VMs on each of the first and 5 on each of the others."""
    draw = random.Random(seed)
    text = EXAMPLE.read_text()
    before, rest = text.split("hosts:\n", 1)
    policy = "tiers:\n" + rest.split("tiers:\n", 1)[1]
    policy = policy[:policy.index("\nvms:\n")] + "\nvms:\n"
    racks = [f"r{r}" for r in range(1, 11)]
    before = re.sub(r"racks: .*", "racks: {" + ", ".join(
        f"{r}: {{room: g1, height: 42U}}" for r in racks) + "}", before)
    before = before.replace("reach: [r1, r2]", f"reach: [{', '.join(racks)}]")
    before = before.replace("100TiB", "10000TiB")
    hosts = [(f"{kind}{n}", "esx" if kind == "e" else "qemu", n)
             for kind in "ek" for n in range(1, n_hosts // 2 + 1)]
    lines = [before + "hosts:\n"]
    lines += [f"  {h}: {{hardware: dl360, rack: {racks[n % 10]}, "
              f"hypervisor: {hv}}}\n" for h, hv, n in hosts]
    lines.append(policy)
    n = 0
    for host, hypervisor, _ in hosts:
        for _ in range(9 if hypervisor == "esx" else 5):
            n += 1
            vcpus, gib = draw.choice([SIZES["s"], SIZES["m"], SIZES["m"],
                                      SIZES["l"]])
            more = ""
            if hypervisor == "esx" and n % 37 == 0:
                more = ", needs: [fault_tolerance]"
            elif hypervisor == "esx" and n % 11 == 0:
                more = ", max_downtime: 20min"
            tier = "live" if draw.random() < 0.55 else "test"
            disk = draw.choice([40, 60, 80, 120, 400])
            lines.append(
                f"  v{n}: {{vcpus: {vcpus}, memory: {gib}GiB, tier: {tier}, "
                f"profile: office, host: {host}, "
                f"volumes: [{{pool: gold, size: {disk}GiB}}]{more}}}\n")
    return "".join(lines)


def without(text):
    start = text.index("  conversions:\n")
    return text[:start] + text[text.index("vms:\n", start):]


def plan(name, text, seed, options):
    directory = OUT / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "dc.yaml").write_text(text)
    command = [str(DCPLAN), "-C", str(directory), *NOW, "consolidate",
               "--seed", str(seed), *options, "--json", "-o",
               str(directory / "plan.json")]
    print("+", *command, file=sys.stderr)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    check = subprocess.run([str(DCPLAN), "-C", str(directory), "plan", "check",
                            str(directory / "plan.json")],
                           stdout=subprocess.PIPE)
    answer = json.loads(done.stdout)
    answer["cpu_s"] = now.ru_utime + now.ru_stime - used.ru_utime - \
        used.ru_stime
    answer["checked"] = "pass" if check.returncode == 0 else "FAIL"
    return answer


def row(what, a):
    o, c = a["objective"], a.get("conversion", {})
    print(f"| {what} | {o['before']:.2f} | {o['after']:.2f} | "
          f"{o['lower_bound']:.2f} | {a['hosts_on_after']} | {a['moves']} | "
          f"{a['conversions']} | {c.get('cost', 0):.0f} | "
          f"{a['cost']['licence_cost_after']:.2f} | {a['cpu_s']:.1f} | "
          f"{a['checked']} |", flush=True)


def main():
    print("| model | EUR a day before | after | bound | hosts on | moves | "
          "converted | cost, EUR once | licences, EUR a day | CPU s | "
          "checked |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    example = EXAMPLE.read_text()
    row("example, without", plan("none", without(example), 1,
                                 ["--iterations", "200"]))
    for seed in range(1, 6):
        row(f"example, seed {seed}", plan("example", example, seed,
                                          ["--iterations", "200"]))
    for n_hosts in (60, 200, 600):
        text = grown(n_hosts, 3)
        limit = ["--time-limit", "30"]
        row(f"{n_hosts} hosts, without",
            plan(f"none-{n_hosts}", without(text), 1, limit))
        row(f"{n_hosts} hosts", plan(f"all-{n_hosts}", text, 1, limit))


main()
