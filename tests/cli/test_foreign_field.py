# SPDX-License-Identifier: GPL-2.0-only
"""Recordings as people post them: each kind is read, and the answer is the right one."""

import itertools
import json
import re
import subprocess

import pytest

from foreign import DATA, FTRACE, REPORT, REPORT_RAW, convert, event_of, failed_checks, fhsim, replay
from zstd_file import unpack

FIELD = DATA.parent / "field"
TRACE_DAT = DATA / "nvhe_tracecmd.dat.zst"


def field(name):
    path, = FIELD.glob(name + "*")
    return path


def write(tmp_path, text, name="recording"):
    path = tmp_path / name
    path.write_text(text)
    return path


def shown(path, *arguments):
    done, found = replay(path, *arguments)
    return done.returncode, found["format"], found["records"], failed_checks(found)


def loops(found):
    return [(loop["kind"], [pc["pc"] for pc in loop["pcs"]], loop.get("rounds"),
             loop["first_line"], loop["last_line"]) for loop in found["shows"]["loops"]]


# --- The files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name,form,records,strange", [
    ("01a", "ftrace", 6, 0), ("01b", "ftrace", 12, 0), ("02b", "ftrace", 7, 1),
    ("04", "ftrace", 2, 0), ("05a", "ftrace", 1, 0), ("05b", "ftrace", 3, 0),
    ("06", "ftrace", 4, 0), ("08a", "trace-cmd", 10, 0), ("08c", "trace-cmd", 10, 0),
    ("08d", "trace-cmd", 11, 0), ("16", "qemu-int", 2, 0), ("17", "qemu-int", 2, 2),
    ("20", "perf", 3, 0), ("24", "ftrace", 3, 0), ("27", "ftrace", 2, 0), ("40", "ftrace", 15, 0),
    ("43", "ftrace", 5, 0), ("44", "ftrace", 5, 0),
])
def test_it_is_recognised_read_and_right(name, form, records, strange):
    done, found = replay(field(name))
    assert (done.returncode, done.stderr) == (0, "")
    assert (found["format"], found["records"], failed_checks(found)) == (form, records, set())
    assert found["strange_lines"]["count"] == strange


def test_a_loop_of_three_pcs_is_named():
    _, found = replay(field("01b"))
    pcs = ["0x80528a6c", "0x80528a90", "0x80528a60"]
    assert loops(found) == [("a loop", pcs, 2, 1, 11)]
    assert {pc["class"] for pc in found["shows"]["loops"][0]["pcs"]} == {"guest_exit SYS64"}
    assert "a loop of 3 pcs, 2 rounds" in fhsim("replay", field("01b")).stdout


def test_a_wrapped_mail_is_the_recording_that_it_was():
    def facts(path):
        return [(r["kind"], r["time"], r["task"], r.get("in", {}).get("elr"), r.get("out"))
                for r in convert("ftrace", path)]

    assert facts(field("01a")) == facts(field("01b"))[:6]


def test_a_loop_on_one_instruction_is_named():
    _, found = replay(field("02b"))
    assert loops(found) == [("a loop", ["0x401ec4"], 3, 2, 6)]
    assert found["strange_lines"]["shown"][0]["text"] == "../.."


def test_without_columns_it_is_said_that_vcpus_are_not_known():
    records = convert("ftrace", field("04"))
    assert not any("cpu" in r or "task" in r for r in records)
    _, found = replay(field("04"))
    assert found["passed_over"]["events without task and CPU, of a vCPU that is not known"] == 2
    assert records[1]["in"]["esr"] == "0x93800006"


@pytest.mark.parametrize("name,line", [("05a", 1), ("05b", 4)])
def test_a_store_without_syndrome_is_named(name, line):
    _, found = replay(field(name))
    abort, = found["shows"]["aborts_without_syndrome"]["shown"]
    assert abort == {"line": line, "esr": "0x92000045", "write": True, "pc": "0x40085978",
                     "ipa": "0x8000420", "to_user_space": True}
    text = fhsim("replay", field(name)).stdout
    assert "ISV=0: this access cannot be emulated from the syndrome" in text
    assert "KVM_EXIT_ARM_NISV" in text


def test_names_of_tasks_may_have_blanks():
    assert {r["task"] for r in convert("ftrace", field("06"))} == {12397, 1287}


def test_two_files_of_one_report_are_two_machines(tmp_path):
    text = field("08d").read_text()
    both = text + re.sub(r"(?m)^protected_tracecmd.dat:", "     nvhe_tracecmd.dat:", text)
    _, found = replay(write(tmp_path, both))
    assert failed_checks(found) == set()
    assert {v["name"].split(":")[0] for v in found["shows"]["vcpus"]} == {
        "protected_tracecmd.dat", "nvhe_tracecmd.dat"}
    mixed = write(tmp_path, re.sub(r"(?m)^ *\w+.dat:", "", both), "mixed")
    assert "task_sequence" in failed_checks(replay(mixed)[1]) | {
        check for check, count in replay(mixed)[1]["checks"].items() if count["failed"]}


def test_an_abort_inside_el2_with_isv_is_reported():
    done, found = replay(field("10"))
    assert (done.returncode, failed_checks(found)) == (1, {"abort_access"})
    assert found["divergences"][0]["found"] == "ISV is 1 of an abort inside EL2"
    assert not any("cpu" in r for r in convert("qemu-int", field("10")))


def test_an_exception_to_el3_is_checked_as_one():
    _, found = replay(field("16"))
    assert found["checks"]["entry_source"]["checked"] == 2
    assert [c["name"] for c in found["shows"]["classes"]] == ["to EL3 0x1e", "entry DABT_LOW"]


def test_an_exit_without_a_class_gets_it_from_its_fault():
    record = convert("ftrace", field("24"))[1]
    assert (record["exit_code"], record["in"]["esr"]) == (2, "0x93820047")


def test_faults_alone_are_records_and_the_impossible_one_fails():
    done, found = replay(field("28"))
    assert (done.returncode, found["records"]) == (1, 3)
    assert {d["line"] for d in found["divergences"]} == {5}
    assert "fault_event" in failed_checks(found)


def test_classes_that_this_version_does_not_know_are_no_failure():
    _, found = replay(field("40"))
    reason = "a class that is not known to this version"
    assert found["checks"]["class_possible"]["open"] == {reason: 2}


def test_lost_events_are_a_gap():
    assert [bool(event_of(r, "gap")) for r in convert("ftrace", field("44"))] == [
        False, True, False, False, False]


# --- Other files of the same kinds ---------------------------------------------------------------

ENTRY = "kvm_entry: PC: 0x0000000040000000"
EXIT = "kvm_exit: TRAP: HSR_EC: 0x0020 (IABT_LOW), PC: 0x0000000040000000"
FAULT = "kvm_guest_fault: ipa 0x40000000, hsr 0x82000005, hxfar 0x40000000, pc 0x00000040000000"

PREFIXES = {
    "tracefs": "         kvmtest-148     [001] d..1.    13.803050: ",
    "four flags": "         kvmtest-148     [001] d..1    13.803050: ",
    "no flags": "         kvmtest-148     [001]    13.803050: ",
    "lost names": "           <...>-148     [001] d..1.    13.803050: ",
    "record-tgid": "         kvmtest-148     (    148) [001] d..1.    13.803050: ",
    "record-tgid, unknown": "         kvmtest-148     (-------) [001] d..1.    13.803050: ",
    "latency-format": " kvmtest-148     1d..1. 13803050us : ",
    "latency-format, slow": " kvmtest-148     1d..1. 13803050us+: ",
    "latency-format, 3 digits": " kvmtest-148   101d..1. 13803050us!: ",
    "report -t": "         kvmtest-148   [001]    13.803050832: ",
    "report --ts-diff": "         kvmtest-148   [001]    13.803050: (+350)   ",
    "report -R of 3.3": "         kvmtest-148   [001]-0x1    13.803050: ",
    "report -l": " kvmtest-148     1d..1.    13.803050: ",
    "report -R -l": " kvmtest-148     1-0x1    13.803050: ",
    "report of two": "  a.dat:          kvmtest-148   [001] d....    13.803050: ",
    "perf script": "kvmtest   148 [001]    13.803050: kvm:",
    "perf script, threads": "CPU 0/KVM   147/148 [001]    13.803050: kvm:",
    "perf script, no CPU": "CPU 0/KVM 148    13.803050: kvm:",
    "perf script, periods": "kvmtest   148 [001]    13.803050:          1 kvm:",
    "perf-prof": "2026-11-10 10:46:27.421985          kvmtest    148 d... [001]    13.803050: kvm:",
    "console": "[   17.123456]  kvmtest-148     1d..1. 13803050us : ",
    "quoted": "> >          kvmtest-148     [001] d..1.    13.803050: ",
    "quoted by initials": "MZ>          kvmtest-148     [001] d..1.    13.803050: ",
    "quoted by bars": "| |          kvmtest-148     [001] d..1.    13.803050: ",
    "source of a web page": "&gt;   &lt;...&gt;-148     [001] d..1.    13.803050: ",
    "from a web page": "\u00a0\u00a0kvmtest-148\u00a0[001] d..1. 13.803050: ",
}


@pytest.mark.parametrize("prefix", PREFIXES.values(), ids=PREFIXES)
def test_whatever_stands_in_front_of_an_event(tmp_path, prefix):
    path = write(tmp_path, "".join(prefix + event + "\n" for event in (ENTRY, EXIT, FAULT, ENTRY)))
    done, found = replay(path)
    assert (done.returncode, done.stderr, found["records"]) == (0, "", 3)
    form = "perf" if prefix.endswith("kvm:") else found["format"]
    record = convert(form, path)[1]
    assert record["task"] == 148 and record["time"] // 1000 == 13_803_050
    assert record.get("cpu", 1) in (1, 101)
    assert record["in"] == {"esr": "0x82000005", "far": "0x40000000", "hpfar": "0x400000",
                            "elr": "0x40000000"}


@pytest.mark.parametrize("events,check", [
    (["kvm_exit: HSR_EC: 0x0020, PC: 0x40000000", FAULT], "fault_event"),
    (["kvm_exit: PC: 0x40000000", FAULT], "fault_event"),
    (["kvm_exit: PC: 0x40000000", "kvm_guest_fault: guest fault at PC 0x40000000 (hxfar 0x40000000,"
      " ipa       0x40000000, hsr 0x82000005"], "fault_event"),
    (["kvm_exit: HVC: HSR_EC: 0x0020 (IABT), PC: 0x40000000", FAULT], "fault_event"),
    (["kvm_exit: PC: 0x40", "kvm_wfi: guest executed wfi at: 0x00000040"], "wfx_event"),
    (["kvm_exit: TRAP: HSR_EC: 0x0001 (WFx), PC: 0x40", "kvm_wfx: guest executed wfe at: 0x40"],
     "wfx_event"),
    (["kvm_exit: PC: 0x40", "kvm_hvc: HVC at 0x00000040 (r0: 0x84000000, imm: 0x0)"], "call_event"),
    (["kvm_exit: idx=2 exit_reason=0x0024 vcpu_pc=0x40"], "class_possible"),
    (["kvm_hvc_arm64: HVC at 0x40 (r0: 0x84000000, imm: 0x0)"], "call_event"),
    (["kvm_mmio: mmio write len 4 gpa 0x9000000 val 0x41"], "mmio_form"),
    (["kvm_handle_sys_reg: HSR 0x6230100d", "kvm_sys_access: PC: 40 X (3,0,4,6,0) read"],
     "syndrome_form"),
])
def test_events_of_old_kernels_and_events_alone_are_checked(tmp_path, events, check):
    lines = ["  vcpu-7 [000] d..1 1.5: " + event + "\n" for event in events]
    done, found = replay(write(tmp_path, "".join(lines)))
    assert done.returncode == 0 and found["checks"][check]["checked"] > 0


@pytest.mark.parametrize("events", [
    ["kvm_exit_v2: VCPU 0: TRAP: HSR_EC: 0x0020 (IABT_LOW), PC: 0x40"], ["kvm_ack_irq: irq 3"],
    ["kvm_userspace_exit: reason KVM_EXIT_MMIO (6)"], ["kvm_entry: PC: 0x40"], ["sched_waking: x=1"],
])
def test_a_recording_in_which_nothing_can_be_checked_is_not_good(tmp_path, events):
    lines = ["  vcpu-7 [000] d..1 1.5: " + event + "\n" for event in events * 3]
    done = fhsim("replay", write(tmp_path, "".join(lines)))
    assert done.returncode == 2
    assert "nothing was checked" in done.stderr or "no record of ftrace" in done.stderr
    if "v2" in events[0]:
        assert "kvm_exit_v2, an event that is not known here" in done.stdout


KINDS = ["kvm_exit", "kvm_entry", "kvm_guest_fault", "kvm_mmio", "kvm_hvc_arm64", "kvm_sys_access",
         "kvm_handle_sys_reg", "kvm_wfx_arm64", "kvm_userspace_exit"]


@pytest.mark.parametrize("kinds", [kinds for n in (1, 2, 8) for kinds in
                                   itertools.combinations(KINDS, n)], ids=" ".join)
def test_whatever_events_were_enabled_nothing_fails_that_is_right(tmp_path, kinds):
    lines = [line for line in unpack(FTRACE).splitlines(True)
             if any(f" {kind}: " in line for kind in kinds)]
    done, found = replay(write(tmp_path, "".join(lines))) if set(kinds) != {
        "kvm_userspace_exit"} else (None, None)
    if done:
        assert failed_checks(found) == set()
        checked = set(kinds) - {"kvm_entry", "kvm_userspace_exit"}
        assert done.returncode == (0 if checked else 2)


@pytest.mark.parametrize("width", [40, 60, 72, 76, 80])
def test_a_recording_wrapped_at_any_width_is_the_same(tmp_path, width):
    """Of one that a mail program wrapped, at blanks, and that somebody quoted."""
    lines = [line for line in unpack(FTRACE).splitlines() if re.search(r" kvm_(exit|entry|guest_f)",
                                                                       line)][:60]
    wrapped = []
    for line in lines:
        while len(line) > width and " " in line[24:width]:
            at = line.rindex(" ", 24, width)
            wrapped.append("> " + line[:at])
            line = line[at + 1:]
        wrapped.append("> " + line)

    def facts(text):
        return [{k: v for k, v in r.items() if k not in ("g0", "g1", "fx")}
                for r in convert("ftrace", write(tmp_path, text))]

    assert facts("\n".join(wrapped) + "\n") == facts("\n".join(lines) + "\n")


def test_a_mail_in_quoted_printable_is_undone(tmp_path):
    text = field("08a").read_text()
    plain = convert("trace-cmd", write(tmp_path, text))
    coded = "Content-Transfer-Encoding: quoted-printable\n\n" + "".join(
        line.replace("=", "=3D")[:70] + "=\n" + line.replace("=", "=3D")[70:]
        for line in text.splitlines(True))
    path = write(tmp_path, coded, "coded")
    done = fhsim("convert", "--from", "trace-cmd", path)
    found = [json.loads(line) for line in done.stdout.splitlines()][1:]

    def facts(records):
        return [{k: v for k, v in r.items() if k not in ("g0", "g1", "fx")} for r in records]

    assert facts(found) == facts(plain)


def test_a_line_of_equal_signs_is_no_quoted_printable(tmp_path):
    text = "=" * 72 + "\n" + field("08a").read_text()
    records = [json.loads(line) for line in fhsim(
        "convert", "--from", "trace-cmd", write(tmp_path, text)).stdout.splitlines()][1:]
    assert [r["in"] for r in records if "in" in r] == [
        r["in"] for r in convert("trace-cmd", field("08a")) if "in" in r]


def test_a_torn_line_is_a_gap(tmp_path):
    line = "  vcpu-7 [000] d..1. 1.{}: {}\n".format
    text = (line(1, ENTRY) + line(2, EXIT) + line(3, ENTRY) + line(4, EXIT)[:50] + "\n" +
            line(5, ENTRY) + line(6, EXIT) + line(7, ENTRY))
    done, found = replay(write(tmp_path, text))
    assert (done.returncode, failed_checks(found)) == (0, set())
    assert found["strange_lines"]["count"] == 1 and found["records"] == 7


def test_control_characters_of_a_line_do_not_reach_the_terminal(tmp_path):
    text = ("  vcpu-7 [000] d..1. 1.1: " + EXIT + "\n") + "a\x1b]0;x \u009b31m b\n"
    done = fhsim("replay", write(tmp_path, text))
    assert done.returncode == 0 and "a.]0;x .31m b" in done.stdout


# --- trace.dat -----------------------------------------------------------------------------------


def test_a_trace_dat_and_its_report_say_the_same():
    def facts(form, path):
        return [(r["kind"], r["cpu"], r["task"], r["time"] // 1000, r["in"], r.get("out"),
                 [fx.get("args") or fx.get("addr") for fx in r.get("fx", [])])
                for r in convert(form, path)]

    binary, raw = facts("trace.dat", TRACE_DAT), facts("trace-cmd", REPORT_RAW)
    assert len(binary) == 7374 and len(raw) > 800

    def rounded(record):  # the report rounds to microseconds
        return record[:3] + record[4:]

    raw = raw[:-4]  # the excerpt ends inside an exit
    assert [rounded(r) for r in binary[:len(raw)]] == [rounded(r) for r in raw]


@pytest.fixture(scope="module")
def trace_dat(tmp_path_factory):
    path = tmp_path_factory.mktemp("unpacked") / "trace.dat"
    subprocess.run(["zstd", "-q", "-d", TRACE_DAT, "-o", path], check=True)
    return path


def test_a_trace_dat_is_recognised_compressed_or_not(trace_dat):
    for path in (TRACE_DAT, trace_dat):
        assert shown(path) == (0, "trace.dat", 7374, set())


@pytest.mark.parametrize("size", [12, 100, 5000, 100_000, 400_000])
def test_a_trace_dat_that_was_cut_off_is_bad_input(tmp_path, trace_dat, size):
    path = tmp_path / "trace.dat"
    path.write_bytes(trace_dat.read_bytes()[:size])
    done = fhsim("replay", path)
    assert done.returncode == 2 and "no whole trace.dat" in done.stderr


# --- QEMU's logs ---------------------------------------------------------------------------------

DABT = ("Taking exception 4 [Data Abort]{cpu}\n...from EL1 to EL2\n...with ESR 0x24/0x93c38007\n"
        "...with FAR 0x40001020\n{spsr}...with ELR 0x40000008\n...to EL2 PC 0x8c00 PSTATE 0x3c9\n"
        "Exception return from AArch64 EL2 to AArch64 EL1 PC 0x40000008\n")


@pytest.mark.parametrize("cpu", ["", " on CPU 0"])
@pytest.mark.parametrize("spsr", ["", "...with SPSR 0x800003c5\n"])
def test_qemu_of_any_version(tmp_path, cpu, spsr):
    text = DABT.format(cpu=cpu, spsr=spsr) * 3
    done, found = replay(write(tmp_path, text))
    assert (done.returncode, done.stderr, found["records"]) == (0, "", 3)
    record = convert("qemu-int", write(tmp_path, text))[0]
    assert record["in"].get("spsr") == (spsr and "0x800003c5" or None)
    assert ("cpu" in record) == bool(cpu) and record["out"]["elr"] == "0x40000008"


def test_a_log_of_several_items_and_a_console_is_read(tmp_path):
    noise = ("IN: \n0x40000000:  d503201f  nop\n\n PC=0000000040000000 X00=0000000000000000\n"
             "PSTATE=000003c5 ---- EL1h\n")
    text = noise + DABT.format(cpu=" on CPU 0", spsr="") + noise + "login: " + DABT.format(
        cpu=" on CPU 0", spsr="").replace("...with FAR", "[    1.0] a line between\n...with FAR")
    _, found = replay(write(tmp_path, text))
    assert (found["records"], found["strange_lines"]["count"]) == (2, 9)
    assert failed_checks(found) == set()


def test_a_log_with_times_in_front_is_read(tmp_path):
    text = "".join(f"2026-11-30 23:47:{i:02} {line}\n" for i, line in enumerate(
        (DABT.format(cpu=" on CPU 0", spsr="") * 2).splitlines()))
    assert shown(write(tmp_path, text)) == (0, "qemu-int", 2, set())


def test_the_hyp_mode_of_aarch32_has_records_without_ends(tmp_path):
    text = ("Taking exception 11 [Hypervisor Call] on CPU 0\n...from EL1 to EL2\n"
            "...with ESR 0x12/0x4a000000\n" * 2 +
            "Taking exception 3 [Prefetch Abort] on CPU 0\n...from EL0 to EL2\n"
            "...with ESR 0x20/0x80000007\n...with HIFAR 0x40001000\n" +
            "Taking exception 5 [IRQ] on CPU 0\n...from EL1 to EL1\n")
    done, found = replay(write(tmp_path, text))
    assert (done.returncode, found["records"], failed_checks(found)) == (0, 3, set())
    assert {r["vector"] for r in convert("qemu-int", write(tmp_path, text))} == {
        "hyp32_lower32_sync"}


# --- What is no recording ------------------------------------------------------------------------


@pytest.mark.parametrize("text,what", [
    ("<...>-1 [000] d... 1.1: kvm_exit: reason EPT_VIOLATION rip 0xfff info 1 2\n", "KVM on x86"),
    ("qemu-1 [000] d... 1.1: kvm_entry: vcpu 0, rip 0xfff\n", "KVM on x86"),
    ("  qemu-1  [000]  1.1: kvm_exit:      reason HLT rip 0xfff info 0 0\n", "KVM on x86"),
    ("qemu-1 [000] d... 1.1: kvm_exit: SEPC:0x80, SCAUSE:0x15, STVAL:0x0\n", "KVM on RISC-V"),
    ("     0: v=0e e=0002 i=0 cpl=3\nServicing hardware INT=0x08\n", "QEMU's -d int of x86"),
    ("riscv_cpu_do_interrupt: hart:0, async:0, cause:9\n", "RISC-V"),
    ("description: x\nmachine:\n  regions: []\nsteps: []\n", "fhsim run"),
    ("[  666.5] kvm [7765]: Unsupported FSC: EC=0x24 xFSC=0x21 ESR_EL2=0x92000061\n", "explain"),
    ("(XEN) traps.c:1986:d0v1 HSR=0x93880045 pc=0x00007f97b14e70\n", "explain"),
    ("arm-smmu 15000000.iommu: GFSR 0x00000002, GFSYNR0 0x00000002\n", "explain"),
    ("PERFILE2\0\0\0\0\n", "perf script"), ("\x1f\x8b\x08\0\n", "gzip"),
    ("nothing of the sort\n", "known are qemu-int, ftrace, trace-cmd, perf, trace.dat"),
    ("an exception was taken\n", "it looks most like qemu-int"),
])
def test_what_is_no_recording_is_called_what_it_is(tmp_path, text, what):
    path = tmp_path / "file"
    path.write_bytes(text.encode("latin-1"))
    done = fhsim("replay", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path}: not a trace, and not a recording that fhsim knows")
    assert what in done.stderr and "JSON" not in done.stderr


@pytest.mark.parametrize("path,what", [
    (field("01b"), "a recording of KVM's events; `fhsim replay`"),
    (field("17"), "a log of QEMU; `fhsim replay`"),
    (DATA.parent / "01_host_only_excerpt.jsonl.zst", "a trace; `fhsim replay`"),
])
def test_run_says_what_is_no_scenario(path, what):
    done = fhsim("run", path)
    assert done.returncode == 2 and f"no scenario: this is {what}" in done.stderr
    assert "YAML" not in done.stderr


def test_standard_input_is_recognised_too(tmp_path):
    for path in (field("01b"), field("17")):
        piped = fhsim("replay", "-", input=path.read_text())
        assert (piped.returncode, piped.stderr) == (0, "")
        assert piped.stdout.splitlines()[2:] == fhsim("replay", path).stdout.splitlines()[2:]
    done = fhsim("replay", "-", input="nothing of the sort\n")
    assert done.returncode == 2 and done.stderr.startswith("<stdin>: not a trace, and not a rec")


def test_from_overrides_what_a_file_looks_like(tmp_path):
    path = write(tmp_path, "nothing\n" * 3 + "  vcpu-7 [000] d..1. 1.1: " + EXIT + "\n")
    assert shown(path, "--from", "trace-cmd") == (0, "trace-cmd", 1, set())
    done = fhsim("replay", path, "--from", "ftrce")
    assert done.returncode == 2 and "did you mean 'ftrace'?" in done.stderr


# --- Tables and scenarios ------------------------------------------------------------------------


@pytest.mark.parametrize("name,mappings", [
    ("47-", {0x1020: 3}), ("47b", {0x80000: 2, 0x80a00: 2, 0x80c00: 2})])
def test_a_dump_of_stage_2_tables_becomes_a_machine(tmp_path, name, mappings):
    scenario = tmp_path / "machine.yaml"
    done = fhsim("convert", "--from", "stage2-dump", field(name), "-o", scenario)
    assert (done.returncode, done.stderr) == (0, "")
    asked = "".join(f"  - check: {{shared.npts.1.pt.{gfn:#x}: {{level: {level}}}}}\n"
                    for gfn, level in mappings.items())
    asked += "  - check: {shared.npts.1.pt.0x1200.level: 0}\n"
    scenario.write_text(scenario.read_text() + asked)
    done = fhsim("run", scenario)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text,what", [
    ("---[ Guest IPA ]---\n", "no range in it is mapped"),
    ("nonsense\n", "no range in it is mapped"),
    ("0x0000000080000000-0x0000000480001000          17G 1   R W X AF BLK\n", "more than 16 GiB"),
    ("0x0000000080000000-0x0000000080002000    8K 3   R W X AF\n"
     "0x0000000080001000-0x0000000080003000    8K 3   R W X AF\n", "begins before the last one ends"),
])
def test_a_dump_of_which_no_machine_can_be_made_is_bad_input(tmp_path, text, what):
    path, scenario = write(tmp_path, text), tmp_path / "machine.yaml"
    done = fhsim("convert", "--from", "stage2-dump", path, "-o", scenario)
    assert done.returncode == 2 and what in done.stderr and not scenario.exists()


def test_a_dump_is_called_one_where_a_recording_is_wanted():
    done = fhsim("replay", field("47b"))
    assert done.returncode == 2 and "fhsim convert --from stage2-dump" in done.stderr


def test_convert_recognises_a_recording_too():
    assert fhsim("convert", field("01b")).stdout == fhsim("convert", "--from", "ftrace",
                                                          field("01b")).stdout


def test_a_store_without_syndrome_to_an_smmu_halts_kcore():
    done = fhsim("run", field("50"))
    assert done.returncode == 1 and "the machine halted" in done.stdout
    assert "ISV=0: SAS, SRT and SF mean nothing" in done.stdout and "needs" in done.stdout


def test_an_address_beyond_the_profile_names_one_that_has_room(tmp_path):
    done = fhsim("run", field("53"))
    assert done.returncode == 2 and "'profile: sekvm-4.18'" in done.stderr
    wider = write(tmp_path, "profile: sekvm-4.18\n" + field("53").read_text(), "wider.yaml")
    assert fhsim("run", wider).returncode == 0


# --- What a recording shows ----------------------------------------------------------------------


def exits(pcs, what="TRAP: HSR_EC: 0x0018 (SYS64)", at=0):
    return "".join(f"  vcpu-7 [000] d..1. 1.{2 * i:06}: kvm_exit: {what}, PC: {pc:#x}\n"
                   f"  vcpu-7 [000] d..1. 1.{2 * i + 1:06}: kvm_entry: PC: {pc:#x}\n"
                   for i, pc in enumerate(pcs, at))


def test_exits_are_counted_by_vcpu_class_and_pc_with_their_times(tmp_path):
    text = exits([0x100]) + exits([0x200] * 2, "TRAP: HSR_EC: 0x0001 (WFx)", 1)
    shows = replay(write(tmp_path, text))[1]["shows"]
    assert shows["vcpus"] == [{"name": "thread 7", "exits": 3, "guest_ns": 2000, "host_ns": 3000}]
    assert shows["classes"] == [{"name": "guest_exit SYS64", "exits": 1, "host_ns": 1000},
                                {"name": "guest_exit WFx", "exits": 2, "host_ns": 2000}]
    assert [(pc["pc"], pc["exits"], pc["first_line"], pc["last_line"]) for pc in shows["pcs"]] == [
        ("0x200", 2, 3, 5), ("0x100", 1, 1, 1)]


@pytest.mark.parametrize("pcs,what,kind,period,rounds", [
    ([1, 2] + [0x10, 0x20, 0x30] * 5 + [3], "TRAP: HSR_EC: 0x0018 (SYS64)", "a loop", 3, 5),
    ([0x10, 0x20, 0x10, 0x30] * 4, "TRAP: HSR_EC: 0x0018 (SYS64)", "a loop", 4, 4),
    ([0x200] * 9, "TRAP: HSR_EC: 0x0020 (IABT_LOW)", "a vector that faults on itself", 1, 9),
    ([0x204] * 9, "TRAP: HSR_EC: 0x0020 (IABT_LOW)", "a loop", 1, 9),
    ([0x204] * 9, "TRAP: HSR_EC: 0x0001 (WFx)", "a loop of WFI or WFE", 1, 9),
    (range(0, 400, 4), "IRQ: HSR_EC: 0x0000 (UNKNOWN)", "a storm of interrupts", 0, 100),
    (range(0, 400, 4), "TRAP: HSR_EC: 0x0001 (WFx)", "a storm of WFI or WFE", 0, 100),
])
def test_what_goes_round_is_named(tmp_path, pcs, what, kind, period, rounds):
    loop, = replay(write(tmp_path, exits(pcs, what)))[1]["shows"]["loops"]
    assert (loop["kind"], len(loop["pcs"]), loop.get("rounds", loop.get("exits"))) == (
        kind, period, rounds)


def test_what_goes_on_is_no_loop(tmp_path):
    assert replay(write(tmp_path, exits(range(0, 400, 4))))[1]["shows"]["loops"] == []


def test_interrupts_do_not_end_a_loop(tmp_path):
    lines = exits([0x10, 0x20] * 6).splitlines(True)
    irq = exits([0x999], "IRQ: HSR_EC: 0x0000 (UNKNOWN)").splitlines(True)
    text = "".join("".join(lines[i:i + 2] + irq) for i in range(0, len(lines), 2))
    loop, = replay(write(tmp_path, text))[1]["shows"]["loops"]
    assert (len(loop["pcs"]), loop["rounds"]) == (2, 6)


def test_the_report_is_json_whatever_a_line_holds(tmp_path):
    text = ("  vcpu-7 [000] d..1. 1.1: " + EXIT + "\n").encode() + b'"\\ \xff\xc3 \x01\n'
    path = tmp_path / "recording"
    path.write_bytes(text)
    done = fhsim("replay", path, "--json")
    assert json.loads(done.stdout)["foreign"][0]["strange_lines"]["count"] == 1


@pytest.mark.parametrize("name", ["01b", "05b"])
def test_the_answers_in_the_documentation_are_those_of_the_tool(name):
    text = (FIELD.parents[2] / "docs/foreign-recordings.md").read_text()
    block = re.search(rf"`{name}`.*?\n```\n(.*?)\n```", text, re.S)[1]
    lines = fhsim("replay", field(name)).stdout.splitlines()
    assert [line for line in block.splitlines() if line != "..." and line not in lines] == []
