/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_TRAP_HANDLER_HVC_H
#define FH_LAYERS_TRAP_HANDLER_HVC_H

#include "layers/kcore.h"

/*
 * Pages and their mapping for VM `vmid`, as the host provides them: the steps of
 * prot_and_map_vm_s2pt. A halt at a single page is forgotten when the mapping then succeeds.
 * TrapHandler/Spec.v: prot_and_map_vm_s2pt_spec_h
 */
enum fh_status assign_and_map(struct fh_state *s, uint32_t vmid, wide addr, uint64_t pte,
                              uint64_t level);

#endif
