/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_MACHINES_SEKVM_4_18_H
#define FH_MACHINES_SEKVM_4_18_H

#define FH_LAYER "sekvm-4.18"
#define FH_BELOW fh_machine_bodies
#include "machine/overlay.h"

#include "layers/physical.h"
#include "machine/data.h"

/*
 * The shipped kernel of Linux 4.18, where it does otherwise than the spec and its verified bodies.
 * Each file has one theme; what a departure is, in words and with its evidence, stands in the
 * catalogue of machine.yaml.
 */
/* clang-format off */
#define SWITCH_MAP(X)                                                                               \
    X(A1) X(A4) X(A5) X(A6) X(A7) X(A8) X(A10) X(A11) X(A12) X(A13) X(A14) X(A15) X(A17) X(A18)     \
    X(A22) X(A24) X(A26) X(A27) X(A28) X(A30) X(A31) X(A32) X(A33) X(A37) X(A39) X(A40) X(A41)      \
    X(A42) X(A43) X(A45) X(A46) X(A48) X(A49) X(A50) X(A53) X(A54)                                  \
    X(E1) X(E4) X(E5) X(E7) X(E8) X(E9) X(E10)                                                      \
    X(L1) X(L2) X(L4) X(L5) X(L6) X(L7) X(L8) X(L9) X(L10) X(L11) X(L12) X(L14)                     \
    X(N1) X(N2) X(N3)
FH_SWITCHES(SWITCH_MAP, 11)

/* clang-format on */
/* Shadow registers by the numbers of the profile. */
static inline enum fh_status get(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t reg,
                                 uint64_t *value)
{
    return kc_get_shadow_ctxt(s, vmid, vcpuid, (uint32_t)reg, value);
}

static inline enum fh_status set(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t reg,
                                 uint64_t value)
{
    return kc_set_shadow_ctxt(s, vmid, vcpuid, (uint32_t)reg, value);
}

/* The numbers that get_cur_vmid and get_cur_vcpu_id read. */
static inline uint32_t cur_vmid(const struct fh_state *s)
{
    return (uint32_t)s->adt->cur_vmid;
}

static inline uint32_t cur_vcpuid(const struct fh_state *s)
{
    return (uint32_t)s->adt->cur_vcpuid;
}

/* clang-format off */
/* The functions that it has of its own. */
#define SEKVM_FUNCTIONS(X)                                                                          \
    X(panic) X(verify_image) X(set_next_remap_ptr) X(set_shadow_dirty_bit) X(host_skip_instr)       \
    X(core_handle_sys64) X(smmu_pt_clear) X(set_vm_kvm) X(get_sys_reg_desc_val) X(alloc_pgd_page)   \
    X(walk_pud) X(walk_pmd) X(walk_pte) X(set_pmd) X(set_pte) X(set_npt) X(clear_pfn_host)          \
    X(map_page_host) X(clear_vm_page) X(assign_pfn_to_vm) X(assign_pfn_to_smmu)                     \
    X(update_smmu_page) X(map_vm_io) X(prot_and_map_vm_s2pt) X(grant_stage2_sg_gpa)                 \
    X(revoke_stage2_sg_gpa) X(gen_vmid) X(set_vm_poweroff) X(get_vm_poweron) X(clear_smmu)          \
    X(register_vcpu) X(set_boot_info) X(remap_vm_image) X(verify_and_load_images)                   \
    X(el2_alloc_smmu_pgd) X(el2_free_smmu_pgd) X(set_vcpu_active) X(set_vcpu_inactive)              \
    X(assign_smmu) X(save_encrypt_buf) X(load_decrypt_buf) X(load_encrypted_vcpu)                   \
    X(decrypt_gp_regs) X(decrypt_sys_regs) X(smmu_assign_page) X(smmu_init_pte)                     \
    X(el2_arm_lpae_map) X(save_encrypted_vcpu) X(handle_host_mmio) X(handle_smmu_global_access)     \
    X(__handle_smmu_write) X(update_exception_gp_regs) X(prep_abort) X(get_vm_fault_addr)           \
    X(reset_sys_regs) X(restore_shadow_kvm_regs) X(save_shadow_kvm_regs) X(save_sysregs)            \
    X(core_to_vm) X(exit_populate_fault) X(save_vm) X(restore_host) X(restore_vm)                   \
    X(core_handle_pvops) X(vm_exit_dispatcher) X(vm_exit_handler_raw)

#define SEKVM_OWN_fixed(name, ret, n, ...)
#define SEKVM_OWN_open(name, ret, n, ...)                                                           \
    enum fh_status m_##name(struct fh_state *s FH_ARGS_##n(__VA_ARGS__) FH_RESULT_##ret);
#define SEKVM_OWN_abi(name, ret, n, ...) SEKVM_OWN_open(name, ret, n, __VA_ARGS__)
#define SEKVM_OWN(layer, name, hook, told, ret, n, ...) SEKVM_OWN_##hook(name, ret, n, __VA_ARGS__)
FH_FUNCTION_MAP(SEKVM_OWN)
/* clang-format on */

/* HVC_ENABLE_S2_TRANS, which no function of the spec is. */
enum fh_status sekvm_enable_s2_trans(struct fh_state *s, const uint64_t *args, uint64_t *result);

#endif
