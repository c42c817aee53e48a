/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdio.h>

#include <faulthandler/faulthandler.h>

/* A name that the library has inside; the two do not meet. */
int kc_map_page_host(void);

int kc_map_page_host(void)
{
    return 1;
}

int main(void)
{
    if (kc_map_page_host() != 1)
        return 1;
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
