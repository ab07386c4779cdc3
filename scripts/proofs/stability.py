# SPDX-License-Identifier: GPL-3.0-or-later
"""Does planning every night settle, or does it shuffle VMs for nothing?

14 successive nights on the demo in a closed loop: plan from what was measured
before, replay on the night's own samples, carry out the evening and the
morning in simulation, and go on from there.  What a night saves is counted
against the same day under the best placement for good, made once before the
first night: "as it stands" would not do, because what Friday's plan leaves on
is too little for Monday."""
import collections
import json
import os
import sys

from common import (Failed, after_hours, copy_model, dcplan, dcplan_json,
                    interval_80, provenance, table, work_dir)

WORK = work_dir("stability")
MODEL = os.path.join(WORK, "demo")
NIGHTS = 14
USAGE = os.path.join(MODEL, "usage.h5")
FIRST = "2026-09-09T00:00:00Z"  # A Wednesday, 15 days into the store.


def plan_night(until, plan, *more, seed=7):
    return dcplan_json("-C", MODEL, "consolidate", "--window", "22:00-06:00",
                       "--until", until, "-o", plan, *more, seed=seed)


def moves_of(plan):
    """Per leg: VM to (from, to), ends of a chain of moves joined."""
    with open(plan, encoding="utf-8") as f:
        steps = json.load(f)["steps"]
    legs = collections.defaultdict(dict)
    for step in steps:
        if step["kind"] == "migrate":
            start = legs[step["leg"]].get(step["object"], (step["from"],))[0]
            legs[step["leg"]][step["object"]] = (start, step["to"])
    return legs


def round_trips(legs):
    """VMs that the morning puts back where the evening took them from."""
    evening, morning = legs.get("evening", {}), legs.get("morning", {})
    return sum(1 for vm, (start, _) in evening.items()
               if vm in morning and morning[vm][1] == start)


def pack_for_good():
    """A second copy of the demo, packed once before the first night."""
    packed = os.path.join(WORK, "packed")
    plan = packed + ".json"
    copy_model("examples/demo", packed)
    dcplan("-C", packed, "consolidate", "--traces", USAGE, "--until", FIRST,
           "-o", plan)
    dcplan("-C", packed, "apply", plan, "--executor", "sim")
    return packed


def carry_out(until, plan):
    """Both legs in simulation; in between there must be nothing to do."""
    dcplan("-C", MODEL, "plan", "check", plan)
    dcplan("-C", MODEL, "apply", plan, "--leg", "evening", "--executor", "sim")
    again = plan_night(until, plan + ".again")
    if again["status"] != "nothing_to_do":
        raise Failed(f"night of {until}: consolidating again finds "
                     f"{again['moves']} moves")
    dcplan("-C", MODEL, "apply", plan, "--leg", "morning", "--executor", "sim")


def one_night(until, packed):
    """Plans, replays and carries out one night; its row."""
    plan = os.path.join(WORK, f"night-{until[:10]}.json")
    facts = plan_night(until, plan)
    if not facts["plan"] and facts["status"] != "nothing_to_do":
        raise Failed(f"night of {until}: {facts['status']}")
    start = until[:10] + "T20:00:00Z"  # 22:00 in the model's zone.
    span = ("--from", start, "--to", after_hours(start, 24))
    good = dcplan_json("-C", packed, "simulate", "--traces", USAGE, "--policy",
                       "none", *span)
    day = dcplan_json("-C", MODEL, "simulate",
                      *([plan] if facts["plan"] else ["--policy", "none"]),
                      *span)
    legs = moves_of(plan) if facts["plan"] else {}
    if legs:
        carry_out(until, plan)
    return {"night": until[:10], "status": facts["status"],
            "moves": facts["moves"], "back": round_trips(legs),
            "saved": good["energy_kwh"] - day["energy_kwh"],
            "good": good["energy_kwh"], "after": day["energy_kwh"],
            "hosts": facts["hosts_on_after"],
            "good_hosts": good["hosts_on_max"],
            "overload": day["overload_host_seconds"] / 60}


def nights():
    print(f"### {NIGHTS} nights in a row\n")
    packed = pack_for_good()
    rows = [one_night(after_hours(FIRST, 24 * n), packed)
            for n in range(NIGHTS)]
    table([[r["night"], r["moves"], r["back"], r["hosts"], r["good_hosts"],
            f"{r['after']:.1f}", f"{r['good']:.1f}", f"{r['saved']:.1f}",
            f"{r['overload']:.0f}"] for r in rows],
          ["night of", "moves", "round trips", "hosts on at night",
           "packed for good", "kWh", "packed for good", "saved",
           "overload, host-min"])
    later = rows[1:]
    moves = sum(r["moves"] for r in later)
    saved = sum(r["saved"] for r in later)
    in_vain = [r["night"] for r in rows if r["back"] and r["saved"] <= 0]
    print(f"The first night packs as well ({rows[0]['moves']} moves).  The "
          f"others: {moves} moves for {saved:.1f} kWh"
          + (f", {moves / saved:.1f} moves per kWh saved" if saved > 0 else "")
          + f"; saved per night {interval_text(later)}.  Nights on which a VM "
          f"went out and back without a saving: {len(in_vain)}.  Consolidating "
          "again after each evening: nothing to do, on every night.\n")
    if in_vain:
        raise Failed(f"round trips for nothing on {', '.join(in_vain)}")


def interval_text(rows):
    mean, low, high = interval_80([r["saved"] for r in rows])
    return f"{mean:.1f} kWh (80 % interval {low:.1f} to {high:.1f})"


def disturbances():
    """After an evening: other seeds, and demand that is off by 2 %."""
    until = after_hours(FIRST, 24 * NIGHTS)
    plan = os.path.join(WORK, "evening.json")
    facts = plan_night(until, plan)
    if not facts["plan"]:
        raise Failed(f"the night of {until} has no plan: {facts['status']}")
    dcplan("-C", MODEL, "apply", plan, "--leg", "evening", "--executor", "sim")
    print("### Small disturbances\n")
    rows = []
    for seed in (1, 2, 3, 4, 5):
        plain = plan_night(until, plan + ".seed", seed=seed)
        noisy = plan_night(until, plan + ".noise", "--perturb", "2%", seed=seed)
        legs = moves_of(plan + ".noise") if noisy["plan"] else {}
        rows.append([seed, plain["status"].replace("_", " "), plain["moves"],
                     noisy["status"].replace("_", " "),
                     len(legs.get("evening", {})),
                     len(legs.get("morning", {}))])
    table(rows, ["seed", "same demand", "moves", "demand off by 2 %",
                 "moves now", "next morning"])
    print(f"After an evening of {facts['moves']} planned moves: at most "
          f"{max(r[2] for r in rows)} moves with another seed, at most "
          f"{max(r[4] for r in rows)} now with demand off by up to 2 % (the "
          "morning is planned either way).\n")


def main():
    provenance("stability")
    copy_model("examples/demo", MODEL)
    dcplan("-C", MODEL, "traces", "synth", "--days", "31",
           "--start", "2026-08-24T22:00:00Z")
    nights()
    disturbances()


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
