# SPDX-License-Identifier: GPL-2.0-only
"""Another kernel of the family: calls under other numbers, one more, an argument moved, pools that count
pages, other names in the boot record, and a recorder with habits of its own. It is made of a recording, and
described by the lines below; the verdicts are those of the recording."""

import json
import os
import subprocess

import pytest

FOLDER = """\
machine: mine
title: SeKVM on another kernel
extends: sekvm-4.18
recognised: {call: 6, pools: 66, kernel_version: 0x50f}
adopted:
  ram_base: dram_start
  reset_value: reset[{i}]
  reset_register: reset[{i}].reg
tables: {next: index}
registers: {ESR_EL2: 500}
hypercalls:
  VCPU_RUN: 40
  SET_BOOT_INFO: {number: 41, call: "set_boot_info(w1, x3, x2)"}
  NEW_VM: {number: 42, call: register_kvm(), answers: result}
dialect:
  - {effect: fn_ret, when: {fn: walk_s2pt}, omits: true}
  - {effect: lock, when: {lock: pt}, says: {lock: npt}}
  - {effect: unlock, when: {lock: pt}, says: {lock: npt}}
  - {effect: tlbi, says: {ipa: ipa >> 12}}
  - {effect: s2_set, says: {index: index + 0x40000}}
  - {effect: fn, when: {fn: map_page_host}, says: {fn: host_map}}
  - {effect: snap, after: all}
"""
CALLS = {8: 40, 10: 41, 13: 42}  # the last is one more: REGISTER_KVM keeps its number


def number(text):
    return int(text, 16)


class OtherKernel:
    """Makes records of the other kernel of those of sekvm-4.18."""

    def __init__(self):
        self.first = {}  # the first page of each pool

    def pages(self, pool, address):
        return hex((number(address) - self.first[pool]) >> 12)

    def call(self, record):
        """Other numbers of calls, in x0 too; and of SET_BOOT_INFO two arguments in another order."""
        new = CALLS[record["hvc"]["num"]]
        x, out = record["in"]["x"], record["out"].setdefault("x", {})
        out.setdefault("0", x[0])
        record["hvc"]["num"], x[0] = new, hex(new)
        if new == 42:
            record["hvc"]["name"] = "HVC_NEW_VM"
        if new == 41:
            for words in (x, [None, *record["hvc"]["args"]]):
                words[2], words[3] = words[3], words[2]
            record["hvc"]["args"] = x[1:6]
        for fx in record["fx"]:
            if fx["t"] == "host_reg_set":
                fx["old"] = hex(new)

    def boot_pool(self, fx):
        own = {"pgd": 0x1000, "pud": 0x11000, "pmd": 0x200000}
        for pool in ("pgd", "pud", "pmd"):
            key = fx["vmid"], pool
            self.first[key] = number(fx[f"{pool}_pool"])
            if fx["vmid"] == 65:  # has been used
                self.first[key] = number(fx["page_pool_start"]) + own[pool]
            fx[f"{pool}_pool"] = self.pages(key, fx[f"{pool}_pool"])

    def boot_val(self, fx):
        if fx["name"] in ("smmu_pgd_pool", "smmu_pmd_pool"):
            self.first["smmu", fx["name"][5:8]] = number(fx["val"])
        if fx["name"] == "PAGE_S2":
            fx.update(name="kernel_version", val="0x50f")
        if fx["name"] == "phys_mem_start":
            fx["name"] = "dram_start"
        fx["name"] = fx["name"].replace("s2_sys_reg_desc", "reset")

    def effect(self, fx):
        kind = fx["t"]
        if kind in ("boot_pool", "boot_val"):
            getattr(self, kind)(fx)
        if kind in ("vm_set", "global_set") and fx["field"][-8:] in (
                "pgd_next", "pud_next", "pmd_next"):
            pool = fx.get("vmid", "smmu"), fx["field"][-8:-5]
            fx.update(old=self.pages(pool, fx["old"]), new=self.pages(pool, fx["new"]))
        if kind in ("lock", "unlock") and fx["lock"] == "pt":
            fx["lock"] = "npt"
        if kind == "tlbi":
            fx["ipa"] = hex(number(fx["ipa"]) >> 12)
        if kind == "s2_set":
            fx["index"] = hex(number(fx["index"]) + 0x40000)
        if kind == "fn" and fx["fn"] == "map_page_host":
            fx["fn"] = "host_map"
        if kind == "shadow_set" and fx["idx"] == 1000:
            fx["idx"] = 500

    def record(self, record):
        if record.get("hvc", {}).get("num") in CALLS:
            self.call(record)
        numbers = [fx["g"] for fx in record["fx"]]
        record["fx"] = [fx for fx in record["fx"] if (fx["t"], fx.get("fn")) != ("fn_ret", "walk_s2pt")]
        for fx in record["fx"]:
            self.effect(fx)
            if record["kind"] == "guest_exit" and fx["t"] == "host_reg_set" and fx["old"] == "0x8":
                fx["old"] = hex(CALLS[8])
        # Whole contexts stand at the end.
        record["fx"].sort(key=lambda fx: fx["t"] == "snap")
        for fx, g in zip(record["fx"], numbers):
            fx["g"] = g
        return record


@pytest.fixture(scope="module", params=["02_vm1_one_vcpu", "09_smmu_vm_domains"])
def recording(request, source, tmp_path_factory):
    """A recording, and the same as the other kernel would have made it."""
    folder = tmp_path_factory.mktemp(request.param)
    packed = source / f"tests/data/{request.param}_excerpt.jsonl.zst"
    text = subprocess.run(["zstdcat", packed], capture_output=True, check=True, text=True).stdout
    kernel = OtherKernel()
    lines = [json.dumps(kernel.record(json.loads(line))) for line in text.splitlines()]
    (folder / "t.jsonl").write_text(text)
    (folder / "other.jsonl").write_text("".join(line + "\n" for line in lines))
    (folder / "machine.yaml").write_text(FOLDER)
    return folder


def verdicts(fhsim, *arguments):
    result = fhsim("replay", "--json", *arguments)
    report = json.loads(result.stdout)
    return {key: report[key] for key in ("matched", "explained", "diverged")} | {
        "deviations": {name: found["traps"] for name, found in report["deviations"].items()}}


def test_some_twenty_lines_describe_another_kernel(fhsim, recording):
    assert len(FOLDER.splitlines()) <= 25
    result = fhsim("machine", "check", recording)
    assert (result.returncode, result.stderr) == (0, "")


def test_the_other_kernel_gets_the_verdicts_of_the_recording(fhsim, recording):
    own = verdicts(fhsim, recording / "t.jsonl")
    other = verdicts(fhsim, "--machine", recording, recording / "other.jsonl")
    assert other == own
    assert own["deviations"]


def test_its_trace_is_none_of_the_machine_that_it_extends(fhsim, recording):
    result = fhsim("replay", recording / "other.jsonl")
    assert result.returncode == 2
    assert "the trace is not of a machine sekvm-4.18" in result.stderr


OVERLAY = """\
#define FH_SWITCH_MAP(X) X(K1)
#include <faulthandler/overlay.h>

static enum fh_status m_set_next_remap_ptr(struct fh_state *s, uint64_t remap)
{
    return below_set_next_remap_ptr(s, departs(s, K1) ? remap + fh_k(s)->PAGE_SIZE : remap);
}

FH_OVERLAY(.set_next_remap_ptr = m_set_next_remap_ptr);
"""


def test_a_departure_of_its_own_stands_beside_those_of_what_it_extends(fhsim, source, recording,
                                                                       tmp_path):
    """The kernel leaves a page between images, beside what it does as sekvm-4.18."""
    gap, lines = 0, []
    for line in (recording / "other.jsonl").read_text().splitlines():
        record = json.loads(line)
        for fx in record["fx"]:
            if fx["t"] == "global_set" and fx["field"] == "last_remap_ptr":
                fx["old"] = hex(number(fx["old"]) + gap)
                gap += 0x1000
                fx["new"] = hex(number(fx["new"]) + gap)
        lines.append(json.dumps(record) + "\n")
    images = {"K1": gap >> 12} if "02_vm1" in recording.name else {}
    assert gap >> 12 == sum(images.values())
    (tmp_path / "t.jsonl").write_text("".join(lines))
    (tmp_path / "machine.yaml").write_text(
        FOLDER + "catalogue: {K1: {title: a page between images, evidence: t}}\n")
    (tmp_path / "overlay.c").write_text(OVERLAY)
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", f"-I{source / 'include'}",
                    "-o", "overlay.so", "overlay.c"], cwd=tmp_path, check=True)
    own = verdicts(fhsim, recording / "t.jsonl")
    found = verdicts(fhsim, "--machine", tmp_path, tmp_path / "t.jsonl")
    assert found.pop("deviations") == {**own.pop("deviations"), **images}
    assert found == own
    without = verdicts(fhsim, "--machine", tmp_path, "--without", "K1", tmp_path / "t.jsonl")
    assert without["diverged"] == gap >> 12
