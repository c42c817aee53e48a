# SPDX-License-Identifier: GPL-2.0-only
"""A kernel of the family on another line: four levels of tables with pools that count pages, other
numbers of calls, registers, VMs and owners, another HCR_EL2 and VTCR_EL2, arguments elsewhere, and a
recorder that leaves out locks, results and contexts. It is made of a recording, word by word; what
describes it are the lines below, and the verdicts are those of the recording."""

import json

import pytest

from recordings import DOMAINS, VM, lines_of
from test_second_kernel import number, verdicts

FOLDER = """\
machine: mine
title: SeKVM on another line
extends: sekvm-4.18
recognised: {call: 6, pools: 41, kernel_version: 0x50f}
constants:
  COREVISOR: 40
  MAX_VM_NUM: 39
  VCPU_PER_VM: 8
  HCR_HYPSEC_VM_FLAGS: 0x48078663b
  HOST_PGD_OFFSET: 0x1000
  HOST_PUD_OFFSET: 0x81000
  PGD_OFFSET: 0x1000
  PUD_OFFSET: 0x11000
adopted:
  ram_base: dram_start
  vcpu_contexts: el2_data + 0x10008470
  vcpu_context_size: 0xa00
tables: {levels: 4, next: index}
registers: {MPIDR_EL1 to ELR_EL2: 88}
hypercalls:
  TIMER_SET_CNTVOFF: 57
  VCPU_RUN: 58
  SET_BOOT_INFO: {number: 60, call: "set_boot_info(w1, x3, x4)"}
  REMAP_VM_IMAGE: 61
  VERIFY_VM_IMAGE: 62
  REGISTER_KVM: 63
  REGISTER_VCPU: 64
  SMMU_FREE_PGD: 73
  SMMU_ALLOC_PGD: 74
  SMMU_LPAE_MAP: 75
  SMMU_LPAE_IOVA_TO_PHYS: 76
  SMMU_CLEAR: 77
  PHYS_ADDR_IOREMAP: 78
dialect:
  - {effect: lock, omits: true}
  - {effect: unlock, omits: true}
  - {effect: fn_ret, omits: true}
  - {effect: snap, omits: true}
  - {effect: tlbi, says: {ipa: ipa >> 12}}
  - {effect: s2_set, says: {index: index + 0x40000}}
  - {effect: s2_set, when: {field: gfn}, says: {field: map}}
  - {effect: fn, when: {fn: mmap_s2pt}, says: {fn: map_stage2}}
"""
CALLS = {7: 57, 8: 58, 10: 60, 11: 61, 12: 62, 13: 63, 14: 64, 23: 73, 24: 74, 25: 75, 26: 76,
         27: 77, 28: 78}
OWN, OWN_BEFORE = 40, 65
PAGE = 0x1000
ROOM = 64  # event numbers for each one of the recording: four levels write more
REGISTERS = range(48, 72)
VM_FLAGS, MORE_FLAGS = 0x8078663b, 1 << 34
EL2_DATA, CONTEXTS = 0x894d403c1000, 0x10000470
OMITTED = "lock", "unlock", "fn_ret", "snap"
NAMES = {"phys_mem_start": "dram_start", "el2_data_hyp_va": "el2_data", "PAGE_S2": "kernel_version"}


def pages(fx, first):
    fx.update(old=hex((number(fx["old"]) - first) // PAGE), new=hex((number(fx["new"]) - first) // PAGE))


class OtherLine:
    """Makes records of the other kernel of those of sekvm-4.18."""

    def __init__(self):
        self.pgd_pool = {}  # of the recording, whose pgd pools have the tables of the last but one level
        self.first = {}     # the first page of each pool
        self.puds = {}      # VM, index in the root: the table
        self.taken = None   # the page that was taken last for such a table

    def boot_pool(self, fx):
        vmid, start = fx["vmid"], number(fx["page_pool_start"])
        if OWN <= vmid < OWN_BEFORE:
            return
        self.pgd_pool[vmid] = number(fx["pgd_pool"])
        size = 0x80000 if vmid == 0 else 0x10000
        self.first[vmid] = {"pgd": start + PAGE, "pud": start + PAGE + size,
                            "pmd": number(fx["pmd_pool"])}
        if vmid == OWN_BEFORE:  # has been used, and has other pools
            self.first[vmid] = {"pgd": start + PAGE, "pud": start + 0x11000, "pmd": start + 0x200000}
        for pool, first in self.first[vmid].items():
            now = number(fx[f"{pool}_pool"]) if vmid == OWN_BEFORE else first
            fx[f"{pool}_pool"] = hex((now - first) // PAGE)
        yield fx

    def boot_val(self, fx):
        if fx["name"] in ("smmu_pgd_pool", "smmu_pmd_pool"):
            self.first[fx["name"][5:8]] = number(fx["val"])
        fx["name"] = NAMES.get(fx["name"], fx["name"])
        if fx["name"] == "kernel_version":
            fx["val"] = "0x50f"
        yield fx

    def vm_set(self, fx):
        """With three levels the pgd pool has the tables that the pud pool has with four."""
        pool = fx["field"][:3] if fx["field"] in ("pgd_next", "pud_next", "pmd_next") else None
        if pool == "pgd" and fx["vmid"] != OWN_BEFORE:
            self.taken = fx
            return
        if pool:
            pages(fx, self.first[fx["vmid"]][pool])
        yield fx

    def global_set(self, fx):
        if fx["field"] in ("smmu_pgd_next", "smmu_pmd_next"):
            pages(fx, self.first[fx["field"][5:8]])
        yield fx

    def moved(self, vmid, address):
        """A table of the pgd pool, in the pud pool."""
        return self.first[vmid]["pud"] + address - self.pgd_pool[vmid]

    def root_entry(self, fx):
        """Two levels in place of one: the root's entry, where there is none yet, and the next."""
        vmid, ipa = fx["vmid"], number(fx["ipa"])
        first, top = self.first[vmid]["pgd"], ipa >> 39 & 511
        if (vmid, top) not in self.puds:
            index = sum(of == vmid for of, _ in self.puds)
            self.puds[vmid, top] = first + index * PAGE
            yield {"t": "vm_set", "field": "pgd_next", "vmid": vmid, "sub": 0, "old": hex(index),
                   "new": hex(index + 1)}
            yield {"t": "pt_store", "vmid": vmid, "level": "pgd", "ipa": fx["ipa"],
                   "pa": hex(first - PAGE + top * 8), "old": "0x0",
                   "new": hex(self.puds[vmid, top] | 3)}
        pages(self.taken, self.pgd_pool[vmid])
        yield {**self.taken, "field": "pud_next"}
        yield {**fx, "level": "pud", "pa": hex(self.puds[vmid, top] + (ipa >> 30 & 511) * 8),
               "new": hex(self.moved(vmid, number(fx["new"])))}

    def pt_store(self, fx):
        if fx["vmid"] == OWN_BEFORE or fx["level"] == "pte":
            yield fx
        elif fx["level"] == "pgd":
            yield from self.root_entry(fx)
        else:
            yield {**fx, "pa": hex(self.moved(fx["vmid"], number(fx["pa"])))}

    def s2_set(self, fx):
        fx["index"] = hex(number(fx["index"]) + 0x40000)
        if fx["field"] == "gfn":
            fx["field"] = "map"
        yield fx

    def shadow_set(self, fx):
        if fx["idx"] in REGISTERS:
            fx["idx"] += 88 - REGISTERS[0]
        yield fx

    def tlbi(self, fx):
        fx["ipa"] = hex(number(fx["ipa"]) >> 12)
        yield fx

    def fn(self, fx):
        if fx["fn"] == "mmap_s2pt":
            fx["fn"] = "map_stage2"
            if number(fx["args"][0]) == OWN_BEFORE:
                fx["args"][0] = hex(OWN)
        yield fx

    def effects(self, record):
        for fx in record["fx"]:
            if fx["t"] in OMITTED:
                continue
            for made in getattr(self, fx["t"], lambda other: [other])(fx):
                for owner in "vmid", "owner":
                    if made.get(owner) == OWN_BEFORE:
                        made[owner] = OWN
                yield made

    def registers(self, values):
        if values.get("vtcr", "0x0") != "0x0":
            values["vtcr"] = hex(number(values["vtcr"]) ^ 0xc0)
        if values.get("hcr") == hex(VM_FLAGS):
            values["hcr"] = hex(VM_FLAGS | MORE_FLAGS)
        if values.get("tpidr_el2", "0x0") != "0x0":
            context, rest = divmod(number(values["tpidr_el2"]) - EL2_DATA - CONTEXTS, 0x8d0)
            assert rest == 0
            context = context // 4 * 8 + context % 4
            values["tpidr_el2"] = hex(EL2_DATA + CONTEXTS + 0x8000 + context * 0xa00)

    def call(self, record):
        """Other numbers of calls, in x0 too; SET_BOOT_INFO has its arguments one register further."""
        new, x, out = CALLS[record["hvc"]["num"]], record["in"]["x"], record["out"].setdefault("x", {})
        answers = any(fx["t"] == "host_reg_set" for fx in record["fx"])
        if answers or record["to"] == "guest":
            out.setdefault("0", x[0])
        record["hvc"]["num"], x[0] = new, hex(new)
        if new == 60:
            x[2], x[3], x[4] = x[4], x[2], x[3]
            record["hvc"]["args"] = x[1:6]

    def record(self, record):
        for which in "in", "out":
            self.registers(record.get(which, {}))
        for fx in record["fx"]:
            if fx["t"] == "host_reg_set" and fx["nr"] == 0 and number(fx["old"]) in CALLS:
                fx["old"] = hex(CALLS[number(fx["old"])])
        if record.get("hvc", {}).get("num") in CALLS:
            self.call(record)
        record["fx"] = list(self.effects(record))
        for key in "g0", "g1":
            if key in record:
                record[key] *= ROOM
        for g, fx in enumerate(record["fx"], record["g0"] + 1):
            fx["g"] = g
        return record


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two recordings, and the same as the other kernel would have made them."""
    folders = []
    for source in VM, DOMAINS:
        folder = tmp_path_factory.mktemp("other")
        kernel, lines = OtherLine(), lines_of(source)
        made = [json.dumps(kernel.record(json.loads(line))) for line in lines]
        (folder / "t.jsonl").write_text("".join(line + "\n" for line in lines))
        (folder / "other.jsonl").write_text("".join(line + "\n" for line in made))
        (folder / "machine.yaml").write_text(FOLDER)
        folders.append(folder)
    return folders


def test_the_kernel_has_four_levels(recordings):
    for recording in recordings:
        levels = {fx["level"] for line in (recording / "other.jsonl").read_text().splitlines()
                  for fx in json.loads(line)["fx"] if fx["t"] == "pt_store" and fx["vmid"] != OWN}
        assert levels == {"pgd", "pud", "pmd", "pte"}


def test_some_forty_lines_describe_it(fhsim, recordings):
    assert len(FOLDER.splitlines()) <= 42
    assert fhsim("machine", "check", recordings[0]).returncode == 0


# What shows in effects alone that the other recorder leaves out: the result of walk_s2pt, contexts.
UNSEEN = "L12", "restore_shadow_kvm_regs"


def test_it_gets_the_verdicts_of_the_recordings(fhsim, recordings):
    for recording in recordings:
        own = verdicts(fhsim, "--credit", "all", recording / "t.jsonl")
        for departure in UNSEEN:
            own["deviations"].pop(departure, None)
        assert verdicts(fhsim, "--credit", "all", "--machine", recording,
                        recording / "other.jsonl") == own
        assert len(own["deviations"]) > 5 and own["diverged"] == 0


@pytest.mark.parametrize("line", [
    line for line in FOLDER.splitlines()
    if line.startswith(("  VCPU_PER_VM", "  HCR", "  PGD", "  PUD", "registers", "tables", "  - "))])
def test_each_line_is_needed(fhsim, recordings, tmp_path, line):
    (tmp_path / "machine.yaml").write_text(FOLDER.replace(line + "\n", ""))
    found = [fhsim("replay", "--json", "--machine", tmp_path, recording / "other.jsonl")
             for recording in recordings]
    assert any(done.returncode == 2 or json.loads(done.stdout)["diverged"] > 0 for done in found)


def test_infer_tells_most_of_it(fhsim, recordings):
    text = fhsim("machine", "infer", recordings[0] / "other.jsonl").stdout
    for said in ("extends: sekvm-4.18", "COREVISOR: 40", "levels: 4", "next: index",
                 "ram_base: none # phys_mem_start", "MPIDR_EL1 to MDCCINT_EL1: 88",
                 "say PGD_OFFSET: 0x1000", "say PUD_OFFSET: 0x11000", "HOST_PUD_OFFSET: 0x81000",
                 "VCPU_RUN: 58"):
        assert said in text
    assert "COREVISOR_POOL_START: none" not in text
