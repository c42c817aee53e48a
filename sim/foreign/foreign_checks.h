/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_FOREIGN_CHECKS_H
#define SIM_FOREIGN_CHECKS_H

#include "foreign/foreign_checker.h"

/* All checks of a record, which come from FOREIGN_GROUP_MAP. */
void check_record(struct checker *checker, const struct trace_line *line);

#endif
