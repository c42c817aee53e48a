/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CHANGES_H
#define SIM_CHANGES_H

#include <faulthandler/state.h>

typedef void changes_tell(void *context, const char *text);

/*
 * What differs between two states, "PATH: BEFORE -> AFTER" each. Logs and what CPUs that do not act
 * wait with are left out; so are registers that traps come with, unless `is_long`: their number is
 * returned.
 */
size_t changes_visit(const struct fh_profile *k, const struct fh_rdata *before,
                     const struct fh_rdata *after, bool is_long, changes_tell *tell, void *context);

#endif
