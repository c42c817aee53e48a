/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CATALOGUE_H
#define SIM_CATALOGUE_H

#include "machine/machine.h"

/* Entries of a machine's catalogue, by their places in it. */

enum { CATALOGUE_MAX = 192 };

/* NULL after the last. */
static inline const struct machine_entry *catalogue_at(const struct machine_description *machine,
                                                       unsigned index)
{
    return index < machine->nentries ? &machine->entries[index] : NULL;
}

/* By identifier; false if there is none. */
bool catalogue_find(const struct machine_description *machine, const char *id, unsigned *index);

/* A set of entries. */
struct credits {
    uint64_t bits[CATALOGUE_MAX / 64];
};

static inline bool credits_has(const struct credits *credits, unsigned entry)
{
    return credits->bits[entry / 64] >> entry % 64 & 1;
}

static inline void credits_add(struct credits *credits, unsigned entry)
{
    credits->bits[entry / 64] |= UINT64_C(1) << entry % 64;
}

static inline bool credits_are_none(const struct credits *credits)
{
    return (credits->bits[0] | credits->bits[1] | credits->bits[2]) == 0;
}

/*
 * "A1,A37", or NULL for none. False, with a message of `command`, if one is not in the catalogue,
 * or nothing that can be left out.
 */
bool catalogue_choose(const struct machine_description *machine, const char *command,
                      const char *ids, struct credits *chosen);

#endif
