/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/numbers.h"

#include <inttypes.h>
#include <string.h>

#include <faulthandler/constants.h>
#include <faulthandler/fields.h>
#include <faulthandler/spec.h>
#include <faulthandler/state.h>

/* --- Kinds ----------------------------------------------------------------------------------- */

/* What stands under a name: X(kind, name). Registers come from the tables of their records. */
#define NAME_MAP(X)                                                                                \
    X(owner, s2_owner)                                                                             \
    X(owner, owner)                                                                                \
    X(owner, smmu_vmid)                                                                            \
    X(state, vm_state)                                                                             \
    X(state, vm_vcpu_state)                                                                        \
    X(state, vcpu_state)                                                                           \
    X(state, state)                                                                                \
    X(lock, lock)                                                                                  \
    X(lock, log)                                                                                   \
    X(answer, result)                                                                              \
    X(question, what)                                                                              \
    X(word, s2_gfn)                                                                                \
    X(word, gfn)                                                                                   \
    X(word, pfn)                                                                                   \
    X(word, pte)                                                                                   \
    X(word, old_pte)                                                                               \
    X(word, addr)                                                                                  \
    X(word, fault_addr)                                                                            \
    X(word, ipa)                                                                                   \
    X(word, gpa)                                                                                   \
    X(word, pa)                                                                                    \
    X(word, iova)                                                                                  \
    X(word, hsr)                                                                                   \
    X(word, value)                                                                                 \
    X(word, val)                                                                                   \
    X(word, old)                                                                                   \
    X(word, new)                                                                                   \
    X(word, size)                                                                                  \
    X(word, register)                                                                              \
    X(word, load_addr)                                                                             \
    X(word, load_size)                                                                             \
    X(word, remap_addr)                                                                            \
    X(word, vm_kvm)                                                                                \
    X(word, vm_vcpu)                                                                               \
    X(word, vm_load_addr)                                                                          \
    X(word, vm_load_size)                                                                          \
    X(word, vm_remap_addr)                                                                         \
    X(word, next_remap_ptr)                                                                        \
    X(word, mb_base)                                                                               \
    X(word, mb_size)                                                                               \
    X(word, mb_index)                                                                              \
    X(word, flatmem)                                                                               \
    X(word, s2page)                                                                                \
    X(word, pt)                                                                                    \
    X(count, s2_count)                                                                             \
    X(count, count)                                                                                \
    X(count, level)                                                                                \
    X(count, old_level)                                                                            \
    X(count, vmid)                                                                                 \
    X(count, vcpuid)                                                                               \
    X(count, cbndx)                                                                                \
    X(count, load_idx)                                                                             \
    X(count, len)                                                                                  \
    X(count, num)                                                                                  \
    X(count, sub)                                                                                  \
    X(count, n)                                                                                    \
    X(count, next_vmid)                                                                            \
    X(count, cur_vmid)                                                                             \
    X(count, curid)                                                                                \
    X(count, tstate)                                                                               \
    X(count, ec)

static const struct {
    const char *name;
    enum number_kind kind;
} names[] = {
#define NAME(kind, name) {#name, NUMBER_##kind},
#define REGISTER(name, type) {#name, NUMBER_word},
    NAME_MAP(NAME) FH_FIELDS_ctxt_regs(REGISTER) FH_FIELDS_trap_regs(REGISTER)
        FH_FIELDS_ctxt_states(REGISTER)
#undef NAME
#undef REGISTER
};

enum number_kind number_kind_of(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(names[i].name, name, length) == 0 && !names[i].name[length])
            return names[i].kind;
    }
    return NUMBER_any;
}

/* --- Printing -------------------------------------------------------------------------------- */

enum { HEX_FROM = 4096, SHARED_DIGITS = 10 };

static void print_word(uint64_t value, FILE *out)
{
    fprintf(out, value < SHARED_DIGITS ? "%" PRIu64 : "0x%" PRIx64, value);
}

/* The first constant of a prefix, or of a list, that is the number. */
static const char *constant_of_prefix(const struct fh_profile *k, const char *prefix,
                                      uint64_t value)
{
    const char *name;
    for (unsigned i = 0; (name = fh_constant_name(i)); i++) {
        uint64_t constant;
        if (strncmp(name, prefix, strlen(prefix)) == 0 &&
            fh_profile_constant(k, name, strlen(name), &constant) && constant == value)
            return name;
    }
    return NULL;
}

static const char *constant_of(const struct fh_profile *k, const char *const *list, uint64_t value)
{
    for (; *list; list++) {
        uint64_t constant;
        if (fh_profile_constant(k, *list, strlen(*list), &constant) && constant == value)
            return *list;
    }
    return NULL;
}

static const char *name_of(const struct fh_profile *k, enum number_kind kind, uint64_t value)
{
#define CONSTANT(name) #name,
    static const char *const owners[] = {FH_OWNER_MAP(CONSTANT) NULL};
    static const char *const states[] = {FH_VM_STATE_MAP(CONSTANT) NULL};
#undef CONSTANT
    static const char *const answers[] = {"INVALID", "INVALID64", NULL};
    static const char *const words[] = {"INVALID64", NULL};
    switch (kind) {
    case NUMBER_owner: return constant_of(k, owners, value);
    case NUMBER_state: return constant_of(k, states, value);
    case NUMBER_answer: return constant_of(k, answers, value);
    case NUMBER_word:
    case NUMBER_any: return constant_of(k, words, value);
    case NUMBER_question: return value < FH_QUESTIONS ? fh_question_name(value) : NULL;
    case NUMBER_call: return constant_of_prefix(k, "HVC_", value);
    default: return NULL;
    }
}

static void print_lock(const struct fh_profile *k, uint64_t id, FILE *out);

void number_print(const struct fh_profile *k, enum number_kind kind, uint64_t value, FILE *out)
{
    const char *name = name_of(k, kind, value);
    if (kind == NUMBER_lock)
        print_lock(k, value, out);
    else if (name)
        fputs(name, out);
    else if (kind == NUMBER_word || kind == NUMBER_answer ||
             (kind == NUMBER_any && value >= HEX_FROM))
        print_word(value, out);
    else
        fprintf(out, "%" PRIu64, value);
}

void number_print_as(const struct fh_profile *k, const char *name, uint64_t value, FILE *out)
{
    number_print(k, number_kind_of(name, strlen(name)), value, out);
}

/* --- Locks ----------------------------------------------------------------------------------- */

/* The locks that there are once: X(constant, in words and in records). */
#define LOCK_MAP(X)                                                                                \
    X(FLATMEM_ID, "flatmem")                                                                       \
    X(CORE_ID, "core")                                                                             \
    X(S2PAGE_ID, "s2page")                                                                         \
    X(SPT_ID, "spt")                                                                               \
    X(SMMU_ID, "smmu")

/* Behind these each VM has one of its table and one of its state. */
static bool is_of_state(const struct fh_profile *k, uint64_t id)
{
    return id >= k->INFO_ID;
}

static uint64_t vm_of_lock(const struct fh_profile *k, uint64_t id)
{
    return id - (is_of_state(k, id) ? k->INFO_ID : k->NPT_ID);
}

struct lock {
    uint64_t id;
    const char *constant, *words;
};

enum { LOCKS = 5 };

/* Of those there are once; `id` and `words` find one, whichever is not NULL. */
static bool find_lock(const struct fh_profile *k, const uint64_t *id, const char *words,
                      struct lock *found)
{
    const struct lock locks[LOCKS] = {
#define LOCK(constant, words) {k->constant, #constant, words},
        LOCK_MAP(LOCK)
#undef LOCK
    };
    for (unsigned i = 0; i < LOCKS; i++) {
        *found = locks[i];
        if ((id && *id == locks[i].id) || (words && strcmp(words, locks[i].words) == 0))
            return true;
    }
    return false;
}

static void print_lock(const struct fh_profile *k, uint64_t id, FILE *out)
{
    struct lock lock;
    if (find_lock(k, &id, NULL, &lock)) {
        fputs(lock.constant, out);
        return;
    }
    fputs(is_of_state(k, id) ? "INFO_ID" : "NPT_ID", out);
    if (vm_of_lock(k, id) > 0)
        fprintf(out, "+%" PRIu64, vm_of_lock(k, id));
}

void lock_print_words(const struct fh_profile *k, uint64_t id, FILE *out)
{
    struct lock lock;
    if (find_lock(k, &id, NULL, &lock))
        fputs(lock.words, out);
    else
        fprintf(out, "%s %" PRIu64, is_of_state(k, id) ? "vm" : "npt", vm_of_lock(k, id));
}

const char *lock_recorded(const struct fh_profile *k, uint64_t id, uint64_t *vmid)
{
    struct lock lock;
    *vmid = 0;
    if (find_lock(k, &id, NULL, &lock))
        return lock.words;
    *vmid = vm_of_lock(k, id);
    return is_of_state(k, id) ? "vm" : "pt";
}

uint64_t lock_of_recorded(const struct fh_profile *k, const char *recorded, uint64_t vmid)
{
    struct lock lock;
    if (find_lock(k, NULL, recorded, &lock))
        return lock.id;
    return (strcmp(recorded, "vm") == 0 ? k->INFO_ID : k->NPT_ID) + vmid;
}

/* --- Functions ------------------------------------------------------------------------------- */

const char *function_of_recorded(const char *recorded)
{
    static const struct {
        const char *recorded, *spec;
    } functions[] = {
#define FUNCTION(name, recorded, nargs) {recorded, #name},
        FH_FUNCTION_NAME_MAP(FUNCTION)
#undef FUNCTION
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].recorded, recorded) == 0)
            return functions[i].spec;
    }
    return recorded;
}

const char *function_argument(const char *function, unsigned n)
{
    static const char *const of_others[] = {"vmid", "vcpuid"};
    const struct fh_function *found = fh_function_find(function);
    if (found && found->nargs > 0)
        return n < found->nargs ? found->arg_names[n] : NULL;
    return n < 2 ? of_others[n] : NULL;
}
