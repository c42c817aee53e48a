# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the Python package share."""

import os

import hypothesis
import pytest

import libfaulthandler

hypothesis.settings.register_profile(
    "fixed", derandomize=True, deadline=None, database=None, max_examples=120,
    stateful_step_count=40,
)
hypothesis.settings.register_profile(
    "random", deadline=None, max_examples=1000, stateful_step_count=60
)
hypothesis.settings.load_profile(os.environ.get("FH_HYPOTHESIS", "fixed"))


@pytest.fixture
def machine():
    """8 MiB of the host's memory and an SMMU, nothing mapped."""
    machine = libfaulthandler.Machine()
    machine.add_region(0x200000, 0x800000)
    machine.add_smmu(0x100000)
    return machine
