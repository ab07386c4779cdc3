# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts on and kWh in four cases over the same 24 hours:

(a) as it starts; (b) packed once for the whole day, measured from where the
plan ends; (c) a night plan, carried out from (a), and the same from (b), as on
any later night; (d) a night plan from (a) fitted on that very day and night,
without margin, and (e) packed once with the same hindsight.  All kWh are
replayed from raw samples, with the same power curves, PUE and meter.  (b) to
(c), and (e) to (d), is what nights save; (a) to (b) is what packing saves;
they are two things and never added."""
import os
import subprocess
import sys

from common import (DATA, Failed, after_hours, copy_model, dcplan,
                    dcplan_json, interval_80, provenance, replace_in, table,
                    work_dir)
import models

WORK = work_dir("honest-saving")
NO_MARGIN = ("margin: 10%", "margin: 0%")


def packed_for_good(model, until, start, end, *more, usage=None):
    """Case (b): the plan's facts, and the day from where it ends."""
    usage = usage or os.path.join(model, "usage.h5")
    packed = f"{model}-packed-{start[:10]}"
    plan = f"{packed}.json"
    copy_model(model, packed)
    facts = dcplan_json("-C", packed, "consolidate", "--traces", usage,
                        "--until", until, *more, "-o", plan)
    if facts["plan"]:
        dcplan("-C", packed, "plan", "check", plan, "--traces", usage)
        dcplan("-C", packed, "apply", plan, "--executor", "sim")
    return facts, dcplan_json("-C", packed, "simulate", "--traces", usage,
                              "--policy", "none", "--from", start, "--to", end)


def night_plan(model, name, window, until, start, end, *more, usage=None):
    """A night plan and its replay from 'start' to 'end'."""
    usage = usage or os.path.join(model, "usage.h5")
    plan = f"{model}-{name}-{start[:10]}.json"
    facts = dcplan_json("-C", model, "consolidate", "--window", window,
                        "--until", until, "--traces", usage, *more, "-o", plan)
    if not facts["plan"]:
        return facts, None
    dcplan("-C", model, "plan", "check", plan, "--traces", usage)
    return facts, dcplan_json("-C", model, "simulate", plan, "--traces", usage,
                              "--from", start, "--to", end)


def percent(x):
    return f"{100 * x:.1f} %"


def saved(before, after):
    return f"{before['energy_kwh'] - after['energy_kwh']:.1f} kWh"


def row(name, on, day):
    asked = day["requested_cpu_mhz_s"]
    slots = day["host_slots"]
    return [name, on, f"{day['hosts_on_mean']:.1f}", f"{day['energy_kwh']:.1f}",
            percent(day["cpu_util_mean_frac"]),
            percent(day["mem_alloc_mean_frac"]),
            f"{day['overload_host_seconds'] / 60:.0f}",
            f"{100 * day['host_slots_overloaded'] / slots:.2f} %",
            f"{100 * day['unmet_cpu_mhz_s'] / asked:.3f} %",
            day["migrations"]]


HEAD = ["case", "hosts on at night", "hosts on, mean", "kWh", "CPU of hosts on",
        "memory of hosts on", "overload, host-min", "overloaded samples",
        "CPU not given", "moves"]


def four_cases(model, window, until, start, hindsight_until, history):
    """Prints the table, and what packing and nights save."""
    end = after_hours(start, 24)
    packed, b = packed_for_good(model, until, start, end)
    night, c = night_plan(model, "night", window, until, start, end)
    usage = os.path.join(model, "usage.h5")
    after, c2 = night_plan(f"{model}-packed-{start[:10]}", "night", window,
                           until, start, end, usage=usage)
    wise = f"{model}-hindsight"
    copy_model(model, wise)
    for old, new in history:
        replace_in(os.path.join(wise, "dc.yaml"), old, new)
    hindsight, d = night_plan(wise, "night", window, hindsight_until, start,
                              end, "--fit-from", start, usage=usage)
    known, e = packed_for_good(wise, hindsight_until, start, end,
                               "--fit-from", start, usage=usage)
    if not c or not d:
        raise Failed(f"no night plan: {night['status']}, "
                     f"{hindsight['status']}")
    a = c["baseline"]
    table([row("(a) start", night["hosts_on_before"], a),
           row("(b) packed for good", packed["hosts_on_after"], b),
           row("(c) night plan", night["hosts_on_after"], c),
           row("(c) from (b)", after["hosts_on_after"], c2 or b),
           row("(d) night plan, hindsight", hindsight["hosts_on_after"], d),
           row("(e) packed, hindsight", known["hosts_on_after"], e)],
          HEAD)
    active = night["hosts_needed_active"]
    print(f"""\
- Packing, (a) to (b): {saved(a, b)}.
- Nights, (b) to (c): {saved(b, c)}; from (b): \
{saved(b, c2) if c2 else "nothing worth doing"}; with hindsight, (e) to (d): \
{saved(e, d)}.
- What binds: {packed["binding"]} by day, {night["binding"]} at night.
- Hosts at least, by the bound: {night["hosts_lower_bound"]} at night (gap \
{percent(night["gap_frac"])}), {packed["hosts_lower_bound"]} for good (gap \
{percent(packed["gap_frac"])}).
- Hosts needed at least under allocated memory: \
{night["hosts_needed_allocated"]}; under active memory: \
{"not measured" if active is None else active}.
""")


def bitbrains():
    if not os.path.isdir(f"{WORK}/2013-8"):
        subprocess.run(["tar", "--zstd", "-xf",
                        f"{DATA}/bitbrains/rnd-2013-8-even-250vms.tar.zst",
                        "-C", WORK], check=True)
    print("### Bitbrains, August 2013\n")
    model = models.nantes(WORK, "bitbrains", ["bitbrains", f"{WORK}/2013-8"])
    four_cases(model, "22:00-06:00", "2013-08-20T00:00:00Z",
               "2013-08-20T22:00:00Z", "2013-08-21T22:00:00Z",
               [("min_history: 7d", "min_history: 1h"), NO_MARGIN])
    nine_nights(model)


def nine_nights(model):
    """The last nine nights, each planned from what came before it."""
    back = dcplan_json("-C", model, "simulate", "--backtest", "9",
                       "--window", "22:00-06:00")
    mean = back["mean"]
    rows, first, later = [], [], []
    for night in back["nights"]:
        start = night["start"]
        end = after_hours(start, 24)
        until = start[:10] + "T00:00:00Z"
        try:
            _, b = packed_for_good(model, until, start, end)
        except Failed as e:
            raise Failed(f"night of {start}: {e}") from e
        _, c = night_plan(model, "back", "22:00-06:00", until, start, end)
        _, c2 = night_plan(f"{model}-packed-{start[:10]}", "back",
                           "22:00-06:00", until, start, end,
                           usage=os.path.join(model, "usage.h5"))
        first.append(b["energy_kwh"] - c["energy_kwh"])
        later.append(b["energy_kwh"] - (c2 or b)["energy_kwh"])
        rows.append([start[:10], f"{c['baseline']['energy_kwh']:.1f}",
                     f"{b['energy_kwh']:.1f}", f"{c['energy_kwh']:.1f}",
                     f"{first[-1]:.1f}", f"{later[-1]:.1f}",
                     f"{c['baseline']['overload_host_seconds'] / 60:.0f}",
                     f"{c['overload_host_seconds'] / 60:.0f}",
                     f"{100 * night['host_slots_overloaded_frac']:.2f} %",
                     "yes" if c["partial"] else ""])
    table(rows, ["night of", "(a) kWh", "(b) kWh", "(c) kWh", "night saving",
                 "from (b)", "overload (a), host-min", "overload (c)",
                 "overloaded samples at night", "cut"])
    print("Night saving, (b) to (c), mean {:.2f} kWh, 80 % interval "
          "{:.2f} to {:.2f}; from (b) {:.2f}, {:.2f} to {:.2f}.".format(
              *interval_80(first), *interval_80(later)))
    for key, value in mean.items():
        print(f"`--backtest 9`, {key}: {value['mean']:.4g}, 80 % interval "
              f"{value['low']:.4g} to {value['high']:.4g}.")
    print()


def planetlab():
    subprocess.run(["tar", "-xzf", f"{DATA}/planetlab/20110303.tar.gz",
                    "-C", WORK], check=True)
    sizes = os.path.join(WORK, "sizes.csv")
    with open(sizes, "w", encoding="utf-8") as f:
        f.write("vm,vcpus,core_mhz,mem_mib\n*,1,2400,2048\n")
    print("### PlanetLab, 3 March 2011\n")
    model = models.nantes(WORK, "planetlab",
                          ["planetlab", f"{WORK}/20110303",
                           "--vm-size", sizes])
    replace_in(os.path.join(model, "dc.yaml"), "min_history: 7d",
               "min_history: 1h")
    four_cases(model, "00:00-06:00", "2011-03-04T00:00:00Z",
               "2011-03-03T00:00:00Z", "2011-03-04T00:00:00Z", [NO_MARGIN])


def demo():
    print("### The demo\n")
    four_cases(models.demo(WORK), "22:00-06:00", "2026-09-22T00:00:00Z",
               "2026-09-22T20:00:00Z", "2026-09-23T20:00:00Z",
               [("policy:\n", "policy:\n  min_history: 1h\n"), NO_MARGIN])


def main():
    provenance("honest-saving")
    if os.path.isdir(DATA):
        bitbrains()
        planetlab()
    else:
        print(f"{DATA} is not here: the demo only.\n")
    demo()


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
