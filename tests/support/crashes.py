# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of an evening and a morning leg on the fake (tests/fake/world.h) that
are killed, or whose system calls fail, at a chosen place; and the witness,
which reads what happened from the fake's own log and knows of no journal."""
import json
import os
import shutil
import subprocess
import tempfile

from handmade import (DCPLAN, LINEAGE, START, MORNING, Model, check, move,
                      policy_digest, power, seal)

TESTS = os.path.join(os.path.abspath(os.environ["BUILD"]), "tests")
FAKE = "exec:" + os.path.join(TESTS, "dcplan-fake")
AT_CALL = os.path.join(TESTS, "at-call")
START_MS = 1377892800000
# A process that is killed leaves its pages behind, on whatever file system; in
# memory there is no disk to wait for.
MEMORY = "/dev/shm"
LEGS = ("evening", "morning")
KILLED, CANNOT = 137, 77

# What changes a file or tells somebody something: between two of these nothing
# happens that a later process could see.
CHANGES = ("write,pwrite64,writev,fsync,fdatasync,ftruncate,rename,unlink,"
           "openat,mkdir,fchmod,chmod,link,flock,kill")


def model_text(hosts, vms):
    lines = [f"dcplan: model/1\nlineage: {LINEAGE}\nhardware:\n"
             "  m: {sockets: 2, cores_per_socket: 32, clock: 2GHz,\n"
             "      memory: 1TiB, nics: [10Gbit]}\nhosts:"]
    lines += [f"  h{h}: {{hardware: m}}" for h in range(hosts)]
    lines.append("vms:")
    lines += [f"  v{v}: {{vcpus: 1, memory: 1GiB, host: h{v % hosts}}}"
              for v in range(vms)]
    return "\n".join(lines) + "\n"


def steps_of(hosts, vms, stay):
    """Hosts from 'stay' on are emptied onto the others and switched off; in
    the morning all that is undone."""
    steps, home, night = [], {}, {}
    for v in range(vms):
        home[f"v{v}"] = night[f"v{v}"] = f"h{v % hosts}"
        if v % hosts >= stay:
            night[f"v{v}"] = f"h{v % stay}"
            steps.append(move(len(steps) + 1, "evening", f"v{v}",
                              home[f"v{v}"], night[f"v{v}"], []))
    gone = [s["id"] for s in steps]
    off = [f"h{h}" for h in range(stay, hosts)]
    for h in off:
        steps.append(power(len(steps) + 1, "evening", h, False,
                           [i for i in gone
                            if steps[i - 1]["from"] == f"host:{h}"]))
    on = {}
    for h in off:
        steps.append(power(len(steps) + 1, "morning", h, True, []))
        on[h] = len(steps)
    for v in sorted(home, key=lambda name: int(name[1:])):
        if home[v] != night[v]:
            steps.append(move(len(steps) + 1, "morning", v, night[v], home[v],
                              [on[home[v]]]))
    return steps, home, night, off


class Night:
    """A model, a plan of two legs and a fake world, each run on a copy."""

    def __init__(self, hosts=4, vms=8, stay=2, legs=LEGS, limits=None):
        self.top = tempfile.mkdtemp(
            prefix="dcplan-crash-",
            dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        self.first = os.path.join(self.top, "first")
        m = Model()
        m.write("dc.yaml", model_text(hosts, vms))
        digest = json.loads(m.run(0, "model", "check", "--json"))["digest"]
        self.steps, self.home, self.night, self.off = steps_of(hosts, vms,
                                                               stay)
        plan = m.plan
        plan["model"]["digest"] = digest
        plan["policy"]["digest"] = policy_digest(digest)
        plan["limits"].update(limits or {})
        plan["before"] = {"vms": self.home, "hosts_off": []}
        plan["after"] = {
            "evening": {"vms": self.night, "hosts_off": self.off},
            "morning": {"vms": self.home, "hosts_off": []}}
        plan["legs"] = [leg for leg in plan["legs"] if leg["leg"] in legs]
        for key in ("after", "survive"):
            plan[key] = {leg: plan[key][leg] for leg in legs}
        plan["predicted"]["makespan_ms"] = {leg: 60000 for leg in legs}
        plan["steps"] = self.steps = [s for s in self.steps
                                      if s["leg"] in legs]
        m.write("plan.json", json.dumps(seal(plan)))
        shutil.move(m.path, self.first)
        os.mkdir(os.path.join(self.first, "world"))
        start = {"now_ms": START_MS, "clock": "virtual"}
        start.update({f"vm:{v}": f"host:{h}" for v, h in self.home.items()})
        with open(os.path.join(self.first, "world/start"), "w") as f:
            f.write(json.dumps(start) + "\n")

    def copy(self, name, of="first"):
        path = os.path.join(self.top, name)
        shutil.copytree(os.path.join(self.top, of), path)
        return Run(self, path)

    def remove(self):
        shutil.rmtree(self.top)


class Run:
    def __init__(self, night, path):
        self.night, self.path = night, path

    def faults(self, *lines):
        with open(os.path.join(self.path, "world/faults"), "w") as f:
            f.write("".join(line + "\n" for line in lines))

    def words(self, *words):
        return [DCPLAN, "-C", self.path, "apply",
                os.path.join(self.path, "plan.json"), "--executor", FAKE,
                "--yes", *words]

    def environment(self):
        return dict(os.environ,
                    DCPLAN_WORLD=os.path.join(self.path, "world"))

    def apply(self, *words, under=()):
        """Exit status and what it said."""
        done = subprocess.run([*under, *self.words(*words)],
                              env=self.environment(), capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stderr

    def at_call(self, calls, number, error, *words):
        """As apply(), killed or failed there; and how many calls there were.
        Negative: killed before it could have begun."""
        how = [AT_CALL, calls] + ([str(number)] if number else [])
        status, says = self.apply(*words,
                                  under=(*how, *([error] if error else []),
                                         "--"))
        last = says.strip().rsplit("at-call: ", 1)
        check(len(last) == 2 or status == CANNOT, f"at-call says: {says}")
        return status, says, int(last[1].split()[0]) if len(last) == 2 else 0

    def serial(self):
        path = os.path.join(self.path, ".dcplan/placement.csv")
        if not os.path.exists(path):
            return 0
        with open(path) as f:
            return int(f.read().splitlines()[1].split(",")[1])

    def finish(self, leg, tries=3):
        """Applies the leg to its end as a person would who finds it cut
        short: --resume where that is said to be the way.  How often it was
        called."""
        expected = self.plan_serial(leg)
        says = ""
        for attempt in range(1, tries + 1):
            status, says = self.apply("--leg", leg, "--resume")
            if status == 2 and "nothing to resume" in says:
                status, says = self.apply("--leg", leg)
            if status == 4 and "carried out already" in says:
                status = 0
            if status == 0:
                check(self.serial() == expected,
                      f"serial {self.serial()} after {leg}")
                return attempt
            check(status in (6, 4), f"status {status}: {says}")
        check(False, f"{leg} not done after {tries} tries: {says}")
        return 0

    def plan_serial(self, leg):
        names = [s["leg"] for s in self.night.steps]
        return sorted(set(names), key=LEGS.index).index(leg) + 1

    # --- The witness ------------------------------------------------------

    def log(self):
        path = os.path.join(self.path, "world/log")
        with open(path) as f:
            return [json.loads(line) for line in f]

    def world(self):
        with open(os.path.join(self.path, "world/start")) as f:
            state = json.load(f)
        for line in self.log():
            if line["what"] in ("effect", "set"):
                state[line["key"]] = line["is"]
        return state

    def witness(self, leg, where):
        """After 'leg': the world is as planned, by one effect of each step,
        and nothing was done that nobody would do who looks first."""
        legs = LEGS[:LEGS.index(leg) + 1]
        expected = {s["id"] for s in self.night.steps if s["leg"] in legs}
        effects, starts = {}, {}
        for line in self.log():
            check(line["what"] != "breach", f"{where}: {line}")
            if line["what"] == "effect":
                effects[line["step"]] = effects.get(line["step"], 0) + 1
            elif line["what"] == "start":
                starts[line["step"]] = starts.get(line["step"], 0) + 1
        check(effects == {i: 1 for i in expected},
              f"{where}: each effect exactly once: {effects}")
        check(starts == effects, f"{where}: each command once: {starts}")
        state = self.world()
        vms = self.night.night if leg == "evening" else self.night.home
        for vm, host in vms.items():
            check(state[f"vm:{vm}"] == f"host:{host}", f"{where}: {vm}")
        for host in self.night.off:
            check(state.get(f"host:{host}", "on") ==
                  ("off" if leg == "evening" else "on"), f"{where}: {host}")
        with open(os.path.join(self.path, ".dcplan/placement.csv")) as f:
            rows = [r.split(",") for r in f.read().splitlines()]
        found = {r[1]: r[2] for r in rows if r[0] == "vm"}
        check(found == vms, f"{where}: the model says where VMs are")

    def remove(self):
        shutil.rmtree(self.path)
