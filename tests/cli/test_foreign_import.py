# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of an unmodified KVM as traces: all of what they say, and nothing else."""

import collections
import json
import re
import resource

import pytest

from foreign import (CAPTURE, DATA, FHSIM, FTRACE, MONITOR, QEMU, QEMU_BOOT, QEMU_SMP, REPORT,
                     REPORT_RAW, SYMBOLS, SYMBOLS_BOOT, convert, event_of, fhsim, records_of,
                     to_el2)
from zstd_file import unpack

RECORDINGS = [("qemu-int", QEMU), ("qemu-int", QEMU_SMP), ("qemu-int", QEMU_BOOT),
              ("ftrace", FTRACE), ("trace-cmd", REPORT), ("trace-cmd", REPORT_RAW),
              ("capture", CAPTURE)]


@pytest.fixture(scope="module")
def ftrace():
    return convert("ftrace", FTRACE)


@pytest.fixture(scope="module")
def qemu():
    return convert("qemu-int", QEMU, "--symbols", SYMBOLS)


def write(tmp_path, text, name="recording"):
    path = tmp_path / name
    path.write_text(text)
    return path


def imported(tmp_path, form, text, *arguments):
    return convert(form, write(tmp_path, text), *arguments)


# --- Every format --------------------------------------------------------------------------------


@pytest.mark.parametrize("form,path", RECORDINGS, ids=lambda value: str(value).split("/")[-1])
def test_a_trace_in_either_form_is_checked_as_the_recording_itself_is(tmp_path, form, path):
    def summary(done):
        lines = done.stdout.splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith("check "))
        return done.returncode, lines[start:start + 40], re.findall(r"\d+ records: .*", done.stdout)

    direct = fhsim("replay", path, "--show", 0)
    assert direct.stderr == ""
    for name in ("t.jsonl", "t.cbor.zst"):
        trace = tmp_path / name
        assert fhsim("convert", "--from", form, path, "-o", trace).returncode == 0
        assert summary(fhsim("replay", trace, "--show", 0)) == summary(direct)


@pytest.mark.parametrize("form,path", RECORDINGS, ids=lambda value: str(value).split("/")[-1])
def test_jsonl_and_cbor_say_the_same(tmp_path, form, path):
    direct = fhsim("convert", "--from", form, path)
    assert fhsim("convert", "--from", form, path, "-o", tmp_path / "t.cbor").returncode == 0
    assert fhsim("convert", tmp_path / "t.cbor").stdout == direct.stdout


def test_a_trace_comes_through_a_pipe():
    text = fhsim("convert", "--from", "ftrace", FTRACE).stdout
    done = fhsim("replay", "-", input=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1048 records" in done.stdout


def test_records_are_numbered_in_the_order_in_which_they_began(ftrace):
    assert sorted(r["seq"] for r in ftrace) == list(range(1, len(ftrace) + 1))
    in_order = sorted(ftrace, key=lambda r: r["seq"])
    assert [r["g0"] for r in in_order] == sorted(r["g0"] for r in ftrace)


@pytest.mark.skipif("asan" in FHSIM, reason="sanitizers take memory of their own")
@pytest.mark.parametrize("form,path", [RECORDINGS[1], RECORDINGS[3], RECORDINGS[6]],
                         ids=lambda value: str(value).split("/")[-1])
def test_memory_does_not_grow_with_the_recording(tmp_path, form, path):
    """40 MB of it, where 16 MB are to be had."""
    megabyte = 1 << 20
    text = unpack(path)
    big = write(tmp_path, text * (40 * megabyte // len(text)))

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (16 * megabyte, 16 * megabyte))

    done = fhsim("convert", "--from", form, big, "-o", tmp_path / "t.cbor", preexec_fn=limit)
    assert (done.returncode, done.stderr) == (0, "")
    for file in (big, tmp_path / "t.cbor"):
        done = fhsim("replay", file, "--show", 1, preexec_fn=limit)
        assert done.returncode in (0, 1) and done.stderr == ""


def test_the_documented_observations_are_understood(tmp_path):
    text = (DATA.parents[2] / "docs/trace-format.md").read_text()
    effects = re.search(r"```json observation\n(.*?)\n```", text, re.S)[1].splitlines()
    table = (DATA.parents[2] / "include/faulthandler/trace_tables.h").read_text()
    kinds = re.search(r"define FH_TRACE_OBSERVATION_MAP\(X\)(.*)", table)[1]
    assert [json.loads(fx)["t"] for fx in effects] == re.findall(r"X\((\w+)\)", kinds)
    origin = '{"seq":0,"kind":"origin","format":"ftrace"}\n'
    record = '{"seq":1,"kind":"unknown","g0":1,"fx":[' + ",".join(effects) + '],"g1":1}\n'
    done = fhsim("replay", write(tmp_path, origin + record))
    assert done.returncode == 2 and "1 records" in done.stdout
    assert re.fullmatch(r"recording: nothing was checked: .*\n", done.stderr)


# --- QEMU's -d int -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [QEMU, QEMU_SMP, QEMU_BOOT], ids=lambda path: path.name)
def test_each_exception_to_el2_is_a_record(path):
    records = [r for r in convert("qemu-int", path) if "vector" in r]
    text = unpack(path)
    assert len(records) == text.count("...to EL2 PC")
    pcs = re.findall(r"\.\.\.with ELR (0x[0-9a-f]+)\n\.\.\.to EL2", text)
    assert sorted(r["in"]["elr"] for r in records) == sorted(pcs)


def test_the_run_with_one_vcpu_has_1526_entries_and_all_their_ends(qemu):
    assert len(qemu) == 1526
    assert all(r["out"].keys() == {"elr"} for r in qemu)


def test_symbols_tell_host_and_guest(qemu):
    kinds = collections.Counter((r["kind"], r["vector"]) for r in qemu)
    assert kinds == {("host_hvc", "host_sync"): 1179, ("host_hvc", "stub_sync"): 4,
                     ("host_hvc", "init_sync"): 2, ("guest_exit", "guest_sync"): 340,
                     ("guest_exit", "guest_irq"): 1}


def test_without_symbols_only_the_slot_of_the_vector_is_known():
    records = convert("qemu-int", QEMU)
    assert collections.Counter((r["kind"], r["vector"]) for r in records) == {
        ("unknown", "lower64_sync"): 1525, ("unknown", "lower64_irq"): 1}


def test_symbols_that_fit_several_tables_tell_nothing(tmp_path):
    symbols = write(tmp_path, "ffff800008cf1800 T __kvm_nvhe___kvm_hyp_host_vector\n"
                    "ffff800009df1800 T __kvm_nvhe___kvm_hyp_vector\n", "symbols")
    vectors = {r["vector"] for r in convert("qemu-int", QEMU, "--symbols", symbols)}
    assert vectors == {"lower64_sync", "lower64_irq"}


def test_stage_2_faults_of_a_protected_host_are_found_by_kind_and_level():
    faults = [r for r in convert("qemu-int", QEMU_BOOT, "--symbols", SYMBOLS_BOOT)
              if r["kind"] == "host_npt"]
    syndromes = [int(r["in"]["esr"], 16) for r in faults]
    assert collections.Counter(esr >> 26 for esr in syndromes) == {0x24: 804, 0x20: 183}
    assert collections.Counter(esr & 3 for esr in syndromes) == {3: 947, 2: 36, 1: 3, 0: 1}
    assert sum(esr >> 7 & 1 for esr in syndromes) == 2


def test_what_the_log_does_not_say_is_unknown(qemu):
    keys = set().union(*(r["in"].keys() for r in qemu))
    assert keys == {"esr", "far", "elr"}
    assert not any("to" in r or "time" in r for r in qemu)
    assert all(("far" in r["in"]) == (int(r["in"].get("esr", "0"), 16) >> 26 in (0x20, 0x24))
               for r in qemu)


def test_an_interrupt_has_no_syndrome(qemu):
    interrupts = [r for r in qemu if r["vector"] == "guest_irq"]
    assert len(interrupts) == 1
    assert interrupts[0]["in"].keys() == {"elr"}
    assert interrupts[0]["exit_code"] == 0


ENTRY = ("Taking exception 11 [Hypervisor Call] on CPU {cpu}\n...from EL1 to EL2\n"
         "...with ESR 0x16/0x5a000000\n...with ELR 0x{elr:x}\n...to EL2 PC 0x8c00 PSTATE 0x3c9\n")
RETURN = "Exception return from AArch64 EL2 to AArch64 EL1 PC 0x{pc:x}\n"
SVC = ("Taking exception 2 [SVC] on CPU {cpu}\n...from EL0 to EL1\n...with ESR 0x15/0x56000000\n"
       "...with ELR 0x44a7cc\n...to EL1 PC 0xffff800008010c00 PSTATE 0x4003c5\n")


def ends(records):
    return {r["cpu"]: r.get("out", {}).get("elr") for r in records}


def test_of_two_cpus_inside_it_is_unknown_which_one_returns(tmp_path):
    text = (ENTRY.format(cpu=0, elr=0x10) + ENTRY.format(cpu=1, elr=0x20) + RETURN.format(pc=0x10) +
            RETURN.format(pc=0x20))
    records = imported(tmp_path, "qemu-int", text)
    assert ends(records) == {0: None, 1: None}
    assert [event_of(r, "returned")["args"] for r in records] == [["0x10", "0x20"]] * 2


def test_the_cpu_that_is_seen_below_el2_is_the_one_that_returned(tmp_path):
    text = (ENTRY.format(cpu=0, elr=0x10) + ENTRY.format(cpu=1, elr=0x20) + RETURN.format(pc=0x20) +
            SVC.format(cpu=1) + RETURN.format(pc=0x10))
    assert ends(imported(tmp_path, "qemu-int", text)) == {0: "0x10", 1: "0x20"}


def test_two_returns_to_one_address_need_no_decision(tmp_path):
    text = (ENTRY.format(cpu=0, elr=0x10) + ENTRY.format(cpu=1, elr=0x10) +
            2 * RETURN.format(pc=0x10))
    assert ends(imported(tmp_path, "qemu-int", text)) == {0: "0x10", 1: "0x10"}


def test_lines_of_two_cpus_in_one_another_are_a_gap(tmp_path):
    first, second = ENTRY.format(cpu=0, elr=0x10), ENTRY.format(cpu=1, elr=0x20)
    torn = "".join(a + b for a, b in zip(first.splitlines(True), second.splitlines(True)))
    text = ENTRY.format(cpu=0, elr=0) + RETURN.format(pc=0) + torn + ENTRY.format(cpu=0, elr=0x30)
    records = imported(tmp_path, "qemu-int", text)
    assert [r["in"]["elr"] for r in records if "in" in r] == ["0x0", "0x30"]
    assert [event_of(r, "gap")["text"] for r in records if event_of(r, "gap")] == [
        "lines of several CPUs in one another"]


def test_the_end_of_a_stay_that_is_not_recorded_is_a_record_of_its_own(tmp_path):
    records = imported(tmp_path, "qemu-int", RETURN.format(pc=0x10))
    record, = records
    assert (record["kind"], record["out"]["elr"], "cpu" in record) == ("unknown", "0x10", False)


# --- ftrace and trace-cmd ------------------------------------------------------------------------


def exits_of_the_monitor():
    pattern = r"^exit t=\S+ vcpu=(\d+) mmio (\w+) gpa=(\S+) len=(\d+) data=(\S+)$"
    for vcpu, direction, gpa, length, data in re.findall(pattern, unpack(MONITOR), re.M):
        mask = (1 << 8 * int(length)) - 1
        yield int(vcpu), (direction == "write", int(gpa, 16), int(length), int(data, 16) & mask)


def test_each_exit_that_the_monitor_saw_is_there_on_its_vcpu_in_order(ftrace):
    accesses = collections.defaultdict(list)
    for record in ftrace:
        if not event_of(record, "kvm_userspace_exit"):
            continue
        accesses[record["in"]["vcpuid"]] += [
            (bool(fx["write"]), int(fx["addr"], 16), fx["len"], int(fx["val"], 16))
            for fx in record["fx"] if fx["t"] == "mmio" and "val" in fx]
    wanted = collections.defaultdict(list)
    for vcpu, access in exits_of_the_monitor():
        wanted[vcpu].append(access)
    assert sum(map(len, wanted.values())) == 155
    assert accesses == wanted


def test_exits_and_entries_are_the_events(ftrace):
    text = unpack(FTRACE)
    kinds = collections.Counter((r["kind"], r["to"]) for r in ftrace)
    assert kinds == {("guest_exit", "host"): text.count(" kvm_exit: "),
                     ("unknown", "guest"): text.count(" kvm_entry: ")}


def test_a_fault_brings_syndrome_and_addresses(ftrace):
    text = unpack(FTRACE)
    faults = re.findall(r"kvm_guest_fault: ipa (\S+), hsr (\S+), hxfar (\S+), pc", text)
    found = [(r["in"]["hpfar"], r["in"]["esr"], r["in"]["far"])
             for r in sorted(ftrace, key=lambda r: r["seq"]) if event_of(r, "kvm_guest_fault")]
    assert sorted(found) == sorted((hex(int(ipa, 16) >> 8), hsr, hex(int(far, 16)))
                                   for ipa, hsr, far in faults)


def test_an_exit_without_its_fault_has_no_syndrome(ftrace):
    bare = [r for r in ftrace if r["kind"] == "guest_exit" and len(r["fx"]) == 1]
    assert bare and all(r["in"].keys() <= {"elr", "vcpuid"} for r in bare)


def test_the_report_and_its_raw_form_are_the_same_records():
    def bare(record):
        record.pop("ec", None)
        for fx in record.get("fx", []):
            if fx["t"] == "event":
                fx.pop("text", None)
        return record

    text = [bare(r) for r in convert("trace-cmd", REPORT)]
    raw = [bare(r) for r in convert("trace-cmd", REPORT_RAW)]
    assert len(text) > 800 and text == raw


EVENT = "  qemu system-7 (   6) [003] d..1.  12.5: {}\n"


def one_exit(*events):
    lines = ["kvm_exit: TRAP: HSR_EC: 0x0001 (WFx), PC: 0x0000000000001000", *events]
    return "".join(EVENT.format(line) for line in lines)


def test_a_line_is_taken_apart_whatever_the_task_is_called(tmp_path):
    record, = imported(tmp_path, "ftrace", one_exit())
    assert (record["task"], record["cpu"], record["time"]) == (7, 3, 12_500_000_000)


def test_a_clock_that_is_no_time_gives_none(tmp_path):
    record, = imported(tmp_path, "ftrace", one_exit().replace("12.5:", "9876:"))
    assert "time" not in record


def test_names_of_system_registers_may_be_anything(tmp_path):
    access = "kvm_sys_access: PC: 40001664 (((3) << 19) | ((12) << 8)) (3,3,9,12,0) read"
    record, = imported(tmp_path, "ftrace", one_exit(access))
    assert event_of(record, "kvm_sys_access")["args"] == [
        "0x40001664", "0x3", "0x3", "0x9", "0xc", "0x0", "0x0"]


def test_what_trace_cmd_could_not_print_is_read_or_unknown(tmp_path):
    text = ("cpus=2\n" + one_exit(
        "kvm_sys_access:   [FAILED TO PARSE] vcpu_pc=0x40 is_write=1 name=0xf Op0=3 Op1=0 CRn=1 "
        "CRm=4 Op2=2", "kvm_wfx_arm64:   guest executed wf>c< at: 0x0000000000000000"
    )).replace("d..1.  ", "").replace(
        "kvm_exit: ", 'kvm_exit:  CAN\'T FIND FIELD "x"<CANT FIND FIELD y>')
    record, = imported(tmp_path, "trace-cmd", text)
    assert event_of(record, "kvm_sys_access")["args"] == [
        "0x40", "0x3", "0x0", "0x1", "0x4", "0x2", "0x1"]
    assert event_of(record, "kvm_wfx_arm64")["args"] == []


def test_a_vcpu_is_known_once_the_thread_has_loaded_it(tmp_path):
    created = EVENT.format("kvm_get_timer_map: VCPU: 1, dv: 1, dp: -1, ep: 0")
    loaded = (EVENT.format("kvm_get_timer_map: VCPU: 0, dv: 1, dp: -1, ep: 0") +
              EVENT.format("kvm_timer_restore_state: CTL: 0x000000 CVAL: 0x0"))
    interrupt = created.replace("d..1.", "d.h1.") + EVENT.format("kvm_timer_restore_state: x")
    for text, vcpu in ((created, None), (loaded, 0), (loaded + interrupt, 0)):
        record, = imported(tmp_path, "ftrace", text + one_exit())
        assert record["in"].get("vcpuid") == vcpu


@pytest.mark.parametrize("line", ["CPU:1 [LOST 12 EVENTS]", "CPU:1 [LOST EVENTS]",
                                  "CPU:1 [12 EVENTS DROPPED]", "##### CPU 1 buffer started ####"])
def test_lost_events_are_a_gap_behind_what_was_pending(tmp_path, line):
    records = imported(tmp_path, "ftrace", one_exit() + line + "\n" + one_exit())
    assert [r["kind"] for r in records] == ["guest_exit", "unknown", "guest_exit"]
    gap = event_of(records[1], "gap")
    assert records[1]["cpu"] == 1 and gap["args"] == (["0xc"] if "12" in line else [])


# --- tools/capture -------------------------------------------------------------------------------


def test_a_capture_keeps_every_register():
    line = unpack(CAPTURE).splitlines()[5]
    values = dict(pair.split("=", 1) for pair in line.split() if pair.split("=", 1)[0] != "s2walk")
    record = convert("capture", CAPTURE)[4]
    kept = {fx["reg"]: fx["val"] for fx in record["fx"] if fx["t"] == "reg"}
    names = {"VBAR": "vbar_el1"}
    for name, value in values.items():
        if name in ("n", "t", "cpu", "vec"):
            continue
        if re.fullmatch(r"x\d+", name):
            found = record["in"]["x"][int(name[1:])]
        else:
            key = names.get(name, name.lower().removesuffix("_el2"))
            found = record["in"].get(key) or record["in"].get(name.lower()) or kept[name]
        assert found == value, name
    assert (record["cpu"], record["vector"], record["time"]) == (1, "guest_sync", 24646000)


def test_the_walk_is_kept_step_by_step():
    record = convert("capture", CAPTURE)[-1]
    assert [(fx["level"], fx["pa"], fx["desc"]) for fx in record["fx"] if fx["t"] == "walk"] == [
        (1, "0x46c32008", "0x4c0bb003"), (2, "0x4c0bb040", "0x4c0b7003"), (3, "0x4c0b7290", "0x0")]


def test_vectors_tell_the_kind(tmp_path):
    kinds = collections.Counter((r["vector"], r["kind"], r.get("exit_code"))
                                for r in convert("capture", CAPTURE))
    assert kinds == {("host_sync", "host_hvc", None): 356, ("guest_sync", "guest_exit", 2): 1608,
                     ("guest_irq", "guest_exit", 0): 41}
    for vector, kind in (("lower64_sync", "unknown"), ("host_cur_spx_sync", "el2_exception"),
                         ("stub_sync", "host_hvc"), ("guest_lower32_irq", "guest_exit")):
        record, = imported(tmp_path, "capture",
                           f"n=1 t=0.5 cpu=0 vec={vector} ESR_EL2=0x5a000000\n")
        assert (record["kind"], record["vector"]) == (kind, vector)


def test_inside_a_function_of_el2_x0_to_x30_are_not_the_host_s(tmp_path):
    record, = imported(tmp_path, "capture",
                       "n=1 t=0.5 cpu=0 vec=host_mem_abort ESR_EL2=0x93820007 x0=0x1 x30=0x2\n")
    assert record["kind"] == "host_npt" and "x" not in record["in"]
    assert {fx["reg"]: fx["val"] for fx in record["fx"]} == {"x0": "0x1", "x30": "0x2"}


def test_comments_watched_words_and_unknown_keys_are_read(tmp_path):
    record, = imported(tmp_path, "capture", "# one\n\nn=1 t=0.5 cpu=0 vec=guest_sync "
                       "watch=pgd+0x8=0x1f,pgd+0x10=0x0 note=abc s2walk=ipa_above_40_bits\n")
    assert [(fx["event"], fx["text"], fx["args"]) for fx in record["fx"]] == [
        ("watch", "pgd+0x8", ["0x1f"]), ("watch", "pgd+0x10", ["0x0"]), ("note", "abc", []),
        ("s2walk", "ipa_above_40_bits", [])]


LINE = "n={n} t=0.{n} cpu={cpu} vec={vec} ESR_EL2=0x5a000000 ELR_EL2=0x{elr:x} x0=0x{x0:x}\n"


def test_a_return_is_the_end_of_the_cpu_s_last_entry(tmp_path):
    text = ("# fh-capture 1\n# returns 2 in 0x0 0x1000\n" +
            LINE.format(n=1, cpu=0, vec="host_sync", elr=0x10, x0=1) +
            LINE.format(n=2, cpu=1, vec="host_sync", elr=0x20, x0=2) +
            LINE.format(n=3, cpu=0, vec="return", elr=0x14, x0=3) +
            LINE.format(n=4, cpu=0, vec="return", elr=0x18, x0=4))
    records = imported(tmp_path, "capture", text)
    assert [(r["seq"], r.get("cpu"), r["kind"]) for r in records] == [
        (1, 0, "host_hvc"), (3, 0, "unknown"), (2, 1, "host_hvc")]
    assert [r["out"]["elr"] for r in records[:2]] == ["0x14", "0x18"]
    assert records[0]["out"]["x"] == {"0": "0x3"} and records[0]["in"]["x"] == {"0": "0x1"}
    assert "out" not in records[2] and "in" not in records[1] or records[1]["in"] == {}


def test_the_version_of_a_capture_must_be_known(tmp_path):
    path = write(tmp_path, "# fh-capture 2\n")
    done = fhsim("convert", "--from", "capture", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:1:1: version 2 of the format")


def test_a_second_recording_in_the_file_begins_anew():
    gaps = [r["seq"] for r in convert("capture", CAPTURE) if event_of(r, "gap")]
    assert gaps == [401]


# --- Bad input -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def texts():
    return {"qemu-int": "".join(to_el2(unpack(QEMU))[:40]),
            "ftrace": "\n".join(unpack(FTRACE).splitlines()[:200]) + "\n",
            "trace-cmd": "\n".join(unpack(REPORT).splitlines()[:200]) + "\n",
            "capture": "\n".join(unpack(CAPTURE).splitlines()[:20]) + "\n"}


FORMS = ["qemu-int", "ftrace", "trace-cmd", "capture"]


def with_garbage(tmp_path, text):
    """The text with a line that is none in its middle, the same without it, and the line's number."""
    lines = text.splitlines(True)
    at = next(i for i in range(len(lines) // 2, len(lines)) if not lines[i].startswith("..."))
    bad = write(tmp_path, "".join(lines[:at]) + "?!\n" + "".join(lines[at:]), "bad")
    return bad, write(tmp_path, text, "good"), write(tmp_path, "".join(lines[:at]), "before"), at + 1


@pytest.mark.parametrize("form", FORMS)
def test_a_line_of_garbage_is_passed_over_and_told(tmp_path, texts, form):
    bad, good, _, at = with_garbage(tmp_path, texts[form])

    def records(path):
        return [{**r, "g0": 0, "g1": 0, "fx": [{**fx, "g": 0} for fx in r.get("fx", [])]}
                for r in records_of(fhsim("convert", "--from", form, path).stdout)]

    done = fhsim("convert", "--from", form, bad)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"{bad}:{at}:1: passed over: ?!",
        f"{bad}: 1 line passed over that is not of {form} (--strict ends at the first)"]
    assert records(bad) == records(good)


@pytest.mark.parametrize("form", FORMS)
def test_strict_ends_at_the_first_line_of_garbage(tmp_path, texts, form):
    bad, _, before, at = with_garbage(tmp_path, texts[form])
    done = fhsim("convert", "--from", form, bad, "--strict")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{bad}:{at}:1: ")
    assert done.stdout == fhsim("convert", "--from", form, before).stdout
    assert len(records_of(done.stdout)) > 3


def test_a_recording_comes_through_a_pipe(texts):
    done = fhsim("convert", "--from", "ftrace", "-", "--strict", input=texts["ftrace"] + "garbage\n")
    assert done.returncode == 2
    assert done.stderr.startswith("<stdin>:201:1: ")
    assert len(records_of(done.stdout)) > 3


@pytest.mark.parametrize("form", FORMS)
def test_a_recording_that_was_cut_off_is_read_up_to_there(tmp_path, texts, form):
    text = texts[form]
    bad = write(tmp_path, text[:-7])
    done = fhsim("convert", "--from", form, bad)
    assert done.returncode == 0 and "1 line passed over" in done.stderr
    records = records_of(done.stdout)
    assert len(records) > 3 and event_of(records[-1], "gap")
    done = fhsim("convert", "--from", form, bad, "--strict")
    assert done.returncode == 2
    assert re.match(rf"{re.escape(str(bad))}:\d+:\d+: ", done.stderr)


def test_a_last_line_without_its_end_is_taken_if_it_is_whole(tmp_path):
    line = "vcpu-7 [000] d..1. 1.5: kvm_entry: PC: 0x{}"
    head = "vcpu-7 [000] d..1. 1.4: kvm_exit: TRAP: HSR_EC: 0x0018 (SYS64), PC: 0x10\n"
    for pc, count in (("0000000040000000", 2), ("40000000", 1)):
        done = fhsim("convert", "--from", "ftrace", write(tmp_path, head + line.format(pc)))
        records = [r for r in records_of(done.stdout) if not event_of(r, "gap")]
        assert (done.returncode, len(records)) == (0, count)


def test_a_log_that_ends_inside_an_exception_is_cut_off(tmp_path, texts):
    text = ENTRY.format(cpu=0, elr=0) + RETURN.format(pc=0) + ENTRY.format(cpu=0, elr=0)
    records = imported(tmp_path, "qemu-int", text[:text.rindex("...with ELR")])
    assert event_of(records[-1], "gap")["text"] == "the recording ends inside an exception"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_the_wrong_format_is_said_in_the_first_line(tmp_path, texts, form, other):
    text = "".join(line for line in texts[other].splitlines(True) if not line.startswith("#"))
    if form == other or {form, other} == {"trace-cmd", "ftrace"}:
        return  # one importer reads both
    path = write(tmp_path, text)
    done = fhsim("convert", "--from", form, path)
    assert done.returncode == 2
    assert re.match(rf"{re.escape(str(path))}:1:\d+: ", done.stderr)


def test_a_trace_dat_that_is_none_is_bad_input(tmp_path):
    path = tmp_path / "trace.dat"
    path.write_bytes(b"\x17\x08Dtracing7\0\0\x08" + bytes(range(256)))
    for done in (fhsim("convert", "--from", "trace.dat", path), fhsim("replay", path)):
        assert done.returncode == 2
        assert f"{path}: no whole trace.dat" in done.stderr


@pytest.mark.parametrize("form", FORMS)
def test_a_binary_file_is_no_recording(tmp_path, form):
    path = tmp_path / "binary"
    path.write_bytes(b"\x7fELF\0\0\0")
    done = fhsim("convert", "--from", form, path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:1:") and "not text" in done.stderr


@pytest.mark.parametrize("line,column,what", [
    ("n=1 t=0.5 cpu=0 vec=a ESR_EL2=12", 31, "ESR_EL2: expected a word like 0x1f"),
    ("n=1 t=0.5 cpu=0 vec=a s2walk=L1@10", 35, "s2walk: expected steps"),
    ("n=1 t=0.5 cpu=0 vec=a x1=0x1 x1=0x2", 30, "x1 stands here twice"),
    ("n=1 t=1 cpu=0 vec=a", 7, "t: expected seconds"),
    ("n=1 t=0.5 cpu=0", 1, "`vec` is missing"),
    ("n=1 t=0.5 vec=a", 1, "`cpu` is missing"),
])
def test_a_bad_value_of_a_capture_has_its_column(tmp_path, line, column, what):
    path = write(tmp_path, line + "\n")
    done = fhsim("convert", "--from", "capture", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:1:{column}: {what}")


@pytest.mark.parametrize("text,what", [("0 T x\n", "none of KVM's exception vectors"),
                                       ("0000000000000000 T __kvm_hyp_vector\n", "KVM's exception"),
                                       ("nonsense\n", "expected a symbol")])
def test_symbols_must_have_a_vector(tmp_path, text, what):
    done = fhsim("convert", "--from", "qemu-int", QEMU, "--symbols", write(tmp_path, text))
    assert done.returncode == 2
    assert what in done.stderr
