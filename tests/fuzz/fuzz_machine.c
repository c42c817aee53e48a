/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "machine/read_machine.h"

/* A machine.yaml, alone in its folder. */

static char folder[] = P_tmpdir "/fh-fuzz-machine-XXXXXX";
static char link_path[sizeof folder + sizeof "/machine.yaml"];

static void remove_folder(void)
{
    unlink(link_path);
    rmdir(folder);
}

static void make_folder(const char *file)
{
    FUZZ_CHECK(mkdtemp(folder));
    snprintf(link_path, sizeof link_path, "%s/machine.yaml", folder);
    FUZZ_CHECK(symlink(file, link_path) == 0);
    atexit(remove_folder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_be_quiet();
    const char *file = fuzz_file(data, size);
    if (!link_path[0])
        make_folder(file);
    unsigned faults = 0;
    machine_read_checked(folder, &faults);
    return 0;
}
