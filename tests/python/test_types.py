# SPDX-License-Identifier: GPL-2.0-only
"""The types that the package declares, against what it is."""

import ast
import pathlib

import libfaulthandler

STUB = pathlib.Path(libfaulthandler.__file__).with_name("__init__.pyi")


def classes():
    tree = ast.parse(STUB.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def members(node):
    names = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    return names | {item.target.id for item in node.body if isinstance(item, ast.AnnAssign)}


def test_the_package_says_that_it_is_typed():
    assert STUB.with_name("py.typed").exists()


def test_every_public_name_has_a_type():
    tree = ast.parse(STUB.read_text())
    declared = set(classes()) | {
        getattr(node, "name", None) or node.target.id
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.AnnAssign))
    }
    assert set(libfaulthandler.__all__) <= declared


def test_every_function_of_the_registry_has_a_type_with_its_arguments():
    methods = {
        item.name: [arg.arg for arg in item.args.args]
        for item in classes()["Machine"].body
        if isinstance(item, ast.FunctionDef)
    }
    for name, function in libfaulthandler.FUNCTIONS.items():
        assert methods[name] == ["self", *function.args]


def test_every_public_member_of_a_machine_has_a_type():
    declared = members(classes()["Machine"]) | members(classes()["_Data"])
    public = {name for name in dir(libfaulthandler.Machine()) if not name.startswith("_")}
    assert public <= declared


def test_every_field_and_constant_has_a_type(machine):
    assert members(classes()["S2page"]) == {"s2_owner", "s2_count", "s2_gfn"}
    assert members(classes()["Rdata"]) == set(machine.state.to_dict())
    assert members(classes()["Constants"]) == set(machine.constants)
