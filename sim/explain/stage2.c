/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "explain/sentence.h"

/* Stage 2 as VTCR_EL2 and VTTBR_EL2 say, and a walk through the descriptors that are given. */

void sentence_add(struct sentence *sentence, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t room = sizeof sentence->text - sentence->length;
    const int length = vsnprintf(sentence->text + sentence->length, room, format, arguments);
    va_end(arguments);
    sentence->length += (size_t)length < room ? (size_t)length : room - 1;
}

static struct fh_arm_stage2_control control_of(const struct joined *joined)
{
    return (struct fh_arm_stage2_control){
        .vtcr = joined->vtcr ? joined->vtcr->value : 0,
        .vttbr = joined->vttbr ? joined->vttbr->value : 0,
        .hcr = joined_hcr(joined) | 1, /* VM: there is something to say of stage 2 */
        .has_xnx = true,
        .has_ttst = true,
        .has_lpa = true,
    };
}

/* --- Its form -------------------------------------------------------------------------------- */

static void say_form(const struct joined *joined, const struct fh_arm_stage2_form *form,
                     saying *say, void *context)
{
    struct sentence sentence = {.length = 0};
    sentence_add(&sentence,
                 "VTCR_EL2 says: pages of %u KiB, IPAs of %u bits, physical addresses of up to %u "
                 "bits; the walk starts at level %d, with %u table%s side by side.",
                 1u << (form->stage2.granule_bits - 10), form->input_bits, form->output_bits,
                 form->start_level, form->root_tables, form->root_tables == 1 ? "" : "s");
    if (joined->has_address && form->input_bits < 64 && joined->address >> form->input_bits)
        sentence_add(&sentence,
                     " IPA 0x%" PRIx64
                     " has more bits: whatever is mapped, an access to it faults.",
                     joined->address);
    else if (joined->is_abort && joined->is_stage2 && joined->fault.level > 0 &&
             joined->fault.level != FH_ARM_NO_LEVEL && joined->fault.level < form->start_level)
        sentence_add(&sentence,
                     " A fault of level %d cannot be of these tables: the values are of two "
                     "machines, or VTCR_EL2 was written in between.",
                     joined->fault.level);
    say(context, "stage2_form", sentence.text);
}

/* --- A walk ---------------------------------------------------------------------------------- */

/* The descriptors that are given stand for the memory: the walk reads one of each level. */
struct given {
    const struct joined *joined;
    int level;           /* of the next descriptor */
    bool is_missing;     /* one that was asked for is not given */
    uint64_t missing_at; /* its address */
};

static const struct found *descriptor_of(const struct report *report, int level)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct found *found = &report->items[i];
        if (!found->message && found->name.meaning == MEANING_DESCRIPTOR &&
            found->name.level == level)
            return found;
    }
    return NULL;
}

static bool read_given(void *context, uint64_t address, uint64_t *word)
{
    struct given *given = context;
    const struct found *found = descriptor_of(given->joined->report, given->level++);
    given->is_missing = !found;
    given->missing_at = address;
    if (found)
        *word = found->value;
    return found != NULL;
}

static void say_step(const struct fh_arm_stage2 *stage2, const struct fh_arm_walk_step *step,
                     saying *say, void *context)
{
    char account[320];
    struct sentence sentence = {.length = 0};
    fh_arm_describe_descriptor(stage2, step->level, step->word, account, sizeof account);
    sentence_add(&sentence, "Level %d, at 0x%" PRIx64 ": 0x%" PRIx64 ", %s.", step->level,
                 step->address, step->word, account);
    say(context, "walk_step", sentence.text);
}

static enum fh_arm_access_kind access_of(const struct joined *joined)
{
    if (!joined->syndrome || !joined->is_abort)
        return FH_ARM_READ;
    if (fh_arm_is_instruction_abort(joined->syndrome->value))
        return FH_ARM_FETCH;
    return fh_arm_esr_data_abort_of(joined->syndrome->value).WnR ? FH_ARM_WRITE : FH_ARM_READ;
}

/* Does the walk end as the syndrome says? */
static void add_comparison(struct sentence *sentence, const struct joined *joined,
                           const struct fh_arm_walk *walk)
{
    if (!joined->is_abort || !joined->is_stage2)
        return;
    const bool agrees = !walk->is_translated && walk->level == joined->fault.level &&
                        walk->status == joined->fault.kind;
    sentence_add(sentence, agrees ? " The syndrome says the same."
                                  : " The syndrome says otherwise: it is of another access, the "
                                    "tables have changed, or a TLB entry is stale.");
}

static void say_end(const struct joined *joined, const struct given *given,
                    const struct fh_arm_walk *walk, saying *say, void *context)
{
    static const char *const accesses[] = {"read", "write", "fetch"};
    struct sentence sentence = {.length = 0};
    uint64_t code;
    char fault[96] = "a fault";
    sentence_add(&sentence, "The walk for a %s of IPA 0x%" PRIx64, accesses[access_of(joined)],
                 joined->address);
    if (given->is_missing) {
        sentence_add(&sentence,
                     " goes on at level %d with the descriptor at 0x%" PRIx64
                     ", which is not given.",
                     given->level - 1, given->missing_at);
    } else if (walk->is_translated) {
        sentence_add(&sentence, " ends at physical address 0x%" PRIx64 ".", walk->output);
        add_comparison(&sentence, joined, walk);
    } else {
        if (fh_arm_fault_status(walk->status, walk->level, &code))
            fh_arm_describe_status(code, fault, sizeof fault);
        sentence_add(&sentence, " ends with a %s.", fault);
        add_comparison(&sentence, joined, walk);
    }
    say(context, "walk", sentence.text);
}

static void say_walk(const struct joined *joined, const struct fh_arm_stage2_control *control,
                     const struct fh_arm_stage2_form *form, saying *say, void *context)
{
    struct given given = {.joined = joined, .level = form->start_level};
    const struct fh_arm_memory memory = {&given, read_given};
    const struct fh_arm_ipa_access access = {
        .ipa = joined->address,
        .kind = access_of(joined),
        .is_table = joined->is_abort && fh_arm_esr_data_abort_of(joined->syndrome->value).S1PTW,
    };
    struct fh_arm_walk walk;
    fh_arm_translate(control, &memory, &access, &walk);
    for (unsigned i = 0; i < walk.nsteps && !(given.is_missing && i + 1 == walk.nsteps); i++)
        say_step(&form->stage2, &walk.steps[i], say, context);
    say_end(joined, &given, &walk, say, context);
}

void say_stage2(const struct joined *joined, saying *say, void *context)
{
    const struct fh_arm_stage2_control control = control_of(joined);
    struct fh_arm_stage2_form form;
    if (joined->vttbr) {
        struct sentence sentence = {.length = 0};
        const struct fh_arm_vttbr_el2 vttbr = fh_arm_vttbr_el2_of(joined->vttbr->value);
        sentence_add(&sentence, "Stage 2 of VMID %u begins at physical address 0x%" PRIx64 ".",
                     (unsigned)vttbr.VMID, vttbr.BADDR << 1);
        say(context, "vmid", sentence.text);
    }
    if (!joined->vtcr)
        return;
    if (!fh_arm_select_form(&control, &form)) {
        say(context, "stage2_form",
            "VTCR_EL2 selects no form of tables that the architecture has: T0SZ, SL0 and TG0 do "
            "not fit together.");
        return;
    }
    say_form(joined, &form, say, context);
    if (joined->has_address && joined->descriptor && !joined->is_stage1)
        say_walk(joined, &control, &form, say, context);
}
