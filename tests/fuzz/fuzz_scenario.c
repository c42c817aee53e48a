/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "scenario/play.h"

/* A scenario: read, and played with its trace. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    struct scenario scenario;
    struct outcome outcome;
    if (scenario_load_text(&scenario, "fuzz", text))
        play(&scenario, true, &outcome);
    scenario_free(&scenario);
    free(text);
    return 0;
}
