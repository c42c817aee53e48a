# SPDX-License-Identifier: GPL-2.0-only
"""What docs/python.md shows is what happens."""

import doctest
import os
import pathlib
import re

DOCS = pathlib.Path(os.environ["FH_SOURCE_DIR"]) / "docs" / "python.md"


def test_the_examples_of_the_documentation_do_what_they_show(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = re.sub("^```.*$", "", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    test = doctest.DocTestParser().get_doctest(text, {}, DOCS.name, str(DOCS), 0)
    assert len(test.examples) > 20
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    output = []
    runner.run(test, out=output.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(output)
