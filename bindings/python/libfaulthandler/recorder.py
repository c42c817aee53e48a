# SPDX-License-Identifier: GPL-2.0-only
"""Writes down what happens to a machine, as a scenario that `fhsim run` plays."""

import copy
import pathlib

from ._delta import delta
from ._errors import Disagree, InvalidArgument, Stuck, Unrepresentable
from .scenario import dump

# Callbacks whose answers a scenario can hold, and its keys for them.
_DATA = {"doracle": "data", "core_doracle": "core_data"}

# Kinds of traps, as scenarios name them, and the register that a step of the kind needs.
_TRAPS = {
    "HOST_FAULT": "host-npt-fault", "HOST_CALL": "host-hvc", "VCPU_RUN": "vcpu-run",
    "VM_EXIT": "vm-exit",
}
_NEEDED = {"HOST_FAULT": "hpfar_el2", "HOST_CALL": "x0", "VM_EXIT": "ec"}
_OTHER_CPUS = ("machine", "machine_ctxts")  # what waits until they act
_SHORT = {"far_el2": "far", "elr_el2": "elr", "esr_el2": "esr", "hpfar_el2": "hpfar"}


class Recorder:
    """Records the calls and writes of a machine from now on.

    >>> recorder = Recorder(machine)
    >>> machine.map_page_host(0x200000)
    >>> recorder.save("found.yaml", "The host touches a page.")

    deltas: say of each call what exactly it changes. Without, a step says what it returns, whether
    it is stuck and whether it halts.
    """

    def __init__(self, machine, deltas=False):
        self._machine = machine
        self._deltas = deltas
        self._steps = []
        self._data = {key: {} for key in _DATA.values()}
        self._oracle = {}
        self._obstacle = None
        self._tlb = None
        self._start = machine.snapshot()
        self._before = self._start
        self._setup = copy.deepcopy(machine.setup)
        self._check_logs()
        machine._listeners.append(self)
        if machine._context.callbacks:
            machine._context.answers = self._answered

    def stop(self):
        """Record no more."""
        self._machine._listeners.remove(self)
        self._machine._context.answers = None

    def __len__(self):
        return len(self._steps)

    # --- What the machine tells ---

    def called(self, function, values, result, failure):
        """A call, and how it ended."""
        if isinstance(failure, InvalidArgument):
            return
        step = {"call": f"{function.layer}.{function.name}"}
        if values:
            step["args"] = dict(zip(function.args, values))
        expect = self._outcome(result, failure)
        if self._deltas and not failure:
            changes = self._machine.delta(self._before).without_logs()
            expect.update({"delta": nested(changes.to_patch())} if changes else {"changes": "none"})
        if expect:
            step["expect"] = expect
        self._steps.append(step)
        self._before = self._machine.snapshot()

    def trapped(self, kind, trap, failure, step=None, obstacle=None):
        """A trap, and how it ended. step: what a scenario says of it, if not the registers."""
        if isinstance(failure, InvalidArgument):
            return
        if obstacle:
            self._obstacle = f"a scenario cannot say {obstacle}"
        step = step or {"cpu": trap.cpu} | self._registers(kind, trap)
        step = {"trap": _TRAPS[kind]} | step
        expect = self._outcome(None, failure)
        if self._deltas and not failure:
            changes = self._machine.delta(self._before).without_logs()
            values = {
                change.path: nested(change.new) for change in changes
                if change.steps[0] not in _OTHER_CPUS
            }
            expect |= {"state": values} if values else {}
        if expect:
            step["expect"] = expect
        self._steps.append(step)
        self._before = self._machine.snapshot()

    def accessed(self, step, made, failure, has_tlb):
        """An access to memory, and how it ended."""
        if isinstance(failure, InvalidArgument):
            return
        if self._tlb not in (None, has_tlb):
            self._obstacle = "some accesses have a TLB, and others none"
        self._tlb = has_tlb
        expect = self._outcome(None, failure)
        if not failure:
            expect |= {"tries": made.tries, "handled": made.handled}
            expect |= {"end": made.end} if made.end in ("faults", "stopped") else {}
            expect |= {"died": True} if made.end == "died" else {}
            expect |= {"hangs": True} if made.end == "hangs" else {}
            expect |= {"foreign": True} if made.foreign else {}
            expect |= {"value": made.value, "pa": made.pa} if made.end == "done" else {}
        self._steps.append(step | {"expect": expect} if expect else step)
        self._before = self._machine.snapshot()

    def _registers(self, kind, trap):
        """What a step says of a trap's registers: those that it does not name keep what they hold."""
        state = self._before.state
        held = state.regs.ctxt_regs.to_dict()
        needed = _NEEDED.get(kind)
        step, numbered = {}, {}
        for name, old in held.items():
            new = getattr(trap.regs, name)
            if new == old and trap.cpu == state.curid and name != needed:
                continue
            if name == "x0" and kind == "HOST_CALL":
                step["hvc"] = new
            elif name[0] == "x" and name[1:].isdigit():
                numbered[int(name[1:])] = new
            else:
                step[_SHORT.get(name, name)] = new
        return step | ({"x": numbered} if numbered else {})

    def _outcome(self, result, failure):
        if isinstance(failure, Stuck):
            return {"stuck": f"{failure.layer}.{failure.function}" if failure.function else True}
        if isinstance(failure, Unrepresentable):
            return {"unrepresentable": True}
        if isinstance(failure, Disagree):
            return {"disagrees": True}
        if failure:
            self._obstacle = f"a call ended by {failure!r}"
        expect = {} if result is None else {"result": result}
        if self._machine.halted and not self._before.halted:
            reason = self._machine.panic_reason
            expect["halted"] = reason.where if reason else True
        return expect

    def wrote(self, patch):
        """Parts of the state were written from outside."""
        self._steps.append({"set": nested(patch)})
        self._before = self._machine.snapshot()

    def restored(self, before):
        """The machine went back to a snapshot."""
        try:
            self.wrote(self._machine.delta(before).to_patch())
        except ValueError as error:
            self._obstacle = f"a snapshot was restored, and {error}"

    def _answered(self, name, args, answer):
        if name in _DATA:
            vmid, n = args
            known = self._data[_DATA[name]].setdefault(vmid, {}).setdefault(n, answer)
            if known != answer:
                self._obstacle = f"{name}({vmid}, {n}) has two answers"
        elif name == "oracle":
            lock, _cpu, length = args
            self._oracle.setdefault(lock, {})[length] = answer
        else:
            self._obstacle = f"a scenario cannot say what {name} answers"

    # --- The scenario ---

    def _blank(self):
        """A machine with the same memory and devices, and nothing else."""
        blank = type(self._machine)(self._machine.profile, **self._machine.options)
        for region in self._setup.get("regions", ()):
            blank.add_region(**region)
        for smmu in self._setup.get("smmus", ()):
            blank.add_smmu(**smmu)
        return blank

    def _check_logs(self):
        state = self._start.state
        logs = {f"log.{lock}": log for lock, log in state.log.items()} | {"slog": state.slog}
        for path, log in logs.items():
            if log.length > 0:
                raise ValueError(
                    f"a scenario begins with empty logs, but {path} has {log.length} events: "
                    "record from the start"
                )

    def scenario(self, description, name=None):
        """All of it as a dict, in the scenario format."""
        if self._obstacle:
            raise ValueError(self._obstacle)
        scenario = {"name": name, "description": description, "profile": self._machine.profile}
        options = self._machine.options
        scenario["machine"] = self._setup | {
            key: value
            for key, value, usual in (
                ("name", options["machine"], "spec"),
                ("only", options["only"], None),
                ("without", list(options["without"]), []),
                ("realisation", options.get("realisation", "abstract"), "abstract"),
            )
            if value != usual
        }
        scenario["state"] = nested(delta(self._blank(), self._start).to_patch())
        scenario["tlb"] = "stale" if self._tlb else None
        scenario |= self._data
        scenario["oracle"] = self._oracle
        return {key: value for key, value in scenario.items() if value} | {
            "steps": self._steps or [{"check": {"halt": self._machine.halted}}]
        }

    def save(self, path, description, name=None):
        """Write the scenario to a file."""
        text = "# SPDX-License-Identifier: GPL-2.0-only\n" + dump(self.scenario(description, name))
        pathlib.Path(path).write_text(text, encoding="utf-8")


def nested(patch):
    """A patch in plain values, with the keys of nested maps one below the other."""
    if hasattr(patch, "to_dict"):
        patch = patch.to_dict()
    if isinstance(patch, tuple):
        return list(patch)
    if not isinstance(patch, dict):
        return patch
    plain = {}
    for key, part in patch.items():
        *outer, last = key if isinstance(key, tuple) else (key,)
        place = plain
        for step in outer:
            place = place.setdefault(step, {})
        part = nested(part)
        if isinstance(part, dict) and isinstance(place.get(last), dict):
            place[last].update(part)
        else:
            place[last] = part
    return plain
