# SPDX-License-Identifier: GPL-2.0-only
"""The registry has every spec function of the Coq development (inventory.tsv), name by name and
argument by argument, and helpers.tsv says what stands in C for every other definition."""

import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from callgraph import CallGraph
from tables import rows

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
BUILD = Path(os.environ["FH_BUILD_DIR"])

# Coq declares them as 32 bits wide, and returns more: a register of 64 bits, as it is.
WIDER_THAN_DECLARED = {("AbstractMachine", "read_esr_el2")}


def inventory(*kinds):
    return [row for row in rows("inventory.tsv", 5) if row[2] in kinds]


def result_of(function):
    words = ["state"] if function["changes_state"] else []
    if "result_bits" in function:
        words.append(f"u{function['result_bits']}")
    return " ".join(words)


@pytest.fixture(scope="module")
def registry():
    output = subprocess.run(
        [BUILD / "sim/fhsim", "functions", "--json"], capture_output=True, text=True, check=True
    ).stdout
    functions = json.loads(output)
    found = {(function["layer"], function["name"]): function for function in functions}
    assert len(found) == len(functions)
    return found


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return CallGraph(tmp_path_factory.mktemp("objects"))


def test_the_inventory_is_complete():
    kinds = Counter(kind for _, _, kind, _, _ in rows("inventory.tsv", 5))
    assert kinds == {"spec": 294, "helper": 97, "parameter": 7}


def test_the_registry_has_the_functions_of_the_inventory_and_no_others(registry):
    assert sorted(registry) == sorted((layer, name) for layer, name, *_ in inventory("spec"))


def test_arguments_agree_in_name_and_width(registry):
    for layer, name, _, _, arguments in inventory("spec"):
        written = [f"{arg['name']}:{arg['bits']}" for arg in registry[layer, name]["args"]]
        assert written == arguments.replace("-", "").split(), f"{layer}.{name}"


def test_results_agree(registry):
    for layer, name, _, result, _ in inventory("spec"):
        if (layer, name) in WIDER_THAN_DECLARED:
            assert (result, result_of(registry[layer, name])) == ("u32", "u64")
        else:
            assert result_of(registry[layer, name]) == result, f"{layer}.{name}"


def test_the_numbers_of_vectors_are_those_of_the_vectors():
    subprocess.run([SOURCE / "scripts/count-vectors", "--check"], check=True)


def test_every_function_is_called_by_a_vector(registry):
    """And every vector passes: tests/conformance."""
    assert [name for name, function in registry.items() if function["vectors"] == 0] == []


def test_the_bodies_that_depart_from_their_specs_have_vectors_of_their_own(registry):
    overlay = (SOURCE / "machines/bodies/overlay.c").read_text()
    departing = re.findall(r"^    X\((\w+)\)", overlay, re.MULTILINE)
    assert len(departing) == 11
    having = [name for (_, name), f in registry.items() if "vectors_of_body" in f]
    assert departing == having


def test_layers_stand_in_their_order():
    """As in the table of layers, from which the order of includes is checked."""
    text = (SOURCE / "include/faulthandler/functions.h").read_text()
    table = re.search(r"#define FH_LAYER_MAP\(L\)((?:.*\\\n)*.*)", text).group(1)
    layers = {layer for layer, *_ in inventory("spec")}
    assert set(re.findall(r"\bL\((\w+)\)", table)) == layers
    assert len(layers) == 35


def test_every_helper_and_parameter_has_its_place_once():
    placed = [(layer, name) for layer, name, *_ in rows("helpers.tsv", 5)]
    assert sorted(placed) == sorted(
        (layer, name) for layer, name, *_ in inventory("helper", "parameter")
    )


def test_what_has_no_function_of_its_own_has_a_reason():
    for layer, name, kind, _, reason in rows("helpers.tsv", 5):
        assert kind in ("function", "callback", "within", "constant"), name
        if kind in ("within", "constant"):
            assert len(reason.split()) >= 6, f"{layer}.{name}"


def test_the_functions_of_helpers_exist(graph):
    missing = [
        (layer, name, function)
        for layer, name, kind, function, _ in rows("helpers.tsv", 5)
        if kind in ("function", "within") and not graph.objects_of(function)
    ]
    assert missing == []


def test_parameters_are_callbacks_of_the_environment():
    parameters = {name for _, name, *_ in inventory("parameter")}
    callbacks = {
        name: member for _, name, kind, member, _ in rows("helpers.tsv", 5) if kind == "callback"
    }
    assert set(callbacks) == parameters
    members = "".join(
        f"_Static_assert(offsetof(struct fh_environment, {member}) > 0, \"\");\n"
        for member in callbacks.values()
    )
    unit = "#include <faulthandler/state.h>\n#include <stddef.h>\n" + members
    command = [os.environ.get("CC", "cc"), "-std=c11", "-Werror", "-fsyntax-only"]
    command += [f"-I{SOURCE / 'include'}", "-x", "c", "-"]
    subprocess.run(command, input=unit, text=True, check=True)
