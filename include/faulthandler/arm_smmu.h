/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_ARM_SMMU_H
#define FAULTHANDLER_ARM_SMMU_H

#include <faulthandler/arm_field.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Registers of an SMMUv2 (Arm IHI 0062): the global pages GR0 and GR1, and the page of a context
 * bank (CB). For each form of fields there are a struct and functions as arm_field.h tells:
 * struct fh_arm_smmu_fsr, fh_arm_smmu_fsr_of(word).
 */

/* clang-format off */

/* --- Fields ---------------------------------------------------------------------------------- */

#define FH_ARM_FIELDS_smmu_value32(FIELD)                                                           \
    FIELD(VALUE, 31, 0, HEX, "value")

#define FH_ARM_FIELDS_smmu_value64(FIELD)                                                           \
    FIELD(VALUE, 63, 0, HEX, "value")

#define FH_ARM_FIELDS_smmu_scr0(FIELD)                                                              \
    FIELD(VMID16EN, 31, 31, FLAG, "VMIDs of 16 bits")                                               \
    FIELD(NSCFG, 29, 28, NUMBER, "non-secure attribute of bypassing streams")                       \
    FIELD(WACFG, 27, 26, NUMBER, "write allocation of bypassing streams")                           \
    FIELD(RACFG, 25, 24, NUMBER, "read allocation of bypassing streams")                            \
    FIELD(SHCFG, 23, 22, NUMBER, "shareability of bypassing streams")                               \
    FIELD(SMCFCFG, 21, 21, FLAG, "a stream match conflict faults")                                  \
    FIELD(MTCFG, 20, 20, FLAG, "MemAttr is used")                                                   \
    FIELD(MemAttr, 19, 16, HEX, "memory type of bypassing streams")                                 \
    FIELD(BSU, 15, 14, BSU, "barriers reach at least")                                              \
    FIELD(FB, 13, 13, FLAG, "TLB maintenance is broadcast")                                         \
    FIELD(PTM, 12, 12, FLAG, "the SMMU keeps its TLBs apart from the CPUs'")                        \
    FIELD(VMIDPNE, 11, 11, FLAG, "private VMID name space")                                         \
    FIELD(USFCFG, 10, 10, FLAG, "a stream that matches nothing faults")                             \
    FIELD(GSE, 9, 9, FLAG, "stalls of all banks")                                                   \
    FIELD(STALLD, 8, 8, FLAG, "stalls are disabled")                                                \
    FIELD(TRANSIENTCFG, 7, 6, NUMBER, "transient allocation")                                       \
    FIELD(GCFGFIE, 5, 5, FLAG, "interrupt of configuration faults")                                 \
    FIELD(GCFGFRE, 4, 4, FLAG, "configuration faults abort")                                        \
    FIELD(EXIDENABLE, 3, 3, FLAG, "extended stream numbers")                                        \
    FIELD(GFIE, 2, 2, FLAG, "interrupt of global faults")                                           \
    FIELD(GFRE, 1, 1, FLAG, "global faults abort")                                                  \
    FIELD(CLIENTPD, 0, 0, FLAG, "all streams bypass the SMMU")

#define FH_ARM_FIELDS_smmu_scr2(FIELD)                                                              \
    FIELD(BPVMID, 15, 0, NUMBER, "VMID of bypassing streams")

#define FH_ARM_FIELDS_smmu_idr0(FIELD)                                                              \
    FIELD(SES, 31, 31, FLAG, "security extensions")                                                 \
    FIELD(S1TS, 30, 30, FLAG, "stage 1")                                                            \
    FIELD(S2TS, 29, 29, FLAG, "stage 2")                                                            \
    FIELD(NTS, 28, 28, FLAG, "stage 1 and stage 2")                                                 \
    FIELD(SMS, 27, 27, FLAG, "stream matching")                                                     \
    FIELD(ATOSNS, 26, 26, FLAG, "1: no address translation operations")                             \
    FIELD(PTFS, 25, 24, NUMBER, "AArch32 tables (3: none)")                                         \
    FIELD(NUMIRPT, 23, 16, NUMBER, "context interrupts")                                            \
    FIELD(EXSMRGS, 15, 15, FLAG, "extended stream matching groups")                                 \
    FIELD(CTTW, 14, 14, FLAG, "coherent walks")                                                     \
    FIELD(BTM, 13, 13, FLAG, "broadcast TLB maintenance")                                           \
    FIELD(NUMSIDB, 12, 9, NUMBER, "bits of stream numbers")                                         \
    FIELD(EXIDS, 8, 8, FLAG, "extended stream numbers")                                             \
    FIELD(NUMSMRG, 7, 0, NUMBER, "stream mapping groups")

#define FH_ARM_FIELDS_smmu_idr1(FIELD)                                                              \
    FIELD(PAGESIZE, 31, 31, SMMU_PAGE, "pages of registers")                                        \
    FIELD(NUMPAGENDXB, 30, 28, NUMBER, "log2 of half the pages of registers, less one")             \
    FIELD(NUMS2CB, 23, 16, NUMBER, "banks of stage 2 only")                                         \
    FIELD(SMCD, 15, 15, FLAG, "match conflicts may be missed")                                      \
    FIELD(NUMSSDNDXB, 11, 8, NUMBER, "bits of the security index")                                  \
    FIELD(NUMCB, 7, 0, NUMBER, "context banks")

#define FH_ARM_FIELDS_smmu_idr2(FIELD)                                                              \
    FIELD(VMID16S, 15, 15, FLAG, "VMIDs of 16 bits")                                                \
    FIELD(PTFSv8_64kB, 14, 14, FLAG, "AArch64 tables of 64 KiB")                                    \
    FIELD(PTFSv8_16kB, 13, 13, FLAG, "AArch64 tables of 16 KiB")                                    \
    FIELD(PTFSv8_4kB, 12, 12, FLAG, "AArch64 tables of 4 KiB")                                      \
    FIELD(UBS, 11, 8, NUMBER, "upstream bus, code of its size")                                     \
    FIELD(OAS, 7, 4, SMMU_SIZE, "output addresses")                                                 \
    FIELD(IAS, 3, 0, SMMU_SIZE, "intermediate addresses")

#define FH_ARM_FIELDS_smmu_idr7(FIELD)                                                              \
    FIELD(MAJOR, 7, 4, NUMBER, "major revision")                                                    \
    FIELD(MINOR, 3, 0, NUMBER, "minor revision")

#define FH_ARM_FIELDS_smmu_sgfsr(FIELD)                                                             \
    FIELD(MULTI, 31, 31, FLAG, "more than one fault")                                               \
    FIELD(UUT, 8, 8, FLAG, "unsupported upstream transaction")                                      \
    FIELD(PF, 7, 7, FLAG, "permission fault")                                                       \
    FIELD(EF, 6, 6, FLAG, "external fault")                                                         \
    FIELD(CAF, 5, 5, FLAG, "configuration access fault")                                            \
    FIELD(UCIF, 4, 4, FLAG, "unimplemented context interrupt")                                      \
    FIELD(UCBF, 3, 3, FLAG, "unimplemented context bank")                                           \
    FIELD(SMCF, 2, 2, FLAG, "stream match conflict")                                                \
    FIELD(USF, 1, 1, FLAG, "unidentified stream: it matches no group")                              \
    FIELD(ICF, 0, 0, FLAG, "invalid context: the group's type is \"fault\"")

#define FH_ARM_FIELDS_smmu_sgfsynr0(FIELD)                                                          \
    FIELD(ATS, 6, 6, FLAG, "address translation operation")                                         \
    FIELD(NSATTR, 5, 5, FLAG, "non-secure attribute")                                               \
    FIELD(NSSTATE, 4, 4, FLAG, "non-secure state")                                                  \
    FIELD(IND, 3, 3, IND, "instruction or data")                                                    \
    FIELD(PNU, 2, 2, PNU, "privilege")                                                              \
    FIELD(WNR, 1, 1, WNR, "access")                                                                 \
    FIELD(NESTED, 0, 0, FLAG, "fault on the walk of a nested translation")

#define FH_ARM_FIELDS_smmu_sgfsynr1(FIELD)                                                          \
    FIELD(SSD_Index, 31, 16, HEX, "security state index")                                           \
    FIELD(StreamID, 15, 0, HEX, "stream")

#define FH_ARM_FIELDS_smmu_tlbgstatus(FIELD)                                                        \
    FIELD(GSACTIVE, 0, 0, FLAG, "invalidation goes on")

#define FH_ARM_FIELDS_smmu_smr(FIELD)                                                               \
    FIELD(VALID, 31, 31, FLAG, "the group is used")                                                 \
    FIELD(MASK, 30, 16, HEX, "bits that do not count")                                              \
    FIELD(ID, 15, 0, HEX, "stream")

#define FH_ARM_FIELDS_smmu_s2cr(FIELD)                                                              \
    FIELD(TRANSIENTCFG, 29, 28, NUMBER, "transient allocation")                                     \
    FIELD(INSTCFG, 27, 26, NUMBER, "instruction or data")                                           \
    FIELD(PRIVCFG, 25, 24, SMMU_PRIV, "privilege")                                                  \
    FIELD(WACFG, 23, 22, NUMBER, "write allocation")                                                \
    FIELD(RACFG, 21, 20, NUMBER, "read allocation")                                                 \
    FIELD(NSCFG, 19, 18, NUMBER, "non-secure attribute")                                            \
    FIELD(TYPE, 17, 16, SMMU_S2CR, "what happens to the stream")                                    \
    FIELD(MemAttr, 15, 12, HEX, "memory type")                                                      \
    FIELD(MTCFG, 11, 11, FLAG, "MemAttr is used")                                                   \
    FIELD(EXIDVALID, 10, 10, FLAG, "extended stream number")                                        \
    FIELD(SHCFG, 9, 8, NUMBER, "shareability")                                                      \
    FIELD(CBNDX, 7, 0, NUMBER, "context bank")

#define FH_ARM_FIELDS_smmu_cbar(FIELD)                                                              \
    FIELD(IRPTNDX, 31, 24, NUMBER, "interrupt")                                                     \
    FIELD(WACFG, 23, 22, NUMBER, "write allocation")                                                \
    FIELD(RACFG, 21, 20, NUMBER, "read allocation")                                                 \
    FIELD(BSU, 19, 18, BSU, "barriers reach at least")                                              \
    FIELD(TYPE, 17, 16, SMMU_CBAR, "translation")                                                   \
    FIELD(MemAttr, 15, 12, HEX, "memory type, or upper half of the stage 2 bank")                   \
    FIELD(FB, 11, 11, FLAG, "TLB maintenance is broadcast")                                         \
    FIELD(HYPC, 10, 10, FLAG, "bank of the hypervisor")                                             \
    FIELD(BPSHCFG, 9, 8, NUMBER, "shareability, or of the stage 2 bank")                            \
    FIELD(VMID, 7, 0, NUMBER, "VMID")

#define FH_ARM_FIELDS_smmu_cbfrsynra(FIELD)                                                         \
    FIELD(SSD_Index, 31, 16, HEX, "security state index")                                           \
    FIELD(StreamID, 15, 0, HEX, "stream")

#define FH_ARM_FIELDS_smmu_cba2r(FIELD)                                                             \
    FIELD(VMID16, 31, 16, NUMBER, "VMID of 16 bits")                                                \
    FIELD(MONC, 1, 1, FLAG, "bank of the monitor")                                                  \
    FIELD(VA64, 0, 0, SMMU_VA64, "form of the tables")

#define FH_ARM_FIELDS_smmu_sctlr(FIELD)                                                             \
    FIELD(NSCFG, 29, 28, NUMBER, "non-secure attribute")                                            \
    FIELD(WACFG, 27, 26, NUMBER, "write allocation")                                                \
    FIELD(RACFG, 25, 24, NUMBER, "read allocation")                                                 \
    FIELD(SHCFG, 23, 22, NUMBER, "shareability")                                                    \
    FIELD(FB, 21, 21, FLAG, "TLB maintenance is broadcast")                                         \
    FIELD(MTCFG, 20, 20, FLAG, "MemAttr is used")                                                   \
    FIELD(MemAttr, 19, 16, HEX, "memory type")                                                      \
    FIELD(BSU, 15, 14, BSU, "barriers reach at least")                                              \
    FIELD(PTW, 13, 13, FLAG, "walks through device memory fault")                                   \
    FIELD(ASIDPNE, 12, 12, FLAG, "private ASID name space")                                         \
    FIELD(UWXN, 10, 10, FLAG, "writable by the unprivileged is not executable")                     \
    FIELD(WXN, 9, 9, FLAG, "writable memory is not executable")                                     \
    FIELD(HUPCF, 8, 8, FLAG, "accesses hit while a fault is pending")                               \
    FIELD(CFCFG, 7, 7, FLAG, "faults stall")                                                        \
    FIELD(CFIE, 6, 6, FLAG, "interrupt of faults")                                                  \
    FIELD(CFRE, 5, 5, FLAG, "faults abort")                                                         \
    FIELD(E, 4, 4, FLAG, "big-endian tables")                                                       \
    FIELD(AFFD, 3, 3, FLAG, "no access flag faults")                                                \
    FIELD(AFE, 2, 2, FLAG, "access flag")                                                           \
    FIELD(TRE, 1, 1, FLAG, "type remap")                                                            \
    FIELD(M, 0, 0, FLAG, "translation is on")

#define FH_ARM_FIELDS_smmu_ttbr(FIELD)                                                              \
    FIELD(ASID, 63, 48, NUMBER, "address space identifier (stage 1)")                               \
    FIELD(ADDRESS, 47, 0, HEX, "root table")

#define FH_ARM_FIELDS_smmu_tcr(FIELD)                                                               \
    FIELD(EAE, 31, 31, FLAG, "long descriptors")                                                    \
    FIELD(EPD1, 23, 23, FLAG, "no walks, upper half (stage 1)")                                     \
    FIELD(A1, 22, 22, FLAG, "TTBR1 has the ASID (stage 1)")                                         \
    FIELD(PASIZE, 18, 16, PARANGE, "output address (stage 2)")                                      \
    FIELD(TG0, 15, 14, TG0, "granule")                                                              \
    FIELD(SH0, 13, 12, SH, "shareability of walks")                                                 \
    FIELD(ORGN0, 11, 10, RGN, "outer cacheability of walks")                                        \
    FIELD(IRGN0, 9, 8, RGN, "inner cacheability of walks")                                          \
    FIELD(SL0, 7, 6, NUMBER, "start level (stage 2)")                                               \
    FIELD(T0SZ, 5, 0, NUMBER, "the input address has 64 - T0SZ bits")

#define FH_ARM_FIELDS_smmu_tcr2(FIELD)                                                              \
    FIELD(SEP, 17, 15, NUMBER, "sign extension position")                                           \
    FIELD(TBI1, 6, 6, FLAG, "top byte is ignored, upper half")                                      \
    FIELD(TBI0, 5, 5, FLAG, "top byte is ignored, lower half")                                      \
    FIELD(AS, 4, 4, ASIDSIZE, "size of ASIDs")                                                      \
    FIELD(PASIZE, 2, 0, PARANGE, "output address")

#define FH_ARM_FIELDS_smmu_resume(FIELD)                                                            \
    FIELD(TERMINATE, 0, 0, SMMU_RESUME, "the stalled access")

#define FH_ARM_FIELDS_smmu_fsr(FIELD)                                                               \
    FIELD(MULTI, 31, 31, FLAG, "more than one fault")                                               \
    FIELD(SS, 30, 30, FLAG, "the access is stalled")                                                \
    FIELD(FORMAT, 10, 9, SMMU_FORMAT, "form of the tables")                                         \
    FIELD(UUT, 8, 8, FLAG, "unsupported upstream transaction")                                      \
    FIELD(ASF, 7, 7, FLAG, "address size fault")                                                    \
    FIELD(TLBLKF, 6, 6, FLAG, "TLB lock fault")                                                     \
    FIELD(TLBMCF, 5, 5, FLAG, "TLB match conflict")                                                 \
    FIELD(EF, 4, 4, FLAG, "external fault")                                                         \
    FIELD(PF, 3, 3, FLAG, "permission fault")                                                       \
    FIELD(AFF, 2, 2, FLAG, "access flag fault")                                                     \
    FIELD(TF, 1, 1, FLAG, "translation fault")

#define FH_ARM_FIELDS_smmu_fsynr0(FIELD)                                                            \
    FIELD(S1CBNDX, 23, 16, NUMBER, "stage 1 bank of a nested translation")                          \
    FIELD(AFR, 11, 11, FLAG, "asynchronous")                                                        \
    FIELD(PTWF, 10, 10, FLAG, "fault on a walk")                                                    \
    FIELD(NSATTR, 8, 8, FLAG, "non-secure attribute")                                               \
    FIELD(NSSTATE, 7, 7, FLAG, "non-secure state")                                                  \
    FIELD(IND, 6, 6, IND, "instruction or data")                                                    \
    FIELD(PNU, 5, 5, PNU, "privilege")                                                              \
    FIELD(WNR, 4, 4, WNR, "access")                                                                 \
    FIELD(PLVL, 1, 0, NUMBER, "level of the fault")

/* All forms: X(name). */
#define FH_ARM_SMMU_LAYOUT_MAP(X)                                                                   \
    X(smmu_value32) X(smmu_value64) X(smmu_scr0) X(smmu_scr2) X(smmu_idr0) X(smmu_idr1)             \
    X(smmu_idr2) X(smmu_idr7) X(smmu_sgfsr) X(smmu_sgfsynr0) X(smmu_sgfsynr1) X(smmu_tlbgstatus)    \
    X(smmu_smr) X(smmu_s2cr) X(smmu_cbar) X(smmu_cbfrsynra) X(smmu_cba2r) X(smmu_sctlr)             \
    X(smmu_ttbr) X(smmu_tcr) X(smmu_tcr2) X(smmu_resume) X(smmu_fsr) X(smmu_fsynr0)

FH_ARM_SMMU_LAYOUT_MAP(FH_ARM_WORD)

/* --- Registers ------------------------------------------------------------------------------- */

/*
 * X(page, offset in it, bytes to the next of its kind, how many of its kind, name, width in bits,
 *   form, what it is)
 */
#define FH_ARM_SMMU_MAP(X)                                                                          \
    X(GR0, 0x000, 0, 1, sCR0, 32, smmu_scr0, "configuration")                                       \
    X(GR0, 0x004, 0, 1, sCR1, 32, smmu_value32, "secure configuration")                             \
    X(GR0, 0x008, 0, 1, sCR2, 32, smmu_scr2, "VMID of what bypasses")                               \
    X(GR0, 0x010, 0, 1, sACR, 32, smmu_value32, "auxiliary configuration")                          \
    X(GR0, 0x020, 0, 1, IDR0, 32, smmu_idr0, "identification 0")                                    \
    X(GR0, 0x024, 0, 1, IDR1, 32, smmu_idr1, "identification 1")                                    \
    X(GR0, 0x028, 0, 1, IDR2, 32, smmu_idr2, "identification 2")                                    \
    X(GR0, 0x03c, 0, 1, IDR7, 32, smmu_idr7, "identification 7")                                    \
    X(GR0, 0x040, 0, 1, sGFAR, 64, smmu_value64, "address of the global fault")                     \
    X(GR0, 0x048, 0, 1, sGFSR, 32, smmu_sgfsr, "global fault status")                               \
    X(GR0, 0x04c, 0, 1, sGFSRRESTORE, 32, smmu_sgfsr, "writes the global fault status")             \
    X(GR0, 0x050, 0, 1, sGFSYNR0, 32, smmu_sgfsynr0, "global fault syndrome 0")                     \
    X(GR0, 0x054, 0, 1, sGFSYNR1, 32, smmu_sgfsynr1, "global fault syndrome 1")                     \
    X(GR0, 0x058, 0, 1, sGFSYNR2, 32, smmu_value32, "global fault syndrome 2")                      \
    X(GR0, 0x060, 0, 1, STLBIALL, 32, smmu_value32, "invalidates secure entries")                   \
    X(GR0, 0x064, 0, 1, TLBIVMID, 32, smmu_value32, "invalidates a VMID")                           \
    X(GR0, 0x068, 0, 1, TLBIALLNSNH, 32, smmu_value32, "invalidates all but the hypervisor's")      \
    X(GR0, 0x06c, 0, 1, TLBIALLH, 32, smmu_value32, "invalidates the hypervisor's entries")         \
    X(GR0, 0x070, 0, 1, sTLBGSYNC, 32, smmu_value32, "starts to wait for invalidations")            \
    X(GR0, 0x074, 0, 1, sTLBGSTATUS, 32, smmu_tlbgstatus, "are invalidations complete?")            \
    X(GR0, 0x800, 4, 128, SMR, 32, smmu_smr, "which streams a group matches")                       \
    X(GR0, 0xc00, 4, 128, S2CR, 32, smmu_s2cr, "what happens to a group's streams")                 \
    X(GR1, 0x000, 4, 128, CBAR, 32, smmu_cbar, "what a bank translates, and for which VMID")        \
    X(GR1, 0x400, 4, 128, CBFRSYNRA, 32, smmu_cbfrsynra, "stream of a bank's fault")                \
    X(GR1, 0x800, 4, 128, CBA2R, 32, smmu_cba2r, "form of a bank's tables")                         \
    X(CB, 0x000, 0, 1, SCTLR, 32, smmu_sctlr, "control of the bank")                                \
    X(CB, 0x004, 0, 1, ACTLR, 32, smmu_value32, "auxiliary control")                                \
    X(CB, 0x008, 0, 1, RESUME, 32, smmu_resume, "ends a stall")                                     \
    X(CB, 0x010, 0, 1, TCR2, 32, smmu_tcr2, "control of translation 2")                             \
    X(CB, 0x020, 0, 1, TTBR0, 64, smmu_ttbr, "root table")                                          \
    X(CB, 0x028, 0, 1, TTBR1, 64, smmu_ttbr, "root table, upper half")                              \
    X(CB, 0x030, 0, 1, TCR, 32, smmu_tcr, "control of translation")                                 \
    X(CB, 0x034, 0, 1, CONTEXTIDR, 32, smmu_value32, "process")                                     \
    X(CB, 0x038, 0, 1, MAIR0, 32, smmu_value32, "memory types 0")                                   \
    X(CB, 0x03c, 0, 1, MAIR1, 32, smmu_value32, "memory types 1")                                   \
    X(CB, 0x050, 0, 1, PAR, 64, smmu_value64, "result of an address translation")                   \
    X(CB, 0x058, 0, 1, FSR, 32, smmu_fsr, "fault status")                                           \
    X(CB, 0x05c, 0, 1, FSRRESTORE, 32, smmu_fsr, "writes the fault status")                         \
    X(CB, 0x060, 0, 1, FAR, 64, smmu_value64, "fault address")                                      \
    X(CB, 0x068, 0, 1, FSYNR0, 32, smmu_fsynr0, "fault syndrome 0")                                 \
    X(CB, 0x06c, 0, 1, FSYNR1, 32, smmu_value32, "fault syndrome 1")                                \
    X(CB, 0x070, 0, 1, IPAFAR, 64, smmu_value64, "fault IPA")                                       \
    X(CB, 0x600, 0, 1, TLBIVA, 64, smmu_value64, "invalidates an address")                          \
    X(CB, 0x608, 0, 1, TLBIVAA, 64, smmu_value64, "invalidates an address, all ASIDs")              \
    X(CB, 0x610, 0, 1, TLBIASID, 32, smmu_value32, "invalidates an ASID")                           \
    X(CB, 0x618, 0, 1, TLBIALL, 32, smmu_value32, "invalidates all of the bank")                    \
    X(CB, 0x620, 0, 1, TLBIVAL, 64, smmu_value64, "invalidates an address, last level")             \
    X(CB, 0x628, 0, 1, TLBIVAAL, 64, smmu_value64, "invalidates an address, last level, all ASIDs") \
    X(CB, 0x630, 0, 1, TLBIIPAS2, 64, smmu_value64, "invalidates an IPA")                           \
    X(CB, 0x638, 0, 1, TLBIIPAS2L, 64, smmu_value64, "invalidates an IPA, last level")              \
    X(CB, 0x7f0, 0, 1, TLBSYNC, 32, smmu_value32, "starts to wait for invalidations")               \
    X(CB, 0x7f4, 0, 1, TLBSTATUS, 32, smmu_tlbgstatus, "are invalidations complete?")               \
    X(CB, 0x800, 0, 1, ATS1PR, 64, smmu_value64, "translates an address for a read")                \
    X(CB, 0x808, 0, 1, ATS1PW, 64, smmu_value64, "translates an address for a write")               \
    X(CB, 0x8f0, 0, 1, ATSR, 32, smmu_tlbgstatus, "is the translation complete?")

/* clang-format on */

enum fh_arm_smmu_page { FH_ARM_SMMU_GR0, FH_ARM_SMMU_GR1, FH_ARM_SMMU_CB };

struct fh_arm_smmu_register {
    const char *name; /* "CBAR" */
    enum fh_arm_smmu_page page;
    uint16_t offset; /* of the first of its kind, from the page */
    uint8_t step;    /* bytes to the next; 0 if there is one only */
    uint8_t count;
    uint8_t width; /* bits */
    const struct fh_arm_layout *layout;
    const char *meaning;
};

/* All registers by number; NULL after the last. */
FH_API const struct fh_arm_smmu_register *fh_arm_smmu_register_at(unsigned index);

/*
 * The register of a page by its name, in letters of any case, with or without the "s" of secure
 * state in front ("GFSR"); NULL if there is none.
 */
FH_API const struct fh_arm_smmu_register *
fh_arm_smmu_register_named(enum fh_arm_smmu_page page, const char *name, size_t length);

/*
 * The register that has the byte at `offset` of a page, and its number among those of its kind;
 * NULL if there is none that is known.
 */
FH_API const struct fh_arm_smmu_register *
fh_arm_smmu_register_in(enum fh_arm_smmu_page page, uint64_t offset, unsigned *number);

/*
 * Where the byte at `offset` of an SMMU's region is, of which the global half ends at
 * `global_size` (two pages and more) and whose pages have 1 << page_shift bytes: page and offset in
 * it; for FH_ARM_SMMU_CB the bank.
 */
FH_API enum fh_arm_smmu_page fh_arm_smmu_place(uint64_t offset, uint64_t global_size,
                                               unsigned page_shift, uint64_t *in_page,
                                               uint64_t *bank);

/* "CBAR3", "sGFSR", "CB TTBR0": the register at `offset` of a page; "offset 0x..." if unknown. */
FH_API size_t fh_arm_describe_smmu_register(enum fh_arm_smmu_page page, uint64_t offset,
                                            char *buffer, size_t size);

#ifdef __cplusplus
}
#endif

#endif
