/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_MODEL_H
#define SIM_FOREIGN_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* The model as the judge of a foreign recording: spec functions that need no boot. */
struct foreign_model;

struct foreign_model *foreign_model_new(void);
void foreign_model_free(struct foreign_model *model);

/* The size in bytes of the access that a data abort is of: host_dabt_get_as. */
uint32_t model_access_size(struct foreign_model *model, uint32_t esr);
/* Is it a write: host_dabt_is_write. */
bool model_is_write(struct foreign_model *model, uint32_t esr);
/* The address of the access: HPFAR_EL2's page and, by host_get_fault_ipa, FAR_EL2's place in it. */
uint64_t model_fault_address(struct foreign_model *model, uint64_t hpfar, uint64_t far);

/* What the verified code would do with an exit. */
struct model_exit {
    const char *handler; /* the function that gets it, or NULL */
    const char *outcome; /* "to the host", "back to the VM", "panics" */
};

/*
 * Let vm_exit_dispatcher take an exit of this class: `x` are the VM's x0 to x3, which a hypercall
 * has, or NULL. An interrupt (is_trap false) goes to the host before it.
 */
struct model_exit model_exit(struct foreign_model *model, bool is_trap, uint32_t class,
                             const uint64_t *x);

#endif
