# SPDX-License-Identifier: GPL-2.0-only
"""fhsim machine propose: lines of a machine.yaml that explain what a machine does not."""

import json

import pytest

from recordings import DOMAINS, HOST, VM, lines_of
import test_four_levels
import test_second_kernel


def records_of(path, count=None):
    return [json.loads(line) for line in lines_of(path)[:count]]


def written(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def proposal(fhsim, *arguments):
    done = fhsim("machine", "propose", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def lines(found):
    return {(line["section"], line.get("key", ""), line["value"]) for line in found["lines"]}


# --- Lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("other, folder, bare", [
    (test_second_kernel.OtherKernel, test_second_kernel.FOLDER, "registers"),
    (test_four_levels.OtherLine, test_four_levels.FOLDER, "hypercalls")], ids=["near", "far"])
def test_a_bare_description_is_made_whole(fhsim, tmp_path, other, folder, bare):
    """What no boot record tells of another kernel is found in its traps; put together it explains
    all of them. (Only the first lines of the description are given, up to `bare`.)"""
    kernel = other()
    trace = written(tmp_path / "other.jsonl",
                    [kernel.record(record) for record in records_of(DOMAINS)])
    bare = folder[:folder.index("\n" + bare) + 1]
    assert "dialect" not in bare
    (tmp_path / "machine.yaml").write_text(bare)
    before = fhsim("replay", "--json", "--machine", tmp_path, trace)
    assert json.loads(before.stdout)["diverged"] > 100
    done = fhsim("machine", "propose", "--machine", tmp_path, trace)
    assert (done.returncode, done.stderr) == (1, "")
    (tmp_path / "machine.yaml").write_text(bare + done.stdout)
    after = json.loads(fhsim("replay", "--json", "--machine", tmp_path, trace).stdout)
    own = json.loads(fhsim("replay", "--json", DOMAINS).stdout)
    assert after["diverged"] == own["diverged"] == 0
    assert after["matched"] == own["matched"]
    assert fhsim("machine", "check", tmp_path).returncode == 0


def test_a_constant_is_proposed_where_a_register_has_another_bit(fhsim, tmp_path):
    """VMs run with bit 35 of HCR_EL2 set."""
    records = records_of(VM)
    flags = 0x8078663b
    for record in records[1:]:
        for registers in record["in"], record.get("out", {}):
            if registers.get("hcr") == hex(flags):
                registers["hcr"] = hex(flags | 1 << 35)
    found = proposal(fhsim, written(tmp_path / "t.jsonl", records))
    assert lines(found) == {("constants", "HCR_HYPSEC_VM_FLAGS", hex(flags | 1 << 35))}
    assert found["unexplained"] > 0 and found["left"] == 0 and found["departures"] == []
    (line,) = found["lines"]
    assert line["counter_examples"] == 0
    assert line["support"] == line["traps"]


def test_a_departure_that_the_kernel_lacks_is_proposed_to_be_left_out(fhsim, tmp_path):
    """A kernel whose addresses for images advance as in the spec: without A14."""
    records, stored = records_of(VM), 0
    for record in records[1:]:
        for fx in record["fx"]:
            if fx["t"] == "global_set" and fx["field"] == "last_remap_ptr":
                assert int(fx["old"], 16) == stored == 0
                fx["new"] = hex(int(fx["new"], 16) - 0x100000000)
                stored = 1
    assert stored
    found = proposal(fhsim, written(tmp_path / "t.jsonl", records))
    assert ("without", "", "A14") in lines(found)
    assert found["left"] == 0


def test_a_call_that_is_new_gets_a_row(fhsim, tmp_path):
    """REGISTER_VCPU under a number and a name of its own, its arguments in each other's place."""
    records = records_of(VM)
    (record,) = [one for one in records if one.get("hvc", {}).get("name") == "HVC_REGISTER_VCPU"]
    x = record["in"]["x"]
    x[0], x[1], x[2] = "0x2a", x[2], x[1]
    record["hvc"].update(num=42, name="HVC_ADD_VCPU", args=x[1:6])
    for fx in record["fx"]:
        if fx["t"] == "host_reg_set":
            fx["old"] = "0x2a"
    found = proposal(fhsim, written(tmp_path / "t.jsonl", records))
    ((section, key, value),) = lines(found)
    assert (section, key) == ("hypercalls", "ADD_VCPU")
    assert value.startswith('{number: 42, call: "register_vcpu(w2, w1)", answers: ')
    assert found["left"] == 0


# --- Departures ---------------------------------------------------------------------------------


def test_what_no_line_explains_is_a_departure_with_counter_examples(fhsim, tmp_path):
    """Every third page that is mapped gets another attribute: no rule of a recorder does that."""
    records, changed, alike = records_of(HOST, 160), [], []
    for record in records[1:]:
        stores = [fx for fx in record["fx"] if fx["t"] == "pt_store" and fx["level"] == "pte"]
        if not stores or int(record["in"]["esr"], 16) >> 26 != 0x24:
            continue
        (changed if len(alike) + len(changed) in range(0, 1000, 3) else alike).append(record["seq"])
        if changed and changed[-1] == record["seq"]:
            stores[0]["new"] = hex(int(stores[0]["new"], 16) ^ (1 << 54))
    found = proposal(fhsim, written(tmp_path / "t.jsonl", records))
    assert found["unexplained"] == found["left"] == len(changed) > 3
    assert found["lines"] == []
    (departure,) = found["departures"]
    assert departure["traps"] == len(changed)
    assert departure["first"] == f"t#{changed[0]}"
    assert departure["counter_examples"] == len(alike)
    assert departure["first_counter_example"] == f"t#{alike[0]}"
    assert departure["function"] == "NPTWalk.set_npt" and departure["can_be_overridden"]
    assert all(tried["counter_examples"] > 0 or tried["hides"] for tried in departure["tried"])


def test_the_text_is_yaml_that_names_the_function_and_has_no_switch_yet(fhsim, tmp_path):
    records = records_of(HOST, 60)
    read = next(fx for fx in records[30]["fx"] if fx["t"] == "s2_read")
    read["owner"] = 7
    trace = written(tmp_path / "t.jsonl", records)
    text = fhsim("machine", "propose", trace).stdout
    assert "an overlay" in text and "PageManager.get_pfn_owner in lib/layers" in text
    (tmp_path / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: sekvm-4.18\nrecognised: {call: 6}\n" + text)
    checked = fhsim("machine", "check", tmp_path)
    assert checked.returncode == 1
    assert "P1 is a departure of the catalogue, and no overlay has a switch for it" in checked.stderr


# --- Otherwise ----------------------------------------------------------------------------------


def test_nothing_is_proposed_where_nothing_is_unexplained(fhsim):
    done = fhsim("machine", "propose", HOST)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith("#") or not line for line in done.stdout.splitlines())


def test_what_cannot_be_read_twice_or_is_no_trace_is_refused(fhsim, tmp_path):
    done = fhsim("machine", "propose", "-")
    assert done.returncode == 2 and "standard input" in done.stderr
    path = tmp_path / "t.jsonl"
    path.write_text(lines_of(HOST)[0] + "\n{\n")
    done = fhsim("machine", "propose", path)
    assert done.returncode == 2 and f"{path}:2:" in done.stderr and done.stdout == ""
    assert fhsim("machine", "propose", "--time", "x", HOST).returncode == 2
    assert fhsim("machine", "propose").returncode == 2
