# SPDX-License-Identifier: GPL-2.0-only
"""Traps of all kinds in scenarios, several CPUs, and what comes from outside during a step."""

import json

import pytest

RUNNING = "vms: [{vmid: 1, vcpus: 2}]\n"


def play(fhsim, steps, head=""):
    """The verdict of a scenario and the messages of its failures."""
    text = f"description: x\n{head}steps:\n" + "".join(f"  - {step}\n" for step in steps)
    result = fhsim("run", "--format", "json", "-", stdin=text)
    assert result.returncode in (0, 1), result.stderr
    (scenario,) = json.loads(result.stdout)["scenarios"]
    return scenario["verdict"], [failure["message"] for failure in scenario["failures"]]


def passes(fhsim, steps, head=""):
    verdict, messages = play(fhsim, steps, head)
    assert (verdict, messages) == ("passed", [])


def fails(fhsim, steps, head=""):
    verdict, messages = play(fhsim, steps, head)
    assert verdict == "failed"
    return messages


# --- Registers --------------------------------------------------------------------------------


def test_a_hypercall_has_its_number_in_x0_and_its_arguments_behind(fhsim):
    passes(fhsim, [
        "{trap: host-hvc, hvc: 99, args: [1, 2, 3, 4, 5], x: {6: 6}}",
        "check: {regs.ctxt_regs: {x0: 99, x1: 1, x2: 2, x3: 3, x4: 4, x5: 5, x6: 6, x7: 0}}",
    ])


def test_registers_that_a_trap_does_not_name_stay(fhsim):
    passes(fhsim, [
        "{trap: host-hvc, hvc: 99, args: [1, 2], x: {20: 20}}",
        "{trap: host-hvc, hvc: 98, args: [7], expect: {x: {0: 98, 1: 7, 2: 2, 20: 20}}}",
    ])


def test_a_trap_that_is_repeated_sets_its_registers_each_time(fhsim):
    passes(fhsim, [
        "{trap: host-hvc, hvc: HVC_REGISTER_KVM, repeat: 3, expect: {x: {0: 3}}}",
    ])


def test_a_wrong_return_register_is_reported_with_both_values(fhsim):
    assert fails(fhsim, ["{trap: host-hvc, hvc: HVC_REGISTER_KVM, expect: {x: {0: 2}}}"]) == [
        "regs.ctxt_regs.x0: expected 2, got 1"]


@pytest.mark.parametrize("exit, ec, class_", [
    ("interrupt", 31, 0), ("wfx", 2, 1), ("hvc", 2, 22), ("hvc32", 2, 18), ("sys64", 2, 30),
    ("abort", 2, 36)])
def test_an_exit_sets_the_code_and_the_class_of_the_syndrome(fhsim, exit, ec, class_):
    text = f"""\
description: x
{RUNNING}steps:
  - {{trap: vcpu-run, vmid: 1}}
  - {{trap: vm-exit, layer: top, exit: {exit}, expect: {{halted: true}}}}
  - check: {{shadow_ctxts.8.ctxt_regs.ec: 99}}
"""
    if exit in ("interrupt", "hvc", "sys64"):
        text = text.replace(", expect: {halted: true}", "")
    result = fhsim("run", "--format", "json", "-", stdin=text)
    (scenario,) = json.loads(result.stdout)["scenarios"]
    assert [failure["message"] for failure in scenario["failures"]] == [
        f"shadow_ctxts.8.ctxt_regs.ec: expected 99, got {ec}"]
    if class_:
        low = {"abort": 0x1c08007}.get(exit, 0)
        esr = class_ << 26 | 1 << 25 | low
        text = text.replace("ec: 99", f"esr_el2: {esr}")
        if exit != "abort":
            assert fhsim("run", "-", stdin=text).returncode == 0


def test_an_abort_has_the_syndrome_of_its_access(fhsim):
    passes(fhsim, [
        "{trap: vcpu-run, vmid: 1}",
        "{trap: vm-exit, exit: abort, access: write, size: 4, rt: 3, ipa: 0x40001234, "
        "expect: {halted: true}}",
        "check: {shadow_ctxts.8.ctxt_regs: {hpfar_el2: 0x400010, far_el2: 0x40001234, "
        f"esr_el2: {36 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 3 << 16 | 1 << 6 | 7:#x}}}}}",
    ], RUNNING)


# --- Who runs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("trap", ["{trap: host-hvc, hvc: HVC_REGISTER_KVM}",
                                  "{trap: host-npt-fault, ipa: 0}",
                                  "{trap: vcpu-run, vmid: 1, vcpuid: 1}"])
def test_the_host_cannot_trap_where_a_vm_runs(fhsim, trap):
    assert fails(fhsim, ["{trap: vcpu-run, vmid: 1}", trap], RUNNING) == [
        "a VM runs on CPU 0: it has to exit first"]


def test_a_vm_cannot_exit_where_the_host_runs(fhsim):
    assert fails(fhsim, ["{trap: vm-exit, cpu: 2, exit: interrupt}"], RUNNING) == [
        "the host runs on CPU 2: no VM can exit"]


@pytest.mark.parametrize("layer", ["raw", "top"])
def test_who_runs_is_known_behind_every_trap(fhsim, layer):
    passes(fhsim, [
        f"{{trap: vcpu-run, layer: {layer}, vmid: 1, expect: {{state: {{ihost: false}}}}}}",
        f"{{trap: vm-exit, layer: {layer}, exit: sys64, expect: {{state: {{ihost: false}}}}}}",
        f"{{trap: vm-exit, layer: {layer}, exit: interrupt, expect: {{state: {{ihost: true}}}}}}",
    ], RUNNING)


# --- Several CPUs -----------------------------------------------------------------------------


def test_each_cpu_has_its_own_registers_and_who_runs(fhsim):
    passes(fhsim, [
        "{trap: vcpu-run, vmid: 1, vcpuid: 1, x: {9: 1}}",
        "{trap: host-hvc, hvc: 99, cpu: 3, x: {9: 2}}",
        "check: {curid: 3, cur_vmid: 0, cur_vcpuid: 3, ihost: true, regs.ctxt_regs.x9: 2}",
        "{check: {curid: 0, cur_vmid: 1, cur_vcpuid: 1, ihost: false, regs.ctxt_regs.x9: 1}, cpu: 0}",
        "{check: {curid: 3, regs.ctxt_regs.x9: 2, shadow_ctxts.3.ctxt_regs.x9: 2}, cpu: 3}",
    ], RUNNING)


def test_a_step_without_cpu_is_on_the_one_before(fhsim):
    passes(fhsim, ["{set: {tstate: 7}, cpu: 5}", "check: {curid: 5, tstate: 7}",
                   "{check: {curid: 0, tstate: 1}, cpu: 0}"])


def test_locks_are_held_by_a_cpu_and_logs_belong_to_all(fhsim):
    passes(fhsim, [
        "{call: acquire_lock_s2page}",
        "{check: {lock.S2PAGE_ID: free, log.S2PAGE_ID.length: 2}, cpu: 1}",
        "{call: acquire_lock_s2page, expect: {stuck: 'log->lock'}}",
        "{call: release_lock_s2page, cpu: 0}",
        "{call: acquire_lock_s2page, cpu: 1}",
        "check: {lock.S2PAGE_ID: own, log.S2PAGE_ID.length: 6}",
        "{check: {lock.S2PAGE_ID: free}, cpu: 0}",
    ])


def test_a_halted_cpu_halts_no_other(fhsim):
    passes(fhsim, [
        "{call: panic, cpu: 1, expect: {halted: true}}",
        "{trap: host-hvc, hvc: HVC_REGISTER_KVM, cpu: 0, expect: {halted: false, x: {0: 1}}}",
        "{trap: host-hvc, hvc: HVC_REGISTER_KVM, cpu: 1, expect: {halted: true, changes: none}}",
    ])


def test_the_host_of_the_first_cpu_has_the_context_of_its_number(fhsim):
    passes(fhsim, ["check: {curid: 2, cur_vcpuid: 2}",
                   "{trap: host-hvc, hvc: 99, x: {8: 8}}",
                   "check: {shadow_ctxts: {2.ctxt_regs.x8: 8, 0.ctxt_regs.x8: 0}}"],
           "machine: {cpu: 2}\n")


def test_invariants_hold_on_every_cpu(fhsim):
    passes(fhsim, ["{trap: vcpu-run, vmid: 1}", "{trap: vcpu-run, vmid: 1, vcpuid: 1, cpu: 1}",
                   "{trap: vm-exit, exit: interrupt}", "{check: invariants, cpu: 0}"],
           RUNNING + "invariants: always\n")


# --- Events and data --------------------------------------------------------------------------


def test_events_of_a_step_are_there_for_that_step_only(fhsim):
    step = "{trap: host-hvc, hvc: HVC_REGISTER_KVM, "
    passes(fhsim, [
        step + "events: {CORE_ID: [{cpu: 1, changes: {next_vmid: 5}}]}, expect: {x: {0: 5}}}",
        step + "expect: {x: {0: 6}}}",
        step + "events: {CORE_ID: {0: [{cpu: 1, changes: {next_vmid: 9}}]}}, expect: {x: {0: 9}}}",
    ])


def test_events_that_do_not_happen_are_a_failure(fhsim):
    assert fails(fhsim, [
        "{trap: host-hvc, hvc: 99, events: {CORE_ID: [{cpu: 1, changes: {next_vmid: 5}}]}}"]) == [
            "events: they did not happen, the log grew by 0 only"]
    assert fails(fhsim, [
        "{trap: host-hvc, hvc: HVC_REGISTER_KVM, "
        "events: {CORE_ID: {4: [{cpu: 1, changes: {next_vmid: 5}}]}}}"]) == [
            "events: they did not happen, the log grew by 4 only"]


def test_changes_by_others_are_relative_to_the_state_before_the_step(fhsim):
    passes(fhsim, [
        "{set: {shared: {s2page: {0x200: {s2_owner: 1, s2_count: 2}}}}}",
        "{call: grant_vm_page, args: [1, 0x200], "
        "events: {S2PAGE_ID: [{cpu: 1, changes: {0x200: {s2_gfn: 5}}}]}}",
        "check: {shared.s2page.0x200: {s2_owner: 1, s2_count: 3, s2_gfn: 5}}",
    ])


def test_a_critical_section_leaves_four_events(fhsim):
    passes(fhsim, [
        "{call: acquire_lock_smmu, events: {SMMU_ID: [{cpu: 1, changes: {3: 7}}]}}",
        "check: {log.SMMU_ID.length: 6, shared.smmu_vmid.3: 7}",
    ])


def test_a_critical_section_may_stand_in_the_oracle_of_the_scenario(fhsim):
    passes(fhsim, ["{trap: host-hvc, hvc: HVC_REGISTER_KVM, expect: {x: {0: 3}}}"],
           "oracle: {CORE_ID: {0: [{cpu: 1, changes: {next_vmid: 3}}]}}\n")


def test_data_of_a_step_are_read_next(fhsim):
    call = "{call: get_int_pc, args: [1, 0], "
    passes(fhsim, [call + "expect: {result: 0xa}}", call + "data: {1: [0xff]}, expect: {result: 0xff}}",
                   call + "expect: {result: 0xc}}", call + "expect: {result: 0}}"],
           "data: {1: [0xa, 0xb, 0xc]}\n")


def test_core_data_are_apart_from_data(fhsim):
    passes(fhsim, [
        "{call: get_int_run_vcpuid, args: [1], expect: {result: 2}}",
        "{call: get_int_run_vcpuid, args: [1], expect: {result: 0}}",
        "{call: get_int_run_vcpuid, args: [1], core_data: {1: [3]}, expect: {result: 3}}",
    ], "data: {1: [7, 7, 7, 7]}\ncore_data: {1: [2]}\n")


def test_values_of_a_run_stand_in_front_of_its_data(fhsim):
    head = RUNNING + "machine: {regions: [{base: 2M, size: 2M}]}\n"
    passes(fhsim, [
        "{trap: vcpu-run, vmid: 1, vcpuid: 1, map: {ipa: 0x5000, pfn: 0x201}, "
        "core_data: {1: [77]}, data: {1: [0xda7a]}}",
        "check: {core_data_log.1: 4, cur_vcpuid: 1, shared.flatmem.0x201: 0xda7a, "
        "shared.npts.1.pt.5.pfn: 0x201}",
    ], head)


def test_parameters_replace_the_defaults(fhsim):
    passes(fhsim, [
        "{call: get_exception_vector, args: [5], expect: {result: 0x400}}",
        "{call: get_exception_vector, args: [4], expect: {result: 0}}",
        "{call: verify_image, args: [1, 4K], expect: {result: 0}}",
        "{call: verify_image, args: [2, 4K], expect: {result: 1}}",
        "{call: decrypt_gp_regs, args: [1, 0], data: {1: [9]}}",
        "check: {shadow_ctxts.8.ctxt_regs.x3: 9, data_log.1: 1}",
    ], "parameters: {exception_vector: {5: 0x400}, verify_img: {1: {4K: 0}}, "
       "decrypt_gp_regs: [x3]}\n")


# --- What is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("step, message", [
    ("{trap: host-hcv, hvc: 1}", "unknown trap 'host-hcv'"),
    ("{trap: host-hvc}", "needs the key 'hvc'"),
    ("{trap: host-hvc, hvc: 1, args: [1, 2, 3, 4, 5, 6]}", "at most 5 arguments"),
    ("{trap: host-hvc, hvc: 1, layer: bottom}", "unknown layer 'bottom'"),
    ("{trap: host-hvc, hvc: 1, expect: {result: 1}}", "returns no value"),
    ("{trap: host-hvc, hvc: 1, expect: {x: {31: 1}}}", "general register: 31"),
    ("{trap: host-hvc, hvc: HVC_NONE}", "HVC_NONE"),
    ("{trap: vcpu-run}", "needs the key 'vmid'"),
    ("{trap: vcpu-run, vmid: 1, map: {pfn: 1}}", "'ipa' and 'pfn'"),
    ("{trap: vcpu-run, vmid: 1, pstate: 1}", "'pstate' needs the key 'pc'"),
    ("{trap: vm-exit}", "'exit' or 'ec'"),
    ("{trap: vm-exit, exit: hvc, ec: 2}", "exclude one another"),
    ("{trap: vm-exit, exit: wfi}", "unknown exit 'wfi'"),
    ("{trap: vm-exit, exit: hvc, access: read}", "describe an abort"),
    ("{trap: vm-exit, exit: abort, ipa: 0, hpfar: 0}", "exclude one another"),
    ("{call: panic, expect: {x: {0: 1}}}", "'x' is what a trap leaves"),
    ("{call: panic, cpu: 8}", "cpu: 8 is out of range"),
    ("{call: panic, events: {ID_END: []}}", "out of range"),
    ("{call: panic, events: {CORE_ID: [{cpu: 1}]}}", "'cpu' and 'changes'"),
    ("{call: panic, events: {FLATMEM_ID: [{cpu: 1, changes: {}}]}}", "protects nothing"),
    ("{call: panic, events: {CORE_ID: [{cpu: 1, changes: {next_vm: 1}}]}}", "next_vm"),
    ("{call: panic, events: {CORE_ID: [[1, WAIT_LCK, 1]]}}", "WAIT_LCK"),
    ("{call: panic, data: {1: {0: 1}}}", "values of a step"),
    ("{call: panic, data: {COREVISOR + 1: [1]}}", "out of range"),
])
def test_what_is_wrong_is_refused_before_the_first_step(fhsim, step, message):
    text = f"description: x\nsteps:\n  - {{call: check, args: [1]}}\n  - {step}\n"
    result = fhsim("run", "-", stdin=text)
    assert result.returncode == 2
    assert message in result.stderr, result.stderr
    assert "<stdin>:4:" in result.stderr or "-:4:" in result.stderr or ":4:" in result.stderr


@pytest.mark.parametrize("parameters, message", [
    ("{verify_img: {1: {0: 2}}}", "verify_img: 2 is out of range"),
    ("{verify_img: {1: 0}}", "verify_img"),
    ("{decrypt_gp_regs: [x31]}", "'x31' is no register"),
    ("{decrypt: [x0]}", "unknown key of the parameters"),
])
def test_parameters_that_are_wrong_are_refused(fhsim, parameters, message):
    text = f"description: x\nparameters: {parameters}\nsteps: [{{call: panic}}]\n"
    result = fhsim("run", "-", stdin=text)
    assert result.returncode == 2
    assert message in result.stderr, result.stderr
