# SPDX-License-Identifier: GPL-2.0-only
"""recorder.h needs nothing but a freestanding compiler."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
TABLES = (SOURCE / "include/faulthandler/trace_tables.h").read_text()
ALLOWED = {"memcpy", "memset", "memmove", "memcmp"}
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Werror"]
COMPILERS = [["gcc"], ["clang"], ["clang", "--target=aarch64-none-elf", "-mno-outline-atomics"]]


def user_of_everything():
    """A file that has the address of every function that records."""
    kinds = re.search(r"#define FH_TRACE_EFFECT_MAP\(X\)(.*?[^\\])\n", TABLES, re.S).group(1)
    names = [f"fh_record_{kind}" for kind in re.findall(r"X\((\w+)\)", kinds)]
    names += re.findall(r"^static inline \S+ (fh_recorder_\w+)\(",
                        (SOURCE / "include/faulthandler/recorder.h").read_text(), re.M)
    assert len(names) > 40
    table = ", ".join(f"(void (*)(void)){name}" for name in names)
    return f"#include <faulthandler/recorder.h>\nvoid (*const all[])(void) = {{{table}}};\n"


@pytest.mark.parametrize("compiler", COMPILERS, ids=lambda words: " ".join(words[:2]))
@pytest.mark.parametrize("optimise", ["-O0", "-O2", "-Os"])
def test_the_recorder_needs_no_library(tmp_path, compiler, optimise):
    if not shutil.which(compiler[0]) or not shutil.which("nm"):
        pytest.skip(f"no {compiler[0]}")
    source = tmp_path / "user.c"
    source.write_text(user_of_everything())
    wanted = [*compiler, "-std=c11", "-pedantic", "-ffreestanding", optimise, *WARNINGS]
    subprocess.run([*wanted, f"-I{SOURCE / 'include'}", "-c", source, "-o", tmp_path / "user.o"],
                   check=True, timeout=60)
    listed = subprocess.run(["nm", "-u", tmp_path / "user.o"], check=True, capture_output=True,
                            text=True, timeout=60)
    assert set(re.findall(r"U (\w+)", listed.stdout)) <= ALLOWED


def test_the_recorder_takes_the_types_of_a_kernel(tmp_path):
    """Without any header, with types as Linux has them."""
    types = """typedef _Bool bool;
typedef unsigned long size_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
#define true 1
#define false 0
#define NULL ((void *)0)
#define UINT64_C(c) c##ULL
#define FH_RECORDER_HAS_TYPES
"""
    source = tmp_path / "user.c"
    source.write_text(types + user_of_everything())
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-nostdinc", "-ffreestanding", "-O2",
                    *WARNINGS, f"-I{SOURCE / 'include'}", "-c", source, "-o", tmp_path / "user.o"],
                   check=True, timeout=60)
