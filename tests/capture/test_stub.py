# SPDX-License-Identifier: GPL-2.0-only
"""The tool against a stub that is not QEMU: what it sends, and what it does when all goes wrong."""

import os
import subprocess
import sys

import pytest

from conftest import SOURCE, TOOL
from fake_stub import CPSR, ESR, FAR, PC, TABLE
from fh_capture import CaptureError
from fh_capture.main import record
from fh_capture.rsp import StubGone

SYNC = TABLE + 0x400
AT_SYNC = {PC: SYNC, CPSR: 0x3C9, ESR: 0x5A000011, FAR: 0x1234}
ONE_TRAP = [("01", AT_SYNC), b"W00"]


def failed(done, text):
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("fh-capture: ")
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_trap_is_recorded_with_the_registers_that_the_stub_has(stub, fh_capture):
    fake = stub(stops=ONE_TRAP)
    done = fh_capture(fake.address)
    assert done.returncode == 0, done.stderr
    line, = done.recording.lines
    assert (line["n"], line["cpu"], line["vec"]) == ("1", "0", "lower64_sync")
    assert (line["ESR_EL2"], line["FAR_EL2"]) == (0x5A000011, 0x1234)
    assert (line["pc"], line["cpsr"]) == (SYNC, 0x3C9)
    assert fake.wrong == []


def test_a_register_that_the_stub_does_not_have_is_left_out_and_told(stub, fh_capture):
    done = fh_capture(stub(stops=ONE_TRAP).address, "--registers", "ICH_HCR_EL2,VBAR_EL2")
    line, = done.recording.lines
    assert "HPFAR_EL2" not in line and "ICH_HCR_EL2" not in line
    assert line["VBAR_EL2"] == TABLE
    assert "ICH_HCR_EL2" in done.recording.comment("missing")[0].split()
    assert "does not have HPFAR_EL2, " in done.stderr and ", ICH_HCR_EL2" in done.stderr


def test_a_register_that_cannot_be_read_is_left_out(stub, fh_capture):
    fake = stub(stops=ONE_TRAP, answers={b"p5a": b"E14", b"p5b": b"xxxxxxxxxxxxxxxx"})
    line, = fh_capture(fake.address).recording.lines
    assert "FAR_EL2" not in line and "ESR_EL2" not in line


def test_a_stop_that_comes_unasked_is_drained(stub, fh_capture):
    done = fh_capture(stub(stops=ONE_TRAP, greet=b"T02thread:01;").address)
    assert done.returncode == 0, done.stderr
    assert len(done.recording.lines) == 1


def test_all_registers_are_asked_for_in_one_burst(stub, fh_capture):
    """Every answer waits for the next request: a burst is the only way not to be slow."""
    fake = stub(stops=ONE_TRAP)
    fh_capture(fake.address)
    wanted = [b"p5b", b"p5a", *(b"p%x" % number for number in range(34))]
    start = fake.requests.index(b"p5b")
    assert fake.requests[start : start + len(wanted)] == wanted


def test_only_the_cpu_at_the_vector_is_stepped(stub, fh_capture):
    fake = stub(stops=[("02", AT_SYNC), b"W00"])
    line, = fh_capture(fake.address).recording.lines
    assert line["cpu"] == "1"
    assert [item for item in fake.requests if item.startswith(b"vCont")] == [
        b"vCont;c", b"vCont;s:02", b"vCont;c",
    ]


def test_two_cpus_at_vectors_at_one_stop_are_two_lines(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC), b"W00"])
    fake.registers["02"].update({**AT_SYNC, PC: SYNC + 0x80})
    lines = fh_capture(fake.address).recording.lines
    assert [(line["cpu"], line["vec"]) for line in lines] == [
        ("0", "lower64_sync"), ("1", "lower64_irq"),
    ]
    assert lines[0]["t"] == lines[1]["t"]


def test_a_vector_address_at_another_level_is_no_entry(stub, fh_capture):
    fake = stub(stops=[("01", {PC: SYNC, CPSR: 0x3C5}), b"W00"])
    assert fh_capture(fake.address).recording.lines == []
    assert b"vCont;s:01" in fake.requests


def test_a_table_that_a_cpu_takes_later_gets_breakpoints(stub, fh_capture):
    fake = stub(stops=[("01", {**AT_SYNC, 70: 0x40090000}), ("01", {PC: 0x40090480}), b"W00"])
    done = fh_capture(fake.address)
    assert [line["vec"] for line in done.recording.lines] == ["lower64_sync", "lower64_irq"]
    assert done.recording.comment("vectors") == ["0x40080000 unknown", "0x40090000 unknown"]


def test_a_cpu_that_hangs_at_a_vector_is_recorded_once(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC), b"W00"], answers={b"vCont;s": b"T05thread:01;"})
    done = fh_capture(fake.address)
    assert len(done.recording.lines) == 1
    assert done.recording.comment("a CPU hangs at")
    removed = fake.requests.index(b"z1,%x,4" % SYNC)
    assert b"vCont;c" in fake.requests[removed:]


def test_changes_of_watched_words_stand_in_the_line(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC), ("01", AT_SYNC), b"W00"])
    fake.memory = {0x1000: 0x77}
    done = fh_capture(fake.address, "--watch", "word=0x1000:8")
    assert [line.get("watch") for line in done.recording.lines] == ["word+0x0=0x77", None]


def test_the_capture_ends_after_a_number_of_lines_and_lets_the_target_run(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC)] * 5)
    done = fh_capture(fake.address, "--count", "3")
    assert len(done.recording.lines) == 3
    assert fake.requests[-1] == b"D"
    assert b"z1,%x,4" % SYNC in fake.requests


def test_a_second_cpu_at_the_last_stop_is_one_line_too_many(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC)])
    fake.registers["02"].update(AT_SYNC)
    assert len(fh_capture(fake.address, "--count", "1").recording.lines) == 1


def test_the_capture_ends_after_a_time(stub, fh_capture):
    done = fh_capture(stub(stops=[("01", AT_SYNC)] * 1000).address, "--duration", "0.2")
    assert done.returncode == 0
    assert done.recording.comment("end:")[0].startswith("0.2 s")


def test_it_connects_by_tcp_too(stub, fh_capture):
    assert fh_capture(stub(stops=ONE_TRAP, tcp=True).address).returncode == 0


def test_it_runs_as_a_module_and_prints_the_recording(stub):
    done = subprocess.run(
        [sys.executable, "-B", "-m", "fh_capture", stub(stops=ONE_TRAP).address],
        capture_output=True, text=True, timeout=20,
        env={**os.environ, "PYTHONPATH": str(SOURCE / "tools/capture")},
    )
    assert done.returncode == 0
    assert done.stdout.startswith("# fh-capture 1\n")
    assert "\nn=1 " in done.stdout
    assert done.stderr.startswith("fh-capture: the stub does not have HPFAR_EL2, ")
    assert done.stderr.count("\n") == 1


def test_without_a_server_it_says_so(fh_capture, tmp_path):
    failed(fh_capture(tmp_path / "nobody"), "no gdb stub: No such file or directory")
    failed(fh_capture("127.0.0.1:1"), "no gdb stub: Connection refused")
    assert not fh_capture.path.exists()


def test_a_server_that_is_no_gdb_stub_is_told(stub, fh_capture):
    failed(fh_capture(stub(answers={b"qSupported": b"hello"}).address), "not a gdb stub")
    assert not fh_capture.path.exists()


@pytest.mark.parametrize("when", [b"qSupported", b"qXfer", b"qfThreadInfo", b"Z1"])
def test_a_stub_that_vanishes_is_told(stub, fh_capture, when):
    failed(fh_capture(stub(vanish=when).address), "the gdb stub is gone")


def test_what_came_before_the_stub_vanished_is_kept(stub, fh_capture):
    fake = stub(stops=[("01", AT_SYNC)] * 3, vanish=b"vCont;s:02")
    fake.stops.append(("02", AT_SYNC))
    done = fh_capture(fake.address)
    failed(done, "the gdb stub is gone")
    assert "4 lines are recorded" in done.stderr
    assert len(done.recording.lines) == 4
    assert done.recording.comment("end:")[0].startswith("the gdb stub is gone")


@pytest.mark.parametrize("request_start, data, text", [
    (b"p5b", b"$12#00", "wrong checksum"),
    (b"p5b", b"$12zz#%02x" % (sum(b"12zz") & 0xFF), "answered p with"),
    (b"Hg", b"$#00", "has lost thread"),
    (b"Z1", b"$E22#a9", "refused a hardware breakpoint"),
    (b"qXfer:features:read:core", b"$E00#a5", "no target description core.xml"),
    (b"qfThreadInfo", b"$#00", "does not list its CPUs"),
    (b"vCont;s", b"$OK#9a", "in place of a stop"),
])
def test_a_malformed_reply_is_told(stub, fh_capture, request_start, data, text):
    fake = stub(
        stops=ONE_TRAP,
        mangle=lambda request, own: data if request.startswith(request_start) else own,
    )
    failed(fh_capture(fake.address), text)


def test_a_stub_that_does_not_answer_is_given_up(stub, fh_capture):
    fake = stub(mangle=lambda request, own: b"" if request == b"qfThreadInfo" else own)
    failed(fh_capture(fake.address, "--timeout", "0.2"), "did not answer 'qfThreadInfo' in 0.2 s")


def test_a_target_that_is_not_aarch64_is_refused(stub, fh_capture):
    files = {"target.xml": '<target><reg name="eax" bitsize="32"/></target>'}
    failed(fh_capture(stub(files=files).address), "not an AArch64 machine")


def test_memory_that_is_not_there_cannot_be_watched(stub, fh_capture):
    done = fh_capture(stub(stops=ONE_TRAP).address, "--watch", "hole=0x8000:8")
    failed(done, "watch hole: no memory at 0x8000")


@pytest.mark.parametrize("words, text", [
    ([], "say either"),
    (["a:1", "--start", "qemu"], "say either"),
    (["a:1", "--vectors", "sink"], "no vector 'sink'"),
    (["a:1", "--vbar", "0x123"], "not the address of a vector table"),
    (["a:1", "--vbar", "host=vectors"], "needs --symbols"),
    (["a:1", "--returns"], "--returns needs"),
    (["a:1", "--text", "5", "--returns"], "not START:LENGTH"),
    (["a:1", "--symbols", "nothing.elf"], "nothing.elf: No such file"),
    (["a:1", "--watch", "x"], "not NAME=ADDRESS:LENGTH"),
    (["--start", ""], "say either"),
    (["--start", "no-such-qemu"], "no-such-qemu: No such file"),
    (["--start", "false"], "QEMU ended at once, with status 1"),
])
def test_wrong_usage_is_told(fh_capture, words, text):
    failed(fh_capture(*words), text)


def test_a_file_that_cannot_be_written_is_told(stub, tmp_path):
    done = subprocess.run(
        [TOOL, stub().address, "-o", tmp_path / "none/file"],
        capture_output=True, text=True, timeout=20,
    )
    failed(done, "none/file: No such file or directory")


class Quiet:
    """Stands for what record() needs beside a session that loses its stub."""

    path, count = "recording", 3

    def __init__(self, status):
        self.status = status
        self.comments = []

    def run(self):
        raise StubGone("the gdb stub is gone")

    def wait(self, seconds):
        return self.status

    def comment(self, text):
        self.comments.append(text)

    def seconds(self):
        return 1.0

    def clear(self):
        pass


@pytest.mark.parametrize("status, comment", [(0, "end: the target has ended"), (1, "end: the gdb")])
def test_the_end_of_our_own_qemu_is_good_if_its_status_is(status, comment):
    """QEMU that powers off may close its stub before it has said so."""
    quiet = Quiet(status)
    if status == 0:
        assert record(quiet, quiet, quiet, quiet) == 0
    else:
        with pytest.raises(CaptureError, match="3 lines are recorded"):
            record(quiet, quiet, quiet, quiet)
    assert quiet.comments[0].startswith(comment)
