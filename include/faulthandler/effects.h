/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_EFFECTS_H
#define FAULTHANDLER_EFFECTS_H

#include <stdint.h>

#include <faulthandler/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a call does, as it does it: X(NAME, number of values, their names). An observer sees the
 * effects in order, of calls that later end stuck too. The names are those of a trace's records,
 * where it has one.
 */
/* clang-format off */
#define FH_EFFECT_MAP(X)                                                                            \
    X(LOCK, 1, "lock")               /* a lock of the state is taken: its id */                      \
    X(UNLOCK, 1, "lock")             /* and given back */                                           \
    X(PANIC, 0, "")                  /* the machine halts */                                        \
    X(S2_READ, 3, "pfn,field,value") /* ownership read; field 0 owner, 1 count, 2 gfn */            \
    X(S2_SET, 4, "pfn,field,old,new")                                                               \
    X(NPT_READ, 4, "vmid,addr,level,pte")                                                           \
    /* a page or block; concrete states tell of words, PT_STORE, instead */                        \
    X(NPT_SET, 6, "vmid,addr,level,pte,old_level,old_pte")                                                            \
    X(SPT_READ, 4, "cbndx,index,iova,pte")                                                          \
    /* the same, SMMU_PT_STORE */                                                                  \
    X(SPT_SET, 5, "cbndx,index,iova,pte,old_pte")                                                           \
    X(SPT_CLEAR, 2, "cbndx,index")                                                                  \
    X(SMMU_CFG_SET, 4, "cbndx,index,vmid,old_vmid")                                                          \
    X(MMIO_READ, 2, "addr,value")                                                                   \
    X(MMIO_WRITE, 3, "addr,value,len")                                                              \
    X(SKIP_INSTR, 1, "elr_el2")                                                                     \
    X(EMULATE_MMIO, 3, "addr,hsr,result")                                                           \
    X(SHADOW_SET, 4, "vmid,vcpuid,register,value")                                                  \
    /* a value of a data oracle; what: enum fh_asked */                                             \
    X(DATA_READ, 6, "vmid,n,value,what,vcpuid,index")                                               \
    X(SCRUB, 1, "pfn")                                                                              \
    X(VM_SET, 4, "vmid,field,sub,new")  /* a field of FH_VM_FIELD_MAP, about to be set */           \
    X(CORE_SET, 2, "field,new")         /* 0 next_vmid, 1 next_remap_ptr, about to be set */        \
    X(CALL, 6, "function,a,b,c,d,e")    /* a function of FH_FUNCTION_NAME_MAP begins */             \
    X(RETURN, 4, "function,a,b,c")      /* and ends: arguments, then the result */                  \
    X(DIRTY_SET, 3, "vmid,vcpuid,value") /* dirty bits of a vCPU, about to be set */                \
    X(INT_SET, 4, "vmid,vcpuid,register,value") /* a register that the host is shown */             \
    X(GP_CLEAR, 2, "vmid,vcpuid")       /* all general registers become 0 */                        \
    X(PER_CPU, 2, "vmid,vcpuid")        /* the context that the CPU is about to use */              \
    /* a word of a stage-2 table, in concrete states: level 0 pgd, 1 pud, 2 pmd, 3 pte; addr: the   \
     * address that it is written for, as walk_pgd and its like were told */                        \
    X(PT_STORE, 6, "vmid,pa,old,new,level,addr")                                                    \
    X(SMMU_PT_STORE, 4, "pa,old,new,iova") /* the same of an SMMU table */                          \
    X(POOL_SET, 4, "vmid,level,old,new") /* the next free page of a pool: 0 pgd, 1 pud, 2 pmd */    \
    X(SMMU_POOL_SET, 3, "level,old,new") /* the same of SMMU tables; both in concrete states */    \
    X(TLBI, 2, "vmid,ipa")              /* no TLB has a translation of this any more */             \
    X(VTCR_SET, 1, "value")             /* VTCR_EL2, which RData does not have */                   \
    /* a register of a context that RData does not have, or has for something else */              \
    X(SPARE_SET, 5, "vmid,vcpuid,register,old,value")

/*
 * What KCore keeps of a VM: X(NAME, field). `sub` is the vCPU or the boot image, where there are
 * several.
 */
#define FH_VM_FIELD_MAP(X)                                                                          \
    X(STATE, "state")                                                                               \
    X(VCPU_STATE, "vcpu_state")                                                                     \
    X(KVM, "kvm")                                                                                   \
    X(VCPU, "vcpu")                                                                                 \
    X(NEXT_LOAD_IDX, "next_load_idx")                                                               \
    X(LOAD_ADDR, "load_addr")                                                                       \
    X(LOAD_SIZE, "load_size")                                                                       \
    X(REMAP_ADDR, "remap_addr")                                                                     \
    X(MAPPED, "mapped")                                                                             \
    X(POWER, "power")                                                                               \
    X(FIRST_RUN, "first_run")                                                                       \
    X(INC_EXE, "inc_exe")

/*
 * The functions that CALL and RETURN tell of, the names that recorders use for them, and how many
 * arguments a record of them has (those beyond the function's own are 0): X(function, name, number).
 * Of a function without arguments the current VM and vCPU are told. populate_fault_info is a
 * function of machines that the spec does not have.
 */
#define FH_FUNCTION_NAME_MAP(X)                                                                     \
    X(register_kvm, "register_kvm", 0)                                                              \
    X(map_page_host, "map_page_host", 1)                                                            \
    X(clear_vm_page, "clear_vm_page", 2)                                                            \
    X(grant_vm_page, "grant_vm_page", 2)                                                            \
    X(revoke_vm_page, "revoke_vm_page", 2)                                                          \
    X(map_vm_io, "map_vm_io", 3)                                                                    \
    X(assign_pfn_to_vm, "assign_pfn_to_vm", 3)                                                      \
    X(clear_vm_range, "clear_vm_range", 3)                                                          \
    X(map_pfn_vm, "map_pfn_vm", 4)                                                                  \
    X(map_s2pt, "mmap_s2pt", 5)                                                                     \
    X(register_vcpu, "register_vcpu", 5)                                                            \
    X(set_boot_info, "set_boot_info", 5)                                                            \
    X(remap_vm_image, "remap_vm_image", 5)                                                          \
    X(map_io, "map_io", 5)                                                                          \
    X(verify_and_load_images, "verify_and_load_images", 5)                                          \
    X(unmap_and_load_vm_image, "unmap_and_load_vm_image", 5)                                        \
    X(walk_s2pt, "walk_s2pt", 5)                                                                    \
    X(prot_and_map_vm_s2pt, "prot_and_map_vm_s2pt", 5)                                              \
    X(clear_pfn_host, "clear_pfn_host", 5)                                                          \
    X(restore_shadow_kvm_regs, "restore_shadow_kvm_regs", 5)                                        \
    X(reset_gp_regs, "reset_gp_regs", 5)                                                            \
    X(search_load_info, "search_load_info", 5)                                                      \
    X(reset_sys_regs, "reset_sys_regs", 5)                                                          \
    X(core_handle_pvops, "handle_pvops", 5)                                                         \
    X(save_shadow_kvm_regs, "save_shadow_kvm_regs", 5)                                              \
    X(prep_hvc, "prep_hvc", 5)                                                                      \
    X(prep_abort, "prep_abort", 5)                                                                  \
    X(prep_wfx, "prep_wfx", 5)                                                                      \
    X(populate_fault_info, "populate_fault_info", 5)                                                \
    X(post_handle_shadow_s2pt_fault, "post_handle_shadow_s2pt_fault", 5)                            \
    X(grant_stage2_sg_gpa, "grant_stage2_sg_gpa", 5)                                                \
    X(revoke_stage2_sg_gpa, "revoke_stage2_sg_gpa", 5)                                              \
    X(handle_smmu_global_access, "handle_smmu_global_access", 5)                                    \
    X(handle_smmu_cb_access, "handle_smmu_cb_access", 5)                                            \
    X(alloc_smmu, "alloc_smmu", 5)                                                                  \
    X(assign_smmu, "assign_smmu", 5)                                                                \
    X(map_smmu, "map_smmu", 5)                                                                      \
    X(update_smmu_page, "update_smmu_page", 5)                                                      \
    X(clear_smmu, "clear_smmu", 5)                                                                  \
    X(unmap_smmu_page, "unmap_smmu_page", 5)                                                        \
    X(assign_pfn_to_smmu, "assign_pfn_to_smmu", 5)                                                  \
    X(save_encrypt_buf, "encrypt_buf", 5)                                                           \
    X(load_decrypt_buf, "decrypt_buf", 5)                                                           \
    X(update_exception_gp_regs, "v_update_exception_gp_regs", 5)

/* clang-format on */
enum fh_called {
#define FH_CALLED_ENUM(name, recorded, nargs) FH_CALLED_##name,
    FH_FUNCTION_NAME_MAP(FH_CALLED_ENUM)
#undef FH_CALLED_ENUM
        FH_CALLED_FUNCTIONS
};

enum fh_vm_field {
#define FH_VM_FIELD_ENUM(name, text) FH_VM_##name,
    FH_VM_FIELD_MAP(FH_VM_FIELD_ENUM)
#undef FH_VM_FIELD_ENUM
        FH_VM_FIELDS
};

enum fh_effect_kind {
#define FH_EFFECT_ENUM(name, nvalues, names) FH_EFFECT_##name,
    FH_EFFECT_MAP(FH_EFFECT_ENUM)
#undef FH_EFFECT_ENUM
        FH_EFFECT_KINDS
};

struct fh_effect {
    enum fh_effect_kind kind;
    uint64_t values[6];
};

FH_API const char *fh_effect_name(enum fh_effect_kind kind);
FH_API unsigned fh_effect_nvalues(enum fh_effect_kind kind);
FH_API const char *fh_effect_value_names(enum fh_effect_kind kind);

/* The name of what an effect's number `function` (CALL, RETURN) or `field` (VM_SET) stands for. */
FH_API const char *fh_called_name(uint64_t function);
FH_API const char *fh_vm_field_name(uint64_t field);

#ifdef __cplusplus
}
#endif

#endif
