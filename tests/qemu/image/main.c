/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>

#include "../protocol.h"

/*
 * EL2 of a machine whose EL1 and EL0 make one access each time: sets up what the case says, enters,
 * and writes down the exception that came. Stage 2 is under test, so that EL2 does as little as it
 * can with its own translation off.
 */
#define WRITE(reg, value)                                                                          \
    do {                                                                                           \
        const uint64_t value_ = (value);                                                           \
        __asm__ volatile("msr " #reg ", %0" ::"r"(value_) : "memory");                             \
    } while (0)

#define READ(reg)                                                                                  \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        __asm__ volatile("mrs %0, " #reg : "=r"(value_)::"memory");                                \
        value_;                                                                                    \
    })

enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_EXIT = 0x18, OPEN_WB = 5 };
#define SVC_1 0xd4000021u
#define HVC_1 0xd4000022u
enum { EL1H = 0x3c5, EL0T = 0x3c0 };
#define APPLICATION_EXIT 0x20026

uint64_t semihosting(uint64_t call, const void *arguments);
void run_guest(const uint64_t *before, uint64_t *after);
extern const uint32_t code_page[1024];

static void copy_code_page(void)
{
    volatile uint32_t *page = (volatile uint32_t *)CODE_AT;
    for (size_t i = 0; i < 1024; i++)
        page[i] = code_page[i];
}

static void translate(const struct test_case *test)
{
    switch (test->at) {
    case AT_E1R: __asm__ volatile("at s12e1r, %0" ::"r"(test->at_va) : "memory"); break;
    case AT_E1W: __asm__ volatile("at s12e1w, %0" ::"r"(test->at_va) : "memory"); break;
    case AT_E0R: __asm__ volatile("at s12e0r, %0" ::"r"(test->at_va) : "memory"); break;
    default: __asm__ volatile("at s12e0w, %0" ::"r"(test->at_va) : "memory"); break;
    }
    __asm__ volatile("isb" ::: "memory");
}

static void set_up(const struct test_case *test)
{
    *(volatile uint32_t *)CODE_AT = (uint32_t)test->instruction;
    /* EL0 leaves by SVC and EL1's vector, EL1 by HVC: #1. */
    *(volatile uint32_t *)(CODE_AT + 4) = test->is_el0 ? SVC_1 : HVC_1;
    if (test->probe) {
        ((volatile uint64_t *)test->probe)[0] = test->before[0];
        ((volatile uint64_t *)test->probe)[1] = test->before[1];
    }
    WRITE(vtcr_el2, test->vtcr);
    WRITE(vttbr_el2, test->vttbr);
    WRITE(hcr_el2, test->hcr);
    WRITE(sctlr_el1, test->sctlr);
    WRITE(tcr_el1, test->tcr);
    WRITE(ttbr0_el1, test->ttbr0);
    WRITE(mair_el1, test->mair);
    WRITE(vbar_el1, test->vbar);
    WRITE(esr_el1, 0);
    WRITE(cpacr_el1, UINT64_C(3) << 20);
    WRITE(elr_el2, test->pc);
    WRITE(spsr_el2, test->is_el0 ? EL0T : EL1H);
    __asm__ volatile("ic iallu\n dsb sy\n tlbi alle1\n dsb sy\n isb" ::: "memory");
}

static void run(const struct test_case *test, struct test_result *result)
{
    set_up(test);
    translate(test);
    result->par = READ(par_el1);
    run_guest(test->x, result->x);
    result->esr = READ(esr_el2);
    result->far = READ(far_el2);
    result->hpfar = READ(hpfar_el2);
    result->elr = READ(elr_el2);
    result->spsr = READ(spsr_el2);
    result->esr_el1 = READ(esr_el1);
    result->after[0] = test->probe ? ((volatile uint64_t *)test->probe)[0] : 0;
    result->after[1] = test->probe ? ((volatile uint64_t *)test->probe)[1] : 0;
}

static void leave(uint64_t status)
{
    const uint64_t arguments[] = {APPLICATION_EXIT, status};
    for (;;)
        semihosting(SYS_EXIT, arguments);
}

void image_lost(void)
{
    leave(3);
}

static void write_results(const void *from, uint64_t size)
{
    static const char name[] = "results.bin";
    const uint64_t open[] = {(uint64_t)(uintptr_t)name, OPEN_WB, sizeof name - 1};
    const uint64_t handle = semihosting(SYS_OPEN, open);
    const uint64_t write[] = {handle, (uint64_t)(uintptr_t)from, size};
    if (handle == UINT64_MAX || semihosting(SYS_WRITE, write) != 0)
        leave(2);
    semihosting(SYS_CLOSE, &handle);
}

void image_main(void)
{
    const struct batch *batch = (const struct batch *)BATCH_AT;
    const struct test_case *cases = (const struct test_case *)(batch + 1);
    struct batch_result *head = (struct batch_result *)RESULTS_AT;
    struct test_result *results = (struct test_result *)(head + 1);
    if (batch->magic != BATCH_MAGIC)
        leave(1);
    WRITE(cptr_el2, 0x33ff & ~(1u << 10));
    copy_code_page();
    *head = (struct batch_result){BATCH_MAGIC, batch->ncases, READ(id_aa64mmfr0_el1),
                                  READ(id_aa64mmfr1_el1), READ(id_aa64mmfr2_el1)};
    for (uint64_t i = 0; i < batch->ncases; i++)
        run(&cases[i], &results[i]);
    write_results(head, sizeof *head + batch->ncases * sizeof *results);
    leave(0);
}
