/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/cbor_item.h"

#include <stdbool.h>

#include <cbor.h>

static void set(void *context, enum cbor_item_type type, uint64_t number, const unsigned char *data)
{
    *(struct cbor_item *)context = (struct cbor_item){type, number, data};
}

#define NUMBER(name, type, width)                                                                  \
    static void name(void *context, width number)                                                  \
    {                                                                                              \
        set(context, type, number, NULL);                                                          \
    }
NUMBER(take_uint8, CBOR_ITEM_UNSIGNED, uint8_t)
NUMBER(take_uint16, CBOR_ITEM_UNSIGNED, uint16_t)
NUMBER(take_uint32, CBOR_ITEM_UNSIGNED, uint32_t)
NUMBER(take_uint64, CBOR_ITEM_UNSIGNED, uint64_t)
NUMBER(take_negint8, CBOR_ITEM_NEGATIVE, uint8_t)
NUMBER(take_negint16, CBOR_ITEM_NEGATIVE, uint16_t)
NUMBER(take_negint32, CBOR_ITEM_NEGATIVE, uint32_t)
NUMBER(take_negint64, CBOR_ITEM_NEGATIVE, uint64_t)
NUMBER(take_list, CBOR_ITEM_LIST, size_t)
NUMBER(take_map, CBOR_ITEM_MAP, size_t)
NUMBER(take_tag, CBOR_ITEM_TAG, uint64_t)
NUMBER(take_bool, CBOR_ITEM_BOOL, bool)
#undef NUMBER

static void take_bytes(void *context, cbor_data data, size_t length)
{
    set(context, CBOR_ITEM_BYTES, length, data);
}

static void take_text(void *context, cbor_data data, size_t length)
{
    set(context, CBOR_ITEM_TEXT, length, data);
}

static void take_null(void *context)
{
    set(context, CBOR_ITEM_NULL, 0, NULL);
}

static void take_other(void *context)
{
    set(context, CBOR_ITEM_OTHER, 0, NULL);
}

static void take_float(void *context, float value)
{
    (void)value;
    take_other(context);
}

static void take_double(void *context, double value)
{
    (void)value;
    take_other(context);
}

static const struct cbor_callbacks callbacks = {
    .uint8 = take_uint8,
    .uint16 = take_uint16,
    .uint32 = take_uint32,
    .uint64 = take_uint64,
    .negint8 = take_negint8,
    .negint16 = take_negint16,
    .negint32 = take_negint32,
    .negint64 = take_negint64,
    .byte_string = take_bytes,
    .byte_string_start = take_other,
    .string = take_text,
    .string_start = take_other,
    .array_start = take_list,
    .indef_array_start = take_other,
    .map_start = take_map,
    .indef_map_start = take_other,
    .tag = take_tag,
    .float2 = take_float,
    .float4 = take_float,
    .float8 = take_double,
    .undefined = take_other,
    .null = take_null,
    .boolean = take_bool,
    .indef_break = take_other,
};

enum cbor_item_state cbor_item_read(const unsigned char *at, size_t have, struct cbor_item *item,
                                    size_t *size)
{
    const struct cbor_decoder_result result = cbor_stream_decode(at, have, &callbacks, item);
    switch (result.status) {
    case CBOR_DECODER_FINISHED: *size = result.read; return CBOR_ITEM_WHOLE;
    case CBOR_DECODER_NEDATA: *size = result.required; return CBOR_ITEM_WANTS_MORE;
    case CBOR_DECODER_ERROR: break;
    }
    return CBOR_ITEM_BAD;
}
