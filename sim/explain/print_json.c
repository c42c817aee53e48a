/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>

#include "base/json_out.h"
#include "explain/account.h"
#include "explain/explain.h"

enum { ACCOUNT_SIZE = 1536 };

static void put_sentence(void *context, const char *id, const char *sentence)
{
    struct json_out *out = context;
    json_open_object(out, NULL);
    json_text(out, "id", id);
    json_text(out, "text", sentence);
    json_close_object(out);
}

static void put_fields(struct json_out *out, const struct fh_arm_layout *layout, uint64_t word)
{
    char text[160];
    json_open_object(out, "fields");
    for (unsigned i = 0; i < layout->nfields; i++) {
        const struct fh_arm_field *field = &layout->fields[i];
        json_open_object(out, field->name);
        json_number(out, "high", field->high);
        json_number(out, "low", field->low);
        json_hex(out, "value", fh_arm_field_value(field, word));
        json_text(out, "meaning", field->meaning);
        fh_arm_describe_field(field, word, text, sizeof text);
        json_text(out, "text", text);
        json_close_object(out);
    }
    json_close_object(out);
    json_hex(out, "reserved", word & ~layout->bits);
}

static void put_value(struct json_out *out, const struct found *found, const struct joined *joined,
                      bool is_from_text)
{
    char account[ACCOUNT_SIZE];
    uint64_t word;
    json_open_object(out, NULL);
    json_text(out, "name", found->written);
    json_text(out, "register", found->name.canonical);
    json_text(out, "is", meaning_called(found->name.meaning));
    json_hex(out, "value", found->value);
    if (is_from_text) {
        json_number(out, "line", found->line);
        json_number(out, "column", found->column);
    }
    account_of(found, joined, account, sizeof account);
    json_text(out, "text", account);
    const struct fh_arm_layout *layout = layout_of(found, joined, &word);
    if (layout)
        put_fields(out, layout, word);
    json_close_object(out);
}

/* What programs wrote around the values. */
static void put_messages(struct json_out *out, const struct report *report)
{
    json_open_array(out, "messages");
    for (size_t i = 0; i < report->count; i++) {
        const struct known_message *message = report->items[i].message;
        if (!message || !report_says_first(report, i))
            continue;
        json_open_object(out, NULL);
        json_text(out, "id", message->id);
        json_text(out, "program", message->program);
        json_text(out, "text", message->account);
        json_close_object(out);
    }
    json_close_array(out);
}

static void put_report(struct json_out *out, const struct report *report,
                       const struct explained *explained)
{
    const struct joined joined = join_report(report);
    json_open_object(out, NULL);
    if (explained->text) {
        json_text(out, "file", explained->name);
        json_number(out, "line", report->items->line);
    }
    put_messages(out, report);
    json_open_array(out, "values");
    for (size_t i = 0; i < report->count; i++) {
        if (!report->items[i].message)
            put_value(out, &report->items[i], &joined, explained->text != NULL);
    }
    json_close_array(out);
    json_open_array(out, "together");
    say_together(&joined, put_sentence, out);
    json_close_array(out);
    json_open_array(out, "notes");
    say_notes(&joined, put_sentence, out);
    json_close_array(out);
    json_open_array(out, "machine");
    say_machine(&joined, explained, put_sentence, out);
    json_close_array(out);
    json_close_object(out);
}

void print_json(const struct explained *explained, FILE *file)
{
    struct json_out out;
    json_out_begin(&out, file);
    json_open_object(&out, NULL);
    if (explained->machine)
        json_text(&out, "machine", explained->machine->name);
    json_open_array(&out, "reports");
    for (size_t from = 0; from < explained->finds->count;) {
        const struct report report = report_from(explained->finds, from, explained->text);
        put_report(&out, &report, explained);
        from += report.count;
    }
    json_close_array(&out);
    json_close_object(&out);
    json_out_end(&out);
}
