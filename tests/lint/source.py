# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's own source files, for the lint tests."""
import os
import re
import sys

MODULES = ("model", "traces", "solver", "sim", "executors", "report", "cli",
           "daemon", "bench")
EVERYTHING = MODULES + ("tests", "scripts", "cmake", "docs", "examples",
                        ".ci")


def files(tops, endings):
    """Paths under 'tops' that end so, sorted; vendored files excluded."""
    found = []
    for top in tops:
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(d for d in folders
                                if d not in ("vendor", "__pycache__"))
            found += [os.path.join(folder, n) for n in names
                      if n.endswith(endings)]
    return sorted(found)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                   r"'(?:\\.|[^'\\\n])*'", re.S)


def code_only(text):
    """C text with comments and literals blanked, lines kept."""
    return TOKEN.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def finish(problems, what):
    """Prints the problems and ends the test."""
    for problem in problems:
        print(problem)
    if problems:
        print(f"{len(problems)} problem(s): {what}")
    sys.exit(1 if problems else 0)
