# SPDX-License-Identifier: GPL-2.0-only
"""The same events in the shapes that tools, terminals, web pages and mail programs give them."""

import json

import pytest

from foreign import convert, failed_checks, fhsim, replay

PC = "0xffff800080010000"
ENTRY = f"kvm_entry: PC: {PC}"
EXIT = f"kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: {PC}"
FAULT = f"kvm_guest_fault: ipa 0x9000000, hsr 0x93820007, hxfar 0xffff800011eb5000, pc {PC}"
EVENTS = (ENTRY, EXIT, FAULT, ENTRY)
PREFIX = "         kvmtest-148     [001] d..1.    13.80305{i}: "
PLAIN = "".join(PREFIX.format(i=i) + event + "\n" for i, event in enumerate(EVENTS))


def by_line(prefix, suffix="", events=EVENTS):
    return "".join(prefix.format(i=i) + event + suffix + "\n" for i, event in enumerate(events))


def each(text, form):
    return "".join(form.format(i=i + 1, line=line) + "\n" for i, line in enumerate(text.splitlines()))


KEYS = ("kvm_entry: vcpu_pc={pc}", "kvm_exit: ret={two} esr_ec={ec} vcpu_pc={pc}",
        "kvm_guest_fault: vcpu_pc={pc} hsr={esr} hxfar={far} ipa={ipa}", "kvm_entry: vcpu_pc={pc}")
VALUES = {"pc": int(PC, 16), "two": 2, "ec": 36, "esr": 0x93820007, "far": 0xffff800011eb5000,
          "ipa": 0x9000000}


def fields(form):
    shown = {name: form.format(value) for name, value in VALUES.items()}
    return by_line(PREFIX, events=[event.format(**shown) for event in KEYS])


PERF_TRACE = ("kvm:kvm_entry(vcpu_pc: {pc})", "kvm:kvm_exit(ret: 2, esr_ec: 36, vcpu_pc: {pc})",
              "kvm:kvm_guest_fault(vcpu_pc: {pc}, hsr: {esr}, hxfar: {far}, ipa: {ipa})",
              "kvm:kvm_entry(vcpu_pc: {pc})")

# Name: the text, and what of it is not known but its events.
SHAPES = {
    "function_graph with funcgraph-proc": (
        by_line("   13.80305{i} |   1)  kvmtest-148   |               |  /* ", " */") +
        "   13.803060 |   1)  kvmtest-148   |   0.500 us    |  kvm_vgic_flush_hwstate();\n", 0),
    "function": (each(PLAIN, "{line}\n" + PREFIX.format(i=9) + "kvm_vcpu_load <-kvm_run"), 0),
    "options/fields of 6.4": (fields("{0:#x} ({0})"), 0),
    "options/fields of 6.10": (fields("{0} ({0:#x})"), 0),
    "perf trace": (by_line("     0.00{i} CPU 0/KVM/148 ",
                           events=[e.format(**VALUES) for e in PERF_TRACE]), 0),
    "perf trace of calls, too": (by_line("     0.00{i} ( 0.002 ms): CPU 0/KVM/148 ",
                                         events=[e.format(**VALUES) for e in PERF_TRACE]), 0),
    "perf script -g": (
        by_line("CPU 0/KVM   148 [001]    13.80305{i}: kvm:",
                "\n\tffff80001003a2e4 kvm_vcpu_ioctl+0x644 ([kernel.kallsyms])\n"
                "\t           e1c5c ioctl+0x1c (/usr/lib/libc.so.6)\n"), 0),
    "PREEMPT_RT": (by_line("         kvmtest-148     [001] d.L.1.    13.80305{i}: "), 0),
    "grep -n": (each(PLAIN, "{i}:{line}"), 0),
    "grep -n of files": (each(PLAIN, "trace.txt:{i}:{line}"), 0),
    "cat -n": (each(PLAIN, "{i:6}\t{line}"), 0),
    "diff": (each(PLAIN, "+{line}"), 0),
    "a terminal's colours": (each(PLAIN.replace("kvm_", "\x1b[1;31mkvm_\x1b[0m"),
                                  "\x1b[32m{line}\x1b[0m"), 0),
    "en dashes": (PLAIN.replace("kvmtest-148", "kvmtest\u2013148"), 0),
    "places to break a line": (PLAIN.replace("kvm_", "\u200bkvm_"), 0),
    "breaks of a web page": (each(PLAIN, "{line}<br>"), 0),
    "systrace": ("<!DOCTYPE html>\n<script>\n" + PLAIN + "</script>\n", 3),
    "journalctl": (each(by_line(" kvmtest-148     1d..1. 1380305{i}us : "),
                        "Nov 10 10:46:27 host kernel: [   17.1][  T148] {line}"), 0),
    "script, CR CR LF": ("Script started\n" + PLAIN.replace("\n", "\r\r\n") + "^C\n", 2),
}


@pytest.mark.parametrize("text,strange", SHAPES.values(), ids=SHAPES)
def test_the_events_are_the_same_whatever_wrote_them(tmp_path, text, strange):
    path = tmp_path / "recording"
    path.write_text(text, newline="")
    done, found = replay(path)
    assert (done.returncode, done.stderr, found["records"]) == (0, "", 3)
    assert (found["strange_lines"]["count"], failed_checks(found)) == (strange, set())
    assert [vcpu["name"].split(":")[-1].strip() for vcpu in found["shows"]["vcpus"]] == ["thread 148"]
    converted = fhsim("convert", "--from", found["format"], path)
    records = [json.loads(line) for line in converted.stdout.splitlines()][1:]
    assert [r.get("out", {}).get("elr") for r in records] == [PC, None, PC]
    assert records[1]["in"] == {"esr": "0x93820007", "far": "0xffff800011eb5000",
                                "hpfar": "0x90000", "elr": PC}
    assert [r["time"] - records[0]["time"] for r in records] in ([0, 1000, 3000], [0, 10, 30])


def test_function_graph_alone_does_not_say_whose_an_event_is(tmp_path):
    path = tmp_path / "recording"
    path.write_text(by_line(" 1)               |  /* ", " */"))
    done, found = replay(path)
    assert (done.returncode, found["format"], found["records"]) == (0, "ftrace", 3)
    assert found["passed_over"] == {"events without task and CPU, of a vCPU that is not known": 3}


def test_the_dots_of_a_web_page_are_those_of_a_log(tmp_path):
    text = ("Taking exception 4 [Data Abort] on CPU 0\n...from EL1 to EL2\n"
            "...with ESR 0x24/0x93c38007\n...with FAR 0x40001020\n...with ELR 0x40000008\n"
            "...to EL2 PC 0x8c00 PSTATE 0x3c9\n"
            "Exception return from AArch64 EL2 to AArch64 EL1 PC 0x40000008\n")
    (tmp_path / "log").write_text(text)
    (tmp_path / "page").write_text(text.replace("...", "\u2026"))
    assert convert("qemu-int", tmp_path / "page") == convert("qemu-int", tmp_path / "log")


@pytest.mark.parametrize("text,what", [
    (by_line(PREFIX, events=["kvm_enter: PC: 0x80100000", "kvm_exit: [WAIT]PC: 0x80100000"]), "MIPS"),
    (by_line(PREFIX, events=["kvm_exit: [CPUCFG] PC: 0x9000000000100000"]), "LoongArch"),
    (by_line(PREFIX, events=["kvm_book3s_exit: exit=0x500 | pc=0xc00 | msr=0x8000"]), "PowerPC"),
    (by_line(PREFIX, events=["kvm_s390_sie_enter: 00[0-0]: entering sie flags 0"]), "s390"),
    ("  [000]   123.456789: hyp_enter: reason=smc vcpu=0xffff000012345678\n", "pKVM"),
    ("mips_cpu_do_interrupt enter: PC 80100000 EPC 00000000 TLB refill exception\n", "MIPS"),
    ("loongarch_cpu_do_interrupt: PC 9000000000000000 ERA 0 TLBRERA 0 syscall exception\n", "Loong"),
    ("Raise exception at c000000000012345 => 0000000000000900 (01)\n", "PowerPC"),
    ("Taking exception 3 [Prefetch Abort] on CPU 0\n...at fault address 0xfffffffe\n"
     "...loading from element 3 of non-secure vector table at 0xc\n", "Cortex-M"),
    ("---[ Linear Mapping start ]---\n0xffff0000-0xffff2000  2M PMD  RW NX SHD AF UXN MEM/NORMAL\n",
     "stage 1"),
    ("[10:46:27.123456789] (+0.000001) host kvm_arm_exit: { cpu_id = 1 }, { esr_ec = 36 }\n",
     "known are"),
    ("1 clk cpu0 E 00000000 CoreEvent_LOWER_64_SYNC\n", "known are"),
    ("\0" * 4096, "known are"),
])
def test_what_other_processors_and_tools_write_is_called_what_it_is(tmp_path, text, what):
    path = tmp_path / "file"
    path.write_text(text)
    done = fhsim("replay", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{path}: not a trace, and not a recording that fhsim knows")
    assert what in done.stderr and "JSON" not in done.stderr


def test_a_log_without_records_says_what_it_has(tmp_path):
    path = tmp_path / "log"
    path.write_text(("Taking exception 2 [SVC] on CPU 0\n...from EL0 to EL1\n"
                     "...with ESR 0x15/0x56000000\n...with ELR 0x40000008\n"
                     "...to EL1 PC 0x8400 PSTATE 0x3c5\n") * 3)
    done = fhsim("replay", path)
    assert done.returncode == 2 and "no record of qemu-int in it, of 3 exceptions to EL1" in done.stderr


@pytest.mark.parametrize("hsr,pc,is_wrong", [
    ("0x91800046", 0x8000, False),  # IL is 0: an instruction of 16 bits
    ("0x93800046", 0x8002, False),  # at an address that AArch64 does not have
    ("0x93800046", 0x8000, True),
])
def test_an_instruction_of_16_bits_is_left_behind_by_2(tmp_path, hsr, pc, is_wrong):
    path = tmp_path / "recording"
    path.write_text(by_line(PREFIX, events=[
        f"kvm_entry: PC: {pc:#x}", f"kvm_exit: TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: {pc:#x}",
        f"kvm_guest_fault: ipa 0x9000000, hsr {hsr}, hxfar 0x9000000, pc {pc:#x}",
        "kvm_mmio: mmio write len 4 gpa 0x9000000 val 0x41", f"kvm_entry: PC: {pc + 2:#x}"]))
    assert ("next_pc" in failed_checks(replay(path)[1])) == is_wrong
