# SPDX-License-Identifier: GPL-2.0-only
"""What holds for every file of the repository."""

import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
SPDX = "SPDX-License-Identifier: GPL-2.0-only"

# Formats without comments, and the licence itself.
NO_COMMENTS = {".bin", ".json", ".jsonl", ".zst", ".cbor", ".tsv", ".txt", ".png", ".svg"}
LICENCE = "COPYING"

# Where a file would say on whose machine it was written. The system's own directories are
# everybody's.
WORKPLACE = re.compile(r"(?<![\w.$})~*-])/(?:home|root|work|mnt|Users|tmp)/\w+")


def files():
    """All files that are or will be in the repository: not build products, not hidden ones."""
    command = ["git", "-C", SOURCE, "ls-files", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0:
        names = result.stdout.splitlines()
        return [SOURCE / name for name in names if (SOURCE / name).is_file()]
    return [
        path
        for path in SOURCE.rglob("*")
        if path.is_file() and path.relative_to(SOURCE).parts[0] not in ("build", ".git")
    ]


def text_of(path):
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_files_begin_with_their_licence():
    wrong = [
        str(path.relative_to(SOURCE))
        for path in files()
        if path.suffix not in NO_COMMENTS and path.name != LICENCE
        if not any(SPDX in line for line in text_of(path).splitlines()[:2])
    ]
    assert wrong == []


def test_no_file_names_a_path_of_a_workplace():
    wrong = [
        f"{path.relative_to(SOURCE)}: {match.group(0)}"
        for path in files()
        for match in WORKPLACE.finditer(text_of(path))
    ]
    assert wrong == []


def test_text_ends_with_a_newline_and_no_line_ends_with_a_blank():
    wrong = []
    for path in files():
        text = text_of(path)
        if not text or path.suffix in NO_COMMENTS or path.name == LICENCE:
            continue
        if not text.endswith("\n") or re.search(r"[ \t]+$", text, re.MULTILINE):
            wrong.append(str(path.relative_to(SOURCE)))
    assert wrong == []


def test_scripts_stop_at_the_first_error():
    wrong = [
        str(path.relative_to(SOURCE))
        for path in files()
        if text_of(path).startswith("#!/bin/sh") and "\nset -eu\n" not in text_of(path)
    ]
    assert wrong == []
