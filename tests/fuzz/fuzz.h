/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_FUZZ_H
#define FH_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/*
 * What the targets share. A target is one function, LLVMFuzzerTestOneInput, that takes any bytes
 * and must come back: libFuzzer calls it (the preset `fuzz`), or replay.c, for each file of the
 * corpus (all others).
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Messages and reports go nowhere from here on; what a sanitizer says still arrives. */
void fuzz_be_quiet(void);

/* The path of a file that has these bytes, in memory, until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* What must hold does not: ends the program, so that the input is kept. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fuzz_fail(__FILE__, __LINE__, #condition);                                             \
    } while (0)
__attribute__((noreturn)) void fuzz_fail(const char *file, int line, const char *condition);

#endif
