/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/faulthandler.h>
#include <stdio.h>

/* What must KCore do when the host touches a page of its own? Compare with what yours did. */
int main(void)
{
    struct fh_state *state = fh_state_new(&(struct fh_config){.allocator = fh_malloc_allocator()});
    struct fh_trap_outcome outcome;
    struct fh_ctxt_regs regs;
    uint64_t pte;
    fh_scene_add_region(state, &(struct fh_scene_region){.base = 2 << 20, .size = 8 << 20});
    fh_scene_fault(state, &(struct fh_scene_access){.ipa = 0x345678}, &regs);
    fh_trap_take(state, &(struct fh_trap){.kind = FH_TRAP_HOST_FAULT, .regs = &regs}, &outcome);
    fh_get(state, "shared.npts.0.pt.0x345.pte", &pte);
    printf("%s: the host's descriptor is %#llx\n", fh_trap_result_name(outcome.end),
           (unsigned long long)pte);
    fh_state_free(state);
    return outcome.end == FH_TRAP_RETURNS ? 0 : 1;
}
