# SPDX-License-Identifier: GPL-2.0-only
"""What records of a replay say in words: a trap's inputs, and what numbers stand for."""

import json
import re

import pytest

from recordings import HOST, PLAIN, REGISTERS, VM, embedded, lines_of, page


@pytest.fixture
def changed(tmp_path):
    """Makes a trace of the excerpt with a VM, up to a trap, of which `change` is made."""
    def make(change, wanted, lines=None):
        lines = [json.loads(line) for line in (lines or lines_of(VM))]
        at = next(i for i, record in enumerate(lines)
                  if i > 0 and record["kind"] != "gap" and wanted(record))
        change(lines[at])
        path = tmp_path / "changed.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in lines[:at + 1]))
        return path, lines[at]
    return make


def is_call(name):
    return lambda record: (record.get("hvc") or {}).get("name") == name


def writable(fx):
    return fx["t"] == "pt_store" and fx["level"] == "pte" and int(fx["new"], 16) & 0x83 == 0x83


def record_in(fhsim, path):
    """The last divergence, as text and as JSON."""
    text = fhsim("replay", path, "--show", "99").stdout
    (*_, divergence) = json.loads(fhsim("replay", path, "--json").stdout)["divergences"]
    return text, divergence


def set_first(effect, field=None, **fields):
    def change(record):
        next(fx for fx in record["fx"]
             if fx["t"] == effect and field in (None, fx.get("field"))).update(fields)
    return change


set_vcpu_state = set_first("vm_set", "vcpu_state", new="0x2")


def test_a_hypercall_has_its_arguments_by_name(fhsim, changed):
    path, record = changed(set_first("global_set", new="0x5000"), is_call("HVC_SET_BOOT_INFO"))
    text, divergence = record_in(fhsim, path)
    vmid, address, size, *_ = record["hvc"]["args"]
    assert f"in: HVC_SET_BOOT_INFO(vmid = {int(vmid, 16)}, load_addr = {address}, size = {size})" \
        in text
    assert divergence["inputs"]["call"] == "HVC_SET_BOOT_INFO"
    assert divergence["inputs"]["arguments"] == {
        "vmid": vmid, "load_addr": address, "size": size}
    assert divergence["inputs"]["elr"] == record["in"]["elr"]


def test_a_fault_has_its_syndrome_and_address(fhsim, changed):
    path, record = changed(set_first("s2_read", owner=7), lambda r: r["seq"] == PLAIN_SEQ,
                           lines_of(HOST)[:60])
    text, divergence = record_in(fhsim, path)
    registers = record["in"]
    address = int(registers["hpfar"], 16) << 8 | int(registers["far"], 16) & 0xfff
    assert divergence["inputs"]["ipa"] == hex(address)
    for key in "esr", "far", "hpfar", "elr":
        assert divergence["inputs"][key] == registers[key]
    assert f"hpfar {registers['hpfar']} (IPA {address:#x})" in text
    assert f"esr {registers['esr']} ({divergence['inputs']['syndrome']})" in text
    assert divergence["inputs"]["syndrome"].startswith("IABT_LOW (instruction abort from a lower")


PLAIN_SEQ = json.loads(lines_of(HOST)[PLAIN])["seq"]


def test_an_exit_that_is_no_trap_has_no_syndrome(fhsim, changed):
    """What ESR_EL2 holds then is of a trap before."""
    path, _ = changed(set_first("shadow_set", new="0x1234567"),
                      lambda r: r["kind"] == "guest_exit" and r["exit_code"] == 0)
    _, divergence = record_in(fhsim, path)
    assert "esr" not in divergence["inputs"] and "ipa" not in divergence["inputs"]
    assert divergence["inputs"]["vmid"] == "0x1"


def test_states_owners_and_registers_have_their_names(fhsim, changed):
    path, _ = changed(set_vcpu_state, is_call("HVC_VCPU_RUN"))
    text, divergence = record_in(fhsim, path)
    (difference, *_) = [d for d in divergence["differences"] if d.get("field") == "new"]
    assert (difference["model_words"], difference["machine_words"]) == ("ACTIVE", "READY")
    assert "    model: ACTIVE\n    machine: READY\n" in text


def test_a_descriptor_is_shown_with_its_fields(fhsim, changed):
    def write_protect(record):
        fx = next(fx for fx in record["fx"] if writable(fx))
        fx["new"] = hex(int(fx["new"], 16) & ~0x80)
    path, _ = changed(write_protect, lambda record: any(map(writable, record["fx"])))
    text, divergence = record_in(fhsim, path)
    (difference, *_) = [d for d in divergence["differences"] if d.get("field") == "new"]
    assert "read and write" in difference["model_words"]
    assert difference["machine_words"].startswith("page of 4 KiB at 0x")
    assert "read-only" in difference["machine_words"]
    assert f"    machine: {difference['machine_words']}\n" in text


def test_a_function_has_its_arguments_by_name(fhsim, changed):
    def other(record):
        record["fx"].append({"t": "fn", "g": record["g1"] - 1, "fn": "grant_vm_page",
                             "args": ["0x1", "0x44000"]})
    path, _ = changed(other, is_call("HVC_VCPU_RUN"))
    text, divergence = record_in(fhsim, path)
    words = [d.get("machine_words") for d in divergence["differences"]]
    assert "grant_vm_page(vmid = 1, pfn = 0x44000)" in words
    assert "    grant_vm_page(vmid = 1, pfn = 0x44000)\n" in text


def test_the_page_has_inputs_and_words(fhsim, tmp_path, changed):
    path, _ = changed(set_vcpu_state, is_call("HVC_VCPU_RUN"))
    records = embedded(page(fhsim, tmp_path, path))["traces"][0]["records"]
    record = records[-1]["record"]
    assert record["inputs"]["arguments"] == {"vmid": "0x1", "vcpuid": "0x0"}
    assert "READY" in [d.get("machine_words") for d in record["differences"]]


HOSTILE = "\x1b[31m\x9b2J\u202etxt.exe\u2066\x07"


def test_texts_of_a_trace_are_printed_safe(fhsim, changed):
    """A terminal must not obey them, nor show them in another order."""
    def poison(record):
        record["hvc"]["name"] = HOSTILE
        record["fx"].append({"t": "fn", "g": record["g1"] - 1, "fn": HOSTILE, "args": []})
    path, _ = changed(poison, is_call("HVC_SET_BOOT_INFO"))
    for format in "text", "json", "junit":
        out = fhsim("replay", path, "--format", format).stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)
        assert "txt.exe" in out
    divergence = json.loads(fhsim("replay", path, "--json").stdout)["divergences"][0]
    assert divergence["inputs"]["call"] == HOSTILE


def test_a_files_name_is_printed_safe(fhsim, tmp_path):
    path = tmp_path / "a\x1b[2Jb\u202e.jsonl"
    path.write_text("".join(line + "\n" for line in lines_of(HOST)[:5]))
    out = fhsim("replay", path, path).stdout
    assert "a?[2Jb?" in out and "\x1b" not in out


def test_a_panic_says_in_which_function_and_for_want_of_what(fhsim):
    """The machine goes on behind what the spec halts for: unfree VMs' tables, foreign pages."""
    arguments = "replay", REGISTERS, "--explained", "--show", "400"
    divergences = json.loads(fhsim(*arguments, "--json").stdout)["divergences"]
    panics = {(one["spec"], one.get("condition")) for divergence in divergences
              for one in divergence["differences"] if (one["model"] or "").startswith("panic")}
    assert panics == {("MmioOps.el2_free_smmu_pgd", "power == 0"),
                      ("MemManager.update_smmu_page", "vmid == owner && pfn_of(k, iova) == map")}
    assert "    spec: MmioOps.el2_free_smmu_pgd\n    needs: power == 0\n" in \
        fhsim(*arguments).stdout


def test_a_description_inferred_from_strange_names_is_yaml(fhsim, changed):
    """Names of calls stand in it as texts and in comments, and end neither."""
    name = 'X"\n  evil: [1\x1b'

    def poison(record):
        record["hvc"]["name"] = name
    path, record = changed(poison, is_call("HVC_VCPU_RUN"))
    told = fhsim("machine", "infer", path)
    assert told.returncode == 0 and "\x1b" not in told.stdout
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(told.stdout)["hypercalls"]["VCPU_RUN"] == {
        "number": record["hvc"]["num"], "recorded_as": name}
