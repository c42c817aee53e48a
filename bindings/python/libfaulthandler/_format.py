# SPDX-License-Identifier: GPL-2.0-only
"""How numbers and values are shown."""


def number(value):
    """Small numbers in decimal, the others in hexadecimal."""
    return str(value) if -10 < value < 10 else hex(value)


def value(item):
    """A number, a word or a tuple of numbers."""
    if isinstance(item, tuple):
        return "(" + ", ".join(map(value, item)) + ")"
    if isinstance(item, int) and not isinstance(item, bool):
        return number(item)
    return str(item)
