/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_CBOR_ITEM_H
#define SIM_CBOR_ITEM_H

#include <stddef.h>
#include <stdint.h>

/* One data item of CBOR, of a list, map or tag its head. */
enum cbor_item_type {
    CBOR_ITEM_UNSIGNED,
    CBOR_ITEM_NEGATIVE, /* -1 - number */
    CBOR_ITEM_BYTES,
    CBOR_ITEM_TEXT,
    CBOR_ITEM_LIST, /* of `number` items */
    CBOR_ITEM_MAP,  /* of `number` pairs */
    CBOR_ITEM_TAG,
    CBOR_ITEM_BOOL,
    CBOR_ITEM_NULL,
    CBOR_ITEM_OTHER, /* what no trace uses: floats, undefined, indefinite lengths */
};

struct cbor_item {
    enum cbor_item_type type;
    uint64_t number;
    const unsigned char *data; /* BYTES, TEXT; `number` is the length */
};

/* What to do about an item that is not whole. */
enum cbor_item_state { CBOR_ITEM_WHOLE, CBOR_ITEM_WANTS_MORE, CBOR_ITEM_BAD };

/* Read the item at `at`. *size becomes its length, or how many bytes more it needs at least. */
enum cbor_item_state cbor_item_read(const unsigned char *at, size_t have, struct cbor_item *item,
                                    size_t *size);

#endif
