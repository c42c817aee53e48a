# SPDX-License-Identifier: GPL-2.0-only
"""The documentation of the scenario format, its schema, and the scenarios that are here."""

import copy
import json
import re

import pytest

yaml = pytest.importorskip("yaml")


class Loader(yaml.SafeLoader):
    """YAML as an editor of JSON Schema sees it: keys are texts, `010` and `on` are texts too."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (
        "tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:float")]
    for first, resolvers in copy.deepcopy(yaml.SafeLoader.yaml_implicit_resolvers).items()}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), "tf")


def with_text_keys(value):
    if isinstance(value, dict):
        return {str(key): with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_text_keys(item) for item in value]
    return value


def load(text):
    return with_text_keys(yaml.load(text, Loader))


@pytest.fixture(scope="module")
def page(source):
    return (source / "docs" / "scenario-format.md").read_text()


@pytest.fixture(scope="module")
def examples(page):
    return re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def schema(source):
    return json.loads((source / "docs" / "scenario.schema.json").read_text())


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.fixture(scope="module")
def scenarios(source):
    return sorted((source / "scenarios").rglob("*.yaml"))


def test_the_examples_in_the_documentation_pass(fhsim, examples):
    assert len(examples) >= 8
    for example in examples:
        result = fhsim("run", "-", stdin=example)
        assert result.returncode == 0, example + result.stdout + result.stderr


def test_the_scenarios_pass(fhsim, source):
    result = fhsim("run", source / "scenarios")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_scenarios_say_how_they_end(scenarios):
    assert len(scenarios) >= 80
    assert all(re.fullmatch(r"(good|bad)_[a-z0-9_]+", path.stem) for path in scenarios)


def test_bad_scenarios_halt_are_undefined_or_break_an_invariant_or_have_bad_accesses(scenarios):
    for path in scenarios:
        steps = load(path.read_text())["steps"]
        expects = [step.get("expect", {}) for step in steps]
        refusals = ("halted", "stuck", "died", "hangs", "unrepresentable", "disagrees")
        refuses = any(expect.get(refusal) for expect in expects for refusal in refusals)
        refuses = refuses or any("broken" in step for step in steps)
        refuses = refuses or any(expect.get("end") in ("faults", "stopped") or expect.get("foreign")
                                 for expect in expects)
        assert refuses or path.stem.startswith("good_"), path


def test_a_halt_in_a_scenario_says_where(scenarios):
    """That KCore halts is not enough: it may do so for another reason than the story's."""
    for path in scenarios:
        for step in load(path.read_text())["steps"]:
            assert step.get("expect", {}).get("halted") is not True, path


def test_scenarios_have_a_sentence_of_documentation(scenarios):
    for path in scenarios:
        description = load(path.read_text())["description"].strip()
        assert len(description.split()) >= 8 and description.endswith("."), path


def test_scenarios_and_examples_conform_to_the_schema(validator, scenarios, examples):
    for text in [path.read_text() for path in scenarios] + examples:
        errors = [f"{list(error.path)}: {error.message}"
                  for error in validator.iter_errors(load(text))]
        assert not errors, text + "\n".join(errors)


@pytest.mark.parametrize("text", [
    "steps: [{call: panic}]",
    "description: x\nsteps: []",
    "description: x\nstep: [{call: panic}]\nsteps: [{call: panic}]",
    "description: x\nsteps: [{call: panic, set: {}}]",
    "description: x\nsteps: [{call: panic, expect: {halt: true}}]",
    "description: x\nsteps: [{trap: host-npt-fault}]",
    "description: x\nsteps: [{trap: host-npt-fault, ipa: -1}]",
    "description: x\nsteps: [{trap: host-hvc, args: [1]}]",
    "description: x\nsteps: [{trap: host-hvc, hvc: 11, args: [1, 2, 3, 4, 5, 6]}]",
    "description: x\nsteps: [{trap: host-hvc, hvc: 11, layer: middle}]",
    "description: x\nsteps: [{trap: vcpu-run}]",
    "description: x\nsteps: [{trap: vcpu-run, vmid: 1, map: {ipa: 0}}]",
    "description: x\nsteps: [{trap: vm-exit}]",
    "description: x\nsteps: [{trap: vm-exit, exit: wfi}]",
    "description: x\nsteps: [{call: panic, events: {CORE_ID: 1}}]",
    "description: x\nsteps: [{call: panic, events: {CORE_ID: [{cpu: 1}]}}]",
    "description: x\nsteps: [{call: panic, data: {0: {0: 1}}}]",
    "description: x\nsteps: [{check: 1}]",
    "description: x\nsteps: [{access: read}]",
    "description: x\nsteps: [{access: load, address: 0}]",
    "description: x\nsteps: [{access: read, address: 0, by: {vcpuid: 0}}]",
    "description: x\nsteps: [{access: read, address: 0, form: [post]}]",
    "description: x\nsteps: [{access: read, by: {vmid: 1}, address: 0, answers: [{block: true}]}]",
    "description: x\nsteps: [{access: read, address: 0, expect: {fault: fatal}}]",
    "description: x\ntlb: fresh\nsteps: [{access: read, address: 0}]",
    "description: x\nmachine: {regions: [{base: 0}]}\nsteps: [{call: panic}]",
    "description: x\nvms: [{state: 1}]\nsteps: [{call: panic}]",
])
def test_the_schema_and_the_loader_refuse_the_same(fhsim, validator, text):
    assert list(validator.iter_errors(load(text)))
    assert fhsim("run", "-", stdin=text).returncode == 2


def keys_of(schema, name):
    return set(schema["definitions"][name]["properties"])


def test_the_documentation_has_every_key_of_the_schema(page, schema):
    keys = set(schema["properties"])
    for name in ("machine", "host", "vm", "host_npt_fault", "host_hvc", "vcpu_run", "vm_exit", "access", "call",
                 "parameters", "expect"):
        keys |= keys_of(schema, name)
    for key in keys:
        assert re.search(rf"`(\w+\[\])?\.?{key}\b", page), key
