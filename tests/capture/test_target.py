# SPDX-License-Identifier: GPL-2.0-only
"""Registers by their names in the target description."""

import pytest

from fake_stub import FILES
from fh_capture import CaptureError, target


def numbers(files):
    return target.read_registers(lambda annex: files[annex])


def test_registers_are_found_through_includes_and_by_their_own_numbers():
    found = numbers(FILES)
    assert (found["x0"], found["x30"], found["pc"], found["cpsr"]) == (0, 30, 32, 33)
    assert (found["VBAR_EL2"], found["FAR_EL2"]) == (70, 90)


def test_a_register_without_a_number_follows_the_one_before_it():
    assert numbers(FILES)["ESR_EL2"] == 91


def test_numbers_go_on_from_one_file_to_the_next():
    found = numbers({
        "target.xml": '<target><xi:include href="a"/><xi:include href="b"/></target>',
        "a": '<feature><reg name="one"/><reg name="two" regnum="7"/></feature>',
        "b": '<feature><reg name="three"/></feature>',
    })
    assert found == {"one": 0, "two": 7, "three": 8}


def test_a_declared_prefix_is_understood_too():
    found = numbers({
        "target.xml": '<target xmlns:xi="http://www.w3.org/2001/XInclude">'
                      '<xi:include href="a"/></target>',
        "a": '<feature><reg name="one"/></feature>',
    })
    assert found == {"one": 0}


def test_a_description_that_includes_itself_is_refused():
    with pytest.raises(CaptureError, match="includes itself"):
        numbers({"target.xml": '<target><xi:include href="target.xml"/></target>'})


@pytest.mark.parametrize("text", ["", "<target>", '<target><reg name="x" regnum="y"/></target>'])
def test_a_malformed_description_is_refused(text):
    with pytest.raises(CaptureError, match="malformed"):
        numbers({"target.xml": text})


def test_values_are_little_endian_and_as_wide_as_the_stub_gives_them():
    assert target.register_value(b"0100008000000000") == 0x80000001
    assert target.register_value(b"c9030000") == 0x3C9
    assert target.register_value(b"0000000000000000") == 0


@pytest.mark.parametrize("answer", [b"", b"E14", b"xxxxxxxx"])
def test_what_the_stub_does_not_give_has_no_value(answer):
    assert target.register_value(answer) is None


def test_a_malformed_value_is_an_error():
    with pytest.raises(CaptureError):
        target.register_value(b"12zz")


def test_cpus_are_counted_from_the_threads_number():
    assert [target.thread_index(name) for name in ("01", "2", "p01.0a")] == [0, 1, 9]
    with pytest.raises(CaptureError):
        target.thread_index("all")
