# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests: guest.S in an image of 1 MiB, and the libvirt domain around it.

Emulated (no KVM), one vCPU, 8 MiB of memory and what 'fill' adds.  Console and
disk are files under FOLDER, the same from every host.  FOLDER/guests.json has
what was made: the witness and the model go by it."""
import hashlib
import os
import re
import struct
import uuid

from labkit import network, storage
from labkit.base import LabError, command

SOURCE = os.path.join(os.path.dirname(__file__), "..", "guest.S")
IMAGE_BYTES = 1 << 20
FILL_AT = 0x1e8
OWN_MIB = 8

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>{memory_mib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>8</tb-cache></tcg></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='{disk_type}' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      {source}
      <target dev='vda' bus='virtio'/>
    </disk>
    <interface type='bridge'>
      <mac address='{mac}'/>
      <source bridge='br0'/>
      <virtualport type='openvswitch'/>
      {vlan_tag}
      <model type='virtio'/>
    </interface>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'><source path='{console}' append='on'/></serial>
  </devices>
</domain>
"""


def write_image(lab, path, fill_mib, dirty_pages):
    """A disk that boots the guest."""
    built = lab.path("guest.bin")
    if not os.path.exists(built):
        command("as", "--32", "-o", lab.path("guest.o"), SOURCE)
        command("ld", "-m", "elf_i386", "-Ttext", "0x7c00", "--oformat",
                "binary", "-o", built + ".new", lab.path("guest.o"))
        os.rename(built + ".new", built)
    with open(built, "rb") as f:
        sector = bytearray(f.read())
    struct.pack_into("<II", sector, FILL_AT, fill_mib, dirty_pages)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(sector)
        f.truncate(IMAGE_BYTES)


def guests(lab):
    return lab.load("guests.json") if os.path.exists(
        lab.path("guests.json")) else {}


def plan_guest(lab, name, kind="dir", fill_mib=0, dirty_pages=0, vlan=100):
    """A row of guests.json."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", name):
        raise LabError(f"'{name}': not a name for a guest of the lab")
    if kind not in storage.KINDS:
        raise LabError(f"'{kind}': storage is {', '.join(storage.KINDS)}")
    letters = hashlib.sha256(f"{lab.folder} {name}".encode()).hexdigest()
    return {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{lab.folder}/vm/{name}")),
        "mac": "52:54:00:" + ":".join(letters[i:i + 2] for i in (0, 2, 4)),
        "memory_mib": OWN_MIB + fill_mib, "fill_mib": fill_mib,
        "dirty_pages": dirty_pages, "vlan": vlan, "storage": kind,
    }


def xml(lab, name, row):
    kind, source = storage.disk_source(lab, row["storage"], name,
                                       row.get("number", 1))
    tag = f"<vlan><tag id='{row['vlan']}'/></vlan>" if row["vlan"] else ""
    return DOMAIN.format(name=name, disk_type=kind, source=source,
                         vlan_tag=tag, console=lab.path("consoles", name),
                         **{k: row[k] for k in ("uuid", "memory_mib", "mac")})


def make(lab, name, host, start=True, **shape):
    """Image, export, definition on a host, VLAN to it, and a start."""
    with lab.lock("guests"):
        row = plan_guest(lab, name, **shape)
        all_of_them = guests(lab)
        if name in all_of_them:
            raise LabError(f"guest '{name}' is there already")
        row["number"] = 1 + max([g["number"] for g in all_of_them.values()],
                                default=0)
        row["host"] = host
        lab.number(host)
        write_image(lab, lab.path("volumes", name), row["fill_mib"],
                    row["dirty_pages"])
        storage.export(lab, row["storage"], name, row["number"])
        os.makedirs(lab.path("consoles"), exist_ok=True)
        all_of_them[name] = row
        lab.save("guests.json", all_of_them)
    network.trunk_add(lab, host, row["vlan"])
    file = lab.write(f"domains/{name}.xml", xml(lab, name, row))
    lab.virsh(host, "define", file)
    if start:
        lab.virsh(host, "start", name)
