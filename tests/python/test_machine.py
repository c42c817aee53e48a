# SPDX-License-Identifier: GPL-2.0-only
"""Machines: calls, errors, forks and snapshots."""

import copy
import gc

import pytest

import libfaulthandler
from libfaulthandler import Halted, InvalidArgument, Limit, Machine, Stuck, Unrepresentable

BEYOND_MEMORY = 1 << 40


def test_a_function_without_a_value_returns_none(machine):
    assert machine.map_page_host(0x345000) is None


def test_a_function_with_a_value_returns_it(machine):
    assert machine.register_kvm() == 1
    assert machine.register_kvm() == 2


def test_arguments_may_be_named(machine):
    machine.register_kvm()
    machine.register_vcpu(vcpuid=2, vmid=1)
    assert machine.state.shared.vminfos[1].VS.vm_vcpu_state[2] == machine.constants.READY


def test_a_function_is_found_by_its_layers_name(machine):
    assert machine.call("BootOps.register_kvm") == 1
    with pytest.raises(LookupError):
        machine.call("BootOps.register_kvn")


@pytest.mark.parametrize("args", [(), (1, 2), ("page",), (1.5,)])
def test_a_call_with_wrong_arguments_is_a_type_error(machine, args):
    with pytest.raises(TypeError):
        machine.map_page_host(*args)


def test_an_unknown_argument_is_named(machine):
    with pytest.raises(TypeError, match="'page'"):
        machine.map_page_host(page=1)


@pytest.mark.parametrize("hsr", [-1, 1 << 32, 1 << 64])
def test_an_argument_beyond_its_width_is_invalid(machine, hsr):
    before = machine.fork()
    with pytest.raises(InvalidArgument):
        machine.emulate_mmio(0, hsr)
    assert machine == before


def test_a_stuck_call_says_what_the_spec_demands(machine):
    with pytest.raises(Stuck) as caught:
        machine.map_page_host(BEYOND_MEMORY)
    error = caught.value
    assert (error.layer, error.function) == ("MemManager", "map_page_host")
    assert "is_paddr" in error.condition
    assert error.values == {"addr": BEYOND_MEMORY}
    assert "MemManager.map_page_host" in str(error)


def test_a_stuck_call_leaves_the_state_alone(machine):
    before = machine.fork()
    with pytest.raises(Stuck):
        machine.clear_vm_range(1, 0x345, 1 << 30)
    assert machine == before


def test_a_pc_beyond_64_bits_is_not_representable():
    machine = Machine()
    machine.state.regs.ctxt_regs.elr_el2 = (1 << 64) - 4
    with pytest.raises(Unrepresentable):
        machine.host_skip_instr()


def test_a_loop_beyond_the_limit_gives_up():
    machine = Machine(loop_limit=8)
    with pytest.raises(Limit):
        machine.clear_vm_range(1, 0, 9)


def test_a_panic_is_an_outcome_unless_it_is_asked_to_be_raised(machine):
    machine.panic()
    assert machine.halted
    machine.raise_on_halt = True
    with pytest.raises(Halted) as caught:
        machine.map_page_host(0x345000)
    assert caught.value.function == "map_page_host"
    assert caught.value.arguments == (0x345000,)


def test_a_panic_says_where_and_why(machine):
    machine.patch({"shared": {"s2page": {0x345: {"s2_owner": 1, "s2_count": 0}}}})
    machine.raise_on_halt = True
    with pytest.raises(Halted) as caught:
        machine.map_page_host(0x345000)
    assert caught.value.where == "MemManager.map_page_host"
    assert "count > 0" in caught.value.condition
    assert caught.value.values == {"pfn": 0x345, "owner": 1, "count": 0}
    assert "MemManager.map_page_host: panic; needs" in str(caught.value)


def test_a_machine_that_runs_has_no_reason_to_panic(machine):
    assert machine.panic_reason is None
    before = machine.snapshot()
    machine.panic()
    assert machine.panic_reason.where == "AbstractMachine.panic"
    machine.restore(before)
    assert machine.panic_reason is None


def test_a_fork_goes_its_own_way(machine):
    fork = machine.fork()
    fork.map_page_host(0x345000)
    assert fork.state.shared.npts[0].pt[0x345].pfn == 0x345
    assert machine.state.shared.npts[0].pt[0x345].pfn == 0


def test_a_copy_is_a_fork(machine):
    assert copy.copy(machine) == machine
    assert copy.deepcopy(machine) is not machine


def test_a_machine_equals_one_to_which_the_same_happened(machine):
    fork = machine.fork()
    machine.register_kvm()
    assert fork != machine
    fork.register_kvm()
    assert fork == machine


def test_a_machine_equals_its_snapshot_until_it_changes(machine):
    snapshot = machine.snapshot()
    assert machine == snapshot
    machine.register_kvm()
    assert machine != snapshot
    assert snapshot.state.shared.core_data.next_vmid == 1


def test_restoring_undoes_what_happened_since(machine):
    snapshot = machine.snapshot()
    machine.register_kvm()
    machine.panic()
    machine.restore(snapshot)
    assert machine == snapshot and not machine.halted
    assert machine.register_kvm() == 1


def test_a_snapshot_of_another_profile_is_refused(machine):
    with pytest.raises(ValueError):
        machine.restore(Machine(profile="sekvm-4.18").snapshot())


def test_a_snapshot_cannot_be_written(machine):
    with pytest.raises(TypeError):
        machine.snapshot().state.curid = 1


def test_snapshots_and_forks_outlive_their_machine():
    machine = Machine()
    machine.map_page_host(0x345000)
    snapshot, fork = machine.snapshot(), machine.fork()
    del machine
    gc.collect()
    assert snapshot.state.shared.npts[0].pt[0x345].pfn == 0x345
    assert fork == snapshot


def test_constants_are_those_of_the_profile():
    spec, kernel = Machine(), Machine(profile="sekvm-4.18")
    assert spec.constants.MAX_VM_NUM == 15
    assert kernel.constants["MAX_VM_NUM"] == 56
    assert "PAGE_SIZE" in spec.constants
    with pytest.raises(AttributeError):
        spec.constants.NO_SUCH_CONSTANT


def test_an_unknown_profile_option_or_word_is_refused():
    with pytest.raises(ValueError, match="spec, sekvm-4.18"):
        Machine(profile="sekvm")
    with pytest.raises(TypeError):
        Machine(speed=11)
    with pytest.raises(ValueError):
        Machine(log="long")


def test_effects_of_the_last_call_are_kept_on_request(machine):
    with pytest.raises(TypeError):
        machine.effects
    watched = Machine(effects=True)
    watched.map_page_host(0x345000)
    names = [type(effect).__name__ for effect in watched.effects]
    assert names[-1] == "UNLOCK" and "S2_READ" in names
    written = [effect for effect in watched.effects if type(effect).__name__ == "NPT_SET"]
    assert [(effect.vmid, effect.addr, effect.level) for effect in written] == [(0, 0x345000, 3)]
    watched.panic()
    assert [type(effect).__name__ for effect in watched.effects] == ["PANIC"]


def test_effects_name_the_functions_that_are_called():
    machine = Machine(effects=True)
    machine.revoke_vm_page(1, 0x345)
    assert machine.effects[0].function == "revoke_vm_page"
    assert repr(machine.effects[0]).startswith("CALL(function=revoke_vm_page, a=1, b=0x345")


def test_observing_collects_the_effects_of_several_calls(machine):
    with machine.observe() as effects:
        machine.map_page_host(0x345000)
        machine.map_page_host(0x346000)
    machine.map_page_host(0x347000)
    assert [e.addr for e in effects if type(e).__name__ == "NPT_SET"] == [0x345000, 0x346000]


def test_all_functions_of_the_registry_are_methods(machine):
    assert len(libfaulthandler.FUNCTIONS) > 290
    for name, function in libfaulthandler.FUNCTIONS.items():
        assert callable(getattr(machine, name))
        assert function.layer in getattr(Machine, name).__doc__


def test_invariants_hold_in_a_new_machine_and_name_what_breaks_them(machine):
    assert machine.check_invariants() == []
    before = machine.snapshot()
    machine.state.shared.s2page[0] = {"s2_owner": 0, "s2_gfn": machine.constants.SMMU_HOST_OFFSET}
    for broken in machine.check_invariants(), machine.check_invariants(since=before):
        assert [item.name for item in broken] == ["page_0_invalid"]
        assert broken[0].witness["s2_owner"] == 0
        assert "page 0" in repr(broken[0])


def test_both_realisations_run_side_by_side():
    machine = Machine(realisation="both")
    machine.map_page_host(0x345000)
    assert machine.check_realisations() is None
    machine.state.shared.npts[0].pt[0x346] = (0x346, 3, 0x346fff)
    assert machine.check_realisations()["addr"] == 0x346000


def test_functions_run_as_their_bodies_where_the_machine_departs():
    def result(**options):
        machine = Machine(**options)
        machine.add_region(0x200000, 0x200000)
        machine.map_page_host(0x345000)
        machine.state.shared.s2page[0x345].s2_owner = 3
        machine.clear_vm_page(3, 0x345)
        return machine.state.shared.npts[0].pt[0x345].pfn

    assert result() == result(machine="bodies", without=["clear_vm_page"]) == 0x345
    assert result(machine="bodies") == result(machine="bodies", only=["clear_vm_page"]) == 0
    assert result(machine="bodies", only=[]) == 0x345


def test_unknown_machines_and_departures_are_refused():
    with pytest.raises(ValueError, match="no machine 'fast'; there are spec, bodies"):
        Machine(machine="fast")
    with pytest.raises(ValueError, match="bodies has no departure 'A1'"):
        Machine(machine="bodies", without=["A1"])
