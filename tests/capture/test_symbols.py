# SPDX-License-Identifier: GPL-2.0-only
"""Symbols of ELF files and of kallsyms, vectors' names, watches."""

import re
import subprocess

import pytest

from fh_capture import CaptureError, symbols, vectors, watch

KALLSYMS = """\
ffff800008010800 T vectors
ffff800008088800 T __kvm_hyp_vector
ffff800008cee000 T __hyp_stub_vectors
ffff800008cf1800 T __kvm_nvhe___kvm_hyp_host_vector
ffff800008cf8800 T __kvm_nvhe___kvm_hyp_vector
ffff800009000000 d watched\t[module]
"""


@pytest.fixture
def kallsyms(tmp_path):
    def load(text=KALLSYMS):
        path = tmp_path / "kallsyms"
        path.write_text(text)
        return symbols.load(path)

    return load


def tables(*arguments):
    return vectors.Tables(vectors.chosen_entries("sync,irq"), *arguments)


def test_kallsyms_text_is_read(kallsyms):
    found = kallsyms()
    assert found.address("__kvm_hyp_vector") == 0xFFFF800008088800
    assert found.address("watched") == 0xFFFF800009000000
    with pytest.raises(CaptureError, match="no symbol other"):
        found.address("other")


def test_a_line_that_is_no_symbol_is_named(kallsyms):
    with pytest.raises(CaptureError, match=r"kallsyms:2:1: "):
        kallsyms("1000 T first\nsecond\n")


def test_kallsyms_without_addresses_is_refused(kallsyms):
    with pytest.raises(CaptureError, match="kptr_restrict"):
        kallsyms("0000000000000000 T first\n")


def test_symbols_of_an_elf_file_are_those_that_nm_prints(image):
    found = symbols.load(image)
    printed = subprocess.run(["aarch64-linux-gnu-nm", image], capture_output=True, text=True)
    names = dict(
        (name, int(address, 16)) for address, _, name in map(str.split, printed.stdout.splitlines())
        if not name.startswith("$")
    )
    assert len(names) > 40
    assert {name: found.address(name) for name in names} == names
    assert found.size("stage2_level3") == 4096


def test_a_damaged_or_stripped_elf_file_is_refused(image, tmp_path):
    data = image.read_bytes()
    damaged = tmp_path / "damaged"
    for content in (data[:3000], data[:40] + b"\xff" * 8 + data[48:], data[:70]):
        damaged.write_bytes(content)
        with pytest.raises(CaptureError, match="damaged"):
            symbols.load(damaged)
    damaged.write_bytes(data[:4] + b"\x01" + data[5:])
    with pytest.raises(CaptureError, match="not a 64-bit"):
        symbols.load(damaged)
    subprocess.run(["aarch64-linux-gnu-strip", "-o", damaged, image], check=True)
    with pytest.raises(CaptureError, match="no symbols"):
        symbols.load(damaged)


def test_physical_addresses_are_those_of_the_segments_but_for_vmlinux():
    found = symbols.Symbols("x", {}, [(0x1000, 0x80001000, 0x100), (1 << 63, 1 << 63, 0x1000)])
    assert found.physical(0x1010) == 0x80001010
    assert found.physical(0x1100) is None
    assert found.physical(1 << 63) is None


def test_the_vectors_stand_where_the_architecture_has_them():
    assert vectors.ENTRIES["cur_sp0_sync"] == 0
    assert vectors.ENTRIES["cur_spx_serror"] == 0x380
    assert vectors.ENTRIES["lower64_sync"] == 0x400
    assert vectors.ENTRIES["lower64_irq"] == 0x480
    assert vectors.ENTRIES["lower32_serror"] == 0x780


def test_kinds_choose_the_lower_levels_and_names_single_vectors():
    assert vectors.chosen_entries("irq,sync") == [
        "lower64_sync", "lower64_irq", "lower32_sync", "lower32_irq",
    ]
    assert vectors.chosen_entries("cur_spx_sync") == ["cur_spx_sync"]
    assert len(vectors.chosen_entries("all")) == 16
    with pytest.raises(CaptureError, match="no vector 'sink'"):
        vectors.chosen_entries("sink")


def test_an_owner_that_is_not_known_is_not_guessed():
    found = tables()
    found.add(0x40080000)
    assert found.breakpoints()[0x40080400] == "lower64_sync"


def test_a_symbol_tells_the_owner_and_where_the_other_tables_are(kallsyms):
    found = tables(kallsyms())
    new = found.add(0xC30900EF1800)
    assert found.breakpoints()[0xC30900EF1C00] == "host_sync"
    assert found.breakpoints()[0xC30900EF8C00] == "guest_sync"
    assert found.breakpoints()[0xC30900EF8C80] == "guest_irq"
    assert found.breakpoints()[0xC30900EF8E00] == "guest_lower32_sync"
    assert [str(table) for table in new].count(
        "0xc30900ef1800 host __kvm_nvhe___kvm_hyp_host_vector") == 1
    assert len(new) == len({table.base for table in new}) == 4
    assert found.add(0xC30900EF8800) == []


def test_the_table_of_one_image_for_host_and_guests_has_no_owner(kallsyms):
    found = tables(kallsyms("ffff800008088800 T __kvm_hyp_vector\n"))
    found.add(0x40088800)
    assert found.breakpoints()[0x40088C00] == "lower64_sync"


def test_an_address_that_two_symbols_fit_is_nobodys(kallsyms):
    found = tables(kallsyms("ffff800008001800 T __kvm_hyp_vector\n"
                            "ffff800008101800 T __kvm_nvhe___kvm_hyp_host_vector\n"))
    found.add(0x40001800)
    assert found.breakpoints()[0x40001C00] == "lower64_sync"


def test_a_table_lies_on_2_kib():
    with pytest.raises(CaptureError, match="not the address of a vector table"):
        tables().add(0x40080400)


@pytest.mark.parametrize("cpsr, is_el2", [(0x3C9, True), (0x3C8, True), (0x3C5, False),
                                          (0x3CD, False), (0x1DA, False)])
def test_only_el2_is_el2(cpsr, is_el2):
    assert vectors.is_el2(cpsr) is is_el2


def test_a_watch_gives_all_words_first_and_then_what_has_changed():
    words = watch.parse_watch("table=0x1000:16")
    assert (words.address, words.length) == (0x1000, 16)
    assert words.changes(bytes(16)) == ["table+0x0=0x0", "table+0x8=0x0"]
    assert words.changes(bytes(8) + b"\x34\x12" + bytes(6)) == ["table+0x8=0x1234"]
    assert words.changes(bytes(8) + b"\x34\x12" + bytes(6)) == []
    assert words.changes(bytes(16)) == ["table+0x8=0x0"]


@pytest.mark.parametrize("text", ["table", "table=1", "table=x:8", "=0:8", "t=0:9", "t=4:8",
                                  "t=0:0", "a,b=0:8", "t=0:0x1000000", "t=0:-8"])
def test_a_malformed_watch_is_refused(text):
    with pytest.raises(CaptureError, match=re.escape("--watch")):
        watch.parse_watch(text)


def test_a_watched_symbol_has_its_size_from_the_file(image, kallsyms):
    found = watch.parse_watch_symbol("stage2_level3", symbols.load(image))
    assert (found.length, found.address % 4096) == (4096, 0)
    assert watch.parse_watch_symbol("stage2_level3:8", symbols.load(image)).length == 8
    with pytest.raises(CaptureError, match="watched:LENGTH"):
        watch.parse_watch_symbol("watched", kallsyms())
    assert watch.parse_watch_symbol("watched:16", kallsyms()).address is None
    with pytest.raises(CaptureError, match="needs --symbols"):
        watch.parse_watch_symbol("watched:16", None)
