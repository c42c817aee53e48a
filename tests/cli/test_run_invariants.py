# SPDX-License-Identifier: GPL-2.0-only
"""`check: invariants` and `invariants: always` in scenarios."""

import pytest

MACHINE = """\
description: A VM keeps a page that it lost.
machine:
  regions:
    - {base: 2M, size: 8M}
vms:
  - vmid: 7
    pages:
      - {gfn: 0x99d, pfn: 0x300}
"""
CLEAR = "  - call: clear_vm_page\n    args: {vmid: 7, pfn: 0x300}\n"
WITNESS = ("vm_iso: what a VM that is not powered off has mapped is its own or nobody's; but "
           "vmid = 7, gfn = 0x99d, pfn = 0x300, level = 3, pte = 0x300fff, s2_owner = 0 (HOSTVISOR), "
           "vm_state = 3 (VERIFIED)")


def test_a_check_names_what_is_broken_and_where(fhsim):
    result = fhsim("run", "-", stdin=MACHINE + "steps:\n" + CLEAR + "  - check: invariants\n")
    assert result.returncode == 1
    assert f":12: step 2 (check invariants): {WITNESS}\n" in result.stdout


def test_always_stops_behind_the_step_that_breaks_one(fhsim):
    steps = f"invariants: always\nsteps:\n  - check: {{tstate: 1}}\n{CLEAR}  - check: invariants\n"
    result = fhsim("run", "-", stdin=MACHINE + steps)
    assert result.returncode == 1
    assert f": step 2 (call clear_vm_page): {WITNESS}\n" in result.stdout
    assert "step 3" not in result.stdout


def test_always_includes_the_start_and_what_a_step_sets(fhsim):
    start = "state: {curid: 8, cur_vcpuid: 8}\ninvariants: always\nsteps:\n  - call: panic\n"
    result = fhsim("run", "-", stdin=MACHINE + start)
    assert result.returncode == 1
    assert "the machine at the start" in result.stdout
    assert "curid_range" in result.stdout and "cur_vcpuid_range" in result.stdout
    assert "0 steps" in result.stdout
    sets = "invariants: always\nsteps:\n  - set: {shared: {s2page: {0: {s2_owner: 3}}}}\n"
    result = fhsim("run", "-", stdin=MACHINE + sets)
    assert result.returncode == 1
    assert "page_0_invalid" in result.stdout


def test_invariants_may_be_expected_broken_but_then_must_be_with_that_witness(fhsim):
    def run(broken):
        steps = f"steps:\n{CLEAR}  - check: invariants\n    broken: {broken}\n"
        return fhsim("run", "-", stdin=MACHINE + steps)

    assert run("[vm_iso]").returncode == 0
    assert run("{vm_iso: {}}").returncode == 0
    assert run("{vm_iso: {gfn: 0x99d, vm_state: VERIFIED}}").returncode == 0
    wrong = run("{vm_iso: {gfn: 0x99e}}")
    assert wrong.returncode == 1
    assert "vm_iso: gfn: expected 0x99e, got 0x99d" in wrong.stdout
    more = run("[vm_iso, host_iso]")
    assert more.returncode == 1
    assert "host_iso holds, though it is expected to be broken" in more.stdout
    assert run("[]").returncode == 1


def test_a_witness_may_be_negative(fhsim):
    steps = ("state: {cur_vmid: 1, cur_vcpuid: -1, icore: true}\nsteps:\n  - check: invariants\n"
             "    broken: {cur_vcpuid_range: {cur_vcpuid: -1}}\n")
    result = fhsim("run", "-", stdin=MACHINE + steps)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("text, words", [
    ("invariants: sometimes\nsteps:\n  - call: panic\n", "9:13: 'invariants' can only be 'always'"),
    ("steps:\n  - check: invariant\n",
     "10:12: unknown check 'invariant'; did you mean 'invariants'?"),
    ("steps:\n  - check: invariants\n    broken: [vmiso]\n",
     "11:14: unknown invariant 'vmiso'; did you mean 'vm_iso'?"),
    ("steps:\n  - check: invariants\n    broken: [vm_iso, vm_iso]\n",
     "11:22: 'vm_iso' is there twice"),
    ("steps:\n  - check: invariants\n    broken: vm_iso\n", "11:13: 'broken' must be a list"),
    ("steps:\n  - check: invariants\n    broken: {vm_iso: {vmidd: 1}}\n",
     "11:23: unknown value of its witness 'vmidd'; did you mean 'vmid'?"),
    ("steps:\n  - check: invariants\n    expect: {halted: true}\n", "11:5: "),
])
def test_mistakes_are_refused_with_their_place(fhsim, text, words):
    result = fhsim("run", "-", stdin=MACHINE + text)
    assert result.returncode == 2
    assert words in result.stderr
