# SPDX-License-Identifier: GPL-2.0-only
"""The catalogue of deviations against recordings of the real SeKVM.

The excerpts of tests/data are recorded traps in which most host stage-2 faults, which only build
the tables, are merged into one record. tests/data/deviations has for each deviation one recorded
trap that shows it, with what it takes to explain the rest of it (scripts/make-evidence). FH_TRACES, if set, is a folder with the whole recordings.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
EVIDENCE = SOURCE / "tests/data/deviations"
EXCERPTS = sorted((SOURCE / "tests/data").glob("*_excerpt.jsonl.zst"))
TRACES = sorted(pathlib.Path(os.environ.get("FH_TRACES", "none")).glob("*.jsonl.zst"))
FINDINGS = {"none", "denial of service", "integrity", "confidentiality"}


def replay(*arguments):
    done = subprocess.run([FHSIM, "replay", "--json", *map(str, arguments)], capture_output=True,
                          text=True, timeout=300)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="session")
def catalogue():
    listed = subprocess.run([FHSIM, "deviations", "--json"], capture_output=True, text=True,
                            timeout=60)
    return {deviation["id"]: deviation for deviation in json.loads(listed.stdout)
            if deviation["covered_by"] == "a rule"}


@pytest.fixture(scope="session")
def others():
    """What is known and needs no rule, or has none."""
    listed = subprocess.run([FHSIM, "deviations", "--json"], capture_output=True, text=True,
                            timeout=60)
    return {finding["id"]: finding for finding in json.loads(listed.stdout)
            if finding["covered_by"] != "a rule"}


@pytest.fixture(scope="session")
def excerpts():
    return replay(*EXCERPTS)[1]


@pytest.fixture(scope="session")
def traces():
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    return replay(*TRACES)[1]


def ids():
    source = (SOURCE / "sim/twin/deviations.c").read_text()
    return re.findall(r'^ +\{"([AL]\d+)"', source, re.M)


def test_the_excerpts_have_no_unexplained_difference(excerpts):
    assert len(EXCERPTS) == 4
    assert excerpts["diverged"] == 0
    assert excerpts["matched"] > 2700
    assert excerpts["explained"] > 600


def test_hypercalls_runs_and_exits_are_replayed(excerpts):
    kinds = excerpts["kinds"]
    for kind in ("host_hvc", "guest_exit", "host_npt"):
        assert kinds[kind]["not_replayed"] == 0
        assert kinds[kind]["traps"] > 100


def test_the_catalogue_is_well_formed(catalogue):
    assert list(catalogue) == ids()
    assert len(set(ids())) == len(ids())
    for deviation in catalogue.values():
        assert deviation["consequence"] in FINDINGS
        assert re.fullmatch(r"\d\d[a-z]?_\w+#\d+", deviation["evidence"])
        assert deviation["spec"] != deviation["machine"]


def test_every_published_finding_is_listed_once(catalogue, others):
    published = [f"A{number}" for number in range(1, 57)] + ["B1", "B2", "B3", "C1"]
    own = [name for name in catalogue if name.startswith("L")]
    assert sorted([*catalogue, *others]) == sorted(published + own)


def test_findings_without_a_rule_are_well_formed(others):
    for finding in others.values():
        assert finding["consequence"] in FINDINGS
        assert finding["covered_by"] in {"the profile", "the verified body", "nothing", "the spec"}
        assert finding["title"] and finding["spec"] and finding["machine"] and finding["how"]


def test_a_finding_without_a_rule_cannot_be_left_out():
    done = subprocess.run([FHSIM, "replay", EXCERPTS[0], "--without", "A3"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == ("fhsim: replay: no rule explains A3: it is covered by the profile "
                           "(HPFAR_MASK)\n")


@pytest.mark.parametrize("deviation", ids())
def test_every_deviation_is_needed_where_it_occurs(excerpts, deviation):
    if deviation not in excerpts["deviations"]:
        pytest.skip("not in the excerpts")
    status, found = replay(*EXCERPTS, "--without", deviation, "--show", "1")
    assert status == 1
    assert deviation not in found["deviations"]
    assert found["diverged"] > 0


def test_most_deviations_occur_in_the_excerpts(excerpts):
    assert len(excerpts["deviations"]) >= 25


def test_all_recordings_replay_without_an_unexplained_difference(traces):
    assert traces["diverged"] == 0
    assert traces["bad_input"] is False
    assert traces["not_replayed"] <= 1


def test_every_deviation_occurs_first_where_the_catalogue_says(traces, catalogue):
    assert {name: found["first"] for name, found in traces["deviations"].items()} == {
        name: deviation["evidence"] for name, deviation in catalogue.items()}


@pytest.mark.parametrize("deviation", ids())
def test_every_deviation_is_needed_in_its_recording(catalogue, deviation):
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    name, number = catalogue[deviation]["evidence"].split("#")
    path = next(trace for trace in TRACES if trace.name.startswith(name))
    status, found = replay(path, "--without", deviation, "--show", "1")
    assert status == 1
    assert found["divergences"][0]["trap"] == f"{name}#{number}"


def test_invariants_that_the_machine_breaks_are_named():
    path = next(excerpt for excerpt in EXCERPTS if excerpt.name.startswith("09"))
    status, found = replay(path)
    assert status == 0
    broken = found["violations"]["smmu_iso"]
    # A26: a VM's device reaches memory that has no owner.
    assert broken["first"] == "09_smmu_vm_domains_excerpt#1774"
    assert "pfn = 0x9000" in broken["witness"]
    assert "s2_owner = 0xffffffff" in broken["witness"]
    assert replay(path, "--no-invariants")[1]["violations"] == {}


def test_a_vm_that_maps_another_vms_page_breaks_its_isolation():
    if not TRACES:
        pytest.skip("FH_TRACES is not set")
    path = next(trace for trace in TRACES if trace.name.startswith("10"))
    broken = replay(path)[1]["violations"]["vm_iso"]
    assert broken["first"] == "10_fuzz_vm_mgmt_hvc#22015"
    assert "vmid = 3" in broken["witness"]
    assert "s2_owner = 1" in broken["witness"]


def excerpt_lines(name):
    from zstd_file import unpack

    return unpack(SOURCE / f"tests/data/{name}_excerpt.jsonl.zst").splitlines()


def test_a_leaf_that_is_taken_away_is_flushed(tmp_path):
    lines = excerpt_lines("09_smmu_vm_domains")
    for at, line in enumerate(lines):
        record = json.loads(line)
        if record["kind"] == "host_hvc" and any(fx["t"] == "tlbi" for fx in record["fx"]):
            break
    record["fx"] = [fx for fx in record["fx"] if fx["t"] != "tlbi"]
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines[:at] + [json.dumps(record)]) + "\n")
    status, found = replay(path)
    assert status == 1
    differences = found["divergences"][0]["differences"]
    assert "tlbi" in [difference.get("field") for difference in differences
                      if difference["explanation"] == "unexplained"]


def test_a_divergence_names_the_traps_that_changed_the_page_before(tmp_path):
    lines = excerpt_lines("09_smmu_vm_domains")
    touched = {}
    for at, line in enumerate(lines[1:], 1):
        record = json.loads(line)
        pages = [fx for fx in record["fx"] if fx["t"] == "s2_read" and fx["owner"] > 0]
        if record["kind"] == "host_hvc" and pages and pages[0]["index"] in touched:
            break
        for fx in record["fx"]:
            if fx["t"] == "s2_set":
                touched[fx["index"]] = record["seq"]
    pages[0]["owner"] += 1
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(lines[:at] + [json.dumps(record)]) + "\n")
    differences = replay(path)[1]["divergences"][0]["differences"]
    unexplained = [d for d in differences if d["explanation"] == "unexplained"]
    assert unexplained[0]["last_changes"][0] == f"#{touched[pages[0]['index']]}"


# --- Evidence: a small trace for each deviation -------------------------------------------------


def evidence(deviation):
    return EVIDENCE / f"{deviation}.jsonl.zst"


def evidence_records(deviation):
    from zstd_file import unpack

    return [json.loads(line) for line in unpack(evidence(deviation)).splitlines()]


def replay_records(tmp_path, records, *arguments):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return replay(path, *arguments)


def unexplained(found):
    """What nothing explains in the first trap that has diverged."""
    return [difference for difference in found["divergences"][0]["differences"]
            if difference["explanation"] == "unexplained"]


def test_every_deviation_has_evidence():
    assert sorted(ids()) == sorted(path.name.split(".")[0] for path in EVIDENCE.iterdir())


def test_the_evidence_is_small():
    assert sum(path.stat().st_size for path in EVIDENCE.iterdir()) < 1 << 20


@pytest.mark.parametrize("deviation", ids())
def test_the_evidence_is_explained(deviation):
    status, found = replay(evidence(deviation))
    assert status == 0
    assert found["diverged"] == 0
    assert found["deviations"][deviation]["traps"] >= 1


@pytest.mark.parametrize("deviation", ids())
def test_the_evidence_diverges_without_the_deviation(deviation):
    status, found = replay(evidence(deviation), "--without", deviation, "--show", "1")
    assert status == 1
    assert deviation not in found["deviations"]
    assert unexplained(found)


def as_fields(text):
    """The kind of an effect and its fields from what a report prints of it."""
    kind, rest = text.split(" ", 1) if " " in text else (text, "")
    return kind, dict(re.findall(r"(\w+) (\[[^]]*\]|\S+)", rest))


def as_value(text):
    try:
        return int(text, 0) % (1 << 64)
    except ValueError:
        return text


def is_same(value, text):
    if isinstance(value, list):
        return [as_value(item) for item in value] == [as_value(t) for t in text[1:-1].split()]
    # -1 stands for INVALID, whichever width it has.
    invalid = ((1 << 64) - 1, (1 << 32) - 1)
    a, b = as_value(str(value)), as_value(text)
    return a == b or (a in invalid and b in invalid)


def find_effect(record, text):
    """The effect that a report calls so."""
    kind, fields = as_fields(text)
    for fx in record["fx"]:
        if fx["t"] == kind and all(is_same(fx.get(key), value) for key, value in fields.items()
                                   if key in fx):
            return fx
    raise AssertionError(f"no effect {text}")


def another(value):
    if isinstance(value, list):
        return [another(value[0])] + value[1:]
    if isinstance(value, int):
        return value + 3
    if re.fullmatch("0x[0-9a-f]+", value):
        return hex(int(value, 16) ^ 0x5000)
    return "core" if value != "core" else "smmu"


# What identifies an effect, and what nothing is compared with.
NOT_VALUES = {"t", "g", "caller", "reg", "len", "write_val", "rt", "ed25519"}


def corrupt_effect(record, difference):
    fx = find_effect(record, difference["machine"])
    keys = [difference["field"]] if difference.get("field") in fx else [
        key for key in fx if key not in NOT_VALUES]
    # Where the host keeps its structures is its own affair.
    key = "old" if fx.get("field") in ("kvm", "vcpu") else keys[-1]
    fx[key] = another(fx[key])


def corrupt_register(record, path):
    name = path.removeprefix("out.")
    out, entry = record["out"], record["in"]
    if re.fullmatch(r"x\d+", name):
        index = int(name[1:])
        values = out.setdefault("x", {})
        if isinstance(values, list):
            values[index] = another(values[index])
        else:
            values[str(index)] = another(values.get(str(index), entry["x"][index]))
    else:
        name = {"eret": "spsr"}.get(name, name)
        out[name] = another(out.get(name, entry.get(name, "0x0")))


def add_effect(record, difference):
    """The machine does what only the model did."""
    kind, fields = as_fields(difference["model"])
    fx = {"t": kind, "g": record["fx"][-1]["g"] + 1 if record["fx"] else record["g0"] + 1}
    hexadecimal = {"pa", "ipa", "old", "new", "val", "gfn", "pfn", "index", "addr", "iova"}
    for key, value in fields.items():
        if value.startswith("["):
            fx[key] = value[1:-1].split()
        elif isinstance(as_value(value), int):
            fx[key] = hex(as_value(value)) if key in hexadecimal else int(value, 0)
        else:
            fx[key] = value
    for missing in ("len", "write_val", "rt", "count", "vcpu"):
        fx.setdefault(missing, 0)
    fx.setdefault("caller", "nobody")
    record["fx"].append(fx)
    record["g1"] = max(record.get("g1", 0), fx["g"] + 1)


def corrupt(record, difference):
    """Another value than the deviation predicts, in the effect that shows it."""
    if difference.get("field") == "to":  # the machine did not die
        record.pop("unfinished", None)
        record.update(to="host", out={}, g1=record["fx"][-1]["g"] + 1)
    elif difference["machine"]:
        corrupt_effect(record, difference)
    elif difference["model"]:
        add_effect(record, difference)
    else:
        corrupt_register(record, difference["field"])


@pytest.mark.parametrize("deviation", ids())
def test_the_rule_accepts_no_other_value(tmp_path, deviation):
    records = evidence_records(deviation)
    found = replay(evidence(deviation), "--without", deviation, "--show", "1")[1]
    number = int(found["divergences"][0]["trap"].split("#")[1])
    at = next(i for i, record in enumerate(records)
              if record["seq"] == number and record["kind"] != "gap")
    tried = 0
    for difference in unexplained(found)[:12]:
        record = json.loads(json.dumps(records[at]))
        if difference.get("field") in ("status", "pc", "pstate"):
            continue  # of the call, or noted: what is noted at an exit is seen at the next run
        corrupt(record, difference)
        status, corrupted = replay_records(tmp_path, records[:at] + [record])
        assert status == 1, difference
        assert corrupted["divergences"][0]["trap"].endswith(f"#{number}")
        tried += 1
    assert tried > 0 or deviation == "L10"
