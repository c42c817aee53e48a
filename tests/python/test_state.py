# SPDX-License-Identifier: GPL-2.0-only
"""The state by attributes, and what differs between two states."""

import pytest

from libfaulthandler import Machine


def test_every_scalar_can_be_read_by_its_path(machine):
    assert machine.read("shared.s2page.0x345.s2_owner") == 0
    assert machine.read("lock.S2PAGE_ID") == "free"
    assert machine.read("shared.npts.HOSTVISOR.pt.0x345.level") == 0
    assert machine.read("shared.npts.0.pud_t.0.2") is False
    assert machine.read("cur_vcpuid") == 0


def test_a_view_follows_the_state(machine):
    page = machine.state.shared.s2page[0x345]
    machine.state.shared.s2page[0x345].s2_count = 7
    assert page.s2_count == 7


def test_a_map_has_a_value_at_every_key(machine):
    pages = machine.state.shared.s2page
    assert 0x345 in pages and 0x1000 not in pages
    assert pages[0x1000] == pages.default
    assert pages[0x1000].s2_owner == machine.constants.INVALID
    assert len(pages) == 0x800
    assert list(pages)[:2] == [0x200, 0x201] and pages.keys()[-1] == 0x9ff


def test_a_new_default_drops_the_entries(machine):
    flatmem = machine.state.shared.flatmem
    flatmem[5] = 1
    flatmem.reset(7)
    assert 5 not in flatmem and flatmem[5] == flatmem.default == 7
    machine.state.shared.s2page.reset({"s2_owner": 3})
    assert machine.state.shared.s2page[9].s2_owner == 3


def test_maps_of_several_keys_take_tuples(machine):
    tables = machine.state.shared.npts[2].pmd_t
    tables[1, 2, 3] = True
    assert dict(tables.items()) == {(1, 2, 3): True}
    with pytest.raises(KeyError):
        tables[1, 2]
    with pytest.raises(KeyError):
        tables[512, 0, 0]


def test_a_record_is_written_by_a_dict_of_its_fields(machine):
    machine.state.shared.s2page[0x345] = {"s2_owner": 3, "s2_count": 2}
    assert machine.state.shared.s2page[0x345].to_dict() == {
        "s2_owner": 3, "s2_count": 2, "s2_gfn": 0x345 + machine.constants.SMMU_HOST_OFFSET,
    }


def test_a_part_is_copied_by_assignment(machine):
    machine.state.regs.ctxt_regs.x7 = 99
    machine.state.shadow_ctxts[8] = machine.state.regs
    machine.state.regs.ctxt_regs.x7 = 1
    assert machine.state.shadow_ctxts[8].ctxt_regs.x7 == 99


def test_a_mapping_is_a_named_tuple(machine):
    machine.state.shared.npts[1].pt[0x10] = (0x345, 3, 0x345fff)
    entry = machine.state.shared.npts[1].pt[0x10]
    assert entry == (0x345, 3, 0x345fff) and entry.pte == 0x345fff
    machine.write("shared.npts.1.pt.0x10.level", 2)
    assert machine.state.shared.npts[1].pt[0x10].level == 2


def test_words_and_signed_numbers_are_written_as_they_are_read(machine):
    machine.state.lock[2] = "own"
    machine.state.cur_vcpuid = -1
    assert machine.state.lock[2] == "own" and machine.state.cur_vcpuid == -1


@pytest.mark.parametrize("path, value, error", [
    ("shared.s2page.1.s2_owner", 1 << 32, OverflowError),
    ("shared.s2page.1.s2_owner", -1, OverflowError),
    ("shared.s2page.1.s2_owner", "host", TypeError),
    ("shared.npts.0.pt.1", (1, 16, 1), OverflowError),
    ("shared.npts.0.pt.1", (1, 2), ValueError),
    ("lock.2", "mine", ValueError),
    ("halt", 2, OverflowError),
    ("shared.s2page.1.owner", 1, AttributeError),
    ("log.2", 1, TypeError),
])
def test_a_value_that_has_no_place_is_refused(machine, path, value, error):
    before = machine.fork()
    with pytest.raises(error):
        machine.write(path, value)
    assert machine == before


def test_a_patch_that_fails_changes_nothing(machine):
    before = machine.fork()
    with pytest.raises(OverflowError):
        machine.patch({"curid": 3, "shared": {"s2page": {1: {"s2_owner": 1 << 40}}}})
    assert machine == before


def test_full_logs_list_their_events():
    machine = Machine(log="full")
    machine.acquire_lock_s2page()
    log = machine.state.log[machine.constants.S2PAGE_ID]
    assert log.events == [[0, "WAIT_LOCK", 10], [0, "OPULL", 2]]
    assert (log.length, log.lock, log.holder) == (2, "held", 0)


def test_summaries_count_events_and_know_the_holder():
    machine = Machine()
    machine.acquire_lock_s2page()
    log = machine.state.log[2]
    assert (len(log), log.lock, log.holder, log.events) == (2, "held", 0, [])


def test_a_delta_lists_the_places_that_differ(machine):
    before = machine.snapshot()
    machine.state.shared.s2page[0x345].s2_count = 4
    machine.state.shared.npts[1].pt[0x20] = (0x345, 3, 7)
    changes = machine.delta(before)
    assert [(change.path, change.old, change.new) for change in changes] == [
        ("shared.npts.1.pt.0x20", (0, 0, 0), (0x345, 3, 7)),
        ("shared.s2page.0x345.s2_count", 0, 4),
    ]
    assert repr(changes[1]) == "shared.s2page.0x345.s2_count: 0 -> 4"
    assert changes[1].steps == ("shared", "s2page", 0x345, "s2_count")
    assert repr(changes).count("\n") == 1
    assert repr(machine.delta(machine)) == "no change"


def test_a_delta_of_a_log_has_the_events_that_are_new():
    machine = Machine(log="full")
    machine.acquire_lock_s2page()
    before = machine.snapshot()
    machine.release_lock_s2page()
    changes = {change.path: change for change in machine.delta(before)}
    assert changes["log.2"].new.length == 4
    assert changes["log.2"].new.events == ([0, "OS2_PAGE"], [0, "REL_LOCK"])
    assert "log.2" not in machine.delta(before).without_logs().paths()


def test_a_delta_as_a_patch_leads_from_the_one_state_to_the_other(machine):
    before = machine.fork()
    machine.map_page_host(0x345000)
    machine.state.shared.npts[3].pud_t[1, 2] = True
    before.patch(machine.delta(before).without_logs().to_patch())
    assert len(before.delta(machine).without_logs()) == 0


def test_views_print_what_they_are(machine):
    assert repr(machine.state.shared.s2page[0x1000]) == (
        "s2page(s2_owner=0xffffffff, s2_count=0, s2_gfn=0xffffffffffffffff)"
    )
    machine.state.shared.npts[1].pt[0x20] = (0x345, 3, 7)
    assert repr(machine.state.shared.npts[1].pt) == "{0x20: (0x345, 3, 7), _: (0, 0, 0)}"
    assert "s2page=<2048 entries>" in repr(machine.state.shared)
    assert "CPU 0 in host" in repr(machine)
