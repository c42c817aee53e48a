# SPDX-License-Identifier: GPL-2.0-only
"""The tool against an EL2 image of our own under QEMU, value by value. What is expected is what the
image's source does, and what the architecture says that its traps look like."""

import os
import pty
import signal
import subprocess
import time

import pytest

from conftest import TOOL, Recording

KEYS = (
    "n t cpu vec ESR_EL2 FAR_EL2 HPFAR_EL2 ELR_EL2 SPSR_EL2 HCR_EL2 VTTBR_EL2 VTCR_EL2 VMPIDR_EL2 "
    "TPIDR_EL2 TCR_EL1 TTBR0_EL1 ESR_EL1 FAR_EL1 ELR_EL1 SPSR_EL1 MDCR_EL2 CPTR_EL2 CNTHCTL_EL2 "
    "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 x23 x24 x25 "
    "x26 x27 x28 x29 x30 sp pc cpsr"
).split()
ROUNDS = 8

IL = 1 << 25
TRANSLATION, PERMISSION = 4, 12


def hvc(number):
    return 0x16 << 26 | IL | number


def data_abort(status, size=None, register=0, sixty_four=False, signed=False, write=False):
    """size in bytes; None: no valid syndrome."""
    esr = 0x24 << 26 | IL | int(write) << 6 | status
    if size is None:
        return esr
    log = {1: 0, 2: 1, 4: 2, 8: 3}[size]
    return esr | 1 << 24 | log << 22 | int(signed) << 21 | register << 16 | int(sixty_four) << 15


def system_register(op0, op1, crn, crm, op2, register, read):
    fields = op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | register << 5 | crm << 1 | int(read)
    return 0x18 << 26 | IL | fields


def descriptor_walk(symbol, *steps):
    tables = {1: "stage2_level1", 2: "stage2_level2", 3: "stage2_level3"}
    return ",".join(
        f"L{level}@{symbol(tables[level]) + index * 8:x}={value:x}"
        for level, index, value in steps
    )


def walks(symbol):
    level2, level3 = symbol("stage2_level2") | 3, symbol("stage2_level3") | 3
    return {
        "device": descriptor_walk(symbol, (1, 0, 0)),
        "hole": descriptor_walk(symbol, (1, 1, level2), (2, 16, 0)),
        "far": descriptor_walk(symbol, (1, 512 + 1, 0)),
        "read_only": descriptor_walk(symbol, (1, 1, level2), (2, 8, level3), (3, 0, 0x4100077F)),
        "lazy": descriptor_walk(symbol, (1, 1, level2), (2, 8, level3), (3, 1, 0)),
    }


def faults(symbol):
    """What CPU 0 accesses: place, syndrome, address, walk, registers."""
    walk = walks(symbol)
    return [
        ("at_strb", data_abort(TRANSLATION | 1, 1, 1, write=True), 0x09000ABC, walk["device"],
         {"x1": 0x77A5, "x2": 0x09000ABC}),
        ("at_ldrh", data_abort(TRANSLATION | 1, 2, 3), 0x09000ABC, walk["device"], {}),
        ("at_ldr", data_abort(TRANSLATION | 1, 4, 4), 0x09000ABC, walk["device"], {}),
        ("at_ldrsw", data_abort(TRANSLATION | 1, 4, 5, True, signed=True), 0x09000AC0,
         walk["device"], {}),
        ("at_str", data_abort(TRANSLATION | 2, 8, 1, True, write=True), 0x42000FF8, walk["hole"],
         {"x1": 0x77A5}),
        ("at_stp", data_abort(TRANSLATION | 2, write=True), 0x42001000, walk["hole"], {}),
        ("at_far", data_abort(TRANSLATION | 1, 8, 8, True, write=True), 0x8040000100, walk["far"],
         {"x8": 0xC0DE0000_00000008}),
        ("at_ro", data_abort(PERMISSION | 3, 4, 8, write=True), 0x41000010, walk["read_only"], {}),
        ("at_lazy", data_abort(TRANSLATION | 3, 8, 8, True, write=True), 0x41001008, walk["lazy"],
         {}),
    ]


def known_registers():
    return {f"x{number}": 0xC0DE << 48 | number for number in range(31)}


def other_traps(symbol):
    """What else CPU 0 does: (after the faults) place, offset of the ELR, syndrome, registers."""
    return [
        ("at_nothing", 4, hvc(0x12), {}),
        ("hole", 0, 0x20 << 26 | IL | TRANSLATION | 2, {"x30": symbol("at_after_call")}),
        ("at_wfi", 0, 0x01 << 26 | IL | 1 << 24 | 0xE << 20, {}),
        ("at_mrs", 0, system_register(3, 0, 1, 0, 1, 10, True), {"x10": 0xC0DE << 48 | 10}),
        ("at_msr", 0, system_register(3, 0, 13, 0, 1, 11, False), {"x10": 0xAC71, "x11": 0x1234}),
        ("at_smc", 0, 0x17 << 26 | IL, {"x0": 0x84000000}),
        ("at_timer", 4, hvc(0x13), {"x0": 0x10001}),
        ("at_break", 4, hvc(0x14), {}),
    ]


def has(line, values):
    assert {key: line[key] for key in values} == values


@pytest.fixture(scope="module")
def everything(qemu, image, tmp_path_factory):
    """One capture with all that there is."""
    path = tmp_path_factory.mktemp("capture") / "recording.txt"
    subprocess.run(
        [TOOL, "--start", " ".join(qemu()), "-o", path, "--symbols", image, "--walk", "--returns",
         "--vbar", "host=host_vectors", "--vbar", "guest=guest_vectors", "--vectors", "all",
         "--watch-symbol", "stage2_level3:16", "--poll", "0"],
        check=True, timeout=50, stderr=subprocess.PIPE,
    )
    return Recording(path)


@pytest.fixture
def entries(everything):
    return [line for line in everything.lines if line["vec"] != "return"]


def of(lines, cpu, vector="host_sync"):
    return [line for line in lines if line["cpu"] == str(cpu) and line["vec"] == vector]


def test_a_line_has_the_keys_of_the_format_in_their_order(everything):
    assert len(everything.lines) > 100
    for line in everything.lines:
        keys = list(line)
        assert keys[: len(KEYS)] == KEYS
        assert set(keys[len(KEYS) :]) <= {"s2walk", "watch"}


def test_lines_are_numbered_and_time_does_not_run_back(everything):
    numbers = [int(line["n"]) for line in everything.lines]
    assert numbers == list(range(1, len(numbers) + 1))
    times = [float(line["t"]) for line in everything.lines]
    assert times == sorted(times)


def test_the_head_says_what_was_recorded(everything, symbol):
    assert everything.comments[0] == "fh-capture 1"
    assert everything.comment("target")[0].startswith("QEMU ")
    assert everything.comment("target")[0].endswith(", 2 CPUs")
    assert everything.comment("vectors") == [
        f"{symbol('host_vectors'):#x} host host_vectors",
        f"{symbol('guest_vectors'):#x} guest guest_vectors",
    ]
    assert everything.comment("watch") == [f"stage2_level3 {symbol('stage2_level3'):#x} 0x10"]
    assert everything.comment("end:")[0].startswith("the target has ended")


def test_what_the_hypervisor_set_up_stands_in_every_line(entries, symbol):
    for line in entries:
        cpu = int(line["cpu"])
        has(line, {
            "HCR_EL2": 0x84282011, "VTCR_EL2": 0x80023558, "VMPIDR_EL2": 0x80000000 | cpu,
            "TPIDR_EL2": 0x700 + cpu, "VTTBR_EL2": (cpu + 1) << 48 | symbol("stage2_level1"),
        })
        assert line["cpsr"] & 0x3FF == 0x3C9


def test_a_vector_is_named_after_its_table_and_offset(entries, symbol):
    offsets = {"host_sync": 0x400, "host_irq": 0x480, "host_cur_spx_sync": 0x200}
    for line in entries:
        if line["vec"] == "guest_sync":
            assert line["pc"] == symbol("guest_vectors") + 0x400
        else:
            assert line["pc"] == symbol("host_vectors") + offsets[line["vec"]]


def test_a_hypercall_is_recorded_with_all_registers(entries, symbol):
    first = of(entries, 0)[0]
    has(first, {
        **known_registers(), "ESR_EL2": hvc(0x11), "ELR_EL2": symbol("at_hvc") + 4,
        "SPSR_EL2": 0x3C5, "sp": symbol("stacks") + 4096,
    })


def test_faults_are_recorded_with_address_and_walk(entries, symbol):
    recorded = of(entries, 0)[1:]
    for line, (place, esr, address, walk, registers) in zip(recorded, faults(symbol)):
        has(line, {
            "ESR_EL2": esr, "FAR_EL2": address, "HPFAR_EL2": address >> 12 << 4,
            "ELR_EL2": symbol(place), "s2walk": walk, **registers,
        })


def test_other_traps_are_recorded_without_walk_but_for_the_instruction_abort(entries, symbol):
    expected = other_traps(symbol)
    recorded = of(entries, 0)[1 + len(faults(symbol)) :]
    for line, (place, distance, esr, registers) in zip(recorded, expected):
        elr = 0x42003000 if place == "hole" else symbol(place) + distance
        has(line, {"ESR_EL2": esr, "ELR_EL2": elr, **registers})
        assert line.get("s2walk") == (walks(symbol)["hole"] if place == "hole" else None)
    has(recorded[1], {"FAR_EL2": 0x42003000, "HPFAR_EL2": 0x420030})


def test_the_last_traps_are_the_rounds_and_the_end(entries, symbol):
    rest = of(entries, 0)[1 + len(faults(symbol)) + len(other_traps(symbol)) :]
    assert [(line["ESR_EL2"], line["x0"]) for line in rest[:-1]] == [
        (hvc(0x20), round) for round in range(4 * ROUNDS)
    ]
    has(rest[-1], {"ESR_EL2": hvc(0xFF), "ELR_EL2": symbol("at_off") + 4})


def test_an_interrupt_is_recorded_where_it_came(entries, symbol):
    line, = of(entries, 0, "host_irq")
    assert symbol("at_timer") + 4 <= line["ELR_EL2"] <= symbol("at_spin") + 4
    assert line["SPSR_EL2"] & 0x3CF == 0x345


def test_an_exception_inside_el2_is_recorded(entries):
    line, = of(entries, 0, "host_cur_spx_sync")
    assert line["ESR_EL2"] == 0x3C << 26 | IL | 0x77
    assert line["SPSR_EL2"] & 0xF == 9


def test_no_trap_of_the_other_cpu_is_missing(entries, symbol):
    first, *rounds, switch = of(entries, 1)
    has(first, {
        "ESR_EL2": data_abort(TRANSLATION | 1, 8, 7, True), "FAR_EL2": 0x09010008,
        "HPFAR_EL2": 0x90100, "ELR_EL2": symbol("at_ldr_1"), "sp": symbol("stacks") + 2 * 4096,
        "s2walk": walks(symbol)["device"],
    })
    assert [(line["ESR_EL2"], line["x0"]) for line in rounds] == [
        (hvc(0x21), 0x1000 + round) for round in range(ROUNDS)
    ]
    assert switch["ESR_EL2"] == hvc(0x30)
    guest = of(entries, 1, "guest_sync")[:ROUNDS]
    assert [(line["ESR_EL2"], line["x0"]) for line in guest] == [
        (hvc(0x31), 0x2000 + round) for round in range(ROUNDS)
    ]


def test_a_watched_word_is_recorded_first_and_when_it_has_changed(everything):
    changes = [(line["n"], line["watch"]) for line in everything.lines if "watch" in line]
    assert changes[0] == ("1", "stage2_level3+0x0=0x4100077f,stage2_level3+0x8=0x0")
    assert [watch for _, watch in changes[1:]] == ["stage2_level3+0x8=0x410017ff"]
    fault = next(line for line in everything.lines if line["FAR_EL2"] == 0x41001008)
    after = next(line for line in everything.lines if line["ESR_EL2"] == hvc(0x12))
    assert int(fault["n"]) < int(changes[1][0]) <= int(after["n"])


def test_returns_are_recorded_with_what_the_guest_gets(everything, symbol):
    lines = [line for line in everything.of(0) if line["vec"] in ("host_sync", "return")]
    call = next(n for n, line in enumerate(lines) if line["ESR_EL2"] == hvc(0x11))
    has(lines[call + 1], {
        **known_registers(), "vec": "return", "x0": 0xC0DE << 48 | 1,
        "ELR_EL2": symbol("at_hvc") + 4, "SPSR_EL2": 0x3C5, "pc": symbol("return_to_guest"),
    })
    assert not any("s2walk" in line for line in lines if line["vec"] == "return")
    read = next(
        n for n, line in enumerate(lines)
        if line["ELR_EL2"] == symbol("at_mrs") and line["vec"] != "return"
    )
    has(lines[read + 1], {"vec": "return", "x10": 0xAC71, "ELR_EL2": symbol("at_mrs") + 4})


def test_every_entry_from_the_guest_has_its_return(everything):
    """The return from an exception inside EL2 is none: it stays there."""
    vectors = [line["vec"] for line in everything.of(0) if line["vec"] != "host_cur_spx_sync"]
    assert vectors[0] == "return"
    assert vectors[1:-1:2] == [v for v in vectors[1:-1] if v != "return"]
    assert set(vectors[2::2]) == {"return"}


def test_another_cpu_model_traps_alike(qemu, image, fh_capture, symbol):
    """max has ESB, pointer authentication, and more."""
    done = fh_capture("--start", " ".join(qemu("max")), "--symbols", image, "--walk", "--skip-esb",
                      "--vbar", "host=host_vectors", "--vbar", "guest=guest_vectors")
    assert done.returncode == 0, done.stderr
    lines = done.recording.of(0, "host_sync")
    expected = [hvc(0x11), *(esr for _, esr, *_ in faults(symbol)),
                *(esr for _, _, esr, _ in other_traps(symbol))]
    assert [line["ESR_EL2"] for line in lines[: len(expected)]] == expected
    assert [line["s2walk"] for line in lines[1:10]] == [item[3] for item in faults(symbol)]
    guest = done.recording.of(1, "guest_sync")[:ROUNDS]
    assert [line["x0"] for line in guest] == [0x2000 + round for round in range(ROUNDS)]


def test_only_the_chosen_vectors_are_recorded(qemu, image, fh_capture):
    done = fh_capture("--start", " ".join(qemu()), "--symbols", image, "--vectors", "irq",
                      "--vbar", "host=host_vectors")
    assert [line["vec"] for line in done.recording.lines] == ["host_irq"]


def test_a_table_is_found_without_being_told(qemu, fh_capture, symbol):
    done = fh_capture("--start", " ".join(qemu(rounds=1 << 40)), "--poll", "0.02", "--count", "20")
    assert done.returncode == 0, done.stderr
    assert f"{symbol('host_vectors'):#x} unknown" in done.recording.comment("vectors")
    offsets = {"lower64_sync": 0x400, "lower64_irq": 0x480}
    for line in done.recording.lines:
        assert line["pc"] == symbol("host_vectors") + offsets[line["vec"]]
    assert len(done.recording.lines) == 20


def test_a_table_that_is_set_later_is_found_at_a_stop(qemu, fh_capture, symbol):
    table = symbol("host_vectors")
    done = fh_capture("--start", " ".join(qemu(rounds=60)), "--poll", "0", "--vbar", f"host={table}")
    assert done.recording.comment("vectors") == [
        f"{table:#x} host", f"{symbol('guest_vectors'):#x} unknown",
    ]
    found = done.recording.of(1, "lower64_sync")
    assert found
    assert {line["pc"] for line in found} == {symbol("guest_vectors") + 0x400}


def test_a_table_is_found_where_the_code_sets_it(qemu, image, fh_capture, symbol):
    """Told one table and where the code is, it misses nothing of the other table, either. No stop
    of CPU 0 helps: it waits."""
    command = " ".join(qemu(rounds=40, patient=1))
    done = fh_capture("--start", command, "--symbols", image, "--poll", "0",
                      "--vbar", "host=host_vectors")
    assert f"{symbol('guest_vectors'):#x} unknown" in done.recording.comment("vectors")
    guest = done.recording.of(1, "lower64_sync")
    assert [line["x0"] for line in guest if line["ESR_EL2"] == hvc(0x31)] == [
        0x2000 + round for round in range(40)
    ]


def test_code_that_is_told_by_its_address_is_searched_too(qemu, fh_capture, symbol):
    start = symbol("__hyp_text_start")
    done = fh_capture("--start", " ".join(qemu()), "--poll", "0", "--returns",
                      "--text", f"{start}:{symbol('__hyp_text_end') - start}")
    tables = done.recording.comment("vectors")
    assert tables == [f"{symbol(name):#x} unknown" for name in ("host_vectors", "guest_vectors")]
    assert done.recording.of(0, "lower64_sync")[0]["ESR_EL2"] == hvc(0x11)
    assert done.recording.of(0, "return")


@pytest.fixture
def running(qemu, tmp_path):
    """A QEMU that somebody else has started, and the address of its stub."""
    path = tmp_path / "gdb"
    process = subprocess.Popen([*qemu(rounds=1 << 40), "-gdb", f"unix:{path},server=on,wait=off"])
    while not path.exists() and process.poll() is None:
        time.sleep(0.01)
    yield process, path
    process.kill()
    process.wait()


def start_capture(address, path, **how):
    process = subprocess.Popen(
        [TOOL, address, "-o", path, "--poll", "0.2"], stderr=subprocess.PIPE, text=True, **how
    )
    wait_for(lambda: path.exists() and path.read_text().count("\nn=") >= 30)
    return process


def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_ends_the_recording_and_the_machine_runs_on(running, tmp_path, fh_capture):
    qemu_process, address = running
    path = tmp_path / "first.txt"
    capture = start_capture(address, path)
    capture.send_signal(signal.SIGINT)
    _, said = capture.communicate(timeout=20)
    assert capture.returncode == 0
    assert "interrupted" in said and "Traceback" not in said
    first = Recording(path)
    assert first.comment("end:")[0].startswith("interrupted")
    assert qemu_process.poll() is None
    again = fh_capture(address, "--count", "30")
    assert again.returncode == 0, again.stderr
    before, after = (
        [line["x0"] for line in recording.lines if line["ESR_EL2"] == hvc(0x20)]
        for recording in (first, again.recording)
    )
    assert max(before) < min(after)


def test_a_qemu_that_is_killed_leaves_whole_lines(running, tmp_path):
    qemu_process, address = running
    path = tmp_path / "recording.txt"
    capture = start_capture(address, path)
    qemu_process.kill()
    _, said = capture.communicate(timeout=20)
    assert capture.returncode == 2
    assert "the gdb stub is gone" in said and "Traceback" not in said
    recording = Recording(path)
    assert all(list(line)[-1] == "cpsr" for line in recording.lines)
    assert recording.comment("end:")[0].startswith("the gdb stub is gone")


@pytest.fixture
def started(qemu, tmp_path):
    """A capture that has started QEMU, and the process number of that."""
    path, pid, script = (tmp_path / name for name in ("recording.txt", "pid", "qemu"))
    command = " ".join(qemu(rounds=1 << 40))
    script.write_text(f'#!/bin/sh\nset -eu\necho $$ > {pid}\nexec {command} "$@"\n')
    script.chmod(0o755)
    capture = subprocess.Popen(
        [TOOL, "--start", script, "-o", path, "--poll", "0.05"], stderr=subprocess.PIPE,
        start_new_session=True,
    )
    wait_for(lambda: path.exists() and path.read_text().count("\nn=") >= 5)
    number = int(pid.read_text())
    assert is_there(number)
    yield capture, number, path
    if is_there(number):
        os.kill(number, signal.SIGKILL)


def is_there(pid):
    """Runs, and is no zombie that nobody has waited for."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_qemu_that_was_started_is_ended(started):
    """Ctrl-C goes to all that run in the terminal; QEMU is left to the tool."""
    capture, qemu_pid, path = started
    os.killpg(capture.pid, signal.SIGINT)
    capture.communicate(timeout=20)
    assert capture.returncode == 0
    assert Recording(path).comment("end:")[0].startswith("interrupted")
    assert not is_there(qemu_pid)


def test_qemu_does_not_outlive_a_capture_that_is_killed(started):
    capture, qemu_pid, path = started
    capture.kill()
    capture.wait()
    wait_for(lambda: not is_there(qemu_pid))
    assert Recording(path).lines


def test_progress_is_shown_on_a_terminal_only(qemu, tmp_path):
    words = [TOOL, "--start", " ".join(qemu(rounds=1 << 40)), "-o", tmp_path / "recording.txt",
             "--poll", "0.05", "--duration", "0.5"]
    master, terminal = pty.openpty()
    subprocess.run(words, stderr=terminal, check=True, timeout=20)
    os.close(terminal)
    shown = os.read(master, 65536).decode()
    os.close(master)
    assert "traps/s" in shown and "\r" in shown
    piped = subprocess.run(words, capture_output=True, text=True, check=True, timeout=20)
    assert "traps/s" not in piped.stderr and "\r" not in piped.stderr
    assert piped.stderr.startswith("fh-capture: 0.5 s: ")
