/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/convert.h"

#include <string.h>

#include "commands.h"
#include "base/files.h"
#include "base/options.h"
#include "base/report_file.h"
#include "convert/recognise.h"

static const char help_begin[] =
    "usage: fhsim convert TRACE-OR-RECORDING [-o FILE] [--to FORM]\n"
    "       fhsim convert --from FORMAT FILE... [-o FILE] [--to FORM]\n\n"
    "Writes a trace, as `fhsim replay` reads it, to standard output or to a file, which appears\n"
    "when it is complete. '-' is standard input.\n\n"
    "  -o FILE        write to FILE; how its name ends (.jsonl, .cbor, .jsonl.zst, .cbor.zst)\n"
    "                 says in which form\n"
    "  --to FORM      jsonl: JSON Lines, for people; cbor: a CBOR sequence, which is read\n"
    "                 faster; jsonl.zst, cbor.zst: the same compressed. On standard output\n"
    "                 jsonl is the default\n"
    "  --from FORMAT  what FILE is; without it that is recognised:\n";

static const char help_end[] =
    "  --symbols FILE the symbols of the kernel (kallsyms), for qemu-int: whose vectors those\n"
    "                 of EL2 are\n"
    "  --strict       end at the first line of a recording that is not of its format; without it\n"
    "                 such lines are counted and passed over\n"
    "\nExit status: 0 all converted, 2 bad input; what comes before it "
    "is converted all the same.\n";

#define SOURCE(id, name, reads) &source_##id,
static const struct source_format *const sources[] = {&source_trace, &source_recorder,
                                                      IMPORTER_MAP(SOURCE) & source_stage2_dump};
#undef SOURCE

enum { SOURCES = sizeof sources / sizeof *sources };

/* --- The command ----------------------------------------------------------------------------- */

static void print_help(void)
{
    fputs(help_begin, stdout);
    for (unsigned i = 0; i < SOURCES; i++)
        printf("    %-12s %s\n", sources[i]->name, sources[i]->reads);
    fputs(help_end, stdout);
}

static const struct source_format *find_source(const char *name)
{
    const char *names[SOURCES];
    for (unsigned i = 0; i < SOURCES; i++) {
        names[i] = sources[i]->name;
        if (strcmp(name, names[i]) == 0)
            return sources[i];
    }
    const char *meant = nearest(name, names, SOURCES);
    diag_plain("convert: --from does not know '%s'%s%s%s", name, meant ? "; did you mean '" : "",
               meant ? meant : "; `fhsim convert --help` lists what it knows", meant ? "'?" : "");
    return NULL;
}

/* The form of the new trace: as it is said, or as the file's name ends. */
static bool find_form(const char *to, const char *path, struct trace_form *form)
{
    if (to && !trace_form_find(to, form)) {
        diag_plain("convert: --to knows jsonl, cbor, jsonl.zst and cbor.zst, not '%s'", to);
        return false;
    }
    if (to || !path || trace_form_of_file(path, form))
        return true;
    diag_plain("convert: %s: a name that ends with .jsonl or .cbor, and perhaps .zst, says what to "
               "write; or --to does",
               path);
    return false;
}

static bool check_count(const struct source_format *source, size_t count)
{
    if (count > 0 && count <= source->files_max)
        return true;
    diag_plain(count == 0 ? "convert: no file; `fhsim convert --help` explains it"
                          : "convert: one file at a time; the trace is written to standard output "
                            "or, with -o, to a file");
    return false;
}

/* The output is none of the files that are read. */
static bool is_apart(const char *output, const char *symbols, const char *const *paths,
                     size_t count)
{
    const struct output_path outputs[] = {{"-o", output}};
    return outputs_are_apart("convert", outputs, 1, paths, count) &&
           outputs_are_apart("convert", outputs, 1, &symbols, symbols ? 1 : 0);
}

static int run(const struct source_format *source, struct conversion *conversion, const char *path,
               struct trace_form form)
{
    progress_begin(&conversion->progress, conversion->paths, conversion->count);
    conversion->out = trace_out_open(path, form);
    if (!conversion->out)
        return EXIT_BAD_INPUT;
    bool good = source->convert(conversion);
    progress_clear(&conversion->progress);
    if (good && trace_out_is_empty(conversion->out)) {
        const char *name = conversion->paths[0];
        diag(&(const struct place){strcmp(name, "-") == 0 ? "<stdin>" : name, 0, 0}, NULL,
             "nothing to convert: there is no record in it");
        good = false;
    }
    if (!good && path && trace_out_is_empty(conversion->out)) {
        trace_out_discard(conversion->out);
        return EXIT_BAD_INPUT;
    }
    return trace_out_close(conversion->out) && good ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

/* What becomes no trace: a text, on standard output or in a file that appears when it is whole. */
static int run_text(const struct source_format *source, struct conversion *conversion,
                    const char *path)
{
    struct report_file *file = path ? report_file_open(path) : NULL;
    if (path && !file)
        return EXIT_BAD_INPUT;
    if (!source->write(conversion, path ? report_file_stream(file) : stdout)) {
        report_file_discard(file);
        return EXIT_BAD_INPUT;
    }
    return !file || report_file_commit(file) ? EXIT_EXPECTED : EXIT_BAD_INPUT;
}

/*
 * Without --from it is a trace, or a recording that is recognised. NULL, with a message, if it is
 * neither.
 */
static const struct source_format *recognise_source(const char *path)
{
    const struct recognised is = recognise_file(path, NULL);
    if (is.other)
        recognise_refuse(path, is.other);
    return is.other || is.is_unreadable ? NULL
           : is.importer                ? find_source(is.importer->name)
                                        : &source_trace;
}

int command_convert(int argc, char **argv)
{
    const char *from = NULL;
    const char *to = NULL;
    const char *path = NULL;
    const char *symbols = NULL;
    bool strict = false;
    const struct option_spec options[] = {{"--from", NULL, &from},
                                          {"--strict", &strict, NULL},
                                          {"--to", NULL, &to},
                                          {"-o", NULL, &path},
                                          {"--symbols", NULL, &symbols}};
    int count;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &count)) {
    case OPTIONS_HELP: print_help(); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    case OPTIONS_GOOD: break;
    }
    struct trace_form form = {false, false};
    if (path && strcmp(path, "-") == 0)
        path = NULL; /* standard output */
    const struct source_format *source = from         ? find_source(from)
                                         : count == 1 ? recognise_source(argv[0])
                                                      : &source_trace;
    if (!source || !check_count(source, (size_t)count))
        return EXIT_BAD_INPUT;
    if (symbols && source != &source_qemu_int) {
        diag_plain("convert: --symbols goes with --from qemu-int");
        return EXIT_BAD_INPUT;
    }
    if ((!source->write && !find_form(to, path, &form)) ||
        !is_apart(path, symbols, (const char *const *)argv, (size_t)count))
        return EXIT_BAD_INPUT;
    struct conversion conversion = {
        .paths = argv, .count = (size_t)count, .symbols = symbols, .strict = strict};
    return source->write ? run_text(source, &conversion, path)
                         : run(source, &conversion, path, form);
}
