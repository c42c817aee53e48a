# SPDX-License-Identifier: GPL-2.0-only
"""The reports of fhsim replay: text, JSON, JUnit, Perfetto, and what the page holds."""

import base64
import collections
import json
import os
import pty
import re
import subprocess
import threading
import xml.etree.ElementTree as ElementTree

import pytest

# The fixtures are used by their names.
from recordings import (  # noqa: F401
    DOMAINS, HOST, KCORE, KCORE_PFN, NOBODY, PLAIN, READ, REGISTERS, SOURCE, TRACES, VM, VM_PFN,
    denying, diverging, embedded, given, owners_of, page, records, refused, summary, lines_of)

DENIED, BROKEN, FAULT = 128, 256, 512


# --- Text ---------------------------------------------------------------------------------------


def text(fhsim, *arguments, **options):
    return fhsim("replay", *arguments, **options).stdout


def rows(printed):
    """The tables of the text: the first word of each line with its numbers."""
    found = {}
    for line in printed.split("\n\n\n")[0].splitlines():
        match = re.match(r"(\w+)((?: +\d+){5})(?:  (.*))?$", line)
        if match:
            found[match[1]] = ([int(word) for word in match[2].split()], match[3] or "")
    return found


def counts_of(entry):
    return [entry[key] for key in ("traps", "matched", "explained", "diverged", "not_replayed")]


def test_text_has_a_line_for_each_of_several_traces(fhsim):
    expected = summary(fhsim, VM, REGISTERS)
    found = rows(text(fhsim, VM, REGISTERS))
    for file in expected["files"]:
        assert found[file["file"]][0] == counts_of(file)
    assert found["all"][0] == counts_of(expected)
    assert found["host_npt"][0] == counts_of(expected["kinds"]["host_npt"])
    assert "breaks smmu_iso" in found["08_smmu_host_mmio_hvc_excerpt"][1]
    assert "02_vm1_one_vcpu_excerpt" not in rows(text(fhsim, VM))


def test_text_says_of_a_trace_what_is_special_about_it(fhsim, denying, tmp_path):
    cut = tmp_path / "cut.jsonl"
    cut.write_text("\n".join(lines_of(HOST)[:20])[:-30])
    crash = tmp_path / "crash.jsonl"
    last = {**json.loads(lines_of(HOST)[PLAIN]), "to": "el2_panic"}
    crash.write_text("\n".join([*lines_of(HOST)[:PLAIN], json.dumps(last)]) + "\n")
    found = rows(text(fhsim, cut, denying[0], HOST, crash))
    assert found["crash"][1] == "EL2 stopped in a trap"
    assert found["cut"][1] == "bad input: only its beginning"
    assert found["denying"][1] == "3 accesses denied"
    assert found["01_host_only_excerpt"][1] == ""


def test_text_counts_denied_accesses_by_owner_and_attempt(fhsim, denying):
    path, seq = denying
    lines = text(fhsim, path).splitlines()
    at = lines.index("3 accesses of the host denied")
    assert lines[at + 1:at + 3] == [
        f"  to pages of VM 3: 2 (2 writes; 1 attempt), from denying#{seq} to denying#{seq + 1}",
        f"  to pages of KCore: 1 (1 fetch; 1 attempt), from denying#{seq + 2} to "
        f"denying#{seq + 2}"]
    assert "denied" not in text(fhsim, HOST)


def test_text_puts_what_breaks_beside_the_quoted_consequence(fhsim):
    # A26: a device may be given memory that has no owner. Its pages are then none of the VM's.
    printed = text(fhsim, DOMAINS)
    entry = re.search(r"^A26, .*?(?=\n\n)", printed, re.M | re.S).group()
    traps = summary(fhsim, DOMAINS)["deviations"]["A26"]["violations"]["smmu_iso"]["traps"]
    assert f"computed: {traps} of these traps break smmu_iso, the first " in entry
    assert "#1774\n" in entry and "pfn = 0x9000" in entry and "s2_owner = 0xffffffff (INVALID)" in entry
    entry = re.search(r"^A55, .*?(?=\n\n)", text(fhsim, *[VM]) + "\n\n", re.M | re.S)
    assert entry is None


def test_an_invariant_that_never_held_is_reported_once(fhsim):
    printed = text(fhsim, DOMAINS, VM)
    (line,) = [line for line in printed.splitlines() if "host_s2_map" in line]
    assert line.startswith("host_s2_map does not hold from the boot on in 2 traces, and is left ")
    assert line.endswith("pfn = 0x40000, s2_owner = 0 (HOSTVISOR), s2_count = 0, s2_gfn = 0")
    assert "invariant" not in text(fhsim, DOMAINS, "--no-invariants")


def again(record, change):
    """The record once more, later, with its entries of SMMU tables changed."""
    copy, by = json.loads(json.dumps(record)), record["g1"] - record["g0"] + 1
    copy.update(seq=record["seq"] + 1, g0=record["g0"] + by, g1=record["g1"] + by)
    for fx in copy["fx"]:
        fx["g"] += by
        if fx["t"] == "smmu_pt_store":
            change(fx)
    return copy


def test_a_witness_is_not_counted_twice(fhsim, tmp_path):
    records = [json.loads(line) for line in lines_of(DOMAINS)]
    at = next(at for at, record in enumerate(records) if record["seq"] == 1774)
    cleared = again(records[at], lambda fx: fx.update(old=fx["new"], new="0x0"))
    back = again(cleared, lambda fx: fx.update(old="0x0", new=fx["old"]))
    path = tmp_path / "thrice.jsonl"
    path.write_text("".join(json.dumps(record) + "\n"
                            for record in [*records[:at + 1], cleared, back]))
    found = summary(fhsim, path, "--explained", "--show", 10000)
    assert found["violations"]["smmu_iso"]["traps"] == 1
    assert found["violations"]["smmu_iso"]["first"] == "thrice#1774"
    breaking = [one["trap"] for one in found["divergences"] if one["violations"]]
    assert breaking == ["thrice#1774"]


def test_a_host_mapping_of_a_vms_page_breaks_host_iso_in_that_trap(fhsim, tmp_path):
    lines = lines_of(HOST)[:30]
    records = [json.loads(line) for line in lines]
    records[0] = given(records[0], VM_PFN, 3)
    last, record = records[-1], json.loads(lines[PLAIN])
    denied = refused(lines[PLAIN], last["seq"] + 1, last["g1"] + 1, VM_PFN, 3, READ)
    begin, address = denied["g0"], hex(VM_PFN << 12)
    mapping = record["fx"][6:]
    mapping[0]["args"][1] = mapping[2]["ipa"] = address
    mapping[2].update(old="0x0", new=hex(1 << 56 | VM_PFN << 12 | 0xfff))
    denied["fx"] = [{**fx, "g": begin + step}
                    for step, fx in enumerate(denied["fx"][:6] + mapping, 1)]
    denied["g1"] = begin + len(denied["fx"]) + 1
    path = tmp_path / "mapped.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in [*records, denied]))
    found = summary(fhsim, path)
    (divergence,) = found["divergences"]
    (violation,) = divergence["violations"]
    assert violation["invariant"] == "host_iso"
    assert f"gfn = {VM_PFN:#x}" in violation["witness"] and "s2_owner = 3" in violation["witness"]
    assert found["unattributed_violations"].keys() == found["violations"].keys() == {"host_iso"}
    assert found["denied"] == []
    assert "  breaks host_iso: " in text(fhsim, path)


def test_what_breaks_is_counted_as_the_records_say(fhsim):
    found = summary(fhsim, DOMAINS, "--explained", "--show", 10000)
    witnesses = [(one["invariant"], one["witness"]) for divergence in found["divergences"]
                 for one in divergence["violations"]]
    assert len(witnesses) == len(set(witnesses)) > 10
    assert found["violations"]["smmu_iso"]["traps"] == len(witnesses)
    assert found["unattributed_violations"] == {}


def test_a_divergence_in_full_has_all_that_is_known_of_it(fhsim, diverging):
    record = re.search(r"^diverging#3 \(line 4\): host_npt on CPU 0, \d+ differences?, unexplained\n.*",
                       text(fhsim, diverging), re.M | re.S).group()
    assert "  s2_read pfn " in record
    assert "    owner: model 0, machine 7\n" in record
    assert "    state: shared.s2page." in record
    assert "    spec: PageManager.get_pfn_owner\n" in record
    assert "  beside the spec: " in record


def test_explained_traps_are_shown_if_asked_for(fhsim, denying):
    path, seq = denying
    assert "explained by" not in text(fhsim, path)
    shown = text(fhsim, path, "--explained", "--show", 1)
    assert f"\ndenying#{seq} (line " in shown
    assert "  explained by A1: a panic returns\n" in shown
    assert "  A1 amounts here to A55: a denied access to a VM's page is tried again\n" in shown
    assert "    spec: panic halts the machine" in shown
    assert f"  denied: write of page {VM_PFN:#x} (pages of VM 3) by the host" in shown


# --- On a terminal ------------------------------------------------------------------------------


def on_terminal(arguments, stream, **env):
    """What fhsim writes to a stream that is a terminal, and to the other one."""
    ours, theirs = pty.openpty()
    written = bytearray()

    def read():
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:
                return
            if not some:
                return
            written.extend(some)

    reader = threading.Thread(target=read)
    reader.start()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: theirs}
    done = subprocess.run([os.environ["FHSIM"], "replay", *map(str, arguments)], timeout=60,
                          env={**environment, "TERM": "xterm", **env}, **streams)
    os.close(theirs)
    reader.join(timeout=10)
    os.close(ours)
    other = done.stderr if stream == "stdout" else done.stdout
    return written.decode(), other.decode()


def test_text_is_coloured_on_a_terminal_only(fhsim, diverging):
    coloured, _ = on_terminal([diverging], "stdout")
    assert "\033[1;31m1 trap unexplained; 1 trap breaks" in coloured or \
        "\033[1;31m1 trap unexplained" in coloured
    plain, _ = on_terminal([diverging], "stdout", NO_COLOR="1")
    assert "\033" not in plain
    assert "\033" not in text(fhsim, diverging)
    without = re.sub(r"\033\[[0-9;]*m", "", coloured)
    timeless = re.compile(r"[\d.]+ s, \d+ traps per second")
    assert timeless.sub("", without) == timeless.sub("", plain)


def test_progress_is_shown_on_a_terminal_and_gone_at_the_end(diverging):
    shown, printed = on_terminal([VM, diverging, HOST], "stderr", LC_ALL="C.UTF-8")
    assert re.search(r"1/3  \d+ traps/s  02_vm1_one_vcpu_excerpt", shown)
    assert re.search(r"3/3  \d+ traps/s  01_host_only_excerpt", shown)
    assert shown.endswith("\r\033[K")
    assert "\n" not in shown
    assert "traps/s" not in printed and "\033" not in printed
    shares = [int(share) for share in re.findall(r"(\d+)%", shown)]
    assert shares == sorted(shares) and shares[-1] <= 100
    assert "\u2588" in shown


def test_progress_fits_the_terminal(diverging):
    shown, _ = on_terminal([VM, HOST], "stderr", LC_ALL="C")
    assert "\u2588" not in shown and "#" in shown
    for line in shown.split("\r\033[K"):
        assert len(line) < 80


def test_progress_makes_room_for_a_message(tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(lines_of(HOST)[:20])[:-30])
    shown, _ = on_terminal([path], "stderr")
    before, message = shown.split(str(path))
    assert before.endswith("\r\033[K")
    assert message.startswith(":20:")


# --- JSON ---------------------------------------------------------------------------------------


def documented_keys():
    """The keys that the page of documentation lists, by its headings; those there sometimes."""
    page = (SOURCE / "docs/replay-reports.md").read_text()
    always, sometimes = {}, {}
    for part in re.split(r"^### ", re.search(r"^## JSON\n(.*?)^## ", page, re.M | re.S)[1],
                         flags=re.M)[1:]:
        name = part.splitlines()[0]
        always[name], sometimes[name] = set(), set()
        for keys, meaning in re.findall(r"^\| (`.*?`) \| (.*) \|$", part, re.M):
            where = sometimes if meaning.startswith("sometimes: ") else always
            where[name] |= set(re.findall(r"`(\w+)`", keys))
    return always, sometimes


def objects(found):
    """The objects in a summary, by the headings of the documentation."""
    yield "The object", found
    for kind, members in {
            "Counts": found["kinds"].values(), "A trace": found["files"],
            "A deviation": found["deviations"].values(), "Denied accesses": found["denied"],
            "A group": found["groups"],
            "A signature": [group["signature"] for group in found["groups"]],
            "What comes near": [near for group in found["groups"] for near in group["nearest"]],
            "A divergence": found["divergences"]}.items():
        for one in members:
            yield kind, one
    lists = [found["boot_violations"], found["violations"], found["unattributed_violations"],
             *(one["violations"] for one in found["deviations"].values())]
    for violations in lists:
        for one in violations.values():
            yield "A violation", one
    for divergence in found["divergences"]:
        yield "Inputs", divergence["inputs"]
        if "denied" in divergence:
            yield "A denied access", divergence["denied"]
        for one in divergence["violations"]:
            yield "A broken invariant", one
        for one in divergence["differences"]:
            yield "A difference", one


@pytest.fixture
def touched(tmp_path):
    """A trace in which the machine reads another owner of a page that a trap before changed."""
    records, changed = [json.loads(line) for line in lines_of(DOMAINS)], set()
    for at, record in enumerate(records[1:], 1):
        reads = [fx for fx in record["fx"] if fx["t"] == "s2_read" and fx["index"] in changed]
        if record["kind"] == "host_hvc" and reads:
            break
        changed |= {fx["index"] for fx in record["fx"] if fx["t"] == "s2_set"}
    reads[0]["owner"] += 1
    path = tmp_path / "touched.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records[:at + 1]))
    return path


def test_the_documented_keys_are_those_that_are_there(fhsim, denying, touched):
    always, sometimes = documented_keys()
    seen = collections.defaultdict(set)
    for arguments in ([denying[0], touched, REGISTERS, DOMAINS, "--explained", "--show", 10000],
                      [DOMAINS, REGISTERS, "--without", "A12,A18,A24,A26,A32", "--show", 10000]):
        for name, found in objects(summary(fhsim, *arguments)):
            assert always[name] <= set(found) <= always[name] | sometimes[name], name
            seen[name] |= set(found)
    seen["A group"] |= {"stuck", "follows"}  # test_replay_triage.py has one that follows
    seen["Inputs"] |= {"vmid", "vcpuid"}  # test_replay_words.py has an exit of a VM
    seen["A divergence"].add("stuck")  # of a model that has no answer: none of these traces
    assert seen == {name: always[name] | sometimes[name] for name in always}


def test_json_counts_each_trace_by_itself(fhsim):
    both = summary(fhsim, VM, REGISTERS)
    for file, path in zip(both["files"], (VM, REGISTERS)):
        alone = summary(fhsim, path)
        assert counts_of(file) == counts_of(alone)
        assert set(file["broken"]) == set(alone["violations"])
        assert file["denied"] == sum(one["accesses"] for one in alone["denied"])
    assert counts_of(both) == [sum(column) for column in zip(*map(counts_of, both["files"]))]


def test_json_counts_denied_accesses(fhsim, denying):
    path, seq = denying
    of_vm, of_kcore = summary(fhsim, path)["denied"]
    assert of_vm == {"principal": "host", "to": "pages of VM 3", "accesses": 2, "attempts": 1,
                     "read": 0, "write": 2, "fetch": 0, "first": f"denying#{seq}",
                     "last": f"denying#{seq + 1}"}
    assert (of_kcore["to"], of_kcore["fetch"]) == ("pages of KCore", 1)


def test_json_counts_denied_accesses_to_registers(fhsim):
    # Panics of the register emulation, as recorded; none of them comes with an access.
    refused_writes = 0
    for line in lines_of(REGISTERS):
        record = json.loads(line)
        kinds = {fx["t"] for fx in record["fx"]}
        if record["kind"] == "host_npt" and "panic" in kinds and "mmio" not in kinds:
            refused_writes += int(record["in"]["esr"], 16) >> 6 & 1
    (denied,) = summary(fhsim, REGISTERS)["denied"]
    assert denied["to"] == "registers of an SMMU"
    assert denied["write"] == refused_writes > 0


@pytest.mark.parametrize("name", ["03_vm2_two_vcpus_smp1", "04_vm2_two_vcpus_smp2",
                                  "05_attack_host_reads_vm"])
def test_denied_accesses_of_a_whole_recording_are_counted(fhsim, name):
    path = TRACES / f"{name}.jsonl.zst"
    if not path.exists():
        pytest.skip("FH_TRACES is not set")
    faults = json.loads((TRACES / "INDEX.json").read_text())[name]["by_subkind"]
    found = summary(fhsim, path)
    assert sum(one["accesses"] for one in found["denied"]) == faults["host_npt:panic"]
    assert found["files"][0]["denied"] == found["deviations"]["A55"]["traps"]


def test_a_page_that_the_host_may_map_is_not_denied(fhsim, tmp_path):
    assert summary(fhsim, HOST)["denied"] == []
    lines = lines_of(HOST)[:20]
    last = json.loads(lines[-1])
    own = refused(lines[PLAIN], last["seq"] + 1, last["g1"] + 1, VM_PFN, 0, READ)
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join([*lines, json.dumps(own)]) + "\n")
    found = summary(fhsim, path)
    assert (found["diverged"], found["denied"]) == (1, [])


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


def test_junit_says_what_breaks(fhsim):
    cases = junit(fhsim("replay", DOMAINS, "--format=junit", "--explained"))
    (name,) = [name for name in cases["replay.deviations"] if name.startswith("A26:")]
    said = cases["replay.deviations"][name].find("system-out").text
    assert "consequence: none\ncomputed: " in said and "smmu_iso, the first" in said
    broken = cases["replay.divergences"]["09_smmu_vm_domains_excerpt#1774"]
    assert broken.find("failure") is None
    assert "  breaks smmu_iso: " in broken.find("system-out").text


def test_junit_counts_bad_input_as_an_error(fhsim, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(lines_of(HOST)[:20])[:-30])
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
        is_inside = event.get("cat") in ("lock", "function")
        phases["inside" if is_inside else event["ph"]].append(event)
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


def test_perfetto_keeps_to_the_trace_event_format(fhsim, tmp_path):
    path = tmp_path / "trace.json"
    fhsim("replay", VM, DOMAINS, REGISTERS, "--perfetto", path)
    document = json.loads(path.read_text())
    assert set(document) == {"traceEvents", "displayTimeUnit"}
    assert document["displayTimeUnit"] in ("ms", "ns")
    keys = {"M": {"ph", "pid", "name", "args"},
            "X": {"ph", "pid", "tid", "ts", "dur", "name", "cat", "args"},
            "C": {"ph", "pid", "ts", "name", "args"},
            "s": {"ph", "id", "pid", "tid", "ts", "name", "cat"},
            "f": {"ph", "bp", "id", "pid", "tid", "ts", "name", "cat"},
            "i": {"ph", "pid", "tid", "ts", "s", "name", "cat", "args"}}
    named = {"process_name": set(), "process_sort_index": set(), "thread_name": set()}
    for event in document["traceEvents"]:
        assert set(event) - {"tid"} == keys[event["ph"]] - {"tid"}
        assert all(type(event[key]) is int and event[key] >= 0
                   for key in ("pid", "tid", "ts", "dur") if key in event)
        assert event["pid"] > 0 and isinstance(event.get("args", {}), dict)
        if event["ph"] == "M":
            thread = event["name"] == "thread_name"
            assert ("tid" in event) == thread
            assert set(event["args"]) == {
                "sort_index" if event["name"] == "process_sort_index" else "name"}
            named[event["name"]].add((event["pid"], event["tid"]) if thread else event["pid"])
        elif event["ph"] == "C":
            assert event["pid"] in named["process_name"]
            assert event["args"].keys() == {"owned"} and event["args"]["owned"] >= 0
        else:
            assert (event["pid"], event["tid"]) in named["thread_name"]
            assert event["pid"] in named["process_name"]
        if event["ph"] == "i":
            assert event["s"] == "t"
    assert named["process_name"] == named["process_sort_index"]


def check_times(phases):
    """Slices of a thread follow one another, instants are inside of one, counters go on."""
    threads, counters = collections.defaultdict(list), collections.defaultdict(list)
    for event in phases["X"]:
        threads[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for slices in threads.values():
        assert all(before[1] < after[0] for before, after in zip(slices, slices[1:]))
    starts = {key: {begin for begin, _ in slices} for key, slices in threads.items()}
    for event in phases["i"]:
        assert event["ts"] in starts[event["pid"], event["tid"]]
    for event in phases["C"]:
        counters[event["pid"], event["name"]].append(event["ts"])
    for times in counters.values():
        assert times == sorted(set(times))


def events_of(record, kind):
    return [effect for effect in record.get("fx", ()) if effect["t"] == kind]


def test_perfetto_has_the_inputs_of_a_trap_as_arguments(fhsim, tmp_path, records):
    by_seq = {int(event["args"]["trap"].split("#")[1]): event["args"]["inputs"]
              for event in perfetto(fhsim, tmp_path, VM)["X"]}
    for record in records:
        if record["kind"] == "host_npt":
            hpfar, far = (int(record["in"][name], 16) for name in ("hpfar", "far"))
            ipa = (hpfar >> 4 << 12) | far & 0xfff
            assert int(by_seq[record["seq"]]["ipa"], 16) == ipa
        elif record.get("hvc", {}).get("name") == "HVC_VCPU_RUN":
            assert by_seq[record["seq"]]["arguments"]["vmid"] == record["hvc"]["args"][0]


def test_perfetto_has_each_lock_from_taking_to_giving_back(fhsim, tmp_path, records):
    held = collections.Counter()
    for event in perfetto(fhsim, tmp_path, VM)["inside"]:
        if event["cat"] == "lock":
            held[event["name"]] += event["dur"]
    expected = collections.Counter()
    for record in records:
        for effect in record.get("fx", ()):
            name = f"lock {effect.get('lock')}" + (f" {effect['vmid']}" if effect.get("vmid") else "")
            if effect["t"] in ("lock", "unlock"):
                expected[name] += effect["g"] * (1 if effect["t"] == "unlock" else -1)
    assert held == expected


def test_perfetto_nests_locks_and_functions_in_their_traps(fhsim, tmp_path, records):
    phases = perfetto(fhsim, tmp_path, VM, DOMAINS)
    threads = collections.defaultdict(list)
    for event in phases["X"] + phases["inside"]:
        threads[event["tid"]].append((event["ts"], -event["dur"], event["cat"]))
    for slices in threads.values():
        open_ends = []
        for begin, duration, category in sorted(slices):
            end = begin - duration
            while open_ends and open_ends[-1] <= begin and (duration or open_ends[-1] < begin):
                open_ends.pop()
            assert category not in ("lock", "function") or open_ends
            assert not open_ends or end <= open_ends[-1]
            open_ends.append(end)
    calls = sum(len(events_of(record, "fn")) for record in records)
    own = {event["pid"] for event in phases["X"] if event["args"]["trap"].startswith("02_vm1")}
    begun = [event for event in phases["inside"] if event["cat"] == "function"
             and event["pid"] in own and "continued" not in event["args"]]
    assert len(begun) == calls


def test_perfetto_has_an_arrow_from_a_write_to_the_trap_that_reads_it(fhsim, tmp_path, records):
    phases = perfetto(fhsim, tmp_path, VM)
    begins = {event["id"]: event for event in phases["s"]}
    ends = {event["id"]: event for event in phases["f"]}
    assert begins.keys() == ends.keys() and len(begins) == len(phases["s"]) == len(phases["f"])
    first = records[0]["g0"]
    spans = [(record["g0"] - first, record["g1"] - first, record["seq"])
             for record in records if "g1" in record]

    def trap_at(event):
        (seq,) = [seq for begin, end, seq in spans if begin <= event["ts"] <= end]
        return seq

    arrows = {(trap_at(begins[number]), trap_at(ends[number])) for number in begins}
    assert len(arrows) == len(begins) and all(writer < reader for writer, reader in arrows)
    wrote, expected = {}, set()
    for record in records:
        for effect in record.get("fx", ()):
            index = effect.get("index")
            if effect["t"] == "s2_read" and wrote.get(index, record["seq"]) != record["seq"]:
                expected.add((wrote[index], record["seq"]))
            elif effect["t"] == "s2_set":
                wrote[index] = record["seq"]
    assert expected and expected <= arrows


def test_perfetto_slices_of_a_thread_do_not_overlap(fhsim, tmp_path):
    check_times(perfetto(fhsim, tmp_path, VM, DOMAINS, REGISTERS))


def test_perfetto_counts_in_the_order_of_time(fhsim, tmp_path, records):
    def gives(record):
        return any(fx["t"] == "s2_set" and fx["field"] == "owner" for fx in record["fx"])

    giving = [at for at, record in enumerate(records) if gives(record)]
    late = next(at for at in giving[1:] if at - 1 in giving or at - 2 in giving)
    early = giving[giving.index(late) - 1]
    copy = json.loads(json.dumps(records[:late + 1]))
    copy.append({**copy.pop(early), "cpu": 1})
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in copy))
    phases = perfetto(fhsim, tmp_path, path)
    check_times(phases)
    times = [event["ts"] for event in phases["C"]]
    assert times == sorted(times)
    ends = [record["g1"] - records[0]["g0"] for record in (records[early], records[late])]
    assert [time in times for time in ends] == [True, True]


@pytest.mark.parametrize("name", ["04_vm2_two_vcpus_smp2", "05_attack_host_reads_vm"])
def test_perfetto_of_a_whole_recording_keeps_order(fhsim, tmp_path, name):
    path = TRACES / f"{name}.jsonl.zst"
    if not path.exists():
        pytest.skip("FH_TRACES is not set")
    check_times(perfetto(fhsim, tmp_path, path))


def test_perfetto_marks_denied_accesses_and_broken_invariants(fhsim, tmp_path, denying):
    path, seq = denying
    phases = perfetto(fhsim, tmp_path, path, DOMAINS)
    denied = [event["args"] for event in phases["i"] if event["cat"] == "denied"]
    assert denied[0] == {"seq": seq, "access": "write", "to": "pages of VM 3",
                         "pfn": hex(VM_PFN)}
    assert len(denied) == 3
    broken = [event for event in phases["i"] if event["cat"] == "invariant"]
    assert {event["name"] for event in broken} == {"smmu_iso"}
    assert len(broken) == summary(fhsim, DOMAINS)["violations"]["smmu_iso"]["traps"]


def test_perfetto_marks_what_is_unexplained(fhsim, tmp_path, diverging):
    phases = perfetto(fhsim, tmp_path, diverging)
    (instant,) = [event for event in phases["i"] if event["name"] == "unexplained"]
    assert instant["args"]["seq"] == PLAIN
    assert instant["cat"] == "divergence"


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
    found = embedded(page(fhsim, tmp_path, VM, REGISTERS))["summary"]
    expected = summary(fhsim, VM, REGISTERS)
    for key in "seconds", "traps_per_second":
        found.pop(key)
        expected.pop(key)
    assert expected.pop("divergences") == []
    assert found == expected


def embedded_traps(data, trace):
    """What the page says of each trap."""
    stream = numbers(trace["traps"])
    seq = g0 = pfn = page = 0
    for _ in range(trace["count"]):
        seq += signed(next(stream))
        g0 += signed(next(stream))
        trap = {"seq": seq, "g0": g0, "length": next(stream), "cpu": next(stream)}
        outcome, row = divmod(next(stream), len(data["rows"]))
        trap.update(outcome=data["outcomes"][outcome], kind=data["rows"][row])
        trap["title"] = data["titles"][next(stream)]
        who = next(stream)
        trap["principal"] = who % DENIED
        if trap["outcome"] in ("explained", "unexplained"):
            trap["why"] = [data["catalogue"][next(stream)]["id"] for _ in range(next(stream))]
        if who & DENIED:
            retry, how = divmod(next(stream), len(data["hows"]))
            owner = next(stream)
            pfn += signed(next(stream))
            trap["denied"] = (data["hows"][how], bool(retry), owner, pfn)
        if who & BROKEN:
            trap["broken"] = [data["table"][next(stream)]["name"] for _ in range(next(stream))]
        if who & FAULT:
            page += signed(next(stream))
            trap["page"] = page
        yield trap
    assert next(stream, None) is None


def test_page_embeds_each_trap(fhsim, tmp_path, records):
    data = embedded(page(fhsim, tmp_path, VM))
    (trace,) = data["traces"]
    traps = list(embedded_traps(data, trace))
    assert len(traps) == len(records)
    for trap, record in zip(traps, records):
        assert [trap[key] for key in ("seq", "g0", "cpu")] == [
            record[key] for key in ("seq", "g0", "cpu")]
        assert trap["kind"] == ("boot" if record["seq"] == 0 else record["kind"])
        who = {"guest_exit": record["in"]["vmid"], "el2_exception": KCORE}
        assert trap["principal"] == who.get(record["kind"], 0)
        name = record["hvc"]["name"] if "hvc" in record else record.get("ec")
        assert trap["title"] == (name or record["kind"])
        is_fault = record["kind"] == "host_npt" or name in ("DABT_LOW", "IABT_LOW")
        assert trap.get("page") == (int(record["in"]["hpfar"], 16) >> 4 if is_fault else None)


def test_page_embeds_denied_accesses(fhsim, tmp_path, denying):
    path, seq = denying
    data = embedded(page(fhsim, tmp_path, path))
    denied = {trap["seq"]: trap["denied"] for trap in embedded_traps(data, data["traces"][0])
              if "denied" in trap}
    assert denied == {seq: ("write", False, 3, VM_PFN), seq + 1: ("write", True, 3, VM_PFN),
                      seq + 2: ("fetch", False, KCORE, KCORE_PFN)}


def test_page_embeds_broken_invariants(fhsim, tmp_path):
    data = embedded(page(fhsim, tmp_path, DOMAINS))
    broken = {trap["seq"]: trap["broken"] for trap in embedded_traps(data, data["traces"][0])
              if "broken" in trap}
    assert broken[0] == ["host_s2_map"]
    expected = summary(fhsim, DOMAINS, "--explained", "--show", 10000)["divergences"]
    del broken[0]
    assert broken == {int(one["trap"].split("#")[1]): [v["invariant"] for v in one["violations"]]
                      for one in expected if one["violations"]}
    assert len(broken) > 10


def test_page_embeds_the_changes_of_ownership(fhsim, tmp_path, records):
    (trace,) = embedded(page(fhsim, tmp_path, VM))["traces"]
    runs = list(numbers(trace["runs"]))
    owners = [owner for length, owner in zip(runs[::2], runs[1::2]) for _ in range(length)]
    changes = list(numbers(trace["changes"]))
    at = time = 0
    times = []
    for step, owner, later in zip(changes[1::4], changes[2::4], changes[3::4]):
        at += signed(step)
        time += signed(later)
        owners[at] = owner
        times.append(time)
    assert set(times) <= {fx["g"] for record in records for fx in record["fx"]
                          if fx["t"] == "s2_set" and fx["field"] == "owner"}
    assert times == sorted(set(times))
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
