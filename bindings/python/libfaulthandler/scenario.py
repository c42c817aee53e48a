# SPDX-License-Identifier: GPL-2.0-only
"""Scenarios: written as YAML, and run by the program `fhsim`."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import yaml

from ._format import number


class ScenarioError(Exception):
    """fhsim could not read the scenario: its message names the line."""


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of the scenarios of a run. True if all did what they must."""

    passed: int
    failed: int
    steps: int
    scenarios: list  # as `fhsim run --format json` prints them

    def __bool__(self):
        return self.failed == 0

    def failures(self):
        """The messages of all that failed."""
        return [
            f"{scenario['name']}: {failure['message']}"
            for scenario in self.scenarios
            for failure in scenario.get("failures", [])
        ]


class _Dumper(yaml.SafeDumper):
    """Numbers in hexadecimal, and no anchors, which scenarios do not have."""

    def ignore_aliases(self, data):
        return True


def _represent_list(dumper, items):
    """A list of plain values, or an event, stands on one line."""
    is_short = bool(items) and not isinstance(items[0], (dict, list))
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=is_short or None)


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(
    int, lambda dumper, item: dumper.represent_scalar("tag:yaml.org,2002:int", number(item))
)


def dump(scenario):
    """A scenario as the text of a file."""
    return yaml.dump(
        scenario, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=100
    )


def find_fhsim():
    """The program: $FHSIM, the one installed beside this package, or the one on the path."""
    beside = [parent / "bin" / "fhsim" for parent in pathlib.Path(__file__).resolve().parents[2:6]]
    for candidate in [os.environ.get("FHSIM"), *filter(pathlib.Path.is_file, beside)]:
        if candidate:
            return str(candidate)
    found = shutil.which("fhsim")
    if not found:
        raise FileNotFoundError("fhsim is not on the path; $FHSIM may name it")
    return found


def run_scenario(scenario, *more, fhsim=None, timeout=60):
    """Run scenarios with fhsim: paths of files and folders, or one scenario as a dict."""
    source = None
    if isinstance(scenario, dict):
        source, scenario = dump(scenario), "-"
    done = subprocess.run(
        [fhsim or find_fhsim(), "run", "--format", "json", *map(str, [scenario, *more])],
        input=source, capture_output=True, text=True, timeout=timeout, check=False,
    )
    if done.returncode not in (0, 1):
        raise ScenarioError(done.stderr.strip())
    result = json.loads(done.stdout)
    return Report(result["passed"], result["failed"], result["steps"], result["scenarios"])


def minimise(scenario, fhsim=None):
    """The smallest part of a scenario that fails as the whole does, step by step left out.

    scenario: a dict. It is returned as it is if it does not fail.
    """
    wanted, before = _last_failure(scenario, fhsim), None
    while wanted and before != scenario:
        before = scenario
        for i in reversed(range(len(scenario["steps"]) - 1)):
            shorter = dict(scenario, steps=scenario["steps"][:i] + scenario["steps"][i + 1:])
            if _last_failure(shorter, fhsim) == wanted:
                scenario = shorter
    return scenario


def _last_failure(scenario, fhsim):
    """What fails in the last step, or None."""
    try:
        report = run_scenario(scenario, fhsim=fhsim)
    except ScenarioError:
        return None
    failures = report.scenarios[0].get("failures", [])
    is_last = report.steps == len(scenario["steps"])
    return [failure["message"] for failure in failures] if failures and is_last else None
