# SPDX-License-Identifier: GPL-2.0-only
"""fhsim query: the history of a part of the machine, from a recorded trace."""

import json

import pytest

from recordings import VM, records  # noqa: F401: a fixture


def query(fhsim, *arguments):
    done = fhsim("query", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["intervals"]


def stores_to(records, pfn):
    """The records that write a page's descriptor into the host's table."""
    return [
        record["seq"] for record in records for effect in record.get("fx", ())
        if effect["t"] == "pt_store" and effect["vmid"] == 0 and effect["level"] == "pte"
        and int(effect["new"], 0) >> 12 & 0xFFFFFFFFF == pfn and int(effect["new"], 0) & 3 == 3
    ]


def test_a_page_is_mapped_from_the_record_that_maps_it(fhsim, records):
    (first,) = stores_to(records, 0x40335)
    history = query(fhsim, VM, "--page", "0x40335")
    assert [step["is"] for step in history] == [
        "owner HOSTVISOR, shared 0, mapped by nobody",
        "owner HOSTVISOR, shared 0, mapped by host at 0x40335000",
    ]
    assert history[1]["first"] == first


def test_intervals_leave_no_record_out(fhsim, records):
    numbers = [record["seq"] for record in records]
    history = query(fhsim, VM, "--vm", "1")
    assert (history[0]["first"], history[-1]["last"]) == (numbers[0], numbers[-1])
    for before, after in zip(history, history[1:]):
        assert numbers.index(after["first"]) == numbers.index(before["last"]) + 1
        assert after["is"] != before["is"]


def test_a_vm_goes_through_its_life(fhsim):
    states = [step["is"].split(",")[0] for step in query(fhsim, VM, "--vm", "1")]
    assert sorted(set(states), key=states.index) == ["UNUSED", "READY", "VERIFIED"]


def test_an_address_of_a_vm_leads_somewhere_once_a_record_writes_it(fhsim, records):
    seq, effect = next(
        (record["seq"], effect) for record in records for effect in record.get("fx", ())
        if effect["t"] == "pt_store" and effect["vmid"] == 1 and effect["level"] == "pte"
    )
    history = query(fhsim, VM, "--ipa", f"vm1:{effect['ipa']}")
    assert history[0]["is"].startswith("not mapped")
    mapped = next(step for step in history if step["is"].startswith("to "))
    output = int(effect["new"], 0) & 0xFFFFFFFFF000
    assert (mapped["first"], mapped["is"].split()[1]) == (seq, hex(output))


def test_a_path_is_followed_up_to_a_record(fhsim):
    whole = query(fhsim, VM, "--path", "shared.core_data.next_remap_ptr")
    assert len(whole) > 1
    part = query(fhsim, f"{VM}#{whole[0]['last']}", "--path",
                 "shared.core_data.next_remap_ptr")
    assert part == whole[:1]


def test_shared_may_be_left_out_of_a_path(fhsim, tmp_path):
    whole = query(fhsim, VM, "--path", "shared.vminfos.1.VS.vm_state")
    assert len(whole) > 1
    assert query(fhsim, VM, "--path", "vminfos.1.VS.vm_state") == whole
    index = tmp_path / "index"
    assert query(fhsim, VM, "--path", "vminfos.1.VS.vm_state", "--index", index) == whole
    done = fhsim("query", VM, "--path", "vminfo.1")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_register_is_what_the_vcpu_left_at_its_last_exit(fhsim, records):
    history = query(fhsim, VM, "--register", "vm1.vcpu0.x19")
    for record in records:
        if record["kind"] != "guest_exit" or record["to"] != "host" or record["in"]["vmid"] != 1:
            continue
        (step,) = [step for step in history if step["first"] <= record["seq"] <= step["last"]]
        assert int(step["is"], 0) == int(record["in"]["x"][19], 0)


@pytest.mark.parametrize("lock, name, vmid", [("CORE_ID", "core", 0), ("S2PAGE_ID", "s2page", 0),
                                              ("SMMU_ID", "smmu", 0), ("72", "vm", 1)])
def test_a_lock_is_taken_by_the_traps_that_take_it(fhsim, records, lock, name, vmid):
    takers = {record["seq"] for record in records
              if any(effect["t"] == "lock" and (effect["lock"], effect["vmid"]) == (name, vmid)
                     for effect in record.get("fx", ()))}
    assert takers
    history = query(fhsim, VM, "--lock", lock)
    for record in records:
        (step,) = [step for step in history if step["first"] <= record["seq"] <= step["last"]]
        assert step["is"].startswith("taken by CPU") == (record["seq"] in takers)


@pytest.mark.parametrize("arguments, message", [
    ((), "one of --page"),
    (("--page", "x"), "'x' is no page frame number"),
    (("--page", str(1 << 64)), "is no page frame number"),
    (("--ipa", "vm:1"), "'vm:1' is none of"),
    (("--ipa", "smmu7.0:0x1000"), "banks below"),
    (("--vm", "99"), "there are VMs up to"),
    (("--path", "shared.nothing"), "no 'nothing' in shared"),
    (("--lock", "S2PAG"), "--lock: 'S2PAG' is no key"),
    (("--register", "vm1.x0"), "'vm1.x0' is no vmN.vcpuN.REGISTER"),
    (("--register", "vm1.vcpu99.x0"), "vCPUs below 4"),
    (("--register", "vm1.vcpu0.y0"), "no 'y0' in ctxt_regs"),
])
def test_what_is_not_there_is_said(fhsim, arguments, message):
    done = fhsim("query", VM, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("command", [("query", "--vm", "1"), ("show", "--owner"),
                                     ("machine", "propose"), ("machine", "infer")])
def test_a_file_that_is_no_trace_is_told_so(fhsim, tmp_path, command):
    path = tmp_path / "notes.txt"
    path.write_text("nothing that fhsim knows\n")
    done = fhsim(*command, path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{path}: not a trace, and not a recording that fhsim knows" in done.stderr


def test_a_record_that_the_trace_lacks_is_said(fhsim):
    done = fhsim("query", f"{VM}#99999999", "--vm", "1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no record #99999999" in done.stderr


def test_a_condition_parts_the_history_of_a_page(fhsim):
    whole = query(fhsim, VM, "--page", "0x13b400")
    given = [step for step in whole if step["is"].startswith("owner 1,")]
    assert given and given == query(fhsim, VM, "--page", "0x13b400", "--when", "owner == 1")
    assert given == query(fhsim, VM, "--page", "0x13b400", "--when",
                          "mapped by vm 1 && !mapped by host")
    rest = query(fhsim, VM, "--page", "0x13b400", "--when", "!(owner == 1)")
    assert [*rest, *given] == whole
    assert query(fhsim, VM, "--page", "0x13b400", "--when", "mapped by device") == []


def test_a_condition_alone_has_its_times(fhsim, records):
    times = query(fhsim, VM, "--when", "vminfos.1.VS.vm_state == VERIFIED && cur_vmid == 1")
    into = [record["seq"] for record in records if record.get("to") == "guest"]
    assert times and {step["first"] for step in times} <= set(into)


@pytest.mark.parametrize("condition, message", [
    ("vminfos.1.VS.vm_stat == 3", "--when:1:14: no 'vm_stat' in state_info"),
    ("owner ==", "--when:1:9: it ends too early"),
    ("owner == 1 owner", "--when:1:12: an operator is needed here"),
    ("mapped by me", "--when:1:1: no 'mapped by me'"),
    ("0x1ffffffffffffffff == 1", "--when:1:1: a number beyond 64 bits"),
    ("(1", "--when:1:3: ')' is missing")])
def test_a_condition_that_says_nothing_is_told(fhsim, condition, message):
    done = fhsim("query", VM, "--page", "0x13b400", "--when", condition)
    assert done.returncode == 2 and message in done.stderr


QUESTIONS = [("--page", "0x40335"), ("--page", "0x13b400"), ("--page", "0x13b679"),
             ("--ipa", "vm1:0x80096000"), ("--ipa", "host:0x40335000"), ("--ipa", "smmu0.2:0x1000"),
             ("--vm", "1"), ("--path", "shared.core_data.next_remap_ptr"),
             ("--path", "shared.s2page.0x13b679"), ("--path", "shared.vminfos.1"),
             ("--path", "log.S2PAGE_ID.length"), ("--lock", "S2PAGE_ID"), ("--lock", "72"),
             ("--register", "vm1.vcpu0.x19")]


def answers(fhsim, trace, *arguments):
    asked = [word for question in QUESTIONS for word in question]
    done = fhsim("query", trace, *asked, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_several_questions_have_the_answers_of_each(fhsim):
    for question, answer in zip(QUESTIONS, answers(fhsim, VM), strict=True):
        assert answer["intervals"] == query(fhsim, VM, *question)


@pytest.mark.parametrize("rest", [
    (), ("--when", "vminfos.1.VS.vm_state == VERIFIED && cur_vmid == 1"),
    ("--when", "s2page.0x13b679.s2_count > 0 || !(lock.S2PAGE_ID == 0)")])
def test_an_index_answers_as_the_trace_does(fhsim, tmp_path, rest):
    index = tmp_path / "index"
    for trace in (VM, f"{VM}#10213", f"{VM}#0"):
        assert answers(fhsim, trace, "--index", index, *rest) == answers(fhsim, trace, *rest)
    for when in ("owner == 1", "mapped by vm 1", "mapped by nobody && owner != 1"):
        asked = (VM, "--page", "0x13b400", "--when", when)
        assert query(fhsim, *asked, "--index", index) == query(fhsim, *asked)


def test_an_index_is_made_once_and_made_anew_for_another_trace(fhsim, tmp_path, records):
    index, trace = tmp_path / "index", tmp_path / "trace.jsonl"
    trace.write_text("".join(json.dumps(record) + "\n" for record in records))
    asked = (trace, "--vm", "1", "--index", index)
    whole = query(fhsim, *asked)
    made = index.stat()
    assert query(fhsim, *asked) == whole and index.stat() == made
    trace.write_text("".join(json.dumps(record) + "\n" for record in records[:100]))
    assert query(fhsim, *asked)[-1]["last"] == records[99]["seq"]
    index.write_bytes(index.read_bytes()[:-1])
    assert query(fhsim, *asked)[-1]["last"] == records[99]["seq"]


def test_what_is_no_index_is_left_alone(fhsim, tmp_path):
    notes = tmp_path / "notes.txt"
    for text in ("not an index\n", "x" * 5000):
        notes.write_text(text)
        done = fhsim("query", VM, "--vm", "1", "--index", notes)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{notes}: not an index that fhsim has made" in done.stderr
        assert notes.read_text() == text


def test_a_record_that_an_index_lacks_is_said(fhsim, tmp_path):
    done = fhsim("query", f"{VM}#99999999", "--vm", "1", "--index", tmp_path / "index")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no record #99999999" in done.stderr


def test_an_index_of_a_machine_that_was_changed_is_made_anew(fhsim, tmp_path):
    index, folder = tmp_path / "index", tmp_path / "mine"
    folder.mkdir()
    yaml = "machine: mine\ntitle: t\nextends: sekvm-4.18\nrecognised: {call: 6, pools: 66}\n"
    (folder / "machine.yaml").write_text(yaml)
    asked = (VM, "--vm", "1", "--machine", folder, "--index", index)
    query(fhsim, *asked)
    made = index.stat()
    query(fhsim, *asked)
    assert index.stat() == made
    (folder / "machine.yaml").write_text(yaml + "without: [A15]\n")
    query(fhsim, *asked)
    assert index.stat() != made


def test_a_trace_that_is_not_there_has_no_index(fhsim, tmp_path):
    done = fhsim("query", tmp_path / "nowhere", "--vm", "1", "--index", tmp_path / "index")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path / 'nowhere'}: cannot open: No such file or directory\n"
