/* SPDX-License-Identifier: GPL-2.0-only */
/* Made of machines/sekvm-4.18/machine.yaml by scripts/compile-machines. */
/* clang-format off */
#include <faulthandler/abi.h>
#include <faulthandler/profile.h>

#include <stddef.h>

extern const struct fh_profile fh_profile_sekvm_4_18;
#define FH_MACHINE_PROFILE &fh_profile_sekvm_4_18

static const struct fh_abi_call hypercalls_rows[] = {
    {.name = "ENABLE_S2_TRANS", .recorded = "HVC_ENABLE_S2_TRANS", .number = UINT64_C(0x6), .kind = FH_ABI_boot,
     .function = "enable_s2_trans", .is_own = true, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "L4", },
    {.name = "TIMER_SET_CNTVOFF", .recorded = "HVC_TIMER_SET_CNTVOFF", .number = UINT64_C(0x7), .kind = FH_ABI_call,
     .function = "timer_set_cntvoff", .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "VCPU_RUN", .recorded = "HVC_VCPU_RUN", .number = UINT64_C(0x8), .kind = FH_ABI_run,
     .function = "restore_vm", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_exit, 0, UINT64_C(0)}, },
    {.name = "CLEAR_VM_S2_RANGE", .recorded = "HVC_CLEAR_VM_S2_RANGE", .number = UINT64_C(0x9), .kind = FH_ABI_call,
     .function = "clear_vm_stage2_range", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SET_BOOT_INFO", .recorded = "HVC_SET_BOOT_INFO", .number = UINT64_C(0xa), .kind = FH_ABI_call,
     .function = "set_boot_info", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_result, 0, UINT64_C(0)}, },
    {.name = "REMAP_VM_IMAGE", .recorded = "HVC_REMAP_VM_IMAGE", .number = UINT64_C(0xb), .kind = FH_ABI_call,
     .function = "remap_vm_image", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "VERIFY_VM_IMAGE", .recorded = "HVC_VERIFY_VM_IMAGES", .number = UINT64_C(0xc), .kind = FH_ABI_call,
     .function = "verify_and_load_images", .is_own = false, .nchecks = 0, .narguments = 1,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_value, 0, UINT64_C(0x1)}, },
    {.name = "REGISTER_KVM", .recorded = "HVC_REGISTER_KVM", .number = UINT64_C(0xd), .kind = FH_ABI_call,
     .function = "register_kvm", .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_result, 0, UINT64_C(0)}, },
    {.name = "REGISTER_VCPU", .recorded = "HVC_REGISTER_VCPU", .number = UINT64_C(0xe), .kind = FH_ABI_call,
     .function = "register_vcpu", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_value, 0, UINT64_C(0)}, },
    {.name = "BOOT_FROM_SAVED_VM", .recorded = "HVC_BOOT_FROM_SAVED_VM", .number = UINT64_C(0x13), .kind = FH_ABI_call,
     .function = "panic", .is_own = false, .nchecks = 0, .narguments = 0,

     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "A6", },
    {.name = "ENCRYPT_BUF", .recorded = "HVC_ENCRYPT_BUF", .number = UINT64_C(0x14), .kind = FH_ABI_call,
     .function = "save_encrypt_buf", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "A54", },
    {.name = "DECRYPT_BUF", .recorded = "HVC_DECRYPT_BUF", .number = UINT64_C(0x15), .kind = FH_ABI_call,
     .function = "load_decrypt_buf", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "A54", },
    {.name = "SAVE_CRYPT_VCPU", .recorded = "HVC_SAVE_CRYPT_VCPU", .number = UINT64_C(0x16), .kind = FH_ABI_call,
     .function = "save_encrypted_vcpu", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "A54", },
    {.name = "SMMU_FREE_PGD", .recorded = "HVC_SMMU_FREE_PGD", .number = UINT64_C(0x17), .kind = FH_ABI_call,
     .function = "el2_free_smmu_pgd", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_ALLOC_PGD", .recorded = "HVC_SMMU_ALLOC_PGD", .number = UINT64_C(0x18), .kind = FH_ABI_call,
     .function = "el2_alloc_smmu_pgd", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_LPAE_MAP", .recorded = "HVC_SMMU_LPAE_MAP", .number = UINT64_C(0x19), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_map", .is_own = false, .nchecks = 0, .narguments = 5,
     .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, .arguments[3] = {FH_ABI_FROM_register, 4, 32, UINT64_C(0)}, .arguments[4] = {FH_ABI_FROM_register, 5, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "SMMU_LPAE_IOVA_TO_PHYS", .recorded = "HVC_SMMU_LPAE_IOVA_TO_PHYS", .number = UINT64_C(0x1a), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_iova_to_phys", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_result, 0, UINT64_C(0)}, },
    {.name = "SMMU_CLEAR", .recorded = "HVC_SMMU_CLEAR", .number = UINT64_C(0x1b), .kind = FH_ABI_call,
     .function = "el2_arm_lpae_clear", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "PHYS_ADDR_IOREMAP", .recorded = "HVC_PHYS_ADDR_IOREMAP", .number = UINT64_C(0x1c), .kind = FH_ABI_call,
     .function = "kvm_phys_addr_ioremap", .is_own = false, .nchecks = 0, .narguments = 4,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 3, 64, UINT64_C(0)}, .arguments[3] = {FH_ABI_FROM_register, 4, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "LOAD_CRYPT_VCPU", .recorded = "HVC_LOAD_CRYPT_VCPU", .number = UINT64_C(0x1d), .kind = FH_ABI_call,
     .function = "load_encrypted_vcpu", .is_own = false, .nchecks = 0, .narguments = 2,
     .arguments[0] = {FH_ABI_FROM_register, 1, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 2, 32, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, .departs = "A54", },
};

static const struct fh_abi hypercalls = {
    .ncalls = 20, .calls = hypercalls_rows, .unknown = FH_ABI_panic,
    .checks_by = "A5", .answers_by = "A7", .unknown_by = "A6",
};

static const struct fh_abi_call guest_calls_rows[] = {
    {.name = "KVM_SET_DESC_PFN", .recorded = "HVC_KVM_SET_DESC_PFN", .number = UINT64_C(0x81000), .kind = FH_ABI_call,
     .function = "grant_stage2_sg_gpa", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_vmid, 0, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
    {.name = "KVM_UNSET_DESC_PFN", .recorded = "HVC_KVM_UNSET_DESC_PFN", .number = UINT64_C(0x82000), .kind = FH_ABI_call,
     .function = "revoke_stage2_sg_gpa", .is_own = false, .nchecks = 0, .narguments = 3,
     .arguments[0] = {FH_ABI_FROM_vmid, 0, 32, UINT64_C(0)}, .arguments[1] = {FH_ABI_FROM_register, 1, 64, UINT64_C(0)}, .arguments[2] = {FH_ABI_FROM_register, 2, 64, UINT64_C(0)},
     .answer = {FH_ABI_ANSWERS_none, 0, UINT64_C(0)}, },
};

static const struct fh_abi guest_calls = {
    .ncalls = 2, .calls = guest_calls_rows, .unknown = FH_ABI_nothing,
    .arguments_by = "A8",
};

