# SPDX-License-Identifier: GPL-2.0-only
"""The key `semantics` of scenarios, and the scenarios that show what the eleven bodies do."""

import re

import pytest

FUNCTIONS = [
    "MemManager.clear_vm_page", "MemManager.assign_pfn_to_vm", "MemManager.assign_pfn_to_smmu",
    "BootOps.assign_smmu", "MmioOps.el2_alloc_smmu_pgd", "VCPUOpsAux.reset_sys_regs",
    "VCPUOpsAux.sync_dirty_to_shadow", "VCPUOpsAux.prep_abort", "VCPUOps.restore_shadow_kvm_regs",
    "CtxtSwitch.restore_vm", "TrapDispatcher.host_hvc_dispatcher"]

# In VM 9 the body of restore_vm halts, and the spec does not.
VM_9 = """\
description: The host runs VM 9.
vms:
  - {vmid: 9, vcpus: 1}
steps:
  - call: restore_vm
    as: {vmid: HOSTVISOR, x: {0: 9}}
    expect: {halted: %s}
"""
KEY = re.compile(r"^semantics: .*$", re.MULTILINE)


def run(fhsim, semantics, halted):
    text = VM_9 % halted + (f"semantics: {semantics}\n" if semantics else "")
    result = fhsim("run", "-", stdin=text)
    assert result.stderr == ""
    return result.returncode


def pair(source, function):
    """The scenarios of a function: by its spec, and as its body."""
    name = function.split(".")[1]
    folder = source / "scenarios" / "semantics"
    [spec], [code] = folder.glob(f"*_spec_{name}_*"), folder.glob(f"*_code_{name}_*")
    return spec.read_text(), code.read_text()


@pytest.mark.parametrize("semantics, halted", [
    (None, "false"), ("spec", "false"), ("[]", "false"), ("[clear_vm_page, assign_smmu]", "false"),
    ("code", "true"), ("[CtxtSwitch.restore_vm]", "true"), ("[clear_vm_page, restore_vm]", "true")])
def test_functions_named_run_as_their_bodies_and_no_others(fhsim, semantics, halted):
    assert run(fhsim, semantics, halted) == 0
    assert run(fhsim, semantics, "true" if halted == "false" else "false") == 1


@pytest.mark.parametrize("semantics, message", [
    ("cod", "unknown semantics 'cod'; did you mean 'code'?"),
    ("[MemManager.clear_vm_pge]", "did you mean 'MemManager.clear_vm_page'?"),
    ("[map_page_host]", "unknown function with a body of its own 'map_page_host'"),
    ("[code]", "unknown function with a body of its own 'code'"),
    ("[1]", "must be a text"),
    ("1", "semantics")])
def test_other_words_and_functions_are_refused(fhsim, semantics, message):
    result = fhsim("run", "-", stdin=VM_9 % "true" + f"semantics: {semantics}\n")
    assert result.returncode == 2
    assert message in result.stderr


def test_the_documentation_has_all_functions_and_an_example_that_passes(fhsim, source):
    page = (source / "docs" / "semantics.md").read_text()
    assert re.findall(r"^\| `(\w+\.\w+)` \|", page, re.MULTILINE) == FUNCTIONS
    [example] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert fhsim("run", "-", stdin=example).returncode == 0
    assert fhsim("run", "-", stdin=KEY.sub("semantics: spec", example)).returncode == 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_scenarios_of_a_function_show_the_difference(fhsim, source, function):
    spec, code = pair(source, function)
    assert f"\nsemantics: [{function}]\n" in code and "\nsemantics: spec\n" in spec
    for text, other in ((spec, f"semantics: [{function}]"), (code, "semantics: spec")):
        assert fhsim("run", "-", stdin=text).returncode == 0
        assert fhsim("run", "-", stdin=KEY.sub(other, text)).returncode == 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_body_alone_makes_the_difference(fhsim, source, function):
    """All others may run either way."""
    spec, code = pair(source, function)
    others = ", ".join(other for other in FUNCTIONS if other != function)
    assert fhsim("run", "-", stdin=KEY.sub("semantics: code", code)).returncode == 0
    assert fhsim("run", "-", stdin=KEY.sub(f"semantics: [{others}]", spec)).returncode == 0
