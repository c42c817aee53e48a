# SPDX-License-Identifier: GPL-2.0-only
"""`fhsim reduce`: what is kept of a trace, and the scenario that is made of it."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from zstd_file import unpack

SOURCE = Path(os.environ.get("FH_SOURCE_DIR", Path(__file__).parents[2]))
SMMU = SOURCE / "tests/data/08_smmu_host_mmio_hvc_excerpt.jsonl.zst"
VM = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"


@pytest.fixture
def reduce(fhsim, tmp_path):
    """Reduces a trace; returns the lines of the reduced one."""

    def run(trace, *arguments):
        path = tmp_path / "reduced.jsonl"
        done = fhsim("reduce", trace, *arguments, "-o", path)
        assert (done.returncode, done.stderr) == (0, "")
        return path.read_text().splitlines()

    return run


@pytest.fixture
def replay(fhsim, tmp_path):
    """Replays lines; returns the report."""

    def run(lines, *arguments):
        path = tmp_path / "replayed.jsonl"
        path.write_text("".join(line + "\n" for line in lines))
        done = fhsim("replay", path, "--json", *arguments)
        assert done.stderr == ""
        return json.loads(done.stdout)

    return run


def corrupted(lines, seq):
    """The lines, where the trap with this number reads another owner; up to that and ten more."""
    at = next(i for i, line in enumerate(lines) if json.loads(line)["seq"] == seq)
    record = json.loads(lines[at])
    read = next(fx for fx in record["fx"] if fx["t"] == "s2_read")
    read["owner"] += 7
    return lines[:at] + [json.dumps(record)] + lines[at + 1 : at + 11]


@pytest.mark.parametrize("deviation", ["A1", "A26", "A33", "L1"])
def test_a_reduced_trace_shows_the_same_and_nothing_unexplained(reduce, replay, deviation):
    found = replay(reduce(SMMU, "--keep", deviation))
    assert found["diverged"] == 0
    assert found["deviations"][deviation]["traps"] >= 1


def test_records_stay_as_they_were_read_in_their_order(reduce, tmp_path):
    lines = unpack(SMMU).splitlines()
    for at, line in enumerate(lines):
        lines[at] = line[:-1] + ', "notes":  {"x": [1,  null]}, "of nobody": 1e3}'
    trace = tmp_path / "full.jsonl"
    trace.write_text("\n".join(lines))
    kept = reduce(trace, "--keep", "A26")
    positions = [lines.index(line) for line in kept]
    assert positions == sorted(positions)
    assert positions[0] == 0
    assert 2 < len(kept) < 20


@pytest.mark.parametrize("trace, deviation", [(SMMU, "A26"), (VM, "A8")])
def test_no_record_can_be_left_out(reduce, replay, trace, deviation):
    kept = reduce(trace, "--keep", deviation)
    assert len(kept) > 5
    for at in range(1, len(kept)):
        found = replay(kept[:at] + kept[at + 1 :])
        assert found["diverged"] > 0 or deviation not in found["deviations"]


def test_the_first_trap_that_shows_it_is_the_last_record(reduce, replay):
    kept = reduce(SMMU, "--keep", "A26")
    first = replay(unpack(SMMU).splitlines())["deviations"]["A26"]["first"]
    assert first.endswith(f"#{json.loads(kept[-1])['seq']}")


def test_at_chooses_the_trap(fhsim, reduce, replay):
    first = json.loads(reduce(SMMU, "--keep", "A33")[-1])["seq"]
    lines = unpack(SMMU).splitlines()
    later = [line for line in lines if json.loads(line)["seq"] > first]
    report = replay([lines[0]] + later)
    second = int(report["deviations"]["A33"]["first"].split("#")[1])
    assert json.loads(reduce(SMMU, "--keep", "A33", "--at", second)[-1])["seq"] == second
    done = fhsim("reduce", SMMU, "--keep", "A33", "--at", second + 10**6)
    assert done.returncode == 1
    assert "no trap with the number" in done.stderr


def test_an_unexplained_difference_is_kept_with_its_values(reduce, replay, tmp_path):
    lines = corrupted(unpack(SMMU).splitlines(), 2939)
    trace = tmp_path / "full.jsonl"
    trace.write_text("\n".join(lines))
    kept = reduce(trace, "--keep", "unexplained")
    assert len(kept) < 15

    def first_difference(report):
        assert report["diverged"] == 1
        differences = report["divergences"][0]["differences"]
        unexplained = [d for d in differences if d["explanation"] == "unexplained"]
        unexplained[0].pop("last_changes", None)
        return unexplained[0]

    assert first_difference(replay(kept)) == first_difference(replay(lines))


def test_a_difference_that_is_not_the_first_is_kept(fhsim, reduce, replay, tmp_path):
    lines = unpack(SMMU).splitlines()
    at = next(i for i, line in enumerate(lines) if json.loads(line)["seq"] == 2939)
    record = json.loads(lines[at])
    next(fx for fx in record["fx"] if fx["t"] == "s2_read")["owner"] += 7
    record["g1"] = record["fx"][-1]["g"]
    trace = tmp_path / "full.jsonl"
    trace.write_text("\n".join(lines[:at] + [json.dumps(record)]))
    whole = replay(trace.read_text().splitlines())["divergences"][0]["differences"]
    assert len(whole) == 2
    kept = replay(reduce(trace, "--keep", "unexplained", "--difference", 2))
    fields = [one["field"] for one in kept["divergences"][0]["differences"]]
    assert whole[1]["field"] in fields
    for number, status in (("3", 1), ("0", 2), ("x", 2)):
        done = fhsim("reduce", trace, "--keep", "unexplained", "--difference", number)
        assert done.returncode == status


def test_a_deviation_that_is_left_out_is_unexplained(reduce, replay):
    kept = reduce(SMMU, "--keep", "unexplained", "--without", "A33")
    found = replay(kept, "--without", "A33")
    assert found["diverged"] == 1
    assert found["divergences"][0]["trap"].endswith(f"#{json.loads(kept[-1])['seq']}")


def test_a_record_that_was_unexplained_before_may_stay(reduce, replay, tmp_path):
    """Of what is unexplained in the full trace, what is kept says no more."""
    lines = unpack(SMMU).splitlines()
    trace = tmp_path / "full.jsonl"
    shown = int(replay(lines)["deviations"]["A26"]["first"].split("#")[1])
    reads = [record["seq"] for record in map(json.loads, lines) if record["seq"] < shown
             and any(fx["t"] == "s2_read" for fx in record["fx"])]
    trace.write_text("\n".join(corrupted(lines, reads[-1])))
    kept = reduce(trace, "--keep", "A26")
    assert replay(kept)["diverged"] <= 1


@pytest.mark.parametrize("trace, deviation", [(SMMU, "A26"), (VM, "A8"), (VM, "A15")])
def test_folding_keeps_effects_of_records_that_are_left_out(reduce, replay, trace, deviation):
    whole = reduce(trace, "--keep", deviation)
    folded = reduce(trace, "--keep", deviation, "--fold")
    assert len(folded) < len(whole)
    report = replay(folded)
    assert report["diverged"] == 0
    assert report["deviations"][deviation]["traps"] >= 1
    gaps = [json.loads(line) for line in folded if json.loads(line)["kind"] == "gap"]
    assert gaps
    for gap in gaps:
        numbers = [gap["g0"]] + [fx["g"] for fx in gap["fx"]] + [gap["g1"]]
        assert numbers == sorted(set(numbers))


def test_no_folded_effect_can_be_left_out(reduce, replay):
    folded = reduce(SMMU, "--keep", "A26", "--fold")
    at = next(i for i, line in enumerate(folded) if json.loads(line)["kind"] == "gap")
    gap = json.loads(folded[at])
    for fx in gap["fx"]:
        rest = {**gap, "fx": [other for other in gap["fx"] if other is not fx]}
        found = replay(folded[:at] + [json.dumps(rest)] + folded[at + 1 :])
        assert found["diverged"] > 0 or "A26" not in found["deviations"]


def test_a_trace_in_cbor_is_reduced_to_the_same_records(fhsim, reduce, tmp_path):
    cbor = tmp_path / "full.cbor"
    assert fhsim("convert", SMMU, "-o", cbor).returncode == 0
    from_json = reduce(SMMU, "--keep", "A26")
    from_cbor = reduce(cbor, "--keep", "A26")
    assert [json.loads(line) for line in from_cbor] == [json.loads(line) for line in from_json]


def test_a_trace_is_read_from_standard_input_and_written_to_standard_output(fhsim, reduce):
    lines = unpack(SMMU)
    done = fhsim("reduce", "-", "--keep", "A33", stdin=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == reduce(SMMU, "--keep", "A33")


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--keep", "A22"], 1, "no trap of .* shows A22"),
        (["--keep", "unexplained"], 1, "no trap of .* has an unexplained difference"),
        (["--keep", "A999"], 2, "no departure 'A999' in the catalogue"),
        (["--keep", "A33", "--without", "A33"], 2, "A33 cannot be kept and left out"),
        (["--keep", "A33", "--at", "x"], 2, "--at wants the number of a trap, not 'x'"),
        ([], 2, "keep what"),
    ],
)
def test_what_cannot_be_reduced_leaves_no_file(fhsim, tmp_path, arguments, status, message):
    path = tmp_path / "none.jsonl"
    done = fhsim("reduce", SMMU, *arguments, "-o", path)
    assert done.returncode == status
    assert re.search(message, done.stderr)
    assert not path.exists()


def test_bad_input_is_reported_with_its_place(fhsim, tmp_path):
    trace = tmp_path / "bad.jsonl"
    trace.write_text("\n".join(unpack(SMMU).splitlines()[:3]) + '\n{"seq": 1,\n')
    done = fhsim("reduce", trace, "--keep", "A33", "-o", tmp_path / "none.jsonl")
    assert done.returncode == 2
    assert "bad.jsonl:4:" in done.stderr
    assert not (tmp_path / "none.jsonl").exists()
    trace.write_text("\n".join(unpack(SMMU).splitlines()[1:3]))
    done = fhsim("reduce", trace, "--keep", "A33")
    assert done.returncode == 2
    assert "begins with the boot line" in done.stderr


def test_progress_shows_on_a_terminal_and_goes_again(tmp_path):
    master, slave = os.openpty()
    done = subprocess.run(
        [os.environ["FHSIM"], "reduce", SMMU, "--keep", "A26", "-o", tmp_path / "t.jsonl"],
        stdout=subprocess.DEVNULL, stderr=slave, timeout=60)
    os.close(slave)
    shown = os.read(master, 1 << 16).decode()
    os.close(master)
    assert done.returncode == 0
    assert re.search(r"\]  +\d+%  reading, \d+ records", shown)
    assert shown.endswith("\r\x1b[K")


def test_when_the_time_is_up_the_best_so_far_is_written(reduce, replay):
    best = reduce(SMMU, "--keep", "A26")
    early = reduce(SMMU, "--keep", "A26", "--seconds", "0.000001")
    assert len(early) > len(best)
    assert early[-1] == best[-1]
    assert replay(early)["deviations"]["A26"]["traps"] >= 1


# --- Scenarios --------------------------------------------------------------------------------

EVIDENCE = SOURCE / "tests/data/deviations"

# Host faults, hypercalls of the host (also some for which the spec is undefined), runs and exits of
# vCPUs, accesses to SMMUs.
SCENARIOS = sorted(path.name.split(".")[0] for path in EVIDENCE.iterdir())


def scenario_of(fhsim, tmp_path, deviation):
    path = tmp_path / f"{deviation}.yaml"
    done = fhsim("reduce", EVIDENCE / f"{deviation}.jsonl.zst", "--keep", deviation, "--scenario",
                 path, "-o", tmp_path / "reduced.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    return path


@pytest.mark.parametrize("deviation", SCENARIOS)
def test_the_scenario_passes_and_says_what_the_machine_did(fhsim, tmp_path, deviation):
    path = scenario_of(fhsim, tmp_path, deviation)
    done = fhsim("run", path)
    assert done.returncode == 0, done.stdout
    assert f"which shows {deviation}" in path.read_text()
    assert re.search(rf"^# {deviation}, ", path.read_text(), re.M)


@pytest.mark.parametrize("evidence, arguments, end", [
    ("A48", ["--keep", "A48"], "died: sekvm-4.18.look_at_vm"),
    ("A53", ["--keep", "A53"], "died: sekvm-4.18.verify_image"),
    ("A35", ["--keep", "unexplained", "--without", "A1"], "halted: MmioCoreAux.__handle_smmu_read"),
    ("A22", ["--keep", "unexplained", "--without", "A22"], "stuck: PTWalk.set_pte"),
])
def test_the_scenario_says_where_a_trap_ends_badly(fhsim, tmp_path, evidence, arguments, end):
    path = tmp_path / "s.yaml"
    done = fhsim("reduce", EVIDENCE / f"{evidence}.jsonl.zst", *arguments, "--scenario", path, "-o",
                 tmp_path / "t.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"    expect:\n      {end}\n" in path.read_text()
    assert fhsim("run", path).returncode == 0


def wrong(text):
    """The scenario with something else expected."""
    head, expect = text.split("    expect:\n")
    if "changes: none" in expect:
        return head + "    expect:\n      delta: {curid: 7}\n"
    if "stuck:" in expect:
        return head + "    expect: {stuck: NoLayer.no_function}\n"
    lines = expect.splitlines()
    at = max(i for i, line in enumerate(lines) if re.search(r": (0x[0-9a-f]+|\d+|own\d?|true)$",
                                                            line))
    key, value = lines[at].rsplit(": ", 1)
    value = "0" if value == "0xffffffffffffffff" else value
    lines[at] = key + ": " + {"true": "false", "own": "free", "own0": "free"}.get(
        value, value + " + 1")
    return head + "    expect:\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("deviation", SCENARIOS)
def test_the_scenario_fails_when_something_else_is_expected(fhsim, tmp_path, deviation):
    path = scenario_of(fhsim, tmp_path, deviation)
    path.write_text(wrong(path.read_text()))
    done = fhsim("run", path)
    assert done.returncode == 1, done.stdout + path.read_text()


def test_a_whole_trace_gives_a_scenario_too(fhsim, tmp_path):
    path = tmp_path / "whole.yaml"
    done = fhsim("reduce", SMMU, "--keep", "A26", "--scenario", path, "-o", tmp_path / "t.jsonl")
    assert done.returncode == 0
    assert fhsim("run", path).returncode == 0


# --- The page about it ------------------------------------------------------------------------


def examples():
    text = (SOURCE / "docs/reduce.md").read_text()
    return re.findall(r"```console\n(.*?)```", text, re.S)


@pytest.mark.parametrize("example", examples(), ids=lambda text: text.split()[1] + text[-20:-1])
def test_the_examples_of_the_page_print_what_it_says(tmp_path, example):
    (tmp_path / "tests").symlink_to(SOURCE / "tests")
    path = f"{Path(os.environ['FHSIM']).parent}:{os.environ['PATH']}"
    for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", example, re.M):
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True,
                              env={**os.environ, "PATH": path}, timeout=60)
        assert done.stdout + done.stderr == output
