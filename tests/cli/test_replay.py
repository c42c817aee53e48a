# SPDX-License-Identifier: GPL-2.0-only
"""fhsim replay, on an excerpt of a trace of the real SeKVM and on corrupted copies of it."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
EXCERPT = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
VM_EXCERPT = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
TRAPS = 2001

# Traps of the excerpt: a page in tables that exist, one that needs a new table, a device page.
PLAIN, NEW_TABLE, DEVICE = 3, 5, 83


@pytest.fixture(scope="session")
def lines():
    return unpack(EXCERPT).splitlines()


def replay(*arguments):
    return subprocess.run([FHSIM, "replay", *map(str, arguments)], capture_output=True, text=True,
                          timeout=120)


def write(tmp_path, lines, name="t.jsonl"):
    path = tmp_path / name
    path.write_text("".join(line + "\n" for line in lines))
    return path


def report(path, *arguments):
    done = replay(path, "--json", *arguments)
    return done, json.loads(done.stdout)


@pytest.fixture
def changed(tmp_path, lines):
    """Replays a copy of the excerpt in which `change` was applied to one record."""

    def run(seq, change, *arguments, upto=120):
        copy = lines[:upto]
        record = json.loads(copy[seq])
        assert record["seq"] == seq
        change(record)
        copy[seq] = json.dumps(record)
        return report(write(tmp_path, copy), *arguments)

    return run


def effect(record, kind, **keys):
    """The first effect of a kind with these values."""
    for fx in record["fx"]:
        if fx["t"] == kind and all(fx[key] == value for key, value in keys.items()):
            return fx
    raise AssertionError(f"no {kind} {keys}")


# --- Good traces --------------------------------------------------------------------------------


def test_every_trap_of_the_excerpt_matches():
    done, found = report(EXCERPT)
    assert done.returncode == 0
    assert (found["traps"], found["matched"]) == (TRAPS, TRAPS)
    assert found["kinds"]["boot"]["matched"] == 1
    assert found["kinds"]["host_npt"]["matched"] == TRAPS - 1
    assert found["divergences"] == []


def test_the_summary_is_for_people():
    done = replay(EXCERPT)
    assert done.returncode == 0
    assert re.search(r"^host_npt +2000 +2000 +0 +0 +0$", done.stdout, re.M)
    assert re.search(r"\d+ traps per second", done.stdout)
    assert done.stdout.endswith("no trap unexplained; all do what the spec says\n")


def test_progress_is_not_shown_in_a_pipe():
    assert replay(EXCERPT).stderr == ""


def test_a_plain_file_and_standard_input_give_the_same_result(tmp_path, lines):
    path = write(tmp_path, lines[:50])
    with open(path) as file:
        piped = subprocess.run([FHSIM, "replay", "-", "--json"], stdin=file, capture_output=True,
                               text=True, timeout=60)
    assert piped.returncode == 0
    assert json.loads(piped.stdout)["matched"] == 50
    assert report(path)[1]["matched"] == 50


@pytest.mark.parametrize("whole", [True, False], ids=["everywhere", "of the record alone"])
@pytest.mark.parametrize("number", [2, 4, 5, 8, 63])
def test_another_number_of_the_cpu_leaves_the_verdict(tmp_path, number, whole):
    """A VM runs on it, its host has no context of its own in the profile, and some share one."""
    records = [json.loads(line) for line in unpack(VM_EXCERPT).splitlines()]
    for record in records:
        record["cpu"] = number
        is_host = {"in": record["kind"] != "guest_exit", "out": record.get("to") == "host"}
        for part in ("in", "out") if whole else ():
            if is_host[part] and "vcpuid" in record.get(part, {}):
                record[part]["vcpuid"] = number
        if whole and record["kind"] == "guest_exit" and is_host["out"] and record["out"]:
            record["out"]["vcpuid"] = number
        if whole and record["kind"] == "host_hvc" and record.get("to") == "guest":
            record["out"].setdefault("vcpuid", 0)
        for fx in record["fx"] if whole else ():
            if fx["t"] == "percpu":
                fx["pcpu"] = number
                fx["vcpu"] = fx["vcpu"] if fx["vmid"] else number
                fx["old_vcpu"] = fx["old_vcpu"] if fx["old_vmid"] else number
    wanted = report(VM_EXCERPT)[1]
    found = report(write(tmp_path, map(json.dumps, records)))[1]
    for count in ("traps", "matched", "explained", "diverged"):
        assert found[count] == wanted[count]


def test_several_traces_are_counted_together(tmp_path, lines):
    path = write(tmp_path, lines[:10])
    done, found = report(path, EXCERPT)
    assert done.returncode == 0
    assert found["matched"] == TRAPS + 10


def test_a_gap_is_not_called_matched(changed):
    done, found = changed(PLAIN, lambda record: record.update(kind="gap"))
    assert done.returncode == 0
    assert (found["matched"], found["not_replayed"]) == (119, 1)
    assert found["kinds"]["gap"]["not_replayed"] == 1


def test_effects_of_a_gap_are_taken_over(changed):
    # What trap 5 did to the pool and the tables is needed by the traps behind it.
    done, found = changed(NEW_TABLE, lambda record: record.update(kind="gap"), upto=300)
    assert done.returncode == 0
    assert (found["matched"], found["not_replayed"]) == (299, 1)


def unexplained(found, seq):
    (divergence,) = [d for d in found["divergences"] if d["trap"] == f"t#{seq}"]
    return [d for d in divergence["differences"] if d["explanation"] == "unexplained"]


def test_an_exception_inside_el2_is_a_difference_with_all_that_it_did(changed):
    done, found = changed(NEW_TABLE, lambda record: record.update(kind="el2_exception"), upto=300)
    assert done.returncode == 1
    assert (found["matched"], found["diverged"], found["not_replayed"]) == (299, 1, 0)
    differences = unexplained(found, NEW_TABLE)
    assert differences[0]["field"] == "status"  # no return leads there
    assert sum((d.get("machine") or "").startswith("pt_store") for d in differences) == 2


def test_a_stay_that_does_not_end_is_a_difference(changed):
    def cut(record):
        record["unfinished"] = True
        record["fx"] = record["fx"][:4]
        for key in ("g1", "to", "out"):
            del record[key]

    done, found = changed(PLAIN, cut)
    assert done.returncode == 1
    assert unexplained(found, PLAIN)[0]["field"] == "unfinished"


# --- Corrupted traces ---------------------------------------------------------------------------


def flip(key, bit):
    """Flip a bit of a value, a number or a hexadecimal word."""

    def change(fx):
        value = fx[key]
        if isinstance(value, str):
            fx[key] = hex(int(value, 16) ^ 1 << bit)
        else:
            fx[key] = value ^ 1 << bit

    return change


def in_effect(kind, change, **keys):
    return lambda record: change(effect(record, kind, **keys))


def remove(kind, **keys):
    return lambda record: record["fx"].remove(effect(record, kind, **keys))


def double(kind, **keys):
    def change(record):
        fx = effect(record, kind, **keys)
        record["fx"].insert(record["fx"].index(fx), dict(fx))

    return change


def exchange_locks(record):
    first, second = effect(record, "lock", lock="s2page"), effect(record, "lock", lock="pt")
    first["lock"], second["lock"] = "pt", "s2page"


def exchange_effects(record):
    fx = record["fx"]
    fx[4], fx[5] = fx[5], fx[4]


def set_result(record):
    effect(record, "fn_ret")["args"][2] = "0x0"


def set_register(record):
    record["out"]["elr"] = hex(int(record["in"]["elr"], 16) + 4)


def set_gpr(record):
    record["out"]["x"] = {"7": "0x1"}


CORRUPTIONS = {
    "owner": (PLAIN, in_effect("s2_read", flip("owner", 1)), "owner"),
    "owner_of_a_device": (DEVICE, in_effect("s2_read", lambda fx: fx.update(owner=0)), "owner"),
    "count": (PLAIN, in_effect("s2_read", flip("count", 0)), "count"),
    "page_read": (PLAIN, in_effect("s2_read", flip("pfn", 0)), "pfn"),
    "index": (PLAIN, in_effect("s2_read", flip("index", 3)), "index"),
    "descriptor_permission": (PLAIN, in_effect("pt_store", flip("new", 6)), "new"),
    "descriptor_mark": (PLAIN, in_effect("pt_store", flip("new", 56)), "new"),
    "descriptor_page": (DEVICE, in_effect("pt_store", flip("new", 12)), "new"),
    "descriptor_before": (PLAIN, in_effect("pt_store", flip("old", 0)), "old"),
    "address_mapped": (PLAIN, in_effect("pt_store", flip("ipa", 13)), "ipa"),
    "address_of_descriptor": (PLAIN, in_effect("pt_store", flip("pa", 3)), "pa"),
    "table_of_vm": (PLAIN, in_effect("pt_store", flip("vmid", 0)), "vmid"),
    "table_entry": (NEW_TABLE, in_effect("pt_store", flip("new", 12), level="pmd"), "new"),
    "table_entry_address": (NEW_TABLE, in_effect("pt_store", flip("pa", 4), level="pmd"), "pa"),
    "pool": (NEW_TABLE, in_effect("vm_set", flip("old", 12)), "old"),
    "arguments": (PLAIN, lambda record: effect(record, "fn", fn="mmap_s2pt")["args"].pop(),
                  "args"),
    "result_of_emulate_mmio": (PLAIN, set_result, "args"),
    "lock_order": (PLAIN, exchange_locks, None),
    "effects_exchanged": (PLAIN, exchange_effects, None),
    "no_ownership_read": (PLAIN, remove("s2_read"), None),
    "no_descriptor": (PLAIN, remove("pt_store"), None),
    "no_unlock": (PLAIN, remove("unlock", lock="s2page"), None),
    "no_table": (NEW_TABLE, remove("vm_set"), None),
    "panic": (PLAIN, lambda record: record["fx"].append(
        {"t": "panic", "g": record["g1"] - 1, "caller": "x", "vmid": 0, "vcpu": 0}), None),
    "doubled_lock": (PLAIN, double("lock", lock="pt"), None),
    "doubled_descriptor": (PLAIN, double("pt_store"), None),
    "register": (PLAIN, set_register, "out.elr"),
    "general_register": (PLAIN, set_gpr, "x7"),
}


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_record_diverges_at_that_trap(changed, name):
    seq, change, field = CORRUPTIONS[name]
    done, found = changed(seq, change)
    assert done.returncode == 1
    assert found["divergences"][0]["trap"] == f"t#{seq}"
    assert found["explained"] == 0
    differences = found["divergences"][0]["differences"]
    assert all(difference["explanation"] == "unexplained" for difference in differences)
    if field:
        assert field in [difference.get("field") for difference in differences]


def test_traps_before_and_behind_a_divergence_still_match(changed):
    _, found = changed(PLAIN, in_effect("s2_read", flip("owner", 1)))
    assert (found["matched"], found["diverged"]) == (119, 1)


def test_the_fault_is_what_the_registers_say(changed):
    def other_page(record):
        record["in"]["hpfar"] = hex(int(record["in"]["hpfar"], 16) + 0x10)

    done, found = changed(PLAIN, other_page)
    assert done.returncode == 1
    fields = {d.get("field") for d in found["divergences"][0]["differences"]}
    assert {"pfn", "ipa", "new"} <= fields


def test_a_divergence_says_what_and_where(tmp_path, lines):
    copy = lines[:10]
    record = json.loads(copy[PLAIN])
    effect(record, "pt_store")["new"] = "0x10000013fefdfbf"
    copy[PLAIN] = json.dumps(record)
    done = replay(write(tmp_path, copy))
    assert done.returncode == 1
    assert "t#3 (line 4): host_npt on CPU 0, 1 difference, unexplained\n" in done.stdout
    assert "new: model 0x10000013fefdfff, machine 0x10000013fefdfbf" in done.stdout
    assert "state: shared.npts.0.pt_pmd_pool.0x50fc17e8\n" in done.stdout
    assert "spec: NPTWalk.set_npt\n" in done.stdout
    assert "unexplained" in done.stdout


def test_show_limits_the_divergences_that_are_printed(tmp_path, lines):
    copy = lines[:40]
    for seq in range(10, 20):
        record = json.loads(copy[seq])
        effect(record, "s2_read")["count"] = 7
        copy[seq] = json.dumps(record)
    path = write(tmp_path, copy)
    assert len(report(path)[1]["divergences"]) == 5
    assert len(report(path, "--show", "2")[1]["divergences"]) == 2
    done, found = report(path, "--show", "0")
    assert (found["diverged"], found["divergences"]) == (10, [])
    assert done.returncode == 1


# --- The boot record ----------------------------------------------------------------------------


def test_a_pool_that_lies_elsewhere_than_the_others_say_is_another_machine(changed):
    def move(record):
        effect(record, "boot_pool", vmid=3)["pmd_pool"] = "0x5e5c1000"

    done, _ = changed(0, move)
    assert done.returncode == 2
    assert "not of a machine sekvm-4.18: the table pools of VM 3" in done.stderr


def test_a_constant_of_another_machine_is_refused_with_what_differs(changed):
    done, _ = changed(0, in_effect("boot_val", lambda fx: fx.update(val="0x7fe"),
                                   name="PAGE_S2_KERNEL"))
    assert done.returncode == 2
    assert "PAGE_S2_KERNEL is 0x7fe" in done.stderr
    assert "fits no machine that is known" in done.stderr


def test_a_trace_of_which_nothing_was_compared_is_bad_input(tmp_path, lines):
    done = replay(write(tmp_path, lines[:1]))
    assert done.returncode == 2
    assert "nothing was compared" in done.stderr


def test_a_verdict_about_nothing_says_so(tmp_path, lines):
    """A file that is not there, one that is empty, one that begins without a boot, a boot alone."""
    for path in (tmp_path / "nowhere", write(tmp_path, [], "empty.jsonl"),
                 write(tmp_path, lines[1:3], "begun.jsonl"), write(tmp_path, lines[:1], "boot.jsonl")):
        done = replay(path)
        assert done.returncode == 2
        assert done.stdout.splitlines()[-1] == "nothing was compared: the input is bad"
        found = json.loads(replay("--json", path).stdout)
        assert (found["verdict"], found["good"]) == ("nothing was compared: the input is bad", False)


def test_what_fails_a_run_can_be_chosen(tmp_path):
    trace = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
    assert replay(trace).returncode == 0
    assert replay(trace, "--fail-on", "explained").returncode == 1
    assert replay(trace, "--fail-on", "integrity,confidentiality").returncode == 1
    assert replay(trace, "--fail-on", "everything").returncode == 2


def test_what_is_not_compared_is_listed_with_the_reason():
    done = replay("--compared")
    assert done.returncode == 0
    assert re.search(r"^  int_gpr_set old: what stands in memory that the host can write", done.stdout,
                     re.M)


RUN = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
HARDWARE = "hcr vtcr ttbr0_el2 elr_el1 sp_el0 sp_el1 spsr_el1 tpidr_el2 vbar_el1".split()


@pytest.mark.parametrize("kind", ["host_hvc", "guest_exit"])
@pytest.mark.parametrize("register", HARDWARE)
def test_each_register_is_compared_when_a_vcpu_is_entered_and_left(tmp_path, kind, register):
    text = subprocess.run(["zstd", "-dc", RUN], capture_output=True, check=True).stdout.decode()
    copy = text.splitlines()
    for number, line in enumerate(copy):
        record = json.loads(line)
        if record["kind"] == kind and record["in"]["vmid"] != record.get("out", {}).get(
                "vmid", record["in"]["vmid"]):
            break
    old = int(record["out"].get(register, record["in"][register]), 16)
    record["out"][register] = hex(old ^ 0x80000)
    copy[number] = json.dumps(record)
    done, found = report(write(tmp_path, copy))
    assert done.returncode == 1
    assert found["divergences"][0]["trap"] == f"t#{record['seq']}"
    assert [d["field"] for d in found["divergences"][0]["differences"]] == ["out." + register]


def test_ownership_at_boot_decides_what_the_host_may_map(changed):
    # KCore's pages are made the host's: the model maps what the machine refuses, and says so.
    def take(record):
        effect(record, "boot_rle", owner=0, start_index="0x583c1")["owner"] = 65

    done, found = changed(0, take)
    assert done.returncode == 1
    assert found["diverged"] > 0


# --- Deviations ---------------------------------------------------------------------------------


def denied_access(lines):
    """A host fault on a page of KCore (owner 65), as this kernel handles it: it panics, goes on."""
    record = json.loads(lines[PLAIN])
    pfn = 0x40bc0 + 0x123
    record["in"]["hpfar"] = hex(pfn << 4)
    effect(record, "fn_ret")["args"][0] = hex(pfn << 12)
    effect(record, "fn", fn="map_page_host")["args"][0] = hex(pfn << 12)
    effect(record, "s2_read").update(pfn=hex(pfn), index=hex(pfn - 0x40000), owner=65)
    fx = record["fx"]
    panic = {"t": "panic", "g": fx[6]["g"], "caller": "map_page_host+0x17c", "vmid": 0, "vcpu": 0}
    record["fx"] = fx[:6] + [panic] + fx[-1:]
    return record


def test_a_denied_access_is_explained_by_the_panic_that_returns(tmp_path, lines):
    copy = lines[:PLAIN] + [json.dumps(denied_access(lines))] + lines[PLAIN + 1:50]
    done, found = report(write(tmp_path, copy))
    assert done.returncode == 0
    assert (found["explained"], found["diverged"], found["matched"]) == (1, 0, 49)
    assert list(found["deviations"]) == ["A1", "A55"]
    assert found["deviations"]["A1"]["first"] == "t#3"


def test_without_its_deviation_a_difference_is_unexplained(tmp_path, lines):
    copy = lines[:PLAIN] + [json.dumps(denied_access(lines))]
    done, found = report(write(tmp_path, copy), "--without", "A1")
    assert done.returncode == 1
    assert (found["explained"], found["diverged"]) == (0, 1)


@pytest.mark.parametrize("change", [
    lambda fx: fx.insert(5, fx.pop()),                              # given back before the panic
    lambda fx: fx[-1].update(lock="smmu"),                          # another lock
    lambda fx: fx.append({"t": "unlock", "g": 212, "lock": "pt", "vmid": 0}),  # one never taken
    lambda fx: fx.pop(6),                                           # no panic at all
    lambda fx: fx.insert(7, {"t": "pt_store", "g": 210, "vmid": 0, "level": "pte",
                             "ipa": "0x40ce3000", "pa": "0x50fc0000", "old": "0x0",
                             "new": "0x100000040ce3fff"}),          # and the page mapped after all
])
def test_a_deviation_covers_no_more_than_it_says(tmp_path, lines, change):
    record = denied_access(lines)
    change(record["fx"])
    done, found = report(write(tmp_path, lines[:PLAIN] + [json.dumps(record)]))
    assert done.returncode == 1
    assert found["diverged"] == 1


# --- Bad input ----------------------------------------------------------------------------------


def refused(path, place, *words):
    done = replay(path, "--json")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}{place}"), done.stderr
    for word in words:
        assert word in done.stderr
    return json.loads(done.stdout)


def test_a_missing_file_is_bad_input(tmp_path):
    refused(tmp_path / "none.jsonl", ":", "No such file")


def test_an_empty_file_is_bad_input(tmp_path):
    refused(write(tmp_path, []), ":1:1: ", "empty")


def test_a_trace_begins_with_the_boot_record(tmp_path, lines):
    found = refused(write(tmp_path, lines[1:10]), ":1:1: ", "boot")
    assert found["traps"] == 0


def test_what_came_before_a_truncated_line_is_reported(tmp_path, lines):
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines[:101])[:-500])
    found = refused(path, ":101:")
    assert (found["matched"], found["bad_input"]) == (100, True)


def test_what_came_before_the_end_of_a_truncated_archive_is_reported(tmp_path):
    path = tmp_path / "t.jsonl.zst"
    path.write_bytes(EXCERPT.read_bytes()[:100000])
    found = refused(path, ":")
    assert 0 < found["matched"] < TRAPS
    assert found["diverged"] == 0


def test_a_corrupt_archive_is_bad_input(tmp_path):
    packed = bytearray(EXCERPT.read_bytes())
    packed[60000:60100] = bytes(100)
    path = tmp_path / "t.jsonl.zst"
    path.write_bytes(packed)
    assert replay(path).returncode == 2


def spoil(record):
    record["fx"][2]["t"] = "unlok"


def spoil_nothing_known(record):
    record["fx"][2]["t"] = "zzzzzzzzzzzzzz"


MALFORMED = {
    "unknown_kind_of_effect": (spoil, ["unknown kind of effect 'unlok'", "'unlock'"]),
    "unheard_of_effect": (spoil_nothing_known, ["unknown kind of effect"]),
    "effect_without_kind": (lambda r: r["fx"][0].pop("t"), ["without `t`"]),
    "effect_without_number": (lambda r: r["fx"][0].pop("g"), ["without `g`"]),
    "missing_field": (lambda r: effect(r, "s2_read").pop("owner"), ["s2_read", "`owner`"]),
    "word_as_number": (lambda r: effect(r, "s2_read").update(pfn=5), ["pfn", "the number 5"]),
    "number_as_word": (lambda r: effect(r, "s2_read").update(owner="0x0"), ["owner"]),
    "not_hexadecimal": (lambda r: effect(r, "pt_store").update(new="0xg1"), ["new", "0xg1"]),
    "too_wide": (lambda r: effect(r, "pt_store").update(new="0x1" + 16 * "0"), ["new"]),
    "effects_not_a_list": (lambda r: r.update(fx={}), ["fx"]),
    "unknown_kind_of_trap": (lambda r: r.update(kind="host_nptt"), ["kind", "'host_npt'"]),
    "no_registers": (lambda r: r.pop("in"), ["`in`"]),
    "too_few_registers": (lambda r: r["in"]["x"].pop(), ["x", "30"]),
    "no_such_register": (lambda r: r["out"].update(x={"31": "0x0"}), ["x"]),
    "unknown_end": (lambda r: r.update(to="nowhere"), ["to", "nowhere"]),
    "no_number": (lambda r: r.pop("seq"), ["`seq`"]),
    "too_wide_a_number": (lambda r: r.update(cpu=1 << 80), ["cpu"]),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_record_is_refused_with_its_place(tmp_path, lines, name):
    change, words = MALFORMED[name]
    copy = lines[:20]
    record = json.loads(copy[PLAIN])
    change(record)
    copy[PLAIN] = json.dumps(record)
    path = write(tmp_path, copy)
    found = refused(path, ":4:", *words)
    assert found["matched"] == 3
    column = int(replay(path).stderr.split(":")[2])
    assert 1 <= column <= len(copy[PLAIN])


@pytest.mark.parametrize("change", [
    lambda r: r.update(fx=[fx for fx in r["fx"] if fx["t"] != "boot_region"]),
    lambda r: r.update(fx=[fx for fx in r["fx"] if fx["t"] != "boot_rle"]),
    lambda r: r["fx"].remove(effect(r, "boot_pool", vmid=0)),
    lambda r: r["fx"].remove(effect(r, "boot_val", name="phys_mem_size")),
    lambda r: effect(r, "boot_rle", owner=65).update(len="0xffffffffffff"),
])
def test_an_incomplete_boot_record_is_refused(tmp_path, lines, change):
    record = json.loads(lines[0])
    change(record)
    refused(write(tmp_path, [json.dumps(record)] + lines[1:5]), ":1:1: ", "boot")


def test_a_bad_file_does_not_keep_the_others_from_being_replayed(tmp_path, lines):
    done = replay(tmp_path / "none.jsonl", write(tmp_path, lines[:10]), "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["matched"] == 10


@pytest.mark.parametrize("arguments", [[], ["--sho"], ["--show"], [EXCERPT, "--show", "some"],
                                       [EXCERPT, "--without", "A99"]])
def test_bad_usage_has_exit_status_2(arguments):
    done = replay(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("fhsim: replay:")


def test_help_is_on_standard_output():
    done = replay("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--without" in done.stdout


# --- The documentation --------------------------------------------------------------------------


def examples(kind):
    text = (SOURCE / "docs/trace-format.md").read_text()
    return re.findall(rf"^```json {kind}\n(.*?)^```$", text, re.M | re.S)


def documented_effects():
    return [json.loads(line) for block in examples("effect") for line in block.splitlines()]


def test_the_documented_record_is_of_the_excerpt(lines):
    record = json.loads(examples("line")[0])
    recorded = json.loads(lines[PLAIN])
    assert record["fx"] == recorded["fx"]
    assert record["in"].items() <= recorded["in"].items()


def test_the_documented_record_matches(tmp_path, lines):
    record = json.dumps(json.loads(examples("line")[0]))
    done, found = report(write(tmp_path, lines[:PLAIN] + [record]))
    assert done.returncode == 0
    assert found["matched"] == PLAIN + 1


def test_every_kind_of_effect_is_documented():
    table = re.search(r"#define FH_TRACE_EFFECT_MAP\(X\)(.*?[^\\])\n",
                      (SOURCE / "include/faulthandler/trace_tables.h").read_text(), re.S).group(1)
    assert {fx["t"] for fx in documented_effects()} == set(re.findall(r"X\((\w+)\)", table))
