/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>

#include <pthread.h>

#include <faulthandler/recorder.h>

#include "base/node.h"
#include "convert/recording.h"
#include "trace/trace_write.h"

enum { WORDS = 1 << 15, SHORT = 64, HEADER_BYTES = FH_RECORDER_HEADER_WORDS * 8 };

static uint64_t counter;
static uint64_t buffer[WORDS];
static struct fh_recorder recorder;
static struct recording recording;
static struct arena *arena;

static void setup(void)
{
    counter = 0;
    arena = arena_new();
    memset(buffer, 0xaa, sizeof buffer);
    ck_assert(fh_recorder_init(&recorder, buffer, WORDS, 0, &counter));
}

static void teardown(void)
{
    recording_free(&recording);
    recording = (struct recording){0};
    arena_free(arena);
}

/* A trap of three records: begin, tlbi, end. */
static void record_trap(struct fh_recorder *to, uint64_t ipa)
{
    fh_recorder_begin(to, FH_TRAP_host_npt, NULL);
    fh_record_tlbi(to, ipa);
    fh_recorder_end(to, FH_TRAP_TO_host, NULL);
}

enum { TRAP_WORDS = 3 + 3 + 4 };

static bool check_bytes(size_t nbytes)
{
    recording_free(&recording);
    return recording_check(&recording, "buffer", buffer, nbytes);
}

static bool check_all(void)
{
    return check_bytes(fh_recorder_bytes(&recorder));
}

static struct trace_line decode(size_t trap)
{
    struct trace_line line;
    recording_decode(&recording, &recording.traps[trap], arena, &line);
    return line;
}

static void assert_refused(size_t offset, const char *words)
{
    ck_assert_uint_eq(recording.error_offset, offset);
    ck_assert_msg(strstr(recording.error, words), "%s", recording.error);
}

/* --- What is recorded ------------------------------------------------------------------------ */

/* The numbers of the kinds are the format's: a change needs another FH_RECORDER_VERSION. */
START_TEST(version_1_numbers_the_kinds_like_this)
{
    static const char *const kinds[] = {
        "lock",          "unlock",        "fn",           "fn_ret",     "s2_read",
        "pt_store",      "vm_set",        "s2_set",       "tlbi",       "scrub",
        "shadow_set",    "percpu",        "snap",         "dirty_set",  "panic",
        "host_reg_set",  "int_read",      "int_gpr_set",  "skip_instr", "mmio",
        "smmu_pt_store", "smmu_pt_clear", "smmu_cfg_set", "global_set", "verify",
        "boot_region",   "boot_pool",     "boot_val",     "boot_rle"};
    static const unsigned fields[] = {2, 2, 2, 2, 5, 6, 5, 4, 1, 1, 6, 5, 3, 4, 3,
                                      3, 5, 5, 2, 6, 5, 4, 5, 3, 5, 5, 6, 7, 5};
    ck_assert_int_eq(FH_RECORDER_VERSION, 1);
    ck_assert_uint_eq(FH_RECORDED_KINDS, sizeof kinds / sizeof *kinds);
    for (unsigned i = 0; i < FH_RECORDED_KINDS; i++) {
        unsigned count;
        trace_effect_fields((enum trace_effect_kind)i, &count);
        ck_assert_str_eq(trace_effect_name((enum trace_effect_kind)i), kinds[i]);
        ck_assert_uint_eq(count, fields[i]);
    }
    ck_assert_uint_eq(FH_TRAP_REGISTERS, 20);
    ck_assert_uint_eq(FH_TRAP_el2_exception, 3);
    ck_assert_uint_eq(FH_TRAP_UNFINISHED, 3);
}
END_TEST

START_TEST(a_trap_comes_back_as_it_was)
{
    const uint64_t args[] = {1, 2, 3};
    const uint64_t value = 7;
    struct fh_trap_registers in = {.present = 1u << FH_TRAP_REG_far, .x_present = 3};
    in.values[FH_TRAP_REG_far] = 0x1000;
    in.x[1] = 5;
    struct fh_trap_registers out = in;
    out.x[0] = 9;
    fh_recorder_begin_hvc(&recorder, "HVC_MAP_SMMU", 12, 3, args, &in);
    fh_record_lock(&recorder, "s2page", 0);
    fh_record_s2_set(&recorder, "owner", 0x10, 0, 0xffffffff);
    fh_record_boot_val(&recorder, "a_name_of_more_than_8", NULL, NULL, &value, NULL, "pgd", NULL);
    fh_recorder_end(&recorder, FH_TRAP_TO_guest, &out);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.ntraps, 1);
    const struct trace_line line = decode(0);
    ck_assert_int_eq(line.kind, TRACE_KIND_host_hvc);
    ck_assert_str_eq(line.hvc, "HVC_MAP_SMMU");
    ck_assert_uint_eq(line.hvc_number, 12);
    ck_assert_uint_eq(line.hvc_args.count, 3);
    ck_assert_uint_eq(line.hvc_args.values[2], 3);
    ck_assert_uint_eq(line.in.values[TRACE_REG_far], 0x1000);
    ck_assert_uint_eq(line.in.x_present, 3);
    ck_assert_uint_eq(line.out.present, 0);
    ck_assert_uint_eq(line.out.x_present, 1);
    ck_assert_uint_eq(line.out.x[0], 9);
    ck_assert_int_eq(line.to, TRACE_TO_guest);
    ck_assert_uint_eq(line.nfx, 3);
    ck_assert_str_eq(line.fx[0].lock.lock, "s2page");
    ck_assert_uint_eq(line.fx[1].s2_set.new, 0xffffffff);
    ck_assert_str_eq(line.fx[2].boot_val.name, "a_name_of_more_than_8");
    ck_assert_uint_eq(line.fx[2].present, 1u << TRACE_AT_boot_val_name |
                                              1u << TRACE_AT_boot_val_vmid |
                                              1u << TRACE_AT_boot_val_level);
    ck_assert_uint_eq(line.fx[2].boot_val.vmid, 7);
    ck_assert_uint_eq(line.fx[2].g, 3);
    ck_assert_uint_eq(line.g1, 4);
}
END_TEST

START_TEST(a_vm_exit_has_its_code_and_perhaps_its_class)
{
    fh_recorder_begin_exit(&recorder, 2, "HVC64", NULL);
    fh_recorder_end(&recorder, FH_TRAP_TO_guest, NULL);
    fh_recorder_begin_exit(&recorder, 0, NULL, NULL);
    fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    ck_assert(check_all());
    ck_assert_uint_eq(decode(0).exit_code, 2);
    ck_assert_str_eq(decode(0).ec, "HVC64");
    ck_assert_ptr_null(decode(1).ec);
}
END_TEST

START_TEST(an_exception_inside_a_trap_leaves_it_unfinished)
{
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, NULL);
    fh_record_tlbi(&recorder, 0x1000);
    fh_recorder_begin(&recorder, FH_TRAP_el2_exception, NULL);
    fh_recorder_end(&recorder, FH_TRAP_TO_el2_panic, NULL);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.ntraps, 2);
    ck_assert(decode(0).unfinished);
    ck_assert_uint_eq(decode(0).nfx, 1);
    ck_assert(!decode(1).unfinished);
    ck_assert_int_eq(decode(1).to, TRACE_TO_el2_panic);
}
END_TEST

START_TEST(outside_a_trap_nothing_is_recorded)
{
    fh_record_tlbi(&recorder, 0x1000);
    fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    ck_assert_uint_eq(fh_recorder_bytes(&recorder), HEADER_BYTES);
    ck_assert_uint_eq(counter, 0);
    ck_assert(check_all());
}
END_TEST

START_TEST(an_open_trap_is_not_in_the_buffer_yet)
{
    record_trap(&recorder, 0);
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, NULL);
    fh_record_tlbi(&recorder, 0x1000);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.ntraps, 1);
}
END_TEST

/* --- Bounds ---------------------------------------------------------------------------------- */

START_TEST(a_buffer_needs_room_for_its_header)
{
    ck_assert(!fh_recorder_init(&recorder, buffer, FH_RECORDER_HEADER_WORDS - 1, 0, &counter));
    ck_assert(fh_recorder_init(&recorder, buffer, FH_RECORDER_HEADER_WORDS, 0, &counter));
    record_trap(&recorder, 0);
    ck_assert_uint_eq(fh_recorder_dropped(&recorder), 1);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.dropped, 1);
}
END_TEST

/* Whatever the size of the buffer: whole traps, and no word behind it is touched. */
START_TEST(whole_traps_are_dropped_and_counted)
{
    enum { TRAPS = 8 };
    for (size_t size = FH_RECORDER_HEADER_WORDS; size < SHORT; size++) {
        memset(buffer, 0xaa, sizeof buffer);
        ck_assert(fh_recorder_init(&recorder, buffer, size, 0, &counter));
        for (uint64_t i = 0; i < TRAPS; i++)
            record_trap(&recorder, i);
        const size_t fit = (size - FH_RECORDER_HEADER_WORDS) / TRAP_WORDS;
        ck_assert_uint_eq(fh_recorder_dropped(&recorder), TRAPS - fit);
        ck_assert_uint_eq(buffer[size], UINT64_C(0xaaaaaaaaaaaaaaaa));
        ck_assert_msg(check_all(), "%s", recording.error);
        ck_assert_uint_eq(recording.ntraps, fit);
        ck_assert_uint_eq(recording.dropped, TRAPS - fit);
    }
}
END_TEST

START_TEST(after_a_dropped_trap_smaller_ones_are_dropped_too)
{
    ck_assert(fh_recorder_init(&recorder, buffer, SHORT, 0, &counter));
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, NULL);
    for (unsigned i = 0; i < SHORT; i++)
        fh_record_lock(&recorder, "s2page", 0);
    fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    record_trap(&recorder, 0);
    ck_assert_uint_eq(fh_recorder_dropped(&recorder), 2);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.ntraps, 0);
}
END_TEST

START_TEST(a_list_that_a_trace_cannot_have_drops_the_trap)
{
    const uint64_t args[FH_TRACE_LIST_MAX + 1] = {0};
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, NULL);
    fh_record_fn(&recorder, "f", FH_TRACE_LIST_MAX + 1, args);
    fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    ck_assert_uint_eq(fh_recorder_dropped(&recorder), 1);
    ck_assert(check_all());
}
END_TEST

START_TEST(a_taken_buffer_is_filled_again_and_its_parts_make_one_recording)
{
    static unsigned char file[4 * SHORT * 8];
    size_t size = 0;
    ck_assert(fh_recorder_init(&recorder, buffer, SHORT, 3, &counter));
    for (uint64_t part = 0; part < 4; part++) {
        record_trap(&recorder, 2 * part);
        record_trap(&recorder, 2 * part + 1);
        memcpy(file + size, buffer, fh_recorder_bytes(&recorder));
        size += fh_recorder_bytes(&recorder);
        ck_assert(fh_recorder_restart(&recorder));
    }
    ck_assert_msg(recording_check(&recording, "file", file, size), "%s", recording.error);
    ck_assert_uint_eq(recording.ntraps, 8);
    ck_assert_uint_eq(recording.cpu, 3);
    for (size_t i = 0; i < 8; i++)
        ck_assert_uint_eq(decode(i).fx[0].tlbi.ipa, i);
    const size_t part = size / 4;
    recording_free(&recording);
    memmove(file + part, file + 2 * part, 2 * part);
    ck_assert(!recording_check(&recording, "file", file, 3 * part));
    assert_refused(part, "buffer 2 stands where buffer 1 belongs");
    ck_assert_uint_eq(recording.ntraps, 2);
}
END_TEST

START_TEST(a_buffer_is_not_restarted_inside_a_trap)
{
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, NULL);
    ck_assert(!fh_recorder_restart(&recorder));
    fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    ck_assert(check_all());
    ck_assert_uint_eq(recording.ntraps, 1);
}
END_TEST

/* --- Several CPUs ---------------------------------------------------------------------------- */

enum { CPUS = 2, TRAPS_PER_CPU = 1000 };

struct cpu {
    pthread_t thread;
    struct fh_recorder recorder;
    uint64_t words[WORDS];
};

static struct cpu cpus[CPUS];

static void *run_cpu(void *argument)
{
    struct cpu *cpu = argument;
    for (uint64_t i = 0; i < TRAPS_PER_CPU; i++)
        record_trap(&cpu->recorder, i);
    return NULL;
}

START_TEST(two_cpus_record_at_once_and_merge_into_one_order)
{
    struct recording recordings[CPUS];
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert(fh_recorder_init(&cpus[i].recorder, cpus[i].words, WORDS, i, &counter));
        ck_assert_int_eq(pthread_create(&cpus[i].thread, NULL, run_cpu, &cpus[i]), 0);
    }
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert_int_eq(pthread_join(cpus[i].thread, NULL), 0);
        ck_assert_uint_eq(fh_recorder_dropped(&cpus[i].recorder), 0);
        ck_assert(recording_check(&recordings[i], "cpu", cpus[i].words,
                                  fh_recorder_bytes(&cpus[i].recorder)));
    }
    ck_assert_uint_eq(counter, CPUS * TRAPS_PER_CPU * 3);
    size_t count;
    struct recorded_trap first, second;
    struct recorded_trap *traps = recordings_merge(recordings, CPUS, &count, &first, &second);
    ck_assert_ptr_nonnull(traps);
    ck_assert_uint_eq(count, CPUS * TRAPS_PER_CPU);
    uint64_t next[CPUS] = {0};
    for (size_t i = 0; i < count; i++) {
        struct trace_line line;
        recording_decode(&recordings[traps[i].file], &traps[i], arena, &line);
        ck_assert(i == 0 || traps[i].last > traps[i - 1].last);
        ck_assert_uint_eq(line.cpu, traps[i].file);
        ck_assert_uint_eq(line.fx[0].tlbi.ipa, next[line.cpu]++);
        ck_assert_uint_lt(line.seq, count);
    }
    free(traps);
    for (unsigned i = 0; i < CPUS; i++)
        recording_free(&recordings[i]);
}
END_TEST

START_TEST(cpus_that_do_not_share_a_counter_do_not_merge)
{
    struct recording recordings[CPUS];
    for (unsigned i = 0; i < CPUS; i++) {
        uint64_t own = i;
        ck_assert(fh_recorder_init(&recorder, buffer, WORDS, i, &own));
        record_trap(&recorder, 0);
        ck_assert(recording_check(&recordings[i], "cpu", buffer, fh_recorder_bytes(&recorder)));
    }
    size_t count;
    struct recorded_trap first, second;
    ck_assert_ptr_null(recordings_merge(recordings, CPUS, &count, &first, &second));
    ck_assert_uint_ne(first.file, second.file);
    for (unsigned i = 0; i < CPUS; i++)
        recording_free(&recordings[i]);
}
END_TEST

/* --- Bad buffers ----------------------------------------------------------------------------- */

START_TEST(a_truncated_file_keeps_its_whole_traps)
{
    for (uint64_t i = 0; i < 3; i++)
        record_trap(&recorder, i);
    const size_t size = fh_recorder_bytes(&recorder);
    for (size_t length = 0; length < size; length++) {
        ck_assert(!check_bytes(length));
        ck_assert_uint_eq(recording.error_offset, length / 8 * 8);
        const size_t traps = length < HEADER_BYTES ? 0 : (length - HEADER_BYTES) / 8 / TRAP_WORDS;
        ck_assert_uint_eq(recording.ntraps, traps);
    }
    ck_assert(check_bytes(size));
}
END_TEST

/* Each bit of each trap, and of the header but for the count of dropped traps. */
START_TEST(every_flipped_bit_is_found_and_the_traps_before_it_stay)
{
    for (uint64_t i = 0; i < 3; i++)
        record_trap(&recorder, i);
    const size_t words = fh_recorder_bytes(&recorder) / 8;
    for (size_t bit = 0; bit < words * 64; bit++) {
        const size_t word = bit / 64;
        if (word == FH_RECORDER_AT_DROPPED)
            continue;
        buffer[word] ^= UINT64_C(1) << bit % 64;
        ck_assert_msg(!check_bytes(words * 8), "bit %zu of word %zu", bit % 64, word);
        buffer[word] ^= UINT64_C(1) << bit % 64;
        if (word < FH_RECORDER_HEADER_WORDS)
            continue;
        const size_t trap = (word - FH_RECORDER_HEADER_WORDS) / TRAP_WORDS;
        ck_assert_uint_eq(recording.ntraps, trap);
        ck_assert_uint_ge(recording.error_offset, HEADER_BYTES + trap * TRAP_WORDS * 8);
        ck_assert_uint_lt(recording.error_offset, words * 8 + 8);
    }
    ck_assert(check_bytes(words * 8));
}
END_TEST

START_TEST(other_files_versions_and_byte_orders_are_told_apart)
{
    record_trap(&recorder, 0);
    const size_t size = fh_recorder_bytes(&recorder);
    buffer[FH_RECORDER_AT_MAGIC] = __builtin_bswap64(FH_RECORDER_MAGIC);
    ck_assert(!check_bytes(size));
    assert_refused(0, "the other byte order");
    buffer[FH_RECORDER_AT_MAGIC] = 0;
    ck_assert(!check_bytes(size));
    assert_refused(0, "no buffer of the recorder");
    buffer[FH_RECORDER_AT_MAGIC] = FH_RECORDER_MAGIC;
    buffer[FH_RECORDER_AT_VERSION]++;
    ck_assert(!check_bytes(size));
    assert_refused(0, "recorder version 2; this program reads version 1");
    ck_assert(!check_bytes(0));
    assert_refused(0, "empty");
}
END_TEST

/* Random damage that keeps the checksum's place: nothing is read outside the buffer. */
START_TEST(random_words_never_crash_the_decoder)
{
    uint64_t seed = 1;
    const uint64_t args[] = {1, 2, 3, 4, 5};
    for (unsigned i = 0; i < 20; i++) {
        fh_recorder_begin_hvc(&recorder, "HVC_REGISTER_KVM", 13, 5, args, NULL);
        fh_record_fn(&recorder, "map_page_host", 1, args);
        fh_record_panic(&recorder, "map_page_host", 0, 0);
        fh_recorder_end(&recorder, FH_TRAP_TO_host, NULL);
    }
    const size_t words = fh_recorder_bytes(&recorder) / 8;
    for (unsigned i = 0; i < 20000; i++) {
        const size_t word =
            FH_RECORDER_HEADER_WORDS + random_u64(&seed) % (words - FH_RECORDER_HEADER_WORDS);
        const uint64_t kept = buffer[word];
        buffer[word] = random_u64(&seed) >> random_u64(&seed) % 64;
        ck_assert(buffer[word] == kept || !check_bytes(words * 8));
        buffer[word] = kept;
    }
}
END_TEST

/* --- A recorded machine ---------------------------------------------------------------------- */

/* Record an effect of a trace, under its own number. */
#define GIVE_hex(place) , place
#define GIVE_number(place) , place
#define GIVE_either(place) , place
#define GIVE_text(place) , place
#define GIVE_list(place) , (unsigned)(place).count, (place).values
#define GIVE(kind, format, key) GIVE_##format(effect->kind.key)
#define MAY_GIVE_hex(place) &place
#define MAY_GIVE_number(place) &place
#define MAY_GIVE_text(place) place
#define MAY_GIVE(kind, format, key)                                                                \
    , effect->present >> TRACE_AT_##kind##_##key & 1 ? MAY_GIVE_##format(effect->kind.key) : NULL
#define RECORD(kind)                                                                               \
    case TRACE_##kind:                                                                             \
        fh_record_##kind(&recorder FH_TRACE_FIELDS_##kind(GIVE, MAY_GIVE, kind));                  \
        break;

static void record_effect(const struct trace_effect *effect)
{
    counter = effect->g;
    switch (effect->kind) {
        FH_TRACE_EFFECT_MAP(RECORD)
    default: break; /* of foreign recordings alone */
    }
}

static struct fh_trap_registers registers_of(const struct trace_registers *from)
{
    struct fh_trap_registers registers = {.present = from->present, .x_present = from->x_present};
    memcpy(registers.values, from->values, sizeof registers.values);
    memcpy(registers.x, from->x, sizeof registers.x);
    return registers;
}

static void record_line(const struct trace_line *line)
{
    const struct fh_trap_registers in = registers_of(&line->in);
    const struct fh_trap_registers out = registers_of(&line->out);
    counter = line->g0;
    if (line->kind == TRACE_KIND_host_hvc)
        fh_recorder_begin_hvc(&recorder, line->hvc, line->hvc_number,
                              (unsigned)line->hvc_args.count, line->hvc_args.values, &in);
    else if (line->kind == TRACE_KIND_guest_exit)
        fh_recorder_begin_exit(&recorder, line->exit_code, line->ec, &in);
    else
        fh_recorder_begin(&recorder, (enum fh_trap_kind)line->kind, &in);
    for (size_t i = 0; i < line->nfx; i++)
        record_effect(&line->fx[i]);
    if (line->unfinished) {
        fh_recorder_unfinished(&recorder);
    } else {
        counter = line->g1;
        fh_recorder_end(&recorder, (enum fh_trap_end)line->to, &out);
    }
}

static void assert_same_text(const char *left, const char *right)
{
    ck_assert_int_eq(!left, !right);
    ck_assert(!left || strcmp(left, right) == 0);
}

static void assert_same_field(const struct trace_effect *left, const struct trace_effect *right,
                              const struct trace_field *field)
{
    if (field->format == TRACE_text) {
        assert_same_text(trace_field_text(left, field), trace_field_text(right, field));
    } else if (field->format == TRACE_list) {
        const struct trace_list *a = trace_field_list(left, field);
        const struct trace_list *b = trace_field_list(right, field);
        ck_assert_uint_eq(a->count, b->count);
        ck_assert_mem_eq(a->values, b->values, a->count * sizeof *a->values);
    } else {
        ck_assert_uint_eq(trace_field_word(left, field), trace_field_word(right, field));
    }
}

static void assert_same_effect(const struct trace_effect *left, const struct trace_effect *right)
{
    unsigned count;
    const struct trace_field *fields = trace_effect_fields(left->kind, &count);
    ck_assert_int_eq(left->kind, right->kind);
    ck_assert_uint_eq(left->present, right->present);
    ck_assert_uint_eq(left->g, right->g);
    for (unsigned i = 0; i < count; i++) {
        if (left->present >> i & 1)
            assert_same_field(left, right, &fields[i]);
    }
}

static void assert_same_line(const struct trace_line *left, const struct trace_line *right)
{
    ck_assert_int_eq(left->kind, right->kind);
    ck_assert_uint_eq(left->g0, right->g0);
    ck_assert_uint_eq(left->unfinished, right->unfinished);
    if (!left->unfinished) {
        ck_assert_int_eq(left->to, right->to);
        ck_assert_uint_eq(left->g1, right->g1);
        ck_assert_mem_eq(&left->out, &right->out, sizeof left->out);
    }
    ck_assert_uint_eq(left->exit_code, right->exit_code);
    assert_same_text(left->ec, right->ec);
    assert_same_text(left->hvc, right->hvc);
    ck_assert_uint_eq(left->hvc_number, right->hvc_number);
    ck_assert_mem_eq(&left->hvc_args, &right->hvc_args, sizeof left->hvc_args);
    ck_assert_mem_eq(&left->in, &right->in, sizeof left->in);
    ck_assert_uint_eq(left->nfx, right->nfx);
    for (size_t i = 0; i < left->nfx; i++)
        assert_same_effect(&left->fx[i], &right->fx[i]);
}

/* The trap of a line as the recorder and the decoder make it, written to `out`. */
static void pass_on(const struct trace_line *line, FILE *out)
{
    static uint64_t words[1 << 21];
    struct recording one;
    ck_assert(
        fh_recorder_init(&recorder, words, sizeof words / sizeof *words, line->cpu, &counter));
    record_line(line);
    ck_assert_msg(recording_check(&one, "buffer", words, fh_recorder_bytes(&recorder)), "%s",
                  one.error);
    ck_assert_uint_eq(one.ntraps, 1);
    struct trace_line decoded;
    recording_decode(&one, &one.traps[0], arena, &decoded);
    decoded.seq = line->seq; /* each is the first of a recording of its own */
    trace_write(&decoded, out);
    recording_free(&one);
    arena_reset(arena);
}

/* Everything that a recording of the real machine has passes through recorder and decoder. */
START_TEST(a_recorded_machine_passes_through_unchanged)
{
    static const char *const names[] = {"01_host_only", "02_vm1_one_vcpu", "08_smmu_host_mmio_hvc",
                                        "09_smmu_vm_domains"};
    char from[512], to[64];
    snprintf(from, sizeof from, FH_TEST_DATA "/%s_excerpt.jsonl.zst", names[_i]);
    snprintf(to, sizeof to, "test_recorder_%d.jsonl", _i);
    FILE *out = fopen(to, "w");
    struct trace *before = trace_open(from);
    const struct trace_line *line;
    ck_assert(out && before);
    while ((line = trace_next(before)))
        pass_on(line, out);
    ck_assert(!trace_failed(before));
    trace_close(before);
    ck_assert_int_eq(fclose(out), 0);
    before = trace_open(from);
    struct trace *after = trace_open(to);
    while ((line = trace_next(before))) {
        const struct trace_line *other = trace_next(after);
        ck_assert_ptr_nonnull(other);
        assert_same_line(line, other);
    }
    ck_assert_ptr_null(trace_next(after));
    ck_assert(!trace_failed(after));
    trace_close(before);
    trace_close(after);
    remove(to);
}
END_TEST

static void add(TCase *tests)
{
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, version_1_numbers_the_kinds_like_this);
    tcase_add_test(tests, a_trap_comes_back_as_it_was);
    tcase_add_test(tests, a_vm_exit_has_its_code_and_perhaps_its_class);
    tcase_add_test(tests, an_exception_inside_a_trap_leaves_it_unfinished);
    tcase_add_test(tests, outside_a_trap_nothing_is_recorded);
    tcase_add_test(tests, an_open_trap_is_not_in_the_buffer_yet);
    tcase_add_test(tests, a_buffer_needs_room_for_its_header);
    tcase_add_test(tests, whole_traps_are_dropped_and_counted);
    tcase_add_test(tests, after_a_dropped_trap_smaller_ones_are_dropped_too);
    tcase_add_test(tests, a_list_that_a_trace_cannot_have_drops_the_trap);
    tcase_add_test(tests, a_taken_buffer_is_filled_again_and_its_parts_make_one_recording);
    tcase_add_test(tests, a_buffer_is_not_restarted_inside_a_trap);
    tcase_add_test(tests, two_cpus_record_at_once_and_merge_into_one_order);
    tcase_add_test(tests, cpus_that_do_not_share_a_counter_do_not_merge);
    tcase_add_test(tests, a_truncated_file_keeps_its_whole_traps);
    tcase_add_test(tests, every_flipped_bit_is_found_and_the_traps_before_it_stay);
    tcase_add_test(tests, other_files_versions_and_byte_orders_are_told_apart);
    tcase_add_test(tests, random_words_never_crash_the_decoder);
    tcase_add_loop_test(tests, a_recorded_machine_passes_through_unchanged, 0, 4);
}

int main(void)
{
    return run_tests("recorder", add);
}
