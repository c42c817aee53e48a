# SPDX-License-Identifier: GPL-2.0-only
"""The library's own tables, read once: types, functions, events, effects, invariants."""

import collections
import enum

from ._format import value as show_value
from ._native import ffi, lib


def text(chars):
    """A C string as a Python one."""
    return ffi.string(chars).decode()


def _enumerators(ctype, prefix):
    """The enumerators of a C enum by value, without their prefix."""
    elements = ffi.typeof(ctype).elements
    return {value: name[len(prefix):] for value, name in elements.items()}


def _rows(at):
    """All rows of a table that is read by number and ends with NULL."""
    rows = []
    while row := at(len(rows)):
        rows.append(row)
    return rows


Kind = enum.IntEnum(
    "Kind", {name: value for value, name in _enumerators("enum fh_kind", "FH_KIND_").items()}
)

STATUS_NAMES = _enumerators("enum fh_status", "FH_")
LOG_LOCKS = {
    value: name.lower() for value, name in _enumerators("enum fh_log_lock", "FH_LOG_").items()
}

Field = collections.namedtuple("Field", "name type offset")


def _shown_tuple(name, fields):
    """A class of named tuples, shown with numbers as people read them: `S2_READ(pfn=0x80, ...)`."""
    base = collections.namedtuple(name, fields)
    return type(name, (base,), {"__slots__": (), "__repr__": _show_tuple})


def _show_tuple(item):
    values = (f"{name}={show_value(value)}" for name, value in item._asdict().items())
    return f"{type(item).__name__}({', '.join(values)})"


class Type:
    """A row of the description of the state's types (reflect.h)."""

    def __init__(self, c):
        self.c = c
        self.as_value = ffi.addressof(c, "as_value")
        self.kind = Kind(c.kind)
        self.name = text(c.name)
        self.size = c.as_value.value_size
        self.depth = c.depth
        self.fields = {}
        self.words = ()
        self.value = type_of(c.value) if c.value else None
        if self.kind in (Kind.RECORD, Kind.REF):
            for i in range(c.nfields):
                field = c.fields[i]
                name = text(field.name)
                self.fields[name] = Field(name, type_of(field.type), field.offset)
        elif self.kind in (Kind.ENUM, Kind.TUPLE):
            self.words = tuple(text(c.names[i]) for i in range(c.nfields))
        if self.kind is Kind.TUPLE:
            self.tuple = _shown_tuple(self.class_name, self.words)

    @property
    def class_name(self):
        """`pt_entry` is PtEntry."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def is_container(self):
        """Has it parts that can be written on their own?"""
        return self.kind in (Kind.RECORD, Kind.REF, Kind.MAP)

    def field(self, name):
        """The field of a record with this name."""
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"no field {name!r} in {self.name}") from None

    def pack(self, key):
        """The key of a map as the library has it: one number, for nested maps packed."""
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) != self.depth:
            raise KeyError(f"{key!r}: entries have {self.depth} keys")
        if not all(isinstance(part, int) and 0 <= part < 1 << 64 for part in keys):
            raise KeyError(f"{key!r}: keys are numbers from 0 to 2**64 - 1")
        packed = ffi.new("uint64_t *")
        if not lib.fh_map_pack_key(self.c, list(keys), packed):
            raise KeyError(f"{key!r}: out of range")
        return packed[0]

    def unpack(self, packed):
        """The key of an entry as Python has it: a number, or a tuple for nested maps."""
        if self.depth == 1:
            return packed
        keys = ffi.new("uint64_t[]", self.depth)
        lib.fh_map_unpack_key(self.c, packed, keys)
        return tuple(keys)

    def load(self, place):
        """The value of a scalar or a tuple."""
        if self.kind is Kind.TUPLE:
            return self.tuple(
                *(lib.fh_tuple_get(self.c, place, i) for i in range(len(self.words)))
            )
        number = lib.fh_scalar_get(self.c, place)
        if self.kind is Kind.BOOL:
            return bool(number)
        if self.kind is Kind.ENUM:
            return self.words[number]
        if self.kind is Kind.I64 and number >> 63:
            return number - (1 << 64)
        return number


_types = {}


def type_of(c):
    """The Type of a `const struct fh_type *`; the same one each time."""
    address = int(ffi.cast("uintptr_t", c))
    if address not in _types:
        _types[address] = Type(c)
    return _types[address]


RDATA = type_of(lib.fh_rdata_type())


class Function:
    """A row of the registry: a spec function."""

    def __init__(self, c):
        self.c = c
        self.layer = text(c.layer)
        self.name = text(c.name)
        self.args = tuple(text(c.arg_names[i]) for i in range(c.nargs))
        self.bits = tuple(c.arg_bits[i] for i in range(c.nargs))
        self.returns_value = c.result != lib.FH_RETURNS_state

    def __repr__(self):
        args = ", ".join(f"{arg}: u{bits}" for arg, bits in zip(self.args, self.bits))
        return f"{self.layer}.{self.name}({args})" + (" -> int" if self.returns_value else "")

    def bind(self, values, named):
        """The arguments in order, some of them given by name."""
        if len(values) > len(self.args):
            raise TypeError(f"{self!r} takes {len(self.args)} arguments, not {len(values)}")
        unknown = set(named) - set(self.args[len(values):])
        if unknown:
            raise TypeError(f"{self!r} has no argument {unknown.pop()!r}, or has it already")
        given = dict(zip(self.args, values), **named)
        missing = [name for name in self.args if name not in given]
        if missing:
            raise TypeError(f"{self!r} needs the argument {missing[0]!r}")
        return [given[name] for name in self.args]


FUNCTIONS = {function.name: function for function in map(Function, _rows(lib.fh_function_at))}

CONSTANTS = tuple(text(name) for name in _rows(lib.fh_constant_name))

PROFILES = {text(profile.name): profile for profile in _rows(lib.fh_profile_at)}


class EventKind:
    """A row of the table of events: its arguments, and the object that it carries."""

    def __init__(self, number):
        self.number = number
        self.name = text(lib.fh_event_name(number))
        self.nargs = lib.fh_event_nargs(number)
        object_type = lib.fh_event_object_type(number)
        self.object = type_of(object_type) if object_type else None


EVENT_KINDS = [EventKind(number) for number in range(lib.FH_EVENT_KINDS)]
EVENTS = {kind.name: kind for kind in EVENT_KINDS}


_CALLED = _enumerators("enum fh_called", "FH_CALLED_")


def _effect_class(number):
    names = text(lib.fh_effect_value_names(number))
    return _shown_tuple(text(lib.fh_effect_name(number)), names.split(",") if names else [])


def effect_of(effect):
    """A `struct fh_effect *` as a tuple that has its kind for a type."""
    kind = EFFECTS[effect.kind]
    values = kind(*effect.values[0:len(kind._fields)])
    if "function" in kind._fields:
        values = values._replace(function=_CALLED[values.function])
    return values


EFFECTS = [_effect_class(number) for number in range(lib.FH_EFFECT_KINDS)]

Invariant = collections.namedtuple("Invariant", "c name statement values")
INVARIANTS = [
    Invariant(row, text(row.name), text(row.statement), text(row.values).split(","))
    for row in _rows(lib.fh_invariant_at)
]
