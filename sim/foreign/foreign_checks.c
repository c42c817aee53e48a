/* SPDX-License-Identifier: GPL-2.0-only */
#include "foreign/foreign_checks.h"

enum group_sees { SEES_ALL, SEES_EXCEPTIONS };

static const struct {
    enum group_sees sees;
    check_group *check;
} groups[] = {
#define FOREIGN_ROW(group, of) {SEES_##of, check_##group},
    FOREIGN_GROUP_MAP(FOREIGN_ROW)
#undef FOREIGN_ROW
};

void check_record(struct checker *checker, const struct trace_line *line)
{
    const bool is_exception = record_source(line) != SOURCE_NONE;
    checker->line = line;
    checker->failed_in_line = 0;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (is_exception || groups[i].sees == SEES_ALL)
            groups[i].check(checker, line);
    }
    checker->records_failed += checker->failed_in_line > 0;
}
