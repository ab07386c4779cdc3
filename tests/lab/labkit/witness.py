# SPDX-License-Identifier: GPL-3.0-or-later
"""What really happened to the guests, told by nobody who had a hand in it.

Three sources, none of them dcplan's: what each guest wrote on its console and
on its disk (guest.S), and which hosts have a QEMU process with its UUID, found
in the machine's process table, so that it counts although a libvirtd is frozen,
dead or cut off.  libvirt is only asked whether such a process runs or is
paused.

 restarted   another boot number than before: its memory was lost
 twice       a count that came twice, or a boot that came back after another
             had begun, or two processes that run: two instances of one guest
 gap         a count is missing on the console or on the disk
 lost        no process, though one ran when the witness marked
 stuck       a process that runs and does not count on"""
import collections
import os
import re
import struct
import time

from labkit import guest, host as hosts

LINE = re.compile(rb"boot=([0-9a-f]{8}) n=([0-9a-f]{8})")
MARK, FIRST_SECTOR, SECTORS = 0x544e574c, 8, 1024

Seen = collections.namedtuple("Seen", "host pid state")


def console(lab, name):
    """All (boot, n) that it wrote, oldest first."""
    try:
        with open(lab.path("consoles", name), "rb") as f:
            return [(m[1].decode(), int(m[2], 16))
                    for m in LINE.finditer(f.read())]
    except FileNotFoundError:
        return []


def disk(lab, name):
    """What its disk holds: {boot: set of n}."""
    found = collections.defaultdict(set)
    with open(lab.path("volumes", name), "rb") as f:
        f.seek(FIRST_SECTOR * 512)
        ring = f.read(SECTORS * 512)
    for at in range(0, len(ring) - 511, 512):
        mark, boot, n = struct.unpack_from("<III", ring, at)
        if mark == MARK:
            found[f"{boot:08x}"].add(n)
    return found


def processes(lab):
    """{uuid: [Seen]} of all QEMU processes on this lab's hosts."""
    spaces = {}
    for h in lab.hosts:
        if hosts.is_on(lab, h):
            try:
                spaces[os.readlink(f"/proc/{lab.living(h)[1]}/ns/pid")] = h
            except (OSError, IndexError):
                pass  # It went off just now.
    found = collections.defaultdict(list)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().split(b"\0")
            if b"qemu-system" not in words[0] or b"-uuid" not in words:
                continue
            host = spaces.get(os.readlink(f"/proc/{pid}/ns/pid"))
        except OSError:
            continue
        if host:
            uuid = words[words.index(b"-uuid") + 1].decode()
            found[uuid].append(Seen(host, int(pid), ""))
    return {uuid: [s._replace(state=state(lab, s.host, uuid)) for s in all_]
            for uuid, all_ in found.items()}


def state(lab, host, uuid):
    """As libvirt says it: 'running', 'paused' ...; 'unknown'."""
    text = lab.virsh(host, "domstate", uuid, timeout_s=3, check=False)
    return text.strip() if text is not None else "unknown"


def numbers(lab, name, rows, since, may_restart):
    """Problems that console and disk tell."""
    problems = []
    boot, n = since["boot"], since["n"]
    past, begun = set(), set()
    for row_boot, row_n in rows[since["rows"]:]:
        if row_boot == boot and row_n != n + 1:
            problems.append(f"twice: count {row_n} after {n}" if row_n <= n
                            else f"gap: console from {n} to {row_n}")
        elif row_boot != boot and row_boot in past:
            problems.append(f"twice: boot {row_boot} came back")
        elif row_boot != boot:
            past.add(boot)
            begun.add(row_boot)
        boot, n = row_boot, row_n
    if begun and not may_restart:
        problems.append(f"restarted: boot {since['boot']} is {boot} now")
    written = disk(lab, name).get(boot, set())
    if written:
        first = max(1, max(written) - SECTORS + 3)
        missing = [i for i in range(first, max(written) + 1)
                   if i not in written]
        if missing:
            problems.append(f"gap: disk lacks {missing[0]}"
                            + (f" and {len(missing) - 1} more"
                               if missing[1:] else ""))
    if n > 2 and (not written or max(written) < n - 2):
        problems.append(f"gap: disk ends at {max(written, default=0)}, "
                        f"console at {n}")
    return problems, boot, n


def look(lab, since=None, may_restart=(), may_stop=(), patience_s=15):
    """{guest: {hosts, boot, n, problems}}, by what 'mark' returned."""
    rows = guest.guests(lab)
    before = {name: console(lab, name) for name in rows}
    since = since or {}
    running = processes(lab)
    end = time.monotonic() + patience_s
    waiting = {n for n, row in rows.items()
               if any(s.state in ("running", "unknown")
                      for s in running.get(row["uuid"], []))}
    while waiting and time.monotonic() < end:
        time.sleep(0.2)
        waiting = {n for n in waiting
                   if len(console(lab, n)) == len(before[n])}
    result = {}
    for name, row in rows.items():
        seen = running.get(row["uuid"], [])
        lines = console(lab, name)
        start = {"boot": lines[0][0], "n": lines[0][1] - 1, "rows": 0} \
            if lines else {"boot": "", "n": 0, "rows": 0}
        start = since.get(name, start)
        problems, boot, n = numbers(lab, name, lines, start,
                                    name in may_restart)
        n_running = sum(s.state in ("running", "unknown") for s in seen)
        if n_running > 1:
            problems.append("twice: it runs on " + " and ".join(
                s.host for s in seen))
        if not seen and start["boot"] and name not in may_stop:
            problems.append("lost: no host runs it")
        if name in waiting:
            problems.append(f"stuck: {n} for {patience_s} s")
        result[name] = {
            "hosts": [f"{s.host} {s.state}" for s in seen],
            "boot": boot, "n": n, "rows": len(lines), "problems": problems}
    return result


def mark(lab):
    """Remembers how the guests are, in FOLDER/witness.json."""
    seen = look(lab, patience_s=60)
    lab.save("witness.json", {
        name: {k: row[k] for k in ("boot", "n", "rows", "hosts")}
        for name, row in seen.items()})
    return seen


def check(lab, **more):
    since = lab.load("witness.json") if os.path.exists(
        lab.path("witness.json")) else {}
    return look(lab, since, **more)
