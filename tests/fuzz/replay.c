/* SPDX-License-Identifier: GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* usage: TARGET FOLDER...: every file of the folders, and each of its halves, through the target.
 */

enum { LONGEST = 1 << 20 };
static uint8_t bytes[LONGEST];

static bool try_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    /* Exactly as long as it says, so that a sanitizer sees who reads behind the end. */
    const size_t ends[] = {size, size / 2, size > 0 ? size - 1 : 0};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        uint8_t *copy = malloc(ends[i] > 0 ? ends[i] : 1);
        if (!copy)
            return false;
        memcpy(copy, bytes, ends[i]);
        LLVMFuzzerTestOneInput(copy, ends[i]);
        free(copy);
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        for (struct dirent *entry; folder && (entry = readdir(folder));) {
            char path[4096];
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            if (entry->d_name[0] == '.')
                continue;
            if (!try_file(path))
                return 1;
            files++;
        }
        if (folder)
            closedir(folder);
    }
    return files > 0 ? 0 : 1;
}
