/* SPDX-License-Identifier: GPL-2.0-only */
#include "tables.h"

#include <faulthandler/machine.h>

/* The same constants are a column of constants.h, where they are known by name. */
_Static_assert(sizeof profile == sizeof fh_profile_spec, "one set of constants");

const struct fh_machine fh_machine_spec = {
    .name = "spec",
    .profile = &fh_profile_spec,
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
};
