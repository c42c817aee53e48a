# SPDX-License-Identifier: GPL-2.0-only
"""The recording: text, one line for each EL2 entry."""

import os
import sys
import time

VERSION = 1


class Recording:
    """Lines go out whole, each by itself: what is in the file can be read at any time."""

    def __init__(self, path):
        self.count = 0
        self.path = path
        if path == "-":
            self.file = os.dup(sys.stdout.fileno())
        else:
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        self.start = time.monotonic()

    def comment(self, text):
        self._write("# " + " ".join(text.split()))

    def entry(self, seconds, cpu, vector, registers, extra):
        """registers: {name: value} in the order in which they are to stand; extra: {key: text}"""
        self.count += 1
        words = [f"n={self.count}", f"t={seconds:.6f}", f"cpu={cpu}", f"vec={vector}"]
        words += [f"{name}={value:#x}" for name, value in registers.items()]
        words += [f"{key}={text}" for key, text in extra.items()]
        self._write(" ".join(words))

    def seconds(self):
        return time.monotonic() - self.start

    def close(self):
        os.close(self.file)

    def _write(self, line):
        data = line.encode() + b"\n"
        while data:
            data = data[os.write(self.file, data) :]


class Progress:
    """Traps and traps per second on a terminal, nothing elsewhere."""

    INTERVAL = 0.25
    ERASE = "\r\x1b[K"

    def __init__(self, stream):
        self.stream = stream if stream.isatty() else None
        self.next = 0

    def show(self, count, seconds):
        if not self.stream or seconds < self.next:
            return
        self.next = seconds + self.INTERVAL
        rate = count / seconds if seconds else 0
        self.stream.write(f"{self.ERASE}{count} traps, {rate:.0f} traps/s, {seconds:.0f} s")
        self.stream.flush()

    def clear(self):
        if self.stream:
            self.stream.write(self.ERASE)
            self.stream.flush()
