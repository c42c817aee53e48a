/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/question.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/path.h>
#include <faulthandler/words.h>

#include "base/diag.h"
#include "base/expression.h"
#include "base/numbers.h"
#include "base/text_stream.h"
#include "base/whole_path.h"
#include "show/ranges.h"
#include "show/subject.h"

enum { WORDS = 512 };

void question_free(struct question *question)
{
    for (size_t i = 0; i < question->count; i++)
        free(question->intervals[i].words);
    free(question->intervals);
    mappings_free(&question->mappings);
}

/* --- How it is now ---------------------------------------------------------------------------- */

static void print_page(const struct question *question, FILE *out)
{
    const struct fh_state *state = question->state;
    const struct fh_s2page *page = page_at(state, question->mappings.pfn << 12);
    fputs("owner ", out);
    number_print_as(fh_state_profile(state), "s2_owner", page->s2_owner, out);
    fprintf(out, ", shared %" PRIu32 ", mapped by ", page->s2_count);
    mappings_print(&question->mappings, out);
}

/* Does it read the same words, to the same end? */
static bool is_same_walk(const struct fh_arm_walk *one, const struct fh_arm_walk *other)
{
    for (unsigned i = 0; i < other->nsteps; i++) {
        if (i >= one->nsteps || one->steps[i].address != other->steps[i].address)
            return false;
    }
    return one->nsteps == other->nsteps && one->is_translated == other->is_translated &&
           one->output == other->output;
}

/* What the walk has read, and whose the page is that it leads to. */
static void follow_walk(struct question *question, const struct fh_arm_walk *walk)
{
    char path[64];
    if (!question->reader || is_same_walk(&question->walk, walk))
        return;
    question->walk = *walk;
    for (unsigned i = 0; i < walk->nsteps; i++)
        history_follow_word(question->reader, walk->steps[i].address);
    if (!walk->is_translated)
        return;
    snprintf(path, sizeof path, "shared.s2page.0x%" PRIx64, walk->output >> 12);
    history_follow(question->reader, path);
}

static void print_ipa(struct question *question, FILE *out)
{
    const struct fh_state *state = question->state;
    const struct fh_arm_ipa_access access = {.ipa = question->address, .kind = FH_ARM_READ};
    const struct fh_arm_memory memory =
        question->is_smmu ? fh_smmu_memory(state) : fh_stage2_memory(state);
    struct fh_arm_stage2_control control;
    struct fh_arm_walk walk;
    if (question->is_smmu)
        fh_smmu_control(state, question->smmu, question->bank, &control);
    else
        fh_stage2_control(state, question->vmid, &control);
    fh_arm_translate(&control, &memory, &access, &walk);
    follow_walk(question, &walk);
    if (!walk.is_translated) {
        fprintf(out, "not mapped, the walk ends at level %d", walk.level);
        if (walk.nsteps > 0 && walk.steps[walk.nsteps - 1].word != 0)
            fprintf(out, " with 0x%" PRIx64, walk.steps[walk.nsteps - 1].word);
        return;
    }
    fprintf(out, "to 0x%" PRIx64 " (level %d, %s%s%s), owner ", walk.output, walk.level,
            walk.leaf.S2AP & FH_ARM_S2AP_READ ? "R" : "",
            walk.leaf.S2AP & FH_ARM_S2AP_WRITE ? "W" : "", walk.leaf.XN & FH_ARM_XN_ALL ? "" : "X");
    number_print_as(fh_state_profile(state), "s2_owner", page_at(state, walk.output)->s2_owner,
                    out);
}

static void print_vm(const struct question *question, FILE *out)
{
    const struct fh_state *state = question->state;
    const struct fh_profile *k = fh_state_profile(state);
    uint64_t value = 0;
    char path[64];
    snprintf(path, sizeof path, "shared.vminfos.%" PRIu64 ".VS.vm_state", question->vmid);
    fh_get(state, path, &value);
    number_print(k, NUMBER_state, value, out);
    for (uint64_t i = 0; i < k->VCPU_PER_VM; i++) {
        snprintf(path, sizeof path, "shared.vminfos.%" PRIu64 ".VS.vm_vcpu_state.%" PRIu64,
                 question->vmid, i);
        if (fh_get(state, path, &value) != FH_OK || value == k->UNUSED)
            continue;
        fprintf(out, ", vCPU %" PRIu64 " ", i);
        number_print(k, NUMBER_state, value, out);
    }
}

static void print_path(const struct question *question, FILE *out)
{
    const struct fh_state *state = question->state;
    struct fh_found found;
    char words[WORDS];
    if (!fh_path_find(fh_state_rdata(state), fh_state_profile(state), question->path, &found, NULL))
        return;
    fh_value_format(found.type, found.place, words, sizeof words);
    fputs(words, out);
}

/* Is this the lock that is asked for, by name or number? */
static bool is_wanted_lock(const struct question *question, uint64_t lock)
{
    uint64_t number;
    const char *behind;
    if (subject_number(question->text, '\0', &number, &behind))
        return number == lock;
    struct text_stream stream;
    number_print(fh_state_profile(question->state), NUMBER_lock, lock, text_stream_begin(&stream));
    text_stream_end(&stream);
    const bool is_wanted = strcmp(stream.text, question->text) == 0;
    text_stream_free(&stream);
    return is_wanted;
}

/* Does the trap take the lock? */
static bool takes_lock(const struct question *question, const struct trace_line *line)
{
    const struct fh_profile *k = fh_state_profile(question->state);
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_lock *lock = &line->fx[i].lock;
        if (line->fx[i].kind == TRACE_lock &&
            is_wanted_lock(question, lock_of_recorded(k, lock->lock, lock->vmid)))
            return true;
    }
    return false;
}

static void print_lock(const struct question *question, FILE *out)
{
    if (question->is_taken)
        fprintf(out, "taken by CPU %" PRIu64 ", now ", question->taken_by);
    print_path(question, out);
}

static void print_now(struct question *question, FILE *out)
{
    switch (question->kind) {
    case QUESTION_PAGE: print_page(question, out); break;
    case QUESTION_IPA: print_ipa(question, out); break;
    case QUESTION_VM: print_vm(question, out); break;
    case QUESTION_LOCK: print_lock(question, out); break;
    case QUESTION_PATH:
    case QUESTION_REGISTER: print_path(question, out); break;
    default: fputs("it holds", out);
    }
}

/* --- When it is so ---------------------------------------------------------------------------- */

/* "mapped by host", "mapped by vm 1", ...; false: nobody is called so. */
static bool mapped_word(const struct question *question, const char *who, uint64_t *value)
{
    const char *behind;
    uint64_t vmid;
    if (strcmp(who, "nobody") == 0)
        *value = question->mappings.count == 0;
    else if (strcmp(who, "device") == 0)
        *value = mappings_has_device(&question->mappings);
    else if (strcmp(who, "host") == 0)
        *value = mappings_has_vm(&question->mappings, 0);
    else if (strncmp(who, "vm", 2) == 0 &&
             subject_number(who + 2 + (who[2] == ' '), '\0', &vmid, &behind))
        *value = mappings_has_vm(&question->mappings, vmid);
    else
        return false;
    return true;
}

/* A path that a condition names; a word that is none names nothing that ever changed. */
static void follow_word(const struct question *question, const char *word)
{
    char path[300];
    if (!question->reader || question->knows_words)
        return;
    history_follow(question->reader, whole_path(word, path, sizeof path));
}

/* What words mean of the page that is asked for. */
static bool page_word(void *context, const char *word, uint64_t *value)
{
    static const char mapped[] = "mapped by ";
    const struct question *question = context;
    follow_word(question, word);
    if (question->kind != QUESTION_PAGE)
        return false;
    const struct fh_s2page *page = page_at(question->state, question->mappings.pfn << 12);
    if (strncmp(word, mapped, strlen(mapped)) == 0)
        return mapped_word(question, word + strlen(mapped), value);
    if (strcmp(word, "owner") == 0)
        *value = page->s2_owner;
    else if (strcmp(word, "count") == 0)
        *value = page->s2_count;
    else if (strcmp(word, "gfn") == 0)
        *value = page->s2_gfn;
    else
        return false;
    return true;
}

/* Does it hold now, what --when says? */
static bool holds(struct question *question)
{
    struct expression_error error;
    uint64_t value = 1;
    if (question->when && !expression_evaluate(question->when, question->state, page_word, question,
                                               &value, &error)) {
        diag(&(const struct place){"--when", 1, (unsigned)error.offset + 1}, question->when, "%s",
             error.message);
        question->is_bad = true;
    }
    return value != 0 && !question->is_bad;
}

/* --- From record to record -------------------------------------------------------------------- */

static void add_interval(struct question *question, uint64_t first, uint64_t last,
                         const char *words)
{
    if (question->count == question->size) {
        question->size = question->size ? 2 * question->size : 64;
        question->intervals =
            realloc(question->intervals, question->size * sizeof *question->intervals);
        if (!question->intervals)
            no_memory();
    }
    char *own = strdup(words);
    if (!own)
        no_memory();
    question->intervals[question->count++] = (struct interval){first, last, own};
}

/* How it is now, or NULL if the condition does not hold. To be freed. */
static char *words_now(struct question *question)
{
    struct text_stream stream;
    if (!holds(question))
        return NULL;
    print_now(question, text_stream_begin(&stream));
    text_stream_end(&stream);
    return stream.text;
}

/* So it was from one record to another; NULL: then the condition did not hold. */
static void note(struct question *question, uint64_t first, uint64_t last, const char *words)
{
    struct interval *open = question->is_open ? &question->intervals[question->count - 1] : NULL;
    question->is_open = words;
    if (open && words && strcmp(open->words, words) == 0)
        open->last = last;
    else if (words)
        add_interval(question, first, last, words);
}

void question_take(struct question *question, const struct fh_state *state,
                   const struct trace_line *line, bool is_boot)
{
    question->state = state;
    if (question->is_bad || (is_boot && !question_is_there(question))) {
        question->is_bad = true;
        return;
    }
    if (question->kind == QUESTION_PAGE)
        mappings_follow(&question->mappings, line);
    question->is_taken = question->kind == QUESTION_LOCK && takes_lock(question, line);
    question->taken_by = line->cpu;
    char *words = words_now(question);
    note(question, line->seq, line->seq, words);
    free(words);
}

/* --- By an index ------------------------------------------------------------------------------ */

static void follow_page(struct question *question)
{
    const uint64_t pfn = question->mappings.pfn;
    char path[64];
    snprintf(path, sizeof path, "shared.s2page.0x%" PRIx64, pfn);
    history_follow(question->reader, path);
    for (unsigned level = 1; level <= 3; level++) {
        const uint64_t pages = (uint64_t)1 << 9 * (3 - level);
        history_follow_mappings(question->reader, level, pfn < pages ? 0 : pfn - pages + 1, pfn);
    }
}

/* What the answer is made of, as far as the question says it. */
static void follow_wanted(struct question *question)
{
    char path[64];
    switch (question->kind) {
    case QUESTION_PAGE: follow_page(question); break;
    case QUESTION_IPA: /* VTTBR_EL2 is what the hardware has; more follows from the walk */
        history_follow(question->reader, "regs.ctxt_regs.vttbr_el2");
        history_follow(question->reader, "cur_vmid");
        break;
    case QUESTION_VM:
        snprintf(path, sizeof path, "shared.vminfos.%" PRIu64, question->vmid);
        history_follow(question->reader, path);
        break;
    case QUESTION_LOCK:
        snprintf(path, sizeof path, "taken.%.40s", question->text);
        history_follow(question->reader, path);
        break;
    default: break;
    }
    if (question->path)
        history_follow(question->reader, question->path);
}

/* What is no part of the state: "taken.*", "mapped.vm1.3.*", "mapped.smmu.3.*". */
static void told(void *context, const char *form, const struct history_entry *entry)
{
    struct question *question = context;
    struct mapping mapping = {.pa = MAPPING_NOWHERE, .address = entry->value};
    if (strncmp(form, "taken.", strlen("taken.")) == 0) {
        question->is_taken = true;
        question->taken_by = entry->value;
        return;
    }
    mapping.is_smmu = sscanf(form, "mapped.vm%" SCNu64, &mapping.vmid) != 1;
    if (entry->detail & 1)
        mappings_add(&question->mappings, &mapping);
    else
        mappings_remove(&question->mappings, &mapping);
}

/* More may come to be followed while the words are made; then they are made again. */
static char *settled_words(struct question *question)
{
    char *words = words_now(question);
    while (history_follows_more(question->reader)) {
        free(words);
        words = words_now(question);
    }
    return words;
}

/* A lock is taken by the record itself, and not by the one behind it. */
static void note_span(struct question *question, const uint64_t *seqs, uint64_t from, uint64_t to)
{
    char *words = settled_words(question);
    const bool was_taken = question->is_taken;
    note(question, seqs[from], was_taken ? seqs[from] : seqs[to], words);
    free(words);
    question->is_taken = false;
    if (!was_taken || from == to)
        return;
    words = settled_words(question);
    note(question, seqs[from + 1], seqs[to], words);
    free(words);
}

/* Has it no maps and logs? Of these the words count the entries, which a history does not have. */
static bool is_plain(const struct fh_type *type)
{
    if (type->kind == FH_KIND_MAP || type->kind == FH_KIND_LOG)
        return false;
    if (type->kind != FH_KIND_RECORD && type->kind != FH_KIND_REF)
        return true;
    for (unsigned i = 0; i < type->nfields; i++) {
        if (!is_plain(type->fields[i].type))
            return false;
    }
    return true;
}

static bool is_told_of(const struct question *question)
{
    struct fh_found found;
    return !question->path ||
           (fh_path_find(fh_state_rdata(question->state), fh_state_profile(question->state),
                         question->path, &found, NULL) &&
            is_plain(found.type));
}

bool question_look_up(struct question *question, const struct history *history,
                      struct fh_state *state, uint64_t last)
{
    uint32_t now = 0, next;
    question->state = state;
    question->is_bad = !question_is_there(question);
    if (question->is_bad || !is_told_of(question))
        return false;
    question->reader = history_reader_new(history, state);
    history_tell(question->reader, told, question);
    follow_wanted(question);
    for (bool is_end = false; !is_end && !question->is_bad; now = next) {
        free(settled_words(question)); /* all that it depends on is followed now */
        question->knows_words = true;  /* a condition is always read whole */
        is_end = !history_coming(question->reader, &next) || next > last;
        note_span(question, history->seqs, now, is_end ? last : next - 1);
        if (!is_end)
            history_go(question->reader);
    }
    const bool is_told = !history_failed(question->reader) && !question->is_bad;
    history_reader_free(question->reader);
    question->reader = NULL;
    return is_told;
}
