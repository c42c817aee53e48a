/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_CONSTANTS_H
#define FAULTHANDLER_CONSTANTS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The constants of the spec: X(name, value). They are those of Constants.v and the lock identifiers
 * of RData.v. Other machines have the same names with values of their own, in
 * machines/NAME/machine.yaml. The rows at the end have no counterpart in Constants.v, they say what
 * the spec fixes by its code:
 *
 *   HOST_POOL_SIZE, HOST_*_OFFSET  table pool of the host (the VMs': PT_POOL_PER_VM, *_OFFSET)
 *   STAGE2_LEVELS                  levels of a stage-2 table: pgd, (pud,) pmd, pte
 *   COREVISOR_*                    the same of EL2's own table, which counts as one of stage 2
 *   PTE_MARK, PMD_MARK             bits that every page or block descriptor carries
 *   SMMU_COUNT_END                 first number of SMMUs that emulate_mmio no longer accepts: the
 *                                  spec tests the count as if it were an index
 */
/* clang-format off */
#define FH_CONSTANT_MAP(X)                                                                         \
    X(INVALID, 0xffffffffu)                                                                        \
    X(INVALID64, 0xffffffffffffffffull)                                                            \
    X(KVM_PHYS_SIZE, 0x10000000000ull)                                                             \
    X(KVM_ADDR_SPACE, 0x1000000000000ull)                                                          \
    X(KVM_PFN_SPACE, 0x10000000u)                                                                  \
    X(KVM_GFN_SPACE, 0x1000000000ull)                                                              \
    X(PT_POOL_START, 0x10000u)                                                                     \
    X(PT_POOL_PER_VM, 0x2000000u)                                                                  \
    X(PT_POOL_SIZE, 0x1e000000u)                                                                   \
    X(PT_POOL_END, 0x1e010000u)                                                                    \
    X(PGD_OFFSET, 0x1000u)                                                                         \
    X(PUD_OFFSET, 0x101000u)                                                                       \
    X(PMD_OFFSET, 0x901000u)                                                                       \
    X(MAX_VM_NUM, 15u)                                                                             \
    X(VCPU_PER_VM, 8u)                                                                             \
    X(MAX_LOAD_INFO_NUM, 5u)                                                                       \
    X(MAX_MEMBLOCK_NUM, 32u)                                                                       \
    X(MAX_S2PAGE_NUM, 0x1000000u)                                                                  \
    X(MAX_REGISTER_NUM, 256u)                                                                      \
    X(REMAP_START, 0x2000000u)                                                                     \
    X(REMAP_SIZE, 0x2000000u)                                                                      \
    X(REMAP_END, 0x4000000u)                                                                       \
    X(HOSTVISOR, 0u)                                                                               \
    X(COREVISOR, 16u)                                                                              \
    X(MAX_SHARE_COUNT, 100u)                                                                       \
    X(SMMU_NUM, 2u)                                                                                \
    X(SMMU_NUM_CTXT_BANKS, 8u)                                                                     \
    X(EL2_SMMU_CFG_SIZE, 16u)                                                                      \
    X(SMMU_POOL_START, 0x10000u)                                                                   \
    X(SMMU_PGD_START, 0x110000u)                                                                   \
    X(SMMU_PMD_START, 0x210000u)                                                                   \
    X(SMMU_POOL_END, 0x310000u)                                                                    \
    X(PAGE_SIZE, 0x1000u)                                                                          \
    X(CTXT_POOL_SIZE, 136u)                                                                        \
    X(PAGE_MASK, 0xffffffffffff000ull)                                                             \
    X(PMD_PAGE_MASK, 0xfffffffffe00000ull)                                                         \
    X(PHYS_MASK, 0xffffffffffffull)                                                                \
    X(S2_PGDIR_SHIFT, 30u)                                                                         \
    X(PTRS_PER_S2_PGD, 1024u)                                                                      \
    X(PGDIR_SHIFT, 39u)                                                                            \
    X(PTRS_PER_PGD, 512u)                                                                          \
    X(PUD_SHIFT, 30u)                                                                              \
    X(PMD_SHIFT, 21u)                                                                              \
    X(PTRS_PER_PMD, 512u)                                                                          \
    X(PAGE_SHIFT, 12u)                                                                             \
    X(PTRS_PER_PTE, 200u)                                                                          \
    X(PUD_TYPE_TABLE, 3u)                                                                          \
    X(PMD_TYPE_TABLE, 3u)                                                                          \
    X(PMD_TABLE_BIT, 2u)                                                                           \
    X(NOT_PMD_TABLE_BIT, 0xfffffffffffffffdull)                                                    \
    X(PMD_PAGE_NUM, 512u)                                                                          \
    X(PMD_SIZE, 0x200000u)                                                                         \
    X(VTTBR_VMID_SHIFT, 48u)                                                                       \
    X(PAGE_S2_DEVICE, 0x40000000000747ull)                                                         \
    X(S2_RDWR, 192u)                                                                               \
    X(PAGE_S2_KERNEL, 4095u)                                                                       \
    X(PAGE_NONE, 0x460000000000f92ull)                                                             \
    X(PAGE_GUEST, 0x200000000000000ull)                                                            \
    X(PAGE_HYP, 0x40000000000753ull)                                                               \
    X(TOTAL_CPU, 8u)                                                                               \
    X(MAX_MMIO_ADDR, 0x40000000u)                                                                  \
    X(SMMU_HOST_OFFSET, 1000000000u)                                                               \
    X(UNUSED, 0u)                                                                                  \
    X(MAPPED, 1u)                                                                                  \
    X(READY, 2u)                                                                                   \
    X(VERIFIED, 3u)                                                                                \
    X(POWEROFF, 4u)                                                                                \
    X(ACTIVE, 5u)                                                                                  \
    X(ARM_SMMU_FEAT_COHERENT_WALK, 1u)                                                             \
    X(ARM_SMMU_FEAT_STREAM_MATCH, 2u)                                                              \
    X(ARM_SMMU_FEAT_TRANS_S1, 4u)                                                                  \
    X(ARM_SMMU_FEAT_TRANS_S2, 8u)                                                                  \
    X(ARM_SMMU_FEAT_TRANS_NESTED, 16u)                                                             \
    X(ARM_SMMU_OPT_SECURE_CFG_ACCESS, 1u)                                                          \
    X(SHARED_KVM_START, 1u)                                                                        \
    X(SHARED_VCPU_START, 1u)                                                                       \
    X(DIRTY_PC_FLAG, 0x100000000ull)                                                               \
    X(PSCI_0_2_FN64_CPU_ON, 3288334339u)                                                           \
    X(PSCI_0_2_FN_AFFINITY_INFO, 2214592516u)                                                      \
    X(PSCI_0_2_FN64_AFFINITY_INFO, 1073741828u)                                                    \
    X(PSCI_0_2_FN_SYSTEM_OFF, 2214592520u)                                                         \
    X(ESR_ELx_WNR, 64u)                                                                            \
    X(ESR_ELx_S1PTW, 128u)                                                                         \
    X(ARM_EXCEPTION_TRAP, 2u)                                                                      \
    X(ESR_ELx_EC_MASK, 0xfc000000u)                                                                \
    X(ESR_ELx_EC_SHIFT, 26u)                                                                       \
    X(ESR_ELx_EC_UNKNOWN, 0u)                                                                      \
    X(ESR_ELx_EC_WFx, 1u)                                                                          \
    X(ESR_ELx_EC_HVC32, 18u)                                                                       \
    X(ESR_ELx_EC_HVC64, 22u)                                                                       \
    X(ESR_ELx_EC_IABT_LOW, 32u)                                                                    \
    X(ESR_ELx_EC_DABT_LOW, 36u)                                                                    \
    X(ESR_ELx_SRT_SHIFT, 16u)                                                                      \
    X(ESR_ELx_SRT_MASK, 31u)                                                                       \
    X(ESR_ELx_SAS_SHIFT, 22u)                                                                      \
    X(ESR_ELx_SAS, 0xc00000u)                                                                      \
    X(PTE_AF_OR_SH_IS, 0x10000u)                                                                   \
    X(SMMU_PTE_ADDR_MASK, 0xffffffffffffull)                                                       \
    X(ARM_SMMU_CB_TTBR0, 32u)                                                                      \
    X(ARM_SMMU_CB_CONTEXTIDR, 52u)                                                                 \
    X(ARM_SMMU_GR0_sCR0, 0u)                                                                       \
    X(ARM_SMMU_GR0_sCR2, 8u)                                                                       \
    X(sCR0_SMCFCFG_SHIFT, 21u)                                                                     \
    X(CBAR_TYPE_SHIFT, 16u)                                                                        \
    X(CBAR_TYPE_S2_TRANS, 0u)                                                                      \
    X(CBAR_VMID_SHIFT, 0u)                                                                         \
    X(CBAR_VMID_MASK, 255u)                                                                        \
    X(ARM_SMMU_GR1_BASE, 0x1000u)                                                                  \
    X(ARM_SMMU_GR1_END, 6144u)                                                                     \
    X(ARM_SMMU_PGSHIFT_MASK, 4095u)                                                                \
    X(SMMU_OFFSET_MASK, 0xffffu)                                                                   \
    X(HPFAR_MASK, 0xffffu)                                                                         \
    X(PSTATE_FAULT_BITS_64, 965u)                                                                  \
    X(PENDING_EXCEPT_INJECT_FLAG, 0xe00000000ull)                                                  \
    X(PENDING_FSC_FAULT, 2u)                                                                       \
    X(HCR_VI, 1u)                                                                                  \
    X(HCR_VF, 2u)                                                                                  \
    X(HCR_HYPSEC_VM_FLAGS, 3u)                                                                     \
    X(ARMV8_PMU_USERENR_MASK, 4u)                                                                  \
    X(HYPSEC_MDCR_EL2_FLAG, 5u)                                                                    \
    X(CPTR_VM, 6u)                                                                                 \
    X(CPTR_EL2_DEFAULT, 7u)                                                                        \
    X(HCR_HOST_NVHE_FLAGS, 8u)                                                                     \
    X(CNTHCTL_EL1PCEN, 9u)                                                                         \
    X(CNTHCTL_EL1PCTEN, 10u)                                                                       \
    X(HVC_KVM_SET_DESC_PFN, 11u)                                                                   \
    X(HVC_KVM_UNSET_DESC_PFN, 12u)                                                                 \
    X(HVC_TIMER_SET_CNTVOFF, 13u)                                                                  \
    X(HVC_CLEAR_VM_S2_RANGE, 14u)                                                                  \
    X(HVC_SET_BOOT_INFO, 15u)                                                                      \
    X(HVC_REMAP_VM_IMAGE, 16u)                                                                     \
    X(HVC_VERIFY_VM_IMAGE, 17u)                                                                    \
    X(HVC_SMMU_FREE_PGD, 18u)                                                                      \
    X(HVC_SMMU_ALLOC_PGD, 19u)                                                                     \
    X(HVC_SMMU_LPAE_MAP, 20u)                                                                      \
    X(HVC_SMMU_LPAE_IOVA_TO_PHYS, 21u)                                                             \
    X(HVC_SMMU_CLEAR, 22u)                                                                         \
    X(HVC_PHYS_ADDR_IOREMAP, 23u)                                                                  \
    X(HVC_REGISTER_KVM, 24u)                                                                       \
    X(HVC_REGISTER_VCPU, 25u)                                                                      \
    X(HVC_ENCRYPT_BUF, 26u)                                                                        \
    X(HVC_DECRYPT_BUF, 27u)                                                                        \
    X(HVC_SAVE_CRYPT_VCPU, 28u)                                                                    \
    X(HVC_LOAD_CRYPT_VCPU, 29u)                                                                    \
    X(ESR_ELx_EC_SYS64, 30u)                                                                       \
    X(ARM_EXCEPTION_INTERRUPT, 31u)                                                                \
    X(X0, 0u)                                                                                      \
    X(X1, 1u)                                                                                      \
    X(X2, 2u)                                                                                      \
    X(X3, 3u)                                                                                      \
    X(X4, 4u)                                                                                      \
    X(X5, 5u)                                                                                      \
    X(X6, 6u)                                                                                      \
    X(X7, 7u)                                                                                      \
    X(X8, 8u)                                                                                      \
    X(X9, 9u)                                                                                      \
    X(X10, 10u)                                                                                    \
    X(X11, 11u)                                                                                    \
    X(X12, 12u)                                                                                    \
    X(X13, 13u)                                                                                    \
    X(X14, 14u)                                                                                    \
    X(X15, 15u)                                                                                    \
    X(X16, 16u)                                                                                    \
    X(X17, 17u)                                                                                    \
    X(X18, 18u)                                                                                    \
    X(X19, 19u)                                                                                    \
    X(X20, 20u)                                                                                    \
    X(X21, 21u)                                                                                    \
    X(X22, 22u)                                                                                    \
    X(X23, 23u)                                                                                    \
    X(X24, 24u)                                                                                    \
    X(X25, 25u)                                                                                    \
    X(X26, 26u)                                                                                    \
    X(X27, 27u)                                                                                    \
    X(X28, 28u)                                                                                    \
    X(X29, 29u)                                                                                    \
    X(X30, 30u)                                                                                    \
    X(SP, 31u)                                                                                     \
    X(PC, 32u)                                                                                     \
    X(PSTATE, 33u)                                                                                 \
    X(SP_EL1, 34u)                                                                                 \
    X(ELR_EL1, 35u)                                                                                \
    X(SPSR_EL1, 36u)                                                                               \
    X(SPSR_ABT, 37u)                                                                               \
    X(SPSR_UND, 38u)                                                                               \
    X(SPSR_IRQ, 39u)                                                                               \
    X(SPSR_FIQ, 40u)                                                                               \
    X(FAR_EL2, 41u)                                                                                \
    X(HPFAR_EL2, 42u)                                                                              \
    X(HCR_EL2, 43u)                                                                                \
    X(EC, 44u)                                                                                     \
    X(DIRTY, 45u)                                                                                  \
    X(FLAGS, 46u)                                                                                  \
    X(SYSREGS_START, 47u)                                                                          \
    X(SHADOW_SYS_REGS_SIZE, 24u)                                                                   \
    X(MPIDR_EL1, 47u)                                                                              \
    X(CSSELR_EL1, 48u)                                                                             \
    X(SCTLR_EL1, 49u)                                                                              \
    X(ACTLR_EL1, 50u)                                                                              \
    X(CPACR_EL1, 51u)                                                                              \
    X(TTBR0_EL1, 52u)                                                                              \
    X(TTBR1_EL1, 53u)                                                                              \
    X(TCR_EL1, 54u)                                                                                \
    X(ESR_EL1, 55u)                                                                                \
    X(AFSR0_EL1, 56u)                                                                              \
    X(AFSR1_EL1, 57u)                                                                              \
    X(FAR_EL1, 58u)                                                                                \
    X(MAIR_EL1, 59u)                                                                               \
    X(VBAR_EL1, 60u)                                                                               \
    X(CONTEXTIDR_EL1, 61u)                                                                         \
    X(TPIDR_EL0, 62u)                                                                              \
    X(TPIDRRO_EL0, 63u)                                                                            \
    X(TPIDR_EL1, 64u)                                                                              \
    X(AMAIR_EL1, 65u)                                                                              \
    X(CNTKCTL_EL1, 66u)                                                                            \
    X(PAR_EL1, 67u)                                                                                \
    X(MDSCR_EL1, 68u)                                                                              \
    X(MDCCINT_EL1, 69u)                                                                            \
    X(ELR_EL2, 70u)                                                                                \
    X(SPSR_0, 71u)                                                                                 \
    X(ESR_EL2, 72u)                                                                                \
    X(lock_bound, 10u)                                                                             \
    X(fairness, 20u)                                                                               \
    X(FLATMEM_ID, 0u)                                                                              \
    X(CORE_ID, 1u)                                                                                 \
    X(S2PAGE_ID, 2u)                                                                               \
    X(SPT_ID, 3u)                                                                                  \
    X(SMMU_ID, 4u)                                                                                 \
    X(NPT_ID, 5u)                                                                                  \
    X(INFO_ID, 22u)                                                                                \
    X(ID_END, 39u)                                                                                 \
    X(lock_idx_pt_base, 4u)                                                                        \
    X(lock_idx_vm_base, 21u)                                                                       \
    X(HOST_POOL_SIZE, 0x2000000u)                                                                  \
    X(HOST_PGD_OFFSET, 0x1000u)                                                                    \
    X(HOST_PUD_OFFSET, 0x101000u)                                                                  \
    X(HOST_PMD_OFFSET, 0x901000u)                                                                  \
    X(STAGE2_LEVELS, 4u)                                                                           \
    X(COREVISOR_POOL_START, 0x20010000u)                                                           \
    X(COREVISOR_POOL_SIZE, 0x2000000u)                                                             \
    X(COREVISOR_PGD_OFFSET, 0x1000u)                                                               \
    X(COREVISOR_PUD_OFFSET, 0x101000u)                                                             \
    X(COREVISOR_PMD_OFFSET, 0x901000u)                                                             \
    X(COREVISOR_LEVELS, 4u)                                                                        \
    X(PTE_MARK, 0u)                                                                                \
    X(PMD_MARK, 0u)                                                                                \
    X(SMMU_COUNT_END, 2u)

/* Who owns a page, where it is no VM, and the states of VMs and vCPUs, by the constants' names. */
#define FH_OWNER_MAP(X) X(HOSTVISOR) X(COREVISOR) X(INVALID)
#define FH_VM_STATE_MAP(X) X(UNUSED) X(MAPPED) X(READY) X(VERIFIED) X(POWEROFF) X(ACTIVE)

/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
