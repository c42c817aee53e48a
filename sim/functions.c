/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include <faulthandler/faulthandler.h>

#include "commands.h"
#include "base/diag.h"
#include "base/json_out.h"
#include "base/options.h"
#include "vector_counts.h"

/* Where the number of vectors stands. */
enum { COLUMN = 72 };

static const char help[] = "usage: fhsim functions [--json]\n\n"
                           "Lists the spec functions by layer, bottom to top, with their "
                           "signatures and\n"
                           "the number of vectors that call them.\n";

static const char *const result_names[] = {
    [FH_RETURNS_state] = "state",
    [FH_RETURNS_u32] = "u32",
    [FH_RETURNS_u64] = "u64",
    [FH_RETURNS_state_u32] = "state, u32",
    [FH_RETURNS_state_u64] = "state, u64",
};

struct count {
    const char *layer, *name;
    unsigned vectors, of_body;
};

static const struct count counts[] = {
#define COUNT(layer, name, vectors, of_body) {#layer, #name, vectors, of_body},
    FH_VECTOR_MAP(COUNT)
#undef COUNT
};

static struct count count_of(const struct fh_function *function)
{
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (strcmp(counts[i].layer, function->layer) == 0 &&
            strcmp(counts[i].name, function->name) == 0)
            return counts[i];
    }
    return (struct count){function->layer, function->name, 0, 0};
}

/* Returns how many characters it took. */
static int print_signature(const struct fh_function *function)
{
    int width = printf("  %s(", function->name);
    for (unsigned i = 0; i < function->nargs; i++)
        width +=
            printf("%su%u %s", i > 0 ? ", " : "", function->arg_bits[i], function->arg_names[i]);
    return width + printf(") -> %s", result_names[function->result]);
}

static void print_row(const struct fh_function *function)
{
    const struct count count = count_of(function);
    int width = print_signature(function);
    printf("%*s%5u vectors", width < COLUMN ? COLUMN - width : 0, "", count.vectors);
    if (count.of_body > 0)
        printf(", %u of its body", count.of_body);
    putchar('\n');
}

static void print_text(void)
{
    const char *layer = "";
    const struct fh_function *function;
    unsigned count = 0;
    for (; (function = fh_function_at(count)); count++) {
        if (strcmp(layer, function->layer) != 0)
            printf("%s%s\n", count > 0 ? "\n" : "", layer = function->layer);
        print_row(function);
    }
    printf("\n%u functions\n", count);
}

static void put_function(struct json_out *json, const struct fh_function *function)
{
    const bool is_32 =
        function->result == FH_RETURNS_u32 || function->result == FH_RETURNS_state_u32;
    const bool changes_state =
        function->result != FH_RETURNS_u32 && function->result != FH_RETURNS_u64;
    const struct count count = count_of(function);
    json_open_object(json, NULL);
    json_text(json, "layer", function->layer);
    json_text(json, "name", function->name);
    json_open_array(json, "args");
    for (unsigned i = 0; i < function->nargs; i++) {
        json_open_object(json, NULL);
        json_text(json, "name", function->arg_names[i]);
        json_number(json, "bits", function->arg_bits[i]);
        json_close_object(json);
    }
    json_close_array(json);
    json_bool(json, "changes_state", changes_state);
    if (fh_function_returns_value(function))
        json_number(json, "result_bits", is_32 ? 32 : 64);
    json_number(json, "vectors", count.vectors);
    if (count.of_body > 0)
        json_number(json, "vectors_of_body", count.of_body);
    json_close_object(json);
}

static void print_json(void)
{
    const struct fh_function *function;
    struct json_out json;
    json_out_begin_rows(&json, stdout, 1);
    json_open_array(&json, NULL);
    for (unsigned n = 0; (function = fh_function_at(n)); n++)
        put_function(&json, function);
    json_close_array(&json);
    json_out_end(&json);
}

int command_functions(int argc, char **argv)
{
    bool json = false;
    const struct option_spec options[] = {{"--json", &json, NULL}};
    int count;
    switch (options_read(argc, argv, options, 1, &count)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_BAD: return EXIT_BAD_INPUT;
    default: break;
    }
    if (count > 0) {
        diag_plain("functions: takes no argument ('%s')", argv[0]);
        return EXIT_BAD_INPUT;
    }
    if (json)
        print_json();
    else
        print_text();
    return EXIT_EXPECTED;
}
