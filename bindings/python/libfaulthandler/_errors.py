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

    function, arguments: the call. The state is the one that the panic left behind.
    """

    def __init__(self, function, args):
        super().__init__(f"{function}({', '.join(map(hex, args))}): the hypervisor halted")
        self.function = function
        self.arguments = tuple(args)


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


for _class in (Error, Halted):
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


def error_of(status, error):
    """The exception for a status and the account that the state gives of it."""
    if not error or error.status != status:
        return ERRORS[status](text(lib.fh_status_message(status)))
    buffer = ffi.new("char[]", 512)
    lib.fh_error_format(error, buffer, len(buffer))
    names = _split_names(text(error.names)) if error.names else []
    parts = error.layer, error.function, error.condition
    strings = [text(part) if part else "" for part in parts]
    values = {name: error.values[i] for i, name in zip(range(error.nvalues), names)}
    return ERRORS[status](text(buffer), *strings, values)
