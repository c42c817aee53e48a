/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_TWIN_STATE_H
#define SIM_TWIN_STATE_H

#include "predict/state_parts.h"
#include "twin/inputs_of.h"
#include "twin/twin.h"

/* The inside of a twin, for its own files. */

enum { TWIN_TOUCHES = 4096, TWIN_SIGNATURES = 4096, TWIN_LOCKS = 256 };

/* A trap that changed a page's record or mapping, or what is kept of a VM. */
struct twin_touch {
    uint64_t subject; /* of changes.c */
    uint64_t seq;
};

/* Traps that are alike, and what explains them. */
struct twin_signature {
    uint64_t hash; /* 0: none */
    struct credits credits;
};

/* A lock that is held. */
struct twin_lock {
    unsigned rank;
    uint64_t vmid, cpu;
};

struct twin {
    const struct machine_description *description;
    const struct fh_machine *code;
    struct fh_profile profile; /* with what was adopted from the boot record */
    struct model *model;
    const struct state_parts *parts;
    struct fh_departures machine, none; /* those of the machine that are not left out */
    struct credits left_out;
    enum credit credit;
    bool has_host_pool;      /* the boot line told of it */
    bool is_watched;         /* the maps of the abstract form are kept too, see maps.c */
    struct fh_place *places; /* watched: where the machine wrote since the last look */
    size_t nplaces, places_size;
    bool is_between; /* another CPU is in a critical section: nothing is looked at now */
    bool is_held;    /* this trap can be taken back, with the maps */

    /* The trap being replayed. */
    const struct trace_line *line;
    struct trap_inputs inputs;
    struct answers answers;
    struct trap_verdict verdict;
    struct prediction by_machine, by_spec, other;
    twin_wanted *wanted;
    void *wanted_context;
    twin_wants_nearest *wants_nearest;
    void *nearest_context;
    struct twin_lock locks[TWIN_LOCKS]; /* that are held */
    size_t nlocks;

    struct twin_touch touches[TWIN_TOUCHES]; /* the latest ones */
    uint64_t ntouches;
    struct twin_signature signatures[TWIN_SIGNATURES];
};

/*
 * Predict a trap and compare; `others`: what other CPUs did meanwhile. The model stands behind the
 * prediction, which model_undo takes back.
 */
void twin_predict(struct twin *twin, const struct trace_line *line,
                  const struct trace_effect *others, size_t nothers, struct trap_verdict *verdict);
/* Take the trap as the model's departures are, in the words of the machine's recorder. */
void twin_take(struct twin *twin, struct prediction *prediction);
/* Of a trap that was just predicted: is it one that may have to be taken back later (blame.c)? */
void twin_hold(struct twin *twin, const struct trap_verdict *verdict);
/* Make the outcome follow from what was found. */
void twin_settle(struct trap_verdict *verdict);
/* Traps that overlapped (overlap.c). */
void twin_replay_together(struct twin *twin, const struct trace_line *const *lines, size_t count,
                          twin_told *told, void *context);

/* Take over what a machine did, event by event (take_over.c). */
void twin_begin_to_follow(struct twin *twin, const struct trace_line *line);
void twin_follow(struct twin *twin, const struct trace_effect *effect);
void twin_end_to_follow(struct twin *twin, const struct trace_line *line);

/* Rules for locks (locks.c), of one effect and of a trap that nothing overlaps. NULL: no verdict.
 */
void twin_check_lock(struct twin *twin, uint64_t cpu, const struct trace_effect *effect,
                     struct trap_verdict *verdict);
void twin_check_locks(struct twin *twin, const struct trace_line *line,
                      struct trap_verdict *verdict);

/* Keep in mind what the line wrote (changes.c). */
void twin_note_changes(struct twin *twin, const struct trace_line *line);

/* Which departures the trap needs that the model took as the machine did (credit.c). */
void twin_give_credit(struct twin *twin, const struct fh_departures *asked,
                      struct trap_verdict *verdict);
/* Take the trap again, from the state before it, with these departures, and compare. */
void twin_take_again(struct twin *twin, const struct fh_departures *set,
                     struct prediction *prediction, struct differences *found);
/* Would it then differ from the record? Its prediction is in `other`, and may be cut there. */
bool twin_differs(struct twin *twin, const struct fh_departures *set);
/* The same with all of the machine, so that the model goes on from there. */
void twin_take_as_machine(struct twin *twin);
/* The same with none of them, for the verdict; the model is left where that ends. */
void twin_take_as_spec(struct twin *twin, struct trap_verdict *verdict);

/* Which departure is nearest to explaining a trap, and why the model panics (nearest.c). */
void twin_find_nearest(struct twin *twin, const struct fh_departures *asked,
                       struct trap_verdict *verdict);

/*
 * Rules beside the spec that the record breaks (rules.c): for the entries of the catalogue that
 * foresee it, or else a difference.
 */
void twin_check_rules(const struct twin *twin, struct trap_verdict *verdict);
/* One of them; `effect`: that breaks it, or NULL. */
void twin_rule_broken(const struct twin *twin, enum machine_breaks rule,
                      const struct trace_effect *effect, struct trap_verdict *verdict);

/*
 * The maps of the abstract form beside the words, in a twin that is watched: what these descriptors
 * mean for them (maps.c).
 */
void twin_follow_maps(struct twin *twin, const struct trace_effect *effects, size_t count);

static inline bool twin_is_page(const struct twin *twin, uint64_t index)
{
    return model_has_page(twin->model, index);
}

#endif
