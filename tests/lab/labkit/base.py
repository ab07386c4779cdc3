# SPDX-License-Identifier: GPL-3.0-or-later
"""What all of the lab stands on: its folder and settings, commands with
deadlines, and processes that are known by pid and start time.

A process is recorded in FOLDER/pids/NAME, one line 'pid starttime' each.  It
counts as alive only while a process of that pid has that start time and is no
zombie, so a pid that was used again is never taken for it, and never killed."""
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAM = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "lab"))


class LabError(Exception):
    """Something that the user is told in one sentence."""


def command(*words, timeout_s=60, check=True, text=None):
    """Runs words and returns what they print; LabError when they fail."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL if text is None
                              else None, input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=timeout_s)
    except subprocess.TimeoutExpired:
        if check:
            raise LabError(f"{' '.join(words)}: no end in {timeout_s} s")
        return None
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed; see scripts/deps")
    if done.returncode == 0:
        return done.stdout
    if check:
        raise LabError(f"{' '.join(words)}: {done.stdout.strip()}")
    return None


def wait_for(what, question, timeout_s=60, pause_s=0.05):
    """Asks until the answer is true; LabError naming 'what' when it is not."""
    end = time.monotonic() + timeout_s
    while not question():
        if time.monotonic() > end:
            raise LabError(f"{what}: not after {timeout_s} s")
        time.sleep(pause_s)


def start_time(pid):
    """Of a living process, in clock ticks since boot as text; else None."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def children(pid):
    """Pids of the children of a process, oldest first."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as f:
                    parent = f.read().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if parent == str(pid):
                found.append(int(entry))
    return sorted(found)


class Lab:
    """A lab's folder, names and recorded processes."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        if len(self.folder) > 60:
            raise LabError(f"{self.folder}: too long a name for the sockets "
                           "in it; 60 bytes at most")
        letters = hashlib.sha256(self.folder.encode()).hexdigest()[:5]
        self.settings = {"prefix": f"lab{letters}", "net": "10.77.0",
                         "hosts": 0}
        if os.path.exists(self.path("lab.json")):
            self.settings.update(self.load("lab.json"))

    # --- Files ---------------------------------------------------------

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def load(self, name):
        with open(self.path(name)) as f:
            return json.load(f)

    def save(self, name, value):
        """Whole or not at all."""
        self.write(name + ".new", json.dumps(value, indent=1, sort_keys=True))
        os.rename(self.path(name + ".new"), self.path(name))

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            os.fchmod(f.fileno(), mode)
            f.write(text)
        return path

    def lock(self, name):
        """Held until the file that is returned is closed."""
        f = open(self.path(f"{name}.lock"), "w")
        fcntl.flock(f, fcntl.LOCK_EX)
        return f

    # --- Names ---------------------------------------------------------

    @property
    def hosts(self):
        return [f"hv{i + 1}" for i in range(self.settings["hosts"])]

    def number(self, host):
        if host not in self.hosts:
            raise LabError(f"'{host}': the lab has {', '.join(self.hosts)}")
        return int(host[2:])

    def space(self, name):
        """The network namespace of a host, or of the hub."""
        return f"{self.settings['prefix']}-{name}"

    def address(self, host):
        return f"{self.settings['net']}.{self.number(host)}"

    @property
    def hub_address(self):
        return f"{self.settings['net']}.254"

    def uri(self, host):
        """Of its libvirt through a socket, from anywhere on this machine."""
        return ("qemu+unix:///system?socket="
                + self.path(host, "run/libvirt/libvirt-sock"))

    def virsh(self, host, *words, timeout_s=60, check=True):
        return command("timeout", "-k", "1", str(timeout_s), "virsh", "-q",
                       "-c", self.uri(host), *words, timeout_s=timeout_s + 5,
                       check=check)

    # --- Processes -----------------------------------------------------

    def record(self, name, *pids):
        self.write(f"pids/{name}", "".join(f"{p} {start_time(p)}\n"
                                           for p in pids))

    def living(self, name):
        """Pids of what was recorded under this name and still lives."""
        try:
            with open(self.path("pids", name)) as f:
                rows = [line.split() for line in f]
        except OSError:
            return []
        return [int(p) for p, start in rows if start_time(p) == start]

    def end(self, name, how=signal.SIGKILL, timeout_s=20):
        """Ends what was recorded under this name, and waits for it."""
        for pid in self.living(name):
            try:
                os.kill(pid, how)
            except ProcessLookupError:
                pass
        wait_for(f"the end of {name}", lambda: not self.living(name),
                 timeout_s, 0.02)
        if os.path.exists(self.path("pids", name)):
            os.unlink(self.path("pids", name))

    def daemon(self, name, *words, net=None, env=None):
        """Starts a process that outlives us, in a network namespace, and
        records it; what it prints goes to FOLDER/log/NAME."""
        os.makedirs(self.path("log"), exist_ok=True)
        if net:
            words = ("nsenter", f"--net=/run/netns/{self.space(net)}") + words
        with open(self.path("log", name), "ab") as log:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                     stdout=log, stderr=log,
                                     env={"PATH": PATH, **(env or {})},
                                     start_new_session=True)
        self.record(name, child.pid)
        return child.pid


def say(text):
    print(text, file=sys.stderr, flush=True)
