# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of three hosts and a plan for it, written by hand: `consolidate`
plays no part in the tests of what carries plans out."""
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

DCPLAN = os.path.abspath(os.environ["DCPLAN"])
LINEAGE = "6f1c0f6e-9a0e-4c51-8d34-0e5a4c1b7a10"
MODEL = f"""\
dcplan: model/1
lineage: {LINEAGE}
timezone: Europe/Brussels
currency: EUR
hardware:
  m: {{sockets: 1, cores_per_socket: 10, clock: 1GHz, memory: 64GiB,
      nics: [10Gbit], speed_factor: 1.0,
      power: [100W, 110W, 120W, 130W, 140W, 150W, 160W, 170W, 180W, 190W, 200W],
      sleep: 10W, boot: {{time: 2min, power: 150W}},
      shutdown: {{time: 1min, power: 50W}}}}
hosts: {{h1: {{hardware: m}}, h2: {{hardware: m}}, h3: {{hardware: m}}}}
profiles: {{flat: {{weekday: [{", ".join(["50%"] * 24)}]}}}}
vms:
  v1: {{vcpus: 2, memory: 4GiB, host: h1, profile: flat}}
  v2: {{vcpus: 2, memory: 4GiB, host: h2, profile: flat}}
  v3: {{vcpus: 2, memory: 4GiB, host: h3, profile: flat}}
"""
START, MORNING = "2013-08-30T20:00:00Z", "2013-08-31T03:30:00Z"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def policy_digest(model_digest, policy_file=None):
    """Of the model's own policy, or of that with a policy file's bytes."""
    text = "policy" + model_digest
    if policy_file is not None:
        text += sha256(policy_file)
    return sha256(text.encode())


def step(number, leg, kind, thing, start, to, after, facts, undo, **more):
    out = {"id": number, "leg": leg, "kind": kind, "object": thing,
           "from": start, "to": to, "after": after, "estimate_ms": 10000,
           "reason": {"code": "empty_host" if leg == "evening" else "unpack",
                      "text": "a test"}, "preconditions": facts, "undo": undo}
    out.update(more)
    return out


def move(number, leg, vm, start, to, after):
    return step(
        number, leg, "migrate", f"vm:{vm}", f"host:{start}", f"host:{to}",
        after,
        [{"fact": "vm_host", "object": f"vm:{vm}", "is": f"host:{start}"},
         {"fact": "vm_state", "object": f"vm:{vm}", "is": "running"}],
        {"kind": "migrate", "object": f"vm:{vm}", "from": f"host:{to}",
         "to": f"host:{start}"})


def power(number, leg, host, on, after):
    kinds = ["host_off", "host_on"]
    fact = ({"fact": "host_power", "object": f"host:{host}", "is": "off"} if on
            else {"fact": "host_vms", "object": f"host:{host}", "is": []})
    return step(number, leg, kinds[on], f"host:{host}", None, None, after,
                [fact], {"kind": kinds[not on], "object": f"host:{host}"})


def make_plan(digest):
    home = {"v1": "h1", "v2": "h2", "v3": "h3"}
    night = {"v1": "h1", "v2": "h1", "v3": "h1"}
    return {
        "schema": "dcplan/plan/1", "plan": "",
        "model": {"lineage": LINEAGE, "serial": 0, "digest": digest},
        "traces": None,
        "policy": {"digest": policy_digest(digest)},
        "tool": {"version": "0.1.0", "seed": 1, "options": {}},
        "valid": {"not_before": START, "not_after": "2013-08-31T05:00:00Z"},
        "legs": [
            {"leg": "evening", "start": START,
             "deadline": "2013-08-30T21:00:00Z",
             "buckets_until": "2013-08-31T04:00:00Z"},
            {"leg": "morning", "start": MORNING,
             "deadline": "2013-08-31T04:00:00Z",
             "buckets_until": "2013-08-31T20:00:00Z"}],
        "limits": {"out_per_host": 2, "in_per_host": 1, "units_per_10Gbit": 8,
                   "host_off_at_once": 1},
        "before": {"vms": home, "hosts_off": []},
        "after": {"evening": {"vms": night, "hosts_off": ["h2", "h3"]},
                  "morning": {"vms": home, "hosts_off": []}},
        "survive": {"evening": [], "morning": []},
        "steps": [move(1, "evening", "v2", "h2", "h1", []),
                  move(2, "evening", "v3", "h3", "h1", []),
                  power(3, "evening", "h2", False, [1]),
                  power(4, "evening", "h3", False, [2]),
                  power(5, "morning", "h2", True, []),
                  power(6, "morning", "h3", True, []),
                  move(7, "morning", "v2", "h1", "h2", [5]),
                  move(8, "morning", "v3", "h1", "h3", [6])],
        "result": {"status": "optimal", "goal": "hosts", "hosts_on_before": 3,
                   "hosts_on_after": 1, "hosts_lower_bound": 1,
                   "gap_frac": 0.0, "bound_method": "mip"},
        "predicted": {"makespan_ms": {"evening": 30000, "morning": 130000},
                      "energy_kwh_before": 8.0, "energy_kwh_after": 6.0,
                      "energy_cost_before": 0, "energy_cost_after": 0,
                      "overload_host_seconds": 0, "licence_cost_before": 0,
                      "licence_cost_after": 0, "cost_before": 0,
                      "cost_after": 0, "currency": "EUR"},
        "run": {"created": START, "host": "t", "solve_seconds": 0,
                "plan_seconds": 0}, "digest": ""}


def seal(plan):
    body = {k: v for k, v in plan.items()
            if k not in ("plan", "digest", "run")}
    text = json.dumps(body, separators=(",", ":"))
    hashed = hashlib.sha256(text.encode()).digest()
    uuid = bytearray(hashed[:16])
    uuid[6], uuid[8] = uuid[6] & 15 | 0x80, uuid[8] & 63 | 0x80
    x = uuid.hex()
    plan["plan"] = "-".join((x[:8], x[8:12], x[12:16], x[16:20], x[20:]))
    plan["digest"] = "sha256:" + hashed.hex()
    return plan


class Model:
    def __init__(self, change=lambda text: text):
        self.path = tempfile.mkdtemp(prefix="dcplan-apply-")
        self.write("dc.yaml", change(MODEL))
        digest = json.loads(self.run(0, "model", "check", "--json"))["digest"]
        self.plan = seal(make_plan(digest))
        self.write("plan.json", json.dumps(self.plan))

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w") as f:
            f.write(text)

    def read(self, name):
        with open(os.path.join(self.path, ".dcplan", name)) as f:
            return f.read()

    def run(self, status, *words, says=""):
        done = subprocess.run([DCPLAN, "-C", self.path, *words],
                              capture_output=True, text=True)
        if done.returncode != status or says not in done.stderr:
            sys.exit(f"FAIL: {words}: status {done.returncode}, expected "
                     f"{status} and '{says}'\n{done.stdout}{done.stderr}")
        return done.stdout

    def apply(self, status, *words, says=""):
        return self.run(status, "apply", os.path.join(self.path, "plan.json"),
                        *words, says=says)

    def journal(self):
        return sqlite3.connect(os.path.join(self.path, ".dcplan/journal.db"))

    def remove(self):
        shutil.rmtree(self.path)


def check(condition, what):
    if not condition:
        sys.exit(f"FAIL: {what}")
