# SPDX-License-Identifier: GPL-2.0-only
"""Traces of a hypervisor: reading, writing, and replaying beside a model of the machine.

    for trap in open_trace("04.cbor").replay(machine="sekvm-4.18"):
        if trap.verdict == "unexplained":
            print(trap, trap.difference, trap.state.shared.s2page[0x80])
"""

import json
import os

from ._machine import Snapshot
from ._native import ffi, lib
from ._tables import INVARIANTS, text

_MESSAGE = 1000


class TraceError(Exception):
    """A trace that cannot be read or written, or is not of the machine: the message has the place."""


class TraceRecord:
    """A record: one stay at EL2, with all that docs/trace-format.md says of it in `data`."""

    def __init__(self, c):
        self.seq, self.cpu, self.line = c.seq, c.cpu, c.line
        self.kind = text(c.kind)
        self.call = text(c.call) if c.call else None
        self.to = text(c.to) if c.to else None
        self.x = list(c.x)
        self.esr, self.far, self.hpfar = c.esr, c.far, c.hpfar
        self.elr, self.spsr = c.elr, c.spsr
        self.json = ffi.string(c.json, c.json_length).decode()

    @property
    def data(self):
        """The record as it stands in the trace, a dict."""
        return json.loads(self.json)

    @property
    def effects(self):
        """What the machine did, in order: a list of dicts, `t` is the kind of each."""
        return self.data.get("fx", [])

    def __repr__(self):
        return f"<#{self.seq} {self.call or self.kind} on CPU {self.cpu}>"


class Trap(TraceRecord):
    """A record that was replayed.

    verdict      "matched", "explained", "unexplained", "not replayed"; "boot" of the first record
    explanation  the departures that explain it, "A1 (A35), A30", or ""
    difference   of an unexplained trap: the first difference in words
    broken       the security invariants that hold no longer, by name
    """

    def __init__(self, c, replay):
        super().__init__(c.record)
        self.verdict = text(c.outcome)
        self.explanation = text(c.explanation)
        self.difference = text(c.difference)
        self.broken = [name for i, name in enumerate(INVARIANTS) if c.broken >> i & 1]
        self._report = ffi.string(c.json, c.json_length).decode()
        self._replay = replay
        self._step = replay.steps

    @property
    def report(self):
        """All that `fhsim replay --json` says of the trap, a dict."""
        return json.loads(self._report)

    @property
    def snapshot(self):
        """The model's state behind the trap: a Snapshot, to be taken before the replay goes on."""
        if self._replay.steps != self._step:
            raise RuntimeError("the replay went on: take the snapshot while it stands at the trap")
        return self._replay.snapshot()

    @property
    def state(self):
        """The parts of that state, by their names: `trap.state.shared.s2page[0x80].s2_owner`."""
        return self.snapshot.state

    def __repr__(self):
        return f"{super().__repr__()[:-1]}, {self.verdict}>"


def _path_of(source):
    """A path that the library opens, and what must live as long."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        file = os.fdopen(os.memfd_create("trace"), "w+b")
        file.write(source)
        file.flush()
        return f"/proc/self/fd/{file.fileno()}", file
    if hasattr(source, "fileno"):
        return f"/proc/self/fd/{source.fileno()}", source
    return os.fspath(source), None


def _named(message, path, file):
    """A message about what has no name of its own."""
    if file is None:
        return text(message)
    name = getattr(file, "name", None)
    return text(message).replace(path, name if isinstance(name, str) else "<bytes>")


class Replay:
    """A replay of a trace: iterating gives its traps, in the order in which they began."""

    def __init__(self, source, machine, without, credit, invariants, follow):
        if credit not in ("once", "all", "none"):
            raise ValueError(f"credit is once, all or none, not {credit!r}")
        path, self._file = _path_of(source)
        self._path = path
        self._names = [ffi.new("char[]", os.fspath(machine).encode()),
                       ffi.new("char[]", ",".join(without).encode())]
        options = ffi.new("struct fht_options *", {
            "machine": self._names[0], "without": self._names[1],
            "credits_all": credit == "all", "no_credits": credit == "none",
            "no_invariants": not invariants, "follows": follow})
        self._options = options
        self._replay = ffi.gc(lib.fht_replay_open(path.encode(), options), lib.fht_replay_close)
        self._verdict = ffi.new("struct fht_verdict *")
        self.steps = 0

    def __iter__(self):
        return self

    def __next__(self):
        step = lib.fht_replay_next(self._replay, self._verdict)
        if step == lib.FHT_END:
            raise StopIteration
        if step == lib.FHT_ERROR:
            raise TraceError(_named(lib.fht_replay_error(self._replay), self._path, self._file))
        self.steps += 1
        return Trap(self._verdict, self)

    def first(self, verdict="unexplained"):
        """Go on to the first trap of this verdict, and return it; None: there is none."""
        return next((trap for trap in self if trap.verdict == verdict), None)

    def snapshot(self):
        """The model's state as it is now."""
        state = ffi.cast("struct fh_state *", lib.fht_replay_state(self._replay))
        if not state:
            raise RuntimeError("nothing was replayed yet")
        allocator = lib.fh_state_allocator(state)
        rdata = lib.fh_state_snapshot(state)
        if not rdata:
            raise MemoryError
        keep = self._replay
        owned = ffi.gc(rdata, lambda c: lib.fh_snapshot_release(c, allocator) if keep else None)
        return Snapshot(owned, text(lib.fh_state_profile(state).name))


class Trace:
    """A trace. Iterating gives its records as they stand there."""

    def __init__(self, source):
        self._source = source

    def __iter__(self):
        path, file = _path_of(self._source)
        trace = ffi.gc(lib.fht_trace_open(path.encode()), lib.fht_trace_close)
        record = ffi.new("struct fht_record *")
        while (step := lib.fht_trace_next(trace, record)) == lib.FHT_RECORD:
            yield TraceRecord(record)
        if step == lib.FHT_ERROR:
            raise TraceError(_named(lib.fht_trace_error(trace), path, file))

    def replay(self, machine="sekvm-4.18", *, without=(), credit="once", invariants=True,
               follow=False):
        """Run a machine beside the trace, a name or the folder of one: an iterator of traps.

        without     departures that the machine is run without
        credit      "all": each trap is asked which departures it needs; "none": none is
        invariants  look which security invariants come to be broken
        follow      the end of a file is where more may come
        """
        return Replay(self._source, machine, without, credit, invariants, follow)


def open_trace(source):
    """A trace: JSON Lines or CBOR, plain or zstd, by its path, its bytes, or an open file."""
    return Trace(source)


class TraceWriter:
    """Writes a trace, whose form follows from its name: .jsonl, .cbor, either with .zst behind.

    with TraceWriter("short.cbor") as out:
        out.write(record)

    The file appears at the end of the block, and not at all if that is left by an exception.
    """

    def __init__(self, path):
        self._message = ffi.new("char[]", _MESSAGE)
        self._writer = ffi.NULL
        self._writer = lib.fht_writer_open(os.fspath(path).encode(), self._message, _MESSAGE)
        if not self._writer:
            raise TraceError(text(self._message))

    def write(self, record):
        """Write a record: a TraceRecord, or a dict."""
        line = (record.json if isinstance(record, TraceRecord) else json.dumps(record)).encode()
        if not lib.fht_writer_put(self._writer, line, len(line), self._message, _MESSAGE):
            raise TraceError(text(self._message))

    def close(self):
        """Finish the trace."""
        writer, self._writer = self._writer, ffi.NULL
        if writer and not lib.fht_writer_close(writer, self._message, _MESSAGE):
            raise TraceError(text(self._message))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        if kind is None:
            self.close()
            return
        self._discard()

    def _discard(self):
        writer, self._writer = self._writer, ffi.NULL
        lib.fht_writer_discard(writer)

    def __del__(self):
        self._discard()
