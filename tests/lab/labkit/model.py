# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as dcplan sees it: dc.yaml, connect.yaml (0600) and secrets/ (0600).

Sizes and loads are invented so that four guests fill a host by day and all of
them need a part of one at night; what a host really has is the machine's and
means nothing.  How things are reached, and every UUID, is real.  'tcp': from the
hub's network, as from a management station, so that a partition cuts dcplan off
too; 'unix': hypervisors and switches from anywhere on this machine, BMCs from
the hub's network only."""
import json
import os

from labkit import bmc, guest, host as hosts, network, storage

DAY, NIGHT = "70%", "5%"
DC = """\
# Written by tests/lab/lab: {hosts} hosts of the lab in {folder}.
dcplan: model/1
lineage: {lineage}
timezone: UTC
currency: EUR
tariffs: {{flat: [{{price: 0.25/kWh}}]}}
sites: {{lab: {{tariff: flat, pue: 1.5}}}}
rooms: {{lab: {{site: lab}}}}
racks: {{lab: {{room: lab}}}}
hardware:
  m: {{sockets: 1, cores_per_socket: 4, clock: 1GHz, memory: 2GiB,
      nics: [1Gbit, 1Gbit], speed_factor: 1.0,
      power: [100W, 110W, 120W, 130W, 140W, 150W, 160W, 170W, 180W, 190W, 200W],
      sleep: 5W, boot: {{time: 30s, power: 150W}},
      shutdown: {{time: 20s, power: 60W}}}}
switches: {{tor: {{rack: lab, driver: ovs}}}}
profiles:
  office: {{weekday: [{shape}]}}
policy: {{keep_on: 2, host_off_at_once: 2, unpack: home, failed_boots: 0%}}
"""
POOLS = {"dir": ("nfs", "libvirt"), "nbd": ("nbd", "qemu-storage-daemon"),
         "iscsi": ("iscsi", "tgt")}


def at(lab, row):
    """Where a guest is now, or where it was made."""
    for h in lab.hosts:
        if hosts.is_on(lab, h) and lab.virsh(h, "domstate", row["uuid"],
                                             timeout_s=10, check=False):
            return h
    return row["host"]


def flow(value):
    """A value in YAML's flow style, which JSON is part of."""
    return json.dumps(value)


def section(name, rows):
    return name + ":\n" + "".join(f"  {key}: {flow(row)}\n"
                                  for key, row in rows.items())


def trunks(lab, host):
    text = network.switch(lab, "get", "port", f"t{lab.number(host)}", "trunks")
    vlans = [int(v) for v in text.strip().strip("[]").split(",") if v.strip()]
    return [f"v{v}" for v in vlans if v != network.NO_VLAN]


def datacenter(lab):
    rows = guest.guests(lab)
    hours = [NIGHT if h < 6 or h >= 20 else DAY for h in range(24)]
    vlans = sorted({g["vlan"] for g in rows.values() if g["vlan"]})
    kinds = sorted({g["storage"] for g in rows.values()} | {"dir"})
    return DC.format(
        hosts=len(lab.hosts), folder=lab.folder, shape=", ".join(hours),
        lineage=hosts.host_uuid(lab, "lineage")) + \
        section("vlans", {f"v{v}": {"id": v} for v in vlans}) + \
        section("pools", {k: {"capacity": "1GiB", "transport": POOLS[k][0],
                              "driver": POOLS[k][1]} for k in kinds}) + \
        section("hosts", {h: {
            "hardware": "m", "rack": "lab",
            "state": "up" if hosts.is_on(lab, h) else "standby",
            "ports": {"eth1": {"switch": "tor", "port": f"t{lab.number(h)}",
                               "vlans": trunks(lab, h)}}}
            for h in lab.hosts}) + \
        section("vms", {name: {
            "uuid": g["uuid"], "vcpus": 1, "vcpu_clock": "1GHz",
            "memory": f"{g['memory_mib']}MiB", "host": at(lab, g),
            "profile": "office", "vlans": [f"v{g['vlan']}"] * bool(g["vlan"]),
            "dirty_rate": f"{g['dirty_pages'] * 4096 * 182 // 10485760}MiB/s",
            "volumes": [{"pool": g["storage"], "size": "1MiB"}]}
            for name, g in rows.items()})


def connections(lab, via):
    unix = via == "unix"
    pools = {"dir": {"path": lab.path("volumes"), "shared_path": True},
             "nbd": {"nbd": f"tcp:{lab.hub_address}:10809",
                     "control": lab.path("nbd.sock")},
             "iscsi": {"iscsi": f"{lab.hub_address}:3260/{storage.iqn(lab)}",
                       "control": lab.path("iscsi.sock")}}
    kinds = {g["storage"] for g in guest.guests(lab).values()} | {"dir"}
    return "dcplan: connect/1\n" + section("hosts", {h: {
        "libvirt": lab.uri(h) if unix
        else f"qemu+tcp://{lab.address(h)}/system",
        "peer": f"qemu+tcp://{lab.address(h)}/system",
        "uuid": hosts.host_uuid(lab, h), "bridge": "br0", "uplink": "eth1",
        "ovsdb": "unix:" + lab.path(h, "run/openvswitch/db.sock") if unix
        else f"tcp:{lab.address(h)}:6640",
        "bmc": {"type": "ipmi", "address": bmc.address(lab, h), "port": 623,
                "cipher": 3, "user": bmc.USER,
                "password_file": f"secrets/{h}"}} for h in lab.hosts}) + \
        section("switches", {"tor": {
            "ovsdb": "unix:" + lab.path("tor/db.sock") if unix
            else f"tcp:{lab.hub_address}:6640"}}) + \
        section("pools", {k: pools[k] for k in sorted(kinds)})


def put(path, text, mode):
    with open(path, "w") as f:
        os.fchmod(f.fileno(), mode)
        f.write(text)


def write(lab, folder, via):
    """Over what is there."""
    os.makedirs(os.path.join(folder, "secrets"), mode=0o700, exist_ok=True)
    put(os.path.join(folder, "dc.yaml"), datacenter(lab), 0o644)
    put(os.path.join(folder, "connect.yaml"), connections(lab, via), 0o600)
    for h in lab.hosts:
        put(os.path.join(folder, "secrets", h), bmc.password(lab, h) + "\n",
            0o600)
