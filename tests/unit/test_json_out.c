/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"

/* What `write` writes; the caller frees it. */
static char *written(void (*write)(struct json_out *json))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    struct json_out json;
    json_out_begin_line(&json, out);
    write(&json);
    ck_assert_uint_eq(json.depth, 0);
    fclose(out);
    return text;
}

static void expect(void (*write)(struct json_out *json), const char *wanted)
{
    char *text = written(write);
    ck_assert_str_eq(text, wanted);
    free(text);
}

static void nested(struct json_out *json)
{
    json_open_object(json, NULL);
    json_open_array(json, "empty");
    json_close_array(json);
    json_open_array(json, "list");
    json_number(json, NULL, UINT64_MAX);
    json_signed(json, NULL, -1);
    json_open_object(json, NULL);
    json_close_object(json);
    json_open_object(json, NULL);
    json_bool(json, "b", false);
    json_hex(json, "h", 0x1f);
    json_close_object(json);
    json_close_array(json);
    json_text(json, "null", NULL);
    json_format(json, "format", "%s#%d", "a\"b", 7);
    json_close_object(json);
}

START_TEST(commas_stand_between_items_and_nowhere_else)
{
    expect(nested,
           "{\"empty\":[],\"list\":[18446744073709551615,-1,{},{\"b\":false,\"h\":\"0x1f\"}],"
           "\"null\":null,\"format\":\"a\\\"b#7\"}");
}
END_TEST

static void strange_texts(struct json_out *json)
{
    json_open_array(json, NULL);
    json_text(json, NULL, "\"\\\n\x1f\x7f");
    json_text(json, NULL, "\xc2\x9b[31m \xc2\xa0 \xe2\x82\xac \xf0\x9f\x98\x80");
    json_text(json, NULL, "\xff a\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82");
    json_write_text(json_value(json, NULL), "a\0b", 3);
    json_close_array(json);
}

START_TEST(any_bytes_become_a_text)
{
    expect(strange_texts, "[\"\\\"\\\\\\u000a\\u001f\\u007f\","
                          "\"\\u009b[31m \xc2\xa0 \xe2\x82\xac \xf0\x9f\x98\x80\","
                          "\"\xef\xbf\xbd a\xef\xbf\xbd\xef\xbf\xbd "
                          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
                          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
                          "\xef\xbf\xbd\xef\xbf\xbd\","
                          "\"a\\u0000b\"]");
}
END_TEST

static void two_levels(struct json_out *json)
{
    json_open_array(json, NULL);
    fputs("{\"raw\":1}", json_value(json, NULL));
    fputs("2", json_value(json, NULL));
    json_close_array(json);
}

static void by_lines(struct json_out *json)
{
    json->is_line = false;
    json_open_object(json, NULL);
    json_open_array(json, "a");
    json_null(json, NULL);
    json_close_array(json);
    json_open_object(json, "o");
    json_close_object(json);
    json_close_object(json);
}

START_TEST(levels_are_indented_where_it_is_not_all_one_line)
{
    expect(by_lines, "{\n  \"a\": [\n    null\n  ],\n  \"o\": {}\n}");
}
END_TEST

START_TEST(values_of_other_writers_are_items_too)
{
    expect(two_levels, "[{\"raw\":1},2]");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, commas_stand_between_items_and_nowhere_else);
    tcase_add_test(tests, any_bytes_become_a_text);
    tcase_add_test(tests, levels_are_indented_where_it_is_not_all_one_line);
    tcase_add_test(tests, values_of_other_writers_are_items_too);
}

int main(void)
{
    return run_tests("json_out", add);
}
