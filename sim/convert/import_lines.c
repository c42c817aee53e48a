/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/lines.h"
#include "convert/import.h"

/*
 * Lines as people post them. Marks of quotation in front, blanks and entities of web pages, and
 * quoted-printable of mails are undone; lines that a mail program wrapped are put together again;
 * and what is still no line of the format is counted and passed over, or ends the import
 * (--strict). This is the one place that decides about lines that are not ours.
 */

enum { HELD_MAX = 3, HELD_SIZE = 2048 };

/* A line that is not known, which may be the beginning of one. */
struct held_line {
    struct strange_line strange;
    size_t length;
    char text[HELD_SIZE];
};

struct import_text {
    size_t nheld;
    struct held_line held[HELD_MAX];
    size_t size; /* of `clean` and of `joined` */
    char *clean;
    char *joined;
    bool is_printable; /* the file is a mail in quoted-printable */
};

/* --- What is strange ------------------------------------------------------------------------- */

/* Control characters, of both sets, as dots: a terminal shall not obey what is quoted. */
static void copy_shown(char *to, size_t size, const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length && n + 1 < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool is_c1 = c == 0xc2 && i + 1 < length && (unsigned char)text[i + 1] < 0xa0;
        to[n++] = c < ' ' || c == 0x7f || is_c1 ? '.' : (char)c;
        i += is_c1;
    }
    /* No character of several bytes is cut. */
    if (n + 1 == size)
        while (n > 0 && ((unsigned char)to[n - 1] & 0x80))
            n--;
    to[n] = '\0';
}

static bool complain(struct import *import, bool is_torn, const char *at, const char *format,
                     va_list arguments)
{
    struct strange_line *complaint = &import->complaint;
    char why[STRANGE_WHY];
    vsnprintf(why, sizeof why, format, arguments);
    copy_shown(complaint->why, sizeof complaint->why, why, strlen(why));
    complaint->line = (unsigned)import->line;
    complaint->column = at ? (unsigned)(at - import->text) + 1 : 1;
    complaint->is_torn = is_torn;
    return false;
}

bool import_strange(struct import *import, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(import, false, at, format, arguments);
    va_end(arguments);
    return false;
}

bool import_torn(struct import *import, const char *at, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    complain(import, true, at, format, arguments);
    va_end(arguments);
    return false;
}

/* The line is none of the format, for good. False if that ends the import. */
static bool pass_strange(struct import *import, const struct line_parser *parser, void *state,
                         const struct strange_line *strange)
{
    struct import_rest *rest = &import->rest;
    if (import->strict) {
        const char *name = strcmp(import->path, "-") == 0 ? "<stdin>" : import->path;
        diag(&(struct place){name, strange->line, strange->column}, strange->text, "%s",
             strange->why);
        import->failed = true;
        return false;
    }
    if (rest->strange < STRANGE_SHOWN)
        rest->shown[rest->strange] = *strange;
    rest->strange++;
    if (!strange->is_torn || import->is_after_gap)
        return true;
    const uint64_t line = import->line;
    import->line = strange->line;
    parser->tear(state);
    import->line = line;
    return true;
}

/* --- Lines as they were ---------------------------------------------------------------------- */

/* A mark of quotation: ">", "|" and a blank, or the initials of who is quoted, "MZ>". */
static bool take_mark(struct scan *scan)
{
    enum { INITIALS_MAX = 4, BLANKS_MAX = 2 };
    struct scan mark = *scan;
    while (mark.at < mark.end && *mark.at == ' ' && mark.at - scan->at < BLANKS_MAX)
        mark.at++;
    const char *const initials = mark.at;
    while (mark.at < mark.end && *mark.at >= 'A' && *mark.at <= 'Z' &&
           mark.at - initials < INITIALS_MAX)
        mark.at++;
    if (!scan_text(&mark, ">") && !(mark.at == initials && scan_text(&mark, "| ")))
        return false;
    *scan = mark;
    return true;
}

/* "> > ", in front of what somebody quotes */
static void drop_quotation(struct scan *line)
{
    const char *const before = line->at;
    while (take_mark(line))
        continue;
    if (line->at != before)
        scan_text(line, " ");
}

/* What a web page or a word processor makes of characters; none becomes longer. */
static const struct {
    const char *written;
    const char *is;
} written_forms[] = {
    {"\xc2\xa0", " "},     {"&nbsp;", " "},         {"&lt;", "<"},
    {"&gt;", ">"},         {"&amp;", "&"},          {"<br>", " "},
    {"<br/>", " "},        {"<br />", " "},         {"\xe2\x80\x93", "-"}, /* en dash */
    {"\xe2\x80\x94", "-"}, {"\xe2\x80\xa6", "..."},                        /* em dash, ellipsis */
    {"\xe2\x80\x8b", ""}, /* a place where a line may be broken */
};
static const char first_bytes[] = "\xc2&<\xe2\x1b";

/* The length of a terminal's sequence of control, "ESC [ 1 ; 31 m", at the beginning; or 0. */
static size_t control_length(const char *text, size_t length)
{
    size_t n = 2;
    if (length < 3 || text[0] != '\x1b' || text[1] != '[')
        return 0;
    while (n < length && text[n] >= ' ' && text[n] < '@')
        n++;
    return n < length ? n + 1 : 0;
}

size_t import_clean(char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length;) {
        const char *is = NULL;
        size_t taken = control_length(text + i, length - i);
        for (size_t j = 0; taken == 0 && j < sizeof written_forms / sizeof *written_forms; j++) {
            const size_t size = strlen(written_forms[j].written);
            if (i + size > length || memcmp(text + i, written_forms[j].written, size) != 0)
                continue;
            is = written_forms[j].is;
            taken = size;
        }
        if (taken == 0) {
            text[n++] = text[i++];
            continue;
        }
        for (; is && *is; is++)
            text[n++] = *is;
        i += taken;
    }
    return n;
}

/* May the text hold one of them? */
static bool may_need_cleaning(const char *text, size_t length)
{
    for (const char *c = first_bytes; *c; c++) {
        if (memchr(text, *c, length))
            return true;
    }
    return false;
}

/* "=3D" is '=': quoted-printable */
static size_t undo_printable(char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length; i++) {
        struct scan scan = {text + i + 1, text + (i + 3 < length ? i + 3 : length)};
        uint64_t byte;
        const bool is_code = text[i] == '=' && scan.end - scan.at == 2 && *scan.at != 'x' &&
                             scan_hex(&scan, &byte) && scan_is_at_end(&scan);
        text[n++] = is_code ? (char)byte : text[i];
        i += is_code ? 2 : 0;
    }
    return n;
}

static void make_room(struct import_text *input, size_t length)
{
    if (length + HELD_MAX * (HELD_SIZE + 1) <= input->size)
        return;
    input->size = 2 * length + HELD_MAX * (HELD_SIZE + 1);
    input->clean = realloc(input->clean, input->size);
    input->joined = realloc(input->joined, input->size);
    if (!input->clean || !input->joined)
        no_memory();
}

/* Makes what the line is of what was written, where the two differ. */
static void clean(struct import_text *input, struct scan *line)
{
    size_t length = (size_t)(line->end - line->at);
    if (!input->is_printable && !may_need_cleaning(line->at, length))
        return;
    make_room(input, length);
    if (line->at != input->clean)
        memcpy(input->clean, line->at, length);
    if (input->is_printable)
        length = undo_printable(input->clean, length);
    *line = (struct scan){input->clean, input->clean + import_clean(input->clean, length)};
}

static bool read_line(struct import *import, struct scan *line)
{
    size_t length;
    const char *text = lines_next(import->lines, &length, 0);
    if (!text)
        return false;
    *line = (struct scan){text, text + length};
    while (line->end > line->at && line->end[-1] == '\r')
        line->end--;
    return true;
}

/* In quoted-printable a line that ends with '=' goes on in the next one; lines are this long. */
static bool has_soft_break(const struct import_text *input, struct scan line)
{
    enum { SHORTEST = 70, LONGEST = 76 };
    const size_t length = (size_t)(line.end - line.at);
    const bool is_of_that_length = length >= SHORTEST && length <= LONGEST;
    return length > 1 && line.end[-1] == '=' && line.end[-2] != '=' && length < HELD_SIZE &&
           (input->is_printable || is_of_that_length);
}

static void read_soft_breaks(struct import *import, struct scan *line)
{
    struct import_text *input = import->input;
    while (has_soft_break(input, *line)) {
        const size_t length = (size_t)(line->end - line->at) - 1;
        struct scan next;
        input->is_printable = true;
        make_room(input, 2 * HELD_SIZE);
        memmove(input->clean, line->at, length);
        *line = (struct scan){input->clean, input->clean + length};
        if (!read_line(import, &next) || next.end - next.at > HELD_SIZE)
            return;
        memcpy(input->clean + length, next.at, (size_t)(next.end - next.at));
        line->end += next.end - next.at;
    }
}

static bool next_line(struct import *import, struct scan *line)
{
    if (!read_line(import, line)) {
        import->failed = import->failed || lines_failed(import->lines);
        return false;
    }
    import->line = lines_number(import->lines);
    if (import->line == 1)
        scan_text(line, "\xef\xbb\xbf");
    if (memmem(line->at, (size_t)(line->end - line->at), "quoted-printable", 16))
        import->input->is_printable = true;
    read_soft_breaks(import, line);
    clean(import->input, line);
    drop_quotation(line);
    if (import->progress)
        import->progress(import->context, lines_progress(import->lines));
    return true;
}

/* A character that no text has, or NULL. */
static const char *find_binary(struct scan line)
{
    for (const char *c = line.at; c < line.end; c++) {
        if ((unsigned char)*c < ' ' && *c != '\t')
            return c;
    }
    return NULL;
}

/* The last line has no end; but a number of 16 digits, or what is no number, is whole. */
static bool may_be_cut(const struct import *import, struct scan line)
{
    size_t digits = 0;
    if (lines_has_newline(import->lines))
        return false;
    while (line.end - digits > line.at &&
           strchr("0123456789abcdefABCDEF", line.end[-1 - (long)digits]))
        digits++;
    const char last = line.end > line.at ? line.end[-1] : ' ';
    const bool is_letter = (last >= 'a' && last <= 'z') || (last >= 'A' && last <= 'Z');
    return digits > 0 ? digits < 16 : is_letter || last == ':' || last == ',';
}

/* --- Joining --------------------------------------------------------------------------------- */

static bool parse(struct import *import, const struct line_parser *parser, void *state,
                  struct scan line)
{
    import->text = line.at;
    import->length = (size_t)(line.end - line.at);
    import->complaint = (struct strange_line){.line = (unsigned)import->line, .column = 1};
    const char *binary = find_binary(line);
    if (binary)
        return import_strange(import, binary, "not text: a byte of value %u",
                              (unsigned char)*binary);
    if (parser->parse(state, line))
        return !may_be_cut(import, line) ||
               import_torn(import, line.end, "the recording is cut off inside this line");
    return false;
}

/* The line last parsed, which is not known, waits for the next one. */
static bool hold(struct import *import, const struct line_parser *parser, void *state,
                 struct scan line)
{
    struct import_text *input = import->input;
    const size_t length = (size_t)(line.end - line.at);
    copy_shown(import->complaint.text, sizeof import->complaint.text, line.at, length);
    const struct strange_line strange = import->complaint;
    if (input->nheld == HELD_MAX) {
        if (!pass_strange(import, parser, state, &input->held[0].strange))
            return false;
        memmove(&input->held[0], &input->held[1], (HELD_MAX - 1) * sizeof input->held[0]);
        input->nheld--;
    }
    struct held_line *held = &input->held[input->nheld++];
    held->strange = strange;
    held->length = length < HELD_SIZE ? length : 0;
    memcpy(held->text, line.at, held->length);
    return true;
}

/* The first `count` of the lines that wait are none. */
static bool pass_held(struct import *import, const struct line_parser *parser, void *state,
                      size_t count)
{
    struct import_text *input = import->input;
    for (size_t i = 0; i < count; i++) {
        if (!pass_strange(import, parser, state, &input->held[i].strange))
            return false;
    }
    return true;
}

/* Held lines from `first` on and the line behind them, a blank where lines meet. */
static struct scan join(struct import_text *input, size_t first, struct scan line)
{
    char *to = input->joined;
    for (size_t i = first; i <= input->nheld; i++) {
        const bool is_last = i == input->nheld;
        const char *text = is_last ? line.at : input->held[i].text;
        size_t length = is_last ? (size_t)(line.end - line.at) : input->held[i].length;
        while (to > input->joined && length > 0 && *text == ' ') {
            text++;
            length--;
        }
        while (to > input->joined && to[-1] == ' ')
            to--;
        if (i > first)
            *to++ = ' ';
        memcpy(to, text, length);
        to += length;
    }
    return (struct scan){input->joined, to};
}

/* Is the line the rest of what waits? Then that is taken. *good is false if it ends the import. */
static bool take_joined(struct import *import, const struct line_parser *parser, void *state,
                        struct scan line, bool *good)
{
    struct import_text *input = import->input;
    const struct strange_line alone = import->complaint;
    const uint64_t number = import->line;
    make_room(input, (size_t)(line.end - line.at));
    for (size_t first = input->nheld; first-- > 0;) {
        if (input->held[first].length == 0)
            break;
        import->line = input->held[first].strange.line;
        if (!parse(import, parser, state, join(input, first, line)) ||
            (parser->may_be_rest && parser->may_be_rest(state)))
            continue;
        *good = pass_held(import, parser, state, first) && parser->act(state);
        input->nheld = 0;
        import->line = number;
        return true;
    }
    import->line = number;
    import->complaint = alone;
    return false;
}

/* A line that lacks its beginning may be the rest of one that waits, and known by itself. */
static bool take_line(struct import *import, const struct line_parser *parser, void *state,
                      struct scan line)
{
    const size_t nheld = import->input->nheld;
    bool good = true;
    bool is_known = parse(import, parser, state, line);
    if (nheld > 0 && (!is_known || (parser->may_be_rest && parser->may_be_rest(state)))) {
        if (take_joined(import, parser, state, line, &good))
            return good;
        is_known = is_known && parse(import, parser, state, line);
    }
    if (!is_known)
        return hold(import, parser, state, line);
    good = pass_held(import, parser, state, nheld);
    import->input->nheld = 0;
    return good && parser->act(state);
}

static void free_input(struct import_text *input)
{
    free(input->clean);
    free(input->joined);
    free(input);
}

bool import_lines(struct import *import, const struct line_parser *parser, void *state)
{
    struct scan line;
    bool good = true;
    import->lines = lines_open(import->path);
    if (!import->lines)
        return false;
    import->input = calloc(1, sizeof *import->input);
    if (!import->input)
        no_memory();
    while (good && next_line(import, &line))
        good = take_line(import, parser, state, line);
    good = good && pass_held(import, parser, state, import->input->nheld);
    free_input(import->input);
    lines_close(import->lines);
    import->input = NULL;
    import->lines = NULL;
    return good && !import->failed;
}
