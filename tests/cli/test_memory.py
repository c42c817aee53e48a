# SPDX-License-Identifier: GPL-2.0-only
"""How much memory it takes to go through a trace: that of its longest record, whatever its length."""

import json
import os
import pathlib
import resource
import subprocess

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
HOST = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
LONG = 24000  # records of a trace that is larger than what there is to go through it
EFFECTS = 100000  # of one record
MIB, GIB = 1 << 20, 1 << 30
EVIDENCE = SOURCE / "tests/data/deviations"
ROOM = 40 * MIB


pytestmark = pytest.mark.skipif("asan" in FHSIM, reason="sanitizers take memory of their own")
OTHER = {"jsonl": "cbor", "cbor": "jsonl"}


@pytest.fixture(scope="module")
def records():
    return [json.loads(line) for line in unpack(HOST).splitlines()]


def run(room, *arguments):
    """The exit status of fhsim with so many bytes of memory, 2 if it needs more."""
    return subprocess.run([FHSIM, *map(str, arguments)], stdout=subprocess.DEVNULL, timeout=300,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (room, room)),
                          check=False).returncode


def repeated(records, count):
    """The host faults on the last page again and again: nothing is left to do but to map it."""
    yield from records[:-1]
    last, length = records[-1], records[-1]["g1"] - records[-1]["g0"] + 1
    store = next(effect for effect in last["fx"] if effect["t"] == "pt_store")
    for at in range(count - len(records) + 1):
        moved = {**last, "seq": last["seq"] + at, "g0": last["g0"] + at * length,
                 "g1": last["g1"] + at * length}
        moved["fx"] = [{**effect, "g": effect["g"] + at * length} for effect in last["fx"]]
        for effect in moved["fx"]:
            if at > 0 and effect["t"] == "pt_store":
                effect["old"] = store["new"]
        yield moved


def write(path, records):
    with open(path, "w") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")
    return path


def long_record(record, count):
    fx = record["fx"]
    effects = [{**fx[at % len(fx)], "g": record["g0"] + 1 + at} for at in range(count)]
    return {**record, "fx": effects, "g1": record["g0"] + 1 + count}


def encoded(path, encoding):
    """The trace at a path, in this encoding."""
    if encoding == "jsonl":
        return path
    subprocess.run([FHSIM, "convert", path, "-o", path.with_suffix(".cbor")], check=True)
    return path.with_suffix(".cbor")


@pytest.mark.parametrize("encoding", ["jsonl", "cbor"])
def test_memory_does_not_follow_the_length_of_a_trace(tmp_path, records, encoding):
    text = write(tmp_path / "t.jsonl", repeated(records, LONG))
    assert text.stat().st_size > ROOM
    trace = encoded(text, encoding)
    assert run(ROOM, "replay", trace, "--show", 0) == 0
    assert run(ROOM, "convert", trace, "-o", tmp_path / f"out.{OTHER[encoding]}") == 0


# Bytes for an effect: its text or its words, and what is made of it.
@pytest.mark.parametrize("command, encoding, limit", [
    ("replay", "jsonl", 500), ("replay", "cbor", 300), ("convert", "jsonl", 300),
    ("convert", "cbor", 150), ("reduce", "jsonl", 900)])
def test_memory_for_a_long_record_has_a_limit(tmp_path, records, command, encoding, limit):
    text = write(tmp_path / "t.jsonl", [*records[:4], long_record(records[4], EFFECTS)])
    trace = encoded(text, encoding)
    options = {"replay": ["--show", 0], "convert": ["-o", tmp_path / f"out.{OTHER[encoding]}"],
               "reduce": ["--keep", "unexplained", "-o", tmp_path / "out.jsonl"]}
    status = 1 if command == "replay" else 0
    assert run(ROOM + EFFECTS * limit, command, trace, *options[command]) == status


def test_a_prediction_without_end_is_given_up(tmp_path):
    """A wrong number in a machine: so many pages are given away for one that no memory would do."""
    (tmp_path / "machine.yaml").write_text(
        "machine: wide\ntitle: blocks that are too large\nextends: sekvm-4.18\n"
        "constants: {PMD_PAGE_NUM: 0x1000000}\n")
    done = subprocess.run([FHSIM, "replay", "--machine", tmp_path, "--show", "20", EVIDENCE / "A15.jsonl.zst"],
                          capture_output=True, text=True, check=False, timeout=120,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (GIB, GIB)))
    assert done.returncode == 1, done.stderr
    assert "effects < PREDICTION_EFFECTS" in done.stdout
