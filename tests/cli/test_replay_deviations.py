# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue of deviations against recordings of the real SeKVM.

The excerpts of tests/data are recorded traps in which most host stage-2 faults, which only build
the tables, are merged into one record. FH_TRACES, if set, is a folder with the whole recordings.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
EXCERPTS = sorted((SOURCE / "tests/data").glob("*_excerpt.jsonl.zst"))
TRACES = sorted(pathlib.Path(os.environ.get("FH_TRACES", "none")).glob("*.jsonl.zst"))
FINDINGS = {"none", "denial of service", "integrity", "confidentiality"}


def replay(*arguments):
    done = subprocess.run([FHSIM, "replay", "--json", *map(str, arguments)], capture_output=True,
                          text=True, timeout=300)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="session")
def catalogue():
    listed = subprocess.run([FHSIM, "deviations", "--json"], capture_output=True, text=True,
                            timeout=60)
    return {deviation["id"]: deviation for deviation in json.loads(listed.stdout)}


@pytest.fixture(scope="session")
def excerpts():
    return replay(*EXCERPTS)[1]


@pytest.fixture(scope="session")
def traces():
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    return replay(*TRACES)[1]


def ids():
    source = (SOURCE / "sim/replay/deviations.c").read_text()
    return re.findall(r'^ +\{"([AL]\d+)"', source, re.M)


def test_the_excerpts_have_no_unexplained_difference(excerpts):
    assert len(EXCERPTS) == 4
    assert excerpts["diverged"] == 0
    assert excerpts["matched"] > 2700
    assert excerpts["explained"] > 600


def test_hypercalls_runs_and_exits_are_replayed(excerpts):
    kinds = excerpts["kinds"]
    for kind in ("host_hvc", "guest_exit", "host_npt"):
        assert kinds[kind]["not_replayed"] == 0
        assert kinds[kind]["traps"] > 100


def test_the_catalogue_is_well_formed(catalogue):
    assert list(catalogue) == ids()
    assert len(set(ids())) == len(ids())
    for deviation in catalogue.values():
        assert deviation["consequence"] in FINDINGS
        assert re.fullmatch(r"\d\d[a-z]?_\w+#\d+", deviation["evidence"])
        assert deviation["spec"] != deviation["machine"]


@pytest.mark.parametrize("deviation", ids())
def test_every_deviation_is_needed_where_it_occurs(excerpts, deviation):
    if deviation not in excerpts["deviations"]:
        pytest.skip("not in the excerpts")
    status, found = replay(*EXCERPTS, "--without", deviation, "--show", "1")
    assert status == 1
    assert deviation not in found["deviations"]
    assert found["diverged"] > 0


def test_most_deviations_occur_in_the_excerpts(excerpts):
    assert len(excerpts["deviations"]) >= 25


def test_all_recordings_replay_without_an_unexplained_difference(traces):
    assert traces["diverged"] == 0
    assert traces["bad_input"] is False
    assert traces["not_replayed"] <= 1


def test_every_deviation_occurs_first_where_the_catalogue_says(traces, catalogue):
    assert {name: found["first"] for name, found in traces["deviations"].items()} == {
        name: deviation["evidence"] for name, deviation in catalogue.items()}


@pytest.mark.parametrize("deviation", ids())
def test_every_deviation_is_needed_in_its_recording(catalogue, deviation):
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    name, number = catalogue[deviation]["evidence"].split("#")
    path = next(trace for trace in TRACES if trace.name.startswith(name))
    status, found = replay(path, "--without", deviation, "--show", "1")
    assert status == 1
    assert found["divergences"][0]["trap"] == f"{name}#{number}"


def test_invariants_that_the_machine_breaks_are_named():
    path = next(excerpt for excerpt in EXCERPTS if excerpt.name.startswith("09"))
    status, found = replay(path, "--invariants")
    assert status == 0
    broken = found["violations"]["smmu_iso"]
    # A26: a VM's device reaches memory that has no owner.
    assert broken["first"] == "09_smmu_vm_domains_excerpt#1774"
    assert "pfn = 0x9000" in broken["witness"]
    assert "s2_owner = 0xffffffff" in broken["witness"]
    assert replay(path)[1]["violations"] == {}


def test_a_vm_that_maps_another_vms_page_breaks_its_isolation():
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    path = next(trace for trace in TRACES if trace.name.startswith("10"))
    broken = replay(path, "--invariants")[1]["violations"]["vm_iso"]
    assert broken["first"] == "10_fuzz_vm_mgmt_hvc#22015"
    assert "vmid = 3" in broken["witness"]
    assert "s2_owner = 1" in broken["witness"]


def excerpt_lines(name):
    from test_replay import unpack

    return unpack(SOURCE / f"tests/data/{name}_excerpt.jsonl.zst").splitlines()


def test_a_leaf_that_is_taken_away_is_flushed(tmp_path):
    lines = excerpt_lines("09_smmu_vm_domains")
    for at, line in enumerate(lines):
        record = json.loads(line)
        if record["kind"] == "host_hvc" and any(fx["t"] == "tlbi" for fx in record["fx"]):
            break
    record["fx"] = [fx for fx in record["fx"] if fx["t"] != "tlbi"]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines[:at] + [json.dumps(record)]) + "\n")
    status, found = replay(path)
    assert status == 1
    differences = found["divergences"][0]["differences"]
    assert "tlbi" in [difference.get("field") for difference in differences
                      if difference["explanation"] == "unexplained"]


def test_a_divergence_names_the_traps_that_changed_the_page_before(tmp_path):
    lines = excerpt_lines("09_smmu_vm_domains")
    touched = {}
    for at, line in enumerate(lines[1:], 1):
        record = json.loads(line)
        pages = [fx for fx in record["fx"] if fx["t"] == "s2_read" and fx["owner"] > 0]
        if record["kind"] == "host_hvc" and pages and pages[0]["index"] in touched:
            break
        for fx in record["fx"]:
            if fx["t"] == "s2_set":
                touched[fx["index"]] = record["seq"]
    pages[0]["owner"] += 1
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines[:at] + [json.dumps(record)]) + "\n")
    differences = replay(path)[1]["divergences"][0]["differences"]
    unexplained = [d for d in differences if d["explanation"] == "unexplained"]
    assert unexplained[0]["last_changes"][0] == f"#{touched[pages[0]['index']]}"
