/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_FORMAT_H
#define SIM_CBOR_FORMAT_H

/*
 * Traces as CBOR sequences; docs/trace-cbor.md describes them. What their reader and their writer
 * share: names, numbers and limits.
 */

#define CBOR_FORMAT_NAME "faulthandler-trace"

enum {
    CBOR_FORMAT_VERSION = 1,
    CBOR_TAG_WORDS16 = 69,  /* 16-bit numbers, little endian (RFC 8746) */
    CBOR_TAG_WORDS64 = 71,  /* 64-bit numbers, little endian (RFC 8746) */
    CBOR_TAG_JSON = 262,    /* a JSON text */
    CBOR_TAG_BEGIN = 55799, /* CBOR begins here (RFC 8949) */
    CBOR_DEPTH_MAX = 80,    /* of maps and lists inside one another */
};

/* The kinds of values of a template: X(name, as it is written). */
#define CBOR_KIND_MAP(X)                                                                           \
    X(word, "word")                                                                                \
    X(int, "int")                                                                                  \
    X(uint, "uint")                                                                                \
    X(words, "words")                                                                              \
    X(shape, "shape")                                                                              \
    X(shapes, "shapes")                                                                            \
    X(numbered_words, "numbered words")                                                            \
    X(numbered_shapes, "numbered shapes")                                                          \
    X(addressed_words, "addressed words")                                                          \
    X(addressed_shapes, "addressed shapes")                                                        \
    X(value, "value")

enum cbor_kind {
#define CBOR_KIND(name, text) CBOR_##name,
    CBOR_KIND_MAP(CBOR_KIND)
#undef CBOR_KIND
        CBOR_constant
};

/* What a template makes: a map, a list, or whatever the next value is. */
#define CBOR_FORM_MAP(X) X(map, "map") X(list, "list") X(any, "value")

enum cbor_form {
#define CBOR_FORM(name, text) CBOR_FORM_##name,
    CBOR_FORM_MAP(CBOR_FORM)
#undef CBOR_FORM
        CBOR_FORMS
};

#endif
