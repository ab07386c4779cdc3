# SPDX-License-Identifier: GPL-3.0-or-later
"""A management board for each host: ipmi_sim in the hub's network, hvI's at
HUB's network .(100+I) port 623, which really switches the host on and off
(bmc-chassis).  Cipher suite 3; user 'admin', and a password by lab and host.

Its GUID is the host's UUID, in IPMI's order: last byte first."""
import hashlib
import os
import uuid

from labkit import host as hosts
from labkit import network
from labkit.base import PATH, wait_for, command

CHASSIS = os.path.realpath(os.path.join(os.path.dirname(__file__), "..",
                                        "bmc-chassis"))
USER = "admin"

EMULATION = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
"""

LAN = """\
name "{host}"
set_working_mc 0x20
  startlan 1
    addr {address} 623
    priv_limit admin
    allowed_auths_callback none md2 md5 straight
    allowed_auths_user none md2 md5 straight
    allowed_auths_operator none md2 md5 straight
    allowed_auths_admin none md2 md5 straight
    guid {guid}
  endlan
  chassis_control "{chassis} {folder} {host}"
  startnow false
  user 1 true "" "" user 10 none md2 md5 straight
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""


def address(lab, host):
    return f"{lab.settings['net']}.{100 + lab.number(host)}"


def password(lab, host):
    """Not a secret: it protects nothing but the lab's own tests."""
    return hashlib.sha256(f"{lab.folder} {host}".encode()).hexdigest()[:14]


def up(lab, host):
    name = f"bmc-{host}"
    if lab.living(name):
        return
    mine = f"{address(lab, host)}/24"
    if mine not in network.ip(lab, "hub", "addr", "show", "dev", "mgmt"):
        network.ip(lab, "hub", "addr", "add", mine, "dev", "mgmt")
    lan = lab.write(f"bmc/{host}.lan", LAN.format(
        host=host, address=address(lab, host), chassis=CHASSIS,
        folder=lab.folder, user=USER, password=password(lab, host),
        guid=uuid.UUID(hosts.host_uuid(lab, host)).bytes[::-1].hex()), 0o600)
    emulation = lab.write("bmc/board.emu", EMULATION)
    os.makedirs(lab.path("bmc", host), exist_ok=True)
    lab.daemon(name, "ipmi_sim", "-c", lan, "-f", emulation, "-s",
               lab.path("bmc", host), "-n", net="hub", env={"PATH": PATH})
    wait_for(f"{host}'s BMC", lambda: ipmi(lab, host, "mc", "info",
                                           check=False) is not None, 30, 0.2)


def ipmi(lab, host, *words, check=True):
    """Asks the BMC as its user does."""
    secret = lab.write(f"bmc/{host}.password", password(lab, host), 0o600)
    return command("nsenter", f"--net=/run/netns/{lab.space('hub')}",
                   "ipmitool", "-I", "lanplus", "-C", "3", "-H",
                   address(lab, host), "-U", USER, "-f", secret, "-N", "1",
                   "-R", "2", *words, check=check)
