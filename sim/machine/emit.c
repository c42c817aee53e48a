/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/emit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- Words ----------------------------------------------------------------------------------- */

static void emit_text(const char *text, FILE *out)
{
    if (!text) {
        fputs("NULL", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c > '~')
            fprintf(out, "\\%03o", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void emit_member(const char *name, const char *text, FILE *out)
{
    if (!text)
        return;
    fprintf(out, ".%s = ", name);
    emit_text(text, out);
    fputs(", ", out);
}

/* "sekvm-4.18" as part of a C name. */
static void emit_name(const char *name, FILE *out)
{
    for (; *name; name++)
        fputc(strchr("-.", *name) ? '_' : *name, out);
}

static void emit_head(const struct machine_description *machine, FILE *out)
{
    fprintf(out,
            "/* SPDX-License-Identifier: GPL-2.0-only */\n"
            "/* Made of machines/%s/machine.yaml by scripts/compile-machines. */\n"
            "/* clang-format off */\n",
            machine->name);
}

/* --- Tables: constants and calls ------------------------------------------------------------- */

static uint64_t constant_of(const struct machine_description *machine, const char *name)
{
    uint64_t value = 0;
    fh_profile_constant(machine->profile, name, strlen(name), &value);
    return value;
}

static bool has_own_constants(const struct machine_description *machine)
{
    for (unsigned i = 0; machine->extends && fh_constant_name(i); i++) {
        if (constant_of(machine, fh_constant_name(i)) !=
            constant_of(machine->extends, fh_constant_name(i)))
            return true;
    }
    return false;
}

/* The machine whose profile it has: its own, or that of what it extends. */
static const struct machine_description *owner_of_profile(const struct machine_description *machine)
{
    while (machine->extends && !has_own_constants(machine))
        machine = machine->extends;
    return machine;
}

/* Nothing where the profile is that of another machine, or the spec's. */
static void emit_profile(const struct machine_description *machine, FILE *out)
{
    if (!has_own_constants(machine))
        return;
    emit_head(machine, out);
    fputs("#include <faulthandler/profile.h>\n\nextern const struct fh_profile fh_profile_", out);
    emit_name(machine->name, out);
    fputs(";\nconst struct fh_profile fh_profile_", out);
    emit_name(machine->name, out);
    fputs(" = {\n    .name = ", out);
    emit_text(machine->name, out);
    fputs(",\n", out);
    for (unsigned i = 0; fh_constant_name(i); i++)
        fprintf(out, "    .%s = UINT64_C(%#" PRIx64 "),\n", fh_constant_name(i),
                constant_of(machine, fh_constant_name(i)));
    fputs("};\n", out);
}

static const char *const sources[] = {
#define SOURCE(name, words) "FH_ABI_FROM_" #name,
    FH_ABI_SOURCE_MAP(SOURCE)
#undef SOURCE
};

static const char *const checks[] = {
#define CHECK(name, words) "FH_ABI_IS_" #name,
    FH_ABI_CHECK_MAP(CHECK)
#undef CHECK
};

static const char *const kinds[] = {
#define KIND(name, words) "FH_ABI_" #name,
    FH_ABI_KIND_MAP(KIND)
#undef KIND
};

static const char *const answers[] = {
#define ANSWER(name, words) "FH_ABI_ANSWERS_" #name,
    FH_ABI_ANSWER_MAP(ANSWER)
#undef ANSWER
};

static void emit_argument(const struct fh_abi_argument *argument, FILE *out)
{
    fprintf(out, "{%s, %u, %u, UINT64_C(%#" PRIx64 ")}", sources[argument->source], argument->reg,
            argument->bits, argument->value);
}

static void emit_call(const struct fh_abi_call *call, FILE *out)
{
    fputs("    {", out);
    emit_member("name", call->name, out);
    emit_member("recorded", call->recorded, out);
    fprintf(out, ".number = UINT64_C(%#" PRIx64 "), .kind = %s,\n     ", call->number,
            kinds[call->kind]);
    emit_member("function", call->function, out);
    fprintf(out, ".is_own = %s, .nchecks = %u, .narguments = %u,\n     ",
            call->is_own ? "true" : "false", call->nchecks, call->narguments);
    for (unsigned i = 0; i < call->nchecks; i++) {
        fprintf(out, ".checks[%u] = {%s, ", i, checks[call->checks[i].kind]);
        emit_argument(&call->checks[i].what, out);
        fprintf(out, ", %u}, ", call->checks[i].plus);
    }
    for (unsigned i = 0; i < call->narguments; i++) {
        fprintf(out, ".arguments[%u] = ", i);
        emit_argument(&call->arguments[i], out);
        fputs(", ", out);
    }
    fprintf(out, "\n     .answer = {%s, %u, UINT64_C(%#" PRIx64 ")}, ", answers[call->answer.kind],
            call->answer.reg, call->answer.value);
    emit_member("departs", call->departs, out);
    fputs("},\n", out);
}

static void emit_abi(const struct fh_abi *abi, const char *name, FILE *out)
{
    if (!abi)
        return;
    if (abi->ncalls > 0)
        fprintf(out, "static const struct fh_abi_call %s_rows[] = {\n", name);
    for (unsigned i = 0; i < abi->ncalls; i++)
        emit_call(&abi->calls[i], out);
    fprintf(out, "%s\nstatic const struct fh_abi %s = {\n    .ncalls = %u, ",
            abi->ncalls > 0 ? "};\n" : "", name, abi->ncalls);
    if (abi->ncalls > 0)
        fprintf(out, ".calls = %s_rows, ", name);
    fprintf(out, ".unknown = %s,\n    ", kinds[abi->unknown]);
    emit_member("checks_by", abi->checks_by, out);
    emit_member("arguments_by", abi->arguments_by, out);
    emit_member("answers_by", abi->answers_by, out);
    emit_member("unknown_by", abi->unknown_by, out);
    fputs("\n};\n\n", out);
}

static void emit_tables(const struct machine_description *machine, FILE *out)
{
    emit_head(machine, out);
    fputs("#include <faulthandler/abi.h>\n#include <faulthandler/profile.h>\n\n"
          "#include <stddef.h>\n\nextern const struct fh_profile fh_profile_",
          out);
    emit_name(owner_of_profile(machine)->name, out);
    fputs(";\n#define FH_MACHINE_PROFILE &fh_profile_", out);
    emit_name(owner_of_profile(machine)->name, out);
    fputs("\n\n", out);
    emit_abi(machine->hypercalls, "hypercalls", out);
    emit_abi(machine->guest_calls, "guest_calls", out);
}

/* --- Expressions ----------------------------------------------------------------------------- */

static const char *const terms[] = {"MACHINE_TERM_number", "MACHINE_TERM_value",
                                    "MACHINE_TERM_constant"};

static void emit_terms(const struct machine_expression *expression, const char *list, size_t index,
                       FILE *out)
{
    fprintf(out, "static const struct machine_term %s_%zu[] = {", list, index);
    for (size_t i = 0; i < expression->count; i++) {
        const struct machine_term *term = &expression->terms[i];
        fprintf(out, "{%s, %s, UINT64_C(%#" PRIx64 "), ", terms[term->kind],
                term->minus ? "true" : "false", term->number);
        emit_text(term->name, out);
        fputs("}, ", out);
    }
    fputs("};\n", out);
}

static void emit_expression(const struct machine_expression *expression, const char *list,
                            size_t index, FILE *out)
{
    fputc('{', out);
    emit_text(expression->text, out);
    fprintf(out, ", %zu, %s_%zu}", expression->count, list, index);
}

static const char *const conditions[] = {
#define CONDITION(name, words) "MACHINE_VALUE_" #name,
    MACHINE_CONDITION_MAP(CONDITION)
#undef CONDITION
};

static void emit_conditions(const struct machine_description *machine, FILE *out)
{
    for (size_t i = 0; i < machine->nconditions; i++) {
        const struct machine_condition *condition = &machine->conditions[i];
        emit_terms(&condition->what, "condition_terms", i, out);
        if (condition->nvalues == 0)
            continue;
        fprintf(out, "static const uint64_t condition_values_%zu[] = {", i);
        for (size_t v = 0; v < condition->nvalues; v++)
            fprintf(out, "UINT64_C(%#" PRIx64 "), ", condition->values[v]);
        fputs("};\n", out);
    }
    if (machine->nconditions == 0)
        return;
    fputs("static const struct machine_condition conditions[] = {\n", out);
    for (size_t i = 0; i < machine->nconditions; i++) {
        const struct machine_condition *condition = &machine->conditions[i];
        fputs("    {", out);
        emit_expression(&condition->what, "condition_terms", i, out);
        fprintf(out, ", %s, %zu, ", conditions[condition->kind], condition->nvalues);
        if (condition->nvalues > 0)
            fprintf(out, "condition_values_%zu},\n", i);
        else
            fputs("NULL},\n", out);
    }
    fputs("};\n\n", out);
}

static const char *const places[] = {
#define PLACE(place) "MACHINE_" #place,
    MACHINE_PLACE_MAP(PLACE, PLACE)
#undef PLACE
};

static void emit_adoptions(const struct machine_description *machine, FILE *out)
{
    for (size_t i = 0; i < machine->nadoptions; i++)
        emit_terms(&machine->adoptions[i].from, "adoption_terms", i, out);
    if (machine->nadoptions == 0)
        return;
    fputs("static const struct machine_adoption adoptions[] = {\n", out);
    for (size_t i = 0; i < machine->nadoptions; i++) {
        const struct machine_adoption *adoption = &machine->adoptions[i];
        fputs("    {", out);
        emit_text(adoption->target, out);
        if (adoption->place == MACHINE_PLACES)
            fprintf(out, ", offsetof(struct fh_profile, %s), MACHINE_PLACES, ", adoption->target);
        else
            fprintf(out, ", 0, %s, ", places[adoption->place]);
        emit_expression(&adoption->from, "adoption_terms", i, out);
        fputs("},\n", out);
    }
    fputs("};\n\n", out);
}

static void emit_registers(const struct machine_description *machine, FILE *out)
{
    if (machine->nregisters == 0)
        return;
    fputs("static const struct machine_register registers[] = {\n", out);
    for (size_t i = 0; i < machine->nregisters; i++) {
        const struct machine_register *row = &machine->registers[i];
        fputs("    {", out);
        emit_text(row->name, out);
        fprintf(out, ", %" PRIu64 ", %" PRIu64 "},\n", row->number, row->recorded);
    }
    fputs("};\n\n", out);
}

/* --- Rules about records --------------------------------------------------------------------- */

static void emit_settings(const struct machine_setting *settings, size_t count,
                          enum trace_effect_kind kind, const char *list, size_t index, FILE *out)
{
    static const char *const values[] = {"MACHINE_number", "MACHINE_text", "MACHINE_field"};
    unsigned nfields;
    const struct trace_field *fields = trace_effect_fields(kind, &nfields);
    if (count == 0)
        return;
    fprintf(out, "static const struct machine_setting %s_%zu[] = {", list, index);
    for (size_t i = 0; i < count; i++) {
        const struct machine_value *value = &settings[i].value;
        fprintf(out, "{TRACE_AT_%s_%s, {%s, UINT64_C(%#" PRIx64 "), ", trace_effect_name(kind),
                fields[settings[i].field].key, values[value->kind], value->number);
        emit_text(value->text, out);
        if (value->kind == MACHINE_field)
            fprintf(out, ", TRACE_AT_%s_%s, '%c'}}, ", trace_effect_name(kind),
                    fields[value->field].key, value->operator);
        else
            fputs(", 0, 0}}, ", out);
    }
    fputs("};\n", out);
}

static void emit_pattern(const struct machine_pattern *pattern, const char *list, size_t index,
                         FILE *out)
{
    fprintf(out, "{TRACE_%s, ", trace_effect_name(pattern->effect));
    emit_text(pattern->inside, out);
    if (pattern->count > 0)
        fprintf(out, ", %zu, %s_%zu}", pattern->count, list, index);
    else
        fputs(", 0, NULL}", out);
}

/* Fields as bits, by name. */
static void emit_fields(uint32_t bits, enum trace_effect_kind kind, FILE *out)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(kind, &count);
    fputc('0', out);
    for (unsigned i = 0; i < count; i++) {
        if (bits >> i & 1)
            fprintf(out, " | 1u << TRACE_AT_%s_%s", trace_effect_name(kind), fields[i].key);
    }
}

static const char *const rules[] = {
#define RULE(name, words) "MACHINE_RULE_" #name,
    MACHINE_RULE_MAP(RULE)
#undef RULE
};

static void emit_rules(const struct machine_description *machine, FILE *out)
{
    for (size_t i = 0; i < machine->nrules; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        emit_settings(rule->what.when, rule->what.count, rule->what.effect, "rule_when", i, out);
        emit_settings(rule->settings, rule->nsettings, rule->what.effect, "rule_says", i, out);
        emit_settings(rule->anchor.when, rule->anchor.count, rule->anchor.effect, "rule_anchor", i,
                      out);
    }
    if (machine->nrules == 0)
        return;
    fputs("static const struct machine_rule rules[] = {\n", out);
    for (size_t i = 0; i < machine->nrules; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        fputs("    {", out);
        emit_member("id", rule->id, out);
        emit_member("why", rule->why, out);
        fprintf(out, ".kind = %s, .what = ", rules[rule->kind]);
        emit_pattern(&rule->what, "rule_when", i, out);
        if (rule->nsettings > 0)
            fprintf(out, ", .nsettings = %zu, .settings = rule_says_%zu", rule->nsettings, i);
        fputs(", .fields = ", out);
        emit_fields(rule->fields, rule->what.effect, out);
        fprintf(out, ", .is_all = %s, .anchor = ", rule->is_all ? "true" : "false");
        emit_pattern(&rule->anchor, "rule_anchor", i, out);
        fputs("},\n", out);
    }
    fputs("};\n\n", out);
}

static void emit_exclusions(const struct machine_description *machine, FILE *out)
{
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_pattern *what = &machine->exclusions[i].what;
        emit_settings(what->when, what->count, what->effect, "exclusion_when", i, out);
    }
    if (machine->nexclusions == 0)
        return;
    fputs("static const struct machine_exclusion exclusions[] = {\n", out);
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_exclusion *exclusion = &machine->exclusions[i];
        fputs("    {", out);
        emit_member("why", exclusion->why, out);
        fprintf(out, ".part = %s, .kinds = %#x, .at_entry = %s, .at_exit = %s, .registers = 0",
                exclusion->part == MACHINE_PART_effect ? "MACHINE_PART_effect"
                                                       : "MACHINE_PART_register",
                exclusion->kinds, exclusion->at_entry ? "true" : "false",
                exclusion->at_exit ? "true" : "false");
        for (unsigned r = 0; r < TRACE_REGISTERS; r++) {
            if (exclusion->registers >> r & 1)
                fprintf(out, " | 1u << TRACE_REG_%s", trace_register_name((enum trace_register)r));
        }
        fprintf(out, ", .gprs = %#x, .what = ", exclusion->gprs);
        emit_pattern(&exclusion->what, "exclusion_when", i, out);
        fputs(", .fields = ", out);
        emit_fields(exclusion->fields, exclusion->what.effect, out);
        fputs("},\n", out);
    }
    fputs("};\n\n", out);
}

/* --- Texts ----------------------------------------------------------------------------------- */

static void emit_limits(const struct machine_description *machine, FILE *out)
{
    if (machine->nlimits == 0)
        return;
    fputs("static const char *const limits[] = {\n", out);
    for (size_t i = 0; i < machine->nlimits; i++) {
        fputs("    ", out);
        emit_text(machine->limits[i], out);
        fputs(",\n", out);
    }
    fputs("};\n\n", out);
}

static const char *const entry_kinds[] = {
#define ENTRY_KIND(name, words) "MACHINE_IS_" #name,
    MACHINE_ENTRY_MAP(ENTRY_KIND)
#undef ENTRY_KIND
};

static const char *const harms[] = {
#define HARM(name, words) "MACHINE_HARM_" #name,
    MACHINE_HARM_MAP(HARM)
#undef HARM
};

static void emit_halts(const struct machine_entry *entry, size_t number, FILE *out)
{
    if (entry->nhalts == 0)
        return;
    fprintf(out, "static const struct machine_halt halts_%zu[] = {\n", number);
    for (size_t i = 0; i < entry->nhalts; i++) {
        fputs("    {", out);
        emit_member("function", entry->halts[i].function, out);
        emit_member("condition", entry->halts[i].condition, out);
        fputs("},\n", out);
    }
    fputs("};\n\n", out);
}

static const char *const breaks[] = {
#define BREAKS(name, words) "MACHINE_BREAKS_" #name,
    MACHINE_BREAKS_MAP(BREAKS)
#undef BREAKS
};

static void emit_entries(const struct machine_description *machine, FILE *out)
{
    if (machine->nentries == 0)
        return;
    for (size_t i = 0; i < machine->nentries; i++)
        emit_halts(&machine->entries[i], i, out);
    fputs("static const struct machine_entry entries[] = {\n", out);
    for (size_t i = 0; i < machine->nentries; i++) {
        const struct machine_entry *entry = &machine->entries[i];
        fputs("    {", out);
        emit_member("id", entry->id, out);
        fprintf(out, ".kind = %s, .harm = %s,\n     ", entry_kinds[entry->kind],
                harms[entry->harm]);
        if (entry->breaks != MACHINE_BREAKS_nothing)
            fprintf(out, ".breaks = %s, ", breaks[entry->breaks]);
        emit_member("title", entry->title, out);
        emit_member("spec", entry->spec, out);
        emit_member("machine", entry->machine, out);
        emit_member("follows", entry->follows, out);
        if (entry->nhalts > 0)
            fprintf(out, ".nhalts = %zu, .halts = halts_%zu, ", entry->nhalts, i);
        emit_member("evidence", entry->evidence, out);
        emit_member("from", entry->from, out);
        fputs("},\n", out);
    }
    fputs("};\n\n", out);
}

/* --- The description ------------------------------------------------------------------------- */

static void emit_list(const char *name, size_t count, FILE *out)
{
    if (count > 0)
        fprintf(out, "    .n%s = %zu,\n    .%s = %s,\n", name, count, name, name);
}

static void emit_description(const struct machine_description *machine, FILE *out)
{
    static const char *const nexts[] = {
#define NEXT(name, words) "MACHINE_NEXT_" #name,
        MACHINE_NEXT_MAP(NEXT)
#undef NEXT
    };
    emit_head(machine, out);
    fputs("#include \"tables.h\"\n\n#include \"machine/machine.h\"\n\n", out);
    emit_conditions(machine, out);
    emit_adoptions(machine, out);
    emit_registers(machine, out);
    emit_rules(machine, out);
    emit_exclusions(machine, out);
    emit_limits(machine, out);
    emit_entries(machine, out);
    if (machine->extends) {
        fputs("extern const struct machine_description machine_", out);
        emit_name(machine->extends->name, out);
        fputs(";\n", out);
    }
    for (unsigned declared = 0; declared < 2; declared++) {
        fprintf(out, "%sconst struct machine_description machine_", declared ? "" : "extern ");
        emit_name(machine->name, out);
        fputs(declared ? " = {\n    " : ";\n", out);
    }
    emit_member("name", machine->name, out);
    emit_member("title", machine->title, out);
    if (machine->extends) {
        fputs("\n    .extends = &machine_", out);
        emit_name(machine->extends->name, out);
        fputs(",", out);
    }
    fputs("\n    .profile = FH_MACHINE_PROFILE,\n", out);
    emit_list("conditions", machine->nconditions, out);
    emit_list("adoptions", machine->nadoptions, out);
    emit_list("registers", machine->nregisters, out);
    emit_list("rules", machine->nrules, out);
    emit_list("exclusions", machine->nexclusions, out);
    emit_list("limits", machine->nlimits, out);
    emit_list("entries", machine->nentries, out);
    fprintf(out, "    .tables = {%s},\n", nexts[machine->tables.next]);
    if (machine->hypercalls)
        fputs("    .hypercalls = &hypercalls,\n", out);
    if (machine->guest_calls)
        fputs("    .guest_calls = &guest_calls,\n", out);
    fputs("};\n", out);
}

/* Without blanks at the ends of lines. */
static void write_tidy(const char *text, FILE *out)
{
    while (*text) {
        const size_t length = strcspn(text, "\n");
        size_t kept = length;
        while (kept > 0 && text[kept - 1] == ' ')
            kept--;
        fwrite(text, 1, kept, out);
        fputc('\n', out);
        text += length + (text[length] == '\n');
    }
}

void machine_emit(const struct machine_description *machine, enum machine_emitted what, FILE *out)
{
    static void (*const parts[])(const struct machine_description *machine, FILE *out) = {
        [MACHINE_DESCRIPTION] = emit_description,
        [MACHINE_TABLES] = emit_tables,
        [MACHINE_PROFILE] = emit_profile,
    };
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        no_memory();
    parts[what](machine, memory);
    if (fclose(memory) != 0)
        no_memory();
    write_tidy(text, out);
    free(text);
}
