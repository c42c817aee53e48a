/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_READ_H
#define SIM_MACHINE_READ_H

#include "machine/machine.h"
#include "patch/reader.h"

/*
 * The parts of the reader of machine.yaml. Each part reads one section of the file into the
 * description, which has that of the extended machine to begin with, and returns false if there was
 * something wrong with it, after reporting all that was.
 */
struct machine_reader {
    struct reader reader;
    struct machine_description *machine;
    struct fh_profile *profile; /* the machine's, being made */
};

bool machine_read_recognised(struct machine_reader *reader, const struct node *node);
bool machine_read_constants(struct machine_reader *reader, const struct node *node);
bool machine_read_adopted(struct machine_reader *reader, const struct node *node);
bool machine_read_tables(struct machine_reader *reader, const struct node *node);
bool machine_read_registers(struct machine_reader *reader, const struct node *node);
bool machine_read_hypercalls(struct machine_reader *reader, const struct node *node);
bool machine_read_guest_calls(struct machine_reader *reader, const struct node *node);
bool machine_read_dialect(struct machine_reader *reader, const struct node *node);
bool machine_read_not_compared(struct machine_reader *reader, const struct node *node);
bool machine_read_limits(struct machine_reader *reader, const struct node *node);
bool machine_read_catalogue(struct machine_reader *reader, const struct node *node);
bool machine_read_without(struct machine_reader *reader, const struct node *node);

/* What a well-formed file still lacks; how many faults were reported. */
unsigned machine_check_rest(struct machine_reader *reader, const struct node *root);

/* "pool[1].pgd_pool - 0x1000", a sum of values of the boot record, numbers and constants. */
bool machine_read_expression(struct machine_reader *reader, const struct node *node,
                             struct machine_expression *expression);

/* A number, or -1 and the like in two's complement. */
bool machine_read_word(struct machine_reader *reader, const struct node *node, const char *what,
                       uint64_t *value);

/* Room for `count` more behind the `have` things at `list`, in the arena; the old ones copied. */
void *machine_grow(struct machine_reader *reader, const void *list, size_t have, size_t count,
                   size_t size);

/* The number of a constant in struct fh_profile by its name, as an offset; false: none. */
bool machine_constant_offset(const char *name, size_t *offset);

#endif
