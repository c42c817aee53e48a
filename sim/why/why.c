/* SPDX-License-Identifier: GPL-2.0-only */
#include "why/why.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/path.h>

#include "base/diag.h"
#include "base/files.h"
#include "base/options.h"
#include "base/output.h"
#include "base/report_file.h"
#include "base/whole_path.h"
#include "commands.h"
#include "convert/recognise.h"
#include "machine/model.h"
#include "show/subject.h"
#include "twin/order.h"

static const char help[] =
    "usage: fhsim why TRACE#SEQ [WHAT] [--necessary] [--most N] [--output FILE]\n"
    "                 [--machine NAME|DIR] [--without ID[,ID...]] [--json]\n\n"
    "Tells which traps of a recorded trace made a trap what it is: who wrote what it read, and\n"
    "what those read, back to the beginning.\n\n"
    "  WHAT is\n"
    "  PATH               a place of the state, shared.s2page.0x80385.s2_owner: the trap's effect\n"
    "                     on it, or the last trap before that has one\n"
    "  EFFECT             an effect: its number, its kind (pt_store), or its kind with fields\n"
    "                     (s2_set:field=owner,index=0x385): the trap's first\n"
    "  deviation:ID       a departure that the trap shows\n"
    "  invariant:NAME     an invariant that it breaks\n"
    "  unexplained        its first difference that nothing explains\n"
    "  Without WHAT it is the trap's first difference, else a broken invariant, else its course.\n"
    "  Without #SEQ it is the first trap that shows it.\n\n"
    "  --necessary        replay without each of the traps, keep those without which it does not\n"
    "                     come about, and tell from which on it was inevitable\n"
    "  --most N           tell at most so many traps (default 20)\n"
    "  --output FILE      with --necessary: write what remains as a trace; replayed, it shows the\n"
    "                     same\n"
    "  --machine NAME     the machine (default sekvm-4.18), or the folder of one\n"
    "  --without ID       run the machine without a departure\n"
    "  --json             as JSON\n\n"
    "Exit status: 0 told, 1 the trap does not show it, 2 bad input.\n";

struct asked {
    struct why why;
    struct subject at;
    const char *machine, *most, *output, *without;
    bool necessary, json;
    const char *path, *effect; /* of these at most one */
    char place[256];           /* the path, with `shared.` */
    bool has_kind;             /* `why.kind` was asked for */
    bool is_effect_there;
    struct fh_invariant_report report;
};

/* --- What is asked about ---------------------------------------------------------------------- */

static bool read_deviation(struct asked *asked, const char *id)
{
    struct reduce_goal *goal = &asked->why.goal;
    if (!catalogue_find(goal->machine, id, &goal->index)) {
        diag_plain("why: no departure '%s' in the catalogue of %s", id, goal->machine->name);
        return false;
    }
    asked->why.kind = WHY_DEVIATION;
    return true;
}

static bool read_invariant(struct asked *asked, const char *name)
{
    const struct fh_invariant_info *info = fh_invariant_find(name);
    if (!info) {
        diag_plain("why: no invariant '%s'", name);
        return false;
    }
    asked->why.kind = WHY_INVARIANT;
    asked->why.invariant = info->id;
    return true;
}

/* Is there such a kind of effect, up to a colon? */
static bool is_effect_kind(const char *text, enum trace_effect_kind *kind)
{
#define IS_KIND(name)                                                                              \
    if (strcspn(text, ":") == sizeof #name - 1 && strncmp(text, #name, sizeof #name - 1) == 0) {   \
        *kind = TRACE_##name;                                                                      \
        return true;                                                                               \
    }
    TRACE_EFFECT_MAP(IS_KIND)
#undef IS_KIND
    return false;
}

static bool read_what(struct asked *asked, const char *what)
{
    enum trace_effect_kind kind;
    uint64_t number;
    const char *behind;
    asked->has_kind = what != NULL;
    if (!what)
        return true;
    if (strncmp(what, "deviation:", 10) == 0)
        return read_deviation(asked, what + 10);
    if (strncmp(what, "invariant:", 10) == 0)
        return read_invariant(asked, what + 10);
    asked->why.kind = strcmp(what, "unexplained") == 0 ? WHY_DIFFERENCE : WHY_EFFECT;
    if (asked->why.kind == WHY_DIFFERENCE)
        return true;
    if (!asked->at.has_point) {
        diag_plain("why: %s of which trap? TRACE#SEQ is needed", what);
        return false;
    }
    if (is_effect_kind(what, &kind) || subject_number(what, '\0', &number, &behind))
        asked->effect = what;
    else
        asked->path = whole_path(what, asked->place, sizeof asked->place);
    return true;
}

/* --- Effects ---------------------------------------------------------------------------------- */

/* Does the effect have this value in the field? The text is "field=value" up to a comma. */
static bool has_value(const struct trace_effect *effect, const char *text, size_t length)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    const char *equals = memchr(text, '=', length);
    for (unsigned i = 0; equals && i < count; i++) {
        const size_t value = length - (size_t)(equals + 1 - text);
        if (strlen(fields[i].key) != (size_t)(equals - text) ||
            strncmp(fields[i].key, text, (size_t)(equals - text)) != 0)
            continue;
        if (fields[i].format == TRACE_text) {
            const char *is = trace_field_text(effect, &fields[i]);
            return is && strlen(is) == value && strncmp(is, equals + 1, value) == 0;
        }
        char *stop;
        const uint64_t wanted = strtoull(equals + 1, &stop, 0);
        return fields[i].format != TRACE_list && stop == text + length && value > 0 &&
               trace_field_word(effect, &fields[i]) == wanted;
    }
    return false;
}

static bool is_wanted(const struct trace_effect *effect, const char *wanted)
{
    enum trace_effect_kind kind;
    if (!is_effect_kind(wanted, &kind) || kind != effect->kind)
        return false;
    for (const char *at = strchr(wanted, ':'); at;) {
        const size_t length = strcspn(at + 1, ",");
        if (!has_value(effect, at + 1, length))
            return false;
        at = at[1 + length] ? at + 1 + length : NULL;
    }
    return true;
}

/* Is `path`, of an effect, the place `wanted` or within it? Keys are compared as numbers. */
static bool is_within(const char *path, const char *wanted)
{
    while (*wanted && *path) {
        const size_t one = strcspn(path, "."), other = strcspn(wanted, ".");
        char *stop_one, *stop_other;
        const uint64_t number_one = strtoull(path, &stop_one, 0);
        const uint64_t number_other = strtoull(wanted, &stop_other, 0);
        const bool are_numbers =
            stop_one == path + one && stop_other == wanted + other && one > 0 && other > 0;
        if (are_numbers ? number_one != number_other
                        : one != other || strncmp(path, wanted, one) != 0)
            return false;
        path += one + (path[one] != '\0');
        wanted += other + (wanted[other] != '\0');
    }
    return *wanted == '\0';
}

static bool writes_path(const struct twin *twin, const struct trace_effect *effect,
                        const char *path)
{
    const struct difference at = {.machine = effect};
    char buffer[256];
    switch (effect->kind) {
    case TRACE_s2_set:
    case TRACE_pt_store:
    case TRACE_smmu_pt_store:
    case TRACE_smmu_pt_clear:
    case TRACE_smmu_cfg_set:
    case TRACE_vm_set:
    case TRACE_global_set:
    case TRACE_dirty_set:
    case TRACE_shadow_set:
        return twin_state_path(twin, &at, buffer, sizeof buffer) && is_within(buffer, path);
    default: return false;
    }
}

/* The effect that is asked about, in this record. */
static bool find_effect(struct asked *asked, const struct twin *twin, const struct trace_line *line)
{
    uint64_t number;
    const char *behind;
    if (asked->effect && subject_number(asked->effect, '\0', &number, &behind)) {
        asked->why.effect = number - 1;
        return number - 1 < line->nfx;
    }
    for (size_t i = line->nfx; i-- > 0;) {
        if (asked->effect ? !is_wanted(&line->fx[i], asked->effect)
                          : !writes_path(twin, &line->fx[i], asked->path))
            continue;
        asked->why.effect = i;
        return true;
    }
    return false;
}

/* --- The trap --------------------------------------------------------------------------------- */

/* What is there to ask about in this trap? */
static bool choose(struct asked *asked, const struct trap_verdict *verdict, uint32_t broken)
{
    struct why *why = &asked->why;
    why->kind = WHY_COURSE;
    if (verdict->outcome == OUTCOME_DIVERGED)
        why->kind = WHY_DIFFERENCE;
    for (unsigned i = 0; why->kind == WHY_COURSE && i < why->goal.machine->nentries; i++) {
        if (!credits_has(&verdict->credits, i))
            continue;
        why->kind = WHY_DEVIATION;
        why->goal.index = i;
    }
    for (unsigned i = 0; why->kind == WHY_COURSE && i < FH_INVARIANTS; i++) {
        if (!(broken >> i & 1))
            continue;
        why->kind = WHY_INVARIANT;
        why->invariant = i;
    }
    return why->kind != WHY_COURSE || asked->at.has_point;
}

/* Is this the trap? A goal's `shows`, while the trace is read. */
static bool is_the_trap(void *context, struct twin *twin, const struct trace_line *line,
                        const struct trap_verdict *verdict)
{
    struct asked *asked = context;
    const uint32_t broken = twin_new_violations(twin, &asked->report);
    if (!asked->has_kind)
        return choose(asked, verdict, broken);
    switch (asked->why.kind) {
    case WHY_INVARIANT: return broken >> asked->why.invariant & 1;
    case WHY_EFFECT:
        asked->is_effect_there = find_effect(asked, twin, line);
        return asked->path || asked->is_effect_there;
    default: return why_shows(&asked->why, twin, line, verdict);
    }
}

static bool has_seq(const struct trace_line *const *lines, size_t count, uint64_t seq)
{
    for (size_t i = 0; i < count; i++) {
        if (lines[i]->seq == seq)
            return true;
    }
    return false;
}

/* The next records: true if the one that is asked about was among them. */
static bool take_next(struct asked *asked, const struct order *order,
                      const struct trace_line *const *lines, size_t count, bool *is_met)
{
    struct why *why = &asked->why;
    struct twin *twin = why->reduction.twin;
    const size_t head = reduce_keep(why->records, order, lines, count);
    *is_met = asked->at.has_point && has_seq(lines, count, asked->at.point);
    for (size_t i = 0; i < count && asked->at.has_point && !*is_met; i++)
        twin_take_over(twin, lines[i]);
    if (asked->at.has_point && !*is_met)
        return false;
    if (*is_met) {
        twin_new_violations(twin, &asked->report); /* begins to look */
        twin_set_credit(twin, CREDIT_ALL);
    }
    struct reduce_outcome outcome = reduce_take(&why->goal, twin, why->records, head);
    why->records->list[head]->unexplained = outcome.unexplained;
    return outcome.shows;
}

static int not_there(const struct asked *asked, bool is_met)
{
    const char *what = asked->why.what ? asked->why.what : "anything to ask about";
    if (!asked->at.has_point)
        diag_plain("why: no trap of %s shows %s", asked->at.path, what);
    else if (is_met)
        diag_plain("why: #%" PRIu64 " of %s does not show %s", asked->at.point, asked->at.path,
                   what);
    else
        diag_plain("%s: there is no record #%" PRIu64 " behind the boot record", asked->at.path,
                   asked->at.point);
    return asked->at.has_point && !is_met ? EXIT_BAD_INPUT : EXIT_DIFFERENT;
}

/* Does the place exist? */
static bool is_path_good(const struct asked *asked, struct twin *twin)
{
    struct fh_found found;
    struct fh_path_error error;
    char words[256];
    if (!asked->path || fh_path_find(fh_state_rdata(twin_state(twin)), twin_profile(twin),
                                     asked->path, &found, &error))
        return true;
    fh_path_error_format(&error, asked->path, words, sizeof words);
    diag_plain("why: %s", words);
    return false;
}

/* Read up to the trap. The exit status. */
static int read_trace(struct asked *asked)
{
    struct why *why = &asked->why;
    struct twin *twin = why->reduction.twin;
    struct trace *trace = recognise_trace(asked->at.path) ? trace_open(asked->at.path) : NULL;
    if (!trace || !reduce_boot(&why->reduction, why->records, trace, asked->at.path) ||
        !is_path_good(asked, twin)) {
        trace_close(trace);
        return EXIT_BAD_INPUT;
    }
    bool is_there = false, is_met = false;
    const struct trace_line *const *lines;
    size_t count;
    struct order *order = order_new(trace, &why->records->list[0]->line, true);
    order_speaks(order, why->goal.machine, twin_profile(twin));
    twin_new_violations(twin, &asked->report);
    while (!is_there && !is_met && (count = order_next(order, &lines)) > 0) {
        is_there = take_next(asked, order, lines, count, &is_met);
        progress_show(&why->progress, trace_progress(trace), "reading, %zu records",
                      why->records->count);
    }
    progress_clear(&why->progress);
    const bool failed = trace_failed(trace);
    order_free(order);
    trace_close(trace);
    if (is_there)
        return EXIT_EXPECTED;
    return failed ? EXIT_BAD_INPUT : not_there(asked, is_met);
}

/* The record that is asked about: of those that were read last, or the last that has an effect on
 * the place. False: none has. */
static bool find_trap(struct asked *asked, size_t *record)
{
    const struct why *why = &asked->why;
    const size_t head = why->records->list[why->records->count - 1]->head;
    *record = why->records->count - 1;
    while (asked->at.has_point && *record > head && why_line(why, *record)->seq != asked->at.point)
        (*record)--;
    if (why->kind != WHY_EFFECT || asked->is_effect_there)
        return true;
    while (*record > 1) {
        if (find_effect(asked, why->reduction.twin, why_line(why, --*record)))
            return true;
    }
    return false;
}

/* --- The answer ------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const size_t one = *(const size_t *)a, other = *(const size_t *)b;
    return one < other ? -1 : one > other;
}

/* What remains: the necessary traps, and of the others what they did to the state, where needed. */
static bool write_output(struct why *why, const char *path)
{
    struct reduction *reduction = &why->reduction;
    struct report_file *file = report_file_open(path);
    if (!file)
        return false;
    reduction->kept = calloc(why->records->count, sizeof *reduction->kept);
    if (!reduction->kept)
        no_memory();
    for (size_t i = 1; i < why->ntraps; i++) {
        if (why->traps[i].is_necessary)
            reduction->kept[reduction->nkept++] = why->records->list[why->traps[i].record]->head;
    }
    if (reduction->nkept > 0)
        qsort(reduction->kept, reduction->nkept, sizeof *reduction->kept, by_number);
    if (!reduce_fold(reduction)) {
        free(reduction->kept);
        reduction->nkept = 0;
        reduce_search(reduction, true);
    }
    reduce_write(reduction, report_file_stream(file));
    return report_file_commit(file);
}

static void set_goal(struct why *why, size_t record)
{
    struct reduce_goal *goal = &why->goal;
    goal->has_seq = true;
    goal->seq = why_line(why, record)->seq;
    goal->entry = why->kind == WHY_DEVIATION ? catalogue_at(goal->machine, goal->index) : NULL;
    goal->shows = why->kind == WHY_DIFFERENCE || goal->entry ? NULL : why_shows;
    goal->context = why;
    goal->difference = 1;
}

static int answer(struct asked *asked, size_t most)
{
    struct why *why = &asked->why;
    size_t record;
    if (!find_trap(asked, &record))
        return not_there(asked, true);
    set_goal(why, record);
    const size_t head = why->records->list[record]->head, all = why->records->count;
    why->records->count = head + reduce_records_together(why->records, head);
    why->traps[why->ntraps++] = (struct why_trap){.record = record};
    why->most = most;
    why->writes = writes_of(why->records);
    if (asked->necessary)
        why_judge(why);
    for (size_t i = 0; !asked->necessary && i < why->ntraps && !why->is_cut; i++)
        why->is_cut = !why_add_causes(why, i, most + 1);
    writes_free(why->writes);
    progress_clear(&why->progress);
    const bool good = !asked->output || write_output(why, asked->output);
    progress_clear(&why->progress);
    if (good && asked->json)
        why_print_json(why);
    else if (good)
        why_print(why);
    why->records->count = all;
    return good ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

/* --- The command ------------------------------------------------------------------------------ */

static bool read_most(const char *text, size_t *most)
{
    uint64_t number = 20;
    const char *behind;
    if (text &&
        (!subject_number(text, '\0', &number, &behind) || number == 0 || number >= WHY_TRAPS)) {
        diag_plain("why: --most wants a number from 1 to %d, not '%s'", WHY_TRAPS - 1, text);
        return false;
    }
    *most = number;
    return true;
}

static int run(struct asked *asked, size_t most)
{
    struct why *why = &asked->why;
    progress_begin(&why->progress, NULL, 0);
    why->path = asked->at.path;
    why->goal.shows = is_the_trap;
    why->goal.context = asked;
    why->goal.has_seq = asked->at.has_point;
    why->goal.seq = asked->at.point;
    why->records = reduce_records_new(why->goal.machine);
    why->reduction = (struct reduction){.goal = &why->goal,
                                        .records = why->records,
                                        .twin = twin_new(why->goal.machine),
                                        .boot = twin_image_new()};
    twin_leave_out(why->reduction.twin, &why->goal.left_out);
    twin_set_credit(why->reduction.twin, CREDIT_ONCE);
    int status = read_trace(asked);
    if (status == EXIT_EXPECTED)
        status = answer(asked, most);
    free(why->reduction.kept);
    free(why->reduction.folded);
    twin_image_free(why->reduction.boot, why->reduction.twin);
    twin_free(why->reduction.twin);
    reduce_records_free(why->records);
    return status;
}

static int prepare_and_run(struct asked *asked, const char *argument)
{
    size_t most;
    asked->why.goal.machine = machine_find(asked->machine);
    if (!asked->why.goal.machine || !machine_model(asked->why.goal.machine, true) ||
        !catalogue_choose(asked->why.goal.machine, "why", asked->without,
                          &asked->why.goal.left_out) ||
        !read_most(asked->most, &most) || !subject_point(&asked->at, argument) ||
        !read_what(asked, asked->why.what))
        return EXIT_BAD_INPUT;
    if (subject_is_scenario(&asked->at)) {
        diag_plain("%s: a trace is needed, not a scenario", asked->at.path);
        return EXIT_BAD_INPUT;
    }
    if (asked->output && !asked->necessary) {
        diag_plain("why: --output is of what is necessary (--necessary)");
        return EXIT_BAD_INPUT;
    }
    const char *const inputs[] = {asked->at.path};
    const struct output_path outputs[] = {{"--output", asked->output}};
    return outputs_are_apart("why", outputs, 1, inputs, 1) ? run(asked, most) : EXIT_BAD_INPUT;
}

int command_why(int argc, char **argv)
{
    return why_to(argc, argv, stdout);
}

int why_to(int argc, char **argv, FILE *out)
{
    struct asked *asked = calloc(1, sizeof *asked);
    int count;
    if (!asked)
        no_memory();
    asked->machine = "sekvm-4.18";
    const struct option_spec options[] = {{"--necessary", &asked->necessary, NULL},
                                          {"--json", &asked->json, NULL},
                                          {"--most", NULL, &asked->most},
                                          {"--output", NULL, &asked->output},
                                          {"-o", NULL, &asked->output},
                                          {"--machine", NULL, &asked->machine},
                                          {"--without", NULL, &asked->without}};
    int status = EXIT_BAD_INPUT;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP:
        fputs(help, out);
        status = EXIT_EXPECTED;
        break;
    case OPTIONS_BAD: break;
    default:
        if (count != 1 && count != 2) {
            diag_plain("why: which trap? (usage: fhsim why TRACE#SEQ [WHAT])");
            break;
        }
        asked->why.out = out;
        asked->why.what = count == 2 ? argv[1] : NULL;
        status = prepare_and_run(asked, argv[0]);
    }
    subject_close(&asked->at);
    free(asked);
    return status;
}
