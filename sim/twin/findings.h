/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FINDINGS_H
#define SIM_FINDINGS_H

/*
 * What is known about a profile's hypervisor beside its deviations: findings for which a replay
 * needs no rule, or has none.
 */
enum finding_cover {
    COVER_PROFILE,  /* a number of the profile, or of the state that the boot record describes */
    COVER_BODY,     /* the verified C body does it, and a replay runs the body */
    COVER_NO_TRACE, /* no recording at hand shows it: a trap that does has an unexplained difference
                     */
    COVER_SPEC,     /* no departure: the spec does the same */
};

struct finding {
    const char *id;
    const char *profile;
    const char *title;
    const char *consequence;
    const char *spec;
    const char *machine;
    enum finding_cover cover;
    const char *how; /* what covers it, for people */
};

/* In the order of their identifiers; NULL after the last. */
const struct finding *finding_at(unsigned index);
const struct finding *finding_find(const char *id);
/* "the profile", ... */
const char *finding_cover_name(enum finding_cover cover);

#endif
