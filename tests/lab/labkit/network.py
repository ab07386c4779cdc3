# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub: a namespace with the management network (a kernel bridge) and the
top-of-rack switch 'tor' (Open vSwitch, userspace datapath), whose port tI is
host hvI's eth1.  tor's database listens on tcp:HUB:6640 and on a socket.

Ports are trunks.  A trunk without a list would carry every VLAN, so each lists
VLAN 1, which nobody uses, and the VLANs of the guests that were made there."""
import os

from labkit.base import LabError, command, wait_for

NO_VLAN = 1
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def ip(lab, name, *words, check=True):
    return command("ip", "-n", lab.space(name), *words, check=check)


def space_up(lab, name):
    if not os.path.exists(f"/run/netns/{lab.space(name)}"):
        command("ip", "netns", "add", lab.space(name))
        ip(lab, name, "link", "set", "lo", "up")


def spaces(lab):
    """Of this lab, those that are there."""
    try:
        names = os.listdir("/run/netns")
    except FileNotFoundError:
        return []
    return [n for n in names if n.startswith(lab.settings["prefix"] + "-")]


def switch(lab, *words, timeout_s=20, check=True):
    """ovs-vsctl on tor."""
    return command("ovs-vsctl", f"--timeout={timeout_s}",
                   f"--db=unix:{lab.path('tor/db.sock')}", *words,
                   check=check, timeout_s=timeout_s + 5)


def tor_database_up(lab):
    if lab.living("tor-ovsdb"):
        return
    database = lab.path("tor/conf.db")
    if not os.path.exists(database):
        os.makedirs(lab.path("tor"), exist_ok=True)
        command("ovsdb-tool", "create", database, SCHEMA)
    lab.daemon("tor-ovsdb", "ovsdb-server", database,
               f"--remote=punix:{lab.path('tor/db.sock')}",
               f"--remote=ptcp:6640:{lab.hub_address}",
               f"--unixctl={lab.path('tor/db.ctl')}", "--no-chdir",
               net="hub")
    wait_for("tor's database", lambda: switch(
        lab, "--no-wait", "init", timeout_s=2, check=False) is not None)


def hub_up(lab):
    space_up(lab, "hub")
    if ip(lab, "hub", "link", "show", "mgmt", check=False) is None:
        ip(lab, "hub", "link", "add", "mgmt", "type", "bridge")
        ip(lab, "hub", "addr", "add", f"{lab.hub_address}/24", "dev", "mgmt")
        ip(lab, "hub", "link", "set", "mgmt", "up")
    tor_database_up(lab)
    if not lab.living("tor-vswitchd"):
        lab.daemon("tor-vswitchd", "ovs-vswitchd",
                   f"unix:{lab.path('tor/db.sock')}",
                   f"--unixctl={lab.path('tor/vs.ctl')}", "--no-chdir",
                   net="hub", env={"OVS_RUNDIR": lab.path("tor")})
        switch(lab, "--may-exist", "add-br", "tor", "--",
               "set", "bridge", "tor", "datapath_type=netdev")


def wire_up(lab, host):
    """The host's two cables: eth0 to the management network, eth1 to tor."""
    i = lab.number(host)
    space_up(lab, host)
    for near, far in ((f"m{i}", "eth0"), (f"t{i}", "eth1")):
        if ip(lab, "hub", "link", "show", near, check=False) is None:
            ip(lab, "hub", "link", "add", near, "type", "veth",
               "peer", "name", far, "netns", lab.space(host))
            # Checksums that the kernel leaves to a card are never made by a
            # switch in userspace.
            command("nsenter", f"--net=/run/netns/{lab.space(host)}",
                    "ethtool", "-K", far, "tx", "off", "rx", "off")
            ip(lab, "hub", "link", "set", near, "up")
            if near[0] == "m":
                ip(lab, "hub", "link", "set", near, "master", "mgmt")
            else:
                switch(lab, "--may-exist", "add-port", "tor", near, "--",
                       "set", "port", near, f"trunks={NO_VLAN}")


def partition(lab, host, cut):
    """Cuts, or mends, the management and migration cable of a host."""
    ip(lab, "hub", "link", "set", f"m{lab.number(host)}",
       "down" if cut else "up")


def on_host(lab, host, *words, **more):
    """Runs words in all namespaces of a host."""
    pids = lab.living(host)
    if len(pids) < 2:
        raise LabError(f"{host} is off")
    return command("nsenter", "-t", str(pids[1]), "-a", *words, **more)


def trunk_add(lab, host, vlan):
    """Lets a VLAN through to a host, on both ends of its cable."""
    if vlan:
        tor = f"t{lab.number(host)}"
        switch(lab, "add", "port", tor, "trunks", str(vlan))
        on_host(lab, host, "ovs-vsctl", "--timeout=20", "add", "port", "eth1",
                "trunks", str(vlan))
