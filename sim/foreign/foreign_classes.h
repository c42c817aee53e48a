/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_CLASSES_H
#define SIM_FOREIGN_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Exception classes, as KVM and QEMU call them; what the architecture says of them is in
 * arm_syndrome.h. A class that is not here is not known to this version: newer processors and
 * kernels have more.
 */

struct class_info {
    uint8_t class;
    const char *kvm;   /* KVM's name; NULL: it has none, and prints the number */
    const char *kvm32; /* of KVM on 32-bit Arm, or what another version calls it; or NULL */
    unsigned qemu;     /* bits of its names for the exception */
};

/* NULL if the class is not known. */
const struct class_info *class_find(uint64_t class);
/* KVM's name of a class, "DABT_LOW"; "?" if it has none. */
const char *class_name(uint64_t class);
/* Is it KVM's name of a class? Of which? */
bool class_of_name(const char *name, uint64_t *class);
/* QEMU's name of an exception as a bit; 0 if it is not known. */
unsigned qemu_exception(const char *name);

#endif
