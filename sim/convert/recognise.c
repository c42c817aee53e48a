/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/recognise.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/diag.h"

/*
 * A recording may begin with something else: a serial console, a kernel's boot messages, the words
 * of who posted it. So its first lines are looked at, each by all importers, and the format that is
 * surest wins. A trace says what it is in its first byte.
 */
enum { LOOKED_AT = 1 << 20, LOOKED_AT_STREAM = 1 << 14, ENOUGH = 64 };

/* --- What is no recording -------------------------------------------------------------------- */

/*
 * Files of other kinds, by how a line begins, or by what stands in one. What is sure is so whatever
 * else the file holds; messages may stand in a log that is a recording.
 */
static const struct other {
    bool is_sure;
    const char *beginning; /* or NULL */
    const char *part;      /* or NULL */
    const char *what;
} others[] = {
#define OTHER_CPU ", of which this model knows nothing"
    {true, NULL, "kvm_page_fault: ", "events of KVM on x86" OTHER_CPU},
    {true, "Servicing hardware INT=", NULL, "QEMU's -d int of x86" OTHER_CPU},
    {true, "check_exception old: ", NULL, "QEMU's -d int of x86" OTHER_CPU},
    {true, "riscv_cpu_do_interrupt: ", NULL, "QEMU's -d int of RISC-V" OTHER_CPU},
    {true, "mips_cpu_do_interrupt ", NULL, "QEMU's -d int of MIPS" OTHER_CPU},
    {true, "loongarch_cpu_do_interrupt: ", NULL, "QEMU's -d int of LoongArch" OTHER_CPU},
    {true, "Raise exception at ", NULL, "QEMU's -d int of PowerPC" OTHER_CPU},
    {true, "...loading from element ", NULL, "QEMU's -d int of a Cortex-M" OTHER_CPU},
    {true, NULL, ": hyp_enter: ", "pKVM's own tracing, whose events have no values of registers"},
    {true, NULL, ": kvm_s390_", "events of KVM on s390" OTHER_CPU},
    {true, NULL, ": kvm_book3s_", "events of KVM on PowerPC" OTHER_CPU},
    {true, NULL, ": kvm_enter: PC: ", "events of KVM on MIPS or LoongArch" OTHER_CPU},
    {true, NULL, ": kvm_exit: [", "events of KVM on MIPS or LoongArch" OTHER_CPU},
    {true, "FHRECORD", NULL,
     "a buffer of the recorder; `fhsim convert --from recorder` makes a trace of it"},
    {true, "PERFILE2", NULL, "perf.data; `perf script` makes text of it, which can be read"},
    {true, "\x1f\x8b", NULL, "compressed by gzip; unpack it first"},
    {true, "\xfd\x37zXZ", NULL, "compressed by xz; unpack it first"},
    {true, "BZh", NULL, "compressed by bzip2; unpack it first"},
    {true, "\x7f\x45LF", NULL, "a program"},
    {true, "---[ Linear Mapping", NULL, "a dump of the kernel's own tables, which are of stage 1"},
    {true, "---[ Modules", NULL, "a dump of the kernel's own tables, which are of stage 1"},
    {true, "---[ ", NULL,
     "a dump of stage-2 tables; `fhsim convert --from stage2-dump` makes a scenario of it"},
    {false, "steps:", NULL, "a scenario; `fhsim run` plays it"},
    {false, "machine:", NULL, "a scenario; `fhsim run` plays it"},
#define MESSAGES "; `fhsim explain` reads them"
    {false, NULL, "kvm [", "messages of a kernel" MESSAGES},
    {false, NULL, "Unsupported FSC: ", "messages of a kernel" MESSAGES},
    {false, NULL, "(XEN) ", "messages of Xen" MESSAGES},
    {false, NULL, "arm-smmu", "messages of a kernel about an SMMU" MESSAGES},
    {false, NULL, "context fault", "messages of a kernel about an SMMU" MESSAGES},
    {false, NULL, "HYP exception", "messages of a hypervisor" MESSAGES},
    {false, NULL, "Unable to handle kernel ", "messages of a kernel" MESSAGES},
    {false, NULL, "Mem abort info:", "messages of a kernel" MESSAGES},
    {false, NULL, "Internal error: ", "messages of a kernel" MESSAGES},
    {false, NULL, "ESR_EL2", "messages with registers in them" MESSAGES},
    {false, NULL, "ESR=", "messages with registers in them" MESSAGES},
    {false, NULL, "esr=", "messages with registers in them" MESSAGES},
    {false, NULL, "ESR: ", "messages with registers in them" MESSAGES},
    {false, NULL, "Stage-2 page fault", "messages of a hypervisor" MESSAGES},
    {false, NULL, "Unhandled data ", "messages of a hypervisor" MESSAGES},
    {false, NULL, "FATAL: unhandled ", "messages of a hypervisor" MESSAGES},
    {false, NULL, "HSR=", "messages with registers in them" MESSAGES},
#undef OTHER_CPU
#undef MESSAGES
};

static bool has_part(struct scan line, const char *part)
{
    return memmem(line.at, (size_t)(line.end - line.at), part, strlen(part));
}

/* What KVM prints behind these names on other processors. */
static const struct other *what_of_kvm(struct scan line)
{
    static const struct other x86 = {true, NULL, NULL,
                                     "events of KVM on x86, of which this model knows nothing"};
    static const struct other risc_v = {
        true, NULL, NULL, "events of KVM on RISC-V, of which this model knows nothing"};
    static const char *const names[] = {"kvm_exit:", "kvm_entry:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = memmem(line.at, (size_t)(line.end - line.at), names[i], strlen(names[i]));
        if (!at)
            continue;
        struct scan scan = {at + strlen(names[i]), line.end};
        scan_blanks(&scan);
        if (scan_text(&scan, "reason ") || scan_text(&scan, "vcpu "))
            return &x86;
        if (scan_text(&scan, "SEPC:"))
            return &risc_v;
    }
    return NULL;
}

static const struct other *what_else(struct scan line)
{
    const struct other *kvm = what_of_kvm(line);
    if (kvm)
        return kvm;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct scan scan = line;
        if (others[i].beginning ? scan_text(&scan, others[i].beginning)
                                : has_part(line, others[i].part))
            return &others[i];
    }
    return NULL;
}

/* Words that a format's lines have, for a file of which no line is one. */
static const struct {
    const char *part;
    const char *format;
} likenesses[] = {
    {"kvm_", "ftrace"},       {"kvm:", "perf"},        {"exception", "qemu-int"},
    {"...with ", "qemu-int"}, {"ESR_EL2=", "capture"}, {"vec=", "capture"},
    {"tracer", "ftrace"},     {"\"seq\"", "a trace"},  {"\"kind\"", "a trace"},
};

static const char *likeness(const char *text, size_t length)
{
    const struct scan all = {text, text + length};
    for (size_t i = 0; i < sizeof likenesses / sizeof *likenesses; i++) {
        if (has_part(all, likenesses[i].part))
            return likenesses[i].format;
    }
    return NULL;
}

/* --- Lines ----------------------------------------------------------------------------------- */

/* The next line of a text; false at its end. */
static bool next_line(struct scan *text, struct scan *line)
{
    if (text->at == text->end)
        return false;
    const char *newline = memchr(text->at, '\n', (size_t)(text->end - text->at));
    *line = (struct scan){text->at, newline ? newline : text->end};
    text->at = newline ? newline + 1 : text->end;
    while (line->end > line->at && (line->end[-1] == '\r' || line->end[-1] == ' '))
        line->end--;
    return true;
}

/* Behind the marks of who quotes it. */
static struct scan unquoted(struct scan line)
{
    while (line.at < line.end &&
           (*line.at == '>' || (*line.at == ' ' && line.at + 1 < line.end && line.at[1] == '>')))
        line.at++;
    return line;
}

/* Could the first line be a JSON value? Lines of logs begin like one, but do not end so. */
static bool may_be_json(struct scan text)
{
    static const char *const words[] = {"true", "false", "null"};
    struct scan line;
    if (scan_text(&text, "{"))
        return true;
    if (!next_line(&text, &line) || line.at == line.end)
        return false;
    const char last = line.end[-1];
    const bool is_whole = text.at < text.end || line.end - line.at < LOOKED_AT_STREAM - 1;
    if (*line.at == '[')
        return !is_whole || last == ']' || last == '[' || last == ',' || last == '{';
    if (*line.at == '"')
        return !is_whole || last == '"';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct scan rest = line;
        if (scan_text(&rest, words[i]))
            return scan_is_at_end(&rest);
    }
    while (line.at < line.end && *line.at && strchr("+-.eE0123456789", *line.at))
        line.at++;
    return line.at == line.end;
}

static const char cbor_begins[] = "\xd9\xd9\xf7";

/* A trace is JSON Lines, or CBOR, of which the first record is a map. */
static bool is_trace(const char *text, size_t length)
{
    struct scan scan = {text, text + length};
    scan_text(&scan, "\xef\xbb\xbf");
    while (scan.at < scan.end && *scan.at && strchr(" \t\r\n", *scan.at))
        scan.at++;
    if (scan.at == scan.end)
        return true; /* an empty file: who reads it says so */
    return may_be_json(scan) || scan_text(&scan, cbor_begins);
}

/* How surely the line is of each format; false if it is of none. */
static bool score_line(struct scan line, unsigned *scores, unsigned *most)
{
    enum { LINE_SIZE = 1024 };
    char text[LINE_SIZE];
    unsigned count;
    bool is_ours = false;
    const struct importer *list = importers(&count);
    line = unquoted(line);
    size_t length = (size_t)(line.end - line.at);
    if (length < LINE_SIZE) {
        memcpy(text, line.at, length);
        length = import_clean(text, length);
    }
    const char *const at = (size_t)(line.end - line.at) < LINE_SIZE ? text : line.at;
    for (unsigned i = 0; i < count; i++) {
        const unsigned score = list[i].recognises(at, length);
        is_ours = is_ours || score > 0;
        scores[i] += score;
        *most = scores[i] > *most ? scores[i] : *most;
    }
    return is_ours;
}

static const struct importer *surest(const unsigned *scores)
{
    unsigned count, best = 0;
    const struct importer *list = importers(&count);
    for (unsigned i = 1; i < count; i++) {
        if (scores[i] > scores[best])
            best = i;
    }
    return scores[best] > 0 ? &list[best] : NULL;
}

static struct recognised recognise(struct scan text)
{
    enum { IMPORTERS_MAX = 16 };
    struct recognised found = {.importer = NULL};
    unsigned scores[IMPORTERS_MAX] = {0}, most = 0;
    struct scan line;
    struct scan first = text;
    if (scan_text(&first, "{") || scan_text(&first, cbor_begins))
        return found;
    while (most < ENOUGH && next_line(&text, &line)) {
        const struct other *other = what_else(line);
        if (other && other->is_sure)
            return (struct recognised){.other = other->what};
        if (!score_line(line, scores, &most) && other && !found.other)
            found.other = other->what;
    }
    found.importer = surest(scores);
    if (found.importer)
        found.other = NULL;
    return found;
}

/* Standard input is not read twice: what is looked at of it waits for who reads it. */
static void close_or_park(struct bytes *bytes, bool is_stream)
{
    if (is_stream)
        bytes_park(bytes);
    else
        bytes_close(bytes);
}

struct recognised recognise_file(const char *path, const struct importer *from)
{
    struct stat status;
    const bool is_stream = strcmp(path, "-") == 0;
    const bool is_file = !is_stream && stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                         access(path, R_OK) == 0;
    if (from || !(is_stream || is_file))
        return (struct recognised){.importer = from};
    struct bytes *bytes = bytes_open(path, !is_stream);
    if (!bytes)
        return (struct recognised){.is_unreadable = is_stream};
    size_t have;
    const char *text = bytes_window(bytes, is_stream ? LOOKED_AT_STREAM : LOOKED_AT, &have);
    struct recognised found = recognise((struct scan){text, text + have});
    if (!found.importer && !found.other && !is_trace(text, have))
        found.other = "";
    close_or_park(bytes, is_stream);
    return found;
}

void recognise_refuse(const char *path, const char *other)
{
    unsigned count;
    char known[256];
    size_t length = 0, have;
    const struct importer *list = importers(&count);
    const struct place place = {strcmp(path, "-") == 0 ? "<stdin>" : path, 0, 0};
    if (*other) {
        diag(&place, NULL, "not a trace, and not a recording that fhsim knows: this is %s", other);
        return;
    }
    for (unsigned i = 0; i < count && length < sizeof known; i++)
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i > 0 ? ", " : "",
                                   list[i].name);
    struct bytes *bytes = bytes_open(path, true);
    const bool is_stream = strcmp(path, "-") == 0;
    const char *text =
        bytes ? bytes_window(bytes, is_stream ? LOOKED_AT_STREAM : LOOKED_AT, &have) : NULL;
    const char *like = text ? likeness(text, have) : NULL;
    diag(&place, NULL, "not a trace, and not a recording that fhsim knows; known are %s%s%s%s",
         known, like ? "; it looks most like " : "", like ? like : "",
         like && importer_named(like) ? " (--from says which it is)" : "");
    bytes_close(bytes);
}

bool recognise_trace(const char *path)
{
    const struct recognised is = recognise_file(path, NULL);
    const struct place place = {strcmp(path, "-") == 0 ? "<stdin>" : path, 0, 0};
    if (is.other)
        recognise_refuse(path, is.other);
    else if (is.importer)
        diag(&place, NULL,
             "a recording (%s), and not a trace: it has no boot record from which a model begins",
             is.importer->name);
    return !is.other && !is.importer && !is.is_unreadable;
}
