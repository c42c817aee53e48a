/* SPDX-License-Identifier: GPL-2.0-only */
#include "tables.h"

#include <faulthandler/machine.h>

const struct fh_machine fh_machine_spec = {
    .name = "spec",
    .profile = FH_MACHINE_PROFILE,
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
