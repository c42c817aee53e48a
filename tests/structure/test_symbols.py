# SPDX-License-Identifier: GPL-2.0-only
"""What the library shows to a linker."""

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
BUILD = Path(os.environ["FH_BUILD_DIR"])
TRACES = BUILD / "sim/libfhtrace.so"
HEADERS = sorted((SOURCE / "include/faulthandler").glob("*.h"))


def nm(*arguments):
    return subprocess.run(["nm", *arguments], check=True, capture_output=True, text=True,
                          timeout=60).stdout


def exported():
    lines = nm("-D", "--defined-only", "--with-symbol-versions",
               BUILD / "lib/libfaulthandler.so").splitlines()
    return {line.split()[2].replace("@@", "@") for line in lines if line.split()[1] != "A"}


def listed():
    lines = (SOURCE / "lib/symbols.txt").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


def test_the_shared_library_exports_what_is_listed():
    """A new public function changes the list: scripts/update-symbols."""
    assert exported() == listed()


def test_every_exported_symbol_has_the_version_of_the_headers():
    text = (SOURCE / "include/faulthandler/version.h").read_text()
    major, minor = (re.search(rf"FH_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR"))
    assert {name.split("@")[1] for name in exported()} == {f"FAULTHANDLER_{major}.{minor}"}


def test_the_archive_defines_no_global_symbol_without_the_prefix():
    globals_ = {line.split()[2] for line in
                nm("-g", "--defined-only", BUILD / "lib/libfaulthandler.a").splitlines()
                if len(line.split()) == 3}
    # Sanitizers add theirs.
    strangers = {name for name in globals_ if not name.startswith(("fh_", "__odr_asan"))}
    assert strangers == set()
    assert {name.split("@")[0] for name in listed()} <= globals_


def test_every_public_header_is_for_cxx_too():
    for header in HEADERS:
        text = header.read_text()
        if re.sub(r"(?ms)^#include[^\n]*$|/\*.*?\*/", "", text).count(";") == 0:
            continue  # tables alone
        assert 'extern "C"' in text, header.name


@pytest.mark.skipif(not TRACES.exists(), reason="built without the tools")
def test_the_library_of_traces_exports_what_its_header_declares():
    names = {line.split()[2].split("@")[0] for line in nm("-D", "--defined-only", TRACES).splitlines()
             if line.split()[1] != "A"}
    header = (SOURCE / "include/fhtrace/fhtrace.h").read_text()
    assert names == set(re.findall(r"^FHT_API [^;]*?(fht_\w+)\(", header, re.MULTILINE))
    assert 'extern "C"' in header
