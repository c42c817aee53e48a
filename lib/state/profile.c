/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/profile.h>

const struct fh_profile fh_profile_spec = {.name = "spec",
#define VALUE(constant, value) .constant = (value),
                                           FH_CONSTANT_MAP(VALUE)
#undef VALUE
};

static const struct fh_profile *const profiles[] = {&fh_profile_spec, &fh_profile_sekvm_4_18};

static const char *const names[] = {
#define NAME(constant, value) #constant,
    FH_CONSTANT_MAP(NAME)
#undef NAME
};

static const size_t offsets[] = {
#define OFFSET(constant, value) offsetof(struct fh_profile, constant),
    FH_CONSTANT_MAP(OFFSET)
#undef OFFSET
};

static bool same(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (a[i] != b[i] || !a[i])
            return false;
    }
    return !a[length];
}

static size_t length_of(const char *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

const struct fh_profile *fh_profile_at(unsigned index)
{
    return index < sizeof profiles / sizeof *profiles ? profiles[index] : NULL;
}

const struct fh_profile *fh_profile_find(const char *name)
{
    for (unsigned i = 0; fh_profile_at(i); i++) {
        if (same(profiles[i]->name, name, length_of(name)))
            return profiles[i];
    }
    return NULL;
}

const char *fh_constant_name(unsigned index)
{
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

bool fh_profile_constant(const struct fh_profile *profile, const char *name, size_t length,
                         uint64_t *value)
{
    for (unsigned i = 0; fh_constant_name(i); i++) {
        if (same(names[i], name, length)) {
            *value = *(const uint64_t *)(const void *)((const char *)profile + offsets[i]);
            return true;
        }
    }
    return false;
}
