# SPDX-License-Identifier: GPL-2.0-only
"""Stage 2 walks and syndromes of the model beside those of QEMU, for tables and accesses from a seed.
FH_QEMU_WORLDS and FH_QEMU_SEED make more of them, or others."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
CASES = pathlib.Path(os.environ["FH_BUILD_DIR"]) / "tests/qemu/stage2_cases"
COMPILER = "aarch64-linux-gnu-gcc"
QEMU = "qemu-system-aarch64"
WORLDS = os.environ.get("FH_QEMU_WORLDS", "100")
SEED = os.environ.get("FH_QEMU_SEED", "1")

pytestmark = pytest.mark.skipif(
    not (shutil.which(COMPILER) and shutil.which(QEMU)), reason="no cross compiler, or no QEMU"
)


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "image.elf"
    options = "-march=armv8.2-a -O1 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector"
    options += " -mgeneral-regs-only -nostdlib -static -fno-pic -no-pie"
    files = [HERE / "image/image.S", HERE / "image/main.c"]
    script = HERE / "image/image.ld"
    subprocess.run([COMPILER, *options.split(), "-T", script, *files, "-o", path], check=True)
    return path


@pytest.fixture(scope="module")
def qemu_version():
    text = subprocess.run([QEMU, "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"version (\d+\.\d+)", text)[1]


def run_qemu(image, cpu, folder):
    machine = ["-M", "virt,virtualization=on", "-cpu", cpu, "-m", "1024", "-nic", "none"]
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    loads = []
    for name, address in (("batch.bin", 0x48000000), ("tables.bin", 0x4C000000)):
        loads += ["-device", f"loader,file={name},addr={address:#x},force-raw=on"]
    host = ["-semihosting-config", "enable=on,target=native"]
    command = [QEMU, *machine, *quiet, *host, "-kernel", str(image), *loads]
    return subprocess.run(command, cwd=folder, timeout=300).returncode


@pytest.mark.parametrize("cpu", ["cortex-a57", "max"])
def test_the_walk_and_the_syndromes_are_those_of_qemu(image, cpu, qemu_version, tmp_path):
    make = [CASES, "make", cpu, SEED, WORLDS, "batch.bin", "tables.bin"]
    subprocess.run(make, cwd=tmp_path, check=True)
    assert run_qemu(image, cpu, tmp_path) == 0, "the image gave up"
    check = [CASES, "check", cpu, SEED, WORLDS, "results.bin", qemu_version]
    told = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    print(told.stdout, told.stderr)
    assert told.returncode == 0, told.stdout
    summary = re.search(r"(\d+) cases: (\d+) accesses done", told.stdout)
    assert int(summary[1]) == 50 * int(WORLDS) and int(summary[2]) > int(summary[1]) // 4


@pytest.mark.parametrize("field", [0, 1, 2, 5], ids=["esr", "far", "hpfar", "par"])
def test_a_changed_result_is_seen(image, qemu_version, tmp_path, field):
    """The check can fail: one word of one result, of an access that aborted, is another."""
    make = [CASES, "make", "max", SEED, "4", "batch.bin", "tables.bin"]
    subprocess.run(make, cwd=tmp_path, check=True)
    assert run_qemu(image, "max", tmp_path) == 0
    results = bytearray((tmp_path / "results.bin").read_bytes())
    head, size = 5 * 8, 40 * 8
    aborts = (0x20, 0x24)
    for at in range(head, len(results), size):
        if int.from_bytes(results[at : at + 8], "little") >> 26 in aborts:
            break
    results[at + 8 * field + 2] ^= 0x10 if field != 5 else 0
    results[at + 8 * field] ^= 2 if field == 5 else 0
    (tmp_path / "results.bin").write_bytes(results)
    check = [CASES, "check", "max", SEED, "4", "results.bin", qemu_version]
    told = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 1 and "1 cases differ" in told.stdout
