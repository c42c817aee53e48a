# SPDX-License-Identifier: GPL-2.0-only
"""`fhsim conform` must notice whatever differs: each test breaks one thing in cases that pass."""

import copy
import json
import os
import pathlib
import re
import subprocess

import pytest

FHSIM = pathlib.Path(os.environ["FH_BUILD_DIR"]) / "sim" / "fhsim"
VECTORS = pathlib.Path(__file__).parent / "vectors"

# The host maps page 2990 of its own; then CPU 3 takes the lock of its table.
GOOD = {
    "id": "host-maps-a-page",
    "init": {
        "curid": 3,
        "region_cnt": 1,
        "shared": {"s2page": {"2990": {"s2_owner": 0, "s2_gfn": 2990}}},
    },
    "steps": [
        {"f": "AbstractMachine.get_mem_region_cnt_spec", "a": [], "r": 1},
        {"f": "Locks.release_lock_pt_spec", "a": [0], "s": "none"},
        {"f": "Locks.acquire_lock_pt_spec", "a": [0],
         "d": {"tstate": 0, "lock": {"5": "own"},
               "log": {"5": {"+": [[3, "WAIT_LOCK", 10], [3, "OPULL", 5]]}}}},
        {"f": "NPTWalk.set_npt_spec", "a": [0, 12247040, 3, 12251135],
         "d": {"tstate": 1, "shared": {"npts": {"0": {
             "pt": {"2990": [2990, 3, 12251135]}, "pgd_t": {"0": True},
             "pud_t": {"0": {"0": True}}, "pmd_t": {"0": {"0": {"5": True}}},
             "pt_pgd_next": 73728, "pt_pud_next": 1122304, "pt_pmd_next": 9510912}}}}},
        {"f": "Locks.release_lock_pt_spec", "a": [0],
         "d": {"lock": {"5": "free"}, "log": {"5": {"+": [
             [3, "ONPT", {}], [3, "REL_LOCK"]]}}}},
        {"f": "AbstractMachine.panic_spec", "a": [], "d": {"halt": True}},
    ],
}
STUCK, LOCK, MAP, UNLOCK, PANIC = 1, 2, 3, 4, 5


def conform(*arguments, stdin=None):
    return subprocess.run([FHSIM, "conform", *map(str, arguments)], input=stdin,
                          capture_output=True, text=True, timeout=60, check=False)


def run(cases, *arguments):
    return conform("-", *arguments, stdin="".join(json.dumps(case) + "\n" for case in cases))


def broken(change):
    case = copy.deepcopy(GOOD)
    change(case)
    return case


def npt(case):
    return case["steps"][MAP]["d"]["shared"]["npts"]["0"]


def last_line(result):
    return result.stdout.rstrip().splitlines()[-1]


def test_the_example_of_the_documents_passes():
    page = pathlib.Path(os.environ["FH_SOURCE_DIR"]) / "docs" / "vector-format.md"
    example = re.search(r"```json\n(.*?)```", page.read_text(), re.DOTALL).group(1)
    assert last_line(run([json.loads(example)])) == "1 passed, 0 failed"


def test_a_case_that_agrees_passes():
    result = run([GOOD])
    assert (result.returncode, last_line(result)) == (0, "1 passed, 0 failed"), result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("change, path", [
    (lambda c: npt(c)["pt"].update({"2990": [2990, 3, 12251134]}), "shared.npts.0.pt.0xbae"),
    (lambda c: npt(c)["pt"].update({"2990": [2991, 3, 12251135]}), "shared.npts.0.pt.0xbae"),
    (lambda c: npt(c)["pt"].update({"2991": [2991, 3, 1]}), "shared.npts.0.pt.0xbaf"),
    (lambda c: npt(c).pop("pt"), "shared.npts.0.pt.0xbae"),
    (lambda c: npt(c).pop("pmd_t"), "shared.npts.0.pmd_t.0.0.5"),
    (lambda c: npt(c).update({"pt_pud_next": 0}), "shared.npts.0.pt_pud_next"),
    (lambda c: c["steps"][MAP]["d"].pop("tstate"), "tstate"),
    (lambda c: c["steps"][MAP]["d"].update({"curid": 4}), "curid"),
    (lambda c: c["steps"][LOCK]["d"].update({"lock": {"5": "own0"}}), "lock.NPT_ID"),
    (lambda c: c["steps"][LOCK]["d"].update({"bars": "needed"}), "bars"),
    (lambda c: c["steps"][PANIC].update({"d": {}}), "halt"),
    (lambda c: c["steps"][PANIC].pop("d"), "halt"),
    (lambda c: c["steps"][LOCK]["d"]["log"]["5"]["+"].pop(), "log.NPT_ID"),
    (lambda c: c["steps"][LOCK]["d"]["log"]["5"]["+"][0].__setitem__(0, 2), "log.NPT_ID[0]"),
    (lambda c: c["steps"][LOCK]["d"]["log"]["5"]["+"][0].__setitem__(2, 9), "log.NPT_ID[0]"),
    (lambda c: c["steps"][LOCK]["d"]["log"]["5"]["+"].reverse(), "log.NPT_ID[0]"),
    (lambda c: c["steps"][UNLOCK]["d"]["log"]["5"]["+"][0].__setitem__(
        2, {"pt": {"2990": [0, 0, 0]}}), "log.NPT_ID[2] ONPT pt.0xbae"),
])
def test_a_state_that_differs_fails_with_its_path(change, path):
    result = run([broken(change)])
    assert (result.returncode, last_line(result)) == (1, "0 passed, 1 failed"), result.stdout
    assert f"    {path}\n" in result.stdout
    assert "expected" in result.stdout and "got" in result.stdout


@pytest.mark.parametrize("change, text", [
    (lambda c: c["steps"][0].update({"r": 2}), "expected the result 2, got 1"),
    (lambda c: c["steps"][0].update({"r": 2**70}), f"expected the result {2**70}, got 1"),
    (lambda c: c["steps"][0].update({"s": "none"}), "but the call went through"),
    (lambda c: (c["steps"][STUCK].pop("s"), c["steps"][STUCK].update({"d": {}})),
     "expected the call to go through, got: Locks."),
    (lambda c: c.update({"wide": 3}), "not representable"),
    (lambda c: c.update({"wide": "init"}), "beyond 64 bits was loaded"),
])
def test_an_outcome_that_differs_fails(change, text):
    result = run([broken(change)])
    assert (result.returncode, last_line(result)) == (1, "0 passed, 1 failed"), result.stdout
    assert text in result.stdout


def test_the_default_of_a_map_counts_wherever_it_stands():
    init = {"data_log": {"3": 7, "_": 5}}
    step = {"f": "AbstractMachine.panic_spec", "a": []}
    same = {"data_log": {"_": 5, "3": 7}, "halt": True}
    other = {"data_log": {"3": 7, "_": 6}, "halt": True}
    assert run([{"id": "a", "init": init, "steps": [step | {"d": same}]}]).returncode == 0
    assert run([{"id": "a", "init": init, "steps": [step | {"d": other}]}]).returncode == 1


def test_a_default_inside_nested_maps_resets_that_part_alone():
    init = {"shared": {"npts": {"0": {"pmd_t": {"1": {"2": {"3": True}, "4": {"5": True}}}}}}}

    def with_delta(pmd_t):
        return {"id": "a", "init": init, "steps": [
            {"f": "AbstractMachine.panic_spec", "a": [],
             "d": {"halt": True, "shared": {"npts": {"0": {"pmd_t": pmd_t}}}}}]}

    result = run([with_delta({"1": {"2": {"_": False}}})])
    assert "    shared.npts.0.pmd_t.1.2.3\n" in result.stdout
    assert "pmd_t.1.4.5" not in result.stdout
    assert run([with_delta({"1": {"2": {"3": True, "_": False}}})]).returncode == 0


def test_scripted_events_of_other_cpus_are_taken_over():
    events = [[1, "WAIT_LOCK", 10], [1, "OPULL", 5],
              [1, "ONPT", {"pt": {"9": [9, 3, 40959]}}], [1, "REL_LOCK"]]
    case = {"id": "a", "init": {"oracle": {"5": {"0": events}}}, "steps": [
        {"f": "Locks.acquire_lock_pt_spec", "a": [0],
         "d": {"tstate": 0, "lock": {"5": "own"},
               "shared": {"npts": {"0": {"pt": {"9": [9, 3, 40959]}}}},
               "log": {"5": {"+": events + [[0, "WAIT_LOCK", 10], [0, "OPULL", 5]]}}}}]}
    assert run([case]).returncode == 0
    case["init"]["oracle"] = {"5": {"1": events}}
    assert run([case]).returncode == 1


def test_a_function_that_is_not_there_is_skipped_and_named():
    case = broken(lambda c: c["steps"].insert(1, {"f": "Nowhere.nothing_spec", "a": [], "d": {}}))
    result = run([case, GOOD])
    assert (result.returncode, last_line(result)) == (0, "1 passed, 0 failed, 1 skipped")
    assert "Nowhere.nothing" in result.stdout
    assert run([case, GOOD], "--strict").returncode == 1


def test_steps_before_a_missing_function_are_checked():
    case = broken(lambda c: c["steps"][0].update({"r": 2}))
    case["steps"].append({"f": "Nowhere.nothing_spec", "a": [], "d": {}})
    assert last_line(run([case])) == "0 passed, 1 failed"


def test_a_value_beyond_64_bits_is_refused_with_the_field():
    case = {"id": "a", "init": {"regs": {"ctxt_regs": {"elr_el2": 2**64}}}, "steps": [],
            "wide": "init"}
    assert last_line(run([case])) == "1 passed, 0 failed"
    del case["wide"]
    result = run([case])
    assert result.returncode == 2
    assert "<stdin>:1:56: " in result.stderr
    assert "regs.ctxt_regs.elr_el2: not representable: 18446744073709551616" in result.stderr


@pytest.mark.parametrize("text, message", [
    ('{"id": "a", "init": {"tstat": 1}, "steps": [{}]}', "1:22: no field 'tstat'"),
    ('{"id": "a", "init": {"tstat": 1}, "steps": [{}]}', "did you mean 'tstate'?"),
    ('{"id": "a", "init": {"tstate": -1}, "steps": [{}]}', "1:32: tstate: not representable"),
    ('{"id": "a", "init": {"tstate": "x"}, "steps": [{}]}', "1:32: tstate: 'x' is not a number"),
    ('{"id": "a", "init": {"halt": 1}, "steps": [{}]}', "1:30: halt: expected true or false"),
    ('{"id": "a", "init": {"lock": {"5": "owm"}}, "steps": [{}]}', "did you mean 'own'?"),
    ('{"id": "a", "init": {"shared": {"npts": {"0": {"pt": {"1": [1, 3]}}}}}, "steps": [{}]}',
     "shared.npts.0.pt.1: expected a list [pfn, level, pte]"),
    ('{"id": "a", "init": {"shared": {"npts": {"0": {"pgd_t": {"x": true}}}}}, "steps": [{}]}',
     "'x' is not a number"),
    ('{"id": "a", "init": {"shared": {"npts": {"0": {"pud_t": {"0": {"512": true}}}}}}, '
     '"steps": [{}]}', "is no index of this level"),
    ('{"id": "a", "init": {"log": {"5": {"+": [[0, "WAIT"]]}}}, "steps": [{}]}',
     "expected the name of an event"),
    ('{"id": "a", "init": {"log": {"5": {"+": [[0, "WAIT_LOCK"]]}}}, "steps": [{}]}',
     "an event WAIT_LOCK has 3 parts, not 2"),
    ('{"id": "a", "init": {"doracle": {"line": [1, 2, 3]}}, "steps": [{}]}', '"lin" and "tab"'),
    ('{"id": "a", "init": {}, "steps": []}', "a case needs its steps"),
    ('{"id": "a", "init": {}, "steps": [{}]}', "1:35: a step needs the name of a function"),
    ('{"id": "a", "init": {}, "steps": [{"f": "panic", "a": [1]}]}', "has 0 arguments, not 1"),
    ('{"id": "a", "init": {}, "steps": [{"f": "check", "a": [4294967296]}]}', "has 32 bits"),
    ('{"id": "a", "init": {}, "steps": [{"f": "panic", "a": [], "s": "stuck"}]}',
     '"s" can only be "none"'),
    ('{"init": {}, "steps": [{}]}', 'a case needs an "id"'),
    ('{"id": "a", "init": {}', "1:23: ends in the middle of a list or map"),
    ('{"id": "a"} {"id": "b"}', "1:13: more text behind the end of the value"),
    ('{"id": "a" "init": {}}', "a comma, colon, bracket or key is missing"),
    ('{"id": "a", "init"}', "a comma, colon, bracket or key is missing"),
    ('{"id": 1.5}', "1:8: only whole numbers"),
    ('{"id": 007}', "leading zeros"),
    ('{"id": nul}', "not a JSON value"),
    ('{"id": "a}', "without its closing quote"),
    ("[" * 100 + "]" * 100, "nested too deeply"),
    ("", "no vectors"),
    ("\n \n", "no vectors"),
])
def test_bad_input_is_refused_at_its_place(text, message):
    result = conform("-", stdin=text)
    assert result.returncode == 2
    assert message in result.stderr


def test_a_file_that_is_not_there_is_refused(tmp_path):
    result = conform(tmp_path / "missing.jsonl")
    assert result.returncode == 2
    assert "missing.jsonl: cannot open: No such file or directory" in result.stderr


def test_a_directory_is_refused(tmp_path):
    result = conform(tmp_path)
    assert result.returncode == 2
    assert "is a directory" in result.stderr


def test_truncated_zstd_data_is_refused(tmp_path):
    whole = (VECTORS / "npt.jsonl.zst").read_bytes()
    cut = tmp_path / "cut.jsonl.zst"
    cut.write_bytes(whole[:-100])
    result = conform(cut)
    assert result.returncode == 2
    assert "zstd data" in result.stderr


def test_corrupt_zstd_data_is_refused(tmp_path):
    data = bytearray((VECTORS / "npt.jsonl.zst").read_bytes())
    data[4096:4160] = bytes(64)
    corrupt = tmp_path / "corrupt.jsonl.zst"
    corrupt.write_bytes(data)
    assert conform(corrupt).returncode in (1, 2)


def test_plain_and_compressed_files_say_the_same(tmp_path):
    compressed = VECTORS / "bigmap.jsonl.zst"
    plain = tmp_path / "bigmap.jsonl"
    plain.write_bytes(subprocess.run(["zstd", "-dcq", compressed], check=True,
                                     capture_output=True).stdout)
    assert last_line(conform(plain)) == last_line(conform(compressed)) == "3 passed, 0 failed"


def test_only_runs_one_case():
    result = conform(VECTORS / "npt.jsonl.zst", "--only", "npt-sekvm-public-1-0007")
    assert (result.returncode, last_line(result)) == (0, "1 passed, 0 failed")


def test_a_failure_names_the_command_that_runs_it_alone(tmp_path):
    vectors = tmp_path / "two.jsonl"
    bad = broken(lambda c: c["steps"][0].update({"r": 2, "id": "bad"}))
    vectors.write_text("\n".join(json.dumps(case) for case in (GOOD | {"id": "good"}, bad)))
    result = conform(vectors)
    again = f"fhsim conform {vectors} --only host-maps-a-page"
    assert again in result.stdout
    assert last_line(conform(*again.split()[2:])) == "0 passed, 1 failed"


def test_only_with_an_unknown_id_is_an_error():
    result = conform(VECTORS / "npt.jsonl.zst", "--only", "npt-9")
    assert result.returncode == 2
    assert "npt-9" in result.stderr


def test_function_runs_the_cases_that_call_it():
    result = run([GOOD, {"id": "b", "init": {}, "steps": [
        {"f": "AbstractMachine.panic_spec", "a": [], "d": {"halt": True}}]}],
        "--function", "NPTWalk.set_npt")
    assert last_line(result) == "1 passed, 0 failed"


def test_an_unknown_function_suggests_the_nearest():
    result = run([GOOD], "--function", "set_ntp")
    assert result.returncode == 2
    assert "did you mean 'set_npt'?" in result.stderr


def test_json_says_the_same_as_the_text():
    result = run([GOOD, broken(lambda c: npt(c).pop("pt"))], "--json")
    report = json.loads(result.stdout)
    assert result.returncode == 1
    assert (report["passed"], report["failed"], report["skipped"]) == (1, 1, 0)
    failure = report["failures"][0]
    assert (failure["step"], failure["line"]) == (MAP, 2)
    assert failure["differences"] == [
        {"path": "shared.npts.0.pt.0xbae", "expected": "[0, 0, 0]",
         "got": "[0xbae, 3, 0xbaefff]"}]
    functions = {entry["name"]: entry for entry in report["functions"]}
    assert (functions["set_npt"]["passed"], functions["set_npt"]["failed"]) == (1, 1)
    assert functions["panic"]["passed"] == 1


def test_quiet_prints_the_last_line_alone():
    assert run([GOOD], "--quiet").stdout == "1 passed, 0 failed\n"


# --- Other forms and logs ---------------------------------------------------------------------------

FORMS = [(form, log) for form in ("abstract", "concrete", "both") for log in ("full", "summary")]


def in_form(cases, form, log):
    return run(cases, "--realisation", form, "--log", log)


@pytest.mark.parametrize("form, log", FORMS)
def test_good_case_passes_in_each_form_with_each_log(form, log):
    result = in_form([GOOD], form, log)
    assert result.returncode == 0, result.stdout
    assert result.stdout.endswith("\n1 passed, 0 failed\n")


@pytest.mark.parametrize("form, log", FORMS)
@pytest.mark.parametrize("change", [
    lambda case: npt(case)["pt"].update({"2990": [2990, 3, 12251134]}),
    lambda case: npt(case)["pt"].update({"2991": [2991, 3, 12255231]}),
    lambda case: npt(case)["pmd_t"]["0"]["0"].update({"6": True}),
    lambda case: npt(case).update({"pt_pmd_next": 9515008}),
    lambda case: case["steps"][LOCK]["d"].update({"tstate": 1}),
    lambda case: case["steps"][LOCK]["d"]["log"]["5"]["+"].pop(),
])
def test_what_differs_is_noticed_in_each_form_with_each_log(form, log, change):
    result = in_form([broken(change)], form, log)
    assert result.returncode == 1 and "0 passed, 1 failed" in result.stdout


# The host's table has page 2990 already, and one table of each level on the way to it.
MAPPED = {
    "pt": {"2990": [2990, 3, 12251135]}, "pgd_t": {"0": True}, "pud_t": {"0": {"0": True}},
    "pmd_t": {"0": {"0": {"5": True}}},
}


def mapped_before(**changes):
    def change(case):
        case["init"]["shared"]["npts"] = {"0": {**copy.deepcopy(MAPPED), **changes}}
        delta = case["steps"][MAP]["d"]["shared"]["npts"]["0"]
        case["steps"][MAP]["a"] = [0, 12251136, 3, 12255231]
        delta.clear()
        delta["pt"] = {"2991": [2991, 3, 12255231]}
    return broken(change)


@pytest.mark.parametrize("form", ["concrete", "both"])
def test_counters_begin_behind_the_tables_that_there_are(form):
    assert in_form([mapped_before()], form, "full").returncode == 0


@pytest.mark.parametrize("form", ["concrete", "both"])
@pytest.mark.parametrize("changes, why", [
    ({"pt": {"2990": [2990, 3, 12251135], "0": [7, 3, 28672]}, "pmd_t": {}},
     "a mapping that no table leads to"),
    ({"pt": {"2990": [2991, 3, 12251135]}}, "a mapping that no word can say"),
    ({"pgd_t": {}}, "a table that no table leads to"),
    ({"pt_pmd_next": 9441281}, "a counter beside its pool"),
])
def test_case_without_a_form_is_counted_with_the_reason(form, changes, why):
    result = in_form([mapped_before(**changes), GOOD], form, "full")
    assert result.returncode == 0
    assert f"     1  {why}\n" in result.stdout
    assert result.stdout.endswith("1 passed, 0 failed, 1 without this form\n")


def test_programs_are_told_of_cases_without_a_form():
    result = run([mapped_before(pgd_t={})], "--realisation", "both", "--json")
    answer = json.loads(result.stdout)
    assert answer["without_form"] == [{"name": "a table that no table leads to", "cases": 1}]
    assert answer["passed"] == 0


def test_form_or_log_that_does_not_exist_is_bad_input():
    for option, word in (("--realisation", "concret"), ("--log", "ful")):
        result = run([GOOD], option, word)
        assert result.returncode == 2 and "did you mean" in result.stderr


# --- Negative numbers -------------------------------------------------------------------------------

NEGATIVE = {
    "id": "negative",
    "init": {"cur_vcpuid": -1, "regs": {"ctxt_regs": {"x3": 5}}},
    "steps": [{"f": "AbstractMachine.host_to_core_spec", "a": [],
               "d": {"shadow_ctxts": {"18446744073709551615": {"ctxt_regs": {"x3": 5}}}}}],
}


def test_a_word_in_the_delta_of_a_negative_vcpu_is_a_negative_number():
    assert run([NEGATIVE]).returncode == 0
    case = copy.deepcopy(NEGATIVE)
    case["init"]["shadow_ctxts"] = {"18446744073709551615": {"ctxt_regs": {"x4": 6}}}
    assert run([case]).returncode == 0
    del case["init"]["shadow_ctxts"]
    case["init"]["shadow_ctxts"] = {"-1": {"ctxt_regs": {"x4": 6}}}
    assert run([case]).returncode == 1  # x4 becomes 0


def test_context_2_to_the_64_minus_1_is_not_context_minus_1():
    case = copy.deepcopy(NEGATIVE)
    case["init"]["cur_vcpuid"] = 7
    case["init"]["cur_vmid"] = 2 ** 61 - 1
    assert run([case]).returncode == 0
    case["init"]["shadow_ctxts"] = {"-1": {"ctxt_regs": {"x4": 6}}}
    case["steps"][0]["d"]["shadow_ctxts"]["18446744073709551615"]["ctxt_regs"]["x4"] = 6
    assert run([case]).returncode == 1
