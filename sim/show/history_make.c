/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <faulthandler/delta.h>
#include <faulthandler/version.h>

#include "base/diag.h"
#include "base/larger.h"
#include "base/numbers.h"
#include "base/report_file.h"
#include "machine/machine.h"
#include "show/history_file.h"
#include "show/mappings.h"

enum { TEXT_MAX = 400, FORMS_MAX = 1 << (64 - HISTORY_KEY_BITS) };

/* A descriptor that leads to pages. */
struct leading {
    bool is_used, is_on;
    uint64_t pa, place, address;
};

struct maker {
    struct subject at;
    const struct fh_rdata *before; /* the state behind the last record */
    uint64_t *seqs;
    size_t nrecords, seqs_size;
    struct history_entry *entries;
    size_t nentries, entries_size;
    char *texts;
    size_t text_bytes, texts_size;
    uint32_t *forms;
    size_t nforms, forms_size;
    uint32_t *slots; /* of forms by a hash of their text: the number and one */
    size_t nslots;
    struct leading *leadings; /* by a hash of pa */
    size_t nleadings, leadings_size;
    bool is_full; /* there are more forms than a place can name */
};

/* --- Forms ------------------------------------------------------------------------------------ */

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    while (*text)
        hash = (hash ^ (unsigned char)*text++) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

/* The slot of this text, or the free one that it goes to. */
static uint32_t *slot_of(const struct maker *maker, const char *text)
{
    size_t at = hash_of(text) & (maker->nslots - 1);
    while (maker->slots[at] && strcmp(maker->texts + maker->forms[maker->slots[at] - 1], text) != 0)
        at = (at + 1) & (maker->nslots - 1);
    return &maker->slots[at];
}

static void make_room_for_forms(struct maker *maker)
{
    if (2 * maker->nforms < maker->nslots)
        return;
    maker->nslots = maker->nslots ? 2 * maker->nslots : 4096;
    free(maker->slots);
    maker->slots = calloc(maker->nslots, sizeof *maker->slots);
    if (!maker->slots)
        no_memory();
    for (uint32_t i = 0; i < maker->nforms; i++)
        *slot_of(maker, maker->texts + maker->forms[i]) = i + 1;
}

static uint64_t form_named(struct maker *maker, const char *text)
{
    make_room_for_forms(maker);
    uint32_t *slot = slot_of(maker, text);
    if (*slot)
        return *slot - 1;
    const size_t size = strlen(text) + 1;
    while (maker->text_bytes + size > maker->texts_size)
        maker->texts = larger(maker->texts, maker->texts_size, &maker->texts_size, 1);
    maker->forms = larger(maker->forms, maker->nforms, &maker->forms_size, sizeof *maker->forms);
    memcpy(maker->texts + maker->text_bytes, text, size);
    maker->forms[maker->nforms++] = (uint32_t)maker->text_bytes;
    maker->text_bytes += size;
    maker->is_full = maker->nforms > FORMS_MAX || maker->text_bytes > UINT32_MAX;
    *slot = (uint32_t)maker->nforms;
    return maker->nforms - 1;
}

static uint64_t place_named(struct maker *maker, const char *form, uint64_t key)
{
    return form_named(maker, form) << HISTORY_KEY_BITS | key;
}

static void add(struct maker *maker, uint64_t place, uint64_t value, size_t detail)
{
    maker->entries =
        larger(maker->entries, maker->nentries, &maker->entries_size, sizeof *maker->entries);
    maker->entries[maker->nentries++] =
        (struct history_entry){place, value, (uint32_t)(maker->nrecords - 1), (uint32_t)detail};
}

/* --- Changes of the state --------------------------------------------------------------------- */

static char *put(char *at, const char *end, const char *text)
{
    while (*text && at < end)
        *at++ = *text++;
    return at;
}

static char *put_key(char *at, const char *end, uint64_t key)
{
    char digits[20];
    snprintf(digits, sizeof digits, "0x%" PRIx64, key);
    return put(at, end, digits);
}

/* The last key of the path, for which the form has a star; NULL: it has none that is short enough.
 */
static const uint64_t *last_key(const struct fh_path *path)
{
    for (unsigned i = path->length; i-- > 0;) {
        const struct fh_step *step = &path->steps[i];
        if (step->nkeys > 0)
            return step->keys[step->nkeys - 1] >> HISTORY_KEY_BITS ? NULL
                                                                   : &step->keys[step->nkeys - 1];
    }
    return NULL;
}

static uint64_t place_of(struct maker *maker, const struct fh_path *path, const char *component)
{
    char text[TEXT_MAX], *at = text;
    const char *const end = text + sizeof text - 1;
    const uint64_t *key = last_key(path);
    for (unsigned i = 0; i < path->length; i++) {
        const struct fh_step *step = &path->steps[i];
        at = put(at, end, i > 0 ? "." : "");
        at = put(at, end, step->field ? step->field : step->is_fallback ? "_" : "");
        for (unsigned j = 0; j < step->nkeys; j++) {
            at = put(at, end, j > 0 ? "." : "");
            at = &step->keys[j] == key ? put(at, end, "*") : put_key(at, end, step->keys[j]);
        }
    }
    if (component)
        at = put(put(at, end, "."), end, component);
    *at = '\0';
    return place_named(maker, text, key ? *key : 0);
}

static bool add_change(void *context, const struct fh_change *change)
{
    struct maker *maker = context;
    const struct fh_type *type = change->type;
    if (type->kind == FH_KIND_TUPLE) {
        for (unsigned i = 0; i < type->nfields; i++)
            add(maker, place_of(maker, change->path, type->names[i]),
                fh_tuple_get(type, change->after, i), 0);
    } else {
        const bool is_log = type->kind == FH_KIND_LOG; /* it cannot be written, nor asked for so */
        add(maker, place_of(maker, change->path, is_log ? "length" : NULL),
            is_log ? 0 : fh_scalar_get(type, change->after), 0);
    }
    return true;
}

/* --- Locks and mappings ----------------------------------------------------------------------- */

static struct leading *leading_at(struct maker *maker, uint64_t pa)
{
    if (2 * maker->nleadings >= maker->leadings_size) {
        struct leading *old = maker->leadings;
        const size_t size = maker->leadings_size;
        maker->leadings_size = size ? 2 * size : 4096;
        maker->leadings = calloc(maker->leadings_size, sizeof *old);
        if (!maker->leadings)
            no_memory();
        maker->nleadings = 0;
        for (size_t i = 0; i < size; i++) {
            if (old[i].is_used)
                *leading_at(maker, old[i].pa) = old[i];
        }
        free(old);
    }
    size_t at = (pa >> 3) * 0x9e3779b97f4a7c15u >> 20 & (maker->leadings_size - 1);
    while (maker->leadings[at].is_used && maker->leadings[at].pa != pa)
        at = (at + 1) & (maker->leadings_size - 1);
    if (!maker->leadings[at].is_used) {
        maker->leadings[at] = (struct leading){.is_used = true, .pa = pa};
        maker->nleadings++;
    }
    return &maker->leadings[at];
}

static void add_mapping(struct maker *maker, const struct descriptor_store *store, size_t effect)
{
    struct leading *leading = leading_at(maker, store->mapping.pa);
    uint64_t first, pages;
    char form[64];
    if (leading->is_on)
        add(maker, leading->place, leading->address, 4 * effect);
    leading->is_on = descriptor_leads(store, &first, &pages) && !(first >> HISTORY_KEY_BITS);
    if (!leading->is_on)
        return;
    if (store->mapping.is_smmu)
        snprintf(form, sizeof form, "mapped.smmu.%d.*", store->level);
    else
        snprintf(form, sizeof form, "mapped.vm%" PRIu64 ".%d.*", store->mapping.vmid, store->level);
    leading->place = place_named(maker, form, first);
    leading->address = store->mapping.address;
    add(maker, leading->place, leading->address, 4 * effect + 3);
}

static void add_effects(struct maker *maker, const struct trace_line *line)
{
    const struct fh_profile *k = fh_state_profile(maker->at.state);
    struct descriptor_store store;
    for (size_t i = 0; i < line->nfx; i++) {
        const struct trace_effect *effect = &line->fx[i];
        if (descriptor_store_of(effect, &store)) {
            add_mapping(maker, &store, i);
        } else if (effect->kind == TRACE_lock) {
            const uint64_t lock = lock_of_recorded(k, effect->lock.lock, effect->lock.vmid);
            if (!(lock >> HISTORY_KEY_BITS))
                add(maker, place_named(maker, "taken.*", lock), line->cpu, 0);
        }
    }
}

/* --- The whole -------------------------------------------------------------------------------- */

static void told(void *context, const struct trace_line *line, struct trap_verdict *verdict)
{
    struct maker *maker = context;
    const struct fh_rdata *now = fh_state_snapshot((struct fh_state *)(uintptr_t)maker->at.state);
    if (!now)
        no_memory();
    maker->seqs = larger(maker->seqs, maker->nrecords, &maker->seqs_size, sizeof *maker->seqs);
    maker->seqs[maker->nrecords++] = line->seq;
    if (verdict)
        fh_delta(maker->before, now, add_change, maker);
    add_effects(maker, line);
    if (maker->before)
        fh_snapshot_release(maker->before, fh_state_allocator(maker->at.state));
    maker->before = now;
}

/* By place: how many entries each form has says where they go; within one they are sorted. */
static int compare_entries(const void *left, const void *right)
{
    const struct history_entry *a = left, *b = right;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->record != b->record)
        return a->record < b->record ? -1 : 1;
    return a->detail < b->detail ? -1 : a->detail > b->detail;
}

static void write_entries(struct maker *maker, FILE *out)
{
    size_t *from = calloc(maker->nforms + 1, sizeof *from);
    struct history_entry *sorted = malloc((maker->nentries + 1) * sizeof *sorted);
    if (!from || !sorted)
        no_memory();
    for (size_t i = 0; i < maker->nentries; i++)
        from[(maker->entries[i].place >> HISTORY_KEY_BITS) + 1]++;
    for (size_t i = 0; i < maker->nforms; i++)
        from[i + 1] += from[i];
    for (size_t i = 0; i < maker->nentries; i++)
        sorted[from[maker->entries[i].place >> HISTORY_KEY_BITS]++] = maker->entries[i];
    for (size_t i = 0, start = 0; i < maker->nforms; start = from[i++]) {
        if (from[i] > start && strchr(maker->texts + maker->forms[i], '*'))
            qsort(sorted + start, from[i] - start, sizeof *sorted, compare_entries);
    }
    fwrite(sorted, sizeof *sorted, maker->nentries, out);
    free(sorted);
    free(from);
}

static bool write_file(struct maker *maker, const char *path, struct history_head *head)
{
    struct report_file *file = report_file_open(path);
    if (!file)
        return false;
    FILE *out = report_file_stream(file);
    head->nrecords = maker->nrecords;
    head->nentries = maker->nentries;
    head->nforms = maker->nforms;
    head->text_bytes = maker->text_bytes;
    fwrite(head, sizeof *head, 1, out);
    fwrite(maker->seqs, sizeof *maker->seqs, maker->nrecords, out);
    write_entries(maker, out);
    if (maker->nforms > 0) {
        fwrite(maker->forms, sizeof *maker->forms, maker->nforms, out);
        fwrite(maker->texts, 1, maker->text_bytes, out);
    }
    return report_file_commit(file);
}

/* A file that stands there becomes part of the sum by its size and time. */
static uint64_t mix_file(uint64_t sum, const char *path)
{
    struct stat file;
    char text[80];
    if (stat(path, &file) != 0)
        return sum;
    snprintf(text, sizeof text, "%" PRIx64 " %jx %jx %jx", sum, (uintmax_t)file.st_size,
             (uintmax_t)file.st_mtim.tv_sec, (uintmax_t)file.st_mtim.tv_nsec);
    return hash_of(text);
}

/* Other where the program, the machine, or a folder that it extends is another one. */
static uint64_t sum_of_model(const char *machine)
{
    uint64_t sum = mix_file(hash_of(machine ? machine : ""), "/proc/self/exe");
    const struct machine_description *at = machine ? machine_find(machine) : NULL;
    for (; at; at = at->extends) {
        char path[PATH_MAX];
        if (!at->folder)
            continue;
        snprintf(path, sizeof path, "%s/machine.yaml", at->folder);
        sum = mix_file(sum, path);
        snprintf(path, sizeof path, "%s/overlay.so", at->folder);
        sum = mix_file(sum, path);
    }
    return sum;
}

bool history_head_of(struct history_head *head, const char *trace, const char *machine)
{
    struct stat file;
    *head = (struct history_head){.magic = HISTORY_MAGIC};
    if (stat(trace, &file) != 0 || !S_ISREG(file.st_mode))
        return false;
    snprintf(head->version, sizeof head->version, "%s", fh_version());
    head->model = sum_of_model(machine);
    head->trace_bytes = (uint64_t)file.st_size;
    head->trace_time = (int64_t)file.st_mtim.tv_sec * 1000000000 + file.st_mtim.tv_nsec;
    head->trace_file = (uint64_t)file.st_ino;
    return true;
}

bool history_make(const char *path, const char *trace, const char *machine)
{
    struct maker maker = {.nrecords = 0};
    struct history_head head;
    bool done = history_head_of(&head, trace, machine) && subject_point(&maker.at, trace) &&
                subject_follow(&maker.at, machine, false, told, &maker);
    if (done && (maker.is_full || maker.nrecords > UINT32_MAX)) {
        diag_plain("%s: too many places for an index", trace);
        done = false;
    }
    done = done && write_file(&maker, path, &head);
    if (maker.before)
        fh_snapshot_release(maker.before, fh_state_allocator(maker.at.state));
    free(maker.seqs);
    free(maker.entries);
    free(maker.texts);
    free(maker.forms);
    free(maker.slots);
    free(maker.leadings);
    subject_close(&maker.at);
    return done;
}
