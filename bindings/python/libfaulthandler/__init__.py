# SPDX-License-Identifier: GPL-2.0-only
"""libfaulthandler: SeKVM's verified hypervisor core as a state machine.

>>> import libfaulthandler
>>> machine = libfaulthandler.Machine()
>>> machine.map_page_host(0x80000000)
>>> machine.state.shared.npts[0].pt[0x80000].pfn == 0x80000
True

The name is the project's: Python has a built-in module `faulthandler` of its own.
"""

from . import _errors
from ._access import Access, Fault
from ._arm import Decoded, decode
from ._delta import Change, Delta, LogSummary, delta
from ._errors import ERRORS, Error, Halted, Panic
from ._machine import Broken, Machine, Snapshot, constants, machines
from ._scene import Outcome, Traps
from ._state import Event, Log, Map, Record
from ._tables import EFFECTS, EVENTS, FUNCTIONS, INVARIANTS, PROFILES
from ._native import lib as _lib
from .recorder import Recorder
from .scenario import Report, ScenarioError, minimise, run_scenario

if hasattr(_lib, "fht_trace_open"):  # a build with the tools
    from ._trace import Replay, Trace, TraceError, TraceRecord, TraceWriter, Trap, open_trace

    _TRACES = ["Replay", "Trace", "TraceError", "TraceRecord", "TraceWriter", "Trap", "open_trace"]
else:
    _TRACES = []

globals().update({error.__name__: error for error in ERRORS.values()})

__all__ = [
    "Access", "Broken", "Change", "Decoded", "Delta", "EFFECTS", "EVENTS", "Error", "Event",
    "FUNCTIONS", "Fault", "Halted", "INVARIANTS", "Log", "LogSummary", "Machine", "Map", "Outcome",
    "PROFILES", "Record", "Recorder", "Report", "ScenarioError", "Snapshot", "Traps", "constants",
    "decode", "delta", "machines", "minimise", "run_scenario",
    *_TRACES,
    *(error.__name__ for error in ERRORS.values()),
]

del _errors
