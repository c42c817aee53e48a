# SPDX-License-Identifier: GPL-2.0-only
"""fhsim run: verdicts, what failures look like, and the formats of reports."""

import json
import re
import xml.etree.ElementTree

import pytest

PASSING = """\
description: "A call that works: it returns <what> it was & given."
steps:
  - call: check
    args: [5]
    expect: {result: 5, changes: none}
"""

FAILING = """\
name: "the #1 failure"
description: Nothing here is as expected.
steps:
  - call: check
    args: [5]
  - name: the <wrong> one
    call: panic
    expect:
      halted: true
      delta: {halt: true, curid: 4}
      state:
        shared.s2page.0x80.s2_owner: HOSTVISOR
        regs.ctxt_regs.x3: 0x10000
  - call: check
    args: [1]
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a_good.yaml").write_text(PASSING)
    (tmp_path / "b_bad.yaml").write_text(FAILING)
    return tmp_path


def failures_of(fhsim, tmp_path, steps, head=""):
    """The messages of a scenario with these steps, which must fail."""
    path = tmp_path / "scenario.yaml"
    path.write_text(f"description: x\n{head}steps:\n{steps}")
    result = fhsim("run", "--format", "json", path)
    assert result.returncode == 1, result.stderr + result.stdout
    (scenario,) = json.loads(result.stdout)["scenarios"]
    return [failure["message"] for failure in scenario["failures"]]


# --- Verdicts ---------------------------------------------------------------------------------


def test_a_scenario_as_expected_passes(fhsim, files):
    result = fhsim("run", files / "a_good.yaml")
    assert result.returncode == 0
    assert result.stderr == ""
    assert result.stdout == (
        "ok    a_good: A call that works: it returns <what> it was & given.\n"
        "1 scenario: 1 passed, 0 failed; 1 steps\n")


def test_a_failure_names_place_step_path_expected_and_found(fhsim, files):
    result = fhsim("run", files / "b_bad.yaml")
    path = files / "b_bad.yaml"
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "FAIL  the #1 failure: Nothing here is as expected.",
        f"      {path}:10: step 2 (the <wrong> one): delta: curid: expected 4, got 0",
        f"      {path}:12: step 2 (the <wrong> one): shared.s2page.0x80.s2_owner: "
        "expected HOSTVISOR, got INVALID",
        f"      {path}:13: step 2 (the <wrong> one): regs.ctxt_regs.x3: expected 0x10000, got 0",
        "1 scenario: 0 passed, 1 failed; 2 steps",
    ]


def test_a_folder_is_played_in_the_order_of_names_with_the_folders_in_it(fhsim, files):
    (files / "aa").mkdir()
    (files / "aa" / "z.yaml").write_text(PASSING)
    (files / "notes.txt").write_text("no scenario")
    result = fhsim("run", files)
    names = [line.split()[1] for line in result.stdout.splitlines() if line[:2] in ("ok", "FA")]
    assert names == ["a_good:", "z:", "the"]


def test_standard_input_is_a_scenario(fhsim):
    result = fhsim("run", "-", stdin=PASSING)
    assert result.returncode == 0
    assert result.stdout.startswith("ok    stdin: ")


# --- What is not expected fails -----------------------------------------------------------------


def test_an_unexpected_halt_fails(fhsim, tmp_path):
    (message,) = failures_of(fhsim, tmp_path, "  - call: panic\n")
    assert message.startswith("the machine halted, which is not expected: AbstractMachine.panic: panic")


VM_PAGE = """\
description: x
machine:
  regions:
    - {base: 2M, size: 8M}
state: {shared: {s2page: {0x300: {s2_owner: 1}}}}
steps:
  - {call: map_page_host, args: [0x300000], expect: {halted: WHERE}}
"""


@pytest.mark.parametrize("where", [
    "true", "map_page_host", "MemManager.map_page_host", "count > 0",
    "{function: map_page_host}", "{condition: owner == host}",
    "{function: MemManager.map_page_host, condition: count > 0}"])
def test_a_halt_can_be_expected_by_condition_and_by_function(fhsim, where):
    assert fhsim("run", "-", stdin=VM_PAGE.replace("WHERE", where)).returncode == 0


@pytest.mark.parametrize("where", [
    "map_page", "MemManager", "count > 1", "{function: map_s2pt}",
    "{function: map_s2pt, condition: count > 0}",
    "{function: map_page_host, condition: count > 1}"])
def test_a_halt_elsewhere_fails_with_where_it_was(fhsim, where):
    result = fhsim("run", "-", stdin=VM_PAGE.replace("WHERE", where))
    assert result.returncode == 1
    assert "halted elsewhere: expected '" in result.stdout
    assert "got MemManager.map_page_host: panic; needs " in result.stdout
    assert "owner = 1, count = 0" in result.stdout


def test_a_halt_before_the_step_is_none_in_it(fhsim):
    result = fhsim("run", "-", stdin=VM_PAGE.replace("WHERE", "map_page_host") + (
        "  - {call: map_page_host, args: [0x300000], expect: {halted: map_page_host}}\n"))
    assert result.returncode == 1
    assert "the machine had halted before this step" in result.stdout


def test_a_trace_says_why_kcore_panics(fhsim):
    result = fhsim("run", "--trace", "-", stdin=VM_PAGE.replace("WHERE", "map_page_host"))
    [line] = [line for line in result.stdout.splitlines() if "PANIC" in line]
    assert "MemManager.map_page_host: panic; needs " in line
    result = fhsim("run", "--trace", "--format", "json", "-",
                   stdin=VM_PAGE.replace("WHERE", "map_page_host"))
    effects = json.loads(result.stdout)["scenarios"][0]["trace"][0]["effects"]
    [panic] = [effect for effect in effects if effect["effect"] == "PANIC"]
    assert "count > 0" in panic["reason"]


def test_an_expected_halt_that_does_not_come_fails(fhsim, tmp_path):
    assert failures_of(fhsim, tmp_path, "  - {call: check, args: [1], expect: {halted: true}}\n") == [
        "the machine goes on, but must halt"]


def test_a_machine_that_is_halted_already_may_stay_so(fhsim, tmp_path):
    path = tmp_path / "halted.yaml"
    path.write_text("description: x\nstate: {halt: true}\nsteps:\n  - call: panic\n")
    assert fhsim("run", path).returncode == 0


def test_an_unexpected_stuck_call_fails_with_its_condition(fhsim, tmp_path):
    (message,) = failures_of(fhsim, tmp_path, "  - {call: map_page_host, args: [KVM_PHYS_SIZE]}\n")
    assert "MemManager.map_page_host: stuck" in message
    assert "is_paddr" in message
    assert "addr = 0x10000000000" in message


def test_a_call_that_is_not_stuck_as_expected_fails(fhsim, tmp_path):
    assert failures_of(fhsim, tmp_path, "  - {call: check, args: [1], expect: {stuck: true}}\n") == [
        "not stuck, though that is expected"]


def test_a_call_that_is_stuck_elsewhere_fails(fhsim, tmp_path):
    (message,) = failures_of(
        fhsim, tmp_path,
        "  - {call: map_page_host, args: [KVM_PHYS_SIZE], expect: {stuck: is_vmid}}\n")
    assert message.startswith("stuck elsewhere: expected 'is_vmid', got MemManager.map_page_host")


@pytest.mark.parametrize("where", ["true", "is_paddr", "map_page_host", "MemManager.map_page_host"])
def test_stuck_can_be_expected_by_condition_and_by_function(fhsim, tmp_path, where):
    path = tmp_path / "stuck.yaml"
    path.write_text("description: x\nsteps:\n"
                    f"  - {{call: map_page_host, args: [KVM_PHYS_SIZE], expect: {{stuck: {where}}}}}\n")
    assert fhsim("run", path).returncode == 0


def test_a_value_that_fits_is_not_unrepresentable(fhsim, tmp_path):
    (message,) = failures_of(
        fhsim, tmp_path, "  - {call: check, args: [1], expect: {unrepresentable: true}}\n")
    assert "expected to have none" in message


def test_another_result_fails(fhsim, tmp_path):
    assert failures_of(fhsim, tmp_path, "  - {call: check, args: [16], expect: {result: 17}}\n") == [
        "result: expected 0x11, got 0x10"]


def test_a_change_that_is_not_expected_fails(fhsim, tmp_path):
    assert failures_of(
        fhsim, tmp_path, "  - {call: panic, expect: {halted: true, changes: none}}\n") == [
            "changed: halt: expected false, got true"]


def test_a_delta_must_be_whole(fhsim, tmp_path):
    step = "  - {call: panic, expect: {halted: true, delta: {tstate: 1}}}\n"
    assert failures_of(fhsim, tmp_path, step) == ["delta: halt: expected false, got true"]


def test_a_log_in_a_delta_is_compared(fhsim, tmp_path):
    step = "  - {call: acquire_lock_core, expect: {delta: {tstate: 0, lock: {1: own}, log: {}}}}\n"
    (message,) = failures_of(fhsim, tmp_path, step)
    assert message.startswith("delta: log.CORE_ID: expected 0 events")


def test_repeated_calls_stop_at_the_first_that_fails(fhsim, tmp_path):
    steps = ("  - {call: fetch_from_doracle, args: [1, 5, 1], repeat: 3, "
             "expect: {state: {data_log.1: 3}}}\n"
             "  - {call: panic, repeat: 5}\n")
    (message,) = failures_of(fhsim, tmp_path, steps)
    assert message.startswith("the machine halted, which is not expected")


def test_many_differences_are_capped(fhsim, tmp_path):
    values = ", ".join(f"shared.flatmem.{i}: 1" for i in range(100))
    assert len(failures_of(fhsim, tmp_path, f"  - check: {{{values}}}\n")) == 12


@pytest.mark.parametrize("step, message", [
    ("check: {bars: needed}", "bars: expected needed, got valid"),
    ("check: {lock.2: own}", "lock.2: expected own, got free"),
    ("check: {ihost: false}", "ihost: expected false, got true"),
    ("check: {cur_vcpuid: -1}", "cur_vcpuid: expected -1, got 0"),
    ("check: {shared.npts.0.pt.7: [1, 3, 0x7fff]}",
     "shared.npts.0.pt.7: expected [1, 3, 0x7fff] (page of 4 KiB at 0x7000: read and write, "
     "executable at EL1 and EL0, Normal, outer and inner write-back, inner shareable, FnXS), "
     "got [0, 0, 0]"),
    ("check: {shared: {npts: {0: {pt: {7: {pte: 1}}}}}}",
     "shared.npts.0.pt.7.pte: expected 1, got 0"),
    ("check: {shared.npts.0.pmd_t.1.2.3: true}",
     "shared.npts.0.pmd_t.1.2.3: expected true, got false"),
    ("check: {log.S2PAGE_ID.length: 1}", "log.S2PAGE_ID.length: expected 1, got 0"),
])
def test_values_of_every_type_can_be_checked(fhsim, tmp_path, step, message):
    assert failures_of(fhsim, tmp_path, f"  - {step}\n") == [message]


# --- Numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text, value", [
    ("0x1F", 31), ("4K", 4096), ("2M", 1 << 21), ("1G", 1 << 30), ("1T", 1 << 40),
    ("PAGE_SIZE", 4096), ("1 + 2 * 3", 7), ("10 - 2 - 3", 5), ("1 + 2 | 8 + 4", 15),
    ("0xffffffffffffffff", 2**64 - 1), ("18446744073709551615", 2**64 - 1), ("INVALID64", 2**64 - 1),
])
def test_numbers_are_read_as_people_write_them(fhsim, tmp_path, text, value):
    path = tmp_path / "numbers.yaml"
    path.write_text(f"description: x\nstate: {{tstate: {text}}}\nsteps:\n"
                    f"  - check: {{tstate: {value}}}\n  - {{call: check64, args: [{text}], "
                    f"expect: {{result: {value}}}}}\n")
    result = fhsim("run", path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_constants_are_those_of_the_profile(fhsim, tmp_path):
    path = tmp_path / "profile.yaml"
    for profile, end in (("spec", 16), ("sekvm-4.18", 65)):
        path.write_text(f"description: x\nprofile: {profile}\nstate: {{curid: COREVISOR}}\nsteps:\n"
                        f"  - check: {{curid: {end}}}\n")
        assert fhsim("run", path).returncode == 0


def test_regions_give_their_pages_an_owner_and_a_gfn(fhsim):
    text = """\
description: x
machine:
  regions:
    - {base: 2M, size: 8K}
    - {base: 4M, size: 8K, owner: COREVISOR}
    - {base: 6M, size: 4G, gfn: 0}
steps:
  - check:
      shared.s2page.0x1ff: {s2_owner: INVALID, s2_gfn: INVALID64}
      shared.s2page.0x200: {s2_owner: HOSTVISOR, s2_gfn: 0x200 + SMMU_HOST_OFFSET}
      shared.s2page.0x401: {s2_owner: COREVISOR, s2_gfn: INVALID64}
      shared.s2page.0x402: {s2_owner: INVALID}
      shared.s2page.0x100200: {s2_owner: HOSTVISOR, s2_gfn: 0}
      shared.s2page.0x1005ff.s2_owner: HOSTVISOR
      shared.s2page.0x100600.s2_owner: INVALID
      regions: {1: {mb_base: 4M, mb_size: 8K, mb_index: 2}, 2: {mb_index: 4}}
"""
    result = fhsim("run", "-", stdin=text)
    assert result.returncode == 0, result.stdout + result.stderr


# --- Formats ----------------------------------------------------------------------------------


def test_tap_has_plan_numbers_and_diagnostics(fhsim, files):
    result = fhsim("run", "--format", "tap", files)
    lines = result.stdout.splitlines()
    assert result.returncode == 1
    assert lines[:2] == ["TAP version 13", "1..2"]
    assert lines[2].startswith("ok 1 - a_good: A call that works")
    assert lines[3] == "not ok 2 - the \\#1 failure: Nothing here is as expected."
    assert lines[4] == "  ---" and lines[-1] == "  ..."
    yaml = pytest.importorskip("yaml")
    diagnostics = yaml.safe_load("\n".join(line[2:] for line in lines[5:-1]))
    assert diagnostics["file"] == str(files / "b_bad.yaml")
    assert [failure["line"] for failure in diagnostics["failures"]] == [10, 12, 13]
    assert diagnostics["failures"][0]["message"] == "delta: curid: expected 4, got 0"


def test_tap_says_which_file_is_invalid(fhsim, files):
    (files / "c.yaml").write_text("steps: {}\n")
    result = fhsim("run", "--format", "tap", files)
    assert result.returncode == 2
    assert result.stdout.splitlines()[-1] == (
        "not ok 3 - c: 1:1: a scenario needs a 'description': what happens in it, in a sentence")


def test_junit_is_xml_with_counts_failures_and_errors(fhsim, files):
    (files / "c.yaml").write_text("a: &b 1\n")
    result = fhsim("run", "--format", "junit", files)
    assert result.returncode == 2
    root = xml.etree.ElementTree.fromstring(result.stdout)
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("errors")) == (
        "testsuites", "3", "1", "1")
    (suite,) = root
    good, bad, invalid = suite
    assert good.get("name") == "a_good" and len(good) == 0
    assert bad.get("file") == str(files / "b_bad.yaml")
    assert bad.find("failure").get("message") == "delta: curid: expected 4, got 0"
    assert "(the <wrong> one): regs.ctxt_regs.x3" in bad.find("failure").text
    assert invalid.find("error").get("message") == "1:4: anchors and tags are not supported"


def test_json_has_everything(fhsim, files):
    (files / "c.yaml").write_text("")
    result = fhsim("run", "--format", "json", files)
    assert result.returncode == 2
    report = json.loads(result.stdout)
    assert (report["passed"], report["failed"], report["invalid"], report["steps"]) == (1, 1, 1, 3)
    good, bad, invalid = report["scenarios"]
    assert good == {
        "name": "a_good", "file": str(files / "a_good.yaml"), "verdict": "passed", "steps": 1,
        "description": "A call that works: it returns <what> it was & given.", "failures": []}
    assert bad["failures"][0] == {"step": 2, "line": 10, "title": "the <wrong> one",
                                  "message": "delta: curid: expected 4, got 0"}
    assert invalid["error"] == "1:1: the file is empty"


FAULT = """\
description: A fault.
machine: {regions: [{base: 2M, size: 4K}]}
host: {mapped: [{pfn: 0x200}]}
steps:
  - {trap: host-npt-fault, ipa: 0x200000}
  - {call: map_page_host, args: [KVM_PHYS_SIZE], expect: {stuck: true}}
  - set: {curid: 3}
"""


def test_a_trace_shows_effects_in_order_and_changes(fhsim):
    lines = fhsim("run", "--trace", "-", stdin=FAULT).stdout.splitlines()
    steps = [i for i, line in enumerate(lines) if line.startswith("  step ")]
    first = [line.split() for line in lines[steps[0] + 1:steps[1]]]
    locks = [words for words in first if words[0] in ("LOCK", "UNLOCK")]
    assert locks == [["LOCK", "smmu"], ["UNLOCK", "smmu"], ["LOCK", "s2page"], ["LOCK", "npt", "0"],
                     ["UNLOCK", "npt", "0"], ["UNLOCK", "s2page"]]
    wanted = ["NPT_SET", "vmid=0", "addr=0x200000", "level=3", "pte=0x200fff"]
    assert wanted in [words[:5] for words in first]
    assert lines[steps[1] + 1].split()[:2] == ["CALL", "map_page_host"]
    assert "needs is_paddr" in lines[steps[1] + 2]
    assert lines[steps[2] + 1].strip() == "~ curid: 0 -> 3"


def test_a_trace_says_syndromes_and_descriptors_in_words(fhsim):
    story = FAULT.replace("ipa: 0x200000}", "ipa: 0x200000, access: write}")
    lines = fhsim("run", "--trace", "-", stdin=story).stdout.splitlines()
    (access,) = [line for line in lines if "EMULATE_MMIO" in line]
    assert "(DABT_LOW (data abort from a lower level): write" in access
    mapped = [line for line in lines if "NPT_SET" in line]
    assert any("(page of 4 KiB at 0x200000: read and write, " in line for line in mapped)


def test_a_trace_names_the_registers_of_a_vcpu(fhsim, source):
    story = source / "scenarios/vcpu/good_dirty_registers_all_get_the_first_value.yaml"
    lines = fhsim("run", "--trace", story).stdout.splitlines()
    written = [line.split() for line in lines if line.split()[:1] == ["SHADOW_SET"]]
    assert written
    assert all(words[-1].startswith("(") for words in written)


def test_a_trace_in_json_has_effects_and_changes(fhsim):
    result = fhsim("run", "--trace", "--format", "json", "-", stdin=FAULT)
    trace = json.loads(result.stdout)["scenarios"][0]["trace"]
    assert trace[0]["effects"][0] == {"effect": "LOCK", "lock": "0x4", "text": "smmu"}
    assert trace[0]["stuck"] is None and "is_paddr" in trace[1]["stuck"]
    assert trace[2]["changes"] == [{"path": "curid", "before": "0", "after": "3"}]


TOLD = """
description: Numbers of every kind that a trace tells of.
machine:
  regions:
    - {base: 2M, size: 8M}
vms:
  - {vmid: 1, vcpus: 1, pages: [{gfn: 0x10, pfn: 0x300}]}
steps:
  - {trap: vcpu-run, vmid: 1, map: {ipa: 0x20000, pfn: 0x301}}
"""


def test_a_trace_names_functions_arguments_fields_and_states(fhsim):
    lines = [line.strip() for line in
             fhsim("run", "--trace", "-", stdin=TOLD).stdout.splitlines()]
    text = "\n".join(re.sub(r" +", " ", line) for line in lines)
    for told in ("LOCK vm 1", "VM_SET vmid=1 field=vcpu_state sub=0 new=ACTIVE",
                 "DATA_READ vmid=1 n=1 value=0x20000 what=fault_addr vcpuid=0 index=0",
                 "CALL assign_pfn_to_vm vmid=1 gfn=0x20 pfn=0x301",
                 "S2_SET pfn=0x301 field=owner old=HOSTVISOR new=1",
                 "~ shared.vminfos.1.VS.vm_vcpu_state.0: READY -> ACTIVE",
                 "~ log.NPT_ID+1: 0 events ->", "~ log.S2PAGE_ID: 0 events ->"):
        assert told in text, told
    assert "function=" not in text


def test_paths_and_values_of_a_trace_can_be_read_back(fhsim):
    """What a change of a trace says stands as well in `check`."""
    told = [line.strip()[2:] for line in
            fhsim("run", "--trace", "-", stdin=TOLD).stdout.splitlines() if " ~ " in line]
    checks = {path: after for path, after in
              (re.fullmatch(r"(\S+): .* -> (.*)", line).groups() for line in told)
              if "event" not in after}
    assert len(checks) > 8
    stories = TOLD + "  - check:\n" + "".join(
        f"      {path}: {value}\n" for path, value in checks.items())
    result = fhsim("run", "-", stdin=stories)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_failure_has_one_base_for_each_kind_of_number(fhsim):
    story = TOLD + "  - check: {shared.npts.1.pt.0x20: [769, 3, 0x301000]}\n"
    result = fhsim("run", "-", stdin=story)
    found = re.search(r"expected \[0x301, 3, 0x301000\] \(invalid.*\), got (.*)", result.stdout)
    assert found[1].startswith("[0x301, 3, 0x301fff] (page of 4 KiB at 0x301000: ")


def test_texts_of_a_scenario_are_printed_safe(fhsim):
    """A terminal must not obey them, nor show them in another order."""
    story = ('description: "a \\e[2J \\u009b31m \\u202e b"\nmachine:\n  regions:\n'
             '    - {base: 2M, size: 8M}\nsteps:\n'
             '  - {name: "c \\e[2J \\u2066", check: {tstate: 7}}\n')
    for format in "text", "tap", "junit", "json":
        out = fhsim("run", "--trace", "--format", format, "-", stdin=story).stdout
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out), format


@pytest.mark.parametrize("format", ["tap", "junit"])
def test_a_trace_fits_the_other_formats(fhsim, format):
    result = fhsim("run", "--trace", "--format", format, "-", stdin=FAULT)
    if format == "junit":
        root = xml.etree.ElementTree.fromstring(result.stdout)
        assert "NPT_SET" in root.find(".//system-out").text
    else:
        inner = result.stdout.splitlines()[3:]
        assert inner and all(line.startswith("#") for line in inner)


def test_a_long_trace_is_capped(fhsim):
    text = (f"description: x\ndata: {{1: {[1] * 300}}}\n"
            "steps:\n  - {call: fetch_from_doracle, args: [1, 0, 5000]}\n")
    result = fhsim("run", "--trace", "-", stdin=text)
    assert re.search(r"\.\.\. and [1-9]\d* more effects", result.stdout)
    assert re.search(r"\.\.\. and [1-9]\d* more changes", result.stdout)
    assert len(result.stdout.splitlines()) < 1300


# --- Colour ------------------------------------------------------------------------------------


def on_terminal(command, env):
    """What a command prints on a terminal."""
    import os
    import pty
    import subprocess
    try:
        master, slave = pty.openpty()
    except OSError:
        pytest.skip("no terminals to be had here")
    with subprocess.Popen(command, stdout=slave, env={**os.environ, **env}) as process:
        os.close(slave)
        output = b""
        try:
            while chunk := os.read(master, 4096):
                output += chunk
        except OSError:
            pass
        process.wait()
    os.close(master)
    return output.decode()


def test_verdicts_are_coloured_on_a_terminal_only_and_not_with_no_color(fhsim, files):
    import os
    command = [os.environ["FHSIM"], "run", str(files / "a_good.yaml")]
    assert "\033[32mok" in on_terminal(command, {"TERM": "xterm", "NO_COLOR": ""})
    assert "\033" not in on_terminal(command, {"TERM": "xterm", "NO_COLOR": "1"})
    assert "\033" not in on_terminal(command, {"TERM": "dumb", "NO_COLOR": ""})
    assert "\033" not in fhsim("run", files).stdout


def test_help_explains_the_command(fhsim):
    result = fhsim("run", "--help")
    assert result.returncode == 0
    assert result.stdout.startswith("usage: fhsim run")


UNSIGNED = """\
description: An image has no signature, and the host keeps its structures somewhere.
machine: {regions: [{base: 2M, size: 8M}]}
vms: [{vmid: 1, vcpus: 1, state: READY}]
parameters:
  verify_img: {1: {REMAP_START: 0}}
  shared_kvm: {2: 0x1234}
steps:
  - {trap: host-hvc, hvc: HVC_SET_BOOT_INFO, args: [1, 0x80000000, 4K]}
  - {trap: host-hvc, hvc: HVC_REMAP_VM_IMAGE, args: [1, 0x400, 0]}
  - set: {shared: {core_data: {next_vmid: 2}}}
  - trap: host-hvc
    hvc: HVC_REGISTER_KVM
    expect: {state: {shared.vminfos.2.VS.vm_kvm: 0x1234}}
  - trap: host-hvc
    hvc: HVC_VERIFY_VM_IMAGE
    args: [1]
    expect: {halted: true}
"""


@pytest.mark.parametrize("options", [[], ["--trace"]])
def test_what_comes_from_outside_is_the_same_when_effects_are_shown(fhsim, tmp_path, options):
    path = tmp_path / "unsigned.yaml"
    path.write_text(UNSIGNED)
    done = fhsim("run", *options, path)
    assert done.returncode == 0, done.stdout
