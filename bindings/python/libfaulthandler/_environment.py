# SPDX-License-Identifier: GPL-2.0-only
"""What the spec leaves open: oracles and parameters, answered by functions in Python.

Each callback takes the arguments of the member of `struct fh_environment` with its name:

    oracle(lock, cpu, log), soracle(cpu, log)    the events of other CPUs, a list of them
    doracle(vmid, n), verify_img(vmid, addr) ... a number
    decrypt_gp_regs(vmid, n, ctxt) ...           changes ctxt, returns a number
    observer(effect)                             nothing

An event is written as in scenarios, `[cpu, NAME, argument, ...]`; those that carry an object have
a patch of it as their last part. What a callback raises ends the call, with the state as before.
"""

from ._delta import LogSummary
from ._native import ffi, lib
from ._state import events_of, rdata_view, store, store_fields
from ._tables import EVENTS, LOG_LOCKS, RDATA, effect_of

_MEMBERS = {
    name: field.type.item if field.type.kind == "pointer" else field.type
    for name, field in ffi.typeof("struct fh_environment").fields
    if name != "context" and field.type.kind != "primitive"
}
NAMES = tuple(_MEMBERS)

_CTXT = RDATA.fields["regs"].type
_SHARED = RDATA.fields["shared"]


class Context:
    """The environment of one machine, and what its callbacks leave behind in a call."""

    def __init__(self, callbacks, state, allocator):
        unknown = set(callbacks) - set(NAMES)
        if unknown:
            raise TypeError(f"no callback {unknown.pop()!r}; there are {', '.join(NAMES)}")
        self.callbacks = {name: f for name, f in callbacks.items() if f is not None}
        if "doracle" in self.callbacks:
            self.callbacks.setdefault("core_doracle", self.callbacks["doracle"])
        self.effects = None
        self.answers = None
        self._error = None
        self._state = state
        self._allocator = allocator
        self._events = []  # of oracles, until the call ends
        self._arrays = []  # in which they stand
        self._handle = ffi.new_handle(self)
        self._install()

    @property
    def is_fallible(self):
        """Can a call end by what a callback raises?"""
        return bool(self.callbacks)

    def observe(self, effects):
        """Add the effects of calls to this list from now on; None: to none."""
        self.effects = effects
        self._install()

    def _install(self):
        environment = lib.fh_state_environment(self._state)
        environment.context = self._handle
        for name in NAMES:
            wanted = name in self.callbacks or (name == "observer" and self.effects is not None)
            setattr(environment, name, getattr(lib, f"environment_{name}") if wanted else ffi.NULL)

    def answer(self, name, *args):
        """What a callback says; after it raised, 0 until the call ends."""
        if self._error:
            return 0
        try:
            answer = _check_number(self.callbacks[name](*args))
        except BaseException as error:  # C code must not be unwound
            self._error = error
            return 0
        if self.answers:
            self.answers(name, args, answer)
        return answer

    def tell(self, effect):
        """An effect, to who wants to know."""
        if self.effects is not None:
            self.effects.append(effect)
        if "observer" not in self.callbacks or self._error:
            return
        try:
            self.callbacks["observer"](effect)
        except BaseException as error:
            self._error = error

    def answer_events(self, name, args, log, place):
        """The events that an oracle says other CPUs added: their number, and an array of them."""
        summary = LogSummary(log.length, LOG_LOCKS[log.lock], None, tuple(events_of(log)))
        if self._error:
            return 0
        try:
            listed = [list(event) for event in self.callbacks[name](*args, summary)]
            lock = args[0] if name == "oracle" else None
            events = [self._event(lock, event) for event in listed]
        except BaseException as error:
            self._error = error
            return 0
        if self.answers and listed:
            self.answers(name, (*args, log.length), listed)
        array = ffi.new("struct fh_event *[]", events or 1)
        self._arrays.append(array)
        place[0] = array
        return len(events)

    def _event(self, lock, parts):
        cpu, name, *args = parts
        kind = EVENTS[name]
        patch = args.pop() if kind.object and len(args) > kind.nargs else None
        if len(args) != kind.nargs:
            raise ValueError(f"an event {name} has {kind.nargs} arguments, not {len(args)}")
        event = lib.fh_event_new(self._allocator, kind.number, cpu, args or ffi.NULL)
        if not event:
            raise MemoryError
        self._events.append(event)
        if patch is not None:
            place = ffi.addressof(event, "object")
            ffi.memmove(place, self._object(lock, kind.object), kind.object.size)
            lib.fh_value_retain(kind.object.c, place)
            store(kind.object, place, patch, self._allocator)
        return event

    def _object(self, lock, type_):
        """The object that a lock protects, as it is now."""
        profile = lib.fh_state_profile(self._state)
        shared = ffi.cast("char *", lib.fh_state_rdata(self._state)) + _SHARED.offset
        first = {"npts": profile.NPT_ID, "vminfos": profile.INFO_ID}
        for name, field_type, offset in _SHARED.type.fields.values():
            if field_type is type_:
                return shared + offset
            if field_type.value is type_ and name in first:
                return lib.fh_map_get(
                    ffi.cast("struct fh_map *", shared + offset), type_.as_value, lock - first[name]
                )
        raise ValueError(f"no lock protects {type_.name}")

    def finish(self):
        """At the end of a call: forget its events; what a callback raised, or None."""
        for event in self._events:
            lib.fh_event_release(event, self._allocator)
        self._events.clear()
        self._arrays.clear()
        error, self._error = self._error, None
        return error


def _check_number(value):
    if not isinstance(value, int) or not 0 <= value < 1 << 64:
        raise ValueError(f"a callback returns a number from 0 to 2**64 - 1, not {value!r}")
    return int(value)


class _Copy:
    """A context that a callback may change."""

    def __init__(self, ctxt, allocator):
        self._ctxt = ctxt
        self._place = ffi.new("struct fh_ctxt **", ctxt)
        self._allocator = allocator

    def _rdata(self):
        return self._place

    def _write(self, patch):
        store_fields(_CTXT, self._ctxt, patch, self._allocator)


def _define(name):
    """The C entry of a callback, by what it takes."""
    args = [arg.cname for arg in _MEMBERS[name].args[1:]]
    entry = f"environment_{name}"

    if name == "observer":

        @ffi.def_extern(name=entry)
        def observed(context, effect):
            ffi.from_handle(context).tell(effect_of(effect))

    elif "fh_event" in args[-1]:

        @ffi.def_extern(name=entry, error=0)
        def told_of_events(context, *args):
            *numbers, log, place = args
            return ffi.from_handle(context).answer_events(name, numbers, log, place)

    elif args[-1].startswith("struct fh_ctxt"):

        @ffi.def_extern(name=entry, error=0)
        def decrypted(context, vmid, n, ctxt):
            self = ffi.from_handle(context)
            view = rdata_view(_Copy(ctxt, self._allocator), _CTXT)
            return self.answer(name, vmid, n, view)

    else:

        @ffi.def_extern(name=entry, error=0)
        def answered(context, *args):
            return ffi.from_handle(context).answer(name, *args)


for _name in NAMES:
    _define(_name)
