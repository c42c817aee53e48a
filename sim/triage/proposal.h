/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TRIAGE_PROPOSAL_H
#define SIM_TRIAGE_PROPOSAL_H

#include "triage/candidates.h"

/* What is proposed for a machine, from what its model does not explain in some traces. */

enum { PROPOSAL_LINES = 128, PROPOSAL_TRIED = 3 };

/* A line that was accepted: it explains, and spoils nothing. */
struct proposed_line {
    struct candidate candidate;
    struct triage_group group; /* as it was then */
};

/* What was tried for a group that stays unexplained, the best first. */
struct proposal_tried {
    struct triage_signature signature;
    size_t count;
    struct candidate list[PROPOSAL_TRIED];
};

struct proposal {
    const struct machine_description *base, *now;
    struct survey_traces traces;
    double until;         /* on progress_clock */
    bool is_cut;          /* there was no time for all */
    uint64_t unexplained; /* before anything was proposed */
    size_t nlines, ntried;
    struct proposed_line *lines;
    struct proposal_tried *tried;
    struct survey *survey;    /* with what is proposed */
    struct counter *counters; /* of its groups, by their numbers */
    struct candidates *of_groups[TRIAGE_GROUPS];
};

const struct proposal_tried *proposal_tried_for(const struct proposal *proposal,
                                                const struct triage_signature *signature);

void proposal_print(const struct proposal *proposal, FILE *out);
void proposal_print_json(const struct proposal *proposal, FILE *out);

#endif
