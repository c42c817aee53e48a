# SPDX-License-Identifier: GPL-2.0-only
"""The freestanding library on QEMU's AArch64, at EL2 without an operating system: it does what it
does here."""

import os
import pathlib
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parents[1]
PLAYS = pathlib.Path(os.environ["FH_BUILD_DIR"]) / "tests/qemu/plays"
COMPILER = "aarch64-linux-gnu-gcc"
QEMU = "qemu-system-aarch64"

pytestmark = pytest.mark.skipif(
    not (shutil.which(COMPILER) and shutil.which(QEMU)), reason="no cross compiler, or no QEMU"
)

# All that floats is left out, and all that is not aligned: translation is off.
OPTIONS = ("-std=c11 -march=armv8-a -O1 -ffreestanding -fno-stack-protector -mgeneral-regs-only "
           "-mstrict-align -mno-outline-atomics -nostdlib -static -fno-pic -no-pie").split()
TOY = ["-DFH_MACHINE=fh_machine_toy", '-DFH_MACHINE_NAME="toy"', "-DFH_BELOW=fh_machine_spec",
       "-DFH_FIRST=0", f"-I{SOURCE}/lib/machine/in_tree", f"-I{SOURCE}/machines/toy"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The library, the plays, and what is around them, a folder of objects for files of one name."""
    folder = tmp_path_factory.mktemp("image")
    groups = {}
    for source in os.environ["FH_CORE_SOURCES"].split(";"):
        path = pathlib.Path(source)
        path = path if path.is_absolute() else SOURCE / "lib" / path
        groups.setdefault(path.parent, []).append(str(path))
    objects = []
    for number, (_, sources) in enumerate(sorted(groups.items())):
        where = folder / str(number)
        where.mkdir()
        includes = [f"-I{SOURCE}/include", f"-I{SOURCE}/lib", f"-I{SOURCE}"]
        for source in sources:
            own = TOY if "machines/toy/overlay" in source else []
            subprocess.run([COMPILER, *OPTIONS, *own, *includes, "-DFH_SOUNDNESS=0", "-c", source],
                           cwd=where, check=True)
        objects += sorted(where.glob("*.o"))
    path = folder / "image.elf"
    own = [HERE / "plays.c", HERE / "image/plays_main.c", HERE / "image/image.S"]
    subprocess.run([COMPILER, *OPTIONS, f"-I{SOURCE}/include", "-T", HERE / "image/image.ld",
                    *own, *objects, "-lgcc", "-o", path], check=True)
    return path


@pytest.mark.parametrize("cpu", ["cortex-a57", "max"])
def test_the_library_does_the_same_on_an_aarch64_without_an_operating_system(image, cpu, tmp_path):
    command = [QEMU, "-M", "virt,virtualization=on", "-cpu", cpu, "-m", "1024", "-nic", "none",
               "-display", "none", "-monitor", "none", "-serial", "none",
               "-semihosting-config", "enable=on,target=native", "-kernel", image]
    assert subprocess.run(command, cwd=tmp_path, timeout=300).returncode == 0, "it gave up"
    here = subprocess.run([PLAYS], check=True, capture_output=True, text=True).stdout
    there = (tmp_path / "plays.txt").read_text()
    for number, (a, b) in enumerate(zip(here.splitlines(), there.splitlines()), 1):
        assert a == b, f"step {number}"
    assert here == there and len(here.splitlines()) == 1800
    # The plays are about something: accesses that are made, fault, and touch others' pages.
    for word in ("access done", "access faults", "access emulated", "call ", "foreign=1", "halt=1"):
        assert word in here, word
