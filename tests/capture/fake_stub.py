# SPDX-License-Identifier: GPL-2.0-only
"""A gdb stub that tells what it is told to, and notes what a client does wrong."""

import select
import socket
import threading

TARGET_XML = (
    '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target>'
    '<architecture>aarch64</architecture><xi:include href="core.xml"/>'
    '<xi:include href="system-registers.xml"/></target>'
)
CORE_XML = (
    '<?xml version="1.0"?><feature name="org.gnu.gdb.aarch64.core">'
    + "".join(f'<reg name="x{n}" bitsize="64"/>' for n in range(31))
    + '<reg name="sp" bitsize="64"/><reg name="pc" bitsize="64"/><reg name="cpsr" bitsize="32"/>'
    "</feature>"
)
# FAR_EL2 has a number of its own; ESR_EL2 follows it; there is no HPFAR_EL2.
SYSTEM_XML = (
    '<?xml version="1.0"?><feature name="org.qemu.gdb.arm.sys.regs">'
    '<reg name="VBAR_EL2" bitsize="64" regnum="70"/>'
    '<reg name="FAR_EL2" bitsize="64" regnum="90"/><reg name="ESR_EL2" bitsize="64"/></feature>'
)
FILES = {"target.xml": TARGET_XML, "core.xml": CORE_XML, "system-registers.xml": SYSTEM_XML}
PC, CPSR, VBAR, FAR, ESR = 32, 33, 70, 90, 91
TABLE = 0x40080000


def frame(payload):
    return b"$" + payload + b"#%02x" % (sum(payload) & 0xFF)


class FakeStub:
    """stops: what follows each vCont;c: (thread, registers) or bytes of a packet. answers: {start of
    a request: answer}, before the stub's own. mangle: changes the bytes of an answer. vanish: the
    request at which the connection ends."""

    def __init__(self, path, stops=(b"W00",), greet=b"", answers=None, mangle=None, vanish=None,
                 tcp=False, files=FILES, threads=("01", "02")):
        self.stops = list(stops)
        self.greet = greet
        self.answers = answers or {}
        self.mangle = mangle or (lambda request, data: data)
        self.vanish = vanish
        self.files = files
        self.threads = threads
        self.registers = {thread: {VBAR: TABLE, CPSR: 0x3C5} for thread in threads}
        self.memory = {}
        self.thread = threads[0]
        self.requests = []
        self.wrong = []
        self.listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self.listener.bind(("127.0.0.1", 0) if tcp else str(path))
        self.listener.listen(1)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1] if tcp else str(path)
        self.running = threading.Thread(target=self._serve, daemon=True)
        self.running.start()

    def close(self):
        self.listener.close()
        self.running.join(0.1)

    def _serve(self):
        try:
            self.client, _ = self.listener.accept()
        except OSError:
            return
        if self.client.family == socket.AF_INET:
            self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self.client:
            if self.greet:
                self.client.sendall(frame(self.greet))
            try:
                self._talk()
            except (OSError, EOFError) as error:
                self.end = error

    def _talk(self):
        waiting = bytearray()
        while True:
            request = self._packet(waiting)
            self.requests.append(request)
            if self.vanish is not None and request.startswith(self.vanish):
                return
            self.client.sendall(b"+")
            self._answer(request)

    def _packet(self, waiting):
        while b"#" not in waiting or len(waiting) < waiting.index(b"#") + 3:
            data = self.client.recv(65536)
            if not data:
                raise EOFError
            waiting += data
        end = waiting.index(b"#")
        start = waiting.index(b"$")
        payload = bytes(waiting[start + 1 : end])
        if waiting[end + 1 : end + 3] != b"%02x" % (sum(payload) & 0xFF):
            self.wrong.append(f"checksum of {payload!r}")
        del waiting[: end + 3]
        return payload

    def _answer(self, request):
        if request == b"vCont;c":
            self._run()
            return
        for start, answer in self.answers.items():
            if request.startswith(start):
                break
        else:
            answer = self._own_answer(request.decode())
        self.client.sendall(self.mangle(request, frame(answer)))

    def _run(self):
        # A byte that comes now would stop QEMU.
        if select.select([self.client], [], [], 0.02)[0]:
            byte = self.client.recv(1)
            if byte != b"\x03":
                self.wrong.append(f"{byte!r} while the target runs")
            self.client.sendall(frame(b"T02thread:01;"))
            return
        stop = self.stops.pop(0)
        if isinstance(stop, tuple):
            self.registers[stop[0]].update(stop[1])
            stop = b"T05thread:" + stop[0].encode() + b";"
        self.client.sendall(frame(stop))

    def _own_answer(self, request):
        if request.startswith("qSupported"):
            return b"PacketSize=1000;qXfer:features:read+"
        if request.startswith("qXfer:features:read:"):
            return self._file(*request.split(":")[3:])
        if request.startswith("qfThreadInfo"):
            return b"m" + self.threads[0].encode()
        if request.startswith("qsThreadInfo"):
            asked = sum(item == b"qsThreadInfo" for item in self.requests)
            return b"m" + self.threads[asked].encode() if asked < len(self.threads) else b"l"
        if request.startswith("Hg"):
            self.thread = request[2:]
            return b"OK"
        if request.startswith("vCont;s:"):
            self.registers[request[8:]][PC] += 4
            return b"T05thread:" + request[8:].encode() + b";"
        return self._data_answer(request)

    def _data_answer(self, request):
        if request.startswith("p"):
            number = int(request[1:], 16)
            size = 4 if number == CPSR else 8
            value = self.registers[self.thread].get(number, 0)
            return value.to_bytes(size, "little").hex().encode()
        if request.startswith("m"):
            at, length = (int(word, 16) for word in request[1:].split(","))
            if at not in self.memory:
                return b"E14"
            return self.memory[at].to_bytes(length, "little").hex().encode()
        if request[:1] in "Zz" or request in ("Qqemu.PhyMemMode:1", "Qqemu.PhyMemMode:0", "D"):
            return b"OK"
        return b"T02thread:01;" if request == "?" else b""

    def _file(self, annex, window):
        if annex not in self.files:
            return b"E00"
        start, length = (int(word, 16) for word in window.split(","))
        text = self.files[annex].encode()
        length = min(length, 100)
        last = start + length >= len(text)
        return (b"l" if last else b"m") + text[start : start + length]
