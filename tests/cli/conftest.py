# SPDX-License-Identifier: GPL-2.0-only
"""What the tests of the commands share."""

import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def source():
    """The top of the source tree."""
    return SOURCE


@pytest.fixture(scope="session")
def build():
    """The top of the build tree."""
    return pathlib.Path(os.environ["FHSIM"]).resolve().parents[1]


@pytest.fixture
def fhsim():
    """Runs fhsim and returns what it printed and its exit status."""

    def run(*arguments, stdin=None, env=None):
        return subprocess.run(
            [os.environ["FHSIM"], *map(str, arguments)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
            env={**os.environ, **(env or {})},
        )

    return run
