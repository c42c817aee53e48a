# SPDX-License-Identifier: GPL-2.0-only
"""Unexplained traps in groups: what is alike, what comes nearest, what merely follows."""

import json
import xml.etree.ElementTree

import pytest

from recordings import DOMAINS, HOST, REGISTERS, VM, lines_of


def replay(fhsim, *arguments):
    done = fhsim("replay", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def written(tmp_path, records):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def host(count=120):
    return [json.loads(line) for line in lines_of(HOST)[:count]]


def stores(record, level):
    return [fx for fx in record["fx"] if fx["t"] == "pt_store" and fx["level"] == level]


# --- Departures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trace, departure", [
    (VM, "A14"), (VM, "A15"), (VM, "A7"), (VM, "A45"), (REGISTERS, "A33"), (DOMAINS, "A27")])
def test_a_departure_that_is_left_out_is_nearest_to_what_it_explained(fhsim, trace, departure):
    """One group at least, whose traps it explained alone, would agree with it."""
    found = replay(fhsim, "--without", departure, trace)
    assert found["diverged"] > 0
    nearest = [near for group in found["groups"] for near in group["nearest"]
               if near["kind"] == "departure" and near["id"] == departure]
    assert any("it is left out; with it the model agrees" in near["misses"] for near in nearest)


def test_groups_have_all_unexplained_traps(fhsim):
    found = replay(fhsim, "--without", "A1", VM, REGISTERS, DOMAINS)
    assert sum(group["traps"] for group in found["groups"]) == found["diverged"]
    signatures = [json.dumps(group["signature"]) for group in found["groups"]]
    assert len(set(signatures)) == len(signatures) > 1
    assert all(group["trap"]["trap"] == group["first"] for group in found["groups"])


def test_what_the_model_needs_to_go_on_is_said(fhsim):
    """The condition by which it misses: what the spec's panic asks."""
    found = replay(fhsim, "--without", "A1", REGISTERS)
    group = next(group for group in found["groups"] if group["signature"]["kind"] == "host_npt")
    assert "panic; needs" in group["panic"] and " = " in group["panic"]


def test_the_full_prediction_of_the_spec_is_beside_each_first_trap(fhsim):
    found = replay(fhsim, "--without", "A1", "--show", "1", REGISTERS)
    assert len(found["groups"]) > 1
    assert all(group["trap"]["spec_differences"] for group in found["groups"])


# --- What is alike ------------------------------------------------------------------------------


def test_the_same_difference_on_many_pages_is_one_group_for_each_class(fhsim, tmp_path):
    records = host()
    changed = 0
    for record in records[1:]:
        for store in stores(record, "pte"):
            if int(store["new"], 16) & (1 << 56):
                store["new"] = hex(int(store["new"], 16) ^ (1 << 54))
                changed += 1
    found = replay(fhsim, written(tmp_path, records))
    assert sum(group["traps"] for group in found["groups"]) == found["diverged"] == changed
    assert {group["signature"].pop("call") for group in found["groups"]} == {
        "DABT_LOW", "IABT_LOW"}
    for group in found["groups"]:
        assert group["signature"] == {
            "kind": "host_npt", "function": "NPTWalk.set_npt", "effect": "pt_store pte",
            "field": "new", "relation": "only bits beside an address differ"}
        assert group["following"] == 0


def test_a_rule_of_the_recorder_that_nearly_fits_is_named_with_its_condition(fhsim, tmp_path):
    """L3 is about pages outside of memory; here a page of memory has guest page 0 in the record."""
    records = [json.loads(line) for line in lines_of(VM)]
    read = next(fx for record in records[1:] for fx in record["fx"]
                if fx["t"] == "s2_read" and int(fx["gfn"], 16) not in (0, 2**64 - 1))
    read["gfn"] = "0x0"
    found = replay(fhsim, written(tmp_path, records))
    (group,) = found["groups"]
    (rule,) = [near for near in group["nearest"] if near["kind"] == "rule"]
    assert rule["id"] == "L3"
    assert f"whose index is 0xffffffffffffffff; here it is {read['index']}" in rule["misses"]


MOVED = 0x100000


def mapped_again(text):
    """An address of the device, in a word of the record, where the device is mapped later."""
    return hex(int(text, 16) + MOVED)


def remapping():
    """Records up to one that maps a device, and the same again with another device's pages."""
    records = [json.loads(line) for line in lines_of(VM)]
    at = next(i for i, record in enumerate(records)
              if record.get("hvc", {}).get("name") == "HVC_PHYS_ADDR_IOREMAP")
    again = json.loads(json.dumps(records[at]))
    again["seq"] += 1
    again["fx"] = [fx for fx in again["fx"] if fx["t"] != "vm_set" and fx.get("level") not in (
        "pgd", "pmd")]
    for words in again["in"]["x"], [None, *again["hvc"]["args"]]:
        words[3] = mapped_again(words[3])
    again["hvc"]["args"] = again["in"]["x"][1:6]
    for fx in again["fx"]:
        if fx["t"] == "fn":
            place = 3 if fx["fn"] == "mmap_s2pt" else 2
            fx["args"][place] = mapped_again(fx["args"][place])
        elif fx["t"] == "s2_read":
            fx["pfn"] = hex(int(fx["pfn"], 16) + (MOVED >> 12))
        elif fx["t"] == "pt_store":
            fx.update(old=fx["new"], new=mapped_again(fx["new"]))
    for numbered in again, *again["fx"]:
        for key in "g", "g0", "g1":
            if key in numbered:
                numbered[key] += 100
    return records[:at + 1] + [again]


def test_a_rule_beside_the_spec_that_nobody_foresees_is_a_group_of_its_own(fhsim, tmp_path):
    """A device's page is replaced and the TLB is not told: L13, or unexplained without it."""
    path = written(tmp_path, remapping())
    explained = replay(fhsim, path)
    assert explained["diverged"] == 0 and explained["deviations"]["L13"]["traps"] == 1
    (group,) = replay(fhsim, "--without", "L13", path)["groups"]
    assert group["signature"]["relation"] == "a rule beside the spec is broken"
    assert group["signature"]["field"] == (
        "a device's page or block is replaced without telling the TLB")
    assert group["nearest"] == []


MARK = 0x100000000000000  # of the host's table, where a page is a VM's


def test_a_page_that_is_replaced_before_the_tlb_is_told_is_said(fhsim, tmp_path):
    """A machine whose mark looks like a mapping: the TLB is told, but behind the store."""
    (tmp_path / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: sekvm-4.18\ndialect:\n"
        f"  - {{effect: pt_store, when: {{new: {MARK:#x}}}, says: {{new: new | 1}}}}\n")
    records = [json.loads(line) for line in lines_of(VM)]
    marked = [fx for record in records[1:] for fx in stores(record, "pte")
              if int(fx["new"], 16) == MARK]
    for fx in marked:
        fx["new"] = hex(MARK | 1)
    found = replay(fhsim, "--machine", tmp_path, written(tmp_path, records))
    said = [group for group in found["groups"] if group["signature"]["field"] ==
            "a page or block is replaced, and the TLB is told only behind it"]
    assert sum(group["traps"] for group in said) > 1


def test_a_machine_without_the_entry_of_a_rule_does_not_explain_what_breaks_it(fhsim, tmp_path):
    (tmp_path / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: sekvm-4.18\nwithout: [L13]\n")
    found = replay(fhsim, "--machine", tmp_path, written(tmp_path, remapping()))
    assert [group["signature"]["relation"] for group in found["groups"]] == [
        "a rule beside the spec is broken"]


# --- What follows -------------------------------------------------------------------------------


def test_what_follows_from_a_forged_write_is_marked_and_comes_last(fhsim, tmp_path):
    """A trap's record says another owner than the machine has: where it is read, that follows."""
    records = [json.loads(line) for line in lines_of(VM)]
    later, forged = {}, None
    for record in reversed(records[1:]):
        for fx in reversed(record["fx"]):
            if fx["t"] == "s2_read":
                later[fx["index"]] = record["seq"], fx["owner"]
            elif fx["t"] == "s2_set" and fx["field"] == "owner" and fx["index"] in later:
                seq, owner = later.pop(fx["index"])
                if seq != record["seq"] and owner == fx["new"]:
                    forged = record["seq"], seq, fx
    first, second, fx = forged
    fx["new"] = 3
    found = replay(fhsim, written(tmp_path, records))
    groups = found["groups"]
    assert groups[0]["first"] == f"t#{first}" and groups[0]["following"] == 0
    followers = [group for group in groups if group["following"] == group["traps"]]
    assert followers == groups[-len(followers):]
    assert any(group["first"] == f"t#{second}" and group["follows"] == f"t#{first}"
               for group in followers)


def test_within_a_trap_the_difference_comes_first_and_what_follows_after(fhsim, tmp_path):
    records = host()
    record = next(r for r in records[1:] if stores(r, "pte"))
    for fx in record["fx"]:
        if fx["t"] == "fn" and fx["fn"] == "mmap_s2pt":
            fx["args"][-1] = hex(int(fx["args"][-1], 16) ^ 0x40)
        if fx["t"] == "pt_store" and fx["level"] == "pte":
            fx["new"] = hex(int(fx["new"], 16) ^ 0x40)
    path = written(tmp_path, records)
    differences = replay(fhsim, path)["divergences"][0]["differences"]
    assert [one.get("follows", False) for one in differences] == [False, True] or \
        len(differences) == 2
    text = fhsim("replay", path).stdout
    assert text.index("1 trap, the first t#") < text.index("difference")


# --- Reports ------------------------------------------------------------------------------------


def test_text_has_a_trap_in_full_behind_each_group(fhsim):
    found = replay(fhsim, "--without", "A1", REGISTERS)
    text = fhsim("replay", "--without", "A1", REGISTERS).stdout
    assert f"{found['diverged']} unexplained, in {len(found['groups'])} groups:\n" in text
    places = [text.index(f"the first {group['first']}: ") for group in found["groups"]]
    fulls = [text.index(f"{group['first']} (line ") for group in found["groups"]]
    assert sorted(places + fulls) == [place for pair in zip(places, fulls) for place in pair]


def test_no_trap_is_in_full_where_none_is_wanted(fhsim):
    text = fhsim("replay", "--without", "A1", "--show", "0", REGISTERS).stdout
    assert " unexplained, in " in text and "(line " not in text


def test_junit_has_a_case_for_each_group(fhsim):
    found = replay(fhsim, "--without", "A1", REGISTERS)
    suites = xml.etree.ElementTree.fromstring(
        fhsim("replay", "--without", "A1", "--format", "junit", REGISTERS).stdout)
    cases = suites.findall(".//testcase[@classname='replay.groups']")
    assert [int(case.find("failure").get("message").split()[0]) for case in cases] == [
        group["traps"] for group in found["groups"]]
    assert int(suites.get("tests")) == len(suites.findall(".//testcase"))
    assert int(suites.get("failures")) == len(suites.findall(".//failure"))


def test_a_trace_without_unexplained_traps_has_no_groups(fhsim):
    assert replay(fhsim, HOST)["groups"] == []
    assert "unexplained, in" not in fhsim("replay", HOST).stdout
