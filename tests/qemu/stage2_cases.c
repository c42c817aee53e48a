/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/arm_registers.h>

#include "world.h"

/*
 * stage2_cases make CPU SEED WORLDS BATCH TABLES   what the image is given
 * stage2_cases check CPU SEED WORLDS RESULTS QEMU  what it saw, beside what the model says; QEMU is
 *                                                  its version, "7.2"
 *
 * Both make the same worlds and cases from the seed.
 */
enum { CASES_PER_WORLD = 50 };

struct options {
    const struct cpu *cpu;
    uint64_t seed;
    uint64_t worlds;
};

static void die(const char *what)
{
    fprintf(stderr, "stage2_cases: %s\n", what);
    exit(2);
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        die("a file cannot be written");
}

typedef void visit_case(void *context, uint64_t number, const struct world *world,
                        const struct arena *arena, const struct plan *plan);

static void for_each_case(const struct options *options, struct arena *arena, visit_case *visit,
                          void *context)
{
    struct dice dice = {options->seed};
    struct world *world = malloc(sizeof *world);
    for (uint64_t w = 0; w < options->worlds; w++) {
        *world = (struct world){.cpu = options->cpu};
        make_world(world, arena, &dice);
        if (arena->used > ARENA_BYTES)
            die("the tables need more memory than there is");
        for (uint64_t i = 0; i < CASES_PER_WORLD; i++) {
            struct plan plan;
            make_plan(world, arena, &dice, &plan);
            visit(context, w * CASES_PER_WORLD + i, world, arena, &plan);
        }
    }
    free(world);
}

/* --- make ------------------------------------------------------------------------------------- */

static void keep_case(void *context, uint64_t number, const struct world *world,
                      const struct arena *arena, const struct plan *plan)
{
    struct test_case *cases = context;
    (void)world;
    (void)arena;
    cases[number] = plan->test;
}

static void make(const struct options *options, struct arena *arena, const char *batch_path,
                 const char *tables_path)
{
    const uint64_t ncases = options->worlds * CASES_PER_WORLD;
    const size_t size = sizeof(struct batch) + ncases * sizeof(struct test_case);
    if (size > TABLES_AT - BATCH_AT)
        die("too many cases");
    struct batch *batch = calloc(1, size);
    if (!batch)
        die("out of memory");
    *batch = (struct batch){BATCH_MAGIC, ncases};
    for_each_case(options, arena, keep_case, batch + 1);
    write_file(batch_path, batch, size);
    write_file(tables_path, arena->words, arena->used);
    free(batch);
}

/* --- check ------------------------------------------------------------------------------------ */

struct check {
    const struct test_result *results;
    bool takes_stage1_level;
    uint64_t aborts[64]; /* by status code */
    uint64_t on_tables, fetches, described, done, wrong;
    uint64_t par_faults, par_addresses;
};

static void complain(struct check *check, uint64_t number, const struct world *world,
                     const struct plan *plan, const struct prediction *prediction, const char *what,
                     uint64_t expected, uint64_t found)
{
    char words[1024];
    if (check->wrong++ >= 10)
        return;
    printf("case %" PRIu64 ": %s: the model says %#" PRIx64 ", QEMU %#" PRIx64 "\n", number, what,
           expected, found);
    printf("  %s of %s at VA %#" PRIx64 " from EL%d, VTCR %#" PRIx64 " VTTBR %#" PRIx64
           " HCR %#" PRIx64 "%s\n",
           plan->form ? plan->form->name : "fetch",
           plan->kind == FH_ARM_WRITE ? "a store" : "a load", plan->va, plan->is_el0 ? 0 : 1,
           world->control.vtcr, world->control.vttbr, world->control.hcr,
           world->has_stage1 ? ", stage 1 on" : "");
    fh_arm_describe_walk(&world->control, &prediction->walk, words, sizeof words);
    printf("%s", words);
}

/* The bytes around an access that lies in one page, as a number. */
typedef unsigned __int128 bytes16;

static bytes16 bytes_of(const uint64_t words[2])
{
    return (bytes16)words[1] << 64 | words[0];
}

static bytes16 mask_of(const struct form *form)
{
    return ((bytes16)1 << (8 * form->bytes)) - 1;
}

/* What a load leaves in its register. */
static uint64_t loaded(const struct plan *plan)
{
    const struct form *form = plan->form;
    const unsigned bits = 8 * form->bytes;
    uint64_t value = (uint64_t)(bytes_of(plan->test.before) >> 8 * (plan->va & 7) & mask_of(form));
    if (form->is_signed && value >> (bits - 1) & 1)
        value |= UINT64_MAX << bits;
    return form->is_signed && !form->is_64bit ? (uint32_t)value : value;
}

static bytes16 stored(const struct plan *plan)
{
    const unsigned shift = 8 * (unsigned)(plan->va & 7);
    const bytes16 mask = mask_of(plan->form), value = plan->rt == 31 ? 0 : plan->test.x[plan->rt];
    return (bytes_of(plan->test.before) & ~(mask << shift)) | (value & mask) << shift;
}

#define EXPECT(what, expected, found)                                                              \
    do {                                                                                           \
        if ((expected) != (found)) {                                                               \
            complain(check, number, world, plan, &prediction, what, expected, found);              \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* The bits of PAR_EL1 that say something here: without NS, NSE and IMPLEMENTATION DEFINED ones. */
static uint64_t par_bits(uint64_t par)
{
    const uint64_t fault = UINT64_C(1) | 0x3f << 1 | 1 << 8 | 1 << 9;
    const uint64_t address = UINT64_C(1) | 3 << 7 | fh_arm_mask(51, 12) | fh_arm_mask(63, 56);
    return par & (par & 1 ? fault : address);
}

static void check_case(void *context, uint64_t number, const struct world *world,
                       const struct arena *arena, const struct plan *plan)
{
    struct check *check = context;
    const struct test_result *result = &check->results[number];
    struct prediction prediction;
    predict(world, arena, plan, check->takes_stage1_level, &prediction);
    EXPECT("PAR_EL1", par_bits(prediction.par), par_bits(result->par));
    if (prediction.par & 1)
        check->par_faults++;
    else
        check->par_addresses++;
    if (prediction.is_abort) {
        EXPECT("ESR_EL2", prediction.abort.esr, result->esr);
        EXPECT("FAR_EL2", prediction.abort.far, result->far);
        EXPECT("HPFAR_EL2", prediction.abort.hpfar, result->hpfar);
        EXPECT("ELR_EL2", plan->test.pc, result->elr);
        check->aborts[prediction.abort.esr & 63]++;
        check->on_tables += prediction.abort.esr >> 7 & 1;
        check->fetches += plan->kind == FH_ARM_FETCH;
        check->described += plan->kind != FH_ARM_FETCH && (prediction.abort.esr >> 24 & 1);
        return;
    }
    const uint64_t way_out = plan->is_el0 ? EXIT_VECTOR : plan->form ? EXIT_DONE : EXIT_FETCHED;
    EXPECT("ESR_EL2", (uint64_t)FH_ARM_CLASS_HVC64 << 26 | 1 << 25 | way_out, result->esr);
    check->done++;
    if (!plan->test.probe || !plan->form || !plan->form->is_described)
        return;
    if (!plan->form->is_store && plan->rt != 31)
        EXPECT("the register", loaded(plan), result->x[plan->rt]);
    if (plan->form->is_store) {
        EXPECT("memory", (uint64_t)stored(plan), result->after[0]);
        EXPECT("memory", (uint64_t)(stored(plan) >> 64), result->after[1]);
    }
}

static const struct test_result *read_results(const struct options *options, const char *path)
{
    const uint64_t ncases = options->worlds * CASES_PER_WORLD;
    const size_t size = sizeof(struct batch_result) + ncases * sizeof(struct test_result);
    struct batch_result *head = malloc(size);
    FILE *file = fopen(path, "rb");
    if (!head || !file || fread(head, 1, size, file) != size || fclose(file) != 0)
        die("the results cannot be read, or are not whole");
    if (head->magic != BATCH_MAGIC || head->ncases != ncases)
        die("the results are of another batch");
    if ((head->mmfr0 & options->cpu->mmfr0_mask) != options->cpu->mmfr0)
        die("the CPU is not the one that the cases are for");
    return (const struct test_result *)(head + 1);
}

static int check_all(const struct options *options, struct arena *arena, const char *path,
                     const char *qemu)
{
    struct check check = {.results = read_results(options, path),
                          .takes_stage1_level = strtoul(qemu, NULL, 10) < 8};
    for_each_case(options, arena, check_case, &check);
    printf("%s, seed %" PRIu64 ": %" PRIu64 " cases: %" PRIu64 " accesses done, aborts:",
           options->cpu->name, options->seed, options->worlds * CASES_PER_WORLD, check.done);
    for (unsigned i = 0; i < 64; i++) {
        char words[64];
        fh_arm_describe_status(i, words, sizeof words);
        if (check.aborts[i])
            printf(" %" PRIu64 " %s;", check.aborts[i], words);
    }
    printf(" of them %" PRIu64 " on stage 1 tables, %" PRIu64 " of fetches, %" PRIu64
           " described (ISV); PAR_EL1: %" PRIu64 " faults, %" PRIu64 " addresses\n",
           check.on_tables, check.fetches, check.described, check.par_faults, check.par_addresses);
    printf("%" PRIu64 " cases differ\n", check.wrong);
    return check.wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        die("usage: make CPU SEED WORLDS BATCH TABLES, or check CPU SEED WORLDS RESULTS QEMU");
    const struct options options = {find_cpu(argv[2]), strtoull(argv[3], NULL, 0),
                                    strtoull(argv[4], NULL, 0)};
    struct arena arena = {calloc(1, (size_t)ARENA_BYTES), 0};
    if (!options.cpu || !arena.words)
        die("no such CPU");
    if (strcmp(argv[1], "make") == 0 && argc == 7)
        make(&options, &arena, argv[5], argv[6]);
    else if (strcmp(argv[1], "check") == 0 && argc == 7)
        return check_all(&options, &arena, argv[5], argv[6]);
    else
        die("make or check");
    return 0;
}
