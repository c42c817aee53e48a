# SPDX-License-Identifier: GPL-2.0-only
"""The scenarios that show what the shipped kernel does otherwise than the spec."""

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ["FH_SOURCE_DIR"]) / "scenarios/machines/sekvm-4.18"
OTHERS_PAGE = FOLDER / "bad_vm_maps_another_vms_page.yaml"
DEPARTURES = sorted(path for path in FOLDER.glob("*.yaml") if path != OTHERS_PAGE)


def test_the_kernel_does_what_its_scenarios_say(fhsim):
    assert fhsim("run", FOLDER).returncode == 0


@pytest.mark.parametrize("path", DEPARTURES, ids=lambda path: path.stem)
def test_the_departure_of_a_scenario_makes_the_difference(fhsim, path):
    departure = path.stem.split("_")[1].upper()
    assert departure + ":" in path.read_text()
    result = fhsim("run", "--machine", "sekvm-4.18", "--without", departure, path)
    assert (result.returncode, result.stderr) == (1, "")


def test_a_vm_gets_another_vms_page_unless_the_panic_halts(fhsim):
    assert fhsim("run", OTHERS_PAGE).returncode == 0
    closed = fhsim("run", "--machine", "sekvm-4.18", "--without", "A1", OTHERS_PAGE)
    assert closed.returncode == 1
    assert "halted, which is not expected: sekvm-4.18.assign_pfn_to_vm" in closed.stdout
    spec = fhsim("run", "--machine", "spec", OTHERS_PAGE)
    assert spec.returncode == 1 and "halted, which is not expected" in spec.stdout
