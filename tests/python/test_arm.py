# SPDX-License-Identifier: GPL-2.0-only
"""Words of the architecture. Expected values: Arm ARM."""

import pytest

from libfaulthandler import decode


def test_a_syndrome_is_decoded_field_by_field():
    esr = decode(esr=0x93830045)
    assert (esr["EC"], esr["SAS"], esr["SRT"], esr["WnR"], esr["DFSC"]) == (0x24, 2, 3, 1, 5)
    assert "write of 4 bytes from W3, translation fault, level 1" in esr.text
    assert esr.name == "ESR_EL2" and esr.value == 0x93830045


def test_a_syndrome_without_isv_has_other_fields():
    assert "SAS" not in decode(esr=0x92000045)


def test_registers_are_found_with_and_without_their_level():
    assert decode(VTCR_EL2=0x80023558)["T0SZ"] == decode(vtcr=0x80023558)["T0SZ"] == 24
    assert decode(sctlr=1).name == "SCTLR_EL1"
    assert decode(s3_4_c2_c1_0=0x3000000000000)["VMID"] == 3


def test_e2h_chooses_the_form():
    assert decode(cnthctl_el2=2)["EL1PCEN"] == 1
    assert decode(cnthctl_el2=0x800, e2h=True)["EL1PTEN"] == 1


def test_a_descriptor_has_its_address_and_attributes():
    page = decode(pte=0x40000009000747)
    assert (page["address"], page["S2AP"], page["MemAttr"], page["XN"]) == (0x9000000, 1, 1, 2)
    block = decode(pte=0x20000000000701, level=2, granule=0x10000)
    assert "block of 512 MiB" in block.text
    assert dict(decode(pte=0)) == {"address": 0}


def test_a_status_is_said_in_words():
    assert decode(fsc=0x0F).text == "permission fault, level 3"


@pytest.mark.parametrize(
    "arguments, error",
    [({}, TypeError), ({"esr": 1, "far": 2}, TypeError), ({"no_such": 1}, ValueError),
     ({"esr": 1 << 64}, ValueError), ({"esr": -1}, ValueError),
     ({"pte": 1, "granule": 8192}, ValueError)],
)  # fmt: skip
def test_what_cannot_be_decoded_is_an_error(arguments, error):
    with pytest.raises(error):
        decode(**arguments)
