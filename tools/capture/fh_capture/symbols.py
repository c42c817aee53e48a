# SPDX-License-Identifier: GPL-2.0-only
"""Symbols of an ELF file, or of text as in /proc/kallsyms and System.map."""

import re
import struct

from . import CaptureError

SHT_SYMTAB = 2
PT_LOAD = 1
MAX_PHYSICAL = 1 << 52
LINE = re.compile(r"([0-9a-fA-F]+) \S (\S+)")


class Symbols:
    """{name: (address, size)}; the size is 0 where the file does not say it."""

    def __init__(self, path, table, segments=()):
        self.path = path
        self.table = table
        self.segments = segments

    def address(self, name):
        if name not in self.table:
            raise CaptureError(f"{self.path}: no symbol {name}")
        return self.table[name][0]

    def size(self, name):
        return self.table[name][1]

    def get(self, name):
        return self.table.get(name, (None, 0))[0]

    def physical(self, address):
        """Where the ELF file says that an address is loaded, or None. vmlinux does not say it: its
        physical addresses are the virtual ones."""
        for virtual, physical, size in self.segments:
            if virtual <= address < virtual + size and physical < MAX_PHYSICAL:
                return physical + address - virtual
        return None


def load(path):
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from None
    if data[:4] == b"\x7fELF":
        return from_elf(path, data)
    return from_text(path, data.decode("utf-8", "replace"))


def from_text(path, text):
    table = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = LINE.match(line)
        if not match:
            raise CaptureError(f"{path}:{number}:1: not `address type name`, nor is the file ELF")
        table.setdefault(match.group(2), (int(match.group(1), 16), 0))
    if not any(address for address, _ in table.values()):
        raise CaptureError(f"{path}: all addresses are 0 (read kallsyms as root, kptr_restrict=0)")
    return Symbols(path, table)


def from_elf(path, data):
    try:
        return parse_elf(path, data)
    except (struct.error, IndexError, OverflowError, ValueError):
        raise CaptureError(f"{path}: a damaged ELF file") from None


def parse_elf(path, data):
    if data[4:6] != b"\x02\x01":
        raise CaptureError(f"{path}: not a 64-bit little-endian ELF file")
    phoff, shoff = struct.unpack_from("<QQ", data, 32)
    phentsize, phnum, shentsize, shnum = struct.unpack_from("<HHHH", data, 54)
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)
    ]
    table = {}
    for section in sections:
        if section[1] == SHT_SYMTAB:
            read_symtab(data, section, sections[section[6]], table)
    if not table:
        raise CaptureError(f"{path}: no symbols (a stripped file?)")
    headers = [
        struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize) for i in range(phnum)
    ]
    segments = [(h[3], h[4], h[6]) for h in headers if h[0] == PT_LOAD]
    return Symbols(path, table, segments)


def read_symtab(data, section, strings, table):
    offset, size, entry = section[4], section[5], section[9]
    for at in range(offset, offset + size, entry):
        name, info, _, index, value, length = struct.unpack_from("<IBBHQQ", data, at)
        # Sections and files have names of their own; undefined symbols have no address.
        if name == 0 or info & 15 in (3, 4) or index == 0:
            continue
        start = strings[4] + name
        text = data[start : data.index(b"\0", start)].decode("utf-8", "replace")
        table.setdefault(text, (value, length))
