/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_CURRENT_VCPU_H
#define FH_LAYERS_CURRENT_VCPU_H

#include "layers/kcore.h"

/*
 * Stuck unless the vCPU that runs on this CPU has numbers in range. cur_vcpuid may be negative, so
 * this looks at the fields, before get_cur_vmid and get_cur_vcpuid would find no place for them in
 * their results. A halted state reads 0 for both, which is in range.
 */
#define RELY_CURRENT_VCPU(s)                                                                       \
    do {                                                                                           \
        FH_RELY(s, (s)->adt->halt || is_vmid((s)->profile, (s)->adt->cur_vmid),                    \
                (s)->adt->cur_vmid);                                                               \
        FH_RELY(s, (s)->adt->halt || is_vcpu((s)->profile, (uint64_t)(s)->adt->cur_vcpuid),        \
                (uint64_t)(s)->adt->cur_vcpuid);                                                   \
    } while (0)

#endif
