# SPDX-License-Identifier: GPL-2.0-only
"""The core needs nothing of a libc but four functions, on x86-64 and on AArch64."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
BUILD = Path(os.environ["FH_BUILD_DIR"])
HEADERS = SOURCE / "tests/structure/freestanding"

MEMORY = {"memcpy", "memset", "memcmp", "memmove"}
# What the compiler itself may call or name, in libgcc or compiler-rt and in the linker.
COMPILER = re.compile(r"__\w+[sdt]i[234]|__aarch64_\w+|_GLOBAL_OFFSET_TABLE_")


def commands():
    """The words with which the build compiles each source of the core."""
    listed = json.loads((BUILD / "compile_commands.json").read_text())
    words = {Path(command["file"]): shlex.split(command["command"]) for command in listed}
    return {source: w for source, w in words.items() if "-ffreestanding" in w}


def core():
    """The sources that the build compiles freestanding, with their objects."""
    return {source: BUILD / words[words.index("-o") + 1] for source, words in commands().items()}


def symbols(objects):
    """The names that the objects define and those that they want from elsewhere."""
    defined, wanted = set(), set()
    for path in objects:
        table = subprocess.run(
            ["readelf", "--wide", "--symbols", path], capture_output=True, text=True, check=True
        ).stdout
        for line in table.splitlines():
            fields = line.split()
            if len(fields) < 8 or fields[4] not in ("GLOBAL", "WEAK"):
                continue
            (wanted if fields[6] == "UND" else defined).add(fields[7])
    return defined, wanted - defined


def assert_needs_nothing(objects):
    _, wanted = symbols(objects)
    foreign = sorted(n for n in wanted - MEMORY if not COMPILER.fullmatch(n))
    assert foreign == []


def test_core_consists_of_the_library_but_its_hosted_part():
    compiled = {source.relative_to(SOURCE) for source in core()}
    written = {
        path.relative_to(SOURCE)
        for folder in ("lib", "machines")
        for path in (SOURCE / folder).rglob("*.c")
        if path.relative_to(SOURCE).parts[1] != "hosted" and path.name != "description.c"
    }
    assert compiled == written


def test_core_objects_want_no_other_function():
    assert_needs_nothing(core().values())


@pytest.mark.parametrize("target", ["x86_64-linux-gnu", "aarch64-linux-gnu"])
def test_core_builds_without_any_libc(target, tmp_path):
    """With the compiler's own headers and a string.h that has only the four functions."""
    objects = []
    for source, words in commands().items():
        objects.append(tmp_path / f"{source.parent.name}_{source.stem}.o")
        subprocess.run(
            ["clang", f"--target={target}", "-std=c11", "-O2", "-ffreestanding", "-nostdlibinc"]
            + ["-Wall", "-Wextra", "-Werror", "-isystem", HEADERS]
            + [word for word in words if word.startswith(("-I", "-D"))]
            + ["-c", source, "-o", objects[-1]],
            check=True,
        )
    assert_needs_nothing(objects)


def test_core_has_no_data_that_changes():
    """No global state: what is not constant would stand in .data or .bss."""
    changing = []
    for path in core().values():
        table = subprocess.run(
            ["readelf", "--wide", "--symbols", "--section-headers", path],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        sections = dict(re.findall(r"^\s*\[\s*(\d+)\] (\S+)", table, re.MULTILINE))
        for line in table.splitlines():
            fields = line.split()
            if len(fields) < 8 or fields[3] != "OBJECT":
                continue
            section = sections.get(fields[6], "")
            if section in (".data", ".bss") or fields[6] == "COM":
                changing.append(f"{path.name}: {fields[7]}")
    assert changing == []
