# SPDX-License-Identifier: GPL-3.0-or-later
"""10,000 hosts x 100,000 VMs: is a checked night plan there in a minute?"""
import json
import os
import subprocess
import sys
import time

from common import Failed, provenance, table, work_dir

WORK = work_dir("scale")
HOSTS, VMS = 10000, 100000
SECONDS, MIB, GAP = 60, 4096, 0.05


def measured(*args):
    """Runs dcplan; wall and CPU seconds, peak MiB, standard output."""
    command = ["build/dcplan", "--json", "--seed", "7", *args]
    print("$ " + " ".join(command), file=sys.stderr)
    before = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        out = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit status {child.returncode}\n"
                     f"{out[:2000]}")
    return (time.monotonic() - before, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss / 1024, json.loads(out))


def main():
    provenance("scale")
    model, plan = os.path.join(WORK, "big"), os.path.join(WORK, "plan.json")
    print(f"$ dcplan model synth {model}", file=sys.stderr)
    subprocess.run(["build/dcplan", "-q", "--seed", "7", "model", "synth",
                    "--hosts", str(HOSTS), "--vms", str(VMS), model],
                   check=True)
    rows = []
    seconds, cpu_s, mib, _ = measured("-C", model, "model", "check")
    rows.append(["model check", f"{seconds:.1f}", f"{cpu_s:.1f}",
                 f"{mib:.0f}", ""])
    seconds, cpu_s, mib, facts = measured("-C", model, "consolidate",
                                          "--window", "22:00-06:00", "--now",
                                          "2026-03-03T12:00:00Z", "-o", plan)
    rows.append(["consolidate", f"{seconds:.1f}", f"{cpu_s:.1f}", f"{mib:.0f}",
                 f"{facts['hosts_on_before']} to {facts['hosts_on_after']} "
                 f"hosts, {facts['moves']} moves, gap "
                 f"{100 * facts['gap_frac']:.1f} %, {facts['binding']} binds"])
    check_s, check_cpu_s, check_mib, check = measured("-C", model, "plan",
                                                      "check", plan)
    rows.append(["plan check", f"{check_s:.1f}", f"{check_cpu_s:.1f}",
                 f"{check_mib:.0f}",
                 f"{check['status']}, {check['proof'].replace('_', ' ')}"])
    table(rows, ["command", "wall, s", "CPU, s", "peak, MiB", "result"])
    if seconds > SECONDS or mib > MIB or facts["gap_frac"] > GAP:
        raise Failed(f"more than {SECONDS} s, {MIB} MiB or a gap of {GAP}")


try:
    main()
except Failed as failed:
    sys.exit(f"proof: {failed}")
