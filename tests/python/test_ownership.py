# SPDX-License-Identifier: GPL-2.0-only
"""Random sequences of hypercalls, faults and lives of VMs agree with books kept outside."""

from hypothesis.stateful import run_state_machine_as_test

from ownership import Ownership


def test_every_page_is_whose_the_books_say():
    try:
        run_state_machine_as_test(Ownership)
    except Exception:
        if Ownership.failure:
            Ownership.save_failure()
        raise
