/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_EXPLAIN_FINDS_H
#define SIM_EXPLAIN_FINDS_H

#include "explain/names.h"

/* What a report is about, from the message that announces it. */
enum subject { SUBJECT_ANY, SUBJECT_GUEST, SUBJECT_SELF, SUBJECT_SMMU_GLOBAL, SUBJECT_SMMU_BANK };

/* A message of a program that is known, with what the program means by it. */
struct known_message {
    const char *id;
    const char *phrase; /* in lower case */
    bool begins;        /* a report begins with it */
    enum subject subject;
    const char *program;
    const char *account; /* sentences; "" if the values say it all */
};

/* A value with a name, or a message; where it stands. */
struct found {
    const struct known_message *message; /* NULL: a value */
    struct name name;
    char written[28]; /* the name as it is written */
    uint64_t value;
    bool is_write; /* ENCODING, and an access that a message tells */
    size_t at;     /* offset in the text */
    unsigned line, column;
};

struct finds {
    struct found *items;
    size_t count, room;
};

/*
 * Everything in a text that has a name, in its order. The text may be wrapped or quoted by a mail
 * program. Ends the program where there is no memory.
 */
void find_values(const char *text, size_t length, struct finds *finds);

/* One value, as the command line gives it: "esr" and "0x93830045". A message says what is wrong. */
bool find_argument(const char *argument, struct finds *finds);

/* A number alone: hexadecimal with 0x, and where it has letters or more than 7 digits. */
bool read_bare_number(const char *text, uint64_t *value);

void finds_free(struct finds *finds);

#endif
