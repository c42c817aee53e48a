/* SPDX-License-Identifier: GPL-2.0-only */
#include <faulthandler/delta.h>

#include "base/text.h"

#include <string.h>

/*
 * A walk over two values of one type in parallel. Map entries that only one side has are compared
 * with the default of the other; references to the same record and shared nodes are skipped.
 */
struct walk {
    fh_change_visit *visit;
    void *context;
    struct fh_path path;
};

static bool walk_values(struct walk *walk, const struct fh_type *type, const void *a,
                        const void *b);

static struct fh_step *push(struct walk *walk)
{
    struct fh_step *step = &walk->path.steps[walk->path.length++];
    memset(step, 0, sizeof *step);
    return step;
}

static bool report(struct walk *walk, const struct fh_type *type, const void *a, const void *b)
{
    const struct fh_change change = {&walk->path, type, a, b};
    return walk->visit(walk->context, &change);
}

static bool walk_fields(struct walk *walk, const struct fh_type *type, const void *a, const void *b)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        const struct fh_field *field = &type->fields[i];
        push(walk)->field = field->name;
        bool go_on = walk_values(walk, field->type, (const char *)a + field->offset,
                                 (const char *)b + field->offset);
        walk->path.length--;
        if (!go_on)
            return false;
    }
    return true;
}

struct map_walk {
    struct walk *walk;
    const struct fh_type *map;
    const void *fallback_a;
    const void *fallback_b;
};

static bool visit_entry(void *context, uint64_t key, const void *a, const void *b)
{
    const struct map_walk *maps = context;
    struct fh_step *step = push(maps->walk);
    step->nkeys = maps->map->depth;
    fh_map_unpack_key(maps->map, key, step->keys);
    bool go_on = walk_values(maps->walk, maps->map->value, a ? a : maps->fallback_a,
                             b ? b : maps->fallback_b);
    maps->walk->path.length--;
    return go_on;
}

static bool walk_maps(struct walk *walk, const struct fh_type *type, const struct fh_map *a,
                      const struct fh_map *b)
{
    const struct fh_map_type *value = &type->value->as_value;
    struct map_walk maps = {walk, type, fh_map_fallback(a, value), fh_map_fallback(b, value)};
    if (maps.fallback_a != maps.fallback_b) {
        push(walk)->is_fallback = true;
        bool go_on = walk_values(walk, type->value, maps.fallback_a, maps.fallback_b);
        walk->path.length--;
        if (!go_on)
            return false;
    }
    return fh_map_diff(a, b, value, visit_entry, &maps);
}

static bool tuples_equal(const struct fh_type *type, const void *a, const void *b)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        if (fh_tuple_get(type, a, i) != fh_tuple_get(type, b, i))
            return false;
    }
    return true;
}

static bool walk_values(struct walk *walk, const struct fh_type *type, const void *a, const void *b)
{
    switch (type->kind) {
    case FH_KIND_RECORD: return walk_fields(walk, type, a, b);
    case FH_KIND_REF: {
        const void *x = fh_ref_record(type, a), *y = fh_ref_record(type, b);
        return x == y || walk_fields(walk, type, x, y);
    }
    case FH_KIND_MAP: return walk_maps(walk, type, a, b);
    case FH_KIND_LOG: return fh_log_equal(a, b) || report(walk, type, a, b);
    case FH_KIND_TUPLE: return tuples_equal(type, a, b) || report(walk, type, a, b);
    default: return fh_scalar_get(type, a) == fh_scalar_get(type, b) || report(walk, type, a, b);
    }
}

bool fh_delta_values(const struct fh_type *type, const void *before, const void *after,
                     fh_change_visit *visit, void *context)
{
    struct walk walk = {.visit = visit, .context = context};
    return walk_values(&walk, type, before, after);
}

bool fh_delta(const struct fh_rdata *before, const struct fh_rdata *after, fh_change_visit *visit,
              void *context)
{
    return before == after || fh_delta_values(fh_rdata_type(), before, after, visit, context);
}

static bool end_at_first(void *context, const struct fh_change *change)
{
    (void)context;
    (void)change;
    return false;
}

bool fh_event_equal(const struct fh_event *a, const struct fh_event *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->cpu != b->cpu || memcmp(a->args, b->args, sizeof a->args) != 0)
        return false;
    const struct fh_type *type = fh_event_object_type((enum fh_event_kind)a->kind);
    return !type || fh_delta_values(type, &a->object, &b->object, end_at_first, NULL);
}

bool fh_log_equal(const struct fh_log *a, const struct fh_log *b)
{
    if (a->length != b->length || a->lock != b->lock || a->holder != b->holder ||
        a->budget != b->budget)
        return false;
    const struct fh_event *x = a->newest, *y = b->newest;
    for (; x && y && x != y; x = x->older, y = y->older) {
        if (!fh_event_equal(x, y))
            return false;
    }
    return true;
}

size_t fh_path_format(const struct fh_path *path, char *buffer, size_t size)
{
    struct text text = {buffer, size, 0};
    for (unsigned i = 0; i < path->length; i++) {
        const struct fh_step *step = &path->steps[i];
        if (i > 0)
            text_put_char(&text, '.');
        if (step->field)
            text_put(&text, step->field);
        else if (step->is_fallback)
            text_put(&text, "_");
        for (unsigned j = 0; j < step->nkeys; j++) {
            if (j > 0)
                text_put_char(&text, '.');
            text_put_digits(&text, step->keys[j], 10);
        }
    }
    return text_end(&text);
}
