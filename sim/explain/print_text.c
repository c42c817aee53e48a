/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <string.h>

#include "explain/account.h"
#include "explain/explain.h"

enum { WIDTH = 100, ACCOUNT_SIZE = 1536 };

struct page {
    FILE *out;
    const char *label; /* "Note: " */
};

/* A text in lines of WIDTH, the first behind `first`, the others behind as many blanks. */
static void put_wrapped(FILE *out, const char *first, const char *text)
{
    const size_t indent = strlen(first);
    size_t column = indent;
    fputs(first, out);
    while (*text) {
        const size_t word = strcspn(text, " ");
        if (column > indent && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        text += word;
        while (*text == ' ')
            text++;
    }
    fputc('\n', out);
}

static void print_sentence(void *context, const char *id, const char *sentence)
{
    const struct page *page = context;
    (void)id;
    put_wrapped(page->out, page->label, sentence);
}

/* A field's number: decimal where it counts something; none where the words have it. */
static void format_value(const struct fh_arm_field *field, uint64_t word, char *text, size_t size)
{
    const uint64_t value = fh_arm_field_value(field, word);
    const enum fh_arm_words_kind kind = field->words->kind;
    if (kind == FH_ARM_SAY_ADDRESS || kind == FH_ARM_SAY_PAGE || kind == FH_ARM_SAY_HEX)
        snprintf(text, size, "=");
    else if (kind == FH_ARM_SAY_NUMBER || kind == FH_ARM_SAY_REGISTER || value < 10)
        snprintf(text, size, "= %" PRIu64, value);
    else
        snprintf(text, size, "= 0x%" PRIx64, value);
}

/* "      DFSC           5:0  = 0x21  fault status: alignment fault" */
static void print_field(FILE *out, const struct fh_arm_field *field, uint64_t word)
{
    char text[160], bits[8], value[24];
    if (field->high == field->low)
        snprintf(bits, sizeof bits, "%u", field->low);
    else
        snprintf(bits, sizeof bits, "%u:%u", field->high, field->low);
    format_value(field, word, value, sizeof value);
    fprintf(out, "      %-12s %5s %-6s  %s", field->name, bits, value, field->meaning);
    fh_arm_describe_field(field, word, text, sizeof text);
    if (field->words->kind != FH_ARM_SAY_NUMBER && strcmp(text, "yes") != 0)
        fprintf(out, ": %s", text);
    fputc('\n', out);
}

static void print_fields(FILE *out, const struct fh_arm_layout *layout, uint64_t word)
{
    for (unsigned i = 0; i < layout->nfields; i++) {
        if (field_counts(&layout->fields[i], word))
            print_field(out, &layout->fields[i], word);
    }
    if (word & ~layout->bits)
        fprintf(out, "      reserved bits that are set: 0x%" PRIx64 "\n", word & ~layout->bits);
}

/* General registers say something only beside what uses them. */
static bool is_silent(const struct found *found)
{
    return found->message || found->name.meaning == MEANING_GENERAL;
}

static void print_value(const struct found *found, const struct joined *joined, FILE *out)
{
    char account[ACCOUNT_SIZE], first[64];
    uint64_t word;
    account_of(found, joined, account, sizeof account);
    snprintf(first, sizeof first, "  %-10s 0x%-16" PRIx64 "  ", found->written, found->value);
    const struct fh_arm_layout *layout = layout_of(found, joined, &word);
    /* A long register is one thing in words, its fields below are the rest. */
    if (layout && found->name.meaning == MEANING_REGISTER)
        snprintf(account, sizeof account, "%s", found->name.reg->meaning);
    else if (layout && found->name.smmu)
        snprintf(account, sizeof account, "%s", found->name.smmu->meaning);
    put_wrapped(out, first, account);
    if (layout)
        print_fields(out, layout, word);
}

/* Is the same value above, under another name of it? */
static bool is_repeated(const struct report *report, size_t index)
{
    const struct found *found = &report->items[index];
    for (size_t i = 0; i < index; i++) {
        const struct found *other = &report->items[i];
        if (!other->message && other->name.meaning == found->name.meaning &&
            other->value == found->value &&
            strcmp(other->name.canonical, found->name.canonical) == 0)
            return true;
    }
    return false;
}

static void print_messages(const struct report *report, FILE *out)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct known_message *message = report->items[i].message;
        char label[40];
        if (!message || !message->account[0] || !report_says_first(report, i))
            continue;
        snprintf(label, sizeof label, "  %s: ", message->program);
        put_wrapped(out, label, message->account);
    }
}

static void print_report(const struct report *report, const struct explained *explained, FILE *out)
{
    const struct joined joined = join_report(report);
    struct page page = {.out = out, .label = "  Together: "};
    for (size_t i = 0; i < report->count; i++) {
        if (!is_silent(&report->items[i]) && !is_repeated(report, i))
            print_value(&report->items[i], &joined, out);
    }
    say_together(&joined, print_sentence, &page);
    print_messages(report, out);
    page.label = "  Note: ";
    say_notes(&joined, print_sentence, &page);
    char label[64];
    snprintf(label, sizeof label, "  %s: ", explained->machine ? explained->machine->name : "");
    page.label = label;
    say_machine(&joined, explained, print_sentence, &page);
}

size_t line_of(const struct explained *explained, const struct found *found, const char **line)
{
    const char *text = explained->text;
    size_t start = found->at;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    *line = text + start;
    return strcspn(*line, "\r\n");
}

/* A terminal shall not obey what a file says. */
static void print_line(const char *line, size_t length, FILE *out)
{
    for (size_t i = 0; i < length && i < 400; i++) {
        const unsigned char c = (unsigned char)line[i];
        fputc(c < ' ' || c == 127 || (c >= 0x80 && c < 0xa0) ? ' ' : c, out);
    }
    fputs(length > 400 ? "...\n" : "\n", out);
}

static bool has_values(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        if (!is_silent(&report->items[i]))
            return true;
    }
    return false;
}

/* Do two reports say the same of other moments? */
static bool is_same(const struct report *a, const struct report *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct found *x = &a->items[i], *y = &b->items[i];
        if (x->message != y->message || x->value != y->value || strcmp(x->written, y->written) != 0)
            return false;
    }
    return true;
}

static void print_head(const struct explained *explained, const struct report *report, FILE *out)
{
    const char *line;
    if (!explained->text)
        return;
    const size_t length = line_of(explained, report->items, &line);
    fprintf(out, "%s:%u: ", explained->name, report->items->line);
    print_line(line, length, out);
}

/* A storm of one message is told once. */
static void print_repeats(const struct report *last, size_t repeats, FILE *out)
{
    if (repeats > 0)
        fprintf(out, "  The same %zu more time%s, up to line %u.\n", repeats,
                repeats == 1 ? "" : "s", last->items->line);
}

void print_text(const struct explained *explained, FILE *out)
{
    struct report before = {.count = 0};
    size_t repeats = 0;
    for (size_t from = 0; from < explained->finds->count;) {
        const struct report report = report_from(explained->finds, from, explained->text);
        from += report.count;
        if (!has_values(&report))
            continue;
        if (before.count > 0 && is_same(&before, &report)) {
            before = report;
            repeats++;
            continue;
        }
        print_repeats(&before, repeats, out);
        if (before.count > 0)
            fputc('\n', out);
        print_head(explained, &report, out);
        print_report(&report, explained, out);
        before = report;
        repeats = 0;
    }
    print_repeats(&before, repeats, out);
}
