/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/toy/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include <faulthandler/abi.h>
#include <faulthandler/profile.h>

#include <stddef.h>

extern const struct fh_profile fh_profile_toy;
#define FH_MACHINE_PROFILE &fh_profile_toy

static const struct fh_abi_call hypercalls_rows[] = {
    {.name = "ENABLE_S2_TRANS", .recorded = "HVC_ENABLE_S2_TRANS", .number = UINT64_C(0x6), .kind = FH_ABI_boot,
     .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "TIMER_SET_CNTVOFF", .recorded = "HVC_TIMER_SET_CNTVOFF", .number = UINT64_C(0xd), .kind = FH_ABI_call,
     .function = "timer_set_cntvoff", .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "CLEAR_VM_S2_RANGE", .recorded = "HVC_CLEAR_VM_S2_RANGE", .number = UINT64_C(0xe), .kind = FH_ABI_call,
     .function = "clear_vm_stage2_range", .is_own = false, .nchecks = 3, .narguments = 3,
     .checks[0] = {FH_ABI_IS_vm, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_addr, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_addr, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SET_BOOT_INFO", .recorded = "HVC_SET_BOOT_INFO", .number = UINT64_C(0xf), .kind = FH_ABI_call,
     .function = "set_boot_info", .is_own = false, .nchecks = 2, .narguments = 3,
     .checks[0] = {FH_ABI_IS_vm, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 3}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "REMAP_VM_IMAGE", .recorded = "HVC_REMAP_VM_IMAGE", .number = UINT64_C(0x10), .kind = FH_ABI_call,
     .function = "remap_vm_image", .is_own = false, .nchecks = 3, .narguments = 3,
     .checks[0] = {FH_ABI_IS_vm, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_pfn, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_load_idx, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "VERIFY_VM_IMAGE", .recorded = "HVC_VERIFY_VM_IMAGE", .number = UINT64_C(0x11), .kind = FH_ABI_call,
     .function = "verify_and_load_images", .is_own = false, .nchecks = 1, .narguments = 1,
     .checks[0] = {FH_ABI_IS_vm, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_FREE_PGD", .recorded = "HVC_SMMU_FREE_PGD", .number = UINT64_C(0x12), .kind = FH_ABI_call,
     .function = "el2_free_smmu_pgd", .is_own = false, .nchecks = 2, .narguments = 2,
     .checks[0] = {FH_ABI_IS_cbndx, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_smmu, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_ALLOC_PGD", .recorded = "HVC_SMMU_ALLOC_PGD", .number = UINT64_C(0x13), .kind = FH_ABI_call,
     .function = "el2_alloc_smmu_pgd", .is_own = false, .nchecks = 3, .narguments = 3,
     .checks[0] = {FH_ABI_IS_cbndx, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_smmu, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_vm_or_host, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_LPAE_MAP", .recorded = "HVC_SMMU_LPAE_MAP", .number = UINT64_C(0x14), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_map", .is_own = false, .nchecks = 5, .narguments = 5,
     .checks[0] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_attributes, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .checks[3] = {FH_ABI_IS_cbndx, {FH_ABI_FROM_register, 4, 64, UINT64_C(0)}, 255}, .checks[4] = {FH_ABI_IS_smmu, {FH_ABI_FROM_register, 5, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, .arguments[3] = {FH_ABI_FROM_register, 4, 32, UINT64_C(0)}, .arguments[4] = {FH_ABI_FROM_register, 5, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_LPAE_IOVA_TO_PHYS", .recorded = "HVC_SMMU_LPAE_IOVA_TO_PHYS", .number = UINT64_C(0x15), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_iova_to_phys", .is_own = false, .nchecks = 3, .narguments = 3,
     .checks[0] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_cbndx, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_smmu, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_result, 0, UINT64_C(0)}, },
    {.name = "SMMU_CLEAR", .recorded = "HVC_SMMU_CLEAR", .number = UINT64_C(0x16), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_clear", .is_own = false, .nchecks = 3, .narguments = 3,
     .checks[0] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_cbndx, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .checks[2] = {FH_ABI_IS_smmu, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "PHYS_ADDR_IOREMAP", .recorded = "HVC_PHYS_ADDR_IOREMAP", .number = UINT64_C(0x17), .kind = FH_ABI_call,
     .function = "kvm_phys_addr_ioremap", .is_own = false, .nchecks = 3, .narguments = 4,
     .checks[0] = {FH_ABI_IS_vmid, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_addr, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 4}, .checks[2] = {FH_ABI_IS_paddr, {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, 4}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, .arguments[3] = {FH_ABI_FROM_register, 4, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "REGISTER_KVM", .recorded = "HVC_REGISTER_KVM", .number = UINT64_C(0x18), .kind = FH_ABI_call,
     .function = "register_kvm", .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_result, 0, UINT64_C(0)}, },
    {.name = "REGISTER_VCPU", .recorded = "HVC_REGISTER_VCPU", .number = UINT64_C(0x19), .kind = FH_ABI_call,
     .function = "register_vcpu", .is_own = false, .nchecks = 2, .narguments = 2,
     .checks[0] = {FH_ABI_IS_vm, {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, 255}, .checks[1] = {FH_ABI_IS_vcpu, {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, 255}, .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
};

static const struct fh_abi hypercalls = {
    .ncalls = 14, .calls = hypercalls_rows, .unknown = FH_ABI_nothing,

};

static const struct fh_abi_call guest_calls_rows[] = {
    {.name = "KVM_SET_DESC_PFN", .recorded = "HVC_KVM_SET_DESC_PFN", .number = UINT64_C(0xb), .kind = FH_ABI_call,
     .function = "grant_stage2_sg_gpa", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_vmid, 0, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "KVM_UNSET_DESC_PFN", .recorded = "HVC_KVM_UNSET_DESC_PFN", .number = UINT64_C(0xc), .kind = FH_ABI_call,
     .function = "revoke_stage2_sg_gpa", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_vmid, 0, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
};

static const struct fh_abi guest_calls = {
    .ncalls = 2, .calls = guest_calls_rows, .unknown = FH_ABI_nothing,

};

