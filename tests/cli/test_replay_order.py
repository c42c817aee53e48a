# SPDX-License-Identifier: GPL-2.0-only
"""fhsim replay goes by the order of critical sections, and by no other.

Recordings of two and of three CPUs that are rewritten: as long as every CPU's events, and the
sections of every lock, follow one another as they did, the verdict stays. FH_ORDERS says how many
ways are tried (1), FH_SEED from which seed.
"""

import collections
import json
import os
import pathlib
import random
import subprocess

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
SEED = int(os.environ.get("FH_SEED", "1"))
SEEDS = range(SEED, SEED + int(os.environ.get("FH_ORDERS", "1")))
NAMES = ["04_vm2_two_vcpus_smp2", "18_smp3_host_faults"]
CPUS_MAX = 64


@pytest.fixture(scope="module", params=NAMES)
def text(request):
    return unpack(SOURCE / f"tests/data/{request.param}_excerpt.jsonl.zst")


@pytest.fixture
def records(text):
    return [json.loads(line) for line in text.splitlines()]


def write(tmp_path, records):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def replay(tmp_path, records):
    done = subprocess.run([FHSIM, "replay", write(tmp_path, records), "--json", "--show", "20"],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def verdict(tmp_path, records):
    found = replay(tmp_path, records)
    counts = {key: found[key] for key in ("traps", "matched", "explained", "diverged")}
    return counts | {name: entry["traps"] for name, entry in found["deviations"].items()}


# --- Events of all CPUs in one row ---------------------------------------------------------------

def events_of(record):
    """Places of event numbers: a list or map, and an index."""
    return [(record, "g0"), *((effect, "g") for effect in record["fx"]), (record, "g1")]


def number(events):
    """Give events the numbers of their places; numbers have gaps, as recorders leave them."""
    for at, (place, key) in enumerate(events):
        place[key] = 3 * at + 5


def lock_of(place):
    return (place["lock"], place["vmid"]) if place.get("t") in ("lock", "unlock") else None


def by_cpu(records):
    streams = collections.defaultdict(list)
    for record in sorted(records, key=lambda record: record["g0"]):
        streams[record["cpu"]] += events_of(record)
    return streams


def turns_of(records):
    """For each lock, which CPUs take it, one after the other."""
    turns = collections.defaultdict(collections.deque)
    effects = [(effect["g"], record["cpu"], effect) for record in records
               for effect in record["fx"] if effect["t"] == "lock"]
    for _, cpu, effect in sorted(effects, key=lambda event: event[0]):
        turns[lock_of(effect)].append(cpu)
    return turns


def interleave(rng, records):
    """The events of all CPUs in another order in which each lock is taken as it was.

    Up to the last gap, which has no locks, all is left as it is.
    """
    gaps = max((record["g1"] for record in records if record["kind"] == "gap"), default=0)
    kept = sorted((event for record in records if record["g0"] < gaps
                   for event in events_of(record)), key=lambda event: event[0][event[1]])
    return kept + interleave_all(rng, [record for record in records if record["g0"] >= gaps])


def interleave_all(rng, records):
    streams = {cpu: collections.deque(events) for cpu, events in by_cpu(records).items()}
    turns = turns_of(records)
    held, row = set(), []

    def may_go(cpu):
        place = streams[cpu][0][0]
        if place.get("t") != "lock":
            return True
        return lock_of(place) not in held and turns[lock_of(place)][0] == cpu

    while any(streams.values()):
        cpu = rng.choice([cpu for cpu, left in streams.items() if left and may_go(cpu)])
        for _ in range(rng.choice([1, 2, 5, 20])):
            if not streams[cpu] or not may_go(cpu):
                break
            place, key = streams[cpu].popleft()
            row.append((place, key))
            if place.get("t") == "lock":
                turns[lock_of(place)].popleft()
                held.add(lock_of(place))
            elif place.get("t") == "unlock":
                held.discard(lock_of(place))
    return row


def shuffle_lines(rng, records):
    """Lines in any order in which those of a CPU follow one another; the boot line is the first."""
    queues = collections.defaultdict(collections.deque)
    for record in records[1:]:
        queues[record["cpu"]].append(record)
    lines = records[:1]
    while any(queues.values()):
        lines.append(queues[rng.choice([cpu for cpu, left in queues.items() if left])].popleft())
    return lines


def renumber_cpus(rng, records):
    cpus = sorted({record["cpu"] for record in records})
    numbers = dict(zip(cpus, rng.sample(range(CPUS_MAX), len(cpus))))
    for record in records:
        record["cpu"] = numbers[record["cpu"]]


# --- What leaves the verdict ---------------------------------------------------------------------

@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_lines_leaves_the_verdict(tmp_path, records, seed):
    assert verdict(tmp_path, shuffle_lines(random.Random(seed), records)) == \
        verdict(tmp_path, records)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_of_cpus_leave_the_verdict(tmp_path, records, seed):
    wanted = verdict(tmp_path, records)
    renumber_cpus(random.Random(seed), records)
    assert verdict(tmp_path, records) == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_an_order_of_events_that_keeps_that_of_sections_leaves_the_verdict(tmp_path, records, seed):
    """What else two CPUs do may happen in any order: traps overlap more than they did."""
    wanted = verdict(tmp_path, records)
    rng = random.Random(seed)
    number(events_of(records[0]) + interleave(rng, records[1:]))
    in_order = sorted(records, key=lambda record: record["g0"])
    for seq, record in enumerate(in_order):
        record["seq"] = seq
    renumber_cpus(rng, records)
    assert verdict(tmp_path, shuffle_lines(rng, in_order)) == wanted


# --- What does not -------------------------------------------------------------------------------

def two_turns(records):
    """Two records of different CPUs, one behind the other, which take the same lock."""
    found = []
    in_order = sorted((record for record in records[1:] if record["kind"] != "gap"),
                      key=lambda record: record["g0"])
    for first, second in zip(in_order, in_order[1:]):
        locks = [{lock_of(effect) for effect in record["fx"] if effect["t"] == "lock"}
                 for record in (first, second)]
        if first["cpu"] != second["cpu"] and first["g1"] < second["g0"] and locks[0] & locks[1]:
            found.append((first, second, min(locks[0] & locks[1])))
    return found


def index_of(events, kind, lock):
    return next(at for at, (place, _) in enumerate(events)
                if place.get("t") == kind and lock_of(place) == lock)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lock_that_two_cpus_hold_is_unexplained(tmp_path, records, seed):
    first, second, lock = random.Random(seed).choice(two_turns(records))
    head = [record for record in records if record.get("g1", 0) < first["g0"]]
    one, two = events_of(first), events_of(second)
    taken, given = index_of(one, "lock", lock), index_of(two, "lock", lock)
    row = one[:taken + 1] + two[:given + 1] + one[taken + 1:] + two[given + 1:]
    assert is_told(tmp_path, head, row, (first, second), "a lock that is held")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lock_that_another_cpu_gives_back_is_unexplained(tmp_path, records, seed):
    first, second, lock = random.Random(seed).choice(two_turns(records))
    head = [record for record in records if record.get("g1", 0) < first["g0"]]
    at = next(at for at, effect in enumerate(first["fx"])
              if effect["t"] == "unlock" and lock_of(effect) == lock)
    second["fx"].insert(0, first["fx"].pop(at))
    row = events_of(first) + events_of(second)
    assert is_told(tmp_path, head, row, (first, second), "a lock that is not its own")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lock_that_is_taken_before_its_turn_is_unexplained(tmp_path, records, seed):
    """Of two that are nested, the inner one is taken first."""
    rng = random.Random(seed)
    nested = [(record, at) for record in records[1:] if record["kind"] != "gap"
              for at, effect in enumerate(record["fx"])
              if effect["t"] == "lock" and any(
                  other["t"] == "lock" for other in held_at(record, at))]
    record, at = rng.choice(nested)
    outer = max(i for i in range(at) if record["fx"][i]["t"] == "lock")
    for key in ("lock", "vmid"):
        values = record["fx"][outer][key], record["fx"][at][key]
        record["fx"][at][key], record["fx"][outer][key] = values
    head = [other for other in records if other.get("g1", 0) < record["g0"]]
    found = replay(tmp_path, head + [record])
    assert "the order of locks" in paths(found)


def held_at(record, at):
    """The locks that are taken and not given back before an effect."""
    held = []
    for effect in record["fx"][:at]:
        if effect["t"] == "lock":
            held.append(effect)
        elif effect["t"] == "unlock":
            held = [other for other in held if lock_of(other) != lock_of(effect)]
    return held


def paths(found):
    return [difference.get("field") for divergence in found["divergences"]
            for difference in divergence["differences"]]


def is_told(tmp_path, head, row, pair, rule):
    before = max(record["g1"] for record in head)
    for at, (place, key) in enumerate(row):
        place[key] = before + 1 + at
    for seq, record in enumerate(sorted(pair, key=lambda record: record["g0"])):
        record["seq"] = max(other["seq"] for other in head) + 1 + seq
    return rule in paths(replay(tmp_path, head + sorted(pair, key=lambda record: record["g1"])))
