# SPDX-License-Identifier: GPL-2.0-only
"""Traces that are still being written: what is told at once, and how it ends."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
HOST = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
FORGED = 100  # the record that is forged


@pytest.fixture(scope="module")
def records():
    return unpack(HOST).encode().splitlines()


@pytest.fixture(scope="module")
def forged(records):
    """The machine stores another descriptor than it should."""
    at = next(i for i in range(FORGED, len(records)) if b'"pt_store"' in records[i])
    record = json.loads(records[at])
    store = next(effect for effect in record["fx"] if effect["t"] == "pt_store")
    store["new"] = hex(int(store["new"], 16) ^ 0x40)
    return record["seq"], [*records[:at], json.dumps(record).encode(), *records[at + 1:]]


def follow(*arguments, stdin=None):
    return subprocess.Popen([FHSIM, "replay", "--follow", "--show", "0", *map(str, arguments)],
                            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def counts(text):
    """How many traps were seen, and how many of them were unexplained."""
    line = next(line for line in text.splitlines() if line.startswith("all"))
    return int(line.split()[1]), int(line.split()[4])


def test_an_unexplained_trap_is_told_while_the_pipe_is_open(forged):
    seq, lines = forged
    process = follow("-", stdin=subprocess.PIPE)
    process.stdin.write(b"\n".join(lines[:FORGED + 60]) + b"\n")
    process.stdin.flush()
    told = process.stdout.readline().decode()
    assert f"#{seq}: host_npt on CPU 0, unexplained: " in told
    rest = process.communicate()[0].decode()
    assert counts(rest) == (FORGED + 60, 1) and process.returncode == 1


def test_a_record_is_judged_when_it_is_whole_though_it_comes_byte_by_byte(records):
    process = follow("-", stdin=subprocess.PIPE)
    text = b"\n".join(records[:3]) + b"\n"
    for i in range(0, len(text), 7):
        process.stdin.write(text[i:i + 7])
        process.stdin.flush()
    assert counts(process.communicate()[0].decode()) == (3, 0)


def test_stop_ends_at_the_first_unexplained_trap(forged):
    seq, lines = forged
    process = follow("--stop", "-", stdin=subprocess.PIPE)
    process.stdin.write(b"\n".join(lines[:FORGED + 60]) + b"\n")
    process.stdin.flush()  # and the pipe stays open
    assert process.wait(timeout=60) == 1
    text = process.stdout.read().decode()
    process.stdin.close()
    assert counts(text)[1] == 1 and counts(text)[0] <= FORGED + 60
    assert f"#{seq}" in text


def test_stop_without_follow_leaves_the_rest_unread(tmp_path, forged):
    _, lines = forged
    (tmp_path / "t.jsonl").write_bytes(b"\n".join([*lines, b"no record"]) + b"\n")
    done = subprocess.run([FHSIM, "replay", "--stop", tmp_path / "t.jsonl"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1 and done.stderr == ""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_growing_file_is_followed_until_somebody_ends_it(tmp_path, records, ending):
    trace = tmp_path / "t.jsonl"
    trace.write_bytes(b"\n".join(records[:20]) + b"\n" + records[20][:40])
    process = follow(trace)
    time.sleep(0.3)
    with open(trace, "ab") as file:
        file.write(records[20][40:] + b"\n" + records[21] + b"\n" + records[22][:30])
    time.sleep(0.7)
    process.send_signal(ending)
    out, err = process.communicate(timeout=60)
    assert counts(out.decode()) == (22, 0), "the record that was cut is left out"
    assert process.returncode == 0 and err == b""


def test_a_cbor_file_that_is_cut_when_it_is_ended_is_no_bad_input(tmp_path, records):
    (tmp_path / "t.jsonl").write_bytes(b"\n".join(records[:50]) + b"\n")
    subprocess.run([FHSIM, "convert", "--to", "cbor", "-o", tmp_path / "t.cbor", tmp_path / "t.jsonl"],
                   check=True)
    whole = (tmp_path / "t.cbor").read_bytes()
    (tmp_path / "cut.cbor").write_bytes(whole[:-20])
    process = follow(tmp_path / "cut.cbor")
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert counts(out.decode())[0] in (48, 49) and err == b"" and process.returncode == 0


def test_a_socket_is_followed(tmp_path, records):
    path = str(tmp_path / "s")
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen()
    process = follow(path)
    connection, _ = server.accept()
    connection.sendall(b"\n".join(records) + b"\n")
    connection.close()
    out, _ = process.communicate(timeout=60)
    assert counts(out.decode()) == (len(records), 0)


@pytest.mark.parametrize("arguments, message", [
    (["a", "b"], "--follow has one trace"),
    (["--from", "ftrace", "a"], "--follow reads traces"),
    (["/nonexistent"], "cannot open: No such file or directory")])
def test_what_cannot_be_followed_is_told(arguments, message):
    done = subprocess.run([FHSIM, "replay", "--follow", *arguments], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 2 and message in done.stderr
