# SPDX-License-Identifier: GPL-2.0-only
"""The tables of this folder: lines of fields between tabs, `#` before a comment."""

from pathlib import Path

FOLDER = Path(__file__).parent


def rows(name, columns):
    """The lines of a table as tuples, each with this many fields."""
    lines = (FOLDER / name).read_text().splitlines()
    table = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    wrong = [row for row in table if len(row) != columns]
    assert wrong == [], f"{name}: not {columns} fields"
    return table
