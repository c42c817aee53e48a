# SPDX-License-Identifier: GPL-2.0-only
"""What a call raises: one class for each status of the library, and Halted."""

from ._native import ffi, lib
from ._tables import STATUS_NAMES, text


class Error(Exception):
    """A call that failed; the state is as it was before.

    layer, function: where it failed; condition: what the spec demands there, as text; values: the
    numbers in it, by name.
    """

    def __init__(self, message, layer="", function="", condition="", values=None):
        super().__init__(message)
        self.layer = layer
        self.function = function
        self.condition = condition
        self.values = values or {}


class Halted(Exception):
    """KCore panicked in this call: a defined outcome, raised only if the machine is asked to.

    function, arguments: the call. where: the function that panicked, with its layer; condition:
    what was needed there and did not hold, as text; values: the numbers in it, by name. The state
    is the one that the panic left behind.
    """

    def __init__(self, function, args, panic=None):
        call = f"{function}({', '.join(map(hex, args))})"
        super().__init__(f"{call}: the hypervisor halted{': ' if panic else ''}{panic or ''}")
        self.function = function
        self.arguments = tuple(args)
        self.where = panic.where if panic else ""
        self.condition = panic.condition if panic else ""
        self.values = panic.values if panic else {}


class Panic:
    """Where and why KCore panicked; its text is a sentence."""

    def __init__(self, message, where, condition, values):
        self.message = message
        self.where = where
        self.condition = condition
        self.values = values

    def __str__(self):
        return self.message

    def __repr__(self):
        return f"<{self.message}>"


# What else some of the errors are for Python.
_BASES = {"NOMEM": MemoryError, "UNKNOWN": LookupError, "INVALID_ARGUMENT": ValueError}


def _error_class(status, name):
    bases = (Error, _BASES[name]) if name in _BASES else (Error,)
    class_name = "".join(word.capitalize() for word in name.split("_"))
    message = text(lib.fh_status_message(status))
    return type(class_name, bases, {"__doc__": message, "__module__": "libfaulthandler"})


ERRORS = {
    status: _error_class(status, name) for status, name in STATUS_NAMES.items() if status < 0
}


for _class in (Error, Halted, Panic):
    _class.__module__ = "libfaulthandler"
globals().update({error.__name__: error for error in ERRORS.values()})


def _split_names(names):
    """The source text of the values, split at commas outside of parentheses."""
    parts, depth = [""], 0
    for char in names:
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _values_of(account):
    """The numbers in a condition, by name."""
    names = _split_names(text(account.names)) if account.names else []
    return {name: account.values[i] for i, name in zip(range(account.nvalues), names)}


def error_of(status, error):
    """The exception for a status and the account that the state gives of it."""
    if not error or error.status != status:
        return ERRORS[status](text(lib.fh_status_message(status)))
    buffer = ffi.new("char[]", 512)
    lib.fh_error_format(error, buffer, len(buffer))
    parts = error.layer, error.function, error.condition
    strings = [text(part) if part else "" for part in parts]
    return ERRORS[status](text(buffer), *strings, _values_of(error))


def panic_of(state):
    """The last panic of a state; None if nobody knows of one."""
    panic = ffi.new("struct fh_panic *", lib.fh_state_panic(state))
    if not panic.function:
        return None
    buffer = ffi.new("char[]", 512)
    lib.fh_panic_format(panic, buffer, len(buffer))
    condition = text(panic.condition) if panic.condition else ""
    where = f"{text(panic.layer)}.{text(panic.function)}"
    return Panic(text(buffer), where, condition, _values_of(panic))
