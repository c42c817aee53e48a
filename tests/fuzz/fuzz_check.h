/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FH_TESTS_FUZZ_CHECK_H
#define FH_TESTS_FUZZ_CHECK_H

/* What the tests' helpers assert, where no test of Check runs. */
#include <check.h>
#include <stdbool.h>

#include "fuzz.h"

#undef ck_assert
#undef ck_assert_msg
#undef ck_assert_ptr_nonnull
#undef ck_assert_uint_eq
#undef ck_assert_uint_le
#undef ck_abort_msg
#define ck_assert(condition) FUZZ_CHECK(condition)
#define ck_assert_msg(condition, ...) FUZZ_CHECK(condition)
#define ck_assert_ptr_nonnull(pointer) FUZZ_CHECK((pointer) != NULL)
#define ck_assert_uint_eq(a, b) FUZZ_CHECK((a) == (b))
#define ck_assert_uint_le(a, b) FUZZ_CHECK((a) <= (b))
#define ck_abort_msg(...) FUZZ_CHECK(false)

#endif
