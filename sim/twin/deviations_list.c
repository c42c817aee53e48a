/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "base/diag.h"
#include "base/node.h"
#include "base/options.h"
#include "twin/deviations.h"
#include "twin/findings.h"

static const char help[] =
    "usage: fhsim deviations [--json]\n\n"
    "Lists where the recorded hypervisor is known to depart from the spec: the catalogue of\n"
    "`fhsim replay`, and what else is known, as Markdown.\n\n"
    "  --json          a JSON list instead\n";

static const char heading[] =
    "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n"
    "<!-- Made by `fhsim deviations`: change sim/twin/deviations.c, not this page. -->\n"
    "# Known deviations\n\n"
    "Where the hypervisor of a profile does something else than the spec says. `fhsim replay`\n"
    "explains a difference by one of these or calls it unexplained. A deviation predicts what the\n"
    "machine does in place of what the spec says, and the recording is compared with that: it\n"
    "accepts nothing else. `fhsim replay --without A16` leaves one out.\n\n"
    "Identifiers beginning with A, B and C are those of the published findings about this kernel,\n"
    "L those of this project. The consequence is what the deviation takes from the isolation of\n"
    "VMs, in the worst case that is known. Findings for which a replay needs no rule, or has "
    "none,\n"
    "stand at the end.\n";

static const char heading_of_findings[] =
    "\n## Findings without a rule\n\n"
    "The difference is covered by the profile, where it is a number (of the profile, or of the\n"
    "state that the boot record describes); by the verified body, where the C code that was\n"
    "verified departs from its spec already and a replay runs it; by the spec, where that does\n"
    "the same; or by nothing, where no recording at hand shows it: a trap that does has an\n"
    "unexplained difference.\n\n"
    "| | finding | the spec | the machine | consequence | covered by |\n"
    "| --- | --- | --- | --- | --- | --- |\n";

static void print_markdown(const struct deviation *deviation)
{
    printf("\n## %s: %s\n\n| | |\n| --- | --- |\n", deviation->id, deviation->title);
    printf("| profile | %s |\n", deviation->profile);
    printf("| the spec | %s |\n", deviation->spec);
    printf("| the machine | %s |\n", deviation->machine);
    printf("| consequence | %s |\n", deviation->consequence);
    printf("| recorded | `%s` |\n", deviation->evidence);
}

static void print_finding(const struct finding *finding)
{
    printf("| %s | %s | %s | %s | %s | %s: %s |\n", finding->id, finding->title, finding->spec,
           finding->machine, finding->consequence, finding_cover_name(finding->cover),
           finding->how);
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
    print_member("covered_by", "a rule", false);
    putchar('}');
}

static void print_finding_json(const struct finding *finding)
{
    fputs(",\n ", stdout);
    print_member("id", finding->id, true);
    print_member("profile", finding->profile, false);
    print_member("title", finding->title, false);
    print_member("spec", finding->spec, false);
    print_member("machine", finding->machine, false);
    print_member("consequence", finding->consequence, false);
    print_member("covered_by", finding_cover_name(finding->cover), false);
    print_member("how", finding->how, false);
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
    if (!json)
        fputs(heading_of_findings, stdout);
    for (unsigned i = 0; finding_at(i); i++) {
        if (json)
            print_finding_json(finding_at(i));
        else
            print_finding(finding_at(i));
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
