/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_RECORD_H
#define SIM_FOREIGN_RECORD_H

#include "trace/trace.h"

/* What a record of a foreign recording says. */

/* Where an exception came from; ANY: from below EL2. */
enum exception_source { SOURCE_NONE, SOURCE_ANY, SOURCE_LOWER64, SOURCE_LOWER32, SOURCE_EL2 };
enum exception_type { TYPE_UNKNOWN, TYPE_SYNC, TYPE_IRQ, TYPE_FIQ, TYPE_SERROR };

/* Of a record's vector, or of a guest's exit. NONE: the record is of no exception. */
enum exception_source record_source(const struct trace_line *line);
enum exception_type record_type(const struct trace_line *line);

bool record_has(const struct trace_line *line, enum trace_register reg);
uint64_t record_get(const struct trace_line *line, enum trace_register reg);
/* The first effect of this kind and name, or NULL. */
const struct trace_effect *record_event(const struct trace_line *line, const char *name);
/* A register that is an effect. */
bool record_register(const struct trace_line *line, const char *name, uint64_t *value);

/* ESR_EL2 of a synchronous exception or an SError; an interrupt has none. */
bool record_syndrome(const struct trace_line *line, uint64_t *esr);
/* Its class, also where the rest is unknown. */
bool record_class(const struct trace_line *line, uint64_t *class);
bool is_lower_abort(uint64_t class);
/* What a report of several recordings calls the one that the record is of; NULL: there is one. */
const char *record_machine(const struct trace_line *line);
/* The level that took the exception: 2, but of QEMU's log also 3. */
unsigned record_level(const struct trace_line *line);

/* Fields of a syndrome. */
#define ESR_CLASS(esr) ((esr) >> 26 & 0x3f)
#define ESR_IL(esr) ((esr) >> 25 & 1)
#define ESR_ISS(esr) ((esr)&0x1ffffff)
#define ESR_STATUS(esr) ((esr)&0x3f)
#define ESR_S1PTW(esr) ((esr) >> 7 & 1)
#define ESR_CM(esr) ((esr) >> 8 & 1)
#define ESR_WNR(esr) ((esr) >> 6 & 1)
#define ESR_ISV(esr) ((esr) >> 24 & 1)

enum {
    CLASS_WFX = 0x01,
    CLASS_HVC32 = 0x12,
    CLASS_SMC32 = 0x13,
    CLASS_HVC64 = 0x16,
    CLASS_SMC64 = 0x17,
    CLASS_SYS64 = 0x18,
    CLASS_ERET = 0x1a,
    CLASS_IABT_LOW = 0x20,
    CLASS_IABT_CUR = 0x21,
    CLASS_PC_ALIGN = 0x22,
    CLASS_DABT_LOW = 0x24,
    CLASS_DABT_CUR = 0x25,
    CLASS_SERROR = 0x2f,
};

#endif
