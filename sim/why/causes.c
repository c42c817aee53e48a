/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "why/why.h"

/* Who wrote what a trap read. */

static bool is_in_answer(const struct why *why, size_t record)
{
    const size_t head = why->records->list[record]->head;
    for (size_t i = 0; i < why->ntraps; i++) {
        if (why->records->list[why->traps[i].record]->head == head)
            return true;
    }
    return false;
}

bool why_add_causes(struct why *why, size_t reader, size_t size)
{
    struct cause *causes;
    const size_t count = writes_causes(why->writes, why->traps[reader].record, &causes);
    bool has_room = true;
    for (size_t i = 0; i < count && has_room; i++) {
        if (is_in_answer(why, causes[i].record))
            continue;
        has_room = why->ntraps < size;
        if (has_room)
            why->traps[why->ntraps++] = (struct why_trap){.record = causes[i].record,
                                                          .effect = causes[i].effect,
                                                          .reader = reader,
                                                          .depth = why->traps[reader].depth + 1};
    }
    free(causes);
    return has_room;
}
