/* SPDX-License-Identifier: GPL-2.0-only */
#include "explain/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <faulthandler/state.h>

#include "base/options.h"
#include "base/source.h"
#include "commands.h"
#include "machine/choose.h"

static const char help[] =
    "usage: fhsim explain NAME=VALUE... [--machine M] [--memory RANGES] [--json]\n"
    "       fhsim explain FILE [--machine M] [--memory RANGES] [--json]\n\n"
    "Says what values of registers mean: field by field, and what belongs together joined. FILE,\n"
    "'-' for standard input, is anything that has such values in it: messages of kernels and\n"
    "hypervisors, SMMU faults, ftrace or QEMU lines, as they were pasted or mailed.\n\n"
    "NAME is a register (esr, hpfar, far, spsr, vtcr, vttbr, hcr, par, ... any name of the\n"
    "architecture), an address (ipa, pc), a descriptor of stage 2 (pte, pmd, pud, pgd), a general\n"
    "register (x0), a part of a syndrome (ec, fsc), or one of an SMMU (gfsr, fsr, fsynr0, ...).\n\n"
    "  --machine M   also say what KCore of this machine does with such a trap\n"
    "  --memory BASE:SIZE[,BASE:SIZE...]\n"
    "                with --machine: the memory that it has, which is the host's\n"
    "  --json        for programs\n\n"
    "Exit status: 0 explained, 2 nothing to explain, or bad input.\n";

enum { TEXT_LIMIT = 64 << 20 };

/* --- A number without a name ----------------------------------------------------------------- */

/* What a number could be: nothing is guessed at, each reading is given. */
static void print_candidates(uint64_t value)
{
    static const struct fh_arm_stage2 pages = {.granule_bits = 12};
    char text[256];
    printf("0x%" PRIx64 " has no name; it could be\n", value);
    if (!(value >> 56) && fh_arm_esr_layout(value) && value >> 26) {
        fh_arm_describe_esr(value, text, sizeof text);
        printf("  esr=    a syndrome: %s\n", text);
    }
    if ((value & 3) == 3) {
        fh_arm_describe_descriptor(&pages, 3, value, text, sizeof text);
        printf("  pte=    a descriptor of stage 2, level 3: %s\n", text);
    }
    if ((value & 0xf) == 0 && value && !(value & ~(FH_ARM_BITS(hpfar_el2))))
        printf("  hpfar=  HPFAR_EL2: the page at IPA 0x%" PRIx64 "\n",
               fh_arm_hpfar_el2_of(value).FIPA << 12);
    if (value < 64) {
        fh_arm_describe_status(value, text, sizeof text);
        printf("  fsc=    a fault status: %s\n", text);
        printf("  ec=     an exception class: %s\n", fh_arm_class_name(value));
    }
    if (value >= 0x1000)
        printf("  far=, ipa=, pc=  an address\n");
    printf("Give it with its name: `fhsim explain NAME=0x%" PRIx64 "`.\n", value);
}

/* --- The command ----------------------------------------------------------------------------- */

static void print(const struct explained *explained, bool is_json)
{
    if (is_json)
        print_json(explained, stdout);
    else
        print_text(explained, stdout);
}

static bool has_values(const struct finds *finds)
{
    for (size_t i = 0; i < finds->count; i++) {
        if (!finds->items[i].message)
            return true;
    }
    return false;
}

/* A file that is one number, as somebody pasted it. */
static bool is_bare(const struct source *source, uint64_t *value)
{
    char word[32];
    const char *start = source->text + strspn(source->text, " \t\r\n");
    const size_t length = strcspn(start, " \t\r\n");
    if (length == 0 || length >= sizeof word || start[length + strspn(start + length, " \t\r\n")])
        return false;
    memcpy(word, start, length);
    word[length] = 0;
    return read_bare_number(word, value);
}

static int explain_file(const char *path, struct explained *explained, bool is_json)
{
    struct source source;
    struct finds finds = {0};
    uint64_t value;
    int status = EXIT_BAD_INPUT;
    if (!source_read(&source, path, TEXT_LIMIT)) {
        source_free(&source);
        return EXIT_BAD_INPUT;
    }
    find_values(source.text, source.length, &finds);
    explained->name = source.name;
    explained->text = source.text;
    explained->finds = &finds;
    if (has_values(&finds)) {
        print(explained, is_json);
        status = EXIT_EXPECTED;
    } else if (is_bare(&source, &value)) {
        print_candidates(value);
    } else {
        diag_plain("%s: no value with a name that `fhsim explain` knows; `fhsim explain --help` "
                   "tells which it does",
                   source.name);
    }
    finds_free(&finds);
    source_free(&source);
    return status;
}

static int explain_values(int count, char **arguments, struct explained *explained, bool is_json)
{
    struct finds finds = {0};
    bool is_good = true;
    for (int i = 0; i < count && is_good; i++)
        is_good = find_argument(arguments[i], &finds);
    explained->finds = &finds;
    if (is_good)
        print(explained, is_json);
    finds_free(&finds);
    return is_good ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

/* Values, a file, or a number alone? */
static int explain(int count, char **arguments, struct explained *explained, bool is_json)
{
    uint64_t value;
    int values = 0;
    for (int i = 0; i < count; i++)
        values += strchr(arguments[i], '=') != NULL;
    if (values == count)
        return explain_values(count, arguments, explained, is_json);
    if (values > 0 || count > 1) {
        diag_plain("explain: either values (NAME=VALUE...) or one file");
        return EXIT_BAD_INPUT;
    }
    FILE *file = fopen(arguments[0], "rb");
    if (!file && read_bare_number(arguments[0], &value)) {
        print_candidates(value);
        return EXIT_BAD_INPUT;
    }
    if (file)
        fclose(file);
    return explain_file(arguments[0], explained, is_json);
}

/* "0x40000000:0x80000000,..." */
static bool read_memory(const char *text, struct explained *explained)
{
    while (explained->nregions < EXPLAIN_REGIONS) {
        struct fh_scene_region *region = &explained->regions[explained->nregions];
        char base[24], size[24];
        int length = 0;
        if (sscanf(text, "%23[^:,]:%23[^:,]%n", base, size, &length) != 2 || length == 0 ||
            !read_bare_number(base, &region->base) || !read_bare_number(size, &region->size))
            break;
        explained->nregions++;
        text += length;
        if (!*text)
            return true;
        if (*text++ != ',')
            break;
    }
    diag_plain("explain: --memory must be BASE:SIZE, up to %d of them with commas between",
               EXPLAIN_REGIONS);
    return false;
}

/* Memory needs a machine that can have it: whole pages, nothing twice. */
static bool take_memory(const char *text, struct explained *explained)
{
    if (!text)
        return true;
    if (!explained->machine) {
        diag_plain("explain: --memory needs --machine");
        return false;
    }
    if (!read_memory(text, explained))
        return false;
    struct fh_state *state = explain_state(explained);
    if (!state)
        diag_plain("explain: %s cannot have this memory: regions are of whole pages, and do not "
                   "overlap",
                   explained->machine->name);
    fh_state_free(state);
    return state != NULL;
}

int command_explain(int argc, char **argv)
{
    struct machine_wish wish = {NULL, NULL, NULL};
    struct machine_choice choice;
    bool is_json = false;
    const char *memory = NULL;
    int count;
    const struct option_spec options[] = {
        {"--machine", NULL, &wish.name}, {"--memory", NULL, &memory}, {"--json", &is_json, NULL}};
    struct explained explained = {0};
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    case OPTIONS_GOOD: break;
    }
    if (count == 0) {
        fputs(help, stderr);
        return EXIT_BAD_INPUT;
    }
    if (!machine_choose("explain", &wish, &choice))
        return EXIT_BAD_INPUT;
    explained.machine = choice.machine;
    if (!take_memory(memory, &explained))
        return EXIT_BAD_INPUT;
    return explain(count, argv, &explained, is_json);
}
