# SPDX-License-Identifier: GPL-2.0-only
"""Words of physical memory that are looked at with each stop."""

from dataclasses import dataclass, field

from . import CaptureError

WORD = 8
MAX_BYTES = 1 << 20


@dataclass
class Watch:
    """address: None while it is not known where the symbol is."""

    name: str
    address: int
    length: int
    symbol: str = None
    words: dict = field(default_factory=dict)

    def changes(self, data):
        """name+offset=value of each word that is not as it was; at first all of them."""
        changed = []
        for offset in range(0, len(data), WORD):
            value = int.from_bytes(data[offset : offset + WORD], "little")
            if self.words.get(offset) != value:
                self.words[offset] = value
                changed.append(f"{self.name}+{offset:#x}={value:#x}")
        return changed


def number(text, what):
    try:
        return int(text, 0)
    except ValueError:
        raise CaptureError(f"{what}: {text!r} is not a number") from None


def checked(watch, option):
    if not watch.name or any(letter in watch.name for letter in " =,+#"):
        raise CaptureError(f"{option}: {watch.name!r} cannot be a name in the recording")
    if not 0 < watch.length <= MAX_BYTES or watch.length % WORD:
        raise CaptureError(f"{option} {watch.name}: the length is a multiple of 8 up to 1 MiB")
    if watch.address is not None and watch.address % WORD:
        raise CaptureError(f"{option} {watch.name}: the address is not a multiple of 8")
    return watch


def parse_watch(text):
    """NAME=ADDRESS:LENGTH"""
    name, equals, place = text.partition("=")
    address, colon, length = place.partition(":")
    if not equals or not colon:
        raise CaptureError(f"--watch {text}: not NAME=ADDRESS:LENGTH")
    watch = Watch(name, number(address, "--watch"), number(length, "--watch"))
    return checked(watch, "--watch")


def parse_watch_symbol(text, symbols):
    """SYMBOL or SYMBOL:LENGTH"""
    name, colon, length = text.partition(":")
    if symbols is None:
        raise CaptureError("--watch-symbol needs --symbols")
    address = symbols.address(name)
    size = number(length, "--watch-symbol") if colon else symbols.size(name)
    if not size:
        raise CaptureError(f"--watch-symbol {name}: its size is not known, say {name}:LENGTH")
    size = -(-size // WORD) * WORD
    return checked(Watch(name, symbols.physical(address), size, name), "--watch-symbol")
