/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_QEMU_FORMS_H
#define TESTS_QEMU_FORMS_H

#include <faulthandler/arm_walk.h>

/*
 * Loads and stores of A64, as words to be executed: X(name, word without registers, bytes, is it a
 * store, SF, SSE, AR, ISV). The base register goes to bits 9..5, the data register to bits 4..0.
 * Words: Arm ARM, "Loads and stores". ISV, SF, SSE and AR: "ISS encoding for an exception from a
 * Data Abort".
 */
/* clang-format off */
#define FORM_MAP(X)                                                                                 \
    X(LDRB,      0x39400000, 1, 0, 0, 0, 0, 1) X(STRB,      0x39000000, 1, 1, 0, 0, 0, 1)           \
    X(LDRH,      0x79400000, 2, 0, 0, 0, 0, 1) X(STRH,      0x79000000, 2, 1, 0, 0, 0, 1)           \
    X(LDR_W,     0xb9400000, 4, 0, 0, 0, 0, 1) X(STR_W,     0xb9000000, 4, 1, 0, 0, 0, 1)           \
    X(LDR_X,     0xf9400000, 8, 0, 1, 0, 0, 1) X(STR_X,     0xf9000000, 8, 1, 1, 0, 0, 1)           \
    X(LDRSB_W,   0x39c00000, 1, 0, 0, 1, 0, 1) X(LDRSB_X,   0x39800000, 1, 0, 1, 1, 0, 1)           \
    X(LDRSH_W,   0x79c00000, 2, 0, 0, 1, 0, 1) X(LDRSH_X,   0x79800000, 2, 0, 1, 1, 0, 1)           \
    X(LDRSW,     0xb9800000, 4, 0, 1, 1, 0, 1)                                                      \
    X(LDUR_X,    0xf8400000, 8, 0, 1, 0, 0, 1) X(STUR_W,    0xb8000000, 4, 1, 0, 0, 0, 1)           \
    X(LDTR_W,    0xb8400800, 4, 0, 0, 0, 0, 1) X(STTR_X,    0xf8000800, 8, 1, 1, 0, 0, 1)           \
    X(LDARB,     0x08dffc00, 1, 0, 0, 0, 1, 1) X(STLRB,     0x089ffc00, 1, 1, 0, 0, 1, 1)           \
    X(LDARH,     0x48dffc00, 2, 0, 0, 0, 1, 1) X(STLRH,     0x489ffc00, 2, 1, 0, 0, 1, 1)           \
    X(LDAR_W,    0x88dffc00, 4, 0, 0, 0, 1, 1) X(STLR_W,    0x889ffc00, 4, 1, 0, 0, 1, 1)           \
    X(LDAR_X,    0xc8dffc00, 8, 0, 1, 0, 1, 1) X(STLR_X,    0xc89ffc00, 8, 1, 1, 0, 1, 1)           \
    X(LDR_POST,  0xf8408400, 8, 0, 1, 0, 0, 0) X(STR_POST,  0xb8004400, 4, 1, 0, 0, 0, 0)           \
    X(LDR_PRE,   0xb8400c00, 4, 0, 0, 0, 0, 0) X(STR_PRE,   0xf8000c00, 8, 1, 1, 0, 0, 0)           \
    X(LDP_X,     0xa9407c00, 16, 0, 1, 0, 0, 0) X(STP_X,    0xa9007c00, 16, 1, 1, 0, 0, 0)          \
    X(LDP_W,     0x29407c00, 8, 0, 0, 0, 0, 0) X(STP_W,     0x29007c00, 8, 1, 0, 0, 0, 0)           \
    X(LDXR_W,    0x885f7c00, 4, 0, 0, 0, 0, 0) X(LDAXR_X,   0xc85ffc00, 8, 0, 1, 0, 0, 0)           \
    X(LDR_Q,     0x3dc00000, 16, 0, 0, 0, 0, 0) X(STR_Q,    0x3d800000, 16, 1, 0, 0, 0, 0)          \
    X(LDR_D,     0xfd400000, 8, 0, 0, 0, 0, 0) X(STR_S,     0xbd000000, 4, 1, 0, 0, 0, 0)           \
    X(LDR_B,     0x3d400000, 1, 0, 0, 0, 0, 0) X(STR_H,     0x7d000000, 2, 1, 0, 0, 0, 0)           \
    X(LDNP_X,    0xa8407c00, 16, 0, 1, 0, 0, 0) X(STNP_W,   0x28007c00, 8, 1, 0, 0, 0, 0)           \
    X(LDPSW,     0x69407c00, 8, 0, 1, 1, 0, 0) X(LDXRB,     0x085f7c00, 1, 0, 0, 0, 0, 0)           \
    X(LDP_Q,     0xad407c00, 32, 0, 0, 0, 0, 0) X(STP_D,    0x6d007c00, 16, 1, 0, 0, 0, 0)          \
    X(LD1_16B,   0x4c407000, 16, 0, 0, 0, 0, 0) X(ST1_8B,   0x0c007000, 8, 1, 0, 0, 0, 0)           \
    X(LDTRB,     0x38400800, 1, 0, 0, 0, 0, 1) X(STTRH,     0x78000800, 2, 1, 0, 0, 0, 1)           \
    X(LDTRSH_X,  0x78800800, 2, 0, 1, 1, 0, 1) X(LDTRSW,    0xb8800800, 4, 0, 1, 1, 0, 1)           \
    X(LDURSB_W,  0x38c00000, 1, 0, 0, 1, 0, 1) X(LDURSW,    0xb8800000, 4, 0, 1, 1, 0, 1)           \
    X(LDRSB_POST, 0x38800400, 1, 0, 1, 1, 0, 0) X(STRH_PRE, 0x78000c00, 2, 1, 0, 0, 0, 0)
/* clang-format on */

struct form {
    const char *name;
    uint32_t word;
    unsigned bytes;
    bool is_store, is_64bit, is_signed, is_ordered, is_described;
    bool must_be_aligned; /* ordered and exclusive ones */
};

static const struct form forms[] = {
#define FORM(name, word, bytes, store, sf, sse, ar, isv)                                           \
    {#name, word, bytes, store, sf, sse, ar, isv, ((word)&0x3f000000) == 0x08000000},
    FORM_MAP(FORM)
#undef FORM
};
enum { FORMS = sizeof forms / sizeof *forms };

#endif
