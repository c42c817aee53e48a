/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_BUDGET_H
#define SIM_BUDGET_H

#include <stdbool.h>

#include <faulthandler/allocator.h>

/*
 * Memory for states up to a limit: what a few lines of input ask for can be more than the machine
 * has, and whoever asked is then told, instead of everybody else on the machine.
 */
struct budget {
    size_t limit; /* bytes */
    size_t used;
    bool is_exceeded; /* something was refused */
};

/* malloc within the budget, which must outlive all that is allocated. */
struct fh_allocator budget_allocator(struct budget *budget);

#endif
