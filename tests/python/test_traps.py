# SPDX-License-Identifier: GPL-2.0-only
"""Machines built by calls, and traps as calls."""

import pytest

from libfaulthandler import Halted, InvalidArgument, Machine, Recorder, Stuck, run_scenario

PAGE = 0x1000


@pytest.fixture
def built():
    """8 MiB of the host's; VM 1 has a page and two vCPUs that may run."""
    machine = Machine()
    machine.add_region(0x200000, 0x800000)
    machine.add_vm(1, vcpus=2)
    machine.give(1, 0x10, 0x300)
    machine.forget_logs()
    return machine


def test_the_host_touches_its_page_and_kcore_maps_it(built):
    outcome = built.trap.host_fault(0x345678)
    assert (outcome.end, outcome.is_host, outcome.where) == ("returns", True, "")
    assert built.state.shared.npts[0].pt[0x345] == (0x345, 3, 0x345fff)


def test_a_trap_that_kcore_panics_in_says_where_and_why(built):
    outcome = built.trap.host_fault(0x300000)
    assert (outcome.end, outcome.where) == ("halted", "MemManager.map_page_host")
    assert "owner" in outcome.condition
    assert built.panic_reason.where == outcome.where
    assert 1 in built.panic_reason.values.values()  # the owner


def test_a_trap_that_kcore_panics_in_is_raised_if_wanted(built):
    built.raise_on_halt = True
    with pytest.raises(Halted) as caught:
        built.trap.host_fault(0x300000)
    assert caught.value.where == "MemManager.map_page_host"
    assert "owner" in caught.value.condition


def test_a_hypercall_has_a_name_and_named_arguments(built):
    outcome = built.trap.hvc("REGISTER_KVM")
    k = built.constants
    assert (outcome.end, outcome.register, outcome.answer) == ("returns", 0, 2)
    built.trap.hvc("REGISTER_VCPU", vcpuid=3, vmid=2)
    assert built.state.shared.vminfos[2].VS.vm_vcpu_state[3] == k.READY


def test_a_hypercall_may_be_a_number_with_registers(built):
    by_number = built.fork()
    for machine in (built, by_number):
        machine.trap.hvc("REGISTER_KVM")
    built.trap.hvc("REGISTER_VCPU", vmid=2, vcpuid=3)
    by_number.trap.hvc(built.constants.HVC_REGISTER_VCPU, registers={"x1": 2, "x2": 3})
    assert built == by_number


def test_a_vcpu_runs_faults_and_is_given_a_page(built):
    k = built.constants
    outcome = built.run_vcpu(1, 1, start=(0x80000, 5))
    assert (outcome.is_host, outcome.vmid, outcome.vcpuid) == (False, 1, 1)
    assert built.trap.vm_exit("interrupt").is_host
    outcome = built.run_vcpu(1, 1, map=(0x80001000, 0x345))
    assert not outcome.is_host
    assert built.state.shared.s2page[0x345].s2_owner == 1
    assert built.state.shared.npts[1].pt[0x80001].pfn == 0x345
    assert built.trap.vm_exit().vmid == k.HOSTVISOR


@pytest.mark.parametrize("machine, where", [("spec", "TrapDispatcher.vm_exit_dispatcher"),
                                            ("sekvm-4.18", "")])
def test_a_vm_faults_on_the_machine_that_is_asked_for(machine, where):
    built = Machine(machine=machine)
    built.add_region(0x200000, 0x800000)
    built.add_vm(2)
    built.run_vcpu(2, start=(0x80000, 5))
    # A45: aborts of VMs reach the host, the spec halts.
    assert built.trap.vm_fault(0x80001000, "write").where == where


@pytest.mark.parametrize("call", ["REGISTER_KVN", ""])
def test_a_hypercall_that_no_machine_has_is_refused(built, call):
    with pytest.raises(LookupError, match="no hypercall"):
        built.trap.hvc(call)


def test_an_argument_that_a_hypercall_lacks_is_refused(built):
    with pytest.raises(InvalidArgument):
        built.trap.hvc("REGISTER_VCPU", vmid=1, vcpu=0)


def test_a_trap_that_the_spec_says_nothing_of_leaves_the_machine_alone(built):
    built.state.lock[built.constants.NPT_ID] = "own"
    before = built.snapshot()
    with pytest.raises(Stuck) as caught:
        built.trap.host_fault(0x345000)
    assert (built == before, bool(caught.value.function)) == (True, True)


def test_a_vm_exits_only_where_one_runs(built):
    with pytest.raises(InvalidArgument):
        built.trap.vm_exit("wfx")


def test_each_cpu_has_its_own_registers(built):
    built.trap.host_fault(0x345000, cpu=1)
    assert built.state.curid == 1
    built.trap.host_fault(0x346000, cpu=0)
    assert built.state.curid == 0
    assert [built.state.shared.npts[0].pt[pfn].level for pfn in (0x345, 0x346)] == [3, 3]


def test_building_fails_as_a_whole(built):
    before = built.snapshot()
    with pytest.raises(InvalidArgument):
        built.add_smmu(0x100000, owners={0: 0, 99: 0})
    with pytest.raises(InvalidArgument):
        built.give(1, 0x20, 0x9ff, count=2)
    assert built == before
    assert "smmus" not in built.setup


@pytest.mark.parametrize("life, state", [("verified", "VERIFIED"), ("registered", "READY"),
                                         ("powered_off", "POWEROFF")])
def test_a_vm_begins_anywhere_in_its_life(life, state):
    machine = Machine()
    machine.add_vm(3, life=life)
    assert machine.state.shared.vminfos[3].VS.vm_state == machine.constants[state]


def test_a_life_that_no_vm_has_is_refused():
    with pytest.raises(ValueError, match="'asleep'"):
        Machine().add_vm(3, life="asleep")


def test_traps_that_were_recorded_play_as_a_scenario(built, tmp_path):
    recorder = Recorder(built, deltas=True)
    built.trap.host_fault(0x345678, "write", size=4, rt=3)
    built.trap.hvc("REGISTER_KVM", cpu=2)
    built.trap.host_fault(0x346000)
    built.trap.hvc("REGISTER_VCPU", vmid=2, vcpuid=3, cpu=0)
    built.run_vcpu(1, 1, start=(0x80000, 5))
    built.trap.vm_exit("interrupt")
    built.run_vcpu(1, 1, map=(0x80001000, 0x347))
    built.trap.vm_exit("interrupt")
    built.trap.host_fault(0x300000)
    path = tmp_path / "traps.yaml"
    recorder.save(path, "Traps of two CPUs.")
    report = run_scenario(path)
    assert (report.passed, report.steps) == (1, 9), report.failures()
    # A step that says something else fails.
    path.write_text(path.read_text().replace("MemManager.map_page_host", "BootOps.register_kvm"))
    assert run_scenario(path).failed == 1
