#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recounts host demand from the raw trace, sharing nothing with dcplan.

usage: recount.py MODELDIR PLAN.json USAGE.csv [SIMULATION.json]

MODELDIR is what `dcplan model synth` writes (dc.yaml, hosts.csv, vms.csv),
USAGE.csv what `dcplan traces export --wide` gives for cpu_mhz, and
SIMULATION.json what `dcplan simulate PLAN --json` says.

Checks, and ends with 1 where one fails:
- in every hour that a leg of the plan is judged in, the planned demand of each
  host after the leg (per VM: nearest-rank percentile of its samples of that
  hour and day class before the plan's 'until', raised where it was at its
  limit, with margin, summed) is within the host's usable CPU;
- what the simulation says of the time without the plan (CPU asked for, unmet,
  seconds of overload, IT energy) is what the raw samples give.
Prints one JSON object; 'joint' has, per leg, the worst p95 and the worst peak
of a host's summed samples in those hours over the history: not the same as the
sum of percentiles that was planned with.

Standard library only; understands as much of dc.yaml as synth writes."""
import csv
import datetime
import json
import math
import os
import re
import sys
import zoneinfo

UTC = datetime.timezone.utc


# --- The model -------------------------------------------------------------

def flow(text):
    """A YAML flow mapping or sequence of plain scalars."""
    tokens = re.findall(r'"[^"]*"|[{}\[\],]|:(?=\s)|[^\s{}\[\],"][^{}\[\],]*?'
                        r'(?=\s*(?::\s|[{}\[\],]|$))', text)
    value, rest = flow_value(tokens)
    if rest:
        raise ValueError(f"left over: {rest[:5]}")
    return value


def flow_value(tokens):
    first, rest = tokens[0], tokens[1:]
    if first == "{":
        result = {}
        while rest[0] != "}":
            if rest[0] == ",":
                rest = rest[1:]
                continue
            key = rest[0]
            result[key], rest = flow_value(rest[2:])
        return result, rest[1:]
    if first == "[":
        result = []
        while rest[0] != "]":
            if rest[0] == ",":
                rest = rest[1:]
                continue
            item, rest = flow_value(rest)
            result.append(item)
        return result, rest[1:]
    return first.strip('"'), rest


def section(text, name):
    """{key: parsed flow or scalar} of a top-level block."""
    match = re.search(rf"^{name}:\n((?:[ \t].*\n|#.*\n)*)", text, re.M)
    found = {}
    for part in re.finditer(r"^  ([\w.-]+):[ \n]([\s\S]*?)(?=^  [\w.-]+:|\Z)",
                            match.group(1), re.M):
        body = re.sub(r"\s+#.*", "", part.group(2)).strip()
        found[part.group(1)] = (flow(body) if body[:1] in "{["
                                else body)
    return found


def number(text):
    match = re.fullmatch(r"([0-9.]+)(MHz|GHz|%|W|kW)?", text)
    scale = {"GHz": 1000, "%": 0.01, "kW": 1000}.get(match.group(2), 1)
    return float(match.group(1)) * scale


def table(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class Model:
    def __init__(self, folder):
        with open(os.path.join(folder, "dc.yaml")) as file:
            text = file.read()
        self.zone = zoneinfo.ZoneInfo(
            re.search(r"^timezone: (\S+)", text, re.M).group(1))
        hardware = section(text, "hardware")
        self.tiers = section(text, "tiers")
        target = section(text, "policy")["target"]
        self.target = number(target["cpu"])
        self.capacity, self.factor, self.clock, self.power = {}, {}, {}, {}
        for row in table(folder, "hosts.csv"):
            hw, name = hardware[row["hardware"]], row["name"]
            self.factor[name] = float(hw.get("speed_factor", 1))
            self.clock[name] = number(hw["clock"])
            self.capacity[name] = (int(hw["sockets"]) *
                                   int(hw["cores_per_socket"]) *
                                   self.clock[name] * self.factor[name])
            self.power[name] = [number(w) for w in hw["power"]]
        self.other_watts = sum(number(row.get("power") or "0W")
                               for row in table(folder, "switches.csv"))
        self.vms = {row["name"]: row for row in table(folder, "vms.csv")}


# --- Demand ----------------------------------------------------------------

def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def bucket(model, when):
    local = when.astimezone(model.zone)
    return ("weekend" if local.weekday() >= 5 else "weekday", local.hour)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered) - 1e-9) - 1]


class Usage:
    """Time-major samples: rows[i][vm], '' where missing."""

    def __init__(self, path):
        with open(path, newline="") as file:
            lines = csv.reader(file)
            self.names = next(lines)[1:]
            self.times, self.rows = [], []
            for line in lines:
                self.times.append(instant(line[0]))
                self.rows.append([float(x) if x else None for x in line[1:]])
        self.step_s = (self.times[1] - self.times[0]).total_seconds()
        self.column = {name: i for i, name in enumerate(self.names)}


def fit(model, usage, start, until):
    """{vm: function of a bucket} of planned MHz, without margin."""
    step = datetime.timedelta(seconds=usage.step_s)
    cells = [i for i, t in enumerate(usage.times) if t + step <= until]
    of_cell = {i: bucket(model, usage.times[i]) for i in cells}
    fitted = {}
    for name, vm in model.vms.items():
        column, host = usage.column.get(name), start.get(name)
        if column is None or host is None:
            continue
        factor = model.factor[host]
        ceiling = int(vm["vcpus"]) * model.clock[host] * factor
        groups = {}
        for i in cells:
            x = usage.rows[i][column]
            if x is not None:
                x *= factor
                if x >= 0.98 * ceiling:
                    x *= 1.1
                groups.setdefault(of_cell[i], []).append(x)
        share = float(model.tiers[vm["tier"]]["percentile"][1:]) / 100
        margin = 1 + number(model.tiers[vm["tier"]]["margin"])
        n = sum(len(g) for g in groups.values())
        if n == 0:
            continue
        if n * usage.step_s < 7 * 86400:
            top = max(max(g) for g in groups.values())
            planned = {b: top for b in set(of_cell.values())}
        else:
            planned = {b: percentile(g, share) for b, g in groups.items()}
        fitted[name] = {b: min(x, ceiling) * margin
                        for b, x in planned.items()}
    return fitted


def worst(planned, key):
    if key in planned:
        return planned[key]
    same_hour = [x for (_, hour), x in planned.items() if hour == key[1]]
    return max(same_hour or planned.values())


# --- The plan --------------------------------------------------------------

def by_host(placement):
    hosts = {}
    for vm, host in placement.items():
        hosts.setdefault(host, []).append(vm)
    return hosts


def hours_of(leg):
    when, end = instant(leg["start"]), instant(leg["buckets_until"])
    while when < end:
        yield when
        when = when.replace(minute=0) + datetime.timedelta(hours=1)


def check_leg(model, usage, fitted, leg, after, until, problems):
    worst_frac, joint95, joint_peak = 0, 0, 0
    buckets = {bucket(model, when) for when in hours_of(leg)}
    history = [i for i, t in enumerate(usage.times)
               if t < until and bucket(model, t) in buckets]
    for host, vms in by_host(after["vms"]).items():
        usable = model.capacity[host] * model.target
        for key in sorted(buckets):
            need = sum(worst(fitted[v], key) for v in vms if v in fitted)
            worst_frac = max(worst_frac, need / usable)
            # One MHz a VM for rounding up.
            if need > usable * 1.0001 + len(vms):
                problems.append(f"{leg['leg']}: {host} at {key}: {need:.0f} "
                                f"of {usable:.0f} MHz usable")
        sums = []
        for i in history:
            row = usage.rows[i]
            sums.append(sum(row[usage.column[v]] or 0 for v in vms
                            if v in usage.column) * model.factor[host])
        if sums:
            joint95 = max(joint95, percentile(sums, 0.95) / usable)
            joint_peak = max(joint_peak, max(sums) / usable)
    return {"leg": leg["leg"], "hosts_used": len(by_host(after["vms"])),
            "planned_worst_frac": worst_frac, "joint_p95_worst_frac": joint95,
            "joint_peak_worst_frac": joint_peak}


# --- The simulation --------------------------------------------------------

def watts(curve, load):
    load = min(max(load, 0), 1) * 10
    i = min(int(load), 9)
    return curve[i] + (load - i) * (curve[i + 1] - curve[i])


def check_baseline(model, usage, before, simulated, problems):
    begin, end = instant(simulated["from"]), instant(simulated["to"])
    off = set(before.get("hosts_off", []))
    hosts = {h: [] for h in model.capacity if h not in off}
    for host, vms in by_host(before["vms"]).items():
        hosts[host] = [(usage.column[v], model.factor[host]) for v in vms
                       if v in usage.column]
    asked = unmet = overload_s = joule = 0
    for when, row in zip(usage.times, usage.rows):
        if not begin <= when < end:
            continue
        for host, columns in hosts.items():
            demand = sum((row[c] or 0) * f for c, f in columns)
            asked += demand * usage.step_s
            over = demand - model.capacity[host]
            if over > 1e-3:
                unmet += over * usage.step_s
                overload_s += usage.step_s
            joule += watts(model.power[host],
                           demand / model.capacity[host]) * usage.step_s
        joule += model.other_watts * usage.step_s
    got = {"requested_cpu_mhz_s": asked, "unmet_cpu_mhz_s": unmet,
           "overload_host_seconds": overload_s,
           "energy_it_kwh": joule / 3.6e6}
    for key, value in got.items():
        said = simulated[key]
        if abs(said - value) > 2e-4 * max(abs(value), 1):
            problems.append(f"simulate says {key} {said}, the raw samples "
                            f"give {value}")
    return got


def main(arguments):
    model, usage = Model(arguments[0]), Usage(arguments[2])
    with open(arguments[1]) as file:
        plan = json.load(file)
    until = (instant(plan["traces"]["until"]) if plan["traces"].get("until")
             else usage.times[-1] + datetime.timedelta(seconds=usage.step_s))
    problems = []
    fitted = fit(model, usage, plan["before"]["vms"], until)
    joint = [check_leg(model, usage, fitted, leg, plan["after"][leg["leg"]],
                       until, problems) for leg in plan["legs"]]
    result = {"vms_fitted": len(fitted), "joint": joint}
    if len(arguments) > 3:
        with open(arguments[3]) as file:
            simulated = json.load(file)
        result["baseline"] = check_baseline(
            model, usage, plan["before"],
            simulated.get("baseline", simulated), problems)
    result["problems"] = problems
    print(json.dumps(result, indent=1))
    return 1 if problems or not fitted else 0


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
