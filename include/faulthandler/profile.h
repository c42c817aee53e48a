/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef FAULTHANDLER_PROFILE_H
#define FAULTHANDLER_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include <faulthandler/constants.h>
#include <faulthandler/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The constants of one build of the hypervisor, under their spec names. */
struct fh_profile {
    const char *name;
#define FH_CONSTANT_MEMBER(constant, value) uint64_t constant;
    FH_CONSTANT_MAP(FH_CONSTANT_MEMBER)
#undef FH_CONSTANT_MEMBER
};

/* `spec`: Coq's Constants.v. `sekvm-4.18`: the kernel of Linux 4.18. */
FH_API extern const struct fh_profile fh_profile_spec;
FH_API extern const struct fh_profile fh_profile_sekvm_4_18;
FH_API extern const struct fh_profile fh_profile_toy; /* of the example of docs/machines.md */

/* A profile by its name; NULL if there is none. Profiles by number, NULL after the last. */
FH_API const struct fh_profile *fh_profile_find(const char *name);
FH_API const struct fh_profile *fh_profile_at(unsigned index);

/* A constant of a profile by its name; false if there is none. */
FH_API bool fh_profile_constant(const struct fh_profile *profile, const char *name, size_t length,
                                uint64_t *value);

/* The names of the constants, in the table's order; NULL after the last. */
FH_API const char *fh_constant_name(unsigned index);

#ifdef __cplusplus
}
#endif

#endif
