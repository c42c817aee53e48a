# SPDX-License-Identifier: GPL-2.0-only
"""fhsim has one writer of JSON, sim/base/json_out.c."""

import os
import re
from pathlib import Path

SIM = Path(os.environ["FH_SOURCE_DIR"]) / "sim"
WRITER = "base/json_out.c"

# What puts text somewhere; messages about bad input may quote JSON.
PUTS = re.compile(r"\b(?:f?printf|v?f?printf|f?puts|fputc|putc\w*|putchar|fwrite|v?as?n?printf)\(")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
# A key with its colon, or brackets and commas beside a quote or another bracket.
PIECE = re.compile(r'\\":|[{\[,] ?\\"|\\" ?[}\],]|\}\s*,\s*\{|\[\{|\}\]|^[\[\]{}]$')
# These write C, YAML, and the notation of patches.
OTHER_NOTATIONS = {
    "debug/fork.c", "machine/emit.c", "machine/infer_write.c", "patch/patch_events.c",
    "patch/places.c", "scenario/judge.c",
}


def calls(text):
    """The literals that each call which puts text has among its arguments."""
    for call in PUTS.finditer(text):
        depth, at = 1, call.end()
        while depth and at < len(text):
            literal = LITERAL.match(text, at)
            if literal:
                yield text.count("\n", 0, at) + 1, literal.group(1)
                at = literal.end()
                continue
            if text.startswith("'", at):
                at = text.index("'", at + 2)
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1


def json_by_hand(path):
    return [
        f"{path.relative_to(SIM)}:{line}: {literal}"
        for line, literal in calls(path.read_text())
        if PIECE.search(literal)
    ]


def test_no_other_file_of_fhsim_writes_json():
    wrong = [
        piece
        for path in sorted(SIM.rglob("*.c*"))
        if str(path.relative_to(SIM)) not in OTHER_NOTATIONS | {WRITER}
        for piece in json_by_hand(path)
    ]
    assert wrong == []


def test_json_by_hand_would_be_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.SIM", tmp_path)
    path = tmp_path / "x.c"
    for line in (
        r'fprintf(out, ",\"%s\":%u", key, value);',
        r'fputs("],\n\"rows\":[", out);',
        r'printf("%s{\"a\":1}", comma);',
        r'fputs("{", stdout);',
    ):
        path.write_text(line)
        assert json_by_hand(path), line
    path.write_text(r'''diag_plain("wanted \"lin\": [a]"); fputc('"', out); puts("a \"b\" c");''')
    assert json_by_hand(path) == []
