# SPDX-License-Identifier: GPL-2.0-only
"""Accesses to memory, from the instruction to the data: what access.h has."""

import typing

from ._errors import InvalidArgument, error_of
from ._native import ffi, lib
from ._scene import Outcome, kind_of_access, outcome_of
from ._tables import text

_FORMS = {"signed": "is_signed", "x": "is_64bit", "ordered": "is_ordered",
          "pair": "is_undescribed", "el0": "is_el0", "table": "is_table"}
_ANSWERS = {"nothing": "FH_HOST_RUNS_ON", "stop": "FH_HOST_STOPS"}


class Fault(typing.NamedTuple):
    """The first fault of an access. Of a device the SMMU's registers, of others the CPU's."""

    kind: str  # "translation", "permission", "access flag", "address size"
    level: int
    esr: int | None = None
    far: int | None = None
    hpfar: int | None = None
    fsr: int | None = None
    fsynr0: int | None = None
    address: int | None = None


class Access(typing.NamedTuple):
    """How an access ended."""

    end: str  # "done", "emulated", "faults", "stopped", "halted", "died" or "hangs"
    value: int  # of a load: what the register gets; else what was written
    tries: int
    handled: str  # who had to do with the fault: "nobody", "kcore", "host" or "smmu"
    fault: Fault | None
    pa: int | None  # of its first byte; None if it was not made
    cached: bool  # it went by a translation that a TLB had kept
    stale: bool  # and that the tables do not have any more
    foreign: bool  # a page of somebody else was read or written
    owner: int  # of that page, else of the first one
    trap: Outcome | None  # the last one, if there was one


def _numbers(what, given, *names):
    """A dict with these keys and no others."""
    if unknown := set(given) - set(names):
        raise ValueError(f"{what} has no {sorted(unknown)[0]!r}: {', '.join(names)}")
    return given


def _principal(by):
    """Who accesses: "host", {"vmid": 1, "vcpuid": 0} or {"smmu": 0, "bank": 2}."""
    if by == "host":
        return {"kind": lib.FH_BY_HOST}
    if isinstance(by, dict) and "vmid" in by:
        return {"kind": lib.FH_BY_VM} | _numbers("a vCPU", by, "vmid", "vcpuid")
    if isinstance(by, dict) and "bank" in by:
        return {"kind": lib.FH_BY_DEVICE} | _numbers("a device", by, "smmu", "bank")
    raise ValueError(f"{by!r} is neither 'host' nor a vCPU nor a device")


def _answer(answer):
    """What the host does about a fault of a VM: one of `_ANSWERS`, a page, or a value."""
    if isinstance(answer, str) and answer in _ANSWERS:
        return {"kind": getattr(lib, _ANSWERS[answer])}
    if isinstance(answer, dict) and "pfn" in answer:
        page = _numbers("a page that is given", answer, "pfn", "block")
        return {"kind": lib.FH_HOST_GIVES, "pfn": page["pfn"], "is_block": page.get("block", False)}
    if isinstance(answer, dict) and "value" in answer:
        return {"kind": lib.FH_HOST_EMULATES} | _numbers("what is emulated", answer, "value")
    raise ValueError(f"{answer!r} is no answer of a host")


def _forms(form):
    if unknown := [word for word in form if word not in _FORMS]:
        raise ValueError(f"{unknown[0]!r} is no form: {', '.join(_FORMS)}")
    return {_FORMS[word]: True for word in form}


def _fault(outcome, is_device):
    if not outcome.has_fault:
        return None
    buffer, code = ffi.new("char[]", 128), int(outcome.fault)
    lib.fh_arm_describe_status(code, buffer, len(buffer))
    kind = text(buffer).partition(" fault")[0]
    if is_device:
        noted = outcome.noted
        return Fault(kind, outcome.level, fsr=noted.fsr, fsynr0=noted.fsynr0, address=noted.far)
    abort = outcome.abort
    return Fault(kind, outcome.level, abort.esr, abort.far, abort.hpfar)


def _access_of(outcome, is_device):
    is_made = outcome.end == lib.FH_ACCESS_DONE
    has_trap = outcome.trap.end != lib.FH_TRAP_RETURNS or outcome.handler in (
        lib.FH_HANDLED_BY_KCORE, lib.FH_HANDLED_BY_HOST)
    return Access(
        text(lib.fh_access_end_name(outcome.end)), outcome.value, outcome.tries,
        text(lib.fh_access_handler_name(outcome.handler)), _fault(outcome, is_device),
        outcome.pa if is_made else None, bool(outcome.is_cached), bool(outcome.is_stale),
        bool(outcome.is_foreign), outcome.owner, outcome_of(outcome.trap) if has_trap else None,
    )


class Accessing:
    """Accesses of a machine to its memory."""

    __slots__ = ()

    def access(self, address, access="read", *, by="host", size=None, value=0, rt=0, form=(),
               answers=(), tries=0, tlb=False, cpu=None):
        """Make an access to memory, from the instruction to the data, and return an Access.

        access: "read", "write" or "fetch". by: "host", a vCPU {"vmid": 1, "vcpuid": 0}, or a
        device behind a context bank {"smmu": 0, "bank": 2}; who does not run on the CPU is brought
        there. size: 1, 2, 4 or 8 bytes, 8 by default, and 4 for a fetch. value: what is written. rt:
        the register. form: what else the instruction is: "signed", "x", "ordered", "pair", "el0",
        "table". answers: the host's to the faults of a VM, in turn: {"pfn": 0x300}, with "block":
        True 2 MiB; {"value": 7}: it emulates a device; "nothing", "stop". tries: how often it is
        made at most, 8 by default. tlb: translations that were used are kept until KCore
        invalidates them. cpu: who makes it, by default the one that acts.

        The machine has tables as words: Machine(realisation="both") or "concrete". Stuck and its
        like leave it as it was.
        """
        replies = ffi.new("struct fh_host_answer[]", [_answer(one) for one in answers] or 1)
        try:
            request = ffi.new("struct fh_access_request *", {
                "by": _principal(by), "address": address, "kind": kind_of_access(access),
                "bytes": size or 0, "value": value, "rt": rt, "answers": replies,
                "nanswers": len(answers), "tries": tries, "has_tlb": tlb,
            } | _forms(form))
        except OverflowError as error:
            raise InvalidArgument(f"access: {error}") from None
        outcome = ffi.new("struct fh_access_outcome *")
        said = {"access": "execute" if access == "fetch" else access, "by": by,
                "address": address, "value": value if access == "write" else None, "size": size,
                "rt": rt or None, "form": list(form), "tries": tries or None,
                "answers": list(answers)}
        failure = self._make_access(request, outcome, cpu)
        made = _access_of(outcome, request.by.kind == lib.FH_BY_DEVICE)
        step = {key: what for key, what in said.items() if what not in (None, [])}
        step["cpu"] = lib.fh_trap_cpu(self._state)
        self._accessed(step, made, failure, tlb)
        return made

    def _make_access(self, request, outcome, cpu):
        """Make it, on a CPU. What fails leaves also the CPU that acts."""
        def make():
            if cpu is not None and (status := lib.fh_trap_switch(self._state, cpu)):
                return status
            return lib.fh_access(self._state, request, outcome)

        before = self.snapshot()
        status = self._run(make)
        # An end of the machine's own, such as an exception inside EL2, is an outcome.
        if not status or outcome.end in (lib.FH_ACCESS_DIED, lib.FH_ACCESS_HANGS):
            return None
        failure = error_of(status, lib.fh_state_error(self._state))
        if cpu is not None:
            lib.fh_state_restore(self._state, before._rdata())
        return failure
