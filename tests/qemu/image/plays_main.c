/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>
#include <stdint.h>

#include "../plays.h"

/*
 * The freestanding library at EL2 of an AArch64 without an operating system: the plays are played,
 * and their lines written to a file of the host's.
 */
enum { SYS_OPEN = 1, SYS_CLOSE = 2, SYS_WRITE = 5, SYS_EXIT = 0x18, OPEN_WB = 5 };
#define APPLICATION_EXIT 0x20026
#define HEAP ((char *)0x48000000)
#define HEAP_SIZE 0x10000000u
#define TEXT ((char *)0x58000000)

uint64_t semihosting(uint64_t call, const void *arguments);
void run_guest(const uint64_t *before, uint64_t *after);

static size_t written;

static void leave(uint64_t status)
{
    const uint64_t arguments[] = {APPLICATION_EXIT, status};
    for (;;)
        semihosting(SYS_EXIT, arguments);
}

void image_lost(void)
{
    leave(3);
}

/* --- What the library needs of libc ----------------------------------------------------------- */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memmove(void *to, const void *from, size_t size)
{
    if (to < from)
        return memcpy(to, from, size);
    for (size_t i = size; i-- > 0;)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}

void *memset(void *to, int byte, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((char *)to)[i] = (char)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const unsigned char *x = a, *y = b;
    for (size_t i = 0; i < size; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

/* --- Memory: freed blocks wait by size for the next of their size ------------------------------
 */

enum { UNIT = 16, SIZES = 4096 };

struct block {
    struct block *next;
};

static struct block *freed[SIZES];
static size_t used;

static void *take(void *context, size_t size)
{
    const size_t units = (size + UNIT - 1) / UNIT;
    (void)context;
    if (units < SIZES && freed[units]) {
        struct block *block = freed[units];
        freed[units] = block->next;
        return block;
    }
    if (used + units * UNIT > HEAP_SIZE)
        return NULL;
    used += units * UNIT;
    return HEAP + used - units * UNIT;
}

static void give_back(void *context, void *memory, size_t size)
{
    const size_t units = (size + UNIT - 1) / UNIT;
    struct block *block = memory;
    (void)context;
    if (!memory || units >= SIZES)
        return;
    block->next = freed[units];
    freed[units] = block;
}

/* --- The plays -------------------------------------------------------------------------------- */

static void keep(void *context, const char *line)
{
    (void)context;
    while (*line)
        TEXT[written++] = *line++;
    TEXT[written++] = '\n';
}

void image_main(void)
{
    static const struct fh_allocator allocator = {take, give_back, NULL};
    static const char name[] = "plays.txt";
    const uint64_t open[] = {(uint64_t)(uintptr_t)name, OPEN_WB, sizeof name - 1};
    plays(&allocator, keep, NULL);
    const uint64_t handle = semihosting(SYS_OPEN, open);
    const uint64_t write[] = {handle, (uint64_t)(uintptr_t)TEXT, written};
    if (handle == UINT64_MAX || semihosting(SYS_WRITE, write) != 0)
        leave(2);
    semihosting(SYS_CLOSE, &handle);
    leave(0);
}
