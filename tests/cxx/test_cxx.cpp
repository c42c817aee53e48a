/* SPDX-License-Identifier: GPL-2.0-only */
#include "api.h" /* every public header, and API_MAP(X): every symbol of the library */

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

/* The API from C++: every symbol is declared and links, and a trap runs and is recorded. */

namespace
{

int failures = 0;

void expect(bool holds, const char *what)
{
    if (holds)
        return;
    std::fprintf(stderr, "failed: %s\n", what);
    failures++;
}

template <typename T> std::uintptr_t address(T *thing)
{
    return reinterpret_cast<std::uintptr_t>(thing);
}

void every_symbol_is_declared_and_links()
{
    const std::vector<std::uintptr_t> addresses = {
#define ADDRESS(symbol) address(&symbol),
        API_MAP(ADDRESS)
#undef ADDRESS
    };
    for (std::uintptr_t there : addresses)
        expect(there != 0, "every symbol is somewhere");
    expect(addresses.size() > 300, "every spec function and more");
}

bool count_change(void *context, const struct fh_change *)
{
    ++*static_cast<unsigned *>(context);
    return true;
}

void a_call_changes_the_state_and_a_delta_shows_it()
{
    fh_config config{};
    config.allocator = fh_malloc_allocator();
    fh_state *state = fh_state_new(&config);
    const fh_rdata *before = fh_state_snapshot(state);
    expect(fh_map_s2pt(state, 0, 0x80000000, 3, 0x80000000 | 0x7ff) == FH_OK, "map_s2pt");
    uint64_t pte = 0;
    expect(fh_walk_s2pt(state, 0, 0x80000000, &pte) == FH_OK && pte >> 12 == 0x80000, "walk_s2pt");
    unsigned changes = 0;
    const fh_rdata *after = fh_state_snapshot(state);
    fh_delta(before, after, count_change, &changes);
    expect(changes > 0, "the delta shows the entry");
    expect(fh_map_page_host(state, UINT64_C(1) << 40) == FH_STUCK, "an address that is none");
    fh_snapshot_release(before, config.allocator);
    fh_snapshot_release(after, config.allocator);
    fh_state_free(state);
}

void a_trap_is_recorded()
{
    uint64_t counter = 0;
    std::vector<uint64_t> words(256);
    fh_recorder recorder{};
    expect(fh_recorder_init(&recorder, words.data(), words.size(), 0, &counter), "a buffer");
    fh_recorder_begin(&recorder, FH_TRAP_host_npt, nullptr);
    fh_record_lock(&recorder, "pt", 0);
    fh_record_pt_store(&recorder, 0, "pte", 0x1000, 0x2000, 0, 0x1003);
    fh_recorder_end(&recorder, FH_TRAP_TO_host, nullptr);
    expect(fh_recorder_bytes(&recorder) > FH_RECORDER_HEADER_WORDS * sizeof(uint64_t), "a trap");
    expect(fh_recorder_dropped(&recorder) == 0, "all of it");
}

void the_library_is_of_the_version_of_its_headers()
{
    expect(std::strcmp(fh_version(), FH_VERSION_TEXT) == 0, "fh_version");
    static_assert(FH_VERSION == FH_VERSION_OF(FH_VERSION_MAJOR, FH_VERSION_MINOR, FH_VERSION_PATCH),
                  "one number");
}

} // namespace

int main()
{
    every_symbol_is_declared_and_links();
    a_call_changes_the_state_and_a_delta_shows_it();
    a_trap_is_recorded();
    the_library_is_of_the_version_of_its_headers();
    return failures > 0;
}
