# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudSim's hosts and VMs as a model directory of the default engine, with a
day of PlanetLab as its usage.  Assumed here, as CloudSim has none: 5 W of
standby, 2 min to boot, 1 min to shut down."""
import os
import shutil
import subprocess

MODEL = """dcplan: model/1
lineage: 5b7b2b1c-6f84-467e-a6f1-a78268c0f8ef
include: [{hosts: hosts.csv}, {vms: vms.csv}]
sites: {main: {pue: 1, pue_marginal: 1}}
rooms: {room1: {site: main}}
racks: {%s}
hardware:
  g4:
    {sockets: 1, cores_per_socket: 2, clock: 1860MHz, speed_factor: 1, memory: 4GiB, nics: [1Gbit],
     power: [86W, 89.4W, 92.6W, 96W, 99.5W, 102W, 106W, 108W, 112W, 114W, 117W],
     sleep: 5W, boot: {time: 2min}, shutdown: {time: 1min}}
  g5:
    {sockets: 1, cores_per_socket: 2, clock: 2660MHz, speed_factor: 1, memory: 4GiB, nics: [1Gbit],
     power: [93.7W, 97W, 101W, 105W, 110W, 116W, 121W, 125W, 129W, 133W, 135W],
     sleep: 5W, boot: {time: 2min}, shutdown: {time: 1min}}
tiers:
  live: {cpu_overcommit: 16, memory_overcommit: 1, percentile: p95, margin: 0%%}
"""
SIZES = ((2500, 870), (2000, 1740), (1000, 1740), (500, 613))  # MIPS, MiB


def make(program, traces, out, reverse=False):
    """The model of the directory 'traces' (called after its day) in 'out';
    'reverse': hosts and VMs are listed from the last to the first."""
    day = os.path.join(out, os.path.basename(traces))
    os.makedirs(day)
    names = sorted(os.listdir(traces), key=os.fsencode)
    quarter = -(-len(names) // len(SIZES))
    sizes, vms = ["vm,vcpus,core_mhz,mem_mib"], []
    for i, name in enumerate(names):
        mhz, mib = SIZES[i // quarter]
        shutil.copyfile(os.path.join(traces, name), f"{day}/v{i:04}")
        sizes.append(f"v{i:04},1,{mhz},{mib}")
        vms.append(f"v{i:04},1,{mib}MiB,live")
    hosts = [f"h{i:03},{'g5' if i % 2 else 'g4'},r{i // 80}"
             for i in range(800)]
    step = -1 if reverse else 1
    for path, lines in (
            ("sizes.csv", sizes),
            ("vms.csv", ["name,vcpus,memory,tier"] + vms[::step]),
            ("hosts.csv", ["name,hardware,rack"] + hosts[::step]),
            ("dc.yaml", [MODEL % ", ".join(
                f"r{k}: {{room: room1, height: 100U}}" for k in range(10))])):
        with open(os.path.join(out, path), "w") as f:
            f.write("\n".join(lines) + "\n")
    subprocess.check_call([program, "-q", "traces", "import", "planetlab", day,
                           "--vm-size", f"{out}/sizes.csv",
                           "-o", f"{out}/usage.h5"])
