# SPDX-License-Identifier: GPL-2.0-only
"""What the README shows is what happens."""

import re
import shutil
import subprocess

import pytest


@pytest.fixture(scope="module")
def readme(source):
    return (source / "README.md").read_text()


def block(readme, language, number=0):
    return re.findall(rf"^```{language}\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[number]


def test_the_first_scenario_passes(readme, fhsim, tmp_path):
    path = tmp_path / "first.yaml"
    path.write_text(block(readme, "yaml"))
    done = fhsim("run", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_expectation_fails_as_shown(readme, fhsim, tmp_path):
    path = tmp_path / "first.yaml"
    path.write_text(block(readme, "yaml").replace("PAGE_S2_KERNEL", "PAGE_S2_DEVICE"))
    done = fhsim("run", path)
    assert done.returncode == 1
    assert done.stdout.replace(f"{tmp_path}/", "") == block(readme, "console", 1)


def test_the_first_program_prints_what_is_shown(readme, source, build, tmp_path):
    compiler = shutil.which("cc")
    archive = build / "lib" / "libfaulthandler.a"
    if not compiler or not archive.exists():
        pytest.skip("no compiler, or no library in the build directory")
    program = tmp_path / "first.c"
    program.write_text(block(readme, "c"))
    binary = tmp_path / "first"
    flags = ["-fsanitize=address,undefined"] if "asan" in build.name else []
    subprocess.run([compiler, *flags, f"-I{source}/include", program, archive, "-o", binary],
                   check=True)
    done = subprocess.run([binary], capture_output=True, text=True, check=True)
    assert done.stdout == block(readme, "console", 2)


def test_the_scenarios_shown_are_the_shipped_ones(readme, fhsim, source):
    for name, story in re.findall(r"^ok    (\w+): (.*)$", block(readme, "console"), re.MULTILINE):
        [path] = (source / "scenarios").rglob(f"{name}.yaml")
        assert fhsim("run", path).stdout.splitlines()[0] == f"ok    {name}: {story}"
