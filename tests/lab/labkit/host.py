# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts: machines of namespaces, each with libvirtd and a switch 'br0'.

A host is switched on by starting process 1 of a pid namespace, and a power cut
is killing it.  Its settings differ from a distribution's where the lab has no
systemd, cgroups, users or security modules."""
import os
import signal
import uuid

from labkit import network
from labkit.base import PATH, LabError, children, wait_for

INIT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..",
                                     "host-init"))

LIBVIRTD = """\
listen_tls = 0
listen_tcp = 1
listen_addr = "{address}"
tcp_port = "16509"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
host_uuid = "{uuid}"
keepalive_interval = 5
keepalive_count = 3
log_level = 3
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
ovs_timeout = 20
"""

QEMU = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = [ ]
cgroup_controllers = [ ]
stdio_handler = "file"
migration_address = "{address}"
migration_host = "{address}"
keepalive_interval = 5
keepalive_count = 3
"""


def host_uuid(lab, host):
    """Of the machine: the same in every life of it, another in each lab."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{lab.folder}/{host}"))


def is_on(lab, host):
    return len(lab.living(host)) == 2


def answers(lab, host, timeout_s=3):
    return lab.virsh(host, "nodeinfo", timeout_s=timeout_s,
                     check=False) is not None


def write_settings(lab, host):
    values = {"address": lab.address(host), "uuid": host_uuid(lab, host)}
    lab.write(f"{host}/disk/etc/libvirt/libvirtd.conf",
              LIBVIRTD.format(**values))
    lab.write(f"{host}/disk/etc/libvirt/qemu.conf", QEMU.format(**values))
    net = lab.settings["net"]
    lab.write(f"{host}/hosts", "127.0.0.1 localhost\n" + "".join(
        f"{net}.{i + 1} {h}\n" for i, h in enumerate(lab.hosts)))


def switch_on(lab, host):
    """Returns at once, as a BMC does; 'boot' waits until it answers."""
    with lab.lock(host):
        if is_on(lab, host):
            return
        if os.path.exists(lab.path("closing")):
            raise LabError("the lab is being taken down")
        lab.end(host)
        network.wire_up(lab, host)
        write_settings(lab, host)
        # --kill-child: should unshare die, process 1 dies, and all in there.
        pid = lab.daemon(
            host, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork",
            "--kill-child=KILL", "--mount-proc", "tini", "-s", "--", INIT,
            host, lab.folder, lab.address(host), str(network.NO_VLAN),
            net=host)
        wait_for(f"{host}'s process 1", lambda: children(pid), pause_s=0.01)
        lab.record(host, pid, children(pid)[0])


def boot(lab, host):
    switch_on(lab, host)
    wait_for(f"{host}'s libvirtd (see {lab.path('log', host)})",
             lambda: answers(lab, host), 90, 0.2)


def crash(lab, host):
    """A power cut."""
    with lab.lock(host):
        lab.end(host)


def shut_down(lab, host):
    """What the host does when its power button is pressed."""
    with lab.lock(host):
        pids = lab.living(host)
        if len(pids) == 2:
            os.kill(pids[1], signal.SIGTERM)
            wait_for(f"{host} to go off", lambda: not lab.living(host), 20)


def libvirtd_signal(lab, host, name):
    network.on_host(lab, host, "sh", "-c",
                    f"kill -{name} $(cat /run/libvirtd.pid)")


def start_libvirtd(lab, host):
    network.on_host(lab, host, "libvirtd", "--listen", "--daemon", "-f",
                    "/etc/libvirt/libvirtd.conf", "-p", "/run/libvirtd.pid")
    wait_for(f"{host}'s libvirtd", lambda: answers(lab, host), 60, 0.2)


def run(lab, where, words):
    """Runs words in the hub's network, or in all of a host."""
    if where == "hub":
        enter = ["nsenter", f"--net=/run/netns/{lab.space('hub')}"]
    else:
        pids = lab.living(where)
        if len(pids) < 2:
            raise LabError(f"{where} is off")
        enter = ["nsenter", "-t", str(pids[1]), "-a"]
    # The caller's PATH may name programs of its own before the machine's.
    env = dict(os.environ)
    env["PATH"] = env.get("PATH", "") + ":" + PATH
    os.execvpe(enter[0], enter + words, env)
