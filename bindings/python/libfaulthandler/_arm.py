# SPDX-License-Identifier: GPL-2.0-only
"""Words of the architecture, field by field: what arm.h knows."""

from collections.abc import Mapping

from ._native import ffi, lib
from ._tables import text

E2H = 1 << 34  # of HCR_EL2


class Decoded(Mapping):
    """A word taken apart: its fields by their names, and `text`, what it says."""

    def __init__(self, name, value, text, fields):
        self.name, self.value, self.text = name, value, text
        self._fields = fields

    def __getitem__(self, field):
        return self._fields[field]

    def __iter__(self):
        return iter(self._fields)

    def __len__(self):
        return len(self._fields)

    def __repr__(self):
        return f"<{self.name} {self.value:#x}: {self.text}>"


def _written(describe, *arguments):
    """What one of the fh_arm_describe_... writes."""
    size = describe(*arguments, ffi.NULL, 0) + 1
    buffer = ffi.new("char[]", size)
    describe(*arguments, buffer, size)
    return text(buffer)


def _fields(layout, word):
    if layout == ffi.NULL:
        return {}
    rows = (layout.fields[i] for i in range(layout.nfields))
    return {
        text(row.name): word >> row.low & ((1 << (row.high - row.low + 1)) - 1) for row in rows
    }


def _register(name):
    called = b"esr_el2" if name == "hsr" else name.encode()
    if reg := lib.fh_arm_register_called(called, len(called)):
        return reg
    raise ValueError(f"no register is called {name!r}")


def _descriptor(word, level, granule, fwb):
    bits = granule.bit_length() - 1
    if granule not in (0x1000, 0x4000, 0x10000):
        raise ValueError("granules have 4096, 16384 or 65536 bytes")
    stage2 = ffi.new("struct fh_arm_stage2 *", {"granule_bits": bits, "has_fwb": fwb})
    parts = lib.fh_arm_descriptor_of(stage2, level, word)
    fields = {"address": parts.address}
    if parts.kind in (lib.FH_ARM_BLOCK, lib.FH_ARM_PAGE):
        leaf = {name: getattr(parts.leaf, name) for name, _ in ffi.typeof(parts.leaf).fields}
        fields.update(leaf)
    said = _written(lib.fh_arm_describe_descriptor, stage2, level, word)
    return Decoded("descriptor", word, said, fields)


def decode(*, e2h=False, level=3, granule=4096, fwb=False, **value):
    """What a word says: `decode(esr=0x93830045)`, `decode(vtcr_el2=0x80023558)`, `decode(fsc=7)`.

    The one other argument is a register's name in small or large letters, with or without its level
    (`esr` is ESR_EL2), `fsc` for a fault status, or `pte` for a descriptor of stage 2, to which
    `level`, `granule` and `fwb` belong. `e2h` chooses the form of the registers that HCR_EL2.E2H
    changes.
    """
    if len(value) != 1:
        raise TypeError("decode takes one value by its name")
    ((name, word),) = value.items()
    if not 0 <= word < 1 << 64:
        raise ValueError(f"{name} has 64 bits")
    if name == "pte":
        return _descriptor(word, level, granule, fwb)
    if name == "fsc":
        return Decoded("FSC", word, _written(lib.fh_arm_describe_status, word), {})
    reg, hcr = _register(name), E2H if e2h else 0
    fields = _fields(lib.fh_arm_register_layout(reg, word, hcr), word)
    said = _written(lib.fh_arm_describe_register, reg, word, hcr)
    return Decoded(text(reg.name), word, said, fields)
