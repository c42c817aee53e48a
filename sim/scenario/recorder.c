/* SPDX-License-Identifier: GPL-2.0-only */
#include "scenario/play.h"

#include <stdlib.h>
#include <string.h>

#include "base/text_stream.h"

enum { EFFECTS_MAX = 1000, CHANGES_MAX = 200 };

/*
 * The environment of the scenario with an observer: the script's answers are handed through, for
 * the observer shares their context.
 */
struct recorder {
    struct arena *arena;
    struct fh_environment inner;
    const struct fh_state *state;
    struct step_trace *trace;
    struct fh_rules *rules;
};

static size_t ask_oracle(void *context, uint64_t id, uint64_t cpu, const struct fh_log *log,
                         const struct fh_event *const **events)
{
    const struct recorder *recorder = context;
    return recorder->inner.oracle(recorder->inner.context, id, cpu, log, events);
}

static size_t ask_soracle(void *context, uint64_t cpu, const struct fh_log *slog,
                          const struct fh_event *const **events)
{
    const struct recorder *recorder = context;
    return recorder->inner.soracle(recorder->inner.context, cpu, slog, events);
}

/* Questions with one or two numbers: Q(name). */
#define QUESTIONS_OF_1(Q) Q(reg_desc) Q(shared_kvm) Q(exception_vector)
#define QUESTIONS_OF_2(Q) Q(doracle) Q(core_doracle) Q(verify_img) Q(shared_vcpu)
#define DECRYPTIONS(Q) Q(decrypt_gp_regs) Q(decrypt_sys_regs)

#define ASK_1(name)                                                                                \
    static uint64_t ask_##name(void *context, uint64_t a)                                          \
    {                                                                                              \
        const struct recorder *recorder = context;                                                 \
        return recorder->inner.name(recorder->inner.context, a);                                   \
    }
#define ASK_2(name)                                                                                \
    static uint64_t ask_##name(void *context, uint64_t a, uint64_t b)                              \
    {                                                                                              \
        const struct recorder *recorder = context;                                                 \
        return recorder->inner.name(recorder->inner.context, a, b);                                \
    }
#define ASK_DECRYPTION(name)                                                                       \
    static uint64_t ask_##name(void *context, uint64_t vmid, uint64_t n, struct fh_ctxt *ctxt)     \
    {                                                                                              \
        const struct recorder *recorder = context;                                                 \
        return recorder->inner.name(recorder->inner.context, vmid, n, ctxt);                       \
    }
QUESTIONS_OF_1(ASK_1)
QUESTIONS_OF_2(ASK_2)
DECRYPTIONS(ASK_DECRYPTION)

static const char *panic_text(const struct recorder *recorder)
{
    char text[300];
    const struct fh_panic panic = fh_state_panic(recorder->state);
    fh_panic_format(&panic, text, sizeof text);
    return arena_strdup(recorder->arena, text, strlen(text));
}

static uint64_t ask_by_name(void *context, const struct fh_question *question)
{
    const struct recorder *recorder = context;
    return recorder->inner.ask(recorder->inner.context, question);
}

static void observe(void *context, const struct fh_effect *effect)
{
    struct recorder *recorder = context;
    struct step_trace *trace = recorder->trace;
    if (recorder->rules)
        fh_rules_see(recorder->rules, effect);
    if (!trace)
        return;
    trace->effects_seen++;
    if (trace->neffects == EFFECTS_MAX)
        return;
    if (effect->kind == FH_EFFECT_PANIC)
        trace->panics[trace->neffects] = panic_text(recorder);
    trace->effects[trace->neffects++] = *effect;
}

struct recorder *recorder_new(struct scenario *scenario)
{
    struct recorder *recorder = arena_alloc(scenario->arena, sizeof *recorder);
    struct fh_environment *env = fh_state_environment(scenario->state);
    recorder->arena = scenario->arena;
    recorder->inner = *env;
    recorder->state = scenario->state;
    env->context = recorder;
    if (env->ask)
        env->ask = ask_by_name;
    env->observer = observe;
#define ASK(name) env->name = env->name ? ask_##name : NULL;
    ASK(oracle)
    ASK(soracle)
    QUESTIONS_OF_1(ASK)
    QUESTIONS_OF_2(ASK)
    DECRYPTIONS(ASK)
#undef ASK
    return recorder;
}

void recorder_watch(struct recorder *recorder, struct step_trace *trace)
{
    recorder->trace = trace;
    if (!trace)
        return;
    trace->effects = arena_alloc(recorder->arena, EFFECTS_MAX * sizeof *trace->effects);
    trace->panics = arena_alloc(recorder->arena, EFFECTS_MAX * sizeof *trace->panics);
}

void recorder_watch_rules(struct recorder *recorder, struct fh_rules *rules)
{
    recorder->rules = rules;
}

/* --- Changes as text ------------------------------------------------------------------------- */

static const char *keep(const struct scenario *scenario, struct text_stream *stream)
{
    text_stream_end(stream);
    const char *kept = arena_strdup(scenario->arena, stream->text, stream->length);
    text_stream_free(stream);
    return kept;
}

const char *path_text(const struct scenario *scenario, const struct fh_path *path)
{
    struct text_stream stream;
    path_print(scenario->profile, path, text_stream_begin(&stream));
    return keep(scenario, &stream);
}

const char *value_text_at(const struct scenario *scenario, const struct fh_path *path,
                          const struct fh_type *type, const void *place)
{
    struct text_stream stream;
    value_print_at(scenario->profile, path, type, place, text_stream_begin(&stream));
    return keep(scenario, &stream);
}

const char *value_text(const struct scenario *scenario, const char *field,
                       const struct fh_type *type, const void *place)
{
    struct text_stream stream;
    value_print(scenario->profile, field, type, place, text_stream_begin(&stream));
    return keep(scenario, &stream);
}

struct noting {
    const struct scenario *scenario;
    struct step_trace *trace;
};

static bool note_change(void *context, const struct fh_change *change)
{
    const struct noting *noting = context;
    struct step_trace *trace = noting->trace;
    trace->changes_seen++;
    if (trace->nchanges < CHANGES_MAX)
        trace->changes[trace->nchanges++] = (struct change_text){
            path_text(noting->scenario, change->path),
            value_text_at(noting->scenario, change->path, change->type, change->before),
            value_text_at(noting->scenario, change->path, change->type, change->after)};
    return true;
}

void recorder_note_changes(const struct scenario *scenario, struct step_trace *trace,
                           const struct fh_rdata *before, const struct fh_rdata *after)
{
    struct noting noting = {scenario, trace};
    trace->changes = arena_alloc(scenario->arena, CHANGES_MAX * sizeof *trace->changes);
    fh_delta(before, after, note_change, &noting);
}
