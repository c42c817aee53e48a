# SPDX-License-Identifier: GPL-2.0-only
"""Makes `__init__.pyi`: the template, with what only the library's tables know put in.

usage: stubs.py TEMPLATE OUTPUT.pyi
"""

import pathlib
import sys

import libfaulthandler
from libfaulthandler import _environment, _tables
from libfaulthandler._tables import Kind

SCALARS = {
    Kind.BOOL: "bool", Kind.U32: "int", Kind.U64: "int", Kind.I64: "int", Kind.ENUM: "str",
    Kind.LOG: "Log",
}


def annotation(type_):
    """What a part of the state is to Python."""
    if type_.kind is Kind.MAP:
        key = "int" if type_.depth == 1 else f"tuple[{', '.join(['int'] * type_.depth)}]"
        return f"Map[{key}, {annotation(type_.value)}]"
    return SCALARS.get(type_.kind) or type_.class_name


def types_of(type_, found):
    """All records and tuples below a type, innermost first."""
    for field in type_.fields.values():
        types_of(field.type, found)
    if type_.value:
        types_of(type_.value, found)
    if type_.fields or type_.kind is Kind.TUPLE:
        found.setdefault(type_.class_name, type_)
    return found


def records():
    lines = []
    for name, type_ in types_of(_tables.RDATA, {}).items():
        base = "NamedTuple" if type_.kind is Kind.TUPLE else "Record"
        fields = dict.fromkeys(type_.words, "int") if type_.kind is Kind.TUPLE else {
            field.name: annotation(field.type) for field in type_.fields.values()
        }
        lines += [f"class {name}({base}):"]
        lines += [f"    {field}: {type_name}" for field, type_name in fields.items()] + [""]
    return lines


def methods():
    lines = []
    for function in _tables.FUNCTIONS.values():
        args = ", ".join(["self", *(f"{arg}: int" for arg in function.args)])
        result = "int" if function.returns_value else "None"
        lines.append(f"    def {function.name}({args}) -> {result}: ...")
    return lines


def environment():
    return [f"    {name}: Callable[..., Any]" for name in _environment.NAMES]


def constants():
    return [f"    {name}: int" for name in _tables.CONSTANTS]


def errors():
    lines = []
    for error in libfaulthandler.ERRORS.values():
        bases = ", ".join(base.__name__ for base in error.__bases__)
        lines.append(f"class {error.__name__}({bases}): ...")
    return lines


PARTS = {part.__name__: part for part in (records, methods, environment, constants, errors)}


def main(template, output):
    lines = []
    for line in pathlib.Path(template).read_text(encoding="utf-8").splitlines():
        part = line.strip().removeprefix("@").removesuffix("@")
        lines += PARTS[part]() if line.strip() == f"@{part}@" else [line]
    pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


main(*sys.argv[1:])
