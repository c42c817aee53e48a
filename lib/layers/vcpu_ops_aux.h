/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_VCPU_OPS_AUX_H
#define FH_LAYERS_VCPU_OPS_AUX_H

#include "layers/kcore.h"

/*
 * The same steps for any vmid, without the demand that it be a VM's, as the specs of VCPUOps
 * have them. Context: not in a halted state, vmid and vcpuid in range.
 */
enum fh_status prepare_wfx(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status prepare_hvc(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status prepare_abort(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status reset_system_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status take_dirty_registers(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status inject_exception(struct fh_state *s, uint32_t vmid, uint32_t vcpuid);
enum fh_status map_faulting_page(struct fh_state *s, uint32_t vmid, uint32_t vcpuid, uint64_t addr);

FH_LAYER_VCPUOpsAux(KC_PROTOTYPE)

#endif
