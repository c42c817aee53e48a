/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_RANGES_H
#define SIM_RANGES_H

#include <faulthandler/access.h>

/* What a table maps, and whose pages are whose, as ranges: what is alike in a row is one. */
struct range {
    uint64_t begin, end; /* bytes: of the table's input, or physical */
    int level;           /* of the descriptors, or of the table where there is none */
    bool is_mapped;
    uint64_t word;   /* the first descriptor */
    uint64_t output; /* physical address that `begin` leads to */
    uint32_t owner;  /* of the pages */
    uint32_t count;  /* how often each is shared */
};

typedef void range_visit(void *context, const struct range *range);

/*
 * All of a table, in order, holes too. `is_close` looks at physical addresses and owners as well,
 * and parts ranges where they do not go on.
 */
bool ranges_of_table(const struct fh_state *state, const struct fh_arm_stage2_control *control,
                     const struct fh_arm_memory *memory, bool is_close, range_visit *visit,
                     void *context);

/* Physical memory by owner; what nobody owns is left out. */
void ranges_of_owners(const struct fh_state *state, range_visit *visit, void *context);

/* The page at a physical address. */
const struct fh_s2page *page_at(const struct fh_state *state, uint64_t pa);

#endif
