# SPDX-License-Identifier: GPL-2.0-only
"""`fhsim conform` compares the invariants that vectors record."""

import json
import os
import pathlib
import subprocess

FHSIM = pathlib.Path(os.environ["FH_BUILD_DIR"]) / "sim" / "fhsim"
ALL = "1" * 18

# A VM that is not powered off loses a page that it has mapped: vm_iso, the seventh, breaks.
CASE = {
    "id": "vm-loses-a-page",
    "init": {"shared": {
        "s2page": {"768": {"s2_owner": 7, "s2_gfn": 2461}},
        "npts": {"7": {"pt": {"2461": [768, 3, 3149823]}}}}},
    "i0": ALL,
    "steps": [
        {"f": "PageManager.set_pfn_owner_spec", "a": [768, 7], "s": "none", "i": ALL},
        {"f": "MemManager.clear_vm_page_spec", "a": [7, 768],
         "d": {"shared": {"s2page": {"768": {"s2_owner": 0, "s2_gfn": 1000000768}}},
               "log": {"0": {"+": [[0, "OFLATMEM", {}]]}, "2": {"+": [
                   [0, "WAIT_LOCK", 10], [0, "OPULL", 2],
                   [0, "OS2_PAGE", {"768": {"s2_owner": 0, "s2_gfn": 1000000768}}],
                   [0, "REL_LOCK"]]}}},
         "i": "111111011111111111"},
    ],
}


def run(initial=ALL, stuck=ALL, after="111111011111111111"):
    case = json.loads(json.dumps(CASE))
    case["i0"], case["steps"][0]["i"], case["steps"][1]["i"] = initial, stuck, after
    return subprocess.run([FHSIM, "conform", "-"], input=json.dumps(case), capture_output=True,
                          text=True, timeout=60, check=False)


def test_invariants_as_recorded_pass():
    result = run()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed, 0 failed\n" in result.stdout


def test_an_invariant_that_only_the_recording_breaks_is_named():
    result = run(initial="0" + ALL[1:])
    assert result.returncode == 1
    assert "the invariant spt_cons holds, but not in the recording" in result.stdout
    result = run(stuck="1" * 17 + "0")
    assert result.returncode == 1
    assert "step 0: PageManager.set_pfn_owner" in result.stdout
    assert "the invariant run_vcpu_dirty holds, but not in the recording" in result.stdout


def test_an_invariant_that_the_recording_keeps_is_named_with_its_witness():
    result = run(after=ALL)
    assert result.returncode == 1
    assert "step 1: MemManager.clear_vm_page(7, 768)" in result.stdout
    assert "an invariant is broken that holds in the recording: vm_iso: " in result.stdout
    assert "vmid = 7, gfn = 0x99d, pfn = 0x300" in result.stdout


def test_text_that_is_no_list_of_invariants_is_bad_input():
    for text in "1" * 17, "1" * 19, "1" * 17 + "x", 1:
        result = run(initial=text)
        assert result.returncode == 2
        assert "invariants are 18 characters, each 0 or 1" in result.stderr
