# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared storage, three ways: a directory that all hosts see ('dir'), exports
of one qemu-storage-daemon over NBD ('nbd', tcp:HUB:10809, managed by QMP on
FOLDER/nbd.sock), and LUNs of tgtd over iSCSI ('iscsi', HUB:3260, managed by
tgtadm on FOLDER/iscsi.sock).  Each volume is a raw file volumes/NAME, which the
witness reads from behind."""
import json
import os
import socket

from labkit.base import LabError, command, wait_for

KINDS = ("dir", "nbd", "iscsi")


def iqn(lab):
    return f"iqn.2026-01.dcplan:{lab.settings['prefix']}"


# --- NBD -------------------------------------------------------------------

def qmp(lab, verb, **arguments):
    """One command to the storage daemon."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(lab.path("nbd.sock"))
        f = s.makefile("rw")
        f.readline()
        for request in ({"execute": "qmp_capabilities"},
                        {"execute": verb, "arguments": arguments}):
            f.write(json.dumps(request) + "\n")
            f.flush()
            answer = json.loads(f.readline())
            while "event" in answer:
                answer = json.loads(f.readline())
    if "error" in answer:
        raise LabError(f"nbd: {verb}: {answer['error'].get('desc')}")
    return answer["return"]


def nbd_up(lab):
    if lab.living("nbd"):
        return
    lab.daemon("nbd", "qemu-storage-daemon", "--nbd-server",
               f"addr.type=inet,addr.host={lab.hub_address},addr.port=10809",
               "--chardev", f"socket,id=q,path={lab.path('nbd.sock')},"
               "server=on,wait=off", "--monitor", "chardev=q", net="hub")
    wait_for("the NBD server", lambda: os.path.exists(lab.path("nbd.sock")))


def nbd_export(lab, name):
    nbd_up(lab)
    qmp(lab, "blockdev-add", driver="file", filename=lab.path("volumes", name),
        **{"node-name": f"v-{name}"[:31]})
    qmp(lab, "block-export-add", type="nbd", id=f"e-{name}",
        writable=True, name=name, **{"node-name": f"v-{name}"[:31]})


# --- iSCSI -----------------------------------------------------------------

def tgtadm(lab, *words, check=True):
    return command("env", f"TGT_IPC_SOCKET={lab.path('iscsi.sock')}", "tgtadm",
                   "--lld", "iscsi", *words, check=check)


def iscsi_up(lab):
    if lab.living("iscsi"):
        return
    lab.daemon("iscsi", "tgtd", "-f", "--iscsi",
               f"portal={lab.hub_address}:3260", net="hub",
               env={"TGT_IPC_SOCKET": lab.path("iscsi.sock")})
    wait_for("the iSCSI server", lambda: tgtadm(
        lab, "--op", "show", "--mode", "target", check=False) is not None)
    tgtadm(lab, "--op", "new", "--mode", "target", "--tid", "1", "-T",
           iqn(lab))
    tgtadm(lab, "--op", "bind", "--mode", "target", "--tid", "1", "-I", "ALL")


def iscsi_export(lab, name, number):
    iscsi_up(lab)
    tgtadm(lab, "--op", "new", "--mode", "logicalunit", "--tid", "1", "--lun",
           str(number), "-b", lab.path("volumes", name))


# --- Volumes ---------------------------------------------------------------

def export(lab, kind, name, number):
    """Offers FOLDER/volumes/NAME to all hosts; 'number' (1 and on) is its own
    among the lab's volumes."""
    if kind == "nbd":
        nbd_export(lab, name)
    elif kind == "iscsi":
        iscsi_export(lab, name, number)


def disk_source(lab, kind, name, number):
    """The <source> of a guest's disk, and the type of the disk."""
    if kind == "nbd":
        return "network", (
            f"<source protocol='nbd' name='{name}'>"
            f"<host name='{lab.hub_address}' port='10809'/></source>")
    if kind == "iscsi":
        return "network", (
            f"<source protocol='iscsi' name='{iqn(lab)}/{number}'>"
            f"<host name='{lab.hub_address}' port='3260'/>"
            f"<initiator><iqn name='{iqn(lab)}.{name}'/></initiator></source>")
    return "file", f"<source file='{lab.path('volumes', name)}'/>"
