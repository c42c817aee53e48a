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
    json_bytes(json, NULL, "a\0b", 3);
    json_close_array(json);
}

START_TEST(any_bytes_become_a_text)
{
    expect(strange_texts, "[\"\\\"\\\\\\n\\u001f\\u007f\","
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
    json_insert(json, NULL, "{\"raw\":1}", 9);
    json_insert(json, NULL, "2", 1);
    json_close_array(json);
}

static void by_lines(struct json_out *json)
{
    json->rows = JSON_OUT_DEPTH;
    json->is_spaced = true;
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

static void in_rows(struct json_out *json)
{
    json->rows = 1;
    json_open_array(json, NULL);
    nested(json);
    json_open_array(json, NULL);
    json_close_array(json);
    json_close_array(json);
}

START_TEST(rows_stand_on_lines_of_their_own_and_what_is_deeper_on_one)
{
    expect(in_rows,
           "[\n{\"empty\":[],\"list\":[18446744073709551615,-1,{},{\"b\":false,\"h\":\"0x1f\"}],"
           "\"null\":null,\"format\":\"a\\\"b#7\"},\n[]\n]");
}
END_TEST

static void in_a_page(struct json_out *json)
{
    json->is_in_page = true;
    json_open_object(json, NULL);
    json_text(json, "</script>", "<!--");
    json_close_object(json);
}

START_TEST(nothing_in_a_page_can_end_its_script)
{
    expect(in_a_page, "{\"\\u003c/script>\":\"\\u003c!--\"}");
}
END_TEST

static void numbers(struct json_out *json)
{
    json_open_array(json, NULL);
    json_signed(json, NULL, INT64_MIN);
    json_signed(json, NULL, 0);
    json_hex(json, NULL, 0);
    json_hex(json, NULL, UINT64_MAX);
    json_real(json, NULL, 1.25, 3);
    json_close_array(json);
}

START_TEST(numbers_have_all_their_digits)
{
    expect(numbers, "[-9223372036854775808,0,\"0x0\",\"0xffffffffffffffff\",1.250]");
}
END_TEST

static void bytes(struct json_out *json)
{
    json_open_array(json, NULL);
    json_base64(json, NULL, "", 0);
    json_base64(json, NULL, "f", 1);
    json_base64(json, NULL, "fo", 2);
    json_base64(json, NULL, "foo", 3);
    json_base64(json, NULL, "\xfb\xff", 2);
    json_close_array(json);
}

START_TEST(bytes_are_written_as_rfc_4648_has_them)
{
    expect(bytes, "[\"\",\"Zg==\",\"Zm8=\",\"Zm9v\",\"+/8=\"]");
}
END_TEST

static void tree(struct json_out *json)
{
    struct node key = {.kind = NODE_STRING, .text = "k", .length = 1};
    struct node items[] = {{.kind = NODE_NULL},
                           {.kind = NODE_BOOL, .boolean = true},
                           {.kind = NODE_NUMBER, .number = UINT64_MAX},
                           {.kind = NODE_NUMBER, .number = UINT64_MAX, .negative = true},
                           {.kind = NODE_NUMBER, .wide = true, .text = "1e9"},
                           {.kind = NODE_STRING, .text = "a\0b", .length = 3}};
    struct node list = {.kind = NODE_LIST, .items = items, .count = 6};
    const struct node map = {.kind = NODE_MAP, .keys = &key, .items = &list, .count = 1};
    json_tree(json, NULL, &map);
}

START_TEST(a_tree_is_written_as_it_was_read)
{
    expect(tree, "{\"k\":[null,true,18446744073709551615,-1,1e9,\"a\\u0000b\"]}");
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, rows_stand_on_lines_of_their_own_and_what_is_deeper_on_one);
    tcase_add_test(tests, nothing_in_a_page_can_end_its_script);
    tcase_add_test(tests, numbers_have_all_their_digits);
    tcase_add_test(tests, bytes_are_written_as_rfc_4648_has_them);
    tcase_add_test(tests, a_tree_is_written_as_it_was_read);
    tcase_add_test(tests, commas_stand_between_items_and_nowhere_else);
    tcase_add_test(tests, any_bytes_become_a_text);
    tcase_add_test(tests, levels_are_indented_where_it_is_not_all_one_line);
    tcase_add_test(tests, values_of_other_writers_are_items_too);
}

int main(void)
{
    return run_tests("json_out", add);
}
