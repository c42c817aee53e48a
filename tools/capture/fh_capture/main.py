# SPDX-License-Identifier: GPL-2.0-only
"""The command line of fh-capture."""

import argparse
import contextlib
import ctypes
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time

from . import CaptureError, rsp, symbols, vectors, watch
from .recording import Progress, Recording
from .session import Options, Session
from .target import Target

DESCRIPTION = "Records the EL2 entries of an unmodified hypervisor under QEMU. See docs/capture.md."
CONNECT_SECONDS = 10
PR_SET_PDEATHSIG = 1
VBAR = re.compile(r"(?:([a-z][a-z0-9]*)=)?(\S+)")


def parser():
    parser = argparse.ArgumentParser(prog="fh-capture", description=DESCRIPTION)
    add = parser.add_argument
    add("address", nargs="?", help="of the gdb stub: HOST:PORT, or the path of a Unix socket")
    add("--start", metavar="COMMAND", help="start this QEMU, record it, and end it")
    add("-o", "--output", metavar="FILE", default="-", help="the recording (default: print it)")
    add("--vectors", metavar="LIST", default="sync,irq,fiq,serror",
        help="kinds (sync, irq, fiq, serror: from lower levels), names as cur_spx_sync, or all")
    add("--vbar", metavar="[OWNER=]ADDRESS", action="append", default=[],
        help="a table of EL2 vectors, as an address or a symbol; OWNER as in host, guest")
    add("--symbols", metavar="FILE", help="kallsyms text, System.map, or an ELF file (vmlinux)")
    add("--registers", metavar="LIST", help="more system registers; = in front: only these")
    add("--walk", action="store_true", help="walk stage 2 for the faults' addresses")
    add("--watch", metavar="NAME=ADDRESS:LENGTH", action="append", default=[],
        help="physical memory whose changes are recorded")
    add("--watch-symbol", metavar="SYMBOL[:LENGTH]", action="append", default=[])
    add("--returns", action="store_true", help="record the returns from EL2, too")
    add("--text", metavar="START:LENGTH", help="where EL2's code is, for --returns")
    add("--skip-esb", action="store_true", help="skip an ESB at a vector in place of a step")
    add("--poll", metavar="SECONDS", type=positive, default=0.5,
        help="stop so often to look for new tables of vectors; 0: never (default %(default)s)")
    add("--count", metavar="N", type=int, default=0, help="end after so many lines")
    add("--duration", metavar="SECONDS", type=positive, default=0, help="end after this time")
    add("--timeout", metavar="SECONDS", type=positive, default=10,
        help="how long the stub may take to answer (default %(default)s)")
    return parser


def positive(text):
    value = float(text)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} is not a time")
    return value


class Stopping:
    """Set by a signal; what waits for the stub is woken up by the pipe. Requests in flight are
    answered before anybody looks."""

    def __init__(self):
        self.wake, self.write = os.pipe()
        os.set_blocking(self.write, False)
        self.wanted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._set)

    def is_set(self):
        return self.wanted

    def _set(self, number, frame):
        if self.wanted:
            raise KeyboardInterrupt
        self.wanted = True
        os.write(self.write, b"\n")


def start_qemu(command, directory):
    """QEMU, stopped at its first instruction, and the address of its stub. It is a session of its
    own: Ctrl-C is for the capture, which ends it in order."""
    path = os.path.join(directory, "gdb")
    words = shlex.split(command)
    if not words:
        raise CaptureError("--start: no command")
    words += ["-gdb", f"unix:{path},server=on,wait=off", "-S"]
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
    except OSError as error:
        raise CaptureError(f"{words[0]}: {error.strerror}") from None
    return process, path


def end_with_parent():
    """A capture that is killed cannot end QEMU any more: the kernel does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def end_qemu(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def connect(address, process, timeout):
    """The socket of the stub. One that is just being started is waited for."""
    deadline = time.monotonic() + CONNECT_SECONDS
    while True:
        try:
            return rsp.Client(rsp.open_socket(address), timeout)
        except OSError as error:
            if process is None:
                raise CaptureError(f"{address}: no gdb stub: {error.strerror or error}") from None
        if process.poll() is not None:
            raise CaptureError(f"QEMU ended at once, with status {process.returncode}")
        if time.monotonic() > deadline:
            raise CaptureError("QEMU does not open its gdb stub")
        time.sleep(0.02)


def parse_number_pair(text, option):
    start, colon, length = text.partition(":")
    if not colon:
        raise CaptureError(f"{option} {text}: not START:LENGTH")
    return watch.number(start, option), watch.number(length, option)


def make_tables(arguments, table_of_symbols):
    tables = vectors.Tables(vectors.chosen_entries(arguments.vectors), table_of_symbols)
    for text in arguments.vbar:
        match = VBAR.fullmatch(text)
        if not match:
            raise CaptureError(f"--vbar {text}: not [OWNER=]ADDRESS")
        owner, place = match.groups()
        if place[0].isdigit():
            tables.add(watch.number(place, "--vbar"), owner)
        elif table_of_symbols is None:
            raise CaptureError(f"--vbar {text}: a symbol needs --symbols")
        else:
            tables.add(table_of_symbols.address(place), owner, place if owner else None)
    return tables


def make_options(arguments, table_of_symbols):
    options = Options(
        walk=arguments.walk,
        returns=arguments.returns,
        skip_esb=arguments.skip_esb,
        poll=arguments.poll,
        count=arguments.count,
        duration=arguments.duration,
        timeout=arguments.timeout,
    )
    if arguments.registers:
        only = arguments.registers.startswith("=")
        names = [name for name in arguments.registers.lstrip("=").split(",") if name]
        kept = [] if only else options.system_registers
        options.system_registers = list(dict.fromkeys(kept + names))
    if arguments.text:
        options.text = parse_number_pair(arguments.text, "--text")
    if arguments.returns and not arguments.text and table_of_symbols is None:
        raise CaptureError("--returns needs --symbols or --text to find the returns")
    options.watches = [watch.parse_watch(text) for text in arguments.watch]
    options.watches += [
        watch.parse_watch_symbol(text, table_of_symbols) for text in arguments.watch_symbol
    ]
    return options


def open_recording(path):
    try:
        return Recording(path)
    except OSError as error:
        raise CaptureError(f"{path}: {error.strerror}") from None


def check_registers(options, target):
    """What the stub does not have is left out, but not silently."""
    missing = [name for name in options.system_registers if target.number(name) is None]
    if missing:
        print(f"fh-capture: the stub does not have {', '.join(missing)}", file=sys.stderr)


def capture(arguments, words, cleanup):
    table_of_symbols = symbols.load(arguments.symbols) if arguments.symbols else None
    tables = make_tables(arguments, table_of_symbols)
    options = make_options(arguments, table_of_symbols)
    stopping = Stopping()
    process = None
    address = arguments.address
    if arguments.start:
        directory = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="fh-capture-"))
        process, address = start_qemu(arguments.start, directory)
        cleanup.callback(end_qemu, process)
    client = connect(address, process, options.timeout)
    cleanup.callback(client.close)
    target = Target(client)
    check_registers(options, target)
    recording = open_recording(arguments.output)
    cleanup.callback(recording.close)
    progress = Progress(sys.stderr)
    session = Session(target, tables, recording, options, progress, stopping)
    session.announce(target.version(), words)
    return record(session, recording, progress, process)


def has_ended_well(process):
    """Whether QEMU is ours and has ended without an error."""
    try:
        return process is not None and process.wait(2) == 0
    except subprocess.TimeoutExpired:
        return False


def record(session, recording, progress, process):
    """Runs the session and writes how it ended."""
    try:
        reason = session.run()
    except CaptureError as error:
        if not isinstance(error, rsp.StubGone) or not has_ended_well(process):
            recording.comment(f"end: {error}")
            raise CaptureError(f"{error}; {recording.count} lines are recorded") from None
        reason = "the target has ended"
    finally:
        progress.clear()
        if process is None:
            session.leave()
    seconds = recording.seconds()
    recording.comment(f"end: {reason}; {recording.count} lines in {seconds:.3f} s")
    if recording.path != "-":
        rate = recording.count / seconds if seconds else 0
        print(
            f"fh-capture: {reason}: {recording.count} lines in {seconds:.1f} s, "
            f"{rate:.0f} a second, in {recording.path}",
            file=sys.stderr,
        )
    return 0


def main(words=None):
    words = sys.argv[1:] if words is None else words
    arguments = parser().parse_args(words)
    try:
        if bool(arguments.address) == bool(arguments.start):
            raise CaptureError("say either the address of a gdb stub or --start COMMAND")
        with contextlib.ExitStack() as cleanup:
            return capture(arguments, words, cleanup)
    except CaptureError as error:
        print(f"fh-capture: {error}", file=sys.stderr)
    except rsp.TargetEnded:
        print("fh-capture: the target ended before the capture began", file=sys.stderr)
    except BrokenPipeError:
        print("fh-capture: nobody reads the recording any more", file=sys.stderr)
    except OSError as error:
        print(f"fh-capture: {error.filename or 'the recording'}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        print("fh-capture: interrupted twice", file=sys.stderr)
    return 2
