/* SPDX-License-Identifier: GPL-2.0-only */
#include "machines/sekvm-4.18/sekvm.h"

#include "machines/sekvm-4.18/tables.h"

/* A1: v_panic prints and returns. With it come A16, A35, A36, A47, A52, A55 and most of A22. */
enum fh_status m_panic(struct fh_state *s)
{
    if (s->adt->halt || !departs(s, A1))
        return below_panic(s);
    observe(s, FH_EFFECT_PANIC, 0, 0, 0, 0);
    return FH_OK;
}

static const char *const departures[] = {SWITCH_MAP(FH_SWITCH_NAME)};

#define MEMBER(name) .name = m_##name,
static const struct fh_overlay overlay = {SEKVM_FUNCTIONS(MEMBER)};

/* What follows from the places of tables: maps have none. */
static const char *const in_words[] = {"A22", "E7", "E8", NULL};

static const struct fh_own_function own[] = {{"enable_s2_trans", sekvm_enable_s2_trans}, {0}};

const struct fh_machine fh_machine_sekvm_4_18 = {
    .name = "sekvm-4.18",
    .extends = &fh_machine_bodies,
    .profile = &fh_profile_sekvm_4_18,
    .overlay = &overlay,
    .departures = departures,
    .ndepartures = sizeof departures / sizeof *departures,
    .unchecked = A5 + 1,
    .in_words = in_words,
    .hypercalls = &hypercalls,
    .guest_calls = &guest_calls,
    .own = own,
    .leaves_pages_of_others = true,
};
