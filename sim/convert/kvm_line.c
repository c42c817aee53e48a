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

/* Where the letter of an interrupt stands; kernels with PREEMPT_RT may have one more before it. */
static const char *interrupt_flag(struct scan word)
{
    const bool is_lazy = word.end - word.at > 3 && (word.at[2] == 'l' || word.at[2] == 'L');
    return word.at + (is_lazy ? 3 : 2);
}

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
    return strchr(".dDX", *word.at) && strchr(".hHsSzZ", *interrupt_flag(word));
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
    moment->is_interrupt = *interrupt_flag(word) != '.';
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

/* The name of a file without the number of a line behind it: "trace.txt:12", "12" by grep -n */
static struct word without_line_number(struct scan name)
{
    const char *digits = name.end;
    while (digits > name.at && is_digit(digits[-1]))
        digits--;
    if (digits == name.at)
        name.end = name.at;
    else if (digits < name.end && digits[-1] == ':')
        name.end = digits - 1;
    return (struct word){name.at, (size_t)(name.end - name.at)};
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
            return without_line_number(name);
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

/* --- The function_graph tracer --------------------------------------------------------------- */

/* "13.803050 |", "1)", "kvmtest-148", "d..1." : the columns in front of a comment, from the left */
static void take_column(struct scan column, struct kvm_moment *moment)
{
    uint64_t cpu;
    scan_blanks(&column);
    drop_blanks(&column);
    struct scan scan = column;
    if (!moment->has_cpu && scan_number(&scan, &cpu) && scan_text(&scan, ")")) {
        moment->cpu = cpu;
        moment->has_cpu = true;
        scan_blanks(&scan);
    }
    if (!moment->has_cpu)
        take_time(column, moment);
    else if (!moment->has_pid && !take_flags(scan, moment))
        take_pid(&scan, moment);
}

/* "13.803050 |   1)  kvmtest-148   |              |  " and an event in a comment: is it one? */
static bool take_comment(struct scan *line, struct kvm_moment *moment)
{
    const char *const text = memmem(line->at, (size_t)(line->end - line->at), "| ", 2);
    const char *const comment = memmem(line->at, (size_t)(line->end - line->at), "/* ", 3);
    struct scan rest = {comment, line->end};
    if (!text || !comment)
        return false;
    drop_blanks(&rest);
    if (rest.end - comment < 5 || memcmp(rest.end - 2, "*/", 2) != 0)
        return false;
    *moment = (struct kvm_moment){.machine = {"", 0}};
    for (const char *c = line->at, *start = c; c < comment; c++) {
        if (*c != '|')
            continue;
        take_column((struct scan){start, c}, moment);
        start = c + 1;
    }
    *line = (struct scan){comment + 3, rest.end - 2};
    drop_blanks(line);
    moment->has_flags = true; /* as in the file `trace`, which it is */
    return moment->has_cpu;
}

/* --- perf trace ------------------------------------------------------------------------------ */

/* "CPU 0/KVM/148 ", of which the last number is the thread's */
static void take_thread(struct scan text, struct kvm_moment *moment)
{
    drop_blanks(&text);
    const char *digits = text.end;
    while (digits > text.at && is_digit(digits[-1]))
        digits--;
    struct scan number = {digits, text.end};
    moment->has_pid = digits > text.at && digits[-1] == '/' && scan_number(&number, &moment->pid);
}

/* "kvm:kvm_exit(ret: 2, ...)" from the name on */
static bool take_called(struct scan scan, struct kvm_line *event)
{
    if (!scan_word(&scan, ": (", &event->system) || !scan_text(&scan, ":") ||
        !scan_word(&scan, ": (", &event->name) || !scan_text(&scan, "("))
        return false;
    event->rest = (struct scan){scan.at, scan.end - 1};
    event->has_keys = true;
    return true;
}

/* "   0.007 ( 0.001 ms): CPU 0/KVM/148 kvm:kvm_exit(ret: 2, esr_ec: 36, vcpu_pc: 281473)" */
static bool read_perf_trace(struct scan line, struct kvm_line *event)
{
    enum { MS_PER_S = 1000 };
    struct word duration;
    drop_blanks(&line);
    scan_blanks(&line);
    event->moment = (struct kvm_moment){.machine = {"", 0}};
    if (line.end - line.at < 2 || line.end[-1] != ')' || !scan_seconds(&line, &event->moment.time))
        return false;
    event->moment.time /= MS_PER_S;
    event->moment.has_time = true;
    scan_blanks(&line);
    if (scan_text(&line, "(") && (!scan_word(&line, ")", &duration) || !scan_text(&line, "):")))
        return false;
    for (const char *c = line.at; c < line.end; c++) {
        if (!is_blank(c[-1]) || !take_called((struct scan){c, line.end}, event))
            continue;
        take_thread((struct scan){line.at, c}, &event->moment);
        return true;
    }
    return false;
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
    struct scan comment = line;
    event->has_keys = false;
    if (read_perf_trace(line, event))
        return true;
    event->has_keys = false;
    if (take_comment(&comment, &event->moment)) {
        if (!take_name(&comment, event))
            return false;
        scan_blanks(&comment);
        event->rest = comment;
        return true;
    }
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
