# SPDX-License-Identifier: GPL-3.0-or-later
"""Ganeti's htools and dcplan-bench on the same clusters, side by side: hbal's
score at equal numbers of moves, without a limit, and hspace's instances.  Our
scores are those that hbal prints for the files that we wrote; hcheck judges
them.  CPU seconds, not wall time."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys

import common

CLUSTERS = os.path.join(common.DATA, "solver/ganeti")
BENCH = os.path.join(os.environ.get("BUILD", "build"), "dcplan-bench")
STEP = re.compile(r"^ +(\d+)\. \S+ .* (\d+\.\d{8}) a=", re.M)
OVERALL = re.compile(r"Initial coefficients: overall (\d+\.\d+)")


def cpu(*command, limit=900):
    """Standard output, and CPU seconds; None: it took longer."""
    print("$ " + " ".join(command), file=sys.stderr)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(command, capture_output=True, text=True,
                              check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return None, limit
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise common.Failed(f"{' '.join(command)}: {done.stderr}")
    return done.stdout, (after.ru_utime + after.ru_stime - before.ru_utime -
                         before.ru_stime)


def bench(kind, data, work, *options):
    """The answer, with CPU seconds, and the file that was written."""
    path = os.path.join(work, "solution.data")
    text, seconds = cpu(BENCH, "--seed", str(common.SEED), "-q", kind, data,
                        "-o", path, *options)
    answer = json.loads(text.splitlines()[-1])
    answer["cpu"] = seconds
    return answer, path


def judge(path, answer):
    """hbal's own score of a file; hcheck must find it healthy."""
    text, _ = cpu("hbal", "-t", path, "-l", "0", "-vvv")
    score = float(OVERALL.search(text).group(1))
    if answer and abs(score - answer["value"]) > 5e-9:
        raise common.Failed(f"hbal says {score}, we {answer['value']}")
    text, _ = cpu("hcheck", "-t", path)
    for what in ("Nodes not N+1 happy", "Nodes not directly evacuateable"):
        if f"{what}: 0" not in text:
            raise common.Failed(f"hcheck: {path}: {what}")
    return score


def hbal(data, steps, limit):
    """hbal's score after each step, and CPU seconds."""
    more = ["-l", str(steps)] if steps else []
    text, seconds = cpu("hbal", "-t", data, "-v", *more, limit=limit)
    if text is None:
        return None, seconds
    return {int(k): float(v) for k, v in STEP.findall(text)}, seconds


def compare(data, work, numbers, steps, limit):
    peer, seconds = hbal(data, steps, limit)
    name = os.path.basename(data)
    print(f"\n`{name}`: hbal ", end="")
    if peer is None:
        print(f"did not finish in {seconds:.0f} s.")
        peer = {}
    else:
        last = max(peer)
        print(f"took {last} steps and {seconds:.1f} CPU s.")
        numbers = sorted(set([k for k in numbers if k <= last] + [last]))
    print("\n| moves at most | hbal | dcplan | bound | moves | CPU s | hbal's "
          "CPU over ours |\n|---|---|---|---|---|---|---|")
    for k in numbers:
        answer, path = bench("hbal", data, work, "--max-moves", str(k))
        score = judge(path, answer)
        theirs = peer.get(k)
        times = seconds * k / max(peer) / answer["cpu"] if peer else None
        if theirs is not None and score > theirs:
            raise common.Failed(f"{name}: {score} at {k} moves, hbal {theirs}")
        print(f"| {k} | {theirs if theirs is not None else '-'} | {score:.8f} "
              f"| {answer['lower_bound']:.4f} | {answer['moves']} | "
              f"{answer['cpu']:.3f} | "
              f"{'%.0f' % times if times else '-'} |")
    answer, path = bench("hbal", data, work, "--time-limit", "3")
    score = judge(path, answer)
    print(f"| any, 3 s | - | {score:.8f} | {answer['lower_bound']:.8f} | "
          f"{answer['moves']} | {answer['cpu']:.2f} | - |", flush=True)


def hspace(data, work, options, limit):
    text, seconds = cpu("hspace", "-t", data, "--machine-readable", *options,
                        limit=limit)
    found = re.search(r"HTS_ALLOC_INSTANCES=(\d+)", text) if text else None
    answer, path = bench("hspace", data, work, *options)
    judge(path, None)
    theirs = int(found.group(1)) if found else None
    if theirs is not None and answer["value"] < theirs:
        raise common.Failed(f"{data}: {answer['value']}, hspace {theirs}")
    print(f"| {os.path.basename(data)} | {' '.join(options) or 'its policy'} | "
          f"{theirs if theirs is not None else f'none in {limit} s'} | "
          f"{answer['value']:.0f} | {answer['lower_bound']:.0f} | "
          f"{seconds:.1f} | {answer['cpu']:.3f} |", flush=True)


def main():
    if not os.path.isdir(CLUSTERS):
        print(f"skipped: no {CLUSTERS}")
        sys.exit(77)
    if not shutil.which("hbal"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "ganeti-htools"],
                       check=True, stdout=sys.stderr)
    common.provenance("solver-balance")
    work = common.work_dir("solver_balance")
    kept = {n: os.path.join(CLUSTERS, n + ".data")
            for n in ("c40_800_ext", "c40_800_drbd", "c80_3000_ext",
                      "c80_3000_drbd")}
    fresh = {}
    for nodes, instances, template, seed, skew in (
            (20, 300, "ext", 21, 0.5), (20, 300, "drbd", 22, 0.5)):
        name = f"c{nodes}_{instances}_{template}_{seed}"
        fresh[name] = os.path.join(work, name + ".data")
        text, _ = cpu(sys.executable, os.path.join(CLUSTERS, "gen_ganeti.py"),
                      *map(str, (nodes, instances, template, seed, skew)))
        with open(fresh[name], "w", encoding="utf-8") as file:
            file.write(text)
    print("### hbal: the score at equal numbers of moves")
    compare(kept["c40_800_ext"], work, [5, 10, 20, 40, 60, 83], 0, 900)
    compare(kept["c40_800_drbd"], work, [1, 2, 3], 3, 300)
    compare(kept["c80_3000_ext"], work, [1, 2], 2, 300)
    compare(kept["c80_3000_drbd"], work, [1], 1, 300)
    for name, data in fresh.items():
        compare(data, work, [1, 2, 3, 5, 10, 20], 0 if "ext" in name else 10,
                300)
    print("\n### hspace: instances that fit\n\n| cluster | asked for | hspace | "
          "dcplan | at most | hspace CPU s | our CPU s |\n"
          "|---|---|---|---|---|---|---|")
    eight = ["--standard-alloc", "64g,8192,4", "--disk-template"]
    hspace(kept["c40_800_drbd"], work, eight + ["drbd"], 120)
    hspace(kept["c40_800_drbd"], work, [], 120)
    for data in fresh.values():
        hspace(data, work, eight + ["drbd" if "drbd" in data else "ext"], 120)


try:
    main()
except common.Failed as failed:
    sys.exit(f"proof: {failed}")
