# SPDX-License-Identifier: GPL-2.0-only
"""What differs between two states."""

import collections
import dataclasses

from ._format import number, value
from ._native import ffi, lib
from ._state import events_of
from ._tables import LOG_LOCKS, Kind, text, type_of

# The path of a change: names of fields and keys of maps, outermost first.
DEFAULT_STEP = "_"


def format_path(steps):
    """`shared.s2page.0x80.s2_owner`: what Machine.read and scenarios call the place."""
    return ".".join(
        step if isinstance(step, str) else ".".join(map(number, _keys(step))) for step in steps
    )


def _keys(step):
    return step if isinstance(step, tuple) else (step,)


class Change(collections.namedtuple("Change", "steps old new")):
    """A place that differs: `path`, its value before (`old`) and after (`new`)."""

    __slots__ = ()

    @property
    def path(self):
        """The place as text."""
        return format_path(self.steps)

    def __repr__(self):
        return f"{self.path}: {value(self.old)} -> {value(self.new)}"


@dataclasses.dataclass(frozen=True)
class LogSummary:
    """A log in a change. `events` are those that the other log does not have, where listed."""

    length: int
    lock: str
    holder: int | None
    events: tuple

    def __str__(self):
        events = f" {list(self.events)}" if self.events else ""
        return f"{self.length} events{events}"


class Delta(collections.abc.Sequence):
    """The changes between two states, in the order of RData's fields."""

    def __init__(self, changes):
        self._changes = list(changes)

    def __getitem__(self, i):
        part = self._changes[i]
        return Delta(part) if isinstance(i, slice) else part

    def __len__(self):
        return len(self._changes)

    def __eq__(self, other):
        return list(self) == list(other) if isinstance(other, (Delta, list)) else NotImplemented

    def paths(self):
        """The places that differ, as text."""
        return [change.path for change in self]

    def without_logs(self):
        """The changes outside of the locks' logs, in which every critical section leaves events."""
        return Delta(change for change in self if change.steps[0] not in ("log", "slog"))

    def to_patch(self):
        """The new values as a patch: what turns the one state into the other."""
        patch = {}
        for change in self:
            if isinstance(change.new, LogSummary):
                raise ValueError(f"{change.path} differs, and no patch can say a log")
            place = patch
            keys = [key for step in change.steps for key in _keys(step)]
            for key in keys[:-1]:
                place = place.setdefault(key, {})
            place[keys[-1]] = list(change.new) if isinstance(change.new, tuple) else change.new
        return patch

    def __repr__(self):
        return "\n".join(map(repr, self)) if self else "no change"


def _step(step):
    if step.field:
        return text(step.field)
    if step.is_fallback:
        return DEFAULT_STEP
    keys = tuple(step.keys[0:step.nkeys])
    return keys if len(keys) > 1 else keys[0]


def _log_summary(place, other):
    log, other = (ffi.cast("struct fh_log *", p) for p in (place, other))
    holder = log.holder if log.lock == lib.FH_LOG_HELD else None
    events = events_of(log, max(log.length - other.length, 0))
    return LogSummary(log.length, LOG_LOCKS[log.lock], holder, tuple(events))


@ffi.def_extern(error=False)
def visit_change(context, change):
    if not context:
        return False
    type_ = type_of(change.type)
    path = change.path
    steps = tuple(_step(path.steps[i]) for i in range(path.length))
    if type_.kind is Kind.LOG:
        old = _log_summary(change.before, change.after)
        new = _log_summary(change.after, change.before)
    else:
        old, new = type_.load(change.before), type_.load(change.after)
    ffi.from_handle(context).append(Change(steps, old, new))
    return True


def delta(before, after):
    """What differs between two states: machines or snapshots."""
    changes = []
    handle = ffi.new_handle(changes)
    lib.fh_delta(before._rdata(), after._rdata(), lib.visit_change, handle)
    return Delta(changes)


def equal(before, after):
    """Are two states the same everywhere, logs included?"""
    return lib.fh_delta(before._rdata(), after._rdata(), lib.visit_change, ffi.NULL)
