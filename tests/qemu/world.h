/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_QEMU_WORLD_H
#define TESTS_QEMU_WORLD_H

#include <faulthandler/arm_walk.h>

#include "forms.h"
#include "protocol.h"

/* What of a CPU decides which cases it can take. */
struct cpu {
    const char *name;
    unsigned pa_bits;
    bool has_16k, has_xnx, has_ttst;
    uint64_t mmfr0_mask, mmfr0; /* what the image must find */
};

const struct cpu *find_cpu(const char *name);

/* Numbers from a seed. */
struct dice {
    uint64_t state;
};
uint64_t roll(struct dice *dice);
uint64_t below(struct dice *dice, uint64_t n);
bool chance(struct dice *dice, unsigned percent);

/* The emulated machine's memory from TABLES_AT to DATA_AT. */
enum { ARENA_BYTES = DATA_AT - TABLES_AT };
struct arena {
    uint64_t *words;
    uint64_t used; /* bytes */
};
bool arena_read(void *context, uint64_t address, uint64_t *word);

/* Tables of both stages and the registers that select them, with addresses worth an access. */
enum { WORLD_TARGETS = 40, S1_TABLES = 6 };

struct world {
    const struct cpu *cpu;
    struct fh_arm_stage2_control control;
    struct fh_arm_stage2_form form;
    bool is_valid; /* the registers select a form */
    bool has_stage1;
    uint64_t code_ipa;
    uint64_t s1_root;                 /* IPA */
    uint64_t sctlr, tcr, ttbr0, mair; /* of EL1 */
    uint64_t targets[WORLD_TARGETS];
};

void make_world(struct world *world, struct arena *arena, struct dice *dice);

/* One case with what it is made of, so that it can be predicted. */
struct plan {
    struct test_case test;
    const struct form *form; /* NULL: a fetch */
    uint64_t va;
    bool is_el0;
    enum fh_arm_access_kind kind;
    unsigned rt, rn;
};

void make_plan(const struct world *world, const struct arena *arena, struct dice *dice,
               struct plan *plan);

/* What the model says of a case. */
struct prediction {
    bool is_abort;
    struct fh_arm_abort abort;
    struct fh_arm_walk walk;
    uint64_t par;
};

/*
 * `takes_stage1_level`: as QEMU before 8.0 has it, which gives stage 2 faults on stage 1 tables the
 * level of the stage 1 table. DDI 0487, "ESR_EL2, ISS encoding for an exception from a Data Abort":
 * with S1PTW the status code is that of the stage 2 fault.
 */
void predict(const struct world *world, const struct arena *arena, const struct plan *plan,
             bool takes_stage1_level, struct prediction *prediction);

#endif
