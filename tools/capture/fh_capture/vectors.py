# SPDX-License-Identifier: GPL-2.0-only
"""Tables of EL2 vectors: whose they are, and what their entries are called."""

from dataclasses import dataclass
from typing import Optional

from . import CaptureError

SOURCES = ("cur_sp0", "cur_spx", "lower64", "lower32")
KINDS = ("sync", "irq", "fiq", "serror")
ENTRY_BYTES = 0x80
ENTRIES = {
    f"{source}_{kind}": (SOURCES.index(source) * len(KINDS) + KINDS.index(kind)) * ENTRY_BYTES
    for source in SOURCES
    for kind in KINDS
}
ALIGNMENT = 0x800

# Linux KVM's tables: nVHE has one for the host and one for guests, VHE one for guests. Before
# there were two images, __kvm_hyp_vector was for both, and so it has no owner then.
NVHE_GUEST = "__kvm_nvhe___kvm_hyp_vector"
VHE_GUEST = "__kvm_hyp_vector"
OWNERS = {
    "__kvm_nvhe___kvm_hyp_host_vector": "host",
    NVHE_GUEST: "guest",
    VHE_GUEST: "guest",
    "__hyp_stub_vectors": "stub",
    "__kvm_nvhe___kvm_hyp_init": "init",
}
# An address at EL2 and the symbol's own agree in these bits wherever the kernel is.
SAME_BITS = (1 << 20) - 1

CURRENT_EL = 0xC
EL2 = 0x8


def is_el2(cpsr):
    """Of AArch64; bit 4 is set in AArch32, which has no EL2 vectors of this kind."""
    return cpsr & 0x10 == 0 and cpsr & CURRENT_EL == EL2


def chosen_entries(text):
    """The names of entries that a list chooses: all, a kind of the lower levels, or a name."""
    chosen = []
    for word in text.split(","):
        if word == "all":
            chosen += ENTRIES
        elif word in KINDS:
            chosen += [f"lower64_{word}", f"lower32_{word}"]
        elif word in ENTRIES:
            chosen.append(word)
        else:
            raise CaptureError(f"--vectors: no vector {word!r}")
    return sorted(set(chosen), key=ENTRIES.get)


@dataclass
class Table:
    base: int
    owner: Optional[str] = None
    symbol: Optional[str] = None

    def vector(self, entry):
        """What the recording calls an entry; an owner that is not known is not guessed."""
        if self.owner is None:
            return entry
        source, kind = entry.rsplit("_", 1)
        return f"{self.owner}_{kind}" if source == "lower64" else f"{self.owner}_{entry}"

    def __str__(self):
        words = [f"{self.base:#x}", self.owner or "unknown"]
        return " ".join(words + ([self.symbol] if self.symbol else []))


class Tables:
    """All tables that are known, by their addresses."""

    def __init__(self, entries, symbols=None):
        self.entries = entries
        self.symbols = symbols
        self.tables = {}

    def add(self, base, owner=None, symbol=None):
        """The new tables: this one, and those of the same image if its symbol tells where it is.
        A table that is known already is not a new one."""
        if base in self.tables:
            return []
        if base % ALIGNMENT:
            raise CaptureError(f"{base:#x} is not the address of a vector table (2 KiB aligned)")
        if owner is None:
            symbol = self._symbol_at(base)
            owner = self._owner(symbol)
        new = [Table(base, owner, symbol)]
        if symbol in OWNERS:
            new += self._siblings(base - self.symbols.address(symbol))
        found = {table.base: table for table in reversed(new) if table.base not in self.tables}
        self.tables.update(found)
        return list(found.values())

    def breakpoints(self):
        """{address: vector's name}"""
        return {
            table.base + ENTRIES[entry]: table.vector(entry)
            for table in self.tables.values()
            for entry in self.entries
        }

    def _owner(self, symbol):
        if symbol == VHE_GUEST and self.symbols.get(NVHE_GUEST) is None:
            return None
        return OWNERS.get(symbol)

    def _symbol_at(self, base):
        """The one symbol that can be at this address."""
        if not self.symbols:
            return None
        found = [
            name
            for name in OWNERS
            if self.symbols.get(name) is not None
            and self.symbols.get(name) & SAME_BITS == base & SAME_BITS
        ]
        return found[0] if len(found) == 1 else None

    def _siblings(self, distance):
        """The image's other tables lie at the same distance from their symbols."""
        siblings = []
        for name in OWNERS:
            address = self.symbols.get(name)
            if address is not None and (address + distance) % ALIGNMENT == 0:
                siblings.append(Table((address + distance) & (1 << 64) - 1, self._owner(name), name))
        return siblings
