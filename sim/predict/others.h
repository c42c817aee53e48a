/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_OTHERS_H
#define SIM_OTHERS_H

#include "predict/model_state.h"
#include "predict/objects.h"

/* What other CPUs did while a trap was taken: the spec's oracle for locks. */
void others_begin(struct model *model);
void others_end(struct model *model);

/* The oracle; see struct fh_environment. */
size_t others_act(void *context, uint64_t lock, uint64_t cpu, const struct fh_log *log,
                  const struct fh_event *const **events);

/* The lock was taken, and what they did on its object is in the state. */
void others_did(struct model *model, uint64_t lock);

#endif
