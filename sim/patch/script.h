/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SCRIPT_H
#define SIM_SCRIPT_H

#include "patch/patch.h"

/*
 * An environment that answers from tables and formulas: the one of the vectors, and of scenarios.
 * Built-in answers: none (every oracle silent, data 0) and the formulas of the vectors' README;
 * lists of events for a lock at a log length, and a table of data values, come on top.
 */
struct script;

/* `vectors`: the formulas of the vectors; otherwise the library's defaults. */
struct script *script_new(const struct fh_allocator *allocator, bool vectors);
void script_free(struct script *script);

/* The environment, to put into a state. It refers to the script. */
struct fh_environment script_environment(struct script *script);

/* From now on *seen becomes true at each effect of this kind: before script_environment. */
void script_watch(struct script *script, enum fh_effect_kind kind, bool *seen);

/*
 * Take the keys `oracle`, `soracle`, `doracle` and `core_doracle` from `init` (README of the
 * vectors). Event patches are relative to the objects in `rdata`.
 */
bool script_load(struct script *script, const struct node *init, const struct fh_rdata *rdata,
                 const struct fh_profile *profile, struct patch_error *error);

/*
 * The parameters of the development, as tables over the defaults: the value for two arguments, the
 * second 0 where there is one alone.
 */
enum script_parameter {
    PARAMETER_VERIFY_IMG,       /* vmid, address */
    PARAMETER_REG_DESC,         /* index */
    PARAMETER_EXCEPTION_VECTOR, /* pstate */
    PARAMETER_SHARED_KVM,       /* vmid */
    PARAMETER_SHARED_VCPU,      /* vmid, vcpuid */
    PARAMETERS
};
bool script_set_parameter(struct script *script, enum script_parameter parameter, uint64_t a,
                          uint64_t b, uint64_t value);

/*
 * What decrypting a vCPU restores: each time one more register (at an offset in struct fh_ctxt) of
 * the general or the system registers, from the next value of the data oracle.
 */
bool script_add_decrypted(struct script *script, bool is_system, size_t offset);

/*
 * On top of that, until script_end_step: events, when the log of lock `id` (or slog, if `atomic`)
 * is `length` long, relative to the objects in `rdata`; and the value number `n` of a data oracle.
 */
bool script_add_events(struct script *script, bool atomic, uint64_t id, uint64_t length,
                       const struct node *events, const struct fh_rdata *rdata,
                       const struct fh_profile *profile, struct patch_error *error);
bool script_add_datum(struct script *script, bool core, uint64_t vmid, uint64_t n, uint64_t value);
void script_end_step(struct script *script);

/*
 * For machines, which ask other questions than the spec: what is asked is answered by name, until
 * script_end_step; what has no name at the place that the spec asks for.
 */
void script_ask_by_name(struct fh_environment *environment);
void script_answer(struct script *script, enum fh_asked what, uint64_t value);

#endif
