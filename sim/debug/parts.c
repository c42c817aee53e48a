/* SPDX-License-Identifier: GPL-2.0-only */
#include "debug/parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/numbers.h"
#include "base/text_stream.h"
#include "patch/patch.h"

enum { PATH_MAX_LENGTH = 400, NAME_LENGTH = 100 };

uint64_t parts_count(const struct fh_found *found)
{
    if (found->component >= 0)
        return 0;
    switch (found->type->kind) {
    case FH_KIND_RECORD:
    case FH_KIND_REF:
    case FH_KIND_TUPLE: return found->type->nfields;
    case FH_KIND_MAP: return fh_map_count(found->place);
    default: return 0;
    }
}

struct walk {
    const char *path;
    uint64_t skip, left;
    parts_told *told;
    void *context;
};

static void tell(struct walk *walk, const char *name, const struct fh_type *type, const void *place,
                 int component)
{
    char path[PATH_MAX_LENGTH];
    snprintf(path, sizeof path, "%s%s%s", walk->path, *walk->path ? "." : "", name);
    const struct part part = {name, path, type, place, component};
    if (walk->skip > 0) {
        walk->skip--;
    } else if (walk->left > 0) {
        walk->left--;
        walk->told(walk->context, &part);
    }
}

static void visit_fields(struct walk *walk, const struct fh_type *type, const void *record)
{
    for (unsigned i = 0; i < type->nfields; i++)
        tell(walk, type->fields[i].name, type->fields[i].type,
             (const char *)record + type->fields[i].offset, -1);
}

static void visit_entries(struct walk *walk, const struct fh_type *type, const void *map)
{
    const void *entry;
    FH_MAP_EACH (entry, (const struct fh_map *)map, &type->value->as_value, key) {
        uint64_t keys[FH_MAP_DEPTH_MAX] = {key};
        char name[NAME_LENGTH];
        int length = 0;
        if (walk->left == 0)
            return;
        if (type->depth > 1)
            fh_map_unpack_key(type, key, keys);
        for (unsigned i = 0; i < type->depth; i++)
            length +=
                snprintf(name + length, sizeof name - (size_t)length,
                         keys[i] < 10 ? "%s%" PRIu64 : "%s0x%" PRIx64, i > 0 ? "." : "", keys[i]);
        tell(walk, name, type->value, entry, -1);
    }
}

bool parts_visit(const struct fh_state *state, const char *path, uint64_t first, uint64_t count,
                 parts_told *told, void *context)
{
    struct walk walk = {path, first, count, told, context};
    struct fh_found found;
    if (!fh_path_find(fh_state_rdata(state), fh_state_profile(state), path, &found, NULL))
        return false;
    if (found.component >= 0)
        return true;
    switch (found.type->kind) {
    case FH_KIND_RECORD: visit_fields(&walk, found.type, found.place); break;
    case FH_KIND_REF:
        visit_fields(&walk, found.type, fh_ref_record(found.type, found.place));
        break;
    case FH_KIND_MAP: visit_entries(&walk, found.type, found.place); break;
    case FH_KIND_TUPLE:
        for (unsigned i = 0; i < found.type->nfields; i++)
            tell(&walk, found.type->names[i], found.type, found.place, (int)i);
        break;
    default: break;
    }
    return true;
}

static bool is_plain(const struct fh_type *type)
{
    for (unsigned i = 0; i < type->nfields; i++) {
        if (type->fields[i].type->kind >= FH_KIND_RECORD)
            return false;
    }
    return true;
}

void part_print(const struct fh_state *state, const struct part *part, FILE *out)
{
    const struct fh_profile *k = fh_state_profile(state);
    const enum fh_kind kind = part->type->kind;
    if (part->component >= 0)
        number_print_as(k, part->name,
                        fh_tuple_get(part->type, part->place, (unsigned)part->component), out);
    else if (kind == FH_KIND_MAP)
        fprintf(out, "%" PRIu64 " entries", fh_map_count(part->place));
    else if (kind == FH_KIND_REF || (kind == FH_KIND_RECORD && !is_plain(part->type)))
        fprintf(out, "%u fields", part->type->nfields);
    else
        value_print(k, part->name, part->type, part->place, out);
}
