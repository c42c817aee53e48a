# SPDX-License-Identifier: GPL-2.0-only
"""Translation tables and owners at a point of a scenario or trace."""

import json
import re

import pytest

from recordings import HOST, VM, lines_of

SCENARIO = """\
description: x
machine:
  name: sekvm-4.18
  regions:
    - {base: 0x40000000, size: 8M}
  smmus:
    - {base: 0x100000, owners: {2: 1}}
vms:
  - vmid: 1
    vcpus: 1
    state: READY
    pages:
      - {gfn: 0x50010, pfn: 0x40300}
      - {gfn: 0x50011, pfn: 0x40302, shared: 1}
      - {gfn: 0x50200, pfn: 0x40400, block: true}
steps:
  - {call: map_page_host, args: [0x40000000]}
  - {call: el2_arm_lpae_map, args: {iova: 0x7000, paddr: 0x40010000, prot: 0xc0, cbndx: 2, index: 0}}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(SCENARIO)
    return path


def show(fhsim, *arguments):
    result = fhsim("show", *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


def refusal(fhsim, *arguments):
    result = fhsim("show", *arguments)
    assert result.returncode == 2 and result.stdout == ""
    return result.stderr


# The layout is that of a dump of Linux's (tests/data/field/47-kvm-stage2-ptdump.txt).
GUEST = """\
---[ Guest IPA ]---
0x0000000000000000-0x0000000040000000           1G 1
0x0000000040000000-0x0000000050000000         256M 2
0x0000000050000000-0x0000000050010000          64K 3
0x0000000050010000-0x0000000050012000           8K 3   R W X AF    @
0x0000000050012000-0x0000000050200000        1976K 3
0x0000000050200000-0x0000000050400000           2M 2   R W X AF BLK
0x0000000050400000-0x0000000080000000         764M 2
0x0000000080000000-0x0000010000000000        1022G 1
""".replace("@\n", "\n")


def test_a_vms_table_is_in_the_layout_of_the_kernels_dump(fhsim, scenario):
    assert show(fhsim, scenario, "--stage2", 1) == GUEST


def test_the_layout_is_that_of_a_real_dump(fhsim, source, scenario):
    dump = (source / "tests/data/field/47-kvm-stage2-ptdump.txt").read_text()
    pattern = re.compile(r"0x[0-9a-f]{16}-0x[0-9a-f]{16} {3}[ 0-9]{9}[KMG] \d"
                         r"(   [R ] [W ] [X ] (AF|  ) (BLK|   ))?")
    rows = [row for row in dump.splitlines() + GUEST.splitlines() if row.startswith("0x")]
    assert len(rows) > 10 and all(pattern.fullmatch(row) for row in rows)


def test_what_is_shown_can_be_converted_back(fhsim, scenario, tmp_path):
    for option in ([], ["--long"]):
        dump = tmp_path / "dump.txt"
        dump.write_text(show(fhsim, scenario, "--stage2", 1, *option))
        again = tmp_path / "again.yaml"
        result = fhsim("convert", "--from", "stage2-dump", dump, "-o", again)
        assert result.returncode == 0, result.stderr
        assert show(fhsim, again, "--stage2", 1) == GUEST


def test_long_tells_addresses_owners_and_types(fhsim, scenario):
    out = show(fhsim, scenario, "--stage2", 1, "--long")
    assert "4K 3   R W X AF     ; pa 0x40300000 VM 1, Normal" in out
    assert "; pa 0x40302000 VM 1 shared 1, Normal" in out
    assert "2M 2   R W X AF BLK ; pa 0x40400000 VM 1, Normal" in out


def test_a_point_is_behind_a_step(fhsim, scenario):
    assert " R W " not in show(fhsim, f"{scenario}#0", "--stage2", 0)
    row = "0x0000000040000000-0x0000000040001000           4K 3   R W X AF    "
    assert row in show(fhsim, f"{scenario}#1", "--stage2", 0)
    assert "R W" not in show(fhsim, f"{scenario}#1", "--smmu", "0.2")
    assert "0x0000000000007000-0x0000000000008000           4K 3   R W X AF" in show(
        fhsim, f"{scenario}#2", "--smmu", "0.2")


def test_owners_are_ranges_of_memory(fhsim, scenario):
    rows = show(fhsim, f"{scenario}#0", "--owner").splitlines()
    assert rows[0].split() == ["0x0000000040000000-0x0000000040300000", "3M", "host"]
    assert rows[1].split() == ["0x0000000040300000-0x0000000040301000", "4K", "VM", "1"]
    assert rows[3].split() == ["0x0000000040302000-0x0000000040303000", "4K", "VM", "1", "shared",
                               "1"]


def test_a_walk_is_told_descriptor_by_descriptor(fhsim, scenario):
    out = show(fhsim, scenario, "--stage2", 1, "--walk", "0x50010123")
    assert [line.split(":")[0] for line in out.splitlines()[1:4]] == [
        "level 1", "level 2", "level 3"]
    assert "translated to 0x40300123" in out and "belongs to VM 1" in out
    assert "translation fault, level 2" in show(fhsim, scenario, "--stage2", 1, "--walk",
                                                "0x40000000")


def test_all_of_it_is_json(fhsim, scenario):
    table = json.loads(show(fhsim, scenario, "--stage2", 1, "--json"))
    assert table["ranges"][0] == {
        "begin": "0x50010000", "end": "0x50011000", "level": 3, "pa": "0x40300000",
        "owner": "VM 1", "shared": 0, "read": True, "write": True, "execute": True,
        "accessed": True, "type": "Normal, outer and inner write-back"}
    walk = json.loads(show(fhsim, scenario, "--stage2", 1, "--walk", "0x50010123", "--json"))
    assert walk["pa"] == "0x40300123" and [step["level"] for step in walk["steps"]] == [1, 2, 3]
    owners = json.loads(show(fhsim, scenario, "--owner", "--json"))["owners"]
    assert owners[0]["owner"] == "host"


def mapped(ranges):
    """Physical page by IPA."""
    return {int(each["begin"], 16) + offset: int(each["pa"], 16) + offset
            for each in ranges if "pa" in each
            for offset in range(0, int(each["end"], 16) - int(each["begin"], 16), 4096)}


@pytest.mark.parametrize("recording, vmid", [(HOST, 0), (VM, 0), (VM, 1)])
def test_a_trace_is_shown_as_the_machine_wrote_its_tables(fhsim, recording, vmid):
    """What the machine stored last for an address is what the table has, at the end and before."""
    records = [json.loads(line) for line in lines_of(recording)]
    half = records[len(records) // 2]["seq"]
    for point in (half, records[-1]["seq"]):
        last = {effect["ipa"]: effect["new"] for record in records if record["seq"] <= point
                for effect in record.get("fx", [])
                if effect["t"] == "pt_store" and effect["level"] == "pte"
                and effect["vmid"] == vmid}
        table = json.loads(show(fhsim, f"{recording}#{point}", "--stage2", vmid, "--json"))
        pages = mapped(table["ranges"])
        for ipa, word in last.items():
            word = int(word, 16)
            wanted = word & 0xfffffffff000 if word & 1 else None
            assert pages.get(int(ipa, 16)) == wanted, ipa
        assert vmid == 0 or point == half or last


def test_what_cannot_be_shown_is_refused(fhsim, scenario, tmp_path):
    assert "no step 3: it has 2" in refusal(fhsim, f"{scenario}#3", "--owner")
    assert "'x' is no point" in refusal(fhsim, f"{scenario}#x", "--owner")
    assert "there is no record #99999999" in refusal(fhsim, f"{HOST}#99999999", "--owner")
    assert "what? --stage2 VMID" in refusal(fhsim, scenario)
    assert "one of" in refusal(fhsim, scenario, "--owner", "--stage2", 1)
    assert "is no VM" in refusal(fhsim, scenario, "--stage2", 65)
    assert "is no bank" in refusal(fhsim, scenario, "--smmu", 0)
    assert "is no address" in refusal(fhsim, scenario, "--walk", "here")
    abstract = tmp_path / "b.yaml"
    abstract.write_text("description: x\nmachine: {realisation: abstract}\n"
                        "steps: [{check: {curid: 0}}]\n")
    assert "its tables are maps" in refusal(fhsim, abstract, "--stage2", 0)
    failing = tmp_path / "c.yaml"
    failing.write_text("description: x\nsteps: [{check: {curid: 1}}]\n")
    assert f"{failing}:2: step 1 (check)" in refusal(fhsim, failing, "--owner")
