# SPDX-License-Identifier: GPL-2.0-only
"""C and C++ are formatted as .clang-format says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
VERSION = 14  # that of Debian 12: others break lines elsewhere


def formatter():
    """The program of the right version, or a skip that says what is missing."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        program = shutil.which(name)
        if not program:
            continue
        said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        if re.search(rf"\bversion {VERSION}\.", said):
            return program
    pytest.skip(f"clang-format {VERSION} is not installed (scripts/setup tests installs it)")


def sources():
    names = subprocess.run(
        ["git", "-C", SOURCE, "ls-files", "--cached", "--others", "--exclude-standard",
         "*.c", "*.h", "*.cpp"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()
    return [name for name in names if (SOURCE / name).is_file()]


def test_every_source_is_formatted():
    program = formatter()
    if not (SOURCE / ".git").exists():
        pytest.skip("the sources are no git checkout: which files are ours is not known")
    found = subprocess.run(
        [program, "--dry-run", "-Werror", *sources()], cwd=SOURCE, capture_output=True, text=True
    )
    wrong = sorted(set(re.findall(r"^([^:\n]+):\d+:\d+: error", found.stderr, re.MULTILINE)))
    assert wrong == [], "clang-format -i these"
    assert found.returncode == 0, found.stderr
