/* SPDX-License-Identifier: GPL-2.0-only */
#include "replay/report_triage.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_out.h"
#include "base/xml.h"

/* --- Keeping --------------------------------------------------------------------------------- */

bool is_first_of_group(const struct replay_trap *trap)
{
    return trap->group && trap->group->traps == 1;
}

void keep_trap(struct kept_traps *kept, const struct replay_trap *trap, char *text)
{
    void *more = realloc(kept->list, (kept->count + 1) * sizeof *kept->list);
    if (!more)
        no_memory();
    kept->list = more;
    kept->list[kept->count++] = (struct kept_trap){trap->group, text, is_first_of_group(trap)};
}

void kept_traps_free(struct kept_traps *kept)
{
    for (size_t i = 0; i < kept->count; i++)
        free(kept->list[i].text);
    free(kept->list);
    *kept = (struct kept_traps){0};
}

static const struct kept_trap *first_of(const struct kept_traps *kept,
                                        const struct triage_group *group)
{
    for (size_t i = 0; kept && i < kept->count; i++) {
        if (kept->list[i].group == group && kept->list[i].is_first)
            return &kept->list[i];
    }
    return NULL;
}

/* --- Text ------------------------------------------------------------------------------------ */

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_following(const struct triage_group *group, FILE *out)
{
    if (triage_is_follower(group))
        fprintf(out, "  merely follows from %s, unexplained before\n", group->follows);
    else if (group->following > 0)
        fprintf(out, "  %" PRIu64 " of them merely follow%s from unexplained traps before\n",
                group->following, group->following == 1 ? "s" : "");
}

static void print_beside(const struct triage_group *group, FILE *out)
{
    for (size_t i = 0; i < group->nbeside; i++) {
        fprintf(out, "  beside it, in %" PRIu64 " of them: ", group->beside[i].traps);
        triage_print_signature(&group->beside[i].signature, out);
        fputc('\n', out);
    }
}

void triage_print_group(const struct triage_group *group, FILE *out)
{
    fprintf(out, "%" PRIu64 " trap%s, the first %s: ", group->traps, plural(group->traps),
            group->first);
    triage_print_signature(&group->signature, out);
    fprintf(out, "\n  %s\n", group->difference);
    print_following(group, out);
    triage_print_broken(group, "  breaks ", out);
    if (*group->stuck)
        fprintf(out, "  the model has no answer: %s\n", group->stuck);
    if (*group->panic)
        fprintf(out, "  the model panics: %s\n", group->panic);
    for (size_t i = 0; i < group->nnear; i++)
        fprintf(out, "  nearest %s%s%s, %s\n", triage_near_name(group->near[i].kind),
                *group->near[i].id ? " " : "", group->near[i].id, group->near[i].misses);
    print_beside(group, out);
}

static void print_kept(const struct kept_trap *kept, size_t *left)
{
    if (!kept || *left == 0)
        return;
    fputs(kept->text, stdout);
    --*left;
}

void triage_print_text(const struct replay_report *report, const struct kept_traps *kept)
{
    const size_t ngroups = triage_ngroups(report->triage);
    const uint64_t left_over = triage_left_over(report->triage);
    const uint64_t diverged = report_total(report, OUTCOME_DIVERGED);
    size_t left = report->shown_max;
    if (diverged == 0)
        return;
    printf("\n%" PRIu64 " unexplained, in %zu group%s:\n\n", diverged, ngroups, plural(ngroups));
    for (size_t i = 0; i < ngroups; i++) {
        const struct triage_group *group = triage_group_at(report->triage, i);
        triage_print_group(group, stdout);
        putchar('\n');
        print_kept(first_of(kept, group), &left);
    }
    if (left_over > 0)
        printf("%" PRIu64 " more in further groups\n\n", left_over);
    for (size_t i = 0; i < kept->count; i++) {
        if (!kept->list[i].is_first)
            print_kept(&kept->list[i], &left);
    }
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void add_signature(struct json_out *out, const struct triage_signature *signature)
{
    json_open_object(out, "signature");
    json_text(out, "kind", trace_kind_name(signature->kind));
    json_text(out, "call", signature->call);
    json_text(out, "function", signature->function);
    json_text(out, "effect", signature->effect);
    json_text(out, "field", signature->field);
    json_text(out, "relation", triage_relation_words(signature->relation));
    json_close_object(out);
}

static void add_broken(struct json_out *out, const struct triage_group *group)
{
    json_open_array(out, "violations");
    for (unsigned i = 0; i < FH_INVARIANTS; i++) {
        if (group->broken >> i & 1)
            json_text(out, NULL, fh_invariant_at(i)->name);
    }
    json_close_array(out);
}

static void add_near(struct json_out *out, const struct triage_group *group)
{
    json_open_array(out, "nearest");
    for (size_t i = 0; i < group->nnear; i++) {
        json_open_object(out, NULL);
        json_text(out, "kind", triage_near_name(group->near[i].kind));
        json_text(out, "id", group->near[i].id);
        json_text(out, "misses", group->near[i].misses);
        json_close_object(out);
    }
    json_close_array(out);
}

static void add_beside(struct json_out *out, const struct triage_group *group)
{
    json_open_array(out, "beside");
    for (size_t i = 0; i < group->nbeside; i++) {
        json_open_object(out, NULL);
        add_signature(out, &group->beside[i].signature);
        json_number(out, "traps", group->beside[i].traps);
        json_close_object(out);
    }
    json_close_array(out);
}

static void add_group(struct json_out *out, const struct triage_group *group,
                      const struct kept_trap *kept)
{
    json_open_object(out, NULL);
    add_signature(out, &group->signature);
    json_number(out, "traps", group->traps);
    json_number(out, "following", group->following);
    json_text(out, "first", group->first);
    if (*group->follows)
        json_text(out, "follows", group->follows);
    json_text(out, "difference", group->difference);
    if (*group->stuck)
        json_text(out, "stuck", group->stuck);
    if (*group->panic)
        json_text(out, "panic", group->panic);
    add_broken(out, group);
    add_near(out, group);
    add_beside(out, group);
    if (kept)
        json_insert(out, "trap", kept->text, strlen(kept->text));
    json_close_object(out);
}

void triage_print_json(struct json_out *out, const struct replay_report *report,
                       const struct kept_traps *kept)
{
    json_open_array(out, "groups");
    for (size_t i = 0; i < triage_ngroups(report->triage); i++)
        add_group(out, triage_group_at(report->triage, i),
                  first_of(kept, triage_group_at(report->triage, i)));
    json_close_array(out);
}

/* --- JUnit ----------------------------------------------------------------------------------- */

static void print_case(const struct triage_group *group)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        no_memory();
    triage_print_signature(&group->signature, out);
    fputc('\0', out);
    const long head = ftell(out);
    triage_print_group(group, out);
    fclose(out);
    fputs("    <testcase classname=\"replay.groups\" name=\"", stdout);
    print_xml(stdout, text);
    printf("\">\n      <failure message=\"%" PRIu64 " trap%s\">", group->traps,
           plural(group->traps));
    print_xml(stdout, text + head);
    puts("</failure>\n    </testcase>");
    free(text);
}

void triage_print_junit(const struct replay_report *report)
{
    for (size_t i = 0; i < triage_ngroups(report->triage); i++)
        print_case(triage_group_at(report->triage, i));
}
