# SPDX-License-Identifier: GPL-2.0-only
"""fhsim replay notices when a recording is forged: at that trap, and unexplained.

FH_CORRUPTIONS says how many forged records are tried (600), FH_SEED from which seed; FH_TRACES is a
folder of recordings, in place of the excerpts.
"""

import json
import os
import pathlib
import random
import subprocess

import pytest

from corruptions import OUTCOMES, corrupt
from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
CHANGED = os.environ.get("REPLAY_CHANGED") or os.path.join(os.environ.get("FH_BUILD_DIR", ""),
                                                           "tests/cli/replay_changed")
COUNT = int(os.environ.get("FH_CORRUPTIONS", "600"))
SEED = int(os.environ.get("FH_SEED", "1"))
TRACES = sorted(pathlib.Path(os.environ.get("FH_TRACES", SOURCE / "tests/data")).glob(
    "*.jsonl.zst"))
EVIDENCE = sorted((SOURCE / "tests/data/deviations").glob("*.jsonl.zst"))


def name(path):
    return path.name.split(".")[0]


def forge(rng, lines, count):
    """`count` forged records of a trace, each of another one, by number, with what was done."""
    forged = {}
    for _ in range(200 * count):
        if len(forged) == count:
            break
        at = rng.randrange(1, len(lines))
        if '"kind":"gap"' in lines[at - 1]:
            continue  # what EL2's registers were before is not known
        record = json.loads(lines[at])
        done = corrupt(rng, record)
        if done and record["seq"] not in forged:
            forged[record["seq"]] = done
    return forged


def replay_changed(trace, records, tmp_path):
    """What became of each record, by its number; one that cannot be is refused."""
    outcomes = {}
    while records:
        path = tmp_path / "changed.jsonl"
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        done = subprocess.run([CHANGED, trace, path], capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        words = [line.split(" ", 1) for line in done.stdout.splitlines()]
        refused = [int(number) for word, number in words if word == "refused"]
        outcomes |= {int(seq): outcome for seq, outcome in words if seq != "refused"}
        if not refused:
            break
        outcomes[records[refused[0]]["seq"]] = "refused"
        records = records[refused[0] + 1:]
    return outcomes


def missed(trace, forged, tmp_path):
    records = sorted((record for record, _ in forged.values()), key=lambda record: record["g0"])
    outcomes = replay_changed(trace, records, tmp_path)
    assert set(outcomes) == set(forged)
    return [f"{name(trace)}#{seq} {done}" for seq, (_, done) in forged.items()
            if outcomes[seq] not in ("unexplained", "refused")]


@pytest.mark.parametrize("trace", TRACES, ids=name)
def test_a_forged_record_is_unexplained(tmp_path, trace):
    rng = random.Random(f"{SEED} {trace.name}")
    forged = forge(rng, unpack(trace).splitlines(), COUNT // len(TRACES))
    found = missed(trace, forged, tmp_path)
    print(len(forged), "\n".join(found), sep="\n")
    assert len(found) <= len(forged) * 0.001, found


def test_a_record_as_it_was_is_not_unexplained(tmp_path):
    lines = unpack(TRACES[0]).splitlines()
    records = [json.loads(line) for line in lines[1::50]]
    outcomes = replay_changed(TRACES[0], records, tmp_path)
    assert len(outcomes) == len(records) and "unexplained" not in outcomes.values()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("trace", EVIDENCE, ids=name)
def test_an_inverted_outcome_of_a_departure_is_unexplained(tmp_path, trace, outcome):
    """The last record of a reduced recording is the one that shows the departure."""
    record = json.loads(unpack(trace).splitlines()[-1])
    rng = random.Random(SEED)
    forged = corrupt(rng, record, (outcome,))
    if forged:
        assert missed(trace, {record["seq"]: forged}, tmp_path) == []
