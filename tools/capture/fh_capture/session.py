# SPDX-License-Identifier: GPL-2.0-only
"""A capture: run until a vector is reached, read, step off, go on."""

from dataclasses import dataclass, field

from . import CaptureError, walk
from .recording import VERSION
from .rsp import StubGone, TargetEnded
from .target import thread_index
from .vectors import ALIGNMENT, is_el2

SYSTEM_REGISTERS = (
    "ESR_EL2 FAR_EL2 HPFAR_EL2 ELR_EL2 SPSR_EL2 HCR_EL2 VTTBR_EL2 VTCR_EL2 VMPIDR_EL2 TPIDR_EL2 "
    "TCR_EL1 TTBR0_EL1 ESR_EL1 FAR_EL1 ELR_EL1 SPSR_EL1 MDCR_EL2 CPTR_EL2 CNTHCTL_EL2"
).split()
CORE_REGISTERS = [f"x{number}" for number in range(31)] + ["sp", "pc", "cpsr"]
# What is looked at on every CPU with each stop.
PLACE_REGISTERS = ["pc", "cpsr", "VBAR_EL2", "SCTLR_EL2", "TCR_EL2", "TTBR0_EL2", "TTBR1_EL2",
                   "HCR_EL2"]

ESB = 0xD503221F
ERETS = (0xD69F03E0, 0xD69F0BFF, 0xD69F0FFF)
# MSR VBAR_EL2, Xt: t in the low five bits.
SET_VBAR = 0xD51CC000
RETURN, SETTER = "return", "vbar"
TEXT_SYMBOLS = (
    ("__hyp_idmap_text_start", "__hyp_idmap_text_end"),
    ("__kvm_nvhe___hyp_text_start", "__kvm_nvhe___hyp_text_end"),
    ("__hyp_text_start", "__hyp_text_end"),
)
MAX_TEXT = 1 << 20


@dataclass
class Options:
    system_registers: list = field(default_factory=lambda: list(SYSTEM_REGISTERS))
    walk: bool = False
    returns: bool = False
    text: tuple = None
    skip_esb: bool = False
    poll: float = 0.5
    count: int = 0
    duration: float = 0
    timeout: float = 10
    watches: list = field(default_factory=list)


class Session:
    def __init__(self, target, tables, recording, options, progress, stopping):
        """stopping: has is_set() and a file descriptor `wake` that is readable from then on."""
        self.target = target
        self.client = target.client
        self.tables = tables
        self.recording = recording
        self.options = options
        self.progress = progress
        self.stopping = stopping
        self.breakpoints = {}
        self.places_in_code = {}
        self.text_read = set()
        self.words = {}
        self.left_alone = set()

    def announce(self, version, arguments):
        """The comments at the head of the recording."""
        wanted = self.options.system_registers + CORE_REGISTERS
        missing = [name for name in wanted if self.target.number(name) is None]
        say = self.recording.comment
        say(f"fh-capture {VERSION}")
        say(f"target {'QEMU ' + version if version else 'of unknown version'}, "
            f"{len(self.target.threads)} CPUs")
        say("options " + " ".join(arguments))
        if missing:
            say("missing " + " ".join(missing))
        for table in self.tables.tables.values():
            say(f"vectors {table}")
        for watch in self.options.watches:
            if watch.address is not None:
                say(f"watch {watch.name} {watch.address:#x} {watch.length:#x}")

    def run(self):
        """Until the target ends or the capture is to end; why, as text."""
        try:
            self._look(self._places())
            while True:
                self._insert_breakpoints()
                self._go_on()
                reason = self._finished()
                if reason:
                    return reason
                self._stop(self._places())
                reason = self._finished()
                if reason:
                    return reason
        except TargetEnded:
            return "the target has ended"

    def leave(self):
        """Takes the breakpoints out and lets the target run on, as far as it can still be had."""
        try:
            for address in self.breakpoints:
                self.target.remove_breakpoint(address)
            self.client.request(b"D")
        except (StubGone, TargetEnded, CaptureError):
            pass

    def _finished(self):
        if self.stopping.is_set():
            return "interrupted"
        if self._is_full():
            return f"{self.options.count} entries"
        if self.options.duration and self.recording.seconds() >= self.options.duration:
            return f"{self.options.duration:g} s"
        return None

    def _is_full(self):
        return 0 < self.options.count <= self.recording.count

    def _go_on(self):
        """Runs all CPUs until a stop: of a breakpoint, or to look for new tables, or to end."""
        self.client.resume(b"vCont;c")
        self.progress.show(self.recording.count, self.recording.seconds())
        if self.client.wait_stop(self._run_time(), self.stopping.wake) is None:
            self.client.interrupt()
            self._await_stop()

    def _run_time(self):
        waits = [3600.0]
        if self.options.poll:
            waits.append(self.options.poll)
        if self.options.duration:
            waits.append(max(0, self.options.duration - self.recording.seconds()))
        return min(waits)

    def _await_stop(self):
        stop = self.client.wait_stop(self.options.timeout)
        if stop is None:
            raise CaptureError(f"the target did not stop in {self.options.timeout:g} s")
        return stop

    def _places(self):
        return self.target.read_all(self.target.threads, PLACE_REGISTERS)

    def _stop(self, places):
        """What one stop brings: new tables, and entries of all CPUs that stand at a vector. A CPU
        that gets there later stops the machine again when it runs on: it is at its breakpoint."""
        seconds = self.recording.seconds()
        self._look(places)
        standing = [
            thread for thread, place in places.items() if place["pc"] in self.breakpoints
        ]
        for thread in standing:
            if is_el2(places[thread]["cpsr"]):
                self._take(thread, places[thread]["pc"], seconds)
        for thread in standing:
            self._step_off(thread, places[thread]["pc"])

    def _take(self, thread, address, seconds):
        if self.places_in_code.get(address) == SETTER:
            self._take_setter(thread, address)
        elif not self._is_full():
            self._record(thread, address, seconds)

    def _look(self, places):
        """Takes up the tables that the CPUs use now."""
        for place in places.values():
            base = place.get("VBAR_EL2")
            if base:
                self._add_table(base)
                self._find_symbols(place, self.tables.tables[base])
            self._find_code(place)

    def _add_table(self, base):
        for table in self.tables.add(base):
            self.recording.comment(f"vectors {table}")

    def _take_setter(self, thread, address):
        """A CPU is about to set VBAR_EL2. An instruction that brings nothing new is not looked at
        any more: KVM has two of them on the way into a guest and back."""
        register = self.words[address] & 31
        values = self.target.read_registers(thread, [f"x{register}"]) if register < 31 else {}
        base = values.get(f"x{register}", 0) & ~(ALIGNMENT - 1)
        if not base or base in self.tables.tables:
            self._forget(address)
        else:
            self._add_table(base)

    def _find_symbols(self, place, table):
        """Where the image is, from its table of vectors: for watches of symbols."""
        lost = [watch for watch in self.options.watches if watch.address is None]
        if not lost or not table.symbol or "SCTLR_EL2" not in place:
            return
        physical = walk.el2_physical(self.target.read_physical, place, table.base)
        if physical is None:
            return
        distance = physical - self.tables.symbols.address(table.symbol)
        for watch in lost:
            watch.address = self.tables.symbols.address(watch.symbol) + distance
            self.recording.comment(f"watch {watch.name} {watch.address:#x} {watch.length:#x}")

    def _text_ranges(self, place):
        """Where EL2's code is for a CPU, in EL2's addresses."""
        if self.options.text:
            yield self.options.text
        symbols = self.tables.symbols
        table = self.tables.tables.get(place.get("VBAR_EL2"))
        for known in [table] if table else self.tables.tables.values():
            if not known.symbol:
                continue
            distance = known.base - symbols.address(known.symbol)
            for first, last in TEXT_SYMBOLS:
                if symbols.get(first) and symbols.get(last):
                    start = symbols.address(first)
                    yield start + distance, symbols.address(last) - start

    def _find_code(self, place):
        """The instructions in EL2's code that set VBAR_EL2, and those that return."""
        if "SCTLR_EL2" not in place or "TCR_EL2" not in place:
            return
        for start, length in self._text_ranges(place):
            if start in self.text_read or not 0 < length <= MAX_TEXT:
                continue
            data = walk.read_el2(self.target.read_physical, place, start, length)
            if data is not None:
                self.text_read.add(start)
                self._scan(start, data)

    def _scan(self, start, data):
        returns = 0
        for at in range(0, len(data) - 3, 4):
            word = int.from_bytes(data[at : at + 4], "little")
            if word & ~31 == SET_VBAR:
                self.places_in_code[start + at] = SETTER
                self.words[start + at] = word
            elif word in ERETS and self.options.returns:
                self.places_in_code[start + at] = RETURN
                returns += 1
        if self.options.returns:
            self.recording.comment(f"returns {returns} in {start:#x} {len(data):#x}")

    def _insert_breakpoints(self):
        for address, name in {**self.places_in_code, **self.tables.breakpoints()}.items():
            if address not in self.breakpoints and address not in self.left_alone:
                self.target.insert_breakpoint(address)
                self.breakpoints[address] = name

    def _forget(self, address):
        if self.breakpoints.pop(address, None):
            self.target.remove_breakpoint(address)
        self.left_alone.add(address)

    def _record(self, thread, address, seconds):
        names = self.options.system_registers + CORE_REGISTERS
        registers = self.target.read_registers(thread, names)
        vector = self.breakpoints[address]
        if vector == RETURN and self._stays_in_el2(registers):
            return
        extra = {}
        if self.options.walk and vector != RETURN:
            extra.update(self._walk(registers))
        changes = self._watch()
        if changes:
            extra["watch"] = ",".join(changes)
        self.recording.entry(seconds, thread_index(thread), vector, registers, extra)

    @staticmethod
    def _stays_in_el2(registers):
        return is_el2(registers.get("SPSR_EL2", 0))

    def _walk(self, registers):
        if "ESR_EL2" not in registers or not walk.has_ipa(registers["ESR_EL2"]):
            return {}
        found = walk.stage2(self.target.read_physical, registers)
        extra = {}
        if found and found.steps:
            extra["s2walk"] = str(found)
        if found and found.problem:
            extra["s2problem"] = found.problem
        return extra

    def _watch(self):
        changes = []
        for watch in self.options.watches:
            if watch.address is None:
                continue
            data = self.target.read_physical(watch.address, watch.length)
            if data is None:
                raise CaptureError(f"watch {watch.name}: no memory at {watch.address:#x}")
            changes += watch.changes(data)
        return changes

    def _step_off(self, thread, address):
        """Executes the instruction at a breakpoint on this CPU alone: the others stand still, and
        so do not run through theirs."""
        if self.options.skip_esb and self._is_esb(thread, address):
            self.target.write_pc(thread, address + 4)
            return
        for _ in range(2):
            self.client.resume(f"vCont;s:{thread}".encode())
            self._await_stop()
            if self.target.read_registers(thread, ["pc"])["pc"] != address:
                return
        # A branch to itself, as at the end of the road: it would be recorded for ever.
        self.recording.comment(f"a CPU hangs at {address:#x}, which is not looked at any more")
        self._forget(address)

    def _is_esb(self, thread, address):
        if address not in self.words:
            data = self.target.read_virtual(thread, address, 4)
            self.words[address] = int.from_bytes(data, "little") if data else 0
        return self.words[address] == ESB
