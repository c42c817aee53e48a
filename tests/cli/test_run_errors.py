# SPDX-License-Identifier: GPL-2.0-only
"""A scenario file that is wrong is refused with its place, before anything runs."""

import pytest

STEPS = "steps:\n  - check: {tstate: 1}\n"


@pytest.fixture
def refuse(fhsim, tmp_path):
    """Checks that a text is refused at a place, and returns the message."""

    def check(text, line, column, words, suggestion=None):
        path = tmp_path / "scenario.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        result = fhsim("run", path)
        assert result.returncode == 2, result.stdout
        message, *quoted = result.stderr.splitlines()
        assert message.startswith(f"{path}:{line}:{column}: "), message
        assert words in message
        if suggestion:
            assert message.endswith(f"did you mean '{suggestion}'?")
        else:
            assert "did you mean" not in message
        if path.read_bytes():
            source_line = path.read_bytes().splitlines()[line - 1].decode(errors="replace")
            shown = quoted[0][quoted[1].index("^"):]
            rest = source_line[column - 1:].replace("\t", " ").replace("\ufffd", "?")
            assert rest.startswith(shown) and bool(rest) == bool(shown)
        assert "1 invalid" in result.stdout
        return message

    return check


def scenario(body):
    return "description: Something happens.\n" + body


# --- YAML -------------------------------------------------------------------------------------


def test_bad_yaml_is_reported_with_its_place(refuse):
    refuse("description: [1, 2\nsteps: []\n", 2, 6, "bad YAML")


def test_a_tab_as_indentation_is_bad_yaml(refuse):
    refuse("steps:\n\t- check: {}\n", 2, 1, "bad YAML")


def test_bytes_that_are_no_utf8_are_refused(refuse):
    refuse(b"description: a\nsteps: \xff\xfe\n", 2, 8, "not UTF-8")


def test_an_empty_file_is_refused(refuse):
    refuse("", 1, 1, "the file is empty")


def test_a_file_of_comments_is_empty(refuse):
    refuse("# nothing\n", 1, 1, "the file is empty")


def test_a_file_that_is_no_map_is_refused(refuse):
    refuse("- 1\n", 1, 1, "a scenario must be a map, not a list")


def test_a_second_document_is_refused(refuse):
    refuse(scenario(STEPS) + "---\nmore: 1\n", 5, 1, "a second document")


def test_duplicate_keys_are_refused(refuse):
    refuse(scenario("machine:\n  cpu: 0\n  cpu: 1\n" + STEPS), 4, 3,
           "duplicate key 'cpu', first in line 3")


def test_an_alias_bomb_is_refused_at_its_first_anchor(refuse):
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n"
        for i in range(9))
    refuse(bomb, 1, 4, "anchors and tags are not supported")


def test_an_alias_is_refused(refuse):
    refuse(scenario("machine: *other\n"), 2, 10, "aliases are not supported")


def test_a_tag_is_refused(refuse):
    refuse("description: !!binary aGk=\n" + STEPS, 1, 14, "anchors and tags")


def test_a_key_that_is_a_list_is_refused(refuse):
    refuse("? [a, b]\n: 1\n", 1, 3, "a key must be")


def test_deep_nesting_is_refused(refuse):
    refuse("a: " + "[" * 100 + "]" * 100 + "\n", 1, 67, "nested more than 64 levels")


def test_very_deep_nesting_is_refused_quickly(fhsim, tmp_path):
    path = tmp_path / "deep.yaml"
    path.write_text("{a: " * 200000)
    assert fhsim("run", path).returncode == 2


def test_a_file_that_is_too_large_is_refused(fhsim, tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("# " + "x" * (4 << 20))
    result = fhsim("run", path)
    assert result.returncode == 2
    assert f"{path}: the file is larger than 4096 KiB" in result.stderr


# --- Keys -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, line, column, words, suggestion", [
    ("descripton: x\n" + STEPS, 1, 1, "unknown key of a scenario 'descripton'", "description"),
    (scenario("machine: {region: []}\n" + STEPS), 2, 11, "key of the machine", "regions"),
    (scenario("machine:\n  regions:\n    - {base: 0, size: 4K, ovner: 1}\n" + STEPS), 4, 27,
     "key of a region", "owner"),
    (scenario("machine: {smmus: [{base: 0, bank: 1}]}\n" + STEPS), 2, 29, "key of an SMMU",
     "banks"),
    (scenario("host: {vcpu: 0}\n" + STEPS), 2, 8, "key of the host", "vcpuid"),
    (scenario("vms: [{vmid: 1, pags: []}]\n" + STEPS), 2, 17, "key of a VM", "pages"),
    (scenario("steps:\n  - chek: {tstate: 1}\n"), 3, 5, "key of a step", "check"),
    (scenario("steps:\n  - call: panic\n    expct: {}\n"), 4, 5, "key of a call", "expect"),
    (scenario("steps:\n  - call: panic\n    expect: {halt: true}\n"), 4, 14,
     "key of 'expect'", "halted"),
    (scenario("steps:\n  - trap: host-npt-fault\n    ipa: 0\n    elr_e2: 0\n"), 5, 5,
     "key or register", "elr_el2"),
])
def test_an_unknown_key_is_refused_with_the_nearest(refuse, text, line, column, words, suggestion):
    refuse(text, line, column, words, suggestion)


def test_a_key_like_no_other_has_no_suggestion(refuse):
    refuse(scenario("zzzzzzzzzz: 1\n" + STEPS), 2, 1, "unknown key of a scenario 'zzzzzzzzzz'")


@pytest.mark.parametrize("text, line, column, words", [
    (STEPS, 1, 1, "needs a 'description'"),
    ("description: x\n", 1, 1, "needs 'steps'"),
    (scenario("machine: {regions: [{size: 4K}]}\n" + STEPS), 2, 21, "needs the key 'base'"),
    (scenario("vms: [{state: 1}]\n" + STEPS), 2, 7, "needs the key 'vmid'"),
    (scenario("steps:\n  - call: panic\n    as: {vcpuid: 1}\n"), 4, 9, "needs the key 'vmid'"),
    (scenario("steps:\n  - trap: host-npt-fault\n"), 3, 5, "'ipa' or 'hpfar'"),
    (scenario("steps:\n  - {name: nothing}\n"), 3, 5, "a step needs one of"),
    (scenario("steps: []\n"), 2, 8, "at least one step"),
])
def test_a_missing_key_is_named(refuse, text, line, column, words):
    refuse(text, line, column, words)


# --- Types and ranges --------------------------------------------------------------------------


@pytest.mark.parametrize("text, line, column, words", [
    ("description: 17\n" + STEPS, 1, 14, "description must be a text, not the number 17"),
    ("description:\n" + STEPS, 1, 13, "description must be a text, not null"),
    (scenario("machine: 3\n" + STEPS), 2, 10, "the machine must be a map, or its name"),
    (scenario("machine: {regions: {base: 0}}\n" + STEPS), 2, 20, "must be a list, not a map"),
    (scenario("machine: {cpu: zero}\n" + STEPS), 2, 16, "'zero' is neither a number"),
    (scenario("machine: {cpu: '0'}\n" + STEPS), 2, 16, "must be a number, not the text"),
    (scenario("machine: {cpu: [0]}\n" + STEPS), 2, 16, "cpu must be a number, not a list"),
    (scenario("host: {mapped: [{pfn: 0, block: 1}]}\n" + STEPS), 2, 33, "true or false"),
    (scenario("steps: {call: panic}\n"), 2, 8, "'steps' must be a list, not a map"),
    (scenario("steps:\n  - call: 7\n"), 3, 11, "call must be a text"),
    (scenario("steps:\n  - call: panic\n    expect: {halted: 1}\n"), 4, 22, "true or false"),
    (scenario("steps:\n  - call: panic\n    expect: {changes: 0}\n"), 4, 23, "must be 'none'"),
    (scenario("steps:\n  - set: 5\n"), 3, 10, "a patch must be a map"),
    (scenario("steps:\n  - check: 5\n"), 3, 12, "must be a map"),
    (scenario("steps:\n  - check: {halt: 1}\n"), 3, 19, "true or false"),
    (scenario("steps:\n  - check: {lock.2: 1}\n"), 3, 21, "a word is needed"),
    (scenario("steps:\n  - check: {shared.npts.0.pt.1: [1, 2]}\n"), 3, 33, "a list of 3 numbers"),
    (scenario("steps:\n  - check: {shared.npts: 1}\n"), 3, 26, "is no single value"),
])
def test_a_wrong_type_is_refused(refuse, text, line, column, words):
    refuse(text, line, column, words)


@pytest.mark.parametrize("text, line, column, words", [
    (scenario("format: 2\n" + STEPS), 2, 9, "format: 2 is out of range (1 to 1)"),
    (scenario("machine: {cpu: 8}\n" + STEPS), 2, 16, "cpu: 8 is out of range (0 to 7)"),
    (scenario("machine: {cpu: -1}\n" + STEPS), 2, 16, "cpu: -1 is out of range"),
    (scenario("machine: {cpu: 99999999999999999999}\n" + STEPS), 2, 16, "is out of range"),
    (scenario("machine: {cpu: 0x10000000000000000}\n" + STEPS), 2, 16, "does not fit 64 bits"),
    (scenario("machine: {cpu: 0 - 1}\n" + STEPS), 2, 16, "does not fit 64 bits"),
    (scenario("machine: {cpu: 16T * 1048576 * 2}\n" + STEPS), 2, 16, "does not fit 64 bits"),
    (scenario("machine: {cpu: 010}\n" + STEPS), 2, 16, "hexadecimal with 0x in front"),
    (scenario("machine: {cpu: 1 +}\n" + STEPS), 2, 16, "no number"),
    (scenario("machine: {cpu: 1 1}\n" + STEPS), 2, 16, "no number"),
    (scenario("machine: {regions: [{base: 1, size: 4K}]}\n" + STEPS), 2, 21, "multiples of a page"),
    (scenario("machine: {regions: [{base: KVM_PHYS_SIZE - 4K, size: 8K}]}\n" + STEPS), 2, 21,
     "beyond KVM_PHYS_SIZE"),
    (scenario("machine: {regions: [{base: 0, size: 17G}]}\n" + STEPS), 2, 21, "16 GiB"),
    (scenario("machine: {regions: [{base: 0, size: 8K}, {base: 4K, size: 8K}]}\n" + STEPS), 2, 42,
     "overlaps"),
    (scenario("machine: {smmus: [{base: 0}, {base: 1M}, {base: 2M}]}\n" + STEPS), 2, 18,
     "more SMMUs than SMMU_NUM (2)"),
    (scenario("vms: [{vmid: 0}]\n" + STEPS), 2, 14, "vmid: 0 is out of range (1 to 15)"),
    (scenario("vms: [{vmid: COREVISOR}]\n" + STEPS), 2, 14, "out of range (1 to 15)"),
    (scenario("vms: [{vmid: 1}, {vmid: 0x1}]\n" + STEPS), 2, 18, "VM 1 is there already"),
    (scenario("vms: [{vmid: 1, vcpus: 9}]\n" + STEPS), 2, 24, "vcpus: 9 is out of range (0 to 8)"),
    (scenario("vms: [{vmid: 1, pages: [{gfn: 0, pfn: 5}]}]\n" + STEPS), 2, 25,
     "page 0x5 is in no region"),
    (scenario("steps:\n  - {trap: host-npt-fault, ipa: 16M}\n"), 3, 33, "beyond HPFAR_MASK (0xffff)"),
    (scenario("steps:\n  - {trap: host-npt-fault, ipa: 0, size: 3}\n"), 3, 5, None),
    (scenario("steps:\n  - {trap: host-npt-fault, ipa: 0, rt: 32}\n"), 3, 40, "rt: 32 is out of range"),
    (scenario("steps:\n  - {trap: host-npt-fault, ipa: 0, x: {31: 0}}\n"), 3, 40, "register: 31"),
    (scenario("steps:\n  - {call: check, args: [0x100000000]}\n"), 3, 26, "n: 0x100000000 is out of"),
    (scenario("steps:\n  - {call: check, args: [1], repeat: 0}\n"), 3, 38, "repeat: 0 is out of"),
    (scenario("steps:\n  - {call: check, args: [1], expect: {result: 0x100000000}}\n"), 3, 47,
     "result: 0x100000000 is out of range"),
    (scenario("state: {shared: {s2page: {0: {s2_owner: 0x100000000}}}}\n" + STEPS), 2, 41,
     "not representable"),
])
def test_a_number_out_of_range_is_refused(refuse, text, line, column, words):
    if words is None:
        refuse(text, line, text.splitlines()[2].index("3}") + 1, "1, 2, 4 or 8 bytes")
    else:
        refuse(text, line, column, words)


def test_a_misspelt_constant_is_refused_with_the_nearest(refuse):
    refuse(scenario("machine: {regions: [{base: 0, size: PAGE_SIZ}]}\n" + STEPS), 2, 37,
           "neither a number nor a constant of profile spec", "PAGE_SIZE")


def test_a_misspelt_constant_in_a_patch_is_refused_with_the_nearest(refuse):
    refuse(scenario("state: {curid: HOSTVISER}\n" + STEPS), 2, 16,
           "neither a number nor a constant of profile spec", "HOSTVISOR")


# --- Names ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, line, column, words, suggestion", [
    (scenario("profile: speck\n" + STEPS), 2, 10, "unknown profile 'speck'", "spec"),
    (scenario("steps:\n  - call: map_page_hots\n"), 3, 11, "unknown function 'map_page_hots'",
     "map_page_host"),
    (scenario("steps:\n  - trap: host-ntp-fault\n"), 3, 11, "unknown trap", "host-npt-fault"),
    (scenario("steps:\n  - {trap: host-npt-fault, ipa: 0, access: raed}\n"), 3, 44,
     "unknown access 'raed'", "read"),
    (scenario("steps:\n  - {call: map_page_host, args: {adr: 1}}\n"), 3, 34,
     "unknown argument 'adr'", "addr"),
    (scenario("steps:\n  - {call: panic, expect: {changes: non}}\n"), 3, 37,
     "unknown value of 'changes'", "none"),
    (scenario("steps:\n  - check: {lock.2: fre}\n"), 3, 21, "'fre'", "free"),
    (scenario("steps:\n  - check: {shared.s2pag.0: {}}\n"), 3, 13, "no field 's2pag' in shared",
     "s2page"),
    (scenario("steps:\n  - check: {shared.npts.0.pt.0.pfm: 1}\n"), 3, 13, "'pfm'", "pfn"),
    (scenario("state: {shred: {}}\n" + STEPS), 2, 9, "no field 'shred' in rdata", "shared"),
    (scenario("steps:\n  - set: {curd: 1}\n"), 3, 11, "no field 'curd'", "curid"),
    (scenario("steps:\n  - {call: panic, expect: {delta: {hal: true}}}\n"), 3, 36,
     "no field 'hal'", "halt"),
    (scenario("oracle: {2: {0: [[1, WAITLOCK, 10]]}}\n" + STEPS), 2, 22, "WAITLOCK", "WAIT_LOCK"),
])
def test_an_unknown_name_is_refused_with_the_nearest(refuse, text, line, column, words, suggestion):
    refuse(text, line, column, words, suggestion)


@pytest.mark.parametrize("args, column, words", [
    ("[]", 33, "map_page_host takes 1 argument (addr), not 0"),
    ("[1, 2]", 33, "map_page_host takes 1 argument (addr), not 2"),
    ("{}", 33, "map_page_host takes 1 argument (addr), not 0"),
    ("5", 33, "'args' must be a list, or a map by name"),
])
def test_a_wrong_number_of_arguments_is_refused(refuse, args, column, words):
    refuse(scenario(f"steps:\n  - {{call: map_page_host, args: {args}}}\n"), 3, column, words)


def test_missing_arguments_are_refused(refuse):
    refuse(scenario("steps:\n  - call: grant_vm_page\n"), 3, 5,
           "grant_vm_page takes 2 arguments (vmid, pfn), not 0")


@pytest.mark.parametrize("step, column, words", [
    ("{call: panic, set: {}}", 5, "a step is a 'call' or a 'set', not both"),
    ("{trap: host-npt-fault, ipa: 0, hpfar: 0}", 33, "'ipa' and 'hpfar' exclude one another"),
    ("{trap: host-npt-fault, ipa: 0, esr: 0, size: 4}", 41, "'esr' says all of"),
    ("{trap: host-npt-fault, ipa: 0, access: execute, rt: 1}", 5, "an instruction fetch has no"),
    ("{call: panic, expect: {result: 0}}", 36, "panic returns no value"),
    ("{trap: host-npt-fault, ipa: 0, expect: {result: 0}}", 53, "returns no value"),
    ("{call: panic, expect: {stuck: true, halted: true}}", 27, "returns and changes nothing"),
    ("{call: panic, expect: {stuck: true, unrepresentable: true}}", 27, "exclude one another"),
    ("{call: panic, expect: {delta: {}, changes: none}}", 27, "exclude one another"),
])
def test_what_contradicts_itself_is_refused(refuse, step, column, words):
    refuse(scenario(f"steps:\n  - {step}\n"), 3, column, words)


def test_a_machine_that_kcore_would_not_build_is_refused(refuse):
    text = scenario("machine: {regions: [{base: 2M, size: 4M}]}\n"
                    "host: {mapped: [{pfn: 0x200, block: true}, {pfn: 0x210}]}\n" + STEPS)
    refuse(text, 3, 44, "KCore would halt on this mapping")


def test_an_error_in_the_last_step_keeps_the_first_from_running(fhsim, tmp_path):
    path = tmp_path / "late.yaml"
    path.write_text(scenario("steps:\n  - call: panic\n  - call: panik\n"))
    result = fhsim("run", "--format", "json", path)
    assert result.returncode == 2
    assert '"steps":0' in result.stdout


# --- Files and usage ----------------------------------------------------------------------------


def test_a_missing_file_is_reported(fhsim, tmp_path):
    result = fhsim("run", tmp_path / "nowhere.yaml")
    assert result.returncode == 2
    assert "nowhere.yaml: cannot open: No such file or directory" in result.stderr


def test_a_folder_without_scenarios_is_reported(fhsim, tmp_path):
    result = fhsim("run", tmp_path)
    assert result.returncode == 2
    assert "no scenarios" in result.stderr


def test_a_bad_file_does_not_keep_the_others_from_running(fhsim, tmp_path):
    (tmp_path / "a.yaml").write_text("steps: {\n")
    (tmp_path / "b.yaml").write_text(scenario(STEPS))
    result = fhsim("run", tmp_path)
    assert result.returncode == 2
    assert "1 passed, 0 failed, 1 invalid" in result.stdout


@pytest.mark.parametrize("arguments, words", [
    ([], "no scenario given"),
    (["--format", "tapp", "x"], "unknown format 'tapp'; did you mean 'tap'?"),
    (["--fromat", "tap", "x"], "--format"),
    (["--format"], "--format"),
])
def test_bad_usage_is_explained(fhsim, arguments, words):
    result = fhsim("run", *arguments)
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stdout == ""
