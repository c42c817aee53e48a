/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/trace_fields.h"

#include <string.h>

#define FIELD(kind, format_, key_, required_)                                                      \
    {#key_, sizeof #key_ - 1, offsetof(struct trace_effect, kind.key_), TRACE_##format_, required_},
#define REQUIRED(kind, format, key) FIELD(kind, format, key, true)
#define OPTIONAL(kind, format, key) FIELD(kind, format, key, false)
#define FIELDS(kind)                                                                               \
    static const struct trace_field fields_of_##kind[] = {                                         \
        FH_TRACE_FIELDS_##kind(REQUIRED, OPTIONAL, kind)};
TRACE_EFFECT_MAP(FIELDS)

const struct trace_effect_type trace_effect_types[] = {
#define TYPE(kind)                                                                                 \
    {#kind, sizeof #kind - 1, fields_of_##kind, sizeof fields_of_##kind / sizeof *fields_of_##kind},
    TRACE_EFFECT_MAP(TYPE)
#undef TYPE
};

#define NAME(name) #name,
const char *const trace_kind_names[] = {TRACE_KIND_MAP(NAME) "unknown"};
const char *const trace_end_names[] = {TRACE_END_MAP(NAME)};
const char *const trace_effect_names[] = {TRACE_EFFECT_MAP(NAME)};
#undef NAME

const struct trace_field trace_register_fields[] = {
#define REGISTER(key_, format_)                                                                    \
    {#key_, sizeof #key_ - 1, sizeof(uint64_t) * TRACE_REG_##key_, TRACE_##format_, false},
    TRACE_REGISTER_MAP(REGISTER)
#undef REGISTER
};

static const char *const gpr_names[] = {"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",
                                        "x8",  "x9",  "x10", "x11", "x12", "x13", "x14", "x15",
                                        "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23",
                                        "x24", "x25", "x26", "x27", "x28", "x29", "x30"};

const char *trace_effect_name(enum trace_effect_kind kind)
{
    return trace_effect_names[kind];
}

const struct trace_field *trace_effect_fields(enum trace_effect_kind kind, unsigned *count)
{
    *count = trace_effect_types[kind].nfields;
    return trace_effect_types[kind].fields;
}

const char *trace_kind_name(enum trace_kind kind)
{
    return trace_kind_names[kind];
}

const char *trace_register_name(enum trace_register reg)
{
    return trace_register_fields[reg].key;
}

const char *trace_gpr_name(unsigned index)
{
    return gpr_names[index];
}

/* clang-format off */
#define MEMBER(key, format) [TRACE_KEY_##key] =                                                    \
    {#key, sizeof #key - 1, offsetof(struct trace_line, key), TRACE_##format, false}
#define NAME_ONLY(key) [TRACE_KEY_##key] = {#key, sizeof #key - 1, 0, TRACE_text, false}
const struct trace_field trace_line_fields[] = {
    MEMBER(seq, number), MEMBER(cpu, number), NAME_ONLY(kind), MEMBER(vector, text),
    MEMBER(time, number), MEMBER(task, number), NAME_ONLY(hvc), MEMBER(exit_code, number),
    MEMBER(ec, text), MEMBER(g0, number), NAME_ONLY(in), NAME_ONLY(fx), MEMBER(g1, number),
    NAME_ONLY(to), NAME_ONLY(out), NAME_ONLY(unfinished), NAME_ONLY(version)};
/* clang-format on */

const unsigned trace_line_parts[TRACE_LINE_KEYS] = {
    [TRACE_KEY_cpu] = TRACE_HAS_CPU,   [TRACE_KEY_g0] = TRACE_HAS_EVENTS,
    [TRACE_KEY_in] = TRACE_HAS_IN,     [TRACE_KEY_exit_code] = TRACE_HAS_EXIT_CODE,
    [TRACE_KEY_fx] = TRACE_HAS_FX,     [TRACE_KEY_to] = TRACE_HAS_TO,
    [TRACE_KEY_out] = TRACE_HAS_OUT,   [TRACE_KEY_time] = TRACE_HAS_TIME,
    [TRACE_KEY_task] = TRACE_HAS_TASK,
};

const struct trace_field trace_hvc_fields[] = {
    {"name", 4, offsetof(struct trace_line, hvc), TRACE_text, true},
    {"num", 3, offsetof(struct trace_line, hvc_number), TRACE_number, true},
    {"args", 4, offsetof(struct trace_line, hvc_args), TRACE_list, true}};

bool trace_line_is_complete(const struct trace_line *line, uint32_t keys)
{
    const uint32_t wanted = 1u << TRACE_KEY_seq | 1u << TRACE_KEY_cpu | 1u << TRACE_KEY_kind |
                            1u << TRACE_KEY_g0 | 1u << TRACE_KEY_in | 1u << TRACE_KEY_fx |
                            1u << TRACE_KEY_g1 | 1u << TRACE_KEY_to | 1u << TRACE_KEY_out;
    const bool has_hvc = keys >> TRACE_KEY_hvc & 1;
    const bool has_code = keys >> TRACE_KEY_exit_code & 1;
    return (keys & wanted) == wanted && has_hvc == (line->kind == TRACE_KIND_host_hvc) &&
           has_code == (line->kind == TRACE_KIND_guest_exit) && (has_code || !line->ec);
}

bool trace_find_effect(const char *name, size_t length, enum trace_effect_kind *kind)
{
    for (unsigned i = 0; i < TRACE_EFFECT_KINDS; i++) {
        if (trace_effect_types[i].length == length &&
            memcmp(trace_effect_types[i].name, name, length) == 0) {
            *kind = (enum trace_effect_kind)i;
            return true;
        }
    }
    return false;
}

static const void *field_place(const struct trace_effect *effect, const struct trace_field *field)
{
    return (const char *)effect + field->offset;
}

uint64_t trace_field_word(const struct trace_effect *effect, const struct trace_field *field)
{
    return *(const uint64_t *)field_place(effect, field);
}

const char *trace_field_text(const struct trace_effect *effect, const struct trace_field *field)
{
    return *(const char *const *)field_place(effect, field);
}

const struct trace_list *trace_field_list(const struct trace_effect *effect,
                                          const struct trace_field *field)
{
    return field_place(effect, field);
}
