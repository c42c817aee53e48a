/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_SYNDROME_H
#define FAULTHANDLER_ARM_SYNDROME_H

#include <faulthandler/arm_field.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ESR_ELx, and HSR of AArch32, which has the same form: class (EC), length of the instruction (IL)
 * and a syndrome (ISS, and ISS2 in the upper half) whose form depends on the class. Arm ARM,
 * "ESR_EL2, Exception Syndrome Register".
 */

/* clang-format off */

/* Where an exception of a class can come from, and what it is. */
#define FH_ARM_FROM_64 1u       /* a lower exception level in AArch64 */
#define FH_ARM_FROM_32 2u       /* a lower exception level in AArch32 */
#define FH_ARM_FROM_SAME 4u     /* the level that takes the exception */
#define FH_ARM_IS_SERROR 8u     /* asynchronous */
#define FH_ARM_ONLY_EL3 16u     /* never taken to EL2 */
#define FH_ARM_NO_IL 32u        /* IL is always 1 */

/*
 * Every exception class: X(value, name, form of the ISS, where from, what happened). Names are
 * those that Linux prints (ESR_ELx_EC_...), and of the same kind where Linux has none.
 */
#define FH_ARM_CLASS_MAP(X)                                                                         \
    X(0x00, UNKNOWN, none, 7u | 32u, "unknown reason, or an undefined instruction")                 \
    X(0x01, WFx, wfx, 3u, "trapped WFI, WFE, WFIT or WFET")                                         \
    X(0x03, CP15_32, mcr, 2u, "trapped MCR or MRC, coprocessor 15")                                 \
    X(0x04, CP15_64, mcrr, 2u, "trapped MCRR or MRRC, coprocessor 15")                              \
    X(0x05, CP14_MR, mcr, 2u, "trapped MCR or MRC, coprocessor 14")                                 \
    X(0x06, CP14_LS, ldc, 2u, "trapped LDC or STC")                                                 \
    X(0x07, FP_ASIMD, fp_access, 7u, "trapped access to SVE, SIMD or floating point")               \
    X(0x08, CP10_ID, mcr, 2u, "trapped VMRS")                                                       \
    X(0x09, PAC, none, 1u, "trapped pointer authentication")                                        \
    X(0x0a, OTHER, other, 1u, "trapped instruction of no other class (LD64B, ST64B, ...)")          \
    X(0x0c, CP14_64, mcrr, 2u, "trapped MRRC, coprocessor 14")                                      \
    X(0x0d, BTI, bti, 5u, "branch target exception")                                                \
    X(0x0e, ILL, none, 7u | 32u, "illegal execution state")                                         \
    X(0x11, SVC32, immediate, 2u, "SVC in AArch32")                                                 \
    X(0x12, HVC32, immediate, 2u, "HVC in AArch32")                                                 \
    X(0x13, SMC32, smc32, 2u, "trapped SMC in AArch32")                                             \
    X(0x14, SYS128, sys128, 5u, "trapped MSRR, MRRS or 128-bit system instruction")                 \
    X(0x15, SVC64, immediate, 5u, "SVC in AArch64")                                                 \
    X(0x16, HVC64, immediate, 5u, "HVC in AArch64")                                                 \
    X(0x17, SMC64, immediate, 1u, "trapped SMC in AArch64")                                         \
    X(0x18, SYS64, sys64, 5u, "trapped MSR, MRS or system instruction")                             \
    X(0x19, SVE, none, 5u, "trapped access to SVE")                                                 \
    X(0x1a, ERET, eret, 1u, "trapped ERET")                                                         \
    X(0x1b, TSTART, tstart, 1u, "trapped TSTART")                                                   \
    X(0x1c, FPAC, fpac, 5u, "pointer authentication failed")                                        \
    X(0x1d, SME, sme, 5u, "trapped access to SME")                                                  \
    X(0x1e, GPC, gpc, 7u | 16u, "granule protection check")                                         \
    X(0x1f, IMP_DEF, implementation, 7u | 16u, "implementation defined, taken to EL3")              \
    X(0x20, IABT_LOW, instruction_abort, 3u | 32u, "instruction abort from a lower level")          \
    X(0x21, IABT_CUR, instruction_abort, 4u | 32u, "instruction abort from the same level")         \
    X(0x22, PC_ALIGN, none, 7u | 32u, "misaligned PC")                                              \
    X(0x24, DABT_LOW, data_abort, 3u, "data abort from a lower level")                              \
    X(0x25, DABT_CUR, data_abort, 4u, "data abort from the same level")                             \
    X(0x26, SP_ALIGN, none, 5u | 32u, "misaligned SP")                                              \
    X(0x27, MOPS, mops, 5u, "memory copy or set with a wrong option or size")                       \
    X(0x28, FP_EXC32, fp_exception, 2u, "trapped floating-point exception in AArch32")              \
    X(0x2c, FP_EXC64, fp_exception, 5u, "trapped floating-point exception in AArch64")              \
    X(0x2d, GCS, gcs, 5u, "guarded control stack")                                                  \
    X(0x2f, SERROR, serror, 7u | 8u | 32u, "SError")                                                \
    X(0x30, BREAKPT_LOW, debug, 3u | 32u, "breakpoint from a lower level")                          \
    X(0x31, BREAKPT_CUR, debug, 4u | 32u, "breakpoint from the same level")                         \
    X(0x32, SOFTSTP_LOW, step, 3u | 32u, "software step from a lower level")                        \
    X(0x33, SOFTSTP_CUR, step, 4u | 32u, "software step from the same level")                       \
    X(0x34, WATCHPT_LOW, watchpoint, 3u | 32u, "watchpoint from a lower level")                     \
    X(0x35, WATCHPT_CUR, watchpoint, 4u | 32u, "watchpoint from the same level")                    \
    X(0x38, BKPT32, immediate, 2u, "BKPT in AArch32")                                               \
    X(0x3a, VECTOR32, debug, 2u | 32u, "vector catch in AArch32")                                   \
    X(0x3c, BRK64, immediate, 5u, "BRK in AArch64")                                                 \
    X(0x3d, PMU, profiling, 7u | 32u, "profiling exception")

enum fh_arm_class {
#define FH_ARM_CLASS_ENUM(value, name, form, from, meaning) FH_ARM_CLASS_##name = (value),
    FH_ARM_CLASS_MAP(FH_ARM_CLASS_ENUM)
#undef FH_ARM_CLASS_ENUM
};

/* What every syndrome has. */
#define FH_ARM_FIELDS_esr(FIELD)                                                                    \
    FIELD(EC, 31, 26, CLASS, "exception class")                                                     \
    FIELD(IL, 25, 25, IL, "length of the instruction")

#define FH_ARM_COND(FIELD)                                                                          \
    FIELD(CV, 24, 24, FLAG, "COND is valid")                                                        \
    FIELD(COND, 23, 20, COND, "condition of the instruction")

#define FH_ARM_FIELDS_esr_none(FIELD) FH_ARM_FIELDS_esr(FIELD)

#define FH_ARM_FIELDS_esr_wfx(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(RN, 9, 5, REGISTER, "register with the time-out (WFIT, WFET)")                            \
    FIELD(RV, 2, 2, FLAG, "RN is valid")                                                            \
    FIELD(TI, 1, 0, WFX, "instruction")

#define FH_ARM_FIELDS_esr_mcr(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(Opc2, 19, 17, NUMBER, "opc2")                                                             \
    FIELD(Opc1, 16, 14, NUMBER, "opc1")                                                             \
    FIELD(CRn, 13, 10, NUMBER, "CRn")                                                               \
    FIELD(Rt, 9, 5, REGISTER, "general register")                                                   \
    FIELD(CRm, 4, 1, NUMBER, "CRm")                                                                 \
    FIELD(Direction, 0, 0, SYS_DIRECTION, "direction")

#define FH_ARM_FIELDS_esr_mcrr(FIELD)                                                               \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(Opc1, 19, 16, NUMBER, "opc1")                                                             \
    FIELD(Rt2, 14, 10, REGISTER, "second general register")                                         \
    FIELD(Rt, 9, 5, REGISTER, "general register")                                                   \
    FIELD(CRm, 4, 1, NUMBER, "CRm")                                                                 \
    FIELD(Direction, 0, 0, SYS_DIRECTION, "direction")

#define FH_ARM_FIELDS_esr_ldc(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(imm8, 19, 12, NUMBER, "immediate")                                                        \
    FIELD(Rn, 9, 5, REGISTER, "base register")                                                      \
    FIELD(Offset, 4, 4, OFFSET, "sign of the offset")                                               \
    FIELD(AM, 3, 1, NUMBER, "addressing mode")                                                      \
    FIELD(Direction, 0, 0, LDC_DIRECTION, "direction")

/* TA and coproc are HSR's; ESR_ELx has zeros there. */
#define FH_ARM_FIELDS_esr_fp_access(FIELD)                                                          \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(TA, 5, 5, FLAG, "trapped Advanced SIMD (HSR)")                                            \
    FIELD(coproc, 3, 0, NUMBER, "coprocessor (HSR)")

#define FH_ARM_FIELDS_esr_other(FIELD)                                                              \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ISS, 24, 0, LS64, "instruction")

#define FH_ARM_FIELDS_esr_bti(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(BTYPE, 1, 0, NUMBER, "PSTATE.BTYPE")

#define FH_ARM_FIELDS_esr_immediate(FIELD)                                                          \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(imm16, 15, 0, HEX, "immediate of the instruction")

#define FH_ARM_FIELDS_esr_smc32(FIELD)                                                              \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FH_ARM_COND(FIELD)                                                                              \
    FIELD(CCKNOWNPASS, 19, 19, FLAG, "1: the condition may have failed")

#define FH_ARM_FIELDS_esr_sys128(FIELD)                                                             \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(Op0, 21, 20, NUMBER, "op0")                                                               \
    FIELD(Op2, 19, 17, NUMBER, "op2")                                                               \
    FIELD(Op1, 16, 14, NUMBER, "op1")                                                               \
    FIELD(CRn, 13, 10, NUMBER, "CRn")                                                               \
    FIELD(Rt, 9, 6, NUMBER, "pair of general registers, half the number of the first")              \
    FIELD(CRm, 4, 1, NUMBER, "CRm")                                                                 \
    FIELD(Direction, 0, 0, SYS_DIRECTION, "direction")

#define FH_ARM_FIELDS_esr_sys64(FIELD)                                                              \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(Op0, 21, 20, NUMBER, "op0")                                                               \
    FIELD(Op2, 19, 17, NUMBER, "op2")                                                               \
    FIELD(Op1, 16, 14, NUMBER, "op1")                                                               \
    FIELD(CRn, 13, 10, NUMBER, "CRn")                                                               \
    FIELD(Rt, 9, 5, REGISTER, "general register")                                                   \
    FIELD(CRm, 4, 1, NUMBER, "CRm")                                                                 \
    FIELD(Direction, 0, 0, SYS_DIRECTION, "direction")

#define FH_ARM_FIELDS_esr_eret(FIELD)                                                               \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ERET, 1, 1, ERET, "instruction")                                                          \
    FIELD(ERETA, 0, 0, ERETA, "key")

#define FH_ARM_FIELDS_esr_tstart(FIELD)                                                             \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(Rd, 9, 5, REGISTER, "destination register")

#define FH_ARM_FIELDS_esr_fpac(FIELD)                                                               \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(key, 1, 0, FPAC, "key that was used")

#define FH_ARM_FIELDS_esr_sme(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(SMTC, 2, 0, SMTC, "cause")

#define FH_ARM_FIELDS_esr_gpc(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(S2PTW, 21, 21, FLAG, "on a stage 2 table walk")                                           \
    FIELD(InD, 20, 20, IND, "instruction or data")                                                  \
    FIELD(GPCSC, 19, 14, GPCSC, "result of the check")                                              \
    FIELD(VNCR, 13, 13, FLAG, "access by way of VNCR_EL2")                                          \
    FIELD(CM, 8, 8, FLAG, "cache maintenance or address translation")                               \
    FIELD(S1PTW, 7, 7, FLAG, "on a stage 1 table walk")                                             \
    FIELD(WnR, 6, 6, WNR, "access")                                                                 \
    FIELD(xFSC, 5, 0, FSC, "fault status")

#define FH_ARM_FIELDS_esr_implementation(FIELD)                                                     \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ISS, 24, 0, HEX, "implementation defined")

/* Bits 55..32 are ISS2. */
#define FH_ARM_FIELDS_esr_instruction_abort(FIELD)                                                  \
    FIELD(HDBSSF, 43, 43, FLAG, "hardware could not track a dirty page")                            \
    FIELD(AssuredOnly, 39, 39, FLAG, "the permission fault is of AssuredOnly")                      \
    FIELD(Overlay, 38, 38, FLAG, "the permission fault is of an overlay")                           \
    FIELD(DirtyBit, 37, 37, FLAG, "the permission fault is of a dirty state")                       \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(TopLevel, 21, 21, FLAG, "the permission fault is of TopLevel")                            \
    FIELD(PFV, 14, 14, FLAG, "PFAR holds the physical address")                                     \
    FIELD(SET, 12, 11, SET, "severity of an external abort")                                        \
    FIELD(FnV, 10, 10, FNV, "FAR")                                                                  \
    FIELD(EA, 9, 9, FLAG, "external abort type")                                                    \
    FIELD(S1PTW, 7, 7, FLAG, "a stage 2 fault on a stage 1 table walk")                             \
    FIELD(IFSC, 5, 0, FSC, "fault status")

#define FH_ARM_DATA_ISS2(FIELD)                                                                     \
    FIELD(HDBSSF, 43, 43, FLAG, "hardware could not track a dirty page")                            \
    FIELD(TnD, 42, 42, FLAG, "the fault is of a tag access")                                        \
    FIELD(TagAccess, 41, 41, FLAG, "NoTagAccess permission fault")                                  \
    FIELD(GCS, 40, 40, FLAG, "a guarded control stack access")                                      \
    FIELD(AssuredOnly, 39, 39, FLAG, "the permission fault is of AssuredOnly")                      \
    FIELD(Overlay, 38, 38, FLAG, "the permission fault is of an overlay")                           \
    FIELD(DirtyBit, 37, 37, FLAG, "the permission fault is of a dirty state")                       \
    FIELD(Xs, 36, 32, NUMBER, "status register of ST64BV")

#define FH_ARM_DATA_LOW(FIELD)                                                                      \
    FIELD(VNCR, 13, 13, FLAG, "access by way of VNCR_EL2")                                          \
    FIELD(SET, 12, 11, SET, "severity of an external abort, or instruction of a LS64 fault")        \
    FIELD(FnV, 10, 10, FNV, "FAR")                                                                  \
    FIELD(EA, 9, 9, FLAG, "external abort type")                                                    \
    FIELD(CM, 8, 8, FLAG, "cache maintenance or address translation")                               \
    FIELD(S1PTW, 7, 7, FLAG, "a stage 2 fault on a stage 1 table walk")                             \
    FIELD(WnR, 6, 6, WNR, "access")                                                                 \
    FIELD(DFSC, 5, 0, FSC, "fault status")

/* A data abort: the fields of the access mean something when ISV is 1. */
#define FH_ARM_FIELDS_esr_data_abort(FIELD)                                                         \
    FH_ARM_DATA_ISS2(FIELD)                                                                         \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ISV, 24, 24, ISV, "fields of the access")                                                 \
    FIELD(SAS, 23, 22, SAS, "size of the access")                                                   \
    FIELD(SSE, 21, 21, FLAG, "sign extension")                                                      \
    FIELD(SRT, 20, 16, REGISTER, "register of the access")                                          \
    FIELD(SF, 15, 15, SF, "width of the register")                                                  \
    FIELD(AR, 14, 14, FLAG, "acquire or release")                                                   \
    FH_ARM_DATA_LOW(FIELD)

/* A data abort with ISV = 0, whose bits say other things. */
#define FH_ARM_FIELDS_esr_data_abort_undescribed(FIELD)                                             \
    FH_ARM_DATA_ISS2(FIELD)                                                                         \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ISV, 24, 24, ISV, "fields of the access")                                                 \
    FIELD(TopLevel, 21, 21, FLAG, "the permission fault is of TopLevel")                            \
    FIELD(WU, 17, 16, WU, "did a store change the location?")                                       \
    FIELD(FnP, 15, 15, FLAG, "FAR is not precise")                                                  \
    FIELD(PFV, 14, 14, FLAG, "PFAR holds the physical address")                                     \
    FH_ARM_DATA_LOW(FIELD)

#define FH_ARM_FIELDS_esr_mops(FIELD)                                                               \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(MemInst, 24, 24, MEMINST, "instruction")                                                  \
    FIELD(isSETG, 23, 23, FLAG, "SETG: sets tags too")                                              \
    FIELD(Options, 22, 19, NUMBER, "options of the instruction")                                    \
    FIELD(FromEpilogue, 18, 18, FLAG, "from the epilogue instruction")                              \
    FIELD(WrongOption, 17, 17, FLAG, "PSTATE.C says the other option")                              \
    FIELD(OptionA, 16, 16, FLAG, "this implementation uses option A")                               \
    FIELD(destreg, 14, 10, NUMBER, "register of the destination")                                   \
    FIELD(srcreg, 9, 5, NUMBER, "register of the source")                                           \
    FIELD(sizereg, 4, 0, NUMBER, "register of the size")

#define FH_ARM_FIELDS_esr_fp_exception(FIELD)                                                       \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(TFV, 23, 23, FLAG, "the exception flags are valid")                                       \
    FIELD(VECITR, 10, 8, NUMBER, "vector iteration")                                                \
    FIELD(IDF, 7, 7, FLAG, "input denormal")                                                        \
    FIELD(IXF, 4, 4, FLAG, "inexact")                                                               \
    FIELD(UFF, 3, 3, FLAG, "underflow")                                                             \
    FIELD(OFF, 2, 2, FLAG, "overflow")                                                              \
    FIELD(DZF, 1, 1, FLAG, "division by zero")                                                      \
    FIELD(IOF, 0, 0, FLAG, "invalid operation")

#define FH_ARM_FIELDS_esr_gcs(FIELD)                                                                \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ExType, 23, 20, GCS_TYPE, "kind")                                                         \
    FIELD(Raddr, 14, 10, NUMBER, "register of the address (GCSSTR, GCSSTTR)")                       \
    FIELD(Rn, 9, 5, NUMBER, "register of the value")                                                \
    FIELD(IT, 4, 0, GCS_INSTRUCTION, "instruction")

#define FH_ARM_FIELDS_esr_serror(FIELD)                                                             \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(IDS, 24, 24, IDS, "form of the syndrome")                                                 \
    FIELD(WU, 17, 16, WU, "did a store change the location?")                                       \
    FIELD(VFV, 15, 15, FLAG, "FAR holds a virtual address")                                         \
    FIELD(PFV, 14, 14, FLAG, "PFAR holds the physical address")                                     \
    FIELD(IESB, 13, 13, FLAG, "synchronised by an implicit error barrier")                          \
    FIELD(AET, 12, 10, AET, "state of the PE")                                                      \
    FIELD(EA, 9, 9, FLAG, "external abort type")                                                    \
    FIELD(WnRV, 7, 7, FLAG, "WnR is valid")                                                         \
    FIELD(WnR, 6, 6, WNR, "access")                                                                 \
    FIELD(DFSC, 5, 0, SERROR_FSC, "fault status")

#define FH_ARM_FIELDS_esr_serror_implementation(FIELD)                                              \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(IDS, 24, 24, IDS, "form of the syndrome")                                                 \
    FIELD(ISS, 23, 0, HEX, "implementation defined")

#define FH_ARM_FIELDS_esr_debug(FIELD)                                                              \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(IFSC, 5, 0, DEBUG_FSC, "fault status")

#define FH_ARM_FIELDS_esr_step(FIELD)                                                               \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(ISV, 24, 24, FLAG, "EX is valid")                                                         \
    FIELD(EX, 6, 6, FLAG, "a load-exclusive was stepped")                                           \
    FIELD(IFSC, 5, 0, DEBUG_FSC, "fault status")

#define FH_ARM_FIELDS_esr_watchpoint(FIELD)                                                         \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(WPT, 23, 18, NUMBER, "number of the watchpoint")                                          \
    FIELD(WPTV, 17, 17, FLAG, "WPT is valid")                                                       \
    FIELD(WPF, 16, 16, FLAG, "the watchpoint might be false")                                       \
    FIELD(FnP, 15, 15, FLAG, "FAR is not precise")                                                  \
    FIELD(VNCR, 13, 13, FLAG, "access by way of VNCR_EL2")                                          \
    FIELD(FnV, 10, 10, FNV, "FAR")                                                                  \
    FIELD(CM, 8, 8, FLAG, "cache maintenance")                                                      \
    FIELD(WnR, 6, 6, WNR, "access")                                                                 \
    FIELD(DFSC, 5, 0, DEBUG_FSC, "fault status")

#define FH_ARM_FIELDS_esr_profiling(FIELD)                                                          \
    FH_ARM_FIELDS_esr(FIELD)                                                                        \
    FIELD(SYNC, 0, 0, FLAG, "synchronous")

/* All forms: X(name). The last two stand for the bits ISV and IDS of their classes. */
#define FH_ARM_FORM_MAP(X)                                                                          \
    X(none) X(wfx) X(mcr) X(mcrr) X(ldc) X(fp_access) X(other) X(bti) X(immediate) X(smc32)         \
    X(sys128) X(sys64) X(eret) X(tstart) X(fpac) X(sme) X(gpc) X(implementation)                    \
    X(instruction_abort) X(data_abort) X(mops) X(fp_exception) X(gcs) X(serror) X(debug) X(step)    \
    X(watchpoint) X(profiling) X(data_abort_undescribed) X(serror_implementation)

enum fh_arm_form {
#define FH_ARM_FORM_ENUM(name) FH_ARM_FORM_##name,
    FH_ARM_FORM_MAP(FH_ARM_FORM_ENUM)
#undef FH_ARM_FORM_ENUM
    FH_ARM_FORMS
};

/* struct fh_arm_esr_data_abort, fh_arm_esr_data_abort_of(esr), ..._word(&fields), and so on. */
#define FH_ARM_ESR_WORD(name) FH_ARM_WORD(esr_##name)
FH_ARM_WORD(esr)
FH_ARM_FORM_MAP(FH_ARM_ESR_WORD)

/*
 * Status codes of aborts: X(first, last, name, level of the first, what). In a range the level
 * counts up; FH_ARM_NO_LEVEL where there is none. Level 0 of an address size fault is also that of
 * the base register.
 */
#define FH_ARM_NO_LEVEL 9
#define FH_ARM_STATUS_MAP(X)                                                                        \
    X(0x00, 0x03, ADDRESS_SIZE, 0, "address size fault")                                            \
    X(0x04, 0x07, TRANSLATION, 0, "translation fault")                                              \
    X(0x08, 0x0b, ACCESS_FLAG, 0, "access flag fault")                                              \
    X(0x0c, 0x0f, PERMISSION, 0, "permission fault")                                                \
    X(0x10, 0x10, EXTERNAL, 9, "synchronous external abort")                                        \
    X(0x11, 0x11, TAG_CHECK, 9, "synchronous tag check fault")                                      \
    X(0x12, 0x17, EXTERNAL_WALK, -2, "synchronous external abort on a table walk")                  \
    X(0x18, 0x18, PARITY, 9, "synchronous parity or ECC error")                                     \
    X(0x1b, 0x1f, PARITY_WALK, -1, "synchronous parity or ECC error on a table walk")               \
    X(0x21, 0x21, ALIGNMENT, 9, "alignment fault")                                                  \
    X(0x22, 0x27, GRANULE_WALK, -2, "granule protection fault on a table walk")                     \
    X(0x28, 0x28, GRANULE, 9, "granule protection fault")                                           \
    X(0x29, 0x29, ADDRESS_SIZE_BELOW_0, -1, "address size fault")                                   \
    X(0x2a, 0x2b, TRANSLATION_BELOW_0, -2, "translation fault")                                     \
    X(0x2c, 0x2c, ADDRESS_SIZE_BELOW_1, -2, "address size fault")                                   \
    X(0x30, 0x30, TLB_CONFLICT, 9, "TLB conflict abort")                                            \
    X(0x31, 0x31, ATOMIC_UPDATE, 9, "unsupported atomic hardware update")                           \
    X(0x34, 0x34, LOCKDOWN, 9, "implementation defined: lockdown")                                  \
    X(0x35, 0x35, ATOMIC, 9, "unsupported exclusive or atomic access")                              \
    X(0x3d, 0x3d, SECTION_DOMAIN, 9, "section domain fault")                                        \
    X(0x3e, 0x3e, PAGE_DOMAIN, 9, "page domain fault")

enum fh_arm_status {
#define FH_ARM_STATUS_ENUM(first, last, name, level, meaning) FH_ARM_STATUS_##name = (first),
    FH_ARM_STATUS_MAP(FH_ARM_STATUS_ENUM)
#undef FH_ARM_STATUS_ENUM
};

/* clang-format on */

static inline enum fh_arm_class fh_arm_esr_class(uint64_t esr)
{
    return (enum fh_arm_class)fh_arm_get(esr, 31, 26);
}

/* Facts of an exception class. */
struct fh_arm_class_info {
    uint8_t value;
    const char *name;    /* "DABT_LOW" */
    const char *meaning; /* "data abort from a lower level" */
    enum fh_arm_form form;
    unsigned from; /* FH_ARM_FROM_..., FH_ARM_IS_SERROR, FH_ARM_ONLY_EL3, FH_ARM_NO_IL */
};

/* NULL for a class that the architecture does not define. */
FH_API const struct fh_arm_class_info *fh_arm_find_class(uint64_t ec);
FH_API const struct fh_arm_class_info *fh_arm_class_named(const char *name, size_t length);

/* The name of a class, "?" if there is none; never NULL. */
FH_API const char *fh_arm_class_name(uint64_t ec);

/* The layout of a form, and of the syndrome at hand; NULL if the class is not defined. */
FH_API const struct fh_arm_layout *fh_arm_form_layout(enum fh_arm_form form);
FH_API const struct fh_arm_layout *fh_arm_esr_layout(uint64_t esr);

/* Is it an instruction or data abort, from below or inside? */
static inline bool fh_arm_is_instruction_abort(uint64_t esr)
{
    return fh_arm_esr_class(esr) == FH_ARM_CLASS_IABT_LOW ||
           fh_arm_esr_class(esr) == FH_ARM_CLASS_IABT_CUR;
}

static inline bool fh_arm_is_data_abort(uint64_t esr)
{
    return fh_arm_esr_class(esr) == FH_ARM_CLASS_DABT_LOW ||
           fh_arm_esr_class(esr) == FH_ARM_CLASS_DABT_CUR;
}

static inline bool fh_arm_is_abort(uint64_t esr)
{
    return fh_arm_is_instruction_abort(esr) || fh_arm_is_data_abort(esr);
}

/* A status code taken apart. */
struct fh_arm_fault {
    enum fh_arm_status kind; /* the first code of its range */
    int level;               /* -2..3, or FH_ARM_NO_LEVEL */
    const char *meaning;     /* "translation fault" */
};

/* False for a code that the architecture does not define. */
FH_API bool fh_arm_status_fault(uint64_t code, struct fh_arm_fault *fault);

/*
 * The code of a fault with its level (0..3, -1 and -2 where there are such); false if there is
 * none.  The inverse of fh_arm_status_fault: the kinds ..._BELOW_0 and ..._BELOW_1 are reached
 * from ADDRESS_SIZE and TRANSLATION too.
 */
FH_API bool fh_arm_fault_status(enum fh_arm_status kind, int level, uint64_t *code);

/*
 * A syndrome in one line: "DABT_LOW (data abort from a lower level): write of 4 bytes from W3,
 * translation fault, level 1". A status code: "translation fault, level 1".
 */
FH_API size_t fh_arm_describe_esr(uint64_t esr, char *buffer, size_t size);
FH_API size_t fh_arm_describe_status(uint64_t code, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
