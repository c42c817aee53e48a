/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_JOINED_H
#define SIM_EXPLAIN_JOINED_H

#include "explain/finds.h"

/* Values that belong together: a part of what was found, and what of it is used to join them. */
struct report {
    const struct found *items;
    size_t count;
    enum subject subject;
};

/*
 * The report that begins with items[from]: up to where another message begins, a value comes again
 * with another content, or the subject changes. The number of items is in it.
 */
struct report report_from(const struct finds *finds, size_t from, const char *text);

/* What the values of a report say together. Pointers are NULL where nothing was found. */
struct joined {
    const struct report *report;
    const struct found *syndrome, *virtual_address, *hpfar, *ipa, *pc, *state, *class, *status;
    const struct found *vtcr, *vttbr, *hcr, *descriptor;
    const struct found *fsr, *fsynr0, *iova, *stream, *bank, *gfsr, *gfsynr0, *gfsynr1;
    bool is_abort;             /* `fault` says something */
    struct fh_arm_fault fault; /* of the syndrome */
    bool is_stage2;            /* the fault is known to be one of stage 2 */
    bool is_stage1;            /* ... of stage 1 of the level that took it */
    bool has_address;          /* `address` is the IPA, or its page */
    bool address_is_page;      /* the offset in the page is not known */
    uint64_t address;
};

/* Is this the first time that the message at `index` stands in the report? */
bool report_says_first(const struct report *report, size_t index);

struct joined join_report(const struct report *report);

/* A value of HCR_EL2, 0 if it is not known. */
uint64_t joined_hcr(const struct joined *joined);

/* The controls of EL2, 0 where they are not known. */
struct fh_arm_controls joined_controls(const struct joined *joined);

/* A general register's value among those of the report; NULL if it is not there. */
const struct found *joined_general(const struct joined *joined, unsigned number);

/*
 * The sentences that join the values, each handed to `say`. Nothing is said where there is nothing
 * to join.
 */
typedef void saying(void *context, const char *id, const char *sentence);
void say_together(const struct joined *joined, saying *say, void *context);

/* What commonly goes wrong with such values, by name: "isv", "permission", ... */
void say_notes(const struct joined *joined, saying *say, void *context);

#endif
