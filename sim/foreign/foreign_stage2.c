/* SPDX-License-Identifier: GPL-2.0-only */
#include <inttypes.h>

#include "foreign/foreign_checker.h"

/*
 * Checks of stage-2 faults: HPFAR_EL2 and FAR_EL2, VTTBR_EL2 and VTCR_EL2, and the recorded walk of
 * the tables, which is to end in the fault that ESR_EL2 describes (4 KiB granule).
 */

enum { PAGE_SHIFT = 12, INDEX_BITS = 9, LAST_LEVEL = 3, CONCATENATED_MAX = 16 };
enum { STATUS_TRANSLATION = 1, STATUS_ACCESS = 2, STATUS_PERMISSION = 3 };
static const uint64_t address_bits = 0x0000fffffffff000;

/* The geometry that VTCR_EL2 says. */
struct stage2 {
    unsigned bits;    /* of an IPA */
    int start;        /* level */
    uint64_t entries; /* of the start table, all of it */
};

static unsigned shift_of(int level)
{
    return PAGE_SHIFT + INDEX_BITS * (unsigned)(LAST_LEVEL - level);
}

/* NULL, or why the walk is not one that is checked here. */
static const char *read_geometry(const struct trace_line *line, struct stage2 *stage2)
{
    static const int start_levels[] = {2, 1, 0, 3};
    const uint64_t vtcr = record_get(line, TRACE_REG_vtcr);
    if (!record_has(line, TRACE_REG_vtcr))
        return "VTCR_EL2 is not recorded";
    if (vtcr >> 14 & 3 || vtcr >> 32 & 1)
        return "VTCR_EL2 has another granule than 4 KiB, or 52 bits";
    stage2->bits = 64 - (unsigned)(vtcr & 0x3f);
    stage2->start = start_levels[vtcr >> 6 & 3];
    if (stage2->bits > 48 || stage2->bits <= shift_of(stage2->start))
        return "VTCR_EL2's size and start level do not go together";
    stage2->entries = 1ull << (stage2->bits - shift_of(stage2->start));
    return NULL;
}

static uint64_t page_of_hpfar(uint64_t hpfar)
{
    return (hpfar >> 4 & 0xfffffffffff) << PAGE_SHIFT;
}

/* --- Addresses ------------------------------------------------------------------------------- */

/* SCTLR_EL1.M says if FAR_EL2 is an IPA itself. */
static bool is_flat(const struct trace_line *line, bool *is_known)
{
    uint64_t sctlr;
    *is_known =
        record_register(line, "SCTLR", &sctlr) || record_register(line, "SCTLR_EL1", &sctlr);
    return *is_known && !(sctlr & 1);
}

static void check_page(struct checker *checker, const struct trace_line *line)
{
    bool is_known;
    const uint64_t hpfar = record_get(line, TRACE_REG_hpfar);
    const uint64_t far = record_get(line, TRACE_REG_far);
    const bool has_far = record_has(line, TRACE_REG_far);
    const bool is_checked = is_flat(line, &is_known) && has_far;
    if (hpfar & 0x7fff00000000000full)
        check_that(checker, CHECK_fault_page, false, "reserved bits in HPFAR_EL2 0x%" PRIx64,
                   hpfar);
    else if (is_checked)
        check_that(
            checker, CHECK_fault_page, far >> PAGE_SHIFT == page_of_hpfar(hpfar) >> PAGE_SHIFT,
            "stage 1 is off, but FAR_EL2 is 0x%" PRIx64 " and HPFAR_EL2 0x%" PRIx64, far, hpfar);
    else
        check_that(checker, CHECK_fault_page, true, "%s", "");
}

static bool is_in_range(const struct stage2 *stage2, uint64_t ipa)
{
    return ipa >> stage2->bits == 0;
}

static void check_range(struct checker *checker, const struct trace_line *line, uint64_t esr)
{
    enum { ADDRESS_SIZE_LEVEL_0 = 0x00, TRANSLATION_LEVEL_0 = 0x04 };
    struct stage2 stage2;
    const uint64_t ipa = page_of_hpfar(record_get(line, TRACE_REG_hpfar));
    const uint64_t status = ESR_STATUS(esr);
    const char *why = read_geometry(line, &stage2);
    if (why)
        check_open(checker, CHECK_ipa_range, why);
    else
        check_that(checker, CHECK_ipa_range,
                   is_in_range(&stage2, ipa) || status == TRANSLATION_LEVEL_0 ||
                       status == ADDRESS_SIZE_LEVEL_0,
                   "IPA 0x%" PRIx64 " has more than %u bits, but the status is 0x%02" PRIx64, ipa,
                   stage2.bits, status);
}

/* --- VTTBR_EL2 ------------------------------------------------------------------------------- */

static const char *wrong_vttbr(const struct stage2 *stage2, uint64_t vttbr, uint64_t vtcr)
{
    const uint64_t size = stage2->entries * sizeof(uint64_t);
    const uint64_t alignment = size < 64 ? 64 : size;
    const bool has_16_bits = vtcr >> 19 & 1;
    if (stage2->entries > CONCATENATED_MAX << INDEX_BITS)
        return "the start table has more than 16 pages";
    if ((vttbr & 0xfffffffffffe) % alignment != 0)
        return "the start table is not aligned to its size";
    if (!has_16_bits && vttbr >> 56)
        return "a VMID of more than 8 bits";
    return vttbr >> 48 == 0 ? "a guest with VMID 0, which is the host's" : NULL;
}

static void check_vttbr(struct checker *checker, const struct trace_line *line)
{
    struct stage2 stage2;
    const uint64_t vttbr = record_get(line, TRACE_REG_vttbr);
    if (line->kind != TRACE_KIND_guest_exit)
        return;
    if (!record_has(line, TRACE_REG_vttbr)) {
        check_open(checker, CHECK_vttbr_form, "VTTBR_EL2 is not recorded");
        return;
    }
    if (record_has(line, TRACE_REG_hcr) && !(record_get(line, TRACE_REG_hcr) & 1))
        return;
    const char *why = read_geometry(line, &stage2);
    if (why) {
        check_open(checker, CHECK_vttbr_form, why);
        return;
    }
    const char *wrong = wrong_vttbr(&stage2, vttbr, record_get(line, TRACE_REG_vtcr));
    check_that(checker, CHECK_vttbr_form, !wrong, "%s (VTTBR_EL2 0x%" PRIx64 ")",
               wrong ? wrong : "", vttbr);
}

/* --- The walk -------------------------------------------------------------------------------- */

enum { DESC_INVALID, DESC_TABLE, DESC_LEAF };

static int kind_of(uint64_t descriptor, int level)
{
    const unsigned low = descriptor & 3;
    if (!(low & 1) || (level == LAST_LEVEL && low == 1))
        return DESC_INVALID;
    return level < LAST_LEVEL && low == 3 ? DESC_TABLE : DESC_LEAF;
}

/* The steps of the walk in a record. */
struct walk {
    const struct trace_walk *steps[LAST_LEVEL + 2];
    size_t count;
};

static bool find_walk(const struct trace_line *line, struct walk *walk)
{
    walk->count = 0;
    for (size_t i = 0; i < line->nfx && walk->count <= LAST_LEVEL + 1; i++) {
        if (line->fx[i].kind == TRACE_walk)
            walk->steps[walk->count++] = &line->fx[i].walk;
    }
    return walk->count > 0;
}

/* Where the walk is not a walk of the IPA from VTTBR_EL2 down: a text, or NULL. */
static const char *wrong_chain(const struct walk *walk, const struct stage2 *stage2, uint64_t vttbr,
                               uint64_t ipa)
{
    uint64_t base = vttbr & 0xfffffffffffe;
    uint64_t entries = stage2->entries;
    for (size_t i = 0; i < walk->count; i++) {
        const struct trace_walk *step = walk->steps[i];
        const int level = stage2->start + (int)i;
        if (level > LAST_LEVEL || step->level != (uint64_t)level)
            return "levels that do not follow one another from VTCR_EL2's start level";
        if (step->pa != base + sizeof(uint64_t) * (ipa >> shift_of(level) & (entries - 1)))
            return "a descriptor that is not where the one above and the IPA say";
        const bool is_last = i + 1 == walk->count;
        if ((kind_of(step->desc, level) == DESC_TABLE) == is_last)
            return is_last ? "it ends at a table" : "it goes on below a descriptor of no table";
        base = step->desc & address_bits;
        entries = 1u << INDEX_BITS;
    }
    return NULL;
}

/* May the access be, as the leaf says? Execute-never is bits 54:53, for EL1 and EL0. */
static bool is_permitted(uint64_t leaf, uint64_t esr)
{
    const bool may_read = leaf >> 6 & 1, may_write = leaf >> 7 & 1;
    if (ESR_CLASS(esr) == CLASS_IABT_LOW)
        return may_read && (leaf >> 53 & 3) == 0;
    return ESR_WNR(esr) ? may_write : may_read;
}

/* The type of fault that the last descriptor makes; 0 if it makes none. */
static unsigned fault_type(const struct trace_walk *last, uint64_t esr)
{
    if (kind_of(last->desc, (int)last->level) == DESC_INVALID)
        return STATUS_TRANSLATION;
    if (!(last->desc >> 10 & 1))
        return STATUS_ACCESS;
    return is_permitted(last->desc, esr) ? 0 : STATUS_PERMISSION;
}

static const char *const type_names[] = {"no", "a translation", "an access flag", "a permission"};

static void check_fault(struct checker *checker, const struct walk *walk, uint64_t esr)
{
    const struct trace_walk *last = walk->steps[walk->count - 1];
    const unsigned type = fault_type(last, esr);
    const uint64_t status = ESR_STATUS(esr);
    check_that(checker, CHECK_walk_fault, type != 0 && status == (type << 2 | last->level),
               "ESR_EL2 has %s fault at level %" PRIu64 ", the walk %s fault at level %" PRIu64
               " (descriptor 0x%" PRIx64 ")",
               status >> 2 <= STATUS_PERMISSION ? type_names[status >> 2] : "another", status & 3,
               type_names[type], last->level, last->desc);
}

static void open_walk(struct checker *checker, const char *reason)
{
    check_open(checker, CHECK_walk_chain, reason);
    check_open(checker, CHECK_walk_fault, reason);
}

static void check_walk(struct checker *checker, const struct trace_line *line, uint64_t esr)
{
    struct stage2 stage2;
    struct walk walk;
    const uint64_t ipa = page_of_hpfar(record_get(line, TRACE_REG_hpfar));
    if (!find_walk(line, &walk)) {
        open_walk(checker, "no walk is recorded");
        return;
    }
    const char *why = read_geometry(line, &stage2);
    if (!why && !record_has(line, TRACE_REG_vttbr))
        why = "VTTBR_EL2 is not recorded";
    if (!why && !is_in_range(&stage2, ipa))
        why = "the IPA is beyond VTCR_EL2's size";
    if (why) {
        open_walk(checker, why);
        return;
    }
    const char *wrong = wrong_chain(&walk, &stage2, record_get(line, TRACE_REG_vttbr), ipa);
    check_that(checker, CHECK_walk_chain, !wrong, "%s", wrong ? wrong : "");
    const uint64_t status = ESR_STATUS(esr);
    if (ESR_S1PTW(esr))
        check_open(checker, CHECK_walk_fault, "S1PTW: QEMU tells the level of the stage 1 table");
    else if (ESR_CM(esr) && status >> 2 == STATUS_PERMISSION)
        check_open(checker, CHECK_walk_fault, "cache maintenance asks for other permissions");
    else if (status >> 2 < STATUS_TRANSLATION || status >> 2 > STATUS_PERMISSION)
        check_open(checker, CHECK_walk_fault, "no fault of a walk");
    else if (!wrong)
        check_fault(checker, &walk, esr);
}

void check_stage2(struct checker *checker, const struct trace_line *line)
{
    uint64_t class, esr;
    check_vttbr(checker, line);
    if (!record_class(line, &class) || !is_lower_abort(class))
        return;
    if (!record_has(line, TRACE_REG_hpfar) || !record_syndrome(line, &esr)) {
        check_open(checker, CHECK_fault_page, "HPFAR_EL2 is not recorded");
        check_open(checker, CHECK_ipa_range, "HPFAR_EL2 is not recorded");
        open_walk(checker, "HPFAR_EL2 is not recorded");
        return;
    }
    check_page(checker, line);
    check_range(checker, line, esr);
    check_walk(checker, line, esr);
}
