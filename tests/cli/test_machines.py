# SPDX-License-Identifier: GPL-2.0-only
"""Machines as described by machine.yaml: what is known of them, and what is said of bad ones."""

import json
import os
import re
import subprocess

import pytest


@pytest.fixture
def check(fhsim, tmp_path):
    """Checks a machine that says this beside its name, and returns what was printed."""

    def run(text, head="machine: mine\ntitle: mine\nextends: sekvm-4.18\nrecognised: {pools: 66}\n"):
        folder = tmp_path / "mine"
        folder.mkdir(exist_ok=True)
        (folder / "machine.yaml").write_text(head + text)
        return fhsim("machine", "check", folder)

    return run


def test_the_c_of_the_machines_of_the_tree_is_what_their_yaml_says(source):
    made = subprocess.run([source / "scripts/compile-machines", os.environ["FHSIM"], "--check"],
                          capture_output=True, text=True)
    assert (made.returncode, made.stdout) == (0, "")


def test_machines_of_the_tree_are_complete(fhsim, source):
    folders = [p.parent for p in (source / "machines").glob("*/machine.yaml")]
    assert len(folders) >= 3
    for folder in folders:
        result = fhsim("machine", "check", folder)
        assert result.returncode == 0, result.stderr


def test_machines_are_listed_with_what_they_extend(fhsim):
    listed = json.loads(fhsim("machines", "--json").stdout)
    assert {m["name"]: m["extends"] for m in listed} == {
        "spec": None, "bodies": "spec", "sekvm-4.18": "bodies", "toy": "spec"}
    text = fhsim("machines").stdout
    assert all(m["title"] in text for m in listed)


def test_a_machine_is_shown_by_name_and_by_folder_alike(fhsim, source):
    by_name = fhsim("machine", "show", "sekvm-4.18")
    by_folder = fhsim("machine", "show", source / "machines/sekvm-4.18")
    assert by_name.returncode == 0
    assert by_name.stdout == by_folder.stdout


def test_by_consequence_the_most_serious_entries_come_first(fhsim):
    shown = fhsim("machine", "show", "sekvm-4.18", "--by", "consequence").stdout
    places = [shown.index(f"\n  {harm}: ") for harm in
              ("confidentiality", "integrity", "availability", "none")]
    assert places == sorted(places)
    entries = json.loads(fhsim("machine", "show", "sekvm-4.18", "--json").stdout)["catalogue"]
    assert all(f"    {entry['id']}: {entry['title']}" in shown for entry in entries)


def test_the_published_findings_are_in_the_catalogue(fhsim):
    entries = json.loads(fhsim("machine", "show", "sekvm-4.18", "--json").stdout)["catalogue"]
    ids = {entry["id"] for entry in entries}
    published = {f"A{n}" for n in range(1, 57)} | {f"E{n}" for n in range(1, 13)}
    assert published | {"B1", "B2", "B3", "C1"} <= ids
    follow = {e["id"] for e in entries if e["kind"] == "consequence"}
    assert {"A16", "A35", "A36", "A47", "A52", "A55"} <= follow
    assert all(entry["evidence"] for entry in entries)


def test_the_page_of_deviations_is_the_catalogue(fhsim, source):
    listed = fhsim("machine", "catalogue", "sekvm-4.18")
    assert listed.returncode == 0
    assert (source / "docs/deviations.md").read_text() == listed.stdout


@pytest.mark.parametrize("text, place, message", [
    ("recognized: {}\n", "5:1", "unknown key of a machine 'recognized'; did you mean 'recognised'?"),
    ("constants: {MAX_VM_NUMM: 5}\n", "5:13",
     "unknown constant 'MAX_VM_NUMM'; did you mean 'MAX_VM_NUM'?"),
    ("constants: {MAX_VM_NUM: many}\n", "5:25",
     "MAX_VM_NUM: 'many' is neither a number nor a constant of profile mine"),
    ("adopted: {ram_bass: x}\n", "5:11",
     "unknown constant or place 'ram_bass'; did you mean 'ram_base'?"),
    ("adopted: {ram_base: \"x + \"}\n", "5:21", "something is missing in 'x + '"),
    ("tables: {levels: 5}\n", "5:18", "levels: 5 is out of range (3 to 4)"),
    ("tables: {next: page}\n", "5:16", "next is an address, an offset or an index"),
    ("hypercalls:\n  NEW: {number: 90, call: map_page_hots(x1)}\n", "6:27",
     "no spec function 'map_page_hots'; did you mean 'map_page_host'?"),
    ("hypercalls:\n  NEW: {number: 90, call: \"map_page_host(x1, x2)\"}\n", "6:27",
     "map_page_host takes 1 arguments, not 2"),
    ("hypercalls:\n  NEW: {number: 90, call: \"clear_vm_page(x1, x2)\"}\n", "6:27",
     "vmid of clear_vm_page has 32 bits: w1, not x1"),
    ("hypercalls:\n  NEW: {number: 90, call: map_page_host(y1)}\n", "6:27",
     "'y1' is no argument: x1 or w1 (its low 32 bits), vmid, vcpuid, or a number"),
    ("hypercalls:\n  NEW: {number: 13, call: map_page_host(x1)}\n", "6:3",
     "NEW and REGISTER_KVM have the same number, 13"),
    ("hypercalls:\n  NEW: {call: map_page_host(x1)}\n", "6:3", "NEW has no number"),
    ("hypercalls:\n  NEW: none\n", "6:3", "there is no call 'NEW' to take away"),
    ("hypercalls:\n  NEW: {number: 90, checks: [vmm(x1)], call: panic()}\n", "6:30",
     "unknown check 'vmm'; did you mean 'vm'?"),
    ("dialect:\n  - {effect: s2_raed, omits: true}\n", "6:14",
     "unknown effect 's2_raed'; did you mean 's2_read'?"),
    ("dialect:\n  - {effect: s2_read, says: {gfm: 0}}\n", "6:30",
     "unknown field of s2_read 'gfm'; did you mean 'gfn'?"),
    ("dialect:\n  - {effect: s2_read}\n", "6:5",
     "a rule has one of: says, leaves_out, omits, before, after"),
    ("not_compared:\n  - {effect: snap}\n", "6:5",
     "'why' is missing: what is not compared has a reason"),
    ("catalogue:\n  K1: {harm: integrity}\n", "6:3", "K1 has no title"),
    ("catalogue:\n  K1: {title: a, harm: integrety}\n", "6:24",
     "unknown harm 'integrety'; did you mean 'integrity'?"),
    ("without: [A99]\n", "5:11", "sekvm-4.18 has no 'A99'"),
])
def test_what_is_wrong_is_told_with_its_place(check, tmp_path, text, place, message):
    result = check(text)
    assert result.returncode == 2
    assert f"{tmp_path}/mine/machine.yaml:{place}: {message}" in result.stderr


def test_all_that_is_wrong_is_told_at_once(check):
    result = check("constants: {NO: 1, NEITHER: 2}\ntables: {levels: 9}\nwithout: [A99]\n")
    assert result.returncode == 2
    assert result.stderr.count("machine.yaml:") == 4


@pytest.mark.parametrize("head", ["", "extends: spek\n", "extends: spec\n"])
def test_all_that_is_missing_is_told_at_once(check, head):
    result = check("foo: 1\n", head=head)
    assert result.returncode == 2
    for what in ("unknown key of a machine 'foo'", "'machine', its name, is missing",
                 "'title' is missing", *(["unknown machine 'spek'"] if "spek" in head else [])):
        assert what in result.stderr


@pytest.mark.parametrize("text, message", [
    ("catalogue:\n  K1: {title: a}\n", "K1 has no evidence"),
    ("hypercalls:\n  NEW: {number: 90, call: panic(), departs: A5x}\n",
     "unknown departure of the catalogue 'A5x'; did you mean 'A5'?"),
    ("hypercalls: {departures: {checks: A99}}\n", "unknown departure of the catalogue 'A99'"),
    ("catalogue:\n  K1: {title: a, follows: \"A1, A1x\", evidence: source}\n",
     "no 'A1x' in the catalogue; did you mean 'A1'?"),
    ("catalogue:\n  K1: {title: a, follows: A1, halts: [map_page_hots], evidence: source}\n",
     "6:39: no spec function 'map_page_hots'; did you mean 'map_page_host'?"),
])
def test_what_a_well_formed_description_lacks_is_told(check, text, message):
    result = check(text)
    assert result.returncode == 1
    assert message in result.stderr


def test_a_machine_that_does_not_say_how_it_is_recognised_is_not_complete(check):
    result = check("", head="machine: mine\ntitle: mine\nextends: sekvm-4.18\n")
    assert result.returncode == 1
    assert "'recognised' is missing" in result.stderr


def test_constants_that_follow_from_others_need_not_be_said(fhsim, check, tmp_path):
    check("constants: {COREVISOR: 33, VCPU_PER_VM: 2, ID_END: 80, REMAP_SIZE: 16M}\n")
    constants = json.loads(fhsim("machine", "show", tmp_path / "mine", "--json").stdout)["constants"]
    # As for the spec, whose COREVISOR is 16: INFO_ID 22, lock_idx_vm_base 21, CTXT_POOL_SIZE 136.
    assert {name: int(constants[name], 16) for name in
            ("INFO_ID", "lock_idx_vm_base", "CTXT_POOL_SIZE", "ID_END", "REMAP_END")} == {
        "INFO_ID": 39, "lock_idx_vm_base": 38, "CTXT_POOL_SIZE": 68, "ID_END": 80,
        "REMAP_END": 0x101000000}


def test_a_machine_may_extend_one_in_the_folder_beside(fhsim, tmp_path):
    for name, text in (("one", "extends: spec\nconstants: {MAX_VM_NUM: 9}\n"),
                       ("two", "extends: one\nconstants: {COREVISOR: 12}\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "machine.yaml").write_text(f"machine: {name}\ntitle: {name}\n{text}")
    shown = fhsim("machine", "show", tmp_path / "two", "--json")
    constants = json.loads(shown.stdout)["constants"]
    assert (constants["MAX_VM_NUM"], constants["COREVISOR"]) == ("0x9", "0xc")


def test_machines_that_extend_each_other_are_refused(fhsim, tmp_path):
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "machine.yaml").write_text(
            f"machine: {name}\ntitle: {name}\nextends: {other}\n")
    result = fhsim("machine", "show", tmp_path / "two")
    assert result.returncode == 2
    assert "machines extend one another more than 8 deep" in result.stderr


def test_an_unknown_machine_suggests_the_nearest(fhsim):
    result = fhsim("machine", "show", "sekvm-4.81")
    assert result.returncode == 2
    assert "did you mean 'sekvm-4.18'?" in result.stderr


# --- infer ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def records(source):
    """The records of a VM that runs."""
    path = source / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
    text = subprocess.run(["zstdcat", path], capture_output=True, check=True, text=True).stdout
    return text.splitlines()


@pytest.fixture
def infer(fhsim, records, tmp_path):
    """What is inferred of the records after `change`, as text, and as a folder that is checked."""

    def run(change=lambda record: None):
        lines = [json.loads(line) for line in records]
        for line in lines:
            change(line)
        trace = tmp_path / "t.jsonl"
        trace.write_text("".join(json.dumps(line) + "\n" for line in lines))
        inferred = fhsim("machine", "infer", trace)
        assert inferred.returncode == 0, inferred.stderr
        folder = tmp_path / "inferred"
        folder.mkdir(exist_ok=True)
        (folder / "machine.yaml").write_text(inferred.stdout)
        checked = fhsim("machine", "check", folder)
        assert checked.returncode == 0, checked.stderr
        return inferred.stdout, folder

    return run


def constants_of(fhsim, folder):
    return json.loads(fhsim("machine", "show", folder, "--json").stdout)["constants"]


def test_of_a_known_machine_nothing_new_is_inferred(infer, fhsim):
    text, folder = infer()
    assert "# Its boot record is one of sekvm-4.18: nothing of it needs a machine of its own." in text
    assert constants_of(fhsim, folder) == constants_of(fhsim, "sekvm-4.18")


def test_calls_under_other_numbers_and_new_calls_are_inferred(infer):
    def change(record):
        if record.get("hvc", {}).get("name") == "HVC_VCPU_RUN":
            record["hvc"]["num"] = 40
        if record.get("hvc", {}).get("name") == "HVC_TIMER_SET_CNTVOFF":
            record["hvc"].update(name="HVC_WIPE", num=41)

    text, _ = infer(change)
    assert "\n  VCPU_RUN: 40\n" in text
    assert '\n  # WIPE: {number: 41, call: "FUNCTION(w1, x2)"}\n' in text


def test_other_values_of_the_boot_record_are_inferred(infer, fhsim):
    def change(record):
        for fx in record["fx"]:
            if fx["t"] == "boot_val" and fx["name"] == "PAGE_S2_DEVICE":
                fx["val"] = "0x40000000000743"
            if fx["t"] == "boot_val" and fx["name"] == "el2_smmu_num":
                fx["name"] = "smmus"

    text, folder = infer(change)
    assert "\n#   PAGE_S2_DEVICE is 0x40000000000743, not 0x40000000000747\n" in text
    assert "\n  smmu_num: none # el2_smmu_num\n" in text
    assert constants_of(fhsim, folder)["PAGE_S2_DEVICE"] == "0x40000000000743"


def test_four_levels_and_pools_that_count_pages_are_inferred(infer, fhsim):
    def change(record):
        added = []
        for fx in record["fx"]:
            if fx["t"] == "vm_set" and fx["field"].endswith("_next"):
                for key in ("old", "new"):
                    fx[key] = hex(int(fx[key], 16) >> 12)
            if fx["t"] == "pt_store" and fx["level"] == "pgd" and fx["vmid"] < 65:
                added.append({**fx, "level": "pud", "g": fx["g"]})
        record["fx"] += added

    text, folder = infer(change)
    assert "\n  levels: 4\n" in text
    assert "\n  next: index\n" in text
    assert constants_of(fhsim, folder)["STAGE2_LEVELS"] == "0x4"


def test_registers_under_other_numbers_are_inferred(infer):
    def change(record):
        for fx in record["fx"]:
            if fx["t"] == "shadow_set" and fx["reg"] in ("DIRTY", "SYS_SCTLR_EL1"):
                fx["idx"] += 100

    text, _ = infer(change)
    registers = text.split("\nregisters:\n")[1].split("  #")[0].split("\n")
    assert sorted(filter(None, registers)) == ["  DIRTY: 145", "  SCTLR_EL1: 150"]


def test_what_a_recorder_never_wrote_is_listed(infer):
    def change(record):
        record["fx"] = [fx for fx in record["fx"] if fx["t"] not in ("tlbi", "percpu")]

    text, _ = infer(change)
    listed = text.split("dialect: [{effect: snap, omits: true}]\n#   ")[1].splitlines()[0].split()
    assert {"tlbi", "percpu"} <= set(listed)
    assert not {"lock", "pt_store", "s2_read"} & set(listed)


@pytest.mark.parametrize("lines, message", [
    (0, "the trace is empty"),
    (1, "a trace begins with the boot record, which has boot_pool effects"),
])
def test_without_a_boot_record_nothing_is_inferred(fhsim, records, tmp_path, lines, message):
    trace = tmp_path / "t.jsonl"
    trace.write_text("".join(line + "\n" for line in records[5:5 + lines]))
    result = fhsim("machine", "infer", trace)
    assert result.returncode == 2
    assert result.stdout == ""
    assert message in result.stderr


# --- The page about machines ------------------------------------------------------------------


def blocks(source, kind):
    page = (source / "docs/machines.md").read_text()
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.S | re.M)


def test_each_example_of_the_page_is_understood(fhsim, source, tmp_path):
    examples = blocks(source, "yaml")
    assert len(examples) >= 13
    for number, example in enumerate(examples):
        head = "" if example.startswith("machine:") else "machine: mine\ntitle: mine\n"
        extends = "" if "extends:" in example else "extends: sekvm-4.18\n"
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "machine.yaml").write_text(head + extends + example)
        result = fhsim("machine", "show", folder)
        assert result.returncode == 0, result.stderr


def test_the_second_kernel_of_the_page_is_complete_and_short(fhsim, source, tmp_path):
    example = blocks(source, "yaml")[-1]
    (tmp_path / "machine.yaml").write_text(example)
    assert "without" in example and len(example.splitlines()) <= 40
    result = fhsim("machine", "check", tmp_path)
    told = "K1 is a departure of the catalogue, and no overlay has a switch for it"
    assert (result.returncode, told in result.stderr) == (1, True), result.stderr


def test_the_toy_of_the_page_is_the_toy(source):
    assert blocks(source, "c overlay") == [(source / "machines/toy/overlay.c").read_text()]
    toy = (source / "machines/toy/machine.yaml").read_text()
    (catalogue,) = [b for b in blocks(source, "yaml") if "T1:" in b]
    assert catalogue in toy


def test_the_page_names_every_key(source):
    page = (source / "docs/machines.md").read_text()
    reader = (source / "sim/machine/read_machine.c").read_text()
    sections = re.findall(r'\{"(\w+)", machine_read_', reader)
    header = (source / "sim/machine/machine.h").read_text()
    places = re.findall(r"\b[PI]\((\w+)\)\s+\\", header)
    checks = re.findall(r"X\((\w+), \"[^\"]*n <", (source / "include/faulthandler/abi.h").read_text())
    assert len(sections) == 12 and len(places) >= 14 and len(checks) >= 11
    missing = [w for w in sections + places + checks if f"`{w}`" not in page]
    assert missing == []
