# SPDX-License-Identifier: GPL-2.0-only
"""fhsim show TRACE#SEQ: one trap of a trace, whole."""

import json

import pytest

from recordings import VM, records  # noqa: F401: a fixture

MATCHED, EXPLAINED = 400, 10204


def show(fhsim, seq, *arguments):
    done = fhsim("show", f"{VM}#{seq}", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_trap_is_shown_with_inputs_effects_and_changes(fhsim):
    text = show(fhsim, MATCHED)
    assert "host_npt on CPU 0, matched" in text
    assert "IPA 0x40335000" in text
    assert "map_page_host(addr = 0x40335000)" in text
    assert "shared.npts.0.pt.0x40335: [0, 0, 0] -> [0x40335, 3, 0x100000040335fff]" in text
    assert "registers of the CPU and of the host's context, which --long shows" in text
    assert "regs.ctxt_regs.far_el2: " in show(fhsim, MATCHED, "--long")


def test_what_the_spec_would_do_stands_beside_what_the_machine_did(fhsim):
    text = show(fhsim, EXPLAINED)
    assert "explained by A45" in text
    marked = [line for line in text.splitlines() if line.startswith("  ! ")]
    assert any(line.startswith("  ! dirty_set vmid 1") for line in marked)


def place_of(effect):
    """What of the machine an effect writes; None: nothing that is told of."""
    keys = {"pt_store": ["pa"], "smmu_pt_store": ["pa"], "s2_set": ["index", "field"],
            "vm_set": ["vmid", "field", "sub"], "shadow_set": ["vmid", "vcpu", "idx"],
            "smmu_cfg_set": ["cbndx", "num", "field"], "global_set": ["field"]}
    kind = effect["t"]
    return (kind, *(effect[key] for key in keys[kind])) if kind in keys else None


@pytest.mark.parametrize("seq", [EXPLAINED, 10132, 10155])
def test_each_place_has_who_wrote_it_before_and_behind(fhsim, records, seq):
    written = {}
    for record in records:
        for effect in record.get("fx", ()):
            written.setdefault(place_of(effect), []).append(record["seq"])
    effects = next(record["fx"] for record in records if record["seq"] == seq)
    shown = json.loads(show(fhsim, seq, "--json"))["effects"]
    assert len(shown) == len(effects)
    told = 0
    for effect, row in zip(effects, shown):
        writers = written[place_of(effect)] if place_of(effect) else []
        before = [writer for writer in writers if writer < seq]
        behind = [writer for writer in writers if writer > seq]
        assert row.get("before") == (before[-1] if before else None)
        assert row.get("next") == (behind[0] if behind else None)
        told += bool(before or behind)
    assert told > 0


def test_a_trap_that_the_trace_lacks_is_said(fhsim):
    done = fhsim("show", f"{VM}#399")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no record #399" in done.stderr


def test_without_a_point_it_is_asked_which_trap(fhsim):
    done = fhsim("show", VM)
    assert (done.returncode, done.stdout) == (2, "")
    assert "which trap? TRACE#SEQ" in done.stderr
