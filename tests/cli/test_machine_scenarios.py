# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios that show what the shipped kernel does otherwise than the spec, side by side."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(os.environ["FH_SOURCE_DIR"]) / "scenarios/machines/sekvm-4.18"
OTHERS_PAGE = FOLDER / "bad_a16_vm_maps_another_vms_page.yaml"
SCENARIOS = sorted(FOLDER.glob("*.yaml"))


def catalogue():
    shown = subprocess.run([os.environ["FHSIM"], "machine", "show", "sekvm-4.18", "--json"],
                           capture_output=True, text=True, check=True).stdout
    return {entry["id"]: entry for entry in json.loads(shown)["catalogue"]
            if entry["from"] == "sekvm-4.18"}


CATALOGUE = catalogue()


def shown_by(path):
    found = re.search(r"^shows: (\S+)$", path.read_text(), re.M)
    return found.group(1) if found else None


def left_out(path):
    """What the file runs the machine without, and what it shows."""
    text, entry = path.read_text(), CATALOGUE[shown_by(path)]
    without = re.search(r"without: \[(.*?)\]", text)
    shown = entry["follows"] if entry["kind"] == "consequence" else entry["id"]
    return ",".join(([without.group(1)] if without else []) + [shown]).replace(" ", "")


def test_the_kernel_and_the_spec_do_what_the_scenarios_say(fhsim):
    assert fhsim("run", FOLDER).returncode == 0


@pytest.mark.parametrize("entry", [entry["id"] for entry in CATALOGUE.values()
                                   if entry["kind"] in ("departure", "consequence")])
def test_each_departure_and_consequence_has_a_scenario_with_both_sides(entry):
    paths = [path for path in SCENARIOS if shown_by(path) == entry]
    assert paths
    for path in paths:
        assert re.search(r"^    expect:", path.read_text(), re.M)
        assert re.search(r"^    spec:", path.read_text(), re.M)
        assert path.stem.split("_")[1].upper() == entry
        assert re.search(rf"^  {entry}: ", path.read_text(), re.M)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_what_a_scenario_shows_makes_the_difference(fhsim, path):
    result = fhsim("run", "--machine", "sekvm-4.18", "--without", left_out(path), path)
    assert (result.returncode, result.stderr) == (1, "")


def test_a_vm_gets_another_vms_page_unless_the_panic_halts(fhsim):
    assert fhsim("run", OTHERS_PAGE).returncode == 0
    closed = fhsim("run", "--machine", "sekvm-4.18", "--without", "A1", OTHERS_PAGE)
    assert closed.returncode == 1
    assert "halted, which is not expected: sekvm-4.18.assign_pfn_to_vm" in closed.stdout
    spec = fhsim("run", "--machine", "spec", OTHERS_PAGE)
    assert spec.returncode == 1 and "halted, which is not expected" in spec.stdout


# --- The two plays of a file ------------------------------------------------------------------

BOTH = """description: d
shows: A39
machine: sekvm-4.18
steps:
  - {call: set_shadow_dirty_bit, args: {vmid: 1, vcpuid: 0, value: 1}}
  - call: set_shadow_dirty_bit
    args: {vmid: 1, vcpuid: 0, value: 2}
    expect: {state: {shadow_ctxts.4.ctxt_states.dirty: 3}}
    spec: {state: {shadow_ctxts.4.ctxt_states.dirty: 2}}
"""


@pytest.fixture
def run(fhsim, tmp_path):
    def play(text):
        path = tmp_path / "s.yaml"
        path.write_text(text)
        return fhsim("run", path)

    return play


def test_both_plays_have_to_pass(run):
    assert run(BOTH).returncode == 0
    machine = run(BOTH.replace("dirty: 3", "dirty: 4"))
    assert machine.returncode == 1
    assert "s.yaml:8: step 2 (call set_shadow_dirty_bit): shadow_ctxts" in machine.stdout
    spec = run(BOTH.replace("dirty: 2", "dirty: 4"))
    assert spec.returncode == 1
    assert "s.yaml:9: step 2 (call set_shadow_dirty_bit): without A39: shadow_ctxts" in spec.stdout


@pytest.mark.parametrize("text, message", [
    (BOTH.replace("shows: A39\n", ""), "8:11: 'spec' is what happens without what the scenario"),
    (BOTH.replace("shows: A39", "shows: A390"), "2:8: unknown departure 'A390'; did you mean"),
    (BOTH.replace("shows: A39", "shows: A2"), "2:8: unknown departure 'A2'"),
    (BOTH.replace("spec: {state", "spec: {stat"), "9:12: unknown key of 'expect' 'stat'"),
    (BOTH.replace("    spec: {", "    spec: {died: true, hangs: true, "), "exclude one another"),
])
def test_what_is_wrong_in_either_is_told_before_the_first_step(run, text, message):
    result = run(text)
    assert result.returncode == 2
    assert message in result.stderr


DYING = """description: d
machine: sekvm-4.18
vms: [{vmid: 1, vcpus: 1, state: READY}]
steps:
  - trap: vcpu-run
    vmid: 1
    expect: {died: look_at_vm, state: {cur_vmid: 1}}
"""


def test_a_step_may_expect_that_el2_dies_and_where(run):
    assert run(DYING).returncode == 0
    assert run(DYING.replace("died: look_at_vm", "died: true")).returncode == 0
    assert "died elsewhere: expected 'x', got sekvm-4.18.look_at_vm: died" in run(
        DYING.replace("look_at_vm", "x")).stdout
    assert "an exception inside EL2" in run(DYING.replace("died: look_at_vm", "halted: false")).stdout
    assert "an exception inside EL2" in run(DYING.replace("died: look_at_vm", "hangs: true")).stdout
    assert "EL2 lives on, though it is expected to die" in run(
        DYING.replace("READY", "VERIFIED")).stdout


EFFECTS = """description: d
steps:
  - call: acquire_lock_s2page
    expect: {effects: [LOCK s2page]}
  - call: release_lock_s2page
    expect: {effects: ["UNLOCK   s2page"]}
"""


def test_effects_come_directly_behind_one_another(run):
    assert run(EFFECTS).returncode == 0
    assert "effects: 'LOCK s2pages' does not come" in run(
        EFFECTS.replace("[LOCK s2page]", "[LOCK s2pages]")).stdout
    assert "effects: 'PANIC' does not come directly behind those before it" in run(
        EFFECTS.replace("[LOCK s2page]", "[LOCK s2page, PANIC]")).stdout
