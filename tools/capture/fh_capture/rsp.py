# SPDX-License-Identifier: GPL-2.0-only
"""A client of gdb's remote serial protocol, as far as a recorder needs it."""

import os
import re
import select
import socket
import time

from . import CaptureError

ESCAPED = b"}$#*"
ENDED = (b"W", b"X")
ERROR = re.compile(rb"E([0-9a-fA-F]{2}|\..*)", re.DOTALL)


class StubGone(CaptureError):
    """The connection ended without the stub having said that the target does."""


class TargetEnded(Exception):
    """The stub said that the target has ended."""


def escape(payload):
    return b"".join(
        bytes([0x7D, byte ^ 0x20]) if byte in ESCAPED else bytes([byte]) for byte in payload
    )


def unescape(body):
    """The payload of a packet's body: escapes and run lengths taken out."""
    out = bytearray()
    position = 0
    while position < len(body):
        byte = body[position]
        if byte in b"}*":
            position += 1
            if position == len(body):
                raise CaptureError(f"the stub sent a packet that ends in {chr(byte)!r}")
        if byte == ord("}"):
            out.append(body[position] ^ 0x20)
        elif byte == ord("*"):
            count = body[position] - 29
            if not out or count < 3:
                raise CaptureError("the stub sent a run length without a run")
            out += out[-1:] * count
        else:
            out.append(byte)
        position += 1
    return bytes(out)


def frame(payload):
    body = escape(payload)
    return b"$%s#%02x" % (body, sum(body) & 0xFF)


def take_packet(buffer):
    """The payload of the first packet of a bytearray, which loses it; None if it is not whole."""
    start = buffer.find(b"$")
    if b"-" in buffer[: start if start >= 0 else len(buffer)]:
        raise CaptureError("the stub refused a packet")
    end = buffer.find(b"#", start)
    if start < 0 or end < 0 or len(buffer) < end + 3:
        return None
    body, checksum = bytes(buffer[start + 1 : end]), bytes(buffer[end + 1 : end + 3])
    del buffer[: end + 3]
    if not re.fullmatch(b"[0-9a-fA-F]{2}", checksum) or int(checksum, 16) != sum(body) & 0xFF:
        raise CaptureError(f"the stub sent a packet with a wrong checksum: {body[:40]!r}")
    return unescape(body)


def hex_bytes(text, what):
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        raise CaptureError(f"the stub answered {what} with {text[:40]!r}") from None


def open_socket(address):
    """HOST:PORT, unix:PATH, or the path of a Unix socket."""
    if address.startswith("unix:") or "/" in address:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(address.removeprefix("unix:"))
        except OSError:
            sock.close()
            raise
        return sock
    host, colon, port = address.removeprefix("tcp:").rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 65536:
        raise CaptureError(f"{address}: not HOST:PORT and not the path of a Unix socket")
    sock = socket.create_connection((host.strip("[]") or "localhost", int(port)))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Stop:
    """A stop reply: which thread, by which signal."""

    def __init__(self, packet):
        match = re.match(rb"[TS]([0-9a-fA-F]{2})(.*)", packet, re.DOTALL)
        if not match:
            raise CaptureError(f"the stub sent {packet[:40]!r} in place of a stop")
        self.signal = int(match.group(1), 16)
        thread = re.search(rb"(?:^|;)thread:([^;]*)", match.group(2))
        self.thread = thread.group(1).decode() if thread else None


class Client:
    """One connection. Acknowledgements are owed and go out with the next packet: QEMU takes any
    byte that comes while the target runs as a request to stop it."""

    def __init__(self, sock, timeout):
        self.sock = sock
        self.timeout = timeout
        self.buffer = bytearray()
        self.owed = b""

    def close(self):
        self.sock.close()

    def request(self, payload):
        return self.pipeline([payload])[0]

    def pipeline(self, payloads):
        """The answers to several requests that are sent at once."""
        if not payloads:
            return []
        frames = [frame(payload) for payload in payloads]
        self._send(self.owed + b"+".join(frames))
        answers = []
        for payload in payloads:
            answers.append(self._receive(self.timeout, payload.decode("ascii", "replace")))
        self.owed = b"+"
        return answers

    def first_request(self, payload, expected):
        """The answer that contains a text; stops that the stub sends on connection come before."""
        answer = self.request(payload)
        while expected not in answer:
            if answer[:1] not in (b"T", b"S"):
                raise CaptureError(f"not a gdb stub as QEMU has it: it answered {answer[:40]!r}")
            answer = self._receive(self.timeout, payload.decode("ascii"))
        return answer

    def monitor(self, command):
        """What QEMU's monitor says to a command, or nothing."""
        answer = self.request(b"qRcmd," + command.encode().hex().encode())
        said = b""
        while answer[:1] == b"O" and answer != b"OK":
            said += hex_bytes(answer[1:], "qRcmd")
            answer = self._receive(self.timeout, "qRcmd")
        return said.decode("utf-8", "replace")

    def resume(self, payload):
        """Lets the target run; wait_stop gets the answer."""
        self._send(self.owed + frame(payload))
        self.owed = b""

    def interrupt(self):
        self._send(b"\x03")

    def wait_stop(self, seconds, wake=None):
        """The next stop, or None when the time is up or the file descriptor wake is readable."""
        packet = self._receive(seconds, None, wake)
        if packet is None:
            return None
        self.owed = b"+"
        return Stop(packet)

    def _send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self._last_words()

    def _last_words(self):
        """Raises what fits: a stub that is gone may have said before that the target has ended."""
        while True:
            self._fill()
            while (packet := take_packet(self.buffer)) is not None:
                if packet[:1] in ENDED:
                    raise TargetEnded

    def _receive(self, seconds, request, wake=None):
        """A packet. When the time is up: None, or an error if a request waits for it."""
        deadline = time.monotonic() + seconds
        while True:
            packet = take_packet(self.buffer)
            if packet is not None and packet[:1] in ENDED:
                raise TargetEnded
            if packet is not None:
                return packet
            left = max(0, deadline - time.monotonic())
            ready = select.select([self.sock] + ([wake] if wake is not None else []), [], [], left)
            if self.sock in ready[0]:
                self._fill()
            elif request is None:
                return None
            else:
                raise CaptureError(f"the stub did not answer {request!r} in {seconds:g} s")

    def _fill(self):
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise StubGone(f"the gdb stub is gone: {os.strerror(error.errno)}") from None
        if not data:
            raise StubGone("the gdb stub is gone: it closed the connection")
        self.buffer += data
