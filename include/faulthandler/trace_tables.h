/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_TRACE_TABLES_H
#define FAULTHANDLER_TRACE_TABLES_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a trace is made of, as tables: the kinds of traps, the registers, and the effects with their
 * fields. docs/trace-format.md has their meaning. The recorder, its decoder and the reader of
 * traces are made from them; a change of an order, a field or a format here changes the recorder's
 * records, see FH_RECORDER_VERSION.
 */

/* clang-format off */

/* What enters EL2: X(kind). The last one stands for stays that were not recorded. */
#define FH_TRACE_KIND_MAP(X) X(host_npt) X(host_hvc) X(guest_exit) X(el2_exception) X(gap)

/* Where a stay at EL2 ends. */
#define FH_TRACE_END_MAP(X) X(host) X(guest) X(el2_panic)

/* The registers at entry, beside x: R(key, how it is written). */
#define FH_TRACE_REGISTER_MAP(R)                                                                    \
    R(esr, hex) R(far, hex) R(hpfar, hex) R(elr, hex) R(spsr, hex) R(hcr, hex) R(vttbr, hex)        \
    R(vmpidr, hex) R(tpidr_el2, hex) R(vmid, number) R(vcpuid, number) R(par_el1, hex)              \
    R(actlr_el1, hex) R(vtcr, hex) R(ttbr0_el2, hex) R(sp_el1, hex) R(elr_el1, hex)                 \
    R(spsr_el1, hex) R(sp_el0, hex) R(vbar_el1, hex)

enum { FH_TRACE_GPRS = 31 };

/*
 * The fields of each kind of effect: F(kind, how it is written, key) for those that every record
 * has, O(...) for those that it may lack. hex: a string "0x1f"; number: 31 or -1; either: one of
 * the two; text: a string; list: a list of hex.
 */
#define FH_TRACE_FIELDS_lock(F, O, K) F(K, text, lock) F(K, number, vmid)
#define FH_TRACE_FIELDS_unlock(F, O, K) F(K, text, lock) F(K, number, vmid)
#define FH_TRACE_FIELDS_fn(F, O, K) F(K, text, fn) F(K, list, args)
#define FH_TRACE_FIELDS_fn_ret(F, O, K) F(K, text, fn) F(K, list, args)
#define FH_TRACE_FIELDS_s2_read(F, O, K)                                                            \
    F(K, hex, pfn) F(K, hex, index) F(K, number, owner) F(K, number, count) F(K, hex, gfn)
#define FH_TRACE_FIELDS_s2_set(F, O, K)                                                             \
    F(K, text, field) F(K, hex, index) F(K, either, old) F(K, either, new)
#define FH_TRACE_FIELDS_pt_store(F, O, K)                                                           \
    F(K, number, vmid) F(K, text, level) F(K, hex, ipa) F(K, hex, pa) F(K, hex, old)                \
    F(K, hex, new)
#define FH_TRACE_FIELDS_vm_set(F, O, K)                                                             \
    F(K, text, field) F(K, number, vmid) F(K, number, sub) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_shadow_set(F, O, K)                                                         \
    F(K, number, vmid) F(K, number, vcpu) F(K, number, idx) O(K, text, reg) F(K, hex, old)          \
    F(K, hex, new)
#define FH_TRACE_FIELDS_mmio(F, O, K)                                                               \
    F(K, number, write) F(K, hex, addr) F(K, number, len) F(K, hex, val) F(K, number, write_val)    \
    F(K, number, rt)
#define FH_TRACE_FIELDS_host_reg_set(F, O, K) F(K, number, nr) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_skip_instr(F, O, K) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_panic(F, O, K) F(K, text, caller) F(K, number, vmid) F(K, number, vcpu)
#define FH_TRACE_FIELDS_tlbi(F, O, K) F(K, hex, ipa)
#define FH_TRACE_FIELDS_scrub(F, O, K) F(K, hex, pfn)
#define FH_TRACE_FIELDS_percpu(F, O, K)                                                             \
    F(K, number, pcpu) F(K, number, old_vmid) F(K, number, old_vcpu) F(K, number, vmid)             \
    F(K, number, vcpu)
#define FH_TRACE_FIELDS_dirty_set(F, O, K)                                                          \
    F(K, number, vmid) F(K, number, vcpu) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_int_gpr_set(F, O, K)                                                        \
    F(K, number, vmid) F(K, number, vcpu) F(K, number, idx) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_int_read(F, O, K)                                                           \
    F(K, text, what) F(K, number, vmid) F(K, number, vcpu) F(K, number, idx) F(K, hex, val)
#define FH_TRACE_FIELDS_snap(F, O, K) F(K, text, when) F(K, number, vmid) F(K, number, vcpu)
#define FH_TRACE_FIELDS_smmu_pt_store(F, O, K)                                                      \
    F(K, text, level) F(K, hex, iova) F(K, hex, pa) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_smmu_pt_clear(F, O, K)                                                      \
    F(K, number, cbndx) F(K, number, num) F(K, hex, pa) F(K, number, len)
#define FH_TRACE_FIELDS_smmu_cfg_set(F, O, K)                                                       \
    F(K, text, field) F(K, number, cbndx) F(K, number, num) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_global_set(F, O, K) F(K, text, field) F(K, hex, old) F(K, hex, new)
#define FH_TRACE_FIELDS_verify(F, O, K)                                                             \
    F(K, number, vmid) F(K, number, load_idx) F(K, hex, addr) F(K, number, size)                    \
    F(K, number, ed25519)
#define FH_TRACE_FIELDS_boot_region(F, O, K)                                                        \
    F(K, number, i) F(K, hex, base) F(K, hex, size) F(K, number, flags) F(K, hex, index)
#define FH_TRACE_FIELDS_boot_pool(F, O, K)                                                          \
    F(K, number, vmid) F(K, hex, page_pool_start) F(K, hex, pgd_pool) F(K, hex, pud_pool)           \
    F(K, hex, pmd_pool) F(K, hex, vttbr)
#define FH_TRACE_FIELDS_boot_val(F, O, K)                                                           \
    F(K, text, name) O(K, hex, val) O(K, hex, hw_ttbr) O(K, hex, vmid) O(K, number, reg)            \
    O(K, text, level) O(K, hex, pa)
#define FH_TRACE_FIELDS_boot_rle(F, O, K)                                                           \
    F(K, hex, start_index) F(K, hex, len) F(K, number, owner) F(K, number, count) F(K, hex, gfn)

/* All kinds of effects, the frequent ones first. */
#define FH_TRACE_EFFECT_MAP(X)                                                                      \
    X(lock) X(unlock) X(fn) X(fn_ret) X(s2_read) X(pt_store) X(vm_set) X(s2_set) X(tlbi) X(scrub)   \
    X(shadow_set) X(percpu) X(snap) X(dirty_set) X(panic) X(host_reg_set) X(int_read)               \
    X(int_gpr_set) X(skip_instr) X(mmio) X(smmu_pt_store) X(smmu_pt_clear) X(smmu_cfg_set)          \
    X(global_set) X(verify) X(boot_region) X(boot_pool) X(boot_val) X(boot_rle)

/*
 * What other tools see, in traces made from their recordings; the recorder has none of it: an event,
 * a register that has no key, a step of the MMU's walk of a table.
 */
#define FH_TRACE_FIELDS_event(F, O, K) F(K, text, event) F(K, text, text) F(K, list, args)
#define FH_TRACE_FIELDS_reg(F, O, K) F(K, text, reg) F(K, hex, val)
#define FH_TRACE_FIELDS_walk(F, O, K) F(K, number, level) F(K, hex, pa) F(K, hex, desc)
#define FH_TRACE_OBSERVATION_MAP(X) X(event) X(reg) X(walk)

/* A list of words; no function takes more. */
enum { FH_TRACE_LIST_MAX = 8 };

/* clang-format on */

#ifdef __cplusplus
}
#endif

#endif
