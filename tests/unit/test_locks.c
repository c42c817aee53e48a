/* SPDX-License-Identifier: GPL-2.0-only */
#include "layers.h"

/* Each lock with the event that carries its object, and one number of the object. */
static const struct lock {
    const char *acquire, *release, *status;
    uint64_t id;
    enum fh_event_kind snapshot;
    const char *in_event, *in_state;
} locks[] = {
    {"acquire_lock_core", "release_lock_core", "lock.1", 1, FH_EVENT_OCORE_DATA, "next_vmid",
     "shared.core_data.next_vmid"},
    {"acquire_lock_s2page", "release_lock_s2page", "lock.2", 2, FH_EVENT_OS2_PAGE, "7.s2_gfn",
     "shared.s2page.7.s2_gfn"},
    {"acquire_lock_spt", "release_lock_spt", "lock.3", 3, FH_EVENT_OSPT, "spt_pmd_next",
     "shared.spts.spt_pmd_next"},
    {"acquire_lock_smmu", "release_lock_smmu", "lock.4", 4, FH_EVENT_OSMMU, "3",
     "shared.smmu_vmid.3"},
    {"acquire_lock_pt 2", "release_lock_pt 2", "lock.7", 7, FH_EVENT_ONPT, "pt_pmd_next",
     "shared.npts.2.pt_pmd_next"},
    {"acquire_lock_vm 2", "release_lock_vm 2", "lock.24", 24, FH_EVENT_OVMINFO, "VS.vm_state",
     "shared.vminfos.2.VS.vm_state"},
};

static void other_cpu_changed(const struct lock *lock)
{
    other_cpu_did(lock->id, FH_EVENT_WAIT_LOCK, 10);
    other_cpu_did(lock->id, FH_EVENT_OPULL, lock->id);
    other_cpu_did(lock->id, lock->snapshot, 0);
    set_in_last_event(lock->in_event, 12);
    other_cpu_did(lock->id, FH_EVENT_REL_LOCK, 0);
}

START_TEST(a_lock_brings_what_another_cpu_made_of_its_object)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        use_profile(NULL);
        forget_other_cpus();
        other_cpu_changed(&locks[i]);
        call(locks[i].acquire);
        ck_assert_uint_eq(get(locks[i].in_state), 12);
        ck_assert_uint_eq(get(locks[i].status), FH_LOCK_OWN);
        ck_assert_uint_eq(get("tstate"), 0);
        call(locks[i].release);
        ck_assert_uint_eq(get(locks[i].in_state), 12);
        ck_assert_uint_eq(get(locks[i].status), FH_LOCK_FREE);
        ck_assert_uint_eq(get("tstate"), 1);
    }
}
END_TEST

START_TEST(another_cpu_changes_nothing_in_a_halted_machine)
{
    set("halt", true);
    for (size_t i = 0; i < COUNT(locks); i++) {
        forget_other_cpus();
        other_cpu_changed(&locks[i]);
        assert_skips(locks[i].acquire);
        assert_skips(locks[i].release);
    }
}
END_TEST

START_TEST(a_lock_that_another_cpu_keeps_is_not_taken)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        use_profile(NULL);
        forget_other_cpus();
        other_cpu_did(locks[i].id, FH_EVENT_WAIT_LOCK, 10);
        assert_stuck_in(locks[i].acquire, "Locks.take", "BROKEN");
    }
}
END_TEST

START_TEST(a_lock_is_taken_when_free_and_given_back_when_held)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        assert_stuck_in(locks[i].release, "Locks.release", "OWN");
        call(locks[i].acquire);
        assert_stuck_in(locks[i].acquire, "Locks.acquire", "FREE");
        set(locks[i].status, FH_LOCK_OWN_FALSE);
        assert_stuck_in(locks[i].release, "Locks.release", "OWN");
        assert_stuck_in(locks[i].acquire, "Locks.acquire", "FREE");
    }
}
END_TEST

START_TEST(a_lock_is_not_given_back_against_its_log)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        set(locks[i].status, FH_LOCK_OWN); /* of which the log knows nothing */
        assert_stuck_in(locks[i].release, "Locks.give_back", "BROKEN");
    }
}
END_TEST

START_TEST(locks_are_those_of_vms_that_exist)
{
    static const struct stuck rows[] = {
        {NULL, 0, "acquire_lock_pt 17", NULL, "is_vmid"},
        {NULL, 0, "release_lock_pt 17", NULL, "is_vmid"},
        {NULL, 0, "acquire_lock_vm 17", NULL, "is_vmid"},
        {NULL, 0, "release_lock_vm 17", NULL, "is_vmid"},
    };
    assert_each_stuck(rows, COUNT(rows));
    set("halt", true);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_skips(rows[i].call);
}
END_TEST

START_TEST(a_critical_section_without_memory_leaves_no_trace)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        forget_other_cpus();
        other_cpu_changed(&locks[i]);
        assert_survives_lack_of_memory(locks[i].acquire);
        ck_assert_uint_eq(get(locks[i].in_state), 12);
        assert_survives_lack_of_memory(locks[i].release);
    }
}
END_TEST

START_TEST(both_realisations_follow_other_cpus)
{
    for (size_t i = 0; i < COUNT(locks); i++) {
        use_realisation(FH_BOTH);
        forget_other_cpus();
        other_cpu_changed(&locks[i]);
        assert_survives_lack_of_memory(locks[i].acquire);
        ck_assert_uint_eq(get(locks[i].in_state), 12);
        assert_survives_lack_of_memory(locks[i].release);
        assert_survives_lack_of_memory(locks[i].acquire);
    }
}
END_TEST

START_TEST(pages_that_another_cpu_filled_need_no_lock)
{
    for (enum fh_realisation form = FH_ABSTRACT; form <= FH_BOTH; form++) {
        use_realisation(form);
        forget_other_cpus();
        other_cpu_did(0, FH_EVENT_OFLATMEM, 0);
        set_in_last_event("5", 55);
        call("clear_phys_page 6");
        ck_assert_uint_eq(get("shared.flatmem.5"), 55);
    }
}
END_TEST

START_TEST(a_concrete_lock_is_not_given_back_against_its_log)
{
    use_realisation(FH_CONCRETE);
    set("lock.2", FH_LOCK_OWN);
    assert_stuck_in("release_lock_s2page", "Locks.give_ticket_back", "BROKEN");
}
END_TEST

static const struct fh_log *log_of(uint64_t lock)
{
    const struct fh_type *logs = fh_type_field(fh_rdata_type(), "log", 3)->type;
    return fh_map_get(&fh_state_rdata(machine)->log, &logs->value->as_value, lock);
}

/* What a data oracle saw of the lock of page ownership when it was last asked. */
static uint64_t seen_status, seen_length;

static uint64_t look_at_lock(void *context, uint64_t vmid, uint64_t n)
{
    (void)context, (void)vmid, (void)n;
    seen_status = get("lock.2");
    seen_length = log_of(2)->length;
    return 0;
}

START_TEST(who_is_asked_in_a_critical_section_sees_its_locks_held)
{
    fh_state_environment(machine)->oracle = NULL;
    fh_state_environment(machine)->doracle = look_at_lock;
    set("shared.s2page.7.s2_owner", 1);
    for (uint64_t length = 0; length < 12; length += 4) {
        set("shared.s2page.7.s2_count", 1);
        call("revoke_vm_page 1 7");
        ck_assert_uint_eq(seen_status, FH_LOCK_OWN);
        ck_assert_uint_eq(seen_length, length + 2);
        ck_assert_uint_eq(get("lock.2"), FH_LOCK_FREE);
        ck_assert_uint_eq(log_of(2)->length, length + 4);
        ck_assert_uint_eq(log_of(2)->lock, FH_LOG_EMPTY);
    }
}
END_TEST

START_TEST(locks_that_kcore_panics_with_stay_held)
{
    fh_state_environment(machine)->oracle = NULL;
    set("shared.s2page.7.s2_owner", 1);
    for (unsigned i = 0; i < 3; i++) { /* the third time with all entries known */
        if (i == 2)
            call("acquire_lock_s2page"), call("release_lock_s2page");
        ck_assert_int_eq(fh_begin(machine), FH_OK);
        assert_halts("map_page_host 0x7000");
        ck_assert_uint_eq(get("lock.2"), FH_LOCK_OWN);
        ck_assert_uint_eq(log_of(2)->length, i == 2 ? 6 : 2);
        ck_assert_int_eq(fh_undo(machine), FH_OK);
        ck_assert_uint_eq(get("lock.2"), FH_LOCK_FREE);
    }
}
END_TEST

static void add(TCase *tests)
{
    tcase_add_test(tests, a_lock_brings_what_another_cpu_made_of_its_object);
    tcase_add_test(tests, another_cpu_changes_nothing_in_a_halted_machine);
    tcase_add_test(tests, a_lock_that_another_cpu_keeps_is_not_taken);
    tcase_add_test(tests, a_lock_is_taken_when_free_and_given_back_when_held);
    tcase_add_test(tests, a_lock_is_not_given_back_against_its_log);
    tcase_add_test(tests, locks_are_those_of_vms_that_exist);
    tcase_add_test(tests, a_critical_section_without_memory_leaves_no_trace);
    tcase_add_test(tests, both_realisations_follow_other_cpus);
    tcase_add_test(tests, pages_that_another_cpu_filled_need_no_lock);
    tcase_add_test(tests, a_concrete_lock_is_not_given_back_against_its_log);
    tcase_add_test(tests, who_is_asked_in_a_critical_section_sees_its_locks_held);
    tcase_add_test(tests, locks_that_kcore_panics_with_stay_held);
}

int main(void)
{
    return run_layer_tests("locks", add);
}
