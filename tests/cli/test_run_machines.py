# SPDX-License-Identifier: GPL-2.0-only
"""Which machine a scenario is for, and the scenarios that show what the eleven bodies do."""

import os
import re
import subprocess

import pytest

FUNCTIONS = [
    "clear_vm_page", "assign_pfn_to_vm", "assign_pfn_to_smmu", "assign_smmu", "el2_alloc_smmu_pgd",
    "reset_sys_regs", "sync_dirty_to_shadow", "prep_abort", "restore_shadow_kvm_regs",
    "restore_vm", "host_hvc_dispatcher"]

# In VM 9 the body of restore_vm halts, and the spec does not.
VM_9 = """\
description: The host runs VM 9.
machine: %s
vms:
  - {vmid: 9, vcpus: 1}
steps:
  - call: restore_vm
    as: {vmid: HOSTVISOR, x: {0: 9}}
    expect: {halted: %s}
"""
OTHER = {"false": "true", "true": "false"}


def pair(source, function):
    """The scenarios of a function: by its spec, and as its body."""
    folder = source / "scenarios" / "bodies"
    [spec], [body] = folder.glob(f"*_spec_{function}_*"), folder.glob(f"*_body_{function}_*")
    return spec, body


@pytest.mark.parametrize("machine, halted", [
    ("spec", "false"), ("bodies", "true"), ("{}", "false"), ("{name: bodies}", "true"),
    ("{name: bodies, only: []}", "false"), ("{name: bodies, only: [restore_vm]}", "true"),
    ("{name: bodies, only: [clear_vm_page, assign_smmu]}", "false"),
    ("{name: bodies, without: [restore_vm]}", "false"),
    ("{name: bodies, without: [clear_vm_page]}", "true"),
    ("{name: bodies, only: [restore_vm], without: [restore_vm]}", "false")])
def test_the_departures_named_are_on_and_no_others(fhsim, machine, halted):
    for says, status in ((halted, 0), (OTHER[halted], 1)):
        result = fhsim("run", "-", stdin=VM_9 % (machine, says))
        assert (result.returncode, result.stderr) == (status, "")


@pytest.mark.parametrize("options, halted", [
    (["--machine", "bodies"], "true"), (["--machine", "spec"], "false"),
    (["--machine", "bodies", "--without", "restore_vm"], "false"),
    (["--machine", "bodies", "--without", "clear_vm_page,restore_vm"], "false"),
    (["--machine", "bodies", "--without", "all"], "false"),
    (["--machine", "bodies", "--only", "restore_vm"], "true"),
    (["--machine", "bodies", "--only", "prep_abort"], "false")])
def test_the_command_line_decides_against_the_file(fhsim, options, halted):
    for file in ("spec", "bodies"):
        for says, status in ((halted, 0), (OTHER[halted], 1)):
            result = fhsim("run", *options, "-", stdin=VM_9 % (file, says))
            assert (result.returncode, result.stderr) == (status, "")


@pytest.mark.parametrize("machine, message", [
    ("bodys", ":2:10: unknown machine 'bodys'; did you mean 'bodies'?"),
    ("{name: 1}", "must be a text"),
    ("{name: bodies, only: [clear_vm_pge]}", "did you mean 'clear_vm_page'?"),
    ("{name: bodies, without: [map_page_host]}", "unknown departure 'map_page_host'"),
    ("{only: [restore_vm]}", "unknown departure 'restore_vm'"),
    ("{name: bodies, only: restore_vm}", "'only' must be a list"),
    ("7", "machine")])
def test_other_machines_and_departures_are_refused(fhsim, machine, message):
    result = fhsim("run", "-", stdin=VM_9 % (machine, "true"))
    assert result.returncode == 2
    assert message in result.stderr


@pytest.mark.parametrize("options, message", [
    (["--machine", "bodys"], "no machine 'bodys': neither one of the tree nor a folder with a "
     "machine.yaml; did you mean 'bodies'?"),
    (["--machine", "bodies", "--only", "x"], "run: unknown departure 'x'"),
    (["--machine", "bodies", "--without", "restore_m"], "did you mean 'restore_vm'?"),
    (["--without", "restore_vm"], "of a '--machine'")])
def test_other_machines_are_refused_on_the_command_line(fhsim, options, message):
    result = fhsim("run", *options, "-", stdin=VM_9 % ("spec", "true"))
    assert result.returncode == 2
    assert message in result.stderr


TOP = """description: a trap at the top layer
machine: %s
steps:
  - {trap: host-hvc, cpu: 0, layer: top, hvc: HVC_REGISTER_KVM}
"""


def test_the_layer_top_has_no_machine(fhsim):
    result = fhsim("run", "-", stdin=TOP % "sekvm-4.18")
    assert result.returncode == 2
    assert "the layer 'top' has specs of its own" in result.stderr
    for machine in ("spec", "{name: sekvm-4.18, only: []}"):
        assert "layer" not in fhsim("run", "-", stdin=TOP % machine).stderr


WORDS = """description: a departure of words
machine: {name: sekvm-4.18, only: [A22]}
steps:
  - {trap: host-hvc, cpu: 0, hvc: HVC_REGISTER_KVM}
"""


def test_a_departure_in_words_wants_the_concrete_realisation(fhsim):
    result = fhsim("run", "-", stdin=WORDS)
    assert result.returncode == 2
    assert "A22 only shows with 'realisation: concrete'" in result.stderr


def test_the_documentation_has_all_functions_and_an_example_that_passes(fhsim, source, tmp_path):
    page = (source / "docs" / "bodies.md").read_text()
    assert re.findall(r"^\| `\w+\.(\w+)` \|", page, re.MULTILINE) == FUNCTIONS
    [example] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert fhsim("run", "-", stdin=example).returncode == 0
    assert fhsim("run", "--machine", "spec", "-", stdin=example).returncode == 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_scenarios_of_a_function_show_the_difference(fhsim, source, function):
    spec, body = pair(source, function)
    assert f"only: [{function}]" in body.read_text()
    assert fhsim("run", spec, body).returncode == 0
    assert fhsim("run", "--machine", "bodies", "--only", function, spec).returncode == 1
    assert fhsim("run", "--machine", "spec", body).returncode == 1


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_body_alone_makes_the_difference(fhsim, source, function):
    """All others may run either way."""
    spec, body = pair(source, function)
    assert fhsim("run", "--machine", "bodies", body).returncode == 0
    assert fhsim("run", "--machine", "bodies", "--without", function, spec).returncode == 0


# --- Of a folder --------------------------------------------------------------------------------

OF_FOLDER = """\
description: A VM gets a number.
machine: {name: ./mine, regions: [{base: 2M, size: 8M}]}
steps:
  - call: gen_vmid
    expect: {result: 1}
"""


@pytest.fixture
def folder(tmp_path):
    """A scenario beside the folder of a machine without code, which has another number."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: spec\nconstants: {PTE_MARK: 0x100000000000000}\n")
    (tmp_path / "of_folder.yaml").write_text(OF_FOLDER)
    return tmp_path


def test_a_scenario_finds_a_machine_in_a_folder_seen_from_its_own(fhsim, folder):
    done = fhsim("run", folder / "of_folder.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "of_folder.yaml").write_text(OF_FOLDER.replace("./mine", "./no"))
    done = fhsim("run", folder / "of_folder.yaml")
    assert done.returncode == 2
    assert f"of_folder.yaml:2:17: there is no machine to be read in the folder '{folder}/./no'" in (
        done.stderr)


def test_a_scenario_never_makes_code_run(fhsim, folder):
    """The object would say so on standard output as it is loaded."""
    code = folder / "loaded.c"
    code.write_text("#include <stdio.h>\n__attribute__((constructor)) static void loaded(void)\n"
                    "{ puts(\"code ran\"); fflush(stdout); }\n")
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-o",
                    folder / "mine/overlay.so", code], check=True)
    done = fhsim("run", folder / "of_folder.yaml")
    assert done.returncode == 2 and "code ran" not in done.stdout
    assert "of_folder.yaml:2:17: a scenario never makes code run" in done.stderr
    assert "code ran" in fhsim("run", "--machine", folder / "mine", folder / "of_folder.yaml").stdout


def test_the_command_line_may_name_another_machine_than_the_folder(fhsim, folder):
    assert fhsim("run", "--machine", "spec", folder / "of_folder.yaml").returncode == 0
