# SPDX-License-Identifier: GPL-2.0-only
"""fhsim replay of foreign recordings: the real ones pass, and each check finds its corruption."""

import json
import re

import pytest

from foreign import (CAPTURE, FTRACE, QEMU, QEMU_BOOT, QEMU_SMP, REPORT, REPORT_RAW, SYMBOLS,
                     SYMBOLS_BOOT, failed_checks, fhsim, replay, to_el2)
from zstd_file import unpack

# How many lines of the capture come before the guest gets its first sign-extended syndrome.
CLEAN_LINES = 440


@pytest.fixture(scope="module")
def texts():
    return {"qemu": "".join(to_el2(unpack(QEMU))),
            "ftrace": unpack(FTRACE),
            "capture": "".join(unpack(CAPTURE).splitlines(True)[:CLEAN_LINES])}


def write(tmp_path, text, name="recording"):
    path = tmp_path / name
    path.write_text(text)
    return path


# --- The recordings as they are ------------------------------------------------------------------


@pytest.mark.parametrize("path,arguments", [
    (QEMU, ["--symbols", SYMBOLS]), (QEMU, []), (QEMU_SMP, ["--symbols", SYMBOLS]),
    (QEMU_BOOT, ["--symbols", SYMBOLS_BOOT]), (FTRACE, []), (REPORT, []), (REPORT_RAW, []),
], ids=lambda value: getattr(value, "name", None) or ("symbols" if value else "bare"))
def test_a_real_recording_passes(path, arguments):
    done, found = replay(path, *arguments)
    assert (done.returncode, done.stderr, failed_checks(found)) == (0, "", set())
    assert found["divergences"] == []


def test_kvm_s_sign_extended_syndromes_are_all_that_the_capture_shows():
    done, found = replay(CAPTURE, "--show", 100)
    assert done.returncode == 1
    assert failed_checks(found) == {"guest_syndrome"}
    values = {re.search("0x[0-9a-f]+", d["found"]).group() for d in found["divergences"]}
    assert values == {"0xffffffff96000010", "0xffffffff86000010"}


def test_the_walk_agrees_with_each_fault_but_where_it_cannot():
    """Of 1444 faults 2 are at an IPA beyond 40 bits and 8 on a stage 1 table."""
    _, found = replay(CAPTURE)
    walk = found["checks"]["walk_fault"]
    assert (walk["checked"], walk["failed"]) == (1434, 0)
    assert walk["open"] == {"the IPA is beyond VTCR_EL2's size": 2,
                            "S1PTW: QEMU tells the level of the stage 1 table": 8}
    assert found["checks"]["walk_chain"]["checked"] == 1442


def test_counts_are_those_of_the_events():
    text = unpack(FTRACE)
    _, found = replay(FTRACE)
    checks = found["checks"]
    accesses = text.count(" kvm_mmio: ")
    assert found["kinds"] == {"guest_exit": text.count(" kvm_exit: "),
                              "unknown": text.count(" kvm_entry: ")}
    assert checks["fault_event"]["checked"] == text.count(" kvm_guest_fault: ")
    assert checks["call_event"]["checked"] == text.count(" kvm_hvc_arm64: ")
    assert checks["sysreg_event"]["checked"] == text.count(" kvm_sys_access: ")
    assert checks["wfx_event"]["checked"] == text.count(" kvm_wfx_arm64: ")
    assert checks["mmio_syndrome"]["checked"] == accesses
    assert checks["mmio_address"]["checked"] == accesses
    assert checks["mmio_pair"]["checked"] == text.count(" kvm_mmio: mmio read ")


def test_what_cannot_be_checked_is_said_with_its_reason():
    _, found = replay(QEMU, "--symbols", SYMBOLS)
    checks = found["checks"]
    assert checks["trap_enabled"] == {
        "checked": 0, "failed": 0, "open": {"HCR_EL2 is not recorded": 1526}}
    assert checks["fault_page"]["open"] == {"HPFAR_EL2 is not recorded": 306}
    assert checks["time_rises"]["open"] == {"the recording has no time": 1526}


def test_the_model_says_what_the_verified_code_does_with_each_class_of_exit():
    _, found = replay(QEMU, "--symbols", SYMBOLS)
    exits = {e["class"]: (e["count"], e["handler"], e["outcome"]) for e in found["exits"]}
    assert exits == {"IABT_LOW": (7, "", "panics"), "DABT_LOW": (299, "", "panics"),
                     "HVC64": (13, "core_handle_pvops", "to the host"),
                     "SYS64": (16, "core_handle_sys64", "back to the VM"),
                     "SMC64": (1, "", "panics"), "FP_ASIMD": (1, "", "panics"),
                     "WFx": (3, "", "panics"), "interrupt": (1, "", "to the host")}


# --- Each check on a corrupted recording ---------------------------------------------------------


def once(old, new, after=""):
    """Replaces the first `old` behind the first `after`."""
    def change(text):
        start = text.index(after)
        at = text.index(old, start)
        return text[:at] + new + text[at + len(old):]
    return change


def pattern(old, new, nth=0):
    def change(text):
        match = list(re.finditer(old, text, re.M))[nth]
        return text[:match.start()] + match.expand(new) + text[match.end():]
    return change


def without(old, nth=0):
    return pattern(old, "", nth)


# The fifth line of the capture: a read of 2 bytes at 0x9000082, a fault at level 1.
FAULT = "n=5 t="

CORRUPTIONS = [
    ("exception_name", "qemu", once("4 [Data Abort]", "2 [SVC]")),
    ("exception_name", "qemu", once("ESR 0x24/", "ESR 0x20/")),
    ("exception_name", "ftrace", once("(DABT_LOW)", "(IABT_LOW)")),
    ("exception_name", "ftrace", once("0x0018 (SYS64)", "0x0001 (WFx)")),
    ("class_possible", "qemu", once("ESR 0x24/0x93c38007", "ESR 0x25/0x96000007")),
    ("class_possible", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0xbe000000", FAULT)),
    ("syndrome_form", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x91440005", FAULT)),
    ("syndrome_form", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0xffffffff93440005", FAULT)),
    ("syndrome_form", "qemu", once("ESR 0x16/0x5a000000", "ESR 0x16/0x5a010000")),
    ("abort_status", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x93440019", FAULT)),
    ("abort_access", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x93440085", FAULT)),
    ("abort_access", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x92440005", FAULT)),
    ("abort_access", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x93640045", FAULT)),
    ("trap_enabled", "capture", once("HCR_EL2=0x4038807c263f", "HCR_EL2=0x4038807c263e", FAULT)),
    ("trap_enabled", "capture",
     once("HCR_EL2=0x4038807c263f", "HCR_EL2=0x4038807c262f", "vec=guest_irq")),
    ("entry_source", "capture", once("SPSR_EL2=0x800003c5", "SPSR_EL2=0x800003c9", FAULT)),
    ("entry_source", "qemu", once("...from EL1 to EL2", "...from EL3 to EL2")),
    ("entry_state", "capture", once("cpsr=0x3c9", "cpsr=0x3c5", FAULT)),
    ("entry_state", "qemu", once("PSTATE 0x3c9", "PSTATE 0x349")),
    ("elr_aligned", "capture", once("ELR_EL2=0x40001494", "ELR_EL2=0x40001496", FAULT)),
    ("guest_syndrome", "capture",
     pattern(r"(vec=guest_sync.*ESR_EL1=)0x86000005", r"\g<1>0xffffffff86000005", 3)),
    ("fault_page", "capture", once("HPFAR_EL2=0x90000", "HPFAR_EL2=0x90001", FAULT)),
    ("fault_page", "capture", once("FAR_EL2=0x9000082", "SCTLR=0x0 FAR_EL2=0x9001082", FAULT)),
    ("ipa_range", "capture", once("HPFAR_EL2=0x90000", "HPFAR_EL2=0x200000000", FAULT)),
    ("vttbr_form", "capture", once("VTTBR_EL2=0xc000046c5c001", "VTTBR_EL2=0x46c5c001", FAULT)),
    ("vttbr_form", "capture",
     once("VTTBR_EL2=0xc000046c5c001 VTCR_EL2=0x802d3558",
          "VTTBR_EL2=0x10c000046c5c001 VTCR_EL2=0x80253558", FAULT)),
    ("vttbr_form", "capture",
     once("VTTBR_EL2=0xc000046c5c001", "VTTBR_EL2=0xc000046c5d001", FAULT)),
    ("walk_chain", "capture", once("L1@46c5c000", "L1@46c5c010", FAULT)),
    ("walk_chain", "capture", pattern(r"L2@(\w+=\w+),", r"L3@\1,")),
    ("walk_fault", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x93440006", FAULT)),
    ("walk_fault", "capture", once("ESR_EL2=0x93440005", "ESR_EL2=0x9344000d", FAULT)),
    ("walk_fault", "capture", once("L1@46c5c000=0", "L1@46c5c000=7fd", FAULT)),
    ("fault_event", "ftrace", pattern(r"(kvm_guest_fault: .* pc 0x\w+)\w$", r"\g<1>c", 9)),
    ("fault_event", "ftrace", pattern(r"(kvm_guest_fault: ipa 0x\w+)000,", r"\g<1>010,", 0)),
    ("call_event", "ftrace", once("HVC at 0x0000000040000040", "HVC at 0x0000000040000044")),
    ("sysreg_event", "ftrace", once("(3,0,0,4,0) read", "(3,0,0,4,1) read")),
    ("sysreg_event", "ftrace", once("(3,0,0,4,0) read", "(3,0,0,4,0) write")),
    ("wfx_event", "ftrace", once("wfi at: 0x00000000400010ec", "wfi at: 0x00000000400010f0")),
    ("mmio_form", "ftrace", pattern(r"mmio write len 4", "mmio write len 3")),
    ("mmio_form", "ftrace",
     pattern(r"mmio write len 1 (.*) val \S+", r"mmio write len 1 \1 val 0x100")),
    ("mmio_syndrome", "ftrace", pattern(r"mmio write len 4", "mmio write len 8")),
    ("mmio_address", "ftrace", pattern(r"(mmio write len 4 gpa \S+)\w val", r"\g<1>1 val")),
    ("mmio_pair", "ftrace", without(r".*kvm_mmio: mmio read len 4.*\n")),
    ("mmio_pair", "ftrace", without(r".*kvm_mmio: mmio unsatisfied-read len 4.*\n")),
    ("cpu_sequence", "qemu", without(r"^Exception return.*\n", 5)),
    ("task_sequence", "ftrace", without(r".* kvm_entry: .*\n", 5)),
    ("task_sequence", "ftrace", without(r".* kvm_exit: IRQ.*\n", 1)),
    ("task_sequence", "ftrace", pattern(r"\[001\](.* kvm_entry: )", r"[000]\1", 5)),
    ("return_address", "qemu",
     pattern(r"(Exception return .*PC 0xffff8000080\w+)\w$", r"\g<1>1", 60)),
    ("next_pc", "ftrace", pattern(r"(kvm_entry: PC: 0x0000000040001)264", r"\g<1>26c")),
    ("time_rises", "ftrace", pattern(r" \d+\.(\d+: kvm_exit: )", r" 1.\1", 20)),
    ("time_rises", "capture", once("t=0.024646", "t=0.004646")),
]


@pytest.mark.parametrize("check,recording,change", CORRUPTIONS,
                         ids=[f"{i}-{c[0]}" for i, c in enumerate(CORRUPTIONS)])
def test_a_corruption_fails_the_check_that_is_for_it(tmp_path, texts, check, recording, change):
    arguments = ["--symbols", SYMBOLS] if recording == "qemu" else []
    changed = change(texts[recording])
    assert changed != texts[recording]
    done, found = replay(write(tmp_path, changed), *arguments)
    assert (done.returncode, done.stderr) == (1, "")
    assert check in failed_checks(found)
    assert failed_checks(found) <= {check} | ALSO.get(check, set())
    assert any(d["check"] == check for d in found["divergences"])


# What else the same field decides.
ALSO = {"mmio_form": {"mmio_syndrome"}, "exception_name": {"sysreg_event"},
        "class_possible": {"exception_name", "syndrome_form", "abort_access"},
        "vttbr_form": {"walk_chain"}}


@pytest.mark.parametrize("recording", ["qemu", "ftrace", "capture"])
def test_the_recordings_that_are_corrupted_pass_before(tmp_path, texts, recording):
    done, found = replay(write(tmp_path, texts[recording]), "--symbols", SYMBOLS)
    assert (done.returncode, failed_checks(found)) == (0, set())


def test_there_is_a_corruption_for_every_check():
    _, found = replay(QEMU)
    assert set(found["checks"]) == {check for check, _, _ in CORRUPTIONS}


def test_a_return_in_a_capture_is_checked(tmp_path):
    line = "n={} t=0.{} cpu=0 vec={} ESR_EL2=0x5a000000 ELR_EL2={} HCR_EL2=0x1 SPSR_EL2=0x5\n"

    def text(pc):
        return ("# returns 1 in 0x0 0x1000\n" + line.format(1, 1, "host_sync", "0x10") +
                line.format(2, 2, "return", pc) + line.format(3, 3, "host_sync", "0x20"))

    assert failed_checks(replay(write(tmp_path, text("0x10")))[1]) == set()
    done, found = replay(write(tmp_path, text("0x14")))
    assert (done.returncode, failed_checks(found)) == (1, {"return_address"})


@pytest.mark.parametrize("pc,is_good", [("0x10", True), ("0x14", True), ("0x18", False),
                                        ("0x40200", True)])
def test_a_fault_of_the_host_may_be_emulated_or_reflected(tmp_path, pc, is_good):
    line = "n={} t=0.{} cpu=0 vec={} ESR_EL2={} ELR_EL2={} HCR_EL2=0x1 SPSR_EL2=0x5\n"
    text = ("# returns 1 in 0x0 0x1000\n" + line.format(1, 1, "host_sync", "0x93830007", "0x10") +
            line.format(2, 2, "return", "0x0", pc) +
            line.format(3, 3, "host_sync", "0x5a000000", "0x20"))
    done, found = replay(write(tmp_path, text))
    assert failed_checks(found) == (set() if is_good else {"return_address"})


EVENT = "  vcpu-7 [000] ..... 1.{}: {}\n"


def round_trip(event, pc):
    """A hypercall at 0x40, with this event in it, and the entry behind it at `pc`."""
    lines = ["kvm_entry: PC: 0x0", "kvm_exit: TRAP: HSR_EC: 0x0016 (HVC64), PC: 0x40", event,
             f"kvm_entry: PC: 0x{pc:x}"]
    return "".join(EVENT.format(i, line) for i, line in enumerate(lines))


@pytest.mark.parametrize("event,failed,reason", [
    ("kvm_hvc_arm64: HVC at 0x40 (r0: 0x80000000, imm: 0x0)", 1, None),
    ("kvm_hvc_arm64: HVC at 0x40 (r0: 0x84000002, imm: 0x0)", 0,
     "a call that may stop or reset the vCPU"),
    ("kvm_hvc_arm64: HVC at 0x40 (r0: 0xc4000001, imm: 0x0)", 0,
     "a call that may stop or reset the vCPU"),
    ("kvm_userspace_exit: reason KVM_EXIT_MMIO (6)", 0, "user space ran in between"),
])
def test_where_the_guest_goes_on_is_checked_only_where_it_is_certain(tmp_path, event, failed,
                                                                     reason):
    _, found = replay(write(tmp_path, round_trip(event, 0x1234)))
    check = found["checks"]["next_pc"]
    assert check["failed"] == failed
    assert reason is None or check["open"][reason] == 1


# --- Sequences across a gap ----------------------------------------------------------------------


def test_sequences_are_not_checked_across_lost_events(tmp_path, texts):
    lines = texts["ftrace"].splitlines(True)
    entries = [i for i, line in enumerate(lines) if " kvm_entry: " in line]
    lost = lines[:entries[5]] + ["CPU:1 [LOST 1 EVENTS]\n"] + lines[entries[5] + 1:]
    done, found = replay(write(tmp_path, "".join(lost)))
    assert (done.returncode, failed_checks(found)) == (0, set())
    whole = replay(FTRACE)[1]["checks"]["task_sequence"]
    assert found["checks"]["task_sequence"]["checked"] < whole["checked"]


# --- Reports -------------------------------------------------------------------------------------


def test_a_divergence_is_printed_with_trap_line_and_values(tmp_path, texts):
    path = write(tmp_path, once("SPSR_EL2=0x800003c5", "SPSR_EL2=0x800003c9", FAULT)(
        texts["capture"]), "run.txt")
    done = fhsim("replay", path)
    assert done.returncode == 1
    assert ("run.txt#5, line 6, CPU 1, guest_sync: entry_source\n"
            "  SPSR_EL2 0x800003c9 at the vector guest_sync\n") in done.stdout
    assert "spsr 0x800003c9" in done.stdout and "walk level 1 pa 0x46c5c000" in done.stdout
    found = replay(path)[1]["divergences"]
    assert [(d["trap"], d["line"], d["check"]) for d in found] == [
        ("run.txt#5", 6, "entry_source")]
    assert found[0]["record"]["in"]["spsr"] == "0x800003c9"


def test_only_as_many_divergences_are_printed_as_are_wanted():
    done = fhsim("replay", CAPTURE, "--show", 2)
    assert done.stdout.count(": guest_syndrome\n") == 2
    failed = replay(CAPTURE)[1]["checks"]["guest_syndrome"]["failed"]
    assert f"{failed} failed checks; the first 2 are shown" in done.stdout


def test_several_recordings_make_one_report(tmp_path, texts):
    corrupt = write(tmp_path, once("cpsr=0x3c9", "cpsr=0x3c5")(texts["capture"]))
    done = fhsim("replay", FTRACE, corrupt, REPORT, "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1 and found["failed"] == 1
    assert [f["format"] for f in found["foreign"]] == ["ftrace", "capture", "trace-cmd"]
    assert [len(f["divergences"]) for f in found["foreign"]] == [0, 1, 0]


def test_bad_input_is_reported_behind_what_came_before(tmp_path, texts):
    lines = texts["ftrace"].splitlines(True)
    path = write(tmp_path, "".join(lines[:600]) + "garbage\n" + "".join(lines[600:]))
    done, found = replay(path, "--strict")
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:601:1: ")
    assert found["bad_input"] and found["checks"]["task_sequence"]["checked"] > 50


def test_recordings_and_traces_are_not_replayed_together(tmp_path):
    trace = FTRACE.parents[1] / "01_host_only_excerpt.jsonl.zst"
    for files in ([FTRACE, trace], [trace, FTRACE]):
        done = fhsim("replay", *files)
        assert done.returncode == 2
        assert f"{files[1]}: foreign recordings and traces are not replayed together" in done.stderr


@pytest.mark.parametrize("option", ["--html", "--perfetto"])
def test_reports_of_the_model_s_machine_are_refused(tmp_path, option):
    done = fhsim("replay", FTRACE, option, tmp_path / "report")
    assert done.returncode == 2
    assert "text and the JSON report" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_junit_is_refused():
    done = fhsim("replay", FTRACE, "--format", "junit")
    assert done.returncode == 2
    assert "text and the JSON report" in done.stderr


# --- The documentation ---------------------------------------------------------------------------


def test_every_check_is_documented():
    text = (SYMBOLS.parents[3] / "docs/foreign-recordings.md").read_text()
    _, found = replay(QEMU)
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.M)) >= set(found["checks"])
