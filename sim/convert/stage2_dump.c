/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "convert/convert.h"

/*
 * The debugfs file of KVM's stage-2 tables (stage2_page_tables), as a scenario with a VM that has
 * the same pages:
 *
 *     ---[ Guest IPA ]---
 *     0x0000000001020000-0x0000000001021000           4K 3   R W X AF
 *     0x0000000080000000-0x0000000080c00000          12M PGD      R W AF        BLK
 *
 * A row without attributes is a hole. Physical addresses are not in the file: pages get frames in a
 * row from FIRST_FRAME on, blocks the next ones that are aligned. What `fhsim show --long` has
 * behind a semicolon is passed over.
 */

enum { PAGE_SHIFT = 12, BLOCK_SHIFT = 21, BLOCK_PAGES = 1 << (BLOCK_SHIFT - PAGE_SHIFT) };
enum { ROWS_MAX = 1 << 16 };
static const uint64_t first_frame = 0x100000;     /* at 4 GiB */
static const uint64_t frames_max = 0x400000;      /* 16 GiB, what a scenario's regions may have */
static const uint64_t pool_first_bytes = 1 << 21; /* more than what is used, for whole blocks */

struct row {
    uint64_t begin; /* IPAs */
    uint64_t end;
    bool is_block;
    char attributes[32]; /* "R W X" */
};

struct dump {
    struct import *import;
    struct row row; /* the line last parsed */
    enum { LINE_NOTHING, LINE_HOLE, LINE_ROW } is;
    struct row *rows;
    size_t nrows;
    uint64_t holes;
};

/* --- Lines ----------------------------------------------------------------------------------- */

static void add_attribute(struct row *row, struct word word)
{
    const size_t length = strlen(row->attributes);
    if (length + word.length + 2 > sizeof row->attributes)
        return;
    snprintf(row->attributes + length, sizeof row->attributes - length, "%s%.*s",
             length > 0 ? " " : "", (int)word.length, word.text);
}

/* What stands behind the size: the level, if it is there, and attributes. */
static bool parse_attributes(struct dump *dump, struct scan *scan)
{
    static const char *const levels[] = {"PGD", "P4D", "PUD", "PMD", "PTE"};
    struct word word;
    bool is_first = true;
    dump->is = LINE_HOLE;
    for (; scan_blanks(scan), scan_word(scan, " \t", &word); is_first = false) {
        if (word_is(word, ";"))
            break;
        bool is_level = is_first && word.length == 1 && *word.text >= '0' && *word.text <= '3';
        for (size_t i = 0; is_first && i < sizeof levels / sizeof *levels; i++)
            is_level = is_level || word_is(word, levels[i]);
        if (is_level)
            continue;
        if (word.length > 8)
            return import_strange(dump->import, word.text, "expected an attribute of a page");
        dump->is = LINE_ROW;
        dump->row.is_block = dump->row.is_block || word_is(word, "BLK");
        if (!word_is(word, "AF") && !word_is(word, "BLK"))
            add_attribute(&dump->row, word);
    }
    return true;
}

static bool parse(void *state, struct scan line)
{
    struct dump *dump = state;
    struct row *row = &dump->row;
    uint64_t size;
    dump->is = LINE_NOTHING;
    *row = (struct row){.attributes = ""};
    scan_blanks(&line);
    struct scan scan = line;
    if (scan_is_at_end(&line) || scan_text(&scan, "---["))
        return true;
    if (!scan_text(&line, "0x") || !scan_hex(&line, &row->begin) || !scan_text(&line, "-0x") ||
        !scan_hex(&line, &row->end) || (scan_blanks(&line), !scan_number(&line, &size)) ||
        line.at == line.end || !strchr("KMGTPE", *line.at))
        return import_strange(dump->import, line.at, "expected \"0xFROM-0xTO SIZE LEVEL ...\"");
    line.at++;
    const uint64_t mask = (UINT64_C(1) << PAGE_SHIFT) - 1;
    if (row->begin >= row->end || (row->begin | row->end) & mask)
        return import_strange(dump->import, line.at, "these are no addresses of pages");
    return parse_attributes(dump, &line);
}

static bool act(void *state)
{
    struct dump *dump = state;
    if (dump->is == LINE_HOLE)
        dump->holes++;
    if (dump->is != LINE_ROW)
        return true;
    if (dump->nrows == ROWS_MAX)
        return import_refuse(dump->import, NULL, "more than %d ranges", ROWS_MAX);
    if (dump->nrows > 0 && dump->rows[dump->nrows - 1].end > dump->row.begin)
        return import_refuse(dump->import, NULL, "this range begins before the last one ends");
    if ((dump->nrows & (dump->nrows - 1)) == 0) {
        const size_t size = dump->nrows ? 2 * dump->nrows : 1;
        dump->rows = realloc(dump->rows, size * sizeof *dump->rows);
        if (!dump->rows)
            no_memory();
    }
    dump->rows[dump->nrows++] = dump->row;
    return true;
}

static void tear(void *state)
{
    (void)state; /* a line that is not whole has nothing to tell */
}

/* --- The scenario ---------------------------------------------------------------------------- */

static bool is_of_blocks(const struct row *row)
{
    const uint64_t mask = (UINT64_C(1) << BLOCK_SHIFT) - 1;
    return row->is_block && ((row->begin | row->end) & mask) == 0;
}

/* The first frame of the row, and the next one that is free. */
static uint64_t frames_of(const struct row *row, uint64_t *next)
{
    if (is_of_blocks(row))
        *next = (*next + BLOCK_PAGES - 1) / BLOCK_PAGES * BLOCK_PAGES;
    const uint64_t first = *next;
    *next += (row->end - row->begin) >> PAGE_SHIFT;
    return first;
}

static bool check_size(const struct dump *dump, uint64_t *last)
{
    *last = first_frame;
    for (size_t i = 0; i < dump->nrows; i++) {
        const struct row *row = &dump->rows[i];
        if ((row->end - row->begin) >> PAGE_SHIFT > frames_max)
            *last = UINT64_MAX;
        else
            frames_of(row, last);
        if (*last - first_frame > frames_max) {
            diag(&(struct place){dump->import->path, 0, 0}, NULL,
                 "it maps more than 16 GiB, which is more than a scenario may have");
            return false;
        }
    }
    return true;
}

static void write_row(const struct row *row, uint64_t frame, FILE *out)
{
    const uint64_t pages = (row->end - row->begin) >> PAGE_SHIFT;
    const uint64_t gfn = row->begin >> PAGE_SHIFT;
    fprintf(out, "      # IPA 0x%" PRIx64 " to 0x%" PRIx64 ": %s\n", row->begin, row->end - 1,
            row->attributes[0] ? row->attributes : "no access");
    if (!is_of_blocks(row)) {
        fprintf(out, "      - {gfn: 0x%" PRIx64 ", pfn: 0x%" PRIx64 ", pages: %" PRIu64 "}\n", gfn,
                frame, pages);
        return;
    }
    for (uint64_t i = 0; i < pages; i += BLOCK_PAGES)
        fprintf(out, "      - {gfn: 0x%" PRIx64 ", pfn: 0x%" PRIx64 ", block: true}\n", gfn + i,
                frame + i);
}

static void write_check(const struct row *row, uint64_t frame, FILE *out)
{
    fprintf(out, "      shared.npts.1.pt.0x%" PRIx64 ": {pfn: 0x%" PRIx64 ", level: %d}\n",
            row->begin >> PAGE_SHIFT, frame, is_of_blocks(row) ? 2 : 3);
}

static void write_scenario(const struct dump *dump, uint64_t last, FILE *out)
{
    const uint64_t bytes = (last - first_frame) << PAGE_SHIFT;
    const uint64_t size = (bytes + pool_first_bytes - 1) / pool_first_bytes * pool_first_bytes;
    uint64_t next = first_frame;
    fprintf(
        out,
        "description: >-\n"
        "  VM 1 has the pages that a dump of KVM's stage-2 tables shows. The dump has no physical\n"
        "  addresses: the frames, from 4 GiB on, are chosen here. KCore gives a VM's pages all\n"
        "  permissions; those of the dump stand beside them.\n"
        "profile: sekvm-4.18\n"
        "machine:\n"
        "  regions:\n"
        "    - {base: 0x%" PRIx64 ", size: 0x%" PRIx64 "}\n"
        "vms:\n"
        "  - vmid: 1\n"
        "    vcpus: 1\n"
        "    pages:\n",
        first_frame << PAGE_SHIFT, size);
    for (size_t i = 0; i < dump->nrows; i++)
        write_row(&dump->rows[i], frames_of(&dump->rows[i], &next), out);
    fputs("steps:\n  # What is asked of the machine goes behind this.\n  - check:\n", out);
    next = first_frame;
    for (size_t i = 0; i < dump->nrows; i++) {
        const uint64_t frame = frames_of(&dump->rows[i], &next);
        if (i == 0 || i + 1 == dump->nrows)
            write_check(&dump->rows[i], frame, out);
    }
}

static bool convert(struct conversion *conversion, FILE *out)
{
    static const struct line_parser parser = {parse, act, tear, NULL};
    static const struct importer self = {.name = "stage2-dump", .reads = ""};
    struct import import = {
        .path = conversion->paths[0], .importer = &self, .strict = conversion->strict};
    struct dump dump = {.import = &import};
    uint64_t last;
    bool good = import_lines(&import, &parser, &dump);
    if (good && dump.nrows == 0) {
        diag(&(struct place){import.path, 0, 0}, NULL, "no range in it is mapped");
        good = false;
    }
    good = good && check_size(&dump, &last);
    if (good) {
        conversion_tell_strange(&import);
        write_scenario(&dump, last, out);
    }
    free(dump.rows);
    return good;
}

const struct source_format source_stage2_dump = {
    .name = "stage2-dump",
    .reads = "KVM's stage2_page_tables in debugfs; makes a scenario",
    .files_max = 1,
    .write = convert,
};
