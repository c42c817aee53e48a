/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MODEL_STATE_H
#define SIM_MODEL_STATE_H

#include "predict/model.h"
#include "predict/state_parts.h"

/* The inside of a model, for its own files. */

/* A CPU, between two traps. */
struct model_cpu {
    uint64_t vmid, vcpuid;      /* what runs on it; VM 0: the host */
    struct fh_ctxt_regs regs;   /* all of the hardware's, as the last trap left them */
    struct trace_registers el2; /* EL2's own, as the last trap left them */
    bool is_named;              /* the host has trapped here: */
    uint64_t host_vcpuid;       /* KCore's number of this CPU, and of its host's context */
    bool is_lost;               /* the last return did not leave EL2 */
    uint64_t lost_pc;           /* where it went instead */
};

/* A trap that is being taken. */
struct run {
    const struct trap_inputs *inputs;
    struct prediction *result;
    size_t next_answer[ORACLES];
    uint64_t clearing;   /* the address that clear_pfn_host is at work on, or NOT_CLEARING */
    bool is_skipping;    /* a page is looked at and left alone */
    unsigned nheld_back; /* what is not told before it is known whether that is so */
    struct fh_effect held_back[2];
    struct others *others; /* other CPUs that act meanwhile; NULL: none */
    bool sets_vtcr;        /* the trap wrote VTCR_EL2 */
    size_t pause;          /* the number of effects at which it is looked whether to go on */
};
#define NOT_CLEARING UINT64_MAX

struct model {
    struct fh_state *state;
    const struct fh_machine *machine;
    const struct fh_profile *profile;
    struct state_parts parts;
    uint64_t first_pfn, pages; /* of the ownership table */
    struct model_cpu cpus[MODEL_CPUS];
    unsigned ncpus; /* 1 + the highest that trapped */
    uint64_t resets[MODEL_RESETS];
    uint64_t contexts, context_size; /* of vCPUs */
    uint64_t vtcr;                   /* what VTCR_EL2 is made */
    struct run *run;
    uint64_t last;           /* the CPU of the last trap; MODEL_CPUS: there is none to undo */
    struct model_cpu before; /* what it was before */
    struct fh_departures departures;
    bool holds, is_held; /* a trap is taken in a transaction; one is open */
    model_goes_on *goes_on;
    void *goes_on_context;
};

static inline struct model_cpu *this_cpu(struct model *model)
{
    return &model->cpus[model->run->inputs->cpu];
}

/* How KCore numbers this CPU and its host: no boot record says so, the first trap does. */
static inline uint64_t host_number(const struct model *model)
{
    const struct model_cpu *cpu = &model->cpus[model->run->inputs->cpu];
    return cpu->is_named ? cpu->host_vcpuid : model->run->inputs->cpu;
}

/* --- Parts of a record (tell.c) -------------------------------------------------------------- */

/* All fields of a kind, for `present`. */
#define ALL_OF(kind)                                                                               \
    ((1u << (sizeof(uint8_t[]){FH_TRACE_FIELDS_##kind(COUNT_FIELD, COUNT_FIELD, 0)})) - 1)
#define COUNT_FIELD(k, format, key) 0,
#define HAS(kind, key) (1u << TRACE_AT_##kind##_##key)

struct trace_effect *tell(struct model *model, enum trace_effect_kind kind, uint32_t present);
void tell_host_register(struct model *model, uint64_t nr, uint64_t old, uint64_t new);
void tell_shadow_register(struct model *model, uint64_t idx, uint64_t old, uint64_t new);
void tell_snapshot(struct model *model, const char *when, uint64_t vmid, uint64_t vcpuid);
/* Called for every effect of the core; `context` is the model. */
void model_observe(void *context, const struct fh_effect *effect);

/* --- Oracles (oracles.c) --------------------------------------------------------------------- */

struct fh_environment model_environment(struct model *model);

#endif
