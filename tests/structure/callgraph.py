# SPDX-License-Identifier: GPL-2.0-only
"""Which function of the core uses which, as the compiler sees it.

The sources are compiled without optimisation, each function into a section of its own. What a
section's relocations name is what the function uses: calls, and functions whose address it takes.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(os.environ["FH_SOURCE_DIR"])
LIB = SOURCE / "lib"
COMPILER = os.environ.get("CC", "cc")
SECTION = re.compile(r"^\.(text|rodata|data\.rel\.ro\.local|data\.rel\.ro|data\.rel\.local|data)\.")


def compile_source(source, folder):
    object_file = folder / f"{source.parent.name}_{source.stem}.o"
    subprocess.run(
        [COMPILER, "-std=c11", "-O0", "-ffreestanding", "-ffunction-sections", "-fdata-sections"]
        + ["-fno-asynchronous-unwind-tables", f"-I{SOURCE / 'include'}", f"-I{LIB}"]
        + ["-c", source, "-o", object_file],
        check=True,
    )
    return object_file


def tables_of(object_file):
    return subprocess.run(
        ["readelf", "--wide", "--symbols", "--relocs", object_file],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


class CallGraph:
    """Nodes are (object file, function or table). Names are enough for global ones."""

    def __init__(self, folder):
        sources = [
            path
            for part in ("base", "state", "layers")
            for path in sorted((LIB / part).glob("*.c"))
            if path.name != "public.c"  # stands above the layers
        ]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = list(pool.map(lambda source: compile_source(source, folder), sources))
        self.uses = {}
        self.globals = {}
        self.nodes = set()
        for path in objects:
            self._read(path)

    def _read(self, path):
        user = None
        for line in tables_of(path):
            section = re.match(r"Relocation section '\.rela?(\S+)'", line)
            fields = line.split()
            if section:
                user = (path.stem, SECTION.sub("", section.group(1)))
            elif len(fields) >= 5 and re.fullmatch("[0-9a-f]{8,}", fields[0]):
                self.uses.setdefault(user, set()).add(SECTION.sub("", fields[4]))
            elif len(fields) == 8 and fields[3] in ("FUNC", "OBJECT") and fields[6] != "UND":
                self.nodes.add((path.stem, fields[7]))
                if fields[4] == "GLOBAL":
                    self.globals[fields[7]] = path.stem

    def find(self, name, user=""):
        """The node that a name means in an object; None for what the core does not define."""
        if (user, name) in self.nodes:
            return (user, name)
        return (self.globals[name], name) if name in self.globals else None

    def objects_of(self, name):
        return {path for path, node in self.nodes if node == name}

    def primitives_of(self, function):
        """KCore's functions that spec_`function` uses, through whatever is not one itself. A call of
        kc_foo is inline: it uses spec_foo, and dispatch_foo where a machine may stand between."""
        start = self.find(f"spec_{function}")
        seen, waiting, found = {start}, [start], set()
        while waiting:
            node = waiting.pop()
            for name in self.uses.get(node, ()):
                if name.startswith("spec_"):
                    found.add(name[len("spec_") :])
                    continue
                used = self.find(name, node[0])
                if used and used not in seen:
                    seen.add(used)
                    waiting.append(used)
        return found
