# SPDX-License-Identifier: GPL-2.0-only
"""What happens to a machine, written down as a scenario that fhsim plays."""

import pytest
import yaml

from libfaulthandler import Disagree, Machine, Recorder, ScenarioError, Stuck, minimise, run_scenario

from test_environment import machine_with, other_cpu_takes


def play(recorder, **changes):
    return run_scenario(recorder.scenario("recorded") | changes)


def life_of_a_vm(machine):
    """Registers, boots, shares, and gives back: some of each."""
    machine.register_kvm()
    machine.register_vcpu(1, 0)
    machine.set_boot_info(1, 0x200000, 0x3000)
    machine.remap_vm_image(1, 0x400, 0)
    machine.map_page_host(0x901000)
    machine.verify_and_load_images(1)
    machine.prot_and_map_vm_s2pt(1, 0x1000, 0x900000, 3)
    machine.grant_stage2_sg_gpa(1, 0x1000, 0x1000)
    machine.map_page_host(0x900000)
    machine.revoke_stage2_sg_gpa(1, 0x1000, 0x1000)
    machine.set_vm_poweroff(1)
    machine.clear_vm_stage2_range(1, 0x900000, 0x2000)


@pytest.mark.parametrize("deltas", [False, True])
def test_a_recorded_sequence_plays_in_fhsim(machine, deltas):
    recorder = Recorder(machine, deltas=deltas)
    life_of_a_vm(machine)
    report = play(recorder)
    assert report, report.failures()
    assert report.steps == len(recorder) == 12


@pytest.mark.parametrize("realisation", ["concrete", "both"])
def test_a_scenario_has_the_realisation_of_its_machine(realisation):
    machine = Machine(realisation=realisation)
    machine.add_region(0x200000, 0x800000)
    recorder = Recorder(machine)
    machine.map_page_host(0x345000)
    scenario = recorder.scenario("recorded")
    assert scenario["machine"]["realisation"] == realisation
    report = run_scenario(scenario)
    assert report, report.failures()


def test_a_disagreement_is_reproduced():
    machine = Machine(realisation="both")
    machine.add_region(0x200000, 0x800000)
    recorder = Recorder(machine)
    machine.map_page_host(0x345000)
    [word] = dict(machine.state.shared.npts[0].pt_pmd_pool.items())
    machine.state.shared.npts[0].pt_pmd_pool[word] = 0
    with pytest.raises(Disagree):
        machine.walk_s2pt(0, 0x345000)
    report = play(recorder)
    assert report, report.failures()


def test_a_saved_scenario_plays_from_its_file(machine, tmp_path):
    recorder = Recorder(machine, deltas=True)
    life_of_a_vm(machine)
    recorder.save(tmp_path / "life.yaml", "A VM lives and dies.", name="life")
    report = run_scenario(tmp_path / "life.yaml")
    assert report and report.scenarios[0]["name"] == "life"
    assert "0x900000" in (tmp_path / "life.yaml").read_text()


def test_a_scenario_notices_another_result(machine):
    recorder = Recorder(machine, deltas=True)
    machine.register_kvm()
    scenario = recorder.scenario("recorded")
    scenario["steps"][0]["expect"]["result"] = 2
    report = run_scenario(scenario)
    assert not report and "result" in report.failures()[0]


def test_a_minimal_scenario_has_only_the_steps_that_matter(machine):
    recorder = Recorder(machine)
    life_of_a_vm(machine)
    scenario = recorder.scenario("recorded")
    assert minimise(scenario) == scenario
    scenario["steps"].append({"check": {"shared.s2page.0x900.s2_owner": 1}})
    assert minimise(scenario)["steps"] == scenario["steps"][-1:]
    scenario["steps"][-1] = {"check": {"shared.vminfos.1.VS.vm_state": "UNUSED"}}
    assert minimise(scenario)["steps"] == [
        {"call": "VMPower.set_vm_poweroff", "args": {"vmid": 1}}, scenario["steps"][-1],
    ]


def test_stuck_and_halted_calls_are_expected_to_be(machine):
    recorder = Recorder(machine, deltas=True)
    with pytest.raises(Stuck):
        machine.map_page_host(1 << 40)
    machine.set_boot_info(3, 0, 0)
    assert machine.halted
    steps = recorder.scenario("recorded")["steps"]
    assert steps[0]["expect"] == {"stuck": "MemManager.map_page_host"}
    assert steps[1]["expect"]["halted"] == "BootOps.set_boot_info"
    assert play(recorder)


def test_the_state_at_the_start_and_writes_are_recorded(machine):
    machine.state.shared.npts[1].pt[0x10] = (0x345, 3, 0x345fff)
    machine.state.shared.npts[3].pud_t[1, 2] = True
    machine.state.lock[2] = "own"
    recorder = Recorder(machine, deltas=True)
    machine.state.regs.ctxt_regs.x0 = 5
    machine.write("shared.npts.3.pud_t.1.3", True)
    machine.set_pfn_owner(0x345, 4)
    report = play(recorder)
    assert report, report.failures()


def test_a_restored_snapshot_is_a_write(machine):
    recorder = Recorder(machine, deltas=True)
    before = machine.snapshot()
    machine.state.curid = 3
    machine.restore(before)
    machine.register_kvm()
    report = play(recorder)
    assert report, report.failures()


def test_answers_of_the_data_oracle_are_part_of_the_scenario():
    machine = machine_with(doracle=lambda vmid, n: 0x1000 + 16 * vmid + n)
    recorder = Recorder(machine, deltas=True)
    machine.assign_pfn_to_vm(1, 0x10, 0x345)
    scenario = recorder.scenario("recorded")
    assert scenario["data"]
    report = run_scenario(scenario)
    assert report, report.failures()


def test_events_of_other_cpus_are_part_of_the_scenario():
    machine = machine_with(oracle=other_cpu_takes(0x345, 1))
    recorder = Recorder(machine, deltas=True)
    machine.map_page_host(0x345000)
    assert recorder.scenario("recorded")["oracle"]
    report = play(recorder)
    assert report, report.failures()


def test_what_a_scenario_cannot_say_is_refused(machine):
    machine.map_page_host(0x345000)
    with pytest.raises(ValueError, match="empty logs"):
        Recorder(machine)
    watched = Machine(environment={"reg_desc": lambda index: 3})
    recorder = Recorder(watched)
    watched.get_sys_reg_desc_val(1)
    with pytest.raises(ValueError, match="reg_desc"):
        recorder.scenario("recorded")


def test_a_stopped_recorder_records_no_more(machine):
    recorder = Recorder(machine)
    machine.register_kvm()
    recorder.stop()
    machine.register_kvm()
    assert len(recorder) == 1


def test_a_scenario_that_fhsim_cannot_read_is_an_error(tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("description: no steps\n")
    with pytest.raises(ScenarioError, match="steps"):
        run_scenario(path)


def test_scenarios_are_plain_yaml(machine, tmp_path):
    recorder = Recorder(machine)
    machine.register_kvm()
    recorder.save(tmp_path / "one.yaml", "One step.")
    loaded = yaml.safe_load((tmp_path / "one.yaml").read_text())
    assert loaded["steps"] == [{"call": "BootOps.register_kvm", "expect": {"result": 1}}]
    assert loaded["machine"]["regions"] == [{"base": 0x200000, "size": 0x800000, "owner": 0}]
