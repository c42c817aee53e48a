/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "base/node.h"
#include "base/options.h"
#include "twin/deviations.h"

static const char help[] =
    "usage: fhsim deviations [--json]\n\n"
    "Lists where the recorded hypervisor is known to depart from the spec: the catalogue of\n"
    "`fhsim replay`, as Markdown.\n\n"
    "  --json          a JSON list instead\n";

static const char heading[] =
    "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
    "<!-- Made by `fhsim deviations`: change sim/twin/deviations.c, not this page. -->\n"
    "# Known deviations\n\n"
    "Where the hypervisor of a profile does something else than the spec says. `fhsim replay`\n"
    "explains a difference by one of these or calls it unexplained. A deviation predicts what the\n"
    "machine does in place of what the spec says, and the recording is compared with that: it\n"
    "accepts nothing else. `fhsim replay --without A16` leaves one out.\n\n"
    "Identifiers beginning with A are those of the published findings about this kernel, L those "
    "of\n"
    "this project. Findings that are numbers only (hypercall numbers, masks, limits, marks in\n"
    "descriptors, the geometry of tables: A2, A3, A9, A19 to A21, A25, A29, A30, A44) belong to "
    "the\n"
    "profile and are no deviations; where the verified C body already departs from its spec the\n"
    "model runs the body (A38, A46). The consequence is what the deviation takes from the\n"
    "isolation of VMs, in the worst case that is known.\n";

static void print_markdown(const struct deviation *deviation)
{
    printf("\n## %s: %s\n\n| | |\n| --- | --- |\n", deviation->id, deviation->title);
    printf("| profile | %s |\n", deviation->profile);
    printf("| the spec | %s |\n", deviation->spec);
    printf("| the machine | %s |\n", deviation->machine);
    printf("| consequence | %s |\n", deviation->consequence);
    printf("| recorded | `%s` |\n", deviation->evidence);
}

static void print_member(const char *key, const char *text, bool is_first)
{
    const struct node node = {.kind = NODE_STRING, .text = text, .length = strlen(text)};
    printf("%s\"%s\":", is_first ? "{" : ",", key);
    node_print_json(&node, stdout);
}

static void print_json(const struct deviation *deviation, bool is_first)
{
    fputs(is_first ? "[" : ",\n ", stdout);
    print_member("id", deviation->id, true);
    print_member("profile", deviation->profile, false);
    print_member("title", deviation->title, false);
    print_member("spec", deviation->spec, false);
    print_member("machine", deviation->machine, false);
    print_member("consequence", deviation->consequence, false);
    print_member("evidence", deviation->evidence, false);
    putchar('}');
}

static void print_all(bool json)
{
    if (!json)
        fputs(heading, stdout);
    for (unsigned i = 0; deviation_at(i); i++) {
        if (json)
            print_json(deviation_at(i), i == 0);
        else
            print_markdown(deviation_at(i));
    }
    if (json)
        puts("]");
}

int command_deviations(int argc, char **argv)
{
    bool json = false;
    const struct option_spec options[] = {{"--json", &json, NULL}};
    int nfiles;
    switch (options_read(argc, argv, options, sizeof options / sizeof *options, &nfiles)) {
    case OPTIONS_HELP: fputs(help, stdout); return EXIT_EXPECTED;
    case OPTIONS_GOOD: break;
    default: return EXIT_BAD_INPUT;
    }
    if (nfiles > 0) {
        diag_plain("deviations: it reads no files");
        return EXIT_BAD_INPUT;
    }
    print_all(json);
    return EXIT_EXPECTED;
}
