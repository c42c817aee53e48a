#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a page costs when a machine has many: times and memory by `fh-bench --growth`, instructions
by callgrind, drawn as docs/growth.svg.

usage: bench/growth.py [--fh-bench PROGRAM] [--svg FILE]
"""

import argparse
import math
import re
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
SIZES = [10 ** n for n in range(3, 8)]
NAMES = ["pages", "new", "again", "next", "owner_bytes", "mapped_bytes", "all_bytes", "load"]

# Calls of a counted run; the difference of two lengths is that of the calls alone.
CALLS = 1000

STYLE = """
  text { font: 13px sans-serif; fill: #333 }
  .title { font-weight: bold }
  .axis { stroke: #888; fill: none }
  .grid { stroke: #8884; fill: none }
  .line { fill: none; stroke-width: 2 }
  .c0 { stroke: #1769aa } .d0 { fill: #1769aa }
  .c1 { stroke: #c2500c } .d1 { fill: #c2500c }
  .c2 { stroke: #2e7d32 } .d2 { fill: #2e7d32 }
  .c3 { stroke: #777; stroke-dasharray: 4 3 } .d3 { fill: #777 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd }
    .c0 { stroke: #6cb6ff } .d0 { fill: #6cb6ff }
    .c1 { stroke: #ffa657 } .d1 { fill: #ffa657 }
    .c2 { stroke: #7ee787 } .d2 { fill: #7ee787 }
    .c3 { stroke: #aaa } .d3 { fill: #aaa }
  }
"""


def instructions(program, pages):
    """Of a fault on a page that was mapped before."""
    def collected(calls):
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             "--toggle-collect=measured_call_of_growth*", program, "--run-growth", str(pages),
             str(calls)], capture_output=True, text=True, check=False)
        found = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode or not found:
            sys.exit(f"{pages} pages: {run.stderr}")
        return int(found[1])
    return (collected(2 * CALLS) - collected(CALLS)) / CALLS


def measure(program):
    """A row for each size: what fh-bench prints, and instructions."""
    rows = []
    for pages in SIZES:
        run = subprocess.run([program, "--growth", str(pages)], capture_output=True, text=True,
                             check=True)
        row = dict(zip(NAMES, map(float, run.stdout.split())))
        row["instructions"] = instructions(program, pages)
        rows.append(row)
    return rows


def nice_top(value):
    """The next of 1, 2, 3, 4, 5, 6, 8, 10 times a power of ten."""
    unit = 10 ** math.floor(math.log10(value))
    return next(n * unit for n in (1, 2, 3, 4, 5, 6, 8, 10) if n * unit >= value)


class Panel:
    """A plot over the number of pages, which has a logarithmic scale; the other one begins at 0."""
    WIDTH, HEIGHT = 230, 200

    def __init__(self, left, title, rows, lines):
        self.left, self.top, self.title, self.rows, self.lines = left, 50, title, rows, lines
        self.most = nice_top(max(row[name] for row in rows for name, _ in lines))

    def x(self, pages):
        first, last = math.log10(SIZES[0]), math.log10(SIZES[-1])
        return self.left + (math.log10(pages) - first) / (last - first) * self.WIDTH

    def y(self, value):
        return self.top + self.HEIGHT * (1 - value / self.most)

    def axes(self):
        left, bottom = self.left, self.top + self.HEIGHT
        yield f'<text class="title" x="{left}" y="{self.top - 20}">{self.title}</text>'
        for i in range(5):
            value = self.most * i / 4
            y = self.y(value)
            kind = "grid" if i else "axis"
            yield f'<path class="{kind}" d="M{left} {y:.1f}h{self.WIDTH}"/>'
            yield f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        for pages in SIZES:
            power = round(math.log10(pages))
            yield (f'<text x="{self.x(pages):.1f}" y="{bottom + 18}" text-anchor="middle">10'
                   f'<tspan dy="-5" font-size="9">{power}</tspan></text>')
        yield f'<text x="{left + self.WIDTH / 2}" y="{bottom + 36}" text-anchor="middle">pages</text>'

    def curves(self):
        for n, (name, label) in enumerate(self.lines):
            points = [(self.x(row["pages"]), self.y(row[name])) for row in self.rows]
            path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            yield f'<path class="line c{n}" d="{path}"/>'
            for (x, y), row in zip(points, self.rows):
                yield (f'<circle class="d{n}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{label}: '
                       f'{row[name]:g} at {row["pages"]:,.0f} pages</title></circle>')
            y = self.top + self.HEIGHT + 58 + 18 * n
            yield f'<path class="line c{n}" d="M{self.left} {y - 4}h20"/>'
            yield f'<text x="{self.left + 26}" y="{y}">{label}</text>'

    def drawn(self):
        return [*self.axes(), *self.curves()]


def svg(rows):
    panels = [
        Panel(50, "ns of a fault of the host", rows,
              [("again", "page mapped before, anywhere"), ("next", "page mapped before, the next"),
               ("new", "new page, the next"), ("load", "one load from as much memory")]),
        Panel(350, "instructions of a fault", rows, [("instructions", "page mapped before, anywhere")]),
        Panel(650, "bytes a page", rows,
              [("owner_bytes", "who owns it"), ("mapped_bytes", "where it is mapped"),
               ("all_bytes", "all that was allocated")]),
    ]
    body = "\n".join(line for panel in panels for line in panel.drawn())
    return (f'<!-- SPDX-License-Identifier: GPL-2.0-only -->\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 910 370" role="img" '
            f'aria-label="What a page costs, by the number of pages">\n'
            f'<style>{STYLE}</style>\n{body}\n</svg>\n')


def table(rows):
    """The same numbers, in Markdown."""
    head = ("| pages | new page | again, the next | again, anywhere | one load | instructions, anywhere | "
            "owner | mapping | all |\n"
            "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    lines = [f"| {row['pages']:,.0f} | {row['new']:.0f} ns | {row['next']:.0f} ns | "
             f"{row['again']:.0f} ns | {row['load']:.0f} ns | {row['instructions']:,.0f} | "
             f"{row['owner_bytes']:.1f} B | "
             f"{row['mapped_bytes']:.1f} B | {row['all_bytes']:.1f} B |" for row in rows]
    return "\n".join([head, *lines])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--fh-bench", default=SOURCE / "build/release/bench/fh-bench")
    parser.add_argument("--svg", default=SOURCE / "docs/growth.svg", type=Path)
    options = parser.parse_args()
    rows = measure(options.fh_bench)
    options.svg.write_text(svg(rows))
    print(table(rows))


if __name__ == "__main__":
    main()
