# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of foreign recordings share."""

import json
import os
import pathlib
import re
import subprocess

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
DATA = SOURCE / "tests/data/foreign"
QEMU = DATA / "nvhe_qemu_int.log.zst"
QEMU_SMP = DATA / "nvhe_qemu_int_guesterr_smp.log.zst"
QEMU_BOOT = DATA / "protected_boot_qemu_int_el2only.log.zst"
FTRACE = DATA / "nvhe_tracefs_kvm_mono.txt.zst"
MONITOR = DATA / "nvhe_kvmtest_tracefs_mono.txt.zst"
REPORT = DATA / "nvhe_tracecmd_report_excerpt.txt.zst"
REPORT_RAW = DATA / "nvhe_tracecmd_report_raw.txt.zst"
CAPTURE = DATA / "gdb_el2_nvhe.txt.zst"
SYMBOLS = DATA / "nvhe_kallsyms_hyp.txt"
SYMBOLS_BOOT = DATA / "protected_kallsyms_hyp.txt"


def fhsim(*arguments, **keywords):
    return subprocess.run([FHSIM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, **keywords)


def records_of(text):
    """The records of a JSON Lines trace, behind its origin."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["kind"] == "origin" and lines[0]["seq"] == 0
    return lines[1:]


def convert(form, path, *arguments):
    done = fhsim("convert", "--from", form, path, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return records_of(done.stdout)


def replay(path, *arguments):
    """The run, and what it found in its one file."""
    done = fhsim("replay", path, "--json", *arguments)
    return done, json.loads(done.stdout)["foreign"][0]


def failed_checks(found):
    return {name for name, check in found["checks"].items() if check["failed"]}


def to_el2(text):
    """Of a QEMU log the exceptions to EL2 and the returns from there."""
    blocks = re.findall(r"^Taking exception[^\n]*\n(?:\.\.\.[^\n]*\n)+|^Exception return[^\n]*\n",
                        text, re.M)
    start = "Exception return from AArch64 EL2"
    return [block for block in blocks if "to EL2" in block or block.startswith(start)]


def event_of(record, name):
    return next((fx for fx in record.get("fx", []) if fx.get("event") == name), None)
