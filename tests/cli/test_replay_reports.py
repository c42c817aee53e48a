# SPDX-License-Identifier: GPL-2.0-only
"""The reports of fhsim replay: JUnit, Perfetto, and the page, also in a browser if there is one."""

import base64
import collections
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
HOST = SOURCE / "tests/data/01_host_only_excerpt.jsonl.zst"
VM = SOURCE / "tests/data/02_vm1_one_vcpu_excerpt.jsonl.zst"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
PLAIN = 3  # a host fault of the excerpt in tables that exist
NOBODY = 66


def unpack(path):
    """The lines of a file of one zstd frame that knows its size."""
    zstd = ctypes.CDLL("libzstd.so.1")
    zstd.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    packed = path.read_bytes()
    size = zstd.ZSTD_getFrameContentSize(packed, ctypes.c_size_t(len(packed)))
    text = ctypes.create_string_buffer(size)
    zstd.ZSTD_decompress(text, ctypes.c_size_t(size), packed, ctypes.c_size_t(len(packed)))
    return text.raw.decode().splitlines()


@pytest.fixture(scope="session")
def records():
    """What the trace with a VM in it says."""
    return [json.loads(line) for line in unpack(VM)]


@pytest.fixture
def diverging(tmp_path):
    """A trace in which the machine read another owner than the model at trap 3."""
    lines = unpack(HOST)[:60]
    record = json.loads(lines[PLAIN])
    read = next(fx for fx in record["fx"] if fx["t"] == "s2_read")
    read["owner"] = 7
    record["fx"].append({"t": "panic", "g": record["g1"] - 1, "caller": 'a"<b>&</script>',
                         "vmid": 0, "vcpu": 0})
    lines[PLAIN] = json.dumps(record)
    path = tmp_path / "diverging.jsonl"
    path.write_text("".join(line + "\n" for line in lines))
    return path


def summary(fhsim, *traces):
    return json.loads(fhsim("replay", *traces, "--format", "json").stdout)


# --- JUnit --------------------------------------------------------------------------------------


def junit(done):
    suite = ElementTree.fromstring(done.stdout).find("testsuite")
    cases = collections.defaultdict(dict)
    for case in suite:
        cases[case.get("classname")][case.get("name")] = case
    assert int(suite.get("tests")) == len(suite)
    assert int(suite.get("failures")) == len(suite.findall("*/failure"))
    assert int(suite.get("errors")) == len(suite.findall("*/error"))
    return cases


def test_junit_has_a_case_for_each_kind_and_each_deviation(fhsim):
    done = fhsim("replay", VM, "--format", "junit")
    counts = summary(fhsim, VM)
    cases = junit(done)
    assert done.returncode == 0
    assert set(cases["replay.traps"]) == set(counts["kinds"])
    assert {name.split(":")[0] for name in cases["replay.deviations"]} == set(counts["deviations"])
    assert "replay.divergences" not in cases


def test_junit_fails_for_a_divergence_and_its_kind(fhsim, diverging):
    done = fhsim("replay", diverging, "--format=junit")
    cases = junit(done)
    assert done.returncode == 1
    failure = cases["replay.divergences"]["diverging#3"].find("failure")
    assert "owner: model 0, machine 7" in failure.text
    assert 'a"<b>&</script>' in failure.text
    assert cases["replay.traps"]["host_npt"].find("failure").get("message").startswith("1 of ")


def test_junit_counts_bad_input_as_an_error(fhsim, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(unpack(HOST)[:20])[:-30])
    done = fhsim("replay", path, "--format", "junit")
    assert done.returncode == 2
    assert junit(done)["replay.input"]["the traces can be read"].find("error") is not None


def test_an_unknown_format_is_refused(fhsim):
    done = fhsim("replay", HOST, "--format", "html")
    assert done.returncode == 2
    assert "no format 'html'" in done.stderr


# --- Perfetto -----------------------------------------------------------------------------------


def perfetto(fhsim, tmp_path, *traces):
    path = tmp_path / "trace.json"
    fhsim("replay", *traces, "--perfetto", path)
    events = json.loads(path.read_text())["traceEvents"]
    phases = collections.defaultdict(list)
    for event in events:
        phases[event["ph"]].append(event)
    return phases


def processes(phases):
    return {event["pid"]: event["args"]["name"] for event in phases["M"]
            if event["name"] == "process_name"}


def test_perfetto_has_a_slice_for_each_trap_in_its_place(fhsim, tmp_path, records):
    phases = perfetto(fhsim, tmp_path, VM)
    names = processes(phases)
    assert len(phases["X"]) == len(records)
    first = records[0]["g0"]
    by_seq = {int(event["args"]["trap"].split("#")[1]): event for event in phases["X"]}
    for record in records:
        event = by_seq[record["seq"]]
        vmid = record["in"]["vmid"]
        who = {"guest_exit": f"VM {vmid}", "el2_exception": "KCore"}.get(record["kind"], "host")
        assert names[event["pid"]].startswith(who + " (")
        assert event["ts"] == record["g0"] - first
        assert event["cat"] == record["kind"]
        if "g1" in record:
            assert event["dur"] == record["g1"] - record["g0"]


def test_perfetto_has_an_instant_for_each_deviation_of_a_trap(fhsim, tmp_path):
    phases = perfetto(fhsim, tmp_path, VM)
    met = summary(fhsim, VM)["deviations"]
    instants = collections.Counter(event["name"] for event in phases["i"])
    assert instants == {name: count["traps"] for name, count in met.items()}


def test_perfetto_marks_what_is_unexplained(fhsim, tmp_path, diverging):
    phases = perfetto(fhsim, tmp_path, diverging)
    (instant,) = [event for event in phases["i"] if event["name"] == "unexplained"]
    assert instant["args"]["seq"] == PLAIN
    assert instant["cat"] == "divergence"


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


def owner_name(owner):
    return {0: "host", 65: "KCore"}.get(owner, f"VM {owner}")


def test_perfetto_counts_the_pages_of_each_owner(fhsim, tmp_path, records):
    phases = perfetto(fhsim, tmp_path, VM)
    names = processes(phases)
    last = {}
    for event in phases["C"]:
        last[names[event["pid"]].split(" (")[0]] = event["args"]["owned"]
    expected = {owner_name(owner): count for owner, count in owners_of(records).items()}
    assert {name: count for name, count in last.items() if count} == expected
    assert last["VM 1"] >= 0


def test_perfetto_puts_traces_one_after_another(fhsim, tmp_path):
    phases = perfetto(fhsim, tmp_path, HOST, VM)
    first = [event for event in phases["X"] if event["args"]["trap"].startswith("01_host")]
    second = [event for event in phases["X"] if event["args"]["trap"].startswith("02_vm1")]
    assert max(event["ts"] + event["dur"] for event in first) < min(e["ts"] for e in second)
    assert not {event["pid"] for event in first} & {event["pid"] for event in second}


# --- The page -----------------------------------------------------------------------------------


def page(fhsim, tmp_path, *traces):
    path = tmp_path / "page.html"
    fhsim("replay", *traces, "--html", path)
    return path


def embedded(path):
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>',
                      path.read_text(), re.S)
    return json.loads(found.group(1))


def numbers(text):
    value = shift = 0
    for byte in base64.b64decode(text):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def signed(value):
    return -(value + 1) // 2 if value & 1 else value // 2


def test_page_embeds_the_counts_of_the_summary(fhsim, tmp_path):
    data = embedded(page(fhsim, tmp_path, VM))
    counts = summary(fhsim, VM)
    keys = ["matched", "explained", "diverged", "not_replayed"]
    for row in data["rows"]:
        expected = counts["kinds"].get(row["name"], {})
        assert row["counts"] == [expected.get(key, 0) for key in keys]
    met = {entry["id"]: entry["traps"] for entry in data["catalogue"] if entry["traps"]}
    assert met == {name: count["traps"] for name, count in counts["deviations"].items()}


def test_page_embeds_each_trap(fhsim, tmp_path, records):
    data = embedded(page(fhsim, tmp_path, VM))
    (trace,) = data["traces"]
    assert trace["count"] == len(records)
    stream = numbers(trace["traps"])
    seq = g0 = 0
    for record in records:
        seq += signed(next(stream))
        g0 += signed(next(stream))
        next(stream)
        assert (seq, g0, next(stream)) == (record["seq"], record["g0"], record["cpu"])
        outcome, row = divmod(next(stream), len(data["rows"]))
        if seq > 0:
            assert data["rows"][row]["name"] == record["kind"]
        next(stream)
        if data["outcomes"][outcome] in ("explained", "diverged"):
            for _ in range(next(stream)):
                next(stream)
    assert next(stream, None) is None


def test_page_embeds_the_changes_of_ownership(fhsim, tmp_path, records):
    (trace,) = embedded(page(fhsim, tmp_path, VM))["traces"]
    runs = list(numbers(trace["runs"]))
    owners = [owner for length, owner in zip(runs[::2], runs[1::2]) for _ in range(length)]
    changes = list(numbers(trace["changes"]))
    at = 0
    for step, owner in zip(changes[1::3], changes[2::3]):
        at += signed(step)
        owners[at] = owner
    counts = collections.Counter(owners)
    del counts[NOBODY]
    assert counts == owners_of(records)


def test_page_is_one_file_without_network(fhsim, tmp_path, diverging):
    text = page(fhsim, tmp_path, diverging).read_text()
    assert "http:" not in text and "https:" not in text
    assert text.count("</script>") == 2


def test_page_holds_the_record_of_a_divergence(fhsim, tmp_path, diverging):
    (trace,) = embedded(page(fhsim, tmp_path, diverging))["traces"]
    (record,) = [entry["record"] for entry in trace["records"] if entry["i"] == PLAIN]
    assert record["trap"] == "diverging#3"
    assert any(one["explanation"] == "unexplained" and one.get("field") == "owner"
               for one in record["differences"])


def test_a_page_that_cannot_be_written_is_bad_input(fhsim, tmp_path):
    done = fhsim("replay", HOST, "--html", tmp_path / "missing" / "page.html")
    assert done.returncode == 2
    assert "No such file or directory" in done.stderr


def test_a_full_disk_is_noticed(fhsim):
    done = fhsim("replay", HOST, "--html", "/dev/full")
    assert done.returncode == 2
    assert "No space left on device" in done.stderr


def test_no_report_is_written_if_one_of_them_cannot_be(fhsim, tmp_path):
    done = fhsim("replay", HOST, "--perfetto", tmp_path / "trace.json", "--html", tmp_path)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_the_reports_is_left_behind(fhsim, tmp_path):
    (tmp_path / "page.html").write_text("old")
    fhsim("replay", VM, "--html", tmp_path / "page.html", "--perfetto", tmp_path / "trace.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "trace.json"]
    assert "old" != (tmp_path / "page.html").read_text()


# --- The page in a browser ----------------------------------------------------------------------

browser = pytest.mark.skipif(not BROWSER, reason="no chromium here")

PROBE = """
<script>
function press(x, y) {
    const canvas = document.getElementById("timeline"), box = canvas.getBoundingClientRect();
    const at = {clientX: box.left + x, clientY: box.top + y, bubbles: true};
    canvas.dispatchEvent(new PointerEvent("pointerdown", at));
    canvas.dispatchEvent(new PointerEvent("pointerup", at));
    canvas.dispatchEvent(new MouseEvent("click", at));
}
const results = {};
%s
document.documentElement.dataset.results = JSON.stringify(results);
</script>
"""


def browse(path, tmp_path, probe):
    """Opens the page, runs `probe` in it, and returns its results; no message may come up."""
    probed = tmp_path / "probed.html"
    probed.write_text(path.read_text() + PROBE % probe)
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
         "--window-size=1200,900", "--dump-dom", probed.as_uri()],
        capture_output=True, text=True, timeout=120)
    assert ":CONSOLE:" not in done.stderr
    results = ElementTree.fromstring(
        "<html " + re.search(r'data-results="[^"]*"', done.stdout).group() + "/>")
    return json.loads(results.get("data-results"))


@browser
def test_browser_shows_the_right_counts(fhsim, tmp_path):
    counts = summary(fhsim, VM)
    results = browse(page(fhsim, tmp_path, VM), tmp_path, """
        for (const row of document.querySelectorAll("#summary tr[data-row]"))
            results[row.dataset.row] = [...row.children].slice(1).map(c => Number(c.textContent));
        results.met = [...document.querySelectorAll("#catalogue tr.met")].map(
            row => [row.children[0].textContent, Number(row.children[3].textContent)]);
    """)
    keys = ["traps", "matched", "explained", "diverged", "not_replayed"]
    met = dict(results.pop("met"))
    assert met == {name: count["traps"] for name, count in counts["deviations"].items()}
    assert results.pop("all") == [counts[key] for key in keys]
    assert results == {kind: [of[key] for key in keys] for kind, of in counts["kinds"].items()}


@browser
def test_browser_opens_the_divergence_that_was_clicked(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        const {x, y} = locate(view.traps.seq.indexOf(3));
        results.before = document.getElementById("record").dataset.trap;
        press(x, y);
        results.trap = document.getElementById("record").dataset.trap;
        results.text = document.getElementById("record").textContent;
    """)
    assert results["before"] == ""
    assert results["trap"] == "diverging#3"
    assert "unexplained" in results["text"]
    assert 'a"<b>&</script>' in results["text"]


@browser
def test_browser_scrubs_the_owners_to_and_fro(fhsim, tmp_path, records):
    half = len(records) // 2
    results = browse(page(fhsim, tmp_path, VM), tmp_path, f"""
        const count = () => {{
            const counts = {{}};
            view.owners.forEach(owner => counts[owner] = (counts[owner] || 0) + 1);
            return counts;
        }};
        scrubTo({len(records) - 1});
        results.end = count();
        scrubTo({half});
        results.half = count();
    """)
    for name, upto in ("end", len(records)), ("half", half + 1):
        counts = {int(owner): count for owner, count in results[name].items()}
        counts.pop(NOBODY, None)
        assert counts == owners_of(records[:upto])
