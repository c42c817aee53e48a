# SPDX-License-Identifier: GPL-2.0-only
"""Steps that access memory: what they expect, what is told where it does not come, and rules."""

import json

import pytest

HEAD = """\
description: x
machine:
  regions:
    - {base: 2M, size: 8M}
vms:
  - vmid: 1
    vcpus: 1
    pages: [{gfn: 0x50000, pfn: 0x300}]
"""


def play(fhsim, steps, head=HEAD, *options):
    text = head + "steps:\n" + "".join(f"  - {step}\n" for step in steps)
    result = fhsim("run", "--format", "json", *options, "-", stdin=text)
    assert result.returncode in (0, 1), result.stderr
    (scenario,) = json.loads(result.stdout)["scenarios"]
    return scenario


def messages(fhsim, steps, head=HEAD):
    return [failure["message"] for failure in play(fhsim, steps, head)["failures"]]


# A read of 8 bytes into X5 that finds no table at level 0 (Arm ARM, ESR_EL2: EC 0x24, IL, ISV,
# SAS 3, SRT 5, SF, DFSC 0b000100).
ESR = 0x93c58004


def test_fields_of_the_syndrome_are_expected_by_their_names(fhsim):
    step = ("{access: read, address: 0x345000, rt: 5, expect: {fault: {kind: translation, level: 0,"
            f" esr: {ESR}, ISV: 1, SAS: 3, SRT: 5, SF: 1, WnR: 0, DFSC: 4, hpfar: 0x3450}}}}}}")
    assert messages(fhsim, [step]) == []


@pytest.mark.parametrize("expect, message", [
    ("tries: 1", "tries: expected 1, got 2"),
    ("value: 1", "value: expected 1, got 0"),
    ("pa: 0x346000", "pa: expected 0x346000, got 0x345000"),
    ("end: faults", "end: expected faults, got done (after 2 tries)"),
    ("fault: none", "fault: expected none, got translation"),
    ("fault: permission", "fault: expected permission, got translation"),
    ("fault: {SRT: 4}", "fault: SRT: expected 0x4, got 0x0"),
    ("fault: {SRX: 4}", "fault: this syndrome has no field 'SRX'"),
    ("handled: host", "handled: expected host, got kcore"),
    ("stale: true", "stale: expected 1, got 0"),
    ("foreign: true", "foreign: no page of somebody else is accessed"),
])
def test_what_does_not_come_is_told(fhsim, expect, message):
    step = f"{{access: read, address: 0x345000, expect: {{{expect}}}}}"
    assert messages(fhsim, [step]) == [message]


def test_an_access_that_is_never_made_fails_without_an_end(fhsim):
    (message,) = messages(fhsim, ["{access: read, address: 0x1345000}"])
    assert message == "end: expected done, got faults (after 8 tries)"


def test_a_page_of_somebody_else_is_not_touched_in_silence(fhsim):
    steps = ["{set: {shared: {s2page: {0x300: {s2_owner: 2}}}}}",
             "{access: read, by: {vmid: 1}, address: 0x50000000}"]
    assert messages(fhsim, steps) == [
        "foreign: the page at 0x300000 belongs to 2, and is accessed"]


def test_memory_of_the_state_is_what_is_read(fhsim):
    head = HEAD + "state: {memory: {0x300008: 0x1122334455667788}}\n"
    step = ("{access: read, by: {vmid: 1}, address: 0x5000000a, size: 2, "
            "expect: {value: 0x5566}}")
    assert messages(fhsim, [step], head) == []


@pytest.mark.parametrize("step, reason", [
    ("{access: read}", "an access needs the key 'address'"),
    ("{access: load, address: 0}", "unknown access 'load'; did you mean 'read'?"),
    ("{access: read, address: 0, size: 3}", "an access has 1, 2, 4 or 8 bytes"),
    ("{access: read, address: 0, value: 1}", "'value' is what is written"),
    ("{access: read, address: 0, by: guest}", "unknown value of 'by' 'guest'"),
    ("{access: read, address: 0, by: {vcpuid: 0}}", "a vCPU {vmid, vcpuid} or a device"),
    ("{access: read, address: 0, by: {smmu: 0}}", "'by' needs the key 'bank'"),
    ("{access: read, address: 0, answers: [stop]}", "answers to faults of VMs alone"),
    ("{access: read, by: {vmid: 1}, address: 0, answers: [{}]}", "a 'pfn', or else a 'value'"),
    ("{access: read, by: {vmid: 1}, address: 0, answers: [sleep]}", "unknown answer 'sleep'"),
    ("{access: read, address: 0, form: [post]}", "unknown form 'post'"),
    ("{access: read, address: 0, pages: 9999999}", "pages"),
    ("{access: read, address: KVM_ADDR_SPACE - 4K, pages: 2}", "end beyond the address space"),
    ("{call: panic, expect: {tries: 1}}", "'tries' is of an access: this is none"),
    ("{access: read, address: 0, expect: {rules: [none]}}", "unknown rule 'none'"),
])
def test_a_step_that_cannot_be_is_refused_at_its_place(fhsim, step, reason):
    result = fhsim("run", "-", stdin=HEAD + f"steps:\n  - {step}\n")
    assert result.returncode == 2
    assert reason in result.stderr and "<stdin>:10:" in result.stderr


def test_tables_as_maps_are_refused(fhsim):
    text = ("description: x\nmachine: {realisation: abstract}\n"
            "steps: [{access: read, address: 0}]\n")
    result = fhsim("run", "-", stdin=text)
    assert result.returncode == 2 and "'realisation' must be" in result.stderr


def test_the_trace_tells_syndrome_and_walk(fhsim):
    text = HEAD + "steps:\n  - {access: write, address: 0x345678, value: 7, rt: 3}\n"
    out = fhsim("run", "--trace", "-", stdin=text).stdout
    assert "write 0x345678 by the host: done, 2 tries, handled by kcore, PA 0x345678" in out
    assert "ESR 0x93c38044" in out and "write of 8 bytes from X3" in out
    assert "level 3: " in out and "page of 4 KiB at 0x345000" in out


def test_the_trace_is_json_as_well(fhsim):
    scenario = play(fhsim, ["{access: read, address: 0x345000, pages: 20}"], HEAD, "--trace")
    (step,) = scenario["trace"]
    assert len(step["accesses"]) == 16
    assert step["accesses"][0] == {
        "access": "read", "address": "0x345000", "end": "done", "tries": 2, "handled": "kcore",
        "stale": False, "foreign": False, "pa": "0x345000", "value": "0x0",
        "fault": {"kind": "translation", "level": 0, "esr": "0x93c08004", "far": "0x345000",
                  "hpfar": "0x3450"}}


def test_an_access_on_a_machine_that_has_halted_is_not_made_in_silence(fhsim):
    steps = ["{call: panic, expect: {halted: panic}}", "{access: read, address: 0x345000}"]
    assert messages(fhsim, steps) == ["the machine had halted before this access"]
    steps[1] = "{access: read, address: 0x345000, expect: {halted: true}}"
    assert messages(fhsim, steps) == []


# --- Rules ---------------------------------------------------------------------------------------

REMAP = "call: map_pfn_vm, args: {vmid: 1, addr: 0x50000000, pte: 0x301000, level: 3}"


def test_a_step_that_breaks_a_rule_fails_and_says_how(fhsim):
    found = messages(fhsim, [f"{{{REMAP}}}"], HEAD + "rules: always\n")
    assert [message.split(":")[0] for message in found] == [
        "break_before_make", "invalidate_before_unlock"]
    assert "for VM 1, address 0x50000000, 0x300fff became 0x301fff" in found[0]


def test_rules_that_are_expected_must_be_broken(fhsim):
    rules = "expect: {rules: [break_before_make, invalidate_before_unlock]}"
    assert messages(fhsim, [f"{{{REMAP}, {rules}}}"]) == []
    found = messages(fhsim, ["{call: map_page_host, args: [0x345000], " + rules + "}"])
    assert len(found) == 2 and all("is kept" in message for message in found)


@pytest.mark.parametrize("realisation", ["abstract", "both", "concrete"])
def test_rules_see_maps_and_words_alike(fhsim, realisation):
    head = HEAD.replace("machine:\n", f"machine:\n  realisation: {realisation}\n")
    found = messages(fhsim, [f"{{{REMAP}}}"], head + "rules: always\n")
    assert len(found) == 2 and "address 0x50000000" in found[1]
    steps = ["{call: map_page_host, args: [0x345000]}",
             "{call: assign_pfn_to_vm, args: {vmid: 1, gfn: 0x10, pfn: 0x345}}"]
    assert messages(fhsim, steps, head + "rules: always\n") == []
