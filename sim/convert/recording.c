/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/recording.h"

#include <faulthandler/recorder.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* A trap that is being decoded: words [at, end) of the recording are still to come. */
struct decoder {
    struct recording *recording;
    struct arena *arena;
    size_t at;
    size_t end;
};

/* The first word of a record, taken apart. */
struct record {
    size_t start;
    unsigned type;
    unsigned kind;
    uint32_t present;
    size_t end;
    uint64_t g;
};

static void *want_memory(void *memory)
{
    if (memory)
        return memory;
    no_memory();
}

/* The recording is good up to here; `at` counts words. Always false. */
__attribute__((format(printf, 3, 4))) static bool refuse(struct recording *recording, size_t at,
                                                         const char *format, ...)
{
    if (recording->error[0])
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(recording->error, sizeof recording->error, format, arguments);
    va_end(arguments);
    recording->error_offset = at * sizeof(uint64_t);
    return false;
}

/* --- Values ---------------------------------------------------------------------------------- */

static bool take(struct decoder *decoder, uint64_t *word)
{
    if (decoder->at >= decoder->end) {
        refuse(decoder->recording, decoder->at, "the record is too short for its kind");
        return false;
    }
    *word = decoder->recording->words[decoder->at++];
    return true;
}

/* Printable ASCII alone, since traces are text. */
static bool take_text(struct decoder *decoder, const char **text)
{
    const size_t start = decoder->at;
    uint64_t length;
    if (!take(decoder, &length))
        return false;
    if (length > (decoder->end - decoder->at) * sizeof(uint64_t))
        return refuse(decoder->recording, start, "a text that is longer than its record");
    char *copy = arena_alloc(decoder->arena, (size_t)length + 1);
    for (size_t i = 0; i < length; i++) {
        const uint64_t word = decoder->recording->words[decoder->at + i / 8];
        copy[i] = (char)(word >> 8 * (i % 8) & 0xff);
        if (copy[i] < 0x20 || copy[i] > 0x7e)
            return refuse(decoder->recording, start, "a text that is not printable ASCII");
    }
    decoder->at += ((size_t)length + 7) / 8;
    *text = copy;
    return true;
}

static bool take_list(struct decoder *decoder, struct trace_list *list)
{
    const size_t start = decoder->at;
    uint64_t count;
    if (!take(decoder, &count))
        return false;
    if (count > TRACE_LIST_MAX)
        return refuse(decoder->recording, start, "a list of %" PRIu64 " words", count);
    list->count = (size_t)count;
    for (size_t i = 0; i < list->count; i++) {
        if (!take(decoder, &list->values[i]))
            return false;
    }
    return true;
}

static bool take_registers(struct decoder *decoder, struct trace_registers *registers)
{
    const size_t start = decoder->at;
    uint64_t present;
    if (!take(decoder, &present))
        return false;
    registers->present = (uint32_t)present;
    registers->x_present = (uint32_t)(present >> 32);
    if (registers->present >> TRACE_REGISTERS || registers->x_present >> TRACE_GPRS)
        return refuse(decoder->recording, start, "registers that there are not");
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (registers->present >> i & 1 && !take(decoder, &registers->values[i]))
            return false;
    }
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (registers->x_present >> i & 1 && !take(decoder, &registers->x[i]))
            return false;
    }
    return true;
}

/* --- Records --------------------------------------------------------------------------------- */

/* The next record up to word `limit`; the decoder stands behind its number. */
static bool take_record(struct decoder *decoder, size_t limit, struct record *record)
{
    const size_t start = decoder->at;
    decoder->end = limit;
    uint64_t head;
    if (start == limit)
        return refuse(decoder->recording, start, "a trap without an end");
    if (!take(decoder, &head))
        return false;
    const uint64_t length = head >> FH_RECORDER_LENGTH_SHIFT;
    *record = (struct record){.start = start,
                              .type = (unsigned)(head & 0xff),
                              .kind = (unsigned)(head >> FH_RECORDER_KIND_SHIFT & 0xff),
                              .present = (uint32_t)(head >> FH_RECORDER_PRESENT_SHIFT & 0xffff)};
    if (length < 2 || length > limit - start)
        return refuse(decoder->recording, start, "a record of %" PRIu64 " words", length);
    record->end = decoder->end = start + (size_t)length;
    return take(decoder, &record->g);
}

static bool finish_record(struct decoder *decoder)
{
    return decoder->at == decoder->end ||
           refuse(decoder->recording, decoder->at, "the record is too long for its kind");
}

static bool decode_begin(struct decoder *decoder, const struct record *record,
                         struct trace_line *line)
{
    if (record->type != FH_RECORDER_BEGIN)
        return refuse(decoder->recording, record->start, "a record outside a trap");
    if (record->kind >= TRACE_KINDS || record->present > (record->kind == TRACE_KIND_guest_exit))
        return refuse(decoder->recording, record->start, "a trap of an unknown kind");
    line->kind = (enum trace_kind)record->kind;
    line->g0 = record->g;
    if (!take_registers(decoder, &line->in))
        return false;
    if (line->kind == TRACE_KIND_host_hvc &&
        (!take_text(decoder, &line->hvc) || !take(decoder, &line->hvc_number) ||
         !take_list(decoder, &line->hvc_args)))
        return false;
    if (line->kind == TRACE_KIND_guest_exit) {
        line->has |= TRACE_HAS_EXIT_CODE;
        if (!take(decoder, &line->exit_code))
            return false;
    }
    if (record->present && !take_text(decoder, &line->ec))
        return false;
    return finish_record(decoder);
}

static bool decode_field(struct decoder *decoder, const struct trace_field *field,
                         struct trace_effect *effect)
{
    void *place = (char *)effect + field->offset;
    switch (field->format) {
    case TRACE_hex:
    case TRACE_number:
    case TRACE_either: return take(decoder, place);
    case TRACE_text: return take_text(decoder, place);
    case TRACE_list: return take_list(decoder, place);
    }
    return false;
}

static bool decode_effect(struct decoder *decoder, const struct record *record,
                          struct trace_effect *effect)
{
    if (record->type != FH_RECORDER_EFFECT || record->kind >= FH_RECORDED_KINDS)
        return refuse(decoder->recording, record->start, "an effect of an unknown kind");
    unsigned count;
    effect->kind = (enum trace_effect_kind)record->kind;
    effect->present = record->present;
    effect->g = record->g;
    const struct trace_field *fields = trace_effect_fields(effect->kind, &count);
    if (effect->present >> count)
        return refuse(decoder->recording, record->start, "an effect with unknown fields");
    for (unsigned i = 0; i < count; i++) {
        const bool is_there = effect->present >> i & 1;
        if (!is_there && fields[i].required)
            return refuse(decoder->recording, record->start, "an effect without its %s",
                          fields[i].key);
        if (is_there && !decode_field(decoder, &fields[i], effect))
            return false;
    }
    return finish_record(decoder);
}

/* Only registers that differ from those at entry, where a missing one is 0. */
static void keep_changed(const struct trace_registers *in, struct trace_registers *out)
{
    for (unsigned i = 0; i < TRACE_REGISTERS; i++) {
        if (out->values[i] == in->values[i])
            out->present &= ~(1u << i);
    }
    for (unsigned i = 0; i < TRACE_GPRS; i++) {
        if (out->x[i] == in->x[i])
            out->x_present &= ~(1u << i);
    }
}

static bool decode_end(struct decoder *decoder, const struct record *record, size_t trap_start,
                       struct trace_line *line)
{
    const uint64_t *words = decoder->recording->words;
    uint64_t sum;
    if (record->kind > FH_TRAP_UNFINISHED || record->present)
        return refuse(decoder->recording, record->start, "an end of an unknown kind");
    if (!take_registers(decoder, &line->out) || !take(decoder, &sum) || !finish_record(decoder))
        return false;
    if (sum != fh_recorder_sum(&words[trap_start], decoder->at - 1 - trap_start))
        return refuse(decoder->recording, trap_start, "the trap and its checksum differ");
    keep_changed(&line->in, &line->out);
    line->unfinished = record->kind == FH_TRAP_UNFINISHED;
    line->has |= line->unfinished ? 0 : TRACE_HAS_TO | TRACE_HAS_OUT;
    line->to = line->unfinished ? TRACE_TO_host : (enum trace_end)record->kind;
    line->g1 = record->g;
    return true;
}

/* --- Traps ----------------------------------------------------------------------------------- */

/* Room for one effect more in a list whose size is doubled when it is full. */
static struct trace_effect *append(struct arena *arena, struct trace_line *line)
{
    if ((line->nfx & (line->nfx - 1)) == 0) {
        const size_t size = line->nfx ? 2 * line->nfx : 1;
        struct trace_effect *grown = arena_alloc(arena, size * sizeof *grown);
        if (line->nfx)
            memcpy(grown, line->fx, line->nfx * sizeof *grown);
        line->fx = grown;
    }
    return (struct trace_effect *)&line->fx[line->nfx++];
}

static bool numbers_rise(struct decoder *decoder, const struct record *record, uint64_t before)
{
    return record->g > before ||
           refuse(decoder->recording, record->start,
                  "event %" PRIu64 " comes behind event %" PRIu64, record->g, before);
}

/* The trap at the decoder's place, which ends before word `limit`. */
static bool decode_trap(struct decoder *decoder, size_t limit, struct trace_line *line)
{
    const size_t start = decoder->at;
    struct record record = {0};
    memset(line, 0, sizeof *line);
    line->has = TRACE_HAS_CPU | TRACE_HAS_EVENTS | TRACE_HAS_IN | TRACE_HAS_FX;
    line->cpu = decoder->recording->cpu;
    if (!take_record(decoder, limit, &record) || !decode_begin(decoder, &record, line))
        return false;
    for (uint64_t before = record.g;; before = record.g) {
        if (!take_record(decoder, limit, &record) || !numbers_rise(decoder, &record, before))
            return false;
        if (record.type == FH_RECORDER_END)
            return decode_end(decoder, &record, start, line);
        if (!decode_effect(decoder, &record, append(decoder->arena, line)))
            return false;
    }
}

static bool check_order(struct recording *recording, size_t at, const struct trace_line *line)
{
    if (recording->ntraps == 0)
        return true;
    const uint64_t before = recording->traps[recording->ntraps - 1].last;
    return line->g0 > before ||
           refuse(recording, at, "event %" PRIu64 " comes behind event %" PRIu64, line->g0, before);
}

static void keep_trap(struct recording *recording, size_t at, const struct trace_line *line)
{
    if ((recording->ntraps & (recording->ntraps - 1)) == 0) {
        const size_t size = recording->ntraps ? 2 * recording->ntraps : 1;
        recording->traps = want_memory(realloc(recording->traps, size * sizeof *recording->traps));
    }
    recording->traps[recording->ntraps++] =
        (struct recorded_trap){.at = at, .g0 = line->g0, .last = line->g1};
}

/* --- Buffers --------------------------------------------------------------------------------- */

static bool check_version(struct recording *recording, const uint64_t *header, size_t at)
{
    const uint64_t magic = header[FH_RECORDER_AT_MAGIC];
    if (magic == __builtin_bswap64(FH_RECORDER_MAGIC))
        return refuse(recording, at, "recorded on a machine of the other byte order");
    if (magic != FH_RECORDER_MAGIC)
        return refuse(recording, at, "no buffer of the recorder begins here");
    const uint64_t version = header[FH_RECORDER_AT_VERSION];
    if ((uint32_t)version != FH_RECORDER_VERSION)
        return refuse(recording, at, "recorder version %" PRIu32 "; this program reads version %d",
                      (uint32_t)version, FH_RECORDER_VERSION);
    if (version >> 32 != FH_RECORDER_HEADER_WORDS ||
        header[FH_RECORDER_AT_SUM] != fh_recorder_sum(header, FH_RECORDER_AT_SUM))
        return refuse(recording, at, "the header and its checksum differ");
    return true;
}

/* The header of a buffer that follows the one with number `before`, if there was one. */
static bool check_header(struct recording *recording, size_t at, const uint64_t *before)
{
    const uint64_t *header = &recording->words[at];
    if (recording->nwords - at < FH_RECORDER_HEADER_WORDS)
        return refuse(recording, recording->nwords, "the file ends inside a header");
    if (!check_version(recording, header, at))
        return false;
    if (before && header[FH_RECORDER_AT_CPU] != recording->cpu)
        return refuse(recording, at, "a buffer of another CPU");
    const uint64_t wanted = before ? *before + 1 : 0;
    if (header[FH_RECORDER_AT_SEGMENT] != wanted)
        return refuse(recording, at, "buffer %" PRIu64 " stands where buffer %" PRIu64 " belongs",
                      header[FH_RECORDER_AT_SEGMENT], wanted);
    if (header[FH_RECORDER_AT_USED] < FH_RECORDER_HEADER_WORDS)
        return refuse(recording, at, "a buffer that is shorter than its header");
    return true;
}

/* The traps of the buffer at word `at`, *next is behind it. What a file lacks is told last. */
static bool check_buffer(struct recording *recording, struct arena *arena, size_t at, size_t *next)
{
    const uint64_t *header = &recording->words[at];
    const size_t room = recording->nwords - at;
    const bool is_whole = header[FH_RECORDER_AT_USED] <= room;
    const size_t limit = is_whole ? at + (size_t)header[FH_RECORDER_AT_USED] : recording->nwords;
    struct decoder decoder = {recording, arena, at + FH_RECORDER_HEADER_WORDS, limit};
    while (decoder.at < limit) {
        const size_t start = decoder.at;
        struct trace_line line;
        arena_reset(arena);
        if (!decode_trap(&decoder, limit, &line) || !check_order(recording, start, &line))
            break;
        keep_trap(recording, start, &line);
    }
    if (!is_whole) {
        recording->error[0] = '\0';
        return refuse(recording, recording->nwords,
                      "the file ends %" PRIu64 " words before its buffer",
                      header[FH_RECORDER_AT_USED] - room);
    }
    recording->dropped += header[FH_RECORDER_AT_DROPPED];
    *next = limit;
    return !recording->error[0];
}

static bool check_buffers(struct recording *recording)
{
    uint64_t segment = 0;
    size_t at = 0;
    struct arena *arena = arena_new();
    bool good = recording->nwords > 0 || recording->odd_bytes > 0 ||
                refuse(recording, 0, "the file is empty");
    while (good && at < recording->nwords) {
        good = check_header(recording, at, at > 0 ? &segment : NULL);
        if (!good)
            break;
        recording->cpu = recording->words[at + FH_RECORDER_AT_CPU];
        segment = recording->words[at + FH_RECORDER_AT_SEGMENT];
        good = check_buffer(recording, arena, at, &at);
    }
    arena_free(arena);
    return good && (recording->odd_bytes == 0 ||
                    refuse(recording, recording->nwords, "the file ends inside a word"));
}

bool recording_check(struct recording *recording, const char *path, const void *bytes,
                     size_t nbytes)
{
    *recording = (struct recording){
        .path = path, .nwords = nbytes / sizeof(uint64_t), .odd_bytes = nbytes % sizeof(uint64_t)};
    recording->words = want_memory(malloc(nbytes + 1));
    memcpy(recording->words, bytes, nbytes);
    return check_buffers(recording);
}

/* What begins no buffer is not read to its end: it may have none. */
static bool begins_a_buffer(const char *text, size_t have)
{
    uint64_t magic = 0;
    if (have < sizeof magic)
        return true; /* recording_check has the words for it */
    memcpy(&magic, text, sizeof magic);
    return magic == FH_RECORDER_MAGIC || magic == __builtin_bswap64(FH_RECORDER_MAGIC);
}

/* All that is left of a file; to be freed. */
static char *take_all(struct bytes *bytes, size_t *nbytes)
{
    char *all = NULL;
    size_t room = 0, have;
    *nbytes = 0;
    for (const char *text; (text = bytes_window(bytes, 1, &have)) && have > 0; *nbytes += have) {
        if (have > room - *nbytes) {
            room = 2 * (room + have);
            all = want_memory(realloc(all, room));
        }
        memcpy(all + *nbytes, text, have);
        bytes_take(bytes, have);
    }
    return all;
}

static bool read_buffers(struct recording *recording, struct bytes *bytes)
{
    size_t have, nbytes;
    const char *text = bytes_window(bytes, sizeof(uint64_t), &have);
    if (!bytes_error(bytes) && !begins_a_buffer(text, have))
        return refuse(recording, 0, "no buffer of the recorder begins here");
    char *all = take_all(bytes, &nbytes);
    const bool good = bytes_error(bytes)
                          ? refuse(recording, 0, "%s", bytes_error(bytes))
                          : recording_check(recording, recording->path, all ? all : "", nbytes);
    free(all);
    return good;
}

bool recording_read(struct recording *recording, const char *path)
{
    *recording = (struct recording){.path = path};
    struct bytes *bytes = bytes_open(path, false);
    if (!bytes)
        return false;
    const bool good = read_buffers(recording, bytes);
    bytes_close(bytes);
    return good;
}

void recording_free(struct recording *recording)
{
    free(recording->words);
    free(recording->traps);
}

void recording_decode(const struct recording *recording, const struct recorded_trap *trap,
                      struct arena *arena, struct trace_line *line)
{
    struct recording copy = *recording;
    struct decoder decoder = {&copy, arena, trap->at, copy.nwords};
    decode_trap(&decoder, copy.nwords, line);
    line->seq = trap->seq;
}

/* --- Several CPUs ---------------------------------------------------------------------------- */

static int by_begin(const void *left, const void *right)
{
    const struct recorded_trap *a = left;
    const struct recorded_trap *b = right;
    return (a->g0 > b->g0) - (a->g0 < b->g0);
}

static int by_end(const void *left, const void *right)
{
    const struct recorded_trap *a = left;
    const struct recorded_trap *b = right;
    return (a->last > b->last) - (a->last < b->last);
}

/* An event and the trap that has it. */
struct numbered {
    uint64_t g;
    size_t trap;
};

static int by_number(const void *left, const void *right)
{
    const struct numbered *a = left;
    const struct numbered *b = right;
    return (a->g > b->g) - (a->g < b->g);
}

/* The numbers of the records of a trap, which has been checked. */
static size_t list_numbers(const struct recording *recording, const struct recorded_trap *trap,
                           size_t index, struct numbered *numbers)
{
    size_t count = 0;
    for (size_t at = trap->at;; at += (size_t)(recording->words[at] >> FH_RECORDER_LENGTH_SHIFT)) {
        const uint64_t g = recording->words[at + 1];
        if (numbers)
            numbers[count] = (struct numbered){g, index};
        count++;
        if (g == trap->last)
            return count;
    }
}

/* Two traps with the same event number: recorders that did not share a counter. */
static bool find_twice(const struct recording *recordings, const struct recorded_trap *traps,
                       size_t ntraps, struct recorded_trap *first, struct recorded_trap *second)
{
    size_t total = 0;
    for (size_t i = 0; i < ntraps; i++)
        total += list_numbers(&recordings[traps[i].file], &traps[i], i, NULL);
    struct numbered *numbers = want_memory(malloc((total + 1) * sizeof *numbers));
    size_t count = 0;
    for (size_t i = 0; i < ntraps; i++)
        count += list_numbers(&recordings[traps[i].file], &traps[i], i, numbers + count);
    qsort(numbers, count, sizeof *numbers, by_number);
    bool found = false;
    for (size_t i = 1; i < count && !found; i++) {
        found = numbers[i].g == numbers[i - 1].g;
        *first = traps[numbers[i - 1].trap];
        *second = traps[numbers[i].trap];
    }
    free(numbers);
    return found;
}

struct recorded_trap *recordings_merge(const struct recording *recordings, size_t count,
                                       size_t *ntraps, struct recorded_trap *first,
                                       struct recorded_trap *second)
{
    *ntraps = 0;
    for (size_t i = 0; i < count; i++)
        *ntraps += recordings[i].ntraps;
    struct recorded_trap *traps = want_memory(malloc((*ntraps + 1) * sizeof *traps));
    size_t filled = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < recordings[i].ntraps; j++) {
            traps[filled] = recordings[i].traps[j];
            traps[filled++].file = i;
        }
    }
    if (find_twice(recordings, traps, *ntraps, first, second)) {
        free(traps);
        return NULL;
    }
    qsort(traps, *ntraps, sizeof *traps, by_begin);
    for (size_t i = 0; i < *ntraps; i++)
        traps[i].seq = i;
    qsort(traps, *ntraps, sizeof *traps, by_end);
    return traps;
}
