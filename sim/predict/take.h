/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TAKE_H
#define SIM_TAKE_H

#include "predict/model_state.h"

/* Of a record of a trap: those registers of the host that wait in its context. */
void take_kept_registers(struct fh_ctxt *host, const struct trace_registers *in);

/* Take the trap of model->run. */
void take_trap(struct model *model);

#endif
