/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/history.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/larger.h"
#include "show/history_file.h"

/* --- The file --------------------------------------------------------------------------------- */

/* Do the parts fill the file, and do the texts end in it? */
static bool is_whole(struct history *history)
{
    const struct history_head *head = history->file;
    const char *at = (const char *)(head + 1);
    const uint64_t most = history->size;
    if (head->nrecords == 0 || head->nrecords > most || head->nentries > most ||
        head->nforms > most || head->text_bytes > most ||
        sizeof *head + head->nrecords * 8 + head->nentries * sizeof *history->entries +
                head->nforms * 4 + head->text_bytes !=
            most)
        return false;
    history->nrecords = head->nrecords;
    history->nentries = head->nentries;
    history->nforms = head->nforms;
    history->seqs = (const void *)at;
    history->entries = (const void *)(at += head->nrecords * 8);
    history->forms = (const void *)(at += head->nentries * sizeof *history->entries);
    history->texts = at + head->nforms * 4;
    if (head->text_bytes > 0 && history->texts[head->text_bytes - 1])
        return false;
    for (uint64_t i = 0; i < history->nforms; i++) {
        if (history->forms[i] >= head->text_bytes)
            return false;
    }
    return true;
}

enum found { FOUND_NONE, FOUND_OTHER, FOUND_BAD, FOUND_GOOD };

/* Map the file, if it is the index that is wanted. */
static enum found find_file(struct history *history, const char *path,
                            const struct history_head *wanted)
{
    struct stat file;
    enum found found = FOUND_BAD;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return FOUND_NONE;
    if (fd >= 0 && fstat(fd, &file) == 0 && S_ISREG(file.st_mode) &&
        (size_t)file.st_size >= sizeof *wanted) {
        history->size = (size_t)file.st_size;
        history->file = mmap(NULL, history->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (history->file == MAP_FAILED)
            history->file = NULL;
        else if (memcmp(history->file, wanted->magic, sizeof wanted->magic) == 0)
            found = memcmp(history->file, wanted, offsetof(struct history_head, nrecords)) != 0 ||
                            !is_whole(history)
                        ? FOUND_OTHER
                        : FOUND_GOOD;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

bool history_open(struct history *history, const char *path, const char *trace, const char *machine)
{
    struct history_head head;
    *history = (struct history){.size = 0};
    if (!history_head_of(&head, trace, machine)) {
        if (access(trace, R_OK) != 0)
            diag(&(const struct place){trace, 0, 0}, NULL, "cannot open: %s", strerror(errno));
        else
            diag_plain("%s: an index is of a trace in a file", trace);
        return false;
    }
    enum found found = find_file(history, path, &head);
    if (found == FOUND_NONE || found == FOUND_OTHER) {
        history_close(history);
        if (!history_make(path, trace, machine))
            return false;
        found = find_file(history, path, &head);
    }
    if (found != FOUND_GOOD)
        diag_plain("%s: not an index that fhsim has made", path);
    return found == FOUND_GOOD;
}

void history_close(struct history *history)
{
    if (history->file)
        munmap(history->file, history->size);
    *history = (struct history){.size = 0};
}

#define KEY_MAX (((uint64_t)1 << HISTORY_KEY_BITS) - 1)

/* --- Reading it forward ------------------------------------------------------------------------
 */

struct range {
    uint64_t first, last; /* places */
};

struct history_reader {
    const struct history *history;
    struct fh_state *state;
    uint32_t now;
    struct range *followed;
    size_t nfollowed, followed_size;
    const struct history_entry **coming; /* those that are left in order, behind `next` */
    size_t next, ncoming, coming_size;
    bool is_unordered, follows_more, failed;
    history_told *told;
    void *context;
};

struct history_reader *history_reader_new(const struct history *history, struct fh_state *state)
{
    struct history_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        no_memory();
    reader->history = history;
    reader->state = state;
    return reader;
}

void history_reader_free(struct history_reader *reader)
{
    if (!reader)
        return;
    free(reader->followed);
    free(reader->coming);
    free(reader);
}

void history_tell(struct history_reader *reader, history_told *told, void *context)
{
    reader->told = told;
    reader->context = context;
}

static const char *form_of(const struct history_reader *reader, uint64_t place)
{
    const uint64_t form = place >> HISTORY_KEY_BITS;
    return form < reader->history->nforms ? reader->history->texts + reader->history->forms[form]
                                          : "";
}

static bool is_of_state(const char *form)
{
    return strncmp(form, "taken.", 6) != 0 && strncmp(form, "mapped.", 7) != 0;
}

static void apply(struct history_reader *reader, const struct history_entry *entry)
{
    char path[512];
    const char *form = form_of(reader, entry->place), *star = strchr(form, '*');
    const uint64_t key = entry->place & KEY_MAX;
    if (!is_of_state(form)) {
        if (reader->told)
            reader->told(reader->context, form, entry);
        return;
    }
    if (star)
        snprintf(path, sizeof path, "%.*s0x%" PRIx64 "%s", (int)(star - form), form, key, star + 1);
    else
        snprintf(path, sizeof path, "%s", form);
    if (fh_set(reader->state, path, entry->value) != FH_OK)
        reader->failed = true;
}

/* The first entry of this place or one behind it. */
static uint64_t entry_at(const struct history *history, uint64_t place)
{
    uint64_t low = 0, high = history->nentries;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (history->entries[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void follow_range(struct history_reader *reader, uint64_t first, uint64_t last)
{
    const struct history *history = reader->history;
    for (size_t i = 0; i < reader->nfollowed; i++) {
        if (reader->followed[i].first <= first && last <= reader->followed[i].last)
            return;
    }
    reader->followed = larger(reader->followed, reader->nfollowed, &reader->followed_size,
                              sizeof *reader->followed);
    reader->followed[reader->nfollowed++] = (struct range){first, last};
    reader->follows_more = true;
    for (uint64_t i = entry_at(history, first);
         i < history->nentries && history->entries[i].place <= last; i++) {
        if (history->entries[i].record <= reader->now) {
            apply(reader, &history->entries[i]);
            continue;
        }
        reader->coming =
            larger(reader->coming, reader->ncoming, &reader->coming_size, sizeof *reader->coming);
        reader->coming[reader->ncoming++] = &history->entries[i];
        reader->is_unordered = true;
    }
}

/* --- Paths -------------------------------------------------------------------------------------
 */

/* A word as a key: a number, or the name of a constant. */
static bool key_of(const struct history_reader *reader, const char *word, size_t length,
                   uint64_t *key)
{
    char *end;
    if (length > 0 && *word >= '0' && *word <= '9') {
        *key = strtoull(word, &end, strncmp(word, "0x", 2) == 0 ? 16 : 10);
        return end == word + length;
    }
    return fh_profile_constant(fh_state_profile(reader->state), word, length, key);
}

/* Does the path name the form, or what it is a part of? With the key, if it says one. */
static bool matches(const struct history_reader *reader, const char *form, const char *path,
                    bool *has_key, uint64_t *key)
{
    for (*has_key = false; *path;) {
        const size_t length = strcspn(path, "."), own = strcspn(form, ".");
        uint64_t a, b;
        if (*form == '*') {
            if (!(*has_key = key_of(reader, path, length, key)))
                return false;
        } else if ((length != own || memcmp(path, form, own) != 0) &&
                   (!key_of(reader, path, length, &a) || !key_of(reader, form, own, &b) ||
                    a != b)) {
            return false;
        }
        path += length + (path[length] == '.');
        form += own + (form[own] == '.');
        if (*path && !*form)
            return false;
    }
    return true;
}

void history_follow(struct history_reader *reader, const char *path)
{
    for (uint64_t i = 0; i < reader->history->nforms; i++) {
        const uint64_t form = i << HISTORY_KEY_BITS;
        bool has_key;
        uint64_t key = 0;
        if (!matches(reader, form_of(reader, form), path, &has_key, &key) || key > KEY_MAX)
            continue;
        follow_range(reader, form | key, form | (has_key ? key : KEY_MAX));
    }
}

void history_follow_mappings(struct history_reader *reader, unsigned level, uint64_t first,
                             uint64_t last)
{
    char end[16];
    snprintf(end, sizeof end, ".%u.*", level);
    for (uint64_t i = 0; i < reader->history->nforms; i++) {
        const uint64_t form = i << HISTORY_KEY_BITS;
        const char *text = form_of(reader, form);
        const size_t length = strlen(text);
        if (strncmp(text, "mapped.", 7) == 0 && length > strlen(end) &&
            strcmp(text + length - strlen(end), end) == 0 && first <= KEY_MAX)
            follow_range(reader, form | first, form | (last < KEY_MAX ? last : KEY_MAX));
    }
}

void history_follow_word(struct history_reader *reader, uint64_t pa)
{
    for (uint64_t i = 0; i < reader->history->nforms; i++) {
        const char *form = form_of(reader, i << HISTORY_KEY_BITS);
        if (pa <= KEY_MAX && (strstr(form, "_pool.*") || strcmp(form, "memory.*") == 0))
            follow_range(reader, i << HISTORY_KEY_BITS | pa, i << HISTORY_KEY_BITS | pa);
    }
}

/* --- On --------------------------------------------------------------------------------------- */

static int compare_coming(const void *left, const void *right)
{
    const struct history_entry *a = *(const struct history_entry *const *)left;
    const struct history_entry *b = *(const struct history_entry *const *)right;
    if (a->record != b->record)
        return a->record < b->record ? -1 : 1;
    if (a->detail != b->detail)
        return a->detail < b->detail ? -1 : 1;
    return a < b ? -1 : a > b;
}

bool history_follows_more(struct history_reader *reader)
{
    const bool is_so = reader->follows_more;
    reader->follows_more = false;
    return is_so;
}

bool history_coming(struct history_reader *reader, uint32_t *record)
{
    if (reader->is_unordered)
        qsort(reader->coming + reader->next, reader->ncoming - reader->next, sizeof *reader->coming,
              compare_coming);
    reader->is_unordered = false;
    if (reader->next == reader->ncoming)
        return false;
    *record = reader->coming[reader->next]->record;
    return true;
}

void history_go(struct history_reader *reader)
{
    reader->now = reader->coming[reader->next]->record;
    while (reader->next < reader->ncoming && reader->coming[reader->next]->record == reader->now)
        apply(reader, reader->coming[reader->next++]);
}

bool history_failed(const struct history_reader *reader)
{
    return reader->failed;
}
