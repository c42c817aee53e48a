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


def browse(path, tmp_path, probe, address="", *options):
    """
    Opens the page at an address, runs `probe` in it, and returns its results; no message may come
    up.
    """
    probed = tmp_path / "probed.html"
    probed.write_text(path.read_text() + PROBE % probe)
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
         "--window-size=1200,900", *options, "--dump-dom", probed.as_uri() + address],
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


def test_browser_opens_at_the_difference_and_what_was_clicked(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        const trap = () => document.getElementById("record").dataset.trap;
        results.begin = trap();
        setFilter(everything);
        results.before = trap();
        const {x, y} = locate(view.traps.seq.indexOf(3));
        press(x, y);
        results.trap = trap();
        const record = document.getElementById("record");
        results.text = record.textContent;
        results.box = record.scrollHeight - record.clientHeight;
        results.first = record.querySelector(".note").className;
        results.hash = location.hash;
    """)
    assert results["begin"] == results["trap"] == "diverging#3"
    assert results["before"] == ""
    assert "unexplained" in results["text"]
    assert 'a"<b>&</script>' in results["text"]
    assert results["box"] <= 0, "the record scrolls with the page alone"
    assert "unexplained" in results["first"]
    assert results["hash"] == "#diverging/3"


def test_browser_opens_the_trap_that_the_address_names(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, HOST, VM, diverging), tmp_path, """
        results.trap = document.getElementById("record").dataset.trap;
        results.top = document.getElementById("record").getBoundingClientRect().top;
        results.window = innerHeight;
        results.said = document.getElementById("said").textContent;
        location.hash = "#diverging/3";
        followAddress();
        results.next = document.getElementById("record").dataset.trap;
    """, "#02_vm1_one_vcpu_excerpt/10155")
    assert results["trap"] == "02_vm1_one_vcpu_excerpt#10155"
    assert -1 < results["top"] < results["window"] / 2
    assert results["said"] == ""
    assert results["next"] == "diverging#3"


@pytest.mark.parametrize("address, said, trace", [
    ("#diverging/99999", "There is no trap 99999 in diverging.", "diverging"),
    ("#01_host_only_excerpt/99999", "There is no trap 99999 in 01_host_only_excerpt.",
     "01_host_only_excerpt"),
    ("#other%20one/3", "There is no trace other one in this page.", "diverging"),
    ("#%zz/3", "There is no trace %zz in this page.", "diverging")])
def test_browser_says_that_a_trap_does_not_exist(fhsim, tmp_path, diverging, address, said, trace):
    results = browse(page(fhsim, tmp_path, HOST, diverging), tmp_path, """
        results.said = document.getElementById("said").textContent;
        results.trace = view.trace.name;
    """, address)
    assert results == {"said": said, "trace": trace}


FIND = """
    const look = text => {
        find(text);
        return {traps: view.marks.map(i => view.traps.seq[i]),
                said: document.getElementById("said").textContent,
                chosen: document.getElementById("record").dataset.trap};
    };
"""


def test_browser_finds_a_trap_an_address_a_page_a_vm_and_a_deviation(fhsim, tmp_path, records):
    fault = next(r for r in records if r["kind"] == "host_npt")
    page_of = int(fault["in"]["hpfar"], 16) >> 4
    results = browse(page(fhsim, tmp_path, VM), tmp_path, FIND + """
        results.trap = look("10155");
        results.missing = look("7");
        results.page = look("page %#x");
        results.address = look("%#x");
        results.vm = look("VM 1");
        results.deviation = look("a45");
        results.call = look("HVC_SET_BOOT_INFO");
        results.nothing = look("0x123456789000");
        results.all = look("").traps.length;
    """ % (page_of, (page_of << 12) + 0x10))
    traps = {key: found["traps"] for key, found in results.items() if key != "all"}
    assert results["trap"]["chosen"] == "02_vm1_one_vcpu_excerpt#10155"
    assert results["missing"]["said"] == "There is no trap 7 in 02_vm1_one_vcpu_excerpt."
    faults = {r["seq"] for r in records if r["kind"] == "host_npt"
              and int(r["in"]["hpfar"], 16) >> 4 == page_of}
    assert faults <= set(traps["page"]) and traps["address"] == traps["page"]
    exits = {r["seq"] for r in records if r["kind"] == "guest_exit" and r["in"]["vmid"] == 1}
    assert exits <= set(traps["vm"]) and results["all"] != len(traps["vm"])
    expected = summary(fhsim, VM)["deviations"]["A45"]["traps"]
    assert len(traps["deviation"]) == expected
    assert traps["call"] == [r["seq"] for r in records
                             if (r.get("hvc") or {}).get("name") == "HVC_SET_BOOT_INFO"]
    assert traps["nothing"] == []
    assert "is about 0x123456789000" in results["nothing"]["said"]


def test_browser_shows_a_traps_inputs_and_what_follows_apart(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        const record = document.getElementById("record");
        results.inputs = [...record.querySelectorAll(".inputs dt")].map(one => one.textContent);
        results.text = record.querySelector(".inputs").textContent;
        results.folded = [...record.querySelectorAll("details")].map(one =>
            [one.open, one.querySelector("summary").textContent]);
    """)
    assert results["inputs"] == ["esr", "far", "hpfar", "elr"]
    assert "IABT_LOW (instruction abort" in results["text"] and "(IPA 0x" in results["text"]
    assert all(not is_open for is_open, _ in results["folded"])
    assert any("What follows from it" in title for _, title in results["folded"])


def test_browsers_tiles_add_up_all_traces(fhsim, tmp_path, denying, diverging):
    path, _ = denying
    traces = [HOST, path, diverging]
    counts = summary(fhsim, *traces)
    results = browse(page(fhsim, tmp_path, *traces), tmp_path, """
        results.tiles = [...document.querySelectorAll("#tiles .tile b")].map(
            one => Number(one.textContent.replace(/[^0-9]/g, "")));
        results.begin = view.trace.name;
        document.querySelector("[data-tile=denied]").click();
        results.opened = view.trace.name;
        results.marks = view.marks.length;
    """)
    assert results["tiles"][:5] == [counts["traps"], counts["matched"], counts["explained"],
                                    counts["diverged"], 3]
    assert results["begin"] == "diverging"
    assert (results["opened"], results["marks"]) == ("denying", 3)


def test_browser_is_dark_where_that_is_preferred(fhsim, tmp_path):
    probe = """
        results.back = getComputedStyle(document.body).backgroundColor;
        results.mark = style("--host");
    """
    path = page(fhsim, tmp_path, HOST)
    light = browse(path, tmp_path, probe, "", "--blink-settings=preferredColorScheme=1")
    dark = browse(path, tmp_path, probe, "", "--blink-settings=preferredColorScheme=0")
    brightness = [sum(map(int, re.findall(r"\d+", one["back"]))) for one in (light, dark)]
    assert brightness[0] > 600 and brightness[1] < 150
    assert light["mark"] != dark["mark"]


def test_browser_fits_a_narrow_window(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        results.over = document.documentElement.scrollWidth - innerWidth;
    """, "", "--window-size=500,900")
    assert results["over"] <= 0


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


def test_browser_lists_what_an_unexplained_trap_did(fhsim, tmp_path, diverging):
    results = browse(page(fhsim, tmp_path, diverging), tmp_path, """
        const items = [...document.querySelectorAll("#record .effects li")];
        results.texts = items.map(item => item.textContent);
        results.marked = items.map(item => item.classList.contains("differs"));
    """)
    (record,) = [record for record in map(json.loads, diverging.read_text().splitlines())
                 if record["seq"] == 3]
    kinds = [text.removeprefix("! ").split()[0] for text in results["texts"]]
    assert kinds == [effect["t"] for effect in record["fx"]]
    assert [text.startswith("! ") for text in results["texts"]] == results["marked"]
    marked = {kind for kind, mark in zip(kinds, results["marked"]) if mark}
    assert {"s2_read", "panic"} <= marked and "unlock" not in marked


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
    assert results["verdict"].endswith("nothing was compared: the input is bad")
    assert results["isBad"]
