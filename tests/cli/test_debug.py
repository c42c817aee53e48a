# SPDX-License-Identifier: GPL-2.0-only
"""fhsim debug: through a trace both ways, by lines from a file, a pipe and a terminal."""

import json
import os
import pty
import random
import re
import select
import subprocess
import time

import pytest

from recordings import HOST, PLAIN, SOURCE, VM, diverging, lines_of, records  # noqa: F401

SMP = SOURCE / "tests/data/04_vm2_two_vcpus_smp2_excerpt.jsonl.zst"
PFN = 0x40335
ENTRY = f"shared.npts.0.pt.{PFN:#x}.pte"


@pytest.fixture
def debug(fhsim, tmp_path):
    """What commands print, one text for each, told apart by a command that prints a mark."""

    def run(trace, *commands):
        path = tmp_path / "commands"
        path.write_text("".join(f"{command}\nprint 12345\n" for command in commands))
        done = fhsim("debug", trace, "--commands", path)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.split("12345 = 0x3039 (12345, 0x3039)\n")[:-1]

    return run


def sequence(text):
    return int(re.match(r"#(\d+)", text.splitlines()[-1])[1])


def in_order(records):
    """The numbers of the records, in the order of a trace of one CPU."""
    return [record["seq"] for record in records]


# --- Going -----------------------------------------------------------------------------------------


def test_next_and_prev_go_from_record_to_record(debug, records):
    order = in_order(records)
    went = debug(VM, "where", "next", "next", "next 5", "prev", "prev 3", "goto end", "prev",
                 "goto start")
    assert [sequence(text) for text in went] == [order[i] for i in (0, 1, 2, 7, 6, 3, -1, -2, 0)]


def test_the_state_behind_a_record_is_the_same_whichever_way_it_was_reached(debug, fhsim, records):
    random.seed(3)
    wanted = random.sample(in_order(records)[1:], 6)
    commands = [line for seq in wanted for line in (f"goto {seq}", "tables --stage2 0 --long",
                                                   "tables --owner")]
    shown = debug(VM, *commands)
    for seq, table, owners in zip(wanted, shown[1::3], shown[2::3]):
        assert table == fhsim("show", f"{VM}#{seq}", "--stage2", "0", "--long").stdout
        assert owners == fhsim("show", f"{VM}#{seq}", "--owner").stdout


def test_records_that_overlapped_have_their_state_whichever_way(debug, fhsim):
    order = [int(line.split()[0].removeprefix(">").strip().removeprefix("#"))
             for line in debug(SMP, "goto end", "list")[1].replace("> ", "  ").splitlines()]
    went = debug(SMP, "goto end", "tables --owner", *["prev"] * 300, *["next"] * 300,
                 "tables --owner", "tables --stage2 0")
    assert went[-2] == went[1] == fhsim("show", f"{SMP}#{order[-1]}", "--owner").stdout
    assert went[-1] == fhsim("show", f"{SMP}#{order[-1]}", "--stage2", "0").stdout
    # Behind each record on the way back is what was behind it on the way there.
    there = [sequence(text) for text in went[2:302]]
    back = [sequence(text) for text in went[302:602]]
    assert back[:-1] == there[-2::-1]


def test_a_trace_can_be_opened_at_a_record(fhsim):
    assert fhsim("debug", f"{VM}#400", stdin="where\n").stdout.startswith("#400 (line 5): host_npt")
    done = fhsim("debug", f"{VM}#399", stdin="where\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no record #399" in done.stderr


# --- Into a trap -----------------------------------------------------------------------------------


def test_a_step_goes_from_effect_to_effect_with_the_state_in_between(debug, records):
    fx = next(record["fx"] for record in records if record["seq"] == 400)
    store = next(i for i, effect in enumerate(fx) if effect["t"] == "pt_store")
    lock = next(i for i, effect in enumerate(fx)
                if effect["t"] == "lock" and effect["lock"] == "s2page")
    before = int(fx[store]["old"], 16)
    after = int(fx[store]["new"], 16)
    text = debug(VM, "goto 201", f"step {store + 1}", f"print {ENTRY}", "locks", "step",
                 f"print {ENTRY}", "reverse-step", f"print {ENTRY}", f"rs {store - lock}", "locks",
                 "step", "locks", "next", "locks")
    assert text[1].startswith(f"#400, before effect {store + 1} of {len(fx)}: pt_store")
    assert text[2] == f"{ENTRY} = {before}\n"
    assert text[3] == "s2page: CPU 0\npt 0: CPU 0\n"
    assert text[5].endswith(f"{after:#x})\n")
    assert text[7] == text[2]
    assert text[9] == "no lock is held\n"
    assert text[11] == "s2page: CPU 0\n"
    assert text[12].startswith("#400 (line ")
    assert text[13] == "no lock is held\n"


def test_all_effects_forward_are_all_effects_backward(debug, records):
    count = next(len(record["fx"]) for record in records if record["seq"] == 400)
    went = debug(VM, "goto 201", *["step"] * (count + 1), *["rs"] * (count + 1))
    assert went[count + 1].startswith("#400 (line")
    assert went[1:count + 1] == went[count + 2:2 * count + 2][::-1]
    assert went[-1] == went[0]


# --- Stops -----------------------------------------------------------------------------------------


def effects(record, kind):
    return [effect for effect in record.get("fx", ()) if effect["t"] == kind]


def names_page(record):
    return (any(int(e["pfn"], 16) == PFN for e in effects(record, "s2_read")) or
            any(PFN in (int(e[side], 16) >> 12 & 0xfffffffff for side in ("old", "new"))
                for e in effects(record, "pt_store")))


STOPS = {
    "break kind guest_exit": lambda record: record["kind"] == "guest_exit",
    "break function clear_vm_s2_range": lambda record: any(
        e["fn"] == "clear_vm_s2_range" for e in effects(record, "fn")),
    "break function map_page_host": lambda record: any(
        e["fn"] == "map_page_host" for e in effects(record, "fn")),
    f"break page {PFN:#x}": names_page,
    f"rwatch s2page.{PFN:#x}": lambda record: any(
        int(e["pfn"], 16) == PFN for e in effects(record, "s2_read")),
}


@pytest.mark.parametrize("command", [name for name in STOPS if "clear_vm" not in name])
def test_what_stops_forward_stops_backward(debug, records, command):
    expected = [record["seq"] for record in records[1:] if STOPS[command](record)]
    assert expected
    went = debug(VM, command, *["continue"] * (len(expected) + 1),
                 *["reverse-continue"] * (len(expected) + 1))
    forward, back = went[1:len(expected) + 2], went[len(expected) + 2:]
    assert [sequence(text) for text in forward[:-1]] == expected
    assert "nothing stopped it before the end" in forward[-1]
    last = expected[::-1][records[-1]["seq"] == expected[-1]:]
    assert [sequence(text) for text in back[:len(last)]] == last
    assert "nothing stopped it before the beginning" in back[len(last)]


def test_a_deviation_stops_where_a_replay_says_that_it_explains(debug, fhsim):
    report = json.loads(fhsim("replay", VM, "--format", "json").stdout)
    rows = {name: row for name, row in report["deviations"].items() if row["traps"]}
    identifier, row = next(iter(sorted(rows.items())))
    went = debug(VM, f"break deviation {identifier}", *["continue"] * row["traps"], "continue")
    assert str(sequence(went[1])) == row["first"].split("#")[1]
    assert "nothing stopped" in went[-1]
    assert all("nothing stopped" not in text for text in went[:-1])


def test_a_trap_that_nothing_explains_stops(debug, diverging):
    went = debug(diverging, "break unexplained", "c", "effects", "c", "rc")
    assert sequence(went[1]) == sequence(went[4]) == PLAIN
    assert "unexplained" in went[1]
    marked = [line for line in went[2].splitlines() if line[1] == "!"]
    assert any("s2_read" in line and "owner 7" in line for line in marked)
    assert any("panic" in line for line in marked)
    assert len(marked) < len(went[2].splitlines())
    assert "nothing stopped" in went[3]


@pytest.mark.parametrize("name", ["deviations/A16", "deviations/E3", "09_smmu_vm_domains_excerpt"])
def test_a_broken_invariant_stops_where_a_replay_finds_it(debug, fhsim, name):
    trace = SOURCE / f"tests/data/{name}.jsonl.zst"
    violations = json.loads(fhsim("replay", trace, "--format", "json").stdout)["violations"]
    invariant, row = next(iter(violations.items()))
    went = debug(trace, f"break invariant {invariant}", *["c"] * (row["traps"] + 1))
    assert str(sequence(went[1])) == row["first"].split("#")[1]
    assert f"breaks {invariant}" in went[1]
    assert "nothing stopped" in went[-1] and "nothing stopped" not in went[-2]


def test_a_watch_tells_each_change_both_ways(debug, records):
    expected = [(record["seq"], effect["old"], effect["new"]) for record in records
                for effect in effects(record, "pt_store")
                if int(effect["ipa"], 16) == PFN << 12 and effect["level"] == "pte"
                and effect["vmid"] == 0]
    assert expected
    went = debug(VM, f"watch {ENTRY}", *["continue"] * len(expected), "continue", "rc")
    for (seq, old, new), text in zip(expected, went[1:]):
        assert sequence(text) == seq
        assert f"{old} -> {new}" in text
    assert "nothing stopped" in went[-2]
    assert sequence(went[-1]) == expected[-1][0]
    assert f"{expected[-1][1]} -> {expected[-1][2]}" in went[-1]
    who = debug(VM, "goto end", f"who {ENTRY}")[1]
    assert f"by #{expected[-1][0]} " in who
    assert debug(VM, f"who {ENTRY}")[0] == f"{ENTRY} is 0x0 since the beginning\n"


def test_a_condition_stops_where_it_becomes_true(debug, records):
    seq = next(record["seq"] for record in records for effect in effects(record, "pt_store")
               if int(effect["ipa"], 16) == PFN << 12)
    condition = f"{ENTRY} != 0 && !(cpu == 1) && seq > 3"
    went = debug(VM, f"break if {condition}", "c", "c", "rc")
    assert [sequence(went[1]), sequence(went[3])] == [seq, seq]
    assert "nothing stopped" in went[2]


def test_a_condition_is_of_the_page_that_the_trap_is_about(debug, records):
    went = debug(VM, "goto 10213", "owner", "print owner", "print count", "print gfn")
    read = next(effect for record in records if record["seq"] == 10213
                for effect in effects(record, "s2_read"))
    assert int(read["index"], 16) + 0x40000 == 0x13b679
    assert went[1].startswith("page 0x13b679: owner 1, shared 0, gfn 0x80096")
    values = [int(text.split(" = ")[1].split()[0], 0) for text in went[2:]]
    assert values == [int(str(read["owner"]), 0), 0, 0x80096]


def test_a_stop_with_a_condition_stops_only_where_it_holds(debug, records):
    exits = [record["seq"] for record in records if record["kind"] == "guest_exit"]
    wanted = [seq for seq in exits if seq > 10203]
    went = debug(VM, "break kind guest_exit if seq > 10203", "c", "c", "info breakpoints", "rc", "rc")
    assert [sequence(went[1]), sequence(went[2]), sequence(went[4])] == [*wanted[:2], wanted[0]]
    assert went[3] == "1  break kind guest_exit if seq > 10203\n"
    assert "nothing stopped" in went[5]


def test_stops_are_listed_and_removed(debug):
    went = debug(VM, "info breakpoints", "break unexplained", "break kind gap", "delete 1",
                 "info breakpoints", "delete", "info breakpoints")
    assert went[0] == went[6] == "nothing stops\n"
    assert went[4] == "2  break kind gap\n"


# --- To look at ------------------------------------------------------------------------------------


def test_a_delta_is_what_two_records_have_between_them(debug):
    went = debug(VM, "goto 600", "delta 201 400", "where", "goto 400", "delta")
    row = f"  shared.npts.0.pt.{PFN:#x}: [0, 0, 0] -> [{PFN:#x}, 3, 0x1000000{PFN << 12 | 0xfff:08x}]"
    assert row in went[1].splitlines()
    assert went[2].startswith("#600 ")
    assert went[4] == went[1]


@pytest.mark.parametrize("expression, value", [
    ("1 + 2 == 3", 1), ("7 - 2 - 1", 4), ("1 << 4 | 0", None), ("(1 + 1) << 2", 8),
    ("0x10 & 0x18", 16), ("1 < 2 && 2 < 1", 0), ("0 || 5 > 4 && 1", 1), ("!0 == 1", 1),
    ("!(1 == 1) || 1 != 1", 0), ("18446744073709551615 + 1", 0)])
def test_expressions_have_the_values_that_they_have_in_c(debug, fhsim, expression, value):
    if value is None:
        assert fhsim("debug", VM, stdin=f"print {expression}\n").returncode == 2
        return
    shown = debug(VM, f"print {expression}")[0].split(" = ")[1]
    number = re.search(r"\((\d+), ", shown)
    assert int(number[1] if number else shown.split()[0], 0) == value


def test_why_is_what_the_command_of_its_own_says(debug, fhsim):
    said = debug(VM, "goto 10213", "why")[1]
    assert said == fhsim("why", f"{VM}#10213").stdout
    assert "#10213" in said


def test_a_trap_is_told_whole(debug, records):
    text = debug(VM, "goto 400", "trap")[1]
    count = next(len(record["fx"]) for record in records if record["seq"] == 400)
    assert "host_npt on CPU 0, matched" in text
    assert "map_page_host" in text
    assert f"  {count:3} " in text and f"  {count + 1:3} " not in text
    assert f"shared.npts.0.pt.{PFN:#x}: [0, 0, 0] -> " in text


# --- Beside the recording --------------------------------------------------------------------------


def test_a_fork_leaves_the_recording_as_it_was(debug):
    went = debug(VM, "goto 400", "tables --stage2 0", "fork",
                 "try trap: host-npt-fault, ipa: 0x40345000", "tables --stage2 0", "undo",
                 "tables --stage2 0", "try trap: host-npt-fault, ipa: 0x40346000", "back",
                 "tables --stage2 0", "next")
    assert "CALL         map_page_host addr=0x40345000" in went[3]
    assert "PT_STORE     vmid=0" in went[3]
    assert went[4] != went[1]
    assert went[6] == went[9] == went[1]
    assert sequence(went[10]) == 401


def test_a_recorded_trap_tried_in_a_fork_writes_what_was_recorded(debug, records):
    store = effects(next(r for r in records if r["seq"] == 400), "pt_store")[0]
    went = debug(VM, "goto 201", "fork", f"try {{trap: host-npt-fault, ipa: {PFN << 12:#x}}}")
    assert f"PT_STORE     vmid=0 pa={store['pa']} old=0 new={store['new']} level=3" in went[2]


# --- What is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize("line, place, message", [
    ("nxt", "2:1", "no command 'nxt'; did you mean 'next'?"),
    ("goto x", "2:6", "'x' is no number"),
    ("goto 12345678", "2:6", "there is no record #12345678"),
    ("prev", "2:0", "this is the beginning"),
    ("next 0", "2:6", "how often?"),
    ("print shared.nonsense", "2:14", "no 'nonsense' in shared"),
    ("print 1 +", "2:10", "it ends too early"),
    ("print (1", "2:9", "')' is missing"),
    ("print 99999999999999999999", "2:7", "a number beyond 64 bits"),
    ("break kind x", "2:12", "'x' is no kind of trap"),
    ("break if 1 ==", "2:14", "it ends too early"),
    ("break function no_such_function", "2:16", "is no function"),
    ("break deviation Z9", "2:17", "'Z9' is not in the catalogue"),
    ("break invariant x", "2:17", "'x' is no invariant"),
    ("rwatch shared.halt", "2:8", "a page frame number is needed"),
    ("delete 7", "2:8", "there is no stop 7"),
    ("owner", "2:6", "owner of which page?"),
    ("tables", "2:7", "tables of what?"),
    ("where now", "2:7", "'where' takes no argument"),
    ("undo", "2:1", "'undo' is of a fork"),
    ("try trap: host-npt-fault", "2:1", "'try' is of a fork"),
    ("print " + "(" * 1000, "2:107", "nested more than 100 deep"),
])
def test_a_bad_command_is_told_with_its_place(fhsim, tmp_path, line, place, message):
    path = tmp_path / "commands"
    path.write_text(f"# a comment\n{line}\nwhere\n")
    done = fhsim("debug", VM, "--commands", path)
    assert done.returncode == 2
    where = place.removesuffix(":0")
    assert f"{path}:{where}: " in done.stderr
    assert message in done.stderr
    assert done.stdout == ""


def test_a_bad_step_of_a_fork_is_told_with_its_place(fhsim):
    done = fhsim("debug", VM, stdin="fork\ntry trap: host-npt-fault, ipa: 0xfoo\n")
    assert done.returncode == 2
    assert "<stdin>:2:32: ipa: '0xfoo' is no number" in done.stderr


@pytest.mark.parametrize("arguments, message", [
    ([], "one trace or scenario is needed"), ([VM, VM], "one trace or scenario is needed"),
    (["no-such-file.jsonl"], "no-such-file.jsonl"),
    ([VM, "--commands", "no-such-file"], "no-such-file"),
    ([VM, "--machine", "nonsense"], "nonsense")])
def test_what_cannot_be_opened_is_bad_input(fhsim, arguments, message):
    done = fhsim("debug", *arguments, stdin="")
    assert done.returncode == 2
    assert message in done.stderr


def test_a_cut_trace_is_bad_input(fhsim, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_text("\n".join(lines_of(HOST)[:5])[:-30])
    done = fhsim("debug", path, stdin="where\n")
    assert done.returncode == 2
    assert f"{path}:5:" in done.stderr


# --- On a terminal ---------------------------------------------------------------------------------


class Terminal:
    def __init__(self, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([os.environ["FHSIM"], *map(str, arguments)], stdin=slave,
                                        stdout=slave, stderr=slave, close_fds=True,
                                        start_new_session=True,
                                        env={**os.environ, "TERM": "xterm", "EDITRC": "/dev/null"})
        os.close(slave)
        self.seen = ""

    def until(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            assert ready, f"no {text!r} in {self.seen!r}"
            try:
                self.seen += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                break
        assert text in self.seen, self.seen
        before, self.seen = self.seen.split(text, 1)
        return before

    def end(self, seconds=30):
        """Its exit status. What it writes last is read: it waits for that."""
        end = time.monotonic() + seconds
        while select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
            try:
                if not os.read(self.master, 4096):
                    break
            except OSError:
                break
        return self.process.wait(max(1, end - time.monotonic()))

    def type(self, text):
        os.write(self.master, text.encode())


@pytest.fixture
def terminal():
    started = Terminal("debug", VM)
    yield started
    if started.process.poll() is None:
        started.process.terminate()
    started.process.wait()
    os.close(started.master)


def test_a_terminal_has_a_prompt_completion_history_and_repetition(terminal):
    terminal.until("(fh) ")
    terminal.type("goto 400\n")
    terminal.until("#400 (line 5): host_npt")
    terminal.until("(fh) ")
    terminal.type("pre\t\n")                      # completed
    terminal.until("#201 ")
    terminal.until("(fh) ")
    terminal.type("\n")                           # the last one again
    terminal.until("#200 ")
    terminal.until("(fh) ")
    terminal.type("\x1b[A\x1b[A\n")               # two up in the history
    terminal.until("#400 (line 5): host_npt")
    terminal.until("(fh) ")
    terminal.type("print halt +\n")
    assert "^" in terminal.until("it ends too early")
    terminal.until("(fh) ")
    terminal.type("fork\n")
    terminal.until("fork> ")
    terminal.type("quit\n")
    assert terminal.end() == 0


def test_the_end_of_input_ends_the_debugger(terminal):
    terminal.until("(fh) ")
    time.sleep(0.3)  # the prompt is there a little before the line is edited
    terminal.type("\x04")
    assert terminal.end() == 0


# --- docs/debug.md ---------------------------------------------------------------------------------

PAGE = (SOURCE / "docs/debug.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"^```console\n\$ fhsim debug (.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("trace, session", SESSIONS)
def test_the_page_shows_what_the_debugger_says(debug, trace, session):
    parts = re.split(r"^(?:\(fh\)|fork>) (.*)\n", session, flags=re.MULTILINE)[1:]
    commands, expected = parts[::2], parts[1::2]
    assert commands
    for shown, said in zip(expected, debug(SOURCE / trace, *commands)):
        printed = iter(said.splitlines())
        for line in shown.splitlines():
            if line != "...":
                assert any(line == there for there in printed), line
        if "..." not in shown:
            assert shown == said


def test_the_page_and_the_help_have_the_same_commands(fhsim):
    told = {line.split(",")[0].split()[0]
            for line in fhsim("debug", HOST, stdin="help\n").stdout.splitlines()
            if re.match(r"  [a-z]", line)}
    table = PAGE.split("## Commands")[1].split("## ")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert told == {name for cell in cells for name in re.findall(r"`([a-z-]+)", cell)}


# --- Scenarios -------------------------------------------------------------------------------------

SCENARIO = """\
description: The host touches two pages, and a VM's.
machine:
  regions:
    - {base: 2M, size: 6M}
    - {base: 8M, size: 2M, owner: 1}
steps:
  - trap: host-npt-fault
    ipa: 0x345000
    expect: {state: {shared.npts.0.pt.0x345.pfn: 0x345}}
  - name: the second page
    trap: host-npt-fault
    ipa: 0x346000
  - trap: host-npt-fault
    ipa: 0x800000
    expect: {halted: true}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(SCENARIO)
    return path


def test_the_steps_of_a_scenario_are_its_records(debug, scenario):
    entry = "shared.npts.0.pt.0x346.pfn"
    went = debug(scenario, "list", "next", f"print {entry}", "next", f"print {entry}", "prev",
                 f"print {entry}", "delta 1 2", "goto end", "print halt", "prev", "print halt")
    lines = went[0].splitlines()
    assert [line[2:].split(":")[0] for line in lines] == [
        "#0 (line 1)", "#1 (line 7)", "#2 (line 10)", "#3 (line 13)"]
    assert "the second page" in lines[2]
    assert went[2] == went[6] == f"{entry} = 0\n"
    assert went[4].startswith(f"{entry} = 0x346 ")
    assert "shared.npts.0.pt.0x346: [0, 0, 0] -> [838, 3, 0x346fff]" in went[7]  # 0x346
    assert (went[9], went[11]) == ("halt = true\n", "halt = false\n")


def test_a_scenario_has_stops_both_ways(debug, scenario):
    went = debug(scenario, "break function map_page_host", "c", "c", "c", "c", "rc", "delete",
                 "watch halt", "goto start", "c", "rc", "delete", "break page 0x346", "c", "delete",
                 "goto start", "rwatch 0x800", "c")
    assert [sequence(went[i]) for i in (1, 2, 3, 4, 5)] == [1, 2, 3, 3, 2]
    assert "0x0 -> 0x1" in went[9] and sequence(went[9]) == 3
    assert sequence(went[13]) == 2
    assert sequence(went[17]) == 3


def test_the_effects_of_a_step_are_those_that_run_traces(debug, fhsim, scenario):
    traced = fhsim("run", "--trace", scenario).stdout
    text = debug(scenario, "goto 1", "effects", "goto start", "step 2", "step", "rs")
    effects = [line[6:] for line in text[1].splitlines()]
    assert len(effects) > 5
    assert [line.strip() for line in traced.splitlines() if line.strip() in effects][:len(effects)]
    assert all(any(line.strip() == effect for line in traced.splitlines()) for effect in effects)
    assert text[3].startswith(f"#1, before effect 2 of {len(effects)}: ")
    assert text[5] == text[3]


def test_a_scenario_that_fails_ends_at_the_step_and_says_why(debug, tmp_path):
    path = tmp_path / "failing.yaml"
    path.write_text(SCENARIO.replace("pfn: 0x345", "pfn: 0x347"))
    went = debug(path, "goto end", "where")
    assert went[1].startswith("#1 (line 7): ")
    assert "failed: shared.npts.0.pt.0x345.pfn: expected 0x347, got 0x345" in went[1]


def test_a_fork_of_a_scenario_takes_other_steps(debug, scenario):
    went = debug(scenario, "goto 1", "fork", "try {trap: host-npt-fault, ipa: 0x800000}",
                 "print halt", "undo", "print halt", "try call: map_page_host, args: [0x347000]",
                 "print shared.npts.0.pt.0x347.pfn", "back", "print shared.npts.0.pt.0x347.pfn",
                 "goto 2", "goto 1")
    assert "KCore has halted" in went[2]
    assert (went[3], went[5]) == ("halt = true\n", "halt = false\n")
    assert went[7].startswith("shared.npts.0.pt.0x347.pfn = 0x347")
    assert went[9] == "shared.npts.0.pt.0x347.pfn = 0\n"


@pytest.mark.parametrize("command", ["break unexplained", "break kind gap", "break deviation A1",
                                     "break invariant host_iso"])
def test_what_only_a_trace_has_is_refused_of_a_scenario(fhsim, scenario, command):
    done = fhsim("debug", scenario, stdin=command + "\n")
    assert done.returncode == 2
    assert "this is a scenario" in done.stderr


def test_a_bad_scenario_is_bad_input(fhsim, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(SCENARIO.replace("ipa: 0x346000", "ipa: x"))
    done = fhsim("debug", path, stdin="where\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}:12:10: " in done.stderr


@pytest.mark.parametrize("path", sorted((SOURCE / "scenarios/isolation").glob("*.yaml"))[:6],
                         ids=lambda path: path.stem)
def test_shipped_scenarios_can_be_walked_through(debug, path):
    text = debug(path, "goto end", "list", "prev", "trap")
    assert "failed" not in text[1]
