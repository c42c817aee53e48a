/* SPDX-License-Identifier: GPL-2.0-only */
#include "show/changes.h"

#include <stdlib.h>
#include <string.h>

#include <faulthandler/delta.h>
#include <faulthandler/words.h>

#include "base/diag.h"
#include "base/text_stream.h"
#include "patch/patch.h"

struct changes {
    const struct fh_profile *k;
    bool is_long;
    size_t registers;
    changes_tell *tell;
    void *context;
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* What CPUs that do not act wait with is no news, nor is how often an oracle was asked. */
static bool is_bookkeeping(const char *text)
{
    return starts_with(text, "machine") || starts_with(text, "tlb") ||
           starts_with(text, "data_log") || starts_with(text, "core_data_log");
}

/* A register that the trap came with: the CPU's, or what is kept of the host. */
static bool is_input(const struct changes *changes, const char *text)
{
    static const char contexts[] = "shadow_ctxts.";
    if (starts_with(text, contexts))
        return strtoull(text + strlen(contexts), NULL, 0) < changes->k->VCPU_PER_VM;
    return starts_with(text, "regs.");
}

static bool tell_change(void *context, const struct fh_change *change)
{
    struct changes *changes = context;
    char text[600];
    if (change->type->kind == FH_KIND_LOG)
        return true;
    fh_change_format(change, text, sizeof text);
    if (is_bookkeeping(text))
        return true;
    if (!changes->is_long && is_input(changes, text)) {
        changes->registers++;
        return true;
    }
    struct text_stream stream;
    FILE *out = text_stream_begin(&stream);
    path_print(changes->k, change->path, out);
    fputs(strstr(text, ": "), out);
    text_stream_end(&stream);
    changes->tell(changes->context, stream.text);
    text_stream_free(&stream);
    return true;
}

size_t changes_visit(const struct fh_profile *k, const struct fh_rdata *before,
                     const struct fh_rdata *after, bool is_long, changes_tell *tell, void *context)
{
    struct changes changes = {.k = k, .is_long = is_long, .tell = tell, .context = context};
    if (!fh_delta(before, after, tell_change, &changes))
        no_memory();
    return changes.registers;
}
