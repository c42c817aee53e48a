# SPDX-License-Identifier: GPL-2.0-only
"""Page table walks against tables made by hand."""

import pytest

from fh_capture import walk

ROOT, MIDDLE, LEAF = 0x50000000, 0x50010000, 0x50020000


class Memory(dict):
    def read(self, address, length):
        if address >> 28 != 5:
            return None
        return self.get(address, 0).to_bytes(length, "little")


def registers(ipa, t0sz=25, sl0=1, **others):
    return {
        "HPFAR_EL2": ipa >> 12 << 4,
        "HCR_EL2": 1,
        "VTTBR_EL2": 7 << 48 | ROOT | 1,
        "VTCR_EL2": 1 << 31 | sl0 << 6 | t0sz,
        **others,
    }


def steps(memory, *arguments, **others):
    return walk.stage2(memory.read, registers(*arguments, **others)).steps


def test_a_page_is_found_in_three_levels():
    ipa = 5 << 30 | 6 << 21 | 7 << 12
    memory = Memory({
        ROOT + 5 * 8: MIDDLE | 3,
        MIDDLE + 6 * 8: LEAF | 3,
        LEAF + 7 * 8: 0x40000000_89ABC7FF,
    })
    found = walk.stage2(memory.read, registers(ipa))
    assert str(found) == "L1@50000028=50010003,L2@50010030=50020003,L3@50020038=4000000089abc7ff"
    assert found.output == 0x89ABC000
    assert found.problem is None


def test_the_walk_ends_at_an_invalid_descriptor():
    memory = Memory({ROOT + 5 * 8: MIDDLE | 3, MIDDLE + 6 * 8: LEAF | 2})
    assert steps(memory, 5 << 30 | 6 << 21) == [
        (1, ROOT + 40, MIDDLE | 3),
        (2, MIDDLE + 48, LEAF | 2),
    ]


def test_the_walk_ends_at_a_block():
    memory = Memory({ROOT: MIDDLE | 3, MIDDLE + 8: 0x80200000 | 0x7FD})
    found = walk.stage2(memory.read, registers(0x2AB000))
    assert found.steps[-1] == (2, MIDDLE + 8, 0x802007FD)
    assert found.output == 0x802AB000


def test_a_block_descriptor_at_level_3_maps_nothing():
    memory = Memory({ROOT: MIDDLE | 3, MIDDLE: LEAF | 3, LEAF: 0x80000000 | 1})
    assert walk.stage2(memory.read, registers(0)).output is None


@pytest.mark.parametrize("sl0, t0sz, level", [(0, 30, 2), (1, 25, 1), (2, 16, 0)])
def test_sl0_says_where_the_walk_starts(sl0, t0sz, level):
    assert steps(Memory(), 0, t0sz=t0sz, sl0=sl0) == [(level, ROOT, 0)]


def test_concatenated_tables_are_one_long_table():
    """40 bits from level 1: two tables; bit 39 chooses the second."""
    assert steps(Memory(), 1 << 39 | 3 << 30, t0sz=24) == [(1, ROOT + 0x1000 + 3 * 8, 0)]
    assert steps(Memory(), 15 << 30 | 511 << 21, t0sz=30, sl0=0)[0][:2] == (
        2, ROOT + ((15 << 9 | 511) * 8),
    )


def test_an_ipa_beyond_the_size_is_not_walked():
    found = walk.stage2(Memory().read, registers(1 << 40, t0sz=24))
    assert (found.steps, found.problem) == ([], "ipa_above_40_bits")


def test_a_table_outside_memory_is_said():
    found = walk.stage2(Memory({ROOT: 0x90000003}).read, registers(0))
    assert len(found.steps) == 1
    assert found.problem == "no_memory_at_90000000"


@pytest.mark.parametrize("vtcr", [1 << 14, 2 << 14, 1 << 32, 3 << 6])
def test_other_granules_and_52_bits_are_not_walked(vtcr):
    values = registers(0)
    values["VTCR_EL2"] |= vtcr
    assert walk.stage2(Memory().read, values).problem == "not_4k_48_bit_tables"


def test_there_is_no_walk_without_stage_2_or_its_registers():
    assert walk.stage2(Memory().read, registers(0, HCR_EL2=0x80000000)) is None
    for name in ("HPFAR_EL2", "HCR_EL2", "VTTBR_EL2", "VTCR_EL2"):
        values = registers(0)
        del values[name]
        assert walk.stage2(Memory().read, values) is None


@pytest.mark.parametrize("ec, has", [(0x20, True), (0x24, True), (0x16, False), (0x25, False)])
def test_hpfar_belongs_to_aborts_from_below_only(ec, has):
    assert walk.has_ipa(ec << 26 | 1 << 25) is has


def test_el2_without_mmu_sees_physical_addresses():
    assert walk.el2_physical(Memory().read, {"SCTLR_EL2": 0x30C50830}, 0x40001000) == 0x40001000


def test_el2_addresses_are_walked_from_ttbr0():
    """48 bits, four levels, the way KVM has it."""
    address = 0xC309 << 32 | 0x00EF1800
    indices = [address >> shift & 511 for shift in (39, 30, 21, 12)]
    memory = Memory({
        ROOT + indices[0] * 8: MIDDLE | 3,
        MIDDLE + indices[1] * 8: LEAF | 3,
        LEAF + indices[2] * 8: 0x40C00000 | 0x701,
    })
    values = {"SCTLR_EL2": 1, "TCR_EL2": 0x80823510, "TTBR0_EL2": ROOT}
    assert walk.el2_physical(memory.read, values, address) == 0x40CF1800
    del memory[LEAF + indices[2] * 8]
    assert walk.el2_physical(memory.read, values, address) is None
