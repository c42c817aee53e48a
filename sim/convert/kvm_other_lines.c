/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "convert/kvm_line.h"

/* Lines that stand between the events of Linux and are none. */

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
    const bool is_indented = line.at < line.end && (*line.at == ' ' || *line.at == '\t');
    uint64_t address;
    scan_blanks(&line);
    struct scan scan = line;
    if (scan_text(&scan, "=>") || has_text(line, " <stack trace") ||
        has_text(line, "<user stack trace") || has_text(line, "kernel_stack: "))
        return true;
    /* "    ffff800008123456 kvm_handle_guest_abort+0x1c ([kernel.kallsyms])" */
    return is_indented && scan_hex(&scan, &address) && scan_text(&scan, " ") &&
           line.end[-1] == ')' && (has_text(line, " (/") || has_text(line, " (["));
}

bool kvm_line_is_function(struct scan line)
{
    uint64_t number;
    scan_blanks(&line);
    if (has_text(line, " <-"))
        return true;
    struct scan scan = line;
    if (scan_seconds(&scan, &number)) {
        scan_blanks(&scan);
        if (scan_text(&scan, "|"))
            line = scan;
    }
    scan_blanks(&line);
    return scan_number(&line, &number) && scan_text(&line, ") ");
}
