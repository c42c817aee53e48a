/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static bool as_json;
static unsigned rows, over;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void report_begin(bool json)
{
    as_json = json;
    if (as_json)
        printf("[");
    else
        printf("%-52s %8s %10s %10s %6s\n", "", "goal", "median", "min", "ratio");
}

static void print_json(const struct row *row, double median, double min)
{
    printf("%s\n  {\"name\": \"%s\", \"unit\": \"%s\", \"goal\": %g, \"median\": %.4g, "
           "\"min\": %.4g, \"ratio\": %.3g, \"samples\": %u}",
           rows ? "," : "", row->name, row->unit, row->goal, median, min,
           row->goal > 0 ? median / row->goal : 0, row->count);
}

static void print_text(const struct row *row, double median, double min)
{
    printf("%-52s ", row->what);
    if (row->goal > 0)
        printf("%5.4g %-2s ", row->goal, row->unit);
    else
        printf("%8s ", "");
    printf("%7.4g %-2s %7.4g %-2s", median, row->unit, min, row->unit);
    if (row->goal > 0)
        printf(" %6.2f%s", median / row->goal, median > row->goal ? "  over" : "");
    printf("\n");
}

void report_row(struct row *row)
{
    qsort(row->samples, row->count, sizeof *row->samples, compare);
    const double median = row->samples[row->count / 2], min = row->samples[0];
    if (as_json)
        print_json(row, median, min);
    else
        print_text(row, median, min);
    fflush(stdout);
    rows++;
    over += row->goal > 0 && median > row->goal;
}

unsigned report_end(void)
{
    if (as_json)
        printf("\n]\n");
    return over;
}
