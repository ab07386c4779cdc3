# SPDX-License-Identifier: GPL-3.0-or-later
"""ThreadSanitizer over the tests of what runs threads: imports and synthesis
of usage, packing, reassignment, and the workers that solve programs.  Fails
where a test does or where one access races with another."""
import os
import re
import subprocess
import sys
import time

from common import provenance, table

BUILD = os.path.join("build", "tsan")
TESTS = ("import", "synth", "pack", "pack_bounds", "assign", "search_program",
         "solver_worker")


def run(*command):
    print("$ " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def build():
    programs = [f"test_{name}" for name in TESTS]
    for command in (("cmake", "--preset", "tsan"),
                    ("cmake", "--build", BUILD, "--target", *programs)):
        status, said = run(*command)
        if status:
            sys.exit(f"proof: the build failed\n{said[-4000:]}")


def judge(name):
    """A row, and whether all is well.  Address layouts that ThreadSanitizer
    cannot work with are kept away by setarch."""
    began = time.monotonic()
    status, said = run("setarch", "-R",
                       os.path.join(BUILD, "tests", f"test_{name}"))
    races = said.count("WARNING: ThreadSanitizer")
    checks = re.search(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", said)
    well = not status and not races and checks is not None
    if not well:
        print(said[-4000:], file=sys.stderr)
    return ([name, checks.group(1) if checks else "none", races,
             "passed" if well else "FAILED",
             f"{time.monotonic() - began:.0f}"], well)


def main():
    build()
    provenance("threads")
    rows = [judge(name) for name in TESTS]
    table([row for row, _ in rows],
          ("tests of", "tests", "races", "verdict", "seconds"))
    sys.exit(0 if all(well for _, well in rows) else 1)


main()
