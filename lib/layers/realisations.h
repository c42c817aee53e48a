/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_REALISATIONS_H
#define FH_LAYERS_REALISATIONS_H

#include <faulthandler/realisation.h>

#include "layers/kcore.h"

/*
 * States with both realisations: what a call touches, and the check when it ends.
 */

/* Page `gfn` and those behind it have been mapped or unmapped. */
void touch_pages(struct fh_state *s, bool is_smmu, uint64_t owner, uint64_t gfn, uint64_t count);

/* The page or block of `addr` in the table of `vmid`. */
void touch_stage2(struct fh_state *s, uint64_t vmid, uint64_t addr, uint64_t level);

/* A word or a map has been written from outside of the two forms: all is to be looked at. */
static inline void touch_all(struct fh_state *s)
{
    if (!s->touched.is_words_turn)
        s->touched.all = true;
}

/*
 * The concrete form's turn after the abstract one: nobody is told what it does, since that has been
 * told, and whether it halts is for its caller to know.
 */
struct words_turn {
    void (*observer)(void *context, const struct fh_effect *effect);
    bool halt;
};

static inline struct words_turn begin_words_turn(struct fh_state *s)
{
    const struct words_turn turn = {s->env.observer, s->adt->halt};
    s->env.observer = NULL;
    s->touched.is_words_turn = true;
    return turn;
}

static inline void end_words_turn(struct fh_state *s, struct words_turn turn)
{
    s->env.observer = turn.observer;
    s->adt->halt = turn.halt;
    s->touched.is_words_turn = false;
}

/* A call begins; FH_DISAGREE if it may not end as it did. */
static inline void begin_touching(struct fh_state *s)
{
    s->touched.count = 0;
    s->touched.all = false;
    s->touched.is_words_turn = false;
}

enum fh_status check_touched(struct fh_state *s);

#endif
