# SPDX-License-Identifier: GPL-2.0-only
"""
The page of fhsim replay in chromium. Where there is none all of it is skipped;
test_replay_reports.py has what the page holds.
"""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

# The fixtures are used by their names.
from recordings import (  # noqa: F401
    DOMAINS, FIRST_PFN, HOST, KCORE_PFN, NOBODY, TRACES, VM, VM_PFN, denying, diverging, embedded,
    owners_of, page, records, summary)

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
if not BROWSER:
    pytest.skip("chromium is not installed", allow_module_level=True)

PROBE = """
<script>
function press(x, y) {
    const canvas = document.getElementById("timeline"), box = canvas.getBoundingClientRect();
    const at = {clientX: box.left + x, clientY: box.top + y, bubbles: true};
    canvas.dispatchEvent(new PointerEvent("pointerdown", at));
    canvas.dispatchEvent(new PointerEvent("pointerup", at));
    canvas.dispatchEvent(new MouseEvent("click", at));
}
const results = {};
{
%s
}
document.documentElement.dataset.results = JSON.stringify(results);
</script>
"""


def browse(path, tmp_path, probe):
    """Opens the page, runs `probe` in it, and returns its results; no message may come up."""
    probed = tmp_path / "probed.html"
    probed.write_text(path.read_text() + PROBE % probe)
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
         "--window-size=1200,900", "--dump-dom", probed.as_uri()],
        capture_output=True, text=True, timeout=120)
    assert ":CONSOLE:" not in done.stderr
    results = ElementTree.fromstring(
        "<html " + re.search(r'data-results="[^"]*"', done.stdout).group() + "/>")
    return json.loads(results.get("data-results"))


def test_browser_shows_the_right_counts(fhsim, tmp_path):
    counts = summary(fhsim, VM)
    results = browse(page(fhsim, tmp_path, VM), tmp_path, """
        const number = cell => Number(cell.textContent.replace(/[^0-9]/g, ""));
        for (const row of document.querySelectorAll("#summary tr[data-row]"))
            results[row.dataset.row] = [...row.children].slice(1).map(number);
        results.met = [...document.querySelectorAll("#catalogue tr.met")].map(
            row => [row.children[0].textContent, number(row.children[4])]);
    """)
    keys = ["traps", "matched", "explained", "diverged", "not_replayed"]
    met = dict(results.pop("met"))
    assert met == {name: count["traps"] for name, count in counts["deviations"].items()}
    assert results.pop("all") == [counts[key] for key in keys]
    assert results == {kind: [of[key] for key in keys] for kind, of in counts["kinds"].items()}


def test_browser_opens_the_divergence_that_was_clicked(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        const {x, y} = locate(view.traps.seq.indexOf(3));
        results.before = document.getElementById("record").dataset.trap;
        press(x, y);
        results.trap = document.getElementById("record").dataset.trap;
        results.text = document.getElementById("record").textContent;
    """)
    assert results["before"] == ""
    assert results["trap"] == "diverging#3"
    assert "unexplained" in results["text"]
    assert 'a"<b>&</script>' in results["text"]


def test_browser_scrubs_the_owners_to_and_fro(fhsim, tmp_path, records):
    half = len(records) // 2
    results = browse(page(fhsim, tmp_path, VM), tmp_path, f"""
        const count = () => {{
            const counts = {{}};
            view.owners.forEach(owner => counts[owner] = (counts[owner] || 0) + 1);
            return counts;
        }};
        scrubTo({len(records) - 1});
        results.end = count();
        scrubTo({half});
        results.half = count();
    """)
    for name, upto in ("end", len(records)), ("half", half + 1):
        counts = {int(owner): count for owner, count in results[name].items()}
        counts.pop(NOBODY, None)
        assert counts == owners_of(records[:upto])


def test_browser_counts_and_lists_denied_accesses(fhsim, tmp_path, denying):
    path, seq = denying
    results = browse(page(fhsim, tmp_path, path), tmp_path, """
        const tile = document.querySelector("[data-tile=denied]");
        results.tile = tile.textContent;
        tile.click();
        results.marks = view.marks.map(i => view.traps.seq[i]);
        const rows = [...document.querySelectorAll("#list tr.pick")];
        results.rows = rows.map(row => [...row.children].map(cell => cell.textContent));
        rows[1].click();
        results.trap = document.getElementById("record").dataset.trap;
        results.record = document.getElementById("record").textContent;
        results.cell = view.cell;
        document.getElementById("unfilter").click();
        results.all = view.marks.length;
    """)
    assert results["tile"].startswith("3accesses of the host to pages of VM 3 and KCore denied")
    assert "2 to pages of VM 3, 1 to pages of KCore; 2 attempts on 2 pages" in results["tile"]
    assert results["marks"] == [seq, seq + 1, seq + 2]
    assert results["rows"] == [
        [f"#{seq}\u2013{seq + 1}", "2\u00d7", "write", "VM 3", f"page {VM_PFN:#x}"],
        [f"#{seq + 2}", "1\u00d7", "fetch", "KCore", f"page {KCORE_PFN:#x}"]]
    assert results["trap"] == f"denying#{seq + 2}"
    assert f"a fetch of page {KCORE_PFN:#x} of KCore by the host" in results["record"]
    assert results["cell"] == (KCORE_PFN - FIRST_PFN) // 512
    assert results["all"] >= 3


def test_browser_shows_an_attack_at_a_glance(fhsim, tmp_path):
    path = TRACES / "05_attack_host_reads_vm.jsonl.zst"
    if not path.exists():
        pytest.skip("FH_TRACES is not set")
    results = browse(page(fhsim, tmp_path, path), tmp_path, """
        const tile = document.querySelector("[data-tile=denied]");
        const box = tile.getBoundingClientRect();
        results.tile = tile.textContent.replace(/\\u202f/g, "");
        results.bottom = box.bottom;
        results.history = document.getElementById("history").getBoundingClientRect().bottom;
        results.window = innerHeight;
    """)
    assert results["tile"].startswith("1358accesses of the host to pages of VM 1 and VM 2 denied")
    assert "686 to pages of VM 1, 672 to pages of VM 2" in results["tile"]
    assert results["bottom"] < results["history"] < results["window"]


def test_browser_marks_denied_accesses_on_the_maps(fhsim, tmp_path, denying):
    path, _ = denying
    results = browse(page(fhsim, tmp_path, path), tmp_path, """
        scrubTo(view.trace.count - 1);
        draw();
        const dark = (id, x, y) => {
            const canvas = document.getElementById(id), ratio = canvas.width / canvas.clientWidth;
            return [...canvas.getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data];
        };
        const row = view.bands.rowOf(view.traps.denied.get(view.order.at(-1)).page) + 0.5;
        const x = toX(view.traps.g0[view.order.at(-1)]);
        results.square = dark("history", x, row * historyHeight() / view.bands.rows);
        results.found = deniedAt(x, row * historyHeight() / view.bands.rows);
        results.last = view.order.at(-1);
        const {side, across} = cellGrid(), cell = Math.floor(%d / 512);
        const x0 = cell %% across * side, y0 = Math.floor(cell / across) * side;
        results.frame = dark("map", x0 + 1, y0 + 5);
    """ % (VM_PFN - FIRST_PFN))
    assert results["square"] == [17, 19, 21, 255]
    assert results["frame"] == [17, 19, 21, 255]
    assert results["found"] == results["last"]


def test_browser_shows_what_breaks_in_a_trap(fhsim, tmp_path):
    results = browse(page(fhsim, tmp_path, DOMAINS), tmp_path, """
        document.querySelector("[data-tile=broken]").click();
        results.marks = view.marks.length;
        document.querySelector("#list tr.pick").click();
        results.record = document.getElementById("record").textContent;
        results.table = [...document.querySelectorAll("#invariants tr")].map(
            row => row.children[0].textContent);
    """)
    assert results["marks"] == summary(fhsim, DOMAINS)["violations"]["smmu_iso"]["traps"]
    assert "#1774" in results["record"] and "Breaks smmu_iso" in results["record"]
    assert "pfn = 0x9000" in results["record"]
    assert results["table"][1:] == ["host_s2_map", "smmu_iso"]


def test_browser_goes_by_the_keys(fhsim, tmp_path, denying):
    path, seq = denying
    results = browse(page(fhsim, tmp_path, path), tmp_path, """
        const press = (key, where) => (where || document.body).dispatchEvent(
            new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
        const trap = () => document.getElementById("record").dataset.trap;
        setFilter(filters.denied);
        press("ArrowRight");
        press("ArrowRight");
        results.second = trap();
        press("ArrowLeft");
        results.first = trap();
        const span = view.high - view.low;
        press("+");
        results.zoomed = (view.high - view.low) / span;
        press("0");
        results.all = (view.high - view.low) / span;
        press(",");
        results.at = view.traps.seq[view.at];
        const row = document.querySelectorAll("#list tr.pick")[1];
        row.focus();
        press("Enter", row);
        results.chosen = trap();
        results.focused = document.activeElement.dataset.trap;
        view.cell = 5;
        press("ArrowRight", document.getElementById("map"));
        results.cell = view.cell;
        results.still = trap();
    """)
    assert (results["second"], results["first"]) == (f"denying#{seq + 1}", f"denying#{seq}")
    assert (results["zoomed"], results["all"]) == (0.5, 1)
    assert results["at"] == seq - 1
    assert results["chosen"] == results["still"] == f"denying#{seq + 2}"
    assert results["focused"] is not None
    assert results["cell"] == 6


def test_browser_opens_another_trace(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, HOST, VM, diverging), tmp_path, """
        results.begin = view.trace.name;
        const rows = [...document.querySelectorAll("#files tr.pick")];
        results.files = rows.map(row => row.children[0].textContent);
        rows[1].click();
        results.opened = view.trace.name;
        results.selected = document.getElementById("traces").selectedIndex;
        results.verdict = document.getElementById("verdict").textContent;
    """)
    assert results["begin"] == "diverging"
    assert results["files"] == ["01_host_only_excerpt", "02_vm1_one_vcpu_excerpt", "diverging"]
    assert (results["opened"], results["selected"]) == ("02_vm1_one_vcpu_excerpt", 1)
    assert "1 trap unexplained;" in results["verdict"]


def test_browser_opens_a_long_trace(fhsim, tmp_path, records):
    """10^5 traps, some of them marked, in one trace."""
    path = page(fhsim, tmp_path, VM)
    data = embedded(path)
    trace = data["traces"][0]
    times = 100_000 // trace["count"] + 1
    results = browse(path, tmp_path, """
        const trace = data.traces[0], one = bytes(trace.traps);
        const all = new Uint8Array(one.length * %d);
        for (let i = 0; i < %d; i++)
            all.set(one, i * one.length);
        let text = "";
        for (let i = 0; i < all.length; i += 3000)
            text += btoa(String.fromCharCode(...all.subarray(i, i + 3000)));
        trace.count *= %d;
        trace.traps = text;
        const begin = performance.now();
        openTrace(0);
        draw();
        results.open = performance.now() - begin;
        scrubTo(trace.count - 1);
        draw();
        results.all = performance.now() - begin;
        results.count = view.traps.seq.length;
        results.marks = view.marks.length;
    """ % (times, times, times))
    expected = summary(fhsim, VM)
    assert results["count"] == times * expected["traps"] >= 100_000
    assert results["marks"] == times * expected["explained"]
    assert results["open"] < 10_000  # a second where it is not busy


def test_browser_opens_a_page_without_a_trace(fhsim, tmp_path):
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    results = browse(page(fhsim, tmp_path, empty), tmp_path, """
        document.body.dispatchEvent(new KeyboardEvent("keydown", {key: ".", bubbles: true}));
        window.dispatchEvent(new Event("resize"));
        results.verdict = document.getElementById("verdict").textContent;
        results.isBad = document.getElementById("verdict").classList.contains("bad");
    """)
    assert "bad input" in results["verdict"]
    assert results["isBad"]
