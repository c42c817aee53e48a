/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/kvm_event.h"

#include <string.h>

/*
 * As text: %0x, %1d, %2w is field 0 as a hexadecimal number, field 1 as a decimal one, field 2 as a
 * word; %n a name before the last parenthesis; %* a rest that does not matter. A blank is any
 * number of them, and a comma may be missing: people copy by hand. As keys: the fields in their
 * order, "-" for one that has none, | between the names that versions of Linux gave one, ? before a
 * field that some versions lack.
 */
/* clang-format off */
static const struct kvm_form forms[] = {
    /* 4.2 and later; 32-bit Arm has other words for the first field */
    {"kvm_exit", NULL, KVM_EXIT, "%0w: HSR_EC: %1x (%2w), PC: %3x",
     "?ret|idx ?esr_ec|exit_reason - vcpu_pc"},
    {"kvm_exit", NULL, KVM_EXIT, "%0w: ESR_EC: %1x (%2w), PC: %3x", ""},
    {"kvm_exit", NULL, KVM_EXIT, "HSR_EC: %1x, PC: %3x", ""}, /* 4.0 and 4.1 */
    {"kvm_exit", NULL, KVM_EXIT, "PC: %3x", ""},              /* before */
    {"kvm_entry", NULL, KVM_ENTRY, "PC: %0x", "vcpu_pc"},
    {"kvm_guest_fault", NULL, KVM_FAULT, "ipa %0x, hsr %1x, hxfar %2x, pc %3x",
     "ipa hsr|esr hxfar|far vcpu_pc"},
    {"kvm_guest_fault", NULL, KVM_FAULT, "ipa %0x, esr %1x, far %2x, pc %3x", ""},
    {"kvm_guest_fault", NULL, KVM_FAULT,
     "guest fault at PC %3x (hxfar %2x, ipa %0x, hsr %1x", ""}, /* before 4.1 */
    {"kvm_guest_fault", NULL, KVM_FAULT,
     "guest fault at PC %3x (hxfar %2x, ipa %0x, hsr %1x)", ""},
    {"kvm_mmio", NULL, KVM_MMIO, "mmio %0w len %1d gpa %2x val %3x", "type len gpa val"},
    {"kvm_hvc_arm64", NULL, KVM_CALL, "HVC at %0x (r0: %1x, imm: %2x)", "vcpu_pc r0 imm"},
    {"kvm_hvc", "kvm_hvc_arm64", KVM_CALL, "HVC at %0x (r0: %1x, imm: %2x)", "vcpu_pc r0 imm"},
    {"kvm_handle_sys_reg", NULL, KVM_SYNDROME, "HSR %0x", "hsr"},
    {"kvm_sys_access", NULL, KVM_SYSREG, "PC: %0x %1n (%2d,%3d,%4d,%5d,%6d) %7w",
     "vcpu_pc - Op0 Op1 CRn CRm Op2 is_write"},
    {"kvm_wfx_arm64", NULL, KVM_WFX, "guest executed %0w at: %1x", "is_wfe vcpu_pc"},
    {"kvm_wfx", "kvm_wfx_arm64", KVM_WFX, "guest executed %0w at: %1x", "is_wfe vcpu_pc"},
    {"kvm_wfi", "kvm_wfx_arm64", KVM_WFX, "guest executed %0w at: %1x", "- vcpu_pc"},
    {"kvm_userspace_exit", NULL, KVM_NOTE, "reason %0w (%1d)", "- reason"},
    {"kvm_access_fault", NULL, KVM_NOTE, "IPA: %0x", "ipa"},
    {"kvm_set_way_flush", NULL, KVM_NOTE, "S/W flush at %0x (cache %1w)", "vcpu_pc -"},
    {"kvm_toggle_cache", NULL, KVM_NOTE, "VM op at %0x (cache was %1w, now %2w)", "vcpu_pc - -"},
    {"kvm_mmio_nisv", NULL, KVM_NOTE, "ipa %0x, esr %1x, far %2x, pc %3x", "ipa esr far vcpu_pc"},
    {"kvm_mmio_emulate", NULL, KVM_NOTE, "Emulate MMIO at: %0x (instr: %1x, cpsr: %2x)",
     "vcpu_pc instr cpsr"},
    {"kvm_unmap_hva", NULL, KVM_NOTE, "mmu notifier unmap hva: %0x", "hva"},
    {"kvm_unmap_hva_range", NULL, KVM_NOTE, "mmu notifier unmap range: %0x -- %1x", "start end"},
    {"kvm_set_spte_hva", NULL, KVM_NOTE, "mmu notifier set pte hva: %0x", "hva"},
    {"kvm_age_hva", NULL, KVM_NOTE, "mmu notifier age hva: %0x -- %1x", "start end"},
    {"kvm_age_hva", NULL, KVM_NOTE, "mmu notifier age hva: %0x -- %1x flush: %2w", ""},
    {"kvm_test_age_hva", NULL, KVM_NOTE, "mmu notifier test age hva: %0x", "hva"},
    {"kvm_nested_eret", NULL, KVM_NOTE, "%*", ""},
    {"kvm_inject_nested_exception", NULL, KVM_NOTE, "%*", ""},
    {"kvm_forward_sysreg_trap", NULL, KVM_NOTE, "%*", ""},
    {"kvm_get_timer_map", NULL, KVM_TIMER_MAP, "VCPU: %0d, %*", "vcpu_id"},
    {"kvm_timer_restore_state", NULL, KVM_TIMER_RESTORE, "%*", ""},
    {"kvm_timer_save_state", NULL, KVM_TIMER_SAVE, "%*", ""},
};
/* clang-format on */

const struct kvm_form *kvm_forms(unsigned *count)
{
    *count = sizeof forms / sizeof *forms;
    return forms;
}

bool kvm_event_is_known(struct word name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (word_is(name, forms[i].name))
            return true;
    }
    return false;
}

bool kvm_event_is_needed(enum kvm_event_kind kind)
{
    return kind < KVM_NOTE;
}

/* --- As text --------------------------------------------------------------------------------- */

/* A system register's name, which may be anything, before the last parenthesis. */
static bool take_name(struct scan *scan, struct word *name)
{
    for (const char *c = scan->end - 1; c > scan->at + 1; c--) {
        if (c[-1] != ' ' || c[0] != '(')
            continue;
        *name = (struct word){scan->at, (size_t)(c - 1 - scan->at)};
        scan->at = c - 1;
        return true;
    }
    return false;
}

/* A field by its letter, up to the character that follows it. */
static bool take_field(struct scan *scan, char letter, char stop, struct kvm_field *field)
{
    const char stops[] = {stop, '\0'};
    if (letter == 'n')
        return take_name(scan, &field->word);
    if (letter == 'w')
        return scan_word(scan, stops, &field->word);
    scan_blanks(scan);
    return letter == 'x' ? scan_hex(scan, &field->value) : scan_number(scan, &field->value);
}

/* One character of the form that stands for itself. */
static bool take_character(struct scan *scan, char c)
{
    const char *const before = scan->at;
    if (c == ' ') {
        scan_blanks(scan);
        return scan->at > before;
    }
    if (scan->at < scan->end && *scan->at == c) {
        scan->at++;
        return true;
    }
    return c == ',';
}

/* The fields as the form has them; false at the place where they differ. */
static bool match_text(struct scan *scan, struct kvm_event *event)
{
    for (const char *c = event->form->text; *c; c++) {
        if (*c != '%') {
            if (!take_character(scan, *c))
                return false;
            continue;
        }
        if (*++c == '*')
            return true;
        const unsigned n = (unsigned)(*c++ - '0');
        if (!take_field(scan, *c, c[1], &event->fields[n]))
            return false;
        event->present |= 1u << n;
    }
    return scan_is_at_end(scan);
}

/* --- As keys --------------------------------------------------------------------------------- */

bool kvm_form_next_key(const char **keys, struct word *key, unsigned *field, bool *is_optional)
{
    const char *c = *keys;
    if (*c == ' ' || *c == '|')
        *field += *c++ == ' ';
    if (*c == '\0')
        return false;
    if (*c == '?') {
        *is_optional = true;
        c++;
    } else if (c == *keys || c[-1] == ' ') {
        *is_optional = false;
    }
    *key = (struct word){c, strcspn(c, " |")};
    *keys = c + key->length;
    return true;
}

/* The number of a field by its key, or KVM_FIELDS_MAX. */
static unsigned key_index(const struct kvm_form *form, struct word key)
{
    const char *keys = form->keys;
    struct word name;
    unsigned field = 0;
    bool is_optional = false;
    while (kvm_form_next_key(&keys, &name, &field, &is_optional)) {
        if (name.length == key.length && memcmp(name.text, key.text, key.length) == 0)
            return field;
    }
    return KVM_FIELDS_MAX;
}

static unsigned needed_fields(const struct kvm_form *form)
{
    const char *keys = form->keys;
    struct word name;
    unsigned field = 0, needed = 0;
    bool is_optional = false;
    while (kvm_form_next_key(&keys, &name, &field, &is_optional)) {
        if (!is_optional && !word_is(name, "-"))
            needed |= 1u << field;
    }
    return needed;
}

static bool take_value(struct word value, struct kvm_field *field)
{
    struct scan scan = {value.text, value.text + value.length};
    if (scan_text(&scan, "0x"))
        return scan_hex(&scan, &field->value) && scan_is_at_end(&scan);
    return scan_number(&scan, &field->value) && scan_is_at_end(&scan);
}

/* " (36)", behind a value: options/fields has each in both bases. */
static void skip_other_base(struct scan *scan)
{
    struct word value;
    scan_blanks(scan);
    struct scan trial = *scan;
    if (!scan_text(&trial, "(") || !scan_word(&trial, ")", &value) || !scan_text(&trial, ")"))
        return;
    scan_blanks(&trial);
    *scan = trial;
}

/*
 * "key=value key=value": of trace-cmd report -R, of what it could not format, and of
 * options/fields; "key: value, key: value": of perf trace.
 */
static bool match_keys(struct scan *scan, struct kvm_event *event)
{
    while (!scan_is_at_end(scan)) {
        const struct scan before = *scan;
        struct word key, value;
        if (!scan_word(scan, "=: ", &key) || !(scan_text(scan, "=") || scan_text(scan, ":")))
            return false;
        scan_blanks(scan); /* cval=               0 */
        if (!scan_word(scan, " ,", &value))
            return false;
        scan_text(scan, ",");
        const unsigned i = key_index(event->form, key);
        if (i < KVM_FIELDS_MAX && !take_value(value, &event->fields[i])) {
            *scan = before;
            return false;
        }
        if (i < KVM_FIELDS_MAX)
            event->present |= 1u << i;
        skip_other_base(scan);
    }
    const unsigned needed = needed_fields(event->form);
    return (event->present & needed) == needed;
}

/* "key=", as nothing in the text of an event begins */
static bool has_keys(struct scan scan)
{
    struct word key;
    return scan_word(&scan, "= :,(", &key) && scan_text(&scan, "=");
}

/* trace-cmd takes the two that x86 has, too, for those, and says what it misses before the rest. */
static void skip_complaints(struct scan *scan)
{
    struct word field;
    for (;;) {
        struct scan trial = *scan;
        const bool is_complaint = (scan_text(&trial, "CAN'T FIND FIELD \"") &&
                                   scan_word(&trial, "\"", &field) && scan_text(&trial, "\"")) ||
                                  (scan_text(&trial, "<CANT FIND FIELD ") &&
                                   scan_word(&trial, ">", &field) && scan_text(&trial, ">"));
        if (!is_complaint)
            return;
        *scan = trial;
        scan_blanks(scan);
    }
}

static bool match(struct scan *scan, struct kvm_event *event, bool has_keys_only)
{
    if (has_keys_only)
        return match_keys(scan, event);
    skip_complaints(scan);
    struct scan trial = *scan;
    if (scan_text(&trial, "[FAILED TO PARSE] ") || has_keys(*scan)) {
        *scan = trial;
        scan_blanks(scan);
        return match_keys(scan, event);
    }
    /* trace-cmd 3.1 cannot print this one, and shows a pc of 0. */
    if (event->form->kind == KVM_WFX && scan_text(&trial, "guest executed wf>c< at: "))
        return true;
    return match_text(scan, event);
}

bool kvm_event_read(const struct kvm_line *line, struct kvm_event *event, const char **at)
{
    *at = line->rest.at;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (!word_is(line->name, forms[i].name))
            continue;
        struct scan scan = line->rest;
        *event = (struct kvm_event){.form = &forms[i], .moment = line->moment};
        if (match(&scan, event, line->has_keys))
            return true;
        if (scan.at > *at)
            *at = scan.at;
    }
    return false;
}
