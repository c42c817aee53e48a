/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_WALK_H
#define FAULTHANDLER_ARM_WALK_H

#include <faulthandler/arm_stage2.h>
#include <faulthandler/arm_syndrome.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The stage 2 walk of VMSAv8-64 for EL1 and EL0, and what an access that it stops leaves in the
 * syndrome registers. Arm ARM, "Translation process", pseudocode AArch64.S2Translate and
 * AArch64.S2Walk.
 */

/* Memory as a table walk reads it: the 64-bit word at a physical address, a multiple of 8. */
struct fh_arm_memory {
    void *context;
    /* False: nothing answers there, an external abort on the walk. */
    bool (*read)(void *context, uint64_t address, uint64_t *word);
};

/*
 * The registers that control stage 2, and what of the CPU matters to it. Of HCR_EL2 the walk looks
 * at VM, PTW, FWB and DC. VTCR_EL2.HA and HD are taken as 0: software manages the access flag.
 */
struct fh_arm_stage2_control {
    uint64_t vtcr;
    uint64_t vttbr;
    uint64_t hcr;
    unsigned pa_bits; /* bits of a physical address (ID_AA64MMFR0_EL1.PARange): 32..52; 0: 48 */
    bool has_xnx;     /* FEAT_XNX: execution permission for EL1 and EL0 apart */
    bool has_ttst;    /* FEAT_TTST: tables of 4 KiB may start at level 3 */
    bool has_lpa;     /* FEAT_LPA (64 KiB) and FEAT_LPA2: 52-bit addresses */
};

enum fh_arm_access_kind { FH_ARM_READ, FH_ARM_WRITE, FH_ARM_FETCH };

/*
 * One access to an intermediate physical address. `is_table` says that it is a read of a stage 1
 * table (S1PTW): what is read, written or fetched by way of that table is then `kind`.
 */
struct fh_arm_ipa_access {
    uint64_t ipa;
    enum fh_arm_access_kind kind;
    bool is_el0;
    bool is_table;
};

/* One descriptor that the walk read. */
struct fh_arm_walk_step {
    int level;        /* -1..3 */
    uint64_t address; /* of the descriptor, physical */
    uint64_t word;    /* the descriptor */
    struct fh_arm_descriptor descriptor;
};

enum { FH_ARM_WALK_STEPS = 5 };

/*
 * What came of a walk. `is_translated`: `output` is the physical address, `size` the bytes of the
 * page or block and `leaf` its attributes. Otherwise `status` and `level` name the fault; the leaf
 * is that of the last step where there is one (access flag, permission, address size).
 */
struct fh_arm_walk {
    bool is_translated;
    enum fh_arm_status status;
    int level;
    uint64_t output;
    uint64_t size;
    struct fh_arm_stage2_leaf leaf;
    unsigned nsteps;
    struct fh_arm_walk_step steps[FH_ARM_WALK_STEPS];
};

/*
 * The form of tables that the registers select. False if they select none that the architecture
 * has: reserved TG0 or SL0, T0SZ out of range, or T0SZ and SL0 that do not fit together. The walk
 * then ends with a translation fault of level 0.
 */
struct fh_arm_stage2_form {
    struct fh_arm_stage2 stage2;
    int start_level;
    unsigned input_bits;  /* of an IPA */
    unsigned output_bits; /* of a physical address */
    uint64_t root;        /* the first table: 1 to 16 concatenated ones */
    unsigned root_tables;
};
FH_API bool fh_arm_select_form(const struct fh_arm_stage2_control *control,
                               struct fh_arm_stage2_form *form);

/*
 * Walk the tables for an access. With HCR_EL2.VM (and DC) 0 the address is its own translation, of
 * size 0 and no attributes. Reads at most five words; changes nothing.
 */
FH_API void fh_arm_translate(const struct fh_arm_stage2_control *control,
                             const struct fh_arm_memory *memory,
                             const struct fh_arm_ipa_access *access, struct fh_arm_walk *walk);

/*
 * How an instruction accesses memory, as far as a syndrome tells. `is_described` is what ISV says:
 * a load or store of one general register without write-back; of pairs, exclusives, write-back
 * forms, SIMD and cache maintenance the syndrome tells no more than the address.
 */
struct fh_arm_instruction {
    uint64_t va; /* virtual address of the first byte */
    bool is_described;
    unsigned size_log2;  /* 0..3: 1 to 8 bytes */
    unsigned rt;         /* 0..31: the register, 31 is XZR */
    bool is_64bit;       /* SF: X register */
    bool is_signed;      /* SSE: sign-extending load */
    bool is_ordered;     /* AR: acquire or release */
    bool is_maintenance; /* CM: cache maintenance, or AT */
};

/* ESR_EL2, FAR_EL2 and HPFAR_EL2 behind an abort that is taken to EL2. */
struct fh_arm_abort {
    uint64_t esr;
    uint64_t far;
    uint64_t hpfar;
};

/*
 * What an access that a walk stopped leaves in the registers. For an instruction fetch only `va` of
 * the instruction counts. Where an access crosses pages, pass the address of its first byte in the
 * page that faults, as va and as ipa.
 */
FH_API void fh_arm_abort_of(const struct fh_arm_walk *walk, const struct fh_arm_ipa_access *access,
                            const struct fh_arm_instruction *instruction,
                            struct fh_arm_abort *abort);

/*
 * The IPA that HPFAR_EL2 and FAR_EL2 say together: the page of one, the offset of the other. For a
 * stage 2 fault on a stage 1 table (S1PTW) FAR does not belong to it: the page alone.
 */
FH_API uint64_t fh_arm_fault_ipa(const struct fh_arm_abort *abort);

/*
 * Memory attributes as PAR_EL1 and MAIR_EL1 write them (8 bits: 0x00 Device-nGnRnE, 0xff Normal
 * write-back), and shareability as SH.
 */
struct fh_arm_attributes {
    uint64_t attr;
    uint64_t sh;
};

/*
 * What stage 1's attributes (a byte of MAIR_EL1, and SH) and stage 2's become together. Arm ARM,
 * "Combining stage 1 and stage 2 memory type attributes", pseudocode S2CombineS1MemAttrs. Without
 * FWB.
 */
FH_API struct fh_arm_attributes fh_arm_combine(struct fh_arm_attributes stage1,
                                               const struct fh_arm_stage2_leaf *leaf);

/*
 * PAR_EL1 behind an AT S12E1R, S12E1W, S12E0R or S12E0W whose stage 1 gave `stage1` and whose stage
 * 2 walk was this one.
 */
FH_API uint64_t fh_arm_par_of(const struct fh_arm_walk *walk,
                              const struct fh_arm_ipa_access *access,
                              struct fh_arm_attributes stage1);

/*
 * The walk in words, a line for each descriptor and one for what came of it, each with '\n' at its
 * end: "level 1: 0x40bc0008: 0x40bc1003 table at 0x40bc1000".
 */
FH_API size_t fh_arm_describe_walk(const struct fh_arm_stage2_control *control,
                                   const struct fh_arm_walk *walk, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
