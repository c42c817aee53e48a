/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>

#include <faulthandler/faulthandler.h>

int main(void)
{
    const struct fh_config config = {.allocator = fh_malloc_allocator()};
    struct fh_state *state = fh_state_new(&config);
    uint64_t pte;
    if (fh_map_s2pt(state, 0, 0x80000000, 3, 0x80000000 | 0x7ff) != FH_OK ||
        fh_walk_s2pt(state, 0, 0x80000000, &pte) != FH_OK)
        return 1;
    printf("page 0x80000 maps to 0x%" PRIx64 "\n", pte >> 12);
    fh_state_free(state);
    return 0;
}
