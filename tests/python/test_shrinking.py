# SPDX-License-Identifier: GPL-2.0-only
"""A sequence that fails becomes a small scenario, which fails in fhsim too."""

import pytest
import yaml
from hypothesis import Phase, settings
from hypothesis.stateful import rule, run_state_machine_as_test

from ledger import Ledger
from libfaulthandler import run_scenario
from ownership import PFNS, Difference, Ownership


class HostKeepsMappings(Ledger):
    """Books that are wrong about what the host may still reach."""

    def unmap_host(self, pfn):
        pass


class VcpusRegisterTwice(Ledger):
    """Books that do not know which vCPUs there are."""

    def register_vcpu(self, vmid, vcpuid):
        if self.is_ready(vmid):
            self.put(("vcpu", vmid, vcpuid), self.k.READY)
        return not self.is_ready(vmid)


class SharingHalts(Ledger):
    """Books in which nobody may share a page."""

    def grant(self, vmid, gfn, count):
        return bool(self.shared_pages(vmid, gfn, count))


class ReclaimedWhileRunning(Ownership):
    """Takes pages from VMs that run: the books agree, the invariants do not."""

    @rule(pfn=PFNS)
    def reclaim(self, pfn):
        if self.ledger["page", pfn][0] == 1:
            self.ledger.page(pfn, owner=0, shares=0, gfn=self.ledger.home(pfn))
        self.step(False, lambda machine: machine.clear_vm_page(1, pfn))


def with_books(books):
    return type("WrongBooks", (Ownership,), {"ledger_class": books})


@pytest.mark.parametrize("life, message", [
    (with_books(HostKeepsMappings), ".pfn"),
    (with_books(VcpusRegisterTwice), "halt"),
    (with_books(SharingHalts), "halt"),
    (ReclaimedWhileRunning, "vm_iso"),
])
def test_a_failure_shrinks_to_a_scenario_that_fhsim_reproduces(
    life, message, tmp_path, monkeypatch
):
    monkeypatch.setenv("FH_FAILURES", str(tmp_path))
    with pytest.raises(Difference):
        run_state_machine_as_test(life, settings=settings(
            max_examples=200, stateful_step_count=6, phases=[Phase.generate, Phase.shrink]))
    life.save_failure()
    scenario = tmp_path / f"{life.name}.yaml"
    report = run_scenario(scenario)
    assert not report
    assert message in report.failures()[0]
    calls = [step for step in yaml.safe_load(scenario.read_text())["steps"] if "call" in step]
    assert len(calls) <= 4
