/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_FIELDS_H
#define FAULTHANDLER_FIELDS_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The records of Coq's RData (RData.v), field for field and in Coq's order: X(field, type).
 *
 * The structs of rdata.h, deltas, patches, state paths, the scenario loader and the bindings all
 * come from these tables. `type` names an entry of the type table in rdata.h: a scalar (u64, u32,
 * i64, flag, lock_status, bars), a record held by value, a record held by reference (ref_...), a
 * map (map_...) or a log.
 */

/* clang-format off */
#define FH_FIELDS_memblock(X) X(mb_base, u64) X(mb_size, u64) X(mb_flag, u64) X(mb_index, u64)

#define FH_FIELDS_core_data(X) X(next_vmid, u64) X(next_remap_ptr, u64)

#define FH_FIELDS_s2page(X) X(s2_owner, u32) X(s2_count, u32) X(s2_gfn, u64)

#define FH_FIELDS_npt(X)                                                                            \
    X(pt_vttbr_pool, map_u64)                                                                       \
    X(pt_pgd_pool, map_u64)                                                                         \
    X(pt_pud_pool, map_u64)                                                                         \
    X(pt_pmd_pool, map_u64)                                                                         \
    X(pt_pgd_next, u64)                                                                             \
    X(pt_pud_next, u64)                                                                             \
    X(pt_pmd_next, u64)                                                                             \
    X(pt_pgd_par, map_u64)                                                                          \
    X(pt_pud_par, map_u64)                                                                          \
    X(pt_pmd_par, map_u64)                                                                          \
    X(pt_updates, log)                                                                              \
    X(pt, map_pt)                                                                                   \
    X(pgd_t, map_bool)                                                                              \
    X(pud_t, map_bool2)                                                                             \
    X(pmd_t, map_bool3)

#define FH_FIELDS_boot_info(X)                                                                      \
    X(vm_next_load_info, u64)                                                                       \
    X(vm_load_addr, map_u64)                                                                        \
    X(vm_load_size, map_u64)                                                                        \
    X(vm_remap_addr, map_u64)                                                                       \
    X(vm_inc_exe, u64)                                                                              \
    X(vm_mapped_pages, map_u64)

#define FH_FIELDS_state_info(X)                                                                     \
    X(vm_kvm, u64) X(vm_vcpu, map_u64) X(vm_state, u64) X(vm_vcpu_state, map_u64) X(vm_power, u64)

#define FH_FIELDS_vminfo(X) X(VS, state_info) X(VB, boot_info)

#define FH_FIELDS_smmu_conf(X)                                                                      \
    X(smmu_num, u64)                                                                                \
    X(smmu_phys_base, map_u64)                                                                      \
    X(smmu_size, map_u64)                                                                           \
    X(smmu_pgshift, map_u64)                                                                        \
    X(smmu_features, map_u64)                                                                       \
    X(smmu_options, map_u64)                                                                        \
    X(smmu_dev_context_banks, map_u64)                                                              \
    X(num_s2_context_banks, map_u64)                                                                \
    X(smmu_dev_mapping_groups, map_u64)                                                             \
    X(smmu_va_size, map_u64)                                                                        \
    X(smmu_ipa_size, map_u64)                                                                       \
    X(smmu_pa_size, map_u64)                                                                        \
    X(smmu_dev_global_irqs, map_u64)                                                                \
    X(smmu_dev_context_irqs, map_u64)                                                               \
    X(smmu_exists, map_u64)                                                                         \
    X(smmu_hyp_base, map_u64)

#define FH_FIELDS_spt(X)                                                                            \
    X(spt_vttbr_pool, map_u64)                                                                      \
    X(spt_pgd_pool, map_u64)                                                                        \
    X(spt_pmd_pool, map_u64)                                                                        \
    X(spt_pgd_next, u64)                                                                            \
    X(spt_pmd_next, u64)                                                                            \
    X(spt_pgd_par, map_u64)                                                                         \
    X(spt_pmd_par, map_u64)                                                                         \
    X(spt_pt, map_map_spt)                                                                          \
    X(spt_pgd_t, map_map_bool)                                                                      \
    X(spt_pmd_t, map_map_bool2)

#define FH_FIELDS_ctxt_regs(X)                                                                      \
    X(x0, u64) X(x1, u64) X(x2, u64) X(x3, u64) X(x4, u64) X(x5, u64) X(x6, u64) X(x7, u64)         \
    X(x8, u64) X(x9, u64) X(x10, u64) X(x11, u64) X(x12, u64) X(x13, u64) X(x14, u64)               \
    X(x15, u64) X(x16, u64) X(x17, u64) X(x18, u64) X(x19, u64) X(x20, u64) X(x21, u64)             \
    X(x22, u64) X(x23, u64) X(x24, u64) X(x25, u64) X(x26, u64) X(x27, u64) X(x28, u64)             \
    X(x29, u64) X(x30, u64)                                                                         \
    X(fp_q0, u64) X(fp_q1, u64) X(fp_q2, u64) X(fp_q3, u64) X(fp_q4, u64) X(fp_q5, u64)             \
    X(fp_q6, u64) X(fp_q7, u64) X(fp_q8, u64) X(fp_q9, u64) X(fp_q10, u64) X(fp_q11, u64)           \
    X(fp_q12, u64) X(fp_q13, u64) X(fp_q14, u64) X(fp_q15, u64) X(fp_q16, u64) X(fp_q17, u64)       \
    X(fp_q18, u64) X(fp_q19, u64) X(fp_q20, u64) X(fp_q21, u64) X(fp_q22, u64) X(fp_q23, u64)       \
    X(fp_q24, u64) X(fp_q25, u64) X(fp_q26, u64) X(fp_q27, u64) X(fp_q28, u64) X(fp_q29, u64)       \
    X(fp_q30, u64) X(fp_q31, u64) X(fp_fpsr, u64) X(fp_fpcr, u64)                                   \
    X(csselr_el1, u64) X(sctlr_el1, u64) X(cpacr_el1, u64) X(ttbr0_el1, u64)                        \
    X(ttbr1_el1, u64) X(tcr_el1, u64) X(afsr0_el1, u64) X(afsr1_el1, u64) X(far_el1, u64)           \
    X(mair_el1, u64) X(vbar_el1, u64) X(contextidr_el1, u64) X(amair_el1, u64)                      \
    X(cntkctl_el1, u64) X(par_el1, u64) X(tpidr_el1, u64) X(spsr_el1, u64) X(mdscr_el1, u64)        \
    X(sp_el0, u64) X(tpidr_el0, u64) X(tpidrro_el0, u64) X(spsr_el2, u64) X(vmpidr_el2, u64)        \
    X(mpidr_el1, u64) X(actlr_el1, u64) X(sp_el1, u64) X(elr_el1, u64) X(elr_el2, u64)              \
    X(vttbr_el2, u64) X(hcr_el2, u64) X(tpidr_el2, u64) X(esr_el2, u64) X(ec, u64)                  \
    X(far_el2, u64) X(hpfar_el2, u64)

#define FH_FIELDS_trap_regs(X)                                                                      \
    X(pmuselr_el0, u64) X(pmuserenr_el0, u64) X(mdcr_el2, u64) X(cptr_el2, u64) X(cnthctl_el2, u64)

#define FH_FIELDS_ctxt_states(X)                                                                    \
    X(pc, u64) X(pstate, u64) X(dirty, u64) X(flags, u64) X(esr_el1, u64) X(spsr_0, u64)

#define FH_FIELDS_ctxt(X)                                                                           \
    X(ctxt_regs, ctxt_regs) X(trap_regs, trap_regs) X(ctxt_states, ctxt_states)

#define FH_FIELDS_shared(X)                                                                         \
    X(flatmem, map_u64)                                                                             \
    X(npts, map_npt)                                                                                \
    X(s2page, map_s2page)                                                                           \
    X(core_data, core_data)                                                                         \
    X(vminfos, map_vminfo)                                                                          \
    X(spts, ref_spt)                                                                                \
    X(smmu_vmid, map_smmu_vmid)                                                                     \
    X(hlock, map_hlock)

/*
 * RData without its fields of function type: `oracle`, `soracle`, `doracle` and `core_doracle` are
 * callbacks of the state's environment (struct fh_environment). Coq's map `shadow_ctxts` has all of
 * Z for keys, and cur_vcpuid may be -1: the contexts with negative numbers are `shadow_ctxts_below`,
 * where entry n is the context -1 - n. All other keys of maps are 0 or more.
 *
 * The last four are no part of Coq's RData and no spec function knows them: `machine` is what
 * machines keep beside it, `machine_ctxts` what the CPUs that do not act have for themselves
 * (trap.h), `memory` the words that memory holds, by physical address, and `tlb` what TLBs keep
 * (access.h).
 */
#define FH_FIELDS_rdata(X)                                                                          \
    X(halt, flag)                                                                                   \
    X(icore, flag)                                                                                  \
    X(ihost, flag)                                                                                  \
    X(tstate, u64)                                                                                  \
    X(curid, u64)                                                                                   \
    X(cur_vmid, u64)                                                                                \
    X(cur_vcpuid, i64)                                                                              \
    X(regs, ref_ctxt)                                                                               \
    X(lock, map_lock_status)                                                                        \
    X(bars, bars)                                                                                   \
    X(region_cnt, u64)                                                                              \
    X(regions, map_memblock)                                                                        \
    X(shadow_ctxts, map_ctxt)                                                                       \
    X(shadow_ctxts_below, map_ctxt)                                                                 \
    X(smmu_conf, ref_smmu_conf)                                                                     \
    X(log, map_log)                                                                                 \
    X(slog, log)                                                                                    \
    X(data_log, map_u64)                                                                            \
    X(core_data_log, map_u64)                                                                       \
    X(shared, shared)                                                                               \
    X(machine, map_u64)                                                                             \
    X(machine_ctxts, map_ctxt)                                                                      \
    X(memory, map_u64)                                                                              \
    X(tlb, map_u64)

/* All records, a record after those that it contains by value: X(record). */
#define FH_RECORDS(X)                                                                               \
    X(memblock) X(core_data) X(s2page) X(npt) X(boot_info) X(state_info) X(vminfo) X(smmu_conf)     \
    X(spt) X(ctxt_regs) X(trap_regs) X(ctxt_states) X(ctxt) X(shared) X(rdata)

/* Records that are held by reference, counted and copied on write: X(record). */
#define FH_SHARED_RECORDS(X) X(npt) X(vminfo) X(smmu_conf) X(spt) X(ctxt) X(rdata)

/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
