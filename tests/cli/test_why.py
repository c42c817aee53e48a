# SPDX-License-Identifier: GPL-2.0-only
"""fhsim why: which traps made a trap of a recorded trace what it is."""

import json
import time

import pytest

from recordings import SOURCE

VM = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
EVIDENCE = sorted((SOURCE / "tests/data/deviations").glob("*.jsonl.zst"))


def why(fhsim, *arguments):
    done = fhsim("why", *arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("path", EVIDENCE, ids=lambda path: path.name.split(".")[0])
def test_the_evidence_of_a_departure_comes_from_few_traps_that_replay_to_the_same(
        fhsim, tmp_path, path):
    deviation = path.name.split(".")[0]
    rest = tmp_path / "rest.jsonl"
    begin = time.monotonic()
    answer = why(fhsim, path, f"deviation:{deviation}", "--necessary", "--output", rest)
    assert time.monotonic() - begin < 5  # 1 s, and what else the computer does
    assert answer["comes_again"]
    assert len(answer["traps"]) <= 20
    assert not answer["more"]
    assert answer["inevitable_from"] == max(
        (trap["seq"] for trap in answer["traps"]), default=0)
    replayed = json.loads(fhsim("replay", rest, "--json").stdout)
    assert replayed["diverged"] == 0
    assert replayed["deviations"][deviation]["traps"] >= 1
    kept = [json.loads(line)["seq"] for line in rest.read_text().splitlines()]
    assert set(kept) >= {trap["seq"] for trap in answer["traps"]}


def test_a_word_is_traced_back_to_the_traps_that_left_the_page(fhsim):
    # 10202 takes the page from the host, 10203 shares it, 10213 takes it back (docs/tour-of-a-trace.md).
    answer = why(fhsim, f"{VM}#10213", "deviation:A18", "--necessary")
    written = {trap["seq"]: trap for trap in answer["traps"]}
    assert {10202, 10203} <= set(written)
    assert "s2_set" in written[10203]["wrote"]
    assert all(trap["seq"] < 10213 for trap in answer["traps"])


def test_a_place_that_the_trap_does_not_write_is_of_the_last_that_did(fhsim):
    answer = why(fhsim, f"{VM}#10210", "shared.s2page.0x13b679.s2_count")
    assert answer["seq"] == 10203
    assert answer["why"].startswith("s2_set field count")


@pytest.mark.parametrize("what", ["s2_set", "s2_set:field=count", "s2_set:field=count,new=0x0"])
def test_an_effect_can_be_named_by_its_fields(fhsim, what):
    assert why(fhsim, f"{VM}#10213", what)["why"].startswith("s2_set field count")


def test_an_effect_that_is_needed_makes_fewer_traps_necessary_than_there_are(fhsim):
    every = why(fhsim, f"{VM}#10213", "s2_set", "--most", "200")
    needed = why(fhsim, f"{VM}#10213", "s2_set", "--necessary", "--most", "200")
    assert 0 < len(needed["traps"])
    assert needed["inevitable_from"] == max(trap["seq"] for trap in needed["traps"])
    assert every["seq"] == needed["seq"] == 10213


def test_without_a_departure_its_trap_is_a_difference(fhsim, tmp_path):
    rest = tmp_path / "rest.jsonl"
    answer = why(fhsim, f"{VM}#10213", "--without", "A18", "--necessary", "--output", rest)
    assert answer["why"] == "what the model does not explain"
    assert {10202, 10203} <= {trap["seq"] for trap in answer["traps"]}
    replayed = json.loads(fhsim("replay", rest, "--json", "--without", "A18").stdout)
    assert replayed["diverged"] == 1


@pytest.mark.parametrize("arguments, status, message", [
    ([f"{VM}#10213", "--without", "A999"], 2, "A999"),
    ([f"{VM}#10213", "deviation:A999"], 2, "no departure 'A999'"),
    ([f"{VM}#10213", "invariant:nothing"], 2, "no invariant 'nothing'"),
    ([f"{VM}#10213", "shared.nothing"], 2, "nothing"),
    ([f"{VM}#99999999"], 2, "there is no record #99999999"),
    ([f"{VM}#10213", "invariant:vm_iso"], 1, "does not show invariant:vm_iso"),
    ([f"{VM}#10213", "scrub:pfn=1"], 1, "does not show"),
    ([f"{VM}", "s2_set"], 2, "of which trap?"),
    ([f"{VM}#10213", "--most", "0"], 2, "--most"),
    ([f"{VM}#10213", "--output", "rest"], 2, "--necessary"),
])
def test_what_cannot_be_asked_is_told(fhsim, arguments, status, message):
    done = fhsim("why", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert done.stdout == ""


def test_a_trap_that_reads_nothing_has_an_answer_of_whole_lines(fhsim):
    done = fhsim("why", f"{VM}#1")
    assert done.returncode == 0
    assert done.stdout.splitlines(keepends=True)[-1] == "  no trap before it wrote what it read\n"
