# SPDX-License-Identifier: GPL-2.0-only
"""Random lives of a machine, step by step against the books of ledger.py.

After each step what changed in the machine must be what changed in the books, all invariants must
hold, and the abstract and the concrete realisation must agree. A sequence that fails is shrunk by
Hypothesis, then by leaving out steps, and written to $FH_FAILURES (failures/ by default) as a
scenario.
"""

import os
import pathlib

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ledger import BLOCK, PAGE, Ledger
from libfaulthandler import Machine, Recorder
from libfaulthandler.scenario import dump, minimise

FIRST, PAGES = 0x200, 0x800  # the host's memory: 8 MiB from 2 MiB on
SMMU = 0x100000

# Few pages and frames, so that steps meet. Bit 4 of a page that devices reach is set: the `spec`
# profile's descriptors have it.
PFNS = st.sampled_from([0x210, 0x211, 0x400, 0x5ff, 0x810, 0x811, 0x812, 0x9ff])
DEVICE_PFNS = st.sampled_from([0xa00, 0xa01, 0x80])
ANY_PFNS = st.one_of(PFNS, DEVICE_PFNS)
BLOCKS = st.sampled_from([0x400, 0x600])
GFNS = st.sampled_from([0x10, 0x11, 0x12, 0x200, 0x201, 0x3ff])
BLOCK_GFNS = st.sampled_from([0x200, 0x400])
VMS = st.sampled_from([1, 1, 1, 2, 3])
VCPUS = st.integers(0, 1)
BANKS = st.integers(0, 1)
COUNTS = st.integers(1, 3)

DEVICE_GFNS = 1 << 28  # an SMMU translates 40 bits


class Difference(AssertionError):
    """The machine is not as the books say. check: what they say, for a scenario."""

    def __init__(self, message, check=None):
        super().__init__(message)
        self.check = check


MACHINE = Machine(realisation="both")
MACHINE.add_region(FIRST * PAGE, PAGES * PAGE)
MACHINE.add_smmu(SMMU)


class Ownership(RuleBasedStateMachine):
    """A machine and its books."""

    ledger_class = Ledger
    name = "ownership"
    failure = None  # the last one, as a scenario

    def __init__(self):
        super().__init__()
        self.data, self.core_data = {}, {}  # from outside, by VM and number
        self.machine = MACHINE.fork({
            "doracle": lambda *place: self.data.get(place, 0),
            "core_doracle": lambda *place: self.core_data.get(place, 0),
        })
        self.k = self.machine.constants
        self.ledger = self.ledger_class(self.k)
        self.ledger.add_memory(FIRST, PAGES)
        self.recorder = Recorder(self.machine)
        self.ttbrs = {
            self.machine.fork().get_smmu_cfg_hw_ttbr(cbndx, 0): cbndx for cbndx in range(8)
        }

    # --- Steps ---

    def step(self, halts, call):
        """What KCore does, after the books have said whether it halts.

        A step that halts is done by a fork: nothing can happen to a machine behind it.
        """
        before = self.machine.snapshot()
        machine = self.machine
        if halts:
            machine = self.machine.fork()
        try:
            if halts:
                call(machine)
                if not machine.halted:
                    raise Difference("KCore goes on where it should halt")
            else:
                call(machine)
                self.compare(before)
        except Exception as error:
            self.keep(error, call if halts else None)
            raise
        self.ledger.touched.clear()

    def hypercall(self, halts, name, *args):
        """A hypercall of the host, by the way that it takes: a trap, with registers."""
        number = self.k[name]

        def call(machine):
            registers = {f"x{i}": value for i, value in enumerate((number, *args))}
            machine.patch({"regs": {"ctxt_regs": registers}})
            machine.host_hvc_handler_raw()

        self.step(halts, call)

    # --- Comparison ---

    def compare(self, before):
        if self.machine.halted:
            raise Difference("KCore halts where it should go on")
        keys = set(self.ledger.touched)
        for change in self.machine.delta(before):
            key = self.key_of(change.steps)
            if key:
                keys.add(key)
        for key in sorted(keys):
            expected, found = self.ledger[key], self.found(key)
            if expected != found:
                raise Difference(f"{key}: the books say {expected}, the machine {found}",
                                 self.check_of(key, expected))
        broken = self.machine.check_invariants(since=before)
        if broken:
            raise Difference(broken[0].text, "invariants")
        disagreement = self.machine.check_realisations()
        if disagreement:
            raise Difference(f"the realisations disagree: {disagreement}")

    def key_of(self, steps):
        """The fact that a place of the state tells of."""
        match steps:
            case "shared", "s2page", pfn, _:
                return "page", pfn
            case "shared", "npts", vmid, "pt", gfn if vmid != self.k.COREVISOR:
                return "map", vmid, gfn
            case "shared", "smmu_vmid", bank:
                return "bank", bank // self.k.SMMU_NUM_CTXT_BANKS, bank % self.k.SMMU_NUM_CTXT_BANKS
            case "shared", "spts", "spt_pt", ttbr, gfn:
                return "iova", 0, self.ttbrs[ttbr], gfn
            case "shared", "vminfos", vmid, "VS", "vm_state":
                return "vm", vmid
            case "shared", "vminfos", vmid, "VS", "vm_vcpu_state", vcpuid:
                return "vcpu", vmid, vcpuid
            case "shared", "core_data", "next_vmid":
                return ("vmids",)
        return None

    def path_of(self, key):
        """The place of a fact."""
        match key:
            case "page", pfn:
                return f"shared.s2page.{pfn:#x}"
            case "map", vmid, gfn:
                return f"shared.npts.{vmid}.pt.{gfn:#x}"
            case "bank", index, cbndx:
                return f"shared.smmu_vmid.{index * self.k.SMMU_NUM_CTXT_BANKS + cbndx}"
            case "iova", _, cbndx, gfn:
                ttbr = next(ttbr for ttbr, bank in self.ttbrs.items() if bank == cbndx)
                return f"shared.spts.spt_pt.{ttbr:#x}.{gfn:#x}"
            case "vm", vmid:
                return f"shared.vminfos.{vmid}.VS.vm_state"
            case "vcpu", vmid, vcpuid:
                return f"shared.vminfos.{vmid}.VS.vm_vcpu_state.{vcpuid}"
        return "shared.core_data.next_vmid"

    def found(self, key):
        """The fact as the machine has it."""
        shared = self.machine.state.shared
        match key:
            case "page", pfn:
                page = shared.s2page[pfn]
                return page.s2_owner, page.s2_count, page.s2_gfn
            case "map", vmid, gfn:
                entry = shared.npts[vmid].pt[gfn]
                return (entry.pfn, entry.level) if entry.pfn else None
            case "iova", *_:
                return self.machine.read(self.path_of(key)).pfn or None
        return self.machine.read(self.path_of(key))

    def check_of(self, key, expected):
        """A `check` that holds if the machine has the fact."""
        path = self.path_of(key)
        if key[0] == "page":
            return {path: dict(zip(("s2_owner", "s2_count", "s2_gfn"), expected))}
        if key[0] == "map":
            pfn, level = expected or (0, None)
            return {f"{path}.pfn": pfn} | ({f"{path}.level": level} if level else {})
        if key[0] == "iova":
            return {f"{path}.pfn": expected or 0}
        return {path: expected}

    # --- Failures ---

    def keep(self, error, call):
        """Keep what led here as a scenario, which fails where this did."""
        if call:
            call(self.machine)
        scenario = self.recorder.scenario(f"{type(error).__name__}: {error}", self.name)
        last = scenario["steps"][-1]
        expect = last.setdefault("expect", {})
        if call:
            expect["halted"] = True
        else:
            for outcome in ("halted", "stuck", "unrepresentable"):
                expect.pop(outcome, None)
        if not expect:
            del last["expect"]
        if getattr(error, "check", None):
            scenario["steps"].append({"check": error.check})
        type(self).failure = scenario

    @classmethod
    def save_failure(cls):
        """Write the last sequence that failed, the smallest that was found, as a scenario."""
        folder = pathlib.Path(os.environ.get("FH_FAILURES", "failures"))
        folder.mkdir(parents=True, exist_ok=True)
        text = "# SPDX-License-Identifier: GPL-2.0-only\n" + dump(minimise(cls.failure))
        (folder / f"{cls.name}.yaml").write_text(text)

    # --- What steps are about: what the books have, or anything ---

    def draw_gfn(self, data, vmid):
        mapped = [key[2] for key, entry in self.ledger.facts.items()
                  if key[:2] == ("map", vmid) and entry and entry[1] == 3]
        return self.draw(data, mapped, GFNS, "gfn")

    def draw_pfn(self, data, wanted):
        """A page of which the books say what `wanted` says."""
        found = [key[1] for key in sorted(self.ledger.noted_pages) if wanted(*self.ledger[key])]
        return self.draw(data, found, ANY_PFNS, "pfn")

    def draw(self, data, found, others, label):
        return data.draw(st.one_of(st.sampled_from(sorted(found)), others) if found else others,
                         label)

    # --- VMs ---

    @initialize()
    def first_vm(self):
        self.register_vm()

    @rule()
    def register_vm(self):
        self.hypercall(self.ledger.register_kvm(), "HVC_REGISTER_KVM")

    @rule(vmid=VMS, vcpuid=VCPUS)
    def register_vcpu(self, vmid, vcpuid):
        self.hypercall(self.ledger.register_vcpu(vmid, vcpuid), "HVC_REGISTER_VCPU", vmid, vcpuid)

    @rule(vmid=VMS, gfn=BLOCK_GFNS, pages=COUNTS)
    def set_boot_info(self, vmid, gfn, pages):
        halts = self.ledger.set_boot_info(vmid, gfn, pages)
        self.hypercall(halts, "HVC_SET_BOOT_INFO", vmid, gfn * PAGE, pages * PAGE)

    @rule(vmid=VMS, pfn=PFNS, number=st.integers(0, 2))
    def remap_image(self, vmid, pfn, number):
        halts = self.ledger.remap_image(vmid, pfn, number)
        self.hypercall(halts, "HVC_REMAP_VM_IMAGE", vmid, pfn, number)

    @rule(vmid=VMS)
    def verify(self, vmid):
        self.hypercall(self.ledger.verify(vmid), "HVC_VERIFY_VM_IMAGE", vmid)

    @rule(vmid=VMS, gfn=BLOCK_GFNS, pfn=BLOCKS, cbndx=BANKS)
    def boot(self, vmid, gfn, pfn, cbndx):
        """All that a VM with a device needs to be verified, in its order."""
        if not self.ledger.is_ready(vmid):
            return
        if self.ledger["vcpu", vmid, 0] == self.k.UNUSED:
            self.register_vcpu(vmid, 0)
        self.alloc_bank(vmid, cbndx)
        number = len(self.ledger.images[vmid])
        self.set_boot_info(vmid, gfn, 2)
        self.remap_image(vmid, pfn, number)
        self.verify(vmid)

    @rule(vmid=VMS, data=st.data())
    def end(self, vmid, data):
        """The VM is switched off, and what it had is the host's again."""
        self.power_off(vmid)
        self.host_reclaims(vmid, 1, data)
        for cbndx in range(2):
            if self.ledger["bank", 0, cbndx] == vmid:
                self.free_bank(cbndx)
                self.alloc_bank(0, cbndx)

    @rule(vmid=VMS, gfn=BLOCK_GFNS, block=BLOCKS, data=st.data(), pfn=ANY_PFNS,
          ends=st.integers(0, 3), times=st.integers(1, 3))
    def visits(self, vmid, gfn, block, data, pfn, ends, times):
        """A VM is booted, if need be, and the host runs its vCPU some times."""
        if self.ledger.is_ready(vmid):
            self.boot(vmid, gfn, block, 1)
        for _ in range(times):
            self.visit(vmid, 0, data, pfn, ends)

    @rule(vmid=VMS, vcpuid=VCPUS, data=st.data(), pfn=ANY_PFNS, ends=st.integers(0, 3))
    def visit(self, vmid, vcpuid, data, pfn, ends):
        """The host runs a vCPU, which makes hypercalls and stops: three kinds of traps."""
        pc = data.draw(BLOCK_GFNS, "pc")
        fault = data.draw(st.one_of(st.none(), st.tuples(GFNS, st.just(pfn))), "fault")
        gfn = self.draw_gfn(data, vmid)
        calls = data.draw(st.lists(st.tuples(st.booleans(), st.just(gfn), COUNTS), max_size=3),
                          "calls")
        halts = self.ledger.visit(vmid, vcpuid, pc, fault, calls, ends == 0)
        self.from_outside(vmid, vcpuid, pc, fault)
        self.step(halts, lambda machine: self.do_visit(machine, vmid, calls, ends == 0))

    def from_outside(self, vmid, vcpuid, pc, fault):
        """What KCore reads of the host to run a vCPU: its number and page, or its first pc."""
        n = self.machine.state.core_data_log[vmid]
        gfn, pfn = fault or (0, 0)
        for value in vcpuid, gfn * PAGE, pfn * PAGE, 3:
            self.core_data[vmid, n] = value
            n += 1
        self.data[vmid, self.machine.state.data_log[vmid]] = pc * PAGE

    def do_visit(self, machine, vmid, calls, ends):
        k = self.k
        trap = {"ec": k.ARM_EXCEPTION_TRAP, "esr_el2": k.ESR_ELx_EC_HVC64 << k.ESR_ELx_EC_SHIFT}

        def trap_with(handler, **registers):
            machine.patch({"regs": {"ctxt_regs": registers}})
            getattr(machine, handler)()

        trap_with("host_vcpu_run_handler_raw", x0=vmid)
        if machine.halted:
            return
        for is_grant, gfn, count in calls:
            number = k.HVC_KVM_SET_DESC_PFN if is_grant else k.HVC_KVM_UNSET_DESC_PFN
            trap_with("vm_exit_handler_raw", x0=number, x2=gfn * PAGE, x3=count * PAGE, **trap)
        if ends:
            trap_with("vm_exit_handler_raw", x0=k.PSCI_0_2_FN_SYSTEM_OFF, **trap)
        else:
            trap_with("vm_exit_handler_raw", ec=k.ARM_EXCEPTION_INTERRUPT)

    @rule(vmid=VMS, vcpuid=VCPUS)
    def run_vcpu(self, vmid, vcpuid):
        halts = self.ledger.run(vmid, vcpuid)
        self.step(halts, lambda machine: machine.set_vcpu_active(vmid, vcpuid))

    @rule(vmid=VMS, vcpuid=VCPUS)
    def stop_vcpu(self, vmid, vcpuid):
        halts = self.ledger.stop(vmid, vcpuid)
        self.step(halts, lambda machine: machine.set_vcpu_inactive(vmid, vcpuid))

    @rule(vmid=VMS)
    def power_off(self, vmid):
        halts = self.ledger.power_off(vmid)
        self.step(halts, lambda machine: machine.set_vm_poweroff(vmid))

    # --- Memory ---

    @rule(data=st.data())
    def host_touches(self, data):
        self.host_touches_at(
            self.draw_pfn(data, lambda owner, shares, gfn: owner != 0 and shares > 0)
        )

    def host_touches_at(self, pfn):
        def call(machine):
            fault = {"hpfar_el2": pfn << 4, "esr_el2": 0x93c08007}
            machine.patch({"regs": {"ctxt_regs": fault}})
            machine.host_npt_handler_raw()

        self.step(self.ledger.host_fault(pfn), call)

    @rule(vmid=VMS, gfn=GFNS, data=st.data())
    def vm_gets_page(self, vmid, gfn, data):
        pfn = self.draw_pfn(data, lambda owner, shares, at: owner == vmid)
        at = self.ledger["page", pfn][2]
        if at < DEVICE_GFNS:
            gfn = data.draw(st.sampled_from([at, gfn]), "at")
        self.vm_gets_page_at(vmid, gfn, pfn)

    def vm_gets_page_at(self, vmid, gfn, pfn):
        halts = self.ledger.populate(vmid, gfn, pfn)
        self.step(halts, lambda machine: machine.prot_and_map_vm_s2pt(
            vmid, gfn * PAGE, pfn * PAGE, 3))

    @rule(vmid=VMS, gfn=GFNS, pfn=PFNS)
    def vm_uses_page_with_host(self, vmid, gfn, pfn):
        """A VM gets a page, shares it, and the host looks into it."""
        self.vm_gets_page_at(vmid, gfn, pfn)
        self.vm_shares_at(vmid, gfn, 1)
        self.host_touches_at(pfn)

    @rule(vmid=VMS, gfn=BLOCK_GFNS, pfn=BLOCKS)
    def vm_gets_block(self, vmid, gfn, pfn):
        halts = self.ledger.populate_block(vmid, gfn, pfn)
        self.step(halts, lambda machine: machine.prot_and_map_vm_s2pt(
            vmid, gfn * PAGE, pfn * PAGE, 2))

    @rule(vmid=VMS, count=COUNTS, data=st.data())
    def vm_shares(self, vmid, count, data):
        self.vm_shares_at(vmid, self.draw_gfn(data, vmid), count)

    def vm_shares_at(self, vmid, gfn, count):
        halts = self.ledger.grant(vmid, gfn, count)
        self.step(halts, lambda machine: machine.grant_stage2_sg_gpa(
            vmid, gfn * PAGE, count * PAGE))

    @rule(vmid=VMS, count=COUNTS, data=st.data())
    def vm_takes_back(self, vmid, count, data):
        gfn = self.draw_gfn(data, vmid)
        halts = self.ledger.revoke(vmid, gfn, count)
        self.step(halts, lambda machine: machine.revoke_stage2_sg_gpa(
            vmid, gfn * PAGE, count * PAGE))

    @rule(vmid=VMS, count=st.sampled_from([1, 2, BLOCK]), data=st.data())
    def host_reclaims(self, vmid, count, data):
        pfn = self.draw_pfn(data, lambda owner, shares, gfn: owner == vmid)
        halts = self.ledger.clear_range(vmid, pfn, count)
        self.hypercall(halts, "HVC_CLEAR_VM_S2_RANGE", vmid, pfn * PAGE, count * PAGE)

    @rule(vmid=VMS, gfn=GFNS, pfn=ANY_PFNS, count=COUNTS)
    def vm_gets_device(self, vmid, gfn, pfn, count):
        halts = self.ledger.ioremap(vmid, gfn, pfn, count)
        self.hypercall(
            halts, "HVC_PHYS_ADDR_IOREMAP", vmid, gfn * PAGE, pfn * PAGE, count * PAGE
        )

    # --- SMMU ---

    @rule(vmid=st.one_of(VMS, st.just(0)), cbndx=BANKS)
    def alloc_bank(self, vmid, cbndx):
        halts = self.ledger.alloc_bank(vmid, cbndx)
        self.hypercall(halts, "HVC_SMMU_ALLOC_PGD", cbndx, vmid, 0)

    @rule(vmid=VMS, cbndx=BANKS, gfn=GFNS, pfn=PFNS, data=st.data())
    def device_of_vm(self, vmid, cbndx, gfn, pfn, data):
        """A VM that is not verified gets a page, and a device that reaches it."""
        self.alloc_bank(vmid, cbndx)
        self.vm_gets_page_at(vmid, gfn, pfn | 0x10)
        self.map_device_at(cbndx, gfn, pfn | 0x10)

    @rule(cbndx=BANKS)
    def free_bank(self, cbndx):
        self.hypercall(self.ledger.free_bank(cbndx), "HVC_SMMU_FREE_PGD", cbndx, 0)

    @rule(cbndx=BANKS, gfn=GFNS, is_vms=st.booleans(), data=st.data())
    def device_gets_page(self, cbndx, gfn, is_vms, data):
        """A device of a VM gets a page; the VM may then want it too."""
        owner = self.ledger["bank", 0, cbndx]
        pfn = self.draw_pfn(data, lambda of, shares, at: of in (owner, 0))
        halts = self.ledger.assign_to_device(cbndx, gfn, pfn)
        self.step(halts, lambda machine: machine.smmu_assign_page(cbndx, 0, pfn, gfn))
        if is_vms and owner in range(1, self.k.COREVISOR):
            self.vm_gets_page_at(owner, gfn, pfn)

    @rule(cbndx=BANKS, data=st.data())
    def map_device(self, cbndx, data):
        owner = self.ledger["bank", 0, cbndx]
        pfn = 0x10 | self.draw_pfn(data, lambda of, shares, at: of == owner)
        gfn = data.draw(st.one_of(st.just(self.ledger["page", pfn][2]), GFNS), "gfn")
        if gfn < DEVICE_GFNS:
            self.map_device_at(cbndx, gfn, pfn)

    def map_device_at(self, cbndx, gfn, pfn):
        pte = pfn * PAGE | 1
        halts = self.ledger.map_device(cbndx, gfn, pfn)
        self.step(halts, lambda machine: machine.smmu_map_page(cbndx, 0, gfn * PAGE, pte))

    @rule(pfn=PFNS, cbndx=BANKS, data=st.data())
    def host_maps_device(self, cbndx, pfn, data):
        """The hypercall, which serves banks of the host alone: and these not with the `spec`
        profile's numbers, where a page of the host has a gfn beyond what an SMMU translates."""
        pfn |= 0x10
        if self.ledger["bank", 0, cbndx] != self.k.HOSTVISOR:
            return
        gfn = data.draw(st.sampled_from([self.ledger.home(pfn), 0x10]), "gfn")
        halts = gfn >= DEVICE_GFNS or self.ledger.map_device(cbndx, gfn, pfn)
        self.hypercall(halts, "HVC_SMMU_LPAE_MAP", gfn * PAGE, pfn * PAGE, 1, cbndx, 0)

    @rule(cbndx=BANKS, data=st.data())
    def unmap_device(self, cbndx, data):
        mapped = [
            key[3] for key in sorted(self.ledger.facts)
            if key[:3] == ("iova", 0, cbndx) and self.ledger[key]
        ]
        gfn = data.draw(st.sampled_from([*mapped, 0x10]), "gfn")
        halts = self.ledger.unmap_device(cbndx, gfn)
        self.hypercall(halts, "HVC_SMMU_CLEAR", gfn * PAGE, cbndx, 0)
