# SPDX-License-Identifier: GPL-2.0-only
"""Walks of page tables in physical memory, 4 KiB granule: stage 2, and EL2's own stage 1."""

from dataclasses import dataclass, field

PAGE_SHIFT = 12
PAGE_BYTES = 1 << PAGE_SHIFT
INDEX_BITS = 9
TABLE_ADDRESS = ((1 << 48) - 1) & ~0xFFF
BASE_ADDRESS = ((1 << 48) - 1) & ~1

EC_INSTRUCTION_ABORT_LOWER = 0x20
EC_DATA_ABORT_LOWER = 0x24
HCR_VM = 1
HCR_E2H = 1 << 34
SCTLR_M = 1
VTCR_DS = 1 << 32


@dataclass
class Walk:
    """steps: (level, address of the descriptor, descriptor); output: None if nothing is mapped."""

    steps: list = field(default_factory=list)
    output: int = None
    problem: str = None

    def __str__(self):
        return ",".join(f"L{level}@{at:x}={descriptor:x}" for level, at, descriptor in self.steps)


def shift_of(level):
    return PAGE_SHIFT + INDEX_BITS * (3 - level)


def walk(read, base, address, level, bits):
    """Follows tables from a start level down. The start table is as large as the input address
    needs it, beyond 512 entries, too (concatenated tables)."""
    result = Walk()
    index = (address & (1 << bits) - 1) >> shift_of(level)
    while True:
        at = base + 8 * index
        data = read(at, 8)
        if data is None:
            result.problem = f"no_memory_at_{at:x}"
            return result
        descriptor = int.from_bytes(data, "little")
        result.steps.append((level, at, descriptor))
        if descriptor & 1 == 0 or (level == 3 and descriptor & 2 == 0):
            return result
        if level == 3 or descriptor & 2 == 0:
            inside = (1 << shift_of(level)) - 1
            result.output = descriptor & TABLE_ADDRESS & ~inside | address & inside
            return result
        base = descriptor & TABLE_ADDRESS
        level += 1
        index = address >> shift_of(level) & (1 << INDEX_BITS) - 1


def has_ipa(esr):
    """Whether HPFAR_EL2 belongs to this exception."""
    return esr >> 26 & 0x3F in (EC_INSTRUCTION_ABORT_LOWER, EC_DATA_ABORT_LOWER)


def stage2(read, registers):
    """The walk of the IPA of HPFAR_EL2, or None where there is no stage 2."""
    needed = ("HPFAR_EL2", "HCR_EL2", "VTTBR_EL2", "VTCR_EL2")
    if any(name not in registers for name in needed) or not registers["HCR_EL2"] & HCR_VM:
        return None
    vtcr = registers["VTCR_EL2"]
    bits = 64 - (vtcr & 0x3F)
    # SL0 counts from level 2 upwards.
    level = {0: 2, 1: 1, 2: 0}.get(vtcr >> 6 & 3)
    ipa = (registers["HPFAR_EL2"] >> 4 & (1 << 40) - 1) << PAGE_SHIFT
    if vtcr >> 14 & 3 or vtcr & VTCR_DS or level is None:
        return Walk(problem="not_4k_48_bit_tables")
    if ipa >> bits:
        return Walk(problem=f"ipa_above_{bits}_bits")
    return walk(read, registers["VTTBR_EL2"] & BASE_ADDRESS, ipa, level, bits)


def el2_physical(read, registers, address):
    """Where an address of EL2 is in physical memory, or None."""
    if not registers["SCTLR_EL2"] & SCTLR_M:
        return address
    tcr = registers["TCR_EL2"]
    if address >> 63:
        size, granule, base = tcr >> 16 & 0x3F, tcr >> 30 & 3 ^ 2, registers.get("TTBR1_EL2")
        if not registers.get("HCR_EL2", 0) & HCR_E2H:
            return None
    else:
        size, granule, base = tcr & 0x3F, tcr >> 14 & 3, registers.get("TTBR0_EL2")
    bits = 64 - size
    if granule or base is None or not 12 < bits <= 48:
        return None
    level = 4 - -(-(bits - PAGE_SHIFT) // INDEX_BITS)
    return walk(read, base & BASE_ADDRESS, address, level, bits).output


def read_el2(read, registers, address, length):
    """Memory as EL2 sees it, or None."""
    data = b""
    while len(data) < length:
        at = address + len(data)
        physical = el2_physical(read, registers, at)
        size = min(length - len(data), PAGE_BYTES - at % PAGE_BYTES)
        page = read(physical, size) if physical is not None else None
        if page is None:
            return None
        data += page
    return data
