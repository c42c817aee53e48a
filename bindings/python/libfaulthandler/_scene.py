# SPDX-License-Identifier: GPL-2.0-only
"""Machines built by calls, and traps as calls: what scene.h and trap.h have."""

import typing

from ._errors import Halted, error_of, panic_of
from ._native import ffi, lib
from ._tables import text


def _word(prefix, word, what):
    """An enumerator by its word: FH_SCENE_VERIFIED is "verified"."""
    number = getattr(lib, f"{prefix}_{word.upper()}", None) if isinstance(word, str) else None
    if number is None:
        raise ValueError(f"{word!r} is no {what}")
    return number


class Building:
    """The calls that make a machine. Each does all of it, or raises and nothing has changed."""

    __slots__ = ()

    def _build(self, function, *arguments):
        if self._listeners:
            raise ValueError("a machine is built before it is recorded")
        if status := function(self._state, *arguments):
            raise error_of(status, lib.fh_state_error(self._state))

    def _describe(self, key, **description):
        self.setup.setdefault(key, []).append(description)

    def add_region(self, base, size, owner=0, gfn=None):
        """Add memory, whose pages belong to `owner`; the host's have the gfns of host pages."""
        self._build(lib.fh_scene_add_region, ffi.new("struct fh_scene_region *", {
            "base": base, "size": size, "owner": owner, "has_gfn": gfn is not None,
            "gfn": gfn or 0,
        }))
        self._describe("regions", base=base, size=size, owner=owner,
                       **({} if gfn is None else {"gfn": gfn}))

    def add_smmu(self, base, size=0x10000, pgshift=12, banks=None, owners=None):
        """Add an SMMU, whose context banks belong to nobody or to the VMs in `owners`."""
        index = self.state.smmu_conf.smmu_num
        before = self.snapshot()
        try:
            self._build(lib.fh_scene_add_smmu, ffi.new("struct fh_scene_smmu *", {
                "base": base, "size": size, "pgshift": pgshift, "banks": banks or 0,
            }))
            for bank, owner in (owners or {}).items():
                self._build(lib.fh_scene_set_bank, index, bank, owner)
        except BaseException:
            self.restore(before)
            raise
        self._describe("smmus", base=base, size=size, pgshift=pgshift,
                       banks=self.constants.SMMU_NUM_CTXT_BANKS if banks is None else banks,
                       owners=dict(owners or {}))

    def add_vm(self, vmid, vcpus=1, life="verified"):
        """Add a VM with vCPUs that may run. life: "verified", "registered", "unused", "powered_off"."""
        self._build(lib.fh_scene_add_vm, ffi.new("struct fh_scene_vm *", {
            "vmid": vmid, "vcpus": vcpus, "life": _word("FH_SCENE", life, "life of a VM"),
        }))

    def add_image(self, vmid, load_addr, size, pfn):
        """Add an image of a registered VM, `size` bytes of which the host has put at page `pfn`."""
        self._build(lib.fh_scene_add_image, ffi.new("struct fh_scene_image *", {
            "vmid": vmid, "load_addr": load_addr, "size": size, "pfn": pfn,
        }))

    def give(self, vmid, gfn, pfn, count=1, *, block=False, mapped=True, shared=0):
        """Make pages of the host a VM's: `count` in a row, or a block of 2 MiB.

        shared: how often the VM shares each with the host.
        """
        self._build(lib.fh_scene_give, ffi.new("struct fh_scene_pages *", {
            "vmid": vmid, "gfn": gfn, "pfn": pfn, "count": 0 if block else count,
            "is_block": block, "is_unmapped": not mapped, "shared": shared,
        }))

    def map_host(self, pfn, count=1):
        """Let the host have touched these pages: KCore has mapped them."""
        self._build(lib.fh_scene_map_host, pfn, count)

    def forget_logs(self):
        """Forget what building has written into the logs: they begin empty."""
        self._build(lib.fh_scene_forget_logs)


class Outcome(typing.NamedTuple):
    """How a trap ended, and who goes on."""

    end: str  # "returns" or "halted", of other machines than the spec also "died" or "hangs"
    is_host: bool  # who goes on: the host, or a vCPU
    vmid: int
    vcpuid: int
    register: int | None  # of the host, which has KCore's answer
    answer: int | None
    where: str  # "MemManager.map_page_host", if it does not return
    condition: str  # what did not hold there


_ACCESS = {"read": "READ", "write": "WRITE", "fetch": "FETCH"}


def kind_of_access(access):
    """An enum fh_arm_access_kind by its word."""
    if access not in _ACCESS:
        raise ValueError(f"{access!r} is no access: {', '.join(_ACCESS)}")
    return getattr(lib, f"FH_ARM_{_ACCESS[access]}")


class Traps:
    """The traps of a machine as calls: `m.trap.host_fault(0x345678)`.

    Each enters KCore on `cpu`, by default the one that acts, with the registers that the trap makes,
    and returns an Outcome. registers: those that are to be otherwise, by their names: {"elr_el2": 0}.
    Stuck and its like leave the machine as it was.
    """

    def __init__(self, machine):
        self._machine = machine

    def host_fault(self, ipa, access="read", size=8, rt=0, *, described=True, permission=False,
                   cpu=None, registers=None):
        """The host accesses `size` bytes at an address that stage 2 does not map.

        access: "read", "write" or "fetch", of register `rt`. described: the syndrome says so, which
        that of a pair, or of an access with write-back, does not. permission: stage 2 maps the
        address, but not for this.
        """
        regs = self._abort(lib.fh_scene_fault, ipa, access, size, rt, described, permission)
        return self.take("HOST_FAULT", regs, cpu, registers)

    def hvc(self, call, /, *, cpu=None, registers=None, **arguments):
        """A hypercall: by its name and named arguments, or by its number and `registers`.

        >>> m.trap.hvc("REGISTER_VCPU", vmid=1, vcpuid=0)
        """
        regs = ffi.new("struct fh_ctxt_regs *")
        if isinstance(call, int):
            if arguments:
                raise TypeError("a call by number has its arguments in `registers`")
            regs.x0 = call
        else:
            names = [ffi.new("char[]", name.encode()) for name in arguments]
            rows = ffi.new("struct fh_scene_argument[]", list(zip(names, arguments.values())) or 1)
            self._make(lib.fh_scene_hypercall, call.encode(), rows, len(names), regs,
                       unknown=f"no hypercall {call!r}")
        return self.take("HOST_CALL", regs, cpu, registers)

    def run(self, vmid, vcpuid=0, *, map=None, emulate=None, start=None, esr=0, cpu=None):
        """The host runs a vCPU.

        map: its answer to the fault that the vCPU left by, (ipa, pfn), or (ipa, pfn, "block") for 2
        MiB. emulate: instead, what a load from a device reads, whose syndrome is `esr`. start: where
        the vCPU starts the first time, (pc, pstate). What is not given, the environment answers.
        """
        machine, run = self._machine, ffi.new("struct fh_vcpu_run *")
        run.vmid, run.vcpuid, run.esr = vmid, vcpuid, esr
        if map is not None:
            run.ipa, run.answer.pfn, *block = map
            run.answer.kind, run.answer.is_block = lib.FH_HOST_GIVES, bool(block)
        elif emulate is not None:
            run.answer.kind, run.answer.value = lib.FH_HOST_EMULATES, emulate
        if start is not None:
            run.has_start, (run.pc, run.pstate) = True, start
        if cpu is not None and (status := lib.fh_trap_switch(machine._state, cpu)):
            raise error_of(status, lib.fh_state_error(machine._state))
        step = {"vmid": vmid, "vcpuid": vcpuid, "cpu": lib.fh_trap_cpu(machine._state)}
        if map is not None:
            step["map"] = {"ipa": map[0], "pfn": map[1]} | ({"block": True} if block else {})
        if start is not None:
            step |= {"pc": start[0], "pstate": start[1]}
        obstacle = "what a host emulates" if emulate is not None else None
        return machine._trap("VCPU_RUN", lib.fh_run_vcpu, run, step, obstacle)

    def vm_fault(self, ipa, access="read", size=8, rt=0, *, described=True, permission=False,
                 cpu=None, registers=None):
        """The vCPU that runs accesses an address that stage 2 does not map, and leaves."""
        regs = self._abort(lib.fh_scene_vm_fault, ipa, access, size, rt, described, permission)
        return self.take("VM_EXIT", regs, cpu, registers)

    def vm_exit(self, reason="interrupt", *, cpu=None, registers=None):
        """The vCPU that runs leaves: by "interrupt", "wfx", "hvc64", "hvc32" or "sys64"."""
        regs = ffi.new("struct fh_ctxt_regs *")
        exit_class = _word("FH_SCENE", reason, "exit of a vCPU")
        lib.fh_scene_vm_exit(self._machine._state, exit_class, regs)
        return self.take("VM_EXIT", regs, cpu, registers)

    def _make(self, function, *arguments, unknown=None):
        state = self._machine._state
        if status := function(state, *arguments):
            raise LookupError(unknown) if unknown and status == lib.FH_UNKNOWN else error_of(
                status, lib.fh_state_error(state))

    def _abort(self, function, ipa, access, size, rt, described, permission):
        regs = ffi.new("struct fh_ctxt_regs *")
        self._make(function, ffi.new("struct fh_scene_access *", {
            "ipa": ipa, "kind": kind_of_access(access), "bytes": size, "rt": rt,
            "is_undescribed": not described, "is_permission": permission,
        }), regs)
        return regs

    def take(self, kind, regs, cpu=None, registers=None):
        """Take a trap of a kind of trap.h with these hardware registers."""
        machine = self._machine
        for name, value in (registers or {}).items():
            setattr(regs, name, value)
        trap = ffi.new("struct fh_trap *", {
            "kind": getattr(lib, f"FH_TRAP_{kind}"), "regs": regs,
            "cpu": lib.fh_trap_cpu(machine._state) if cpu is None else cpu,
        })
        return machine._trap(kind, lib.fh_trap_take, trap)


def outcome_of(outcome):
    """A struct fh_trap_outcome as an Outcome."""
    answers = outcome.answer_register >= 0
    where = ".".join(text(part) for part in (outcome.layer, outcome.function) if part)
    return Outcome(
        text(lib.fh_trap_result_name(outcome.end)), bool(outcome.is_host), outcome.vmid,
        outcome.vcpuid, outcome.answer_register if answers else None,
        outcome.answer if answers else None, where,
        text(outcome.condition) if outcome.condition else "",
    )


def halted_in(trap, state):
    """The exception for a trap that KCore panicked in."""
    return Halted(trap, (), panic_of(state))
