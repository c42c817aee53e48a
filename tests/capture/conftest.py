# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of tools/capture share: the tool, the image, QEMU, and a stub that is not QEMU."""

import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOL = SOURCE / "tools/capture/fh-capture"
IMAGE = pathlib.Path(__file__).resolve().parent / "image"
COMPILE = (
    "aarch64-linux-gnu-gcc -nostdlib -static -ffreestanding -fno-pic -no-pie -O1 "
    "-mgeneral-regs-only -mstrict-align -mno-outline-atomics -fno-stack-protector "
    "-fno-asynchronous-unwind-tables -Wall -Wextra -Werror "
    "-Wl,--build-id=none -Wl,--no-warn-rwx-segments -T image.ld image.S handlers.c"
).split()

sys.path.insert(0, str(TOOL.parent))

from fake_stub import FakeStub  # noqa: E402
from fh_capture import symbols as capture_symbols  # noqa: E402


class Line(dict):
    """A line of a recording: its keys in order; numbers of registers as int."""

    def __init__(self, text):
        super().__init__(word.split("=", 1) for word in text.split(" "))
        for key, value in self.items():
            if value.startswith("0x"):
                self[key] = int(value, 16)


class Recording:
    def __init__(self, path):
        text = path.read_text()
        assert text == "" or text.endswith("\n")
        lines = text.splitlines()
        self.comments = [line[2:] for line in lines if line.startswith("# ")]
        self.lines = [Line(line) for line in lines if not line.startswith("#")]

    def of(self, cpu, *vectors):
        return [
            line
            for line in self.lines
            if line["cpu"] == str(cpu) and (not vectors or line["vec"] in vectors)
        ]

    def comment(self, start):
        """The rest of each comment that starts so."""
        return [text[len(start) :].strip() for text in self.comments if text.startswith(start)]


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """The image, built."""
    path = tmp_path_factory.mktemp("image") / "image.elf"
    subprocess.run([*COMPILE, "-o", path], cwd=IMAGE, check=True)
    return path


@pytest.fixture(scope="session")
def symbol(image):
    """The address of a symbol of the image."""
    return capture_symbols.load(image).address


@pytest.fixture(scope="session")
def qemu(image):
    """The command that runs the image for a number of rounds."""

    def command(cpu="cortex-a57", rounds=0, patient=0):
        words = ["qemu-system-aarch64", "-M", "virt,virtualization=on", "-cpu", cpu, "-smp", "2"]
        words += ["-m", "512", "-display", "none", "-serial", "none", "-nic", "none"]
        words += ["-kernel", str(image)]
        for address, value in ((0x4F000000, rounds), (0x4F000008, patient)):
            words += ["-device", f"loader,addr={address:#x},data={value},data-len=8"]
        return words

    return command


@pytest.fixture
def fh_capture(tmp_path):
    """Runs the tool to its end; gives what it printed, and the recording if it wrote one."""
    path = tmp_path / "recording.txt"

    def run(*words):
        done = subprocess.run(
            [TOOL, "-o", path, *map(str, words)], capture_output=True, text=True, timeout=50
        )
        done.recording = Recording(path) if path.exists() else None
        return done

    run.path = path
    return run


@pytest.fixture
def stub(tmp_path):
    """Starts a stub that is not QEMU."""
    started = []

    def start(**behaviour):
        started.append(FakeStub(tmp_path / "stub", **behaviour))
        return started[-1]

    yield start
    for fake in started:
        fake.close()
