/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands.h"
#include "fuzz.h"

/* A command, FUZZ_COMMAND called FUZZ_NAME, on a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    char name[] = FUZZ_NAME, path[64];
    const char *file = fuzz_file(data, size);
    for (size_t i = 0; i == 0 || path[i - 1]; i++)
        path[i] = file[i];
    char *arguments[] = {name, path, 0};
    FUZZ_COMMAND(2, arguments);
    return 0;
}
