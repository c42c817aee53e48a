/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/spec.h>

#include "machine/read.h"
#include "patch/number.h"

/* Sections about calls: "SET_BOOT_INFO: {number: 10, call: set_boot_info(w1, x2, x3)}". */

enum { GPRS = 31, MAX_NAME = 48 };

/* What a part of a call's text is about, for messages. */
struct part {
    struct machine_reader *reader;
    const struct node *node;
};

__attribute__((format(printf, 2, 3))) static bool complain(const struct part *part,
                                                           const char *format, ...)
{
    char message[240];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return reader_error(&part->reader->reader, part->node, "%s", message);
}

/* --- Words of a call ------------------------------------------------------------------------- */

static const char *skip_space(const char *at)
{
    while (*at == ' ')
        at++;
    return at;
}

/* "w1", "x30": the register; nothing else begins like that. */
static bool is_register(const char *word, struct fh_abi_argument *argument)
{
    if ((*word != 'w' && *word != 'x') || !isdigit((unsigned char)word[1]))
        return false;
    char *end;
    const unsigned long number = strtoul(word + 1, &end, 10);
    if (*end || number >= GPRS)
        return false;
    *argument =
        (struct fh_abi_argument){FH_ABI_FROM_register, (uint8_t)number, *word == 'w' ? 32 : 64, 0};
    return true;
}

static bool read_argument(const struct part *part, const char *word,
                          struct fh_abi_argument *argument)
{
    struct number_error error;
    *argument = (struct fh_abi_argument){.bits = 64};
    if (is_register(word, argument))
        return true;
    if (strcmp(word, "vmid") == 0 || strcmp(word, "vcpuid") == 0) {
        argument->source = word[1] == 'm' ? FH_ABI_FROM_vmid : FH_ABI_FROM_vcpuid;
        argument->bits = 32;
        return true;
    }
    argument->source = FH_ABI_FROM_constant;
    return number_parse(part->reader->profile, word, strlen(word), &argument->value, &error) ||
           complain(part,
                    "'%.40s' is no argument: x1 or w1 (its low 32 bits), vmid, vcpuid, or a "
                    "number",
                    word);
}

/* The next of the words between brackets; false at the end. Words are separated by `separator`. */
static bool next_word(const char **at, char separator, char *word)
{
    const char *start = skip_space(*at);
    const char *end = strchr(start, separator);
    if (!end)
        end = start + strlen(start);
    *at = *end ? end + 1 : end;
    while (end > start && end[-1] == ' ')
        end--;
    snprintf(word, MAX_NAME, "%.*s", (int)(end - start < MAX_NAME - 1 ? end - start : MAX_NAME - 1),
             start);
    return end > start;
}

/* "name(inside)" */
static bool split(const struct part *part, const char *text, char *name, char *inside, size_t size)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    if (!open || !close || close[1] || open == text || open - text >= MAX_NAME ||
        (size_t)(close - open) >= size)
        return complain(part, "'%.60s' is not of the form name(x1, x2)", text);
    snprintf(name, MAX_NAME, "%.*s", (int)(open - text), text);
    snprintf(inside, size, "%.*s", (int)(close - open) - 1, open + 1);
    return true;
}

/* --- call, run ------------------------------------------------------------------------------- */

static bool unknown_function(const struct part *part, const char *name)
{
    enum { MAX_FUNCTIONS = 512 };
    const char *names[MAX_FUNCTIONS];
    size_t count = 0;
    for (; count < MAX_FUNCTIONS && fh_function_at((unsigned)count); count++)
        names[count] = fh_function_at((unsigned)count)->name;
    const char *near = nearest(name, names, count);
    if (near)
        return complain(part, "no spec function '%s'; did you mean '%s'?", name, near);
    return complain(part, "no spec function '%s'; of one that the overlay adds the name is own.%s",
                    name, name);
}

static bool fits(const struct part *part, const struct fh_abi_call *call)
{
    if (call->is_own)
        return true;
    const struct fh_function *function = fh_function_find(call->function);
    if (!function)
        return unknown_function(part, call->function);
    if (function->nargs != call->narguments)
        return complain(part, "%s takes %u arguments, not %u", call->function, function->nargs,
                        call->narguments);
    for (unsigned i = 0; i < call->narguments; i++) {
        const struct fh_abi_argument *argument = &call->arguments[i];
        if (function->arg_bits[i] == 32 && argument->source == FH_ABI_FROM_register &&
            argument->bits == 64)
            return complain(part, "%s of %s has 32 bits: w%u, not x%u", function->arg_names[i],
                            call->function, argument->reg, argument->reg);
    }
    return true;
}

static bool read_call(const struct part *part, struct fh_abi_call *call)
{
    static const char own[] = "own.";
    char name[MAX_NAME], inside[200], word[MAX_NAME];
    const char *text;
    if (!reader_text(&part->reader->reader, part->node, "call", &text) ||
        !split(part, text, name, inside, sizeof inside))
        return false;
    call->kind = FH_ABI_call;
    call->is_own = strncmp(name, own, sizeof own - 1) == 0;
    const char *bare = name + (call->is_own ? sizeof own - 1 : 0);
    call->function = arena_strdup(part->reader->reader.arena, bare, strlen(bare));
    call->narguments = 0;
    for (const char *at = inside; next_word(&at, ',', word);) {
        if (call->narguments == FH_ABI_ARGUMENTS)
            return complain(part, "more than %d arguments", FH_ABI_ARGUMENTS);
        if (!read_argument(part, word, &call->arguments[call->narguments++]))
            return false;
    }
    return fits(part, call);
}

/* [vm, vcpu] */
static bool read_run(const struct part *part, struct fh_abi_call *call)
{
    struct reader *reader = &part->reader->reader;
    if (part->node->kind != NODE_LIST || part->node->count != 2)
        return reader_error(reader, part->node,
                            "run says where VM and vCPU are: [w1, w2] for example");
    call->kind = FH_ABI_run;
    call->function = "restore_vm";
    call->narguments = 2;
    for (unsigned i = 0; i < 2; i++) {
        const struct part word = {part->reader, &part->node->items[i]};
        if (word.node->kind != NODE_STRING ||
            !read_argument(&word, word.node->text, &call->arguments[i]))
            return word.node->kind == NODE_STRING ? false
                                                  : reader_error(reader, word.node, "w1 or x1");
    }
    return true;
}

/* --- checks ---------------------------------------------------------------------------------- */

static const char *const check_names[] = {
#define CHECK_NAME(name, words) #name,
    FH_ABI_CHECK_MAP(CHECK_NAME)
#undef CHECK_NAME
};

static bool read_checked(const struct part *part, const char *inside, struct fh_abi_check *check)
{
    char word[MAX_NAME];
    struct fh_abi_argument plus;
    check->plus = FH_ABI_NO_REGISTER;
    if (!next_word(&inside, '+', word) || !is_register(word, &check->what))
        return complain(part, "a check is of a register, or the sum of two: paddr(x2 + x3)");
    if (!next_word(&inside, '+', word))
        return true;
    check->plus = is_register(word, &plus) ? plus.reg : FH_ABI_NO_REGISTER;
    return (check->plus != FH_ABI_NO_REGISTER && plus.bits == check->what.bits && !*inside) ||
           complain(part, "a check is of a register, or the sum of two: paddr(x2 + x3)");
}

static bool read_check(const struct part *part, struct fh_abi_check *check)
{
    char name[MAX_NAME], inside[64];
    const char *text;
    if (!reader_text(&part->reader->reader, part->node, "a check", &text) ||
        !split(part, text, name, inside, sizeof inside))
        return false;
    for (unsigned i = 0; i < FH_ABI_CHECK_KINDS; i++) {
        check->kind = (enum fh_abi_check_kind)i;
        if (strcmp(check_names[i], name) == 0)
            return read_checked(part, inside, check);
    }
    const char *near = nearest(name, check_names, FH_ABI_CHECK_KINDS);
    return complain(part, "unknown check '%s'; did you mean '%s'?", name, near ? near : "vm");
}

static bool read_checks(const struct part *part, struct fh_abi_call *call)
{
    if (!reader_list(&part->reader->reader, part->node, "checks"))
        return false;
    if (part->node->count > FH_ABI_CHECKS)
        return complain(part, "more than %d checks", FH_ABI_CHECKS);
    bool fine = true;
    call->nchecks = (unsigned)part->node->count;
    for (size_t i = 0; i < part->node->count; i++)
        fine = read_check(&(struct part){part->reader, &part->node->items[i]}, &call->checks[i]) &&
               fine;
    return fine;
}

/* --- answers --------------------------------------------------------------------------------- */

static bool read_answered(const struct part *part, struct fh_abi_answer *answer)
{
    static const struct {
        const char *word;
        enum fh_abi_answer_kind kind;
    } words[] = {{"none", FH_ABI_ANSWERS_none},
                 {"result", FH_ABI_ANSWERS_result},
                 {"exit", FH_ABI_ANSWERS_exit}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        answer->kind = words[i].kind;
        if (node_is(part->node, words[i].word))
            return true;
    }
    answer->kind = FH_ABI_ANSWERS_value;
    return machine_read_word(part->reader, part->node, "answers", &answer->value);
}

/* "result", a number, or {x1: result} */
static bool read_answers(const struct part *part, struct fh_abi_call *call)
{
    struct fh_abi_argument reg;
    call->answer = (struct fh_abi_answer){0};
    if (part->node->kind != NODE_MAP)
        return read_answered(part, &call->answer);
    if (part->node->count != 1 || !is_register(part->node->keys[0].text, &reg))
        return complain(part, "answers in one register: {x0: result}");
    call->answer.reg = reg.reg;
    return read_answered(&(struct part){part->reader, &part->node->items[0]}, &call->answer);
}

/* --- Rows ------------------------------------------------------------------------------------ */

static bool read_text(const struct part *part, const char *what, const char **text)
{
    return reader_text(&part->reader->reader, part->node, what, text);
}

static bool read_flag(const struct part *part, struct fh_abi_call *call)
{
    bool is_boot = false;
    if (!reader_flag(&part->reader->reader, part->node, "boot", &is_boot))
        return false;
    if (is_boot)
        call->kind = FH_ABI_boot;
    return true;
}

static bool read_key(const struct part *part, const char *key, struct fh_abi_call *call)
{
    if (strcmp(key, "number") == 0)
        return machine_read_word(part->reader, part->node, "number", &call->number);
    if (strcmp(key, "call") == 0)
        return read_call(part, call);
    if (strcmp(key, "run") == 0)
        return read_run(part, call);
    if (strcmp(key, "checks") == 0)
        return read_checks(part, call);
    if (strcmp(key, "answers") == 0)
        return read_answers(part, call);
    if (strcmp(key, "recorded_as") == 0)
        return read_text(part, key, &call->recorded);
    if (strcmp(key, "departs") == 0)
        return read_text(part, key, &call->departs);
    return true; /* boot: at the end, since it says what `call` is */
}

static bool read_row(const struct part *part, struct fh_abi_call *call)
{
    static const char *const keys[] = {"number",      "call",    "run",  "checks", "answers",
                                       "recorded_as", "departs", "boot", NULL};
    const struct node *node = part->node;
    if (node->kind != NODE_MAP)
        return machine_read_word(part->reader, node, "the number of a call", &call->number);
    bool fine = reader_keys(&part->reader->reader, node, "a call", keys);
    for (size_t i = 0; i < node->count; i++)
        fine = read_key(&(struct part){part->reader, &node->items[i]}, node->keys[i].text, call) &&
               fine;
    const struct node *boot = node_get(node, "boot");
    return (!boot || read_flag(&(struct part){part->reader, boot}, call)) && fine;
}

static struct fh_abi_call new_row(struct machine_reader *reader, const char *name)
{
    const size_t size = strlen(name) + sizeof "HVC_";
    char *recorded = arena_alloc(reader->reader.arena, size);
    snprintf(recorded, size, "HVC_%s", name);
    return (struct fh_abi_call){
        .name = name, .recorded = recorded, .kind = FH_ABI_nothing, .number = UINT64_MAX};
}

/* The constant HVC_NAME is the number. */
static void set_constant(struct machine_reader *reader, const struct fh_abi_call *call)
{
    char name[MAX_NAME];
    size_t offset;
    snprintf(name, sizeof name, "HVC_%s", call->name);
    if (machine_constant_offset(name, &offset))
        memcpy((char *)reader->profile + offset, &call->number, sizeof call->number);
}

static int by_number(const void *a, const void *b)
{
    const struct fh_abi_call *x = a, *y = b;
    if (x->number == y->number)
        return strcmp(x->name, y->name);
    return x->number > y->number ? 1 : -1;
}

/* No two calls have one number; `node` has the section. */
static bool differ_in_number(struct machine_reader *reader, const struct node *node,
                             const struct fh_abi_call *calls, size_t count)
{
    bool fine = true;
    for (size_t i = 1; i < count; i++) {
        if (calls[i].number != calls[i - 1].number)
            continue;
        const long second = node_index(node, calls[i].name);
        const long first = node_index(node, calls[i - 1].name);
        const long at = second >= first ? second : first;
        fine = reader_error(&reader->reader, at >= 0 ? &node->keys[at] : node,
                            "%s and %s have the same number, %llu", calls[i - 1].name,
                            calls[i].name, (unsigned long long)calls[i].number);
    }
    return fine;
}

static bool read_unknown(struct machine_reader *reader, const struct node *node, struct fh_abi *abi)
{
    if (!node_is(node, "panic") && !node_is(node, "nothing"))
        return reader_error(&reader->reader, node, "of unknown calls: panic, or nothing");
    abi->unknown = node_is(node, "panic") ? FH_ABI_panic : FH_ABI_nothing;
    return true;
}

/* Which departures the parts of the rows are. */
static bool read_switches(struct machine_reader *reader, const struct node *node,
                          struct fh_abi *abi)
{
    static const char *const keys[] = {"checks", "arguments", "answers", "unknown", NULL};
    const char **const places[] = {&abi->checks_by, &abi->arguments_by, &abi->answers_by,
                                   &abi->unknown_by};
    bool fine = reader_keys(&reader->reader, node, "departures", keys);
    for (size_t i = 0; keys[i]; i++)
        fine = reader_text_at(&reader->reader, node, keys[i], places[i]) && fine;
    return fine;
}

static size_t row_of(const struct fh_abi_call *calls, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(calls[i].name, name) != 0)
        i++;
    return i;
}

static bool read_member(struct machine_reader *reader, const struct node *key,
                        const struct node *value, struct fh_abi *abi, struct fh_abi_call *calls,
                        size_t *count)
{
    if (strcmp(key->text, "unknown") == 0)
        return read_unknown(reader, value, abi);
    if (strcmp(key->text, "departures") == 0)
        return read_switches(reader, value, abi);
    const size_t at = row_of(calls, *count, key->text);
    if (node_is(value, "none")) {
        if (at == *count)
            return reader_error(&reader->reader, key, "there is no call '%s' to take away",
                                key->text);
        memmove(&calls[at], &calls[at + 1], (--*count - at) * sizeof *calls);
        return true;
    }
    if (at == *count)
        calls[(*count)++] = new_row(reader, key->text);
    bool fine = read_row(&(struct part){reader, value}, &calls[at]);
    if (fine && calls[at].number == UINT64_MAX)
        fine = reader_error(&reader->reader, key, "%s has no number", key->text);
    set_constant(reader, &calls[at]);
    return fine;
}

static bool read_abi(struct machine_reader *reader, const struct node *node, const char *what,
                     struct fh_abi *abi)
{
    if (!reader_map(&reader->reader, node, what))
        return false;
    size_t count = abi->ncalls;
    struct fh_abi_call *calls = machine_grow(reader, abi->calls, count, node->count, sizeof *calls);
    bool fine = true;
    for (size_t i = 0; i < node->count; i++)
        fine = read_member(reader, &node->keys[i], &node->items[i], abi, calls, &count) && fine;
    qsort(calls, count, sizeof *calls, by_number);
    abi->calls = calls;
    abi->ncalls = (unsigned)count;
    return fine && differ_in_number(reader, node, calls, count);
}

/* Those of the extended machine, to be added to. */
static struct fh_abi *copy(struct machine_reader *reader, const struct fh_abi *abi)
{
    struct fh_abi *made = arena_alloc(reader->reader.arena, sizeof *made);
    if (abi)
        *made = *abi;
    return made;
}

bool machine_read_hypercalls(struct machine_reader *reader, const struct node *node)
{
    struct fh_abi *abi = copy(reader, reader->machine->hypercalls);
    reader->machine->hypercalls = abi;
    return read_abi(reader, node, "hypercalls", abi);
}

bool machine_read_guest_calls(struct machine_reader *reader, const struct node *node)
{
    struct fh_abi *abi = copy(reader, reader->machine->guest_calls);
    reader->machine->guest_calls = abi;
    return read_abi(reader, node, "guest_calls", abi);
}
