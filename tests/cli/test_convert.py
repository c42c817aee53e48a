# SPDX-License-Identifier: GPL-2.0-only
"""fhsim convert, on the buffers that the toy hypervisor of examples/ records."""

import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("FH_BUILD_DIR", ""))
FHSIM = os.environ.get("FHSIM") or BUILD / "sim/fhsim"
TOY = BUILD / "examples/toy_hypervisor/toy_hypervisor"
FAULTS = 8
VM_PAGE = "0xe0000000"

pytestmark = pytest.mark.skipif(not TOY.exists(), reason="the examples are not built")


def fhsim(*arguments):
    return subprocess.run([FHSIM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120)


def convert(*paths):
    return fhsim("convert", "--from", "recorder", *paths)


def replay(tmp_path, trace):
    path = tmp_path / "toy.jsonl"
    path.write_text(trace)
    done = fhsim("replay", "--machine", "toy", "--json", path)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.fixture
def record(tmp_path):
    def run(*how):
        subprocess.run([TOY, tmp_path / "toy", *how], check=True, timeout=60)
        return [tmp_path / "toy.0", tmp_path / "toy.1"]

    return run


def test_the_toy_does_what_its_machine_says(tmp_path, record):
    done = convert(*record())
    assert (done.returncode, done.stderr) == (0, "")
    status, found = replay(tmp_path, done.stdout)
    assert status == 0
    assert found["diverged"] == 0
    assert found["matched"] + found["explained"] == FAULTS + 1
    # One address without an owner; a page of a VM, one of EL2.
    assert {name: of["traps"] for name, of in found["deviations"].items()} == {"T1": 1, "T2": 2}


def test_a_careless_toy_is_unexplained_where_it_maps_what_is_not_the_hosts(tmp_path, record):
    done = convert(*record("careless"))
    assert done.returncode == 0
    status, found = replay(tmp_path, done.stdout)
    assert status == 1
    assert found["diverged"] == 2
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [line for line in lines if any(
        fx["t"] == "pt_store" and fx["ipa"] in (VM_PAGE, "0x50bc0000") and fx["level"] == "pte"
        for fx in line["fx"])]
    assert len(wrong) == 2
    shown = fhsim("replay", "--machine", "toy", tmp_path / "toy.jsonl").stdout
    for line in wrong:
        assert f"toy#{line['seq']}" in shown


@pytest.mark.parametrize("form", ["jsonl", "cbor", "cbor.zst"])
def test_a_recording_becomes_a_trace_of_any_form(tmp_path, record, form):
    paths = record()
    target = tmp_path / f"new.{form}"
    done = fhsim("convert", "--from", "recorder", *paths, "-o", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert fhsim("convert", target).stdout == convert(*paths).stdout
    assert fhsim("replay", "--machine", "toy", target).returncode == 0


def test_traps_of_all_cpus_are_merged_by_their_event_numbers(record):
    paths = record()
    lines = [json.loads(line) for line in convert(*paths).stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(FAULTS + 1))
    assert {line["cpu"] for line in lines} == {0, 1}
    numbers = [fx["g"] for line in lines for fx in line["fx"]]
    assert numbers == sorted(numbers)
    assert lines == [json.loads(line) for line in convert(*reversed(paths)).stdout.splitlines()]


def test_a_cut_buffer_is_converted_up_to_the_cut(record):
    paths = record()
    whole = convert(paths[0]).stdout.splitlines()
    content = paths[0].read_bytes()
    paths[0].write_bytes(content[:-8])
    done = convert(paths[0])
    assert done.returncode == 2
    assert done.stderr == f"{paths[0]}: offset {len(content) - 8}: " \
                          "the file ends 1 words before its buffer\n"
    assert done.stdout.splitlines() == whole[:-1]


def test_a_damaged_buffer_is_refused_with_its_offset(record):
    paths = record()
    content = bytearray(paths[1].read_bytes())
    content[-20] ^= 1
    paths[1].write_bytes(content)
    done = convert(*paths)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{paths[1]}: offset ")
    assert len(done.stdout.splitlines()) == FAULTS


def test_the_same_buffer_twice_is_refused(record):
    paths = record()
    done = convert(paths[0], paths[0])
    assert done.returncode == 2
    assert "share one counter" in done.stderr


def test_a_format_must_be_known(record):
    paths = record()
    for arguments in (("convert", "--from", "recoder", paths[0]),
                      ("convert", "--from", "recorder")):
        done = fhsim(*arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("fhsim: convert: ")


def test_without_its_format_a_recording_is_no_trace(record):
    paths = record()
    done = fhsim("convert", paths[0])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{paths[0]}: not a trace") and "--from recorder" in done.stderr


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    done = convert(tmp_path / "none")
    assert done.returncode == 2
    assert "cannot open" in done.stderr
