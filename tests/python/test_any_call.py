# SPDX-License-Identifier: GPL-2.0-only
"""What holds for every function, whatever it is called with and whatever came before."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from libfaulthandler import FUNCTIONS, Error, Machine

PAGE = 0x1000
POOLS = {
    "vmid": [0, 1, 2, 15, 16, 17],
    "pfn": [0, 0x345, 0x400, 0x9ff, 0xa00, 1 << 28],
    "gfn": [0, 0x10, 0x345, 1 << 36],
    "pgnum": [0, 1, 3], "num": [0, 1, 3], "level": [0, 2, 3], "lk": [*range(8), 22, 40],
    "addr": [0, 0x10 * PAGE, 0x345 * PAGE, 0x400 * PAGE + 8, 1 << 40, 1 << 48],
    "pte": [0, 0x345 * PAGE | 1, 0x400 * PAGE | 3, 0x811 * PAGE],
    "size": [0, PAGE, PAGE + 1, 1 << 48],
}
OTHERS = [0, 1, 2, 7, 8, 0x1000, 0xffffffff]


def argument(name, bits):
    pool = POOLS.get(name) or OTHERS + [(1 << bits) - 1]
    return st.sampled_from([value for value in pool if value >> bits == 0])


@st.composite
def calls(draw):
    """A function of the registry, and arguments for it."""
    name = draw(st.sampled_from(sorted(FUNCTIONS)))
    function = FUNCTIONS[name]
    return name, [draw(argument(*pair)) for pair in zip(function.args, function.bits)]


def outcome(machine, name, args):
    try:
        return machine.call(name, *args)
    except Error as error:
        return str(error)


def populate(log):
    """A machine in the middle of its life, and without panics of its oracle's making."""
    machine = Machine(log=log, loop_limit=4096, environment={"doracle": lambda vmid, n: n % 3})
    machine.add_region(0x200 * PAGE, 0x800 * PAGE)
    machine.add_smmu(0x100000, owners={0: 0, 1: 1})
    machine.register_kvm()
    machine.register_vcpu(1, 0)
    machine.set_boot_info(1, 0x200000, 3 * PAGE)
    machine.prot_and_map_vm_s2pt(1, 0x10 * PAGE, 0x345 * PAGE, 3)
    machine.grant_stage2_sg_gpa(1, 0x10 * PAGE, PAGE)
    machine.map_page_host(0x345 * PAGE)
    assert not machine.halted
    return machine


STARTS = populate("summary"), populate("full")


class AnyCall(RuleBasedStateMachine):
    """The same calls on machines that keep all of their logs and a summary of them."""

    def __init__(self):
        super().__init__()
        self.summary, self.full = (machine.fork() for machine in STARTS)

    @rule(call=calls())
    def do(self, call):
        before, full_before = self.summary.snapshot(), self.full.snapshot()
        fork = self.summary.fork()
        result = outcome(self.summary, *call)
        assert outcome(self.full, *call) == result, "the result depends on what is kept of logs"
        assert self.summary == self.full, "the state depends on what is kept of logs"
        assert outcome(fork, *call) == result and fork == self.summary, "a fork does otherwise"
        if isinstance(result, str):
            assert self.summary == before, "a call that failed left a trace"
        if self.summary.halted:
            # Behind a panic hardly anything happens.
            self.summary.restore(before)
            self.full.restore(full_before)
            assert self.summary == before


def test_calls_do_the_same_in_forks_and_whatever_is_kept_of_logs():
    # Calls are quick, and there are many functions.
    more = settings(max_examples=3 * settings.default.max_examples)
    run_state_machine_as_test(AnyCall, settings=more)
