/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_SUMMARY_H
#define SIM_FOREIGN_SUMMARY_H

#include "trace/trace.h"

/*
 * What a recording shows, beside what can be checked of it: exits by vCPU, class and pc, with the
 * time that they took where it is recorded; loops; and aborts without a syndrome. Memory is
 * bounded: the pcs of a recording beyond SUMMARY_PCS are counted together, of loops the longest are
 * kept.
 */
enum {
    SUMMARY_NAME = 80,
    SUMMARY_VCPUS = 64,
    SUMMARY_CLASSES = 96,
    SUMMARY_PCS = 8192,
    SUMMARY_LOOPS = 8,
    SUMMARY_PERIOD = 8, /* pcs of a loop, at most */
    SUMMARY_ABORTS = 5,
};

/* Exits of a vCPU: of a thread, or a CPU, where the vCPU is not known. */
struct summary_vcpu {
    char name[SUMMARY_NAME]; /* "vCPU 0", "thread 148", "CPU 1" */
    uint64_t exits;
    uint64_t guest; /* ns from kvm_entry to the next exit */
    uint64_t host;  /* ns from an exit to the next kvm_entry */
};

/* Exits of a kind and class: "guest_exit DABT_LOW". */
struct summary_class {
    char name[SUMMARY_NAME];
    uint64_t exits;
    uint64_t host;
};

struct summary_pc {
    uint64_t pc;
    const struct summary_class *class;
    uint64_t exits;
    uint64_t first; /* lines */
    uint64_t last;
};

/* What goes round: X(kind, what it is called). */
#define SUMMARY_LOOP_MAP(X)                                                                        \
    X(PCS, "a loop")                                                                               \
    X(VECTOR, "a vector that faults on itself")                                                    \
    X(WAITS, "a loop of WFI or WFE")                                                               \
    X(WAIT_STORM, "a storm of WFI or WFE")                                                         \
    X(INTERRUPT_STORM, "a storm of interrupts")

enum summary_loop_kind {
#define SUMMARY_ENUM(kind, name) SUMMARY_LOOP_##kind,
    SUMMARY_LOOP_MAP(SUMMARY_ENUM)
#undef SUMMARY_ENUM
};

/* Exits that follow one another at the same few pcs; interrupts in between do not count. */
struct summary_loop {
    enum summary_loop_kind kind;
    const struct summary_vcpu *vcpu;
    unsigned period; /* pcs; 0 for a storm, which has any */
    uint64_t pcs[SUMMARY_PERIOD];
    const struct summary_class *classes[SUMMARY_PERIOD];
    uint64_t rounds; /* of a storm: exits */
    uint64_t first;  /* lines */
    uint64_t last;
    bool has_time;
    uint64_t begin; /* ns */
    uint64_t end;
    uint64_t times; /* how often it was entered */
};

/* A data abort with ISV=0. */
struct summary_abort {
    uint64_t line;
    uint64_t esr;
    bool has_esr; /* false: it was told that there is no syndrome, but not what there is */
    bool has_pc;
    bool has_ipa;
    bool is_told; /* KVM gave it to user space: KVM_EXIT_ARM_NISV */
    uint64_t pc;
    uint64_t ipa;
};

struct summary {
    uint64_t exits;
    bool has_time;
    size_t nvcpus;
    struct summary_vcpu vcpus[SUMMARY_VCPUS];
    size_t nclasses;
    struct summary_class classes[SUMMARY_CLASSES];
    uint64_t other_pcs; /* exits at pcs for which there was no room */
    size_t nloops;
    struct summary_loop loops[SUMMARY_LOOPS]; /* the longest first */
    uint64_t aborts;                          /* with ISV=0 */
    uint64_t told;                            /* of these, how many went to user space */
    size_t naborts;
    struct summary_abort shown[SUMMARY_ABORTS]; /* those that went to user space first */
    struct summary_state *state;                /* what is in progress */
};

struct summary *summary_new(void);
void summary_free(struct summary *summary);
void summary_take(struct summary *summary, const struct trace_line *line);
/* All records were taken. */
void summary_finish(struct summary *summary);

/* The pcs with most exits, at most `count`; their number. */
size_t summary_top_pcs(const struct summary *summary, size_t count, struct summary_pc *top);

const char *summary_loop_name(enum summary_loop_kind kind);
/* How many exits the loop is of. */
uint64_t summary_loop_exits(const struct summary_loop *loop);

#endif
