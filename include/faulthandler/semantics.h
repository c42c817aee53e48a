/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_SEMANTICS_H
#define FAULTHANDLER_SEMANTICS_H

#include <faulthandler/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Of eleven functions the verified C body (Code.v) does something else than the spec says. A state
 * carries the set of those that run as their bodies; all others, and the primitives that a body
 * calls, run as the spec has them. docs/semantics.md tells what each pair does.
 *
 * X(layer, function)
 */
/* clang-format off */
#define FH_SEMANTICS_MAP(X)                                                                         \
    X(MemManager, clear_vm_page)                                                                    \
    X(MemManager, assign_pfn_to_vm)                                                                 \
    X(MemManager, assign_pfn_to_smmu)                                                               \
    X(BootOps, assign_smmu)                                                                         \
    X(MmioOps, el2_alloc_smmu_pgd)                                                                  \
    X(VCPUOpsAux, reset_sys_regs)                                                                   \
    X(VCPUOpsAux, sync_dirty_to_shadow)                                                             \
    X(VCPUOpsAux, prep_abort)                                                                       \
    X(VCPUOps, restore_shadow_kvm_regs)                                                             \
    X(CtxtSwitch, restore_vm)                                                                       \
    X(TrapDispatcher, host_hvc_dispatcher)

/* clang-format on */
/* The number of a function is its bit in a set. */
enum fh_code {
#define FH_CODE_ENUM(layer, name) FH_CODE_##name,
    FH_SEMANTICS_MAP(FH_CODE_ENUM)
#undef FH_CODE_ENUM
        FH_CODE_COUNT
};

#define FH_SEMANTICS_SPEC ((uint32_t)0)
#define FH_SEMANTICS_CODE (((uint32_t)1 << FH_CODE_COUNT) - 1)

struct fh_state;

/* The functions of the state that run as their bodies; to be changed between calls. */
FH_API uint32_t fh_state_semantics(const struct fh_state *state);
FH_API void fh_state_set_semantics(struct fh_state *state, uint32_t set);

/*
 * The set with this name: "spec", "code", or one function: "MemManager.clear_vm_page",
 * "clear_vm_page". False if there is none.
 */
FH_API bool fh_semantics_find(const char *name, uint32_t *set);

/* The name of a function of the table, "MemManager.clear_vm_page"; NULL after the last. */
FH_API const char *fh_semantics_name(unsigned code);

#ifdef __cplusplus
}
#endif

#endif
