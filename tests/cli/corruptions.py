# SPDX-License-Identifier: GPL-2.0-only
"""Ways to forge a record of a trace, each so that what it tells is another thing."""

import copy

# What a recorder adds for people, and what comes from outside the model, where any value is as good
# as another: `fhsim replay --compared` lists it.
OUTSIDE = {
    ("panic", "caller"), ("shadow_set", "reg"), ("snap", None), ("verify", "ed25519"),
    ("int_read", "val"), ("int_gpr_set", "old"), ("mmio", "write_val"),
}

# Of the registers at entry the others are inputs: the trap is predicted from them.
EL2_REGISTERS = ["hcr", "vttbr", "vtcr", "ttbr0_el2", "tpidr_el2", "vmid", "vcpuid", "vmpidr"]
SYSTEM_REGISTERS = ["esr", "far", "hpfar", "elr", "spsr", "par_el1", "actlr_el1", "sp_el1",
                    "elr_el1", "spsr_el1", "sp_el0", "vbar_el1"]


def is_outside(record, effect, key):
    kind = effect["t"]
    if (kind, key) in OUTSIDE or (kind, None) in OUTSIDE:
        return True
    if kind == "mmio" and key == "val":
        return effect["write"] == 0
    if kind == "vm_set" and effect["field"] in ("kvm", "vcpu"):
        return key == "new"
    is_loaded = record.get("hvc", {}).get("name") == "HVC_LOAD_CRYPT_VCPU"
    return is_loaded and kind == "shadow_set" and key == "new"


# --- Values --------------------------------------------------------------------------------------

def other_value(rng, value):
    if isinstance(value, list):
        at = rng.randrange(len(value))
        return value[:at] + [other_value(rng, value[at])] + value[at + 1:]
    if isinstance(value, str) and value.startswith("0x"):
        return hex(int(value, 16) ^ 1 << rng.randrange(64))
    if isinstance(value, str):
        return value + "x"
    return value + rng.choice([-1, 1, 2]) if value > 0 else value + 1


def altered_value(rng, record):
    at = rng.randrange(len(record["fx"]))
    effect = record["fx"][at]
    keys = [key for key, value in effect.items()
            if key not in ("t", "g") and value != [] and not is_outside(record, effect, key)]
    if not keys:
        return None
    key = rng.choice(keys)
    effect[key] = other_value(rng, effect[key])
    return f"{effect['t']}.{key} of effect {at}"


# --- Effects -------------------------------------------------------------------------------------

def content(effects):
    return [{**effect, "g": 0} for effect in effects]


def renumber(record):
    """The record's events one behind the other, so that only their order tells anything."""
    number = record["g0"]
    for effect in record["fx"]:
        number += 1
        effect["g"] = number
    if "g1" in record:
        record["g1"] = number + 1


def replace_effects(record, effects):
    """False if they are what they were."""
    if content(effects) == content(record["fx"]):
        return False
    numbers = [effect["g"] for effect in record["fx"]]
    record["fx"] = copy.deepcopy(effects)
    if len(effects) > len(numbers):
        renumber(record)
    else:
        for effect, number in zip(record["fx"], numbers):
            effect["g"] = number
    return True


def whole_effect(rng, record):
    """One that the model knows of, as a whole."""
    at = rng.randrange(len(record["fx"]))
    effect = record["fx"][at]
    return None if is_outside(record, effect, "level") else at


def dropped_effect(rng, record):
    at = whole_effect(rng, record)
    if at is None:
        return None
    return f"dropped {record['fx'].pop(at)['t']} at {at}"


def doubled_effect(rng, record):
    at = whole_effect(rng, record)
    if at is None:
        return None
    fx = record["fx"]
    replace_effects(record, fx[:at + 1] + fx[at:])
    return f"doubled {fx[at]['t']} at {at}"


def exchanged_effects(rng, record):
    fx = record["fx"]
    at = rng.randrange(len(fx))
    if not replace_effects(record, fx[:at] + fx[at:at + 2][::-1] + fx[at + 2:]):
        return None
    return f"exchanged effects {at} and {at + 1}"


def moved_effect(rng, record):
    """To any other place: a lock that is taken early overlaps another one."""
    fx = record["fx"]
    at = rng.randrange(len(fx))
    rest = fx[:at] + fx[at + 1:]
    to = rng.randrange(len(fx))
    if not replace_effects(record, rest[:to] + [fx[at]] + rest[to:]):
        return None
    return f"moved {fx[at]['t']} from {at} to {to}"


# --- Critical sections ---------------------------------------------------------------------------

def sections(record):
    """The outermost ones, as slices: from the lock that is taken to where none is held."""
    held, begin, found = 0, 0, []
    for at, effect in enumerate(record["fx"]):
        if effect["t"] == "lock":
            begin = begin if held else at
            held += 1
        elif effect["t"] == "unlock" and held:
            held -= 1
            if not held:
                found.append(slice(begin, at + 1))
    return found


def swapped_sections(rng, record):
    found = sections(record)
    if len(found) < 2:
        return None
    first, second = sorted(rng.sample(found, 2), key=lambda section: section.start)
    fx = record["fx"]
    if not replace_effects(record, fx[:first.start] + fx[second] + fx[first.stop:second.start]
                           + fx[first] + fx[second.stop:]):
        return None
    return f"swapped the sections at {first.start} and {second.start}"


def overlapping_sections(rng, record):
    """The first lock is given back behind the taking of the next one."""
    found = sections(record)
    if len(found) < 2:
        return None
    at = rng.randrange(len(found) - 1)
    fx, stop, begin = record["fx"], found[at].stop, found[at + 1].start
    replace_effects(record, fx[:stop - 1] + fx[stop:begin + 1] + [fx[stop - 1]] + fx[begin + 1:])
    return f"the section at {found[at].start} overlaps that at {begin}"


def dropped_section(rng, record):
    found = sections(record)
    if not found:
        return None
    section = rng.choice(found)
    fx = record["fx"]
    replace_effects(record, fx[:section.start] + fx[section.stop:])
    return f"dropped the section at {section.start}"


def doubled_section(rng, record):
    found = sections(record)
    if not found:
        return None
    section = rng.choice(found)
    fx = record["fx"]
    replace_effects(record, fx[:section.stop] + fx[section.start:])
    return f"doubled the section at {section.start}"


def other_lock(rng, record):
    """A pair of effects, so that it is another lock from its taking to its giving back."""
    locks = [at for at, effect in enumerate(record["fx"]) if effect["t"] == "lock"]
    if not locks:
        return None
    fx = record["fx"]
    begin = rng.choice(locks)
    before = (fx[begin]["lock"], fx[begin]["vmid"])
    name = rng.choice(sorted({"smmu", "vm", "core", "s2page", "pt", "spt"} - {before[0]}))
    for effect in fx[begin:]:
        if effect["t"] in ("lock", "unlock") and (effect["lock"], effect["vmid"]) == before:
            effect["lock"] = name
            if effect["t"] == "unlock":
                break
    return f"{before[0]} at {begin} is {name}"


# --- Calls ---------------------------------------------------------------------------------------

CALLS = ["map_page_host", "mmap_s2pt", "clear_vm_page", "grant_vm_page", "assign_pfn_to_vm",
         "map_pfn_vm", "reset_sys_regs", "handle_smmu_write", "handle_smmu_read", "map_smmu"]
HYPERCALLS = ["HVC_VCPU_RUN", "HVC_CLEAR_VM_S2_RANGE", "HVC_BOOT_FROM_SAVED_VM", "HVC_SET_BOOT_INFO"]
CLASSES = ["HVC64", "SYS64", "DABT_LOW", "IABT_LOW", "WFx", "SMC64"]


def renamed_function(rng, record):
    named = [at for at, effect in enumerate(record["fx"]) if effect["t"] in ("fn", "fn_ret")]
    if not named:
        return None
    effect = record["fx"][rng.choice(named)]
    before = effect["fn"]
    effect["fn"] = rng.choice([name for name in CALLS if name != before])
    return f"{effect['t']} {before} is {effect['fn']}"


def renamed_call(rng, record):
    if "hvc" in record:
        key = rng.choice(["name", "num", "args"])
        before = record["hvc"][key]
        if before == []:
            return None
        record["hvc"][key] = rng.choice([name for name in HYPERCALLS if name != before]) \
            if key == "name" else other_value(rng, before)
        return f"hvc.{key} {before} is {record['hvc'][key]}"
    if "ec" not in record:
        return None
    before = record["ec"]
    record["ec"] = rng.choice([name for name in CLASSES if name != before])
    return f"ec {before} is {record['ec']}"


# --- Registers -----------------------------------------------------------------------------------

def has_died(record):
    """Behind it registers are those of the exception that EL2 died of."""
    return record.get("to") not in ("host", "guest")


def forged_gpr(rng, record):
    if has_died(record):
        return None
    x = record["out"].get("x", {})
    nr = rng.randrange(31)
    value = x[nr] if isinstance(x, list) else x.get(str(nr), record["in"]["x"][nr])
    if isinstance(x, list):
        x[nr] = other_value(rng, value)
    else:
        record["out"].setdefault("x", {})[str(nr)] = other_value(rng, value)
    return f"out.x{nr}"


def forged_at_exit(rng, record):
    name = rng.choice(EL2_REGISTERS + SYSTEM_REGISTERS)
    if name not in record["in"] or has_died(record):
        return None
    value = record["out"].get(name, record["in"][name])
    forged = other_value(rng, value)
    if name == "vbar_el1" and (int(forged, 16) ^ int(value, 16)) < 0x800:
        return None  # bits that the register does not have
    record["out"][name] = forged
    return f"out.{name}"


def forged_at_entry(rng, record):
    name = rng.choice(EL2_REGISTERS)
    if name not in record["in"]:
        return None
    record["in"][name] = other_value(rng, record["in"][name])
    return f"in.{name}"


# --- Outcomes ------------------------------------------------------------------------------------

def other_end(rng, record):
    if "to" not in record:
        return None
    before = record["to"]
    record["to"] = rng.choice(sorted({"host", "guest", "el2_panic"} - {before}))
    return f"to {before} is {record['to']}"


def inverted_answer(rng, record):
    """What the trap answers: success is failure, a value none."""
    del rng
    returns = [effect for effect in record["fx"] if effect["t"] == "fn_ret" and effect["args"]]
    if record["kind"] == "host_hvc" and record.get("to") == "host":
        x = record["out"].setdefault("x", {})
        before = x.get("0", record["in"]["x"][0])
        x["0"] = "0x0" if int(before, 16) else "0xffffffffffffffff"
        return f"x0 {before} is {x['0']}"
    if not returns:
        return None
    args = returns[-1]["args"]
    before = args[2]
    args[2] = "0xffffffff" if before == "0x0" else "0x0"
    return f"{returns[-1]['fn']} answers {args[2]} in place of {before}"


def inverted_panic(rng, record):
    """A panic that was is none, or one that was not is one."""
    fx = record["fx"]
    if any(effect["t"] == "panic" for effect in fx):
        replace_effects(record, [effect for effect in fx if effect["t"] != "panic"])
        return "no panic"
    at = rng.randrange(len(fx) + 1)
    panic = {"t": "panic", "g": 0, "caller": "x", "vmid": record["in"]["vmid"],
             "vcpu": record["in"]["vcpuid"]}
    replace_effects(record, fx[:at] + [panic] + fx[at:])
    return f"a panic at {at}"


def inverted_ownership(rng, record):
    """A page read or given as somebody else's."""
    owned = [effect for effect in record["fx"] if effect["t"] == "s2_read"
             or (effect["t"] == "s2_set" and effect["field"] == "owner")]
    if not owned:
        return None
    effect = rng.choice(owned)
    key = "owner" if effect["t"] == "s2_read" else "new"
    before = effect[key]
    after = rng.choice([owner for owner in (0, 1, 2, 65, -1) if owner != before])
    effect[key] = hex(after & (1 << 32) - 1) if isinstance(before, str) else after
    return f"{effect['t']} {key} {before} is {effect[key]}"


OUTCOMES = [other_end, inverted_answer, inverted_panic, inverted_ownership]
KINDS = [altered_value] * 4 + [
    dropped_effect, doubled_effect, exchanged_effects, moved_effect, swapped_sections,
    overlapping_sections, dropped_section, doubled_section, other_lock, renamed_function,
    renamed_call, forged_gpr, forged_at_exit, forged_at_entry] + OUTCOMES
NEED_NO_EFFECT = {forged_gpr, forged_at_exit, forged_at_entry, renamed_call, other_end}


def corrupt(rng, record, kinds=tuple(KINDS)):
    """A forged copy of the record, and what was done; None where that cannot be done to it."""
    kind = rng.choice(kinds)
    if record["kind"] == "gap" or "out" not in record or \
            (not record["fx"] and kind not in NEED_NO_EFFECT):
        return None
    forged = copy.deepcopy(record)
    done = kind(rng, forged)
    return (forged, f"{kind.__name__}: {done}") if done else None
