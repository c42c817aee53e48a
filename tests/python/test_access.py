# SPDX-License-Identifier: GPL-2.0-only
"""Accesses to memory as calls: walks, faults, who handles them, data."""

import pytest

from libfaulthandler import Halted, InvalidArgument, Machine, Recorder, run_scenario

SECRET = 0x5ec2e7
SHIPPED = 0x40000


def machine_of(name="spec", realisation="both", base=0x200000, *, gives=True):
    """8 MiB of the host's; VM 1 has a page at 0x50000000 (if `gives`), and VM 2 may run."""
    machine = Machine(machine=name, realisation=realisation)
    machine.add_region(base, 0x800000)
    machine.add_smmu(0x100000)
    machine.add_vm(1, vcpus=2)
    machine.add_vm(2)
    if gives:
        machine.give(1, 0x50000, (base >> 12) + 0x100)
        machine.forget_logs()
    return machine


@pytest.fixture
def spec():
    return machine_of()


@pytest.fixture
def shipped():
    return machine_of("sekvm-4.18", base=SHIPPED << 12)


def test_the_host_touches_its_own_page_twice_and_faults_once(spec):
    made = spec.access(0x345678, rt=7)
    assert (made.end, made.tries, made.handled, made.pa) == ("done", 2, "kcore", 0x345678)
    # A load of 8 bytes into X7: DABT_LOW, IL, ISV, SAS 3, SRT 7, SF, DFSC 4.
    fault = made.fault
    assert (fault.kind, fault.level) == ("translation", 0)
    assert (fault.esr, fault.far, fault.hpfar, fault.fsr) == (0x93c78004, 0x345678, 0x3450, None)
    assert made.trap.end == "returns"
    made = spec.access(0x345678, rt=7)
    assert (made.tries, made.fault, made.handled, made.trap) == (1, None, "nobody", None)


def test_what_is_written_is_read_in_parts_and_extended(spec):
    spec.access(0x345004, "write", value=0x8877665544332211)
    assert spec.access(0x345004, size=1).value == 0x11
    assert spec.access(0x34500a, size=2, form=["signed"]).value == 0xffff8877
    assert spec.access(0x34500a, size=2, form=["signed", "x"], rt=3).value == 0xffffffffffff8877
    assert spec.state.regs.ctxt_regs.x3 == 0xffffffffffff8877


def test_the_host_that_touches_a_page_of_a_vm_is_the_end(spec):
    made = spec.access(0x300000)
    assert (made.end, made.pa, made.trap.where) == ("halted", None, "MemManager.map_page_host")


def test_a_halt_is_raised_if_wanted(spec):
    spec.raise_on_halt = True
    with pytest.raises(Halted) as caught:
        spec.access(0x300000)
    assert caught.value.where == "MemManager.map_page_host"


def test_a_vm_is_brought_to_the_cpu_and_accesses_what_is_mapped_for_it(spec):
    made = spec.access(0x50000008, "write", by={"vmid": 1, "vcpuid": 1}, value=SECRET)
    assert (made.end, made.tries, made.pa, made.owner) == ("done", 1, 0x300008, 1)
    assert (spec.state.cur_vmid, spec.state.cur_vcpuid) == (1, 1)
    assert spec.state.memory[0x300008] == SECRET


@pytest.mark.parametrize("answer, end, value", [
    ({"pfn": SHIPPED + 0x55}, "done", 0), ("stop", "stopped", None), ("nothing", "faults", None),
])
def test_the_host_answers_to_the_fault_of_a_vm(shipped, answer, end, value):
    made = shipped.access(0x60000010, by={"vmid": 2}, answers=[answer] * 3, tries=3)
    assert (made.end, made.handled) == (end, "host")
    if value is not None:
        assert (made.value, made.pa) == (value, (SHIPPED + 0x55) << 12 | 0x10)


def test_a_device_that_the_host_emulates_reads_as_the_host_says(shipped):
    made = shipped.access(0x9000000, by={"vmid": 1}, rt=4, answers=[{"value": 0x1234}])
    assert (made.end, made.value, made.pa) == ("emulated", 0x1234, None)
    assert shipped.state.regs.ctxt_regs.x4 == 0x1234


def test_the_shipped_kernel_lets_a_vm_read_anothers_secret(shipped):
    """A1, A16: the panic returns, and the page is mapped."""
    shipped.access(0x50000010, "write", by={"vmid": 1}, value=SECRET)
    made = shipped.access(0x60000010, by={"vmid": 2}, answers=[{"pfn": SHIPPED + 0x100}])
    assert (made.value, made.foreign, made.owner) == (SECRET, True, 1)


def test_the_fault_of_a_device_is_noted_by_its_smmu(spec):
    made = spec.access(0x1000, "write", by={"smmu": 0, "bank": 2})
    assert (made.end, made.handled, made.trap) == ("faults", "smmu", None)
    assert (made.fault.esr, made.fault.address) == (None, 0x1000)
    assert made.fault.fsr & 2  # TF: a translation fault


def test_an_access_is_made_on_the_cpu_that_is_asked_for(spec):
    spec.access(0x345000, cpu=2)
    assert spec.state.curid == 2


@pytest.mark.parametrize("wrong", [
    {"size": 3}, {"rt": 32}, {"by": {"vmid": 99}}, {"by": {"smmu": 0, "bank": 99}},
    {"address": 1 << 60}, {"value": 1 << 64}, {"cpu": 1 << 20}, {"cpu": 2, "size": 3},
])
def test_an_access_that_cannot_be_is_refused_and_changes_nothing(spec, wrong):
    before = spec.snapshot()
    with pytest.raises(InvalidArgument):
        spec.access(**{"address": 0x345000} | wrong)
    assert spec == before


@pytest.mark.parametrize("wrong", [
    {"access": "execute"}, {"by": "guest"}, {"by": {"vmid": 1, "cpu": 0}}, {"form": ["wide"]},
    {"by": {"vmid": 1}, "answers": ["perhaps"]},
    {"by": {"vmid": 1}, "answers": [{"pfn": 1, "x": 1}]},
])
def test_a_word_that_says_nothing_is_refused(spec, wrong):
    with pytest.raises(ValueError):
        spec.access(0x345000, **wrong)


def test_tables_that_are_no_words_cannot_be_walked():
    with pytest.raises(InvalidArgument):
        machine_of(realisation="abstract").access(0x345000)


def test_a_callback_that_raises_takes_the_access_back(spec):
    def oracle(lock, cpu, log):
        raise KeyError("nobody")

    raced = spec.fork(environment={"oracle": oracle})
    with pytest.raises(KeyError):
        raced.access(0x345678)
    assert raced == spec


@pytest.mark.parametrize("name, base", [("spec", 0x200000), ("sekvm-4.18", SHIPPED << 12)])
def test_accesses_are_recorded_as_a_scenario_that_plays(tmp_path, name, base):
    machine = machine_of(name, base=base, gives=False)
    recorder = Recorder(machine)
    machine.prot_and_map_vm_s2pt(1, 0x50000000, base + 0x100000, 3)
    machine.access(base + 0x4, "write", value=SECRET, size=4, rt=6)
    machine.access(base + 0x4, size=4, form=["signed"], cpu=1)
    machine.access(0x50000010, "write", by={"vmid": 1}, value=SECRET)
    machine.access(0x1000, by={"smmu": 0, "bank": 2})
    machine.access(0x60000010, by={"vmid": 2}, answers=[{"pfn": (base >> 12) + 0x100}])
    if not machine.halted:
        machine.access(0x60002010, by={"vmid": 2}, answers=["stop"])
    recorder.save(tmp_path / "accesses.yaml", "Accesses of all kinds.")
    report = run_scenario(tmp_path / "accesses.yaml")
    assert (report.failures(), report.steps) == ([], len(recorder))


def test_a_translation_that_a_tlb_keeps_is_recorded_too(tmp_path):
    spec = machine_of(gives=False)
    recorder = Recorder(spec)
    spec.access(0x345000, "write", value=7, tlb=True)
    assert spec.access(0x345000, tlb=True).cached
    recorder.save(tmp_path / "kept.yaml", "A TLB.")
    assert "tlb: stale" in (tmp_path / "kept.yaml").read_text()
    assert run_scenario(tmp_path / "kept.yaml").passed == 1
