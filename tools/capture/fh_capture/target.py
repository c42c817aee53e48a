# SPDX-License-Identifier: GPL-2.0-only
"""What the stub says about its target: registers by name, CPUs, memory."""

import re
import xml.etree.ElementTree as ElementTree

from . import CaptureError
from .rsp import ERROR, hex_bytes

INCLUDE = "{http://www.w3.org/2001/XInclude}include"
CHUNK = 0x7F8
MAX_INCLUDES = 64

# QEMU calls registers that AArch32 shares by their AArch32 names.
OTHER_NAMES = {"SCTLR_EL1": "SCTLR", "VBAR_EL1": "VBAR", "PAR_EL1": "PAR"}


def read_feature(client, annex):
    """A file of the target description."""
    text = b""
    while True:
        request = f"qXfer:features:read:{annex}:{len(text):x},{CHUNK:x}"
        answer = client.request(request.encode())
        if answer[:1] not in (b"m", b"l"):
            raise CaptureError(f"the stub has no target description {annex}: {answer[:40]!r}")
        text += answer[1:]
        if answer[:1] == b"l":
            return text.decode("utf-8", "replace")


def parse_xml(text, annex):
    """QEMU's files use the prefix xi without declaring it."""
    if "xmlns:xi" not in text:
        text = re.sub(
            r"<(target|feature)\b",
            r'<\1 xmlns:xi="http://www.w3.org/2001/XInclude"',
            text,
            count=1,
        )
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise CaptureError(f"the target description {annex} is malformed: {error}") from None


def read_registers(read):
    """{name: number}; read(annex) gives a file of the description. A register without regnum
    follows the one before it."""
    numbers = {}
    following = 0
    files = 0

    def visit(annex):
        nonlocal following, files
        files += 1
        if files > MAX_INCLUDES:
            raise CaptureError("the target description includes itself")
        for element in parse_xml(read(annex), annex).iter():
            if element.tag == INCLUDE:
                visit(element.get("href", ""))
            elif element.tag == "reg":
                following = register_number(element, annex, following)
                numbers.setdefault(element.get("name"), following)
                following += 1

    visit("target.xml")
    return numbers


def register_number(element, annex, following):
    try:
        return int(element.get("regnum", following))
    except ValueError:
        name = element.get("name")
        raise CaptureError(f"{annex}: register {name} has a malformed number") from None


def register_value(answer):
    """None for a register that the stub names but does not give."""
    if not answer or answer[:1] == b"E" or answer[:1] == b"x":
        return None
    return int.from_bytes(hex_bytes(answer, "p"), "little")


class Target:
    def __init__(self, client):
        self.client = client
        client.first_request(b"qSupported:xmlRegisters=aarch64", b"PacketSize=")
        client.request(b"?")
        self.registers = read_registers(lambda annex: read_feature(client, annex))
        for name in ("pc", "cpsr"):
            if name not in self.registers:
                raise CaptureError(f"the target has no register {name}: not an AArch64 machine?")
        self.threads = self._threads()
        self.physical = False

    def version(self):
        """The version of QEMU as its monitor gives it, or None."""
        match = re.search(r"(\d+\.\d+\.\d+)(.*)", self.client.monitor("info version"))
        return " ".join(word.strip() for word in match.groups()).strip() if match else None

    def number(self, name):
        """The register's number, or None if the stub does not have it."""
        return self.registers.get(name, self.registers.get(OTHER_NAMES.get(name)))

    def read_registers(self, thread, names):
        """{name: value} of one CPU; what the stub does not have is left out."""
        return self.read_all([thread], names)[thread]

    def read_all(self, threads, names):
        """{thread: {name: value}}, in one burst."""
        known = [name for name in names if self.number(name) is not None]
        requests = []
        for thread in threads:
            requests.append(b"Hg" + thread.encode())
            requests += [b"p%x" % self.number(name) for name in known]
        answers = iter(self.client.pipeline(requests))
        found = {}
        for thread in threads:
            if next(answers) != b"OK":
                raise CaptureError(f"the stub has lost thread {thread}")
            values = {name: register_value(next(answers)) for name in known}
            found[thread] = {name: value for name, value in values.items() if value is not None}
        return found

    def read_physical(self, address, length):
        """Bytes of physical memory, or None where there is none."""
        if not self.physical and self.client.request(b"Qqemu.PhyMemMode:1") != b"OK":
            raise CaptureError("the stub cannot read physical memory")
        self.physical = True
        return self._read(address, length)

    def read_virtual(self, thread, address, length):
        """Bytes as the CPU sees them at the level where it stands, or None."""
        requests = [b"Hg" + thread.encode()]
        if self.physical:
            requests.append(b"Qqemu.PhyMemMode:0")
        self.client.pipeline(requests)
        self.physical = False
        return self._read(address, length)

    def write_pc(self, thread, value):
        request = b"P%x=%s" % (self.registers["pc"], value.to_bytes(8, "little").hex().encode())
        if self.client.pipeline([b"Hg" + thread.encode(), request])[1] != b"OK":
            raise CaptureError("the stub does not let pc be written")

    def insert_breakpoint(self, address):
        answer = self.client.request(b"Z1,%x,4" % address)
        if answer != b"OK":
            raise CaptureError(f"the stub refused a hardware breakpoint at {address:#x}")

    def remove_breakpoint(self, address):
        self.client.request(b"z1,%x,4" % address)

    def _read(self, address, length):
        requests = [
            b"m%x,%x" % (address + start, min(CHUNK, length - start))
            for start in range(0, length, CHUNK)
        ]
        data = b""
        for answer in self.client.pipeline(requests):
            if ERROR.fullmatch(answer):
                return None
            data += hex_bytes(answer, "m")
        return data if len(data) == length else None

    def _threads(self):
        threads = []
        answer = self.client.request(b"qfThreadInfo")
        while answer[:1] == b"m":
            threads += answer[1:].decode("ascii", "replace").split(",")
            answer = self.client.request(b"qsThreadInfo")
        if answer != b"l" or not threads:
            raise CaptureError(f"the stub does not list its CPUs: {answer[:40]!r}")
        return threads


def thread_index(thread):
    """QEMU's threads, p1.2 or 02, are its CPUs counted from 1."""
    try:
        return int(thread.rpartition(".")[2], 16) - 1
    except ValueError:
        raise CaptureError(f"the stub names a thread {thread!r}") from None
