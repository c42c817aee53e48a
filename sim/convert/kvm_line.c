/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/kvm_line.h"

#include <string.h>

/* --- From right to left ---------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

static void drop_blanks(struct scan *text)
{
    while (text->end > text->at && is_blank(text->end[-1]))
        text->end--;
}

/* The last word, which stays; empty at the beginning. */
static struct scan last_word(const struct scan *text)
{
    const char *at = text->end;
    while (at > text->at && !is_blank(at[-1]))
        at--;
    return (struct scan){at, text->end};
}

static void drop_word(struct scan *text)
{
    text->end = last_word(text).at;
    drop_blanks(text);
}

static bool all_digits(struct scan word)
{
    uint64_t number;
    return scan_number(&word, &number) && scan_is_at_end(&word);
}

/* --- Time ------------------------------------------------------------------------------------ */

/* "(+12)", how long after the event before: trace-cmd report --ts-diff */
static bool is_difference(struct scan word)
{
    return scan_text(&word, "(+") && word.end > word.at && word.end[-1] == ')';
}

/* What perf has between the time and the event: how often it is counted. */
static bool is_period(const struct scan *text)
{
    struct scan before = *text;
    if (!all_digits(last_word(text)))
        return false;
    drop_word(&before);
    return before.end > before.at && before.end[-1] == ':';
}

/* "13.803050", "9876" of a clock that is no time, "123us" behind the beginning of a trace. */
static bool take_time(struct scan word, struct kvm_moment *moment)
{
    enum { NS_PER_US = 1000 };
    uint64_t number;
    if (scan_seconds(&word, &moment->time)) {
        moment->has_time = true;
        return scan_is_at_end(&word) || scan_text(&word, "ms");
    }
    if (!scan_number(&word, &number))
        return false;
    if (!scan_text(&word, "us"))
        return scan_is_at_end(&word);
    moment->has_time = number < UINT64_MAX / NS_PER_US;
    moment->time = number * NS_PER_US;
    return word.end - word.at <= 1; /* how long it took: '+', '!', '#', ... */
}

/* "13.803050:", "123us :", "[00001234] 0.123ms (+0.001ms):" */
static bool take_clock(struct scan *text, struct kvm_moment *moment)
{
    if (is_difference(last_word(text)) || is_period(text))
        drop_word(text);
    if (text->end == text->at || text->end[-1] != ':')
        return false;
    text->end--;
    drop_blanks(text);
    if (is_difference(last_word(text)))
        drop_word(text);
    if (!take_time(last_word(text), moment))
        return false;
    drop_word(text);
    return true;
}

/* --- CPU and flags --------------------------------------------------------------------------- */

/* irqs-off, need-resched, hard or soft interrupt, preempt depth, migrate-disable */
static bool is_flags(struct scan word)
{
    const size_t length = (size_t)(word.end - word.at);
    if (length < 3 || length > 8 || all_digits(word))
        return false;
    for (const char *c = word.at; c < word.end; c++) {
        if (!strchr(".dDXnNpPbBlLtThHsSzZ0123456789abcdef", *c))
            return false;
    }
    return strchr(".dDX", *word.at) && strchr(".hHsSzZ", word.at[2]);
}

/* The same as a word: trace-cmd report -R */
static bool is_flag_word(struct scan word, struct kvm_moment *moment)
{
    enum { FLAG_HARD_INTERRUPT = 8, FLAG_SOFT_INTERRUPT = 16 };
    uint64_t flags;
    scan_text(&word, "-");
    if (!scan_text(&word, "0x") || !scan_hex(&word, &flags) || !scan_is_at_end(&word))
        return false;
    moment->has_flags = true;
    moment->is_interrupt = flags & (FLAG_HARD_INTERRUPT | FLAG_SOFT_INTERRUPT);
    return true;
}

static bool take_flags(struct scan word, struct kvm_moment *moment)
{
    if (is_flag_word(word, moment))
        return true;
    if (!is_flags(word))
        return false;
    moment->has_flags = true;
    moment->is_interrupt = word.at[2] != '.';
    return true;
}

/* "[001]", "[001]-0x1" */
static bool take_bracketed(struct scan word, struct kvm_moment *moment)
{
    if (!scan_text(&word, "[") || !scan_number(&word, &moment->cpu) || !scan_text(&word, "]"))
        return false;
    moment->has_cpu = true;
    return scan_is_at_end(&word) || take_flags(word, moment);
}

/* "1d..1." */
static bool take_joint(struct scan word, struct kvm_moment *moment)
{
    /* The number is all digits that leave flags behind them, which may begin with one. */
    for (const char *c = word.at; c < word.end && is_digit(*c); c++) {
        struct scan number = {word.at, c + 1};
        if (!take_flags((struct scan){c + 1, word.end}, moment) ||
            !scan_number(&number, &moment->cpu))
            continue;
        moment->has_cpu = true;
        return true;
    }
    return false;
}

/* In either order; and a CPU of "  1 d..1" too, as some pages show it. */
static void take_cpu(struct scan *text, struct kvm_moment *moment)
{
    if (take_joint(last_word(text), moment)) {
        drop_word(text);
        return;
    }
    if (take_flags(last_word(text), moment))
        drop_word(text);
    if (take_bracketed(last_word(text), moment))
        drop_word(text);
    if (moment->has_cpu && !moment->has_flags && take_flags(last_word(text), moment))
        drop_word(text);
}

/* --- Task ------------------------------------------------------------------------------------ */

/* "( 1234)", "(-------)": options/record-tgid */
static void drop_tgid(struct scan *text)
{
    if (text->end == text->at || text->end[-1] != ')')
        return;
    const char *c = text->end - 1;
    while (c > text->at && c[-1] != '(')
        c--;
    if (c == text->at)
        return;
    for (const char *d = c; d < text->end - 1; d++) {
        if (!is_digit(*d) && *d != ' ' && *d != '-')
            return;
    }
    text->end = c - 1;
    drop_blanks(text);
}

/* "kvmtest-148", "148", "148/149" */
static bool take_pid(struct scan *text, struct kvm_moment *moment)
{
    const struct scan word = last_word(text);
    const char *digits = word.end;
    while (digits > word.at && is_digit(digits[-1]))
        digits--;
    struct scan number = {digits, word.end};
    if (!scan_number(&number, &moment->pid))
        return false;
    if (digits > word.at && digits[-1] == '/' && !all_digits((struct scan){word.at, digits - 1}))
        return false;
    if (digits > word.at && digits[-1] != '-' && digits[-1] != '/')
        return false;
    moment->has_pid = true;
    text->end = digits > word.at ? digits - 1 : digits;
    return true;
}

/* "nvhe.dat: ", in front of the task's name, which is of no interest */
static struct word machine_of(struct scan text)
{
    for (const char *c = text.end - 1; c > text.at; c--) {
        if (c[-1] != ':' || !is_blank(*c))
            continue;
        struct scan name = {text.at, c - 1};
        scan_blanks(&name);
        const bool is_one_word = last_word(&name).at == name.at;
        const bool is_file = name.end - name.at > 4 && memcmp(name.end - 4, ".dat", 4) == 0;
        if (is_one_word || is_file)
            return (struct word){name.at, (size_t)(name.end - name.at)};
        return (struct word){"", 0};
    }
    return (struct word){"", 0};
}

static bool take_task(struct scan *text, struct kvm_moment *moment)
{
    struct scan rest = *text;
    scan_blanks(&rest);
    if (scan_is_at_end(&rest))
        return !moment->has_cpu;
    drop_tgid(text);
    if (!take_pid(text, moment))
        return false;
    moment->machine = machine_of(*text);
    return true;
}

static bool take_prefix(struct scan text, struct kvm_moment *moment)
{
    *moment = (struct kvm_moment){.machine = {"", 0}};
    drop_blanks(&text);
    if (!take_clock(&text, moment))
        return false;
    take_cpu(&text, moment);
    return take_task(&text, moment);
}

/* --- Events ---------------------------------------------------------------------------------- */

/* "kvm_exit:" or "kvm:kvm_exit:" at the scan's place */
static bool take_name(struct scan *scan, struct kvm_line *event)
{
    const char *const start = scan->at;
    const char *c = start;
    if (c == scan->end || is_digit(*c))
        return false;
    while (c < scan->end && is_name(*c))
        c++;
    event->system = (struct word){"", 0};
    event->name = (struct word){start, (size_t)(c - start)};
    if (event->name.length > 0 && c + 1 < scan->end && *c == ':' && is_name(c[1])) {
        event->system = event->name;
        const char *const name = ++c;
        while (c < scan->end && is_name(*c))
            c++;
        event->name = (struct word){name, (size_t)(c - name)};
    }
    if (event->name.length == 0 || c == scan->end || *c != ':')
        return false;
    if (c + 1 < scan->end && !is_blank(c[1]))
        return false;
    scan->at = c + 1;
    return true;
}

bool kvm_line_read(struct scan line, bool (*is_known)(struct word name), struct kvm_line *event)
{
    scan_blanks(&line);
    for (const char *c = line.at; c < line.end; c++) {
        struct scan rest = {c, line.end};
        const bool is_first = c == line.at;
        if ((!is_first && !is_blank(c[-1])) || !take_name(&rest, event))
            continue;
        event->rest = rest;
        scan_blanks(&event->rest);
        drop_blanks(&event->rest);
        if (take_prefix((struct scan){line.at, c}, &event->moment))
            return true;
        if (is_first && is_known(event->name)) {
            event->moment = (struct kvm_moment){.machine = {"", 0}};
            return true;
        }
    }
    return false;
}

/* --- Other lines ----------------------------------------------------------------------------- */

/* Behind "nvhe.dat: ", if that stands in front. */
static struct scan behind_machine(struct scan line)
{
    struct scan scan = line;
    struct word name;
    scan_blanks(&scan);
    line = scan;
    if (scan_word(&scan, ": ", &name) && scan_text(&scan, ": ")) {
        scan_blanks(&scan);
        return scan;
    }
    return line;
}

static bool is_gap(struct scan scan, uint64_t *cpu, uint64_t *count)
{
    *count = 0;
    if (scan_text(&scan, "##### CPU "))
        return scan_number(&scan, cpu) && scan_text(&scan, " buffer started");
    if (!scan_text(&scan, "CPU:") || !scan_number(&scan, cpu) || !scan_text(&scan, " ["))
        return false;
    scan_text(&scan, "LOST ");
    if (scan_number(&scan, count))
        scan_text(&scan, " ");
    return scan_text(&scan, "EVENTS");
}

bool kvm_line_is_gap(struct scan line, uint64_t *cpu, uint64_t *count)
{
    scan_blanks(&line);
    return is_gap(line, cpu, count) || is_gap(behind_machine(line), cpu, count);
}

static bool is_remark(struct scan scan)
{
    uint64_t number;
    if (scan_text(&scan, "cpus=") || scan_text(&scan, "version = "))
        return true;
    return scan_text(&scan, "CPU ") && scan_number(&scan, &number) && scan_text(&scan, " is empty");
}

bool kvm_line_is_remark(struct scan line)
{
    scan_blanks(&line);
    return is_remark(line) || is_remark(behind_machine(line));
}

static bool has_text(struct scan line, const char *text)
{
    return memmem(line.at, (size_t)(line.end - line.at), text, strlen(text));
}

bool kvm_line_is_stack(struct scan line)
{
    const bool is_indented = line.at < line.end && is_blank(*line.at);
    uint64_t address;
    scan_blanks(&line);
    struct scan scan = line;
    if (scan_text(&scan, "=>") || has_text(line, " <stack trace") ||
        has_text(line, "<user stack trace") || has_text(line, "kernel_stack: "))
        return true;
    /* "    ffff800008123456 kvm_handle_guest_abort+0x1c ([kernel.kallsyms])" */
    return is_indented && scan_hex(&scan, &address) && scan.at - line.at >= 8 &&
           scan_text(&scan, " ") && line.end[-1] == ')';
}
