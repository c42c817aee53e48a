/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <faulthandler/faulthandler.h>
#include <faulthandler/machine.h>

#include "predict/objects.h"
#include "predict/trap_inputs.h"

/*
 * A machine that runs traps forward. It gets inputs and says what the machine does, in the words of
 * a trace; no record of what a machine did is known here.
 */
struct model;

/* `profile`: the constants of this very build, which must live as long. */
struct model *model_new(const struct fh_machine *machine, const struct fh_profile *profile);
void model_free(struct model *model);

/* The state, for who boots it or takes over what a machine did. */
struct fh_state *model_state(struct model *model);
struct state_parts;
const struct state_parts *model_parts(const struct model *model);
const struct fh_profile *model_profile(const struct model *model);

void model_set_memory(struct model *model, const struct page_range *pages);
struct page_range model_memory(const struct model *model);
/* The rows of the table by which a vCPU's registers are reset. */
enum { MODEL_RESETS = 64 };
void model_set_reset(struct model *model, uint64_t row, uint64_t value);
/* Where EL2 keeps the contexts of vCPUs, and how far apart; 0: not known. */
void model_set_contexts(struct model *model, uint64_t address, uint64_t size);
/* What VTCR_EL2 is made on every CPU. */
void model_set_vtcr(struct model *model, uint64_t value);
bool model_has_page(const struct model *model, uint64_t index);
uint64_t model_first_pfn(const struct model *model);

/* The host's CPUs that there may be. */
enum { MODEL_CPUS = 64 };

/* How a trap ends. */
enum prediction_end {
    PREDICTED_HOST,  /* the host goes on */
    PREDICTED_GUEST, /* a vCPU goes on */
    PREDICTED_DEATH, /* EL2 itself dies in it */
    PREDICTED_HANG,  /* it never ends */
};

/* Where KCore panicked: in a function, for want of a condition (NULL: it has none). */
struct prediction_panic {
    const char *function, *condition;
};
enum { PREDICTION_PANICS = 16 };

/* What the machine does in a trap. */
struct prediction {
    struct trace_effect *effects; /* without event numbers; `present`: what the model can tell */
    size_t neffects, size;
    struct prediction_panic panics[PREDICTION_PANICS]; /* the first, each once */
    size_t npanics;
    enum prediction_end end;
    bool is_cut;                  /* nobody wanted the rest of it */
    struct fh_error error;        /* status FH_OK, or why the model has no answer */
    struct trace_registers entry; /* what EL2's registers must have been at entry */
    struct trace_registers out;   /* what registers are at the end */
};

void prediction_free(struct prediction *prediction);

/* Take a trap. The prediction's memory is used again. */
void model_take(struct model *model, const struct trap_inputs *inputs, struct prediction *result);
/* Take the last trap back, before anything else is done with the model. */
void model_undo(struct model *model);
/*
 * Effects of one trap before the prediction is given up, with FH_LIMIT: a wrong number in a machine
 * may ask for more than there is memory for.
 */
enum { PREDICTION_EFFECTS = 1 << 21 };
/*
 * Somebody to ask whether a prediction goes on, when it has 512 effects, and eight times as many
 * each time; NULL: it does. One that does not is cut, and only good to be taken back.
 */
typedef bool model_goes_on(void *context, const struct trace_effect *effects, size_t count);
void model_ask(struct model *model, model_goes_on *goes_on, void *context);
/*
 * From now on traps can be taken back, with all that was written since, until the next one is taken
 * or model_settle says that this one stands. What is written meanwhile costs more.
 */
void model_hold(struct model *model, bool holds);
void model_settle(struct model *model);

/*
 * A machine's trap ended so: what runs on the CPU, and what EL2's registers are, is that from now
 * on. For who takes over what a machine did.
 */
void model_leave(struct model *model, uint64_t cpu, const struct trace_registers *in,
                 const struct trace_registers *out, enum trace_end end);

/* Something happened on the CPU that is not recorded: what EL2's registers are is not known. */
void model_forget(struct model *model, uint64_t cpu);

/* --- Departures ------------------------------------------------------------------------------ */

/* Which departures are in force. */
void model_depart(struct model *model, const struct fh_departures *set);
/* Which were asked for since the last call. */
struct fh_departures model_asked(struct model *model);

/* --- Going back ------------------------------------------------------------------------------ */

/* A point in the run of a model. Zero: none. */
struct model_mark {
    const struct fh_rdata *state;
    struct model_cpu *cpus;
    unsigned ncpus;
};

void model_mark(struct model *model, struct model_mark *mark);
void model_return(struct model *model, const struct model_mark *mark);
void model_unmark(struct model *model, struct model_mark *mark);

/* --- To look at ------------------------------------------------------------------------------ */

/* The vCPU that runs on the CPU; VM 0: the host. */
void model_running(const struct model *model, uint64_t cpu, uint64_t *vmid, uint64_t *vcpuid);

/* The field of struct fh_ctxt_regs that a trace's register is: "elr_el2" for "elr"; or NULL. */
const char *model_register_field(const char *name);

#endif
