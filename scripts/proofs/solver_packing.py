# SPDX-License-Identifier: GPL-3.0-or-later
"""Vector and one-dimensional bin packing against known optima.

Every solution is read and counted here, from the instance's own file.  Only
instances whose optimum is known count, except in the last two columns.
Environment: STRIDE=N takes every N-th instance (default 1), OFFSET=K begins at
the K-th, SETS=vbp,bpp (default both), VBP_SECONDS (10), BPP_SECONDS (5),
THREADS (2), DCPLAN_BENCH (build/dcplan-bench), CSV=FILE (a line for each
instance)."""
import csv
import json
import os
import subprocess
import sys
import tarfile

import common

STRIDE = int(os.environ.get("STRIDE", "1"))
OFFSET = int(os.environ.get("OFFSET", "0"))
SETS = os.environ.get("SETS", "vbp,bpp").split(",")
ONLY = os.environ.get("ONLY", "")
SECONDS = {"vbp": os.environ.get("VBP_SECONDS", "10"),
           "bpp": os.environ.get("BPP_SECONDS", "5")}
THREADS = os.environ.get("THREADS", "2")
BENCH = os.environ.get("DCPLAN_BENCH", "build/dcplan-bench")
SOLVER = os.path.join(common.DATA, "solver")


def unpack(archive, to):
    with tarfile.open(archive) as tar:
        tar.extractall(to, filter="data")


def vbp_instances(work):
    """(group, set, path, best known bound, optimum or None)."""
    found = []
    for name in ("Panigrahy", "New", "Triplet"):
        for file in sorted(os.listdir(os.path.join(SOLVER, "vbp"))):
            if file.startswith(name) and file.endswith(".tar.gz"):
                unpack(os.path.join(SOLVER, "vbp", file), work)
        known = os.path.join(SOLVER, "vbp", f"{name}_summary_known.csv")
        with open(known, encoding="utf-8") as f:
            rows = {row["instance_name"]: row
                    for row in csv.DictReader(f, delimiter="\t")}
        for folder, _, files in os.walk(work):
            if not os.path.basename(os.path.relpath(folder, work)
                                    .split(os.sep)[0]).startswith(name):
                continue
            for file in files:
                row = rows.get(file.removesuffix(".vbp"))
                if row:
                    best = int(row["OPT"])
                    found.append((name, file, os.path.join(folder, file),
                                  int(row["LB"]), best if best > 0 else None))
    return sorted(found)


def bpp_instances(work):
    archive = os.path.join(SOLVER, "bpp1d", "bpp_csp.tar.gz")
    unpack(archive, work)
    with open(os.path.join(SOLVER, "bpp1d", "bounds.csv"),
              encoding="utf-8") as f:
        rows = {row["instance"]: row for row in csv.DictReader(f)}
    found = []
    for folder, _, files in os.walk(work):
        for file in files:
            row = rows.get(file.removesuffix(".txt"))
            if row:
                lb, ub = int(row["lb"]), int(row["ub"])
                found.append((row["family"].removesuffix("_CSP"), file,
                              os.path.join(folder, file), lb,
                              ub if lb == ub else None))
    return sorted(found)


def read_instance(kind, path):
    """Capacities and the items, each demand expanded."""
    with open(path, encoding="utf-8") as f:
        words = [int(word) for word in f.read().split()]
    if kind == "vbp":
        d = words[0]
        capacity, n, rest = words[1:1 + d], words[1 + d], words[2 + d:]
    else:
        d, n, capacity, rest = 1, words[0], words[1:2], words[2:]
        if len(rest) == n:
            rest = [x for size in rest for x in (size, 1)]
    items = []
    for i in range(n):
        row = rest[i * (d + 1):(i + 1) * (d + 1)]
        items += [row[:d]] * row[d]
    return capacity, items


def count_bins(kind, path, solution):
    """How many bins the solution has; raises where it is not one."""
    capacity, items = read_instance(kind, path)
    with open(solution, encoding="utf-8") as f:
        lines = f.read().splitlines()
    if int(lines[0]) != len(lines) - 1:
        raise common.Failed(f"{solution}: the number of bins is wrong")
    seen = []
    for line in lines[1:]:
        numbers = [int(word) for word in line.split()]
        content = numbers[1:]
        if numbers[0] != len(content):
            raise common.Failed(f"{solution}: a bin's count is wrong")
        load = [sum(items[i - 1][k] for i in content)
                for k in range(len(capacity))]
        if any(a > b for a, b in zip(load, capacity)):
            raise common.Failed(f"{solution}: a bin is over its capacity")
        seen += content
    if sorted(seen) != list(range(1, len(items) + 1)):
        raise common.Failed(f"{solution}: items are missing or twice there")
    return len(lines) - 1


def run(kind, path, work):
    solution = os.path.join(work, "solution")
    if os.path.exists(solution):
        os.remove(solution)
    done = subprocess.run(
        [BENCH, "--seed", str(common.SEED), "--threads", THREADS,
         "--time-limit", SECONDS[kind], kind, path, "-o", solution],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise common.Failed(f"{path}: exit status {done.returncode}\n"
                            f"{done.stderr}")
    result = json.loads(done.stdout.splitlines()[-1])
    bins = count_bins(kind, path, solution)
    if bins != result["value"]:
        raise common.Failed(f"{path}: {result['value']} said, {bins} counted")
    return result


class Group:
    """What is summed for one row of the table."""

    def __init__(self):
        self.n = self.known = self.optimal = self.proved = 0
        self.bins = self.best = 0
        self.open_bins = self.open_bounds = 0
        self.seconds, self.longest = 0.0, 0.0

    def add(self, result, bound, optimum, path):
        value, lower = int(result["value"]), int(result["lower_bound"])
        self.n += 1
        self.proved += result["status"] == "optimal"
        self.seconds += result["seconds"]
        self.longest = max(self.longest, result["seconds"])
        if optimum is None:
            self.open_bins += value
            self.open_bounds += max(bound, lower)
            return
        self.known += 1
        self.optimal += value == optimum
        self.bins += value
        self.best += optimum
        if value < optimum or lower > optimum:
            raise common.Failed(f"{path}: {lower} to {value} bins, but "
                                f"{optimum} is known to be the optimum")

    def row(self, name):
        share = 100 * self.optimal / self.known if self.known else 0
        return (name, self.n, self.known, self.optimal, f"{share:.1f} %",
                self.bins, self.best, self.proved,
                f"{self.seconds / max(self.n, 1):.2f}", f"{self.longest:.2f}",
                self.n - self.known, self.open_bins, self.open_bounds)


HEAD = ("set", "instances", "optimum known", "reached", "share", "bins",
        "optimum", "proved here", "mean s", "longest s", "open",
        "bins of open", "bound of open")


def main():
    work = common.work_dir("solver-packing")
    out = open(os.environ["CSV"], "w", encoding="utf-8") \
        if "CSV" in os.environ else None
    for kind, listed in (("vbp", vbp_instances), ("bpp", bpp_instances)):
        if kind not in SETS:
            continue
        groups = {}
        for name, file, path, bound, optimum in \
                [x for x in listed(work) if ONLY in x[2]][OFFSET::STRIDE]:
            result = run(kind, path, work)
            part = os.path.basename(os.path.dirname(path))
            keys = [name] if kind == "bpp" else [name, f"{name} {part}"]
            for key in keys:
                groups.setdefault(key, Group()).add(result, bound, optimum,
                                                    path)
            if out:
                print(name, part, file, int(result["value"]),
                      int(result["lower_bound"]), optimum or "-", bound,
                      result["status"], f"{result['seconds']:.2f}",
                      f"{result['cpu_seconds']:.2f}", sep=",", file=out,
                      flush=True)
        print(f"### {kind}, {SECONDS[kind]} s\n")
        common.table([g.row(k) for k, g in sorted(groups.items())], HEAD)
    common.provenance("solver-packing")


if not os.path.isdir(SOLVER):
    print(f"no instances in {SOLVER}: skipped", file=sys.stderr)
    sys.exit(77)
main()
