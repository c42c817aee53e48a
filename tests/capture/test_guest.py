# SPDX-License-Identifier: GPL-2.0-only
"""The small virtual machine that comes with the tool."""

import subprocess

from conftest import SOURCE


def test_the_monitor_compiles_as_the_document_says(tmp_path):
    done = subprocess.run(
        ["aarch64-linux-gnu-gcc", "-O2", "-static", "-Wall", "-Wextra", "-Wconversion", "-Wshadow",
         "-o", tmp_path / "monitor", SOURCE / "tools/capture/guest/monitor.c"],
        capture_output=True, text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
