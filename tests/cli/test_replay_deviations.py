# SPDX-License-Identifier: GPL-2.0-only
"""The departures of a machine against recordings of the real SeKVM.

The excerpts of tests/data are recorded traps in which most host stage-2 faults, which only build
the tables, are merged into one record. tests/data/deviations has for a departure one recorded trap
that shows it, with what it takes to explain the rest of it. FH_TRACES, if set, is a folder with the
whole recordings.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
EVIDENCE = sorted((SOURCE / "tests/data/deviations").glob("*.jsonl.zst"))
EXCERPTS = sorted((SOURCE / "tests/data").glob("*_excerpt.jsonl.zst"))
TRACES = sorted(pathlib.Path(os.environ.get("FH_TRACES", "none")).glob("*.jsonl.zst"))


def replay(*arguments):
    done = subprocess.run([FHSIM, "replay", "--json", *map(str, arguments)], capture_output=True,
                          text=True, timeout=600)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def is_departure(identifier):
    text = (SOURCE / "machines/sekvm-4.18/machine.yaml").read_text()
    entry = re.search(rf"^  {identifier}:\n((?:    .*\n)+)", text, re.M)
    has_kind = re.search("^    kind: departure$", entry.group(1), re.M) if entry else None
    return entry and (has_kind or not re.search("^    (follows|kind):", entry.group(1), re.M))


def identifier(path):
    return path.name.split(".")[0]


def test_the_excerpts_are_explained():
    status, found = replay(*EXCERPTS)
    assert (status, found["diverged"]) == (0, 0)
    assert found["explained"] > 0


@pytest.mark.parametrize("path", EVIDENCE, ids=identifier)
def test_the_evidence_is_explained(path):
    status, found = replay(path)
    assert (status, found["diverged"]) == (0, 0)
    assert found["deviations"]


@pytest.mark.parametrize("path", [p for p in EVIDENCE if is_departure(identifier(p))],
                         ids=identifier)
def test_a_departure_is_credited_where_nothing_explains_the_trap_without_it(path):
    is_credited = identifier(path) in replay(path, "--credit", "all")[1]["deviations"]
    is_needed = replay(path, "--without", identifier(path))[1]["diverged"] > 0
    assert is_credited == is_needed


def test_credit_that_is_asked_once_for_traps_that_are_alike_is_that_of_each_trap():
    once, always = ({name: found["traps"] for name, found in
                     replay(*EXCERPTS, "--credit", credit)[1]["deviations"].items()}
                    for credit in ("once", "all"))
    assert once == always


def test_a_consequence_is_named_beside_the_departure_that_it_follows_from():
    """By the findings: a narrow access, a denied write and another VM's page, each of which panics."""
    for consequence in ("A16", "A35", "A36", "A55"):
        status, found = replay(SOURCE / f"tests/data/deviations/{consequence}.jsonl.zst",
                               "--explained", "--show", "1000")
        last = found["divergences"][-1]
        assert (status, consequence in last["explanations"]) == (0, True)
        assert "A1" in last["explanations"]
        assert f"A1 ({consequence})" in last["differences"][0]["explanation"]
        assert found["deviations"][consequence]["follows"] == "A1"


def test_a_consequence_is_not_named_without_the_departure():
    path = SOURCE / "tests/data/deviations/A35.jsonl.zst"
    _, found = replay(path, "--without", "A1")
    assert "A35" not in found["deviations"]


def test_a_denied_access_and_a_narrow_one_are_told_apart():
    """The excerpt has both: 1 or 2 bytes is A35, a write of 4 or 8 that is refused A36."""
    _, found = replay(SOURCE / "tests/data/08_smmu_host_mmio_hvc_excerpt.jsonl.zst", "--explained",
                      "--show", "100000")
    for trap in found["divergences"]:
        narrow, refused = ("A35" in trap["explanations"], "A36" in trap["explanations"])
        assert not (narrow and refused)
        if narrow or refused:
            assert "A1" in trap["explanations"]
            assert trap["denied"]["to"] == "registers of an SMMU"


@pytest.mark.parametrize("evidence, invariant, by", [
    ("A16", "vm_iso", ["A1", "A16"]),  # not A7 or A17, which the trap needs too
    ("A26", "smmu_iso", ["A26"]),
])
def test_an_invariant_breaks_because_of_that_without_which_it_holds(evidence, invariant, by):
    _, found = replay(SOURCE / f"tests/data/deviations/{evidence}.jsonl.zst", "--explained",
                      "--show", "1000")
    last = found["divergences"][-1]
    assert [(one["invariant"], one["by"]) for one in last["violations"]] == [(invariant, by)]
    blamed = {name for name, one in found["deviations"].items() if invariant in one["violations"]}
    assert blamed == set(by)


@pytest.mark.parametrize("path", [p for p in TRACES if "smp" in p.name], ids=identifier)
def test_within_a_section_of_another_cpu_no_invariant_is_broken(path):
    assert "host_iso" not in replay(path)[1]["violations"]


@pytest.mark.parametrize("path", TRACES, ids=identifier)
def test_a_whole_recording_is_explained(path):
    assert replay(path)[1]["diverged"] == 0
