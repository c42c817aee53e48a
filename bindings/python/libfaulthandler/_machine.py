# SPDX-License-Identifier: GPL-2.0-only
"""A machine: one RData, and everything that can be done with it."""

import collections
import contextlib

from . import _delta
from ._access import Accessing
from ._environment import Context
from ._errors import Halted, InvalidArgument, error_of, panic_of
from ._native import ffi, lib
from ._scene import Building, Traps, halted_in, outcome_of
from ._state import rdata_view, store
from ._tables import CONSTANTS, FUNCTIONS, INVARIANTS, PROFILES, RDATA, text

_ALLOCATOR = lib.fh_malloc_allocator()

# What struct fh_config has beside what every Machine sets.
_OPTIONS = {
    name: field.type
    for name, field in ffi.typeof("struct fh_config").fields
    if name not in ("profile", "allocator", "environment", "log_policy")
}


class Constants(collections.abc.Mapping):
    """The constants of a profile, by their spec names: as attributes or as keys."""

    def __init__(self, profile):
        self._values = {name: getattr(profile, name) for name in CONSTANTS}

    def __getattr__(self, name):
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"no constant {name!r}") from None

    def __getitem__(self, name):
        return self._values[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def __dir__(self):
        return [*super().__dir__(), *self._values]

    def __repr__(self):
        return f"<{len(self)} constants>"


_constants = {}


def constants(profile="spec"):
    """The constants of a profile by its name."""
    if profile not in _constants:
        _constants[profile] = Constants(_profile(profile))
    return _constants[profile]


def _profile(name):
    if name not in PROFILES:
        raise ValueError(f"no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


class Broken(collections.namedtuple("Broken", "name statement witness text")):
    """An invariant that does not hold. witness: the place that breaks it, by name."""

    __slots__ = ()

    def __repr__(self):
        return self.text


class _Data:
    """What has a whole state: a machine, or a snapshot of one."""

    __hash__ = None

    @property
    def state(self):
        """Every part of RData, under its Coq name: `m.state.shared.s2page[0x80].s2_owner`."""
        return rdata_view(self)

    def read(self, path):
        """The part of the state at a path: `m.read("shared.s2page.0x80.s2_owner")`."""
        part, keys = self.state, []
        for step in path.split("."):
            if not hasattr(part, "keys"):
                part = getattr(part, step)
                continue
            keys.append(self._key(step))
            if len(keys) == part._type.depth:
                part = part[tuple(keys) if len(keys) > 1 else keys[0]]
                keys = []
        return part

    def _key(self, step):
        return getattr(self.constants, step) if step in self.constants else int(step, 0)

    def delta(self, before):
        """The changes that lead from `before`, a machine or a snapshot, to here."""
        return _delta.delta(before, self)

    @property
    def halted(self):
        """Did KCore panic?"""
        return bool(self._rdata().halt)

    def __eq__(self, other):
        return _delta.equal(self, other) if isinstance(other, _Data) else NotImplemented


class Snapshot(_Data):
    """The state of a machine at one moment, whatever happens to the machine."""

    _allocator = _ALLOCATOR

    def __init__(self, rdata, profile):
        self._c = rdata
        self.profile = profile

    @property
    def constants(self):
        """The constants of the machine's profile."""
        return constants(self.profile)

    def _rdata(self):
        return self._c

    def _write(self, _patch):
        raise TypeError("a snapshot does not change: write to a machine, or to a fork")

    def __repr__(self):
        return f"<snapshot of a machine of profile {self.profile}>"


class Machine(Building, Accessing, _Data):
    """SeKVM's verified core and the machine that it runs on, as the spec describes them.

    machine       whose functions run: "spec", "bodies", ... (see machines())
    only, without names of its departures that are on, and that are off; default: all are on
    profile       whose constants hold: "spec" or "sekvm-4.18"; default: the machine's
    log           what is kept of the locks' logs: "summary", or "full" for every event
    environment   callbacks, by name, for what the spec leaves open (see _environment.py)
    raise_on_halt raise Halted when a call leaves the hypervisor halted
    effects       keep the effects of the last call, in `effects`
    options       other members of struct fh_config: loop_limit, realisation ("abstract",
                  "concrete", "both")

    Every spec function is a method: `m.map_page_host(0x80000000)`. It returns the function's value,
    or None, and raises Stuck where the spec says nothing.
    """

    _allocator = _ALLOCATOR

    def __init__(self, profile=None, log="summary", *, machine="spec", only=None, without=(),
                 environment=None, raise_on_halt=False, effects=False, **options):
        config = ffi.new("struct fh_config *")
        config.machine = _machine(machine)
        config.profile = (
            _profile(profile) if profile else lib.fh_machine_profile(config.machine)
        )
        profile = text(config.profile.name)
        config.allocator = _ALLOCATOR
        config.log_policy = _enumerator(ffi.typeof("enum fh_log_policy"), log)
        for name, value in options.items():
            if name not in _OPTIONS:
                raise TypeError(f"Machine has no option {name!r}")
            setattr(config, name, _option(name, value))
        state = lib.fh_state_new(config)
        if not state:
            raise MemoryError
        lib.fh_state_depart(state, _departures(config.machine, only, without))
        self.options = dict(options, log=log, machine=machine, only=only, without=tuple(without))
        self.setup = {}
        self._begin(state, profile, environment or {}, raise_on_halt, effects)

    def _begin(self, state, profile, environment, raise_on_halt, effects):
        self._state = ffi.gc(state, lib.fh_state_free)
        self.profile = profile
        self.raise_on_halt = raise_on_halt
        self._keeps_effects = effects
        self._context = Context(environment, self._state, _ALLOCATOR)
        if effects:
            self._context.observe([])
        self._arguments = ffi.new("uint64_t[]", lib.FH_MAX_ARGS)
        self._result = ffi.new("uint64_t *")
        self._listeners = []
        self.trap = Traps(self)

    # --- The state ---

    @property
    def constants(self):
        """The constants of the profile: `m.constants.PAGE_SIZE`."""
        return constants(self.profile)

    def _rdata(self):
        return lib.fh_state_rdata(self._state)

    def write(self, path, value):
        """Write the part of the state at a path."""
        keys, type_, depth = [], RDATA, 0
        for step in path.split("."):
            if type_.value:
                keys.append(self._key(step))
                depth += 1
                if depth == type_.depth:
                    type_, depth = type_.value, 0
            else:
                keys.append(step)
                type_ = type_.field(step).type if type_.fields else type_
        for key in reversed(keys):
            value = {key: value}
        self.patch(value)

    def patch(self, patch):
        """Write several parts at once: a dict of fields, of dicts of fields and of map entries.

        In the dict of a map the key "_" drops all entries and changes the default first.
        """
        self._write(patch)

    def _write(self, patch):
        before = self._take()
        try:
            rdata = lib.fh_state_edit(self._state)
            if not rdata:
                raise MemoryError
            store(RDATA, rdata, patch, _ALLOCATOR)
        except BaseException:
            lib.fh_state_restore(self._state, before)
            raise
        finally:
            lib.fh_snapshot_release(before, _ALLOCATOR)
        for listener in self._listeners:
            listener.wrote(patch)

    def _take(self):
        rdata = lib.fh_state_snapshot(self._state)
        if not rdata:
            raise MemoryError
        return rdata

    def snapshot(self):
        """The state as it is now: O(1), whatever its size."""
        rdata = ffi.gc(self._take(), lambda c: lib.fh_snapshot_release(c, _ALLOCATOR))
        return Snapshot(rdata, self.profile)

    def restore(self, snapshot):
        """Make the state that of a snapshot of this machine, or of one with its profile."""
        if snapshot.profile != self.profile:
            raise ValueError(f"a snapshot of profile {snapshot.profile}")
        before = self.snapshot() if self._listeners else None
        lib.fh_state_restore(self._state, snapshot._rdata())
        for listener in self._listeners:
            listener.restored(before)

    def fork(self, environment=None):
        """A second machine with the same state and options: O(1).

        It has the same callbacks, unless it is given others.
        """
        state = lib.fh_state_fork(self._state)
        if not state:
            raise MemoryError
        other = object.__new__(Machine)
        other.options = dict(self.options)
        other.setup = {key: list(value) for key, value in self.setup.items()}
        if environment is None:
            environment = self._context.callbacks
        other._begin(state, self.profile, environment, self.raise_on_halt, self._keeps_effects)
        return other

    def __copy__(self):
        return self.fork()

    def __deepcopy__(self, _memo):
        return self.fork()

    # --- Calls ---

    def call(self, function, *args, **named):
        """Call a spec function by its name, with or without its layer's in front."""
        row = lib.fh_function_find(function.encode())
        if not row:
            raise LookupError(f"no function {function!r}")
        function = FUNCTIONS[text(row.name)]
        return self._call(function, function.bind(args, named))

    def _call(self, function, values):
        status = self._run(self._invoke, function, values)
        failure = error_of(status, lib.fh_state_error(self._state)) if status else None
        result = self._result[0] if function.returns_value and not status else None
        for listener in self._listeners:
            listener.called(function, values, result, failure)
        if failure:
            raise failure
        if self.raise_on_halt and self.halted:
            raise Halted(function.name, values, self.panic_reason)
        return result

    def _run(self, function, *args):
        """Something of C that calls back: its status, unless a callback raised."""
        context = self._context
        if self._keeps_effects:
            context.effects.clear()
        before = self._take() if context.is_fallible else None
        try:
            status = function(*args)
            error = context.finish()
            if error is not None:
                lib.fh_state_restore(self._state, before)
                raise error
        finally:
            if before is not None:
                lib.fh_snapshot_release(before, _ALLOCATOR)
        return status

    def _trap(self, kind, take, trap, *step):
        outcome = ffi.new("struct fh_trap_outcome *")
        status = self._run(take, self._state, trap, outcome)
        # An end of the machine's own, such as an exception inside EL2, is an outcome.
        is_end = outcome.end in (lib.FH_TRAP_DIED, lib.FH_TRAP_HANGS)
        failure = None if is_end or not status else error_of(
            status, lib.fh_state_error(self._state))
        for listener in self._listeners:
            listener.trapped(kind, trap, failure, *step)
        if failure:
            raise failure
        if self.raise_on_halt and self.halted:
            raise halted_in(kind.lower(), self._state)
        return outcome_of(outcome)

    def _accessed(self, step, made, failure, has_tlb):
        for listener in self._listeners:
            listener.accessed(step, made, failure, has_tlb)
        if failure:
            raise failure
        if self.raise_on_halt and made.end == "halted":
            raise halted_in("access", self._state)

    def run_vcpu(self, vmid, vcpuid=0, **more):
        """The host runs a vCPU: `trap.run`."""
        return self.trap.run(vmid, vcpuid, **more)

    def _invoke(self, function, values):
        try:
            for i, value in enumerate(values):
                self._arguments[i] = value
        except OverflowError:
            raise InvalidArgument(f"{function!r}: {values[i]} is out of range") from None
        return lib.fh_invoke(self._state, function.c, self._arguments, len(values), self._result)

    @property
    def panic_reason(self):
        """Where and why KCore panicked last, a Panic; None while it is not halted."""
        return panic_of(self._state) if self.halted else None

    # --- Effects ---

    @property
    def effects(self):
        """What the last call did, in order, if the machine keeps effects."""
        if not self._keeps_effects:
            raise TypeError("this machine keeps no effects: Machine(effects=True), or observe()")
        return list(self._context.effects)

    @contextlib.contextmanager
    def observe(self):
        """A list that gets the effects of all calls made inside of the `with`."""
        outer, self._keeps_effects = (self._context.effects, self._keeps_effects), False
        effects = []
        self._context.observe(effects)
        try:
            yield effects
        finally:
            self._keeps_effects = outer[1]
            self._context.observe(outer[0])

    # --- Invariants ---

    def check_invariants(self, since=None):
        """The security invariants that do not hold; an empty list if all do.

        since: a snapshot in which all held; only what changed behind it is looked at.
        """
        report = ffi.new("struct fh_invariant_report *")
        if since is None:
            lib.fh_check_invariants(self._state, report)
        else:
            lib.fh_check_invariants_after(self._state, since._rdata(), report)
        return [
            _broken(row, report.witness[number])
            for number, row in enumerate(INVARIANTS)
            if report.broken >> number & 1
        ]

    def check_realisations(self):
        """Where the abstract and the concrete form of the state disagree first; None: nowhere."""
        first = ffi.new("struct fh_disagreement *")
        status = lib.fh_check_realisations(self._state, first)
        if status == lib.FH_OK:
            return None
        if status != lib.FH_DISAGREE:
            raise error_of(status, None)
        return {
            name: text(value) if name == "what" else value
            for name, value in ((name, getattr(first, name)) for name, _ in
                                ffi.typeof("struct fh_disagreement").fields)
        }

    def __repr__(self):
        k, state = self.constants, self.state
        where = {k.HOSTVISOR: "host", k.COREVISOR: "core"}.get(state.cur_vmid)
        halted = ", halted" if self.halted else ""
        where = where or f"VM {state.cur_vmid}"
        return f"<machine of profile {self.profile}: CPU {state.curid} in {where}{halted}>"


def _broken(row, witness):
    buffer = ffi.new("char[]", 512)
    lib.fh_witness_format(row.c, ffi.addressof(witness), buffer, len(buffer))
    values = dict(zip(row.values, witness.values))
    return Broken(row.name, row.statement, values, text(buffer))


def _enumerator(ctype, word):
    """The number of an enumerator by the end of its name: "full" is FH_LOG_FULL."""
    wanted = "_" + word.upper()
    found = [number for name, number in ctype.relements.items() if name.endswith(wanted)]
    if len(found) != 1:
        words = ", ".join(ctype.relements)
        raise ValueError(f"{word!r}: expected the end of one of {words}")
    return found[0]


def _option(name, value):
    """A member of struct fh_config: enumerators by their names."""
    if isinstance(value, str):
        return _enumerator(_OPTIONS[name], value)
    return value


def _machine(name):
    machine = lib.fh_machine_find(name.encode())
    if not machine:
        raise ValueError(f"no machine {name!r}; there are {', '.join(machines())}")
    return machine


def machines():
    """The names of the machines: the spec, its verified bodies, and what ships."""
    found, index = [], 0
    while machine := lib.fh_machine_at(index):
        found.append(text(machine.name))
        index += 1
    return found


def _bits(machine, names):
    """The bits of departures, in two words."""
    bits, number = [0, 0], ffi.new("unsigned *")
    for name in names:
        if not lib.fh_machine_find_departure(machine, name.encode(), number):
            raise ValueError(f"{text(machine.name)} has no departure {name!r}")
        bits[number[0] // 64] |= 1 << number[0] % 64
    return bits


def _departures(machine, only, without):
    """The set of a machine's departures that are on."""
    chosen = ffi.new("struct fh_departures *", lib.fh_machine_departures(machine))
    if only is not None:
        chosen.bits = _bits(machine, only)
    off = _bits(machine, without)
    chosen.bits = [word & ~away for word, away in zip(chosen.bits, off)]
    return chosen


def _method(function):
    def method(self, /, *args, **named):
        if named or len(args) != len(function.args):
            args = function.bind(args, named)
        return self._call(function, args)

    method.__name__ = method.__qualname__ = function.name
    method.__doc__ = f"{function!r}, as {function.layer} specifies it."
    return method


for _function in FUNCTIONS.values():
    if hasattr(Machine, _function.name):
        raise ImportError(f"Machine.{_function.name} is a spec function and more")
    setattr(Machine, _function.name, _method(_function))
