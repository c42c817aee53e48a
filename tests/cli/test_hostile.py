# SPDX-License-Identifier: GPL-2.0-only
"""Input that nobody would write on purpose, and outputs that would destroy something."""

import json
import os
import resource
import subprocess

import pytest

FHSIM = os.environ["FHSIM"]

SCENARIO = """\
description: The host touches a page of its own.
machine:
  regions:
    - {base: 2M, size: 8M}
steps:
  - trap: host-npt-fault
    ipa: 0x345678
"""


@pytest.fixture
def trace(source):
    return source / "tests/data/01_host_only_excerpt.jsonl.zst"


def run(*arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, limit=None, timeout=120):
    def bound():
        if limit:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run([FHSIM, *map(str, arguments)], stdin=stdin, stdout=stdout,
                          stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
                          timeout=timeout, check=False, preexec_fn=bound)


# --- Memory -----------------------------------------------------------------------------------


sanitized = pytest.mark.skipif("asan" in FHSIM, reason="sanitizers take memory of their own")


@sanitized
def test_a_long_run_needs_no_memory_for_logs_that_nobody_reads(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text(SCENARIO + "    repeat: 100000\n")
    done = run("run", path, limit=64 << 20)
    assert (done.returncode, done.stderr) == (0, "")


# 4 GiB of I/O memory mapped for a VM is a million critical sections, whose logs are 600 MB.
IOREMAP = """\
description: All events are kept, because the last step looks at them.
machine:
  regions:
    - {base: 2M, size: 8M}
vms:
  - {vmid: 1, state: READY}
steps:
  - call: kvm_phys_addr_ioremap
    args: [1, 0x100000000, 0x100000000, 60G]
  - set: {log: {S2PAGE_ID: {"+": []}}}
"""


@sanitized
def test_out_of_memory_is_bad_input_with_its_place(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text(IOREMAP)
    done = run("run", path, limit=200 << 20)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:8:5: out of memory: ")
    assert "0 failed, 1 invalid" in done.stdout


@sanitized
def test_out_of_memory_is_no_failure_in_a_report(tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text(IOREMAP)
    done = run("run", "--format", "json", path, limit=200 << 20)
    [scenario] = json.loads(done.stdout)["scenarios"]
    assert (scenario["verdict"], scenario["failures"]) == ("invalid", [])
    assert "out of memory" in scenario["error"]


# --- Marks, frames, controls --------------------------------------------------------------------


def test_a_scenario_may_begin_with_a_mark_of_utf8(tmp_path):
    path = tmp_path / "mark.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SCENARIO.encode())
    assert run("run", path).returncode == 0


def test_columns_are_counted_behind_the_mark(tmp_path):
    path = tmp_path / "mark.yaml"
    path.write_bytes(b"\xef\xbb\xbfdescriptoin: x\n")
    assert run("run", path).stderr.startswith(f"{path}:1:1: ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_other_encodings_are_named(tmp_path, encoding):
    path = tmp_path / "wide.yaml"
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    path.write_bytes(mark + SCENARIO.encode(encoding))
    done = run("run", path)
    assert done.returncode == 2
    assert "only UTF-8 is read" in done.stderr


def test_a_trace_may_begin_with_a_mark_of_utf8(trace, tmp_path):
    text = subprocess.run(["zstdcat", trace], capture_output=True, check=True).stdout
    (tmp_path / "mark.jsonl").write_bytes(b"\xef\xbb\xbf" + text)
    done = run("replay", "--json", tmp_path / "mark.jsonl")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("nibble", [0, 7, 15])
def test_a_compressed_file_may_begin_with_a_frame_to_skip(trace, tmp_path, nibble):
    skipped = bytes([0x50 + nibble, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]) + b"\x12\x34\x56\x78"
    (tmp_path / "pzstd.jsonl.zst").write_bytes(skipped + trace.read_bytes())
    done = run("replay", "--json", tmp_path / "pzstd.jsonl.zst")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_compressed_scenario_is_read(tmp_path):
    (tmp_path / "a.yaml").write_text(SCENARIO)
    subprocess.run(["zstd", "-q", tmp_path / "a.yaml"], check=True)
    assert run("run", tmp_path / "a.yaml.zst").returncode == 0


@pytest.mark.parametrize("text", [
    "\u009b31m",      # CSI, as one character
    "\u001b[31m",     # and as two
    "\u007f",
    "\u202egnirts",   # from right to left
    "\u2066x\u2069",
])
def test_what_a_terminal_obeys_is_not_quoted(tmp_path, text):
    path = tmp_path / "control.jsonl"
    path.write_text('{"seq":"' + text + '"}\n')
    done = run("replay", path)
    assert done.returncode == 2
    for character in text:
        assert character.isprintable() or character not in done.stderr
    assert "?" in done.stderr


def test_bytes_that_are_no_utf8_are_not_quoted(tmp_path):
    path = tmp_path / "bytes.jsonl"
    path.write_bytes(b'{"seq":"\x9b31m"}\n')
    done = subprocess.run([FHSIM, "replay", path], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"\x9b" not in done.stderr


def test_the_caret_stands_below_its_character_whatever_comes_before(tmp_path):
    path = tmp_path / "scenario.yaml"
    path.write_text("description: \"ä日本 x\" trailing\nsteps: []\n")
    *_, quoted, caret = run("run", path).stderr.splitlines()
    assert quoted[caret.index("^"):].startswith("trailing")


# --- Outputs ------------------------------------------------------------------------------------


@pytest.fixture
def copy(trace, tmp_path):
    """A copy of a trace that may be lost, and a check that it was not."""
    path = tmp_path / "a.jsonl.zst"
    path.write_bytes(trace.read_bytes())
    yield path
    assert path.read_bytes() == trace.read_bytes()


def test_an_output_over_its_input_is_refused(copy):
    done = run("convert", copy, "-o", copy)
    assert done.returncode == 2
    assert "is the input" in done.stderr and "would be lost" in done.stderr


def test_an_output_over_its_input_by_another_name_is_refused(copy):
    (copy.parent / "link.jsonl").symlink_to(copy.name)
    os.link(copy, copy.parent / "hard.jsonl")
    for name in ["link.jsonl", "hard.jsonl", "../" + copy.parent.name + "/" + copy.name]:
        assert run("convert", copy, "-o", copy.parent / name).returncode == 2


def test_an_output_over_standard_input_is_refused(copy):
    with open(copy, "rb") as stream:
        done = run("convert", "-", "-o", copy, stdin=stream)
    assert done.returncode == 2
    assert "is the input itself" in done.stderr


def test_appending_to_the_input_is_refused(copy):
    with open(copy, "ab") as stream:
        done = run("convert", copy, stdout=stream)
    assert done.returncode == 2
    assert "standard output is the input" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--from", "qemu-int"], ["--from", "recorder"],
                                       ["--from", "ftrace"], ["-o", "/dev/null", "--to", "cbor"]])
def test_an_empty_file_is_nothing_to_convert(tmp_path, arguments):
    path = tmp_path / "empty"
    path.touch()
    done = run("convert", *arguments, path)
    assert done.returncode == 2
    assert str(path) in done.stderr


def test_a_shell_that_emptied_the_input_is_noticed(copy, tmp_path):
    victim = tmp_path / "x"
    victim.write_bytes(copy.read_bytes())
    done = subprocess.run(f'"{FHSIM}" convert x > x', shell=True, cwd=tmp_path, timeout=60,
                          stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "standard output is the input x" in done.stderr


def test_an_output_keeps_the_mode_of_the_file_that_it_replaces(trace, tmp_path):
    path = tmp_path / "new.cbor"
    path.touch()
    path.chmod(0o640)
    assert run("convert", trace, "-o", path).returncode == 0
    assert path.stat().st_mode & 0o7777 == 0o640
    assert path.stat().st_size > 0


def test_a_new_output_has_the_mode_that_the_umask_leaves(trace, tmp_path):
    path = tmp_path / "new.cbor"
    old = os.umask(0o027)
    try:
        assert run("convert", trace, "-o", path).returncode == 0
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o7777 == 0o640


@pytest.mark.parametrize("is_there", [True, False])
def test_an_output_through_a_link_leaves_the_link(trace, tmp_path, is_there):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "link.cbor").symlink_to("folder/real.cbor")
    if is_there:
        (folder / "real.cbor").touch()
    assert run("convert", trace, "-o", tmp_path / "link.cbor").returncode == 0
    assert (tmp_path / "link.cbor").is_symlink()
    assert (folder / "real.cbor").stat().st_size > 0
    assert sorted(os.listdir(folder)) == ["real.cbor"]


def test_links_without_an_end_are_an_error(trace, tmp_path):
    (tmp_path / "a.cbor").symlink_to("b.cbor")
    (tmp_path / "b.cbor").symlink_to("a.cbor")
    done = run("convert", trace, "-o", tmp_path / "a.cbor")
    assert done.returncode == 2
    assert "Too many levels of symbolic links" in done.stderr


@pytest.mark.parametrize("arguments", [["convert", "TRACE"], ["replay", "TRACE"], ["functions"],
                                       ["convert", "--to", "cbor.zst", "TRACE"],
                                       ["convert", "-o", "/dev/full", "--to", "cbor", "TRACE"],
                                       ["run", "SCENARIO"], ["--help"],
                                       ["replay", "--html", "/dev/full", "TRACE"]])
def test_an_output_that_is_full_is_told_once_and_rightly(source, trace, arguments):
    places = {"TRACE": trace, "SCENARIO": source / "scenarios/host-faults"}
    arguments = [places.get(word, word) for word in arguments]
    with open("/dev/full", "w", encoding="ascii") as full:
        done = run(*arguments, stdout=None if "/dev/full" in arguments else full)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "No space left on device" in done.stderr


def test_a_dash_is_standard_output_where_that_is_free(trace):
    named = run("convert", trace, "-o", "-")
    assert (named.returncode, named.stdout) == (0, run("convert", trace).stdout)


def test_a_dash_is_no_file_where_standard_output_has_a_report(trace, tmp_path):
    done = subprocess.run([FHSIM, "replay", "--html", "-", trace], capture_output=True, text=True,
                          cwd=tmp_path, timeout=60, check=False)
    assert done.returncode == 2
    assert "./-" in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("command", [["run"], ["replay"], ["conform"], ["convert"],
                                     ["convert", "--from", "recorder"]])
def test_a_missing_file_is_told_once(tmp_path, command):
    done = run(*command, tmp_path / "nowhere")
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count("No such file or directory") == 1


# --- Recordings ---------------------------------------------------------------------------------


@sanitized
def test_what_is_no_recording_is_not_read_to_its_end():
    done = run("convert", "--from", "recorder", "/dev/zero", limit=256 << 20, timeout=20)
    assert done.returncode == 2
    assert "no buffer of the recorder begins here" in done.stderr


# --- JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text, column", [
    ('{"cpu":0,"cpu":3}', 10),
    ('{"a":{"b":1,"c":2,"b":1}}', 19),
    ('{"a":1,"\\u0061":1}', 8),
])
def test_a_key_that_comes_twice_is_refused(tmp_path, text, column):
    path = tmp_path / "twice.jsonl"
    path.write_text(text + "\n")
    done = run("convert", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:1:{column}: a key that comes twice")


def test_a_value_that_is_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "deep.jsonl"
    path.write_text('{"seq":0,"x":' + '{"a":' * 60000 + "1" + "}" * 60000 + "}\n")
    done = run("convert", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:1:") and "nested too deeply" in done.stderr


def test_an_unknown_key_that_is_nested_too_deeply_is_refused(trace, tmp_path):
    lines = subprocess.run(["zstdcat", trace], capture_output=True, check=True,
                           text=True).stdout.splitlines()
    path = tmp_path / "deep.jsonl"
    deep = '"unknown":' + '{"a":' * 60000 + "1" + "}" * 60000
    path.write_text(lines[0] + "\n" + lines[1][:-1] + "," + deep + "}\n")
    for command in (["replay"], ["reduce", "--keep", "unexplained"]):
        done = run(*command, path)
        assert done.returncode == 2
        assert f"{path}:2:" in done.stderr and "nested too deeply" in done.stderr


def test_an_empty_line_is_called_one(trace, tmp_path):
    lines = subprocess.run(["zstdcat", trace], capture_output=True, check=True,
                           text=True).stdout.splitlines()
    path = tmp_path / "gap.jsonl"
    path.write_text(lines[0] + "\n\n" + lines[1] + "\n")
    assert run("replay", path).stderr.startswith(f"{path}:2:1: an empty line")


def test_what_looks_like_a_trace_and_is_none_is_told_in_one_line(trace, tmp_path):
    lines = subprocess.run(["zstdcat", trace], capture_output=True, check=True,
                           text=True).stdout.splitlines()
    path = tmp_path / "comment.jsonl"
    path.write_text("# a comment\n" + lines[0] + "\n")
    done = run("replay", path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "it looks most like a trace" in done.stderr


# --- Scenarios ----------------------------------------------------------------------------------


@pytest.mark.parametrize("written, shown", [
    ("18446744073709551615", "(1 to 1000000)"), ("0", "(1 to 1000000)"), ("-1", "(1 to 1000000)"),
    ("99999999999999999999999", "(1 to 1000000)"), ("0xfffffff", "(0x1 to 0xf4240)"),
    ("2M", "(0x1 to 0xf4240)"),
])
def test_a_range_is_told_in_the_base_of_the_number(tmp_path, written, shown):
    path = tmp_path / "range.yaml"
    path.write_text(SCENARIO + f"    repeat: {written}\n")
    done = run("run", path)
    assert done.returncode == 2
    assert f"repeat: {written} is out of range {shown}" in done.stderr


# --- Outputs of replay and reduce ---------------------------------------------------------------


@pytest.mark.parametrize("arguments", [
    ["replay", "T", "--html", "T"],
    ["replay", "--html", "T", "T"],
    ["replay", "T", "--perfetto", "T"],
    ["replay", "T", "--html", "X", "--perfetto", "X"],
    ["replay", "T", "--html", "X", "--perfetto", "./X"],
    ["reduce", "T", "--keep", "unexplained", "-o", "T"],
    ["reduce", "T", "--keep", "unexplained", "-o", "X", "--scenario", "X"],
    ["reduce", "T", "--keep", "unexplained", "--scenario", "T"],
])
def test_an_output_that_would_lose_something_is_refused(copy, arguments):
    places = {"T": copy, "X": copy.parent / "x", "./X": f"{copy.parent}/./x"}
    done = run(*[places.get(word, word) for word in arguments])
    assert done.returncode == 2
    assert "lost" in done.stderr
    assert not (copy.parent / "x").exists()


# --- Records that cannot be ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def records(source):
    text = subprocess.run(["zstdcat", source / "tests/data/01_host_only_excerpt.jsonl.zst"],
                          capture_output=True, check=True).stdout
    return [json.loads(line) for line in text.splitlines()[:6]]


def refusal_of(records, tmp_path, change):
    changed = json.loads(json.dumps(records))
    change(changed)
    path = tmp_path / "changed.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in changed))
    done = run("replay", path)
    assert done.returncode == 2, done.stdout
    return done.stderr.splitlines()[0].removeprefix(f"{path}:")


@pytest.mark.parametrize("cpu", [64, 65536, 2**32, 2**63, -1])
def test_a_cpu_beyond_the_stated_number_is_refused(records, tmp_path, cpu):
    message = refusal_of(records, tmp_path, lambda r: r[3].update(cpu=cpu))
    assert message.startswith("4:") and "CPUs are numbered from 0 to 63" in message


@pytest.mark.parametrize("key, value, words", [
    ("seq", "before", "seq"), ("seq", 0, "seq"), ("seq", -1, "seq is -1"), ("g0", 0, "out of order"),
])
def test_numbers_that_repeat_or_fall_are_refused(records, tmp_path, key, value, words):
    value = records[2]["seq"] if value == "before" else value
    message = refusal_of(records, tmp_path, lambda r: r[3].update({key: value}))
    assert message.startswith("4:") and words in message


def regions(record):
    return [effect for effect in record["fx"] if effect["t"] == "boot_region"]


def add_region(records, i, base, size):
    last = records[0]["fx"][-1]["g"]
    records[0]["fx"].append({"t": "boot_region", "g": last + 1, "i": i, "base": hex(base),
                             "size": hex(size), "flags": 0, "index": "0x0"})
    records[0]["g1"] = last + 2


@pytest.mark.parametrize("i, base, size", [
    (32, 0x200000000, 0x1000), (33, 0x200000000, 0x1000), (1000, 0x200000000, 0x1000),
    (2**63, 0x200000000, 0x1000), (0, 0x200000000, 0x1000), (1, 0x40000000, 0x1000),
    (1, 0x200000000, 0xfffffffffffff000), (1, 0x200000800, 0x1000),
])
def test_memory_that_cannot_be_is_refused(records, tmp_path, i, base, size):
    message = refusal_of(records, tmp_path, lambda r: add_region(r, i, base, size))
    assert message.startswith("1:") and "boot_region" in message


@pytest.mark.parametrize("vmid", [99999, -1, 2**63])
def test_a_pool_of_no_vm_is_refused(records, tmp_path, vmid):
    def change(changed):
        pools = [effect for effect in changed[0]["fx"] if effect["t"] == "boot_pool"]
        pools[1]["vmid"] = vmid

    assert "boot_pool of VM" in refusal_of(records, tmp_path, change)


@pytest.mark.parametrize("key, value", [
    ("vmid", 99999), ("vmid", -1), ("vmid", 66), ("vcpuid", 99999), ("vcpuid", -1)])
def test_a_vm_or_vcpu_that_the_machine_cannot_have_is_refused(records, tmp_path, key, value):
    message = refusal_of(records, tmp_path, lambda r: r[3]["in"].update({key: value}))
    assert message.startswith("4:") and f"in.{key} is {value}" in message
