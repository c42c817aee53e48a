# SPDX-License-Identifier: GPL-2.0-only
"""Messages that say what would have been right, and short ways to write a patch."""

import pytest


def refusal(fhsim, text):
    result = fhsim("run", "-", stdin="description: x\n" + text)
    assert result.returncode == 2
    return result.stderr.splitlines()[0]


# --- Out of range here, in range elsewhere ------------------------------------------------------


@pytest.mark.parametrize("text, profile", [
    ("steps: [{trap: host-npt-fault, ipa: 0x880cb0000}]\n", "sekvm-4.18"),
    ("steps: [{trap: host-npt-fault, hpfar: 0x880cb00}]\n", "sekvm-4.18"),
    ("vms: [{vmid: 16}]\nsteps: [{call: panic}]\n", "sekvm-4.18"),
    ("profile: sekvm-4.18\nvms: [{vmid: 1, vcpus: 5}]\nsteps: [{call: panic}]\n", "spec"),
    ("profile: sekvm-4.18\nsteps: [{call: panic, as: {vmid: 1, vcpuid: 7}}]\n", "spec"),
])
def test_a_number_that_another_profile_takes_is_told_so(fhsim, text, profile):
    assert f"'profile: {profile}'" in refusal(fhsim, text)


@pytest.mark.parametrize("text", [
    "vms: [{vmid: 66}]\nsteps: [{call: panic}]\n",
    "vms: [{vmid: 0}]\nsteps: [{call: panic}]\n",
    "vms: [{vmid: 1, vcpus: 9}]\nsteps: [{call: panic}]\n",
    "steps: [{trap: host-npt-fault, hpfar: 0xffffffffffffffff}]\n",
])
def test_a_number_that_no_profile_takes_names_none(fhsim, text):
    assert "profile:" not in refusal(fhsim, text)


def test_all_that_the_mask_keeps_may_be_in_the_register(fhsim):
    text = "description: x\nsteps: [{trap: host-npt-fault, hpfar: HPFAR_MASK, expect: {stuck: true}}]\n"
    assert fhsim("run", "-", stdin=text).returncode in (0, 1)


def test_an_unknown_constant_suggests_the_nearest(fhsim):
    assert "did you mean 'COREVISOR'?" in refusal(fhsim, "steps: [{call: check, args: [COREVISR]}]\n")
    message = refusal(fhsim, "state: {shared: {s2page: {1: {s2_owner: COREVISR}}}}\nsteps: []\n")
    assert "did you mean 'COREVISOR'?" in message
    message = refusal(fhsim, "steps: [{check: {shared.npts.HOSTVISR.pt.1.pfn: 0}}]\n")
    assert "did you mean 'HOSTVISOR'?" in message


# --- Paths in patches ---------------------------------------------------------------------------


def test_a_patch_may_name_paths(fhsim):
    result = fhsim("run", "-", stdin="""\
description: x
state: {shared.s2page.0x80.s2_owner: 3, shared: {s2page: {0x81: {s2_owner: 4}}}}
steps:
  - set:
      shared.npts.HOSTVISOR.pt.0x80: [0x80, 3, 0x80fff]
      shared.npts.HOSTVISOR.pt.0x81.pfn: 0x81
      shared.s2page.0x80: {s2_count: 5}
  - check:
      shared.npts.0.pt.0x80: [0x80, 3, 0x80fff]
      shared.npts.0.pt.0x81.pfn: 0x81
      shared.s2page.0x80: {s2_owner: 3, s2_count: 5}
      shared.s2page.0x81.s2_owner: 4
  - call: panic
    expect: {halted: panic, delta: {halt: true}}
""")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("patch, column, words", [
    ("{shared.s2page.1.s2_owner: 1, shared: {s2page: {1: {s2_owner: 2}}}}", None, "said twice"),
    ("{curid: 1, curid.x: 2}", None, "said twice"),
    ("{shared.: 1}", None, "is empty"),
    ("{.shared: 1}", None, "is empty"),
    ("{shared.s2pag.1.s2_owner: 1}", None, "did you mean 's2page'?"),
])
def test_a_path_that_is_wrong_is_refused(fhsim, patch, column, words):
    assert words in refusal(fhsim, f"steps:\n  - set: {patch}\n")
