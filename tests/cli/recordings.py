# SPDX-License-Identifier: GPL-2.0-only
"""Recordings for the tests of reports, as shipped and with something changed."""

import collections
import json
import os
import pathlib
import re

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
HOST = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
VM = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
REGISTERS = SOURCE / "tests/data/08_smmu_host_mmio_hvc_excerpt.jsonl.zst"
DOMAINS = SOURCE / "tests/data/09_smmu_vm_domains_excerpt.jsonl.zst"
PLAIN = 3  # a host fault of the excerpt in tables that exist
KCORE, NOBODY = 65, 66

# A folder with the whole recordings.
TRACES = pathlib.Path(os.environ.get("FH_TRACES", "none"))


def lines_of(path):
    return unpack(path).splitlines()


@pytest.fixture(scope="session")
def records():
    """What the trace with a VM in it says."""
    return [json.loads(line) for line in lines_of(VM)]


@pytest.fixture
def diverging(tmp_path):
    """A trace in which the machine read another owner than the model at trap 3."""
    lines = lines_of(HOST)[:60]
    record = json.loads(lines[PLAIN])
    read = next(fx for fx in record["fx"] if fx["t"] == "s2_read")
    read["owner"] = 7
    record["fx"].append({"t": "panic", "g": record["g1"] - 1, "caller": 'a"<b>&</script>',
                         "vmid": 0, "vcpu": 0})
    lines[PLAIN] = json.dumps(record)
    path = tmp_path / "diverging.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    return path


READ, WRITE, FETCH = "0x93c08007", "0x93c08047", "0x82000087"
VM_PFN, KCORE_PFN, FIRST_PFN = 0x13fd02, 0x40bc0 + 0x123, 0x40000


def refused(template, seq, begin, pfn, owner, esr):
    """A host fault on a page of that owner, as this hypervisor answers it: it panics, goes on."""
    record = json.loads(template)
    fx = record["fx"]
    record["in"].update(hpfar=hex(pfn << 4), esr=esr)
    fx[1]["args"][:2] = [hex(pfn << 12), esr]
    fx[3]["args"][0] = hex(pfn << 12)
    fx[5].update(pfn=hex(pfn), index=hex(pfn - FIRST_PFN), owner=owner)
    panic = {"t": "panic", "caller": "map_page_host+0x17c", "vmid": 0, "vcpu": 0}
    record["fx"] = [{**one, "g": begin + step}
                    for step, one in enumerate([*fx[:6], panic, fx[-1]], 1)]
    return {**record, "seq": seq, "g0": begin, "g1": begin + 9}


def given(boot, pfn, owner):
    """The boot record, with a page that belongs to someone else."""
    page = pfn - FIRST_PFN
    for run in [fx for fx in boot["fx"] if fx["t"] == "boot_rle"]:
        start, length = int(run["start_index"], 16), int(run["len"], 16)
        if not start <= page < start + length:
            continue
        at = boot["fx"].index(run)
        boot["fx"][at:at + 1] = [
            {**run, "len": hex(page - start)},
            {**run, "start_index": hex(page), "len": "0x1", "owner": owner},
            {**run, "start_index": hex(page + 1), "len": hex(start + length - page - 1)}]
    return boot


@pytest.fixture
def denying(tmp_path):
    """At the end the host writes a page of VM 3, once more, and fetches from one of KCore's."""
    lines = lines_of(HOST)[:60]
    begin = json.loads(lines[-1])["g1"] + 1
    seq = json.loads(lines[-1])["seq"] + 1
    accesses = [(VM_PFN, 3, WRITE), (VM_PFN, 3, WRITE), (KCORE_PFN, KCORE, FETCH)]
    records = [json.loads(line) for line in lines]
    records[0] = given(records[0], VM_PFN, 3)
    for number, access in enumerate(accesses):
        records.append(refused(lines[PLAIN], seq + number, begin + 10 * number, *access))
    path = tmp_path / "denying.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path, seq


def summary(fhsim, *arguments):
    return json.loads(fhsim("replay", *arguments, "--format", "json").stdout)


def owners_of(records):
    """How many pages each has in the end, from the records alone."""
    owner = {}
    for record in records:
        for fx in record["fx"]:
            if fx["t"] == "boot_rle":
                start = int(fx["start_index"], 16)
                owner.update(dict.fromkeys(range(start, start + int(fx["len"], 16)), fx["owner"]))
            elif fx["t"] == "s2_set" and fx["field"] == "owner":
                owner[int(fx["index"], 16)] = fx["new"]
    return collections.Counter(owner.values())


def page(fhsim, tmp_path, *traces):
    path = tmp_path / "page.html"
    fhsim("replay", *traces, "--html", path)
    return path


def embedded(path):
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>',
                      path.read_text(), re.S)
    return json.loads(found.group(1))
