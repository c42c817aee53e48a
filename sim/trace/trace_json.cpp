/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_json.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

#include <simdjson.h>

#include "base/json_long.h"
#include "trace/trace_fields.h"

namespace ondemand = simdjson::ondemand;

/*
 * Fills a line from what simdjson's on-demand parser meets, without a tree. Whatever is unusual, an
 * escape in a text, an effect whose kind is not its first key, an unfinished record, makes it give
 * up: the reader of trees understands all of that, and finds the words for what is wrong.
 */
struct trace_json {
    ondemand::parser parser;
    trace_effect *effects;
    size_t effects_room;
    char *texts;
    size_t texts_room;
};

namespace
{

struct filler {
    trace_json *reader;
    trace_line *line;
    char *texts; /* room for the texts that are still to come */
};

/* The value of each hexadecimal digit, plus one; 0 for other characters. */
struct digit_table {
    unsigned char values[256];
    constexpr digit_table() : values()
    {
        for (unsigned i = 0; i < 10; i++)
            values['0' + i] = (unsigned char)(i + 1);
        for (unsigned i = 0; i < 6; i++)
            values['a' + i] = (unsigned char)(i + 11);
    }
};
constexpr digit_table hex_digits;

/* --- Values ---------------------------------------------------------------------------------- */

/* "0x" and one to sixteen digits. */
bool read_hex(ondemand::value &value, uint64_t *word)
{
    ondemand::raw_json_string raw;
    if (value.get_raw_json_string().get(raw))
        return false;
    const char *text = raw.raw();
    if (text[0] != '0' || text[1] != 'x' || text[2] == '"')
        return false;
    uint64_t sum = 0;
    unsigned n = 2;
    for (unsigned digit; (digit = hex_digits.values[(unsigned char)text[n]]) != 0; n++)
        sum = sum << 4 | (digit - 1);
    *word = sum;
    return text[n] == '"' && n <= 18;
}

bool read_number(ondemand::value &value, uint64_t *number)
{
    int64_t negative;
    if (value.get_uint64().get(*number) == simdjson::SUCCESS)
        return true;
    if (value.get_int64().get(negative))
        return false;
    *number = (uint64_t)negative;
    return true;
}

bool is_text(ondemand::value &value)
{
    ondemand::json_type type;
    return value.type().get(type) == simdjson::SUCCESS && type == ondemand::json_type::string;
}

/* A text without escapes. */
bool read_raw(ondemand::value &value, std::string_view *text)
{
    ondemand::raw_json_string raw;
    if (value.get_raw_json_string().get(raw))
        return false;
    const char *begin = raw.raw();
    const char *end = begin;
    while (*end != '"' && *end != '\\')
        end++;
    *text = std::string_view(begin, (size_t)(end - begin));
    return *end == '"';
}

bool read_text(filler &filler, ondemand::value &value, const char **text)
{
    std::string_view raw;
    if (!read_raw(value, &raw))
        return false;
    std::memcpy(filler.texts, raw.data(), raw.size());
    filler.texts[raw.size()] = 0;
    *text = filler.texts;
    filler.texts += raw.size() + 1;
    return true;
}

bool read_list(ondemand::value &value, trace_list *list)
{
    ondemand::array array;
    if (value.get_array().get(array))
        return false;
    for (auto item : array) {
        ondemand::value word;
        if (list->count == TRACE_LIST_MAX || std::move(item).get(word) ||
            !read_hex(word, &list->values[list->count++]))
            return false;
    }
    return true;
}

bool read_field(filler &filler, const trace_field &field, ondemand::value &value, void *base)
{
    void *place = (char *)base + field.offset;
    switch (field.format) {
    case TRACE_hex: return read_hex(value, (uint64_t *)place);
    case TRACE_number: return read_number(value, (uint64_t *)place);
    case TRACE_either:
        return is_text(value) ? read_hex(value, (uint64_t *)place)
                              : read_number(value, (uint64_t *)place);
    case TRACE_text: return read_text(filler, value, (const char **)place);
    case TRACE_list: return read_list(value, (trace_list *)place);
    }
    return false;
}

/* --- Keys ------------------------------------------------------------------------------------ */

/* Is this the raw key? */
bool is_key(const char *raw, const char *key, size_t length)
{
    return std::memcmp(raw, key, length) == 0 && raw[length] == '"';
}

/* A key that nobody knows, and has no escape, so that it is none that is known. */
bool is_plain(const char *raw)
{
    while (*raw != '"' && *raw != '\\')
        raw++;
    return *raw == '"';
}

/* The index of the field of that key, -1 if there is none; `from` is where it mostly is. */
int find_field(const trace_field *fields, unsigned count, unsigned from, const char *raw)
{
    for (unsigned tried = 0; tried < count; tried++) {
        const unsigned i = from + tried < count ? from + tried : from + tried - count;
        if (is_key(raw, fields[i].key, fields[i].length))
            return (int)i;
    }
    return -1;
}

/* What nobody knows may be nested as deeply as what is read, and no deeper than the stack is. */
constexpr unsigned max_depth = 60;

/* What is passed over is JSON all the same. */
bool pass_over(ondemand::value &value, unsigned depth)
{
    uint64_t number;
    std::string_view text;
    ondemand::json_type type;
    if (depth > max_depth || value.type().get(type))
        return false;
    switch (type) {
    case ondemand::json_type::string: return read_raw(value, &text);
    case ondemand::json_type::number: return read_number(value, &number);
    case ondemand::json_type::array: {
        ondemand::array array;
        if (value.get_array().get(array))
            return false;
        for (auto item : array) {
            ondemand::value inside;
            if (std::move(item).get(inside) || !pass_over(inside, depth + 1))
                return false;
        }
        return true;
    }
    case ondemand::json_type::object: {
        ondemand::object object;
        if (value.get_object().get(object))
            return false;
        for (auto item : object) {
            ondemand::field field;
            if (std::move(item).get(field) || !is_plain(field.key().raw()) ||
                !pass_over(field.value(), depth + 1))
                return false;
        }
        return true;
    }
    default: return false;
    }
}

bool pass_over_key(ondemand::field &field)
{
    return is_plain(field.key().raw()) && pass_over(field.value(), 0);
}

/* --- Registers ------------------------------------------------------------------------------- */

bool read_x_list(ondemand::value &value, trace_registers *registers)
{
    ondemand::array array;
    unsigned count = 0;
    if (value.get_array().get(array))
        return false;
    for (auto item : array) {
        ondemand::value word;
        if (count == TRACE_GPRS || std::move(item).get(word) ||
            !read_hex(word, &registers->x[count++]))
            return false;
    }
    registers->x_present = (1u << TRACE_GPRS) - 1;
    return count == TRACE_GPRS;
}

/* "0" to "30" */
bool parse_index(const char *raw, unsigned *index)
{
    const bool is_short = raw[0] >= '0' && raw[0] <= '9' && raw[1] == '"';
    const bool is_long =
        raw[0] >= '1' && raw[0] <= '3' && raw[1] >= '0' && raw[1] <= '9' && raw[2] == '"';
    *index = is_short ? (unsigned)(raw[0] - '0')
                      : (unsigned)(raw[0] - '0') * 10 + (unsigned)(raw[1] - '0');
    return (is_short || is_long) && *index < TRACE_GPRS;
}

bool read_x_map(ondemand::value &value, trace_registers *registers)
{
    ondemand::object object;
    if (value.get_object().get(object))
        return false;
    for (auto item : object) {
        ondemand::field field;
        unsigned index;
        if (std::move(item).get(field) || !parse_index(field.key().raw(), &index) ||
            !read_hex(field.value(), &registers->x[index]))
            return false;
        registers->x_present |= 1u << index;
    }
    return true;
}

bool read_x(ondemand::value &value, trace_registers *registers)
{
    ondemand::json_type type;
    if (registers->x_present || value.type().get(type))
        return false;
    return type == ondemand::json_type::array ? read_x_list(value, registers)
                                              : read_x_map(value, registers);
}

bool read_registers(filler &filler, ondemand::value &value, trace_registers *registers)
{
    ondemand::object object;
    unsigned next = 0;
    if (value.get_object().get(object))
        return false;
    for (auto item : object) {
        ondemand::field field;
        if (std::move(item).get(field))
            return false;
        const char *raw = field.key().raw();
        if (is_key(raw, "x", 1)) {
            if (!read_x(field.value(), registers))
                return false;
            continue;
        }
        const int i = find_field(trace_register_fields, TRACE_REGISTERS, next, raw);
        if (i < 0) {
            if (!pass_over_key(field))
                return false;
            continue;
        }
        if (registers->present >> i & 1 ||
            !read_field(filler, trace_register_fields[i], field.value(), registers->values))
            return false;
        registers->present |= 1u << i;
        next = (unsigned)i + 1;
    }
    return true;
}

/* --- Effects --------------------------------------------------------------------------------- */

/* The kind of an effect, which is its first key. */
bool read_effect_kind(ondemand::field &field, trace_effect *effect)
{
    std::string_view name;
    return is_key(field.key().raw(), "t", 1) && read_raw(field.value(), &name) &&
           trace_find_effect(name.data(), name.size(), &effect->kind);
}

bool read_effect_key(filler &filler, ondemand::field &field, trace_effect *effect, bool *has_g,
                     unsigned *next)
{
    const trace_effect_type &type = trace_effect_types[effect->kind];
    const char *raw = field.key().raw();
    if (!*has_g && is_key(raw, "g", 1)) {
        *has_g = true;
        return read_number(field.value(), &effect->g);
    }
    const int i = find_field(type.fields, type.nfields, *next, raw);
    if (i < 0)
        return !is_key(raw, "t", 1) && !is_key(raw, "g", 1) && pass_over_key(field);
    if (effect->present >> i & 1 || !read_field(filler, type.fields[i], field.value(), effect))
        return false;
    effect->present |= 1u << i;
    *next = (unsigned)i + 1;
    return true;
}

bool has_all(const trace_effect *effect)
{
    const trace_effect_type &type = trace_effect_types[effect->kind];
    if (effect->present == (1u << type.nfields) - 1)
        return true;
    for (unsigned i = 0; i < type.nfields; i++) {
        if (type.fields[i].required && !(effect->present >> i & 1))
            return false;
    }
    return true;
}

bool read_effect(filler &filler, ondemand::object &object, trace_effect *effect)
{
    bool has_kind = false;
    bool has_g = false;
    unsigned next = 0;
    std::memset((void *)effect, 0, sizeof *effect);
    for (auto item : object) {
        ondemand::field field;
        if (std::move(item).get(field))
            return false;
        if (!(has_kind ? read_effect_key(filler, field, effect, &has_g, &next)
                       : read_effect_kind(field, effect)))
            return false;
        has_kind = true;
    }
    return has_kind && has_g && has_all(effect);
}

bool make_room(trace_json *reader, size_t count)
{
    if (count <= reader->effects_room)
        return true;
    const size_t room = 2 * count + 64;
    void *grown = std::realloc((void *)reader->effects, room * sizeof(trace_effect));
    if (!grown)
        return false;
    reader->effects = (trace_effect *)grown;
    reader->effects_room = room;
    return true;
}

bool read_effects(filler &filler, ondemand::value &value)
{
    ondemand::array array;
    size_t count = 0;
    if (value.get_array().get(array))
        return false;
    for (auto item : array) {
        ondemand::value effect;
        ondemand::object object;
        if (std::move(item).get(effect) || effect.get_object().get(object) ||
            !make_room(filler.reader, count + 1) ||
            !read_effect(filler, object, &filler.reader->effects[count]))
            return false;
        count++;
    }
    filler.line->nfx = count;
    filler.line->fx = filler.reader->effects;
    return true;
}

/* --- Lines ----------------------------------------------------------------------------------- */

bool read_word(ondemand::value &value, const char *const *words, unsigned count, unsigned *index)
{
    std::string_view text;
    if (!read_raw(value, &text))
        return false;
    for (*index = 0; *index < count; (*index)++) {
        if (text == words[*index])
            return true;
    }
    return false;
}

bool read_hvc(filler &filler, ondemand::value &value)
{
    ondemand::object object;
    unsigned found = 0;
    if (value.get_object().get(object))
        return false;
    for (auto item : object) {
        ondemand::field field;
        if (std::move(item).get(field))
            return false;
        const int i = find_field(trace_hvc_fields, TRACE_HVC_FIELDS, 0, field.key().raw());
        if (i < 0) {
            if (!pass_over_key(field))
                return false;
            continue;
        }
        if (found >> i & 1 || !read_field(filler, trace_hvc_fields[i], field.value(), filler.line))
            return false;
        found |= 1u << i;
    }
    return found == 7;
}

bool read_key(filler &filler, trace_line_key key, ondemand::value &value)
{
    trace_line *line = filler.line;
    unsigned index = 0;
    switch (key) {
    case TRACE_KEY_kind:
        if (!read_word(value, trace_kind_names, TRACE_KINDS, &index))
            return false;
        line->kind = (trace_kind)index;
        return true;
    case TRACE_KEY_to:
        if (!read_word(value, trace_end_names, TRACE_ENDS, &index))
            return false;
        line->to = (trace_end)index;
        return true;
    case TRACE_KEY_hvc: return read_hvc(filler, value);
    case TRACE_KEY_in: return read_registers(filler, value, &line->in);
    case TRACE_KEY_out: return read_registers(filler, value, &line->out);
    case TRACE_KEY_fx: return read_effects(filler, value);
    case TRACE_KEY_unfinished:
    case TRACE_KEY_version:
    case TRACE_LINE_KEYS: return false;
    default: return read_field(filler, trace_line_fields[key], value, line);
    }
}

bool read_line(filler &filler, ondemand::object &object)
{
    uint32_t found = 0;
    unsigned next = 0;
    for (auto item : object) {
        ondemand::field field;
        if (std::move(item).get(field))
            return false;
        const int key = find_field(trace_line_fields, TRACE_LINE_KEYS, next, field.key().raw());
        if (key < 0) {
            if (!pass_over_key(field))
                return false;
            continue;
        }
        if (found >> key & 1 || !read_key(filler, (trace_line_key)key, field.value()))
            return false;
        found |= 1u << key;
        filler.line->has |= trace_line_parts[key];
        next = (unsigned)key + 1;
    }
    return trace_line_is_complete(filler.line, found);
}

/* Texts are copied, each with a zero behind it for its quotes. */
bool reserve_texts(trace_json *reader, size_t length)
{
    if (length < reader->texts_room)
        return true;
    std::free(reader->texts);
    reader->texts_room = length + 1;
    reader->texts = (char *)std::malloc(reader->texts_room);
    if (!reader->texts)
        reader->texts_room = 0;
    return reader->texts;
}

/* The text of a map: what is in it, and nothing behind it. */
template <typename Reader>
bool read_whole(filler &filler, const char *text, size_t length, Reader read)
{
    ondemand::document document;
    ondemand::object object;
    const char *behind;
    ondemand::parser &parser = filler.reader->parser;
    return !parser.iterate(text, length, length + simdjson::SIMDJSON_PADDING).get(document) &&
           !document.get_object().get(object) && read(object) &&
           document.current_location().get(behind);
}

bool read_line_of(filler &filler, const char *text, size_t length)
{
    return read_whole(filler, text, length,
                      [&](ondemand::object &object) { return read_line(filler, object); });
}

/* Is the list that of the effects? */
bool is_of_effects(const char *text, const json_long &list)
{
    constexpr std::string_view key = "\"fx\"";
    return list.colon - text > (long)key.size() &&
           std::string_view(list.colon - key.size(), key.size()) == key &&
           list.colon[-(long)key.size() - 1] != '\\';
}

/* The record without its effects, then one effect after the other: so the parser's index, which is
 * larger than the text, is never one of all of it. */
bool read_long_line(filler &filler, const json_long &list)
{
    const char *at = list.begin;
    size_t length, count = 0;
    if (!read_line_of(filler, list.rest, list.rest_length))
        return false;
    while (const char *text = json_long_member(&list, &at, &length)) {
        const auto read = [&](ondemand::object &object) {
            return read_effect(filler, object, &filler.reader->effects[count]);
        };
        if (!make_room(filler.reader, count + 1) || !read_whole(filler, text, length, read))
            return false;
        count++;
    }
    filler.line->nfx = count;
    filler.line->fx = filler.reader->effects;
    return at == list.end + 1; /* no comma is last */
}

} /* namespace */

extern "C" struct trace_json *trace_json_new(void)
{
    return new (std::nothrow) trace_json();
}

extern "C" void trace_json_free(struct trace_json *reader)
{
    if (!reader)
        return;
    std::free((void *)reader->effects);
    std::free(reader->texts);
    delete reader;
}

extern "C" bool trace_json_line(struct trace_json *reader, const char *text, size_t length,
                                struct trace_line *line)
{
    json_long list;
    if (!reserve_texts(reader, length))
        return false;
    std::memset((void *)line, 0, sizeof *line);
    filler filler = {reader, line, reader->texts};
    const bool is_long = json_find_long(text, length, &list);
    const bool good = is_long && is_of_effects(text, list) ? read_long_line(filler, list)
                                                           : read_line_of(filler, text, length);
    std::free(list.rest);
    return good;
}
