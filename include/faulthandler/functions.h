/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_FUNCTIONS_H
#define FAULTHANDLER_FUNCTIONS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The registry: every spec function, by layer, bottom to top. A row is
 *   X(layer, name, hook, told, result, number of arguments, type, name, type, name, ...)
 * `hook` is `open` where a machine may do otherwise (machine.h), `abi` where also its table of
 * calls may (abi.h), else `fixed`: what runs often and no machine of the family changes. `told`
 * functions are told to observers when they are called (effects.h: CALL), `quiet` ones are not.
 * `result` is `state` for a function that returns a state, u32 or u64 for one that only reads, and
 * state_u32 or state_u64 for one that returns both. Names are Coq's without `_spec`.
 *
 * Prototypes, dispatch to machines, calls by name, conformance runs, scenarios and bindings come
 * from this table; a function that is not in it does not exist.
 */

/* clang-format off */
#define FH_LAYER_AbstractMachine(X)                                                                \
    X(AbstractMachine, acquire_shared, fixed, quiet, state, 1, u32, lk)                            \
    X(AbstractMachine, release_shared_pt, fixed, quiet, state, 1, u32, vmid)                       \
    X(AbstractMachine, release_shared_spt, fixed, quiet, state, 0, )                               \
    X(AbstractMachine, release_shared_s2page, fixed, quiet, state, 0, )                            \
    X(AbstractMachine, release_shared_core, fixed, quiet, state, 0, )                              \
    X(AbstractMachine, release_shared_vm, fixed, quiet, state, 1, u32, vmid)                       \
    X(AbstractMachine, release_shared_smmu, fixed, quiet, state, 0, )                              \
    X(AbstractMachine, get_now, fixed, quiet, state_u32, 1, u32, lk)                               \
    X(AbstractMachine, incr_now, fixed, quiet, state, 1, u32, lk)                                  \
    X(AbstractMachine, barrier, fixed, quiet, state, 0, )                                          \
    X(AbstractMachine, log_hold, fixed, quiet, state, 1, u32, lk)                                  \
    X(AbstractMachine, incr_ticket, fixed, quiet, state_u32, 2, u32, bound, u32, lk)               \
    X(AbstractMachine, check, fixed, quiet, u32, 1, u32, n)                                        \
    X(AbstractMachine, check64, fixed, quiet, u64, 1, u64, n)                                      \
    X(AbstractMachine, fetch_from_doracle, open, quiet, state, 3, u32, vmid, u64, pfn, u64, pgnum) \
    X(AbstractMachine, panic, open, quiet, state, 0, )                                             \
    X(AbstractMachine, get_shared_kvm, open, quiet, u64, 1, u32, vmid)                             \
    X(AbstractMachine, get_shared_vcpu, open, quiet, u64, 2, u32, vmid, u32, vcpuid)               \
    X(AbstractMachine, verify_image, open, quiet, u32, 2, u32, vmid, u64, addr)                    \
    X(AbstractMachine, get_sys_reg_desc_val, open, quiet, u64, 1, u32, index)                      \
    X(AbstractMachine, get_exception_vector, open, quiet, u64, 1, u64, pstate)                     \
    X(AbstractMachine, get_pgd_next, fixed, quiet, u64, 1, u32, vmid)                              \
    X(AbstractMachine, get_pgd_next_spec0, fixed, quiet, u64, 1, u32, vmid)                        \
    X(AbstractMachine, set_pgd_next, fixed, quiet, state, 2, u32, vmid, u64, next)                 \
    X(AbstractMachine, set_pgd_next_spec0, fixed, quiet, state, 2, u32, vmid, u64, next)           \
    X(AbstractMachine, get_pud_next, fixed, quiet, u64, 1, u32, vmid)                              \
    X(AbstractMachine, get_pud_next_spec0, fixed, quiet, u64, 1, u32, vmid)                        \
    X(AbstractMachine, set_pud_next, fixed, quiet, state, 2, u32, vmid, u64, next)                 \
    X(AbstractMachine, set_pud_next_spec0, fixed, quiet, state, 2, u32, vmid, u64, next)           \
    X(AbstractMachine, get_pmd_next, fixed, quiet, u64, 1, u32, vmid)                              \
    X(AbstractMachine, get_pmd_next_spec0, fixed, quiet, u64, 1, u32, vmid)                        \
    X(AbstractMachine, set_pmd_next, fixed, quiet, state, 2, u32, vmid, u64, next)                 \
    X(AbstractMachine, set_pmd_next_spec0, fixed, quiet, state, 2, u32, vmid, u64, next)           \
    X(AbstractMachine, pt_load, fixed, quiet, u64, 2, u32, vmid, u64, addr)                        \
    X(AbstractMachine, pt_load_spec0, fixed, quiet, u64, 2, u32, vmid, u64, addr)                  \
    X(AbstractMachine, pt_store, fixed, quiet, state, 3, u32, vmid, u64, addr, u64, value)         \
    X(AbstractMachine, pt_store_spec0, fixed, quiet, state, 3, u32, vmid, u64, addr, u64, value)   \
    X(AbstractMachine, get_pt_vttbr, fixed, quiet, u64, 1, u32, vmid)                              \
    X(AbstractMachine, set_pt_vttbr, fixed, quiet, state, 2, u32, vmid, u64, vttbr)                \
    X(AbstractMachine, get_smmu_pgd_next, fixed, quiet, u64, 0, )                                  \
    X(AbstractMachine, set_smmu_pgd_next, fixed, quiet, state, 1, u64, next)                       \
    X(AbstractMachine, get_smmu_pmd_next, fixed, quiet, u64, 0, )                                  \
    X(AbstractMachine, set_smmu_pmd_next, fixed, quiet, state, 1, u64, next)                       \
    X(AbstractMachine, get_smmu_cfg_hw_ttbr, fixed, quiet, u64, 2, u32, cbndx, u32, index)         \
    X(AbstractMachine, smmu_pt_load, fixed, quiet, u64, 1, u64, addr)                              \
    X(AbstractMachine, smmu_pt_store, fixed, quiet, state, 2, u64, addr, u64, value)               \
    X(AbstractMachine, smmu_pt_clear, open, quiet, state, 2, u32, cbndx, u32, index)               \
    X(AbstractMachine, get_mem_region_cnt, fixed, quiet, u32, 0, )                                 \
    X(AbstractMachine, get_mem_region_base, fixed, quiet, u64, 1, u32, index)                      \
    X(AbstractMachine, get_mem_region_size, fixed, quiet, u64, 1, u32, index)                      \
    X(AbstractMachine, get_mem_region_index, fixed, quiet, u64, 1, u32, index)                     \
    X(AbstractMachine, get_mem_region_flag, fixed, quiet, u64, 1, u32, index)                      \
    X(AbstractMachine, get_s2_page_vmid, fixed, quiet, u32, 1, u64, index)                         \
    X(AbstractMachine, set_s2_page_vmid, fixed, quiet, state, 2, u64, index, u32, vmid)            \
    X(AbstractMachine, get_s2_page_count, fixed, quiet, u32, 1, u64, index)                        \
    X(AbstractMachine, set_s2_page_count, fixed, quiet, state, 2, u64, index, u32, count)          \
    X(AbstractMachine, get_s2_page_gfn, fixed, quiet, u64, 1, u64, index)                          \
    X(AbstractMachine, set_s2_page_gfn, fixed, quiet, state, 2, u64, index, u64, gfn)              \
    X(AbstractMachine, get_next_vmid, fixed, quiet, u32, 0, )                                      \
    X(AbstractMachine, set_next_vmid, fixed, quiet, state, 1, u32, vmid)                           \
    X(AbstractMachine, get_next_remap_ptr, fixed, quiet, u64, 0, )                                 \
    X(AbstractMachine, set_next_remap_ptr, open, quiet, state, 1, u64, remap)                      \
    X(AbstractMachine, get_vm_state, fixed, quiet, u32, 1, u32, vmid)                              \
    X(AbstractMachine, set_vm_state, fixed, quiet, state, 2, u32, vmid, u32, state)                \
    X(AbstractMachine, get_vcpu_state, fixed, quiet, u32, 2, u32, vmid, u32, vcpuid)               \
    X(AbstractMachine, set_vcpu_state, open, quiet, state, 3, u32, vmid, u32, vcpuid, u32, state)  \
    X(AbstractMachine, get_vm_kvm, fixed, quiet, u64, 1, u32, vmid)                                \
    X(AbstractMachine, set_vm_kvm, open, quiet, state, 2, u32, vmid, u64, kvm)                     \
    X(AbstractMachine, get_vm_vcpu, fixed, quiet, u64, 2, u32, vmid, u32, vcpuid)                  \
    X(AbstractMachine, set_vm_vcpu, fixed, quiet, state, 3, u32, vmid, u32, vcpuid, u64, vcpu)     \
    X(AbstractMachine, get_vm_next_load_idx, fixed, quiet, u32, 1, u32, vmid)                      \
    X(AbstractMachine, set_vm_next_load_idx, fixed, quiet, state, 2, u32, vmid, u32, load_idx)     \
    X(AbstractMachine, get_vm_load_addr, fixed, quiet, u64, 2, u32, vmid, u32, load_idx)           \
    X(AbstractMachine, set_vm_load_addr, fixed, quiet, state, 3, u32, vmid, u32, load_idx,         \
      u64, load_addr)                                                                              \
    X(AbstractMachine, get_vm_load_size, fixed, quiet, u64, 2, u32, vmid, u32, load_idx)           \
    X(AbstractMachine, set_vm_load_size, fixed, quiet, state, 3, u32, vmid, u32, load_idx,         \
      u64, size)                                                                                   \
    X(AbstractMachine, get_vm_remap_addr, fixed, quiet, u64, 2, u32, vmid, u32, load_idx)          \
    X(AbstractMachine, set_vm_remap_addr, fixed, quiet, state, 3, u32, vmid, u32, load_idx,        \
      u64, remap_addr)                                                                             \
    X(AbstractMachine, get_vm_mapped_pages, fixed, quiet, u64, 2, u32, vmid, u32, load_idx)        \
    X(AbstractMachine, set_vm_mapped_pages, fixed, quiet, state, 3, u32, vmid, u32, load_idx,      \
      u64, mapped)                                                                                 \
    X(AbstractMachine, get_vm_inc_exe, fixed, quiet, u32, 1, u32, vmid)                            \
    X(AbstractMachine, set_vm_inc_exe, open, quiet, state, 2, u32, vmid, u32, inc_exe)             \
    X(AbstractMachine, get_shadow_ctxt, fixed, quiet, u64, 3, u32, vmid, u32, vcpuid, u32, index)  \
    X(AbstractMachine, set_shadow_ctxt, fixed, quiet, state, 4, u32, vmid, u32, vcpuid,            \
      u32, index, u64, value)                                                                      \
    X(AbstractMachine, get_shadow_esr, fixed, quiet, u64, 2, u32, vmid, u32, vcpuid)               \
    X(AbstractMachine, get_int_esr, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)             \
    X(AbstractMachine, get_int_gpr, open, quiet, state_u64, 3, u32, vmid, u32, vcpuid, u32, index) \
    X(AbstractMachine, get_int_pc, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)              \
    X(AbstractMachine, get_int_pstate, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)          \
    X(AbstractMachine, set_int_gpr, fixed, quiet, state, 4, u32, vmid, u32, vcpuid, u32, index,    \
      u64, value)                                                                                  \
    X(AbstractMachine, clear_shadow_gp_regs, open, quiet, state, 2, u32, vmid, u32, vcpuid)        \
    X(AbstractMachine, reset_fp_regs, fixed, quiet, state, 2, u32, vmid, u32, vcpuid)              \
    X(AbstractMachine, get_shadow_dirty_bit, fixed, quiet, u64, 2, u32, vmid, u32, vcpuid)         \
    X(AbstractMachine, set_shadow_dirty_bit, open, quiet, state, 3, u32, vmid, u32, vcpuid,        \
      u64, value)                                                                                  \
    X(AbstractMachine, get_vm_fault_addr, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)       \
    X(AbstractMachine, get_int_new_pte, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)         \
    X(AbstractMachine, get_int_new_level, open, quiet, state_u64, 2, u32, vmid, u32, vcpuid)       \
    X(AbstractMachine, get_cur_vmid, fixed, quiet, u32, 0, )                                       \
    X(AbstractMachine, get_cur_vcpuid, fixed, quiet, u32, 0, )                                     \
    X(AbstractMachine, clear_phys_page, open, quiet, state, 1, u64, pfn)                           \
    X(AbstractMachine, set_per_cpu, open, quiet, state, 2, u32, vmid, u32, vcpuid)                 \
    X(AbstractMachine, encrypt_gp_regs, open, quiet, state, 2, u32, vmid, u32, vcpuid)             \
    X(AbstractMachine, encrypt_sys_regs, open, quiet, state, 2, u32, vmid, u32, vcpuid)            \
    X(AbstractMachine, decrypt_gp_regs, open, quiet, state, 2, u32, vmid, u32, vcpuid)             \
    X(AbstractMachine, decrypt_sys_regs, open, quiet, state, 2, u32, vmid, u32, vcpuid)            \
    X(AbstractMachine, get_int_run_vcpuid, open, quiet, state_u64, 1, u32, vmid)                   \
    X(AbstractMachine, host_to_core, open, quiet, state, 0, )                                      \
    X(AbstractMachine, vm_to_core, open, quiet, state, 0, )                                        \
    X(AbstractMachine, core_to_host, open, quiet, state, 0, )                                      \
    X(AbstractMachine, core_to_vm, open, quiet, state, 0, )                                        \
    X(AbstractMachine, exit_populate_fault, open, quiet, state, 0, )                               \
    X(AbstractMachine, save_sysregs, open, quiet, state, 0, )                                      \
    X(AbstractMachine, restore_sysregs, open, quiet, state, 0, )                                   \
    X(AbstractMachine, fpsimd_save_state, open, quiet, state, 0, )                                 \
    X(AbstractMachine, fpsimd_restore_state, open, quiet, state, 0, )                              \
    X(AbstractMachine, activate_traps, open, quiet, state, 0, )                                    \
    X(AbstractMachine, deactivate_traps, open, quiet, state, 0, )                                  \
    X(AbstractMachine, timer_enable_traps, open, quiet, state, 0, )                                \
    X(AbstractMachine, core_handle_sys64, open, quiet, state, 0, )                                 \
    X(AbstractMachine, timer_set_cntvoff, open, quiet, state, 0, )                                 \
    X(AbstractMachine, vm_el2_restore_state, open, quiet, state, 0, )                              \
    X(AbstractMachine, host_el2_restore_state, open, quiet, state, 0, )                            \
    X(AbstractMachine, get_smmu_cfg_vmid, fixed, quiet, u32, 2, u32, cbndx, u32, index)            \
    X(AbstractMachine, set_smmu_cfg_vmid, open, quiet, state, 3, u32, cbndx, u32, index,           \
      u32, vmid)                                                                                   \
    X(AbstractMachine, get_smmu_num_context_banks, fixed, quiet, u32, 1, u32, index)               \
    X(AbstractMachine, get_smmu_pgshift, fixed, quiet, u32, 1, u32, index)                         \
    X(AbstractMachine, get_smmu_num, fixed, quiet, u32, 0, )                                       \
    X(AbstractMachine, get_smmu_size, fixed, quiet, u64, 1, u32, index)                            \
    X(AbstractMachine, get_smmu_base, fixed, quiet, u64, 1, u32, index)                            \
    X(AbstractMachine, host_dabt_get_rd, fixed, quiet, u32, 1, u32, hsr)                           \
    X(AbstractMachine, host_dabt_is_write, fixed, quiet, u32, 1, u32, hsr)                         \
    X(AbstractMachine, host_dabt_get_as, fixed, quiet, u32, 1, u32, hsr)                           \
    X(AbstractMachine, mem_load_raw, fixed, quiet, state, 2, u64, gfn, u32, reg)                   \
    X(AbstractMachine, mem_store_raw, fixed, quiet, state, 2, u64, gfn, u32, reg)                  \
    X(AbstractMachine, dev_load_raw, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx,       \
      u32, index)                                                                                  \
    X(AbstractMachine, dev_store_raw, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx,      \
      u32, index)                                                                                  \
    X(AbstractMachine, writel_relaxed, fixed, quiet, state, 2, u64, value, u64, addr)              \
    X(AbstractMachine, writeq_relaxed, fixed, quiet, state, 2, u64, value, u64, addr)              \
    X(AbstractMachine, readq_relaxed, fixed, quiet, state_u64, 1, u64, addr)                       \
    X(AbstractMachine, readl_relaxed, fixed, quiet, state_u64, 1, u64, addr)                       \
    X(AbstractMachine, host_skip_instr, open, quiet, state, 0, )                                   \
    X(AbstractMachine, host_get_fault_ipa, fixed, quiet, u64, 1, u64, addr)                        \
    X(AbstractMachine, read_actlr_el1, fixed, quiet, state_u64, 0, )                               \
    X(AbstractMachine, read_hpfar_el2, fixed, quiet, u64, 0, )                                     \
    X(AbstractMachine, read_esr_el2, fixed, quiet, u64, 0, )                                       \
    X(AbstractMachine, encrypt_mem_buf, open, quiet, state, 3, u32, vmid, u64, inbuf, u64, outbuf) \
    X(AbstractMachine, decrypt_mem_buf, open, quiet, state, 2, u32, vmid, u64, inbuf)

#define FH_LAYER_LockOps(X)                                                                        \
    X(LockOps, wait_lock, fixed, quiet, state, 1, u32, lk)                                         \
    X(LockOps, pass_lock, fixed, quiet, state, 1, u32, lk)

#define FH_LAYER_LockOpsQ(X)                                                                       \
    X(LockOpsQ, wait_qlock, fixed, quiet, state, 1, u32, lk)                                       \
    X(LockOpsQ, pass_qlock, fixed, quiet, state, 1, u32, lk)

#define FH_LAYER_LockOpsH(X)                                                                       \
    X(LockOpsH, wait_hlock, fixed, quiet, state, 1, u32, lk)                                       \
    X(LockOpsH, pass_hlock, fixed, quiet, state, 1, u32, lk)

#define FH_LAYER_Locks(X)                                                                          \
    X(Locks, acquire_lock_pt, fixed, quiet, state, 1, u32, vmid)                                   \
    X(Locks, acquire_lock_spt, fixed, quiet, state, 0, )                                           \
    X(Locks, acquire_lock_s2page, fixed, quiet, state, 0, )                                        \
    X(Locks, acquire_lock_core, fixed, quiet, state, 0, )                                          \
    X(Locks, acquire_lock_vm, fixed, quiet, state, 1, u32, vmid)                                   \
    X(Locks, acquire_lock_smmu, fixed, quiet, state, 0, )                                          \
    X(Locks, release_lock_pt, fixed, quiet, state, 1, u32, vmid)                                   \
    X(Locks, release_lock_spt, fixed, quiet, state, 0, )                                           \
    X(Locks, release_lock_s2page, fixed, quiet, state, 0, )                                        \
    X(Locks, release_lock_core, fixed, quiet, state, 0, )                                          \
    X(Locks, release_lock_vm, fixed, quiet, state, 1, u32, vmid)                                   \
    X(Locks, release_lock_smmu, fixed, quiet, state, 0, )

#define FH_LAYER_PTAlloc(X)                                                                        \
    X(PTAlloc, alloc_pgd_page, open, quiet, state_u64, 1, u32, vmid)                               \
    X(PTAlloc, alloc_pud_page, open, quiet, state_u64, 1, u32, vmid)                               \
    X(PTAlloc, alloc_pmd_page, open, quiet, state_u64, 1, u32, vmid)

#define FH_LAYER_PTWalk(X)                                                                         \
    X(PTWalk, walk_pgd, open, quiet, state_u64, 4, u32, vmid, u64, vttbr, u64, addr, u32, alloc)   \
    X(PTWalk, walk_pud, open, quiet, state_u64, 4, u32, vmid, u64, pgd, u64, addr, u32, alloc)     \
    X(PTWalk, walk_pmd, open, quiet, state_u64, 4, u32, vmid, u64, pud, u64, addr, u32, alloc)     \
    X(PTWalk, walk_pte, open, quiet, u64, 3, u32, vmid, u64, pmd, u64, addr)                       \
    X(PTWalk, set_pmd, open, quiet, state, 4, u32, vmid, u64, pud, u64, addr, u64, pmd)            \
    X(PTWalk, set_pte, open, quiet, state, 4, u32, vmid, u64, pmd, u64, addr, u64, pte)

#define FH_LAYER_NPTWalk(X)                                                                        \
    X(NPTWalk, get_npt_level, fixed, quiet, u32, 2, u32, vmid, u64, addr)                          \
    X(NPTWalk, walk_npt, fixed, quiet, u64, 2, u32, vmid, u64, addr)                               \
    X(NPTWalk, set_npt, open, quiet, state, 4, u32, vmid, u64, addr, u32, level, u64, pte)         \
    X(NPTWalk, mem_load_ref, fixed, quiet, state, 2, u64, gfn, u32, reg)                           \
    X(NPTWalk, mem_store_ref, fixed, quiet, state, 2, u64, gfn, u32, reg)

#define FH_LAYER_NPTOps(X)                                                                         \
    X(NPTOps, get_level_s2pt, fixed, quiet, state_u32, 2, u32, vmid, u64, addr)                    \
    X(NPTOps, walk_s2pt, fixed, quiet, state_u64, 2, u32, vmid, u64, addr)                         \
    X(NPTOps, map_s2pt, open, told, state, 4, u32, vmid, u64, addr, u32, level, u64, pte)          \
    X(NPTOps, clear_pfn_host, open, told, state, 1, u64, pfn)

#define FH_LAYER_MmioPTAlloc(X)                                                                    \
    X(MmioPTAlloc, alloc_smmu_pgd_page, open, quiet, state_u64, 0, )                               \
    X(MmioPTAlloc, alloc_smmu_pmd_page, open, quiet, state_u64, 0, )

#define FH_LAYER_MmioPTWalk(X)                                                                     \
    X(MmioPTWalk, walk_smmu_pgd, open, quiet, state_u64, 3, u64, ttbr, u64, addr, u32, alloc)      \
    X(MmioPTWalk, walk_smmu_pmd, open, quiet, state_u64, 3, u64, pgd, u64, addr, u32, alloc)       \
    X(MmioPTWalk, walk_smmu_pte, open, quiet, u64, 2, u64, pmd, u64, addr)                         \
    X(MmioPTWalk, set_smmu_pte, open, quiet, state, 3, u64, pmd, u64, addr, u64, pte)

#define FH_LAYER_MmioSPTWalk(X)                                                                    \
    X(MmioSPTWalk, clear_smmu_pt, open, quiet, state, 2, u32, cbndx, u32, index)                   \
    X(MmioSPTWalk, walk_smmu_pt, fixed, quiet, u64, 3, u32, cbndx, u32, index, u64, addr)          \
    X(MmioSPTWalk, set_smmu_pt, open, quiet, state, 4, u32, cbndx, u32, index, u64, addr,          \
      u64, pte)                                                                                    \
    X(MmioSPTWalk, dev_load_ref, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx,           \
      u32, index)                                                                                  \
    X(MmioSPTWalk, dev_store_ref, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx,          \
      u32, index)

#define FH_LAYER_MmioSPTOps(X)                                                                     \
    X(MmioSPTOps, init_spt, open, quiet, state, 2, u32, cbndx, u32, index)                         \
    X(MmioSPTOps, walk_spt, fixed, quiet, state_u64, 3, u32, cbndx, u32, index, u64, addr)         \
    X(MmioSPTOps, map_spt, open, quiet, state, 4, u32, cbndx, u32, index, u64, addr, u64, pte)     \
    X(MmioSPTOps, unmap_spt, open, quiet, state_u64, 3, u32, cbndx, u32, index, u64, addr)

#define FH_LAYER_MemRegion(X)                                                                      \
    X(MemRegion, mem_region_search, fixed, quiet, u32, 1, u64, addr)

#define FH_LAYER_PageIndex(X)                                                                      \
    X(PageIndex, get_s2_page_index, fixed, quiet, u64, 1, u64, addr)

#define FH_LAYER_PageManager(X)                                                                    \
    X(PageManager, get_pfn_owner, fixed, quiet, u32, 1, u64, pfn)                                  \
    X(PageManager, set_pfn_owner, fixed, quiet, state, 2, u64, pfn, u32, vmid)                     \
    X(PageManager, get_pfn_count, fixed, quiet, u32, 1, u64, pfn)                                  \
    X(PageManager, set_pfn_count, fixed, quiet, state, 2, u64, pfn, u32, count)                    \
    X(PageManager, get_pfn_map, fixed, quiet, u64, 1, u64, pfn)                                    \
    X(PageManager, set_pfn_map, fixed, quiet, state, 2, u64, pfn, u64, gfn)

#define FH_LAYER_MemManager(X)                                                                     \
    X(MemManager, map_page_host, open, told, state, 1, u64, addr)                                  \
    X(MemManager, clear_vm_page, open, told, state, 2, u32, vmid, u64, pfn)                        \
    X(MemManager, assign_pfn_to_vm, open, told, state, 3, u32, vmid, u64, gfn, u64, pfn)           \
    X(MemManager, map_pfn_vm, open, told, state, 4, u32, vmid, u64, addr, u64, pte, u32, level)    \
    X(MemManager, map_vm_io, open, told, state, 3, u32, vmid, u64, gpa, u64, pa)                   \
    X(MemManager, grant_vm_page, open, told, state, 2, u32, vmid, u64, pfn)                        \
    X(MemManager, revoke_vm_page, open, told, state, 2, u32, vmid, u64, pfn)                       \
    X(MemManager, assign_pfn_to_smmu, open, told, state, 3, u32, vmid, u64, gfn, u64, pfn)         \
    X(MemManager, update_smmu_page, open, told, state, 5, u32, vmid, u32, cbndx, u32, index,       \
      u64, iova, u64, pte)                                                                         \
    X(MemManager, unmap_smmu_page, open, told, state, 3, u32, cbndx, u32, index, u64, iova)

#define FH_LAYER_MemoryOps(X)                                                                      \
    X(MemoryOps, clear_vm_range, open, told, state, 3, u32, vmid, u64, pfn, u64, num)              \
    X(MemoryOps, prot_and_map_vm_s2pt, open, told, state, 4, u32, vmid, u64, addr, u64, pte,       \
      u32, level)                                                                                  \
    X(MemoryOps, grant_stage2_sg_gpa, open, told, state, 3, u32, vmid, u64, addr, u64, size)       \
    X(MemoryOps, revoke_stage2_sg_gpa, open, told, state, 3, u32, vmid, u64, addr, u64, size)

#define FH_LAYER_VMPower(X)                                                                        \
    X(VMPower, set_vm_poweroff, open, quiet, state, 1, u32, vmid)                                  \
    X(VMPower, get_vm_poweron, open, quiet, state_u32, 1, u32, vmid)

#define FH_LAYER_BootCore(X)                                                                       \
    X(BootCore, gen_vmid, open, quiet, state_u32, 0, )                                             \
    X(BootCore, alloc_remap_addr, open, quiet, state_u64, 1, u64, pgnum)

#define FH_LAYER_BootAux(X)                                                                        \
    X(BootAux, unmap_and_load_vm_image, open, told, state, 4, u32, vmid, u64, target_addr,         \
      u64, remap_addr, u64, num)

#define FH_LAYER_BootOps(X)                                                                        \
    X(BootOps, search_load_info, open, told, state_u64, 2, u32, vmid, u64, addr)                   \
    X(BootOps, set_vcpu_active, open, quiet, state, 2, u32, vmid, u32, vcpuid)                     \
    X(BootOps, set_vcpu_inactive, open, quiet, state, 2, u32, vmid, u32, vcpuid)                   \
    X(BootOps, register_vcpu, open, told, state, 2, u32, vmid, u32, vcpuid)                        \
    X(BootOps, register_kvm, open, told, state_u32, 0, )                                           \
    X(BootOps, set_boot_info, open, told, state_u32, 3, u32, vmid, u64, load_addr, u64, size)      \
    X(BootOps, remap_vm_image, open, told, state, 3, u32, vmid, u64, pfn, u32, load_idx)           \
    X(BootOps, verify_and_load_images, open, told, state, 1, u32, vmid)                            \
    X(BootOps, alloc_smmu, open, told, state, 3, u32, vmid, u32, cbndx, u32, index)                \
    X(BootOps, assign_smmu, open, told, state, 3, u32, vmid, u64, pfn, u64, gfn)                   \
    X(BootOps, map_smmu, open, told, state, 5, u32, vmid, u32, cbndx, u32, index, u64, iova,       \
      u64, pte)                                                                                    \
    X(BootOps, clear_smmu, open, told, state, 4, u32, vmid, u32, cbndx, u32, index, u64, iova)     \
    X(BootOps, map_io, open, told, state, 3, u32, vmid, u64, gpa, u64, pa)                         \
    X(BootOps, is_inc_exe, open, quiet, state_u32, 1, u32, vmid)                                   \
    X(BootOps, save_encrypted_vcpu, open, quiet, state, 2, u32, vmid, u32, vcpuid)                 \
    X(BootOps, load_encrypted_vcpu, open, quiet, state, 2, u32, vmid, u32, vcpuid)                 \
    X(BootOps, save_encrypt_buf, open, told, state, 3, u32, vmid, u64, inbuf, u64, outbuf)         \
    X(BootOps, load_decrypt_buf, open, quiet, state, 2, u32, vmid, u64, inbuf)

#define FH_LAYER_MmioRaw(X)                                                                        \
    X(MmioRaw, host_get_mmio_data, fixed, quiet, u64, 1, u32, hsr)                                 \
    X(MmioRaw, smmu_init_pte, open, quiet, u64, 2, u64, prot, u64, addr)                           \
    X(MmioRaw, smmu_get_cbndx, open, quiet, u32, 1, u64, offset)

#define FH_LAYER_MmioCoreAux(X)                                                                    \
    X(MmioCoreAux, handle_smmu_global_access, open, told, u32, 3, u32, hsr, u64, offset,           \
      u32, smmu_index)                                                                             \
    X(MmioCoreAux, handle_smmu_cb_access, open, told, u32, 1, u64, offset)                         \
    X(MmioCoreAux, __handle_smmu_write, open, quiet, state, 5, u32, hsr, u64, fault_ipa, u32, len, \
      u64, val, u32, write_val)                                                                    \
    X(MmioCoreAux, __handle_smmu_read, fixed, quiet, state, 3, u32, hsr, u64, fault_ipa, u32, len)

#define FH_LAYER_MmioCore(X)                                                                       \
    X(MmioCore, handle_smmu_write, fixed, quiet, state, 4, u32, hsr, u64, fault_ipa, u32, len,     \
      u32, index)                                                                                  \
    X(MmioCore, handle_smmu_read, fixed, quiet, state, 3, u32, hsr, u64, fault_ipa, u32, len)

#define FH_LAYER_MmioOpsAux(X)                                                                     \
    X(MmioOpsAux, is_smmu_range, fixed, quiet, u32, 1, u64, addr)                                  \
    X(MmioOpsAux, handle_host_mmio, open, quiet, state, 3, u64, addr, u32, index, u32, hsr)

#define FH_LAYER_MmioOps(X)                                                                        \
    X(MmioOps, emulate_mmio, open, quiet, state_u32, 2, u64, addr, u32, hsr)                       \
    X(MmioOps, el2_free_smmu_pgd, open, quiet, state, 2, u32, cbndx, u32, index)                   \
    X(MmioOps, el2_alloc_smmu_pgd, open, quiet, state, 3, u32, cbndx, u32, vmid, u32, index)       \
    X(MmioOps, smmu_assign_page, open, quiet, state, 4, u32, cbndx, u32, index, u64, pfn,          \
      u64, gfn)                                                                                    \
    X(MmioOps, smmu_map_page, open, quiet, state, 4, u32, cbndx, u32, index, u64, iova, u64, pte)  \
    X(MmioOps, el2_arm_lpae_iova_to_phys, open, quiet, state_u64, 3, u64, iova, u32, cbndx,        \
      u32, index)                                                                                  \
    X(MmioOps, el2_arm_lpae_clear, open, quiet, state, 3, u64, iova, u32, cbndx, u32, index)

#define FH_LAYER_VCPUOpsAux(X)                                                                     \
    X(VCPUOpsAux, reset_gp_regs, open, told, state, 2, u32, vmid, u32, vcpuid)                     \
    X(VCPUOpsAux, reset_sys_regs, open, told, state, 2, u32, vmid, u32, vcpuid)                    \
    X(VCPUOpsAux, sync_dirty_to_shadow, open, quiet, state, 2, u32, vmid, u32, vcpuid)             \
    X(VCPUOpsAux, prep_wfx, open, told, state, 2, u32, vmid, u32, vcpuid)                          \
    X(VCPUOpsAux, prep_hvc, open, told, state, 2, u32, vmid, u32, vcpuid)                          \
    X(VCPUOpsAux, prep_abort, open, told, state, 2, u32, vmid, u32, vcpuid)                        \
    X(VCPUOpsAux, update_exception_gp_regs, open, told, state, 2, u32, vmid, u32, vcpuid)          \
    X(VCPUOpsAux, post_handle_shadow_s2pt_fault, open, told, state, 3, u32, vmid, u32, vcpuid,     \
      u64, addr)

#define FH_LAYER_VCPUOps(X)                                                                        \
    X(VCPUOps, save_shadow_kvm_regs, open, told, state, 0, )                                       \
    X(VCPUOps, restore_shadow_kvm_regs, open, told, state, 0, )

#define FH_LAYER_CtxtSwitch(X)                                                                     \
    X(CtxtSwitch, save_host, open, quiet, state, 0, )                                              \
    X(CtxtSwitch, restore_host, open, quiet, state, 0, )                                           \
    X(CtxtSwitch, save_vm, open, quiet, state, 0, )                                                \
    X(CtxtSwitch, restore_vm, open, quiet, state, 0, )

#define FH_LAYER_MemHandler(X)                                                                     \
    X(MemHandler, clear_vm_stage2_range, open, quiet, state, 3, u32, vmid, u64, start, u64, size)  \
    X(MemHandler, el2_arm_lpae_map, open, quiet, state, 5, u64, iova, u64, paddr, u64, prot,       \
      u32, cbndx, u32, index)                                                                      \
    X(MemHandler, kvm_phys_addr_ioremap, open, quiet, state, 4, u32, vmid, u64, gpa, u64, pa,      \
      u64, size)

#define FH_LAYER_FaultHandler(X)                                                                   \
    X(FaultHandler, handle_host_stage2_fault, open, quiet, state, 0, )                             \
    X(FaultHandler, core_handle_pvops, open, quiet, state_u32, 0, )

#define FH_LAYER_TrapDispatcher(X)                                                                 \
    X(TrapDispatcher, host_hvc_dispatcher, abi, quiet, state, 0, )                                 \
    X(TrapDispatcher, vm_exit_dispatcher, open, quiet, state_u32, 2, u32, vmid, u32, vcpuid)

#define FH_LAYER_TrapHandlerRaw(X)                                                                 \
    X(TrapHandlerRaw, host_hvc_handler_raw, open, quiet, state, 0, )                               \
    X(TrapHandlerRaw, host_npt_handler_raw, open, quiet, state, 0, )                               \
    X(TrapHandlerRaw, host_vcpu_run_handler_raw, open, quiet, state, 0, )                          \
    X(TrapHandlerRaw, vm_exit_handler_raw, open, quiet, state, 0, )

#define FH_LAYER_TrapHandler(X)                                                                    \
    X(TrapHandler, host_hvc_handler, fixed, quiet, state, 0, )                                     \
    X(TrapHandler, host_npt_handler, fixed, quiet, state, 0, )                                     \
    X(TrapHandler, host_vcpu_run_handler, fixed, quiet, state, 0, )                                \
    X(TrapHandler, vm_exit_handler, fixed, quiet, state, 0, )                                      \
    X(TrapHandler, mem_load, fixed, quiet, state, 2, u64, gfn, u32, reg)                           \
    X(TrapHandler, mem_store, fixed, quiet, state, 2, u64, gfn, u32, reg)                          \
    X(TrapHandler, dev_load, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx, u32, index)   \
    X(TrapHandler, dev_store, fixed, quiet, state, 4, u64, gfn, u32, reg, u32, cbndx, u32, index)

/* All layers, bottom to top: L(layer). */
#define FH_LAYER_MAP(L)                                                                            \
    L(AbstractMachine) L(LockOps) L(LockOpsQ) L(LockOpsH) L(Locks) L(PTAlloc) L(PTWalk)            \
    L(NPTWalk) L(NPTOps) L(MmioPTAlloc) L(MmioPTWalk) L(MmioSPTWalk) L(MmioSPTOps) L(MemRegion)    \
    L(PageIndex) L(PageManager) L(MemManager) L(MemoryOps) L(VMPower) L(BootCore) L(BootAux)       \
    L(BootOps) L(MmioRaw) L(MmioCoreAux) L(MmioCore) L(MmioOpsAux) L(MmioOps) L(VCPUOpsAux)        \
    L(VCPUOps) L(CtxtSwitch) L(MemHandler) L(FaultHandler) L(TrapDispatcher) L(TrapHandlerRaw)     \
    L(TrapHandler)

/* All functions: X as above. */
#define FH_FUNCTION_MAP(X)                                                                         \
    FH_LAYER_AbstractMachine(X)                                                                    \
    FH_LAYER_LockOps(X)                                                                            \
    FH_LAYER_LockOpsQ(X)                                                                           \
    FH_LAYER_LockOpsH(X)                                                                           \
    FH_LAYER_Locks(X)                                                                              \
    FH_LAYER_PTAlloc(X)                                                                            \
    FH_LAYER_PTWalk(X)                                                                             \
    FH_LAYER_NPTWalk(X)                                                                            \
    FH_LAYER_NPTOps(X)                                                                             \
    FH_LAYER_MmioPTAlloc(X)                                                                        \
    FH_LAYER_MmioPTWalk(X)                                                                         \
    FH_LAYER_MmioSPTWalk(X)                                                                        \
    FH_LAYER_MmioSPTOps(X)                                                                         \
    FH_LAYER_MemRegion(X)                                                                          \
    FH_LAYER_PageIndex(X)                                                                          \
    FH_LAYER_PageManager(X)                                                                        \
    FH_LAYER_MemManager(X)                                                                         \
    FH_LAYER_MemoryOps(X)                                                                          \
    FH_LAYER_VMPower(X)                                                                            \
    FH_LAYER_BootCore(X)                                                                           \
    FH_LAYER_BootAux(X)                                                                            \
    FH_LAYER_BootOps(X)                                                                            \
    FH_LAYER_MmioRaw(X)                                                                            \
    FH_LAYER_MmioCoreAux(X)                                                                        \
    FH_LAYER_MmioCore(X)                                                                           \
    FH_LAYER_MmioOpsAux(X)                                                                         \
    FH_LAYER_MmioOps(X)                                                                            \
    FH_LAYER_VCPUOpsAux(X)                                                                         \
    FH_LAYER_VCPUOps(X)                                                                            \
    FH_LAYER_CtxtSwitch(X)                                                                         \
    FH_LAYER_MemHandler(X)                                                                         \
    FH_LAYER_FaultHandler(X)                                                                       \
    FH_LAYER_TrapDispatcher(X)                                                                     \
    FH_LAYER_TrapHandlerRaw(X)                                                                     \
    FH_LAYER_TrapHandler(X)
/* clang-format on */

/* The number of a function: its row. */
enum fh_function_number {
#define FH_FUNCTION_NUMBER(layer, name, hook, told, ret, n, ...) FH_FUNCTION_##name,
    FH_FUNCTION_MAP(FH_FUNCTION_NUMBER)
#undef FH_FUNCTION_NUMBER
        FH_FUNCTIONS
};

#ifdef __cplusplus
}
#endif

#endif
