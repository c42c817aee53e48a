/* SPDX-License-Identifier: GPL-2.0-only */
#include "support.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machine/machine.h"
#include "machine/model.h"
#include "machine/read_machine.h"

/* Machines as described: how a trace is recognised, what is adopted, what its recorder's words are.
 */

static const char boot_file[] = FH_TEST_DATA "/02_vm1_one_vcpu_excerpt.jsonl.zst";
static const char folder[] = "test_machine_description.tmp";
static const char yaml_file[] = "test_machine_description.tmp/machine.yaml";

static struct trace *trace;
static const struct trace_line *boot;
static const struct machine_description *sekvm;

static void setup(void)
{
    trace = trace_open(boot_file);
    ck_assert_ptr_nonnull(trace);
    boot = trace_next(trace);
    ck_assert_ptr_nonnull(boot);
    sekvm = machine_of_tree("sekvm-4.18");
    ck_assert_ptr_nonnull(sekvm);
}

static void teardown(void)
{
    trace_close(trace);
    remove(yaml_file);
    rmdir(folder);
}

/* A machine that extends sekvm-4.18 and says `text` beside. */
static const struct machine_description *describe(const char *text)
{
    mkdir(folder, 0777);
    FILE *file = fopen(yaml_file, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "machine: other\ntitle: another one\nextends: sekvm-4.18\n%s", text);
    fclose(file);
    return machine_read(folder);
}

/* The boot record with one effect changed by `change`. */
static struct trace_line changed_boot(struct trace_effect *effects, size_t room,
                                      void (*change)(struct trace_effect *effect))
{
    struct trace_line line = *boot;
    ck_assert_uint_le(line.nfx, room);
    memcpy(effects, line.fx, line.nfx * sizeof *effects);
    line.fx = effects;
    for (size_t i = 0; i < line.nfx; i++)
        change(&effects[i]);
    return line;
}

enum { ROOM = 512 };

/* As if the kernel had been linked 192 KiB further. */
static void move_tables(struct trace_effect *effect)
{
    static const char *const addresses[] = {"page_pool_start", "host_vttbr", "smmu_page_pool_start",
                                            "smmu_pgd_pool", "smmu_pmd_pool"};
    enum { DISTANCE = 0x30000 };
    if (effect->kind == TRACE_boot_pool) {
        effect->boot_pool.page_pool_start += DISTANCE;
        effect->boot_pool.pgd_pool += DISTANCE;
        effect->boot_pool.pud_pool += DISTANCE;
        effect->boot_pool.pmd_pool += DISTANCE;
    }
    for (size_t i = 0; effect->kind == TRACE_boot_val && i < 5; i++) {
        if (strcmp(addresses[i], effect->boot_val.name) == 0)
            effect->boot_val.val += DISTANCE;
    }
}

static void change_attributes(struct trace_effect *effect)
{
    if (effect->kind == TRACE_boot_val && strcmp(effect->boot_val.name, "PAGE_HYP") == 0)
        effect->boot_val.val = 0x753;
}

START_TEST(the_recorded_boot_is_recognised)
{
    ck_assert_uint_eq(machine_recognise(sekvm, boot, NULL, 0), 0);
    ck_assert_ptr_eq(machine_that_fits(boot), sekvm);
}
END_TEST

START_TEST(a_boot_with_other_attributes_is_refused_with_the_value)
{
    static struct trace_effect effects[ROOM];
    struct machine_mismatch mismatch;
    char text[160];
    const struct trace_line line = changed_boot(effects, ROOM, change_attributes);
    ck_assert_uint_eq(machine_recognise(sekvm, &line, &mismatch, 1), 1);
    ck_assert_ptr_null(machine_that_fits(&line));
    machine_mismatch_format(&mismatch, text, sizeof text);
    ck_assert_str_eq(text, "PAGE_HYP is 0x753, not 0x40000000000753");
}
END_TEST

START_TEST(what_was_recorded_first_is_what_the_machine_says_by_itself)
{
    struct machine_boot found;
    char error[200];
    ck_assert_msg(machine_adopt(sekvm, boot, &found, error, sizeof error), "%s", error);
    found.profile.name = sekvm->profile->name;
    ck_assert_mem_eq(&found.profile, sekvm->profile, sizeof found.profile);
    machine_boot_free(&found);
}
END_TEST

START_TEST(addresses_are_those_of_the_boot_record)
{
    static struct trace_effect effects[ROOM];
    struct machine_boot found;
    char error[200];
    uint64_t value = 0;
    const struct trace_line line = changed_boot(effects, ROOM, move_tables);
    ck_assert_uint_eq(machine_recognise(sekvm, &line, NULL, 0), 0);
    ck_assert(machine_adopt(sekvm, &line, &found, error, sizeof error));
    ck_assert_uint_eq(found.profile.PT_POOL_START, 0x50bf0000);
    ck_assert_uint_eq(found.profile.SMMU_POOL_START, 0x40bf0000);
    ck_assert_uint_eq(found.profile.COREVISOR_POOL_START, 0x4abf0000);
    ck_assert_uint_eq(found.profile.SMMU_POOL_END, 0x803f0000);
    ck_assert_uint_eq(found.profile.PT_POOL_PER_VM, 0x800000);
    ck_assert(machine_boot_value(&found, MACHINE_ram_base, &value));
    ck_assert_uint_eq(value, 0x40000000);
    machine_boot_free(&found);
}
END_TEST

static void count_pages(struct trace_effect *effect)
{
    if (effect->kind != TRACE_boot_pool)
        return;
    move_tables(effect);
    effect->boot_pool.pgd_pool = 0;
    effect->boot_pool.pud_pool = 0;
    effect->boot_pool.pmd_pool = 3;
}

START_TEST(where_next_is_an_index_pools_lie_where_the_constants_say)
{
    static struct trace_effect effects[ROOM];
    struct machine_boot found;
    char error[200];
    const struct machine_description *other = describe("tables: {next: index}\n");
    ck_assert_ptr_nonnull(other);
    const struct trace_line line = changed_boot(effects, ROOM, count_pages);
    ck_assert(machine_adopt(other, &line, &found, error, sizeof error));
    ck_assert_uint_eq(found.profile.PT_POOL_START, 0x50bf0000);
    ck_assert_uint_eq(found.profile.HOST_PGD_OFFSET, 0x2000);
    ck_assert_uint_eq(found.profile.HOST_PMD_OFFSET, 0x400000);
    ck_assert_uint_eq(found.profile.PMD_OFFSET, 0x200000);
    machine_boot_free(&found);
}
END_TEST

START_TEST(values_with_an_index_are_found_for_each_index)
{
    struct machine_boot found;
    char error[200];
    size_t banks = 0, words = 0;
    ck_assert(machine_adopt(sekvm, boot, &found, error, sizeof error));
    for (size_t i = 0; i < found.nfound; i++) {
        const struct machine_found *one = &found.found[i];
        if (one->place == MACHINE_bank_ttbr)
            ck_assert_uint_eq(one->value, 0x40bc0000 + banks++ * 0x2000);
        words += one->place == MACHINE_table_word;
        if (one->place == MACHINE_smmu_phys_base && one->index == 1)
            ck_assert_uint_eq(one->value, 0x13ff10000);
    }
    ck_assert_uint_eq(banks, 16);
    ck_assert_uint_gt(words, 0);
    machine_boot_free(&found);
}
END_TEST

START_TEST(a_value_that_the_record_lacks_is_named)
{
    struct machine_boot found;
    char error[200];
    const struct machine_description *other = describe("adopted: {next_vmid: following_vmid}\n");
    ck_assert_ptr_nonnull(other);
    ck_assert(!machine_adopt(other, boot, &found, error, sizeof error));
    ck_assert_str_eq(error,
                     "the boot record has no following_vmid, from which next_vmid is adopted");
    machine_boot_free(&found);
}
END_TEST

/* --- The dialect ----------------------------------------------------------------------------- */

static struct trace_effect a_read(uint64_t index)
{
    return (struct trace_effect){
        .kind = TRACE_s2_read,
        .present = 31,
        .s2_read = {.pfn = 5, .index = index, .owner = 1, .gfn = UINT64_MAX}};
}

START_TEST(memory_without_a_record_reads_as_guest_page_0)
{
    struct trace_effect effects[] = {a_read(UINT64_MAX), a_read(7)};
    ck_assert_uint_eq(machine_reword(sekvm, effects, 2), 2);
    ck_assert_uint_eq(effects[0].s2_read.gfn, 0);
    ck_assert_uint_eq(effects[1].s2_read.gfn, UINT64_MAX);
}
END_TEST

START_TEST(what_a_recorder_never_writes_is_taken_from_the_models_effects)
{
    const struct machine_description *other =
        describe("dialect:\n"
                 "  - {effect: s2_read, says: {owner: -1}}\n"
                 "  - {effect: s2_read, leaves_out: [gfn]}\n"
                 "  - {effect: fn_ret, omits: true}\n"
                 "  - {effect: fn, after: {effect: lock, when: {lock: pt}}}\n");
    struct trace_effect effects[] = {
        {.kind = TRACE_fn, .present = 3, .fn = {.fn = "mmap_s2pt"}},
        {.kind = TRACE_fn_ret, .present = 3, .fn_ret = {.fn = "walk_s2pt"}},
        {.kind = TRACE_lock, .present = 3, .lock = {.lock = "pt"}},
        a_read(7),
    };
    ck_assert_ptr_nonnull(other);
    ck_assert(machine_is_plain(other));
    ck_assert_uint_eq(machine_reword(other, effects, 4), 3);
    ck_assert_int_eq(effects[0].kind, TRACE_lock);
    ck_assert_int_eq(effects[1].kind, TRACE_fn);
    ck_assert_uint_eq(effects[2].s2_read.owner, UINT64_MAX);
    ck_assert_uint_eq(effects[2].present, 15);
}
END_TEST

START_TEST(names_and_counts_of_a_recorder_are_taken_back_in_its_records)
{
    const struct machine_description *other =
        describe("dialect:\n"
                 "  - {effect: s2_set, says: {index: index + 0x40000}}\n"
                 "  - {effect: lock, when: {lock: pt, vmid: 3}, says: {lock: npt}}\n"
                 "  - {effect: tlbi, says: {ipa: ipa >> 12}}\n");
    struct trace_effect effects[] = {
        {.kind = TRACE_s2_set, .present = 15, .s2_set = {.field = "gfn", .index = 0x40007}},
        {.kind = TRACE_lock, .present = 3, .lock = {.lock = "npt", .vmid = 3}},
        {.kind = TRACE_lock, .present = 3, .lock = {.lock = "npt", .vmid = 4}},
        {.kind = TRACE_tlbi, .present = 1, .tlbi = {.ipa = 0x1234}},
    };
    struct trace_effect of_model = {.kind = TRACE_tlbi, .present = 1, .tlbi = {.ipa = 0x1234567}};
    ck_assert_ptr_nonnull(other);
    ck_assert(!machine_is_plain(other));
    machine_plain(other, other->profile, effects, 4);
    ck_assert_uint_eq(effects[0].s2_set.index, 7);
    ck_assert_str_eq(effects[1].lock.lock, "pt");
    ck_assert_str_eq(effects[2].lock.lock, "npt");
    ck_assert_uint_eq(effects[3].tlbi.ipa, 0x1234000);
    ck_assert_uint_eq(machine_reword(other, &of_model, 1), 1);
    ck_assert_uint_eq(of_model.tlbi.ipa, 0x1234000);
}
END_TEST

START_TEST(an_effect_can_stand_before_or_behind_all_others)
{
    const struct machine_description *other = describe("dialect:\n"
                                                       "  - {effect: percpu, after: all}\n"
                                                       "  - {effect: snap, before: all}\n");
    struct trace_effect effects[] = {{.kind = TRACE_percpu, .percpu = {.vmid = 1}},
                                     {.kind = TRACE_lock, .lock = {.lock = "vm"}},
                                     {.kind = TRACE_snap, .snap = {.vcpu = 1}},
                                     {.kind = TRACE_percpu, .percpu = {.vmid = 2}},
                                     {.kind = TRACE_unlock, .unlock = {.lock = "vm"}},
                                     {.kind = TRACE_snap, .snap = {.vcpu = 2}}};
    static const enum trace_effect_kind expected[] = {TRACE_snap,   TRACE_snap,   TRACE_lock,
                                                      TRACE_unlock, TRACE_percpu, TRACE_percpu};
    ck_assert_ptr_nonnull(other);
    ck_assert_uint_eq(machine_reword(other, effects, 6), 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_int_eq(effects[i].kind, expected[i]);
    ck_assert_uint_eq(effects[0].snap.vcpu, 1);
    ck_assert_uint_eq(effects[5].percpu.vmid, 2);
}
END_TEST

START_TEST(where_next_is_an_index_pages_are_counted_from_the_pools_first)
{
    const struct machine_description *other = describe("tables: {next: index}\n");
    ck_assert_ptr_nonnull(other);
    const struct fh_profile *k = other->profile;
    const uint64_t third =
        k->PT_POOL_START + k->HOST_POOL_SIZE + k->PT_POOL_PER_VM + k->PMD_OFFSET + 3 * k->PAGE_SIZE;
    struct trace_effect effect = {.kind = TRACE_vm_set,
                                  .present = 31,
                                  .vm_set = {.field = "pmd_next", .vmid = 2, .old = 3, .new = 4}};
    ck_assert(!machine_is_plain(other));
    machine_plain(other, k, &effect, 1);
    ck_assert_uint_eq(effect.vm_set.old, third);
    ck_assert_uint_eq(effect.vm_set.new, third + k->PAGE_SIZE);
    ck_assert_uint_eq(machine_next_address(other, k, "pmd_pool", 2, 3), third);
}
END_TEST

/* --- What is not compared -------------------------------------------------------------------- */

START_TEST(what_is_not_compared_has_a_reason)
{
    const struct machine_description *other =
        describe("not_compared:\n"
                 "  - {registers: [far, x7], at: entry, of: [host_hvc], why: stale}\n"
                 "  - {effect: snap, why: not recorded whole}\n");
    const struct trace_effect snap = {.kind = TRACE_snap}, panic = {.kind = TRACE_panic};
    ck_assert_ptr_nonnull(other);
    ck_assert_str_eq(
        machine_excludes_register(other, TRACE_KIND_host_hvc, false, TRACE_REG_far)->why, "stale");
    ck_assert_ptr_null(machine_excludes_register(other, TRACE_KIND_host_hvc, true, TRACE_REG_far));
    ck_assert_ptr_null(machine_excludes_register(other, TRACE_KIND_host_npt, false, TRACE_REG_far));
    ck_assert_ptr_nonnull(machine_excludes_gpr(other, TRACE_KIND_host_hvc, false, 7));
    ck_assert_ptr_nonnull(machine_excludes_effect(other, TRACE_KIND_host_hvc, &snap, NULL, -1));
    ck_assert_ptr_nonnull(
        machine_excludes_effect(other, TRACE_KIND_host_hvc, &panic, NULL, TRACE_AT_panic_caller));
    ck_assert_ptr_null(
        machine_excludes_effect(other, TRACE_KIND_host_hvc, &panic, NULL, TRACE_AT_panic_vmid));
}
END_TEST

/* --- Calls ----------------------------------------------------------------------------------- */

START_TEST(a_row_is_changed_added_or_taken_away_by_a_line)
{
    const struct machine_description *other =
        describe("hypercalls:\n"
                 "  VCPU_RUN: 40\n"
                 "  REMAP_VM_IMAGE: {call: \"remap_vm_image(w1, x3, w2)\"}\n"
                 "  FLUSH: {number: 41, call: \"clear_vm_s2_page(w1)\"}\n");
    ck_assert_ptr_null(other); /* there is no such function */
    other = describe("hypercalls:\n"
                     "  VCPU_RUN: 40\n"
                     "  REMAP_VM_IMAGE: {call: \"remap_vm_image(w1, x3, w2)\"}\n"
                     "  FLUSH: {number: 41, call: \"clear_vm_page(w1, x2)\", answers: {x1: 7}}\n"
                     "  ENCRYPT_BUF: none\n");
    ck_assert_ptr_nonnull(other);
    ck_assert_int_eq(machine_call(other->hypercalls, 40)->kind, FH_ABI_run);
    ck_assert_ptr_null(machine_call(other->hypercalls, 8));
    ck_assert_ptr_null(machine_call(other->hypercalls, 20));
    const struct fh_abi_call *remap = machine_call(other->hypercalls, 11);
    ck_assert_uint_eq(remap->arguments[1].reg, 3);
    ck_assert_uint_eq(remap->arguments[2].reg, 2);
    ck_assert_uint_eq(remap->arguments[2].bits, 32);
    const struct fh_abi_call *added = machine_call(other->hypercalls, 41);
    ck_assert_str_eq(added->recorded, "HVC_FLUSH");
    ck_assert_uint_eq(added->answer.reg, 1);
    ck_assert_uint_eq(added->answer.value, 7);
    ck_assert_uint_eq(other->hypercalls->ncalls, sekvm->hypercalls->ncalls);
}
END_TEST

START_TEST(the_number_of_a_call_is_the_constant_of_its_name)
{
    const struct machine_description *other = describe("hypercalls: {SET_BOOT_INFO: 50}\n");
    ck_assert_ptr_nonnull(other);
    ck_assert_uint_eq(other->profile->HVC_SET_BOOT_INFO, 50);
    ck_assert_uint_eq(sekvm->profile->HVC_SET_BOOT_INFO, 10);
}
END_TEST

/* --- Models ---------------------------------------------------------------------------------- */

static bool departs_by_default(const struct fh_machine *model, const char *name)
{
    unsigned departure = 0;
    const struct fh_departures all = fh_machine_departures(model);
    ck_assert_msg(fh_machine_find_departure(model, name, &departure), "no %s", name);
    return fh_departs(&all, departure);
}

START_TEST(a_machine_without_an_overlay_runs_as_what_it_extends)
{
    const struct machine_description *other =
        describe("constants: {MAX_VM_NUM: 9}\nwithout: [prep_abort]\n"
                 "catalogue: {K1: {title: a new one}}\n");
    ck_assert_ptr_nonnull(other);
    const struct fh_machine *model = machine_model(other, false);
    ck_assert_ptr_nonnull(model);
    ck_assert_str_eq(model->name, "other");
    ck_assert_uint_eq(fh_machine_profile(model)->MAX_VM_NUM, 9);
    ck_assert_ptr_eq(model->hypercalls, other->hypercalls);
    ck_assert(departs_by_default(model, "K1"));
    ck_assert(departs_by_default(model, "restore_vm"));
    ck_assert(!departs_by_default(model, "prep_abort"));
    ck_assert_ptr_eq(machine_model(other, false), model);
}
END_TEST

START_TEST(a_machine_of_the_tree_is_the_librarys)
{
    ck_assert_ptr_eq(machine_model(machine_of_tree("bodies"), false), &fh_machine_bodies);
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_recorded_boot_is_recognised);
    tcase_add_test(tests, a_boot_with_other_attributes_is_refused_with_the_value);
    tcase_add_test(tests, what_was_recorded_first_is_what_the_machine_says_by_itself);
    tcase_add_test(tests, addresses_are_those_of_the_boot_record);
    tcase_add_test(tests, where_next_is_an_index_pools_lie_where_the_constants_say);
    tcase_add_test(tests, values_with_an_index_are_found_for_each_index);
    tcase_add_test(tests, a_value_that_the_record_lacks_is_named);
    tcase_add_test(tests, memory_without_a_record_reads_as_guest_page_0);
    tcase_add_test(tests, what_a_recorder_never_writes_is_taken_from_the_models_effects);
    tcase_add_test(tests, names_and_counts_of_a_recorder_are_taken_back_in_its_records);
    tcase_add_test(tests, an_effect_can_stand_before_or_behind_all_others);
    tcase_add_test(tests, where_next_is_an_index_pages_are_counted_from_the_pools_first);
    tcase_add_test(tests, what_is_not_compared_has_a_reason);
    tcase_add_test(tests, a_row_is_changed_added_or_taken_away_by_a_line);
    tcase_add_test(tests, the_number_of_a_call_is_the_constant_of_its_name);
    tcase_add_test(tests, a_machine_without_an_overlay_runs_as_what_it_extends);
    tcase_add_test(tests, a_machine_of_the_tree_is_the_librarys);
}

int main(void)
{
    return run_tests("machine_description", add);
}
