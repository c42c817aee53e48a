/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include <faulthandler/abi.h>
#include <faulthandler/profile.h>

#include "trace/trace.h"

/*
 * What a machine is, as its machine.yaml says (docs/machines.md): all that the model and a replay
 * have to know of a hypervisor beside its overlay. Everything in it is constant.
 */

/* --- How a trace of it is recognised --------------------------------------------------------- */

/* Of a value of the boot record: X(name, in words). */
#define MACHINE_CONDITION_MAP(X)                                                                   \
    X(is, "it is one of the values")                                                               \
    X(within, "it is within a range, both ends included")                                          \
    X(there, "it is there")                                                                        \
    X(absent, "it is not there")

enum machine_condition_kind {
#define MACHINE_ENUM(name, words) MACHINE_VALUE_##name,
    MACHINE_CONDITION_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
};

/* Parts of an expression are added up: "pool[1].pgd_pool - pool[1].page_pool_start + 0x1000". */
enum machine_term_kind { MACHINE_TERM_number, MACHINE_TERM_value, MACHINE_TERM_constant };

struct machine_term {
    enum machine_term_kind kind;
    bool minus;
    uint64_t number;
    const char *name; /* of a value of the boot record; of a constant */
};

struct machine_expression {
    const char *text; /* as it was written */
    size_t count;
    const struct machine_term *terms;
};

struct machine_condition {
    struct machine_expression what;
    enum machine_condition_kind kind;
    size_t nvalues; /* is: alternatives; within: 2 */
    const uint64_t *values;
};

/* --- What is adopted from the boot record ---------------------------------------------------- */

/* What a state takes beside constants: P(place) for one value, I(place) for one for each index. */
#define MACHINE_PLACE_MAP(P, I)                                                                    \
    P(ram_base)                                                                                    \
    P(ram_size)                                                                                    \
    P(next_vmid)                                                                                   \
    P(next_remap_ptr)                                                                              \
    P(vcpu_contexts)                                                                               \
    P(vcpu_context_size)                                                                           \
    P(smmu_num)                                                                                    \
    I(smmu_phys_base)                                                                              \
    I(smmu_size)                                                                                   \
    I(smmu_pgshift)                                                                                \
    I(smmu_context_banks)                                                                          \
    I(smmu_hyp_base)                                                                               \
    I(bank_vmid)                                                                                   \
    I(bank_ttbr)                                                                                   \
    I(reset_value)                                                                                 \
    I(reset_register)                                                                              \
    I(table_word)

enum machine_place {
#define MACHINE_ENUM(place) MACHINE_##place,
    MACHINE_PLACE_MAP(MACHINE_ENUM, MACHINE_ENUM)
#undef MACHINE_ENUM
        MACHINE_PLACES
};

struct machine_adoption {
    const char *target;       /* a constant, or a place */
    size_t offset;            /* of the constant in struct fh_profile */
    enum machine_place place; /* MACHINE_PLACES: it is a constant */
    struct machine_expression from;
};

/* A value that was found, and where: the index (table_word: its physical address). */
struct machine_found {
    enum machine_place place;
    uint64_t index;
    uint64_t value;
};

/* What a boot record says: the constants of this very build, and values for the state. */
struct machine_boot {
    struct fh_profile profile;
    size_t nfound;
    struct machine_found *found; /* in the order of the record */
};

/* --- Tables, registers ----------------------------------------------------------------------- */

/* What "the next free page" of a pool is, in records. */
#define MACHINE_NEXT_MAP(X)                                                                        \
    X(address, "its physical address")                                                             \
    X(offset, "bytes from the first page of the pool")                                             \
    X(index, "pages from the first page of the pool")

enum machine_next {
#define MACHINE_ENUM(name, words) MACHINE_NEXT_##name,
    MACHINE_NEXT_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
        MACHINE_NEXTS
};

struct machine_tables {
    enum machine_next next;
};

/* A register of a shadow context: its number in the model, and in records. */
struct machine_register {
    const char *name;
    uint64_t number; /* the constant of this name */
    uint64_t recorded;
};

/* --- The recorder's dialect ------------------------------------------------------------------ */

/* What a field is compared with or set to: a number, a text, or what is made of another field. */
enum machine_value_kind { MACHINE_number, MACHINE_text, MACHINE_field };

/* '=': as it is. */
#define MACHINE_OPERATORS "=+-&|<>"

struct machine_value {
    enum machine_value_kind kind;
    uint64_t number;  /* number; field: the operand */
    const char *text; /* text */
    unsigned field;   /* of the same effect */
    char operator;    /* field: one of MACHINE_OPERATORS; < and > shift */
};

struct machine_setting {
    unsigned field; /* of the kind of effect */
    struct machine_value value;
};

/* Some effects: those of a kind whose fields have these values. */
struct machine_pattern {
    enum trace_effect_kind effect;
    const char *inside; /* the last function that was entered before, or NULL */
    size_t count;
    const struct machine_setting *when;
};

/* X(name, in words) */
#define MACHINE_RULE_MAP(X)                                                                        \
    X(says, "the recorder writes other values")                                                    \
    X(omits, "the recorder does not write it")                                                     \
    X(leaves_out, "the recorder does not write a field")                                           \
    X(before, "it stands before another effect, or all others")                                    \
    X(after, "it stands behind another effect, or all others")

enum machine_rule_kind {
#define MACHINE_ENUM(name, words) MACHINE_RULE_##name,
    MACHINE_RULE_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
};

struct machine_rule {
    const char *id; /* "L3", or NULL */
    const char *why;
    enum machine_rule_kind kind;
    struct machine_pattern what;
    size_t nsettings; /* says */
    const struct machine_setting *settings;
    uint32_t fields;               /* leaves_out */
    bool is_all;                   /* before, after: all others */
    struct machine_pattern anchor; /* or the nearest of these */
};

/* --- What is not compared, and what cannot be known ------------------------------------------ */

enum machine_part { MACHINE_PART_register, MACHINE_PART_effect };

/* A part of records that is not compared, and why. */
struct machine_exclusion {
    const char *why;
    enum machine_part part;
    uint32_t kinds; /* of traps, as bits */
    bool at_entry, at_exit;
    uint32_t registers;          /* register: as bits */
    uint32_t gprs;               /* register: x0 to x30, as bits */
    struct machine_pattern what; /* effect */
    uint32_t fields;             /* effect: as bits; 0: the whole effect */
};

/* --- The catalogue --------------------------------------------------------------------------- */

/*
 * departure: the machine does otherwise, behind a switch. consequence: what a departure amounts to
 * at a place. rule: of the machine beside what the spec speaks of. profile: another number. same:
 * the spec does it too.
 */
#define MACHINE_ENTRY_MAP(X)                                                                       \
    X(departure, "departure")                                                                      \
    X(consequence, "consequence")                                                                  \
    X(rule, "rule beside the spec")                                                                \
    X(number, "another number")                                                                    \
    X(same, "the spec does the same")

enum machine_entry_kind {
#define MACHINE_ENUM(name, words) MACHINE_IS_##name,
    MACHINE_ENTRY_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
        MACHINE_ENTRY_KINDS
};

/* What it takes from the isolation of VMs at worst; from none to most serious. */
#define MACHINE_HARM_MAP(X)                                                                        \
    X(none, "none")                                                                                \
    X(availability, "availability")                                                                \
    X(integrity, "integrity")                                                                      \
    X(confidentiality, "confidentiality")

enum machine_harm {
#define MACHINE_ENUM(name, words) MACHINE_HARM_##name,
    MACHINE_HARM_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
        MACHINE_HARMS
};

/* Where a run halts: in a function, for want of what the condition has these words of. */
struct machine_halt {
    const char *function;
    const char *condition; /* NULL: whatever it is */
};

/*
 * A rule beside the spec that traps of an entry break: X(name, what happens then).
 */
#define MACHINE_BREAKS_MAP(X)                                                                      \
    X(nothing, "nothing")                                                                          \
    X(device_flush, "a device's page or block is replaced without telling the TLB")                \
    X(memory_flush, "a RAM page or block is replaced without telling the TLB")                     \
    X(break_before_make, "a page or block is replaced, and the TLB is told only behind it")        \
    X(return_below, "an exception return stays at EL2")                                            \
    X(lock_order, "the order of locks")                                                            \
    X(lock_held, "a lock that is held")                                                            \
    X(lock_return, "a lock that is not its own")

enum machine_breaks {
#define MACHINE_ENUM(name, words) MACHINE_BREAKS_##name,
    MACHINE_BREAKS_MAP(MACHINE_ENUM)
#undef MACHINE_ENUM
        MACHINE_BREAKS_COUNT
};

const char *machine_breaks_words(enum machine_breaks breaks);

struct machine_entry {
    const char *id; /* "A24" */
    enum machine_entry_kind kind;
    enum machine_harm harm;
    enum machine_breaks breaks;
    const char *title;
    const char *spec;    /* what the spec says */
    const char *machine; /* what the machine does */
    const char *follows; /* consequence: of which departures, "A1, A17" */
    size_t nhalts;       /* it shows in traps that halt there without one of those */
    const struct machine_halt *halts;
    const char *evidence; /* a recorded trap "file#seq", or where else it can be seen */
    const char *from;     /* the machine whose catalogue has it */
};

/* --- A machine ------------------------------------------------------------------------------- */

/* Lists have what the machine extends first. */
struct machine_description {
    const char *name;
    const char *title;
    const char *folder; /* NULL: of the tree, compiled in */
    const struct machine_description *extends;
    const struct fh_profile *profile; /* the constants, before anything is adopted */

    size_t nconditions, nadoptions, nregisters, nrules, nexclusions, nlimits, nentries;
    const struct machine_condition *conditions;
    const struct machine_adoption *adoptions;
    const struct machine_register *registers;
    const struct machine_rule *rules;
    const struct machine_exclusion *exclusions;
    const char *const *limits;
    const struct machine_entry *entries;

    struct machine_tables tables;
    const struct fh_abi *hypercalls;
    const struct fh_abi *guest_calls;
};

/* The machines of the tree, NULL after the last; by name, NULL if there is none. */
const struct machine_description *machine_at(unsigned index);
const struct machine_description *machine_of_tree(const char *name);

/* By name, or by the path of a folder with a machine.yaml. NULL, with messages, if there is none.
 */
const struct machine_description *machine_find(const char *name_or_folder);

/* --- Traces of it ---------------------------------------------------------------------------- */

/* Why a trace is not of a machine. */
struct machine_mismatch {
    const struct machine_condition *condition;
    bool is_there;
    uint64_t value;
};

/*
 * How many conditions the boot record fails; the first `room` of them are listed. 0: the trace is
 * of this machine.
 */
size_t machine_recognise(const struct machine_description *machine, const struct trace_line *boot,
                         struct machine_mismatch *list, size_t room);

/* "PAGE_S2_KERNEL is 0x7ff, not 0xfff", for people. */
void machine_mismatch_format(const struct machine_mismatch *mismatch, char *text, size_t size);

/* The machine of the tree that the record fits, of several the one with most conditions; or NULL.
 */
const struct machine_description *machine_that_fits(const struct trace_line *boot);

/* Is the line a boot record? */
bool machine_is_boot(const struct trace_line *line);

/*
 * What the boot record says. False, with the reason in `error`, if it lacks something. Freed by
 * machine_boot_free in any case.
 */
bool machine_adopt(const struct machine_description *machine, const struct trace_line *line,
                   struct machine_boot *boot, char *error, size_t size);
void machine_boot_free(struct machine_boot *boot);

/* The first value of a place; false if there is none. */
bool machine_boot_value(const struct machine_boot *boot, enum machine_place place, uint64_t *value);

/* The row of a call's number; NULL: unknown. */
const struct fh_abi_call *machine_call(const struct fh_abi *abi, uint64_t number);

/* A register's number in records, from its number in the model. */
uint64_t machine_register_recorded(const struct machine_description *machine, uint64_t number);

/*
 * Records of this machine and what the model did meet half way. Of the recorder's habits those that
 * can be taken back (a name, a number that is counted from elsewhere) are taken back in the record:
 * machine_plain, in place, after which effects are as docs/trace-format.md words them. The others
 * (what it never writes, where it writes it) are taken on by the model's effects: machine_reword,
 * in place, which returns how many are left. `k`: the constants of this build.
 */
bool machine_is_plain(const struct machine_description *machine);
void machine_plain(const struct machine_description *machine, const struct fh_profile *k,
                   struct trace_effect *effects, size_t count);
size_t machine_reword(const struct machine_description *machine, struct trace_effect *effects,
                      size_t count);

/*
 * The address of the next free page of a pool, from what records have for it. `field` is pgd_next,
 * pud_next or pmd_next of a VM's table (or pgd_pool, ...), smmu_pgd_next or smmu_pmd_next (vmid is
 * nothing then). `k`: the constants of this build.
 */
uint64_t machine_next_address(const struct machine_description *machine, const struct fh_profile *k,
                              const char *field, uint64_t vmid, uint64_t recorded);

/* The exclusion by which a part of a record is not compared; NULL: it is compared. */
const struct machine_exclusion *machine_excludes_register(const struct machine_description *machine,
                                                          enum trace_kind kind, bool at_exit,
                                                          enum trace_register reg);
const struct machine_exclusion *machine_excludes_gpr(const struct machine_description *machine,
                                                     enum trace_kind kind, bool at_exit,
                                                     unsigned gpr);
/* `function`: the last that was entered before. `field`: its number, or -1: the whole effect. */
const struct machine_exclusion *machine_excludes_effect(const struct machine_description *machine,
                                                        enum trace_kind kind,
                                                        const struct trace_effect *effect,
                                                        const char *function, int field);

/* What of records is not compared, and why, for people. */
void machine_print_not_compared(const struct machine_description *machine, FILE *out);

const char *machine_harm_name(enum machine_harm harm);
/* Lines with what the spec and the machine do, behind `lead`, as far as the entry says so. */
void machine_print_sides(const struct machine_entry *entry, const char *lead, FILE *out);
const char *machine_entry_kind_name(enum machine_entry_kind kind);
/* The entry of this identifier, or NULL. */
const struct machine_entry *machine_entry_find(const struct machine_description *machine,
                                               const char *id);
/* Is the entry one that follows from the departure `id`? */
bool machine_entry_follows(const struct machine_entry *entry, const char *id);

#endif
