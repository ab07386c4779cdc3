# SPDX-License-Identifier: GPL-3.0-or-later
"""Machine reassignment of the ROADEF/EURO challenge 2012 against best known
values; every solution is judged by the checker beside the data.

LIMIT_S=300 THREADS=2 ITERATIONS=0 INSTANCES="a1_1 b_1" in the environment
choose; ITERATIONS takes the place of the clock."""
import csv
import json
import os
import subprocess
import sys

from common import DATA, SEED, Failed, provenance, table, work_dir

HERE = os.path.join(DATA, "solver", "roadef2012")
WORK = work_dir("solver-roadef")
LIMIT_S = os.environ.get("LIMIT_S", "300")
THREADS = os.environ.get("THREADS", "2")
ITERATIONS = os.environ.get("ITERATIONS", "0")


def unpacked(path):
    """The file as it is, or unpacked for the checker, which reads no .gz."""
    if os.path.exists(path):
        return path
    out = os.path.join(WORK, os.path.basename(path))
    with open(out, "wb") as f:
        subprocess.run(["gzip", "-dc", path + ".gz"], stdout=f, check=True)
    return out


def solved(name, checker):
    """What the program said of one instance, and what the checker says."""
    model = unpacked(os.path.join(HERE, "instances", f"model_{name}.txt"))
    start = os.path.join(HERE, "instances", f"assignment_{name}.txt")
    new = os.path.join(WORK, f"new_{name}.txt")
    limit = (["--iterations", ITERATIONS] if ITERATIONS != "0"
             else ["--time-limit", LIMIT_S])
    command = ["build/dcplan-bench", "--seed", str(SEED), "--threads", THREADS,
               *limit, "roadef", model, start, "-o", new]
    print("$ " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{name}: exit status {done.returncode}\n{done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1])
    judged = subprocess.run([checker, model, start, new], text=True,
                            capture_output=True, check=False)
    verdict = json.loads(judged.stdout)
    if not verdict["valid"] or verdict["total"] != said["value"]:
        raise Failed(f"{name}: the checker says {judged.stdout}")
    return said


def row_of(known, said):
    value, best = int(said["value"]), int(known["best_any_citable"])
    score = 100 * (value - best) / int(known["initial"])
    gap = 100 * (value - said["lower_bound"]) / max(value, 1)
    if ITERATIONS == "0" and said["seconds"] > 1.05 * float(LIMIT_S):
        raise Failed(f"{known['instance']}: {said['seconds']:.1f} s")
    return [known["instance"], f"{best:,}", f"{int(known['s41_300s']):,}",
            f"{value:,}", f"{score:.4f}", f"{100 * (value / best - 1):.3f} %",
            f"{gap:.3f} %", int(said["moves"]), f"{said['seconds']:.0f}",
            f"{said['cpu_seconds']:.0f}"], score


def main():
    if not os.path.isdir(HERE):
        print("skipped: no data at " + HERE)
        sys.exit(77)
    checker = os.path.join(WORK, "roadef_check")
    subprocess.run(["cc", "-O2", "-w", "-o", checker,
                    os.path.join(HERE, "roadef_check.c")], check=True)
    with open(os.path.join(HERE, "best_known.csv"), encoding="utf-8") as f:
        known = {row["instance"]: row for row in csv.DictReader(f)}
    names = os.environ.get("INSTANCES", "").split() or [
        name for name in known
        if os.path.exists(os.path.join(HERE, "instances",
                                       f"assignment_{name}.txt"))]
    provenance("solver-roadef")
    limit = (f"{ITERATIONS} iterations" if ITERATIONS != "0"
             else f"{LIMIT_S} s")
    print(f"{limit}, {THREADS} thread(s). Score: 100 x (cost - best) / "
          "initial. All solutions are valid by `roadef_check.c`.\n")
    rows, of_b = [], 0
    for name in names:
        row, score = row_of(known[name], solved(name, checker))
        rows.append(row)
        of_b += score if name.startswith("b_") else 0
    table(rows, ["instance", "best known", "S41, 300 s", "cost", "score",
                 "above best", "gap to bound", "moves", "wall, s", "CPU, s"])
    print(f"Sum of scores over the B instances here: {of_b:.3f}.")


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
