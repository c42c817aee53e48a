/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/spec/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include "tables.h"

#include "machine/machine.h"

extern const struct machine_description machine_spec;
const struct machine_description machine_spec = {
    .name = "spec", .title = "the specification, as proved",
    .profile = FH_MACHINE_PROFILE,
    .tables = {MACHINE_NEXT_address},
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
