# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proofs share: a place to work, and running dcplan there."""
import datetime
import json
import math
import os
import shutil
import subprocess
import sys

DATA = "../shared/data"
SEED = 7

# Two-sided 80 % quantiles of Student's t by degrees of freedom (1 to 13).
T_80 = [3.078, 1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372,
        1.363, 1.356, 1.350]


class Failed(Exception):
    """A command that did not do what the proof needs."""


def work_dir(name):
    """An empty directory for this proof."""
    path = os.path.join("out", "proof", name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def dcplan(*args, ok=(0,), seed=SEED):
    """Runs the program; its standard output."""
    command = ["build/dcplan", "--seed", str(seed), *args]
    print("$ " + " ".join(command[0:1] + command[1:]), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        raise Failed(f"{' '.join(command)}: exit status {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
    return done.stdout


def dcplan_json(*args, ok=(0,), seed=SEED):
    """Runs the program with --json; its object."""
    return json.loads(dcplan("--json", *args, ok=ok, seed=seed))


def copy_model(model, to):
    """The model as it starts: no usage, no placement of ours."""
    shutil.copytree(model, to, ignore=shutil.ignore_patterns(
        "usage.h5", ".dcplan", "*.json"))


def replace_in(path, old, new):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if old not in text:
        raise Failed(f"{path} has no '{old}'")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def text_of(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def after_hours(text, hours):
    return text_of(instant(text) + datetime.timedelta(hours=hours))


def interval_80(values):
    """Mean, and its 80 % interval: Student's t over independent values."""
    n = len(values)
    mean = sum(values) / n
    variance = sum((x - mean) ** 2 for x in values) / (n - 1)
    half = T_80[n - 2] * math.sqrt(variance / n)
    return mean, mean - half, mean + half


def table(rows, head):
    """Prints a Markdown table, the first column to the left."""
    print("| " + " | ".join(head) + " |")
    print("|---|" + "---:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def provenance(name):
    """Commit and command, for the record."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True, check=False)
    print(f"`scripts/proof {name}`, seed {SEED}, "
          f"commit {commit.stdout.strip() or 'unknown'}.\n")
