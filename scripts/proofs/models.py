# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that proofs measure on."""
import csv
import os

from common import DATA, copy_model, dcplan

NANTES = """\
sites: {nantes: {pue: 1.5}}
rooms: {n1: {site: nantes}}
racks: {nantes: {room: n1}}
tiers:
  live: {percentile: p95, margin: 10%}
policy:
  goal: energy
  min_history: 7d
  headroom: {survive: [{lose: host, count: 1}], protect: [live]}
"""
MAP = """\
hosts:
  columns:
    name: node
    cpu: cpu_model
    sockets: sockets
    cores: cores
    clock: {column: cpu_mhz, unit: MHz}
    memory: {column: ram_bytes, unit: B}
    nics: {column: max_nic_bps, unit: bit}
    rack: site
  where: {site: nantes, platform: grid5000}
  skip: {cluster: [ecotaxe]}
"""


def nantes(work, name, source):
    """Grid'5000 Nantes (econome, ecotype), VMs from traces, best fit by
    allocation; hosts that this leaves empty are off."""
    model = os.path.join(work, name)
    usage = os.path.join(model, "usage.h5")
    dcplan("-q", "init", model)
    with open(os.path.join(model, "dc.yaml"), "a", encoding="utf-8") as f:
        f.write(NANTES)
    with open(os.path.join(model, "map.yaml"), "w", encoding="utf-8") as f:
        f.write(MAP)
    dcplan("traces", "import", *source, "-o", usage)
    dcplan("-C", model, "import", "csv",
           "--hosts", f"{DATA}/host-inventories/grid5000/hosts.csv",
           "--map", os.path.join(model, "map.yaml"),
           "--power-curves", f"{DATA}/specpower/spec_curves.csv")
    dcplan("-C", model, "import", "traces", usage, "--tier", "live")
    with open(os.path.join(model, "import/vms.csv"), encoding="utf-8") as f:
        used = {row["host"] for row in csv.DictReader(f)}
    path = os.path.join(model, "import/hosts.csv")
    with open(path, encoding="utf-8") as f:
        hosts = list(csv.DictReader(f))
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.DictWriter(f, [*hosts[0], "state"], lineterminator="\n")
        out.writeheader()
        for host in hosts:
            host["state"] = "up" if host["name"] in used else "standby"
            out.writerow(host)
    dcplan("-C", model, "model", "check")
    return model


def demo(work):
    """examples/demo with 31 days of invented usage."""
    model = os.path.join(work, "demo")
    copy_model("examples/demo", model)
    dcplan("-C", model, "traces", "synth", "--days", "31",
           "--start", "2026-08-24T22:00:00Z")
    return model
