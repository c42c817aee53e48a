/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_DEVIATIONS_H
#define SIM_DEVIATIONS_H

#include "twin/compare.h"

/*
 * The catalogue of known deviations: where a profile's hypervisor is known to depart from the spec.
 * A deviation explains a difference only if its rule recognises it from the trap, the model's
 * effect and the recorded one; a rule accepts nothing that its description does not cover.
 */
struct trap_view;

struct deviation {
    const char *id; /* "A37" */
    const char *profile;
    const char *title;
    const char *consequence; /* for isolation: none, denial of service, integrity, ... */
    const char *spec;        /* what the spec says */
    const char *machine;     /* what the machine does */
    const char *evidence;    /* a recorded trap that shows it */
    /* NULL: its rule is where the trap takes another course (twin_deviate.c) */
    bool (*explains)(const struct difference *difference, const struct trap_view *trap);
};

/* What a rule sees of the trap, beside the difference. */
struct trap_view {
    const struct trace_line *line;
};

/*
 * The account of one trap: what explains its differences. A deviation that changes the course of a
 * trap is entered when it does so: ledger_admits is true unless it is left out.
 */
struct ledger {
    const char *profile;
    const bool *is_off;
    struct differences *found;
};

bool ledger_admits(struct ledger *ledger, const char *id, const struct trace_effect *machine);

/* The catalogue, NULL after the last. */
const struct deviation *deviation_at(unsigned index);
const struct deviation *deviation_find(const char *id);

/*
 * Explain the differences of one trap, as far as the catalogue can; `is_off` says which deviations
 * it must do without (NULL: none). True if nothing stays unexplained.
 */
bool deviations_explain(const char *profile, const struct trace_line *line,
                        struct differences *found, const bool *is_off);

/*
 * "A1,A37", or NULL for none, into `is_off`. False, with a message of `command`, if one is not in
 * the catalogue.
 */
bool deviations_switch_off(const char *command, const char *ids, bool *is_off);

enum { DEVIATIONS_MAX = 128 };
unsigned deviation_index(const struct deviation *deviation);

#endif
