/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <faulthandler/path.h>

#include "base/whole_path.h"

/* Read and evaluated at once, by recursive descent. */
struct parser {
    const char *text, *at;
    const struct fh_state *state;
    expression_word *word;
    void *context;
    struct expression_error *error;
    unsigned depth;
    bool failed;
};

enum { WORD_MAX = 256, DEPTH_MAX = 100 };

__attribute__((format(printf, 3, 4))) static uint64_t fail(struct parser *parser, const char *at,
                                                           const char *format, ...)
{
    va_list args;
    if (parser->failed)
        return 0;
    parser->failed = true;
    parser->error->offset = (size_t)(at - parser->text);
    va_start(args, format);
    vsnprintf(parser->error->message, sizeof parser->error->message, format, args);
    va_end(args);
    return 0;
}

static void skip_space(struct parser *parser)
{
    while (isspace((unsigned char)*parser->at))
        parser->at++;
}

/* Is this operator next? Of two that begin alike the longer one is asked for first. */
static bool take(struct parser *parser, const char *operator)
{
    skip_space(parser);
    const size_t length = strlen(operator);
    if (parser->failed || strncmp(parser->at, operator, length) != 0)
        return false;
    parser->at += length;
    return true;
}

/* --- What has a value ------------------------------------------------------------------------- */

static uint64_t read_number(struct parser *parser)
{
    char *end;
    const char *start = parser->at;
    errno = 0;
    const uint64_t value = strtoull(start, &end, strncmp(start, "0x", 2) == 0 ? 16 : 10);
    if (errno != 0)
        return fail(parser, start, "a number beyond 64 bits");
    if (isalnum((unsigned char)*end) || *end == '_')
        return fail(parser, start, "a number is decimal, or begins with 0x");
    parser->at = end;
    return value;
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static size_t copy_word(struct parser *parser, char word[WORD_MAX])
{
    size_t length = 0;
    while (is_of_word(parser->at[length]))
        length++;
    if (length < WORD_MAX) {
        memcpy(word, parser->at, length);
        word[length] = '\0';
    }
    return length;
}

/* "mapped by vm 1": the words behind belong to it. */
static bool add_phrase(struct parser *parser, char word[WORD_MAX])
{
    char next[WORD_MAX];
    const char *start = parser->at;
    if (strcmp(word, "mapped") != 0 && strcmp(word, "mapped by") != 0 &&
        strcmp(word, "mapped by vm") != 0)
        return false;
    skip_space(parser);
    const size_t length = copy_word(parser, next);
    if (length == 0 || strlen(word) + length + 2 > WORD_MAX) {
        parser->at = start;
        return false;
    }
    strcat(strcat(word, " "), next);
    parser->at += length;
    return true;
}

/* Why the path names nothing; `shared.`, which was left out, is not counted. */
static uint64_t fail_at_path(struct parser *parser, const char *start, const char *word,
                             const char *path)
{
    char reason[WORD_MAX + 100];
    struct fh_found found;
    struct fh_path_error error;
    fh_path_find(fh_state_rdata(parser->state), fh_state_profile(parser->state), path, &found,
                 &error);
    fh_path_error_format(&error, path, reason, sizeof reason);
    return fail(parser, start + error.offset - (strlen(path) - strlen(word)), "%s", reason);
}

static uint64_t read_word(struct parser *parser)
{
    char word[WORD_MAX], buffer[WORD_MAX + 8];
    uint64_t value;
    const char *start = parser->at;
    const size_t length = copy_word(parser, word);
    if (length >= WORD_MAX)
        return fail(parser, start, "a word of more than %d characters", WORD_MAX - 1);
    parser->at += length;
    while (add_phrase(parser, word))
        ;
    if (parser->word && parser->word(parser->context, word, &value))
        return value;
    if (fh_profile_constant(fh_state_profile(parser->state), word, strlen(word), &value))
        return value;
    const char *path = whole_path(word, buffer, sizeof buffer);
    switch (fh_get(parser->state, path, &value)) {
    case FH_OK: return value;
    case FH_INVALID_ARGUMENT:
        return fail(parser, start, "'%s' is no number, but a part of the state with parts", word);
    default: return fail_at_path(parser, start, word, path);
    }
}

static uint64_t read_or(struct parser *parser);

static uint64_t read_atom(struct parser *parser)
{
    skip_space(parser);
    if (++parser->depth > DEPTH_MAX)
        return fail(parser, parser->at, "brackets or ! nested more than %d deep", DEPTH_MAX);
    uint64_t value = 0;
    if (take(parser, "(")) {
        value = read_or(parser);
        if (!take(parser, ")"))
            fail(parser, parser->at, "')' is missing");
    } else if (*parser->at == '!' && parser->at[1] != '=') {
        parser->at++;
        value = !read_atom(parser);
    } else if (isdigit((unsigned char)*parser->at)) {
        value = read_number(parser);
    } else if (isalpha((unsigned char)*parser->at) || *parser->at == '_') {
        value = read_word(parser);
    } else {
        fail(parser, parser->at,
             *parser->at ? "a number or a word is needed" : "it ends too early");
    }
    parser->depth--;
    return value;
}

/* --- Operators, the strongest first ------------------------------------------------------------
 */

static uint64_t read_sum(struct parser *parser)
{
    uint64_t value = read_atom(parser);
    while (!parser->failed) {
        skip_space(parser);
        if (take(parser, "+"))
            value += read_atom(parser);
        else if (take(parser, "-"))
            value -= read_atom(parser);
        else if (take(parser, ">>"))
            value >>= read_atom(parser) & 63;
        else if (take(parser, "<<"))
            value <<= read_atom(parser) & 63;
        else if (strncmp(parser->at, "&&", 2) != 0 && take(parser, "&"))
            value &= read_atom(parser);
        else
            break;
    }
    return value;
}

static uint64_t read_comparison(struct parser *parser)
{
    const uint64_t left = read_sum(parser);
    if (take(parser, "=="))
        return left == read_sum(parser);
    if (take(parser, "!="))
        return left != read_sum(parser);
    if (take(parser, "<="))
        return left <= read_sum(parser);
    if (take(parser, ">="))
        return left >= read_sum(parser);
    if (take(parser, "<"))
        return left < read_sum(parser);
    if (take(parser, ">"))
        return left > read_sum(parser);
    return left;
}

/* Both sides are read, so that what is wrong is told whatever the state is. */
static uint64_t read_and(struct parser *parser)
{
    uint64_t value = read_comparison(parser);
    while (take(parser, "&&")) {
        const uint64_t right = read_comparison(parser);
        value = value != 0 && right != 0;
    }
    return value;
}

static uint64_t read_or(struct parser *parser)
{
    uint64_t value = read_and(parser);
    while (take(parser, "||")) {
        const uint64_t right = read_and(parser);
        value = value != 0 || right != 0;
    }
    return value;
}

bool expression_evaluate(const char *text, const struct fh_state *state, expression_word *word,
                         void *context, uint64_t *value, struct expression_error *error)
{
    struct parser parser = {
        .text = text, .at = text, .state = state, .word = word, .context = context, .error = error};
    *value = read_or(&parser);
    skip_space(&parser);
    if (!parser.failed && *parser.at)
        fail(&parser, parser.at, "an operator is needed here: == != < <= > >= + - & >> << && ||");
    return !parser.failed;
}
