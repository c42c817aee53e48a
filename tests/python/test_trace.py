# SPDX-License-Identifier: GPL-2.0-only
"""Traces in Python: reading, writing, replaying."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import pytest
import libfaulthandler as fh

SOURCE = pathlib.Path(os.environ["FH_SOURCE_DIR"])
HOST = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
VM = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"

pytestmark = pytest.mark.skipif(not hasattr(fh, "open_trace"), reason="built without the tools")


@pytest.fixture(scope="module")
def lines():
    return subprocess.run(["zstd", "-dc", HOST], check=True, capture_output=True).stdout.splitlines()


@pytest.fixture(scope="module")
def forged(lines):
    """The machine stores another descriptor than it should."""
    at = next(i for i in range(100, len(lines)) if b'"pt_store"' in lines[i])
    record = json.loads(lines[at])
    store = next(effect for effect in record["fx"] if effect["t"] == "pt_store")
    store["new"] = hex(int(store["new"], 16) ^ 0x40)
    return record["seq"], b"\n".join([*lines[:at], json.dumps(record).encode(), *lines[at + 1:]])


def test_a_trace_has_its_records(lines):
    records = list(fh.open_trace(HOST))
    assert [record.json for record in records] == [line.decode() for line in lines]
    first = json.loads(lines[2])
    assert records[2].seq == first["seq"] and records[2].kind == first["kind"]
    assert records[2].esr == int(first["in"]["esr"], 16)
    assert records[2].x == [int(value, 16) for value in first["in"]["x"]]
    assert records[2].effects == first["fx"] and records[2].data == first


@pytest.mark.parametrize("source", [HOST, str(HOST), HOST.read_bytes()])
def test_a_trace_is_a_path_or_bytes(source):
    assert all(trap.verdict in ("boot", "matched", "not replayed")
               for trap in fh.open_trace(source).replay())


def test_a_trace_is_an_open_file():
    with open(HOST, "rb") as file:
        assert sum(1 for _ in fh.open_trace(file)) == sum(1 for _ in fh.open_trace(HOST))


def test_a_replay_says_of_each_trap_what_the_command_says():
    traps = list(fh.open_trace(VM).replay())
    done = subprocess.run([os.environ["FHSIM"], "replay", "--json", "--show", "0", VM], check=True,
                          capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert sum(trap.verdict == "explained" for trap in traps) == report["explained"]
    by = {}
    for trap in traps:
        for name in trap.explanation.replace("(", "").replace(")", "").replace(",", "").split():
            by[name] = by.get(name, 0) + 1
    assert by == {name: entry["traps"] for name, entry in report["deviations"].items()}


def test_an_unexplained_trap_is_found_with_its_state(forged):
    seq, text = forged
    replay = fh.open_trace(text).replay()
    trap = replay.first()
    assert trap.seq == seq and trap.verdict == "unexplained" and "pt_store" in trap.difference
    assert trap.report["outcome"] == "unexplained"
    assert trap.state.shared.core_data.next_vmid >= 0
    next(replay)
    with pytest.raises(RuntimeError, match="went on"):
        trap.state


def test_snapshots_of_a_replay_are_compared():
    replay = fh.open_trace(VM).replay(credit="none")
    next(replay)
    before = replay.snapshot()
    trap = next(trap for trap in replay if trap.call == "HVC_REGISTER_KVM")
    changes = [str(change) for change in trap.snapshot.delta(before)]
    assert any("next_vmid" in change for change in changes)


def test_a_departure_can_be_left_out():
    assert fh.open_trace(VM).replay(without=["A7"]).first() is not None
    with pytest.raises(fh.TraceError, match="A999"):
        next(fh.open_trace(VM).replay(without=["A999"]))


@pytest.mark.parametrize("name", ["t.jsonl", "t.cbor", "t.jsonl.zst", "t.cbor.zst"])
def test_what_is_written_is_read(tmp_path, name, lines):
    with fh.TraceWriter(tmp_path / name) as out:
        for i, record in enumerate(fh.open_trace(HOST)):
            out.write(record if i % 2 else record.data)
    assert [record.data for record in fh.open_trace(tmp_path / name)] == [json.loads(line)
                                                                          for line in lines]


def test_a_trace_that_is_given_up_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), fh.TraceWriter(tmp_path / "t.cbor") as out:
        out.write(next(iter(fh.open_trace(HOST))))
        1 / 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("source, message", [
    (b"{}\n", "<bytes>:1:1: `seq` is missing"), (b"", "the trace is empty"),
    ("/nonexistent", "/nonexistent: cannot open")])
def test_what_is_no_trace_is_told_with_its_place(source, message, capfd):
    with pytest.raises(fh.TraceError, match="(?s).*") as raised:
        list(fh.open_trace(source).replay())
    assert message in str(raised.value)
    assert capfd.readouterr() == ("", "")


def test_a_writer_refuses_what_is_no_record(tmp_path):
    with pytest.raises(fh.TraceError, match="told by its name"):
        fh.TraceWriter(tmp_path / "t.txt")
    with fh.TraceWriter(tmp_path / "t.jsonl") as out:
        with pytest.raises(fh.TraceError, match="a record is an object"):
            out.write([1, 2])


def test_a_pipe_is_replayed_as_it_is_written(lines):
    read, write = os.pipe()
    with open(read, "rb") as pipe, open(write, "wb") as end:
        seen = []
        thread = threading.Thread(target=lambda: seen.extend(fh.open_trace(pipe).replay()))
        thread.start()
        end.write(b"\n".join(lines[:5]) + b"\n")
        end.flush()
        end.write(b"\n".join(lines[5:10]) + b"\n")
        end.close()
        thread.join(30)
        assert len(seen) == 10 and not thread.is_alive()


WAITING = """
import sys, libfaulthandler as fh
for trap in fh.open_trace(sys.argv[1]).replay(follow=True):
    print(trap.seq, flush=True)
"""


def test_the_programs_signals_are_its_own(tmp_path, lines):
    """Ctrl-C while more of the trace is waited for, as anywhere else in Python."""
    trace = tmp_path / "t.jsonl"
    trace.write_bytes(b"\n".join(lines[:5]) + b"\n")
    with subprocess.Popen([sys.executable, "-c", WAITING, trace], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as waiting:
        for _ in range(4):  # the last record may have another one before it
            waiting.stdout.readline()
        time.sleep(0.3)
        waiting.send_signal(signal.SIGINT)
        _, errors = waiting.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors and waiting.returncode != 0


def test_a_writer_that_is_dropped_leaves_no_file(tmp_path):
    out = fh.TraceWriter(tmp_path / "t.cbor")
    out.write(next(iter(fh.open_trace(HOST))))
    del out
    assert list(tmp_path.iterdir()) == []
