# SPDX-License-Identifier: GPL-2.0-only
"""Makes the C source of `libfaulthandler._native` from the public headers.

usage: native.py CC INCLUDE-DIRECTORY OUTPUT.c HEADER...

The preprocessor expands the tables (functions, fields, constants, effects, ...), so that what cffi
reads has every prototype, enumerator and member, and none of them is written down here.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

import cffi

# cffi knows their types by itself.
SYSTEM_HEADERS = ("stddef.h", "stdint.h", "stdbool.h")

# Limits that the headers give as macros.
NUMBER_MACRO = re.compile(r"^#define FHT?_\w+ \d+$", re.MULTILINE)

INLINE_FUNCTION = re.compile(r"static inline [^;{}]*\{[^{}]*\}")


def declarations(compiler, include, header):
    """All declarations of the public headers, in the C that cffi reads."""
    with tempfile.TemporaryDirectory() as empty:
        for name in SYSTEM_HEADERS:
            pathlib.Path(empty, name).touch()

        def preprocess(flag):
            return subprocess.run(
                [compiler, "-E", flag, "-nostdinc", f"-I{empty}", f"-I{include}",
                 "-D__attribute__(x)=", "-xc", "-"],
                input=header, capture_output=True, check=True, text=True,
            ).stdout

        macros = NUMBER_MACRO.findall(preprocess("-dM"))
        expanded = preprocess("-P")
    return "\n".join(macros) + "\n" + INLINE_FUNCTION.sub("", expanded)


def callbacks(text):
    """A Python entry for each callback of struct fh_environment, and for visitors of deltas."""
    ffi = cffi.FFI()
    ffi.cdef(text)
    members = [
        (f"environment_{name}", field.type)
        for name, field in ffi.typeof("struct fh_environment").fields
        if field.type.kind == "function" or field.type.cname.find("(*)") >= 0
    ]
    members.append(("visit_change", ffi.typeof("fh_change_visit *")))
    lines = [member.cname.replace("(*)", f" {name}") + ";" for name, member in members]
    return 'extern "Python" {\n' + "\n".join(lines) + "\n}\n"


def main(compiler, include, output, *headers):
    header = "".join(f"#include <{name}>\n" for name in headers)
    text = declarations(compiler, include, header)
    ffi = cffi.FFI()
    ffi.cdef(text + callbacks(text))
    ffi.set_source("libfaulthandler._native", header)
    ffi.emit_c_code(output)
    pathlib.Path(output).touch()  # also where nothing changed, for the build


main(*sys.argv[1:])
