# SPDX-License-Identifier: GPL-2.0-only
"""Both encodings of traces: converted, compared with a reader of another library, and broken.

FH_TRACES, if set, is a folder with the whole recordings.
"""

import io
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

cbor2 = pytest.importorskip("cbor2")

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
EXCERPTS = sorted((SOURCE / "tests/data").glob("0*_excerpt.jsonl.zst"))
WHOLE = sorted(pathlib.Path(os.environ.get("FH_TRACES", "none")).glob("*.jsonl.zst"))
FORMS = ["jsonl", "cbor", "jsonl.zst", "cbor.zst"]
DOCUMENT = (SOURCE / "docs/trace-cbor.md").read_text()
RECORDS = 60
BIT_FLIPS = 120

# The reader in the documentation, which uses another library.
DOCUMENTED = {}
exec(re.search(r"```python reader\n(.*?)```", DOCUMENT, re.DOTALL).group(1), DOCUMENTED)
read_trace = DOCUMENTED["read_trace"]


def fhsim(*arguments, data=None):
    """What fhsim writes, as bytes; messages as text."""
    done = subprocess.run([FHSIM, *map(str, arguments)], input=data, capture_output=True,
                          timeout=300)
    done.stderr = done.stderr.decode("utf-8", "replace")
    return done


def convert(data, to, *arguments):
    done = fhsim("convert", "--from", "trace", "-", "--to", to, *arguments, data=data)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def unpack(path):
    return subprocess.run(["zstdcat", path], capture_output=True, check=True).stdout


def report(data):
    """What replay says of a trace, but for how long it took."""
    done = fhsim("replay", "-", "--json", data=data)
    found = json.loads(done.stdout)
    del found["seconds"], found["traps_per_second"]
    return done.returncode, done.stderr, found


@pytest.fixture(scope="module")
def head():
    """The first records of an excerpt, as JSON Lines and as CBOR."""
    lines = b"".join(unpack(EXCERPTS[0]).splitlines(keepends=True)[:RECORDS])
    return {"jsonl": lines, "cbor": convert(lines, "cbor"),
            "jsonl.zst": convert(lines, "jsonl.zst"), "cbor.zst": convert(lines, "cbor.zst")}


def items(data):
    """The items of a CBOR sequence, with the bytes of each."""
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        start = stream.tell()
        item = cbor2.load(stream)
        yield item, data[start:stream.tell()]


def is_record(item):
    return isinstance(item, list) and not isinstance(item[0], str)


# --- There and back -----------------------------------------------------------------------------


def check_there_and_back(path):
    lines = unpack(path)
    cbor = convert(path.read_bytes(), "cbor")
    assert convert(cbor, "jsonl") == lines
    assert convert(convert(cbor, "jsonl"), "cbor") == cbor
    packed = convert(cbor, "cbor.zst")
    assert len(packed) < len(cbor) / 4
    assert convert(packed, "jsonl") == lines
    status, stderr, found = report(lines)
    assert stderr == ""
    assert report(cbor) == (status, stderr, found) == report(packed)


@pytest.mark.parametrize("path", EXCERPTS, ids=lambda path: path.name[:2])
def test_an_excerpt_comes_back_byte_by_byte_and_replays_the_same(path):
    check_there_and_back(path)


@pytest.mark.skipif(not WHOLE, reason="FH_TRACES is not set")
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.name.split("_")[0])
def test_a_whole_trace_comes_back_byte_by_byte_and_replays_the_same(path):
    check_there_and_back(path)


@pytest.mark.parametrize("path", EXCERPTS, ids=lambda path: path.name[:2])
def test_the_documented_reader_finds_the_same_records(path):
    lines = unpack(path)
    wanted = [json.loads(line) for line in lines.splitlines()]
    found = list(read_trace(convert(lines, "cbor")))
    assert found == wanted
    assert [list(record) for record in found] == [list(record) for record in wanted]


def test_a_record_of_a_fault_has_six_items(head):
    records = [item for item, _ in items(head["cbor"]) if is_record(item)]
    assert len(records) == RECORDS
    assert all(record[2] == [] for record in records[1:])


def with_order(text):
    """A JSON value in which the order of keys and the digits of numbers count."""
    return json.loads(text, object_pairs_hook=lambda pairs: ("map", pairs), parse_float=str,
                      parse_int=str)


def check_lines(lines):
    """Lines of JSON come back through CBOR, and the documented reader reads them there."""
    text = "".join(line + "\n" for line in lines)
    cbor = convert(text.encode(), "cbor")
    back = convert(cbor, "jsonl").decode()
    assert [with_order(line) for line in back.split("\n")[:-1]] == [with_order(line) for line in lines]
    assert list(read_trace(cbor)) == [json.loads(line) for line in lines]
    assert convert(back.encode(), "cbor") == cbor


AWKWARD = [
    '{"unknown":{"deep":[{"er":[1,[2,[3,{}]]]}]},"empty":{},"none":[],"seq":1}',
    '{"z":1,"a":2,"m":3}', '{"a":2,"z":1,"m":3}', '[]', '{}', '17', '"text"', 'null', 'true',
    '{"word":"0x1f","zeros":"0x01","capital":"0x1F","prefix":"0X1f","bare":"0x","long":'
    '"0x11111111111111111","full":"0xffffffffffffffff","zero":"0x0"}',
    '{"n":[18446744073709551615,9223372036854775808,9223372036854775807,-1,'
    '-9223372036854775808,0,255,256,65536,4294967296]}',
    '{"n":18446744073709551615}', '{"n":9223372036854775808}', '{"n":-9223372036854775808}',
    '{"wide":18446744073709551616,"low":-9223372036854775809,"in":[123456789012345678901234]}',
    '{"half":1.5,"more":1.50,"exponent":1e3,"small":-2.5E-10,"list":[0.1,null,true,false]}',
    '{"null":null,"yes":true,"no":false}',
    '{"text":"\\u00e9\\n\\t\\"\\\\ \\u0001 \\ud83d\\ude00","\\u00e9":1,"":""}',
    '{"0":"0x1","30":"0x2"}', '{"0":{"a":1},"7":[]}', '{"007":"0x1"}', '{"1":"0x1","x":"0x2"}',
    '{"0x1f":{"pfn":"0x2","before":[0,0,"0x0"]},"0xfffff":{"pfn":"0x3","before":[0,-1,"0x1"]}}',
    '{"0x1f":"0x2"}', '{"0x01":"0x2"}', '{"18446744073709551615":"0x1"}',
    '{"words":["0x1","0x2"],"mixed":["0x1",2],"lists":[["0x1"],[1],[]],"maps":[{"a":1},{"b":[]}]}',
    json.dumps({"long": list(range(40)), "texts": [str(i) for i in range(40)]}),
    json.dumps({f"key{i}": i for i in range(300)}), json.dumps({"text": "long" * 40}),
    "[" * 60 + "]" * 60, '{"a":' * 60 + "1" + "}" * 60,
]


def test_any_json_comes_back():
    check_lines(AWKWARD)


@pytest.mark.parametrize("line", AWKWARD, ids=lambda line: line[:20])
def test_any_json_comes_back_alone(line):
    check_lines([line])


def test_more_shapes_and_texts_than_there_are_templates_come_back():
    texts = [json.dumps({"text": f"number {i}", "t": "same"}) for i in range(1500)]
    shapes = [json.dumps({f"key{i}": i, "inside": {f"k{i}": "0x1"}}) for i in range(4500)]
    check_lines(texts + shapes + texts)

    def count_templates(lines):
        cbor = convert("".join(line + "\n" for line in lines).encode(), "cbor")
        return sum(isinstance(item, list) and isinstance(item[0], str) for item, _ in items(cbor))

    assert count_templates(texts) == 1024 + 1
    assert count_templates(shapes) == 4096 + 1


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2**70, 2**70) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(0, 2**64 - 1).map(hex) | st.sampled_from(["0x01", "0xA", "0x", "g", "host"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(
        st.sampled_from(["t", "g", "a", "b"]) | st.text(max_size=3)
        | st.integers(0, 40).map(str) | st.integers(0, 2**20).map(hex), inner, max_size=5),
    max_leaves=20)


@settings(max_examples=30, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))
@given(st.lists(JSON_VALUES, min_size=1, max_size=12))
def test_random_json_comes_back(values):
    check_lines([json.dumps(value, ensure_ascii=False) for value in values])


def test_files_one_behind_the_other_are_one_trace(head):
    lines = head["jsonl"].splitlines(keepends=True)
    parts = [b"".join(lines[:20]), b"".join(lines[20:])]
    both = b"".join(convert(part, "cbor") for part in parts)
    assert convert(both, "jsonl") == head["jsonl"]
    assert report(both) == report(head["jsonl"])


def peak_memory(path, to):
    """The most memory that a conversion took, in KiB, measured by a process that has little."""
    measure = ("import resource, subprocess, sys\n"
               "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n"
               "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", measure, FHSIM, "convert", path, "--to", to],
                          capture_output=True, check=True, timeout=120)
    return int(done.stdout)


@pytest.mark.parametrize("form", ["jsonl", "cbor"])
def test_memory_does_not_grow_with_the_file(tmp_path, head, form):
    fault = json.loads(head["jsonl"].splitlines()[10])
    del fault["g1"]
    lines = [json.dumps({**fault, "seq": i}).encode() + b"\n" for i in range(12000)]
    peaks = []
    for count in [2000, 12000]:
        path = tmp_path / f"{count}.{form}"
        path.write_bytes(convert(b"".join(lines[:count]), form))
        peaks.append([peak_memory(path, to) for to in ["jsonl", "cbor"]])
    size = path.stat().st_size // 1024
    assert size > 8000
    assert all(after - before < size / 4 for before, after in zip(*peaks))


# --- The command --------------------------------------------------------------------------------


EFFECTS = 20000


def long_line(head, change=lambda text: text):
    """The second record with so many effects that they are read one by one, as JSON Lines."""
    first, second = head["jsonl"].splitlines()[:2]
    record = json.loads(second)
    fx = [{**record["fx"][at % len(record["fx"])], "g": record["g0"] + 1 + at} for at in range(EFFECTS)]
    record = {**record, "fx": fx, "g1": record["g0"] + 1 + EFFECTS}
    return first + b"\n" + change(json.dumps(record, separators=(",", ":"))).encode() + b"\n"


def test_a_record_of_many_effects_comes_back(head):
    text = long_line(head)
    data = convert(text, "cbor")
    assert convert(data, "jsonl") == convert(text, "jsonl") == text
    assert convert(data, "cbor") == data
    assert report(data) == report(text)


@pytest.mark.parametrize("change, message", [
    (lambda text: text.replace('],"g1"', ',],"g1"'), "not a JSON value"),
    (lambda text: text.replace('"fx":[', '"fx":[,'), "not a JSON value"),
    (lambda text: text.replace('},{"t"', '}{"t"'), "a comma, colon, bracket or key"),
    (lambda text: text[:-2], "ends in the middle of a list or map"),
    (lambda text: text[:len(text) // 2] + '"' + text[len(text) // 2:], ""),
    (lambda text: text + "]", "more text behind the end of the value"),
    (lambda text: text[:-1] + ',"version":2}', "version: expected the number 1"),
    (lambda text: text[:-1] + ',"fx":[]}', "a key that comes twice"),
    (lambda text: text.replace('],"g1"', ',' + '[' * 70 + ']' * 70 + '],"g1"'), "nested too deeply"),
])
def test_what_is_wrong_with_a_record_of_many_effects_is_told_with_its_place(head, change, message):
    text = long_line(head, change)
    last = text.splitlines()[1].decode()
    done = fhsim("convert", "-", "--to", "jsonl", data=text)
    assert (done.returncode, done.stdout) == (2, text.splitlines(keepends=True)[0])
    place, found = re.match(r"<stdin>:2:(\d+): (.*)\n", done.stderr).groups()
    assert message in found and int(place) <= len(last) + 1
    if "version" in message:
        assert last[int(place) - 1:] == "2}"
    assert fhsim("replay", "-", data=text).returncode == 2


def test_what_is_no_list_of_maps_comes_back_whatever_its_length():
    texts = [json.dumps({"a": list(range(EFFECTS * 20))}), json.dumps({"a": [[]] * EFFECTS * 30 + [7]}),
             json.dumps({"b": {"a": [{"x": '\\"]['}] * EFFECTS * 10}, "c": [{"x": "\\"}] * EFFECTS * 10})]
    data = ("\n".join(texts) + "\n").encode()
    lines = convert(convert(data, "cbor"), "jsonl").splitlines()
    assert list(map(json.loads, lines)) == list(map(json.loads, texts))


@pytest.mark.parametrize("form", FORMS)
def test_the_name_of_the_new_file_says_what_it_becomes(tmp_path, head, form):
    source = tmp_path / "no_suffix"
    source.write_bytes(head["cbor.zst"])
    target = tmp_path / f"new.{form}"
    done = fhsim("convert", source, "-o", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", "")
    data = target.read_bytes()
    assert (data[:4] == b"\x28\xb5\x2f\xfd") == form.endswith(".zst")
    assert convert(data, "jsonl") == head["jsonl"]
    assert report(data) == report(head["jsonl"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"new.{form}", "no_suffix"]


def test_what_is_said_goes_before_the_name(tmp_path, head):
    target = tmp_path / "new.jsonl"
    assert fhsim("convert", "-", "--to", "cbor", "-o", target, data=head["jsonl"]).returncode == 0
    assert target.read_bytes() == head["cbor"]


def test_reports_call_a_trace_the_same_in_both_encodings(tmp_path):
    lines = unpack(EXCERPTS[1])
    found = []
    for form in FORMS:
        path = tmp_path / f"trace.{form}"
        path.write_bytes(convert(lines, form))
        done = fhsim("replay", path, "--without", "A37", "--json")
        found.append(json.loads(done.stdout)["divergences"])
    assert found[0] == found[1] == found[2] == found[3]


@pytest.mark.parametrize("arguments, message", [
    (["x.jsonl", "-o", "x.txt"], "says what to write"),
    (["x.jsonl", "--to", "xml"], "--to knows jsonl, cbor, jsonl.zst and cbor.zst, not 'xml'"),
    (["x.jsonl", "y.jsonl"], "one file at a time"),
    (["--from", "recoder", "x"], "did you mean 'recorder'?"),
    ([], "no file"),
    (["none.jsonl", "-o", "new.cbor"], "none.jsonl: cannot open"),
    (["none.jsonl", "-o", "none/new.cbor"], "none/new.cbor: No such file or directory"),
])
def test_wrong_use_is_told_and_writes_nothing(tmp_path, arguments, message):
    done = subprocess.run([FHSIM, "convert", *arguments], capture_output=True, text=True,
                          timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_a_good_record_leaves_the_old_one(tmp_path):
    target = tmp_path / "old.cbor"
    target.write_bytes(b"old")
    done = fhsim("convert", "-", "-o", target, data=b"no trace\n")
    assert done.returncode == 2
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_written_is_told(head):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([FHSIM, "convert", "-", "--to", "cbor"], input=head["jsonl"],
                              stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2
    assert b"No space left" in done.stderr


# --- Bad files ----------------------------------------------------------------------------------


def check_bad(data, message, before, tmp_path):
    """Replay and convert tell what is wrong and where, and what came before it."""
    done = fhsim("replay", "-", "--json", data=data)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    found = json.loads(done.stdout)
    assert (found["bad_input"], found["traps"]) == (True, before)
    target = tmp_path / "converted.jsonl"
    target.unlink(missing_ok=True)
    done = fhsim("convert", "-", "-o", target, data=data)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
    assert (target.read_bytes().count(b"\n") if target.exists() else 0) == before


def records_before(cbor, end):
    """How many records are whole in the first `end` bytes."""
    at = count = 0
    for item, data in items(cbor):
        at += len(data)
        if at > end:
            break
        count += is_record(item)
    return count, at - (len(data) if at > end else 0) == end


def test_a_cbor_sequence_cut_anywhere_keeps_its_whole_records(tmp_path, head):
    cbor = head["cbor"]
    chance = random.Random(1)
    places = {len(cbor) - 1} | {chance.randrange(3, len(cbor)) for _ in range(40)}
    for end in sorted(places):
        before, is_whole = records_before(cbor, end)
        if not is_whole:
            check_bad(cbor[:end], rf"^<stdin>: offset {end}: the file ends", before, tmp_path)


def test_json_lines_cut_anywhere_keep_their_whole_records(tmp_path, head):
    lines = head["jsonl"]
    chance = random.Random(2)
    for end in sorted(chance.randrange(1, len(lines)) for _ in range(40)):
        before = lines[:end].count(b"\n")
        if lines[end - 1:end] not in (b"\n", b"}"):
            check_bad(lines[:end], rf"^<stdin>:{before + 1}:\d+: ", before, tmp_path)


@pytest.mark.parametrize("form", ["jsonl.zst", "cbor.zst"])
def test_a_compressed_trace_cut_anywhere_is_told(head, form):
    data = head[form]
    chance = random.Random(3)
    for end in sorted(chance.randrange(4, len(data)) for _ in range(30)):
        for command in ["replay", "convert"]:
            done = fhsim(command, "-", data=data[:end])
            assert done.returncode == 2
            assert "truncated zstd data" in done.stderr


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("command", ["replay", "convert"])
def test_flipped_bits_never_crash(head, form, command):
    """The status is one of three, and bad input has a message with its place."""
    chance = random.Random(f"{form} {command}")
    small = convert(b"".join(head["jsonl"].splitlines(keepends=True)[:12]), form)
    statuses = set()
    for _ in range(BIT_FLIPS):
        data = bytearray(small)
        for _ in range(chance.choice([1, 1, 3])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        done = fhsim(command, "-", "--to" if command == "convert" else "--json",
                     *(["cbor"] if command == "convert" else []), data=bytes(data))
        statuses.add(done.returncode)
        assert done.returncode in (0, 1, 2), done.stderr
        assert (done.returncode == 2) == (done.stderr != "")
        assert done.returncode != 2 or done.stderr.startswith("<stdin>:")
    assert 2 in statuses


@pytest.mark.parametrize("form", ["jsonl", "cbor"])
def test_random_bytes_in_the_middle_never_crash(head, form):
    chance = random.Random(form)
    small = convert(b"".join(head["jsonl"].splitlines(keepends=True)[:12]), form)
    for _ in range(BIT_FLIPS // 2):
        at = chance.randrange(3, len(small))
        length = chance.randrange(1, 20)
        data = small[:at] + chance.randbytes(length) + small[at + chance.randrange(2) * length:]
        for command in ["replay", "convert"]:
            done = fhsim(command, "-", data=data)
            assert done.returncode in (0, 1, 2), done.stderr
            assert (done.returncode == 2) == (done.stderr != "")


def test_records_out_of_order_are_told(tmp_path, head):
    lines = head["jsonl"].splitlines(keepends=True)
    lines[20], lines[21] = lines[21], lines[20]
    check_bad(b"".join(lines), r"^<stdin>:22:1: .*out of order", 21, tmp_path)
    found = list(items(head["cbor"]))
    numbers = [i for i, (item, _) in enumerate(found) if is_record(item)]
    a, b = numbers[40], numbers[41]
    assert b == a + 1
    found[a], found[b] = found[b], found[a]
    at = sum(len(data) for _, data in found[:b])
    check_bad(b"".join(data for _, data in found), rf"^<stdin>: offset {at}: .*out of order", 41,
              tmp_path)


def test_a_record_twice_is_told(tmp_path, head):
    lines = head["jsonl"].splitlines(keepends=True)
    check_bad(b"".join(lines[:20] + lines[19:]), r"^<stdin>:21:1: .*out of order", 20, tmp_path)


def header(version):
    return cbor2.dumps(cbor2.CBORTag(55799, {"format": "faulthandler-trace", "version": version}))


def test_another_version_is_told(tmp_path, head):
    lines = head["jsonl"].splitlines(keepends=True)
    good = lines[5].replace(b"{", b'{"version":1,', 1)
    bad = lines[9].replace(b"{", b'{"version":2,', 1)
    mixed = b"".join([*lines[:5], good, *lines[6:9], bad, *lines[10:]])
    check_bad(mixed, r"^<stdin>:10:12: version: expected the number 1.*found the number 2", 9,
              tmp_path)
    cbor = head["cbor"]
    assert cbor.startswith(header(1))
    rest = cbor[len(header(1)):]
    check_bad(header(2) + rest, r"^<stdin>: offset 3: version 2 of the format", 0, tmp_path)
    check_bad(cbor + header(2) + rest, rf"^<stdin>: offset {len(cbor) + 3}: version 2 of the", 60,
              tmp_path)
    check_bad(convert(mixed.replace(b'"version":2', b'"version":1'), "jsonl").replace(
        b'"version":1', b'"version":"1"'), r"^<stdin>:6:12: version", 5, tmp_path)


def test_the_header_of_something_else_is_told(tmp_path):
    other = cbor2.dumps(cbor2.CBORTag(55799, {"format": "other", "version": 1}))
    check_bad(other, r"^<stdin>: offset 3: not the header of a trace", 0, tmp_path)


def test_the_two_encodings_do_not_mix(tmp_path, head):
    cbor, lines = head["cbor"], head["jsonl"]
    check_bad(cbor + lines, rf"^<stdin>: offset {len(cbor)}: a line of JSON", 60, tmp_path)
    check_bad(lines + cbor, r"^<stdin>:61:\d+: ", 60, tmp_path)


WORDS, SHAPES = (lambda data: cbor2.CBORTag(71, data)), (lambda data: cbor2.CBORTag(69, data))
ONE_WORD = ["map", "seq", "word"]


def words(*numbers):
    return WORDS(struct.pack(f"<{len(numbers)}Q", *numbers))


@pytest.mark.parametrize("bad, message", [
    ([[SHAPES(b"\0\0"), WORDS(b""), []]], "too few words"),
    ([[SHAPES(b""), WORDS(b""), []]], "too few shapes"),
    ([[SHAPES(b"\1\0"), WORDS(bytes(8)), []]], "no template"),
    ([[SHAPES(b"\0\0"), WORDS(bytes(16)), []]], "more shapes, words or values"),
    ([[SHAPES(b"\0\0"), WORDS(bytes(8)), [1]]], "more shapes, words or values"),
    ([[SHAPES(b"\0"), WORDS(b""), []]], "no whole numbers of 2 bytes"),
    ([[SHAPES(b"\0\0"), WORDS(b"\0"), []]], "no whole numbers of 8 bytes"),
    ([[SHAPES(b"\0\0"), b"", []]], "expected numbers of tag 71"),
    ([[SHAPES(b"\0\0"), WORDS(b"")]], "neither a template nor a record"),
    ([["map", "a"]], "not a template"), ([["map", 1, "word"]], "a key that is not a text"),
    ([["map", "a", "wrod"]], "unknown kind of value"), ([["tree"]], "not a template"),
    ([["value", "word"]], "not a template"), ([17], "neither a header"), ([[]], "neither"),
    ([["value"], [SHAPES(b"\1\0"), WORDS(b""), []]], "too few values"),
    ([["value"], [SHAPES(b"\1\0"), WORDS(b""), [1.5]]], "an item that no trace has"),
    ([["value"], [SHAPES(b"\1\0"), WORDS(b""), [b"bytes"]]], "an item that no trace has"),
    ([["value"], [SHAPES(b"\1\0"), WORDS(b""), [{1: 2}]]], "a key that is not a text"),
    ([["value"], [SHAPES(b"\1\0"), WORDS(b""), [cbor2.CBORTag(262, b"[1]")]]],
     "not a JSON number"),
    ([["list", "words"], [SHAPES(b"\1\0"), WORDS(b"\xff" * 8), []]], "too few words"),
    ([["list", "shapes"], [SHAPES(b"\1\0"), WORDS(b"\xff" * 8), []]], "too few words"),
    ([["list", "shape"], [SHAPES(b"\1\0" * 200), WORDS(b""), []]], "nested too deeply"),
    ([["map", "a", "word", "b", "word", "a", "word"]], "the key 'a' comes twice in its map"),
    ([["map", *(part for i in [*range(40), 7] for part in (f"k{i}", "word"))]],
     "the key 'k7' comes twice in its map"),
    ([["map", "x", "numbered words"], [SHAPES(b"\1\0"), words(2, 3, 3, 0, 0), []]],
     "the key '3' comes twice in its map"),
    ([["map", "a", "addressed words"], [SHAPES(b"\1\0"), words(3, 32, 0, 32, 1, 2, 3), []]],
     "the key '0x20' comes twice in its map"),
])
def test_a_sequence_that_makes_no_sense_is_told(tmp_path, bad, message):
    start = header(1) + cbor2.dumps(ONE_WORD)
    data = start + b"".join(cbor2.dumps(item) for item in bad)
    check_bad(data, rf"^<stdin>: offset \d+: .*{message}", 0, tmp_path)


def test_a_length_that_no_file_has_is_told(tmp_path):
    for length in [b"\x5a\xff\xff\xff\xff", b"\x5b" + b"\xff" * 8, b"\x5b\x7f" + b"\xff" * 7]:
        data = header(1) + b"\x83\xd8\x45" + length + b"abc"
        check_bad(data, r"^<stdin>: offset \d+: the file ends", 0, tmp_path)
    for count in [b"\x9b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8, b"\x9a\xff\xff\xff\xff"]:
        data = header(1) + cbor2.dumps(["value"]) + b"\x83\xd8\x45\x42\0\0\xd8\x47\x40\x81" + count
        check_bad(data, r"^<stdin>: offset \d+: ", 0, tmp_path)


def test_a_key_that_comes_twice_in_a_value_is_told(tmp_path):
    twice = b"\xa2\x61a\1\x61a\2"  # {"a": 1, "a": 2}
    data = header(1) + cbor2.dumps(["value"])
    data += b"\x83\xd8\x45\x42\0\0\xd8\x47\x40\x81\x81"
    check_bad(data + twice, rf"^<stdin>: offset {len(data)}: the key 'a' comes twice", 0, tmp_path)


def test_registers_that_come_twice_are_told_wherever_they_stand(tmp_path, head):
    """Also where replay reads them straight into its line."""
    record = json.loads(head["jsonl"].splitlines()[5])
    record["in"]["x"] = {"3": "0x1", "4": "0x2"}
    lines = head["jsonl"].splitlines(keepends=True)[:5]
    lines.append(json.dumps(record).encode() + b"\n")
    cbor = convert(b"".join(lines), "cbor")
    ascending = struct.pack("<5Q", 2, 3, 4, 1, 2)
    assert cbor.count(ascending) == 1
    check_bad(cbor.replace(ascending, struct.pack("<5Q", 2, 4, 4, 1, 2)),
              r"^<stdin>: offset \d+: the key '4' comes twice in its map", 5, tmp_path)


def test_a_text_that_is_not_utf8_is_told(tmp_path):
    data = header(1) + cbor2.dumps(["value"]) + b"\x83\xd8\x45\x42\0\0\xd8\x47\x40\x81\x62\xff\xfe"
    check_bad(data, r"^<stdin>: offset \d+: a text that is not UTF-8", 0, tmp_path)


@pytest.mark.parametrize("form", ["jsonl", "cbor"])
def test_what_convert_refuses_replay_refuses_too(head, form):
    """Replay reads records in a straight way of its own, convert makes trees of them."""
    chance = random.Random(f"both {form}")
    small = convert(b"".join(head["jsonl"].splitlines(keepends=True)[1:6]), form)
    boot = convert(head["jsonl"].splitlines(keepends=True)[0], form)
    refused = 0
    for _ in range(2 * BIT_FLIPS):
        data = bytearray(small)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        converted = fhsim("convert", "-", data=boot + bytes(data))
        if converted.returncode == 2:
            refused += 1
            status, stderr, found = report(boot + bytes(data))
            assert status == 2
            assert found["traps"] <= converted.stdout.count(b"\n")
    assert refused > 0


# --- Records in unusual words --------------------------------------------------------------------


def edited(head, seq, change):
    lines = head["jsonl"].splitlines()
    record = json.loads(lines[seq])
    change(record)
    lines[seq] = json.dumps(record, separators=(",", ":")).encode()
    return b"".join(line + b"\n" for line in lines)


def rename_zeros(record):
    record["in"]["esr"] = record["in"]["esr"].replace("0x", "0x00")


def add_unknown(record):
    record.update({"note": {"a": [1.5, None, "text"]}, "numbers": [1, 2, 3], "0": {"1": "0x2"}})
    record["fx"][0].update({"who": "me", "n": [1], "words": ["0x1"], "far": {"3": "0x4"}})
    record["in"].update({"other": 5, "words": ["0x1", "0x2"], "deep": [{"a": {"b": []}}]})


def turn_keys(record):
    for key in list(record)[::-1]:
        record[key] = record.pop(key)
    for key in list(record["in"])[::-1]:
        record["in"][key] = record["in"].pop(key)
    for effect in record["fx"]:
        for key in list(effect)[::-1]:
            effect[key] = effect.pop(key)


def x_as_map(record):
    record["in"]["x"] = {str(i): word for i, word in enumerate(record["in"]["x"])}


def no_effects(record):
    record["fx"] = []


def drop(key):
    return lambda record: record.pop(key)


def break_effect(key, value):
    return lambda record: record["fx"][-1].update({key: value})


CHANGES = [rename_zeros, add_unknown, turn_keys, x_as_map, no_effects]
BREAKS = [drop("g0"), drop("kind"), drop("fx"), drop("in"), drop("to"), drop("seq"),
          break_effect("t", "lokc"), break_effect("g", "0x1"), break_effect("vmid", "x"),
          break_effect("g", 1.5), break_effect("lock", 5), break_effect("vmid", 2**70),
          lambda record: record["in"].update(x=["0x1"]),
          lambda record: record["in"].update(x={"31": "0x1"}),
          lambda record: record["in"].update(esr=5),
          lambda record: record.update(kind="origin", format="qemu-int"),
          lambda record: record.update(kind="unknown"),
          lambda record: record.update(fx=["0x1"])]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_unusual_records_mean_the_same_in_both_encodings(head, change):
    lines = edited(head, 3, change)
    found = report(lines)
    assert found == report(convert(lines, "cbor"))
    if change is not no_effects:
        assert found == report(head["jsonl"])


@pytest.mark.parametrize("plain, escaped", [
    (b'"lock":"pt"', b'"lock":"p\\u0074"'), (b'"lock":"pt"', b'"l\\u006fck":"pt"'),
    (b'"t":"lock"', b'"t":"loc\\u006b"'), (b'"t":"lock"', b'"\\u0074":"lock"'),
    (b'"kind":"host_npt"', b'"kind":"host_np\\u0074"'), (b'"g1":', b'"g\\u0031":'),
    (b'"esr":"0x', b'"esr":"\\u0030x'), (b'"esr":', b'"es\\u0072":'), (b'"pages":', b'"pa\\/ges":'),
])
def test_escapes_mean_what_they_stand_for(head, plain, escaped):
    assert plain in head["jsonl"]
    lines = head["jsonl"].replace(plain, escaped)
    assert report(lines) == report(head["jsonl"])
    if b"pages" not in plain:
        assert convert(lines, "cbor") == head["cbor"]


@pytest.mark.parametrize("number", range(len(BREAKS)))
def test_records_that_are_wrong_are_wrong_in_both_encodings(head, number):
    lines = edited(head, 3, BREAKS[number])
    status, stderr, found = report(lines)
    assert status == 2
    assert stderr.startswith("<stdin>:4:")
    message = stderr.splitlines()[0].split(": ", 1)[1]
    status, stderr, other = report(convert(lines, "cbor"))
    assert status == 2
    assert re.match(rf"<stdin>: offset \d+: {re.escape(message)}\n", stderr)
    assert found == other
