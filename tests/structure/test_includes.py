# SPDX-License-Identifier: GPL-2.0-only
"""Imports point down: base, arm, state, layers, security; and layers include lower layers only."""

import os
import re
from pathlib import Path

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
LIB = SOURCE / "lib"
PARTS = ["base", "arm", "state", "layers", "security", "machine", "scene"]
SIM = SOURCE / "sim"
# What each folder of fhsim may include beside itself.
FOLDERS = {
    "base": set(),
    "patch": {"base"},
    "trace": {"base"},
    "machine": {"base", "patch", "trace", "convert"},
    "explain": {"base", "machine"},
    "vectors": {"base", "patch", "machine"},
    "scenario": {"base", "patch", "machine"},
    "convert": {"base", "trace"},
    "predict": {"base", "trace"},
    "twin": {"base", "trace", "machine", "predict"},
    "triage": {"base", "trace", "convert", "machine", "predict", "twin"},
    "foreign": {"base", "trace", "convert"},
    "replay": {"base", "trace", "convert", "machine", "predict", "twin", "triage", "foreign"},
    "show": {"base", "patch", "scenario", "trace", "convert", "machine", "predict", "twin", "triage",
             "replay"},
    "timeline": {"base", "scenario", "show", "trace", "twin"},
    "debug": {"base", "patch", "scenario", "trace", "twin", "replay", "show", "timeline"},
    "reduce": {"base", "patch", "scenario", "trace", "machine", "predict", "twin"},
    "fhtrace": {"base", "trace", "machine", "twin", "replay"},
    "why": {"base", "trace", "convert", "machine", "twin", "show", "reduce"},
}


def quoted_includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE)


def files_of(part):
    return sorted(p for p in (LIB / part).glob("*.[ch]"))


def layer_order():
    """Position of each layer in FH_LAYER_MAP, from the bottom."""
    text = (SOURCE / "include/faulthandler/functions.h").read_text()
    table = re.search(r"#define FH_LAYER_MAP\(L\)((?:.*\\\n)*.*)", text).group(1)
    names = re.findall(r"\bL\((\w+)\)", table)
    return {name: position for position, name in enumerate(names)}


def declared_layer(path):
    match = re.search(r"^FH_LAYER_(\w+)\(KC_PROTOTYPE\)", path.read_text(), re.MULTILINE)
    return match.group(1) if match else None


def layer_of_header(path):
    """The layer of a header, from the functions that it declares or, for what a layer of several
    files shares between them, from its name; None for a header that serves several layers."""
    layer = declared_layer(path)
    if layer is not None:
        return layer
    owners = [p for p in LIB.glob("layers/*.h") if path.stem.startswith(p.stem + "_")]
    owners.sort(key=lambda p: len(p.stem))
    return declared_layer(owners[-1]) if owners else None


def layer_of_source(path):
    match = re.search(r'^#define FH_LAYER "(\w+)"', path.read_text(), re.MULTILINE)
    return match.group(1) if match else None


def test_parts_of_the_library_include_only_lower_parts():
    wrong = []
    for position, part in enumerate(PARTS):
        allowed = set(PARTS[: position + 1])
        for path in files_of(part):
            wrong += [
                f"{path.relative_to(SOURCE)}: {name}"
                for name in quoted_includes(path)
                if name.split("/")[0] not in allowed
            ]
    assert wrong == []


def reached(path, seen):
    """All headers of fhsim that a file includes, or that those include."""
    for name in quoted_includes(path):
        if name not in seen and (SIM / name).exists():
            seen.add(name)
            reached(SIM / name, seen)
    return seen


def test_what_predicts_sees_no_record_of_what_a_machine_did():
    """The types of recorded traps are in trace/trace.h; of traces it knows the words alone."""
    wrong = [
        f"{path.name}: {name}"
        for path in sorted((SIM / "predict").glob("*.[ch]"))
        for name in reached(path, set())
        if name.startswith("trace/") and name != "trace/words.h"
        or name.startswith(("twin/", "machine/"))
    ]
    assert wrong == []


def test_one_file_makes_inputs_of_records():
    both = [path.name for path in sorted((SIM / "twin").glob("*.c"))
            if re.search(r"\bORACLE_\w+", path.read_text())]
    assert both == ["inputs_of.c"]


def test_folders_of_fhsim_include_only_those_below():
    wrong = []
    for path in sorted(SIM.rglob("*.[ch]*")):
        folder = path.parent.name
        if folder == "sim" or path.suffix not in {".c", ".h", ".cpp"}:
            continue
        allowed = FOLDERS[folder] | {folder}
        wrong += [
            f"{path.relative_to(SOURCE)}: {name}"
            for name in quoted_includes(path)
            if name != "commands.h" and name.split("/")[0] not in allowed
        ]
    assert wrong == []


def test_every_quoted_include_of_the_library_exists():
    wrong = [
        f"{path.relative_to(SOURCE)}: {name}"
        for part in PARTS
        for path in files_of(part)
        for name in quoted_includes(path)
        if not (LIB / name).is_file()
    ]
    assert wrong == []


def test_layers_include_only_lower_layers():
    order = layer_order()
    assert len(order) >= 17
    wrong = []
    for path in files_of("layers"):
        layer = layer_of_header(path) if path.suffix == ".h" else layer_of_source(path)
        if layer is None:
            continue  # serves several layers; see below
        for name in quoted_includes(path):
            if not name.startswith("layers/"):
                continue
            other = layer_of_header(LIB / name)
            if other is not None and order[other] > order[layer]:
                wrong.append(f"{path.relative_to(SOURCE)} ({layer}): {name} ({other})")
    assert wrong == []


def test_headers_that_serve_several_layers_include_no_layer():
    """Or a layer could reach a higher one through them. all.h is for what stands above layers."""
    wrong = []
    for path in files_of("layers"):
        if path.suffix != ".h" or layer_of_header(path) is not None or path.name == "all.h":
            continue
        wrong += [
            f"{path.relative_to(SOURCE)}: {name}"
            for name in quoted_includes(path)
            if name.startswith("layers/")
            and (layer_of_header(LIB / name) is not None or name == "layers/all.h")
        ]
    assert wrong == []


def test_only_what_stands_above_the_layers_includes_all_of_them():
    users = [
        f"{part}/{path.name}"
        for part in PARTS
        for path in files_of(part)
        if "layers/all.h" in quoted_includes(path)
    ]
    assert users == ["layers/public.c", "machine/overlay.h", "machine/trap.c"]


def test_public_headers_include_public_headers_only():
    wrong = [
        f"{path.name}: {name}"
        for path in sorted((SOURCE / "include/faulthandler").glob("*.h"))
        for name in re.findall(r'^#include ["<]([^">]+)', path.read_text(), re.MULTILINE)
        if not name.startswith("faulthandler/")
        and name not in ("stdbool.h", "stddef.h", "stdint.h")
    ]
    assert wrong == []


def test_the_tool_uses_the_public_headers_only():
    wrong = [
        f"{path.relative_to(SOURCE)}: {name}"
        for path in sorted((SOURCE / "sim").rglob("*"))
        if path.suffix in (".c", ".cpp", ".h")
        for name in quoted_includes(path)
        if (LIB / name).is_file()
    ]
    assert wrong == []


def test_public_headers_compile_alone():
    """Each header brings what it needs; all.h style umbrella headers do not hide a missing one."""
    import subprocess

    for path in sorted((SOURCE / "include/faulthandler").glob("*.h")):
        unit = f"#include <faulthandler/{path.name}>\nint dummy;\n"
        command = [os.environ.get("CC", "cc"), "-std=c11", "-Wall", "-Wextra", "-Werror"]
        command += ["-fsyntax-only", f"-I{SOURCE / 'include'}", "-x", "c", "-"]
        result = subprocess.run(command, input=unit, capture_output=True, text=True)
        assert result.returncode == 0, f"{path.name}: {result.stderr}"
