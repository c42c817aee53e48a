/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include <faulthandler/faulthandler.h>

#include "base/budget.h"
#include "machine/choose.h"
#include "patch/reader.h"
#include "patch/script.h"

/*
 * A scenario file, read and checked whole: the machine stands in `state`, the steps wait to be
 * played. docs/scenario-format.md describes the format.
 */

/* How often something is done at most, because a file says so. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { SCENARIO_MAX_REPEAT = 4 };
#else
enum { SCENARIO_MAX_REPEAT = 1000000 };
#endif

/* A register of CtxtRegs to be written before a step. */
struct register_value {
    const struct fh_field *field;
    uint64_t value;
};

struct registers {
    struct register_value *values;
    size_t count;
};

/* A place of the state, by its path, with the value that it must have. */
struct state_value {
    const struct node *node; /* the value in the file */
    const char *path;
    unsigned count;
    uint64_t numbers[3]; /* `count` of them: more than one for a whole tuple */
};

/* What a step must do. Without an `expect` it must neither be stuck nor halt the machine. */
struct expect {
    const struct node *node;
    bool has_result, has_halted, halted, stuck, unrepresentable, disagrees, unchanged;
    uint64_t result;
    bool died, hangs;
    /* Part of the condition, or the function; NULL: anywhere. */
    const char *stuck_where, *died_where, *hangs_where;
    const char *halted_where; /* the same of a panic, or each by itself: */
    const char *halted_function, *halted_condition;
    const struct node *delta;
    const struct node *effects; /* a list of texts; NULL: none */
    struct state_value *values;
    size_t nvalues;
    bool has_rules; /* the rules that the step breaks are these, bits by enum fh_rule */
    uint32_t rules;
};

enum step_kind { STEP_TRAP, STEP_CALL, STEP_SET, STEP_CHECK, STEP_ACCESS };

/* Who acts in a call, and the registers that a call or a trap finds. */
struct actor {
    bool given;
    uint64_t vmid, vcpuid;
    struct registers registers;
};

/* A number of the fault that an access makes: a register's, or a field's of the syndrome. */
struct fault_value {
    const struct node *node;
    const char *name;
    uint64_t value;
};

/* What an access must come to; each is looked at where `has_` says so. */
struct access_expect {
    bool has_end, has_value, has_tries, has_pa, has_stale, has_fault, has_handler;
    bool foreign; /* expected, or else not allowed */
    enum fh_access_end end;
    uint64_t value, tries, pa;
    bool stale;
    bool faults, is_any_fault;
    enum fh_arm_status fault;
    struct fault_value *values;
    size_t nvalues;
    enum fh_access_handler handler;
};

/* An access, made at each of `pages` pages in a row. */
struct access_step {
    struct fh_access_request access;
    uint64_t pages;
    struct access_expect expect;
};

/* What a step's trap goes to: TrapHandlerRaw, or TrapHandler, the layer of the security proof. */
enum trap_layer { TRAP_RAW, TRAP_TOP, TRAP_LAYERS };

/* Events of other CPUs, when the log of the lock is longer by `after` than before the step. */
struct step_events {
    const struct node *list;
    bool atomic;   /* in slog */
    uint64_t lock; /* otherwise: in this lock's log */
    uint64_t after;
};

/* The value that a data oracle gives `vmid` when it has read `after` more than before the step. */
struct step_datum {
    bool core; /* core_doracle, not doracle */
    uint64_t vmid, after, value;
};

/* What comes from outside during one step. */
struct step_script {
    struct step_events *events;
    size_t nevents;
    struct step_datum *data;
    size_t ndata;
};

struct step {
    enum step_kind kind;
    const struct node *node;
    const char *title; /* "call map_page_host", or its `name` */
    uint64_t repeat;
    const struct node *cpu_node; /* `cpu`: the CPU that acts from here on; NULL: as before */
    uint64_t cpu;
    struct actor actor;
    struct step_script script;
    const struct trap_kind *trap;
    uint64_t answers[FH_QUESTIONS]; /* for a machine, by what it asks */
    uint32_t has_answer;
    enum trap_layer layer;
    const struct fh_function *function; /* STEP_CALL */
    uint64_t args[FH_MAX_ARGS];
    const struct node *patch;            /* STEP_SET */
    struct access_step *access;          /* STEP_ACCESS */
    struct invariant_expect *invariants; /* STEP_CHECK of the invariants; NULL: of values */
    struct expect expect;
};

struct scenario {
    struct source source;
    struct arena *arena;
    const char *name;
    const char *description;
    const struct fh_profile *profile;
    uint64_t cpu, host_vcpuid; /* the CPU that acts first, and its host's context */
    struct budget budget;      /* of the memory of `state` and `script` */
    struct fh_allocator allocator;
    enum fh_log_policy log_policy;
    struct script *script;
    struct machine_choice choice;
    struct fh_state *state;
    struct step *steps;
    size_t nsteps;
    const struct node *invariants; /* to be checked behind every step; NULL: they are not */
    bool has_rules;                /* a step that breaks a rule fails, unless it says so */
    bool wants_words;              /* its tables are words, unless the file says how they are */
    bool has_tlb;                  /* accesses use translations that TLBs have kept */
    bool looks_at_effects;         /* a step expects some */
    const char *shows;             /* the departure that it is about; NULL: none */
    struct machine_choice beside;  /* shows: the machine without it */
    bool is_beside;                /* of the two plays of the file, the one without it */
    void (*behind)(void *context); /* called behind each step; NULL: nobody */
    void *behind_context;
};

/*
 * Read and check a file, for the machine of `choice` where there is one. False if it is no valid
 * scenario: it was reported, and scenario->source.error says why. The logs keep their events only
 * if the file speaks of them: a long run has many.
 */
bool scenario_load(struct scenario *scenario, const char *path,
                   const struct machine_choice *choice);
/* The same with tables as words, whether there are accesses or not, unless the file says how. */
bool scenario_load_with_words(struct scenario *scenario, const char *path,
                              const struct machine_choice *choice);
/* The file of another scenario, which shows a departure, as it is played without. */
bool scenario_load_beside(struct scenario *scenario, const struct scenario *other);
/* The same for a text; messages call it `name`, which must live as long. */
bool scenario_load_text(struct scenario *scenario, const char *name, const char *text);
/* The same for the machine of `choice`, with tables as words. */
bool scenario_load_text_for(struct scenario *scenario, const char *name, const char *text,
                            const struct machine_choice *choice);
void scenario_free(struct scenario *scenario);

/* --- Parts of the loader --------------------------------------------------------------------- */

/* The keys `machine`, `host`, `vms` and `state`: scenario_machine.c. */
bool scenario_load_machine(struct reader *reader, struct scenario *scenario,
                           const struct node *root);

/* The keys `oracle`, `data` and `core_data`, for the machine that stands: scenario_oracle.c. */
bool scenario_load_oracles(struct reader *reader, struct scenario *scenario,
                           const struct node *root);

/* `events`, `data` and `core_data` of a step; the data come behind those that it has already. */
bool scenario_load_step_script(struct reader *reader, struct scenario *scenario, struct step *step,
                               const struct node *node);

/* The key `parameters`: scenario_parameters.c. */
bool scenario_load_parameters(struct reader *reader, struct scenario *scenario,
                              const struct node *root);

/* The list under `steps`: scenario_steps.c. */
bool scenario_load_steps(struct reader *reader, struct scenario *scenario, const struct node *list);

/* `invariants: always`, and a step `check: invariants`: scenario_invariants.c. */
bool scenario_load_invariants(struct reader *reader, struct scenario *scenario,
                              const struct node *root);
bool scenario_load_invariant_check(struct reader *reader, const struct scenario *scenario,
                                   struct step *step, const struct node *node);

/* Which machine it is for, and its departures: scenario_departures.c. */
bool scenario_load_departures(struct reader *reader, struct scenario *scenario,
                              const struct node *root);

/* `rules: always`, and `rules` under `expect`: scenario_rules.c */
bool scenario_load_rules(struct reader *reader, struct scenario *scenario, const struct node *root);
bool scenario_load_expected_rules(struct reader *reader, struct step *step,
                                  const struct node *node);

/* What stands under `expect`, and state values by path: scenario_expect.c. */
bool scenario_load_expect(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node);
bool scenario_load_values(struct reader *reader, struct scenario *scenario, struct expect *expect,
                          const struct node *map);

/* Accesses, `tlb`, and what is expected of an access: scenario_access.c */
bool scenario_load_access(struct reader *reader, struct scenario *scenario, struct step *step,
                          const struct node *node);
bool scenario_load_tlb(struct reader *reader, struct scenario *scenario, const struct node *root);
bool scenario_load_access_expect(struct reader *reader, struct step *step, const struct node *node);
/* Is one of the steps an access? */
bool scenario_has_accesses(const struct node *root);
/* "translation": a fault as `fault` has it. */
const char *access_fault_word(enum fh_arm_status status);

/* The call by which the host of the scenario's machine runs a vCPU; NULL: it is the spec's way. */
const struct fh_abi_call *scenario_run_call(const struct scenario *scenario);

/* A patch fits the state: tried on a copy. */
bool scenario_try_patch(struct reader *reader, struct scenario *scenario, const struct node *patch);

/* Registers by name in a map: {elr: 0x1000, x: {0: 1}}. `skip` (NULL-terminated) are no registers.
 */
bool scenario_load_registers(struct reader *reader, const struct node *map, const char *const *skip,
                             struct registers *registers);

/* Trap kinds: what raises them, what handles them. */
struct trap_kind {
    const char *name;
    bool by_vm; /* a VM traps, otherwise the host */
    bool (*load)(struct reader *reader, struct scenario *scenario, struct step *step,
                 const struct node *node);
    enum fh_status (*play[TRAP_LAYERS])(struct fh_state *state);
};
bool scenario_load_trap(struct reader *reader, struct scenario *scenario, struct step *step,
                        const struct node *node);

/* "call", "map_page_host": the title of a step that has no name. */
const char *scenario_title(struct reader *reader, const char *what, const char *name);

#endif
