# SPDX-License-Identifier: GPL-2.0-only
"""docs/tour-of-a-trace.md: its commands print what it shows."""

import re
import shlex

import pytest

from recordings import SOURCE

TOUR = (SOURCE / "docs/tour-of-a-trace.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n\$ fhsim (.*)\n((?:.*\n)*?)```$", TOUR, re.MULTILINE)


def test_the_tour_has_its_commands():
    assert [block[0].split()[0] for block in BLOCKS] == [
        "replay", "show", "query", "show", "machine", "reduce", "why",
    ]


@pytest.mark.parametrize("command, shown", BLOCKS, ids=[block[0].split()[0] for block in BLOCKS])
def test_a_command_of_the_tour_prints_what_it_shows(fhsim, tmp_path, command, shown):
    arguments = [
        str(SOURCE / word) if word.startswith("tests/data") else
        str(tmp_path / word) if word == "a18.jsonl" else word
        for word in shlex.split(command)
    ]
    done = fhsim(*arguments)
    assert done.returncode in (0, 1), done.stderr
    printed = iter(done.stdout.splitlines())
    for line in shown.splitlines():
        if line != "...":
            assert any(line == there for there in printed), line
    if arguments[0] == "reduce":
        assert len((tmp_path / "a18.jsonl").read_text().splitlines()) == 5
