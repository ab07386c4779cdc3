# SPDX-License-Identifier: GPL-3.0-or-later
"""BtrPlace's instances and plans: is each plan of dcplan-bench valid, how soon
does it end, and how long did it take?

The judge below shares nothing with dcplan: it reads the instance and the plan
and replays every instant.  With two arguments, INSTANCE and PLAN, it judges
that pair and says what is wrong."""
import collections
import glob
import gzip
import json
import os
import subprocess
import sys
import time

BENCH = os.environ.get("DCPLAN_BENCH", "build/dcplan-bench")
DATA = "../shared/data/solver/btrplace"
READY, RUNNING, SLEEPING, GONE = "ready", "running", "sleeping", "killed"


def load(path):
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as f:
        return json.load(f)


def each(c, one, many):
    if many in c:
        return list(c[many])
    return [c[one]] if one in c else []


class World:
    """The instance: who is where, what there is, what shall be."""

    def __init__(self, data):
        self.data = data
        model = data.get("model") or data["origin"]
        mapping = model["mapping"]
        self.on = {}
        self.host, self.state = {}, {}
        for n, lists in mapping["onlineNodes"].items():
            self.on[int(n)] = True
            for v in lists.get("runningVMs", []):
                self.host[v], self.state[v] = int(n), RUNNING
            for v in lists.get("sleepingVMs", []):
                self.host[v], self.state[v] = int(n), SLEEPING
        for n in mapping.get("offlineNodes", []):
            self.on[n] = False
        for v in mapping.get("readyVMs", []):
            self.host[v], self.state[v] = None, READY
        self.attributes = model.get("attributes") or {}
        self.cap, self.use = {}, {}
        self.net = None
        for view in model.get("views", []):
            if view["id"] == "net":
                self.net = view
            if view["id"] != "shareableResource":
                continue
            rc = view["rcId"]
            self.cap[rc] = {n: view["nodes"].get(str(n), view["defCapacity"])
                            for n in self.on}
            self.use[rc] = {v: view["vms"].get(str(v), view["defConsumption"])
                            for v in self.host}
        self.constraints = data.get("constraints", [])
        self.wanted = {rc: dict(u) for rc, u in self.use.items()}
        for c in self.constraints:
            if c["id"] == "preserve":
                for v in each(c, "vm", "vms"):
                    row = self.wanted[c["rc"]]
                    row[v] = max(row[v], c["amount"])
            elif c["id"] == "overbook":
                for n in each(c, "node", "nodes"):
                    self.cap[c["rc"]][n] = int(
                        self.cap[c["rc"]][n] * c["ratio"] + 1e-9)

    def seconds(self, kind, name, key):
        value = self.attributes.get(kind, {}).get(str(name), {}).get(key, 1)
        return int(value)


KEY = {"migrateVM": "migrate", "bootVM": "boot", "shutdownVM": "shutdown",
       "suspendVM": "suspend", "resumeVM": "resume", "killVM": "kill"}


class Replay:
    """Every instant of a plan.  At an instant ends come before starts."""

    def __init__(self, world, actions):
        self.w, self.actions = world, actions
        self.problems = []
        self.on = dict(world.on)
        self.busy_node = {}
        self.host, self.state = dict(world.host), dict(world.state)
        self.to = {}        # VM on its way: where to.
        self.amount = {rc: dict(u) for rc, u in world.use.items()}
        self.level = {rc: collections.Counter() for rc in world.use}
        self.vms_on = collections.defaultdict(set)  # Both sides of a move.
        for v, n in self.host.items():
            if self.state[v] == RUNNING:
                self.vms_on[n].add(v)
                for rc, u in world.use.items():
                    self.level[rc][n] += u[v]

    def bad(self, text):
        if len(self.problems) < 20:
            self.problems.append(text)

    def add(self, n, v, rc, amount, when):
        self.level[rc][n] += amount
        if amount > 0 and self.level[rc][n] > self.w.cap[rc][n]:
            self.bad(f"t={when}: node {n} has {self.level[rc][n]} of {rc}, "
                     f"capacity {self.w.cap[rc][n]} (VM {v})")

    def arrive(self, a, n):
        v = a["vm"]
        if not self.on.get(n) or n in self.busy_node:
            self.bad(f"t={a['start']}: VM {v} comes to node {n}, which is not "
                     "on")
        for rc in self.level:
            self.add(n, v, rc, self.w.wanted[rc][v], a["start"])
        self.vms_on[n].add(v)

    def leave(self, v, n):
        for rc in self.level:
            self.level[rc][n] -= self.amount[rc][v]
        self.vms_on[n].discard(v)

    def expect(self, a, state, host):
        v = a["vm"]
        if v not in self.state or v in self.to:
            self.bad(f"{a}: no such VM, or it is under way")
            return False
        if self.state[v] != state or (host is not None and
                                      self.host[v] != host):
            self.bad(f"{a}: VM is {self.state[v]} on {self.host[v]}")
            return False
        return True

    def start(self, a):
        kind, when = a["id"], a["start"]
        if kind == "bootNode":
            if self.on[a["node"]] or a["node"] in self.busy_node:
                self.bad(f"{a}: is on")
            self.busy_node[a["node"]] = a
        elif kind == "shutdownNode":
            n = a["node"]
            if not self.on[n] or self.vms_on[n] or any(
                    h == n and self.state[v] == SLEEPING
                    for v, h in self.host.items()):
                self.bad(f"{a}: is off, or has VMs")
            self.busy_node[n] = a
        elif kind == "migrateVM":
            if self.expect(a, RUNNING, a["from"]):
                if a["from"] == a["to"]:
                    self.bad(f"{a}: goes nowhere")
                self.arrive(a, a["to"])
                self.to[a["vm"]] = a["to"]
        elif kind == "bootVM":
            if self.expect(a, READY, None):
                self.arrive(a, a["to"])
                self.to[a["vm"]] = a["to"]
        elif kind == "resumeVM":
            if self.expect(a, SLEEPING, a["from"]):
                self.arrive(a, a["to"])
                self.to[a["vm"]] = a["to"]
        elif kind in ("shutdownVM", "suspendVM"):
            host = a.get("on", a.get("from"))
            if self.expect(a, RUNNING, host):
                self.to[a["vm"]] = host
        elif kind == "killVM":
            if a["vm"] in self.to:
                self.bad(f"{a}: is under way")
            self.to[a["vm"]] = None
        elif kind == "allocate":
            v, rc = a["vm"], a["rc"]
            if self.expect(a, RUNNING, a["on"]):
                self.add(a["on"], v, rc, a["amount"] - self.amount[rc][v],
                         when)
                self.amount[rc][v] = a["amount"]
        else:
            self.bad(f"{a}: unknown action")

    def end(self, a):
        kind = a["id"]
        if kind in ("bootNode", "shutdownNode"):
            self.on[a["node"]] = kind == "bootNode"
            self.busy_node.pop(a["node"], None)
            return
        if kind == "allocate" or a["vm"] not in self.to:
            return
        v = a["vm"]
        to = self.to.pop(v)
        if kind in ("migrateVM", "bootVM", "resumeVM"):
            if kind == "migrateVM":
                self.leave(v, self.host[v])
            self.host[v], self.state[v] = to, RUNNING
            for rc in self.amount:
                self.amount[rc][v] = self.w.wanted[rc][v]
            return
        if self.state[v] == RUNNING:
            self.leave(v, self.host[v])
        self.state[v] = {"shutdownVM": READY, "suspendVM": SLEEPING,
                         "killVM": GONE}[kind]
        if self.state[v] != SLEEPING:
            self.host[v] = None

    def run(self, instant):
        """Calls instant(self, t) when all of t has happened."""
        events = collections.defaultdict(lambda: ([], []))
        for a in self.actions:
            if a["end"] > a["start"]:
                events[a["end"]][0].append(a)
            events[a["start"]][1].append(a)
        for t in sorted(events):
            for a in events[t][0]:
                self.end(a)
            for a in events[t][1]:
                self.start(a)
                if a["end"] == a["start"]:
                    self.end(a)
            instant(self, t)


def durations(world, actions, published):
    """Problems with what each action is and how long it takes."""
    problems = []
    was = {}
    for a in published or []:
        was[(a["id"], a.get("vm"), a.get("node"))] = a
    for a in actions:
        took = a["end"] - a["start"]
        if a["start"] < 0:
            problems.append(f"{a}: begins before 0")
        if published is not None:
            b = was.pop((a["id"], a.get("vm"), a.get("node")), None)
            if b is None or took != b["end"] - b["start"] or any(
                    a.get(k) != b.get(k) for k in ("from", "to")):
                problems.append(f"{a}: is not an action of the published plan")
            continue
        if a["id"] == "allocate":
            need = 0
        elif a["id"] in ("bootNode", "shutdownNode"):
            need = world.seconds("nodes", a["node"],
                                 "boot" if a["id"] == "bootNode"
                                 else "shutdown")
        else:
            need = world.seconds("vms", a["vm"], KEY[a["id"]])
        if took != need:
            problems.append(f"{a}: takes {took} s, not {need}")
    if was:
        problems.append(f"{len(was)} actions of the published plan are missing")
    return problems


def among_group(parts, n):
    for i, part in enumerate(parts):
        if n in part:
            return i
    return None


class Rules:
    """The constraints, judged on sets of (VM, node) that hold at one moment."""

    def __init__(self, world):
        self.w = world
        self.sets = {}
        for c in world.constraints:
            if "parts" in c and c["id"] == "among":
                self.sets[id(c)] = [frozenset(p) for p in c["parts"]]
            if c["id"] == "splitAmong":
                self.sets[id(c)] = [frozenset(p) for p in c["pParts"]]

    def places(self, r, vms):
        """Node of each of the VMs that runs, both where it moves."""
        out = []
        for v in vms:
            if r.state[v] == RUNNING:
                out.append((v, r.host[v]))
            if v in r.to and r.to[v] is not None and r.to[v] != r.host[v]:
                out.append((v, r.to[v]))
        return out

    def placement(self, c, r, end=False):
        """What is wrong with a placement constraint now; None: nothing.  Two
        of a spread set that begin on one node may be there until one goes."""
        kind = c["id"]
        vms = each(c, "vm", "vms")
        nodes = set(each(c, "node", "nodes"))
        at = self.places(r, vms)
        if kind == "spread":
            seen = {}
            for v, n in at:
                if seen.setdefault(n, v) != v and (
                        end or self.w.host[v] != n or
                        self.w.host[seen[n]] != n):
                    return f"VMs {v} and {seen[n]} are both on node {n}"
        elif kind == "gather":
            if len({n for _, n in at}) > 1:
                return "VMs are on several nodes"
        elif kind == "lonely":
            for _, n in at:
                if r.vms_on[n] - set(vms):
                    return f"node {n} has others too"
        elif kind == "among":
            groups = {among_group(self.sets[id(c)], n) for _, n in at}
            if len(groups) > 1 or None in groups:
                return f"VMs are in parts {groups}"
        elif kind == "split":
            seen = {}
            for i, part in enumerate(c["parts"]):
                for _, n in self.places(r, part):
                    if seen.setdefault(n, i) != i:
                        return f"node {n} has VMs of two parts"
        elif kind == "splitAmong":
            taken = {}
            for i, part in enumerate(c["vParts"]):
                for _, n in self.places(r, part):
                    g = among_group(self.sets[id(c)], n)
                    if g is None or taken.setdefault(g, i) != i:
                        return f"node {n}: wrong part"
                groups = {among_group(self.sets[id(c)], n)
                          for _, n in self.places(r, part)}
                if len(groups) > 1:
                    return "one set of VMs is in two parts"
        elif kind == "ban":
            if any(n in nodes for _, n in at):
                return "a VM is on a banned node"
        elif kind == "fence":
            if any(n not in nodes for _, n in at):
                return "a VM is off its fence"
        elif kind == "resourceCapacity":
            used = sum(r.amount[c["rc"]][v] for v, n in r.host.items()
                       if n in nodes and r.state[v] == RUNNING)
            used += sum(self.w.wanted[c["rc"]][v] for v, n in r.to.items()
                        if n in nodes and (r.state[v] != RUNNING or
                                           r.host[v] not in nodes))
            if used > c["amount"]:
                return f"uses {used} of {c['amount']}"
        elif kind == "runningCapacity":
            here = {v for n in nodes for v in r.vms_on[n]}
            if len(here) > c["amount"]:
                return f"{len(here)} VMs, {c['amount']} at most"
        elif kind == "maxOnline":
            on = sum(r.on[n] or n in r.busy_node for n in nodes)
            if on > c["amount"]:
                return f"{on} nodes are on, {c['amount']} at most"
        return None

    def final(self, c, r):
        """What is wrong at the end."""
        kind = c["id"]
        states = {"running": RUNNING, "ready": READY, "sleeping": SLEEPING,
                  "killed": GONE}
        if kind in states:
            for v in each(c, "vm", "vms"):
                if r.state[v] != states[kind]:
                    return f"VM {v} is {r.state[v]}"
        elif kind in ("online", "offline"):
            for n in each(c, "node", "nodes"):
                if r.on[n] != (kind == "online"):
                    return f"node {n} is on: {r.on[n]}"
        elif kind == "preserve":
            for v in each(c, "vm", "vms"):
                if (r.state[v] == RUNNING and
                        r.amount[c["rc"]][v] < c["amount"]):
                    return f"VM {v} has {r.amount[c['rc']][v]} of {c['rc']}"
        return self.placement(c, r, end=True)

    def times(self, c, actions):
        """What is wrong with when things are done."""
        kind = c["id"].lower()
        moves = {a["vm"]: a for a in actions if a["id"] == "migrateVM"}
        own = {a["vm"]: a for a in actions
               if "vm" in a and a["id"] not in ("migrateVM", "allocate")}
        vms = each(c, "vm", "vms")
        if kind == "root":
            if any(v in moves for v in vms):
                return "a root VM moves"
        elif kind == "quarantine":
            zone = set(each(c, "node", "nodes"))
            for a in actions:
                if a.get("to") in zone or (a["id"] == "migrateVM" and
                                           a["from"] in zone):
                    return f"{a} crosses the zone"
        elif kind == "seq":
            last = 0
            for v in vms:
                if v in own:
                    if own[v]["start"] < last:
                        return f"VM {v} is too early"
                    last = own[v]["end"]
        elif kind == "nodelay":
            for v in vms:
                if any(a.get("vm") == v and a["start"] > 0 and
                       a["id"] != "allocate" for a in actions):
                    return f"VM {v} is delayed"
        elif kind == "precedence":
            a, b = moves.get(c["vm1"]), moves.get(c["vm2"])
            if a and b and a["end"] > b["start"]:
                return "the second VM is too early"
        elif kind == "deadline":
            h, m, s = c["timestamp"].lstrip("+").split(":")
            limit = int(h) * 3600 + int(m) * 60 + int(s)
            if any(moves[v]["end"] > limit for v in vms if v in moves):
                return "too late"
        elif kind == "serialize":
            spans = sorted((moves[v]["start"], moves[v]["end"])
                           for v in vms if v in moves)
            if any(x[1] > y[0] for x, y in zip(spans, spans[1:])):
                return "two migrations at once"
        elif kind == "sync":
            if len({moves[v]["end"] for v in vms if v in moves}) > 1:
                return "migrations do not end together"
        return None


def routes(world, published):
    """Directed links of each migration, and what each can carry."""
    cap, path = {}, {}
    moves = [a for a in published if a["id"] == "migrateVM" and a.get("bw")]
    if world.net:
        up = {}
        for link in world.net["links"]:
            e = link["physicalElement"]
            up.setdefault((e["type"], e["id"]), []).append(link)
            cap[("up", link["id"])] = cap[("down", link["id"])] = \
                link["capacity"]
        for a in moves:
            chains = []
            for n in (a["from"], a["to"]):
                chain, at = [], ("node", n)
                while at in up:
                    chain.append(up[at][0])
                    at = ("switch", chain[-1]["switch"])
                chains.append(chain)
            common = ({x["switch"] for x in chains[0]} &
                      {x["switch"] for x in chains[1]})
            hops = []
            for chain, way in zip(chains, ("up", "down")):
                for link in chain:
                    hops.append((way, link["id"]))
                    if link["switch"] in common:
                        break
            path[a["vm"]] = hops
        return cap, path
    for a in moves:
        path[a["vm"]] = [("out", a["from"]), ("in", a["to"])]
    for t in {a["start"] for a in moves}:
        load = collections.Counter()
        for a in moves:
            if a["start"] <= t < a["end"]:
                for hop in path[a["vm"]]:
                    load[hop] += a["bw"]
        for (way, n), x in load.items():
            for w in ("in", "out"):
                cap[(w, n)] = max(cap.get((w, n), 0), x)
    return cap, path


def link_problems(world, actions, published):
    cap, path = routes(world, published)
    problems = []
    width = {a["vm"]: a["bw"] for a in published if a["id"] == "migrateVM"}
    moves = [a for a in actions if a["id"] == "migrateVM"]
    for t in {a["start"] for a in moves}:
        load = collections.Counter()
        for a in moves:
            if a["start"] <= t < a["end"]:
                for hop in path.get(a["vm"], []):
                    load[hop] += width[a["vm"]]
        problems += [f"t={t}: link {hop} carries {x} of {cap[hop]}"
                     for hop, x in load.items() if x > cap[hop]]
    return problems


def judge(instance, plan):
    """(last end, problems) of a plan for an instance, both as JSON."""
    world = World(instance)
    published = instance.get("actions")
    actions = plan["actions"]
    problems = durations(world, actions, published)
    rules = Rules(world)
    held = [c for c in world.constraints if c.get("continuous")]
    by_vm = collections.defaultdict(list)
    wide = []
    for c in held:
        vms = each(c, "vm", "vms") or [
            v for part in c.get("parts", c.get("vParts", []))
            if c["id"] in ("split", "splitAmong") for v in part]
        if not vms or c["id"] in ("lonely", "split", "splitAmong"):
            wide.append(c)
        for v in vms:
            by_vm[v].append(c)
    touched = collections.defaultdict(set)
    for a in actions:
        if "vm" in a:
            touched[a["start"]].add(a["vm"])
            touched[a["end"]].add(a["vm"])

    def instant(r, t):
        seen = set()
        for v in touched[t]:
            for c in by_vm[v]:
                if id(c) not in seen:
                    seen.add(id(c))
                    wrong = rules.placement(c, r)
                    if wrong:
                        r.bad(f"t={t}: {c['id']}: {wrong}")
        for c in wide:
            wrong = rules.placement(c, r)
            if wrong:
                r.bad(f"t={t}: {c['id']}: {wrong}")

    replay = Replay(world, sorted(actions, key=lambda a: (
        a["start"], a["id"] == "allocate" and 0 or 1, a.get("vm", -1))))
    replay.run(instant)
    problems += replay.problems
    for c in world.constraints:
        for wrong in (rules.final(c, replay), rules.times(c, actions)):
            if wrong:
                problems.append(f"{c['id']}: {wrong}")
    for rc, level in replay.level.items():
        for n, x in level.items():
            if x > world.cap[rc][n]:
                problems.append(f"the end: node {n} has {x} of {rc}, capacity "
                                f"{world.cap[rc][n]}")
    if published is not None:
        problems += link_problems(world, actions, published)
    return max([a["end"] for a in actions], default=0), problems


def bench(path, plan):
    begun = time.monotonic()
    done = subprocess.run([BENCH, "btrplace", path, "-o", plan, "--seed", "7"],
                          capture_output=True, text=True, check=False)
    wall = time.monotonic() - begun
    lines = done.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if lines else {}), wall, done


def judged_apart(path, plan):
    """Judges in a process of its own, so that this one stays small: a child
    starts with its parent's peak memory."""
    done = subprocess.run([sys.executable, "-B", __file__, path, plan],
                          capture_output=True, text=True, check=False)
    return json.loads(done.stdout.strip().splitlines()[-1])


def judge_files(path, plan):
    instance = load(path)
    end, problems = judge(instance, load(plan))
    world = World(instance)
    print("\n".join(problems[:20]) or f"valid, last end {end} s")
    print(json.dumps({
        "valid": not problems, "end": end, "vms": len(world.host),
        "rules": len(world.constraints), "problem": (problems + [""])[0],
        "published": max((a["end"] for a in instance.get("actions", [])),
                         default=None)}))
    return 1 if problems else 0


def main():
    if len(sys.argv) == 3:
        return judge_files(sys.argv[1], sys.argv[2])
    paths = sys.argv[1:] or (
        sorted(glob.glob(f"{DATA}/*.gz")) + sorted(glob.glob(f"{DATA}/tdsc/*"))
        + sorted(glob.glob(f"{DATA}/ucc15/*.json")))
    if not paths:
        print(f"skipped: no instances in {DATA}")
        return 77
    os.makedirs("out/proof/solver_btrplace", exist_ok=True)
    failed = 0
    print("| instance | VMs | rules | valid | last end s | bound s | published "
          "| moves | wall s | CPU s | MiB |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for path in paths:
        plan = "out/proof/solver_btrplace/plan.json"
        said, wall, done = bench(path, plan)
        name = os.path.relpath(path, DATA)
        if said.get("solution") is None:
            print(f"| {name} | | | no plan: {done.stderr.strip()} | | | | | "
                  f"{wall:.2f} | | |")
            failed += 1
            continue
        found = judged_apart(path, plan)
        if found["end"] != said["value"]:
            found["problem"] += f" says {said['value']}"
        old = found["published"]
        print(f"| {name} | {found['vms']} | {found['rules']} | "
              f"{found['problem'] or 'yes'} | {found['end']} | "
              f"{said['lower_bound']} | {'' if old is None else old} | "
              f"{said['moves']} | {wall:.2f} | {said['cpu_seconds']:.2f} | "
              f"{said['peak_rss_mib']:.0f} |")
        sys.stdout.flush()
        failed += bool(found["problem"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
