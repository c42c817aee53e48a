/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_QEMU_PROTOCOL_H
#define TESTS_QEMU_PROTOCOL_H

#include <stdint.h>

/*
 * What the host tells the image to do, and what the image saw. Both lie in the emulated machine's
 * memory as arrays of these records, little-endian, without padding.
 *
 *   0x40080000  the image
 *   0x44000000  the code page: one instruction, then the way out; EL1's vectors from 0x800 on
 *   0x48000000  struct batch, then the cases
 *   0x4c000000  tables of stage 1 and stage 2
 *   0x54000000  data that accesses may reach, up to 0x58000000
 *   0x58000000  the results
 */
enum {
    IMAGE_AT = 0x40080000,
    CODE_AT = 0x44000000,
    BATCH_AT = 0x48000000,
    TABLES_AT = 0x4c000000,
    DATA_AT = 0x54000000,
    DATA_END = 0x58000000,
    RESULTS_AT = 0x58000000,
    VECTORS_OFFSET = 0x800,
    BATCH_MAGIC = 0x66687332
};

/* How a case ended, in the immediate of the HVC, where no abort came. */
enum { EXIT_DONE = 1, EXIT_VECTOR = 2, EXIT_FETCHED = 3 };

struct batch {
    uint64_t magic;
    uint64_t ncases;
};

/* Which AT instruction goes with the case: the values of `at`. */
enum { AT_E1R, AT_E1W, AT_E0R, AT_E0W };

struct test_case {
    uint64_t vtcr, vttbr, hcr;
    uint64_t sctlr, tcr, ttbr0, mair; /* of EL1 */
    uint64_t pc;                      /* where EL1 or EL0 begins */
    uint64_t vbar;                    /* EL1's vectors */
    uint64_t is_el0;
    uint64_t instruction; /* goes to the code page */
    uint64_t at;
    uint64_t at_va;
    uint64_t probe; /* physical address that holds `before`, and is looked at afterwards; or 0 */
    uint64_t before[2];
    uint64_t x[31];
};

struct test_result {
    uint64_t esr, far, hpfar, elr, spsr;
    uint64_t par;
    uint64_t esr_el1; /* where EL1's vector was reached */
    uint64_t after[2];
    uint64_t x[31];
};

/* At RESULTS_AT, before the results: what CPU this is. */
struct batch_result {
    uint64_t magic;
    uint64_t ncases;
    uint64_t mmfr0, mmfr1, mmfr2;
};

#endif
