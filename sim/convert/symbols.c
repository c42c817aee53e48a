/* SPDX-License-Identifier: GPL-2.0-only */
#include "convert/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "base/lines.h"
#include "convert/scan.h"

/* A vector table is 2 KiB: 4 groups of 4 slots of 128 bytes. */
enum { TABLE_SIZE = 0x800, SLOT_SHIFT = 7, KEPT_BITS = 0xfffff, GROUPS = 4, SLOTS = 4 };

/* Linux's tables, those of nVHE under the names that kallsyms shows. */
static const struct {
    const char *name;
    enum vector_table table;
} tables[] = {
    {"__kvm_nvhe___kvm_hyp_host_vector", VECTORS_HOST}, /* nVHE, from the host */
    {"__kvm_nvhe___kvm_hyp_vector", VECTORS_GUEST},     /* nVHE, from a guest */
    {"__kvm_hyp_vector", VECTORS_GUEST},                /* VHE, from a guest */
    {"__kvm_nvhe___kvm_hyp_init", VECTORS_INIT},        /* until KVM is set up */
    {"__hyp_stub_vectors", VECTORS_STUB},               /* before that */
    {"vectors", VECTORS_HOST},                          /* VHE, the host's own */
};

enum { TABLES = sizeof tables / sizeof *tables };

struct symbols {
    bool is_known[TABLES];
    uint64_t address[TABLES];
};

/* "ffff800008cf1800 T __kvm_nvhe___kvm_hyp_host_vector" */
static bool read_symbol(struct symbols *symbols, const char *text, size_t length)
{
    struct scan scan = {text, text + length};
    uint64_t address;
    struct word type, name;
    if (!scan_hex(&scan, &address) || !scan_text(&scan, " ") || !scan_word(&scan, " ", &type) ||
        type.length != 1 || !scan_text(&scan, " ") || !scan_word(&scan, " \t\r", &name))
        return false;
    for (unsigned i = 0; i < TABLES; i++) {
        if (!word_is(name, tables[i].name))
            continue;
        symbols->is_known[i] = true;
        symbols->address[i] = address;
    }
    return true;
}

static bool check(const struct symbols *symbols, const char *path)
{
    bool is_hidden = true;
    for (unsigned i = 0; i < TABLES; i++) {
        if (symbols->is_known[i] && symbols->address[i] != 0)
            return true;
        is_hidden = is_hidden && symbols->is_known[i];
    }
    diag(&(const struct place){path, 0, 0}, NULL,
         is_hidden ? "all addresses are 0; read /proc/kallsyms as root"
                   : "none of KVM's exception vectors is among the symbols");
    return false;
}

struct symbols *symbols_read(const char *path)
{
    struct lines *lines = lines_open(path);
    if (!lines)
        return NULL;
    struct symbols *symbols = calloc(1, sizeof *symbols);
    const char *text;
    size_t length;
    bool good = symbols;
    while (good && (text = lines_next(lines, &length, 0))) {
        good = read_symbol(symbols, text, length);
        if (!good)
            diag(&(const struct place){path, lines_number(lines), 1}, text,
                 "expected a symbol, \"ffff800008cf8800 T name\"");
    }
    good = good && !lines_failed(lines) && check(symbols, path);
    lines_close(lines);
    if (good)
        return symbols;
    free(symbols);
    return NULL;
}

void symbols_free(struct symbols *symbols)
{
    free(symbols);
}

enum vector_table symbols_table(const struct symbols *symbols, uint64_t pc)
{
    enum vector_table found = VECTORS_UNKNOWN;
    for (unsigned i = 0; symbols && i < TABLES; i++) {
        const uint64_t distance = (pc - symbols->address[i]) & KEPT_BITS;
        if (!symbols->is_known[i] || distance >= TABLE_SIZE || found == tables[i].table)
            continue;
        if (found != VECTORS_UNKNOWN)
            return VECTORS_UNKNOWN;
        found = tables[i].table;
    }
    return found;
}

enum vector_slot vector_slot(uint64_t pc)
{
    return (enum vector_slot)(pc >> SLOT_SHIFT & (SLOTS - 1));
}

/* Groups: EL2 with SP_EL0, EL2 with SP_EL2, lower AArch64, lower AArch32. */
static unsigned group_of(uint64_t pc)
{
    return (unsigned)(pc >> SLOT_SHIFT) / SLOTS & (GROUPS - 1);
}

bool vector_is_of_el2(uint64_t pc)
{
    return group_of(pc) < 2;
}

/* clang-format off */
#define SLOT_NAMES(who) {who "_sync", who "_irq", who "_fiq", who "_serror"}
#define TABLE_NAMES(who)                                                                           \
    {SLOT_NAMES(who "_cur_sp0"), SLOT_NAMES(who "_cur_spx"), SLOT_NAMES(who),                      \
     SLOT_NAMES(who "_lower32")}
/* clang-format on */

const char *vector_name(enum vector_table table, uint64_t pc)
{
    static const char *const names[][GROUPS][SLOTS] = {
        [VECTORS_UNKNOWN] = {SLOT_NAMES("cur_sp0"), SLOT_NAMES("cur_spx"), SLOT_NAMES("lower64"),
                             SLOT_NAMES("lower32")},
        [VECTORS_HOST] = TABLE_NAMES("host"),
        [VECTORS_GUEST] = TABLE_NAMES("guest"),
        [VECTORS_STUB] = TABLE_NAMES("stub"),
        [VECTORS_INIT] = TABLE_NAMES("init"),
    };
    return names[table][group_of(pc)][vector_slot(pc)];
}

bool vector_is_of_host(enum vector_table table)
{
    return table == VECTORS_HOST || table == VECTORS_STUB || table == VECTORS_INIT;
}
