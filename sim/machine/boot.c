/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/machine.h"

/*
 * What a boot record says, by name. A value `x` is that of the boot_val of this name; `x.vmid`, its
 * field; `pool[3].pgd_pool`, of VM 3's boot_pool; `region[0].base`; `pools`, how many there are;
 * `call`, the number of the hypercall that the record is.
 */

bool machine_is_boot(const struct trace_line *line)
{
    for (size_t i = 0; i < line->nfx; i++) {
        if (line->fx[i].kind == TRACE_boot_pool)
            return true;
    }
    return false;
}

/* --- Values by name -------------------------------------------------------------------------- */

static bool field_of(const struct trace_effect *effect, const char *name, uint64_t *value)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    for (unsigned i = 0; i < count; i++) {
        if (strcmp(fields[i].key, name) != 0 || !(effect->present >> i & 1) ||
            fields[i].format == TRACE_text || fields[i].format == TRACE_list)
            continue;
        *value = trace_field_word(effect, &fields[i]);
        return true;
    }
    return false;
}

/* "smmu_cfg[3].vmid" is field vmid of "smmu_cfg[3]"; "smmu0.size" may be a name of its own. */
static bool in_boot_val(const struct trace_effect *effect, const char *name, uint64_t *value)
{
    if (strcmp(effect->boot_val.name, name) == 0)
        return field_of(effect, "val", value);
    const char *dot = strrchr(name, '.');
    return dot && strncmp(effect->boot_val.name, name, (size_t)(dot - name)) == 0 &&
           !effect->boot_val.name[dot - name] && field_of(effect, dot + 1, value);
}

/*
 * "pool[3].pgd_pool", "pool[COREVISOR].vttbr", "region[0].base": the index between brackets; false:
 * another name.
 */
static bool in_list(const struct fh_profile *k, const char *name, const char *list, uint64_t *index,
                    const char **field)
{
    const size_t length = strlen(list);
    char *end;
    if (strncmp(name, list, length) != 0 || name[length] != '[')
        return false;
    const char *at = name + length + 1, *close = strchr(at, ']');
    if (!close || close[1] != '.')
        return false;
    *field = close + 2;
    if (fh_profile_constant(k, at, (size_t)(close - at), index))
        return true;
    *index = strtoull(at, &end, 0);
    return end == close;
}

static uint64_t count_of(const struct trace_line *line, enum trace_effect_kind kind)
{
    uint64_t count = 0;
    for (size_t i = 0; i < line->nfx; i++)
        count += line->fx[i].kind == kind;
    return count;
}

static bool in_effect(const struct fh_profile *k, const struct trace_effect *effect,
                      const char *name, uint64_t *value)
{
    uint64_t index;
    const char *field;
    if (effect->kind == TRACE_boot_val)
        return in_boot_val(effect, name, value);
    if (effect->kind == TRACE_boot_pool)
        return in_list(k, name, "pool", &index, &field) && effect->boot_pool.vmid == index &&
               field_of(effect, field, value);
    return effect->kind == TRACE_boot_region && in_list(k, name, "region", &index, &field) &&
           effect->boot_region.i == index && field_of(effect, field, value);
}

static bool find_value(const struct fh_profile *k, const struct trace_line *line, const char *name,
                       uint64_t *value)
{
    if (strcmp(name, "pools") == 0 || strcmp(name, "regions") == 0) {
        *value = count_of(line, *name == 'p' ? TRACE_boot_pool : TRACE_boot_region);
        return true;
    }
    if (strcmp(name, "call") == 0) {
        *value = line->hvc_number;
        return line->kind == TRACE_KIND_host_hvc;
    }
    for (size_t i = 0; i < line->nfx; i++) {
        if (in_effect(k, &line->fx[i], name, value))
            return true;
    }
    return false;
}

static uint64_t constant_of(const struct fh_profile *k, const char *name)
{
    uint64_t value = 0;
    fh_profile_constant(k, name, strlen(name), &value);
    return value;
}

/*
 * Where "next" is no address, a record does not say where a pool lies: the constants do. Then
 * pool[3].pgd_pool is the pool's first page.
 */
static uint64_t as_address(const struct machine_description *machine, const struct fh_profile *k,
                           const char *name, uint64_t number)
{
    uint64_t vmid;
    const char *field;
    if (machine->tables.next == MACHINE_NEXT_address || !in_list(k, name, "pool", &vmid, &field) ||
        strlen(field) != 8 || strcmp(field + 3, "_pool") != 0)
        return number;
    return machine_next_address(machine, k, field, vmid, 0);
}

/* False, with the name that the record lacks. */
static bool evaluate(const struct machine_description *machine, const struct trace_line *line,
                     const struct fh_profile *k, const struct machine_expression *expression,
                     uint64_t *value, const char **missing)
{
    *value = 0;
    for (size_t i = 0; i < expression->count; i++) {
        const struct machine_term *term = &expression->terms[i];
        uint64_t number = term->number;
        if (term->kind == MACHINE_TERM_constant)
            number = constant_of(k, term->name);
        *missing = term->name;
        if (term->kind == MACHINE_TERM_value && !find_value(k, line, term->name, &number))
            return false;
        if (term->kind == MACHINE_TERM_value)
            number = as_address(machine, k, term->name, number);
        *value += term->minus ? 0 - number : number;
    }
    return true;
}

/* --- Recognition ----------------------------------------------------------------------------- */

static bool holds(const struct machine_condition *condition, bool is_there, uint64_t value)
{
    switch (condition->kind) {
    case MACHINE_VALUE_there: return is_there;
    case MACHINE_VALUE_absent: return !is_there;
    case MACHINE_VALUE_within:
        return is_there && condition->values[0] <= value && value <= condition->values[1];
    default: break;
    }
    for (size_t i = 0; is_there && i < condition->nvalues; i++) {
        if (condition->values[i] == value)
            return true;
    }
    return false;
}

size_t machine_recognise(const struct machine_description *machine, const struct trace_line *boot,
                         struct machine_mismatch *list, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < machine->nconditions; i++) {
        const struct machine_condition *condition = &machine->conditions[i];
        const char *missing;
        uint64_t value = 0;
        const bool is_there =
            evaluate(machine, boot, machine->profile, &condition->what, &value, &missing);
        if (holds(condition, is_there, value))
            continue;
        if (count < room)
            list[count] = (struct machine_mismatch){condition, is_there, value};
        count++;
    }
    return count;
}

static size_t describe_wanted(const struct machine_condition *condition, char *text, size_t size)
{
    int length = 0;
    if (condition->kind == MACHINE_VALUE_within)
        length = snprintf(text, size, "between %#" PRIx64 " and %#" PRIx64, condition->values[0],
                          condition->values[1]);
    for (size_t i = 0; condition->kind == MACHINE_VALUE_is && i < condition->nvalues; i++) {
        if ((size_t)length < size)
            length += snprintf(text + length, size - (size_t)length, "%s%#" PRIx64,
                               i > 0 ? " or " : "", condition->values[i]);
    }
    return (size_t)length;
}

void machine_mismatch_format(const struct machine_mismatch *mismatch, char *text, size_t size)
{
    const struct machine_condition *condition = mismatch->condition;
    char wanted[120] = "";
    describe_wanted(condition, wanted, sizeof wanted);
    if (condition->kind == MACHINE_VALUE_absent)
        snprintf(text, size, "%s is there, %#" PRIx64, condition->what.text, mismatch->value);
    else if (!mismatch->is_there)
        snprintf(text, size, "%s is not there", condition->what.text);
    else
        snprintf(text, size, "%s is %#" PRIx64 ", not %s", condition->what.text, mismatch->value,
                 wanted);
}

const struct machine_description *machine_that_fits(const struct trace_line *boot)
{
    const struct machine_description *best = NULL;
    for (unsigned i = 0; machine_at(i); i++) {
        const struct machine_description *machine = machine_at(i);
        if (machine->nconditions > 0 && machine_recognise(machine, boot, NULL, 0) == 0 &&
            (!best || best->nconditions < machine->nconditions))
            best = machine;
    }
    return best;
}

/* --- Adoption -------------------------------------------------------------------------------- */

static bool is_indexed(enum machine_place place)
{
    static const bool indexed[] = {
#define ONE(place) false,
#define MANY(place) true,
        MACHINE_PLACE_MAP(ONE, MANY)
#undef MANY
#undef ONE
    };
    return indexed[place];
}

static void found(struct machine_boot *boot, enum machine_place place, uint64_t index,
                  uint64_t value)
{
    if (boot->nfound % 64 == 0) {
        boot->found = realloc(boot->found, (boot->nfound + 64) * sizeof *boot->found);
        if (!boot->found)
            no_memory();
    }
    boot->found[boot->nfound++] = (struct machine_found){place, index, value};
}

/*
 * A name with {i} in it, "smmu{i}.size": does the effect have it, for which i? Without {i} the
 * record may have many of the name, each with its own physical address.
 */
static bool matches(const char *pattern, const struct trace_effect *effect, uint64_t *index,
                    uint64_t *value)
{
    char name[160];
    const char *gap = strstr(pattern, "{i}");
    if (effect->kind != TRACE_boot_val)
        return false;
    if (!gap) {
        *index = effect->boot_val.pa;
        return in_boot_val(effect, pattern, value);
    }
    const size_t before = (size_t)(gap - pattern);
    const char *digits = effect->boot_val.name + before;
    const size_t ndigits = strspn(digits, "0123456789");
    if (strncmp(effect->boot_val.name, pattern, before) != 0 || ndigits == 0 || ndigits > 8)
        return false;
    *index = strtoull(digits, NULL, 10);
    snprintf(name, sizeof name, "%.*s%.*s%s", (int)before, pattern, (int)ndigits, digits, gap + 3);
    return in_boot_val(effect, name, value);
}

static bool adopt_list(const struct trace_line *line, const struct machine_adoption *adoption,
                       struct machine_boot *boot)
{
    for (size_t i = 0; i < line->nfx; i++) {
        uint64_t index, value;
        if (matches(adoption->from.text, &line->fx[i], &index, &value))
            found(boot, adoption->place, index, value);
    }
    return true;
}

bool machine_adopt(const struct machine_description *machine, const struct trace_line *line,
                   struct machine_boot *boot, char *error, size_t size)
{
    *boot = (struct machine_boot){.profile = *machine->profile};
    for (size_t i = 0; i < machine->nadoptions; i++) {
        const struct machine_adoption *adoption = &machine->adoptions[i];
        const char *missing;
        uint64_t value;
        if (adoption->place != MACHINE_PLACES && is_indexed(adoption->place)) {
            adopt_list(line, adoption, boot);
            continue;
        }
        if (!evaluate(machine, line, &boot->profile, &adoption->from, &value, &missing)) {
            snprintf(error, size, "the boot record has no %s, from which %s is adopted", missing,
                     adoption->target);
            return false;
        }
        if (adoption->place == MACHINE_PLACES)
            memcpy((char *)&boot->profile + adoption->offset, &value, sizeof value);
        else
            found(boot, adoption->place, 0, value);
    }
    return true;
}

void machine_boot_free(struct machine_boot *boot)
{
    free(boot->found);
    *boot = (struct machine_boot){0};
}

bool machine_boot_value(const struct machine_boot *boot, enum machine_place place, uint64_t *value)
{
    for (size_t i = 0; i < boot->nfound; i++) {
        if (boot->found[i].place == place) {
            *value = boot->found[i].value;
            return true;
        }
    }
    return false;
}
