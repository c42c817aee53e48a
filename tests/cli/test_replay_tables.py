# SPDX-License-Identifier: GPL-2.0-only
"""Translation tables in a replay, word by word, and returns from EL2.

The excerpts are of a real machine: the host's table, those of VMs and of SMMUs, and EL2's own.
"""

import json
import os
import pathlib
import subprocess

import pytest
from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
VM, SMMU = "02_vm1_one_vcpu", "09_smmu_vm_domains"


@pytest.fixture(scope="module")
def traces():
    return {name: unpack(SOURCE / f"tests/data/{name}_excerpt.jsonl.zst").splitlines()
            for name in (VM, SMMU)}


@pytest.fixture
def replay(tmp_path):
    """The differences of the last of these records that nothing explains."""

    def run(records, *arguments):
        path = tmp_path / "t.jsonl"
        path.write_text("".join(line + "\n" for line in records))
        done = subprocess.run([FHSIM, "replay", path, "--json", "--show", "1000", *arguments],
                              capture_output=True, text=True, timeout=120)
        found = json.loads(done.stdout)
        seq = json.loads(records[-1])["seq"]
        return [difference for divergence in found["divergences"]
                if divergence["trap"] == f"t#{seq}"
                for difference in divergence["differences"]
                if difference["explanation"] == "unexplained"]

    return run


def find(lines, **keys):
    """The first record, behind the boot record and gaps, with such an effect, and the effect."""
    for at, line in enumerate(lines[1:], 1):
        record = json.loads(line)
        if record["kind"] == "gap":
            continue
        for fx in record["fx"]:
            if all(fx.get(key) == value for key, value in keys.items()):
                return lines[:at], record, fx
    raise AssertionError(f"no {keys}")


WORDS = {
    "page_of_the_host": (VM, {"t": "pt_store", "vmid": 0, "level": "pte"}),
    "block_of_a_vm": (VM, {"t": "pt_store", "vmid": 1, "level": "pmd"}),
    "root_of_a_vm": (VM, {"t": "pt_store", "vmid": 1, "level": "pgd"}),
    "page_of_el2": (VM, {"t": "pt_store", "vmid": 65, "level": "pte"}),
    "table_of_el2": (VM, {"t": "pt_store", "vmid": 65, "level": "pmd"}),
    "page_of_an_smmu": (SMMU, {"t": "smmu_pt_store", "level": "pte"}),
    "table_of_an_smmu": (SMMU, {"t": "smmu_pt_store", "level": "pmd"}),
    "root_of_an_smmu": (SMMU, {"t": "smmu_pt_store", "level": "pgd"}),
}


@pytest.mark.parametrize("key", ["pa", "old", "new"])
@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("bit", [3, 12, 21])
def test_one_wrong_bit_of_a_word_is_unexplained(traces, replay, name, key, bit):
    trace, keys = WORDS[name]
    before, record, fx = find(traces[trace], **keys)
    fx[key] = hex(int(fx[key], 16) ^ 1 << bit)
    assert key in [d.get("field") for d in replay(before + [json.dumps(record)])]


@pytest.mark.parametrize("name, pool", [
    ("page_of_the_host", "shared.npts.0.pt_pmd_pool."),
    ("block_of_a_vm", "shared.npts.1.pt_pgd_pool."),
    ("table_of_el2", "shared.npts.65.pt_pud_pool."),
    ("table_of_an_smmu", "shared.spts.spt_pgd_pool."),
])
def test_a_word_that_differs_has_its_place_in_the_state(traces, replay, name, pool):
    trace, keys = WORDS[name]
    before, record, fx = find(traces[trace], **keys)
    fx["new"] = hex(int(fx["new"], 16) ^ 1 << 12)
    (difference,) = [d for d in replay(before + [json.dumps(record)]) if d.get("field") == "new"]
    assert difference["path"] == pool + fx["pa"]
    assert difference["spec"] in ("NPTWalk.set_npt", "MmioSPTWalk.set_smmu_pt")


def test_the_next_page_of_el2s_own_pool_is_compared(traces, replay):
    before, record, fx = find(traces[VM], t="vm_set", vmid=65, field="pmd_next")
    fx["new"] = hex(int(fx["new"], 16) + 0x1000)
    (difference,) = replay(before + [json.dumps(record)])
    assert difference["path"] == "shared.npts.65.pt_pmd_next"
    assert difference["spec"] == "PTAlloc.alloc_pmd_page"


def test_a_table_of_el2_that_the_boot_record_leaves_out_is_missed(traces, replay):
    before, record, _ = find(traces[VM], t="pt_store", vmid=65, level="pmd")
    boot = json.loads(before[0])
    boot["fx"] = [fx for fx in boot["fx"] if fx.get("pa") != "0x4abc1020"]
    missed = replay([json.dumps(boot)] + before[1:] + [json.dumps(record)])
    assert any(d.get("model", "").startswith("pt_store vmid 65 level pud") for d in missed)


# --- Words that the machine wrote, and the model takes over ---------------------------------------


def behind_a_gap(record, effect):
    """A gap that wrote the descriptor, and the record, whose events come later now."""
    first = record["g0"]
    gap = {**record, "kind": "gap", "fx": [{**effect, "g": first}], "g0": first, "g1": first + 1,
           "seq": 1000000}
    later = {**record, "g0": first + 10, "g1": record["g1"] + 10,
             "fx": [{**fx, "g": fx["g"] + 10} for fx in record["fx"]]}
    return [json.dumps(gap), json.dumps({**later, "seq": 1000001})]


def test_a_descriptor_in_a_gap_is_what_a_later_trap_finds(traces, replay):
    before, record, fx = find(traces[VM], t="pt_store", vmid=0, level="pte")
    records = behind_a_gap(record, {**fx, "new": "0x1000000deadf000"})
    (difference,) = [d for d in replay(before + records)
                     if d.get("field") == "old"]
    assert difference["model_value"] == "0x1000000deadf000"
    assert difference["machine_value"] == fx["old"]


# --- Out of the pools ----------------------------------------------------------------------------


def test_a_descriptor_that_leads_out_of_its_pool_is_followed_there(traces, replay):
    """As the machine does: it looks at no pool when it walks."""
    before, record, fx = find(traces[VM], t="pt_store", vmid=0, level="pte")
    ipa = int(fx["ipa"], 16)
    root = {**fx, "level": "pgd", "pa": hex(0x50bc0000 + (ipa >> 30) * 8), "new": "0x1003"}
    place = hex(0x1000 + (ipa >> 21 & 511) * 8)
    found = replay(before + behind_a_gap(record, root))
    assert any(f" pa {place} " in (d.get("model") or "") for d in found)


# --- Returns --------------------------------------------------------------------------------------


def vcpu_run(lines):
    for at, line in enumerate(lines):
        record = json.loads(line)
        if record["kind"] == "host_hvc" and record["to"] == "guest":
            return lines[:at], record
    raise AssertionError("no run")


def own_exception(run, **registers):
    out = {**run["in"], **run["out"], "x": run["in"]["x"]}
    return {"seq": run["seq"] + 1, "cpu": run["cpu"], "kind": "el2_exception", "g0": run["g1"] + 1,
            "g1": run["g1"] + 1, "to": "el2_panic", "fx": [], "out": {},
            "in": {**out, "esr": "0x86000006", "elr": run["out"]["elr"], **registers}}


@pytest.mark.parametrize("mode", [0x0, 0x5, 0x9, 0xB, 0xD, 0x10])
def test_a_return_in_another_mode_is_a_difference(traces, replay, mode):
    before, run = vcpu_run(traces[VM])
    recorded = int(run["out"]["spsr"], 16)
    run["out"]["spsr"] = hex(recorded & ~0x1f | mode)
    fields = [d.get("field") for d in replay(before + [json.dumps(run)])]
    assert ("out.spsr" in fields) is (mode != recorded & 0x1f)


def test_an_exception_inside_el2_behind_a_good_return_is_unexplained(traces, replay):
    before, run = vcpu_run(traces[VM])
    for forged in (run, {**run, "out": {**run["out"], "spsr": "0xb"}}):
        records = [json.dumps(forged), json.dumps(own_exception(forged))]
        assert [d["field"] for d in replay(before + records)] == ["status"]
