# SPDX-License-Identifier: GPL-2.0-only
"""No circles among the files of a folder of fhsim: of two files one uses the other, or neither."""

import os
import subprocess
from pathlib import Path

import pytest

SIM = Path(os.environ["FH_SOURCE_DIR"]) / "sim"
OBJECTS = Path(os.environ["FH_BUILD_DIR"]) / "sim/CMakeFiles/fh_sim.dir"

# What is recursive by itself, with the reason.
RECURSIVE = {
    # A log's events are part of a patch, and carry objects, which are patches.
    frozenset({"patch/patch.c", "patch/patch_events.c"}),
    # To find what explains a trap, and what comes near, it is taken again without a switch.
    frozenset({"twin/twin.c", "twin/blame.c", "twin/credit.c", "twin/nearest.c",
               "twin/overlap.c"}),
}


def symbols(path):
    """The global functions and data that an object defines, and those that it needs."""
    found = subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines() if line]
    return ({row[-1] for row in rows if row[-2] not in "Uwv"},
            {row[-1] for row in rows if row[-2] == "U"})


def uses(folder):
    """For each file of the folder the others whose symbols it needs."""
    objects = {
        name: symbols(path)
        for path in sorted((OBJECTS / folder).glob("*.o"))
        if (SIM / (name := f"{folder}/{path.name.removesuffix('.o')}")).exists()
    }
    owner = {symbol: name for name, (defined, _) in objects.items() for symbol in defined}
    return {
        name: {owner[symbol] for symbol in needed if symbol in owner} - {name}
        for name, (_, needed) in objects.items()
    }


def reached(graph, start):
    found, left = set(), [start]
    while left:
        for name in graph[left.pop()]:
            if name not in found:
                found.add(name)
                left.append(name)
    return found


def circles(graph):
    """The sets of files that all reach each other."""
    reach = {name: reached(graph, name) for name in graph}
    return {
        frozenset({other for other in reach[name] if name in reach[other]})
        for name in graph
        if name in reach[name]
    }


FOLDERS = sorted(path.name for path in SIM.iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", FOLDERS)
def test_files_of_a_folder_do_not_use_each_other_in_a_circle(folder):
    graph = uses(folder)
    assert graph or len(list((SIM / folder).glob("*.c"))) == 1
    found = [circle for circle in circles(graph)
             if not any(circle <= known for known in RECURSIVE)]
    assert [sorted(circle) for circle in found] == []


def test_a_circle_would_be_seen():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(graph) == {frozenset("abc")}
