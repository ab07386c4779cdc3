# SPDX-License-Identifier: GPL-3.0-or-later
"""For the tests in tests/lab/: a lab of their own, gone when they end.

    with TestLab(hosts=2, guests=1) as lab:
        lab("crash", "hv2")                     # a verb of tests/lab/lab
        lab.dcplan(0, "model", "check")         # in the hub's network

A test that is killed leaves nothing either: a guard that is no child of it
takes the lab down when it is gone."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from labkit.base import PROGRAM

SLOW = float(os.environ.get("DCPLAN_LAB_PATIENCE", "1"))


class Failure(Exception):
    """A check that did not hold; what was said follows."""


def check(holds, text):
    if not holds:
        raise Failure(text)


class TestLab:
    """Skips the test (exit status 77) where there can be no lab."""
    __test__ = False

    def __init__(self, hosts=2, guests=0, *shape):
        self.shape = ("--hosts", str(hosts), "--guests", str(guests)) + shape
        self.begin = time.monotonic()
        self.folder = self.model = None

    def __enter__(self):
        why = subprocess.run([PROGRAM, "check"], capture_output=True,
                             text=True)
        if why.returncode == 77:
            print(f"skipped: {why.stderr.strip()}")
            sys.exit(77)
        self.folder = tempfile.mkdtemp(prefix="dcl")
        if len(self.folder) > 50:
            os.rmdir(self.folder)
            self.folder = tempfile.mkdtemp(prefix="dcl", dir="/tmp")
        self.model = os.path.join(self.folder, "model")
        try:
            self("up", "--guard", str(os.getpid()), *self.shape)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        subprocess.run([PROGRAM, "-d", self.folder, "down"], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def say(self, text):
        print(f"{time.monotonic() - self.begin:6.1f} s  {text}", flush=True)

    def run(self, *words, timeout_s=180, env=None):
        """A verb, whatever comes of it: status and all that it printed."""
        done = subprocess.run(
            [PROGRAM, "-d", self.folder, *words], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=timeout_s, env=env)
        return done.returncode, done.stdout

    def __call__(self, *words, **more):
        """A verb that must succeed; what it printed."""
        status, text = self.run(*words, **more)
        check(status == 0, f"lab {' '.join(words)}: status {status}\n{text}")
        return text

    def make_model(self, via="tcp"):
        self("model", self.model, "--via", via)
        return self.model

    def dcplan(self, status, *words, says="", timeout_s=300, options=()):
        """dcplan on the lab's model, as from its management network."""
        words = (os.path.abspath(os.environ["DCPLAN"]), *options, "-C",
                 self.model, *words)
        got, text = self.run("run", "hub", *words, timeout_s=timeout_s)
        check(got == status and re.search(says, text),
              f"dcplan {' '.join(words[1:])}: status {got}, not {status}, or "
              f"'{says}' not said:\n{text}")
        return text

    def mark(self):
        self("witness", "--mark")

    def witness(self, *words):
        """{guest: {hosts, boot, n, problems}}; a problem fails the test."""
        status, text = self.run("witness", "--json", *words)
        check(status == 0, f"the witness saw:\n{text}")
        return json.loads(text)


def run(*cases):
    """Runs the functions one after the other; ends with status 1 if one
    fails."""
    bad = 0
    for case in cases:
        try:
            case()
        except Failure as problem:
            print(f"FAILED {case.__name__}: {problem}")
            bad += 1
    sys.exit(1 if bad else 0)
