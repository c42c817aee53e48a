/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "machine/machine.h"

/* Records in the words of a machine's recorder, and what of them is not compared. */

/* --- Patterns -------------------------------------------------------------------------------- */

static uint64_t *word_at(struct trace_effect *effect, const struct trace_field *field)
{
    return (uint64_t *)(void *)((char *)effect + field->offset);
}

static uint64_t value_of(const struct trace_effect *effect, const struct trace_field *fields,
                         const struct machine_value *value)
{
    if (value->kind != MACHINE_field)
        return value->number;
    const uint64_t word = trace_field_word(effect, &fields[value->field]);
    switch (value->operator) {
    case '+': return word + value->number;
    case '-': return word - value->number;
    case '&': return word & value->number;
    case '|': return word | value->number;
    case '<': return value->number < 64 ? word << value->number : 0;
    case '>': return value->number < 64 ? word >> value->number : 0;
    default: return word;
    }
}

static bool has_value(const struct trace_effect *effect, const struct trace_field *fields,
                      const struct machine_setting *setting)
{
    const struct trace_field *field = &fields[setting->field];
    if (!(effect->present >> setting->field & 1))
        return false;
    if (field->format == TRACE_text)
        return strcmp(trace_field_text(effect, field), setting->value.text) == 0;
    return trace_field_word(effect, field) == value_of(effect, fields, &setting->value);
}

/* `function`: the last that was entered before the effect, or NULL. */
static bool is_of(const struct machine_pattern *pattern, const struct trace_effect *effect,
                  const char *function)
{
    unsigned count;
    if (effect->kind != pattern->effect)
        return false;
    if (pattern->inside && (!function || strcmp(pattern->inside, function) != 0))
        return false;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (size_t i = 0; i < pattern->count; i++) {
        if (!has_value(effect, fields, &pattern->when[i]))
            return false;
    }
    return true;
}

/* --- The dialect ----------------------------------------------------------------------------- */

static void say(const struct machine_rule *rule, struct trace_effect *effect)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    const struct trace_effect before = *effect;
    for (size_t i = 0; i < rule->nsettings; i++) {
        const struct machine_setting *setting = &rule->settings[i];
        const struct trace_field *field = &fields[setting->field];
        if (field->format == TRACE_text)
            memcpy((char *)effect + field->offset, &setting->value.text,
                   sizeof setting->value.text);
        else
            *word_at(effect, field) = value_of(&before, fields, &setting->value);
    }
}

static const char *last_function(const struct trace_effect *effects, size_t at)
{
    for (; at > 0; at--) {
        if (effects[at - 1].kind == TRACE_fn)
            return effects[at - 1].fn.fn;
    }
    return NULL;
}

/* Where the effect at `from` goes if it stands before or behind the nearest of some effects. */
static size_t place_beside(const struct machine_rule *rule, const struct trace_effect *effects,
                           size_t count, size_t from)
{
    const bool before = rule->kind == MACHINE_RULE_before;
    for (size_t step = 1; step < count; step++) {
        const size_t back = from - step, on = from + step;
        if (before && step <= from &&
            is_of(&rule->anchor, &effects[back], last_function(effects, back)))
            return back;
        if (!before && on < count && is_of(&rule->anchor, &effects[on], last_function(effects, on)))
            return on;
    }
    return from;
}

static void move(struct trace_effect *effects, size_t from, size_t to)
{
    const struct trace_effect moved = effects[from];
    if (to < from)
        memmove(&effects[to + 1], &effects[to], (from - to) * sizeof *effects);
    else
        memmove(&effects[from], &effects[from + 1], (to - from) * sizeof *effects);
    effects[to] = moved;
}

/* Before or behind all others, in the order among themselves. */
static void part(const struct machine_rule *rule, struct trace_effect *effects, size_t count)
{
    const bool before = rule->kind == MACHINE_RULE_before;
    size_t parted = 0;
    for (size_t step = 0; step < count; step++) {
        const size_t at = before ? step : count - 1 - step;
        if (!is_of(&rule->what, &effects[at], last_function(effects, at)))
            continue;
        move(effects, at, before ? parted : count - 1 - parted);
        parted++;
    }
}

/* One rule for all effects. Those that move on are met again behind: so from the end. */
static void move_all(const struct machine_rule *rule, struct trace_effect *effects, size_t count)
{
    if (rule->is_all) {
        part(rule, effects, count);
        return;
    }
    if (rule->kind == MACHINE_RULE_before) {
        for (size_t i = 0; i < count; i++) {
            if (is_of(&rule->what, &effects[i], last_function(effects, i)))
                move(effects, i, place_beside(rule, effects, count, i));
        }
        return;
    }
    for (size_t i = count; i > 0; i--) {
        if (is_of(&rule->what, &effects[i - 1], last_function(effects, i - 1)))
            move(effects, i - 1, place_beside(rule, effects, count, i - 1));
    }
}

static size_t apply(const struct machine_rule *rule, struct trace_effect *effects, size_t count)
{
    const char *function = NULL;
    size_t left = 0;
    for (size_t i = 0; i < count; i++) {
        const char *entered = effects[i].kind == TRACE_fn ? effects[i].fn.fn : NULL;
        const bool is_meant = is_of(&rule->what, &effects[i], function);
        if (entered)
            function = entered;
        if (is_meant && rule->kind == MACHINE_RULE_omits)
            continue;
        if (left != i)
            effects[left] = effects[i];
        if (is_meant && rule->kind == MACHINE_RULE_says)
            say(rule, &effects[left]);
        if (is_meant && rule->kind == MACHINE_RULE_leaves_out)
            effects[left].present &= ~rule->fields;
        left++;
    }
    return left;
}

/* --- The next free page of a pool ------------------------------------------------------------ */

static uint64_t root_of(const struct fh_profile *k, uint64_t vmid)
{
    if (vmid == k->HOSTVISOR)
        return k->PT_POOL_START;
    if (vmid == k->COREVISOR)
        return k->COREVISOR_POOL_START;
    return k->PT_POOL_START + k->HOST_POOL_SIZE + (vmid - 1) * k->PT_POOL_PER_VM;
}

/* The first page of a VM's pool: 0 of pgds' tables, 1 of puds', 2 of pmds'. */
static uint64_t first_of_vm(const struct fh_profile *k, uint64_t vmid, unsigned pool)
{
    const uint64_t of_host[] = {k->HOST_PGD_OFFSET, k->HOST_PUD_OFFSET, k->HOST_PMD_OFFSET};
    const uint64_t own[] = {k->COREVISOR_PGD_OFFSET, k->COREVISOR_PUD_OFFSET,
                            k->COREVISOR_PMD_OFFSET};
    const uint64_t of_vm[] = {k->PGD_OFFSET, k->PUD_OFFSET, k->PMD_OFFSET};
    const uint64_t *offsets = of_vm;
    if (vmid == k->HOSTVISOR)
        offsets = of_host;
    else if (vmid == k->COREVISOR)
        offsets = own;
    return root_of(k, vmid) + offsets[pool];
}

static uint64_t first_page(const struct fh_profile *k, const char *field, uint64_t vmid)
{
    static const char *const pools[] = {"pgd", "pud", "pmd"};
    if (strncmp(field, "smmu_", 5) == 0)
        return field[6] == 'g' ? k->SMMU_PGD_START : k->SMMU_PMD_START;
    for (unsigned i = 0; i < sizeof pools / sizeof *pools; i++) {
        if (strncmp(field, pools[i], 3) == 0)
            return first_of_vm(k, vmid, i);
    }
    return 0;
}

uint64_t machine_next_address(const struct machine_description *machine, const struct fh_profile *k,
                              const char *field, uint64_t vmid, uint64_t recorded)
{
    if (machine->tables.next == MACHINE_NEXT_address)
        return recorded;
    const uint64_t unit = machine->tables.next == MACHINE_NEXT_index ? k->PAGE_SIZE : 1;
    return first_page(k, field, vmid) + recorded * unit;
}

static bool is_next(const char *field)
{
    const size_t length = strlen(field);
    return length > 5 && strcmp(field + length - 5, "_next") == 0;
}

/* --- Taking habits back ---------------------------------------------------------------------- */

/* Where "next" is counted from the pool's first page: its address. */
static void find_pages(const struct machine_description *machine, const struct fh_profile *k,
                       struct trace_effect *effect)
{
    struct trace_vm_set *set = &effect->vm_set;
    struct trace_global_set *global = &effect->global_set;
    if (effect->kind == TRACE_vm_set && is_next(set->field)) {
        set->old = machine_next_address(machine, k, set->field, set->vmid, set->old);
        set->new = machine_next_address(machine, k, set->field, set->vmid, set->new);
    }
    if (effect->kind == TRACE_global_set && strncmp(global->field, "smmu_", 5) == 0) {
        global->old = machine_next_address(machine, k, global->field, 0, global->old);
        global->new = machine_next_address(machine, k, global->field, 0, global->new);
    }
}

/* What the rule asks of a field; NULL: nothing. */
static const struct machine_value *wanted(const struct machine_rule *rule, unsigned field)
{
    for (size_t i = 0; i < rule->what.count; i++) {
        if (rule->what.when[i].field == field)
            return &rule->what.when[i].value;
    }
    return NULL;
}

/* Another name for one name; a field of which something is added, taken away or shifted. */
static bool can_be_taken_back(const struct machine_rule *rule,
                              const struct machine_setting *setting)
{
    const struct machine_value *value = &setting->value, *asked = wanted(rule, setting->field);
    if (value->kind == MACHINE_text)
        return asked != NULL;
    return value->kind == MACHINE_field && value->field == setting->field && !asked &&
           strchr("+-<>", value->operator);
}

static bool is_taken_back(const struct machine_rule *rule)
{
    if (rule->kind != MACHINE_RULE_says || rule->what.inside)
        return false;
    for (size_t i = 0; i < rule->nsettings; i++) {
        if (!can_be_taken_back(rule, &rule->settings[i]))
            return false;
    }
    return true;
}

static const struct machine_setting *setting_of(const struct machine_rule *rule, unsigned field)
{
    for (size_t i = 0; i < rule->nsettings; i++) {
        if (rule->settings[i].field == field)
            return &rule->settings[i];
    }
    return NULL;
}

/* Is the effect one that the rule has changed? */
static bool was_changed(const struct machine_rule *rule, const struct trace_effect *effect)
{
    unsigned count;
    if (effect->kind != rule->what.effect)
        return false;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (size_t i = 0; i < rule->what.count; i++) {
        const struct machine_setting *when = &rule->what.when[i];
        const struct machine_setting *said = setting_of(rule, when->field);
        if (!has_value(effect, fields, said ? said : when))
            return false;
    }
    return true;
}

static uint64_t before(const struct machine_value *value, uint64_t word)
{
    switch (value->operator) {
    case '+': return word - value->number;
    case '-': return word + value->number;
    case '<': return value->number < 64 ? word >> value->number : 0;
    default: return value->number < 64 ? word << value->number : 0;
    }
}

static void take_back(const struct machine_rule *rule, struct trace_effect *effect)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (size_t i = 0; i < rule->nsettings; i++) {
        const struct machine_setting *setting = &rule->settings[i];
        const struct trace_field *field = &fields[setting->field];
        if (field->format == TRACE_text)
            memcpy((char *)effect + field->offset, &wanted(rule, setting->field)->text,
                   sizeof(const char *));
        else
            *word_at(effect, field) = before(&setting->value, *word_at(effect, field));
    }
}

bool machine_is_plain(const struct machine_description *machine)
{
    for (size_t i = 0; i < machine->nrules; i++) {
        if (is_taken_back(&machine->rules[i]))
            return false;
    }
    return machine->tables.next == MACHINE_NEXT_address;
}

void machine_plain(const struct machine_description *machine, const struct fh_profile *k,
                   struct trace_effect *effects, size_t count)
{
    for (size_t e = 0; e < count; e++) {
        find_pages(machine, k, &effects[e]);
        for (size_t i = machine->nrules; i > 0; i--) {
            const struct machine_rule *rule = &machine->rules[i - 1];
            if (is_taken_back(rule) && was_changed(rule, &effects[e]))
                take_back(rule, &effects[e]);
        }
    }
}

/* --- Taking habits on ------------------------------------------------------------------------ */

/* Bits that the recorder shifts out are not in what was taken back. */
static void lose_bits(const struct machine_rule *rule, struct trace_effect *effect)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (size_t i = 0; i < rule->nsettings; i++) {
        const struct machine_value *value = &rule->settings[i].value;
        uint64_t *word = word_at(effect, &fields[rule->settings[i].field]);
        if (value->kind == MACHINE_field && value->operator== '>' && value->number<64)
            *word = *word >> value->number << value->number;
    }
}

static void take_on_bits(const struct machine_rule *rule, struct trace_effect *effects,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_of(&rule->what, &effects[i], NULL))
            lose_bits(rule, &effects[i]);
    }
}

size_t machine_reword(const struct machine_description *machine, struct trace_effect *effects,
                      size_t count)
{
    for (size_t i = 0; i < machine->nrules; i++) {
        const struct machine_rule *rule = &machine->rules[i];
        if (is_taken_back(rule))
            take_on_bits(rule, effects, count);
        else if (rule->kind == MACHINE_RULE_before || rule->kind == MACHINE_RULE_after)
            move_all(rule, effects, count);
        else
            count = apply(rule, effects, count);
    }
    return count;
}

uint64_t machine_register_recorded(const struct machine_description *machine, uint64_t number)
{
    for (size_t i = 0; i < machine->nregisters; i++) {
        if (machine->registers[i].number == number)
            return machine->registers[i].recorded;
    }
    return number;
}

const struct fh_abi_call *machine_call(const struct fh_abi *abi, uint64_t number)
{
    for (unsigned i = 0; i < abi->ncalls; i++) {
        if (abi->calls[i].number == number)
            return &abi->calls[i];
    }
    return NULL;
}

/* --- What is not compared -------------------------------------------------------------------- */

static bool speaks_of(const struct machine_exclusion *exclusion, enum machine_part part,
                      enum trace_kind kind)
{
    return exclusion->part == part && (exclusion->kinds >> kind & 1);
}

static const struct machine_exclusion *excludes(const struct machine_description *machine,
                                                enum trace_kind kind, bool at_exit,
                                                uint32_t registers, uint32_t gprs)
{
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_exclusion *exclusion = &machine->exclusions[i];
        if (speaks_of(exclusion, MACHINE_PART_register, kind) &&
            (at_exit ? exclusion->at_exit : exclusion->at_entry) &&
            ((exclusion->registers & registers) || (exclusion->gprs & gprs)))
            return exclusion;
    }
    return NULL;
}

const struct machine_exclusion *machine_excludes_register(const struct machine_description *machine,
                                                          enum trace_kind kind, bool at_exit,
                                                          enum trace_register reg)
{
    return excludes(machine, kind, at_exit, 1u << reg, 0);
}

const struct machine_exclusion *machine_excludes_gpr(const struct machine_description *machine,
                                                     enum trace_kind kind, bool at_exit,
                                                     unsigned gpr)
{
    return excludes(machine, kind, at_exit, 0, 1u << gpr);
}

const struct machine_exclusion *machine_excludes_effect(const struct machine_description *machine,
                                                        enum trace_kind kind,
                                                        const struct trace_effect *effect,
                                                        const char *function, int field)
{
    for (size_t i = 0; i < machine->nexclusions; i++) {
        const struct machine_exclusion *exclusion = &machine->exclusions[i];
        const bool is_whole = exclusion->fields == 0;
        if (speaks_of(exclusion, MACHINE_PART_effect, kind) &&
            is_of(&exclusion->what, effect, function) &&
            (is_whole || (field >= 0 && (exclusion->fields >> field & 1))))
            return exclusion;
    }
    return NULL;
}
