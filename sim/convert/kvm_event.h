/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_KVM_EVENT_H
#define SIM_KVM_EVENT_H

#include "convert/kvm_line.h"

/*
 * Linux's kvm:* events of Arm, from 3.9 on, with their fields: as text, as "key=value" (trace-cmd
 * report -R), or as the fields of trace.dat.
 */

enum { KVM_FIELDS_MAX = 8 };

/* What becomes of an event: X(kind). A TIMER or NOTE in a form that is not known does no harm. */
#define KVM_EVENT_MAP(X)                                                                           \
    X(EXIT)          /* whether interrupt or trap; class; its name; pc */                          \
    X(ENTRY)         /* pc */                                                                      \
    X(FAULT)         /* ipa, hsr, hxfar, pc */                                                     \
    X(MMIO)          /* type, len, gpa, val */                                                     \
    X(CALL)          /* pc, r0, immediate */                                                       \
    X(SYNDROME)      /* hsr */                                                                     \
    X(SYSREG)        /* pc, name, op0, op1, CRn, CRm, op2, write */                                \
    X(WFX)           /* which, pc */                                                               \
    X(NOTE)          /* any */                                                                     \
    X(TIMER_MAP)     /* vcpu */                                                                    \
    X(TIMER_RESTORE) /* none */                                                                    \
    X(TIMER_SAVE)    /* none */

enum kvm_event_kind {
#define KVM_ENUM(kind) KVM_##kind,
    KVM_EVENT_MAP(KVM_ENUM)
#undef KVM_ENUM
};

/* A form of an event; one of several names may be another's, `called` is how records call it. */
struct kvm_form {
    const char *name;
    const char *called;
    enum kvm_event_kind kind;
    const char *text;
    const char *keys;
};

struct kvm_field {
    struct word word; /* of a field that is a word */
    uint64_t value;
};

struct kvm_event {
    const struct kvm_form *form;
    struct kvm_moment moment;
    struct kvm_field fields[KVM_FIELDS_MAX];
    unsigned present; /* bit i: field i is there */
};

/* The forms, and their number. */
const struct kvm_form *kvm_forms(unsigned *count);

/* Is it one of these events? And is it one of which a form that is not known is a line torn? */
bool kvm_event_is_known(struct word name);
bool kvm_event_is_needed(enum kvm_event_kind kind);

/* What stands behind the event's name. False at the place `*at` where it differs from all forms. */
bool kvm_event_read(const struct kvm_line *line, struct kvm_event *event, const char **at);

/*
 * The keys of a form, one field after the other, from *keys on: true with the next name of a field
 * (of several, the first one first; *field is its number), false behind the last one.
 */
bool kvm_form_next_key(const char **keys, struct word *key, unsigned *field, bool *is_optional);

#endif
