/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_CANDIDATES_H
#define SIM_TRIAGE_CANDIDATES_H

#include "triage/survey.h"

/* Lines of a machine.yaml that might explain a group of unexplained traps. */

/* In the order in which a file has them, and the likelier first: X(section, is it a list?). */
#define CANDIDATE_SECTION_MAP(X)                                                                   \
    X(without, true)                                                                               \
    X(hypercalls, false)                                                                           \
    X(guest_calls, false)                                                                          \
    X(registers, false)                                                                            \
    X(constants, false)                                                                            \
    X(adopted, false)                                                                              \
    X(dialect, true)                                                                               \
    X(not_compared, true)

enum candidate_section {
#define CANDIDATE_ENUM(name, is_list) CANDIDATE_##name,
    CANDIDATE_SECTION_MAP(CANDIDATE_ENUM)
#undef CANDIDATE_ENUM
        CANDIDATE_SECTIONS
};

const char *candidate_section_name(enum candidate_section section);

struct candidate {
    enum candidate_section section;
    char key[80];    /* of a line in a map; "" in a list */
    char value[320]; /* what stands behind the key, or the dash */
    bool is_adopted; /* a constant that was adopted: it must not be */
    bool hides;      /* it does not explain, it takes away what would have to be explained */
    struct trial trial;
};

enum { CANDIDATES_MAX = 32 };

struct candidates {
    size_t count;
    struct candidate list[CANDIDATES_MAX];
};

/* What one trap suggests; what is there already is not added again. */
void candidates_of(struct candidates *candidates, const struct machine_description *machine,
                   const struct twin *twin, const struct trace_line *line,
                   const struct trap_verdict *verdict);

/* Of calls (candidates_calls.c). */
void candidates_of_calls(struct candidates *candidates, const struct machine_description *machine,
                         const struct trace_line *line, const struct trap_verdict *verdict);

__attribute__((format(printf, 4, 5))) struct candidate *
candidate_add(struct candidates *candidates, enum candidate_section section, const char *key,
              const char *format, ...);

/* Write a section and one line, or the line alone. */
void candidate_print_line(const struct candidate *candidate, FILE *out);

#endif
