/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_FREESTANDING_STRING_H
#define FH_TESTS_FREESTANDING_STRING_H

/* All that the core may use of a libc. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *place, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
