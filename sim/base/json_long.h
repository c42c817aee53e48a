/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SIM_JSON_LONG_H
#define SIM_JSON_LONG_H

#include "base/json.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Long records: a map, one of whose values is a list so long that nobody wants all of it in memory
 * as anything but its text. The list is found by its brackets, and read member by member.
 */

/* A text with a long list in it. */
struct json_long {
    const char *begin, *end; /* of the list's members, between its brackets */
    const char *colon;       /* that stands before the list, behind its key */
    char *rest;              /* the text with the list empty, with json_padding(); to be freed */
    size_t rest_length;
};

/*
 * Is the text a map with a list that is long, nested no deeper than any reader goes? That all of it
 * is JSON is not looked at.
 */
bool json_find_long(const char *text, size_t length, struct json_long *found);

/*
 * The member that begins at *at, which goes to the next one; its length in *length, at least one
 * byte. NULL at the end of the list.
 */
const char *json_long_member(const struct json_long *list, const char **at, size_t *length);

/*
 * As json_parse, but a long list of maps and lists is made in turn (struct node_turn of node.h),
 * each member in `member`, which lives as long as `arena`. The text stays as it is as long as the
 * tree.
 */
struct node *json_parse_in_turn(struct json_reader *reader, struct arena *arena,
                                struct arena *member, const char *text, size_t length,
                                unsigned line, const char **error, size_t *offset);

#ifdef __cplusplus
}
#endif

#endif
