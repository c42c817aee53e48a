/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_REDUCE_H
#define SIM_REDUCE_H

#include "twin/twin.h"

/*
 * Making a trace short: which of its records are needed for what a trap shows? docs/reduce.md says
 * what a reduced trace is.
 */

/* --- Records --------------------------------------------------------------------------------- */

/* A record that stays, with its text as it was read. Those that overlapped stay or go together. */
struct reduce_record {
    size_t head; /* the number of the first that it overlapped with; its own: it is that */
    struct trace_line line;
    char *text;
    size_t length;
    char *unexplained;                /* what the full trace's replay could not explain, or NULL */
    const struct trace_line *effects; /* where records are folded: what it does to the state */
};

/* The records of a trace from the boot line on. */
struct reduce_records {
    struct reduce_record **list;
    size_t count;
    size_t size;
    struct arena *arena; /* the lines with their effects */
    const char **words;  /* the texts in effects, each once */
    size_t nwords;
    const struct machine_description *folds; /* NULL: records are not folded */
    uint64_t *registers;                     /* of vCPUs, as they left them at their last exit */
};

/* `folds`: for reduction to effects on the state of this machine, or NULL. */
struct reduce_records *reduce_records_new(const struct machine_description *folds);
void reduce_records_free(struct reduce_records *records);
/* Keep a line; `text` is what it was read from. */
/* How many belong together from this one on. */
size_t reduce_records_together(const struct reduce_records *records, size_t head);
struct reduce_record *reduce_records_add(struct reduce_records *records,
                                         const struct trace_line *line, const char *text,
                                         size_t length);

/* --- Reading and writing --------------------------------------------------------------------- */

struct order;
struct reduction;
/* Keep records that overlapped; the number of the first. */
size_t reduce_keep(struct reduce_records *records, const struct order *order,
                   const struct trace_line *const *lines, size_t count);
/* Read the boot record. False, with a message, if the trace does not begin as it must. */
bool reduce_boot(const struct reduction *reduction, struct reduce_records *records,
                 struct trace *trace, const char *path);
/* Write the reduced trace. */
void reduce_write(const struct reduction *reduction, FILE *out);

/* --- What is kept ---------------------------------------------------------------------------- */

struct reduce_goal {
    const struct machine_description *machine;
    const struct machine_entry *entry; /* NULL: a difference that is not explained */
    unsigned index;                    /* of the entry in the catalogue */
    bool has_seq;
    uint64_t seq;        /* the trap that shows it; without one, the first that does */
    uint64_t difference; /* without an entry: which of its differences, from 1 */
    struct credits left_out;
    /* Who says instead whether a trap shows it; NULL: nobody. */
    bool (*shows)(void *context, struct twin *twin, const struct trace_line *line,
                  const struct trap_verdict *verdict);
    void *context;
};

/* The model's state and how it runs, to look at. */
struct reduce_model {
    const struct fh_rdata *state;
    enum fh_realisation realisation;
    const struct fh_machine *machine;
    struct fh_departures departures;
    uint64_t vmid, vcpuid; /* the vCPU that runs on the CPU */
};
struct reduce_model reduce_look(struct twin *twin, uint64_t cpu);

/* What became of records that are taken together. */
struct reduce_outcome {
    bool is_explained; /* all of them */
    bool shows;        /* one shows what is to be kept */
    char *unexplained; /* what is not explained, a line each; NULL if nothing is. To be freed */
};

/* Let the model take records that overlapped, or one, as `fhsim replay` does. */
struct reduce_outcome reduce_take(const struct reduce_goal *goal, struct twin *twin,
                                  const struct reduce_records *records, size_t head);

/* --- The search ------------------------------------------------------------------------------ */

/* An effect of a record that is left out. */
struct reduce_effect {
    size_t record;
    struct trace_effect effect;
};

struct reduction {
    const struct reduce_goal *goal;
    const struct reduce_records *records; /* the last one shows it */
    struct twin *twin;
    struct twin_image *boot; /* behind the boot line */
    size_t *kept;            /* numbers of the records that are needed before the last, rising */
    size_t nkept;
    struct reduce_effect *folded; /* what is needed of the others */
    size_t nfolded;
    double deadline; /* of progress_clock, when the best so far is taken; 0: none */
    void (*progress)(void *context, size_t nkept, double done); /* NULL: none */
    void *context;
};

/* Bring the model to before the last record, by way of what is kept. */
void reduce_replay(const struct reduction *reduction);

/*
 * Find `kept`. `folds`: of the other records effects on the state may be needed; find `folded` too.
 */
void reduce_search(struct reduction *reduction, bool folds);
/*
 * The same where `kept` are known to be needed, from malloc: find what else is of effects. False if
 * the last record does not show it with all effects of the others.
 */
bool reduce_fold(struct reduction *reduction);
/* Did the last record show what is to be kept, and nothing that is new? */
bool reduce_is_shown(const struct reduce_goal *goal, const struct reduce_record *last,
                     const struct reduce_outcome *outcome);
/* Was nothing unexplained that the full trace's replay could explain? */
bool reduce_is_as_recorded(const struct reduce_record *record,
                           const struct reduce_outcome *outcome);

/*
 * The effects of `*at` and on that come before record `end`, as a record that a replay takes over;
 * `fx` has room for them. False if there are none.
 */
bool reduce_folded(const struct reduction *reduction, size_t *at, size_t end,
                   struct trace_effect *fx, struct trace_line *line);

/* --- The scenario ---------------------------------------------------------------------------- */

/*
 * Write the last trap of a reduced trace as a scenario that `fhsim run` plays: the machine of the
 * boot line, the state before the trap, the trap, and what the model does. `name` is what reports
 * call the trace. False, with a message, if it cannot be said.
 */
bool reduce_scenario(const struct reduction *reduction, const char *name, FILE *out);

#endif
