/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_LAYERS_ABSTRACT_MACHINE_CHECKS_H
#define FH_LAYERS_ABSTRACT_MACHINE_CHECKS_H

#include "layers/abstract_machine.h"

/*
 * What the functions of AbstractMachine begin and end with. Macros, so that an error names the
 * function that the caller called.
 */

/* In a halted state: nothing happens, or the result is 0. Comes before every other condition. */
#define SKIP_IF_HALTED(s)                                                                          \
    do {                                                                                           \
        if ((s)->adt->halt)                                                                        \
            return FH_OK;                                                                          \
    } while (0)

#define ZERO_IF_HALTED(s, result)                                                                  \
    do {                                                                                           \
        *(result) = 0;                                                                             \
        SKIP_IF_HALTED(s);                                                                         \
    } while (0)

/* This CPU holds the lock with this identifier. */
#define RELY_HELD(s, id) FH_RELY(s, lock_status(s, id) == FH_LOCK_OWN, id)

#define RELY_VMID(s, vmid) FH_RELY(s, is_vmid((s)->profile, vmid), vmid)

#define RELY_VCPU(s, vmid, vcpuid)                                                                 \
    do {                                                                                           \
        RELY_VMID(s, vmid);                                                                        \
        FH_RELY(s, is_vcpu((s)->profile, vcpuid), vcpuid);                                         \
    } while (0)

/* *result := value, which the state keeps in 64 bits and the function returns in 32. */
#define RETURN_U32(s, value, result)                                                               \
    do {                                                                                           \
        const uint64_t returned = (value);                                                         \
        FH_REPRESENTABLE(s, is_int(returned), returned);                                           \
        *(result) = (uint32_t)returned;                                                            \
        return FH_OK;                                                                              \
    } while (0)

#endif
