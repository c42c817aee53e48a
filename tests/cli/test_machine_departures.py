# SPDX-License-Identifier: GPL-2.0-only
"""A kernel of the line that does one thing in another order, and one not at all: made of recordings, told by
an overlay, and explained by its switches. Locks are the first of them: the order that the spec keeps is a
rule for who does not say otherwise."""

import json
import os
import subprocess

import pytest

from recordings import SOURCE, VM, lines_of

GIVEN_BACK = SOURCE / "tests/data/deviations/A24.jsonl.zst"

FOLDER = """\
machine: mine
title: a kernel with orders of its own
extends: sekvm-4.18
recognised: {call: 6, pools: 66}
catalogue:
  K1: {title: a page that a VM gives back is not scrubbed, harm: confidentiality, evidence: source}
  K2: {title: the host's table is locked before the owners are, breaks: lock_order, evidence: source}
"""

# From kc_set_npt on, which no record tells of: fh_tell says that mmap_s2pt begins.
OVERLAY = """\
#define FH_SWITCH_MAP(X) X(K1) X(K2)
#include <faulthandler/overlay.h>

static enum fh_status m_clear_phys_page(struct fh_state *s, uint64_t pfn)
{
    return departs(s, K1) ? FH_OK : below_clear_phys_page(s, pfn);
}

static enum fh_status m_map_page_host(struct fh_state *s, uint64_t addr)
{
    if (!departs(s, K2))
        return below_map_page_host(s, addr);
    const struct fh_profile *k = fh_k(s);
    const uint32_t host = (uint32_t)k->HOSTVISOR;
    const uint64_t page = addr / k->PAGE_SIZE * k->PAGE_SIZE;
    uint32_t owner, count;
    FH_TRY(kc_acquire_lock_pt(s, host));
    FH_TRY(kc_acquire_lock_s2page(s));
    FH_TRY(kc_get_pfn_owner(s, addr / k->PAGE_SIZE, &owner));
    FH_TRY(kc_get_pfn_count(s, addr / k->PAGE_SIZE, &count));
    if (owner == k->INVALID || owner == host || count > 0) {
        const uint64_t pte = page | (owner == k->INVALID ? k->PAGE_S2_DEVICE | k->S2_RDWR : k->PAGE_S2_KERNEL);
        fh_tell(s, FH_EFFECT_CALL, FH_CALLED_map_s2pt, host, addr, 3, pte);
        FH_TRY(kc_set_npt(s, host, addr, 3, pte));
    } else
        FH_TRY(kc_panic(s));
    FH_TRY(kc_release_lock_s2page(s));
    return kc_release_lock_pt(s, host);
}

FH_OVERLAY(.clear_phys_page = m_clear_phys_page, .map_page_host = m_map_page_host);
"""


def find(effects, start, kind, lock):
    return next((i for i in range(start, len(effects))
                 if effects[i]["t"] == kind and effects[i]["lock"] == lock), None)


def lock_the_table_first(effects):
    """The lock of the host's table around that of the owners, in map_page_host."""
    for begin, effect in enumerate(effects):
        taken = find(effects, begin, "lock", "pt")
        if effect.get("fn") == "map_page_host" and effect["t"] == "fn" and taken is not None:
            effects.insert(begin + 1, effects.pop(taken))
            given = effects.pop(find(effects, taken, "unlock", "pt"))
            effects.insert(find(effects, taken, "unlock", "s2page") + 1, given)


def other(record):
    effects = record["fx"]
    numbers = [effect["g"] for effect in effects]
    lock_the_table_first(effects)
    kept = [effect for effect in effects if effect["t"] != "scrub"]
    for effect, number in zip(kept, numbers):
        effect["g"] = number
    return {**record, "fx": kept}


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "machine.yaml").write_text(FOLDER)
    (folder / "overlay.c").write_text(OVERLAY)
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                    f"-I{source / 'include'}", "-o", "overlay.so", "overlay.c"], cwd=folder, check=True)
    with open(folder / "t.jsonl", "w", encoding="utf-8") as trace:
        trace.writelines(json.dumps(other(json.loads(line))) + "\n" for line in lines_of(VM))
    with open(folder / "given_back.jsonl", "w", encoding="utf-8") as trace:
        trace.writelines(json.dumps(other(json.loads(line))) + "\n" for line in lines_of(GIVEN_BACK))
    return folder


def replay(fhsim, folder, *options):
    return json.loads(fhsim("replay", "--json", "--show", "0", "--machine", folder, *options,
                            folder / "t.jsonl", folder / "given_back.jsonl").stdout)


def test_its_switches_explain_what_it_does(fhsim, folder):
    found = replay(fhsim, folder)
    assert found["diverged"] == 0
    assert {"K1", "K2"} <= set(found["deviations"])


@pytest.mark.parametrize("switch", ["K1", "K2"])
def test_without_a_switch_its_traps_are_unexplained(fhsim, folder, switch):
    assert replay(fhsim, folder, "--without", switch)["diverged"] > 0


def test_another_order_of_locks_needs_an_entry_that_says_so(fhsim, folder, tmp_path):
    for name in ("overlay.so", "t.jsonl"):
        os.link(folder / name, tmp_path / name)
    (tmp_path / "machine.yaml").write_text(FOLDER.replace(" breaks: lock_order,", ""))
    result = fhsim("replay", "--show", "1", "--machine", tmp_path, tmp_path / "t.jsonl")
    assert result.returncode == 1
    assert "the order of locks" in result.stdout


def test_a_difference_says_in_which_function_it_is(fhsim, folder):
    shown = fhsim("replay", "--show", "1", "--machine", folder, "--without", "K2", folder / "t.jsonl").stdout
    assert "    spec: Locks.acquire_lock\n    inside: MemManager.map_page_host\n" in shown


def test_a_proposal_names_the_function_to_override(fhsim, folder, tmp_path):
    """And it does not leave out a departure without which the machine only does less."""
    (tmp_path / "machine.yaml").write_text(FOLDER.split("catalogue")[0])
    text = fhsim("machine", "propose", "--machine", tmp_path, folder / "t.jsonl").stdout
    assert "inside MemManager.map_page_host; an overlay overrides map_page_host" in text
    assert "without:" not in text
