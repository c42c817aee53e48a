# SPDX-License-Identifier: GPL-2.0-only
"""fhsim replay notices when one effect of a recording is changed: at that trap, and unexplained.

FH_CORRUPTIONS says how many changes are tried (300), FH_SEED from which seed.
"""

import json
import os
import pathlib
import random
import subprocess

import pytest

from zstd_file import unpack

SOURCE = pathlib.Path(os.environ.get("FH_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FHSIM = os.environ.get("FHSIM") or os.path.join(os.environ.get("FH_BUILD_DIR", ""), "sim/fhsim")
COUNT = int(os.environ.get("FH_CORRUPTIONS", "300"))
SEED = int(os.environ.get("FH_SEED", "1"))
EXCERPTS = ["01_host_only", "02_vm1_one_vcpu", "08_smmu_host_mmio_hvc", "09_smmu_vm_domains"]

# Not compared: what a recorder adds for people, and what comes from outside the model, where any
# value is as good as another (what the host and devices answer, where the host keeps its structs,
# what a signature check found, what was in the host's memory before).
OUTSIDE = {
    ("panic", "caller"), ("shadow_set", "reg"), ("snap", None), ("verify", "ed25519"),
    ("int_read", "val"), ("int_read", "idx"), ("int_gpr_set", "old"), ("mmio", "rt"),
    ("mmio", "write_val"),
}


@pytest.fixture(scope="module")
def traces():
    return [unpack(SOURCE / f"tests/data/{name}_excerpt.jsonl.zst").splitlines()
            for name in EXCERPTS]


def is_outside(effect, key):
    kind = effect["t"]
    if (kind, key) in OUTSIDE or (kind, None) in OUTSIDE:
        return True
    if kind == "mmio" and key in ("val", "len"):
        return effect["write"] == 0
    if kind == "vm_set" and effect["field"] in ("kvm", "vcpu"):
        return key == "new"
    if kind == "shadow_set" and 48 <= effect["idx"] <= 71:
        return key in ("old", "new")
    return False


def change_value(rng, value):
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return value[:at] + [change_value(rng, value[at])] + value[at + 1:]
    if isinstance(value, str) and value.startswith("0x"):
        return hex(int(value, 16) ^ 1 << rng.randrange(48))
    if isinstance(value, str):
        return value + "x"
    return value + rng.choice([-1, 1, 2]) if value > 0 else value + 1


def change_field(rng, record):
    at = rng.randrange(len(record["fx"]))
    effect = record["fx"][at]
    keys = [key for key, value in effect.items()
            if key not in ("t", "g") and value != [] and not is_outside(effect, key)]
    if not keys:
        return None
    key = rng.choice(keys)
    effect[key] = change_value(rng, effect[key])
    return f"{effect['t']}.{key} of effect {at}"


def whole_effect(rng, record):
    """One that the model knows of, as a whole."""
    at = rng.randrange(len(record["fx"]))
    effect = record["fx"][at]
    return None if is_outside(effect, "level") else at


def remove(rng, record):
    at = whole_effect(rng, record)
    if at is None:
        return None
    return f"removed {record['fx'].pop(at)['t']} at {at}"


def double(rng, record):
    at = whole_effect(rng, record)
    if at is None:
        return None
    fx = record["fx"]
    fx.insert(at, dict(fx[at]))
    return f"doubled {fx[at]['t']} at {at}"


def exchange(rng, record):
    fx = record["fx"]
    at = rng.randrange(len(fx))
    if at + 1 >= len(fx) or {**fx[at], "g": 0} == {**fx[at + 1], "g": 0}:
        return None
    fx[at], fx[at + 1] = fx[at + 1], fx[at]
    return f"exchanged effects {at} and {at + 1}"


def change_register(rng, record):
    if rng.randrange(2):
        x = record["out"].get("x", {})
        now = record["in"]["x"]
        nr = rng.randrange(31)
        value = x[nr] if isinstance(x, list) else x.get(str(nr), now[nr])
        record["out"].setdefault("x", {})[str(nr)] = change_value(rng, value)
        return f"x{nr}"
    name = rng.choice(["elr", "vmid"])
    value = record["out"].get(name, record["in"][name])
    record["out"][name] = change_value(rng, value)
    return name


CHANGES = [change_field] * 6 + [remove, double, exchange, change_register]


def corrupt(rng, lines):
    """The lines up to one that was changed, its number, and what was done to it."""
    while True:
        at = rng.randrange(1, len(lines))
        record = json.loads(lines[at])
        if record["kind"] == "gap":
            continue
        change = rng.choice(CHANGES)
        if not record["fx"] and change is not change_register:
            continue
        done = change(rng, record)
        if done:
            return lines[:at] + [json.dumps(record)], record["seq"], done


def is_reported(path, text, seq):
    path.write_text("".join(line + "\n" for line in text))
    done = subprocess.run([FHSIM, "replay", path, "--json", "--show", "100"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    return any(divergence["trap"] == f"t#{seq}" for divergence in found["divergences"])


def test_a_changed_effect_is_reported_at_its_trap(tmp_path, traces):
    rng = random.Random(SEED)
    missed = []
    for number in range(COUNT):
        which = rng.randrange(len(traces))
        text, seq, done = corrupt(rng, traces[which])
        if not is_reported(tmp_path / "t.jsonl", text, seq):
            missed.append(f"{EXCERPTS[which]}#{seq} (change {number}): {done}")
    print("\n".join(missed))
    assert len(missed) <= COUNT * 0.005, missed
