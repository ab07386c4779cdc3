#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program for `exec:`: a datacenter in a JSON file, on a clock of its own.
DCPLAN_WORLD names the file; DCPLAN_FAULT is "die:N" (at the Nth start, after
it took effect), "fail:ID", "garbage" or nothing."""
import json
import os
import sys

PATH = os.environ["DCPLAN_WORLD"]
FAULT = os.environ.get("DCPLAN_FAULT", "").partition(":")
with open(PATH) as f:
    world = json.load(f)
running, n_starts = {}, 0


def save():
    with open(PATH + ".tmp", "w") as out:
        json.dump(world, out)
    os.replace(PATH + ".tmp", PATH)


def effect(step):
    kind, name = step["kind"], step["object"].split(":")[1]
    if step["id"] in running:
        return "running", ""
    if kind == "migrate":
        at = "host:" + world["vms"][name]
        if at == step["to"]:
            return "present", ""
        return ("absent", "") if at == step["from"] else ("elsewhere",
                                                          "it is on " + at)
    on = world["on"][name]
    if kind == "host_off" and on and name in world["vms"].values():
        return "elsewhere", "it is not empty"
    return ("present" if on == (kind == "host_on") else "absent"), ""


def take(step):
    name = step["object"].split(":")[1]
    if step["kind"] == "migrate":
        world["vms"][name] = step["to"].split(":")[1]
    else:
        world["on"][name] = step["kind"] == "host_on"
    save()


def answer(question):
    global n_starts
    op = question["op"]
    if op == "hello":
        return {"abi": 1, "kinds": ["migrate", "host_on", "host_off"]}
    if op == "observe":
        seen, text = effect(question["step"])
        return {"effect": seen, "age_ms": 0, "text": text}
    if op == "start":
        n_starts += 1
        if FAULT[0] == "die" and n_starts == int(FAULT[2]):
            take(question["step"])
            sys.exit(1)
        step = question["step"]
        running[step["id"]] = (world["now_ms"] + step["estimate_ms"], step)
        return {"ok": True}
    if op == "wait":
        due = sorted((end, number) for number, (end, _) in running.items())
        if not due or due[0][0] > question["deadline_ms"]:
            world["now_ms"] = max(world["now_ms"], question["deadline_ms"])
            return {"event": None}
        end, number = due[0]
        world["now_ms"] = max(world["now_ms"], end)
        step = running.pop(number)[1]
        if FAULT[0] == "fail" and number == int(FAULT[2]):
            return {"event": {"step": number, "ok": False,
                              "text": "the switch is on fire"}}
        take(step)
        return {"event": {"step": number, "ok": True}}
    return {"ok": True}


for line in sys.stdin:
    if FAULT[0] == "garbage":
        print("this is not JSON", flush=True)
        continue
    reply = answer(json.loads(line))
    reply["now_ms"] = world["now_ms"]
    print(json.dumps(reply), flush=True)
