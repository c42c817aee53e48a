/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_MACHINE_ABI_H
#define FH_MACHINE_ABI_H

#include "layers/kcore.h"

/*
 * Calls as rows (faulthandler/abi.h): what runs where a machine has a table of its own and no
 * function of its overlay stands before it.
 */

/* The host's call in the registers of the current context, as `machine` has it. */
enum fh_status abi_host_call(struct fh_state *s, const struct fh_machine *machine);

/* The running vCPU's call `number`, as the state's machine has it. *is_known: there is such a row.
 */
enum fh_status abi_guest_call(struct fh_state *s, uint64_t number, bool *is_known);

#endif
