# SPDX-License-Identifier: GPL-2.0-only
"""What the spec leaves open, answered by Python."""

import pytest

from libfaulthandler import Machine


def machine_with(**environment):
    machine = Machine(environment=environment)
    machine.add_region(0x200000, 0x800000)
    return machine


def other_cpu_takes(pfn, vmid):
    """What CPU 1 does to a page under the ownership lock, before this CPU gets it."""

    def oracle(lock, cpu, log):
        assert cpu == 0
        if lock != 2 or log.length > 0:
            return []
        return [
            [1, "WAIT_LOCK", 10],
            [1, "OPULL", 2],
            [1, "OS2_PAGE", {pfn: {"s2_owner": vmid}}],
            [1, "REL_LOCK"],
        ]

    return oracle


def test_data_from_outside_comes_from_the_data_oracle():
    asked = []
    machine = machine_with(doracle=lambda vmid, n: asked.append((vmid, n)) or 0x1234 + n)
    machine.fetch_from_doracle(3, 0x345, 2)
    assert asked and machine.state.shared.flatmem[0x345] in range(0x1234, 0x1300)
    assert {vmid for vmid, _ in asked} == {3}


def test_an_image_without_its_signature_halts():
    def verify(vmid, addr):
        assert (vmid, addr) == (1, machine.constants.REMAP_START)
        return 0

    machine = machine_with(verify_img=verify)
    machine.register_kvm()
    machine.set_boot_info(1, 0x200000, 0x1000)
    machine.remap_vm_image(1, 0x400, 0)
    machine.verify_and_load_images(1)
    assert machine.halted


def test_events_of_other_cpus_come_from_the_oracle():
    machine = machine_with(oracle=other_cpu_takes(0x345, 1))
    machine.map_page_host(0x345000)
    assert machine.halted
    assert machine.state.shared.s2page[0x345].s2_owner == 1


def test_what_a_callback_raises_ends_the_call_and_undoes_it():
    def doracle(vmid, n):
        raise RuntimeError("no more data")

    machine = machine_with(doracle=doracle)
    before = machine.fork()
    with pytest.raises(RuntimeError, match="no more data"):
        machine.assign_pfn_to_vm(1, 0x10, 0x345)
    assert machine == before
    machine.register_kvm()


@pytest.mark.parametrize("answer", [-1, 1 << 64, None, "1"])
def test_an_answer_that_is_no_64_bit_number_is_refused(answer):
    machine = machine_with(reg_desc=lambda index: answer)
    with pytest.raises(ValueError):
        machine.get_sys_reg_desc_val(3)


def test_an_event_that_is_none_is_refused():
    machine = machine_with(oracle=lambda lock, cpu, log: [[1, "WAIT_LOCK"]])
    with pytest.raises(ValueError, match="WAIT_LOCK"):
        machine.acquire_lock_s2page()


def test_an_unknown_callback_is_refused():
    with pytest.raises(TypeError, match="doracle"):
        Machine(environment={"data": None})


def test_a_decryption_writes_the_context_that_it_is_given():
    def decrypt(vmid, n, ctxt):
        ctxt.ctxt_regs.x3 = 77
        return n + 1

    machine = machine_with(decrypt_gp_regs=decrypt)
    machine.decrypt_gp_regs(1, 0)
    assert machine.state.shadow_ctxts[machine.constants.VCPU_PER_VM].ctxt_regs.x3 == 77


def test_an_observer_is_told_of_effects_as_they_happen():
    seen = []
    machine = machine_with(observer=seen.append)
    machine.map_page_host(0x345000)
    locks = [effect.lock for effect in seen if type(effect).__name__ == "LOCK"]
    assert locks == [machine.constants.S2PAGE_ID, machine.constants.NPT_ID]


def test_an_observer_may_end_a_call():
    def observer(effect):
        if type(effect).__name__ == "NPT_SET":
            raise RuntimeError("not this one")

    machine = machine_with(observer=observer)
    before = machine.fork()
    with pytest.raises(RuntimeError, match="not this one"):
        machine.map_page_host(0x345000)
    assert machine == before


def test_a_fork_asks_the_same_callbacks():
    machine = machine_with(reg_desc=lambda index: index + 1)
    assert machine.fork().get_sys_reg_desc_val(3) == 4
    assert machine.fork({"reg_desc": lambda index: 9}).get_sys_reg_desc_val(3) == 9
    assert machine.get_sys_reg_desc_val(3) == 4
