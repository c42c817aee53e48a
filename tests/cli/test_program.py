# SPDX-License-Identifier: GPL-2.0-only
"""fhsim itself: its commands, its help, what it does with mistakes."""

import json
import os
import subprocess

import pytest

COMMANDS = ["conform", "convert", "functions", "replay", "run"]


def test_help_lists_the_commands(fhsim):
    result = fhsim("--help")
    assert result.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(fhsim, command):
    result = fhsim(command, "--help")
    assert result.returncode == 0
    assert result.stdout.startswith(f"usage: fhsim {command}")
    assert result.stderr == ""


def test_no_command_is_a_mistake(fhsim):
    result = fhsim()
    assert result.returncode == 2
    assert result.stdout == ""
    assert "usage: fhsim COMMAND" in result.stderr


@pytest.mark.parametrize("word, meant", [("confrom", "conform"), ("rnu", "run"), ("play", "replay")])
def test_an_unknown_command_suggests_the_nearest(fhsim, word, meant):
    result = fhsim(word)
    assert result.returncode == 2
    assert f"unknown command '{word}'; did you mean '{meant}'?" in result.stderr


def test_an_unknown_command_far_from_all_points_to_the_help(fhsim):
    result = fhsim("xyzzy")
    assert result.returncode == 2
    assert "fhsim --help" in result.stderr


def test_version_is_printed(fhsim):
    result = fhsim("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("fhsim 0.")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_a_mistake(fhsim, command):
    result = fhsim(command, "--frobnicate", "x")
    assert result.returncode == 2
    assert "--frobnicate" in result.stderr


@pytest.mark.parametrize("command", ["conform", "replay"])
def test_a_command_without_its_files_is_a_mistake(fhsim, command):
    result = fhsim(command)
    assert result.returncode == 2
    assert result.stdout == ""


def test_output_that_cannot_be_written_is_an_error(fhsim):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([os.environ["FHSIM"], "functions"], stdout=full,
                                stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert result.returncode == 2
    assert "cannot write" in result.stderr


def test_functions_prints_signatures_by_layer(fhsim):
    lines = fhsim("functions").stdout.splitlines()
    layer = lines.index("MemManager")
    assert any(line.startswith("  map_page_host(u64 addr) -> state ") for line in lines[layer:])
    assert lines.index("FaultHandler") > layer


def test_functions_says_how_many_vectors_call_each(fhsim, source):
    [row] = [row for row in json.loads(fhsim("functions", "--json").stdout)
             if row["name"] == "clear_vm_page"]
    vectors = sorted((source / "tests/conformance/vectors").glob("*.jsonl.zst"))
    report = json.loads(fhsim("conform", "--json", "--function", "clear_vm_page", *vectors).stdout)
    assert report["passed"] == row["vectors"] + row["vectors_of_body"]
    [line] = [line for line in fhsim("functions").stdout.splitlines() if " clear_vm_page(" in line]
    assert line.endswith(f" {row['vectors']} vectors, {row['vectors_of_body']} of its body")


def test_functions_as_json_have_the_same_rows(fhsim):
    rows = json.loads(fhsim("functions", "--json").stdout)
    emulate = next(row for row in rows if row["name"] == "emulate_mmio")
    assert emulate["layer"] == "MmioOps"
    assert emulate["args"] == [{"name": "addr", "bits": 64}, {"name": "hsr", "bits": 32}]
    assert (emulate["changes_state"], emulate["result_bits"]) == (True, 32)
    text = fhsim("functions").stdout
    assert text.splitlines()[-1] == f"{len(rows)} functions"
