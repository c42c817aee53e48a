# SPDX-License-Identifier: GPL-2.0-only
"""The parts of a state as Python objects: records, maps and logs, found by reflection.

A view names a place by its path and looks it up each time, so it stays good while the state
changes. `Root` stands for what has the data: a Machine, or a Snapshot, which cannot be written.
"""

from collections.abc import Mapping, Sequence

from ._format import number as show_number
from ._format import value as show_value
from ._native import ffi, lib
from ._tables import EVENT_KINDS, LOG_LOCKS, RDATA, Kind

# In patches: drop all entries of a map and give it this default first.
DEFAULT = "_"

_SHOWN_ENTRIES = 16


def _move(place, offset):
    return ffi.cast("char *", place) + offset


def _record_of(kind, c, place):
    return lib.fh_ref_record(c, place) if kind is Kind.REF else place


def store(type_, place, value, allocator):
    """Write a value, or a patch of a record or a map, to a place that may be written."""
    if isinstance(value, View):
        value = value.to_dict()
    _STORE[type_.kind](type_, place, value, allocator)


def _store_scalar(type_, place, value, _allocator):
    if not isinstance(value, int):
        raise TypeError(f"expected a number, got {value!r}")
    low = -(1 << 63) if type_.kind is Kind.I64 else 0
    high = 1 << (63 if type_.kind is Kind.I64 else 64)
    if not low <= value < high or not lib.fh_scalar_set(type_.c, place, value % (1 << 64)):
        raise OverflowError(f"{value:#x} does not fit {type_.name}")


def _store_enum(type_, place, value, allocator):
    if isinstance(value, str):
        if value not in type_.words:
            raise ValueError(f"{value!r} is none of {', '.join(type_.words)}")
        value = type_.words.index(value)
    _store_scalar(type_, place, value, allocator)


def _store_tuple(type_, place, value, _allocator):
    if isinstance(value, Mapping):
        parts = [(type_.words.index(name), part) for name, part in value.items()]
    else:
        parts = list(enumerate(value))
        if len(parts) != len(type_.words):
            raise ValueError(f"expected ({', '.join(type_.words)}), got {value!r}")
    for i, part in parts:
        if not 0 <= part < 1 << 64 or not lib.fh_tuple_set(type_.c, place, i, part):
            raise OverflowError(f"{part:#x} does not fit {type_.words[i]}")


def store_fields(type_, place, value, allocator):
    """Write a patch to the record at a place."""
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a dict of fields of {type_.name}, got {value!r}")
    for name, part in value.items():
        field = type_.field(name)
        store(field.type, _move(place, field.offset), part, allocator)


def _store_reference(type_, place, value, allocator):
    store_fields(type_, own_record(type_, place, allocator), value, allocator)


def own_record(type_, place, allocator):
    """The record behind a reference, made one that may be written."""
    if not lib.fh_ref_own(type_.c, place, allocator):
        raise MemoryError
    return ffi.cast("void **", place)[0]


def own_entry(type_, place, key, allocator):
    """The entry of a map, made one that may be written."""
    entry = lib.fh_map_edit(place, type_.value.as_value, allocator, key, ffi.new("_Bool *"))
    if not entry:
        raise MemoryError
    return entry


def _store_map(type_, place, value, allocator):
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a dict of entries, got {value!r}")
    map_ = ffi.cast("struct fh_map *", place)
    if DEFAULT in value:
        reset_map(type_, map_, value[DEFAULT], allocator)
    for key, part in _entries(value, type_.depth):
        store(type_.value, own_entry(type_, map_, type_.pack(key), allocator), part, allocator)


def _entries(patch, depth):
    """The entries of a patch of a map; keys of nested maps may be tuples or nested dicts."""
    for key, part in patch.items():
        if key == DEFAULT:
            continue
        keys = key if isinstance(key, tuple) else (key,)
        if len(keys) == depth:
            yield key, part
        else:
            for rest, inner in _entries(part, depth - len(keys)):
                yield (*keys, *(rest if isinstance(rest, tuple) else (rest,))), inner


def reset_map(type_, map_, default, allocator):
    """Drop all entries; the old default with the patch `default` becomes the new one."""
    value = type_.value
    fallback = ffi.new("uint64_t[]", lib.FH_MAP_VALUE_MAX // 8)
    ffi.memmove(fallback, lib.fh_map_fallback(map_, value.as_value), value.size)
    lib.fh_value_retain(value.c, fallback)
    try:
        store(value, fallback, default, allocator)
        if not lib.fh_map_reset(map_, value.as_value, allocator, fallback):
            raise MemoryError
    finally:
        lib.fh_value_release(value.c, fallback, allocator)


def _store_log(_type, _place, _value, _allocator):
    raise TypeError("a log is written by what happens, not by assignment")


_STORE = {
    Kind.BOOL: _store_scalar,
    Kind.U32: _store_scalar,
    Kind.U64: _store_scalar,
    Kind.I64: _store_scalar,
    Kind.ENUM: _store_enum,
    Kind.TUPLE: _store_tuple,
    Kind.RECORD: store_fields,
    Kind.REF: _store_reference,
    Kind.MAP: _store_map,
    Kind.LOG: _store_log,
}


class View:
    """A part of a state that has parts itself."""

    __slots__ = ("_root", "_parent", "_step", "_type")

    def __init__(self, root, parent, step, type_):
        object.__setattr__(self, "_root", root)
        object.__setattr__(self, "_parent", parent)
        object.__setattr__(self, "_step", step)
        object.__setattr__(self, "_type", type_)

    def _place(self):
        """Where it is, to read."""
        return self._parent._child(self._step) if self._parent else self._root._rdata()

    def _own(self):
        """Where it is, to write."""
        return self._parent._own_child(self._step) if self._parent else self._root._edit()

    def _view(self, step, type_):
        """The value of a part: a view of it if it has parts."""
        if type_.is_container or type_.kind is Kind.LOG:
            return _VIEWS[type_.kind](self._root, self, step, type_)
        return type_.load(self._child(step))

    def _patch(self, value):
        """A patch of the whole state that gives this part a value."""
        return self._parent._patch({self._step_name(): value}) if self._parent else value

    def _step_name(self):
        parent = self._parent
        return parent._type.unpack(self._step) if isinstance(parent, Map) else self._step

    def _write(self, step_name, value):
        if isinstance(value, View):
            value = value.to_dict()
        self._root._write(self._patch({step_name: value}))

    def __eq__(self, other):
        if not isinstance(other, View) or other._type is not self._type:
            return NotImplemented
        return _equal(self._type, self._place(), other._place())

    __hash__ = None


def _equal(type_, a, b):
    return lib.fh_delta_values(type_.c, a, b, lib.visit_change, ffi.NULL)


class Record(View):
    """A record: fields are attributes."""

    __slots__ = ()

    def _child(self, name):
        place = _record_of(self._type.kind, self._type.c, self._place())
        return _move(place, self._type.fields[name].offset)

    def _own_child(self, name):
        place = self._own()
        if self._type.kind is Kind.REF:
            place = own_record(self._type, place, self._root._allocator)
        return _move(place, self._type.fields[name].offset)

    def __getattr__(self, name):
        return self._view(name, self._type.field(name).type)

    def __setattr__(self, name, value):
        self._type.field(name)
        self._write(name, value)

    def __dir__(self):
        return [*super().__dir__(), *self._type.fields]

    def to_dict(self):
        """The record as a dict of plain values."""
        return {name: _plain(getattr(self, name)) for name in self._type.fields}

    def __repr__(self):
        parts = (f"{name}={_short(getattr(self, name))}" for name in self._type.fields)
        return f"{self._type.name}({', '.join(parts)})"


class Map(View):
    """A total map: every key has a value, its entry or the default."""

    __slots__ = ()

    def _map(self):
        return ffi.cast("struct fh_map *", self._place())

    def _child(self, key):
        return lib.fh_map_get(self._map(), self._type.value.as_value, key)

    def _own_child(self, key):
        return own_entry(self._type, self._own(), key, self._root._allocator)

    def __getitem__(self, key):
        return self._view(self._type.pack(key), self._type.value)

    def __setitem__(self, key, value):
        self._type.pack(key)
        self._write(key, value)

    def __contains__(self, key):
        packed = self._type.pack(key)
        return lib.fh_map_find(self._map(), self._type.value.as_value, packed) != ffi.NULL

    def __len__(self):
        return lib.fh_map_count(self._map())

    def __bool__(self):
        return True

    def __iter__(self):
        key = ffi.new("uint64_t *")
        value_type = self._type.value.as_value
        while lib.fh_map_next(self._map(), value_type, key):
            yield self._type.unpack(key[0])
            if key[0] == (1 << 64) - 1:
                return
            key[0] += 1

    def keys(self):
        """The keys that have an entry, in order."""
        return list(self)

    def values(self):
        """The entries, in the order of their keys."""
        return [self[key] for key in self]

    def items(self):
        """The entries with their keys, in order."""
        return [(key, self[key]) for key in self]

    @property
    def default(self):
        """The value at every key without an entry."""
        type_ = self._type.value
        if type_.is_container or type_.kind is Kind.LOG:
            return _VIEWS[type_.kind](self._root, _DefaultOf(self), None, type_)
        return type_.load(lib.fh_map_fallback(self._map(), type_.as_value))

    def reset(self, default=None):
        """Drop all entries, and change the default if one is given."""
        if default is None:
            default = _plain(self.default) if not self._type.value.fields else {}
        self._write(DEFAULT, default)

    def to_dict(self):
        """The entries as a dict of plain values."""
        return {key: _plain(self[key]) for key in self}

    def __repr__(self):
        shown = []
        for key in self:
            if len(shown) == _SHOWN_ENTRIES:
                shown.append(f"... {len(self)} entries")
                break
            shown.append(f"{show_value(key)}: {_short(self[key])}")
        return "{" + ", ".join([*shown, f"{DEFAULT}: {_short(self.default)}"]) + "}"


class _DefaultOf:
    """Stands between a map and the view of its default, which cannot be written."""

    def __init__(self, map_):
        self._map = map_

    def _child(self, _step):
        return lib.fh_map_fallback(self._map._map(), self._map._type.value.as_value)

    def _own_child(self, _step):
        raise TypeError("a default is changed by reset()")

    def _patch(self, _value):
        raise TypeError("a default is changed by reset()")


class Event(Sequence):
    """An event of a log: `[cpu, NAME, argument, ...]`, as scenarios write it."""

    __slots__ = ("cpu", "kind", "args")

    def __init__(self, cpu, kind, *args):
        self.cpu = cpu
        self.kind = kind
        self.args = args

    @classmethod
    def _read(cls, event):
        kind = EVENT_KINDS[event.kind]
        return cls(event.cpu, kind.name, *event.args[0:kind.nargs])

    def __getitem__(self, i):
        return [self.cpu, self.kind, *self.args][i]

    def __len__(self):
        return 2 + len(self.args)

    def __eq__(self, other):
        if not isinstance(other, (Event, list, tuple)):
            return NotImplemented
        return list(self) == list(other)

    def __repr__(self):
        return f"[{', '.join([str(self.cpu), self.kind, *map(show_number, self.args)])}]"


def events_of(log, count=None):
    """The events of a `struct fh_log *`, oldest first: all, or the newest `count`."""
    events, event = [], log.newest
    while event and (count is None or len(events) < count):
        events.append(Event._read(event))
        event = event.older
    return events[::-1]


class Log(View):
    """A log: its length, the state of its lock, and its events if the machine keeps them."""

    __slots__ = ()

    def _log(self):
        return ffi.cast("struct fh_log *", self._place())

    @property
    def length(self):
        """How many events there were."""
        return self._log().length

    def __len__(self):
        return self.length

    @property
    def lock(self):
        """What the log says of its lock: empty, held or broken."""
        return LOG_LOCKS[self._log().lock]

    @property
    def holder(self):
        """The CPU that holds the lock, or None."""
        log = self._log()
        return log.holder if log.lock == lib.FH_LOG_HELD else None

    @property
    def events(self):
        """The events, oldest first; empty if the machine keeps a summary only."""
        return events_of(self._log())

    def to_dict(self):
        """What there is to say of it as plain values."""
        return {"length": self.length, "lock": self.lock, "holder": self.holder}

    def __repr__(self):
        held = "" if self.holder is None else f" by {self.holder}"
        return f"log({self.length} events, {self.lock}{held})"


_VIEWS = {Kind.RECORD: Record, Kind.REF: Record, Kind.MAP: Map, Kind.LOG: Log}


def rdata_view(root, type_=RDATA):
    """The whole state of a machine or a snapshot, or another record that `root` has."""
    return Record(root, None, None, type_)


def _plain(value):
    return value.to_dict() if isinstance(value, View) else value


def _short(value):
    if isinstance(value, Map):
        return f"<{len(value)} entries>"
    if isinstance(value, Record) and len(value._type.fields) > 6:
        return f"<{value._type.name}>"
    return repr(value) if isinstance(value, View) else show_value(value)
