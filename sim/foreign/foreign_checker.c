/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_checker.h"

#include <stdarg.h>
#include <string.h>

static const struct {
    const char *name;
    const char *holds;
} checks[] = {
#define FOREIGN_ROW(check, holds) {#check, holds},
    FOREIGN_CHECK_MAP(FOREIGN_ROW)
#undef FOREIGN_ROW
};

const char *check_name(enum foreign_check check)
{
    return checks[check].name;
}

const char *check_holds(enum foreign_check check)
{
    return checks[check].holds;
}

void check_that(struct checker *checker, enum foreign_check check, bool holds, const char *format,
                ...)
{
    checker->counts[check].checked++;
    if (holds)
        return;
    checker->counts[check].failed++;
    checker->failed_in_line++;
    char found[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found, sizeof found, format, arguments);
    va_end(arguments);
    checker->sink(checker->context, checker->line, check, found);
}

void check_open(struct checker *checker, enum foreign_check check, const char *reason)
{
    struct open_reason *open = checker->counts[check].open;
    for (unsigned i = 0; i < REASONS_MAX; i++) {
        if (open[i].reason && strcmp(open[i].reason, reason) != 0)
            continue;
        open[i].reason = reason;
        open[i].count++;
        return;
    }
}

bool checker_has_checked(const struct checker *checker)
{
    for (unsigned i = 0; i < CHECKS; i++) {
        if (i != CHECK_time_rises && checker->counts[i].checked > 0)
            return true;
    }
    return false;
}
