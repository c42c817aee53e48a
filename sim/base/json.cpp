/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/json.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace ondemand = simdjson::ondemand;

/*
 * simdjson's on-demand parser walks the text, this file makes nodes of what it meets. Numbers are
 * read here from their raw text: they may be wider than any machine word.
 */
struct json_reader {
    ondemand::parser parser;
    std::vector<node> pending; /* members of the containers that are still open */
    std::vector<node> pending_keys;
    bool keeps_fractions = false;
    char message[200];
};

namespace
{

constexpr unsigned max_depth = 64;
constexpr size_t unknown = SIZE_MAX; /* offset of an error without a place */

struct walk {
    json_reader *reader;
    arena *memory;
    const char *text;
    size_t length;
    unsigned line;
    const char *error;
    size_t offset;
    char *strings; /* room for the strings and numbers of the text that are still to come */
};

/* A terminated copy. A token has one byte more than its value: a quote, or what ends a number. */
char *keep(walk &w, std::string_view text)
{
    char *copy = w.strings;
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = 0;
    w.strings += text.size() + 1;
    return copy;
}

bool fail(walk &w, const char *at, const char *message)
{
    w.error = message;
    w.offset = at && at >= w.text && at <= w.text + w.length ? (size_t)(at - w.text) : unknown;
    return false;
}

std::string_view trimmed(std::string_view token)
{
    while (!token.empty() && std::strchr(" \t\r\n", token.back()))
        token.remove_suffix(1);
    return token;
}

/* Behind a string that begins at `at`; the end of the text if it never ends. */
size_t skip_string(std::string_view text, size_t at)
{
    for (at++; at < text.size(); at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '"')
            return at + 1;
    }
    return text.size();
}

/* Where the text goes on behind its first value: simdjson does not say where brackets went wrong.
 * npos: the value does not end. */
size_t end_of_value(std::string_view text)
{
    unsigned depth = 0;
    for (size_t at = 0; at < text.size();) {
        char c = text[at];
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        at++;
        if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    }
    return std::string_view::npos;
}

/* Bytes of a character of UTF-8 by its first; 0 if none begins with it. */
size_t utf8_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* The first byte that is not UTF-8, roughly: no lead, or too few bytes behind it. */
size_t find_bad_byte(std::string_view text)
{
    size_t at = 0;
    while (at < text.size()) {
        size_t length = utf8_length((unsigned char)text[at]);
        size_t n = 1;
        while (n < length && at + n < text.size() && ((unsigned char)text[at + n] & 0xc0) == 0x80)
            n++;
        if (n != length)
            return at;
        at += length;
    }
    return 0;
}

/* What simdjson found wrong, and where: it does not say the place of all errors. */
bool fail(walk &w, const char *at, simdjson::error_code code)
{
    std::string_view text = trimmed({w.text, w.length});
    if (code == simdjson::UTF8_ERROR)
        return fail(w, w.text + find_bad_byte(text), "not valid UTF-8");
    if (code == simdjson::EMPTY)
        return fail(w, w.text, "an empty line");
    if (code == simdjson::UNCLOSED_STRING)
        return fail(w, w.text + text.size(), "a string without its closing quote");
    if (code != simdjson::INCOMPLETE_ARRAY_OR_OBJECT && code != simdjson::TAPE_ERROR)
        return fail(w, at, simdjson::error_message(code));
    size_t end = end_of_value(text);
    if (end == std::string_view::npos)
        return fail(w, w.text + text.size(), "ends in the middle of a list or map");
    if (end < text.size())
        return fail(w, w.text + end, "more text behind the end of the value");
    return fail(w, at, "a comma, colon, bracket or key is missing or too many");
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The number's value if it has 64 bits; otherwise `wide` stays set. */
void read_value(node &result, std::string_view digits)
{
    uint64_t value = 0;
    for (char c : digits) {
        uint64_t digit = (uint64_t)(c - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return;
        value = value * 10 + digit;
    }
    if (result.negative) {
        if (value > (uint64_t)1 << 63)
            return;
        value = 0 - value;
    }
    result.number = value;
    result.wide = false;
}

size_t skip_digits(std::string_view token, size_t at)
{
    while (at < token.size() && is_digit(token[at]))
        at++;
    return at;
}

/* Behind the fraction and the exponent that begin at `at`; where it is no number, npos. */
size_t skip_fraction(std::string_view token, size_t at)
{
    if (at < token.size() && token[at] == '.') {
        size_t end = skip_digits(token, at + 1);
        if (end == at + 1)
            return std::string_view::npos;
        at = end;
    }
    if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
        at++;
        if (at < token.size() && (token[at] == '+' || token[at] == '-'))
            at++;
        size_t end = skip_digits(token, at);
        return end == at ? std::string_view::npos : end;
    }
    return at;
}

bool read_number(walk &w, std::string_view token, node &result)
{
    size_t sign = token[0] == '-' ? 1 : 0;
    size_t n = skip_digits(token, sign);
    if (n == sign)
        return fail(w, token.data(), "not a JSON value");
    bool is_whole = n == token.size();
    if (!is_whole && w.reader->keeps_fractions && skip_fraction(token, n) != token.size())
        return fail(w, token.data(), "not a JSON value");
    if (!is_whole && !w.reader->keeps_fractions)
        return fail(w, token.data(), "only whole numbers are understood here");
    if (token[sign] == '0' && n > sign + 1)
        return fail(w, token.data(), "a number with leading zeros");
    result.kind = NODE_NUMBER;
    result.negative = sign == 1 && token != "-0";
    result.wide = true;
    result.text = keep(w, token);
    result.length = token.size();
    if (is_whole)
        read_value(result, token.substr(sign));
    return true;
}

/* A scalar other than a string: a literal or a number. */
bool read_scalar(walk &w, std::string_view token, node &result)
{
    if (token == "null") {
        result.kind = NODE_NULL;
        return true;
    }
    if (token == "true" || token == "false") {
        result.kind = NODE_BOOL;
        result.boolean = token == "true";
        return true;
    }
    return token.empty() ? fail(w, token.data(), "no JSON value here")
                         : read_number(w, token, result);
}

void set_string(walk &w, node &result, std::string_view text)
{
    result.kind = NODE_STRING;
    result.quoted = true;
    result.text = keep(w, text);
    result.length = text.size();
}

/* Copy what was pushed since `mark` to where it stays. */
node *take(walk &w, std::vector<node> &from, size_t mark)
{
    size_t count = from.size() - mark;
    if (count == 0)
        return nullptr;
    node *nodes = (node *)arena_alloc(w.memory, count * sizeof(node));
    std::memcpy((void *)nodes, (const void *)&from[mark], count * sizeof(node));
    from.resize(mark);
    return nodes;
}

template <typename Value> bool read(walk &w, Value &value, node &result, unsigned depth);

bool read_list(walk &w, ondemand::array list, node &result, unsigned depth)
{
    size_t mark = w.reader->pending.size();
    for (simdjson::simdjson_result<ondemand::value> item : list) {
        ondemand::value value;
        if (auto code = item.get(value))
            return fail(w, nullptr, code);
        node child{};
        if (!read(w, value, child, depth + 1))
            return false;
        w.reader->pending.push_back(child);
    }
    result.kind = NODE_LIST;
    result.count = w.reader->pending.size() - mark;
    result.items = take(w, w.reader->pending, mark);
    return true;
}

bool read_map(walk &w, ondemand::object map, node &result, unsigned depth)
{
    size_t mark = w.reader->pending.size();
    for (simdjson::simdjson_result<ondemand::field> item : map) {
        ondemand::field field;
        if (auto code = std::move(item).get(field))
            return fail(w, nullptr, code);
        node key{}, child{};
        key.line = w.line;
        key.column = (unsigned)(field.key().raw() - w.text);
        std::string_view name;
        if (auto code = field.unescaped_key().get(name))
            return fail(w, w.text + key.column, code);
        set_string(w, key, name);
        if (!read(w, field.value(), child, depth + 1))
            return false;
        w.reader->pending.push_back(child);
        w.reader->pending_keys.push_back(key);
    }
    result.kind = NODE_MAP;
    result.count = w.reader->pending.size() - mark;
    result.items = take(w, w.reader->pending, mark);
    result.keys = take(w, w.reader->pending_keys, w.reader->pending_keys.size() - result.count);
    const node *repeated = node_repeated_key(&result);
    return !repeated || fail(w, w.text + repeated->column - 1, "a key that comes twice in its map");
}

template <typename Value> bool read(walk &w, Value &value, node &result, unsigned depth)
{
    std::string_view token;
    if (auto code = simdjson::simdjson_result<std::string_view>(value.raw_json_token()).get(token))
        return fail(w, nullptr, code);
    result.line = w.line;
    result.column = (unsigned)(token.data() - w.text) + 1;
    if (depth > max_depth)
        return fail(w, token.data(), "nested too deeply");
    switch (token.empty() ? 0 : token[0]) {
    case '[': {
        ondemand::array list;
        if (auto code = value.get_array().get(list))
            return fail(w, token.data(), code);
        return read_list(w, list, result, depth);
    }
    case '{': {
        ondemand::object map;
        if (auto code = value.get_object().get(map))
            return fail(w, token.data(), code);
        return read_map(w, map, result, depth);
    }
    case '"': {
        std::string_view text;
        if (auto code = value.get_string().get(text))
            return fail(w, token.data(), code);
        set_string(w, result, text);
        return true;
    }
    default: return read_scalar(w, trimmed(token), result);
    }
}

node *parse(walk &w)
{
    ondemand::document document;
    auto code = w.reader->parser.iterate(w.text, w.length, w.length + simdjson::SIMDJSON_PADDING)
                    .get(document);
    if (code) {
        fail(w, w.text, code);
        return nullptr;
    }
    node *root = (node *)arena_alloc(w.memory, sizeof *root);
    bool is_good = read(w, document, *root, 0);
    const char *at = nullptr;
    bool has_place = document.current_location().get(at) == simdjson::SUCCESS;
    if (!is_good) {
        if (w.offset == unknown)
            w.offset = has_place ? (size_t)(at - w.text) : w.length;
        return nullptr;
    }
    bool is_container = root->kind == NODE_LIST || root->kind == NODE_MAP;
    if (is_container && has_place) { /* there is no place behind the last token */
        fail(w, at, "more text behind the end of the value");
        return nullptr;
    }
    return root;
}

} /* namespace */

extern "C" struct json_reader *json_reader_new(void)
{
    return new (std::nothrow) json_reader;
}

extern "C" void json_reader_free(struct json_reader *reader)
{
    delete reader;
}

extern "C" bool json_is_utf8(const char *text, size_t length)
{
    return simdjson::validate_utf8(text, length);
}

extern "C" bool json_is_number(const char *text, size_t length)
{
    std::string_view token(text, length);
    size_t sign = length > 0 && text[0] == '-' ? 1 : 0;
    size_t n = skip_digits(token, sign);
    return n > sign && !(token[sign] == '0' && n > sign + 1) && skip_fraction(token, n) == length;
}

extern "C" void json_keep_fractions(struct json_reader *reader)
{
    reader->keeps_fractions = true;
}

extern "C" size_t json_padding(void)
{
    return simdjson::SIMDJSON_PADDING;
}

extern "C" struct node *json_parse(struct json_reader *reader, struct arena *arena,
                                   const char *text, size_t length, unsigned line,
                                   const char **error, size_t *offset)
{
    reader->pending.clear();
    reader->pending_keys.clear();
    char *strings = (char *)arena_alloc(arena, length + 1);
    walk w{reader, arena, text, length, line, nullptr, 0, strings};
    node *root = parse(w);
    if (!root) {
        std::snprintf(reader->message, sizeof reader->message, "%s", w.error);
        *error = reader->message;
        *offset = w.offset;
    }
    return root;
}
