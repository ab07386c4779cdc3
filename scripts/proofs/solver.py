# SPDX-License-Identifier: GPL-3.0-or-later
"""All public benchmarks of the solver, one after another."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PARTS = ("solver_packing", "solver_balance", "solver_btrplace",
         "solver_roadef")


def main():
    failed = [part for part in PARTS
              if subprocess.run([sys.executable, "-B",
                                 os.path.join(HERE, part + ".py")],
                                check=False).returncode]
    for part in failed:
        print(f"{part}: failed", file=sys.stderr)
    sys.exit(1 if failed else 0)


main()
