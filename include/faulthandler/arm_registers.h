/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_REGISTERS_H
#define FAULTHANDLER_ARM_REGISTERS_H

#include <faulthandler/arm_syndrome.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * System registers of AArch64: their encodings, their fields, and what control of EL2 takes an
 * access from EL1. Arm ARM, "AArch64 System register descriptions". For those with fields there
 * are structs and functions as arm_field.h tells: struct fh_arm_vtcr_el2, fh_arm_vtcr_el2_of(word).
 *
 * Some registers have two forms. Which one it is, says a bit of the word (SPSR_EL2: M[4], AArch32;
 * PAR_EL1: F, the translation failed) or HCR_EL2.E2H.
 */

/* clang-format off */

/* --- Fields ---------------------------------------------------------------------------------- */

#define FH_ARM_FIELDS_value64(FIELD)                                                                \
    FIELD(VALUE, 63, 0, HEX, "value")

#define FH_ARM_FIELDS_sctlr_el1(FIELD)                                                              \
    FIELD(TIDCP, 63, 63, FLAG, "traps EL0's implementation defined registers to EL1")               \
    FIELD(SPINTMASK, 62, 62, FLAG, "SP masks interrupts")                                           \
    FIELD(NMI, 61, 61, FLAG, "non-maskable interrupts")                                             \
    FIELD(EnTP2, 60, 60, FLAG, "EL0 may use TPIDR2_EL0")                                            \
    FIELD(TCSO, 59, 59, FLAG, "tag checking of stores only")                                        \
    FIELD(TCSO0, 58, 58, FLAG, "tag checking of stores only, EL0")                                  \
    FIELD(EPAN, 57, 57, FLAG, "PAN looks at execute permission")                                    \
    FIELD(EnALS, 56, 56, FLAG, "EL0 may use LD64B and ST64B")                                       \
    FIELD(EnAS0, 55, 55, FLAG, "EL0 may use ST64BV0")                                               \
    FIELD(EnASR, 54, 54, FLAG, "EL0 may use ST64BV")                                                \
    FIELD(TME, 53, 53, FLAG, "transactions")                                                        \
    FIELD(TME0, 52, 52, FLAG, "transactions at EL0")                                                \
    FIELD(TMT, 51, 51, FLAG, "transactions fail")                                                   \
    FIELD(TMT0, 50, 50, FLAG, "transactions fail at EL0")                                           \
    FIELD(TWEDEL, 49, 46, NUMBER, "delay of trapped WFE")                                           \
    FIELD(TWEDEn, 45, 45, FLAG, "TWEDEL is used")                                                   \
    FIELD(DSSBS, 44, 44, FLAG, "SSBS on exceptions")                                                \
    FIELD(ATA, 43, 43, FLAG, "access to tags")                                                      \
    FIELD(ATA0, 42, 42, FLAG, "access to tags, EL0")                                                \
    FIELD(TCF, 41, 40, NUMBER, "tag check faults")                                                  \
    FIELD(TCF0, 39, 38, NUMBER, "tag check faults at EL0")                                          \
    FIELD(ITFSB, 37, 37, FLAG, "tag check faults are synchronised on entry")                        \
    FIELD(BT1, 36, 36, FLAG, "branch type compatibility of PACIASP")                                \
    FIELD(BT0, 35, 35, FLAG, "branch type compatibility of PACIASP, EL0")                           \
    FIELD(EnFPM, 34, 34, FLAG, "EL0 may use FPMR")                                                  \
    FIELD(MSCEn, 33, 33, FLAG, "EL0 may use memory copy and set")                                   \
    FIELD(CMOW, 32, 32, FLAG, "cache maintenance needs write permission")                           \
    FIELD(EnIA, 31, 31, FLAG, "pointer authentication, instruction key A")                          \
    FIELD(EnIB, 30, 30, FLAG, "pointer authentication, instruction key B")                          \
    FIELD(LSMAOE, 29, 29, FLAG, "load and store multiple are atomic and ordered")                   \
    FIELD(nTLSMD, 28, 28, FLAG, "load and store multiple to device memory do not trap")             \
    FIELD(EnDA, 27, 27, FLAG, "pointer authentication, data key A")                                 \
    FIELD(UCI, 26, 26, FLAG, "EL0 may clean caches")                                                \
    FIELD(EE, 25, 25, FLAG, "big-endian data at EL1, and tables")                                   \
    FIELD(E0E, 24, 24, FLAG, "big-endian data at EL0")                                              \
    FIELD(SPAN, 23, 23, FLAG, "0: an exception sets PAN")                                           \
    FIELD(EIS, 22, 22, FLAG, "exceptions synchronise the context")                                  \
    FIELD(IESB, 21, 21, FLAG, "implicit error barrier")                                             \
    FIELD(TSCXT, 20, 20, FLAG, "traps SCXTNUM_EL0")                                                 \
    FIELD(WXN, 19, 19, FLAG, "writable memory is not executable")                                   \
    FIELD(nTWE, 18, 18, FLAG, "WFE of EL0 does not trap")                                           \
    FIELD(nTWI, 16, 16, FLAG, "WFI of EL0 does not trap")                                           \
    FIELD(UCT, 15, 15, FLAG, "EL0 may read CTR_EL0")                                                \
    FIELD(DZE, 14, 14, FLAG, "EL0 may use DC ZVA")                                                  \
    FIELD(EnDB, 13, 13, FLAG, "pointer authentication, data key B")                                 \
    FIELD(I, 12, 12, FLAG, "instruction cache")                                                     \
    FIELD(EOS, 11, 11, FLAG, "exception returns synchronise the context")                           \
    FIELD(EnRCTX, 10, 10, FLAG, "EL0 may use the RCTX instructions")                                \
    FIELD(UMA, 9, 9, FLAG, "EL0 may mask interrupts")                                               \
    FIELD(SED, 8, 8, FLAG, "SETEND is disabled")                                                    \
    FIELD(ITD, 7, 7, FLAG, "some IT instructions are disabled")                                     \
    FIELD(nAA, 6, 6, FLAG, "some unaligned accesses do not fault")                                  \
    FIELD(CP15BEN, 5, 5, FLAG, "CP15 barriers")                                                     \
    FIELD(SA0, 4, 4, FLAG, "alignment check of SP at EL0")                                          \
    FIELD(SA, 3, 3, FLAG, "alignment check of SP")                                                  \
    FIELD(C, 2, 2, FLAG, "data cache")                                                              \
    FIELD(A, 1, 1, FLAG, "alignment check")                                                         \
    FIELD(M, 0, 0, FLAG, "stage 1 is on")

#define FH_ARM_FIELDS_hcr_el2(FIELD)                                                                \
    FIELD(TWEDEL, 63, 60, NUMBER, "delay of trapped WFE")                                           \
    FIELD(TWEDEn, 59, 59, FLAG, "TWEDEL is used")                                                   \
    FIELD(TID5, 58, 58, FLAG, "traps GMID_EL1")                                                     \
    FIELD(DCT, 57, 57, FLAG, "default memory is tagged")                                            \
    FIELD(ATA, 56, 56, FLAG, "access to tags")                                                      \
    FIELD(TTLBOS, 55, 55, FLAG, "traps TLBI of the outer shareable domain")                         \
    FIELD(TTLBIS, 54, 54, FLAG, "traps TLBI of the inner shareable domain")                         \
    FIELD(EnSCXT, 53, 53, FLAG, "SCXTNUM does not trap")                                            \
    FIELD(TOCU, 52, 52, FLAG, "traps cache maintenance to the point of unification")                \
    FIELD(AMVOFFEN, 51, 51, FLAG, "activity monitor offsets")                                       \
    FIELD(TICAB, 50, 50, FLAG, "traps ICIALLUIS and IC IALLUIS")                                    \
    FIELD(TID4, 49, 49, FLAG, "traps cache identification")                                         \
    FIELD(GPF, 48, 48, FLAG, "granule protection faults are taken to EL2")                          \
    FIELD(FIEN, 47, 47, FLAG, "fault injection registers")                                          \
    FIELD(FWB, 46, 46, FLAG, "stage 2 forces write-back")                                           \
    FIELD(NV2, 45, 45, FLAG, "nested virtualisation by VNCR_EL2")                                   \
    FIELD(AT, 44, 44, FLAG, "traps address translation")                                            \
    FIELD(NV1, 43, 43, FLAG, "nested virtualisation of EL1 registers")                              \
    FIELD(NV, 42, 42, FLAG, "nested virtualisation")                                                \
    FIELD(API, 41, 41, FLAG, "0: traps pointer authentication")                                     \
    FIELD(APK, 40, 40, FLAG, "0: traps pointer authentication keys")                                \
    FIELD(TME, 39, 39, FLAG, "transactions")                                                        \
    FIELD(MIOCNCE, 38, 38, FLAG, "mismatched cacheability may lose coherency")                      \
    FIELD(TEA, 37, 37, FLAG, "external aborts are taken to EL2")                                    \
    FIELD(TERR, 36, 36, FLAG, "traps error records")                                                \
    FIELD(TLOR, 35, 35, FLAG, "traps LORegion registers")                                           \
    FIELD(E2H, 34, 34, FLAG, "a host runs at EL2 (VHE)")                                            \
    FIELD(ID, 33, 33, FLAG, "stage 2 makes fetches non-cacheable")                                  \
    FIELD(CD, 32, 32, FLAG, "stage 2 makes data non-cacheable")                                     \
    FIELD(RW, 31, 31, FLAG, "EL1 is AArch64")                                                       \
    FIELD(TRVM, 30, 30, FLAG, "traps reads of virtual memory controls")                             \
    FIELD(HCD, 29, 29, FLAG, "HVC is undefined")                                                    \
    FIELD(TDZ, 28, 28, FLAG, "traps DC ZVA")                                                        \
    FIELD(TGE, 27, 27, FLAG, "exceptions of EL0 are taken to EL2")                                  \
    FIELD(TVM, 26, 26, FLAG, "traps writes of virtual memory controls")                             \
    FIELD(TTLB, 25, 25, FLAG, "traps TLBI")                                                         \
    FIELD(TPU, 24, 24, FLAG, "traps cache maintenance to the point of unification")                 \
    FIELD(TPC, 23, 23, FLAG, "traps cache maintenance to the point of coherency")                   \
    FIELD(TSW, 22, 22, FLAG, "traps cache maintenance by set and way")                              \
    FIELD(TACR, 21, 21, FLAG, "traps ACTLR_EL1")                                                    \
    FIELD(TIDCP, 20, 20, FLAG, "traps implementation defined registers")                            \
    FIELD(TSC, 19, 19, FLAG, "traps SMC")                                                           \
    FIELD(TID3, 18, 18, FLAG, "traps identification group 3")                                       \
    FIELD(TID2, 17, 17, FLAG, "traps identification group 2")                                       \
    FIELD(TID1, 16, 16, FLAG, "traps identification group 1")                                       \
    FIELD(TID0, 15, 15, FLAG, "traps identification group 0")                                       \
    FIELD(TWE, 14, 14, FLAG, "traps WFE")                                                           \
    FIELD(TWI, 13, 13, FLAG, "traps WFI")                                                           \
    FIELD(DC, 12, 12, FLAG, "default cacheability")                                                 \
    FIELD(BSU, 11, 10, BSU, "barriers reach at least")                                              \
    FIELD(FB, 9, 9, FLAG, "TLB and cache maintenance is broadcast")                                 \
    FIELD(VSE, 8, 8, FLAG, "virtual SError is pending")                                             \
    FIELD(VI, 7, 7, FLAG, "virtual IRQ is pending")                                                 \
    FIELD(VF, 6, 6, FLAG, "virtual FIQ is pending")                                                 \
    FIELD(AMO, 5, 5, FLAG, "SErrors are taken to EL2")                                              \
    FIELD(IMO, 4, 4, FLAG, "IRQs are taken to EL2")                                                 \
    FIELD(FMO, 3, 3, FLAG, "FIQs are taken to EL2")                                                 \
    FIELD(PTW, 2, 2, FLAG, "table walks through device memory fault")                               \
    FIELD(SWIO, 1, 1, FLAG, "invalidation by set and way also cleans")                              \
    FIELD(VM, 0, 0, FLAG, "stage 2 is on")

#define FH_ARM_FIELDS_vtcr_el2(FIELD)                                                               \
    FIELD(HDBSS, 45, 45, FLAG, "hardware dirty state tracking structure")                           \
    FIELD(HAFT, 44, 44, FLAG, "hardware sets the access flag of tables")                            \
    FIELD(TL0, 41, 41, FLAG, "permissions of TopLevel 0")                                           \
    FIELD(GCSH, 40, 40, FLAG, "assured guarded control stack")                                      \
    FIELD(D128, 38, 38, FLAG, "descriptors of 128 bits")                                            \
    FIELD(S2POE, 37, 37, FLAG, "permission overlays")                                               \
    FIELD(S2PIE, 36, 36, FLAG, "permission indirection")                                            \
    FIELD(TL1, 35, 35, FLAG, "permissions of TopLevel 1")                                           \
    FIELD(AssuredOnly, 34, 34, FLAG, "bit 58 of a leaf is AssuredOnly")                             \
    FIELD(SL2, 33, 33, NUMBER, "start level, upper bit")                                            \
    FIELD(DS, 32, 32, FLAG, "52-bit addresses with 4 and 16 KiB")                                   \
    FIELD(RES1, 31, 31, FLAG, "always 1")                                                           \
    FIELD(NSA, 30, 30, FLAG, "output of the non-secure space is non-secure")                        \
    FIELD(NSW, 29, 29, FLAG, "walks of the non-secure space are non-secure")                        \
    FIELD(HWU62, 28, 28, FLAG, "bit 62 of a leaf is hardware's")                                    \
    FIELD(HWU61, 27, 27, FLAG, "bit 61 of a leaf is hardware's")                                    \
    FIELD(HWU60, 26, 26, FLAG, "bit 60 of a leaf is hardware's")                                    \
    FIELD(HWU59, 25, 25, FLAG, "bit 59 of a leaf is hardware's")                                    \
    FIELD(HD, 22, 22, FLAG, "hardware sets the dirty state")                                        \
    FIELD(HA, 21, 21, FLAG, "hardware sets the access flag")                                        \
    FIELD(VS, 19, 19, VMIDSIZE, "size of VMIDs")                                                    \
    FIELD(PS, 18, 16, PARANGE, "output address")                                                    \
    FIELD(TG0, 15, 14, TG0, "granule")                                                              \
    FIELD(SH0, 13, 12, SH, "shareability of walks")                                                 \
    FIELD(ORGN0, 11, 10, RGN, "outer cacheability of walks")                                        \
    FIELD(IRGN0, 9, 8, RGN, "inner cacheability of walks")                                          \
    FIELD(SL0, 7, 6, NUMBER, "start level, by granule")                                             \
    FIELD(T0SZ, 5, 0, NUMBER, "the input address has 64 - T0SZ bits")

#define FH_ARM_FIELDS_vttbr_el2(FIELD)                                                              \
    FIELD(VMID, 63, 48, NUMBER, "VM identifier")                                                    \
    FIELD(BADDR, 47, 1, ADDRESS, "root table")                                                      \
    FIELD(CnP, 0, 0, FLAG, "common to all PEs")

#define FH_ARM_FIELDS_ttbr_el1(FIELD)                                                               \
    FIELD(ASID, 63, 48, NUMBER, "address space identifier")                                         \
    FIELD(BADDR, 47, 1, ADDRESS, "root table")                                                      \
    FIELD(CnP, 0, 0, FLAG, "common to all PEs")

#define FH_ARM_FIELDS_hpfar_el2(FIELD)                                                              \
    FIELD(NS, 63, 63, FLAG, "non-secure address")                                                   \
    FIELD(FIPA, 47, 4, PAGE, "faulting IPA, its page")

#define FH_ARM_FIELDS_tcr_el1(FIELD)                                                                \
    FIELD(MTX1, 61, 61, FLAG, "extended tag checking, upper half")                                  \
    FIELD(MTX0, 60, 60, FLAG, "extended tag checking, lower half")                                  \
    FIELD(DS, 59, 59, FLAG, "52-bit addresses with 4 and 16 KiB")                                   \
    FIELD(TCMA1, 58, 58, FLAG, "unchecked accesses, upper half")                                    \
    FIELD(TCMA0, 57, 57, FLAG, "unchecked accesses, lower half")                                    \
    FIELD(E0PD1, 56, 56, FLAG, "faults EL0, upper half")                                            \
    FIELD(E0PD0, 55, 55, FLAG, "faults EL0, lower half")                                            \
    FIELD(NFD1, 54, 54, FLAG, "no non-fault walks, upper half")                                     \
    FIELD(NFD0, 53, 53, FLAG, "no non-fault walks, lower half")                                     \
    FIELD(TBID1, 52, 52, FLAG, "top byte of instructions counts, upper half")                       \
    FIELD(TBID0, 51, 51, FLAG, "top byte of instructions counts, lower half")                       \
    FIELD(HWU162, 50, 50, FLAG, "bit 62 of a leaf is hardware's, upper half")                       \
    FIELD(HWU161, 49, 49, FLAG, "bit 61 of a leaf is hardware's, upper half")                       \
    FIELD(HWU160, 48, 48, FLAG, "bit 60 of a leaf is hardware's, upper half")                       \
    FIELD(HWU159, 47, 47, FLAG, "bit 59 of a leaf is hardware's, upper half")                       \
    FIELD(HWU062, 46, 46, FLAG, "bit 62 of a leaf is hardware's, lower half")                       \
    FIELD(HWU061, 45, 45, FLAG, "bit 61 of a leaf is hardware's, lower half")                       \
    FIELD(HWU060, 44, 44, FLAG, "bit 60 of a leaf is hardware's, lower half")                       \
    FIELD(HWU059, 43, 43, FLAG, "bit 59 of a leaf is hardware's, lower half")                       \
    FIELD(HPD1, 42, 42, FLAG, "no hierarchical permissions, upper half")                            \
    FIELD(HPD0, 41, 41, FLAG, "no hierarchical permissions, lower half")                            \
    FIELD(HD, 40, 40, FLAG, "hardware sets the dirty state")                                        \
    FIELD(HA, 39, 39, FLAG, "hardware sets the access flag")                                        \
    FIELD(TBI1, 38, 38, FLAG, "top byte is ignored, upper half")                                    \
    FIELD(TBI0, 37, 37, FLAG, "top byte is ignored, lower half")                                    \
    FIELD(AS, 36, 36, ASIDSIZE, "size of ASIDs")                                                    \
    FIELD(IPS, 34, 32, PARANGE, "output address")                                                   \
    FIELD(TG1, 31, 30, TG1, "granule, upper half")                                                  \
    FIELD(SH1, 29, 28, SH, "shareability of walks, upper half")                                     \
    FIELD(ORGN1, 27, 26, RGN, "outer cacheability of walks, upper half")                            \
    FIELD(IRGN1, 25, 24, RGN, "inner cacheability of walks, upper half")                            \
    FIELD(EPD1, 23, 23, FLAG, "no walks, upper half")                                               \
    FIELD(A1, 22, 22, FLAG, "TTBR1_EL1 has the ASID")                                               \
    FIELD(T1SZ, 21, 16, NUMBER, "the upper half has 64 - T1SZ bits")                                \
    FIELD(TG0, 15, 14, TG0, "granule, lower half")                                                  \
    FIELD(SH0, 13, 12, SH, "shareability of walks, lower half")                                     \
    FIELD(ORGN0, 11, 10, RGN, "outer cacheability of walks, lower half")                            \
    FIELD(IRGN0, 9, 8, RGN, "inner cacheability of walks, lower half")                              \
    FIELD(EPD0, 7, 7, FLAG, "no walks, lower half")                                                 \
    FIELD(T0SZ, 5, 0, NUMBER, "the lower half has 64 - T0SZ bits")

#define FH_ARM_FIELDS_mair_el1(FIELD)                                                               \
    FIELD(Attr7, 63, 56, MAIR, "memory type 7")                                                     \
    FIELD(Attr6, 55, 48, MAIR, "memory type 6")                                                     \
    FIELD(Attr5, 47, 40, MAIR, "memory type 5")                                                     \
    FIELD(Attr4, 39, 32, MAIR, "memory type 4")                                                     \
    FIELD(Attr3, 31, 24, MAIR, "memory type 3")                                                     \
    FIELD(Attr2, 23, 16, MAIR, "memory type 2")                                                     \
    FIELD(Attr1, 15, 8, MAIR, "memory type 1")                                                      \
    FIELD(Attr0, 7, 0, MAIR, "memory type 0")

#define FH_ARM_FIELDS_par_el1(FIELD)                                                                \
    FIELD(ATTR, 63, 56, MAIR, "memory type")                                                        \
    FIELD(PA, 51, 12, ADDRESS, "physical address")                                                  \
    FIELD(NSE, 11, 11, FLAG, "physical address space, upper bit; without FEAT_RME always 1")            \
    FIELD(IMPDEF, 10, 10, FLAG, "implementation defined")                                           \
    FIELD(NS, 9, 9, FLAG, "non-secure address")                                                     \
    FIELD(SH, 8, 7, SH, "shareability")                                                             \
    FIELD(F, 0, 0, PAR_F, "result")

#define FH_ARM_FIELDS_par_el1_fault(FIELD)                                                          \
    FIELD(IMPDEF, 63, 48, HEX, "implementation defined")                                            \
    FIELD(DirtyBit, 15, 15, FLAG, "the permission fault is of a dirty state")                       \
    FIELD(Overlay, 14, 14, FLAG, "the permission fault is of an overlay")                           \
    FIELD(TopLevel, 13, 13, FLAG, "the permission fault is of TopLevel")                            \
    FIELD(AssuredOnly, 12, 12, FLAG, "the permission fault is of AssuredOnly")                      \
    FIELD(RES1, 11, 11, FLAG, "always 1")                                                           \
    FIELD(S, 9, 9, STAGE, "stage of the fault")                                                     \
    FIELD(PTW, 8, 8, FLAG, "a stage 2 fault on a stage 1 table walk")                               \
    FIELD(FST, 6, 1, FSC, "fault status")                                                           \
    FIELD(F, 0, 0, PAR_F, "result")

#define FH_ARM_FIELDS_spsr(FIELD)                                                                   \
    FIELD(UINJ, 36, 36, FLAG, "injected undefined instruction")                                     \
    FIELD(PACM, 35, 35, FLAG, "PACM")                                                               \
    FIELD(EXLOCK, 34, 34, FLAG, "exception return is locked")                                       \
    FIELD(PPEND, 33, 33, FLAG, "profiling exception is pending")                                    \
    FIELD(PM, 32, 32, FLAG, "profiling exceptions are masked")                                      \
    FIELD(N, 31, 31, FLAG, "negative")                                                              \
    FIELD(Z, 30, 30, FLAG, "zero")                                                                  \
    FIELD(C, 29, 29, FLAG, "carry")                                                                 \
    FIELD(V, 28, 28, FLAG, "overflow")                                                              \
    FIELD(TCO, 25, 25, FLAG, "tag checks are off")                                                  \
    FIELD(DIT, 24, 24, FLAG, "data-independent timing")                                             \
    FIELD(UAO, 23, 23, FLAG, "user access override")                                                \
    FIELD(PAN, 22, 22, FLAG, "privileged access never")                                             \
    FIELD(SS, 21, 21, FLAG, "software step")                                                        \
    FIELD(IL, 20, 20, FLAG, "illegal state")                                                        \
    FIELD(ALLINT, 13, 13, FLAG, "all interrupts are masked")                                        \
    FIELD(SSBS, 12, 12, FLAG, "speculative store bypass is safe")                                   \
    FIELD(BTYPE, 11, 10, NUMBER, "branch type")                                                     \
    FIELD(D, 9, 9, FLAG, "debug exceptions are masked")                                             \
    FIELD(A, 8, 8, FLAG, "SErrors are masked")                                                      \
    FIELD(I, 7, 7, FLAG, "IRQs are masked")                                                         \
    FIELD(F, 6, 6, FLAG, "FIQs are masked")                                                         \
    FIELD(M, 4, 0, MODE, "mode")

#define FH_ARM_FIELDS_spsr_aarch32(FIELD)                                                           \
    FIELD(N, 31, 31, FLAG, "negative")                                                              \
    FIELD(Z, 30, 30, FLAG, "zero")                                                                  \
    FIELD(C, 29, 29, FLAG, "carry")                                                                 \
    FIELD(V, 28, 28, FLAG, "overflow")                                                              \
    FIELD(Q, 27, 27, FLAG, "saturation")                                                            \
    FIELD(IT_1_0, 26, 25, NUMBER, "IT, bits 1 and 0")                                               \
    FIELD(DIT, 24, 24, FLAG, "data-independent timing")                                             \
    FIELD(SSBS, 23, 23, FLAG, "speculative store bypass is safe")                                   \
    FIELD(PAN, 22, 22, FLAG, "privileged access never")                                             \
    FIELD(SS, 21, 21, FLAG, "software step")                                                        \
    FIELD(IL, 20, 20, FLAG, "illegal state")                                                        \
    FIELD(GE, 19, 16, NUMBER, "greater than or equal")                                              \
    FIELD(IT_7_2, 15, 10, NUMBER, "IT, bits 7 to 2")                                                \
    FIELD(E, 9, 9, FLAG, "big-endian data")                                                         \
    FIELD(A, 8, 8, FLAG, "SErrors are masked")                                                      \
    FIELD(I, 7, 7, FLAG, "IRQs are masked")                                                         \
    FIELD(F, 6, 6, FLAG, "FIQs are masked")                                                         \
    FIELD(T, 5, 5, FLAG, "T32")                                                                     \
    FIELD(M, 4, 0, MODE, "mode")

#define FH_ARM_FIELDS_mdcr_el2(FIELD)                                                               \
    FIELD(EnSTEPOP, 50, 50, FLAG, "step by opcode")                                                 \
    FIELD(EBWE, 43, 43, FLAG, "extended breakpoints and watchpoints")                               \
    FIELD(PMEE, 41, 40, NUMBER, "profiling exception")                                              \
    FIELD(HPMFZS, 36, 36, FLAG, "EL2's counters stop on a statistical overflow")                    \
    FIELD(PMSSE, 31, 30, NUMBER, "snapshots")                                                       \
    FIELD(HPMFZO, 29, 29, FLAG, "EL2's counters stop on overflow")                                  \
    FIELD(MTPME, 28, 28, FLAG, "multi-threaded counting")                                           \
    FIELD(TDCC, 27, 27, FLAG, "traps the debug communication channel")                              \
    FIELD(HLP, 26, 26, FLAG, "EL2's counters have 64 bits")                                         \
    FIELD(E2TB, 25, 24, NUMBER, "owner of the trace buffer")                                        \
    FIELD(HCCD, 23, 23, FLAG, "the cycle counter stops at EL2")                                     \
    FIELD(TTRF, 19, 19, FLAG, "traps TRFCR_EL1")                                                    \
    FIELD(HPMD, 17, 17, FLAG, "counting stops at EL2")                                              \
    FIELD(EnSPM, 15, 15, FLAG, "system PMU access")                                                 \
    FIELD(TPMS, 14, 14, FLAG, "traps the statistical profiling controls")                           \
    FIELD(E2PB, 13, 12, NUMBER, "owner of the profiling buffer")                                    \
    FIELD(TDRA, 11, 11, FLAG, "traps the debug ROM registers")                                      \
    FIELD(TDOSA, 10, 10, FLAG, "traps the OS lock registers")                                       \
    FIELD(TDA, 9, 9, FLAG, "traps debug registers")                                                 \
    FIELD(TDE, 8, 8, FLAG, "debug exceptions are taken to EL2")                                     \
    FIELD(HPME, 7, 7, FLAG, "EL2's counters are on")                                                \
    FIELD(TPM, 6, 6, FLAG, "traps performance monitors")                                            \
    FIELD(TPMCR, 5, 5, FLAG, "traps PMCR_EL0")                                                      \
    FIELD(HPMN, 4, 0, NUMBER, "counters of EL1 and EL0")

#define FH_ARM_FIELDS_cptr_el2(FIELD)                                                               \
    FIELD(TCPAC, 31, 31, FLAG, "traps CPACR_EL1")                                                   \
    FIELD(TAM, 30, 30, FLAG, "traps activity monitors")                                             \
    FIELD(TTA, 20, 20, FLAG, "traps trace registers")                                               \
    FIELD(RES1_13, 13, 13, FLAG, "always 1")                                                        \
    FIELD(TSM, 12, 12, FLAG, "traps SME (always 1 without)")                                        \
    FIELD(TFP, 10, 10, FLAG, "traps SIMD and floating point")                                       \
    FIELD(RES1_9, 9, 9, FLAG, "always 1")                                                           \
    FIELD(TZ, 8, 8, FLAG, "traps SVE (always 1 without)")                                           \
    FIELD(RES1_7_0, 7, 0, HEX, "always 0xff")

#define FH_ARM_FIELDS_cptr_el2_e2h(FIELD)                                                           \
    FIELD(TCPAC, 31, 31, FLAG, "traps CPACR_EL1")                                                   \
    FIELD(TAM, 30, 30, FLAG, "traps activity monitors")                                             \
    FIELD(E0POE, 29, 29, FLAG, "EL0 may use POR_EL0")                                               \
    FIELD(TTA, 28, 28, FLAG, "traps trace registers")                                               \
    FIELD(SMEN, 25, 24, TRAP, "SME")                                                                \
    FIELD(FPEN, 21, 20, TRAP, "SIMD and floating point")                                            \
    FIELD(ZEN, 17, 16, TRAP, "SVE")

#define FH_ARM_FIELDS_cpacr_el1(FIELD)                                                              \
    FIELD(E0POE, 29, 29, FLAG, "EL0 may use POR_EL0")                                               \
    FIELD(TTA, 28, 28, FLAG, "traps trace registers")                                               \
    FIELD(SMEN, 25, 24, TRAP, "SME")                                                                \
    FIELD(FPEN, 21, 20, TRAP, "SIMD and floating point")                                            \
    FIELD(ZEN, 17, 16, TRAP, "SVE")

#define FH_ARM_FIELDS_cnthctl_el2(FIELD)                                                            \
    FIELD(CNTPMASK, 19, 19, FLAG, "masks the physical timer")                                       \
    FIELD(CNTVMASK, 18, 18, FLAG, "masks the virtual timer")                                        \
    FIELD(EVNTIS, 17, 17, FLAG, "event stream from the upper bits")                                 \
    FIELD(EL1NVVCT, 16, 16, FLAG, "traps nested virtual counter access")                            \
    FIELD(EL1NVPCT, 15, 15, FLAG, "traps nested physical counter access")                           \
    FIELD(EL1TVCT, 14, 14, FLAG, "traps the virtual counter")                                       \
    FIELD(EL1TVT, 13, 13, FLAG, "traps the virtual timer")                                          \
    FIELD(ECV, 12, 12, FLAG, "physical offset")                                                     \
    FIELD(EVNTI, 7, 4, NUMBER, "bit of the event stream")                                           \
    FIELD(EVNTDIR, 3, 3, FLAG, "event on a fall")                                                   \
    FIELD(EVNTEN, 2, 2, FLAG, "event stream")                                                       \
    FIELD(EL1PCEN, 1, 1, FLAG, "the physical timer does not trap")                                  \
    FIELD(EL1PCTEN, 0, 0, FLAG, "the physical counter does not trap")

#define FH_ARM_FIELDS_cnthctl_el2_e2h(FIELD)                                                        \
    FIELD(CNTPMASK, 19, 19, FLAG, "masks the physical timer")                                       \
    FIELD(CNTVMASK, 18, 18, FLAG, "masks the virtual timer")                                        \
    FIELD(EVNTIS, 17, 17, FLAG, "event stream from the upper bits")                                 \
    FIELD(EL1NVVCT, 16, 16, FLAG, "traps nested virtual counter access")                            \
    FIELD(EL1NVPCT, 15, 15, FLAG, "traps nested physical counter access")                           \
    FIELD(EL1TVCT, 14, 14, FLAG, "traps the virtual counter")                                       \
    FIELD(EL1TVT, 13, 13, FLAG, "traps the virtual timer")                                          \
    FIELD(ECV, 12, 12, FLAG, "physical offset")                                                     \
    FIELD(EL1PTEN, 11, 11, FLAG, "the physical timer does not trap")                                \
    FIELD(EL1PCTEN, 10, 10, FLAG, "the physical counter does not trap")                             \
    FIELD(EL0PTEN, 9, 9, FLAG, "EL0 may use the physical timer")                                    \
    FIELD(EL0VTEN, 8, 8, FLAG, "EL0 may use the virtual timer")                                     \
    FIELD(EVNTI, 7, 4, NUMBER, "bit of the event stream")                                           \
    FIELD(EVNTDIR, 3, 3, FLAG, "event on a fall")                                                   \
    FIELD(EVNTEN, 2, 2, FLAG, "event stream")                                                       \
    FIELD(EL0VCTEN, 1, 1, FLAG, "EL0 may use the virtual counter")                                  \
    FIELD(EL0PCTEN, 0, 0, FLAG, "EL0 may use the physical counter")

#define FH_ARM_FIELDS_cntkctl_el1(FIELD)                                                            \
    FIELD(CNTPMASK, 19, 19, FLAG, "masks the physical timer")                                       \
    FIELD(CNTVMASK, 18, 18, FLAG, "masks the virtual timer")                                        \
    FIELD(EVNTIS, 17, 17, FLAG, "event stream from the upper bits")                                 \
    FIELD(EL0PTEN, 9, 9, FLAG, "EL0 may use the physical timer")                                    \
    FIELD(EL0VTEN, 8, 8, FLAG, "EL0 may use the virtual timer")                                     \
    FIELD(EVNTI, 7, 4, NUMBER, "bit of the event stream")                                           \
    FIELD(EVNTDIR, 3, 3, FLAG, "event on a fall")                                                   \
    FIELD(EVNTEN, 2, 2, FLAG, "event stream")                                                       \
    FIELD(EL0VCTEN, 1, 1, FLAG, "EL0 may use the virtual counter")                                  \
    FIELD(EL0PCTEN, 0, 0, FLAG, "EL0 may use the physical counter")

#define FH_ARM_FIELDS_mdscr_el1(FIELD)                                                              \
    FIELD(EnSTEPOP, 50, 50, FLAG, "step by opcode")                                                 \
    FIELD(EHBWE, 35, 35, FLAG, "extended breakpoints under halting debug")                          \
    FIELD(EnSPM, 34, 34, FLAG, "system PMU access")                                                 \
    FIELD(TTA, 33, 33, FLAG, "traps trace registers")                                               \
    FIELD(EMBWE, 32, 32, FLAG, "extended breakpoints")                                              \
    FIELD(TFO, 31, 31, FLAG, "trace filter override")                                               \
    FIELD(RXfull, 30, 30, FLAG, "debug channel, received")                                          \
    FIELD(TXfull, 29, 29, FLAG, "debug channel, to send")                                           \
    FIELD(RXO, 27, 27, FLAG, "debug channel, overrun")                                              \
    FIELD(TXU, 26, 26, FLAG, "debug channel, underrun")                                             \
    FIELD(INTdis, 23, 22, NUMBER, "interrupts in debug state")                                      \
    FIELD(TDA, 21, 21, FLAG, "traps debug registers")                                               \
    FIELD(SC2, 19, 19, FLAG, "sample control")                                                      \
    FIELD(MDE, 15, 15, FLAG, "breakpoints and watchpoints")                                         \
    FIELD(HDE, 14, 14, FLAG, "halting debug")                                                       \
    FIELD(KDE, 13, 13, FLAG, "debug of the same level")                                             \
    FIELD(TDCC, 12, 12, FLAG, "traps the debug channel of EL0")                                     \
    FIELD(ERR, 6, 6, FLAG, "error")                                                                 \
    FIELD(SS, 0, 0, FLAG, "software step")

#define FH_ARM_FIELDS_mpidr(FIELD)                                                                  \
    FIELD(Aff3, 39, 32, NUMBER, "affinity 3")                                                       \
    FIELD(RES1, 31, 31, FLAG, "always 1")                                                           \
    FIELD(U, 30, 30, FLAG, "uniprocessor")                                                          \
    FIELD(MT, 24, 24, FLAG, "affinity 0 is a thread")                                               \
    FIELD(Aff2, 23, 16, NUMBER, "affinity 2")                                                       \
    FIELD(Aff1, 15, 8, NUMBER, "affinity 1")                                                        \
    FIELD(Aff0, 7, 0, NUMBER, "affinity 0")

#define FH_ARM_FIELDS_csselr_el1(FIELD)                                                             \
    FIELD(TnD, 4, 4, FLAG, "tag cache")                                                             \
    FIELD(Level, 3, 1, NUMBER, "level, from 0")                                                     \
    FIELD(InD, 0, 0, FLAG, "instruction cache")

#define FH_ARM_FIELDS_contextidr_el1(FIELD)                                                         \
    FIELD(PROCID, 31, 0, HEX, "process")

#define FH_ARM_FIELDS_pmselr_el0(FIELD)                                                             \
    FIELD(SEL, 4, 0, NUMBER, "counter")

#define FH_ARM_FIELDS_pmuserenr_el0(FIELD)                                                          \
    FIELD(TID, 6, 6, FLAG, "traps identification")                                                  \
    FIELD(IR, 5, 5, FLAG, "EL0 may read the instruction counter")                                   \
    FIELD(UEN, 4, 4, FLAG, "EL0 access by PMUACR_EL1")                                              \
    FIELD(ER, 3, 3, FLAG, "EL0 may read event counters")                                            \
    FIELD(CR, 2, 2, FLAG, "EL0 may read the cycle counter")                                         \
    FIELD(SW, 1, 1, FLAG, "EL0 may write PMSWINC_EL0")                                              \
    FIELD(EN, 0, 0, FLAG, "EL0 may use the counters")

#define FH_ARM_FIELDS_mdccint_el1(FIELD)                                                            \
    FIELD(RX, 30, 30, FLAG, "interrupt of the debug channel, received")                             \
    FIELD(TX, 29, 29, FLAG, "interrupt of the debug channel, sent")

#define FH_ARM_FIELDS_fpcr(FIELD)                                                                   \
    FIELD(AHP, 26, 26, FLAG, "alternative half precision")                                          \
    FIELD(DN, 25, 25, FLAG, "default NaN")                                                          \
    FIELD(FZ, 24, 24, FLAG, "flush to zero")                                                        \
    FIELD(RMode, 23, 22, RMODE, "rounding")                                                         \
    FIELD(Stride, 21, 20, NUMBER, "AArch32 stride")                                                 \
    FIELD(FZ16, 19, 19, FLAG, "flush to zero, half precision")                                      \
    FIELD(Len, 18, 16, NUMBER, "AArch32 length")                                                    \
    FIELD(IDE, 15, 15, FLAG, "traps input denormal")                                                \
    FIELD(EBF, 13, 13, FLAG, "extended bfloat16")                                                   \
    FIELD(IXE, 12, 12, FLAG, "traps inexact")                                                       \
    FIELD(UFE, 11, 11, FLAG, "traps underflow")                                                     \
    FIELD(OFE, 10, 10, FLAG, "traps overflow")                                                      \
    FIELD(DZE, 9, 9, FLAG, "traps division by zero")                                                \
    FIELD(IOE, 8, 8, FLAG, "traps invalid operation")                                               \
    FIELD(NEP, 2, 2, FLAG, "scalar results keep other elements")                                    \
    FIELD(AH, 1, 1, FLAG, "alternate handling")                                                     \
    FIELD(FIZ, 0, 0, FLAG, "flush inputs to zero")

#define FH_ARM_FIELDS_fpsr(FIELD)                                                                   \
    FIELD(N, 31, 31, FLAG, "negative")                                                              \
    FIELD(Z, 30, 30, FLAG, "zero")                                                                  \
    FIELD(C, 29, 29, FLAG, "carry")                                                                 \
    FIELD(V, 28, 28, FLAG, "overflow")                                                              \
    FIELD(QC, 27, 27, FLAG, "saturation")                                                           \
    FIELD(IDC, 7, 7, FLAG, "input denormal")                                                        \
    FIELD(IXC, 4, 4, FLAG, "inexact")                                                               \
    FIELD(UFC, 3, 3, FLAG, "underflow")                                                             \
    FIELD(OFC, 2, 2, FLAG, "overflow")                                                              \
    FIELD(DZC, 1, 1, FLAG, "division by zero")                                                      \
    FIELD(IOC, 0, 0, FLAG, "invalid operation")

#define FH_ARM_FIELDS_id_aa64mmfr0_el1(FIELD)                                                       \
    FIELD(ECV, 63, 60, IMPLEMENTED, "enhanced counter")                                             \
    FIELD(FGT, 59, 56, IMPLEMENTED, "fine-grained traps")                                           \
    FIELD(ExS, 47, 44, IMPLEMENTED, "exceptions that do not synchronise")                           \
    FIELD(TGran4_2, 43, 40, TGRAN_2, "4 KiB at stage 2")                                            \
    FIELD(TGran64_2, 39, 36, TGRAN_2, "64 KiB at stage 2")                                          \
    FIELD(TGran16_2, 35, 32, TGRAN_2, "16 KiB at stage 2")                                          \
    FIELD(TGran4, 31, 28, TGRAN, "4 KiB granule")                                                   \
    FIELD(TGran64, 27, 24, TGRAN, "64 KiB granule")                                                 \
    FIELD(TGran16, 23, 20, TGRAN16, "16 KiB granule")                                               \
    FIELD(BigEndEL0, 19, 16, IMPLEMENTED, "big-endian EL0")                                         \
    FIELD(SNSMem, 15, 12, IMPLEMENTED, "secure and non-secure memory")                              \
    FIELD(BigEnd, 11, 8, IMPLEMENTED, "big-endian data")                                            \
    FIELD(ASIDBits, 7, 4, BITS_8_16, "ASIDs")                                                       \
    FIELD(PARange, 3, 0, PARANGE, "physical addresses")

#define FH_ARM_FIELDS_id_aa64mmfr1_el1(FIELD)                                                       \
    FIELD(ECBHB, 63, 60, IMPLEMENTED, "branch history of exceptions")                               \
    FIELD(CMOW, 59, 56, IMPLEMENTED, "cache maintenance needs write permission")                    \
    FIELD(TIDCP1, 55, 52, IMPLEMENTED, "SCTLR.TIDCP")                                               \
    FIELD(nTLBPA, 51, 48, IMPLEMENTED, "no intermediate caching of physical addresses")             \
    FIELD(AFP, 47, 44, IMPLEMENTED, "alternate floating point")                                     \
    FIELD(HCX, 43, 40, IMPLEMENTED, "HCRX_EL2")                                                     \
    FIELD(ETS, 39, 36, IMPLEMENTED, "enhanced translation synchronisation")                         \
    FIELD(TWED, 35, 32, IMPLEMENTED, "delayed WFE traps")                                           \
    FIELD(XNX, 31, 28, IMPLEMENTED, "execute-never by exception level at stage 2")                  \
    FIELD(SpecSEI, 27, 24, IMPLEMENTED, "SErrors of speculation")                                   \
    FIELD(PAN, 23, 20, IMPLEMENTED, "privileged access never")                                      \
    FIELD(LO, 19, 16, IMPLEMENTED, "LORegions")                                                     \
    FIELD(HPDS, 15, 12, IMPLEMENTED, "hierarchical permission disables")                            \
    FIELD(VH, 11, 8, IMPLEMENTED, "virtualisation host extensions")                                 \
    FIELD(VMIDBits, 7, 4, BITS_8_16, "VMIDs")                                                       \
    FIELD(HAFDBS, 3, 0, HAFDBS, "hardware access flag and dirty state")

#define FH_ARM_FIELDS_id_aa64mmfr2_el1(FIELD)                                                       \
    FIELD(E0PD, 63, 60, IMPLEMENTED, "E0PD")                                                        \
    FIELD(EVT, 59, 56, IMPLEMENTED, "enhanced virtualisation traps")                                \
    FIELD(BBM, 55, 52, BBM, "break-before-make")                                                    \
    FIELD(TTL, 51, 48, IMPLEMENTED, "TLBI with a level")                                            \
    FIELD(FWB, 43, 40, IMPLEMENTED, "stage 2 forces write-back")                                    \
    FIELD(IDS, 39, 36, IMPLEMENTED, "identification traps have a syndrome")                         \
    FIELD(AT, 35, 32, IMPLEMENTED, "unaligned single-copy atomicity")                               \
    FIELD(ST, 31, 28, IMPLEMENTED, "small tables")                                                  \
    FIELD(NV, 27, 24, IMPLEMENTED, "nested virtualisation")                                         \
    FIELD(CCIDX, 23, 20, IMPLEMENTED, "wide CCSIDR")                                                \
    FIELD(VARange, 19, 16, VARANGE, "virtual addresses")                                            \
    FIELD(IESB, 15, 12, IMPLEMENTED, "implicit error barrier")                                      \
    FIELD(LSM, 11, 8, IMPLEMENTED, "LSMAOE and nTLSMD")                                             \
    FIELD(UAO, 7, 4, IMPLEMENTED, "user access override")                                           \
    FIELD(CnP, 3, 0, IMPLEMENTED, "common tables")

#define FH_ARM_FIELDS_id_aa64pfr0_el1(FIELD)                                                        \
    FIELD(CSV3, 63, 60, IMPLEMENTED, "no speculation past faults")                                  \
    FIELD(CSV2, 59, 56, IMPLEMENTED, "branch targets are kept apart")                               \
    FIELD(RME, 55, 52, IMPLEMENTED, "realm management")                                             \
    FIELD(DIT, 51, 48, IMPLEMENTED, "data-independent timing")                                      \
    FIELD(AMU, 47, 44, IMPLEMENTED, "activity monitors")                                            \
    FIELD(MPAM, 43, 40, IMPLEMENTED, "memory partitioning")                                         \
    FIELD(SEL2, 39, 36, IMPLEMENTED, "secure EL2")                                                  \
    FIELD(SVE, 35, 32, IMPLEMENTED, "SVE")                                                          \
    FIELD(RAS, 31, 28, IMPLEMENTED, "RAS")                                                          \
    FIELD(GIC, 27, 24, IMPLEMENTED, "GIC system registers")                                         \
    FIELD(AdvSIMD, 23, 20, FP_ID, "SIMD")                                                           \
    FIELD(FP, 19, 16, FP_ID, "floating point")                                                      \
    FIELD(EL3, 15, 12, EL_ID, "EL3")                                                                \
    FIELD(EL2, 11, 8, EL_ID, "EL2")                                                                 \
    FIELD(EL1, 7, 4, EL_ID, "EL1")                                                                  \
    FIELD(EL0, 3, 0, EL_ID, "EL0")

/* All forms: X(name). */
#define FH_ARM_LAYOUT_MAP(X)                                                                        \
    X(value64) X(sctlr_el1) X(hcr_el2) X(vtcr_el2) X(vttbr_el2) X(ttbr_el1)                         \
    X(hpfar_el2) X(tcr_el1) X(mair_el1) X(par_el1) X(par_el1_fault) X(spsr) X(spsr_aarch32)         \
    X(mdcr_el2) X(cptr_el2) X(cptr_el2_e2h) X(cpacr_el1) X(cnthctl_el2) X(cnthctl_el2_e2h)          \
    X(cntkctl_el1) X(mdscr_el1) X(mpidr) X(csselr_el1) X(contextidr_el1) X(pmselr_el0)              \
    X(pmuserenr_el0) X(mdccint_el1) X(fpcr) X(fpsr) X(id_aa64mmfr0_el1) X(id_aa64mmfr1_el1)         \
    X(id_aa64mmfr2_el1) X(id_aa64pfr0_el1)

FH_ARM_LAYOUT_MAP(FH_ARM_WORD)

/* --- Registers ------------------------------------------------------------------------------- */

/* The virtual memory controls are taken together. */
#define FH_ARM_TRAP_VM "HCR_EL2.TVM (writes), HCR_EL2.TRVM (reads)"

/*
 * Registers whose fields are known:
 *   X(name, op0, op1, CRn, CRm, op2, width, form, which, other form, taken by, what it is)
 * `which` says when a word has the other form: NEVER, BIT_0, BIT_4, E2H; SYNDROME is ESR_ELx, of
 * which arm_syndrome.h has the forms. `taken by` is what makes EL2 take an access from EL1; "" if
 * nothing but a fine-grained trap does, or if the register is EL2's own. "=0" behind a control means
 * that its 0 does, "(reads)" and "(writes)" that it takes these only.
 */
#define FH_ARM_REGISTER_MAP(X)                                                                      \
    X(SCTLR_EL1, 3, 0, 1, 0, 0, 64, sctlr_el1, NEVER, sctlr_el1, FH_ARM_TRAP_VM, "system control")  \
    X(ACTLR_EL1, 3, 0, 1, 0, 1, 64, value64, NEVER, value64, "HCR_EL2.TACR", "auxiliary control")   \
    X(CPACR_EL1, 3, 0, 1, 0, 2, 64, cpacr_el1, NEVER, cpacr_el1,                                    \
      "CPTR_EL2.TCPAC", "access to SIMD, SVE and trace")                                            \
    X(TTBR0_EL1, 3, 0, 2, 0, 0, 64, ttbr_el1, NEVER, ttbr_el1,                                      \
      FH_ARM_TRAP_VM, "root of stage 1, lower half")                                                \
    X(TTBR1_EL1, 3, 0, 2, 0, 1, 64, ttbr_el1, NEVER, ttbr_el1,                                      \
      FH_ARM_TRAP_VM, "root of stage 1, upper half")                                                \
    X(TCR_EL1, 3, 0, 2, 0, 2, 64, tcr_el1, NEVER, tcr_el1, FH_ARM_TRAP_VM, "control of stage 1")    \
    X(SPSR_EL1, 3, 0, 4, 0, 0, 64, spsr, BIT_4, spsr_aarch32, "", "saved state of EL1")             \
    X(ELR_EL1, 3, 0, 4, 0, 1, 64, value64, NEVER, value64, "", "return address of EL1")             \
    X(SP_EL0, 3, 0, 4, 1, 0, 64, value64, NEVER, value64, "", "stack pointer of EL0")               \
    X(AFSR0_EL1, 3, 0, 5, 1, 0, 64, value64, NEVER, value64,                                        \
      FH_ARM_TRAP_VM, "auxiliary fault status 0")                                                   \
    X(AFSR1_EL1, 3, 0, 5, 1, 1, 64, value64, NEVER, value64,                                        \
      FH_ARM_TRAP_VM, "auxiliary fault status 1")                                                   \
    X(ESR_EL1, 3, 0, 5, 2, 0, 64, esr, SYNDROME, esr, FH_ARM_TRAP_VM, "syndrome of EL1")            \
    X(FAR_EL1, 3, 0, 6, 0, 0, 64, value64, NEVER, value64, FH_ARM_TRAP_VM, "fault address of EL1")  \
    X(PAR_EL1, 3, 0, 7, 4, 0, 64, par_el1, BIT_0, par_el1_fault,                                    \
      "", "result of an address translation")                                                       \
    X(MAIR_EL1, 3, 0, 10, 2, 0, 64, mair_el1, NEVER, mair_el1,                                      \
      FH_ARM_TRAP_VM, "memory types of stage 1")                                                    \
    X(AMAIR_EL1, 3, 0, 10, 3, 0, 64, value64, NEVER, value64,                                       \
      FH_ARM_TRAP_VM, "auxiliary memory types")                                                     \
    X(VBAR_EL1, 3, 0, 12, 0, 0, 64, value64, NEVER, value64, "", "vectors of EL1")                  \
    X(CONTEXTIDR_EL1, 3, 0, 13, 0, 1, 64, contextidr_el1, NEVER, contextidr_el1,                    \
      FH_ARM_TRAP_VM, "process for debug and trace")                                                \
    X(TPIDR_EL1, 3, 0, 13, 0, 4, 64, value64, NEVER, value64, "", "thread pointer of EL1")          \
    X(CNTKCTL_EL1, 3, 0, 14, 1, 0, 64, cntkctl_el1, NEVER, cntkctl_el1, "", "timers of EL0")        \
    X(MPIDR_EL1, 3, 0, 0, 0, 5, 64, mpidr, NEVER, mpidr,                                            \
      "", "number of the PE (reads give VMPIDR_EL2)")                                               \
    X(ID_AA64PFR0_EL1, 3, 0, 0, 4, 0, 64, id_aa64pfr0_el1, NEVER, id_aa64pfr0_el1,                  \
      "HCR_EL2.TID3", "processor features 0")                                                       \
    X(ID_AA64MMFR0_EL1, 3, 0, 0, 7, 0, 64, id_aa64mmfr0_el1, NEVER, id_aa64mmfr0_el1,               \
      "HCR_EL2.TID3", "memory model features 0")                                                    \
    X(ID_AA64MMFR1_EL1, 3, 0, 0, 7, 1, 64, id_aa64mmfr1_el1, NEVER, id_aa64mmfr1_el1,               \
      "HCR_EL2.TID3", "memory model features 1")                                                    \
    X(ID_AA64MMFR2_EL1, 3, 0, 0, 7, 2, 64, id_aa64mmfr2_el1, NEVER, id_aa64mmfr2_el1,               \
      "HCR_EL2.TID3", "memory model features 2")                                                    \
    X(CSSELR_EL1, 3, 2, 0, 0, 0, 64, csselr_el1, NEVER, csselr_el1,                                 \
      "HCR_EL2.TID2, HCR_EL2.TID4", "cache that is looked at")                                      \
    X(MDCCINT_EL1, 2, 0, 0, 2, 0, 64, mdccint_el1, NEVER, mdccint_el1,                              \
      "MDCR_EL2.TDA, MDCR_EL2.TDCC", "debug channel interrupts")                                    \
    X(MDSCR_EL1, 2, 0, 0, 2, 2, 64, mdscr_el1, NEVER, mdscr_el1, "MDCR_EL2.TDA", "debug control")   \
    X(FPCR, 3, 3, 4, 4, 0, 64, fpcr, NEVER, fpcr, "CPTR_EL2.TFP", "floating-point control")         \
    X(FPSR, 3, 3, 4, 4, 1, 64, fpsr, NEVER, fpsr, "CPTR_EL2.TFP", "floating-point status")          \
    X(PMSELR_EL0, 3, 3, 9, 12, 5, 64, pmselr_el0, NEVER, pmselr_el0,                                \
      "MDCR_EL2.TPM", "counter that is looked at")                                                  \
    X(PMUSERENR_EL0, 3, 3, 9, 14, 0, 64, pmuserenr_el0, NEVER, pmuserenr_el0,                       \
      "MDCR_EL2.TPM", "counters for EL0")                                                           \
    X(TPIDR_EL0, 3, 3, 13, 0, 2, 64, value64, NEVER, value64, "", "thread pointer of EL0")          \
    X(TPIDRRO_EL0, 3, 3, 13, 0, 3, 64, value64, NEVER, value64,                                     \
      "", "thread pointer of EL0, read-only")                                                       \
    X(VMPIDR_EL2, 3, 4, 0, 0, 5, 64, mpidr, NEVER, mpidr, "", "MPIDR_EL1 as EL1 reads it")          \
    X(HCR_EL2, 3, 4, 1, 1, 0, 64, hcr_el2, NEVER, hcr_el2, "", "what EL2 takes and translates")     \
    X(MDCR_EL2, 3, 4, 1, 1, 1, 64, mdcr_el2, NEVER, mdcr_el2,                                       \
      "", "debug and counters that EL2 takes")                                                      \
    X(CPTR_EL2, 3, 4, 1, 1, 2, 64, cptr_el2, E2H, cptr_el2_e2h, "", "coprocessors that EL2 takes")  \
    X(VTTBR_EL2, 3, 4, 2, 1, 0, 64, vttbr_el2, NEVER, vttbr_el2,                                    \
      "", "root of stage 2, and the VM")                                                            \
    X(VTCR_EL2, 3, 4, 2, 1, 2, 64, vtcr_el2, NEVER, vtcr_el2, "", "control of stage 2")             \
    X(SPSR_EL2, 3, 4, 4, 0, 0, 64, spsr, BIT_4, spsr_aarch32, "", "saved state of EL2")             \
    X(ELR_EL2, 3, 4, 4, 0, 1, 64, value64, NEVER, value64, "", "return address of EL2")             \
    X(SP_EL1, 3, 4, 4, 1, 0, 64, value64, NEVER, value64, "", "stack pointer of EL1")               \
    X(ESR_EL2, 3, 4, 5, 2, 0, 64, esr, SYNDROME, esr, "", "syndrome of EL2")                        \
    X(FAR_EL2, 3, 4, 6, 0, 0, 64, value64, NEVER, value64, "", "fault address of EL2, virtual")     \
    X(HPFAR_EL2, 3, 4, 6, 0, 4, 64, hpfar_el2, NEVER, hpfar_el2, "", "faulting IPA")                \
    X(TPIDR_EL2, 3, 4, 13, 0, 2, 64, value64, NEVER, value64, "", "thread pointer of EL2")          \
    X(CNTHCTL_EL2, 3, 4, 14, 1, 0, 64, cnthctl_el2, E2H, cnthctl_el2_e2h,                           \
      "", "timers that EL2 takes")

/* Registers of which only the name is known here: X(name, op0, op1, CRn, CRm, op2, taken by). */
#define FH_ARM_NAME_MAP(X)                                                                          \
    X(MIDR_EL1, 3, 0, 0, 0, 0, "")                                                                  \
    X(REVIDR_EL1, 3, 0, 0, 0, 6, "HCR_EL2.TID1")                                                    \
    X(ID_PFR0_EL1, 3, 0, 0, 1, 0, "HCR_EL2.TID3")                                                   \
    X(ID_PFR1_EL1, 3, 0, 0, 1, 1, "HCR_EL2.TID3")                                                   \
    X(ID_DFR0_EL1, 3, 0, 0, 1, 2, "HCR_EL2.TID3")                                                   \
    X(ID_AFR0_EL1, 3, 0, 0, 1, 3, "HCR_EL2.TID3")                                                   \
    X(ID_MMFR0_EL1, 3, 0, 0, 1, 4, "HCR_EL2.TID3")                                                  \
    X(ID_MMFR1_EL1, 3, 0, 0, 1, 5, "HCR_EL2.TID3")                                                  \
    X(ID_MMFR2_EL1, 3, 0, 0, 1, 6, "HCR_EL2.TID3")                                                  \
    X(ID_MMFR3_EL1, 3, 0, 0, 1, 7, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR0_EL1, 3, 0, 0, 2, 0, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR1_EL1, 3, 0, 0, 2, 1, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR2_EL1, 3, 0, 0, 2, 2, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR3_EL1, 3, 0, 0, 2, 3, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR4_EL1, 3, 0, 0, 2, 4, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR5_EL1, 3, 0, 0, 2, 5, "HCR_EL2.TID3")                                                  \
    X(ID_MMFR4_EL1, 3, 0, 0, 2, 6, "HCR_EL2.TID3")                                                  \
    X(ID_ISAR6_EL1, 3, 0, 0, 2, 7, "HCR_EL2.TID3")                                                  \
    X(MVFR0_EL1, 3, 0, 0, 3, 0, "HCR_EL2.TID3")                                                     \
    X(MVFR1_EL1, 3, 0, 0, 3, 1, "HCR_EL2.TID3")                                                     \
    X(MVFR2_EL1, 3, 0, 0, 3, 2, "HCR_EL2.TID3")                                                     \
    X(ID_PFR2_EL1, 3, 0, 0, 3, 4, "HCR_EL2.TID3")                                                   \
    X(ID_DFR1_EL1, 3, 0, 0, 3, 5, "HCR_EL2.TID3")                                                   \
    X(ID_MMFR5_EL1, 3, 0, 0, 3, 6, "HCR_EL2.TID3")                                                  \
    X(ID_AA64PFR1_EL1, 3, 0, 0, 4, 1, "HCR_EL2.TID3")                                               \
    X(ID_AA64PFR2_EL1, 3, 0, 0, 4, 2, "HCR_EL2.TID3")                                               \
    X(ID_AA64ZFR0_EL1, 3, 0, 0, 4, 4, "HCR_EL2.TID3")                                               \
    X(ID_AA64SMFR0_EL1, 3, 0, 0, 4, 5, "HCR_EL2.TID3")                                              \
    X(ID_AA64FPFR0_EL1, 3, 0, 0, 4, 7, "HCR_EL2.TID3")                                              \
    X(ID_AA64DFR0_EL1, 3, 0, 0, 5, 0, "HCR_EL2.TID3")                                               \
    X(ID_AA64DFR1_EL1, 3, 0, 0, 5, 1, "HCR_EL2.TID3")                                               \
    X(ID_AA64AFR0_EL1, 3, 0, 0, 5, 4, "HCR_EL2.TID3")                                               \
    X(ID_AA64AFR1_EL1, 3, 0, 0, 5, 5, "HCR_EL2.TID3")                                               \
    X(ID_AA64ISAR0_EL1, 3, 0, 0, 6, 0, "HCR_EL2.TID3")                                              \
    X(ID_AA64ISAR1_EL1, 3, 0, 0, 6, 1, "HCR_EL2.TID3")                                              \
    X(ID_AA64ISAR2_EL1, 3, 0, 0, 6, 2, "HCR_EL2.TID3")                                              \
    X(ID_AA64ISAR3_EL1, 3, 0, 0, 6, 3, "HCR_EL2.TID3")                                              \
    X(ID_AA64MMFR3_EL1, 3, 0, 0, 7, 3, "HCR_EL2.TID3")                                              \
    X(ID_AA64MMFR4_EL1, 3, 0, 0, 7, 4, "HCR_EL2.TID3")                                              \
    X(RGSR_EL1, 3, 0, 1, 0, 5, "")                                                                  \
    X(GCR_EL1, 3, 0, 1, 0, 6, "")                                                                   \
    X(ZCR_EL1, 3, 0, 1, 2, 0, "CPTR_EL2.TZ")                                                        \
    X(TRFCR_EL1, 3, 0, 1, 2, 1, "MDCR_EL2.TTRF")                                                    \
    X(SMCR_EL1, 3, 0, 1, 2, 6, "CPTR_EL2.TSM")                                                      \
    X(TCR2_EL1, 3, 0, 2, 0, 3, FH_ARM_TRAP_VM)                                                      \
    X(APIAKeyLo_EL1, 3, 0, 2, 1, 0, "HCR_EL2.APK=0")                                                \
    X(APIAKeyHi_EL1, 3, 0, 2, 1, 1, "HCR_EL2.APK=0")                                                \
    X(APIBKeyLo_EL1, 3, 0, 2, 1, 2, "HCR_EL2.APK=0")                                                \
    X(APIBKeyHi_EL1, 3, 0, 2, 1, 3, "HCR_EL2.APK=0")                                                \
    X(APDAKeyLo_EL1, 3, 0, 2, 2, 0, "HCR_EL2.APK=0")                                                \
    X(APDAKeyHi_EL1, 3, 0, 2, 2, 1, "HCR_EL2.APK=0")                                                \
    X(APDBKeyLo_EL1, 3, 0, 2, 2, 2, "HCR_EL2.APK=0")                                                \
    X(APDBKeyHi_EL1, 3, 0, 2, 2, 3, "HCR_EL2.APK=0")                                                \
    X(APGAKeyLo_EL1, 3, 0, 2, 3, 0, "HCR_EL2.APK=0")                                                \
    X(APGAKeyHi_EL1, 3, 0, 2, 3, 1, "HCR_EL2.APK=0")                                                \
    X(SPSel, 3, 0, 4, 2, 0, "")                                                                     \
    X(CurrentEL, 3, 0, 4, 2, 2, "")                                                                 \
    X(PAN, 3, 0, 4, 2, 3, "")                                                                       \
    X(UAO, 3, 0, 4, 2, 4, "")                                                                       \
    X(ICC_PMR_EL1, 3, 0, 4, 6, 0, "")                                                               \
    X(ERRIDR_EL1, 3, 0, 5, 3, 0, "HCR_EL2.TERR")                                                    \
    X(ERRSELR_EL1, 3, 0, 5, 3, 1, "HCR_EL2.TERR")                                                   \
    X(ERXFR_EL1, 3, 0, 5, 4, 0, "HCR_EL2.TERR")                                                     \
    X(ERXCTLR_EL1, 3, 0, 5, 4, 1, "HCR_EL2.TERR")                                                   \
    X(ERXSTATUS_EL1, 3, 0, 5, 4, 2, "HCR_EL2.TERR")                                                 \
    X(ERXADDR_EL1, 3, 0, 5, 4, 3, "HCR_EL2.TERR")                                                   \
    X(ERXMISC0_EL1, 3, 0, 5, 5, 0, "HCR_EL2.TERR")                                                  \
    X(ERXMISC1_EL1, 3, 0, 5, 5, 1, "HCR_EL2.TERR")                                                  \
    X(TFSR_EL1, 3, 0, 5, 6, 0, "")                                                                  \
    X(TFSRE0_EL1, 3, 0, 5, 6, 1, "")                                                                \
    X(PFAR_EL1, 3, 0, 6, 0, 5, "")                                                                  \
    X(PMSCR_EL1, 3, 0, 9, 9, 0, "MDCR_EL2.TPMS")                                                    \
    X(PMSICR_EL1, 3, 0, 9, 9, 2, "MDCR_EL2.TPMS")                                                   \
    X(PMSIRR_EL1, 3, 0, 9, 9, 3, "MDCR_EL2.TPMS")                                                   \
    X(PMSFCR_EL1, 3, 0, 9, 9, 4, "MDCR_EL2.TPMS")                                                   \
    X(PMSEVFR_EL1, 3, 0, 9, 9, 5, "MDCR_EL2.TPMS")                                                  \
    X(PMSLATFR_EL1, 3, 0, 9, 9, 6, "MDCR_EL2.TPMS")                                                 \
    X(PMSIDR_EL1, 3, 0, 9, 9, 7, "MDCR_EL2.TPMS")                                                   \
    X(PMBLIMITR_EL1, 3, 0, 9, 10, 0, "MDCR_EL2.E2PB")                                               \
    X(PMBPTR_EL1, 3, 0, 9, 10, 1, "MDCR_EL2.E2PB")                                                  \
    X(PMBSR_EL1, 3, 0, 9, 10, 3, "MDCR_EL2.E2PB")                                                   \
    X(PMINTENSET_EL1, 3, 0, 9, 14, 1, "MDCR_EL2.TPM")                                               \
    X(PMINTENCLR_EL1, 3, 0, 9, 14, 2, "MDCR_EL2.TPM")                                               \
    X(PMMIR_EL1, 3, 0, 9, 14, 6, "MDCR_EL2.TPM")                                                    \
    X(LORSA_EL1, 3, 0, 10, 4, 0, "HCR_EL2.TLOR")                                                    \
    X(LOREA_EL1, 3, 0, 10, 4, 1, "HCR_EL2.TLOR")                                                    \
    X(LORN_EL1, 3, 0, 10, 4, 2, "HCR_EL2.TLOR")                                                     \
    X(LORC_EL1, 3, 0, 10, 4, 3, "HCR_EL2.TLOR")                                                     \
    X(LORID_EL1, 3, 0, 10, 4, 7, "HCR_EL2.TLOR")                                                    \
    X(ISR_EL1, 3, 0, 12, 1, 0, "")                                                                  \
    X(DISR_EL1, 3, 0, 12, 1, 1, "HCR_EL2.AMO")                                                      \
    X(ICC_IAR0_EL1, 3, 0, 12, 8, 0, "")                                                             \
    X(ICC_EOIR0_EL1, 3, 0, 12, 8, 1, "")                                                            \
    X(ICC_HPPIR0_EL1, 3, 0, 12, 8, 2, "")                                                           \
    X(ICC_BPR0_EL1, 3, 0, 12, 8, 3, "")                                                             \
    X(ICC_AP0R0_EL1, 3, 0, 12, 8, 4, "")                                                            \
    X(ICC_AP1R0_EL1, 3, 0, 12, 9, 0, "")                                                            \
    X(ICC_DIR_EL1, 3, 0, 12, 11, 1, "")                                                             \
    X(ICC_RPR_EL1, 3, 0, 12, 11, 3, "")                                                             \
    X(ICC_SGI1R_EL1, 3, 0, 12, 11, 5, "HCR_EL2.IMO, HCR_EL2.FMO")                                   \
    X(ICC_ASGI1R_EL1, 3, 0, 12, 11, 6, "HCR_EL2.IMO, HCR_EL2.FMO")                                  \
    X(ICC_SGI0R_EL1, 3, 0, 12, 11, 7, "HCR_EL2.IMO, HCR_EL2.FMO")                                   \
    X(ICC_IAR1_EL1, 3, 0, 12, 12, 0, "")                                                            \
    X(ICC_EOIR1_EL1, 3, 0, 12, 12, 1, "")                                                           \
    X(ICC_HPPIR1_EL1, 3, 0, 12, 12, 2, "")                                                          \
    X(ICC_BPR1_EL1, 3, 0, 12, 12, 3, "")                                                            \
    X(ICC_CTLR_EL1, 3, 0, 12, 12, 4, "")                                                            \
    X(ICC_SRE_EL1, 3, 0, 12, 12, 5, "ICC_SRE_EL2.Enable=0")                                         \
    X(ICC_IGRPEN0_EL1, 3, 0, 12, 12, 6, "")                                                         \
    X(ICC_IGRPEN1_EL1, 3, 0, 12, 12, 7, "")                                                         \
    X(RCWMASK_EL1, 3, 0, 13, 0, 6, "")                                                              \
    X(SCXTNUM_EL1, 3, 0, 13, 0, 7, "HCR_EL2.EnSCXT=0")                                              \
    X(CCSIDR_EL1, 3, 1, 0, 0, 0, "HCR_EL2.TID2, HCR_EL2.TID4")                                      \
    X(CLIDR_EL1, 3, 1, 0, 0, 1, "HCR_EL2.TID2, HCR_EL2.TID4")                                       \
    X(CCSIDR2_EL1, 3, 1, 0, 0, 2, "HCR_EL2.TID2, HCR_EL2.TID4")                                     \
    X(GMID_EL1, 3, 1, 0, 0, 4, "HCR_EL2.TID5")                                                      \
    X(SMIDR_EL1, 3, 1, 0, 0, 6, "HCR_EL2.TID1")                                                     \
    X(AIDR_EL1, 3, 1, 0, 0, 7, "HCR_EL2.TID1")                                                      \
    X(CTR_EL0, 3, 3, 0, 0, 1, "HCR_EL2.TID2")                                                       \
    X(DCZID_EL0, 3, 3, 0, 0, 7, "")                                                                 \
    X(RNDR, 3, 3, 2, 4, 0, "")                                                                      \
    X(RNDRRS, 3, 3, 2, 4, 1, "")                                                                    \
    X(NZCV, 3, 3, 4, 2, 0, "")                                                                      \
    X(DAIF, 3, 3, 4, 2, 1, "")                                                                      \
    X(SVCR, 3, 3, 4, 2, 2, "")                                                                      \
    X(DIT, 3, 3, 4, 2, 5, "")                                                                       \
    X(SSBS, 3, 3, 4, 2, 6, "")                                                                      \
    X(TCO, 3, 3, 4, 2, 7, "")                                                                       \
    X(DSPSR_EL0, 3, 3, 4, 5, 0, "")                                                                 \
    X(DLR_EL0, 3, 3, 4, 5, 1, "")                                                                   \
    X(PMCR_EL0, 3, 3, 9, 12, 0, "MDCR_EL2.TPMCR, MDCR_EL2.TPM")                                     \
    X(PMCNTENSET_EL0, 3, 3, 9, 12, 1, "MDCR_EL2.TPM")                                               \
    X(PMCNTENCLR_EL0, 3, 3, 9, 12, 2, "MDCR_EL2.TPM")                                               \
    X(PMOVSCLR_EL0, 3, 3, 9, 12, 3, "MDCR_EL2.TPM")                                                 \
    X(PMSWINC_EL0, 3, 3, 9, 12, 4, "MDCR_EL2.TPM")                                                  \
    X(PMCEID0_EL0, 3, 3, 9, 12, 6, "MDCR_EL2.TPM")                                                  \
    X(PMCEID1_EL0, 3, 3, 9, 12, 7, "MDCR_EL2.TPM")                                                  \
    X(PMCCNTR_EL0, 3, 3, 9, 13, 0, "MDCR_EL2.TPM")                                                  \
    X(PMXEVTYPER_EL0, 3, 3, 9, 13, 1, "MDCR_EL2.TPM")                                               \
    X(PMXEVCNTR_EL0, 3, 3, 9, 13, 2, "MDCR_EL2.TPM")                                                \
    X(PMOVSSET_EL0, 3, 3, 9, 14, 3, "MDCR_EL2.TPM")                                                 \
    X(PMCCFILTR_EL0, 3, 3, 14, 15, 7, "MDCR_EL2.TPM")                                               \
    X(POR_EL0, 3, 3, 10, 2, 4, "")                                                                  \
    X(TPIDR2_EL0, 3, 3, 13, 0, 5, "")                                                               \
    X(SCXTNUM_EL0, 3, 3, 13, 0, 7, "HCR_EL2.EnSCXT=0")                                              \
    X(CNTFRQ_EL0, 3, 3, 14, 0, 0, "")                                                               \
    X(CNTPCT_EL0, 3, 3, 14, 0, 1, "CNTHCTL_EL2.EL1PCTEN=0")                                         \
    X(CNTVCT_EL0, 3, 3, 14, 0, 2, "CNTHCTL_EL2.EL1TVCT")                                            \
    X(CNTPCTSS_EL0, 3, 3, 14, 0, 5, "CNTHCTL_EL2.EL1PCTEN=0")                                       \
    X(CNTVCTSS_EL0, 3, 3, 14, 0, 6, "CNTHCTL_EL2.EL1TVCT")                                          \
    X(CNTP_TVAL_EL0, 3, 3, 14, 2, 0, "CNTHCTL_EL2.EL1PCEN=0")                                       \
    X(CNTP_CTL_EL0, 3, 3, 14, 2, 1, "CNTHCTL_EL2.EL1PCEN=0")                                        \
    X(CNTP_CVAL_EL0, 3, 3, 14, 2, 2, "CNTHCTL_EL2.EL1PCEN=0")                                       \
    X(CNTV_TVAL_EL0, 3, 3, 14, 3, 0, "CNTHCTL_EL2.EL1TVT")                                          \
    X(CNTV_CTL_EL0, 3, 3, 14, 3, 1, "CNTHCTL_EL2.EL1TVT")                                           \
    X(CNTV_CVAL_EL0, 3, 3, 14, 3, 2, "CNTHCTL_EL2.EL1TVT")                                          \
    X(VPIDR_EL2, 3, 4, 0, 0, 0, "")                                                                 \
    X(SCTLR_EL2, 3, 4, 1, 0, 0, "")                                                                 \
    X(ACTLR_EL2, 3, 4, 1, 0, 1, "")                                                                 \
    X(HFGRTR_EL2, 3, 4, 1, 1, 4, "")                                                                \
    X(HFGWTR_EL2, 3, 4, 1, 1, 5, "")                                                                \
    X(HFGITR_EL2, 3, 4, 1, 1, 6, "")                                                                \
    X(HACR_EL2, 3, 4, 1, 1, 7, "")                                                                  \
    X(ZCR_EL2, 3, 4, 1, 2, 0, "")                                                                   \
    X(HCRX_EL2, 3, 4, 1, 2, 2, "")                                                                  \
    X(TTBR0_EL2, 3, 4, 2, 0, 0, "")                                                                 \
    X(TTBR1_EL2, 3, 4, 2, 0, 1, "")                                                                 \
    X(TCR_EL2, 3, 4, 2, 0, 2, "")                                                                   \
    X(VNCR_EL2, 3, 4, 2, 2, 0, "")                                                                  \
    X(DACR32_EL2, 3, 4, 3, 0, 0, "")                                                                \
    X(AFSR0_EL2, 3, 4, 5, 1, 0, "")                                                                 \
    X(AFSR1_EL2, 3, 4, 5, 1, 1, "")                                                                 \
    X(FPEXC32_EL2, 3, 4, 5, 3, 0, "CPTR_EL2.TFP")                                                   \
    X(IFSR32_EL2, 3, 4, 5, 0, 1, "")                                                                \
    X(VSESR_EL2, 3, 4, 5, 2, 3, "")                                                                 \
    X(PFAR_EL2, 3, 4, 6, 0, 5, "")                                                                  \
    X(MAIR_EL2, 3, 4, 10, 2, 0, "")                                                                 \
    X(AMAIR_EL2, 3, 4, 10, 3, 0, "")                                                                \
    X(VBAR_EL2, 3, 4, 12, 0, 0, "")                                                                 \
    X(VDISR_EL2, 3, 4, 12, 1, 1, "")                                                                \
    X(ICH_HCR_EL2, 3, 4, 12, 11, 0, "")                                                             \
    X(ICH_VTR_EL2, 3, 4, 12, 11, 1, "")                                                             \
    X(ICH_MISR_EL2, 3, 4, 12, 11, 2, "")                                                            \
    X(ICH_VMCR_EL2, 3, 4, 12, 11, 7, "")                                                            \
    X(CONTEXTIDR_EL2, 3, 4, 13, 0, 1, "")                                                           \
    X(CNTVOFF_EL2, 3, 4, 14, 0, 3, "")                                                              \
    X(CNTHP_TVAL_EL2, 3, 4, 14, 2, 0, "")                                                           \
    X(CNTHP_CTL_EL2, 3, 4, 14, 2, 1, "")                                                            \
    X(CNTHP_CVAL_EL2, 3, 4, 14, 2, 2, "")                                                           \
    X(CNTHV_CTL_EL2, 3, 4, 14, 3, 1, "")                                                            \
    X(CNTHV_CVAL_EL2, 3, 4, 14, 3, 2, "")                                                           \
    X(SCTLR_EL12, 3, 5, 1, 0, 0, "")                                                                \
    X(CPACR_EL12, 3, 5, 1, 0, 2, "")                                                                \
    X(TTBR0_EL12, 3, 5, 2, 0, 0, "")                                                                \
    X(TTBR1_EL12, 3, 5, 2, 0, 1, "")                                                                \
    X(TCR_EL12, 3, 5, 2, 0, 2, "")                                                                  \
    X(SPSR_EL12, 3, 5, 4, 0, 0, "")                                                                 \
    X(ELR_EL12, 3, 5, 4, 0, 1, "")                                                                  \
    X(AFSR0_EL12, 3, 5, 5, 1, 0, "")                                                                \
    X(AFSR1_EL12, 3, 5, 5, 1, 1, "")                                                                \
    X(ESR_EL12, 3, 5, 5, 2, 0, "")                                                                  \
    X(FAR_EL12, 3, 5, 6, 0, 0, "")                                                                  \
    X(MAIR_EL12, 3, 5, 10, 2, 0, "")                                                                \
    X(AMAIR_EL12, 3, 5, 10, 3, 0, "")                                                               \
    X(VBAR_EL12, 3, 5, 12, 0, 0, "")                                                                \
    X(CONTEXTIDR_EL12, 3, 5, 13, 0, 1, "")                                                          \
    X(CNTKCTL_EL12, 3, 5, 14, 1, 0, "")                                                             \
    X(CNTP_TVAL_EL02, 3, 5, 14, 2, 0, "")                                                           \
    X(CNTP_CTL_EL02, 3, 5, 14, 2, 1, "")                                                            \
    X(CNTP_CVAL_EL02, 3, 5, 14, 2, 2, "")                                                           \
    X(CNTV_TVAL_EL02, 3, 5, 14, 3, 0, "")                                                           \
    X(CNTV_CTL_EL02, 3, 5, 14, 3, 1, "")                                                            \
    X(CNTV_CVAL_EL02, 3, 5, 14, 3, 2, "")                                                           \
    X(OSDTRRX_EL1, 2, 0, 0, 0, 2, "MDCR_EL2.TDA")                                                   \
    X(OSDTRTX_EL1, 2, 0, 0, 3, 2, "MDCR_EL2.TDA")                                                   \
    X(OSECCR_EL1, 2, 0, 0, 6, 2, "MDCR_EL2.TDA")                                                    \
    X(MDRAR_EL1, 2, 0, 1, 0, 0, "MDCR_EL2.TDRA")                                                    \
    X(OSLAR_EL1, 2, 0, 1, 0, 4, "MDCR_EL2.TDOSA")                                                   \
    X(OSLSR_EL1, 2, 0, 1, 1, 4, "MDCR_EL2.TDOSA")                                                   \
    X(OSDLR_EL1, 2, 0, 1, 3, 4, "MDCR_EL2.TDOSA")                                                   \
    X(DBGPRCR_EL1, 2, 0, 1, 4, 4, "MDCR_EL2.TDOSA")                                                 \
    X(DBGCLAIMSET_EL1, 2, 0, 7, 8, 6, "MDCR_EL2.TDA")                                               \
    X(DBGCLAIMCLR_EL1, 2, 0, 7, 9, 6, "MDCR_EL2.TDA")                                               \
    X(DBGAUTHSTATUS_EL1, 2, 0, 7, 14, 6, "MDCR_EL2.TDA")                                            \
    X(MDCCSR_EL0, 2, 3, 0, 1, 0, "MDCR_EL2.TDA")                                                    \
    X(DBGDTR_EL0, 2, 3, 0, 4, 0, "MDCR_EL2.TDA")                                                    \
    X(DBGDTRRX_EL0, 2, 3, 0, 5, 0, "MDCR_EL2.TDA")                                                  \
    X(PMBIDR_EL1, 3, 0, 9, 10, 7, "MDCR_EL2.E2PB")                                                  \
    X(PMSCR_EL2, 3, 4, 9, 9, 0, "")                                                                 \
    X(ICH_VSEIR_EL2, 3, 4, 12, 9, 4, "")                                                            \
    X(ICC_SRE_EL2, 3, 4, 12, 9, 5, "")                                                              \
    X(ICH_EISR_EL2, 3, 4, 12, 11, 3, "")                                                            \
    X(ICH_ELSR_EL2, 3, 4, 12, 11, 5, "")                                                            \
    X(SMPRI_EL1, 3, 0, 1, 2, 4, "")                                                                 \
    X(ALLINT, 3, 0, 4, 3, 0, "")                                                                    \
    X(PMSNEVFR_EL1, 3, 0, 9, 9, 1, "MDCR_EL2.TPMS")                                                 \
    X(ICC_NMIAR1_EL1, 3, 0, 12, 9, 5, "")                                                           \
    X(SMPRIMAP_EL2, 3, 4, 1, 2, 5, "")                                                              \
    X(SMCR_EL2, 3, 4, 1, 2, 6, "")                                                                  \
    X(CNTPOFF_EL2, 3, 4, 14, 0, 6, "")                                                              \
    X(ZCR_EL12, 3, 5, 1, 2, 0, "")                                                                  \
    X(SMCR_EL12, 3, 5, 1, 2, 6, "")                                                                 \
    X(DBGVCR32_EL2, 2, 4, 0, 7, 0, "MDCR_EL2.TDA")                                                  \
    X(DBGBVR0_EL1, 2, 0, 0, 0, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR0_EL1, 2, 0, 0, 0, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR0_EL1, 2, 0, 0, 0, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR0_EL1, 2, 0, 0, 0, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR1_EL1, 2, 0, 0, 1, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR1_EL1, 2, 0, 0, 1, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR1_EL1, 2, 0, 0, 1, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR1_EL1, 2, 0, 0, 1, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR2_EL1, 2, 0, 0, 2, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR2_EL1, 2, 0, 0, 2, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR2_EL1, 2, 0, 0, 2, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR2_EL1, 2, 0, 0, 2, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR3_EL1, 2, 0, 0, 3, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR3_EL1, 2, 0, 0, 3, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR3_EL1, 2, 0, 0, 3, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR3_EL1, 2, 0, 0, 3, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR4_EL1, 2, 0, 0, 4, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR4_EL1, 2, 0, 0, 4, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR4_EL1, 2, 0, 0, 4, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR4_EL1, 2, 0, 0, 4, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR5_EL1, 2, 0, 0, 5, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR5_EL1, 2, 0, 0, 5, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR5_EL1, 2, 0, 0, 5, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR5_EL1, 2, 0, 0, 5, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR6_EL1, 2, 0, 0, 6, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR6_EL1, 2, 0, 0, 6, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR6_EL1, 2, 0, 0, 6, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR6_EL1, 2, 0, 0, 6, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR7_EL1, 2, 0, 0, 7, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR7_EL1, 2, 0, 0, 7, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR7_EL1, 2, 0, 0, 7, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR7_EL1, 2, 0, 0, 7, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR8_EL1, 2, 0, 0, 8, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR8_EL1, 2, 0, 0, 8, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR8_EL1, 2, 0, 0, 8, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR8_EL1, 2, 0, 0, 8, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR9_EL1, 2, 0, 0, 9, 4, "MDCR_EL2.TDA")                                                   \
    X(DBGBCR9_EL1, 2, 0, 0, 9, 5, "MDCR_EL2.TDA")                                                   \
    X(DBGWVR9_EL1, 2, 0, 0, 9, 6, "MDCR_EL2.TDA")                                                   \
    X(DBGWCR9_EL1, 2, 0, 0, 9, 7, "MDCR_EL2.TDA")                                                   \
    X(DBGBVR10_EL1, 2, 0, 0, 10, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR10_EL1, 2, 0, 0, 10, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR10_EL1, 2, 0, 0, 10, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR10_EL1, 2, 0, 0, 10, 7, "MDCR_EL2.TDA")                                                 \
    X(DBGBVR11_EL1, 2, 0, 0, 11, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR11_EL1, 2, 0, 0, 11, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR11_EL1, 2, 0, 0, 11, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR11_EL1, 2, 0, 0, 11, 7, "MDCR_EL2.TDA")                                                 \
    X(DBGBVR12_EL1, 2, 0, 0, 12, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR12_EL1, 2, 0, 0, 12, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR12_EL1, 2, 0, 0, 12, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR12_EL1, 2, 0, 0, 12, 7, "MDCR_EL2.TDA")                                                 \
    X(DBGBVR13_EL1, 2, 0, 0, 13, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR13_EL1, 2, 0, 0, 13, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR13_EL1, 2, 0, 0, 13, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR13_EL1, 2, 0, 0, 13, 7, "MDCR_EL2.TDA")                                                 \
    X(DBGBVR14_EL1, 2, 0, 0, 14, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR14_EL1, 2, 0, 0, 14, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR14_EL1, 2, 0, 0, 14, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR14_EL1, 2, 0, 0, 14, 7, "MDCR_EL2.TDA")                                                 \
    X(DBGBVR15_EL1, 2, 0, 0, 15, 4, "MDCR_EL2.TDA")                                                 \
    X(DBGBCR15_EL1, 2, 0, 0, 15, 5, "MDCR_EL2.TDA")                                                 \
    X(DBGWVR15_EL1, 2, 0, 0, 15, 6, "MDCR_EL2.TDA")                                                 \
    X(DBGWCR15_EL1, 2, 0, 0, 15, 7, "MDCR_EL2.TDA")                                                 \
    X(PMEVCNTR0_EL0, 3, 3, 14, 8, 0, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER0_EL0, 3, 3, 14, 12, 0, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR1_EL0, 3, 3, 14, 8, 1, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER1_EL0, 3, 3, 14, 12, 1, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR2_EL0, 3, 3, 14, 8, 2, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER2_EL0, 3, 3, 14, 12, 2, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR3_EL0, 3, 3, 14, 8, 3, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER3_EL0, 3, 3, 14, 12, 3, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR4_EL0, 3, 3, 14, 8, 4, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER4_EL0, 3, 3, 14, 12, 4, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR5_EL0, 3, 3, 14, 8, 5, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER5_EL0, 3, 3, 14, 12, 5, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR6_EL0, 3, 3, 14, 8, 6, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER6_EL0, 3, 3, 14, 12, 6, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR7_EL0, 3, 3, 14, 8, 7, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER7_EL0, 3, 3, 14, 12, 7, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR8_EL0, 3, 3, 14, 9, 0, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER8_EL0, 3, 3, 14, 13, 0, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR9_EL0, 3, 3, 14, 9, 1, "MDCR_EL2.TPM")                                                \
    X(PMEVTYPER9_EL0, 3, 3, 14, 13, 1, "MDCR_EL2.TPM")                                              \
    X(PMEVCNTR10_EL0, 3, 3, 14, 9, 2, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER10_EL0, 3, 3, 14, 13, 2, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR11_EL0, 3, 3, 14, 9, 3, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER11_EL0, 3, 3, 14, 13, 3, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR12_EL0, 3, 3, 14, 9, 4, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER12_EL0, 3, 3, 14, 13, 4, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR13_EL0, 3, 3, 14, 9, 5, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER13_EL0, 3, 3, 14, 13, 5, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR14_EL0, 3, 3, 14, 9, 6, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER14_EL0, 3, 3, 14, 13, 6, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR15_EL0, 3, 3, 14, 9, 7, "MDCR_EL2.TPM")                                               \
    X(PMEVTYPER15_EL0, 3, 3, 14, 13, 7, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR16_EL0, 3, 3, 14, 10, 0, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER16_EL0, 3, 3, 14, 14, 0, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR17_EL0, 3, 3, 14, 10, 1, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER17_EL0, 3, 3, 14, 14, 1, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR18_EL0, 3, 3, 14, 10, 2, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER18_EL0, 3, 3, 14, 14, 2, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR19_EL0, 3, 3, 14, 10, 3, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER19_EL0, 3, 3, 14, 14, 3, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR20_EL0, 3, 3, 14, 10, 4, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER20_EL0, 3, 3, 14, 14, 4, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR21_EL0, 3, 3, 14, 10, 5, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER21_EL0, 3, 3, 14, 14, 5, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR22_EL0, 3, 3, 14, 10, 6, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER22_EL0, 3, 3, 14, 14, 6, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR23_EL0, 3, 3, 14, 10, 7, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER23_EL0, 3, 3, 14, 14, 7, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR24_EL0, 3, 3, 14, 11, 0, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER24_EL0, 3, 3, 14, 15, 0, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR25_EL0, 3, 3, 14, 11, 1, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER25_EL0, 3, 3, 14, 15, 1, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR26_EL0, 3, 3, 14, 11, 2, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER26_EL0, 3, 3, 14, 15, 2, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR27_EL0, 3, 3, 14, 11, 3, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER27_EL0, 3, 3, 14, 15, 3, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR28_EL0, 3, 3, 14, 11, 4, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER28_EL0, 3, 3, 14, 15, 4, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR29_EL0, 3, 3, 14, 11, 5, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER29_EL0, 3, 3, 14, 15, 5, "MDCR_EL2.TPM")                                             \
    X(PMEVCNTR30_EL0, 3, 3, 14, 11, 6, "MDCR_EL2.TPM")                                              \
    X(PMEVTYPER30_EL0, 3, 3, 14, 15, 6, "MDCR_EL2.TPM")                                             \
    X(ICH_LR0_EL2, 3, 4, 12, 12, 0, "")                                                             \
    X(ICH_LR1_EL2, 3, 4, 12, 12, 1, "")                                                             \
    X(ICH_LR2_EL2, 3, 4, 12, 12, 2, "")                                                             \
    X(ICH_LR3_EL2, 3, 4, 12, 12, 3, "")                                                             \
    X(ICH_LR4_EL2, 3, 4, 12, 12, 4, "")                                                             \
    X(ICH_LR5_EL2, 3, 4, 12, 12, 5, "")                                                             \
    X(ICH_LR6_EL2, 3, 4, 12, 12, 6, "")                                                             \
    X(ICH_LR7_EL2, 3, 4, 12, 12, 7, "")                                                             \
    X(ICH_LR8_EL2, 3, 4, 12, 13, 0, "")                                                             \
    X(ICH_LR9_EL2, 3, 4, 12, 13, 1, "")                                                             \
    X(ICH_LR10_EL2, 3, 4, 12, 13, 2, "")                                                            \
    X(ICH_LR11_EL2, 3, 4, 12, 13, 3, "")                                                            \
    X(ICH_LR12_EL2, 3, 4, 12, 13, 4, "")                                                            \
    X(ICH_LR13_EL2, 3, 4, 12, 13, 5, "")                                                            \
    X(ICH_LR14_EL2, 3, 4, 12, 13, 6, "")                                                            \
    X(ICH_LR15_EL2, 3, 4, 12, 13, 7, "")

/*
 * System instructions, which a trap reports like registers:
 *   X(name, op0, op1, CRn, CRm, op2, taken by)
 */
#define FH_ARM_INSTRUCTION_MAP(X)                                                                   \
    X("IC IALLUIS", 1, 0, 7, 1, 0, "HCR_EL2.TICAB, HCR_EL2.TPU")                                    \
    X("IC IALLU", 1, 0, 7, 5, 0, "HCR_EL2.TPU")                                                     \
    X("IC IVAU", 1, 3, 7, 5, 1, "HCR_EL2.TPU")                                                      \
    X("DC ZVA", 1, 3, 7, 4, 1, "HCR_EL2.TDZ")                                                       \
    X("DC IVAC", 1, 0, 7, 6, 1, "HCR_EL2.TPC")                                                      \
    X("DC ISW", 1, 0, 7, 6, 2, "HCR_EL2.TSW")                                                       \
    X("DC CSW", 1, 0, 7, 10, 2, "HCR_EL2.TSW")                                                      \
    X("DC CISW", 1, 0, 7, 14, 2, "HCR_EL2.TSW")                                                     \
    X("DC CVAC", 1, 3, 7, 10, 1, "HCR_EL2.TPC")                                                     \
    X("DC CVAU", 1, 3, 7, 11, 1, "HCR_EL2.TPU")                                                     \
    X("DC CVAP", 1, 3, 7, 12, 1, "HCR_EL2.TPC")                                                     \
    X("DC CIVAC", 1, 3, 7, 14, 1, "HCR_EL2.TPC")                                                    \
    X("AT S1E1R", 1, 0, 7, 8, 0, "HCR_EL2.AT")                                                      \
    X("AT S1E1W", 1, 0, 7, 8, 1, "HCR_EL2.AT")                                                      \
    X("AT S1E0R", 1, 0, 7, 8, 2, "HCR_EL2.AT")                                                      \
    X("AT S1E0W", 1, 0, 7, 8, 3, "HCR_EL2.AT")                                                      \
    X("AT S1E1RP", 1, 0, 7, 9, 0, "HCR_EL2.AT")                                                     \
    X("AT S1E1WP", 1, 0, 7, 9, 1, "HCR_EL2.AT")                                                     \
    X("AT S1E2R", 1, 4, 7, 8, 0, "")                                                                \
    X("AT S1E2W", 1, 4, 7, 8, 1, "")                                                                \
    X("AT S12E1R", 1, 4, 7, 8, 4, "")                                                               \
    X("AT S12E1W", 1, 4, 7, 8, 5, "")                                                               \
    X("AT S12E0R", 1, 4, 7, 8, 6, "")                                                               \
    X("AT S12E0W", 1, 4, 7, 8, 7, "")                                                               \
    X("TLBI VMALLE1OS", 1, 0, 8, 1, 0, "HCR_EL2.TTLB, HCR_EL2.TTLBOS")                              \
    X("TLBI VMALLE1IS", 1, 0, 8, 3, 0, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                              \
    X("TLBI VAE1IS", 1, 0, 8, 3, 1, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                                 \
    X("TLBI ASIDE1IS", 1, 0, 8, 3, 2, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                               \
    X("TLBI VAAE1IS", 1, 0, 8, 3, 3, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                                \
    X("TLBI VALE1IS", 1, 0, 8, 3, 5, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                                \
    X("TLBI VAALE1IS", 1, 0, 8, 3, 7, "HCR_EL2.TTLB, HCR_EL2.TTLBIS")                               \
    X("TLBI VMALLE1", 1, 0, 8, 7, 0, "HCR_EL2.TTLB")                                                \
    X("TLBI VAE1", 1, 0, 8, 7, 1, "HCR_EL2.TTLB")                                                   \
    X("TLBI ASIDE1", 1, 0, 8, 7, 2, "HCR_EL2.TTLB")                                                 \
    X("TLBI VAAE1", 1, 0, 8, 7, 3, "HCR_EL2.TTLB")                                                  \
    X("TLBI VALE1", 1, 0, 8, 7, 5, "HCR_EL2.TTLB")                                                  \
    X("TLBI VAALE1", 1, 0, 8, 7, 7, "HCR_EL2.TTLB")                                                 \
    X("TLBI IPAS2E1IS", 1, 4, 8, 0, 1, "")                                                          \
    X("TLBI IPAS2LE1IS", 1, 4, 8, 0, 5, "")                                                         \
    X("TLBI IPAS2E1", 1, 4, 8, 4, 1, "")                                                            \
    X("TLBI IPAS2LE1", 1, 4, 8, 4, 5, "")                                                           \
    X("TLBI ALLE2IS", 1, 4, 8, 3, 0, "")                                                            \
    X("TLBI VAE2IS", 1, 4, 8, 3, 1, "")                                                             \
    X("TLBI ALLE1IS", 1, 4, 8, 3, 4, "")                                                            \
    X("TLBI VALE2IS", 1, 4, 8, 3, 5, "")                                                            \
    X("TLBI VMALLS12E1IS", 1, 4, 8, 3, 6, "")                                                       \
    X("TLBI ALLE2", 1, 4, 8, 7, 0, "")                                                              \
    X("TLBI VAE2", 1, 4, 8, 7, 1, "")                                                               \
    X("TLBI ALLE1", 1, 4, 8, 7, 4, "")                                                              \
    X("TLBI VALE2", 1, 4, 8, 7, 5, "")                                                              \
    X("TLBI VMALLS12E1", 1, 4, 8, 7, 6, "")
/* clang-format on */

/* When a register's word has its other form. */
enum fh_arm_form_choice {
    FH_ARM_CHOICE_NEVER,
    FH_ARM_CHOICE_BIT_0,
    FH_ARM_CHOICE_BIT_4,
    FH_ARM_CHOICE_E2H,
    FH_ARM_CHOICE_SYNDROME
};

/* A register or system instruction by its encoding. */
struct fh_arm_encoding {
    uint8_t op0, op1, CRn, CRm, op2;
};

struct fh_arm_register {
    const char *name; /* "VTCR_EL2", or "DC CISW" */
    struct fh_arm_encoding encoding;
    uint8_t width; /* bits; 0: an instruction */
    const struct fh_arm_layout *layout;
    const struct fh_arm_layout *other; /* the same where there is one form only */
    enum fh_arm_form_choice choice;
    const char *trap;    /* what of EL2 takes it from EL1; "" if nothing does */
    const char *meaning; /* "" where only the name is known */
};

/* All registers, then instructions, by number; NULL after the last. */
FH_API const struct fh_arm_register *fh_arm_register_at(unsigned index);

/* By name, in letters of any case ("vtcr_el2"), or "S3_4_C2_C1_2"; NULL if not known. */
FH_API const struct fh_arm_register *fh_arm_register_named(const char *name, size_t length);

/*
 * The same where the level may be left out: "esr" and "VTCR" are EL2's, "sctlr" is EL1's. Of the
 * registers that a name could be, it is the first of EL2, EL1 and EL0 whose fields are known, else
 * the first.
 */
FH_API const struct fh_arm_register *fh_arm_register_called(const char *name, size_t length);

/* By encoding; NULL if not known. */
FH_API const struct fh_arm_register *
fh_arm_register_encoded(const struct fh_arm_encoding *encoding);

/* The controls of EL2 that take accesses from EL1. */
struct fh_arm_controls {
    uint64_t hcr, mdcr, cptr, cnthctl;
};

enum fh_arm_taken { FH_ARM_NOT_TAKEN, FH_ARM_TAKEN, FH_ARM_MAY_BE_TAKEN };

/*
 * Does EL2 take a read or write of a register by EL1, as its `trap` says? `by`, of `size` bytes,
 * gets the control that decides ("HCR_EL2.TVM"); "" if none takes it. MAY_BE where another register
 * or a field of several bits decides. Fine-grained traps are not looked at.
 */
FH_API enum fh_arm_taken fh_arm_register_taken(const struct fh_arm_register *reg, bool is_write,
                                               const struct fh_arm_controls *controls, char *by,
                                               size_t size);

/* What a trapped MSR, MRS or system instruction (class SYS64) was about. */
static inline struct fh_arm_encoding fh_arm_esr_encoding(uint64_t esr)
{
    struct fh_arm_encoding encoding;
    encoding.op0 = (uint8_t)fh_arm_get(esr, 21, 20);
    encoding.op1 = (uint8_t)fh_arm_get(esr, 16, 14);
    encoding.CRn = (uint8_t)fh_arm_get(esr, 13, 10);
    encoding.CRm = (uint8_t)fh_arm_get(esr, 4, 1);
    encoding.op2 = (uint8_t)fh_arm_get(esr, 19, 17);
    return encoding;
}

/* "VTCR_EL2"; "S3_0_C15_C2_0" for one that is not known. */
FH_API size_t fh_arm_describe_encoding(const struct fh_arm_encoding *encoding, char *buffer,
                                       size_t size);

/*
 * The layout of a register's word. `hcr` is HCR_EL2 for registers whose form depends on E2H; 0 if
 * it is not known.
 */
FH_API const struct fh_arm_layout *fh_arm_register_layout(const struct fh_arm_register *reg,
                                                          uint64_t word, uint64_t hcr);

/* A register's word in one line, its fields that are not 0; a syndrome as fh_arm_describe_esr. */
FH_API size_t fh_arm_describe_register(const struct fh_arm_register *reg, uint64_t word,
                                       uint64_t hcr, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
