# SPDX-License-Identifier: GPL-2.0-only
"""Each function calls what the proof lets its body call (bodies.tsv), or bodies_differ.tsv says why
not."""

import pytest

from callgraph import CallGraph
from tables import rows

ANYTHING = "*"  # of the layers below: test_includes.py sees to that


@pytest.fixture(scope="module")
def graph(tmp_path_factory):
    return CallGraph(tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="module")
def exceptions():
    table = rows("bodies_differ.tsv", 4)
    assert all(len(reason.split()) >= 6 for *_, reason in table)
    found = {(layer, function): set(also.split()) for layer, function, also, _ in table}
    assert len(found) == len(table)
    return found


def allowed():
    return {(layer, name): set(calls.split()) for layer, name, calls in rows("bodies.tsv", 3)}


def test_the_table_of_bodies_is_complete():
    assert len(allowed()) == 132


def test_the_graph_sees_calls_through_static_and_shared_helpers_and_pointers(graph):
    """What is known of three functions: or a change of the compiler could blind the test."""
    assert {"walk_s2pt", "get_level_s2pt", "grant_vm_page"} <= graph.primitives_of(
        "grant_stage2_sg_gpa"
    )
    assert "get_pfn_map" in graph.primitives_of("assign_pfn_to_vm")
    assert "get_int_gpr" in graph.primitives_of("restore_shadow_kvm_regs")
    assert graph.primitives_of("panic") == set()


@pytest.mark.parametrize("row", sorted(allowed()), ids=".".join)
def test_a_body_calls_only_what_the_proof_lets_it_call(graph, exceptions, row):
    if ANYTHING in exceptions.get(row, ()):
        return
    beyond = graph.primitives_of(row[1]) - allowed()[row]
    assert beyond == exceptions.get(row, set())


def test_every_exception_is_one_of_a_body(exceptions):
    assert set(exceptions) <= set(allowed())
