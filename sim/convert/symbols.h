/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SYMBOLS_H
#define SIM_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where a kernel's exception vectors for EL2 lie, from its symbols (/proc/kallsyms, or System.map).
 * EL2 maps them elsewhere, but keeps the low 20 bits of their addresses.
 */
struct symbols;

/* Whose exceptions a table is for: the host's, with KVM running, being set up (INIT) or before that
 * (STUB); a guest's. */
enum vector_table { VECTORS_UNKNOWN, VECTORS_HOST, VECTORS_GUEST, VECTORS_STUB, VECTORS_INIT };

/* NULL, with a message, if the file cannot be read or has none of the vectors. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *symbols);

/* The table that has a vector at `pc`; UNKNOWN if none has, or several, or without symbols. */
enum vector_table symbols_table(const struct symbols *symbols, uint64_t pc);

/*
 * The name of the vector at `pc`, as tools/capture has them: "host_sync", "guest_irq"; of an
 * exception inside EL2 "host_cur_spx_sync", of one from AArch32 "guest_lower32_sync"; with an
 * unknown table "lower64_sync".
 */
const char *vector_name(enum vector_table table, uint64_t pc);
bool vector_is_of_host(enum vector_table table);
/* Is it a vector for exceptions from EL2 itself? */
bool vector_is_of_el2(uint64_t pc);

/* The slots of a vector table. */
enum vector_slot { SLOT_SYNC, SLOT_IRQ, SLOT_FIQ, SLOT_SERROR };
enum vector_slot vector_slot(uint64_t pc);

#endif
