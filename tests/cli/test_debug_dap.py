# SPDX-License-Identifier: GPL-2.0-only
"""fhsim debug --dap: a client of the Debug Adapter Protocol, as an editor is one."""

import json
import os
import subprocess

import pytest

from recordings import SOURCE, VM, records  # noqa: F401: a fixture

SMP = SOURCE / "tests/data/04_vm2_two_vcpus_smp2_excerpt.jsonl.zst"
PFN = 0x40335


def framed(message):
    text = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(text), text)


class Client:
    """Sends requests and keeps what comes: responses by request, events in their order."""

    def __init__(self):
        self.process = subprocess.Popen([os.environ["FHSIM"], "debug", "--dap"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.seq = self.received = 0
        self.events = []

    def read(self):
        header = {}
        while (line := self.process.stdout.readline()) != b"\r\n":
            assert line, self.process.stderr.read()
            key, value = line.decode().split(":", 1)
            header[key] = value.strip()
        message = json.loads(self.process.stdout.read(int(header["Content-Length"])))
        self.received += 1
        assert message["seq"] == self.received
        return message

    def ask(self, command, **arguments):
        self.seq += 1
        request = {"seq": self.seq, "type": "request", "command": command}
        self.process.stdin.write(framed(request | ({"arguments": arguments} if arguments else {})))
        self.process.stdin.flush()
        while (message := self.read())["type"] == "event":
            self.events.append(message)
        assert message["type"] == "response" and message["request_seq"] == self.seq
        assert message["command"] == command
        return message

    def do(self, command, **arguments):
        response = self.ask(command, **arguments)
        assert response["success"], response
        return response.get("body")

    def event(self, name):
        while True:
            if not self.events:
                self.events.append(self.read())
            event = self.events.pop(0)
            assert event["type"] == "event"
            if event["event"] == name:
                return event["body"]

    def stop(self, command, **arguments):
        """A request that moves: the event that it has stopped."""
        self.do(command, **arguments)
        return self.event("stopped")

    def top(self, thread=1):
        return self.do("stackTrace", threadId=thread)["stackFrames"][0]

    def scope(self, name):
        scopes = self.do("scopes", frameId=self.top()["id"])["scopes"]
        reference = next(scope["variablesReference"] for scope in scopes if scope["name"] == name)
        return self.variables(reference)

    def variables(self, reference, **page):
        rows = self.do("variables", variablesReference=reference, **page)["variables"]
        return {row["name"]: row for row in rows}

    def close(self):
        if self.process.stdin.closed:
            return self.process.returncode
        self.process.stdin.close()
        status = self.process.wait(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


@pytest.fixture
def bare():
    client = Client()
    yield client
    client.process.kill()
    client.close()


@pytest.fixture
def client(bare):
    assert bare.do("initialize", adapterID="fhsim", linesStartAt1=True)["supportsStepBack"]
    bare.do("launch", program=str(VM))
    bare.event("initialized")
    bare.do("configurationDone")
    assert bare.event("stopped")["reason"] == "entry"
    return bare


def test_a_session_goes_both_ways_and_ends(client, records):
    order = [record["seq"] for record in records]
    assert client.top()["name"] == "#0 boot"
    for seq in order[1:4]:
        assert client.stop("next", threadId=1)["reason"] == "step"
        assert client.top()["name"].startswith(f"#{seq} ")
    client.stop("stepBack", threadId=1)
    assert client.top()["name"].startswith(f"#{order[2]} ")
    client.do("disconnect")
    assert client.process.wait(30) == 0


def test_the_source_has_a_line_for_each_record(client, records):
    text = client.do("source", sourceReference=1, source={"sourceReference": 1})["content"]
    assert [int(line.split()[0][1:]) for line in text.splitlines()] == [
        record["seq"] for record in records]
    client.stop("next", threadId=1)
    frame = client.top()
    assert text.splitlines()[frame["line"] - 1].startswith(frame["name"].split()[0] + " ")


def test_breakpoints_at_lines_stop_both_ways(client, records):
    found = client.do("setBreakpoints", source={"sourceReference": 1},
                      breakpoints=[{"line": 5}, {"line": 9}, {"line": 100000}])["breakpoints"]
    assert [stop["verified"] for stop in found] == [True, True, False]
    assert "records" in found[2]["message"]
    assert client.stop("continue", threadId=1)["reason"] == "breakpoint"
    assert client.top()["line"] == 5
    client.stop("continue", threadId=1)
    assert client.top()["line"] == 9
    client.stop("reverseContinue", threadId=1)
    assert client.top()["line"] == 5
    # Lines of the file itself.
    client.do("setBreakpoints", source={"path": str(VM)}, breakpoints=[{"line": 9}])
    client.stop("continue", threadId=1)
    assert client.top()["line"] == 9
    client.do("setBreakpoints", source={"sourceReference": 1}, breakpoints=[])
    client.stop("continue", threadId=1)
    assert client.top()["name"].startswith(f"#{records[-1]['seq']} ")


def test_functions_data_and_outcomes_stop(client, records):
    calls = [record["seq"] for record in records
             if any(fx["t"] == "fn" and fx["fn"] == "map_page_host" for fx in record.get("fx", ()))]
    stores = [record["seq"] for record in records for fx in record.get("fx", ())
              if fx["t"] == "pt_store" and int(fx["ipa"], 16) == PFN << 12]
    client.do("setFunctionBreakpoints", breakpoints=[{"name": "map_page_host"}])
    assert client.stop("continue", threadId=1)["reason"] == "function breakpoint"
    assert client.top()["name"].startswith(f"#{calls[0]} ")
    bad = client.do("setFunctionBreakpoints", breakpoints=[{"name": "no_such"}])["breakpoints"]
    assert not bad[0]["verified"] and "no_such" in bad[0]["message"]
    client.stop("stepBack", threadId=1)
    client.stop("evaluate", expression="goto start", context="repl")
    path = f"shared.npts.0.pt.{PFN:#x}.pte"
    info = client.do("dataBreakpointInfo", name=path)
    assert info["dataId"] == path
    assert client.do("dataBreakpointInfo", name="nonsense")["dataId"] is None
    client.do("setDataBreakpoints", breakpoints=[{"dataId": path, "accessType": "write"}])
    assert client.stop("continue", threadId=1)["reason"] == "data breakpoint"
    assert client.top()["name"].startswith(f"#{stores[0]} ")
    client.do("setDataBreakpoints", breakpoints=[])
    client.do("setExceptionBreakpoints", filters=["explained"])
    assert client.stop("continue", threadId=1)["reason"] == "exception"
    assert client.scope("Trap")["outcome"]["value"] == "explained"


def test_breakpoints_have_conditions(client, records):
    called = [record["seq"] for record in records
              for effect in record.get("fx", ())
              if effect["t"] == "fn" and effect["fn"] == "map_page_host"]
    late = next(seq for seq in called if seq > called[0])
    found = client.do("setFunctionBreakpoints", breakpoints=[
        {"name": "map_page_host", "condition": f"seq > {called[0]}"},
        {"name": "map_page_host", "condition": "seq >"}])["breakpoints"]
    assert [stop["verified"] for stop in found] == [True, False]
    assert "ends too early" in found[1]["message"]
    client.stop("continue", threadId=1)
    assert client.top()["name"].startswith(f"#{late} ")


def test_the_console_says_why(client, fhsim):
    client.do("evaluate", expression="goto 10213", context="repl")
    said = client.do("evaluate", expression="why", context="repl")["result"]
    assert said == fhsim("why", f"{VM}#10213").stdout


def test_a_step_goes_into_the_functions_of_a_trap(client, records):
    fx = next(record["fx"] for record in records if record["seq"] == 400)
    call = next(i for i, effect in enumerate(fx)
                if effect["t"] == "fn" and effect["fn"] == "map_page_host")
    client.stop("evaluate", expression="goto 201", context="repl")
    for _ in range(call + 2):
        client.stop("stepIn", threadId=1)
    frames = client.do("stackTrace", threadId=1)["stackFrames"]
    assert frames[0]["name"] == "map_page_host"
    assert frames[-1]["name"].startswith("#400 ")
    shown = client.scope("Effects")
    assert len(shown) == len(fx)
    assert f"> {call + 2}" in shown
    client.stop("stepBack", threadId=1)
    assert len(client.do("stackTrace", threadId=1)["stackFrames"]) == len(frames) - 1
    client.stop("stepOut", threadId=1)
    assert client.top()["name"].startswith("#400 ")


def test_the_state_is_a_tree_that_is_opened_part_by_part(client):
    client.stop("evaluate", expression="goto 400", context="repl")
    state = client.scope("State")
    assert state["halt"]["value"] == "false" and state["halt"]["variablesReference"] == 0
    shared = client.variables(state["shared"]["variablesReference"])
    npts = client.variables(shared["npts"]["variablesReference"])
    host = client.variables(npts["0"]["variablesReference"])
    count = host["pt"]["indexedVariables"]
    assert host["pt"]["value"] == f"{count} entries"
    page = client.variables(host["pt"]["variablesReference"])
    entry = client.variables(page[f"{PFN:#x}"]["variablesReference"])
    assert entry["pte"]["value"] == "0x100000040335fff"
    assert entry["pte"]["evaluateName"] == f"shared.npts.0.pt.{PFN:#x}.pte"
    assert client.do("evaluate", expression=entry["pte"]["evaluateName"],
                     context="hover")["result"].startswith("0x100000040335fff")
    first = list(client.variables(host["pt"]["variablesReference"], start=3, count=2))
    assert first == list(page)[3:5]
    # References are of this stop.
    client.stop("next", threadId=1)
    assert not client.ask("variables", variablesReference=10**6)["success"]


def test_the_console_has_the_commands_of_the_debugger(client):
    client.stop("evaluate", expression="goto 400", context="repl")
    assert client.do("evaluate", expression="owner 0x40335", context="repl")["result"].startswith(
        "page 0x40335: owner HOSTVISOR")
    assert "Host IPA" in client.do("evaluate", expression="tables --stage2 0",
                                   context="repl")["result"]
    assert client.do("evaluate", expression="1 + 1", context="watch")["result"] == "2"
    bad = client.ask("evaluate", expression="1 +", context="watch")
    assert not bad["success"] and "ends too early" in bad["message"]
    bad = client.ask("evaluate", expression="nxt", context="repl")
    assert not bad["success"] and "did you mean 'next'" in bad["message"]


def test_threads_are_the_cpus_of_the_trace(bare):
    bare.do("initialize", linesStartAt1=True)
    bare.do("launch", program=str(SMP))
    threads = {row["id"]: row["name"] for row in bare.do("threads")["threads"]}
    assert threads == {1: "CPU 0", 2: "CPU 1"}
    bare.do("configurationDone")
    bare.stop("evaluate", expression="goto end", context="repl")
    for thread in threads:
        frames = bare.do("stackTrace", threadId=thread)["stackFrames"]
        assert len(frames) == 1


def test_what_cannot_be_done_is_said(bare, tmp_path):
    assert "nothing is launched" in bare.ask("next", threadId=1)["message"]
    assert "no request 'fly'" in bare.ask("fly")["message"]
    assert "'program' is missing" in bare.ask("launch")["message"]
    bad = bare.ask("launch", program=str(tmp_path / "none"))
    assert not bad["success"] and bad["body"]["error"]["format"] == bad["message"]
    bare.do("launch", program=str(VM))
    assert "launched already" in bare.ask("launch", program=str(VM))["message"]
    bare.do("disconnect")
    assert bare.process.wait(30) == 0


@pytest.mark.parametrize("sent, message", [
    (b"Content-Length: x\r\n\r\n{}", "message 1: its Content-Length is no number"),
    (b"Content-Length: 99999999999999999999\r\n\r\n{}", "its Content-Length is no number"),
    (b"X: 1\r\n\r\n{}", "message 1: its header has no Content-Length"),
    (b"Content-Length: 9\r\n\r\n{}", "message 1: the input ends before it does"),
    (b"Content-Length: 4\r\n", "message 1: it ends in its header"),
    (b"Content-Length: 2\r\n\r\n{]", "message 1: byte"),
    (b"Content-Length: 2\r\n\r\n[]", "message 1: it is no object"),
    (framed({"type": "event"}) + b"Content-Length: 2\r\n\r\n[]", "message 2: it is no object"),
    pytest.param(b"A" * 5000, "a line of its header does not end", id="long"),
])
def test_what_is_no_message_ends_it(sent, message):
    done = subprocess.run([os.environ["FHSIM"], "debug", "--dap"], input=sent, capture_output=True,
                          timeout=60)
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert done.stdout == b""


def test_the_end_of_the_input_is_the_end(bare):
    bare.do("initialize")
    assert bare.close() == 0


SCENARIO = """\
description: The host touches two pages.
machine:
  regions:
    - {base: 2M, size: 8M}
steps:
  - {trap: host-npt-fault, ipa: 0x345000}
  - trap: host-npt-fault
    ipa: 0x346000
"""


def test_a_scenario_has_the_lines_of_its_file(bare, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(SCENARIO)
    bare.do("initialize", linesStartAt1=True)
    bare.do("launch", program=str(path))
    found = bare.do("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": 7}])
    assert found["breakpoints"][0]["verified"]
    bare.do("configurationDone")
    bare.event("stopped")
    assert bare.stop("continue", threadId=1)["reason"] == "breakpoint"
    frame = bare.top()
    assert (frame["line"], frame["source"]["path"]) == (7, str(path))
    assert frame["name"] == "#2 trap host-npt-fault"
    assert bare.scope("Trap")["expectation"]["value"] == "held"
    shown = [row["value"] for row in bare.scope("Effects").values()]
    call = next(i for i, text in enumerate(shown) if text.startswith("CALL") and "map_page" in text)
    bare.stop("stepBack", threadId=1)
    for _ in range(call + 2):
        bare.stop("stepIn", threadId=1)
    assert [row["name"] for row in bare.do("stackTrace", threadId=1)["stackFrames"]] == [
        "map_page_host", "#2 trap host-npt-fault"]
    assert bare.do("evaluate", expression="shared.npts.0.pt.0x345.pfn",
                   context="hover")["result"].startswith("0x345")
