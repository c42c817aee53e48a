# SPDX-License-Identifier: GPL-2.0-only
"""Files of a room of fhsim call one another one way: no circle."""

import os
import re
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ["FH_BUILD_DIR"])
ROOMS = ["base", "convert", "foreign"]


def symbols(path, *flags):
    text = subprocess.run(["nm", *flags, path], check=True, capture_output=True, text=True,
                          timeout=60).stdout
    return set(re.findall(r" [A-Za-z] (\w+)$", text, re.M))


def calls(room):
    """Of each file the files of the room that it needs."""
    objects = sorted((BUILD / "sim/CMakeFiles/fh_sim.dir" / room).glob("*.o"))
    assert len(objects) > 5
    where = {name: path.name for path in objects for name in symbols(path, "-g", "--defined-only")}
    return {path.name: {where[name] for name in symbols(path, "-u") if name in where} - {path.name}
            for path in objects}


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_needs_one_that_needs_it(room):
    left = calls(room)
    while True:
        free = {file for file, needs in left.items() if not needs & left.keys()}
        if not free:
            break
        left = {file: needs for file, needs in left.items() if file not in free}
    assert left == {}
