/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/command.h"
#include "machine/machine.h"
#include "base/diag.h"
#include "base/json_out.h"

/* `fhsim machine show`: what is known of a machine. */

enum { NAME_WIDTH = 24, CALL_WIDTH = 46 };

static void print_heading(const char *heading)
{
    printf("\n%s\n", heading);
}

/* --- How a trace is recognised, what is adopted ---------------------------------------------- */

static void print_condition(const struct machine_condition *condition)
{
    printf("  %s", condition->what.text);
    switch (condition->kind) {
    case MACHINE_VALUE_there: puts(" is there"); return;
    case MACHINE_VALUE_absent: puts(" is not there"); return;
    case MACHINE_VALUE_within:
        printf(" is between %#" PRIx64 " and %#" PRIx64 "\n", condition->values[0],
               condition->values[1]);
        return;
    case MACHINE_VALUE_is: break;
    }
    for (size_t i = 0; i < condition->nvalues; i++)
        printf("%s%#" PRIx64, i == 0 ? " is " : " or ", condition->values[i]);
    putchar('\n');
}

static void print_boot(const struct machine_description *machine)
{
    if (machine->nconditions > 0)
        print_heading("A trace of it, by its boot record");
    for (size_t i = 0; i < machine->nconditions; i++)
        print_condition(&machine->conditions[i]);
    if (machine->nadoptions > 0)
        print_heading("Adopted from the boot record");
    for (size_t i = 0; i < machine->nadoptions; i++)
        printf("  %-*s %s\n", NAME_WIDTH, machine->adoptions[i].target,
               machine->adoptions[i].from.text);
}

/* --- Numbers --------------------------------------------------------------------------------- */

static uint64_t constant(const struct fh_profile *profile, const char *name)
{
    uint64_t value = 0;
    fh_profile_constant(profile, name, strlen(name), &value);
    return value;
}

static void print_constants(const struct machine_description *machine)
{
    char heading[120];
    if (!machine->extends)
        return;
    bool is_first = true;
    for (unsigned i = 0; fh_constant_name(i); i++) {
        const char *name = fh_constant_name(i);
        const uint64_t value = constant(machine->profile, name);
        if (value == constant(machine->extends->profile, name))
            continue;
        snprintf(heading, sizeof heading, "Constants, where %s has others", machine->extends->name);
        if (is_first)
            print_heading(heading);
        is_first = false;
        printf("  %-*s %#" PRIx64 "\n", NAME_WIDTH, name, value);
    }
}

static void print_tables(const struct machine_description *machine)
{
    static const char *const nexts[] = {
#define NEXT(name, words) words,
        MACHINE_NEXT_MAP(NEXT)
#undef NEXT
    };
    print_heading("Tables");
    printf("  stage 2 has %" PRIu64 " levels, EL2's own table %" PRIu64
           "; the next free page is recorded as %s\n",
           machine->profile->STAGE2_LEVELS, machine->profile->COREVISOR_LEVELS,
           nexts[machine->tables.next]);
    if (machine->nregisters > 0)
        print_heading("Registers with another number in records");
    for (size_t i = 0; i < machine->nregisters; i++)
        printf("  %-*s %" PRIu64 "\n", NAME_WIDTH, machine->registers[i].name,
               machine->registers[i].recorded);
}

/* --- Calls ----------------------------------------------------------------------------------- */

static int format_argument(const struct fh_abi_argument *argument, char *text, size_t size)
{
    switch (argument->source) {
    case FH_ABI_FROM_register:
        return snprintf(text, size, "%c%u", argument->bits == 32 ? 'w' : 'x', argument->reg);
    case FH_ABI_FROM_vmid: return snprintf(text, size, "vmid");
    case FH_ABI_FROM_vcpuid: return snprintf(text, size, "vcpuid");
    case FH_ABI_FROM_constant: break;
    }
    return snprintf(text, size, "%#" PRIx64, argument->value);
}

static void format_call(const struct fh_abi_call *call, char *text, size_t size)
{
    static const char *const kinds[] = {
#define KIND(name, words) words,
        FH_ABI_KIND_MAP(KIND)
#undef KIND
    };
    if (!call->function) {
        snprintf(text, size, "%s", kinds[call->kind]);
        return;
    }
    size_t used = (size_t)snprintf(text, size, "%s%s(", call->is_own ? "own." : "", call->function);
    for (unsigned i = 0; i < call->narguments && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s", i > 0 ? ", " : "");
        if (used < size)
            used += (size_t)format_argument(&call->arguments[i], text + used, size - used);
    }
    if (used < size)
        snprintf(text + used, size - used, ")");
}

static void print_checks(const struct fh_abi_call *call)
{
    static const char *const checks[] = {
#define CHECK(name, words) #name,
        FH_ABI_CHECK_MAP(CHECK)
#undef CHECK
    };
    for (unsigned i = 0; i < call->nchecks; i++) {
        char what[32];
        format_argument(&call->checks[i].what, what, sizeof what);
        printf("%s%s(%s", i == 0 ? "; checks " : ", ", checks[call->checks[i].kind], what);
        if (call->checks[i].plus != FH_ABI_NO_REGISTER)
            printf(" + x%u", call->checks[i].plus);
        putchar(')');
    }
}

static void print_answer(const struct fh_abi_answer *answer)
{
    switch (answer->kind) {
    case FH_ABI_ANSWERS_none: return;
    case FH_ABI_ANSWERS_result: printf(", x%u = result", answer->reg); return;
    case FH_ABI_ANSWERS_exit: printf(", x%u = kind of exit", answer->reg); return;
    case FH_ABI_ANSWERS_value: break;
    }
    printf(", x%u = %#" PRIx64, answer->reg, answer->value);
}

static void print_calls(const struct fh_abi *abi, const char *heading)
{
    if (!abi)
        return;
    print_heading(heading);
    for (unsigned i = 0; i < abi->ncalls; i++) {
        const struct fh_abi_call *call = &abi->calls[i];
        char text[160];
        format_call(call, text, sizeof text);
        printf("  %8" PRIu64 "  %-*s %s", call->number, NAME_WIDTH, call->name, text);
        print_answer(&call->answer);
        print_checks(call);
        printf("%s%s\n", call->departs ? ": " : "", call->departs ? call->departs : "");
    }
    printf("  %8s  %s\n", "others", abi->unknown == FH_ABI_panic ? "panic" : "nothing is done");
}

/* --- Records --------------------------------------------------------------------------------- */

static void print_records(const struct machine_description *machine)
{
    static const char *const habits[] = {
#define HABIT(name, words) words,
        MACHINE_RULE_MAP(HABIT)
#undef HABIT
    };
    if (machine->nrules > 0)
        print_heading("Its recorder's dialect");
    for (size_t i = 0; i < machine->nrules; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        printf("  %s%s%s: %s%s%s\n", rule->id ? rule->id : "", rule->id ? ", " : "",
               trace_effect_name(rule->what.effect), habits[rule->kind], rule->why ? ": " : "",
               rule->why ? rule->why : "");
    }
    machine_print_not_compared(machine, stdout);
    if (machine->nlimits > 0)
        print_heading("What its traces cannot show");
    for (size_t i = 0; i < machine->nlimits; i++)
        printf("  %s\n", machine->limits[i]);
}

static void print_excluded_registers(const struct machine_exclusion *exclusion, FILE *out)
{
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (exclusion->registers >> i & 1)
            fprintf(out, " %s", trace_register_name((enum trace_register)i));
    }
    if (exclusion->gprs == (1u << TRACE_GPRS) - 1)
        fputs(" x0 to x30", out);
    for (unsigned i = 0; exclusion->gprs != (1u << TRACE_GPRS) - 1 && i < TRACE_GPRS; i++) {
        if (exclusion->gprs >> i & 1)
            fprintf(out, " %s", trace_gpr_name(i));
    }
    if (!exclusion->at_entry || !exclusion->at_exit)
        fprintf(out, " at %s", exclusion->at_entry ? "entry" : "exit");
    for (unsigned i = 0; exclusion->kinds != (1u << TRACE_KINDS) - 1 && i < TRACE_KINDS; i++) {
        if (exclusion->kinds >> i & 1)
            fprintf(out, " of %s", trace_kind_name((enum trace_kind)i));
    }
}

static void print_pattern(const struct machine_pattern *pattern, FILE *out)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(pattern->effect, &count);
    for (size_t i = 0; i < pattern->count; i++) {
        const struct machine_setting *setting = &pattern->when[i];
        fprintf(out, " where %s is ", fields[setting->field].key);
        if (setting->value.kind == MACHINE_text)
            fputs(setting->value.text, out);
        else
            fprintf(out, "%#" PRIx64, setting->value.number);
    }
}

static void print_excluded_effect(const struct machine_exclusion *exclusion, FILE *out)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(exclusion->what.effect, &count);
    fprintf(out, " %s", trace_effect_name(exclusion->what.effect));
    for (unsigned i = 0; i < count; i++) {
        if (exclusion->fields >> i & 1)
            fprintf(out, " %s", fields[i].key);
    }
    print_pattern(&exclusion->what, out);
}

void machine_print_not_compared(const struct machine_description *machine, FILE *out)
{
    if (machine->nexclusions > 0)
        fputs("\nNot compared\n", out);
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_exclusion *exclusion = &machine->exclusions[i];
        fputc(' ', out);
        if (exclusion->part == MACHINE_PART_register)
            print_excluded_registers(exclusion, out);
        else
            print_excluded_effect(exclusion, out);
        fprintf(out, ": %s\n", exclusion->why);
    }
}

/* --- The catalogue --------------------------------------------------------------------------- */

static void print_entry(const struct machine_entry *entry, bool with_kind)
{
    printf("    %s: %s", entry->id, entry->title);
    if (entry->follows)
        printf(" (follows from %s)", entry->follows);
    else if (with_kind && entry->kind != MACHINE_IS_departure)
        printf(" (%s)", machine_entry_kind_name(entry->kind));
    else if (!with_kind && entry->harm != MACHINE_HARM_none)
        printf(" (%s)", machine_harm_name(entry->harm));
    putchar('\n');
}

static bool is_in(const struct machine_entry *entry, bool by_harm, unsigned group)
{
    return by_harm ? entry->harm == group : entry->kind == group;
}

static void print_group(const struct machine_description *machine, bool by_harm, unsigned group)
{
    unsigned count = 0;
    for (size_t i = 0; i < machine->nentries; i++)
        count += is_in(&machine->entries[i], by_harm, group);
    if (count == 0)
        return;
    printf("  %s: %u\n",
           by_harm ? machine_harm_name((enum machine_harm)group)
                   : machine_entry_kind_name((enum machine_entry_kind)group),
           count);
    for (size_t i = 0; i < machine->nentries; i++) {
        if (is_in(&machine->entries[i], by_harm, group))
            print_entry(&machine->entries[i], by_harm);
    }
}

/* By consequence the most serious come first. */
static void print_catalogue(const struct machine_description *machine, bool by_harm)
{
    if (machine->nentries == 0)
        return;
    print_heading(by_harm ? "Catalogue, by what it takes from the isolation of VMs" : "Catalogue");
    if (by_harm) {
        for (unsigned harm = MACHINE_HARMS; harm > 0; harm--)
            print_group(machine, true, harm - 1);
        return;
    }
    for (unsigned kind = 0; kind < MACHINE_ENTRY_KINDS; kind++)
        print_group(machine, false, kind);
}

static void print_machine(const struct machine_description *machine, bool by_harm)
{
    printf("%s: %s\n", machine->name, machine->title);
    for (const struct machine_description *base = machine->extends; base; base = base->extends)
        printf("%s%s%s", base == machine->extends ? "extends " : " < ", base->name,
               base->extends ? "" : "\n");
    print_boot(machine);
    print_constants(machine);
    print_tables(machine);
    print_calls(machine->hypercalls, "Hypercalls of the host");
    print_calls(machine->guest_calls, "Calls of VMs");
    print_records(machine);
    print_catalogue(machine, by_harm);
}

/* --- As JSON --------------------------------------------------------------------------------- */

static void put_calls(struct json_out *json, const char *key, const struct fh_abi *abi)
{
    json_open_array(json, key);
    for (unsigned i = 0; abi && i < abi->ncalls; i++) {
        const struct fh_abi_call *call = &abi->calls[i];
        char text[160];
        format_call(call, text, sizeof text);
        json_open_object(json, NULL);
        json_number(json, "number", call->number);
        json_text(json, "name", call->name);
        json_text(json, "call", text);
        json_text(json, "departs", call->departs);
        json_close_object(json);
    }
    json_close_array(json);
}

/* As it is written: "alloc_pmd_page", "assign_pfn_to_vm: owner == vmid". */
static void format_halt(const struct machine_halt *halt, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s", halt->function, halt->condition ? ": " : "",
             halt->condition ? halt->condition : "");
}

static void put_halts(struct json_out *json, const struct machine_entry *entry)
{
    char text[192];
    json_open_array(json, "halts");
    for (size_t i = 0; i < entry->nhalts; i++) {
        format_halt(&entry->halts[i], text, sizeof text);
        json_text(json, NULL, text);
    }
    json_close_array(json);
}

static void put_entry(struct json_out *json, const struct machine_entry *entry)
{
    json_open_object(json, NULL);
    json_text(json, "id", entry->id);
    json_text(json, "kind", machine_entry_kind_name(entry->kind));
    json_text(json, "consequence", machine_harm_name(entry->harm));
    json_text(json, "title", entry->title);
    json_text(json, "spec", entry->spec);
    json_text(json, "machine", entry->machine);
    json_text(json, "follows", entry->follows);
    put_halts(json, entry);
    json_text(json, "evidence", entry->evidence);
    json_text(json, "from", entry->from);
    json_close_object(json);
}

static void put_numbers(struct json_out *json, const struct machine_description *machine)
{
    json_open_object(json, "constants");
    for (unsigned i = 0; fh_constant_name(i); i++)
        json_hex(json, fh_constant_name(i), constant(machine->profile, fh_constant_name(i)));
    json_close_object(json);
    json_open_array(json, "recognised");
    for (size_t i = 0; i < machine->nconditions; i++)
        json_text(json, NULL, machine->conditions[i].what.text);
    json_close_array(json);
    json_open_object(json, "adopted");
    for (size_t i = 0; i < machine->nadoptions; i++)
        json_text(json, machine->adoptions[i].target, machine->adoptions[i].from.text);
    json_close_object(json);
}

static void print_json(const struct machine_description *machine)
{
    struct json_out json;
    json_out_begin_rows(&json, stdout, 2);
    json_open_object(&json, NULL);
    json_text(&json, "name", machine->name);
    json_text(&json, "title", machine->title);
    json_text(&json, "extends", machine->extends ? machine->extends->name : NULL);
    put_numbers(&json, machine);
    put_calls(&json, "hypercalls", machine->hypercalls);
    put_calls(&json, "guest_calls", machine->guest_calls);
    json_open_array(&json, "limits");
    for (size_t i = 0; i < machine->nlimits; i++)
        json_text(&json, NULL, machine->limits[i]);
    json_close_array(&json);
    json_open_array(&json, "catalogue");
    for (size_t i = 0; i < machine->nentries; i++)
        put_entry(&json, &machine->entries[i]);
    json_close_array(&json);
    json_close_object(&json);
    json_out_end(&json);
}

int machine_show(int argc, char **argv)
{
    const char *name, *by = "kind";
    bool json = false;
    const struct option_spec options[] = {{"--json", &json, NULL}, {"--by", NULL, &by}};
    const enum options_outcome outcome =
        machine_argument(argc, argv, options, sizeof options / sizeof *options, &name);
    if (outcome != OPTIONS_GOOD)
        return outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    const bool by_harm = strcmp(by, "consequence") == 0;
    if (!by_harm && strcmp(by, "kind") != 0) {
        diag_plain("machine show: --by is consequence or kind, not '%s'", by);
        return EXIT_BAD_INPUT;
    }
    const struct machine_description *machine = machine_find(name);
    if (!machine)
        return EXIT_BAD_INPUT;
    if (json)
        print_json(machine);
    else
        print_machine(machine, by_harm);
    return EXIT_EXPECTED;
}

/* --- As a page ------------------------------------------------------------------------------- */

static const char page_heading[] =
    "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
    "<!-- Made by `fhsim machine catalogue %s`: change machines/%s/machine.yaml, not this page. "
    "-->\n"
    "# Known deviations of %s\n\n"
    "Where this machine does something else than the spec says. A *departure* is behind a switch:\n"
    "`--without A24` runs the machine as if it did what the spec says there. A *consequence* is "
    "what\na departure amounts to at a place: it shows in traps that would halt there without. A "
    "*rule beside the spec* is about what the spec does "
    "not\nspeak of, such as the TLB. *Another number* is one of the machine's constants, or of the "
    "state\nthat its boot record describes. The consequence is what it takes from the isolation of "
    "VMs, in\nthe worst case that is known. Evidence is a recorded trap (`trace#seq`), a trace, or "
    "where else\nit can be seen; `source`: the machine's source alone.\n";

static void page_row(const char *key, const char *text)
{
    if (text)
        printf("| %s | %s |\n", key, text);
}

static void page_halts(const struct machine_entry *entry)
{
    char text[192];
    for (size_t i = 0; i < entry->nhalts; i++) {
        format_halt(&entry->halts[i], text, sizeof text);
        printf("%s%s", i > 0 ? "<br>" : "| without it halts in | ", text);
    }
    if (entry->nhalts > 0)
        puts(" |");
}

static void page_entry(const struct machine_entry *entry)
{
    printf("\n### %s: %s\n\n| | |\n| --- | --- |\n", entry->id, entry->title);
    page_row("follows from", entry->follows);
    page_halts(entry);
    page_row("the spec", entry->spec);
    page_row("the machine", entry->machine);
    page_row("consequence", machine_harm_name(entry->harm));
    page_row("evidence", entry->evidence);
    page_row("of machine", entry->from);
}

int machine_catalogue(int argc, char **argv)
{
    static const char *const headings[] = {"Departures", "Consequences", "Rules beside the spec",
                                           "Other numbers", "What the spec does too"};
    const char *name;
    const enum options_outcome outcome = machine_argument(argc, argv, NULL, 0, &name);
    if (outcome != OPTIONS_GOOD)
        return outcome == OPTIONS_HELP ? EXIT_EXPECTED : EXIT_BAD_INPUT;
    const struct machine_description *machine = machine_find(name);
    if (!machine)
        return EXIT_BAD_INPUT;
    printf(page_heading, machine->name, machine->name, machine->name);
    for (unsigned kind = 0; kind < MACHINE_ENTRY_KINDS; kind++) {
        bool is_first = true;
        for (size_t i = 0; i < machine->nentries; i++) {
            if (machine->entries[i].kind != kind)
                continue;
            if (is_first)
                printf("\n## %s\n", headings[kind]);
            is_first = false;
            page_entry(&machine->entries[i]);
        }
    }
    return EXIT_EXPECTED;
}
