# SPDX-License-Identifier: GPL-3.0-or-later
"""Storage by size: pools of a tier filled at random are evened out, relieved,
and one of them emptied; time, memory, pressure and its bound, and whether the
checker proves each plan."""
import os
import random
import sys

import common

SIZES = [(40, 300, 10), (400, 3000, 40), (2000, 12500, 100),
         (10000, 62500, 200)]
TIERS = ["normal"] * 6 + ["archive"] * 2 + ["ultrafast"] * 2
NOW = "2026-11-22T18:00:00Z"
HEAD = """\
dcplan: model/1
lineage: 11111111-2222-4333-8444-555555555555
timezone: UTC
hardware:
  r: {sockets: 2, cores_per_socket: 32, clock: 2.5GHz, memory: 1024GiB,
      nics: [10Gbit], speed_factor: 1, power: [100W, 120W, 140W, 160W, 180W,
      200W, 220W, 240W, 260W, 280W, 300W], storage_iops: 200000,
      storage_rate: 4GiB/s}
hypervisors: {qemu: {}}
policy: {storage: {move_rate: 1GiB/s, moves_per_pool: 4}}
hosts:
"""


def volumes_of(rng):
    """The disks of each VM, all of one tier: (GiB, IOPS, MiB/s)."""
    tier = rng.choices(["normal", "archive", "ultrafast"], [.6, .2, .2])[0]
    return tier, [(rng.choice([20, 40, 60, 100, 200, 400]),
                   rng.randint(10, 400), rng.randint(1, 10))
                  for _ in range(rng.choice([1, 1, 1, 2, 3]))]


def model(path, n_hosts, n_vms, n_pools, seed):
    """Pools hold 62 % of their tier's space together, but are chosen with
    weights from 0.4 to 1.4.  Returns the number of volumes."""
    rng = random.Random(seed)
    vms = [volumes_of(rng) for _ in range(n_vms)]
    tiers = [TIERS[p % len(TIERS)] for p in range(n_pools)]
    total = {t: sum(d[0] for tier, disks in vms if tier == t for d in disks)
             for t in sorted(set(tiers))}
    members = {t: [p for p in range(n_pools) if tiers[p] == t] for t in total}
    weights = {t: [rng.random() + .4 for _ in members[t]] for t in members}
    with open(os.path.join(path, "dc.yaml"), "w", encoding="utf-8") as file:
        file.write(HEAD)
        for h in range(n_hosts):
            file.write(f"  h{h}: {{hardware: r, hypervisor: qemu}}\n")
        file.write("pools:\n")
        for p in range(n_pools):
            gib = total[tiers[p]] / len(members[tiers[p]]) / .62
            file.write(f"  p{p}: {{tier: {tiers[p]}, capacity: {int(gib)}GiB, "
                       f"iops: {int(gib * 3.4)}, rate: {int(gib * .095)}"
                       "MiB/s}\n")
        file.write("vms:\n")
        for v, (tier, disks) in enumerate(vms):
            pool = rng.choices(members[tier], weights[tier])[0]
            text = ", ".join(
                f"{{pool: p{pool}, size: {g}GiB, iops: {i}, rate: {r}MiB/s}}"
                for g, i, r in disks)
            file.write(f"  v{v}: {{host: h{v % n_hosts}, vcpus: 2, "
                       f"memory: 4GiB, volumes: [{text}]}}\n")
    return sum(len(disks) for _, disks in vms)


def run(n_hosts, n_vms, n_pools):
    path = os.path.join("out", "proof", "storage", str(n_hosts))
    os.makedirs(path, exist_ok=True)
    n_volumes = model(path, n_hosts, n_vms, n_pools, common.SEED)
    plan = os.path.join(path, "plan.json")
    for job in (["balance", "--storage"], ["repair"], ["evacuate", "pool:p0"]):
        said = common.dcplan_json("-C", path, "--now", NOW, "-q",
                                  "--iterations", "100", *job, "-o", plan)
        got = said["storage"]
        common.dcplan("-C", path, "--now", NOW, "-q", "plan", "check", plan)
        if job[0] == "balance":
            value = (f"{got['before']:.4f}, {got['after']:.4f}, "
                     f"{got['lower_bound']:.4f}")
        else:
            value = (f"{got['moved_mib'] / 2**20:.2f} TiB, at least "
                     f"{got['lower_bound'] / 2**20:.2f}")
        print(f"| {n_hosts:,} | {n_volumes:,} | {n_pools} | {job[0]} | "
              f"{got['volumes_moved']:,}{' (cut)' if got['cut_to_time'] else ''}"
              f" | {value} | {got['pools_too_full_before']}, "
              f"{got['pools_too_full_after']} | "
              f"{said['makespan_ms'] / 6e4:.0f}, "
              f"{said['makespan_lower_bound_ms'] / 6e4:.0f} | "
              f"{said['run']['cpu_seconds']:.1f} | "
              f"{said['run']['peak_rss_mib']:.0f} |")
        sys.stdout.flush()


def main():
    print("| hosts | volumes | pools | job | volumes that move | pressure "
          "before, after, bound; or space that moves | pools too full before, "
          "after | makespan and its bound, min | CPU, s | memory, MiB |")
    print("|" + "---|" * 10)
    for size in SIZES[:int(os.environ.get("SIZES", len(SIZES)))]:
        run(*size)


if __name__ == "__main__":
    main()
