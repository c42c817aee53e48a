/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_BASE_WIDE_H
#define FH_BASE_WIDE_H

#include <stdint.h>

/*
 * Coq computes with unbounded integers. Sums and products of 64-bit values that a guard compares
 * are computed in 128 bits, where none of the spec's can wrap.
 */
#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 wide;
#else
typedef unsigned _BitInt(128) wide; /* where a register has 32 bits; clang has it there */
#endif

static inline wide wide_add(wide a, wide b)
{
    return a + b;
}

static inline wide wide_mul(uint64_t a, uint64_t b)
{
    return (wide)a * b;
}

#endif
