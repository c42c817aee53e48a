# SPDX-License-Identifier: GPL-2.0-only
"""Overlays outside of the tree: built with one line, loaded only where the command line says so."""

import json
import os
import shutil
import subprocess

import pytest

from recordings import denying  # noqa: F401, a fixture


@pytest.fixture
def toy(source, tmp_path):
    """The toy's folder, somewhere else and under another name."""
    folder = tmp_path / "mine"
    folder.mkdir()
    yaml = (source / "machines/toy/machine.yaml").read_text()
    (folder / "machine.yaml").write_text(yaml.replace("machine: toy", "machine: mine"))
    shutil.copy(source / "machines/toy/overlay.c", folder)
    return folder


def build(folder, source, *options):
    command = [os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared",
               "-fPIC", f"-I{source / 'include'}", *options, "-o", "overlay.so", "overlay.c"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def change(folder, old, new, name="overlay.c"):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def test_one_line_builds_an_overlay_that_fits_its_catalogue(fhsim, toy, source):
    assert build(toy, source).stderr == ""
    result = fhsim("machine", "check", toy)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_overlay_links_against_nothing_of_ours(toy, source):
    build(toy, source)
    wanted = subprocess.run(["nm", "-D", "--undefined-only", toy / "overlay.so"],
                            capture_output=True, text=True, check=True).stdout
    assert " fh_" not in wanted and " kc_" not in wanted


def test_a_misspelt_switch_does_not_compile(toy, source):
    change(toy, "departs(s, T2)", "departs(s, T22)")
    result = build(toy, source)
    assert result.returncode != 0
    assert "T22" in result.stderr


def test_a_departure_without_a_switch_is_told(fhsim, toy):
    result = fhsim("machine", "check", toy)
    assert result.returncode == 1
    assert "mine: T1 is a departure of the catalogue, and no overlay has a switch for it" \
        in result.stderr


def test_a_switch_without_a_departure_is_told(fhsim, toy, source):
    change(toy, "  T2:\n", "  T3:\n", "machine.yaml")
    build(toy, source)
    result = fhsim("machine", "check", toy)
    assert result.returncode == 1
    assert "the overlay has a switch T2, and the catalogue no departure of that name" \
        in result.stderr
    assert "T3 is a departure of the catalogue, and no overlay has a switch for it" in result.stderr


def test_an_overlay_of_another_version_is_refused(fhsim, toy, source):
    include = toy / "include"
    shutil.copytree(source / "include", include)
    change(include / "faulthandler", "FH_MACHINE_ABI = ", "FH_MACHINE_ABI = 100 + ", "machine.h")
    command = build(toy, toy)
    assert command.returncode == 0
    result = fhsim("machine", "check", toy)
    assert result.returncode == 2
    assert "it was built against the headers of another version: build it again" in result.stderr


def test_an_object_that_is_no_overlay_is_refused(fhsim, toy, source):
    (toy / "overlay.c").write_text("int nothing;\n")
    build(toy, source)
    result = fhsim("machine", "check", toy)
    assert result.returncode == 2
    assert "it has no fh_machine_module" in result.stderr


def test_showing_a_machine_loads_no_code(fhsim, toy, source):
    (toy / "overlay.c").write_text(
        "#include <stdlib.h>\n__attribute__((constructor)) static void run(void) { abort(); }\n")
    assert build(toy, source).returncode == 0
    assert fhsim("machine", "show", toy).returncode == 0
    assert fhsim("machine", "check", toy).returncode < 0


SCENARIO = """\
description: The host touches memory that nobody owns.
machine:
  regions:
    - {base: 2M, size: 8M}
steps:
  - call: map_page_host
    args: {addr: 0x40000000}
    expect:
      state:
        shared.npts.0.pt.0x40000: [0x40000, 3, 0x40000000 | ATTRIBUTES]
"""


@pytest.mark.parametrize("options, attributes", [
    ([], "PAGE_S2_KERNEL"),
    (["--without", "T1"], "PAGE_S2_DEVICE | S2_RDWR"),
    (["--only", "T2"], "PAGE_S2_DEVICE | S2_RDWR"),
])
def test_a_scenario_is_played_on_a_machine_outside_of_the_tree(fhsim, toy, source, tmp_path,
                                                               options, attributes):
    build(toy, source)
    scenario = tmp_path / "s.yaml"
    # A leaf of this machine carries a mark.
    scenario.write_text(SCENARIO.replace("ATTRIBUTES", f"{attributes} | PTE_MARK"))
    result = fhsim("run", "--machine", toy, *options, scenario)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_scenario_does_not_make_code_run(fhsim, toy, source, tmp_path):
    build(toy, source)
    scenario = tmp_path / "s.yaml"
    scenario.write_text(SCENARIO.replace("machine:", f"machine:\n  name: {toy}"))
    result = fhsim("run", scenario)
    assert result.returncode == 2
    assert "a scenario never makes code run" in result.stderr


INJECTING = """\
#define FH_SWITCH_MAP(X) X(K1)
#include <faulthandler/overlay.h>

enum { DENIALS, EL1H = 0x200 };

/* K1: every other access that is denied is an abort of the host at EL1. */
static enum fh_status m_panic(struct fh_state *s)
{
    const uint64_t before = fh_noted(s, DENIALS, 0, 0);
    const struct fh_ctxt_regs *regs = &fh_data(s)->regs->ctxt_regs;
    const uint64_t elr = regs->elr_el2, spsr = regs->spsr_el2, vectors = regs->vbar_el1;
    FH_TRY(below_panic(s));
    if (!departs(s, K1))
        return FH_OK;
    FH_TRY(fh_note(s, DENIALS, 0, 0, before + 1));
    if (before % 2 == 1)
        return FH_OK;
    FH_TRY(fh_set_register(s, elr_el1, elr));
    FH_TRY(fh_set_register(s, spsr_el1, spsr));
    FH_TRY(fh_set_register(s, spsr_el2, 0x3c5));
    return fh_set_register(s, elr_el2, vectors + EL1H);
}

FH_OVERLAY(.panic = m_panic);
"""


def test_an_overlay_injects_an_abort_and_keeps_numbers_of_its_own(fhsim, source, denying, tmp_path):
    """A kernel that answers a denied access as an abort, as later ones of the line do."""
    trace, first = denying
    records = [json.loads(line) for line in trace.read_text().splitlines()]
    for number, record in enumerate(record for record in records if record["seq"] >= first):
        if number % 2 == 0:
            came = record["in"]
            record["out"].update(elr=hex(int(came["vbar_el1"], 16) + 0x200), spsr="0x3c5",
                                 elr_el1=came["elr"], spsr_el1=came["spsr"])
    trace.write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: sekvm-4.18\n"
        "catalogue: {K1: {title: denied accesses are aborts, evidence: t}}\n")
    (tmp_path / "overlay.c").write_text(INJECTING)
    assert build(tmp_path, source).stderr == ""

    def replayed(*options):
        return json.loads(fhsim("replay", "--json", "--machine", tmp_path, *options, trace).stdout)
    found = replayed()
    assert found["diverged"] == 0 and found["deviations"]["K1"]["traps"] == 2
    assert replayed("--without", "K1")["diverged"] == 2


REFUSING = """\
#define FH_SWITCH_MAP(X) X(K1)
#include <faulthandler/overlay.h>

static enum fh_status is_ready(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, bool *ready)
{
    uint32_t state, vcpu;
    FH_TRY(kc_acquire_lock_vm(s, vmid));
    FH_TRY(kc_get_vm_state(s, vmid, &state));
    FH_TRY(kc_get_vcpu_state(s, vmid, vcpuid, &vcpu));
    *ready = state == fh_k(s)->VERIFIED && vcpu == fh_k(s)->READY;
    return kc_release_lock_vm(s, vmid);
}

/* K1: the host is answered 0. */
static enum fh_status m_host_vcpu_run_handler_raw(struct fh_state *s)
{
    const struct fh_ctxt_regs *regs = &fh_data(s)->regs->ctxt_regs;
    bool ready;
    if (!departs(s, K1))
        return below_host_vcpu_run_handler_raw(s);
    FH_TRY(is_ready(s, (uint32_t)regs->x1, (uint32_t)regs->x2, &ready));
    return ready ? below_host_vcpu_run_handler_raw(s) : fh_set_register(s, x0, 0);
}

FH_OVERLAY(.host_vcpu_run_handler_raw = m_host_vcpu_run_handler_raw);
"""

NOT_READY = """\
description: The host runs a vCPU of a VM that is not verified.
vms:
  - {vmid: 1, vcpus: 1, state: READY}
steps:
  - trap: vcpu-run
    vmid: 1
    expect: {halted: false, state: {cur_vmid: 0, regs.ctxt_regs.x0: 0}}
"""


def test_an_overlay_refuses_to_run_a_vcpu_and_answers(fhsim, source, tmp_path):
    """A kernel that looks at states before it enters a vCPU, and answers the host 0 instead."""
    (tmp_path / "machine.yaml").write_text(
        "machine: mine\ntitle: t\nextends: sekvm-4.18\n"
        "catalogue: {K1: {title: a vCPU that is not ready is not run, evidence: source}}\n")
    (tmp_path / "overlay.c").write_text(REFUSING)
    assert build(tmp_path, source).stderr == ""
    scenario = tmp_path / "s.yaml"
    scenario.write_text(NOT_READY)
    assert fhsim("run", "--machine", tmp_path, scenario).returncode == 0
    without = fhsim("run", "--machine", tmp_path, "--without", "K1", scenario)
    assert without.returncode == 1 and "died" in without.stdout
